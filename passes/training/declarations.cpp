#include "passes/training/declarations.h"

#include "passes/training/initializers.h"
#include "passes/training/optimizers.h"
#include "passes/training/schedules.h"

#include <algorithm>
#include <set>

namespace dlcc::passes {

using namespace graph;

namespace {
struct TypedName {
  std::string_view name;
  AttributeKind kind;
};
// An attribute has one type wherever it stands. Others than these are read by nobody here.
constexpr TypedName attributes[] = {
    // optimizers, clipping, accumulation, options of training
    {"momentum", AttributeKind::number},
    {"nesterov", AttributeKind::boolean},
    {"weight_decay", AttributeKind::number},
    {"beta_1", AttributeKind::number},
    {"beta_2", AttributeKind::number},
    {"epsilon", AttributeKind::number},
    {"amsgrad", AttributeKind::boolean},
    {"rho", AttributeKind::number},
    {"centered", AttributeKind::boolean},
    {"steps", AttributeKind::integer},
    {"terminate_on_nan", AttributeKind::boolean},
    {"last_batch", AttributeKind::string},
    // schedules
    {"initial", AttributeKind::number},
    {"decay_steps", AttributeKind::number},
    {"decay_rate", AttributeKind::number},
    {"staircase", AttributeKind::boolean},
    {"boundaries", AttributeKind::numbers},
    {"values", AttributeKind::numbers},
    {"end", AttributeKind::number},
    {"power", AttributeKind::number},
    {"cycle", AttributeKind::boolean},
    {"alpha", AttributeKind::number},
    {"warmup_steps", AttributeKind::number},
    {"warmup_target", AttributeKind::number},
    {"first_decay_steps", AttributeKind::number},
    {"t_mul", AttributeKind::number},
    {"m_mul", AttributeKind::number},
    // initialisers and states; `value` is of clipping too
    {"value", AttributeKind::number},
    {"mean", AttributeKind::number},
    {"stddev", AttributeKind::number},
    {"minval", AttributeKind::number},
    {"maxval", AttributeKind::number},
    {"scale", AttributeKind::number},
    {"mode", AttributeKind::string},
    {"distribution", AttributeKind::string},
    {"gain", AttributeKind::number},
    {"trainable", AttributeKind::boolean},
    {"lr_mult", AttributeKind::number},
};

struct DirectiveKind {
  std::string_view kind;
  bool (*knows)(std::string_view name);
};
constexpr DirectiveKind kinds[] = {
    {"optimizer", [](std::string_view name) { return find_update_rule(name) != nullptr; }},
    {"schedule", is_known_schedule},
    {"clip", [](std::string_view name) { return name == "value" || name == "norm" || name == "global_norm"; }},
    {"accumulate", [](std::string_view name) { return name == "batches"; }},
    {"train", [](std::string_view name) { return name == "options"; }},
};

class Declarations {
public:
  Declarations(Module& module, const TextPlaces* places) : m_(module), places_(places) {}

  std::vector<Violation> run() {
    for (StateId id : m_.states.ids()) state(m_.states[id], places_ ? places_->states[id] : Location{});
    for (size_t i = 0; i < m_.directives.size(); ++i)
      directive(m_.directives[i], places_ ? places_->directives[i] : Location{});
    if (m_.find_directive("optimizer") && !m_.find_directive("schedule"))
      violations_.push_back({"an optimizer without the directive 'schedule'", places_ ? places_->stage : Location{}});
    return std::move(violations_);
  }

private:
  void state(State& s, Location where) {
    const std::string name = "state '" + escape(s.name, 60) + "': ";
    if (!is_known_initializer(s.initializer))
      violations_.push_back({name + "unknown initialiser '" + escape(s.initializer, 40) + "'", where});
    if (s.initializer == "identity" && s.type.rank() != 2)
      violations_.push_back({name + "'identity' is for matrices, not for " + to_string(s.type), where});
    typed(s.initializer_attributes, name, where);
    typed(s.attributes, name, where);
  }

  void directive(Directive& d, Location where) {
    const std::string name = "directive '" + escape(d.kind, 40) + "': ";
    auto kind = std::find_if(std::begin(kinds), std::end(kinds), [&](auto& k) { return k.kind == d.kind; });
    if (kind == std::end(kinds)) return violations_.push_back({"unknown " + name.substr(0, name.size() - 2), where});
    if (!kind->knows(d.name))
      violations_.push_back({name + "unknown " + d.kind + " '" + escape(d.name, 40) + "'", where});
    if (!seen_.insert(d.kind).second) violations_.push_back({name + "is there twice", where});
    if (typed(d.attributes, name, where) && d.name == "piecewise" &&
        d.attributes.numbers("values").size() != d.attributes.numbers("boundaries").size() + 1)
      violations_.push_back({name + "expected one value more than boundaries", where});
  }

  bool typed(Attributes& given, const std::string& of, Location where) {
    bool all = true;
    Attributes widened;
    for (const auto& [name, written] : given) {
      AttributeValue value = written;
      for (const TypedName& known : attributes)
        if (known.name == name && !make_kind(value, known.kind)) {
          violations_.push_back(
              {of + "attribute '" + name + "' must be of kind " + std::string(name_of(known.kind)), where});
          all = false;
        }
      widened.set(name, std::move(value));
    }
    given = std::move(widened);
    return all;
  }

  Module& m_;
  const TextPlaces* places_;
  std::set<std::string> seen_;
  std::vector<Violation> violations_;
};
} // namespace

std::vector<Violation> check_declarations(Module& module, const TextPlaces* places) {
  return Declarations(module, places).run();
}

} // namespace dlcc::passes
