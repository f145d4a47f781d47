#include "tools/train/run_state.h"

#include "tools/train/text.h"

#include <charconv>

namespace dlcc::training {

namespace {

[[noreturn]] void refuse(const std::string& key) {
  throw Failure(exit_checkpoint,
                "the checkpoint is not one of a training run: metadata '" + key + "' is missing or bad", "resume");
}

template <class T> T integer(const Runner& runner, const std::string& key) {
  const std::string text = runner.meta(key, "");
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) refuse(key);
  return value;
}

void read(const Runner& runner, const std::string& key, double* value) {
  if (!parse_double(runner.meta(key, ""), value, true)) refuse(key);
}

void read(const Runner& runner, const std::string& key, Watch* watch) {
  if (!watch->parse(runner.meta(key, ""))) refuse(key);
}

} // namespace

void RunState::store(Runner& runner) const {
  runner.set_meta("dlcc.step", std::to_string(runner.step()));
  runner.set_meta("dlcc.epoch", std::to_string(epoch));
  runner.set_meta("dlcc.data_pos", std::to_string(batch));
  runner.set_meta("dlcc.data_seed", std::to_string(data_seed));
  runner.set_meta("dlcc.data_hash", std::to_string(data_hash));
  runner.set_meta("dlcc.best", best.text());
  runner.set_meta("dlcc.no_change", no_change.watch.text());
  runner.set_meta("dlcc.plateau", plateau.text());
  runner.set_meta("dlcc.learning_rate", hex(learning_rate));
}

void RunState::restore(const Runner& runner) {
  epoch = integer<int64_t>(runner, "dlcc.epoch");
  batch = integer<int64_t>(runner, "dlcc.data_pos");
  data_seed = integer<uint64_t>(runner, "dlcc.data_seed");
  data_hash = integer<uint64_t>(runner, "dlcc.data_hash");
  read(runner, "dlcc.best", &best);
  read(runner, "dlcc.no_change", &no_change.watch);
  read(runner, "dlcc.plateau", &plateau);
  read(runner, "dlcc.learning_rate", &learning_rate);
  if (epoch < 0 || batch < 0) refuse("dlcc.epoch");
}

} // namespace dlcc::training
