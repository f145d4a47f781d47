// Wrong use of the C interface: a status, one clear line, and an unchanged session.
#include "tests/runtime/fake_module.h"

#include <cmath>
#include <filesystem>
#include <limits>
#include <thread>
#include <unistd.h>

using namespace dlcc::test;

#define EXPECT_NULL(call, argument) EXPECT_FAILURE(call, DLCC_E_ARG, argument " is null")

// L1, with a session that would otherwise work.
TEST(Misuse, NullPointersAreArgumentErrors) {
  Handles h;
  h.open();
  dlcc_init(h.session, 1, nullptr);
  dlcc_session* s = h.session;
  dlcc_module* m = nullptr;
  dlcc_session* made = nullptr;
  Batch b;
  auto in = b.inputs(), out = b.outputs();
  double v = 0;
  char text[8];
  EXPECT_NULL(dlcc_module_open("x", nullptr, &err), "out");
  EXPECT_NULL(dlcc_module_wrap(nullptr, &m, &err), "info");
  EXPECT_NULL(dlcc_module_wrap(&h.fake.info, nullptr, &err), "out");
  int released = 0;
  void (*release)(void*) = [](void* owner) { ++*static_cast<int*>(owner); };
  EXPECT_NULL(dlcc_module_wrap_owned(nullptr, release, &released, &m, &err), "info");
  EXPECT_NULL(dlcc_module_wrap_owned(&h.fake.info, nullptr, &released, &m, &err), "release");
  EXPECT_NULL(dlcc_module_wrap_owned(&h.fake.info, release, &released, nullptr, &err), "out");
  EXPECT_EQ(released, 2) << "what could not be wrapped is released, if there is a way to";
  EXPECT_NULL(dlcc_session_create(nullptr, nullptr, &made, &err), "module");
  EXPECT_NULL(dlcc_session_create(h.module, nullptr, nullptr, &err), "out");
  EXPECT_NULL(dlcc_init(nullptr, 1, &err), "session");
  for (auto step : {dlcc_train_step, dlcc_eval_step, dlcc_compute_gradients}) {
    EXPECT_NULL(step(nullptr, in.data(), 3, out.data(), 3, 4, &err), "session");
    EXPECT_NULL(step(s, nullptr, 3, out.data(), 3, 4, &err), "in");
    EXPECT_NULL(step(s, in.data(), 3, nullptr, 3, 4, &err), "out");
  }
  EXPECT_NULL(dlcc_predict(nullptr, in.data(), 1, out.data(), 1, 4, &err), "session");
  EXPECT_NULL(dlcc_predict(s, nullptr, 1, out.data(), 1, 4, &err), "in");
  EXPECT_NULL(dlcc_predict(s, in.data(), 1, nullptr, 1, 4, &err), "out");
  EXPECT_NULL(dlcc_apply_gradients(nullptr, &err), "session");
  EXPECT_NULL(dlcc_set_hyper(nullptr, "decay", 1, &err), "session");
  EXPECT_NULL(dlcc_set_hyper(s, nullptr, 1, &err), "name");
  EXPECT_NULL(dlcc_get_hyper(nullptr, "decay", &v, &err), "session");
  EXPECT_NULL(dlcc_get_hyper(s, nullptr, &v, &err), "name");
  EXPECT_NULL(dlcc_get_hyper(s, "decay", nullptr, &err), "v");
  EXPECT_NULL(dlcc_tensor_read(nullptr, "x", in.data(), &err), "session");
  EXPECT_NULL(dlcc_tensor_read(s, nullptr, in.data(), &err), "name");
  EXPECT_NULL(dlcc_tensor_read(s, "x", nullptr, &err), "out");
  EXPECT_NULL(dlcc_tensor_write(nullptr, "x", in.data(), &err), "session");
  EXPECT_NULL(dlcc_tensor_write(s, nullptr, in.data(), &err), "name");
  EXPECT_NULL(dlcc_tensor_write(s, "x", nullptr, &err), "in");
  EXPECT_NULL(dlcc_attachment_set(nullptr, "data/x", nullptr, &err), "session");
  EXPECT_NULL(dlcc_attachment_set(s, nullptr, nullptr, &err), "name");
  EXPECT_NULL(dlcc_attachment_get(nullptr, "data/x", in.data(), &err), "session");
  EXPECT_NULL(dlcc_attachment_get(s, nullptr, in.data(), &err), "name");
  EXPECT_NULL(dlcc_attachment_get(s, "data/x", nullptr, &err), "out");
  EXPECT_NULL(dlcc_learning_rate(nullptr, &v, &err), "session");
  EXPECT_NULL(dlcc_learning_rate(s, nullptr, &err), "rate");
  EXPECT_NULL(dlcc_check_finite(nullptr, &err), "session");
  dlcc_view view = in[0];
  for (auto transform : {dlcc_transform_apply, dlcc_transform_undo}) {
    EXPECT_NULL(transform(nullptr, "x", &view, &view, &err), "session");
    EXPECT_NULL(transform(s, nullptr, &view, &view, &err), "tensor");
    EXPECT_NULL(transform(s, "x", nullptr, &view, &err), "in");
    EXPECT_NULL(transform(s, "x", &view, nullptr, &err), "out");
  }
  const char* cells[] = {"a"};
  EXPECT_NULL(dlcc_transform_cells(nullptr, "x", cells, 1, cells, 1, &view, &err), "session");
  EXPECT_NULL(dlcc_transform_cells(s, nullptr, cells, 1, cells, 1, &view, &err), "tensor");
  EXPECT_NULL(dlcc_transform_cells(s, "x", nullptr, 1, cells, 1, &view, &err), "names");
  EXPECT_NULL(dlcc_transform_cells(s, "x", cells, 1, nullptr, 1, &view, &err), "cells");
  EXPECT_NULL(dlcc_transform_cells(s, "x", cells, 1, cells, 1, nullptr, &err), "out");
  EXPECT_NULL(dlcc_class_name(nullptr, "y", 0, text, sizeof text, &err), "session");
  EXPECT_NULL(dlcc_class_name(s, nullptr, 0, text, sizeof text, &err), "label");
  EXPECT_NULL(dlcc_class_name(s, "y", 0, nullptr, 8, &err), "name");
  EXPECT_NULL(dlcc_metrics_reset(nullptr, &err), "session");
  EXPECT_NULL(dlcc_metrics_result(nullptr, &v, 1, &err), "session");
  EXPECT_NULL(dlcc_metrics_result(s, nullptr, 1, &err), "values");
  EXPECT_NULL(dlcc_checkpoint_meta_set(nullptr, "k", "", &err), "session");
  EXPECT_NULL(dlcc_checkpoint_meta_set(s, nullptr, "", &err), "key");
  EXPECT_NULL(dlcc_checkpoint_meta_set(s, "k", nullptr, &err), "value");
  EXPECT_NULL(dlcc_checkpoint_meta_get(nullptr, "k", text, sizeof text, &err), "session");
  EXPECT_NULL(dlcc_checkpoint_meta_get(s, nullptr, text, sizeof text, &err), "key");
  EXPECT_NULL(dlcc_checkpoint_meta_get(s, "k", nullptr, 8, &err), "value");
  EXPECT_NULL(dlcc_checkpoint_save(nullptr, "x", 0, &err), "session");
  EXPECT_NULL(dlcc_checkpoint_save(s, nullptr, 0, &err), "path");
  EXPECT_NULL(dlcc_checkpoint_load(nullptr, "x", 0, &err), "session");
  EXPECT_NULL(dlcc_checkpoint_load(s, nullptr, 0, &err), "path");
  EXPECT_EQ(dlcc_module_info(nullptr), nullptr);
  EXPECT_EQ(dlcc_module_find(nullptr, "x"), DLCC_E_ARG);
  EXPECT_EQ(dlcc_module_find(h.module, nullptr), DLCC_E_ARG);
  EXPECT_EQ(dlcc_batches(nullptr), 0u);
  EXPECT_EQ(dlcc_updates(nullptr), 0u);
  dlcc_module_close(nullptr);
  dlcc_session_destroy(nullptr);
  // Nothing above moved the session, and every function also works without an error struct.
  EXPECT_EQ(dlcc_batches(s), 0u);
  EXPECT_EQ(dlcc_train_step(s, nullptr, 3, nullptr, 0, 4, nullptr), DLCC_E_ARG);
  EXPECT_EQ(h.read("param/dense/kernel"), (std::vector<float>{1, 2, 3}));
}

