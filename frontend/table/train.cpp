// How a model is trained and compiled.
#include "frontend/table/schema.h"

namespace dlcc::frontend {

std::vector<GroupDef> train_groups() {
  GroupDef train{Group::train, "train"};
  train.records = {
      {"train",
       "how the model is trained",
       {integer("batch_size")
            .at_least(1)
            .at_most(2147483647.0)
            .defaults(int64_t{32}, "samples of one step; binds the symbol N"),
        integer("epochs").at_least(1).at_most(2147483647.0).defaults(int64_t{1}, "passes over the data"),
        number("validation_split").at_least(0).below(1).defaults(0.0, "share of the last samples kept for validation"),
        boolean("shuffle").defaults(true, "a new order each epoch"),
        choice("last_batch", {"mask", "drop", "error"}).defaults("mask", "what happens to a short last batch"),
        integer("steps_per_epoch")
            .at_least(1)
            .optional("batches of an epoch; all if absent. The next epoch goes on where this one ended"),
        record("early_stopping", Group::early_stopping).optional("stop when the result no longer improves"),
        record("checkpoint", Group::checkpoint).optional("save while training"),
        boolean("terminate_on_nan").defaults(true, "stop at a loss that is not finite")},
       {}}};
  GroupDef stopping{Group::early_stopping, "early_stopping"};
  stopping.records = {{"early_stopping",
                       "stops when a result no longer improves",
                       {name_key("monitor").defaults("val_loss", "what is watched"),
                        integer("patience").at_least(0).defaults(int64_t{0}, "epochs without gain that are borne"),
                        number("min_delta").at_least(0).defaults(0.0, "the least gain that counts"),
                        choice("mode", {"auto", "min", "max"}).defaults("auto", "whether less or more is better"),
                        boolean("restore_best").defaults(false, "end with the weights of the best epoch")},
                       {}}};
  GroupDef checkpoint{Group::checkpoint, "checkpoint"};
  checkpoint.records = {{"checkpoint",
                         "saves while training",
                         {text("dir").optional("the run's folder, unless --out names one"),
                          integer("every_epochs").at_least(1).defaults(int64_t{1}, "how often"),
                          integer("keep").at_least(1).defaults(int64_t{3}, "how many are kept"),
                          name_key("best_of").optional("the result whose best epoch is kept besides")},
                         {}}};
  GroupDef compile{Group::compile, "compile"};
  compile.records = {{"compile",
                      "how the code is made",
                      {choice("precision", {"highest"}).defaults("highest", "the same bits on every CPU"),
                       integer("memory_limit").at_least(1).optional("bytes that a step may plan"),
                       boolean("fusion").defaults(true, "join operators into kernels"),
                       text("target").optional("CPU to compile for; this one if absent"),
                       integer("threads").at_least(1).at_most(4096).optional("threads; as many as cores if absent")},
                      {}}};
  return {train, stopping, checkpoint, compile};
}

} // namespace dlcc::frontend
