#include "ir/loops/verify.h"

#include "ir/loops/builder.h"
#include "ir/loops/parse.h"
#include "tests/loops/programs.h"

#include <gtest/gtest.h>

namespace dlcc::loops {
namespace {

std::string joined(const std::vector<Violation>& violations) {
  std::string all;
  for (const Violation& v : violations) all += v.text + "\n";
  return all;
}

void expect_legal(const std::string& text) { EXPECT_EQ(joined(verify(parse_program(text))), "") << text; }

// At least one violation, and the first is of this rule.
void expect_rule(const Program& program, const std::string& rule) {
  std::vector<Violation> violations = verify(program);
  ASSERT_FALSE(violations.empty()) << "nothing found, expected " << rule;
  EXPECT_NE(violations[0].text.find("[" + rule + "]"), std::string::npos) << violations[0].text;
}
void expect_rule(const std::string& text, const std::string& rule) { expect_rule(parse_program(text), rule); }

std::string kernel(const std::string& parameters, const std::string& body, int tasks = 1) {
  return "program @p stage loops batch 0\nkernel @k(" + parameters + ") tasks " + std::to_string(tasks) + " {\n" +
         body + "}\n";
}

TEST(Verify, AcceptsAPlannedProgram) { expect_legal(dense_program); }

TEST(Verify, CheckThrowsWithThePassAndTheViolations) {
  Program p = parse_program(replaced(dense_program, "arena 192", "arena 128"));
  try {
    check(p, "plan_memory");
    FAIL();
  } catch (const InternalError& e) {
    EXPECT_NE(std::string(e.what()).find("after plan_memory"), std::string::npos);
    EXPECT_NE(std::string(e.what()).find("beyond the arena of 128 bytes [place]"), std::string::npos) << e.what();
  }
  EXPECT_NO_THROW(check(parse_program(dense_program), "plan_memory"));
}

// ---- kernels --------------------------------------------------------------------------------------------------------

TEST(VerifyKernel, Names) {
  Program p = parse_program(dense_program);
  p.kernels[KernelId(0)].tensors[TensorId(1)].name = "x";
  expect_rule(p, "names");
  p = parse_program(dense_program);
  p.kernels[KernelId(1)].name = "mean";
  expect_rule(p, "names");
  p = parse_program(dense_program);
  p.buffers[BufferId(3)].name = "hidden/kernel";
  expect_rule(p, "names");
}

TEST(VerifyKernel, Nesting) {
  std::string open, close;
  for (int i = 0; i <= max_statement_depth; ++i) open += "for v" + std::to_string(i) + " in 2 {\n", close += "}\n";
  expect_rule(kernel("out y: f32[]", open + "store y[] = 1.0\n" + close), "nesting");
  Program p = parse_program(kernel("out y: f32[]", "store y[] = 1.0\n"));
  Kernel& k = p.kernels[KernelId(0)];
  k.body.push_back(k.body[0]);
  expect_rule(p, "nesting");
}

TEST(VerifyKernel, Expressions) {
  Program p = parse_program(kernel("x: f32[2], out y: f32[]", "store y[] = exp(x[0])\n"));
  Kernel& k = p.kernels[KernelId(0)];
  for (Expr& e : k.exprs)
    if (e.kind == ExprKind::op) e.operands[0] = ExprId(7);
  expect_rule(p, "expressions");
  p = parse_program(kernel("x: f32[2], out y: f32[]", "store y[] = exp(x[0])\n"));
  std::get<Store>(p.kernels[KernelId(0)].stmts[StmtId(0)]).value = {};
  expect_rule(p, "expressions");
}

TEST(VerifyKernel, Types) {
  std::string text = kernel("x: f32[2], i: i64[], out y: f32[]", "store y[] = x[0] + x[1]\n");
  auto broken = [&](auto change) {
    Program p = parse_program(text);
    change(p.kernels[KernelId(0)]);
    expect_rule(p, "types");
  };
  auto stored = [](Kernel& k) -> Expr& { return k.exprs[std::get<Store>(k.stmts[StmtId(0)]).value]; };
  broken([&](Kernel& k) { stored(k).dtype = DType::f64; });
  broken([](Kernel& k) { k.tensors[TensorId(2)].type.dtype = DType::f64; });
  broken([&](Kernel& k) { stored(k).op = ScalarOp::logical_and; });
  broken([&](Kernel& k) { stored(k).op = ScalarOp::less; });
  expect_rule(kernel("i: i64[], out y: i64[]", "store y[] = exp(i[])\n"), "types");
}

TEST(VerifyKernel, Locals) {
  expect_rule(kernel("x: f32[2], out y: f32[]", "for m in 2 {\nlet s = x[m]\n}\nstore y[] = s\n"), "locals");
  expect_rule(kernel("x: f32[2], out y: f32[]",
                     "contract c over ; ; k in 2 = x[k] * x[k] {\nstore y[] = c\n}\nstore y[] = c\n"),
              "locals");
  Program p = parse_program(kernel("out y: f32[]", "let s: f32 = 1.0\nlet t: f32 = 2.0\nstore y[] = s + t\n"));
  std::get<Let>(p.kernels[KernelId(0)].stmts[StmtId(1)]).local = LocalId(0);
  expect_rule(p, "locals");
}

TEST(VerifyKernel, Variables) {
  expect_rule(kernel("out y: f32[2]", "for m in 2 {\n}\nstore y[m] = 1.0\n"), "variables");
  expect_rule(kernel("out y: f32[2]", "for m in 2 {\nfor m in 2 {\nstore y[m] = 1.0\n}\n}\n"), "variables");
  expect_rule(kernel("x: f32[2], out y: f32[2]", "sum s over k in 2 = x[k]\nstore y[k] = s\n"), "variables");
  expect_rule(
      kernel("x: f32[2], out y: f32[2]", "contract c over m in 2; ; k in 2 = x[k] * x[k] {\nstore y[k] = c\n}\n"),
      "variables");
}

TEST(VerifyKernel, Rank) {
  Program p = parse_program(kernel("x: f32[2], out y: f32[]", "store y[] = x[0]\n"));
  p.kernels[KernelId(0)].tensors[TensorId(0)].type.shape = {2, 1};
  expect_rule(p, "rank");
}

TEST(VerifyKernel, Bounds) {
  expect_legal(kernel("x: f32[6], out y: f32[5]", "for m in 5 {\nstore y[4 - m] = x[m + 1]\n}\n"));
  expect_legal(
      kernel("x: f32[6], ids: i32[5], out y: f32[5]", "for m in 5 {\nstore y[m] = x?[m - 9] + x[ids[m]]\n}\n"));
  expect_rule(kernel("x: f32[6], out y: f32[5]", "for m in 5 {\nstore y[m] = x[m + 2]\n}\n"), "bounds");
  expect_rule(kernel("x: f32[6], out y: f32[5]", "for m in 5 {\nstore y[m] = x[-1*m]\n}\n"), "bounds");
  expect_rule(kernel("x: f32[6], out y: f32[5]", "for m in 6 {\nstore y[m] = x[m]\n}\n"), "bounds");
  expect_rule(kernel("x: f32[6], out y: f32[5]", "for m in 9223372036854775807 {\nstore y[0] = x[4*m]\n}\n"), "bounds");
}

TEST(VerifyKernel, Access) {
  expect_rule(kernel("x: f32[]", "store x[] = 1.0\n"), "access");
  expect_rule(kernel("out y: f32[]", "store y[] = y[] + 1.0\n"), "access");
  expect_rule(kernel("out y: f32[], scratch s: f32[]", "store y[] = s[]\n"), "access");
  expect_legal(kernel("out y: f32[], scratch s: f32[]", "store s[] = 1.0\nstore y[] = s[]\nstore y[] = y[] + 1.0\n"));
}

TEST(VerifyKernel, Contract) {
  expect_rule(kernel("x: f32[2,2], inout y: f32[2]",
                     "contract c over m in 2; ; k in 2 = x[m, k] * y[k] {\nstore y[m] = c\n}\n"),
              "contract");
  expect_legal(kernel("x: f32[2,2], inout y: f32[2]",
                      "contract c over m in 2; ; k in 2 = x[m, k] * x[m, k] {\nstore y[m] = y[m] - c\n}\n"));
}

TEST(VerifyKernel, Order) {
  expect_rule(kernel("x: f32[9], out y: f32[]", "max s over k in 9 order blocks = x[k]\nstore y[] = s\n"), "order");
}

TEST(VerifyKernel, Tasks) {
  auto tasks = [](const std::string& body) { return kernel("x: f32[8], inout y: f32[8], out z: f32[8,8]", body, 4); };
  expect_legal(tasks("for m in 8 tasks {\nstore y[m] = y[m] + x[m]\nfor n in 8 {\nstore z[n, m] = 1.0\n}\n}\n"));
  expect_legal(kernel("inout y: f32[24]", "for m in 8 tasks {\nfor n in 3 {\nstore y[3*m + n] = 1.0\n}\n}\n", 4));
  expect_rule(kernel("inout y: f32[25]", "for m in 8 tasks {\nfor n in 4 {\nstore y[3*m + n] = 1.0\n}\n}\n", 4),
              "tasks");
  expect_rule(tasks("for m in 8 tasks {\nstore y[0] = x[m]\n}\n"), "tasks");
  expect_rule(kernel("x: f32[8], out y: f32[]", "sum s over k in 8 tasks = x[k]\nstore y[] = s\n"), "tasks");
  expect_rule(tasks("for m in 8 tasks {\nstore y[m] = y[7 - m]\n}\n"), "tasks");
  expect_rule(tasks("for m in 8 tasks {\nstore y[(i64(x[m]))] = 1.0\n}\n"), "tasks");
  expect_rule(tasks("store y[0] = 1.0\nstore y[1] = 1.0\n"), "tasks");
  expect_rule(tasks("for m in 8 {\nfor n in 8 tasks {\nstore z[m, n] = 1.0\n}\n}\n"), "tasks");
  std::string product = "contract c over m in 8; n in 8; k in 8 = x[k] * x[k] {\nstore z[m, n] = c\n}\n";
  expect_legal(tasks(product));
  expect_rule(tasks(replaced(product, "z[m, n]", "z[m, 0]")), "tasks");
  expect_rule(kernel("inout y: f32[]", "store y[] = 1.0\n", 0), "tasks");
}

TEST(VerifyKernel, TasksOfContractionsAndChecks) {
  const std::string product = "contract c over m in 8; n in 40; k in 8 tile(rows = 4, columns = 16, task_rows = 4, "
                              "task_columns = 16) = x[m, k] * w[k, n] {\nstore z[m, n] = c\n}\n";
  auto tasks = [&](int n) { return kernel("x: f32[8,8], w: f32[8,40], out z: f32[8,40]", product, n); };
  expect_legal(tasks(1));
  expect_legal(tasks(6));
  for (int n : {2, 5, 7}) expect_rule(tasks(n), "tasks");
  auto checked = [](int n) {
    return kernel("x: f32[8], out y: f32[8], inout fault: i32[]",
                  "for m in 8 tasks {\ncheck(x[m] < 0.0) fault(1, \"x\")\nstore y[m] = x[m]\n}\n", n);
  };
  expect_legal(checked(1));
  expect_rule(checked(2), "tasks");
}

// What is carried from one iteration to the next by a loop whose iterations run side by side.
TEST(VerifyKernel, SideBySide) {
  auto in = [](const std::string& mark, const std::string& body) {
    return kernel("x: f32[64], inout y: f32[64], inout z: f32[64,64], scratch t: f32[64]", replaced(body, "@", mark));
  };
  auto expect_carried = [&](const std::string& body) {
    expect_legal(in("", body));
    expect_legal(in("unroll", body));
    expect_rule(in("vector", body), "side-by-side");
  };
  expect_carried("for i in 63 @ {\nstore y[i + 1] = y[i]\n}\n");
  expect_carried("for i in 63 @ {\nstore y[i] = y[i + 1]\nstore y[i + 1] = 1.0\n}\n");
  expect_carried("for i in 64 @ {\nstore y[63 - i] = y[i]\n}\n");
  expect_carried("for i in 64 @ {\nstore y[0] = x[i]\n}\n");
  expect_carried("for i in 64 @ {\nstore y[(i64(x[i]))] = x[i]\n}\n");
  expect_carried("for i in 8 @ {\nfor n in 9 {\nstore y[7*i + n] = x[n]\n}\n}\n");
  expect_carried("for r in 64 {\nfor i in 63 @ {\nstore z[r, i + 1] = z[r, i]\n}\n}\n");
  expect_carried("for r in 63 @ {\nfor i in 64 {\nstore z[r + 1, i] = z[r, i]\n}\n}\n");
  expect_carried("for r in 63 {\nfor i in 63 @ {\nstore z[r, i] = z[r + 1, i + 1]\n}\n}\n");
  expect_carried("for r in 8 {\nfor i in 64 @ {\nstore t[0] = x[i]\nstore z[r, i] = t[0]\n}\n}\n");
  expect_legal(in("vector", "for i in 64 @ {\nstore y[i] = y[i]\n}\n"));
  expect_legal(in("vector", "for i in 64 @ {\nstore t[0] = x[i]\nstore y[i] = t[0]\n}\n"));
  expect_legal(in("vector", "for i in 8 @ {\nfor n in 8 {\nstore y[8*i + n] = x[n]\n}\n}\n"));
  // The outer variable is the same for all lanes.
  expect_legal(in("vector", "for r in 8 {\nfor i in 8 @ {\nstore y[8*r + i] = y[8*r + i]\n}\n}\n"));
  expect_legal(in("vector", "for r in 64 {\nfor i in 64 @ {\nstore z[i, r] = x[i]\n}\n}\n"));

  auto contract = [](const std::string& body) {
    return kernel("x: f32[8,8], inout y: f32[8], inout z: f32[9,9]",
                  "contract c over m in 8; n in 8; k in 8 = x[m, k] * x[k, n] {\n" + body + "}\n");
  };
  expect_legal(contract("store z[m, n + 1] = z[m, n + 1] + c\n"));
  expect_rule(contract("store z[m, n + 1] = z[m, n] + c\n"), "side-by-side");
  expect_rule(contract("store y[n] = y[n] + c\n"), "side-by-side");
}

TEST(VerifyKernel, Scratch) {
  auto in = [](const std::string& body) { return kernel("x: f32[8], inout y: f32[8], scratch s: f32[8]", body); };
  expect_legal(in("store s[0] = x[0]\nstore y[0] = s[0]\n"));
  expect_legal(in("for i in 8 {\nfor n in 8 {\nstore s[n] = x[n]\n}\nstore y[i] = s[i - i]\n}\n"));
  expect_rule(in("for i in 8 {\nstore s[i] = x[i]\nstore y[i] = s[0]\n}\n"), "scratch");
  expect_rule(in("store s[0] = 0.0\nfor i in 8 {\nstore s[0] = s[0] + x[i]\nstore y[i] = s[0]\n}\n"), "scratch");
  expect_rule(in("for i in 8 {\nstore s[0] = x[i]\n}\nfor n in 8 {\nstore y[n] = s[0]\n}\n"), "scratch");
}

TEST(VerifyKernel, Tiling) {
  expect_rule(replaced(dense_program, "rows = 2, columns = 16", "rows = 2, columns = 15"), "tiling");
  expect_rule(replaced(dense_program, " tile(rows = 2, columns = 16, task_rows = 2, task_columns = 16, pack_b)", ""),
              "tiling");
}

// ---- programs -------------------------------------------------------------------------------------------------------

TEST(VerifyProgram, Buffers) {
  expect_rule("program @p stage loops batch 0\nregion constant {\n buffer %c : f32[2]\n}\n", "buffers");
  expect_rule("program @p stage loops batch 0\nregion arena {\n buffer %c : f32[1] data [1.0]\n}\n", "buffers");
  expect_rule("program @p stage loops batch 0\nregion input {\n buffer %c : f32[1] batch_axis 1\n}\n", "buffers");
}

TEST(VerifyProgram, Views) {
  expect_rule(replaced(dense_program, "%y.flat : f32[20]", "%y.flat : f32[21]"), "views");
  expect_rule(replaced(dense_program, "%y.flat : f32[20]", "%y.flat : i32[20]"), "views");
  expect_rule(replaced(dense_program, "= view %y at 0", "= view %y at 64"), "views");
  Program p = parse_program(dense_program);
  for (Buffer& b : p.buffers)
    if (b.name == "y.flat") b.region = Region::param;
  expect_rule(p, "views");
}

TEST(VerifyProgram, Tree) {
  expect_rule(replaced(dense_program, "stage planned", "stage loops"), "tree");
  expect_rule(replaced(dense_program, "    exit\n", "    call @mean(%largest, %loss)\n"), "tree");
  expect_rule(replaced(dense_program, "  parallel {", "  serial {"), "tree");
  expect_rule(replaced(dense_program, "  parallel {", "  call @mean(%largest, %loss)\n  parallel {"), "tree");
}

TEST(VerifyProgram, Arguments) {
  expect_rule(replaced(dense_program, "call @mean(%largest, %loss)", "call @mean(%largest)"), "arguments");
  expect_rule(replaced(dense_program, "call @largest(%y.flat,", "call @largest(%y,"), "arguments");
}

TEST(VerifyProgram, ReadOnly) {
  expect_rule(replaced(dense_program, "kernel @hidden.forward(x:", "kernel @hidden.forward(inout x:"), "read-only");
}

TEST(VerifyProgram, Entry) {
  expect_rule(replaced(replaced(dense_program, "at 128 entry predict", "at 128 entry train_step"), "", ""), "entry");
}

const std::string regions = "region param {\n buffer %a : f32[8]\n buffer %b : f32[8]\n}\n";

TEST(VerifyProgram, Alias) {
  auto call = [](const std::string& body, const std::string& arguments = "%a, %a") {
    return one_kernel("x: f32[8], inout y: f32[8]", body, regions, arguments);
  };
  std::string reversed = "for m in 8 {\nstore y[m] = x[7 - m]\n}\n";
  expect_rule(call(reversed), "alias");
  expect_legal(call(reversed, "%a, %b"));
  expect_legal(call("for m in 8 {\nstore y[m] = x[m] + 1.0\n}\n"));
  expect_rule(call("for m in 8 {\nstore y[m] = 1.0\nlet s = x[m]\nstore y[m] = s\n}\n"), "alias");
  expect_rule(call("for m in 8 {\nsum s over k in 8 = x[k]\nstore y[m] = s\n}\n"), "alias");
  expect_rule(call("for m in 8 {\nfor n in 8 {\nstore y[m] = x[m]\n}\n}\n"), "alias");
  // The second iteration of p reads what the first one has overwritten.
  expect_rule(one_kernel("x: f32[20], inout y: f32[20]",
                         "for p in 2 {\nfor m in 12 {\nlet s = x[8*p - m + 11]\n}\n"
                         "for m in 4 {\nstore y[8*p - m + 11] = 1.0\n}\n}\n",
                         "region param {\n buffer %a : f32[20]\n}\n", "%a, %a"),
              "alias");
  expect_rule(one_kernel("inout x: f32[8], inout y: f32[8]", "for m in 8 {\nstore y[m] = x[m]\n}\n", regions, "%a, %a"),
              "alias");
}

// Two kernels in one phase: a writes %a, then b reads it.
std::string phase(const std::string& first, int first_tasks, const std::string& second, int second_tasks) {
  return "program @p stage scheduled batch 0\n" + regions + "kernel @a(inout y: f32[8]) tasks " +
         std::to_string(first_tasks) + " {\n" + first + "}\nkernel @b(x: f32[8], inout y: f32[8]) tasks " +
         std::to_string(second_tasks) + " {\n" + second +
         "}\nentry @e(inputs: ; outputs: ) {\n parallel {\n phase {\n call @a(%a)\n call @b(%a, %b)\n }\n }\n}\n";
}

TEST(VerifyProgram, PhaseRace) {
  std::string write = "for m in 8 tasks {\nstore y[m] = 1.0\n}\n";
  std::string read = "for r in 8 tasks {\nstore y[r] = x[r]\n}\n";
  expect_legal(phase(write, 4, read, 4));
  expect_rule(phase(write, 4, read, 2), "phase-race");
  expect_rule(phase(write, 4, read, 1), "phase-race");
  expect_legal(phase(write, 1, read, 1));
  expect_rule(phase(write, 4, replaced(read, "x[r]", "x[7 - r]"), 4), "phase-race");
  expect_rule(phase(write, 4, replaced(read, "x[r]", "x[0]"), 4), "phase-race");
  expect_rule(phase(write, 4, replaced(read, "tasks {", "vector {"), 4), "phase-race");
  // Four iterations of the reader, cut in other places than the eight of the writer.
  expect_rule(phase(write, 2, "for r in 4 tasks {\nstore y[r] = x[r]\n}\n", 2), "phase-race");
  // Two iterations of the reader against eight of the writer.
  expect_rule(phase(write, 2, "for r in 2 tasks {\nfor q in 4 {\nstore y[4*r + q] = x[4*r + q]\n}\n}\n", 2),
              "phase-race");
}

TEST(VerifyProgram, WrittenFirst) {
  expect_rule(replaced(dense_program, "      call @hidden.forward(%x, %hidden/kernel, %hidden/bias, %y)\n", ""),
              "written-first");
  auto accumulate = [](const std::string& body) {
    return one_kernel("inout y: f32[]", body, "region arena {\n buffer %y : f32[] entry e\n}\n", "%y");
  };
  expect_rule(accumulate("store y[] = y[] + 1.0\n"), "written-first");
  expect_legal(accumulate("store y[] = 0.0\nstore y[] = y[] + 1.0\n"));
}

// The third kernel wants what the first one left, over which the second has written.
TEST(VerifyProgram, Overwritten) {
  const std::string text = R"(program @m stage planned batch 0
region input {
  buffer %x : f32[64] role input
}
region output {
  buffer %o : f32[64] role output
}
region arena {
  buffer %t : f32[64] at 0 entry predict
  buffer %u : f32[64] = view %t at 0 entry predict
}
kernel @a(x: f32[64], out y: f32[64]) tasks 1 {
  for r in 64 vector {
    store y[r] = x[r] + 1.0
  }
}
entry @predict(inputs: %x; outputs: %o) arena 256 {
  serial {
    call @a(%x, %t)
    call @a(%t, %u)
    call @a(%u, %o)
  }
}
)";
  expect_legal(text);
  expect_rule(replaced(text, "call @a(%u, %o)", "call @a(%t, %o)"), "overwritten");
  expect_rule(replaced(text, "    call @a(%u, %o)\n", ""), "written-first"); // nothing in the output
}

// Vectors of doubles and of floats cut the same loop at other places.
TEST(VerifyProgram, TasksOfOtherVectorsRace) {
  const std::string text = R"(program @m stage scheduled batch 0
region input {
  buffer %x : f64[100] role input
}
region output {
  buffer %o : f64[100] role output
}
region arena {
  buffer %t : f64[100] entry predict
}
kernel @a(x: f64[100], out y: f64[100]) tasks 4 {
  for r in 100 vector {
    store y[r] = x[r] + 1.0
  }
}
kernel @s(y: f64[100], out o: f64[100]) tasks 4 {
  for r in 100 vector {
    store o[r] = y[r] + 1.0
  }
}
entry @predict(inputs: %x; outputs: %o) {
  parallel {
    phase {
      call @a(%x, %t)
      call @s(%t, %o)
    }
  }
}
)";
  expect_legal(text);
  std::string narrow = replaced(replaced(text, "%o : f64", "%o : f32"), "out o: f64", "out o: f32");
  expect_rule(replaced(narrow, "y[r] + 1.0\n  }\n}\nentry", "f32(y[r])\n  }\n}\nentry"), "phase-race");
}

