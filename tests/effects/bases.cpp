#include "tests/effects/bases.h"

#include <stdexcept>

namespace dlcc::effects {

using frontend::Group;

namespace {
Json json(const char* text) { return Json::parse(text); }

// x -> g, h -> p, of two numbers; two labels, so that one may be chosen.
Json network(const std::string& activation, int units, const Json& label, const Json& loss) {
  Json m = json(R"({ "dlcc": 1, "name": "effect", "dtype": "f64", "inputs": { "x": { "shape": ["N", 4] } },
    "layers": [ { "type": "Dense", "name": "g", "units": 4, "activation": "tanh" },
                { "type": "Dense", "name": "h", "from": "x", "units": 4, "activation": "tanh" },
                { "type": "Dense", "name": "q", "from": "g" }, { "type": "Dense", "name": "p", "from": "h" } ],
    "optimizer": { "type": "sgd", "learning_rate": 0.1 }, "train": { "batch_size": 6 } })");
  for (size_t i : {2, 3}) m["layers"][i]["units"] = units, m["layers"][i]["activation"] = activation;
  m["labels"] = {{"y", label}, {"z", label}};
  m["loss"] = loss;
  return m;
}
Json numbers() {
  return network("linear", 2, json(R"({ "shape": ["N", 2] })"),
                 json(R"({ "type": "mean_squared_error", "label": "y" })"));
}
Json two_classes() {
  return network("sigmoid", 1, json(R"({ "shape": ["N", 1] })"),
                 json(R"({ "type": "binary_crossentropy", "label": "y" })"));
}
Json classes() {
  return network("softmax", 3, json(R"({ "shape": ["N"], "dtype": "i32" })"),
                 json(R"({ "type": "sparse_categorical_crossentropy", "label": "y" })"));
}

// p = w x, with a function and nodes.
Json nodes() {
  return json(R"({ "dlcc": 1, "name": "effect", "dtype": "f64", "inputs": { "x": { "shape": ["N", 4] } },
    "labels": { "y": { "shape": ["N", 4] } }, "params": { "w": { "shape": [4] } },
    "functions": { "f": { "inputs": ["a", "b"], "nodes": [ { "op": "subtract", "inputs": ["a", "b"], "output": "r" },
                                                           { "op": "add", "inputs": ["a", "b"], "output": "s" } ],
                          "outputs": "r" } },
    "nodes": [ { "op": "multiply", "inputs": ["x", "w"], "output": "m" },
               { "op": "f", "inputs": ["m", "w"], "output": "d" },
               { "op": "leaky_relu", "inputs": ["d"], "attrs": { "negative_slope": 0.5 }, "output": "p" } ],
    "loss": "mean_squared_error", "optimizer": { "type": "sgd", "learning_rate": 0.1 },
    "train": { "batch_size": 6 } })");
}

// The same where x may be of any type.
Json cast() {
  Json m = nodes();
  m["nodes"][0]["inputs"][0] = "c";
  m["nodes"].insert(m["nodes"].begin(),
                    json(R"({ "op": "cast", "inputs": "x", "attrs": { "dtype": "f64" }, "output": "c" })"));
  return m;
}

Json own(const std::string& record) {
  Json m = numbers();
  m["functions"] =
      json(R"({ "f": { "inputs": ["p", "y"], "nodes": [ { "op": "subtract", "inputs": ["p", "y"], "output": "e" },
     { "op": "square", "inputs": "e", "output": "s" }, { "op": "mean", "inputs": "s", "attrs": { "axes": [-1] }, "output": "r" } ], "outputs": "r" },
   "g": { "inputs": ["p", "y"], "nodes": [ { "op": "subtract", "inputs": ["p", "y"], "output": "e" },
     { "op": "abs", "inputs": "e", "output": "s" }, { "op": "mean", "inputs": "s", "attrs": { "axes": [-1] }, "output": "r" } ], "outputs": "r" } })");
  m["nodes"] = json(
      R"([ { "op": "square", "inputs": "p", "output": "s" }, { "op": "mean", "inputs": "s", "attrs": { "axes": [-1] }, "output": "v" },
                        { "op": "abs", "inputs": "p", "output": "t" }, { "op": "mean", "inputs": "t", "attrs": { "axes": [-1] }, "output": "u" } ])");
  m["outputs"] = json(R"(["q", "p"])");
  m["record"] = record == frontend::own_value ? json(R"({ "value": "v" })") : json(R"({ "type": "f", "label": "y" })");
  return m;
}

