// What is read from good models, and that the resolved document reads back to itself.
#include "models.h"
#include "reading.h"

#include "frontend/build/print_config.h"

#include <gtest/gtest.h>

namespace dlcc::frontend::testing {
namespace {

ModelSpec good(std::string_view text, const Overrides& overrides = {}) {
  Outcome out = read(text, overrides);
  EXPECT_EQ(out.lines, std::vector<std::string>{});
  EXPECT_TRUE(out.model.has_value());
  if (!out.model) throw std::runtime_error("not read");
  return std::move(*out.model);
}

const Overrides t_is_two{{}, {{"T", 2}}, {}, {}, {}, {}, {}, {}};

TEST(GoodModel, binary_classifier) {
  ModelSpec m = good(binary_classifier);
  EXPECT_EQ(m.name, "binary_20_64_64_1");
  EXPECT_EQ(m.seed, 7);
  ASSERT_EQ(m.inputs.size(), 1u);
  EXPECT_EQ(to_string(m.inputs[0].type), "f32[32,20]");
  EXPECT_EQ(m.inputs[0].batch_axis(), 0);
  ASSERT_EQ(m.layers().size(), 5u);
  const Record& dense = m.layers()[0];
  EXPECT_TRUE(dense.is("Dense"));
  EXPECT_EQ(dense.place.where, (Location{5, 5}));
  EXPECT_EQ(m.pointer(dense.at("activation").place), "/layers/0/activation");
  EXPECT_EQ(dense.integer("units"), 64);
  EXPECT_EQ(dense.record("activation")->type(), "relu");
  EXPECT_EQ(dense.record("kernel_regularizer")->number("l1"), 0.0);
  EXPECT_EQ(dense.record("kernel_regularizer")->number("l2"), 1e-4);
  EXPECT_EQ(dense.record("bias_initializer")->type(), "zeros");
  EXPECT_FALSE(dense.has("name"));
  EXPECT_EQ(m.layers()[4].text("name"), "p");
  const Record& rate = *m.optimizer()->record("learning_rate");
  EXPECT_TRUE(rate.is("cosine"));
  EXPECT_EQ(rate.integer("warmup_steps"), 25);
  EXPECT_EQ(m.optimizer()->maybe_number("clip_global_norm"), 5.0);
  EXPECT_EQ(m.optimizer()->maybe_number("clip_norm"), std::nullopt);
  EXPECT_EQ(m.metrics()[1].integer("thresholds"), 200);
  EXPECT_EQ(m.train.epochs, 50);
  ASSERT_TRUE(m.train.early_stopping && m.data && m.data->all);
  EXPECT_TRUE(m.train.early_stopping->restore_best);
  EXPECT_EQ(m.data->all->synthetic.informative, 10);
  EXPECT_EQ(m.data->transforms[0].input, "x");
}

TEST(GoodModel, logistic_regression) {
  ModelSpec m = good(logistic_regression);
  ASSERT_EQ(m.nodes().size(), 3u);
  EXPECT_EQ(m.nodes()[1].op.text, "add");
  EXPECT_EQ(m.nodes()[1].inputs[1].text, "b");
  EXPECT_EQ(m.nodes()[1].inputs[1].place.where, (Location{9, 41}));
  EXPECT_EQ(m.nodes()[2].outputs[0].text, "p");
  EXPECT_EQ(to_string(m.params[1].type), "f32[]");
  EXPECT_EQ(m.params[1].record->record("init")->type(), "zeros");
  EXPECT_EQ(m.labels[0].name.text, "y");
  EXPECT_EQ(m.outputs()[0].text, "p");
  EXPECT_TRUE(m.losses()[0].boolean("from_logits"));
  const Record& rate = *m.optimizer()->record("learning_rate");
  EXPECT_TRUE(rate.is("constant"));
  EXPECT_EQ(rate.number("initial"), 0.01);
  EXPECT_FALSE(m.data.has_value());
  EXPECT_EQ(m.compile().text("precision"), "highest");
}

TEST(GoodModel, everything) {
  ModelSpec m = good(everything, t_is_two);
  EXPECT_EQ(m.name, "model");
  EXPECT_EQ(to_string(m.inputs[0].type), "f64[200,2,3]");
  EXPECT_EQ(to_string(m.inputs[1].type), "u8[200,2,3]");
  ASSERT_EQ(m.inputs.size(), 2u);
  EXPECT_EQ(m.layers()[0].names("from")[1].text, "b");
  EXPECT_EQ(m.layers()[3].numbers("variance"), std::vector<double>{4});
  const Record& residual = m.layers()[4].records("layers")[0];
  EXPECT_EQ(residual.records("layers")[0].record("activation")->number("negative_slope"), 0.3);
  EXPECT_FALSE(residual.records("shortcut")[0].boolean("trainable"));
  EXPECT_EQ(m.layers()[5].text("kernel"), "@h_0/dense/kernel^T");
  const Attribute& k = m.functions()[0].nodes("nodes")[0].attributes[0];
  EXPECT_EQ(std::get<std::vector<double>>(k.value), (std::vector<double>{1, 2, 3, 4.5}));
  EXPECT_EQ(k.shape, (Shape{2, 2}));
  EXPECT_EQ(m.functions()[0].record("gradient")->nodes("nodes")[0].outputs[0].text, "d.u");
  using Weights = std::vector<std::pair<int64_t, double>>;
  EXPECT_EQ(std::get<Weights>(m.losses()[0].at("class_weight").value), (Weights{{0, 0.4}, {2, 3.0}}));
  EXPECT_TRUE(m.losses()[1].is("poisson"));
  EXPECT_TRUE(m.train.stratified);
  EXPECT_EQ(m.train.validation_split, 0.1);
  EXPECT_EQ(m.train.n_iter_no_change, 10);
  EXPECT_EQ(m.train.checkpoint->keep, 3);
  const data::SourceSpec& csv = *m.data->train;
  EXPECT_EQ(csv.separator, ';');
  ASSERT_EQ(csv.tensors.size(), 3u);
  EXPECT_EQ(csv.tensors[0].columns[0].number, 0);
  EXPECT_EQ(csv.tensors[0].columns[1].name, "c2");
  EXPECT_EQ(csv.tensors[2].tensor, "digit");
  EXPECT_TRUE(m.data->transforms[1].fit_on_all);
  EXPECT_EQ(m.data->test->tensors[0].source, "x");
}

TEST(GoodModel, tables) {
  auto source = [](const std::string& more) {
    ModelSpec m = good(R"({"dlcc": 1, "inputs": {"x": {"shape": ["N", 4]}}, "nodes": [], "data": {"train": )"
                       R"({"format": "csv", "file": "a", )" +
                       more + "}}}");
    return *m.data->train;
  };
  using Rule = data::MissingSpec::Rule;
  EXPECT_EQ(source(R"("x": 0)").missing.rule, Rule::error);
  EXPECT_EQ(source(R"("x": 0)").missing.spellings, std::vector<std::string>{""});
  EXPECT_EQ(source(R"("x": 0, "missing": 2)").missing.value, 2);
  EXPECT_EQ(source(R"("x": 0, "missing": 2)").missing.rule, Rule::value);
  EXPECT_EQ(source(R"("x": 0, "missing": {"rule": "drop"})").missing.spellings.size(), 6u);
  EXPECT_EQ(source(R"("x": 0, "missing": {"rule": 1.5, "spellings": ["", "?"]})").missing.spellings,
            (std::vector<std::string>{"", "?"}));
  for (const char* tab : {"\\t", "tab", "\\\\t"})
    EXPECT_EQ(source("\"x\": 0, \"separator\": \"" + std::string(tab) + "\"").separator, '\t') << tab;
  const data::SourceSpec s = source(R"("x": ["a", 3, {"column": "b:c", "categories": "one_hot", "unknown": "extra"},
                                       {"column": 7, "categories": ["u", "v"], "encoding": "index"}])");
  const std::vector<data::ColumnRef>& columns = s.tensors[0].columns;
  ASSERT_EQ(columns.size(), 4u);
  EXPECT_EQ(columns[0].code, runtime::CellCode::number);
  EXPECT_EQ(columns[2].name, "b:c");
  EXPECT_EQ(columns[2].code, runtime::CellCode::one_hot);
  EXPECT_EQ(columns[2].unknown, runtime::UnknownRule::extra);
  EXPECT_EQ(columns[3].number, 7);
  EXPECT_EQ(columns[3].code, runtime::CellCode::index);
  EXPECT_EQ(columns[3].categories, (std::vector<std::string>{"u", "v"}));
  EXPECT_TRUE(columns[2].categories.empty());
}

TEST(GoodModel, no_nodes_is_legal) {
  EXPECT_TRUE(good(R"({"dlcc": 1, "inputs": {"x": {"shape": []}}, "nodes": []})").nodes().empty());
}

TEST(GoodModel, data_in_a_file_of_its_own) {
  ModelSpec m = good(model_with(R"("data": "d.json")"));
  EXPECT_EQ(m.data_file, "d.json");
  DiagnosticList diagnostics;
  auto spec = read_data(R"({"train": {"format": "idx", "x": "a.gz", "label": "b.gz"}})", {"x", "label"}, diagnostics);
  ASSERT_TRUE(spec && spec->train);
  EXPECT_EQ(spec->train->tensors[1].source, "b.gz");
}

TEST(GoodModel, overrides) {
  Overrides o = t_is_two;
  o.dtype = "f32", o.batch_size = 8, o.epochs = 3, o.seed = 11, o.learning_rate = 0.5, o.validation_split = 0.25;
  o.sets = {{"layers.sum.name", "total"},
            {"optimizer.beta_1", "0.5"},
            {"optimizer.early_stopping", "false"},
            {"loss.1", "huber"}};
  ModelSpec m = good(everything, o);
  EXPECT_EQ(to_string(m.inputs[0].type), "f32[8,2,3]");
  EXPECT_EQ(m.train.epochs, 3);
  EXPECT_EQ(m.seed, 11);
  EXPECT_EQ(m.train.validation_split, 0.25);
  EXPECT_EQ(m.optimizer()->record("learning_rate")->number("initial"), 0.5);
  EXPECT_EQ(m.optimizer()->number("beta_1"), 0.5);
  EXPECT_EQ(m.layers()[0].text("name"), "total");
  EXPECT_TRUE(m.losses()[1].is("huber"));
}

TEST(GoodModel, a_million_nodes) {
  std::string nodes;
  for (int i = 0; i < 1'000'000; ++i)
    nodes += std::string(i ? ",\n" : "") + R"({"op":"relu","inputs":["v)" + std::to_string(i) + R"("],"output":"v)" +
             std::to_string(i + 1) + "\"}";
  ModelSpec m = good(nodes_of(nodes));
  ASSERT_EQ(m.nodes().size(), 1'000'000u);
  EXPECT_EQ(m.nodes().back().inputs[0].text, "v999999");
  EXPECT_EQ(m.nodes().back().place.where, (Location{1'000'000, 1}));
}

