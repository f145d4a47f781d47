#include "codegen/microkernels/contract.h"

#include "codegen/layout.h"
#include "codegen/microkernels/panel.h"
#include "ir/base/diagnostics.h"
#include "ir/loops/tiling.h"

#include <llvm/IR/Intrinsics.h>

#include <algorithm>

namespace dlcc::codegen {

using namespace loops;

namespace {

constexpr int64_t chain_length = 256, page_bytes = 4096;
// After a chain at least this long the tile goes through memory to a loop over its rows, which is less code; after a
// shorter one the detour would cost, and epilogues of up to so many vector operations are written out on the registers.
constexpr int64_t long_chain = 48;
constexpr size_t written_out = 200;

class ContractEmitter {
public:
  ContractEmitter(KernelEmitter& e, const Contract& s, bool outermost);
  void emit();

private:
  struct Range {
    llvm::Value *begin, *end;
  };
  /// The tile being computed: rows and vectors of columns, the last vector with `active` lanes.
  struct Tile {
    llvm::Value *row, *column;
    int64_t rows, vectors, active;
  };

  void choose_orientation();
  bool stores_contiguous_along(const Axis& axis) const;
  void emit_block(Range rows, Range columns);
  void for_tiles(Range range, int64_t extent, int64_t step, llvm::function_ref<void(llvm::Value*, int64_t)> body);
  Range task_range(llvm::Value* task, int64_t extent, int64_t task_size, int64_t tile);
  void emit_tile(const Panel& a, const Panel& b, const Tile& t, bool masked);
  Values chain(const Panel& a, const Panel& b, const Tile& t, bool masked, Range k);
  llvm::Value* load_broadcast(const Panel& a, llvm::Value* row, int64_t r, llvm::Value* k);
  void epilogue_in_registers(const Tile& t, const Values& sums);
  void epilogue_in_memory(const Tile& t);
  void epilogue(const Tile& t, llvm::Value* row, int64_t vector, llvm::Value* sum);
  llvm::Value* partial(llvm::Value* row, int64_t vector);
  size_t epilogue_size() const;

