#include "codegen/module/places.h"

#include "ir/base/diagnostics.h"

#include <algorithm>

namespace dlcc::codegen {

using namespace loops;

namespace {
unsigned position(const Program& p, const std::vector<BufferId>& list, BufferId storage) {
  auto at = std::find_if(list.begin(), list.end(), [&](BufferId b) { return p.storage(b) == storage; });
  DLCC_CHECK(at != list.end(), "'" + p.buffers[storage].name + "' is no input or output of the entry");
  return static_cast<unsigned>(at - list.begin());
}

int64_t call_field(const Buffer& scalar) {
  static constexpr std::pair<std::string_view, size_t> fields[] = {{"n_valid", offsetof(dlcc_call_v1, n_valid)},
                                                                   {"seed", offsetof(dlcc_call_v1, seed)},
                                                                   {"batch", offsetof(dlcc_call_v1, batch)},
                                                                   {"update", offsetof(dlcc_call_v1, update)}};
  DLCC_CHECK(scalar.type == (Type{DType::i64, {}}), "scalar '" + scalar.name + "' of the call is no i64");
  for (auto& [name, offset] : fields)
    if (scalar.name == name || scalar.name.starts_with(std::string(name) + ".")) return static_cast<int64_t>(offset);
  internal_error(__FILE__, __LINE__, "a call has no scalar '" + scalar.name + "'");
}

int64_t hyper_offset(const Program& p, const Buffer& number) {
  DLCC_CHECK(number.type == (Type{DType::f64, {}}), "hyper-parameter '" + number.name + "' is no f64");
  auto at = std::find_if(p.hypers.begin(), p.hypers.end(), [&](const Hyper& h) { return h.name == number.name; });
  DLCC_CHECK(at != p.hypers.end(), "unknown hyper-parameter '" + number.name + "'");
  return 8 * (at - p.hypers.begin());
}
} // namespace

BufferPlace place_of(const ModulePlan& plan, const Entry& entry, BufferId buffer) {
  const Program& p = plan.program;
  const BufferId storage = p.storage(buffer);
  const Buffer& s = p.buffers[storage];
  switch (s.region) {
  case Region::input:
    return {context_tensors + position(p, entry.inputs, storage), 0};
  case Region::output:
    return {context_tensors + static_cast<unsigned>(entry.inputs.size()) + position(p, entry.outputs, storage), 0};
  case Region::call:
    return {context_call, call_field(s)};
  case Region::hyper:
    return {context_hyper, hyper_offset(p, s)};
  case Region::fault:
    return {context_fault, 0};
  default:
    return {context_regions + static_cast<unsigned>(abi_region(s.region)), s.offset};
  }
}

} // namespace dlcc::codegen
