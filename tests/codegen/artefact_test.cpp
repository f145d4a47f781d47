// A whole artefact: tables, several entries, regions of threads, faults, JIT against shared library.
#include "tests/codegen/harness.h"

#include "codegen/link/link.h"
#include "codegen/module/emit.h"
#include "ir/loops/parse.h"
#include "tests/loops/programs.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

namespace dlcc::codegen {
namespace {

using namespace loops;

Tensors dense_tensors() {
  Tensors t;
  t["x"] = random_tensor({DType::f32, {4, 3}}, 1);
  t["hidden/kernel"] = random_tensor({DType::f32, {3, 5}}, 2);
  t["hidden/bias"] = random_tensor({DType::f32, {5}}, 3);
  return t;
}

double dense_loss(Tensors& t) {
  double total = 0;
  for (size_t m = 0; m < 4; ++m) {
    double largest = 0;
    for (size_t n = 0; n < 5; ++n) {
      double y = t["hidden/bias"].data[n];
      for (size_t k = 0; k < 3; ++k) y += t["x"].data[3 * m + k] * t["hidden/kernel"].data[5 * k + n];
      largest = std::fmax(largest, y);
    }
    total += largest;
  }
  return total / 4;
}

TEST(Artefact, EveryFormAndNumberOfThreadsHasTheSameBits) {
  Program p = parse_program(dense_program);
  std::vector<uint64_t> first;
  for (Form form : {Form::jit, Form::linked})
    for (const char* target : {"native", "x86-64-v3"}) {
      CompiledProgram compiled(p, target, form);
      for (int threads : {1, 2, 3, 7}) {
        Tensors t = dense_tensors();
        CallOptions options;
        options.threads = threads, options.hyper = {NAN};
        ASSERT_EQ(compiled.run("predict", t, options), 0);
        EXPECT_NEAR(t["loss"].data[0], dense_loss(t), 1e-6);
        if (first.empty()) first = bits_of(t["loss"]);
        EXPECT_EQ(bits_of(t["loss"]), first) << target << " " << threads;
      }
    }
}

TEST(Artefact, TablesDescribeTheProgram) {
  CompiledProgram compiled(parse_program(dense_program), "x86-64-v3", Form::linked);
  const dlcc_module_v1& m = compiled.module();
  EXPECT_EQ(m.magic, DLCC_MODULE_MAGIC);
  EXPECT_EQ(m.abi, DLCC_MODULE_ABI);
  EXPECT_EQ(m.struct_size, sizeof m);
  EXPECT_STREQ(m.cpu_features, make_target("x86-64-v3").features.c_str());
  EXPECT_EQ(std::string(m.model_json, m.model_json_len), "{}");
  ASSERT_EQ(m.n_tensors, 4u);
  const dlcc_tensor_desc& x = m.tensors[0];
  EXPECT_STREQ(x.name, "x");
  EXPECT_EQ(x.kind, DLCC_T_INPUT);
  EXPECT_EQ(x.dtype, DLCC_F32);
  EXPECT_EQ(x.rank, 2);
  EXPECT_EQ(x.dims[1], 3);
  EXPECT_EQ(x.region, -1);
  EXPECT_EQ(x.batch_axis, 0);
  EXPECT_EQ(x.nbytes, 48u);
  const dlcc_tensor_desc& bias = m.tensors[3];
  EXPECT_STREQ(bias.name, "param/hidden/bias");
  EXPECT_EQ(bias.kind, DLCC_T_PARAM);
  EXPECT_EQ(bias.offset, 64u);
  ASSERT_EQ(m.n_entries, 1u);
  EXPECT_EQ(m.entries[0].kind, DLCC_FN_PREDICT);
  ASSERT_EQ(m.entries[0].n_outputs, 1);
  EXPECT_EQ(m.tensors[m.entries[0].outputs[0]].kind, DLCC_T_LOSS);
  EXPECT_EQ(m.region_bytes[DLCC_REG_PARAM], 128u);
  EXPECT_GE(m.region_bytes[DLCC_REG_WORK], 192u);
  ASSERT_EQ(m.n_hyper, 1u);
  EXPECT_STREQ(m.hyper_names[0], "learning_rate");
  EXPECT_EQ(m.hyper_defaults[0], 0.1);
}

TEST(Artefact, SharedLibrariesAreReproducibleAndExportOneSymbol) {
  Target target = make_target("x86-64-v3");
  ArtefactInfo info;
  info.name = "tiny", info.compiler = "dlcc";
  Program p = parse_program(dense_program);
  auto image = [&](int threads) {
    return link_shared_library(compile(emit_program(p, target, info), target, threads));
  };
  std::vector<char> one = image(1);
  EXPECT_EQ(one, image(2));
  std::string bytes(one.begin(), one.end());
  EXPECT_NE(bytes.find("dlcc_module_query"), std::string::npos);
  EXPECT_NE(bytes.find("libgomp.so.1"), std::string::npos);
  EXPECT_EQ(bytes.find("/tmp/"), std::string::npos);
}

TEST(Artefact, OneUnitHasOneGlobalSymbol) {
  Target target = make_target("x86-64-v3");
  EmitOptions options;
  options.one_unit = true, options.query_symbol = "tiny_query";
  std::string with_constant =
      replaced(dense_program, "region arena",
               "region constant {\n buffer %k : f32[5] at 0 data [1.0,2.0,3.0,4.0,5.0]\n}\nregion arena");
  with_constant = replaced(with_constant, "call @hidden.forward(%x, %hidden/kernel, %hidden/bias",
                           "call @hidden.forward(%x, %hidden/kernel, %k");
  auto units = emit_program(parse_program(with_constant), target, {}, options);
  ASSERT_EQ(units.size(), 1u);
  std::string text = llvm_text(units[0]);
  size_t functions = 0, global = 0;
  for (size_t at = 0; (at = text.find("\ndefine ", at)) != std::string::npos; ++at)
    ++functions, global += text.compare(at + 8, 9, "internal ") != 0;
  EXPECT_GE(functions, 5u);
  EXPECT_EQ(global, 1u);
  EXPECT_NE(text.find("@tiny_query"), std::string::npos);
  EXPECT_EQ(compile(std::move(units), target).size(), 1u);
}

TEST(Artefact, ConstantsAreRead) {
  std::string text =
      replaced(dense_program, "region arena",
               "region constant {\n buffer %k : f32[5] at 0 data [1.0,2.0,3.0,4.0,50.0]\n}\nregion arena");
  text = replaced(text, "call @hidden.forward(%x, %hidden/kernel, %hidden/bias",
                  "call @hidden.forward(%x, %hidden/kernel, %k");
  for (Form form : {Form::jit, Form::linked}) {
    CompiledProgram p(parse_program(text), "native", form);
    Tensors t = dense_tensors();
    ASSERT_EQ(p.run("predict", t), 0);
    t["hidden/bias"].data = {1, 2, 3, 4, 50};
    EXPECT_NEAR(t["loss"].data[0], dense_loss(t), 1e-5);
  }
}

// A kernel with more arguments than a call lists one by one, twice: inputs, a constant, a scalar of the call, states
// and an output.
TEST(Artefact, ManyArgumentsComeFromATable) {
  constexpr int inputs = 60;
  std::string text = "program @many stage planned batch 4\nhyper rate = 0.5\nregion input {\n", parameters, first,
              second, sum = "0.0";
  for (int i = 0; i < inputs; ++i) {
    const std::string n = std::to_string(i);
    text += "  buffer %x" + n + " : f32[4] batch_axis 0\n";
    parameters += "x" + n + ": f32[4], ", first += "%x" + n + ", ",
        second += "%x" + std::to_string(inputs - 1 - i) + ", ";
    sum = "(" + sum + " * 1.25 + x" + n + "[m])";
  }
  text += "}\nregion call {\n  buffer %n_valid : i64[]\n}\nregion hyper {\n  buffer %rate : f64[]\n}\n"
          "region constant {\n  buffer %k : f32[4] at 0 data [1.0,2.0,3.0,4.0]\n}\n"
          "region param {\n  buffer %w : f32[4] at 0\n  buffer %v : f32[4] at 64\n}\n"
          "region output {\n  buffer %y : f32[4] role output\n  buffer %z : f32[4] role output\n}\n"
          "kernel @many(" +
          parameters +
          "n_valid: i64[], rate: f64[], k: f32[4], inout w: f32[4], out y: f32[4]) tasks 2 {\n"
          "  for m in 4 {\n    let s = " +
          sum +
          "\n    let t = f32(n_valid[]) + f32(rate[])\n"
          "    store y[m] = s * k[m] + t\n    store w[m] = w[m] + s\n  }\n}\n"
          "entry @predict(inputs: ";
  for (int i = 0; i < inputs; ++i) text += (i ? ", %x" : "%x") + std::to_string(i);
  text += "; outputs: %y, %z) {\n  parallel {\n    phase {\n"
          "      call @many(" +
          first +
          "%n_valid, %rate, %k, %w, %y)\n"
          "      call @many(" +
          second + "%n_valid, %rate, %k, %v, %z)\n    }\n  }\n}\n";
  Tensors given;
  for (int i = 0; i < inputs; ++i)
    given["x" + std::to_string(i)] = random_tensor({DType::f32, {4}}, static_cast<uint64_t>(i));
  given["w"] = random_tensor({DType::f32, {4}}, 100), given["v"] = random_tensor({DType::f32, {4}}, 101);
  for (Form form : {Form::jit, Form::linked}) {
    CompiledProgram p(parse_program(text), "native", form);
    for (int threads : {1, 2}) {
      Tensors t = given;
      CallOptions options;
      options.threads = threads, options.n_valid = 3, options.hyper = {0.25};
      ASSERT_EQ(p.run("predict", t, options), 0);
      for (size_t m = 0; m < 4; ++m) {
        double s = 0, r = 0;
        for (int i = 0; i < inputs; ++i) {
          s = s * 1.25 + given["x" + std::to_string(i)].data[m];
          r = r * 1.25 + given["x" + std::to_string(inputs - 1 - i)].data[m];
        }
        const double k = static_cast<double>(m) + 1;
        EXPECT_NEAR(t["y"].data[m] / (s * k + 3.25), 1, 1e-5);
        EXPECT_NEAR(t["z"].data[m] / (r * k + 3.25), 1, 1e-5);
        EXPECT_NEAR(t["w"].data[m] / (given["w"].data[m] + s), 1, 1e-5);
        EXPECT_NEAR(t["v"].data[m] / (given["v"].data[m] + r), 1, 1e-5);
      }
    }
  }
}

const char* faulty = R"(program @faulty stage planned batch 40
region input {
  buffer %label : i32[40] role label batch_axis 0
}
region output {
  buffer %done : f32[] role output
}
kernel @checked(label: i32[40]) tasks 1 {
  for m in 40 MARK {
    check(!(label[m] < 10)) sample index(m) value label[m] fault(-1, "label")
  }
}
kernel @late(out done: f32[]) tasks 1 {
  store done[] = 1.0
}
entry @predict(inputs: %label; outputs: %done) {
  parallel {
    phase {
      call @checked(%label)
    }
    exit
    phase {
      call @late(%done)
    }
  }
}
)";

TEST(Artefact, TheFirstFaultEndsTheEntry) {
  for (const char* mark : {"", "vector"})
    for (int threads : {1, 3}) {
      CompiledProgram p(parse_program(replaced(faulty, "MARK", mark)));
      Tensors t;
      t["label"] = random_tensor({DType::i32, {40}}, 1, 10);
      CallOptions options;
      options.threads = threads;
      ASSERT_EQ(p.run("predict", t, options), 0);
      EXPECT_EQ(t["done"].data[0], 1);
      t["label"].data[37] = 99, t["label"].data[35] = 12;
      t["done"].data[0] = 0;
      EXPECT_EQ(p.run("predict", t, options), DLCC_E_ARG);
      EXPECT_TRUE(std::isnan(t["done"].data[0])) << "nothing after the exit ran";
      EXPECT_EQ(p.fault.code, DLCC_FAULT_INDEX);
      EXPECT_EQ(p.fault.node, 0);
      EXPECT_EQ(p.fault.sample, 35);
      EXPECT_EQ(p.fault.value, 12);
    }
}

const char* counting = R"(program @counting stage planned batch 40
region input {
  buffer %label : i32[40] role label batch_axis 0
}
region output {
  buffer %before : f32[] role output
  buffer %after : f32[] role output
}
kernel @checked(label: i32[40]) tasks 1 {
  for m in 40 {
    check(!(label[m] < 10)) sample index(m) value label[m] fault(-1, "label")
  }
}
kernel @zero(out a: f32[], out b: f32[]) tasks 1 {
  store a[] = 0.0
  store b[] = 0.0
}
kernel @count(inout done: f32[]) tasks 1 {
  store done[] = done[] + 1.0
}
entry @predict(inputs: %label; outputs: %before, %after) {
  call @zero(%before, %after)
BEFORE  call @checked(%label)
  exit
AFTER}
)";

