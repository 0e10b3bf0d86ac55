// The steps of predict → measure → feedback → adjust, and their arithmetic in words and numbers.

const phases = ["predict", "measure", "feedback", "adjust"];

// stepsOf returns the steps of an epoch in order. Each belongs to a phase, and shows a node, an edge or both.
function stepsOf(g, world, net) {
	const steps = [], measured = n => net && net.group[n.at]?.kind === "loss" || n.at === g.root;
	const add = (phase, node, edge, extra) => steps.push({ phase, node, edge, ...extra });
	add("predict", null, null, { given: true });
	for (const n of g.nodes) if (!n.leaf && !measured(n)) add("predict", n, null);
	for (const n of g.nodes) if (!n.leaf && measured(n)) add("measure", n, null);
	const root = g.nodes[g.root];
	if (Object.keys(world.contributions).length || root && has(world.gradients[root.raw])) {
		if (root) add("feedback", root, null, { seed: true });
		const order = g.nodes.slice().reverse(), later = n => n.rest && n.in.every(e => g.nodes[e.from].leaf); // the other rows, once this one is done
		for (const n of [...order.filter(n => !later(n)), ...order.filter(later)])
			for (const e of n.in) if (e.raw in world.contributions) add("feedback", g.nodes[e.from], e);
	}
	for (const n of g.nodes) if (world.updates.has(n.raw)) add("adjust", n, null);
	return steps;
}

// timesOf returns from which step on a value, a gradient's part and an update are shown, by raw node and raw edge.
function timesOf(steps, raw, g) {
	const value = new Array(raw.nodes.length).fill(0), part = {}, gradient = new Array(raw.nodes.length).fill(Infinity), update = [];
	steps.forEach((s, k) => {
		if (s.seed) gradient[s.node.raw] = k;
		else if (s.edge) part[s.edge.raw] = k;
		else if (s.phase === "adjust") update[s.node.raw] = k;
		else if (s.node) s.node.inside.forEach(i => { value[i] = k; });
	});
	for (const n of g.nodes) { // what happens within a weighted sum happens when its first input receives
		if (n.inside.length < 2) continue;
		const first = Math.min(...n.in.map(e => part[e.raw] ?? Infinity));
		for (const i of n.inside) {
			if (i === n.raw) continue;
			gradient[i] = first;
			raw.nodes[i].uses.forEach(e => { part[e.raw] ??= first; });
		}
	}
	for (const e of raw.edges) if (e.raw in part) {
		const at = part[e.raw];
		gradient[e.from] = gradient[e.from] === Infinity ? at : Math.min(gradient[e.from], at);
	}
	return { value, part, gradient, update };
}

// A formula is a list of words and of references to nodes: {ref, text, kind}.
const ref = (n, text = title(n), kind = "value") => ({ ref: n.raw, text, kind });
const valueRef = (n, world, bare) => ref(n, typeof world.values[n.raw] === "number" ? (bare ? number : inside)(world.values[n.raw]) : title(n));

// written returns an operation with its inputs written by `name`, which is told when brackets stand around one.
function written(g, n, name) {
	const x = n.in.map(e => name(g.nodes[e.from])), bare = n.in.map(e => name(g.nodes[e.from], true));
	const c = decoded(n.c || []).map(v => inside(v));
	if (n.t) return n.t.flatMap((term, k) => [...(k ? [" + "] : []), ...term.flatMap((i, j) => [...(j ? [n.matrix ? " · " : " × "] : []), x[i]])]);
	if (n.rest) return ["what all of them compute as this one does"];
	if (n.f) return ["(", ...bare.flatMap((y, k) => k ? [" + ", y] : [y]), n.f === 1 ? ")" : `) / ${Math.round(1 / n.f)}`];
	if (n.many || n.in.some(e => g.nodes[e.from].many)) return ["the result of ", ...x.flatMap((y, k) => k ? [", ", y] : [y])];
	if (!n.cu) switch (n.op) {
	case "add": return [x[0], " + ", x[1]];
	case "sub": return [x[0], " − ", x[1]];
	case "mul": return [x[0], " × ", x[1]];
	case "div": return [x[0], " / ", x[1]];
	case "matmul": return [x[0], " · ", x[1]];
	case "square": return ["(", bare[0], ")²"];
	case "neg": return ["−(", bare[0], ")"];
	case "scale": return [c[0], " × ", x[0]];
	case "add scalar": return [x[0], " + ", c[0]];
	case "pow scalar": return ["(", bare[0], ")^", c[0]];
	}
	return [shorten(n.op) + "(", ...bare.flatMap((y, k) => k ? [", ", y] : [y]), ...(n.sh && !n.single ? [] : c.map(v => "; " + v)), ")"];
}

