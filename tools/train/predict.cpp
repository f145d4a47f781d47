// dlcc predict: the outputs of a model for a data set, in the order of the file.
#include "runtime/core/atomic_file.h"
#include "runtime/data/dataset.h"
#include "runtime/data/error.h"
#include "runtime/data/open.h"
#include "tools/train/console.h"
#include "tools/train/part.h"
#include "tools/train/run_folder.h"
#include "tools/train/runner.h"
#include "tools/train/signals.h"
#include "tools/train/text.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <functional>
#include <unistd.h>

namespace dlcc::training {

namespace {

using Sink = std::function<void(const std::string& bytes)>;

struct BrokenPipe {};

void write_stdout(const std::string& bytes) {
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t n = write(STDOUT_FILENO, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EPIPE) throw BrokenPipe();
    if (n < 0)
      throw Failure(exit_io, std::string("cannot write to the standard output: ") + std::strerror(errno), "io");
    done += static_cast<size_t>(n);
  }
}

// The type word of NumPy's format 1.0 (numpy.lib.format).
const char* npy_type(int32_t dtype) {
  switch (dtype) {
  case DLCC_F32:
    return "<f4";
  case DLCC_F64:
    return "<f8";
  case DLCC_I8:
    return "|i1";
  case DLCC_U8:
    return "|u1";
  case DLCC_I32:
    return "<i4";
  case DLCC_I64:
    return "<i8";
  case DLCC_BOOL:
    return "|b1";
  default:
    throw Failure(exit_usage, "outputs of this type cannot be written as npy", "dtype");
  }
}

std::string npy_header(const dlcc_tensor_desc& t, int64_t samples) {
  std::string shape;
  for (int d = 0; d < t.rank; ++d) shape += std::to_string(d == t.batch_axis ? samples : t.dims[d]) + ", ";
  std::string head =
      std::string("{'descr': '") + npy_type(t.dtype) + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  const size_t total = (10 + head.size() + 1 + 63) / 64 * 64;
  head += std::string(total - 10 - head.size() - 1, ' ') + "\n";
  const size_t n = head.size();
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(n & 255) + static_cast<char>(n >> 8) + head;
}

// Shortest text that reads back as the same value of its own type.
void append_number(std::string& line, const std::byte* data, int32_t dtype, int64_t i) {
  char text[64];
  char* end = text;
  if (dtype == DLCC_F32) {
    float v;
    std::memcpy(&v, data + 4 * i, 4);
    end = std::to_chars(text, text + sizeof text, v).ptr;
  } else {
    end = std::to_chars(text, text + sizeof text, data::value_at(data, static_cast<data::ElementType>(dtype), i)).ptr;
  }
  line.append(text, end);
}

std::string csv_rows(const dlcc_tensor_desc& t, const std::byte* data, int64_t rows, int64_t each) {
  std::string out;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t i = 0; i < each; ++i) {
      append_number(out, data, t.dtype, r * each + i);
      out += i + 1 < each ? ',' : '\n';
    }
  return out;
}

int find_output(const dlcc_module_v1& m, const dlcc_entry_v1& e, const std::string& wanted) {
  std::vector<std::string> names;
  for (int i = 0; i < e.n_outputs; ++i) {
    const dlcc_tensor_desc& t = m.tensors[e.outputs[i]];
    if (wanted.empty() || wanted == t.name || wanted == display_name(t)) {
      if (t.batch_axis != 0)
        throw Failure(exit_usage, "output '" + data::escape(t.name) + "' is not one of samples", "output");
      return i;
    }
    names.push_back(display_name(t));
  }
  throw Failure(exit_usage, "no output is called '" + data::escape(wanted, 60) + "', there are " + joined(names, ", "),
                "output");
}

// Predictions never replace what they come from.
void refuse_inputs(const Job& job, const std::string& weights, const std::string& out) {
  std::vector<std::string> inputs = job.origins;
  inputs.push_back(weights);
  if (job.data)
    for (std::string& name : data::file_names(*job.data, job.files)) inputs.push_back(std::move(name));
  for (const std::string& input : inputs)
    if (runtime::same_file(out, input))
      throw Failure(exit_io, "'" + data::escape(out) + "' is the input file; it is never overwritten", "output");
}

