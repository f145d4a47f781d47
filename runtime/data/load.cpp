#include "runtime/data/load.h"

#include "runtime/data/csv.h"
#include "runtime/data/readers.h"
#include "runtime/data/synthetic.h"
#include "runtime/data/table.h"

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

// A column as a header promises it: its shape, and no values yet.
Column promised_column(const PendingArray& a, const TensorSpec& t) {
  Column c;
  c.name = t.name;
  c.shape.assign(a.shape.begin() + 1, a.shape.end());
  c.origin.file = a.stream->name();
  return c;
}

struct SampleCount {
  int64_t samples;
  const std::string &tensor, &file;
};
void check_same(const SampleCount& here, const SampleCount& first) {
  if (here.samples == first.samples) return;
  throw DataError(here.file,
                  std::to_string(here.samples) + " samples for '" + escape(here.tensor, 30) + "', but " +
                      std::to_string(first.samples) + " for '" + escape(first.tensor, 30) + "' in " +
                      escape(first.file, 80),
                  "counts");
}

// What the headers promise is compared with the model, with each other and with the memory before any value is read.
void check_promises(const Job& job, const std::vector<PendingArray>& arrays, const std::vector<Column>& columns) {
  int64_t bytes = 0;
  for (size_t i = 0; i < arrays.size(); ++i) {
    const int64_t own = payload_bytes(arrays[i]);
    check_payload(*arrays[i].stream, own);
    if (arrays[i].shape[0] == 0)
      throw DataError(columns[i].origin.file, "no samples: the first dimension is 0", "no-samples");
    check_shape(columns[i], job.tensors[i], job.transforms, job.model_file);
    check_same({arrays[i].shape[0], columns[i].name, columns[i].origin.file},
               {arrays[0].shape[0], columns[0].name, columns[0].origin.file});
    bytes = own > INT64_MAX - bytes ? INT64_MAX : bytes + own;
    if (bytes > job.options.memory_cap)
      throw too_large(columns[i].origin.file, "the values", bytes, job.options.memory_cap);
  }
}

std::vector<Column> read_columns(const Job& job, std::vector<PendingArray> arrays) {
  std::vector<Column> columns;
  for (size_t i = 0; i < arrays.size(); ++i) columns.push_back(promised_column(arrays[i], job.tensors[i]));
  check_promises(job, arrays, columns);
  for (size_t i = 0; i < arrays.size(); ++i) {
    RawArray a = read_values(std::move(arrays[i]));
    columns[i].type = a.type;
    columns[i].values = std::move(a.values);
    columns[i].origin = {a.file, a.offset, a.stride, {}};
  }
  return columns;
}

std::vector<Column> load_single_files(const Job& job) {
  std::vector<PendingArray> arrays;
  for (const TensorSpec& t : job.tensors) {
    std::unique_ptr<Stream> s = open_stream(job.mapping(t).source, job.options);
    Plan plan = plan_tensor(t, job.transforms, job.model_file);
    constexpr int64_t picture_rank = 2; // what a reshape mostly starts from
    Wanted wanted{plan.elements == 1, plan.reshaped ? picture_rank : static_cast<int64_t>(plan.shape.size())};
    const bool idx = job.source.format == Format::idx;
    arrays.push_back(idx ? open_idx(std::move(s), wanted) : open_npy(std::move(s)));
  }
  return read_columns(job, std::move(arrays));
}

using OpenArrays = std::vector<PendingArray> (*)(const std::string&, const std::vector<std::string>&,
                                                 const FileOptions&);
std::vector<Column> load_archive(const Job& job, OpenArrays open) {
  std::vector<std::string> names;
  for (const TensorSpec& t : job.tensors) names.push_back(job.mapping(t).source);
  return read_columns(job, open(job.source.file, names, job.options));
}

// Whether cells become something else than the numbers they show.
bool is_encoded(const Mapping& mapping, const MissingSpec& missing) {
  auto is_text = [](const ColumnRef& c) { return c.code != runtime::CellCode::number; };
  return missing.rule == MissingSpec::Rule::mean ||
         std::any_of(mapping.columns.begin(), mapping.columns.end(), is_text);
}

CsvTable load_csv(const Job& job) {
  std::vector<CsvTarget> targets;
  for (const TensorSpec& t : job.tensors) {
    const Plan plan = plan_tensor(t, job.transforms, job.model_file);
    const Mapping& mapping = job.mapping(t);
    const MissingSpec missing = missing_of(job.source, t);
    const ElementType store = is_encoded(mapping, missing) ? ElementType::f64 : plan.store;
    targets.push_back({&mapping, plan.elements, store, missing.rule});
  }
  return read_csv(job.source, targets, job.options);
}

Dataset load_table(const Job& job) {
  CsvTable table = load_csv(job);
  Dataset d;
  d.columns = std::move(table.columns);
  d.kept = std::move(table.kept);
  if (table.dropped > 0)
    d.warnings.push_back(note_line(d.columns.at(0).origin.file,
                                   std::to_string(table.dropped) + " rows with a missing value are left out",
                                   "missing"));
  return d;
}

void check_counts(const Job& job, Dataset& d) {
  for (const Column& c : d.columns) {
    const Column& first = d.columns[0];
    auto samples = [](const Column& x) { return x.row_bytes() ? x.values.size() / x.row_bytes() : 0; };
    d.samples = samples(first);
    if (c.row_bytes() == 0)
      throw DataError(c.origin.file, "samples of shape " + shape_text(c.shape) + " hold no values", "no-samples");
    check_same({samples(c), c.name, c.origin.file}, {d.samples, first.name, first.origin.file});
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
    d.columns = load_archive(job, open_npz);
    break;
  case Format::safetensors:
    d.columns = load_archive(job, open_safetensors);
    break;
  case Format::csv:
    d = load_table(job);
    break;
  }
  check_counts(job, d);
  if (source.format != Format::csv) note_conversions(job, d);
  hash_dataset(d);
  return d;
}

} // namespace dlcc::data
