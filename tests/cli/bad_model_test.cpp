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
  std::vector<std::string> words; // the message holds each of them
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
  auto before = folder.snapshot();
  Result r = folder.run({"m.json", "-o", "old.so"});
  expect_fault(r, 3, GetParam().words);
  EXPECT_TRUE(r.err.starts_with("m.json:")) << r.err;
  EXPECT_TRUE(folder.snapshot() == before) << "the folder was changed";
}

const Row syntax[] = {
    {"A1_empty", text(""), {"m.json:1:1:", "empty file"}},
    {"A4_utf16", [] { return as_utf16(tiny); }, {"m.json:1:1:", "not UTF-8"}},
    {"A8_line_comment",
     tiny_with("\"seed\": 7,", "\"seed\": 7, //"),
     {":1:41:", "comments are not allowed; use \"x-note\""}},
    {"A8_block_comment", [] { return "/* */" + tiny; }, {":1:1:", "comments are not allowed"}},
    {"A10_too_large", tiny_with("0.01", "1e999"), {":7:51:", "number out of range", "1e999"}},
    {"A12_two_to_64", tiny_with("\"units\": 8", "\"units\": 18446744073709551616"), {":3:61:", "integer out of range"}},
    {"A13_twice", tiny_with("\"loss\"", "\"layers\": [], \"loss\""), {":6:3:", "duplicate key 'layers'"}},
    {"A15_nul", tiny_with("\"hidden\"", "\"hid\\u0000den\""), {":3:42:", "control character in name", "\\x00"}},
    {"A15_escape", tiny_with("\"hidden\"", "\"hid\\u001b[2Jden\""), {"control character in name", "\\x1b[2J"}},
    {"A16_deep_lists", [] { return std::string(1000000, '['); }, {":1:65:", "nesting deeper than 64"}},
    {"A16_deep_objects",
     [] {
       std::string deep;
       for (int i = 0; i < 100000; ++i) deep += "{\"a\":";
       return deep;
     },
     {"nesting deeper than 64"}},
};
INSTANTIATE_TEST_SUITE_P(Syntax, BadModel, testing::ValuesIn(syntax), name_of);

