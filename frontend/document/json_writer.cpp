#include "frontend/document/json_writer.h"

#include "frontend/document/document.h"

namespace dlcc::frontend {

std::string json_string(std::string_view text) {
  static const char hex[] = "0123456789abcdef";
  std::string out = "\"";
  for (char c : text) {
    auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out += {'\\', c};
    else if (u < 0x20 || u == 0x7F)
      out += {'\\', 'u', '0', '0', hex[u >> 4], hex[u & 15]};
    else
      out += c;
  }
  return out + '"';
}

void JsonWriter::number(double value) { raw(number_text(value)); }

void JsonWriter::separate() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (open_.empty()) return;
  Open& open = open_.back();
  if (!open.empty) text_ += open.flat ? ", " : ",";
  if (!open.flat) text_ += "\n" + std::string(2 * open_.size(), ' ');
  open.empty = false;
}

void JsonWriter::begin(char bracket, bool flat) {
  separate();
  text_ += bracket;
  open_.push_back({flat || (!open_.empty() && open_.back().flat), true});
}

void JsonWriter::end(char bracket) {
  Open open = open_.back();
  open_.pop_back();
  if (!open.empty && !open.flat) text_ += "\n" + std::string(2 * open_.size(), ' ');
  text_ += bracket;
}

} // namespace dlcc::frontend
