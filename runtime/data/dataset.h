// Data in memory: one typed, contiguous, row-major array per tensor, with all samples.
#pragma once

#include "runtime/data/spec.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace dlcc::data {

/// Owned bytes that are not cleared when they are allocated. Allocation failures are DataErrors (resources).
class Bytes {
public:
  Bytes() = default;
  explicit Bytes(int64_t size) { resize(size); }
  Bytes(Bytes&& other) noexcept;
  Bytes& operator=(Bytes&& other) noexcept;
  ~Bytes();

  void resize(int64_t size); ///< keeps what is there; new bytes are undefined
  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }
  int64_t size() const { return size_; }
  template <class T> T* as() { return reinterpret_cast<T*>(data_); }
  template <class T> const T* as() const { return reinterpret_cast<const T*>(data_); }

private:
  std::byte* data_ = nullptr;
  int64_t size_ = 0;
};

/// Where a sample of a column stood, for messages.
struct Origin {
  std::string file;
  int64_t offset = -1;         ///< of the first sample in the (unpacked) file; -1: unknown
  int64_t stride = 0;          ///< bytes from sample to sample in the file
  std::vector<uint32_t> lines; ///< csv: line of each sample
};

/// What one value of a sample was in a table.
struct TableColumn {
  std::string name; ///< in the header; its number where there is none
  runtime::CellCode code = runtime::CellCode::number;
  runtime::UnknownRule unknown = runtime::UnknownRule::error;
  std::vector<std::string> categories; ///< if the model lists them
  std::vector<std::string> texts;      ///< of an index or one_hot column: its values are places here, -1 = missing
};

struct Column {
  std::string name; ///< the tensor it feeds
  ElementType type = ElementType::f32;
  std::vector<int64_t> shape; ///< of one sample, as the file has it
  Bytes values;
  Origin origin;
  std::vector<TableColumn> table; ///< one a value, of a table that is not encoded yet
  std::vector<int64_t> missing;   ///< places in `values` of numbers that are missing

  int64_t elements() const; ///< in a sample
  int64_t row_bytes() const { return elements() * byte_size(type); }
};

/// A column of a table that is kept as text.
struct TextColumn {
  std::string name;
  std::vector<std::string> cells;
};

struct Dataset {
  std::vector<Column> columns; ///< in the order of the model's tensors
  std::vector<TextColumn> kept;
  int64_t samples = 0;
  uint64_t hash = 0;                 ///< of names, types, shapes and values
  std::vector<std::string> warnings; ///< whole lines, ready to print

  const Column* find(std::string_view name) const;
};

/// a * b, or nothing if it does not fit; both >= 0.
std::optional<int64_t> checked_multiply(int64_t a, int64_t b);
/// The product of all dimensions, or nothing if one is negative or the product does not fit.
std::optional<int64_t> checked_product(std::span<const int64_t> shape);
/// "[28, 28, 1]"
std::string shape_text(std::span<const int64_t> shape);
std::string_view type_name(ElementType t);

/// Element `i` of values of type `t`, exact but for i64 beyond 2^53.
double value_at(const std::byte* values, ElementType t, int64_t i);

/// Whether rounding to f32 (to nearest, as everywhere) makes an infinity of a finite number: from halfway between the
/// largest finite f32 and 2^128 on.
bool overflows_f32(double v);

/// A fast 64-bit hash of bytes (FNV-1a over 8-byte words with a rotation); not cryptographic.
uint64_t hash_bytes(const std::byte* data, int64_t size, uint64_t seed = 0xcbf29ce484222325u);
/// Fills in `hash`.
void hash_dataset(Dataset& d);

} // namespace dlcc::data
