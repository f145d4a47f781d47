#include "ir/base/dtype.h"

namespace dlcc {

std::string_view name_of(DType t) {
  if (t == DType::boolean) return "bool";
  switch (t) {
#define X(name, number, bytes)                                                                                         \
  case DType::name:                                                                                                    \
    return #name;
    DLCC_DTYPES(X)
#undef X
  }
  return "?";
}

std::optional<DType> dtype_from_name(std::string_view name) {
#define X(type, number, bytes)                                                                                         \
  if (name == name_of(DType::type)) return DType::type;
  DLCC_DTYPES(X)
#undef X
  return std::nullopt;
}

} // namespace dlcc
