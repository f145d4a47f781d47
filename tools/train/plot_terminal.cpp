#include "tools/train/plot.h"

#include "tools/train/text.h"

#include <algorithm>
#include <cmath>

namespace dlcc::training {

namespace {

// A field of dots, 2 x 4 to a character (Unicode's braille patterns, U+2800 plus a bit a dot), each character of the
// colour of the curve that reached it last.
class Dots {
public:
  Dots(int columns, int rows) : columns_(columns), rows_(rows), cells_(static_cast<size_t>(columns * rows)) {}
  int width() const { return 2 * columns_; }
  int height() const { return 4 * rows_; }

  void set(int x, int y, int color) {
    if (x < 0 || y < 0 || x >= width() || y >= height()) return;
    static constexpr unsigned char bits[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    Cell& c = cells_[static_cast<size_t>(y / 4 * columns_ + x / 2)];
    c.dots |= bits[y % 4][x % 2];
    c.color = color;
  }
  void line(double x0, double y0, double x1, double y1, int color) {
    const int n = 1 + static_cast<int>(std::max(std::fabs(x1 - x0), std::fabs(y1 - y0)));
    for (int i = 0; i <= n; ++i) {
      const double t = static_cast<double>(i) / n;
      set(static_cast<int>(std::lround(x0 + t * (x1 - x0))), static_cast<int>(std::lround(y0 + t * (y1 - y0))), color);
    }
  }

  std::string row(int r, bool color, bool utf8) const {
    static constexpr const char* codes[] = {"\x1b[36m", "\x1b[33m"};
    static constexpr char plain[] = {'*', '+'};
    std::string out;
    for (int c = 0; c < columns_; ++c) {
      const Cell& cell = cells_[static_cast<size_t>(r * columns_ + c)];
      if (cell.dots == 0) {
        out += ' ';
        continue;
      }
      if (color) out += codes[cell.color];
      if (!utf8)
        out += plain[cell.color];
      else
        out += {'\xe2', static_cast<char>(0xa0 | cell.dots >> 6), static_cast<char>(0x80 | (cell.dots & 0x3f))};
      if (color) out += "\x1b[0m";
    }
    return out;
  }

private:
  struct Cell {
    unsigned char dots = 0;
    int color = 0;
  };
  int columns_, rows_;
  std::vector<Cell> cells_;
};

struct Range {
  double low = INFINITY, high = -INFINITY;
};

Range range_of(const std::vector<EpochLine>& lines) {
  Range r;
  for (const EpochLine& l : lines)
    for (const char* name : {"loss", "val_loss"})
      if (const double* v = find_value(l.values, name); v && std::isfinite(*v))
        r.low = std::min(r.low, *v), r.high = std::max(r.high, *v);
  return r;
}

void draw(Dots& dots, const std::vector<EpochLine>& lines, const char* name, Range range, int color) {
  const auto first = static_cast<double>(lines.front().epoch), last = static_cast<double>(lines.back().epoch);
  const double x_scale = last > first ? (dots.width() - 1) / (last - first) : 0;
  const double y_scale = range.high > range.low ? (dots.height() - 1) / (range.high - range.low) : 0;
  bool down = false;
  double px = 0, py = 0;
  for (const EpochLine& l : lines) {
    const double* v = find_value(l.values, name);
    if (!v || !std::isfinite(*v)) {
      down = false;
      continue;
    }
    const double x = (static_cast<double>(l.epoch) - first) * x_scale, y = (range.high - *v) * y_scale;
    dots.line(down ? px : x, down ? py : y, x, y, color);
    px = x, py = y, down = true;
  }
}

std::string padded(const std::string& s, size_t width) {
  return std::string(width - std::min(width, s.size()), ' ') + s;
}

} // namespace

std::string plot_terminal(const std::vector<EpochLine>& lines, int width, bool color, bool utf8) {
  const Range range = lines.empty() ? Range{} : range_of(lines);
  if (!(range.low <= range.high)) return "no finite loss to plot";
  constexpr int rows = 12;
  constexpr size_t label = 10;
  const int columns = std::clamp(width - static_cast<int>(label) - 3, 10, 200);
  Dots dots(columns, rows);
  const bool validated = find_value(lines.front().values, "val_loss") != nullptr;
  draw(dots, lines, "loss", range, 0);
  if (validated) draw(dots, lines, "val_loss", range, 1);

  // Without colours, two curves of dots could not be told apart.
  const bool braille = utf8 && (color || !validated);
  const char* bar = utf8 ? " │" : " |";
  std::string out;
  for (int r = 0; r < rows; ++r) {
    const bool first = r == 0, last = r == rows - 1, middle = r == rows / 2;
    const double at = range.high - (range.high - range.low) * (r + 0.5) / rows;
    const std::string text = first ? brief(range.high) : last ? brief(range.low) : middle ? brief(at) : "";
    out += padded(text, label) + bar + dots.row(r, color, braille) + "\n";
  }
  const std::string from = std::to_string(lines.front().epoch), to = std::to_string(lines.back().epoch);
  out += std::string(label + 2, ' ') + from + padded(to, static_cast<size_t>(columns) - from.size()) + "\n";
  const std::string cyan = color ? "\x1b[36m" : "", yellow = color ? "\x1b[33m" : "", off = color ? "\x1b[0m" : "";
  const char* mark_loss = braille ? "━ " : "* ";
  const char* mark_val = braille ? "━ " : "+ ";
  out += std::string(label + 2, ' ') + cyan + mark_loss + "loss" + off;
  if (validated) out += "  " + yellow + mark_val + "val_loss" + off;
  return out + "  over epochs";
}

} // namespace dlcc::training
