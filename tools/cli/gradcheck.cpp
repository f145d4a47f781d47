// dlcc gradcheck MODEL: the compiled gradients against central differences of the compiled loss, in double.
#include "runtime/core/philox.h"
#include "tools/cli/job.h"
#include "tools/train/slope.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <map>

namespace dlcc::tools {

using training::Slope;
using training::slope_at;
using training::SlopeRequest;

namespace {
/// What is known of the gradient of one parameter.
struct Verdict {
  std::string name;
  int checked = 0, kinks = 0, unclear = 0; ///< elements; the latter two say nothing
  double error = 0;                        ///< the largest relative one
  std::string fault;                       ///< the element where it is wrong; empty: nowhere

  const char* word() const { return !fault.empty() ? "WRONG" : checked > 0 ? "ok" : "UNCHECKED"; }
  bool passes() const { return fault.empty() && checked > 0; }
};

struct GradcheckCommand {
  BuildOptions build;
  int samples = 16;
  double tolerance = 1e-6;
  uint64_t seed = 0;
  bool json = false;

  int run();
  void print(const std::vector<Verdict>& verdicts) const;
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
  /// so that dropout draws the same mask. NaN if the step refuses it.
  double loss(const dlcc_tensor_desc* parameter = nullptr, std::vector<double>* values = nullptr) {
    check(dlcc_init(session_.get(), seed_, &error_));
    if (parameter) write(*parameter, *values);
    double value = 0;
    dlcc_view out = {&value, DLCC_F64, 0, nullptr, sizeof value, {0, 0}};
    const dlcc_status status = dlcc_compute_gradients(
        session_.get(), inputs_.views.data(), static_cast<int>(inputs_.views.size()), &out, 1, inputs_.rows, &error_);
    if (status == DLCC_E_NONFINITE) return std::nan("");
    check(status);
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

  /// Compares some elements of the parameter's gradient with differences.
  Verdict compare(const dlcc_tensor_desc& parameter, const std::vector<double>& gradient, int samples,
                  double tolerance) {
    Verdict v;
    for (size_t i = 0; i < gradient.size() && v.fault.empty(); ++i)
      if (!std::isfinite(gradient[i])) v.fault = element(parameter, i) + ": the gradient is " + number(gradient[i]);
    std::vector<double> w = read(parameter);
    SlopeRequest request;
    request.at_x = loss(), request.tolerance = tolerance / 10, request.typical = root_mean_square(gradient);
    const double size = root_mean_square(w);
    const auto wanted = static_cast<size_t>(samples);
    // Those that say nothing are replaced, but not for ever.
    for (size_t s = 0; s < std::min(4 * wanted, w.size()) && v.checked < samples && v.fault.empty(); ++s) {
      const size_t i = w.size() <= 4 * wanted ? s : random_index(s, w.size());
      const double original = request.x = w[i];
      request.scale = std::max({std::fabs(original), size, 1e-2});
      const Slope slope = slope_at(request, [&](double x) {
        w[i] = x;
        return loss(&parameter, &w);
      });
      w[i] = original;
      judge(v, slope, gradient[i], request.typical, tolerance, element(parameter, i));
    }
    return v;
  }

  const dlcc_module_v1& info() const { return info_; }

private:
  static double root_mean_square(const std::vector<double>& values) {
    double sum = 0;
    for (double v : values) sum += v * v;
    return values.empty() ? 0 : std::sqrt(sum / static_cast<double>(values.size()));
  }
  size_t random_index(size_t sample, size_t n) const {
    return std::min(n - 1, static_cast<size_t>(uniform(seed_, 99, sample) * static_cast<double>(n)));
  }
  static std::string number(double value) {
    char text[32];
    snprintf(text, sizeof text, "%.6g", value);
    return text;
  }
  static std::string element(const dlcc_tensor_desc& t, size_t i) {
    std::string text;
    for (int d = t.rank; d-- > 0; i /= static_cast<size_t>(t.dims[d]))
      text = std::to_string(i % static_cast<size_t>(t.dims[d])) + (text.empty() ? "" : ", ") + text;
    return "element [" + text + "]";
  }

  static void judge(Verdict& v, const Slope& slope, double gradient, double typical, double tolerance,
                    const std::string& where) {
    const double off = std::fabs(slope.value - gradient);
    const double size = std::max({std::fabs(slope.value), std::fabs(gradient), 1e-3 * typical});
    const bool wrong = off > slope.error + tolerance * size; // never where the error is not known
    if (slope.kind == Slope::Kind::kink) return void(++v.kinks);
    if (slope.kind == Slope::Kind::unclear && !wrong) return void(++v.unclear);
    ++v.checked;
    // What differences cannot tell counts for no more than the tolerance.
    if (off > 0) v.error = std::max(v.error, off / std::max(size, slope.error / tolerance));
    if (wrong) v.fault = where + ": the gradient is " + number(gradient) + ", differences give " + number(slope.value);
  }

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

void GradcheckCommand::print(const std::vector<Verdict>& verdicts) const {
  if (json) {
    nlohmann::ordered_json tensors = nlohmann::ordered_json::array();
    bool passes = !verdicts.empty();
    for (const Verdict& v : verdicts) {
      passes = passes && v.passes();
      tensors.push_back({{"name", escape(v.name)},
                         {"passes", v.passes()},
                         {"checked", v.checked},
                         {"kinks", v.kinks},
                         {"unclear", v.unclear},
                         {"largest_relative_error", v.error}});
      if (!v.fault.empty()) tensors.back()["fault"] = v.fault;
    }
    puts(nlohmann::ordered_json{{"format", 1}, {"passes", passes}, {"tensors", tensors}}.dump(2).c_str());
    return;
  }
  for (const Verdict& v : verdicts) {
    printf("%-9s %-32s %3d elements", v.word(), escape(v.name, 32).c_str(), v.checked);
    if (v.checked > 0) printf(", largest relative error %.2e", v.error);
    if (v.kinks > 0) printf(", %d at kinks", v.kinks);
    if (v.unclear > 0) printf(", %d too rough", v.unclear);
    printf("%s%s\n", v.fault.empty() ? "" : "; ", v.fault.c_str());
  }
}

int GradcheckCommand::run() {
  build.finish();
  if (build.model.ends_with(".so"))
    throw UserError(ExitCode::model, "not-a-model", "is a compiled step, expected the model, to compile it in double",
                    build.model);
  build.compile.widen_floats = true;
  auto prepared = prepare_job(build, {}, DataUse::training);
  if (!prepared) return static_cast<int>(ExitCode::model);
  Checker checker(prepared->job.module, prepared->job.tensors, seed);
  const double loss = checker.loss(); // adds the gradients of one batch
  if (!std::isfinite(loss))
    throw UserError(ExitCode::numeric, "non-finite",
                    "nothing can be checked: the loss of random inputs is not finite; see --seed", build.model);
  std::map<std::string, std::vector<double>> gradients;
  for (uint32_t i = 0; i < checker.info().n_tensors; ++i)
    if (const dlcc_tensor_desc& t = checker.info().tensors[i]; t.kind == DLCC_T_GRAD)
      gradients[t.name] = checker.read(t);
  std::vector<Verdict> verdicts;
  for (uint32_t i = 0; i < checker.info().n_tensors; ++i) {
    const dlcc_tensor_desc& t = checker.info().tensors[i];
    if (t.kind != DLCC_T_PARAM || t.nbytes == 0) continue;
    std::string name = std::string(t.name).substr(std::string("param/").size());
    auto gradient = gradients.find("grad/" + name);
    if (gradient == gradients.end()) continue; // frozen
    verdicts.push_back(checker.compare(t, gradient->second, samples, tolerance));
    verdicts.back().name = name;
  }
  print(verdicts);
  if (verdicts.empty())
    throw UserError(ExitCode::numeric, "unchecked", "nothing can be checked: no parameter is trained", build.model);
  const bool good = std::all_of(verdicts.begin(), verdicts.end(), [](const Verdict& v) { return v.passes(); });
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
  command.add_flag("--json", state->json, "Print one JSON object");
  command.footer("Example:\n  dlcc gradcheck model.json --samples 64");
  command.callback([state, &exit_code] { exit_code = state->run(); });
}

} // namespace dlcc::tools
