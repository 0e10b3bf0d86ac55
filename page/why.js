// Why a gradient has its value: its terms, the largest ways to the loss, and
// the cause of a zero or a NaN.

// explain returns the terms of a node's gradient, the ways that contribute
// most, and sentences: the same as Go's explain.Gradient.
function explain(g, all, world, n) {
	const gradient = world.gradients[n.raw], end = closing(n, gradient), last = end ? [sentence(end)] : [];
	if (!has(gradient)) return { terms: [], ways: [], sentences: [whyNot(n, gradient), ...last] };
	const terms = termsOf(g, world, n).map(e => ({
		edge: e, to: g.nodes[e.to], upstream: world.gradients[g.nodes[e.to].raw], factor: localOf(g, world, e), part: world.contributions[e.raw],
	}));
	const cause = typeof gradient === "number" ? causeOf(all, world, all.nodes[n.raw]) : "";
	return { terms, ways: n.single ? waysFrom(g, world, n) : [], sentences: [...(n.at === g.root ? ["The backward pass starts here."] : []), ...(cause ? [sentence(cause)] : []), ...last], cause, closing: end };
}

const sentence = words => words[0].toUpperCase() + words.slice(1) + ".";

function whyNot(n, gradient) {
	if (gradient && gradient.why) return gradient.why === "not reached" ? "The loss does not depend on it in a way that carries gradients: its gradient is zero, and nothing trains it." : `Its gradient is not known: ${gradient.why}.`;
	if (n.fz) return "It is frozen: it has no gradient and is not trained.";
	return n.k === "constant" ? "It is a constant: nothing is learned through it, so it has no gradient." : "It depends on nothing that is learned, so it has no gradient.";
}

// What is called tiny, as in package explain: a gradient relative to that of
// the loss; one relative to its terms; a factor.
const tiny = { gradient: 1e-4, cancelled: 1e-3, factor: 1e-2 };

// causeOf says why a single gradient is zero, tiny or not finite; "" if it is
// none of these. The graph is that of all values.
function causeOf(g, world, n) {
	const gradient = world.gradients[n.raw];
	if (!Number.isFinite(gradient)) return brokenBy(g, world, n);
	if (gradient === 0) return whyZero(g, world, n);
	const parts = termsOf(g, world, n), sum = parts.reduce((s, e) => s + Math.abs(world.contributions[e.raw]), 0);
	if (Math.abs(gradient) < tiny.cancelled * sum) return cancels(n, Math.abs(gradient) / sum);
	const end = g.nodes[g.root], seed = end && has(world.gradients[end.raw]) ? norm(world.gradients[end.raw]) : NaN;
	if (Number.isNaN(seed)) return "";
	if (Math.abs(gradient) >= tiny.gradient * seed) return "";
	const weak = weakest(g, world, n);
	if (weak.factor >= tiny.factor) return `${weak.steps} steps with factors of ${number((Math.abs(gradient) / seed) ** (1 / weak.steps), 4)} on average`;
	return weak.edge ? smallFactor(g, world, weak.edge, weak.factor) : cancels(weak.node, weak.factor);
}

// termsOf returns the edges that passed a contribution back, latest use first.
const termsOf = (g, world, n) => n.uses.filter(e => e.raw in world.contributions).reverse();

const cancels = (n, part) => `what the uses of ${title(n)} hand back cancels` + (part ? `, to ${number(part, 4)} of the sum of its sizes` : "");

// whyZero finds the step after which nothing is left.
function whyZero(g, world, n) {
	for (let node = n; ;) {
		const edges = termsOf(g, world, node);
		if (!edges.length) return node.at === g.root ? "the backward pass started with 0" : "";
		if (edges.some(e => world.contributions[e.raw] !== 0)) return cancels(node);
		const e = edges[0], to = g.nodes[e.to], factor = localOf(g, world, e);
		if (world.gradients[to.raw] === 0) node = to;
		else if (factor === 0 || factor === undefined) return smallFactor(g, world, e, 0);
		else return `the product with the slope of ${called(to)} is below the smallest number`;
	}
}

// weakest follows the largest terms to the loss and returns the step in which
// most of the gradient is lost.
function weakest(g, world, n) {
	const weak = { node: n, edge: null, factor: Infinity, steps: 0 };
	for (let node = n; node.at !== g.root;) {
		const edges = termsOf(g, world, node), size = e => norm(world.contributions[e.raw]);
		if (!edges.length) break;
		const sum = edges.reduce((s, e) => s + size(e), 0), next = edges.reduce((a, b) => size(b) > size(a) ? b : a);
		const kept = norm(world.gradients[node.raw]) / sum, to = g.nodes[next.to], factor = size(next) / norm(world.gradients[to.raw]);
		if (kept < tiny.cancelled && kept < weak.factor) Object.assign(weak, { node, edge: null, factor: kept });
		if (!isOp(to, "mean") && factor < weak.factor) Object.assign(weak, { node, edge: next, factor });
		weak.steps++;
		node = to;
	}
	return weak;
}

// called returns a node's title with its operation.
const called = n => !n.n && n.d || title(n).includes(shorten(n.op)) ? title(n) : `${shorten(n.op)} ${title(n)}`;

