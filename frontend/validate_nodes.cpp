// Nodes: compact, since a model may have a million of them. Operators and their attributes are checked when the graph
// is built.
#include "frontend/validate.h"

namespace dlcc::frontend {

namespace {
constexpr std::string_view node_keys[] = {"op", "inputs", "output", "attrs", "activity_regularizer"};

std::string grouped(int64_t n) { // 1,000,000
  std::string text = std::to_string(n);
  for (size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}
} // namespace

// /nodes, /functions/<name>/nodes or /functions/<name>/gradient/nodes.
Validator::NodesOf Validator::owner_of(ValueId nodes) const {
  ValueId owner = doc_[nodes].parent;
  if (owner == no_value || doc_[owner].parent == no_value) return NodesOf::model;
  return doc_.key(doc_[owner].parent) == "functions" ? NodesOf::function : NodesOf::gradient;
}

std::vector<NodeSpec> Validator::read_nodes(ValueId id) {
  std::vector<NodeSpec> nodes;
  const NodesOf owner = owner_of(id);
  if (doc_.child_count(id) > max_nodes) {
    error("too-large", "more than " + grouped(max_nodes) + " nodes", place_of(id));
    return nodes;
  }
  nodes.reserve(doc_.child_count(id));
  for (ValueId child = doc_.first_child(id); child != no_value && !diagnostics_.full(); child = doc_[child].next)
    nodes.push_back(read_node(child, nodes.size(), owner));
  return nodes;
}

NodeSpec Validator::read_node(ValueId id, size_t index, NodesOf owner) {
  NodeSpec node;
  node.place = place_of(id);
  const std::string label = "node " + std::to_string(index);
  if (doc_[id].kind != Kind::object) return wrong_type(label, id, "an object with 'op', 'inputs' and 'output'"), node;
  bool has_op = false, has_inputs = false, has_output = false;
  ValueId attributes = no_value;
  for (ValueId member = doc_.first_child(id); member != no_value; member = doc_[member].next) {
    std::string_view key = doc_.key(member);
    if (key == "op") {
      has_op = true;
      if (doc_[member].kind != Kind::string)
        wrong_type(label + ": 'op'", member, "an operator's name");
      else if (check_name(doc_.text(member), place_of(member), false, false))
        node.op = {std::string(doc_.text(member)), place_of(member)};
    } else if (key == "inputs") {
      has_inputs = true;
      read_node_names(node.inputs, member, label + ": 'inputs'", false);
    } else if (key == "output") {
      has_output = true;
      read_node_names(node.outputs, member, label + ": 'output'", true);
      for (const Name& output : node.outputs)
        if (owner != NodesOf::gradient && output.text.starts_with("d."))
          check_name(output.text, output.place, false, true);
    } else if (key == "attrs") {
      attributes = member;
    } else if (key == "activity_regularizer") {
      if (owner != NodesOf::model)
        error("misplaced-key", label + " has an 'activity_regularizer', expected it at nodes of the model only",
              place_of(member), true);
      else if (auto regularizer = read(Group::regularizer, member))
        node.activity_regularizer.push_back(std::move(*regularizer));
    } else if (!key.starts_with("x-")) {
      std::vector<std::string> names(std::begin(node_keys), std::end(node_keys));
      error("unknown-key", label + ": unknown key '" + escape(key, 60) + "'" + suggestion_or_list(key, names),
            place_of(member), true);
    }
  }
  if (!has_op) error("missing-key", label + " has no 'op', expected an operator's name", node.place);
  if (!has_inputs) error("missing-key", label + " has no 'inputs', expected a list of names", node.place);
  if (has_output && node.outputs.empty() && !diagnostics_.has_errors())
    error("bad-list", label + ": 'output' is empty, expected a name or a list of names", node.place);
  if (!has_output) error("missing-key", label + " has no 'output', expected a name or a list of names", node.place);
  if (attributes != no_value) read_attributes(node, attributes, label);
  if (node.op.text == "constant") check_constant(node, label);
  return node;
}

void Validator::read_node_names(std::vector<Name>& out, ValueId id, const std::string& label, bool may_stand_alone) {
  auto take = [&](ValueId value) {
    if (doc_[value].kind != Kind::string)
      wrong_type("an entry of " + label, value, "a name");
    else if (check_name(doc_.text(value), place_of(value), false, false))
      out.push_back({std::string(doc_.text(value)), place_of(value)});
  };
  if (may_stand_alone && doc_[id].kind == Kind::string) return take(id);
  if (doc_[id].kind != Kind::list)
    return wrong_type(label, id, may_stand_alone ? "a name or a list of names" : "a list of names");
  if (doc_.child_count(id) > max_node_inputs)
    return wrong_type(label, id, "at most " + std::to_string(max_node_inputs) + " names", "too-large");
  out.reserve(doc_.child_count(id));
  for (ValueId child = doc_.first_child(id); child != no_value; child = doc_[child].next) take(child);
}

void Validator::read_attributes(NodeSpec& node, ValueId id, const std::string& label) {
  if (doc_[id].kind != Kind::object) return wrong_type(label + ": 'attrs'", id, "an object");
  if (doc_.child_count(id) > max_attributes)
    return error("too-large", label + " has more than " + std::to_string(max_attributes) + " attributes", place_of(id));
  for (ValueId member = doc_.first_child(id); member != no_value; member = doc_[member].next)
    if (!doc_.key(member).starts_with("x-")) read_attribute(node, member, label);
}

namespace {
// A nested list walked in order; every level must have one length, every leaf one kind (integers widen to numbers).
struct Flattener {
  const Document& doc;
  Shape shape = {};
  std::vector<ValueId> leaves = {};
  ValueId wrong = no_value; ///< the first entry that does not fit
  std::string problem = {};
  Kind kind = Kind::null; ///< of the leaves
  bool reached_leaves = false, all_dimensions = true;

