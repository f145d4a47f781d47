#include "frontend/layers.h"

#include <cmath>

namespace dlcc::frontend {

using ops::Term;

const LayerRow* find_layer(std::string_view type) {
  for (std::span<const LayerRow> table : {dense_layers(), shape_layers(), arithmetic_layers()})
    for (const LayerRow& row : table)
      if (row.name == type) return &row;
  return nullptr;
}

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
  if (construction_.sklearn_factor && fan_in && !layer.at(key).is_given) {
    double bound = std::sqrt(construction_.sklearn_factor / static_cast<double>(fan_in + fan_out));
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
  const Arg& key = layer.at("activation");
  const Record& activation = *layer.record("activation");
  if (activation.is("linear")) return x;
  Location layer_place = b.where;
  if (key.is_given && activation.place.where.known()) b.where = activation.place.where;
  Term y{&b, b.add(activation.type(), {x}, attributes_of(activation))};
  b.where = layer_place;
  return y;
}

void LayerContext::penalize(Term result) {
  const Record* r = layer.record("activity_regularizer");
  if (r && (r->number("l1") != 0 || r->number("l2") != 0))
    penalties.push_back({result, r->number("l1"), r->number("l2"), r->place});
}

} // namespace dlcc::frontend