const Row schema[] = {
    {"B1_list", text("[]"), {":1:1:", "expected an object"}},
    {"B2_no_version", tiny_with("\"dlcc\": 1,", ""), {"no 'dlcc' key", "versions 1 to 1"}},
    {"B2_newer", tiny_with("\"dlcc\": 1,", "\"dlcc\": 999,"), {":1:11:", "999", "versions 1 to 1"}},
    {"B2_text", tiny_with("\"dlcc\": 1,", "\"dlcc\": \"1\","), {"the string '1'", "versions 1 to 1"}},
    {"B3_typing_error",
     tiny_with("\"activation\": \"relu\"", "\"actvation\": \"relu\""),
     {":3:64:", "unknown key 'actvation'", "did you mean 'activation'?"}},
    {"B4_neither", without_layers, {"neither 'layers' nor 'nodes'"}},
    {"B4_both", tiny_with("\"loss\":", "\"nodes\": [], \"loss\":"), {"both 'layers' and 'nodes'"}},
    {"B4_object",
     [] { return replaced(without_layers(), "\"loss\":", "\"layers\": {}, \"loss\":"); },
     {"'layers' is an object", "list of layers"}},
    {"B5_no_op", node(R"({"inputs":["x","w"],"output":"p"})"), {"node 0 has no 'op'"}},
    {"B5_no_output", node(product + R"(,{"op":"relu","inputs":["p"]})"), {"node 1 has no 'output'"}},
    {"B5_no_inputs", node(R"({"op":"matvec","output":"p"})"), {"node 0 has no 'inputs'"}},
    {"B6_unknown_op",
     node(R"({"op":"Conv3D","inputs":["x","w"],"output":"p"})"),
     {"unknown operator 'Conv3D'", "dlcc ops"}},
    {"B6_near_op", node(R"({"op":"matvek","inputs":["x","w"],"output":"p"})"), {"did you mean 'matvec'?"}},
    {"B9_number_for_bool",
     tiny_with("\"units\": 8", "\"units\": 8, \"use_bias\": 1"),
     {"'use_bias' is 1", "true or false"}},
    {"B9_bool_for_int", tiny_with("\"units\": 8", "\"units\": true"), {"'units' is true", "an integer"}},
    {"B9_whole_float", tiny_with("\"units\": 8", "\"units\": 2.0"), {"'units' is 2.0", "an integer"}},
    {"B9_float", tiny_with("\"units\": 8", "\"units\": 2.7"), {"'units' is 2.7", "an integer"}},
    {"B9_bool_for_float", tiny_with("\"rate\": 0.25", "\"rate\": true"), {"'rate' is true", "a number"}},
    {"B11_missing", tiny_with(", \"units\": 8", ""), {":3:15:", "'Dense' has no 'units'"}},
    {"B12_four", node(R"({"op":"add","inputs":["x","w","w","x"],"output":"p"})"), {"'p'", "takes 2 inputs, got 4"}},
    {"B12_none", node(R"({"op":"add","inputs":[],"output":"p"})"), {"'p'", "takes 2 inputs, got 0"}},
    {"B13_long_name",
     [] { return replaced(tiny, "\"hidden\"", "\"" + std::string(1000000, 'h') + "\""); },
     {"name of 1000000 bytes", "at most 1024"}},
    {"B13_empty_name", tiny_with("\"hidden\"", "\"\""), {"empty name"}},
    {"B13_newline", tiny_with("\"hidden\"", "\"hid\\nden\""), {"control character in name", "\\x0a"}},
    {"B14_million_nodes", many_nodes, {"more than 1,000,000 nodes"}},
    {"B15_unknown_optimizer", tiny_with("\"adam\"", "\"adom\""), {"unknown optimizer 'adom'", "did you mean 'adam'?"}},
    {"B15_negative_rate", tiny_with("0.01", "-1"), {"'learning_rate' is -1", "> 0"}},
    {"B15_zero_rate", tiny_with("0.01", "0"), {"'learning_rate' is 0", "> 0"}},
    {"B15_nan_rate", tiny_with("0.01", "NaN"), {":7:51:", "bad JSON", "NaN"}},
    {"B15_text_rate", tiny_with("0.01", "\"fast\""), {"'learning_rate' is the string 'fast'", "a number > 0"}},
    {"B15_beta", tiny_with("0.01", "0.01, \"beta_1\": 1"), {"'beta_1' is 1", ">= 0 and < 1"}},
    {"B15_epsilon", tiny_with("0.01", "0.01, \"epsilon\": -1"), {"'epsilon' is -1", "> 0"}},
    {"B15_momentum", tiny_with("\"adam\"", "\"sgd\", \"momentum\": 2"), {"'momentum' is 2", "from 0 to 1"}},
    {"B5_empty_output",
     node(R"({"op":"relu","inputs":["x"],"output":[]},)" + product),
     {"node 0: 'output' is empty"}},
    {"B16_too_few",
     node(R"({"op":"constant","inputs":[],"output":"c","attrs":{"shape":[3],"value":[1,2]}},)" + product),
     {"node 0", "2 values", "expected 3"}},
};
INSTANTIATE_TEST_SUITE_P(Schema, BadModel, testing::ValuesIn(schema), name_of);

