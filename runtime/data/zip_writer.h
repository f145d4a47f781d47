// Zip archives of members that are stored as they are, as numpy.savez writes them.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace dlcc::data {

struct ZipMember {
  std::string name, bytes;
};

/// Hands an archive of the members to `sink` piece by piece: the same bytes for the same members. Throws runtime::Error
/// (no memory).
void write_zip(const std::vector<ZipMember>& members, const std::function<void(const std::string&)>& sink);

} // namespace dlcc::data
