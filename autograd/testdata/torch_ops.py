"""Writes torch_ops.json: sorting and further operations as PyTorch computes them.

    pip install torch==2.14.1
    python3 torch_ops.py > torch_ops.json

The numbers are float64, of PyTorch 2.14.1. The format is that of ops.json in
testdata/torch, with these operations:

    sort argsort                [[axis], [0 or 1: descending]]
    top_k arg_top_k             [[k], [axis]]
    cummax cummin arg_cummax arg_cummin logcumsumexp glu   [[axis]]
    fmod remainder lerp erfinv logit sinc
    embedding                   [the ids' shape, ids, padding]
    index_add                   [[axis], indices]
    segment_sum segment_mean segment_max segment_softmax    [segments, [n]]

The indices that PyTorch's topk returns at ties are not the first ones: there
only its values are taken. PyTorch has no cube root. Its gradient of fmod takes
the quotient rounded, and its lerp is NaN for an infinite end of weight ½: these
points are not here.
"""

import json
import math
import random

import torch

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
INF, NAN = math.inf, math.nan
cases = []


def number(v):
    if math.isnan(v):
        return "NaN"
    if math.isinf(v):
        return "Inf" if v > 0 else "-Inf"
    return int(v) if v == int(v) and abs(v) < 1e15 else v


def tensor(t):
    data = t.detach().to(torch.float64).contiguous().reshape(-1).tolist()
    return {"shape": list(t.shape), "data": [number(v) for v in data]}


def case(op, f, *inputs, ints=None, floats=None, note=None, grads=True, second=True, tolerance=None):
    """Appends a case of op: f(*inputs), its gradients and their gradients."""
    source = random.Random("%s/%d" % (op, len(cases)))
    weights = lambda shape: torch.tensor([round(source.uniform(-1.5, 1.5), 3) for _ in range(math.prod(shape))]).reshape(shape)
    x = [(i if torch.is_tensor(i) else torch.tensor(i, dtype=torch.float64)).clone().requires_grad_(grads) for i in inputs]
    y = f(*x)
    row = {"op": op, "note": note, "inputs": [tensor(i) for i in x], "ints": ints, "floats": floats, "output": tensor(y)}
    row["tolerance"] = tolerance
    if grads:
        c = weights(y.shape)
        row["cotangent"] = tensor(c)
        g = torch.autograd.grad(y, x, c, create_graph=second)
        row["grads"] = [tensor(v) for v in g]
        if second:
            r = [weights(v.shape) for v in g]
            total = sum((w * v).sum() for w, v in zip(r, g))
            h = torch.autograd.grad(total, x, allow_unused=True) if total.requires_grad else [None] * len(x)
            row["second_weights"] = [tensor(v) for v in r]
            row["second"] = [tensor(torch.zeros_like(i) if v is None else v) for i, v in zip(x, h)]
    cases.append({k: v for k, v in row.items() if v is not None})


def drawn(key, shape, low=-2.0, high=2.0, digits=3):
    source = random.Random(key)
    return torch.tensor([round(source.uniform(low, high), digits) for _ in range(math.prod(shape))]).reshape(shape)


