// Rows A to E of the list of bad inputs: a model text with one fault gets one line, the right exit code and no file.
#include "tests/cli/models.h"
#include "tests/cli/program.h"

#include <gtest/gtest.h>

#include <functional>
#include <regex>

namespace dlcc::cli_tests {
namespace {

struct Row {
  std::string name;
  std::function<std::string()> model;
  std::string line; // the whole message
  Bounds bounds = {};
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

std::string name_of(const testing::TestParamInfo<Row>& info) { return info.param.name; }

// The tiny model with one piece replaced.
std::function<std::string()> tiny_with(const std::string& from, const std::string& to) {
  return [=] { return replaced(tiny, from, to); };
}

std::function<std::string()> text(const std::string& bytes) {
  return [=] { return bytes; };
}

std::function<std::string()> node(const std::string& nodes, const std::string& params = R"("w": { "shape": [3] })",
                                  const std::string& inputs = R"("x": { "shape": ["N", 3] })",
                                  const std::string& labels = R"("y": { "shape": ["N"] })") {
  return [=] { return graph_model(nodes, "p", params, inputs, labels); };
}

const std::string product = R"({"op":"matvec","inputs":["x","w"],"output":"p"})";

std::string as_utf16(const std::string& ascii) {
  std::string wide = "\xff\xfe";
  for (char c : ascii) wide += {c, '\0'};
  return wide;
}

std::string without_layers() { return std::regex_replace(tiny, std::regex(R"("layers": \[[^\]]*\],)"), ""); }

// v0 = relu(v1), v1 = relu(v2), ..., the last of the first.
std::string long_cycle(int nodes) {
  std::string all;
  for (int i = 0; i < nodes; ++i)
    all += R"({"op":"relu","inputs":["v)" + std::to_string((i + 1) % nodes) + R"("],"output":"v)" + std::to_string(i) +
           "\"},";
  return graph_model(all + product);
}

// More nodes than a model may have, each as short as can be.
std::string many_nodes() {
  std::string all;
  for (int i = 0; i < 1000001; ++i) all += R"({"op":"relu","inputs":["x"],"output":"v)" + std::to_string(i) + "\"},";
  return graph_model(all + product);
}

class BadModel : public testing::TestWithParam<Row> {};

TEST_P(BadModel, GetsOneLine) {
  Folder folder;
  folder.write("m.json", GetParam().model());
  folder.write("old.so", "the file of an earlier compilation");
  expect_refused(folder, {"m.json", "-o", "old.so"}, 3, GetParam().line, {}, GetParam().bounds);
}

const Row syntax[] = {
    {"A1_empty", text(""), "m.json:1:1: error: empty file, expected a JSON object [empty-file]"},
    {"A4_utf16", [] { return as_utf16(tiny); },
     "m.json:1:1: error: not UTF-8: this looks like UTF-16, expected a UTF-8 text [encoding]"},
    {"A8_line_comment", tiny_with("\"seed\": 7,", "\"seed\": 7, //"),
     "m.json:1:41: error: comments are not allowed; use \"x-note\" [json-syntax]"},
    {"A8_block_comment", [] { return "/* */" + tiny; },
     "m.json:1:1: error: comments are not allowed; use \"x-note\" [json-syntax]"},
    {"A10_too_large", tiny_with("0.01", "1e999"),
     "m.json:7:51: error: number out of range: 1e999, expected at most 1.8e308 [out-of-range]"},
    {"A12_two_to_64", tiny_with("\"units\": 8", "\"units\": 18446744073709551616"),
     "m.json:3:61: error: integer out of range: 18446744073709551616, expected at most 64 bits [out-of-range]"},
    {"A13_twice", tiny_with("\"loss\"", "\"layers\": [], \"loss\""),
     "m.json:6:3: error: duplicate key 'layers', expected each key once [duplicate-key]"},
    {"A15_nul", tiny_with("\"hidden\"", "\"hid\\u0000den\""),
     "m.json:3:42: error: control character in name 'hid\\x00den', expected printable text [bad-name]"},
    {"A15_escape", tiny_with("\"hidden\"", "\"hid\\u001b[2Jden\""),
     "m.json:3:42: error: control character in name 'hid\\x1b[2Jden', expected printable text [bad-name]"},
    {"A16_deep_lists", [] { return std::string(1000000, '['); },
     "m.json:1:65: error: nesting deeper than 64 [nesting]"},
    {"A16_deep_objects",
     [] {
       std::string deep;
       for (int i = 0; i < 100000; ++i) deep += "{\"a\":";
       return deep;
     },
     "m.json:1:321: error: nesting deeper than 64 [nesting]"},
};
INSTANTIATE_TEST_SUITE_P(Syntax, BadModel, testing::ValuesIn(syntax), name_of);

const Row schema[] = {
    {"B1_list", text("[]"), "m.json:1:1: error: the model is an empty list, expected an object [wrong-type]"},
    {"B2_no_version", tiny_with("\"dlcc\": 1,", ""),
     "m.json:1:1: error: no 'dlcc' key, expected \"dlcc\": 1 (format versions 1 to 1 are supported) [format-version]"},
    {"B2_newer", tiny_with("\"dlcc\": 1,", "\"dlcc\": 999,"),
     "m.json:1:11: error: 'dlcc' is 999, expected \"dlcc\": 1 (format versions 1 to 1 are supported) [format-version]"},
    {"B2_text", tiny_with("\"dlcc\": 1,", "\"dlcc\": \"1\","),
     "m.json:1:11: error: 'dlcc' is the string '1', expected \"dlcc\": 1 (format versions 1 to 1 are supported) "
     "[format-version]"},
    {"B3_typing_error", tiny_with("\"activation\": \"relu\"", "\"actvation\": \"relu\""),
     "m.json:3:64: error: unknown key 'actvation' in layer 'Dense', did you mean 'activation'? [unknown-key]"},
    {"B4_neither", without_layers,
     "m.json:1:1: error: neither 'layers' nor 'nodes' is there, expected one of them [missing-key]"},
    {"B4_object", [] { return replaced(without_layers(), "\"loss\":", "\"layers\": {}, \"loss\":"); },
     "m.json:4:13: error: 'layers' is an object, expected a non-empty list of layers [wrong-type]"},
    {"B5_no_op", node(R"({"inputs":["x","w"],"output":"p"})"),
     "m.json:5:14: error: node 0 has no 'op', expected a name [missing-key]"},
    {"B5_no_output", node(product + R"(,{"op":"relu","inputs":["p"]})"),
     "m.json:5:62: error: node 1 has no 'output', expected a name or a non-empty list of names [missing-key]"},
    {"B5_no_inputs", node(R"({"op":"matvec","output":"p"})"),
     "m.json:5:14: error: node 0 has no 'inputs', expected a name or a list of names [missing-key]"},
    {"B6_unknown_op", node(R"({"op":"Conv3D","inputs":["x","w"],"output":"p"})"),
     "m.json:5:20: error: operator 'Conv3D' is not supported yet; 'dlcc ops' lists what is [unknown-op]"},
    {"B6_near_op", node(R"({"op":"matvek","inputs":["x","w"],"output":"p"})"),
     "m.json:5:20: error: unknown operator 'matvek', did you mean 'matvec'? [unknown-op]"},
    {"B9_number_for_bool", tiny_with("\"units\": 8", "\"units\": 8, \"use_bias\": 1"),
     "m.json:3:76: error: 'use_bias' is 1, expected true or false [wrong-type]"},
    {"B9_bool_for_int", tiny_with("\"units\": 8", "\"units\": true"),
     "m.json:3:61: error: 'units' is true, expected an integer >= 1 [wrong-type]"},
    {"B9_whole_float", tiny_with("\"units\": 8", "\"units\": 2.0"),
     "m.json:3:61: error: 'units' is 2.0, expected an integer >= 1 [wrong-type]"},
    {"B9_float", tiny_with("\"units\": 8", "\"units\": 2.7"),
     "m.json:3:61: error: 'units' is 2.7, expected an integer >= 1 [wrong-type]"},
    {"B9_bool_for_float", tiny_with("\"rate\": 0.25", "\"rate\": true"),
     "m.json:4:44: error: 'rate' is true, expected a number from 0 to 1 [wrong-type]"},
    {"B11_missing", tiny_with(", \"units\": 8", ""),
     "m.json:3:15: error: layer 'Dense' has no 'units', expected an integer >= 1 [missing-key]"},
    {"B12_four", node(R"({"op":"add","inputs":["x","w","w","x"],"output":"p"})"),
     "m.json:5:14: error: node 'p': add: takes 2 inputs, got 4 [invalid-op]"},
    {"B12_none", node(R"({"op":"add","inputs":[],"output":"p"})"),
     "m.json:5:14: error: node 'p': add: takes 2 inputs, got 0 [invalid-op]"},
    {"B13_long_name", [] { return replaced(tiny, "\"hidden\"", "\"" + std::string(1000000, 'h') + "\""); },
     "m.json:3:42: error: name of 1000000 bytes, expected at most 1024 [bad-name]"},
    {"B13_empty_name", tiny_with("\"hidden\"", "\"\""),
     "m.json:3:42: error: empty name, expected 1 to 1024 bytes [bad-name]"},
    {"B13_newline", tiny_with("\"hidden\"", "\"hid\\nden\""),
     "m.json:3:42: error: control character in name 'hid\\x0aden', expected printable text [bad-name]"},
    {"B14_million_nodes", many_nodes, "m.json:5:12: error: more than 1,000,000 nodes [too-large]", {5, 1000}},
    {"B15_unknown_optimizer", tiny_with("\"adam\"", "\"adom\""),
     "m.json:7:26: error: unknown optimizer 'adom', did you mean 'adam'? [unknown-name]"},
    {"B15_negative_rate", tiny_with("0.01", "-1"),
     "m.json:7:51: error: 'learning_rate' is -1, expected a number > 0 or a schedule [out-of-range]"},
    {"B15_zero_rate", tiny_with("0.01", "0"),
     "m.json:7:51: error: 'learning_rate' is 0, expected a number > 0 or a schedule [out-of-range]"},
    {"B15_nan_rate", tiny_with("0.01", "NaN"),
     "m.json:7:51: error: bad JSON: invalid literal, read 'NaN' [json-syntax]"},
    {"B15_text_rate", tiny_with("0.01", "\"fast\""),
     "m.json:7:51: error: 'learning_rate' is the string 'fast', expected a number > 0 or a schedule [wrong-type]"},
    {"B15_beta", tiny_with("0.01", "0.01, \"beta_1\": 1"),
     "m.json:7:67: error: 'beta_1' is 1, expected a number >= 0 and < 1 [out-of-range]"},
    {"B15_epsilon", tiny_with("0.01", "0.01, \"epsilon\": -1"),
     "m.json:7:68: error: 'epsilon' is -1, expected a number > 0 [out-of-range]"},
    {"B15_momentum", tiny_with("\"adam\"", "\"sgd\", \"momentum\": 2"),
     "m.json:7:45: error: 'momentum' is 2, expected a number from 0 to 1 [out-of-range]"},
    {"B5_empty_output", node(R"({"op":"relu","inputs":["x"],"output":[]},)" + product),
     "m.json:5:51: error: node 0: 'output' is empty, expected a name or a list of names [bad-list]"},
    {"B16_too_few",
     node(R"({"op":"constant","inputs":[],"output":"c","attrs":{"shape":[3],"value":[1,2]}},)" + product),
     "m.json:5:85: error: node 0 has 2 values, expected 3 for shape [3] [shape-mismatch]"},
    {"B16_ragged",
     node(R"({"op":"constant","inputs":[],"output":"c","attrs":{"shape":[2,2],"value":[[1,2],[3]]}},)" + product),
     "m.json:5:94: error: node 0: 'value' has ragged list: rows of 2 and 1 entries, expected equal lengths [bad-list]"},
    {"B16_mixed",
     node(R"({"op":"constant","inputs":[],"output":"c","attrs":{"shape":[3],"value":[1,"2",true]}},)" + product),
     "m.json:5:88: error: node 0: 'value' has mixed types: the string '2' beside 1, expected one type [bad-list]"},
};
INSTANTIATE_TEST_SUITE_P(Schema, BadModel, testing::ValuesIn(schema), name_of);

const Row graph[] = {
    {"C1_cycle",
     node(R"({"op":"relu","inputs":["b"],"output":"a"},{"op":"relu","inputs":["a"],"output":"b"},)" + product),
     "m.json:5:14: error: nodes form a cycle: 'a' -> 'b' -> 'a', expected none [cycle]"},
    {"C2_self_loop", node(R"({"op":"add","inputs":["a","x"],"output":"a"},)" + product),
     "m.json:5:14: error: nodes form a cycle: 'a' -> 'a', expected none [cycle]"},
    {"C3_long_cycle", [] { return long_cycle(100000); },
     "m.json:5:14: error: nodes form a cycle: 'v0' -> 'v99999' -> 'v99998' -> ... -> 'v3' -> 'v2' -> 'v1' -> 'v0', "
     "expected none [cycle]"},
    {"C5_two_nodes", node(product + R"(,{"op":"relu","inputs":["x"],"output":"p"})"),
     "m.json:5:99: error: node 'p' has the name of the node at 5:57, expected names that differ [duplicate-name]"},
    {"C5_node_and_input", node(product + R"(,{"op":"relu","inputs":["x"],"output":"x"})"),
     "m.json:5:99: error: node 'x' has the name of the input at 2:15, expected names that differ [duplicate-name]"},
    {"C10_no_path", node(R"({"op":"sum","inputs":["x"],"attrs":{"axes":[1]},"output":"p"})"),
     "m.json:6:11: error: no gradient path from loss to any parameter [no-gradient]"},
    {"C11_blocked", node(R"({"op":"multiply","inputs":["x","w"],"output":"m"},
             {"op":"argmax","inputs":["m"],"attrs":{"axis":1},"output":"i"},
             {"op":"cast","inputs":["i"],"attrs":{"dtype":"f32"},"output":"p"})"),
     "m.json:8:11: error: no gradient path from loss to any parameter; 'argmax' on the way has no gradient "
     "[no-gradient]"},
    {"MixedRows", node(R"({"op":"mean","inputs":["x"],"attrs":{"axes":[0]},"output":"m"},
             {"op":"subtract","inputs":["x","m"],"output":"c"},{"op":"matvec","inputs":["c","w"],"output":"p"})"),
     "m.json:5:14: error: this node mixes the rows of a batch, so it would count the rows that fill a short one, "
     "expected \"last_batch\": \"drop\" in 'train' [mixed-rows]"},
    {"C13_both", node(product, R"("w": { "shape": [3] }, "x": { "shape": [3] })"),
     "m.json:4:38: error: param 'x' has the name of an input, expected names that differ [duplicate-name]"},
};
INSTANTIATE_TEST_SUITE_P(Graph, BadModel, testing::ValuesIn(graph), name_of);

const std::string twelve = R"("u": { "shape": [12] })";
std::string reshape(const std::string& to) {
  return R"({"op":"reshape","inputs":["u"],"attrs":{"shape":)" + to + R"(},"output":"p"})";
}
const Row shapes[] = {
    {"D1_inner",
     node(R"({"op":"matmul","inputs":["u","w"],"output":"p"})", R"("u": { "shape": [2,3] }, "w": { "shape": [4,5] })"),
     "m.json:5:14: error: node 'p': matmul: inner dimensions 3 and 4 differ in [2,3] x [4,5] (C3) [invalid-op]"},
    {"D2_broadcast",
     node(R"({"op":"add","inputs":["u","w"],"output":"p"})", R"("u": { "shape": [3] }, "w": { "shape": [4] })"),
     "m.json:5:14: error: node 'p': add: [3] and [4] cannot be broadcast together (C2) [invalid-op]"},
    {"D3_not_divisible", node(reshape("[5,-1]"), twelve),
     "m.json:5:14: error: node 'p': reshape: [12] has 12 elements and cannot become [5,-1] (C1) [invalid-op]"},
    {"D3_two_unknown", node(reshape("[-1,-1]"), twelve),
     "m.json:5:14: error: node 'p': reshape: [-1,-1] has 2 dimensions -1, expected one (C1) [invalid-op]"},
    {"D3_negative", node(reshape("[-2,6]"), twelve),
     "m.json:5:14: error: node 'p': reshape: [-2,6] has a dimension below -1 (C1) [invalid-op]"},
    {"D5_zero", node(product, R"("w": { "shape": [0] })"),
     "m.json:4:32: error: a dimension of 'shape' is 0, expected an integer >= 1 or an upper-case symbol "
     "[out-of-range]"},
    {"D6_negative", node(product, R"("w": { "shape": [-3] })"),
     "m.json:4:32: error: a dimension of 'shape' is -3, expected an integer >= 1 or an upper-case symbol "
     "[out-of-range]"},
    {"D9_product", node(product, R"("w": { "shape": [3] }, "u": { "shape": [4294967296, 4294967296] })"),
     "m.json:4:54: error: the size of 'u' overflows: f32[4294967296,4294967296], expected at most 2^58 elements "
     "[out-of-range]"},
    {"D10_bytes", node(product, R"("w": { "shape": [3] }, "u": { "shape": [2147483648, 2147483648] })"),
     "m.json:4:54: error: the size of 'u' overflows: f32[2147483648,2147483648], expected at most 2^58 elements "
     "[out-of-range]"},
    {"D17_zero", tiny_with("\"batch_size\": 16", "\"batch_size\": 0"),
     "m.json:8:28: error: 'batch_size' is 0, expected an integer from 1 to 2147483647 [out-of-range]"},
    {"D17_negative", tiny_with("\"batch_size\": 16", "\"batch_size\": -1"),
     "m.json:8:28: error: 'batch_size' is -1, expected an integer from 1 to 2147483647 [out-of-range]"},
    {"D17_two_to_31", tiny_with("\"batch_size\": 16", "\"batch_size\": 2147483648"),
     "m.json:8:28: error: 'batch_size' is 2147483648, expected an integer from 1 to 2147483647 [out-of-range]"},
};
INSTANTIATE_TEST_SUITE_P(Shapes, BadModel, testing::ValuesIn(shapes), name_of);

const Row types[] = {
    {"E1_unknown", tiny_with("[\"N\", 4]", "[\"N\", 4], \"dtype\": \"float33\""),
     "m.json:2:50: error: unknown dtype 'float33', did you mean 'f32'? [unknown-name]"},
    {"E2_mixed",
     node(R"({"op":"add","inputs":["x","i"],"output":"q"},{"op":"matvec","inputs":["q","w"],"output":"p"})",
          R"("w": { "shape": [3] })", R"("x": { "shape": ["N", 3] }, "i": { "shape": ["N", 3], "dtype": "i32" })"),
     "m.json:5:14: error: node 'q': add: f32 and i32 differ; add a cast (C1) [invalid-op]"},
    {"E3_float_classes",
     [] {
       return replaced(from_idx, "\"layers\"",
                       R"("labels": { "label": { "shape": ["N"], "dtype": "f32" } }, "layers")");
     },
     "m.json:3:35: error: label 'label' is f32[4], expected class numbers of an integer type such as i32 "
     "[dtype-mismatch]"},
    {"E3_integer_target",
     node(product, R"("w": { "shape": [3] })", R"("x": { "shape": ["N", 3] })",
          R"("y": { "shape": ["N"], "dtype": "i32" })"),
     "m.json:3:31: error: label 'y' is i32[32], expected the type f32 of the prediction [dtype-mismatch]"},
    {"E4_integer_parameter", node(product, R"("w": { "shape": [3], "dtype": "i32" })"),
     "m.json:4:15: error: parameter 'w' is i32[3] and cannot be trained, expected a float type or \"trainable\": false "
     "[not-trainable]"},
};
INSTANTIATE_TEST_SUITE_P(Types, BadModel, testing::ValuesIn(types), name_of);

// A fault that is no error: exit code 0 and one warning.
class Warned : public testing::TestWithParam<Row> {};

TEST_P(Warned, GetsOneWarning) {
  Folder folder;
  folder.write("m.json", GetParam().model());
  Result r = folder.run({"m.json", "-o", "m.so"});
  EXPECT_EQ(r.exit_code, 0) << r.err;
  EXPECT_EQ(r.err, GetParam().line + "\n");
  EXPECT_TRUE(folder.has("m.so"));
}

const Row warned[] = {
    {"A11_too_small", tiny_with("0.01", "0.01, \"weight_decay\": 1e-999"),
     "m.json:7:73: warning: number 1e-999 rounds to 0 [underflow]"},
    {"C7_dead_branch", node(R"({"op":"relu","inputs":["x"],"output":"dead"},)" + product),
     "m.json:5:14: warning: node 'dead' is not used by any output or loss; left out [unused-node]"},
    {"C8_no_parameter", node(R"({"op":"sum","inputs":["x"],"attrs":{"axes":[1]},"output":"p"})", ""),
     "m.json:6:11: warning: nothing to train: the model has no trainable parameter [nothing-to-train]"},
    {"C12_unused_parameter", node(product, R"("w": { "shape": [3] }, "u": { "shape": [3] })"),
     "m.json:4:38: warning: the loss does not depend on parameter 'u'; it will not change [unused-parameter]"},
};
INSTANTIATE_TEST_SUITE_P(Models, Warned, testing::ValuesIn(warned), name_of);

// Looks like a fault and is none: nothing is printed.
class Accepted : public testing::TestWithParam<Row> {};

TEST_P(Accepted, Silently) {
  Folder folder;
  folder.write("m.json", GetParam().model());
  Result r = folder.run({"m.json", "-o", "m.so"});
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.err + r.out, "");
  EXPECT_TRUE(folder.has("m.so"));
}

