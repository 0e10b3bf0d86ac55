"""Writes norm.json beside this file: normalizations as PyTorch 2.14 computes
them in float64, with their gradients and second derivatives, in the format of
ops.json in testdata/torch.

    pip install torch==2.14.1
    python norm.py
"""

import json
import os
import zlib

import torch
import torch.nn.functional as F

VERSION = "2.14.1"
assert torch.__version__.split("+")[0] == VERSION, torch.__version__
torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)

cases = []


def tensor(t):
    return None if t is None else {"shape": list(t.shape), "data": [float(v) for v in t.flatten()]}


def case(op, f, shapes, ints=None, floats=None, note=""):
    """Adds f of inputs of these shapes, drawn by a seed named after the case."""
    name = f"{op} {shapes} {ints} {floats} {note}"
    g = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    # Rounded, so that the file is small and the same for any version.
    draw = lambda shape: (torch.rand(shape, generator=g) * 4 - 2).mul(1024).round().div(1024)
    xs = [draw(s) for s in shapes]
    if op == "normalize":
        xs[2] = xs[2].abs() + 0.25  # a variance
    for x in xs:
        x.requires_grad_()
    y = f(*xs)
    cotangent = draw(y.shape)
    grads = torch.autograd.grad(y, xs, cotangent, create_graph=True)
    weights = [draw(x.shape) for x in xs]
    total = sum((w * gx).sum() for w, gx in zip(weights, grads))
    second = torch.autograd.grad(total, xs, allow_unused=True)
    second = [torch.zeros_like(x) if s is None else s for x, s in zip(xs, second)]
    row = {"op": op, "note": note, "inputs": [tensor(x) for x in xs], "ints": ints, "floats": floats, "output": tensor(y), "cotangent": tensor(cotangent)}
    row |= {"grads": [tensor(t) for t in grads], "second_weights": [tensor(w) for w in weights], "second": [tensor(t) for t in second]}
    cases.append({k: v for k, v in row.items() if v not in (None, "")})


for eps in [1e-5, 0.1]:
    batch = lambda x, w=None, b=None: F.batch_norm(x, None, None, w, b, True, 0.1, eps)
    for shape in [[4, 3], [3, 2, 5], [2, 2, 3, 3], [2, 2, 2, 2, 2]]:
        case("batch_norm", batch, [shape, shape[1:2], shape[1:2]], floats=[eps])
    case("batch_norm", batch, [[4, 3]], floats=[eps], note="plain")
    given = lambda x, m, v, w, b: F.batch_norm(x, m, v, w, b, False, 0.1, eps)
    # Composed, since PyTorch has no gradients of the running statistics.
    composed = lambda x, m, v, w, b: (x - m[:, None]) / torch.sqrt(v[:, None] + eps) * w[:, None] + b[:, None]
    case("normalize", composed, [[2, 3, 4], [3], [3], [3], [3]], floats=[eps])
    x, m, v = torch.ones(2, 3, 4) / 3, torch.full((3,), 0.5), torch.full((3,), 2.0)
    assert torch.allclose(given(x, m, v, m, v), composed(x, m, v, m, v), 1e-15, 1e-15)

    case("layer_norm", lambda x, w, b: F.layer_norm(x, w.shape, w, b, eps), [[3, 5], [5], [5]], ints=[[1]], floats=[eps])
    case("layer_norm", lambda x, w, b: F.layer_norm(x, w.shape, w, b, eps), [[2, 2, 3], [2, 3], [2, 3]], ints=[[2]], floats=[eps])
    case("layer_norm", lambda x: F.layer_norm(x, x.shape[-1:], None, None, eps), [[3, 5]], ints=[[1]], floats=[eps], note="plain")
    case("rms_norm", lambda x, w: F.rms_norm(x, w.shape, w, eps), [[3, 5], [5]], ints=[[1]], floats=[eps])
    case("rms_norm", lambda x, w: F.rms_norm(x, w.shape, w, eps), [[2, 2, 3], [2, 3]], ints=[[2]], floats=[eps])
    for groups in [1, 2, 4]:
        case("group_norm", lambda x, w, b: F.group_norm(x, groups, w, b, eps), [[2, 4, 3], [4], [4]], ints=[[groups]], floats=[eps])
    case("group_norm", lambda x, w, b: F.group_norm(x, 2, w, b, eps), [[3, 6], [6], [6]], ints=[[2]], floats=[eps])
    case("instance_norm", lambda x, w, b: F.instance_norm(x, None, None, w, b, True, 0.1, eps), [[2, 2, 3, 2], [2], [2]], floats=[eps])


def running(shape, steps, momentum):
    """Returns running statistics after each of some batches."""
    g = torch.Generator().manual_seed(zlib.crc32(f"running {shape}".encode()))
    layer = torch.nn.BatchNorm1d(shape[1], momentum=momentum)
    batches, means, variances = [], [], []
    for _ in range(steps):
        x = (torch.rand(shape, generator=g) * 4 - 2).mul(1024).round().div(1024)
        layer(x)
        batches.append(tensor(x))
        means.append(tensor(layer.running_mean))
        variances.append(tensor(layer.running_var))
    return {"batches": batches, "momentum": momentum, "means": means, "variances": variances}


path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "norm.json")
with open(path, "w") as f:
    lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    runs = ",\n".join(json.dumps(running(s, 3, m), separators=(",", ":")) for s, m in [([4, 2], 0.1), ([3, 2, 2], 0.25)])
    f.write('{"version":"PyTorch %s","cases":[\n%s\n],\n"running":[\n%s\n]}\n' % (VERSION, lines, runs))
print(len(cases), "cases,", os.path.getsize(path), "bytes")
