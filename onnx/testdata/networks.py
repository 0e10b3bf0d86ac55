"""Writes the networks that import_test.go reads: NAME.onnx, as PyTorch's two
exporters and skl2onnx write them, and networks.json with inputs, the outputs
that PyTorch or scikit-learn computes for them, and gradients.

    python networks.py FOLDER

Made with torch 2.14.1, onnxscript 0.7.2, scikit-learn 1.9.1, skl2onnx 1.20.0.
"""

import copy
import json
import os
import sys
import warnings

import numpy as np
import onnx
import torch
from sklearn.neural_network import MLPClassifier, MLPRegressor
from torch import nn
from torch.nn import functional as F

warnings.simplefilter("ignore")


class Residual(nn.Module):
    """A block of a ResNet, with a projection on the way around."""

    def __init__(self, inner, outer, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inner, outer, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outer)
        self.conv2 = nn.Conv2d(outer, outer, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outer)
        self.down = nn.Sequential(nn.Conv2d(inner, outer, 1, stride, bias=False), nn.BatchNorm2d(outer))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.down(x))


class Last(nn.Module):
    """The output of the last step of a recurrent network."""

    def __init__(self, network):
        super().__init__()
        self.network = network
        width = network.hidden_size * (2 if network.bidirectional else 1)
        self.head = nn.Linear(width, 2)

    def forward(self, x):
        y, _ = self.network(x)
        return self.head(y[:, -1])


class Block(nn.Module):
    """A transformer block, before its normalizations."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x):
        batch, steps, width = x.shape
        parts = self.qkv(self.norm1(x)).reshape(batch, steps, 3, self.heads, width // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        mask = torch.ones(steps, steps, dtype=torch.bool).tril()
        scores = q @ k.transpose(-1, -2) / (width // self.heads) ** 0.5
        p = scores.masked_fill(~mask, float("-inf")).softmax(-1)
        x = x + self.out((p @ v).transpose(1, 2).reshape(batch, steps, width))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Words(nn.Module):
    """A table of words, whose mean is classified; the ids are int64."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(7, 4)
        self.head = nn.Linear(4, 3)

    def forward(self, ids, weights):
        x = self.table(ids) * weights.unsqueeze(-1)
        return self.head(x.sum(1)).log_softmax(-1), ids.sum(1)


