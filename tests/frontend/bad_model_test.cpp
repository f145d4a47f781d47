// Rows B and E of the list of bad inputs, and their neighbours: the whole message, in order.
#include "reading.h"

#include <gtest/gtest.h>

namespace dlcc::frontend::testing {
namespace {

using Lines = std::vector<std::string>;

struct Case {
  std::string text;
  Lines lines;
};

void expect(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    Outcome out = read(c.text);
    EXPECT_EQ(out.lines, c.lines) << c.text;
    EXPECT_FALSE(out.model.has_value()) << c.text;
  }
}

TEST(BadModel, B1_top_level) {
  expect({{"[]", {"m.json:1:1: error: the model is an empty list, expected an object [wrong-type]"}},
          {" 3", {"m.json:1:2: error: the model is 3, expected an object [wrong-type]"}}});
}

TEST(BadModel, B2_version) {
  const std::string rest = ", expected \"dlcc\": 1 (format versions 1 to 1 are supported) [format-version]";
  expect({{"{\"x\": 1}", {"m.json:1:1: error: no 'dlcc' key" + rest}},
          {"{\"dlcc\": 999, \"actvation\": 1}", {"m.json:1:10: error: 'dlcc' is 999" + rest}},
          {"{\"dlcc\": \"1\"}", {"m.json:1:10: error: 'dlcc' is the string '1'" + rest}},
          {"{\"dlcc\": 1.0}", {"m.json:1:10: error: 'dlcc' is 1.0" + rest}}});
}

TEST(BadModel, B3_unknown_key) {
  expect(
      {{model_of(R"({"type": "Dense", "units": 3, "actvation": "relu"})"),
        {"m.json:1:94: error: unknown key 'actvation' in layer 'Dense', did you mean 'activation'? [unknown-key]"}},
       {model_with(R"("optimzer": "sgd")"),
        {"m.json:1:75: error: unknown key 'optimzer' in model, did you mean 'optimizer'? [unknown-key]"}},
       {model_with(R"("train": {"qqq": 1})"),
        {"m.json:1:85: error: unknown key 'qqq' in train, expected one of batch_size, epochs, "
         "validation_split, shuffle, last_batch, steps_per_epoch, early_stopping, "
         "checkpoint, terminate_on_nan [unknown-key]"}},
       {model_with(R"("train": {"restore_best_weights": true})"),
        {"m.json:1:85: error: 'restore_best_weights' belongs in 'train.early_stopping' as 'restore_best', not in train "
         "[misplaced-key]"}},
       {model_of(R"({"type": "Dense", "unitz": 4})"),
        {"m.json:1:82: error: unknown key 'unitz' in layer 'Dense', did you mean 'units'? [unknown-key]"}}});
}

// One mistake, one line: a record that lacks several keys, and a key that stands elsewhere.
TEST(BadModel, missing_keys) {
  const auto schedule = [](const std::string& keys) {
    return model_with(R"("optimizer": {"type": "sgd", "learning_rate": {"schedule": )" + keys + "}}");
  };
  expect(
      {{schedule(R"("exponential")"),
        {"m.json:1:121: error: schedule 'exponential' has no 'initial' (a number > 0), no 'decay_rate' (a number > "
         "0) and none of decay_steps, decay_epochs (one of them) [missing-key]"}},
       {schedule(R"("piecewise")"),
        {"m.json:1:121: error: schedule 'piecewise' has no 'boundaries' (a non-empty list of integers >= 0) and no "
         "'values' (a number >= 0 or a non-empty list of them) [missing-key]"}},
       {schedule(R"("exponential", "initial": 1, "decay_steps": 1)"),
        {"m.json:1:121: error: schedule 'exponential' has no 'decay_rate', expected a number > 0 [missing-key]"}},
       {model_with(
            R"("optimizer": {"type": "sgd", "decay_rate": 0.5, "learning_rate": {"schedule": "exponential", "initial": 1,
            "decay_steps": 1}})"),
        {"m.json:1:104: error: 'decay_rate' belongs in schedule 'exponential' or 'inverse_time', not in optimizer "
         "'sgd' [misplaced-key]"}},
       {R"({"dlcc": 1, "inputs": {"x": {"shape": ["N", 4]}}, "units": 3, "layers": [{"type": "Dense"}]})",
        {"m.json:1:51: error: 'units' belongs in layer 'Dense', not in model [misplaced-key]"}},
       {R"({"dlcc": 1, "inputs": {"x": {"shape": ["N", 4]}}, "layers": [{"type": "Dense"}], "out_features": 3})",
        {"m.json:1:82: error: 'out_features' belongs in layer 'Dense' as 'units', not in model [misplaced-key]"}},
       {model_of(R"({"type": "Dense", "units": 3, "bias": false})"),
        {"m.json:1:102: error: bias 'false' is written 'use_bias' [unknown-name]"}}});
}

