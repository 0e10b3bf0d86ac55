"""Measures the workloads in PyTorch.

Each line of input asks for a measurement: an object with the workload's name,
the precision in bits, the threads and the steps. The answer is an object with
the seconds that the steps took and, for W5, W6, W8 and W9, what the last of
them computed: a loss, or the sum of the squares of gradients or of rows.

All of it is "torch lean": plain functions instead of modules, gradients by
torch.autograd.grad, and gradient descent by hand, in place under no_grad.
"""

import json
import math
import resource
import sys
import time

import torch
import torch.nn.functional as F


def descend(params, loss, rate):
    grads = torch.autograd.grad(loss, params)
    with torch.no_grad():
        for p, g in zip(params, grads):
            p.add_(g, alpha=-rate)


def dense(width, units, dtype):
    weight = (torch.randn(width, units, dtype=dtype) / width**0.5).requires_grad_()
    return weight, torch.zeros(units, dtype=dtype, requires_grad=True)


def scalar(dtype):
    """W1-scalar: a 2-16-16-1 network of tensors with one number each."""
    widths = [2, 16, 16, 1]
    layers = [
        [
            (
                torch.zeros((), dtype=dtype, requires_grad=True),
                [(torch.rand((), dtype=dtype) - 0.5).requires_grad_() for _ in range(width)],
            )
            for _ in range(units)
        ]
        for width, units in zip(widths, widths[1:])
    ]
    params = [p for layer in layers for bias, weights in layer for p in [bias, *weights]]
    inputs = [torch.tensor(v, dtype=dtype) for v in (0.5, -0.3)]
    target = torch.tensor(0.7, dtype=dtype)

    def step():
        x = inputs
        for layer in layers:
            outputs = []
            for z, weights in layer:
                for w, xi in zip(weights, x):
                    z = z + w * xi
                outputs.append(z.tanh())
            x = outputs
        d = x[0] - target
        descend(params, d * d, 0.01)

    return step


def tiny(dtype):
    """W2: a 2-3-1 network with relu, 24 rows, mean squared error."""
    x, t = torch.randn(24, 2, dtype=dtype), torch.randn(24, 1, dtype=dtype)
    w1, b1 = dense(2, 3, dtype)
    w2, b2 = dense(3, 1, dtype)
    params = [w1, b1, w2, b2]

    def step():
        hidden = torch.relu(torch.addmm(b1, x, w1))
        descend(params, F.mse_loss(torch.addmm(b2, hidden, w2), t), 0.01)

    return step


def network(name, dtype):
    """W3: 784-128-10-b64 is a network with relu on a batch of 64 rows."""
    *widths, batch = name.split("-")
    widths, batch = [int(w) for w in widths], int(batch[1:])
    x = torch.randn(batch, widths[0], dtype=dtype)
    labels = torch.randint(widths[-1], (batch,))
    layers = [dense(width, units, dtype) for width, units in zip(widths, widths[1:])]
    params = [p for layer in layers for p in layer]

    def step():
        a = x
        for weight, bias in layers[:-1]:
            a = torch.relu(torch.addmm(bias, a, weight))
        weight, bias = layers[-1]
        descend(params, F.cross_entropy(torch.addmm(bias, a, weight), labels), 0.001)

    return step


def product(name, dtype):
    """W4: 256 is a product of squares, 64x784x128 one of m x k by k x n. The
    two shapes of a layer's gradients have an operand stored transposed."""
    m, k, n = [int(size) for size in name.split("x")] if "x" in name else [int(name)] * 3
    a, b, c = (torch.randn(*shape, dtype=dtype) for shape in ((m, k), (k, n), (m, n)))
    if name == "784x64x128":
        a = a.t().contiguous().t()
    if name == "64x128x784":
        b = b.t().contiguous().t()
    return lambda: torch.mm(a, b, out=c)


def spread(bound, seed, shape, dtype):
    """Numbers between -bound and bound, the same as Nabla's."""
    i = torch.arange(math.prod(shape))
    return (bound * (((i * 7919 + seed * 104729) % 1009) / torch.tensor(504.5, dtype=torch.float64) - 1)).reshape(shape).to(dtype)


