// The order in which files reach the disk: what has its final name is whole, whenever the power goes.
#include "tests/runtime/fake_module.h"
#include "tests/runtime/system_calls.h"

#include <algorithm>

#include "runtime/core/atomic_file.h"
#include "runtime/core/checkpoint.h"
#include "runtime/core/error.h"

using namespace dlcc::test;
using Kind = SystemCall::Kind;

namespace {

class Durability : public testing::Test {
protected:
  void SetUp() override {
    h.open();
    ASSERT_EQ(dlcc_init(h.session, 10, &h.error), DLCC_OK);
  }
  dlcc_status save(uint32_t flags = 0) { return dlcc_checkpoint_save(h.session, path.c_str(), flags, &h.error); }
  // Where the file gets its name; the end if it never does.
  static size_t rename_in(const SystemCalls& recorded) {
    size_t i = 0;
    while (i < recorded.calls.size() && recorded.calls[i].kind != Kind::rename) ++i;
    return i;
  }

  Handles h;
  TemporaryFolder folder;
  std::string path = folder / "a.safetensors";
};

// Written, synced, read back, and only then given its name; then the folder is synced, and nothing follows.
TEST_F(Durability, ACheckpointGetsItsNameWhenItIsOnTheDiskAndWasReadBack) {
  SystemCalls recorded;
  ASSERT_EQ(save(), DLCC_OK) << h.error.message;
  const size_t rename = rename_in(recorded);
  ASSERT_LT(rename, recorded.calls.size());
  EXPECT_EQ(recorded.calls[rename].name, "a.safetensors");
  EXPECT_EQ(recorded.unsynced(".a.safetensors.tmp.", rename), 0u);
  uint64_t written = 0, read = 0;
  size_t last_write = 0, first_read = recorded.calls.size();
  for (size_t i = 0; i < rename; ++i) {
    const SystemCall& c = recorded.calls[i];
    EXPECT_TRUE(c.name.starts_with(".a.safetensors.tmp.")) << c.name;
    if (c.kind == Kind::write) written += c.bytes, last_write = i;
    if (c.kind == Kind::read) read += c.bytes, first_read = std::min(first_read, i);
  }
  EXPECT_EQ(read, written) << "all of it is read back";
  EXPECT_EQ(recorded.unsynced("", first_read), 0u) << "what is read back comes from the disk";
  EXPECT_LT(last_write, first_read);
  ASSERT_EQ(recorded.calls.size(), rename + 2);
  EXPECT_EQ(recorded.calls.back().kind, Kind::fsync);
  EXPECT_EQ(recorded.calls.back().name, folder.path().substr(folder.path().rfind('/') + 1));
}

TEST_F(Durability, OtherFilesLikewise) {
  SystemCalls recorded;
  dlcc::runtime::AtomicFile file(folder / "notes", 0);
  file.write("some", 4);
  file.write("thing", 5);
  file.commit();
  const size_t rename = rename_in(recorded);
  ASSERT_EQ(recorded.calls.size(), rename + 2);
  EXPECT_EQ(recorded.unsynced("", rename), 0u);
  EXPECT_EQ(recorded.calls.back().kind, Kind::fsync);
  EXPECT_EQ(read_file(folder / "notes"), "something");
}

TEST_F(Durability, WhatTheDiskGivesBackOtherwiseIsNoCheckpoint) {
  ASSERT_EQ(save(), DLCC_OK);
  const std::string good = read_file(path);
  ASSERT_EQ(dlcc_init(h.session, 99, &h.error), DLCC_OK);
  {
    SystemCalls recorded;
    recorded.flip_next_read = true;
    EXPECT_FAILURE(dlcc_checkpoint_save(h.session, path.c_str(), 0, &err), DLCC_E_CORRUPT,
                   "'" + path + "': reading back gave other bytes than were written");
    EXPECT_EQ(recorded.count(Kind::rename), 0);
  }
  EXPECT_EQ(read_file(path), good);
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a.safetensors"});
  EXPECT_EQ(save(), DLCC_OK);
  EXPECT_NE(read_file(path), good);
}

// J9: an error of fsync is not tried again on that file; the next save makes a new one.
TEST_F(Durability, FailingFsync) {
  ASSERT_EQ(save(), DLCC_OK);
  const std::string good = read_file(path);
  ASSERT_EQ(dlcc_init(h.session, 99, &h.error), DLCC_OK);
  SystemCalls recorded;
  recorded.failing_fsync = 1;
  EXPECT_FAILURE(dlcc_checkpoint_save(h.session, path.c_str(), 0, &err), DLCC_E_IO,
                 "cannot fsync '" + path + "': Input/output error");
  EXPECT_EQ(recorded.count(Kind::fsync), 1);
  EXPECT_EQ(recorded.count(Kind::rename), 0);
  EXPECT_EQ(read_file(path), good);
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a.safetensors"});
  recorded.failing_fsync = 3; // that of the folder: the new file is in place, but the caller learns of it
  EXPECT_FAILURE(dlcc_checkpoint_save(h.session, path.c_str(), 0, &err), DLCC_E_IO,
                 "cannot fsync the folder of '" + path + "': Input/output error");
  EXPECT_EQ(recorded.count(Kind::rename), 1);
  EXPECT_EQ(save(), DLCC_OK);
  EXPECT_NE(read_file(path), good);
}

// The strings of a run go with its counters: without them they would say what is not so.
TEST_F(Durability, MetadataAreSavedWithTheCounters) {
  ASSERT_EQ(dlcc_checkpoint_meta_set(h.session, "epoch", "7", &h.error), DLCC_OK);
  for (const auto& [flags, saved] : {std::pair<uint32_t, bool>{DLCC_SAVE_PARAMS, false},
                                     {DLCC_SAVE_OPT, false},
                                     {DLCC_SAVE_PARAMS | DLCC_SAVE_OPT, false},
                                     {DLCC_SAVE_RNG, true},
                                     {DLCC_SAVE_ALL, true}}) {
    ASSERT_EQ(save(flags), DLCC_OK) << h.error.message;
    EXPECT_EQ(dlcc::runtime::CheckpointFile(path).meta("epoch") != nullptr, saved) << flags;
  }
}

} // namespace
