"""Runs networks with onnxruntime on inputs at random, and writes both in the
layout of the ONNX project's tests:

    python run.py FOLDER [FILE...]

Without files, the networks for images in onnx's own package, whose weights are
constants. FOLDER/NAME/model.onnx, FOLDER/NAME/test_data_set_0/input_0.pb, and so
on. Made with onnx 1.23.2 and onnxruntime 1.32.0.
"""

import glob
import os
import shutil
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

folder, files = sys.argv[1], sys.argv[2:]
if not files:
    files = sorted(glob.glob(os.path.join(os.path.dirname(onnx.__file__), "backend/test/data/light/*.onnx")))
rng = np.random.default_rng(1)
for file in files:
    name = os.path.splitext(os.path.basename(file))[0]
    data = os.path.join(folder, name, "test_data_set_0")
    os.makedirs(data, exist_ok=True)
    shutil.copy(file, os.path.join(folder, name, "model.onnx"))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    feed = {}
    for i, port in enumerate(session.get_inputs()):
        shape = [d if isinstance(d, int) else 2 for d in port.shape]
        feed[port.name] = rng.normal(size=shape).astype(np.float32)
        if "int64" in port.type:
            feed[port.name] = rng.integers(0, 2, size=shape)
    outputs = session.run(None, feed)
    graph = onnx.load(file, load_external_data=False).graph
    for kind, ports, values in (("input", graph.input, feed), ("output", session.get_outputs(), dict(zip([o.name for o in session.get_outputs()], outputs)))):
        for i, port in enumerate(ports):
            if port.name in values:
                with open(os.path.join(data, f"{kind}_{i}.pb"), "wb") as f:
                    f.write(numpy_helper.from_array(values[port.name], port.name).SerializeToString())
