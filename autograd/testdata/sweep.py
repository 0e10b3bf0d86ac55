"""Writes sweep.txt: the true derivatives of every elementwise operation.

    pip install mpmath
    python3 sweep.py > sweep.txt

A line is

    name, constants: x fx fxx                         for one argument
    name: x y fx fy fxx fxy fyy                       for two

The points are numbers in hexadecimal, exact in float32 where its range has
them, over all magnitudes of float64. The value and the derivatives are
decimal numbers of 18 digits, whose exponents go beyond float64, so that the
product of a derivative and an incoming gradient is known even where the
derivative alone has left the range. They are computed with 60 digits from
formulas that do not cancel. What is below 10^-1300 is written as 0, what is
above 10^1300 as Inf: no incoming gradient brings those back.
"""

from mpmath import mp, mpf, pi, sqrt, exp, log, sin, cos, tan, sinh, cosh, erfc, psi, sign
import mpmath

mp.dps = 60


def rounded(v, bits=11):
    """v with few bits, so that it is short in hexadecimal and exact in float32."""
    m, e = mpmath.frexp(mpf(v))
    return float(mpmath.ldexp(mpmath.nint(mpmath.ldexp(m, bits)), int(e) - bits))


TINY = [5e-324, 2.0**-1060, 2.0**-1022, 1e-300, 1e-200, 1e-160, 1e-100]
SINGLE = [2.0**-149, 1e-40, 2.0**-126, 1e-30, 1e-22, 1e-20, 1e-17, 1e-15, 1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 1e-3]
MIDDLE = [0.01, 0.1, 0.3, 0.5, 0.75, 1, 1.25, 2, 2.75, 4.5, 6.5, 10]
TAILS = [15, 19, 30, 40, 60, 87, 95, 102, 200, 350, 500, 690, 705, 730, 800]
LARGE = [1e3, 1e5, 1e8, 1e10, 1e15, 1e17, 1e19, 1e22, 1e30, 1e38]
HUGE = [1e100, 1e140, 1e154, 1e165, 1e200, 1e250, 1e300, 1.5e308]


def both(points):
    return [-p for p in points] + points


SMALL = [rounded(p) if p > 1e-310 else p for p in TINY + SINGLE]
CENTER = [rounded(p) for p in MIDDLE]
FAR = [rounded(p) for p in LARGE + HUGE]
POSITIVE = SMALL + CENTER + FAR
EVERYWHERE = both(POSITIVE)
BELL = both(SMALL + CENTER + [float(p) for p in TAILS])
UNIT = both(SMALL + [rounded(p) for p in [0.01, 0.1, 0.3, 0.5, 0.75, 0.9]] + [1 - 2.0**-k for k in (5, 10, 20, 30, 50)])
SOME = EVERYWHERE[1::3]  # for functions of which little can go wrong


def number(v):
    if v == 0:
        return "0"
    if mpmath.isnan(v):
        return "NaN"
    if mpmath.isinf(v):
        return "Inf" if v > 0 else "-Inf"
    size = mpmath.mag(v) * 0.30103
    if size < -1300:
        return "0"
    if size > 1300:
        return "Inf" if v > 0 else "-Inf"
    text = mpmath.nstr(v, 18, strip_zeros=True, min_fixed=-3, max_fixed=6)
    return text[:-2] if text.endswith(".0") else text.replace(".0e", "e")


def point(x):
    if x == int(x) and abs(x) < 1000:
        return str(int(x))
    text = float.hex(x)
    mantissa, exponent = text.split("p")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return mantissa + "p" + exponent


def unary(name, points, fx, fxx, constants=()):
    head = name + "".join(", %s" % point(float(c)) for c in constants)
    for x in points:
        v = mpf(x)
        print("%s: %s" % (head, " ".join([point(x)] + [number(mpf(g(v))) for g in (fx, fxx)])))