TEST(BadModel, B4_layers_or_nodes) {
  const std::string head = R"({"dlcc": 1, "inputs": {"x": {"shape": ["N"]}})";
  expect(
      {{head + "}", {"m.json:1:1: error: neither 'layers' nor 'nodes' is there, expected one of them [missing-key]"}},
       {head + R"(, "layers": {}})",
        {"m.json:1:58: error: 'layers' is an object, expected a non-empty list of layers [wrong-type]"}},
       {head + R"(, "layers": []})",
        {"m.json:1:58: error: 'layers' is an empty list, expected a non-empty list of layers [wrong-type]"}},
       {head + R"(, "nodes": {}})",
        {"m.json:1:57: error: 'nodes' is an object, expected a list of nodes [wrong-type]"}},
       {R"({"dlcc": 1, "layers": ["Flatten"]})",
        {"m.json:1:1: error: model has no 'inputs', expected an object of name to tensor [missing-key]"}},
       {R"({"dlcc": 1, "inputs": {}, "layers": ["Flatten"]})",
        {"m.json:1:23: error: 'inputs' is empty, expected at least one input for the layers [missing-key]"}}});
}

TEST(BadModel, B5_node_without_its_keys) {
  expect({{nodes_of(R"({"op": "relu", "inputs": ["x"], "output": "y"}, {"inputs": ["x"], "output": "y"})"),
           {"m.json:1:111: error: node 1 has no 'op', expected a name [missing-key]"}},
          {nodes_of(R"({"op": "relu", "output": "y"})"),
           {"m.json:1:63: error: node 0 has no 'inputs', expected a name or a list of names [missing-key]"}},
          {nodes_of(R"({"op": "relu", "inputs": ["x"]})"),
           {"m.json:1:63: error: node 0 has no 'output', expected a name or a non-empty list of names [missing-key]"}},
          {nodes_of(R"("relu")"),
           {"m.json:1:63: error: node 0 is the string 'relu', expected an object with 'op', 'inputs' and 'output' "
            "[wrong-type]"}},
          {nodes_of(R"({"op": "relu", "inputs": 3, "output": "y"})"),
           {"m.json:1:88: error: node 0: 'inputs' is 3, expected a name or a list of names [wrong-type]"}},
          {nodes_of(R"({"op": "relu", "inputs": ["x"], "output": "y", "attr": {}})"),
           {"m.json:1:110: error: node 0: unknown key 'attr', did you mean 'attrs'? [unknown-key]"}}});
}

TEST(BadModel, B6_unknown_layer) {
  expect({{model_of(R"("Flaten")"),
           {"m.json:1:64: error: unknown layer 'Flaten', did you mean 'Flatten'? [unknown-name]"}},
          {model_of(R"({"units": 3})"),
           {"m.json:1:64: error: layer 0 has no 'type', expected the name of a layer [missing-key]"}},
          {model_of(R"({"type": 3})"), {"m.json:1:73: error: 'type' is 3, expected the name of a layer [wrong-type]"}},
          {model_of(R"({"type": "Dense", "units": 3, "activation": "relo"})"),
           {"m.json:1:108: error: unknown activation 'relo', did you mean 'relu'? [unknown-name]"}}});
}

