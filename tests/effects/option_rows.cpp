#include "tests/effects/option_rows.h"

namespace dlcc::effects {

namespace {
// What is printed of the passes comes before the plan is refused, which saves making code.
const Words no_code = {"--memory-limit", "100"};
Words printed(const char* pass) { return {"--print-ir-after", pass, "--memory-limit", "100"}; }

constexpr const char* symbolic = R"({ "inputs": { "x": { "shape": ["N", "K"] } } })";
constexpr const char* two_faults = R"({ "one_wrong": 1, "two_wrong": 2 })";
constexpr const char* with_warning =
    R"({ "layers": [ { "type": "Dense", "name": "unused", "units": 1 }, { "type": "Dense", "name": "p", "from": "x", "units": 1 } ] })";
constexpr const char* without_validation = R"({ "data": { "validation": null } })";
constexpr const char* standardized = R"({ "data": { "transforms": [ { "type": "standardize", "input": "label" } ] } })";
constexpr const char* one_class = R"({ "labels": { "label": { "shape": ["N", 1] } }, "outputs": ["q", "p"],
  "layers": [ { "type": "Dense", "name": "q", "units": 1 }, { "type": "Dense", "name": "p", "from": "x", "units": 1 } ] })";
constexpr const char* three_classes =
    R"({ "labels": { "label": { "shape": ["N"], "dtype": "i32" } }, "layers": [ { "type": "Dense", "name": "p", "units": 3, "activation": "softmax" } ],
  "loss": "sparse_categorical_crossentropy", "metrics": null, "data": { "train": { "label": "g" }, "validation": { "label": "g" } } })";
// So large that a step is a region of threads.
constexpr const char* wide =
    R"({ "inputs": { "x": { "shape": ["N", 64] } }, "labels": { "label": { "shape": ["N", 64] } }, "layers": [ { "type": "Dense", "name": "p", "units": 64 } ],
  "train": { "batch_size": 2048, "epochs": 1 }, "data": { "train": null, "validation": null, "all": { "format": "synthetic", "generator": "random_uniform", "samples": 2048 } } })";
// Its gradient is not finite where its loss is.
constexpr const char* root =
    R"({ "layers": null, "params": { "w": { "shape": [2], "init": "ones" } }, "nodes": [ { "op": "matvec", "inputs": ["x", "w"], "output": "v" }, { "op": "sqrt", "inputs": "v", "output": "p" } ],
  "labels": { "label": { "shape": ["N"] } }, "train": { "batch_size": 1 }, "data": { "train": { "file": "zeros.csv" }, "validation": null } })";
constexpr const char* diverging = R"({ "optimizer": { "learning_rate": 1e6 } })";
} // namespace

