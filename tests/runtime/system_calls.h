// Stands between the code under test and the system: records what is done to files, in order, and does damage on
// demand. Programs that link it never wait for a disk: fsync is recorded only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace dlcc::test {

struct SystemCall {
  enum class Kind { write, fsync, read, rename } kind;
  std::string name; ///< of the file, without its folder; of a rename, the new one
  uint64_t bytes = 0;
};

/// Records while it lives; one at a time.
class SystemCalls {
public:
  SystemCalls();
  ~SystemCalls();
  SystemCalls(const SystemCalls&) = delete;
  SystemCalls& operator=(const SystemCalls&) = delete;

  std::vector<SystemCall> calls;
  int failing_fsync = 0;       ///< so many fsyncs from now on, the last of which is an I/O error
  bool flip_next_read = false; ///< one bit of what the next read gives
  /// What was written to files whose name begins like this and has not been synced before calls[i].
  uint64_t unsynced(const std::string& begin, size_t i) const;
  /// How often.
  int count(SystemCall::Kind kind) const;
};

} // namespace dlcc::test
