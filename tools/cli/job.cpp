#include "tools/cli/job.h"

#include "frontend/build/build_module.h"
#include "frontend/build/print_config.h"
#include "frontend/objective/metrics.h"
#include "ir/ops/ops.h"
#include "runtime/core/atomic_file.h"
#include "tools/cli/command_line.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

namespace dlcc::tools {

namespace {
std::string folder_of(const std::string& path) {
  if (path == "-") return ".";
  std::string folder, name;
  runtime::split_path(path, &folder, &name);
  return folder;
}

// Errors of a text other than the model's.
[[noreturn]] void fail_with(const DiagnosticList& diagnostics, ExitCode code) {
  for (const Diagnostic& d : diagnostics.all())
    if (d.severity == Severity::error) throw UserError(code, d);
  throw InternalError("a text was refused without a diagnostic");
}

// A learning rate that follows results is set by the training loop; the compiled schedule is constant then.
training::ReactiveSchedule reactive_schedule(const frontend::ModelSpec& model) {
  const frontend::Record* optimizer = model.optimizer();
  const frontend::Record* schedule = optimizer ? optimizer->record("learning_rate") : nullptr;
  if (schedule && schedule->is("adaptive")) return training::ReactiveSchedule::adaptive(schedule->number("initial"));
  if (schedule && schedule->is("inv_scaling"))
    return training::ReactiveSchedule::inv_scaling(schedule->number("initial"), schedule->number("power"));
  if (!schedule || !schedule->is("plateau")) return {};
  training::ReactiveSchedule s = training::ReactiveSchedule::plateau(schedule->number("initial"));
  s.factor = schedule->number("factor");
  s.patience = schedule->integer("patience");
  s.min_delta = schedule->number("min_delta");
  s.cooldown = schedule->integer("cooldown");
  s.minimum = schedule->number("min");
  s.monitor = schedule->text("monitor");
  return s;
}

// Schedules that reach a last rate and stay there.
std::optional<training::ScheduleEnd> schedule_end(const frontend::ModelSpec& model) {
  const frontend::Record* optimizer = model.optimizer();
  if (!optimizer) return std::nullopt;
  const frontend::Record& schedule = *optimizer->record("learning_rate");
  training::ScheduleEnd end;
  end.name = schedule.type();
  if (schedule.is("cosine"))
    end.rate = schedule.number("alpha") * schedule.maybe_number("warmup_target").value_or(schedule.number("initial"));
  else if (schedule.is("polynomial") && !schedule.boolean("cycle"))
    end.rate = schedule.number("end");
  else
    return std::nullopt;
  int64_t updates = 0;
  for (const char* key : {"decay_steps", "warmup_steps"})
    if (schedule.has_if_known(key)) updates += schedule.integer(key);
  for (const char* key : {"decay_epochs", "warmup_epochs"})
    if (schedule.has_if_known(key)) end.epochs += schedule.number(key);
  end.batches = static_cast<double>(updates) * static_cast<double>(optimizer->integer("accumulate_steps"));
  return end;
}

// The format of a file of samples by the ending of its name; nothing: it describes data.
std::optional<data::Format> format_of(std::string file) {
  if (file.ends_with(".gz")) file.resize(file.size() - 3);
  if (file.ends_with(".npz")) return data::Format::npz;
  if (file.ends_with(".npy")) return data::Format::npy;
  const bool is_table = file == "-" || file.ends_with(".csv") || file.ends_with(".tsv") || file.ends_with(".txt");
  return is_table ? std::optional(data::Format::csv) : std::nullopt;
}

// How the model reads csv, if it does.
data::SourceSpec csv_of(const training::Job& job) {
  if (job.data)
    for (const auto* source : {&job.data->train, &job.data->all, &job.data->validation, &job.data->test})
      if (*source && (*source)->format == data::Format::csv) return **source;
  return {};
}

// A file of samples: a table that is read as the model reads its own, an npz file whose arrays are called like the
// inputs and labels, or the only input as npy.
data::SourceSpec samples_in(const std::string& file, data::Format format, const training::Job& job) {
  data::SourceSpec source;
  if (format == data::Format::csv) {
    source = csv_of(job);
    if (file.ends_with(".tsv")) source.separator = '\t';
  }
  const auto inputs = std::count_if(job.tensors.begin(), job.tensors.end(), [](const auto& t) { return !t.is_label; });
  if (format == data::Format::npy && inputs != 1)
    throw UserError(ExitCode::usage, "data",
                    "holds one array, and the model has " + std::to_string(inputs) +
                        " inputs; expected a .npz file with arrays of their names",
                    file);
  if (format != data::Format::csv)
    for (const data::TensorSpec& t : job.tensors)
      if (format == data::Format::npz || !t.is_label)
        source.tensors.push_back({t.name, format == data::Format::npz ? t.name : file, {}, {}});
  source.format = format;
  if (format != data::Format::npy) source.file = file;
  source.is_given = true;
  return source;
}

// Samples to train on replace all others; samples to look at are a test set beside those that the model was trained on,
// which a transform may still have to be fitted on.
void use_samples(training::Job& job, const std::string& file, data::Format format, DataUse use) {
  data::SourceSpec source = samples_in(file, format, job);
  data::DataSpec data;
  if (job.data) data = *job.data;
  if (use == DataUse::training)
    data.train.reset(), data.validation.reset(), data.test.reset(), data.all = std::move(source);
  else
    data.test = std::move(source);
  job.data = std::move(data);
}

bool is_model(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  return json.is_object() && json.contains("dlcc");
}

// A model whose data section is meant (and, for a compiled step, its train section), or a data section alone.
void read_description(training::Job& job, const std::string& file, bool is_step) {
  job.files.directory = folder_of(file);
  job.files.confined = false;
  std::string text = read_text_file(file);
  std::vector<std::string> names;
  for (const data::TensorSpec& t : job.tensors) names.push_back(t.name);
  DiagnosticList as_model(file), as_data(file);
  if (auto model = frontend::read_model(text, {}, as_model); model && model->data) {
    job.data = model->data;
    if (is_step) job.train = model->train;
  } else if (is_model(text)) {
    if (model) throw UserError(ExitCode::data, "missing-data", "is a model without data of its own", file);
    fail_with(as_model, ExitCode::data);
  } else if (auto section = frontend::read_data(text, names, as_data)) {
    job.data = std::move(section);
  } else {
    fail_with(as_data, ExitCode::data);
  }
  job.model_file = file;
  job.origins.push_back(file);
}

// The records of a key, to be changed; none if it is absent.
std::vector<frontend::Record*> records_of(frontend::Record& record, const char* key) {
  std::vector<frontend::Record*> all;
  if (auto* records = std::get_if<std::vector<frontend::Record>>(&record.at(key).value))
    for (frontend::Record& r : *records) all.push_back(&r);
  return all;
}

// The model as a run keeps it in its own folder: relative names of data files start at the model's folder, so they are
// written out there.
std::string movable_config(const frontend::ModelSpec& model, const std::string& folder) {
  frontend::ModelSpec copy;
  copy.root = std::make_unique<frontend::Record>(*model.root);
  auto write_out = [&](std::string& name) {
    name = (std::filesystem::absolute(folder) / name).lexically_normal().string();
  };
  for (frontend::Record* data : records_of(*copy.root, "data")) {
    if (!data->file.empty()) {
      write_out(data->file);
      continue;
    }
    for (const char* part : {"train", "validation", "test", "all"})
      for (frontend::Record* source : records_of(*data, part)) {
        if (source->has_if_known("file")) write_out(std::get<std::string>(source->at("file").value));
        if (!source->is("idx") && !source->is("npy")) continue;
        for (frontend::ExtraArg& tensor : source->extras) write_out(std::get<std::string>(tensor.values.at(0)));
      }
  }
  return frontend::print_config(copy);
}

void describe(PreparedJob& prepared, const frontend::ModelSpec& model, const graph::Module& source,
              const std::string& file) {
  training::Job& job = prepared.job;
  job.name = model.name.empty() ? "model" : model.name;
  job.maximised = frontend::maximised_metrics(model);
  job.model_file = file;
  job.origins = {file};
  job.help = help_command(std::span<const std::string>(command_line()).subspan(1));
  job.seed = static_cast<uint64_t>(model.seed);
  job.train = model.train;
  job.tensors = frontend::tensor_specs(model, source);
  job.predictions = frontend::predictions(model);
  job.schedule = reactive_schedule(model);
  job.schedule_end = schedule_end(model);
  job.files.directory = folder_of(file);
  job.files.confined = true;
  if (model.data)
    job.data = model.data;
  else if (!model.data_file.empty())
    read_description(job, (std::filesystem::path(folder_of(file)) / model.data_file).string(), false);
  prepared.model_json = movable_config(model, folder_of(file));
}

bool compile_job(PreparedJob& prepared, const BuildOptions& build) {
  prepared.compilation = read_model(build);
  if (!prepared.compilation) return false;
  Compilation& c = *prepared.compilation;
  prepared.job.files.memory_cap = memory_limit(c.options);
  describe(prepared, *c.model, std::get<graph::Module>(c.ir), c.diagnostics.file());
  c.run_passes();
  if (build.trains) c.diagnostics.promote("nothing-to-train");
  if (report(c, build)) return false;
  prepared.module = LoadedModule::wrap(c.jit());
  if (build.time_passes) print_times(c);
  return true;
}

bool load_job(PreparedJob& prepared, const BuildOptions& build) {
  prepared.job.files.memory_cap = memory_limit(build.compile);
  prepared.module = LoadedModule::open(build.model);
  const dlcc_module_v1* info = dlcc_module_info(prepared.module->get());
  std::string_view embedded(info->model_json, info->model_json_len);
  if (embedded.empty()) throw UserError(ExitCode::artefact, "no-model", "holds no model description", build.model);
  DiagnosticList diagnostics(build.model);
  prepared.loaded_model = frontend::read_model(embedded, build.compile.overrides, diagnostics);
  auto source = prepared.loaded_model ? frontend::build_module(*prepared.loaded_model, ops::all_ops(), diagnostics)
                                      : std::nullopt;
  if (!source) fail_with(diagnostics, ExitCode::artefact);
  const ModelHash hash = model_hash(*source);
  if (!std::equal(hash.begin(), hash.end(), info->model_hash))
    throw UserError(
        ExitCode::usage, "compiled-in",
        "is compiled already, and these options (--set, --dtype, --batch-size, -D) would change it; expected "
        "such that concern training and data only",
        build.model);
  describe(prepared, *prepared.loaded_model, *source, build.model);
  return true;
}
} // namespace

std::optional<PreparedJob> prepare_job(const BuildOptions& build, const std::string& data, DataUse use) {
  if (data == "-" && build.model == "-")
    throw UserError(ExitCode::usage, "usage", "the model and --data are both '-', expected one standard input");
  auto begin = std::chrono::steady_clock::now();
  PreparedJob prepared;
  bool is_step = build.model.ends_with(".so");
  if (!(is_step ? load_job(prepared, build) : compile_job(prepared, build))) return std::nullopt;
  prepared.job.module = prepared.module->get();
  const frontend::ModelSpec& model = prepared.compilation ? *prepared.compilation->model : *prepared.loaded_model;
  prepared.threads = static_cast<int>(model.compile().maybe_integer("threads").value_or(0));
  if (build.threads) prepared.threads = build.threads;
  if (const auto format = format_of(data); format)
    use_samples(prepared.job, data, *format, use);
  else if (!data.empty())
    read_description(prepared.job, data, is_step);
  prepared.compile_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return prepared;
}

} // namespace dlcc::tools
