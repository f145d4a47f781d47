#!/usr/bin/env python3
"""Makes the golden trajectories: 100 steps of each model beside this file, in double precision.

Losses and gradients come from PyTorch's autograd in float64. Everything else is written out below from the rules of
model.json, format 1 (names, defaults and rules follow Keras 3): layers, losses, weights and reductions, regularisers,
clipping, weight decay, accumulation, schedules and optimizers. Nothing of dlcc is used.

Written per model, NAME.safetensors, float64 unless said otherwise:
  batch/<i>/<tensor>   inputs and labels of batch i, only the rows that are there (class numbers: int32)
  initial/<parameter>  first values; these and the inputs are float32 numbers, so that f32 starts at the same point
  after_<k>/<parameter>  values after k = 1, 10 and 100 batches
  losses               the 100 losses, each before its step's update; step k uses batch k mod (number of batches)

Checked once against Keras 3.15.1 (PyTorch backend, floatx float64): its layers, losses, schedules and optimizers, started
at the same values, gave every loss and every parameter after 100 steps to 2e-13 of its size, for all models but free_nodes,
own_losses and sklearn_sgd, which Keras cannot express, and with lr_mult left out of two_losses. For that, Keras' divide_no_nan
and maximum had to be kept from rounding to float32, and hard_sigmoid written out, as PyTorch's own derivative holds 1/6
in float32.

Run:  python3 make_goldens.py [NAME...]     (torch 2.13, numpy, safetensors)
"""

import json
import math
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file

HERE = pathlib.Path(__file__).parent
STEPS, SNAPSHOTS = 100, (1, 10, 100)


# ---- activations -----------------------------------------------------------------------------------------------------
def gelu(x, approximate=False):
    if approximate:
        return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))


def elu(x, alpha=1.0):
    return torch.where(x > 0, x, alpha * torch.expm1(torch.clamp(x, max=0)))


ACTIVATIONS = {
    "linear": lambda x: x,
    "relu": torch.relu,
    "relu6": lambda x: torch.clamp(x, 0, 6),
    "leaky_relu": lambda x, negative_slope=0.2: torch.where(x > 0, x, negative_slope * x),
    "elu": elu,
    "selu": lambda x: 1.0507009873554804934193349852946 * elu(x, 1.6732632423543772848170429916717),
    "gelu": gelu,
    "silu": lambda x: x * torch.sigmoid(x),
    "sigmoid": torch.sigmoid,
    "hard_sigmoid": lambda x: torch.clamp(x + 3, 0, 6) / 6,
    "tanh": torch.tanh,
    "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)),
    "softsign": lambda x: x / (1 + torch.abs(x)),
    "exp": torch.exp,
    "softmax": lambda x: torch.softmax(x, -1),
}


def typed(value):
    """A name, or an object with a type -> (type, other keys)."""
    if isinstance(value, str):
        return value, {}
    return value["type"], {k: v for k, v in value.items() if k != "type"}


