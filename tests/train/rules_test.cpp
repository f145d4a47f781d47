// The rules that follow the results of epochs, against sequences worked out by hand from Keras' and scikit-learn's
// code.
#include "tools/train/console.h"
#include "tools/train/failure.h"
#include "tools/train/plot.h"
#include "tools/train/requirement.h"
#include "tools/train/text.h"
#include "tools/train/watch.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

namespace dlcc::training {

TEST(Watch, CountsEpochsWithoutGain) {
  Watch w;
  w.min_delta = 0.1;
  const double values[] = {NAN, 1.0, 0.95, 0.9, 0.7, NAN, INFINITY, 0.7};
  const bool gain[] = {false, true, false, false, true, false, false, false};
  const int64_t wait[] = {1, 0, 1, 2, 0, 1, 2, 3};
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(w.update(values[i], i + 1), gain[i]) << i;
    EXPECT_EQ(w.wait, wait[i]) << i;
  }
  EXPECT_EQ(w.best, 0.7);
  EXPECT_EQ(w.best_epoch, 5);
}

TEST(Watch, MaximisesWhereMoreIsBetter) {
  Watch w;
  w.maximise = true;
  EXPECT_TRUE(w.update(0.5, 1));
  EXPECT_FALSE(w.update(0.4, 2));
  EXPECT_TRUE(w.update(0.6, 3));
  const std::vector<std::string> maximised{"accuracy", "roc", "val_score"};
  for (const char* name : {"accuracy", "val_accuracy", "val_roc", "val_score", "val_val_score"})
    EXPECT_TRUE(more_is_better(maximised, name)) << name;
  for (const char* name : {"loss", "val_loss", "mae", "inaccuracy", "score", "val_", ""})
    EXPECT_FALSE(more_is_better(maximised, name)) << name;
}

TEST(Watch, TextIsExact) {
  Watch w;
  EXPECT_EQ(w.text(), "nan 0 0 0");
  w.best = 0.1;
  w.best_epoch = 3;
  w.wait = 2;
  w.cooldown = 1;
  Watch r;
  ASSERT_TRUE(r.parse(w.text()));
  EXPECT_EQ(r.best, 0.1);
  EXPECT_EQ(r.text(), w.text());
  w.best = -INFINITY;
  ASSERT_TRUE(r.parse(w.text()));
  EXPECT_EQ(r.best, -INFINITY);
  for (const char* bad : {"", "1 2 3", "1 2 3 4 5", "x 2 3 4", "1 2 3 4 ", "1 2.5 3 4"})
    EXPECT_FALSE(r.parse(bad)) << bad;
}

// scikit-learn, tol 0.1: an epoch counts if loss > best - tol, and the best follows every gain.
TEST(NoChange, CountsAsScikitLearnDoes) {
  NoChange n;
  n.tol = 0.1;
  n.patience = 2;
  const double losses[] = {1.0, 0.95, 0.80, 0.78, 0.70, 0.65};
  const int64_t counts[] = {0, 1, 0, 1, 2, 3};
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(n.too_long(losses[i], i + 1), counts[i] > 2) << i;
    EXPECT_EQ(n.watch.wait, counts[i]) << i;
  }
}

// Keras' ReduceLROnPlateau(factor 0.5, patience 2, min_delta 0, cooldown 2, min_lr 0.3).
TEST(Plateau, ReducesAsKerasDoes) {
  ReactiveSchedule s = ReactiveSchedule::plateau(1);
  s.factor = 0.5;
  s.patience = 2;
  s.min_delta = 0;
  s.cooldown = 2;
  s.minimum = 0.3;
  Watch w;
  double rate = 1;
  std::vector<double> rates;
  for (int epoch = 1; epoch <= 11; ++epoch) {
    if (auto r = plateau_rate(s, w, 5, epoch, rate)) rate = *r;
    rates.push_back(rate);
  }
  // Best at 1; waits 2, 3: halved; cools down at 4 (counter 1), and at 5, where it ends and waiting starts again; 6:
  // the second wait. The same once more, and the least rate stops it.
  EXPECT_EQ(rates, (std::vector<double>{1, 1, .5, .5, .5, .3, .3, .3, .3, .3, .3}));
}

TEST(Text, NumbersForPeopleAndFiles) {
  EXPECT_EQ(exact(0.1), "0.1");
  EXPECT_EQ(brief(0.12345), "0.1235");
  EXPECT_EQ(brief(0.00001234), "1.234e-05");
  EXPECT_EQ(brief(123.456), "123.46");
  EXPECT_EQ(duration(0.85), "850 ms");
  EXPECT_EQ(duration(245), "4:05");
  EXPECT_EQ(duration(3723), "1:02:03");
  EXPECT_EQ(rate(12345), "12.3 k");
  double v = 0;
  for (double x : {0.1, -1e300, 5e-324, 0.0}) {
    ASSERT_TRUE(parse_double(hex(x), &v, true));
    EXPECT_EQ(v, x);
  }
}

