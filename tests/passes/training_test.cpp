// build_training evaluated step by step against the rules of the optimizers and schedules, written out in plain C++.
#include "tests/passes/execution.h"

#include "ir/ops/build.h"
#include "passes/training/schedules.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

namespace dlcc::testing {
namespace {

using Numbers = std::vector<double>;

// loss = sum over i of (w[i] x[i] + b)^2
const char* const model = R"(module @m stage source dtype f64 batch 3 {
  state %w : parameter f64[3] = ones{{W}}
  state %b : parameter f64[] = zeros
  hyper learning_rate = 0.125
  directive optimizer {{OPTIMIZER}}
  directive schedule constant {initial = 0.125}
{{MORE}}  func @loss(input %x: f64[3]) -> %loss {
    %p : f64[3] = multiply(%w, %x)
    %s : f64[3] = add(%p, %b)
    %q : f64[3] = square(%s)
    %loss : f64[] = sum(%q)
  }
}
)";

std::string filled(std::string text, const std::string& name, const std::string& value) {
  std::string mark = "{{" + name + "}}";
  return text.replace(text.find(mark), mark.size(), value);
}
graph::Module training(const std::string& optimizer, const std::string& more = "", const std::string& w = "") {
  std::string text = filled(filled(filled(model, "OPTIMIZER", optimizer), "MORE", more), "W", w);
  return std::get<graph::Module>(run_to("simplified", parse_graph(text)));
}

/// The four parameters as one vector: w[0..2], b.
struct Reference {
  Numbers p{0.5, -1, 2, 0.25};
  std::map<std::string, Numbers> slots;
  Numbers& slot(const std::string& name) { return slots.try_emplace(name, Numbers(4, 0.0)).first->second; }
  Numbers gradient(const Numbers& x) const {
    Numbers g(4, 0.0);
    for (size_t i = 0; i < 3; ++i) {
      double s = p[i] * x[i] + p[3];
      g[i] = 2 * s * x[i], g[3] += 2 * s;
    }
    return g;
  }
};
using Rule = std::function<void(Reference&, Numbers gradient, double t)>;

Numbers batch(int step) { return {0.5 + 0.25 * step, -1, 1.5 - 0.125 * step}; }

graph::Environment start(const graph::Module& m) {
  graph::Environment e;
  for (const graph::State& s : m.states) e.states[s.name] = Tensor(s.type);
  e.states["w"].data = {0.5, -1, 2}, e.states["b"].data = {0.25};
  return e;
}
void set_call(graph::Environment& e, int step, int update) {
  e.inputs["x"] = Tensor({DType::f64, {3}}, batch(step));
  e.inputs["update"] = Tensor({DType::i64, {}}, {static_cast<double>(update)});
  e.inputs["batch"] = Tensor({DType::i64, {}}, {static_cast<double>(step)});
}
void expect_parameters(const graph::Environment& e, const Reference& r) {
  for (size_t i = 0; i < 3; ++i)
    EXPECT_NEAR(e.states.at("w").data[i], r.p[i], 1e-12 * std::max(1.0, std::fabs(r.p[i])));
  EXPECT_NEAR(e.states.at("b").data[0], r.p[3], 1e-12 * std::max(1.0, std::fabs(r.p[3])));
}

void expect_follows(const graph::Module& m, const Rule& rule) {
  graph::Environment e = start(m);
  Reference r;
  for (int step = 0; step < 6; ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    set_call(e, step, step);
    graph::evaluate(m, entry_of(m, "train_step"), ops::all_ops(), e);
    rule(r, r.gradient(batch(step)), step + 1);
    expect_parameters(e, r);
    if (::testing::Test::HasFailure()) return;
  }
}

constexpr double lr = 0.125;
// For every parameter by itself.
Rule each(const std::function<void(Reference&, size_t, double g, double t)>& f) {
  return [=](Reference& r, const Numbers& g, double t) {
    for (size_t i = 0; i < 4; ++i) f(r, i, g[i], t);
  };
}
void sgd(Reference& r, size_t i, double g, double) { r.p[i] -= lr * g; }

TEST(Optimizer, Sgd) { expect_follows(training("sgd"), each(sgd)); }