# ---- the model -------------------------------------------------------------------------------------------------------
class Network:
    """Interprets `layers`, then `nodes`; parameters are made, at random, when they are first met."""

    def __init__(self, model):
        self.model = model
        self.random = np.random.default_rng(model["seed"])
        self.parameters, self.frozen, self.rate_factor, self.regularizers = {}, set(), {}, []
        for name, p in model.get("params", {}).items():
            self.parameter(name, p["shape"])
            self.regularize(name, p.get("regularizer"))

    def parameter(self, name, shape, layer=None):
        if name not in self.parameters:
            scale = math.sqrt(6 / sum(shape)) if len(shape) > 1 else 0.5
            first = self.random.uniform(-scale, scale, shape).astype(np.float32)
            self.parameters[name] = torch.tensor(first, dtype=torch.float64, requires_grad=True)
            layer = layer or {}
            if not layer.get("trainable", True):
                self.frozen.add(name)
            self.rate_factor[name] = layer.get("lr_mult", 1.0)
        return self.parameters[name]

    def regularize(self, name, rule):
        if rule and name not in self.frozen and (name, rule) not in self.regularizers:
            self.regularizers.append((name, rule))

    def tied(self, reference):
        name = reference.removeprefix("@")
        return self.parameters[name[:-2]].T if name.endswith("^T") else self.parameters[name]

    def forward(self, inputs):
        """Values by name, and what each softmax or sigmoid was computed from; `penalty` sums activities."""
        self.values, self.before, self.penalty, self.last = dict(inputs), {}, 0.0, None
        if "layers" in self.model:
            self.sequence(self.model["layers"], self.values[next(iter(inputs))], "")
        self.nodes(self.model.get("nodes", []), self.values)
        if "outputs" in self.model:
            self.last = self.model["outputs"][-1]
        return self.values

    def sequence(self, layers, x, prefix):
        for k, layer in enumerate(layers):
            sources = [self.values[n] for n in layer["from"]] if "from" in layer else [x]
            self.last = prefix + layer.get("name", f"{layer['type']}#{k}")
            x = self.layer(layer, sources, self.last, prefix)
            self.values[self.last] = x
        return x

    def layer(self, layer, sources, name, prefix):
        x, kind = sources[0], layer["type"]
        if kind == "Dense":
            if "kernel" in layer:
                kernel = self.tied(layer["kernel"])
            else:
                kernel = self.parameter(f"{name}/kernel", [x.shape[-1], layer["units"]], layer)
                self.regularize(f"{name}/kernel", layer.get("kernel_regularizer"))
            x = x @ kernel
            if layer.get("use_bias", True):
                x = x + self.parameter(f"{name}/bias", [layer["units"]], layer)
                self.regularize(f"{name}/bias", layer.get("bias_regularizer"))
            return self.activate(layer, x, name)
        if kind == "Activation":
            return self.activate(layer, x, name)
        if kind == "Normalize":
            return (x - torch.tensor(layer["mean"], dtype=x.dtype)) / torch.sqrt(torch.tensor(layer["variance"], dtype=x.dtype))
        if kind == "Residual":
            inside = self.sequence(layer["layers"], x, prefix)
            return self.sequence(layer.get("shortcut", []), x, prefix) + inside
        if kind == "Repeat":
            for i in range(layer["times"]):
                x = self.sequence(layer["layers"], x, f"{name}_{i}/")
            return x
        if kind == "Subtract":
            return sources[0] - sources[1]
        if kind in ("Multiply", "Maximum"):
            for other in sources[1:]:
                x = x * other if kind == "Multiply" else torch.maximum(x, other)
            return x
        return {
            "Rescale": lambda: x * layer["scale"] + layer.get("offset", 0.0),
            "Flatten": lambda: x.reshape(x.shape[0], -1),
            "Add": lambda: sum(sources),
            "Average": lambda: sum(sources) / len(sources),
            "Concat": lambda: torch.cat(sources, layer.get("axis", -1)),
        }[kind]()

    def activate(self, layer, x, name):
        kind, arguments = typed(layer.get("activation", "linear"))
        if kind in ("softmax", "sigmoid"):
            self.before[name] = x
        y = ACTIVATIONS[kind](x, **arguments)
        if rule := layer.get("activity_regularizer"):
            self.penalty = self.penalty + penalty(rule, y) / y.shape[0]
        return y

    def nodes(self, nodes, values):
        for node in nodes:
            if any(n not in values and n not in self.parameters for n in node["inputs"]):
                continue  # it reads a label, and none is made yet
            operands = [values[n] if n in values else self.parameters[n] for n in node["inputs"]]
            if node["op"] in self.model.get("functions", {}):
                values[node["output"]] = self.call(node["op"], operands)
            else:
                values[node["output"]] = OPERATORS[node["op"]](*operands, **node.get("attrs", {}))

    def call(self, name, operands):
        function = self.model["functions"][name]
        if "gradient" in function:
            return OwnGradient.apply(self, function, *operands)
        inner = dict(zip(function["inputs"], operands))
        self.nodes(function["nodes"], inner)
        return inner[function["outputs"][0]]


