#include "passes/memory/liveness.h"

namespace dlcc::passes {

using namespace loops;

namespace {
void collect(const Step& step, bool in_phase, std::vector<std::vector<const Call*>>& units) {
  switch (step.kind) {
  case StepKind::exit:
    break;
  case StepKind::call:
    if (!in_phase || units.empty()) units.emplace_back();
    units.back().push_back(&step.call);
    break;
  case StepKind::phase:
    units.emplace_back();
    for (const Step& child : step.children) collect(child, true, units);
    break;
  case StepKind::serial:
  case StepKind::parallel:
    for (const Step& child : step.children) collect(child, false, units);
    break;
  }
}
} // namespace

std::vector<std::vector<const Call*>> time_units(const Entry& entry) {
  std::vector<std::vector<const Call*>> units;
  for (const Step& step : entry.steps) collect(step, false, units);
  return units;
}

std::vector<std::pair<BufferId, LiveRange>> live_ranges(const Program& program, const Entry& entry) {
  std::vector<std::pair<BufferId, LiveRange>> ranges;
  std::map<BufferId, size_t> position;
  auto units = time_units(entry);
  for (size_t t = 0; t < units.size(); ++t)
    for (const Call* call : units[t])
      for (BufferId argument : call->arguments) {
        BufferId b = program.storage(argument);
        if (program.buffers[b].region != Region::arena) continue;
        auto [at, added] = position.try_emplace(b, ranges.size());
        if (added)
          ranges.push_back({b, {static_cast<int>(t), static_cast<int>(t)}});
        else
          ranges[at->second].second.last = static_cast<int>(t);
      }
  return ranges;
}

} // namespace dlcc::passes
