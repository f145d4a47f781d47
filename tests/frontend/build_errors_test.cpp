// Rows B, C, D and E of the list of bad inputs that only the building of the graph can notice: whole messages, in
// order.
#include "building.h"

namespace dlcc::frontend::testing {
namespace {

using Lines = std::vector<std::string>;

void expect(const std::string& text, const Lines& lines) {
  Built out = build(text);
  EXPECT_EQ(out.lines, lines) << text;
  EXPECT_FALSE(out.module.has_value()) << text;
}
// The first byte of `layers` is at column 64, of `nodes` at 63.
void expect_layers(const std::string& layers, const Lines& lines) { expect(model_of(layers), lines); }
void expect_nodes(const std::string& nodes, const Lines& lines) { expect(nodes_of(nodes), lines); }
std::string at(int column, const std::string& rest) {
  return "m.json:1:" + std::to_string(column) + ": error: " + rest;
}

TEST(BuildError, B6_unknown_operator) {
  expect_nodes(
      R"({"op": "matmull", "inputs": ["x"], "output": "y"}, {"op": "zzzzzzzzzz", "inputs": ["x"], "output": "z"})",
      {at(70, "unknown operator 'matmull', did you mean 'matmul'? [unknown-op]"),
       at(121, "unknown operator 'zzzzzzzzzz', 'dlcc ops' lists them [unknown-op]")});
  expect_nodes(R"({"op": "call", "inputs": ["x"], "output": "y", "attrs": {"function": "predict"}})",
               {at(70, "unknown operator 'call', 'dlcc ops' lists them [unknown-op]")});
}

TEST(BuildError, B12_number_of_inputs) {
  expect_layers(R"("Add")", {at(64, "layer 'add' (Add) takes at least 2 inputs, got 1 [wrong-count]")});
  expect_layers(R"({"type": "Dense", "units": 1, "from": ["x", "x"]})",
                {at(64, "layer 'dense' (Dense) takes 1 input, got 2 [wrong-count]")});
  expect_nodes(R"({"op": "add", "inputs": ["x", "x", "x"], "output": "y"})",
               {at(63, "node 'y': add: takes 2 inputs, got 3 [invalid-op]")});
  expect_nodes(R"({"op": "add", "inputs": [], "output": "y"})",
               {at(63, "node 'y': add: takes 2 inputs, got 0 [invalid-op]")});
  expect_nodes(R"({"op": "relu", "inputs": ["x"], "output": ["y", "z"]})",
               {at(63, "'relu' gives 1 values, got 2 names for them [wrong-count]")});
}

// Keras' three accuracies: each where it is the one that follows from the loss and the shape, and nowhere else.
TEST(BuildError, kinds_of_accuracy) {
  const std::pair<const char*, const char*> models[] = {
      {"binary", R"("units": 1, "activation": "sigmoid"}], "loss": "binary_crossentropy")"},
      {"binary", R"("units": 3, "activation": "sigmoid"}], "loss": "binary_crossentropy")"},
      {"binary", R"("units": 1}], "loss": "mean_squared_error")"},
      {"categorical", R"("units": 3, "activation": "softmax"}], "loss": "categorical_crossentropy")"},
      {"sparse_categorical", R"("units": 3, "activation": "softmax"}], "loss": "sparse_categorical_crossentropy")"}};
  for (const auto& [kind, rest] : models)
    for (const std::string name : {"binary", "categorical", "sparse_categorical"}) {
      const Built out = build(R"({"dlcc": 1, "inputs": {"x": {"shape": ["N", 4]}}, "layers": [{"type": "Dense", )" +
                              std::string(rest) + R"(, "metrics": [")" + name + R"(_accuracy"]})");
      EXPECT_EQ(out.module.has_value(), name == kind) << rest << name;
      if (name == kind) continue;
      ASSERT_EQ(out.lines.size(), 1u) << rest << name;
      EXPECT_NE(out.lines[0].find("metric 'accuracy' of kind '" + name + "' does not fit: by its loss, prediction "),
                std::string::npos)
          << out.lines[0];
      EXPECT_NE(out.lines[0].find(std::string(" has the accuracy '") + kind + "', expected \"accuracy\" [metric-kind]"),
                std::string::npos)
          << out.lines[0];
    }
}

TEST(BuildError, C1_C2_cycles) {
  expect_layers(R"({"type": "Add", "name": "a", "from": ["x", "b"]}, {"type": "Flatten", "name": "b", "from": ["a"]})",
                {at(64, "layers form a cycle: 'a' -> 'b' -> 'a', expected none [cycle]")});
  expect_nodes(R"({"op": "add", "inputs": ["x", "b"], "output": "a"}, {"op": "relu", "inputs": ["a"], "output": "b"})",
               {at(63, "nodes form a cycle: 'a' -> 'b' -> 'a', expected none [cycle]")});
  expect_nodes(R"({"op": "add", "inputs": ["x", "a"], "output": "a"})",
               {at(63, "nodes form a cycle: 'a' -> 'a', expected none [cycle]")});
}

// Functions that call the one before them twice: short texts for more nodes than memory holds. `body` is the first
// one's, `gradient` all others'.
std::string doubling_functions(int count, const std::string& body, const std::string& gradient = "") {
  std::string text = R"("functions": {"f0": {"inputs": ["a"], )" + body + "}";
  for (int i = 1; i < count; ++i) {
    auto call = [&](const char* from, const char* to) {
      return R"({"op": "f)" + std::to_string(i - 1) + R"(", "inputs": [")" + from + R"("], "output": ")" + to + "\"}";
    };
    text += ",\n\"f" + std::to_string(i) + R"(": {"inputs": ["a"], "nodes": [)" + call("a", "c") + ", " +
            call("c", "b") + R"(], "outputs": ["b"])" + gradient + "}";
  }
  return text + "}";
}

TEST(BuildError, functions_that_stand_for_too_many_nodes) {
  auto model = [](const std::string& functions, const std::string& nodes, const std::string& rest = "") {
    return R"({"dlcc": 1, "inputs": {"x": {"shape": ["N", 4]}}, )" + functions + ",\n\"nodes\": [" + nodes + "]" +
           rest + "}";
  };
  auto call = [](int function, const std::string& from, const std::string& to) {
    return R"({"op": "f)" + std::to_string(function) + R"(", "inputs": [")" + from + R"("], "output": ")" + to + "\"}";
  };
  const std::string some = R"("nodes": [{"op": "tanh", "inputs": ["a"], "output": "b"}], "outputs": ["b"])",
                    none = R"("nodes": [], "outputs": ["a"])", calls = call(59, "x", "y");
  const Lines f19 = {"m.json:20:1: error: function 'f19' has more than 1,000,000 nodes when unrolled [too-large]"};
  expect(model(doubling_functions(60, some), calls), f19);
  expect(model(doubling_functions(60, none), calls), f19); // a call takes time too
  const std::string gradient =
      R"(, "gradient": {"nodes": [{"op": "f0", "inputs": ["d.b"], "output": "t"}, {"op": "f0", "inputs": ["t"], "output": "d.a"}]})";
  std::string functions = doubling_functions(11, some, gradient);
  for (size_t i = 1, at = 0; i < 11; ++i) // each gradient calls what its function calls
    for (int n = 0; n < 2; ++n) {
      at = functions.find(n ? R"("f0", "inputs": ["t"])" : R"("f0", "inputs": ["d.b"])", at);
      functions.replace(at, 4, "\"f" + std::to_string(i - 1) + "\"");
    }
  expect(model(functions, call(10, "x", "y")),
         {"m.json:11:1: error: function 'f10' has more than 1,000,000 nodes when unrolled [too-large]"});
  // No function is too large, but all that the model calls.
  std::string nodes = call(18, "x", "y0");
  for (int i = 1; i < 10; ++i) nodes += ",\n" + call(18, "y" + std::to_string(i - 1), "y" + std::to_string(i));
  expect(model(doubling_functions(19, some), nodes),
         {"m.json:21:1: error: with 'f18' the model has more than 1,000,000 nodes when unrolled [too-large]"});
}

TEST(BuildError, C3_long_cycle) {
  constexpr int count = 100'000;
  std::string nodes;
  for (int i = 0; i < count; ++i)
    nodes += (i ? ", " : "") + (R"({"op": "relu", "inputs": ["n)" + std::to_string((i + count - 1) % count)) +
             R"("], "output": "n)" + std::to_string(i) + "\"}";
  expect_nodes(nodes, {at(63, "nodes form a cycle: 'n0' -> 'n1' -> 'n2' -> ... -> 'n99997' -> 'n99998' -> 'n99999' -> "
                              "'n0', expected none [cycle]")});
}

