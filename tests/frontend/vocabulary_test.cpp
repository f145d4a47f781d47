// Every word of the table, its other spellings and names, its misspellings, and words that are known but refused or
// belong elsewhere: the answer to each.
#include "mini_schema.h"
#include "reading.h"
#include "samples.h"

#include "frontend/build/print_config.h"
#include "frontend/table/json_schema.h"
#include "frontend/table/vocabulary.h"
#include "ir/ops/ops.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

namespace dlcc::frontend::testing {
namespace {

// The resolved document of a model that the reader and the JSON Schema take.
std::string resolved(const std::string& text) {
  static const MiniSchema schema(nlohmann::json::parse(json_schema()));
  EXPECT_TRUE(schema.accepts(nlohmann::json::parse(text))) << text;
  Outcome out = read(text);
  EXPECT_EQ(out.lines, std::vector<std::string>()) << text;
  return out.model ? print_config(*out.model) : "";
}
std::string at(size_t offset, const std::string& rest) {
  return "m.json:1:" + std::to_string(offset + 1) + ": error: " + rest;
}

// ---- what the issue of names is about, by hand ----------------------------------------------------------------------

void same(const std::string& written, const std::string& ours) {
  EXPECT_EQ(resolved(model_with(written)), resolved(model_with(ours))) << written;
}
void same_layer(const std::string& written, const std::string& ours) {
  EXPECT_EQ(resolved(model_of(written)), resolved(model_of(ours))) << written;
}
void same_nodes(const std::string& written, const std::string& ours) {
  EXPECT_EQ(resolved(nodes_of(written)), resolved(nodes_of(ours))) << written;
}

TEST(Alias, losses) {
  for (const char* name : {"mse", "MSE", "MSELoss", "MeanSquaredError", "mean-squared-error"})
    same(R"("loss": ")" + std::string(name) + '"', R"("loss": "mean_squared_error")");
  for (const char* name : {"mae", "L1Loss", "MeanAbsoluteError"})
    same(R"("loss": ")" + std::string(name) + '"', R"("loss": "mean_absolute_error")");
  for (const char* name : {"bce", "BCELoss", "BinaryCrossentropy", "binary_cross_entropy"})
    same(R"("loss": ")" + std::string(name) + '"', R"("loss": "binary_crossentropy")");
  same(R"("loss": "BCEWithLogitsLoss")", R"("loss": {"type": "binary_crossentropy", "from_logits": true})");
  same(R"("loss": {"type": "BCEWithLogitsLoss", "weight": 2})",
       R"("loss": {"type": "binary_crossentropy", "from_logits": true, "weight": 2})");
  for (const char* name : {"CrossEntropyLoss", "NLLLoss"})
    same(R"("loss": ")" + std::string(name) + '"',
         R"("loss": {"type": "sparse_categorical_crossentropy", "from_logits": true})");
  same(R"("loss": ["SmoothL1Loss", "KLDivergence"])", R"("loss": ["huber", "kl_divergence"])");
  same(R"("loss": "huber", "metrics": ["acc", "MSE", "root_mean_squared_error", "AUC", "F1Score", "R2Score"])",
       R"("loss": "huber", "metrics": ["accuracy", "mse", "rmse", "auc", "f1", "r2"])");
  same(R"("Loss": "huber", "metrics": "Accuracy")", R"("loss": "huber", "metrics": ["accuracy"])");
  same(R"("loss": {"type": "huber", "reduction": "mean"})",
       R"("loss": {"type": "huber", "reduction": "mean_over_batch"})");
}

TEST(Alias, layers) {
  same_layer(R"({"type": "Linear", "out_features": 3})", R"({"type": "Dense", "units": 3})");
  same_layer(R"({"type": "dense", "Units": 3, "useBias": false})",
             R"({"type": "Dense", "units": 3, "use_bias": false})");
  same_layer(R"({"type": "Dense", "units": 3, "activation": "ReLU"})",
             R"({"type": "Dense", "units": 3, "activation": "relu"})");
  same_layer(R"({"type": "Dense", "units": 3, "activation": "linear"})", R"({"type": "Dense", "units": 3})");
  same_layer(
      R"("ReLU", "Swish", "Softmax", "Identity")",
      R"({"type": "Activation", "activation": "relu"}, {"type": "Activation", "activation": "silu"}, {"type": "Activation", "activation": "softmax"}, {"type": "Activation", "activation": "linear"})");
  same_layer(R"({"type": "Dropout", "p": 0.5})", R"({"type": "Dropout", "rate": 0.5})");
  same_layer(R"({"type": "Concatenate", "from": "x"})", R"({"type": "Concat", "from": ["x"]})");
  same_layer(
      R"({"type": "Dense", "units": 3, "kernel_initializer": "HeNormal", "kernel_regularizer": "l2", "bias_regularizer": "L1"})",
      R"({"type": "Dense", "units": 3, "kernel_initializer": "he_normal", "kernel_regularizer": {"l2": 0.01}, "bias_regularizer": {"l1": 0.01}})");
  for (auto [name, ours] : std::map<std::string, std::string>{
           {"xavier_uniform", R"("glorot_uniform")"},
           {"kaiming_uniform_", R"("he_uniform")"},
           {"xavier_normal",
            R"({"type": "variance_scaling", "scale": 1.0, "mode": "fan_avg", "distribution": "untruncated_normal"})"},
           {"kaiming_normal",
            R"({"type": "variance_scaling", "scale": 2.0, "mode": "fan_in", "distribution": "untruncated_normal"})"}})
    same_layer(R"({"type": "Dense", "units": 3, "kernel_initializer": ")" + name + "\"}",
               R"({"type": "Dense", "units": 3, "kernel_initializer": )" + ours + "}");
  same_layer(R"({"type": "Activation", "activation": {"type": "leaky_relu", "alpha": 0.1}})",
             R"({"type": "Activation", "activation": {"type": "leaky_relu", "negative_slope": 0.1}})");
}

