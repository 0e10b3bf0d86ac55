#!/usr/bin/python3
"""Writes ops.json, losses.json, optim.json and mlp.json beside this file.

They are reference values from PyTorch for Nabla's tests. README.md describes
the format of each file and the meaning of each operation's attributes.

    /usr/bin/python3 make_vectors.py           write the files
    /usr/bin/python3 make_vectors.py --check   also compare every gradient at a
                                               smooth point with differences
"""
import os

# The portable kernels, one thread: the same bits on every x86-64 machine.
os.environ["ATEN_CPU_CAPABILITY"] = "default"
os.environ["OPENBLAS_CORETYPE"] = "Nehalem"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import math
import random
import sys

import torch
import torch.nn.functional as F

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)

VERSION = "1.13.1"
FOLDER = os.path.dirname(os.path.abspath(__file__))
CHECK = "--check" in sys.argv
INF, NAN = math.inf, math.nan


# ---------------------------------------------------------------- writing JSON


def number(x):
    """Returns the shortest text that reads back as the same float64."""
    if math.isnan(x):
        return '"NaN"'
    if math.isinf(x):
        return '"Inf"' if x > 0 else '"-Inf"'
    if x == 0:
        return "-0.0" if math.copysign(1, x) < 0 else "0"
    if x == int(x) and abs(x) < 1e15:
        return str(int(x))
    return repr(x)


def text(v):
    """Returns v as compact JSON."""
    if v is None:
        return "null"
    if isinstance(v, str):
        return '"' + v.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, torch.Tensor):
        if v._is_zerotensor():  # a gradient known to be zero has no storage
            v = torch.zeros(v.shape)
        data = v.detach().contiguous().reshape(-1).tolist()
        return '{"shape":%s,"data":%s}' % (text(list(v.shape)), text(data))
    if isinstance(v, dict):
        return "{" + ",".join(text(k) + ":" + text(v[k]) for k in v) + "}"
    if isinstance(v, (list, tuple)):
        return "[" + ",".join(text(e) for e in v) + "]"
    return number(float(v))


def write(name, head, rows):
    """Writes {head..., "cases":[rows]} with one case per line."""
    fields = "".join(text(k) + ":" + text(v) + ",\n" for k, v in head.items())
    body = ",\n".join(text(r) for r in rows)
    with open(os.path.join(FOLDER, name), "w", encoding="ascii") as f:
        f.write("{" + fields + '"cases":[\n' + body + "\n]}\n")


# ------------------------------------------------------------------- test data


class Source:
    """A stream of short random decimals; each case has its own, named by key."""

    def __init__(self, key):
        self.random = random.Random("nabla/" + key)

    def uniform(self, shape, low=-2.0, high=2.0, avoid=(), digits=3):
        """Returns numbers in [low, high], none closer than 0.1 to one in avoid."""
        data = []
        while len(data) < math.prod(shape):
            x = round(self.random.uniform(low, high), digits)
            if all(abs(x - a) >= 0.1 for a in avoid):
                data.append(x)
        return torch.tensor(data).reshape(shape)

    def distinct(self, shape, low=-2.0, high=2.0):
        """Returns numbers in [low, high] in random order, no two alike."""
        n = math.prod(shape)
        step = (high - low) / n
        data = [round(low + step * (i + self.random.uniform(0.2, 0.8)), 3) for i in range(n)]
        self.random.shuffle(data)
        return torch.tensor(data).reshape(shape)

    def probabilities(self, rows, classes):
        """Returns rows of positive numbers that add up to 1 exactly."""
        out = []
        for _ in range(rows):
            cuts = sorted(self.random.sample(range(1, 64), classes - 1))
            out.append([(b - a) / 64 for a, b in zip([0] + cuts, cuts + [64])])
        return torch.tensor(out)

    def labels(self, n, classes):
        return [self.random.randrange(classes) for _ in range(n)]


def vector(*data):
    return torch.tensor(data, dtype=torch.float64)


# ------------------------------------------------------------------ operations

ops = []
counts = {}


def case(op, f, inputs, ints=None, floats=None, equation=None, note=None,
         grads=True, second=True, mask=None, ones=False, smooth=True):
    """Appends a case of op: f(*inputs), its gradients and their gradients.

    inputs are tensors or functions of a Source. mask says which inputs are
    differentiated (all). grads=False keeps the value alone, second=False leaves
    the second order out. ones makes the cotangent 1 everywhere. smooth=False
    keeps the case from the comparison with differences.
    """
    counts[op] = counts.get(op, 0) + 1
    source = Source("%s/%d" % (op, counts[op]))
    inputs = [i(source) if callable(i) else i for i in inputs]
    mask = mask or [True] * len(inputs)
    x = [i.clone().requires_grad_(m and grads) for i, m in zip(inputs, mask)]
    y = f(*x)
    row = {"op": op}
    if note:
        row["note"] = note
    if equation:
        row["equation"] = equation
    row["inputs"] = inputs
    if ints is not None:
        row["ints"] = ints
    if floats is not None:
        row["floats"] = floats
    row["output"] = y
    ops.append(row)
    if not grads:
        return
    free = [i for i, m in zip(x, mask) if m]
    c = torch.ones(y.shape) if ones else source.uniform(y.shape, -1.5, 1.5)
    row["cotangent"] = c
    g = torch.autograd.grad(y, free, c, create_graph=second, allow_unused=True)
    g = [torch.zeros_like(i) if v is None else v for i, v in zip(free, g)]
    row["grads"] = spread(g, mask)
    if second:
        r = [source.uniform(v.shape, -1.5, 1.5) for v in g]
        total = sum((w * v).sum() for w, v in zip(r, g))
        h = [None] * len(free)
        if total.requires_grad:
            h = torch.autograd.grad(total, free, allow_unused=True)
        h = [torch.zeros_like(i) if v is None else v for i, v in zip(free, h)]
        row["second_weights"] = spread(r, mask)
        row["second"] = spread(h, mask)
    if CHECK and smooth and y.numel():
        check(f, x, second)


def spread(values, mask):
    """Returns values at the places where mask is set and None elsewhere."""
    values = iter(values)
    return [next(values) if m else None for m in mask]


def check(f, x, second):
    torch.autograd.gradcheck(f, x)
    if second:
        torch.autograd.gradgradcheck(f, x)


def smooth(low, high, avoid=(), shape=(2, 3)):
    """Returns an input: random numbers of [low, high], away from the kinks."""
    return lambda s: s.uniform(shape, low, high, avoid)


