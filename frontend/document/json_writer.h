// Writes indented JSON from begin/end calls: for the resolved model and the JSON Schema.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dlcc::frontend {

std::string json_string(std::string_view text);

/// Objects and lists go one member a line, unless they are opened as `flat`.
class JsonWriter {
public:
  void begin_object(bool flat = false) { begin('{', flat); }
  void end_object() { end('}'); }
  void begin_list(bool flat = false) { begin('[', flat); }
  void end_list() { end(']'); }
  void key(std::string_view name) { separate(), text_ += json_string(name) + ": ", after_key_ = true; }
  /// A value that is already JSON.
  void raw(std::string_view json) { separate(), text_ += json; }
  void string(std::string_view value) { raw(json_string(value)); }
  void boolean(bool value) { raw(value ? "true" : "false"); }
  void integer(int64_t value) { raw(std::to_string(value)); }
  void number(double value);

  void member(std::string_view name, std::string_view value) { key(name), string(value); }
  std::string take() { return std::move(text_) + "\n"; }

private:
  struct Open {
    bool flat, empty;
  };
  void begin(char bracket, bool flat);
  void end(char bracket);
  void separate();

  std::string text_;
  std::vector<Open> open_;
  bool after_key_ = false;
};

} // namespace dlcc::frontend
