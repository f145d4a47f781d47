// dlcc gradcheck MODEL: the compiled gradients against central differences of the compiled loss, in double.
#include "runtime/core/philox.h"
#include "tools/cli/job.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <map>

namespace dlcc::tools {

namespace {
constexpr double step = 1e-5;

struct GradcheckCommand {
  BuildOptions build;
  int samples = 16;
  double tolerance = 1e-6;
  uint64_t seed = 0;

  int run();
};

/// One entry's inputs, filled with random numbers that suit their tensors.
struct Inputs {
  std::vector<std::vector<std::byte>> memory;
  std::vector<dlcc_view> views;
  int64_t rows = 1;
};

double uniform(uint64_t seed, uint32_t stream, uint64_t i) {
  return (runtime::random_bits(seed, stream, 0, i) + 0.5) * 0x1p-32;
}

template <class T> void fill(std::vector<std::byte>& memory, const std::function<double(size_t)>& value) {
  for (size_t i = 0; i < memory.size() / sizeof(T); ++i) {
    T x = static_cast<T>(value(i));
    memcpy(memory.data() + i * sizeof(T), &x, sizeof x);
  }
}

void fill(const dlcc_tensor_desc& t, std::vector<std::byte>& memory, const std::function<double(size_t)>& value) {
  switch (t.dtype) {
  case DLCC_F64:
    return fill<double>(memory, value);
  case DLCC_F32:
    return fill<float>(memory, value);
  case DLCC_I64:
    return fill<int64_t>(memory, value);
  case DLCC_I32:
    return fill<int32_t>(memory, value);
  default:
    return fill<uint8_t>(memory, value);
  }
}

Inputs random_inputs(const dlcc_module_v1& module, const dlcc_entry_v1& entry,
                     const std::vector<data::TensorSpec>& specs, uint64_t seed) {
  Inputs in;
  for (int k = 0; k < entry.n_inputs; ++k) {
    const dlcc_tensor_desc& t = module.tensors[entry.inputs[k]];
    auto spec = std::find_if(specs.begin(), specs.end(), [&](auto& s) { return s.name == t.name; });
    bool known = spec != specs.end(), is_float = t.dtype == DLCC_F32 || t.dtype == DLCC_F64;
    double low = known && spec->low ? *spec->low : is_float ? -1 : 0;
    double high = known && spec->high          ? *spec->high
                  : is_float                   ? 1
                  : known && spec->classes > 0 ? static_cast<double>(spec->classes)
                                               : 2;
    if (t.batch_axis >= 0) in.rows = t.dims[t.batch_axis];
    std::vector<std::byte>& memory = in.memory.emplace_back(t.nbytes);
    fill(t, memory, [&](size_t i) { return low + (high - low) * uniform(seed, static_cast<uint32_t>(k + 1), i); });
    in.views.push_back({memory.data(), t.dtype, t.rank, t.dims, t.nbytes, {0, 0}});
  }
  return in;
}

class Checker {
public:
  Checker(dlcc_module* module, const std::vector<data::TensorSpec>& specs, uint64_t seed)
      : info_(*dlcc_module_info(module)), seed_(seed) {
    const dlcc_entry_v1* entry = nullptr;
    for (uint32_t i = 0; i < info_.n_entries; ++i)
      if (info_.entries[i].kind == DLCC_FN_GRAD) entry = &info_.entries[i];
    if (!entry)
      throw UserError(ExitCode::model, "no-gradient",
                      "the model has no loss and optimizer, so there is nothing to check");
    inputs_ = random_inputs(info_, *entry, specs, seed);
    dlcc_session_options options = {};
    options.struct_size = sizeof options, options.num_threads = 1, options.seed = seed;
    dlcc_session* session = nullptr;
    check(dlcc_session_create(module, &options, &session, &error_));
    session_.reset(session);
    check(dlcc_init(session, seed, &error_));
  }

  /// The loss of the one batch, from the first weights but for one parameter. Starting anew brings the counters back,
  /// so that dropout draws the same mask.
  double loss(const dlcc_tensor_desc* parameter = nullptr, std::vector<double>* values = nullptr) {
    check(dlcc_init(session_.get(), seed_, &error_));
    if (parameter) write(*parameter, *values);
    double value = 0;
    dlcc_view out = {&value, DLCC_F64, 0, nullptr, sizeof value, {0, 0}};
    check(dlcc_compute_gradients(session_.get(), inputs_.views.data(), static_cast<int>(inputs_.views.size()), &out, 1,
                                 inputs_.rows, &error_));
    return value;
  }
  std::vector<double> read(const dlcc_tensor_desc& t) {
    std::vector<double> values(t.nbytes / sizeof(double));
    dlcc_view view = {values.data(), t.dtype, t.rank, t.dims, t.nbytes, {0, 0}};
    check(dlcc_tensor_read(session_.get(), t.name, &view, &error_));
    return values;
  }
  void write(const dlcc_tensor_desc& t, std::vector<double>& values) {
    dlcc_view view = {values.data(), t.dtype, t.rank, t.dims, t.nbytes, {0, 0}};
    check(dlcc_tensor_write(session_.get(), t.name, &view, &error_));
  }

