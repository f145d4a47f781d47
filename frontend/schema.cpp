#include "frontend/schema.h"

#include "ir/base/diagnostics.h"
#include "ir/base/dtype.h"

#include <algorithm>
#include <map>

namespace dlcc::frontend {

namespace {
Key make(std::string name, KeyKind kind) {
  Key key;
  key.name = std::move(name);
  key.kind = kind;
  return key;
}

std::vector<GroupDef> build() {
  std::vector<GroupDef> by_id(static_cast<size_t>(Group::transform) + 1);
  for (auto table : {model_groups, layer_groups, activation_groups, loss_groups, optimizer_groups, schedule_groups,
                     initializer_groups, train_groups, data_groups})
    for (GroupDef& g : table()) by_id[static_cast<size_t>(g.id)] = std::move(g);
  return by_id;
}
} // namespace

Key boolean(std::string name) { return make(std::move(name), KeyKind::boolean); }
Key integer(std::string name) { return make(std::move(name), KeyKind::integer); }
Key number(std::string name) { return make(std::move(name), KeyKind::number); }
Key text(std::string name) { return make(std::move(name), KeyKind::string); }
Key name_key(std::string name, KeyKind kind) { return make(std::move(name), kind); }
Key list(std::string name, KeyKind kind) { return make(std::move(name), kind); }
Key choice(std::string name, std::vector<std::string> options) {
  Key key = make(std::move(name), KeyKind::choice);
  key.options = std::move(options);
  return key;
}
Key record(std::string name, Group group, KeyKind kind) {
  Key key = make(std::move(name), kind);
  key.group = group;
  return key;
}

const RecordDef* GroupDef::find(std::string_view name) const {
  for (const RecordDef& r : records)
    if (r.name == name) return &r;
  return nullptr;
}

std::vector<std::string> GroupDef::names() const {
  std::vector<std::string> out;
  for (const RecordDef& r : records) out.push_back(r.name);
  return out;
}

const std::vector<GroupDef>& all_groups() {
  static const std::vector<GroupDef> groups = build();
  return groups;
}

const GroupDef& group(Group id) {
  DLCC_CHECK(id != Group::none, "no group");
  return all_groups()[static_cast<size_t>(id)];
}

const std::vector<std::string>& dtype_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out;
#define X(name, number, bytes) out.emplace_back(name_of(DType::name));
    DLCC_DTYPES(X)
#undef X
    return out;
  }();
  return names;
}

namespace {
// Names that people bring from elsewhere, and ours.
constexpr std::pair<std::string_view, std::string_view> foreign_names[] = {
    {"float32", "f32"},
    {"float64", "f64"},
    {"float", "f32"},
    {"double", "f64"},
    {"int8", "i8"},
    {"uint8", "u8"},
    {"int32", "i32"},
    {"int64", "i64"},
    {"int", "i32"},
    {"boolean", "bool"},
    {"lr", "learning_rate"},
    {"initial_learning_rate", "initial"},
    {"end_learning_rate", "end"},
    {"restore_best_weights", "restore_best"},
    {"save_best_only", "best_of"},
    {"alpha", "negative_slope"},
    {"max_iter", "epochs"},
    {"acc", "accuracy"},
    {"mse", "mean_squared_error"},
    {"mae", "mean_absolute_error"},
    {"mean_squared_error", "mse"},
    {"mean_absolute_error", "mae"},
    {"bce", "binary_crossentropy"},
    {"crossentropy", "categorical_crossentropy"},
    {"cross_entropy", "categorical_crossentropy"},
    {"Linear", "Dense"},
    {"BatchNormalization", "BatchNorm"},
    {"LayerNormalization", "LayerNorm"},
    {"Concatenate", "Concat"},
    {"Rescaling", "Rescale"},
    {"Normalization", "Normalize"},
    {"swish", "silu"},
};
} // namespace

std::string suggestion(std::string_view name, const std::vector<std::string>& candidates) {
  std::vector<std::string> known = candidates;
  std::map<std::string, std::string_view, std::less<>> meant;
  for (const auto& [foreign, ours] : foreign_names) {
    if (std::find(candidates.begin(), candidates.end(), ours) == candidates.end()) continue;
    known.emplace_back(foreign), meant.emplace(foreign, ours);
  }
  std::string near = meant.count(name) ? std::string(name) : nearest_name(name, known);
  if (auto ours = meant.find(near); ours != meant.end()) near = ours->second;
  return near.empty() ? "" : ", did you mean '" + near + "'?";
}

std::string suggestion_or_list(std::string_view name, const std::vector<std::string>& candidates) {
  constexpr size_t longest = 160;
  std::string near = suggestion(name, candidates);
  if (!near.empty() || candidates.empty()) return near;
  std::string list = ", expected one of ";
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (list.size() + candidates[i].size() > longest) return list + ", ...";
    list += (i ? ", " : "") + candidates[i];
  }
  return list;
}

} // namespace dlcc::frontend
