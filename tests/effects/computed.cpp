#include "tests/effects/outcome.h"

#include "frontend/build/build_module.h"
#include "ir/graph/evaluate.h"
#include "ir/ops/ops.h"
#include "tools/driver/compile.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace dlcc::effects {

namespace {
bool same_number(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

std::string messages(const tools::Compilation& c) {
  std::string text;
  for (const Diagnostic& d : c.diagnostics.all()) text += format_short(d) + "\n";
  return text;
}

// The model up to a stage; an outcome if that fails.
std::optional<Outcome> failure(tools::Compilation& c, const std::string& stage) try {
  if (c.read() && (stage == "source" || c.run_passes(stage))) return std::nullopt;
  return Outcome{messages(c), {}, {}};
} catch (const UserError& e) {
  return Outcome{e.diagnostic.text, {}, {}};
}

class Interpreter {
public:
  Interpreter(const graph::Module& module, std::vector<data::TensorSpec> specs, int64_t seed)
      : module_(module), specs_(std::move(specs)), seed_(seed) {
    for (const graph::State& s : module.states) environment_.states[s.name] = Tensor(s.type);
    call("init", 0, {});
  }

  Outcome train() {
    constexpr int steps = 6;
    for (int i = 0; i < steps; ++i) call("train_step", i, std::to_string(i));
    call("metrics_reset", 0, {});
    call("eval_step", steps, "evaluation");
    call("metrics_result", 0, "metrics");
    call("predict", steps + 1, "prediction");
    for (const graph::State& s : module_.states)
      if (s.role == graph::StateRole::parameter) outcome_.values["state " + s.name] = environment_.states[s.name];
    return outcome_;
  }

private:
  double every() const {
    for (const graph::Hyper& h : module_.hypers)
      if (h.name == "accumulate_steps") return h.value;
    return 1;
  }

  Tensor random(const graph::Value& v, int step) {
    const auto spec = std::find_if(specs_.begin(), specs_.end(), [&](const auto& s) { return s.name == v.name; });
    const bool is_known = spec != specs_.end(), is_real = is_float(v.type.dtype);
    const double low = is_known && spec->low ? *spec->low : is_real ? -1 : 0;
    const double high = is_known && spec->high      ? *spec->high
                        : is_real                   ? 1
                        : is_known && spec->classes ? static_cast<double>(spec->classes)
                                                    : 2;
    std::seed_seq words(v.name.begin(), v.name.end());
    std::mt19937 bits(words);
    bits.discard(static_cast<unsigned long long>(step) * 1000);
    Tensor t(v.type);
    for (double& x : t.data) {
      x = low + (high - low) * (bits() * 0x1p-32);
      if (!is_real) x = std::floor(x);
    }
    return t;
  }

  // Runs an entry, if the module has it; its results are noted under `what`, if that is not empty.
  void call(const std::string& entry, int step, const std::string& what) {
    const auto id = module_.find_function(entry);
    if (!id) return;
    const graph::Function& f = module_.functions[*id];
    const std::map<std::string, double> scalars = {
        {"seed", seed_},
        {"batch", step},
        {"update", std::floor(step / every())},
        {"steps_per_epoch", 3},
        {"n_valid", step == 4 ? std::max<int64_t>(module_.batch - 1, 1) : module_.batch}};
    environment_.inputs.clear();
    for (graph::ValueId p : f.parameters) {
      const graph::Value& v = f.values[p];
      if (const auto scalar = scalars.find(v.name); scalar != scalars.end())
        environment_.inputs[v.name] = Tensor(v.type, {scalar->second});
      else if (v.role != graph::ParameterRole::hyper)
        environment_.inputs[v.name] = random(v, step), outcome_.values["input " + v.name] = Tensor(v.type);
    }
    const std::vector<Tensor> results = graph::evaluate(module_, f, ops::all_ops(), environment_);
    for (size_t i = 0; !what.empty() && i < results.size(); ++i)
      outcome_.values[what + " " + f.values[f.results[i]].name] = results[i];
  }

  const graph::Module& module_;
  std::vector<data::TensorSpec> specs_;
  int64_t seed_;
  graph::Environment environment_;
  Outcome outcome_;
};
} // namespace

double distance(const Outcome& a, const Outcome& b) {
  const double infinity = std::numeric_limits<double>::infinity();
  if (a.error != b.error || a.text != b.text || a.values.size() != b.values.size()) return infinity;
  double largest = 0;
  for (const auto& [name, x] : a.values) {
    const auto found = b.values.find(name);
    if (found == b.values.end() || found->second.type != x.type) return infinity;
    const std::vector<double>& y = found->second.data;
    for (size_t i = 0; i < y.size(); ++i) {
      if (same_number(x.data[i], y[i])) continue;
      const double off = std::fabs(x.data[i] - y[i]) / std::max({1.0, std::fabs(x.data[i]), std::fabs(y[i])});
      largest = std::isnan(off) ? infinity : std::max(largest, off);
    }
  }
  return largest;
}

bool Outcome::operator==(const Outcome& other) const { return distance(*this, other) == 0; }

Outcome computed(const Json& model) {
  tools::Compilation c("model.json", model.dump(1), {});
  if (auto failed = failure(c, "source")) return *failed;
  auto specs = frontend::tensor_specs(*c.model, std::get<graph::Module>(c.ir));
  if (!c.run_passes("simplified")) return {messages(c), {}, {}};
  return Interpreter(std::get<graph::Module>(c.ir), std::move(specs), c.model->seed).train();
}

Outcome text_of(const Json& model, const std::string& stage) {
  tools::Compilation c("model.json", model.dump(1), {});
  if (auto failed = failure(c, stage)) return *failed;
  return {{}, {}, passes::print(c.ir)};
}

} // namespace dlcc::effects
