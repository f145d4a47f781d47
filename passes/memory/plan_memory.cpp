#include "passes/memory/plan_memory.h"

#include "passes/memory/liveness.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>

namespace dlcc::passes {

using namespace loops;

namespace {
constexpr int64_t alignment = 64;
// Placing in an order of size takes time that grows with the square of the number of buffers.
constexpr size_t most_items_to_order = 10000;
int64_t aligned(int64_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

struct Item {
  BufferId buffer;
  LiveRange range;
  int64_t bytes = 0, offset = 0;
};
bool overlap_in_time(const Item& a, const Item& b) {
  return a.range.first <= b.range.last && b.range.first <= a.range.last;
}

int64_t end_of(const std::vector<Item>& items) {
  int64_t end = 0;
  for (const Item& i : items) end = std::max(end, i.offset + i.bytes);
  return end;
}

/// What is free at one moment: runs of bytes, the last without an end.
class FreeList {
public:
  /// The lowest run that is long enough.
  int64_t take(int64_t bytes) {
    auto run = runs_.begin();
    while (run->second - run->first < bytes) ++run;
    auto [begin, end] = *run;
    runs_.erase(run);
    if (begin + bytes < end) runs_.emplace(begin + bytes, end);
    return begin;
  }
  void give_back(int64_t begin, int64_t end) {
    auto next = runs_.lower_bound(begin);
    if (next != runs_.begin() && std::prev(next)->second == begin) {
      begin = std::prev(next)->first;
      runs_.erase(std::prev(next));
    }
    if (next->first == end) end = next->second, next = runs_.erase(next);
    runs_.emplace_hint(next, begin, end);
  }

private:
  std::map<int64_t, int64_t> runs_{{0, INT64_MAX}};
};

// Each item at the lowest offset that is free when its life begins.
void place_in_time(std::vector<Item>& items) {
  std::vector<std::vector<Item*>> born, dead;
  for (Item& i : items) {
    auto last = static_cast<size_t>(i.range.last);
    if (last >= dead.size()) born.resize(last + 1), dead.resize(last + 1);
    born[static_cast<size_t>(i.range.first)].push_back(&i);
    dead[last].push_back(&i);
  }
  FreeList free;
  for (size_t t = 0; t < born.size(); ++t) {
    for (Item* i : born[t]) i->offset = free.take(i->bytes);
    for (Item* i : dead[t])
      if (i->bytes) free.give_back(i->offset, i->offset + i->bytes);
  }
}

// Lowest offset where the item collides with nothing placed so far that lives at the same time.
int64_t lowest_fit(const Item& item, const std::vector<const Item*>& placed_by_offset) {
  int64_t offset = 0;
  for (const Item* p : placed_by_offset) {
    if (!overlap_in_time(item, *p)) continue;
    if (offset + item.bytes <= p->offset) break;
    offset = std::max(offset, p->offset + p->bytes);
  }
  return offset;
}

void place_in_order(std::vector<Item>& items, const std::vector<size_t>& order) {
  std::vector<const Item*> placed;
  for (size_t i : order) {
    Item& item = items[i];
    item.offset = lowest_fit(item, placed);
    auto at = std::upper_bound(placed.begin(), placed.end(), item.offset,
                               [](int64_t o, const Item* p) { return o < p->offset; });
    placed.insert(at, &item);
  }
}

int64_t most_alive(const std::vector<Item>& items) {
  std::map<int, int64_t> change;
  for (const Item& i : items) change[i.range.first] += i.bytes, change[i.range.last + 1] -= i.bytes;
  int64_t alive = 0, most = 0;
  for (auto& [time, delta] : change) most = std::max(most, alive += delta);
  return most;
}

std::vector<Item> best_placement(std::vector<Item> items, int64_t bound) {
  place_in_time(items);
  std::vector<Item> best = items;
  if (items.size() > most_items_to_order) return best;
  using Key = int64_t (*)(const Item&);
  constexpr Key keys[] = {
      [](const Item& i) { return -i.bytes; },                                            // large first
      [](const Item& i) { return -i.bytes * (i.range.last - i.range.first + 1); },       // large and long first
      [](const Item& i) { return -static_cast<int64_t>(i.range.last - i.range.first); }, // long first
  };
  for (Key key : keys) {
    if (end_of(best) <= bound) break;
    std::vector<size_t> order(items.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return key(items[a]) < key(items[b]); });
    place_in_order(items, order);
    if (end_of(items) < end_of(best)) best = items;
  }
  return best;
}

void place_one_after_the_other(std::vector<Item>& items) {
  int64_t offset = 0;
  for (Item& i : items) i.offset = offset, offset += i.bytes;
}

void plan_entry(Program& program, Entry& entry, bool share) {
  std::vector<Item> items;
  int64_t without_reuse = 0;
  for (auto& [b, range] : live_ranges(program, entry)) {
    items.push_back({b, range, aligned(byte_count(program.buffers[b].type)), 0});
    without_reuse += items.back().bytes;
  }
  int64_t bound = most_alive(items);
  if (!items.empty() && share)
    items = best_placement(std::move(items), bound);
  else
    place_one_after_the_other(items);
  for (const Item& i : items) program.buffers[i.buffer].offset = i.offset;
  entry.arena_bytes = end_of(items);
  double gap = bound ? 100.0 * static_cast<double>(entry.arena_bytes - bound) / static_cast<double>(bound) : 0;
  char text[160];
  snprintf(text, sizeof text, "max-live %lld bytes, reached %lld, gap %.1f %%, without reuse %lld",
           static_cast<long long>(bound), static_cast<long long>(entry.arena_bytes), gap,
           static_cast<long long>(without_reuse));
  entry.notes.push_back(text);
}

void plan_regions(Program& program) {
  std::map<Region, int64_t> end;
  for (Buffer& b : program.buffers) {
    bool stored = b.region == Region::param || b.region == Region::slot || b.region == Region::buffer ||
                  b.region == Region::grad || b.region == Region::constant;
    if (!stored || b.view_of.valid()) continue;
    b.offset = end[b.region];
    end[b.region] += aligned(byte_count(b.type));
  }
}
} // namespace

namespace {
// No machine has so much, and offsets must not overflow.
void require_countable(const Program& program) {
  double bytes = 0;
  for (const Buffer& b : program.buffers)
    if (!b.view_of.valid()) bytes += static_cast<double>(byte_count(b.type)) + alignment;
  if (bytes > 0x1p62)
    throw UserError(ExitCode::environment, "memory-limit", "the model needs more than 2^62 bytes of memory");
}
} // namespace

Program plan_memory(Program program, PassContext& context) {
  require_countable(program);
  plan_regions(program);
  for (Entry& entry : program.entries) plan_entry(program, entry, context.share_memory);
  for (BufferId b : program.buffers.ids())
    if (program.buffers[b].view_of.valid()) program.buffers[b].offset = program.buffers[program.storage(b)].offset;
  return program;
}

} // namespace dlcc::passes
