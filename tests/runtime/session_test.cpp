// The ordinary life of a session.
#include "tests/runtime/fake_module.h"

#include <algorithm>

using namespace dlcc::test;

TEST(Session, InitFillsTheParametersFromTheSeed) {
  Handles h;
  h.open();
  ASSERT_EQ(dlcc_init(h.session, 10, &h.error), DLCC_OK) << h.error.message;
  EXPECT_EQ(h.read("param/dense/kernel"), (std::vector<float>{10, 11, 12}));
}

TEST(Session, TrainStepUpdatesStateOutputsAndCounters) {
  Handles h;
  h.open();
  dlcc_init(h.session, 10, nullptr);
  Batch b;
  ASSERT_EQ(h.train(b), DLCC_OK) << h.error.message;
  // Column means of 1..12 in rows of three are 5.5, 6.5, 7.5; the compiled rate is 0.5.
  EXPECT_EQ(h.read("param/dense/kernel"), (std::vector<float>{7.25f, 7.75f, 8.25f}));
  EXPECT_EQ(b.loss, 0);
  EXPECT_EQ(dlcc_batches(h.session), 1u);
  EXPECT_EQ(dlcc_updates(h.session), 1u);
  h.train(b);
  EXPECT_EQ(b.loss, 1); // the entry saw one batch before it
}

TEST(Session, AFullBatchIsPassedWithoutCopying) {
  Handles h;
  h.open();
  dlcc_init(h.session, 1, nullptr);
  static const void* seen;
  static int threads;
  FakeModule::on_train = [](const dlcc_call_v1* c) { seen = c->inputs[0], threads = c->num_threads; };
  Batch b;
  h.train(b);
  FakeModule::on_train = nullptr;
  EXPECT_EQ(seen, b.x.data());
  EXPECT_GE(threads, 1);
  EXPECT_LE(threads, 16);
}

// What an entry sees of each input: the caller's rows, then the last of them again.
TEST(Session, AShortBatchIsPaddedWithItsLastSample) {
  Handles h;
  h.open();
  dlcc_init(h.session, 1, nullptr);
  static std::vector<float> x, weight;
  static std::vector<int32_t> label;
  FakeModule::on_train = [](const dlcc_call_v1* c) {
    auto rows = [&](auto& into, int input, size_t each) {
      into.resize(FakeModule::batch * each);
      std::memcpy(into.data(), c->inputs[input], into.size() * 4);
    };
    rows(x, 0, 3), rows(label, 1, 1), rows(weight, 2, 1);
  };
  for (int64_t valid = 1; valid <= FakeModule::batch; ++valid) {
    Batch b(valid);
    for (int64_t r = 0; r < valid; ++r) {
      b.label[static_cast<size_t>(r)] = static_cast<int32_t>(9 - r);
      b.weight[static_cast<size_t>(r)] = 0.5f + static_cast<float>(r);
    }
    EXPECT_EQ(h.train(b, valid), DLCC_OK) << h.error.message;
    for (int64_t r = 0; r < FakeModule::batch; ++r) {
      const auto at = static_cast<size_t>(r), from = static_cast<size_t>(std::min(r, valid - 1));
      for (size_t i = 0; i < 3; ++i) EXPECT_EQ(x[3 * at + i], b.x[3 * from + i]) << valid << " " << r;
      EXPECT_EQ(label[at], b.label[from]) << valid << " " << r;
      EXPECT_EQ(weight[at], b.weight[from]) << valid << " " << r;
    }
  }
  FakeModule::on_train = nullptr;
}

TEST(Session, AShortBatchCountsItsOwnRowsOnly) {
  Handles h;
  h.open();
  dlcc_init(h.session, 1, nullptr);
  Batch full;
  ASSERT_EQ(h.train(full), DLCC_OK); // fills staging and outputs with other values first
  dlcc_init(h.session, 1, nullptr);
  Batch b(2);
  ASSERT_EQ(h.train(b, 2), DLCC_OK) << h.error.message;
  EXPECT_EQ(h.read("param/dense/kernel"), (std::vector<float>{1 - 1.25f, 2 - 1.75f, 3 - 2.25f}));
  // Prediction after the update, the valid rows only.
  EXPECT_FLOAT_EQ(b.prediction[0], 1 * -0.25f + 2 * 0.25f + 3 * 0.75f);
  EXPECT_FLOAT_EQ(b.prediction[1], 4 * -0.25f + 5 * 0.25f + 6 * 0.75f);
}

