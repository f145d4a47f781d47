// Records: which one, its keys, what is missing, what excludes what.
#include "frontend/validate.h"

namespace dlcc::frontend {

void Validator::error(const char* name, std::string text, Place place, bool at_key) {
  Location where = place.where;
  std::string pointer;
  if (place.value != no_value) {
    if (at_key) where = doc_[place.value].key_where;
    pointer = doc_.pointer(place.value);
    if (!where.known()) text += " (set at " + escape(pointer, 80) + ")";
  }
  diagnostics_.error(name, std::move(text), where, std::move(pointer));
}

void Validator::wrong_type(const std::string& label, ValueId id, const std::string& expected, const char* name) {
  error(name, (label.empty() ? "" : label + " is ") + doc_.describe(id) + ", expected " + expected, place_of(id));
}

void Validator::fill_default(Record& record, size_t index) {
  const Key& key = record.def->keys[index];
  Arg& arg = record.args[index];
  arg.place = record.place;
  arg.place.value = no_value;
  if (key.kind == KeyKind::record && !std::holds_alternative<std::monostate>(key.fallback)) {
    const GroupDef& g = group(key.group);
    const std::string* name = std::get_if<std::string>(&key.fallback);
    const RecordDef* def = g.find(name ? *name : g.from_number);
    DLCC_CHECK(def, "default of '" + key.name + "' names no record");
    std::vector<Record> one;
    one.push_back(defaults(g, *def, arg.place));
    if (!name) one[0].args[0].value = std::get<double>(key.fallback);
    arg.value = std::move(one);
    return;
  }
  std::visit([&](const auto& x) { arg.value = x; }, key.fallback);
}

Record Validator::defaults(const GroupDef& group, const RecordDef& def, Place place) {
  Record record;
  record.group = &group;
  record.def = &def;
  record.place = place;
  record.args.resize(def.keys.size());
  for (size_t i = 0; i < def.keys.size(); ++i) fill_default(record, i);
  return record;
}

// `label`: how messages call the value, e.g. "'activation'" or "layer 3".
std::optional<Record> Validator::read_record(const GroupDef& g, const Key* key, ValueId id, const std::string& label) {
  const Value& v = doc_[id];
  if (v.kind == Kind::object) return read_object(g, id, label);
  if (v.kind == Kind::string && g.from_file) {
    Record record = defaults(g, g.records[0], place_of(id));
    record.file = doc_.text(id);
    if (!check_text(id)) return std::nullopt;
    return record;
  }
  if (v.kind == Kind::string && g.short_form) {
    const RecordDef* def = find_type(g, id);
    if (!def) return std::nullopt;
    Record record = defaults(g, *def, place_of(id));
    finish(record);
    return record;
  }
  bool is_number = v.kind == Kind::integer || v.kind == Kind::number;
  if (is_number && !g.from_number.empty() && key) {
    std::optional<double> x = read_number(*key, id);
    if (!x) return std::nullopt;
    Record record = defaults(g, *g.find(g.from_number), place_of(id));
    record.args[0] = {*x, place_of(id), true};
    return record;
  }
  wrong_type(label, id, key ? expected_text(*key) : "an object");
  return std::nullopt;
}

// The record that a type's name stands for; an unknown one is an error.
const RecordDef* Validator::find_type(const GroupDef& g, ValueId id) {
  if (doc_[id].kind != Kind::string) {
    wrong_type("'" + g.discriminator + "'", id, "the name of " + with_article(g.noun));
    return nullptr;
  }
  std::string name(doc_.text(id));
  if (const RecordDef* def = g.find(name)) return def;
  error("unknown-name", "unknown " + g.noun + " '" + escape(name, 60) + "'" + suggestion_or_list(name, g.names()),
        place_of(id));
  return nullptr;
}

std::optional<Record> Validator::read_object(const GroupDef& g, ValueId id, const std::string& label) {
  const RecordDef* def = g.records.data();
  if (!g.discriminator.empty()) {
    ValueId type = doc_.find(id, g.discriminator);
    if (type == no_value) {
      error("missing-key",
            (label.empty() ? g.noun : label) + " has no '" + g.discriminator + "', expected the name of " +
                with_article(g.noun),
            place_of(id));
      return std::nullopt;
    }
    def = find_type(g, type);
    if (!def) return std::nullopt;
  }
  Record record = defaults(g, *def, place_of(id));
  for (ValueId member = doc_.first_child(id); member != no_value; member = doc_[member].next) {
    std::string_view name = doc_.key(member);
    if (name.starts_with("x-") || (!g.discriminator.empty() && name == g.discriminator)) continue;
    read_member(record, member);
  }
  finish(record);
  return record;
}

void Validator::read_member(Record& record, ValueId id) {
  std::string name(doc_.key(id));
  const std::vector<Key>& keys = record.def->keys;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].name != name) continue;
    record.args[i].is_given = true;
    record.args[i].place = place_of(id);
    read_value(record.args[i], keys[i], id);
    return;
  }
  if (record.group->open_keys) return read_extra(record, id);
  std::vector<std::string> names;
  for (const Key& key : keys) names.push_back(key.name);
  if (!record.group->discriminator.empty()) names.push_back(record.group->discriminator);
  std::string of =
      record.group->discriminator.empty() ? record.group->noun : record.group->noun + " '" + record.type() + "'";
  const std::string hint = suggestion_or_list(name, names);
  error("unknown-key", "unknown key '" + escape(name, 60) + "' in " + of + hint, place_of(id), true);
  for (size_t i = 0; i < keys.size(); ++i) // one fault, one message
    if (hint == ", did you mean '" + keys[i].name + "'?") record.args[i].is_given = true;
}

