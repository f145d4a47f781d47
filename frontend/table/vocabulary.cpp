#include "frontend/table/vocabulary.h"

#include "ir/base/diagnostics.h"

#include <algorithm>
#include <set>

namespace dlcc::frontend {

namespace {
/// As many words as fit on a line beside the rest of a message.
constexpr size_t longest_list = 160;
constexpr std::string_view unsupported = "is not supported yet";

std::string quoted(std::string_view name) { return "'" + std::string(name) + "'"; }

std::string either(const std::vector<std::string>& all) { return enumerated(all, "or"); }
} // namespace

std::string enumerated(const std::vector<std::string>& words, std::string_view conjunction) {
  std::string out;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 < words.size() || conjunction.empty() ? ", " : " " + std::string(conjunction) + " ";
    out += words[i];
  }
  return out;
}

std::string plain_letters(std::string_view name) {
  std::string out;
  for (char c : name)
    if (c != '_' && c != '-') out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

bool Words::is_known(std::string_view name) const {
  return std::find(known_.begin(), known_.end(), name) != known_.end();
}

std::optional<Words::Found> Words::find(std::string_view name) const {
  if (is_known(name)) return Found{std::string(name)};
  if (name.size() > max_name_bytes) return std::nullopt;
  const std::string plain = plain_letters(name);
  for (const std::string& known : known_)
    if (plain_letters(known) == plain) return Found{known};
  for (const Alias& a : aliases())
    if (a.family == family_ && plain_letters(a.name) == plain && is_known(a.meaning))
      return Found{std::string(a.meaning), &a};
  return std::nullopt;
}

std::vector<const Alias*> Words::aliases_of(std::string_view name) const {
  std::vector<const Alias*> out;
  for (const Alias& a : aliases())
    if (a.family == family_ && a.meaning == name) out.push_back(&a);
  return out;
}

std::string Words::list() const {
  std::string out;
  for (const std::string& name : known_) {
    if (out.size() + name.size() > longest_list) return out + ", ...";
    out += (out.empty() ? "" : ", ") + name;
  }
  return out;
}

std::string Words::refusal(std::string_view name) const {
  if (name.size() > max_name_bytes) return "";
  const std::string plain = plain_letters(name);
  const bool is_key = family_.ends_with(" key");
  for (const RefusedName& r : refused_names()) {
    if ((r.family != family_ && !(is_key && r.family == "key")) || plain_letters(r.name) != plain) continue;
    if (!r.advice.empty()) return std::string(r.advice);
    if (is_key) return std::string(unsupported);
    return std::string(unsupported) + "; " +
           (listed_by_.empty() ? (known_.size() == 1 ? "there is " : "there are ") + list()
                               : listed_by_ + " lists what is");
  }
  return "";
}

std::string Words::near(std::string_view name) const {
  std::vector<std::string> pool = known_;
  std::vector<std::string> meanings = known_; // of the pool; "": none of ours
  auto add = [&](std::string_view word, std::string_view meaning) {
    pool.emplace_back(word), meanings.emplace_back(meaning);
  };
  for (const Alias& a : aliases())
    if (a.family == family_ && is_known(a.meaning)) add(a.name, a.meaning);
  for (const RefusedName& r : refused_names())
    if (r.family == family_) add(r.name, "");
  const std::string near = nearest_name(name, pool);
  return near.empty() ? "" : meanings[static_cast<size_t>(std::find(pool.begin(), pool.end(), near) - pool.begin())];
}

std::string Words::hint(std::string_view name) const {
  if (std::string meant = near(name); !meant.empty()) return ", did you mean " + quoted(meant) + "?";
  if (!listed_by_.empty()) return ", " + listed_by_ + " lists them";
  return known_.empty() ? "" : ", expected one of " + list();
}

Words::Complaint Words::complaint(const std::string& noun, std::string_view name) const {
  const std::string shown = "'" + escape(name, 60) + "'", refused = refusal(name);
  if (refused.empty()) return {"unknown-name", "unknown " + noun + " " + shown + hint(name)};
  return {refused.starts_with(unsupported) ? "unsupported" : "unknown-name", noun + " " + shown + " " + refused};
}

Words record_words(const GroupDef& group) {
  return {group.noun, group.discriminator.empty() && !group.short_form ? std::vector<std::string>() : group.names()};
}

Words key_words(const GroupDef& group, const RecordDef& record) {
  std::vector<std::string> names;
  for (const Key& key : record.keys) names.push_back(key.name);
  if (!group.discriminator.empty() && record.name != own_function) names.push_back(group.discriminator); // it has that
  return {group.noun + " key", std::move(names)};
}

Words option_words(const std::string& key, const std::vector<std::string>& options) {
  return {key + " option", options};
}

Words operator_words(graph::OpTable ops) {
  std::vector<std::string> names;
  for (const graph::OpDef* op : ops) names.emplace_back(op->name);
  return {"operator", std::move(names), "'dlcc ops'"};
}

Words attribute_words(const graph::OpDef& op) {
  std::vector<std::string> names;
  for (const graph::AttributeDef& attribute : op.attributes) names.emplace_back(attribute.name);
  return {"attribute", std::move(names)};
}

// ---- keys in other records ------------------------------------------------------------------------------------------

namespace {
template <class Visit> void for_each_key(Visit visit) {
  for (const GroupDef& group : all_groups())
    for (const RecordDef& record : group.records)
      for (const Key& key : record.keys) visit(group, key);
}

/// Where the records of a group stand: "'train.checkpoint'", "an entry of 'inputs' or 'labels'", "a layer".
std::string place_of(const GroupDef& group) {
  if (group.id == Group::model) return "the top level";
  std::set<std::string> paths, entries;
  for_each_key([&](const GroupDef& outer, const Key& key) {
    if (key.group != group.id) return;
    if (key.kind == KeyKind::by_name) entries.insert(quoted(key.name));
    const bool stands_once = key.kind == KeyKind::record || key.kind == KeyKind::one_or_more;
    const std::string around = !stands_once ? "" : outer.id == Group::model ? "'" : place_of(outer);
    if (!around.starts_with("'"))
      paths.insert("");
    else
      paths.insert((around == "'" ? around : around.substr(0, around.size() - 1) + ".") + key.name + "'");
  });
  if (!entries.empty()) return "an entry of " + either({entries.begin(), entries.end()});
  return paths.size() == 1 && *paths.begin() != "" ? *paths.begin() : with_article(group.noun);
}

/// A key of a record that a word may have meant.
struct Owner {
  const GroupDef* group;
  const RecordDef* record;
  const Key* key;
};

// By our own name; else by that, beside another key's value only; else by an alias.
std::vector<Owner> owners_of(std::string_view word) {
  std::vector<Owner> ours, guarded, by_alias;
  for (const GroupDef& group : all_groups())
    for (const RecordDef& record : group.records) {
      auto found = key_words(group, record).find(word);
      if (!found) continue;
      for (const Key& key : record.keys)
        if (key.name == found->name)
          (found->alias ? by_alias : key.guard.empty() ? ours : guarded).push_back({&group, &record, &key});
    }
  return !ours.empty() ? ours : !guarded.empty() ? guarded : by_alias;
}
} // namespace

std::string where_key_belongs(std::string_view word, const GroupDef& here) {
  constexpr size_t most = 3;
  const std::vector<Owner> owners = owners_of(word);
  std::vector<std::string> places;
  std::set<std::string> names;
  for (const GroupDef& group : all_groups()) {
    std::vector<std::string> records;
    for (const Owner& owner : owners)
      if (owner.group == &group) records.push_back(quoted(owner.record->name)), names.insert(owner.key->name);
    if (records.empty()) continue;
    if (records.size() < group.records.size() && records.size() <= most)
      places.push_back(group.noun + " " + either(records));
    else
      places.push_back(group.id == here.id ? with_article(group.noun) : place_of(group));
  }
  if (places.empty() || places.size() > most) return "";
  const bool has_another_name = names.size() == 1 && *names.begin() != word;
  return either(places) + (has_another_name ? " as " + quoted(*names.begin()) : "");
}

bool is_same_key(std::string_view a, std::string_view b) {
  if (a == b) return true;
  const std::string plain_a = plain_letters(a), plain_b = plain_letters(b);
  std::set<std::string_view> meanings;
  for (const Alias& alias : aliases())
    if (alias.family.ends_with(" key") && plain_letters(alias.name) == plain_a) meanings.insert(alias.meaning);
  bool is_same = false;
  for_each_key([&](const GroupDef&, const Key& key) {
    const std::string plain = plain_letters(key.name);
    if (plain == plain_a) meanings.insert(key.name);
    is_same |= plain == plain_b && meanings.count(key.name);
  });
  for (const Alias& alias : aliases())
    is_same |= alias.family.ends_with(" key") && plain_letters(alias.name) == plain_b && meanings.count(alias.meaning);
  return is_same;
}

} // namespace dlcc::frontend
