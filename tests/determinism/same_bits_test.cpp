// The same model, data and seed give the same bits: whole checkpoints, byte for byte, for any number of threads, any
// vector width, in this process and from a file, with and without fusion and shared memory, and across an interruption.
#include "tests/determinism/wide_models.h"

#include <gtest/gtest.h>

namespace dlcc::determinism {
namespace {

using goldens::Model;
using goldens::Training;

constexpr int before = 7, after = 6; ///< steps up to and from the interruption; no multiple of any accumulation

tools::LoadedModule jit(const Model& model, const tools::CompileOptions& options) {
  return tools::LoadedModule::wrap(goldens::compile(model, options).jit());
}

std::string trained(const Model& model, const tools::LoadedModule& module, int threads) {
  Training run(model, module, threads);
  run.start();
  run.steps(before + after);
  return run.save();
}

class SameBits : public testing::TestWithParam<std::tuple<std::string, std::string>> {
protected:
  SameBits() { options.overrides.dtype = std::get<1>(GetParam()); }

  static Model read_model() {
    const std::string& name = std::get<0>(GetParam());
    return name.starts_with("wide_") ? wide_model(name) : goldens::read_golden(name).model;
  }
  /// One thread, compiled for this CPU, in this process.
  std::string reference() { return trained(model, jit(model, options), 1); }
  std::string trained_for(const std::string& target) {
    tools::CompileOptions other = options;
    other.target = target;
    return trained(model, jit(model, other), 2);
  }

  Model model = read_model();
  tools::CompileOptions options;
};

TEST_P(SameBits, AnyNumberOfThreads) {
  const tools::LoadedModule module = jit(model, options);
  const std::string one = trained(model, module, 1);
  for (int threads : {2, 3, 4, 8}) EXPECT_TRUE(trained(model, module, threads) == one) << threads << " threads";
}

TEST_P(SameBits, AnyVectorWidth) {
  const std::string narrow = trained_for("x86-64-v3");
  EXPECT_TRUE(narrow == reference()) << "x86-64-v3 and this CPU";
  if (!__builtin_cpu_supports("x86-64-v4")) GTEST_SKIP() << "this CPU has no AVX-512";
  EXPECT_TRUE(trained_for("x86-64-v4") == narrow) << "x86-64-v4 and x86-64-v3";
}

TEST_P(SameBits, InThisProcessAndFromAFile) {
  goldens::TemporaryFolder folder;
  const std::string path = folder.file("step.so");
  const std::vector<char> image = goldens::compile(model, options).shared_library();
  goldens::write_file(path, image.data(), image.size());
  EXPECT_TRUE(trained(model, tools::LoadedModule::open(path), 2) == reference());
}

TEST_P(SameBits, WithoutFusionAndSharedMemory) {
  tools::CompileOptions apart = options;
  apart.fuse = apart.share_memory = false;
  EXPECT_TRUE(trained(model, jit(model, apart), 2) == reference());
}

TEST_P(SameBits, InterruptedAndResumed) {
  const tools::LoadedModule module = jit(model, options);
  Training first(model, module, 2);
  first.start();
  first.steps(before);
  const std::string saved = first.save();
  Training second(model, module, 3);
  second.load(saved);
  EXPECT_TRUE(second.save() == saved) << "loaded and saved again";
  second.steps(after);
  EXPECT_TRUE(second.save() == trained(model, module, 1));
}

std::vector<std::tuple<std::string, std::string>> cases() {
  std::vector<std::tuple<std::string, std::string>> out;
  for (const std::string& name : goldens::golden_names()) out.emplace_back(name, "f32");
  for (const std::string& name : wide_names())
    for (const char* dtype : {"f32", "f64"}) out.emplace_back(name, dtype);
  return out;
}

INSTANTIATE_TEST_SUITE_P(Models, SameBits, testing::ValuesIn(cases()),
                         [](const auto& info) { return std::get<0>(info.param) + "_" + std::get<1>(info.param); });

// Checkpoints that are alike only because nothing was trained, or threads that never had work, would prove nothing.
TEST(WideModels, DivideTheirStepAndMove) {
  for (const std::string& name : wide_names()) {
    const Model model = wide_model(name);
    tools::Compilation compilation = goldens::compile(model, {});
    bool is_divided = false;
    for (const loops::Entry& e : std::get<loops::Program>(compilation.ir).entries)
      for (const loops::Step& s : e.steps) is_divided |= e.name == "train_step" && s.kind == loops::StepKind::parallel;
    EXPECT_TRUE(is_divided) << name;
    const tools::LoadedModule module = tools::LoadedModule::wrap(compilation.jit());
    Training run(model, module, 2);
    run.start();
    const std::string first = run.save();
    run.steps(2);
    EXPECT_FALSE(run.save() == first) << name;
  }
}

} // namespace
} // namespace dlcc::determinism
