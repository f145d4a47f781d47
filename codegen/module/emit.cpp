#include "codegen/module/emit.h"

#include "codegen/kernel/kernel_emitter.h"
#include "codegen/module/module_plan.h"
#include "ir/base/diagnostics.h"

#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Support/raw_ostream.h>

#include <algorithm>
#include <numeric>

namespace dlcc::codegen {

using namespace loops;

namespace {

constexpr size_t kernels_per_unit = 4;

// ---- what the calls of a kernel have in common ----------------------------------------------------------------------

class CallFacts {
public:
  CallFacts(const Program& p) : p_(p), facts_(p.kernels.size()) {
    for (const Entry& e : p.entries) {
      std::vector<const Step*> work;
      for (const Step& s : e.steps) work.push_back(&s);
      while (!work.empty()) {
        const Step& s = *work.back();
        work.pop_back();
        for (const Step& child : s.children) work.push_back(&child);
        if (s.kind == StepKind::call) add(s.call);
      }
    }
  }
  const KernelFacts& operator[](KernelId k) const { return facts_[k]; }

private:
  bool overlap(BufferId a, BufferId b) const {
    BufferId x = p_.storage(a), y = p_.storage(b);
    if (x == y) return true;
    const Buffer &s = p_.buffers[x], &t = p_.buffers[y];
    if (s.region != Region::arena || t.region != Region::arena) return false;
    return s.offset < t.offset + byte_count(t.type) && t.offset < s.offset + byte_count(s.type);
  }

  // The caller aligns regions to 64 bytes and promises nothing for inputs and outputs.
  int64_t alignment(BufferId b) const {
    const Buffer& s = p_.buffers[p_.storage(b)];
    auto natural = static_cast<int64_t>(byte_size(s.type.dtype));
    return abi_region(s.region) < 0 ? natural : std::gcd(s.offset, int64_t{64});
  }

  void add(const Call& call) {
    const Kernel& k = p_.kernels[call.kernel];
    KernelFacts& f = facts_[call.kernel];
    const size_t n = call.arguments.size();
    DLCC_CHECK(n == k.parameter_count(), "kernel '" + k.name + "' is called with a wrong number of arguments");
    if (f.aligned.empty()) f.aligned.assign(n, 64), f.unaliased.assign(n, true);
    auto written = [&](size_t i) { return k.tensors[TensorId(i)].access != Access::in; };
    for (size_t i = 0; i < n; ++i) {
      f.aligned[i] = std::min(f.aligned[i], alignment(call.arguments[i]));
      for (size_t j = 0; j < n; ++j)
        if (i != j && (written(i) || written(j)) && overlap(call.arguments[i], call.arguments[j]))
          f.unaliased[i] = false;
    }
  }

  const Program& p_;
  IdVector<KernelId, KernelFacts> facts_;
};

void check(const llvm::Module& module) {
  std::string text;
  llvm::raw_string_ostream out(text);
  if (llvm::verifyModule(module, &out)) internal_error(__FILE__, __LINE__, "generated code is malformed: " + text);
}

} // namespace

std::vector<CodeUnit> emit_program(const Program& program, const Target& target, const ArtefactInfo& info,
                                   const EmitOptions& options) {
  ModulePlan plan(program, target, info, options);
  CallFacts calls(program);
  std::vector<CodeUnit> units;
  auto next_unit = [&](const std::string& name) -> llvm::Module& {
    if (units.empty() || !options.one_unit) units.emplace_back(name, target);
    return *units.back().module;
  };

  size_t emitted = 0;
  llvm::Module* kernels = nullptr;
  for (KernelId k : program.kernels.ids()) {
    if (!plan.used[k]) continue;
    if (emitted % kernels_per_unit == 0) kernels = &next_unit("kernels" + std::to_string(emitted / kernels_per_unit));
    ++emitted;
    KernelFacts facts = calls[k];
    facts.symbol = plan.kernel_symbol(k);
    facts.shared = !options.one_unit;
    facts.avx512 = target.avx512, facts.machine = target.machine;
    facts.cpu = target.cpu, facts.features = target.features;
    facts.tensor_index = [&](const std::string& name) {
      auto at = plan.tensor_index.find(name);
      return at == plan.tensor_index.end() ? -1 : at->second;
    };
    KernelEmitter emitter(*kernels, program.kernels[k], facts);
    emitter.emit();
    plan.scratch_bytes = std::max(plan.scratch_bytes, emitter.scratch_bytes());
  }
  for (const Entry& e : program.entries) emit_entry(next_unit(e.name), plan, e);
  emit_tables(next_unit("tables"), plan);
  for (const CodeUnit& u : units) check(*u.module);
  return units;
}

} // namespace dlcc::codegen
