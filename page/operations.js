// Operations on single numbers, each with its derivatives: what the page needs
// to compute a network again when a number is changed. A row is [value,
// derivative…]; x and y are the inputs, z the value, a and b the operation's
// constants.

// exactSquare returns x² and its rounding error.
function exactSquare(x) {
	const square = x * x, big = x * 134217729, high = big - (big - x), low = x - high;
	const rest = high * high - square + 2 * high * low + low * low;
	return [square, Number.isFinite(rest) ? rest : 0];
}

// expSquare is e^(c·x²), c < 0.
function expSquare(x, c) {
	const [square, rest] = exactSquare(x);
	return c * square < -750 ? 0 : Math.exp(c * square) * (1 + c * rest);
}

// erfcScaled is erfc(x)·e^(x²) for x ≥ 1.5, by the continued fraction from its
// far end.
function erfcScaled(x) {
	let f = x;
	for (let k = x < 3 ? 240 : 80; k > 0; k--) f = x + k / 2 / f;
	return 1 / f / Math.sqrt(Math.PI);
}

// erfSeries is erf(x) for small x, as a sum of terms of one sign.
function erfSeries(x) {
	let term = x, sum = x;
	for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++) sum += term *= 2 * x * x / (2 * n + 1);
	return 2 / Math.sqrt(Math.PI) * expSquare(x, -1) * sum;
}

function erf(x) {
	if (Number.isNaN(x) || x === 0) return x;
	return Math.abs(x) < 1.5 ? erfSeries(x) : Math.sign(x) * (1 - erfc(Math.abs(x)));
}

function erfc(x) {
	if (x < 0) return 2 - erfc(-x);
	if (x === Infinity) return 0;
	return x < 1.5 ? 1 - erfSeries(x) : expSquare(x, -1) * erfcScaled(x);
}

// normal is the normal distribution function Φ(x) = erfc(−x/√2)/2.
function normal(x) {
	const z = -x * Math.SQRT1_2;
	return z < 1.5 || z === Infinity ? 0.5 * erfc(z) : 0.5 * expSquare(x, -0.5) * erfcScaled(z);
}

const sigmoid = x => {
	const e = Math.exp(-Math.abs(x));
	return x < 0 ? e / (1 + e) : 1 / (1 + e);
};
const sigmoidSlope = x => {
	const e = Math.exp(-Math.abs(x));
	return e / ((1 + e) * (1 + e));
};
const softplus = (x, a = 1) => (a * x > 0 ? x : 0) + Math.log1p(Math.exp(-Math.abs(a * x))) / a;
const sinh = x => Math.abs(x) > 700 ? Math.sign(x) * cosh(x) : Math.sinh(x);
const cosh = x => {
	if (Math.abs(x) <= 700) return Math.cosh(x);
	const h = Math.exp(Math.abs(x) / 2);
	return 0.5 * h * h;
};

// between is a derivative of 1 inside (lo, hi), 0 outside and at the ends;
// within is 1 at the ends.
const between = (x, lo, hi, slope = 1) => Number.isNaN(x) ? x : x <= lo || x >= hi && hi !== Infinity ? 0 : slope;
const within = (x, lo, hi) => Number.isNaN(x) ? x : x < lo || x > hi ? 0 : 1;
const flat = x => Number.isNaN(x) ? x : 0;
const apart = (x, y) => x === y ? 0 : x - y;
const share = (x, y) => x === -Infinity && y === x ? 0 : sigmoid(apart(x, y));
const larger = (x, y) => x > y ? 1 : x < y ? 0 : x === y ? 0.5 : NaN;

// gate is x·p for a probability p, and gateSlope its derivative.
const gate = (x, p) => x === -Infinity ? 0 : x * p;
const gateSlope = (x, p, slope) => slope === 0 ? p : p + x * slope;

// mishGate returns tanh(ln(1 + eˣ)) and its derivative.
function mishGate(x) {
	const e = Math.exp(-Math.abs(x)), d = x > 0 ? 1 + 2 * e + 2 * e * e : e * e + 2 * e + 2;
	return x > 0 ? [(1 + 2 * e) / d, 4 * e * e * (1 + e) / (d * d)] : [e * (e + 2) / d, 4 * e * (1 + e) / (d * d)];
}

