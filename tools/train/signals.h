// signals.h: the requests to stop or to save that arrive as signals.
#pragma once

#include <csignal>

namespace dlcc::training {

/// While it lives: the first SIGINT, SIGTERM or SIGHUP is only noted, a second one ends the process at once (safe,
/// because files are replaced atomically); SIGUSR1 asks for a checkpoint; SIGPIPE is ignored. One at a time.
class SignalGuard {
public:
  SignalGuard();
  ~SignalGuard();
  SignalGuard(const SignalGuard&) = delete;
  SignalGuard& operator=(const SignalGuard&) = delete;

  int stop() const;       ///< the signal that asked to stop, 0: none
  bool take_checkpoint(); ///< whether SIGUSR1 came since the last call

private:
  static constexpr int count = 5;
  struct sigaction before_[count];
};

} // namespace dlcc::training
