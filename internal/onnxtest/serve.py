"""Runs models for a test, one request a line: checks the file, infers shapes,
and computes its outputs with onnxruntime."""

import base64
import json
import os
import sys

import numpy as np
import onnx
import onnxruntime

onnxruntime.set_default_logger_severity(4)
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what libraries print is no answer


def run(request):
    path = request["path"]
    onnx.checker.check_model(path, full_check=True)
    model = onnx.load(path, load_external_data=False)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    inputs = {}
    used = {i.name for i in session.get_inputs()}
    for one in request["inputs"]:
        array = np.frombuffer(base64.b64decode(one["data"]), dtype=one["type"]).reshape(one["shape"])
        if one["name"] in used:
            inputs[one["name"]] = array
    outputs = []
    for info, array in zip(session.get_outputs(), session.run(None, inputs)):
        data = np.ascontiguousarray(array, dtype=np.float64).tobytes()
        outputs.append({"name": info.name, "shape": list(array.shape), "data": base64.b64encode(data).decode()})
    return {"outputs": outputs}


for line in sys.stdin:
    try:
        answer = run(json.loads(line))
    except Exception as e:  # the test reports it
        answer = {"error": f"{type(e).__name__}: {e}"}
    print(json.dumps(answer), file=answers, flush=True)
