#include "ir/loops/evaluate.h"

#include "ir/loops/walk.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <span>

namespace dlcc::loops {

namespace {

// ---- tensors in memory ----------------------------------------------------------------------------------------------

/// Where the elements of a kernel's tensor are: doubles of their own, or bytes of the arena.
struct Place {
  Type type;
  Shape strides;
  double* values = nullptr;
  std::byte* bytes = nullptr;
  bool rounded = false; ///< round what is stored to the element type

  double load(int64_t i) const;
  void store(int64_t i, double x) const;
};

template <class T> double load_as(const std::byte* at) {
  T x;
  std::memcpy(&x, at, sizeof x);
  return static_cast<double>(x);
}

template <class T> void store_as(std::byte* at, double x) {
  T t = static_cast<T>(x);
  std::memcpy(at, &t, sizeof t);
}

double Place::load(int64_t i) const {
  if (values) return values[i];
  const std::byte* at = bytes + static_cast<size_t>(i) * byte_size(type.dtype);
  switch (type.dtype) {
  case DType::f32:
    return load_as<float>(at);
  case DType::f64:
    return load_as<double>(at);
  case DType::i8:
    return load_as<int8_t>(at);
  case DType::i32:
    return load_as<int32_t>(at);
  case DType::i64:
    return load_as<int64_t>(at);
  case DType::u8:
  case DType::boolean:
    return load_as<uint8_t>(at);
  }
  return NAN;
}

void Place::store(int64_t i, double x) const {
  if (rounded) x = round_to(type.dtype, x);
  if (values) {
    values[i] = x;
    return;
  }
  std::byte* at = bytes + static_cast<size_t>(i) * byte_size(type.dtype);
  switch (type.dtype) {
  case DType::f32:
    return store_as<float>(at, x);
  case DType::f64:
    return store_as<double>(at, x);
  case DType::i8:
    return store_as<int8_t>(at, x);
  case DType::i32:
    return store_as<int32_t>(at, x);
  case DType::i64:
    return x >= 0x1p63 ? store_as<uint64_t>(at, 0x1p63) : store_as<int64_t>(at, x);
  case DType::u8:
  case DType::boolean:
    return store_as<uint8_t>(at, x);
  }
}

void poison(Tensor& t) { std::fill(t.data.begin(), t.data.end(), is_float(t.type.dtype) ? NAN : 0.0); }

// ---- one kernel -----------------------------------------------------------------------------------------------------

constexpr int max_depth = 64;

class KernelRun {
public:
  KernelRun(const Kernel& kernel, std::vector<Place> arguments, FaultRecord& fault)
      : k_(kernel), places_(std::move(arguments)), fault_(fault), tapes_(kernel.stmts.size()),
        vars_(kernel.vars.size()), locals_(kernel.locals.size()), values_(kernel.exprs.size()) {
    for (TensorId t : k_.tensors.ids())
      if (k_.tensors[t].access == Access::scratch) scratch_.emplace_back(k_.tensors[t].type);
    for (Tensor& s : scratch_) places_.push_back({s.type, strides_of(s.type.shape), s.data.data(), nullptr, false});
    DLCC_CHECK(places_.size() == k_.tensors.size(), "kernel '" + k_.name + "' is called with other arguments");
    ExprWalk walk(k_);
    for (StmtId s : k_.stmts.ids()) {
      walk.from(k_.stmts[s], [&](ExprId e, const Expr&) { tapes_[s].push_back(e); });
      std::sort(tapes_[s].begin(), tapes_[s].end()); // operands come before their users
    }
  }

  void run() {
    forget_scratch();
    for (StmtId s : k_.body) run(s, 0);
  }

private:
  void run(StmtId id, int depth);
  void run_loop(const Loop& s, int depth);
  void run_reduce(StmtId id, const Reduce& s);
  void run_store(const Store& s);
  void run_contract(StmtId id, const Contract& s, int depth);
  void run_check(const Check& s);
  void each(std::span<const LoopVar> vars, const std::function<void()>& body);

  void evaluate(StmtId s) {
    for (ExprId e : tapes_[s]) values_[e] = value(k_.exprs[e]);
  }
  double value(const Expr& e) const;
  int64_t index(const Index& i) const;
  /// The position of an element, or -1 outside the tensor.
  int64_t position(const Place& p, const std::vector<Index>& at) const;
  void forget_scratch() {
    for (Tensor& s : scratch_) poison(s);
  }

