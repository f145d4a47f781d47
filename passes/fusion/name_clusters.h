// Names of clusters, and so of kernels: whose values they compute, and which part of a step that is.
#pragma once

#include "ir/graph/graph.h"

namespace dlcc::passes {

/// "hidden.forward", "hidden/kernel.update", "loss.probs.backward": for each part of a step in a cluster, the layers or
/// parameters it is about (of many, the last), then the part: forward, loss, metrics, backward, update, init.
void name_clusters(const graph::Module& module, graph::Function& function);

} // namespace dlcc::passes
