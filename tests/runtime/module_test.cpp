// Compiled steps: damaged tables, damaged files, files that must not be trusted.
#include "tests/runtime/fake_module.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <dlfcn.h>
#include <filesystem>
#include <iterator>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <random>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

#include "runtime/core/artefact.h"
#include "runtime/core/runtime.hpp"

using namespace dlcc::test;

// Two functions of the C library are replaced, to see what happens on other machines: fstatvfs can say noexec,
// memfd_create can be missing.
static bool pretend_noexec = false, pretend_no_memfd = false;
extern "C" int fstatvfs(int fd, struct statvfs* s) noexcept {
  auto real = reinterpret_cast<int (*)(int, struct statvfs*)>(dlsym(RTLD_NEXT, "fstatvfs"));
  const int result = real(fd, s);
  if (pretend_noexec) s->f_flag |= ST_NOEXEC;
  return result;
}
extern "C" int memfd_create(const char* name, unsigned flags) noexcept {
  auto real = reinterpret_cast<int (*)(const char*, unsigned)>(dlsym(RTLD_NEXT, "memfd_create"));
  if (!pretend_no_memfd) return real(name, flags);
  errno = ENOSYS;
  return -1;
}

namespace {

std::string with_trailer(const std::string& image) {
  dlcc_artefact_trailer t = dlcc::runtime::make_artefact_trailer(image.data(), image.size(), "0.1.0");
  return image + std::string(reinterpret_cast<const char*>(&t), sizeof t);
}

std::string tiny_artefact() { return with_trailer(read_file(TINY_STEP)); }

dlcc_status open_status(const std::string& path, dlcc_error* err) {
  dlcc_module* m = nullptr;
  dlcc_status s = dlcc_module_open(path.c_str(), &m, err);
  EXPECT_EQ(s == DLCC_OK, m != nullptr);
  dlcc_module_close(m);
  return s;
}

// The parameter after init(seed) and one step that adds 3.
double train_tiny(const dlcc::compiled_step& step, uint64_t seed) {
  dlcc::session s(step);
  s.init(seed);
  double x[2] = {1, 2}, loss = 0;
  s.train_step({{x, {2}}}, {dlcc::tensor_view(loss)}, 2);
  return loss;
}

// mmap of a file for execution fails with EACCES from now on, as SELinux would have it.
bool refuse_code_from_files() {
  constexpr uint32_t number = offsetof(seccomp_data, nr), protection = offsetof(seccomp_data, args[2]),
                     descriptor = offsetof(seccomp_data, args[4]);
  sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, number),
                        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 5),
                        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, protection),
                        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 3),
                        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, descriptor),
                        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ~0u, 1, 0), // no file: memory of the process itself
                        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
                        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog program{static_cast<unsigned short>(std::size(code)), code};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

class Artefact : public testing::Test {
protected:
  TemporaryFolder folder;
  std::string path = folder / "train_step.so";
};

} // namespace

TEST_F(Artefact, OpensAndRuns) {
  write_file(path, tiny_artefact());
  auto step = dlcc::compiled_step::open(path);
  EXPECT_STREQ(step.info().name, "tiny");
  EXPECT_EQ(train_tiny(step, 5), 8);
  EXPECT_EQ(step.find("param/w")->nbytes, 8u);
  EXPECT_EQ(step.find("nothing"), nullptr);
  try {
    dlcc::session(step).apply_gradients();
    FAIL();
  } catch (const dlcc::error& e) {
    EXPECT_EQ(e.status(), DLCC_E_UNSUPPORTED);
    EXPECT_STREQ(e.what(), "the module has no apply entry");
  }
}

// L2
TEST_F(Artefact, NoFile) {
  dlcc_module* m = nullptr;
  EXPECT_FAILURE(dlcc_module_open(nullptr, &m, &err), DLCC_E_IO, "path: no file name given");
  EXPECT_FAILURE(dlcc_module_open("", &m, &err), DLCC_E_IO, "path: no file name given");
  EXPECT_FAILURE(open_status(path, &err), DLCC_E_IO, "cannot open '" + path + "': No such file or directory");
  EXPECT_FAILURE(open_status(folder.path(), &err), DLCC_E_IO,
                 "'" + folder.path() + "' is a directory, expected a compiled step");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_FAILURE(open_status(path, &err), DLCC_E_IO, "'" + path + "' is not a regular file");
}

