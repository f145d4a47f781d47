// What `dlcc bench --json` prints: its numbers fit each other, whatever the machine.
#pragma once

#include <gtest/gtest.h>
#include <regex>
#include <string>

namespace dlcc {

inline void expect_bench_json(const std::string& json, int batch, int steps) {
  const std::regex pattern("^\\{\"format\":1,\"batch\":" + std::to_string(batch) +
                           ",\"steps\":" + std::to_string(steps) +
                           ",\"median_ns\":([0-9]+),\"min_ns\":([0-9]+),\"samples_per_s\":([0-9.e+]+),");
  std::smatch all;
  ASSERT_TRUE(std::regex_search(json, all, pattern)) << json;
  EXPECT_LE(std::stoll(all[2]), std::stoll(all[1]));
  EXPECT_NEAR(std::stod(all[3]) * std::stod(all[1]), batch * 1e9, batch);
}

} // namespace dlcc
