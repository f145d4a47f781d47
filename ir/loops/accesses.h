// Every load and store of a kernel with the loops around it, and what follows from their indices. For verify.
// Internal to ir/loops.
#pragma once

#include "ir/loops/program.h"

#include <optional>
#include <span>

namespace dlcc::loops {

/// A loop variable in scope, and the statement that binds it.
struct Bound {
  VarId var;
  int64_t extent = 0;
  StmtId by;
  friend bool operator==(const Bound&, const Bound&) = default;
};

struct AccessSite {
  TensorId tensor;
  const std::vector<Index>* at = nullptr;
  bool store = false, padded = false;
  bool factor = false;      ///< read in a reduction or by the factors of a contraction
  StmtId statement;         ///< where it happens
  size_t order = 0;         ///< of its statement in the text; a load comes before the store of its statement
  std::vector<Bound> scope; ///< outermost first
};

/// In the order of the text. Needs a kernel whose ids are valid and whose statements form a tree.
std::vector<AccessSite> accesses_of(const Kernel& kernel);

/// Smallest and largest value of an affine index over its scope; nothing when it overflows or a variable is not bound.
struct Interval {
  int64_t low = 0, high = 0;
};
std::optional<Interval> range_of(const Affine& a, std::span<const Bound> scope, std::span<const VarId> except = {});

/// Whether accesses with different values of `vars` (all of them, each with extent > 1) never touch the same element:
/// on some axis every access has one and the same mixed-radix number in the variables, plus a rest that is smaller than
/// its smallest coefficient. Variables in `shared` have one value for all accesses.
bool separated(std::span<const AccessSite* const> accesses, std::span<const Bound> vars,
               std::span<const Bound> shared = {});

/// The row-major position of an access as an affine index; nothing if data decides or it is padded.
std::optional<Affine> flat_index(const AccessSite& access, const Shape& shape);

} // namespace dlcc::loops
