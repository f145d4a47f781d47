// Every key of the format changes what it should: the keys are those of the frontend's table, so a new one without a
// row fails.
#include "tests/effects/bases.h"
#include "tests/effects/key_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <sstream>

namespace dlcc::effects {
namespace {

using frontend::Group, frontend::GroupDef, frontend::Key, frontend::KeyKind, frontend::RecordDef;

std::vector<const KeyRow*> all_rows() {
  std::vector<const KeyRow*> all;
  for (const auto* rows : {&network_rows(), &training_rows(), &data_rows()})
    for (const KeyRow& row : *rows) all.push_back(&row);
  return all;
}

std::vector<const RecordDef*> records_of(const GroupDef& group) {
  std::vector<const RecordDef*> records;
  for (const RecordDef& r : group.records) records.push_back(&r);
  for (const auto* own : {&group.by_value, &group.by_function})
    if (*own) records.push_back(&**own);
  return records;
}

bool is_of(const KeyRow& row, Group group, const RecordDef& record, const Key& key) {
  std::istringstream words(row.records);
  const std::vector<std::string> names(std::istream_iterator<std::string>(words), {});
  const bool of_record = row.records == "*" || std::count(names.begin(), names.end(), record.name) > 0;
  return row.group == group && key.name == row.key && of_record;
}

Json patched(const Base& base, const std::string& record, const std::string& model = "{}") {
  Json m = base.model;
  m.merge_patch(Json::parse(model));
  m[base.record].merge_patch(Json::parse(record));
  return m;
}

// Stops a test that would go on with a model that is none.
Outcome seen(const Json& model, Seen how) {
  switch (how) {
  case Seen::run:
    return run(model);
  case Seen::planned:
    return text_of(model, "planned");
  case Seen::named:
    return text_of(model, "source");
  default:
    return computed(model);
  }
}

constexpr double changed = 1e-6, equal = 1e-9;

class KeyCase {
public:
  KeyCase(const GroupDef& group, const RecordDef& record, const Key& key, const KeyRow& row)
      : key_(key), row_(row), base_(base_of(group.id, record.name, row.seen == Seen::run)) {
    Json besides = Json::parse(row.besides.record);
    for (auto it = besides.begin(); it != besides.end();) // rows for several records say what some have
      it = has_key(record, it.key()) || !is_for_all() ? std::next(it) : besides.erase(it);
    if (!key.guard.empty()) besides[key.guard] = key.guard_value;
    base_.model = patched(base_, besides.dump(), row.besides.model);
  }

  void check() {
    if (row_.seen == Seen::refused) return check_refusal();
    const Outcome without = seen(base_.model, row_.seen), with = seen(patched(base_, row_.with), row_.seen);
    EXPECT_EQ(with.error, "");
    if (row_.seen == Seen::nothing) return expect_equal(without, with);
    if (row_.seen == Seen::named) {
      EXPECT_NE(with.text.find("given"), std::string::npos) << with.text;
      EXPECT_EQ(without.text.find("given"), std::string::npos);
      return;
    }
    EXPECT_GT(distance(without, with), changed) << "no difference";
    if (says_the_same())
      expect_equal(with, seen(patched(base_, row_.besides.same_record, row_.besides.same_model), row_.seen));
    check_default(without);
    check_choices();
  }

private:
  bool is_for_all() const { return row_.records == "*"; }
  static bool has_key(const RecordDef& record, const std::string& name) {
    return std::any_of(record.keys.begin(), record.keys.end(), [&](const Key& k) { return k.name == name; });
  }
  bool says_the_same() const { return std::string(row_.besides.same_record) + row_.besides.same_model != "{}{}"; }
  static void expect_equal(const Outcome& a, const Outcome& b) {
    EXPECT_LT(distance(a, b), equal) << a.error << a.text << "\n---\n" << b.error << b.text;
  }

  void check_refusal() {
    const bool is_of_data = row_.group >= Group::data;
    auto error = [&](const Json& model) { return (is_of_data ? run(model) : text_of(model, "planned")).error; };
    const std::string with = error(patched(base_, row_.with)), without = error(base_.model);
    EXPECT_NE(with.find(row_.besides.expected), std::string::npos) << with;
    EXPECT_EQ(without.find(row_.besides.expected), std::string::npos) << without;
  }

  // To say a default is to say nothing.
  void check_default(const Outcome& without) {
    if (std::holds_alternative<std::monostate>(key_.fallback) || base_.model[base_.record].contains(key_.name)) return;
    Json value;
    std::visit(
        [&](const auto& v) {
          if constexpr (!std::is_same_v<std::decay_t<decltype(v)>, std::monostate>) value = v;
        },
        key_.fallback);
    EXPECT_EQ(distance(without, seen(patched(base_, Json{{key_.name, value}}.dump()), row_.seen)), 0)
        << "default " << value;
  }

  // Every choice does something of its own.
  void check_choices() {
    if (key_.kind != KeyKind::choice) return;
    std::vector<Outcome> outcomes;
    for (const std::string& option : key_.options) {
      outcomes.push_back(seen(patched(base_, Json{{key_.name, option}}.dump()), row_.seen));
      for (size_t i = 0; i + 1 < outcomes.size() && key_.options[0] != "auto"; ++i) // which is one of the others
        EXPECT_GT(distance(outcomes[i], outcomes.back()), changed) << key_.options[i] << " and " << option;
    }
  }

  const Key& key_;
  const KeyRow& row_;
  Base base_;
};

class Keys : public testing::TestWithParam<size_t> {};

TEST_P(Keys, HaveAnEffect) {
  const GroupDef& group = frontend::all_groups()[GetParam()];
  for (const RecordDef* record : records_of(group))
    for (const Key& key : record->keys) {
      SCOPED_TRACE(group.noun + " " + record->name + "." + key.name);
      int rows = 0;
      for (const KeyRow* row : all_rows())
        if (is_of(*row, group.id, *record, key)) ++rows, KeyCase(group, *record, key, *row).check();
      EXPECT_GT(rows, 0) << "no row says what this key changes";
    }
}

std::string test_name(const testing::TestParamInfo<size_t>& info) {
  std::string name = frontend::all_groups()[info.param].noun;
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
}
INSTANTIATE_TEST_SUITE_P(Of, Keys, testing::Range(size_t{1}, frontend::all_groups().size()), test_name);

TEST(KeyRows, AreAllOfTheTable) {
  for (const KeyRow* row : all_rows()) {
    int keys = 0;
    const GroupDef& group = frontend::group(row->group);
    for (const RecordDef* record : records_of(group))
      for (const Key& key : record->keys) keys += is_of(*row, group.id, *record, key);
    EXPECT_GT(keys, 0) << group.noun << " " << row->records << "." << row->key;
  }
}

} // namespace
} // namespace dlcc::effects