Json layer(const std::string& type) {
  static const std::map<std::string, const char*> members = {
      {"Dense", R"({ "units": 4 })"},
      {"Activation", R"({ "activation": "tanh" })"},
      {"Dropout", R"({ "rate": 0.5 })"},
      {"Reshape", R"({ "target_shape": [2, 2] })"},
      {"Rescale", R"({ "scale": 2 })"},
      {"Normalize", R"({ "mean": 0.5, "variance": 2 })"},
      {"Add", R"({ "from": ["g", "h"] })"},
      {"Subtract", R"({ "from": ["g", "h"] })"},
      {"Multiply", R"({ "from": ["g", "h"] })"},
      {"Average", R"({ "from": ["g", "h"] })"},
      {"Maximum", R"({ "from": ["g", "h"] })"},
      {"Concat", R"({ "from": ["g", "h"] })"},
      {"Residual", R"({ "layers": [ { "type": "Dense", "name": "in", "units": 4 } ] })"},
      {"Repeat", R"({ "times": 2, "layers": [ { "type": "Dense", "name": "in", "units": 4 } ] })"}};
  Json m = numbers();
  Json record = {{"type", type}};
  if (members.contains(type)) record.update(json(members.at(type)));
  m["layers"] = Json::array({m["layers"][0], m["layers"][1], record, m["layers"][3]});
  m["layers"][3].erase("from");
  if (type == "Flatten")
    m["layers"][1] = json(R"({ "type": "Reshape", "name": "h", "from": "x", "target_shape": [2, 2] })");
  m.erase("labels"), m["loss"] = "mean_squared_error";
  return m;
}

Json loss(const std::string& type) {
  static const std::map<std::string, std::string> activations = {{"kl_divergence", "softmax"},
                                                                 {"categorical_crossentropy", "softmax"},
                                                                 {"binary_crossentropy", "sigmoid"},
                                                                 {"poisson", "softplus"}};
  Json m = type == "sparse_categorical_crossentropy" ? classes() : numbers();
  if (activations.contains(type))
    for (size_t i : {2, 3}) m["layers"][i]["activation"] = activations.at(type);
  m["loss"] = {{"type", type}, {"label", "y"}};
  m["outputs"] = json(R"(["q", "p"])");
  return m;
}

Json metric(const std::string& type) {
  const bool judges_numbers = std::string(" mse mae rmse r2 loss ").find(" " + type + " ") != std::string::npos;
  Json m = judges_numbers    ? numbers()
           : type == "top_k" ? network("softmax", 8, json(R"({ "shape": ["N"], "dtype": "i32" })"),
                                       json(R"({ "type": "sparse_categorical_crossentropy", "label": "y" })"))
                             : two_classes();
  m["metrics"] = Json::array({{{"type", type}}});
  m["outputs"] = json(R"(["q", "p"])");
  return m;
}

Json with_schedule(const std::string& name) {
  static const std::map<std::string, const char*> members = {
      {"exponential", R"({ "decay_steps": 4, "decay_rate": 0.5 })"},
      {"inverse_time", R"({ "decay_steps": 4, "decay_rate": 0.5 })"},
      {"polynomial", R"({ "decay_steps": 4 })"},
      {"cosine", R"({ "decay_steps": 4 })"},
      {"cosine_restarts", R"({ "first_decay_steps": 2 })"}};
  Json record = {{"schedule", name}};
  if (name == "piecewise")
    record.update(json(R"({ "boundaries": [2], "values": [0.1, 0.02] })"));
  else
    record["initial"] = 0.1;
  if (members.contains(name)) record.update(json(members.at(name)));
  return record;
}

// A line through the points of a table, for runs.
Json line() {
  return json(R"({ "dlcc": 1, "name": "effect", "inputs": { "x": { "shape": ["N", 2] } },
    "layers": [ { "type": "Dense", "name": "p", "units": 1, "kernel_initializer": "ones" } ], "loss": "mean_squared_error", "metrics": ["mae"],
    "optimizer": { "type": "sgd", "learning_rate": 0.05 }, "train": { "batch_size": 4, "epochs": 3 },
    "data": { "train": { "format": "csv", "file": "t.csv", "x": ["a", "b"], "label": "y" },
              "validation": { "format": "csv", "file": "v.csv", "x": ["a", "b"], "label": "y" } } })");
}

// So wide that its tiles depend on the vectors of the CPU.
Json wide() {
  Json m = line();
  m["layers"][0]["units"] = 64;
  m["labels"] = json(R"({ "label": { "shape": ["N", 64] } })");
  m["data"] = json(R"({ "all": { "format": "synthetic", "generator": "random_uniform" } })");
  return m;
}

Json section(const std::string& format) {
  Json m = line();
  static const std::map<std::string, const char*> sections = {
      {"npz", R"({ "file": "d.npz", "x": "x", "label": "y" })"},
      {"npy", R"({ "x": "dx.npy", "label": "dy.npy" })"},
      {"idx", R"({ "x": "dx.idx", "label": "dy.idx" })"},
      {"csv", R"({ "file": "t.csv", "x": ["a", "b"], "label": "y" })"},
      {"safetensors", R"({ "file": "d.safetensors", "x": "x", "label": "y" })"},
      {"synthetic", R"({ "generator": "make_regression" })"}};
  m["data"]["train"] = {{"format", format}};
  m["data"]["train"].update(json(sections.at(format)));
  m["data"].erase("validation");
  return m;
}