// An input's source: a string, a number, or a list of them. Whether the input exists is checked when all are known.
void Validator::read_extra(Record& record, ValueId id) {
  ExtraArg extra;
  extra.name = {std::string(doc_.key(id)), {doc_[id].key_where, id}};
  extra.place = place_of(id);
  extra.is_list = doc_[id].kind == Kind::list;
  bool good = true;
  auto take = [&](ValueId value) {
    if (doc_[value].kind == Kind::string)
      extra.values.emplace_back(std::string(doc_.text(value))), good &= check_text(value);
    else if (doc_[value].kind == Kind::integer)
      extra.values.emplace_back(doc_[value].integer);
    else
      good = false, wrong_type("'" + escape(extra.name.text, 60) + "'", value, "a name, a number or a list of them");
  };
  if (extra.is_list)
    for (ValueId child = doc_.first_child(id); child != no_value && good; child = doc_[child].next) take(child);
  else
    take(id);
  if (good) record.extras.push_back(std::move(extra));
}

// What is missing, and what excludes what.
void Validator::finish(Record& record) {
  const RecordDef& def = *record.def;
  std::string title =
      record.group->discriminator.empty() ? record.group->noun : record.group->noun + " '" + def.name + "'";
  for (size_t i = 0; i < def.keys.size(); ++i)
    if (def.keys[i].is_required && !record.args[i].is_given)
      error("missing-key", title + " has no '" + def.keys[i].name + "', expected " + expected_text(def.keys[i]),
            record.place);
  apply_guards(record);
  const Arg* first = nullptr;
  std::string first_name, all;
  for (const std::string& name : def.conflicts) all += (all.empty() ? "" : ", ") + name;
  for (const std::string& name : def.conflicts) {
    const Arg& arg = record.at(name);
    if (!arg.is_given) continue;
    if (first)
      error("conflict", title + " has both '" + first_name + "' and '" + name + "', expected at most one of " + all,
            arg.place, true);
    first = &arg, first_name = name;
  }
}

// Keys that exist only beside another one's value.
void Validator::apply_guards(Record& record) {
  for (size_t i = 0; i < record.args.size(); ++i) {
    const Key& key = record.def->keys[i];
    Arg& arg = record.args[i];
    if (key.guard.empty() || record.text(key.guard) == key.guard_value) continue;
    if (arg.is_given)
      error("conflict",
            "'" + key.name + "' belongs to " + key.guard + " '" + key.guard_value + "', expected \"" + key.guard +
                "\": \"" + key.guard_value + "\" beside it",
            arg.place, true);
    arg.value = std::monostate();
  }
}

bool Validator::check_text(ValueId id) {
  for (char c : doc_.text(id))
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      error("bad-name", "control character in '" + escape(doc_.text(id), 60) + "', expected printable text",
            place_of(id));
      return false;
    }
  return true;
}

// `is_new`: the name is given here, not referred to.
bool Validator::check_name(std::string_view name, Place place, bool at_key, bool is_new) {
  std::string problem;
  if (name.empty())
    problem = "empty name, expected 1 to " + std::to_string(max_name_bytes) + " bytes";
  else if (name.size() > max_name_bytes)
    problem = "name of " + std::to_string(name.size()) + " bytes, expected at most " + std::to_string(max_name_bytes);
  else if (is_new && name.starts_with("d."))
    problem = "name '" + escape(name, 60) + "' starts with 'd.', which is kept for derivatives";
  else
    for (char c : name)
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
        problem = "control character in name '" + escape(name, 60) + "', expected printable text";
  if (!problem.empty()) error("bad-name", problem, place, at_key);
  return problem.empty();
}

} // namespace dlcc::frontend