OPERATORS = {
    "matmul": torch.matmul,
    "matvec": torch.mv,
    "add": torch.add,
    "subtract": torch.sub,
    "multiply": torch.mul,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "negative": torch.neg,
    "sigmoid": torch.sigmoid,
    "relu": torch.relu,
    "sqrt": torch.sqrt,
    "square": lambda x: x * x,
    "sum": lambda x, axes: x.sum(axes),
    "reshape": lambda x, shape: x.reshape([x.shape[0] if n == "N" else n for n in shape]),
    "constant": lambda value: torch.tensor(value, dtype=torch.float64),
}


class OwnGradient(torch.autograd.Function):
    """A function of the model with one result, and the derivative that the model says."""

    @staticmethod
    def forward(ctx, network, function, *operands):
        ctx.network, ctx.function, ctx.values = network, function, dict(zip(function["inputs"], operands))
        network.nodes(function["nodes"], ctx.values)
        return ctx.values[function["outputs"][0]].clone()

    @staticmethod
    def backward(ctx, cotangent):
        values = {**ctx.values, "d." + ctx.function["outputs"][0]: cotangent}
        ctx.network.nodes(ctx.function["gradient"]["nodes"], values)
        return (None, None, *(values["d." + name] for name in ctx.function["inputs"]))


def penalty(rule, x):
    return rule.get("l1", 0.0) * x.abs().sum() + rule.get("l2", 0.0) * (x * x).sum()


# ---- losses ----------------------------------------------------------------------------------------------------------
TINY = 1e-7


def smooth(label, share, classes):
    return label * (1 - share) + share / classes


def binary_crossentropy(p, y, logits, o):
    y = smooth(y, o.get("label_smoothing", 0.0), 2)
    if logits is not None:
        return mean_row(F.binary_cross_entropy_with_logits(logits, y, reduction="none"))
    p = torch.clamp(p, TINY, 1 - TINY)
    return mean_row(-y * torch.log(p) - (1 - y) * torch.log(1 - p))


def categorical_crossentropy(p, y, logits, o):
    y = smooth(y, o.get("label_smoothing", 0.0), p.shape[-1])
    if logits is not None:
        return -(y * torch.log_softmax(logits, -1)).sum(-1)
    p = torch.clamp(p / p.sum(-1, keepdim=True), TINY, 1 - TINY)
    return -(y * torch.log(p)).sum(-1)


def sparse_categorical_crossentropy(p, y, logits, o):
    log_p = torch.log_softmax(logits, -1) if logits is not None else torch.log(torch.clamp(p, TINY, 1 - TINY))
    return -log_p.gather(-1, torch.clamp(y, min=0).long()[..., None])[..., 0]


def huber(p, y, logits, o):
    delta, error = o.get("delta", 1.0), (p - y).abs()
    return mean_row(torch.where(error <= delta, 0.5 * error**2, delta * error - 0.5 * delta**2))


def log_cosh(p, y, logits, o):
    e = p - y
    return mean_row(e + torch.logaddexp(-2 * e, torch.zeros_like(e)) - math.log(2))


def kl_divergence(p, y, logits, o):
    p, y = torch.clamp(p, TINY, 1), torch.clamp(y, TINY, 1)
    return (y * torch.log(y / p)).sum(-1)


def margin(p, y):
    return torch.clamp(1 - (2 * y - 1) * p, min=0)


def mean_row(x):
    """Over the last axis; a loss of one number a sample is that number."""
    return x.mean(-1) if x.ndim > 1 else x


LOSSES = {
    "mean_squared_error": lambda p, y, logits, o: mean_row((p - y) ** 2),
    "mean_absolute_error": lambda p, y, logits, o: mean_row((p - y).abs()),
    "huber": huber,
    "log_cosh": log_cosh,
    "binary_crossentropy": binary_crossentropy,
    "categorical_crossentropy": categorical_crossentropy,
    "sparse_categorical_crossentropy": sparse_categorical_crossentropy,
    "kl_divergence": kl_divergence,
    "poisson": lambda p, y, logits, o: mean_row(p - y * torch.log(p + TINY)),
    "hinge": lambda p, y, logits, o: mean_row(margin(p, y)),
    "squared_hinge": lambda p, y, logits, o: mean_row(margin(p, y) ** 2),
}


