"""Trains the networks of examples/translate in PyTorch.

    go run ./examples/translate -tokens tokens.json
    python -P bench/peers/translate.py tokens.json gru 1 2 3

(-P, since Python would take the torch.py beside this file for PyTorch) prints a
line with BLEU on the test verses for each seed. Everything is as in
the example: the ids of the words, the networks with the distributions of their
first weights, the loss, Adam with its schedule and clipped gradients, batches
of rows of about one length, the epochs, the search with its rule for texts of
different lengths, and BLEU. Only the random numbers are others.

Adam moves every row of a table of words in every step, also of those words that
the batch does not have: the example asks for that, with Whole.

Written for PyTorch 2.14.1, one thread.
"""

import argparse
import json
import math
import random
import time
from collections import Counter

import torch
import torch.nn.functional as F
from torch import nn

PADDING, START, END = 0, 1, 2
WIDTH = 96
BATCH, NEAR = 64, 16
RATE, WARMUP, CLIP, SMOOTHING = 3e-3, 0.1, 1.0, 0.1
BEAM, LENGTH_PENALTY = 4, 1.0


def table(words, deviation):
    layer = nn.Embedding(words, WIDTH, padding_idx=PADDING)
    with torch.no_grad():
        layer.weight.normal_(0, deviation)
        layer.weight[PADDING] = 0
    return layer


def glorot(module):
    """Gives dense layers and attention the first weights of Nabla's."""
    for m in module.modules():
        if isinstance(m, nn.Linear):
            nn.init.xavier_uniform_(m.weight)
            if m.bias is not None:
                nn.init.zeros_(m.bias)
        if isinstance(m, nn.MultiheadAttention):
            nn.init.xavier_uniform_(m.in_proj_weight)
            nn.init.zeros_(m.in_proj_bias)


class GRU(nn.Module):
    dropout = 0.2

    def __init__(self, english, spanish, longest):
        super().__init__()
        self.english, self.spanish = table(english, 1), table(spanish, 1)
        self.reader = nn.GRU(WIDTH, WIDTH, batch_first=True, bidirectional=True)
        self.writer = nn.GRU(WIDTH, 2 * WIDTH, batch_first=True)
        self.query = nn.Linear(2 * WIDTH, 2 * WIDTH, bias=False)
        self.both = nn.Linear(4 * WIDTH, WIDTH)
        self.words = nn.Linear(WIDTH, spanish)
        glorot(self)

    def drop(self, x):
        return F.dropout(x, self.dropout, self.training)

    def read(self, english):
        """Returns the memory, and the state to write on from."""
        lengths = (english != PADDING).sum(1)
        packed = nn.utils.rnn.pack_padded_sequence(
            self.drop(self.english(english)), lengths, batch_first=True, enforce_sorted=False
        )
        memory, last = self.reader(packed)
        memory, _ = nn.utils.rnn.pad_packed_sequence(
            memory, batch_first=True, total_length=english.shape[1]
        )
        return memory, last.transpose(0, 1).reshape(1, len(english), 2 * WIDTH)

    def choose(self, hidden, memory, english):
        visible = (english != PADDING)[:, None]
        seen = F.scaled_dot_product_attention(self.query(hidden), memory, memory, visible)
        return self.words(self.drop(self.both(torch.cat([hidden, seen], 2))))

    def forward(self, english, spanish):
        memory, state = self.read(english)
        hidden, _ = self.writer(self.drop(self.spanish(spanish)), state)
        return self.choose(hidden, memory, english)

    def step(self, english):
        """Returns a function that returns the scores of the next words."""
        memory, state = self.read(english)

        def step(texts, parents):
            nonlocal memory, state, english
            memory, state, english = memory[parents], state[:, parents], english[parents]
            y, state = self.writer(self.spanish(texts[:, -1:]), state)
            return self.choose(y, memory, english)[:, -1]

        return step


class Transformer(nn.Module):
    dropout = 0.1

    def __init__(self, english, spanish, longest):
        super().__init__()
        blocks, heads, inner = 2, 4, 256
        options = dict(dropout=self.dropout, batch_first=True, norm_first=True)
        self.english = table(english, 1 / math.sqrt(WIDTH))
        self.spanish = table(spanish, 1 / math.sqrt(WIDTH))
        place = torch.arange(longest + 1)[:, None]
        angle = place / 10000 ** (torch.arange(0, WIDTH, 2) / WIDTH)
        self.positions = torch.stack([angle.sin(), angle.cos()], 2).reshape(longest + 1, WIDTH)
        self.reader = nn.ModuleList(
            nn.TransformerEncoderLayer(WIDTH, heads, inner, **options) for _ in range(blocks)
        )
        self.writer = nn.ModuleList(
            nn.TransformerDecoderLayer(WIDTH, heads, inner, **options) for _ in range(blocks)
        )
        self.end, self.written = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.words = nn.Linear(WIDTH, spanish)
        glorot(self)

    def numbers(self, words, ids):
        x = words(ids) * math.sqrt(WIDTH) + self.positions[: ids.shape[1]]
        return F.dropout(x, self.dropout, self.training)

    def read(self, english):
        x = self.numbers(self.english, english)
        for block in self.reader:
            x = block(x, src_key_padding_mask=english == PADDING)
        return self.end(x)

    def write(self, memory, english, spanish):
        steps = spanish.shape[1]
        later = torch.ones(steps, steps, dtype=torch.bool).triu(1)
        x = self.numbers(self.spanish, spanish)
        for block in self.writer:
            x = block(x, memory, tgt_mask=later, memory_key_padding_mask=english == PADDING)
        return self.written(x)

    def forward(self, english, spanish):
        return self.words(self.write(self.read(english), english, spanish))

    def step(self, english):
        """PyTorch's blocks have no cache: each step computes all before it."""
        memory = self.read(english)

        def step(texts, parents):
            nonlocal memory, english
            memory, english = memory[parents], english[parents]
            return self.words(self.write(memory, english, texts)[:, -1])

        return step