TEST(BadModel, B9_no_silent_conversions) {
  expect({{model_of(R"({"type": "Dense", "units": 3, "use_bias": 1})"),
           {"m.json:1:106: error: 'use_bias' is 1, expected true or false [wrong-type]"}},
          {model_of(R"({"type": "Dense", "units": true})"),
           {"m.json:1:91: error: 'units' is true, expected an integer >= 1 [wrong-type]"}},
          {model_of(R"({"type": "Dense", "units": 2.0})"),
           {"m.json:1:91: error: 'units' is 2.0, expected an integer >= 1 [wrong-type]"}},
          {model_of(R"({"type": "Dense", "units": 2.7})"),
           {"m.json:1:91: error: 'units' is 2.7, expected an integer >= 1 [wrong-type]"}},
          {model_of(R"({"type": "Dense", "units": null})"),
           {"m.json:1:91: error: 'units' is null, expected an integer >= 1 [wrong-type]"}},
          {model_of(R"({"type": "Dense", "units": "3"})"),
           {"m.json:1:91: error: 'units' is the string '3', expected an integer >= 1 [wrong-type]"}},
          {model_of(R"({"type": "Dropout", "rate": true})"),
           {"m.json:1:92: error: 'rate' is true, expected a number from 0 to 1 [wrong-type]"}}});
}

TEST(BadModel, B11_required_argument) {
  expect({{model_of(R"({"type": "Dense", "use_bias": false})"),
           {"m.json:1:64: error: layer 'Dense' has no 'units', expected an integer >= 1 [missing-key]"}},
          {model_of(R"("Dropout")"),
           {"m.json:1:64: error: layer 'Dropout' has no 'rate', expected a number from 0 to 1 [missing-key]"}},
          {model_of(R"({"type": "Residual", "layers": []})"),
           {"m.json:1:95: error: 'layers' is an empty list, expected a non-empty list of layers [wrong-type]"}}});
}

TEST(BadModel, B13_names) {
  const std::string head = R"({"type": "Flatten", "name": ")";
  expect({{model_of(head + std::string(1 << 20, 'a') + "\"}"),
           {"m.json:1:92: error: name of 1048576 bytes, expected at most 1024 [bad-name]"}},
          {model_of(head + "\"}"), {"m.json:1:92: error: empty name, expected 1 to 1024 bytes [bad-name]"}},
          {model_of(head + "a\\nb\"}"),
           {"m.json:1:92: error: control character in name 'a\\x0ab', expected printable text [bad-name]"}},
          {model_of(head + "d.x\"}"),
           {"m.json:1:92: error: name 'd.x' starts with 'd.', which is kept for derivatives [bad-name]"}},
          {R"({"dlcc": 1, "name": "a b", "inputs": {"x": {"shape": ["N"]}}, "nodes": []})",
           {"m.json:1:21: error: 'name' is the string 'a b', expected a name of letters, digits and '_' [bad-name]"}},
          {R"({"dlcc": 1, "inputs": {"": {"shape": ["N"]}}, "nodes": []})",
           {"m.json:1:24: error: empty name, expected 1 to 1024 bytes [bad-name]"}}});
}