  KernelEmitter& e_;
  llvm::IRBuilder<>& b_;
  const Contract& s_;
  const bool outermost_;
  DType type_;
  unsigned lanes_;
  Axis m_, n_, k_;
  Axis *rows_ = &m_, *columns_ = &n_;
  Operand a_, b_operand_;
  Tiling tiling_;
  int64_t tile_rows_ = 0, tile_columns_ = 0;
  int64_t block_rows_ = 0; ///< most rows of one task
  llvm::Value* panel_memory_ = nullptr;
  llvm::Value* partial_memory_ = nullptr;
  llvm::FixedVectorType* vector_;
};

ContractEmitter::ContractEmitter(KernelEmitter& e, const Contract& s, bool outermost)
    : e_(e), b_(e.b), s_(s), outermost_(outermost), type_(e.kernel.locals[s.local].dtype), lanes_(lanes_of(type_)) {
  m_ = e.make_axis(s.m, {s.a}, s.body);
  n_ = e.make_axis(s.n, {s.b}, s.body);
  k_ = e.make_axis(s.k, {s.a, s.b});
  DLCC_CHECK(is_float(type_) && e.kernel.exprs[s.a].dtype == type_ && e.kernel.exprs[s.b].dtype == type_,
             "a contraction of other types than its sum");
  vector_ = llvm::FixedVectorType::get(e.type_of(type_), lanes_);
  tiling_ = s.tiling;
  if (tiling_.rows == 0) tiling_ = choose_tiling(m_.extent, n_.extent, k_.extent, type_, e.facts.machine);
  choose_orientation();
}

bool ContractEmitter::stores_contiguous_along(const Axis& axis) const {
  bool contiguous = false;
  if (axis.extent > 1)
    e_.visit(
        s_.body,
        [&](const Stmt& s) {
          if (auto* store = std::get_if<Store>(&s)) contiguous |= e_.stride_along(axis, store->tensor, store->at) == 1;
        },
        [](const Expr&) {});
  return contiguous;
}

// Vectors run along n, unless only m gives contiguous results.
void ContractEmitter::choose_orientation() {
  a_ = {s_.a, &m_, &k_, type_}, b_operand_ = {s_.b, &n_, &k_, type_};
  tile_rows_ = tiling_.rows, tile_columns_ = tiling_.columns;
  if (!stores_contiguous_along(n_) && stores_contiguous_along(m_)) {
    std::swap(rows_, columns_);
    std::swap(a_, b_operand_);
    Tiling turned = choose_tiling(n_.extent, m_.extent, k_.extent, type_, e_.facts.machine);
    tile_rows_ = turned.rows, tile_columns_ = turned.columns;
  }
  tile_rows_ = std::min(tile_rows_, rows_->extent);
  DLCC_CHECK(tile_columns_ % lanes_ == 0 && tile_rows_ > 0,
             "a register tile of a contraction is no whole number of vectors");
}

// Tiles belong to the task in whose range they start.
ContractEmitter::Range ContractEmitter::task_range(llvm::Value* task, int64_t extent, int64_t task_size, int64_t tile) {
  auto edge = [&](llvm::Value* t) {
    llvm::Value* at = b_.CreateNSWMul(t, e_.i64(task_size));
    if (task_size % tile != 0)
      at = b_.CreateMul(b_.CreateUDiv(b_.CreateAdd(at, e_.i64(tile - 1)), e_.i64(tile)), e_.i64(tile));
    return b_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, at, e_.i64(extent));
  };
  return {edge(task), edge(b_.CreateAdd(task, e_.i64(1)))};
}

void ContractEmitter::emit() {
  if (!outermost_ || e_.kernel.tasks == 1) {
    block_rows_ = rows_->extent;
    return emit_block({e_.i64(0), e_.i64(rows_->extent)}, {e_.i64(0), e_.i64(columns_->extent)});
  }
  const int64_t across = pieces(n_.extent, tiling_.task_columns);
  DLCC_CHECK(e_.kernel.tasks == across * pieces(m_.extent, tiling_.task_rows),
             "kernel '" + e_.kernel.name + "' has another number of tasks than its contraction");
  const bool turned = rows_ == &n_;
  const int64_t row_size = turned ? tiling_.task_columns : tiling_.task_rows;
  const int64_t column_size = turned ? tiling_.task_rows : tiling_.task_columns;
  block_rows_ = std::min(round_up(row_size, tile_rows_), rows_->extent);
  e_.for_range(e_.task_begin, e_.task_end, 1, [&](llvm::Value* task) {
    llvm::Value *m_task = b_.CreateUDiv(task, e_.i64(across)), *n_task = b_.CreateURem(task, e_.i64(across));
    emit_block(task_range(turned ? n_task : m_task, rows_->extent, row_size, tile_rows_),
               task_range(turned ? m_task : n_task, columns_->extent, column_size, tile_columns_));
  });
}

// body(start, size) for the tiles of a range; a smaller last one only at the end of the axis.
void ContractEmitter::for_tiles(Range range, int64_t extent, int64_t step,
                                llvm::function_ref<void(llvm::Value*, int64_t)> body) {
  const int64_t rest = extent % step, full = extent - rest;
  if (rest == 0) return e_.for_range(range.begin, range.end, step, [&](llvm::Value* i) { body(i, step); });
  const bool known = llvm::isa<llvm::ConstantInt>(range.end);
  if (full > 0) {
    llvm::Value* end = known ? e_.i64(full) : b_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, range.end, e_.i64(full));
    e_.for_range(range.begin, end, step, [&](llvm::Value* i) { body(i, step); });
  }
  auto tail = [&] { body(e_.i64(full), rest); };
  if (known)
    tail();
  else
    e_.when(b_.CreateAnd(b_.CreateICmpEQ(range.end, e_.i64(extent)), b_.CreateICmpSLT(range.begin, range.end)), tail);
}

