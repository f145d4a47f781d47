#!/usr/bin/env python3
"""Writes golden/metrics.txt: metrics of small data sets by scikit-learn, which metrics_test.cpp compares with.

    python3 make_metrics.py        # needs numpy and scikit-learn

A case is: its name, the loss, the metric, predictions and labels a line each (rows by spaces, columns by commas), and
scikit-learn's number.
"""
import os

import numpy as np
from sklearn import metrics as sk

random = np.random.default_rng(7)
here = os.path.dirname(os.path.abspath(__file__))
out = open(os.path.join(here, "golden", "metrics.txt"), "w")


def rows(a):
    a = np.asarray(a, float)
    return " ".join(",".join(repr(float(v)) for v in np.atleast_1d(row)) for row in a)


def case(name, loss, metric, x, y, value):
    for line in (name, loss, metric, rows(x), rows(y), repr(float(value)), ""):
        print(line, file=out)


def apart(n):
    """Distinct probabilities, each between two of the 200 thresholds of auc."""
    return (random.choice(np.arange(199), n, replace=False) + 0.5) / 199


binary, logits = '{"type": "binary_crossentropy"}', '{"type": "binary_crossentropy", "from_logits": true}'
hinge, squared_hinge, mse = '{"type": "hinge"}', '{"type": "squared_hinge"}', '{"type": "mean_squared_error"}'
sparse = '{"type": "sparse_categorical_crossentropy"}'
ignoring = '{"type": "sparse_categorical_crossentropy", "ignore_index": -1}'
one_hot = '{"type": "categorical_crossentropy"}'

p, y = apart(11), np.array([0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1])
z = np.log(p / (1 - p))
ties = np.array([0.25, 0.75, 0.75, 0.25, 0.25, 0.75, 0.75, 0.5, 0.5, 0.5, 0.5])
far = np.array([-90, 300, 62, 51, 120, -3, 800, -40, 2000, -7000, 0.7])  # a threshold between any two
confusion = {"accuracy": sk.accuracy_score, "precision": sk.precision_score, "recall": sk.recall_score, "f1": sk.f1_score}
for name, score in confusion.items():
    quoted = '"%s"' % name
    case(f"{name} of probabilities", binary, quoted, p, y, score(y, p > 0.5))
    case(f"{name} above 0.3", binary, '{"type": "%s", "threshold": 0.3}' % name, p, y, score(y, p > 0.3))
    case(f"{name} of logits", logits, quoted, z, y, score(y, z > 0))
    case(f"{name} of logits above 0.3", logits, '{"type": "%s", "threshold": 0.3}' % name, z, y, score(y, p > 0.3))
    case(f"{name} of small logits", logits, quoted, z * 1e-30, y, score(y, z > 0))
    case(f"{name} of hinge's scores", hinge, quoted, z / 10, 2 * y - 1, score(y, z > 0))
    case(f"{name} of squared hinge's scores, labels 0 and 1", squared_hinge, quoted, z / 10, y, score(y, z > 0))
    case(f"{name} at the threshold itself", binary, quoted, ties, y, score(y, ties > 0.5))
    case(f"{name}, nothing predicted", binary, quoted, p / 4, y, score(y, p > 2, **({} if name == "accuracy" else {"zero_division": 0})))
    case(f"{name}, nothing true", binary, quoted, p, 0 * y, score(0 * y, p > 0.5, **({} if name == "accuracy" else {"zero_division": 0})))
    several, labels = apart(18).reshape(6, 3), random.integers(0, 2, (6, 3))
    if name != "accuracy":
        case(f"{name} of several labels", binary, quoted, several, labels, score(labels.ravel(), several.ravel() > 0.5))

