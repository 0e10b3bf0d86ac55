"""Prints the coefficients of the polynomials and fractions in transcendental.go, special.go, pieces.go, power.go and inverse.go, with their relative errors.

They interpolate at the zeros of a Chebyshev polynomial, with 60 digits, and are rounded at the end. Needs mpmath.
"""

import struct

from mpmath import asin, atan, cos, erf, erfc, exp, findroot, lu_solve, log, matrix, mp, mpf, nstr, pi, polyval, sin, sqrt, tanh

mp.dps = 60


def to32(x):
    return struct.unpack("f", struct.pack("f", float(x)))[0]


def nodes(lo, hi, n):
    return [(lo + hi) / 2 + (hi - lo) / 2 * cos(pi * (2 * k + 1) / (2 * n)) for k in range(n)]


def fraction(f, lo, hi, top, bottom):
    """P of degree top and Q of degree bottom, Q(0) = 1, with P/Q = f at the nodes."""
    n = top + 1 + bottom
    a, b = matrix(n, n), matrix(n, 1)
    for i, x in enumerate(nodes(lo, hi, n)):
        b[i] = f(x)
        for j in range(top + 1):
            a[i, j] = x**j
        for j in range(1, bottom + 1):
            a[i, top + j] = -b[i] * x**j
    c = lu_solve(a, b)
    return [c[j] for j in range(top + 1)], [mpf(1)] + [c[top + j] for j in range(1, bottom + 1)]


def show(name, f, lo, hi, top, bottom=0, rounded=float, weight=lambda x: 1):
    lo, hi = mpf(lo), mpf(hi)
    p, q = ([mpf(rounded(c)) for c in part] for part in fraction(f, lo, hi, top, bottom))
    points = [lo + (hi - lo) * (i + mpf("0.5")) / 997 for i in range(997)]
    error = max(abs(polyval(p[::-1], x) / polyval(q[::-1], x) - f(x)) * weight(x) for x in points)
    print(name, nstr(error, 3), [float(c) for c in p], [float(c) for c in q] if bottom else "")


def exp_rest(r):
    return (exp(r) - 1 - r) / r**2 if abs(r) > 1e-8 else mpf(1) / 2 + r / 6


def log_rest(z):
    s = sqrt(z)
    return (log((1 + s) / (1 - s)) - 2 * s - 2 * s**3 / 3) / s**5 if z > 1e-9 else mpf(2) / 5 + 2 * z / 7


def log_series(z):
    s = sqrt(z)
    return (log((1 + s) / (1 - s)) / s - 2) / z if z > 1e-9 else mpf(2) / 3 + 2 * z / 5


def tanh_rest(z):
    return (tanh(sqrt(z)) / sqrt(z) - 1) / z if z > 1e-12 else -mpf(1) / 3


def sin_rest(z):
    return (sin(sqrt(z)) / sqrt(z) - 1) / z if z > 1e-9 else -mpf(1) / 6


def cos_rest(z):
    return (cos(sqrt(z)) - 1 + z / 2) / z**2 if z > 1e-6 else mpf(1) / 24 - z / 720


def atan_rest(z):
    return (atan(sqrt(z)) / sqrt(z) - 1) / z if z > 1e-9 else -mpf(1) / 3 + z / 5


def asin_rest(z):
    return (asin(sqrt(z)) / sqrt(z) - 1) / z if z > 1e-9 else mpf(1) / 6 + 3 * z / 40


def erf_slope(z):
    return erf(sqrt(z)) / sqrt(z) if z > 1e-20 else 2 / sqrt(pi)


def tail(t):
    a = 5 * (1 + t) / (1 - t)
    return erfc(a / sqrt(2)) / 2 * exp(a * a / 2) * (a + 5)


def end(a):
    return (mpf(a) - 5) / (mpf(a) + 5)


def mills(a):
    return erfc(a / sqrt(mpf(2))) / 2 * exp(a * a / 2)


def gelu_tail(a):
    return a * erfc(a / sqrt(mpf(2))) / 2


def gelu_slope(a):
    return erfc(a / sqrt(mpf(2))) / 2 - a * exp(-a * a / 2) / sqrt(2 * pi)


def half_exp(s):
    return ((exp(-s / 2) - 1) / s + mpf("0.5")) / s if abs(s) > 1e-9 else mpf(1) / 8


