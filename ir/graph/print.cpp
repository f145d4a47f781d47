#include "ir/graph/print.h"

#include "ir/base/text.h"
#include "ir/graph/call.h"

#include <algorithm>
#include <cmath>

namespace dlcc::graph {

std::optional<double> scalar_constant(const Node& node) {
  if (node.op->name != "constant" || !node.operands.empty() || node.results.size() != 1) return std::nullopt;
  const AttributeValue *value = node.attributes.find("value"), *dtype = node.attributes.find("dtype");
  bool plain = std::distance(node.attributes.begin(), node.attributes.end()) == 2 && value && dtype;
  if (!plain || !std::holds_alternative<double>(*value) || !std::holds_alternative<DType>(*dtype)) return std::nullopt;
  return std::get<double>(*value);
}

namespace {
// Columns are aligned up to these widths; longer pieces push the rest of their line to the right.
constexpr size_t widest_name = 32, widest_type = 24, widest_statement = 96;

std::string value_name(std::string_view name) { return "%" + print_name(name); }

// `@3:15` is a place, so a function name that starts with a digit needs quotes.
std::string function_name(std::string_view name) {
  bool digit = !name.empty() && name[0] >= '0' && name[0] <= '9';
  return "@" + (digit ? print_string(name) : print_name(name));
}

std::string with_place(std::string text, Location where) {
  return where.known() ? text + "  " + print_location(where) : text;
}

std::string with_attributes(std::string text, std::string_view word, const Attributes& attributes) {
  return attributes.empty() ? text : text + std::string(word) + print_attributes(attributes);
}

void pad(std::string& text, size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
}

// Commentary must stay on its line; what the parser reads back is exactly this.
std::string commentary(std::string_view note) {
  std::string text = escape(note, note.size() * 4);
  size_t first = text.find_first_not_of(' '), last = text.find_last_not_of(' ');
  return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

class FunctionPrinter {
public:
  FunctionPrinter(const Module& module, const Function& function)
      : module_(module), f_(function), inlined_(find_inlined()) {}

  std::string print(const std::string& indent) {
    std::string out = indent + header() + " {\n";
    std::string inner = indent + "  ";
    for (size_t i = 0; i < f_.clusters.size(); ++i) out += inner + cluster(i) + "\n";
    measure();
    for (NodeId n : f_.nodes.ids())
      if (!inlined_[n]) out += inner + line(f_.nodes[n]) + "\n";
    for (const Update& u : f_.updates)
      out += inner +
             with_place("update " + value_name(module_.states[u.state].name) + " = " + reference(u.value), u.where) +
             "\n";
    return out + indent + "}\n";
  }

private:
  // Scalar constants that only nodes use.
  IdVector<NodeId, bool> find_inlined() const {
    IdVector<NodeId, bool> inlined(f_.nodes.size());
    for (const Node& node : f_.nodes)
      for (ValueId v : node.operands)
        if (f_.values[v].kind == ValueKind::result)
          inlined[f_.values[v].node] = scalar_constant(f_.nodes[f_.values[v].node]).has_value();
    auto keep = [&](ValueId v) {
      if (f_.values[v].kind == ValueKind::result) inlined[f_.values[v].node] = false;
    };
    for (ValueId v : f_.results) keep(v);
    for (const Update& u : f_.updates) keep(u.value);
    return inlined;
  }

  std::string header() const {
    std::string out = (f_.entry ? "entry func " : "func ") + function_name(f_.name) + "(";
    for (size_t i = 0; i < f_.parameters.size(); ++i) {
      const Value& p = f_.values[f_.parameters[i]];
      out += (i ? ", " : "") + std::string(name_of(p.role)) + " " + value_name(p.name) + ": " + to_string(p.type);
    }
    out += ")";
    for (size_t i = 0; i < f_.results.size(); ++i) out += (i ? ", " : " -> ") + reference(f_.results[i]);
    if (!f_.gradient.empty()) out += " gradient " + function_name(f_.gradient);
    return with_place(out, f_.where);
  }

  std::string cluster(size_t index) const {
    const Cluster& c = f_.clusters[index];
    std::string out = "cluster " + std::to_string(index) + " " + print_name(c.name);
    if (c.notes.empty()) return out;
    out += " {";
    for (const std::string& note : c.notes) out += " note " + print_string(note);
    return out + " }";
  }

  std::string reference(ValueId v) const {
    const Value& value = f_.values[v];
    return value_name(value.kind == ValueKind::state ? module_.states[value.state].name : value.name);
  }

  std::string operand(ValueId v) const {
    const Value& value = f_.values[v];
    if (value.kind != ValueKind::result || !inlined_[value.node]) return reference(v);
    double number = *scalar_constant(f_.nodes[value.node]);
    DType dtype = value.type.dtype;
    bool whole = !is_float(dtype) && std::abs(number) < 0x1p53 && number == std::trunc(number);
    return std::string(name_of(dtype)) + " " +
           (whole ? std::to_string(static_cast<int64_t>(number)) : print_double(number));
  }

  // `%a : f32[2], %b : f32[3] = `; only the first is padded.
  std::string left_side(const Node& node) const {
    std::string out = cluster_mark(node);
    for (size_t k = 0; k < node.results.size(); ++k) {
      if (k) out += ", ";
      out += value_name(f_.values[node.results[k]].name);
      if (k == 0) pad(out, name_width_);
      out += " : ";
      size_t start = out.size();
      out += to_string(f_.type(node.results[k]));
      if (node.results.size() == 1) pad(out, start + type_width_);
    }
    return node.results.empty() ? out : out + " = ";
  }

  static std::string cluster_mark(const Node& node) {
    return node.cluster < 0 ? "" : "[" + std::to_string(node.cluster) + "] ";
  }

  std::string statement(const Node& node) const {
    Attributes attributes = node.attributes;
    std::string out = left_side(node);
    if (node.op == &call_op) {
      out += "call " + function_name(attributes.string("function"));
      attributes = {};
    } else
      out += node.op->name;
    out += "(";
    for (size_t k = 0; k < node.operands.size(); ++k) out += (k ? ", " : "") + operand(node.operands[k]);
    return with_attributes(out + ")", " ", attributes);
  }

  std::string line(const Node& node) const {
    std::string out = statement(node), note = commentary(node.note);
    if (node.where.known() || !note.empty()) pad(out, statement_width_);
    out = with_place(out, node.where);
    return note.empty() ? out : out + "  # " + note;
  }

  void measure() {
    for (NodeId n : f_.nodes.ids()) {
      const Node& node = f_.nodes[n];
      if (inlined_[n] || node.results.empty()) continue;
      const Value& first = f_.values[node.results[0]];
      size_t name = cluster_mark(node).size() + value_name(first.name).size();
      name_width_ = std::max(name_width_, std::min(name, widest_name));
      if (node.results.size() == 1)
        type_width_ = std::max(type_width_, std::min(to_string(first.type).size(), widest_type));
    }
    // Places and notes form a column of their own; lines without them do not widen it.
    size_t widest = 0;
    for (NodeId n : f_.nodes.ids())
      if (const Node& node = f_.nodes[n]; !inlined_[n] && (node.where.known() || !commentary(node.note).empty()))
        widest = std::max(widest, std::min(statement(node).size(), widest_statement));
    statement_width_ = widest;
  }

  const Module& module_;
  const Function& f_;
  IdVector<NodeId, bool> inlined_;
  size_t name_width_ = 0, type_width_ = 0, statement_width_ = 0;
};

std::string print_state(const State& s) {
  std::string out = value_name(s.name);
  out += " : " + std::string(name_of(s.role)) + " " + to_string(s.type) + " = " + print_name(s.initializer);
  out = with_attributes(out, " ", s.initializer_attributes);
  return with_place(with_attributes(out, " with ", s.attributes), s.where);
}
} // namespace

std::string print(const Module& module, const Function& function) {
  return FunctionPrinter(module, function).print("");
}

std::string print(const Module& module) {
  std::string out = "module " + function_name(module.name) + " stage " + std::string(name_of(module.stage));
  if (!module.file.empty()) out += " file " + print_string(module.file);
  out += " dtype " + std::string(name_of(module.dtype)) + " batch " + std::to_string(module.batch) + " {\n";
  for (const State& s : module.states) out += "  state " + print_state(s) + "\n";
  for (const Hyper& h : module.hypers) out += "  hyper " + print_name(h.name) + " = " + print_double(h.value) + "\n";
  for (const Directive& d : module.directives)
    out += "  " +
           with_place(with_attributes("directive " + print_name(d.kind) + " " + print_name(d.name), " ", d.attributes),
                      d.where) +
           "\n";
  for (const Function& f : module.functions) out += "\n" + FunctionPrinter(module, f).print("  ");
  return out + "}\n";
}

} // namespace dlcc::graph
