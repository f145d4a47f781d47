#include "passes/training/build_training.h"

#include "ir/graph/rewrite.h"
#include "passes/simplify/inline_calls.h"
#include "passes/training/apply_gradients.h"
#include "passes/training/differentiate.h"
#include "passes/training/initializers.h"

#include <algorithm>

namespace dlcc::passes {

using namespace graph;
using ops::Term;

namespace {
std::string gradient_name(const std::string& parameter) { return "grad/" + parameter; }

class TrainingBuilder {
public:
  TrainingBuilder(Module& module, PassContext& context) : m_(module), context_(context), states_(module) {}
  void run();

private:
  std::vector<StateId> trainable() const;
  /// Copies the loss function into `f`, checks it, and differentiates it.
  std::map<StateId, Term> loss_and_gradients(Builder& b, const Function& loss);
  void check_gradients(Builder& b, std::map<StateId, Term>& by_state);
  void report_unreached(const Function& loss, const std::vector<StateId>& unreached, const std::string& blocked_by,
                        bool all);
  StateId accumulator(StateId parameter);
  void train_step(const Function& loss);
  void gradients(const Function& loss);
  void apply(const Function& loss);
  void learning_rate();
  void init();
  Function begin(std::string name, Location where) const;

  Module& m_;
  PassContext& context_;
  StateTable states_;
  std::vector<StateId> reached_; ///< parameters that have a gradient
  bool reported_ = false;
};

std::vector<StateId> TrainingBuilder::trainable() const {
  std::vector<StateId> states;
  for (StateId s : m_.states.ids())
    if (m_.states[s].trainable()) states.push_back(s);
  return states;
}

Function TrainingBuilder::begin(std::string name, Location where) const {
  Function f;
  f.name = std::move(name), f.entry = true, f.where = where;
  return f;
}

std::map<StateId, Term> TrainingBuilder::loss_and_gradients(Builder& b, const Function& loss) {
  std::vector<ValueId> arguments;
  for (ValueId p : loss.parameters) {
    const Value& v = loss.values[p];
    arguments.push_back(b.parameter(v.name, v.type, v.role));
  }
  ValueId value = inline_function(b, loss, arguments)[0];
  const Directive* train = m_.find_directive("train");
  std::vector<StateId> states = trainable();
  std::vector<ValueId> wanted;
  for (StateId s : states) wanted.push_back(b.state(s));
  Gradients g = differentiate(b, value, wanted);
  std::map<StateId, Term> by_state;
  std::vector<StateId> unreached;
  for (size_t i = 0; i < states.size(); ++i) {
    auto found = g.of.find(wanted[i]);
    if (found == g.of.end())
      unreached.push_back(states[i]);
    else
      by_state[states[i]] = {&b, found->second};
  }
  if (!unreached.empty()) report_unreached(loss, unreached, g.blocked_by[b.state(unreached[0])], by_state.empty());
  // The step is atomic: a loss that is not finite stops it before anything changes.
  ValueId checked = value;
  if (!train || train->attributes.boolean("terminate_on_nan", true))
    checked = b.add("check_finite", {value}, {{"what", std::string("loss")}});
  if (context_.check_nan) check_gradients(b, by_state);
  b.take_name(checked, "loss");
  b.function().results = {checked};
  return by_state;
}

// In the order in which the backward pass makes them: the first that is not finite is nearest to where it comes from.
void TrainingBuilder::check_gradients(Builder& b, std::map<StateId, Term>& by_state) {
  std::vector<std::pair<ValueId, StateId>> made;
  for (auto& [state, gradient] : by_state) made.emplace_back(gradient.id, state);
  std::sort(made.begin(), made.end());
  for (auto& [gradient, state] : made)
    by_state[state].id = b.add("check_finite", {gradient}, {{"what", gradient_name(m_.states[state].name)}});
}

void TrainingBuilder::report_unreached(const Function& loss, const std::vector<StateId>& unreached,
                                       const std::string& blocked_by, bool all) {
  if (std::exchange(reported_, true) || !context_.diagnostics) return;
  std::string through = blocked_by.empty() ? "" : "; '" + blocked_by + "' on the way has no gradient";
  if (all) {
    context_.diagnostics->error("no-gradient", "no gradient path from loss to any parameter" + through, loss.where);
    return;
  }
  for (StateId s : unreached)
    context_.diagnostics->warning(
        "unused-parameter", "the loss does not depend on parameter '" + m_.states[s].name + "'; it will not change",
        m_.states[s].where);
}

StateId TrainingBuilder::accumulator(StateId parameter) {
  const State& p = m_.states[parameter];
  return states_.beside(p, StateRole::gradient, gradient_name(p.name));
}

// The number of this update, from 1.
Term update_number(Builder& b) { return ops::cast(Term{&b, b.call_scalar("update")}, DType::f64) + 1.0; }

void TrainingBuilder::train_step(const Function& loss) {
  Function f = begin("train_step", loss.where);
  Builder b(m_, f, context_.ops);
  std::map<StateId, Term> gradients = loss_and_gradients(b, loss);
  for (auto& [state, g] : gradients) reached_.push_back(state);
  const Directive* accumulate = m_.find_directive("accumulate");
  int64_t every = accumulate ? accumulate->attributes.integer("steps", 1) : 1;
  if (every <= 1) {
    apply_gradients(b, states_, gradients, update_number(b));
  } else {
    // sum += g; every k-th batch: apply sum / k and start again at zero
    const auto k = static_cast<double>(every);
    Term batches = ops::cast(Term{&b, b.call_scalar("batch")}, DType::f64) + 1.0;
    Term due = ops::floor(batches / k) * k == batches;
    std::map<StateId, Term> means;
    for (auto& [state, g] : gradients) {
      StateId sum = accumulator(state);
      Term total = Term{&b, b.state(sum)} + g;
      b.update(sum, ops::where(due, 0.0, total));
      means[state] = total / k;
    }
    apply_gradients(b, states_, means, update_number(b), &due);
  }
  m_.functions.push(std::move(f));
}

void TrainingBuilder::gradients(const Function& loss) {
  Function f = begin("gradients", loss.where);
  Builder b(m_, f, context_.ops);
  for (auto& [state, g] : loss_and_gradients(b, loss)) {
    StateId sum = accumulator(state);
    b.update(sum, Term{&b, b.state(sum)} + g);
  }
  m_.functions.push(std::move(f));
}

// n_valid is the number of batches whose gradients were added up.
void TrainingBuilder::apply(const Function& loss) {
  Function f = begin("apply", loss.where);
  Builder b(m_, f, context_.ops);
  Term batches{&b, b.call_scalar("n_valid")};
  std::map<DType, Term> counts; // in the types of the parameters
  std::map<StateId, Term> means;
  for (StateId s : reached_) {
    Term sum{&b, b.state(accumulator(s))};
    const DType type = sum.type().dtype;
    if (!counts.contains(type)) counts[type] = ops::cast(batches, type);
    means[s] = sum / counts[type];
  }
  apply_gradients(b, states_, means, update_number(b));
  m_.functions.push(std::move(f));
}

// What an update uses, for those who ask after it: a step need not write it down.
void TrainingBuilder::learning_rate() {
  Function f = begin("learning_rate", m_.find_directive("schedule")->where);
  Builder b(m_, f, context_.ops);
  f.results = {passes::learning_rate(b)};
  m_.functions.push(std::move(f));
}

void TrainingBuilder::init() {
  Function f = begin("init", {});
  Builder b(m_, f, context_.ops);
  ValueId seed = b.call_scalar("seed");
  for (StateId s : m_.states.ids()) {
    const State state = m_.states[s];
    if (state.role == StateRole::gradient) continue; // the session zeroes them
    b.where = state.where;
    b.name_hint = "first." + state.name;
    b.update(s, initial_value(b, state, seed));
  }
  m_.functions.push(std::move(f));
}

void TrainingBuilder::run() {
  if (auto found = m_.find_function("loss")) {
    const Function& loss = m_.functions[*found];
    if (trainable().empty() && context_.diagnostics)
      context_.diagnostics->warning("nothing-to-train", "nothing to train: the model has no trainable parameter",
                                    loss.where);
    if (m_.find_directive("optimizer")) {
      train_step(loss);
      gradients(loss);
      apply(loss);
      learning_rate();
    }
  }
  init();
  StableIdVector<FunctionId, Function> entries;
  for (const Function& f : m_.functions)
    if (f.entry) entries.push(inline_all_calls(m_, f, context_.ops));
  m_.functions = std::move(entries);
}
} // namespace

Module build_training(Module module, PassContext& context) {
  TrainingBuilder(module, context).run();
  return module;
}

} // namespace dlcc::passes
