// Checkpoints: what is saved comes back bit for bit, and no damage goes unnoticed.
#include "tests/runtime/fake_module.h"

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/core/checkpoint.h"
#include "runtime/core/error.h"
#include "runtime/core/sha256.h"

using namespace dlcc::test;
using dlcc::runtime::CheckpointFile;
using dlcc::runtime::Error;

namespace {

class Checkpoint : public testing::Test {
protected:
  TemporaryFolder folder;
  std::string path = folder / "a.safetensors";

  void save(Handles& h, uint32_t flags = 0) {
    ASSERT_EQ(dlcc_checkpoint_save(h.session, path.c_str(), flags, &h.error), DLCC_OK) << h.error.message;
  }
  static void open_trained(Handles& h, int steps = 3) {
    h.open();
    ASSERT_EQ(dlcc_init(h.session, 10, &h.error), DLCC_OK);
    Batch b;
    for (int i = 0; i < steps; ++i) ASSERT_EQ(h.train(b), DLCC_OK);
  }
};

struct LogHost {
  std::string text;
  dlcc_host_v1 host{};
  dlcc_session_options options = default_options();
  LogHost() {
    host.struct_size = sizeof host;
    host.user = this;
    host.log = [](void* user, int, const char* message) { static_cast<LogHost*>(user)->text += message; };
    options.host = &host;
  }
};

// The file with one piece of the header replaced by one of equal length, and the header's checksum made right again.
std::string reseal(std::string file, const std::string& from, const std::string& to) {
  EXPECT_EQ(from.size(), to.size());
  size_t at = file.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  file.replace(at, from.size(), to);
  uint64_t length = 0;
  std::memcpy(&length, file.data(), 8);
  auto digest = dlcc::runtime::sha256(file.data(), 8 + length);
  std::memcpy(file.data() + file.size() - 96 + 8, digest.data(), 32);
  return file;
}
} // namespace

TEST_F(Checkpoint, ContinuesBitForBit) {
  Handles one, two;
  open_trained(one, 3);
  dlcc_set_hyper(one.session, "learning_rate", 0.1, nullptr);
  dlcc_checkpoint_meta_set(one.session, "dlcc.epoch", "7 \"quoted\" \\ \n\xe2\x82\xac", nullptr);
  save(one);
  two.open();
  ASSERT_EQ(dlcc_checkpoint_load(two.session, path.c_str(), 0, &two.error), DLCC_OK) << two.error.message;
  EXPECT_EQ(dlcc_batches(two.session), 3u);
  EXPECT_EQ(dlcc_updates(two.session), 3u);
  char text[64];
  EXPECT_EQ(dlcc_checkpoint_meta_get(two.session, "dlcc.epoch", text, sizeof text, nullptr), DLCC_OK);
  EXPECT_STREQ(text, "7 \"quoted\" \\ \n\xe2\x82\xac");
  Batch b;
  for (Handles* h : {&one, &two}) ASSERT_EQ(h->train(b), DLCC_OK);
  const std::string again = folder / "b.safetensors";
  save(one);
  ASSERT_EQ(dlcc_checkpoint_save(two.session, again.c_str(), 0, nullptr), DLCC_OK);
  EXPECT_EQ(read_file(path), read_file(again));
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"a.safetensors", "b.safetensors"})); // no temporary file stays
}

TEST_F(Checkpoint, PendingGradientsAreSaved) {
  Handles one, two;
  open_trained(one);
  Batch b;
  auto in = b.inputs(), out = b.outputs();
  dlcc_compute_gradients(one.session, in.data(), 3, out.data(), 3, 4, nullptr);
  save(one);
  open_trained(two, 1);
  ASSERT_EQ(dlcc_checkpoint_load(two.session, path.c_str(), 0, &two.error), DLCC_OK) << two.error.message;
  EXPECT_EQ(two.read("grad/dense/kernel"), one.read("grad/dense/kernel"));
  EXPECT_EQ(dlcc_apply_gradients(two.session, nullptr), DLCC_OK);
  // A file without any clears what the session had.
  dlcc_compute_gradients(two.session, in.data(), 3, out.data(), 3, 4, nullptr);
  dlcc_apply_gradients(one.session, nullptr);
  save(one);
  ASSERT_EQ(dlcc_checkpoint_load(two.session, path.c_str(), 0, &two.error), DLCC_OK) << two.error.message;
  EXPECT_EQ(two.read("grad/dense/kernel"), (std::vector<float>{0, 0, 0}));
  EXPECT_FAILURE(dlcc_apply_gradients(two.session, &err), DLCC_E_STATE,
                 "no gradients are pending: call dlcc_compute_gradients first");
}

