#include "ir/graph/parse.h"

#include "ir/graph/builder.h"
#include "ir/graph/call.h"

#include <unordered_set>

namespace dlcc::graph {

namespace {
// A call looks its callee up by name, one after the other.
constexpr size_t most_functions = 4096, most_clusters = 1'000'000;

using StateNames = std::unordered_map<std::string, StateId>;

std::string quoted(std::string_view text) { return "'" + escape(text, 60) + "'"; }

std::string sigil_name(Lexer& lexer, std::string_view sigil) {
  lexer.expect(sigil);
  return lexer.name();
}

void check_static(const Type& type, Location where) {
  if (type.rank() > max_rank) throw TextError(where, "more than " + std::to_string(max_rank) + " dimensions");
  for (int64_t d : type.shape)
    if (d < 0) throw TextError(where, "negative dimension " + std::to_string(d));
  if (!checked_bytes(type)) throw TextError(where, "the type is too large");
}

Type static_type(Lexer& lexer) {
  Location where = lexer.peek().where;
  Type type = parse_type(lexer);
  check_static(type, where);
  return type;
}

/// The commentary of each line, asked for in the order of lines.
class Comments {
public:
  explicit Comments(std::string_view text) : text_(text) {}

  /// What follows '#' on this line, without blanks around it.
  const std::string& of_line(uint32_t line) {
    if (line == answered_) return comment_;
    for (; line_ < line; ++line_) {
      size_t end = text_.find('\n', start_);
      start_ = end == std::string_view::npos ? text_.size() : end + 1;
    }
    answered_ = line;
    comment_ = find(text_.substr(start_, text_.find('\n', start_) - start_));
    return comment_;
  }

private:
  static std::string find(std::string_view line) {
    bool in_string = false;
    size_t i = 0;
    for (; i < line.size() && (in_string || line[i] != '#'); ++i) {
      if (in_string && line[i] == '\\')
        ++i;
      else if (line[i] == '"')
        in_string = !in_string;
    }
    if (i >= line.size()) return "";
    line.remove_prefix(i + 1);
    size_t first = line.find_first_not_of(" \t\r"), last = line.find_last_not_of(" \t\r");
    return first == std::string_view::npos ? "" : std::string(line.substr(first, last - first + 1));
  }

  std::string_view text_;
  size_t start_ = 0;
  uint32_t line_ = 1, answered_ = 0;
  std::string comment_;
};

class FunctionParser {
public:
  FunctionParser(Module& module, const StateNames& states, Lexer& lexer, Comments& comments, OpTable ops,
                 TextPlaces::FunctionPlaces& places)
      : module_(module), states_(states), lexer_(lexer), comments_(comments), ops_(ops), places_(places),
        b_(module, f_, ops) {}

  Function parse() {
    f_.entry = lexer_.accept("entry");
    lexer_.expect("func");
    f_.name = sigil_name(lexer_, "@");
    parse_parameters();
    parse_results();
    if (lexer_.accept("gradient")) f_.gradient = sigil_name(lexer_, "@");
    f_.where = lexer_.location();
    lexer_.expect("{");
    while (!lexer_.accept("}")) parse_statement();
    for (const auto& [name, where] : results_) f_.results.push_back(lookup(name, where));
    check_clusters();
    return std::move(f_);
  }

private:
  struct Written {
    std::string name;
    Location where;
    Type type;
  };

  void parse_parameters() {
    lexer_.expect("(");
    while (!lexer_.is(")")) {
      Token word = lexer_.next();
      auto role = word.kind == TokenKind::name ? parameter_role_from_name(word.text) : std::nullopt;
      if (!role) throw TextError(word.where, "expected input, label, call or hyper, found " + quoted(word.text));
      Location where = lexer_.peek().where;
      std::string name = sigil_name(lexer_, "%");
      lexer_.expect(":");
      Type type = static_type(lexer_);
      at(where, [&] { define(name, b_.parameter(name, std::move(type), *role), where); });
      if (!lexer_.accept(",")) break;
    }
    lexer_.expect(")");
  }

  // The values they name come later.
  void parse_results() {
    if (!lexer_.accept("->")) return;
    do {
      Location where = lexer_.peek().where;
      results_.emplace_back(sigil_name(lexer_, "%"), where);
    } while (lexer_.accept(","));
  }

  void parse_statement() {
    Location where = lexer_.peek().where;
    if (lexer_.is("%") || lexer_.is("[")) return parse_node(where, parse_cluster_mark(), {});
    std::string word = lexer_.name();
    if (word == "cluster" && !lexer_.is("(")) return parse_cluster();
    if (word == "update" && lexer_.is("%")) return parse_update(where);
    parse_node(where, -1, std::move(word));
  }

  void parse_cluster() {
    Token index = lexer_.peek();
    if (lexer_.integer() != static_cast<int64_t>(f_.clusters.size()) || f_.clusters.size() >= most_clusters)
      throw TextError(index.where, "expected cluster " + std::to_string(f_.clusters.size()));
    Cluster cluster{.name = lexer_.name(), .notes = {}};
    if (lexer_.accept("{")) {
      while (lexer_.accept("note")) cluster.notes.push_back(lexer_.string());
      lexer_.expect("}");
    }
    f_.clusters.push_back(std::move(cluster));
  }

