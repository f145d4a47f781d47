#include "tests/cli/program.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <regex>
#include <spawn.h>
#include <sstream>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

extern char** environ;

namespace dlcc::cli_tests {

namespace fs = std::filesystem;

Folder::Folder() {
  std::string name = (fs::temp_directory_path() / "dlcc-cli-XXXXXX").string();
  if (!mkdtemp(name.data())) ADD_FAILURE() << "mkdtemp: " << strerror(errno);
  path_ = name;
}

Folder::~Folder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void Folder::write(const std::string& name, const std::string& bytes) const {
  std::ofstream(path_ / name, std::ios::binary) << bytes;
}

std::string Folder::read(const std::string& name) const {
  std::ifstream file(path_ / name, std::ios::binary);
  EXPECT_TRUE(file.good()) << "no file '" << name << "'";
  // As large as it is now: a log may grow faster than it is read.
  std::string bytes(static_cast<size_t>(file.seekg(0, std::ios::end).tellg()), '\0');
  file.seekg(0).read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<size_t>(file.gcount()));
  return bytes;
}

std::map<std::string, std::string> Folder::snapshot() const {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(path_)) {
    std::string name = fs::relative(entry.path(), path_).string();
    if (entry.is_directory())
      files[name + "/"];
    else
      files[name] = read(name);
  }
  return files;
}

Result Folder::run(const std::vector<std::string>& args, const RunOptions& options) const {
  return Running(*this, args, options).finish();
}

namespace {

// The program and its arguments; behind a shell where the run needs limits, redirections or a umask.
std::vector<std::string> command_of(const std::vector<std::string>& args, const RunOptions& options) {
  std::vector<std::string> command;
  if (!options.limits.empty() || !options.redirections.empty() || !options.umask.empty()) {
    std::string script;
    for (const std::string& limit : options.limits) script += "ulimit " + limit + " && ";
    if (!options.umask.empty()) script += "umask " + options.umask + " && ";
    command = {"/bin/bash", "-c", script + "exec \"$0\" \"$@\" " + options.redirections};
  }
  command.insert(command.end(), options.launcher.begin(), options.launcher.end());
  command.push_back(DLCC_PROGRAM);
  command.insert(command.end(), args.begin(), args.end());
  return command;
}

std::vector<std::string> environment_of(const RunOptions& options) {
  std::vector<std::string> all;
  for (char** e = environ; *e; ++e) {
    std::string name(*e, strcspn(*e, "="));
    if (!options.env.contains(name)) all.emplace_back(*e);
  }
  for (const auto& [name, value] : options.env)
    if (!value.empty()) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  for (std::string& w : words) all.push_back(w.data());
  all.push_back(nullptr);
  return all;
}

void append_available(int& fd, std::string& text) {
  char buffer[65536];
  ssize_t got = read(fd, buffer, sizeof buffer);
  if (got > 0)
    text.append(buffer, static_cast<size_t>(got));
  else if (got == 0 || errno != EINTR)
    close(std::exchange(fd, -1));
}

} // namespace

Running::Running(const Folder& folder, const std::vector<std::string>& args, const RunOptions& options)
    : folder_(folder), input_(options.input) {
  int in[2], out[2], err[2];
  if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC)) {
    ADD_FAILURE() << "pipe: " << strerror(errno);
    return;
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  posix_spawn_file_actions_adddup2(&actions, err[1], 2);
  // What the test's own parents left open would count against a limit on descriptors.
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  posix_spawn_file_actions_addchdir_np(&actions, folder.path().c_str());
  std::vector<std::string> command = command_of(args, options), environment = environment_of(options);
  // A new process inherits the peak of the memory of the one that starts it: lower that to what is in use.
  std::ofstream("/proc/self/clear_refs") << 5;
  int failed =
      posix_spawn(&pid_, command[0].c_str(), &actions, nullptr, pointers(command).data(), pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  for (int fd : {in[0], out[1], err[1]}) close(fd);
  in_ = in[1], out_ = out[0], err_ = err[0];
  if (failed) {
    ADD_FAILURE() << "cannot start " << command[0] << ": " << strerror(failed);
    pid_ = -1;
  }
}

Running::~Running() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  for (int fd : {in_, out_, err_})
    if (fd >= 0) close(fd);
}

void Running::send(int signal) const {
  if (pid_ > 0) kill(pid_, signal);
}

