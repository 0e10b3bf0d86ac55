// The steps of predict → measure → feedback → adjust, and their arithmetic in
// words and numbers.

const phases = ["predict", "measure", "feedback", "adjust"];

// stepsOf returns the steps of an epoch in order. Each belongs to a phase and
// shows a node, an edge or both.
function stepsOf(g, world, net) {
	const steps = [], predicts = predicting(g), measured = n => net && net.group[n.at]?.kind === "loss" && !predicts[n.at] || n.at === g.root;
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

// predicting returns what probabilities are computed from, and what computes
// them.
function predicting(g) {
	const judged = following(g, g.nodes.filter(n => n.role === "target").map(n => n.at)), leads = g.nodes.map(n => (isShare(n) || isOp(n, "sigmoid")) && !judged[n.at]);
	for (let i = g.nodes.length - 1; i >= 0; i--) leads[i] ||= g.nodes[i].uses.some(e => leads[e.to]);
	return leads;
}

// timesOf returns the step from which a value, a gradient's part or an update
// is shown, by raw node and raw edge.
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

// stretchesOf groups the steps of one phase in one layer, as the first and the
// last of them. A layer is the outermost scope that does not contain
// everything.
function stretchesOf(steps, g) {
	const paths = g.nodes.map(n => scopePath(n.s || 0)), longest = Math.max(0, ...paths.map(p => p.length));
	const upTo = depth => new Set(g.nodes.filter(n => !n.leaf).map(n => paths[n.at].slice(0, depth).join("/")));
	let depth = 1;
	while (depth < longest && upTo(depth).size < 2) depth++;
	const layer = n => paths[n.at].slice(0, depth).join("/"), all = [];
	let last = null;
	steps.forEach((s, k) => {
		const of = s.edge ? g.nodes[s.edge.to] : s.node, key = [s.phase, s.given, s.seed, of?.rest, of && layer(of)].join();
		if (key === last) all.at(-1).to = k; else all.push({ from: k, to: k, name: of ? paths[of.at].slice(0, depth).map(shorten).join(" · ") : "" });
		last = key;
	});
	return all;
}

// A formula is a list of words and of references to nodes: {ref, text, kind}.
const ref = (n, text = title(n), kind = "value") => ({ ref: n.raw, text, kind });
const symbol = (n, bare) => ref(n, bare || !compound(n) ? title(n) : `(${title(n)})`);
const valueRef = (n, world, bare) => ref(n, typeof world.values[n.raw] === "number" ? (bare === true ? number : inside)(world.values[n.raw]) : title(n));

// written returns an operation with its inputs written by `name`, which is told
// if no brackets are needed: true, or "term" after a plus.
function written(g, n, name) {
	const x = n.in.map(e => name(g.nodes[e.from])), bare = n.in.map(e => name(g.nodes[e.from], true));
	const c = decoded(n.c || []).map(v => inside(v));
	if (n.t) return joined(n.t.map(term => joined(term.map(i => x[i]), n.matrix ? " · " : " × ")), " + ");
	if (n.rest) return ["what all of them compute as this one does"];
	if (n.f) return ["(", ...joined(bare, " + "), n.f === 1 ? ")" : `) / ${Math.round(1 / n.f)}`];
	if (n.many || n.in.some(e => g.nodes[e.from].many)) return ["the result of ", ...joined(x, ", ")];
	if (!n.cu) switch (n.op) {
	case "add": return [bare[0], " + ", name(g.nodes[n.in[1].from], "term")];
	case "sub": return [bare[0], " − ", x[1]];
	case "mul": return [x[0], " × ", x[1]];
	case "div": return [x[0], " / ", x[1]];
	case "matmul": return [x[0], " · ", x[1]];
	case "square": return [x[0], "²"];
	case "neg": return ["−", x[0]];
	case "exp": return ["e^", x[0]];
	case "log": return ["ln ", x[0]];
	case "sqrt": return ["√", x[0]];
	case "abs": return ["|", bare[0], "|"];
	case "mul scalar": return [c[0], " × ", x[0]];
	case "add scalar": return [bare[0], " + ", c[0]];
	case "pow scalar": return [x[0], "^", c[0]];
	case "sum": if (n.in.length > 1) return joined(x, " + "); break;
	case "mean": if (n.in.length > 1) return ["(", ...joined(x, " + "), `) / ${x.length}`]; break;
	}
	return [shorten(n.op) + "(", ...joined(bare, ", "), ...(n.sh && !n.single ? [] : c.map(v => "; " + v)), ")"];
}

// joined puts words between the parts of a formula; each part is a word or a
// list.
const joined = (parts, words) => parts.flatMap((part, k) => [...(k ? [words] : []), ...[part].flat()]);

// expanded returns the formula behind an operation's name, with its inputs
// written by `name`; nothing if the name says all.
function expanded(g, n, name) {
	const x = n.in.map(e => name(g.nodes[e.from])), e = y => ["e^", y], powers = joined(x.map(e), " + "), [a, y] = x, bare = () => name(g.nodes[n.in[0].from], true);
	if (n.cu || n.t || n.many || !n.single || n.in.some(e => !g.nodes[e.from].single)) return [];
	switch (n.op) {
	case "softmax": return [...e(x[n.i || 0]), " / (", ...powers, ")"];
	case "log softmax": return [x[n.i || 0], " − ln(", ...powers, ")"];
	case "logsumexp": return ["ln(", ...powers, ")"];
	case "sigmoid": return ["1 / (1 + e^(−", a, "))"];
	case "tanh": return ["(", ...e(a), " − e^(−", a, ")) / (", ...e(a), " + e^(−", a, "))"];
	case "relu": return ["max(0, ", bare(), ")"];
	case "softplus": return ["ln(1 + ", ...e(a), ")"];
	case "silu": return [a, " / (1 + e^(−", a, "))"];
	case "binary cross entropy": return ["−(", y, " × ln ", a, " + (1 − ", y, ") × ln(1 − ", a, "))"];
	case "binary cross entropy logits": return ["ln(1 + ", ...e(a), ") − ", y, " × ", a];
	case "cross entropy": return ["−", y, " × ln ", a];
	}
	return [];
}

// slopeOf returns the derivative likewise; nothing if the chain rule has it
// written out.
function slopeOf(g, n, e, name) {
	if (n.cu || n.t || n.many || !n.single || n.in.some(e => !g.nodes[e.from].single)) return [];
	const x = n.in.map(e => name(g.nodes[e.from])), self = name(n);
	switch (n.op) {
	case "sigmoid": return [self, " × (1 − ", self, ")"];
	case "tanh": return ["1 − ", self, "²"];
	case "relu": return [`${world.values[g.nodes[n.in[0].from].raw] > 0 ? 1 : 0}, since `, x[0], world.values[g.nodes[n.in[0].from].raw] > 0 ? " > 0" : " ≤ 0"];
	case "softmax": {
		const other = g.nodes[e.from].uses.map(u => g.nodes[u.to]).find(m => isOp(m, "softmax") && (m.i || 0) === e.input);
		return other === n ? [self, " × (1 − ", self, ")"] : other ? ["−", self, " × ", name(other)] : [];
	}
	case "binary cross entropy": return e.input ? [] : ["(", x[0], " − ", x[1], ") / (", x[0], " × (1 − ", x[0], "))"];
	case "binary cross entropy logits": return e.input ? [] : ["1 / (1 + e^(−", x[0], ")) − ", x[1]];
	case "cross entropy": return e.input ? [] : ["−", x[1], " / ", x[0]];
	}
	return [];
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
		return others.flatMap((i, k) => [...(k ? [" × "] : []), symbol(at(i)), ...(n.matrix ? ["ᵀ"] : [])]);
	}
	if (!n.cu) switch (n.op) {
	case "add": case "add scalar": return ["1"];
	case "sub": return [e.input ? "(−1)" : "1"];
	case "neg": return ["(−1)"];
	case "mul": return [symbol(at(1 - e.input))];
	case "div": return e.input ? [`(−`, ref(n), "/", symbol(at(1)), ")"] : ["1/", symbol(at(1))];
	case "matmul": return [symbol(at(1 - e.input)), "ᵀ"];
	case "mul scalar": return [inside(decoded(n.c[0]))];
	case "square": return ["2·", symbol(at(0))];
	case "exp": return [ref(n)];
	case "sum": return ["1"];
	case "mean": if (n.in.length > 1) return [`1/${n.in.length}`]; break;
	}
	return n.in.length > 1 ? [slope] : [shorten(n.op) + "′(", symbol(at(0)), ")"];
}