TEST(BuildError, C5_names_twice) {
  expect_nodes(R"({"op": "relu", "inputs": ["x"], "output": "y"}, {"op": "relu", "inputs": ["x"], "output": "y"})",
               {at(153, "node 'y' has the name of the node at 1:105, expected names that differ [duplicate-name]")});
  expect_nodes(R"({"op": "relu", "inputs": ["x"], "output": "x"})",
               {at(105, "node 'x' has the name of the input at 1:24, expected names that differ [duplicate-name]")});
  expect_layers(R"({"type": "Flatten", "name": "a"}, {"type": "Flatten", "name": "a"})",
                {at(126, "layer 'a' has the name of the layer at 1:92, expected names that differ [duplicate-name]")});
  expect_layers(R"({"type": "Flatten", "name": "x"})",
                {at(92, "layer 'x' has the name of the input at 1:24, expected names that differ [duplicate-name]")});
}

TEST(BuildError, unknown_names) {
  expect_layers(
      R"({"type": "Flatten", "name": "encoder"}, {"type": "Flatten", "from": ["encodr"]})",
      {at(133, "'from' names 'encodr', which is no layer, node or input, did you mean 'encoder'? [unknown-name]")});
  expect_nodes(
      R"({"op": "relu", "inputs": ["xx"], "output": "y"}, {"op": "relu", "inputs": ["hidden"], "output": "z"})",
      {at(89, "unknown value 'xx' [unknown-name]"), at(138, "unknown value 'hidden' [unknown-name]")});
  expect(model_with(R"("outputs": ["flaten"], "loss": {"type": "huber", "prediction": "q"}, "metrics": ["mse"])"),
         {at(87, "'outputs' names 'flaten', which is no value of the model, did you mean 'flatten'? [unknown-name]"),
          at(138, "'prediction' names 'q', which is no value of the model [unknown-name]")});
  expect(model_with(R"("loss": {"type": "huber", "sample_weight": "w"})"),
         {at(118, "'sample_weight' names 'w', which is no input [unknown-name]")});
  expect_layers(R"({"type": "Dense", "units": 4, "kernel": "@dense_9/kernel"})",
                {at(104, "no layer owns a parameter 'dense_9/kernel' [unknown-name]")});
}