TEST(Alias, optimizers_and_sections) {
  same(R"("optimizer": {"type": "Adam", "lr": 0.1, "eps": 1e-8, "clipnorm": 1})",
       R"("optimizer": {"type": "adam", "learning_rate": 0.1, "epsilon": 1e-8, "clip_norm": 1})");
  same(R"("optimizer": {"type": "SGD", "global_clipnorm": 1})",
       R"("optimizer": {"type": "sgd", "clip_global_norm": 1})");
  same(
      R"("optimizer": {"type": "sgd", "learning_rate": {"type": "ExponentialDecay", "initial_learning_rate": 0.1, "decay_steps": 5, "gamma": 0.9}})",
      R"("optimizer": {"type": "sgd", "learning_rate": {"schedule": "exponential", "initial": 0.1, "decay_steps": 5, "decay_rate": 0.9}})");
  same(
      R"("optimizer": {"type": "sgd", "learning_rate": {"schedule": "ReduceLROnPlateau", "initial": 0.1, "min_lr": 0.001}})",
      R"("optimizer": {"type": "sgd", "learning_rate": {"schedule": "plateau", "initial": 0.1, "min": 0.001}})");
  same(R"("train": {"early_stopping": {"patience": 3, "restore_best_weights": true}, "max_iter": 7})",
       R"("train": {"early_stopping": {"patience": 3, "restore_best": true}, "epochs": 7})");
  same(
      R"("data": {"train": {"type": "synthetic", "generator": "moons", "n_samples": 5}, "val": {"format": "NPZ", "path": "a.npz"}})",
      R"("data": {"train": {"format": "synthetic", "generator": "make_moons", "samples": 5}, "validation": {"format": "npz", "file": "a.npz"}})");
  same(R"("data": {"transforms": [{"type": "StandardScaler", "input": "x"}]})",
       R"("data": {"transforms": [{"type": "standardize", "input": "x"}]})");
  same(R"("dtype": "float64")", R"("dtype": "f64")");
}

TEST(Alias, nodes) {
  same_nodes(
      R"({"op": "mul", "inputs": ["x", "x"], "output": "y"}, {"type": "reduce_sum", "inputs": "y", "outputs": ["z"], "attrs": {"axis": [1], "keepdim": true}})",
      R"({"op": "multiply", "inputs": ["x", "x"], "output": "y"}, {"op": "sum", "inputs": ["y"], "output": "z", "attrs": {"axes": [1], "keepdims": true}})");
  same_nodes(R"({"op": "cast", "inputs": ["x"], "output": "y", "attrs": {"dtype": "float64"}})",
             R"({"op": "cast", "inputs": ["x"], "output": "y", "attrs": {"dtype": "f64"}})");
}