TEST(Misuse, NullDataAndDimsOfViews) {
  Handles h;
  h.open();
  dlcc_init(h.session, 1, nullptr);
  Batch b;
  auto out = b.outputs();
  auto call = [&](auto change, dlcc_error* err) {
    auto in = b.inputs();
    change(in);
    return dlcc_train_step(h.session, in.data(), 3, out.data(), 3, 4, err);
  };
  EXPECT_FAILURE(call([](auto& in) { in[0].data = nullptr; }, &err), DLCC_E_ARG, "input 'x': data is null");
  EXPECT_FAILURE(call([](auto& in) { in[1].dims = nullptr; }, &err), DLCC_E_ARG, "input 'y': dims is null");
  out[2].data = nullptr;
  EXPECT_FAILURE(call([](auto&) {}, &err), DLCC_E_ARG, "output 'prediction': data is null");
}

// L4 and the other ways in which a view may not fit.
TEST(Misuse, ViewsOfWrongTypeShapeOrSize) {
  Handles h;
  h.open();
  dlcc_init(h.session, 1, nullptr);
  Batch b, b3(3);
  auto call = [&](auto change, int64_t n_valid, dlcc_error* err) {
    auto in = b.inputs(), out = b.outputs();
    change(in, out);
    return dlcc_train_step(h.session, in.data(), 3, out.data(), 3, n_valid, err);
  };
  EXPECT_FAILURE(call([](auto& in, auto&) { in[0].nbytes = 47; }, 4, &err), DLCC_E_SHAPE,
                 "input 'x': 47 bytes, expected 48 for shape [4, 3]");
  EXPECT_FAILURE(call([](auto& in, auto&) { in[0].nbytes = 49; }, 4, &err), DLCC_E_SHAPE,
                 "input 'x': 49 bytes, expected 48 for shape [4, 3]");
  EXPECT_FAILURE(call([](auto& in, auto&) { in[0].dtype = DLCC_F64; }, 4, &err), DLCC_E_DTYPE,
                 "input 'x': dtype is f64, expected f32");
  EXPECT_FAILURE(call([](auto& in, auto&) { in[0].dtype = 77; }, 4, &err), DLCC_E_DTYPE,
                 "input 'x': dtype is ?, expected f32");
  EXPECT_FAILURE(call([](auto& in, auto&) { in[0].rank = 1; }, 4, &err), DLCC_E_SHAPE,
                 "input 'x': rank is 1, expected 2");
  EXPECT_FAILURE(call([](auto& in, auto&) { in[0].rank = -1; }, 4, &err), DLCC_E_SHAPE,
                 "input 'x': rank is -1, expected 2");
  static const int64_t other[] = {4, 2};
  EXPECT_FAILURE(call([](auto& in, auto&) { in[0].dims = other; }, 4, &err), DLCC_E_SHAPE,
                 "input 'x': shape is [4, 2], expected [4, 3]");
  EXPECT_FAILURE(call([&](auto& in, auto&) { in = b3.inputs(); }, 4, &err), DLCC_E_SHAPE,
                 "input 'x': shape is [3, 3], expected [4, 3]");
  EXPECT_FAILURE(call([&](auto& in, auto&) { in = b3.inputs(); }, 2, &err), DLCC_E_SHAPE,
                 "input 'x': shape is [3, 3], expected [4, 3] or the valid rows of it");
  EXPECT_FAILURE(call([](auto&, auto& out) { out[0].dtype = DLCC_F32; }, 4, &err), DLCC_E_DTYPE,
                 "output 'loss': dtype is f32, expected f64");
  EXPECT_FAILURE(call([](auto&, auto&) {}, 5, &err), DLCC_E_ARG, "n_valid is 5, expected 0 to 4");
  EXPECT_FAILURE(call([](auto&, auto&) {}, -1, &err), DLCC_E_ARG, "n_valid is -1, expected 0 to 4");
  auto in = b.inputs(), out = b.outputs();
  EXPECT_FAILURE(dlcc_train_step(h.session, in.data(), 2, out.data(), 3, 4, &err), DLCC_E_ARG, "n_in is 2, expected 3");
  EXPECT_FAILURE(dlcc_train_step(h.session, in.data(), 3, out.data(), 4, 4, &err), DLCC_E_ARG,
                 "n_out is 4, expected 0 to 3");
  EXPECT_FAILURE(dlcc_train_step(h.session, in.data(), 3, out.data(), -1, 4, &err), DLCC_E_ARG,
                 "n_out is -1, expected 0 to 3");
  EXPECT_EQ(dlcc_batches(h.session), 0u);
}

