// The lexer and the printing helpers that the two textual IRs share. Grammar of tokens:
//   name    [A-Za-z0-9_./-]+ or "quoted" with \" \\ \xNN escapes
//   number  shortest decimal that reads back exactly (inf, -inf, nan as words)
//   # ...   commentary to the end of the line, not kept
#pragma once

#include "ir/base/attributes.h"
#include "ir/base/diagnostics.h"
#include "ir/base/shape.h"

#include <string>
#include <string_view>

namespace dlcc {

/// Shortest decimal that parses back to the same double; always has a '.', an 'e' or is inf/nan, so that it is no
/// integer.
std::string print_double(double value);
/// The name itself, or quoted when it has other characters than [A-Za-z0-9_./-] or is empty.
std::string print_name(std::string_view name);
std::string print_string(std::string_view text);
std::string print_attribute(const AttributeValue& value);
/// `{axis = 1, keepdims = true}` or nothing when empty.
std::string print_attributes(const Attributes& attributes);
/// `@3:15`
std::string print_location(Location where);

/// Thrown by the lexer and the IR parsers; the place counts from 1.
struct TextError : std::runtime_error {
  TextError(Location where, const std::string& what) : std::runtime_error(what), where(where) {}
  Location where;
};

/// A rule of an IR that something violates; the place is known if the IR was read from a text.
struct Violation {
  std::string text;
  Location where;
};

enum class TokenKind : uint8_t { name, string, integer, number, punctuation, location, end };

struct Token {
  TokenKind kind = TokenKind::end;
  std::string text; ///< unescaped for strings; the character(s) for punctuation ("->", "{", "%", ...)
  Location where;
  bool first_on_line = false;
};

/// One token of look-ahead over a text in memory. A number directly followed by name characters is a name ("2x").
class Lexer {
public:
  explicit Lexer(std::string_view text);

  const Token& peek() const { return token_; }
  Token next();
  bool at_end() const { return token_.kind == TokenKind::end; }
  bool is(std::string_view punctuation_or_word) const;
  bool accept(std::string_view punctuation_or_word);
  void expect(std::string_view punctuation_or_word);
  /// A bare or quoted name.
  std::string name();
  std::string string();
  int64_t integer();
  /// An integer or a number, or the words inf, nan.
  double number();
  Location location(); ///< `@3:15`; no place when the next token is not one
  [[noreturn]] void fail(const std::string& what) const;

private:
  void scan();
  std::string_view text_;
  size_t position_ = 0;
  uint32_t line_ = 1, column_ = 1;
  Token token_;
};

AttributeValue parse_attribute(Lexer& lexer);
Attributes parse_attributes(Lexer& lexer); ///< `{...}` or nothing
Shape parse_shape(Lexer& lexer);           ///< `[32,20]`
Type parse_type(Lexer& lexer);             ///< `f32[32,20]`

} // namespace dlcc