// ---- the plan -------------------------------------------------------------------------------------------------------

TEST(VerifyPlan, Place) {
  expect_rule(replaced(dense_program, "%largest : f32[4] at 128", "%largest : f32[4]"), "place");
  expect_rule(replaced(dense_program, "%largest : f32[4] at 128", "%largest : f32[4] at 132"), "place");
  expect_rule(replaced(dense_program, "arena 192", "arena 140"), "place");
  expect_rule(replaced(dense_program, "%hidden/bias : f32[5] at 64", "%hidden/bias : f32[5]"), "place");
}

TEST(VerifyPlan, Overlap) {
  expect_rule(replaced(dense_program, "%largest : f32[4] at 128", "%largest : f32[4] at 64"), "overlap");
  expect_rule(replaced(dense_program, "%hidden/bias : f32[5] at 64", "%hidden/bias : f32[5] at 0"), "overlap");
  // One phase is one unit of time: buffers that die and are born in it still need two places.
  std::string two = replaced(dense_program, "    exit\n    phase {\n", "");
  two = replaced(two, "%largest)\n    }\n", "%largest)\n");
  two = replaced(two, "tasks 4 {\n  for m in 4 tasks", "tasks 1 {\n  for m in 4 tasks");
  expect_legal(two);
  expect_rule(replaced(two, "%largest : f32[4] at 128", "%largest : f32[4] at 0"), "overlap");
}

