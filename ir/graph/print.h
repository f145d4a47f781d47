// The text of a graph module; parse.h reads it back, and printing that gives the same text again.
//
//   module @tiny stage source file "model.json" dtype f32 batch 32 {
//     state %hidden/kernel : parameter f32[20,64] = glorot_uniform {seed = 1} with {l2 = 0.25}  @3:15
//     hyper learning_rate = 0.1
//     directive optimizer sgd {momentum = 0.9}  @5:47
//
//     entry func @predict(input %x: f32[32,20]) -> %p  @1:1 {
//       cluster 0 hidden.forward { note "why the next node is not in it" }
//       [0] %hidden/z : f32[32,64] = matmul(%x, %hidden/kernel)  @3:15  # which rule made it
//       %h : f32[32,64] = multiply(%hidden/z, f32 0.5)
//       update %hidden/kernel = %k1
//     }
//   }
//
// A rank-0 constant is written where it is used. Names with other characters than [A-Za-z0-9_./-] are quoted.
#pragma once

#include "ir/graph/graph.h"

#include <string>

namespace dlcc::graph {

std::string print(const Module& module);
std::string print(const Module& module, const Function& function);

/// The value if the node is a rank-0 constant that says nothing else; such a node is written inside its users.
std::optional<double> scalar_constant(const Node& node);

} // namespace dlcc::graph
