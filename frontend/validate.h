// Reads a document by the table: every key checked, every default filled in, every error reported at its place.
#pragma once

#include "frontend/model_spec.h"

namespace dlcc::frontend {

/// Reads values of one document into records. Nesting is bounded by the document's depth limit, so it may recurse.
class Validator {
public:
  Validator(const Document& document, DiagnosticList& diagnostics) : doc_(document), diagnostics_(diagnostics) {}

  /// A record of the group. Errors go to the diagnostics; what could not be read holds its default or nothing.
  std::optional<Record> read(Group id, ValueId value) { return read_record(group(id), nullptr, value, {}); }
  /// A record with every key at its default.
  Record defaults(const GroupDef& group, const RecordDef& def, Place place);
  /// An error at a place, with its JSON pointer; says so if the place was set on the command line.
  void error(const char* name, std::string text, Place place, bool at_key = false);

private:
  std::optional<Record> read_record(const GroupDef& group, const Key* key, ValueId id, const std::string& label);
  std::optional<Record> read_object(const GroupDef& group, ValueId id, const std::string& label);
  const RecordDef* find_type(const GroupDef& group, ValueId id);
  void read_member(Record& record, ValueId id);
  void read_extra(Record& record, ValueId id);
  void finish(Record& record);
  void apply_guards(Record& record);
  void fill_default(Record& record, size_t index);

  void read_value(Arg& arg, const Key& key, ValueId id);
  void read_text(Arg& arg, const Key& key, ValueId id);
  void read_choice(Arg& arg, const Key& key, ValueId id);
  void read_list(Arg& arg, const Key& key, ValueId id);
  void read_records(Arg& arg, const Key& key, ValueId id);
  void read_by_name(Arg& arg, const Key& key, ValueId id);
  void read_weights(Arg& arg, const Key& key, ValueId id);
  std::optional<int64_t> read_integer(const Key& key, ValueId id);
  std::optional<double> read_number(const Key& key, ValueId id);
  std::optional<Dim> read_dim(const Key& key, ValueId id);
  std::optional<Name> read_name(const Key& key, ValueId id);

  std::vector<NodeSpec> read_nodes(ValueId id);
  /// Whose nodes a list holds; only those of a gradient may make names d.<value>.
  enum class NodesOf : uint8_t { model, function, gradient };
  NodesOf owner_of(ValueId nodes) const;
  NodeSpec read_node(ValueId id, size_t index, NodesOf owner);
  void read_node_names(std::vector<Name>& out, ValueId id, const std::string& label, bool may_stand_alone);
  void read_attributes(NodeSpec& node, ValueId id, const std::string& label);
  void read_attribute(NodeSpec& node, ValueId id, const std::string& label);
  void check_constant(const NodeSpec& node, const std::string& label);

  bool check_name(std::string_view name, Place place, bool at_key, bool is_new);
  bool check_text(ValueId id);
  Place place_of(ValueId id) const { return {doc_[id].where, id}; }
  void wrong_type(const std::string& label, ValueId id, const std::string& expected, const char* name = "wrong-type");

  const Document& doc_;
  DiagnosticList& diagnostics_;
};

/// Whether a text may stand for a dimension: an upper-case letter, then letters, digits and '_'.
bool is_symbol(std::string_view text);
/// "an integer >= 1", "one of mask, drop, error": what a key takes, for messages and documentation.
std::string expected_text(const Key& key);
/// "a layer", "an optimizer".
std::string with_article(const std::string& noun);

} // namespace dlcc::frontend
