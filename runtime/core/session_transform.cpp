// What was fitted on the training data, as a session applies it: to inputs, and backwards to predictions.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "runtime/core/cell.h"
#include "runtime/core/error.h"
#include "runtime/core/session.h"
#include "runtime/core/values.h"

namespace dlcc::runtime {

namespace {

// False if the type has no such value.
template <class T> bool store(double v, char* at) {
  T out{};
  if constexpr (std::is_floating_point_v<T>) {
    out = static_cast<T>(v);
    if (std::isfinite(v) && !std::isfinite(out)) return false;
  } else {
    constexpr double low = static_cast<double>(std::numeric_limits<T>::min());
    constexpr double beyond = 2.0 * static_cast<double>(std::numeric_limits<T>::max() / 2 + 1);
    if (!(v > low - 0.5 && v + 0.5 < beyond)) return false;
    out = static_cast<T>(v < 0 ? v - 0.5 : v + 0.5); // there is no libm here
    if (!(std::fabs(v - static_cast<double>(out)) < 1e-9)) return false;
  }
  std::memcpy(at, &out, sizeof out);
  return true;
}

bool put_value(int32_t dtype, double v, char* at) {
  switch (dtype) {
  case DLCC_F32:
    return store<float>(v, at);
  case DLCC_F64:
    return store<double>(v, at);
  case DLCC_I8:
    return store<int8_t>(v, at);
  case DLCC_U8:
    return store<uint8_t>(v, at);
  case DLCC_BOOL:
    return v <= 1 && store<uint8_t>(v, at);
  case DLCC_I32:
    return store<int32_t>(v, at);
  case DLCC_I64:
    return store<int64_t>(v, at);
  default:
    fail(DLCC_E_DTYPE, "values of type %s cannot be made", dtype_name(dtype));
  }
}

std::string quoted(std::string_view text) { return "'" + escape(text, 60) + "'"; }

} // namespace

const FittedTransform& Session::transform(const char* tensor) {
  if (auto known = transforms_.find(tensor); known != transforms_.end()) return known->second;
  std::optional<FittedTransform> read = from_attachments(finder_in(attachments_), tensor);
  if (!read)
    fail(DLCC_E_NOTFOUND, "the session knows no transform of %s: load a checkpoint of a run of dlcc train",
         quoted(tensor).c_str());
  check_values_of_sample(*read, tensor, sample(tensor, *read).to);
  return transforms_.emplace(tensor, std::move(*read)).first->second;
}

Session::Sample Session::sample(const char* tensor, const FittedTransform& t) const {
  const int32_t i = module_->find_tensor(tensor);
  if (i < 0) fail(DLCC_E_NOTFOUND, "the module has no tensor %s", quoted(tensor).c_str());
  const dlcc_tensor_desc& d = module_->tensor(i);
  Sample s{1, 1, d.dtype};
  for (int axis = 0; axis < d.rank; ++axis)
    if (axis != d.batch_axis) s.to *= d.dims[axis];
  s.from = s.to / std::max<int64_t>(t.classes, 1);
  return s;
}

// One sample: values of the file's to those of the model's.
void Session::write_sample(const char* tensor, const FittedTransform& t, const std::vector<double>& values, int64_t row,
                           char* out) const {
  const Sample s = sample(tensor, t);
  const auto size = static_cast<int64_t>(dtype_bytes(s.dtype));
  auto put = [&](int64_t at, double v) {
    if (!put_value(s.dtype, v, out + at * size))
      fail(DLCC_E_ARG, "%s: %g in row %lld does not fit %s", quoted(tensor).c_str(), v, 0LL + row, dtype_name(s.dtype));
  };
  for (int64_t e = 0; e < s.from; ++e) {
    const double v = t.apply(values[static_cast<size_t>(e)], e);
    if (t.classes == 0) {
      put(e, v);
      continue;
    }
    if (!(v >= 0 && v < static_cast<double>(t.classes) && static_cast<double>(static_cast<int64_t>(v)) == v))
      fail(DLCC_E_ARG, "%s: %g in row %lld is none of %lld classes", quoted(tensor).c_str(), v, 0LL + row,
           0LL + t.classes);
    for (int64_t k = 0; k < t.classes; ++k) put(e * t.classes + k, static_cast<double>(k) == v ? 1 : 0);
  }
}

void Session::check_samples(const char* tensor, const Sample& s, int64_t rows, const dlcc_view& out) const {
  const auto made = static_cast<int64_t>(value_count(out, "out"));
  if (out.dtype != s.dtype)
    fail(DLCC_E_DTYPE, "out: dtype is %s, %s takes %s", dtype_name(out.dtype), quoted(tensor).c_str(),
         dtype_name(s.dtype));
  if (made != rows * s.to)
    fail(DLCC_E_SHAPE, "out: %lld values, expected %lld for %lld rows of %s", 0LL + made, 0LL + rows * s.to, 0LL + rows,
         quoted(tensor).c_str());
}

void Session::apply_transform(const char* tensor, const dlcc_view& in, const dlcc_view& out) {
  const FittedTransform& t = transform(tensor);
  const Sample s = sample(tensor, t);
  if (t.has_categories()) fail(DLCC_E_ARG, "%s has columns of text: call dlcc_transform_cells", quoted(tensor).c_str());
  const auto n = static_cast<int64_t>(value_count(in, "in"));
  if (s.from == 0 || n % s.from != 0)
    fail(DLCC_E_SHAPE, "in: %lld values, expected a multiple of %lld for %s", 0LL + n, 0LL + s.from,
         quoted(tensor).c_str());
  const int64_t rows = n / s.from;
  check_samples(tensor, s, rows, out);
  const auto made = static_cast<int64_t>(dtype_bytes(s.dtype));
  std::vector<double> values(static_cast<size_t>(s.from));
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t e = 0; e < s.from; ++e) values[static_cast<size_t>(e)] = value_at(in.data, in.dtype, r * s.from + e);
    write_sample(tensor, t, values, r, static_cast<char*>(out.data) + r * s.to * made);
  }
}

