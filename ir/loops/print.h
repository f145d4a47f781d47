// The text of a program of the loop IR, as a reader would write it by hand. parse.h reads it back:
// print(parse_program(print(p))) == print(p), byte for byte, for every program that verify.h accepts.
//
//   program @tiny stage planned batch 32 file "model.json"
//   hyper learning_rate = 0.1
//   region arena {
//     buffer %hidden : f32[32,64] at 0 entry train_step @3:15
//     buffer %flat : f32[2048] = view %hidden
//   }
//   kernel @hidden.forward(x: f32[32,20], w: f32[20,64], out y: f32[32,64], scratch row: f32[10]) tasks 8 {
//     for m in 32 tasks {
//       sum s over k in 20 order lanes = x[m, k] * w[k, 3]
//       store y[m, 3] = max(s, 0.0)
//     }
//   }
//   entry @train_step(inputs: %x, %label; outputs: %loss) arena 8192 {
//     parallel { phase { call @hidden.forward(%x, %w, %hidden) } }
//   }
//
// Rules of expressions
// - `x?[i - 1]` is a padded load; an index is affine, plus at most one integer expression (`ids[m] + 1`, `(s) + 1`).
// - `index(4*m + k)` is an index as an i64 value; a loop variable appears in indices only.
// - A constant takes the type of the other operand of its operator, of the other branch of its select, or of the tensor
//   it is stored to. Where none of these has a type, the first constant says it: `1.0:f32 + 2.0`; `let s: f32 = 1.0`.
// - `def e3 = ...` names an expression that is used more than once, or that is very deep. It is an alias, not a value:
//   it means its expression at every place where it is used, loop variables, loads and all.
// - Names that do not start with a letter or `_` are quoted. Text after # is commentary.
#pragma once

#include "ir/loops/program.h"

#include <string>

namespace dlcc::loops {

std::string print(const Program& program);
std::string print(const Kernel& kernel);

} // namespace dlcc::loops