function roundEven(x) {
	const r = Math.round(x);
	return Math.abs(x - Math.trunc(x)) === 0.5 ? 2 * Math.round(x / 2) : r;
}

function pow(x, y) {
	if (x === 1 || x === -1 && Math.abs(y) === Infinity) return 1;
	return x ** y;
}

function powSlope(x, a) {
	return a === 0 ? 0 : a === 1 ? 1 : a === 2 ? 2 * x : a * pow(x, a - 1);
}

function log10(x) {
	return Math.log10(x);
}

// lgamma is ln|Γ(x)|: Stirling's series beyond 15, shifted there; negative
// numbers are reflected.
function lgamma(x) {
	if (Math.abs(x) === Infinity || x <= 0 && x === Math.trunc(x)) return Infinity;
	if (x < 0.5) return Math.log(Math.PI / Math.abs(sinPi(x))) - lgamma(1 - x);
	let product = 1;
	for (; x < 15; x++) product *= x;
	const square = 1 / (x * x);
	let series = 0;
	for (const c of [-691 / 360360, 1 / 1188, -1 / 1680, 1 / 1260, -1 / 360, 1 / 12]) series = series * square + c;
	return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series / x - Math.log(product);
}

const sinPi = x => Math.sin(Math.PI * (x - 2 * Math.round(x / 2)));

// digamma is the derivative of lgamma.
function digamma(x) {
	if (x === 0) return Object.is(x, -0) ? Infinity : -Infinity;
	if (x < 0 && x === Math.trunc(x)) return NaN;
	if (x < 0) return digamma(1 - x) - Math.PI / Math.tan(Math.PI * (x - Math.round(x)));
	let y = 0;
	for (; x < 10; x++) y -= 1 / x;
	const square = 1 / (x * x);
	let series = 0;
	for (const c of [-3617 / 8160, 1 / 12, -691 / 32760, 1 / 132, -1 / 240, 1 / 252, -1 / 120, 1 / 12]) series = (series + c) * square;
	return y + (Math.log(x) - 0.5 / x - series);
}

// polygamma is the n-th derivative of digamma.
function polygamma(x, n) {
	if (n === 0) return digamma(x);
	if (n < 0 || n !== Math.trunc(n) || Number.isNaN(x) || x === -Infinity || n === Infinity) return NaN;
	const sign = n % 2 ? 1 : -1;
	if (x > 0) return sign * zetaFactorial(x, n);
	if (x === Math.trunc(x)) return sign > 0 ? Infinity : x === 0 ? (Object.is(x, -0) ? Infinity : -Infinity) : NaN;
	const d = x - Math.round(x);
	return sign * (factorialPower(d, n) + zetaFactorial(1 + d, n) + sign * zetaFactorial(1 - d, n) - sign * zetaFactorial(1 - x, n));
}

// factorialPower is n!/xⁿ⁺¹.
function factorialPower(x, n) {
	let y = 1 / x;
	for (let k = 1; k <= n && y !== 0 && Number.isFinite(y); k++) y *= k / x;
	return y;
}

// zetaFactorial is n!·ζ(n+1, x), the sum of n!/(x+k)ⁿ⁺¹ over k ≥ 0: term by
// term, and far out by its asymptotic series.
function zetaFactorial(x, n) {
	let sum = 0;
	for (; x < 20 + 2 * n; x++) {
		const term = factorialPower(x, n);
		sum += term;
		if (term <= sum * 2 ** -54 || sum === Infinity) return sum;
	}
	let series = 1 + n / (2 * x), term = 1;
	[1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000].forEach((bernoulli, k) => {
		term *= (n + 2 * k) / x * ((n + 2 * k + 1) / x);
		series += bernoulli * term;
	});
	return sum + factorialPower(x, n - 1) * series;
}

