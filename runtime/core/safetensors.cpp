#include "runtime/core/safetensors.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <unordered_set>

#include "runtime/core/error.h"
#include "runtime/core/module.h"

namespace dlcc::runtime {

namespace {

constexpr size_t max_tensors = 1'000'000, max_rank = 8, max_name = 1024;

struct DtypeName {
  std::string_view text;
  int32_t dtype;
};
constexpr DtypeName dtype_names[] = {{"F32", DLCC_F32}, {"F64", DLCC_F64}, {"BF16", DLCC_BF16},
                                     {"F16", DLCC_F16}, {"I8", DLCC_I8},   {"U8", DLCC_U8},
                                     {"I32", DLCC_I32}, {"I64", DLCC_I64}, {"BOOL", DLCC_BOOL}};

// The subset of JSON that a header needs: objects two levels deep, strings, lists of non-negative integers.
class Scanner {
public:
  explicit Scanner(std::string_view text) : text_(text) {}

  SafetensorsHeader header() {
    SafetensorsHeader h;
    std::unordered_set<std::string> seen;
    object([&](std::string key) {
      if (!seen.insert(key).second) error("second definition of a name");
      if (key == "__metadata__") {
        metadata(h.metadata);
        return;
      }
      if (key.empty() || key.size() > max_name) error("name of a tensor: expected 1 to 1024 bytes");
      if (h.tensors.size() >= max_tensors) error("more than 1000000 tensors");
      h.tensors.push_back(tensor(std::move(key)));
    });
    skip_space();
    if (at_ != text_.size()) error("text after the header");
    return h;
  }

private:
  [[noreturn]] void error(const char* what) const { fail(DLCC_E_CORRUPT, "header byte %zu: %s", at_ + 8, what); }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_space() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') ++at_;
  }
  bool accept(char c) {
    skip_space();
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void expect(char c, const char* what) {
    if (!accept(c)) error(what);
  }

  // Calls member(key) for each member; it must consume the value.
  template <class Member> void object(Member&& member) {
    expect('{', "expected '{'");
    if (accept('}')) return;
    do {
      std::string key = string();
      expect(':', "expected ':'");
      member(std::move(key));
    } while (accept(','));
    expect('}', "expected ',' or '}'");
  }

  void metadata(std::map<std::string, std::string>& out) {
    object([&](std::string key) {
      if (!out.emplace(std::move(key), string()).second) error("second definition of a metadata key");
    });
  }

  StoredTensor tensor(std::string name) {
    StoredTensor t;
    t.name = std::move(name);
    unsigned seen = 0;
    object([&](const std::string& key) {
      unsigned bit = key == "dtype" ? 1 : key == "shape" ? 2 : key == "data_offsets" ? 4 : 0;
      if (bit == 0 || (seen & bit)) error("expected dtype, shape and data_offsets once each");
      seen |= bit;
      if (bit == 1) t.dtype = dtype(string());
      if (bit == 2) t.dims = integers(max_rank);
      if (bit == 4) {
        std::vector<int64_t> offsets = integers(2);
        if (offsets.size() != 2 || offsets[0] > offsets[1]) error("data_offsets: expected [begin, end]");
        t.begin = static_cast<uint64_t>(offsets[0]), t.end = static_cast<uint64_t>(offsets[1]);
      }
    });
    if (seen != 7) error("expected dtype, shape and data_offsets");
    check_size(t);
    return t;
  }

  void check_size(const StoredTensor& t) const {
    uint64_t bytes = dtype_bytes(t.dtype);
    for (int64_t d : t.dims)
      if (__builtin_mul_overflow(bytes, static_cast<uint64_t>(d), &bytes)) error("shape: the product overflows");
    if (bytes != t.bytes()) error("data_offsets differ from the size that dtype and shape give");
  }

  int32_t dtype(std::string_view text) const {
    for (const DtypeName& d : dtype_names)
      if (d.text == text) return d.dtype;
    error("unknown dtype");
  }

  std::vector<int64_t> integers(size_t limit) {
    std::vector<int64_t> out;
    expect('[', "expected '['");
    if (accept(']')) return out;
    do {
      if (out.size() >= limit) error("list too long");
      out.push_back(integer());
    } while (accept(','));
    expect(']', "expected ',' or ']'");
    return out;
  }

  int64_t integer() {
    skip_space();
    if (peek() < '0' || peek() > '9') error("expected a non-negative integer");
    if (peek() == '0') {
      ++at_;
      return 0;
    }
    int64_t value = 0;
    for (; peek() >= '0' && peek() <= '9'; ++at_)
      if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, peek() - '0', &value))
        error("integer out of range");
    return value;
  }

