#!/usr/bin/env python3
"""Prints the scalars and histograms of event files as TensorBoard reads them: for
each tag the steps, values and seconds since the beginning.

    python read.py FOLDER      with tensorboard 2.21.0, from PyPI
"""
import sys

import tensorboard
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

VERSION = "2.21.0"
if tensorboard.__version__ != VERSION:
    sys.exit(f"this is TensorBoard {tensorboard.__version__}, not {VERSION}")

events = EventAccumulator(sys.argv[1], size_guidance={"histograms": 0})  # all of them
events.Reload()
begun = events.FirstEventTimestamp()
for tag in sorted(events.Tags()["scalars"]):
    points = [f"{e.step}:{e.value:.2f}@{e.wall_time - begun:.1f}" for e in events.Scalars(tag)]
    print(tag, *points)
for tag in sorted(events.Tags()["histograms"]):
    line = []
    for e in events.Histograms(tag):
        h = e.histogram_value
        assert len(h.bucket) == len(h.bucket_limit) and h.bucket_limit[-1] == h.max and sum(h.bucket) == h.num
        line.append(f"{e.step}: {h.num:.0f} in {h.min:.2f} to {h.max:.2f}, sum {h.sum:.2f}, "
                    f"squares {h.sum_squares:.2f}, counts {max(h.bucket):.0f}")
    print(tag, *line)
