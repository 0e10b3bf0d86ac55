"""Writes recurrent.json beside this file: recurrent networks as PyTorch 2.14
computes them in float64, with the gradients of all their inputs and weights.

    pip install torch==2.14.1
    python recurrent.py
"""

import json
import os

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

VERSION = "2.14.1"
assert torch.__version__.split("+")[0] == VERSION, torch.__version__
torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)

BATCH, STEPS, IN, HIDDEN = 3, 4, 2, 3
KINDS = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN, "relu": torch.nn.RNN}
cases = []


def tensor(t):
    return {"shape": list(t.shape), "data": [float(v) for v in t.detach().flatten()]}


def case(kind, layers, bidirectional, lengths, bias):
    g = torch.Generator().manual_seed(len(cases))
    # Rounded, so that the file is small and the same for any version.
    draw = lambda *shape: (torch.rand(shape, generator=g) * 4 - 2).mul(64).round().div(64)
    options = {"nonlinearity": "relu"} if kind == "relu" else {}
    network = KINDS[kind](IN, HIDDEN, num_layers=layers, bidirectional=bidirectional, bias=bias, batch_first=True, **options)
    names = [name for name, _ in network.named_parameters()]
    with torch.no_grad():
        for p in network.parameters():
            p.copy_(draw(*p.shape) / 2)
    states = layers * (1 + bidirectional)
    x, first = draw(BATCH, STEPS, IN), [draw(states, BATCH, HIDDEN) for _ in range(2 if kind == "lstm" else 1)]
    for t in [x, *first]:
        t.requires_grad_()
    given = pack_padded_sequence(x, torch.tensor(lengths), batch_first=True, enforce_sorted=False) if lengths else x
    y, last = network(given, tuple(first) if kind == "lstm" else first[0])
    if lengths:
        y, _ = pad_packed_sequence(y, batch_first=True, total_length=STEPS)
    results = [y, *(last if kind == "lstm" else [last])]
    seeds = [draw(*r.shape) for r in results]
    inputs = [x, *first, *network.parameters()]
    grads = torch.autograd.grad(results, inputs, seeds)
    row = {"kind": kind, "layers": layers, "bidirectional": bidirectional, "lengths": lengths, "names": names}
    for name, tensors in [("inputs", inputs), ("results", results), ("seeds", seeds), ("grads", grads)]:
        row[name] = [tensor(t) for t in tensors]
    cases.append(row)


for kind in KINDS:
    for layers, bidirectional in [(1, False), (2, False), (1, True), (2, True)]:
        for lengths in [None, [2, 4, 1]]:
            case(kind, layers, bidirectional, lengths, bias=not (layers == 2 and bidirectional and lengths is None))

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "recurrent.json"), "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