def class_of(label, prediction):
    if not label.is_floating_point():
        return label.long()
    return label.argmax(-1) if prediction.shape[-1] > 1 else torch.round(label[:, 0]).long()


def own_rows(network, kind, o, p, batch):
    """Of a function of (prediction, label) or (prediction, label, weight)."""
    operands = [p, batch[o.get("label", "label")]]
    if len(network.model["functions"][kind]["inputs"]) == 3:
        operands.append(batch[o.pop("sample_weight")])
    return network.call(kind, operands)


def one_loss(network, rule, batch):
    kind, o = ("value", dict(rule)) if "value" in rule else typed(rule)
    name = o.get("prediction", network.last)
    p = network.values[name]
    if kind == "value":
        rows = network.values[o["value"]]
    elif kind in network.model.get("functions", {}):
        rows = own_rows(network, kind, o, p, batch)
    else:
        y = batch[o.get("label", "label")]
        logits = p if o.get("from_logits") else network.before.get(name)
        rows = LOSSES[kind](p, y, logits, o)
    rows = rows.reshape(rows.shape[0])
    if "class_weight" in o:
        table = torch.ones(max(2, p.shape[-1]), dtype=torch.float64)
        for number, weight in o["class_weight"].items():
            table[int(number)] = weight
        rows = rows * table[class_of(y, p)]
    if "sample_weight" in o:
        rows = rows * batch[o["sample_weight"]]
    count = rows.shape[0]
    if "ignore_index" in o:
        rows = torch.where(y != o["ignore_index"], rows, 0.0)
        count = int((y != o["ignore_index"]).sum())
    total = rows.sum() if o.get("reduction") == "sum" else rows.sum() / count
    return total * o.get("weight", 1.0)


def forward_loss(network, batch):
    """The reported loss: with weights and every penalty."""
    model = network.model
    network.forward(batch)
    rules = model["loss"] if isinstance(model["loss"], list) else [model["loss"]]
    loss = sum(one_loss(network, rule, batch) for rule in rules) + network.penalty
    for name, rule in network.regularizers:
        loss = loss + penalty(rule, network.parameters[name])
    _, o = typed(model["optimizer"])
    if o.get("preset") == "sklearn":
        rows = next(iter(batch.values())).shape[0]
        for name, w in network.parameters.items():
            if name.endswith("kernel") and name not in network.frozen:
                loss = loss + 0.5 * o["alpha"] * (w * w).sum() / rows
    return loss


# ---- schedules: t counts updates from 0 ------------------------------------------------------------------------------
def cosine_from(rate, t, steps, alpha):
    return rate * ((1 - alpha) * 0.5 * (1 + math.cos(math.pi * min(t, steps) / steps)) + alpha)


def learning_rate(rule, t):
    if not isinstance(rule, dict):
        return rule
    kind, initial, steps = rule["schedule"], rule.get("initial"), rule.get("decay_steps")
    fraction = t / steps if steps else 0.0
    if rule.get("staircase"):
        fraction = math.floor(fraction)
    if kind == "exponential":
        return initial * rule["decay_rate"] ** fraction
    if kind == "inverse_time":
        return initial / (1 + rule["decay_rate"] * fraction)
    if kind == "piecewise":
        for boundary, value in zip(rule["boundaries"], rule["values"]):
            if t <= boundary:
                return value
        return rule["values"][-1]
    if kind == "polynomial":
        end, power = rule.get("end", 1e-4), rule.get("power", 1.0)
        if rule.get("cycle"):
            steps *= max(1, math.ceil(t / steps))
        return (initial - end) * (1 - min(t, steps) / steps) ** power + end
    if kind == "cosine":
        alpha, warm = rule.get("alpha", 0.0), rule.get("warmup_steps", 0)
        if "warmup_target" not in rule:
            return cosine_from(initial, t, steps, alpha)
        target = rule["warmup_target"]
        return initial + (target - initial) * t / warm if t < warm else cosine_from(target, t - warm, steps, alpha)
    assert kind == "cosine_restarts"
    length, rate, start = rule["first_decay_steps"], initial, 0
    while t >= start + length:
        start, length, rate = start + length, length * rule.get("t_mul", 2.0), rate * rule.get("m_mul", 1.0)
    alpha = rule.get("alpha", 0.0)
    return (1 - alpha) * 0.5 * rate * (1 + math.cos(math.pi * (t - start) / length)) + alpha * initial


