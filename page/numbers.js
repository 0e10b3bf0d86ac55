// Numbers: how they are read from the data and written for people.

// decoded turns strings for NaN and infinities back into numbers, at any
// depth.
function decoded(x) {
	if (typeof x === "string") return Number(x);
	return Array.isArray(x) ? x.map(decoded) : x;
}

// number writes v with that many significant digits, as the drawings do:
// "0.13", "−2.17", "1.2e−7".
function number(v, digits = data.digits) {
	if (v === 0) return "0";
	if (!Number.isFinite(v)) return Number.isNaN(v) ? "NaN" : v > 0 ? "+Inf" : "−Inf";
	const [mantissa, power] = v.toExponential(digits - 1).split("e");
	const exponent = Number(power);
	const text = exponent > -5 && exponent < 6
		? trimZeros(v.toFixed(Math.min(100, Math.max(0, digits - 1 - exponent))))
		: trimZeros(mantissa) + "e" + exponent;
	return text.replaceAll("-", "−");
}

function trimZeros(s) {
	return s.includes(".") ? s.replace(/\.?0+$/, "") : s;
}

// inside writes a number as part of a formula, with brackets if it is
// negative.
const inside = v => v < 0 ? `(${number(v)})` : number(v);

// brief writes numbers of any kind in one line.
function brief(x) {
	if (x === null || x === undefined) return "";
	if (typeof x === "number") return number(x);
	if (Array.isArray(x)) return x.length ? `[${x.map(v => number(v)).join(" ")}]` : "empty";
	const parts = x.finite ? [`${number(x.min, 3)} … ${number(x.max, 3)}`] : [];
	if (x.nans) parts.push(`${x.nans} × NaN`);
	if (x.infs) parts.push(`${x.infs} × Inf`);
	return parts.join(", ");
}

// norm returns the Euclidean norm of numbers of any kind.
function norm(x) {
	if (typeof x === "number") return Math.abs(x);
	return Array.isArray(x) ? Math.hypot(...x) : decoded(x.norm);
}

const isZero = x => typeof x === "number" ? x === 0 : Array.isArray(x) ? x.length > 0 && x.every(v => v === 0) : !!x && !!x.zero;

const isBroken = x => typeof x === "number" ? !Number.isFinite(x)
	: Array.isArray(x) ? x.some(v => !Number.isFinite(v)) : !!x && (x.nans > 0 || x.infs > 0);

const hasNaN = x => typeof x === "number" ? Number.isNaN(x) : Array.isArray(x) ? x.some(Number.isNaN) : !!x && x.nans > 0;

// signOf returns −1, 0 or 1 for a single number, 0 for a tensor.
const signOf = x => typeof x === "number" && !Number.isNaN(x) ? Math.sign(x) : 0;

// moved writes a number's new value, or the difference if the new value looks
// like the old one.
function moved(old, next, write = brief) {
	const same = typeof old === "number" && typeof next === "number" && old !== next && write(old) === write(next);
	return same ? `Δ ${number(next - old, 3)}` : `→ ${write(next)}`;
}
