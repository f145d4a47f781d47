#include "frontend/build/build_module.h"
#include "frontend/objective/plan.h"

namespace dlcc::frontend {

namespace {
bool is_batched(const TensorSpec& t) { return t.batch_axis() == 0; }

data::TensorSpec described(const std::string& name, const Type& type, bool has_batch) {
  data::TensorSpec out;
  out.name = name;
  out.dtype = static_cast<data::ElementType>(type.dtype);
  out.shape.assign(type.shape.begin() + (has_batch ? 1 : 0), type.shape.end());
  return out;
}

// The number of classes that the loss checks a label against; -1: none.
int64_t classes_of(const graph::Function& loss, const std::string& label) {
  for (const graph::Node& node : loss.nodes)
    if (node.op->name == "check_index" && node.attributes.string("what") == label)
      return node.attributes.integer("limit");
  return -1;
}

void describe_label(const ModelSpec& spec, const graph::Function& loss, data::TensorSpec& label) {
  label.is_label = true;
  label.classes = classes_of(loss, label.name);
  for (const Record& record : spec.losses()) {
    if (record.is(own_value) || label_of(spec, record) != label.name) continue;
    if (record.has_if_known("ignore_index")) label.ignore_index = record.maybe_integer("ignore_index");
    const bool is_binary = !record.is(own_function) && find_loss(record.type()).label == LabelKind::binary;
    if (is_binary) label.low = 0, label.high = 1;
  }
}
} // namespace

std::vector<data::Prediction> predictions(const ModelSpec& spec) {
  std::vector<data::Prediction> out;
  for (const Record& loss : spec.losses()) {
    if (loss.is(own_value)) continue;
    data::Prediction p{loss.text_or_empty("prediction"), label_of(spec, loss)};
    const bool from_logits = loss.has_if_known("from_logits") && loss.boolean("from_logits");
    if (from_logits || loss.is("hinge") || loss.is("squared_hinge")) p.threshold = 0;
    out.push_back(std::move(p));
  }
  return out;
}

std::vector<data::TensorSpec> tensor_specs(const ModelSpec& spec, const graph::Module& module) {
  std::vector<data::TensorSpec> out;
  for (const TensorSpec* input : network_inputs(spec))
    out.push_back(described(input->name.text, input->type, is_batched(*input)));
  std::optional<graph::FunctionId> found = module.find_function("loss");
  if (!found) return out;
  const graph::Function& loss = module.functions[*found];
  for (graph::ValueId p : loss.parameters) {
    const graph::Value& v = loss.values[p];
    if (v.role != graph::ParameterRole::label) continue;
    out.push_back(described(v.name, v.type, module.batch > 0));
    describe_label(spec, loss, out.back());
  }
  return out;
}

} // namespace dlcc::frontend
