// The kernels of a program; those that are equal but for their names are kept once.
#pragma once

#include "ir/loops/program.h"

#include <string>
#include <unordered_map>
#include <unordered_set>

namespace dlcc::passes {

class KernelTable {
public:
  explicit KernelTable(IdVector<loops::KernelId, loops::Kernel>& kernels) : kernels_(kernels) {}
  loops::KernelId add(loops::Kernel kernel);

private:
  IdVector<loops::KernelId, loops::Kernel>& kernels_;
  std::unordered_multimap<size_t, loops::KernelId> by_hash_;
  std::unordered_set<std::string> names_;
  std::unordered_map<std::string, int> suffixes_; ///< the last one tried for a name
};

} // namespace dlcc::passes
