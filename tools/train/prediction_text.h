// prediction_text.h: arrays as NumPy's npy format, and values as cells of csv.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace dlcc::training {

/// Magic, version and header of format 1.0 (numpy.lib.format) for values of a DLCC_ type. Throws Failure (usage) for a
/// type that NumPy does not have.
std::string npy_header(int32_t dtype, const std::vector<int64_t>& shape);

/// Value `i` of an array: the shortest text that reads back as the same value of its own type.
std::string number_cell(const std::byte* data, int32_t dtype, int64_t i);
/// Text, quoted where RFC 4180 asks for it.
std::string text_cell(const std::string& text);
/// Cells and commas, and the end of the line.
std::string csv_line(const std::vector<std::string>& cells);

} // namespace dlcc::training
