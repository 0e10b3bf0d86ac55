"""Writes torch.json: linear algebra as PyTorch computes it.

    pip install torch==2.14.1
    python3 vectors.py > torch.json

The numbers are float64, of PyTorch 2.14.1. A case has an op, its inputs, the
output, a cotangent, the gradients of the inputs under it, weights and the
gradients of the sum of weighted gradients. cholesky gets a·aᵀ + I of its input
a. log_det is the logarithm that slogdet returns, with its sign beside it.
"""

import json
import math
import random

import torch

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
L = torch.linalg
cases = []


def tensor(t):
    data = t.detach().contiguous().reshape(-1).tolist()
    return {"shape": list(t.shape), "data": ["-Inf" if v == -math.inf else v for v in data]}


def drawn(key, shape):
    source = random.Random(key)
    return torch.tensor([round(source.uniform(-2, 2), 2) for _ in range(math.prod(shape))]).reshape(shape)


def case(op, f, *inputs, second=True, sign=None):
    key = "%s/%d" % (op, len(cases))
    x = [i.clone().requires_grad_() for i in inputs]
    y = f(*x)
    c = drawn(key, y.shape)
    g = torch.autograd.grad(y, x, c, create_graph=True)
    row = {"op": op, "inputs": [tensor(i) for i in x], "output": tensor(y), "cotangent": tensor(c), "gradients": [tensor(v) for v in g]}
    if sign is not None:
        row["sign"] = tensor(sign)
    if second:
        w = [drawn(key + "/second", v.shape) for v in g]
        total = sum((a * b).sum() for a, b in zip(w, g))
        h = torch.autograd.grad(total, x) if total.requires_grad else [torch.zeros_like(i) for i in x]
        row["weights"], row["second"] = [tensor(v) for v in w], [tensor(v) for v in h]
    cases.append(row)


for k, shape in enumerate([(1, 1), (2, 2), (4, 4), (2, 3, 3), (2, 1, 2, 2)]):
    a = drawn("a%d" % k, shape)
    n = shape[-1]
    case("cholesky", lambda x: L.cholesky(x @ x.mT + torch.eye(n)), a)
    case("inverse", L.inv, a)
    case("det", L.det, a)
    case("log_det", lambda x: L.slogdet(x)[1], a, sign=L.slogdet(a)[0])
    case("solve", L.solve, a, drawn("b%d" % k, shape[:-1] + (2,)))
case("solve", L.solve, drawn("a", (3, 3)), drawn("b", (3,)))
case("solve", L.solve, drawn("a", (2, 1, 3, 3)), drawn("b", (4, 3, 1)))
print('{"torch":"%s","cases":[' % torch.__version__.split("+")[0])
print(",\n".join(json.dumps(c, separators=(",", ":")) for c in cases))
print("]}")