// M3 on the whole file: any single flipped bit is found before anything of it runs.
TEST_F(Artefact, FlippedBits) {
  const std::string good = tiny_artefact();
  std::mt19937 random(1);
  std::vector<size_t> places;
  for (size_t i = good.size() - DLCC_TRAILER_BYTES; i < good.size(); ++i) places.push_back(i);
  for (int i = 0; i < 100; ++i) places.push_back(random() % good.size());
  for (size_t at : places) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ (1 << (random() % 8)));
    write_file(path, bad);
    EXPECT_FAILURE_WITH(open_status(path, &err), DLCC_E_CORRUPT, "corrupt");
  }
}

TEST_F(Artefact, TruncatedAndForeignFiles) {
  const std::string good = tiny_artefact();
  for (size_t n : {size_t{0}, size_t{1}, size_t{96}, size_t{97}, good.size() / 2, good.size() - 1}) {
    write_file(path, good.substr(0, n));
    EXPECT_FAILURE_WITH(open_status(path, &err), DLCC_E_CORRUPT, "corrupt");
  }
  write_file(path, good + "x");
  EXPECT_FAILURE(open_status(path, &err), DLCC_E_CORRUPT,
                 "'" + path + "': corrupt: no dlcc trailer at the end (truncated, or not made by dlcc)");
  write_file(path, read_file(TINY_STEP));
  EXPECT_FAILURE(open_status(path, &err), DLCC_E_CORRUPT,
                 "'" + path + "': corrupt: no dlcc trailer at the end (truncated, or not made by dlcc)");
  write_file(path, with_trailer(std::string(500, 'x')));
  EXPECT_FAILURE_WITH(open_status(path, &err), DLCC_E_CORRUPT, "cannot load");
}

// M4: a right checksum, another ABI.
TEST_F(Artefact, AnotherModuleAbi) {
  for (uint32_t abi : {0u, 9u}) {
    std::string image = read_file(TINY_STEP);
    dlcc_artefact_trailer t = dlcc::runtime::make_artefact_trailer(image.data(), image.size(), "9.1");
    t.abi = abi;
    // The digest covers the trailer with a zero digest; so a second trailer over image + that block would not match.
    // The file is made by hand instead: hash of image and trailer.
    std::memset(t.sha256, 0, sizeof t.sha256);
    std::string covered = image + std::string(reinterpret_cast<const char*>(&t), sizeof t);
    auto digest = [&] {
      std::string command = "sha256sum < " + (folder / "covered");
      write_file(folder / "covered", covered);
      FILE* p = popen(command.c_str(), "r");
      char text[65] = {};
      EXPECT_EQ(fread(text, 1, 64, p), 64u);
      pclose(p);
      return std::string(text);
    }();
    for (size_t i = 0; i < 32; ++i) t.sha256[i] = static_cast<uint8_t>(std::stoi(digest.substr(2 * i, 2), nullptr, 16));
    write_file(path, image + std::string(reinterpret_cast<const char*>(&t), sizeof t));
    EXPECT_FAILURE(open_status(path, &err), DLCC_E_ABI,
                   "'" + path + "': built by dlcc 9.1 for module ABI " + std::to_string(abi) +
                       ", this library supports ABI 1");
  }
}

// M7: a name without '/' is a file of the current folder, never one of the library path.
TEST_F(Artefact, NameWithoutASlash) {
  write_file(path, tiny_artefact());
  const auto here = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  dlcc_error found{};
  EXPECT_EQ(open_status("train_step.so", &found), DLCC_OK) << found.message;
  EXPECT_FAILURE(open_status("libc.so.6", &err), DLCC_E_IO,
                 "cannot open '" + (folder / "libc.so.6") + "': No such file or directory");
  std::filesystem::current_path(here);
}

// M8: replaced by rename, and even overwritten in place.
TEST_F(Artefact, ReplacedWhileLoaded) {
  write_file(path, tiny_artefact());
  auto step = dlcc::compiled_step::open(path);
  write_file(folder / "other", "nonsense");
  std::filesystem::rename(folder / "other", path);
  EXPECT_EQ(train_tiny(step, 5), 8);
  write_file(path, tiny_artefact());
  auto second = dlcc::compiled_step::open(path);
  write_file(path, std::string(tiny_artefact().size(), '\0'));
  EXPECT_EQ(train_tiny(second, 6), 9);
  EXPECT_EQ(truncate(path.c_str(), 0), 0);
  EXPECT_EQ(train_tiny(second, 7), 10);
}