// L6
TEST(Misuse, OverlappingBuffers) {
  Handles h;
  h.open();
  dlcc_init(h.session, 1, nullptr);
  Batch b;
  auto in = b.inputs(), out = b.outputs();
  out[2].data = b.x.data() + 11; // one element of x
  EXPECT_FAILURE(dlcc_train_step(h.session, in.data(), 3, out.data(), 3, 4, &err), DLCC_E_ARG,
                 "output 2 overlaps input 0");
  out[2].data = b.prediction.data();
  out[1].data = &b.loss;
  EXPECT_FAILURE(dlcc_train_step(h.session, in.data(), 3, out.data(), 3, 4, &err), DLCC_E_ARG,
                 "output 1 overlaps output 0");
  EXPECT_EQ(dlcc_batches(h.session), 0u);
}

// L8
TEST(Misuse, UseAfterCloseAndClosingTwice) {
  Handles h;
  h.open();
  dlcc_init(h.session, 1, nullptr);
  dlcc_session_destroy(h.session);
  dlcc_session_destroy(h.session);
  EXPECT_FAILURE(dlcc_init(h.session, 1, &err), DLCC_E_ARG, "session is not open (destroyed?)");
  EXPECT_EQ(dlcc_batches(h.session), 0u);
  dlcc_module_close(h.module);
  dlcc_module_close(h.module);
  dlcc_session* s = nullptr;
  EXPECT_FAILURE(dlcc_session_create(h.module, nullptr, &s, &err), DLCC_E_ARG, "module is not open (closed?)");
  EXPECT_EQ(s, nullptr);
  EXPECT_EQ(dlcc_module_info(h.module), nullptr);
}

