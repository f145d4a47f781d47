// runtime.hpp: a header-only C++17 wrapper of the C interface; handles close themselves, failures throw dlcc::error.
#ifndef DLCC_RUNTIME_HPP
#define DLCC_RUNTIME_HPP

#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <type_traits>
#include <vector>

#include "runtime/core/dlcc_runtime.h"

namespace dlcc {

class error : public std::exception {
public:
  explicit error(const dlcc_error& e) : error_(e) {}
  dlcc_status status() const noexcept { return error_.code; }
  const char* what() const noexcept override { return error_.message; }

private:
  dlcc_error error_;
};

namespace detail {
// check([&](dlcc_error* e) { return dlcc_...(..., e); })
template <class Call> void check(Call&& call) {
  dlcc_error e{};
  if (call(&e) != DLCC_OK) throw error(e);
}

template <class T> constexpr int32_t dtype_of() {
  using U = std::remove_const_t<T>;
  static_assert(std::is_arithmetic_v<U>, "a view of plain numbers");
  if constexpr (std::is_same_v<U, float>)
    return DLCC_F32;
  else if constexpr (std::is_same_v<U, double>)
    return DLCC_F64;
  else if constexpr (std::is_same_v<U, bool>)
    return DLCC_BOOL;
  else if constexpr (std::is_same_v<U, std::int8_t>)
    return DLCC_I8;
  else if constexpr (std::is_same_v<U, std::uint8_t>)
    return DLCC_U8;
  else if constexpr (std::is_same_v<U, std::int32_t>)
    return DLCC_I32;
  else {
    static_assert(std::is_same_v<U, std::int64_t>, "no dlcc type is like this one");
    return DLCC_I64;
  }
}
} // namespace detail

// A dense row-major tensor of the caller's memory, with its own copy of the extents (rank 8 at most).
class tensor_view {
public:
  // Throws std::bad_array_new_length for more than 8 dimensions.
  template <class T> tensor_view(T* data, const std::vector<std::int64_t>& dims) : dtype_(detail::dtype_of<T>()) {
    if (dims.size() > 8) throw std::bad_array_new_length();
    data_ = const_cast<void*>(static_cast<const void*>(data));
    rank_ = static_cast<std::int32_t>(dims.size());
    bytes_ = sizeof(T);
    for (std::size_t d = 0; d < dims.size(); ++d) {
      dims_[d] = dims[d];
      bytes_ *= static_cast<std::uint64_t>(dims[d]);
    }
  }
  // A scalar.
  template <class T> explicit tensor_view(T& scalar) : tensor_view(&scalar, std::vector<std::int64_t>{}) {}

  // Valid while this object lives and is not moved.
  dlcc_view get() const { return {data_, dtype_, rank_, dims_, bytes_, {0, 0}}; }

private:
  void* data_ = nullptr;
  std::int32_t dtype_ = 0, rank_ = 0;
  std::int64_t dims_[8] = {};
  std::uint64_t bytes_ = 0;
};

using views = std::vector<tensor_view>;

class compiled_step {
public:
  static compiled_step open(const std::string& path) {
    compiled_step m;
    detail::check([&](dlcc_error* e) {
      dlcc_module* raw = nullptr;
      dlcc_status status = dlcc_module_open(path.c_str(), &raw, e);
      m.handle_.reset(raw);
      return status;
    });
    return m;
  }
  // `info` must outlive the module and its sessions.
  static compiled_step wrap(const dlcc_module_v1* info) {
    compiled_step m;
    detail::check([&](dlcc_error* e) {
      dlcc_module* raw = nullptr;
      dlcc_status status = dlcc_module_wrap(info, &raw, e);
      m.handle_.reset(raw);
      return status;
    });
    return m;
  }
  // Owns a handle of the C interface, such as dlcc_compile_file returns.
  static compiled_step adopt(dlcc_module* module) {
    compiled_step m;
    m.handle_.reset(module);
    return m;
  }
  const dlcc_module_v1& info() const { return *dlcc_module_info(handle_.get()); }
  // Null if there is no tensor of this name.
  const dlcc_tensor_desc* find(const std::string& tensor) const {
    std::int32_t i = dlcc_module_find(handle_.get(), tensor.c_str());
    return i < 0 ? nullptr : &info().tensors[i];
  }
  dlcc_module* get() const { return handle_.get(); }

private:
  struct close {
    void operator()(dlcc_module* m) const noexcept { dlcc_module_close(m); }
  };
  std::unique_ptr<dlcc_module, close> handle_;
};

class session {
public:
  // `threads` 0: as many CPUs as the process may use, at most 16.
  explicit session(const compiled_step& m, int threads = 0, const dlcc_host_v1* host = nullptr) {
    dlcc_session_options o{};
    o.struct_size = sizeof o;
    o.num_threads = threads;
    o.host = host;
    create(m, o);
  }
  session(const compiled_step& m, const dlcc_session_options& options) { create(m, options); }

  void init(std::uint64_t seed) {
    detail::check([&](dlcc_error* e) { return dlcc_init(get(), seed, e); });
  }
  void train_step(const views& in, const views& out, std::int64_t n_valid) { step(dlcc_train_step, in, out, n_valid); }
  void eval_step(const views& in, const views& out, std::int64_t n_valid) { step(dlcc_eval_step, in, out, n_valid); }
  void predict(const views& in, const views& out, std::int64_t n_valid) { step(dlcc_predict, in, out, n_valid); }
  void compute_gradients(const views& in, const views& out, std::int64_t n_valid) {
    step(dlcc_compute_gradients, in, out, n_valid);
  }
  void apply_gradients() {
    detail::check([&](dlcc_error* e) { return dlcc_apply_gradients(get(), e); });
  }