  std::string string() {
    expect('"', "expected a string");
    std::string out;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (static_cast<unsigned char>(text_[at_]) < 0x20) error("control character in a string");
      if (text_[at_] != '\\')
        out += text_[at_++];
      else
        escaped(out);
    }
    if (at_ >= text_.size()) error("unterminated string");
    ++at_;
    if (!is_utf8(out)) error("string that is not UTF-8");
    return out;
  }

  void escaped(std::string& out) {
    static constexpr std::string_view letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
    ++at_;
    char c = peek();
    if (c == 'u') {
      ++at_;
      append_utf8(out, code_point());
      return;
    }
    size_t i = letters.find(c);
    if (c == '\0' || i == std::string_view::npos) error("unknown escape in a string");
    out += meanings[i];
    ++at_;
  }

  uint32_t hex4() {
    uint32_t v = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      char c = peek();
      if (c >= '0' && c <= '9')
        v = v * 16 + static_cast<uint32_t>(c - '0');
      else if ((c | 32) >= 'a' && (c | 32) <= 'f')
        v = v * 16 + static_cast<uint32_t>((c | 32) - 'a' + 10);
      else
        error("expected four hexadecimal digits");
    }
    return v;
  }

  uint32_t code_point() {
    uint32_t high = hex4();
    if (high < 0xD800 || high > 0xDFFF) return high;
    if (high > 0xDBFF || peek() != '\\' || at_ + 1 >= text_.size() || text_[at_ + 1] != 'u') error("lone surrogate");
    at_ += 2;
    uint32_t low = hex4();
    if (low < 0xDC00 || low > 0xDFFF) error("lone surrogate");
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
  }

  static void append_utf8(std::string& out, uint32_t c) {
    auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((c >> shift) & 0x3F)); };
    if (c < 0x80) {
      out += static_cast<char>(c);
    } else if (c < 0x800) {
      out += static_cast<char>(0xC0 | (c >> 6));
      tail(0);
    } else if (c < 0x10000) {
      out += static_cast<char>(0xE0 | (c >> 12));
      tail(6), tail(0);
    } else {
      out += static_cast<char>(0xF0 | (c >> 18));
      tail(12), tail(6), tail(0);
    }
  }

  std::string_view text_;
  size_t at_ = 0;
};

void append_string(std::string& out, std::string_view text) {
  out += '"';
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) {
      out += c;
      continue;
    }
    char hex[8];
    std::snprintf(hex, sizeof hex, "\\u%04x", static_cast<unsigned>(c));
    out += hex;
  }
  out += '"';
}

std::string_view stored_dtype(int32_t dtype) {
  for (const DtypeName& d : dtype_names)
    if (d.dtype == dtype) return d.text;
  fail(DLCC_E_INTERNAL, "dtype %d cannot be stored", dtype);
}

} // namespace

SafetensorsHeader parse_safetensors_header(std::string_view json) {
  SafetensorsHeader h = Scanner(json).header();
  // An empty tensor may share its offset with its neighbour; it comes first.
  std::stable_sort(h.tensors.begin(), h.tensors.end(), [](const StoredTensor& a, const StoredTensor& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
  });
  uint64_t end = 0;
  for (const StoredTensor& t : h.tensors) {
    if (t.begin != end)
      fail(DLCC_E_CORRUPT, "header: tensor '%s' starts at %llu, expected %llu", escape(t.name).c_str(), 0ULL + t.begin,
           0ULL + end);
    end = t.end;
  }
  return h;
}

std::string format_safetensors_header(const std::map<std::string, std::string>& metadata,
                                      std::vector<StoredTensor>& tensors) {
  std::string out(8, '\0');
  out += "{\"__metadata__\":{";
  const char* separator = "";
  for (const auto& [key, value] : metadata) {
    out += separator;
    append_string(out, key);
    out += ':';
    append_string(out, value);
    separator = ",";
  }
  out += '}';
  uint64_t offset = 0;
  for (StoredTensor& t : tensors) {
    t.begin = offset;
    offset += dtype_bytes(t.dtype) * [&] {
      uint64_t n = 1;
      for (int64_t d : t.dims) n *= static_cast<uint64_t>(d);
      return n;
    }();
    t.end = offset;
    out += ',';
    append_string(out, t.name);
    out.append(":{\"dtype\":\"").append(stored_dtype(t.dtype)).append("\",\"shape\":[");
    for (size_t d = 0; d < t.dims.size(); ++d) out += (d ? "," : "") + std::to_string(t.dims[d]);
    out += "],\"data_offsets\":[" + std::to_string(t.begin) + "," + std::to_string(t.end) + "]}";
  }
  out += '}';
  out.resize((out.size() + 63) / 64 * 64, ' ');
  const uint64_t length = out.size() - 8;
  if (length > max_safetensors_header) fail(DLCC_E_ARG, "the checkpoint's header would have %llu bytes", 0ULL + length);
  std::memcpy(out.data(), &length, 8);
  return out;
}

} // namespace dlcc::runtime
