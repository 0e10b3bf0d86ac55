"""A network of PyTorch on its way to Nabla, and one of Nabla's in onnxruntime.

    python interchange.py export FILE       # writes a network, prints its outputs
    python interchange.py run FILE          # prints the outputs of a file

Needs torch 2.14.1 with onnxscript 0.7.2, or onnxruntime 1.32.0.
"""

import json
import sys

INPUTS = [[-1.0, 2.0], [0.5, 0.25], [3.0, -1.5], [0.0, 1.0]]


def export(path):
    import torch

    torch.manual_seed(1)
    net = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1)).eval()
    x = torch.tensor(INPUTS)
    any_batch = ({0: torch.export.Dim("batch")},)
    torch.onnx.export(net, (x,), path, dynamic_shapes=any_batch, external_data=False, verbose=False)
    return net(x).flatten().tolist()


def run(path):
    import numpy
    import onnxruntime

    x = numpy.array(INPUTS, numpy.float32)
    session = onnxruntime.InferenceSession(path)
    [y] = session.run(None, {"input": x})
    return y.flatten().tolist()


outputs = {"export": export, "run": run}[sys.argv[1]](*sys.argv[2:])
print(json.dumps(outputs))
