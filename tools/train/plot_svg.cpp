#include "tools/train/plot.h"

#include "tools/train/text.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace dlcc::training {

namespace {

constexpr double panel_width = 460, panel_height = 300, margin_left = 62, margin_right = 16, margin_top = 40,
                 margin_bottom = 44, header = 36;
constexpr const char* colors[] = {"#1f6fb4", "#d9600a"}; // training, validation

struct Curve {
  std::string name, color;
  std::vector<std::pair<double, double>> points; // epoch, value; NaN: a gap
};
struct Panel {
  std::string title;
  std::vector<Curve> curves;
};

std::string number(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", v);
  return text;
}

std::string tick_text(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", std::fabs(v) < 1e-12 ? 0.0 : v);
  return text;
}

std::string xml(const std::string& s) {
  std::string out;
  for (char c : s) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (static_cast<unsigned char>(c) >= 0x20)
      out += c;
  }
  return out;
}

// At most about so many points: of each stretch of epochs the lowest and the highest, which is what a picture of this
// size can show of it. A stretch without any keeps one of its gaps.
void thin_out(std::vector<std::pair<double, double>>& points) {
  constexpr size_t most = 2000;
  if (points.size() <= most) return;
  const size_t stretch = (points.size() + most / 2 - 1) / (most / 2);
  std::vector<std::pair<double, double>> kept;
  for (size_t begin = 0; begin < points.size(); begin += stretch) {
    const size_t end = std::min(begin + stretch, points.size());
    size_t low = end, high = end;
    for (size_t i = begin; i < end; ++i) {
      if (!std::isfinite(points[i].second)) continue;
      if (low == end || points[i].second < points[low].second) low = i;
      if (high == end || points[i].second > points[high].second) high = i;
    }
    if (low == end) low = high = begin;
    kept.push_back(points[std::min(low, high)]);
    if (low != high) kept.push_back(points[std::max(low, high)]);
  }
  points = std::move(kept);
}

Curve curve_of(const std::vector<EpochLine>& lines, const std::string& name, size_t color) {
  Curve c{name, colors[color], {}};
  for (const EpochLine& l : lines) {
    const double* v = find_value(l.values, name);
    c.points.emplace_back(static_cast<double>(l.epoch), v ? *v : std::nan(""));
  }
  thin_out(c.points);
  return c;
}

std::vector<Panel> panels_of(const std::vector<EpochLine>& lines) {
  std::vector<Panel> panels;
  for (const auto& [name, value] : lines.front().values) {
    if (name.starts_with("val_")) continue;
    Panel p{name, {curve_of(lines, name, 0)}};
    if (find_value(lines.front().values, "val_" + name)) p.curves.push_back(curve_of(lines, "val_" + name, 1));
    panels.push_back(std::move(p));
  }
  return panels;
}

struct Range {
  double low = 0, high = 1;
};

Range range_of(const Panel& panel) {
  double low = INFINITY, high = -INFINITY;
  for (const Curve& c : panel.curves)
    for (const auto& [x, y] : c.points)
      if (std::isfinite(y)) low = std::min(low, y), high = std::max(high, y);
  if (!(low <= high)) return {};
  if (low == high) low -= std::max(1e-6, std::fabs(low) * 0.1), high += std::max(1e-6, std::fabs(high) * 0.1);
  return {low, high};
}

class PanelPicture {
public:
  PanelPicture(const Panel& panel, double left, double top, Range epochs)
      : panel_(panel), left_(left + margin_left), top_(top + margin_top), x_(epochs),
        y_ticks_(ticks(range_of(panel).low, range_of(panel).high, 5)), y_{y_ticks_.front(), y_ticks_.back()} {}

  std::string draw() const {
    std::string out = axes();
    for (const Curve& c : panel_.curves) out += path(c);
    return out + legend();
  }

private:
  double x(double v) const { return left_ + width_ * (v - x_.low) / (x_.high - x_.low); }
  double y(double v) const { return top_ + height_ * (y_.high - v) / (y_.high - y_.low); }
  static std::string text(double x, double y, const char* attributes, const std::string& s) {
    return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" " + attributes + ">" + xml(s) + "</text>\n";
  }
  static std::string line(double x1, double y1, double x2, double y2, const char* kind) {
    return "<line class=\"" + std::string(kind) + "\" x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" +
           number(x2) + "\" y2=\"" + number(y2) + "\"/>\n";
  }

