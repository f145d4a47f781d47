#include "ir/base/text.h"

#include <charconv>
#include <cmath>

namespace dlcc {

namespace {
bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '/' || c == '-';
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }
} // namespace

std::string print_double(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char buffer[40];
  auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  std::string text(buffer, end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string print_string(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    auto u = static_cast<unsigned char>(c);
    static const char hex[] = "0123456789abcdef";
    if (c == '"' || c == '\\')
      out += '\\', out += c;
    else if (u < 0x20 || u == 0x7F)
      out += {'\\', 'x', hex[u >> 4], hex[u & 15]};
    else
      out += c;
  }
  return out + "\"";
}

std::string print_name(std::string_view name) {
  bool plain = !name.empty();
  for (char c : name) plain = plain && is_name_char(c);
  return plain ? std::string(name) : print_string(name);
}

std::string print_attribute(const AttributeValue& value) {
  struct Printer {
    std::string operator()(bool v) { return v ? "true" : "false"; }
    std::string operator()(int64_t v) { return std::to_string(v); }
    std::string operator()(double v) { return print_double(v); }
    std::string operator()(DType v) { return std::string(name_of(v)); }
    std::string operator()(const std::string& v) { return print_string(v); }
    std::string operator()(const std::vector<int64_t>& v) {
      std::string out = "[";
      for (size_t i = 0; i < v.size(); ++i) out += (i ? "," : "") + std::to_string(v[i]);
      return out + "]";
    }
    // A leading '~' tells a list of numbers from a list of integers, also when it is empty.
    std::string operator()(const std::vector<double>& v) {
      std::string out = "~[";
      for (size_t i = 0; i < v.size(); ++i) out += (i ? "," : "") + print_double(v[i]);
      return out + "]";
    }
  };
  return std::visit(Printer{}, value);
}

std::string print_attributes(const Attributes& attributes) {
  if (attributes.empty()) return "";
  std::string out = "{";
  for (auto& [name, value] : attributes)
    out += (out.size() > 1 ? ", " : "") + print_name(name) + " = " + print_attribute(value);
  return out + "}";
}

std::string print_location(Location where) {
  return where.known() ? "@" + std::to_string(where.line) + ":" + std::to_string(where.column) : "";
}

Lexer::Lexer(std::string_view text) : text_(text) { scan(); }

void Lexer::fail(const std::string& what) const { throw TextError(token_.where, what); }

namespace {
int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}
} // namespace

void Lexer::scan() {
  bool first = position_ == 0;
  auto here = [&] { return position_ < text_.size() ? text_[position_] : '\0'; };
  auto step = [&] {
    if (text_[position_++] == '\n')
      ++line_, column_ = 1, first = true;
    else
      ++column_;
  };
  while (position_ < text_.size()) {
    char c = here();
    if (c == '#')
      while (position_ < text_.size() && here() != '\n') step();
    else if (c == ' ' || c == '\n' || c == '\t' || c == '\r')
      step();
    else
      break;
  }
  token_ = Token{TokenKind::end, {}, {line_, column_}, first};
  if (position_ >= text_.size()) return;
  char c = here();
  if (c == '"') {
    token_.kind = TokenKind::string;
    for (step(); here() != '"'; step()) {
      if (position_ >= text_.size() || here() == '\n') fail("the string is not closed");
      if (here() != '\\') {
        token_.text += here();
        continue;
      }
      step();
      if (here() == 'x' && position_ + 2 < text_.size() && hex_digit(text_[position_ + 1]) >= 0 &&
          hex_digit(text_[position_ + 2]) >= 0) {
        token_.text += static_cast<char>(hex_digit(text_[position_ + 1]) * 16 + hex_digit(text_[position_ + 2]));
        step(), step();
      } else if (here() == '"' || here() == '\\')
        token_.text += here();
      else
        fail("unknown escape in a string");
    }
    step();
    return;
  }
  char following = position_ + 1 < text_.size() ? text_[position_ + 1] : '\0';
  if (c == '@' && is_digit(following)) {
    token_.kind = TokenKind::location;
    for (step(); is_digit(here()) || here() == ':'; step()) token_.text += here();
    return;
  }
  if (c == '-' && following == '>') {
    token_.kind = TokenKind::punctuation, token_.text = "->";
    step(), step();
    return;
  }
  if (is_name_char(c)) {
    while (is_name_char(here()) ||
           (here() == '+' && !token_.text.empty() && token_.text.back() == 'e' && is_digit(token_.text[c == '-'])))
      token_.text += here(), step();
    const char *begin = token_.text.data(), *end = begin + token_.text.size();
    int64_t i;
    double d;
    auto whole = std::from_chars(begin, end, i);
    auto real = std::from_chars(begin, end, d);
    bool digits = is_digit(c) || (c == '-' && is_digit(following));
    if (whole.ptr == end && whole.ec == std::errc())
      token_.kind = TokenKind::integer;
    else if (digits && real.ptr == end && real.ec == std::errc())
      token_.kind = TokenKind::number;
    else
      token_.kind = TokenKind::name;
    return;
  }
  token_.kind = TokenKind::punctuation;
  token_.text = c;
  step();
}