// An entry of many calls is compiled as several functions: each call once, and an exit ends the entry from all of them.
TEST(Artefact, EveryCallOfALongEntryRunsOnceUpToTheExit) {
  auto calls = [](int n, const std::string& buffer) {
    std::string text;
    for (int i = 0; i < n; ++i) text += "  call @count(%" + buffer + ")\n";
    return text;
  };
  for (int before : {0, 125, 126, 127, 300})
    for (int after : {1, 128, 700}) {
      SCOPED_TRACE(std::to_string(before) + " before, " + std::to_string(after) + " after");
      std::string text = replaced(counting, "BEFORE", calls(before, "before"));
      CompiledProgram p(parse_program(replaced(text, "AFTER", calls(after, "after"))));
      Tensors t;
      t["label"] = random_tensor({DType::i32, {40}}, 1, 10);
      ASSERT_EQ(p.run("predict", t), 0);
      EXPECT_EQ(t["before"].data[0], before);
      EXPECT_EQ(t["after"].data[0], after);
      t["label"].data[7] = 10;
      EXPECT_EQ(p.run("predict", t), DLCC_E_ARG);
      EXPECT_EQ(t["before"].data[0], before);
      EXPECT_EQ(t["after"].data[0], 0) << "nothing after the exit ran";
    }
}

