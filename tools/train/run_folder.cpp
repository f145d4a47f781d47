#include "tools/train/run_folder.h"

#include "runtime/core/atomic_file.h"
#include "runtime/core/checkpoint.h"
#include "runtime/core/error.h"
#include "tools/train/failure.h"
#include "tools/train/text.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

namespace dlcc::training {

namespace {

using runtime::escape;

bool is_folder(const std::string& path) {
  struct stat st;
  return stat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
}

bool exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

// Makes the folder and those above it; false if it was there.
bool make_folder(const std::string& path) {
  for (size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1))
    mkdir(path.substr(0, at).c_str(), 0777); // if this fails, the last one does
  if (mkdir(path.c_str(), 0777) == 0) return true;
  const int error = errno;
  if (error == EEXIST && is_folder(path)) return false;
  if (error == EEXIST) throw Failure(exit_io, "'" + escape(path) + "' is no folder", "io");
  throw Failure(exit_io, "cannot make the folder '" + escape(path) + "': " + std::strerror(error), "io");
}

std::string numbered(const std::string& name, int64_t k) { return "runs/" + name + "-" + std::to_string(k); }

// The largest k of the folders runs/<name>-<k>; 0: none.
int64_t newest_number(const std::string& name) {
  int64_t newest = 0;
  std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir("runs"), &closedir);
  while (const dirent* e = dir ? readdir(dir.get()) : nullptr) {
    const std::string entry = e->d_name;
    int64_t k = 0;
    if (entry.starts_with(name + "-") && parse_integer(std::string_view(entry).substr(name.size() + 1), &k))
      newest = std::max(newest, k);
  }
  return newest;
}

std::string folder_of(const std::string& file) {
  std::string folder, name;
  runtime::split_path(file, &folder, &name);
  return folder;
}

std::vector<std::string> skipped_lines(const runtime::LatestCheckpoint& found) {
  std::vector<std::string> lines;
  for (const auto& s : found.skipped)
    lines.push_back(warning_line(s.reason + (found.path.empty() ? "" : "; using '" + escape(found.path) + "' instead"),
                                 "checkpoint"));
  return lines;
}

} // namespace

void RunFolder::claim() {
  lock_ = std::make_unique<runtime::FolderLock>(path_);
  runtime::remove_stale_temporaries(path_);
}

void RunFolder::choose_checkpoint(const std::string& folder, const std::string& which) {
  if (which == "latest") {
    const auto found = runtime::find_latest_checkpoint(folder);
    warnings_ = skipped_lines(found);
    checkpoint_ = found.path;
    if (!checkpoint_.empty()) return;
    throw Failure(exit_checkpoint,
                  "'" + escape(folder) + "' holds no valid checkpoint to resume from" +
                      (found.skipped.empty() ? "" : " (" + found.skipped.front().reason + ")"),
                  "resume");
  }
  checkpoint_ = which == "best" ? folder + "/best.safetensors" : which;
  if (!exists(checkpoint_))
    throw Failure(which == "best" ? exit_checkpoint : exit_io, "there is no '" + escape(checkpoint_) + "'", "resume");
}

RunFolder RunFolder::resumed(const RunOptions& options, const std::string& name) {
  RunFolder run;
  const bool named = options.resume == "latest" || options.resume == "best";
  const bool folder = !named && is_folder(options.resume);
  if (!options.out.empty())
    run.path_ = options.out;
  else if (folder)
    run.path_ = options.resume;
  else if (!named)
    run.path_ = folder_of(options.resume);
  else if (const int64_t k = newest_number(name); k > 0)
    run.path_ = numbered(name, k);
  else
    throw Failure(exit_checkpoint, "there is no run of '" + escape(name) + "' in 'runs' to resume", "resume");
  if (named && !is_folder(run.path_))
    throw Failure(exit_checkpoint, "there is no folder '" + escape(run.path_) + "' to resume from", "resume");
  // The folder is locked before a checkpoint is chosen in it, but none is made for a checkpoint that is not there.
  const std::string source = folder ? options.resume : run.path_;
  const bool in_place = (named || folder) && source == run.path_;
  if (in_place) run.claim();
  run.choose_checkpoint(source, folder ? "latest" : options.resume);
  if (in_place) return run;
  if (!is_folder(run.path_)) make_folder(run.path_);
  run.claim();
  return run;
}

