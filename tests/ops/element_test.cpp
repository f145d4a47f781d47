// Element hooks against references: each becomes a program of one kernel, which the interpreter of the loop IR runs.
#include "samples.h"

#include "ir/graph/evaluate.h"
#include "ir/loops/element.h"
#include "ir/loops/evaluate.h"
#include "ir/loops/verify.h"

namespace dlcc::testing {
namespace {

using graph::OpDef;
using graph::Sample;
using loops::Access;
using loops::Index;
using loops::StmtId;

/// for i0, i1, ...: the hook's statements; store result[i0, i1, ...] = element
class KernelOfHook : public loops::ElementContext {
public:
  KernelOfHook(loops::Kernel& kernel, const OpDef& op, const Sample& sample, const Type& result)
      : build_(kernel), sample_(sample), result_(result) {
    kernel.name = op.name;
    for (const Type& t : sample.operands) operands_.push_back(build_.tensor({"x", t, Access::in}));
    output_ = build_.tensor({"y", result, Access::out});
    std::vector<loops::VarId> vars;
    for (size_t axis = 0; axis < result.rank(); ++axis) {
      vars.push_back(build_.var("i"));
      at_.push_back(vars.back());
    }
    op.element(*this);
    std::vector<StmtId> body = std::move(statements_);
    for (size_t axis = vars.size(); axis-- > 0;) {
      loops::Loop loop{{vars[axis], result.shape[axis]}, loops::Mark::serial, std::move(body)};
      body = {build_.stmt(std::move(loop))};
    }
    kernel.body = std::move(body);
  }

