// text.h: numbers as text: exact ones for files, short ones for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dlcc::training {

std::string exact(double v);    ///< the shortest text that reads back as v; "nan", "inf"
std::string hex(double v);      ///< hexadecimal, exact, for metadata
std::string brief(double v);    ///< about four digits: 0.1234, 1.234e-05
std::string duration(double s); ///< "850 ms", "12.3 s", "4:05", "1:02:03"
std::string rate(double per_s); ///< "950", "12.3 k", "4.56 M"

/// Columns that UTF-8 text takes on a terminal: two for a wide character, none for one that joins the one before.
int columns(std::string_view text);
/// The start of a text that takes no more.
std::string first_columns(std::string_view text, int columns);

/// Whole text or nothing; hexadecimal with `hex`.
bool parse_double(std::string_view text, double* out, bool hex = false);
bool parse_integer(std::string_view text, int64_t* out);

std::string joined(const std::vector<std::string>& parts, const std::string& separator);
std::vector<std::string> split(std::string_view text, char separator);

} // namespace dlcc::training
