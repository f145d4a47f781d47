// A JSON text as an immutable tree of positioned values, read without recursion from bytes that nobody trusts.
#pragma once

#include "ir/base/diagnostics.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dlcc::frontend {

/// What a value is. A number written without '.', 'e' or 'E' is an `integer`; every other one is a `number`.
enum class Kind : uint8_t { null, boolean, integer, number, string, list, object };

/// Index of a value in its document; `no_value` = none.
using ValueId = uint32_t;
inline constexpr ValueId no_value = UINT32_MAX;

/// Characters of a string, within the document's.
struct TextSpan {
  uint32_t offset, length;
};
/// The chain of a list's or object's values.
struct Children {
  ValueId first;
  uint32_t count;
};

/// One value. Children of a list or object are a chain: `children.first`, then `next`.
struct Value {
  Kind kind = Kind::null;
  ValueId parent = no_value, next = no_value;
  uint32_t key_offset = 0, key_length = 0; ///< within the document's characters; only in an object
  Location where;                          ///< of the first byte of the value; unknown for values set from outside
  Location key_where;                      ///< of the first byte of the key
  union {
    int64_t integer = 0;
    double number;
    bool boolean;
    TextSpan text;
    Children children;
  };
};

/// Limits of a document (ROBUSTNESS R4).
struct DocumentLimits {
  size_t bytes = size_t{256} << 20;
  size_t depth = 64;
  size_t values = 16'000'000;
};

/// Value 0 is the root. Everything is reached by id; ids stay valid while the document lives.
class Document {
public:
  /// Parses `text` (RFC 8259, UTF-8, a byte order mark is skipped). On an error: one diagnostic and nothing.
  /// Duplicate keys and integers beyond 64 bits are errors too, and are collected: there may be several.
  static std::optional<Document> parse(std::string_view text, DiagnosticList& diagnostics,
                                       const DocumentLimits& limits = {});

  /// Sets the value at `path` ("train.batch_size", "layers.0.units", "layers.hidden.units", or a JSON pointer);
  /// objects on the way are made, and a name given in short form becomes {"type": name}. `text` is JSON, or else a
  /// string. False with a diagnostic if the path leads through a number, past a list's end, ...
  /// A step finds a member whose key is `same` as the path's, if there is none of exactly its name.
  using SameKey = bool (*)(std::string_view, std::string_view);
  bool set(std::string_view path, std::string_view text, DiagnosticList& diagnostics, SameKey same = nullptr);

  const Value& operator[](ValueId id) const { return values_[id]; }
  ValueId root() const { return 0; }
  size_t size() const { return values_.size(); }

  std::string_view key(ValueId id) const { return characters(values_[id].key_offset, values_[id].key_length); }
  std::string_view text(ValueId id) const { return characters(values_[id].text.offset, values_[id].text.length); }
  /// The member of an object with that key, or `no_value` (also if `object` is no object).
  ValueId find(ValueId object, std::string_view key) const;
  ValueId first_child(ValueId id) const { return is_container(id) ? values_[id].children.first : no_value; }
  uint32_t child_count(ValueId id) const { return is_container(id) ? values_[id].children.count : 0; }

  /// "/layers/3/activation"; "" for the root.
  std::string pointer(ValueId id) const;
  /// The value as a reader names it, e.g. "the string 'relu'", "2.0", "a list of 3"; escaped and short.
  std::string describe(ValueId id) const;

private:
  friend class DocumentBuilder;
  bool is_container(ValueId id) const { return values_[id].kind == Kind::list || values_[id].kind == Kind::object; }
  std::string_view characters(uint32_t offset, uint32_t length) const {
    return std::string_view(characters_).substr(offset, length);
  }
  ValueId last_child(ValueId id) const;
  ValueId step_into(ValueId id, std::string_view token, SameKey same);
  ValueId append_member(ValueId object, std::string_view key);
  ValueId append_string(std::string_view text);

  std::vector<Value> values_;
  std::string characters_;
};

/// The shortest decimal text that reads back as `x`, with ".0" where it would look like an integer.
std::string number_text(double x);

} // namespace dlcc::frontend
