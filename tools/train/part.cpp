#include "tools/train/part.h"

#include "runtime/data/error.h"

#include <algorithm>
#include <span>

namespace dlcc::training {

namespace {

Part chosen(const Job& job, Part part) {
  if (job.data->test && job.data->test->is_given) return Part::test;
  if (part != Part::automatic) return part;
  if (job.data->test) return Part::test;
  const bool splits = job.train.validation_split > 0 && (job.data->train || job.data->all);
  return job.data->validation || splits ? Part::validation : Part::train;
}

std::optional<data::SourceSpec>& source_of(data::DataSpec& data, Part part) {
  if (part == Part::test) return data.test;
  if (part == Part::validation && data.validation) return data.validation;
  return data.train ? data.train : data.all;
}

// The data without what belongs to tensors of the model that are not wanted (predict takes no labels).
data::DataSpec only_wanted(const Job& job, std::span<const data::TensorSpec> wanted) {
  auto unwanted = [&](const std::string& name) {
    auto named = [&](const data::TensorSpec& t) { return t.name == name; };
    return std::any_of(job.tensors.begin(), job.tensors.end(), named) &&
           std::none_of(wanted.begin(), wanted.end(), named);
  };
  data::DataSpec data = *job.data;
  for (auto* source : {&data.train, &data.validation, &data.test, &data.all})
    if (*source) std::erase_if((*source)->tensors, [&](const data::Mapping& m) { return unwanted(m.tensor); });
  std::erase_if(data.transforms, [&](const data::TransformSpec& t) { return unwanted(t.input); });
  return data;
}

} // namespace

OpenedPart open_part(const Job& job, const Runner& runner, int entry, Part wanted, uint64_t seed, Console& console,
                     const std::vector<std::string>& kept) {
  if (!job.data)
    throw data::DataError(job.model_file, "no data: a \"data\" section or --data expected", "missing-data");
  const dlcc_module_v1& module = runner.module();
  const Part part = chosen(job, wanted);
  const auto tensors = entry_tensors(module, entry, job.tensors);
  data::TrainSpec train = job.train;
  train.batch_size = batch_rows(module, *find_entry(module, entry));
  train.shuffle = false;
  train.last_batch = data::LastBatch::mask;
  train.steps_per_epoch.reset();
  data::OpenOptions open;
  open.files = job.files;
  open.model_file = job.model_file;
  open.seed = seed;
  open.allow_nonfinite = job.allow_nonfinite;
  open.train = part == Part::train;
  open.validation = part == Part::validation;
  open.test = part == Part::test;
  open.fitted = runner.fitted(tensors);
  data::DataSpec data = only_wanted(job, tensors);
  if (auto& source = source_of(data, part)) {
    source->kept = kept;
    using Rule = data::MissingSpec::Rule; // every row has its prediction
    if (entry == DLCC_FN_PREDICT && source->missing.rule == Rule::drop) source->missing.rule = Rule::error;
  }
  data::OpenedData opened = data::open_data(data, train, tensors, open);
  for (const std::string& line : opened.warnings) console.warn(line);
  OpenedPart out;
  out.name = part == Part::train ? "training" : part == Part::validation ? "validation" : "test";
  out.source = std::move(part == Part::train        ? opened.train
                         : part == Part::validation ? opened.validation
                                                    : opened.test);
  out.kept = std::move(opened.kept);
  if (!out.source) throw Failure(exit_usage, "there are no " + out.name + " data", "part");
  return out;
}

} // namespace dlcc::training
