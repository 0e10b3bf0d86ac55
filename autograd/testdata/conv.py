"""Writes conv.json: convolutions as PyTorch computes them, in float64.

    python conv.py > conv.json

Each case has the inputs, the settings, a cotangent, the output, the gradients
and the second derivatives: those of the sum of gradient·weights over all
inputs. Padding is a number per axis before and after, as PyTorch has it.
"""
import json
import sys

import torch
import torch.nn.functional as F

torch.manual_seed(1)


def draw(shape):
    return torch.randint(-8, 9, shape).double() / 4


def tensor(t):
    return {"shape": list(t.shape), "data": [float("%.15g" % v) for v in t.detach().flatten().tolist()]}


def case(op, shapes, f, **settings):
    xs = [draw(s).requires_grad_() for s in shapes]
    y = f(*xs)
    cotangent = draw(y.shape)
    grads = torch.autograd.grad(y, xs, cotangent, create_graph=True)
    weights = [draw(g.shape) for g in grads]
    # the zero sum reaches inputs of which no gradient is a function
    total = sum((g * w).sum() for g, w in zip(grads, weights)) + sum((x * 0).sum() for x in xs)
    second = torch.autograd.grad(total, xs)
    return {
        "op": op, **settings, "inputs": [tensor(x) for x in xs], "cotangent": tensor(cotangent), "output": tensor(y),
        "grads": [tensor(g) for g in grads], "second_weights": [tensor(w) for w in weights], "second": [tensor(s) for s in second],
    }


def conv(shapes, stride=1, padding=0, dilation=1, groups=1):
    axes = len(shapes[0]) - 2
    f = [F.conv1d, F.conv2d, F.conv3d][axes - 1]
    return case("conv", shapes, lambda *x: f(*x, stride=stride, padding=padding, dilation=dilation, groups=groups),
                stride=listed(stride, axes), padding=listed(padding, axes), dilation=listed(dilation, axes), groups=groups)


def transpose(shapes, stride=1, padding=0, more=0, dilation=1, groups=1):
    axes = len(shapes[0]) - 2
    f = [F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d][axes - 1]
    return case("conv transpose", shapes,
                lambda *x: f(*x, stride=stride, padding=padding, output_padding=more, dilation=dilation, groups=groups),
                stride=listed(stride, axes), padding=listed(padding, axes), more=listed(more, axes),
                dilation=listed(dilation, axes), groups=groups)


def unfold(shape, kernel, stride=1, padding=0, dilation=1):
    return case("unfold", [shape], lambda x: F.unfold(x, kernel, dilation, padding, stride), kernel=listed(kernel, 2),
                stride=listed(stride, 2), padding=listed(padding, 2), dilation=listed(dilation, 2))


def fold(shape, sizes, kernel, stride=1, padding=0, dilation=1):
    return case("fold", [shape], lambda x: F.fold(x, sizes, kernel, dilation, padding, stride), kernel=listed(kernel, 2),
                sizes=list(sizes), stride=listed(stride, 2), padding=listed(padding, 2), dilation=listed(dilation, 2))


def listed(v, axes):
    return list(v) if isinstance(v, tuple) else [v] * axes


cases = [
    conv([(2, 3, 7), (4, 3, 3), (4,)]),
    conv([(1, 2, 9), (2, 1, 3)], stride=2, padding=2, dilation=2, groups=2),
    conv([(2, 2, 5, 4), (3, 2, 3, 3), (3,)], padding=1),
    conv([(1, 1, 6, 6), (2, 1, 5, 5), (2,)], padding=2),
    conv([(1, 2, 6, 5), (2, 2, 3, 2)], stride=(2, 1), padding=(1, 0), dilation=(1, 2)),
    conv([(2, 4, 3, 3), (4, 1, 3, 3), (4,)], padding=1, groups=4),
    conv([(1, 4, 4, 4), (2, 2, 2, 2)], stride=2, groups=2),
    conv([(1, 2, 3, 4, 3), (2, 2, 2, 3, 2), (2,)], stride=(1, 2, 1), padding=(1, 1, 0)),
    transpose([(2, 3, 4), (3, 2, 3), (2,)], stride=2, padding=1, more=1),
    transpose([(1, 2, 3, 3), (2, 3, 3, 3), (3,)]),
    transpose([(1, 2, 3, 2), (2, 2, 4, 4), (2,)], stride=2, padding=1),
    transpose([(1, 4, 2, 3), (4, 1, 2, 3)], stride=(3, 1), padding=(0, 1), more=(2, 0), dilation=(1, 2), groups=2),
    transpose([(1, 1, 2, 2, 3), (1, 2, 2, 2, 2), (2,)], stride=(2, 1, 1), more=(1, 0, 0)),
    unfold((2, 2, 4, 3), (2, 3), padding=1),
    unfold((1, 3, 6, 5), 2, stride=(2, 1), dilation=2),
    fold((1, 8, 9), (4, 4), 2),
    fold((2, 6, 4), (5, 6), (3, 2), stride=(1, 2), padding=(0, 1), dilation=(2, 1)),
]
out = {"made_by": "conv.py", "torch": torch.__version__.split("+")[0], "cases": cases}
text = json.dumps(out, separators=(",", ":")).replace('{"op"', '\n{"op"')
sys.stdout.write(text + "\n")