def beams(step, texts, longest):
    """Is Nabla's decode.BeamBatch: the best text for each of several."""

    def score(log_prob, n):
        return log_prob / ((5 + n) / 6) ** LENGTH_PENALTY

    live = [[([], 0.0, i)] for i in range(texts)]  # tokens, ln p, row before
    found = [(-math.inf, []) for _ in range(texts)]
    for length in range(1, longest + 1):
        rows = [b for beam in live for b in beam]
        if not rows:
            break
        scores = step(
            torch.tensor([[START] + tokens for tokens, _, _ in rows]),
            torch.tensor([row for _, _, row in rows]),
        )
        best, ids = scores.double().log_softmax(1).topk(BEAM + 1)
        best, ids = best.tolist(), ids.tolist()
        first = 0
        for i, beam in enumerate(live):
            further = [
                (log_prob + p, token, first + k)
                for k, (_, log_prob, _) in enumerate(beam)
                for p, token in zip(best[first + k], ids[first + k])
            ]
            further.sort(key=lambda c: -c[0])
            following = []
            for rank, (log_prob, token, row) in enumerate(further):
                tokens = rows[row][0]
                if token == END:
                    if rank < BEAM:
                        found[i] = max(found[i], (score(log_prob, length), tokens), key=lambda f: f[0])
                elif len(following) < BEAM:
                    following.append((tokens + [token], log_prob, row))
            if length == longest:
                for tokens, log_prob, _ in following:
                    found[i] = max(found[i], (score(log_prob, length), tokens), key=lambda f: f[0])
            first += len(beam)
            done = not following or found[i][0] >= score(following[0][1], longest)
            live[i] = [] if done else following
    return [tokens for _, tokens in found]


def bleu(candidates, references):
    """Is metrics.BLEU: of the corpus, precisions of 0 smoothed by halves."""
    length = sum(map(len, candidates))
    brevity = min(1, math.exp(1 - sum(map(len, references)) / max(1, length)))
    total, half = 0.0, 1.0
    for n in range(1, 5):
        hits = count = 0
        for c, r in zip(candidates, references):
            have = Counter(tuple(c[i : i + n]) for i in range(len(c) - n + 1))
            want = Counter(tuple(r[i : i + n]) for i in range(len(r) - n + 1))
            hits += sum((have & want).values())
            count += sum(have.values())
        if count == 0 or n == 1 and hits == 0:
            return 0.0
        if hits == 0:
            half /= 2
            hits = half
        total += math.log(hits / count) / 4
    return 100 * brevity * math.exp(total)


def batches(rng, english, spanish):
    """Returns the rows of the batches of an epoch: near ones of one length."""
    lengths = list(zip((english != PADDING).sum(1).tolist(), (spanish != PADDING).sum(1).tolist()))
    rows = list(range(len(lengths)))
    rng.shuffle(rows)
    for first in range(0, len(rows), NEAR * BATCH):
        part = slice(first, first + NEAR * BATCH)
        rows[part] = sorted(rows[part], key=lambda row: lengths[row])
    made = [rows[first : first + BATCH] for first in range(0, len(rows), BATCH)]
    rng.shuffle(made)
    return made


def cut(ids):
    return ids[:, : int((ids != PADDING).sum(1).max())]


def train(model, epochs, seed, english, spanish, following):
    rng = random.Random(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    cost = nn.CrossEntropyLoss(ignore_index=PADDING, label_smoothing=SMOOTHING)
    done, rows = 0, epochs * len(english)
    model.train()
    for _ in range(epochs):
        for batch in batches(rng, english, spanish):
            scores = model(cut(english[batch]), cut(spanish[batch]))
            loss = cost(scores.flatten(0, 1), cut(following[batch]).flatten())
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            part = done / rows
            share = part / WARMUP if part < WARMUP else (1 - part) / (1 - WARMUP)
            for group in optimizer.param_groups:
                group["lr"] = RATE * share
            optimizer.step()
            done += len(batch)


@torch.no_grad()
def translate(model, english, longest):
    model.eval()
    written = []
    for first in range(0, len(english), 64):
        some = cut(english[first : first + 64])
        written += beams(model.step(some), len(some), longest)
    return written


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tokens")
    parser.add_argument("network", choices=["gru", "transformer"])
    parser.add_argument("seeds", type=int, nargs="+")
    parser.add_argument("--epochs", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(1)
    with open(args.tokens, encoding="utf-8") as file:
        data = json.load(file)
    longest, words = data["longest"], data["spanish_words"]
    english = torch.tensor(data["english"]).reshape(-1, longest + 1)
    test = torch.tensor(data["test"]).reshape(-1, longest + 1)
    spanish = torch.tensor(data["spanish"]).reshape(-1, longest)
    following = torch.tensor(data["next"]).reshape(-1, longest)
    scores = []
    for seed in args.seeds:
        start = time.time()
        torch.manual_seed(seed)
        network = GRU if args.network == "gru" else Transformer
        model = network(data["english_words"], len(words), longest)
        train(model, args.epochs, seed, english, spanish, following)
        written = [[words[id] for id in row] for row in translate(model, test, longest)]
        scores.append(bleu(written, data["references"]))
        print(
            f"result peer=pytorch network={args.network} epochs={args.epochs} "
            f"test_bleu={scores[-1]:.2f} seed={seed} seconds={time.time() - start:.0f}",
            flush=True,
        )
    print(f"result peer=pytorch network={args.network} mean_test_bleu={sum(scores) / len(scores):.2f}")


if __name__ == "__main__":
    main()