# ---- updates ---------------------------------------------------------------------------------------------------------
def clipped(o, gradients):
    norm = lambda g: float(torch.sqrt((g * g).sum()))
    if "clip_value" in o:
        return {n: torch.clamp(g, -o["clip_value"], o["clip_value"]) for n, g in gradients.items()}
    if "clip_norm" in o:
        return {n: g * (o["clip_norm"] / max(norm(g), o["clip_norm"])) for n, g in gradients.items()}
    if "clip_global_norm" in o:
        whole = math.sqrt(sum(norm(g) ** 2 for g in gradients.values()))
        return {n: g * (o["clip_global_norm"] / max(whole, o["clip_global_norm"])) for n, g in gradients.items()}
    return gradients


def sgd(o, w, g, lr, t, slot):
    if not (momentum := o.get("momentum", 0.0)):
        return w - lr * g
    slot["v"] = momentum * slot.get("v", torch.zeros_like(w)) - lr * g
    return w + momentum * slot["v"] - lr * g if o.get("nesterov") else w + slot["v"]


def adam(o, w, g, lr, t, slot):
    b1, b2, zero = o.get("beta_1", 0.9), o.get("beta_2", 0.999), torch.zeros_like(w)
    slot["m"] = b1 * slot.get("m", zero) + (1 - b1) * g
    slot["v"] = b2 * slot.get("v", zero) + (1 - b2) * g * g
    v = slot["v"]
    if o.get("amsgrad"):
        v = slot["v_max"] = torch.maximum(slot.get("v_max", zero), v)
    return w - lr * math.sqrt(1 - b2**t) / (1 - b1**t) * slot["m"] / (torch.sqrt(v) + o.get("epsilon", 1e-7))


def rmsprop(o, w, g, lr, t, slot):
    rho, zero = o.get("rho", 0.9), torch.zeros_like(w)
    slot["v"] = rho * slot.get("v", zero) + (1 - rho) * g * g
    spread = slot["v"] + o.get("epsilon", 1e-7)
    if o.get("centered"):
        slot["mean"] = rho * slot.get("mean", zero) + (1 - rho) * g
        spread = spread - slot["mean"] ** 2
    step = lr * g / torch.sqrt(spread)
    if momentum := o.get("momentum", 0.0):
        step = slot["momentum"] = momentum * slot.get("momentum", zero) + step
    return w - step


RULES = {"sgd": (sgd, 0.01, 0.0), "adam": (adam, 0.001, 0.0), "adamw": (adam, 0.001, 0.004), "rmsprop": (rmsprop, 0.001, 0.0)}


class Trainer:
    """Accumulates gradients and updates: mean -> clip -> decoupled decay -> rule (regularisers are in the loss)."""

    def __init__(self, network):
        self.network = network
        kind, self.options = typed(network.model["optimizer"])
        self.rule, self.default_rate, decay = RULES[kind]
        self.decay = self.options.get("weight_decay", decay)
        self.sums, self.pending, self.updates = {}, 0, 0
        self.slots = {}

    def step(self, batch):
        network = self.network
        loss = forward_loss(network, batch)
        names = [n for n in network.parameters if n not in network.frozen]
        for name, g in zip(names, torch.autograd.grad(loss, [network.parameters[n] for n in names])):
            self.sums[name] = self.sums.get(name, 0) + g
        self.pending += 1
        if self.pending == self.options.get("accumulate_steps", 1):
            self.update({n: g / self.pending for n, g in self.sums.items()})
            self.sums, self.pending = {}, 0
        return float(loss.detach())

    def update(self, gradients):
        rate = learning_rate(self.options.get("learning_rate", self.default_rate), self.updates)
        self.updates += 1
        for name, g in clipped(self.options, gradients).items():
            lr, w = rate * self.network.rate_factor[name], self.network.parameters[name].detach()
            w = w - w * self.decay * lr
            w = self.rule(self.options, w, g, lr, self.updates, self.slots.setdefault(name, {}))
            self.network.parameters[name] = w.requires_grad_()