TEST_F(Checkpoint, PartsCanBeSavedAndLoaded) {
  Handles one, two;
  open_trained(one);
  save(one, DLCC_SAVE_PARAMS);
  two.open();
  EXPECT_FAILURE(dlcc_checkpoint_load(two.session, path.c_str(), 0, &err), DLCC_E_NOTFOUND,
                 "'" + path + "' has no optimizer state");
  EXPECT_FAILURE(dlcc_checkpoint_load(two.session, path.c_str(), DLCC_SAVE_RNG, &err), DLCC_E_NOTFOUND,
                 "'" + path + "' has no counters");
  ASSERT_EQ(dlcc_checkpoint_load(two.session, path.c_str(), DLCC_SAVE_PARAMS, &two.error), DLCC_OK)
      << two.error.message;
  EXPECT_EQ(two.read("param/dense/kernel"), one.read("param/dense/kernel"));
  EXPECT_EQ(two.read("opt/dense/kernel/m"), (std::vector<float>{0, 0, 0}));
  EXPECT_EQ(dlcc_batches(two.session), 0u);
  EXPECT_FAILURE(dlcc_checkpoint_save(one.session, path.c_str(), 8, &err), DLCC_E_ARG, "flags: unknown bits in 8");
  EXPECT_FAILURE(dlcc_checkpoint_load(one.session, path.c_str(), 64, &err), DLCC_E_ARG, "flags: unknown bits in 64");
}

// J1
TEST_F(Checkpoint, OfAnotherModel) {
  static const int64_t four[] = {4};
  Handles one, two;
  open_trained(one);
  save(one);
  two.fake.info.model_hash[0] = 0xCD;
  two.fake.tensor("opt/dense/kernel/m").dims = four;
  two.fake.tensor("opt/dense/kernel/m").nbytes = 16;
  two.fake.regions[DLCC_REG_OPT] = 16;
  LogHost log;
  two.open(&log.options);
  dlcc_init(two.session, 1, nullptr);
  EXPECT_FAILURE(dlcc_checkpoint_load(two.session, path.c_str(), 0, &err), DLCC_E_MISMATCH,
                 "'" + path +
                     "': checkpoint of another model: fingerprint ab00000000000000 there, cd00000000000000 here; first "
                     "difference: 'opt/dense/kernel/m' is f32 [3] there and f32 [4] here");
  EXPECT_EQ(two.read("param/dense/kernel"), (std::vector<float>{1, 2, 3}));
  ASSERT_EQ(
      dlcc_checkpoint_load(two.session, path.c_str(), DLCC_SAVE_PARAMS | DLCC_SAVE_OPT | DLCC_LOAD_PARTIAL, &two.error),
      DLCC_OK)
      << two.error.message;
  EXPECT_EQ(two.read("param/dense/kernel"), one.read("param/dense/kernel"));
  EXPECT_NE(log.text.find("skipped: of another type: 'opt/dense/kernel/m' is f32 [3] there and f32 [4] here"),
            std::string::npos)
      << log.text;
}

TEST_F(Checkpoint, OfAModelWithOtherTensors) {
  Handles one, two, three;
  open_trained(one);
  save(one);
  two.fake.info.model_hash[0] = 0xCD;
  two.fake.tensor("param/dense/kernel").name = "param/dense_1/kernel";
  two.open();
  EXPECT_FAILURE(dlcc_checkpoint_load(two.session, path.c_str(), 0, &err), DLCC_E_MISMATCH,
                 "'" + path +
                     "': checkpoint of another model: fingerprint ab00000000000000 there, cd00000000000000 here; first "
                     "difference: 'param/dense_1/kernel' is missing there and f32 [3] here");
  // Half a state is no state: a session that was never initialised refuses it.
  EXPECT_FAILURE(dlcc_checkpoint_load(two.session, path.c_str(), DLCC_LOAD_PARTIAL, &err), DLCC_E_STATE,
                 "'" + path +
                     "' does not hold the whole state of this model, which has none yet: missing: "
                     "'param/dense_1/kernel'; not in this model: 'param/dense/kernel'");
  three.fake.info.model_hash[0] = 0xCD;
  three.open();
  EXPECT_FAILURE(dlcc_checkpoint_load(three.session, path.c_str(), 0, &err), DLCC_E_MISMATCH,
                 "'" + path +
                     "': checkpoint of another model: fingerprint ab00000000000000 there, cd00000000000000 here; all "
                     "tensors agree");
  EXPECT_EQ(dlcc_checkpoint_load(three.session, path.c_str(), DLCC_LOAD_PARTIAL, &three.error), DLCC_OK)
      << three.error.message;
}