  int32_t parse_cluster_mark() {
    if (!lexer_.accept("[")) return -1;
    Location where = lexer_.peek().where;
    int64_t index = lexer_.integer();
    if (index < 0 || index >= static_cast<int64_t>(most_clusters)) throw TextError(where, "no such cluster");
    lexer_.expect("]");
    marks_.emplace_back(index, where);
    return static_cast<int32_t>(index);
  }

  void check_clusters() const {
    for (const auto& [index, where] : marks_)
      if (index >= static_cast<int64_t>(f_.clusters.size())) throw TextError(where, "no such cluster");
  }

  void parse_update(Location where) {
    std::string name = sigil_name(lexer_, "%");
    auto state = states_.find(name);
    if (state == states_.end()) throw TextError(where, "unknown state " + quoted(name));
    lexer_.expect("=");
    Location value_where = lexer_.peek().where;
    ValueId value = lookup(sigil_name(lexer_, "%"), value_where);
    b_.where = lexer_.location();
    at(where, [&] { b_.update(state->second, value); });
    places_.updates.push_back(where);
  }

  std::vector<Written> parse_left_side() {
    std::vector<Written> results;
    if (!lexer_.is("%")) return results;
    do {
      Location where = lexer_.peek().where;
      std::string name = sigil_name(lexer_, "%");
      lexer_.expect(":");
      results.push_back({std::move(name), where, parse_type(lexer_)});
    } while (lexer_.accept(","));
    lexer_.expect("=");
    return results;
  }

  // `word` is the operator if the statement started with it.
  void parse_node(Location where, int32_t cluster, std::string word) {
    std::vector<Written> written;
    if (word.empty()) {
      written = parse_left_side();
      word = lexer_.name();
    }
    const OpDef* op = find_op(ops_, word);
    if (!op) throw TextError(where, "unknown operator " + quoted(word));
    Attributes attributes;
    if (op == &call_op && lexer_.is("@")) attributes.set("function", sigil_name(lexer_, "@"));
    std::vector<ValueId> operands = parse_operands();
    for (const auto& [name, value] : parse_attributes(lexer_)) attributes.set(name, value);
    b_.where = lexer_.location();
    b_.note = comments_.of_line(where.line);
    add(*op, std::move(operands), std::move(attributes), written, where);
    f_.nodes[NodeId(f_.nodes.size() - 1)].cluster = cluster;
    b_.note.clear();
  }

  std::vector<ValueId> parse_operands() {
    std::vector<ValueId> operands;
    lexer_.expect("(");
    while (!lexer_.is(")")) {
      operands.push_back(parse_operand());
      if (!lexer_.accept(",")) break;
    }
    lexer_.expect(")");
    return operands;
  }

  ValueId parse_operand() {
    Location where = lexer_.peek().where;
    if (lexer_.is("%")) return lookup(sigil_name(lexer_, "%"), where);
    auto dtype = lexer_.peek().kind == TokenKind::name ? dtype_from_name(lexer_.peek().text) : std::nullopt;
    if (!dtype) lexer_.fail("expected a value or a constant such as f32 0.5, found " + quoted(lexer_.peek().text));
    lexer_.next();
    double value = lexer_.number();
    ValueId constant;
    b_.where = {};
    at(where, [&] { constant = b_.constant(value, *dtype); });
    places_.nodes.push(where);
    return constant;
  }

  void add(const OpDef& op, std::vector<ValueId> operands, Attributes attributes, const std::vector<Written>& written,
           Location where) {
    std::vector<ValueId> results;
    at(where, [&] { results = b_.add_all(op, std::move(operands), std::move(attributes)); });
    places_.nodes.push(where);
    if (results.size() != written.size())
      throw TextError(where, std::string(op.name) + " has " + std::to_string(results.size()) +
                                 " results, written are " + std::to_string(written.size()));
    for (size_t k = 0; k < results.size(); ++k) {
      const Written& w = written[k];
      if (!(w.type == b_.type(results[k])))
        throw TextError(w.where,
                        quoted(w.name) + " is " + to_string(b_.type(results[k])) + ", written is " + to_string(w.type));
      at(w.where, [&] { b_.take_name(results[k], w.name); });
      define(w.name, results[k], w.where);
    }
  }

  void define(const std::string& name, ValueId v, Location where) {
    if (!names_.emplace(name, v).second) throw TextError(where, "the name " + quoted(name) + " is defined twice");
  }

  ValueId lookup(const std::string& name, Location where) {
    if (auto local = names_.find(name); local != names_.end()) return local->second;
    auto state = states_.find(name);
    if (state == states_.end()) throw TextError(where, "unknown value " + quoted(name));
    ValueId v;
    at(where, [&] { v = b_.state(state->second); });
    define(name, v, where);
    return v;
  }

