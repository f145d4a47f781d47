#include "tools/train/changed_keys.h"

#include "runtime/core/error.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

namespace dlcc::training {

namespace {
using nlohmann::json;

// By path: "optimizer.learning_rate", "layers.0.units". A text may come from anywhere, so it is not nested deeply.
std::map<std::string, std::string> values_of(const std::string& text) {
  constexpr int most_levels = 64;
  const json document =
      json::parse(text, [](int depth, json::parse_event_t, json&) { return depth < most_levels; }, false);
  std::map<std::string, std::string> out;
  if (!document.is_object()) return out;
  const json flat = document.flatten();
  for (const auto& [pointer, value] : flat.items()) {
    std::string path = pointer.substr(1);
    std::replace(path.begin(), path.end(), '/', '.');
    out[path] = value.dump(-1, ' ', true, json::error_handler_t::replace);
  }
  return out;
}

bool concerns_the_run(const std::string& path) { return path.starts_with("data.") || path.starts_with("train."); }
} // namespace

std::vector<std::string> changed_keys(const std::string& there, const std::string& here) {
  const auto old = values_of(there), now = values_of(here);
  std::vector<std::string> model, run;
  auto value = [](const auto& values, const std::string& path) {
    const auto at = values.find(path);
    return at == values.end() ? "absent" : runtime::escape(at->second, 40);
  };
  std::map<std::string, std::string> all = old;
  all.insert(now.begin(), now.end());
  if (old.empty() || now.empty()) return {};
  for (const auto& [path, unused] : all) {
    const std::string before = value(old, path), after = value(now, path);
    if (before != after)
      (concerns_the_run(path) ? run : model)
          .push_back(runtime::escape(path, 60) + " is " + before + " there and " + after + " here");
  }
  model.insert(model.end(), run.begin(), run.end());
  return model;
}

} // namespace dlcc::training
