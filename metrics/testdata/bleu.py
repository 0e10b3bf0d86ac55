#!/usr/bin/env python3
"""Writes bleu.json beside this file: corpus BLEU of tokens from sacrebleu.

    python bleu.py      with sacrebleu 2.6.0, from PyPI
"""
import json
import os
import random

import sacrebleu
from sacrebleu.metrics import BLEU

rng = random.Random(10)
words = "a b c d e f".split()
cases = []


def text(least, most):
    return [rng.choice(words) for _ in range(rng.randint(least, most))]


def changed(tokens, rate):
    out = []
    for t in tokens:
        r = rng.random()
        if r < rate / 3:
            continue
        out.append(rng.choice(words) if r < rate else t)
        if rng.random() < rate / 3:
            out.append(rng.choice(words))
    return out


def case(note, candidates, references):
    """references[i] are those of candidate i."""
    # Of streams of references, sacrebleu skips the Nones.
    most = max(len(r) for r in references)
    streams = [[" ".join(r[k]) if k < len(r) else None for r in references] for k in range(most)]
    row = {"note": note, "candidates": candidates, "references": references}
    for smoothing in ("exp", "none"):
        score = BLEU(tokenize="none", smooth_method=smoothing).corpus_score([" ".join(c) for c in candidates], streams)
        row[smoothing] = {
            "score": score.score, "precisions": score.precisions, "brevity": score.bp,
            "candidate_tokens": score.sys_len, "reference_tokens": score.ref_len,
        }
    cases.append(row)


for note, rate in (("equal", 0), ("near", 0.2), ("far", 0.6), ("unrelated", 1)):
    references = [text(1, 15) for _ in range(12)]
    case(note, [changed(r, rate) for r in references], [[r] for r in references])
references = [text(6, 12) for _ in range(8)]
case("short candidates", [r[:4] for r in references], [[r] for r in references])
case("long candidates", [r + text(3, 6) for r in references], [[r] for r in references])
case("one word each", [r[:1] for r in references], [[r] for r in references])
case("three words each", [r[:3] for r in references], [[r] for r in references])
case("some empty candidates", [r if i % 2 else [] for i, r in enumerate(references)], [[r] for r in references])
case("nothing in common", [["x", "y", "z", "w", "v"] for r in references], [[r] for r in references])
case("words, but no pairs", [["a", "x", "a", "x", "a"] for r in references], [[r] for r in references])
case("no fours", [["a", "b", "c", "x", "a", "b", "c"]], [[["a", "b", "c", "d", "a", "b", "c"]]])
case("a repeated word", [["a"] * 7], [[["a", "b", "a", "c"]]])
case("several references", [changed(r, 0.3) for r in references], [[r, changed(r, 0.4), text(5, 14)] for r in references])
case("references of other numbers", [changed(r, 0.3) for r in references], [[r] + [text(4, 14) for _ in range(i % 3)] for i, r in enumerate(references)])
case("the nearest length, the shorter of equal ones", [["a", "b", "c", "d", "e"]], [[["a"] * 7, ["a", "b", "c"], ["f"] * 9]])

folder = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(folder, "bleu.json"), "w") as f:
    rows = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    f.write('{"sacrebleu":"%s","cases":[\n%s\n]}\n' % (sacrebleu.__version__, rows))
