// Models with damage, from the text to code, as `dlcc MODEL` takes them: the end is a compiled step, or an error with a
// place. An internal error, a crash, a hang or the memory of the machine is a bug, whatever the model says.
#include "tests/driver/model_damage.h"
#include "tests/driver/seed_models.h"

#include "frontend/build/print_config.h"
#include "ir/ops/ops.h"
#include "tools/driver/compile.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <sys/resource.h>
#include <unistd.h>

namespace dlcc::testing {
namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr bool limits_memory = false; // a sanitizer reserves the whole address space
#else
constexpr bool limits_memory = true;
#endif

unsigned current_seed = 0;

/// A seed that crashes or hangs is told, and ends the program.
void tell_seed(int signal) {
  char text[] = "signal    at DLCC_DAMAGED_MODEL=0000000000\n";
  char* at = text + sizeof text - 3;
  for (unsigned n = current_seed; n; n /= 10) *at-- = static_cast<char>('0' + n % 10);
  text[7] = static_cast<char>('0' + signal / 10), text[8] = static_cast<char>('0' + signal % 10);
  [[maybe_unused]] auto written = write(2, text, sizeof text - 1);
  _exit(1);
}

class Limits {
public:
  Limits() {
    getrlimit(RLIMIT_AS, &before_);
    rlimit of_a_machine = before_;
    of_a_machine.rlim_cur = std::min<rlim_t>(before_.rlim_max, rlim_t{4} << 30);
    if (limits_memory) setrlimit(RLIMIT_AS, &of_a_machine);
    signal(SIGALRM, tell_seed);
    if (limits_memory) signal(SIGSEGV, tell_seed), signal(SIGABRT, tell_seed);
  }
  ~Limits() {
    alarm(0);
    for (int s : {SIGALRM, SIGSEGV, SIGABRT}) signal(s, SIG_DFL);
    setrlimit(RLIMIT_AS, &before_);
  }

private:
  rlimit before_;
};

tools::CompileOptions options() {
  tools::CompileOptions o;
  o.memory_limit = int64_t{64} << 20;
  o.threads = 1;
  o.passes.reproducer = "/dev/null";
  return o;
}

/// Inside the text, and in one short line.
void expect_good(const Diagnostic& d, const std::string& text) {
  const auto lines = static_cast<uint32_t>(std::count(text.begin(), text.end(), '\n'));
  EXPECT_TRUE(d.where.known()) << format_short(d);
  EXPECT_LE(d.where.line, lines + 1) << format_short(d);
  EXPECT_FALSE(d.text.empty());
  EXPECT_LE(format_short(d).size(), 300u);
}

/// The resolved model is the same model.
void expect_same_when_resolved(const tools::Compilation& c) {
  const std::string resolved = frontend::print_config(*c.model);
  tools::Compilation again("resolved.json", resolved, options());
  ASSERT_TRUE(again.read()) << format_short(again.diagnostics.all().at(0)) << "\n" << resolved;
  EXPECT_EQ(again.hash, c.hash) << resolved;
}

/// "refused", "too large", "planned" or "compiled"; throws what is a bug.
std::string end_of(const std::string& text, bool make_code) {
  tools::Compilation c("model.json", text, options());
  try {
    const bool good = c.read() && c.run_passes();
    for (const Diagnostic& d : c.diagnostics.all()) expect_good(d, text);
    EXPECT_NE(good, c.diagnostics.has_errors());
    if (!good) return "refused";
  } catch (const UserError& e) {
    EXPECT_EQ(e.diagnostic.name, "memory-limit") << e.what();
    return "too large";
  }
  expect_same_when_resolved(c);
  if (!make_code) return "planned";
  EXPECT_FALSE(c.objects().empty());
  return "compiled";
}

TEST(DamagedModels, EndInCodeOrAnErrorWithAPlace) {
  const std::vector<std::string> models = seed_models();
  ModelDamage damage(models);

  const char* wanted = std::getenv("DLCC_DAMAGED_MODELS");
  const char* one = std::getenv("DLCC_DAMAGED_MODEL"); // to repeat one
  const unsigned begin = one ? static_cast<unsigned>(std::atoi(one)) : 1;
  const unsigned count = one ? 1 : wanted ? static_cast<unsigned>(std::atoi(wanted)) : 800;
  std::map<std::string, int> ends;
  Limits limits;
  for (unsigned seed = begin; seed < begin + count && !HasFailure(); ++seed) {
    current_seed = seed;
    alarm(300);
    const std::string text = damage.of(models[seed * 7919u % models.size()], seed);
    if (one) puts(text.c_str());
    try {
      ++ends[end_of(text, seed % 4 == 0)];
    } catch (const std::exception& e) {
      ADD_FAILURE() << e.what();
    }
    if (HasFailure()) ADD_FAILURE() << "DLCC_DAMAGED_MODEL=" << seed;
  }
  if (one) return;
  for (const char* end : {"refused", "planned", "compiled"}) // or the damage is of one kind only
    EXPECT_GT(ends[end], static_cast<int>(count / 50)) << end;
  for (auto& [end, times] : ends) RecordProperty(end, times);
}

} // namespace
} // namespace dlcc::testing
