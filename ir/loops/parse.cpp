#include "ir/loops/parse.h"

#include "ir/loops/parse_kernel.h"
#include "ir/loops/text_form.h"

#include <unordered_map>

namespace dlcc::loops {

namespace {

class ProgramParser {
public:
  ProgramParser(std::string_view text, TextPlaces& places) : lex_(text), places_(places) {}

  Program run() {
    head();
    while (!lex_.at_end()) {
      if (lex_.accept("hyper"))
        hyper();
      else if (lex_.accept("region"))
        region();
      else if (lex_.is("kernel"))
        kernel();
      else if (lex_.accept("entry"))
        entry();
      else
        lex_.fail("expected hyper, region, kernel or entry, found '" + escape(lex_.peek().text, 40) + "'");
    }
    resolve_views();
    return std::move(p_);
  }

private:
  void head();
  void hyper();
  void region();
  void buffer(Region region);
  void kernel();
  void entry();
  void resolve_views();
  Step step(int depth);
  std::vector<Step> steps(int depth);
  std::vector<BufferId> list(std::string_view end);
  void data(Buffer& b);
  BufferId find_buffer(const std::string& name, Location where) const;

  [[noreturn]] static void twice(const char* what, const std::string& name, Location where) {
    throw TextError(where, std::string(what) + " '" + escape(name, 40) + "' is declared twice");
  }

  struct View {
    BufferId buffer;
    std::string of;
    Location where;
  };

