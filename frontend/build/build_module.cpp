#include "frontend/build/build_module.h"

#include "frontend/build/directives.h"
#include "frontend/build/functions.h"

#include "ir/base/philox.h"

#include <algorithm>
#include <set>
#include <unordered_map>

namespace dlcc::frontend {

namespace {
/// Names of the scalars of a call and of the hyper table.
constexpr std::string_view reserved_names[] = {"n_valid", "batch", "update", "seed", "learning_rate", "loss"};

bool has_batch(const ModelSpec& spec) {
  auto is_batched = [](const TensorSpec& t) { return t.batch_axis() == 0; };
  return std::any_of(spec.inputs.begin(), spec.inputs.end(), is_batched) ||
         std::any_of(spec.labels.begin(), spec.labels.end(), is_batched);
}

// The shape with the batch before it: the same but for a first extent that is the batch size.
std::string shape_with_batch(const TensorSpec& t, int64_t batch_size) {
  const bool begins_with_batch = t.type.rank() > 1 && t.type.shape[0] == batch_size;
  std::string out = "[\"N\"";
  for (size_t axis = begins_with_batch ? 1 : 0; axis < t.dims.size(); ++axis)
    out += ", " + (t.dims[axis].symbol.empty() ? std::to_string(t.dims[axis].size) : '"' + t.dims[axis].symbol + '"');
  return out + "]";
}

void check_tensors(const ModelSpec& spec, const std::vector<TensorSpec>& tensors, const char* what, Reporter& report) {
  const bool needs_batch = &tensors != &spec.params && (spec.has_layers() || has_batch(spec));
  for (const TensorSpec& t : tensors) {
    if (std::find(std::begin(reserved_names), std::end(reserved_names), t.name.text) != std::end(reserved_names))
      report.error("bad-name", std::string(what) + " " + quoted(t.name.text) + " has a reserved name, expected another",
                   t.name.place);
    if (t.batch_axis() < 0 && needs_batch)
      report.error("shape-mismatch",
                   std::string(what) + " " + quoted(t.name.text) + " is " + to_string(t.type.shape) + ", expected " +
                       shape_with_batch(t, spec.train.batch_size) + ": the first dimension is the batch",
                   t.record->at("shape").place);
    if (t.batch_axis() > 0 && &tensors != &spec.params)
      report.error("shape-mismatch",
                   std::string(what) + " " + quoted(t.name.text) + " has the batch N on axis " +
                       std::to_string(t.batch_axis()) + ", expected it first",
                   t.record->at("shape").place);
    if (t.type.rank() > max_rank)
      report.error("shape-mismatch",
                   std::string(what) + " " + quoted(t.name.text) + " has " + std::to_string(t.type.rank()) +
                       " dimensions, expected at most " + std::to_string(max_rank),
                   t.record->at("shape").place);
  }
}

// Parameters of `nodes`.
void declare_params(const ModelSpec& spec, Parameters& parameters, Reporter& report) {
  for (const TensorSpec& p : spec.params) {
    const Record& initializer = *p.record->record("init");
    ParameterRequest request;
    request.name = p.name.text, request.type = p.type, request.place = p.name.place;
    request.initializer = initializer.type(), request.initializer_attributes = attributes_of(initializer);
    request.trainable = p.record->boolean("trainable"), request.lr_mult = p.record->number("lr_mult");
    request.is_weight = p.type.rank() > 1;
    report.guard([&] { return "parameter " + quoted(request.name); }, p.name.place,
                 [&] { parameters.penalize(request.name, parameters.own(request), p.record->record("regularizer")); });
  }
}

// Names of random streams become 32-bit numbers (ir/base/philox.h); two that meet would draw the same numbers.
void check_streams(const ModelSpec& spec, const graph::Module& module, Reporter& report) {
  std::unordered_map<uint32_t, std::string> names;
  auto note = [&](const std::string& name) {
    auto [at, is_new] = names.emplace(stream_of(name), name);
    if (!is_new && at->second != name)
      report.error("bad-name",
                   quoted(at->second) + " and " + quoted(name) +
                       " would draw the same random numbers, expected another name for one of them",
                   spec.root->place);
  };
  for (const graph::State& s : module.states)
    if (s.role == graph::StateRole::parameter) note(s.name);
  for (const graph::Function& f : module.functions)
    for (const graph::Node& node : f.nodes)
      if (node.attributes.has("stream")) note(std::string(node.attributes.string("stream")));
}

void add_functions(Construction& c) {
  Network network(c);
  if (c.report.failed()) return;
  Plan plan = make_plan(c.spec, network, c.functions, c.report);
  if (c.report.failed()) return;
  network.warn_of_unused(network.select(plan.wanted));
  std::optional<ForwardFunctions> forward = add_forward(c, network, plan);
  c.parameters.report_missing();
  if (forward && !c.report.failed() && !plan.losses.empty()) add_loss(c, plan, *forward);
}
} // namespace

std::optional<graph::Module> build_module(const ModelSpec& spec, graph::OpTable ops, DiagnosticList& diagnostics) {
  graph::Module module;
  module.name = spec.name, module.file = diagnostics.file(), module.dtype = spec.dtype;
  module.batch = has_batch(spec) ? spec.train.batch_size : 0;
  Reporter report(spec, diagnostics);
  check_tensors(spec, spec.inputs, "input", report);
  check_tensors(spec, spec.labels, "label", report);
  check_tensors(spec, spec.params, "param", report);
  Parameters parameters(module, report);
  declare_params(spec, parameters, report);
  if (report.failed()) return std::nullopt;
  add_directives(spec, module);
  UserFunctions functions(spec, ops, report);
  if (report.failed()) return std::nullopt;
  Construction construction{spec, module, ops, report, parameters, functions};
  add_functions(construction);
  if (!report.failed()) check_streams(spec, module, report);
  if (report.failed()) return std::nullopt;
  return module;
}

// By the plan, and by nodes beside layers.
static std::vector<std::string> names_read(const ModelSpec& spec, const Plan& plan) {
  std::vector<std::string> names = plan.wanted;
  std::set<std::string> known(names.begin(), names.end());
  if (!spec.has_layers()) return names;
  for (const NodeSpec& node : spec.nodes())
    for (const Name& input : node.inputs)
      if (known.insert(input.text).second) names.push_back(input.text);
  return names;
}

NetworkFunction build_network(const ModelSpec& spec, graph::OpTable ops) {
  DiagnosticList known; // what there is to say was said when the model was built
  Reporter report(spec, known);
  NetworkFunction out;
  out.module.dtype = spec.dtype;
  Parameters parameters(out.module, report);
  declare_params(spec, parameters, report);
  UserFunctions functions(spec, ops, report);
  Construction construction{spec, out.module, ops, report, parameters, functions};
  Network network(construction);
  Plan plan = make_plan(spec, network, functions, report);
  DLCC_CHECK(!report.failed(), "a model that was built has no network");
  graph::Builder b(out.module, out.function, ops);
  for (const TensorSpec* input : network_inputs(spec))
    b.parameter(input->name.text, input->type, graph::ParameterRole::input);
  for (const TensorSpec& label : spec.labels) b.parameter(label.name.text, label.type, graph::ParameterRole::label);
  for (const TensorSpec* weight : sample_weights(spec))
    b.parameter(weight->name.text, weight->type, graph::ParameterRole::label);
  const std::vector<std::string> names = names_read(spec, plan);
  NetworkValues values = network.build(b, Mode::train, network.select(names));
  DLCC_CHECK(!report.failed(), "a model that was built cannot be built again");
  for (size_t i = 0; i < names.size(); ++i) out.named.emplace_back(names[i], values.values[i]);
  out.outputs = std::move(plan.outputs);
  out.layers = std::move(values.layers);
  out.layer_nodes = std::move(values.layer_nodes);
  out.penalties = parameters.penalties();
  out.activity = std::move(values.penalties);
  return out;
}

} // namespace dlcc::frontend
