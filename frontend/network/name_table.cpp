#include "frontend/network/name_table.h"

#include <algorithm>

namespace dlcc::frontend {

namespace {
std::string place_text(const Place& place) {
  if (!place.where.known()) return "set on the command line";
  return "at " + std::to_string(place.where.line) + ":" + std::to_string(place.where.column);
}
} // namespace

uint32_t NameTable::declare(const std::string& name, const char* what, const Place& place, Reporter& report) {
  const auto value = static_cast<uint32_t>(values_.size());
  values_.push_back(name);
  alias(name, value, what, place, report);
  return value;
}

void NameTable::alias(const std::string& name, uint32_t value, const char* what, const Place& place, Reporter& report) {
  auto [at, is_new] = entries_.emplace(name, Entry{value, what, place});
  if (is_new) return;
  report.error("duplicate-name",
               std::string(what) + " " + quoted(name) + " has the name of the " + at->second.what + " " +
                   place_text(at->second.place) + ", expected names that differ",
               place);
}

std::optional<uint32_t> NameTable::find(const std::string& name) const {
  auto at = entries_.find(name);
  return at == entries_.end() ? std::nullopt : std::optional(at->second.value);
}

void NameTable::refuse(const std::string& name, const char* what, Reporter& report) const {
  auto at = entries_.find(name);
  if (at != entries_.end())
    report.error("duplicate-name",
                 std::string(at->second.what) + " " + quoted(name) + " has the name of " + what + ", expected another",
                 at->second.place);
}

std::vector<std::string> NameTable::names() const {
  std::vector<std::string> out;
  for (const auto& [name, entry] : entries_) out.push_back(name);
  std::sort(out.begin(), out.end());
  return out;
}

} // namespace dlcc::frontend
