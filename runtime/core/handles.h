// handles.h: opaque handles that name a slot of a table and the generation of what is in it, so that a handle which was
// closed is known to be, whatever its slot holds by now. No handle is ever dereferenced, valid or not.
#pragma once
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>

namespace dlcc::runtime {

// `Handle` is the incomplete type of the C interface, `Pointer` a smart pointer to what it stands for.
template <class Handle, class Pointer> class HandleTable {
public:
  enum class Entry { entered, closed, busy };

  // Lives until the process ends, whatever is still open then.
  static HandleTable& get() {
    static auto* table = new HandleTable;
    return *table;
  }

  Handle* open(Pointer object) {
    std::lock_guard lock(mutex_);
    if (free_ == none) grow();
    Slot& slot = *find(free_);
    const uint64_t generation = slot.word.load(std::memory_order_relaxed) & ~flags;
    auto* handle = reinterpret_cast<Handle*>(generation | free_);
    free_ = slot.next_free;
    slot.object = std::move(object);
    slot.word.store(generation | is_open, std::memory_order_release);
    return handle;
  }

  // False if the handle was not open, or is entered by a call.
  bool close(const Handle* handle) {
    Slot* slot = find(index_of(handle));
    uint64_t word = generation_of(handle) | is_open;
    if (!slot || !slot->word.compare_exchange_strong(word, next_generation(word), std::memory_order_acq_rel))
      return false;
    Pointer object;
    {
      std::lock_guard lock(slot->mutex);
      object = std::move(slot->object);
    }
    object = nullptr; // outside of all locks: it may call back
    std::lock_guard lock(mutex_);
    slot->next_free = free_;
    free_ = index_of(handle);
    return true;
  }

  // Makes the caller the only one until `leave`; nobody closes the handle meanwhile.
  Entry enter(const Handle* handle) {
    Slot* slot = find(index_of(handle));
    const uint64_t open = generation_of(handle) | is_open;
    uint64_t word = open;
    if (!slot) return Entry::closed;
    if (slot->word.compare_exchange_strong(word, open | is_entered, std::memory_order_acquire)) return Entry::entered;
    return word == (open | is_entered) ? Entry::busy : Entry::closed;
  }
  void leave(const Handle* handle) {
    find(index_of(handle))->word.store(generation_of(handle) | is_open, std::memory_order_release);
  }
  auto& entered(const Handle* handle) { return *find(index_of(handle))->object; }

  // Calls `look` on the object, which may be in use by others but is not closed meanwhile; false if it is closed.
  template <class Look> bool look_at(const Handle* handle, Look&& look) {
    Slot* slot = find(index_of(handle));
    auto is_there = [&] {
      return (slot->word.load(std::memory_order_acquire) & ~is_entered) == (generation_of(handle) | is_open);
    };
    if (!slot || !is_there()) return false;
    std::lock_guard lock(slot->mutex);
    if (!is_there()) return false;
    look(slot->object);
    return true;
  }

private:
  // The low bits of a handle are the slot's index, those above its generation, which starts at 1: no handle is null.
  static constexpr unsigned index_bits = 24;
  static constexpr uint64_t index_mask = (uint64_t{1} << index_bits) - 1, first_generation = index_mask + 1;
  static constexpr uint32_t none = index_mask; // no slot has this index
  // A slot's word is the generation with these in the place of the index.
  static constexpr uint64_t is_open = 1, is_entered = 2, flags = is_open | is_entered;

  struct Slot {
    std::atomic<uint64_t> word{first_generation};
    std::mutex mutex; // of `object`, while it is not entered
    Pointer object;
    uint32_t next_free = none;
  };

  static uint64_t bits(const Handle* handle) { return reinterpret_cast<uint64_t>(handle); }
  static uint32_t index_of(const Handle* handle) { return static_cast<uint32_t>(bits(handle) & index_mask); }
  static uint64_t generation_of(const Handle* handle) { return bits(handle) & ~index_mask; }
  static uint64_t next_generation(uint64_t word) { return (word & ~flags) + first_generation; }

  // Chunk k holds 64 << k slots, so that slots never move.
  static constexpr unsigned first_bits = 6, n_chunks = index_bits - first_bits;
  static unsigned chunk_of(uint32_t index) {
    return static_cast<unsigned>(std::bit_width(index + (1u << first_bits))) - 1 - first_bits;
  }
  static uint32_t first_of(unsigned chunk) { return (1u << (first_bits + chunk)) - (1u << first_bits); }

  // Null if there never was such a slot.
  Slot* find(uint32_t index) const {
    const unsigned chunk = chunk_of(index);
    Slot* slots = chunk < n_chunks ? chunks_[chunk].load(std::memory_order_acquire) : nullptr;
    return slots ? slots + (index - first_of(chunk)) : nullptr;
  }

  void grow() {
    unsigned chunk = 0;
    while (chunk < n_chunks && chunks_[chunk].load(std::memory_order_relaxed)) ++chunk;
    if (chunk == n_chunks) throw std::bad_alloc();
    const uint32_t first = first_of(chunk), count = 1u << (first_bits + chunk);
    auto* slots = new Slot[count];
    for (uint32_t i = 0; i + 1 < count; ++i) slots[i].next_free = first + i + 1;
    chunks_[chunk].store(slots, std::memory_order_release);
    free_ = first;
  }

  std::mutex mutex_; // of what is free
  uint32_t free_ = none;
  std::atomic<Slot*> chunks_[n_chunks] = {};
};

} // namespace dlcc::runtime