  const Kernel& k_;
  std::vector<Place> places_;
  std::vector<Tensor> scratch_;
  FaultRecord& fault_;
  IdVector<StmtId, std::vector<ExprId>> tapes_; // what a statement evaluates, operands first
  IdVector<VarId, int64_t> vars_;
  IdVector<LocalId, double> locals_;
  IdVector<ExprId, double> values_;
};

int64_t KernelRun::index(const Index& i) const {
  int64_t at = i.affine.constant;
  for (auto& [var, c] : i.affine.terms) at += c * vars_[var];
  return i.indirect.valid() ? at + static_cast<int64_t>(round_to(DType::i64, values_[i.indirect])) : at;
}

int64_t KernelRun::position(const Place& p, const std::vector<Index>& at) const {
  int64_t offset = 0;
  for (size_t d = 0; d < at.size(); ++d) {
    int64_t i = index(at[d]);
    if (i < 0 || i >= p.type.shape[d]) return -1;
    offset += i * p.strides[d];
  }
  return offset;
}

double KernelRun::value(const Expr& e) const {
  switch (e.kind) {
  case ExprKind::constant:
    return round_to(e.dtype, e.value);
  case ExprKind::index:
    return static_cast<double>(index(e.at[0]));
  case ExprKind::local:
    return locals_[e.local];
  case ExprKind::load: {
    const Place& p = places_[e.tensor.index];
    int64_t at = position(p, e.at);
    if (at < 0) return e.padded || !is_float(e.dtype) ? 0.0 : NAN;
    return p.load(at);
  }
  case ExprKind::op: {
    double x[4] = {};
    for (size_t i = 0; i < e.operands.size(); ++i) x[i] = values_[e.operands[i]];
    return evaluate_scalar(e.op, e.dtype, k_.exprs[e.operands[e.op == ScalarOp::select]].dtype, x);
  }
  }
  return NAN;
}

void KernelRun::each(std::span<const LoopVar> vars, const std::function<void()>& body) {
  for (const LoopVar& v : vars)
    if (v.extent <= 0) return;
  for (const LoopVar& v : vars) vars_[v.var] = 0;
  for (;;) {
    body();
    size_t d = vars.size();
    while (d > 0 && ++vars_[vars[d - 1].var] == vars[d - 1].extent) vars_[vars[--d].var] = 0;
    if (d == 0) return;
  }
}

void KernelRun::run_loop(const Loop& s, int depth) {
  for (int64_t i = 0; i < s.range.extent; ++i) {
    vars_[s.range.var] = i;
    if (depth == 0) forget_scratch(); // scratch is private to an iteration of the outermost loop
    for (StmtId child : s.body) run(child, depth + 1);
  }
}

double start_of(Combine c) {
  switch (c) {
  case Combine::sum:
    return 0;
  case Combine::product:
    return 1;
  case Combine::max:
    return -INFINITY;
  case Combine::min:
    return INFINITY;
  }
  return 0;
}

ScalarOp operator_of(Combine c) {
  switch (c) {
  case Combine::sum:
    return ScalarOp::add;
  case Combine::product:
    return ScalarOp::multiply;
  case Combine::max:
    return ScalarOp::maximum;
  case Combine::min:
    return ScalarOp::minimum;
  }
  return ScalarOp::add;
}

void KernelRun::run_reduce(StmtId id, const Reduce& s) {
  DType type = k_.locals[s.local].dtype;
  double x[2] = {start_of(s.combine), 0};
  each(s.ranges, [&] {
    evaluate(id);
    x[1] = values_[s.value];
    x[0] = evaluate_scalar(operator_of(s.combine), type, type, x);
  });
  locals_[s.local] = x[0];
}

void KernelRun::run_store(const Store& s) {
  const Place& p = places_[s.tensor.index];
  int64_t at = position(p, s.at);
  DLCC_CHECK(at >= 0, "kernel '" + k_.name + "' stores outside '" + k_.tensors[s.tensor].name + "'");
  p.store(at, values_[s.value]);
}

void KernelRun::run_contract(StmtId id, const Contract& s, int depth) {
  each(outer_ranges(s), [&] {
    double sum = 0;
    each(s.k, [&] {
      evaluate(id);
      sum += values_[s.a] * values_[s.b];
    });
    locals_[s.local] = sum;
    for (StmtId child : s.body) run(child, depth + 1);
  });
}

void KernelRun::run_check(const Check& s) {
  if (values_[s.condition] == 0 || fault_.code != 0) return;
  fault_.code = s.fault.code;
  fault_.what = s.fault.what;
  if (s.sample.valid()) fault_.sample = static_cast<int64_t>(values_[s.sample]);
  if (s.value.valid()) fault_.value = values_[s.value];
}

void KernelRun::run(StmtId id, int depth) {
  DLCC_CHECK(depth < max_depth, "statements of kernel '" + k_.name + "' are nested too deeply");
  const Stmt& statement = k_.stmts[id];
  if (!reduces(statement)) evaluate(id);
  std::visit(Overloaded{
                 [&](const Loop& s) { run_loop(s, depth); },
                 [&](const Let& s) { locals_[s.local] = values_[s.value]; },
                 [&](const Reduce& s) { run_reduce(id, s); },
                 [&](const Store& s) { run_store(s); },
                 [&](const Contract& s) { run_contract(id, s, depth); },
                 [&](const Check& s) { run_check(s); },
             },
             statement);
}

// ---- an entry -------------------------------------------------------------------------------------------------------

class EntryRun {
public:
  EntryRun(const Program& program, const Entry& entry, Memory& memory, MemoryMode mode)
      : p_(program), entry_(entry), memory_(memory), mode_(mode) {
    if (mode == MemoryMode::arena) arena_.assign(static_cast<size_t>(entry.arena_bytes), std::byte{0xFF}); // NaN
  }

