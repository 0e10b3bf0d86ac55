"""Reads a model and writes it again. A field that onnx does not know, or that
is encoded in another way than its schema says, is an error."""

import sys

import onnx
from google.protobuf import unknown_fields


def check(message, path):
    unknown = unknown_fields.UnknownFieldSet(message)
    assert len(unknown) == 0, f"{path}: field {unknown[0].field_number} is not known"
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        repeated = field.is_repeated if hasattr(field, "is_repeated") else field.label == field.LABEL_REPEATED
        for i, one in enumerate(value if repeated else [value]):
            check(one, f"{path}.{field.name}[{i}]")


model = onnx.ModelProto()
with open(sys.argv[1], "rb") as f:
    model.ParseFromString(f.read())
check(model, "model")
with open(sys.argv[2], "wb") as f:
    f.write(model.SerializeToString(deterministic=True))
