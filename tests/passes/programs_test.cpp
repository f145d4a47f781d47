// Hand-written graphs with what is easily forgotten: as graphs, planned, and compiled.
#include "tests/passes/execution.h"
#include "tests/passes/models.h"

#include "ir/loops/verify.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace dlcc::testing {
namespace {

struct Text {
  const char *name, *states, *inputs, *results, *body;
};
void PrintTo(const Text& t, std::ostream* out) { *out << t.name; }

const Text texts[] = {
    {"swap", "u f64[5], v f64[5]", "input %x: f64[5]", "%u", "update %u = %v\nupdate %v = %u"},
    {"rotate", "u f64[5], v f64[5], w f64[5]", "input %x: f64[5]", "%x",
     "update %u = %v\nupdate %v = %w\nupdate %w = %u"},
    {"swap_transposed", "u f64[3,5], v f64[5,3]", "input %x: f64[5]", "%x",
     "%a : f64[3,5] = transpose(%v) {permutation = [1,0]}\n%b : f64[5,3] = transpose(%u) {permutation = [1,0]}\nupdate "
     "%u = %a\nupdate %v = %b"},
    {"state_by_itself", "u f64[5]", "input %x: f64[5]", "%u", "update %u = %u"},
    {"state_transposed_in_place", "u f64[4,4]", "input %x: f64[4]", "%x",
     "%t : f64[4,4] = transpose(%u) {permutation = [1,0]}\nupdate %u = %t"},
    {"state_times_itself", "u f64[4,4]", "input %x: f64[4]", "%x", "%t : f64[4,4] = matmul(%u, %u)\nupdate %u = %t"},
    {"state_added_to_its_transpose", "u f64[4,4]", "input %x: f64[4]", "%x",
     "%t : f64[4,4] = transpose(%u) {permutation = [1,0]}\n%s : f64[4,4] = add(%u, %t)\nupdate %u = %s"},
    {"state_minus_its_mean", "u f64[40]", "input %x: f64[4]", "%m",
     "%m : f64[] = mean(%u)\n%s : f64[40] = subtract(%u, %m)\nupdate %u = %s"},
    {"softmax_of_a_state", "u f64[3,7]", "input %x: f64[4]", "%s", "%s : f64[3,7] = softmax(%u)\nupdate %u = %s"},
    {"old_version_as_result", "u f64[6]", "input %x: f64[6]", "%u, %n", "%n : f64[6] = add(%u, %x)\nupdate %u = %n"},
    {"view_of_old_version_as_result", "u f64[6]", "input %x: f64[6]", "%r",
     "%r : f64[2,3] = reshape(%u) {shape = [2,3]}\n%n : f64[6] = add(%u, %x)\nupdate %u = %n"},
    {"view_of_new_version_as_result", "u f64[6]", "input %x: f64[6]", "%r",
     "%n : f64[6] = add(%u, %x)\n%r : f64[2,3] = reshape(%n) {shape = [2,3]}\nupdate %u = %n"},
    {"one_value_for_two_states", "u f64[6], v f64[6]", "input %x: f64[6]", "%n",
     "%n : f64[6] = add(%u, %x)\nupdate %u = %n\nupdate %v = %n"},
    {"new_version_read_on", "u f64[6], v f64[6]", "input %x: f64[6]", "%s",
     "%n : f64[6] = add(%u, %x)\n%s : f64[] = sum(%n)\n%k : f64[6] = multiply(%v, %s)\nupdate %u = %n\nupdate %v = %k"},
    {"old_and_new_version_read", "u f64[6]", "input %x: f64[6]", "%d",
     "%n : f64[6] = add(%u, %x)\n%p : f64[] = sum(%u)\n%q : f64[] = sum(%n)\n%d : f64[] = subtract(%p, %q)\nupdate %u "
     "= %n"},
    {"updates_from_constants", "u f64[2], v f64[2]", "input %x: f64[2]", "%c",
     "%c : f64[2] = constant() {dtype = f64, shape = [2], values = ~[1.0,2.0]}\n%d : f64[2] = broadcast_to(f64 3.0) "
     "{shape = [2]}\nupdate %u = %c\nupdate %v = %d"},
    {"results_that_nothing_computes", "u f64[2]", "input %x: f64[2], label %y: i32[3]", "%x, %y, %x, %u, %k",
     "%k : f64[2] = constant() {dtype = f64, shape = [2], value = 0.5}"},
    {"views_of_an_input", "u f64[2]", "input %x: f64[4,6]", "%t, %s, %b",
     "%t : f64[6,4] = transpose(%x) {permutation = [1,0]}\n%s : f64[2,2] = slice(%x) {begin = [0,1], end = [4,5], "
     "stride = [2,3]}\n%b : f64[2,4,6] = broadcast_to(%x) {shape = [2,4,6]}"},
    {"pad_of_a_slice", "u f64[2]", "input %x: f64[8]", "%p",
     "%s : f64[3] = slice(%x) {begin = [2], end = [5]}\n%p : f64[7] = pad(%s) {high = [2], low = [2], value = 0.0}"},
    {"pad_of_a_computed_slice", "u f64[2]", "input %x: f64[8]", "%p",
     "%e : f64[8] = exp(%x)\n%s : f64[3] = slice(%e) {begin = [2], end = [5]}\n%p : f64[7] = pad(%s) {high = [2], low "
     "= [2], value = 0.0}"},
    {"take_outside", "u f64[2]", "input %x: f64[1,3], input %i: i32[3]", "%t",
     "%s : f64[1,1] = sum(%x) {axes = [1], keepdims = true}\n%t : f64[1,3] = take(%s, %i) {axis = 1}"},
    {"softmax_of_one_row", "u f64[2]", "input %x: f64[1,40]", "%s", "%s : f64[1,40] = softmax(%x)"},
    {"softmax_of_short_rows", "u f64[2]", "input %x: f64[2,17,10]", "%s, %l",
     "%s : f64[2,17,10] = softmax(%x)\n%l : f64[2,17,10] = log_softmax(%x)"},
    {"softmax_of_columns", "u f64[2]", "input %x: f64[40,3]", "%s", "%s : f64[40,3] = softmax(%x) {axis = 0}"},
    {"moments_of_rows", "u f64[2]", "input %x: f64[9,33]", "%y",
     "%m : f64[9,1] = mean(%x) {axes = [1], keepdims = true}\n%d : f64[9,33] = subtract(%x, %m)\n%q : f64[9,33] = "
     "square(%d)\n%v : f64[9,1] = mean(%q) {axes = [1], keepdims = true}\n%e : f64[9,1] = add(%v, f64 0.001)\n%r : "
     "f64[9,1] = rsqrt(%e)\n%y : f64[9,33] = multiply(%d, %r)"},
    {"matmul_of_one_column", "u f64[17,1]", "input %x: f64[5,17]", "%y",
     "%z : f64[5,1] = matmul(%x, %u)\n%y : f64[5,1] = tanh(%z)"},
    {"matmul_of_a_broadcast", "u f64[3,4]", "input %x: f64[5,3]", "%y",
     "%b : f64[2,5,3] = broadcast_to(%x) {shape = [2,5,3]}\n%y : f64[2,5,4] = matmul(%b, %u)"},
    {"matmul_with_epilogue", "u f64[33,17], v f64[17]", "input %x: f64[7,33]", "%y",
     "%z : f64[7,17] = matmul(%x, %u)\n%b : f64[7,17] = add(%z, %v)\n%r : f64[7,17] = relu(%b)\n%y : f64[7,17] = "
     "multiply(%r, %b)"},
    {"weight_gradient_and_update", "u f64[33,17]", "input %x: f64[7,33], input %d: f64[7,17]", "%dx",
     "%g : f64[33,17] = matmul(%x, %d) {transpose_a = true}\n%s : f64[33,17] = multiply(%g, f64 0.125)\n%n : "
     "f64[33,17] = subtract(%u, %s)\n%dx : f64[7,33] = matmul(%d, %u) {transpose_b = true}\nupdate %u = %n"},
    {"scalars_only", "u f64[]", "input %x: f64[]", "%y",
     "%a : f64[] = exp(%x)\n%y : f64[] = add(%a, %u)\nupdate %u = %y"},
    {"deep_views", "u f64[2]", "input %x: f64[3,4]", "%y",
     "%a : f64[4,3] = transpose(%x) {permutation = [1,0]}\n%b : f64[12] = reshape(%a) {shape = [12]}\n%c : f64[10] = "
     "slice(%b) {begin = [1], end = [11]}\n%d : f64[2,5] = reshape(%c) {shape = [2,5]}\n%e : f64[2,10] = concat(%d, "
     "%d) {axis = 1}\n%y : f64[2] = max(%e) {axes = [1]}"},
};

graph::Module module_of(const Text& t) {
  std::string text = "module @m stage training dtype f64 batch 0 {\n", states = t.states, body = t.body;
  for (size_t at = 0; at < states.size();) {
    size_t end = std::min(states.find(", ", at), states.size()), space = states.find(' ', at);
    text +=
        "  state %" + states.substr(at, space - at) + " : parameter" + states.substr(space, end - space) + " = zeros\n";
    at = end + 2;
  }
  return parse_graph(text + "  entry func @train_step(" + t.inputs + ") -> " + t.results + " {\n" + body +
                     "\n  }\n}\n");
}

class Program : public ::testing::TestWithParam<Text> {};

TEST_P(Program, MeansWhatTheGraphMeans) {
  graph::Module m = module_of(GetParam());
  graph::Environment e = random_environment(m, entry_of(m, "train_step"), 3);
  Outcome expected = run_graph(m, "train_step", e);
  for (bool fuse : {true, false})
    for (bool share : {true, false}) {
      SCOPED_TRACE(std::string(fuse ? "fused" : "not fused") + (share ? ", sharing memory" : ""));
      PassRun run;
      run.fuse = fuse, run.share_memory = share;
      loops::Program p = plan(m, run);
      EXPECT_TRUE(loops::verify(p).empty());
      expect_close(run_planned(p, "train_step", e), expected, 1e-12);
      expect_close(run_compiled(p, "train_step", e), expected, 1e-12);
    }
}

INSTANTIATE_TEST_SUITE_P(Texts, Program, ::testing::ValuesIn(texts),
                         [](const auto& info) { return std::string(info.param.name); });

// All entries of whole models, one after the other, as the graph evaluates them.
void expect_entries_agree(const char* model, double tolerance) {
  graph::Module m = std::get<graph::Module>(run_to("training", parse_graph(model)));
  for (bool share : {true, false}) {
    PassRun run;
    run.share_memory = share;
    loops::Program p = plan(m, run);
    graph::Environment e = random_environment(m, entry_of(m, "train_step"), 5);
    for (auto& [name, t] : e.states) // second moments are no negative numbers
      for (double& x : t.data)
        if (name.find("/v") != std::string::npos) x = x * x;
    for (const char* call : {"seed", "batch", "update", "n_valid"}) e.inputs[call] = Tensor({DType::i64, {}}, {3});
    for (const char* entry : {"init", "train_step", "gradients", "apply", "predict"}) {
      SCOPED_TRACE(entry);
      if (std::string(entry) == "init") e.states = run_graph(m, "train_step", e).states; // not zero
      Outcome expected = run_graph(m, entry, e);
      {
        SCOPED_TRACE("planned");
        expect_close(run_planned(p, entry, e), expected, tolerance);
      }
      SCOPED_TRACE("compiled");
      expect_close(run_compiled(p, entry, e), expected, tolerance);
      if (::testing::Test::HasFailure()) return;
      e.states = expected.states;
    }
  }
}
TEST(Programs, OfTheSmallModel) { expect_entries_agree(tiny_model, 1e-5); }
TEST(Programs, OfAClassifier) { expect_entries_agree(classifier, 1e-10); }

TEST(Programs, NameTheirOutputsAfterTheModel) {
  graph::Module m = parse_graph(tiny_model);
  loops::Program p = plan(m);
  EXPECT_EQ(p.buffers[p.find_entry("predict")->outputs[0]].name, "p");
  EXPECT_EQ(p.buffers[p.find_entry("train_step")->outputs[0]].name, "loss");
}

} // namespace
} // namespace dlcc::testing