bool Running::wait_for_file(const std::string& name, const std::string& what) const {
  auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (std::chrono::steady_clock::now() < end) {
    if (folder_.has(name) && (what.empty() || folder_.read(name).find(what) != std::string::npos)) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return false;
}

bool Running::wait_for_signal_set(const std::string& set, int signal, bool in) const {
  auto now_in = [&] {
    std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
    for (std::string line; std::getline(status, line);)
      if (line.starts_with(set + ":"))
        return (std::stoull(line.substr(set.size() + 1), nullptr, 16) >> (signal - 1) & 1) != 0;
    return !in;
  };
  for (int i = 0; i < 10000; ++i) {
    if (now_in() == in) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

Result Running::finish() {
  Result result;
  if (pid_ <= 0) return result;
  signal(SIGPIPE, SIG_IGN); // the program may stop reading
  size_t sent = 0;
  while (in_ >= 0 || out_ >= 0 || err_ >= 0) {
    if (in_ >= 0 && sent == input_.size()) close(std::exchange(in_, -1));
    pollfd waits[3] = {{in_, POLLOUT, 0}, {out_, POLLIN, 0}, {err_, POLLIN, 0}};
    if (poll(waits, 3, -1) < 0) continue;
    if (in_ >= 0 && waits[0].revents) {
      ssize_t put = write(in_, input_.data() + sent, std::min<size_t>(input_.size() - sent, 4096));
      if (put > 0)
        sent += static_cast<size_t>(put);
      else
        close(std::exchange(in_, -1));
    }
    if (out_ >= 0 && waits[1].revents) append_available(out_, result.out);
    if (err_ >= 0 && waits[2].revents) append_available(err_, result.err);
  }
  int status = 0;
  rusage used{};
  while (wait4(pid_, &status, 0, &used) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec); };
  result.cpu_seconds = seconds(used.ru_utime) + seconds(used.ru_stime);
  result.peak_mib = static_cast<double>(used.ru_maxrss) / 1024;
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  return result;
}

std::map<std::string, std::string> at_call(int number, const std::string& what) {
  return {{"LD_PRELOAD", AT_CALL}, {"AT_CALL", std::to_string(number) + " " + what}};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string without_seconds(const std::string& history) {
  return std::regex_replace(history, std::regex(",\"seconds\":[-+.e0-9]+"), "");
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << "no '" << from << "' to replace";
  for (; at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
  return text;
}

void expect_cheap(const Result& result, const Bounds& bounds) {
  constexpr double slack = sanitized ? 20 : 2;
  EXPECT_LE(result.cpu_seconds, slack * bounds.cpu_seconds);
  EXPECT_TRUE(sanitized || result.peak_mib <= bounds.peak_mib) << result.peak_mib << " MiB";
}

void expect_fault_with(const Result& result, int exit_code, const std::vector<std::string>& words,
                       const Bounds& bounds) {
  EXPECT_EQ(result.signal, 0) << "ended by a signal\n" << result.err;
  EXPECT_EQ(result.exit_code, exit_code) << result.err;
  EXPECT_EQ(result.out, "");
  expect_cheap(result, bounds);
  std::vector<std::string> lines = lines_of(result.err);
  ASSERT_EQ(lines.size(), 1u) << result.err;
  EXPECT_LE(lines[0].size(), 300u) << lines[0];
  bool control = std::any_of(lines[0].begin(), lines[0].end(), [](unsigned char c) { return c < 32 || c == 127; });
  EXPECT_FALSE(control) << lines[0];
  EXPECT_NE(lines[0].find("error: "), std::string::npos) << lines[0];
  EXPECT_EQ(lines[0].back(), ']') << "no name of the fault: " << lines[0];
  for (const std::string& word : words)
    EXPECT_NE(lines[0].find(word), std::string::npos) << "no '" << word << "' in: " << lines[0];
}

void expect_fault(const Result& result, int exit_code, const std::string& line, const Bounds& bounds) {
  expect_fault_with(result, exit_code, {}, bounds);
  EXPECT_EQ(result.err, line + "\n");
}

void expect_refused(const Folder& folder, const std::vector<std::string>& args, int exit_code, const std::string& line,
                    const RunOptions& options, const Bounds& bounds) {
  const auto before = folder.snapshot();
  expect_fault(folder.run(args, options), exit_code, line, bounds);
  auto after = folder.snapshot();
  std::erase_if(after, [&](const auto& entry) { return entry.first.ends_with("/") && !before.contains(entry.first); });
  EXPECT_TRUE(after == before) << "the folder was changed";
}

} // namespace dlcc::cli_tests
