"""Writes norms.json: PyTorch's normalizing layers, their outputs and gradients
in training, and their running statistics and outputs in evaluation.

    pip install torch==2.14.1
    python3 norms.py > norms.json

The numbers are float64, of PyTorch 2.14.1, filled in as those of images.json.
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


def case(name, module, shape):
    params = list(module.parameters())
    with torch.no_grad():
        for j, p in enumerate(params):
            p.copy_(fill(p.shape, j + 1))
    x = fill(shape, 0).requires_grad_()
    y = module(x)
    gradients = torch.autograd.grad(y, [x] + params, fill(y.shape, 100))
    module(fill(shape, 7))  # a second step of the running statistics
    module.eval()
    buffers = [b for name, b in module.named_buffers() if name != "num_batches_tracked"]
    cases.append({
        "name": name,
        "input": list(shape),
        "output": tensor(y),
        "gradients": [tensor(g) for g in gradients],
        "running": [tensor(b) for b in buffers],
        "evaluated": tensor(module(x)),
    })


case("batchnorm1d of features", nn.BatchNorm1d(3), [4, 3])
case("batchnorm1d", nn.BatchNorm1d(3, momentum=0.25, eps=0.1), [2, 3, 5])
case("batchnorm2d", nn.BatchNorm2d(2), [2, 2, 3, 4])
case("batchnorm3d", nn.BatchNorm3d(2), [2, 2, 2, 1, 3])
case("batchnorm2d plain", nn.BatchNorm2d(2, affine=False), [2, 2, 3, 4])
case("batchnorm2d without statistics", nn.BatchNorm2d(2, track_running_stats=False), [2, 2, 3, 4])
case("layernorm", nn.LayerNorm(5), [3, 5])
case("layernorm of two axes", nn.LayerNorm([2, 3], eps=0.1), [2, 2, 3])
case("layernorm plain", nn.LayerNorm(5, elementwise_affine=False), [3, 5])
case("rmsnorm", nn.RMSNorm(5), [3, 5])
case("rmsnorm with epsilon", nn.RMSNorm([2, 3], eps=0.1), [2, 2, 3])
case("groupnorm", nn.GroupNorm(2, 4), [2, 4, 3, 2])
case("groupnorm of features", nn.GroupNorm(2, 6), [3, 6])
case("groupnorm plain", nn.GroupNorm(2, 4, affine=False), [2, 4, 3])
case("instancenorm1d", nn.InstanceNorm1d(3, affine=True), [2, 3, 4])
case("instancenorm2d plain", nn.InstanceNorm2d(3), [2, 3, 2, 2])

assert torch.__version__.split("+")[0] == "2.14.1", torch.__version__
print(json.dumps({"version": "PyTorch 2.14.1", "cases": cases}, separators=(",", ":")))
