// A model as read and checked: plain values with their places; every default is filled in, nothing is a graph yet.
#pragma once

#include "frontend/document/document.h"
#include "frontend/table/schema.h"
#include "ir/base/shape.h"
#include "runtime/data/spec.h"

#include <map>
#include <memory>
#include <optional>
#include <utility>

namespace dlcc::frontend {

/// Where something stands: for messages, and (by `value`) for its JSON pointer.
struct Place {
  Location where;
  ValueId value = no_value; ///< none: a default
};

/// A reference to a value by name.
struct Name {
  std::string text;
  Place place;
};

/// A dimension: an integer, or a symbol with the integer that it is bound to.
struct Dim {
  int64_t size = 0;   ///< 0 = an unbound symbol
  std::string symbol; ///< "" = written as an integer
  Place place;
};

/// An attribute of a node. A (nested) list is kept flat, row-major, with its shape.
struct Attribute {
  std::string name;
  Place place;
  std::variant<bool, int64_t, double, std::string, std::vector<bool>, std::vector<int64_t>, std::vector<double>,
               std::vector<std::string>>
      value;
  Shape shape; ///< of a list
};

struct Record;

/// One operator application as written.
struct NodeSpec {
  Name op;
  std::vector<Name> inputs, outputs;
  std::vector<Attribute> attributes;
  std::vector<Record> activity_regularizer; ///< one, or none
  Place place;
};

using ArgValue = std::variant<std::monostate, bool, int64_t, double, std::string, std::vector<int64_t>,
                              std::vector<double>, std::vector<Name>, std::vector<Dim>, std::vector<Record>,
                              std::vector<std::pair<int64_t, double>>, std::vector<NodeSpec>>;

/// The value of one key; monostate = absent and without a default.
struct Arg {
  ArgValue value;
  Place place;
  bool is_given = false; ///< false: the default
};

/// A key beyond the table's, where the group allows them: an input's source in `data`.
struct ExtraArg {
  Name name;
  Place place;
  std::vector<std::variant<std::string, int64_t, std::vector<Record>>> values; ///< or one record, of group column
  bool is_list = false;
};

/// One instance of a record of the table: a layer, a loss, an optimizer, a section. `args` stand in the order of
/// `def->keys`.
struct Record {
  const GroupDef* group = nullptr;
  const RecordDef* def = nullptr;
  Place place;
  Name entry; ///< its key in an object by name ("x" in inputs)
  std::vector<Arg> args;
  std::vector<ExtraArg> extras;
  std::string file; ///< the file that holds it, where a group allows that

  const std::string& type() const { return def->name; }
  bool is(std::string_view name) const { return def->name == name; }
  /// The key's value; the record must have that key (a bug of ours otherwise).
  const Arg& at(std::string_view key) const;
  Arg& at(std::string_view key) { return const_cast<Arg&>(std::as_const(*this).at(key)); }
  bool has(std::string_view key) const { return !std::holds_alternative<std::monostate>(at(key).value); }
  /// The same; false also if records of this type have no such key.
  bool has_if_known(std::string_view key) const;
  bool boolean(std::string_view key) const { return std::get<bool>(at(key).value); }
  int64_t integer(std::string_view key) const { return std::get<int64_t>(at(key).value); }
  double number(std::string_view key) const { return std::get<double>(at(key).value); }
  const std::string& text(std::string_view key) const { return std::get<std::string>(at(key).value); }
  /// "" if absent, also if records of this type have no such key.
  std::string text_or_empty(std::string_view key) const { return has_if_known(key) ? text(key) : std::string(); }
  std::optional<int64_t> maybe_integer(std::string_view key) const;
  std::optional<double> maybe_number(std::string_view key) const;
  const std::vector<int64_t>& integers(std::string_view key) const {
    return std::get<std::vector<int64_t>>(at(key).value);
  }
  const std::vector<double>& numbers(std::string_view key) const {
    return std::get<std::vector<double>>(at(key).value);
  }
  const std::vector<Name>& names(std::string_view key) const;
  const std::vector<Dim>& dims(std::string_view key) const { return std::get<std::vector<Dim>>(at(key).value); }
  /// The records of a key, none if it is absent.
  const std::vector<Record>& records(std::string_view key) const;
  /// The only record of a key, or null.
  const Record* record(std::string_view key) const;
  const std::vector<NodeSpec>& nodes(std::string_view key) const;
};

/// An input, label or free parameter.
struct TensorSpec {
  Name name;
  Type type;             ///< symbols bound
  std::vector<Dim> dims; ///< as written
  const Record* record = nullptr;

  /// Axis of the batch symbol N, or -1.
  int batch_axis() const;
};

/// The whole model. Not copied (its tensors point into `root`), only moved.
struct ModelSpec {
  ModelSpec() = default;
  ModelSpec(ModelSpec&&) = default;
  ModelSpec& operator=(ModelSpec&&) = default;

  std::string name;
  int64_t seed = 0;
  DType dtype = DType::f32;
  std::vector<TensorSpec> inputs, labels, params;
  data::TrainSpec train;
  std::optional<data::DataSpec> data;     ///< inline data
  std::string data_file;                  ///< "data": "file"
  std::map<std::string, int64_t> symbols; ///< N and those of -D

  std::unique_ptr<Record> root; ///< everything, generically
  std::unique_ptr<Document> document;

  bool has_layers() const { return root->has("layers"); }
  const std::vector<Record>& layers() const { return root->records("layers"); }
  const std::vector<NodeSpec>& nodes() const { return root->nodes("nodes"); }
  const std::vector<Record>& functions() const { return root->records("functions"); }
  const std::vector<Name>& outputs() const { return root->names("outputs"); }
  const std::vector<Record>& losses() const { return root->records("loss"); }
  const std::vector<Record>& metrics() const { return root->records("metrics"); }
  const Record* optimizer() const { return root->record("optimizer"); }
  const Record& compile() const { return *root->record("compile"); }
  /// JSON pointer of a place; "" for a default.
  std::string pointer(const Place& place) const {
    return place.value == no_value ? "" : document->pointer(place.value);
  }
};

/// The label that a loss compares with: the one it names, the only one, or "label" if none is declared. "" if it has
/// none, or if it does not say which.
std::string label_of(const ModelSpec& spec, const Record& loss);

} // namespace dlcc::frontend
