// Texts of every stage with damage, through random passes, as `dlcc opt` takes them: the end is a result, or an error
// of the user's with a place. An internal error, a crash or a hang is a bug, whatever the text is.
#include "tests/passes/execution.h"
#include "tests/passes/models.h"
#include "tests/passes/random_graph.h"

#include "ir/ops/ops.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>

namespace dlcc::testing {
namespace {

class Damage {
public:
  explicit Damage(unsigned seed) : random_(seed) {}
  int below(size_t n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }

  template <class List> const auto& any(const List& list) { return list[static_cast<size_t>(below(list.size()))]; }

  std::string of(std::string text) {
    for (int n = below(4) ? 1 : 3; n > 0; --n) text = below(4) ? other_word(text) : other_lines(text);
    return text;
  }
  std::vector<std::string> passes() {
    std::vector<std::string> names;
    for (int n = 1 + below(5); n > 0; --n) names.emplace_back(any(passes::pipeline()).name);
    return names;
  }
  std::string_view stage() { return any(passes::stages()); }

private:
  static std::vector<std::pair<size_t, size_t>> pieces(const std::string& text, const auto& belongs) {
    std::vector<std::pair<size_t, size_t>> found;
    for (size_t i = 0; i < text.size();) {
      size_t end = i;
      while (end < text.size() && belongs(text[end])) ++end;
      if (end > i) found.emplace_back(i, end - i);
      i = end + 1;
    }
    return found;
  }

  // A word becomes another one of the text, a number that is rarely thought of, a name that means something, or
  // nothing.
  std::string other_word(const std::string& text) {
    auto words =
        pieces(text, [](char c) { return isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '-'; });
    if (words.empty()) return text;
    static const std::vector<std::string> odd_numbers{"0",    "1",
                                                      "-1",   "2",
                                                      "3",    "9007199254740993",
                                                      "17",   "4096",
                                                      "inf",  "nan",
                                                      "0.5",  "9223372036854775807",
                                                      "100",  "64",
                                                      "1e30", "-9223372036854775808"};
    auto [at, length] = any(words);
    auto [from, size] = any(words);
    bool number = isdigit(static_cast<unsigned char>(text[at]));
    std::string put = number && below(3) ? any(odd_numbers) : text.substr(from, size);
    return text.substr(0, at) + put + text.substr(at + length);
  }

  std::string other_lines(const std::string& text) {
    auto lines = pieces(text, [](char c) { return c != '\n'; });
    if (lines.empty()) return text;
    auto [at, length] = any(lines);
    auto [from, size] = any(lines);
    std::string line = text.substr(from, size);
    switch (below(3)) {
    case 0: // gone
      return text.substr(0, at) + text.substr(at + length);
    case 1: // another one in its place
      return text.substr(0, at) + line + text.substr(at + length);
    default: // another one before it
      return text.substr(0, at) + line + "\n" + text.substr(at);
    }
  }