auc = sk.roc_auc_score
case("auc of probabilities", binary, '"auc"', p, y, auc(y, p))
case("auc of ties", binary, '"auc"', ties, y, auc(y, ties))
case("auc of one score", binary, '"auc"', 0 * p + 0.3, y, 0.5)
case("auc of logits", logits, '"auc"', z, y, auc(y, z))
case("auc of hinge's scores", hinge, '"auc"', far, 2 * y - 1, auc(y, far))
case("auc of a perfect ranking of scores", hinge, '"auc"', np.where(y == 1, abs(far), -abs(far)), 2 * y - 1, 1)
case("auc of a perfect ranking far out", hinge, '"auc"', 1000 + 4000 * y, 2 * y - 1, 1)
case("auc of a wrong ranking", hinge, '"auc"', -1.0 * y, 2 * y - 1, 0)
case("auc of any numbers", mse, '"auc"', far, y, auc(y, far))
case("auc of 0 and 1", binary, '"auc"', 1.0 * (p > 0.5), y, auc(y, p > 0.5))
case("auc of several labels", binary, '"auc"', several, labels, auc(labels.ravel(), several.ravel()))

classes = random.integers(0, 4, 9)
shares = random.dirichlet(np.ones(4), 9)
hot = np.eye(4)[classes]
case("accuracy of classes", sparse, '"accuracy"', shares, classes, sk.accuracy_score(classes, shares.argmax(1)))
case("accuracy of one-hot classes", one_hot, '"accuracy"', shares, hot, sk.accuracy_score(classes, shares.argmax(1)))
known = np.where(np.arange(9) % 3 == 1, -1, classes)
kept = known >= 0
case("accuracy without the ignored", ignoring, '"accuracy"', shares, known, sk.accuracy_score(classes[kept], shares[kept].argmax(1)))
for k in (1, 2, 3, 4):
    metric = '{"type": "top_k", "k": %d}' % k
    top = lambda a, b: sk.top_k_accuracy_score(a, b, k=k, labels=range(4)) if k < 4 else 1
    case(f"top {k}", sparse, metric, shares, classes, top(classes, shares))
    case(f"top {k} of one-hot classes", one_hot, metric, shares, hot, top(classes, shares))
    case(f"top {k} without the ignored", ignoring, metric, shares, known, top(classes[kept], shares[kept]))
flat = (shares > 0.3).astype(int)
for name, score in list(confusion.items())[1:]:
    metric = '{"type": "%s", "threshold": 0.3}' % name
    case(f"{name} of classes", sparse, metric, shares, classes, score(hot.ravel(), flat.ravel()))
    case(f"{name} without the ignored", ignoring, metric, shares, known, score(hot[kept].ravel(), flat[kept].ravel()))
grid = (random.integers(0, 199, (9, 4)) + 0.5) / 199
case("auc of classes", sparse, '"auc"', grid, classes, auc(hot.ravel(), grid.ravel()))
case("auc without the ignored", ignoring, '"auc"', grid, known, auc(hot[kept].ravel(), grid[kept].ravel()))

for name, scale, shift in (("small", 1, 0), ("at a mean of 1e9", 1, 1e9), ("at a mean of -1e12", 3, -1e12), ("of 1e100", 1e100, 0), ("of 1e-100", 1e-100, 0)):
    for columns in (1, 3):
        t = random.normal(size=(10, columns)) * scale + shift
        q = t + random.normal(size=(10, columns)) * scale * 0.6
        what = f"{name}, {columns} columns"
        case(f"mse {what}", mse, '"mse"', q, t, sk.mean_squared_error(t, q))
        case(f"rmse {what}", mse, '"rmse"', q, t, np.sqrt(sk.mean_squared_error(t, q)))
        case(f"mae {what}", mse, '"mae"', q, t, sk.mean_absolute_error(t, q))
        o = t[0] if shift else 0  # scikit-learn's own mean costs digits; near o, the subtraction is exact
        case(f"r2 {what}", mse, '"r2"', q, t, sk.r2_score(t - o, q - o))
t = np.array([0, 1e9 + 1, 1e9 - 1, 1e9 + 2, 1e9, 1e9 - 2])
case("r2 of an outlier first", mse, '"r2"', t + np.array([1, 0, 1, -1, 0, 2.5]) * 1e5, t, sk.r2_score(t, t + np.array([1, 0, 1, -1, 0, 2.5]) * 1e5))
# scikit-learn says 0 as well, but for a perfect prediction.
case("r2 of equal labels", mse, '"r2"', random.normal(size=7), np.full(7, 0.1), 0)
case("r2 of equal labels at 1e9", mse, '"r2"', random.normal(size=7), np.full(7, 1e9 + 0.1), 0)