  /// Largest relative error over some elements of the parameter. An element near a kink, where the two one-sided
  /// differences disagree, says nothing and is left out.
  double worst(const dlcc_tensor_desc& parameter, const std::vector<double>& gradient, int samples, int& checked) {
    std::vector<double> w = read(parameter);
    double here = loss(), worst = 0;
    for (int s = 0; s < samples && s < static_cast<int>(w.size()); ++s) {
      size_t i =
          w.size() <= static_cast<size_t>(samples)
              ? static_cast<size_t>(s)
              : static_cast<size_t>(uniform(seed_, 99, static_cast<uint64_t>(s)) * static_cast<double>(w.size()));
      double original = w[i];
      auto at = [&](double x) {
        w[i] = x;
        return loss(&parameter, &w);
      };
      double up = at(original + step), down = at(original - step);
      at(original);
      double numeric = (up - down) / (2 * step), forward = (up - here) / step, backward = (here - down) / step;
      if (std::abs(forward - backward) > 1e-2 * (std::abs(forward) + std::abs(backward)) + 1e-7) continue;
      ++checked;
      worst =
          std::max(worst, std::abs(numeric - gradient[i]) / std::max({std::abs(numeric), std::abs(gradient[i]), 1e-3}));
    }
    return worst;
  }

  const dlcc_module_v1& info() const { return info_; }

private:
  void check(dlcc_status status) {
    if (status) throw UserError(ExitCode::numeric, dlcc_status_name(status), error_.message);
  }
  struct Destroy {
    void operator()(dlcc_session* s) const { dlcc_session_destroy(s); }
  };
  const dlcc_module_v1& info_;
  uint64_t seed_;
  Inputs inputs_;
  std::unique_ptr<dlcc_session, Destroy> session_;
  dlcc_error error_ = {};
};

int GradcheckCommand::run() {
  build.finish();
  build.compile.overrides.dtype = "f64";
  auto prepared = prepare_job(build, {});
  if (!prepared) return static_cast<int>(ExitCode::model);
  Checker checker(prepared->job.module, prepared->job.tensors, seed);
  checker.loss(); // adds the gradients of one batch
  std::map<std::string, std::vector<double>> gradients;
  for (uint32_t i = 0; i < checker.info().n_tensors; ++i)
    if (const dlcc_tensor_desc& t = checker.info().tensors[i]; t.kind == DLCC_T_GRAD)
      gradients[t.name] = checker.read(t);
  bool good = true;
  for (uint32_t i = 0; i < checker.info().n_tensors; ++i) {
    const dlcc_tensor_desc& t = checker.info().tensors[i];
    if (t.kind != DLCC_T_PARAM) continue;
    std::string name = std::string(t.name).substr(std::string("param/").size());
    auto gradient = gradients.find("grad/" + name);
    if (gradient == gradients.end()) continue; // frozen
    int checked = 0;
    double error = checker.worst(t, gradient->second, samples, checked);
    bool passes = error <= tolerance;
    good = good && passes;
    printf("%-6s %-32s %3d elements, largest relative error %.2e\n", passes ? "ok" : "WRONG", escape(name, 32).c_str(),
           checked, error);
  }
  return good ? 0 : static_cast<int>(ExitCode::numeric);
}
} // namespace

void declare_gradcheck(CLI::App& command, int& exit_code) {
  auto state = std::make_shared<GradcheckCommand>();
  state->build.declare(command);
  command.add_option("--samples", state->samples, "Elements of each parameter to check")
      ->check(whole_number(1))
      ->capture_default_str();
  command.add_option("--tolerance", state->tolerance, "Largest relative error that passes")->capture_default_str();
  command.add_option("--seed", state->seed, "Seed of weights and inputs")->check(whole_number(0));
  command.footer("Example:\n  dlcc gradcheck model.json --samples 64");
  command.callback([state, &exit_code] { exit_code = state->run(); });
}

} // namespace dlcc::tools
