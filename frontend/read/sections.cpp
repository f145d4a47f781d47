#include "frontend/read/sections.h"

#include <algorithm>

namespace dlcc::frontend {

namespace {
data::Place plain(const Place& p) { return {p.where.line, p.where.column}; }

template <class E> E pick(const std::string& name, std::initializer_list<std::pair<const char*, E>> table) {
  for (const auto& [text, value] : table)
    if (name == text) return value;
  DLCC_CHECK(false, "no value for '" + name + "'");
  return table.begin()->second;
}

class DataReader {
public:
  DataReader(const std::vector<std::string>& tensors, Validator& validator)
      : tensors_(tensors), validator_(validator) {}

  data::DataSpec read(const Record& r) {
    data::DataSpec out;
    out.place = plain(r.place);
    out.train = read_source(r.record("train"));
    out.validation = read_source(r.record("validation"));
    out.test = read_source(r.record("test"));
    out.all = read_source(r.record("all"));
    for (const Record& t : r.records("transforms")) out.transforms.push_back(read_transform(t));
    return out;
  }

private:
  std::optional<data::SourceSpec> read_source(const Record* r) {
    if (!r) return std::nullopt;
    using data::Format;
    data::SourceSpec s;
    s.place = plain(r->place);
    s.format = pick<Format>(r->type(), {{"idx", Format::idx},
                                        {"npy", Format::npy},
                                        {"npz", Format::npz},
                                        {"csv", Format::csv},
                                        {"safetensors", Format::safetensors},
                                        {"synthetic", Format::synthetic}});
    s.allow_nonfinite = r->boolean("allow_nonfinite");
    if (s.format == Format::npz || s.format == Format::csv || s.format == Format::safetensors)
      s.file = r->text_or_empty("file");
    if (s.format == Format::csv) read_csv(*r, s);
    if (s.format == Format::synthetic) s.synthetic = read_synthetic(*r);
    for (const ExtraArg& extra : r->extras) read_mapping(*r, extra, s);
    return s;
  }

  void read_csv(const Record& r, data::SourceSpec& s) {
    s.header = r.boolean("header");
    s.separator = r.text("separator")[0];
    if (const Record* missing = r.record("missing")) s.missing = read_missing(*missing);
  }

  static data::MissingSpec read_missing(const Record& r) {
    using Rule = data::MissingSpec::Rule;
    data::MissingSpec m;
    const ArgValue& rule = r.at("rule").value;
    if (const auto* value = std::get_if<double>(&rule))
      m.rule = Rule::value, m.value = *value;
    else if (const auto* name = std::get_if<std::string>(&rule))
      m.rule = pick<Rule>(*name, {{"error", Rule::error}, {"mean", Rule::mean}, {"drop", Rule::drop}});
    m.spellings = {"", "NA", "N/A", "NaN", "nan", "null"};
    if (!r.has("spellings")) return m;
    m.spellings.clear();
    for (const Name& spelling : r.names("spellings")) m.spellings.push_back(spelling.text);
    return m;
  }

  data::ColumnRef read_column(const Record& r) {
    using runtime::CellCode, runtime::UnknownRule;
    data::ColumnRef c;
    if (const auto* number = std::get_if<int64_t>(&r.at("column").value))
      c.number = *number;
    else
      c.name = r.text_or_empty("column");
    const ArgValue& categories = r.at("categories").value;
    const auto* learned = std::get_if<std::string>(&categories);
    if (const auto* listed = std::get_if<std::vector<Name>>(&categories))
      for (const Name& name : *listed) {
        if (std::find(c.categories.begin(), c.categories.end(), name.text) != c.categories.end())
          validator_.error("duplicate-name", "category '" + escape(name.text, 60) + "' stands there twice", name.place);
        c.categories.push_back(name.text);
      }
    if (learned && r.has("encoding"))
      validator_.error("conflict", "'encoding' belongs to a list of categories, expected it in 'categories' alone",
                       r.at("encoding").place);
    const std::string code = learned ? *learned : r.has("encoding") ? r.text("encoding") : "one_hot";
    c.code = pick<CellCode>(code, {{"one_hot", CellCode::one_hot}, {"index", CellCode::index}});
    c.unknown = pick<UnknownRule>(
        r.text("unknown"),
        {{"error", UnknownRule::error}, {"zeros", UnknownRule::zeros}, {"extra", UnknownRule::extra}});
    if (c.code == CellCode::index && c.unknown == UnknownRule::zeros)
      validator_.error("conflict", "'unknown' is 'zeros', which belongs to one_hot; expected error or extra",
                       r.at("unknown").place);
    return c;
  }