// L10: the second caller is turned away while the first is inside its step, and the first is not disturbed.
TEST(Misuse, TwoThreadsInOneSession) {
  Handles h;
  h.open();
  dlcc_init(h.session, 10, nullptr);
  static std::atomic<int> stage;
  stage = 0;
  FakeModule::on_train = [](const dlcc_call_v1*) {
    stage = 1;
    while (stage != 2) std::this_thread::yield();
  };
  Batch b;
  dlcc_status first = 1;
  std::thread other([&] { first = h.train(b); });
  while (stage != 1) std::this_thread::yield();
  Batch mine;
  auto in = mine.inputs(), out = mine.outputs();
  EXPECT_FAILURE(dlcc_train_step(h.session, in.data(), 3, out.data(), 3, 4, &err), DLCC_E_BUSY,
                 "the session is in use by another call");
  EXPECT_FAILURE(dlcc_init(h.session, 1, &err), DLCC_E_BUSY, "the session is in use by another call");
  stage = 2;
  other.join();
  FakeModule::on_train = nullptr;
  EXPECT_EQ(first, DLCC_OK);
  EXPECT_EQ(h.read("param/dense/kernel"), (std::vector<float>{7.25f, 7.75f, 8.25f}));
}

TEST(Misuse, ACallbackCannotDestroyItsOwnSession) {
  Handles h;
  h.open();
  dlcc_init(h.session, 10, nullptr);
  static dlcc_session* own;
  own = h.session;
  FakeModule::on_train = [](const dlcc_call_v1*) { dlcc_session_destroy(own); };
  Batch b;
  EXPECT_EQ(h.train(b), DLCC_OK);
  FakeModule::on_train = nullptr;
  EXPECT_EQ(dlcc_batches(h.session), 1u);
  EXPECT_EQ(h.train(b), DLCC_OK);
}

TEST(Misuse, DifferentSessionsRunAtTheSameTime) {
  Handles h;
  h.open();
  std::vector<std::thread> threads;
  std::vector<std::vector<float>> results(4);
  for (size_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      dlcc_session* s = nullptr;
      dlcc_session_create(h.module, nullptr, &s, nullptr);
      dlcc_init(s, 10, nullptr);
      Batch b;
      auto in = b.inputs(), out = b.outputs();
      for (int i = 0; i < 100; ++i) dlcc_train_step(s, in.data(), 3, out.data(), 3, 4, nullptr);
      results[t].resize(3);
      const int64_t dims[] = {3};
      dlcc_view v{results[t].data(), DLCC_F32, 1, dims, 12, {0, 0}};
      dlcc_tensor_read(s, "param/dense/kernel", &v, nullptr);
      dlcc_session_destroy(s);
    });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(results[0], (std::vector<float>{10 - 275.f, 11 - 325.f, 12 - 375.f}));
  for (size_t t = 1; t < 4; ++t) EXPECT_EQ(results[t], results[0]);
}

namespace {
struct HostState {
  dlcc_session* session = nullptr;
  dlcc_status inner = 0;
  std::string last;
};
// Asks the host from inside a step, as compiled code does.
void call_host(const dlcc_call_v1* c) {
  if (c->host->log) c->host->log(c->host->user, 2, "hello");
}
} // namespace