const Row accepted[] = {
    {"A3_byte_order_mark", [] { return "\xef\xbb\xbf" + tiny; }, ""},
    {"C15_tied",
     node(R"({"op":"multiply","inputs":["x","w"],"output":"m"},{"op":"matvec","inputs":["m","w"],"output":"p"})"), ""},
    {"C16_no_nodes", text(R"({"dlcc":1,"name":"id","inputs":{"x":{"shape":["N",3]}},"nodes":[],"outputs":["x"]})"), ""},
    {"D8_rank_zero",
     node(R"({"op":"mean","inputs":["x"],"output":"s"},{"op":"multiply","inputs":["s","w"],"output":"p"})",
          R"("w": { "shape": [] })", R"("x": { "shape": [3] })", R"("y": { "shape": [] })"),
     ""},
};
INSTANTIATE_TEST_SUITE_P(Models, Accepted, testing::ValuesIn(accepted), name_of);

TEST(BadModels, AllErrorsOfAStageUpToTheLimit) {
  Folder folder;
  folder.write("m.json", replaced(replaced(tiny, "\"units\": 8", "\"units\": true"), "\"adam\"", "\"adom\""));
  Result all = folder.run({"m.json", "-o", "m.so"});
  EXPECT_EQ(all.exit_code, 3);
  EXPECT_EQ(lines_of(all.err).size(), 2u) << all.err;
  Result one = folder.run({"m.json", "-o", "m.so", "--error-limit", "1"});
  EXPECT_EQ(one.exit_code, 3);
  EXPECT_EQ(one.err.find("adom"), std::string::npos) << one.err;
}