Json transform(const std::string& type) {
  static const std::map<std::string, const char*> members = {
      {"divide", R"({ "by": 2 })"},       {"subtract", R"({ "by": 2 })"},       {"standardize", "{}"}, {"minmax", "{}"},
      {"one_hot", R"({ "classes": 3 })"}, {"reshape", R"({ "shape": [2, 2] })"}};
  Json m = line();
  Json record = {{"type", type}, {"input", "x"}};
  record.update(json(members.at(type)));
  if (type == "one_hot") {
    m["inputs"]["x"]["shape"] = {"N", 3};
    for (const char* part : {"train", "validation"}) m["data"][part]["x"] = "g";
  }
  if (type == "reshape") {
    m["inputs"]["x"]["shape"] = {"N", 2, 2};
    for (const char* part : {"train", "validation"}) m["data"][part]["x"] = {"a", "b", "y", "a"};
    m["layers"].insert(m["layers"].begin(), "Flatten");
  }
  m["data"]["transforms"] = Json::array({record});
  return m;
}

Json table_of_text() {
  Json m = line();
  m["inputs"]["x"]["shape"] = {"N", 4};
  m["data"]["train"]["x"] = json(R"(["a", { "column": "c", "categories": "one_hot" }])");
  m["data"].erase("validation");
  return m;
}

Json table_with_gaps() {
  Json m = line();
  m["data"]["train"].update(json(R"({ "file": "gap.csv", "missing": { "rule": 2 } })"));
  m["data"].erase("validation");
  return m;
}

Json with(Json model, const std::string& at, Json record) {
  model[Json::json_pointer(at)] = std::move(record);
  return model;
}
Json with_type(const std::string& type) { return {{"type", type}}; }

Json own_at(const std::string& record, const std::string& at) {
  Json m = own(record);
  Json r = m["record"];
  m.erase("record");
  return with(std::move(m), at, std::move(r));
}
} // namespace

Base base_of(Group group, const std::string& record, bool with_data) {
  const Json any = with_data ? line() : numbers();
  auto base = [](Json model, const char* at) { return Base{std::move(model), Json::json_pointer(at)}; };
  const bool is_own = record == frontend::own_value || record == frontend::own_function;
  switch (group) {
  case Group::model:
    return base(any, "");
  case Group::tensor:
    return base(cast(), "/inputs/x");
  case Group::param:
    return base(nodes(), "/params/w");
  case Group::function:
    return base(nodes(), "/functions/f");
  case Group::gradient:
    return base(
        with(
            nodes(), "/functions/f/gradient",
            json(
                R"({ "nodes": [ { "op": "square", "inputs": "d.r", "output": "d.a" }, { "op": "sum", "inputs": "d.r", "attrs": { "axes": [0] }, "output": "d.b" } ] })")),
        "/functions/f/gradient");
  case Group::node:
    return base(nodes(), "/nodes/2");
  case Group::layer:
    return base(layer(record), "/layers/2");
  case Group::activation:
    return base(with(numbers(), "/layers/1/activation", with_type(record)), "/layers/1/activation");
  case Group::initializer:
    return base(with(numbers(), "/layers/3/kernel_initializer", with_type(record)), "/layers/3/kernel_initializer");
  case Group::regularizer:
    return base(with(numbers(), "/layers/1/kernel_regularizer", json(R"({ "l1": 0.01, "l2": 0.01 })")),
                "/layers/1/kernel_regularizer");
  case Group::loss:
    return is_own ? base(own_at(record, "/loss"), "/loss") : base(loss(record), "/loss");
  case Group::metric:
    return is_own ? base(own_at(record, "/metrics/0"), "/metrics/0") : base(metric(record), "/metrics/0");
  case Group::optimizer:
    return base(with(any, "/optimizer", with_type(record)), "/optimizer");
  case Group::schedule:
    return base(with(any, "/optimizer/learning_rate", with_schedule(record)), "/optimizer/learning_rate");
  case Group::train:
    return base(line(), "/train");
  case Group::early_stopping:
    return base(with(line(), "/train/early_stopping", Json::object()), "/train/early_stopping");
  case Group::checkpoint:
    return base(with(line(), "/train/checkpoint", Json::object()), "/train/checkpoint");
  case Group::compile:
    return base(with(wide(), "/compile", json(R"({ "target": "x86-64-v3" })")), "/compile");
  case Group::data:
    return base(line(), "/data");
  case Group::section:
    return base(section(record), "/data/train");
  case Group::column:
    return base(table_of_text(), "/data/train/x/1");
  case Group::missing:
    return base(table_with_gaps(), "/data/train/missing");
  case Group::transform:
    return base(transform(record), "/data/transforms/0");
  case Group::none:
    break;
  }
  throw std::logic_error("no such group");
}

} // namespace dlcc::effects