// erfInv is the inverse of erf: a first guess, and Newton's and Halley's steps
// on erf or, in the tail, on the logarithm of erfc.
function erfInv(x) {
	const most = Math.abs(x);
	if (!(most < 1)) return most === 1 ? x * Infinity : NaN;
	if (most < 1e-8) return x * Math.sqrt(Math.PI) / 2;
	const l = Math.log1p(-x * x), h = 2 / (Math.PI * 0.147) + l / 2;
	let y = Math.sqrt(Math.sqrt(h * h - l / 0.147) - h);
	for (let k = 0; k < 4; k++) {
		const off = (most < 0.5 ? erf(y) - most : (1 - most) - erfc(y)) * Math.sqrt(Math.PI) / 2 / expSquare(y, -1);
		y -= off / (1 + y * off);
	}
	return Math.sign(x) * y;
}

function erfInvSlope(x) {
	const most = Math.abs(x), y = erfInv(most);
	if (!(most < 1)) return most === 1 ? Infinity : NaN;
	const scaled = y < 1.5 ? erfc(y) / expSquare(y, -1) : erfcScaled(y);
	return Math.sqrt(Math.PI) / 2 * (most < 0.5 ? 1 / expSquare(y, -1) : scaled / (1 - most));
}

const logit = x => x < 0.25 || x > 0.75 ? Math.log(x / (1 - x)) : Math.log1p((2 * x - 1) / (1 - x));

// sinCosPi returns the sine and cosine of πx, exact at multiples of ½.
function sinCosPi(x) {
	const whole = Math.round(x), rest = x - whole, sign = whole % 2 ? -1 : 1;
	const cos = Math.abs(rest) > 0.25 ? Math.sin(Math.PI * (0.5 - Math.abs(rest))) : Math.cos(Math.PI * rest);
	return [sign * Math.sin(Math.PI * rest), sign * cos];
}

const sinc = x => x === 0 ? 1 : sinCosPi(x)[0] / (Math.PI * x);

// sincSlope sums the power series near 0, where the difference would cancel.
function sincSlope(x) {
	if (Math.abs(x) > 0.7) return (sinCosPi(x)[1] - sinc(x)) / x;
	const square = Math.PI * Math.PI * x * x;
	let sum = 0, term = -Math.PI * Math.PI;
	for (let k = 2; k < 40; k += 2) {
		sum += term / (k + 1);
		term *= -square / (k * (k + 1));
	}
	return sum * x;
}

function remainder(x, y) {
	const rest = x % y;
	return rest !== 0 && rest < 0 !== y < 0 ? rest + y : rest;
}

// quotient is trunc(x/y) without a rounding up to the next whole number.
function quotient(x, y) {
	const rest = x % y;
	return Number.isFinite(rest) && Number.isFinite(y) ? Math.round((x - rest) / y) : Math.trunc(x / y);
}

function lerp(x, y, w) {
	const d = y - x;
	if (!Number.isFinite(d)) return (1 - w) * x + w * y;
	return w < 0.5 ? x + w * d : y - (1 - w) * d;
}

const boundedLogs = p => [Math.max(Math.log(p), -100), Math.max(Math.log1p(-p), -100)];
const geluU = x => 2 * Math.SQRT2 / Math.sqrt(Math.PI) * (x + 0.044715 * x * x * x);
const geluSlope = x => {
	const s = sigmoidSlope(geluU(x));
	return s && s * 2 * Math.SQRT2 / Math.sqrt(Math.PI) * (1 + 3 * 0.044715 * x * x);
};
const selu = 1.0507009873554805, seluAlpha = 1.6732632423543772;
const truth = (f) => [f];

