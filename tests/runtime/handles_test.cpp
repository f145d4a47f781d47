// Handles: what is closed stays closed, whoever got its place since, and no thread sees half of it.
#include "tests/runtime/fake_module.h"

#include <array>
#include <atomic>
#include <set>
#include <thread>

#include "runtime/core/handles.h"

using namespace dlcc::test;

namespace {

dlcc_session* created(dlcc_module* module) {
  dlcc_session* session = nullptr;
  dlcc_error error{};
  EXPECT_EQ(dlcc_session_create(module, nullptr, &session, &error), DLCC_OK) << error.message;
  EXPECT_EQ(dlcc_init(session, 10, &error), DLCC_OK) << error.message;
  return session;
}

double rate_of(dlcc_session* session) {
  double rate = -1;
  return dlcc_get_hyper(session, "learning_rate", &rate, nullptr) == DLCC_OK ? rate : -1;
}

} // namespace

TEST(Handles, DestroyingTwiceSparesWhoeverCameNext) {
  Handles h;
  h.open();
  dlcc_session* old = created(h.module);
  dlcc_session_destroy(old);
  std::vector<dlcc_session*> next;
  for (int i = 0; i < 100; ++i) {
    next.push_back(created(h.module));
    dlcc_session_destroy(old);
    EXPECT_FAILURE(dlcc_init(old, 1, &err), DLCC_E_ARG, "session is not open (destroyed?)");
    EXPECT_EQ(dlcc_batches(old), 0u);
    EXPECT_EQ(dlcc_updates(old), 0u);
  }
  for (dlcc_session* s : next) {
    EXPECT_EQ(rate_of(s), 0.5);
    dlcc_session_destroy(s);
    EXPECT_EQ(rate_of(s), -1);
  }
  EXPECT_EQ(rate_of(h.session), 0.5);
}

TEST(Handles, ClosingAModuleTwiceSparesWhoeverCameNext) {
  FakeModule fake;
  dlcc_error error{};
  dlcc_module *old = nullptr, *next = nullptr;
  ASSERT_EQ(dlcc_module_wrap(&fake.info, &old, &error), DLCC_OK);
  dlcc_module_close(old);
  ASSERT_EQ(dlcc_module_wrap(&fake.info, &next, &error), DLCC_OK);
  dlcc_module_close(old);
  EXPECT_EQ(dlcc_module_info(old), nullptr);
  EXPECT_EQ(dlcc_module_find(old, "x"), DLCC_E_ARG);
  EXPECT_EQ(dlcc_module_info(next), &fake.info);
  dlcc_module_close(next);
}

// Whatever a caller takes for a handle: it is not looked into.
TEST(Handles, OthersAreRefused) {
  Handles h;
  h.open();
  const auto own = reinterpret_cast<uint64_t>(h.session);
  for (uint64_t bits :
       {uint64_t{1}, uint64_t{0xFFFFFF}, ~uint64_t{0}, uint64_t{0x7FFF12345678}, own + 1, own + (1 << 24)}) {
    auto* session = reinterpret_cast<dlcc_session*>(bits);
    EXPECT_FAILURE(dlcc_init(session, 1, &err), DLCC_E_ARG, "session is not open (destroyed?)");
    EXPECT_EQ(dlcc_updates(session), 0u);
    dlcc_session_destroy(session);
    auto* module = reinterpret_cast<dlcc_module*>(bits);
    if (module == h.module) continue;
    EXPECT_EQ(dlcc_module_info(module), nullptr);
    dlcc_module_close(module);
  }
  EXPECT_EQ(dlcc_init(h.session, 1, &h.error), DLCC_OK);
  EXPECT_EQ(dlcc_module_info(h.module), &h.fake.info);
}