// M9
TEST_F(Artefact, FilesThatOthersCanChange) {
  write_file(path, tiny_artefact());
  chmod(path.c_str(), 0666);
  EXPECT_FAILURE(open_status(path, &err), DLCC_E_TRUST,
                 "'" + path + "' is world-writable, refused (DLCC_TRUST_ANY=1 loads it anyway)");
  chmod(path.c_str(), 0644);
  chmod(folder.path().c_str(), 0777);
  EXPECT_FAILURE(open_status(path, &err), DLCC_E_TRUST,
                 "the folder of '" + path + "' is world-writable, refused (DLCC_TRUST_ANY=1 loads it anyway)");
  setenv("DLCC_TRUST_ANY", "yes", 1);
  EXPECT_FAILURE(open_status(path, &err), DLCC_E_TRUST,
                 "the folder of '" + path + "' is world-writable, refused (DLCC_TRUST_ANY=1 loads it anyway)");
  setenv("DLCC_TRUST_ANY", "1", 1);
  dlcc_error none{};
  EXPECT_EQ(open_status(path, &none), DLCC_OK) << none.message;
  unsetenv("DLCC_TRUST_ANY");
  chmod(folder.path().c_str(), 01777); // sticky: only the owner can replace the file
  EXPECT_EQ(open_status(path, &none), DLCC_OK) << none.message;
  chmod(folder.path().c_str(), 0700);
  // Only root can give a file away; for others the file stays theirs and opens.
  if (chown(path.c_str(), 12345, static_cast<gid_t>(-1)) == 0)
    EXPECT_FAILURE(open_status(path, &err), DLCC_E_TRUST,
                   "'" + path + "' belongs to user 12345, refused (DLCC_TRUST_ANY=1 loads it anyway)");
}

// M12
TEST_F(Artefact, FileSystemMountedNoexec) {
  write_file(path, tiny_artefact());
  pretend_noexec = true;
  EXPECT_FAILURE(open_status(path, &err), DLCC_E_CORRUPT,
                 "cannot load '" + path + "': its file system is mounted noexec: Operation not permitted");
  pretend_noexec = false;
}

// M12: a policy lets no file's code into memory. In a process of its own, which cannot get rid of the filter.
TEST_F(Artefact, APolicyAgainstCodeFromFiles) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  write_file(path, tiny_artefact());
  auto attempt = [&] {
    if (!refuse_code_from_files()) std::_Exit(2);
    dlcc_error e{};
    const bool right = open_status(path, &e) == DLCC_E_CORRUPT &&
                       std::string(e.message) == "cannot load '" + path + "': Permission denied";
    if (!right) fprintf(stderr, "%d %s\n", e.code, e.message);
    std::_Exit(right ? 0 : 1);
  };
  EXPECT_EXIT(attempt(), testing::ExitedWithCode(0), "");
}

// Where anonymous files do not exist, the verified file itself is loaded.
TEST_F(Artefact, WithoutAnonymousFiles) {
  write_file(path, tiny_artefact());
  pretend_no_memfd = true;
  auto step = dlcc::compiled_step::open(path);
  pretend_no_memfd = false;
  EXPECT_EQ(train_tiny(step, 5), 8);
}

