#include "frontend/read/read_model.h"

#include "frontend/network/layers/layer_graph.h"
#include "frontend/read/presets.h"
#include "frontend/read/sections.h"
#include "frontend/read/validate.h"

#include <algorithm>
#include <set>

namespace dlcc::frontend {

namespace {
/// Values of symbols from the command line: N is the batch size, the others stand for themselves.
struct Bindings {
  std::map<std::string, int64_t> symbols;
  std::optional<int64_t> batch_size;
  void bind(const std::string& symbol, int64_t value) {
    if (symbol == "N")
      batch_size = value;
    else
      symbols[symbol] = value;
  }
};

// --shape x=32,28: the symbols at these places of x's shape.
void bind_shape(const Document& d, const std::string& input, const std::vector<int64_t>& dims, Bindings& out,
                DiagnosticList& diagnostics) {
  auto fail = [&](const std::string& text) {
    diagnostics.error("bad-shape", "--shape of '" + escape(input, 60) + "': " + text, {});
  };
  auto member = [&](ValueId object, Group id, const char* key) {
    return object == no_value ? no_value : find_member(d, object, key_words(group(id), group(id).records[0]), key);
  };
  ValueId inputs = member(d.root(), Group::model, "inputs");
  ValueId shape = member(inputs == no_value ? no_value : d.find(inputs, input), Group::tensor, "shape");
  if (shape == no_value || d[shape].kind != Kind::list) return fail("no such input, expected one of the model's");
  if (d.child_count(shape) != dims.size())
    return fail(std::to_string(dims.size()) + " dimensions, expected " + std::to_string(d.child_count(shape)));
  size_t axis = 0;
  for (ValueId v = d.first_child(shape); v != no_value; v = d[v].next, ++axis) {
    if (d[v].kind == Kind::string)
      out.bind(std::string(d.text(v)), dims[axis]);
    else if (d[v].kind == Kind::integer && d[v].integer != dims[axis])
      return fail(std::to_string(dims[axis]) + " on axis " + std::to_string(axis) + ", expected " +
                  std::to_string(d[v].integer));
  }
}

Bindings bindings_of(const Document& document, const Overrides& o, DiagnosticList& diagnostics) {
  Bindings out;
  for (const auto& [symbol, value] : o.symbols) out.bind(symbol, value);
  for (const auto& [input, dims] : o.shapes)
    if (document[document.root()].kind == Kind::object) bind_shape(document, input, dims, out, diagnostics);
  if (o.batch_size) out.batch_size = o.batch_size;
  return out;
}

bool apply_overrides(Document& document, const Overrides& o, const Bindings& bindings, DiagnosticList& diagnostics) {
  bool good = true;
  auto set = [&](const std::string& path, const std::string& value) {
    good &= document.set(path, value, diagnostics, is_same_key);
  };
  if (o.dtype) set("dtype", '"' + *o.dtype + '"');
  if (bindings.batch_size) set("train.batch_size", std::to_string(*bindings.batch_size));
  if (o.epochs) set("train.epochs", std::to_string(*o.epochs));
  if (o.seed) set("seed", std::to_string(*o.seed));
  if (o.learning_rate) set("optimizer.learning_rate", number_text(*o.learning_rate));
  if (o.validation_split) set("train.validation_split", number_text(*o.validation_split));
  for (const auto& [path, value] : o.sets) set(path, value);
  return good;
}

// The version is judged first: nothing else can be said about a document of another one.
bool check_version(const Document& document, Validator& validator) {
  const Value& root = document[document.root()];
  if (root.kind != Kind::object) {
    validator.error("wrong-type", "the model is " + document.describe(0) + ", expected an object", {root.where, 0});
    return false;
  }
  const std::string expected = "expected \"dlcc\": 1 (format versions 1 to 1 are supported)";
  ValueId version = document.find(0, "dlcc");
  if (version == no_value) {
    validator.error("format-version", "no 'dlcc' key, " + expected, {root.where, 0});
    return false;
  }
  const Value& v = document[version];
  if (v.kind == Kind::integer && v.integer == format_version) return true;
  validator.error("format-version", "'dlcc' is " + document.describe(version) + ", " + expected, {v.where, version});
  return false;
}

class ModelReader {
public:
  ModelReader(ModelSpec& spec, Validator& validator, DiagnosticList& diagnostics)
      : spec_(spec), validator_(validator), diagnostics_(diagnostics) {}