TEST(Alias, a_function_or_input_of_that_name_goes_first) {
  const std::string text =
      R"({"dlcc": 1, "inputs": {"x": {"shape": ["N"]}, "path": {"shape": ["N"]}}, "functions": {"mul": {"inputs": ["a"], "nodes": [], "outputs": ["a"]}}, "nodes": [{"op": "mul", "inputs": ["x"], "output": "y"}], "data": {"train": {"format": "npz", "file": "a.npz", "path": "b"}}})";
  Outcome out = read(text);
  ASSERT_TRUE(out.model.has_value()) << out.lines[0];
  EXPECT_EQ(out.model->nodes()[0].op.text, "mul");
  EXPECT_EQ(out.model->data->train->file, "a.npz");
}

TEST(Alias, twice_is_refused) {
  const std::string rest = "a second time, expected it once [conflict]";
  EXPECT_EQ(read(model_with(R"("optimizer": {"type": "sgd", "lr": 1, "learning_rate": 1})")).lines,
            std::vector{at(112, "'learning_rate' gives 'learning_rate' " + rest)});
  EXPECT_EQ(
      read(
          model_with(
              R"("optimizer": {"type": "sgd", "learning_rate": {"schedule": "constant", "type": "constant", "initial": 1}})"))
          .lines,
      std::vector{at(145, "'type' gives 'schedule' " + rest)});
  EXPECT_EQ(read(model_with(R"("loss": {"type": "BCEWithLogitsLoss", "from_logits": true})")).lines,
            std::vector{at(
                112, "'from_logits' follows from the name 'BCEWithLogitsLoss', expected none beside it [conflict]")});
  EXPECT_EQ(read(nodes_of(R"({"op": "relu", "type": "relu", "inputs": ["x"], "output": "y"})")).lines,
            std::vector{at(77, "node 0: 'type' gives 'op' " + rest)});
  EXPECT_EQ(read(nodes_of(R"({"op": "sum", "inputs": ["x"], "output": "y", "attrs": {"axis": 1, "axes": 1}})")).lines,
            std::vector{at(118, "node 0: 'axis' gives 'axes' " + rest)});
}

TEST(Alias, the_command_line_finds_the_key_by_any_name) {
  Overrides overrides;
  overrides.learning_rate = 0.25;
  overrides.sets = {{"train.batchSize", "7"}, {"optimizer.clipnorm", "2"}};
  Outcome out = read(model_with(R"("optimizer": {"type": "sgd", "lr": 1, "clip_norm": 1}, "train": {"batch_size": 5})"),
                     overrides);
  ASSERT_TRUE(out.model.has_value()) << out.lines[0];
  EXPECT_EQ(out.model->optimizer()->record("learning_rate")->number("initial"), 0.25);
  EXPECT_EQ(out.model->optimizer()->number("clip_norm"), 2.0);
  EXPECT_EQ(out.model->train.batch_size, 7);
}

TEST(Refused, says_what_to_write) {
  EXPECT_EQ(
      read(model_with(R"("optimizer": "Nadam")")).lines,
      std::vector{at(87, "optimizer 'Nadam' is not supported yet; there are sgd, adam, adamw, rmsprop [unsupported]")});
  EXPECT_EQ(read(model_with(R"("loss": "root_mean_squared_error")")).lines[0].substr(0, 71),
            at(82, "loss 'root_mean_squared_error' is not supported yet"));
  EXPECT_EQ(read(model_of(R"("BatchNormalization")")).lines[0].substr(0, 90),
            at(63, "layer 'BatchNormalization' is not supported yet; there are Dense, Activation").substr(0, 90));
  EXPECT_EQ(read(model_with(R"("loss": "KLDivLoss")")).lines,
            std::vector{
                at(82, "loss 'KLDivLoss' takes logarithms, expected 'kl_divergence' of probabilities [unknown-name]")});
  EXPECT_EQ(read(model_with(R"("optimizer": {"type": "adam", "betas": [0.9, 0.999]})")).lines,
            std::vector{at(104, "'betas' in optimizer 'adam' is written 'beta_1' and 'beta_2' [unknown-key]")});
  EXPECT_EQ(
      read(model_with(R"("callbacks": [])")).lines,
      std::vector{at(74, "'callbacks' in model has no place, expected 'early_stopping' and 'checkpoint' in 'train', "
                         "'plateau' as schedule of the learning rate [unknown-key]")});
}

