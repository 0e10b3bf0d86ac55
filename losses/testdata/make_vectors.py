#!/usr/bin/env python3
"""Writes torch.json beside this file: losses and their gradients from PyTorch.

    python make_vectors.py      with torch 2.14.1, from PyPI

Losses that torch does not have (focal, Dice, hinge, log-cosh, contrastive) are
their published formulas in torch's operations, which differentiates them. All
is float64. Each case has its own seed, its name: a new case leaves the others
as they are.
"""
import json
import math
import os
import random

import torch
import torch.nn.functional as F

VERSION = "2.14.1"
FOLDER = os.path.dirname(os.path.abspath(__file__))

assert torch.__version__.split("+")[0] == VERSION, torch.__version__
torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)

cases = []


class Draw:
    """Numbers from the seed of a case, with three digits."""

    def __init__(self, name):
        self.rng = random.Random(name)

    def uniform(self, lo, hi, *shape):
        n = math.prod(shape)
        return torch.tensor([round(self.rng.uniform(lo, hi), 3) for _ in range(n)]).reshape(shape)

    def normal(self, *shape):
        n = math.prod(shape)
        return torch.tensor([round(self.rng.gauss(0, 2), 3) for _ in range(n)]).reshape(shape)

    def ints(self, n, *shape):
        return torch.tensor([self.rng.randrange(n) for _ in range(math.prod(shape))]).reshape(shape)

    def signs(self, *shape):
        return self.ints(2, *shape).double() * 2 - 1

    def distribution(self, axis, *shape):
        x = self.uniform(0.05, 1, *shape)
        return x / x.sum(axis, keepdim=True)


def tensor(t):
    return {"shape": list(t.shape), "data": t.detach().reshape(-1).tolist()}


def case(loss, note, inputs, f, labels=None, floats=(), fixed=0, **options):
    """Appends one case: f of the inputs, of which the last `fixed` have no
    gradient, is the loss under the options."""
    xs = [x.clone().requires_grad_(i < len(inputs) - fixed) for i, x in enumerate(inputs)]
    y = f(*xs)
    cotangent = torch.ones(()) if y.dim() == 0 else Draw(loss + note + "cotangent").uniform(-1, 1, *y.shape)
    y.backward(cotangent)
    row = {"loss": loss, "note": note, "inputs": [tensor(x) for x in inputs]}
    if labels is not None:
        row["labels"] = {"shape": list(labels.shape), "data": labels.reshape(-1).tolist()}
    if floats:
        row["floats"] = list(floats)
    row["options"] = {k: tensor(v) if isinstance(v, torch.Tensor) else v for k, v in options.items()}
    row["value"], row["cotangent"] = tensor(y), tensor(cotangent)
    row["grads"] = [tensor(x.grad) if x.requires_grad else None for x in xs]
    cases.append(row)


REDUCTIONS = ("mean", "sum", "none")


def labels_cases():
    d = Draw("labels")
    x, y, v = d.normal(2, 4, 2, 3), d.ints(4, 2, 2, 3), d.uniform(0.2, 3, 4)
    some = y.clone()
    some[0, 1, 0] = some[1, 0, 2] = 255
    name = "labels"
    for r in REDUCTIONS:
        case(name, "pixels " + r, [x], lambda x: F.cross_entropy(x, y, reduction=r), labels=y, reduction=r, class_axis=1, logits=True)
        case(name, "ignored " + r, [x], lambda x: F.cross_entropy(x, some, reduction=r, ignore_index=255),
             labels=some, reduction=r, class_axis=1, logits=True, ignore=[255])
        # PyTorch's mean divides by the weights of the labels.
        case(name, "everything " + r, [x],
             lambda x: F.cross_entropy(x, some, v, reduction=r, ignore_index=255, label_smoothing=0.15), labels=some,
             reduction="weighted_mean" if r == "mean" else r, class_axis=1, logits=True, ignore=[255], smoothing=0.15, class_weights=v)
    case(name, "smoothing", [x], lambda x: F.cross_entropy(x, y, label_smoothing=0.1), labels=y, class_axis=1, logits=True, smoothing=0.1)
    p, rows = d.distribution(-1, 5, 3), d.ints(3, 5)
    rows[2] = 1
    case(name, "from probabilities, one class ignored", [p], lambda p: F.nll_loss(p.log(), rows, ignore_index=1),
         labels=rows, ignore=[1])
    case(name, "from probabilities, smoothing", [p],
         lambda p: (0.8 * F.nll_loss(p.log(), rows, ignore_index=1) - 0.2 * p.log().mean(-1)[rows != 1].mean()),
         labels=rows, ignore=[1], smoothing=0.2)