TEST(BuildError, inputs_of_the_first_layer) {
  expect(R"({"dlcc": 1, "inputs": {"a": {"shape": ["N", 2]}, "b": {"shape": ["N", 2]}}, "layers": ["Flatten"]})",
         {at(88, "the first layer has no 'from' and the model has 2 inputs, expected 'from' to say which it reads "
                 "[missing-key]")});
  expect(R"({"dlcc": 1, "inputs": {"seed": {"shape": ["N", 2]}, "b": {"shape": [2, "N"]}}, "layers": ["Flatten"]})",
         {at(24, "input 'seed' has a reserved name, expected another [bad-name]"),
          at(68, "input 'b' has the batch N on axis 1, expected it first [shape-mismatch]")});
}

TEST(BuildError, D_shapes) {
  expect_nodes(
      R"({"op": "constant", "inputs": [], "output": "c", "attrs": {"value": [1, 2, 3]}}, {"op": "add", "inputs": ["x", "c"], "output": "y"}, {"op": "matmul", "inputs": ["x", "x"], "output": "z"}, {"op": "add", "inputs": ["y", "z"], "output": "o"})",
      {at(143, "node 'y': add: [32,4] and [3] cannot be broadcast together (C2) [invalid-op]"),
       at(195, "node 'z': matmul: inner dimensions 4 and 32 differ in [32,4] x [32,4] (C3) [invalid-op]")});
  expect_nodes(
      R"({"op": "broadcast_to", "inputs": ["x"], "output": "y", "attrs": {"shape": [4294967296, 4294967296, 32, 4]}})",
      {at(63, "node 'y': broadcast_to: the result f32[4294967296,4294967296,32,4] is too large [invalid-op]")});
  expect_layers(R"({"type": "Reshape", "target_shape": [3, -1]})",
                {at(100, "cannot reshape 4 elements a sample into [3,-1], expected dimensions whose product divides it "
                         "[shape-mismatch]")});
  expect_layers(R"({"type": "Reshape", "target_shape": [-1, -1]})",
                {at(100, "'target_shape' [-1,-1] has two -1, expected one [shape-mismatch]")});
  expect_layers(R"({"type": "Reshape", "target_shape": [5]})",
                {at(100, "cannot reshape 4 elements a sample into [5], expected as many elements [shape-mismatch]")});
  expect_layers(R"({"type": "Normalize", "mean": [1, 2, 3], "variance": 1})",
                {at(94, "'mean' has 3 numbers for an input of f32[32,4], expected 1 or one a feature of the last axis "
                        "[shape-mismatch]")});
  expect_layers(R"({"type": "Residual", "layers": [{"type": "Dense", "units": 3}]})",
                {at(64, "the shortcut of 'residual' is f32[32,4] and its layers give f32[32,3], expected one type "
                        "[shape-mismatch]")});
  expect_layers(R"({"type": "Dense", "units": 3, "name": "a"}, {"type": "Dense", "units": 3, "kernel": "@a/kernel^T"})",
                {at(148, "parameter 'a/kernel' is f32[4,3] elsewhere, expected f32[3,3] here [shape-mismatch]")});
  expect_layers(R"({"type": "Flatten", "name": "f"}, {"type": "Concat", "axis": 0, "from": ["x", "f"]})",
                {at(125, "'axis' is the batch axis, expected another [out-of-range]")});
}

