#include "frontend/read/presets.h"

namespace dlcc::frontend {

namespace {
struct PresetDefault {
  std::string_view record, key;
  ArgValue value;
};

// scikit-learn's arguments learning_rate_init, momentum, nesterovs_momentum, epsilon, batch_size (min(200, n): a data
// set of fewer rows is one short batch), max_iter.
const std::vector<PresetDefault>& defaults() {
  static const std::vector<PresetDefault> all{{"sgd", "momentum", 0.9},
                                              {"sgd", "nesterov", true},
                                              {"adam", "epsilon", 1e-8},
                                              {"train", "batch_size", int64_t{200}},
                                              {"train", "epochs", int64_t{200}}};
  return all;
}
constexpr double learning_rate = 0.001;

std::vector<Record>& records_of(Record& record, std::string_view key) {
  static std::vector<Record> none;
  auto* all = record.has_if_known(key) ? std::get_if<std::vector<Record>>(&record.at(key).value) : nullptr;
  return all ? *all : none;
}

void fill(Record& record, std::string_view key, ArgValue value) {
  Arg& arg = record.at(key);
  if (!arg.is_given) arg.value = std::move(value);
}

void fill_defaults(std::vector<Record>& records) {
  for (Record& record : records)
    for (const PresetDefault& d : defaults())
      if (record.is(d.record)) fill(record, d.key, d.value);
}

void collect_dense(std::vector<Record>& layers, std::vector<Record*>& dense) {
  for (Record& layer : layers) {
    if (layer.is("Dense")) dense.push_back(&layer);
    for (const char* inner : {"layers", "shortcut"}) collect_dense(records_of(layer, inner), dense);
  }
}

// _init_coef: uniform(-b, b), b = sqrt(f / (in + out)) for kernels and biases alike, where f is 2 if the hidden layers
// are logistic, else 6.
void fill_initializers(Record& model, Validator& validator) {
  std::vector<Record*> dense;
  collect_dense(records_of(model, "layers"), dense);
  double factor = 6;
  for (size_t i = 0; i + 1 < dense.size(); ++i)
    if (const Record* activation = dense[i]->record("activation"); activation && activation->is("sigmoid")) factor = 2;
  for (Record* layer : dense)
    for (const char* key : {"kernel_initializer", "bias_initializer"}) {
      if (layer->at(key).is_given) continue;
      std::vector<Record>& initializer = records_of(*layer, key);
      const GroupDef& initializers = group(Group::initializer);
      initializer[0] = validator.defaults(initializers, *initializers.find(fan_uniform), initializer[0].place);
      initializer[0].at("factor").value = factor;
    }
}
} // namespace

void apply_preset(Record& model, Validator& validator) {
  std::vector<Record>& optimizers = records_of(model, "optimizer");
  std::vector<Record>& train = records_of(model, "train");
  if (optimizers.empty() || train.empty()) return;
  Record& optimizer = optimizers[0];
  if (optimizer.text_or_empty("preset") != "sklearn") return;
  fill_defaults(optimizers), fill_defaults(train);
  if (std::vector<Record>& rate = records_of(optimizer, "learning_rate"); !rate.empty())
    if (!optimizer.at("learning_rate").is_given) rate[0].at("initial").value = learning_rate;
  if (optimizer.has("early_stopping") && optimizer.boolean("early_stopping"))
    fill(train[0], "validation_split", optimizer.at("validation_fraction").value);
  fill_initializers(model, validator);
}

} // namespace dlcc::frontend