  void read(const Bindings& bindings) {
    apply_preset(*spec_.root, validator_);
    const Record& root = *spec_.root;
    spec_.name = root.text("name");
    spec_.seed = root.integer("seed");
    spec_.dtype = *dtype_from_name(root.text("dtype"));
    spec_.train = read_train(root);
    spec_.symbols = bindings.symbols;
    spec_.symbols["N"] = spec_.train.batch_size;
    spec_.inputs = read_tensors("inputs");
    spec_.labels = read_tensors("labels");
    spec_.params = read_tensors("params");
    if (!check_parts()) return;
    check_tensor_names();
    warn_of_unused(bindings);
    check_schedule();
    check_layer_count();
    read_data_section();
  }

private:
  // Layers or nodes, and what layers need.
  bool check_parts() {
    const Record& root = *spec_.root;
    const bool has_network = root.has("layers") || root.has("nodes");
    const bool has_input = !root.has("layers") || !root.records("inputs").empty();
    if (!has_network)
      validator_.error("missing-key", "neither 'layers' nor 'nodes' is there, expected one of them", root.place);
    if (!has_input)
      validator_.error("missing-key", "'inputs' is empty, expected at least one input for the layers",
                       root.at("inputs").place);
    return has_network && has_input;
  }

  std::vector<TensorSpec> read_tensors(const char* key) {
    std::vector<TensorSpec> out;
    if (!spec_.root->has(key)) return out;
    for (Record& r : std::get<std::vector<Record>>(spec_.root->at(key).value)) {
      TensorSpec t;
      t.name = r.entry;
      t.record = &r;
      t.type.dtype = r.has("dtype") ? *dtype_from_name(r.text("dtype")) : spec_.dtype;
      bool is_bound = true;
      for (Dim& dim : std::get<std::vector<Dim>>(r.at("shape").value)) {
        is_bound &= bind(dim);
        t.type.shape.push_back(dim.size);
      }
      t.dims = r.dims("shape");
      if (is_bound && !checked_bytes(t.type))
        validator_.error("out-of-range",
                         "the size of '" + escape(t.name.text, 60) + "' overflows: " + to_string(t.type) +
                             ", expected at most 2^58 elements",
                         r.at("shape").place);
      out.push_back(std::move(t));
    }
    return out;
  }

  void warn_of_unused(const Bindings& bindings) {
    for (const auto& [symbol, value] : bindings.symbols)
      if (!used_.count(symbol))
        diagnostics_.warning("unused-symbol", "no shape has the symbol '" + escape(symbol, 60) + "' of -D", {});
  }

  bool bind(Dim& dim) {
    if (dim.symbol.empty()) return true;
    used_.insert(dim.symbol);
    auto bound = spec_.symbols.find(dim.symbol);
    if (bound != spec_.symbols.end() && bound->second >= 1) return dim.size = bound->second, true;
    validator_.error("unbound-symbol",
                     "symbol '" + dim.symbol + "' has no value, expected -D " + dim.symbol + "=<integer >= 1>",
                     dim.place);
    return false;
  }

  // Inputs, labels, parameters and functions share one space of names.
  void check_tensor_names() {
    std::map<std::string_view, const char*> seen;
    auto check = [&](const std::vector<Record>& records, const char* what) {
      for (const Record& r : records) {
        auto [at, is_new] = seen.emplace(r.entry.text, what);
        if (!is_new)
          validator_.error("duplicate-name",
                           std::string(what) + " '" + escape(r.entry.text, 60) + "' has the name of " +
                               with_article(at->second) + ", expected names that differ",
                           r.entry.place);
      }
    };
    check(spec_.root->records("inputs"), "input");
    check(spec_.root->records("labels"), "label");
    check(spec_.root->records("params"), "param");
    check(spec_.functions(), "function");
  }

