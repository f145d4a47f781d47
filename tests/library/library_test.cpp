// libdlcc as an application uses it: public headers and the two shared libraries only.
#include <dlcc/compiler.h>
#include <dlcc/runtime.h>

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
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

TEST_F(Library, MisuseIsAStatus) {
  dlcc_module* module = nullptr;
  const std::string step = path("step.so");
  EXPECT_EQ(dlcc_compile_text(nullptr, 0, "m", nullptr, &module, &error), DLCC_E_ARG);
  EXPECT_EQ(dlcc_compile_text(model.data(), model.size(), nullptr, nullptr, nullptr, &error), DLCC_E_ARG);
  EXPECT_EQ(dlcc_compile_file(nullptr, nullptr, &module, nullptr), DLCC_E_ARG);
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
