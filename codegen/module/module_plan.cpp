#include "codegen/module/module_plan.h"

#include "ir/base/diagnostics.h"

#include <algorithm>

namespace dlcc::codegen {

using namespace loops;

int32_t entry_kind(std::string_view name) {
  static constexpr std::pair<std::string_view, int32_t> kinds[] = {{"init", DLCC_FN_INIT},
                                                                   {"train_step", DLCC_FN_TRAIN},
                                                                   {"gradients", DLCC_FN_GRAD},
                                                                   {"apply", DLCC_FN_APPLY},
                                                                   {"eval_step", DLCC_FN_EVAL},
                                                                   {"predict", DLCC_FN_PREDICT},
                                                                   {"metrics_reset", DLCC_FN_METRICS_RESET},
                                                                   {"metrics_result", DLCC_FN_METRICS_RESULT},
                                                                   {"learning_rate", DLCC_FN_LEARNING_RATE}};
  for (auto& [known, kind] : kinds)
    if (known == name) return kind;
  return 0;
}

int32_t abi_region(Region region) {
  switch (region) {
  case Region::param:
    return DLCC_REG_PARAM;
  case Region::slot:
    return DLCC_REG_OPT;
  case Region::buffer:
    return DLCC_REG_BUFFER;
  case Region::grad:
    return DLCC_REG_GRAD;
  case Region::arena:
    return DLCC_REG_WORK;
  case Region::constant:
    return DLCC_REG_CONST;
  default:
    return -1;
  }
}

namespace {
int32_t tensor_kind(const Buffer& b) {
  switch (b.role) {
  case TensorRole::input:
    return DLCC_T_INPUT;
  case TensorRole::label:
    return DLCC_T_LABEL;
  case TensorRole::weight:
    return DLCC_T_WEIGHT;
  case TensorRole::output:
    return DLCC_T_OUTPUT;
  case TensorRole::loss:
    return DLCC_T_LOSS;
  case TensorRole::metric:
    return b.region == Region::buffer ? DLCC_T_ACCUMULATOR : DLCC_T_METRIC;
  case TensorRole::none:
    break;
  }
  switch (b.region) {
  case Region::input:
    return DLCC_T_INPUT;
  case Region::output:
    return DLCC_T_OUTPUT;
  case Region::param:
    return DLCC_T_PARAM;
  case Region::slot:
    return DLCC_T_OPT;
  case Region::buffer:
    return DLCC_T_BUFFER;
  case Region::grad:
    return DLCC_T_GRAD;
  default:
    return 0;
  }
}

template <class Visit> void for_each_call(const Entry& entry, Visit&& visit) {
  std::vector<const Step*> work;
  for (const Step& s : entry.steps) work.push_back(&s);
  while (!work.empty()) {
    const Step& s = *work.back();
    work.pop_back();
    for (const Step& child : s.children) work.push_back(&child);
    if (s.kind == StepKind::call) visit(s.call);
  }
}
} // namespace

std::string tensor_name(const Buffer& b) {
  switch (b.region) {
  case Region::param:
    return "param/" + b.name;
  case Region::slot:
    return "opt/" + b.name;
  case Region::buffer:
    return "buffer/" + b.name;
  default:
    return b.name; // gradients are called grad/... in the program already
  }
}

ModulePlan::ModulePlan(const Program& program, const Target& target, const ArtefactInfo& info,
                       const EmitOptions& options)
    : program(program), target(target), info(info), options(options), used(program.kernels.size()) {
  DLCC_CHECK(program.stage == Stage::planned, "code is made for planned programs only");
  for (BufferId id : program.buffers.ids()) {
    const Buffer& b = program.buffers[id];
    if (b.view_of.valid()) continue;
    const int32_t region = abi_region(b.region);
    if (region >= 0) {
      DLCC_CHECK(b.offset >= 0, "buffer '" + b.name + "' has no place in its region");
      int64_t& size = region_bytes[static_cast<size_t>(region)];
      size = std::max(size, round_up(b.offset + byte_count(b.type), 64));
    }
    const int32_t kind = tensor_kind(b);
    if (kind == 0) continue;
    auto [at, fresh] = tensor_index.try_emplace(tensor_name(b), static_cast<int32_t>(tensors.size()));
    if (fresh) {
      tensors.push_back({id, kind, b.region == Region::input || b.region == Region::output ? -1 : region});
    } else { // several entries may name one tensor
      const Buffer& first = program.buffers[tensors[static_cast<size_t>(at->second)].buffer];
      DLCC_CHECK(first.type == b.type && first.region == b.region, "two tensors named '" + b.name + "'");
    }
  }
  int64_t spill = 0;
  for (size_t i = 0; i < program.entries.size(); ++i) {
    int64_t outputs = 0;
    for (BufferId b : program.entries[i].outputs) outputs += round_up(byte_count(program.buffers[b].type), 64);
    spill = std::max(spill, outputs);
    arena_bytes = std::max(arena_bytes, program.entries[i].arena_bytes);
    for_each_call(program.entries[i], [&](const Call& call) { used[call.kernel] = true; });
  }
  int64_t& work = region_bytes[DLCC_REG_WORK];
  fault_offset = round_up(std::max(work, arena_bytes), 64);
  spill_offset = fault_offset + round_up(sizeof(FaultState), 64);
  work = spill_offset + spill;
}

std::string ModulePlan::kernel_symbol(KernelId k) const {
  return "dlcc.k" + std::to_string(k.index) + "." + program.kernels[k].name;
}

int32_t ModulePlan::index_of(BufferId b) const {
  const std::string name = tensor_name(program.buffers[program.storage(b)]);
  auto at = tensor_index.find(name);
  DLCC_CHECK(at != tensor_index.end(), "'" + name + "' is no tensor of the module");
  return at->second;
}

} // namespace dlcc::codegen
