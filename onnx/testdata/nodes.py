"""Writes the node tests of the ONNX project, which its package makes, as files
in the layout of onnx/backend/test/data:

    python nodes.py FOLDER

FOLDER/NAME/model.onnx and FOLDER/NAME/test_data_set_0/input_0.pb, output_0.pb,
and so on. Made with onnx 1.23.2.
"""

import os
import sys
import warnings

from onnx import TensorProto, numpy_helper
from onnx.backend.test.case.node import collect_testcases


def message(value, info):
    """Returns a test's input or output as a message."""
    if info.type.HasField("map_type"):
        return numpy_helper.from_dict(value, info.name)
    if info.type.HasField("sequence_type"):
        return numpy_helper.from_list(value, info.name)
    if info.type.HasField("optional_type"):
        return numpy_helper.from_optional(value, info.name)
    if isinstance(value, TensorProto):
        return value
    return numpy_helper.from_array(value, info.name)


def write(folder, case):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "model.onnx"), "wb") as f:
        f.write(case.model.SerializeToString())
    for i, (inputs, outputs) in enumerate(case.data_sets):
        data = os.path.join(folder, f"test_data_set_{i}")
        os.makedirs(data, exist_ok=True)
        graph = case.model.graph
        for kind, values, infos in (("input", inputs, graph.input), ("output", outputs, graph.output)):
            for j, value in enumerate(values):
                with open(os.path.join(data, f"{kind}_{j}.pb"), "wb") as f:
                    f.write(message(value, infos[j]).SerializeToString())


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for case in collect_testcases():
        write(os.path.join(sys.argv[1], case.name), case)
