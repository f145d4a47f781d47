#include "ir/loops/verify.h"

#include "ir/loops/verify_parts.h"

#include <set>
#include <span>

namespace dlcc::loops {

namespace {

constexpr StageRules stage_rules[] = {
    {Stage::loops, false, false, false, "the schedule is not made yet"},
    {Stage::scheduled, true, true, false, "the schedule has decided this"},
    {Stage::planned, true, true, true, "the memory plan has decided this"},
};

class ProgramVerifier {
public:
  ProgramVerifier(const Program& program, const TextPlaces* places)
      : p_(program), rules_(rules_of(program.stage)), places_(places) {}

  std::vector<Violation> run() {
    out_.at("program " + p_.name, places_ ? places_->stage : Location{});
    names();
    for (BufferId b : p_.buffers.ids()) {
      if (places_) out_.at(places_->buffers[b]);
      buffer(b);
    }
    for (KernelId k : p_.kernels.ids())
      verify_kernel(p_.kernels[k], rules_, places_ ? &places_->kernels[k] : nullptr, out_);
    if (out_.size() == 0)
      for (size_t i = 0; i < p_.entries.size(); ++i) entry(p_.entries[i], places_of_entry(i));
    if (out_.size() == 0) data_flow();
    if (out_.size() == 0 && rules_.placed) verify_plan(p_, places_, out_);
    return out_.take();
  }

private:
  void names();
  void buffer(BufferId id);
  const TextPlaces::EntryPlaces* places_of_entry(size_t i) const { return places_ ? &places_->entries[i] : nullptr; }
  void entry(const Entry& e, const TextPlaces::EntryPlaces* places);
  void steps(const std::vector<Step>& list, StepKind inside, const Entry& e);
  void call(const Call& c, const Entry& e);
  void data_flow();