  void set_hyper(const std::string& name, double value) {
    detail::check([&](dlcc_error* e) { return dlcc_set_hyper(get(), name.c_str(), value, e); });
  }
  double hyper(const std::string& name) const {
    double value = 0;
    detail::check([&](dlcc_error* e) { return dlcc_get_hyper(get(), name.c_str(), &value, e); });
    return value;
  }
  double learning_rate() {
    double rate = 0;
    detail::check([&](dlcc_error* e) { return dlcc_learning_rate(get(), &rate, e); });
    return rate;
  }
  void read(const std::string& tensor, const tensor_view& to) {
    dlcc_view v = to.get();
    detail::check([&](dlcc_error* e) { return dlcc_tensor_read(get(), tensor.c_str(), &v, e); });
  }
  void write(const std::string& tensor, const tensor_view& from) {
    dlcc_view v = from.get();
    detail::check([&](dlcc_error* e) { return dlcc_tensor_write(get(), tensor.c_str(), &v, e); });
  }

  void check_finite() {
    detail::check([&](dlcc_error* e) { return dlcc_check_finite(get(), e); });
  }

  // What dlcc train fitted on its data, as the weights brought it.
  void transform_apply(const std::string& tensor, const tensor_view& in, const tensor_view& out) {
    dlcc_view from = in.get(), to = out.get();
    detail::check([&](dlcc_error* e) { return dlcc_transform_apply(get(), tensor.c_str(), &from, &to, e); });
  }
  void transform_undo(const std::string& tensor, const tensor_view& in, const tensor_view& out) {
    dlcc_view from = in.get(), to = out.get();
    detail::check([&](dlcc_error* e) { return dlcc_transform_undo(get(), tensor.c_str(), &from, &to, e); });
  }
  // Row by row, one cell a name; null is a missing one. Throws std::bad_array_new_length if a row is not whole.
  void transform_cells(const std::string& tensor, const std::vector<const char*>& names,
                       const std::vector<const char*>& cells, const tensor_view& out) {
    if (names.empty() || cells.size() % names.size() != 0) throw std::bad_array_new_length();
    dlcc_view to = out.get();
    detail::check([&](dlcc_error* e) {
      return dlcc_transform_cells(get(), tensor.c_str(), names.data(), static_cast<int>(names.size()), cells.data(),
                                  static_cast<std::int64_t>(cells.size() / names.size()), &to, e);
    });
  }
  std::string class_name(const std::string& label, std::int64_t number) {
    char name[1024];
    detail::check([&](dlcc_error* e) { return dlcc_class_name(get(), label.c_str(), number, name, sizeof name, e); });
    return name;
  }

  void metrics_reset() {
    detail::check([&](dlcc_error* e) { return dlcc_metrics_reset(get(), e); });
  }
  std::vector<double> metrics_result(int n) {
    std::vector<double> values(static_cast<std::size_t>(n));
    detail::check([&](dlcc_error* e) { return dlcc_metrics_result(get(), values.data(), n, e); });
    return values;
  }
  std::uint64_t batches() const { return dlcc_batches(get()); }
  std::uint64_t updates() const { return dlcc_updates(get()); }

  void set_meta(const std::string& key, const std::string& value) {
    detail::check([&](dlcc_error* e) { return dlcc_checkpoint_meta_set(get(), key.c_str(), value.c_str(), e); });
  }
  void save(const std::string& path, std::uint32_t flags = DLCC_SAVE_ALL) {
    detail::check([&](dlcc_error* e) { return dlcc_checkpoint_save(get(), path.c_str(), flags, e); });
  }
  void load(const std::string& path, std::uint32_t flags = DLCC_SAVE_ALL) {
    detail::check([&](dlcc_error* e) { return dlcc_checkpoint_load(get(), path.c_str(), flags, e); });
  }

  dlcc_session* get() const { return handle_.get(); }

private:
  void create(const compiled_step& m, const dlcc_session_options& options) {
    detail::check([&](dlcc_error* e) {
      dlcc_session* raw = nullptr;
      dlcc_status status = dlcc_session_create(m.get(), &options, &raw, e);
      handle_.reset(raw);
      return status;
    });
  }
  template <class Step> void step(Step function, const views& in, const views& out, std::int64_t n_valid) {
    in_.clear();
    out_.clear();
    for (const tensor_view& v : in) in_.push_back(v.get());
    for (const tensor_view& v : out) out_.push_back(v.get());
    detail::check([&](dlcc_error* e) {
      return function(get(), in_.data(), static_cast<int>(in_.size()), out_.data(), static_cast<int>(out_.size()),
                      n_valid, e);
    });
  }
  struct destroy {
    void operator()(dlcc_session* s) const noexcept { dlcc_session_destroy(s); }
  };
  std::unique_ptr<dlcc_session, destroy> handle_;
  std::vector<dlcc_view> in_, out_; // kept, so that a step allocates nothing after the first
};

} // namespace dlcc
#endif