void ContractEmitter::emit_block(Range rows, Range columns) {
  const bool strided = is_strided(e_, b_operand_);
  Panel in_place;
  if (strided) in_place = panel_in_place(e_, b_operand_);
  // Loads of B need neighbours along the columns. A panel also pays off where every k is on a page of its own and
  // several tiles of rows read it again.
  const bool scattered = in_place.depth * static_cast<int64_t>(byte_size(type_)) >= page_bytes &&
                         block_rows_ >= 4 * tile_rows_ && k_.extent > 1;
  const bool pack = !strided || (in_place.along != 1 && columns_->extent > 1) || scattered || tiling_.pack_b;
  if (pack && !panel_memory_) panel_memory_ = allocate_columns(e_, b_operand_, tile_columns_);
  if (!partial_memory_)
    partial_memory_ = e_.allocate_scratch(tile_rows_ * tile_columns_ * static_cast<int64_t>(byte_size(type_)));

  Panel a = is_strided(e_, a_) ? panel_in_place(e_, a_) : pack_rows(e_, a_, rows.begin, rows.end, block_rows_);
  for_tiles(columns, columns_->extent, tile_columns_, [&](llvm::Value* column, int64_t width) {
    const int64_t vectors = (width + lanes_ - 1) / lanes_;
    Panel b = in_place;
    if (pack) b = pack_columns(e_, b_operand_, panel_memory_, column, vectors * lanes_, width);
    for_tiles(rows, rows_->extent, tile_rows_, [&](llvm::Value* row, int64_t height) {
      emit_tile(a, b, {row, column, height, vectors, width - (vectors - 1) * lanes_}, !pack);
    });
  });
}

llvm::Value* ContractEmitter::partial(llvm::Value* row, int64_t vector) {
  llvm::Value* index = b_.CreateNSWAdd(e_.times(row, tile_columns_ / lanes_), e_.i64(vector));
  return b_.CreateInBoundsGEP(vector_, partial_memory_, index);
}

size_t ContractEmitter::epilogue_size() const {
  size_t n = 0;
  e_.visit(s_.body, [&](const Stmt&) { ++n; }, [&](const Expr&) { ++n; });
  return n;
}

void ContractEmitter::emit_tile(const Panel& a, const Panel& b, const Tile& t, bool masked) {
  const bool in_registers =
      k_.extent < long_chain && epilogue_size() * static_cast<size_t>(t.rows * t.vectors) <= written_out;
  auto each = [&](llvm::function_ref<void(int64_t, int64_t, size_t)> body) {
    for (int64_t r = 0; r < t.rows; ++r)
      for (int64_t v = 0; v < t.vectors; ++v) body(r, v, static_cast<size_t>(r * t.vectors + v));
  };
  const llvm::Align align(64);
  if (k_.extent <= chain_length) {
    Values sums = chain(a, b, t, masked, {e_.i64(0), e_.i64(k_.extent)});
    if (in_registers) return epilogue_in_registers(t, sums);
    each([&](int64_t r, int64_t v, size_t i) { b_.CreateAlignedStore(sums[i], partial(e_.i64(r), v), align); });
    return epilogue_in_memory(t);
  }
  // The sum of the chains lies in memory meanwhile. It starts at -0, to which any x adds up to x.
  llvm::Constant* nothing = llvm::ConstantFP::getNegativeZero(vector_);
  each([&](int64_t r, int64_t v, size_t) { b_.CreateAlignedStore(nothing, partial(e_.i64(r), v), align); });
  e_.for_range(e_.i64(0), e_.i64(k_.extent), chain_length, [&](llvm::Value* begin) {
    llvm::Value* end = b_.CreateNSWAdd(begin, e_.i64(chain_length));
    if (k_.extent % chain_length != 0) end = b_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, end, e_.i64(k_.extent));
    Values sums = chain(a, b, t, masked, {begin, end});
    each([&](int64_t r, int64_t v, size_t i) {
      llvm::Value* at = partial(e_.i64(r), v);
      b_.CreateAlignedStore(b_.CreateFAdd(b_.CreateAlignedLoad(vector_, at, align), sums[i]), at, align);
    });
  });
  epilogue_in_memory(t);
}