  /// Gives the builder's complaints their place.
  template <class Action> void at(Location where, Action action) {
    try {
      action();
    } catch (const InferError& e) {
      throw TextError(where, e.what());
    }
  }

  Module& module_;
  const StateNames& states_;
  Lexer& lexer_;
  Comments& comments_;
  OpTable ops_;
  TextPlaces::FunctionPlaces& places_;
  Function f_;
  Builder b_;
  std::unordered_map<std::string, ValueId> names_;
  std::vector<std::pair<std::string, Location>> results_;
  std::vector<std::pair<int64_t, Location>> marks_;
};

class ModuleParser {
public:
  ModuleParser(std::string_view text, OpTable ops, TextPlaces& places)
      : lexer_(text), comments_(text), ops_(ops), places_(places) {}

  Module parse() {
    parse_header();
    while (!lexer_.accept("}")) {
      if (lexer_.accept("state"))
        parse_state();
      else if (lexer_.accept("hyper"))
        parse_hyper();
      else if (lexer_.accept("directive"))
        parse_directive();
      else if (lexer_.is("entry") || lexer_.is("func"))
        parse_function();
      else
        lexer_.fail("expected state, hyper, directive, func or '}', found " + quoted(lexer_.peek().text));
    }
    if (!lexer_.at_end()) lexer_.fail("text after the module");
    return std::move(module_);
  }

private:
  void parse_header() {
    lexer_.expect("module");
    module_.name = sigil_name(lexer_, "@");
    lexer_.expect("stage");
    Token stage = lexer_.peek();
    auto known = stage_from_name(lexer_.name());
    if (!known) throw TextError(stage.where, "unknown stage " + quoted(stage.text));
    module_.stage = *known;
    places_.stage = stage.where;
    if (lexer_.accept("file")) module_.file = lexer_.string();
    lexer_.expect("dtype");
    Token dtype = lexer_.peek();
    auto element = dtype_from_name(lexer_.name());
    if (!element) throw TextError(dtype.where, "unknown element type " + quoted(dtype.text));
    module_.dtype = *element;
    lexer_.expect("batch");
    Location where = lexer_.peek().where;
    module_.batch = lexer_.integer();
    if (module_.batch < 0) throw TextError(where, "the batch is negative");
    lexer_.expect("{");
  }

  void parse_state() {
    State s;
    Location where = lexer_.peek().where;
    s.name = sigil_name(lexer_, "%");
    lexer_.expect(":");
    Token role = lexer_.peek();
    auto known = state_role_from_name(lexer_.name());
    if (!known)
      throw TextError(role.where, "expected parameter, slot, buffer, metric or gradient, found " + quoted(role.text));
    s.role = *known;
    s.type = static_type(lexer_);
    lexer_.expect("=");
    s.initializer = lexer_.name();
    s.initializer_attributes = parse_attributes(lexer_);
    if (lexer_.accept("with")) s.attributes = parse_attributes(lexer_);
    check_trainable(s, where);
    s.where = lexer_.location();
    if (!states_.emplace(s.name, module_.states.next()).second)
      throw TextError(where, "the state " + quoted(s.name) + " is declared twice");
    module_.states.push(std::move(s));
    places_.states.push(where);
  }

  static void check_trainable(const State& s, Location where) {
    const AttributeValue* trainable = s.attributes.find("trainable");
    if (trainable && !std::holds_alternative<bool>(*trainable)) throw TextError(where, "trainable must be a boolean");
  }

  void parse_hyper() {
    Location where = lexer_.peek().where;
    Hyper hyper{.name = lexer_.name(), .value = 0};
    lexer_.expect("=");
    hyper.value = lexer_.number();
    if (!hypers_.insert(hyper.name).second)
      throw TextError(where, "the hyper " + quoted(hyper.name) + " is declared twice");
    module_.hypers.push_back(std::move(hyper));
  }

  void parse_directive() {
    places_.directives.push_back(lexer_.peek().where);
    Directive d;
    d.kind = lexer_.name();
    d.name = lexer_.name();
    d.attributes = parse_attributes(lexer_);
    d.where = lexer_.location();
    module_.directives.push_back(std::move(d));
  }

  void parse_function() {
    Location where = lexer_.peek().where;
    TextPlaces::FunctionPlaces& places = places_.functions[places_.functions.push({.head = where})];
    Function f = FunctionParser(module_, states_, lexer_, comments_, ops_, places).parse();
    if (module_.find_function(f.name)) throw TextError(where, "the function " + quoted(f.name) + " is defined twice");
    if (module_.functions.size() >= most_functions)
      throw TextError(where, "more than " + std::to_string(most_functions) + " functions");
    module_.functions.push(std::move(f));
  }

  Lexer lexer_;
  Comments comments_;
  OpTable ops_;
  TextPlaces& places_;
  Module module_;
  StateNames states_;
  std::unordered_set<std::string> hypers_;
};
} // namespace

Module parse_module(std::string_view text, OpTable ops, TextPlaces* places) {
  TextPlaces unwanted;
  return ModuleParser(text, ops, places ? *places : unwanted).parse();
}

} // namespace dlcc::graph