def special(op, f, *data, **options):
    """A case of one-dimensional inputs at points given one by one."""
    options.setdefault("smooth", False)
    inputs = [vector(*d) if isinstance(d, (list, tuple)) else d for d in data]
    case(op, f, inputs, **options)


def binary_operations():
    shapes = [((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((4,), ()), ((), (2, 2)), ((2, 1, 3), (4, 1)), ((), ())]
    table = {
        "add": (lambda a, b: a + b, -2, 2, ()), "sub": (lambda a, b: a - b, -2, 2, ()),
        "mul": (lambda a, b: a * b, -2, 2, ()), "div": (lambda a, b: a / b, -3, 3, (0, 0.1, -0.1, 0.2, -0.2)),
    }
    for op, (f, low, high, avoid) in table.items():
        for a, b in shapes:
            case(op, f, [smooth(low, high, avoid, a), smooth(low, high, avoid, b)])
        case(op, f, [torch.zeros(0, 3), torch.ones(3)], note="zero size")
    special("div", table["div"][0], [1.0, -1.0, 0.0], [0.0, 0.0, 0.0], grads=False, note="by zero")

    few = [((2, 3), (2, 3)), ((2, 1), (1, 3)), ((3,), ())]
    for a, b in few:
        case("pow_tensor", torch.pow, [smooth(0.3, 2.5, (), a), smooth(-2, 3, (), b)])
        case("atan2", torch.atan2, [smooth(-2, 2, (0, 0.1, -0.1), a), smooth(-2, 2, (0, 0.1, -0.1), b)])
        case("hypot", torch.hypot, [smooth(-2, 2, (0, 0.1, -0.1), a), smooth(-2, 2, (0, 0.1, -0.1), b)])
        # Whole thousandths on one side, 0.37 thousandths more on the other: never equal.
        left, right = smooth(-2, 2, (), a), lambda s, b=b: s.uniform(b) + 0.00037
        case("maximum", torch.maximum, [left, right], smooth=False)
        case("minimum", torch.minimum, [left, right], smooth=False)
    special("pow_tensor", torch.pow, [0.0, 0.0, 0.0], [2.0, 1.0, 3.0], second=False, note="base 0: gradient 0 for the exponent")
    special("pow_tensor", torch.pow, [0.0], [0.0], second=False, note="0 to the power 0")
    special("pow_tensor", torch.pow, [-2.0, -2.0], [2.0, 3.0], second=False, ones=True, note="negative base: NaN for the exponent")
    special("pow_tensor", torch.pow, [NAN, 1.0, 2.0, NAN], [0.0, NAN, NAN, 1.0], grads=False, note="NaN")
    special("atan2", torch.atan2, [0.0, 1.0, -1.0, 0.0], [-1.0, 0.0, 0.0, 2.0], note="on the axes")
    special("hypot", torch.hypot, [3e200, 3e-200, 0.0, -3.0], [4e200, 4e-200, 2.0, 0.0], second=False, note="neither overflow nor underflow")
    special("hypot", torch.hypot, [INF, NAN, -INF, NAN], [NAN, INF, 1.0, 1.0], grads=False, note="Inf and NaN")
    for op, f in {"maximum": torch.maximum, "minimum": torch.minimum}.items():
        special(op, f, [1.0, 2.0, -1.0], [1.0, 3.0, -1.0], note="equal inputs share the gradient")
        special(op, f, [NAN, 1.0, NAN, INF], [1.0, NAN, NAN, -INF], grads=False, note="NaN in, NaN out")


class Lgamma(torch.autograd.Function):
    """lgamma of positive x; the library's own trigamma has but 9 digits."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.lgamma(x)

    @staticmethod
    def backward(ctx, g):
        return g * Digamma.apply(*ctx.saved_tensors)


class Digamma(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.digamma(x)

    @staticmethod
    def backward(ctx, g):
        return g * Zeta.apply(2, *ctx.saved_tensors)


class Zeta(torch.autograd.Function):
    """The Hurwitz zeta function ζ(n, x), with ∂/∂x = −n·ζ(n+1, x)."""

    @staticmethod
    def forward(ctx, n, x):
        ctx.n = n
        ctx.save_for_backward(x)
        return torch.special.zeta(torch.tensor(float(n)), x)

    @staticmethod
    def backward(ctx, g):
        return None, -ctx.n * g * Zeta.apply(ctx.n + 1, *ctx.saved_tensors)


def unary_operations():
    for op, f, low, high, avoid in [
        ("neg", torch.neg, -2, 2, ()), ("square", torch.square, -3, 3, ()),
        ("sqrt", torch.sqrt, 0.2, 5, ()), ("rsqrt", torch.rsqrt, 0.2, 5, ()),
        ("reciprocal", torch.reciprocal, -3, 3, (0, 0.1, -0.1, 0.2, -0.2)), ("abs", torch.abs, -2, 2, (0,)),
        ("exp", torch.exp, -3, 3, ()), ("expm1", torch.expm1, -3, 3, ()),
        ("log", torch.log, 0.2, 5, ()), ("log1p", torch.log1p, -0.8, 4, ()),
        ("log2", torch.log2, 0.2, 5, ()), ("log10", torch.log10, 0.2, 5, ()),
        ("sin", torch.sin, -7, 7, ()), ("cos", torch.cos, -7, 7, ()), ("tan", torch.tan, -1.2, 1.2, ()),
        ("asin", torch.asin, -0.9, 0.9, ()), ("acos", torch.acos, -0.9, 0.9, ()), ("atan", torch.atan, -4, 4, ()),
        ("sinh", torch.sinh, -3, 3, ()), ("cosh", torch.cosh, -3, 3, ()), ("tanh", torch.tanh, -3, 3, ()),
        ("erf", torch.erf, -2.5, 2.5, ()), ("lgamma", Lgamma.apply, 0.3, 6, ()), ("digamma", Digamma.apply, 0.3, 6, ()),
    ]:
        case(op, f, [smooth(low, high, avoid)])
        case(op, f, [smooth(low, high, avoid, ())], note="scalar")
    for op, f in {"floor": torch.floor, "ceil": torch.ceil, "round": torch.round, "sign": torch.sign}.items():
        case(op, f, [smooth(-3, 3, (-2, -1, 0, 1, 2, -0.5, 0.5, 1.5, -1.5, 2.5, -2.5))], second=False)
        special(op, f, [-2.5, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.5], second=False, note="integers and halves")

    special("sqrt", torch.sqrt, [0.0, -1.0], ones=True, second=False, note="at 0, below 0")
    special("rsqrt", torch.rsqrt, [0.0], ones=True, second=False, note="at 0")
    special("reciprocal", torch.reciprocal, [0.0], ones=True, second=False, note="at 0")
    special("log", torch.log, [0.0, -1.0], ones=True, second=False, note="at 0, below 0")
    special("abs", torch.abs, [0.0, -3.0], note="at 0")
    special("exp", torch.exp, [-1000.0, -745.0, -700.0, 700.0, 709.0], second=False, note="large |x|")
    special("exp", torch.exp, [710.0, INF, -INF, NAN], grads=False, note="overflow, Inf, NaN")
    special("expm1", torch.expm1, [-5.0, -1e-3, 1e-8, 1e-20, 700.0], note="no cancellation near 0")
    special("expm1", torch.expm1, [-1000.0, -40.0, 710.0, INF, -INF, NAN, -0.0], grads=False, note="values only: the gradient here loses all digits at -40")
    special("log1p", torch.log1p, [1e-20, 1e-8, -1e-3, 1e10, 1e300, -0.999], second=False, note="no cancellation near 0")
    special("log1p", torch.log1p, [-1.0, -2.0, INF, NAN, -0.0], grads=False, note="domain end")
    special("log2", torch.log2, [1024.0, 0.25, 1e300, 1e-300], second=False, note="powers of two, large, small")
    special("log10", torch.log10, [1000.0, 0.01, 1e300, 1e-300], second=False, note="powers of ten, large, small")
    special("log", torch.log, [1.0, 1e300, 1e-300, INF, NAN], grads=False, note="large, small, Inf, NaN")
    special("tanh", torch.tanh, [1e-10, 0.0, -0.3, 1000.0, -1000.0], note="small, saturated")
    special("tanh", torch.tanh, [10.0, -10.0, 19.0, -19.0, INF, -INF, NAN], grads=False, note="values only: the gradient here cancels")
    special("erf", torch.erf, [0.0, 1e-10, 6.0, -6.0, 1000.0, -1000.0], second=False, note="small, saturated")
    special("erf", torch.erf, [INF, -INF, NAN], grads=False, note="Inf, NaN")
    special("sinh", torch.sinh, [1e-8, 1e-20, 700.0, -700.0], second=False, note="small, large")
    special("cosh", torch.cosh, [0.0, 700.0, -700.0], second=False, note="large")
    special("sin", torch.sin, [0.0, 1e5, 1e-10, -1e5], note="large argument")
    special("cos", torch.cos, [0.0, 1e5, 1e-10, -1e5], note="large argument")
    special("atan", torch.atan, [0.0, 1e10, -1e10, 1e-10], second=False, note="large, small")
    special("asin", torch.asin, [1.0, -1.0], ones=True, second=False, note="domain end")
    special("acos", torch.acos, [1.0, -1.0], ones=True, second=False, note="domain end")
    special("asin", torch.asin, [1.5, -1.5, NAN], grads=False, note="outside the domain")
    special("lgamma", torch.lgamma, [-0.5, -1.3, -2.7, 1.0, 2.0], second=False, note="negative; 1 and 2")
    special("lgamma", Lgamma.apply, [1e-3, 50.0, 1000.0, 1e10], second=False, note="small, large")
    special("lgamma", torch.lgamma, [0.0, -1.0, -2.0, INF, NAN], grads=False, note="poles")
    special("digamma", Digamma.apply, [1e-3, 50.0, 1000.0, 1e10], second=False, note="small, large")
    special("digamma", torch.digamma, [-0.5, -1.3, -2.7, 1.0, 2.0], grads=False, note="negative; 1 and 2")

    for exponent, low in [(2, -2), (3, -2), (0.5, 0.2), (-1.5, 0.3), (-1, 0.3), (1, -2), (0, -2)]:
        f = lambda x, p=exponent: torch.pow(x, p)
        case("pow", f, [smooth(low, 3)], floats=[exponent], smooth=exponent != 0)
    for exponent in (0, 1, 2):
        f = lambda x, p=exponent: torch.pow(x, p)
        special("pow", f, [0.0, 0.0], floats=[exponent], note="at 0")
    special("pow", lambda x: torch.pow(x, 3), [0.0, -1e100, 1e-100], floats=[3], second=False, note="0, large, small")
    special("pow", lambda x: torch.pow(x, 0), [NAN, INF, 0.0], floats=[0], grads=False, note="power 0 of anything is 1")
    for k in (-2.5, 3):
        case("mul_scalar", lambda x: x * k, [smooth(-2, 2)], floats=[k], second=False)
        case("add_scalar", lambda x: x + k, [smooth(-2, 2)], floats=[k], second=False)


def hard_sigmoid(x):
    return F.relu6(x + 3) / 6


def hard_swish(x):
    return x * F.relu6(x + 3) / 6


def celu(x, alpha):
    return torch.where(x > 0, x, alpha * torch.expm1(torch.clamp(x, max=0) / alpha))


def softplus(x):
    # The default threshold of 20 rounds softplus(25) to 25.
    return F.softplus(x, threshold=100)


def activations():
    gelu_tanh = lambda x: F.gelu(x, approximate="tanh")
    for op, f, avoid in [
        ("relu", F.relu, (0,)), ("relu6", F.relu6, (0, 6)), ("hard_tanh", F.hardtanh, (-1, 1)),
        ("hard_sigmoid", hard_sigmoid, (-3, 3)), ("hard_swish", hard_swish, (-3, 3)),
        ("selu", F.selu, (0,)), ("gelu", F.gelu, ()), ("gelu_tanh", gelu_tanh, ()), ("silu", F.silu, ()),
        ("mish", F.mish, ()), ("softplus", softplus, ()), ("softsign", F.softsign, (0,)),
        ("sigmoid", torch.sigmoid, ()), ("log_sigmoid", F.logsigmoid, ()),
    ]:
        wide = 8 if op in ("relu6", "hard_sigmoid", "hard_swish") else 3
        case(op, f, [smooth(-wide, wide, avoid)])
        case(op, f, [smooth(-wide, wide, avoid, (7,))])
        case(op, f, [smooth(-wide, wide, avoid, ())], note="scalar")
    for alpha in (0.01, 0.2):
        f = lambda x, a=alpha: F.leaky_relu(x, a)
        case("leaky_relu", f, [smooth(-3, 3, (0,))], floats=[alpha])
        special("leaky_relu", f, [0.0, -1e300, 1000.0], floats=[alpha], second=False, note="at 0, large")
    for alpha in (1, 0.7):
        f = lambda x, a=alpha: F.elu(x, a)
        case("elu", f, [smooth(-3, 3, (0,))], floats=[alpha])
        special("elu", f, [0.0, -1000.0, 1000.0], floats=[alpha], second=False, note="at 0, large |x|")
        f = lambda x, a=alpha: celu(x, a)
        case("celu", f, [smooth(-3, 3, (0,))], floats=[alpha])
        special("celu", f, [0.0, -1000.0, 1000.0, -1e-5], floats=[alpha], second=False, note="at 0, large |x|, near 0")
    prelu = lambda x, a: torch.where(x > 0, x, a * x)
    case("prelu", F.prelu, [smooth(-3, 3, (0,), (2, 3)), vector(0.25)], note="one slope for all")
    case("prelu", F.prelu, [smooth(-3, 3, (0,), (2, 3)), vector(0.25, 0.5, -0.125)], note="a slope for each column")
    case("prelu", prelu, [smooth(-3, 3, (0,)), smooth(-1, 1)], note="a slope for each element")
    special("prelu", F.prelu, [0.0, 0.0], [0.25], second=False, ones=True, note="at 0")

    special("relu", F.relu, [0.0, -0.0, 1e300, -1e300, -1.0], second=False, note="at 0, large |x|")
    special("relu6", F.relu6, [0.0, 6.0, 1000.0, -1000.0], second=False, note="at the kinks, large |x|")
    special("hard_tanh", F.hardtanh, [-1.0, 1.0, 1000.0, -1000.0], second=False, note="at the kinks, large |x|")
    special("hard_sigmoid", hard_sigmoid, [-3.0, 3.0, 1000.0, -1000.0], second=False, note="at the kinks, large |x|")
    special("hard_swish", hard_swish, [-3.0, 3.0, 1000.0, -1000.0], second=False, note="at the kinks, large |x|")
    special("selu", F.selu, [0.0, -1000.0, 1000.0], second=False, note="at 0, large |x|")
    special("relu", F.relu, [NAN, INF, -INF], grads=False, note="NaN in, NaN out")
    special("sigmoid", torch.sigmoid, [1000.0, -1000.0, 0.0, -40.0, -10.0, -700.0], second=False, note="saturated, small")
    special("sigmoid", torch.sigmoid, [40.0, 10.0, INF, -INF, NAN], grads=False, note="values only: the gradient here cancels")
    special("log_sigmoid", F.logsigmoid, [-1000.0, -40.0, 0.0, 40.0, 1000.0], second=False, note="large |x|")
    special("softplus", softplus, [25.0, -25.0, 40.0, -40.0, -700.0, 1000.0, -1000.0, 0.0], second=False, note="large |x|")
    special("softsign", F.softsign, [1000.0, -1000.0, 1e300], second=False, note="large |x|")
    special("gelu", F.gelu, [10.0, 1000.0, -1000.0, 0.0, 1e-10], second=False, note="large |x|, small")
    special("gelu_tanh", gelu_tanh, [20.0, 1000.0, -1000.0, 0.0, 1e-10], second=False, note="large |x|, small")
    special("silu", F.silu, [1000.0, -1000.0, -40.0, 40.0, 0.0], second=False, note="large |x|")
    special("mish", F.mish, [1000.0, 40.0, 0.0], second=False, note="large")

    for op, f in {"softmax": torch.softmax, "log_softmax": torch.log_softmax}.items():
        for shape, axis in [((5,), 0), ((2, 3), 0), ((2, 3), 1), ((2, 3, 2), -1), ((2, 3, 2), 1), ((2, 3, 2), 0)]:
            case(op, lambda x, a=axis: f(x, a), [smooth(-3, 3, (), shape)], ints=[[axis]])
        along = lambda x: f(x, 0)
        special(op, along, [1000.0, 1001.0, 999.0], ints=[[0]], note="around 1000")
        special(op, along, [1000.0, 0.0, -1000.0], ints=[[0]], note="far apart")
        special(op, along, [-INF, -INF], ints=[[0]], grads=False, note="all -Inf")
        special(op, along, [NAN, 1.0], ints=[[0]], grads=False, note="NaN")
    special("softmax", lambda x: torch.softmax(x, 0), [1.0, -INF, 2.0], ints=[[0]], second=False, note="one -Inf")
    special("log_softmax", lambda x: torch.log_softmax(x, 0), [1.0, -INF, 2.0], ints=[[0]], grads=False, note="one -Inf")


def choices():
    for low, high in [(-1, 1), (-0.5, 1.5)]:
        f = lambda x, a=low, b=high: torch.clamp(x, a, b)
        case("clamp", f, [smooth(-2, 2, (low, high))], floats=[low, high])
        special("clamp", f, [low, high, -1000.0, 1000.0], floats=[low, high], second=False, note="gradient 1 at the bounds")
        special("clamp", f, [NAN, INF, -INF], floats=[low, high], grads=False, note="NaN in, NaN out")
    where = lambda c, a, b: torch.where(c != 0, a, b)
    free = [False, True, True]
    shapes = [((2, 3), (2, 3), (2, 3)), ((3,), (2, 1), (2, 3)), ((2, 1), (), (3,))]
    for c, a, b in shapes:
        chosen = lambda s, c=c: (s.uniform(c) > 0).double()
        case("where", where, [chosen, smooth(-2, 2, (), a), smooth(-2, 2, (), b)], mask=free)
    special("where", where, [1.0, 0.0, 1.0, 0.0], [2.0, NAN, 3.0, INF], [NAN, 5.0, -INF, 6.0], mask=free, note="NaN and Inf in the branch not taken")


def product(x, axes, keepdim):
    """The product over several axes: torch.prod takes one."""
    for axis in sorted((a % x.dim() for a in axes), reverse=True):
        x = torch.prod(x, axis, keepdim)
    return x


def reductions():
    where = [((5,), [0], 0), ((2, 3), [0], 0), ((2, 3), [1], 1), ((2, 3), [0, 1], 0), ((2, 3, 2), [0, 2], 1), ((2, 3, 2), [-2], 0), ((2, 3, 2), [0, 1, 2], 1)]
    table = {
        "sum": (lambda x, a, k: x.sum(a, k), False), "mean": (lambda x, a, k: x.mean(a, k), False),
        "prod": (product, True), "max": (lambda x, a, k: x.amax(a, k), False), "min": (lambda x, a, k: x.amin(a, k), False),
        "logsumexp": (lambda x, a, k: torch.logsumexp(x, a, k), True),
    }
    for op, (f, second) in table.items():
        for shape, axes, keep in where:
            case(op, lambda x: f(x, axes, bool(keep)), [lambda s: s.distinct(shape)], ints=[axes, [keep]], second=second)
        case(op, lambda x: f(x, [0], False), [lambda s: s.uniform((1,))], ints=[[0], [0]], second=second, note="one element")
    for op in ("var", "std"):
        for correction in (0, 1):
            f = lambda x, a, k: getattr(torch, op)(x, a, correction=correction, keepdim=k)
            for shape, axes, keep in where:
                case(op, lambda x: f(x, axes, bool(keep)), [lambda s: s.distinct(shape)], ints=[axes, [keep], [correction]])
            special(op, lambda x: f(x, [0], False), [2.5, 2.5, 2.5], ints=[[0], [0], [correction]], second=False, note="equal values")
    f = lambda x: torch.var(x, [0], correction=0)
    special("var", f, [1e9 + 1, 1e9 + 2, 1e9 + 3], ints=[[0], [0], [0]], note="large mean")
    for op in ("var", "std"):
        f = lambda x: getattr(torch, op)(x, [0], correction=1)
        special(op, f, [2.5], ints=[[0], [0], [1]], grads=False, note="one element with n-1")
    for p in (1, 2, 3, 1.5, INF):
        f = lambda x, a, k: torch.linalg.vector_norm(x, p, a, k)
        for shape, axes, keep in where[:1] + where[2:6]:
            far = lambda s: s.distinct(shape, 0.3, 2.5) * torch.where(s.uniform(shape) > 0, 1, -1)
            case("norm", lambda x: f(x, axes, bool(keep)), [far], ints=[axes, [keep]], floats=[p])
        if p <= 2:
            special("norm", lambda x: f(x, [0], False), [0.0, 0.0, 0.0], ints=[[0], [0]], floats=[p], second=False, note="the zero vector")

    special("prod", lambda x: torch.prod(x, 0), [0.0, 2.0, 3.0], ints=[[0], [0]], ones=True, note="one zero")
    special("prod", lambda x: torch.prod(x, 0), [0.0, 2.0, 0.0], ints=[[0], [0]], ones=True, note="two zeros")
    for op, f in {"max": torch.amax, "min": torch.amin}.items():
        special(op, lambda x: f(x, [0]), [1.0, 3.0, 1.0, 3.0, 2.0], ints=[[0], [0]], second=False, note="ties share the gradient")
        case(op, lambda x: f(x, [1]), [torch.tensor([[2.0, 2.0, 2.0], [1.0, 5.0, 5.0]])], ints=[[1], [0]], second=False, smooth=False, note="ties share the gradient")
        special(op, lambda x: f(x, [0]), [1.0, NAN, 3.0], ints=[[0], [0]], grads=False, note="NaN in, NaN out")
    f = lambda x: torch.logsumexp(x, 0)
    special("logsumexp", f, [1000.0, 1000.0], ints=[[0], [0]], note="large")
    special("logsumexp", f, [-1000.0, -1001.0, -999.5], ints=[[0], [0]], note="very negative")
    special("logsumexp", f, [-INF, 1.0, 2.0], ints=[[0], [0]], second=False, note="one -Inf")
    special("logsumexp", f, [-INF, -INF], ints=[[0], [0]], grads=False, note="all -Inf")
    special("logsumexp", f, [INF, 1.0], ints=[[0], [0]], grads=False, note="one Inf")
    for op, f in {"sum": torch.sum, "mean": torch.mean}.items():
        case(op, lambda x: f(x, [0]), [torch.zeros(0, 3)], ints=[[0], [0]], second=False, note="over no elements")
    case("prod", lambda x: torch.prod(x, 0), [torch.zeros(0, 3)], ints=[[0], [0]], second=False, note="over no elements")

    for op, f in {"cumsum": torch.cumsum, "cumprod": torch.cumprod}.items():
        for shape, axis in [((5,), 0), ((2, 3), 0), ((2, 3), 1), ((2, 3, 2), -2)]:
            case(op, lambda x: f(x, axis), [smooth(0.3, 2, (), shape)], ints=[[axis]], second=op == "cumprod")
    special("cumprod", lambda x: torch.cumprod(x, 0), [2.0, 0.0, 3.0], ints=[[0]], ones=True, note="one zero")
    special("cumprod", lambda x: torch.cumprod(x, 0), [2.0, 0.0, 3.0, 0.0, -1.5], ints=[[0]], note="two zeros")


def linear_algebra():
    for a, b in [((2, 3), (3, 4)), ((1, 3), (3, 1)), ((2, 1, 3, 4), (5, 4, 2)), ((3, 2, 2), (3, 2, 2)), ((2, 2, 3), (3, 2)), ((2, 3), (2, 3, 2)), ((3,), (3, 2)), ((2, 3), (3,)), ((3,), (3,)), ((2,), (3, 2, 2)), ((3, 2, 2), (2,))]:
        big = len(a) == 4
        case("matmul", torch.matmul, [smooth(-2, 2, (), a), smooth(-2, 2, (), b)], second=not big)
    case("matmul", torch.matmul, [torch.zeros(2, 0), torch.zeros(0, 3)], second=False, note="zero inner size")
    case("matmul", torch.matmul, [torch.zeros(0, 2, 3), smooth(-2, 2, (), (3, 2))], second=False, note="a batch of none")
    case("dot", torch.dot, [smooth(-2, 2, (), (4,)), smooth(-2, 2, (), (4,))])
    case("dot", torch.dot, [torch.zeros(0), torch.zeros(0)], second=False, note="zero size")
    case("outer", torch.outer, [smooth(-2, 2, (), (3,)), smooth(-2, 2, (), (2,))])
    for equation, shapes in [
        ("ij,jk->ik", [(2, 3), (3, 2)]), ("bij,bjk->bik", [(2, 2, 3), (2, 3, 2)]), ("ii->i", [(3, 3)]), ("ii->", [(3, 3)]),
        ("ij->ji", [(2, 3)]), ("i,j->ij", [(2,), (3,)]), ("bhid,bhjd->bhij", [(2, 2, 2, 3), (2, 2, 3, 3)]), ("ijk->k", [(2, 3, 2)]),
        ("ij->", [(2, 3)]), ("i,i->", [(4,), (4,)]), ("ij,j->i", [(2, 3), (3,)]), ("ij,ij->ij", [(2, 3), (2, 3)]), ("ij,jk,k->i", [(2, 3), (3, 2), (2,)]),
    ]:
        case("einsum", lambda *x: torch.einsum(equation, *x), [smooth(-2, 2, (), s) for s in shapes], equation=equation, second=1 < len(shapes) and len(shapes[0]) < 4)
    linear("permute", lambda x: x.permute(1, 0), (2, 3), [[1, 0]])
    linear("permute", lambda x: x.permute(2, 0, 1), (2, 3, 2), [[2, 0, 1]])
    linear("permute", lambda x: x.permute(0, 3, 1, 2), (2, 2, 1, 3), [[0, 3, 1, 2]])
    linear("transpose", lambda x: x.transpose(0, 1), (2, 3), [[0, 1]])
    linear("transpose", lambda x: x.transpose(0, 2), (2, 3, 2), [[0, 2]])
    linear("transpose", lambda x: x.transpose(-1, -2), (2, 3, 2), [[-1, -2]])
    for shape in [(3, 3), (2, 4), (3, 2), (2, 3, 2)]:
        linear("diagonal", lambda x: torch.diagonal(x, 0, -2, -1), shape, [[0]])
    for k in (-1, 1):
        linear("diagonal", lambda x: torch.diagonal(x, k, -2, -1), (3, 4), [[k]])
    for op, f in {"triu": torch.triu, "tril": torch.tril}.items():
        for k in (-1, 0, 1):
            linear(op, lambda x: f(x, k), (3, 4), [[k]])
        linear(op, lambda x: f(x, 0), (2, 3, 2), [[0]])


def linear(op, f, shape, ints, **options):
    """A case of a linear operation of one input: its second order is zero."""
    case(op, f, [lambda s: s.uniform(shape)], ints=ints, second=False, **options)


def pick(x, axis, start, stop, step):
    """The slice x[start:stop:step] along axis, for negative steps too."""
    return torch.index_select(x, axis, torch.tensor(list(range(start, stop, step)), dtype=torch.long))


def shapes():
    for source, target in [((2, 3), (3, 2)), ((2, 3, 2), (4, 3)), ((6,), (1, 2, 3)), ((), (1, 1)), ((0, 3), (3, 0))]:
        linear("reshape", lambda x: x.reshape(target), source, [list(target)])
    linear("flatten", lambda x: torch.flatten(x, 1, 2), (2, 3, 2), [[1, 2]])
    linear("flatten", lambda x: torch.flatten(x, 0, 2), (2, 3, 2), [[0, 2]])
    linear("squeeze", lambda x: x.squeeze(1), (2, 1, 3), [[1]])
    linear("squeeze", lambda x: x.squeeze(-1).squeeze(0), (1, 3, 1), [[0, -1]])
    linear("unsqueeze", lambda x: x.unsqueeze(0), (2, 3), [[0]])
    linear("unsqueeze", lambda x: x.unsqueeze(1), (2, 3), [[1]])
    linear("unsqueeze", lambda x: x.unsqueeze(-1), (2, 3), [[-1]])
    for source, target in [((3,), (2, 3)), ((2, 1), (2, 3)), ((), (2, 2)), ((1, 2, 1), (2, 2, 3))]:
        linear("expand", lambda x: x.expand(target), source, [list(target)])
    for shape, axis, start, stop, step in [((5,), 0, 1, 4, 1), ((7,), 0, 0, 7, 2), ((7,), 0, 1, 6, 3), ((2, 5), 1, 1, 5, 2), ((4, 3), 0, 1, 3, 1), ((2, 3, 4), -1, 0, 4, 3), ((3, 2), 0, 2, 2, 1)]:
        linear("slice", lambda x: pick(x, axis, start, stop, step), shape, [[axis], [start, stop, step]])
    for shape, axis, start, stop, step in [((5,), 0, 4, -1, -1), ((7,), 0, 5, 0, -2), ((2, 5), 1, 4, 1, -1)]:
        linear("slice", lambda x: pick(x, axis, start, stop, step), shape, [[axis], [start, stop, step]], note="backwards")
    for shape, axes in [((4,), [0]), ((2, 3), [1]), ((2, 3), [0, 1]), ((2, 3, 2), [0, -1])]:
        linear("flip", lambda x: torch.flip(x, axes), shape, [axes])
    for shape, shifts, axes in [((5,), [2], [0]), ((5,), [-7], [0]), ((2, 3), [1], [1]), ((2, 3), [1, -1], [0, 1])]:
        linear("roll", lambda x: torch.roll(x, shifts, axes), shape, [shifts, axes])
    for shape, ends, value in [((3,), [[1, 2]], 0), ((2, 3), [[0, 1], [2, 0]], 0), ((2, 2), [[1, 1], [1, 1]], -1.5)]:
        flat = [n for pair in reversed(ends) for n in pair]
        linear("pad", lambda x: F.pad(x, flat, value=value), shape, ends, floats=[value])
    for shape, times in [((3,), [2]), ((2, 3), [1, 2]), ((2, 2), [2, 3]), ((2,), [2, 2])]:
        linear("tile", lambda x: x.repeat(*times), shape, [times])
    for shape, times, axis in [((3,), 2, 0), ((2, 2), 3, 1)]:
        linear("repeat_interleave", lambda x: torch.repeat_interleave(x, times, axis), shape, [[axis], [times]])
    for shape, axis, size, index in [((5,), 0, [4], [0, 3, 3, 1]), ((3, 2), 0, [2, 2], [2, 0, 2, 1]), ((2, 4), 1, [2, 3], [0, 0, 3, 1, 2, 2]), ((2, 3, 2), 1, [2, 1, 2], [2, 0, 1, 1])]:
        at = torch.tensor(index).reshape(size)
        linear("gather", lambda x: torch.gather(x, axis, at), shape, [[axis], size, index])
        case("scatter_add", lambda x, y: x.scatter_add(axis, at, y), [lambda s: s.uniform(shape), lambda s: s.uniform(size)], ints=[[axis], size, index], second=False)
    for shape, axis, index in [((5,), 0, [4, 1, 1]), ((3, 2), 0, [2, 2, 0, 2]), ((2, 3), 1, [1, 0, 1]), ((2, 3), -1, [2])]:
        linear("index_select", lambda x: torch.index_select(x, axis, torch.tensor(index)), shape, [[axis], index])
    for parts, axis in [([(2,), (3,)], 0), ([(1, 3), (2, 3)], 0), ([(2, 1), (2, 2), (2, 3)], 1), ([(2, 2, 1), (2, 2, 2)], -1), ([(2, 0), (2, 2)], 1)]:
        case("concat", lambda *x: torch.cat(x, axis), [smooth(-2, 2, (), p) for p in parts], ints=[[axis]], second=False)
    for shape, axis, n in [((3,), 0, 2), ((3,), 1, 2), ((2, 2), 1, 3), ((2, 2), -1, 2), ((), 0, 3)]:
        case("stack", lambda *x: torch.stack(x, axis), [smooth(-2, 2, (), shape)] * n, ints=[[axis]], second=False)
    for shape, axis, sizes in [((5,), 0, [2, 3]), ((2, 6), 1, [1, 3, 2])]:
        for part in range(len(sizes)):
            linear("split", lambda x: torch.split(x, sizes, axis)[part], shape, [[axis], sizes, [part]])


# ---------------------------------------------------------------------- losses

losses = []


def reduce(l, reduction, weights, rows):
    """Returns the reduced loss; l holds one number for each of weights."""
    l = l if weights is None else l * weights
    return {"none": lambda: l, "sum": l.sum, "mean": lambda: l.sum() / rows,
            "weighted_mean": lambda: l.sum() / weights.sum()}[reduction]()


def loss(name, f, prediction, extra, reductions=("mean", "sum", "none"), cotangent=None, note=None):
    """Appends a case for each reduction: f(prediction, reduction) and its gradient."""
    for reduction in reductions:
        x = prediction.clone().requires_grad_()
        y = f(x, reduction)
        c = torch.ones(()) if y.dim() == 0 else cotangent
        row = {"loss": name, "reduction": reduction}
        if note:
            row["note"] = note
        row.update({**extra, "prediction": prediction, "value": y, "cotangent": c})
        row["grad"], = torch.autograd.grad(y, x, c)
        losses.append(row)
        if CHECK and not note:
            torch.autograd.gradcheck(lambda x: f(x, reduction), [x])


def elementwise_losses():
    s = Source("losses")
    shape = (3, 2)
    w, c = s.uniform(shape, 0.1, 2), s.uniform(shape)
    plain, weighted = ("mean", "sum", "none"), ("mean", "sum", "none", "weighted_mean")
    prediction, target = s.uniform(shape), s.uniform(shape)
    # Differences well away from the kinks of MAE (0) and Huber (the deltas).
    difference = vector(0.3, -0.3, 1.7, -0.8, 0.72, -2.5).reshape(shape)
    near = target + difference
    p, t = s.uniform(shape, 0.05, 0.95), s.uniform(shape, 0, 1)
    hard = (t > 0.5).double()
    for name, native, x, y, floats in [
        ("mse", F.mse_loss, prediction, target, None),
        ("mae", F.l1_loss, near, target, None),
        ("huber", lambda a, b, reduction: F.huber_loss(a, b, reduction, 1.0), near, target, [1]),
        ("huber", lambda a, b, reduction: F.huber_loss(a, b, reduction, 0.5), near, target, [0.5]),
        ("bce", F.binary_cross_entropy, p, hard, None), ("bce", F.binary_cross_entropy, p, t, None),
        ("bce_logits", F.binary_cross_entropy_with_logits, prediction, hard, None),
        ("bce_logits", F.binary_cross_entropy_with_logits, prediction, t, None),
    ]:
        extra = {"target": y} if floats is None else {"target": y, "floats": floats}
        loss(name, lambda a, r: native(a, y, reduction=r), x, extra, plain, c)
        f = lambda a, r: reduce(native(a, y, reduction="none"), r, w, a.numel())
        loss(name, f, x, {**extra, "weights": w}, weighted, c)

    ones = torch.ones(4)
    edge, label = vector(0.0, 1.0, 0.0, 1.0), vector(1.0, 0.0, 0.0, 1.0)
    loss("bce", lambda a, r: F.binary_cross_entropy(a, label, reduction=r), edge, {"tolerance": 1e-8, "target": label}, ("mean", "none"), ones, "at 0 and 1")
    far = vector(1000.0, 1000.0, -1000.0, -1000.0)
    label = vector(1.0, 0.0, 1.0, 0.0)
    loss("bce_logits", lambda a, r: F.binary_cross_entropy_with_logits(a, label, reduction=r), far, {"target": label}, ("mean", "none"), ones, "at 1000 and -1000")
    equal = vector(1.0, -2.0)
    loss("mae", lambda a, r: F.l1_loss(a, equal, reduction=r), equal, {"target": equal}, ("mean",), None, "prediction equals target")
    loss("huber", lambda a, r: F.huber_loss(a, equal, r, 1.0), equal + vector(1.0, -1.0), {"target": equal, "floats": [1]}, ("mean", "none"), torch.ones(2), "difference equals delta")


def from_probabilities(p, t):
    return -(t * torch.log(p)).sum(-1)


def class_losses():
    s = Source("classes")
    n, classes = 4, 3
    logits, p = s.uniform((n, classes), -3, 3), s.probabilities(n, classes)
    labels = [2, 0, 1, 2]
    index = torch.tensor(labels)
    onehot, soft = F.one_hot(index, classes).double(), s.probabilities(n, classes)
    rows, by_class, c = s.uniform((n,), 0.1, 2), s.uniform((classes,), 0.1, 2), s.uniform((n,))
    weighted = ("mean", "sum", "none", "weighted_mean")
    for target, extra in [(index, {"labels": labels}), (onehot, {"target": onehot}), (soft, {"target": soft})]:
        native = lambda a, r: F.cross_entropy(a, target, reduction=r)
        loss("cross_entropy_logits", native, logits, extra, cotangent=c)
        f = lambda a, r: reduce(native(a, "none"), r, rows, n)
        loss("cross_entropy_logits", f, logits, {**extra, "weights": rows}, weighted, c)
        f = lambda a, r: F.cross_entropy(a, target, by_class, reduction=r)
        loss("cross_entropy_logits", f, logits, {**extra, "class_weights": by_class}, cotangent=c)
        dense = onehot if target is index else target
        f = lambda a, r: reduce(from_probabilities(a, dense), r, None, n)
        loss("cross_entropy", f, p, extra, cotangent=c)
        f = lambda a, r: reduce(from_probabilities(a, dense), r, rows, n)
        loss("cross_entropy", f, p, {**extra, "weights": rows}, weighted, c)
    far = torch.tensor([[1000.0, 0.0, -1000.0], [1000.0, 0.0, -1000.0]])
    f = lambda a, r: F.cross_entropy(a, torch.tensor([0, 2]), reduction=r)
    loss("cross_entropy_logits", f, far, {"labels": [0, 2]}, ("mean", "none"), torch.ones(2), "far apart")


# ------------------------------------------------------------------ optimizers

STEPS = (1, 2, 5, 10, 20)


def trajectory(make, starts, gradients, rates=None, clip=None):
    """Returns the parameters after each of STEPS."""
    params = [p.clone().requires_grad_() for p in starts]
    optimizer = make(params)
    seen = []
    for step, gs in enumerate(gradients, 1):
        if rates:
            optimizer.param_groups[0]["lr"] = rates[step - 1]
        for p, g in zip(params, gs):
            p.grad = g.clone()
        if clip:
            clip(params)
        optimizer.step()
        if step in STEPS:
            seen.append([p.detach().clone() for p in params])
    return seen


def optimizers():
    s = Source("optim")
    starts = [s.uniform((3, 2)), s.uniform((2,))]
    gradients = [[s.uniform((3, 2)), s.uniform((2,))] for _ in range(20)]
    rows = []

    def add(name, optimizer, settings, make, **options):
        row = {"name": name, "optimizer": optimizer, "settings": settings}
        if options.get("rates"):
            row["rates"] = options["rates"]
        row["after"] = trajectory(lambda p: make(p, **settings), starts, gradients, **options)
        rows.append(row)

    sgd, adam, adamw, rms = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW, torch.optim.RMSprop
    add("plain", "sgd", {"lr": 0.1}, sgd)
    add("momentum", "sgd", {"lr": 0.1, "momentum": 0.9}, sgd)
    add("nesterov", "sgd", {"lr": 0.1, "momentum": 0.9, "nesterov": True}, sgd)
    add("decay", "sgd", {"lr": 0.1, "weight_decay": 0.01}, sgd)
    add("momentum and decay", "sgd", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}, sgd)
    add("nesterov and decay", "sgd", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01, "nesterov": True}, sgd)
    halved = [0.1 if i < 5 else 0.05 if i < 12 else 0.01 for i in range(20)]
    add("momentum, rate changes", "sgd", {"lr": 0.1, "momentum": 0.9}, sgd, rates=halved)
    add("defaults", "adam", {"lr": 0.01, "betas": [0.9, 0.999], "eps": 1e-8}, adam)
    add("other betas", "adam", {"lr": 0.05, "betas": [0.8, 0.95], "eps": 1e-4}, adam)
    add("L2 decay", "adam", {"lr": 0.01, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.01}, adam)
    add("rate changes", "adam", {"lr": 0.1, "betas": [0.9, 0.999], "eps": 1e-8}, adam, rates=halved)
    add("decay", "adamw", {"lr": 0.01, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.01}, adamw)
    add("large decay, rate changes", "adamw", {"lr": 0.1, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.5}, adamw, rates=halved)
    add("defaults", "rmsprop", {"lr": 0.01, "alpha": 0.99, "eps": 1e-8}, rms)
    add("momentum", "rmsprop", {"lr": 0.01, "alpha": 0.99, "eps": 1e-8, "momentum": 0.9}, rms)
    add("centered", "rmsprop", {"lr": 0.01, "alpha": 0.99, "eps": 1e-8, "centered": True}, rms)
    add("centered with momentum", "rmsprop", {"lr": 0.01, "alpha": 0.99, "eps": 1e-8, "momentum": 0.9, "centered": True}, rms)
    add("decay", "rmsprop", {"lr": 0.01, "alpha": 0.9, "eps": 1e-8, "weight_decay": 0.01}, rms)

    clips = []
    for kind, limit in [("norm", 1.0), ("norm", 100.0), ("norm", 2.5), ("value", 0.5), ("value", 1.25)]:
        params = [torch.zeros_like(p).requires_grad_() for p in starts]
        for p, g in zip(params, gradients[0]):
            p.grad = g.clone()
        row = {"kind": kind, "limit": limit}
        if kind == "norm":
            row["total_norm"] = float(torch.nn.utils.clip_grad_norm_(params, limit))
        else:
            torch.nn.utils.clip_grad_value_(params, limit)
        row["clipped"] = [p.grad for p in params]
        clips.append(row)
    clip = lambda params: torch.nn.utils.clip_grad_norm_(params, 1.0)
    add("momentum, gradients clipped to norm 1", "sgd", {"lr": 0.1, "momentum": 0.9}, sgd, clip=clip)
    return {"torch": VERSION, "steps": STEPS, "params": starts, "gradients": gradients, "clips": clips}, rows


# ------------------------------------------------------------------------- MLP


def network(name, sizes, n, cost, extra):
    """One step of a relu network: x·W + b, with W of shape [in, out]."""
    s = Source("mlp/" + name)
    # The biases of the hidden layer spread the pre-activations around zero.
    x = s.uniform((n, sizes[0]))
    weights, biases = [], []
    for a, b in zip(sizes, sizes[1:]):
        weights.append(s.uniform((a, b), -1, 1).requires_grad_())
        biases.append(s.uniform((b,), -0.5, 0.5).requires_grad_())
    free = x.clone().requires_grad_()
    hidden = free @ weights[0] + biases[0]
    assert hidden.abs().min() > 1e-3, "a pre-activation at the kink"
    output = torch.relu(hidden) @ weights[1] + biases[1]
    value = cost(output)
    g = torch.autograd.grad(value, [*weights, *biases, free])
    return {"name": name, "inputs": x, **extra, "weights": weights, "biases": biases, "hidden": hidden, "output": output, "loss": float(value),
            "weight_grads": g[:2], "bias_grads": g[2:4], "input_grad": g[4]}


def networks():
    s = Source("mlp")
    target, labels = s.uniform((5, 1)), s.labels(6, 3)
    return [
        network("2-3-1 relu mse", (2, 3, 1), 5, lambda y: F.mse_loss(y, target), {"target": target}),
        network("4-5-3 relu softmax cross entropy", (4, 5, 3), 6, lambda y: F.cross_entropy(y, torch.tensor(labels)), {"labels": labels}),
    ]


def main():
    for make in (binary_operations, unary_operations, activations, choices, reductions, linear_algebra, shapes):
        make()
    write("ops.json", {"torch": VERSION}, ops)
    elementwise_losses()
    class_losses()
    write("losses.json", {"torch": VERSION}, losses)
    head, rows = optimizers()
    write("optim.json", head, rows)
    write("mlp.json", {"torch": VERSION}, networks())


if __name__ == "__main__":
    main()
