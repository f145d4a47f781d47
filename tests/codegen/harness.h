// Compiles a program of the loop IR and runs its entries on memory that ends at a guard page.
#pragma once

#include "codegen/link/jit.h"
#include "ir/base/tensor.h"
#include "ir/loops/program.h"

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace dlcc::codegen {

/// Bytes whose last one is followed by a page that may not be touched.
class GuardedMemory {
public:
  explicit GuardedMemory(size_t bytes, size_t alignment = 1);
  GuardedMemory(GuardedMemory&& o) noexcept : map_(o.map_), mapped_(o.mapped_), data_(o.data_) { o.map_ = nullptr; }
  ~GuardedMemory();
  void* data() const { return data_; }

private:
  void* map_;
  size_t mapped_;
  std::byte* data_;
};

struct CallOptions {
  int threads = 1;
  int64_t n_valid = 0;
  uint64_t seed = 1, batch = 0, update = 0;
  std::vector<double> hyper;
};

/// A kernel `(parameters) tasks P { ... }` as a planned program: `in` parameters are inputs, `out` ones outputs,
/// `inout` ones state, and i64[] parameters named n_valid, seed, batch or update come from the call. The entry is
/// predict; with `parallel` its call runs in a region of threads.
loops::Program program_of(const std::string& parameters, const std::string& rest, bool parallel = false);

enum class Form { jit, linked };

/// Tensors by the names of their buffers, in the types of the program.
using Tensors = std::map<std::string, Tensor>;

class CompiledProgram {
public:
  explicit CompiledProgram(const loops::Program& program, const std::string& target = "native", Form form = Form::jit);
  CompiledProgram(const CompiledProgram&) = delete;
  CompiledProgram& operator=(const CompiledProgram&) = delete;
  ~CompiledProgram();

  /// Inputs and state are read from `tensors`, outputs and state written there. Returns the entry's status;
  /// fails the test if something was written behind the working memory.
  int32_t run(const std::string& entry, Tensors& tensors, const CallOptions& options = {});
  const dlcc_module_v1& module() const { return *module_; }
  dlcc_fault fault = {};

private:
  std::unique_ptr<JitModule> jit_;
  void* library_ = nullptr;
  const dlcc_module_v1* module_ = nullptr;
};

/// The bits of every element, for exact comparison.
std::vector<uint64_t> bits_of(const Tensor& t);

/// Reproducible numbers in [-1, 1], rounded to the type; integers in [0, below).
Tensor random_tensor(Type type, uint32_t seed, int64_t below = 10);

} // namespace dlcc::codegen