const Row graph[] = {
    {"C1_cycle",
     node(R"({"op":"relu","inputs":["b"],"output":"a"},{"op":"relu","inputs":["a"],"output":"b"},)" + product),
     {"cycle", "'a' -> 'b' -> 'a'"}},
    {"C2_self_loop", node(R"({"op":"add","inputs":["a","x"],"output":"a"},)" + product), {"cycle", "'a' -> 'a'"}},
    {"C3_long_cycle",
     [] { return long_cycle(100000); },
     {"'v0' -> 'v99999' -> 'v99998' -> ... -> ", "'v2' -> 'v1' -> 'v0'"}},
    {"C5_two_nodes",
     node(product + R"(,{"op":"relu","inputs":["x"],"output":"p"})"),
     {":5:99:", "already defined at 5:57"}},
    {"C5_node_and_input",
     node(product + R"(,{"op":"relu","inputs":["x"],"output":"x"})"),
     {":5:99:", "already defined at 2:15"}},
    {"C10_no_path",
     node(R"({"op":"sum","inputs":["x"],"attrs":{"axes":[1]},"output":"p"})"),
     {"no gradient path from loss to"}},
    {"C11_blocked",
     node(R"({"op":"multiply","inputs":["x","w"],"output":"m"},
             {"op":"argmax","inputs":["m"],"attrs":{"axis":1},"output":"i"},
             {"op":"cast","inputs":["i"],"attrs":{"dtype":"f32"},"output":"p"})"),
     {"no gradient path from loss to", "'argmax'"}},
    {"MixedRows",
     node(R"({"op":"mean","inputs":["x"],"attrs":{"axes":[0]},"output":"m"},
             {"op":"subtract","inputs":["x","m"],"output":"c"},{"op":"matvec","inputs":["c","w"],"output":"p"})"),
     {"m.json:5:", "this node mixes the rows of a batch", "\"last_batch\": \"drop\""}},
    {"C13_both", node(product, R"("w": { "shape": [3] }, "x": { "shape": [3] })"), {"'x'", "name of an input"}},
};
INSTANTIATE_TEST_SUITE_P(Graph, BadModel, testing::ValuesIn(graph), name_of);

const std::string twelve = R"("u": { "shape": [12] })";
std::string reshape(const std::string& to) {
  return R"({"op":"reshape","inputs":["u"],"attrs":{"shape":)" + to + R"(},"output":"p"})";
}
const Row shapes[] = {
    {"D1_inner",
     node(R"({"op":"matmul","inputs":["u","w"],"output":"p"})", R"("u": { "shape": [2,3] }, "w": { "shape": [4,5] })"),
     {"'p'", "inner dimensions 3 and 4 differ in [2,3] x [4,5]"}},
    {"D2_broadcast",
     node(R"({"op":"add","inputs":["u","w"],"output":"p"})", R"("u": { "shape": [3] }, "w": { "shape": [4] })"),
     {"'p'", "[3] and [4]", "broadcast"}},
    {"D3_not_divisible", node(reshape("[5,-1]"), twelve), {"'p'", "[12] has 12 elements", "[5,-1]"}},
    {"D3_two_unknown", node(reshape("[-1,-1]"), twelve), {"'p'", "[-1,-1] has 2 dimensions -1, expected one"}},
    {"D3_negative", node(reshape("[-2,6]"), twelve), {"'p'", "[-2,6] has a dimension below -1"}},
    {"D5_zero", node(product, R"("w": { "shape": [0] })"), {":4:32:", "'shape' is 0", ">= 1"}},
    {"D6_negative", node(product, R"("w": { "shape": [-3] })"), {":4:32:", "'shape' is -3", ">= 1"}},
    {"D9_product",
     node(product, R"("w": { "shape": [3] }, "u": { "shape": [4294967296, 4294967296] })"),
     {"'u' overflows", "[4294967296,4294967296]"}},
    {"D10_bytes",
     node(product, R"("w": { "shape": [3] }, "u": { "shape": [2147483648, 2147483648] })"),
     {"'u' overflows", "[2147483648,2147483648]"}},
    {"D17_zero", tiny_with("\"batch_size\": 16", "\"batch_size\": 0"), {"'batch_size' is 0", "from 1 to 2147483647"}},
    {"D17_negative", tiny_with("\"batch_size\": 16", "\"batch_size\": -1"), {"'batch_size' is -1"}},
    {"D17_two_to_31", tiny_with("\"batch_size\": 16", "\"batch_size\": 2147483648"), {"'batch_size' is 2147483648"}},
};
INSTANTIATE_TEST_SUITE_P(Shapes, BadModel, testing::ValuesIn(shapes), name_of);

