#include "codegen/microkernels/panel.h"

#include "codegen/layout.h"
#include "codegen/microkernels/transpose.h"

#include <llvm/IR/Intrinsics.h>

#include <algorithm>

namespace dlcc::codegen {

using namespace loops;

// Up to here an expression is written out for each vector of a transposed block; larger ones go through memory.
static constexpr size_t small_expression = 6;

bool is_strided(const KernelEmitter& e, const Operand& o) {
  const Expr& x = e.kernel.exprs[o.value];
  if (x.kind != ExprKind::load || x.padded || x.dtype != o.dtype || !o.axis->linear || !o.k->linear) return false;
  return std::none_of(x.at.begin(), x.at.end(), [](const Index& i) { return i.indirect.valid(); });
}

Panel panel_in_place(KernelEmitter& e, const Operand& o) {
  const Expr& x = e.kernel.exprs[o.value];
  e.bind(*o.axis, e.i64(0), false);
  e.bind(*o.k, e.i64(0), false);
  Panel p;
  p.element = e.memory_type_of(o.dtype);
  p.base = e.address(e.place_of(x.tensor, x.at));
  p.along = e.stride_along(*o.axis, x.tensor, x.at);
  p.depth = e.stride_along(*o.k, x.tensor, x.at);
  return p;
}

int contiguity(const KernelEmitter& e, const Operand& o) {
  int own = 0, deep = 0;
  for (ExprId id : e.closure(o.value)) {
    const Expr& x = e.kernel.exprs[id];
    if (x.kind != ExprKind::load) continue;
    own += e.stride_along(*o.axis, x.tensor, x.at) == 1;
    deep += e.stride_along(*o.k, x.tensor, x.at) == 1;
  }
  // An axis of one element has no neighbours.
  if (o.axis->extent == 1) own = 0;
  if (o.k->extent == 1) deep = 0;
  return own > deep ? 1 : deep > own ? -1 : 0;
}

namespace {
llvm::Value* element(KernelEmitter& e, const Panel& p, llvm::Value* index) {
  return e.b.CreateInBoundsGEP(p.element, p.base, index);
}
void store_vector(KernelEmitter& e, llvm::Value* v, llvm::Value* at, DType t) {
  e.b.CreateAlignedStore(e.widen(v), at, llvm::Align(byte_size(t)));
}
} // namespace

Panel pack_rows(KernelEmitter& e, const Operand& o, llvm::Value* begin, llvm::Value* end, int64_t most) {
  llvm::IRBuilder<>& b = e.b;
  const unsigned lanes = lanes_of(o.dtype);
  Panel p;
  p.element = e.memory_type_of(o.dtype), p.first = begin;
  if (contiguity(e, o) <= 0 || !o.axis->linear) {
    // Row after row, lanes along k. One vector more than needed keeps rows off each other's cache sets.
    p.along = round_up(o.k->extent, lanes) + lanes, p.depth = 1;
    p.base = e.allocate_scratch(most * p.along * static_cast<int64_t>(byte_size(o.dtype)));
    e.for_range(begin, end, 1, [&](llvm::Value* i) {
      e.bind(*o.axis, i, false);
      llvm::Value* row = b.CreateNSWMul(b.CreateNSWSub(i, begin), e.i64(p.along));
      e.for_lanes(e.i64(0), e.i64(o.k->extent), o.k->extent, lanes, [&](llvm::Value* k) {
        e.bind(*o.k, k, true);
        store_vector(e, e.eval(o.value), element(e, p, b.CreateNSWAdd(row, k)), o.dtype);
      });
    });
    return p;
  }
  p.along = 1, p.depth = round_up(most, lanes) + lanes;
  p.base = e.allocate_scratch(o.k->extent * p.depth * static_cast<int64_t>(byte_size(o.dtype)));
  e.for_range(e.i64(0), e.i64(o.k->extent), 1, [&](llvm::Value* k) {
    e.bind(*o.k, k, false);
    llvm::Value* line = b.CreateNSWMul(k, e.i64(p.depth));
    e.for_range(begin, end, lanes, [&](llvm::Value* i) {
      // The last rows may end inside a vector.
      llvm::Value* left = b.CreateNSWSub(e.i64(o.axis->extent), i);
      e.with_lanes(lanes, nullptr, [&] {
        llvm::Value* mask = b.CreateICmpSLT(e.lane_numbers(), e.widen(left));
        e.with_lanes(lanes, mask, [&] {
          e.bind(*o.axis, i, true);
          store_vector(e, e.eval(o.value), element(e, p, b.CreateNSWAdd(line, b.CreateNSWSub(i, begin))), o.dtype);
        });
      });
    });
  });
  return p;
}

llvm::Value* allocate_columns(KernelEmitter& e, const Operand& o, int64_t columns) {
  return e.allocate_scratch(round_up(o.k->extent, lanes_of(o.dtype)) * columns *
                            static_cast<int64_t>(byte_size(o.dtype)));
}

namespace {

// Lanes along k, W columns at a time, turned round in registers: W x W blocks, W elements to a hardware vector.
void pack_transposed(KernelEmitter& e, const Operand& o, const Panel& p, llvm::Value* begin, int64_t columns,
                     int64_t used) {
  llvm::IRBuilder<>& b = e.b;
  const int64_t w = (e.facts.avx512 ? 64 : 32) / static_cast<int64_t>(byte_size(o.dtype));
  const auto width = static_cast<unsigned>(w);
  const bool small = e.closure(o.value).size() <= small_expression;
  auto* type = llvm::FixedVectorType::get(p.element, width);
  llvm::Value* rows_memory = small ? nullptr : e.allocate_scratch(w * w * static_cast<int64_t>(byte_size(o.dtype)));
  auto row_of = [&](llvm::Value* c, llvm::Value* k) {
    // Columns that do not exist repeat the last one.
    llvm::Value* column = b.CreateNSWAdd(begin, c);
    if (used < columns) column = b.CreateBinaryIntrinsic(llvm::Intrinsic::smin, column, e.i64(o.axis->extent - 1));
    e.bind(*o.axis, column, false);
    e.bind(*o.k, k, true);
    return e.widen(e.eval(o.value));
  };
  e.for_range(e.i64(0), e.i64(round_up(used, w)), w, [&](llvm::Value* c) {
    e.for_lanes(e.i64(0), e.i64(o.k->extent), o.k->extent, width, [&](llvm::Value* k) {
      Values rows;
      auto slot = [&](llvm::Value* i) { return b.CreateInBoundsGEP(type, rows_memory, i); };
      if (!small)
        e.for_range(e.i64(0), e.i64(w), 1,
                    [&](llvm::Value* i) { b.CreateStore(row_of(b.CreateAdd(c, i), k), slot(i)); });
      for (int64_t i = 0; i < w; ++i)
        rows.push_back(small ? row_of(b.CreateAdd(c, e.i64(i)), k) : b.CreateLoad(type, slot(e.i64(i))));
      rows = transpose(b, std::move(rows));
      for (int64_t i = 0; i < w; ++i) {
        llvm::Value* line = b.CreateNSWMul(b.CreateNSWAdd(k, e.i64(i)), e.i64(columns));
        store_vector(e, rows[static_cast<size_t>(i)], element(e, p, b.CreateNSWAdd(line, c)), o.dtype);
      }
    });
  });
}

} // namespace

Panel pack_columns(KernelEmitter& e, const Operand& o, llvm::Value* memory, llvm::Value* begin, int64_t columns,
                   int64_t used) {
  llvm::IRBuilder<>& b = e.b;
  const unsigned lanes = lanes_of(o.dtype);
  Panel p{memory, e.memory_type_of(o.dtype), begin, 1, columns};
  if (contiguity(e, o) < 0 && o.k->extent > 1) {
    pack_transposed(e, o, p, begin, columns, used);
    return p;
  }
  e.for_range(e.i64(0), e.i64(o.k->extent), 1, [&](llvm::Value* k) {
    llvm::Value* line = b.CreateNSWMul(k, e.i64(columns));
    for (int64_t c = 0; c < used; c += lanes)
      e.with_lanes(lanes, e.prefix_mask(used - c, lanes), [&] {
        e.bind(*o.k, k, false);
        e.bind(*o.axis, b.CreateNSWAdd(begin, e.i64(c)), true);
        store_vector(e, e.eval(o.value), element(e, p, b.CreateNSWAdd(line, e.i64(c))), o.dtype);
      });
  });
  return p;
}

} // namespace dlcc::codegen