TEST_F(Checkpoint, OfAnotherCompilerIsAWarning) {
  Handles one, two;
  open_trained(one);
  save(one);
  LogHost log;
  two.fake.info.compiler = "0.2.0";
  two.open(&log.options);
  ASSERT_EQ(dlcc_checkpoint_load(two.session, path.c_str(), 0, &two.error), DLCC_OK) << two.error.message;
  EXPECT_NE(log.text.find("saved by a program of another compiler"), std::string::npos);
}

// J3: every truncation.
TEST_F(Checkpoint, Truncated) {
  Handles h;
  open_trained(h);
  save(h);
  const std::string good = read_file(path);
  for (size_t n = 0; n<good.size(); n += n + 600> good.size() ? 1 : 512) {
    write_file(path, good.substr(0, n));
    EXPECT_FAILURE_WITH(dlcc_checkpoint_load(h.session, path.c_str(), 0, &err), DLCC_E_CORRUPT,
                        "a.safetensors': corrupt: ");
  }
  write_file(path, good + std::string(1, '\0'));
  EXPECT_FAILURE(dlcc_checkpoint_load(h.session, path.c_str(), 0, &err), DLCC_E_CORRUPT,
                 "'" + path + "': corrupt: 149 bytes of data, expected 148 (truncated?)");
  write_file(path, good);
  EXPECT_EQ(dlcc_checkpoint_load(h.session, path.c_str(), 0, nullptr), DLCC_OK);
}

// Every single bit of the file, header and data.
TEST_F(Checkpoint, FlippedBits) {
  Handles h;
  open_trained(h);
  save(h);
  const std::string good = read_file(path);
  const auto before = h.read("param/dense/kernel");
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  for (size_t at = 0; at < good.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      const char bad = static_cast<char>(good[at] ^ (1 << bit));
      ASSERT_EQ(pwrite(fd, &bad, 1, static_cast<off_t>(at)), 1);
      dlcc_error e{};
      ASSERT_EQ(dlcc_checkpoint_load(h.session, path.c_str(), 0, &e), DLCC_E_CORRUPT) << at << "." << bit << e.message;
    }
    ASSERT_EQ(pwrite(fd, &good[at], 1, static_cast<off_t>(at)), 1);
  }
  close(fd);
  EXPECT_EQ(h.read("param/dense/kernel"), before);
  EXPECT_EQ(dlcc_checkpoint_load(h.session, path.c_str(), 0, &h.error), DLCC_OK) << h.error.message;
}

TEST_F(Checkpoint, DamageNamesTheTensor) {
  Handles h;
  open_trained(h);
  save(h);
  std::string bad = read_file(path);
  uint64_t length = 0;
  std::memcpy(&length, bad.data(), 8);
  bad[8 + length] = static_cast<char>(bad[8 + length] ^ 1); // the f64 buffer comes first
  write_file(path, bad);
  EXPECT_FAILURE(dlcc_checkpoint_load(h.session, path.c_str(), 0, &err), DLCC_E_CORRUPT,
                 "'" + path + "': corrupt: checksum of tensor 'buffer/total' differs");
}

// J5
TEST_F(Checkpoint, OfAnotherFormat) {
  Handles h;
  open_trained(h);
  save(h);
  const std::string good = read_file(path);
  std::string newer = reseal(good, R"("dlcc.format":"1")", R"("dlcc.format":"2")");
  write_file(path, reseal(newer, "\"dlcc.version\":\"" DLCC_VERSION_TEXT "\"", "\"dlcc.version\":\"9.1.7\""));
  EXPECT_FAILURE(dlcc_checkpoint_load(h.session, path.c_str(), 0, &err), DLCC_E_ABI,
                 "'" + path +
                     "': checkpoint format 2 written by dlcc 9.1.7, this is dlcc " DLCC_VERSION_TEXT " (format 1)");
}

TEST_F(Checkpoint, CountersThatAreNoNumbers) {
  Handles h;
  open_trained(h);
  save(h);
  const std::string good = read_file(path);
  write_file(path, reseal(good, R"("dlcc.batches":"3")", R"("dlcc.batches":"x")"));
  EXPECT_FAILURE(dlcc_checkpoint_load(h.session, path.c_str(), 0, &err), DLCC_E_CORRUPT,
                 "'" + path + "': corrupt: metadata 'dlcc.batches' is not a number");
  write_file(path, reseal(good, R"("dlcc.batches")", R"("dlcc.bxtches")"));
  EXPECT_FAILURE(dlcc_checkpoint_load(h.session, path.c_str(), 0, &err), DLCC_E_CORRUPT,
                 "'" + path + "': corrupt: metadata 'dlcc.batches' is missing");
}