// L14: a C++ exception of the host stops at the library.
TEST(Misuse, ExceptionInALogCallback) {
  dlcc_host_v1 host{};
  host.struct_size = sizeof host;
  host.log = [](void*, int, const char*) { throw std::runtime_error("host"); };
  dlcc_session_options o = default_options();
  o.host = &host;
  Handles h;
  h.open(&o);
  dlcc_init(h.session, 1, nullptr);
  FakeModule::on_train = call_host;
  Batch b;
  EXPECT_EQ(h.train(b), DLCC_E_INTERNAL);
  FakeModule::on_train = nullptr;
  EXPECT_NE(std::string(h.error.message).find("exception in a callback of the host"), std::string::npos);
  EXPECT_EQ(dlcc_batches(h.session), 1u); // the entry itself succeeded
  EXPECT_EQ(h.train(b), DLCC_OK) << h.error.message;
}

TEST(Misuse, ExceptionInTheAllocator) {
  Handles h;
  h.open();
  dlcc_session_options o = default_options();
  o.alloc = [](void*, size_t, size_t) -> void* { throw 42; };
  o.dealloc = [](void*, void*) {};
  dlcc_session* s = nullptr;
  EXPECT_FAILURE(dlcc_session_create(h.module, &o, &s, &err), DLCC_E_INTERNAL, "exception in a callback of the host");
  o.alloc = [](void*, size_t, size_t) -> void* { return nullptr; };
  EXPECT_FAILURE(dlcc_session_create(h.module, &o, &s, &err), DLCC_E_NOMEM,
                 "not enough memory for a region of 64 bytes");
  EXPECT_EQ(s, nullptr);
}

// L15
TEST(Misuse, ACallbackThatCallsBack) {
  HostState state;
  dlcc_host_v1 host{};
  host.struct_size = sizeof host;
  host.user = &state;
  host.log = [](void* user, int, const char* message) {
    auto s = static_cast<HostState*>(user);
    s->last = message;
    s->inner = dlcc_init(s->session, 1, nullptr);
  };
  dlcc_session_options o = default_options();
  o.host = &host;
  Handles h;
  h.open(&o);
  state.session = h.session;
  dlcc_init(h.session, 1, nullptr);
  FakeModule::on_train = call_host;
  Batch b;
  EXPECT_EQ(h.train(b), DLCC_OK) << h.error.message;
  FakeModule::on_train = nullptr;
  EXPECT_EQ(state.last, "hello");
  EXPECT_EQ(state.inner, DLCC_E_BUSY);
}

// L16
TEST(Misuse, StructsOfAnotherVersion) {
  Handles h;
  h.open();
  dlcc_session* s = nullptr;
  dlcc_session_options o = default_options();
  o.struct_size -= 8;
  EXPECT_FAILURE(dlcc_session_create(h.module, &o, &s, &err), DLCC_E_ABI,
                 "options: struct_size is 48, this library expects 56");
  o = default_options();
  dlcc_host_v1 host{};
  host.struct_size = 8;
  o.host = &host;
  EXPECT_FAILURE(dlcc_session_create(h.module, &o, &s, &err), DLCC_E_ABI,
                 "host: struct_size is 8, this library expects 32");
  dlcc_module* m = nullptr;
  h.fake.info.struct_size += 8;
  EXPECT_FAILURE(dlcc_module_wrap(&h.fake.info, &m, &err), DLCC_E_ABI,
                 "'fake': dlcc_module_v1 has 184 bytes, this library expects 176");
  h.fake.info.struct_size -= 8;
  h.fake.info.abi = 2;
  EXPECT_FAILURE(dlcc_module_wrap(&h.fake.info, &m, &err), DLCC_E_ABI, "'fake': module ABI 2, this library supports 1");
  h.fake.info.abi = 1;
  h.fake.tensors[0].struct_size = 4;
  EXPECT_FAILURE(dlcc_module_wrap(&h.fake.info, &m, &err), DLCC_E_ABI,
                 "'fake': dlcc_tensor_desc has 4 bytes, this library expects 56");
  h.fake.tensors[0].struct_size = sizeof(dlcc_tensor_desc);
  h.fake.entries[0].struct_size = 4;
  EXPECT_FAILURE(dlcc_module_wrap(&h.fake.info, &m, &err), DLCC_E_ABI,
                 "'fake': dlcc_entry_v1 has 4 bytes, this library expects 48");
}