// L20: libgomp and a library that calls itself libomp.so.5.
TEST_F(Artefact, TwoOpenMpRuntimesAreAWarning) {
  write_file(path, with_trailer(read_file(HOST_OPENMP_STEP)));
  auto step = dlcc::compiled_step::open(path);
  void* other = dlopen(OTHER_OPENMP, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(other, nullptr) << dlerror();
  std::string text;
  dlcc_host_v1 host{};
  host.struct_size = sizeof host;
  host.user = &text;
  host.log = [](void* user, int level, const char* message) {
    EXPECT_EQ(level, 1);
    *static_cast<std::string*>(user) += message;
  };
  dlcc::session s(step, 2, &host);
  s.init(1);
  dlclose(other);
  EXPECT_NE(text.find("two OpenMP runtimes (libgomp and libomp) are in this process"), std::string::npos) << text;
  text.clear();
  dlcc::session alone(step, 2, &host);
  EXPECT_EQ(text, "");
}

// M11
TEST_F(Artefact, LoadedTwice) {
  write_file(path, tiny_artefact());
  write_file(folder / "b.so", tiny_artefact());
  auto a = dlcc::compiled_step::open(path), b = dlcc::compiled_step::open(path);
  auto c = dlcc::compiled_step::open(folder / "b.so");
  EXPECT_NE(&a.info(), &b.info());
  EXPECT_NE(&a.info(), &c.info());
  dlcc::session first(a), second(b);
  first.init(1);
  second.init(2);
  double x[2] = {0, 0}, loss = 0;
  first.train_step({{x, {2}}}, {dlcc::tensor_view(loss)}, 2);
  EXPECT_EQ(loss, 1);
  second.train_step({{x, {2}}}, {dlcc::tensor_view(loss)}, 2);
  EXPECT_EQ(loss, 2);
}

// The OpenMP runtime is found by the loader when the step does not name one.
TEST_F(Artefact, HostOpenMp) {
  write_file(path, with_trailer(read_file(HOST_OPENMP_STEP)));
  auto step = dlcc::compiled_step::open(path);
  dlcc::session s(step);
  s.init(1);
}

// In a process of its own, where nothing else keeps libgomp: its threads outlive the step that started them.
TEST_F(Artefact, ClosingAStepLeavesTheThreadsOfItsOpenMpRuntimeAlone) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  write_file(path, with_trailer(read_file(PARALLEL_STEP)));
  auto mappings = [](const std::string& name) {
    std::ifstream maps("/proc/self/maps");
    int count = 0;
    for (std::string line; std::getline(maps, line);) count += line.find(name) != std::string::npos;
    return count;
  };
  auto cycles = [&] {
    for (int i = 0; i < 5; ++i) {
      {
        auto step = dlcc::compiled_step::open(path);
        dlcc::session s(step, 4);
        s.init(1);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5)); // the threads are on their way from spinning to sleep
    }
    std::_Exit(mappings("libgomp") > 0 && mappings("dlcc-step") == 0 ? 0 : 1);
  };
  EXPECT_EXIT(cycles(), testing::ExitedWithCode(0), "");
}

// L17 for files: no descriptors or mappings stay.
TEST_F(Artefact, OpeningAndClosingLeavesNothingBehind) {
  write_file(path, tiny_artefact());
  auto count = [](const char* file) {
    std::ifstream in(file);
    return std::count(std::istreambuf_iterator<char>(in), {}, '\n');
  };
  auto descriptors = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
  };
  open_status(path, nullptr);
  auto maps = count("/proc/self/maps");
  auto fds = descriptors();
  for (int i = 0; i < 300; ++i) ASSERT_EQ(open_status(path, nullptr), DLCC_OK);
  EXPECT_EQ(descriptors(), fds);
  EXPECT_LE(count("/proc/self/maps"), maps + 4); // the allocator may map more; each module would be five
}

// ---- tables ----

namespace {
void expect_refused(FakeModule& fake, dlcc_status status, const char* text) {
  dlcc_module* m = nullptr;
  EXPECT_FAILURE_WITH(dlcc_module_wrap(&fake.info, &m, &err), status, text);
  EXPECT_EQ(m, nullptr);
}
} // namespace

