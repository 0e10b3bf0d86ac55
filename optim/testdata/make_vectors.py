#!/usr/bin/env python3
"""Writes torch.json beside this file: steps of optimizers from PyTorch.

    python make_vectors.py      with torch 2.14.1, from PyPI

The gradients are given, for a matrix and a vector, over 12 steps: some are 0,
some change their sign. All is float64. LAMB and Lion are not in torch: the
tests have slow twins of their papers.
"""
import json
import os
import random

import torch

VERSION = "2.14.1"
FOLDER = os.path.dirname(os.path.abspath(__file__))
STEPS = 12

assert torch.__version__.split("+")[0] == VERSION, torch.__version__
torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)

rng = random.Random(14)
SHAPES = [(2, 3), (2,)]


def draw(shape):
    n = 1
    for d in shape:
        n *= d
    return torch.tensor([round(rng.gauss(0, 1.5), 3) for _ in range(n)]).reshape(shape)


params = [draw(s) for s in SHAPES]
gradients = [[draw(s) for s in SHAPES] for _ in range(STEPS)]
for step in range(STEPS):
    gradients[step][0][0, 0] = 0  # never a gradient
    gradients[step][0][0, 1].abs_()  # always the same sign
gradients[3][1][0] = 0
gradients[5][0][1, 1] = 1e-9


def tensor(t):
    return {"shape": list(t.shape), "data": t.detach().reshape(-1).tolist()}


def run(name, make, rates=None, **settings):
    ps = [p.clone().requires_grad_() for p in params]
    o = make(ps, **settings)
    after = []
    for step in range(STEPS):
        if rates:
            o.param_groups[0]["lr"] = rates[step]
        for p, g in zip(ps, gradients[step]):
            p.grad = g.clone()
        o.step()
        after.append([tensor(p) for p in ps])
    row = {"optimizer": make.__name__, "note": name, "settings": settings, "after": after}
    if rates:
        row["rates"] = rates
    return row


falling = [round(0.1 * 0.8**i, 6) for i in range(STEPS)]
O = torch.optim
cases = [
    run("defaults", O.Adagrad),
    run("everything", O.Adagrad, lr=0.3, lr_decay=0.2, weight_decay=0.1, initial_accumulator_value=0.5),
    run("falling rate", O.Adagrad, rates=falling),
    run("defaults", O.Adadelta),
    run("everything", O.Adadelta, lr=3.0, rho=0.7, eps=1e-3, weight_decay=0.1),
    run("defaults", O.Adamax),
    run("everything", O.Adamax, lr=0.1, betas=(0.7, 0.9), eps=0.01, weight_decay=0.1),
    run("defaults", O.NAdam),
    run("decay", O.NAdam, lr=0.1, betas=(0.8, 0.95), weight_decay=0.1, momentum_decay=0.3),
    run("decoupled decay", O.NAdam, lr=0.1, weight_decay=0.1, decoupled_weight_decay=True),
    run("falling rate", O.NAdam, rates=falling),
    run("defaults", O.RAdam),
    run("decay", O.RAdam, lr=0.1, betas=(0.8, 0.9), eps=0.01, weight_decay=0.1),
    run("decoupled decay", O.RAdam, lr=0.1, weight_decay=0.1, decoupled_weight_decay=True),
    run("falling rate", O.RAdam, rates=falling),
    run("defaults", O.Rprop),
    run("everything", O.Rprop, lr=0.2, etas=(0.3, 2.0), step_sizes=(0.05, 0.7)),
    run("first step above the greatest", O.Rprop, lr=2.0, step_sizes=(1e-6, 0.5)),
    run("amsgrad", O.Adam, lr=0.1, betas=(0.8, 0.6), weight_decay=0.1, amsgrad=True),
    run("amsgrad", O.AdamW, lr=0.1, betas=(0.8, 0.6), weight_decay=0.1, amsgrad=True),
    run("dampening", O.SGD, lr=0.1, momentum=0.9, dampening=0.3),
    run("dampening and decay", O.SGD, lr=0.1, momentum=0.5, dampening=0.8, weight_decay=0.1),
]

# Global norms of the first step's gradients, and what is left of a limit.
clips = []
for p in (1, 1.5, 2, 3, float("inf")):
    ps = [x.clone().requires_grad_() for x in params]
    for x, g in zip(ps, gradients[0]):
        x.grad = g.clone()
    norm = torch.nn.utils.clip_grad_norm_(ps, 0.7, norm_type=p)
    clips.append({"p": "Inf" if p == float("inf") else p, "norm": norm.item(), "clipped": [tensor(x.grad) for x in ps]})

# Groups: a rate and a decay of their own.
ps = [p.clone().requires_grad_() for p in params]
o = O.AdamW([{"params": ps[:1]}, {"params": ps[1:], "lr": 0.02, "weight_decay": 0}], lr=0.1, weight_decay=0.2)
after = []
for step in range(STEPS):
    for p, g in zip(ps, gradients[step]):
        p.grad = g.clone()
    o.step()
    after.append([tensor(p) for p in ps])

with open(os.path.join(FOLDER, "torch.json"), "w") as f:
    dump = lambda x: json.dumps(x, separators=(",", ":"))
    f.write('{"torch":"%s",\n"params":%s,\n"gradients":%s,\n"clips":%s,\n"groups":%s,\n"cases":[\n%s\n]}\n' % (
        VERSION, dump([tensor(p) for p in params]), dump([[tensor(g) for g in gs] for gs in gradients]),
        dump(clips), dump(after), ",\n".join(dump(c) for c in cases)))