TEST(Misuse, WrongOptions) {
  Handles h;
  h.open();
  dlcc_session* s = nullptr;
  dlcc_session_options o = default_options();
  o.num_threads = -1;
  EXPECT_FAILURE(dlcc_session_create(h.module, &o, &s, &err), DLCC_E_ARG,
                 "options: num_threads is -1, expected 0 to 1024");
  o.num_threads = 1025;
  EXPECT_FAILURE(dlcc_session_create(h.module, &o, &s, &err), DLCC_E_ARG,
                 "options: num_threads is 1025, expected 0 to 1024");
  o = default_options();
  o.alloc = [](void*, size_t, size_t) -> void* { return nullptr; };
  EXPECT_FAILURE(dlcc_session_create(h.module, &o, &s, &err), DLCC_E_ARG, "options: alloc and dealloc go together");
}

// L17
TEST(Misuse, TenThousandCyclesLeaveNothingBehind) {
  FakeModule fake;
  auto count = [](const char* folder) {
    return std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator());
  };
  auto cycle = [&] {
    dlcc_module* m = nullptr;
    dlcc_session* s = nullptr;
    ASSERT_EQ(dlcc_module_wrap(&fake.info, &m, nullptr), DLCC_OK);
    ASSERT_EQ(dlcc_session_create(m, nullptr, &s, nullptr), DLCC_OK);
    dlcc_session_destroy(s);
    dlcc_module_close(m);
  };
  auto resident_pages = [] {
    std::ifstream statm("/proc/self/statm");
    long total = 0, resident = 0;
    statm >> total >> resident;
    return resident;
  };
  for (int i = 0; i < 1000; ++i) cycle();
  auto files = count("/proc/self/fd"), threads = count("/proc/self/task");
  long before = resident_pages();
  for (int i = 0; i < 10000; ++i) cycle();
  EXPECT_EQ(count("/proc/self/fd"), files);
  EXPECT_EQ(count("/proc/self/task"), threads);
  // A leak of 100 bytes a cycle would be 244 pages. Sanitizers keep freed memory in quarantine and find leaks
  // themselves.
  constexpr long allowed = SANITIZED ? 1L << 20 : 200;
  EXPECT_LT(resident_pages() - before, allowed);
}

// L18
TEST(Misuse, HyperParametersThatAreNoNumbers) {
  Handles h;
  h.open();
  dlcc_init(h.session, 1, nullptr);
  constexpr double inf = std::numeric_limits<double>::infinity();
  EXPECT_FAILURE(dlcc_set_hyper(h.session, "learning_rate", std::nan(""), &err), DLCC_E_ARG,
                 "'learning_rate': nan is not a finite number");
  EXPECT_FAILURE(dlcc_set_hyper(h.session, "learning_rate", inf, &err), DLCC_E_ARG,
                 "'learning_rate': inf is not a finite number");
  EXPECT_FAILURE(dlcc_set_hyper(h.session, "decay", -inf, &err), DLCC_E_ARG, "'decay': -inf is not a finite number");
  EXPECT_FAILURE(dlcc_set_hyper(h.session, "learning_rate", -0.1, &err), DLCC_E_ARG,
                 "'learning_rate': -0.1 is negative, expected 0 or more");
  EXPECT_FAILURE(dlcc_set_hyper(h.session, "momentun\x1b", 1, &err), DLCC_E_NOTFOUND,
                 "the module has no hyper-parameter 'momentun\\x1b'");
  double v = 0;
  EXPECT_FAILURE(dlcc_get_hyper(h.session, "nothing", &v, &err), DLCC_E_NOTFOUND,
                 "the module has no hyper-parameter 'nothing'");
  dlcc_get_hyper(h.session, "learning_rate", &v, nullptr);
  EXPECT_EQ(v, 0.5);
}

