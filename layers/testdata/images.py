"""Writes images.json: PyTorch's layers for images, their outputs and gradients.

    pip install torch==2.14.1
    python3 images.py > images.json

The numbers are float64, of PyTorch 2.14.1. Nothing that goes in is stored: the
element at index i of input, parameters and incoming gradient is
sin(i + 1 + 0.37·j), where j is 0 for the input, 1, 2, … for the parameters in
their order, and 100 for the incoming gradient. Gradients are stored in the same
order: of the input, then of the parameters.
"""

import json

import torch
from torch import nn
import torch.nn.functional as F

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
cases = []


def fill(shape, j):
    n = 1
    for d in shape:
        n *= d
    return torch.sin(torch.arange(1, n + 1) + 0.37 * j).reshape(shape)


def case(name, module, shape):
    params = list(module.parameters())
    with torch.no_grad():
        for j, p in enumerate(params):
            p.copy_(fill(p.shape, j + 1))
    x = fill(shape, 0).requires_grad_()
    y = module(x)
    gradients = torch.autograd.grad(y, [x] + params, fill(y.shape, 100))
    cases.append({
        "name": name,
        "input": list(shape),
        "output": tensor(y),
        "gradients": [tensor(g) for g in gradients],
    })


def tensor(t):
    return {"shape": list(t.shape), "data": t.detach().flatten().tolist()}


class Residual(nn.Module):
    def __init__(self, body, shortcut):
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, x):
        return self.body(x) + self.shortcut(x)


class Function(nn.Module):
    def __init__(self, f):
        super().__init__()
        self.forward = f


case("conv1d", nn.Conv1d(2, 3, 3, stride=2, padding=1), (2, 2, 7))
case("conv2d", nn.Conv2d(2, 3, 3), (2, 2, 5, 4))
case("conv2d groups, dilation", nn.Conv2d(4, 6, 2, groups=2, dilation=2, bias=False), (1, 4, 5, 5))
case("conv2d kernel 1 by 3", nn.Conv2d(2, 2, (1, 3), stride=(1, 2), padding=(0, 1)), (1, 2, 3, 5))
case("conv2d same", nn.Conv2d(2, 2, 4, padding="same"), (1, 2, 5, 5))
case("conv3d", nn.Conv3d(1, 2, 2), (1, 1, 3, 2, 3))
case("convtranspose1d", nn.ConvTranspose1d(2, 3, 3, stride=2, padding=1, output_padding=1), (2, 2, 4))
case("convtranspose2d", nn.ConvTranspose2d(2, 3, 2, stride=2), (1, 2, 3, 3))
case("convtranspose2d groups, dilation", nn.ConvTranspose2d(4, 2, 2, groups=2, dilation=2, bias=False), (1, 4, 3, 2))
case("convtranspose3d", nn.ConvTranspose3d(1, 2, 2), (1, 1, 2, 2, 2))
case("maxpool1d", nn.MaxPool1d(2), (1, 2, 7))
case("maxpool2d", nn.MaxPool2d(2), (2, 2, 5, 4))
case("maxpool2d overlapping", nn.MaxPool2d(3, stride=2, padding=1, ceil_mode=True), (1, 2, 6, 5))
case("maxpool3d", nn.MaxPool3d(2), (1, 1, 4, 2, 3))
case("avgpool1d", nn.AvgPool1d(3), (1, 2, 7))
case("avgpool2d", nn.AvgPool2d(2), (2, 2, 5, 4))
case("avgpool2d overlapping", nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False), (1, 2, 6, 5))
case("avgpool3d", nn.AvgPool3d(2), (1, 1, 4, 2, 3))
case("globalavgpool", Function(lambda x: x.mean((2, 3))), (2, 3, 2, 3))
case("globalmaxpool", Function(lambda x: x.amax((2, 3))), (2, 3, 2, 3))
case("upsample nearest", nn.Upsample(scale_factor=2), (1, 2, 2, 3))
case("upsample bilinear", nn.Upsample(size=(5, 4), mode="bilinear"), (1, 2, 2, 3))
case("pixelshuffle", nn.PixelShuffle(2), (1, 8, 2, 1))
case("pixelunshuffle", nn.PixelUnshuffle(2), (1, 2, 2, 4))
case("residual", Residual(nn.Sequential(nn.Conv2d(2, 2, 3, padding=1), nn.Tanh(), nn.Conv2d(2, 2, 3, padding=1)), nn.Identity()), (1, 2, 3, 3))
case("residual, shortcut", Residual(
    nn.Sequential(nn.Conv2d(2, 3, 3, stride=2, padding=1), nn.Tanh(), nn.Conv2d(3, 3, 3, padding=1)),
    nn.Conv2d(2, 3, 1, stride=2, bias=False)), (1, 2, 4, 4))
case("residual, batch norm", Residual(
    nn.Sequential(nn.Conv2d(2, 2, 3, padding=1, bias=False), nn.BatchNorm2d(2), nn.ReLU(), nn.Conv2d(2, 2, 3, padding=1, bias=False), nn.BatchNorm2d(2)),
    nn.Identity()), (2, 2, 3, 3))

print(json.dumps({"torch": torch.__version__, "cases": cases}, separators=(",", ":")))
