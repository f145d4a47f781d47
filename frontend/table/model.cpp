// The top level of a model, its tensors, free parameters and functions.
#include "frontend/table/schema.h"

namespace dlcc::frontend {

namespace {
Key dtype() { return choice("dtype", dtype_names()); }
Key shape() {
  return list("shape", KeyKind::dims).required("dimensions: integers or upper-case symbols; N is the batch");
}
} // namespace

std::vector<GroupDef> model_groups() {
  GroupDef model{Group::model, "model"};
  model.records = {
      {"model",
       "a model",
       {text("$schema").optional("file of the JSON Schema, for editors"),
        integer("dlcc").at_least(format_version).at_most(format_version).required("version of the format"),
        name_key("name", KeyKind::identifier).defaults("model", "name of the model"),
        integer("seed").at_least(0).defaults(int64_t{0}, "every random stream is derived from it"),
        choice("dtype", {"f32", "f64"}).defaults("f32", "element type of everything that has none of its own"),
        record("inputs", Group::tensor, KeyKind::by_name).required("what a batch holds"),
        record("labels", Group::tensor, KeyKind::by_name)
            .optional("what the loss compares with; inferred from the loss if absent"),
        record("params", Group::param, KeyKind::by_name).optional("free parameters of `nodes`"),
        record("functions", Group::function, KeyKind::by_name).optional("operators made of operators"),
        record("layers", Group::layer, KeyKind::records)
            .at_least_entries(1)
            .optional("the model as layers; with `nodes` or without"),
        list("nodes", KeyKind::nodes).optional("operators on values: inputs, labels, layers by their names"),
        list("outputs", KeyKind::names)
            .optional("what `predict` gives; the last layer if absent, without layers the last node"),
        record("loss", Group::loss, KeyKind::one_or_more).optional("what training makes small"),
        record("metrics", Group::metric, KeyKind::one_or_more).optional("what is reported besides"),
        record("optimizer", Group::optimizer).optional("how parameters are updated"),
        record("train", Group::train).defaults("train", "how the model is trained"),
        record("data", Group::data).optional("where the data are"),
        record("compile", Group::compile).defaults("compile", "how the code is made")},
       {}}};
  GroupDef tensor{Group::tensor, "tensor"};
  tensor.records = {
      {"tensor", "an input or a label", {shape(), dtype().optional("element type; the model's if absent")}, {}}};
  GroupDef param{Group::param, "param"};
  param.records = {{"param",
                    "a parameter of its own",
                    {shape(), dtype().optional("element type; the model's if absent"),
                     record("init", Group::initializer).defaults("glorot_uniform", "initial value"),
                     record("regularizer", Group::regularizer).optional("penalty"),
                     boolean("trainable").defaults(true, "false freezes it"),
                     number("lr_mult").at_least(0).defaults(1.0, "factor on its learning rate")},
                    {}}};
  GroupDef function{Group::function, "function"};
  function.records = {
      {"function",
       "an operator made of operators",
       {list("inputs", KeyKind::names).required("names of its operands"),
        list("nodes", KeyKind::nodes).required("its body"),
        list("outputs", KeyKind::names).at_least_entries(1).required("names of its results"),
        record("gradient", Group::gradient).optional("its derivative; derived from the body if absent")},
       {}}};
  GroupDef gradient{Group::gradient, "gradient"};
  gradient.records = {{"gradient",
                       "nodes that define d.<input> from d.<output>",
                       {list("nodes", KeyKind::nodes).required("its body")},
                       {}}};
  GroupDef node{Group::node, "node"};
  node.records = {{"node",
                   "an operator applied to values",
                   {name_key("op").required("an operator (`dlcc ops` lists them) or a function of the model"),
                    list("inputs", KeyKind::names).required("the values it reads, in order"),
                    list("output", KeyKind::names).at_least_entries(1).required("names of its results"),
                    list("attrs", KeyKind::attributes).optional("the operator's attributes"),
                    record("activity_regularizer", Group::regularizer)
                        .optional("penalty on the first result, divided by the rows; not in functions")},
                   {}}};
  return {model, tensor, param, function, gradient, node};
}

} // namespace dlcc::frontend