def target_cases():
    d = Draw("targets")
    x, t, v = d.normal(2, 3, 4), d.distribution(1, 2, 3, 4), d.uniform(0.2, 3, 3)
    for r in REDUCTIONS:
        case("targets", "smoothing " + r, [x, t], lambda x, t: F.cross_entropy(x, t, reduction=r, label_smoothing=0.3),
             fixed=1, reduction=r, class_axis=-2, logits=True, smoothing=0.3)
    # PyTorch's mean over soft targets divides by the number of rows.
    case("targets", "weights and smoothing", [x, t], lambda x, t: F.cross_entropy(x, t, v, label_smoothing=0.3),
         fixed=1, class_axis=1, logits=True, smoothing=0.3, class_weights=v)


def binary_cases():
    d = Draw("binary")
    x, t, w = d.normal(4, 3), d.uniform(0, 1, 4, 3), d.uniform(0.3, 4, 3)
    for r in REDUCTIONS:
        case("bce", "pos weight " + r, [x, t], lambda x, t: F.binary_cross_entropy_with_logits(x, t, pos_weight=w, reduction=r),
             fixed=1, reduction=r, logits=True, pos_weight=w)
    case("bce", "pos weight scalar, hard", [x, t.round()],
         lambda x, t: F.binary_cross_entropy_with_logits(x, t, pos_weight=torch.tensor(2.5)), fixed=1, logits=True, pos_weight=torch.tensor(2.5))
    image, mask, per = d.normal(2, 3, 2, 2), d.ints(2, 2, 3, 2, 2).double(), d.uniform(0.3, 4, 3)
    case("bce", "pos weight per channel", [image, mask],
         lambda x, t: F.binary_cross_entropy_with_logits(x, t, pos_weight=per[:, None, None]),
         fixed=1, logits=True, pos_weight=per, class_axis=1)
    p = d.uniform(0.05, 0.95, 4, 3)
    case("bce", "pos weight of probabilities", [p, t], lambda p, t: -(w * t * p.log() + (1 - t) * (1 - p).log()).mean(), fixed=1, pos_weight=w)

    def focal(x, t, gamma, alpha=None, logits=True):
        # Lin et al. 2017; for targets in between as torchvision has it.
        p = x.sigmoid() if logits else x
        ce = F.binary_cross_entropy_with_logits(x, t, reduction="none") if logits else F.binary_cross_entropy(x, t, reduction="none")
        loss = ce * (1 - (p * t + (1 - p) * (1 - t))) ** gamma
        return loss if alpha is None else loss * (alpha * t + (1 - alpha) * (1 - t))

    hard = t.round()
    case("binary_focal", "2", [x, hard], lambda x, t: focal(x, t, 2).mean(), fixed=1, floats=[2], logits=True)
    case("binary_focal", "alpha", [x, hard], lambda x, t: focal(x, t, 2, 0.25), fixed=1, floats=[2], logits=True,
         class_weights=torch.tensor([0.75, 0.25]), reduction="none")
    case("binary_focal", "soft targets", [x, t], lambda x, t: focal(x, t, 1.5).sum(), fixed=1, floats=[1.5], logits=True, reduction="sum")
    case("binary_focal", "probabilities", [p, hard], lambda p, t: focal(p, t, 0.5, logits=False).mean(), fixed=1, floats=[0.5])


