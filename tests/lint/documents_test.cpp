// What the documents show of model.json is true: whole models and fragments compile, keys exist.
#include "frontend/build/build_module.h"
#include "frontend/read/read_model.h"
#include "frontend/table/vocabulary.h"
#include "ir/ops/ops.h"
#include "tests/lint/source_tree.h"

#include <gtest/gtest.h>
#include <regex>

namespace dlcc::testing {
namespace {

struct Snippet {
  fs::path file;
  int line;
  std::string text;
};

// Blocks between ```json and ```.
std::vector<Snippet> json_blocks(const fs::path& file) {
  std::vector<Snippet> out;
  bool is_inside = false;
  each_line(file, [&](int number, const std::string& line) {
    if (is_inside && line.starts_with("```"))
      is_inside = false;
    else if (is_inside)
      out.back().text += line + "\n";
    else if (line.starts_with("```json"))
      is_inside = true, out.push_back({file, number, ""});
  });
  return out;
}

// `"key": value` in a line of prose.
std::vector<Snippet> members_in_prose(const fs::path& file) {
  std::vector<Snippet> out;
  const std::regex member(R"re(`("[A-Za-z_]+": [^`]+)`)re");
  each_line(file, [&](int number, const std::string& line) {
    for (std::sregex_iterator i(line.begin(), line.end(), member), end; i != end; ++i)
      out.push_back({file, number, (*i)[1]});
  });
  return out;
}

std::vector<fs::path> documents() {
  return source_files([](const fs::path& p) { return p.extension() == ".md"; });
}

// Errors of a model; a fragment is members of a model that reads 4 numbers a sample.
std::string errors_of(const std::string& snippet) {
  const bool is_whole = snippet.find("\"dlcc\"") != std::string::npos;
  auto has = [&](const char* key) { return snippet.find("\"" + std::string(key) + "\":") != std::string::npos; };
  std::string text = is_whole ? snippet : "{\"dlcc\": 1, ";
  if (!is_whole && !has("inputs")) text += R"("inputs": {"x": {"shape": ["N", 4]}}, )";
  if (!is_whole && !has("layers") && !has("nodes")) text += R"("layers": [{"type": "Dense", "units": 3}], )";
  if (!is_whole) text += snippet + "}";
  DiagnosticList diagnostics("m.json");
  if (auto spec = frontend::read_model(text, {}, diagnostics))
    frontend::build_module(*spec, ops::all_ops(), diagnostics);
  std::string out;
  for (const Diagnostic& d : diagnostics.all())
    if (d.severity == Severity::error) out += format_short(d) + "\n";
  return out;
}

TEST(Documents, EveryModelAndFragmentThatIsShownCompiles) {
  size_t seen = 0;
  for (const fs::path& file : documents())
    for (const Snippet& s : json_blocks(file)) {
      EXPECT_EQ(errors_of(s.text), "") << s.file.string() << ":" << s.line;
      ++seen;
    }
  EXPECT_GE(seen, 3u);
  EXPECT_NE(errors_of(R"("loss": "hubr")"), "");
  EXPECT_NE(errors_of(R"({"dlcc": 1, "inputs": {}, "layers": ["Flatten"]})"), "");
}

TEST(Documents, EveryKeyThatProseShowsExists) {
  auto is_key = [](const std::string& member) {
    const std::string key = member.substr(1, member.find('"', 1) - 1);
    for (const frontend::GroupDef& g : frontend::all_groups())
      for (const frontend::RecordDef& r : g.records)
        if (frontend::key_words(g, r).find(key)) return true;
    return false;
  };
  size_t seen = 0;
  for (const fs::path& file : documents())
    for (const Snippet& s : members_in_prose(file)) {
      EXPECT_TRUE(is_key(s.text)) << s.file.string() << ":" << s.line << ": " << s.text;
      ++seen;
    }
  EXPECT_GE(seen, 5u);
  EXPECT_FALSE(is_key("\"epochz\": 1"));
}

} // namespace
} // namespace dlcc::testing
