// Records: which one, its keys, what is missing, what excludes what.
#include "frontend/read/validate.h"

#include <algorithm>

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

ValueId find_member(const Document& document, ValueId object, const Words& keys, std::string_view key) {
  ValueId member = document.find(object, key);
  if (member != no_value || document[object].kind != Kind::object) return member;
  for (member = document.first_child(object); member != no_value; member = document[member].next)
    if (auto found = keys.find(document.key(member)); found && found->name == key) return member;
  return no_value;
}

void Validator::fill(Record& record, size_t index, const Default& value) {
  const Key& key = record.def->keys[index];
  Arg& arg = record.args[index];
  arg.place = record.place;
  arg.place.value = no_value;
  if (key.kind == KeyKind::record && !std::holds_alternative<std::monostate>(value)) {
    const GroupDef& g = group(key.group);
    const std::string* name = std::get_if<std::string>(&value);
    const RecordDef* def = g.find(name ? *name : g.from_number);
    DLCC_CHECK(def, "default of '" + key.name + "' names no record");
    std::vector<Record> one;
    one.push_back(defaults(g, *def, arg.place));
    if (!name) one[0].args[0].value = std::get<double>(value);
    arg.value = std::move(one);
    return;
  }
  std::visit([&](const auto& x) { arg.value = x; }, value);
}

Record Validator::defaults(const GroupDef& group, const RecordDef& def, Place place) {
  Record record;
  record.group = &group;
  record.def = &def;
  record.place = place;
  record.args.resize(def.keys.size());
  for (size_t i = 0; i < def.keys.size(); ++i) fill(record, i, def.keys[i].fallback);
  return record;
}

// A record of which nothing is read yet but its name, and what that implies; a function's name is its first argument.
Validator::Reading Validator::start(const GroupDef& g, const Type& type, ValueId id, ValueId named) {
  Reading out{defaults(g, *type.def, place_of(id)), type, std::vector<char>(type.def->keys.size())};
  if (out.record.is(own_function)) out.record.args[0] = {std::string(doc_.text(named)), place_of(named), true};
  if (!type.alias) return out;
  for (const auto& [key, value] : type.alias->implied) {
    Arg& arg = out.record.at(key);
    fill(out.record, static_cast<size_t>(&arg - out.record.args.data()), value);
    arg.is_given = true;
  }
  return out;
}

