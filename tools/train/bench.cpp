// dlcc bench: times training steps on random data.
#include "runtime/core/philox.h"
#include "tools/train/failure.h"
#include "tools/train/runner.h"
#include "tools/train/signals.h"
#include "tools/train/text.h"
#include "tools/train/train.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace dlcc::training {

namespace {

using Clock = std::chrono::steady_clock;
constexpr size_t batches = 4;

int64_t nanoseconds_since(Clock::time_point t) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - t).count();
}

class Random {
public:
  explicit Random(uint64_t seed) : key_{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)} {}
  /// In [0, 1).
  double uniform() {
    const uint64_t n = count_++;
    return runtime::philox4x32_10({static_cast<uint32_t>(n), static_cast<uint32_t>(n >> 32), 0x62656e63u, 0}, key_)[0] *
           0x1p-32;
  }

private:
  std::array<uint32_t, 2> key_;
  uint64_t count_ = 0;
};

void store(void* data, int32_t dtype, int64_t i, double v) {
  auto put = [&](auto typed) {
    std::memcpy(static_cast<char*>(data) + sizeof typed * static_cast<size_t>(i), &typed, sizeof typed);
  };
  switch (dtype) {
  case DLCC_F32:
    return put(static_cast<float>(v));
  case DLCC_F64:
    return put(v);
  case DLCC_I32:
    return put(static_cast<int32_t>(v));
  case DLCC_I64:
    return put(static_cast<int64_t>(v));
  case DLCC_I8:
    return put(static_cast<int8_t>(v));
  case DLCC_U8:
  case DLCC_BOOL:
    return put(static_cast<uint8_t>(v));
  default:
    throw Failure(exit_usage, "bench makes no data of this type", "dtype");
  }
}

// Inputs and real labels in [-1, 1); classes, and integers in general, whole numbers; labels bounded by 0 and 1 are one
// of them, one-hot where the last axis has several.
void fill_random(Random& random, const data::TensorSpec& spec, const dlcc_tensor_desc& t, void* data) {
  const int64_t n = static_cast<int64_t>(t.nbytes) / data::byte_size(spec.dtype);
  const bool binary = spec.is_label && spec.low == 0.0 && spec.high == 1.0;
  const int64_t width = spec.shape.empty() ? 1 : spec.shape.back();
  if (binary && width > 1) {
    for (int64_t i = 0; i < n; ++i) store(data, t.dtype, i, 0);
    for (int64_t row = 0; row < n / width; ++row)
      store(data, t.dtype, row * width + static_cast<int64_t>(random.uniform() * static_cast<double>(width)), 1);
    return;
  }
  const bool whole = binary || !data::is_float(spec.dtype);
  const auto values = static_cast<double>(binary || spec.classes < 1 ? 2 : spec.classes);
  for (int64_t i = 0; i < n; ++i) {
    const double u = random.uniform();
    store(data, t.dtype, i, whole ? static_cast<double>(static_cast<int64_t>(u * values)) : 2 * u - 1);
  }
}

class Bench {
public:
  Bench(const Job& job, const BenchOptions& options) : runner_(job.module, options.threads, options.seed, {}) {
    const dlcc_module_v1& m = runner_.module();
    const auto specs = entry_tensors(m, DLCC_FN_TRAIN, job.tensors);
    const dlcc_entry_v1& entry = *find_entry(m, DLCC_FN_TRAIN);
    rows_ = batch_rows(m, entry);
    Random random(options.seed);
    for (size_t b = 0; b < batches; ++b) {
      feeds_.emplace_back(m, DLCC_FN_TRAIN);
      for (size_t i = 0; i < specs.size(); ++i)
        fill_random(random, specs[i], m.tensors[entry.inputs[i]], feeds_.back().buffer(i));
    }
    runner_.init(options.seed);
    if (runner_.has_hyper("steps_per_epoch")) runner_.set_hyper("steps_per_epoch", 1000);
  }

  void step() { runner_.train_step(feeds_[next_++ % batches], rows_); }
  int64_t run(int64_t steps) {
    const auto start = Clock::now();
    for (int64_t i = 0; i < steps; ++i) step();
    return nanoseconds_since(start);
  }
  int64_t rows() const { return rows_; }

private:
  Runner runner_;
  std::vector<Feed> feeds_;
  size_t next_ = 0;
  int64_t rows_ = 1;
};

int serve(Bench& bench, const BenchOptions& options, double first_step) {
  for (int i = 0; i < std::max(options.warmup, 1); ++i) bench.step();
  nlohmann::ordered_json ready;
  ready["peer"] = "dlcc " + options.version;
  ready["first_step_s"] = first_step;
  ready["peak_mib"] = peak_resident_mib();
  ready["idle_mib"] = options.idle_mib;
  std::cout << "ready " << ready.dump() << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string word;
    int64_t steps = 0;
    if (!(words >> word)) continue;
    if (word == "quit") break;
    if (word != "run" || !(words >> steps) || steps < 0)
      throw Failure(exit_usage, "on standard input: expected 'run K' or 'quit'", "protocol");
    std::cout << bench.run(steps) << std::endl;
  }
  return exit_ok;
}

// Nanoseconds of each step, in order.
std::vector<int64_t> sorted_times(Bench& bench, const BenchOptions& options) {
  for (int i = 0; i < options.warmup; ++i) bench.step();
  std::vector<int64_t> times;
  for (int i = 0; i < std::max(options.steps, 1); ++i) times.push_back(bench.run(1));
  std::sort(times.begin(), times.end());
  return times;
}

int report(Bench& bench, const BenchOptions& options, double first_step) {
  const std::vector<int64_t> times = sorted_times(bench, options);
  const int64_t median = times[times.size() / 2];
  const double per_second = 1e9 / static_cast<double>(std::max<int64_t>(median, 1));
  if (options.json) {
    nlohmann::ordered_json j;
    j["format"] = 1;
    j["batch"] = bench.rows();
    j["steps"] = times.size();
    j["median_ns"] = median;
    j["min_ns"] = times.front();
    j["samples_per_s"] = per_second * static_cast<double>(bench.rows());
    j["first_step_s"] = first_step;
    j["peak_mib"] = peak_resident_mib();
    j["idle_mib"] = options.idle_mib;
    std::printf("%s\n", j.dump().c_str());
    return exit_ok;
  }
  std::printf("step      %lld ns median, %lld ns least, of %zu steps of %lld samples\n", 0LL + median,
              0LL + times.front(), times.size(), 0LL + bench.rows());
  std::printf("rate      %s steps/s, %s samples/s\n", rate(per_second).c_str(),
              rate(per_second * static_cast<double>(bench.rows())).c_str());
  std::printf("ready in  %s (compiling and the first step)\n", duration(first_step).c_str());
  std::printf("memory    %lld MiB at its peak\n", 0LL + peak_resident_mib());
  return exit_ok;
}

} // namespace

int64_t median_step_nanoseconds(const Job& job, const BenchOptions& options) {
  Bench bench(job, options);
  const std::vector<int64_t> times = sorted_times(bench, options);
  return times[times.size() / 2];
}

int bench(const Job& job, const BenchOptions& options) {
  return guarded(
      [&] {
        const auto start = Clock::now();
        Bench bench(job, options);
        bench.step();
        const double first_step = options.compile_seconds + static_cast<double>(nanoseconds_since(start)) * 1e-9;
        return options.serve ? serve(bench, options, first_step) : report(bench, options, first_step);
      },
      job.help);
}

} // namespace dlcc::training