  void read_mapping(const Record& r, const ExtraArg& extra, data::SourceSpec& s) {
    if (std::find(tensors_.begin(), tensors_.end(), extra.name.text) == tensors_.end()) {
      Words words = key_words(*r.group, *r.def);
      for (const std::string& tensor : tensors_) words.add(tensor);
      const std::string near = words.near(extra.name.text);
      return validator_.error(
          "unknown-key",
          "unknown key '" + escape(extra.name.text, 60) + "' in data format '" + r.type() + "', " +
              (near.empty() ? "expected an input or a label of the model" : "did you mean '" + near + "'?"),
          extra.name.place);
    }
    data::Mapping m;
    m.tensor = extra.name.text;
    m.place = plain(extra.place);
    if (s.format == data::Format::csv) {
      for (const auto& value : extra.values) {
        data::ColumnRef column;
        if (const auto* number = std::get_if<int64_t>(&value))
          column.number = *number;
        else if (const auto* record = std::get_if<std::vector<Record>>(&value))
          column = read_column(record->front());
        else
          column.name = std::get<std::string>(value);
        if (column.name.empty() && column.number < 0)
          validator_.error("out-of-range",
                           "column " + std::to_string(column.number) + ", expected a name or a number from 0",
                           extra.place);
        m.columns.push_back(std::move(column));
      }
    } else if (s.format == data::Format::synthetic) {
      return validator_.error("unknown-key",
                              "key '" + escape(extra.name.text, 60) +
                                  "' in data format 'synthetic', which fills the first input and label itself",
                              extra.name.place);
    } else if (extra.is_list || !std::holds_alternative<std::string>(extra.values[0])) {
      return validator_.error("wrong-type",
                              "'" + escape(extra.name.text, 60) + "' is not a string, expected the name of " +
                                  (r.is("npz") || r.is("safetensors") ? "an array" : "a file"),
                              extra.place);
    } else {
      m.source = std::get<std::string>(extra.values[0]);
    }
    s.tensors.push_back(std::move(m));
  }

  data::SyntheticSpec read_synthetic(const Record& r) {
    data::SyntheticSpec s;
    s.generator = r.text_or_empty("generator");
    s.samples = r.integer("samples");
    s.features = r.maybe_integer("features").value_or(0);
    s.informative = r.maybe_integer("informative");
    s.redundant = r.maybe_integer("redundant");
    s.classes = r.maybe_integer("classes").value_or(0);
    s.clusters_per_class = r.integer("clusters_per_class");
    s.class_sep = r.number("class_sep");
    s.flip_y = r.number("flip_y");
    s.noise = r.maybe_number("noise");
    s.bias = r.maybe_number("bias");
    s.low = r.maybe_number("low");
    s.high = r.maybe_number("high");
    if (r.has("coefficients")) s.coefficients = r.numbers("coefficients");
    s.seed = static_cast<uint64_t>(r.integer("seed"));
    return s;
  }

  data::TransformSpec read_transform(const Record& r) {
    using data::TransformKind;
    data::TransformSpec t;
    t.place = plain(r.place);
    t.kind = pick<TransformKind>(r.type(), {{"divide", TransformKind::divide},
                                            {"subtract", TransformKind::subtract},
                                            {"standardize", TransformKind::standardize},
                                            {"minmax", TransformKind::minmax},
                                            {"one_hot", TransformKind::one_hot},
                                            {"reshape", TransformKind::reshape}});
    t.input = r.text_or_empty("input");
    if (r.has("input") && std::find(tensors_.begin(), tensors_.end(), t.input) == tensors_.end())
      validator_.error("unknown-name", "unknown input '" + escape(t.input, 60) + "'" + did_you_mean(t.input, tensors_),
                       r.at("input").place);
    if (r.is("divide") || r.is("subtract")) {
      if (r.has("by")) t.values = r.numbers("by");
      if (r.is("divide") && std::find(t.values.begin(), t.values.end(), 0.0) != t.values.end())
        validator_.error("out-of-range", "'by' is 0, expected numbers other than 0", r.at("by").place);
    }
    if (r.is("minmax")) t.values = {r.number("low"), r.number("high")};
    if (r.is("standardize") || r.is("minmax")) t.fit_on_all = r.text("fit_on") == "all";
    if (r.is("one_hot")) t.classes = r.maybe_integer("classes").value_or(0);
    if (r.is("reshape") && r.has("shape")) t.shape = r.integers("shape");
    return t;
  }

  const std::vector<std::string>& tensors_;
  Validator& validator_;
};
} // namespace

data::TrainSpec read_train(const Record& model) {
  const Record& r = *model.record("train");
  data::TrainSpec t;
  t.place = plain(r.place);
  t.batch_size = r.integer("batch_size");
  t.epochs = r.integer("epochs");
  t.validation_split = r.number("validation_split");
  t.shuffle = r.boolean("shuffle");
  t.last_batch = pick<data::LastBatch>(
      r.text("last_batch"),
      {{"mask", data::LastBatch::mask}, {"drop", data::LastBatch::drop}, {"error", data::LastBatch::error}});
  t.steps_per_epoch = r.maybe_integer("steps_per_epoch");
  t.terminate_on_nan = r.boolean("terminate_on_nan");
  if (const Record* e = r.record("early_stopping"))
    t.early_stopping = data::EarlyStoppingSpec{e->text("monitor"), e->integer("patience"), e->number("min_delta"),
                                               e->text("mode"), e->boolean("restore_best")};
  if (const Record* c = r.record("checkpoint"))
    t.checkpoint = data::CheckpointSpec{c->text_or_empty("dir"), c->integer("every_epochs"), c->integer("keep"),
                                        c->text_or_empty("best_of")};
  const Record* optimizer = model.record("optimizer");
  if (!optimizer || optimizer->text("preset") != "sklearn") return t;
  t.n_iter_no_change = optimizer->integer("n_iter_no_change");
  t.tol = optimizer->number("tol");
  t.stratified = optimizer->boolean("early_stopping"); // and the weights of its best score come back
  return t;
}

data::DataSpec read_data_record(const Record& section, const std::vector<std::string>& tensor_names,
                                Validator& validator) {
  return DataReader(tensor_names, validator).read(section);
}

} // namespace dlcc::frontend
