// Row K of the list of bad inputs: wrong words and wrong paths.
#include "tests/cli/models.h"
#include "tests/cli/program.h"

#include <gtest/gtest.h>

namespace dlcc::cli_tests {
namespace {

namespace fs = std::filesystem;

struct Row {
  std::string name;
  std::vector<std::string> args;
  int exit_code;
  std::string line; // the whole message
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

std::string name_of(const testing::TestParamInfo<Row>& info) { return info.param.name; }

class BadCommand : public testing::TestWithParam<Row> {};

TEST_P(BadCommand, GetsOneLine) {
  Folder folder;
  folder.write("m.json", tiny);
  fs::create_directory(folder.path("folder"));
  expect_refused(folder, GetParam().args, GetParam().exit_code, GetParam().line);
}

const Row words[] = {
    {"UnknownCommand",
     {"trian", "m.json"},
     2,
     "dlcc: error: unknown command 'trian', did you mean 'train'? (see dlcc --help) [usage]"},
    {"UnknownOption",
     {"train", "m.json", "--eppochs", "3"},
     2,
     "dlcc: error: unknown option '--eppochs' of 'train', did you mean '--epochs'? (see dlcc train --help) [usage]"},
    {"UnknownOptionFarFromAll",
     {"train", "m.json", "--xyzzy=3"},
     2,
     "dlcc: error: unknown option '--xyzzy' of 'train' (see dlcc train --help) [usage]"},
    {"HelpOnNothing",
     {"help", "trian"},
     2,
     "dlcc: error: unknown command 'trian', did you mean 'train'? (see dlcc --help) [usage]"},
    {"NoValue",
     {"train", "m.json", "--epochs"},
     2,
     "dlcc: error: --epochs: expected a value behind it (see dlcc train --help) [usage]"},
    {"OneWordTooMany",
     {"train", "m.json", "n.json"},
     2,
     "dlcc: error: one argument too many: 'n.json' (see dlcc train --help) [usage]"},
    {"NoOutput", {"m.json"}, 2, "dlcc: error: where should the result go? expected -o FILE (see dlcc --help) [usage]"},
    {"NoModel", {"train"}, 2, "dlcc: error: MODEL is required (see dlcc train --help) [usage]"},
    {"NoWeights", {"eval", "m.json"}, 2, "dlcc: error: --weights is required (see dlcc eval --help) [usage]"},
    {"EpochsNoNumber",
     {"train", "m.json", "--epochs", "x"},
     2,
     "dlcc: error: --epochs: 'x', expected a whole number >= 1 (see dlcc train --help) [usage]"},
    {"EpochsZero",
     {"train", "m.json", "--epochs", "0"},
     2,
     "dlcc: error: --epochs: '0', expected a whole number >= 1 (see dlcc train --help) [usage]"},
    {"UnknownStage",
     {"m.json", "--emit=plan"},
     2,
     "dlcc: error: --emit: 'plan', expected one of source, stable, training, simplified, clustered, loops, scheduled, "
     "planned, llvm, bc, asm, obj, header, so (see dlcc --help) [usage]"},
    {"SetNothing",
     {"check", "m.json", "--set", "train"},
     2,
     "dlcc: error: --set train: expected NAME=VALUE (see dlcc check --help) [usage]"},
    {"SetUnknownKey",
     {"check", "m.json", "--set", "train.epoch=3"},
     3,
     "m.json: error: unknown key 'epoch' in train, did you mean 'epochs'? (set at /train/epoch) [unknown-key]"},
    {"RequireNothing",
     {"train", "m.json", "--require", "accuracy"},
     2,
     "dlcc: error: --require: 'accuracy': expected a comparison such as val_accuracy>=0.97 (see dlcc train --help) "
     "[usage]"},
    {"UnknownTarget",
     {"m.json", "-o", "m.so", "--march", "i386"},
     2,
     "dlcc: error: unknown target 'i386', expected native, x86-64-v3, x86-64-v4 or a CPU such as znver4 (see dlcc "
     "--help) [unknown-target]"},
    {"UnknownFeature",
     {"m.json", "-o", "m.so", "-mattr=-avx512f,+neon"},
     2,
     "dlcc: error: unknown feature '+neon', expected + or - and one of AVX2's or AVX-512's (see dlcc --help) "
     "[unknown-target]"},
    {"TargetWithoutFusedMultiply",
     {"m.json", "-o", "m.so", "-march=x86-64-v2"},
     2,
     "dlcc: error: the target 'x86-64-v2' lacks avx2, dlcc needs AVX2 and FMA (x86-64-v3) (see dlcc --help) "
     "[cpu-too-old]"},
    {"PartNoWord",
     {"eval", "m.json", "--weights", "x", "--on", "foo"},
     2,
     "dlcc: error: --on: 'foo', expected one of test, train, validation (see dlcc eval --help) [usage]"},
    {"BenchNegative",
     {"bench", "m.json", "--steps", "-3"},
     2,
     "dlcc: error: --steps: '-3', expected a whole number >= 1 (see dlcc bench --help) [usage]"},
    {"SeedNegative",
     {"train", "m.json", "--seed", "-1"},
     2,
     "dlcc: error: --seed: '-1', expected a whole number >= 0 (see dlcc train --help) [usage]"},
    {"SeedTooLarge",
     {"train", "m.json", "--seed", "18446744073709551616"},
     2,
     "dlcc: error: --seed: '18446744073709551616', expected a whole number >= 0 (see dlcc train --help) [usage]"},
    {"KeepNothing",
     {"train", "m.json", "--keep", "0"},
     2,
     "dlcc: error: --keep: '0', expected a whole number >= 1 (see dlcc train --help) [usage]"},
    {"LogEveryNegative",
     {"train", "m.json", "--log-every", "-2"},
     2,
     "dlcc: error: --log-every: '-2', expected a whole number >= 0 (see dlcc train --help) [usage]"},
    {"PatienceNegative",
     {"train", "m.json", "--patience", "-3"},
     2,
     "dlcc: error: --patience: '-3', expected a whole number >= 0 (see dlcc train --help) [usage]"},
    {"GradcheckNothing",
     {"gradcheck", "m.json", "--samples", "0"},
     2,
     "dlcc: error: --samples: '0', expected a whole number >= 1 (see dlcc gradcheck --help) [usage]"},
    {"FolderOutside",
     {"train", "m.json", "--set", "train.checkpoint={\"dir\": \"a/../../b\"}"},
     3,
     "m.json: error: 'train.checkpoint.dir' is 'a/../../b', expected a folder below the current one; --out may name "
     "any [outside]"},
    {"FolderAbsolute",
     {"train", "m.json", "--set", "train.checkpoint={\"dir\": \"/tmp/b\"}"},
     3,
     "m.json: error: 'train.checkpoint.dir' is '/tmp/b', expected a folder below the current one; --out may name any "
     "[outside]"},
    {"ResumeLeavesTheModel",
     {"train", "--resume", "m.json"},
     5,
     "dlcc: error: there is no run of 'tiny' in 'runs' to resume [resume]"},
    {"SymbolNoNumber",
     {"check", "m.json", "-D", "T=0"},
     2,
     "dlcc: error: -D T=0: expected a positive integer for '0' (see dlcc check --help) [usage]"},
    {"ShapeOfNothing",
     {"check", "m.json", "--shape", "y=3,4"},
     3,
     "m.json: error: --shape of 'y': no such input, expected one of the model's [bad-shape]"},
    {"ShapeOfAnotherRank",
     {"check", "m.json", "--shape", "x=3"},
     3,
     "m.json: error: --shape of 'x': 1 dimensions, expected 2 [bad-shape]"},
    {"ShapeDiffers",
     {"check", "m.json", "--shape", "x=3,5"},
     3,
     "m.json: error: --shape of 'x': 5 on axis 1, expected 4 [bad-shape]"},
    {"NoText", {"opt", "m.json"}, 3, "m.json:1:1: error: expected 'module' or 'program' [syntax]"},
    {"WeightsAreNoCheckpoint",
     {"eval", "m.json", "--weights", "m.json"},
     5,
     "dlcc: error: 'm.json': corrupt: the header would have 2477933537171480699 bytes, the file has 661 [checkpoint]"},
    {"K3_missing",
     {"nope.json", "-o", "m.so"},
     6,
     "nope.json: error: cannot open: No such file or directory [cannot-read]"},
    {"K3_folder", {"folder/", "-o", "m.so"}, 6, "folder/: error: is a directory, expected a model file [cannot-read]"},
    {"K3_escape",
     {"a\n\x1b[2Jb.json", "-o", "m.so"},
     6,
     "a\\x0a\\x1b[2Jb.json: error: cannot open: No such file or directory [cannot-read]"},
    {"K4_no_folder",
     {"m.json", "-o", "no/m.so"},
     6,
     "dlcc: error: cannot open the folder of 'no/m.so': No such file or directory [cannot-write]"},
    {"K4_folder", {"m.json", "-o", "folder"}, 6, "folder: error: is a directory, expected a file name [cannot-write]"},
    {"K4_input",
     {"m.json", "-o", "m.json"},
     6,
     "m.json: error: is the input file; it is never overwritten [cannot-write]"},
    {"K4_input_by_another_name",
     {"m.json", "-o", "./folder/../m.json"},
     6,
     "./folder/../m.json: error: is the input file; it is never overwritten [cannot-write]"},
    {"K4_full_device", {"m.json", "-o", "/dev/full"}, 6, "/dev/full: error: is not a regular file [cannot-write]"},
    {"K4_unwritable",
     {"m.json", "-o", "/proc/m.so"},
     6,
     "dlcc: error: cannot create a temporary file for '/proc/m.so': No such file or directory [cannot-write]"},
    {"TooMuchMemory",
     {"m.json", "-o", "m.so", "--march", "x86-64-v3", "--memory-limit", "1K"},
     7,
     "m.json: error: the model needs 2828 bytes, expected at most 1024 bytes; see --memory-limit; largest: "
     "'train_step.hidden' 512 bytes, 'predict.hidden' 512 bytes, 'eval_step.hidden' 512 bytes [memory-limit]"},
};
INSTANTIATE_TEST_SUITE_P(Words, BadCommand, testing::ValuesIn(words), name_of);

TEST(BadCommands, NoWordsAtAllGetTwoLines) {
  Folder folder;
  const Result r = folder.run({});
  EXPECT_EQ(r.exit_code, 2);
  EXPECT_EQ(r.out, "");
  EXPECT_EQ(r.err, "dlcc compiles the training of neural networks: dlcc train MODEL, dlcc MODEL -o FILE\n"
                   "see dlcc --help\n");
}

TEST(BadCommands, AnUnknownPassGetsTheListOfThem) {
  Folder folder;
  folder.write("m.json", tiny);
  expect_fault_with(folder.run({"opt", "m.json", "--passes=simplfy"}), 2,
                    {"dlcc: error: --passes: 'simplfy', did you mean 'simplify'?"});
}

} // namespace
} // namespace dlcc::cli_tests
