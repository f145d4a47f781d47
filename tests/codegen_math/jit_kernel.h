/// Compiles one emitted function into a loop over arrays, for a chosen vector width and CPU, through LLVM's ORC JIT.
#pragma once

#include <cstdint>
#include <functional>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/IR/IRBuilder.h>
#include <memory>
#include <string>
#include <vector>

namespace dlcc::codegen::test {

enum class Cpu { avx2, avx512 };
enum class Element { f32, f64, i32 };

/// Takes and returns one value per array.
using Emitter =
    std::function<std::vector<llvm::Value*>(llvm::IRBuilderBase& b, const std::vector<llvm::Value*>& arguments)>;

struct KernelSpec {
  Element element;
  unsigned lanes; ///< 1 = scalar
  Cpu cpu;
  unsigned inputs, outputs;
  bool fast_flags = false; ///< the builder carries every fast-math flag when the emitter is called
};

/// True where this machine can run code for `cpu`.
bool can_run(Cpu cpu);

/// A function f(in, out, n) over arrays; n is a multiple of the number of lanes.
class Kernel {
public:
  Kernel(const KernelSpec& spec, const Emitter& emit);
  void operator()(const std::vector<const void*>& in, const std::vector<void*>& out, size_t n) const;
  /// The IR as emitted, before any optimisation.
  const std::string& ir() const { return ir_text; }

private:
  std::unique_ptr<llvm::orc::LLJIT> jit;
  void (*run)(const void* const*, void* const*, int64_t) = nullptr;
  std::string ir_text;
};

} // namespace dlcc::codegen::test
