// dlcc inspect FILE: what a compiled step or a checkpoint holds, without running it.
#include "runtime/core/checkpoint.h"
#include "runtime/core/error.h"
#include "runtime/core/fitted_transform.h"
#include "tools/cli/options.h"
#include "tools/driver/loaded_module.h"
#include "tools/driver/output.h"
#include "tools/train/failure.h"
#include "tools/train/run_folder.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>

namespace dlcc::tools {

namespace {
using Json = nlohmann::ordered_json;

const char* kind_name(int32_t kind) {
  static const char* const names[] = {"?",   "input",  "label", "weight", "output", "param",
                                      "opt", "buffer", "grad",  "loss",   "metric", "accumulator"};
  return kind >= 1 && kind <= 11 ? names[kind] : names[0];
}

std::string type_text(int32_t dtype, const int64_t* dims, size_t rank) {
  return to_string(Type{static_cast<DType>(dtype), Shape(dims, dims + rank)});
}

Json names_of(const dlcc_module_v1& m, const int32_t* tensors, int32_t count) {
  Json names = Json::array();
  for (int32_t i = 0; i < count; ++i) names.push_back(escape(m.tensors[tensors[i]].name));
  return names;
}

// In the order of DLCC_REG_PARAM ...
constexpr const char* region_names[] = {"param", "opt", "buffer", "grad", "work", "const", "cache"};

Json describe_module(const dlcc_module_v1& m) {
  Json tensors = Json::array(), entries = Json::array(), hypers = Json::object(), regions = Json::object();
  Json signatures = Json::object();
  for (uint32_t i = 0; i < m.n_tensors; ++i) {
    const dlcc_tensor_desc& t = m.tensors[i];
    tensors.push_back({{"name", escape(t.name)},
                       {"kind", kind_name(t.kind)},
                       {"type", type_text(t.dtype, t.dims, static_cast<size_t>(t.rank))},
                       {"bytes", t.nbytes}});
  }
  for (uint32_t i = 0; i < m.n_entries; ++i) {
    const dlcc_entry_v1& e = m.entries[i];
    entries.push_back(e.name);
    signatures[e.name] = {{"inputs", names_of(m, e.inputs, e.n_inputs)},
                          {"outputs", names_of(m, e.outputs, e.n_outputs)}};
  }
  for (uint32_t i = 0; i < m.n_hyper; ++i) hypers[m.hyper_names[i]] = m.hyper_defaults[i];
  for (uint32_t i = 0; i < std::min<uint32_t>(m.n_regions, std::size(region_names)); ++i)
    regions[region_names[i]] = m.region_bytes[i];
  return {{"format", 1},
          {"kind", "step"},
          {"name", escape(m.name)},
          {"compiler", escape(m.compiler)},
          {"abi", m.abi},
          {"triple", m.triple},
          {"cpu_features", m.cpu_features},
          {"entries", entries},
          {"signatures", signatures},
          {"hyper", hypers},
          {"region_bytes", regions},
          {"tensors", tensors}};
}

Json describe_column(const runtime::FittedColumn& c) {
  Json j{{"name", escape(c.name)}};
  if (c.code == runtime::CellCode::number) {
    if (!std::isnan(c.missing)) j["missing"] = c.missing;
    return j;
  }
  constexpr const char* rules[] = {"error", "zeros", "extra"};
  j["encoding"] = c.code == runtime::CellCode::index ? "index" : "one_hot";
  for (const std::string& category : c.categories.names()) j["categories"].push_back(escape(category));
  j["unknown"] = rules[static_cast<size_t>(c.unknown)];
  return j;
}

// What was fitted on the training data, by input and label.
Json describe_transforms(const runtime::CheckpointFile& file) {
  const runtime::Attachments attachments = runtime::read_attachments(file);
  constexpr std::string_view prefix = runtime::attachment_prefix, suffix = "/center";
  Json out = Json::object();
  for (const auto& [name, attachment] : attachments) {
    if (!name.ends_with(suffix)) continue;
    const std::string tensor = name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
    const auto t = runtime::from_attachments(runtime::finder_in(attachments), tensor);
    Json& j = out[escape(tensor)];
    for (const runtime::FittedColumn& c : t->columns) j["columns"].push_back(describe_column(c));
    j["center"] = t->center, j["scale"] = t->scale;
    if (t->classes) j["classes"] = t->classes;
  }
  return out;
}

Json describe_checkpoint(const runtime::CheckpointFile& file) {
  Json tensors = Json::array(), metadata = Json::object();
  for (auto& [key, value] : file.metadata()) metadata[escape(key)] = escape(value);
  for (const runtime::StoredTensor& t : file.tensors())
    tensors.push_back(
        {{"name", escape(t.name)}, {"type", type_text(t.dtype, t.dims.data(), t.dims.size())}, {"bytes", t.bytes()}});
  return {{"format", 1},
          {"kind", file.is_plain() ? "safetensors" : "checkpoint"},
          {"metadata", metadata},
          {"transforms", file.is_plain() ? Json::object() : describe_transforms(file)},
          {"tensors", tensors}};
}

// "image : f32[128,784], label : i32[128]"
std::string list_of(const Json& j, const Json& names) {
  std::string text;
  for (const Json& name : names)
    for (const Json& t : j["tensors"])
      if (t["name"] == name)
        text += (text.empty() ? "" : ", ") + name.get<std::string>() + " : " + t["type"].get<std::string>();
  return text;
}

std::string as_text(const Json& j) {
  std::string text;
  for (auto& [key, value] : j.items()) {
    if (key == "format" || key == "tensors" || key == "entries" || key == "signatures") continue;
    text += key + ": " + (value.is_string() ? value.get<std::string>() : value.dump()) + "\n";
  }
  if (j.contains("signatures"))
    for (auto& [entry, signature] : j["signatures"].items())
      text += entry + "(" + list_of(j, signature["inputs"]) + ") -> (" + list_of(j, signature["outputs"]) + ")\n";
  for (const Json& t : j["tensors"]) {
    std::string kind = t.contains("kind") ? t["kind"].get<std::string>() : "";
    text += "  " + (kind.empty() ? "" : kind + std::string(kind.size() < 8 ? 8 - kind.size() : 1, ' ')) +
            t["name"].get<std::string>() + " : " + t["type"].get<std::string>() + "\n";
  }
  return text;
}

struct InspectCommand {
  std::string file;
  bool json = false;

