"""Writes functions.json: values and derivatives of elementwise functions, computed with mpmath to 60 digits."""

import json

from mpmath import mp, mpf, inf
import mpmath as m

mp.dps = 60


def phi(x):
    return m.erfc(-x / m.sqrt(2)) / 2


def softplus(x):
    return m.log(1 + m.exp(x))


def sigmoid(x):
    return 1 / (1 + m.exp(-x))


def sinc(x, n):
    """The derivative of order n of sin(πx)/(πx)."""
    u = m.pi * x
    y = m.sin(u) / u
    for k in range(1, int(n) + 1):
        y = (m.sin(u + k * m.pi / 2) - k * y) / u
    return y * m.pi**n


SCALE = mpf("1.0507009873554804934193349852946")
ALPHA = mpf("1.6732632423543772848170429916717")

everywhere = [-1000, -700.5, -100, -40, -25, -19, -10, -3.5, -1, -0.5, -0.0078125, -1e-10, 1e-10, 0.0078125, 0.5, 1, 2.75, 10, 19, 25, 40, 100, 700.5, 1000]
small = [x for x in everywhere if abs(x) <= 40]
positive = [1e-300, 1e-10, 0.0078125, 0.5, 0.75, 0.9999999, 1.0000001, 1.5, 2, 3, 10, 1000, 1e10, 1e300]
unit = [-0.9999999999, -0.99, -0.5, -0.0078125, -1e-10, 1e-10, 0.0078125, 0.25, 0.5, 0.75, 0.99, 0.9999999999]
probabilities = [1e-300, 1e-10, 0.0078125, 0.2, 0.25, 0.4, 0.4999999, 0.5000001, 0.6, 0.75, 0.9, 0.9999999999]
gamma = [-1000.5, -20.0000001, -9.9999999, -3.25, -0.5, -0.0078125, -1e-10, 1e-10, 0.0078125, 0.5, 0.75, 2.5, 3, 10, 30.5, 1000, 1e6]
order = [-1000.375, -20.25, -3.25, -0.9990234375, -0.375, -0.0078125, 0.0078125, 0.5, 1, 2.5, 3, 10, 30.5, 100, 1000, 1e6]

table = {
    "PowScalar": (m.power, positive, [-2.5, -1, 0.5, 3, 0.1]),
    "Square": (lambda x: x * x, everywhere, None),
    "Sqrt": (m.sqrt, positive, None),
    "Rsqrt": (lambda x: 1 / m.sqrt(x), positive, None),
    "Reciprocal": (lambda x: 1 / x, everywhere, None),
    "Exp": (m.exp, everywhere, None),
    "Expm1": (m.expm1, everywhere, None),
    "Log": (m.log, positive, None),
    "Log1p": (m.log1p, unit + [2, 1000, 1e10], None),
    "Log2": (lambda x: m.log(x) / m.log(2), positive, None),
    "Log10": (lambda x: m.log(x) / m.log(10), positive, None),
    "Sin": (m.sin, everywhere, None),
    "Cos": (m.cos, everywhere, None),
    "Tan": (m.tan, everywhere, None),
    "Asin": (m.asin, unit, None),
    "Acos": (m.acos, unit, None),
    "Atan": (m.atan, everywhere, None),
    "Sinh": (m.sinh, [x for x in everywhere if abs(x) < 1000] + [710, -710], None),
    "Cosh": (m.cosh, [x for x in everywhere if abs(x) < 1000] + [710, -710], None),
    "Tanh": (m.tanh, everywhere, None),
    "Asinh": (m.asinh, everywhere, None),
    "Acosh": (m.acosh, [1.0078125, 1.5, 2, 3, 10, 1000, 1e10], None),
    "Atanh": (m.atanh, unit, None),
    "Erf": (m.erf, small, None),
    "Erfc": (m.erfc, small, None),
    "ErfInv": (lambda x: m.findroot(lambda y: m.erf(y) - x, m.erfinv(mpf(float(x)))), [x for x in unit], None),
    "Logit": (lambda x: m.log(x / (1 - x)), probabilities, None),
    "Cbrt": (lambda x: m.sign(x) * m.cbrt(abs(x)), everywhere, None),
    "Sinc": (sinc, [x for x in small if x % 1], [0, 1, 2, 3, 6]),
    "Lgamma": (lambda x: m.log(abs(m.gamma(x))), gamma, None),
    "Digamma": (m.digamma, gamma, None),
    "Polygamma": (lambda x, n: m.polygamma(int(n), x), order, [0, 1, 2, 3, 7, 30]),
    "ELU": (lambda x, a: x if x > 0 else a * m.expm1(x), everywhere, [1, 0.3]),
    "SELU": (lambda x: SCALE * (x if x > 0 else ALPHA * m.expm1(x)), everywhere, None),
    "CELU": (lambda x, a: x if x > 0 else a * m.expm1(x / a), everywhere, [1, 0.3]),
    "GELU": (lambda x: x * phi(x), everywhere, None),
    "GELUTanh": (lambda x: x * sigmoid(2 * m.sqrt(2 / m.pi) * (x + mpf(0.044715) * x**3)), everywhere, None),
    "SiLU": (lambda x: x * sigmoid(x), everywhere, None),
    "Mish": (lambda x: x * m.tanh(softplus(x)), everywhere, None),
    "Softplus": (lambda x, a: softplus(a * x) / a, everywhere, [1, 0.3, -2]),
    "Softsign": (lambda x: x / (1 + abs(x)), everywhere, None),
    "Sigmoid": (sigmoid, everywhere, None),
    "LogSigmoid": (lambda x: -softplus(-x), everywhere, None),
}


def derivative(f, x):
    """A central difference at 1400 digits, good to more than 100 of them."""
    with mp.workdps(1400):
        x = mpf(x)
        h = abs(x) * mpf(10) ** -60
        return (f(x + h) - f(x - h)) / (2 * h)


def rounded(x):
    return float(x) if abs(x) < mpf(2) ** 1024 else (1e999 if x > 0 else -1e999)


def rows():
    for name, (f, points, constants) in table.items():
        for a in constants or [0]:
            for x in points:
                g = (lambda t: f(t, mpf(a))) if constants else f
                with mp.workdps(1000):
                    y = g(mpf(x))
                d = m.polygamma(int(a) + 1, mpf(x)) if name == "Polygamma" else derivative(g, x)
                yield {"function": name, "x": x, "a": a, "y": repr(rounded(y)), "dydx": repr(rounded(d))}


with open("functions.json", "w") as out:
    out.write("[\n" + ",\n".join(json.dumps(r) for r in rows()) + "\n]\n")
