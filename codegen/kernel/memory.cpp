// Where elements lie, and loads and stores of one element or of one a lane.
#include "codegen/kernel/kernel_emitter.h"

#include <llvm/IR/Intrinsics.h>

namespace dlcc::codegen {

using namespace loops;

llvm::Value* KernelEmitter::value_of(const Affine& a) {
  llvm::Value* scalar = nullptr;
  llvm::Value* wide = nullptr;
  int64_t stride = 0;
  auto plus = [&](llvm::Value*& sum, llvm::Value* v) { sum = sum ? b.CreateNSWAdd(sum, v) : v; };
  auto times = [&](llvm::Value* v, int64_t c) {
    if (c == 1) return v;
    llvm::Value* factor = llvm::ConstantInt::getSigned(v->getType(), c);
    return b.CreateNSWMul(v, factor);
  };
  for (auto& [var, c] : a.terms) {
    const Binding& x = vars_[var];
    if (x.lane) stride += c;
    if (x.vector)
      plus(wide, times(x.vector, c));
    else
      plus(scalar, times(x.base, c));
  }
  if (!scalar)
    scalar = i64(a.constant);
  else if (a.constant != 0)
    scalar = b.CreateNSWAdd(scalar, i64(a.constant));
  if (stride != 0) plus(wide, times(lane_numbers(), stride));
  return wide ? b.CreateNSWAdd(wide, widen(scalar)) : scalar;
}

std::pair<int64_t, int64_t> KernelEmitter::range_of(const Affine& a) const {
  int64_t low = a.constant, high = a.constant;
  for (auto& [var, c] : a.terms) (c > 0 ? high : low) += c * (extents_[var] - 1);
  return {low, high};
}

Place KernelEmitter::place_of(TensorId t, const std::vector<Index>& at, bool padded) {
  const KernelTensor& tensor = kernel.tensors[t];
  const Shape strides = strides_of(tensor.type.shape);
  Place p;
  p.base = tensors_[t];
  p.element = memory_type_of(tensor.type.dtype);
  p.empty = element_count(tensor.type.shape) == 0;
  Affine linear;
  auto plus = [&](llvm::Value*& sum, llvm::Value* v) { sum = sum ? b.CreateNSWAdd(sum, v) : v; };
  for (size_t d = 0; d < at.size(); ++d) {
    linear = linear + at[d].affine * strides[d];
    llvm::Value* indirect = at[d].indirect.valid() ? indirect_of(at[d]) : nullptr;
    if (padded) {
      auto [low, high] = range_of(at[d].affine);
      if (indirect || low < 0 || high >= tensor.type.shape[d]) {
        llvm::Value* i = value_of(at[d].affine);
        if (indirect) {
          bool wide = i->getType()->isVectorTy() || indirect->getType()->isVectorTy();
          i = wide ? b.CreateAdd(widen(i), widen(indirect)) : b.CreateAdd(i, indirect);
        }
        llvm::Value* extent = llvm::ConstantInt::getSigned(i->getType(), tensor.type.shape[d]);
        llvm::Value* inside = b.CreateICmpULT(i, extent);
        if (p.inside && p.inside->getType() != inside->getType())
          inside = lanes_if(inside), p.inside = lanes_if(p.inside);
        p.inside = p.inside ? b.CreateAnd(p.inside, inside) : inside;
      }
    }
    if (indirect) {
      llvm::Value* step = b.CreateMul(indirect, llvm::ConstantInt::getSigned(indirect->getType(), strides[d]));
      plus(step->getType()->isVectorTy() ? p.vector : p.index, step);
    }
  }
  p.offset = linear.constant;
  for (auto& [var, c] : linear.terms) {
    const Binding& x = vars_[var];
    if (x.lane) p.stride += c;
    llvm::Value* v = x.vector ? x.vector : x.base;
    if (c != 1) v = b.CreateNSWMul(v, llvm::ConstantInt::getSigned(v->getType(), c));
    plus(x.vector ? p.vector : p.index, v);
  }
  if (tensor.access == Access::scratch && private_lanes_ > 1) {
    const int64_t n = private_lanes_;
    if (p.index) p.index = b.CreateNSWMul(p.index, i64(n));
    if (p.vector) p.vector = b.CreateNSWMul(p.vector, widen(i64(n)));
    p.offset *= n;
    p.stride = p.stride * n + 1;
  }
  return p;
}

llvm::Value* KernelEmitter::address(const Place& p) {
  llvm::Value* a = p.index ? b.CreateInBoundsGEP(p.element, p.base, p.index) : p.base;
  return element_at(p.element, a, p.offset);
}

namespace {
// One address a lane.
llvm::Value* addresses(KernelEmitter& e, const Place& p) {
  llvm::IRBuilder<>& b = e.b;
  llvm::Value* lanes = p.vector;
  if (p.stride != 0) {
    llvm::Value* steps = b.CreateMul(e.lane_numbers(), e.widen(e.i64(p.stride)));
    lanes = lanes ? b.CreateAdd(lanes, steps) : steps;
  }
  // No inbounds: a lane that is masked off may point anywhere.
  llvm::Value* index = e.i64(p.offset);
  if (p.index) index = b.CreateAdd(index, p.index);
  index = e.widen(index);
  if (lanes) index = b.CreateAdd(index, lanes);
  return b.CreateGEP(p.element, p.base, index);
}
} // namespace

// What lies outside is element 0 instead, read and discarded; an empty tensor has none.
llvm::Value* KernelEmitter::load_scalar(const Place& p, llvm::Align align) {
  if (!p.inside) return b.CreateAlignedLoad(p.element, address(p), align);
  llvm::Value* zero = llvm::Constant::getNullValue(p.element);
  if (p.empty) return zero;
  Place safe = p;
  llvm::Value* index = b.CreateAdd(p.index ? p.index : i64(0), i64(p.offset));
  safe.index = b.CreateSelect(p.inside, index, i64(0)), safe.offset = 0;
  return b.CreateSelect(p.inside, b.CreateAlignedLoad(p.element, address(safe), align), zero);
}

llvm::Value* KernelEmitter::load(const Place& p, DType t) {
  const llvm::Align align(byte_size(t));
  llvm::Value* v;
  if (!p.wide()) {
    v = load_scalar(p, align);
  } else {
    llvm::Value* mask = lane_mask(p.inside);
    auto* type = llvm::FixedVectorType::get(p.element, lanes_);
    llvm::Value* zero = llvm::Constant::getNullValue(type);
    if (!p.vector && p.stride == 1) {
      if (!mask)
        v = b.CreateAlignedLoad(type, address(p), align);
      else // no inbounds: lane 0 may lie outside
        v = b.CreateMaskedLoad(type,
                               b.CreateGEP(p.element, p.base, b.CreateAdd(p.index ? p.index : i64(0), i64(p.offset))),
                               align, mask, zero);
    } else {
      v = b.CreateMaskedGather(
          type, addresses(*this, p), align,
          mask ? mask : llvm::Constant::getAllOnesValue(llvm::FixedVectorType::get(b.getInt1Ty(), lanes_)), zero);
    }
  }
  return t == DType::boolean ? b.CreateIsNotNull(v) : v;
}

void KernelEmitter::store(const Place& p, llvm::Value* value, DType t) {
  const llvm::Align align(byte_size(t));
  if (t == DType::boolean) {
    llvm::Type* byte = b.getInt8Ty();
    value = b.CreateZExt(value, value->getType()->isVectorTy() ? llvm::FixedVectorType::get(byte, lanes_) : byte);
  }
  if (!p.wide() && !value->getType()->isVectorTy()) {
    b.CreateAlignedStore(value, address(p), align);
    return;
  }
  value = widen(value);
  llvm::Value* all = llvm::Constant::getAllOnesValue(llvm::FixedVectorType::get(b.getInt1Ty(), lanes_));
  if (p.vector || p.stride != 1) // stride 0: scatters are ordered, the last lane stays
    b.CreateMaskedScatter(value, addresses(*this, p), align, mask_ ? mask_ : all);
  else if (mask_)
    b.CreateMaskedStore(value, address(p), align, mask_);
  else
    b.CreateAlignedStore(value, address(p), align);
}

} // namespace dlcc::codegen