  bool is_symbol_at(ValueId id) const { return doc[id].kind == Kind::string && is_symbol(doc.text(id)); }

  void fail(ValueId id, std::string text) {
    if (wrong == no_value) wrong = id, problem = std::move(text);
  }
  void leaf(ValueId id, size_t depth) {
    Kind k = doc[id].kind;
    if (depth != shape.size()) return fail(id, doc.describe(id) + " beside a list, expected lists of equal depth");
    reached_leaves = true;
    if (k == Kind::null || k == Kind::object)
      return fail(id, doc.describe(id) + " in a list, expected numbers, strings or true/false");
    auto is_number = [](Kind x) { return x == Kind::integer || x == Kind::number; };
    auto is_dimension = [&](ValueId x) { return doc[x].kind == Kind::integer || is_symbol_at(x); };
    all_dimensions = all_dimensions && is_dimension(id);
    if (kind == Kind::null || (is_number(kind) && is_number(k)))
      kind = kind == Kind::number ? kind : k;
    else if (all_dimensions)
      kind = Kind::string; // symbols among integers: a shape
    else if (k != kind)
      return fail(id,
                  "mixed types: " + doc.describe(id) + " beside " + doc.describe(leaves[0]) + ", expected one type");
    leaves.push_back(id);
  }
  void walk(ValueId id, size_t depth) { // depth is at most max_rank
    if (doc[id].kind != Kind::list) return leaf(id, depth);
    auto length = static_cast<int64_t>(doc.child_count(id));
    if (depth == shape.size()) {
      if (reached_leaves)
        return fail(id, "a list beside " + doc.describe(leaves[0]) + ", expected lists of equal depth");
      if (depth == max_rank) return fail(id, "a list nested deeper than 8, expected at most 8 dimensions");
      shape.push_back(length);
    } else if (shape[depth] != length) {
      return fail(id, "ragged list: rows of " + std::to_string(shape[depth]) + " and " + std::to_string(length) +
                          " entries, expected equal lengths");
    }
    for (ValueId child = doc.first_child(id); child != no_value && wrong == no_value; child = doc[child].next)
      walk(child, depth + 1);
  }
  template <class T, class Get> std::vector<T> values(Get get) const {
    std::vector<T> out;
    out.reserve(leaves.size());
    for (ValueId id : leaves) out.push_back(get(doc[id], id));
    return out;
  }
};
} // namespace

void Validator::read_attribute(NodeSpec& node, ValueId id, const std::string& label) {
  Attribute a;
  a.name = doc_.key(id);
  a.place = place_of(id);
  if (!check_name(a.name, a.place, true, false)) return;
  const std::string what = label + ": '" + escape(a.name, 60) + "'";
  const Value& v = doc_[id];
  switch (v.kind) {
  case Kind::boolean:
    a.value = v.boolean;
    break;
  case Kind::integer:
    a.value = v.integer;
    break;
  case Kind::number:
    a.value = v.number;
    break;
  case Kind::string:
    if (!check_text(id)) return;
    a.value = std::string(doc_.text(id));
    break;
  case Kind::null:
  case Kind::object:
    return wrong_type(what, id, "a number, a string, true, false or a list of them");
  case Kind::list: {
    Flattener flat{doc_};
    flat.walk(id, 0);
    if (flat.wrong != no_value) return error("bad-list", what + " has " + flat.problem, place_of(flat.wrong));
    auto number = [](const Value& x, ValueId) {
      return x.kind == Kind::integer ? static_cast<double>(x.integer) : x.number;
    };
    if (flat.kind == Kind::number)
      a.value = flat.values<double>(number);
    else if (flat.kind == Kind::boolean)
      a.value = flat.values<bool>([](const Value& x, ValueId) { return x.boolean; });
    else if (flat.kind == Kind::string)
      a.value = flat.values<std::string>([&](const Value& x, ValueId leaf) {
        return x.kind == Kind::integer ? std::to_string(x.integer) : std::string(doc_.text(leaf));
      });
    else
      a.value = flat.values<int64_t>([](const Value& x, ValueId) { return x.integer; });
    a.shape = std::move(flat.shape);
    break;
  }
  }
  node.attributes.push_back(std::move(a));
}

// A constant's values and its declared shape must agree.
void Validator::check_constant(const NodeSpec& node, const std::string& label) {
  const Attribute *value = nullptr, *shape = nullptr;
  for (const Attribute& a : node.attributes) {
    if (a.name == "value") value = &a;
    if (a.name == "shape") shape = &a;
  }
  const auto* dims = shape ? std::get_if<std::vector<int64_t>>(&shape->value) : nullptr;
  if (!value || !dims || value->shape.empty()) return;
  int64_t given = element_count(value->shape);
  for (int64_t dim : *dims)
    if (dim < 0)
      return error("out-of-range",
                   label + ": 'shape' has dimension " + std::to_string(dim) + ", expected integers >= 0", shape->place);
  std::optional<int64_t> wanted = checked_elements(*dims);
  if (!wanted)
    error("out-of-range", label + ": the size of shape " + to_string(*dims) + " overflows", shape->place);
  else if (given != *wanted)
    error("shape-mismatch",
          label + " has " + std::to_string(given) + " values, expected " + std::to_string(*wanted) + " for shape " +
              to_string(*dims),
          value->place);
}

} // namespace dlcc::frontend