Token Lexer::next() {
  Token t = token_;
  scan();
  return t;
}

bool Lexer::is(std::string_view expected) const {
  return (token_.kind == TokenKind::punctuation || token_.kind == TokenKind::name) && token_.text == expected;
}

bool Lexer::accept(std::string_view expected) {
  if (!is(expected)) return false;
  scan();
  return true;
}

void Lexer::expect(std::string_view expected) {
  if (!accept(expected))
    fail("expected '" + std::string(expected) + "', found " +
         (at_end() ? "the end of the text" : "'" + escape(token_.text, 40) + "'"));
}

std::string Lexer::name() {
  if (token_.kind == TokenKind::end || token_.kind == TokenKind::punctuation || token_.kind == TokenKind::location)
    fail("expected a name" + (at_end() ? std::string() : ", found '" + escape(token_.text, 40) + "'"));
  return next().text;
}

std::string Lexer::string() {
  if (token_.kind != TokenKind::string) fail("expected a quoted string");
  return next().text;
}

int64_t Lexer::integer() {
  if (token_.kind != TokenKind::integer) fail("expected an integer, found '" + escape(token_.text, 40) + "'");
  int64_t value = 0;
  std::from_chars(token_.text.data(), token_.text.data() + token_.text.size(), value);
  scan();
  return value;
}

double Lexer::number() {
  double value = 0;
  const std::string& t = token_.text;
  if (t == "inf")
    value = INFINITY;
  else if (t == "-inf")
    value = -INFINITY;
  else if (t == "nan")
    value = NAN;
  else if (token_.kind == TokenKind::integer || token_.kind == TokenKind::number)
    std::from_chars(t.data(), t.data() + t.size(), value);
  else
    fail("expected a number, found '" + escape(t, 40) + "'");
  scan();
  return value;
}

Location Lexer::location() {
  if (token_.kind != TokenKind::location) return {};
  Location where;
  const char *begin = token_.text.data(), *end = begin + token_.text.size();
  auto first = std::from_chars(begin, end, where.line);
  if (first.ptr < end) std::from_chars(first.ptr + 1, end, where.column);
  scan();
  return where;
}

AttributeValue parse_attribute(Lexer& lexer) {
  const Token& t = lexer.peek();
  if (t.kind == TokenKind::string) return lexer.string();
  if (t.kind == TokenKind::integer) return lexer.integer();
  if (lexer.accept("~")) {
    std::vector<double> list;
    lexer.expect("[");
    while (!lexer.is("]")) {
      list.push_back(lexer.number());
      if (!lexer.accept(",")) break;
    }
    lexer.expect("]");
    return list;
  }
  if (lexer.is("[")) return parse_shape(lexer);
  if (lexer.accept("true")) return true;
  if (lexer.accept("false")) return false;
  if (auto dtype = t.kind == TokenKind::name ? dtype_from_name(t.text) : std::nullopt) {
    lexer.next();
    return *dtype;
  }
  return lexer.number();
}

Attributes parse_attributes(Lexer& lexer) {
  Attributes attributes;
  if (!lexer.accept("{")) return attributes;
  while (!lexer.is("}")) {
    std::string name = lexer.name();
    if (attributes.has(name)) lexer.fail("attribute '" + escape(name, 40) + "' twice");
    lexer.expect("=");
    attributes.set(name, parse_attribute(lexer));
    if (!lexer.accept(",")) break;
  }
  lexer.expect("}");
  return attributes;
}

Shape parse_shape(Lexer& lexer) {
  Shape shape;
  lexer.expect("[");
  while (!lexer.is("]")) {
    shape.push_back(lexer.integer());
    if (!lexer.accept(",")) break;
  }
  lexer.expect("]");
  return shape;
}

Type parse_type(Lexer& lexer) {
  Token t = lexer.peek();
  std::string name = lexer.name();
  auto dtype = dtype_from_name(name);
  if (!dtype) throw TextError(t.where, "unknown element type '" + escape(name, 40) + "'");
  return {*dtype, parse_shape(lexer)};
}

} // namespace dlcc