const Row types[] = {
    {"E1_unknown",
     tiny_with("[\"N\", 4]", "[\"N\", 4], \"dtype\": \"float33\""),
     {":2:", "unknown dtype 'float33'", "did you mean"}},
    {"E2_mixed",
     node(R"({"op":"add","inputs":["x","i"],"output":"q"},{"op":"matvec","inputs":["q","w"],"output":"p"})",
          R"("w": { "shape": [3] })", R"("x": { "shape": ["N", 3] }, "i": { "shape": ["N", 3], "dtype": "i32" })"),
     {"'q'", "f32 and i32", "cast"}},
    {"E3_float_classes",
     [] {
       return replaced(from_idx, "\"layers\"",
                       R"("labels": { "label": { "shape": ["N"], "dtype": "f32" } }, "layers")");
     },
     {"'label' is f32", "integer type"}},
    {"E3_integer_target",
     node(product, R"("w": { "shape": [3] })", R"("x": { "shape": ["N", 3] })",
          R"("y": { "shape": ["N"], "dtype": "i32" })"),
     {"'y' is i32", "f32"}},
    {"E4_integer_parameter",
     node(product, R"("w": { "shape": [3], "dtype": "i32" })"),
     {":4:15:", "'w' is i32", "cannot be trained"}},
};
INSTANTIATE_TEST_SUITE_P(Types, BadModel, testing::ValuesIn(types), name_of);

// A fault that is no error: exit code 0 and one warning that holds the words.
class Warned : public testing::TestWithParam<Row> {};

TEST_P(Warned, GetsOneWarning) {
  Folder folder;
  folder.write("m.json", GetParam().model());
  Result r = folder.run({"m.json", "-o", "m.so"});
  EXPECT_EQ(r.exit_code, 0) << r.err;
  ASSERT_EQ(lines_of(r.err).size(), 1u) << r.err;
  EXPECT_NE(r.err.find(": warning: "), std::string::npos) << r.err;
  for (const std::string& word : GetParam().words) EXPECT_NE(r.err.find(word), std::string::npos) << r.err;
  EXPECT_TRUE(folder.has("m.so"));
}

const Row warned[] = {
    {"A11_too_small", tiny_with("0.01", "0.01, \"weight_decay\": 1e-999"), {"1e-999", "rounds to 0"}},
    {"C7_dead_branch",
     node(R"({"op":"relu","inputs":["x"],"output":"dead"},)" + product),
     {":5:14:", "'dead'", "not used"}},
    {"C8_no_parameter",
     node(R"({"op":"sum","inputs":["x"],"attrs":{"axes":[1]},"output":"p"})", ""),
     {"no trainable parameter"}},
    {"C12_unused_parameter",
     node(product, R"("w": { "shape": [3] }, "u": { "shape": [3] })"),
     {":4:", "does not depend on parameter 'u'"}},
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
    {"A3_byte_order_mark", [] { return "\xef\xbb\xbf" + tiny; }, {}},
    {"C15_tied",
     node(R"({"op":"multiply","inputs":["x","w"],"output":"m"},{"op":"matvec","inputs":["m","w"],"output":"p"})"),
     {}},
    {"C16_no_nodes", text(R"({"dlcc":1,"name":"id","inputs":{"x":{"shape":["N",3]}},"nodes":[],"outputs":["x"]})"), {}},
    {"D8_rank_zero",
     node(R"({"op":"mean","inputs":["x"],"output":"s"},{"op":"multiply","inputs":["s","w"],"output":"p"})",
          R"("w": { "shape": [] })", R"("x": { "shape": [3] })", R"("y": { "shape": [] })"),
     {}},
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

// C14: no pass recurses over the graph, and none is quadratic.
TEST(BadModels, AChainOfManyNodesIsFine) {
  std::string chain;
  for (int i = 0; i < 10000; ++i) {
    std::string from = i ? "c" + std::to_string(i - 1) : "x";
    chain += R"({"op":"relu","inputs":[")" + from + R"("],"output":"c)" + std::to_string(i) + "\"},";
  }
  Folder folder;
  folder.write("m.json", graph_model(chain + R"({"op":"matvec","inputs":["c9999","w"],"output":"p"})"));
  Result r = folder.run({"check", "m.json"});
  EXPECT_EQ(r.exit_code, 0) << r.err;
  EXPECT_EQ(r.err, "");
}

} // namespace
} // namespace dlcc::cli_tests
