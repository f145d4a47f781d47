#include "tests/goldens/golden.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace dlcc::goldens {

namespace fs = std::filesystem;

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot open " + path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

void write_file(const std::string& path, const void* data, size_t size) {
  std::ofstream out(path, std::ios::binary);
  out.write(static_cast<const char*>(data), static_cast<std::streamsize>(size));
  if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

TemporaryFolder::TemporaryFolder() : path_((fs::temp_directory_path() / "dlcc_test_XXXXXX").string()) {
  if (!mkdtemp(path_.data())) throw std::runtime_error("cannot make a folder " + path_);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

// ---- golden files ---------------------------------------------------------------------------------------------------

namespace {
template <class T> std::vector<double> widened(const std::string& bytes, size_t begin, size_t end) {
  std::vector<T> raw((end - begin) / sizeof(T));
  std::memcpy(raw.data(), bytes.data() + begin, raw.size() * sizeof(T));
  return {raw.begin(), raw.end()};
}

// safetensors: the length of a JSON header in 8 bytes, the header, the data.
Tensors read_safetensors(const std::string& path) {
  const std::string bytes = read_file(path);
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  const size_t data = sizeof length + length;
  const nlohmann::json header = nlohmann::json::parse(bytes.substr(sizeof length, length));
  Tensors out;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    const size_t begin = data + entry["data_offsets"][0].get<size_t>(),
                 end = data + entry["data_offsets"][1].get<size_t>();
    if (end > bytes.size()) throw std::runtime_error(path + " ends early");
    Tensor t{entry["shape"].get<std::vector<int64_t>>(), {}};
    t.values = entry["dtype"] == "I32" ? widened<int32_t>(bytes, begin, end) : widened<double>(bytes, begin, end);
    out.emplace(name, std::move(t));
  }
  return out;
}
} // namespace

std::vector<std::string> golden_names() {
  std::vector<std::string> names;
  for (const auto& file : fs::directory_iterator(DLCC_GOLDEN_FOLDER))
    if (file.path().extension() == ".json") names.push_back(file.path().stem());
  std::sort(names.begin(), names.end());
  return names;
}

Golden read_golden(const std::string& name) {
  const std::string stem = std::string(DLCC_GOLDEN_FOLDER) + "/" + name;
  Golden golden;
  golden.model.name = name;
  golden.model.text = read_file(stem + ".json");
  for (auto& [path, tensor] : read_safetensors(stem + ".safetensors")) {
    const size_t slash = path.find('/');
    const std::string group = path.substr(0, slash), rest = slash == path.npos ? "" : path.substr(slash + 1);
    if (group == "losses") golden.losses = tensor.values;
    if (group == "initial") golden.model.initial[rest] = tensor;
    if (group.starts_with("after_")) golden.parameters[std::stoi(group.substr(6))][rest] = tensor;
    if (group != "batch") continue;
    const size_t next = rest.find('/'), i = std::stoul(rest.substr(0, next));
    golden.model.batches.resize(std::max(golden.model.batches.size(), i + 1));
    golden.model.batches[i][rest.substr(next + 1)] = tensor;
  }
  return golden;
}

// ---- running --------------------------------------------------------------------------------------------------------

tools::Compilation compile(const Model& model, tools::CompileOptions options) {
  tools::Compilation c(model.name + ".json", model.text, std::move(options));
  if (c.read() && c.run_passes()) return c;
  std::string text;
  for (const Diagnostic& d : c.diagnostics.all()) text += format_short(d) + "\n";
  throw std::runtime_error(text);
}

namespace {
void check(dlcc_status status, const dlcc_error& error) {
  if (status != DLCC_OK) throw std::runtime_error(error.message);
}

template <class T> std::vector<char> narrowed(const std::vector<double>& values) {
  std::vector<char> out(values.size() * sizeof(T));
  for (size_t i = 0; i < values.size(); ++i) {
    const T x = static_cast<T>(values[i]);
    std::memcpy(out.data() + i * sizeof(T), &x, sizeof(T));
  }
  return out;
}

std::vector<char> as_type(int32_t dtype, const std::vector<double>& values) {
  if (dtype == DLCC_F32) return narrowed<float>(values);
  if (dtype == DLCC_F64) return narrowed<double>(values);
  if (dtype == DLCC_I32) return narrowed<int32_t>(values);
  throw std::runtime_error("no golden has type " + std::to_string(dtype));
}

dlcc_view view_of(std::vector<char>& bytes, int32_t dtype, const std::vector<int64_t>& dims) {
  return {bytes.data(), dtype, static_cast<int32_t>(dims.size()), dims.data(), bytes.size(), {}};
}
} // namespace

Training::Training(const Model& model, const tools::LoadedModule& module, int threads)
    : model_(model), module_(module.get()) {
  dlcc_session_options options{};
  options.struct_size = sizeof options;
  options.num_threads = threads;
  dlcc_error error{};
  check(dlcc_session_create(module_, &options, &session_, &error), error);
}

const dlcc_tensor_desc& Training::tensor(const std::string& name) const {
  const int32_t i = dlcc_module_find(module_, name.c_str());
  if (i < 0) throw std::runtime_error("the module has no tensor " + name);
  return dlcc_module_info(module_)->tensors[i];
}

void Training::start() {
  dlcc_error error{};
  check(dlcc_init(session_, 1, &error), error);
  for (const auto& [name, value] : model_.initial) write(name, value);
}

void Training::write(const std::string& parameter, const Tensor& value) {
  std::vector<char> bytes = as_type(tensor(parameter).dtype, value.values);
  const dlcc_view view = view_of(bytes, tensor(parameter).dtype, value.dims);
  dlcc_error error{};
  check(dlcc_tensor_write(session_, parameter.c_str(), &view, &error), error);
}

double Training::step() {
  const Tensors& batch = model_.batches[dlcc_batches(session_) % model_.batches.size()];
  const dlcc_module_v1& info = *dlcc_module_info(module_);
  const auto* entry = std::find_if(info.entries, info.entries + info.n_entries,
                                   [](const dlcc_entry_v1& e) { return e.kind == DLCC_FN_TRAIN; });
  if (entry == info.entries + info.n_entries) throw std::runtime_error("the module does not train");
  std::vector<std::vector<char>> bytes;
  std::vector<dlcc_view> views;
  int64_t rows = 0;
  for (int32_t i = 0; i < entry->n_inputs; ++i) {
    const dlcc_tensor_desc& t = info.tensors[entry->inputs[i]];
    const Tensor& value = batch.at(t.name);
    rows = value.dims.at(0);
    bytes.push_back(as_type(t.dtype, value.values));
    views.push_back(view_of(bytes.back(), t.dtype, value.dims));
  }
  double loss = 0;
  dlcc_view out{&loss, DLCC_F64, 0, nullptr, sizeof loss, {}};
  dlcc_error error{};
  check(dlcc_train_step(session_, views.data(), static_cast<int>(views.size()), &out, 1, rows, &error), error);
  return loss;
}

void Training::steps(int count) {
  for (int i = 0; i < count; ++i) step();
}

Tensor Training::read(const std::string& parameter) {
  const dlcc_tensor_desc& t = tensor(parameter);
  Tensor out{{t.dims, t.dims + t.rank}, {}};
  std::vector<char> bytes(t.nbytes);
  dlcc_view view = view_of(bytes, t.dtype, out.dims);
  dlcc_error error{};
  check(dlcc_tensor_read(session_, parameter.c_str(), &view, &error), error);
  const std::string copy(bytes.begin(), bytes.end());
  out.values = t.dtype == DLCC_F32 ? widened<float>(copy, 0, copy.size()) : widened<double>(copy, 0, copy.size());
  return out;
}

std::string Training::save() {
  TemporaryFolder folder;
  const std::string path = folder.file("checkpoint.safetensors");
  dlcc_error error{};
  check(dlcc_checkpoint_save(session_, path.c_str(), DLCC_SAVE_ALL, &error), error);
  return read_file(path);
}

void Training::load(const std::string& checkpoint) {
  TemporaryFolder folder;
  const std::string path = folder.file("checkpoint.safetensors");
  write_file(path, checkpoint.data(), checkpoint.size());
  dlcc_error error{};
  check(dlcc_checkpoint_load(session_, path.c_str(), DLCC_SAVE_ALL, &error), error);
}

} // namespace dlcc::goldens