def lenet(name, dtype):
    """W5-lenet-b32: LeNet-5 with relu and max pooling on 32 images; a name that
    ends with forward has no more than the logits."""
    x, labels = spread(1, 100, (32, 1, 28, 28), dtype), torch.arange(32) % 10
    params = []
    for shape, inputs in [((6, 1, 5, 5), 25), ((16, 6, 5, 5), 150), ((400, 120), 400), ((120, 84), 120), ((84, 10), 84)]:
        params.append(spread((3 / inputs) ** 0.5, len(params), shape, dtype).requires_grad_())
        params.append(torch.zeros(shape[0] if len(shape) == 4 else shape[1], dtype=dtype, requires_grad=True))
    w1, b1, w2, b2, w3, b3, w4, b4, w5, b5 = params

    def forward():
        a = F.max_pool2d(torch.relu(F.conv2d(x, w1, b1, padding=2)), 2)
        a = F.max_pool2d(torch.relu(F.conv2d(a, w2, b2)), 2).flatten(1)
        a = torch.relu(torch.addmm(b3, a, w3))
        return torch.addmm(b5, torch.relu(torch.addmm(b4, a, w4)), w5)

    def step():
        step.loss = F.cross_entropy(forward(), labels)
        descend(params, step.loss, 0.01)

    step.check = lambda: step.loss.item()
    return forward if name.endswith("forward") else step


def unet(dtype):
    """W5-unet-b16: the segmentation example's U-Net on 16 images of 64 x 64."""
    x, labels = spread(1, 9, (16, 1, 64, 64), dtype), (torch.arange(16 * 64 * 64) % 11).reshape(16, 64, 64)
    params = []

    def weight(*shape):
        params.append((torch.randn(*shape, dtype=dtype) / math.prod(shape[1:]) ** 0.5).requires_grad_())
        return params[-1]

    def constant(size, value):
        params.append(torch.full((size,), value, dtype=dtype, requires_grad=True))
        return params[-1]

    def block(widths):
        layers = [(weight(o, i, 3, 3), constant(o, 1.0), constant(o, 0.0), torch.zeros(o, dtype=dtype), torch.ones(o, dtype=dtype)) for i, o in zip(widths, widths[1:])]

        def forward(a):
            for w, scale, shift, mean, variance in layers:
                a = torch.relu(F.batch_norm(F.conv2d(a, w, padding=1), mean, variance, scale, shift, training=True))
            return a

        return forward

    fine, middle, coarse = block([1, 16]), block([16, 32, 32]), block([32, 64, 64, 64])
    middle_back, fine_back = block([64, 32]), block([32, 16])
    up1, b1, up2, b2 = weight(64, 32, 2, 2), constant(32, 0.0), weight(32, 16, 2, 2), constant(16, 0.0)
    out, bias = weight(11, 16, 1, 1), constant(11, 0.0)

    def step():
        f = fine(x)
        m = middle(F.max_pool2d(f, 2))
        c = coarse(F.max_pool2d(m, 2))
        m = middle_back(torch.cat([m, F.conv_transpose2d(c, up1, b1, stride=2)], 1))
        f = fine_back(torch.cat([f, F.conv_transpose2d(m, up2, b2, stride=2)], 1))
        descend(params, F.cross_entropy(F.conv2d(f, out, bias), labels), 0.01)

    return step


