"""Measures the workloads in JAX.

The protocol is that of torch.py. Each step is a function compiled by jax.jit,
called once per step, and waited for. The peer "jax-loop" compiles all steps of
a request as one loop instead (jax.lax.fori_loop), with the parameters as its
state: what is left of the time when Python is not asked between steps.

XLA takes its threads from the processors that it may run on when it starts, so
each number of threads is a process of its own, forked before JAX is imported.
The first argument is "step" or "loop".
"""

import importlib.metadata
import json
import math
import os
import sys
import time
import traceback


def load(threads):
    """Imports JAX for a number of threads."""
    global jax, jnp, lax, np
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    os.environ["JAX_PLATFORMS"] = "cpu"
    if threads == 1:
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    import jax
    import jax.numpy as jnp
    import numpy as np
    from jax import lax

    jax.config.update("jax_enable_x64", True)


def spread(bound, seed, shape, dtype):
    """Numbers between -bound and bound, the same as Nabla's."""
    i = np.arange(math.prod(shape))
    return jnp.asarray((bound * (((i * 7919 + seed * 104729) % 1009) / 504.5 - 1)).reshape(shape), dtype)


def normal(rng, *shape, dtype):
    return jnp.asarray(rng.standard_normal(shape), dtype)


def cross_entropy(logits, labels):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], 1))


def descent(loss, rate):
    """A step of gradient descent: parameters to parameters and loss."""

    def step(params):
        value, grads = jax.value_and_grad(loss)(params)
        return jax.tree.map(lambda p, g: p - rate * g, params, grads), value

    return step


def dense_network(widths, rows, loss_of, rate, dtype):
    rng = np.random.default_rng(1)
    x = normal(rng, rows, widths[0], dtype=dtype)
    params = []
    for width, units in zip(widths, widths[1:]):
        params.append((normal(rng, width, units, dtype=dtype) / width**0.5, jnp.zeros(units, dtype)))

    def loss(params):
        a = x
        for weight, bias in params[:-1]:
            a = jax.nn.relu(a @ weight + bias)
        weight, bias = params[-1]
        return loss_of(a @ weight + bias)

    return descent(loss, rate), params


def tiny(dtype):
    """W2."""
    target = normal(np.random.default_rng(2), 24, 1, dtype=dtype)
    return dense_network([2, 3, 1], 24, lambda y: jnp.mean((y - target) ** 2), 0.01, dtype)


def network(name, dtype):
    """W3."""
    *widths, batch = name.split("-")
    widths, batch = [int(w) for w in widths], int(batch[1:])
    labels = jnp.asarray(np.random.default_rng(2).integers(0, widths[-1], batch))
    return dense_network(widths, batch, lambda y: cross_entropy(y, labels), 0.001, dtype)


def max_pool(x):
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")


def lenet(name, dtype):
    """W5-lenet-b32."""
    x, labels = spread(1, 100, (32, 1, 28, 28), dtype), jnp.arange(32) % 10
    params = []
    for shape, inputs in [((6, 1, 5, 5), 25), ((16, 6, 5, 5), 150), ((400, 120), 400), ((120, 84), 120), ((84, 10), 84)]:
        weight = spread((3 / inputs) ** 0.5, 2 * len(params), shape, dtype)
        params.append((weight, jnp.zeros(shape[0] if len(shape) == 4 else shape[1], dtype)))

    def forward(params):
        (w1, b1), (w2, b2), *dense = params
        a = max_pool(jax.nn.relu(lax.conv(x, w1, (1, 1), [(2, 2), (2, 2)]) + b1[:, None, None]))
        a = max_pool(jax.nn.relu(lax.conv(a, w2, (1, 1), "VALID") + b2[:, None, None])).reshape(32, -1)
        for weight, bias in dense[:-1]:
            a = jax.nn.relu(a @ weight + bias)
        return a @ dense[-1][0] + dense[-1][1]

    if name.endswith("forward"):
        return lambda params: (params, forward(params)), params
    return descent(lambda params: cross_entropy(forward(params), labels), 0.01), params


