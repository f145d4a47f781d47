#!/usr/bin/env python3
"""Makes the golden trajectories of "preset": "sklearn": scikit-learn's own MLPClassifier and MLPRegressor, at their
defaults, trained on each model here whose x-golden names an estimator.

Only the solver, the activation, the hidden layer's width, the batch size and the first values are given (and
shuffle=False, so that batches are the same); everything else is scikit-learn's default. What is written is described in
make_goldens.py; the loss of a step is what the estimator's _backprop returns.

Run:  python3 make_sklearn_goldens.py     (scikit-learn 1.9.1, numpy, safetensors)
"""

import json
import pathlib

import numpy as np
import sklearn.neural_network
from safetensors.numpy import save_file

HERE = pathlib.Path(__file__).parent
SNAPSHOTS = {10: 2, 100: 20}  # steps: epochs of 5 batches
ACTIVATIONS = {"relu": "relu", "tanh": "tanh", "sigmoid": "logistic"}


def single(x):
    return x.astype(np.float32).astype(np.float64)


def trained(model, x, y, first, epochs):
    """The estimator after so many epochs, and the losses of its steps."""
    hidden, losses = model["layers"][0], []
    base = getattr(sklearn.neural_network, model["x-golden"]["estimator"])

    class Estimator(base):
        def _init_coef(self, fan_in, fan_out, dtype):
            return tuple(value.copy() for value in first[fan_in, fan_out])

        def _backprop(self, *arguments, **options):
            result = super()._backprop(*arguments, **options)
            losses.append(result[0])
            return result

    estimator = Estimator(
        hidden_layer_sizes=(hidden["units"],),
        activation=ACTIVATIONS[hidden["activation"]],
        solver=model["optimizer"]["type"],
        batch_size=model["train"]["batch_size"],
        shuffle=False,
        max_iter=epochs,
    )
    return estimator.fit(x, y), np.array(losses)


def make_golden(path, model):
    random = np.random.default_rng(model["seed"])
    hidden, last = model["layers"]
    rows, features, units = model["x-golden"]["rows"], model["inputs"]["x"]["shape"][1], hidden["units"]
    x = single(random.normal(0, 1, (sum(rows), features)))
    classifies = model["x-golden"]["estimator"] == "MLPClassifier"
    y = single(random.integers(0, 2, sum(rows)) if classifies else np.sin(x[:, 0]) + x[:, 1])
    first = {shape: (single(random.uniform(-0.5, 0.5, shape)), single(random.uniform(-0.5, 0.5, shape[1])))
             for shape in [(features, units), (units, 1)]}
    out = {}
    for i, end in enumerate(np.cumsum(rows)):
        out[f"batch/{i}/x"] = x[end - rows[i] : end]
        out[f"batch/{i}/label"] = y[end - rows[i] : end, None]
    for layer, (kernel, bias) in zip((hidden, last), first.values()):
        out[f"initial/{layer['name']}/kernel"], out[f"initial/{layer['name']}/bias"] = kernel, bias
    for steps, epochs in SNAPSHOTS.items():
        estimator, losses = trained(model, x, y, first, epochs)
        assert len(losses) == steps
        for layer, kernel, bias in zip((hidden, last), estimator.coefs_, estimator.intercepts_):
            out[f"after_{steps}/{layer['name']}/kernel"], out[f"after_{steps}/{layer['name']}/bias"] = kernel, bias
    out["losses"] = losses
    save_file({name: np.ascontiguousarray(value) for name, value in out.items()}, path.with_suffix(".safetensors"))
    print(f"{path.stem}: loss {losses[0]:.6f} -> {losses[-1]:.6f}")


if __name__ == "__main__":
    for model_file in sorted(HERE.glob("*.json")):
        document = json.loads(model_file.read_text())
        if "estimator" in document["x-golden"]:
            make_golden(model_file, document)
