// Values of keys, by their kind.
#include "frontend/read/validate.h"

#include <charconv>

namespace dlcc::frontend {

namespace {
std::string quoted(const std::string& name) { return "'" + name + "'"; }

bool in_range(const Key& key, double x) {
  return (key.low_open ? x > key.low : x >= key.low) && (key.high_open ? x < key.high : x <= key.high);
}

bool is_identifier(std::string_view s) {
  for (char c : s)
    if (!(c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))) return false;
  return !s.empty() && s.size() <= max_name_bytes && !(s[0] >= '0' && s[0] <= '9');
}
} // namespace

bool is_symbol(std::string_view s) {
  if (s.empty() || s.size() > 64 || s[0] < 'A' || s[0] > 'Z') return false;
  for (char c : s)
    if (!(c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))) return false;
  return true;
}

void Validator::read_value(Arg& arg, const Key& key, ValueId id) {
  switch (key.kind) {
  case KeyKind::boolean:
    if (doc_[id].kind == Kind::boolean)
      arg.value = doc_[id].boolean;
    else
      wrong_type(quoted(key.name), id, expected_text(key));
    break;
  case KeyKind::integer:
    if (auto x = read_integer(key, id)) arg.value = *x;
    break;
  case KeyKind::number:
    if (auto x = read_number(key, id)) arg.value = *x;
    break;
  case KeyKind::string:
  case KeyKind::name:
  case KeyKind::identifier:
  case KeyKind::tie:
    read_text(arg, key, id);
    break;
  case KeyKind::choice:
    read_choice(arg, key, id);
    break;
  case KeyKind::character:
    read_character(arg, key, id);
    break;
  case KeyKind::either:
    read_either(arg, key, id);
    break;
  case KeyKind::integers:
  case KeyKind::numbers:
  case KeyKind::names:
  case KeyKind::texts:
  case KeyKind::dims:
    read_list(arg, key, id);
    break;
  case KeyKind::record:
    if (auto r = read_record(group(key.group), &key, id, quoted(key.name))) {
      std::vector<Record> one;
      one.push_back(std::move(*r));
      arg.value = std::move(one);
    }
    break;
  case KeyKind::records:
  case KeyKind::one_or_more:
    read_records(arg, key, id);
    break;
  case KeyKind::by_name:
    read_by_name(arg, key, id);
    break;
  case KeyKind::weights:
    read_weights(arg, key, id);
    break;
  case KeyKind::nodes:
    if (doc_[id].kind == Kind::list)
      arg.value = read_nodes(id);
    else
      wrong_type(quoted(key.name), id, expected_text(key));
    break;
  case KeyKind::attributes: // only nodes have them, which are read apart
    break;
  }
}

std::optional<int64_t> Validator::read_integer(const Key& key, ValueId id) {
  const Value& v = doc_[id];
  if (v.kind != Kind::integer) return wrong_type(quoted(key.name), id, expected_text(key)), std::nullopt;
  if (!in_range(key, static_cast<double>(v.integer)))
    return wrong_type(quoted(key.name), id, expected_text(key), "out-of-range"), std::nullopt;
  return v.integer;
}

std::optional<double> Validator::read_number(const Key& key, ValueId id) {
  const Value& v = doc_[id];
  if (v.kind != Kind::integer && v.kind != Kind::number)
    return wrong_type(quoted(key.name), id, expected_text(key)), std::nullopt;
  double x = v.kind == Kind::integer ? static_cast<double>(v.integer) : v.number;
  if (!in_range(key, x)) return wrong_type(quoted(key.name), id, expected_text(key), "out-of-range"), std::nullopt;
  return x;
}