// L19
TEST(Misuse, MetadataBuffersAreAlwaysTerminated) {
  Handles h;
  h.open();
  ASSERT_EQ(dlcc_checkpoint_meta_set(h.session, "dlcc.epoch", "12", &h.error), DLCC_OK) << h.error.message;
  char text[4] = "zzz";
  EXPECT_FAILURE(dlcc_checkpoint_meta_get(h.session, "dlcc.epoch", text, 0, &err), DLCC_E_ARG,
                 "size is 0, 'dlcc.epoch' needs 3 bytes");
  EXPECT_EQ(text[0], 'z');
  EXPECT_FAILURE(dlcc_checkpoint_meta_get(h.session, "dlcc.epoch", text, 1, &err), DLCC_E_ARG,
                 "size is 1, 'dlcc.epoch' needs 3 bytes");
  EXPECT_EQ(text[0], '\0');
  EXPECT_FAILURE(dlcc_checkpoint_meta_get(h.session, "dlcc.epoch", text, 2, &err), DLCC_E_ARG,
                 "size is 2, 'dlcc.epoch' needs 3 bytes");
  EXPECT_EQ(dlcc_checkpoint_meta_get(h.session, "dlcc.epoch", text, 3, nullptr), DLCC_OK);
  EXPECT_STREQ(text, "12");
  EXPECT_FAILURE(dlcc_checkpoint_meta_get(h.session, "none", text, 3, &err), DLCC_E_NOTFOUND, "no metadata 'none'");
  EXPECT_FAILURE(dlcc_checkpoint_meta_set(h.session, "dlcc.seed", "1", &err), DLCC_E_ARG,
                 "key 'dlcc.seed' is written by the library itself");
  EXPECT_FAILURE(dlcc_checkpoint_meta_set(h.session, "", "1", &err), DLCC_E_ARG,
                 "key: expected 1 to 1024 bytes of UTF-8");
  EXPECT_FAILURE(dlcc_checkpoint_meta_set(h.session, "k", "\xff", &err), DLCC_E_ARG,
                 "value of 'k': expected at most 1 MiB of UTF-8");
}

// A compiled default of NaN is none: the application must say, before anything is updated.
TEST(Misuse, UpdatesBeforeEveryHyperParameterHasAValue) {
  Handles h;
  h.fake.hyper_names[1] = "steps_per_epoch", h.fake.hyper_defaults[1] = std::nan("");
  h.open();
  ASSERT_EQ(dlcc_init(h.session, 1, &h.error), DLCC_OK);
  Batch b;
  auto in = b.inputs(), out = b.outputs();
  const char* wanted =
      "hyper-parameter 'steps_per_epoch' has no value yet, expected dlcc_set_hyper before the first update";
  EXPECT_FAILURE(dlcc_train_step(h.session, in.data(), 3, out.data(), 3, 4, &err), DLCC_E_STATE, wanted);
  EXPECT_FAILURE(dlcc_apply_gradients(h.session, &err), DLCC_E_STATE, wanted);
  EXPECT_EQ(dlcc_eval_step(h.session, in.data(), 3, out.data(), 3, 4, nullptr), DLCC_OK);
  EXPECT_FAILURE(dlcc_set_hyper(h.session, "steps_per_epoch", 0.5, &err), DLCC_E_ARG,
                 "'steps_per_epoch': 0.5 batches, expected 1 or more");
  EXPECT_EQ(dlcc_set_hyper(h.session, "steps_per_epoch", 10, nullptr), DLCC_OK);
  EXPECT_EQ(dlcc_train_step(h.session, in.data(), 3, out.data(), 3, 4, nullptr), DLCC_OK);
}

TEST(Misuse, StepsBeforeTheStateExists) {
  Handles h;
  h.open();
  Batch b;
  auto in = b.inputs(), out = b.outputs();
  EXPECT_FAILURE(dlcc_train_step(h.session, in.data(), 3, out.data(), 3, 4, &err), DLCC_E_STATE,
                 "the session has no state yet: call dlcc_init or dlcc_checkpoint_load first");
  EXPECT_FAILURE(dlcc_predict(h.session, in.data(), 1, &out[2], 1, 4, &err), DLCC_E_STATE,
                 "the session has no state yet: call dlcc_init or dlcc_checkpoint_load first");
  EXPECT_FAILURE(dlcc_apply_gradients(h.session, &err), DLCC_E_STATE,
                 "the session has no state yet: call dlcc_init or dlcc_checkpoint_load first");
  EXPECT_FAILURE(dlcc_metrics_reset(h.session, &err), DLCC_E_STATE,
                 "the session has no state yet: call dlcc_init or dlcc_checkpoint_load first");
  EXPECT_FAILURE(dlcc_checkpoint_save(h.session, "/nonexistent/x", 0, &err), DLCC_E_STATE,
                 "the session has no state yet: call dlcc_init or dlcc_checkpoint_load first");
  float values[3];
  const int64_t dims[] = {3};
  dlcc_view v{values, DLCC_F32, 1, dims, 12, {0, 0}};
  EXPECT_FAILURE(dlcc_tensor_read(h.session, "param/dense/kernel", &v, &err), DLCC_E_STATE,
                 "the session has no state yet: call dlcc_init or dlcc_checkpoint_load first");
}

