#include "ir/base/attributes.h"

#include "ir/base/diagnostics.h"

#include <algorithm>

namespace dlcc {

void Attributes::set(std::string_view name, AttributeValue value) {
  auto at = std::lower_bound(items_.begin(), items_.end(), name, [](auto& item, auto n) { return item.first < n; });
  if (at != items_.end() && at->first == name)
    at->second = std::move(value);
  else
    items_.insert(at, {std::string(name), std::move(value)});
}

const AttributeValue* Attributes::find(std::string_view name) const {
  for (auto& [key, value] : items_)
    if (key == name) return &value;
  return nullptr;
}

namespace {
template <class T> const T* get(const Attributes& attributes, std::string_view name) {
  const AttributeValue* value = attributes.find(name);
  if (!value) return nullptr;
  const T* typed = std::get_if<T>(value);
  DLCC_CHECK(typed, "attribute '" + std::string(name) + "' has another type");
  return typed;
}
} // namespace

bool Attributes::boolean(std::string_view name, bool otherwise) const {
  auto* v = get<bool>(*this, name);
  return v ? *v : otherwise;
}
int64_t Attributes::integer(std::string_view name, int64_t otherwise) const {
  auto* v = get<int64_t>(*this, name);
  return v ? *v : otherwise;
}
double Attributes::number(std::string_view name, double otherwise) const {
  auto* v = get<double>(*this, name);
  return v ? *v : otherwise;
}
DType Attributes::dtype(std::string_view name, DType otherwise) const {
  auto* v = get<DType>(*this, name);
  return v ? *v : otherwise;
}
std::string_view Attributes::string(std::string_view name, std::string_view otherwise) const {
  auto* v = get<std::string>(*this, name);
  return v ? std::string_view(*v) : otherwise;
}
const std::vector<int64_t>& Attributes::integers(std::string_view name) const {
  static const std::vector<int64_t> none;
  auto* v = get<std::vector<int64_t>>(*this, name);
  return v ? *v : none;
}
const std::vector<double>& Attributes::numbers(std::string_view name) const {
  static const std::vector<double> none;
  auto* v = get<std::vector<double>>(*this, name);
  return v ? *v : none;
}

} // namespace dlcc