class Predictor {
public:
  Predictor(const Job& job, const PredictOptions& options, const std::string& weights, Console& console)
      : runner_(job.module, options.threads, options.seed.value_or(job.seed),
                [&console](int level, const std::string& text) {
                  if (level <= 1) console.warn(warning_line(text, "session"));
                }) {
    load_weights(runner_, weights, DLCC_SAVE_PARAMS | DLCC_SAVE_RNG, options.allow_partial_weights);
    console.note("weights of '" + data::escape(weights) + "'");
    part_ = open_part(job, DLCC_FN_PREDICT, options.part, data_seed(runner_, options.seed.value_or(job.seed)), console);
    entry_ = find_entry(runner_.module(), DLCC_FN_PREDICT);
    which_ = find_output(runner_.module(), *entry_, options.result);
  }

  // True if it went through to the end.
  bool run(bool npy, const Sink& sink, const std::function<bool()>& go_on) {
    const dlcc_module_v1& m = runner_.module();
    const dlcc_tensor_desc& wanted = m.tensors[entry_->outputs[which_]];
    const int64_t each = static_cast<int64_t>(wanted.nbytes) /
                         data::byte_size(static_cast<data::ElementType>(wanted.dtype)) / batch_rows(m, *entry_);
    Feed feed(m, DLCC_FN_PREDICT);
    std::vector<std::vector<std::byte>> memory;
    std::vector<dlcc_view> out;
    for (int i = 0; i <= which_; ++i) {
      const dlcc_tensor_desc& t = m.tensors[entry_->outputs[i]];
      memory.emplace_back(std::max<size_t>(t.nbytes, 1));
      out.push_back({memory.back().data(), t.dtype, t.rank, t.dims, t.nbytes, {0, 0}});
    }
    if (npy) sink(npy_header(wanted, part_.source->samples()));
    const auto row_bytes = wanted.nbytes / static_cast<uint64_t>(batch_rows(m, *entry_));
    for (int64_t b = 0; b < part_.source->batches_per_epoch(); ++b) {
      if (!go_on()) return false;
      const int64_t rows = feed.fill(*part_.source, 0, b);
      check(
          [&](dlcc_error* e) {
            return dlcc_predict(runner_.session(), feed.views(), feed.count(), out.data(), static_cast<int>(out.size()),
                                rows, e);
          },
          "predict");
      const std::byte* data = memory.back().data();
      sink(npy ? std::string(reinterpret_cast<const char*>(data), row_bytes * static_cast<uint64_t>(rows))
               : csv_rows(wanted, data, rows, each));
    }
    return true;
  }

private:
  Runner runner_;
  OpenedPart part_;
  const dlcc_entry_v1* entry_ = nullptr;
  int which_ = 0;
};

int run(const Job& job, const PredictOptions& options) {
  const SignalGuard signals;
  Console console(options.output);
  if (options.weights.empty())
    throw Failure(exit_usage, "--weights expected: a checkpoint or the folder of a run", "weights");
  const std::string weights = find_weights(options.weights);
  refuse_inputs(job, weights, options.out);
  const size_t dot = options.out.rfind('.');
  const std::string extension = dot == std::string::npos ? "" : options.out.substr(dot + 1);
  for (const char* other : {"npz", "json", "safetensors", "h5", "parquet"})
    if (extension == other)
      throw Failure(exit_usage, "'" + data::escape(options.out) + "': expected a name that ends in .npy or .csv",
                    "output");
  Predictor predictor(job, options, weights, console);
  auto go_on = [&] { return signals.stop() == 0; };
  if (options.out.empty() || options.out == "-") {
    try {
      return predictor.run(false, write_stdout, go_on) ? int{exit_ok} : 128 + signals.stop();
    } catch (const BrokenPipe&) {
      return exit_ok; // whoever read it has enough
    }
  }
  runtime::AtomicFile file(options.out);
  if (!predictor.run(
          options.out.ends_with(".npy"), [&](const std::string& s) { file.write(s.data(), s.size()); }, go_on))
    return 128 + signals.stop();
  file.commit();
  return exit_ok;
}

} // namespace

int predict(const Job& job, const PredictOptions& options) {
  return guarded([&] { return run(job, options); });
}

} // namespace dlcc::training
