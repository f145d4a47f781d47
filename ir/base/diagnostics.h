// Two kinds of failure, never mixed: the user's (Diagnostic: collected, with a place) and ours (InternalError).
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace dlcc {

/// A place in a text file; line and column count from 1, in bytes; line 0 = no place.
struct Location {
  uint32_t line = 0, column = 0;
  bool known() const { return line != 0; }
  friend bool operator==(const Location&, const Location&) = default;
};

/// Exit codes of the command-line tools; the kind of a diagnostic decides which one a run ends with.
enum class ExitCode : int {
  ok = 0,
  internal = 1,
  usage = 2,
  model = 3,
  data = 4,
  artefact = 5,
  io = 6,
  environment = 7,
  numeric = 8,
  requirement = 9,
};

enum class Severity : uint8_t { warning, error };

/// One message for the user. `text` starts lower case and says what was found and what was expected.
struct Diagnostic {
  Severity severity = Severity::error;
  std::string name; ///< short kebab-case name, printed in brackets: "unknown-name"
  std::string text;
  std::string file; ///< as the user named it; empty: the tool itself speaks
  Location where;
  std::string pointer; ///< JSON pointer of the place, if there is one
  std::vector<std::string> notes;
};

/// Collects diagnostics up to a limit of errors; later ones are only counted.
class DiagnosticList {
public:
  explicit DiagnosticList(std::string file = {}, size_t error_limit = 20)
      : file_(std::move(file)), limit_(error_limit) {}

  void add(Diagnostic d);
  void error(std::string name, std::string text, Location where = {}, std::string pointer = {});
  void warning(std::string name, std::string text, Location where = {}, std::string pointer = {});
  void append(const DiagnosticList& other);
  /// Warnings of this name become errors.
  void promote(std::string_view name);

  bool has_errors() const { return errors_ != 0; }
  size_t error_count() const { return errors_; }
  bool full() const { return errors_ >= limit_; }
  const std::vector<Diagnostic>& all() const { return items_; }
  const std::string& file() const { return file_; }

private:
  std::string file_;
  size_t limit_, errors_ = 0;
  std::vector<Diagnostic> items_;
};

/// `file:line:col: error: text [name]`, escaped, at most 300 bytes, without a newline.
std::string format_short(const Diagnostic& d);

/// Control characters, escapes and invalid UTF-8 as \xNN; cut to `limit` bytes with "...".
std::string escape(std::string_view text, size_t limit = 200);

/// The candidate nearest to `name` by edit distance, at most a third of its length; empty if none.
std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates);
/// `, did you mean 'x'?` or nothing.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates);

/// A user's error that ends the work at once (I/O, resources); `code` is the exit code.
class UserError : public std::runtime_error {
public:
  UserError(ExitCode code, Diagnostic d) : std::runtime_error(d.text), code(code), diagnostic(std::move(d)) {}
  UserError(ExitCode code, std::string name, std::string text, std::string file = {})
      : UserError(code, Diagnostic{Severity::error, std::move(name), std::move(text), std::move(file), {}, {}, {}}) {}
  ExitCode code;
  Diagnostic diagnostic;
};

/// Always a bug of dlcc.
class InternalError : public std::logic_error {
public:
  using std::logic_error::logic_error;
};
[[noreturn]] void internal_error(const char* file, int line, const std::string& what);

} // namespace dlcc

/// Checks an invariant of dlcc itself, in every build.
#define DLCC_CHECK(condition, what)                                                                                    \
  do {                                                                                                                 \
    if (!(condition)) ::dlcc::internal_error(__FILE__, __LINE__, (what));                                              \
  } while (false)
