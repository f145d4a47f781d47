#include "passes/fusion/form_clusters.h"

#include "ir/loops/tiling.h"
#include "passes/fusion/effects.h"
#include "passes/fusion/name_clusters.h"

#include <algorithm>

namespace dlcc::passes {

using namespace graph;

namespace {
// LLVM's time is superlinear in straight-line code.
constexpr int scalar_op_limit = 256;
// Half of the smallest first-level cache: what the values of one row may take between inner loops.
constexpr int64_t row_buffer_bytes = 16 * 1024;

// Rows that run side by side: the lanes of a logical vector.
constexpr int64_t lanes = 16;
// What one row may cost, in additions, before it matters that it runs alone.
constexpr double free_cost = 16;

// What nodes do for one row: what would run in lanes over the rows, and what runs in lanes within a row.
struct RowWork {
  double across = 0, within = 0;
  RowWork& operator+=(const RowWork& o) {
    across += o.across, within += o.within;
    return *this;
  }
};

// The readers of a value with more of them are not looked at: keeps this linear.
constexpr size_t most_readers = 16;

struct Group {
  NodeId root; ///< what it began with; a contraction if there is one
  std::vector<NodeId> members;
  bool contraction = false, closed = false;
  Shape prefix; ///< the outer domain
  int scalar_ops = 0;
  std::vector<uint32_t> before, after; ///< groups that must run first, and those for which this one must
  uint32_t level = 0;                  ///< above that of every group before
  std::vector<std::string> notes;
};

class Former {
public:
  Former(const FunctionFacts& facts, bool fuse)
      : facts_(facts), f_(facts.function), fuse_(fuse), group_of_(f_.nodes.size(), none), users_(f_.nodes.size()),
        position_(f_.nodes.size()), needed_by_(f_.nodes.size(), 0), visited_(f_.nodes.size(), 0) {
    for (size_t i = 0; i < facts.order.size(); ++i) position_[facts.order[i]] = static_cast<uint32_t>(i);
    for (NodeId n : facts.order)
      for (const Read& read : facts.access[n].reads)
        if (NodeId p = facts.producer(read); p.valid()) users_[p].push_back(n);
  }

  // What depends on stored values alone waits for the first user that has a place, to go there with it.
  void run() {
    for (NodeId n : facts_.order)
      if (!can_wait(n)) place_with_operands(n);
    for (NodeId n : facts_.order)
      if (group_of_[n] == none) place(n);
  }
  void write(Function& function) const;

private:
  static constexpr uint32_t none = UINT32_MAX;

  const Shape& shape(NodeId n) const { return f_.type(f_.nodes[n].results[0]).shape; }
  bool can_wait(NodeId n) const;
  void place_with_operands(NodeId n);
  std::vector<uint32_t> groups_read_by(NodeId n) const;
  std::vector<uint32_t> candidates(NodeId n) const;
  void place(NodeId n, const std::vector<uint32_t>& wanted = {});
  std::vector<uint32_t> predecessors(NodeId n) const;
  std::string refusal(const Group& group, uint32_t index, NodeId n, Shape& prefix);
  bool depends_on(const std::vector<uint32_t>& from, uint32_t target);
  RowWork row_work(NodeId n, size_t prefix) const;
  bool runs_alone(const Group& group, NodeId n, const Shape& prefix) const;
  void raise_levels(uint32_t index);
  void join(uint32_t index, NodeId n, Shape prefix);