TEST(Misuse, AModuleWithoutTheEntry) {
  Handles h;
  h.fake.info.n_entries = 1; // INIT only
  h.open();
  dlcc_init(h.session, 1, nullptr);
  Batch b;
  auto in = b.inputs(), out = b.outputs();
  EXPECT_FAILURE(dlcc_train_step(h.session, in.data(), 3, out.data(), 3, 4, &err), DLCC_E_UNSUPPORTED,
                 "the module has no train entry");
  EXPECT_FAILURE(dlcc_metrics_reset(h.session, &err), DLCC_E_UNSUPPORTED, "the module has no metrics_reset entry");
  double rate = 0;
  EXPECT_FAILURE(dlcc_learning_rate(h.session, &rate, &err), DLCC_E_UNSUPPORTED,
                 "the module has no learning_rate entry");
}

TEST(Misuse, TensorsThatAreNotStateOrDoNotFit) {
  Handles h;
  h.open();
  dlcc_init(h.session, 1, nullptr);
  float values[4] = {};
  const int64_t three[] = {3}, four[] = {4};
  dlcc_view v{values, DLCC_F32, 1, three, 12, {0, 0}};
  EXPECT_FAILURE(dlcc_tensor_read(h.session, "nope", &v, &err), DLCC_E_NOTFOUND, "the module has no tensor 'nope'");
  EXPECT_FAILURE(dlcc_tensor_read(h.session, "x", &v, &err), DLCC_E_ARG,
                 "'x' is an input or output, not a parameter, slot, buffer or gradient");
  v.dims = four;
  EXPECT_FAILURE(dlcc_tensor_write(h.session, "param/dense/kernel", &v, &err), DLCC_E_SHAPE,
                 "'param/dense/kernel': shape is [4], expected [3]");
  v.dims = three;
  v.nbytes = 16;
  EXPECT_FAILURE(dlcc_tensor_write(h.session, "param/dense/kernel", &v, &err), DLCC_E_SHAPE,
                 "'param/dense/kernel': 16 bytes, expected 12");
  v.dtype = DLCC_I32;
  EXPECT_FAILURE(dlcc_tensor_write(h.session, "param/dense/kernel", &v, &err), DLCC_E_DTYPE,
                 "'param/dense/kernel': dtype is i32, expected f32");
  EXPECT_EQ(h.read("param/dense/kernel"), (std::vector<float>{1, 2, 3}));
}

TEST(Misuse, FaultsInTheDataNameTheSampleAndKeepTheState) {
  Handles h;
  h.open();
  dlcc_init(h.session, 1, nullptr);
  Batch b;
  b.label[2] = 10;
  EXPECT_EQ(h.train(b), DLCC_E_ARG);
  EXPECT_STREQ(h.error.message, "label 10 at sample 2 of 'y' is out of range, expected 0 to 9");
  b.label[2] = -3;
  EXPECT_EQ(h.train(b), DLCC_E_ARG);
  EXPECT_STREQ(h.error.message, "label -3 at sample 2 of 'y' is out of range, expected 0 to 9");
  b.label[2] = 0;
  b.x[5] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(h.train(b), DLCC_E_NONFINITE);
  EXPECT_STREQ(h.error.message, "non-finite value nan of 'loss' in the train step; the parameters are unchanged");
  EXPECT_EQ(dlcc_batches(h.session), 0u);
  EXPECT_EQ(dlcc_updates(h.session), 0u);
  EXPECT_EQ(h.read("param/dense/kernel"), (std::vector<float>{1, 2, 3}));
}

TEST(Misuse, StatusNames) {
  EXPECT_STREQ(dlcc_status_name(DLCC_OK), "DLCC_OK");
  EXPECT_STREQ(dlcc_status_name(DLCC_E_UNSUPPORTED), "DLCC_E_UNSUPPORTED");
  EXPECT_STREQ(dlcc_status_name(DLCC_E_STATE), "DLCC_E_STATE");
  EXPECT_STREQ(dlcc_status_name(1), "unknown status");
  EXPECT_STREQ(dlcc_status_name(DLCC_E_TRUST), "DLCC_E_TRUST");
  EXPECT_STREQ(dlcc_status_name(-18), "unknown status");
  EXPECT_STREQ(dlcc_status_name(INT32_MIN), "unknown status");
}
