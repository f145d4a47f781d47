// What the printer and the parser of the loop IR agree on: spelling of names, operators and types of results.
// Internal to ir/loops.
#pragma once

#include "ir/base/text.h"
#include "ir/loops/program.h"

#include <array>
#include <string>
#include <vector>

namespace dlcc::loops {

/// How the type of an operator's result follows.

struct Infix {
  ScalarOp op;
  std::string_view text;
  int precedence; ///< larger binds tighter; all associate to the left
};
inline constexpr std::array<Infix, 10> infix_ops = {{
    {ScalarOp::logical_or, "||", 1},
    {ScalarOp::logical_and, "&&", 2},
    {ScalarOp::equal, "==", 3},
    {ScalarOp::less_equal, "<=", 4},
    {ScalarOp::less, "<", 4},
    {ScalarOp::add, "+", 5},
    {ScalarOp::subtract, "-", 5},
    {ScalarOp::multiply, "*", 6},
    {ScalarOp::divide, "/", 6},
    {ScalarOp::remainder, "%", 6},
}};
inline constexpr int primary_precedence = 7;
const Infix* find_infix(ScalarOp op);

/// The name an operator is called by: `max` for maximum, `min` for minimum, else its own.
std::string_view call_name(ScalarOp op);
std::optional<ScalarOp> op_from_call_name(std::string_view name);

inline constexpr std::array<std::string_view, 4> mark_names = {"serial", "tasks", "vector", "unroll"};
inline constexpr std::array<std::string_view, 4> combine_names = {"sum", "product", "max", "min"};
inline constexpr std::array<std::string_view, 3> order_names = {"sequential", "lanes", "blocks"};
inline constexpr std::array<std::string_view, 4> access_names = {"in", "out", "inout", "scratch"};

/// Most statements, or operators of one expression, inside each other that the parser accepts.
inline constexpr int max_nesting = 64;
/// An expression deeper than this is printed through a `def`, so that what is printed can be parsed.
inline constexpr int max_printed_depth = 16;

/// A name as the text has it: bare if it starts with a letter or '_', else quoted.
std::string symbol(std::string_view name);

/// Names made unique by appending .1, .2, ...; those at positions in `first` keep theirs if anyone does.
std::vector<std::string> unique_names(std::vector<std::string> names, const std::vector<bool>& first = {});

} // namespace dlcc::loops
