"""A small network of PyTorch: is a hotel a hot deal, from its distance in miles
and its rating?

    python train.py train FOLDER     # writes hotels.safetensors, predictions.json
    python train.py predict FILE     # prints the predictions of a file

Needs torch 2.14.1 and safetensors 0.8.0.
"""

import csv
import json
import pathlib
import sys

import torch
from safetensors.torch import load_file, save_file

ROWS = list(csv.DictReader(open(pathlib.Path(__file__).parents[2] / "data/hotels/hotels.csv")))


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(2))
        self.register_buffer("deviation", torch.ones(2))
        self.hidden = torch.nn.Linear(2, 8)
        self.output = torch.nn.Linear(8, 1)

    def forward(self, x):
        return self.output(torch.tanh(self.hidden((x - self.mean) / self.deviation)))


def rows(split):
    x = [[float(r["distance_mi"]), float(r["rating"])] for r in ROWS if r["split"] == split]
    y = [[float(r["hot"] == "yes")] for r in ROWS if r["split"] == split]
    return torch.tensor(x), torch.tensor(y)


def predictions(net):
    x, _ = rows("test")
    return torch.sigmoid(net(x)).flatten().tolist()


def train(folder):
    torch.manual_seed(1)
    net = Net()
    x, y = rows("train")
    net.mean, net.deviation = x.mean(0), x.std(0, correction=0)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    for _ in range(30):
        optimizer.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(net(x), y).backward()
        optimizer.step()
    save_file(net.state_dict(), folder + "/hotels.safetensors")
    with open(folder + "/predictions.json", "w") as out:
        json.dump(predictions(net), out, indent="\t")
        out.write("\n")


def predict(path):
    net = Net()
    net.load_state_dict(load_file(path))
    print(json.dumps(predictions(net)))


if __name__ == "__main__":
    {"train": train, "predict": predict}[sys.argv[1]](sys.argv[2])
