#include "runtime/core/fitted_transform.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "runtime/core/error.h"
#include "runtime/core/module.h"

namespace dlcc::runtime {

namespace {

constexpr int64_t most_classes = 1'000'000;

std::string name_of(const std::string& tensor, const std::string& part) {
  return std::string(attachment_prefix) + tensor + "/" + part;
}

template <class T> Attachment numbers(int32_t dtype, std::vector<int64_t> dims, const std::vector<T>& values) {
  const auto bytes = reinterpret_cast<const char*>(values.data());
  return {dtype, std::move(dims), {bytes, bytes + values.size() * sizeof(T)}};
}

Attachment texts(const std::vector<std::string>& list) {
  std::vector<char> bytes;
  for (const std::string& text : list) {
    bytes.insert(bytes.end(), text.begin(), text.end());
    bytes.push_back('\0');
  }
  return {DLCC_U8, {static_cast<int64_t>(bytes.size())}, std::move(bytes)};
}

// Reads the parts of one tensor's transform; nothing in them is believed.
class Reader {
public:
  Reader(const FindAttachment& find, const std::string& tensor) : find_(find), tensor_(tensor) {}

  std::optional<FittedTransform> read() const {
    const auto center = find_(name_of(tensor_, "center"));
    if (!center) return {};
    FittedTransform t;
    t.center = list<double>("center", DLCC_F64, {});
    require(!t.center.empty(), "center", "is empty");
    t.scale = list<double>("scale", DLCC_F64, t.center.size());
    t.classes = list<int64_t>("classes", DLCC_I64, 1)[0];
    for (double c : t.center) require(std::isfinite(c), "center", "holds a number that is not finite");
    for (double s : t.scale) require(std::isfinite(s) && s != 0, "scale", "holds a number that is not finite, or 0");
    require(t.classes >= 0 && t.classes <= most_classes, "classes", "is no number of classes");
    if (find_(name_of(tensor_, "columns"))) read_table(t);
    require(t.columns.empty() || t.center.size() == 1 || static_cast<int64_t>(t.center.size()) == t.width(), "center",
            "has not one number a value of the table");
    return t;
  }

private:
  void require(bool good, const std::string& part, const char* what) const {
    if (!good) fail(DLCC_E_CORRUPT, "corrupt: '%s' %s", escape(name_of(tensor_, part)).c_str(), what);
  }
  dlcc_view view(const std::string& part, int32_t dtype) const {
    const auto v = find_(name_of(tensor_, part));
    if (!v) fail(DLCC_E_CORRUPT, "corrupt: '%s' is missing", escape(name_of(tensor_, part)).c_str());
    require(v->dtype == dtype, part, (std::string("is not of type ") + dtype_name(dtype)).c_str());
    return *v;
  }
  template <class T> std::vector<T> list(const std::string& part, int32_t dtype, std::optional<size_t> count) const {
    const dlcc_view v = view(part, dtype);
    std::vector<T> out(v.nbytes / sizeof(T));
    if (!out.empty()) std::memcpy(out.data(), v.data, out.size() * sizeof(T));
    require(!count || out.size() == *count, part, "has the wrong size");
    return out;
  }
  std::vector<std::string> text_list(const std::string& part) const {
    const auto bytes = list<char>(part, DLCC_U8, {});
    require(bytes.empty() || bytes.back() == '\0', part, "does not end with a NUL");
    std::vector<std::string> out;
    for (size_t at = 0; at < bytes.size(); at += out.back().size() + 1) out.emplace_back(bytes.data() + at);
    return out;
  }
  void read_table(FittedTransform& t) const {
    const std::vector<std::string> names = text_list("columns");
    require(!names.empty(), "columns", "is empty");
    const auto codes = list<uint8_t>("codes", DLCC_U8, 2 * names.size());
    const auto missing = list<double>("missing", DLCC_F64, names.size());
    t.missing_spellings = text_list("missing_spellings");
    for (size_t i = 0; i < names.size(); ++i) {
      FittedColumn c;
      c.name = names[i];
      c.missing = missing[i];
      require(!std::isinf(c.missing), "missing", "holds an infinity");
      require(codes[2 * i] <= static_cast<uint8_t>(CellCode::one_hot) &&
                  codes[2 * i + 1] <= static_cast<uint8_t>(UnknownRule::extra),
              "codes", "holds an unknown code");
      c.code = static_cast<CellCode>(codes[2 * i]);
      c.unknown = static_cast<UnknownRule>(codes[2 * i + 1]);
      require(c.code == CellCode::one_hot || c.unknown != UnknownRule::zeros, "codes", "has zeros for an index");
      if (c.code != CellCode::number) c.categories = read_categories("categories/" + std::to_string(i));
      t.columns.push_back(std::move(c));
    }
  }
  Categories read_categories(const std::string& part) const {
    std::vector<std::string> names = text_list(part);
    require(!names.empty() && static_cast<int64_t>(names.size()) <= most_classes, part, "is no list of categories");
    const std::set<std::string_view> different(names.begin(), names.end());
    require(different.size() == names.size(), part, "names a category twice");
    return Categories(std::move(names));
  }

