#include "ir/loops/verify_parts.h"

#include <algorithm>

namespace dlcc::loops {

namespace {

constexpr int64_t alignment = 64;

struct Placed {
  BufferId buffer;
  int64_t begin = 0, end = 0;
  size_t first = 0, last = 0; ///< units of time in which it must keep its value, both included
};

bool is_stored(Region r) {
  return r == Region::param || r == Region::slot || r == Region::buffer || r == Region::grad || r == Region::constant;
}

// Pairs that share bytes and time. Sorted by place, so that only buffers that share bytes are compared.
void overlaps(const Program& p, std::vector<Placed> all, const TextPlaces* places, Violations& out) {
  std::sort(all.begin(), all.end(), [](auto& a, auto& b) { return a.begin < b.begin; });
  for (size_t i = 0; i < all.size(); ++i)
    for (size_t j = i + 1; j < all.size() && all[j].begin < all[i].end; ++j) {
      const Placed &a = all[i], &b = all[j];
      if (a.begin == a.end || b.begin == b.end) continue; // no bytes, none to share
      if (places) out.at(places->buffers[b.buffer]);
      out.require(a.last < b.first || b.last < a.first, "overlap",
                  "'" + p.buffers[a.buffer].name + "' and '" + p.buffers[b.buffer].name +
                      "' are in use at the same time and share bytes from " + std::to_string(b.begin) + " on");
    }
}

bool place(const Program& p, BufferId b, Placed& placed, Violations& out) {
  const Buffer& buffer = p.buffers[b];
  bool good = buffer.offset >= 0 && buffer.offset % alignment == 0;
  out.require(good, "place",
              "'" + buffer.name + "' is at " + std::to_string(buffer.offset) + ", expected a multiple of " +
                  std::to_string(alignment));
  placed = {b, buffer.offset, buffer.offset + byte_count(buffer.type), 0, 0};
  return good;
}

void verify_arena(const Program& p, const Entry& entry, const TextPlaces* places, Violations& out) {
  std::map<BufferId, std::pair<size_t, size_t>> live;
  auto units = units_of(entry);
  auto touch = [&](BufferId b, size_t time) {
    b = p.storage(b);
    if (p.buffers[b].region != Region::arena) return;
    auto [at, added] = live.try_emplace(b, time, time);
    at->second.second = time;
  };
  for (size_t t = 0; t < units.size(); ++t)
    for (const Call* c : units[t])
      for (BufferId b : c->arguments) touch(b, t);
  for (BufferId b : entry.outputs) touch(b, units.size());
  std::vector<Placed> all;
  for (auto& [b, range] : live) {
    Placed placed;
    if (places) out.at(places->buffers[b]);
    if (!place(p, b, placed, out)) continue;
    out.require(placed.end <= entry.arena_bytes, "place",
                "'" + p.buffers[b].name + "' ends at " + std::to_string(placed.end) + ", beyond the arena of " +
                    std::to_string(entry.arena_bytes) + " bytes");
    placed.first = range.first, placed.last = range.second;
    all.push_back(placed);
  }
  overlaps(p, std::move(all), places, out);
}

} // namespace

std::vector<std::vector<const Call*>> units_of(const Entry& entry) {
  std::vector<std::vector<const Call*>> units;
  std::vector<std::pair<const Step*, bool>> work; // a step and whether it is inside a phase
  auto push = [&](const std::vector<Step>& steps, bool in_phase) {
    for (size_t i = steps.size(); i-- > 0;) work.push_back({&steps[i], in_phase});
  };
  push(entry.steps, false);
  while (!work.empty()) {
    auto [s, in_phase] = work.back();
    work.pop_back();
    if (s->kind == StepKind::phase) units.emplace_back();
    if (s->kind == StepKind::call) {
      if (!in_phase) units.emplace_back();
      units.back().push_back(&s->call);
    }
    push(s->children, in_phase || s->kind == StepKind::phase);
  }
  return units;
}

void verify_plan(const Program& p, const TextPlaces* places, Violations& out) {
  for (size_t r = 0; r <= static_cast<size_t>(Region::fault); ++r) {
    if (!is_stored(static_cast<Region>(r))) continue;
    out.at("region " + std::string(name_of(static_cast<Region>(r))), {});
    std::vector<Placed> all;
    for (BufferId b : p.buffers.ids()) {
      Placed placed;
      if (p.buffers[b].region != static_cast<Region>(r) || p.buffers[b].view_of.valid()) continue;
      if (places) out.at(places->buffers[b]);
      if (place(p, b, placed, out)) all.push_back(placed);
    }
    overlaps(p, std::move(all), places, out);
  }
  for (const Entry& e : p.entries) {
    out.at("entry " + e.name, {});
    verify_arena(p, e, places, out);
  }
}

} // namespace dlcc::loops
