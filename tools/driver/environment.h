// Makes the process safe to work in whatever it was started with.
#pragma once

namespace dlcc::tools {

/// Opens closed standard descriptors on /dev/null, so that no file lands on them; ignores SIGPIPE, so that a closed
/// pipe kills nothing, and SIGUSR1, so that a wish for a checkpoint kills no run that is still being compiled; drops
/// values of OMP_ variables that an OpenMP runtime would choke on, with one warning each; lets waiting threads give up
/// their core soon.
void prepare_environment();

} // namespace dlcc::tools