TEST(Optimizer, SgdWithMomentum) {
  expect_follows(training("sgd {momentum = 0.75}"), each([](Reference& r, size_t i, double g, double) {
                   double& v = r.slot("v")[i];
                   v = 0.75 * v - lr * g;
                   r.p[i] += v;
                 }));
}

TEST(Optimizer, SgdWithNesterov) {
  expect_follows(training("sgd {momentum = 0.75, nesterov = true}"), each([](Reference& r, size_t i, double g, double) {
                   double& v = r.slot("v")[i];
                   v = 0.75 * v - lr * g;
                   r.p[i] += 0.75 * v - lr * g;
                 }));
}

Rule adam(bool amsgrad, double decay, double b1 = 0.9, double b2 = 0.999, double epsilon = 1e-7) {
  return each([=](Reference& r, size_t i, double g, double t) {
    r.p[i] -= r.p[i] * decay * lr;
    double &m = r.slot("m")[i], &v = r.slot("v")[i], &top = r.slot("top")[i];
    m = b1 * m + (1 - b1) * g;
    v = b2 * v + (1 - b2) * g * g;
    top = std::max(top, v);
    double spread = std::sqrt(amsgrad ? top : v);
    r.p[i] -= lr * std::sqrt(1 - std::pow(b2, t)) / (1 - std::pow(b1, t)) * m / (spread + epsilon);
  });
}

TEST(Optimizer, Adam) { expect_follows(training("adam"), adam(false, 0)); }
TEST(Optimizer, AdamWithOtherNumbers) {
  expect_follows(training("adam {beta_1 = 0.5, beta_2 = 0.75, epsilon = 0.25}"), adam(false, 0, 0.5, 0.75, 0.25));
}
TEST(Optimizer, AdamWithAmsgrad) {
  expect_follows(training("adam {amsgrad = true, beta_2 = 0.5}"), adam(true, 0, 0.9, 0.5));
}
TEST(Optimizer, AdamW) { expect_follows(training("adamw {weight_decay = 0.5}"), adam(false, 0.5)); }

Rule rmsprop(double momentum, bool centered) {
  return each([=](Reference& r, size_t i, double g, double) {
    double &v = r.slot("v")[i], &mean = r.slot("mean")[i], &moved = r.slot("moved")[i];
    v = 0.75 * v + 0.25 * g * g;
    mean = 0.75 * mean + 0.25 * g;
    double step = lr * g / std::sqrt(v - (centered ? mean * mean : 0) + 1e-7);
    moved = momentum * moved + step;
    r.p[i] -= moved;
  });
}
TEST(Optimizer, RmsProp) { expect_follows(training("rmsprop {rho = 0.75}"), rmsprop(0, false)); }
TEST(Optimizer, RmsPropWithMomentum) {
  expect_follows(training("rmsprop {momentum = 0.5, rho = 0.75}"), rmsprop(0.5, false));
}
TEST(Optimizer, RmsPropCentered) {
  expect_follows(training("rmsprop {centered = true, momentum = 0.5, rho = 0.75}"), rmsprop(0.5, true));
}

TEST(Optimizer, DecaysWeightsBeforeTheRule) {
  expect_follows(training("sgd {weight_decay = 0.25}"), each([](Reference& r, size_t i, double g, double) {
                   r.p[i] -= r.p[i] * 0.25 * lr;
                   r.p[i] -= lr * g;
                 }));
}

TEST(Optimizer, ScalesTheRateOfAParameter) {
  expect_follows(training("sgd", "", " with {lr_mult = 0.5}"),
                 each([](Reference& r, size_t i, double g, double) { r.p[i] -= lr * (i < 3 ? 0.5 : 1) * g; }));
}

TEST(Optimizer, LeavesFrozenParametersAlone) {
  expect_follows(training("adam", "", " with {trainable = false}"), [](Reference& r, Numbers g, double t) {
    Numbers before = r.p;
    adam(false, 0)(r, std::move(g), t);
    for (size_t i = 0; i < 3; ++i) r.p[i] = before[i];
  });
}

double norm(const Numbers& g, size_t begin, size_t end) {
  double sum = 0;
  for (size_t i = begin; i < end; ++i) sum += g[i] * g[i];
  return std::sqrt(sum);
}
Rule clipped(const std::function<void(Numbers&)>& clip) {
  return [=](Reference& r, Numbers g, double t) {
    clip(g);
    each(sgd)(r, g, t);
  };
}