  const FunctionFacts& facts_;
  const Function& f_;
  bool fuse_;
  std::vector<Group> groups_;
  IdVector<NodeId, uint32_t> group_of_;
  IdVector<NodeId, std::vector<NodeId>> users_;
  uint32_t scalars_ = none;             ///< the last group of rank 0
  IdVector<NodeId, uint32_t> position_; ///< in facts.order
  IdVector<NodeId, uint32_t> needed_by_;
  std::vector<uint32_t> visited_;
  uint32_t stamp_ = 0;
};

Shape common_prefix(const Shape& a, const Shape& b) {
  size_t n = 0;
  while (n < a.size() && n < b.size() && a[n] == b[n]) ++n;
  return Shape(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(n));
}

std::vector<uint32_t> Former::predecessors(NodeId n) const {
  std::vector<uint32_t> before;
  auto add = [&](NodeId p) {
    if (p.valid() && p != n) before.push_back(group_of_[p]);
  };
  for (const Read& read : facts_.access[n].reads) add(facts_.producer(read));
  for (NodeId p : facts_.after[n]) add(p);
  std::sort(before.begin(), before.end());
  before.erase(std::unique(before.begin(), before.end()), before.end());
  return before;
}

// Does any of these groups need `target` to run before it?
bool Former::depends_on(const std::vector<uint32_t>& from, uint32_t target) {
  ++stamp_;
  std::vector<uint32_t> pending = from;
  while (!pending.empty()) {
    uint32_t g = pending.back();
    pending.pop_back();
    if (g == target) return true;
    if (groups_[g].level <= groups_[target].level || std::exchange(visited_[g], stamp_) == stamp_) continue;
    pending.insert(pending.end(), groups_[g].before.begin(), groups_[g].before.end());
  }
  return false;
}

// Why n cannot join the group; empty if it can, and then `prefix` is the joint outer domain.
std::string Former::refusal(const Group& group, uint32_t index, NodeId n, Shape& prefix) {
  const NodeAccess& access = facts_.access[n];
  const Shape& s = shape(n);
  if (group.closed) return "a check stands alone";
  if (group.scalar_ops + access.scalar_ops > scalar_op_limit) return "the kernel would get too long";
  prefix = group.members.empty() ? s : common_prefix(group.prefix, s);
  const Update* update = facts_.update_of(n);
  for (const Read& read : access.reads) {
    NodeId p = facts_.producer(read);
    bool inside = p.valid() && group_of_[p] == index;
    if (inside && facts_.owner(read.value) != read.value)
      return "it reads another shape of '" + f_.values[read.value].name + "'";
    if (inside) prefix.resize(std::min(prefix.size(), identity_prefix(f_, read, s)));
  }
  if (group.contraction && (access.reduces || prefix.size() != s.size() || s != shape(group.root)))
    return "an epilogue follows the contraction element by element";
  if (prefix.empty() && !(s.empty() && group.prefix.empty() && shape(group.root).empty()))
    return "no outer axis is common";
  auto fits = [&](NodeId m) {
    const Shape& t = shape(m);
    if (prefix.size() == t.size()) return true;
    return element_count(Shape(t.begin() + static_cast<std::ptrdiff_t>(prefix.size()), t.end())) *
               static_cast<int64_t>(byte_size(f_.type(f_.nodes[m].results[0]).dtype)) <=
           row_buffer_bytes;
  };
  if (!fits(n) || !std::all_of(group.members.begin(), group.members.end(), fits)) return "a row does not fit the cache";
  if (!group.contraction && runs_alone(group, n, prefix)) return "its rows would no longer run side by side";
  // A node that overwrites a state may share a kernel with readers of the old version only element by element.
  auto reads_elsewhere = [&](NodeId m) {
    return std::any_of(facts_.access[m].reads.begin(), facts_.access[m].reads.end(), [&](const Read& read) {
      return facts_.reads_old(read, update->state) && identity_prefix(f_, read, shape(m)) != s.size();
    });
  };
  if (update && (reads_elsewhere(n) || std::any_of(group.members.begin(), group.members.end(), reads_elsewhere)))
    return "it overwrites what the kernel reads elsewhere";
  std::vector<uint32_t> others = predecessors(n);
  std::erase(others, index);
  if (depends_on(others, index)) return "another kernel has to run in between";
  return {};
}

RowWork Former::row_work(NodeId n, size_t prefix) const {
  const NodeAccess& access = facts_.access[n];
  const Shape& s = shape(n);
  const int64_t inner = element_count(Shape(s.begin() + static_cast<std::ptrdiff_t>(prefix), s.end()));
  const double cost = static_cast<double>(inner * access.reduced) * (access.cost + access.reduces);
  const bool is_long = inner >= loops::short_row || access.longest >= loops::short_row;
  return is_long ? RowWork{0, cost / lanes} : RowWork{cost, 0};
}

// Whether work that could run in lanes over the rows would, in one kernel with long rows, run row by row, and take
// longer than those rows themselves.
bool Former::runs_alone(const Group& group, NodeId n, const Shape& prefix) const {
  if (element_count(prefix) < lanes || group.members.empty()) return false;
  RowWork others;
  for (NodeId m : group.members) others += row_work(m, prefix.size());
  const RowWork own = row_work(n, prefix.size());
  const double across = others.within > 0 ? own.across : own.within > 0 ? others.across : 0;
  return across > free_cost && across > others.within + own.within;
}

void Former::raise_levels(uint32_t index) {
  std::vector<uint32_t> pending{index};
  while (!pending.empty()) {
    Group& g = groups_[pending.back()];
    pending.pop_back();
    uint32_t level = g.level;
    for (uint32_t p : g.before) level = std::max(level, groups_[p].level + 1);
    if (std::exchange(g.level, level) != level) pending.insert(pending.end(), g.after.begin(), g.after.end());
  }
}

void Former::join(uint32_t index, NodeId n, Shape prefix) {
  Group& group = groups_[index];
  for (uint32_t p : predecessors(n))
    if (p != index && std::find(group.before.begin(), group.before.end(), p) == group.before.end()) {
      group.before.push_back(p);
      groups_[p].after.push_back(index);
    }
  raise_levels(index);
  group.members.push_back(n);
  group.prefix = std::move(prefix);
  group.scalar_ops += facts_.access[n].scalar_ops;
  group_of_[n] = index;
}

bool Former::can_wait(NodeId n) const {
  const NodeAccess& access = facts_.access[n];
  if (access.reduces || access.contracts || access.checks || users_[n].empty()) return false;
  auto waits = [&](NodeId p) { return !p.valid() || group_of_[p] == none || groups_[group_of_[p]].closed; };
  return std::all_of(access.reads.begin(), access.reads.end(),
                     [&](const Read& r) { return waits(facts_.producer(r)); });
}

// Places the waiting nodes that n needs, however far from it, with what n reads besides if that can be; then n.
void Former::place_with_operands(NodeId n) {
  std::vector<NodeId> needed, pending{n};
  ++stamp_;
  while (!pending.empty()) {
    NodeId x = pending.back();
    pending.pop_back();
    if (std::exchange(needed_by_[x], stamp_) == stamp_) continue;
    needed.push_back(x);
    auto need = [&](NodeId p) {
      if (p.valid() && group_of_[p] == none) pending.push_back(p);
    };
    for (const Read& read : facts_.access[x].reads) need(facts_.producer(read));
    for (NodeId p : facts_.after[x]) need(p);
  }
  std::sort(needed.begin(), needed.end(), [&](NodeId a, NodeId b) { return position_[a] < position_[b]; });
  const std::vector<uint32_t> wanted = groups_read_by(n);
  for (NodeId x : needed) place(x, wanted);
}

std::vector<uint32_t> Former::groups_read_by(NodeId n) const {
  std::vector<uint32_t> groups;
  for (const Read& read : facts_.access[n].reads)
    if (NodeId p = facts_.producer(read); p.valid() && group_of_[p] != none) groups.push_back(group_of_[p]);
  return groups;
}

// The groups that n might join: of what it reads, of other readers of the same tensors, and of what its users read
// beside it; the latest first.
std::vector<uint32_t> Former::candidates(NodeId n) const {
  std::vector<uint32_t> groups = groups_read_by(n);
  for (const Read& read : facts_.access[n].reads) {
    NodeId p = facts_.producer(read);
    if (!p.valid() || shape(p).empty() || users_[p].size() > most_readers) continue;
    for (NodeId reader : users_[p])
      if (group_of_[reader] != none) groups.push_back(group_of_[reader]);
  }
  for (NodeId user : users_[n])
    for (uint32_t g : groups_read_by(user)) groups.push_back(g);
  if (shape(n).empty() && scalars_ != none) groups.push_back(scalars_);
  std::sort(groups.begin(), groups.end(), std::greater<>());
  groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
  return groups;
}

void Former::place(NodeId n, const std::vector<uint32_t>& wanted) {
  const NodeAccess& access = facts_.access[n];
  const std::string& name = f_.values[f_.nodes[n].results[0]].name;
  if (fuse_ && !access.checks && !access.contracts) {
    std::vector<uint32_t> own = predecessors(n);
    std::vector<uint32_t> groups = candidates(n);
    for (uint32_t c : wanted)
      if (std::find(groups.begin(), groups.end(), c) == groups.end()) groups.push_back(c);
    for (uint32_t c : groups) {
      Shape prefix;
      std::string reason = refusal(groups_[c], c, n, prefix);
      if (reason.empty()) return join(c, n, std::move(prefix));
      if (std::find(own.begin(), own.end(), c) != own.end())
        groups_[c].notes.push_back("refused " + name + ": " + reason);
    }
  }
  groups_.emplace_back();
  groups_.back().root = n;
  groups_.back().contraction = access.contracts;
  groups_.back().closed = access.checks;
  uint32_t index = static_cast<uint32_t>(groups_.size() - 1);
  if (shape(n).empty() && !access.checks) scalars_ = index;
  join(index, n, shape(n));
}

void Former::write(Function& function) const {
  function.clusters.clear();
  for (const Group& group : groups_) function.clusters.push_back({{}, group.notes});
  for (Node& node : function.nodes) node.cluster = -1;
  for (NodeId n : function.nodes.ids())
    if (group_of_[n] != none) function.nodes[n].cluster = static_cast<int32_t>(group_of_[n]);
}
} // namespace

Module form_clusters(Module module, PassContext& context) {
  for (Function& function : module.functions) {
    if (!function.entry) continue;
    FunctionFacts facts(function);
    Former former(facts, context.fuse);
    former.run();
    former.write(function);
    name_clusters(module, function);
  }
  return module;
}

} // namespace dlcc::passes
