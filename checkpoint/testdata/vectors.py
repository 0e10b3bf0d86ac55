"""Files of the safetensors package from PyPI, and its reading of Nabla's.

    python vectors.py write FOLDER    # writes the files that are committed there
    python vectors.py read FILE       # prints what the package reads in a file
    python vectors.py copy FROM TO    # reads FROM and writes it again, as TO

Needs safetensors 0.8.0, torch 2.14.1 and numpy.
"""

import json
import struct
import sys

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file


def types():
    """A tensor of each type, with the numbers at the ends of its range."""
    ends = [0.0, -0.0, 1.0, -1.5, float("inf"), float("-inf")]
    all = {}
    for name, t in {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}.items():
        i = torch.finfo(t)
        all[name] = torch.tensor(ends + [i.max, i.min, i.tiny, i.smallest_normal / 2, 1 + i.eps, 0.1], dtype=torch.float64).to(t)
    for name in ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"]:
        t = getattr(torch, name)
        i = torch.iinfo(t)
        all[name] = torch.tensor([i.min, 0, 1, i.max], dtype=t).reshape(2, 2)
    all["uint64"] = torch.tensor([0, 1, 2**63 - 1], dtype=torch.uint64)
    all["uint64 too large"] = torch.tensor([2**63], dtype=torch.uint64)
    all["bool"] = torch.tensor([True, False, True])
    all["float8"] = torch.tensor([1.0, 2.0]).to(torch.float8_e4m3fn)
    all["complex"] = torch.tensor([1 + 2j])
    all["a scalar"] = torch.tensor(0.25, dtype=torch.float64)
    all["empty"] = torch.zeros(3, 0, 2)
    all["ünïcode \"quoted\" \\ 漢 🙂"] = torch.arange(6.0).reshape(1, 2, 3)
    return all


class Net(torch.nn.Module):
    """An embedding, a recurrent layer, batch norm and a square Linear."""

    def __init__(self):
        super().__init__()
        self.words = torch.nn.Embedding(4, 4)
        self.lstm = torch.nn.LSTM(4, 3, batch_first=True)
        self.norm = torch.nn.BatchNorm1d(3)
        self.fc1 = torch.nn.Linear(3, 3)
        self.fc2 = torch.nn.Linear(3, 2)

    def forward(self, ids):
        y = self.lstm(self.words(ids))[0][:, -1]
        return self.fc2(torch.tanh(self.fc1(self.norm(y))))


def write(folder):
    save_file(types(), folder + "/types.safetensors", metadata={"by": "safetensors", "ünïcode": "漢 🙂\n"})
    with open(folder + "/types.txt", "w") as out:
        read(folder + "/types.safetensors", out)
    torch.manual_seed(1)
    net = Net()
    ids = torch.tensor([[0, 1, 2], [3, 2, 1], [1, 1, 0], [2, 0, 3]])
    for _ in range(3):
        net(ids)  # running statistics
    net.eval()
    all = dict(net.state_dict())
    all["test.output"] = net(ids).detach()
    save_file(all, folder + "/torch.safetensors")


def text(t):
    """The numbers of a tensor: whole ones, or the bits of float64."""
    if t.is_complex() or t.dtype == torch.float8_e4m3fn:
        return []
    if t.is_floating_point():
        return [struct.pack(">d", v).hex() for v in t.to(torch.float64).flatten().tolist()]
    return [str(int(v)) for v in t.flatten().tolist()]


def read(path, out=sys.stdout):
    with safe_open(path, framework="pt") as f:
        for key, value in sorted((f.metadata() or {}).items()):
            print(json.dumps([key, value], ensure_ascii=False, separators=(",", ":")), file=out)
        for name in sorted(f.keys()):
            s = f.get_slice(name)
            print(json.dumps(name, ensure_ascii=False), s.get_dtype(), s.get_shape(), *text(f.get_tensor(name)), file=out)


def copy(source, target):
    with safe_open(source, framework="pt") as f:
        metadata = f.metadata()
    save_file(load_file(source), target, metadata=metadata)


if __name__ == "__main__":
    {"write": write, "read": read, "copy": copy}[sys.argv[1]](*sys.argv[2:])
