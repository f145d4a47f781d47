#include "runtime/data/open.h"

#include "runtime/data/load.h"
#include "runtime/data/table.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

namespace dlcc::data {

namespace {

using Shared = std::shared_ptr<const Dataset>;

// What the user named lies where the user says.
FileOptions files_of(const SourceSpec& source, FileOptions files) {
  if (source.is_given) files.directory.clear(), files.confined = false, files.standard_input = true;
  return files;
}

struct Parts {
  Rows train;
  std::optional<Rows> validation;
};

class Opener {
public:
  Opener(const DataSpec& data, const TrainSpec& train, std::span<const TensorSpec> tensors, const OpenOptions& options)
      : data_(data), train_(train), tensors_(tensors), options_(options) {}

  OpenedData open() {
    check_transforms();
    for (const TensorSpec& t : tensors_) {
      auto known = options_.fitted.find(t.name);
      fitted_.push_back(known == options_.fitted.end() ? std::nullopt : std::optional(known->second));
    }
    const SourceSpec* training = data_.train ? &*data_.train : data_.all ? &*data_.all : nullptr;
    bool split = !data_.validation && train_.validation_split > 0;
    bool wanted = options_.train || (options_.validation && split) || needs_training();
    if (options_.train && !training)
      fail(data_.place, "no training data: \"train\" or \"all\" expected", "missing-source");
    if (training && wanted)
      open_training(*training, split);
    else if (needs_training())
      fail(data_.place, "transforms are fitted on training data, but there are none", "missing-source");
    if (data_.validation && options_.validation) out_.validation = open_evaluation(*data_.validation);
    if (data_.test && options_.test) out_.test = open_evaluation(*data_.test);
    for (size_t i = 0; i < tensors_.size(); ++i)
      if (fitted_[i]) out_.fitted.emplace(tensors_[i].name, std::move(*fitted_[i]));
    return std::move(out_);
  }

private:
  [[noreturn]] void fail(Place place, const std::string& text, const char* name) const {
    throw DataError(Code::data, options_.model_file, place.line, place.column, text, name);
  }
  // Whether anything is to be learned from training data, which may be those of another section then.
  bool needs_training() const {
    static const std::vector<Mapping> no_mappings;
    for (size_t i = 0; i < tensors_.size(); ++i) {
      if (fitted_[i]) continue;
      const std::string& name = tensors_[i].name;
      for (const TransformSpec& t : data_.transforms)
        if (t.input == name && is_fitted(t.kind)) return true;
      for (const auto* source : {&data_.train, &data_.all, &data_.validation, &data_.test})
        for (const Mapping& m : *source && (*source)->format == Format::csv ? (*source)->tensors : no_mappings)
          if (m.tensor == name && needs_fitting(m, missing_of(**source, tensors_[i]))) return true;
    }
    return false;
  }
  void check_transforms() const {
    for (const TransformSpec& t : data_.transforms)
      if (std::none_of(tensors_.begin(), tensors_.end(), [&](const TensorSpec& s) { return s.name == t.input; }) &&
          !is_other_label(t.input))
        fail(t.place, "transform of '" + escape(t.input, 60) + "', which is no input or label of the model",
             "unknown-name");
  }
  // predict wants inputs alone; transforms of labels are then none of its business.
  bool is_other_label(const std::string& name) const {
    bool any_label = std::any_of(tensors_.begin(), tensors_.end(), [](const TensorSpec& s) { return s.is_label; });
    return !any_label && !name.empty();
  }

  std::shared_ptr<Dataset> load(const SourceSpec& source) {
    SourceSpec used = source;
    if (options_.allow_nonfinite) used.allow_nonfinite = true;
    if (source.is_given && source.format == Format::csv) use_fitted_columns(used);
    auto d = std::make_shared<Dataset>(
        load_dataset(used, tensors_, data_.transforms, files_of(source, options_.files), options_.model_file));
    out_.warnings.insert(out_.warnings.end(), d->warnings.begin(), d->warnings.end());
    return d;
  }
  // The columns that were trained on, by name, and what was learned of missing values.
  void use_fitted_columns(SourceSpec& source) const {
    bool fills = false;
    for (size_t i = 0; i < tensors_.size(); ++i) {
      if (!fitted_[i] || fitted_[i]->columns.empty()) continue;
      const std::string& name = tensors_[i].name;
      std::erase_if(source.tensors, [&](const Mapping& m) { return m.tensor == name; });
      source.tensors.push_back({name, {}, columns_of(*fitted_[i], source.header), source.place});
      source.missing.spellings = fitted_[i]->missing_spellings;
      for (const runtime::FittedColumn& c : fitted_[i]->columns)
        fills |= !std::isnan(c.missing) || c.unknown != runtime::UnknownRule::error;
    }
    using Rule = MissingSpec::Rule;
    if (source.missing.rule != Rule::drop) source.missing.rule = fills ? Rule::mean : Rule::error;
  }
  static std::vector<ColumnRef> columns_of(const FittedTransform& fitted, bool has_header) {
    std::vector<ColumnRef> out;
    for (const runtime::FittedColumn& c : fitted.columns) {
      ColumnRef ref;
      ref.name = c.name;
      ref.is_exact = has_header;
      ref.code = c.code;
      ref.unknown = c.unknown;
      ref.categories = c.categories.names();
      out.push_back(std::move(ref));
    }
    return out;
  }

