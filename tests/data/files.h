// Runs readers on the files of the data tests.
#pragma once

#include "runtime/data/error.h"
#include "runtime/data/open.h"
#include "tests/data/bytes.h"

#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>
#include <vector>

namespace dlcc::data {

/// A folder that is removed with its test.
class Folder {
public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "dlcc-data-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path_ + "/" + name, std::ios::binary) << bytes;
    return name;
  }
  const std::string& path() const { return path_; }

private:
  std::string path_;
};

/// The error that `work` ends with; fails the test if there is none or if its line breaks the rules for messages.
inline DataError error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const DataError& e) {
    std::string line = e.what();
    EXPECT_LE(line.size(), 300u);
    for (char c : line) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F) << line;
    return e;
  }
  ADD_FAILURE() << "no error";
  return DataError("", "no error", "none");
}

/// All `parts` occur in the message, in this order.
inline void expect_message(const DataError& e, Code code, const std::vector<std::string>& parts) {
  EXPECT_EQ(static_cast<int>(e.code), static_cast<int>(code)) << e.what();
  std::string line = e.what();
  size_t at = 0;
  for (const std::string& p : parts) {
    size_t found = line.find(p, at);
    ASSERT_NE(found, line.npos) << "'" << p << "' is missing in: " << line;
    at = found + p.size();
  }
}

/// A model's view of one data set, with the defaults that most tests want; `open` gives batches of all samples.
struct Scenario {
  Folder folder;
  DataSpec data;
  TrainSpec train;
  std::vector<TensorSpec> tensors;
  OpenOptions options;

  Scenario() {
    data.train.emplace();
    train.shuffle = false;
    options.model_file = "model.json";
    options.files.directory = folder.path();
    options.files.confined = true;
  }
  SourceSpec& source() { return *data.train; }
  void add(TensorSpec t, const std::string& from) {
    source().tensors.push_back({t.name, from, {}, {}});
    tensors.push_back(std::move(t));
  }
  void add_csv(TensorSpec t, std::vector<ColumnRef> columns) {
    source().tensors.push_back({t.name, {}, std::move(columns), {}});
    tensors.push_back(std::move(t));
  }
  OpenedData open() { return open_data(data, train, tensors, options); }
  DataError error() {
    return error_of([&] { open(); });
  }
};

/// A file that is cut anywhere is refused, and never read past its end.
template <class ScenarioOf> void expect_truncations_refused(const std::string& good) {
  for (size_t n = 0; n < good.size(); ++n) {
    ScenarioOf s(good.substr(0, n));
    EXPECT_EQ(s.error().code, Code::data) << n;
  }
}

/// A byte that is damaged anywhere raises a DataError or is a value like any other.
template <class ScenarioOf> void expect_damage_survived(const std::string& good) {
  for (size_t i = 0; i < good.size(); ++i)
    for (char flip : {'\x01', '\x80', '\xff'}) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ flip);
      ScenarioOf s(bad);
      try {
        s.open();
      } catch (const DataError& e) {
        EXPECT_LE(std::string(e.what()).size(), 300u);
      }
    }
}

/// All rows of tensor `t` of `source`, in the order of epoch `epoch`.
template <class T>
std::vector<T> rows_of(BatchSource& source, const std::vector<TensorSpec>& tensors, size_t t, uint64_t epoch = 0) {
  std::vector<std::vector<std::byte>> store;
  std::vector<void*> buffers;
  std::vector<int64_t> elements;
  for (const TensorSpec& s : tensors) {
    elements.push_back(checked_product(s.shape).value());
    store.emplace_back(static_cast<size_t>(elements.back() * source.batch_size() * byte_size(s.dtype)),
                       std::byte{0xEE});
  }
  for (auto& s : store) buffers.push_back(s.data());
  std::vector<T> out;
  for (int64_t b = 0; b < source.batches_per_epoch(); ++b) {
    int64_t valid = source.fill(epoch, b, buffers);
    const T* p = reinterpret_cast<const T*>(buffers[t]);
    out.insert(out.end(), p, p + valid * elements[t]);
  }
  return out;
}

} // namespace dlcc::data