// narrate returns a step's heading and its lines, each a formula.
function narrate(g, raw, world, steps, k) {
	const s = steps[k], n = s.node;
	if (s.given) return given(g, world);
	if (s.phase === "adjust") return adjusting(g, n, world);
	if (s.phase === "feedback") return s.seed ? seeding(n, world) : handingOn(g, world, steps, k);
	const behind = expanded(g, n, symbol), called = !n.n && !!n.d; // what it computes
	const symbols = [ref(n), ...(called ? [] : [" = ", ...written(g, n, symbol)]), ...(behind.length ? [" = ", ...behind] : [])];
	const head = s.phase === "measure" ? (n.at === g.root ? "Measure the loss" : "Measure") : n.t ? "Predict: a weighted sum" : "Predict";
	if (n.rest || !n.single || n.in.some(e => !g.nodes[e.from].single))
		return { head, lines: [symbols, [ref(n), ` ${shapeText(n)} = ${brief(world.values[n.raw])}`]], node: n };
	const value = (x, bare) => valueRef(x, world, bare), powers = isOp(n, "softmax") ? n.in.map(e => number(Math.exp(world.values[g.nodes[e.from].raw]))) : [];
	const numbers = [ref(n), " = ", ...(behind.length ? expanded(g, n, value) : written(g, n, value)), ...(powers.length ? [` = ${powers[n.i || 0]} / (${powers.join(" + ")})`] : []), " = ", ref(n, number(world.values[n.raw]))];
	return { head, lines: called && !behind.length ? [numbers] : [symbols, numbers], node: n };
}

