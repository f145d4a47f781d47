// Programs that the tests of the loop IR start from, as text.
#pragma once

#include <string>
#include <string_view>

namespace dlcc::loops {

/// One layer, planned: y = relu(x w + b); then the loss is the mean of the row maxima of y.
inline const std::string dense_program = R"(program @tiny stage planned batch 4 file "model.json"
hyper learning_rate = 0.1

region input {
  buffer %x : f32[4,3] role input batch_axis 0 @2:14
}

region output {
  buffer %loss : f64[] role loss
}

region param {
  buffer %hidden/kernel : f32[3,5] at 0
  buffer %hidden/bias : f32[5] at 64
}

region arena {
  buffer %y : f32[4,5] at 0 entry predict
  buffer %y.flat : f32[20] = view %y at 0 entry predict
  buffer %largest : f32[4] at 128 entry predict
}

kernel @hidden.forward(x: f32[4,3], w: f32[3,5], b: f32[5], out y: f32[4,5]) tasks 2 @3:15 {
  note "layers hidden"
  contract c over m in 4; n in 5; k in 3 tile(rows = 2, columns = 16, task_rows = 2, task_columns = 16, pack_b) = x[m, k] * w[k, n] {
    store y[m, n] = max(c + b[n], 0.0)
  }
}

kernel @largest(y: f32[20], out largest: f32[4]) tasks 4 {
  for m in 4 tasks {
    max s over n in 5 = y[5*m + n]
    store largest[m] = s
  }
}

kernel @mean(largest: f32[4], out loss: f64[]) tasks 1 {
  sum s over m in 4 order lanes vector = f64(largest[m])
  store loss[] = s / 4.0
}

entry @predict(inputs: %x; outputs: %loss) arena 192 {
  note "max-live 192 bytes"
  parallel {
    phase {
      call @hidden.forward(%x, %hidden/kernel, %hidden/bias, %y)
    }
    phase {
      call @largest(%y.flat, %largest)
    }
    exit
    phase {
      call @mean(%largest, %loss)
    }
  }
}
)";

/// The text with the first occurrence of `from` replaced; the test is wrong if there is none.
inline std::string replaced(std::string text, std::string_view from, std::string_view to) {
  size_t at = text.find(from);
  if (at == std::string::npos) return "missing: " + std::string(from);
  return text.replace(at, from.size(), to);
}

/// A program of one kernel that one entry calls once, at stage loops. `parameters` and `buffers` are text.
inline std::string one_kernel(const std::string& parameters, const std::string& body, const std::string& regions,
                              const std::string& arguments) {
  return "program @one stage loops batch 0\n" + regions + "kernel @k(" + parameters + ") tasks 1 {\n" + body +
         "}\nentry @e(inputs: ; outputs: ) {\n  call @k(" + arguments + ")\n}\n";
}

} // namespace dlcc::loops
