"""Writes what onnx's own package knows of its operators to opsets.txt: the name,
the least and most inputs and the most outputs over all versions, and the
versions of the opset at which the definition changed.

    python opsets.py > opsets.txt

Made with onnx 1.23.2.
"""

import onnx

schemas = {}
for s in onnx.defs.get_all_schemas_with_history():
    if s.domain == "":
        schemas.setdefault(s.name, []).append(s)
for name in sorted(schemas):
    history = sorted(schemas[name], key=lambda s: s.since_version)
    least = min(s.min_input for s in history)
    most = max(s.max_input for s in history)
    outputs = max(s.max_output for s in history)
    any_number = lambda n: -1 if n > 1000 else n
    print(name, least, any_number(most), any_number(outputs), *[s.since_version for s in history])
