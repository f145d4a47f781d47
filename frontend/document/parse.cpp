// Document::parse: nlohmann's SAX parser over an iterator that counts lines and columns.
#include "frontend/document/document.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <unordered_set>

namespace dlcc::frontend {

namespace {
// Follows the bytes that the lexer takes and remembers where the latest token and the latest value began. The lexer
// reads one byte beyond a number, which cannot begin a value in a correct text, so `value` is right when an event
// fires.
struct Scanner {
  const char* at;
  const char* end;
  Location here{1, 1}, token{1, 1}, value{1, 1};
  const char *token_at = nullptr, *value_at = nullptr;
  bool in_string = false, escaped = false, in_word = false;

  void begin(bool is_value) {
    token = here, token_at = at;
    if (is_value) value = here, value_at = at;
  }
  void advance() {
    char c = *at;
    if (in_string) {
      if (escaped)
        escaped = false;
      else if (c == '\\')
        escaped = true;
      else if (c == '"')
        in_string = false;
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      in_word = false;
    } else if (c == ',' || c == ':' || c == ']' || c == '}') {
      begin(false), in_word = false;
    } else if (c == '[' || c == '{' || c == '"') {
      begin(true), in_word = false, in_string = c == '"';
    } else if (!in_word) {
      begin(true), in_word = true;
    }
    ++here.column;
    if (c == '\n') ++here.line, here.column = 1;
    ++at;
  }
};

struct CountingIterator {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  Scanner* scanner = nullptr; // none: the end
  const char& operator*() const { return *scanner->at; }
  CountingIterator& operator++() { return scanner->advance(), *this; }
  CountingIterator operator++(int) { return ++*this; }
  bool at_end() const { return !scanner || scanner->at == scanner->end; }
  friend bool operator==(const CountingIterator& a, const CountingIterator& b) { return a.at_end() == b.at_end(); }
  friend bool operator!=(const CountingIterator& a, const CountingIterator& b) { return !(a == b); }
};

using Sax = nlohmann::json_sax<nlohmann::json>;
} // namespace

class DocumentBuilder final : public Sax {
public:
  DocumentBuilder(Document& document, Scanner& scanner, DiagnosticList& diagnostics, const DocumentLimits& limits)
      : doc_(document), scan_(scanner), diagnostics_(diagnostics), limits_(limits) {}

  bool null() override { return add(Kind::null) != nullptr; }
  bool boolean(bool x) override {
    Value* v = add(Kind::boolean);
    if (v) v->boolean = x;
    return v;
  }
  bool number_integer(number_integer_t x) override { return add_integer(x); }
  bool number_unsigned(number_unsigned_t x) override {
    if (x <= static_cast<number_unsigned_t>(INT64_MAX)) return add_integer(static_cast<int64_t>(x));
    integer_out_of_range(std::to_string(x));
    return add_integer(0);
  }
  bool number_float(number_float_t x, const string_t& text) override {
    if (text.find_first_of(".eE") == std::string::npos) { // the lexer turns large integers into doubles
      integer_out_of_range(text);
      return add_integer(0);
    }
    if (x == 0 && text.substr(0, text.find_first_of("eE")).find_first_of("123456789") != std::string::npos)
      diagnostics_.warning("underflow", "number " + escape(text, 40) + " rounds to 0", scan_.value);
    Value* v = add(Kind::number);
    if (v) v->number = x;
    return v;
  }
  bool string(string_t& text) override {
    auto offset = static_cast<uint32_t>(doc_.characters_.size());
    doc_.characters_ += text;
    Value* v = add(Kind::string);
    if (v) v->text = {offset, static_cast<uint32_t>(text.size())};
    return v;
  }
  bool binary(binary_t&) override { return false; }
  bool start_object(size_t) override { return open(Kind::object); }
  bool start_array(size_t) override { return open(Kind::list); }
  bool end_object() override { return open_.pop_back(), true; }
  bool end_array() override { return open_.pop_back(), true; }
  bool key(string_t& text) override;
  bool parse_error(size_t, const std::string& last_token, const nlohmann::json::exception& e) override;

private:
  struct Open {
    ValueId id, last_child = no_value;
    std::unordered_set<std::string> keys; // only of objects with many members
  };

  Value* add(Kind kind);
  bool open(Kind kind);
  bool add_integer(int64_t x) {
    Value* v = add(Kind::integer);
    if (v) v->integer = x;
    return v;
  }
  void integer_out_of_range(const std::string& text) {
    diagnostics_.error("out-of-range", "integer out of range: " + escape(text, 40) + ", expected at most 64 bits",
                       scan_.value);
  }
  void report_syntax(const std::string& what);
  bool is_duplicate(Open& object, const std::string& text);

