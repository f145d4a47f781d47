#include "frontend/table/schema.h"

#include "ir/base/diagnostics.h"
#include "ir/base/dtype.h"

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
Key either(std::vector<Key> alternatives) {
  Key key = make(alternatives.at(0).name, KeyKind::either);
  key.alternatives = std::move(alternatives);
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

std::string with_article(const std::string& noun) {
  return (std::string_view("aeiou").find(noun[0]) != std::string_view::npos ? "an " : "a ") + noun;
}

} // namespace dlcc::frontend
