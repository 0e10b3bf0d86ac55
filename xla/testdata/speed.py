"""Times of the networks of speed_test.go in JAX, as JSON: milliseconds of a
step of training under jax.jit, with donated state, and seconds to compile it.
"""

import json
import time

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

rng = np.random.default_rng(0)


def normal(*shape):
    return jnp.asarray(rng.normal(0, 0.05, shape), jnp.float32)


def cross_entropy(logits, labels):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], 1))


def dense(p, x):
    return x @ p[0] + p[1]


def dense_network(p, x):
    return dense(p[2], jax.nn.relu(dense(p[1], jax.nn.relu(dense(p[0], x)))))


def conv(p, x, padding):
    y = lax.conv_general_dilated(x, p[0], (1, 1), padding, dimension_numbers=("NCHW", "OIHW", "NCHW"))
    return y + p[1][None, :, None, None]


def pool(x):
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")


def lenet(p, x):
    x = pool(jax.nn.relu(conv(p[0], x, "SAME")))
    x = pool(jax.nn.relu(conv(p[1], x, "VALID")))
    return dense_network(p[2:], x.reshape(x.shape[0], -1))


def lstm(p, x):
    w, u, b = p[0]

    def step(state, x):
        h, c = state
        i, f, g, o = jnp.split(x + h @ u, 4, 1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), None

    zero = jnp.zeros((x.shape[0], 128), jnp.float32)
    (h, _), _ = lax.scan(step, (zero, zero), jnp.swapaxes(x @ w + b, 0, 1))
    return dense(p[1], h)


def norm(p, x):
    d = x - jnp.mean(x, -1, keepdims=True)
    return d * lax.rsqrt(jnp.mean(d * d, -1, keepdims=True) + 1e-5) * p[0] + p[1]


def transformer(p, x):
    batch, steps, width = x.shape
    q, k, v = jnp.split(dense(p[1], norm(p[0], x)), 3, 2)
    q, k, v = (z.reshape(batch, steps, 4, width // 4).swapaxes(1, 2) for z in (q, k, v))
    a = jax.nn.softmax(q @ k.swapaxes(2, 3) / np.sqrt(width // 4))
    x = x + dense(p[2], (a @ v).swapaxes(1, 2).reshape(batch, steps, width))
    x = x + dense(p[5], jax.nn.relu(dense(p[4], norm(p[3], x))))
    return dense(p[6], x[:, -1])


def layer(inputs, outputs):
    return (normal(inputs, outputs), jnp.zeros(outputs, jnp.float32))


def scale(width):
    return (jnp.ones(width, jnp.float32), jnp.zeros(width, jnp.float32))


networks = {
    "dense": (dense_network, [layer(784, 512), layer(512, 512), layer(512, 10)], normal(128, 784), "sgd"),
    "LeNet": (
        lenet,
        [(normal(6, 1, 5, 5), jnp.zeros(6)), (normal(16, 6, 5, 5), jnp.zeros(16)), layer(400, 120), layer(120, 84), layer(84, 10)],
        normal(32, 1, 28, 28),
        "adam",
    ),
    "LSTM": (lstm, [(normal(64, 512), normal(128, 512), jnp.zeros(512)), layer(128, 10)], normal(32, 16, 64), "adam"),
    "transformer": (
        transformer,
        [scale(128), layer(128, 384), layer(128, 128), scale(128), layer(128, 512), layer(512, 128), layer(128, 10)],
        normal(8, 64, 128),
        "adamw",
    ),
}


def train_step(network, optimizer):
    def step(p, m, v, t, x, labels):
        loss, grads = jax.value_and_grad(lambda p: cross_entropy(network(p, x), labels))(p)
        if optimizer == "sgd":
            return loss, jax.tree.map(lambda w, g: w - 0.01 * g, p, grads), m, v, t + 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, grads)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, grads)
        keep = 1 - 0.001 * 0.01 if optimizer == "adamw" else 1.0
        rate, root = 0.001 / (1 - 0.9**t), jnp.sqrt(1 - 0.999**t)
        p = jax.tree.map(lambda w, m, v: w * keep - rate * m / (jnp.sqrt(v) / root + 1e-8), p, m, v)
        return loss, p, m, v, t + 1

    return jax.jit(step, donate_argnums=(0, 1, 2))


times = {}
for name, (network, params, x, optimizer) in networks.items():
    x, labels = np.asarray(x), rng.integers(0, 10, x.shape[0]).astype(np.int32)
    zeros = jax.tree.map(jnp.zeros_like, params)
    state = [params, zeros, jax.tree.map(jnp.zeros_like, params), jnp.float32(1)]
    jitted = train_step(network, optimizer)
    start = time.perf_counter()
    compiled = jitted.lower(*state, x, labels).compile()
    seconds = time.perf_counter() - start

    def step():
        global state
        loss, *state = compiled(*state, x, labels)
        return float(loss)  # as the others, with x copied and the loss read

    step()
    start = time.perf_counter()
    step()
    steps = max(1, int(0.05 / max(time.perf_counter() - start, 1e-6)))
    best = np.inf
    for _ in range(20):
        start = time.perf_counter()
        for _ in range(steps):
            step()
        best = min(best, (time.perf_counter() - start) / steps)
    times[name] = {"Step": best * 1e3, "Compile": seconds}

print(json.dumps(times))