TEST(Tables, DamagedHeaders) {
  struct Case {
    void (*damage)(FakeModule&);
    const char* text;
  };
  const Case cases[] = {
      {[](FakeModule& f) { f.info.magic = 1; }, "magic 00000001, expected 43434c44"},
      {[](FakeModule& f) { f.info.compiler = nullptr; }, "a string of the header is missing"},
      {[](FakeModule& f) { f.info.model_json = nullptr; }, "model_json is missing"},
      {[](FakeModule& f) { f.info.tensors = nullptr; }, "the tensor table"},
      {[](FakeModule& f) { f.info.n_entries = 1u << 30; }, "the entry table"},
      {[](FakeModule& f) { f.info.n_regions = 65; }, "the region table"},
      {[](FakeModule& f) { f.info.hyper_names = nullptr; }, "the hyper table"},
      {[](FakeModule& f) { f.info.alignment = 48; }, "alignment is not a power of two"},
      {[](FakeModule& f) { f.info.alignment = 0; }, "alignment is not a power of two"},
      {[](FakeModule& f) { f.info.work_bytes_per_thread = 65; }, "work_bytes_per_thread"},
      {[](FakeModule& f) { f.regions[DLCC_REG_CONST] = 8; }, "const_data is missing"},
      {[](FakeModule& f) { f.regions[DLCC_REG_CACHE] = 2; }, "no room for its stale word"},
      {[](FakeModule& f) { f.tensors[0].name = ""; }, "name of tensor 0"},
      {[](FakeModule& f) { f.tensors[1].name = "x"; }, "second definition of tensor 'x'"},
      {[](FakeModule& f) { f.tensors[0].kind = 12; }, "kind of tensor 'x'"},
      {[](FakeModule& f) { f.tensors[0].dtype = 10; }, "dtype of tensor 'x'"},
      {[](FakeModule& f) { f.tensors[0].rank = 9; }, "rank of tensor 'x'"},
      {[](FakeModule& f) { f.tensors[0].dims = nullptr; }, "rank of tensor 'x'"},
      {[](FakeModule& f) { f.tensors[0].batch_axis = 2; }, "batch_axis of tensor 'x'"},
      {[](FakeModule& f) { f.tensors[0].nbytes = 44; }, "nbytes of tensor 'x'"},
      {[](FakeModule& f) { f.tensors[0].region = DLCC_REG_PARAM; }, "region of tensor 'x'"},
      {[](FakeModule& f) { f.tensor("param/dense/kernel").region = 7; }, "region of tensor 'param/dense/kernel'"},
      {[](FakeModule& f) { f.tensor("param/dense/kernel").offset = 4; }, "offset of tensor 'param/dense/kernel'"},
      {[](FakeModule& f) { f.tensor("param/dense/kernel").offset = ~uint64_t{0}; }, "offset of tensor"},
      {[](FakeModule& f) { f.entries[0].kind = 10; }, "kind of entry 10"},
      {[](FakeModule& f) { f.entries[8].n_outputs = 0; }, "number of outputs of entry 9"},
      {[](FakeModule& f) { f.tensor("learning_rate").dtype = DLCC_I64; }, "a result that is no f64 scalar of entry 9"},
      {[](FakeModule& f) { f.entries[1].kind = DLCC_FN_INIT; }, "second definition of entry 1"},
      {[](FakeModule& f) { f.entries[0].fn = nullptr; }, "function or name of entry 1"},
      {[](FakeModule& f) { f.entries[1].inputs = nullptr; }, "input list of entry 2"},
      {[](FakeModule& f) { f.entries[1].n_outputs = -1; }, "output list of entry 2"},
      {[](FakeModule& f) {
         static const int32_t out_of_range[] = {0, 1, 99};
         f.entries[1].inputs = out_of_range;
       },
       "an input index of entry 2"},
      {[](FakeModule& f) {
         static const int32_t state[] = {6, 6, 6};
         f.entries[1].outputs = state;
       },
       "an output index of entry 2"},
      {[](FakeModule& f) { f.hyper_names[1] = nullptr; }, "name of hyper-parameter 1"},
      {[](FakeModule& f) { f.accumulate(0.5); }, "accumulate_steps is 0.5"},
  };
  for (const Case& c : cases) {
    FakeModule fake;
    c.damage(fake);
    expect_refused(fake, DLCC_E_CORRUPT, c.text);
  }
}

TEST(Tables, OverflowingAndNegativeDimensions) {
  static const int64_t huge[] = {int64_t{1} << 40, int64_t{1} << 40}, negative[] = {-4, 3};
  FakeModule fake;
  fake.tensors[0].dims = huge;
  expect_refused(fake, DLCC_E_CORRUPT, "dimensions (overflow) of tensor 'x'");
  fake.tensors[0].dims = negative;
  expect_refused(fake, DLCC_E_CORRUPT, "a negative dimension of tensor 'x'");
}

TEST(Tables, CpuFeatures) {
  FakeModule fake;
  fake.info.cpu_features = "+sse2,+quantum";
  expect_refused(fake, DLCC_E_CPU, "'fake': needs feature 'quantum'");
  fake.info.cpu_features = "+sse4a,+uintr,+hreset";
  expect_refused(fake, DLCC_E_CPU, ", this CPU has ");
}

TEST(Tables, RegionsTooLargeForThisMachine) {
  FakeModule fake;
  fake.regions[DLCC_REG_WORK] = ~uint64_t{0} - 8;
  dlcc_module* m = nullptr;
  dlcc_session* s = nullptr;
  ASSERT_EQ(dlcc_module_wrap(&fake.info, &m, nullptr), DLCC_OK);
  EXPECT_FAILURE(dlcc_session_create(m, nullptr, &s, &err), DLCC_E_NOMEM, "sizes of the module overflow");
  dlcc_module_close(m);
}
