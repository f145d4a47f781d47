#include "passes/memory/plan_memory.h"

#include "passes/memory/liveness.h"

#include <algorithm>
#include <functional>

namespace dlcc::passes {

using namespace loops;

namespace {
constexpr int64_t alignment = 64;
int64_t aligned(int64_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

struct Item {
  BufferId buffer;
  LiveRange range;
  int64_t bytes = 0, offset = 0;
};
bool overlap_in_time(const Item& a, const Item& b) {
  return a.range.first <= b.range.last && b.range.first <= a.range.last;
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

int64_t place_in_order(std::vector<Item>& items, const std::vector<size_t>& order) {
  std::vector<const Item*> placed;
  int64_t size = 0;
  for (size_t i : order) {
    Item& item = items[i];
    item.offset = lowest_fit(item, placed);
    size = std::max(size, item.offset + item.bytes);
    auto at = std::upper_bound(placed.begin(), placed.end(), item.offset,
                               [](int64_t o, const Item* p) { return o < p->offset; });
    placed.insert(at, &item);
  }
  return size;
}

int64_t most_alive(const std::vector<Item>& items) {
  std::map<int, int64_t> change;
  for (const Item& i : items) change[i.range.first] += i.bytes, change[i.range.last + 1] -= i.bytes;
  int64_t alive = 0, most = 0;
  for (auto& [time, delta] : change) most = std::max(most, alive += delta);
  return most;
}

std::vector<Item> best_placement(std::vector<Item> items, int64_t bound) {
  using Key = std::function<int64_t(const Item&)>;
  const Key keys[] = {
      [](const Item& i) { return -i.bytes; },                                            // large first
      [](const Item& i) { return -i.bytes * (i.range.last - i.range.first + 1); },       // large and long first
      [](const Item& i) { return -static_cast<int64_t>(i.range.last - i.range.first); }, // long first
      [](const Item& i) { return static_cast<int64_t>(i.range.first); },                 // in order of time
  };
  std::vector<Item> best;
  int64_t best_size = INT64_MAX;
  for (const Key& key : keys) {
    std::vector<size_t> order(items.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return key(items[a]) < key(items[b]); });
    int64_t size = place_in_order(items, order);
    if (size < best_size) best = items, best_size = size;
    if (best_size <= bound) break;
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
  for (const Item& i : items) {
    program.buffers[i.buffer].offset = i.offset;
    entry.arena_bytes = std::max(entry.arena_bytes, i.offset + i.bytes);
  }
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
  program.stage = Stage::planned;
  return program;
}

} // namespace dlcc::passes