const std::vector<OptionRow>& option_rows() {
  static const std::vector<OptionRow> rows = {
      // ---- what all commands share that compile ----
      {"build check train gradcheck bench", "-D", {"-D", "K=2"}, "exit 0", {}, {}, symbolic},
      {"eval predict", "-D", {"-D", "K=2"}, "exit 0", {"--weights", "other"}, {}, symbolic},
      {"build check train gradcheck bench", "--shape", {"--shape", "x=4,2"}, "exit 0", {}, {}, symbolic},
      {"eval predict", "--shape", {"--shape", "x=4,2"}, "exit 0", {"--weights", "other"}, {}, symbolic},
      {"*", "--set", {"--set", "dlcc=2"}, "'dlcc' is 2"},
      {"*", "--batch-size", {"--batch-size", "5"}, "[5,2]", printed("inline_calls")},
      {"build check train eval predict bench", "--dtype", {"--dtype", "f64"}, "%x: f64[4,2]", printed("inline_calls")},
      {"gradcheck", "--dtype", {"--dtype", "f64"}, "="}, // which is in double always
      {"build check train eval predict gradcheck bench",
       "--march",
       {"--march", "x86-64-v4"},
       "",
       printed("plan_memory"),
       {"--march", "x86-64-v3"},
       wide},
      {"*",
       "--mattr",
       {"--mattr=-avx512f"},
       "",
       {"--march", "x86-64-v4", "--print-ir-after", "plan_memory", "--memory-limit", "100"},
       {},
       wide},
      {"*", "--memory-limit", {"--memory-limit", "100"}, "expected at most 100 bytes"},
      {"train eval bench", "--threads", {"--threads", "3"}, "team of 3", {}, {"--threads", "1"}, wide},
      {"predict", "--threads", {"--threads", "3"}, "team of 3", {"-o", "out.npy"}, {"--threads", "1"}, wide},
      {"build check gradcheck", "--threads", {"--threads", "3"}, "="},
      {"build", "--openmp-from-host", {"--openmp-from-host"}, "!needs libgomp", {"-o", "m.so"}, {}, wide},
      {"check train eval predict gradcheck bench", "--openmp-from-host", {"--openmp-from-host"}, "="},
      {"*",
       "--disable-pass",
       {"--disable-pass", "merge_duplicates"},
       "!merge_duplicates",
       {"--print-ir-after-all", "--memory-limit", "100"}},
      {"*",
       "--opt-bisect-limit",
       {"--opt-bisect-limit", "0"},
       "!merge_duplicates",
       {"--print-ir-after-all", "--memory-limit", "100"}},
      {"*", "--print-ir-before", {"--print-ir-before", "inline_calls"}, "before inline_calls", no_code},
      {"*", "--print-ir-after", {"--print-ir-after", "inline_calls"}, "after inline_calls", no_code},
      {"*", "--print-ir-after-all", {"--print-ir-after-all"}, "after plan_memory", no_code},
      {"*", "--print-ir-after-change", {"--print-ir-after-change"}, "after plan_memory", no_code},
      {"*", "--print-ir-filter", {"--print-ir-filter", "predict"}, "!metrics_reset", printed("inline_calls")},
      {"build check train eval predict bench", "--time-passes", {"--time-passes"}, "merge_duplicates"},
      {"gradcheck", "--time-passes", {"--time-passes"}, "merge_duplicates"},
      {"*", "--no-fusion", {"--no-fusion"}, "", printed("plan_memory")},
      {"*", "--no-share-memory", {"--no-share-memory"}, "", printed("plan_memory"), {}, wide},
      {"*", "--diagnostics-format", {"--diagnostics-format", "json"}, "\"line\"", {}, {}, two_faults},
      {"*", "--error-limit", {"--error-limit", "1"}, "!two_wrong", {}, {}, two_faults},
      {"*", "--quiet", {"--quiet"}, "!warning", {}, {}, with_warning},

      // ---- build and check ----
      {"build", "--output", {"-o", "stage.ir"}, "stage.ir\nprogram"},
      {"build", "--emit", {"--emit", "loops"}, "stage loops", {}, {"--emit", "planned"}},
      {"build", "-S", {"-S"}, ".text", {}, {"--emit", "planned"}},
      {"build", "-c", {"-c", "-o", "m.o"}, "m.o", {}, {"--emit", "planned"}},
      {"check", "--print-config", {"--print-config"}, "\"learning_rate\""},
      {"check", "--json", {"--json"}, "\"flops_per_step\""},

      // ---- train ----
      {"train", "--data", {"--data", "v.csv"}, "3 samples"},
      {"train", "--epochs", {"--epochs", "2"}, "!epoch 3/3"},
      {"train", "--steps", {"--steps", "3"}, "2,3,"},
      {"train", "--seed", {"--seed", "3"}, "run/run.json\n3 "},
      {"train", "--seed", {"--seed", "3"}, "!\n1,2,2.14104"}, // the order: first weights are ones
      {"train", "--learning-rate", {"--learning-rate", "0.01"}, "", {}, {"--set", "optimizer.learning_rate=0.02"}},
      {"train", "--validation-split", {"--validation-split", "0.4"}, "val_loss", {}, {}, without_validation},
      {"train", "--patience", {"--patience", "1"}, "!epoch 8/8", {"--epochs", "8", "--learning-rate", "0.5"}},
      {"train", "--check-nan", {"--check-nan"}, "the parameters are unchanged", {}, {}, root},
      {"train", "--allow-nonfinite", {"--allow-nonfinite"}, "!exit 4", {"--data", "nan.csv"}},
      {"train eval", "--require", {"--require", "loss<=0"}, "exit 9"},
      {"train", "--out", {"--out", "other_place"}, "other_place/history.csv", {}, {"--out", "run"}},
      {"train", "--resume", {"--resume=w"}, "resuming at step 6", {"--epochs", "4"}},
      {"train", "--init-weights", {"--init-weights", "other"}, ""},
      {"train", "--allow-partial-weights", {"--allow-partial-weights"}, "exit 0", {"--init-weights", "larger"}},
      {"train", "--refit", {"--refit"}, "", {"--init-weights", "w", "--data", "v.csv"}, {}, standardized},
      {"train", "--checkpoint-every", {"--checkpoint-every", "1steps"}, "ckpt-00000006"},
      {"train", "--keep", {"--keep", "1"}, "!ckpt-00000005", {"--checkpoint-every", "1steps"}},
      {"train",
       "--on-save-error",
       {"--on-save-error", "stop"},
       "!training goes on",
       {"--log", "none", "--plot", "none"},
       {},
       "{}",
       "-f 1"},
      {"train",
       "--force-data",
       {"--force-data"},
       "exit 0",
       {"--resume=w", "--data", "zeros.csv", "--epochs", "4"},
       {},
       without_validation},
      {"train", "--log", {"--log", "none"}, "!history.csv"},
      {"train", "--log-every", {"--log-every", "1"}, "{\"step\":1,"},
      {"train", "--plot", {"--plot", "none"}, "!history.svg"},
      {"train", "--progress", {"--progress", "none"}, "!epoch 1/3"},
      {"train", "--color", {"--color", "always"}, "\x1b[3", {"--plot", "term"}},

      // ---- eval and predict ----
      {"eval predict", "--weights", {"--weights", "other"}, "", {}, {"--weights", "w"}},
      {"eval predict", "--allow-partial-weights", {"--allow-partial-weights"}, "exit 0", {"--weights", "larger"}},
      {"eval predict", "--data", {"--data", "t.csv"}, ""},
      {"eval predict", "--allow-nonfinite", {"--allow-nonfinite"}, "exit 0", {"--data", "nan.csv"}},
      {"eval predict", "--on", {"--on", "train"}, ""},
      {"eval", "--json", {"--json"}, "{\"format\":1"},
      {"eval", "--progress", {"--progress", "bar"}, "Evaluating  1/1"},
      {"predict", "--progress", {"--progress", "bar"}, "Predicting  1/1", {"-o", "out.csv"}},
      {"eval", "--color", {"--color", "always"}, "\x1b[3", {"--progress", "bar"}},
      {"predict", "--color", {"--color", "always"}, "\x1b[3", {"--progress", "bar", "-o", "out.csv"}},
      {"predict", "--output", {"-o", "out.csv"}, "out.csv\ny\n"},
      {"predict", "--raw", {"--raw"}, "", {}, {}, standardized},
      {"predict", "--classes", {"--classes"}, "g\n0\n", {}, {}, three_classes},
      {"predict", "--id", {"--id", "c"}, "c,y\nred,", {"--data", "t.csv"}},
      {"predict", "--output-name", {"--output-name", "p"}, "", {}, {}, one_class},

      // ---- the others ----
      {"gradcheck", "--samples", {"--samples", "1"}, "!2 elements"},
      {"gradcheck", "--tolerance", {"--tolerance", "1e-300"}, ""},
      {"gradcheck", "--seed", {"--seed", "3"}, ""},
      {"gradcheck", "--json", {"--json"}, "\"largest_relative_error\""},
      {"bench", "--warmup", {"--warmup", "20"}, "exit 8", {}, {"--warmup", "0"}, diverging},
      {"bench", "--steps", {"--steps", "20"}, "exit 8", {}, {"--steps", "1"}, diverging},
      {"bench", "--json", {"--json"}, "\"median_ns\""},
      {"bench", "--profile", {"--profile"}, "  kernel\n"},
      {"bench", "--serve", {"--serve"}, "ready {"},
      {"inspect", "--json", {"--json"}, "\"tensors\": ["},
      {"opt", "--output", {"-o", "out.ir"}, "out.ir\nmodule"},
      {"opt", "--passes", {"--passes", "inline_calls,stabilise"}, "!call @"},
      {"opt", "--to", {"--to", "loops"}, "stage loops"},
      {"opt", "--march", {"--march", "x86-64-v4"}, "", {"--to", "planned"}, {"--march", "x86-64-v3"}, wide},
      {"ops passes schema", "--markdown", {"--markdown"}, "# "},
      {"new", "--output", {"-o", "new.json"}, "new.json\n"},
  };
  return rows;
}

} // namespace dlcc::effects
