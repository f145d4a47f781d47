// Where data are and what is done to them before the model sees them.
#include "frontend/table/schema.h"

namespace dlcc::frontend {

namespace {
RecordDef source(std::string name, std::string summary, std::vector<Key> keys) {
  keys.push_back(boolean("allow_nonfinite").defaults(false, "let NaN and Inf pass"));
  return {std::move(name), std::move(summary), std::move(keys), {}};
}
Key file() { return text("file").required("file name, relative to the model"); }
Key input() { return name_key("input").required("the input or label it works on"); }
Key fit_on() { return choice("fit_on", {"train", "all"}).defaults("train", "the part that is measured"); }

RecordDef synthetic() {
  return source("synthetic", "generated samples",
                {choice("generator", {"make_classification", "make_regression", "make_blobs", "make_moons",
                                      "random_uniform", "adding_problem", "sine"})
                     .required("which one; names and arguments of scikit-learn"),
                 integer("samples").at_least(1).defaults(int64_t{100}, "how many"),
                 integer("features").at_least(1).optional("as many as the input has if absent"),
                 integer("informative").at_least(1).optional("features that matter"),
                 integer("redundant").at_least(0).optional("features that are combinations of those"),
                 integer("classes").at_least(1).optional("the label's, or 2, if absent"),
                 integer("clusters_per_class").at_least(1).defaults(int64_t{2}, "make_classification"),
                 number("class_sep").defaults(1.0, "make_classification: size of the hypercube"),
                 number("flip_y").at_least(0).at_most(1).defaults(0.01, "make_classification: share of random labels"),
                 number("noise").at_least(0).optional("deviation of the noise"),
                 number("bias").optional("make_regression"), number("low").optional("least value"),
                 number("high").optional("greatest value"),
                 list("coefficients", KeyKind::numbers).optional("make_regression: drawn if absent"),
                 integer("seed").at_least(0).defaults(int64_t{0}, "of the samples")});
}
} // namespace

std::vector<GroupDef> data_groups() {
  GroupDef data{Group::data, "data"};
  data.from_file = true;
  data.records = {
      {"data",
       "where the data are",
       {record("all", Group::section).optional("data to be split, used if there is no `train`"),
        record("train", Group::section).optional("data to train on"),
        record("validation", Group::section).optional("data to watch while training"),
        record("test", Group::section).optional("data to judge by in the end"),
        record("transforms", Group::transform, KeyKind::records).optional("what is done to every sample, in order")},
       {}}};
  GroupDef section{Group::section, "data format", "format"};
  section.open_keys = true;
  section.records = {
      source("npz", "arrays of one .npz file; input -> array name", {file()}),
      source("npy", "one .npy file each; input -> file name", {}),
      source("idx", "MNIST's format, also .gz; input -> file name", {}),
      source("csv", "columns of a table; input -> a column's name or number, a list of them, or \"first:last\"",
             {file(), boolean("header").defaults(true, "the first line holds names"),
              list("separator", KeyKind::character).defaults(",", "between cells"),
              record("missing", Group::missing)
                  .optional(
                      "what stands for a missing value, and what becomes of it; an empty cell is an error if absent")}),
      source("safetensors", "tensors of one file; input -> tensor name", {file()}),
      synthetic(),
  };
  GroupDef column{Group::column, "column", ""};
  column.records = {
      {"column",
       "a column of a csv file that holds text: \"x\": [\"area\", {\"column\": \"city\", \"categories\": \"one_hot\"}]",
       {either({name_key("column"), integer("column").at_least(0)}).required("its name or number, or \"first:last\""),
        either({choice("categories", {"one_hot", "index"}), list("categories", KeyKind::texts).at_least_entries(1)})
            .required(
                "a row of zeros with a one for each text, or its number; the texts are those of the training part, "
                "sorted, or those of a list"),
        choice("encoding", {"one_hot", "index"}).optional("of listed categories: one_hot if absent"),
        choice("unknown", {"error", "zeros", "extra"})
            .defaults("error", "other texts, and missing ones: refused, a row of zeros, or one category more")},
       {}}};
  GroupDef missing{Group::missing, "rule for missing values", ""};
  missing.from_number = "missing";
  missing.records = {
      {"missing",
       "cells without a value; a number alone is the rule",
       {either({number("rule"), choice("rule", {"error", "mean", "drop"})})
            .required("a value, or: refuse; the mean of the column in the training part; leave the sample out"),
        list("spellings", KeyKind::texts).optional("if absent: empty, NA, N/A, NaN, nan, null")},
       {}}};
  GroupDef transform{Group::transform, "transform", "type"};
  transform.records = {
      {"divide",
       "x / by",
       {input(), list("by", KeyKind::numbers).at_least_entries(1).required("one number, or one per feature")},
       {}},
      {"subtract",
       "x - by",
       {input(), list("by", KeyKind::numbers).at_least_entries(1).required("one number, or one per feature")},
       {}},
      {"standardize", "(x - mean) / deviation, per feature; categories stay as they are", {input(), fit_on()}, {}},
      {"minmax",
       "to [low, high], per feature; categories stay as they are",
       {input(), number("low").defaults(0.0, "new least value"), number("high").defaults(1.0, "new greatest value"),
        fit_on()},
       {}},
      {"one_hot",
       "class number -> a row of zeros and a one",
       {input(), integer("classes").at_least(1).required("length of the row")},
       {}},
      {"reshape",
       "another shape of each sample",
       {input(), list("shape", KeyKind::integers).at_least(-1).required("without the batch axis; one may be -1")},
       {}},
  };
  return {data, section, column, missing, transform};
}

} // namespace dlcc::frontend