# ---- data and files --------------------------------------------------------------------------------------------------
def make_label(random, kind, p):
    """Labels that a prediction like `p` can be compared with."""
    shape, classes = tuple(p.shape), p.shape[-1]
    exact = lambda x: torch.tensor(np.asarray(x, dtype=np.float32), dtype=torch.float64)
    if kind == "classes":
        return torch.tensor(random.integers(0, classes, shape[:-1]), dtype=torch.int32)
    if kind == "classes_with_gaps":
        return torch.tensor(random.integers(-1, classes, shape[:-1]), dtype=torch.int32)
    return exact({
        "numbers": lambda: random.normal(0, 1, shape),
        "binary": lambda: random.integers(0, 2, shape),
        "one_hot": lambda: np.eye(classes)[random.integers(0, classes, shape[:-1])],
        "probabilities": lambda: random.uniform(0.05, 0.95, shape),
        "distribution": lambda: random.dirichlet(np.full(classes, 3.0), shape[:-1]),
        "counts": lambda: random.poisson(1.5, shape),
    }[kind]())


def make_batches(network):
    """Each of `x-golden.rows` is a batch of that many rows."""
    model = network.model
    random = np.random.default_rng(1000 + model["seed"])
    rules = model["loss"] if isinstance(model["loss"], list) else [model["loss"]]
    batches = []
    for rows in model["x-golden"]["rows"]:
        batch = {}
        for name, tensor in model["inputs"].items():
            values = random.normal(0, 1, [rows] + tensor["shape"][1:])
            if any(name == r.get("sample_weight") for r in rules if isinstance(r, dict)):
                values = random.uniform(0.25, 2, rows)
            batch[name] = torch.tensor(values.astype(np.float32), dtype=torch.float64)
        network.forward(batch)
        labels = model["x-golden"]["labels"]
        for rule in rules:
            o = {} if "value" in rule else typed(rule)[1]
            name = o.get("label", "label")
            if "value" in rule:
                continue
            kind = labels[name] if isinstance(labels, dict) else labels
            batch[name] = make_label(random, kind, network.values[o.get("prediction", network.last)])
        for name, tensor in model.get("labels", {}).items():
            if name not in batch:  # nodes read it
                batch[name] = make_label(random, labels[name], torch.zeros([rows] + tensor["shape"][1:]))
        batches.append(batch)
    return batches


def make_golden(path):
    network = Network(json.loads(path.read_text()))
    batches = make_batches(network)
    trainer = Trainer(network)
    out = {}

    def keep(prefix, tensors):
        for name, x in tensors.items():
            out[f"{prefix}/{name}"] = np.array(x.detach().numpy(), order="C")

    for i, batch in enumerate(batches):
        keep(f"batch/{i}", batch)
    keep("initial", network.parameters)
    losses = []
    for k in range(STEPS):
        losses.append(trainer.step(batches[k % len(batches)]))
        if k + 1 in SNAPSHOTS:
            keep(f"after_{k + 1}", network.parameters)
    assert np.all(np.isfinite(losses))
    out["losses"] = np.array(losses)
    target = path.with_suffix(".safetensors")
    save_file(out, target)
    print(f"{path.stem}: loss {losses[0]:.6f} -> {losses[-1]:.6f}, {target.stat().st_size} bytes")


if __name__ == "__main__":
    torch.set_num_threads(1)
    for model_file in sorted(HERE.glob("*.json")):
        if "estimator" in json.loads(model_file.read_text())["x-golden"]:
            continue  # of make_sklearn_goldens.py
        if not sys.argv[1:] or model_file.stem in sys.argv[1:]:
            make_golden(model_file)
