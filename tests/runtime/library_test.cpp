// The shared library as applications meet it: its name, symbols, dependencies, and exceptions of a foreign host.
#include "tests/runtime/fake_module.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>

using namespace dlcc::test;

namespace {

class SharedRuntime : public testing::Test {
protected:
  void* library = dlopen(SHARED_RUNTIME, RTLD_NOW | RTLD_LOCAL);
  void SetUp() override { ASSERT_NE(library, nullptr) << dlerror(); }
  void TearDown() override { dlclose(library); }

  // Strings of the dynamic section with this tag.
  std::vector<std::string> dynamic(ElfW(Sxword) tag) {
    link_map* map = nullptr;
    EXPECT_EQ(dlinfo(library, RTLD_DI_LINKMAP, &map), 0);
    const char* strings = nullptr;
    for (const ElfW(Dyn)* d = map->l_ld; d->d_tag != DT_NULL; ++d)
      if (d->d_tag == DT_STRTAB) strings = reinterpret_cast<const char*>(d->d_un.d_ptr);
    std::vector<std::string> out;
    for (const ElfW(Dyn)* d = map->l_ld; d->d_tag != DT_NULL; ++d)
      if (d->d_tag == tag) out.push_back(strings + d->d_un.d_val);
    return out;
  }
};

} // namespace

TEST_F(SharedRuntime, HasItsNameAndNeedsTheCLibraryOnly) {
  EXPECT_EQ(dynamic(DT_SONAME), std::vector<std::string>{"libdlcc_rt.so.1"});
#if !SANITIZED
  for (const std::string& name : dynamic(DT_NEEDED))
    EXPECT_TRUE(name == "libc.so.6" || name == "libdl.so.2" || name.starts_with("ld-linux")) << name;
#endif
}

TEST_F(SharedRuntime, ExportsTheInterfaceWithItsVersionAndNothingElse) {
  for (const char* name : {"dlcc_runtime_version",
                           "dlcc_status_name",
                           "dlcc_module_open",
                           "dlcc_module_wrap",
                           "dlcc_module_close",
                           "dlcc_module_info",
                           "dlcc_module_find",
                           "dlcc_session_create",
                           "dlcc_session_destroy",
                           "dlcc_init",
                           "dlcc_train_step",
                           "dlcc_eval_step",
                           "dlcc_predict",
                           "dlcc_compute_gradients",
                           "dlcc_apply_gradients",
                           "dlcc_set_hyper",
                           "dlcc_get_hyper",
                           "dlcc_learning_rate",
                           "dlcc_tensor_read",
                           "dlcc_tensor_write",
                           "dlcc_metrics_reset",
                           "dlcc_metrics_result",
                           "dlcc_batches",
                           "dlcc_updates",
                           "dlcc_checkpoint_meta_set",
                           "dlcc_checkpoint_meta_get",
                           "dlcc_checkpoint_save",
                           "dlcc_checkpoint_load"})
    EXPECT_NE(dlvsym(library, name, "DLCC_1.0"), nullptr) << name;
  EXPECT_EQ(dlsym(library, "dlcc_module_query"), nullptr);
  Dl_info from{};
  void* cxx = dlsym(library, "__cxa_throw");
  const bool known = cxx && dladdr(cxx, &from) != 0;
  EXPECT_TRUE(!known || std::string(from.dli_fname).find("libdlcc_rt") == std::string::npos);
}

// L14 across the boundary of two C++ runtimes: the host throws with its own, the library catches with its own.
TEST_F(SharedRuntime, AnExceptionOfTheHostStopsInTheLibrary) {
  auto wrap = reinterpret_cast<decltype(&dlcc_module_wrap)>(dlsym(library, "dlcc_module_wrap"));
  auto create = reinterpret_cast<decltype(&dlcc_session_create)>(dlsym(library, "dlcc_session_create"));
  auto init = reinterpret_cast<decltype(&dlcc_init)>(dlsym(library, "dlcc_init"));
  auto train = reinterpret_cast<decltype(&dlcc_train_step)>(dlsym(library, "dlcc_train_step"));
  auto destroy = reinterpret_cast<decltype(&dlcc_session_destroy)>(dlsym(library, "dlcc_session_destroy"));
  auto close = reinterpret_cast<decltype(&dlcc_module_close)>(dlsym(library, "dlcc_module_close"));
  FakeModule fake;
  dlcc_host_v1 host{};
  host.struct_size = sizeof host;
  host.log = [](void*, int, const char*) { throw std::runtime_error("from the host"); };
  dlcc_session_options o = default_options();
  o.host = &host;
  dlcc_module* m = nullptr;
  dlcc_session* s = nullptr;
  ASSERT_EQ(wrap(&fake.info, &m, nullptr), DLCC_OK);
  ASSERT_EQ(create(m, &o, &s, nullptr), DLCC_OK);
  ASSERT_EQ(init(s, 1, nullptr), DLCC_OK);
  FakeModule::on_train = [](const dlcc_call_v1* c) { c->host->log(c->host->user, 1, "x"); };
  Batch b;
  auto in = b.inputs(), out = b.outputs();
  EXPECT_FAILURE(train(s, in.data(), 3, out.data(), 3, 4, &err), DLCC_E_INTERNAL,
                 "exception in a callback of the host; the step is done");
  FakeModule::on_train = nullptr;
  EXPECT_EQ(train(s, in.data(), 3, out.data(), 3, 4, nullptr), DLCC_OK);
  destroy(s);
  close(m);
}
