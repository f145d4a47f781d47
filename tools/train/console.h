// console.h: what a person sees while training: a progress bar on a terminal, or a line an epoch; always on stderr.
#pragma once

#include "tools/train/requirement.h"
#include "tools/train/train.h"

#include <chrono>
#include <cstdint>
#include <string>

namespace dlcc::training {

/// Lines go out in one write each, and never into the middle of a bar.
class Console {
public:
  explicit Console(const Output& output);
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  void note(const std::string& line); ///< unless quiet
  void warn(const std::string& line); ///< always; errors too
  /// Shows the bar if the last one is 0.1 s old. `values` is asked only then.
  template <class Describe> void tick(Describe&& describe) {
    if (mode_ != Mode::bar) return;
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return;
    next_ = now + std::chrono::milliseconds(100);
    draw(describe());
  }
  /// A finished epoch.
  void epoch(int64_t epoch, int64_t epochs, const Values& values, double seconds);

  struct Bar {
    std::string head; ///< "Epoch 3/15"
    int64_t done = 0, all = 1;
    double seconds = 0;
    Values values;
  };
  /// The text of a bar, without colours and line ends; at most `width` columns.
  static std::string bar_text(const Bar& bar, int width, bool utf8);

  bool color() const { return color_; }
  bool utf8() const { return utf8_; }
  int width() const; ///< columns of the terminal, 80 if there is none

private:
  enum class Mode { none, lines, bar };
  void draw(const Bar& bar);
  void clear();
  void put(const std::string& text);

  Mode mode_;
  bool quiet_, color_, utf8_, drawn_ = false;
  std::chrono::steady_clock::time_point next_{};
};

/// "loss 0.1234, accuracy 0.9612"
std::string values_text(const Values& values);

} // namespace dlcc::training
