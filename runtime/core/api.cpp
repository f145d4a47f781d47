// The C functions: handles are checked, exceptions become statuses, a session admits one caller at a time.
#include <cstring>

#include "runtime/core/checkpoint.h"
#include "runtime/core/error.h"
#include "runtime/core/handles.h"
#include "runtime/core/session.h"

using dlcc::runtime::Error;
using dlcc::runtime::fail;
using dlcc::runtime::guarded;
using dlcc::runtime::Module;
using dlcc::runtime::Session;

namespace {

using Modules = dlcc::runtime::HandleTable<dlcc_module, std::shared_ptr<const Module>>;
using Sessions = dlcc::runtime::HandleTable<dlcc_session, std::unique_ptr<Session>>;

void require(const void* argument, const char* name) {
  if (!argument) fail(DLCC_E_ARG, "%s is null", name);
}

// Null if the handle is not open.
std::shared_ptr<const Module> module_of(const dlcc_module* handle) {
  std::shared_ptr<const Module> module;
  Modules::get().look_at(handle, [&](const auto& object) { module = object; });
  return module;
}

class Exclusive {
public:
  explicit Exclusive(const dlcc_session* s) : handle_(s) {
    require(s, "session");
    const auto entry = Sessions::get().enter(s);
    if (entry == Sessions::Entry::closed) fail(DLCC_E_ARG, "session is not open (destroyed?)");
    if (entry == Sessions::Entry::busy) fail(DLCC_E_BUSY, "the session is in use by another call");
  }
  ~Exclusive() { Sessions::get().leave(handle_); }
  Exclusive(const Exclusive&) = delete;
  Exclusive& operator=(const Exclusive&) = delete;
  Session& session() const { return Sessions::get().entered(handle_); }

private:
  const dlcc_session* handle_;
};

// Runs `body(Session&)` as the only user of the session.
template <class Body> dlcc_status with(const dlcc_session* s, dlcc_error* err, Body&& body) {
  return guarded(err, [&] {
    const Exclusive exclusive(s);
    body(exclusive.session());
  });
}

// Copies a text to a caller's buffer.
void copy_text(const std::string& text, const char* what, char* to, uint64_t size) {
  if (text.size() >= size)
    fail(DLCC_E_ARG, "size is %llu, '%s' needs %zu bytes", 0ULL + size, dlcc::runtime::escape(what).c_str(),
         text.size() + 1);
  std::memcpy(to, text.c_str(), text.size() + 1);
}

dlcc_status run_step(int kind, dlcc_session* s, const dlcc_view* in, int n_in, dlcc_view* out, int n_out,
                     int64_t n_valid, dlcc_error* err) {
  return with(s, err, [&](Session& session) { session.step(kind, in, n_in, out, n_out, n_valid); });
}

} // namespace

