// dlcc new NAME: writes one of the example models as a start.
#include "frontend/read/read_model.h"
#include "frontend/table/json_schema.h"
#include "tools/cli/options.h"
#include "tools/cli/starters.h"
#include "tools/driver/output.h"

#include <filesystem>

namespace dlcc::tools {

namespace {
constexpr const char* schema_file = "model-1.schema.json";

// The model with "$schema" as its first key, which editors look for.
std::string with_schema(std::string text) {
  text.insert(text.find('{') + 1, "\n  \"$schema\": \"" + std::string(schema_file) + "\",");
  return text;
}

// Another file of that name is the user's own, or of another version that an older model refers to.
void write_schema(const std::string& path) {
  if (!std::filesystem::exists(path)) write_output(path, frontend::json_schema());
}

// The files that the model's data are in, as the model names them.
std::vector<std::string> data_files(std::string_view text) {
  DiagnosticList diagnostics;
  const auto model = frontend::read_model(text, {}, diagnostics);
  std::vector<std::string> files;
  if (!model || !model->data) return files;
  for (const auto& source : {model->data->train, model->data->validation, model->data->test, model->data->all}) {
    if (!source) continue;
    if (!source->file.empty()) files.push_back(source->file);
    if (source->format == data::Format::idx || source->format == data::Format::npy)
      for (const data::Mapping& m : source->tensors) files.push_back(m.source);
  }
  return files;
}

// Names of data files start at the model's folder.
void tell_missing_data(std::string_view text, const std::string& output) {
  const std::filesystem::path folder = std::filesystem::path(output).parent_path();
  std::string missing;
  for (const std::string& file : data_files(text))
    if (!std::filesystem::exists(folder / file)) missing += (missing.empty() ? "" : ", ") + (folder / file).string();
  if (!missing.empty())
    fprintf(stderr, "before that, put there what it trains on (or change 'data'): %s\n", missing.c_str());
}

// The table that a starter brings; one that is there is the user's own.
void write_data(const Starter& starter, const std::string& output) {
  if (starter.data_file.empty()) return;
  const std::filesystem::path file = std::filesystem::path(output).parent_path() / starter.data_file;
  if (std::filesystem::exists(file)) return;
  std::error_code failed; // writing the file tells
  std::filesystem::create_directories(file.parent_path(), failed);
  write_output(file.string(), std::string(starter.data));
  fprintf(stderr, "wrote %s, the table it trains on\n", file.c_str());
}

struct NewCommand {
  std::string name, output;

  int run() {
    for (const Starter& s : starters()) {
      if (name != s.name) continue;
      if (output.empty() || output == "-") return write_output(output, s.text), 0;
      if (std::filesystem::exists(output))
        throw UserError(ExitCode::io, "exists", "exists already; it is never overwritten", output);
      write_output(output, with_schema(std::string(s.text)));
      write_schema(output.substr(0, output.rfind('/') + 1) + schema_file);
      fprintf(stderr, "wrote %s, and %s for editors; next: dlcc train %s\n", output.c_str(), schema_file,
              output.c_str());
      write_data(s, output);
      tell_missing_data(s.text, output);
      return 0;
    }
    std::vector<std::string> names;
    for (const Starter& s : starters()) names.emplace_back(s.name);
    std::string list;
    for (const std::string& n : names) list += (list.empty() ? "" : ", ") + n;
    throw UserError(ExitCode::usage, "usage",
                    "unknown starter '" + name + "'" + did_you_mean(name, names) + "; there are: " + list);
  }
};
} // namespace

void declare_new(CLI::App& command, int& exit_code) {
  auto state = std::make_shared<NewCommand>();
  std::string list;
  for (const Starter& s : starters()) list += (list.empty() ? "" : ", ") + std::string(s.name);
  command.add_option("NAME", state->name, "one of: " + list)->required();
  command.add_option("-o,--output", state->output, "Where the model goes; standard output without it");
  command.footer("Example:\n  dlcc new binary -o model.json && dlcc train model.json");
  command.callback([state, &exit_code] { exit_code = state->run(); });
}

} // namespace dlcc::tools