def binary(name, pairs, *functions):
    for x, y in pairs:
        print("%s: %s" % (name, " ".join([point(x), point(y)] + [number(mpf(g(mpf(x), mpf(y)))) for g in functions])))


zero, one = (lambda x: mpf(0)), (lambda x: mpf(1))
step = lambda below, above: lambda x: mpf(above(x) if x > 0 else below(x))

unary("neg", SOME, lambda x: -1, zero)
unary("mul scalar", SOME, lambda x: 2.5, zero, [2.5])
unary("add scalar", SOME, one, zero, [1])
unary("square", EVERYWHERE, lambda x: 2 * x, lambda x: 2)
unary("sqrt", POSITIVE, lambda x: 1 / (2 * sqrt(x)), lambda x: -1 / (4 * x * sqrt(x)))
unary("rsqrt", POSITIVE, lambda x: -1 / (2 * x * sqrt(x)), lambda x: 3 / (4 * x * x * sqrt(x)))
unary("reciprocal", EVERYWHERE, lambda x: -1 / x**2, lambda x: 2 / x**3)
unary("abs", SOME, lambda x: sign(x), zero)
for name in "floor", "ceil", "round", "trunc":
    unary(name, SOME, zero, zero)
for p in (-1, 1, 2, 3):
    unary("pow scalar", EVERYWHERE, lambda x: p * x ** (p - 1), lambda x: p * (p - 1) * x ** (p - 2), [p])
for p in (-2.5, 0.5, 1.5, 7.25, 40):
    p = mpf(p)
    unary("pow scalar", POSITIVE, lambda x: p * x ** (p - 1), lambda x: p * (p - 1) * x ** (p - 2), [p])


def s(x):
    return 1 / (1 + exp(-x))


def ds(x):
    return s(x) * s(-x)


def th(x):
    return mpmath.tanh(x)


def phi(x):
    return exp(-x * x / 2) / sqrt(2 * pi)


unary("relu", SOME, step(zero, one), zero)
unary("relu6", SOME, lambda x: 0 < x < 6, zero)
unary("leaky relu", SOME, step(lambda x: mpf(1) / 8, one), zero, [0.125])
unary("hard tanh", SOME, lambda x: -1 < x < 1, zero, [-1, 1])
unary("clamp", SOME, lambda x: -1 <= x <= 2, zero, [-1, 2])
unary("hard sigmoid", SOME, lambda x: (-3 < x < 3) / mpf(6), zero)
unary("hard swish", EVERYWHERE, lambda x: (2 * x + 3) / 6 if -3 < x < 3 else mpf(x > 0),
      lambda x: (-3 < x < 3) / mpf(3))
unary("elu", BELL, step(lambda x: exp(x) / 2, one), step(lambda x: exp(x) / 2, zero), [0.5])
alpha, lam = mpf("1.6732632423543772848170429916717"), mpf("1.0507009873554804934193349852946")
unary("selu", BELL, step(lambda x: lam * alpha * exp(x), lambda x: lam),
      step(lambda x: lam * alpha * exp(x), zero))
c = mpf(0.75)
unary("celu", BELL, step(lambda x: exp(x / c), one), step(lambda x: exp(x / c) / c, zero), [c])
unary("gelu", BELL, lambda x: erfc(-x / sqrt(2)) / 2 + x * phi(x), lambda x: phi(x) * (2 - x * x))


def gelu_tanh(x):
    k = 2 * sqrt(2 / pi)
    # 0.044715 is meant as the float64 nearest to it.
    q = mpf(0.044715)
    return k * x * (1 + q * x * x), k * (1 + 3 * q * x * x), k * 6 * q * x


def gelu_tanh1(x):
    u, du, _ = gelu_tanh(x)
    return s(u) + x * ds(u) * du


def gelu_tanh2(x):
    u, du, ddu = gelu_tanh(x)
    return ds(u) * (2 * du + x * ddu - x * du * du * th(u / 2))