TEST(BadModel, A15_control_characters_in_node_names) {
  expect({{nodes_of(R"({"op": "relu", "inputs": ["x"], "output": "a\u001b[2J"})"),
           {"m.json:1:105: error: control character in name 'a\\x1b[2J', expected printable text [bad-name]"}},
          {nodes_of(R"({"op": "relu", "inputs": ["a\u0000"], "output": "b"})"),
           {"m.json:1:89: error: control character in name 'a\\x00', expected printable text [bad-name]"}}});
}

TEST(BadModel, long_unknown_key_is_cut) {
  std::string line = read(model_with('"' + std::string(1 << 20, 'k') + "\": 1")).lines.at(0);
  EXPECT_LE(line.size(), 300u);
  EXPECT_TRUE(line.starts_with("m.json:1:75: error: unknown key '" + std::string(60, 'k') + "...' in model, expected"))
      << line;
}

TEST(BadModel, B14_too_many_nodes) {
  std::string nodes;
  for (int i = 0; i < 1'000'001; ++i)
    nodes += std::string(i ? "," : "") + R"({"op":"relu","inputs":["x"],"output":"y"})";
  expect({{nodes_of(nodes), {"m.json:1:60: error: more than 1,000,000 nodes [too-large]"}}});
}

TEST(BadModel, too_many_layers_by_repeat) {
  std::string inner = R"("Flatten")";
  for (int i = 0; i < 4; ++i) inner = R"({"type": "Repeat", "times": 1000, "layers": [)" + inner + "]}";
  expect({{model_of(inner), {"m.json:1:61: error: more than 1,000,000 layers after Repeat is unrolled [too-large]"}}});
}

TEST(BadModel, B15_optimizers) {
  auto with = [](const std::string& body) { return model_with("\"optimizer\": " + body); };
  const std::string adam = R"({"type": "adam", )";
  const std::string rate = ", expected a number > 0 or a schedule [";
  expect(
      {{with(R"("adan")"), {"m.json:1:88: error: unknown optimizer 'adan', did you mean 'adam'? [unknown-name]"}},
       {with(adam + "\"learning_rate\": -0.1}"),
        {"m.json:1:122: error: 'learning_rate' is -0.1" + rate + "out-of-range]"}},
       {with(adam + "\"learning_rate\": 0}"), {"m.json:1:122: error: 'learning_rate' is 0" + rate + "out-of-range]"}},
       {with(adam + "\"learning_rate\": \"fast\"}"),
        {"m.json:1:122: error: 'learning_rate' is the string 'fast'" + rate + "wrong-type]"}},
       {with(adam + "\"learning_rate\": NaN}"),
        {"m.json:1:122: error: bad JSON: invalid literal, read 'NaN' [json-syntax]"}},
       {with(adam + "\"beta_1\": 1}"),
        {"m.json:1:115: error: 'beta_1' is 1, expected a number >= 0 and < 1 [out-of-range]"}},
       {with(adam + "\"epsilon\": -1}"),
        {"m.json:1:116: error: 'epsilon' is -1, expected a number > 0 [out-of-range]"}},
       {with(R"({"type": "sgd", "momentum": 2})"),
        {"m.json:1:116: error: 'momentum' is 2, expected a number from 0 to 1 [out-of-range]"}},
       {with(R"({"type": "sgd", "clip_norm": 1, "clip_value": 2})"),
        {"m.json:1:120: error: optimizer 'sgd' has both 'clip_norm' and 'clip_value', expected at most one of "
         "clip_norm, clip_value, "
         "clip_global_norm [conflict]"}},
       {with(R"({"type": "sgd", "alpha": 0.1})"),
        {"m.json:1:104: error: 'alpha' belongs to preset 'sklearn', expected \"preset\": \"sklearn\" beside it "
         "[conflict]"}}});
}

TEST(BadModel, schedules) {
  auto with = [](const std::string& body) {
    return model_with("\"optimizer\": {\"type\": \"sgd\", \"learning_rate\": " + body + "}");
  };
  expect({{with("{}"),
           {"m.json:1:121: error: 'learning_rate' has no 'schedule', expected the name of a schedule [missing-key]"}},
          {with(R"({"schedule": "cosin"})"),
           {"m.json:1:134: error: unknown schedule 'cosin', did you mean 'cosine'? [unknown-name]"}},
          {with(R"({"schedule": "cosine", "initial": 0.1})"),
           {"m.json:1:121: error: schedule 'cosine' has none of decay_steps, decay_epochs, expected one of them "
            "[missing-key]"}},
          {with(R"({"schedule": "cosine", "initial": 0.1, "decay_steps": 5, "decay_epochs": 2})"),
           {"m.json:1:178: error: schedule 'cosine' has both 'decay_steps' and 'decay_epochs', expected at most one of "
            "decay_steps, decay_epochs [conflict]"}},
          {with(R"({"schedule": "cosine", "initial": 0.1, "decay_steps": 5, "warmup_epochs": 2})"),
           {"m.json:1:195: error: 'warmup_epochs' without 'warmup_target', expected the rate at their end "
            "[missing-key]"}},
          {with(R"({"schedule": "piecewise", "boundaries": [5, 5], "values": [1, 2]})"),
           {"m.json:1:179: error: piecewise has 2 boundaries and 2 values, expected one value more than boundaries "
            "[bad-list]",
            "m.json:1:161: error: 'boundaries' are not ascending, expected each greater than the one before "
            "[bad-list]"}}});
}

TEST(BadModel, B16_constants) {
  auto with = [](const std::string& attrs) {
    return nodes_of(R"({"op": "constant", "inputs": [], "output": "c", "attrs": )" + attrs + "}");
  };
  expect({{with(R"({"value": [1, 2, 3], "shape": [2, 2]})"),
           {"m.json:1:130: error: node 0 has 3 values, expected 4 for shape [2,2] [shape-mismatch]"}},
          {with(R"({"value": [[1, 2], [3]]})"),
           {"m.json:1:139: error: node 0: 'value' has ragged list: rows of 2 and 1 entries, expected equal lengths "
            "[bad-list]"}},
          {with(R"({"value": [1, "a"]})"),
           {"m.json:1:134: error: node 0: 'value' has mixed types: the string 'a' beside 1, expected one type "
            "[bad-list]"}},
          {with(R"({"value": [1, [2]]})"),
           {"m.json:1:134: error: node 0: 'value' has a list beside 1, expected lists of equal depth [bad-list]"}},
          {with(R"({"value": [[2], 1]})"),
           {"m.json:1:136: error: node 0: 'value' has 1 beside a list, expected lists of equal depth [bad-list]"}},
          {with(R"({"value": [[[[[[[[[1]]]]]]]]]})"),
           {"m.json:1:138: error: node 0: 'value' has a list nested deeper than 8, expected at most 8 dimensions "
            "[bad-list]"}},
          {with(R"({"value": null})"),
           {"m.json:1:130: error: node 0: 'value' is null, expected a number, a string, true, false or a list of them "
            "[wrong-type]"}},
          {with(R"({"value": [1, 2], "shape": [4294967296, 4294967296]})"),
           {"m.json:1:147: error: node 0: the size of shape [4294967296,4294967296] overflows [out-of-range]"}}});
}

TEST(BadModel, D_shapes_of_inputs) {
  auto with = [](const std::string& shape) {
    return R"({"dlcc": 1, "nodes": [], "inputs": {"x": {"shape": )" + shape + "}}}";
  };
  const std::string expected = ", expected an integer >= 1 or an upper-case symbol [";
  expect(
      {{with("[0]"), {"m.json:1:53: error: a dimension of 'shape' is 0" + expected + "out-of-range]"}},
       {with("[2, -3]"), {"m.json:1:56: error: a dimension of 'shape' is -3" + expected + "out-of-range]"}},
       {with("[\"n\"]"), {"m.json:1:53: error: a dimension of 'shape' is the string 'n'" + expected + "wrong-type]"}},
       {with("[\"T\"]"),
        {"m.json:1:53: error: symbol 'T' has no value, expected -D T=<integer >= 1> [unbound-symbol]"}},
       {with("[4294967296, 4294967296]"),
        {"m.json:1:52: error: the size of 'x' overflows: f32[4294967296,4294967296], expected at most 2^58 elements "
         "[out-of-range]"}},
       {with("[4294967296, 1073741824]"),
        {"m.json:1:52: error: the size of 'x' overflows: f32[4294967296,1073741824], expected at most 2^58 elements "
         "[out-of-range]"}},
       {with("[1,1,1,1,1,1,1,1,1]"),
        {"m.json:1:52: error: 'shape' has 9 dimensions, expected at most 8 [out-of-range]"}},
       {with("7"),
        {"m.json:1:52: error: 'shape' is 7, expected a list of dimensions (integers >= 1 or upper-case symbols) "
         "[wrong-type]"}}});
}

TEST(BadModel, D17_batch_size) {
  auto with = [](const std::string& size) { return model_with("\"train\": {\"batch_size\": " + size + "}"); };
  for (const char* size : {"0", "-1", "2147483648"})
    expect({{with(size),
             {"m.json:1:99: error: 'batch_size' is " + std::string(size) +
              ", expected an integer from 1 to 2147483647 [out-of-range]"}}});
}

TEST(BadModel, E1_unknown_dtype) {
  auto with = [](const std::string& dtype) {
    return R"({"dlcc": 1, "nodes": [], "inputs": {"x": {"shape": ["N"], "dtype": ")" + dtype + "\"}}}";
  };
  expect({{with("float33"), {"m.json:1:68: error: unknown dtype 'float33', did you mean 'f32'? [unknown-name]"}},
          {with("f46"), {"m.json:1:68: error: unknown dtype 'f46', did you mean 'f64'? [unknown-name]"}},
          {with("complex"),
           {"m.json:1:68: error: dtype 'complex' is not supported yet; there are f32, f64, i8, u8, i32, i64, bool "
            "[unsupported]"}},
          {with("octonion"),
           {"m.json:1:68: error: unknown dtype 'octonion', expected one of f32, f64, i8, u8, i32, i64, bool "
            "[unknown-name]"}},
          {model_with(R"("dtype": "i32")"),
           {"m.json:1:84: error: unknown dtype 'i32', did you mean 'f32'? [unknown-name]"}}});
}