TEST(CheckpointInterval, Units) {
  using Unit = CheckpointEvery::Unit;
  auto is = [](const char* text, int64_t count, Unit unit) {
    const auto e = parse_checkpoint_every(text);
    return e && e->count == count && e->unit == unit;
  };
  EXPECT_TRUE(is("3", 3, Unit::epochs));
  EXPECT_TRUE(is("500steps", 500, Unit::steps));
  EXPECT_TRUE(is("30s", 30, Unit::seconds));
  EXPECT_TRUE(is("5min", 300, Unit::seconds));
  for (const char* bad : {"", "s", "0", "-1", "5h", "99999999999999999999", "9223372036854775807min", "1 s"})
    EXPECT_FALSE(parse_checkpoint_every(bad)) << bad;
}

TEST(Bar, FitsTheTerminal) {
  Console::Bar b{"Epoch 3/15", 47, 470, 1.0, {{"loss", 0.1234}}};
  EXPECT_EQ(Console::bar_text(b, 100, false), "Epoch 3/15   47/470 ==...................... 9.0 s left  loss 0.1234");
  for (int width : {11, 20, 40, 79})
    EXPECT_LT(Console::bar_text(b, width, false).size(), static_cast<size_t>(width)) << width;
  EXPECT_EQ(Console::bar_text(b, 58, false), "Epoch 3/15   47/470 =............ 9.0 s left  loss 0.1234");
  b.done = 0;
  EXPECT_EQ(Console::bar_text(b, 60, false).find("left"), std::string::npos);
}

// Whatever there is to say: whole values in the room there is, and a bar if there is room for one.
TEST(Bar, LeavesOutWhatDoesNotFit) {
  Console::Bar b{"Epoch 30/150", 461, 469, 123.0, {{"loss", 0.12345}}};
  for (const char* name : {"accuracy", "a_metric_with_quite_a_long_name", "auc", "\u640d\u5931", "e\u0301cart"})
    b.values.emplace_back(name, 0.98765);
  EXPECT_EQ(Console::bar_text(b, 80, false),
            "Epoch 30/150  461/469 ===============. 2.1 s left  loss 0.1235, accuracy 0.9877");
  for (int width = 1; width < 300; ++width)
    for (bool utf8 : {false, true}) {
      const std::string text = Console::bar_text(b, width, utf8);
      EXPECT_LE(columns(text), std::max(width - 1, 10)) << text;
      EXPECT_TRUE(runtime::is_utf8(text)) << width;
      if (width < 60) continue;
      EXPECT_NE(text.find(utf8 ? "\u2501" : "="), std::string::npos) << text;
      EXPECT_NE(text.find("loss 0.1235"), std::string::npos) << text;
    }
  EXPECT_EQ(columns("loss \u640d\u5931 e\u0301 \u2501"), 5 + 4 + 1 + 1 + 1 + 1);
  EXPECT_EQ(first_columns("\u640d\u5931", 3), "\u640d");
}

TEST(Plots, ManyShapesOfHistories) {
  EXPECT_EQ(ticks(0, 1, 5), (std::vector<double>{0, .5, 1}));
  EXPECT_EQ(ticks(3, 18, 6), (std::vector<double>{0, 5, 10, 15, 20}));
  std::vector<EpochLine> lines;
  EXPECT_EQ(plot_svg("t", lines), "");
  EXPECT_EQ(plot_terminal(lines, 80, false, true), "no finite loss to plot");
  for (double v : {2.0, (double)NAN, 1.0, (double)INFINITY, 1.0})
    lines.push_back(
        {static_cast<int64_t>(lines.size()) + 1, 0, {{"loss", v}, {"mae", 1}, {"val_loss", 1}, {"val_mae", 0}}});
  const std::string svg = plot_svg("a<b", lines);
  EXPECT_NE(svg.find("a&lt;b"), std::string::npos);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_EQ(svg.find("inf"), std::string::npos);
  const std::string text = plot_terminal(lines, 40, false, true);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 13);
  EXPECT_NE(text.find('+'), std::string::npos);
}

TEST(Plots, LongHistoriesAreThinnedOutButKeepTheirPeaks) {
  std::vector<EpochLine> lines;
  for (int64_t epoch = 1; epoch <= 100000; ++epoch) lines.push_back({epoch, 0, {{"loss", epoch == 54321 ? 9.0 : 1.0}}});
  const std::string svg = plot_svg("t", lines);
  EXPECT_LT(svg.size(), 60'000u);
  lines[54320].values[0].second = 1;
  EXPECT_NE(svg, plot_svg("t", lines));
}

} // namespace dlcc::training
