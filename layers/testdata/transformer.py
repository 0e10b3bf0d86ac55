"""Writes transformer.json: PyTorch's attention layers and transformer blocks,
their outputs and gradients.

    pip install torch==2.14.1
    python3 transformer.py > transformer.json

The numbers are float64, of PyTorch 2.14.1. Nothing that goes in is stored: it
is filled in as in images.json, the inputs with j = 0, -1, … in their order.
Gradients are stored in the same order: of the inputs, then of the parameters.
Parameters and gradients are PyTorch's: matrices are [out, in].
"""

import json

import torch
from torch import nn

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


def case(name, module, shapes, run):
    params = list(module.parameters())
    with torch.no_grad():
        for j, p in enumerate(params):
            p.copy_(fill(p.shape, j + 1))
    inputs = [fill(s, -i).requires_grad_() for i, s in enumerate(shapes)]
    y = run(module, *inputs)
    gradients = torch.autograd.grad(y, inputs + params, fill(y.shape, 100))
    cases.append({
        "name": name,
        "inputs": [list(s) for s in shapes],
        "names": [n for n, _ in module.named_parameters()],
        "output": tensor(y),
        "gradients": [tensor(g) for g in gradients],
    })


def causal(n):
    return torch.triu(torch.full((n, n), float("-inf")), 1)


x, memory = (2, 4, 6), (2, 5, 6)
padding = torch.tensor([[False] * 3 + [True] * 2, [False] * 5])
own = torch.tensor([[False] * 2 + [True] * 2, [False] * 4])


def attention(**options):
    return nn.MultiheadAttention(6, 2, batch_first=True, **options)


def look(q, k=None, v=None, **options):
    def run(m, *inputs):
        q = inputs[0]
        k = inputs[1] if len(inputs) > 1 else q
        v = inputs[2] if len(inputs) > 2 else k
        return m(q, k, v, need_weights=False, **options)[0]
    return run


case("self attention", attention(), [x], look(x))
case("without bias", attention(bias=False), [x], look(x))
case("causal", attention(), [x], look(x, attn_mask=causal(4)))
case("to a memory with padding", attention(), [x, memory], look(x, key_padding_mask=padding))
case("keys and values apart", attention(), [x, memory, memory], look(x))

for first in (True, False):
    for activation in ("relu", "gelu"):
        e = nn.TransformerEncoderLayer(6, 2, 8, 0.0, activation, batch_first=True, norm_first=first)
        d = nn.TransformerDecoderLayer(6, 2, 8, 0.0, activation, batch_first=True, norm_first=first)
        name = f"norm {'first' if first else 'last'}, {activation}"
        case("encoder, " + name, e, [x], lambda m, x: m(x, src_key_padding_mask=own))
        case("decoder, " + name, d, [x, memory], lambda m, x, memory: m(x, memory, tgt_mask=causal(4), memory_key_padding_mask=padding))

print(json.dumps({"torch": torch.__version__, "cases": cases}, indent=None, separators=(",", ":")).replace('{"name"', '\n{"name"'))