std::string chain_of_relu(int nodes) {
  std::string chain, from = "x";
  for (int i = 0; i < nodes; ++i) {
    const std::string to = "c" + std::to_string(i);
    chain += R"({"op":"relu","inputs":[")" + from + R"("],"output":")" + to + "\"},";
    from = to;
  }
  return graph_model(chain + R"({"op":"matvec","inputs":[")" + from + R"(","w"],"output":"p"})");
}

// Many nodes of x, added up in pairs, in pairs of pairs, ...
std::string fan_of_relu(int nodes) {
  std::string fan;
  std::vector<std::string> sums;
  for (int i = 0; i < nodes; ++i) {
    sums.push_back("f" + std::to_string(i));
    fan += R"({"op":"relu","inputs":["x"],"output":")" + sums.back() + "\"},";
  }
  for (size_t i = 0; i + 1 < sums.size(); i += 2) {
    const std::string sum = "s" + std::to_string(i);
    fan += R"({"op":"add","inputs":[")" + sums[i] + R"(",")" + sums[i + 1] + R"("],"output":")" + sum + "\"},";
    sums.push_back(sum);
  }
  return graph_model(fan + R"({"op":"matvec","inputs":[")" + sums.back() + R"(","w"],"output":"p"})");
}

// C14: no pass recurses over the graph, and none is quadratic.
TEST(BadModels, C14ManyNodesAreFine) {
  Folder folder;
  for (auto* model : {chain_of_relu, fan_of_relu}) {
    folder.write("m.json", model(10'000));
    Result r = folder.run({"check", "m.json"});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    EXPECT_EQ(r.err, "");
    expect_cheap(r, {30, 2000});
  }
}

TEST(QualityOfBigModels, C14CompilesWithinTimeAndMemory) {
  Folder folder;
  for (auto* model : {chain_of_relu, fan_of_relu}) {
    folder.write("m.json", model(100'000));
    Result r = folder.run({"m.json", "-o", "m.so"});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    EXPECT_EQ(r.err, "");
    expect_cheap(r, {30, 2000});
  }
}

} // namespace
} // namespace dlcc::cli_tests
