// The layers of the format: each with what a model may say of it and the function that builds it, in one table a file.
#pragma once

#include "frontend/network/network.h"

namespace dlcc::frontend {

/// What the function of a layer sees. Values are rows first: axis 0 is the batch. Errors are thrown (ModelError, or
/// InferError by an operator).
class LayerContext {
public:
  LayerContext(Construction& construction, graph::Builder& builder, const LayerNode& node, Mode mode,
               std::vector<ops::Term> inputs)
      : b(builder), layer(*node.record), name(node.name), mode(mode), inputs(std::move(inputs)),
        construction_(construction), node_(node) {}

  graph::Builder& b;
  const Record& layer;
  const std::string& name;
  const Mode mode;
  const std::vector<ops::Term> inputs;

  ops::Term input() const { return inputs[0]; }
  /// Calls a value <layer>/<suffix>.
  ops::Term named(ops::Term x, const char* suffix) const;

  /// The parameter <layer>/<suffix>. The layer's record may have the keys <suffix>_initializer, <suffix>_regularizer
  /// and, for tying, <suffix>. `fan_in` and `fan_out` are for the initialiser fan_uniform; 0: it has none.
  ops::Term parameter(const char* suffix, Shape shape, int64_t fan_in = 0, int64_t fan_out = 0);
  /// A matrix of that kind that may be tied transposed: `is_transposed` says that the value is its transpose.
  ops::Term matrix(const char* suffix, int64_t rows, int64_t columns, bool& is_transposed);
  /// The function of the key `activation`.
  ops::Term activate(ops::Term x);
  /// Notes the penalty of the key `activity_regularizer` on the result.
  void penalize(ops::Term result);

  std::vector<ActivityPenalty> penalties;

private:
  struct Tie {
    std::string name;
    bool is_transposed = false;
  };
  std::optional<Tie> tie(const std::string& key) const;
  ops::Term own(const char* suffix, Shape shape, int64_t fan_in, int64_t fan_out);
  ops::Term use(const char* suffix, graph::StateId state);

  Construction& construction_;
  const LayerNode& node_;
};

using LayerFunction = ops::Term (*)(LayerContext&);

/// One layer. Argument names and defaults are those of Keras.
struct LayerDef {
  RecordDef record;                       ///< the keys of its own; those of every layer are added to them
  LayerFunction build = nullptr;          ///< null: the layer graph replaces it by the layers inside
  int fewest_inputs = 1, most_inputs = 1; ///< most -1: any number
};

/// Adds a layer to a function; `values` of the network by number. Its result; not valid() after an error, which is
/// reported here or where an input failed.
graph::ValueId build_layer(Construction& construction, graph::Builder& builder, Mode mode, const LayerNode& layer,
                           const std::vector<graph::ValueId>& values, std::vector<ActivityPenalty>& penalties);

// One table a file.
std::vector<LayerDef> dense_layers();
std::vector<LayerDef> shape_layers();
std::vector<LayerDef> arithmetic_layers();
std::vector<LayerDef> container_layers();

/// The product of the dimensions behind the batch axis.
int64_t elements_a_row(const Shape& shape);

} // namespace dlcc::frontend
