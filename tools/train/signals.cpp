#include "tools/train/signals.h"

#include <unistd.h>

namespace dlcc::training {

namespace {

volatile sig_atomic_t stop_signal = 0, checkpoint_wanted = 0;
constexpr int handled[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGPIPE};

void on_signal(int number) {
  if (number == SIGUSR1) {
    checkpoint_wanted = 1;
    return;
  }
  if (stop_signal != 0) _exit(128 + number);
  stop_signal = number;
}

} // namespace

SignalGuard::SignalGuard() {
  stop_signal = 0;
  checkpoint_wanted = 0;
  for (int i = 0; i < count; ++i) {
    struct sigaction action{};
    action.sa_handler = handled[i] == SIGPIPE ? SIG_IGN : on_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(handled[i], &action, &before_[i]);
    // nohup and the shell's background jobs ignore a signal on purpose.
    const bool ignored = before_[i].sa_handler == SIG_IGN;
    if (ignored && handled[i] != SIGUSR1) sigaction(handled[i], &before_[i], nullptr);
  }
}

SignalGuard::~SignalGuard() {
  for (int i = 0; i < count; ++i) sigaction(handled[i], &before_[i], nullptr);
}

int SignalGuard::stop() const { return static_cast<int>(stop_signal); }

bool SignalGuard::take_checkpoint() {
  if (checkpoint_wanted == 0) return false;
  checkpoint_wanted = 0;
  return true;
}

} // namespace dlcc::training
