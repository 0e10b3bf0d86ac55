"""Writes attention.json: PyTorch's scaled dot-product attention and its
gradients, for queries, keys, values and the bias in that order.

    pip install torch==2.14.1
    python3 attention.py > attention.json

The numbers are float64, of PyTorch 2.14.1. Nothing that goes in is stored: the
element at index i of input j is sin(i + 1 + 0.37·j), and the incoming gradient
is filled in so with j = 100. A mask lets query i of any head see key j unless
(3·i + 5·j) mod 4 is 0, and i is 1: that one sees none. For it PyTorch gives 0
and gradients of 0 by its plain kernels, which is what is written.
"""

import json

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
cases = []


def fill(shape, j):
    n = 1
    for d in shape:
        n *= d
    return torch.sin(torch.arange(1, n + 1) + 0.37 * j).reshape(shape)


def tensor(t):
    return {"shape": list(t.shape), "data": t.detach().flatten().tolist()}


def mask(steps, seen):
    i, j = torch.meshgrid(torch.arange(steps), torch.arange(seen), indexing="ij")
    return ((3 * i + 5 * j) % 4 != 0) & (i != 1)


def case(name, shapes, **options):
    inputs = [fill(s, j).requires_grad_() for j, s in enumerate(shapes)]
    if len(inputs) > 3:
        options["attn_mask"] = inputs[3]
    with sdpa_kernel(SDPBackend.MATH):
        y = F.scaled_dot_product_attention(*inputs[:3], **options)
    gradients = torch.autograd.grad(y, inputs, fill(y.shape, 100))
    assert all(torch.isfinite(t).all() for t in (y, *gradients)), name
    cases.append({"name": name, "shapes": [list(s) for s in shapes], "output": tensor(y), "gradients": [tensor(g) for g in gradients]})


q, k, v = (2, 4, 3, 5), (2, 4, 6, 5), (2, 4, 6, 2)
visible = mask(3, 6)
hidden = torch.zeros(3, 6).masked_fill(~visible, float("-inf"))
case("plain", [q, k, v])
case("scale", [q, k, v], scale=0.3)
case("mask", [q, k, v], attn_mask=visible)
case("additive mask", [q, k, v], attn_mask=hidden)
case("bias", [q, k, v, (4, 3, 6)])
case("causal", [q, k, v], is_causal=True)
case("grouped heads", [q, (2, 2, 6, 5), (2, 2, 6, 2)], enable_gqa=True)
case("grouped heads, causal", [q, (2, 1, 6, 5), (2, 1, 6, 2)], enable_gqa=True, is_causal=True)

print(json.dumps({"torch": torch.__version__, "cases": cases}, separators=(",", ":")).replace('{"name"', '\n{"name"'))