extern "C" {

uint32_t dlcc_runtime_version(void) { return DLCC_VERSION_NUMBER; }

const char* dlcc_status_name(dlcc_status status) {
  static constexpr const char* names[] = {
      "DLCC_OK",          "DLCC_E_ARG",  "DLCC_E_NOTFOUND",    "DLCC_E_SHAPE",    "DLCC_E_DTYPE", "DLCC_E_ABI",
      "DLCC_E_CPU",       "DLCC_E_IO",   "DLCC_E_CORRUPT",     "DLCC_E_MISMATCH", "DLCC_E_NOMEM", "DLCC_E_BUSY",
      "DLCC_E_NONFINITE", "DLCC_E_COMM", "DLCC_E_UNSUPPORTED", "DLCC_E_INTERNAL", "DLCC_E_STATE", "DLCC_E_TRUST"};
  return status <= DLCC_OK && status >= DLCC_E_TRUST ? names[-status] : "unknown status";
}

dlcc_status dlcc_module_open(const char* path, dlcc_module** out, dlcc_error* err) {
  return guarded(err, [&] {
    require(out, "out");
    *out = nullptr;
    *out = Modules::get().open(dlcc::runtime::open_module(path));
  });
}

dlcc_status dlcc_module_wrap(const dlcc_module_v1* info, dlcc_module** out, dlcc_error* err) {
  return dlcc_module_wrap_owned(info, [](void*) {}, nullptr, out, err);
}

dlcc_status dlcc_module_wrap_owned(const dlcc_module_v1* info, void (*release)(void*), void* owner, dlcc_module** out,
                                   dlcc_error* err) {
  return guarded(err, [&] {
    if (!release) fail(DLCC_E_ARG, "release is null");
    std::shared_ptr<void> owned(owner, release);
    require(out, "out");
    *out = nullptr;
    require(info, "info");
    const char* name = info->magic == DLCC_MODULE_MAGIC && info->name ? info->name : "module";
    auto module = std::make_shared<const Module>(info, nullptr, name);
    // The tables outlive the module: both are released together, the module first.
    struct Both {
      std::shared_ptr<void> tables;
      std::shared_ptr<const Module> module;
    };
    auto both = std::make_shared<Both>(Both{std::move(owned), std::move(module)});
    *out = Modules::get().open(std::shared_ptr<const Module>(both, both->module.get()));
  });
}

void dlcc_module_close(dlcc_module* module) { Modules::get().close(module); }

const dlcc_module_v1* dlcc_module_info(const dlcc_module* module) {
  const auto open = module_of(module);
  return open ? &open->info() : nullptr;
}

int32_t dlcc_module_find(const dlcc_module* module, const char* tensor_name) {
  const auto open = module_of(module);
  if (!open || !tensor_name) return DLCC_E_ARG;
  int32_t i = open->find_tensor(tensor_name);
  return i < 0 ? DLCC_E_NOTFOUND : i;
}

dlcc_status dlcc_session_create(dlcc_module* module, const dlcc_session_options* options, dlcc_session** out,
                                dlcc_error* err) {
  return guarded(err, [&] {
    require(out, "out");
    *out = nullptr;
    require(module, "module");
    auto open = module_of(module);
    if (!open) fail(DLCC_E_ARG, "module is not open (closed?)");
    dlcc_session_options defaults{};
    defaults.struct_size = sizeof defaults;
    *out = Sessions::get().open(std::make_unique<Session>(std::move(open), options ? *options : defaults));
  });
}

// Not while a call is under way, perhaps the one whose callback asks for this: it still needs the session.
void dlcc_session_destroy(dlcc_session* session) { Sessions::get().close(session); }

dlcc_status dlcc_init(dlcc_session* session, uint64_t seed, dlcc_error* err) {
  return with(session, err, [&](Session& s) { s.init(seed); });
}

dlcc_status dlcc_train_step(dlcc_session* session, const dlcc_view* in, int n_in, dlcc_view* out, int n_out,
                            int64_t n_valid, dlcc_error* err) {
  return run_step(DLCC_FN_TRAIN, session, in, n_in, out, n_out, n_valid, err);
}

dlcc_status dlcc_eval_step(dlcc_session* session, const dlcc_view* in, int n_in, dlcc_view* out, int n_out,
                           int64_t n_valid, dlcc_error* err) {
  return run_step(DLCC_FN_EVAL, session, in, n_in, out, n_out, n_valid, err);
}

dlcc_status dlcc_predict(dlcc_session* session, const dlcc_view* in, int n_in, dlcc_view* out, int n_out,
                         int64_t n_valid, dlcc_error* err) {
  return run_step(DLCC_FN_PREDICT, session, in, n_in, out, n_out, n_valid, err);
}

dlcc_status dlcc_compute_gradients(dlcc_session* session, const dlcc_view* in, int n_in, dlcc_view* out, int n_out,
                                   int64_t n_valid, dlcc_error* err) {
  return run_step(DLCC_FN_GRAD, session, in, n_in, out, n_out, n_valid, err);
}

dlcc_status dlcc_apply_gradients(dlcc_session* session, dlcc_error* err) {
  return with(session, err, [&](Session& s) { s.apply_gradients(); });
}

dlcc_status dlcc_set_hyper(dlcc_session* session, const char* name, double v, dlcc_error* err) {
  return with(session, err, [&](Session& s) {
    require(name, "name");
    s.set_hyper(name, v);
  });
}

dlcc_status dlcc_get_hyper(const dlcc_session* session, const char* name, double* v, dlcc_error* err) {
  return with(session, err, [&](Session& s) {
    require(name, "name");
    require(v, "v");
    *v = s.hyper(name);
  });
}

dlcc_status dlcc_tensor_read(dlcc_session* session, const char* name, dlcc_view* out, dlcc_error* err) {
  return with(session, err, [&](Session& s) {
    require(name, "name");
    require(out, "out");
    s.read_tensor(name, *out);
  });
}

dlcc_status dlcc_tensor_write(dlcc_session* session, const char* name, const dlcc_view* in, dlcc_error* err) {
  return with(session, err, [&](Session& s) {
    require(name, "name");
    require(in, "in");
    s.write_tensor(name, *in);
  });
}

dlcc_status dlcc_attachment_set(dlcc_session* session, const char* name, const dlcc_view* value, dlcc_error* err) {
  return with(session, err, [&](Session& s) {
    require(name, "name");
    s.set_attachment(name, value);
  });
}

dlcc_status dlcc_attachment_get(const dlcc_session* session, const char* name, dlcc_view* out, dlcc_error* err) {
  return with(session, err, [&](Session& s) {
    require(name, "name");
    require(out, "out");
    *out = s.attachment(name).view();
  });
}

dlcc_status dlcc_check_finite(dlcc_session* session, dlcc_error* err) {
  return with(session, err, [&](Session& s) { s.check_finite(); });
}

dlcc_status dlcc_transform_apply(dlcc_session* session, const char* tensor, const dlcc_view* in, dlcc_view* out,
                                 dlcc_error* err) {
  return with(session, err, [&](Session& s) {
    require(tensor, "tensor");
    require(in, "in");
    require(out, "out");
    s.apply_transform(tensor, *in, *out);
  });
}

dlcc_status dlcc_transform_undo(dlcc_session* session, const char* tensor, const dlcc_view* in, dlcc_view* out,
                                dlcc_error* err) {
  return with(session, err, [&](Session& s) {
    require(tensor, "tensor");
    require(in, "in");
    require(out, "out");
    s.undo_transform(tensor, *in, *out);
  });
}

dlcc_status dlcc_transform_cells(dlcc_session* session, const char* tensor, const char* const* names, int n_columns,
                                 const char* const* cells, int64_t n_rows, dlcc_view* out, dlcc_error* err) {
  return with(session, err, [&](Session& s) {
    require(tensor, "tensor");
    require(names, "names");
    require(cells, "cells");
    require(out, "out");
    s.transform_cells(tensor, names, n_columns, cells, n_rows, *out);
  });
}

dlcc_status dlcc_class_name(dlcc_session* session, const char* label, int64_t number, char* name, uint64_t size,
                            dlcc_error* err) {
  return with(session, err, [&](Session& s) {
    require(label, "label");
    if (size > 0) require(name, "name");
    if (size > 0) name[0] = '\0';
    copy_text(s.class_name(label, number), label, name, size);
  });
}

dlcc_status dlcc_learning_rate(dlcc_session* session, double* rate, dlcc_error* err) {
  return with(session, err, [&](Session& s) {
    require(rate, "rate");
    *rate = s.learning_rate();
  });
}

dlcc_status dlcc_metrics_reset(dlcc_session* session, dlcc_error* err) {
  return with(session, err, [&](Session& s) { s.metrics_reset(); });
}

dlcc_status dlcc_metrics_result(dlcc_session* session, double* values, int n, dlcc_error* err) {
  return with(session, err, [&](Session& s) { s.metrics_result(values, n); });
}

// Also while another call uses the session.
uint64_t dlcc_batches(const dlcc_session* session) {
  uint64_t batches = 0;
  Sessions::get().look_at(session, [&](const auto& s) { batches = s->batches(); });
  return batches;
}

uint64_t dlcc_updates(const dlcc_session* session) {
  uint64_t updates = 0;
  Sessions::get().look_at(session, [&](const auto& s) { updates = s->updates(); });
  return updates;
}

dlcc_status dlcc_checkpoint_meta_set(dlcc_session* session, const char* key, const char* value, dlcc_error* err) {
  return with(session, err, [&](Session& s) {
    require(key, "key");
    require(value, "value");
    s.set_meta(key, value);
  });
}

dlcc_status dlcc_checkpoint_meta_get(dlcc_session* session, const char* key, char* value, uint64_t size,
                                     dlcc_error* err) {
  return with(session, err, [&](Session& s) {
    require(key, "key");
    if (size > 0) require(value, "value");
    if (size > 0) value[0] = '\0';
    const std::string* found = s.meta(key);
    if (!found) fail(DLCC_E_NOTFOUND, "no metadata '%s'", dlcc::runtime::escape(key).c_str());
    copy_text(*found, key, value, size);
  });
}

dlcc_status dlcc_checkpoint_save(dlcc_session* session, const char* path, uint32_t flags, dlcc_error* err) {
  return with(session, err, [&](Session& s) {
    require(path, "path");
    s.save(path, flags);
  });
}

dlcc_status dlcc_checkpoint_load(dlcc_session* session, const char* path, uint32_t flags, dlcc_error* err) {
  return with(session, err, [&](Session& s) {
    require(path, "path");
    s.load(path, flags);
  });
}

} // extern "C"