TEST(Misplaced, is_told_where_it_belongs) {
  const std::pair<const char*, const char*> cases[] = {
      {R"("epochs": 3)", "'epochs' belongs in 'train', not in model"},
      {R"("batch_size": 3)", "'batch_size' belongs in 'train', not in model"},
      {R"("lr": 3)", "'lr' belongs in 'optimizer' as 'learning_rate', not in model"},
      {R"("learning_rate": 3)", "'learning_rate' belongs in 'optimizer', not in model"},
      {R"("momentum": 3)", "'momentum' belongs in optimizer 'sgd' or 'rmsprop', not in model"},
      {R"("early_stopping": {})", "'early_stopping' belongs in 'train', not in model"},
      {R"("patience": 3)", "'patience' belongs in schedule 'plateau' or 'train.early_stopping', not in model"},
      {R"("threads": 3)", "'threads' belongs in 'compile', not in model"},
      {R"("transforms": [])", "'transforms' belongs in 'data', not in model"},
      {R"("from_logits": true)", "'from_logits' belongs in loss 'binary_crossentropy', 'categorical_crossentropy' or "
                                 "'sparse_categorical_crossentropy', not in model"},
      {R"("validation_data": "a")", "'validation_data' in model belongs in 'data' as 'validation'"},
  };
  for (const auto& [key, text] : cases) {
    std::vector<std::string> lines = read(model_with(key)).lines;
    ASSERT_EQ(lines.size(), 1u) << key;
    EXPECT_TRUE(lines[0].starts_with(at(74, text))) << lines[0];
  }
  EXPECT_EQ(read(model_with(R"("train": {"metrics": ["mse"]})")).lines,
            std::vector{at(84, "'metrics' belongs in the top level, not in train [misplaced-key]")});
  EXPECT_EQ(read(model_of(R"({"type": "Flatten", "activation": "relu"})")).lines,
            std::vector{at(
                83, "'activation' belongs in layer 'Dense' or 'Activation', not in layer 'Flatten' [misplaced-key]")});
  EXPECT_EQ(read(model_with(R"("optimizer": {"type": "adam", "momentum": 0.9})")).lines,
            std::vector{at(
                104, "'momentum' belongs in optimizer 'sgd' or 'rmsprop', not in optimizer 'adam' [misplaced-key]")});
}

// ---- every word of every family -------------------------------------------------------------------------------------

/// A set of names that may stand at one place, and how to write one there.
struct Family {
  std::string noun, words; ///< as messages and the tables of aliases call it
  std::vector<std::string> known;
  std::function<Hosted(const std::string&)> write; ///< offset: of the name
};

// Names of records, with the required keys of the one that is meant.
Family records_of(const GroupDef& g) {
  auto write = [&g](const std::string& name) {
    auto found = record_words(g).find(name);
    const RecordDef& record = found ? *g.find(found->name) : g.records[0];
    Members members = members_of(g, record);
    members[0].value = quote(name);
    if (found && found->alias)
      std::erase_if(members, [&](const Member& m) {
        return std::any_of(found->alias->implied.begin(), found->alias->implied.end(),
                           [&](const auto& i) { return i.first == m.key; });
      });
    Hosted out = model_around(g.id, object_of(members));
    out.offset += 5 + members[0].key.size(); // {"type":
    return out;
  };
  return {g.noun, g.noun, g.names(), write};
}

/// The choices of a key, which may be one way among others to write it.
std::vector<const Key*> choices_of(const Key& key) {
  std::vector<const Key*> out;
  if (key.kind == KeyKind::choice) out.push_back(&key);
  for (const Key& way : key.alternatives)
    if (way.kind == KeyKind::choice) out.push_back(&way);
  return out;
}

std::vector<Family> families() {
  std::vector<Family> out;
  for (const GroupDef& g : all_groups()) {
    if (g.id == Group::none) continue;
    if (!g.discriminator.empty()) out.push_back(records_of(g));
    for (const RecordDef& r : g.records)
      for (const Key& key : r.keys)
        for (const Key* choice : choices_of(key))
          out.push_back({key.name, key.name + " option", choice->options, [&g, &r, &key](const std::string& name) {
                           Members members = members_of(g, r, &key);
                           std::string before = "{";
                           for (Member& m : members) {
                             if (m.key == key.name) {
                               m.value = quote(name);
                               before += quote(m.key) + ": ";
                               break;
                             }
                             before += quote(m.key) + ": " + m.value + ", ";
                           }
                           Hosted hosted = model_around(g.id, object_of(members));
                           hosted.offset += before.size();
                           return hosted;
                         }});
  }
  return out;
}