  std::mt19937 random_;
};

/// What became of it: "ran", "syntax", "ill-formed", "refused"; throws anything that is a bug.
std::string outcome_of(const std::string& text, const passes::PassOptions& options) {
  try {
    passes::ParsedText parsed = passes::parse_and_verify(text, ops::all_ops());
    for (const Violation& v : parsed.violations) EXPECT_TRUE(v.where.known()) << v.text;
    if (!parsed.violations.empty()) return "ill-formed";
    EXPECT_TRUE(parsed.stage.known());
    DiagnosticList diagnostics("model.json");
    passes::PassContext context{ops::all_ops(), {}, &diagnostics};
    passes::run_passes(std::move(parsed.ir), context, options);
    return diagnostics.has_errors() ? "refused" : "ran";
  } catch (const TextError& e) {
    EXPECT_TRUE(e.where.known()) << e.what();
    return "syntax";
  } catch (const UserError& e) {
    EXPECT_FALSE(e.diagnostic.text.empty());
    return "refused";
  }
}

constexpr const char* free_nodes = R"(module @free stage source dtype f32 batch 4 {
  state %w : parameter f32[6,6] = identity {gain = 0.5}
  state %steps : buffer i64[] = zeros
  hyper learning_rate = 0.1
  directive optimizer rmsprop {centered = true, momentum = 0.5}
  directive schedule piecewise {boundaries = ~[3.0], initial = 0.1, values = ~[0.1,0.01]}
  directive clip norm {value = 1.0}
  directive accumulate batches {steps = 2}
  directive train options {last_batch = "mask", terminate_on_nan = true}
  func @twice.gradient(input %x: f32[4,6], input %y: f32[4,6], input %dy: f32[4,6]) -> %dx {
    %dx : f32[4,6] = multiply(%dy, f32 2.0)
  }
  func @twice(input %x: f32[4,6]) -> %y gradient @twice.gradient {
    %y : f32[4,6] = add(%x, %x)
  }
  func @loss(input %x: f32[4,6], label %label: i32[4], call %n_valid: i64[]) -> %loss {
    %z : f32[4,6] = matmul(%x, %w)
    %t : f32[4,6] = call @twice(%z)
    %c : f32[4,12] = concat(%t, %x) {axis = 1}
    %p : f32[4,14] = pad(%c) {high = [0,2], low = [0,0], mode = "edge"}
    %s : f32[4,7] = slice(%p) {begin = [0,0], end = [4,14], stride = [1,2]}
    %g : f32[4,7] = gelu(%s)
    %rows : f32[4] = sparse_softmax_crossentropy(%g, %label)
    %loss : f64[] = mean_valid(%rows, %n_valid)
    %one : i64[] = add(%steps, i64 1)
    update %steps = %one
  }
}
)";

TEST(HostileText, EndsInAResultOrAnErrorWithAPlace) {
  std::vector<std::string> texts;
  for (const char* model : {tiny_model, classifier, free_nodes})
    for (std::string_view stage : passes::stages()) texts.push_back(passes::print(run_to(stage, parse_graph(model))));
  for (unsigned seed : {3, 5, 7, 11})
    for (std::string_view stage : {"training", "clustered", "loops", "planned"})
      texts.push_back(passes::print(run_to(stage, random_module(seed))));

  const char* wanted = std::getenv("DLCC_HOSTILE_TEXTS");
  const char* first = std::getenv("DLCC_HOSTILE_SEED"); // to repeat one
  unsigned begin = first ? static_cast<unsigned>(std::atoi(first)) : 1;
  unsigned count = first ? 1 : wanted ? static_cast<unsigned>(std::atoi(wanted)) : 3000;
  std::map<std::string, int> outcomes;
  for (unsigned seed = begin; seed < begin + count && !HasFailure(); ++seed) {
    Damage damage(seed);
    std::string text = damage.of(texts[static_cast<size_t>(damage.below(texts.size()))]);
    passes::PassOptions options;
    options.text_of_user = true;
    options.reproducer = "/dev/null";
    if (damage.below(2))
      options.only = damage.passes();
    else
      options.stop_after = damage.stage();
    try {
      ++outcomes[outcome_of(text, options)];
    } catch (const std::exception& e) {
      std::string ran;
      for (const std::string& pass : options.only) ran += " " + pass;
      ADD_FAILURE() << "DLCC_HOSTILE_SEED=" << seed << " passes:" << ran << " to: " << options.stop_after << "\n"
                    << e.what() << "\n"
                    << (first ? text : "");
    }
  }
  if (first) return;
  // All ends are reached, or the damage is of one kind only.
  for (const char* outcome : {"ran", "syntax", "ill-formed", "refused"})
    EXPECT_GT(outcomes[outcome], static_cast<int>(count / 50)) << outcome;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  size_t at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("nothing to replace: " + from);
  return text.replace(at, from.size(), to);
}

/// `line:column: text` of the first violation.
std::string first_violation(const std::string& text) {
  auto violations = passes::parse_and_verify(text, ops::all_ops()).violations;
  if (violations.empty()) return "none";
  const Violation& v = violations[0];
  return std::to_string(v.where.line) + ":" + std::to_string(v.where.column) + ": " + v.text;
}

