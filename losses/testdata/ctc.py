#!/usr/bin/env python3
"""Writes ctc.json beside this file: F.ctc_loss and its gradients by logits.

    python ctc.py      with torch 2.14.1, from PyPI

All is float64, and batch first. "mean" is torch's, which divides each loss by
the number of its labels; "plain" is the mean of the losses.
"""
import json
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


def case(note, batch, steps, classes, longest, blank=0, lengths=None, label_lengths=None, zero_infinity=False, repeated=False):
    for reduction in ("none", "sum", "mean", "plain"):
        rng = random.Random(note)
        x = torch.tensor([round(rng.gauss(0, 2), 3) for _ in range(batch * steps * classes)]).reshape(batch, steps, classes)
        x.requires_grad_()
        others = [c for c in range(classes) if c != blank]
        labels = torch.tensor([rng.choice(others[:1] if repeated else others) for _ in range(batch * longest)]).reshape(batch, longest)
        t = torch.tensor(lengths or [steps] * batch)
        n = torch.tensor(label_lengths or [longest] * batch)
        y = F.ctc_loss(x.log_softmax(-1).transpose(0, 1), labels, t, n, blank, "none" if reduction == "plain" else reduction, zero_infinity)
        if reduction == "plain":
            y = y.mean()
        seed = torch.tensor([round(rng.uniform(-1, 1), 3) for _ in range(y.numel())]).reshape(y.shape)
        y.backward(seed)
        cases.append({
            "note": note, "reduction": reduction, "shape": list(x.shape), "x": x.detach().reshape(-1).tolist(),
            "longest": longest, "labels": labels.reshape(-1).tolist(), "lengths": lengths, "label_lengths": label_lengths,
            "blank": blank, "zero_infinity": zero_infinity,
            "value": y.detach().reshape(-1).tolist(), "seed": seed.reshape(-1).tolist(), "grad": x.grad.reshape(-1).tolist(),
        })


case("plain", 3, 7, 5, 3)
case("blank in the middle", 2, 6, 4, 2, blank=2)
case("blank last, lengths", 4, 8, 4, 3, blank=3, lengths=[8, 5, 3, 1], label_lengths=[3, 2, 1, 0])
case("repeated labels", 2, 9, 3, 4, repeated=True)
case("as many steps as it takes", 1, 7, 3, 4, repeated=True)
case("impossible, zero", 3, 4, 3, 3, lengths=[4, 2, 1], zero_infinity=True)
case("no labels", 2, 4, 3, 2, label_lengths=[0, 0])
case("longer", 2, 60, 12, 20, lengths=[60, 41], label_lengths=[20, 15])

with open(os.path.join(FOLDER, "ctc.json"), "w") as f:
    rows = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    f.write('{"torch":"%s","cases":[\n%s\n]}\n' % (torch.__version__.split("+")[0], rows))