std::string upper(std::string s) {
  for (char& c : s) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return s;
}
std::string camel(const std::string& s) {
  std::string out;
  for (size_t i = 0; i < s.size(); ++i)
    if (s[i] != '_') out += i == 0 || s[i - 1] == '_' ? upper(s.substr(i, 1)) : s.substr(i, 1);
  return out;
}
std::string kebab(std::string s) {
  std::replace(s.begin(), s.end(), '_', '-');
  return s;
}

TEST(Words, every_name_in_every_spelling_is_the_same) {
  size_t tried = 0;
  for (const Family& family : families())
    for (const std::string& name : family.known) {
      const std::string ours = resolved(family.write(name).text);
      for (const std::string& spelling : {upper(name), camel(name), kebab(name)}) {
        EXPECT_EQ(resolved(family.write(spelling).text), ours) << family.noun << " " << spelling;
        ++tried;
      }
    }
  EXPECT_GT(tried, 400u);
}

std::string as_json(const Default& value) {
  if (const auto* b = std::get_if<bool>(&value)) return *b ? "true" : "false";
  if (const auto* x = std::get_if<double>(&value)) return number_text(*x);
  return quote(std::get<std::string>(value));
}

// An alias with implied keys is our name with those keys written out.
std::string written_out(const Family& family, const Alias& alias) {
  if (alias.implied.empty()) return family.write(std::string(alias.meaning)).text;
  auto g =
      std::find_if(all_groups().begin(), all_groups().end(), [&](const GroupDef& x) { return x.noun == family.noun; });
  Members members = members_of(*g, *g->find(alias.meaning));
  for (const auto& [key, value] : alias.implied) {
    std::erase_if(members, [&, name = key](const Member& m) { return m.key == name; });
    members.push_back({std::string(key), as_json(value)});
  }
  return model_around(g->id, object_of(members)).text;
}

TEST(Words, every_alias_is_what_it_means) {
  size_t tried = 0;
  for (const Family& family : families())
    for (const std::string& name : family.known)
      for (const Alias* alias : Words(family.words, family.known).aliases_of(name)) {
        EXPECT_EQ(resolved(family.write(std::string(alias->name)).text), resolved(written_out(family, *alias)))
            << alias->name;
        ++tried;
      }
  EXPECT_GT(tried, 80u);
}

// Letters that are inserted, dropped, replaced, or swapped with a neighbour.
size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i)
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}
std::string lower(std::string s) {
  for (char& c : s) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return s;
}

std::set<std::string> misspellings(const std::string& name) {
  std::set<std::string> out;
  for (size_t i = 0; i < name.size(); ++i) {
    out.insert(name.substr(0, i) + name.substr(i + 1));                                        // dropped
    out.insert(name.substr(0, i) + name[i] + name.substr(i));                                  // doubled
    if (i > 0) out.insert(name.substr(0, i - 1) + name[i] + name[i - 1] + name.substr(i + 1)); // swapped
  }
  out.erase("");
  return out;
}

TEST(Words, every_misspelling_gets_the_nearest_word_of_the_same_meaning_or_the_list) {
  size_t tried = 0, suggested = 0, others = 0;
  for (const Family& family : families()) {
    std::map<std::string, std::string> meaning; // of every word that is known; "" of those that are refused
    for (const RefusedName& r : refused_names())
      if (r.family == family.words) meaning[std::string(r.name)] = "";
    for (const std::string& name : family.known) {
      for (const Alias* alias : Words(family.words, family.known).aliases_of(name))
        meaning[std::string(alias->name)] = name;
      meaning[name] = name;
    }
    std::set<std::string> letters;
    for (const auto& [word, _] : meaning) letters.insert(plain_letters(word));
    for (const auto& [name, _] : meaning)
      for (const std::string& typo : misspellings(name)) {
        if (letters.count(plain_letters(typo))) continue; // right after all, or another word
        const bool is_ours = std::find(family.known.begin(), family.known.end(), name) != family.known.end();
        if (!is_ours && ++others % 10 != 0) continue; // there are many
        size_t least = typo.size() / 3 + 1;
        std::set<std::string> meant;
        for (const auto& [word, is] : meaning) {
          size_t d = distance(lower(typo), lower(word));
          if (d < least) least = d, meant.clear();
          if (d == least && d <= typo.size() / 3) meant.insert(is);
        }
        Hosted model = family.write(typo);
        std::vector<std::string> lines = read(model.text).lines;
        ASSERT_EQ(lines.size(), 1u) << model.text;
        const std::string head = at(model.offset, "unknown " + family.noun + " '" + typo + "', ");
        ASSERT_TRUE(lines[0].starts_with(head)) << lines[0];
        const std::string answer = lines[0].substr(head.size());
        const size_t quote_at = answer.find('\'');
        const bool is_suggestion = answer.starts_with("did you mean '");
        const std::string suggestion =
            is_suggestion ? answer.substr(quote_at + 1, answer.rfind('\'') - quote_at - 1) : "";
        EXPECT_TRUE(is_suggestion || answer.starts_with("expected one of " + family.known[0])) << lines[0];
        EXPECT_TRUE(meant.count(suggestion) || (meant.empty() && !is_suggestion)) << lines[0];
        ++tried, suggested += is_suggestion;
      }
  }
  EXPECT_GT(tried, 2000u);
  EXPECT_GT(suggested, tried / 4); // the rest misspells what is refused
}