const unary = {
	"relu": [x => Math.max(x, 0), x => between(x, 0, Infinity)],
	"relu6": [x => Math.min(Math.max(x, 0), 6), x => between(x, 0, 6)],
	"hard tanh": [x => Math.min(Math.max(x, -1), 1), x => between(x, -1, 1)],
	"clamp": [(x, a, b) => Math.min(Math.max(x, a), b), (x, z, a, b) => within(x, a, b)],
	"leaky relu": [(x, a) => x <= 0 ? a * x : x, (x, z, a) => Number.isNaN(x) ? x : x <= 0 ? a : 1],
	"elu": [(x, a) => x > 0 ? x : a * Math.expm1(x), (x, z, a) => x > 0 ? 1 : a * Math.exp(x)],
	"selu": [x => selu * (x > 0 ? x : seluAlpha * Math.expm1(x)), x => selu * (x > 0 ? 1 : seluAlpha * Math.exp(x))],
	"celu": [(x, a) => x > 0 ? x : a * Math.expm1(x / a), (x, z, a) => x > 0 ? 1 : Math.exp(x / a)],
	"gelu": [x => gate(x, normal(x)), x => gateSlope(x, normal(x), expSquare(x, -0.5) / Math.sqrt(2 * Math.PI))],
	"gelu tanh": [x => gate(x, sigmoid(geluU(x))), x => gateSlope(x, sigmoid(geluU(x)), geluSlope(x))],
	"silu": [x => gate(x, sigmoid(x)), x => gateSlope(x, sigmoid(x), sigmoidSlope(x))],
	"mish": [x => gate(x, mishGate(x)[0]), x => gateSlope(x, ...mishGate(x))],
	"softplus": [softplus, (x, z, a) => sigmoid(a * x)],
	"log sigmoid": [x => -softplus(-x), x => sigmoid(-x)],
	"softsign": [x => Math.abs(x) === Infinity ? Math.sign(x) : x / (1 + Math.abs(x)), x => 1 / (1 + Math.abs(x)) / (1 + Math.abs(x))],
	"sigmoid": [sigmoid, sigmoidSlope],
	"hard sigmoid": [x => Math.min(Math.max(x + 3, 0), 6) / 6, x => between(x, -3, 3, 1 / 6)],
	"hard swish": [x => x <= -3 ? 0 : x >= 3 ? x : x * (x + 3) / 6, x => x <= -3 ? 0 : x >= 3 ? 1 : (2 * x + 3) / 6],
	"hard shrink": [(x, a) => Math.abs(x) <= a ? 0 : x, (x, z, a) => Number.isNaN(x) ? x : +(Math.abs(x) > a)],
	"neg": [x => -x, () => -1],
	"mul scalar": [(x, a) => a * x, (x, z, a) => a],
	"add scalar": [(x, a) => x + a, () => 1],
	"square": [x => x * x, x => 2 * x],
	"sqrt": [Math.sqrt, (x, z) => 0.5 / (z + 0)],
	"rsqrt": [x => 1 / Math.sqrt(x), (x, z) => -0.5 * (z / x)],
	"reciprocal": [x => 1 / x, (x, z) => -z * z],
	"pow scalar": [pow, (x, z, a) => powSlope(x, a)],
	"cbrt": [Math.cbrt, (x, z) => 1 / (3 * z * z)],
	"abs": [Math.abs, x => Math.sign(x) + 0],
	"sign": [x => Math.sign(x) + 0, flat],
	"floor": [Math.floor, flat],
	"trunc": [Math.trunc, flat],
	"ceil": [Math.ceil, flat],
	"round": [roundEven, flat],
	"exp": [Math.exp, (x, z) => z],
	"expm1": [Math.expm1, Math.exp],
	"log": [Math.log, x => 1 / (x + 0)],
	"log1p": [Math.log1p, x => 1 / (1 + x)],
	"log2": [Math.log2, x => 1 / (x + 0) / Math.LN2],
	"log10": [log10, x => 1 / (x + 0) / Math.LN10],
	"sin": [Math.sin, Math.cos],
	"cos": [Math.cos, x => -Math.sin(x)],
	"tan": [Math.tan, (x, z) => 1 + z * z],
	"asin": [x => Math.atan2(x, Math.sqrt((1 - x) * (1 + x))), x => 1 / Math.sqrt((1 - x) * (1 + x))],
	"acos": [x => 2 * Math.atan2(Math.sqrt(1 - x), Math.sqrt(1 + x)), x => -1 / Math.sqrt((1 - x) * (1 + x))],
	"atan": [Math.atan, x => 1 / (1 + x * x)],
	"sinh": [sinh, cosh],
	"cosh": [cosh, sinh],
	"tanh": [Math.tanh, x => { const e = Math.exp(-2 * Math.abs(x)); return 4 * e / ((1 + e) * (1 + e)); }],
	"asinh": [Math.asinh, x => 1 / Math.hypot(1, x)],
	"acosh": [Math.acosh, x => 1 / (Math.sqrt(x - 1) * Math.sqrt(x + 1))],
	"atanh": [Math.atanh, x => 1 / ((1 - x) * (1 + x))],
	"erf": [erf, x => 2 / Math.sqrt(Math.PI) * expSquare(x, -1)],
	"erfc": [erfc, x => -2 / Math.sqrt(Math.PI) * expSquare(x, -1)],
	"erfinv": [erfInv, erfInvSlope],
	"logit": [logit, x => x < 0 || x > 1 ? NaN : 1 / ((x + 0) * (1 - x))],
	"sinc": [sinc, sincSlope],
	"lgamma": [lgamma, digamma],
	"digamma": [digamma, x => polygamma(x, 1)],
	"polygamma": [polygamma, (x, z, a) => polygamma(x, a + 1)],
	"equal scalar": truth((x, a) => +(x === a)), "not equal scalar": truth((x, a) => +(x !== a)),
	"less scalar": truth((x, a) => +(x < a)), "less equal scalar": truth((x, a) => +(x <= a)),
	"greater scalar": truth((x, a) => +(x > a)), "greater equal scalar": truth((x, a) => +(x >= a)),
};

