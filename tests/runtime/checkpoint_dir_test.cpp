// Folders of checkpoints: the lock, the newest valid file, pruning, left-over temporary files.
#include "tests/runtime/fake_module.h"

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/core/atomic_file.h"
#include "runtime/core/checkpoint.h"
#include "runtime/core/checkpoint_dir.h"
#include "runtime/core/error.h"

using namespace dlcc::runtime;
using dlcc::test::read_file;
using dlcc::test::TemporaryFolder;
using dlcc::test::write_file;

static void save(const std::string& path, time_t time, const std::string& batches = "0") {
  const float w = 1;
  write_checkpoint(path, {{"dlcc.format", "1"}, {"dlcc.batches", batches}}, {{"param/w", DLCC_F32, {}, &w}});
  const timespec times[] = {{time, 0}, {time, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
}

// J3: damaged files are passed over, and said to be.
TEST(CheckpointFolder, TheNewestValidFileIsFound) {
  TemporaryFolder folder;
  EXPECT_FALSE(holds_checkpoints(folder.path()));
  EXPECT_FALSE(holds_checkpoints(folder / "missing"));
  EXPECT_EQ(find_latest_checkpoint(folder.path()).path, "");
  save(folder / "ckpt-1.safetensors", 1000);
  save(folder / "ckpt-3.safetensors", 3000);
  save(folder / "ckpt-2.safetensors", 2000);
  write_file(folder / "notes.txt", "newest of all");
  write_file(folder / ".ckpt-4.safetensors.tmp.1.0", "torn");
  EXPECT_TRUE(holds_checkpoints(folder.path()));
  auto latest = find_latest_checkpoint(folder.path());
  EXPECT_EQ(latest.path, folder / "ckpt-3.safetensors");
  EXPECT_TRUE(latest.skipped.empty());
  const std::string torn = read_file(folder / "ckpt-3.safetensors");
  write_file(folder / "ckpt-3.safetensors", torn.substr(0, torn.size() / 2));
  latest = find_latest_checkpoint(folder.path());
  EXPECT_EQ(latest.path, folder / "ckpt-2.safetensors");
  ASSERT_EQ(latest.skipped.size(), 1u);
  EXPECT_EQ(latest.skipped[0].path, folder / "ckpt-3.safetensors");
  EXPECT_NE(latest.skipped[0].reason.find("corrupt: "), std::string::npos);
}

// A copy of a folder, or a checkpoint that was looked at with a careless program, has other times.
TEST(CheckpointFolder, TheLatestIsTheOneAfterTheMostBatches) {
  TemporaryFolder folder;
  save(folder / "ckpt-9.safetensors", 3000, "9");
  save(folder / "last.safetensors", 1000, "10");
  save(folder / "copy.safetensors", 2000, "10");
  EXPECT_EQ(find_latest_checkpoint(folder.path()).path, folder / "copy.safetensors");
}

TEST(CheckpointFolder, AnAbandonedFutureIsDropped) {
  TemporaryFolder folder;
  for (const char* step : {"10", "20", "30"}) save(folder / "ckpt-" + step + ".safetensors", 1000, step);
  save(folder / "best.safetensors", 1000, "20");
  save(folder / "last.safetensors", 1000, "30");
  save(folder / "mine.safetensors", 1000, "30");
  auto dropped = drop_later_checkpoints(folder.path(), 20);
  std::sort(dropped.begin(), dropped.end());
  EXPECT_EQ(dropped, (std::vector<std::string>{folder / "ckpt-30.safetensors", folder / "last.safetensors"}));
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"best.safetensors", "ckpt-10.safetensors", "ckpt-20.safetensors",
                                                      "mine.safetensors"}));
}

TEST(CheckpointFolder, PruningKeepsTheLargestNumbersAndAllOtherFiles) {
  TemporaryFolder folder;
  for (const char* name :
       {"ckpt-00000009.safetensors", "ckpt-00000010.safetensors", "ckpt-8.safetensors", "ckpt-100000000.safetensors",
        "best.safetensors", "last.safetensors", "ckpt-.safetensors", "ckpt-7x.safetensors", "ckpt-1.npz"})
    write_file(folder / name, "x");
  EXPECT_EQ(prune_checkpoints(folder.path(), 2),
            (std::vector<std::string>{folder / "ckpt-00000009.safetensors", folder / "ckpt-8.safetensors"}));
  EXPECT_EQ(folder.names(), (std::vector<std::string>{
                                "best.safetensors", "ckpt-.safetensors", "ckpt-00000010.safetensors", "ckpt-1.npz",
                                "ckpt-100000000.safetensors", "ckpt-7x.safetensors", "last.safetensors"}));
}

