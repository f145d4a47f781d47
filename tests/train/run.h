// run.h: runs commands in a folder of their own and reads what they leave.
#pragma once

#include "tests/train/tiny_module.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <regex>
#include <string>
#include <unistd.h>
#include <vector>

namespace dlcc::training::test {

class Train : public testing::Test {
protected:
  Train() {
    std::string pattern = (std::filesystem::temp_directory_path() / "dlcc-train-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    module_ = open_tiny_module();
    job_ = tiny_job(module_, folder_);
    options_.out = path("out");
    options_.threads = 1;
    options_.output.progress = Progress::lines;
    options_.command = {"dlcc", "train", "tiny.json"};
  }
  ~Train() override {
    before_step = nullptr;
    before_evaluation = nullptr;
    poisoned_batch.reset();
    dlcc_module_close(module_);
    std::filesystem::remove_all(folder_);
  }

  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  std::string read(const std::string& name) const {
    std::ifstream in(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  bool exists(const std::string& name) const { return std::filesystem::exists(path(name)); }

  /// The exit code of `body`; what it printed is in out_ and err_.
  template <class Body> int captured(Body&& body) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = body();
    out_ = testing::internal::GetCapturedStdout();
    err_ = testing::internal::GetCapturedStderr();
    return code;
  }
  int run() {
    return captured([&] { return train(job_, options_); });
  }
  int run(const RunOptions& options) {
    return captured([&] { return train(job_, options); });
  }
  /// history.jsonl without the times.
  std::string log(const std::string& name) const {
    return std::regex_replace(read(name), std::regex(",\"seconds\":[-+.e0-9]+"), "");
  }
  std::vector<std::string> lines(const std::string& name) const {
    std::ifstream in(path(name));
    std::vector<std::string> out;
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
  }

  std::string folder_, out_, err_;
  dlcc_module* module_ = nullptr;
  Job job_;
  RunOptions options_;
};

} // namespace dlcc::training::test

#define EXPECT_HAS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)