def focal_cases():
    d = Draw("focal")
    x, y, v = d.normal(2, 4, 3), d.ints(4, 2, 3), d.uniform(0.2, 2, 4)
    y[0, 0] = -1

    def focal(logp, gamma, weights=None):
        keep = y >= 0
        lp = logp.gather(1, y.clamp(min=0)[:, None])[:, 0]
        loss = -(1 - lp.exp()) ** gamma * lp
        if weights is not None:
            loss = loss * weights[y.clamp(min=0)]
        return torch.where(keep, loss, 0.0), keep.sum()

    def mean(pair):
        return pair[0].sum() / pair[1]

    case("focal_labels", "2", [x], lambda x: mean(focal(x.log_softmax(1), 2)), labels=y, floats=[2], logits=True, class_axis=1, ignore=[-1])
    case("focal_labels", "weights", [x], lambda x: focal(x.log_softmax(1), 3, v)[0], labels=y, floats=[3], logits=True, class_axis=1,
         ignore=[-1], class_weights=v, reduction="none")
    p = d.distribution(1, 2, 4, 3)
    case("focal_labels", "probabilities", [p], lambda p: mean(focal(p.log(), 0.5)), labels=y, floats=[0.5], class_axis=1, ignore=[-1])


def dice_cases():
    d = Draw("dice")
    x, y, v = d.normal(2, 3, 2, 2), d.ints(3, 2, 2, 2), d.uniform(0.2, 2, 3)
    one_hot = F.one_hot(y, 3).permute(0, 3, 1, 2).double()

    def dice(p, t, smooth):
        axes = list(range(2, p.dim()))
        return 1 - (2 * (p * t).sum(axes) + smooth) / (p.sum(axes) + t.sum(axes) + smooth)

    for r, f in (("mean", torch.mean), ("sum", torch.sum), ("none", lambda v: v)):
        case("dice", "softmax " + r, [x, one_hot], lambda x, t: f(dice(x.softmax(1), t, 1)), fixed=1, floats=[1], logits=True, class_axis=1, reduction=r)
    case("dice", "sigmoid of one class", [x[:, :1], one_hot[:, :1]], lambda x, t: dice(x.sigmoid(), t, 0.5).mean(), fixed=1, floats=[0.5], logits=True, class_axis=1)
    last = x.softmax(1).permute(0, 2, 3, 1).detach()
    case("dice", "probabilities, classes last", [last, one_hot.permute(0, 2, 3, 1)],
         lambda p, t: dice(p.permute(0, 3, 1, 2), t.permute(0, 3, 1, 2), 0).mean(), fixed=1, floats=[0])
    case("dice_labels", "weights", [x], lambda x: (dice(x.softmax(1), one_hot, 1) * v).sum() / (2 * v.sum()), labels=y, floats=[1], logits=True,
         class_axis=1, class_weights=v, reduction="weighted_mean")
    some = y.clone()
    some[0, 0, 0] = some[1, 1, 0] = 9
    seen = (some != 9)[:, None].double()
    case("dice_labels", "ignored", [x], lambda x: dice(x.softmax(1) * seen, one_hot * seen, 1).mean(), labels=some, floats=[1], logits=True,
         class_axis=1, ignore=[9])


def kl_cases():
    d = Draw("kl")
    x, t = d.normal(4, 3), d.distribution(-1, 4, 3)
    zero = t.clone()
    zero[0] = torch.tensor([0.0, 0.25, 0.75])
    case("kl", "batchmean", [x, zero], lambda x, t: F.kl_div(x.log_softmax(-1), t, reduction="batchmean"), fixed=1, logits=True)
    case("kl", "sum, target too", [x, t], lambda x, t: F.kl_div(x.log_softmax(-1), t, reduction="sum"), logits=True, reduction="sum")
    case("kl", "none", [x, t], lambda x, t: F.kl_div(x.log_softmax(-1), t, reduction="none").sum(-1), logits=True, reduction="none")
    case("kl", "log target", [x, t.log()], lambda x, t: F.kl_div(x.log_softmax(-1), t, reduction="batchmean", log_target=True), logits=True, log_target=True)
    p = d.distribution(0, 3, 5)
    case("kl", "probabilities, classes first", [p, d.distribution(0, 3, 5)], lambda p, t: F.kl_div(p.log(), t, reduction="sum") / 5, class_axis=-2)


