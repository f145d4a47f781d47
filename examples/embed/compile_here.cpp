// Compiles a model inside the program, fits a plane with it, and prints the plane. See README.md for how to build it.
#include <dlcc/compiler.h>
#include <dlcc/runtime.hpp>

#include <cstdio>
#include <string>
#include <vector>

const std::string model = R"({ "dlcc": 1, "name": "plane",
  "inputs": { "x": { "shape": ["N", 2] } },
  "layers": [ { "type": "Dense", "name": "plane", "units": 1 } ],
  "loss": "mean_squared_error", "optimizer": { "type": "sgd", "learning_rate": 0.1 },
  "train": { "batch_size": 64 } })";

int main() try {
  dlcc_error error{};
  dlcc_module* compiled = nullptr;
  if (dlcc_compile_text(model.data(), model.size(), "plane", nullptr, &compiled, &error) != DLCC_OK)
    throw dlcc::error(error);
  const auto step = dlcc::compiled_step::adopt(compiled);
  dlcc::session session(step);
  session.init(1);

  std::vector<float> x(64 * 2), y(64);
  for (int i = 0; i < 64; ++i) {
    x[2 * i] = static_cast<float>(i % 8) / 4 - 1, x[2 * i + 1] = static_cast<float>(i / 8) / 4 - 1;
    y[i] = 2 * x[2 * i] - 3 * x[2 * i + 1] + 1;
  }
  double loss = 0;
  for (int i = 0; i < 500; ++i)
    session.train_step({{x.data(), {64, 2}}, {y.data(), {64, 1}}}, {dlcc::tensor_view(loss)}, 64);

  std::vector<float> slope(2), height(1);
  session.read("param/plane/kernel", {slope.data(), {2, 1}});
  session.read("param/plane/bias", {height.data(), {1}});
  std::printf("y = %.2f a %+.2f b %+.2f, loss %.1e\n", slope[0], slope[1], height[0], loss);
} catch (const dlcc::error& e) {
  std::fprintf(stderr, "compile_here: %s\n", e.what());
  return 1;
}
