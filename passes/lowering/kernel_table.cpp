#include "passes/lowering/kernel_table.h"

#include "ir/loops/walk.h"

#include <algorithm>
#include <bit>

namespace dlcc::passes {

using namespace loops;

namespace {
bool same_expr(const Expr& a, const Expr& b) {
  return std::bit_cast<uint64_t>(a.value) == std::bit_cast<uint64_t>(b.value) && a.kind == b.kind &&
         a.dtype == b.dtype && a.op == b.op && a.operands == b.operands && a.tensor == b.tensor && a.at == b.at &&
         a.padded == b.padded && a.local == b.local;
}

// Ids are handed out in the order of construction, so equal kernels have equal ids.
bool same_structure(const Kernel& a, const Kernel& b) {
  auto same_tensor = [](const KernelTensor& x, const KernelTensor& y) {
    return x.type == y.type && x.access == y.access;
  };
  auto same_local = [](const Local& x, const Local& y) { return x.dtype == y.dtype; };
  return std::equal(a.tensors.begin(), a.tensors.end(), b.tensors.begin(), b.tensors.end(), same_tensor) &&
         std::equal(a.locals.begin(), a.locals.end(), b.locals.begin(), b.locals.end(), same_local) &&
         std::equal(a.exprs.begin(), a.exprs.end(), b.exprs.begin(), b.exprs.end(), same_expr) &&
         std::equal(a.stmts.begin(), a.stmts.end(), b.stmts.begin(), b.stmts.end()) && a.body == b.body &&
         a.vars.size() == b.vars.size();
}

size_t hash_of(const Kernel& k) {
  size_t h = k.stmts.size();
  auto mix = [&](size_t v) { h = (h ^ v) * 0x9E3779B97F4A7C15u; };
  for (const KernelTensor& t : k.tensors)
    for (int64_t d : t.type.shape) mix(static_cast<size_t>(d));
  for (const Expr& e : k.exprs)
    mix(static_cast<size_t>(e.kind) * 64 + static_cast<size_t>(e.op)), mix(std::bit_cast<uint64_t>(e.value));
  for (const Stmt& s : k.stmts) for_each_range(s, [&](const LoopVar& v) { mix(static_cast<size_t>(v.extent)); });
  return h;
}
} // namespace

KernelId KernelTable::add(Kernel kernel) {
  size_t h = hash_of(kernel);
  auto [first, last] = by_hash_.equal_range(h);
  for (auto it = first; it != last; ++it)
    if (same_structure(kernels_[it->second], kernel)) return it->second;
  const std::string wanted = kernel.name;
  while (!names_.insert(kernel.name).second) kernel.name = wanted + "." + std::to_string(++suffixes_[wanted]);
  KernelId id = kernels_.push(std::move(kernel));
  by_hash_.emplace(h, id);
  return id;
}

} // namespace dlcc::passes