TEST(Clipping, OfValues) {
  expect_follows(training("sgd", "  directive clip value {value = 1.5}\n"), clipped([](Numbers& g) {
                   for (double& x : g) x = std::clamp(x, -1.5, 1.5);
                 }));
}
TEST(Clipping, OfNorms) {
  expect_follows(training("sgd", "  directive clip norm {value = 1.5}\n"), clipped([](Numbers& g) {
                   double w = norm(g, 0, 3), b = norm(g, 3, 4);
                   for (size_t i = 0; i < 4; ++i) g[i] *= 1.5 / std::max(i < 3 ? w : b, 1.5);
                 }));
}
TEST(Clipping, OfTheGlobalNorm) {
  expect_follows(training("sgd", "  directive clip global_norm {value = 1.5}\n"), clipped([](Numbers& g) {
                   double all = norm(g, 0, 4);
                   for (double& x : g) x *= 1.5 / std::max(all, 1.5);
                 }));
}

TEST(Accumulation, AppliesTheMeanOfEveryThirdBatch) {
  graph::Module m = training("adam", "  directive accumulate batches {steps = 3}\n");
  graph::Environment e = start(m);
  Reference r;
  Numbers sum(4, 0.0);
  for (int step = 0; step < 9; ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    set_call(e, step, step / 3);
    graph::evaluate(m, entry_of(m, "train_step"), ops::all_ops(), e);
    Numbers g = r.gradient(batch(step));
    for (size_t i = 0; i < 4; ++i) sum[i] += g[i];
    if (step % 3 == 2) {
      for (double& x : sum) x /= 3;
      adam(false, 0)(r, sum, step / 3 + 1);
      sum.assign(4, 0.0);
    }
    expect_parameters(e, r);
  }
}

TEST(Accumulation, ByTheCaller) {
  graph::Module m = training("sgd");
  graph::Environment e = start(m);
  Reference r;
  Numbers sum(4, 0.0);
  for (int step = 0; step < 2; ++step) {
    set_call(e, step, 0);
    double loss = graph::evaluate(m, entry_of(m, "gradients"), ops::all_ops(), e)[0].data[0];
    double expected = 0;
    for (size_t i = 0; i < 3; ++i) expected += std::pow(r.p[i] * batch(step)[i] + r.p[3], 2);
    EXPECT_NEAR(loss, expected, 1e-12);
    Numbers g = r.gradient(batch(step));
    for (size_t i = 0; i < 4; ++i) sum[i] += g[i] / 2;
    expect_parameters(e, r); // not before apply
  }
  e.inputs["n_valid"] = Tensor({DType::i64, {}}, {2});
  graph::evaluate(m, entry_of(m, "apply"), ops::all_ops(), e);
  each(sgd)(r, sum, 1);
  expect_parameters(e, r);
}

// What metrics add up is cleared and left out of checkpoints of weights; the statistics of a layer called "metric" are
// not.
TEST(Metrics, AreTheStatesOfThatRoleWhateverTheirName) {
  const loops::Program p = plan(parse_graph(R"(module @m stage source dtype f64 batch 3 {
  state %metric/mean : buffer f64[] = zeros
  state %total : metric f64[] = zeros
  func @loss(input %x: f64[3]) -> %loss {
    %loss : f64[] = sum(%x)
  }
  entry func @eval_step(input %x: f64[3]) -> %loss {
    %loss : f64[] = sum(%x)
    %mean : f64[] = add(%metric/mean, %loss)
    %more : f64[] = add(%total, %loss)
    update %metric/mean = %mean
    update %total = %more
  }
}
)"));
  std::map<std::string, loops::TensorRole> roles;
  for (const loops::Buffer& b : p.buffers)
    if (b.region == loops::Region::buffer) roles[b.name] = b.role;
  EXPECT_EQ(roles, (std::map<std::string, loops::TensorRole>{{"metric/mean", loops::TensorRole::none},
                                                             {"total", loops::TensorRole::metric}}));
}

