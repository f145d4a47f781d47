#include "tools/train/history.h"

#include "runtime/core/error.h"
#include "tools/train/failure.h"
#include "tools/train/run_folder.h"
#include "tools/train/text.h"

#include <cerrno>
#include <cmath>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace dlcc::training {

namespace {

using json = nlohmann::ordered_json;

std::string read_all(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The complete lines; what follows the last line end was torn.
std::vector<std::string> complete_lines(const std::string& text) {
  std::vector<std::string> lines = split(text, '\n');
  lines.pop_back();
  return lines;
}

void replace_lines(const std::string& path, const std::string& before, const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& l : lines) text += l + "\n";
  if (text != before) write_text(path, text);
}

int open_log(const std::string& path, bool resume) {
  const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | (resume ? 0 : O_TRUNC);
  const int file = open(path.c_str(), flags, 0666);
  if (file < 0) runtime::fail_errno("cannot open", path, errno);
  return file;
}

// Lines of epochs that are over, and of steps that are done.
std::vector<std::string> kept_json(const std::string& text, int64_t epochs, uint64_t step) {
  std::vector<std::string> kept;
  for (std::string& line : complete_lines(text)) {
    const json j = json::parse(line, nullptr, false);
    if (!j.is_object()) continue;
    const bool epoch_line = j.contains("epoch"), step_line = j.contains("step");
    const bool keep = epoch_line ? j["epoch"].is_number_integer() && j["epoch"].get<int64_t>() <= epochs
                                 : step_line && j["step"].is_number_integer() && j["step"].get<uint64_t>() <= step;
    if (keep) kept.push_back(std::move(line));
  }
  return kept;
}

} // namespace

History::History(const Options& options, const std::vector<std::string>& names)
    : options_(options), names_(names), csv_path_(options.folder + "/history.csv"),
      jsonl_path_(options.folder + "/history.jsonl"), flushed_(std::chrono::steady_clock::now()) {
  if (options.csv) {
    if (options.resume) read_csv(read_all(csv_path_));
    csv_ = open_log(csv_path_, options.resume);
    if (lseek(csv_, 0, SEEK_END) == 0) append(csv_, csv_path_, header() + "\n");
  }
  if (options.jsonl) {
    const std::string text = options.resume ? read_all(jsonl_path_) : "";
    if (options.resume) replace_lines(jsonl_path_, text, kept_json(text, options.epochs_done, options.step));
    jsonl_ = open_log(jsonl_path_, options.resume);
  }
}

History::~History() {
  if (csv_ >= 0) close(csv_);
  if (jsonl_ >= 0) close(jsonl_);
}

std::string History::header() const { return "epoch,step," + joined(names_, ","); }

void History::read_csv(const std::string& text) {
  std::vector<std::string> kept;
  for (const std::string& line : complete_lines(text)) {
    if (kept.empty()) {
      if (line != header())
        throw Failure(exit_checkpoint,
                      "'" + runtime::escape(csv_path_) + "' has the columns '" + runtime::escape(line) +
                          "', this run has '" + header() + "'; move it away",
                      "history");
      kept.push_back(line);
      continue;
    }
    const auto cells = split(line, ',');
    EpochLine epoch;
    int64_t step = 0;
    if (cells.size() != names_.size() + 2 || !parse_integer(cells[0], &epoch.epoch) || !parse_integer(cells[1], &step))
      continue;
    if (epoch.epoch > options_.epochs_done) continue;
    epoch.step = static_cast<uint64_t>(step);
    for (size_t i = 0; i < names_.size(); ++i) {
      double v = std::nan("");
      parse_double(cells[i + 2], &v);
      epoch.values.emplace_back(names_[i], v);
    }
    lines_.push_back(std::move(epoch));
    kept.push_back(line);
  }
  replace_lines(csv_path_, text, kept);
}

// A line that does not go in as a whole, on a full disk, is taken back.
void History::append(int file, const std::string& path, const std::string& text) {
  const off_t before = lseek(file, 0, SEEK_END);
  for (size_t done = 0; done < text.size();) {
    const ssize_t n = write(file, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int error = errno;
      // If even that fails, the torn line stays there until the run is resumed.
      if (done > 0 && ftruncate(file, before) != 0) dirty_ = true;
      runtime::fail_errno("cannot write", path, error);
    }
    done += static_cast<size_t>(n);
  }
  dirty_ = true;
}

void History::flush() {
  if (!dirty_) return;
  dirty_ = false;
  flushed_ = std::chrono::steady_clock::now();
  if (csv_ >= 0 && fsync(csv_) != 0) runtime::fail_errno("cannot write", csv_path_, errno);
  if (jsonl_ >= 0 && fsync(jsonl_) != 0) runtime::fail_errno("cannot write", jsonl_path_, errno);
}

void History::add_epoch(const EpochLine& line, double seconds) {
  lines_.push_back(line);
  if (jsonl_ >= 0) {
    json j;
    j["epoch"] = line.epoch;
    j["step"] = line.step;
    for (const auto& [name, value] : line.values) j[name] = value;
    j["seconds"] = std::round(seconds * 1e6) / 1e6;
    append(jsonl_, jsonl_path_, j.dump() + "\n");
  }
  if (csv_ >= 0) {
    std::string text = std::to_string(line.epoch) + "," + std::to_string(line.step);
    for (const auto& [name, value] : line.values) text += "," + exact(value);
    append(csv_, csv_path_, text + "\n");
  }
  if (std::chrono::steady_clock::now() - flushed_ >= std::chrono::seconds(1)) flush();
}

void History::add_step(uint64_t step, double loss) {
  if (jsonl_ < 0) return;
  json j;
  j["step"] = step;
  j["loss"] = loss;
  append(jsonl_, jsonl_path_, j.dump() + "\n");
}

} // namespace dlcc::training
