#!/usr/bin/env python3
"""Writes schedules.json beside this file: the learning rates of PyTorch's
schedulers, step by step.

    python schedules.py      with torch 2.14.1, from PyPI

PyTorch computes most rates from the ones before, so that they are off by some
units in the last place after many steps. PyTorch's cosine rises again once it
is at its end: here it ends there. Its Plateau leaves falls of less than eps
out: here eps is 0.
"""
import json
import os
import random
import sys
import warnings

import torch
from torch.optim import lr_scheduler as s

VERSION = "2.14.1"
if torch.__version__.split("+")[0] != VERSION:
    sys.exit(f"this is PyTorch {torch.__version__}, not {VERSION}")
warnings.simplefilter("ignore")


def run(name, settings, make, rate, steps, losses=None):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)
    scheduler = make(optimizer)
    rates = []
    for n in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if losses is None:
            scheduler.step()
        else:
            scheduler.step(losses[n])
    return {"name": name, "settings": settings, "rate": rate, "losses": losses or [], "rates": rates}


def warmed(steps, make):
    """A straight line to the rate, then another schedule."""
    def sequence(o):
        line = s.LinearLR(o, start_factor=1 / steps, end_factor=1, total_iters=steps - 1)
        return s.SequentialLR(o, [line, make(o)], milestones=[steps])
    return sequence


def losses(seed, count, sign):
    rng = random.Random(seed)
    return [round(sign * (max(0.3, 3 * 0.9**i) + rng.uniform(0, 0.2)), 4) for i in range(count)]


def plateau(settings, rate, count, sign=1):
    make = lambda o: s.ReduceLROnPlateau(
        o, mode="max" if settings.get("greater") else "min", factor=settings.get("factor", 0.1),
        patience=settings.get("patience", 10), threshold=settings.get("min_delta", 1e-4),
        threshold_mode="abs" if settings.get("absolute") else "rel", cooldown=settings.get("cooldown", 0),
        min_lr=settings.get("least", 0), eps=0)
    return run("plateau", settings, make, rate, count, losses(7, count, sign))


def one_cycle(settings, peak, steps):
    make = lambda o: s.OneCycleLR(
        o, max_lr=peak, total_steps=steps, pct_start=settings.get("rise", 0.3),
        anneal_strategy="linear" if settings.get("straight") else "cos", div_factor=1 / settings.get("start", 1 / 25),
        final_div_factor=settings.get("start", 1 / 25) / settings.get("end", 1 / 25e4),
        three_phase=settings.get("symmetric", False), cycle_momentum=False)
    case = run("one cycle", settings | {"steps": steps}, make, 1.0, steps)
    case["rate"] = peak
    return case


cases = [
    run("constant", {}, lambda o: s.ConstantLR(o, factor=1), 0.1, 5),
    run("step", {"steps": 3, "factor": 0.5}, lambda o: s.StepLR(o, 3, 0.5), 0.1, 14),
    run("milestones", {"factor": 0.1, "at": [2, 5, 5, 9]}, lambda o: s.MultiStepLR(o, [2, 5, 5, 9], 0.1), 0.3, 12),
    run("exponential", {"factor": 0.9}, lambda o: s.ExponentialLR(o, 0.9), 0.2, 30),
    run("polynomial", {"steps": 10, "power": 1}, lambda o: s.PolynomialLR(o, 10, 1), 0.2, 13),
    run("polynomial", {"steps": 10, "power": 2.5}, lambda o: s.PolynomialLR(o, 10, 2.5), 0.2, 13),
    run("cosine", {"steps": 20}, lambda o: s.CosineAnnealingLR(o, 20), 0.1, 21),
    run("cosine", {"steps": 7, "end": 0.01}, lambda o: s.CosineAnnealingLR(o, 7, 0.01), 0.1, 8),
    run("cosine", {"steps": 5, "restarts": True}, lambda o: s.CosineAnnealingWarmRestarts(o, 5), 0.1, 17),
    run("cosine", {"steps": 3, "restarts": True, "growth": 2, "end": 0.02},
        lambda o: s.CosineAnnealingWarmRestarts(o, 3, 2, 0.02), 0.1, 50),
    one_cycle({}, 0.5, 40),
    one_cycle({"rise": 0.25, "start": 0.1, "end": 0.001}, 0.5, 33),
    one_cycle({"rise": 0.3, "start": 0.1, "end": 0.001, "straight": True}, 0.5, 30),
    one_cycle({"rise": 0.4, "start": 0.1, "end": 0.001, "symmetric": True}, 0.5, 30),
    run("cosine", {"warm up": 4, "steps": 10}, warmed(4, lambda o: s.CosineAnnealingLR(o, 10)), 0.1, 15),
    run("step", {"warm up": 5, "steps": 3, "factor": 0.5}, warmed(5, lambda o: s.StepLR(o, 3, 0.5)), 0.1, 16),
    run("polynomial", {"warm up": 3, "steps": 9, "power": 1}, warmed(3, lambda o: s.PolynomialLR(o, 9, 1)), 0.1, 14),
    plateau({}, 0.1, 80),
    plateau({"factor": 0.5, "patience": 2, "min_delta": 0.01, "cooldown": 3, "least": 0.01}, 0.1, 80),
    plateau({"factor": 0.5, "patience": 0, "min_delta": 0.05, "absolute": True}, 0.1, 40),
    plateau({"factor": 0.5, "patience": 3, "greater": True, "absolute": True}, 0.1, 60, -1),
    plateau({"factor": 0.3, "patience": 2, "greater": True, "min_delta": 0.01, "cooldown": 1}, 0.1, 60),
]
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "schedules.json"), "w") as f:
    dump = lambda x: json.dumps(x, separators=(",", ":"))
    f.write('{"torch":"%s","cases":[\n%s\n]}\n' % (VERSION, ",\n".join(dump(c) for c in cases)))
