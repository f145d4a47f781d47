#include "codegen/link/object.h"

#include "codegen/link/optimize.h"
#include "ir/base/diagnostics.h"

#include <llvm/Bitcode/BitcodeWriter.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <numeric>
#include <system_error>
#include <thread>

namespace dlcc::codegen {

namespace {
void generate(CodeUnit& unit, llvm::TargetMachine& machine, llvm::raw_pwrite_stream& out, llvm::CodeGenFileType type) {
  optimize(*unit.module, machine);
  llvm::legacy::PassManager passes;
  bool cannot = machine.addPassesToEmitFile(passes, out, nullptr, type);
  DLCC_CHECK(!cannot, "LLVM cannot write this kind of file");
  passes.run(*unit.module);
}
} // namespace

std::vector<ObjectCode> compile(std::vector<CodeUnit> units, const Target& target, int threads) {
  std::vector<ObjectCode> objects(units.size());
  std::vector<std::exception_ptr> failures(units.size());
  // The longest first, so that none is left over for one thread.
  std::vector<size_t> order(units.size()), sizes;
  std::iota(order.begin(), order.end(), size_t{0});
  for (const CodeUnit& u : units) sizes.push_back(u.module->getInstructionCount());
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return sizes[a] > sizes[b]; });
  std::atomic<size_t> next = 0;
  auto work = [&] {
    auto machine = make_target_machine(target);
    for (size_t n; (n = next++) < units.size();) {
      const size_t i = order[n];
      try {
        llvm::raw_svector_ostream out(objects[i]);
        generate(units[i], *machine, out, llvm::CodeGenFileType::ObjectFile);
      } catch (...) {
        failures[i] = std::current_exception();
      }
    }
  };
  std::vector<std::thread> helpers;
  try {
    for (int i = 1; i < std::min<int>(threads, static_cast<int>(units.size())); ++i) helpers.emplace_back(work);
  } catch (const std::system_error&) { // no more threads may start: those that did, and this one, do all the work
  }
  work();
  for (std::thread& t : helpers) t.join();
  for (const std::exception_ptr& e : failures)
    if (e) std::rethrow_exception(e);
  return objects;
}

std::string llvm_text(const CodeUnit& unit) {
  std::string text;
  llvm::raw_string_ostream out(text);
  unit.module->print(out, nullptr);
  return text;
}

std::string bitcode(const CodeUnit& unit) {
  std::string bytes;
  llvm::raw_string_ostream out(bytes);
  llvm::WriteBitcodeToFile(*unit.module, out);
  out.flush();
  return bytes;
}

std::string assembly(CodeUnit& unit, const Target& target) {
  llvm::SmallVector<char, 0> text;
  llvm::raw_svector_ostream out(text);
  generate(unit, *make_target_machine(target), out, llvm::CodeGenFileType::AssemblyFile);
  return std::string(text.begin(), text.end());
}

} // namespace dlcc::codegen