// J13
TEST(CheckpointFolder, TemporaryFilesOfDeadProcessesAreRemoved) {
  TemporaryFolder folder;
  pid_t dead = fork();
  if (dead == 0) _exit(0);
  waitpid(dead, nullptr, 0);
  const std::string gone = ".a.safetensors.tmp." + std::to_string(dead) + ".3";
  const std::string mine = ".a.safetensors.tmp." + std::to_string(getpid()) + ".0";
  for (const std::string& name :
       {gone, mine, std::string("a.tmp.1.2"), ".x.tmp." + std::to_string(dead), ".x.tmp." + std::to_string(dead) + ".y",
        std::string(".x.tmp.-5.1"), std::string(".x.tmp.99999999999999999999.1")})
    write_file(folder / name, "x");
  const size_t before = folder.names().size();
  EXPECT_EQ(remove_stale_temporaries(folder.path()), std::vector<std::string>{folder / gone});
  EXPECT_EQ(folder.names().size(), before - 1);
}

// J11
TEST(CheckpointFolder, OneRunAtATime) {
  TemporaryFolder folder;
  {
    FolderLock lock(folder.path());
    try {
      FolderLock second(folder.path());
      FAIL();
    } catch (const Error& e) {
      EXPECT_EQ(e.status(), DLCC_E_BUSY);
      EXPECT_EQ(e.message(), "'" + folder.path() + "' is in use by pid " + std::to_string(getpid()));
    }
  }
  FolderLock again(folder.path());
  EXPECT_THROW(FolderLock(folder / "missing"), Error);
}

TEST(AtomicFile, ReplacesOnlyOnCommit) {
  TemporaryFolder folder;
  const std::string path = folder / "history.csv";
  write_file(path, "old");
  {
    AtomicFile file(path);
    file.write("new", 3);
    EXPECT_EQ(folder.names().size(), 2u);
    int64_t pid = 0;
    EXPECT_TRUE(is_temporary_name(folder.names()[0], &pid)) << folder.names()[0];
    EXPECT_EQ(pid, getpid());
  }
  EXPECT_EQ(read_file(path), "old");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"history.csv"});
  {
    AtomicFile file(path, 100); // more reserved than written
    file.write("new", 3);
    file.commit();
  }
  EXPECT_EQ(read_file(path), "new");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"history.csv"});
}

TEST(AtomicFile, ReplacesNothingButRegularFiles) {
  TemporaryFolder folder;
  const std::string pipe = folder / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0666), 0);
  for (const std::string& path : {pipe, std::string("/dev/null"), folder.path()}) {
    try {
      AtomicFile file(path);
      FAIL() << path;
    } catch (const Error& e) {
      EXPECT_EQ(e.status(), DLCC_E_IO);
      EXPECT_EQ(e.message(), "cannot write '" + path + "': it is not a regular file");
    }
  }
  EXPECT_EQ(folder.names(), std::vector<std::string>{"pipe"});
}

TEST(AtomicFile, WritesWhereALinkLeads) {
  TemporaryFolder folder;
  std::filesystem::create_directory(folder / "disk");
  write_file(folder / "disk/a", "old");
  ASSERT_EQ(symlink("disk/a", (folder / "link").c_str()), 0);
  ASSERT_EQ(symlink("disk/nothing", (folder / "loose").c_str()), 0);
  AtomicFile file(folder / "link");
  file.write("new", 3);
  file.commit();
  EXPECT_EQ(read_file(folder / "disk/a"), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_THROW(AtomicFile(folder / "loose"), Error);
}

TEST(AtomicFile, ModeRespectsTheUmask) {
  TemporaryFolder folder;
  const mode_t old = umask(027);
  AtomicFile file(folder / "x.so", 0, 0777);
  file.commit();
  umask(old);
  struct stat st;
  ASSERT_EQ(stat((folder / "x.so").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0750u);
}