// Thousands at a time, in every order: all different, and each leads to its own object.
TEST(Handles, EachLeadsToItsOwnObject) {
  struct Opaque;
  static dlcc::runtime::HandleTable<Opaque, std::unique_ptr<int>> table; // its slots are never given back
  std::set<Opaque*> all;
  std::vector<Opaque*> open;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 5000; ++i) {
      open.push_back(table.open(std::make_unique<int>(i)));
      EXPECT_TRUE(open.back() && all.insert(open.back()).second) << "a handle was given twice";
    }
    for (int i = 0; i < 5000; ++i) {
      Opaque* handle = open[static_cast<size_t>(i)];
      ASSERT_EQ(table.enter(handle), decltype(table)::Entry::entered);
      EXPECT_EQ(table.entered(handle), i);
      EXPECT_EQ(table.enter(handle), decltype(table)::Entry::busy);
      EXPECT_FALSE(table.close(handle)) << "it is in use";
      table.leave(handle);
      EXPECT_TRUE(table.close(handle));
      EXPECT_FALSE(table.close(handle));
      EXPECT_EQ(table.enter(handle), decltype(table)::Entry::closed);
      EXPECT_FALSE(table.look_at(handle, [](auto&) { FAIL(); }));
    }
    open.clear();
  }
}

// One thread opens and closes, others use what it made, whatever has become of it. Every call works or is refused, and
// nobody gets into a session that is being closed (thread sanitizer sees that, and so does the count of live ones).
TEST(Handles, ClosedUnderTheHandsOfOtherThreads) {
  Handles h;
  h.open();
  std::array<std::atomic<dlcc_session*>, 4> shared{};
  for (auto& s : shared) s = created(h.module);
  std::atomic<bool> done = false;
  std::atomic<int> worked = 0;
  std::vector<std::thread> users;
  for (size_t t = 0; t < 3; ++t)
    users.emplace_back([&, t] {
      Batch b;
      auto in = b.inputs(), out = b.outputs();
      for (size_t i = t; !done; ++i) {
        dlcc_session* s = shared[i % shared.size()];
        dlcc_error e{};
        const dlcc_status status = dlcc_train_step(s, in.data(), 3, out.data(), 3, 4, &e);
        EXPECT_TRUE(status == DLCC_OK || status == DLCC_E_BUSY || status == DLCC_E_STATE ||
                    std::string(e.message) == "session is not open (destroyed?)")
            << e.message;
        worked += status == DLCC_OK;
        dlcc_batches(s);
        if (i % 5 == 0) dlcc_session_destroy(s);
      }
    });
  for (size_t i = 0; i < 3000 || worked == 0; ++i) {
    dlcc_session* s = nullptr;
    ASSERT_EQ(dlcc_session_create(h.module, nullptr, &s, nullptr), DLCC_OK);
    dlcc_init(s, 10, nullptr); // unless somebody was faster
    dlcc_session* old = shared[i % shared.size()].exchange(s);
    dlcc_session_destroy(old);
    dlcc_session_destroy(old);
  }
  done = true;
  for (std::thread& t : users) t.join();
  for (auto& s : shared) dlcc_session_destroy(s);
  EXPECT_EQ(rate_of(h.session), 0.5);
}

// A module may be closed by one thread while another makes sessions of it.
TEST(Handles, AModuleClosedUnderTheHandsOfOtherThreads) {
  FakeModule fake;
  std::atomic<dlcc_module*> shared = nullptr;
  std::atomic<bool> done = false;
  std::thread user([&] {
    while (!done) {
      dlcc_module* m = shared;
      dlcc_session* s = nullptr;
      const dlcc_module_v1* info = dlcc_module_info(m);
      EXPECT_TRUE(info == nullptr || info == &fake.info);
      const dlcc_status status = dlcc_session_create(m, nullptr, &s, nullptr);
      EXPECT_TRUE(status == DLCC_OK || status == DLCC_E_ARG);
      EXPECT_EQ(dlcc_init(s, 1, nullptr), s ? DLCC_OK : DLCC_E_ARG);
      dlcc_session_destroy(s);
    }
  });
  for (int i = 0; i < 3000; ++i) {
    dlcc_module* m = nullptr;
    ASSERT_EQ(dlcc_module_wrap(&fake.info, &m, nullptr), DLCC_OK);
    dlcc_module_close(shared.exchange(m));
  }
  done = true;
  user.join();
  dlcc_module_close(shared);
}
