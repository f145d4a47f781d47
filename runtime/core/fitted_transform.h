// fitted_transform.h: how the values of one input or label become what the model takes, and back: what was fitted on
// the training data, as it travels with the parameters.
#pragma once
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/core/attachment.h"
#include "runtime/core/cell.h"

namespace dlcc::runtime {

// The texts that a column may hold, by position.
class Categories {
public:
  Categories() = default;
  explicit Categories(std::vector<std::string> names);
  const std::vector<std::string>& names() const { return names_; }
  int64_t size() const { return static_cast<int64_t>(names_.size()); }
  int64_t position(std::string_view name) const; // -1: not among them

private:
  std::vector<std::string> names_;
  std::map<std::string, int64_t, std::less<>> positions_;
};

// A column of a table.
struct FittedColumn {
  std::string name; // in the header; its number where there is none
  CellCode code = CellCode::number;
  UnknownRule unknown = UnknownRule::error;
  Categories categories;
  double missing = std::numeric_limits<double>::quiet_NaN(); // instead of a missing number; NaN: refused

  int64_t classes() const { return categories.size() + (unknown == UnknownRule::extra); }
  int64_t width() const { return code == CellCode::one_hot ? classes() : 1; } // values that a cell becomes
  // Writes the values of a category, -1 for an unknown one; false if it is refused.
  bool put(int64_t position, double* out) const;
};

struct FittedTransform {
  std::vector<FittedColumn> columns;          // of a table; empty: the values came as numbers
  std::vector<std::string> missing_spellings; // cells that say that a value is missing
  // Then (x - center) * scale, one number each or one per element of a sample; then one-hot, if `classes` is not 0.
  std::vector<double> center{0}, scale{1};
  int64_t classes = 0;

  bool has_categories() const;
  bool is_missing(std::string_view cell) const; // trimmed
  int64_t width() const;                        // values that a row of the table becomes
  bool affine() const { return center.size() > 1 || center[0] != 0 || scale[0] != 1; }
  bool identity() const { return classes == 0 && !affine(); }
  double apply(double x, int64_t element) const {
    const size_t e = center.size() > 1 ? static_cast<size_t>(element) : 0;
    return (x - center[e]) * scale[e];
  }
  double undo(double y, int64_t element) const {
    const size_t e = center.size() > 1 ? static_cast<size_t>(element) : 0;
    return y / scale[e] + center[e];
  }
  // The category that a class number of the model stands for; null if there is none.
  const std::string* class_name(int64_t number) const;
};

// As attachments: data/<tensor>/center, scale, classes; for a table also columns, codes, missing, missing_spellings and
// categories/<column>. Texts are bytes, each ended by a NUL.
std::map<std::string, Attachment> to_attachments(const FittedTransform& transform, const std::string& tensor);

// The view of a name, if there is such an attachment.
using FindAttachment = std::function<std::optional<dlcc_view>(const std::string& name)>;
// Among these, which must outlive it.
FindAttachment finder_in(const Attachments& attachments);
// Throws Error(DLCC_E_MISMATCH) unless the transform makes `values` values of a sample.
void check_values_of_sample(const FittedTransform& transform, const std::string& tensor, int64_t values);
// Nothing if there is none for `tensor`. Throws Error(DLCC_E_CORRUPT) if one is damaged: every size, code and count is
// checked.
std::optional<FittedTransform> from_attachments(const FindAttachment& find, const std::string& tensor);

} // namespace dlcc::runtime