  // Encodes what was read, by what is known of each tensor or else is learned from `rows` now, and checks it.
  void prepare(Dataset& d, const SourceSpec& source, const Rows& rows) {
    for (size_t i = 0; i < tensors_.size(); ++i) {
      Column& column = d.columns[i];
      const Plan plan = plan_tensor(tensors_[i], data_.transforms, options_.model_file);
      const bool is_new = !fitted_[i];
      if (is_new) fitted_[i].emplace();
      FittedTransform& fitted = *fitted_[i];
      if (is_new && !column.table.empty()) {
        fitted.columns = fit_table(column, missing_of(source, tensors_[i]), rows);
        fitted.missing_spellings = source.missing.spellings;
      }
      encode_table(column, fitted, tensors_[i], plan, options_.files.memory_cap);
      if (is_new)
        fit_transforms(fitted, column, tensors_[i], data_.transforms, rows, d.samples, options_.model_file,
                       out_.warnings);
      check_fitted(column, fitted, tensors_[i]);
      check_values(column, tensors_[i], fitted, source.allow_nonfinite || options_.allow_nonfinite);
    }
    if (!d.kept.empty()) out_.kept = std::move(d.kept);
  }
  void check_fitted(const Column& column, const FittedTransform& fitted, const TensorSpec& tensor) const {
    check_shape(column, tensor, data_.transforms, options_.model_file);
    const int64_t n = column.elements(), made = n * std::max<int64_t>(fitted.classes, 1);
    const auto numbers = static_cast<int64_t>(fitted.center.size());
    if ((numbers != 1 && numbers != n) || made != checked_product(tensor.shape))
      throw DataError(column.origin.file,
                      "'" + escape(tensor.name, 40) + "' was trained with other transforms than \"data\" says",
                      "transform");
  }

  void open_training(const SourceSpec& source, bool split) {
    std::shared_ptr<Dataset> loaded = load(source);
    Parts parts = split ? split_off(*loaded) : Parts{{0, loaded->samples, {}}, {}};
    prepare(*loaded, source, parts.train);
    const Shared d = std::move(loaded);
    if (options_.train) {
      BatchOptions b{train_.batch_size, train_.shuffle, options_.seed, train_.last_batch, train_.steps_per_epoch};
      if (train_.batch_size > parts.train.count && train_.last_batch == LastBatch::mask)
        out_.warnings.push_back(warning_line(options_.model_file,
                                             "batch size " + std::to_string(train_.batch_size) +
                                                 " is larger than the " + std::to_string(parts.train.count) +
                                                 " training samples; batches are padded",
                                             "batch-size"));
      out_.train = std::make_unique<BatchSource>(d, all_fitted(), tensors_, parts.train, b);
    }
    if (options_.validation && parts.validation) out_.validation = evaluation(d, *parts.validation);
  }

  // By then all are fitted.
  std::vector<FittedTransform> all_fitted() const {
    std::vector<FittedTransform> out;
    for (const auto& f : fitted_) out.push_back(f.value());
    return out;
  }
  std::unique_ptr<BatchSource> evaluation(const Shared& d, const Rows& rows) const {
    BatchOptions b{train_.batch_size, false, 0, LastBatch::mask, {}};
    return std::make_unique<BatchSource>(d, all_fitted(), tensors_, rows, b);
  }
  std::unique_ptr<BatchSource> open_evaluation(const SourceSpec& source) {
    std::shared_ptr<Dataset> d = load(source);
    const Rows all{0, d->samples, {}};
    prepare(*d, source, all);
    return evaluation(std::move(d), all);
  }