  const Attributes& attributes() const override { return sample_.attributes; }
  size_t operand_count() const override { return operands_.size(); }
  const Type& operand_type(size_t k) const override { return sample_.operands[k]; }
  const Type& result_type() const override { return result_; }
  const std::vector<Index>& at() const override { return at_; }
  loops::ExprId operand(size_t k, std::vector<Index> indices, bool padded) override {
    return build_.load(operands_[k], std::move(indices), padded);
  }
  loops::ExprId reduce(loops::Combine combine, const Shape& extents,
                       const std::function<loops::ExprId(std::span<const Index>)>& body) override {
    loops::Reduce s;
    s.combine = combine;
    std::vector<Index> indices;
    for (int64_t extent : extents) {
      s.ranges.push_back({build_.var("r"), extent});
      indices.push_back(s.ranges.back().var);
    }
    s.value = body(indices);
    if (extents.empty()) return s.value;
    s.local = build_.local("sum", build_.dtype(s.value));
    loops::ExprId value = build_.local(s.local);
    statements_.push_back(build_.stmt(std::move(s)));
    return value;
  }
  loops::ExprId
  contract(const Shape& extents,
           const std::function<std::pair<loops::ExprId, loops::ExprId>(std::span<const Index>)>& body) override {
    return reduce(loops::Combine::sum, extents, [&](std::span<const Index> k) {
      auto [a, b] = body(k);
      return build_.multiply(a, b);
    });
  }
  loops::ExprId argument(const std::string&, int64_t value) override {
    return build_.constant(static_cast<double>(value), DType::i64);
  }
  void check(loops::ExprId condition, loops::ExprId sample, loops::ExprId value, loops::Fault fault) override {
    statements_.push_back(build_.stmt(loops::Check{condition, sample, value, {}, std::move(fault)}));
  }
  loops::Builder& build() override { return build_; }
  void set(loops::ExprId value) override {
    EXPECT_EQ(++sets_, 1) << "the element is set once";
    EXPECT_EQ(build_.dtype(value), result_.dtype);
    statements_.push_back(build_.stmt(loops::Store{output_, at_, value}));
  }

private:
  loops::Builder build_;
  const Sample& sample_;
  Type result_;
  std::vector<loops::TensorId> operands_;
  loops::TensorId output_;
  std::vector<Index> at_;
  std::vector<StmtId> statements_;
  int sets_ = 0;
};

struct Outcome {
  int32_t code = 0;
  loops::FaultRecord fault;
  Tensor result;
};

Outcome run_element(const OpDef& op, const Sample& sample, const std::vector<Tensor>& operands) {
  graph::InferContext context(sample.operands, sample.attributes);
  Type type = op.infer(context)[0];
  loops::Program program;
  loops::KernelId kernel = program.kernels.push({});
  KernelOfHook hook(program.kernels[kernel], op, sample, type);

  loops::Entry entry{.name = "predict"};
  loops::Step step;
  step.call.kernel = kernel;
  for (size_t k = 0; k < operands.size(); ++k) {
    loops::Buffer b{.name = "x" + std::to_string(k), .type = operands[k].type, .region = loops::Region::input};
    b.role = loops::TensorRole::input;
    entry.inputs.push_back(program.buffers.push(b));
  }
  step.call.arguments = entry.inputs;
  loops::Buffer y{.name = "y", .type = type, .region = loops::Region::output, .role = loops::TensorRole::output};
  entry.outputs = {program.buffers.push(y)};
  step.call.arguments.push_back(entry.outputs[0]);
  loops::Step exit;
  exit.kind = loops::StepKind::exit;
  entry.steps = {step, exit};
  program.entries.push_back(entry);
  for (const Violation& v : loops::verify(program)) ADD_FAILURE() << v.text;

  loops::Memory memory = loops::make_memory(program);
  for (size_t k = 0; k < operands.size(); ++k) memory.buffers[entry.inputs[k]] = operands[k];
  int32_t code = loops::run_entry(program, program.entries[0], memory);
  return {code, memory.fault, memory.buffers[entry.outputs[0]]};
}

TEST(AllOps, ElementsAgreeWithReferences) {
  for_each_sample([](const OpDef& op, const Sample& sample, const std::vector<Tensor>& operands) {
    if (!op.element) return;
    Tensor expected = graph::evaluate_op(op, operands, sample.attributes, ops::all_ops())[0];
    Outcome run = run_element(op, sample, operands);
    EXPECT_EQ(run.code, 0);
    // Constants of f32 elements are rounded to f32.
    expect_close(run.result.data, expected.data, expected.type.dtype == DType::f32 ? 1e-6 : 1e-11);
  });
}

Outcome run_check(const OpDef& op, Tensor x, Attributes attributes, std::vector<Tensor> more = {}) {
  std::vector<Tensor> operands{std::move(x)};
  for (Tensor& t : more) operands.push_back(std::move(t));
  Sample sample{.attributes = std::move(attributes)};
  for (const Tensor& t : operands) sample.operands.push_back(t.type);
  return run_element(op, sample, operands);
}

TEST(Element, CheckIndexNamesTheFirstRowOutside) {
  Attributes a{{"limit", int64_t{10}}, {"what", std::string("tokens")}};
  Tensor indices({DType::i32, {4, 2}}, {0, 9, 3, 10, 1, 1, -1, 99});
  auto n_valid = [](double n) { return std::vector<Tensor>{{{DType::i64, {}}, {n}}}; };
  Outcome run = run_check(ops::check_index_op, indices, a, n_valid(4));
  EXPECT_EQ(run.code, -1);
  EXPECT_EQ(run.fault.what, "tokens");
  EXPECT_EQ(run.fault.sample, 1);
  EXPECT_EQ(run.fault.value, 10);
  EXPECT_EQ(run_check(ops::check_index_op, indices, a, n_valid(1)).code, 0) << "rows behind n_valid do not count";
  EXPECT_EQ(run_check(ops::check_index_op, {{DType::i64, {1}}, {-1}}, a, n_valid(1)).code, -1);
}

TEST(Element, CheckFiniteFindsNanAndInfinity) {
  Attributes a{{"what", std::string("loss")}};
  EXPECT_EQ(run_check(ops::check_finite_op, {{DType::f64, {}}, {1e300}}, a).code, 0);
  for (double bad : {double{NAN}, double{INFINITY}, -double{INFINITY}}) {
    Outcome run = run_check(ops::check_finite_op, {{DType::f64, {2}}, {0, bad}}, a);
    EXPECT_EQ(run.code, -12);
    EXPECT_EQ(run.fault.sample, -1) << "a row of a gradient is no sample";
  }
}

TEST(Element, CheckCountsEndsTheStepAtZeroOnly) {
  Attributes a{{"what", std::string("label")}};
  EXPECT_EQ(run_check(ops::check_counts_op, {{DType::f64, {}}, {0}}, a).code, 1);
  for (double count : {0.25, 1.0, double{NAN}})
    EXPECT_EQ(run_check(ops::check_counts_op, {{DType::f64, {}}, {count}}, a).code, 0);
}

TEST(Element, NanIsPassedOn) {
  Tensor x({DType::f64, {3}}, {1, NAN, -1});
  for (const OpDef* op : {&ops::relu_op, &ops::relu6_op, &ops::abs_op, &ops::sign_op, &ops::square_op, &ops::exp_op,
                          &ops::leaky_relu_op, &ops::elu_op, &ops::selu_op, &ops::gelu_op, &ops::hard_sigmoid_op}) {
    SCOPED_TRACE(op->name);
    EXPECT_TRUE(std::isnan(run_check(*op, x, {}).result.data[1]));
    EXPECT_TRUE(std::isnan(graph::evaluate_op(*op, std::vector{x}, {}, ops::all_ops())[0].data[1]));
  }
  for (const OpDef* op : {&ops::max_op, &ops::min_op, &ops::sum_op}) {
    SCOPED_TRACE(op->name);
    EXPECT_TRUE(std::isnan(run_check(*op, x, {}).result.data[0]));
    EXPECT_TRUE(std::isnan(graph::evaluate_op(*op, std::vector{x}, {}, ops::all_ops())[0].data[0]));
  }
  for (const OpDef* op : {&ops::argmax_op, &ops::argmin_op}) {
    SCOPED_TRACE(op->name);
    EXPECT_EQ(run_check(*op, x, {}).result.data[0], 1) << "NaN counts as the extremum, as in NumPy";
    EXPECT_EQ(graph::evaluate_op(*op, std::vector{x}, {}, ops::all_ops())[0].data[0], 1);
  }
}

TEST(Element, ArgmaxTakesTheFirstOfEquals) {
  Tensor x({DType::f64, {5}}, {1, 7, 7, 0, 0});
  EXPECT_EQ(run_check(ops::argmax_op, x, {}).result.data[0], 1);
  EXPECT_EQ(run_check(ops::argmin_op, x, {}).result.data[0], 3);
}

TEST(Element, TakeOutsideReadsZero) {
  Tensor x({DType::f64, {3}}, {5, 6, 7});
  Tensor indices({DType::i32, {4}}, {-1, 2, 3, 0});
  EXPECT_EQ(run_check(ops::take_op, x, {}, {indices}).result.data, (std::vector<double>{0, 7, 0, 5}));
  EXPECT_EQ(graph::evaluate_op(ops::take_op, std::vector{x, indices}, {}, ops::all_ops())[0].data,
            (std::vector<double>{0, 7, 0, 5}));
}

TEST(Element, RowsBehindTheValidOnesDoNotCountEvenIfNan) {
  Tensor rows({DType::f32, {3, 2}}, {1, 2, 3, 6, NAN, INFINITY}), n_valid({DType::i64, {}}, {2});
  EXPECT_EQ(run_check(ops::mean_valid_op, rows, {}, {n_valid}).result.data[0], 3);
  EXPECT_EQ(graph::evaluate_op(ops::mean_valid_op, std::vector{rows, n_valid}, {}, ops::all_ops())[0].data[0], 3);
}

TEST(Element, ReshapeThatJoinsAxesStaysAffine) {
  loops::Kernel kernel;
  KernelOfHook(kernel, ops::reshape_op,
               {.operands = {{DType::f32, {2, 12}}}, .attributes = {{"shape", Shape{2, 3, 4}}}},
               {DType::f32, {2, 3, 4}});
  for (const loops::Expr& e : kernel.exprs)
    for (const Index& i : e.at) EXPECT_FALSE(i.indirect.valid());
}

} // namespace
} // namespace dlcc::testing
