#!/usr/bin/env python3
"""Writes sklearn.json beside this file: metrics from scikit-learn.

    python make_vectors.py      with scikit-learn 1.9, from PyPI
"""
import json
import os
import random

import numpy as np
import sklearn
from sklearn.metrics import (
    average_precision_score, f1_score, jaccard_score, precision_recall_curve, roc_curve, top_k_accuracy_score)

rng = random.Random(10)
out = {"sklearn": sklearn.__version__, "rankings": [], "topk": [], "segmentations": []}

for n, levels in ((2, 2), (5, 3), (12, 4), (40, 6), (40, 10**6)):
    scores = [rng.randrange(levels) for _ in range(n)]
    targets = [rng.randrange(2) for _ in range(n)]
    targets[0] = 1
    row = {"scores": scores, "targets": targets, "ap": average_precision_score(targets, scores)}
    if 0 in targets:
        # The threshold of the first point is infinite, which JSON cannot say.
        x, y, thresholds = roc_curve(targets, scores, drop_intermediate=False)
        row["roc"] = {"x": x.tolist(), "y": y.tolist(), "thresholds": thresholds[1:].tolist()}
    y, x, thresholds = precision_recall_curve(targets, scores)
    row["pr"] = {"x": x[::-1].tolist(), "y": y[::-1].tolist(), "thresholds": thresholds[::-1].tolist()}
    out["rankings"].append(row)

# Without ties: scikit-learn breaks them in another order.
scores = [[round(rng.random(), 6) for _ in range(5)] for _ in range(20)]
labels = [rng.randrange(5) for _ in range(20)]
for k in (1, 2, 3, 4):
    out["topk"].append({"k": k, "accuracy": top_k_accuracy_score(labels, scores, k=k, labels=range(5))})
out["scores"], out["labels"] = scores, labels

for classes, n in ((2, 20), (4, 60), (6, 30)):
    actual = [rng.randrange(classes) for _ in range(n)]
    predicted = [a if rng.random() < 0.6 else rng.randrange(classes) for a in actual]
    kinds = list(range(classes))
    out["segmentations"].append({
        "classes": classes, "predicted": predicted, "actual": actual,
        "iou": jaccard_score(actual, predicted, average=None, labels=kinds).tolist(),
        "dice": f1_score(actual, predicted, average=None, labels=kinds).tolist(),
    })

folder = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(folder, "sklearn.json"), "w") as f:
    json.dump(out, f, separators=(",", ":"))
    f.write("\n")