TEST(Words, every_refused_name_is_told_so) {
  size_t tried = 0;
  for (const Family& family : families())
    for (const RefusedName& r : refused_names()) {
      if (r.family != family.words) continue;
      const std::string name(r.name);
      if (Words(family.words, family.known).find(name)) continue; // of another key of the same name
      Hosted model = family.write(name);
      std::vector<std::string> lines = read(model.text).lines;
      ASSERT_EQ(lines.size(), 1u) << model.text;
      const std::string head = at(model.offset, family.noun + " '" + name + "' ");
      const std::string text = r.advice.empty() ? "is not supported yet; there " : std::string(r.advice);
      EXPECT_TRUE(lines[0].starts_with(head + text)) << lines[0];
      EXPECT_TRUE(lines[0].ends_with("]")) << lines[0];
      EXPECT_EQ(lines[0].find("did you mean"), std::string::npos) << lines[0];
      ++tried;
    }
  EXPECT_GT(tried, 300u);
}

// ---- every key of every record --------------------------------------------------------------------------------------

// Keys that stand in an object with names of the user's own, or are judged before the rest.
bool is_special(const Key& key) { return key.name == "dlcc" || key.name == "$schema"; }

template <class Visit> void for_each_key(Visit visit) {
  for (const GroupDef& g : all_groups())
    for (const RecordDef& r : g.records)
      for (const Key& key : r.keys) visit(g, r, key);
}

std::string with_key(const GroupDef& g, const RecordDef& r, const Key& key, const std::string& written) {
  Members members = members_of(g, r, &key);
  for (Member& m : members)
    if (m.key == key.name) m.key = written;
  return model_around(g.id, object_of(members)).text;
}

TEST(Words, every_key_is_accepted_in_every_spelling_and_by_its_aliases) {
  size_t tried = 0;
  for_each_key([&](const GroupDef& g, const RecordDef& r, const Key& key) {
    const std::string ours = resolved(with_key(g, r, key, key.name));
    if (is_special(key)) return;
    std::vector<std::string> others{upper(kebab(key.name)), camel(key.name)};
    const Words words = key_words(g, r);
    for (const Alias* alias : words.aliases_of(key.name))
      if (words.find(alias->name)->name == key.name) others.emplace_back(alias->name);
    for (const std::string& other : others) {
      EXPECT_EQ(resolved(with_key(g, r, key, other)), ours) << other;
      ++tried;
    }
  });
  EXPECT_GT(tried, 700u);
}

TEST(Words, every_misspelt_key_is_one_error) {
  size_t tried = 0;
  for_each_key([&](const GroupDef& g, const RecordDef& r, const Key& key) {
    if (is_special(key) || key.name.size() < 4 || g.open_keys) return;
    const std::string typo = key.name.substr(0, 1) + key.name; // a doubled letter
    std::vector<std::string> lines = read(with_key(g, r, key, typo)).lines;
    ASSERT_EQ(lines.size(), 1u) << typo;
    EXPECT_NE(lines[0].find("unknown key '" + typo + "'"), std::string::npos) << lines[0];
    EXPECT_NE(lines[0].find("did you mean '" + key.name + "'?"), std::string::npos) << lines[0];
    ++tried;
  });
  EXPECT_GT(tried, 350u);
}