// factorOf writes the chain rule's factor on an edge in symbols.
function factorOf(g, e) {
	const n = g.nodes[e.to], at = i => g.nodes[n.in[i].from], slope = `∂(${title(n)})/∂(${title(g.nodes[e.from])})`;
	if (n.f) return [n.f === 1 ? "1" : `1/${Math.round(1 / n.f)}`];
	if (n.rest) return [`∂Σ/∂(${title(g.nodes[e.from])})`];
	if (n.many || g.nodes[e.from].many) return [slope];
	if (n.t) {
		const others = n.t.find(t => t.includes(e.input)).filter(i => i !== e.input);
		if (!others.length) return ["1"];
		return others.flatMap((i, k) => [...(k ? [" × "] : []), ref(at(i)), ...(n.matrix ? ["ᵀ"] : [])]);
	}
	if (!n.cu) switch (n.op) {
	case "add": case "add scalar": return ["1"];
	case "sub": return [e.input ? "(−1)" : "1"];
	case "neg": return ["(−1)"];
	case "mul": return [ref(at(1 - e.input))];
	case "div": return e.input ? [`(−`, ref(n), "/", ref(at(1)), ")"] : ["1/", ref(at(1))];
	case "matmul": return [ref(at(1 - e.input)), "ᵀ"];
	case "scale": return [inside(decoded(n.c[0]))];
	case "square": return ["2·", ref(at(0))];
	case "exp": return [ref(n)];
	}
	return n.in.length > 1 ? [slope] : [shorten(n.op) + "′(", ref(at(0)), ")"];
}

// narrate returns a step's heading and its lines, each a formula.
function narrate(g, raw, world, steps, k) {
	const s = steps[k], n = s.node;
	if (s.given) return given(g, world);
	if (s.phase === "adjust") return adjusting(n, world);
	if (s.phase === "feedback") return s.seed ? seeding(n, world) : handingOn(g, world, steps, k);
	const symbols = [ref(n), " = ", ...written(g, n, x => ref(x))];
	const head = s.phase === "measure" ? (n.at === g.root ? "Measure the loss" : "Measure") : n.t ? "Predict: a weighted sum" : "Predict";
	if (n.rest || !n.single || n.in.some(e => !g.nodes[e.from].single))
		return { head, lines: [symbols, [ref(n), ` ${shapeText(n)} = ${brief(world.values[n.raw])}`]], node: n };
	const numbers = [ref(n), " = ", ...written(g, n, (x, bare) => valueRef(x, world, bare)), " = ", ref(n, number(world.values[n.raw]))];
	return { head, lines: [symbols, numbers], node: n };
}

function given(g, world) {
	const of = f => g.nodes.filter(f), list = all => all.slice(0, 4).flatMap((n, i) => [i ? ", " : "", ref(n), ` = ${brief(world.values[n.raw])}`]);
	const inputs = of(n => n.leaf && n.k === "constant" && n.role !== "target" && n.uses.length), learned = of(isLearned);
	const more = all => all.length > 4 ? [`, and ${all.length - 4} more`] : [];
	const lines = [];
	if (inputs.length) lines.push(["Given: ", ...list(inputs), ...more(inputs)]);
	if (learned.length > 4) lines.push([`Learned: ${learned.length} values, each with its present number.`]);
	else if (learned.length) lines.push(["Learned: ", ...list(learned)]);
	lines.push(["Press ▶ Play, or → for one step."]);
	return { head: "Predict: what is known before", lines, node: null };
}