TEST(BuildError, E_types) {
  expect_nodes(R"({"op": "cast", "inputs": ["x"], "output": "i", "attrs": {"dtype": "float33"}})",
               {at(129, "unknown dtype 'float33', did you mean 'f32'? [unknown-name]")});
  expect_nodes(
      R"({"op": "cast", "inputs": ["x"], "output": "i", "attrs": {"dtype": "i32"}}, {"op": "add", "inputs": ["x", "i"], "output": "y"})",
      {at(138, "node 'y': add: f32 and i32 differ; add a cast (C1) [invalid-op]")});
  const std::string head =
      R"({"dlcc": 1, "inputs": {"x": {"shape": ["N", 4]}}, "labels": {"y": {"shape": ["N", 4], "dtype": ")";
  expect(head + R"(f32"}}, "layers": ["Flatten"], "loss": "sparse_categorical_crossentropy"})",
         {at(77, "label 'y' is f32[32,4], expected class numbers of an integer type such as i32 [dtype-mismatch]")});
  expect(head + R"(i32"}}, "layers": ["Flatten"], "loss": "mean_squared_error"})",
         {at(77, "label 'y' is i32[32,4], expected the type f32 of the prediction [dtype-mismatch]")});
  expect(head + R"(f32"}}, "layers": [{"type": "Dense", "units": 3}], "loss": "mean_squared_error"})",
         {at(77, "label 'y' is f32[32,4], expected shape [32,3] for a prediction of f32[32,3] [shape-mismatch]")});
  expect(
      R"({"dlcc": 1, "inputs": {"x": {"shape": ["N"]}}, "params": {"k": {"shape": [2], "dtype": "i32"}}, "nodes": []})",
      {at(59, "parameter 'k' is i32[2] and cannot be trained, expected a float type or \"trainable\": false "
              "[not-trainable]")});
}

TEST(BuildError, attributes) {
  expect_nodes(R"({"op": "sum", "inputs": ["x"], "output": "y", "attrs": {"axees": 1}})",
               {at(128, "operator 'sum' has no attribute 'axees', did you mean 'axes'? [unknown-key]")});
  expect_nodes(R"({"op": "sum", "inputs": ["x"], "output": "y", "attrs": {"axes": [true]}})",
               {at(127, "attribute 'axes' of operator 'sum' must be of kind integers [wrong-type]")});
  expect_nodes(R"({"op": "sum", "inputs": ["x"], "output": "y", "attrs": {"axes": [2]}})",
               {at(63, "node 'y': sum: axis 2 does not exist in a tensor of 2 axes (C1) [invalid-op]")});
}

