// libdlcc as an application uses it: public headers and the two shared libraries only.
#include <dlcc/compiler.h>
#include <dlcc/runtime.h>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

const std::string model = R"({ "dlcc": 1, "name": "tiny", "seed": 7,
  "inputs": { "x": { "shape": ["N", 3] } },
  "layers": [ { "type": "Dense", "name": "hidden", "units": 5, "activation": "tanh" },
              { "type": "Dense", "name": "y", "units": 1 } ],
  "loss": "mean_squared_error", "optimizer": { "type": "adam", "learning_rate": 0.01 },
  "train": { "batch_size": 4 } }
)";

// Wide enough for vectors and threads.
const std::string wide_model = R"({ "dlcc": 1, "name": "wide", "seed": 7,
  "inputs": { "x": { "shape": ["N", 48] } },
  "layers": [ { "type": "Dense", "name": "hidden", "units": 512, "activation": "tanh" },
              { "type": "Dense", "name": "y", "units": 1 } ],
  "loss": "mean_squared_error", "optimizer": { "type": "adam", "learning_rate": 0.01 },
  "train": { "batch_size": 64 } }
)";

class Library : public testing::Test {
protected:
  Library() {
    std::string pattern = (std::filesystem::temp_directory_path() / "dlcc-library-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~Library() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }
  dlcc_module* compile(const std::string& text, const dlcc_compile_options* options = nullptr) {
    dlcc_module* module = nullptr;
    EXPECT_EQ(dlcc_compile_text(text.data(), text.size(), "m.json", options, &module, &error), DLCC_OK)
        << error.message;
    return module;
  }
  // The losses of some steps, then the first layer's weights; closes the module.
  std::vector<double> train(dlcc_module* module) {
    dlcc_session* session = nullptr;
    EXPECT_EQ(dlcc_session_create(module, nullptr, &session, &error), DLCC_OK) << error.message;
    dlcc_module_close(module); // the session keeps the code
    EXPECT_EQ(dlcc_init(session, 7, &error), DLCC_OK) << error.message;
    std::vector<double> out;
    for (int step = 0; step < 5; ++step) {
      float x[12], y[4];
      for (int i = 0; i < 12; ++i) x[i] = static_cast<float>((i * 7 + step) % 5) - 2;
      for (int i = 0; i < 4; ++i) y[i] = x[3 * i] - x[3 * i + 1];
      const int64_t x_dims[] = {4, 3}, y_dims[] = {4, 1};
      const dlcc_view in[] = {{x, DLCC_F32, 2, x_dims, sizeof x, {0, 0}}, {y, DLCC_F32, 2, y_dims, sizeof y, {0, 0}}};
      double loss = 0;
      dlcc_view result{&loss, DLCC_F64, 0, nullptr, sizeof loss, {0, 0}};
      EXPECT_EQ(dlcc_train_step(session, in, 2, &result, 1, 4, &error), DLCC_OK) << error.message;
      out.push_back(loss);
    }
    float weights[15];
    const int64_t dims[] = {3, 5};
    dlcc_view view{weights, DLCC_F32, 2, dims, sizeof weights, {0, 0}};
    EXPECT_EQ(dlcc_tensor_read(session, "param/hidden/kernel", &view, &error), DLCC_OK) << error.message;
    out.insert(out.end(), weights, weights + 15);
    dlcc_session_destroy(session);
    return out;
  }

  // Trains and predicts with all the caller's numbers `shift` bytes behind an aligned place: the loss and predictions.
  std::vector<char> run_shifted(size_t shift) {
    constexpr int64_t rows = 64, columns = 48;
    dlcc_session* session = nullptr;
    dlcc_module* module = compile(wide_model);
    dlcc_session_options options{};
    options.struct_size = sizeof options, options.num_threads = 4;
    EXPECT_EQ(dlcc_session_create(module, &options, &session, &error), DLCC_OK) << error.message;
    dlcc_module_close(module);
    EXPECT_EQ(dlcc_init(session, 7, &error), DLCC_OK) << error.message;
    const int64_t x_dims[] = {rows, columns}, y_dims[] = {rows, 1};
    std::vector<char> x(shift + 4 * rows * columns), y(shift + 4 * rows), loss(shift + 8), p(shift + 4 * rows);
    for (int64_t i = 0; i < rows * columns; ++i) {
      const float value = static_cast<float>(i * 7 % 11) - 5;
      memcpy(x.data() + shift + 4 * i, &value, 4);
    }
    const dlcc_view in[] = {{x.data() + shift, DLCC_F32, 2, x_dims, 4 * rows * columns, {0, 0}},
                            {y.data() + shift, DLCC_F32, 2, y_dims, 4 * rows, {0, 0}}};
    dlcc_view result{loss.data() + shift, DLCC_F64, 0, nullptr, 8, {0, 0}};
    dlcc_view predicted{p.data() + shift, DLCC_F32, 2, y_dims, 4 * rows, {0, 0}};
    EXPECT_EQ(dlcc_train_step(session, in, 2, &result, 1, rows, &error), DLCC_OK) << error.message;
    EXPECT_EQ(dlcc_predict(session, in, 1, &predicted, 1, rows, &error), DLCC_OK) << error.message;
    dlcc_session_destroy(session);
    std::vector<char> out(loss.begin() + static_cast<ptrdiff_t>(shift), loss.end());
    out.insert(out.end(), p.begin() + static_cast<ptrdiff_t>(shift), p.end());
    EXPECT_NE(out, std::vector<char>(out.size())) << "nothing was written";
    return out;
  }

  std::string folder_;
  dlcc_error error{};
};

TEST_F(Library, TrainsInTheProcessToTheBitsOfTheFile) {
  const std::string file = write("m.json", model), step = path("step.so");
  dlcc_module *compiled = nullptr, *opened = nullptr;
  ASSERT_EQ(dlcc_compile_file(file.c_str(), nullptr, &compiled, &error), DLCC_OK) << error.message;
  ASSERT_EQ(dlcc_compile_to_file(file.c_str(), nullptr, step.c_str(), &error), DLCC_OK) << error.message;
  ASSERT_EQ(dlcc_module_open(step.c_str(), &opened, &error), DLCC_OK) << error.message;
  const std::vector<double> here = train(compiled);
  EXPECT_LT(here[4], here[0]) << "the loss falls";
  EXPECT_EQ(here, train(opened));
  EXPECT_EQ(here, train(compile(model)));
}

TEST_F(Library, OptionsChangeTheModel) {
  dlcc_compile_options options{};
  options.struct_size = sizeof options;
  options.dtype = "f64", options.batch_size = 9, options.target = "x86-64-v3";
  dlcc_module* module = compile(model, &options);
  const dlcc_module_v1* info = dlcc_module_info(module);
  const int32_t x = dlcc_module_find(module, "x");
  ASSERT_GE(x, 0);
  EXPECT_EQ(info->tensors[x].dtype, DLCC_F64);
  EXPECT_EQ(info->tensors[x].dims[0], 9);
  dlcc_module_close(module);
}

TEST_F(Library, AFaultyModelIsReported) {
  std::string text = model;
  text.replace(text.find("tanh"), 4, "tahn").replace(text.find("adam"), 4, "adom");
  std::vector<std::string> lines;
  dlcc_compile_options options{};
  options.struct_size = sizeof options;
  options.report = [](void* user, const char* line) { static_cast<std::vector<std::string>*>(user)->push_back(line); };
  options.user = &lines;
  dlcc_module* module = nullptr;
  EXPECT_EQ(dlcc_compile_text(text.data(), text.size(), "m.json", &options, &module, &error), DLCC_E_ARG);
  EXPECT_EQ(module, nullptr);
  EXPECT_EQ(std::string(error.message),
            "m.json:3:78: error: unknown activation 'tahn', did you mean 'tanh'? [unknown-name]");
  EXPECT_EQ(lines.size(), 2u);
}

// L1 of the functions that compile; the others are tested with the runtime.
TEST_F(Library, NullPointersAreArgumentErrors) {
  dlcc_module* module = nullptr;
  const char* some = "x";
  auto is_null = [&](dlcc_status status, const std::string& argument) {
    EXPECT_EQ(status, DLCC_E_ARG);
    EXPECT_EQ(std::string(error.message), "dlcc: error: " + argument + " is null [argument]");
  };
  is_null(dlcc_compile_text(nullptr, 0, some, nullptr, &module, &error), "text");
  is_null(dlcc_compile_text(some, 1, some, nullptr, nullptr, &error), "out");
  is_null(dlcc_compile_file(nullptr, nullptr, &module, &error), "path");
  is_null(dlcc_compile_file(some, nullptr, nullptr, &error), "out");
  is_null(dlcc_compile_to_file(nullptr, nullptr, some, &error), "path");
  is_null(dlcc_compile_to_file(some, nullptr, nullptr, &error), "so_path");
  EXPECT_EQ(module, nullptr);
  EXPECT_EQ(dlcc_compile_file(nullptr, nullptr, &module, nullptr), DLCC_E_ARG); // nor does `err` need to be there
}

// C16: a model of no nodes gives back its input.
TEST_F(Library, AModelWithoutNodesIsTheIdentity) {
  dlcc_module* module =
      compile(R"({"dlcc":1,"name":"id","inputs":{"x":{"shape":["N",3]}},"nodes":[],"outputs":["x"]})");
  dlcc_session* session = nullptr;
  ASSERT_EQ(dlcc_session_create(module, nullptr, &session, &error), DLCC_OK) << error.message;
  dlcc_module_close(module);
  ASSERT_EQ(dlcc_init(session, 1, &error), DLCC_OK) << error.message;
  float x[3] = {1, -2, 3}, y[3] = {};
  const int64_t dims[] = {1, 3};
  const dlcc_view in{x, DLCC_F32, 2, dims, sizeof x, {0, 0}};
  dlcc_view out{y, DLCC_F32, 2, dims, sizeof y, {0, 0}};
  EXPECT_EQ(dlcc_predict(session, &in, 1, &out, 1, 1, &error), DLCC_OK) << error.message;
  EXPECT_EQ(memcmp(x, y, sizeof x), 0);
  dlcc_session_destroy(session);
}

// What was fitted on training data, and a state that is not finite, as a program of its own meets them.
TEST_F(Library, TransformsAndStatesOfASession) {
  dlcc_module* module = compile(model);
  dlcc_session* session = nullptr;
  ASSERT_EQ(dlcc_session_create(module, nullptr, &session, &error), DLCC_OK) << error.message;
  dlcc_module_close(module);
  ASSERT_EQ(dlcc_init(session, 1, &error), DLCC_OK) << error.message;

  double center[3] = {1, 10, 100}, scale[3] = {2, 0.5, 0.25};
  int64_t classes = 0;
  const int64_t three[] = {3};
  const dlcc_view of_center{center, DLCC_F64, 1, three, sizeof center, {0, 0}},
      of_scale{scale, DLCC_F64, 1, three, sizeof scale, {0, 0}},
      of_classes{&classes, DLCC_I64, 0, nullptr, sizeof classes, {0, 0}};
  EXPECT_EQ(dlcc_attachment_set(session, "data/x/center", &of_center, &error), DLCC_OK) << error.message;
  EXPECT_EQ(dlcc_attachment_set(session, "data/x/scale", &of_scale, &error), DLCC_OK) << error.message;
  EXPECT_EQ(dlcc_attachment_set(session, "data/x/classes", &of_classes, &error), DLCC_OK) << error.message;
  double in[3] = {2, 12, 96}, back[3] = {};
  float out[3] = {};
  const int64_t dims[] = {1, 3};
  const dlcc_view raw{in, DLCC_F64, 2, dims, sizeof in, {0, 0}};
  dlcc_view made{out, DLCC_F32, 2, dims, sizeof out, {0, 0}}, undone{back, DLCC_F64, 2, dims, sizeof back, {0, 0}};
  ASSERT_EQ(dlcc_transform_apply(session, "x", &raw, &made, &error), DLCC_OK) << error.message;
  EXPECT_EQ(std::vector<float>(out, out + 3), (std::vector<float>{2, 1, -1}));
  ASSERT_EQ(dlcc_transform_undo(session, "x", &made, &undone, &error), DLCC_OK) << error.message;
  EXPECT_EQ(std::vector<double>(back, back + 3), std::vector<double>(in, in + 3));
  const char* cell = "1";
  EXPECT_EQ(dlcc_transform_cells(session, "x", &cell, 1, &cell, 1, &made, &error), DLCC_E_ARG);
  EXPECT_STREQ(error.message, "'x' was not trained on a table: call dlcc_transform_apply");
  char name[8];
  EXPECT_NE(dlcc_class_name(session, "x", 0, name, sizeof name, &error), DLCC_OK);

  EXPECT_EQ(dlcc_check_finite(session, &error), DLCC_OK) << error.message;
  float bias[5] = {0, 0, INFINITY, 0, 0};
  const int64_t five[] = {5};
  const dlcc_view of_bias{bias, DLCC_F32, 1, five, sizeof bias, {0, 0}};
  ASSERT_EQ(dlcc_tensor_write(session, "param/hidden/bias", &of_bias, &error), DLCC_OK) << error.message;
  EXPECT_EQ(dlcc_check_finite(session, &error), DLCC_E_NONFINITE);
  EXPECT_NE(std::string(error.message).find("'param/hidden/bias'"), std::string::npos) << error.message;
  dlcc_session_destroy(session);
}

// L5: compiled loops read and write wherever the caller's numbers lie.
TEST_F(Library, BuffersNeedNoAlignment) {
  const std::vector<char> aligned = run_shifted(0);
  EXPECT_EQ(run_shifted(1), aligned);
  EXPECT_EQ(run_shifted(4), aligned);
}

// K11: threads of the smallest stack that there is, in a process whose OpenMP runtime has read no other wish yet.
TEST_F(Library, GeneratedCodeNeedsLittleStack) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  setenv("OMP_STACKSIZE", "16k", 1);
  EXPECT_EXIT(
      {
        run_shifted(0);
        std::_Exit(testing::Test::HasFailure());
      },
      testing::ExitedWithCode(0), "");
  unsetenv("OMP_STACKSIZE");
}

TEST_F(Library, MisuseIsAStatus) {
  dlcc_module* module = nullptr;
  const std::string step = path("step.so");
  EXPECT_EQ(dlcc_compile_file(path("none.json").c_str(), nullptr, &module, &error), DLCC_E_IO);
  EXPECT_NE(std::string(error.message).find("none.json"), std::string::npos);
  EXPECT_EQ(dlcc_compile_to_file(path("none.json").c_str(), nullptr, step.c_str(), &error), DLCC_E_IO);
  EXPECT_FALSE(std::filesystem::exists(step));
  dlcc_compile_options options{};
  options.struct_size = 8;
  EXPECT_EQ(dlcc_compile_text(model.data(), model.size(), "m", &options, &module, &error), DLCC_E_ABI);
  options.struct_size = sizeof options;
  options.flags = 1;
  EXPECT_EQ(dlcc_compile_text(model.data(), model.size(), "m", &options, &module, &error), DLCC_E_ARG);
  options.flags = 0, options.batch_size = -1;
  EXPECT_EQ(dlcc_compile_text(model.data(), model.size(), "m", &options, &module, &error), DLCC_E_ARG);
  options.batch_size = 0;
  options.report = [](void*, const char*) { throw 1; };
  EXPECT_EQ(dlcc_compile_text("{}", 2, "m", &options, &module, &error), DLCC_E_INTERNAL);
  options.report = nullptr;
  options.target = "z80";
  EXPECT_EQ(dlcc_compile_text(model.data(), model.size(), "m", &options, &module, &error), DLCC_E_ARG);
  EXPECT_EQ(module, nullptr);
}

} // namespace