const gates = {
	"relu": "is closed", "relu6": "is closed", "clamp": "is beyond its bounds", "maximum": "takes its other input", "minimum": "takes its other input",
	"where": "takes its other branch", "max": "takes other elements", "min": "takes other elements",
};
const saturating = ["sigmoid", "tanh", "hard sigmoid", "hard tanh", "softsign", "erf", "softmax", "log sigmoid"];

// smallFactor names the step in which a gradient became tiny or zero.
function smallFactor(g, world, e, factor) {
	const to = g.nodes[e.to], from = g.nodes[e.from], given = from.single ? `: its input is ${number(world.values[from.raw], 4)}` : "";
	if (to.cu) return `the rule of ${called(to)} hands back ${number(factor, 4)} of the gradient`;
	if (gates[to.op]) return `${called(to)} ${gates[to.op]}${given}`;
	if (saturating.includes(to.op)) return factor ? `${called(to)} is saturated: its slope is ${number(factor, 4)}` : `${called(to)} is saturated${given}`;
	const term = to.t ? to.t.find(t => t.includes(e.input)) : to.op === "mul" || to.op === "matmul" ? [0, 1] : [];
	const other = term.length > 1 ? g.nodes[to.in[term.find(i => i !== e.input)].from] : null;
	if (other && other !== from) return `${called(to)} multiplies it by ${typeof world.values[other.raw] === "number" ? `${title(other)}, which is ${number(world.values[other.raw], 4)}` : `${title(other)}, whose norm is ${number(norm(world.values[other.raw]), 4)}`}`;
	if (to.op === "mul scalar") return `${called(to)} multiplies it by ${number(decoded(to.c[0]), 4)}`;
	const slope = localOf(g, world, e);
	return slope === undefined ? `${called(to)} has the slope ${number(factor, 4)} there` : `${called(to)} has the slope ${number(slope, 4)} at ${number(world.values[from.raw], 4)}`;
}

// brokenBy follows a gradient that is not finite to its origin.
function brokenBy(g, world, n) {
	for (let node = n; ;) {
		const e = termsOf(g, world, node).find(u => isBroken(world.contributions[u.raw]));
		if (!e) return node === n ? "the sum of what its uses hand back is beyond the largest number" : "";
		const to = g.nodes[e.to], upstream = world.gradients[to.raw], factor = localOf(g, world, e), x = world.values[node.raw];
		if (has(upstream) && isBroken(upstream) && to.at !== g.root) { node = to; continue; }
		return `${called(to)}: its slope at ${title(node)} = ${brief(x)} is ${factor === undefined ? "not finite" : number(factor)}`;
	}
}

// originsOf returns the values that are not finite although all their inputs
// are, and likewise the gradients.
function originsOf(g, world) {
	const bad = x => has(x) && isBroken(x), { values, gradients, contributions } = world;
	const begins = n => bad(values[n.raw]) && !n.in.some(e => bad(values[e.from]));
	const spoils = n => bad(gradients[n.raw]) && !n.uses.some(e => bad(contributions[e.raw]) && bad(gradients[e.to]));
	return { values: new Set(g.nodes.filter(begins).map(n => n.raw)), gradients: new Set(g.nodes.filter(spoils).map(n => n.raw)) };
}

// closing says what a step of gradient descent does to a parameter or
// variable.
function closing(n, gradient) {
	if (!isLearned(n)) return "";
	if (n.fz) return `${title(n)} is frozen, so no step will change it`;
	if (gradient && gradient.why && gradient.why !== "not reached") return "";
	if (!has(gradient)) return `no gradient, so no step will change ${title(n)}`;
	if (isBroken(gradient)) return `the gradient is not finite, so a step would spoil ${title(n)}`;
	if (typeof gradient !== "number") return "";
	if (gradient === 0) return `zero gradient, so ${title(n)} stays as it is`;
	return gradient < 0 ? `negative gradient, so ${title(n)} will be increased` : `positive gradient, so ${title(n)} will be decreased`;
}

// waysFrom returns the largest ways from a node to the loss, each with the
// product of its factors and its share of the gradient.
function waysFrom(g, world, n, most = 3) {
	if (!g.nodes[g.root]) return [];
	const best = new Map([[g.root, [{ product: world.gradients[g.nodes[g.root].raw], steps: null }]]]);
	for (let i = g.root; i >= n.at; i--) {
		if (i === g.root) continue;
		const found = [];
		for (const e of g.nodes[i].uses.slice().reverse()) {
			const ahead = best.get(e.to), factor = ahead && e.raw in world.contributions ? localOf(g, world, e) : undefined;
			if (factor === undefined || !Number.isFinite(factor)) continue;
			for (const p of ahead) found.push({ product: p.product * factor, edge: e, next: p });
		}
		if (!found.length) continue;
		found.sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
		best.set(i, found.slice(0, most));
	}
	if (n.at === g.root) return [];
	return (best.get(n.at) || []).filter(p => p.product !== 0).map(p => {
		const nodes = [n];
		for (let q = p; q.edge; q = q.next) nodes.push(g.nodes[q.edge.to]);
		return { nodes, product: p.product, share: p.product / world.gradients[n.raw] };
	});
}
