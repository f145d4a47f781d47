#include "ir/ops/reference.h"

#include "ir/base/text.h"

namespace dlcc::ops {

namespace {
std::string text(std::string_view s) { return std::string(s); }

std::string operands_of(const graph::OpDef& op) {
  std::string least = std::to_string(op.min_operands), most = std::to_string(op.max_operands);
  if (op.max_operands < 0) return least + " or more operands";
  if (op.min_operands == op.max_operands) return least + (op.min_operands == 1 ? " operand" : " operands");
  return least + " to " + most + " operands";
}

std::string gradient_of(const graph::OpDef& op) {
  if (op.gradient) return "own rule";
  if (!op.no_gradient.empty()) return "none: " + text(op.no_gradient);
  return "that of its body";
}

// The sentence before the first constraint, then the constraints as a list.
std::string doc_of(const graph::OpDef& op) {
  std::string out;
  std::string_view rest = op.doc;
  for (int n = 1;; ++n) {
    size_t at = rest.find(" (C" + std::to_string(n) + ")");
    out += text(rest.substr(0, at)) + "\n";
    if (at == rest.npos) return out;
    rest.remove_prefix(at + 1);
    out += n == 1 ? "\n- " : "- ";
  }
}

// What differs from the rule that OPS.md opens with.
std::string errors_of(const graph::OpDef& op) {
  std::string out;
  auto describe = [&](const char* subject, const graph::ErrorBound& e) {
    if (e.because.empty()) return;
    out += std::string(out.empty() ? "Error" : ";") + " of the " + subject + ": within " +
           std::to_string(static_cast<int>(e.ulp)) + " ULP of " + (e.of.empty() ? "the result" : text(e.of)) +
           ", since " + text(e.because);
  };
  describe("value", op.value_error);
  describe("gradient", op.gradient_error);
  return out.empty() ? "" : out + ".\n\n";
}

std::string example_of(const graph::OpDef& op) {
  std::vector<graph::Sample> samples = op.samples();
  const graph::Sample& s = samples.front();
  std::string out = text(op.name) + "(";
  for (size_t k = 0; k < s.operands.size(); ++k) out += (k ? ", " : "") + to_string(s.operands[k]);
  graph::InferContext context(s.operands, s.attributes);
  std::vector<Type> results = op.infer(context);
  out += ")";
  if (!s.attributes.empty()) out += " " + print_attributes(s.attributes);
  out += " ->";
  for (const Type& t : results) out += " " + to_string(t);
  return out;
}
} // namespace

std::string print_op_reference(const graph::OpDef& op) {
  std::string out = "## " + text(op.name) + "\n\n" + doc_of(op) + "\n";
  if (!op.attributes.empty()) {
    out += "| attribute | kind | meaning |\n|---|---|---|\n";
    for (const graph::AttributeDef& a : op.attributes)
      out += "| `" + text(a.name) + "`" + (a.required ? " (required)" : "") + " | " + text(name_of(a.kind)) + " | " +
             text(a.doc) + " |\n";
    out += "\n";
  }
  out += "Kind: " + text(name_of(op.kind)) + ", " + operands_of(op) + ". Gradient: " + gradient_of(op) + ".\n\n" +
         errors_of(op);
  return out + "Example: `" + example_of(op) + "`\n";
}

std::string print_ops_reference(graph::OpTable ops) {
  std::string out =
      "# Operators\n\nWritten from the records in ir/ops by `dlcc ops`; do not edit. Names and broadcasting "
      "are NumPy's, losses and activations are Keras 3's. All operands of one node are listed in order; "
      "`(C1)`, `(C2)`, ... are the constraints that an error message refers to.\n\n"
      "Compiled elementwise operators, activations and losses, and their gradients for a cotangent of 1, lie within 4 "
      "units in the last place (ULP) of the exact result of their formula, for operands of every magnitude, in f32 and "
      "f64; exceptions are stated. Constants of a formula are rounded to the element type.\n\n";
  for (const graph::OpDef* op : ops) out += "[" + text(op->name) + "](#" + text(op->name) + ")\n";
  for (const graph::OpDef* op : ops) out += "\n" + print_op_reference(*op);
  return out;
}

} // namespace dlcc::ops