llvm::Value* ContractEmitter::load_broadcast(const Panel& a, llvm::Value* row, int64_t r, llvm::Value* k) {
  llvm::Value* start = a.first ? b_.CreateNSWSub(row, a.first) : row;
  llvm::Value* index = b_.CreateNSWAdd(e_.times(start, a.along), e_.times(k, a.depth));
  llvm::Value* at = b_.CreateInBoundsGEP(a.element, a.base, index);
  at = e_.element_at(a.element, at, r * a.along);
  return b_.CreateVectorSplat(lanes_, b_.CreateAlignedLoad(a.element, at, llvm::Align(byte_size(type_))));
}

// One chain of a tile: the inner loop of everything.
Values ContractEmitter::chain(const Panel& a, const Panel& b, const Tile& t, bool masked, Range k) {
  Values zero(static_cast<size_t>(t.rows * t.vectors), llvm::Constant::getNullValue(vector_));
  const llvm::Align align(byte_size(type_));
  llvm::Value* start = b.first ? b_.CreateNSWSub(t.column, b.first) : t.column;
  auto step = [&](llvm::Value* at, const Values& before) {
    Values columns;
    llvm::Value* index = b_.CreateNSWAdd(e_.times(start, b.along), e_.times(at, b.depth));
    llvm::Value* first = b_.CreateInBoundsGEP(b.element, b.base, index);
    for (int64_t v = 0; v < t.vectors; ++v) {
      llvm::Value* from = e_.element_at(b.element, first, v * lanes_);
      llvm::Value* mask = masked && v + 1 == t.vectors ? e_.prefix_mask(t.active, lanes_) : nullptr;
      columns.push_back(mask ? b_.CreateMaskedLoad(vector_, from, align, mask, llvm::Constant::getNullValue(vector_))
                             : static_cast<llvm::Value*>(b_.CreateAlignedLoad(vector_, from, align)));
    }
    Values after;
    for (int64_t r = 0; r < t.rows; ++r) {
      llvm::Value* x = load_broadcast(a, t.row, r, at);
      for (int64_t v = 0; v < t.vectors; ++v)
        after.push_back(b_.CreateIntrinsic(llvm::Intrinsic::fma, {vector_},
                                           {x, columns[static_cast<size_t>(v)], before[after.size()]}));
    }
    return after;
  };
  return e_.for_range(k.begin, k.end, 1, zero, step);
}

void ContractEmitter::epilogue(const Tile& t, llvm::Value* row, int64_t vector, llvm::Value* sum) {
  e_.bind(*rows_, row, false);
  const bool last = vector + 1 == t.vectors;
  e_.with_lanes(lanes_, last ? e_.prefix_mask(t.active, lanes_) : nullptr, [&] {
    e_.bind(*columns_, b_.CreateNSWAdd(t.column, e_.i64(vector * lanes_)), true);
    e_.local(s_.local) = sum;
    e_.emit_body(s_.body);
  });
}

void ContractEmitter::epilogue_in_registers(const Tile& t, const Values& sums) {
  for (int64_t r = 0; r < t.rows; ++r)
    for (int64_t v = 0; v < t.vectors; ++v)
      epilogue(t, b_.CreateNSWAdd(t.row, e_.i64(r)), v, sums[static_cast<size_t>(r * t.vectors + v)]);
}

void ContractEmitter::epilogue_in_memory(const Tile& t) {
  e_.for_range(e_.i64(0), e_.i64(t.rows), 1, [&](llvm::Value* r) {
    for (int64_t v = 0; v < t.vectors; ++v)
      epilogue(t, b_.CreateNSWAdd(t.row, r), v, b_.CreateAlignedLoad(vector_, partial(r, v), llvm::Align(64)));
  });
}

} // namespace

void emit_contract(KernelEmitter& e, const Contract& s, bool outermost) { ContractEmitter(e, s, outermost).emit(); }

} // namespace dlcc::codegen