function seeding(n, world) {
	const g = world.gradients[n.raw];
	return {
		head: "Feedback starts at the loss", node: n,
		lines: [[ref(n, gradientTitle(n), "gradient"), " = ", ref(n, brief(g), "gradient")], ["How much does the loss change when the loss changes? By as much: the chain rule starts with 1."]],
	};
}

// handingOn is a step of the chain rule: a gradient times the local factor, added to what the receiving value has already.
function handingOn(g, world, steps, k) {
	const { edge: e, node: n } = steps[k], to = g.nodes[e.to];
	const parts = steps.slice(0, k + 1).filter(s => s.edge && s.edge.from === e.from).map(s => world.contributions[s.edge.raw]);
	const several = n.uses.filter(u => u.raw in world.contributions).length;
	const matrix = !to.single || !n.single, isProduct = matrix && !to.many && !n.many && (to.matrix || to.op === "matmul");
	const factors = factorOf(g, e), isOne = factors[0] === "1", place = to.t ? to.t.find(t => t.includes(e.input)).indexOf(e.input) : e.input;
	const upstream = ref(to, gradientTitle(to), "gradient"), times = isProduct && !isOne ? " · " : " × ";
	const product = isProduct && place === 1 ? [...factors, times, upstream] : [upstream, times, ...factors]; // dW = xᵀ · dz, dx = dz · Wᵀ
	const self = ref(n, gradientTitle(n), "gradient"), summed = matrix && isOne && !same(n.sh, to.sh) ? [`, summed to ${shapeText(n) || "one number"}`] : [];
	const lines = [[self, several > 1 ? " receives " : " = ", ...product, ...summed]];
	const c = world.contributions[e.raw], factor = localOf(g, world, e);
	if (typeof c !== "number") {
		lines.push([self, ` ${shapeText(n)} = `, ref(n, brief(c), "gradient"), `, norm ${number(norm(c))}`]);
	} else if (factor === undefined || typeof world.gradients[to.raw] !== "number") {
		lines.push([several > 1 ? "receives " : "", self, ` = ${number(c)}`]);
	} else {
		lines.push([ref(to, inside(world.gradients[to.raw]), "gradient"), " × ", ref(to, inside(factor)), " = ", ref(n, number(c), "gradient")]);
	}
	if (several > 1) lines.push(sumSoFar(n, parts, several, self));
	return { head: "Feedback: the chain rule", lines, node: n, edge: e };
}

function sumSoFar(n, parts, several, self) {
	const count = ` (${parts.length} of ${several})`;
	if (!parts.every(p => typeof p === "number")) return [self, `: ${parts.length} of ${several} parts have arrived`];
	const sum = parts.reduce((a, b) => a + b), few = parts.length > 6 ? ["… + ", ...parts.slice(-5).map(inside)] : parts.map((p, i) => i ? inside(p) : number(p));
	const terms = parts.length > 6 ? few[0] + few.slice(1).join(" + ") : few.join(" + ");
	return [self, parts.length > 1 ? ` so far = ${terms} = ` : " so far = ", ref(n, number(sum), "gradient"), count];
}

function adjusting(n, world) {
	const w = world.values[n.raw], d = world.gradients[n.raw], next = world.updates.get(n.raw);
	const old = ref(n), to = ref(n, brief(next), "change");
	if (isPlain(world, n.raw)) {
		return {
			head: "Adjust against the gradient", node: n,
			lines: [[old, " − α × ", ref(n, gradientTitle(n), "gradient"), ", learning rate α = " + number(world.rate)],
				[ref(n, number(w)), ` − ${number(world.rate)} × `, ref(n, inside(d), "gradient"), " = ", to]],
		};
	}
	const change = typeof w === "number" && typeof next === "number" ? [[ref(n, number(w)), " + ", ref(n, inside(next - w), "change"), " = ", to]] : [[old, ` ${shapeText(n)} → `, to]];
	const gradient = has(d) ? [[ref(n, gradientTitle(n), "gradient"), " = ", ref(n, brief(d), "gradient")]] : [];
	return { head: "Adjust: the optimizer's step", node: n, lines: [[old, " + Δ, as the optimizer chose it, learning rate " + number(world.rate)], ...change, ...gradient] };
}

// plainText is a formula as a screen reader says it.
const plainText = line => line.map(part => typeof part === "string" ? part : part.text).join("");