TEST(BadModel, names_are_shared) {
  expect({{R"({"dlcc": 1, "nodes": [], "inputs": {"x": {"shape": [1]}}, "params": {"x": {"shape": [1]}}})",
           {"m.json:1:70: error: param 'x' has the name of an input, expected names that differ [duplicate-name]"}}});
}

TEST(BadModel, losses_and_metrics) {
  expect({{model_with(R"("loss": "mean_square_error")"),
           {"m.json:1:83: error: unknown loss 'mean_square_error', did you mean 'mean_squared_error'? [unknown-name]"}},
          {model_with(R"("loss": {"type": "huber", "delta": 0})"),
           {"m.json:1:110: error: 'delta' is 0, expected a number > 0 [out-of-range]"}},
          {model_with(R"("loss": 3)"),
           {"m.json:1:83: error: 'loss' is 3, expected a loss or a list of them [wrong-type]"}},
          {model_with(R"("loss": {"type": "binary_crossentropy", "class_weight": {"a": 1, "0": -1}})"),
           {"m.json:1:132: error: class 'a' in 'class_weight', expected a class number [bad-name]",
            "m.json:1:145: error: 'class_weight' is -1, expected an object of class number to number >= 0 "
            "[out-of-range]"}},
          {model_with(R"("metrics": 3)"),
           {"m.json:1:86: error: 'metrics' is 3, expected a metric or a list of them [wrong-type]"}},
          {model_with(R"("metrics": ["acuracy"])"),
           {"m.json:1:87: error: unknown metric 'acuracy', did you mean 'accuracy'? [unknown-name]"}}});
}