class Images(nn.Module):
    """What decoders of images are made of."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3, padding=1, padding_mode="reflect")
        self.norm = nn.GroupNorm(2, 4)
        self.up = nn.ConvTranspose2d(4, 2, 3, stride=2, padding=1, output_padding=1)

    def forward(self, x):
        y = F.silu(self.norm(self.conv(x)))
        y = F.interpolate(y, scale_factor=2, mode="bilinear", align_corners=False)
        y = torch.cat([self.up(F.avg_pool2d(y, 2)), F.interpolate(x, size=y.shape[2:], mode="nearest")], 1)
        return y.clamp(-1, 1).flatten(2).mean(-1)


def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.Tanh(), nn.MaxPool2d(2), nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 5))


def settle(model, shape):
    """Gives running statistics other values than they begin with."""
    model.train()
    for _ in range(3):
        model(torch.randn(8, *shape) * 2 + 1)
    return model.eval()


def networks():
    torch.manual_seed(1)
    yield "mlp", nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 8), nn.GELU(), nn.Linear(8, 2)), [(3,)], {}
    yield "lenet", lenet(), [(1, 14, 14)], {}
    resnet = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), Residual(4, 6, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3))
    yield "resnet", settle(resnet, (2, 8, 8)), [(2, 8, 8)], {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False}
    yield "lstm", Last(nn.LSTM(3, 4, num_layers=2, batch_first=True)), [(5, 3)], {}
    yield "gru", Last(nn.GRU(3, 4, batch_first=True, bidirectional=True)), [(5, 3)], {}
    yield "transformer", Block(8, 2), [(5, 8)], {}
    yield "words", Words(), [(4,), (4,)], {}
    yield "images", Images(), [(2, 6, 6)], {}


def tensor(t):
    t = t.detach()
    return {"shape": list(t.shape), "data": [float(f"{v:.8g}") for v in t.flatten().tolist()]}


def samples(name, shapes, batch):
    inputs = [torch.randn(batch, *s) for s in shapes]
    if name == "words":
        inputs[0] = torch.randint(0, 7, (batch, 4))
    return inputs


def strip(path):
    """Takes out stack traces, which say where this program ran, and code."""
    model = onnx.load(path)
    for n in model.graph.node:
        kept = [p for p in n.metadata_props if p.key == "pkg.torch.onnx.name_scopes"]
        del n.metadata_props[:]
        n.metadata_props.extend(kept)
        n.doc_string = ""
    for v in list(model.graph.value_info) + list(model.graph.input) + list(model.graph.output) + list(model.graph.initializer):
        del v.metadata_props[:]
    del model.metadata_props[:]
    del model.graph.metadata_props[:]
    del model.graph.value_info[:]
    onnx.save(model, path)


def export(folder, name, model, shapes, options, dynamo):
    inputs = tuple(samples(name, shapes, 3))
    names = [f"x{i}" for i in range(len(inputs))]
    path = os.path.join(folder, f"{name}-{'dynamo' if dynamo else 'script'}.onnx")
    if dynamo:
        batch = torch.export.Dim("batch")
        torch.onnx.export(model, inputs, path, dynamo=True, input_names=names, external_data=False, verbose=False,
                          dynamic_shapes=tuple({0: batch} for _ in inputs), optimize=name != "resnet")
    else:
        torch.onnx.export(model, inputs, path, dynamo=False, input_names=names, dynamic_axes={n: {0: "batch"} for n in names}, **options)
    strip(path)
    return os.path.basename(path)


def torch_case(folder, name, model, shapes, options):
    case = {"inputs": [], "outputs": [], "files": []}
    model.eval()
    # The exporters join weights that are equal, as those of new normalizations
    # are.
    with torch.no_grad():
        for p in model.parameters():
            p += torch.randn_like(p) / 10
    inputs = [x.requires_grad_(x.is_floating_point()) for x in samples(name, shapes, 2)]
    outputs = model(*inputs)
    outputs = list(outputs) if isinstance(outputs, tuple) else [outputs]
    seed = torch.randn_like(outputs[0])
    outputs[0].backward(seed)
    case["inputs"] = [tensor(x) for x in inputs]
    case["outputs"] = [tensor(y) for y in outputs]
    case["seed"] = tensor(seed)
    case["input_gradients"] = [tensor(x.grad) if x.grad is not None else None for x in inputs]
    case["gradients"] = {k: tensor(p.grad) for k, p in model.named_parameters()}
    for dynamo in (False, True):
        case["files"].append(export(folder, name, model, shapes, options if not dynamo else {}, dynamo))
    if name == "resnet":
        trained = copy.deepcopy(model).train()
        case["training"] = tensor(trained(*inputs))
        case["statistics"] = {k: tensor(b) for k, b in trained.named_buffers() if b.dim() == 1}
    return case


def sklearn_cases(folder):
    from skl2onnx import to_onnx

    rng = np.random.default_rng(1)
    x = rng.normal(size=(40, 3)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] > 0).astype(np.int64) + (x[:, 2] > 1)
    classifier = MLPClassifier(hidden_layer_sizes=(6,), max_iter=60, random_state=1).fit(x, y)
    regressor = MLPRegressor(hidden_layer_sizes=(6, 4), activation="tanh", max_iter=60, random_state=1).fit(x, x[:, 0] * x[:, 1])
    for name, model, outputs in (
        ("classifier", classifier, lambda x: [torch.tensor(classifier.predict(x)), torch.tensor(classifier.predict_proba(x))]),
        ("regressor", regressor, lambda x: [torch.tensor(regressor.predict(x)[:, None])]),
    ):
        options = {id(model): {"zipmap": False}} if name == "classifier" else None
        file = f"{name}-sklearn.onnx"
        onnx.save(to_onnx(model, x[:1], options=options), os.path.join(folder, file))
        yield name, {"inputs": [tensor(torch.tensor(x[:5]))], "outputs": [tensor(t) for t in outputs(x[:5])], "files": [file]}


if __name__ == "__main__":
    folder = sys.argv[1]
    cases = {}
    for name, model, shapes, options in networks():
        cases[name] = torch_case(folder, name, model, shapes, options)
    cases.update(sklearn_cases(folder))
    with open(os.path.join(folder, "networks.json"), "w") as f:
        json.dump(cases, f)
        f.write("\n")