def image_operation(name, dtype):
    """W5: an operation on 32 images of 32 x 32, forward and backward."""
    operation, channels = name.rsplit("-", 1)
    c = int(channels)
    x = spread(1, 1, (32, c, 32, 32), dtype).requires_grad_()
    inputs = [x]
    if operation in ("conv", "depthwise"):
        groups = c if operation == "depthwise" else 1
        w = spread((groups / (3 * c)) ** 0.5, 2, (c, c // groups, 3, 3), dtype).requires_grad_()
        inputs.append(w)
        forward = lambda: F.conv2d(x, w, padding=1, groups=groups)
    elif operation == "batchnorm":
        w = spread(1, 2, (c,), dtype).requires_grad_()
        inputs.append(w)
        forward = lambda: F.batch_norm(x, None, None, w, w, training=True)
    else:
        pool = {"maxpool": F.max_pool2d, "avgpool": F.avg_pool2d}[operation]
        forward = lambda: pool(x, 2)
    seed = spread(1, 3, tuple(forward().shape), dtype)

    def step():
        step.grads = torch.autograd.grad(forward(), inputs, seed)

    step.check = lambda: sum((g.double() ** 2).sum().item() for g in step.grads)
    return step


def image(name, dtype):
    """W5: LeNet or an operation."""
    if name == "unet-b16":
        return unet(dtype)
    return (lenet if name.startswith("lenet") else image_operation)(name, dtype)


def recurrent(name, dtype):
    """W6: an LSTM or GRU on 32 sequences of 32 steps, forward and backward; a
    name that ends with forward has no more than the outputs."""
    kind, _, forward = name.partition("-")
    network, columns = {"lstm": (torch.nn.LSTM, 512), "gru": (torch.nn.GRU, 384)}[kind]
    network = network(64, 128, batch_first=True, dtype=dtype)
    with torch.no_grad():
        for i, shape in enumerate([(64, columns), (128, columns), (columns,), (columns,)]):
            weight = spread(128**-0.5, 2 + i, shape, dtype)
            list(network.parameters())[i].copy_(weight.t() if i < 2 else weight)
    x = spread(1, 1, (32, 32, 64), dtype)
    if forward:
        return torch.no_grad()(lambda: network(x))
    inputs = [x.requires_grad_(), *network.parameters()]
    seed = spread(1, 6, (32, 32, 128), dtype)

    def step():
        step.grads = torch.autograd.grad(network(x)[0], inputs, seed)

    step.check = lambda: sum((g.double() ** 2).sum().item() for g in step.grads)
    return step


class Spread:
    """Makes parameters as Nabla's W8 does: the matrices by their inputs, the
    nth with seed n, norms of ones and zeros, and biases of zeros."""

    def __init__(self, dtype):
        self.dtype, self.params, self.matrices = dtype, [], 0

    def matrix(self, rows, columns):
        self.matrices += 1
        return self.keep(spread((3 / rows) ** 0.5, self.matrices - 1, (rows, columns), self.dtype))

    def vector(self, n, value=0.0):
        return self.keep(torch.full((n,), value, dtype=self.dtype))

    def keep(self, t):
        self.params.append(t.requires_grad_())
        return t

    def block(self, width, inner):
        return [
            self.matrix(width, 3 * width), self.vector(3 * width), self.matrix(width, width), self.vector(width),
            self.matrix(width, inner), self.vector(inner), self.matrix(inner, width), self.vector(width),
            self.vector(width, 1.0), self.vector(width), self.vector(width, 1.0), self.vector(width),
        ]


def block(name, dtype):
    """W8-block: a transformer block that normalizes first, on 8 sequences of 64
    steps, as nn.TransformerEncoderLayer computes it, but with matrices that
    need no transposing."""
    batch, steps, width, heads = 8, 64, 128, 4
    make = Spread(dtype)
    wi, bi, wo, bo, w1, b1, w2, b2, s1, h1, s2, h2 = make.block(width, 4 * width)
    x = spread(1, 100, (batch * steps, width), dtype).requires_grad_()
    seed = spread(1, 101, (batch * steps, width), dtype)
    activation = F.gelu if name.endswith("gelu") else F.relu

    def forward():
        qkv = torch.addmm(bi, F.layer_norm(x, (width,), s1, h1), wi)
        q, k, v = qkv.view(batch, steps, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(batch * steps, width)
        a = x + torch.addmm(bo, y, wo)
        return a + torch.addmm(b2, activation(torch.addmm(b1, F.layer_norm(a, (width,), s2, h2), w1)), w2)

    inputs = [x, *make.params]

    def step():
        step.grads = torch.autograd.grad(forward(), inputs, seed)

    step.check = lambda: sum((g.double() ** 2).sum().item() for g in step.grads)
    return step


def long_attention(dtype):
    """W8-attention-4096: the operation alone, in four heads of width 32."""
    inputs = [spread(1, i, (1, 4, 4096, 32), dtype).requires_grad_() for i in range(3)]
    seed = spread(1, 3, (1, 4, 4096, 32), dtype)

    def step():
        step.grads = torch.autograd.grad(F.scaled_dot_product_attention(*inputs), inputs, seed)

    step.check = lambda: sum((g.double() ** 2).sum().item() for g in step.grads)
    return step


def token(dtype):
    """W8-token: the 256th character by a GPT whose cache has those before it."""
    width, heads, context, alphabet, blocks = 128, 4, 256, 96, 4
    make = Spread(dtype)
    table, positions = make.matrix(alphabet, width), make.matrix(context, width)
    layers = [make.block(width, 4 * width) for _ in range(blocks)]
    scale, shift, head, bias = make.vector(width, 1.0), make.vector(width), make.matrix(width, alphabet), make.vector(alphabet)
    caches = [torch.zeros(2, 1, heads, context, width // heads, dtype=dtype) for _ in layers]

    @torch.inference_mode()
    def read(ids, first):
        n = len(ids)
        x = table[ids] + positions[first : first + n]
        for (wi, bi, wo, bo, w1, b1, w2, b2, s1, h1, s2, h2), cache in zip(layers, caches):
            qkv = torch.addmm(bi, F.layer_norm(x, (width,), s1, h1), wi)
            q, k, v = qkv.view(1, n, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
            cache[0, :, :, first : first + n] = k
            cache[1, :, :, first : first + n] = v
            y = F.scaled_dot_product_attention(q, cache[0, :, :, : first + n], cache[1, :, :, : first + n], is_causal=n > 1)
            x = x + torch.addmm(bo, y.transpose(1, 2).reshape(n, width), wo)
            x = x + torch.addmm(b2, F.gelu(torch.addmm(b1, F.layer_norm(x, (width,), s2, h2), w1)), w2)
        return torch.addmm(bias, F.layer_norm(x, (width,), scale, shift), head)

    with torch.inference_mode():
        read(torch.arange(context - 1) % alphabet, 0)
    one = torch.tensor([7])

    def step():
        step.logits = read(one, context - 1)

    step.check = lambda: (step.logits.double() ** 2).sum().item()
    return step


def transformer(name, dtype):
    """W8: a block, long attention, or a token."""
    if name == "attention-4096":
        return long_attention(dtype)
    return token(dtype) if name == "token" else block(name, dtype)


def elementwise(name, dtype):
    """W7: an operation on a million elements."""
    x, y = torch.randn(1000, 1000, dtype=dtype), torch.randn(1000, 1000, dtype=dtype)
    inside = torch.rand(1000, 1000, dtype=dtype) * 2 - 1
    operations = {
        "exp": lambda: torch.exp(x),
        "tanh": lambda: torch.tanh(x),
        "sigmoid": lambda: torch.sigmoid(x),
        "add": lambda: torch.add(x, y),
        "mul": lambda: torch.mul(x, y),
        "relu": lambda: torch.relu(x),
        "sum": lambda: torch.sum(x),
        "gelu": lambda: F.gelu(x),
        "asin": lambda: torch.asin(inside),
        "softmax": lambda: torch.softmax(x, 1),
    }
    return operations[name]


def embedding(name, dtype):
    """W9: 1,024 rows of a table, and a step of Adam: by sparse gradients and
    SparseAdam or, as a name that ends with dense says, by the whole table."""
    _, words, *dense = name.split("-")
    table = torch.nn.Parameter(spread(1, 1, (int(words), 256), dtype))
    ids = torch.tensor([(i - i % 8 // 7) * 7919 % int(words) for i in range(1024)])
    seed = spread(1, 2, (1024, 256), dtype)
    optimizer = (torch.optim.Adam if dense else torch.optim.SparseAdam)([table], lr=0.001, eps=1e-30)

    def step():
        optimizer.zero_grad()
        F.embedding(ids, table, sparse=not dense).backward(seed)
        optimizer.step()

    step.check = lambda: (table.detach()[ids].double() ** 2).sum().item()
    return step


def prepare(workload, dtype):
    """Returns one step of a workload."""
    torch.manual_seed(1)
    if workload == "W1-scalar":
        return scalar(dtype)
    if workload == "W2":
        return tiny(dtype)
    family, name = workload.split("-", 1)
    return {"W3": network, "W4": product, "W5": image, "W6": recurrent, "W7": elementwise, "W8": transformer, "W9": embedding}[family](name, dtype)


def seconds(step, steps):
    start = time.perf_counter()
    for _ in range(steps):
        step()
    return time.perf_counter() - start


def most_resident():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main():
    print(json.dumps({"version": f"PyTorch {torch.__version__}, Python {sys.version.split()[0]}"}), flush=True)
    prepared, step, before = None, None, most_resident()
    for line in sys.stdin:
        request = json.loads(line)
        wanted = request["workload"], request["precision"]
        if wanted != prepared:
            prepared, step = wanted, prepare(wanted[0], {32: torch.float32, 64: torch.float64}[wanted[1]])
        torch.set_num_threads(request["threads"])
        took = seconds(step, request["steps"])
        result = step.check() if hasattr(step, "check") else 0.0
        print(json.dumps({"seconds": took, "loss": result, "peak": most_resident() - before}), flush=True)


main()