const binary = {
	"add": [(x, y) => x + y, () => 1, () => 1],
	"sub": [(x, y) => x - y, () => 1, () => -1],
	"mul": [(x, y) => x * y, (x, y) => y, x => x],
	"div": [(x, y) => x / y, (x, y) => 1 / y, (x, y, z) => -(z / y)],
	"pow": [pow, powSlope, (x, y, z) => x === 0 && y >= 0 ? 0 : z * Math.log(x)],
	"atan2": [Math.atan2, (x, y, z) => angleSlope(x, y, z, y), (x, y, z) => angleSlope(x, y, z, -x)],
	"hypot": [Math.hypot, (x, y, z) => z === 0 ? 0 : x / z, (x, y, z) => z === 0 ? 0 : y / z],
	"fmod": [(x, y) => x % y, () => 1, (x, y) => -quotient(x, y)],
	"remainder": [remainder, () => 1, (x, y) => { const rest = x % y; return -quotient(x, y) + (rest !== 0 && rest < 0 !== y < 0); }],
	"logaddexp": [(x, y) => Math.max(x, y) + softplus(-Math.abs(apart(x, y))), share, (x, y) => share(y, x)],
	"maximum": [Math.max, larger, (x, y) => larger(y, x)],
	"minimum": [Math.min, (x, y) => larger(-x, -y), (x, y) => larger(-y, -x)],
	"prelu": [(x, y) => x > 0 ? x : y * x, (x, y) => Number.isNaN(x) ? x : x > 0 ? 1 : y, x => x > 0 ? 0 : x],
	"binary cross entropy": [
		(x, y) => { const [hit, miss] = boundedLogs(x); return -(y * hit + (1 - y) * miss); },
		(x, y) => (x - y) / Math.max(x * (1 - x), 1e-12),
		x => { const [hit, miss] = boundedLogs(x); return miss - hit; }],
	"binary cross entropy logits": [
		(x, y) => Math.log1p(Math.exp(-Math.abs(x))) + (x > 0 ? x * (1 - y) : -x * y),
		(x, y) => x > 0 ? (1 - y) - sigmoid(-x) : sigmoid(x) - y, x => -x],
	"cross entropy": [
		(x, y) => -(y * Math.max(Math.log(x), -100)), (x, y) => -(y / Math.max(x, 1e-12)), x => -Math.max(Math.log(x), -100)],
	"equal": truth((x, y) => +(x === y)), "not equal": truth((x, y) => +(x !== y)),
	"less": truth((x, y) => +(x < y)), "less equal": truth((x, y) => +(x <= y)),
	"greater": truth((x, y) => +(x > y)), "greater equal": truth((x, y) => +(x >= y)),
};

