#include "runtime/data/load.h"

#include "runtime/data/csv.h"
#include "runtime/data/pipeline.h"
#include "runtime/data/readers.h"
#include "runtime/data/synthetic.h"

#include <algorithm>

namespace dlcc::data {

namespace {

struct Job {
  const SourceSpec& source;
  std::span<const TensorSpec> tensors;
  std::span<const TransformSpec> transforms;
  const FileOptions& options;
  const std::string& model_file;

  [[noreturn]] void fail(Place place, const std::string& text, const char* name) const {
    if (place.line == 0) place = source.place;
    throw DataError(Code::data, model_file, place.line, place.column, text, name);
  }
  const Mapping& mapping(const TensorSpec& t) const {
    for (const Mapping& m : source.tensors)
      if (m.tensor == t.name) return m;
    fail(source.place,
         "no source for the " + std::string(t.is_label ? "label '" : "input '") + escape(t.name, 60) + "'",
         "missing-source");
  }
};

void check_names(const Job& job) {
  for (const Mapping& m : job.source.tensors) {
    auto same = [&](const TensorSpec& t) { return t.name == m.tensor; };
    if (std::none_of(job.tensors.begin(), job.tensors.end(), same)) {
      std::string known;
      for (const TensorSpec& t : job.tensors) known += (known.empty() ? "" : ", ") + t.name;
      job.fail(m.place,
               "unknown key '" + escape(m.tensor, 60) + "', the model's inputs and labels are " + escape(known, 120),
               "unknown-name");
    }
  }
}

Column to_column(RawArray a, const TensorSpec& t) {
  Column c;
  c.name = t.name;
  c.type = a.type;
  c.shape.assign(a.shape.begin() + 1, a.shape.end());
  c.values = std::move(a.values);
  c.origin = {a.file, a.offset, a.stride, {}};
  if (a.shape[0] == 0) throw DataError(a.file, "no samples: the first dimension is 0", "no-samples");
  return c;
}

std::vector<Column> load_single_files(const Job& job) {
  std::vector<Column> columns;
  for (const TensorSpec& t : job.tensors) {
    std::unique_ptr<Stream> s = open_stream(job.mapping(t).source, job.options);
    Plan plan = plan_tensor(t, job.transforms, job.model_file);
    constexpr int64_t picture_rank = 2; // what a reshape mostly starts from
    Wanted wanted{plan.elements == 1, plan.reshaped ? picture_rank : static_cast<int64_t>(plan.shape.size())};
    bool idx = job.source.format == Format::idx;
    columns.push_back(to_column(idx ? read_idx(*s, wanted, job.options) : read_npy(*s, job.options), t));
  }
  return columns;
}

std::vector<Column> load_npz(const Job& job) {
  std::vector<std::string> names;
  for (const TensorSpec& t : job.tensors) names.push_back(job.mapping(t).source);
  std::vector<RawArray> arrays = read_npz(job.source.file, names, job.options);
  std::vector<Column> columns;
  for (size_t i = 0; i < names.size(); ++i) columns.push_back(to_column(std::move(arrays[i]), job.tensors[i]));
  return columns;
}

std::vector<Column> load_csv(const Job& job) {
  std::vector<CsvTarget> targets;
  std::vector<Plan> plans;
  for (const TensorSpec& t : job.tensors) {
    plans.push_back(plan_tensor(t, job.transforms, job.model_file));
    targets.push_back({&job.mapping(t), plans.back().elements, plans.back().store});
  }
  std::vector<Column> columns = read_csv(job.source, targets, job.options);
  for (size_t i = 0; i < columns.size(); ++i) columns[i].shape = plans[i].shape;
  return columns;
}

void check_counts(const Job& job, Dataset& d) {
  for (const Column& c : d.columns) {
    const Column& first = d.columns[0];
    auto samples = [](const Column& x) { return x.row_bytes() ? x.values.size() / x.row_bytes() : 0; };
    d.samples = samples(first);
    if (c.row_bytes() == 0)
      throw DataError(c.origin.file, "samples of shape " + shape_text(c.shape) + " hold no values", "no-samples");
    if (samples(c) != d.samples)
      throw DataError(c.origin.file,
                      std::to_string(samples(c)) + " samples for '" + escape(c.name, 30) + "', but " +
                          std::to_string(d.samples) + " for '" + escape(first.name, 30) + "' in " +
                          escape(first.origin.file, 80),
                      "counts");
  }
  if (d.samples == 0) job.fail(job.source.place, "no samples", "no-samples");
}

void note_conversions(const Job& job, Dataset& d) {
  for (size_t i = 0; i < d.columns.size(); ++i)
    if (d.columns[i].type == ElementType::f64 && job.tensors[i].dtype == ElementType::f32)
      d.warnings.push_back(note_line(d.columns[i].origin.file,
                                     "f64 values of '" + escape(d.columns[i].name, 40) + "' are converted to f32",
                                     "conversion"));
}

} // namespace

Dataset load_dataset(const SourceSpec& source, std::span<const TensorSpec> tensors,
                     std::span<const TransformSpec> transforms, const FileOptions& options,
                     const std::string& model_file) {
  Job job{source, tensors, transforms, options, model_file};
  check_names(job);
  Dataset d;
  switch (source.format) {
  case Format::synthetic:
    d = generate(source, tensors, model_file);
    break;
  case Format::idx:
  case Format::npy:
    d.columns = load_single_files(job);
    break;
  case Format::npz:
    d.columns = load_npz(job);
    break;
  case Format::csv:
    d.columns = load_csv(job);
    break;
  case Format::safetensors:
    job.fail(source.place, "format safetensors is not supported for data, expected idx, npy, npz, csv or synthetic",
             "format");
  }
  check_counts(job, d);
  note_conversions(job, d);
  hash_dataset(d);
  return d;
}

} // namespace dlcc::data