  int run() {
    Json description;
    std::string path = file; // of a run's folder, what eval and predict would take
    const auto choose = [&] { return path = training::find_weights(file), 0; };
    if (std::filesystem::is_directory(file))
      if (const int fault = training::guarded(choose)) return fault;
    if (path.ends_with(".json"))
      throw UserError(
          ExitCode::usage, "usage",
          "'" + escape(path, 100) +
              "': expected a compiled step, a checkpoint or the folder of a run; 'dlcc check' shows a model");
    if (path.ends_with(".safetensors")) {
      try {
        description = describe_checkpoint(runtime::CheckpointFile(path, runtime::CheckpointFile::Accept::plain));
      } catch (const runtime::Error& e) {
        throw_artefact_error(e.status(), e.what());
      }
    } else {
      LoadedModule module = LoadedModule::open(file);
      description = describe_module(*dlcc_module_info(module.get()));
    }
    if (path != file) description["file"] = escape(path);
    write_output("-", json ? description.dump(1) + "\n" : as_text(description));
    return 0;
  }
};
} // namespace

void declare_inspect(CLI::App& command, int& exit_code) {
  auto state = std::make_shared<InspectCommand>();
  command.add_option("FILE", state->file, "a compiled step (.so), a checkpoint, or the folder of a run")->required();
  command.add_flag("--json", state->json, "Print JSON");
  command.footer("Examples:\n  dlcc inspect train_step.so\n  dlcc inspect runs/model-1 --json");
  command.callback([state, &exit_code] { exit_code = state->run(); });
}

} // namespace dlcc::tools
