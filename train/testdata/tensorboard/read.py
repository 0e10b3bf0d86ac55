#!/usr/bin/env python3
"""Prints the scalars of event files as TensorBoard reads them: for each tag the
steps, values and seconds since the beginning.

    python read.py FOLDER      with tensorboard 2.21.0, from PyPI
"""
import sys

import tensorboard
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

VERSION = "2.21.0"
if tensorboard.__version__ != VERSION:
    sys.exit(f"this is TensorBoard {tensorboard.__version__}, not {VERSION}")

events = EventAccumulator(sys.argv[1])
events.Reload()
begun = events.FirstEventTimestamp()
for tag in sorted(events.Tags()["scalars"]):
    points = [f"{e.step}:{e.value:.2f}@{e.wall_time - begun:.1f}" for e in events.Scalars(tag)]
    print(tag, *points)