  const Program& p_;
  const StageRules& rules_;
  const TextPlaces* places_;
  std::span<const Location> calls_; ///< of the entry, those still to come
  Violations out_;
};

void ProgramVerifier::names() {
  std::set<std::pair<std::string, std::string>> buffers;
  std::set<std::string> kernels, entries;
  for (const Buffer& b : p_.buffers)
    out_.require(buffers.insert({std::string(name_of(b.region)) + " " + b.entry, b.name}).second, "names",
                 "two buffers of region " + std::string(name_of(b.region)) + " are called '" + b.name + "'");
  for (const Kernel& k : p_.kernels)
    out_.require(kernels.insert(k.name).second, "names", "two kernels are called '" + k.name + "'");
  for (const Entry& e : p_.entries)
    out_.require(entries.insert(e.name).second, "names", "two entries are called '" + e.name + "'");
}

void ProgramVerifier::buffer(BufferId id) {
  const Buffer& b = p_.buffers[id];
  if (!checked_bytes(b.type) || b.type.rank() > max_rank) return out_.add("buffers", "'" + b.name + "' is too large");
  out_.require(b.batch_axis < static_cast<int32_t>(b.type.rank()), "buffers",
               "'" + b.name + "' has no such batch axis");
  if (!b.view_of.valid()) {
    bool constant = b.region == Region::constant;
    return out_.require(constant ? b.data.size() == static_cast<size_t>(element_count(b.type.shape)) : b.data.empty(),
                        "buffers", "'" + b.name + "' has the wrong number of data for its region");
  }
  BufferId s = b.view_of;
  for (size_t steps = 0; s.index < p_.buffers.size() && p_.buffers[s].view_of.valid(); s = p_.buffers[s].view_of)
    if (++steps > p_.buffers.size()) return out_.add("views", "'" + b.name + "' is a view of itself");
  if (s.index >= p_.buffers.size()) return out_.add("views", "'" + b.name + "' is a view of nothing");
  const Buffer& of = p_.buffers[s];
  bool same = of.region == b.region && of.type.dtype == b.type.dtype && of.entry == b.entry &&
              checked_elements(of.type.shape) == checked_elements(b.type.shape);
  out_.require(same, "views",
               "'" + b.name + "' is a view of '" + of.name + "', which has another region, entry, type or size");
  out_.require(b.offset < 0 || b.offset == of.offset, "views", "'" + b.name + "' is not where its storage is");
}

void ProgramVerifier::entry(const Entry& e, const TextPlaces::EntryPlaces* places) {
  out_.at("entry " + e.name, places ? places->head : Location{});
  calls_ = places ? std::span(places->calls) : std::span<const Location>();
  for (const auto* list : {&e.inputs, &e.outputs})
    for (BufferId b : *list) out_.require(b.index < p_.buffers.size(), "entry", "an input or output is no buffer");
  steps(e.steps, StepKind::serial, e);
  if (rules_.tree)
    for (const Step& s : e.steps)
      out_.require(s.kind != StepKind::call, "tree",
                   "a call outside serial and parallel: " + std::string(rules_.reason));
}

void ProgramVerifier::steps(const std::vector<Step>& list, StepKind inside, const Entry& e) {
  for (const Step& s : list) {
    bool leaf = s.kind == StepKind::call || s.kind == StepKind::exit;
    out_.require(leaf || rules_.tree, "tree", "serial, parallel or phase: " + std::string(rules_.reason));
    out_.require(leaf == false || s.children.empty(), "tree", "a call or an exit with steps inside");
    if (inside == StepKind::phase) out_.require(s.kind == StepKind::call, "tree", "a phase holds calls only");
    if (inside == StepKind::parallel)
      out_.require(s.kind == StepKind::phase || s.kind == StepKind::exit, "tree",
                   "a parallel region holds phases only");
    if (s.kind == StepKind::phase)
      out_.require(inside == StepKind::parallel, "tree", "a phase outside a parallel region");
    if (s.kind == StepKind::call) {
      if (!calls_.empty()) out_.at(calls_[0]), calls_ = calls_.subspan(1);
      call(s.call, e);
    }
    if (out_.size()) return;
    steps(s.children, s.kind, e);
  }
}

void ProgramVerifier::call(const Call& c, const Entry& e) {
  if (c.kernel.index >= p_.kernels.size()) return out_.add("arguments", "a call of no kernel");
  const Kernel& k = p_.kernels[c.kernel];
  if (c.arguments.size() != k.parameter_count())
    return out_.add("arguments", "kernel " + k.name + " takes " + std::to_string(k.parameter_count()) +
                                     " arguments, found " + std::to_string(c.arguments.size()));
  for (size_t i = 0; i < c.arguments.size(); ++i) {
    if (c.arguments[i].index >= p_.buffers.size()) return out_.add("arguments", "an argument that is no buffer");
    const Buffer& b = p_.buffers[c.arguments[i]];
    const KernelTensor& t = k.tensors[TensorId(i)];
    out_.require(b.type == t.type, "arguments",
                 "'" + t.name + "' of kernel " + k.name + " is " + to_string(t.type) + ", found '" + b.name + "' of " +
                     to_string(b.type));
    bool fixed = b.region == Region::input || b.region == Region::call || b.region == Region::hyper ||
                 b.region == Region::constant;
    out_.require(!fixed || t.access == Access::in, "read-only",
                 "kernel " + k.name + " writes '" + b.name + "' of region " + std::string(name_of(b.region)));
    out_.require(b.region != Region::arena || b.entry.empty() || b.entry == e.name, "entry",
                 "'" + b.name + "' belongs to entry " + b.entry);
  }
}

void ProgramVerifier::data_flow() {
  IdVector<KernelId, KernelAccesses> facts;
  for (const Kernel& k : p_.kernels) facts.push(task_accesses_of(k));
  for (size_t i = 0; i < p_.entries.size(); ++i) verify_data_flow(p_, p_.entries[i], facts, places_of_entry(i), out_);
}

} // namespace

const StageRules& rules_of(Stage stage) { return stage_rules[static_cast<size_t>(stage)]; }

std::vector<Violation> verify(const Program& program, const TextPlaces* places) {
  return ProgramVerifier(program, places).run();
}

void check(const Program& program, std::string_view after) {
  std::vector<Violation> violations = verify(program);
  if (violations.empty()) return;
  std::string text = "the loop IR is broken after " + std::string(after);
  for (const Violation& v : violations) text += "\n  " + v.text;
  throw InternalError(text);
}

} // namespace dlcc::loops
