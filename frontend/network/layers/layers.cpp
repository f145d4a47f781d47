#include "frontend/network/layers/layers.h"

#include <cmath>

namespace dlcc::frontend {

using ops::Term;

int64_t elements_a_row(const Shape& shape) {
  return element_count(shape.empty() ? shape : Shape(shape.begin() + 1, shape.end()));
}

namespace {
const Record* record_at(const Record& layer, const std::string& key) {
  return layer.has_if_known(key) ? layer.record(key) : nullptr;
}
} // namespace

Term LayerContext::named(Term x, const char* suffix) const { return {x.b, b.named(x, name + "/" + suffix)}; }

std::optional<LayerContext::Tie> LayerContext::tie(const std::string& key) const {
  if (!layer.has_if_known(key)) return std::nullopt;
  std::string text = layer.text(key).substr(1);
  bool is_transposed = text.ends_with("^T");
  if (is_transposed) text.resize(text.size() - 2);
  return Tie{std::move(text), is_transposed};
}

Term LayerContext::use(const char* suffix, graph::StateId state) {
  const std::string key = suffix;
  construction_.parameters.penalize(name + "/" + key, state, record_at(layer, key + "_regularizer"));
  return {&b, b.state(state)};
}

Term LayerContext::own(const char* suffix, Shape shape, int64_t fan_in, int64_t fan_out) {
  const std::string key = std::string(suffix) + "_initializer";
  ParameterRequest request;
  request.name = name + "/" + suffix;
  request.is_weight = shape.size() > 1;
  request.type = {construction_.module.dtype, std::move(shape)};
  request.trainable = node_.trainable, request.lr_mult = node_.lr_mult, request.place = layer.place;
  const Record* initializer = record_at(layer, key);
  if (initializer && initializer->is(fan_uniform) && fan_in) {
    double bound = std::sqrt(initializer->number("factor") / static_cast<double>(fan_in + fan_out));
    request.initializer = "random_uniform";
    request.initializer_attributes = {{"minval", -bound}, {"maxval", bound}};
  } else if (initializer) {
    request.initializer = initializer->type();
    request.initializer_attributes = attributes_of(*initializer);
  }
  return use(suffix, construction_.parameters.own(request));
}

Term LayerContext::parameter(const char* suffix, Shape shape, int64_t fan_in, int64_t fan_out) {
  std::optional<Tie> tied = tie(suffix);
  if (!tied) return own(suffix, std::move(shape), fan_in, fan_out);
  const Place& place = layer.at(suffix).place;
  if (tied->is_transposed)
    throw ModelError{"bad-name", "'" + std::string(suffix) + "' is tied to a transpose, expected it without ^T", place};
  return use(suffix, construction_.parameters.tied(tied->name, {construction_.module.dtype, shape}, place));
}

Term LayerContext::matrix(const char* suffix, int64_t rows, int64_t columns, bool& is_transposed) {
  std::optional<Tie> tied = tie(suffix);
  is_transposed = tied && tied->is_transposed;
  if (!is_transposed) return parameter(suffix, {rows, columns}, rows, columns);
  Type type{construction_.module.dtype, {columns, rows}};
  return use(suffix, construction_.parameters.tied(tied->name, type, layer.at(suffix).place));
}

Term LayerContext::activate(Term x) {
  const Record& activation = *layer.record("activation");
  if (activation.is("linear")) return x;
  Location layer_place = b.where;
  if (activation.place.where.known()) b.where = activation.place.where;
  Term y{&b, b.add(activation.type(), {x}, attributes_of(activation))};
  b.where = layer_place;
  return y;
}

void LayerContext::penalize(Term result) {
  const Record* r = layer.record("activity_regularizer");
  if (r && (r->number("l1") != 0 || r->number("l2") != 0))
    penalties.push_back({result, r->number("l1"), r->number("l2"), r->place});
}

// ---- the table ------------------------------------------------------------------------------------------------------

namespace {
const std::vector<LayerDef>& all_layers() {
  static const std::vector<LayerDef> layers = [] {
    std::vector<LayerDef> all;
    for (auto table : {dense_layers, shape_layers, arithmetic_layers, container_layers})
      for (LayerDef& layer : table()) all.push_back(std::move(layer));
    return all;
  }();
  return layers;
}

// Every layer has these keys, before its own.
std::vector<Key> with_common(std::vector<Key> own) {
  std::vector<Key> keys;
  keys.push_back(name_key("name").optional("unique name; <type>_<k> if absent"));
  keys.push_back(list("from", KeyKind::names)
                     .at_least_entries(1)
                     .optional("layers or inputs to read; the previous layer if absent"));
  for (Key& key : own) keys.push_back(std::move(key));
  keys.push_back(boolean("trainable").defaults(true, "false freezes the layer's parameters"));
  keys.push_back(number("lr_mult").at_least(0).defaults(1.0, "factor on the learning rate of the layer's parameters"));
  return keys;
}

const LayerDef& find_layer(std::string_view type) {
  for (const LayerDef& layer : all_layers())
    if (layer.record.name == type && layer.build) return layer;
  internal_error(__FILE__, __LINE__, "no builder for layer '" + std::string(type) + "'");
}
} // namespace

std::vector<GroupDef> layer_groups() {
  GroupDef g{Group::layer, "layer", "type", true};
  for (const LayerDef& layer : all_layers()) {
    g.records.push_back(layer.record);
    g.records.back().keys = with_common(layer.record.keys);
  }
  return {g};
}

// ---- one layer ------------------------------------------------------------------------------------------------------

namespace {
void check_inputs(const LayerNode& layer, const LayerDef& row) {
  auto fewest = static_cast<size_t>(row.fewest_inputs), most = static_cast<size_t>(row.most_inputs);
  size_t got = layer.inputs.size();
  if (got >= fewest && (row.most_inputs < 0 || got <= most)) return;
  std::string wanted = row.most_inputs < 0 ? "at least " + std::to_string(fewest) : std::to_string(fewest);
  throw ModelError{"wrong-count",
                   "layer " + quoted(layer.name) + " (" + layer.record->type() + ") takes " + wanted + " input" +
                       (wanted == "1" ? "" : "s") + ", got " + std::to_string(got),
                   {}};
}
} // namespace

graph::ValueId build_layer(Construction& c, graph::Builder& b, Mode mode, const LayerNode& layer,
                           const std::vector<graph::ValueId>& values, std::vector<ActivityPenalty>& penalties) {
  std::vector<Term> inputs;
  for (uint32_t input : layer.inputs) {
    if (!values[input].valid()) return {};
    inputs.push_back({&b, values[input]});
  }
  const LayerDef& row = find_layer(layer.record->type());
  auto what = [&] { return "layer " + quoted(layer.name) + " (" + layer.record->type() + ")"; };
  graph::ValueId value;
  c.report.guard(what, layer.record->place, [&] {
    check_inputs(layer, row);
    b.where = layer.record->place.where, b.name_hint = layer.name;
    const size_t values_before = b.function().values.size();
    LayerContext context(c, b, layer, mode, std::move(inputs));
    const Term result = row.build(context);
    bool is_new = result.id.index >= values_before;
    if (is_new && b.function().values[result].kind == graph::ValueKind::result) b.take_name(result, layer.name);
    value = result;
    penalties.insert(penalties.end(), context.penalties.begin(), context.penalties.end());
  });
  return value;
}

} // namespace dlcc::frontend
