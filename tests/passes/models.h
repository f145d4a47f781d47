// Models as the frontend hands them over: texts at stage source.
#pragma once

namespace dlcc::testing {

/// The model of docs/stages: 20-64-1, sigmoid with binary cross-entropy, SGD.
inline constexpr const char* tiny_model = R"(module @tiny stage source file "model.json" dtype f32 batch 32 {
  state %hidden/kernel : parameter f32[20,64] = glorot_uniform  @3:15
  state %hidden/bias : parameter f32[64] = zeros  @3:15
  state %p/kernel : parameter f32[64,1] = glorot_uniform  @4:15
  state %p/bias : parameter f32[1] = zeros  @4:15
  hyper learning_rate = 0.1
  directive optimizer sgd  @5:47
  directive schedule constant {initial = 0.1}  @5:47

  func @forward_train(input %x: f32[32,20]) -> %p {
    %hidden/z : f32[32,64] = matmul(%x, %hidden/kernel)  @3:15
    %hidden/b : f32[32,64] = add(%hidden/z, %hidden/bias)  @3:15
    %hidden : f32[32,64] = relu(%hidden/b)  @3:79
    %p/z : f32[32,1] = matmul(%hidden, %p/kernel)  @4:15
    %p/logit : f32[32,1] = add(%p/z, %p/bias)  @4:15
    %p : f32[32,1] = sigmoid(%p/logit)  @4:73
  }

  entry func @predict(input %x: f32[32,20]) -> %p {
    %p : f32[32,1] = call @forward_train(%x)
  }

  func @loss(input %x: f32[32,20], label %label: f32[32,1], call %n_valid: i64[]) -> %loss {
    %p : f32[32,1] = call @forward_train(%x)
    %rows : f32[32] = binary_crossentropy(%p, %label)  @5:11
    %loss : f64[] = mean_valid(%rows, %n_valid)  @5:11
  }
}
)";

/// A classifier with Adam, a cosine schedule, clipping, dropout, a metric and an L2 term.
inline constexpr const char* classifier = R"(module @classifier stage source file "model.json" dtype f64 batch 8 {
  state %a/kernel : parameter f64[5,12] = he_normal
  state %a/bias : parameter f64[12] = zeros
  state %b/kernel : parameter f64[12,3] = orthogonal
  state %b/bias : parameter f64[3] = constant {value = 0.25} with {lr_mult = 2.0}
  state %metric/loss/total : metric f64[] = zeros
  hyper learning_rate = 0.01
  directive optimizer adam {amsgrad = true}
  directive schedule cosine {decay_steps = 100.0, initial = 0.01, warmup_steps = 10.0, warmup_target = 0.1}
  directive clip global_norm {value = 1.0}

  func @forward_train(input %x: f64[8,5], call %seed: i64[], call %batch: i64[]) -> %p {
    %a/z : f64[8,12] = matmul(%x, %a/kernel)
    %a/b : f64[8,12] = add(%a/z, %a/bias)
    %a : f64[8,12] = tanh(%a/b)
    %d : f64[8,12] = dropout(%a, %seed, %batch) {rate = 0.25, stream = "d"}
    %b/z : f64[8,3] = matmul(%d, %b/kernel)
    %b/b : f64[8,3] = add(%b/z, %b/bias)
    %p : f64[8,3] = softmax(%b/b)
  }

  entry func @predict(input %x: f64[8,5]) -> %p {
    %a/z : f64[8,12] = matmul(%x, %a/kernel)
    %a/b : f64[8,12] = add(%a/z, %a/bias)
    %a : f64[8,12] = tanh(%a/b)
    %b/z : f64[8,3] = matmul(%a, %b/kernel)
    %b/b : f64[8,3] = add(%b/z, %b/bias)
    %p : f64[8,3] = softmax(%b/b)
  }

  func @loss(input %x: f64[8,5], label %label: i32[8], call %n_valid: i64[], call %seed: i64[], call %batch: i64[]) -> %loss {
    %p : f64[8,3] = call @forward_train(%x, %seed, %batch)
    %ok : i32[8] = check_index(%label, %n_valid) {limit = 3, what = "label"}
    %rows : f64[8] = sparse_categorical_crossentropy(%p, %ok)
    %data : f64[] = mean_valid(%rows, %n_valid)
    %s : f64[5,12] = square(%a/kernel)
    %l2 : f64[] = sum(%s)
    %penalty : f64[] = multiply(%l2, f64 0.01)
    %loss : f64[] = add(%data, %penalty)
    %total : f64[] = add(%metric/loss/total, %loss)
    update %metric/loss/total = %total
  }
}
)";

} // namespace dlcc::testing
