#include "passes/training/widen_floats.h"

namespace dlcc::passes {

using namespace graph;

namespace {
DType widened(DType t) { return t == DType::f32 ? DType::f64 : t; }

Attributes widened(const Attributes& attributes) {
  Attributes out;
  for (const auto& [name, value] : attributes) {
    const auto* dtype = std::get_if<DType>(&value);
    out.set(name, dtype ? AttributeValue(widened(*dtype)) : value);
  }
  return out;
}
} // namespace

void widen_floats(Module& module) {
  module.dtype = widened(module.dtype);
  for (State& s : module.states) s.type.dtype = widened(s.type.dtype);
  for (Function& f : module.functions) {
    for (Value& v : f.values) v.type.dtype = widened(v.type.dtype);
    for (Node& n : f.nodes) n.attributes = widened(n.attributes);
  }
}

} // namespace dlcc::passes