void Validator::read_text(Arg& arg, const Key& key, ValueId id) {
  if (doc_[id].kind != Kind::string) {
    const std::string is = doc_.describe(id);
    if (const Words words = option_words(key.name, {}); !words.refusal(is).empty())
      return error(words.complaint(key.name, is), place_of(id)); // "bias": false
    return wrong_type(quoted(key.name), id, expected_text(key));
  }
  std::string_view s = doc_.text(id);
  bool good = true;
  if (key.kind == KeyKind::string)
    good = check_text(id);
  else
    good = check_name(s, place_of(id), false, key.name == "name");
  if (good && ((key.kind == KeyKind::identifier && !is_identifier(s)) ||
               (key.kind == KeyKind::tie && (s.size() < 2 || s[0] != '@'))))
    good = false, wrong_type(quoted(key.name), id, expected_text(key), "bad-name");
  if (good) arg.value = std::string(s);
}

void Validator::read_choice(Arg& arg, const Key& key, ValueId id) {
  if (doc_[id].kind != Kind::string) return wrong_type(quoted(key.name), id, expected_text(key));
  const Words words = option_words(key.name, key.options);
  if (auto found = words.find(doc_.text(id)))
    arg.value = found->name;
  else
    error(words.complaint(key.name, doc_.text(id)), place_of(id));
}

std::optional<Name> Validator::read_name(const Key& key, ValueId id) {
  if (doc_[id].kind != Kind::string) return wrong_type("an entry of " + quoted(key.name), id, "a name"), std::nullopt;
  if (!check_name(doc_.text(id), place_of(id), false, false)) return std::nullopt;
  return Name{std::string(doc_.text(id)), place_of(id)};
}

std::optional<Name> Validator::read_any_text(const Key& key, ValueId id) {
  if (doc_[id].kind != Kind::string) return wrong_type("an entry of " + quoted(key.name), id, "a string"), std::nullopt;
  if (!check_text(id)) return std::nullopt;
  return Name{std::string(doc_.text(id)), place_of(id)};
}

void Validator::read_character(Arg& arg, const Key& key, ValueId id) {
  if (doc_[id].kind != Kind::string) return wrong_type(quoted(key.name), id, expected_text(key));
  std::string s(doc_.text(id));
  if (s == "tab" || s == "\\t") s = "\t";
  if (s.size() != 1 || (s[0] != '\t' && (s[0] < ' ' || s[0] > '~')))
    return wrong_type(quoted(key.name), id, expected_text(key));
  arg.value = s;
}

namespace {
// Whether a key takes values of a JSON type, whatever they are.
bool takes(const Key& key, Kind kind) {
  switch (key.kind) {
  case KeyKind::integer:
    return kind == Kind::integer;
  case KeyKind::number:
    return kind == Kind::integer || kind == Kind::number;
  case KeyKind::name:
  case KeyKind::choice:
    return kind == Kind::string;
  case KeyKind::texts:
    return kind == Kind::list;
  default:
    DLCC_CHECK(false, "no alternative is of the kind of '" + key.name + "'");
    return false;
  }
}
} // namespace

void Validator::read_either(Arg& arg, const Key& key, ValueId id) {
  for (const Key& alternative : key.alternatives)
    if (takes(alternative, doc_[id].kind)) return read_value(arg, alternative, id);
  wrong_type(quoted(key.name), id, expected_text(key));
}

std::optional<Dim> Validator::read_dim(const Key& key, ValueId id) {
  const Value& v = doc_[id];
  if (v.kind == Kind::integer && v.integer >= 1) return Dim{v.integer, "", place_of(id)};
  if (v.kind == Kind::string && is_symbol(doc_.text(id))) return Dim{0, std::string(doc_.text(id)), place_of(id)};
  const char* name = v.kind == Kind::integer ? "out-of-range" : "wrong-type";
  wrong_type("a dimension of " + quoted(key.name), id, "an integer >= 1 or an upper-case symbol", name);
  return std::nullopt;
}

