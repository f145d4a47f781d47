// Reads a document by the table: every key checked, every default filled in, every error reported at its place.
#pragma once

#include "frontend/read/model_spec.h"
#include "frontend/table/vocabulary.h"

#include <unordered_map>

namespace dlcc::frontend {

/// Reads values of one document into records. Nesting is bounded by the document's depth limit, so it may recurse.
class Validator {
public:
  /// `tensors`: names of the inputs and labels, for a document that does not declare them.
  Validator(const Document& document, DiagnosticList& diagnostics, std::vector<std::string> tensors = {})
      : doc_(document), diagnostics_(diagnostics), tensors_(std::move(tensors)) {}

  /// A record of the group. Errors go to the diagnostics; what could not be read holds its default or nothing.
  std::optional<Record> read(Group id, ValueId value);
  /// A record with every key at its default.
  Record defaults(const GroupDef& group, const RecordDef& def, Place place);
  /// An error at a place, with its JSON pointer; says so if the place was set on the command line.
  void error(const char* name, std::string text, Place place, bool at_key = false);
  /// The same about a word that was looked for in vain.
  void error(Words::Complaint complaint, Place place, bool at_key = false) {
    error(complaint.name, std::move(complaint.text), place, at_key);
  }

private:
  /// What a name stands for: a record, by an alias perhaps.
  struct Type {
    const RecordDef* def = nullptr;
    const Alias* alias = nullptr;
  };
  /// A record that is being read.
  struct Reading {
    Record record;
    Type type;
    std::vector<char> excused = {}; ///< keys that count as given, since they are there under a misspelt name
  };

  /// What a record lacks: one key, or one of several.
  struct Lack {
    std::vector<std::string> keys;
    std::string expected;
  };
  struct Incomplete {
    std::string title;
    Place place;
    std::vector<Lack> lacks;
  };

  std::optional<Record> read_record(const GroupDef& group, const Key* key, ValueId id, const std::string& label);
  std::optional<Record> read_object(const GroupDef& group, ValueId id, const std::string& label);
  Type find_type(const GroupDef& group, ValueId id);
  /// A function of the model; `no_value`: there is none of this name.
  ValueId find_function(std::string_view name) const;
  Reading start(const GroupDef& group, const Type& type, ValueId id, ValueId named);
  void read_member(Reading& reading, ValueId id);
  std::optional<size_t> find_key(const Record& record, std::string_view name) const;
  void already_given(const Reading& reading, size_t index, ValueId id);
  void unknown_key(Reading& reading, ValueId id);
  void read_extra(Record& record, ValueId id);
  Record finish(Reading reading);
  void apply_guards(Record& record);
  /// Whether one of them is given.
  bool choose(Record& record, const Alternatives& alternatives);
  void report_incomplete();
  void fill(Record& record, size_t index, const Default& value);
  bool is_tensor(std::string_view name) const;

  void read_value(Arg& arg, const Key& key, ValueId id);
  void read_text(Arg& arg, const Key& key, ValueId id);
  void read_choice(Arg& arg, const Key& key, ValueId id);
  void read_character(Arg& arg, const Key& key, ValueId id);
  void read_either(Arg& arg, const Key& key, ValueId id);
  void read_list(Arg& arg, const Key& key, ValueId id);
  void read_records(Arg& arg, const Key& key, ValueId id);
  void read_by_name(Arg& arg, const Key& key, ValueId id);
  void read_weights(Arg& arg, const Key& key, ValueId id);
  std::optional<int64_t> read_integer(const Key& key, ValueId id);
  std::optional<double> read_number(const Key& key, ValueId id);
  std::optional<Dim> read_dim(const Key& key, ValueId id);
  std::optional<Name> read_any_text(const Key& key, ValueId id);
  std::optional<Name> read_name(const Key& key, ValueId id);

  std::vector<NodeSpec> read_nodes(ValueId id);
  /// Whose nodes a list holds; only those of a gradient may make names d.<value>.
  enum class NodesOf : uint8_t { model, function, gradient };
  NodesOf owner_of(ValueId nodes) const;
  NodeSpec read_node(ValueId id, size_t index, NodesOf owner);
  void read_node_member(NodeSpec& node, size_t key, ValueId id, const std::string& label, NodesOf owner);
  void use_our_words(NodeSpec& node, const std::string& label);
  /// The operator that is meant by a name, and by ours; null: a function of the model, or nothing we know.
  const graph::OpDef* find_operator(const std::string& written);
  void read_node_names(std::vector<Name>& out, ValueId id, const std::string& label);
  void read_attributes(NodeSpec& node, ValueId id, const std::string& label);
  void read_attribute(NodeSpec& node, ValueId id, const std::string& label);
  void check_constant(const NodeSpec& node, const std::string& label);

  bool check_name(std::string_view name, Place place, bool at_key, bool is_new);
  bool check_text(ValueId id);
  Place place_of(ValueId id) const { return {doc_[id].where, id}; }
  void wrong_type(const std::string& label, ValueId id, const std::string& expected, const char* name = "wrong-type");

  const Document& doc_;
  DiagnosticList& diagnostics_;
  std::vector<std::string> tensors_;
  std::vector<Incomplete> incomplete_;
  std::vector<std::string> misplaced_;                             ///< keys that were found where they do not belong
  std::unordered_map<std::string, const graph::OpDef*> operators_; ///< those that were looked for, by name as written
};

/// The member of an object that one of our keys is written as.
ValueId find_member(const Document& document, ValueId object, const Words& keys, std::string_view key);

/// Whether a text may stand for a dimension: an upper-case letter, then letters, digits and '_'.
bool is_symbol(std::string_view text);

} // namespace dlcc::frontend