  std::string axes() const {
    std::string out;
    for (double t : y_ticks_) {
      out += line(left_, y(t), left_ + width_, y(t), "grid");
      out += text(left_ - 6, y(t) + 4, "text-anchor=\"end\"", tick_text(t));
    }
    for (double t : ticks(x_.low, x_.high, 6)) {
      if (t < x_.low || t > x_.high || t != std::floor(t)) continue;
      out += line(x(t), top_ + height_, x(t), top_ + height_ + 4, "axis");
      out += text(x(t), top_ + height_ + 17, "text-anchor=\"middle\"", tick_text(t));
    }
    out += line(left_, top_ + height_, left_ + width_, top_ + height_, "axis");
    out += line(left_, top_, left_, top_ + height_, "axis");
    out += text(left_ + width_ / 2, top_ + height_ + 34, "text-anchor=\"middle\"", "epoch");
    return out + text(left_, top_ - 14, "class=\"name\"", panel_.title);
  }

  std::string path(const Curve& c) const {
    std::string d, dots;
    bool down = false;
    for (const auto& [epoch, value] : c.points) {
      const bool there = std::isfinite(value);
      if (there) d += (down ? "L" : "M") + number(x(epoch)) + " " + number(y(value));
      if (there && c.points.size() <= 30)
        dots += "<circle cx=\"" + number(x(epoch)) + "\" cy=\"" + number(y(value)) + "\" r=\"2.4\" fill=\"" + c.color +
                "\"/>\n";
      down = there;
    }
    return "<path d=\"" + d + "\" stroke=\"" + c.color + "\" fill=\"none\" stroke-width=\"1.8\"/>\n" + dots;
  }

  std::string legend() const {
    std::string out;
    double at = left_ + width_;
    for (size_t i = panel_.curves.size(); i-- > 0;) {
      const Curve& c = panel_.curves[i];
      at -= 7.0 * static_cast<double>(c.name.size());
      out += text(at, top_ - 14, "", c.name);
      out += "<line x1=\"" + number(at - 24) + "\" y1=\"" + number(top_ - 18) + "\" x2=\"" + number(at - 6) +
             "\" y2=\"" + number(top_ - 18) + "\" stroke=\"" + c.color + "\" stroke-width=\"3\"/>\n";
      at -= 40;
    }
    return panel_.curves.size() > 1 ? out : "";
  }

  static constexpr double width_ = panel_width - margin_left - margin_right,
                          height_ = panel_height - margin_top - margin_bottom;
  const Panel& panel_;
  double left_, top_;
  Range x_;
  std::vector<double> y_ticks_;
  Range y_;
};

} // namespace

std::vector<double> ticks(double low, double high, int wanted) {
  const double raw = (high - low) / std::max(wanted - 1, 1);
  const double power = std::pow(10, std::floor(std::log10(raw))), mantissa = raw / power;
  const double step = power * (mantissa <= 1.0000001 ? 1 : mantissa <= 2.0000001 ? 2 : mantissa <= 5.0000001 ? 5 : 10);
  const double slack = step * 1e-9;
  std::vector<double> out;
  const double first = std::floor((low + slack) / step);
  for (int i = 0; i < 100; ++i) {
    out.push_back((first + i) * step);
    if (out.back() >= high - slack && out.size() > 1) break;
  }
  return out;
}

std::string plot_svg(const std::string& title, const std::vector<EpochLine>& lines) {
  if (lines.empty()) return "";
  const auto panels = panels_of(lines);
  const size_t columns = std::min<size_t>(panels.size(), 2), rows = (panels.size() + columns - 1) / columns;
  const double width = panel_width * static_cast<double>(columns),
               height = header + panel_height * static_cast<double>(rows);
  Range epochs{static_cast<double>(lines.front().epoch), static_cast<double>(lines.back().epoch)};
  if (epochs.low == epochs.high) epochs = {epochs.low - 1, epochs.high + 1};
  std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + number(width) + "\" height=\"" +
                    number(height) + "\" viewBox=\"0 0 " + number(width) + " " + number(height) +
                    "\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#333\">\n"
                    "<style>.grid{stroke:#e4e4e4}.axis{stroke:#888}.name{font-weight:bold;font-size:13px}</style>\n"
                    "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
                    "<text x=\"" +
                    number(width / 2) + "\" y=\"25\" text-anchor=\"middle\" font-size=\"16\">" + xml(title) +
                    "</text>\n";
  for (size_t i = 0; i < panels.size(); ++i)
    out += PanelPicture(panels[i], panel_width * static_cast<double>(i % columns),
                        header + panel_height * static_cast<double>(i / columns), epochs)
               .draw();
  return out + "</svg>\n";
}

} // namespace dlcc::training