// Lists of one kind; all wrong entries are reported.
void Validator::read_list(Arg& arg, const Key& key, ValueId id) {
  if (key.kind == KeyKind::numbers && (doc_[id].kind == Kind::integer || doc_[id].kind == Kind::number)) {
    if (auto x = read_number(key, id)) arg.value = std::vector<double>{*x};
    return;
  }
  if (key.kind == KeyKind::names && doc_[id].kind == Kind::string) {
    if (auto x = read_name(key, id)) arg.value = std::vector<Name>{std::move(*x)};
    return;
  }
  if (doc_[id].kind != Kind::list) return wrong_type(quoted(key.name), id, expected_text(key));
  if (doc_.child_count(id) < key.fewest) return wrong_type(quoted(key.name), id, expected_text(key));
  if (key.kind == KeyKind::dims && doc_.child_count(id) > max_rank)
    return error("out-of-range",
                 quoted(key.name) + " has " + std::to_string(doc_.child_count(id)) + " dimensions, expected at most 8",
                 place_of(id));
  bool good = true;
  auto collect = [&](auto read) {
    std::vector<typename decltype(read(key, id))::value_type> out;
    for (ValueId child = doc_.first_child(id); child != no_value; child = doc_[child].next) {
      auto x = read(key, child);
      if (x)
        out.push_back(std::move(*x));
      else
        good = false;
    }
    if (good) arg.value = std::move(out);
  };
  if (key.kind == KeyKind::integers)
    collect([this](const Key& k, ValueId v) { return read_integer(k, v); });
  else if (key.kind == KeyKind::numbers)
    collect([this](const Key& k, ValueId v) { return read_number(k, v); });
  else if (key.kind == KeyKind::texts)
    collect([this](const Key& k, ValueId v) { return read_any_text(k, v); });
  else if (key.kind == KeyKind::names)
    collect([this](const Key& k, ValueId v) { return read_name(k, v); });
  else
    collect([this](const Key& k, ValueId v) { return read_dim(k, v); });
}

void Validator::read_records(Arg& arg, const Key& key, ValueId id) {
  const GroupDef& g = group(key.group);
  Key single = key;
  single.kind = KeyKind::record;
  std::vector<Record> out;
  if (doc_[id].kind != Kind::list) {
    bool may_stand_alone =
        key.kind == KeyKind::one_or_more && (doc_[id].kind == Kind::object || doc_[id].kind == Kind::string);
    if (!may_stand_alone) return wrong_type(quoted(key.name), id, expected_text(key));
    if (auto r = read_record(g, &single, id, quoted(key.name))) out.push_back(std::move(*r));
  } else {
    if (doc_.child_count(id) < key.fewest) return wrong_type(quoted(key.name), id, expected_text(key));
    size_t index = 0;
    for (ValueId child = doc_.first_child(id); child != no_value; child = doc_[child].next, ++index)
      if (auto r = read_record(g, &single, child, g.noun + " " + std::to_string(index))) out.push_back(std::move(*r));
  }
  arg.value = std::move(out);
}

void Validator::read_by_name(Arg& arg, const Key& key, ValueId id) {
  if (doc_[id].kind != Kind::object) return wrong_type(quoted(key.name), id, expected_text(key));
  std::vector<Record> out;
  for (ValueId child = doc_.first_child(id); child != no_value; child = doc_[child].next) {
    if (doc_.key(child).starts_with("x-")) continue;
    Place at_key{doc_[child].key_where, child};
    if (!check_name(doc_.key(child), at_key, true, true)) continue;
    auto r = read_record(group(key.group), nullptr, child, "'" + escape(doc_.key(child), 60) + "'");
    if (!r) continue;
    r->entry = {std::string(doc_.key(child)), at_key};
    out.push_back(std::move(*r));
  }
  arg.value = std::move(out);
}

void Validator::read_weights(Arg& arg, const Key& key, ValueId id) {
  if (doc_[id].kind != Kind::object) return wrong_type(quoted(key.name), id, expected_text(key));
  std::vector<std::pair<int64_t, double>> out;
  for (ValueId child = doc_.first_child(id); child != no_value; child = doc_[child].next) {
    std::string_view name = doc_.key(child);
    int64_t number = -1;
    auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (failed != std::errc() || end != name.data() + name.size() || number < 0)
      error("bad-name", "class '" + escape(name, 60) + "' in " + quoted(key.name) + ", expected a class number",
            place_of(child), true);
    else if (auto x = read_number(key, child))
      out.emplace_back(number, *x);
  }
  arg.value = std::move(out);
}

} // namespace dlcc::frontend