  Lexer lex_;
  TextPlaces& places_;
  Program p_;
  std::vector<View> views_;
  std::unordered_map<std::string, BufferId> buffers_;
  std::unordered_map<std::string, KernelId> kernels_;
};

void ProgramParser::head() {
  lex_.expect("program");
  lex_.expect("@");
  p_.name = lex_.name();
  lex_.expect("stage");
  auto stage = stage_from_name(lex_.peek().text);
  if (!stage) lex_.fail("expected the stage loops, scheduled or planned, found '" + escape(lex_.peek().text, 40) + "'");
  p_.stage = *stage;
  places_.stage = lex_.peek().where;
  lex_.next();
  lex_.expect("batch");
  p_.batch = parse_integer(lex_, 0, INT64_MAX);
  if (lex_.accept("file")) p_.file = lex_.string();
}

void ProgramParser::hyper() {
  Hyper h;
  Location where = lex_.peek().where;
  h.name = lex_.name();
  for (const Hyper& other : p_.hypers)
    if (other.name == h.name) twice("hyper", h.name, where);
  lex_.expect("=");
  h.value = lex_.number();
  p_.hypers.push_back(std::move(h));
}

void ProgramParser::region() {
  auto region = region_from_name(lex_.peek().text);
  if (!region) lex_.fail("unknown region '" + escape(lex_.peek().text, 40) + "'");
  lex_.next();
  lex_.expect("{");
  while (!lex_.accept("}")) {
    lex_.expect("buffer");
    buffer(*region);
  }
}

void ProgramParser::data(Buffer& b) {
  lex_.expect("[");
  while (!lex_.is("]")) {
    b.data.push_back(lex_.number());
    if (!lex_.accept(",")) break;
  }
  lex_.expect("]");
  if (b.data.size() != static_cast<size_t>(element_count(b.type.shape)))
    lex_.fail("expected " + std::to_string(element_count(b.type.shape)) + " numbers, found " +
              std::to_string(b.data.size()));
}

void ProgramParser::buffer(Region region) {
  Buffer b;
  b.region = region;
  lex_.expect("%");
  Location where = lex_.peek().where;
  b.name = lex_.name();
  lex_.expect(":");
  b.type = parse_tensor_type(lex_);
  if (lex_.accept("=")) {
    lex_.expect("view");
    lex_.expect("%");
    Location of = lex_.peek().where;
    views_.push_back({p_.buffers.next(), lex_.name(), of});
  }
  if (lex_.accept("at")) b.offset = parse_integer(lex_, 0, INT64_MAX / 2);
  if (lex_.accept("entry")) b.entry = lex_.name();
  if (lex_.accept("role")) {
    auto role = tensor_role_from_name(lex_.peek().text);
    if (!role) lex_.fail("unknown role '" + escape(lex_.peek().text, 40) + "'");
    b.role = *role;
    lex_.next();
  }
  if (lex_.accept("batch_axis")) b.batch_axis = static_cast<int32_t>(parse_integer(lex_, 0, max_rank - 1));
  b.where = lex_.location();
  if (lex_.accept("data")) data(b);
  if (!buffers_.emplace(b.name, p_.buffers.next()).second) twice("buffer", b.name, where);
  p_.buffers.push(std::move(b));
  places_.buffers.push(where);
}

void ProgramParser::kernel() {
  Location where = lex_.next().where;
  Kernel k = parse_kernel(lex_, places_.kernels[places_.kernels.push({.head = where})]);
  if (!kernels_.emplace(k.name, p_.kernels.next()).second) twice("kernel", k.name, where);
  p_.kernels.push(std::move(k));
}

BufferId ProgramParser::find_buffer(const std::string& name, Location where) const {
  auto at = buffers_.find(name);
  if (at == buffers_.end()) throw TextError(where, "unknown buffer '" + escape(name, 40) + "'");
  return at->second;
}

std::vector<BufferId> ProgramParser::list(std::string_view end) {
  std::vector<BufferId> buffers;
  while (!lex_.is(end)) {
    lex_.expect("%");
    Location where = lex_.peek().where;
    std::string name = lex_.name();
    buffers.push_back(find_buffer(name, where));
    if (!lex_.accept(",")) break;
  }
  lex_.expect(end);
  return buffers;
}

std::vector<Step> ProgramParser::steps(int depth) {
  if (depth > max_nesting) lex_.fail("nested more than " + std::to_string(max_nesting) + " deep");
  std::vector<Step> list;
  while (!lex_.accept("}")) list.push_back(step(depth));
  return list;
}

Step ProgramParser::step(int depth) {
  Step s;
  if (Location where = lex_.peek().where; lex_.accept("call")) {
    places_.entries.back().calls.push_back(where);
    lex_.expect("@");
    auto at = kernels_.find(lex_.peek().text);
    if (at == kernels_.end()) lex_.fail("unknown kernel '" + escape(lex_.peek().text, 40) + "'");
    lex_.name();
    lex_.expect("(");
    s.call = {at->second, list(")")};
    return s;
  }
  if (lex_.accept("exit")) {
    s.kind = StepKind::exit;
    return s;
  }
  static constexpr std::array<std::string_view, 3> names = {"serial", "parallel", "phase"};
  static constexpr StepKind kinds[] = {StepKind::serial, StepKind::parallel, StepKind::phase};
  int kind = accept_name(lex_, names);
  if (kind < 0) lex_.fail("expected a step of an entry, found '" + escape(lex_.peek().text, 40) + "'");
  s.kind = kinds[kind];
  lex_.expect("{");
  s.children = steps(depth + 1);
  return s;
}

void ProgramParser::entry() {
  Entry e;
  lex_.expect("@");
  Location where = lex_.peek().where;
  places_.entries.push_back({.head = where});
  e.name = lex_.name();
  if (p_.find_entry(e.name)) twice("entry", e.name, where);
  lex_.expect("(");
  lex_.expect("inputs");
  lex_.expect(":");
  e.inputs = list(";");
  lex_.expect("outputs");
  lex_.expect(":");
  e.outputs = list(")");
  if (lex_.accept("arena")) e.arena_bytes = parse_integer(lex_, 0, INT64_MAX / 2);
  lex_.expect("{");
  while (lex_.accept("note")) e.notes.push_back(lex_.string());
  e.steps = steps(1);
  p_.entries.push_back(std::move(e));
}

// Views may be declared before what they view, but never in a circle.
void ProgramParser::resolve_views() {
  for (const View& v : views_) p_.buffers[v.buffer].view_of = find_buffer(v.of, v.where);
  enum class Seen : uint8_t { no, open, done };
  IdVector<BufferId, Seen> seen(p_.buffers.size(), Seen::no);
  for (const View& v : views_) {
    std::vector<BufferId> path;
    BufferId b = v.buffer;
    for (; b.valid() && seen[b] == Seen::no; b = p_.buffers[b].view_of) {
      seen[b] = Seen::open;
      path.push_back(b);
    }
    if (b.valid() && seen[b] == Seen::open) throw TextError(v.where, "buffers are views of each other in a circle");
    for (BufferId done : path) seen[done] = Seen::done;
  }
}

} // namespace

Program parse_program(std::string_view text, TextPlaces* places) {
  TextPlaces unwanted;
  return ProgramParser(text, places ? *places : unwanted).run();
}

} // namespace dlcc::loops