TEST(LearningRate, IsWhatTheCallerSetsElseTheSchedule) {
  graph::Module m = training("sgd");
  graph::Environment e = start(m);
  Reference r;
  set_call(e, 0, 0);
  e.inputs["learning_rate"] = Tensor({DType::f64, {}}, {0.5});
  graph::evaluate(m, entry_of(m, "train_step"), ops::all_ops(), e);
  Numbers g = r.gradient(batch(0));
  for (size_t i = 0; i < 4; ++i) r.p[i] -= 0.5 * g[i];
  expect_parameters(e, r);
}

// ---- schedules ------------------------------------------------------------------------------------------------------

// The rates of updates 0 to 129 of epochs of so many batches.
std::vector<double> rates(const std::string& schedule, const std::string& rest = {}, double steps_per_epoch = 0) {
  graph::Module m =
      parse_graph("module @m stage stable dtype f64 batch 0 {\n" + rest + "  directive schedule " + schedule + "\n}\n");
  graph::Function f;
  graph::Builder b(m, f, ops::all_ops());
  f.results = {passes::scheduled_rate(b, *m.find_directive("schedule"))};
  std::vector<double> out;
  for (int t = 0; t < 130; ++t) {
    graph::Environment e;
    e.inputs["update"] = Tensor({DType::i64, {}}, {static_cast<double>(t)});
    if (steps_per_epoch) e.inputs["steps_per_epoch"] = Tensor({DType::f64, {}}, {steps_per_epoch});
    out.push_back(graph::evaluate(m, f, ops::all_ops(), e)[0].data[0]);
  }
  return out;
}

void expect_schedule(const std::string& directive, const std::function<double(double)>& rate) {
  const std::vector<double> found = rates(directive);
  for (size_t t = 0; t < found.size(); ++t)
    ASSERT_NEAR(found[t], rate(static_cast<double>(t)), 1e-12) << directive << " at " << t;
}

// Lengths in epochs of 8 batches are those in steps: as the caller says, as the model says, and where two batches make
// an update.
TEST(Schedule, InEpochs) {
  const std::pair<std::string, std::string> schedules[] = {
      {"exponential {decay_rate = 0.5, decay_STEPS, initial = 2.0}", "decay"},
      {"inverse_time {decay_rate = 0.5, decay_STEPS, initial = 2.0, staircase = true}", "decay"},
      {"polynomial {decay_STEPS, end = 0.125, initial = 2.0, power = 2.0}", "decay"},
      {"polynomial {cycle = true, decay_STEPS, end = 0.125, initial = 2.0, power = 1.0}", "decay"},
      {"cosine {alpha = 0.25, decay_STEPS, initial = 2.0}", "decay"},
      {"cosine {alpha = 0.25, decay_steps = 40.0, initial = 0.5, warmup_STEPS, warmup_target = 2.0}", "warmup"},
      {"cosine_restarts {alpha = 0.125, first_decay_STEPS, initial = 2.0, m_mul = 0.5, t_mul = 2.0}", "first_decay"}};
  for (const auto& [text, length] : schedules) {
    const size_t at = text.find("STEPS");
    auto with = [&](const std::string& unit) { return std::string(text).replace(at, 5, unit); };
    const std::vector<double> wanted = rates(with("steps = 20.0"));
    EXPECT_NE(wanted.front(), wanted[20]) << text;
    EXPECT_EQ(rates(with("epochs = 2.5"), "  hyper steps_per_epoch = nan\n", 8), wanted) << text;
    EXPECT_EQ(rates(with("epochs = 2.5"), "  hyper steps_per_epoch = 8.0\n"), wanted) << text;
    EXPECT_EQ(rates(with("epochs = 2.5"), "  hyper steps_per_epoch = 3.0\n", 8), wanted) << text;
    const std::string accumulated = "  hyper steps_per_epoch = nan\n  directive accumulate batches {steps = 2}\n";
    EXPECT_EQ(rates(with("epochs = 5.0"), accumulated, 8), wanted) << text;
  }
}