void Session::undo_transform(const char* tensor, const dlcc_view& in, const dlcc_view& out) {
  const FittedTransform& t = transform(tensor);
  const Sample s = sample(tensor, t);
  if (t.classes > 0) fail(DLCC_E_ARG, "%s is one of classes: there is nothing to undo", quoted(tensor).c_str());
  const auto n = static_cast<int64_t>(value_count(in, "in"));
  if (s.from == 0 || n % s.from != 0)
    fail(DLCC_E_SHAPE, "in: %lld values, expected a multiple of %lld for %s", 0LL + n, 0LL + s.from,
         quoted(tensor).c_str());
  if (out.dtype != DLCC_F64) fail(DLCC_E_DTYPE, "out: dtype is %s, expected f64", dtype_name(out.dtype));
  if (static_cast<int64_t>(value_count(out, "out")) != n) fail(DLCC_E_SHAPE, "out: not as many values as in");
  for (int64_t i = 0; i < n; ++i) {
    const double v = t.undo(value_at(in.data, in.dtype, i), i % s.from);
    std::memcpy(static_cast<char*>(out.data) + i * static_cast<int64_t>(sizeof v), &v, sizeof v);
  }
}

// The values of one row of cells; a cell of null is a missing one.
static void encode_row(const FittedTransform& t, const std::vector<const char*>& cells, int64_t row, double* out) {
  for (size_t i = 0; i < t.columns.size(); ++i) {
    const FittedColumn& c = t.columns[i];
    const std::string_view cell = cells[i] ? trimmed(cells[i]) : std::string_view();
    const bool missing = !cells[i] || t.is_missing(cell);
    auto refuse = [&](const char* what) {
      fail(DLCC_E_ARG, "column %s, row %lld: %s %s", quoted(c.name).c_str(), 0LL + row,
           missing ? "a missing value" : quoted(cell).c_str(), what);
    };
    if (c.code != CellCode::number) {
      if (!c.put(missing ? -1 : c.categories.position(cell), out)) refuse("is none of the categories");
    } else if (missing) {
      if (std::isnan(c.missing)) refuse("where a number is expected");
      *out = c.missing;
    } else {
      const std::optional<double> v = cell_number(cell);
      if (!v || is_overflow(cell, *v)) refuse("is no number of f64");
      *out = *v;
    }
    out += c.width();
  }
}

void Session::transform_cells(const char* tensor, const char* const* names, int n_columns, const char* const* cells,
                              int64_t n_rows, const dlcc_view& out) {
  const FittedTransform& t = transform(tensor);
  const Sample s = sample(tensor, t);
  if (t.columns.empty())
    fail(DLCC_E_ARG, "%s was not trained on a table: call dlcc_transform_apply", quoted(tensor).c_str());
  if (n_columns < 0 || n_rows < 0 || n_rows > PTRDIFF_MAX / std::max<int64_t>(s.to, 1))
    fail(DLCC_E_ARG, "n_columns is %d, n_rows %lld", n_columns, 0LL + n_rows);
  std::vector<size_t> places;
  std::string absent;
  for (const FittedColumn& c : t.columns) {
    const auto same = [&](const char* name) { return name && c.name == name; };
    const auto at = std::find_if(names, names + n_columns, same);
    if (at == names + n_columns) absent += (absent.empty() ? "" : ", ") + quoted(c.name);
    places.push_back(static_cast<size_t>(at - names));
  }
  if (!absent.empty()) fail(DLCC_E_ARG, "no column %s", absent.c_str());
  check_samples(tensor, s, n_rows, out);
  std::vector<const char*> row(places.size());
  std::vector<double> values(static_cast<size_t>(s.from));
  for (int64_t r = 0; r < n_rows; ++r) {
    for (size_t i = 0; i < places.size(); ++i)
      row[i] = cells[static_cast<size_t>(r) * static_cast<size_t>(n_columns) + places[i]];
    encode_row(t, row, r, values.data());
    write_sample(tensor, t, values, r,
                 static_cast<char*>(out.data) + r * s.to * static_cast<int64_t>(dtype_bytes(s.dtype)));
  }
}

const std::string& Session::class_name(const char* label, int64_t number) {
  const std::string* name = transform(label).class_name(number);
  if (!name) fail(DLCC_E_NOTFOUND, "%s has no category %lld", quoted(label).c_str(), 0LL + number);
  return *name;
}

} // namespace dlcc::runtime
