#include "frontend/read/topology.h"

#include <algorithm>

namespace dlcc::frontend {

namespace {
struct Visit {
  uint32_t item;
  size_t next = 0; ///< of its needs
};

// From the path of a depth-first search that came back to `start`. The path runs against the needs, the cycle along
// them, from its first member as given.
std::vector<uint32_t> cycle_of(const std::vector<Visit>& path, uint32_t start) {
  std::vector<uint32_t> cycle;
  for (size_t i = path.size(); i-- > 0;) {
    cycle.push_back(path[i].item);
    if (path[i].item == start) break;
  }
  std::rotate(cycle.begin(), std::min_element(cycle.begin(), cycle.end()), cycle.end());
  return cycle;
}
} // namespace

Topology sort_by_need(const Needs& needs) {
  enum : char { unseen, open, done };
  std::vector<char> state(needs.size(), unseen);
  std::vector<Visit> path;
  Topology out;
  for (uint32_t root = 0; root < needs.size(); ++root) {
    if (state[root] != unseen) continue;
    path.push_back({root}), state[root] = open;
    while (!path.empty()) {
      Visit& top = path.back();
      if (top.next == needs[top.item].size()) {
        state[top.item] = done;
        out.order.push_back(top.item);
        path.pop_back();
        continue;
      }
      uint32_t need = needs[top.item][top.next++];
      if (state[need] == open) {
        out.cycle = cycle_of(path, need);
        return out;
      }
      if (state[need] == unseen) path.push_back({need}), state[need] = open;
    }
  }
  return out;
}

std::vector<char> needed_by(const std::vector<uint32_t>& wanted, const Needs& needs,
                            const std::vector<uint32_t>& order) {
  std::vector<char> needed(needs.size());
  for (uint32_t item : wanted) needed[item] = 1;
  for (size_t i = order.size(); i-- > 0;)
    if (needed[order[i]])
      for (uint32_t need : needs[order[i]]) needed[need] = 1;
  return needed;
}

std::string cycle_text(const std::vector<uint32_t>& cycle, const std::function<std::string(uint32_t)>& name) {
  constexpr size_t shown = 3;
  std::string text;
  for (size_t i = 0; i < cycle.size(); ++i) {
    if (cycle.size() > 2 * shown && i == shown) text += "... -> ", i = cycle.size() - shown;
    text += name(cycle[i]) + " -> ";
  }
  return text + name(cycle[0]);
}

} // namespace dlcc::frontend
