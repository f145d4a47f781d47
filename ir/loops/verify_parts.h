// The parts of verify: one a file. Internal to ir/loops.
#pragma once

#include "ir/loops/accesses.h"
#include "ir/loops/verify.h"

#include <map>

namespace dlcc::loops {

/// Collects violations of one kernel or entry.
class Violations {
public:
  /// What follows is about this kernel or entry, which stands there in the text.
  void at(std::string subject, Location where) { subject_ = std::move(subject), where_ = where; }
  void at(Location where) { where_ = where; }
  void add(std::string_view rule, const std::string& what) {
    if (list_.size() < limit) list_.push_back({subject_ + ": " + what + " [" + std::string(rule) + "]", where_});
  }
  void require(bool condition, std::string_view rule, const std::string& what) {
    if (!condition) add(rule, what);
  }
  size_t size() const { return list_.size(); }
  std::vector<Violation> take() { return std::move(list_); }

private:
  static constexpr size_t limit = 100;
  std::string subject_;
  Location where_;
  std::vector<Violation> list_;
};

/// Rules of a kernel by itself.
void verify_kernel(const Kernel& kernel, const StageRules& rules, const TextPlaces::KernelPlaces* places,
                   Violations& out);

/// What the rules of entries ask about a kernel that is well formed.
struct KernelAccesses {
  std::vector<AccessSite> accesses;
  std::vector<Bound> task_vars; ///< what tells its tasks apart; empty: it is not cut
  Mark mark = Mark::serial;     ///< of the loop that is cut
  unsigned lanes = 16;          ///< of a vector loop, which is cut into whole vectors
  std::vector<const AccessSite*> of(TensorId t) const;
  /// The first thing it does with the tensor is not to store to it.
  bool reads_first(TensorId t) const;
};
KernelAccesses task_accesses_of(const Kernel& kernel);

/// Rules of calls and phases: alias, phase-race, written-first, overwritten.
void verify_data_flow(const Program& program, const Entry& entry, const IdVector<KernelId, KernelAccesses>& facts,
                      const TextPlaces::EntryPlaces* places, Violations& out);

/// Rules of a planned program: place, overlap.
void verify_plan(const Program& program, const TextPlaces* places, Violations& out);

/// The calls of an entry by unit of time: a phase in a parallel region, since its threads may be at different calls,
/// else one call.
std::vector<std::vector<const Call*>> units_of(const Entry& entry);

} // namespace dlcc::loops