unary("gelu tanh", BELL, gelu_tanh1, gelu_tanh2)
unary("silu", BELL, lambda x: s(x) + x * ds(x), lambda x: ds(x) * (2 - x * th(x / 2)))


def mish(x):
    e = exp(-x)
    # tanh(ln(1 + 1/e)) and its derivative
    return (1 + 2 * e) / (1 + 2 * e + 2 * e * e), 4 * e * e * (1 + e) / (1 + 2 * e + 2 * e * e) ** 2


def mish2(x):
    t, dt = mish(x)
    return dt * (2 + x * (s(-x) - 2 * t * s(x)))


unary("mish", BELL, lambda x: mish(x)[0] + x * mish(x)[1], mish2)
for b in (1, 2.5, -0.75):
    b = mpf(b)
    unary("softplus", BELL, lambda x: s(b * x), lambda x: b * ds(b * x), [b])
unary("hard shrink", SOME, lambda x: abs(x) > 0.5, zero, [0.5])
unary("log sigmoid", BELL, lambda x: s(-x), lambda x: -ds(x))
unary("sigmoid", BELL, ds, lambda x: -ds(x) * th(x / 2))
unary("softsign", EVERYWHERE, lambda x: 1 / (1 + abs(x)) ** 2, lambda x: -2 * sign(x) / (1 + abs(x)) ** 3)

unary("exp", BELL, exp, exp)
unary("expm1", BELL, exp, exp)
unary("log", POSITIVE, lambda x: 1 / x, lambda x: -1 / x**2)
unary("log1p", SMALL + CENTER + FAR + [-x for x in SMALL] + [-0.25, -0.5, -0.75, -1 + 2.0**-10, -1 + 2.0**-24, -1 + 2.0**-50], lambda x: 1 / (1 + x), lambda x: -1 / (1 + x) ** 2)
for name, base in ("log2", 2), ("log10", 10):
    unary(name, POSITIVE, lambda x: 1 / (x * log(base)), lambda x: -1 / (x**2 * log(base)))
unary("sin", EVERYWHERE, cos, lambda x: -sin(x))
unary("cos", EVERYWHERE, lambda x: -sin(x), lambda x: -cos(x))
unary("tan", EVERYWHERE, lambda x: 1 / cos(x) ** 2, lambda x: 2 * tan(x) / cos(x) ** 2)
unary("asin", UNIT, lambda x: 1 / sqrt((1 - x) * (1 + x)), lambda x: x / ((1 - x) * (1 + x)) ** mpf(1.5))
unary("acos", UNIT, lambda x: -1 / sqrt((1 - x) * (1 + x)), lambda x: -x / ((1 - x) * (1 + x)) ** mpf(1.5))
unary("atan", EVERYWHERE, lambda x: 1 / (1 + x * x), lambda x: -2 * x / (1 + x * x) ** 2)
unary("sinh", BELL, cosh, sinh)
unary("cosh", BELL, sinh, cosh)
unary("tanh", BELL, lambda x: 1 / cosh(x) ** 2, lambda x: -2 * th(x) / cosh(x) ** 2)
unary("asinh", EVERYWHERE, lambda x: 1 / sqrt(1 + x * x), lambda x: -x / (1 + x * x) ** mpf(1.5))
ABOVE = [1 + 2.0**-k for k in (50, 30, 20, 10, 5)] + [x for x in CENTER if x > 1] + FAR
unary("acosh", ABOVE, lambda x: 1 / sqrt((x - 1) * (x + 1)), lambda x: -x / ((x - 1) * (x + 1)) ** mpf(1.5))
unary("atanh", UNIT, lambda x: 1 / ((1 - x) * (1 + x)), lambda x: 2 * x / ((1 - x) * (1 + x)) ** 2)
bell = lambda x: 2 / sqrt(pi) * exp(-x * x)
unary("erf", BELL, bell, lambda x: -2 * x * bell(x))
unary("erfc", BELL, lambda x: -bell(x), lambda x: 2 * x * bell(x))
PART = [x for x in UNIT if x > 0]
def erfinv(x):
    # Near 1 erfc says more.
    y = mpmath.erfinv(mpf(float(x)))
    return mpmath.findroot((lambda y: mpmath.erf(y) - x) if abs(x) < 0.5 else (lambda y: sign(x) * (1 - abs(x) - erfc(abs(y)))), y)


