#include "passes/dump.h"

#include <algorithm>
#include <set>

namespace dlcc::passes {

namespace {
// The name behind the first '@' of a line: up to '(' or a blank, or between quotation marks.
std::string name_in(const std::string& line) {
  const size_t at = line.find('@') + 1;
  if (line[at] == '"') return line.substr(at, line.find('"', at + 1) + 1 - at);
  return line.substr(at, line.find_first_of("( ", at) - at);
}

bool opens_part(const std::string& line) {
  const size_t indent = std::min(line.find_first_not_of(' '), line.size());
  for (const char* word : {"func @", "entry func @", "kernel @", "entry @"})
    if (indent <= 2 && line.compare(indent, std::string_view(word).size(), word) == 0) return line.ends_with('{');
  return false;
}

/// A function, kernel or entry of a text.
struct TextPart {
  std::string name, text;
  std::set<std::string> calls;
};

// Everything up to the line that closes it at the same depth.
std::vector<TextPart> parts_of(const std::string& text) {
  std::vector<TextPart> parts;
  std::string close;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    if (close.empty() && opens_part(line)) {
      parts.push_back({name_in(line), {}, {}});
      close = std::string(line.find_first_not_of(' '), ' ') + "}";
    } else if (close.empty()) {
      continue;
    }
    parts.back().text += line + "\n";
    if (line.find("call @") != std::string::npos) parts.back().calls.insert(name_in(line));
    if (line == close) close.clear();
  }
  return parts;
}

void count_steps(const std::vector<loops::Step>& steps, int64_t& calls, int64_t& phases) {
  for (const loops::Step& s : steps) { // two levels: a region and its phases
    calls += s.kind == loops::StepKind::call;
    phases += s.kind == loops::StepKind::phase;
    count_steps(s.children, calls, phases);
  }
}

Counts counts_of(const graph::Module& module) {
  int64_t nodes = 0, clusters = 0;
  for (const graph::Function& f : module.functions) {
    nodes += static_cast<int64_t>(f.nodes.size());
    clusters += static_cast<int64_t>(f.clusters.size());
  }
  return {{"functions", static_cast<int64_t>(module.functions.size())},
          {"states", static_cast<int64_t>(module.states.size())},
          {"nodes", nodes},
          {"clusters", clusters}};
}

Counts counts_of(const loops::Program& program) {
  int64_t shared = 0, bytes = 0, tasks = 0, vectors = 0, tiled = 0, calls = 0, phases = 0;
  for (const loops::Buffer& b : program.buffers) shared += b.view_of.valid();
  for (const loops::Kernel& k : program.kernels) {
    tasks += k.tasks > 1;
    for (const loops::Stmt& s : k.stmts) {
      auto* loop = std::get_if<loops::Loop>(&s);
      auto* reduce = std::get_if<loops::Reduce>(&s);
      auto* contract = std::get_if<loops::Contract>(&s);
      vectors += (loop && loop->mark == loops::Mark::vector) || (reduce && reduce->mark == loops::Mark::vector);
      tiled += contract && !(contract->tiling == loops::Tiling{});
    }
  }
  for (const loops::Entry& e : program.entries) {
    bytes = std::max(bytes, e.arena_bytes);
    count_steps(e.steps, calls, phases);
  }
  return {{"kernels", static_cast<int64_t>(program.kernels.size())},
          {"calls", calls},
          {"kernels cut into tasks", tasks},
          {"vector loops", vectors},
          {"tiled contractions", tiled},
          {"phases", phases},
          {"buffers", static_cast<int64_t>(program.buffers.size())},
          {"buffers in the place of another", shared},
          {"bytes of the largest arena", bytes}};
}
} // namespace

std::string filtered(const std::string& text, const std::string& filter) {
  if (filter.empty()) return text;
  const std::vector<TextPart> parts = parts_of(text);
  std::set<std::string> called;
  const auto matches = [&](const TextPart& part) { return ("@" + part.name).find(filter) != std::string::npos; };
  for (const TextPart& part : parts)
    if (matches(part)) called.insert(part.calls.begin(), part.calls.end());
  std::string out;
  for (const TextPart& part : parts)
    if (matches(part) || called.contains(part.name)) out += (out.empty() ? "" : "\n") + part.text;
  return out;
}

Counts counts_of(const Ir& ir) {
  return std::visit([](const auto& x) { return counts_of(x); }, ir);
}

std::string difference(const Counts& before, const Counts& after) {
  std::string changed, kept;
  for (const auto& [what, count] : after) {
    const auto old = std::find_if(before.begin(), before.end(), [&](const auto& b) { return b.first == what; });
    const int64_t was = old == before.end() ? 0 : old->second;
    const std::string now = std::to_string(count), from = was ? std::to_string(was) + " -> " : "";
    if (count != was) changed += (changed.empty() ? "" : ", ") + what + " " + from + now;
    if (count == was && count) kept += (kept.empty() ? "" : ", ") + what + " " + now;
  }
  return changed.empty() ? "still " + kept : changed;
}

} // namespace dlcc::passes