TEST(VerifyPlan, BuffersOfDisjointLifetimeShare) {
  std::string text = R"(program @p stage planned batch 0
region param {
  buffer %w : f32[8] at 0
}
region arena {
  buffer %a : f32[8] at 0 entry e
  buffer %b : f32[8] at 64 entry e
  buffer %c : f32[8] at 0 entry e
}
kernel @set(out y: f32[8]) tasks 1 {
  for m in 8 {
    store y[m] = 1.0
  }
}
kernel @copy(x: f32[8], out y: f32[8]) tasks 1 {
  for m in 8 {
    store y[m] = x[m]
  }
}
entry @e(inputs: ; outputs: ) arena 128 {
  serial {
    call @set(%a)
    call @copy(%a, %b)
    call @copy(%b, %c)
    call @copy(%c, %w)
  }
}
)";
  expect_legal(text);
  expect_rule(replaced(text, "call @copy(%c, %w)", "call @copy(%c, %w)\n    call @copy(%a, %w)"), "overlap");
  expect_rule(replaced(text, "outputs: )", "outputs: %a)"), "overlap");
}

TEST(Verify, DamagedTextNeverCrashes) {
  const std::string bytes = "%@[](){}=:;,?-+*/<&|!\"\\ \n0129xkmn_.#";
  uint32_t state = 1;
  auto random = [&](size_t below) { return (state = state * 1664525u + 1013904223u) % 1000003u % below; };
  for (int i = 0; i < 2000; ++i) {
    std::string text = dense_program;
    for (int j = 0; j < 2; ++j) text[random(text.size())] = bytes[random(bytes.size())];
    try {
      verify(parse_program(text));
    } catch (const TextError&) {
    }
  }
}

} // namespace
} // namespace dlcc::loops