def rounded_in_turn(f, lo, hi, center, degree, constant=None):
    """The polynomial in x − center of the least relative errors at 48 nodes: a coefficient is rounded before those of higher powers are found."""
    xs = nodes(mpf(lo), mpf(hi), 48)
    c = [] if constant is None else [constant]
    while len(c) <= degree:
        powers = range(len(c), degree + 1)
        a, b = matrix(len(xs), len(powers)), matrix(len(xs), 1)
        for i, x in enumerate(xs):
            for j, k in enumerate(powers):
                a[i, j] = (x - center) ** k / f(x)
            b[i] = 1 - (polyval(c[::-1], x - center) if c else 0) / f(x)
        c.append(mpf(to32(lu_solve(a, b)[0])))
    return c


def show_in_turn(name, f, lo, hi, centers, degree, constant=lambda center: None):
    """Shows the best of the polynomials around the centers."""
    best = None
    for center in centers:
        c = rounded_in_turn(f, lo, hi, center, degree, constant(center))
        points = [lo + (hi - lo) * (j + mpf("0.5")) / 97 for j in range(97)]
        error = max(abs(polyval(c[::-1], x - center) / f(x) - 1) for x in points)
        if best is None or error < best[0]:
            best = error, center, c
    print(name, nstr(best[0], 3), float(best[1]), [float(v) for v in best[2]])


def pieces(name, f, zero):
    """The pieces of a function for pieces.go. The center of one is its zero, those of others are near the end where the function is smaller, so that nothing cancels, and where its rounding matters least."""
    square, linear = mpf(to32(0.07)), mpf(to32(1.15))
    edges = [mpf(0)] + [(-linear + sqrt(linear**2 + 4 * square * (k + mpf("0.5")))) / (2 * square) for k in range(8)]
    for i, (lo, hi) in enumerate(zip(edges, edges[1:])):
        if lo <= zero < hi:
            centers = [mpf(to32(zero))]
        else:
            centers = [mpf(round((lo if zero and i == 2 else hi) * 128) + k) / 128 for k in range(-4, 5)]
        show_in_turn(name, f, lo, hi, centers, 8, lambda center: mpf(to32(f(center))))


half = log(2) / 2 * mpf("1.0001")
show("exp, float32", exp_rest, -half, half, 4, 0, to32, lambda r: r**2 / exp(r))
show("exp, float32, long", exp_rest, -half, half, 5, 0, to32, lambda r: r**2 / exp(r))
show("exp, float64", exp_rest, -half, half, 9, 0, float, lambda r: r**2 / exp(r))
show("exp, widened", exp_rest, -half, half, 5, 0, float, lambda r: r**2 / exp(r))
largest = (3 - sqrt(mpf(8))) ** 2 * mpf("1.0001")
show("log, widened", log_series, 0, largest, 3, 0, float, lambda z: z / 2)
show("log, long", log_rest, 0, largest, 7)
show("tanh, float32", tanh_rest, 0, mpf("0.5625") ** 2, 1, 2, to32, lambda z: z)
show("tanh, float64", tanh_rest, 0, mpf("0.5625") ** 2, 2, 3, float, lambda z: z)
quarter = (pi / 4) ** 2 * mpf("1.0001")
show("sin", sin_rest, 0, quarter, 6, 0, float, lambda z: z)
show("cos", cos_rest, 0, quarter, 5, 0, float, lambda z: z**2)
show("tail, widened", tail, -1, end("14.6"), 11, 0, float, lambda t: 1 / tail(t))
show("tail, float64", tail, -1, end("38.6"), 22, 0, float, lambda t: 1 / tail(t))
octant = (sqrt(mpf(2)) - 1) ** 2 * mpf("1.0001")
show("atan, widened", atan_rest, 0, octant, 5, 0, float, lambda z: z)
show("atan, float64", atan_rest, 0, octant, 12, 0, float, lambda z: z)
show("asin, float32", asin_rest, 0, mpf("0.2501"), 5, 0, to32, lambda z: z)
show("erf", erf_slope, 0, 1, 12)
pieces("gelu tail", gelu_tail, 0)
pieces("gelu slope", gelu_slope, findroot(gelu_slope, 0.75))
far = 1 / mpf("14.7") ** 2, 1 / mpf(25)
show_in_turn("gelu, far", lambda u: mills(1 / sqrt(u)) / sqrt(u), *far, [0], 5)
show_in_turn("gelu slope, far", lambda u: (mills(1 / sqrt(u)) - 1 / sqrt(u) / sqrt(2 * pi)) * sqrt(u), *far, [0], 4)
whole = log(2) * mpf("1.0001")
show("half exp", half_exp, -whole, whole, 4, 0, to32, lambda s: s**2 / exp(-s / 2))