  Parts split_off(const Dataset& d) const {
    double share = train_.validation_split;
    if (!(share > 0 && share < 1)) fail(train_.place, "validation_split must lie in [0, 1)", "range");
    double exact = static_cast<double>(d.samples) * share;
    // Keras keeps floor(n (1 - share)) samples for training, scikit-learn holds out ceil(n share).
    int64_t kept = train_.stratified ? d.samples - static_cast<int64_t>(std::ceil(exact))
                                     : static_cast<int64_t>(std::floor(static_cast<double>(d.samples) * (1 - share)));
    if (kept < 1 || kept >= d.samples)
      fail(train_.place,
           "validation_split leaves " + std::to_string(kept) + " of " + std::to_string(d.samples) +
               " samples for training",
           "range");
    if (!train_.stratified) return {{0, kept, {}}, Rows{kept, d.samples - kept, {}}};
    auto [first, second] = stratified_split(split_labels(d), d.samples - kept, options_.seed);
    auto rows = [](std::vector<int64_t> list) {
      auto n = static_cast<int64_t>(list.size());
      return Rows{0, n, std::make_shared<const std::vector<int64_t>>(std::move(list))};
    };
    return {rows(std::move(first)), rows(std::move(second))};
  }
  // Classes to keep in proportion; all the same where the label is a number and not a class.
  std::vector<int64_t> split_labels(const Dataset& d) const {
    std::vector<int64_t> labels(static_cast<size_t>(d.samples), 0);
    for (size_t i = 0; i < tensors_.size(); ++i) {
      const Column& c = d.columns[i];
      bool classes = tensors_[i].is_label && c.elements() == 1 &&
                     (!is_float(tensors_[i].dtype) || tensors_[i].classes > 0 || !is_float(c.type) ||
                      (tensors_[i].low == 0 && tensors_[i].high == 1));
      if (!classes) continue;
      for (int64_t s = 0; s < d.samples; ++s)
        labels[static_cast<size_t>(s)] = std::llrint(value_at(c.values.data(), c.type, s));
      break;
    }
    return labels;
  }

  const DataSpec& data_;
  const TrainSpec& train_;
  std::span<const TensorSpec> tensors_;
  const OpenOptions& options_;
  std::vector<std::optional<FittedTransform>> fitted_; // one a tensor
  OpenedData out_;
};

} // namespace

std::pair<std::vector<int64_t>, std::vector<int64_t>> stratified_split(std::span<const int64_t> labels,
                                                                       int64_t held_out, uint64_t seed) {
  std::map<int64_t, std::vector<int64_t>> members;
  for (size_t i = 0; i < labels.size(); ++i) members[labels[i]].push_back(static_cast<int64_t>(i));
  struct Class {
    const std::vector<int64_t>* members;
    int64_t take;
    double remainder;
  };
  std::vector<Class> classes;
  int64_t left = held_out;
  for (const auto& [label, list] : members) {
    double exact =
        static_cast<double>(held_out) * static_cast<double>(list.size()) / static_cast<double>(labels.size());
    auto take = static_cast<int64_t>(exact);
    classes.push_back({&list, take, exact - static_cast<double>(take)});
    left -= take;
  }
  std::stable_sort(classes.begin(), classes.end(),
                   [](const Class& a, const Class& b) { return a.remainder > b.remainder; });
  std::vector<bool> out(labels.size(), false);
  uint64_t stream = 0;
  for (Class& c : classes) {
    if (left > 0 && c.take < static_cast<int64_t>(c.members->size())) ++c.take, --left;
    constexpr uint64_t split_epoch = uint64_t{1} << 48; // apart from the epochs of shuffling
    runtime::Permutation p(c.members->size(), seed, split_epoch + stream++);
    for (int64_t i = 0; i < c.take; ++i) out[static_cast<size_t>((*c.members)[p(static_cast<uint64_t>(i))])] = true;
  }
  std::pair<std::vector<int64_t>, std::vector<int64_t>> result;
  for (size_t i = 0; i < labels.size(); ++i) (out[i] ? result.second : result.first).push_back(static_cast<int64_t>(i));
  return result;
}

std::vector<std::string> file_names(const DataSpec& data, const FileOptions& options) {
  std::vector<std::string> names;
  for (const auto* source : {&data.train, &data.validation, &data.test, &data.all}) {
    if (!*source) continue;
    const FileOptions files = files_of(**source, options);
    if (!(*source)->file.empty()) names.push_back(resolved((*source)->file, files));
    if ((*source)->format == Format::idx || (*source)->format == Format::npy)
      for (const Mapping& m : (*source)->tensors) names.push_back(resolved(m.source, files));
  }
  return names;
}

OpenedData open_data(const DataSpec& data, const TrainSpec& train, std::span<const TensorSpec> tensors,
                     const OpenOptions& options) {
  return Opener(data, train, tensors, options).open();
}

} // namespace dlcc::data