def image_operation(name, dtype):
    """W5: an operation on 32 images of 32 x 32, forward and backward. The state
    is the operation's inputs and the gradient of its result: XLA computes what
    follows from constants when it compiles."""
    operation, channels = name.rsplit("-", 1)
    c = int(channels)
    inputs = [spread(1, 1, (32, c, 32, 32), dtype)]
    if operation in ("conv", "depthwise"):
        groups = c if operation == "depthwise" else 1
        inputs.append(spread((groups / (3 * c)) ** 0.5, 2, (c, c // groups, 3, 3), dtype))

        def forward(x, w):
            return lax.conv_general_dilated(x, w, (1, 1), [(1, 1), (1, 1)], feature_group_count=groups)

    elif operation == "batchnorm":
        inputs.append(spread(1, 2, (c,), dtype))

        def forward(x, w):
            mean, variance = jnp.mean(x, (0, 2, 3), keepdims=True), jnp.var(x, (0, 2, 3), keepdims=True)
            return (x - mean) * lax.rsqrt(variance + 1e-5) * w[:, None, None] + w[:, None, None]

    elif operation == "maxpool":
        forward = max_pool
    else:

        def forward(x):
            return lax.reduce_window(x, 0.0, lax.add, (1, 1, 2, 2), (1, 1, 2, 2), "VALID") / 4

    seed = spread(1, 3, jax.eval_shape(forward, *inputs).shape, dtype)

    def step(state):
        y, pull = jax.vjp(forward, *state[0])
        return state, (y, pull(state[1]))

    return step, (inputs, seed)


def lstm(x, w_ih, w_hh, b_ih, b_hh):
    def step(state, z):
        h, c = state
        i, f, g, o = jnp.split(z + h @ w_hh, 4, axis=1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    z = jnp.swapaxes(x @ w_ih + (b_ih + b_hh), 0, 1)
    zeros = jnp.zeros((x.shape[0], w_hh.shape[0]), x.dtype)
    return jnp.swapaxes(lax.scan(step, (zeros, zeros), z)[1], 0, 1)


def gru(x, w_ih, w_hh, b_ih, b_hh):
    def step(h, p):
        (pr, pz, pn), (qr, qz, qn) = jnp.split(p, 3, axis=1), jnp.split(h @ w_hh + b_hh, 3, axis=1)
        r, z = jax.nn.sigmoid(pr + qr), jax.nn.sigmoid(pz + qz)
        n = jnp.tanh(pn + r * qn)
        h = n + z * (h - n)
        return h, h

    p = jnp.swapaxes(x @ w_ih + b_ih, 0, 1)
    return jnp.swapaxes(lax.scan(step, jnp.zeros((x.shape[0], w_hh.shape[0]), x.dtype), p)[1], 0, 1)


def recurrent(name, dtype):
    """W6: an LSTM or GRU on 32 sequences of 32 steps: one product for all
    inputs, and a scan of the steps."""
    kind, _, alone = name.partition("-")
    network, columns = {"lstm": (lstm, 512), "gru": (gru, 384)}[kind]
    inputs = [spread(1, 1, (32, 32, 64), dtype)]
    inputs += [spread(128**-0.5, 2 + i, shape, dtype) for i, shape in enumerate([(64, columns), (128, columns), (columns,), (columns,)])]
    seed = spread(1, 6, (32, 32, 128), dtype)
    if alone:
        return lambda state: (state, network(*state)), inputs

    def step(state):
        y, pull = jax.vjp(network, *state[0])
        return state, (y, pull(state[1]))

    return step, (inputs, seed)


def block(name, dtype):
    """W8-block: a transformer block, forward and backward."""
    batch, steps, width, heads = 8, 64, 128, 4
    shapes = [(width, 3 * width), (width, width), (width, 4 * width), (4 * width, width)]
    matrices = [spread((3 / s[0]) ** 0.5, i, s, dtype) for i, s in enumerate(shapes)]
    params = [(w, jnp.zeros(w.shape[1], dtype)) for w in matrices]
    norms = [(jnp.ones(width, dtype), jnp.zeros(width, dtype)) for _ in range(2)]

    def normalized(x, scale, shift):
        mean, variance = jnp.mean(x, -1, keepdims=True), jnp.var(x, -1, keepdims=True)
        return (x - mean) * lax.rsqrt(variance + 1e-5) * scale + shift

    def activation(x):
        return jax.nn.gelu(x, approximate=False) if name.endswith("gelu") else jax.nn.relu(x)

    def forward(x, params, norms):
        (wi, bi), (wo, bo), (w1, b1), (w2, b2) = params
        qkv = (normalized(x, *norms[0]) @ wi + bi).reshape(batch, steps, 3, heads, width // heads)
        y = jax.nn.dot_product_attention(qkv[:, :, 0], qkv[:, :, 1], qkv[:, :, 2])
        a = x + y.reshape(batch * steps, width) @ wo + bo
        return a + activation(normalized(a, *norms[1]) @ w1 + b1) @ w2 + b2

    x, seed = spread(1, 100, (batch * steps, width), dtype), spread(1, 101, (batch * steps, width), dtype)

    def step(state):
        y, pull = jax.vjp(forward, *state[0])
        return state, (y, tuple(jax.tree.leaves(pull(state[1]))))

    return step, ((x, params, norms), seed)


def embedding(name, dtype):
    """W9: 1,024 rows of a table, and a step of Adam with the whole table. The
    state is the table, what Adam remembers, and the gradient of the rows."""
    words = int(name.split("-")[1])
    ids = jnp.asarray([(i - i % 8 // 7) * 7919 % words for i in range(1024)])
    table = spread(1, 1, (words, 256), dtype)

    def step(state):
        table, m, v, count, seed = state
        _, pull = jax.vjp(lambda t: t[ids], table)
        (g,) = pull(seed)
        count = count + 1
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        table = table - 0.001 / (1 - 0.9**count) * m / (jnp.sqrt(v / (1 - 0.999**count)) + 1e-30)
        return (table, m, v, count, seed), jnp.sum(table[ids].astype(jnp.float64) ** 2)

    return step, (table, jnp.zeros_like(table), jnp.zeros_like(table), jnp.zeros((), dtype), spread(1, 2, (1024, 256), dtype))


def prepare(workload, dtype):
    """Returns a step, from a state to the next and a result, and the state."""
    if workload == "W2":
        return tiny(dtype)
    family, name = workload.split("-", 1)
    if family == "W5":
        return (lenet if name.startswith("lenet") else image_operation)(name, dtype)
    return {"W3": network, "W6": recurrent, "W8": block, "W9": embedding}[family](name, dtype)


def check(result):
    """The loss, or the sum of the squares of an operation's gradients."""
    if isinstance(result, tuple):
        return sum(float(jnp.sum(g.astype(jnp.float64) ** 2)) for g in result[1])
    return float(result) if result.ndim == 0 else 0.0


class PerStep:
    """A compiled step, called again and again."""

    def __init__(self, step, state):
        self.step, self.state, self.result = jax.jit(step), state, None

    def seconds(self, steps):
        start = time.perf_counter()
        for _ in range(steps):
            self.state, self.result = self.step(self.state)
        jax.block_until_ready((self.state, self.result))
        return time.perf_counter() - start


class Loop:
    """All steps compiled as one loop. The result of a step is carried along, so
    that it must be computed."""

    def __init__(self, step, state):
        self.state, self.result = state, jax.tree.map(lambda a: jnp.zeros(a.shape, a.dtype), jax.eval_shape(step, state)[1])
        self.run = jax.jit(lambda steps, carry: lax.fori_loop(0, steps, lambda _, c: step(c[0]), carry))
        jax.block_until_ready(self.run(0, (self.state, self.result)))  # compiles

    def seconds(self, steps):
        start = time.perf_counter()
        self.state, self.result = jax.block_until_ready(self.run(steps, (self.state, self.result)))
        return time.perf_counter() - start


def serve(threads, requests, replies):
    load(threads)
    form = {"step": PerStep, "loop": Loop}[sys.argv[1]]
    prepared, runner = None, None
    for line in requests:
        request = json.loads(line)
        wanted = request["workload"], request["precision"]
        if wanted != prepared:
            dtype = {32: jnp.float32, 64: jnp.float64}[wanted[1]]
            prepared, runner = wanted, form(*prepare(wanted[0], dtype))
        seconds = runner.seconds(request["steps"])
        print(json.dumps({"seconds": seconds, "loss": check(runner.result)}), file=replies, flush=True)


def fork(threads):
    """Returns where to write requests to a new process, and to read replies."""
    (requests, ask), (answers, replies) = os.pipe(), os.pipe()
    if os.fork() == 0:
        os.close(ask)
        os.close(answers)
        try:
            serve(threads, os.fdopen(requests), os.fdopen(replies, "w"))
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(0)
    os.close(requests)
    os.close(replies)
    return os.fdopen(ask, "w"), os.fdopen(answers)


def main():
    version = importlib.metadata.version("jax")
    print(json.dumps({"version": f"JAX {version}, Python {sys.version.split()[0]}"}), flush=True)
    processes = {}
    for line in sys.stdin:
        threads = json.loads(line)["threads"]
        if threads not in processes:
            processes[threads] = fork(threads)
        ask, answers = processes[threads]
        print(line, end="", file=ask, flush=True)
        print(answers.readline().strip() or json.dumps({"error": "JAX ended"}), flush=True)


main()