erfinv_slope = lambda x: sqrt(pi) / 2 * exp(erfinv(x) ** 2)
unary("erfinv", UNIT, erfinv_slope, lambda x: 2 * erfinv(x) * erfinv_slope(x) ** 2)
unary("logit", PART, lambda x: 1 / (x * (1 - x)), lambda x: (2 * x - 1) / (x * (1 - x)) ** 2)
unary("cbrt", EVERYWHERE, lambda x: 1 / (3 * mpmath.cbrt(x * x)), lambda x: -2 / (9 * x * mpmath.cbrt(x * x)))


def sinc(x, n):
    """The derivative of order n of sin(πx)/(πx)."""
    if abs(x) < 0.1:
        terms = [(-1) ** k * pi ** (2 * k) * x ** (2 * k - n) / ((2 * k + 1) * mpmath.factorial(2 * k - n)) for k in range((n + 1) // 2, 25)]
        return sum(terms)
    y = mpmath.sinpi(x) / (pi * x)
    for k in range(1, n + 1):
        y = ((mpmath.cospi(x) if k % 2 else -mpmath.sinpi(x)) * pi ** (k - 1) - k * y) / x
    return y


unary("sinc", EVERYWHERE, lambda x: sinc(x, 1), lambda x: sinc(x, 2))
GAMMA = POSITIVE + [-x for x in SMALL] + [-0.25, -0.75, -1.5, -2.75, -10.25, -100.5]
unary("lgamma", GAMMA, lambda x: psi(0, x), lambda x: psi(1, x))
unary("digamma", GAMMA, lambda x: psi(1, x), lambda x: psi(2, x))
for n in (0, 1, 2, 4):
    unary("polygamma", GAMMA, lambda x: psi(n + 1, x), lambda x: psi(n + 2, x), [n])

# Two arguments: all pairs of magnitudes, with the signs in turn.
SIZES = [rounded(p) for p in [1e-300, 1e-160, 1e-40, 1e-20, 1e-8, 1e-3, 0.75, 1, 3, 1e3, 1e8, 1e20, 1e38, 1e160, 1e300]]
SIGNS = [(1, 1), (-1, 1), (1, -1), (-1, -1)]
PAIRS = [(SIGNS[(3 * i + j) % 4][0] * x, SIGNS[(3 * i + j) % 4][1] * y) for i, x in enumerate(SIZES) for j, y in enumerate(SIZES)]
nil, unit = (lambda x, y: 0), (lambda x, y: 1)

SHORT = [(x, y) for k, (x, y) in enumerate(PAIRS) if k % 3 == 0]
binary("add", SHORT, unit, unit, nil, nil, nil)
binary("sub", SHORT, unit, lambda x, y: -1, nil, nil, nil)
binary("mul", SHORT, lambda x, y: y, lambda x, y: x, nil, unit, nil)
binary("div", PAIRS, lambda x, y: 1 / y, lambda x, y: -x / y**2, nil, lambda x, y: -1 / y**2, lambda x, y: 2 * x / y**3)
RATIOS = [(x, y) for x, y in PAIRS if abs(x / y) < 1e17]
mp.dps = 700  # x/y of numbers of all magnitudes
binary("fmod", RATIOS, unit, lambda x, y: -mpmath.sign(x / y) * mpmath.floor(abs(x / y)), nil, nil, nil)
binary("remainder", RATIOS, unit, lambda x, y: -mpmath.floor(x / y), nil, nil, nil)
mp.dps = 60
BASES = [rounded(p) for p in [1e-300, 1e-160, 1e-30, 1e-10, 1e-3, 0.5, 1.5, 3, 1e3, 1e10, 1e30, 1e160, 1e300]] + [1 - 2.0**-12, 1 + 2.0**-12]
POWERS = [1e-3, 0.5, 1, 1.25, 2, 3.5, 10, 60]
binary("pow", [(x, q * rounded(y)) for x in BASES for y in POWERS for q in (1, -1)], lambda x, y: y * x ** (y - 1), lambda x, y: x**y * log(x), lambda x, y: y * (y - 1) * x ** (y - 2),
       lambda x, y: x ** (y - 1) * (1 + y * log(x)), lambda x, y: x**y * log(x) ** 2)
h = lambda x, y: sqrt(x * x + y * y)
mp.dps = 700  # x² + y² and y² − x² of numbers of all magnitudes
binary("atan2", PAIRS, lambda y, x: x / (x * x + y * y), lambda y, x: -y / (x * x + y * y),
       lambda y, x: -2 * x * y / (x * x + y * y) ** 2, lambda y, x: (y * y - x * x) / (x * x + y * y) ** 2, lambda y, x: 2 * x * y / (x * x + y * y) ** 2)
binary("hypot", PAIRS, lambda x, y: x / h(x, y), lambda x, y: y / h(x, y), lambda x, y: y * y / h(x, y) ** 3,
       lambda x, y: -x * y / h(x, y) ** 3, lambda x, y: x * x / h(x, y) ** 3)
mp.dps = 60
binary("prelu", SHORT, lambda x, y: 1 if x > 0 else y, lambda x, y: 0 if x > 0 else x, nil,
       lambda x, y: x <= 0, nil)
NEAR = [(x, x + d) for x in (0.0, -3.0, 1e-8, 100.0) for d in [x for x in BELL if 1e-4 < abs(x) < 700]] + PAIRS
binary("logaddexp", NEAR, lambda x, y: s(x - y), lambda x, y: s(y - x), lambda x, y: ds(x - y), lambda x, y: -ds(x - y), lambda x, y: ds(x - y))
APART = [(x, y) for x, y in SHORT if x != y]
binary("maximum", APART, lambda x, y: x > y, lambda x, y: y > x, nil, nil, nil)
binary("minimum", APART, lambda x, y: x < y, lambda x, y: y < x, nil, nil, nil)

PARTS = [rounded(p) for p in [1e-300, 1e-40, 1e-20, 1e-11, 1e-8, 1e-3, 0.3, 0.75]] + [1 - 2.0**-10, 1 - 2.0**-20, 1 - 2.0**-35]
LABELS = [0.0, 1.0, 0.25, 1 - 2.0**-10, rounded(1e-8)]
SHARES = [(p, y) for p in PARTS for y in LABELS]
bounded = lambda v: max(log(v), -100) if v > 0 else mpf(-100)
# The gradient's divisor is p(1−p), but at least 1e−12, which is meant as a float64.
least = mpf(1e-12)
spread = lambda p: max(p * (1 - p), least)
binary("binary cross entropy", SHARES, lambda p, y: (p - y) / spread(p),
       lambda p, y: bounded(1 - p) - bounded(p), lambda p, y: 1 / least if p * (1 - p) < least else (1 - y) / (1 - p) ** 2 + y / p**2,
       lambda p, y: -1 / spread(p), nil)
LOGITS = [x for x in BELL if abs(x) > 1e-30 and abs(x) < 800]
binary("binary cross entropy logits", [(x, y) for x in LOGITS[::2] for y in LABELS[:3]], lambda x, y: s(x) - y if x < 0 else (1 - y) - s(-x), lambda x, y: -x, lambda x, y: ds(x), lambda x, y: -1, nil)
binary("cross entropy", SHARES, lambda p, y: -y / max(p, least), lambda p, y: -bounded(p),
       lambda p, y: 0 if p < least else y / p**2, lambda p, y: -1 / max(p, least), nil)