  Document& doc_;
  Scanner& scan_;
  DiagnosticList& diagnostics_;
  const DocumentLimits& limits_;
  std::vector<Open> open_;
  uint32_t key_offset_ = 0, key_length_ = 0;
  Location key_where_;
};

Value* DocumentBuilder::add(Kind kind) {
  if (doc_.values_.size() >= limits_.values) {
    diagnostics_.error("too-large", "more than " + std::to_string(limits_.values) + " values in one document",
                       scan_.value);
    return nullptr;
  }
  auto id = static_cast<ValueId>(doc_.values_.size());
  Value& v = doc_.values_.emplace_back();
  v.kind = kind;
  v.where = scan_.value;
  if (open_.empty()) return &v;
  Open& parent = open_.back();
  Value& list = doc_.values_[parent.id];
  v.parent = parent.id;
  if (list.kind == Kind::object) v.key_offset = key_offset_, v.key_length = key_length_, v.key_where = key_where_;
  (parent.last_child == no_value ? list.children.first : doc_.values_[parent.last_child].next) = id;
  parent.last_child = id;
  ++list.children.count;
  return &v;
}

bool DocumentBuilder::open(Kind kind) {
  if (open_.size() >= limits_.depth) {
    diagnostics_.error("nesting", "nesting deeper than " + std::to_string(limits_.depth), scan_.value);
    return false;
  }
  Value* v = add(kind);
  if (!v) return false;
  v->children = {no_value, 0};
  open_.push_back({static_cast<ValueId>(doc_.values_.size() - 1), no_value, {}});
  return true;
}

// Few members: compare them all. Many: a set, so that a million keys stay linear.
bool DocumentBuilder::is_duplicate(Open& object, const std::string& text) {
  constexpr uint32_t few = 16;
  uint32_t count = doc_.values_[object.id].children.count;
  if (count < few) return doc_.find(object.id, text) != no_value;
  if (object.keys.empty())
    for (ValueId id = doc_.first_child(object.id); id != no_value; id = doc_[id].next)
      object.keys.emplace(doc_.key(id));
  return !object.keys.emplace(text).second;
}

bool DocumentBuilder::key(string_t& text) {
  if (is_duplicate(open_.back(), text))
    diagnostics_.error("duplicate-key", "duplicate key '" + escape(text, 80) + "', expected each key once",
                       scan_.value);
  key_offset_ = static_cast<uint32_t>(doc_.characters_.size());
  key_length_ = static_cast<uint32_t>(text.size());
  key_where_ = scan_.value;
  doc_.characters_ += text;
  return true;
}

bool DocumentBuilder::parse_error(size_t, const std::string&, const nlohmann::json::exception& e) {
  if (e.id == 406) {
    std::string number(scan_.value_at, std::find_if(scan_.value_at, scan_.end, [](char c) {
                         return !(c == '+' || c == '-' || c == '.' || c == 'e' || c == 'E' || (c >= '0' && c <= '9'));
                       }));
    diagnostics_.error("out-of-range", "number out of range: " + escape(number, 40) + ", expected at most 1.8e308",
                       scan_.value);
    return false;
  }
  std::string what = e.what();
  size_t start = what.find(" - ");
  what = start == std::string::npos ? what : what.substr(start + 3);
  what = what.substr(0, what.find("; last read: "));
  if (size_t at = what.find("; expected "); at != std::string::npos) what[at] = ',';
  report_syntax(what);
  return false;
}

// A well-formed token in the wrong place is named by its start, anything else by the byte that the lexer stopped at.
void DocumentBuilder::report_syntax(const std::string& what) {
  const bool is_token = what.starts_with("unexpected ");
  if (is_token) {
    Location where = scan_.token;
    if (what.find("end of input") < what.find(", expected") && scan_.at == scan_.end) where = scan_.here;
    if (what.starts_with("unexpected number")) where = scan_.value; // one byte beyond it has been read
    return diagnostics_.error("json-syntax", "bad JSON: " + what, where);
  }
  const char* token = scan_.token_at;
  const char* byte = scan_.at == token ? token : scan_.at - 1;
  Location where = scan_.token;
  if (what.find("missing closing quote") == std::string::npos) where.column += static_cast<uint32_t>(byte - token);
  if (token + 1 < scan_.end && *token == '/' && (token[1] == '/' || token[1] == '*'))
    return diagnostics_.error("json-syntax", "comments are not allowed; use \"x-note\"", scan_.token);
  if (static_cast<unsigned char>(*byte) >= 0x80)
    return diagnostics_.error("encoding", "not UTF-8: byte " + escape({byte, 1}) + ", expected a UTF-8 text", where);
  std::string_view rest(token, static_cast<size_t>(scan_.end - token));
  std::string_view word =
      rest.substr(0, *token == '"' ? static_cast<size_t>(scan_.at - token) : rest.find_first_of(" \t\r\n,:]}[{"));
  diagnostics_.error("json-syntax", "bad JSON: " + what + ", read '" + escape(word, 40) + "'", where);
}

std::optional<Document> Document::parse(std::string_view text, DiagnosticList& diagnostics,
                                        const DocumentLimits& limits) {
  const Location start{1, 1};
  if (text.size() > limits.bytes) {
    diagnostics.error("too-large", "file of " + std::to_string(text.size()) + " bytes, expected at most " +
                                       std::to_string(limits.bytes));
    return std::nullopt;
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    diagnostics.error("empty-file", "empty file, expected a JSON object", start);
    return std::nullopt;
  }
  bool is_utf16 = text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF") ||
                  (text.size() > 1 && (text[0] == '\0') != (text[1] == '\0'));
  if (is_utf16) {
    diagnostics.error("encoding", "not UTF-8: this looks like UTF-16, expected a UTF-8 text", start);
    return std::nullopt;
  }
  Document document;
  document.values_.reserve(std::min(text.size() / 8 + 16, limits.values));
  document.characters_.reserve(text.size() / 2);
  Scanner scanner{text.data(), text.data() + text.size()};
  size_t errors_before = diagnostics.error_count();
  DocumentBuilder builder(document, scanner, diagnostics, limits);
  bool good = nlohmann::json::sax_parse(CountingIterator{&scanner}, CountingIterator{}, &builder);
  if (good && scanner.at != scanner.end) // the lexer takes a zero byte for the end
    diagnostics.error("json-syntax", "bad JSON: zero byte after the value, expected the end of the file",
                      scanner.token);
  if (!good || diagnostics.error_count() != errors_before) return std::nullopt;
  return document;
}

} // namespace dlcc::frontend
