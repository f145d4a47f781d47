#include "tools/train/console.h"

#include "tools/train/text.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <sys/ioctl.h>
#include <unistd.h>

namespace dlcc::training {

namespace {

bool set_and_not_empty(const char* variable) {
  const char* v = std::getenv(variable);
  return v && *v;
}

bool utf8_locale() {
  for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"})
    if (set_and_not_empty(variable)) {
      // As "C.UTF-8", "de_DE.utf-8" or "en_US.utf8".
      const char* value = std::getenv(variable);
      return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
    }
  return false;
}

bool on_terminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) && !(term && std::strcmp(term, "dumb") == 0);
}

constexpr int least_cells = 5, most_cells = 24; // of a bar

} // namespace

Console::Console(const Output& output) : quiet_(output.quiet), utf8_(utf8_locale()) {
  const bool terminal = on_terminal();
  mode_ = output.quiet                             ? Mode::none
          : output.progress == Progress::automatic ? (terminal ? Mode::bar : Mode::lines)
          : output.progress == Progress::bar       ? Mode::bar
          : output.progress == Progress::lines     ? Mode::lines
                                                   : Mode::none;
  color_ =
      output.color == Color::always || (output.color == Color::automatic && terminal && !set_and_not_empty("NO_COLOR"));
}

Console::~Console() { clear(); }

int Console::width() const {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

// A closed or broken stderr must not stop a run: the result is not looked at on purpose.
void Console::put(const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t n = write(STDERR_FILENO, text.data() + done, text.size() - done);
    if (n <= 0) return;
    done += static_cast<size_t>(n);
  }
}

void Console::clear() {
  if (drawn_) put("\r\x1b[K");
  drawn_ = false;
}

void Console::warn(const std::string& line) {
  clear();
  put(line + "\n");
}

void Console::note(const std::string& line) {
  if (!quiet_) warn(line);
}

std::string values_text(const Values& values) {
  std::string out;
  for (const auto& [name, value] : values) out += (out.empty() ? "" : ", ") + name + " " + brief(value);
  return out;
}

// What does not fit is left out from the end, value by value; the bar itself takes the room that is left.
std::string Console::bar_text(const Bar& bar, int width, bool utf8) {
  const std::string count = std::to_string(bar.all);
  std::string done = std::to_string(bar.done);
  done.insert(0, count.size() - std::min(count.size(), done.size()), ' ');
  const double each = bar.done > 0 ? bar.seconds / static_cast<double>(bar.done) : 0;
  const std::string head = bar.head + "  " + done + "/" + count;
  std::string tail = bar.done > 0 ? duration(each * static_cast<double>(bar.all - bar.done)) + " left" : "";

  const int room = std::max(width - 1, 10); // the last column would wrap
  auto left = [&](const std::string& more) { return room - columns(head) - columns(tail) - columns(more) - 2; };
  const char* separator = tail.empty() ? "" : "  ";
  for (const auto& value : bar.values) {
    const std::string text = separator + values_text({value});
    if (left(text) < least_cells) break;
    tail += text;
    separator = ", ";
  }
  const int cells = std::min(most_cells, left(""));
  if (cells < least_cells) return first_columns(head + " " + tail, room);
  const auto full = static_cast<int>(cells * bar.done / std::max<int64_t>(bar.all, 1));
  std::string text = head + " ";
  for (int i = 0; i < cells; ++i) text += i < full ? (utf8 ? "━" : "=") : (utf8 ? "╌" : ".");
  return tail.empty() ? text : text + " " + tail;
}

void Console::draw(const Bar& bar) {
  std::string text = bar_text(bar, width(), utf8_);
  if (color_ && utf8_)
    if (const size_t first = text.find("━"); first != std::string::npos) {
      const size_t end = text.rfind("━") + std::strlen("━");
      text = text.substr(0, first) + "\x1b[32m" + text.substr(first, end - first) + "\x1b[0m" + text.substr(end);
    }
  put("\r\x1b[K" + text);
  drawn_ = true;
}

void Console::epoch(int64_t epoch, int64_t epochs, const Values& values, double seconds) {
  if (mode_ == Mode::none) return;
  const std::string of = epochs > 0 ? "/" + std::to_string(epochs) : "";
  warn("epoch " + std::to_string(epoch) + of + ": " + values_text(values) + "  (" + duration(seconds) + ")");
}

} // namespace dlcc::training