def margin_cases():
    d = Draw("margin")
    x, z, y = d.normal(4, 3), d.normal(4, 3), d.signs(4, 3)
    for r, f in (("mean", torch.mean), ("sum", torch.sum), ("none", lambda v: v)):
        case("hinge", r, [x, y], lambda x, y: f((1 - y * x).clamp(min=0)), fixed=1, reduction=r)
        case("squared_hinge", r, [x, y], lambda x, y: f((1 - y * x).clamp(min=0) ** 2), fixed=1, reduction=r)
        case("margin_ranking", r, [x, z, y], lambda x, z, y: F.margin_ranking_loss(x, z, y, margin=0.4, reduction=r), fixed=1, floats=[0.4], reduction=r)
        case("log_cosh", r, [x, z], lambda x, z: f((x - z).cosh().log()), reduction=r)


def distance_cases():
    d = Draw("distance")
    a, p, n, y = d.normal(5, 3), d.normal(5, 3), d.normal(5, 3), d.signs(5)

    def norm(x, y):  # without the 1e-6 that torch's own distance adds
        return (x - y).norm(dim=-1)

    for r, f in (("mean", torch.mean), ("sum", torch.sum), ("none", lambda v: v)):
        case("triplet", r, [a, p, n], lambda a, p, n: F.triplet_margin_with_distance_loss(a, p, n, distance_function=norm, margin=1.5, reduction=r),
             floats=[1.5], reduction=r)
        case("cosine_embedding", r, [a, p, y], lambda a, p, y: F.cosine_embedding_loss(a, p, y, margin=0.2, reduction=r), fixed=1, floats=[0.2], reduction=r)
        case("contrastive", r, [a, p, y.clamp(min=0)],
             lambda a, p, y: f(y * norm(a, p) ** 2 + (1 - y) * (4 - norm(a, p)).clamp(min=0) ** 2), fixed=1, floats=[4], reduction=r)
    case("triplet", "swap", [a, p, n], lambda a, p, n: F.triplet_margin_with_distance_loss(a, p, n, distance_function=norm, margin=1.5, swap=True), floats=[1.5], swap=True)


def likelihood_cases():
    d = Draw("likelihood")
    x, t, v = d.normal(4, 3), d.normal(4, 3), d.uniform(0.1, 3, 4, 3)
    low = v.clone()
    low[1, 1], low[2, 0] = 0, 1e-8
    count = d.ints(6, 4, 3).double()
    for r in REDUCTIONS:
        case("gaussian", r, [x, v, t], lambda x, v, t: F.gaussian_nll_loss(x, t, v, reduction=r), fixed=1, reduction=r)
        case("poisson", r, [x, count], lambda x, t: F.poisson_nll_loss(x, t, reduction=r), fixed=1, logits=True, reduction=r)
    case("gaussian", "full", [x, v, t], lambda x, v, t: F.gaussian_nll_loss(x, t, v, full=True), fixed=1, full=True)
    case("gaussian", "variance below 1e-6", [x, low, t], lambda x, v, t: F.gaussian_nll_loss(x, t, v, reduction="sum"), fixed=1, reduction="sum")
    case("poisson", "full", [x, count], lambda x, t: F.poisson_nll_loss(x, t, full=True), fixed=1, logits=True, full=True)
    rate = d.uniform(0.1, 5, 4, 3)
    rate[0, 0] = 0
    case("poisson", "rate, full", [rate, count], lambda x, t: F.poisson_nll_loss(x, t, log_input=False, full=True), fixed=1, full=True)


labels_cases()
target_cases()
binary_cases()
focal_cases()
dice_cases()
kl_cases()
margin_cases()
distance_cases()
likelihood_cases()

with open(os.path.join(FOLDER, "torch.json"), "w") as f:
    rows = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    f.write('{"torch":"%s","cases":[\n%s\n]}\n' % (torch.__version__.split("+")[0], rows))
