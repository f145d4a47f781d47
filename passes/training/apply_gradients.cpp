#include "passes/training/apply_gradients.h"

#include "passes/training/optimizers.h"
#include "passes/training/schedules.h"

namespace dlcc::passes {

using namespace graph;
using ops::Term;

StateTable::StateTable(Module& module) : module_(module) {
  for (StateId id : module.states.ids()) by_name_.emplace(module.states[id].name, id);
}

StateId StateTable::beside(const State& parameter, StateRole role, std::string name) {
  for (auto at = by_name_.find(name); at != by_name_.end(); at = by_name_.find(name)) {
    const State& found = module_.states[at->second];
    if (found.role == role && found.type == parameter.type) return at->second;
    name += "." + std::string(name_of(role)); // a parameter is called like that
  }
  State s;
  s.name = name, s.type = parameter.type, s.role = role, s.where = parameter.where;
  return by_name_[std::move(name)] = module_.states.push(std::move(s));
}

namespace {
// Sums of squares in double, so that no gradient overflows or vanishes in them.
Term square_sum(Term g) { return ops::sum(ops::square(ops::cast(g, DType::f64))); }

// g * c / max(norm, c), Keras' clip_by_norm
Term scaled_to_norm(Term g, Term square_sum, double limit) {
  return g * ops::cast(limit / ops::maximum(ops::sqrt(square_sum), limit), g.dtype());
}

std::map<StateId, Term> clipped(const Directive* clip, std::map<StateId, Term> gradients) {
  if (!clip) return gradients;
  double limit = clip->attributes.number("value");
  if (clip->name == "value")
    for (auto& [state, g] : gradients) g = ops::clip(g, -limit, limit);
  if (clip->name == "norm")
    for (auto& [state, g] : gradients) g = scaled_to_norm(g, square_sum(g), limit);
  if (clip->name == "global_norm" && !gradients.empty()) {
    Term total;
    for (auto& [state, g] : gradients) total = total.b ? total + square_sum(g) : square_sum(g);
    for (auto& [state, g] : gradients) g = scaled_to_norm(g, total, limit);
  }
  return gradients;
}

class Applier {
public:
  Applier(Builder& b, StateTable& states, const Directive& optimizer, Term rate, Term t, const Term* due)
      : b_(b), states_(states), optimizer_(optimizer), rate_(rate), t_(t), due_(due) {}

  void apply(StateId id, Term g) {
    State parameter = b_.module().states[id]; // a copy: slots are declared on the way
    b_.where = parameter.where;
    Term w{&b_, b_.state(id)}, rate = rate_;
    if (double m = parameter.attributes.number("lr_mult", 1); m != 1) rate = rate * m;
    double decay = optimizer_.attributes.number("weight_decay", 0);
    Term decayed = decay == 0 ? w : w - w * ops::cast(rate * decay, w.dtype());
    auto state = [&](std::string_view name) {
      return states_.beside(parameter, StateRole::slot, parameter.name + "/" + std::string(name));
    };
    auto slot = [&](std::string_view name) { return Term{&b_, b_.state(state(name))}; };
    auto set_slot = [&](std::string_view name, Term value) { update(state(name), value); };
    UpdateContext context{b_, optimizer_.attributes, decayed, g, rate, t_, slot, set_slot};
    b_.note = optimizer_.name;
    b_.name_hint = "next." + parameter.name;
    update(id, find_update_rule(optimizer_.name)(context));
    b_.note.clear(), b_.name_hint.clear(), b_.where = {};
  }

private:
  void update(StateId id, Term value) {
    ValueId next = due_ ? ops::where(*due_, value, Term{&b_, b_.state(id)}) : value;
    // The name a reader looks for, also in the kernel that computes it.
    std::string name = "next." + b_.module().states[id].name;
    if (b_.function().values[next].kind == ValueKind::result && !b_.reserved(name)) b_.take_name(next, name);
    b_.update(id, next);
  }
  Builder& b_;
  StateTable& states_;
  const Directive& optimizer_;
  Term rate_, t_;
  const Term* due_;
};
} // namespace

Term learning_rate(Builder& builder) {
  const Directive* schedule = builder.module().find_directive("schedule");
  DLCC_CHECK(schedule, "the module has no schedule");
  builder.where = schedule->where;
  builder.name_hint = "learning_rate.scheduled";
  Term scheduled{&builder, scheduled_rate(builder, *schedule)};
  Term set{&builder, builder.hyper("learning_rate")};
  builder.name_hint = "learning_rate.is_set";
  Term is_set = set == set; // NaN: the caller did not set it
  builder.name_hint = "learning_rate.used";
  Term rate = ops::where(is_set, set, scheduled);
  builder.name_hint.clear(), builder.where = {};
  return rate;
}

void apply_gradients(Builder& builder, StateTable& states, const std::map<StateId, Term>& gradients, Term update_number,
                     const Term* due) {
  const Directive* optimizer = builder.module().find_directive("optimizer");
  DLCC_CHECK(optimizer && find_update_rule(optimizer->name), "the module has no known optimizer");
  Applier applier(builder, states, *optimizer, learning_rate(builder), update_number, due);
  for (auto& [state, g] : clipped(builder.module().find_directive("clip"), gradients)) applier.apply(state, g);
}

} // namespace dlcc::passes