std::optional<Record> Validator::read(Group id, ValueId value) {
  std::optional<Record> record = read_record(group(id), nullptr, value, {});
  report_incomplete();
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
    Type type = find_type(g, id);
    return type.def ? std::optional(finish(start(g, type, id, id))) : std::nullopt;
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

ValueId Validator::find_function(std::string_view name) const {
  const GroupDef& model = group(Group::model);
  const ValueId functions = find_member(doc_, doc_.root(), key_words(model, model.records[0]), "functions");
  return functions == no_value || name.starts_with("x-") ? no_value : doc_.find(functions, name);
}

// The record that a type's name stands for; an unknown one is an error.
Validator::Type Validator::find_type(const GroupDef& g, ValueId id) {
  if (doc_[id].kind != Kind::string) {
    wrong_type("'" + g.discriminator + "'", id, "the name of " + with_article(g.noun));
    return {};
  }
  std::string name(doc_.text(id));
  const bool is_named = !g.discriminator.empty(); // or else only aliases are names
  const ValueId function = g.by_function ? find_function(name) : no_value;
  const Words words = record_words(g);
  if (const RecordDef* def = g.find(name); def && is_named) {
    if (function != no_value)
      error("bad-name",
            "'" + escape(name, 60) + "' is " + with_article(g.noun) + ", expected another name for the function",
            place_of(function), true);
    return {def};
  }
  if (function != no_value) return {&*g.by_function}; // goes before what a name means elsewhere
  if (const auto found = words.find(name); found && (is_named || found->alias))
    return {g.find(found->name), found->alias};
  error(words.complaint(g.noun, name), place_of(id));
  return {};
}

std::optional<Record> Validator::read_object(const GroupDef& g, ValueId id, const std::string& label) {
  Type type{g.records.data()};
  ValueId named = no_value;
  if (!g.discriminator.empty()) {
    named = find_member(doc_, id, {g.noun + " key", {g.discriminator}}, g.discriminator);
    const bool is_value =
        named == no_value && g.by_value && find_member(doc_, id, key_words(g, *g.by_value), "value") != no_value;
    if (named == no_value && !is_value) {
      error("missing-key",
            (label.empty() ? g.noun : label) + " has no '" + g.discriminator + "', expected the name of " +
                with_article(g.noun),
            place_of(id));
      return std::nullopt;
    }
    type = is_value ? Type{&*g.by_value} : find_type(g, named);
    if (!type.def) return std::nullopt;
  }
  Reading reading = start(g, type, id, named);
  for (ValueId member = doc_.first_child(id); member != no_value; member = doc_[member].next)
    if (member != named && !doc_.key(member).starts_with("x-")) read_member(reading, member);
  return finish(std::move(reading));
}

namespace {
// "layer 'Dense'", "train".
std::string title_of(const Record& record) {
  const std::string& noun = record.group->noun;
  if (record.group->discriminator.empty()) return noun;
  return noun + " '" + escape(record.is(own_function) ? record.text("type") : record.type(), 60) + "'";
}
} // namespace

// The key that a member is; where the keys are open, an input's name goes before an alias.
std::optional<size_t> Validator::find_key(const Record& record, std::string_view name) const {
  const std::vector<Key>& keys = record.def->keys;
  for (size_t i = 0; i < keys.size(); ++i)
    if (keys[i].name == name) return i;
  if (record.group->open_keys && is_tensor(name)) return std::nullopt;
  auto found = key_words(*record.group, *record.def).find(name);
  return found && found->name != record.group->discriminator ? find_key(record, found->name) : std::nullopt;
}

void Validator::read_member(Reading& reading, ValueId id) {
  Record& record = reading.record;
  if (auto index = find_key(record, doc_.key(id))) {
    Arg& arg = record.args[*index];
    if (arg.is_given && !reading.excused[*index]) return already_given(reading, *index, id);
    arg.is_given = true;
    arg.place = place_of(id);
    return read_value(arg, record.def->keys[*index], id);
  }
  if (record.group->open_keys) return read_extra(record, id);
  unknown_key(reading, id);
}

// By an alias beside our own name, or by the name of the record.
void Validator::already_given(const Reading& reading, size_t index, ValueId id) {
  const std::string ours = "'" + reading.type.def->keys[index].name + "'",
                    written = "'" + std::string(doc_.key(id)) + "'";
  const bool is_implied = reading.record.args[index].place.value == no_value;
  error("conflict",
        is_implied
            ? ours + " follows from the name '" + std::string(reading.type.alias->name) + "', expected none beside it"
            : written + " gives " + ours + " a second time, expected it once",
        place_of(id), true);
}

void Validator::unknown_key(Reading& reading, ValueId id) {
  const Words words = key_words(*reading.record.group, *reading.record.def);
  const std::string_view name = doc_.key(id);
  const std::string shown = "'" + escape(name, 60) + "'", in = title_of(reading.record);
  if (auto again = words.find(name)) // the record's name
    return error("conflict", shown + " gives '" + again->name + "' a second time, expected it once", place_of(id),
                 true);
  if (std::string refusal = words.refusal(name); !refusal.empty())
    return error(refusal.starts_with("is not supported") ? "unsupported" : "unknown-key",
                 shown + " in " + in + " " + refusal, place_of(id), true);
  if (std::string where = where_key_belongs(name, *reading.record.group); !where.empty()) {
    misplaced_.emplace_back(name);
    return error("misplaced-key", shown + " belongs in " + where + ", not in " + in, place_of(id), true);
  }
  error("unknown-key", "unknown key " + shown + " in " + in + words.hint(name), place_of(id), true);
  const std::vector<Key>& keys = reading.type.def->keys;
  const std::string near = words.near(name);
  for (size_t i = 0; i < keys.size(); ++i) // one fault, one message
    if (keys[i].name == near) reading.record.args[i].is_given = true, reading.excused[i] = true;
}

// Whether the model has such an input or label; what the loss may infer counts too.
bool Validator::is_tensor(std::string_view name) const {
  if (name == "label" || std::find(tensors_.begin(), tensors_.end(), name) != tensors_.end()) return true;
  const GroupDef& model = group(Group::model);
  const Words keys = key_words(model, model.records[0]);
  for (const char* section : {"inputs", "labels"})
    if (ValueId tensors = find_member(doc_, doc_.root(), keys, section); tensors != no_value)
      if (doc_.find(tensors, name) != no_value) return true;
  return false;
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
    else if (doc_[value].kind == Kind::object)
      if (auto column = read_object(group(Group::column), value, {}))
        extra.values.emplace_back(std::vector<Record>{std::move(*column)});
      else
        good = false;
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
Record Validator::finish(Reading reading) {
  Record& record = reading.record;
  const RecordDef& def = *record.def;
  Incomplete incomplete{title_of(record), record.place, {}};
  for (size_t i = 0; i < def.keys.size(); ++i)
    if (def.keys[i].is_required && !record.args[i].is_given)
      incomplete.lacks.push_back({{def.keys[i].name}, expected_text(def.keys[i])});
  apply_guards(record);
  for (const Alternatives& alternatives : def.alternatives)
    if (!choose(record, alternatives) && alternatives.is_required)
      incomplete.lacks.push_back({alternatives.keys, "one of them"});
  if (!incomplete.lacks.empty()) incomplete_.push_back(std::move(incomplete));
  return std::move(reading.record);
}

// When all is read: what only stands elsewhere has been told there. One line a record.
void Validator::report_incomplete() {
  const auto is_elsewhere = [&](const std::string& key) {
    return std::any_of(misplaced_.begin(), misplaced_.end(), [&](const auto& word) { return is_same_key(word, key); });
  };
  for (Incomplete& record : std::exchange(incomplete_, {})) {
    std::erase_if(record.lacks,
                  [&](const Lack& lack) { return std::any_of(lack.keys.begin(), lack.keys.end(), is_elsewhere); });
    if (record.lacks.empty()) continue;
    const bool is_one = record.lacks.size() == 1;
    std::vector<std::string> parts;
    for (const Lack& lack : record.lacks) {
      const std::string expected = is_one ? ", expected " + lack.expected : " (" + lack.expected + ")";
      parts.push_back((lack.keys.size() == 1 ? "no '" + lack.keys[0] + "'" : "none of " + enumerated(lack.keys)) +
                      expected);
    }
    error("missing-key", record.title + " has " + enumerated(parts, "and"), record.place);
  }
}

// The defaults of those that are not chosen are no values of theirs.
bool Validator::choose(Record& record, const Alternatives& alternatives) {
  const std::vector<std::string>& keys = alternatives.keys;
  const std::string* chosen = nullptr;
  for (const std::string& key : keys) {
    const Arg& arg = record.at(key);
    if (!arg.is_given) continue;
    if (chosen)
      error("conflict",
            title_of(record) + " has both '" + *chosen + "' and '" + key + "', expected at most one of " +
                enumerated(keys),
            arg.place, true);
    chosen = &key;
  }
  for (const std::string& key : keys)
    if (chosen && key != *chosen) record.at(key).value = std::monostate();
  return chosen != nullptr;
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
