// Groups the nodes of every function into clusters, one kernel each.
//
// A cluster has one outer domain: the longest prefix of axes that all its members share and that every edge inside it
// follows one to one. A contraction is the root of a cluster of its own; what follows it element by element is its
// epilogue. A check is alone. Merging is greedy, in an order that respects data flow and effects, and every refusal
// leaves a note that says why.
//
//   %h/z = matmul(%x, %w)              cluster 0 h { note "..." }
//   %h/b = add(%h/z, %b)      ==>      [0] %h/z = matmul(%x, %w)
//   %h   = relu(%h/b)                  [0] %h/b = add(%h/z, %b)   [0] %h = relu(%h/b)
#pragma once

#include "passes/pass.h"

namespace dlcc::passes {

graph::Module form_clusters(graph::Module module, PassContext& context);

} // namespace dlcc::passes
