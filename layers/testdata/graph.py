#!/usr/bin/env python3
"""Writes graph.json beside this file: layers on a graph as PyTorch computes
them, in float64, written out over whole matrices of nodes.

    python graph.py      with torch 2.14.1, from PyPI

A graph convolution is D^-1/2 (A + I) D^-1/2 x W + b (Kipf and Welling, 2017),
graph attention a softmax over the neighbors of each node and itself
(Velickovic et al., 2018). A[target, source] is the weight of an edge.
"""
import json
import os
import random
import sys

import torch
import torch.nn.functional as F

VERSION = "2.14.1"
if torch.__version__.split("+")[0] != VERSION:
    sys.exit(f"this is PyTorch {torch.__version__}, not {VERSION}")
torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
rng = random.Random(7)

NODES, IN, OUT, HEADS = 6, 3, 2, 4
# Node 4 has an edge to itself, node 5 none at all; 0 -> 1 is there twice.
EDGES = [(0, 1), (1, 0), (0, 2), (2, 3), (3, 2), (4, 4), (1, 4), (0, 1), (3, 1)]


def draw(*shape):
    return torch.tensor([round(rng.gauss(0, 1), 3) for _ in range(torch.Size(shape).numel())]).reshape(shape).requires_grad_()


def tensor(t):
    return {"shape": list(t.shape), "data": t.detach().reshape(-1).tolist()}


def case(name, f, inputs):
    y = f(*inputs.values())
    seed = draw(*y.shape).detach()
    grads = torch.autograd.grad(y, list(inputs.values()), seed)
    return {"name": name, "inputs": {k: tensor(v) for k, v in inputs.items()}, "y": tensor(y), "seed": tensor(seed),
            "grads": {k: tensor(g) for k, g in zip(inputs, grads)}}


def convolution(x, w, b, weights):
    a = torch.zeros(NODES, NODES)
    for (source, target), weight in zip(EDGES, weights):
        a = a + weight * F.one_hot(torch.tensor(target * NODES + source), NODES * NODES).reshape(NODES, NODES)
    a = a + torch.eye(NODES)
    d = a.sum(1).rsqrt()
    return d[:, None] * a * d @ x @ w + b


def attention(mean):
    def f(x, w, b, source, target):
        h = (x @ w).reshape(NODES, HEADS, OUT)
        count = torch.eye(NODES)
        for s, t in EDGES:
            count[t, s] += 1
        heads = []
        for k in range(HEADS):
            score = F.leaky_relu((h[:, k] @ target[k])[:, None] + (h[:, k] @ source[k])[None, :], 0.2)
            e = torch.exp(score) * count  # an edge that is there twice counts twice
            heads.append(e / e.sum(1, keepdim=True) @ h[:, k])
        y = torch.stack(heads, 1)
        return (y.mean(1) if mean else y.reshape(NODES, HEADS * OUT)) + b

    return f


x = draw(NODES, IN)
ones = torch.ones(len(EDGES), requires_grad=True)
weights = draw(len(EDGES)).abs().detach().requires_grad_()
net = {"x": x, "weight": draw(IN, OUT), "bias": draw(OUT)}
heads = {"x": x, "weight": draw(IN, HEADS * OUT), "bias": draw(HEADS * OUT), "source": draw(HEADS, OUT), "target": draw(HEADS, OUT)}
cases = [
    case("conv", convolution, {**net, "weights": ones}),
    case("weighted", convolution, {**net, "weights": weights}),
    case("attention", attention(False), heads),
    case("mean", attention(True), {**heads, "bias": draw(OUT)}),
]
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "graph.json"), "w") as f:
    dump = lambda x: json.dumps(x, separators=(",", ":"))
    f.write('{"torch":"%s","edges":%s,"cases":[\n%s\n]}\n' % (VERSION, dump([list(e) for e in zip(*EDGES)]), ",\n".join(dump(c) for c in cases)))
