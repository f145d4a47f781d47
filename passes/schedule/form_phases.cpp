#include "passes/schedule/form_phases.h"

#include "passes/schedule/cost_model.h"

#include <algorithm>
#include <cstdio>

namespace dlcc::passes {

using namespace loops;

namespace {
constexpr double least_gain_nanoseconds = 25'000;

// What one call reads and writes, by storage, in order.
struct Touch {
  std::vector<BufferId> reads, writes;
};

Touch touch_of(const Program& p, const Call& call) {
  Touch t;
  const Kernel& kernel = p.kernels[call.kernel];
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    BufferId b = p.storage(call.arguments[i]);
    Access access = kernel.tensors[TensorId(i)].access;
    if (access != Access::out) t.reads.push_back(b);
    if (access != Access::in) t.writes.push_back(b);
  }
  std::sort(t.reads.begin(), t.reads.end());
  std::sort(t.writes.begin(), t.writes.end());
  return t;
}

bool intersect(const std::vector<BufferId>& a, const std::vector<BufferId>& b) {
  auto x = a.begin(), y = b.begin();
  while (x != a.end() && y != b.end()) {
    if (*x == *y) return true;
    *x < *y ? ++x : ++y;
  }
  return false;
}

bool depends(const Touch& later, const Touch& earlier) {
  return intersect(later.reads, earlier.writes) || intersect(later.writes, earlier.reads) ||
         intersect(later.writes, earlier.writes);
}

struct Planned {
  Step step;
  Touch touch;
  int64_t tasks;
};

class Phases {
public:
  Phases(const Program& p, std::vector<Step> steps) {
    for (Step& s : steps) {
      Planned planned{std::move(s), {}, 1};
      if (planned.step.kind == StepKind::call) {
        planned.touch = touch_of(p, planned.step.call);
        planned.tasks = p.kernels[planned.step.call.kernel].tasks;
      }
      steps_.push_back(std::move(planned));
    }
  }

  // Takes the steps in order, but lets a later one overtake when it is ready now and its turn would cost a barrier.
  std::vector<Step> run() {
    std::vector<bool> done(steps_.size(), false);
    size_t left = steps_.size(), first = 0;
    while (left) {
      std::vector<size_t> phase;
      for (size_t i = first; i < steps_.size() && i < first + window; ++i) {
        if (done[i]) continue;
        if (steps_[i].step.kind == StepKind::exit) {
          if (i == first && phase.empty()) flush_exit(i, done, left);
          break;
        }
        if (!ready(i, first, done, phase)) continue;
        phase.push_back(i);
        done[i] = true, --left;
      }
      while (first < steps_.size() && done[first]) ++first;
      if (!phase.empty()) close(phase);
    }
    return std::move(result_);
  }

private:
  // Nothing undone before it may be in its way, and what it needs from this phase must stay within tasks.
  bool ready(size_t i, size_t first, const std::vector<bool>& done, const std::vector<size_t>& phase) const {
    for (size_t j = i; j-- > first;) // what it needs was mostly made just before
      if (!done[j] && depends(steps_[i].touch, steps_[j].touch)) return false;
    return std::all_of(phase.begin(), phase.end(), [&](size_t j) {
      return !depends(steps_[i].touch, steps_[j].touch) || (steps_[i].tasks == 1 && steps_[j].tasks == 1);
    });
  }
  void close(const std::vector<size_t>& phase) {
    Step s;
    s.kind = StepKind::phase;
    for (size_t i : phase) s.children.push_back(std::move(steps_[i].step));
    result_.push_back(std::move(s));
  }
  void flush_exit(size_t i, std::vector<bool>& done, size_t& left) {
    result_.push_back(std::move(steps_[i].step));
    done[i] = true, --left;
  }

  static constexpr size_t window = 64; ///< how far ahead a kernel may be taken from: keeps this linear
  std::vector<Planned> steps_;
  std::vector<Step> result_;
};

using Costs = std::vector<KernelCost>; // by kernel

double serial_nanoseconds(const std::vector<Step>& steps, const Costs& costs) {
  double total = 0;
  for (const Step& s : steps)
    if (s.kind == StepKind::call) total += costs[s.call.kernel.index].nanoseconds;
  return total;
}

double parallel_nanoseconds(const Program& p, const std::vector<Step>& phases, const Costs& costs) {
  double total = region_nanoseconds;
  for (const Step& phase : phases) {
    double alone = 0, shared = 0;
    for (const Step& s : phase.children)
      (p.kernels[s.call.kernel].tasks > 1 ? shared : alone) += costs[s.call.kernel.index].nanoseconds;
    total += std::max(alone, (alone + shared) / 2) + barrier_nanoseconds;
  }
  return total;
}

template <class... Numbers> std::string formatted(const char* format, Numbers... numbers) {
  char text[160];
  snprintf(text, sizeof text, format, numbers...);
  return text;
}

std::string note_of(const KernelCost& cost) {
  return formatted("%.3g MFLOP, %.3g MB, about %.1f us on one core", cost.flops * 1e-6, cost.bytes * 1e-6,
                   cost.nanoseconds * 1e-3);
}
} // namespace

Program form_phases(Program program, PassContext&) {
  Costs costs;
  for (Kernel& kernel : program.kernels) {
    costs.push_back(cost_of(kernel));
    kernel.notes.push_back(note_of(costs.back()));
  }
  for (Entry& entry : program.entries) {
    double serial = serial_nanoseconds(entry.steps, costs);
    std::vector<Step> phases = Phases(program, entry.steps).run();
    double parallel = parallel_nanoseconds(program, phases, costs);
    Step root;
    // Beside other work on the machine a barrier may cost a time slice, so a small gain is not worth the risk.
    bool worth_it = parallel < 0.8 * serial && serial - parallel > least_gain_nanoseconds;
    root.kind = worth_it ? StepKind::parallel : StepKind::serial;
    root.children = worth_it ? std::move(phases) : std::move(entry.steps);
    entry.notes.push_back(formatted("estimated %.1f us on one thread, %.1f us on two: %s", serial * 1e-3,
                                    parallel * 1e-3, worth_it ? "parallel" : "serial"));
    entry.steps.clear();
    if (!root.children.empty()) entry.steps.push_back(std::move(root));
  }
  return program;
}

} // namespace dlcc::passes
