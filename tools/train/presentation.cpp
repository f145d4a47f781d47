#include "tools/train/presentation.h"

#include "runtime/data/dataset.h"
#include "runtime/data/error.h"
#include "tools/train/failure.h"
#include "tools/train/prediction_text.h"

#include <algorithm>

namespace dlcc::training {

namespace {
double value_of(const dlcc_tensor_desc& t, const std::byte* data, int64_t i) {
  return data::value_at(data, static_cast<data::ElementType>(t.dtype), i);
}
uint64_t bytes_of(int32_t dtype) {
  return static_cast<uint64_t>(data::byte_size(static_cast<data::ElementType>(dtype)));
}
bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}
} // namespace

std::string PredictedLabel::name() const {
  if (!fitted || fitted->columns.size() != 1 || is_number(fitted->columns[0].name)) return spec.name;
  return fitted->columns[0].name;
}

Presentation::Presentation(const dlcc_tensor_desc& output, int64_t batch_rows, std::string name,
                           const PredictedLabel* label, Mode mode)
    : output_(output), name_(std::move(name)), label_(label), rows_(output.dims[0] / batch_rows), from_(rows_),
      dtype_(output.dtype) {
  for (int d = 1; d < output.rank; ++d) from_ *= output.dims[d];
  if (output.rank > 1) last_ = output.dims[output.rank - 1];
  each_ = from_;
  const bool is_binary = label && label->spec.low == 0 && label->spec.high == 1;
  const bool is_classes = label && (label->spec.classes > 0 || last_ > 1);
  if (mode == Mode::classes) {
    if (!is_binary && !(is_classes && last_ > 1))
      throw Failure(exit_usage, "--classes: output '" + data::escape(name_, 60) + "' does not tell classes apart",
                    "output");
    chooses_ = true;
    dtype_ = DLCC_I64;
    each_ = from_ / last_;
  }
  const runtime::FittedTransform* fitted = label && label->fitted ? &*label->fitted : nullptr;
  const auto numbers = fitted ? static_cast<int64_t>(fitted->center.size()) : 0;
  undoes_ =
      mode == Mode::label && fitted && fitted->affine() && fitted->classes == 0 && (numbers == 1 || numbers == from_);
  if (undoes_) dtype_ = DLCC_F64;
  const bool is_probability = label && (label->spec.classes > 0 || is_binary);
  if (label && (chooses_ || (mode == Mode::label && !is_probability))) name_ = label->name();
}

std::vector<int64_t> Presentation::shape(int64_t samples) const {
  std::vector<int64_t> out{samples * rows_};
  for (int d = 1; d < output_.rank - (chooses_ ? 1 : 0); ++d) out.push_back(output_.dims[d]);
  return out;
}

// A value is named by the column or the category that it is about, else by its number.
std::string Presentation::value_name(int64_t i) const {
  if (each_ == 1) return name_;
  const runtime::FittedTransform* fitted = label_ && label_->fitted ? &*label_->fitted : nullptr;
  if (fitted && !chooses_ && static_cast<int64_t>(fitted->columns.size()) == each_)
    return fitted->columns[static_cast<size_t>(i)].name;
  const std::string* category = fitted && !chooses_ ? fitted->class_name(i) : nullptr;
  return name_ + "_" + (category ? *category : std::to_string(i));
}

std::vector<std::string> Presentation::header() const {
  std::vector<std::string> out;
  for (int64_t i = 0; i < each_; ++i) out.push_back(text_cell(value_name(i)));
  return out;
}

uint64_t Presentation::row_bytes() const { return static_cast<uint64_t>(each_) * bytes_of(dtype_); }

void Presentation::undo(const std::byte* data, int64_t rows) {
  undone_.resize(static_cast<size_t>(rows * from_));
  for (int64_t i = 0; i < rows * from_; ++i)
    undone_[static_cast<size_t>(i)] = label_->fitted->undo(value_of(output_, data, i), i % from_);
}

// The largest of the last axis, the first of equals; or, of a number that stands alone, whether it is above the
// threshold.
void Presentation::choose(const std::byte* data, int64_t rows) {
  chosen_.resize(static_cast<size_t>(rows * each_));
  for (int64_t i = 0; i < rows * each_; ++i) {
    int64_t best = 0;
    for (int64_t k = 1; k < last_; ++k)
      if (value_of(output_, data, i * last_ + k) > value_of(output_, data, i * last_ + best)) best = k;
    if (last_ == 1) best = value_of(output_, data, i) > label_->threshold;
    chosen_[static_cast<size_t>(i)] = best;
  }
}

const std::byte* Presentation::values(const std::byte* data, int64_t rows) {
  if (chooses_) return choose(data, rows), reinterpret_cast<const std::byte*>(chosen_.data());
  if (undoes_) return undo(data, rows), reinterpret_cast<const std::byte*>(undone_.data());
  return data;
}

void Presentation::append_row(std::vector<std::string>& line, const std::byte* values, int64_t r) const {
  for (int64_t i = r * each_; i < (r + 1) * each_; ++i) {
    const std::string* category =
        chooses_ && label_->fitted ? label_->fitted->class_name(chosen_[static_cast<size_t>(i)]) : nullptr;
    line.push_back(category ? text_cell(*category) : number_cell(values, dtype_, i));
  }
}

} // namespace dlcc::training
