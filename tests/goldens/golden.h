// Golden trajectories: models with their batches and first values, what 100 steps must give, and a run of them.
#pragma once

#include "tools/driver/compile.h"
#include "tools/driver/loaded_module.h"

#include <map>
#include <string>
#include <vector>

namespace dlcc::goldens {

/// Numbers of any type, exact in double.
struct Tensor {
  std::vector<int64_t> dims;
  std::vector<double> values;
};
using Tensors = std::map<std::string, Tensor>;

/// A model and what to train it on.
struct Model {
  std::string name, text;       ///< of the model file
  std::vector<Tensors> batches; ///< inputs and labels by name; a batch may have fewer rows than the model's
  Tensors initial;              ///< first values of parameters; those that are not here are the model's own
};

/// What a model must give, from tests/goldens/NAME.safetensors.
struct Golden {
  Model model;
  std::vector<double> losses;        ///< of each step
  std::map<int, Tensors> parameters; ///< after so many steps
};

/// All models in tests/goldens, sorted.
std::vector<std::string> golden_names();
Golden read_golden(const std::string& name);

/// The model through all passes. Throws std::runtime_error with every message if there is an error.
tools::Compilation compile(const Model& model, tools::CompileOptions options);

/// One run of a model. Every failure of the library is a std::runtime_error with its message.
class Training {
public:
  Training(const Model& model, const tools::LoadedModule& module, int threads);
  ~Training() { dlcc_session_destroy(session_); }
  Training(const Training&) = delete;
  Training& operator=(const Training&) = delete;

  /// Sets the first values.
  void start();
  /// Trains on batch dlcc_batches() mod their number; gives the loss.
  double step();
  void steps(int count);
  Tensor read(const std::string& parameter);
  /// The bytes of a whole checkpoint.
  std::string save();
  void load(const std::string& checkpoint);

private:
  const dlcc_tensor_desc& tensor(const std::string& name) const;
  void write(const std::string& parameter, const Tensor& value);

  const Model& model_;
  dlcc_module* module_;
  dlcc_session* session_ = nullptr;
};

/// A folder of its own that goes with its owner.
class TemporaryFolder {
public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }

private:
  std::string path_;
};

std::string read_file(const std::string& path);
void write_file(const std::string& path, const void* data, size_t size);

} // namespace dlcc::goldens
