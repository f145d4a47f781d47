#include "tests/cli/random_model.h"

#include <random>
#include <vector>

namespace dlcc::cli_tests {
namespace {

std::string quoted(const std::string& text) { return '"' + text + '"'; }

class Drawer {
public:
  explicit Drawer(uint64_t seed) : random_(seed) {}
  int below(int n) { return static_cast<int>(random_() % static_cast<uint64_t>(n)); }
  int between(int low, int high) { return low + below(high - low + 1); }
  bool chance(int percent) { return below(100) < percent; }
  template <class T> const T& one_of(const std::vector<T>& list) {
    return list[static_cast<size_t>(below(static_cast<int>(list.size())))];
  }

private:
  std::mt19937_64 random_;
};

const std::vector<std::string> activations = {"linear", "relu",     "relu6",    "leaky_relu", "elu",
                                              "selu",   "gelu",     "silu",     "sigmoid",    "hard_sigmoid",
                                              "tanh",   "softplus", "softsign", "softmax",    "log_softmax"};
const std::vector<std::string> joints = {"Add", "Subtract", "Multiply", "Average", "Maximum", "Concat"};

/// How a model ends: what its last layer must give, and the loss of it.
struct Head {
  const char *activation, *loss;
  bool one_class = false; ///< a width of 1 makes no sense
};
const std::vector<Head> heads = {
    {"linear", R"("mean_squared_error")"},
    {"tanh", R"("mean_absolute_error")"},
    {"linear", R"({ "type": "huber", "delta": 0.3 })"},
    {"linear", R"("log_cosh")"},
    {"sigmoid", R"("binary_crossentropy")"},
    {"linear", R"({ "type": "binary_crossentropy", "from_logits": true, "label_smoothing": 0.1 })"},
    {"softmax", R"("categorical_crossentropy")", true},
    {"linear", R"({ "type": "categorical_crossentropy", "from_logits": true, "reduction": "sum" })", true},
    {"softmax", R"("sparse_categorical_crossentropy")", true},
    {"linear", R"({ "type": "sparse_categorical_crossentropy", "from_logits": true })", true},
    {"softmax", R"("kl_divergence")", true},
    {"softplus", R"("poisson")"},
    {"linear", R"("hinge")"},
    {"linear", R"({ "type": "squared_hinge", "weight": 0.5 })"}};

class LayerModel {
public:
  explicit LayerModel(Drawer& draw) : draw_(draw), width_(draw.between(1, 6)), features_(width_) {}

  std::string text() {
    const bool single = draw_.chance(70);
    const int steps = draw_.between(1, 4);
    for (int i = 0; i < steps; ++i) step();
    const Head& head = draw_.one_of(heads);
    dense(head.one_class ? draw_.between(2, 5) : draw_.between(1, 4), head.activation);
    return R"({ "dlcc": 1, "name": "drawn", "dtype": )" + std::string(single ? R"("f32")" : R"("f64")") +
           R"(, "inputs": { "x": { "shape": ["N", )" + std::to_string(features_) + "]" +
           (single && draw_.chance(30) ? R"(, "dtype": "f32")" : "") + " } },\n \"layers\": [" + layers_ +
           "],\n \"loss\": " + head.loss + R"(, "optimizer": "sgd", "train": { "batch_size": )" +
           std::to_string(draw_.between(1, 9)) + ", \"last_batch\": \"drop\" } }\n";
  }

private:
  void add(const std::string& layer) { layers_ += (layers_.empty() ? "\n  { " : ",\n  { ") + layer + " }"; }
  std::string activation() { return quoted(draw_.one_of(activations)); }
  std::string penalty(const char* of) {
    if (!draw_.chance(15)) return "";
    return std::string(", \"") + of + "_regularizer\": { \"" + (draw_.chance(50) ? "l1" : "l2") + "\": 0.02 }";
  }
  std::string dense_text(int units, const std::string& activation_text) {
    return R"("type": "Dense", "units": )" + std::to_string(units) + ", \"activation\": " + activation_text +
           R"(, "bias_initializer": { "type": "random_uniform", "min": -0.5, "max": 0.5 })" + penalty("kernel") +
           penalty("bias") + penalty("activity");
  }
  void dense(int units, const std::string& name) {
    add(dense_text(units, quoted(name)));
    width_ = units;
  }
  // Two branches from one layer, joined.
  void branch() {
    const std::string trunk = name(), left = name(), right = name(), joint = draw_.one_of(joints);
    const int units = draw_.between(1, 4);
    add(R"("type": "Activation", "activation": "linear", "name": )" + quoted(trunk));
    add(dense_text(units, activation()) + ", \"name\": " + quoted(left));
    add(dense_text(units, activation()) + R"(, "from": [)" + quoted(trunk) + "], \"name\": " + quoted(right));
    add("\"type\": " + quoted(joint) + ", \"from\": [" + quoted(left) + ", " + quoted(right) + "]");
    width_ = joint == "Concat" ? 2 * units : units;
  }
  void step() {
    switch (draw_.below(8)) {
    case 0:
      return add(R"("type": "Activation", "activation": )" + activation());
    case 1:
      return add(R"("type": "Dropout", "rate": 0.3)");
    case 2:
      return add(R"("type": "Rescale", "scale": -1.5, "offset": 0.1)");
    case 3:
      return add(R"("type": "Residual", "layers": [ { )" + dense_text(width_, activation()) + " } ]");
    case 4:
      return branch();
    case 5:
      add(R"("type": "Reshape", "target_shape": [1, )" + std::to_string(width_) + "]");
      return add(R"("type": "Flatten")");
    default:
      return dense(draw_.between(1, 7), draw_.one_of(activations));
    }
  }
  std::string name() { return "l" + std::to_string(++names_); }

