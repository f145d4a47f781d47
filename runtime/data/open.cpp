#include "runtime/data/open.h"

#include "runtime/data/load.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

namespace dlcc::data {

namespace {

using Shared = std::shared_ptr<const Dataset>;

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
    const SourceSpec* training = data_.train ? &*data_.train : data_.all ? &*data_.all : nullptr;
    bool split = !data_.validation && train_.validation_split > 0;
    bool wanted = options_.train || (options_.validation && split) || needs_fitting();
    if (options_.train && !training)
      fail(data_.place, "no training data: \"train\" or \"all\" expected", "missing-source");
    if (training && wanted)
      open_training(*training, split);
    else if (needs_fitting())
      fail(data_.place, "transforms are fitted on training data, but there are none", "missing-source");
    if (data_.validation && options_.validation) out_.validation = open_evaluation(*data_.validation);
    if (data_.test && options_.test) out_.test = open_evaluation(*data_.test);
    return std::move(out_);
  }

private:
  [[noreturn]] void fail(Place place, const std::string& text, const char* name) const {
    throw DataError(Code::data, options_.model_file, place.line, place.column, text, name);
  }
  static bool is_fitted(TransformKind k) { return k == TransformKind::standardize || k == TransformKind::minmax; }
  bool needs_fitting() const {
    return std::any_of(data_.transforms.begin(), data_.transforms.end(),
                       [](const TransformSpec& t) { return is_fitted(t.kind); });
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

  Shared load(const SourceSpec& source) {
    SourceSpec used = source;
    if (options_.allow_nonfinite) used.allow_nonfinite = true;
    auto d =
        std::make_shared<Dataset>(load_dataset(used, tensors_, data_.transforms, options_.files, options_.model_file));
    out_.warnings.insert(out_.warnings.end(), d->warnings.begin(), d->warnings.end());
    return d;
  }
  void check_all(const Dataset& d, bool allow_nonfinite) const {
    for (size_t i = 0; i < tensors_.size(); ++i)
      check_values(d.columns[i], tensors_[i], pipelines_[i], allow_nonfinite || options_.allow_nonfinite);
  }

  std::vector<Pipeline> fit(const Dataset& d, const Rows& rows) {
    std::vector<Pipeline> fitted;
    for (size_t i = 0; i < tensors_.size(); ++i)
      fitted.push_back(fit_pipeline(d.columns[i], tensors_[i], data_.transforms, rows, d.samples, options_.model_file,
                                    out_.warnings));
    return fitted;
  }

  void open_training(const SourceSpec& source, bool split) {
    Shared d = load(source);
    Parts parts = split ? split_off(*d) : Parts{{0, d->samples, {}}, {}};
    pipelines_ = fit(*d, parts.train);
    check_all(*d, source.allow_nonfinite);
    if (options_.train) {
      BatchOptions b{train_.batch_size, train_.shuffle, options_.seed, train_.last_batch, train_.steps_per_epoch};
      if (train_.batch_size > parts.train.count && train_.last_batch == LastBatch::mask)
        out_.warnings.push_back(warning_line(options_.model_file,
                                             "batch size " + std::to_string(train_.batch_size) +
                                                 " is larger than the " + std::to_string(parts.train.count) +
                                                 " training samples; batches are padded",
                                             "batch-size"));
      out_.train = std::make_unique<BatchSource>(d, pipelines_, tensors_, parts.train, b);
    }
    if (options_.validation && parts.validation) out_.validation = evaluation(d, *parts.validation);
  }

  std::unique_ptr<BatchSource> evaluation(const Shared& d, const Rows& rows) const {
    BatchOptions b{train_.batch_size, false, 0, LastBatch::mask, {}};
    return std::make_unique<BatchSource>(d, pipelines_, tensors_, rows, b);
  }
  std::unique_ptr<BatchSource> open_evaluation(const SourceSpec& source) {
    Shared d = load(source);
    if (pipelines_.empty()) pipelines_ = fit(*d, {0, d->samples, {}}); // nothing in it depends on values
    for (size_t i = 0; i < tensors_.size(); ++i)
      check_shape(d->columns[i], tensors_[i], data_.transforms, options_.model_file);
    check_all(*d, source.allow_nonfinite);
    return evaluation(d, {0, d->samples, {}});
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
  std::vector<Pipeline> pipelines_;
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
    if (!(*source)->file.empty()) names.push_back(resolved((*source)->file, options));
    if ((*source)->format == Format::idx || (*source)->format == Format::npy)
      for (const Mapping& m : (*source)->tensors) names.push_back(resolved(m.source, options));
  }
  return names;
}

OpenedData open_data(const DataSpec& data, const TrainSpec& train, std::span<const TensorSpec> tensors,
                     const OpenOptions& options) {
  return Opener(data, train, tensors, options).open();
}

} // namespace dlcc::data
