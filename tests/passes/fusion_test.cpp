// Fusion decides where values are computed, and no bit of what they are: every matrix product stays a contraction, and
// a program of one kernel a node gives the same bits.
#include "tests/passes/execution.h"

#include "ir/graph/print.h"
#include "ir/ops/build.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace dlcc::testing {
namespace {

using namespace graph;
using ops::Term;

size_t matrix_products(const Function& f) {
  return static_cast<size_t>(
      std::count_if(f.nodes.begin(), f.nodes.end(), [](const Node& n) { return n.op->kind == OpKind::contract; }));
}

size_t contractions(const loops::Program& p, const std::string& entry) {
  size_t count = 0;
  for (const auto& step : p.find_entry(entry)->steps[0].children)
    for (const auto& call : step.kind == loops::StepKind::call ? std::vector{step} : step.children)
      for (const loops::Stmt& s : p.kernels[call.call.kernel].stmts)
        count += std::holds_alternative<loops::Contract>(s);
  return count;
}

// Numbers whose sums round, so that another order of a sum is seen.
Environment rounding_environment(const Module& module, const Function& function, unsigned seed) {
  Environment e = random_environment(module, function, seed);
  double phase = seed;
  for (auto* tensors : {&e.states, &e.inputs})
    for (auto& [name, t] : *tensors)
      if (is_float(t.type.dtype))
        for (double& x : t.data) x = static_cast<float>(std::sin(phase += 0.7));
  for (const char* scalar : {"update", "n_valid"}) e.inputs[scalar] = Tensor({DType::i64, {}}, {2});
  return e;
}

void expect_same_bits_unfused(const Module& module, const std::string& entry, unsigned seed) {
  Module training = std::get<Module>(run_to("training", module));
  SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + print(training));
  Environment e = rounding_environment(training, entry_of(training, entry), seed);
  PassRun apart;
  apart.fuse = false;
  loops::Program fused = plan(training), unfused = plan(training, apart);
  expect_identical(run_compiled(fused, entry, e), run_compiled(unfused, entry, e));
  Module simplified = std::get<Module>(run_to("simplified", training));
  EXPECT_EQ(contractions(fused, entry), matrix_products(entry_of(simplified, entry)));
}

Module entry_with(const std::string& states, const std::string& nodes) {
  return parse_graph("module @m stage training dtype f32 batch 4 {\n" + states +
                     "  entry func @predict(input %x: f32[4,48]) -> %y {\n" + nodes + "  }\n}\n");
}

TEST(Fusion, AMapBeforeAContractionJoinsItsEpilogue) {
  expect_same_bits_unfused(entry_with("  state %d/kernel : parameter f32[48,48] = zeros\n",
                                      "    %r : f32[4,48] = multiply(%x, f32 0.3)\n"
                                      "    %d : f32[4,48] = matmul(%x, %d/kernel)\n"
                                      "    %y : f32[4,48] = add(%r, %d)\n"),
                           "predict", 1);
}

TEST(Fusion, ATiedTransposedKernelKeepsItsOrderOfSums) {
  expect_same_bits_unfused(entry_with("  state %e/kernel : parameter f32[48,48] = zeros\n",
                                      "    %e : f32[4,48] = matmul(%x, %e/kernel)\n"
                                      "    %r : f32[4,48] = multiply(%x, f32 0.3)\n"
                                      "    %d : f32[4,48] = matmul(%x, %e/kernel) {transpose_b = true}\n"
                                      "    %s : f32[4,48] = add(%r, %d)\n"
                                      "    %y : f32[4,48] = add(%s, %e)\n"),
                           "predict", 2);
}

/// Layers in random order with kernels of their own, tied, and tied and transposed, and sums of them; a whole step.
class RandomNetwork {
public:
  explicit RandomNetwork(unsigned seed) : random_(seed), b_(m_, f_, ops::all_ops()) {
    m_.name = "random", m_.stage = Stage::source, m_.dtype = chance(70) ? DType::f32 : DType::f64, m_.batch = 6;
    m_.hypers = {{"learning_rate", 0.1}};
    m_.directives = {{"optimizer", chance(50) ? "sgd" : "adam", {}, {}},
                     {"schedule", "constant", {{"initial", 0.1}}, {}}};
    f_.name = "loss";
  }

  Module make() {
    const int64_t width = widths_[static_cast<size_t>(below(4))];
    layers_.push_back({&b_, b_.parameter("x", {m_.dtype, {6, width}}, ParameterRole::input)});
    for (int i = 4 + below(6); i > 0; --i) layers_.push_back(layer());
    Term total;
    for (const Term& l : layers_) {
      Term part = ops::mean(ops::square(l));
      total = total.b ? total + part : part;
    }
    b_.take_name(ops::cast(total, DType::f64), "loss");
    f_.results = {*f_.find("loss")};
    m_.functions.push(std::move(f_));
    return std::move(m_);
  }

private:
  int below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  bool chance(int percent) { return below(100) < percent; }
  Term any() { return layers_[chance(40) ? 0 : static_cast<size_t>(below(static_cast<int>(layers_.size())))]; }

  Term layer() {
    Term x = any();
    switch (below(7)) {
    case 0:
      return chance(50) ? x * 0.3 : x * 0.3 + 0.7;
    case 1:
      return ops::tanh(x);
    case 2:
      return {&b_, b_.add("softmax", {x.id})};
    case 3:
    case 4:
      return with_the_same_shape(x);
    default:
      return dense(x);
    }
  }

  Term with_the_same_shape(Term x) {
    Term sum = x;
    for (const Term& l : layers_)
      if (l.id != x.id && l.shape() == x.shape() && chance(60)) sum = sum + l;
    return sum;
  }

  Term dense(Term x) {
    const int64_t from = x.shape()[1];
    for (StateId s : m_.states.ids()) {
      const Shape& kernel = m_.states[s].type.shape;
      if (!chance(50)) continue;
      if (kernel[0] == from) return ops::matmul(x, {&b_, b_.state(s)});
      if (kernel[1] == from) return ops::matmul(x, {&b_, b_.state(s)}, false, true);
    }
    const bool turned = chance(30);
    const int64_t to = chance(60) ? from : widths_[static_cast<size_t>(below(4))];
    State s;
    s.name = "kernel" + std::to_string(m_.states.size());
    s.type = {m_.dtype, turned ? Shape{to, from} : Shape{from, to}};
    Term kernel{&b_, b_.state(m_.states.push(std::move(s)))};
    return turned && chance(50) ? ops::matmul(x, ops::transpose(kernel, {1, 0}))
                                : ops::matmul(x, kernel, false, turned);
  }

  std::mt19937 random_;
  Module m_;
  Function f_;
  Builder b_;
  std::vector<Term> layers_;
  const std::vector<int64_t> widths_{8, 33, 48, 300};
};

TEST(Fusion, RandomNetworksTrainToTheSameBits) {
  for (unsigned seed = 1; seed <= 15 && !HasFailure(); ++seed)
    expect_same_bits_unfused(RandomNetwork(seed).make(), "train_step", seed);
}

} // namespace
} // namespace dlcc::testing
