#include "runtime/data/dataset.h"

#include "runtime/core/values.h"
#include "runtime/data/error.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>
#include <utility>

namespace dlcc::data {

Bytes::Bytes(Bytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Bytes& Bytes::operator=(Bytes&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

Bytes::~Bytes() { std::free(data_); }

namespace {
constexpr int64_t huge_page = 2 << 20;

// Large arrays in huge pages: each row of a shuffled batch would miss the TLB otherwise.
void* allocate(int64_t size) {
  if (size < 2 * huge_page) return std::malloc(static_cast<size_t>(size > 0 ? size : 1));
  auto rounded = static_cast<size_t>((size + huge_page - 1) / huge_page * huge_page);
  void* p = std::aligned_alloc(huge_page, rounded);
  if (p) madvise(p, rounded, MADV_HUGEPAGE);
  return p;
}
} // namespace

void Bytes::resize(int64_t size) {
  if (size <= size_ && size > size_ / 2) {
    size_ = size;
    return;
  }
  void* p = allocate(size);
  if (!p)
    throw DataError(Code::resources, "", 0, 0, "no memory for " + std::to_string(size) + " bytes of data", "memory");
  if (data_) std::memcpy(p, data_, static_cast<size_t>(std::min(size, size_)));
  std::free(data_);
  data_ = static_cast<std::byte*>(p);
  size_ = size;
}

int64_t Column::elements() const { return checked_product(shape).value_or(0); }

const Column* Dataset::find(std::string_view name) const {
  for (const Column& c : columns)
    if (c.name == name) return &c;
  return nullptr;
}

std::optional<int64_t> checked_multiply(int64_t a, int64_t b) {
  int64_t r;
  if (a < 0 || b < 0 || __builtin_mul_overflow(a, b, &r)) return {};
  return r;
}

std::optional<int64_t> checked_product(std::span<const int64_t> shape) {
  std::optional<int64_t> r = 1;
  for (int64_t d : shape)
    if (!(r = checked_multiply(*r, d))) return {};
  return r;
}

std::string shape_text(std::span<const int64_t> shape) {
  std::string out = "[";
  for (size_t i = 0; i < shape.size(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + "]";
}

std::string_view type_name(ElementType t) {
  switch (t) {
  case ElementType::f32:
    return "f32";
  case ElementType::f64:
    return "f64";
  case ElementType::i8:
    return "i8";
  case ElementType::u8:
    return "u8";
  case ElementType::i32:
    return "i32";
  case ElementType::i64:
    return "i64";
  case ElementType::boolean:
    return "bool";
  }
  return "?";
}

double value_at(const std::byte* values, ElementType t, int64_t i) {
  return runtime::value_at(values, static_cast<int32_t>(t), i);
}

bool overflows_f32(double v) { return std::isfinite(v) && std::isinf(static_cast<float>(v)); }

uint64_t hash_bytes(const std::byte* data, int64_t size, uint64_t seed) {
  uint64_t h = seed ^ static_cast<uint64_t>(size);
  auto mix = [&](const std::byte* p, int64_t n) {
    uint64_t word = 0;
    std::memcpy(&word, p, static_cast<size_t>(n));
    h = std::rotl((h ^ word) * 0x100000001b3u, 29);
  };
  int64_t i = 0;
  for (; i + 8 <= size; i += 8) mix(data + i, 8);
  if (i < size) mix(data + i, size - i);
  return h;
}

void hash_dataset(Dataset& d) {
  auto text = [](const std::string& s, uint64_t h) {
    return hash_bytes(reinterpret_cast<const std::byte*>(s.data()), static_cast<int64_t>(s.size()), h);
  };
  d.hash = hash_bytes(nullptr, 0);
  for (const Column& c : d.columns) {
    d.hash = text(c.name + ":" + std::string(type_name(c.type)) + shape_text(c.shape), d.hash);
    d.hash = hash_bytes(c.values.data(), c.values.size(), d.hash);
    for (const TableColumn& t : c.table)
      for (const std::string& category : t.texts) d.hash = text(category, d.hash);
  }
}

} // namespace dlcc::data
