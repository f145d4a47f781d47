// What a run has on the disk when a checkpoint gets its name: every line of the epochs behind it.
#include "tests/runtime/system_calls.h"
#include "tests/train/run.h"

namespace dlcc::training::test {

using dlcc::test::SystemCall;
using dlcc::test::SystemCalls;

TEST_F(Train, NoCheckpointIsAheadOfTheHistory) {
  options_.checkpoint_every = parse_checkpoint_every("2steps");
  options_.log_every = 1;
  SystemCalls recorded;
  ASSERT_EQ(run(), 0) << err_;
  int checkpoints = 0;
  for (size_t i = 0; i < recorded.calls.size(); ++i) {
    const SystemCall& c = recorded.calls[i];
    if (c.kind != SystemCall::Kind::rename || !c.name.ends_with(".safetensors")) continue;
    ++checkpoints;
    EXPECT_EQ(recorded.unsynced("history.", i), 0u) << c.name;
  }
  EXPECT_GE(checkpoints, 9);
}

} // namespace dlcc::training::test
