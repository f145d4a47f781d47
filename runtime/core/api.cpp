// The C functions: handles are checked, exceptions become statuses, a session admits one caller at a time.
#include <atomic>
#include <cstring>
#include <mutex>

#include "runtime/core/checkpoint.h"
#include "runtime/core/error.h"
#include "runtime/core/session.h"

using dlcc::runtime::Error;
using dlcc::runtime::fail;
using dlcc::runtime::guarded;
using dlcc::runtime::Module;
using dlcc::runtime::Session;

// Memory of handles is recycled, never freed, so that the magic word of a closed handle can be read: closing twice and
// most uses after closing are caught.
struct dlcc_module {
  std::atomic<uint64_t> magic{0};
  std::shared_ptr<const Module> impl;
  dlcc_module* next = nullptr;
  static constexpr uint64_t open_magic = 0x656c75646f6d4c44;
};

struct dlcc_session {
  std::atomic<uint64_t> magic{0};
  std::unique_ptr<Session> impl;
  dlcc_session* next = nullptr;
  static constexpr uint64_t open_magic = 0x6e6f69737365734c;
};

namespace {

template <class Handle> class HandlePool {
public:
  template <class Impl> Handle* open(Impl&& impl) {
    Handle* h = take();
    h->impl = std::forward<Impl>(impl);
    h->magic.store(Handle::open_magic, std::memory_order_release);
    return h;
  }
  // False if the handle was not open.
  bool close(Handle* h) {
    uint64_t expected = Handle::open_magic;
    if (!h || !h->magic.compare_exchange_strong(expected, 0)) return false;
    h->impl.reset();
    std::lock_guard lock(mutex_);
    h->next = free_;
    free_ = h;
    return true;
  }
  // Lives until the process ends, whatever is still open then.
  static HandlePool& get() {
    static auto* pool = new HandlePool;
    return *pool;
  }

private:
  Handle* take() {
    std::lock_guard lock(mutex_);
    if (!free_) return new Handle;
    Handle* h = free_;
    free_ = h->next;
    return h;
  }
  std::mutex mutex_;
  Handle* free_ = nullptr;
};

template <class Handle> bool is_open(const Handle* h) {
  return h && h->magic.load(std::memory_order_acquire) == Handle::open_magic;
}

void require(const void* argument, const char* name) {
  if (!argument) fail(DLCC_E_ARG, "%s is null", name);
}

Session& checked(const dlcc_session* s) {
  require(s, "session");
  if (!is_open(s)) fail(DLCC_E_ARG, "session is not open (destroyed?)");
  return *s->impl;
}

class Exclusive {
public:
  explicit Exclusive(Session& s) : session_(s) {
    if (s.busy.exchange(true, std::memory_order_acquire)) fail(DLCC_E_BUSY, "the session is in use by another call");
  }
  ~Exclusive() { session_.busy.store(false, std::memory_order_release); }
  Exclusive(const Exclusive&) = delete;
  Exclusive& operator=(const Exclusive&) = delete;

private:
  Session& session_;
};

// Runs `body(Session&)` as the only user of the session.
template <class Body> dlcc_status with(const dlcc_session* s, dlcc_error* err, Body&& body) {
  return guarded(err, [&] {
    Session& session = checked(s);
    Exclusive exclusive(session);
    body(session);
  });
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
    *out = HandlePool<dlcc_module>::get().open(dlcc::runtime::open_module(path));
  });
}

dlcc_status dlcc_module_wrap(const dlcc_module_v1* info, dlcc_module** out, dlcc_error* err) {
  return dlcc_module_wrap_owned(
      info, [](void*) {}, nullptr, out, err);
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
    *out = HandlePool<dlcc_module>::get().open(std::shared_ptr<const Module>(both, both->module.get()));
  });
}

void dlcc_module_close(dlcc_module* module) { HandlePool<dlcc_module>::get().close(module); }

const dlcc_module_v1* dlcc_module_info(const dlcc_module* module) {
  return is_open(module) ? &module->impl->info() : nullptr;
}

int32_t dlcc_module_find(const dlcc_module* module, const char* tensor_name) {
  if (!is_open(module) || !tensor_name) return DLCC_E_ARG;
  int32_t i = module->impl->find_tensor(tensor_name);
  return i < 0 ? DLCC_E_NOTFOUND : i;
}

dlcc_status dlcc_session_create(dlcc_module* module, const dlcc_session_options* options, dlcc_session** out,
                                dlcc_error* err) {
  return guarded(err, [&] {
    require(out, "out");
    *out = nullptr;
    require(module, "module");
    if (!is_open(module)) fail(DLCC_E_ARG, "module is not open (closed?)");
    dlcc_session_options defaults{};
    defaults.struct_size = sizeof defaults;
    *out = HandlePool<dlcc_session>::get().open(std::make_unique<Session>(module->impl, options ? *options : defaults));
  });
}

void dlcc_session_destroy(dlcc_session* session) {
  // A call that is under way, perhaps the one whose callback asks for this, still needs the session.
  if (is_open(session) && session->impl->busy.exchange(true, std::memory_order_acquire)) return;
  HandlePool<dlcc_session>::get().close(session);
}

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

dlcc_status dlcc_metrics_reset(dlcc_session* session, dlcc_error* err) {
  return with(session, err, [&](Session& s) { s.metrics_reset(); });
}

dlcc_status dlcc_metrics_result(dlcc_session* session, double* values, int n, dlcc_error* err) {
  return with(session, err, [&](Session& s) { s.metrics_result(values, n); });
}

uint64_t dlcc_batches(const dlcc_session* session) { return is_open(session) ? session->impl->batches() : 0; }
uint64_t dlcc_updates(const dlcc_session* session) { return is_open(session) ? session->impl->updates() : 0; }

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
    if (found->size() >= size)
      fail(DLCC_E_ARG, "size is %llu, '%s' needs %zu bytes", 0ULL + size, dlcc::runtime::escape(key).c_str(),
           found->size() + 1);
    std::memcpy(value, found->c_str(), found->size() + 1);
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
