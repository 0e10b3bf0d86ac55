#!/usr/bin/env python3
"""Writes rows.json beside this file: steps of PyTorch's optimizers with sparse
gradients of a table.

    python rows.py      with torch 2.14.1, from PyPI

In each step the loss is the sum of the rows looked up, times weights; an id may
be looked up twice. All is float64. Momentum is left out: PyTorch's goes on with
the velocity of all rows that were ever looked up.
"""
import json
import os
import random
import sys

import torch

VERSION = "2.14.1"
if torch.__version__.split("+")[0] != VERSION:
    sys.exit(f"this is PyTorch {torch.__version__}, not {VERSION}")
torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)

rng = random.Random(4)
WORDS, WIDTH, STEPS = 7, 3, 12


def draw(rows):
    return [round(rng.gauss(0, 1.5), 3) for _ in range(rows * WIDTH)]


table = draw(WORDS)
ids = [[rng.randrange(WORDS - 1) for _ in range(rng.choice([0, 1, 3, 5, 5]) if step else 4)] for step in range(STEPS)]
weights = [draw(len(i)) for i in ids]


def run(make, **settings):
    embedding = torch.nn.Embedding.from_pretrained(torch.tensor(table).reshape(WORDS, WIDTH), freeze=False, sparse=True)
    optimizer = make(embedding.parameters(), **settings)
    after = []
    for i, w in zip(ids, weights):
        optimizer.zero_grad()
        (embedding(torch.tensor(i, dtype=torch.int64)) * torch.tensor(w).reshape(-1, WIDTH)).sum().backward()
        optimizer.step()
        after.append(embedding.weight.detach().reshape(-1).tolist())
    return {"optimizer": make.__name__, "settings": settings, "after": after}


cases = [
    run(torch.optim.SparseAdam, lr=0.1),
    run(torch.optim.SparseAdam, lr=0.05, betas=(0.7, 0.9), eps=0.01),
    run(torch.optim.SGD, lr=0.1),
    run(torch.optim.Adagrad, lr=0.3),
    run(torch.optim.Adagrad, lr=0.3, lr_decay=0.2, initial_accumulator_value=0.5, eps=0.01),
]
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "rows.json"), "w") as f:
    dump = lambda x: json.dumps(x, separators=(",", ":"))
    f.write('{"torch":"%s",\n"table":%s,\n"ids":%s,\n"weights":%s,\n"cases":[\n%s\n]}\n' % (
        VERSION, dump(table), dump(ids), dump(weights), ",\n".join(dump(c) for c in cases)))