  const FindAttachment& find_;
  const std::string& tensor_;
};

} // namespace

Categories::Categories(std::vector<std::string> names) : names_(std::move(names)) {
  for (size_t i = 0; i < names_.size(); ++i) positions_.emplace(names_[i], static_cast<int64_t>(i));
}

int64_t Categories::position(std::string_view name) const {
  auto at = positions_.find(name);
  return at == positions_.end() ? -1 : at->second;
}

bool FittedColumn::put(int64_t position, double* out) const {
  if (position < 0 && unknown == UnknownRule::extra) position = categories.size();
  if (position < 0 && unknown == UnknownRule::error) return false;
  if (code == CellCode::index) {
    *out = static_cast<double>(position);
    return true;
  }
  std::fill_n(out, width(), 0.0);
  if (position >= 0) out[position] = 1;
  return true;
}

bool FittedTransform::has_categories() const {
  return std::any_of(columns.begin(), columns.end(), [](const FittedColumn& c) { return c.code != CellCode::number; });
}

bool FittedTransform::is_missing(std::string_view cell) const {
  return std::find(missing_spellings.begin(), missing_spellings.end(), cell) != missing_spellings.end();
}

int64_t FittedTransform::width() const {
  int64_t sum = 0;
  for (const FittedColumn& c : columns) sum += c.width();
  return sum;
}

const std::string* FittedTransform::class_name(int64_t number) const {
  if (columns.size() != 1 || number < 0 || number >= columns[0].categories.size()) return nullptr;
  return &columns[0].categories.names()[static_cast<size_t>(number)];
}

std::map<std::string, Attachment> to_attachments(const FittedTransform& t, const std::string& tensor) {
  std::map<std::string, Attachment> out;
  const auto n = static_cast<int64_t>(t.center.size()), m = static_cast<int64_t>(t.columns.size());
  out[name_of(tensor, "center")] = numbers(DLCC_F64, {n}, t.center);
  out[name_of(tensor, "scale")] = numbers(DLCC_F64, {n}, t.scale);
  out[name_of(tensor, "classes")] = numbers(DLCC_I64, {}, std::vector<int64_t>{t.classes});
  if (t.columns.empty()) return out;
  std::vector<std::string> names;
  std::vector<uint8_t> codes;
  std::vector<double> missing;
  for (const FittedColumn& c : t.columns) {
    if (c.code != CellCode::number)
      out[name_of(tensor, "categories/" + std::to_string(names.size()))] = texts(c.categories.names());
    names.push_back(c.name);
    codes.push_back(static_cast<uint8_t>(c.code)), codes.push_back(static_cast<uint8_t>(c.unknown));
    missing.push_back(c.missing);
  }
  out[name_of(tensor, "columns")] = texts(names);
  out[name_of(tensor, "codes")] = numbers(DLCC_U8, {m, 2}, codes);
  out[name_of(tensor, "missing")] = numbers(DLCC_F64, {m}, missing);
  out[name_of(tensor, "missing_spellings")] = texts(t.missing_spellings);
  return out;
}

void check_values_of_sample(const FittedTransform& t, const std::string& tensor, int64_t values) {
  const int64_t each = std::max<int64_t>(t.classes, 1), from = values / each;
  const auto n = static_cast<int64_t>(t.center.size());
  if (values % each == 0 && (n == 1 || n == from) && (t.columns.empty() || t.width() == from)) return;
  fail(DLCC_E_MISMATCH, "the transform of '%s' is one of %lld values a sample, the model takes %lld",
       escape(tensor, 60).c_str(), 0LL + (t.columns.empty() ? n : t.width()) * each, 0LL + values);
}

FindAttachment finder_in(const Attachments& attachments) {
  return [&attachments](const std::string& name) -> std::optional<dlcc_view> {
    auto at = attachments.find(name);
    if (at == attachments.end()) return {};
    return at->second.view();
  };
}

std::optional<FittedTransform> from_attachments(const FindAttachment& find, const std::string& tensor) {
  return Reader(find, tensor).read();
}

} // namespace dlcc::runtime