  Drawer& draw_;
  int width_, features_, names_ = 0;
  std::string layers_;
};

// Values of shape [N, w], made of each other by operators whose derivatives exist almost everywhere.
class NodeModel {
public:
  explicit NodeModel(Drawer& draw) : draw_(draw), width_(draw.between(1, 5)), dtype_(draw.chance(70) ? "f32" : "f64") {}

  std::string text() {
    const std::string w = std::to_string(width_);
    params_ = R"("w": { "shape": [)" + w + ", " + w + R"(] }, "b": { "shape": [)" + w +
              R"(], "init": { "type": "random_uniform", "min": -1, "max": 1 } })";
    keep(node("add", {node("matmul", {"x", "w"}), "b"}));
    const int steps = draw_.between(2, 9);
    for (int i = 0; i < steps; ++i) step();
    // All that was made counts.
    std::string total = values_[0];
    for (size_t i = 1; i < values_.size(); ++i) total = node("add", {total, node("tanh", {values_[i]})});
    node("mean", {total}, R"("axes": [1])", "p");
    return R"({ "dlcc": 1, "name": "drawn", "dtype": )" + quoted(dtype_) + R"(, "inputs": { "x": { "shape": ["N", )" +
           w + R"(] } }, "labels": { "y": { "shape": ["N"] } },)" + "\n \"params\": { " + params_ +
           " },\n \"nodes\": [" + nodes_ +
           "],\n \"loss\": { \"type\": \"mean_squared_error\", \"prediction\": \"p\", \"label\": \"y\" }, "
           R"("optimizer": "adam", "train": { "batch_size": )" +
           std::to_string(draw_.between(1, 8)) + ", \"last_batch\": \"drop\" } }\n";
  }

private:
  std::string node(const std::string& op, const std::vector<std::string>& inputs, const std::string& attrs = "",
                   std::string output = "") {
    if (output.empty()) output = "v" + std::to_string(++names_);
    std::string in;
    for (const std::string& i : inputs) in += (in.empty() ? "" : ", ") + quoted(i);
    nodes_ += (nodes_.empty() ? "\n  { \"op\": " : ",\n  { \"op\": ") + quoted(op) + ", \"inputs\": [" + in + "]" +
              (attrs.empty() ? "" : ", \"attrs\": { " + attrs + " }") + ", \"output\": " + quoted(output) + " }";
    return output;
  }
  const std::string& any() { return draw_.one_of(values_); }
  void keep(const std::string& value) { values_.push_back(value); }
  // 1 + v^2: no root, logarithm or quotient of it has a pole.
  std::string at_least_one() {
    const std::string one = node("constant", {}, R"("shape": [], "values": [1.0])"), v = any();
    return node("add", {node("multiply", {v, v}), one});
  }
  void step() {
    static const std::vector<std::string> unary = {"tanh", "sigmoid", "relu",   "abs",  "negative", "softplus",
                                                   "sin",  "cos",     "square", "gelu", "erf"},
                                          binary = {"add", "subtract", "multiply", "maximum", "minimum"};
    switch (draw_.below(6)) {
    case 0:
      return keep(node(draw_.one_of(unary), {any()}));
    case 1:
      return keep(node(draw_.one_of(binary), {any(), any()}));
    case 2:
      return keep(node("divide", {any(), at_least_one()}));
    case 3:
      return keep(node(draw_.chance(50) ? "sqrt" : "log", {at_least_one()}));
    case 4: // there and back
      return keep(node("cast", {node("cast", {any()}, R"("dtype": "f64")")}, "\"dtype\": " + quoted(dtype_)));
    default:
      return keep(node("softmax", {any()}, R"("axis": -1)"));
    }
  }

  Drawer& draw_;
  int width_, names_ = 0;
  std::string dtype_, params_, nodes_;
  std::vector<std::string> values_;
};

} // namespace

std::string random_model(uint64_t seed) {
  Drawer draw(seed);
  return draw.chance(60) ? LayerModel(draw).text() : NodeModel(draw).text();
}

} // namespace dlcc::cli_tests