void RunFolder::check_free(const RunOptions& options) {
  if (options.out.empty() || !runtime::holds_checkpoints(options.out)) return;
  throw Failure(exit_checkpoint,
                "'" + escape(options.out) + "' holds checkpoints already; give --resume to go on, or another --out",
                "out");
}

RunFolder RunFolder::created(const RunOptions& options, const std::string& name) {
  RunFolder run;
  run.path_ = options.out;
  if (options.out.empty()) {
    int64_t k = newest_number(name) + 1;
    while (!make_folder(numbered(name, k))) ++k; // another run may have been faster
    run.path_ = numbered(name, k);
  } else {
    make_folder(options.out);
  }
  run.claim();
  check_free(options);
  return run;
}

std::string find_weights(const std::string& weights) {
  if (!exists(weights)) throw Failure(exit_io, "cannot open '" + escape(weights) + "': " + std::strerror(errno), "io");
  if (!is_folder(weights)) return weights;
  const std::string best = weights + "/best.safetensors";
  std::string fault;
  try {
    if (exists(best)) return runtime::CheckpointFile(best).path();
  } catch (const runtime::Error& e) { // the newest is better than none
    fault = e.message();
  }
  auto found = runtime::find_latest_checkpoint(weights);
  const bool known =
      std::any_of(found.skipped.begin(), found.skipped.end(), [&](const auto& s) { return s.path == best; });
  if (!fault.empty() && !known) found.skipped.push_back({best, fault});
  for (const std::string& line : skipped_lines(found)) std::fprintf(stderr, "%s\n", line.c_str());
  if (!found.path.empty()) return found.path;
  throw Failure(exit_checkpoint, "'" + escape(weights) + "' holds no valid checkpoint", "weights");
}

void load_weights(Runner& runner, const std::string& file, uint32_t parts, bool allow_partial) {
  if (allow_partial) return runner.load(file, parts | DLCC_LOAD_PARTIAL);
  try {
    runner.load(file, parts | DLCC_LOAD_WEIGHTS);
  } catch (const OtherModel& e) {
    throw OtherModel(e.text() + "; see --allow-partial-weights");
  }
}

uint64_t data_seed(const Runner& runner, uint64_t otherwise) {
  const std::string text = runner.meta("dlcc.data_seed", "");
  uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  return error == std::errc() && end == text.data() + text.size() ? seed : otherwise;
}

void write_text(const std::string& path, const std::string& text) {
  runtime::AtomicFile file(path, text.size());
  file.write(text.data(), text.size());
  file.commit();
}

static std::string cpu_name() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("model name")) return line.substr(std::min(line.size(), line.find(':') + 2));
  return "";
}

std::string run_record(const RunOptions& options, const dlcc_module_v1& module, uint64_t seed, int64_t samples,
                       uint64_t data_hash) {
  char digits[2 * sizeof module.model_hash + 1] = {};
  for (size_t i = 0; i < sizeof module.model_hash; ++i) std::snprintf(digits + 2 * i, 3, "%02x", module.model_hash[i]);
  char cwd[PATH_MAX] = {};
  nlohmann::ordered_json j;
  j["format"] = 1;
  j["command"] = options.command;
  j["directory"] = getcwd(cwd, sizeof cwd) ? cwd : "";
  j["version"] = options.version;
  j["compiler"] = module.compiler;
  j["model"] = module.name;
  j["model_hash"] = digits;
  j["cpu"] = cpu_name();
  j["cpu_features_used"] = module.cpu_features;
  j["threads"] = options.threads;
  j["seed"] = seed;
  j["training_samples"] = samples;
  j["data_hash"] = data_hash;
  return j.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

static std::string quoted(const std::string& word) {
  constexpr const char* plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
  std::string out = "'";
  for (char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

bool is_resume_value(const std::string& word) {
  return word == "latest" || word == "best" || word.ends_with(".safetensors");
}

std::string resume_command(const std::vector<std::string>& command, const std::string& folder) {
  std::string out;
  for (size_t i = 0; i < command.size(); ++i) {
    const std::string& word = command[i];
    if (word == "--out") {
      ++i;
      continue;
    }
    if (word == "--resume") { // its value may be the next word
      if (i + 1 < command.size() && is_resume_value(command[i + 1])) ++i;
      continue;
    }
    if (word.starts_with("--resume=") || word.starts_with("--out=")) continue;
    out += quoted(word) + " ";
  }
  return out + "--out " + quoted(folder) + " --resume";
}

} // namespace dlcc::training