TEST(Schedule, Constant) {
  expect_schedule("constant {initial = 0.5}", [](double) { return 0.5; });
}
TEST(Schedule, ThatReactsToResultsIsConstant) {
  expect_schedule("plateau {factor = 0.5, initial = 0.5}", [](double) { return 0.5; });
  expect_schedule("adaptive {initial = 0.5}", [](double) { return 0.5; });
}
TEST(Schedule, Exponential) {
  expect_schedule("exponential {decay_rate = 0.5, decay_steps = 7.0, initial = 2.0}",
                  [](double t) { return 2 * std::pow(0.5, t / 7); });
  expect_schedule("exponential {decay_rate = 0.5, decay_steps = 7.0, initial = 2.0, staircase = true}",
                  [](double t) { return 2 * std::pow(0.5, std::floor(t / 7)); });
}
TEST(Schedule, PiecewiseKeepsTheOldValueAtABoundary) {
  expect_schedule("piecewise {boundaries = ~[10.0,30.0], initial = 1.0, values = ~[1.0,0.5,0.25]}", [](double t) {
    return t <= 10 ? 1 : t <= 30 ? 0.5 : 0.25;
  });
}
TEST(Schedule, Polynomial) {
  expect_schedule("polynomial {decay_steps = 20.0, end = 0.125, initial = 2.0, power = 2.0}",
                  [](double t) { return (2 - 0.125) * std::pow(1 - std::min(t, 20.0) / 20, 2) + 0.125; });
  expect_schedule("polynomial {cycle = true, decay_steps = 20.0, end = 0.125, initial = 2.0, power = 1.0}",
                  [](double t) {
                    double steps = 20 * (t == 0 ? 1 : std::ceil(t / 20)); // Keras: a cycle ends at its last step
                    return (2 - 0.125) * (1 - t / steps) + 0.125;
                  });
}
TEST(Schedule, InverseTime) {
  expect_schedule("inverse_time {decay_rate = 0.5, decay_steps = 4.0, initial = 2.0}",
                  [](double t) { return 2 / (1 + 0.5 * t / 4); });
  expect_schedule("inverse_time {decay_rate = 0.5, decay_steps = 4.0, initial = 2.0, staircase = true}",
                  [](double t) { return 2 / (1 + 0.5 * std::floor(t / 4)); });
}
double half_cosine(double fraction) { return 0.5 * (1 + std::cos(std::numbers::pi * fraction)); }
TEST(Schedule, Cosine) {
  expect_schedule("cosine {alpha = 0.25, decay_steps = 40.0, initial = 2.0}",
                  [](double t) { return 2 * (0.75 * half_cosine(std::min(t, 40.0) / 40) + 0.25); });
}
TEST(Schedule, CosineWithWarmup) {
  expect_schedule("cosine {alpha = 0.25, decay_steps = 40.0, initial = 0.5, warmup_steps = 10.0, warmup_target = 2.0}",
                  [](double t) {
                    if (t < 10) return 0.5 + (2 - 0.5) * t / 10;
                    return 2 * (0.75 * half_cosine(std::min(t - 10, 40.0) / 40) + 0.25);
                  });
}
TEST(Schedule, CosineFromATargetWithoutWarmup) {
  expect_schedule("cosine {alpha = 0.25, decay_steps = 40.0, initial = 0.5, warmup_steps = 0.0, warmup_target = 2.0}",
                  [](double t) { return 2 * (0.75 * half_cosine(std::min(t, 40.0) / 40) + 0.25); });
}
// At t = 121 = 1 + 3 + ... + 81 the logarithm of the period rounds to below 5.
TEST(Schedule, CosineRestartsBeginAtThePeak) {
  expect_schedule("cosine_restarts {alpha = 0.0, first_decay_steps = 1.0, initial = 2.0, m_mul = 1.0, t_mul = 3.0}",
                  [](double t) {
                    double length = 1;
                    while (t >= length) t -= length, length *= 3;
                    return 2 * half_cosine(t / length);
                  });
}
TEST(Schedule, CosineWithRestarts) {
  for (double t_mul : {1.0, 2.0, 3.0}) {
    std::string directive =
        "cosine_restarts {alpha = 0.125, first_decay_steps = 9.5, initial = 2.0, m_mul = 0.5, t_mul = " +
        std::to_string(static_cast<int>(t_mul)) + ".0}";
    expect_schedule(directive, [=](double t) {
      double length = 9.5, top = 2;
      while (t >= length) t -= length, length *= t_mul, top *= 0.5;
      return (1 - 0.125) * top * half_cosine(t / length) + 2 * 0.125;
    });
  }
}

} // namespace
} // namespace dlcc::testing
