// plot.h: curves of the results over the epochs, as an SVG picture or as text for a terminal.
#pragma once

#include "tools/train/history.h"

#include <string>
#include <vector>

namespace dlcc::training {

/// One panel for each result with its validation twin, two panels a row; values that are not finite leave gaps.
std::string plot_svg(const std::string& title, const std::vector<EpochLine>& lines);

/// Loss and val_loss in braille dots (ASCII without UTF-8, or for two curves without colours), at most `width` columns.
std::string plot_terminal(const std::vector<EpochLine>& lines, int width, bool color, bool utf8);

/// At most about `wanted` round numbers (1, 2 or 5 times a power of ten) that cover [low, high], at least two.
std::vector<double> ticks(double low, double high, int wanted);

} // namespace dlcc::training