function angleSlope(x, y, z, numerator) {
	const r = Math.hypot(x, y);
	return Number.isNaN(z) ? z : r === 0 || r === Infinity ? 0 : numerator / r / r;
}

// alone lists operations on tensors that leave a single number as it is.
const alone = new Set(["sum", "mean", "prod", "max", "min", "logsumexp", "reshape", "expand", "permute", "slice", "concat", "cumsum", "cumprod", "cummax", "cummin", "logcumsumexp", "sort", "top k"]);

// shares returns the softmax of numbers, and the logarithm of the sum of their
// exponentials.
function shares(x) {
	const most = Math.max(...x), shift = Number.isFinite(most) ? most : 0, e = x.map(v => Math.exp(v - shift)), sum = e.reduce((a, b) => a + b);
	return [e.map(v => v / sum), shift + Math.log(sum)];
}

const extreme = (x, y) => [y, x.map(v => v === y ? 1 / x.filter(w => w === y).length : 0)];

// together has the operations on all numbers of a row, each with its value and
// its derivative by each of them; k is the index of the result in the row.
const together = {
	"sum": x => [x.reduce((a, b) => a + b), x.map(() => 1)],
	"mean": x => [x.reduce((a, b) => a + b) / x.length, x.map(() => 1 / x.length)],
	"max": x => extreme(x, Math.max(...x)),
	"min": x => extreme(x, Math.min(...x)),
	"logsumexp": x => { const [p, log] = shares(x); return [log, p.map(v => log === -Infinity ? 0 : v)]; },
	"softmax": (x, k) => { const [p] = shares(x); return [p[k], p.map((v, j) => p[k] * ((j === k) - v))]; },
	"log softmax": (x, k) => { const [p, log] = shares(x); return [x[k] - log, p.map((v, j) => (j === k) - v)]; },
};

// evaluate returns an operation's value for single numbers and its derivative
// by each of them, or null if the page does not know the operation.
function evaluate(op, constants, inputs, terms, place = 0) {
	const [x, y, w] = inputs, [a = 0, b = 0] = constants || [];
	if (terms) return weightedSum(terms, inputs);
	if (unary[op] && inputs.length === 1) {
		const [f, d] = unary[op], z = f(x, a, b);
		return { y: z, slopes: d ? [d(x, z, a, b)] : null };
	}
	if (binary[op] && inputs.length === 2) {
		const [f, dx, dy] = binary[op], z = f(x, y);
		return { y: z, slopes: dx ? [dx(x, y, z), dy(x, y, z)] : null };
	}
	if (alone.has(op) && inputs.length === 1) return { y: x, slopes: [1] };
	if (together[op]) {
		const [y, slopes] = together[op](inputs, place);
		return { y, slopes };
	}
	if (op === "matmul" && inputs.length === 2) return { y: x * y, slopes: [y, x] };
	if (op === "where" && inputs.length === 3) return { y: x !== 0 ? y : w, slopes: [0, x !== 0 ? 1 : 0, x !== 0 ? 0 : 1] };
	if (op === "lerp" && inputs.length === 3) return { y: lerp(x, y, w), slopes: [1 - w, w, y - x] };
	if (op === "detach") return { y: x, slopes: null };
	return null;
}

// weightedSum adds up the products of its terms; a term is the inputs that are
// multiplied.
function weightedSum(terms, inputs) {
	const slopes = inputs.map(() => 0);
	let y = 0;
	for (const [k, term] of terms.entries()) {
		const product = term.reduce((p, i) => p * inputs[i], 1);
		y = k ? y + product : product;
		for (const i of term) slopes[i] += term.reduce((p, j) => j === i ? p : p * inputs[j], 1);
	}
	return { y, slopes };
}
