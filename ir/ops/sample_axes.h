// Where the samples of a batch lie in each value of a function: followed from the inputs through every operator by what
// its element reads, never guessed from extents that happen to equal the batch.
#pragma once

#include "ir/graph/graph.h"
#include "ir/graph/op.h"

namespace dlcc::ops {

/// Sample s has the indices [s * per_sample, (s + 1) * per_sample) along `axis`; axis -1: the value has no samples.
struct SampleAxis {
  int axis = -1;
  int64_t per_sample = 1;
  bool exists() const { return axis >= 0; }
  friend bool operator==(const SampleAxis&, const SampleAxis&) = default;
};

/// "samples on axis 1", "2 indices a sample on axis 0", "no axis of samples"
std::string to_string(const SampleAxis& samples);

struct SampleAxes {
  IdVector<graph::ValueId, SampleAxis> of;
  /// Nodes at which a sample depends on others, or its place in the result is no run of indices along one axis.
  std::vector<graph::NodeId> mixing;
};

/// Inputs and labels declared with the module's batch on axis 0 have their samples there, as all of a model file have.
SampleAxes sample_axes(const graph::Module& module, const graph::Function& function, graph::OpTable ops);

} // namespace dlcc::ops