// Every key in every record that does not have it.
TEST(Words, every_misplaced_key_is_one_error_that_names_a_place_that_has_it) {
  std::map<std::string, std::set<std::string>> owners; // nouns of the groups that have a key
  for_each_key([&](const GroupDef& g, const RecordDef&, const Key& key) { owners[key.name].insert(g.noun); });
  size_t placed = 0;
  for (const GroupDef& g : all_groups()) {
    if (g.id == Group::none || g.id == Group::node || g.open_keys) continue;
    const RecordDef& r = g.records[0];
    for (const auto& [key, nouns] : owners) {
      const Words words = key_words(g, r);
      if (words.find(key) || key == "dlcc") continue;
      Members members = members_of(g, r);
      members.push_back({key, "1"});
      std::vector<std::string> lines = read(model_around(g.id, object_of(members)).text).lines;
      ASSERT_EQ(lines.size(), 1u) << g.noun << " " << key;
      EXPECT_NE(lines[0].find("'" + key + "'"), std::string::npos) << lines[0];
      const bool is_placed = lines[0].find("' belongs in ") != std::string::npos;
      if (nouns.size() == 1 && words.refusal(key).empty()) {
        EXPECT_TRUE(is_placed) << lines[0];
      }
      placed += is_placed;
    }
  }
  EXPECT_GT(placed, 500u);
}

// ---- the tables of words --------------------------------------------------------------------------------------------

std::map<std::string, std::set<std::string>> known_by_family() {
  std::map<std::string, std::set<std::string>> out;
  for (const GroupDef& g : all_groups()) {
    if (g.id == Group::none) continue;
    for (const RecordDef& r : g.records) {
      out[g.noun].insert(r.name);
      out[g.noun + " key"].insert(g.discriminator);
      for (const Key& key : r.keys) {
        out[g.noun + " key"].insert(key.name);
        if (key.kind == KeyKind::tie) out[key.name + " option"];
        for (const Key* choice : choices_of(key))
          for (const std::string& option : choice->options) out[key.name + " option"].insert(option);
      }
    }
  }
  for (const graph::OpDef* op : ops::all_ops()) {
    out["operator"].emplace(op->name);
    for (const graph::AttributeDef& a : op->attributes) out["attribute"].emplace(a.name);
  }
  out["key"];
  return out;
}

TEST(Words, tables_are_sound) {
  const auto known = known_by_family();
  std::set<std::string> seen;
  auto check_new = [&](std::string_view family, std::string_view name, std::string_view meaning) {
    EXPECT_TRUE(seen.insert(std::string(family) + "/" + plain_letters(name) + "/" + std::string(meaning)).second)
        << name;
  };
  for (const Alias& a : aliases()) {
    const std::string family(a.family);
    ASSERT_TRUE(known.count(family)) << family;
    EXPECT_TRUE(known.at(family).count(std::string(a.meaning))) << family << " " << a.meaning;
    EXPECT_NE(plain_letters(a.name), plain_letters(a.meaning)) << a.name;
    check_new(a.family, a.name, a.meaning);
    for (const RefusedName& r : refused_names())
      EXPECT_FALSE(r.family == a.family && plain_letters(r.name) == plain_letters(a.name)) << a.name;
  }
  for (const RefusedName& r : refused_names()) {
    const std::string family(r.family);
    ASSERT_TRUE(known.count(family)) << family;
    check_new(r.family, r.name, "");
    if (!family.ends_with("key") && family != "dtype option" && family != "distribution option") {
      for (const std::string& ours : known.at(family)) EXPECT_NE(plain_letters(r.name), plain_letters(ours)) << r.name;
    }
  }
}

TEST(Words, operators_and_attributes_are_found_by_their_aliases) {
  for (const Alias& a : aliases()) {
    if (a.family == "operator") {
      EXPECT_EQ(operator_words(ops::all_ops()).find(a.name)->name, a.meaning);
    }
    if (a.family != "attribute") continue;
    for (const graph::OpDef* op : ops::all_ops()) {
      auto has = [&](std::string_view name) {
        return std::any_of(op->attributes.begin(), op->attributes.end(),
                           [&](const auto& def) { return def.name == name; });
      };
      if (has(a.meaning) && !has(a.name)) {
        EXPECT_TRUE(attribute_words(*op).find(a.name)) << op->name << " " << a.name;
      }
    }
  }
}

} // namespace
} // namespace dlcc::frontend::testing
