// A right model around any record of the table, with any of its keys: what generated tests start from.
#pragma once

#include "frontend/table/schema.h"

#include <algorithm>
#include <cmath>

namespace dlcc::frontend::testing {

/// A record as text: members in order, e.g. {"\"units\"", "3"}.
struct Member {
  std::string key, value;
};
using Members = std::vector<Member>;

inline std::string quote(std::string_view text) { return '"' + std::string(text) + '"'; }

inline std::string object_of(const Members& members) {
  std::string out;
  for (const Member& m : members) out += (out.empty() ? "" : ", ") + quote(m.key) + ": " + m.value;
  return "{" + out + "}";
}

inline std::string instance(const GroupDef& group, const RecordDef& record, const Key* also = nullptr);

/// A right value of a key.
inline std::string sample_value(const GroupDef& group, const Key& key) {
  auto whole = [&] { return std::to_string(static_cast<int64_t>(std::isfinite(key.low) ? key.low : 1)); };
  auto number = [&] { return key.low >= 1 || key.high < 0.5 ? whole() : std::string("0.5"); };
  auto first = [&] { return instance(frontend::group(key.group), frontend::group(key.group).records[0]); };
  if (key.name == "warmup_epochs") return "0"; // others need a target
  if (key.name == "boundaries") return "[1]";
  if (key.name == "values") return "[1, 0.5]";
  if (key.name == "input" && group.id == Group::transform) return "\"x\"";
  switch (key.kind) {
  case KeyKind::boolean:
    return "true";
  case KeyKind::integer:
    return whole();
  case KeyKind::number:
    return number();
  case KeyKind::string:
  case KeyKind::name:
  case KeyKind::identifier:
    return key.name == "op" ? "\"relu\"" : "\"a\"";
  case KeyKind::choice:
    return quote(key.options[0]);
  case KeyKind::character:
    return "\";\"";
  case KeyKind::either: // the last goes with every other key
    return sample_value(group, key.alternatives.back());
  case KeyKind::tie:
    return "\"@a/kernel\"";
  case KeyKind::integers:
    return "[1]";
  case KeyKind::numbers:
    return "[1]";
  case KeyKind::names:
    return key.name == "output" ? "\"y\"" : "[\"x\"]";
  case KeyKind::texts:
    return "[\"a\"]";
  case KeyKind::dims:
    return "[\"N\", 4]";
  case KeyKind::record:
  case KeyKind::one_or_more:
    return first();
  case KeyKind::records:
    return "[" + first() + "]";
  case KeyKind::by_name:
    return "{\"x" + std::string(key.name == "inputs" ? "" : "_" + key.name) + "\": " + first() + "}";
  case KeyKind::weights:
    return "{\"0\": 1}";
  case KeyKind::nodes:
    return "[" + instance(frontend::group(Group::node), frontend::group(Group::node).records[0]) + "]";
  case KeyKind::attributes:
    return "{}";
  }
  return "";
}

/// The record's name and required keys, and one more.
inline Members members_of(const GroupDef& group, const RecordDef& record, const Key* also = nullptr) {
  Members out;
  if (!group.discriminator.empty()) out.push_back({group.discriminator, quote(record.name)});
  if (also && !also->guard.empty()) out.push_back({also->guard, quote(also->guard_value)});
  for (const Key& key : record.keys)
    if (key.is_required || &key == also) out.push_back({key.name, sample_value(group, key)});
  for (const Alternatives& a : record.alternatives) {
    const bool is_open = a.is_required && !(also && std::count(a.keys.begin(), a.keys.end(), also->name));
    for (const Key& key : record.keys)
      if (is_open && key.name == a.keys[0]) out.push_back({key.name, sample_value(group, key)});
  }
  if (group.id == Group::model && !(also && (also->name == "layers" || also->name == "nodes")))
    out.push_back({"layers", "[\"Flatten\"]"});
  return out;
}
inline std::string instance(const GroupDef& group, const RecordDef& record, const Key* also) {
  return object_of(members_of(group, record, also));
}

/// A model in which `record` stands where records of the group stand; and how many bytes of it come before.
struct Hosted {
  std::string text;
  size_t offset;
};
inline Hosted model_around(Group id, const std::string& record) {
  const std::string head = R"({"dlcc": 1, "inputs": {"x": {"shape": ["N", 4]}}, )";
  auto around = [&](const std::string& before, const std::string& after) {
    return Hosted{head + before + record + after + "}", head.size() + before.size()};
  };
  const std::string layers = R"("layers": ["Flatten"], )";
  switch (id) {
  case Group::model:
    return {record, 0};
  case Group::tensor:
    return {R"({"dlcc": 1, "layers": ["Flatten"], "inputs": {"x": )" + record + "}}",
            std::string_view(R"({"dlcc": 1, "layers": ["Flatten"], "inputs": {"x": )").size()};
  case Group::param:
    return around(R"("nodes": [], "params": {"w": )", "}");
  case Group::function:
    return around(R"("nodes": [], "functions": {"f": )", "}");
  case Group::gradient:
    return around(R"("nodes": [], "functions": {"f": {"inputs": ["x"], "nodes": [], "outputs": ["x"], "gradient": )",
                  "}}");
  case Group::node:
    return around(R"("nodes": [)", "]");
  case Group::layer:
    return around(R"("layers": [)", "]");
  case Group::activation:
    return around(R"("layers": [{"type": "Activation", "activation": )", "}]");
  case Group::initializer:
    return around(R"("layers": [{"type": "Dense", "units": 3, "kernel_initializer": )", "}]");
  case Group::regularizer:
    return around(R"("layers": [{"type": "Dense", "units": 3, "kernel_regularizer": )", "}]");
  case Group::loss:
    return around(layers + R"("loss": )", "");
  case Group::metric:
    return around(layers + R"("loss": "huber", "metrics": [)", "]");
  case Group::optimizer:
    return around(layers + R"("optimizer": )", "");
  case Group::schedule:
    return around(layers + R"("optimizer": {"type": "sgd", "learning_rate": )", "}");
  case Group::train:
    return around(layers + R"("train": )", "");
  case Group::early_stopping:
    return around(layers + R"("train": {"early_stopping": )", "}");
  case Group::checkpoint:
    return around(layers + R"("train": {"checkpoint": )", "}");
  case Group::compile:
    return around(layers + R"("compile": )", "");
  case Group::data:
    return around(layers + R"("data": )", "");
  case Group::section:
    return around(layers + R"("data": {"train": )", "}");
  case Group::column:
    return around(layers + R"("data": {"train": {"format": "csv", "file": "a", "x": )", "}}");
  case Group::missing:
    return around(layers + R"("data": {"train": {"format": "csv", "file": "a", "x": 0, "missing": )", "}}");
  case Group::transform:
    return around(layers + R"("data": {"transforms": [)", "]}");
  case Group::none:
    break;
  }
  return {};
}

} // namespace dlcc::frontend::testing