TEST(Session, RowsBehindNValidOfAFullViewAreMaskedToo) {
  Handles h;
  h.open();
  dlcc_init(h.session, 1, nullptr);
  Batch b;
  auto in = b.inputs(), out = b.outputs();
  ASSERT_EQ(dlcc_predict(h.session, in.data(), 1, &out[2], 1, 3, &h.error), DLCC_OK) << h.error.message;
  EXPECT_FLOAT_EQ(b.prediction[2], 7 + 16 + 27);
  EXPECT_FLOAT_EQ(b.prediction[3], b.prediction[2]);
  EXPECT_EQ(b.x[9], 10); // the caller's data is untouched
}

TEST(Session, AnEmptyBatchIsAllowed) {
  Handles h;
  h.open();
  dlcc_init(h.session, 1, nullptr);
  Batch b;
  auto in = b.inputs(), out = b.outputs();
  EXPECT_EQ(dlcc_predict(h.session, in.data(), 1, &out[2], 1, 0, &h.error), DLCC_OK) << h.error.message;
  EXPECT_EQ(b.prediction[0], 0);
}

TEST(Session, MissingOutputsAreDropped) {
  Handles h;
  h.open();
  dlcc_init(h.session, 1, nullptr);
  Batch b;
  auto in = b.inputs(), out = b.outputs();
  EXPECT_EQ(dlcc_train_step(h.session, in.data(), 3, out.data(), 1, 4, &h.error), DLCC_OK) << h.error.message;
  EXPECT_EQ(b.loss, 0);
  EXPECT_EQ(b.metric, -1);
  EXPECT_EQ(dlcc_train_step(h.session, in.data(), 3, nullptr, 0, 4, &h.error), DLCC_OK) << h.error.message;
}

TEST(Session, MisalignedInputsWork) {
  Handles h;
  h.open();
  for (size_t shift : {1u, 4u}) {
    dlcc_init(h.session, 10, nullptr);
    Batch b;
    std::vector<char> bytes(64);
    std::memcpy(bytes.data() + shift, b.x.data(), 48);
    auto in = b.inputs(), out = b.outputs();
    in[0].data = bytes.data() + shift;
    ASSERT_EQ(dlcc_train_step(h.session, in.data(), 3, out.data(), 3, 4, &h.error), DLCC_OK) << h.error.message;
    EXPECT_EQ(h.read("param/dense/kernel"), (std::vector<float>{7.25f, 7.75f, 8.25f}));
  }
}

TEST(Session, GradientsAccumulateAndApplyTheirMean) {
  Handles h, reference;
  h.open();
  reference.open();
  dlcc_init(h.session, 10, nullptr);
  dlcc_init(reference.session, 10, nullptr);
  Batch b;
  auto in = b.inputs(), out = b.outputs();
  for (int i = 0; i < 2; ++i)
    ASSERT_EQ(dlcc_compute_gradients(h.session, in.data(), 3, out.data(), 3, 4, &h.error), DLCC_OK) << h.error.message;
  EXPECT_EQ(h.read("grad/dense/kernel"), (std::vector<float>{11, 13, 15}));
  EXPECT_FAILURE(dlcc_train_step(h.session, in.data(), 3, out.data(), 3, 4, &err), DLCC_E_STATE,
                 "gradients of 2 batches are pending: call dlcc_apply_gradients first");
  ASSERT_EQ(dlcc_apply_gradients(h.session, &h.error), DLCC_OK);
  reference.train(b);
  EXPECT_EQ(h.read("param/dense/kernel"), reference.read("param/dense/kernel"));
  EXPECT_EQ(h.read("grad/dense/kernel"), (std::vector<float>{0, 0, 0}));
  EXPECT_EQ(dlcc_batches(h.session), 2u);
  EXPECT_EQ(dlcc_updates(h.session), 1u);
  EXPECT_FAILURE(dlcc_apply_gradients(h.session, &err), DLCC_E_STATE,
                 "no gradients are pending: call dlcc_compute_gradients first");
}

TEST(Session, UpdatesCountWhatAccumulateStepsSays) {
  Handles h;
  h.fake.accumulate(3);
  h.open();
  dlcc_init(h.session, 1, nullptr);
  Batch b;
  std::vector<uint64_t> updates;
  for (int i = 0; i < 7; ++i) {
    ASSERT_EQ(h.train(b), DLCC_OK);
    updates.push_back(dlcc_updates(h.session));
  }
  EXPECT_EQ(updates, (std::vector<uint64_t>{0, 0, 1, 1, 1, 2, 2}));
  EXPECT_FAILURE(dlcc_set_hyper(h.session, "accumulate_steps", 2, &err), DLCC_E_ARG,
                 "'accumulate_steps' is compiled in, it cannot be set");
}

