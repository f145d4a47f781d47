#include "runtime/core/safetensors.h"

#include "runtime/core/error.h"
#include "runtime/data/readers.h"

#include <algorithm>
#include <cstring>

namespace dlcc::data {

namespace {

StoredType type_of(int32_t dtype) {
  switch (dtype) {
  case DLCC_F64:
    return {'f', 8};
  case DLCC_BF16:
    return {'B', 2};
  case DLCC_F16:
    return {'f', 2};
  case DLCC_I8:
    return {'i', 1};
  case DLCC_U8:
    return {'u', 1};
  case DLCC_I32:
    return {'i', 4};
  case DLCC_I64:
    return {'i', 8};
  case DLCC_BOOL:
    return {'b', 1};
  default:
    return {'f', 4};
  }
}

// The bytes of one tensor.
class TensorStream final : public Stream {
public:
  TensorStream(std::shared_ptr<InputFile> file, int64_t begin, int64_t end, std::string shown)
      : file_(std::move(file)), end_(end) {
    name_ = std::move(shown);
    position_ = begin;
  }
  int64_t read(void* to, int64_t n) override {
    int64_t got = file_->read_at(position_, to, std::min(n, end_ - position_));
    position_ += got;
    return got;
  }
  int64_t most() const override { return end_; }
  bool most_is_exact() const override { return true; }
  void finish() override { file_->verify_unchanged(); }

private:
  std::shared_ptr<InputFile> file_;
  int64_t end_;
};

// The header, and where the data area starts.
std::pair<runtime::SafetensorsHeader, int64_t> read_header(const InputFile& file) {
  auto refuse = [&](const std::string& text) { return DataError(file.name(), text, "safetensors-header"); };
  uint64_t length = 0;
  constexpr int64_t word = sizeof length;
  if (file.read_at(0, &length, word) != word)
    throw refuse("a safetensors file of " + std::to_string(file.size()) + " bytes, expected a header");
  if (length > runtime::max_safetensors_header || length > static_cast<uint64_t>(file.size() - word))
    throw refuse("the header would have " + std::to_string(length) + " bytes, the file has " +
                 std::to_string(file.size()) + " (no safetensors file?)");
  std::string text(length, '\0');
  if (file.read_at(word, text.data(), static_cast<int64_t>(length)) != static_cast<int64_t>(length))
    throw refuse("the file became shorter while it was read");
  const int64_t start = word + static_cast<int64_t>(length);
  try {
    runtime::SafetensorsHeader header = runtime::parse_safetensors_header(text);
    const auto named = static_cast<int64_t>(header.tensors.empty() ? 0 : header.tensors.back().end);
    if (file.size() - start != named)
      throw refuse(std::to_string(file.size() - start) + " bytes of data, expected " + std::to_string(named));
    return {std::move(header), start};
  } catch (const runtime::Error& e) {
    throw refuse(e.message());
  }
}

std::string list_of(const runtime::SafetensorsHeader& header) {
  std::string out;
  for (const runtime::StoredTensor& t : header.tensors) {
    if (out.size() > 80) return out + ", ...";
    out += (out.empty() ? "" : ", ") + escape(t.name, 40);
  }
  return out.empty() ? "none" : out;
}

} // namespace

std::vector<PendingArray> open_safetensors(const std::string& name, const std::vector<std::string>& names,
                                           const FileOptions& options) {
  auto file = std::make_shared<InputFile>(name, options);
  const auto [header, start] = read_header(*file);
  std::vector<PendingArray> out;
  for (const std::string& wanted : names) {
    auto at =
        std::find_if(header.tensors.begin(), header.tensors.end(), [&](const auto& t) { return t.name == wanted; });
    if (at == header.tensors.end())
      throw DataError(file->name(), "no tensor '" + escape(wanted, 60) + "' in the file; it has " + list_of(header),
                      "unknown-name");
    const std::string shown = file->name() + "(" + wanted + ")";
    if (at->dims.empty()) throw DataError(shown, "a tensor of rank 0 has no samples", "rank");
    PendingArray a;
    a.type = type_of(at->dtype);
    a.shape = at->dims;
    a.stream = std::make_unique<TensorStream>(file, start + static_cast<int64_t>(at->begin),
                                              start + static_cast<int64_t>(at->end), shown);
    out.push_back(std::move(a));
  }
  return out;
}

} // namespace dlcc::data