TEST(BadModel, data) {
  auto with = [](const std::string& data) { return model_with("\"data\": " + data); };
  expect({{with(R"({"train": {"format": "npz", "file": "a.npz", "fille": "a"}})"),
           {"m.json:1:128: error: unknown key 'fille' in data format 'npz', did you mean 'file'? [unknown-key]"}},
          {with(R"({"train": {"format": "npz", "file": "a.npz", "zz": "a"}})"),
           {"m.json:1:128: error: unknown key 'zz' in data format 'npz', expected an input or a label of the model "
            "[unknown-key]"}},
          {with(R"({"train": {"format": "npz", "x": "a"}})"),
           {"m.json:1:93: error: data format 'npz' has no 'file', expected a string [missing-key]"}},
          {with(R"({"train": {"format": "nzp", "x": "a"}})"),
           {"m.json:1:104: error: unknown data format 'nzp', did you mean 'npz'? [unknown-name]"}},
          {with(R"({"train": {"format": "npy", "x": 3}})"),
           {"m.json:1:116: error: 'x' is not a string, expected the name of a file [wrong-type]"}},
          {with(R"({"train": {"format": "csv", "file": "a", "separator": "ab", "x": [true]}})"),
           {"m.json:1:137: error: 'separator' is the string 'ab', expected one character, or \"tab\" [wrong-type]",
            "m.json:1:149: error: 'x' is true, expected a name, a number or a list of them [wrong-type]"}},
          {with(R"({"transforms": [{"type": "divide", "input": "yy", "by": 0}]})"),
           {"m.json:1:127: error: unknown input 'yy' [unknown-name]",
            "m.json:1:139: error: 'by' is 0, expected numbers other than 0 [out-of-range]"}}});
}