TEST_F(Checkpoint, OtherFiles) {
  Handles h;
  h.open();
  EXPECT_FAILURE(dlcc_checkpoint_load(h.session, path.c_str(), 0, &err), DLCC_E_IO,
                 "cannot open '" + path + "': No such file or directory");
  EXPECT_FAILURE(dlcc_checkpoint_load(h.session, folder.path().c_str(), 0, &err), DLCC_E_IO,
                 "'" + folder.path() + "' is not a regular file");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_FAILURE(dlcc_checkpoint_load(h.session, path.c_str(), 0, &err), DLCC_E_IO,
                 "'" + path + "' is not a regular file");
  unlink(path.c_str());
  std::string plain = R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  uint64_t length = plain.size();
  write_file(path, std::string(reinterpret_cast<char*>(&length), 8) + plain + std::string(4, '\0'));
  EXPECT_FAILURE(dlcc_checkpoint_load(h.session, path.c_str(), 0, &err), DLCC_E_CORRUPT,
                 "'" + path + "': corrupt: no dlcc.trailer at the end (not a dlcc checkpoint?)");
}

// J7, J9: whatever goes wrong while saving, the old file stays, nothing is left behind, and the session trains on.
TEST_F(Checkpoint, FailedSavesKeepTheOldFile) {
  Handles h;
  open_trained(h);
  save(h);
  const std::string good = read_file(path);
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  rlimit small = old;
  small.rlim_cur = 500;
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  dlcc_error e{};
  const dlcc_status status = dlcc_checkpoint_save(h.session, path.c_str(), 0, &e);
  setrlimit(RLIMIT_FSIZE, &old);
  EXPECT_EQ(status, DLCC_E_IO);
  EXPECT_NE(std::string(e.message).find("File too large"), std::string::npos) << e.message;
  EXPECT_EQ(read_file(path), good);
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a.safetensors"});
  EXPECT_FAILURE(dlcc_checkpoint_save(h.session, (folder / "no/a").c_str(), 0, &err), DLCC_E_IO,
                 "cannot open the folder of '" + (folder / "no/a") + "': No such file or directory");
  EXPECT_FAILURE(dlcc_checkpoint_save(h.session, (folder / "no/").c_str(), 0, &err), DLCC_E_IO,
                 "cannot write '" + (folder / "no/") + "': not a file name");
  std::filesystem::create_directory(folder / "dir.safetensors");
  EXPECT_FAILURE(dlcc_checkpoint_save(h.session, (folder / "dir.safetensors").c_str(), 0, &err), DLCC_E_IO,
                 "cannot write '" + (folder / "dir.safetensors") + "': it is not a regular file");
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"a.safetensors", "dir.safetensors"}));
  EXPECT_FAILURE(dlcc_checkpoint_save(h.session, "/proc/a.safetensors", 0, &err), DLCC_E_IO,
                 "cannot create a temporary file for '/proc/a.safetensors': No such file or directory");
  Batch b;
  EXPECT_EQ(h.train(b), DLCC_OK);
}

TEST_F(Checkpoint, BigTensorsGoThroughManyChunks) {
  std::vector<float> values((5u << 20) / 4 + 3);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  dlcc::runtime::write_checkpoint(path, {{"dlcc.format", "1"}},
                                  {{"param/b", DLCC_U8, {3}, "abc"},
                                   {"param/a", DLCC_F32, {static_cast<int64_t>(values.size())}, values.data()},
                                   {"param/none", DLCC_I64, {0, 7}, nullptr}});
  CheckpointFile file(path);
  ASSERT_EQ(file.tensors().size(), 3u);
  EXPECT_EQ(file.tensors().back().name, "param/b"); // narrow types last, so that all are aligned
  std::vector<float> back(values.size());
  file.read(*file.find("param/a"), back.data());
  EXPECT_EQ(back, values);
  EXPECT_EQ(file.find("param/none")->bytes(), 0u);
  EXPECT_EQ(file.find("param/c"), nullptr);
  // Changed behind our back after it was verified.
  std::fstream change(path, std::ios::in | std::ios::out | std::ios::binary);
  change.seekp(2 << 20);
  change.write("xxxx", 4);
  change.close();
  EXPECT_THROW(file.read(*file.find("param/a"), back.data()), Error);
}
