// The one table of everything that model.json may say: validation, defaults, JSON Schema and key documentation come
// from it.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace dlcc::frontend {

/// What a key's value may be. The C++ type that it is read into stands behind.
enum class KeyKind : uint8_t {
  boolean,     ///< bool
  integer,     ///< int64_t
  number,      ///< double; an integer is one too
  string,      ///< std::string
  name,        ///< std::string: not empty, at most 1,024 bytes, no control characters
  identifier,  ///< std::string: letters, digits, '_'
  choice,      ///< std::string: one of `options`
  character,   ///< std::string: one printable character of ASCII, or a tab, also written as "tab"
  tie,         ///< std::string: "@layer/param" or "@layer/param^T"
  integers,    ///< std::vector<int64_t>
  numbers,     ///< std::vector<double>; a single number is a list of one
  names,       ///< std::vector<Name>; a single name is a list of one
  texts,       ///< std::vector<Name>: any texts, also empty ones
  dims,        ///< std::vector<Dim>: integers >= 1 and upper-case symbols
  record,      ///< std::vector<Record> of one
  records,     ///< std::vector<Record>
  one_or_more, ///< std::vector<Record>; a single one may stand alone
  by_name,     ///< std::vector<Record>, an object of name -> record
  weights,     ///< std::vector<std::pair<int64_t, double>>: an object of class number -> weight
  nodes,       ///< std::vector<NodeSpec>
  attributes,  ///< of a node: NodeSpec::attributes
  either,      ///< as the first of `alternatives` that takes a value of its JSON type
};

/// The families of records. A family's records are told apart by its discriminator key ("type", "schedule", ...).
enum class Group : uint8_t {
  none,
  model,
  tensor,
  param,
  function,
  gradient,
  node,
  layer,
  activation,
  loss,
  metric,
  optimizer,
  schedule,
  initializer,
  regularizer,
  train,
  early_stopping,
  checkpoint,
  compile,
  data,
  section,
  column,
  missing,
  transform,
};

/// A default: nothing (the key is simply absent), a value, an empty list, or a record by name.
using Default = std::variant<std::monostate, bool, int64_t, double, std::string>;

/// One key of a record. Built fluently: number("rate").at_least(0).at_most(1).required("share of zeros").
struct Key {
  std::string name;
  KeyKind kind = KeyKind::string;
  Group group = Group::none;        ///< of `record`, `records`, `one_or_more`, `by_name`
  std::vector<std::string> options; ///< of `choice`
  std::vector<Key> alternatives;    ///< of `either`
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
  bool low_open = false, high_open = false;
  bool is_required = false;
  size_t fewest = 0; ///< entries of a list
  Default fallback;
  std::string guard, guard_value; ///< if set: the key exists only when the key `guard` has that value
  std::string doc;

  Key at_least(double x) && {
    low = x;
    return std::move(*this);
  }
  Key more_than(double x) && {
    low = x, low_open = true;
    return std::move(*this);
  }
  Key at_most(double x) && {
    high = x;
    return std::move(*this);
  }
  Key below(double x) && {
    high = x, high_open = true;
    return std::move(*this);
  }
  Key at_least_entries(size_t n) && {
    fewest = n;
    return std::move(*this);
  }
  Key only_with(std::string key, std::string value) && {
    guard = std::move(key), guard_value = std::move(value);
    return std::move(*this);
  }
  /// Ends a key: it must be given; it has a default; or it may be absent.
  Key required(std::string text) && {
    is_required = true, doc = std::move(text);
    return std::move(*this);
  }
  Key optional(std::string text) && {
    doc = std::move(text);
    return std::move(*this);
  }
  Key defaults(Default value, std::string text) && {
    fallback = std::move(value), doc = std::move(text);
    return std::move(*this);
  }
};

Key boolean(std::string name);
Key integer(std::string name);
Key number(std::string name);
Key text(std::string name);
Key name_key(std::string name, KeyKind kind = KeyKind::name);
Key list(std::string name, KeyKind kind);
Key choice(std::string name, std::vector<std::string> options);
Key either(std::vector<Key> alternatives); ///< of one name
Key record(std::string name, Group group, KeyKind kind = KeyKind::record);

/// Keys of which at most one may be given; exactly one, if one is required.
struct Alternatives {
  std::vector<std::string> keys;
  bool is_required = false;
};

/// One thing that a model may name: a layer, a loss, an optimizer, a section.
struct RecordDef {
  std::string name;
  std::string summary; ///< one sentence, or the equation
  std::vector<Key> keys;
  std::vector<Alternatives> alternatives;
};

/// The initialiser of scikit-learn's layers: uniform(-b, b), b = sqrt(factor / (in + out)) of the layer.
inline constexpr const char* fan_uniform = "fan_uniform";
/// Records that losses and metrics of the model's own are: of a value, and of a function.
inline constexpr const char* own_value = "own_value";
inline constexpr const char* own_function = "own_function";

/// A family of records.
struct GroupDef {
  Group id = Group::none;
  std::string noun;          ///< "layer", for messages and definitions of the JSON Schema
  std::string discriminator; ///< "" if the family has a single record, written without a type
  bool short_form = false;   ///< a name alone stands for {"type": name}, or is an alias of the family's single record
  std::string
      from_number;        ///< a number alone stands for this record with its first own key set to it; "" if not allowed
  bool from_file = false; ///< a string stands for a file that holds the record
  bool open_keys = false; ///< one more key per input and label (data)
  std::vector<RecordDef> records;
  std::optional<RecordDef> by_value;    ///< what an object without a type but with the key "value" stands for
  std::optional<RecordDef> by_function; ///< what a function of the model stands for, by its name in place of a type

  const RecordDef* find(std::string_view name) const;
  std::vector<std::string> names() const;
};

/// All groups, built once. The index is the Group.
const GroupDef& group(Group id);
const std::vector<GroupDef>& all_groups();

/// The format that this compiler reads: "dlcc": 1.
inline constexpr int64_t format_version = 1;
/// Most nodes, and most layers after Repeat is unrolled (ROBUSTNESS R4).
inline constexpr int64_t max_nodes = 1'000'000;
inline constexpr size_t max_name_bytes = 1024;
inline constexpr size_t max_node_inputs = 4096;
inline constexpr size_t max_attributes = 4096;

const std::vector<std::string>& dtype_names();
/// "an integer >= 1", "one of mask, drop, error": what a key takes, for messages and documentation.
std::string expected_text(const Key& key);
/// "a layer", "an optimizer".
std::string with_article(const std::string& noun);

// One function a file of this folder; the layers stand beside their builders (frontend/network/layers).
std::vector<GroupDef> model_groups();
std::vector<GroupDef> layer_groups();
std::vector<GroupDef> activation_groups();
std::vector<GroupDef> loss_groups();
std::vector<GroupDef> optimizer_groups();
std::vector<GroupDef> schedule_groups();
std::vector<GroupDef> initializer_groups();
std::vector<GroupDef> train_groups();
std::vector<GroupDef> data_groups();

} // namespace dlcc::frontend
