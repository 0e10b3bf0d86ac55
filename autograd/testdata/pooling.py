#!/usr/bin/env python3
"""Writes pooling.json beside this file: pooling and resampling as PyTorch
computes them, in float64.

Each case has the options by PyTorch's names and the shape of its input. Input
and cotangent follow from their formulas below, the input with many ties, so
that only results and gradients are stored.
"""
import json
import os
import sys

import torch
import torch.nn.functional as F

VERSION = "2.14.1"
if not torch.__version__.startswith(VERSION):
    sys.exit(f"this is PyTorch {torch.__version__}, not {VERSION}")
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def numbers(shape, factor, modulus, divisor):
    n = torch.Size(shape).numel()
    i = torch.arange(n, dtype=torch.int64)
    return (((factor * i + 11) % modulus - modulus // 2).double() / divisor).reshape(shape)


def short(t):
    return [int(v) if v == int(v) else v for v in t.flatten().tolist()]


def case(op, shape, f, **options):
    x = numbers(shape, 37, 64, 8).requires_grad_()
    y = f(x, **options)
    (gx,) = torch.autograd.grad(y, x, numbers(y.shape, 5, 17, 4))
    return {"op": op, "shape": shape, "options": options, "result": list(y.shape),
            "y": short(y), "gx": short(gx)}


cases = []
for axes, maximum, average in [(1, F.max_pool1d, F.avg_pool1d), (2, F.max_pool2d, F.avg_pool2d), (3, F.max_pool3d, F.avg_pool3d)]:
    shape = [[2, 1, 7], [1, 1, 7, 6], [1, 1, 3, 5, 4]][axes - 1]
    for kernel, stride, padding, ceil in [(2, 2, 0, False), (3, 2, 1, False), (3, 2, 1, True), (2, 2, 1, True), (3, 1, 1, False), (2, 3, 0, True), (2, 3, 1, True)]:
        options = dict(kernel_size=kernel, stride=stride, padding=padding, ceil_mode=ceil)
        cases.append(case("max pool", shape, maximum, **options))
        for counted in [True, False]:
            cases.append(case("avg pool", shape, average, **options, count_include_pad=counted))
for dilation, padding, stride in [(2, 0, 1), (2, 1, 2), (3, 1, 1)]:
    cases.append(case("max pool", [1, 1, 7, 6], F.max_pool2d, kernel_size=2, stride=stride, padding=padding, dilation=dilation))
    cases.append(case("max pool", [1, 1, 7, 6], F.max_pool2d, kernel_size=2, stride=stride, padding=padding, dilation=dilation, ceil_mode=True))
for shape, size in [([1, 2, 7], [3]), ([1, 2, 5, 4], [3, 2]), ([1, 2, 3, 2], [5, 3]), ([1, 1, 5, 4, 3], [2, 3, 4])]:
    axes = len(size)
    cases.append(case("adaptive max pool", shape, [F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.adaptive_max_pool3d][axes - 1], output_size=size))
    cases.append(case("adaptive avg pool", shape, [F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d][axes - 1], output_size=size))
for shape, size in [([1, 2, 5], [8]), ([1, 2, 3, 4], [6, 8]), ([1, 1, 5, 6], [3, 9]), ([1, 1, 3, 4], [1, 1]), ([1, 1, 2, 3, 2], [3, 2, 4])]:
    linear = ["linear", "bilinear", "trilinear"][len(size) - 1]
    cases.append(case("upsample", shape, F.interpolate, size=size, mode="nearest"))
    for corners in [False, True]:
        cases.append(case("upsample", shape, F.interpolate, size=size, mode=linear, align_corners=corners))
for scale in [2, 3]:
    cases.append(case("upsample", [1, 2, 3, 2], F.interpolate, scale_factor=scale, mode="nearest"))
    cases.append(case("upsample", [1, 2, 3, 2], F.interpolate, scale_factor=scale, mode="bilinear", align_corners=False))
cases.append(case("pixel shuffle", [1, 8, 2, 3], F.pixel_shuffle, upscale_factor=2))
cases.append(case("pixel unshuffle", [1, 2, 4, 6], F.pixel_unshuffle, downscale_factor=2))

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pooling.json")
with open(path, "w") as file:
    lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    file.write(f'{{"torch":"{VERSION}","cases":[\n{lines}\n]}}\n')
