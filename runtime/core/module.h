// module.h: a loaded module: the compiler's tables after they were checked, and the library that holds them.
#pragma once
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "runtime/abi.h"

namespace dlcc::runtime {

// Bytes of one element of a DLCC_F32... type; 0 for a number that is none.
uint64_t dtype_bytes(int32_t dtype);
const char* dtype_name(int32_t dtype);

/// The highest DLCC_FN_.
constexpr int last_entry_kind = DLCC_FN_LEARNING_RATE;

class Module {
public:
  // Checks everything in the tables. `library` is a dlopen handle that the module takes over (null: none), also when it
  // throws. `origin` names the module in messages. Throws Error: DLCC_E_ABI, DLCC_E_CORRUPT, DLCC_E_CPU.
  Module(const dlcc_module_v1* info, void* library, std::string_view origin);
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  const dlcc_module_v1& info() const { return *info_; }
  const dlcc_tensor_desc& tensor(int32_t i) const { return info_->tensors[i]; }
  // Null if the module has no entry of this kind.
  const dlcc_entry_v1* entry(int kind) const { return entries_[static_cast<size_t>(kind)]; }
  // Index of a tensor or hyper-parameter by name, -1 if there is none. The "param/" of a parameter may be left out.
  int32_t find_tensor(std::string_view name) const noexcept;
  int32_t find_hyper(std::string_view name) const;
  // Compiled batches per update, at least 1.
  uint64_t accumulate_steps() const { return accumulate_steps_; }
  uint64_t region_bytes(uint32_t region) const { return region < info_->n_regions ? info_->region_bytes[region] : 0; }

private:
  void check_header(const char* origin) const;
  void check_tensor(int32_t i, const char* origin);
  void check_entry(const dlcc_entry_v1& entry, const char* origin);
  void check_hyper(const char* origin);

  struct Unload {
    void operator()(void* library) const noexcept;
  };
  std::unique_ptr<void, Unload> library_;
  const dlcc_module_v1* info_;
  std::array<const dlcc_entry_v1*, last_entry_kind + 1> entries_{};
  std::unordered_map<std::string_view, int32_t> tensors_, parameters_; // the latter without their "param/"
  uint64_t accumulate_steps_ = 1;
};

// Reads, verifies and loads a compiled step; see dlcc_module_open.
std::shared_ptr<const Module> open_module(const char* path);

} // namespace dlcc::runtime
