#include "frontend/document/document.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace dlcc::frontend {

namespace {
// The tokens of a path: "a.b.0" or the JSON pointer "/a/b/0" (RFC 6901).
std::vector<std::string> split_path(std::string_view path) {
  bool is_pointer = !path.empty() && path[0] == '/';
  char separator = is_pointer ? '/' : '.';
  std::vector<std::string> tokens(1);
  for (size_t i = is_pointer ? 1 : 0; i < path.size(); ++i) {
    if (path[i] == separator) {
      tokens.emplace_back();
    } else if (is_pointer && path[i] == '~' && i + 1 < path.size() && (path[i + 1] == '0' || path[i + 1] == '1')) {
      tokens.back() += path[++i] == '0' ? '~' : '/';
    } else {
      tokens.back() += path[i];
    }
  }
  return tokens;
}

std::optional<uint32_t> as_index(std::string_view token) {
  uint32_t index = 0;
  auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
  if (error != std::errc() || end != token.data() + token.size()) return std::nullopt;
  return index;
}
} // namespace

std::string number_text(double x) {
  char buffer[40];
  auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, x);
  std::string text(buffer, end);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

ValueId Document::find(ValueId object, std::string_view name) const {
  if (values_[object].kind != Kind::object) return no_value;
  for (ValueId id = values_[object].children.first; id != no_value; id = values_[id].next)
    if (key(id) == name) return id;
  return no_value;
}

std::string Document::pointer(ValueId id) const {
  std::vector<std::string> tokens;
  for (ValueId child = id; values_[child].parent != no_value; child = values_[child].parent) {
    const Value& parent = values_[values_[child].parent];
    std::string token;
    if (parent.kind == Kind::object) {
      for (char c : key(child)) token += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    } else {
      uint32_t index = 0;
      for (ValueId sibling = parent.children.first; sibling != child; sibling = values_[sibling].next) ++index;
      token = std::to_string(index);
    }
    tokens.push_back(std::move(token));
  }
  std::string out;
  for (auto token = tokens.rbegin(); token != tokens.rend(); ++token) out += "/" + *token;
  return out;
}

std::string Document::describe(ValueId id) const {
  const Value& v = values_[id];
  switch (v.kind) {
  case Kind::null:
    return "null";
  case Kind::boolean:
    return v.boolean ? "true" : "false";
  case Kind::integer:
    return std::to_string(v.integer);
  case Kind::number:
    return number_text(v.number);
  case Kind::string:
    return "the string '" + escape(text(id), 60) + "'";
  case Kind::list:
    return v.children.count ? "a list of " + std::to_string(v.children.count) : "an empty list";
  case Kind::object:
    return "an object";
  }
  return {};
}

ValueId Document::last_child(ValueId id) const {
  ValueId last = no_value;
  for (ValueId child = first_child(id); child != no_value; child = values_[child].next) last = child;
  return last;
}

ValueId Document::append_string(std::string_view text) {
  Value v;
  v.kind = Kind::string;
  v.text = {static_cast<uint32_t>(characters_.size()), static_cast<uint32_t>(text.size())};
  characters_ += text;
  values_.push_back(v);
  return static_cast<ValueId>(values_.size() - 1);
}

// A new member at the end of an object; an empty object until it is given a value.
ValueId Document::append_member(ValueId object, std::string_view name) {
  ValueId last = last_child(object);
  Value v;
  v.kind = Kind::object;
  v.children = {no_value, 0};
  v.parent = object;
  v.key_offset = static_cast<uint32_t>(characters_.size());
  v.key_length = static_cast<uint32_t>(name.size());
  characters_ += name;
  auto id = static_cast<ValueId>(values_.size());
  values_.push_back(v);
  (last == no_value ? values_[object].children.first : values_[last].next) = id;
  ++values_[object].children.count;
  return id;
}

// One step along a path: a member (made if missing), a list entry by index or by its "name".
ValueId Document::step_into(ValueId id, std::string_view token, SameKey same) {
  if (values_[id].kind == Kind::string) { // short form: "adam" stands for {"type": "adam"}
    Value name = values_[id];
    values_[id].kind = Kind::object;
    values_[id].children = {no_value, 0};
    ValueId type = append_member(id, "type");
    values_[type].kind = Kind::string;
    values_[type].text = name.text;
    values_[type].where = name.where;
  }
  if (values_[id].kind == Kind::object) {
    if (ValueId member = find(id, token); member != no_value) return member;
    for (ValueId member = values_[id].children.first; same && member != no_value; member = values_[member].next)
      if (same(key(member), token)) return member;
    return append_member(id, token);
  }
  std::optional<uint32_t> index = as_index(token);
  uint32_t i = 0;
  for (ValueId child = first_child(id); child != no_value; child = values_[child].next, ++i) {
    ValueId name = find(child, "name");
    if (index ? i == *index : name != no_value && values_[name].kind == Kind::string && text(name) == token)
      return child;
  }
  return no_value;
}

bool Document::set(std::string_view path, std::string_view new_text, DiagnosticList& diagnostics, SameKey same) {
  ValueId target = root();
  std::vector<std::string> tokens = split_path(path);
  for (const std::string& token : tokens) {
    target = token.empty() || tokens.size() > 64 ? no_value : step_into(target, token, same);
    if (target == no_value) {
      diagnostics.error("bad-path", "--set " + escape(path, 80) + ": no place '" + escape(token, 60) +
                                        "', expected a path such as train.batch_size or layers.0.units");
      return false;
    }
  }
  DiagnosticList ignored;
  std::optional<Document> given = parse(new_text, ignored);
  uint32_t shift = static_cast<uint32_t>(values_.size());
  if (!given) {
    append_string(new_text);
  } else { // graft the other tree's values behind ours
    for (Value v : given->values_) {
      auto moved = [&](ValueId& id) { id = id == no_value ? id : id + shift; };
      moved(v.parent), moved(v.next);
      v.where = v.key_where = {};
      v.key_offset += static_cast<uint32_t>(characters_.size());
      if (v.kind == Kind::string) v.text.offset += static_cast<uint32_t>(characters_.size());
      if (v.kind == Kind::list || v.kind == Kind::object) moved(v.children.first);
      values_.push_back(v);
    }
    characters_ += given->characters_;
  }
  // The target keeps its place in the chain and takes over the new root's content.
  Value old = values_[target], fresh = values_[shift];
  fresh.parent = old.parent, fresh.next = old.next;
  fresh.key_offset = old.key_offset, fresh.key_length = old.key_length, fresh.key_where = old.key_where;
  values_[target] = fresh;
  for (ValueId child = first_child(target); child != no_value; child = values_[child].next)
    values_[child].parent = target;
  return true;
}

} // namespace dlcc::frontend