  void check_schedule() {
    const Record* optimizer = spec_.optimizer();
    if (!optimizer || !optimizer->record("learning_rate")) return;
    const Record& rate = *optimizer->record("learning_rate");
    if (rate.is("piecewise")) check_piecewise(rate);
    if (!rate.is("cosine") || rate.has("warmup_target")) return;
    const bool by_steps = rate.maybe_integer("warmup_steps").value_or(0) > 0;
    if (!by_steps && rate.maybe_number("warmup_epochs").value_or(0) == 0) return;
    const std::string key = by_steps ? "warmup_steps" : "warmup_epochs";
    validator_.error("missing-key", "'" + key + "' without 'warmup_target', expected the rate at their end",
                     rate.at(key).place);
  }

  void check_piecewise(const Record& rate) {
    const auto& boundaries = rate.integers("boundaries");
    size_t values = rate.numbers("values").size();
    if (values != boundaries.size() + 1)
      validator_.error("bad-list",
                       "piecewise has " + std::to_string(boundaries.size()) + " boundaries and " +
                           std::to_string(values) + " values, expected one value more than boundaries",
                       rate.at("values").place);
    if (std::adjacent_find(boundaries.begin(), boundaries.end(), std::greater_equal<>()) != boundaries.end())
      validator_.error("bad-list", "'boundaries' are not ascending, expected each greater than the one before",
                       rate.at("boundaries").place);
  }

  // How many layers there are when every Repeat is unrolled.
  void check_layer_count() {
    int64_t total = count_layers(spec_.layers());
    if (total > max_nodes)
      validator_.error("too-large", "more than 1,000,000 layers after Repeat is unrolled",
                       spec_.root->at("layers").place);
  }
  void read_data_section() {
    const Record* section = spec_.root->record("data");
    if (!section) return;
    if (!section->file.empty()) {
      spec_.data_file = section->file;
      return;
    }
    std::vector<std::string> names;
    for (const Record& r : spec_.root->records("inputs")) names.push_back(r.entry.text);
    for (const Record& r : spec_.root->records("labels")) names.push_back(r.entry.text);
    bool is_inferred = spec_.labels.empty();
    for (const Record& loss : spec_.losses())
      if (is_inferred && loss.has_if_known("label")) names.push_back(loss.text("label"));
    if (is_inferred) names.emplace_back("label");
    spec_.data = frontend::read_data_record(*section, names, validator_);
  }

  ModelSpec& spec_;
  Validator& validator_;
  DiagnosticList& diagnostics_;
  std::set<std::string> used_; ///< symbols
};
} // namespace

std::optional<ModelSpec> read_model(std::string_view text, const Overrides& overrides, DiagnosticList& diagnostics) {
  size_t errors_before = diagnostics.error_count();
  std::optional<Document> document = Document::parse(text, diagnostics);
  if (!document) return std::nullopt;
  ModelSpec spec;
  spec.document = std::make_unique<Document>(std::move(*document));
  Validator validator(*spec.document, diagnostics);
  if (!check_version(*spec.document, validator)) return std::nullopt;
  const Bindings bindings = bindings_of(*spec.document, overrides, diagnostics);
  if (!apply_overrides(*spec.document, overrides, bindings, diagnostics)) return std::nullopt;
  std::optional<Record> root = validator.read(Group::model, spec.document->root());
  if (!root) return std::nullopt;
  spec.root = std::make_unique<Record>(std::move(*root));
  // What a value has to do with others is judged when all of them are right: one fault, one message.
  if (diagnostics.error_count() == errors_before) ModelReader(spec, validator, diagnostics).read(bindings);
  if (diagnostics.error_count() != errors_before) return std::nullopt;
  return spec;
}

std::optional<data::DataSpec> read_data(std::string_view text, const std::vector<std::string>& tensor_names,
                                        DiagnosticList& diagnostics) {
  size_t errors_before = diagnostics.error_count();
  std::optional<Document> document = Document::parse(text, diagnostics);
  if (!document) return std::nullopt;
  Validator validator(*document, diagnostics, tensor_names);
  std::optional<Record> record = validator.read(Group::data, document->root());
  if (!record || diagnostics.error_count() != errors_before) return std::nullopt;
  data::DataSpec spec = read_data_record(*record, tensor_names, validator);
  if (diagnostics.error_count() != errors_before) return std::nullopt;
  return spec;
}

} // namespace dlcc::frontend
