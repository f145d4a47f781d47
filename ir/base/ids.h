// Typed 32-bit ids and vectors indexed by them: cheap, printable, comparable, never dangling, and a node
// cannot be mistaken for a buffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <utility>
#include <vector>

namespace dlcc {

template <class Tag> struct Id {
  static constexpr uint32_t none = UINT32_MAX;
  uint32_t index = none;

  constexpr Id() = default;
  constexpr explicit Id(size_t i) : index(static_cast<uint32_t>(i)) {}
  constexpr bool valid() const { return index != none; }
  friend constexpr bool operator==(Id, Id) = default;
  friend constexpr auto operator<=>(Id, Id) = default;
};

/// A std::vector whose index type is IdType. With std::deque as its storage, references stay good when items are added.
template <class IdType, class T, class Storage = std::vector<T>> class IdVector {
public:
  IdVector() = default;
  explicit IdVector(size_t n, T value = T()) : items_(n, std::move(value)) {}

  decltype(auto) operator[](IdType id) { return items_[id.index]; }
  decltype(auto) operator[](IdType id) const { return items_[id.index]; }
  IdType push(T item) {
    items_.push_back(std::move(item));
    return IdType(items_.size() - 1);
  }
  size_t size() const { return items_.size(); }
  bool empty() const { return items_.empty(); }
  void resize(size_t n, T value = T()) { items_.resize(n, std::move(value)); }
  IdType next() const { return IdType(items_.size()); }
  auto begin() { return items_.begin(); }
  auto end() { return items_.end(); }
  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }

  /// The ids in order, for `for (ValueId v : values.ids())`.
  struct IdRange {
    struct Iterator {
      uint32_t i;
      IdType operator*() const { return IdType(i); }
      Iterator& operator++() { return ++i, *this; }
      bool operator!=(const Iterator& o) const { return i != o.i; }
    };
    uint32_t count;
    Iterator begin() const { return {0}; }
    Iterator end() const { return {count}; }
  };
  IdRange ids() const { return {static_cast<uint32_t>(items_.size())}; }

private:
  Storage items_;
};

template <class IdType, class T> using StableIdVector = IdVector<IdType, T, std::deque<T>>;

} // namespace dlcc

template <class Tag> struct std::hash<dlcc::Id<Tag>> {
  size_t operator()(dlcc::Id<Tag> id) const noexcept { return id.index; }
};