function given(g, world) {
	const of = f => g.nodes.filter(f), list = all => all.slice(0, 4).flatMap((n, i) => [i ? ", " : "", ref(n), ` = ${brief(world.values[n.raw])}`, ...(featureOf(n) ? [` (${featureOf(n).n} ${reading(n, world)})`] : [])]);
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

// handingOn narrates a step of the chain rule: a gradient times the local
// factor, added to what the receiving value already has.
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
	const slope = factor === undefined ? [] : slopeOf(g, to, e, symbol);
	if (slope.length) lines.push([...factors, " = ", ...slope, ...(isOp(to, "relu") ? [] : [" = ", ...slopeOf(g, to, e, x => valueRef(x, world)), ` = ${number(factor)}`])]);
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

function adjusting(g, n, world) {
	const w = world.values[n.raw], d = world.gradients[n.raw], next = world.updates.get(n.raw);
	const old = ref(n), small = moved(w, next), to = ref(n, brief(next) + (small.startsWith("Δ") ? ` (${small})` : ""), "change");
	const shared = isShared(g, n) ? [["One number for all its places: ", ...joined(placesOf(g, n).slice(0, 12).map(p => [ref(p)]), ", ")]] : [];
	if (isPlain(world, n.raw)) {
		return {
			head: "Adjust against the gradient", node: n,
			lines: [[old, " − α × ", ref(n, gradientTitle(n), "gradient"), ", learning rate α = " + number(world.rate)],
				[ref(n, number(w)), ` − ${number(world.rate)} × `, ref(n, inside(d), "gradient"), " = ", to], ...shared],
		};
	}
	const change = typeof w === "number" && typeof next === "number" ? [[ref(n, number(w)), " + ", ref(n, inside(next - w), "change"), " = ", to]] : [[old, ` ${shapeText(n)} → `, to]];
	const gradient = has(d) ? [[ref(n, gradientTitle(n), "gradient"), " = ", ref(n, brief(d), "gradient")]] : [];
	return { head: "Adjust: the optimizer's step", node: n, lines: [[old, " + Δ, as the optimizer chose it, learning rate " + number(world.rate)], ...change, ...gradient, ...shared] };
}

// narrateStretch narrates several steps at once: the result of each value.
function narrateStretch(g, world, steps, from, to) {
	const part = steps.slice(from, to + 1), { phase } = part[0], most = 12, [first] = part, done = new Map();
	for (const s of part) if (s.node) done.set(s.node, s);
	const say = n => {
		if (phase === "adjust") return [ref(n), ` ${brief(world.values[n.raw])} `, ref(n, moved(world.values[n.raw], world.updates.get(n.raw)), "change")];
		if (phase !== "feedback") return [ref(n), " = ", ref(n, brief(world.values[n.raw]))];
		const parts = steps.slice(0, to + 1).filter(s => s.edge?.from === n.at).map(s => world.contributions[s.edge.raw]), all = n.uses.filter(u => u.raw in world.contributions).length;
		const sum = parts.length && parts.every(p => typeof p === "number") ? parts.reduce((a, b) => a + b) : world.gradients[n.raw];
		return [ref(n, gradientTitle(n), "gradient"), " = ", ref(n, brief(sum), "gradient"), ...(parts.length < all ? [` (${parts.length} of ${all})`] : [])];
	};
	const nodes = [...done.keys()], of = first.edge ? g.nodes[first.edge.to] : first.node, lines = [];
	if (phase === "feedback") lines.push([ref(of, of.rest ? title(of) : shorten(scopePath(of.s || 0).at(-1) || title(of))), of.rest ? " hand back:" : " hands back:"]);
	else if (phase === "adjust") lines.push(["Each against its gradient, learning rate α = " + number(world.rate)]);
	else lines.push([ref(of), " = ", ...written(g, of, symbol), ...(nodes.length > 1 ? [", and so on"] : [])]);
	lines.push([...joined(nodes.slice(0, most).map(say), ", "), ...(nodes.length > most ? [`, and ${nodes.length - most} more`] : [])]);
	return { head: { predict: "Predict", measure: "Measure", feedback: "Feedback", adjust: "Adjust" }[phase], lines, node: of.rest ? null : of };
}

// narrateEpoch narrates the result of an epoch.
function narrateEpoch(g, world, k) {
	const root = g.nodes[g.root], epoch = data.frames[k].epoch, before = k && root ? worldOf(data.frames[k - 1], raw).values[root.raw] : undefined, lines = [];
	if (root) lines.push([ref(root), " = ", ref(root, brief(world.values[root.raw])), ...(before === undefined ? [] : [`, ${brief(before)} in epoch ${data.frames[k - 1].epoch}`])]);
	const outputs = net ? outputsOf(net) : [], targets = g.nodes.filter(n => n.role === "target");
	if (outputs.length) lines.push(["Predicted: ", ...joined(outputs.slice(0, 6).map(x => [ref(x.a || x.z), " = ", ref(x.a || x.z, reading(x.a || x.z, world))]), ", ")]);
	if (targets.length) lines.push(["Wanted: ", ...joined(targets.slice(0, 6).map(n => [ref(n), " = ", ref(n, reading(n, world))]), ", ")]);
	return { head: `Epoch ${epoch}`, lines, node: null };
}

// plainText returns a formula as a screen reader says it.
const plainText = line => line.map(part => typeof part === "string" ? part : part.text).join("");
