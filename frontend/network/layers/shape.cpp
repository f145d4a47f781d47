// Layers that only move data. The batch axis stays the first.
#include "frontend/network/layers/layers.h"

namespace dlcc::frontend {

using ops::Term;

namespace {
void require_rows(const LayerContext& c, const Term& x) {
  if (x.type().rank() == 0)
    throw ModelError{"shape-mismatch",
                     "layer " + quoted(c.name) + " (" + c.layer.type() + ") reads " + to_string(x.type()) +
                         ", expected a batch axis",
                     {}};
}

Term build_flatten(LayerContext& c) {
  Term x = c.input();
  require_rows(c, x);
  return ops::reshape(x, {x.shape()[0], elements_a_row(x.shape())});
}

std::string reshape_text(const Shape& from, const Shape& to) {
  return "cannot reshape " + std::to_string(elements_a_row(from)) + " elements a sample into " + to_string(to);
}

Term build_reshape(LayerContext& c) {
  Term x = c.input();
  require_rows(c, x);
  const Shape& target = c.layer.integers("target_shape");
  const Place& place = c.layer.at("target_shape").place;
  Shape result{x.shape()[0]};
  int64_t known = 1;
  size_t open = 0; // the place of -1 in the result; 0 is the batch
  for (int64_t d : target) {
    if (d == 0) throw ModelError{"shape-mismatch", "'target_shape' has dimension 0, expected dimensions >= 1", place};
    if (d < 0 && open)
      throw ModelError{"shape-mismatch", "'target_shape' " + to_string(target) + " has two -1, expected one", place};
    if (d < 0) open = result.size();
    std::optional<int64_t> product = d < 0 ? known : checked_multiply(known, d);
    if (!product) throw ModelError{"shape-mismatch", "the size of 'target_shape' overflows", place};
    known = *product;
    result.push_back(d);
  }
  const int64_t elements = elements_a_row(x.shape());
  if (open && elements % known)
    throw ModelError{"shape-mismatch",
                     reshape_text(x.shape(), target) + ", expected dimensions whose product divides it", place};
  if (open) result[open] = elements / known;
  if (!open && known != elements)
    throw ModelError{"shape-mismatch", reshape_text(x.shape(), target) + ", expected as many elements", place};
  return ops::reshape(x, result);
}

Term build_concat(LayerContext& c) {
  int64_t axis = c.layer.integer("axis");
  std::vector<graph::ValueId> operands(c.inputs.begin(), c.inputs.end());
  if (normalize_axis(axis, c.input().type().rank()) == 0)
    throw ModelError{"out-of-range", "'axis' is the batch axis, expected another", c.layer.at("axis").place};
  return {&c.b, c.b.add("concat", std::move(operands), {{"axis", axis}})};
}
} // namespace

std::vector<LayerDef> shape_layers() {
  return {
      {{"Flatten", "one row per sample"}, build_flatten},
      {{"Reshape",
        "another shape of the same elements, the batch axis kept",
        {list("target_shape", KeyKind::integers)
             .at_least(-1)
             .required("dimensions without the batch axis; one may be -1")}},
       build_reshape},
      {{"Concat",
        "its inputs one after the other",
        {integer("axis").at_least(-8).at_most(7).defaults(int64_t{-1}, "along this axis")}},
       build_concat,
       2,
       -1},
  };
}

} // namespace dlcc::frontend
