// cell.h: what the cells of a table mean.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace dlcc::runtime {

// What a cell becomes: its number; the position of its text among the categories; or a row of zeros with a one there.
enum class CellCode : uint8_t { number, index, one_hot };
// What a text becomes that is no category: it is refused; a row of zeros; one category more than were learned.
enum class UnknownRule : uint8_t { error, zeros, extra };

// Without the blanks and tabs around it.
std::string_view trimmed(std::string_view text);

// Without the '+' in front of a number, which std::from_chars does not take.
std::string_view without_plus(std::string_view number);

// A number as cells have it, in any locale: blanks around it, a sign, a decimal point, an exponent; or true, yes (1),
// false, no (0) in any case. Nothing if `text` is none. Rounded to f64, so that 1e400 is infinity.
std::optional<double> cell_number(std::string_view text);

// Whether that infinity is not what the cell says.
inline bool is_overflow(std::string_view text, double value) {
  return value - value != 0 && text.find_first_of("0123456789") != std::string_view::npos;
}

} // namespace dlcc::runtime