// A step counts its accumulations by the number of the batch, so the two ways to accumulate must not share one.
TEST(Session, TrainingStepsAndGradientsDoNotMixInOneAccumulation) {
  Handles h;
  h.fake.accumulate(3);
  h.open();
  dlcc_init(h.session, 1, nullptr);
  Batch b;
  auto in = b.inputs(), out = b.outputs();
  auto add_gradients = [&](dlcc_error* err) {
    return dlcc_compute_gradients(h.session, in.data(), 3, out.data(), 3, 4, err);
  };
  ASSERT_EQ(h.train(b), DLCC_OK);
  EXPECT_FAILURE(add_gradients(&err), DLCC_E_STATE,
                 "1 of 3 batches are accumulated: call dlcc_train_step until they make an update");
  ASSERT_EQ(h.train(b), DLCC_OK);
  ASSERT_EQ(h.train(b), DLCC_OK);
  for (int i = 0; i < 2; ++i) ASSERT_EQ(add_gradients(&h.error), DLCC_OK) << h.error.message;
  ASSERT_EQ(dlcc_apply_gradients(h.session, &h.error), DLCC_OK);
  EXPECT_EQ(dlcc_batches(h.session), 6u);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(h.train(b), DLCC_OK);
  EXPECT_EQ(dlcc_updates(h.session), 3u);
}

// A gradient batch in which nothing counts is counted as a batch, and opens no accumulation of the steps.
TEST(Session, ASkippedGradientOpensNoAccumulation) {
  Handles h;
  h.fake.accumulate(3);
  h.open();
  dlcc_init(h.session, 1, nullptr);
  Batch b, skipped;
  skipped.label[0] = FakeModule::ignored;
  auto gradients = [&](Batch& batch) {
    auto in = batch.inputs(), out = batch.outputs();
    return dlcc_compute_gradients(h.session, in.data(), 3, out.data(), 3, 4, &h.error);
  };
  ASSERT_EQ(gradients(skipped), DLCC_OK) << h.error.message;
  EXPECT_EQ(skipped.loss, 0);
  EXPECT_EQ(dlcc_batches(h.session), 3u);
  ASSERT_EQ(gradients(b), DLCC_OK) << h.error.message;
  ASSERT_EQ(gradients(skipped), DLCC_OK) << h.error.message; // between two that count
  ASSERT_EQ(gradients(b), DLCC_OK) << h.error.message;
  EXPECT_EQ(dlcc_batches(h.session), 6u);
  ASSERT_EQ(dlcc_apply_gradients(h.session, &h.error), DLCC_OK) << h.error.message;
  EXPECT_EQ(dlcc_batches(h.session), 6u);
  EXPECT_EQ(dlcc_updates(h.session), 1u);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(h.train(b), DLCC_OK);
  EXPECT_EQ(dlcc_updates(h.session), 2u);
}

TEST(Session, HyperParametersOverrideTheCompiledValue) {
  Handles h;
  h.open();
  dlcc_init(h.session, 10, nullptr);
  double v = 0;
  EXPECT_EQ(dlcc_get_hyper(h.session, "learning_rate", &v, nullptr), DLCC_OK);
  EXPECT_EQ(v, 0.5);
  EXPECT_EQ(dlcc_set_hyper(h.session, "learning_rate", 0, nullptr), DLCC_OK);
  EXPECT_EQ(dlcc_get_hyper(h.session, "learning_rate", &v, nullptr), DLCC_OK);
  EXPECT_EQ(v, 0);
  Batch b;
  h.train(b);
  EXPECT_EQ(h.read("param/dense/kernel"), (std::vector<float>{10, 11, 12}));
  EXPECT_EQ(dlcc_set_hyper(h.session, "decay", -1, nullptr), DLCC_OK); // only a rate must not be negative
}

TEST(Session, LearningRateIsThatOfTheLastUpdate) {
  Handles h;
  h.open();
  double rate = 0;
  EXPECT_FAILURE(dlcc_learning_rate(h.session, &rate, &err), DLCC_E_STATE,
                 "the session has no state yet: call dlcc_init or dlcc_checkpoint_load first");
  dlcc_init(h.session, 10, nullptr);
  Batch b;
  for (const double expected : {0.5, 0.5, 0.25, 0.5 / 3}) { // before any update that of the first
    ASSERT_EQ(dlcc_learning_rate(h.session, &rate, &h.error), DLCC_OK) << h.error.message;
    EXPECT_EQ(rate, expected);
    h.train(b);
  }
  EXPECT_EQ(dlcc_updates(h.session), 4u);
  dlcc_set_hyper(h.session, "learning_rate", 0.125, nullptr);
  EXPECT_EQ(dlcc_learning_rate(h.session, &rate, nullptr), DLCC_OK);
  EXPECT_EQ(rate, 0.125);
}

