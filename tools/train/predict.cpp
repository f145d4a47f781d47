// dlcc predict: the outputs of a model for a data set, in the order of the file.
#include "runtime/core/atomic_file.h"
#include "runtime/data/dataset.h"
#include "runtime/data/error.h"
#include "runtime/data/open.h"
#include "runtime/data/zip_writer.h"
#include "tools/train/console.h"
#include "tools/train/part.h"
#include "tools/train/prediction_text.h"
#include "tools/train/presentation.h"
#include "tools/train/run_folder.h"
#include "tools/train/runner.h"
#include "tools/train/signals.h"
#include "tools/train/text.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
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

enum class Format : uint8_t { csv, npy, npz };

// What is not one row a sample has no place in an archive of predictions.
std::vector<int> outputs_of_samples(const dlcc_module_v1& m, const dlcc_entry_v1& e, Console& console) {
  std::vector<int> found;
  for (int i = 0; i < e.n_outputs; ++i) {
    const dlcc_tensor_desc& t = m.tensors[e.outputs[i]];
    if (t.batch_axis == 0)
      found.push_back(i);
    else
      console.warn(warning_line("output '" + data::escape(display_name(t)) + "' is not one of samples and is left out",
                                "output"));
  }
  return found;
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

// What the output predicts, if the model says so.
std::optional<PredictedLabel> predicted_label(const Job& job, const Runner& runner, const std::string& output,
                                              bool is_last) {
  for (const data::Prediction& p : job.predictions) {
    if (p.output.empty() ? !is_last : p.output != output) continue;
    for (const data::TensorSpec& t : job.tensors) {
      if (t.name != p.label) continue;
      data::FittedTransforms fitted = runner.fitted(std::span(&t, 1));
      auto at = fitted.find(t.name);
      return PredictedLabel{t, p.threshold, at == fitted.end() ? std::nullopt : std::optional(std::move(at->second))};
    }
  }
  return {};
}

class Predictor {
public:
  Predictor(const Job& job, const PredictOptions& options, const std::string& weights, Format format, Console& console)
      : format_(format), runner_(job.module, options.threads, options.seed.value_or(job.seed),
                                 [&console](int level, const std::string& text) {
                                   if (level <= 1) console.warn(warning_line(text, "session"));
                                 }) {
    load_weights(runner_, weights, DLCC_SAVE_PARAMS | DLCC_SAVE_RNG, options.allow_partial_weights);
    console.note("weights of '" + data::escape(weights) + "'");
    entry_ = find_entry(runner_.module(), DLCC_FN_PREDICT);
    std::vector<int> wanted;
    if (format_ == Format::npz && options.result.empty())
      wanted = outputs_of_samples(runner_.module(), *entry_, console);
    if (wanted.empty()) wanted = {find_output(runner_.module(), *entry_, options.result)};
    part_ = open_part(job, runner_, DLCC_FN_PREDICT, options.part, data_seed(runner_, options.seed.value_or(job.seed)),
                      console, options.ids);
    if (part_.kept.size() != options.ids.size()) throw Failure(exit_usage, "--id: only csv data have columns", "id");
    for (const int which : wanted) present(job, options, which, console);
  }

  // True if it went through to the end.
  bool run(const Sink& sink, const std::function<bool()>& go_on, Console* progress = nullptr) {
    const auto start = std::chrono::steady_clock::now();
    Feed feed(runner_.module(), DLCC_FN_PREDICT);
    std::vector<std::vector<std::byte>> memory;
    std::vector<dlcc_view> out;
    for (int i = 0; i <= results_.back().which; ++i) {
      const dlcc_tensor_desc& t = output(i);
      memory.emplace_back(std::max<size_t>(t.nbytes, 1));
      out.push_back({memory.back().data(), t.dtype, t.rank, t.dims, t.nbytes, {0, 0}});
    }
    for (Result& result : results_)
      result.put(format_, sink,
                 format_ == Format::csv
                     ? header()
                     : npy_header(result.presentation->dtype(), result.presentation->shape(part_.source->samples())));
    for (int64_t b = 0; b < part_.source->batches_per_epoch(); ++b) {
      if (!go_on()) return false;
      const int64_t rows = feed.fill(*part_.source, 0, b);
      check(
          [&](dlcc_error* e) {
            return dlcc_predict(runner_.session(), feed.views(), feed.count(), out.data(), static_cast<int>(out.size()),
                                rows, e);
          },
          "predict");
      for (Result& result : results_) {
        const std::byte* values = result.presentation->values(memory[static_cast<size_t>(result.which)].data(), rows);
        const uint64_t bytes = result.presentation->row_bytes() * static_cast<uint64_t>(rows);
        result.put(format_, sink,
                   format_ == Format::csv ? lines(values, b, rows)
                                          : std::string(reinterpret_cast<const char*>(values), bytes));
      }
      if (progress)
        progress->tick([&] {
          const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
          return Console::Bar{"Predicting", b + 1, part_.source->batches_per_epoch(), seconds.count(), {}};
        });
    }
    if (format_ == Format::npz) write_archive(sink);
    return true;
  }

private:
  /// An output that is wanted.
  struct Result {
    int which; ///< of the entry's outputs
    std::unique_ptr<PredictedLabel> label;
    std::optional<Presentation> presentation;
    data::ZipMember array; ///< of an archive: what is there so far

    void put(Format format, const Sink& sink, const std::string& bytes) {
      if (format == Format::npz)
        array.bytes += bytes;
      else
        sink(bytes);
    }
  };

  void write_archive(const Sink& sink) {
    std::vector<data::ZipMember> members;
    for (Result& result : results_) members.push_back(std::move(result.array));
    data::write_zip(members, sink);
  }

  const dlcc_tensor_desc& output(int i) const { return runner_.module().tensors[entry_->outputs[i]]; }

  void present(const Job& job, const PredictOptions& options, int which, Console& console) {
    const std::string name = display_name(output(which));
    std::unique_ptr<PredictedLabel> predicted;
    if (auto label = predicted_label(job, runner_, name, which == entry_->n_outputs - 1))
      predicted = std::make_unique<PredictedLabel>(std::move(*label));
    using Mode = Presentation::Mode;
    const Mode mode = options.classes ? Mode::classes : options.raw ? Mode::raw : Mode::label;
    Result& result = results_.emplace_back();
    result.which = which;
    result.array.name = std::string(output(which).name) + ".npy";
    result.label = std::move(predicted);
    result.presentation.emplace(output(which), batch_rows(runner_.module(), *entry_), name, result.label.get(), mode);
    auto is_of_label = [&](const data::TransformSpec& t) { return result.label && t.input == result.label->spec.name; };
    const auto& transforms = job.data ? job.data->transforms : std::vector<data::TransformSpec>();
    if (mode == Mode::label && result.label && !result.label->fitted &&
        std::any_of(transforms.begin(), transforms.end(), is_of_label))
      console.warn(warning_line("the weights do not say how '" + data::escape(result.label->spec.name, 60) +
                                    "' was transformed; predictions are in the model's own units",
                                "transform"));
  }
  std::string header() const {
    std::vector<std::string> cells;
    for (const data::TextColumn& c : part_.kept) cells.push_back(text_cell(c.name));
    for (std::string& name : results_[0].presentation->header()) cells.push_back(std::move(name));
    return csv_line(cells);
  }
  std::string lines(const std::byte* values, int64_t batch, int64_t rows) {
    std::string out;
    std::vector<std::string> cells;
    for (int64_t r = 0; r < rows; ++r) {
      cells.clear();
      const auto sample = static_cast<size_t>(part_.source->sample_at(0, batch, r));
      for (const data::TextColumn& c : part_.kept) cells.push_back(text_cell(c.cells.at(sample)));
      results_[0].presentation->append_row(cells, values, r);
      out += csv_line(cells);
    }
    return out;
  }

  Format format_;
  Runner runner_;
  OpenedPart part_;
  const dlcc_entry_v1* entry_ = nullptr;
  std::vector<Result> results_; ///< one, or those of an archive
};

Format format_of(const std::string& out) {
  if (out.ends_with(".npy")) return Format::npy;
  if (out.ends_with(".npz")) return Format::npz;
  const size_t dot = out.rfind('.');
  const std::string extension = dot == std::string::npos ? "" : out.substr(dot + 1);
  for (const char* other : {"json", "safetensors", "h5", "parquet"})
    if (extension == other)
      throw Failure(exit_usage, "'" + data::escape(out) + "': expected a name that ends in .npy, .npz or .csv",
                    "output");
  return Format::csv;
}

int run(const Job& job, const PredictOptions& options) {
  const SignalGuard signals;
  Console console(options.output);
  if (options.weights.empty())
    throw Failure(exit_usage, "--weights expected: a checkpoint or the folder of a run", "weights");
  const std::string weights = find_weights(options.weights);
  refuse_inputs(job, weights, options.out);
  const Format format = format_of(options.out);
  if (format != Format::csv && !options.ids.empty())
    throw Failure(exit_usage, "--id: npy and npz hold numbers alone, expected csv", "id");
  if (options.raw && options.classes) throw Failure(exit_usage, "--raw and --classes: expected one of them", "output");
  Predictor predictor(job, options, weights, format, console);
  auto go_on = [&] { return signals.stop() == 0; };
  if (options.out.empty() || options.out == "-") {
    try {
      return predictor.run(write_stdout, go_on) ? int{exit_ok} : 128 + signals.stop();
    } catch (const BrokenPipe&) {
      return exit_ok; // whoever read it has enough
    }
  }
  runtime::AtomicFile file(options.out);
  if (!predictor.run([&](const std::string& s) { file.write(s.data(), s.size()); }, go_on, &console))
    return 128 + signals.stop();
  file.commit();
  return exit_ok;
}

} // namespace

int predict(const Job& job, const PredictOptions& options) {
  return guarded([&] { return run(job, options); }, job.help);
}

} // namespace dlcc::training
