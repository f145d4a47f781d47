// How the table's keys are put into words.
#include "frontend/document/document.h"
#include "frontend/table/vocabulary.h"

#include <cmath>

namespace dlcc::frontend {

namespace {
std::string plain(double x) {
  std::string text = number_text(x);
  return text.ends_with(".0") ? text.substr(0, text.size() - 2) : text;
}

// " >= 1", " > 0", " from 0 to 1", " >= 0 and < 1", "".
std::string range_text(const Key& key) {
  bool has_low = std::isfinite(key.low), has_high = std::isfinite(key.high);
  std::string low = (key.low_open ? "> " : ">= ") + plain(key.low),
              high = (key.high_open ? "< " : "<= ") + plain(key.high);
  if (has_low && has_high && !key.low_open && !key.high_open)
    return " from " + plain(key.low) + " to " + plain(key.high);
  if (has_low && has_high) return " " + low + " and " + high;
  return has_low ? " " + low : has_high ? " " + high : "";
}

std::string record_text(const Key& key) {
  const GroupDef& g = group(key.group);
  if (!g.from_number.empty()) return "a number" + range_text(key) + " or " + with_article(g.noun);
  if (g.short_form && g.discriminator.empty()) return with_article(g.noun) + " (a name such as 'l2', or an object)";
  if (g.short_form) return with_article(g.noun) + " (its name, or an object with 'type')";
  return g.from_file ? "an object or a file name" : "an object";
}
} // namespace

std::string expected_text(const Key& key) {
  std::string some = key.fewest > 0 ? "a non-empty list of " : "a list of ";
  switch (key.kind) {
  case KeyKind::boolean:
    return "true or false";
  case KeyKind::integer:
    return "an integer" + range_text(key);
  case KeyKind::number:
    return "a number" + range_text(key);
  case KeyKind::string:
    return "a string";
  case KeyKind::name:
    return "a name";
  case KeyKind::identifier:
    return "a name of letters, digits and '_'";
  case KeyKind::choice:
    return "one of " + enumerated(key.options);
  case KeyKind::character:
    return "one character, or \"tab\"";
  case KeyKind::either: {
    std::string out;
    for (const Key& alternative : key.alternatives) out += (out.empty() ? "" : " or ") + expected_text(alternative);
    return out;
  }
  case KeyKind::tie:
    return "\"@layer/param\" or \"@layer/param^T\"";
  case KeyKind::integers:
    return some + "integers" + range_text(key);
  case KeyKind::numbers:
    return "a number" + range_text(key) + " or " + some + "them";
  case KeyKind::names:
    return "a name or " + some + "names";
  case KeyKind::texts:
    return some + "strings";
  case KeyKind::dims:
    return "a list of dimensions (integers >= 1 or upper-case symbols)";
  case KeyKind::record:
    return record_text(key);
  case KeyKind::records:
    return some + group(key.group).noun + "s";
  case KeyKind::one_or_more:
    return with_article(group(key.group).noun) + " or a list of them";
  case KeyKind::by_name:
    return "an object of name to " + group(key.group).noun;
  case KeyKind::weights:
    return "an object of class number to number" + range_text(key);
  case KeyKind::nodes:
    return "a list of nodes";
  case KeyKind::attributes:
    return "an object of attribute to number, string, true, false or a list of them";
  }
  return {};
}

} // namespace dlcc::frontend