TEST(Session, MetricsResetAndResult) {
  Handles h;
  h.open();
  dlcc_init(h.session, 1, nullptr);
  Batch b;
  auto in = b.inputs(), out = b.outputs();
  for (int i = 0; i < 3; ++i)
    ASSERT_EQ(dlcc_eval_step(h.session, in.data(), 3, out.data(), 3, 4, &h.error), DLCC_OK) << h.error.message;
  double value = -1;
  ASSERT_EQ(dlcc_metrics_result(h.session, &value, 1, &h.error), DLCC_OK) << h.error.message;
  EXPECT_EQ(value, 3);
  ASSERT_EQ(dlcc_metrics_reset(h.session, nullptr), DLCC_OK);
  dlcc_metrics_result(h.session, &value, 1, nullptr);
  EXPECT_EQ(value, 0);
  EXPECT_EQ(dlcc_batches(h.session), 0u);
  EXPECT_FAILURE(dlcc_metrics_result(h.session, &value, 2, &err), DLCC_E_ARG, "n is 2, expected 0 to 1");
}

// The stale word is set by init, write and load, and not by a step.
TEST(Session, TheCacheBecomesStaleWhenParametersChangeFromOutside) {
  Handles h;
  h.open();
  dlcc_init(h.session, 1, nullptr);
  static std::vector<uint32_t> stale;
  stale.clear();
  FakeModule::on_train = [](const dlcc_call_v1* c) {
    stale.push_back(static_cast<uint32_t*>(c->regions[DLCC_REG_CACHE])[0]);
  };
  Batch b;
  h.train(b);
  h.train(b);
  auto kernel = h.read("param/dense/kernel");
  const int64_t dims[] = {3};
  dlcc_view v{kernel.data(), DLCC_F32, 1, dims, 12, {0, 0}};
  ASSERT_EQ(dlcc_tensor_write(h.session, "param/dense/kernel", &v, &h.error), DLCC_OK) << h.error.message;
  h.train(b);
  h.train(b);
  TemporaryFolder folder;
  ASSERT_EQ(dlcc_checkpoint_save(h.session, (folder / "a.safetensors").c_str(), 0, &h.error), DLCC_OK);
  ASSERT_EQ(dlcc_checkpoint_load(h.session, (folder / "a.safetensors").c_str(), 0, &h.error), DLCC_OK);
  h.train(b);
  FakeModule::on_train = nullptr;
  EXPECT_EQ(stale, (std::vector<uint32_t>{1, 0, 1, 0, 1}));
}

TEST(Session, TheCallersAllocatorGetsAllRegionsBackAndAlignmentIsKept) {
  struct Count {
    int live = 0, total = 0;
    size_t least_alignment = SIZE_MAX;
  } count;
  dlcc_session_options o = default_options();
  o.alloc_user = &count;
  o.alloc = [](void* u, size_t bytes, size_t align) {
    auto c = static_cast<Count*>(u);
    ++c->live, ++c->total;
    c->least_alignment = std::min(c->least_alignment, align);
    void* p = std::aligned_alloc(align, bytes);
    std::memset(p, 0xFF, bytes);
    return p;
  };
  o.dealloc = [](void* u, void* p) {
    --static_cast<Count*>(u)->live;
    std::free(p);
  };
  {
    Handles h;
    h.open(&o);
    dlcc_init(h.session, 1, nullptr);
    EXPECT_EQ(h.read("opt/dense/kernel/m"), (std::vector<float>{0, 0, 0}));
    const int before = count.total;
    Batch b;
    h.train(b);
    EXPECT_EQ(count.total, before); // none in a step
    EXPECT_GE(count.least_alignment, 64u);
  }
  EXPECT_GT(count.total, 0);
  EXPECT_EQ(count.live, 0);
}

TEST(Session, OutlivesTheHandleOfItsModule) {
  Handles h;
  h.open();
  dlcc_module_close(h.module);
  EXPECT_EQ(dlcc_init(h.session, 5, nullptr), DLCC_OK);
  EXPECT_EQ(h.read("param/dense/kernel")[0], 5);
}
