#include "runtime/data/table.h"

#include "runtime/data/error.h"
#include "runtime/data/moments.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace dlcc::data {

using runtime::CellCode;
using runtime::FittedColumn;

namespace {

// As many of the names as a message holds.
std::string list_of(const std::vector<std::string>& names) {
  constexpr size_t most = 8;
  std::string out;
  for (size_t i = 0; i < std::min(names.size(), most); ++i) out += (i ? ", " : "") + escape(names[i], 30);
  return out + (names.size() > most ? ", ..." : "");
}

std::vector<std::string> learned_categories(const Column& raw, size_t column, const Rows& fit) {
  const TableColumn& t = raw.table[column];
  std::vector<bool> seen(t.texts.size(), false);
  for (int64_t i = 0; i < fit.count; ++i) {
    const double place =
        value_at(raw.values.data(), raw.type, fit.at(i) * raw.elements() + static_cast<int64_t>(column));
    if (place >= 0) seen[static_cast<size_t>(place)] = true;
  }
  std::vector<std::string> out;
  for (size_t k = 0; k < seen.size(); ++k)
    if (seen[k]) out.push_back(t.texts[k]);
  std::sort(out.begin(), out.end());
  if (out.empty())
    throw DataError(raw.origin.file, "column " + quoted(t.name) + " holds no text to learn categories from",
                    "categories");
  return out;
}

Moments numbers_of(const Column& raw, const Rows& fit) {
  return moments(raw.table.size(), [&](auto see) {
    for (int64_t i = 0; i < fit.count; ++i)
      for (size_t c = 0; c < raw.table.size(); ++c) {
        const int64_t place = fit.at(i) * raw.elements() + static_cast<int64_t>(c);
        if (std::binary_search(raw.missing.begin(), raw.missing.end(), place)) continue;
        const double y = value_at(raw.values.data(), raw.type, place);
        if (std::isfinite(y)) see(c, y);
      }
  });
}

class Encoder {
public:
  Encoder(Column& column, const FittedTransform& fitted, const TensorSpec& tensor)
      : column_(column), fitted_(fitted), tensor_(tensor) {}

  void check_columns() const {
    const bool has_text = std::any_of(column_.table.begin(), column_.table.end(),
                                      [](const TableColumn& t) { return t.code != CellCode::number; });
    if (column_.table.empty() && fitted_.has_categories())
      fail("columns of text were trained on (" + list_of(names_of(fitted_.columns)) + "), expected csv");
    if (fitted_.columns.empty() && (has_text || !column_.missing.empty()))
      fail("no text and no missing values were trained on, expected numbers");
    if (column_.table.empty() || fitted_.columns.empty()) return;
    auto same_code = [](const TableColumn& a, const FittedColumn& b) { return a.code == b.code; };
    const auto here = names_of(column_.table), there = names_of(fitted_.columns);
    const std::set<std::string> these(here.begin(), here.end()), those(there.begin(), there.end());
    if (!std::equal(column_.table.begin(), column_.table.end(), fitted_.columns.begin(), fitted_.columns.end(),
                    same_code) ||
        (these == those && here != there))
      fail("the columns " + list_of(there) + " were trained on, in this order; found " + list_of(here));
  }

  void check_width(const Plan& plan) const {
    const int64_t width = fitted_.columns.empty() ? column_.elements() : fitted_.width();
    if (width == plan.elements) return;
    std::string parts;
    int64_t numbers = 0;
    for (const FittedColumn& c : fitted_.columns)
      if (c.code == CellCode::one_hot)
        parts += ", " + std::to_string(c.width()) + " of " + quoted(c.name);
      else
        ++numbers;
    std::string text = "gets " + std::to_string(width) + " values a sample (" +
                       (numbers ? std::to_string(numbers) + " of columns of numbers" + parts
                                : parts.substr(std::min<size_t>(parts.size(), 2))) +
                       "), the model takes " + std::to_string(plan.elements);
    if (plan.shape == tensor_.shape && plan.shape.size() == 1)
      text += ", expected \"shape\": [\"N\", " + std::to_string(width) + "]";
    fail(text);
  }

  // An index must be one of the model's classes, whether or not the last one occurs.
  void check_classes() const {
    const int64_t classes = tensor_.classes >= 0 ? tensor_.classes : tensor_.high == 1 ? 2 : INT64_MAX;
    for (const FittedColumn& c : fitted_.columns)
      if (c.code == CellCode::index && c.classes() > classes)
        fail("column " + quoted(c.name) + " has " + std::to_string(c.classes()) + " categories (" +
             list_of(c.categories.names()) + "), the model has " + std::to_string(classes) + " classes");
  }

  void fill_missing() {
    for (int64_t place : column_.missing) {
      const auto c = static_cast<size_t>(place % column_.elements());
      const double v = fitted_.columns[c].missing;
      if (std::isnan(v)) fail_cell(place, "a missing value, no rule for them was trained with");
      column_.values.as<double>()[place] = v;
    }
    column_.missing.clear();
  }