TEST(Config, the_resolved_document_reads_back_to_itself) {
  for (const char* text : {binary_classifier, logistic_regression, everything}) {
    std::string once = print_config(good(text, text == everything ? t_is_two : Overrides{}));
    EXPECT_EQ(print_config(good(once)), once);
  }
}

TEST(Config, defaults_are_written_out) {
  std::string config = print_config(good(R"({"dlcc": 1, "inputs": {"x": {"shape": ["N", 4]}},
    "layers": [{"type": "Dropout", "name": "a\"b", "rate": 1}], "optimizer": {"type": "sgd", "learning_rate": {"schedule": "constant", "initial": 1e-5}}})"));
  EXPECT_EQ(config, R"({
  "dlcc": 1,
  "name": "model",
  "seed": 0,
  "dtype": "f32",
  "inputs": {
    "x": {"shape": ["N", 4]}
  },
  "layers": [
    {"type": "Dropout", "name": "a\"b", "rate": 1.0, "trainable": true, "lr_mult": 1.0}
  ],
  "optimizer": {
    "type": "sgd",
    "learning_rate": {"schedule": "constant", "initial": 1e-05},
    "momentum": 0.0,
    "nesterov": false,
    "weight_decay": 0.0,
    "accumulate_steps": 1,
    "preset": "keras"
  },
  "train": {"batch_size": 32, "epochs": 1, "validation_split": 0.0, "shuffle": true, "last_batch": "mask", "terminate_on_nan": true},
  "compile": {"precision": "highest", "fusion": true}
}
)");
}

} // namespace
} // namespace dlcc::frontend::testing