def sorting():
    ties = [2.0, -1, 3, 3, -1, 0, -0.0, 3, INF, -INF]
    nans = [1.0, 3, NAN, 2, NAN, 5, -INF, INF, 7]
    for key, (shape, axis) in enumerate([((5,), 0), ((3, 4), 1), ((3, 4), 0), ((2, 3, 2), 1), ((0,), 0), ((2, 0), 1), ((1, 1), -1)]):
        x, n = drawn("sort%d" % key, shape), shape[axis]
        for descending in (0, 1):
            case("sort", lambda t: torch.sort(t, dim=axis, descending=bool(descending), stable=True).values, x, ints=[[axis], [descending]])
            case("argsort", lambda t: torch.sort(t, dim=axis, descending=bool(descending), stable=True).indices, x, ints=[[axis], [descending]], grads=False)
        for k in sorted({0, n // 2, n}):
            case("top_k", lambda t: torch.topk(t, k, axis).values, x, ints=[[k], [axis]])
            case("arg_top_k", lambda t: torch.topk(t, k, axis).indices, x, ints=[[k], [axis]], grads=False)
        for op, f in {"cummax": torch.cummax, "cummin": torch.cummin}.items():
            case(op, lambda t: f(t, axis).values, x, ints=[[axis]])
            case("arg_" + op, lambda t: f(t, axis).indices, x, ints=[[axis]], grads=False)
        case("logcumsumexp", lambda t: torch.logcumsumexp(t, axis), x, ints=[[axis]], second=n > 1)  # of one, PyTorch rounds 0
    for note, x in {"ties": ties, "NaN": nans}.items():
        for descending in (0, 1):
            f = lambda t: torch.sort(t, descending=bool(descending), stable=True)
            case("sort", lambda t: f(t).values, x, ints=[[0], [descending]], note=note)
            case("argsort", lambda t: f(t).indices, x, ints=[[0], [descending]], note=note, grads=False)
        case("top_k", lambda t: torch.topk(t, 5).values, x, ints=[[5], [0]], note=note, grads=False)
        for op, f in {"cummax": torch.cummax, "cummin": torch.cummin}.items():
            case(op, lambda t: f(t, 0).values, x, ints=[[0]], note=note)
            case("arg_" + op, lambda t: f(t, 0).indices, x, ints=[[0]], note=note, grads=False)
    for x in [[-INF, -INF, 2.0, 3.0], [NAN, 1.0], [1.0, 2.0, INF, 3.0], [1000.0, 1000, -1000], [0.0, -50, -60]]:
        case("logcumsumexp", lambda t: torch.logcumsumexp(t, 0), x, ints=[[0]], grads=False)


def further():
    for key, (a, b) in enumerate([((2, 3), (2, 3)), ((2, 1), (3,)), ((4,), ())]):
        for op, f in {"fmod": torch.fmod, "remainder": torch.remainder}.items():
            case(op, f, drawn("x%d" % key, a, -5, 5), drawn("y%d" % key, b, -2, 2), second=False)
        case("lerp", torch.lerp, drawn("x%d" % key, a), drawn("y%d" % key, b), drawn("w%d" % key, a, -0.5, 1.5))
    signs = [[5.0, -5, 5, -5, 6, -6, 0], [3.0, 3, -3, -3, 3, 3, 3]]
    edges = [[5.0, -5, 0, NAN, 3, 5, -5], [0.0, 0, 0, 2, NAN, INF, INF]]
    for op, f in {"fmod": torch.fmod, "remainder": torch.remainder}.items():
        case(op, f, *signs, second=False, note="signs")
        case(op, f, *edges, second=False, note="edges")
    case("lerp", torch.lerp, [1.0, INF, 1, NAN, 0, 1e16, 1e16], [2.0, 1, INF, 1, NAN, 1, 1], [0.5, 0.5, 0, 0, 1, 1, 0], second=False, note="edges")
    case("erfinv", torch.erfinv, drawn("erfinv", (2, 4), -0.95, 0.95))
    case("erfinv", torch.erfinv, [0.0, 1, -1, 1.5, -2, NAN], second=False, note="edges")
    case("logit", torch.logit, drawn("logit", (2, 4), 0.05, 0.95))
    case("logit", torch.logit, [0.5, 0, 1, -1, 2, NAN], second=False, note="edges")
    case("sinc", torch.sinc, [[0.3, -0.8, 1.25], [2.6, -1.75, 0.55]])
    case("sinc", torch.sinc, [0.0, 0.5, 1e-300, -1.5, INF, NAN], second=False, note="edges")
    for shape, axis in (((2, 6), 1), ((4, 2), 0), ((2, 2, 3), -2), ((0, 4), 1)):
        case("glu", lambda t: torch.nn.functional.glu(t, axis), drawn("glu%d" % axis, shape), ints=[[axis]])


def rows():
    table = drawn("table", (5, 3))
    for shape, ids, padding in [([4], [3, 0, 3, 1], []), ([2, 3], [4, 2, 4, 0, 0, 1], [0]), ([], [2], []), ([0], [], [1])]:
        look_up = lambda t: torch.nn.functional.embedding(torch.tensor(ids, dtype=torch.int64).reshape(shape), t, padding_idx=padding[0] if padding else None)
        case("embedding", look_up, table, ints=[shape, ids, padding])
    for axis, x, source, index in [(0, (4, 2), (3, 2), [3, 1, 3]), (1, (2, 3), (2, 4), [0, 2, 2, 2]), (-1, (2, 2, 3), (2, 2, 1), [1]), (0, (3,), (0,), [])]:
        case("index_add", lambda t, s: torch.index_add(t, axis, torch.tensor(index, dtype=torch.int64), s), drawn("to%d" % axis, x), drawn("from%d" % axis, source), ints=[[axis], index])
    for key, (shape, segments, n) in enumerate([((6,), [2, 0, 2, 2, 4, 0], 5), ((4, 3), [1, 1, 0, 1], 2), ((3, 2, 2), [0, 2, 0], 4), ((0, 2), [], 3)]):
        x, index = drawn("rows%d" % key, shape), torch.tensor(segments, dtype=torch.int64)
        at = index.reshape([-1] + [1] * (len(shape) - 1)).expand(shape)
        zeros = torch.zeros((n,) + shape[1:])
        gathered = lambda totals: torch.index_select(totals, 0, index)
        case("segment_sum", lambda t: torch.index_add(zeros, 0, index, t), x, ints=[segments, [n]])
        case("segment_mean", lambda t: torch.scatter_reduce(zeros, 0, at, t, "mean", include_self=False), x, ints=[segments, [n]], second=len(segments) > 0)
        case("segment_max", lambda t: torch.scatter_reduce(zeros, 0, at, t, "amax", include_self=False), x, ints=[segments, [n]], second=False)

        def softmax(t):
            e = torch.exp(t)
            return e / gathered(torch.index_add(zeros, 0, index, e))

        case("segment_softmax", softmax, x, ints=[segments, [n]])


sorting()
further()
rows()
print('{"torch":"%s","cases":[' % torch.__version__.split("+")[0])
print(",\n".join(json.dumps(c, separators=(",", ":")) for c in cases))
print("]}")