TEST(HostileText, DeclarationsAreCheckedWhereTheyStand) {
  auto with = [](const char* from, const char* to) { return first_violation(replaced(free_nodes, from, to)); };
  EXPECT_EQ(with("identity", "identiti"), "2:9: state 'w': unknown initialiser 'identiti'");
  EXPECT_EQ(with("gain = 0.5", "gain = f64"), "2:9: state 'w': attribute 'gain' must be of kind number");
  EXPECT_EQ(with("gain = 0.5", "gain = 1"), "none");
  EXPECT_EQ(with("i64[] = zeros", "i64[] = identity"), "3:9: state 'steps': 'identity' is for matrices, not for i64[]");
  EXPECT_EQ(with("= zeros", "= zeros with {lr_mult = true}"),
            "3:9: state 'steps': attribute 'lr_mult' must be of kind number");
  EXPECT_EQ(with("optimizer rmsprop", "optimizer rmsprob"), "5:13: directive 'optimizer': unknown optimizer 'rmsprob'");
  EXPECT_EQ(with("centered = true", "centered = 1.5"),
            "5:13: directive 'optimizer': attribute 'centered' must be of kind boolean");
  EXPECT_EQ(with("schedule piecewise", "schedule picewise"), "6:13: directive 'schedule': unknown schedule 'picewise'");
  EXPECT_EQ(with("~[0.1,0.01]", "~[0.1]"), "6:13: directive 'schedule': expected one value more than boundaries");
  EXPECT_EQ(with("boundaries = ~[3.0]", "boundaries = [3]"), "none");
  EXPECT_EQ(with("clip norm", "clip norms"), "7:13: directive 'clip': unknown clip 'norms'");
  EXPECT_EQ(with("directive clip", "directive clips"), "7:13: unknown directive 'clips'");
  EXPECT_EQ(with("directive clip norm", "directive train options"), "9:13: directive 'train': is there twice");
  EXPECT_EQ(with("steps = 2", "steps = 2.5"),
            "8:13: directive 'accumulate': attribute 'steps' must be of kind integer");
  EXPECT_EQ(with("last_batch = \"mask\"", "last_batch = 1"),
            "9:13: directive 'train': attribute 'last_batch' must be of kind string");
  EXPECT_EQ(with("  directive schedule piecewise {boundaries = ~[3.0], initial = 0.1, values = ~[0.1,0.01]}\n", ""),
            "1:20: an optimizer without the directive 'schedule'");
}

constexpr const char* two_kernels = R"(program @p stage planned batch 0
region input {
  buffer %x : f64[4] role input
}
region output {
  buffer %y : f64[4] role output
}
region arena {
  buffer %t : f64[4] at 0 entry predict
}
kernel @first(x: f64[4], out t: f64[4]) tasks 1 {
  for i in 4 {
    store t[i] = x[i]
  }
}
entry @predict(inputs: %x; outputs: %y) arena 64 {
  serial {
    call @first(%x, %t)
    call @first(%t, %y)
  }
}
)";

TEST(HostileText, LoopProgramsAreCheckedWhereTheyStand) {
  auto with = [](const char* from, const char* to) { return first_violation(replaced(two_kernels, from, to)); };
  EXPECT_EQ(first_violation(two_kernels), "none");
  EXPECT_EQ(with("x[i]\n", "x[i + 1]\n"),
            "13:5: kernel first: index 0 of a load of 'x' is in [1, 4], expected [0, 4) [bounds]");
  EXPECT_EQ(with("tasks 1", "tasks 2").substr(0, 20), "none"); // one loop whose stores are apart may be cut
  EXPECT_EQ(with("call @first(%x, %t)", "call @first(%x)"),
            "18:5: entry predict: kernel first takes 2 arguments, found 1 [arguments]");
  EXPECT_EQ(with("call @first(%x, %t)", "call @first(%t, %t)").substr(0, 6), "18:5: ");
  EXPECT_EQ(with("arena 64", "arena 16"), "9:11: entry predict: 't' ends at 32, beyond the arena of 16 bytes [place]");
  EXPECT_EQ(with("at 0", "at 8"), "9:11: entry predict: 't' is at 8, expected a multiple of 64 [place]");
  EXPECT_EQ(with("f64[4] at", "f64[5] at").substr(0, 6), "18:5: ");
}

} // namespace
} // namespace dlcc::testing