TEST(Artefact, OldCpusAndUnknownTargetsAreRefused) {
  for (const char* name : {"pentium", "i386", "x86-64-v2", "corei7", "", "nativ", "x86-64-v3\n"})
    EXPECT_THROW(make_target(name), UserError) << name;
  EXPECT_NO_THROW(make_target("x86-64-v4"));
}

TEST(Artefact, CpusByNameAndFeaturesOneByOne) {
  EXPECT_EQ(make_target("haswell").features, make_target("x86-64-v3").features);
  EXPECT_EQ(make_target("skylake-avx512").features, make_target("x86-64-v4").features);
  EXPECT_EQ(make_target("znver4").machine.vector_bytes, 64);
  EXPECT_EQ(make_target("x86-64-v4", "-avx512vl").features, make_target("x86-64-v3").features);
  EXPECT_EQ(make_target("x86-64-v4", "-avx512vl,-movbe").features.find("movbe"), std::string::npos);
  EXPECT_TRUE(make_target("haswell", "+avx512f,+avx512bw,+avx512cd,+avx512dq,+avx512vl").avx512);
  for (const char* attributes : {"avx512f", "+", "-", ",", "+avx512fp16", "-fma", "-avx2"})
    EXPECT_THROW(make_target("x86-64-v4", attributes), UserError) << attributes;
}

} // namespace
} // namespace dlcc::codegen
