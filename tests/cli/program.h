// Runs the real `dlcc` program in a folder of its own and says what it printed, wrote and how it ended.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace dlcc::cli_tests {

/// What a run may differ in from a plain one.
struct RunOptions {
  std::string input;                      ///< what standard input gives; then end of file
  std::map<std::string, std::string> env; ///< added to the environment; an empty value removes the variable
  std::vector<std::string> limits;        ///< words for the shell's `ulimit`, one call each: "-v 300000"
  std::string redirections;               ///< shell redirections behind the command: ">&- 2>/dev/full"
  std::string umask;                      ///< set before the program starts, if not empty
  std::vector<std::string> launcher;      ///< a program that starts dlcc, with its arguments
};

struct Result {
  int exit_code = -1; ///< -1: ended by a signal
  int signal = 0;
  std::string out, err;
  double cpu_seconds = 0, peak_mib = 0; ///< of all its threads; resident
};

/// A temporary folder that every run of a test starts in; removed at the end.
class Folder {
public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::filesystem::path path(const std::string& name = {}) const { return name.empty() ? path_ : path_ / name; }
  void write(const std::string& name, const std::string& bytes) const;
  std::string read(const std::string& name) const; ///< fails the test if there is no such file
  bool has(const std::string& name) const { return std::filesystem::exists(path_ / name); }
  /// Every file below the folder with its bytes; folders by name with "/" behind it.
  std::map<std::string, std::string> snapshot() const;

  /// `dlcc ARGS` in this folder, to its end.
  Result run(const std::vector<std::string>& args, const RunOptions& options = {}) const;

private:
  std::filesystem::path path_;
};

/// A `dlcc` that runs while the test does something to it; killed if the test leaves it alone.
class Running {
public:
  Running(const Folder& folder, const std::vector<std::string>& args, const RunOptions& options = {});
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  void send(int signal) const;
  /// Waits until `what` stands in the named file of the folder (or until any file has that name); false after a minute.
  bool wait_for_file(const std::string& name, const std::string& what = {}) const;
  /// Waits until the signal is in the set of this name in /proc/PID/status, or out of it; false after ten seconds.
  bool wait_for_signal_set(const std::string& set, int signal, bool in) const;
  Result finish();
  pid_t pid() const { return pid_; }

private:
  const Folder& folder_;
  pid_t pid_ = -1;
  int in_ = -1, out_ = -1, err_ = -1;
  std::string input_;
};

/// The environment of a run to which something happens at its call of the system of this number (see at_call.c).
std::map<std::string, std::string> at_call(int number, const std::string& what);

/// The lines of a text, without their ends.
std::vector<std::string> lines_of(const std::string& text);

/// A history.jsonl without how long epochs took.
std::string without_seconds(const std::string& history);

/// Text with each `from` replaced by `to`; fails the test if there is none.
std::string replaced(std::string text, const std::string& from, const std::string& to);

/// Address sanitizer takes terabytes of addresses, and much time, memory and stack.
#ifdef __SANITIZE_ADDRESS__
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif

/// What a refused input may cost, unless its row in the list of bad inputs says something else.
struct Bounds {
  double cpu_seconds = 2, peak_mib = 200;
};

/// The run took no more than that, and somewhat more time where sanitizers or assertions are built in.
void expect_cheap(const Result& result, const Bounds& bounds);

/// A fault as the list of bad inputs promises it: this exit code within the bounds, this line alone on standard error
/// (at most 300 bytes, no control characters), nothing on standard output.
void expect_fault(const Result& result, int exit_code, const std::string& line, const Bounds& bounds = {});

/// The same of a line that is not known as a whole: it holds the words.
void expect_fault_with(const Result& result, int exit_code, const std::vector<std::string>& words,
                       const Bounds& bounds = {});

/// `dlcc ARGS` is such a fault, and no file of the folder was made or changed; `train` may have made its empty folder.
void expect_refused(const Folder& folder, const std::vector<std::string>& args, int exit_code, const std::string& line,
                    const RunOptions& options = {}, const Bounds& bounds = {});

} // namespace dlcc::cli_tests