TEST(BuildError, functions) {
  auto with = [](const std::string& functions, const std::string& nodes) {
    return R"({"dlcc": 1, "inputs": {"x": {"shape": ["N", 4]}}, "functions": {)" + functions + R"(}, "nodes": [)" +
           nodes + "]}";
  };
  const std::string call = R"({"op": "f", "inputs": ["x"], "output": "y"})";
  expect(
      with(
          R"("f": {"inputs": ["u"], "outputs": ["v"], "nodes": [{"op": "g", "inputs": ["u"], "output": "v"}]}, "g": {"inputs": ["u"], "outputs": ["v"], "nodes": [{"op": "f", "inputs": ["u"], "output": "v"}]})",
          call),
      {at(65, "functions may not recur: 'f' -> 'g' -> 'f' [cycle]")});
  expect(with(R"("relu": {"inputs": ["u"], "outputs": ["u"], "nodes": []})", call),
         {at(65, "function 'relu' has the name of an operator, expected another [duplicate-name]")});
  expect(with(R"("f": {"inputs": ["u"], "outputs": ["w"], "nodes": []})", call),
         {at(100, "function 'f' does not define 'w' [unknown-name]")});
  expect(with(R"("f": {"inputs": ["u", "w"], "outputs": ["u"], "nodes": []})", call),
         {at(136, "function 'f' takes 2 inputs, got 1 [wrong-count]")});
  expect(
      with(
          R"("f": {"inputs": ["u"], "outputs": ["v"], "nodes": [{"op": "matmul", "inputs": ["u", "u"], "output": "v"}]})",
          call),
      {at(116, "node 'y/v': matmul: inner dimensions 4 and 32 differ in [32,4] x [32,4] (C3) [invalid-op]")});
  expect(
      with(
          R"("f": {"inputs": ["u"], "outputs": ["v"], "nodes": [{"op": "relu", "inputs": ["u"], "output": "v"}], "gradient": {"nodes": []}})",
          call),
      {at(177, "the gradient of function 'f' does not define 'd.u' [missing-key]")});
}

TEST(BuildError, losses_and_metrics) {
  expect(model_with(R"("metrics": ["mse"])"),
         {at(87, "metric 'mse' needs a label, expected a 'loss' that has one [missing-key]")});
  expect(model_with(R"("loss": "huber", "metrics": ["mse", "mse"])"),
         {at(111, "two metrics are called 'mse', expected names that differ [duplicate-name]")});
  expect(model_with(R"("loss": {"type": "binary_crossentropy", "class_weight": {"4": 2}})"),
         {at(131, "'class_weight' names class 4, expected 0 to 3 [out-of-range]")});
  expect(model_with(R"("loss": "sparse_categorical_crossentropy", "metrics": ["mae"])"),
         {at(130, "metric 'mae' compares numbers and label 'label' holds class numbers, expected a label of floats "
                  "[dtype-mismatch]")});
}

TEST(BuildWarning, C7_dead_branch) {
  Built out = build(model_of(
      R"({"type": "Dense", "units": 2, "name": "a"}, {"type": "Dense", "units": 3, "from": ["x"]}], "outputs": ["a")"));
  EXPECT_EQ(out.lines,
            Lines{"m.json:1:108: warning: layer 'dense' is not used by any output or loss; left out [unused-layer]"});
  ASSERT_TRUE(out.module.has_value());
  EXPECT_FALSE(out.module->find_state("dense/kernel"));
  out = build(nodes_of(
      R"({"op": "exp", "inputs": ["x"], "output": "u"}, {"op": "log", "inputs": ["u"], "output": "v"}, {"op": "relu", "inputs": ["x"], "output": "y"})"));
  EXPECT_EQ(
      out.lines,
      Lines{"m.json:1:63: warning: node 'u' and 1 more are not used by any output or loss; left out [unused-node]"});
}

} // namespace
} // namespace dlcc::frontend::testing
