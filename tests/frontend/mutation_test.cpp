// Hostile bytes: damaged models give a model or an error, never a crash, and messages stay one short clean line.
#include "models.h"
#include "reading.h"

#include "frontend/build/print_config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace dlcc::frontend::testing {
namespace {

const char* const pieces[] = {"{",
                              "}",
                              "[",
                              "]",
                              ",",
                              ":",
                              "\"",
                              "null",
                              "true",
                              "-1",
                              "0",
                              "1e9",
                              "0.5",
                              "1e999",
                              "\"d.x\"",
                              "\\",
                              "\"\\u0000\"",
                              "\xFF",
                              "\x1b",
                              "//",
                              "N",
                              "\"type\": \"Dense\",",
                              "\"x-\": 1,",
                              "9223372036854775807",
                              "\"shape\": [],",
                              "[[[[[[[[[[[[1]]]]]]]]]]]]"};

std::string damage(std::string text, std::mt19937& random) {
  auto below = [&](size_t n) { return static_cast<size_t>(random() % n); };
  for (size_t times = 1 + below(3); times > 0; --times) {
    size_t at = below(text.size()), length = std::min<size_t>(below(12), text.size() - at);
    switch (below(4)) {
    case 0:
      text.erase(at, length);
      break;
    case 1:
      text.insert(at, pieces[below(std::size(pieces))]);
      break;
    case 2:
      text.replace(at, length, pieces[below(std::size(pieces))]);
      break;
    default:
      text.insert(below(text.size()), text.substr(at, below(200)));
      break;
    }
    if (text.empty()) text = " ";
  }
  return text;
}

TEST(Mutation, damaged_models) {
  std::mt19937 random(20240607);
  Overrides overrides;
  overrides.symbols = {{"T", 2}};
  overrides.sets = {{"train.epochs", "2"}};
  for (const char* text : {binary_classifier, logistic_regression, everything})
    for (int i = 0; i < 2000; ++i) {
      std::string bad = damage(text, random);
      Outcome out = read(bad, overrides);
      bool has_error = false;
      for (const std::string& line : out.lines) {
        has_error |= line.find(": error: ") != std::string::npos;
        ASSERT_LE(line.size(), 300u) << bad;
        for (char c : line) ASSERT_FALSE(static_cast<unsigned char>(c) < 0x20 || c == 0x7F) << bad;
      }
      ASSERT_NE(out.model.has_value(), has_error) << bad;
      if (out.model) {
        ASSERT_TRUE(read(print_config(*out.model), {}).model.has_value()) << bad;
      }
    }
}

} // namespace
} // namespace dlcc::frontend::testing
