// Nodes: compact, since a model may have a million of them. Operators and their attributes are checked when the graph
// is built.
#include "frontend/read/validate.h"
#include "ir/ops/ops.h"

#include <algorithm>

namespace dlcc::frontend {

namespace {
/// The node's keys, in the order of the table.
enum NodeKey : size_t { op_key, inputs_key, output_key, attrs_key, activity_regularizer_key };

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
  return doc_[doc_[doc_[owner].parent].parent].parent == no_value ? NodesOf::function : NodesOf::gradient;
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
  const GroupDef& g = group(Group::node);
  const std::vector<Key>& keys = g.records[0].keys;
  auto find = [&](std::string_view name) {
    return std::find_if(keys.begin(), keys.end(), [&](const Key& key) { return key.name == name; });
  };
  ValueId given[activity_regularizer_key + 1];
  std::fill(std::begin(given), std::end(given), no_value);
  for (ValueId member = doc_.first_child(id); member != no_value; member = doc_[member].next) {
    const std::string_view name = doc_.key(member);
    auto key = find(name);
    if (key == keys.end()) {
      if (name.starts_with("x-")) continue;
      const Words words = key_words(g, g.records[0]);
      auto found = words.find(name);
      if (!found) {
        const std::string refusal = words.refusal(name), shown = "'" + escape(name, 60) + "'";
        error("unknown-key",
              label + ": " + (refusal.empty() ? "unknown key " + shown + words.hint(name) : shown + " " + refusal),
              place_of(member), true);
        if (auto meant = find(words.near(name)); meant != keys.end()) given[meant - keys.begin()] = member;
        continue;
      }
      key = find(found->name);
    }
    ValueId& first = given[key - keys.begin()];
    if (first != no_value)
      error("conflict",
            label + ": '" + std::string(name) + "' gives '" + key->name + "' a second time, expected it once",
            place_of(member), true);
    else
      read_node_member(node, static_cast<size_t>(key - keys.begin()), first = member, label, owner);
  }
  for (const Key& key : keys)
    if (key.is_required && given[&key - keys.data()] == no_value)
      error("missing-key", label + " has no '" + key.name + "', expected " + expected_text(key), node.place);
  use_our_words(node, label);
  if (node.op.text == "constant") check_constant(node, label);
  return node;
}

void Validator::read_node_member(NodeSpec& node, size_t key, ValueId id, const std::string& label, NodesOf owner) {
  switch (key) {
  case op_key:
    if (doc_[id].kind != Kind::string)
      wrong_type(label + ": 'op'", id, "an operator's name");
    else if (check_name(doc_.text(id), place_of(id), false, false))
      node.op = {std::string(doc_.text(id)), place_of(id)};
    break;
  case inputs_key:
    read_node_names(node.inputs, id, label + ": 'inputs'");
    break;
  case output_key:
    if (doc_[id].kind == Kind::list && doc_.child_count(id) == 0)
      return error("bad-list", label + ": 'output' is empty, expected a name or a list of names", place_of(id));
    read_node_names(node.outputs, id, label + ": 'output'");
    for (const Name& output : node.outputs)
      if (owner != NodesOf::gradient && output.text.starts_with("d."))
        check_name(output.text, output.place, false, true);
    break;
  case attrs_key:
    read_attributes(node, id, label);
    break;
  case activity_regularizer_key:
    if (owner != NodesOf::model)
      error("misplaced-key", label + " has an 'activity_regularizer', expected it at nodes of the model only",
            place_of(id), true);
    else if (auto regularizer = read(Group::regularizer, id))
      node.activity_regularizer.push_back(std::move(*regularizer));
    break;
  }
}

void Validator::read_node_names(std::vector<Name>& out, ValueId id, const std::string& label) {
  auto take = [&](ValueId value) {
    if (doc_[value].kind != Kind::string)
      wrong_type("an entry of " + label, value, "a name");
    else if (check_name(doc_.text(value), place_of(value), false, false))
      out.push_back({std::string(doc_.text(value)), place_of(value)});
  };
  if (doc_[id].kind == Kind::string) return take(id);
  if (doc_[id].kind != Kind::list) return wrong_type(label, id, "a name or a list of names");
  if (doc_.child_count(id) > max_node_inputs)
    return wrong_type(label, id, "at most " + std::to_string(max_node_inputs) + " names", "too-large");
  out.reserve(doc_.child_count(id));
  for (ValueId child = doc_.first_child(id); child != no_value; child = doc_[child].next) take(child);
}

// ---- operators and attributes by other names ------------------------------------------------------------------------

// A function of the model goes before an alias.
const graph::OpDef* Validator::find_operator(const std::string& written) {
  if (auto known = operators_.find(written); known != operators_.end()) return known->second;
  const graph::OpDef*& op = operators_[written];
  const GroupDef& model = group(Group::model);
  const ValueId functions = find_member(doc_, doc_.root(), key_words(model, model.records[0]), "functions");
  if (functions != no_value && doc_.find(functions, written) != no_value) return nullptr;
  if (auto found = operator_words(ops::all_ops()).find(written)) op = graph::find_op(ops::all_ops(), found->name);
  return op;
}

// What is not found stays as it is: the building of the graph says what is wrong.
void Validator::use_our_words(NodeSpec& node, const std::string& label) {
  const graph::OpDef* op = find_operator(node.op.text);
  if (!op) return;
  node.op.text = op->name;
  for (Attribute& a : node.attributes) {
    auto is_own = [&](const graph::AttributeDef& def) { return def.name == a.name; };
    if (std::none_of(op->attributes.begin(), op->attributes.end(), is_own))
      if (auto found = attribute_words(*op).find(a.name)) {
        for (const Attribute& other : node.attributes)
          if (other.name == found->name)
            error("conflict",
                  label + ": '" + escape(a.name, 60) + "' gives '" + found->name + "' a second time, expected it once",
                  a.place, true);
        a.name = found->name;
      }
    auto* text = std::get_if<std::string>(&a.value);
    if (auto dtype = text && a.name == "dtype" ? option_words("dtype", dtype_names()).find(*text) : std::nullopt)
      *text = dtype->name;
  }
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