TEST(BadModel, tables) {
  auto with = [](const std::string& data) { return model_with("\"data\": " + data); };
  expect(
      {{with(R"({"train": {"format": "csv", "file": "a", "missing": {"rule": "average"}, "x": 0}})"),
        {"m.json:1:144: error: unknown rule 'average', expected one of error, mean, drop [unknown-name]"}},
       {with(R"({"train": {"format": "csv", "file": "a", "missing": {"spellings": [""]}, "x": 0}})"),
        {"m.json:1:135: error: rule for missing values has no 'rule', expected a number or one of error, mean, drop "
         "[missing-key]"}},
       {with(R"({"train": {"format": "csv", "file": "a", "missing": {"rule": true}, "x": 0}})"),
        {"m.json:1:144: error: 'rule' is true, expected a number or one of error, mean, drop [wrong-type]"}},
       {with(R"({"train": {"format": "csv", "file": "a", "missing": "mean", "x": 0}})"),
        {"m.json:1:135: error: 'missing' is the string 'mean', expected a number or a rule for missing values "
         "[wrong-type]"}},
       {with(R"({"train": {"format": "csv", "file": "a", "x": {"column": "c"}}})"),
        {"m.json:1:129: error: column has no 'categories', expected one of one_hot, index or a non-empty list of "
         "strings "
         "[missing-key]"}},
       {with(R"({"train": {"format": "csv", "file": "a", "x": {"categories": "index"}}})"),
        {"m.json:1:129: error: column has no 'column', expected a name or an integer >= 0 [missing-key]"}},
       {with(R"({"train": {"format": "csv", "file": "a", "x": {"column": -1, "categories": "index"}}})"),
        {"m.json:1:140: error: 'column' is -1, expected an integer >= 0 [out-of-range]"}},
       {with(R"({"train": {"format": "csv", "file": "a", "x": {"column": 0, "categories": []}}})"),
        {"m.json:1:157: error: 'categories' is an empty list, expected a non-empty list of strings [wrong-type]"}},
       {with(R"({"train": {"format": "csv", "file": "a", "x": {"column": 0, "categories": ["u", "v", "u"]}}})"),
        {"m.json:1:168: error: category 'u' stands there twice [duplicate-name]"}},
       {with(
            R"({"train": {"format": "csv", "file": "a", "x": {"column": 0, "categories": "index", "unknown": "zeros"}}})"),
        {"m.json:1:177: error: 'unknown' is 'zeros', which belongs to one_hot; expected error or extra [conflict]"}},
       {with(
            R"({"train": {"format": "csv", "file": "a", "x": {"column": 0, "categories": "index", "encoding": "index"}}})"),
        {"m.json:1:178: error: 'encoding' belongs to a list of categories, expected it in 'categories' alone "
         "[conflict]"}},
       {with(R"({"train": {"format": "npz", "file": "a", "x": {"column": 0, "categories": "index"}}})"),
        {"m.json:1:129: error: 'x' is not a string, expected the name of an array [wrong-type]"}},
       {with(R"({"train": {"format": "csv", "file": "a", "separator": ";;", "x": 0}})"),
        {"m.json:1:137: error: 'separator' is the string ';;', expected one character, or \"tab\" [wrong-type]"}}});
}

TEST(BadModel, all_errors_at_once_in_order_and_up_to_the_limit) {
  Outcome out = read(model_of(
      R"({"type": "Dense", "units": 0, "use_bias": 1}, "Flattn", {"type": "Dropout", "rate": 2, "name": ""})"));
  EXPECT_EQ(out.lines, (Lines{"m.json:1:91: error: 'units' is 0, expected an integer >= 1 [out-of-range]",
                              "m.json:1:106: error: 'use_bias' is 1, expected true or false [wrong-type]",
                              "m.json:1:110: error: unknown layer 'Flattn', did you mean 'Flatten'? [unknown-name]",
                              "m.json:1:148: error: 'rate' is 2, expected a number from 0 to 1 [out-of-range]",
                              "m.json:1:159: error: empty name, expected 1 to 1024 bytes [bad-name]"}));
  std::string many;
  for (int i = 0; i < 100; ++i) many += i ? ", 1" : "1";
  EXPECT_EQ(read(model_of(many)).lines.size(), 20u);
  EXPECT_EQ(read(nodes_of(many)).lines.size(), 20u);
}

TEST(BadModel, overrides_are_checked_too) {
  Overrides overrides;
  overrides.sets = {{"train.batch_size", "0"}};
  EXPECT_EQ(read(model_with("\"x-a\": 1"), overrides).lines,
            Lines{"m.json: error: 'batch_size' is 0, expected an integer from 1 to 2147483647 (set at "
                  "/train/batch_size) [out-of-range]"});
  overrides.sets = {{"train.batch_sise", "3"}};
  EXPECT_EQ(read(model_with("\"x-a\": 1"), overrides).lines,
            Lines{"m.json: error: unknown key 'batch_sise' in train, did you mean 'batch_size'? (set at "
                  "/train/batch_sise) [unknown-key]"});
}

} // namespace
} // namespace dlcc::frontend::testing