  int32_t run() {
    memory_.fault = {};
    run(entry_.steps, 0);
    if (mode_ == MemoryMode::arena) copy_outputs();
    return memory_.fault.code;
  }

private:
  /// False: the entry was left.
  bool run(const std::vector<Step>& steps, int depth) {
    DLCC_CHECK(depth < max_depth, "steps of entry '" + entry_.name + "' are nested too deeply");
    for (const Step& s : steps) {
      if (s.kind == StepKind::exit && memory_.fault.code != 0) return false;
      if (s.kind == StepKind::call) call(s.call);
      if (!run(s.children, depth + 1)) return false;
    }
    return true;
  }

  void call(const Call& c) {
    const Kernel& k = p_.kernels[c.kernel];
    std::vector<Place> places;
    for (BufferId b : c.arguments) places.push_back(place(b));
    DLCC_CHECK(places.size() == k.parameter_count(), "kernel '" + k.name + "' is called with other arguments");
    for (size_t i = 0; i < places.size(); ++i)
      DLCC_CHECK(places[i].type == k.tensors[TensorId(i)].type,
                 "argument '" + p_.buffers[c.arguments[i]].name + "' of kernel '" + k.name + "' has another type");
    KernelRun(k, std::move(places), memory_.fault).run();
    if (memory_.fault.code == 0) return;
    for (BufferId b : p_.buffers.ids())
      if (p_.buffers[b].region == Region::fault && !memory_.buffers[b].data.empty())
        memory_.buffers[b].data[0] = memory_.fault.code;
  }

  bool in_arena(BufferId storage) const {
    return mode_ == MemoryMode::arena && p_.buffers[storage].region == Region::arena;
  }

  Place place(BufferId b) {
    BufferId s = p_.storage(b);
    const Type& type = p_.buffers[b].type;
    Place place{type, strides_of(type.shape), nullptr, nullptr, mode_ == MemoryMode::arena};
    if (in_arena(s)) {
      int64_t offset = p_.buffers[s].offset;
      DLCC_CHECK(offset >= 0 && offset + byte_count(type) <= entry_.arena_bytes,
                 "buffer '" + p_.buffers[b].name + "' has no place in the arena of entry '" + entry_.name + "'");
      place.bytes = arena_.data() + offset;
      return place;
    }
    Tensor& t = memory_.buffers[s];
    DLCC_CHECK(t.size() == static_cast<size_t>(element_count(type.shape)),
               "buffer '" + p_.buffers[b].name + "' has another size than its memory");
    place.values = t.data.data();
    return place;
  }

  void copy_outputs() {
    for (BufferId b : entry_.outputs) {
      BufferId s = p_.storage(b);
      if (!in_arena(s)) continue;
      Place from = place(s);
      Tensor& to = memory_.buffers[s];
      for (size_t i = 0; i < to.size(); ++i) to.data[i] = from.load(static_cast<int64_t>(i));
    }
  }

  const Program& p_;
  const Entry& entry_;
  Memory& memory_;
  MemoryMode mode_;
  std::vector<std::byte> arena_;
};

} // namespace

Memory make_memory(const Program& program) {
  Memory memory;
  for (const Buffer& b : program.buffers) {
    Tensor t;
    if (!b.view_of.valid()) t = Tensor(b.type);
    if (b.region == Region::constant && !b.view_of.valid()) t.data = b.data;
    if (b.region == Region::hyper || b.region == Region::arena) poison(t);
    memory.buffers.push(std::move(t));
  }
  return memory;
}

int32_t run_entry(const Program& program, const Entry& entry, Memory& memory, MemoryMode mode) {
  return EntryRun(program, entry, memory, mode).run();
}

} // namespace dlcc::loops