  void expand(const Plan& plan, int64_t cap) {
    const int64_t rows = column_.values.size() / column_.row_bytes(), width = fitted_.width();
    const ElementType type = plan.store == ElementType::f32 ? ElementType::f32 : ElementType::f64;
    const auto bytes = checked_multiply(rows, width * byte_size(type));
    if (!bytes || *bytes > cap)
      throw too_large(column_.origin.file, "the encoded categories", bytes.value_or(INT64_MAX), cap);
    Bytes out(*bytes);
    std::vector<std::vector<int64_t>> positions;
    for (size_t c = 0; c < fitted_.columns.size(); ++c) {
      positions.emplace_back();
      for (const std::string& text : column_.table[c].texts)
        positions[c].push_back(fitted_.columns[c].categories.position(text));
    }
    std::vector<double> sample(static_cast<size_t>(width));
    for (int64_t r = 0; r < rows; ++r) {
      encode_sample(r, positions, sample.data());
      for (int64_t i = 0; i < width; ++i)
        if (type == ElementType::f32)
          out.as<float>()[r * width + i] = static_cast<float>(sample[static_cast<size_t>(i)]);
        else
          out.as<double>()[r * width + i] = sample[static_cast<size_t>(i)];
    }
    column_.values = std::move(out);
    column_.type = type;
  }

private:
  template <class C> static std::vector<std::string> names_of(const std::vector<C>& columns) {
    std::vector<std::string> out;
    for (const C& c : columns) out.push_back(c.name);
    return out;
  }
  [[noreturn]] void fail(const std::string& text) const {
    throw DataError(column_.origin.file, quoted(tensor_.name) + ": " + text, "table");
  }
  [[noreturn]] void fail_cell(int64_t place, const std::string& text) const {
    const int64_t row = place / column_.elements();
    const auto& lines = column_.origin.lines;
    const TableColumn& t = column_.table[static_cast<size_t>(place % column_.elements())];
    throw DataError(Code::data, column_.origin.file,
                    static_cast<size_t>(row) < lines.size() ? lines[static_cast<size_t>(row)] : 0, 0,
                    "column " + quoted(t.name) + ": " + text, "category");
  }
  void encode_sample(int64_t row, const std::vector<std::vector<int64_t>>& positions, double* out) const {
    for (size_t c = 0; c < fitted_.columns.size(); ++c) {
      const FittedColumn& f = fitted_.columns[c];
      const int64_t place = row * column_.elements() + static_cast<int64_t>(c);
      const double raw = value_at(column_.values.data(), column_.type, place);
      if (f.code == CellCode::number)
        *out = raw;
      else if (const auto text = static_cast<int64_t>(raw);
               !f.put(text < 0 ? -1 : positions[c][static_cast<size_t>(text)], out))
        fail_cell(place, (text < 0 ? std::string("a missing value")
                                   : quoted(column_.table[c].texts[static_cast<size_t>(text)])) +
                             " is none of the " + std::to_string(f.categories.size()) + " categories (" +
                             list_of(f.categories.names()) + "); \"unknown\": \"zeros\" or \"extra\" lets it pass");
      out += f.width();
    }
  }

  Column& column_;
  const FittedTransform& fitted_;
  const TensorSpec& tensor_;
};

} // namespace

MissingSpec missing_of(const SourceSpec& source, const TensorSpec& tensor) {
  MissingSpec missing = source.missing;
  if (tensor.is_label && missing.rule == MissingSpec::Rule::mean) missing.rule = MissingSpec::Rule::error;
  return missing;
}

bool needs_fitting(const Mapping& mapping, const MissingSpec& missing) {
  return missing.rule == MissingSpec::Rule::mean ||
         std::any_of(mapping.columns.begin(), mapping.columns.end(),
                     [](const ColumnRef& c) { return c.code != CellCode::number && c.categories.empty(); });
}

std::vector<FittedColumn> fit_table(const Column& raw, const MissingSpec& missing, const Rows& fit) {
  using Rule = MissingSpec::Rule;
  Moments numbers;
  if (missing.rule == Rule::mean) numbers = numbers_of(raw, fit);
  std::vector<FittedColumn> out;
  for (size_t c = 0; c < raw.table.size(); ++c) {
    const TableColumn& t = raw.table[c];
    FittedColumn f;
    f.name = t.name;
    f.code = t.code;
    f.unknown = t.unknown;
    if (t.code != CellCode::number)
      f.categories = runtime::Categories(t.categories.empty() ? learned_categories(raw, c, fit) : t.categories);
    else if (missing.rule == Rule::value)
      f.missing = missing.value;
    else if (missing.rule == Rule::mean && numbers.count[c] > 0)
      f.missing = numbers.mean[c];
    else if (missing.rule == Rule::mean)
      throw DataError(raw.origin.file, "column " + quoted(t.name) + " holds no number to take the mean of", "missing");
    out.push_back(std::move(f));
  }
  return out;
}

void encode_table(Column& column, const FittedTransform& fitted, const TensorSpec& tensor, const Plan& plan,
                  int64_t memory_cap) {
  Encoder encoder(column, fitted, tensor);
  encoder.check_columns();
  if (column.table.empty()) return;
  encoder.check_width(plan);
  encoder.check_classes();
  encoder.fill_missing();
  if (fitted.has_categories()) encoder.expand(plan, memory_cap);
  column.table.clear();
  column.shape = plan.shape;
}

} // namespace dlcc::data
