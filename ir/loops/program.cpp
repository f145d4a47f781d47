#include "ir/loops/program.h"

#include "ir/loops/element.h"

#include <algorithm>
#include <array>

namespace dlcc::loops {

int64_t Affine::coefficient(VarId v) const {
  for (auto& [var, c] : terms)
    if (var == v) return c;
  return 0;
}

Affine operator+(const Affine& a, const Affine& b) {
  Affine sum = a;
  sum.constant += b.constant;
  for (auto& [var, c] : b.terms) {
    auto at = std::lower_bound(sum.terms.begin(), sum.terms.end(), var, [](auto& t, VarId v) { return t.first < v; });
    if (at == sum.terms.end() || at->first != var)
      sum.terms.insert(at, {var, c});
    else if ((at->second += c) == 0)
      sum.terms.erase(at);
  }
  return sum;
}

Affine operator*(const Affine& a, int64_t factor) {
  if (factor == 0) return {};
  Affine product = a;
  product.constant *= factor;
  for (auto& [var, c] : product.terms) c *= factor;
  return product;
}

namespace {
constexpr ScalarOpFacts scalar_ops[] = {
#define SCALAR_OP(name, operands, result, domain, cost) {#name, operands, ResultRule::result, Domain::domain, cost},
#include "ir/loops/scalar_ops.def"
#undef SCALAR_OP
};
constexpr std::array<std::string_view, 11> region_names = {"input",  "output", "call",  "hyper",    "param", "slot",
                                                           "buffer", "grad",   "arena", "constant", "fault"};
constexpr std::array<std::string_view, 7> role_names = {"none", "input", "label", "weight", "output", "loss", "metric"};
constexpr std::array<std::string_view, 3> stage_names = {"loops", "scheduled", "planned"};

template <class E, size_t N>
std::optional<E> find_name(const std::array<std::string_view, N>& names, std::string_view name) {
  auto at = std::find(names.begin(), names.end(), name);
  if (at == names.end()) return std::nullopt;
  return static_cast<E>(at - names.begin());
}
} // namespace

const ScalarOpFacts& facts_of(ScalarOp op) { return scalar_ops[static_cast<size_t>(op)]; }
std::optional<ScalarOp> scalar_op_from_name(std::string_view name) {
  for (size_t i = 0; i < std::size(scalar_ops); ++i)
    if (scalar_ops[i].name == name) return static_cast<ScalarOp>(i);
  return std::nullopt;
}

std::string_view name_of(Region region) { return region_names[static_cast<size_t>(region)]; }
std::optional<Region> region_from_name(std::string_view name) { return find_name<Region>(region_names, name); }
std::string_view name_of(TensorRole role) { return role_names[static_cast<size_t>(role)]; }
std::optional<TensorRole> tensor_role_from_name(std::string_view name) {
  return find_name<TensorRole>(role_names, name);
}
std::string_view name_of(Stage stage) { return stage_names[static_cast<size_t>(stage)]; }
std::optional<Stage> stage_from_name(std::string_view name) { return find_name<Stage>(stage_names, name); }

size_t Kernel::parameter_count() const {
  return static_cast<size_t>(
      std::count_if(tensors.begin(), tensors.end(), [](const KernelTensor& t) { return t.access != Access::scratch; }));
}

const Entry* Program::find_entry(std::string_view wanted) const {
  for (const Entry& e : entries)
    if (e.name == wanted) return &e;
  return nullptr;
}

BufferId Program::storage(BufferId b) const {
  while (buffers[b].view_of.valid()) b = buffers[b].view_of;
  return b;
}

ExprId ElementContext::operand(size_t k) {
  const Shape& shape = operand_type(k).shape;
  const std::vector<Index>& all = at();
  std::vector<Index> indices(all.end() - static_cast<std::ptrdiff_t>(shape.size()), all.end());
  for (size_t i = 0; i < shape.size(); ++i)
    if (shape[i] == 1) indices[i] = Index(int64_t{0});
  return operand(k, std::move(indices));
}

} // namespace dlcc::loops
