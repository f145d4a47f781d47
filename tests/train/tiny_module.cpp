#include "tests/train/tiny_module.h"

#include "runtime/core/philox.h"

#include <cmath>
#include <cstring>
#include <fstream>
#include <stdexcept>

namespace dlcc::training::test {

std::function<void(uint64_t)> before_step;
std::function<void()> before_evaluation;
std::optional<uint64_t> poisoned_batch;

namespace {

constexpr int64_t n = tiny_batch, f = tiny_features;
constexpr int64_t x_dims[] = {n, f}, y_dims[] = {n}, kernel_dims[] = {f}, one[] = {1}, three[] = {3};
enum { X, Y, LOSS, MAE, PREDICTION, KERNEL, BIAS, KERNEL_M, BIAS_M, SUMS, KERNEL_GRAD, BIAS_GRAD, RATE };
constexpr int32_t step_inputs[] = {X, Y}, step_outputs[] = {LOSS}, predict_inputs[] = {X},
                  predict_outputs[] = {PREDICTION}, result_outputs[] = {MAE, LOSS}, rate_outputs[] = {RATE};

double* param(const dlcc_call_v1* c) { return static_cast<double*>(c->regions[DLCC_REG_PARAM]); }
double* sums(const dlcc_call_v1* c) { return static_cast<double*>(c->regions[DLCC_REG_BUFFER]); }
float input(const dlcc_call_v1* c, int which, int64_t i) {
  float v;
  std::memcpy(&v, static_cast<const char*>(c->inputs[which]) + 4 * i, 4);
  return v;
}
double predicted(const dlcc_call_v1* c, int64_t row) {
  double p = param(c)[f];
  for (int64_t i = 0; i < f; ++i) p += param(c)[i] * input(c, 0, row * f + i);
  return p;
}

int32_t init(const dlcc_call_v1* c) {
  for (int i = 0; i <= f; ++i) param(c)[i] = 0.1 * static_cast<double>(i + 1) + static_cast<double>(c->seed % 7);
  return 0;
}

// Loss over the valid rows.
double losses(const dlcc_call_v1* c) {
  double loss = 0;
  for (int64_t r = 0; r < c->n_valid; ++r) {
    const double e = predicted(c, r) - input(c, 1, r);
    loss += e * e / static_cast<double>(c->n_valid);
  }
  return loss;
}
void accumulate(const dlcc_call_v1* c) {
  for (int64_t r = 0; r < c->n_valid; ++r) {
    const double e = predicted(c, r) - input(c, 1, r);
    sums(c)[0] += std::fabs(e);
    sums(c)[1] += 1;
    sums(c)[2] += e * e;
  }
}

double learning_rate(const dlcc_call_v1* c) { return std::isnan(c->hyper[0]) ? 0.05 : c->hyper[0]; }

int32_t train(const dlcc_call_v1* c) {
  if (before_step) before_step(c->batch);
  const double loss = losses(c);
  std::memcpy(c->outputs[0], &loss, sizeof loss);
  if (!std::isfinite(loss)) {
    *c->fault = {DLCC_FAULT_NONFINITE, LOSS, -1, loss, 0};
    return DLCC_E_NONFINITE;
  }
  accumulate(c);
  double gradient[f + 1] = {};
  for (int64_t r = 0; r < c->n_valid; ++r) {
    const double e = 2 * (predicted(c, r) - input(c, 1, r)) / static_cast<double>(c->n_valid);
    for (int64_t i = 0; i < f; ++i) gradient[i] += e * input(c, 0, r * f + i);
    gradient[f] += e;
  }
  const auto noise =
      runtime::philox4x32_10({static_cast<uint32_t>(c->batch), 0, 0, 0}, {static_cast<uint32_t>(c->seed), 0});
  if (poisoned_batch == c->batch) gradient[1] = std::nan("");
  auto slots = static_cast<double*>(c->regions[DLCC_REG_OPT]);
  const double rate = learning_rate(c);
  for (int i = 0; i <= f; ++i) {
    gradient[i] += 1e-3 * (noise[static_cast<size_t>(i)] * 0x1p-32 - 0.5);
    slots[i] = 0.9 * slots[i] - rate * gradient[i];
    param(c)[i] += slots[i];
  }
  return 0;
}

int32_t eval(const dlcc_call_v1* c) {
  if (before_evaluation) before_evaluation();
  const double loss = losses(c);
  std::memcpy(c->outputs[0], &loss, sizeof loss);
  accumulate(c);
  return 0;
}

int32_t predict(const dlcc_call_v1* c) {
  for (int64_t r = 0; r < n; ++r) {
    const auto p = static_cast<float>(predicted(c, r));
    std::memcpy(static_cast<char*>(c->outputs[0]) + 4 * r, &p, 4);
  }
  return 0;
}

int32_t reset(const dlcc_call_v1* c) {
  sums(c)[0] = sums(c)[1] = sums(c)[2] = 0;
  return 0;
}

int32_t result(const dlcc_call_v1* c) {
  const double mae = sums(c)[0] / sums(c)[1], loss = sums(c)[2] / sums(c)[1];
  std::memcpy(c->outputs[0], &mae, sizeof mae);
  std::memcpy(c->outputs[1], &loss, sizeof loss);
  return 0;
}

int32_t rate(const dlcc_call_v1* c) {
  const double rate = learning_rate(c);
  std::memcpy(c->outputs[0], &rate, sizeof rate);
  return 0;
}

constexpr uint32_t ts = sizeof(dlcc_tensor_desc), es = sizeof(dlcc_entry_v1);
constexpr dlcc_tensor_desc tensors[] = {
    {ts, DLCC_T_INPUT, DLCC_F32, 2, "x", x_dims, -1, 0, 0, 4 * n* f},
    {ts, DLCC_T_LABEL, DLCC_F32, 1, "y", y_dims, -1, 0, 0, 4 * n},
    {ts, DLCC_T_LOSS, DLCC_F64, 0, "loss", nullptr, -1, -1, 0, 8},
    {ts, DLCC_T_METRIC, DLCC_F64, 0, "mae", nullptr, -1, -1, 0, 8},
    {ts, DLCC_T_OUTPUT, DLCC_F32, 1, "prediction", y_dims, -1, 0, 0, 4 * n},
    {ts, DLCC_T_PARAM, DLCC_F64, 1, "param/dense/kernel", kernel_dims, DLCC_REG_PARAM, -1, 0, 8 * f},
    {ts, DLCC_T_PARAM, DLCC_F64, 1, "param/dense/bias", one, DLCC_REG_PARAM, -1, 8 * f, 8},
    {ts, DLCC_T_OPT, DLCC_F64, 1, "opt/dense/kernel/velocity", kernel_dims, DLCC_REG_OPT, -1, 0, 8 * f},
    {ts, DLCC_T_OPT, DLCC_F64, 1, "opt/dense/bias/velocity", one, DLCC_REG_OPT, -1, 8 * f, 8},
    {ts, DLCC_T_ACCUMULATOR, DLCC_F64, 1, "buffer/sums", three, DLCC_REG_BUFFER, -1, 0, 24},
    {ts, DLCC_T_GRAD, DLCC_F64, 1, "grad/dense/kernel", kernel_dims, DLCC_REG_GRAD, -1, 0, 8 * f},
    {ts, DLCC_T_GRAD, DLCC_F64, 1, "grad/dense/bias", one, DLCC_REG_GRAD, -1, 8 * f, 8},
    {ts, DLCC_T_OUTPUT, DLCC_F64, 0, "learning_rate", nullptr, -1, -1, 0, 8}};
constexpr dlcc_entry_v1 entries[] = {
    {es, DLCC_FN_INIT, "init", init, nullptr, 0, 0, nullptr},
    {es, DLCC_FN_TRAIN, "train_step", train, step_inputs, 2, 1, step_outputs},
    {es, DLCC_FN_EVAL, "eval_step", eval, step_inputs, 2, 1, step_outputs},
    {es, DLCC_FN_PREDICT, "predict", predict, predict_inputs, 1, 1, predict_outputs},
    {es, DLCC_FN_METRICS_RESET, "metrics_reset", reset, nullptr, 0, 0, nullptr},
    {es, DLCC_FN_METRICS_RESULT, "metrics_result", result, nullptr, 0, 2, result_outputs},
    {es, DLCC_FN_LEARNING_RATE, "learning_rate", rate, nullptr, 0, 1, rate_outputs}};
constexpr uint64_t regions[] = {8 * (f + 1), 8 * (f + 1), 24, 8 * (f + 1), 0, 0, 0};
constexpr const char* hyper_names[] = {"learning_rate"};
constexpr double hyper_defaults[] = {0.05};

dlcc_module_v1 tables() {
  dlcc_module_v1 m{};
  m.magic = DLCC_MODULE_MAGIC;
  m.abi = DLCC_MODULE_ABI;
  m.struct_size = sizeof m;
  m.name = "tiny";
  m.compiler = "0.1.0";
  m.triple = "x86_64-unknown-linux-gnu";
  m.cpu_features = "";
  m.model_json = "{}";
  m.model_json_len = 2;
  m.tensors = tensors;
  m.entries = entries;
  m.n_tensors = std::size(tensors);
  m.n_entries = std::size(entries);
  m.n_regions = std::size(regions);
  m.alignment = 64;
  m.n_hyper = 1;
  m.region_bytes = regions;
  m.work_bytes_per_thread = 64;
  m.hyper_names = hyper_names;
  m.hyper_defaults = hyper_defaults;
  return m;
}

void write_csv(const std::string& path, int samples, uint32_t stream) {
  std::ofstream out(path);
  out << "a,b,y\n";
  for (int i = 0; i < samples; ++i) {
    const auto r = runtime::philox4x32_10({static_cast<uint32_t>(i), stream, 0, 0}, {99, 0});
    const double a = r[0] * 0x1p-31 - 1, b = r[1] * 0x1p-31 - 1, noise = r[2] * 0x1p-32 - 0.5;
    out << a << "," << b << "," << 2 * a - b + 0.5 + 0.2 * noise << "\n";
  }
}

data::SourceSpec csv_source(const std::string& file) {
  data::SourceSpec s;
  s.format = data::Format::csv;
  s.file = file;
  s.tensors = {{"x", "", {{"a", -1}, {"b", -1}}, {}}, {"y", "", {{"y", -1}}, {}}};
  return s;
}

} // namespace

dlcc_module* open_tiny_module() {
  static const dlcc_module_v1 info = tables();
  dlcc_module* module = nullptr;
  dlcc_error e{};
  if (dlcc_module_wrap(&info, &module, &e) != DLCC_OK) throw std::runtime_error(e.message);
  return module;
}

Job tiny_job(dlcc_module* module, const std::string& folder, int samples, bool validation) {
  Job job;
  job.module = module;
  job.name = "tiny";
  job.model_file = "tiny.json";
  job.seed = 5;
  job.files.directory = folder;
  job.tensors = {{"x", data::ElementType::f32, {tiny_features}, false, -1, {}, {}, {}},
                 {"y", data::ElementType::f32, {}, true, -1, {}, {}, {}}};
  job.data.emplace();
  write_csv(folder + "/train.csv", samples, 1);
  write_csv(folder + "/validation.csv", samples / 2, 2);
  write_csv(folder + "/test.csv", samples / 2, 3);
  job.data->train = csv_source("train.csv");
  if (validation) job.data->validation = csv_source("validation.csv");
  job.data->test = csv_source("test.csv");
  job.train.epochs = 3;
  return job;
}

} // namespace dlcc::training::test
