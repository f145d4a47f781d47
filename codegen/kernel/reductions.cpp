// Reductions. Their order is part of the program's meaning (loops::Order); lanes and tails are not.
//
//   sequential  acc = neutral; acc = acc (+) x_0, x_1, ...
//   blocks      chains of 256 like that, each with a fresh accumulator; results combined in order
//   lanes       L lanes (16, or 8 of 8-byte types), blocks of 4096. Within a block element e goes to accumulator
//               (e / L) mod 4, lane e mod L; then (a0 (+) a1) (+) (a2 (+) a3), then lane l (+) lane l + L/2 until one
//               is left. Blocks are combined in the tree T(n) = T(p) (+) T(n - p), p = the largest power of two below
//               n.
//
// A sum whose value is a product of floats is acc = fma(a, b, acc).
#include "codegen/kernel/kernel_emitter.h"

#include <llvm/IR/Intrinsics.h>

#include <limits>

namespace dlcc::codegen {

using namespace loops;

static constexpr int64_t chain_length = 256, block_length = 4096;

llvm::Constant* KernelEmitter::neutral(Combine c, DType t) {
  const bool largest = c == Combine::max;
  switch (c) {
  case Combine::sum:
    return constant(0, t);
  case Combine::product:
    return constant(1, t);
  case Combine::max:
  case Combine::min:
    break;
  }
  if (is_float(t)) {
    double infinity = std::numeric_limits<double>::infinity();
    return constant(largest ? -infinity : infinity, t);
  }
  unsigned bits = type_of(t)->getIntegerBitWidth();
  bool is_unsigned = t == DType::u8 || t == DType::boolean;
  llvm::APInt value = is_unsigned
                          ? (largest ? llvm::APInt::getMinValue(bits) : llvm::APInt::getMaxValue(bits))
                          : (largest ? llvm::APInt::getSignedMinValue(bits) : llvm::APInt::getSignedMaxValue(bits));
  return llvm::ConstantInt::get(type_of(t), value);
}

llvm::Value* KernelEmitter::combine(Combine c, DType t, llvm::Value* a, llvm::Value* x) {
  switch (c) {
  case Combine::sum:
    return is_float(t) ? b.CreateFAdd(a, x) : b.CreateAdd(a, x);
  case Combine::product:
    return is_float(t) ? b.CreateFMul(a, x) : b.CreateMul(a, x);
  case Combine::max:
    return extremum(t, a, x, true);
  case Combine::min:
    return extremum(t, a, x, false);
  }
  internal_error(__FILE__, __LINE__, "an unknown reduction");
}

// accumulator (+) the element at the current values of the variables.
llvm::Value* KernelEmitter::accumulate(const Reduce& s, llvm::Value* accumulator) {
  const Expr& e = kernel.exprs[s.value];
  DType t = kernel.locals[s.local].dtype;
  bool product = s.combine == Combine::sum && e.kind == ExprKind::op && e.op == ScalarOp::multiply && is_float(e.dtype);
  auto like = [&](llvm::Value* v) { return accumulator->getType()->isVectorTy() ? widen(v) : v; };
  llvm::Value* value = eval(s.value);
  if (!product) return combine(s.combine, t, accumulator, like(value));
  llvm::Value *x = this->value(e.operands[0]), *y = this->value(e.operands[1]);
  return b.CreateIntrinsic(llvm::Intrinsic::fma, {accumulator->getType()}, {like(x), like(y), accumulator});
}

llvm::Value* KernelEmitter::chain(const Reduce& s, const Axis& axis, llvm::Value* begin, llvm::Value* end) {
  // The accumulator is as wide as the surrounding vector loop; if all lanes agree, LLVM sees it.
  llvm::Value* start = neutral(s.combine, kernel.locals[s.local].dtype);
  return for_range(begin, end, 1, {widen(start)}, [&](llvm::Value* i, const Values& acc) {
    bind(axis, i, false);
    return Values{accumulate(s, acc[0])};
  })[0];
}

llvm::Value* KernelEmitter::reduce_in_blocks(const Reduce& s, const Axis& axis) {
  const int64_t full = axis.extent / chain_length, rest = axis.extent % chain_length;
  if (full == 0) return chain(s, axis, i64(0), i64(axis.extent));
  DType t = kernel.locals[s.local].dtype;
  llvm::Value* total = chain(s, axis, i64(0), i64(chain_length));
  total = for_range(i64(1), i64(full), 1, {total}, [&](llvm::Value* block, const Values& so_far) {
    llvm::Value* begin = b.CreateNSWMul(block, i64(chain_length));
    return Values{combine(s.combine, t, so_far[0], chain(s, axis, begin, b.CreateNSWAdd(begin, i64(chain_length))))};
  })[0];
  if (rest != 0) total = combine(s.combine, t, total, chain(s, axis, i64(full * chain_length), i64(axis.extent)));
  return total;
}

llvm::Value* KernelEmitter::block_of_lanes(const Reduce& s, const Axis& axis, llvm::Value* begin, int64_t size) {
  DType t = kernel.locals[s.local].dtype;
  const int64_t n = lanes_of(t), group = 4 * n, full = size / group * group;
  llvm::Value* result = nullptr;
  with_lanes(static_cast<unsigned>(n), nullptr, [&] {
    Values acc(4, widen(neutral(s.combine, t)));
    auto step = [&](llvm::Value* a, llvm::Value* offset) {
      bind(axis, b.CreateNSWAdd(begin, offset), true);
      return accumulate(s, a);
    };
    acc = for_range(i64(0), i64(full), group, acc, [&](llvm::Value* i, const Values& before) {
      Values next;
      for (int64_t k = 0; k < 4; ++k) next.push_back(step(before[k], b.CreateNSWAdd(i, i64(k * n))));
      return next;
    });
    for (int64_t k = 0; full + k * n < size; ++k) {
      llvm::Value* mask = prefix_mask(size - full - k * n, static_cast<unsigned>(n));
      with_lanes(static_cast<unsigned>(n), mask, [&] {
        llvm::Value* next = step(acc[k], i64(full + k * n));
        acc[k] = mask ? b.CreateSelect(mask, next, acc[k]) : next;
      });
    }
    llvm::Value* v =
        combine(s.combine, t, combine(s.combine, t, acc[0], acc[1]), combine(s.combine, t, acc[2], acc[3]));
    for (int64_t half = n / 2; half > 0; half /= 2) {
      llvm::SmallVector<int, 16> low, high;
      for (int k = 0; k < half; ++k) low.push_back(k), high.push_back(k + static_cast<int>(half));
      v = combine(s.combine, t, b.CreateShuffleVector(v, low), b.CreateShuffleVector(v, high));
    }
    result = b.CreateExtractElement(v, uint64_t{0});
  });
  return result;
}

// The blocks' results are stacked: after block i as many pairs are combined as i + 1 has trailing zero bits.
llvm::Value* KernelEmitter::pairwise_tree(const Reduce& s, int64_t full_blocks,
                                          llvm::function_ref<llvm::Value*(llvm::Value*)> block, llvm::Value* tail) {
  DType t = kernel.locals[s.local].dtype;
  llvm::Type* type = type_of(t);
  llvm::Value* stack = allocate_scratch(64 * static_cast<int64_t>(byte_size(t)));
  auto slot = [&](llvm::Value* depth) { return b.CreateInBoundsGEP(type, stack, depth); };
  // The depth before block i is the number of ones in i.
  for_range(i64(0), i64(full_blocks), 1, [&](llvm::Value* i) {
    llvm::Value* value = block(i);
    llvm::Value* depth = b.CreateUnaryIntrinsic(llvm::Intrinsic::ctpop, i);
    llvm::Value* merges =
        b.CreateIntrinsic(llvm::Intrinsic::cttz, {b.getInt64Ty()}, {b.CreateAdd(i, i64(1)), b.getFalse()});
    value = for_range(i64(0), merges, 1, {value}, [&](llvm::Value* k, const Values& v) {
      llvm::Value* below = b.CreateLoad(type, slot(b.CreateSub(b.CreateSub(depth, i64(1)), k)));
      return Values{combine(s.combine, t, below, v[0])};
    })[0];
    b.CreateStore(value, slot(b.CreateSub(depth, merges)));
  });
  int64_t depth = __builtin_popcountll(static_cast<unsigned long long>(full_blocks));
  llvm::Value* total = tail;
  while (depth-- > 0) {
    llvm::Value* below = b.CreateLoad(type, slot(i64(depth)));
    total = total ? combine(s.combine, t, below, total) : below;
  }
  return total;
}

llvm::Value* KernelEmitter::reduce_in_lanes(const Reduce& s, const Axis& axis) {
  const int64_t full = axis.extent / block_length, rest = axis.extent % block_length;
  if (full == 0 || axis.extent == block_length) return block_of_lanes(s, axis, i64(0), axis.extent);
  auto block = [&](llvm::Value* i) {
    return block_of_lanes(s, axis, b.CreateNSWMul(i, i64(block_length)), block_length);
  };
  // A tail is the last leaf of the tree; it is combined after all full blocks in the same order.
  llvm::Value* tail = rest == 0 ? nullptr : block_of_lanes(s, axis, i64(full * block_length), rest);
  return pairwise_tree(s, full, block, tail);
}

void KernelEmitter::emit_reduce(const Reduce& s) {
  Axis axis = make_axis(s.ranges, {s.value});
  llvm::Value* result = nullptr;
  switch (s.order) {
  case Order::sequential:
    result = chain(s, axis, i64(0), i64(axis.extent));
    break;
  case Order::blocks:
    result = reduce_in_blocks(s, axis);
    break;
  case Order::lanes:
    result = reduce_in_lanes(s, axis);
    break;
  }
  locals_[s.local] = result;
}

} // namespace dlcc::codegen
