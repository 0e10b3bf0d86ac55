// The recording as a graph: the values as recorded, the same with weighted sums
// joined, and the neurons.

// recorded returns the graph of all values. The `raw` of a node or an edge is
// its index in the data.
function recorded() {
	const nodes = data.nodes.map((n, raw) => ({ k: n.in ? "operation" : n.op, ...n, raw, at: raw, in: [], uses: [], inside: [raw] })), edges = [];
	for (const node of nodes) {
		(data.nodes[node.raw].in || []).forEach((from, input) => {
			const edge = { raw: edges.length, at: edges.length, from, to: node.raw, input, learns: !!(nodes[from].l && node.l) };
			edges.push(edge);
			nodes[from].uses.push(edge);
			node.in.push(edge);
		});
	}
	const first = data.frames[0].v;
	nodes.forEach((n, i) => { n.single = size(n) === 1 && (first[i] === "=" || typeof decoded(first[i]) === "number"); n.leaf = !n.in.length; });
	return { nodes, edges, root: data.root, of: nodes.map((n, i) => i) };
}

const size = n => (n.sh || []).reduce((p, d) => p * d, 1);
const isOp = (n, op) => n.op === op && !n.cu;
const isLearned = n => n.k === "param" || n.k === "variable";

// fused returns the graph in which the products and sums of a weighted sum, w·x
// + … + b, are one value.
function fused(g) {
	const top = g.nodes.map((n, i) => i); // the weighted sum that a value went into
	const sums = new Map();
	for (let i = g.nodes.length - 1; i >= 0; i--) {
		if (top[i] !== i) continue;
		const found = weighted(g, i);
		if (!found) continue;
		sums.set(i, found.terms);
		found.inside.forEach(j => { top[j] = i; });
	}
	return merged(g, top, sums);
}

// weighted returns the terms of the weighted sum that ends in a node, and the
// nodes in between, or null.
function weighted(g, i) {
	const inside = [], terms = [];
	const addend = edge => {
		const n = g.nodes[edge.from];
		if (n.uses.length === 1 && isProduct(g, n)) {
			inside.push(edge.from);
			terms.push(n.in);
		} else if (n.uses.length === 1 && isOp(n, "add") && !n.n) {
			inside.push(edge.from);
			n.in.forEach(addend);
		} else {
			terms.push([edge]);
		}
	};
	const n = g.nodes[i];
	if (n.t || n.leaf) return null;
	if (isProduct(g, n)) terms.push(n.in);
	else if (isOp(n, "add")) n.in.forEach(addend);
	return terms.some(t => t.length === 2) ? { terms, inside } : null;
}

// isProduct reports whether a product is a weight times an input.
function isProduct(g, n) {
	if (n.leaf || n.cu || n.op !== "mul" && n.op !== "matmul") return false;
	const [a, b] = n.in.map(e => g.nodes[e.from]);
	return a !== b && (isLearned(a) || isLearned(b)) && (n.op === "matmul" || same(a.sh, n.sh) && same(b.sh, n.sh));
}

const same = (a, b) => (a || []).join() === (b || []).join();

// merged returns a graph whose nodes are those that are their own top.
function merged(g, top, sums) {
	const nodes = [], edges = [], of = [];
	g.nodes.forEach((n, i) => {
		if (top[i] !== i) return;
		of[i] = nodes.length;
		nodes.push({ ...n, at: nodes.length, in: [], uses: [], inside: [] });
	});
	g.nodes.forEach((n, i) => { of[i] = of[top[i]]; nodes[of[i]].inside.push(i); });
	for (const node of nodes) {
		const terms = sums.get(node.raw);
		const join = (e, input) => {
			const edge = { raw: e.raw, at: edges.length, from: of[e.from], to: node.at, input, learns: e.learns };
			edges.push(edge);
			nodes[edge.from].uses.push(edge);
			node.in.push(edge);
			return input;
		};
		if (terms) {
			let k = 0;
			node.t = terms.map(term => term.map(e => join(e, k++)));
			node.matrix = terms.some(t => t.length === 2 && g.nodes[t[0].to].op === "matmul");
			if (terms.length > 1 || node.matrix) Object.assign(node, { op: "weighted sum", c: [] });
		} else {
			g.nodes[node.raw].in.forEach((e, input) => join(e, input));
		}
	}
	return { nodes, edges, root: of[g.root], of };
}

// weightOf returns which input of a product is the weight.
function weightOf(g, node, term) {
	const sources = term.map(i => g.nodes[node.in[i].from]);
	const best = kind => sources.findIndex(kind);
	for (const k of [best(n => n.k === "param"), best(n => n.k === "variable" && n.l), best(n => n.leaf), 0]) if (k >= 0) return term[k];
}

// neurons groups each weighted sum with its activation, and everything after
// the last one into the loss. It returns groups of a fused graph's nodes with
// the edges between them, or null if there are no neurons.
function neurons(g) {
	const sums = g.nodes.filter(n => n.t && n.t.some(t => t.length > 1));
	if (!sums.length) return null;
	const group = new Array(g.nodes.length), groups = [], edges = [];
	const add = (kind, members, extra) => {
		const item = { kind, members, at: groups.length, ...extra };
		groups.push(item);
		members.forEach(m => { group[m] = item; });
		return item;
	};
	for (const z of sums) {
		const a = activationOf(g, z);
		add("neuron", a ? [z.at, a.at] : [z.at], { z, a, biases: [], logits: z.uses.map(e => g.nodes[e.to]).some(n => isOp(n, "binary cross entropy logits") && n.in[0].from === z.at) });
	}
	const before = new Array(g.nodes.length).fill(false); // leads to a neuron
	for (let i = g.nodes.length - 1; i >= 0; i--) before[i] = g.nodes[i].uses.some(e => before[e.to] || group[e.to]?.z?.at === e.to);
	const hidden = new Set();
	for (const z of sums) for (const term of z.t) {
		const leaf = g.nodes[z.in[term.length > 1 ? weightOf(g, z, term) : term[0]].from];
		if (isLearned(leaf)) hidden.add(leaf.at);
	}
	const rest = [];
	g.nodes.forEach((n, i) => {
		if (group[i] || hidden.has(i)) return;
		if (before[i]) add(n.leaf ? "input" : "op", [i], {});
		else rest.push(i);
	});
	if (rest.length) add("loss", rest, { loss: g.nodes[g.root] ?? g.nodes[rest.at(-1)] });
	for (const z of sums) for (const term of z.t) {
		const w = term.length > 1 ? weightOf(g, z, term) : -1;
		for (const i of term) {
			const from = z.in[i].from;
			if (i === w) continue;
			if (hidden.has(from)) { if (term.length === 1) group[z.at].biases.push(from); continue; }
			edges.push({ from: group[from].at, to: group[z.at].at, weight: w < 0 ? null : g.nodes[z.in[w].from], edge: z.in[i], weightEdge: w < 0 ? null : z.in[w] });
		}
	}
	for (const e of g.edges) {
		const from = group[e.from], to = group[e.to];
		if (from && to && from !== to && !(to.kind === "neuron" && (to.z.at === e.to || from.kind === "neuron" && from.z.at === e.from && isShare(to.a)))) edges.push({ from: from.at, to: to.at, weight: null, edge: e });
	}
	return { groups, edges, group, hidden };
}

// outputsOf returns the neurons of the last layer.
const outputsOf = net => net.groups.filter(x => x.kind === "neuron" && net.edges.some(e => e.from === x.at && net.groups[e.to].kind === "loss"));

// isShare reports whether a node makes probabilities from the weighted sums of
// a whole layer.
const isShare = n => !!n && (isOp(n, "softmax") || isOp(n, "log softmax"));

// activationOf returns what belongs to a weighted sum in its neuron: its
// activation, or its share in a softmax.
function activationOf(g, z) {
	const uses = [...new Set(z.uses.map(e => g.nodes[e.to]))], share = uses.find(n => isShare(n) && n.in[n.i || 0].from === z.at);
	if (share && uses.every(isShare)) return share;
	const [use] = uses;
	return z.uses.length === 1 && use.in.length === 1 && use.el && !isOp(use, "square") && !isOp(use, "mul scalar") ? use : null;
}

// A world is the numbers of one epoch, as recorded or recomputed: values and
// gradients by node, contributions by edge.
function worldOf(frame, g) {
	const values = frame.v.map(x => x === "=" ? x : decoded(x)), gradients = frame.g.map(x => x && x.why || x === "=" ? x : decoded(x));
	g.nodes.forEach((n, i) => { if (values[i] === "=") values[i] = resultOf(n, n.in.map(e => values[e.from])).y; });
	const unused = new Set(frame.x), contributions = {}, slopes = [];
	const given = e => frame.e && e.raw in frame.e;
	const slopeOn = e => g.nodes[e.to].f || (slopes[e.to] ??= resultOf(g.nodes[e.to], g.nodes[e.to].in.map(x => values[x.from])).slopes)[e.input];
	for (let i = gradients.length - 1; i >= 0; i--) {
		const parts = g.nodes[i].uses.slice().reverse().filter(e => given(e) || e.learns && !unused.has(e.raw) && has(gradients[e.to]));
		for (const e of parts) contributions[e.raw] = given(e) ? decoded(frame.e[e.raw]) : gradients[e.to] * slopeOn(e);
		if (gradients[i] === "=") gradients[i] = parts.map(e => contributions[e.raw]).reduce((a, b) => a + b);
	}
	const rate = frame.u ? decoded(frame.rate || 0) : data.rate;
	const updates = new Map((frame.u === "=" ? data.updated.map(() => "=") : frame.u || []).map((u, k) => { const n = data.updated[k]; return [n, u === "=" ? values[n] - rate * gradients[n] : decoded(u)]; }));
	if (!frame.u && data.rate) plainSteps(updates, values, gradients, data.rate);
	const rows = {};
	for (const n of g.nodes) { const r = frame.r?.[n.raw] ?? n.r; if (r) rows[n.raw] = decoded(r); }
	return { values, gradients, contributions, updates, rate, rows, locals: frame.f || {}, recorded: true };
}

// has reports whether x is numbers, and not null or the reason why there are
// none.
const has = x => x !== null && x !== undefined && x.why === undefined;

// plainSteps notes w − α·dw for everything that is learned.
function plainSteps(updates, values, gradients, rate) {
	raw.nodes.forEach((n, i) => {
		if (isLearned(n) && n.l && typeof values[i] === "number" && typeof gradients[i] === "number")
			updates.set(i, values[i] - rate * gradients[i]);
	});
}

// isPlain reports whether an update is w − α·dw.
function isPlain(world, raw) {
	const w = world.values[raw], d = world.gradients[raw], next = world.updates.get(raw);
	if (typeof w !== "number" || typeof d !== "number") return false;
	return Object.is(w - world.rate * d, next) || Math.abs(w - world.rate * d - next) <= (data.single ? 1e-5 : 1e-9) * Math.max(Math.abs(w), Math.abs(next), 1e-30);
}

// incalculable returns a node that prevents the page from computing the effect
// of changed leaves, or undefined.
function incalculable(g, world, leaves) {
	const follows = following(g, leaves), own = ownOf(g, world);
	const used = n => follows[n.at] || leaves.some(i => !own[i] && (n.leaf || !g.nodes[i].l)); // by other rows, or perhaps
	return g.nodes.find((n, i) => {
		if (n.rest && data.row !== undefined) return false;
		if (!n.single) return true;
		if (n.rest && used(n) && n.uses.some(e => g.nodes[e.to].in.some(x => follows[x.from]))) return true;
		return !n.leaf && !knows(n) && !n.f && (follows[i] || data.row !== undefined && own[i] || n.in.some(e => e.raw in world.contributions && localOf(g, world, e) === undefined));
	});
}

// Of a batch one row is drawn. A leaf that differs between rows has its numbers
// in all of them, so that the other rows are computed like the drawn one. The
// rows meet in a node that adds them up with the factor n.f, after n.rest for
// the others.

// ownOf returns which nodes each row has of its own.
function ownOf(g, world) {
	const own = g.nodes.map(n => !!(n.own || world.rows[n.raw]));
	for (const n of g.nodes) if (!n.f && n.in.some(e => own[e.from])) own[n.at] = true;
	return own;
}

// otherRows returns the sums of the other rows' terms in each node where rows
// meet, and a function that passes the gradients of these terms back to what
// the rows share.
function otherRows(g, before, values, rest) {
	const own = ownOf(g, before), parts = rest.uses.map(use => g.nodes[use.to].in.filter(e => own[e.from])), rows = [], sums = parts.map(() => 0);
	for (let r = 0; r < Object.values(before.rows)[0]?.length; r++) {
		if (r === data.row) continue;
		const v = values.slice(), slopes = [];
		for (const n of g.nodes) if (own[n.at]) { if (n.leaf) v[n.raw] = before.rows[n.raw][r]; else [v[n.raw], slopes[n.raw]] = computed(g, before, v, n); }
		parts.forEach((all, k) => { for (const e of all) sums[k] += v[e.from]; });
		rows.push(slopes);
	}
	const back = gradients => {
		const shared = new Array(values.length).fill(0);
		for (const slopes of rows) {
			const d = new Array(values.length).fill(0);
			parts.forEach((all, k) => { for (const e of all) d[e.from] += [gradients].flat()[k]; });
			for (let i = rest.at; i >= 0; i--) if (own[i] && slopes[i]) for (const e of g.nodes[i].in) if (e.learns) (own[e.from] ? d : shared)[e.from] += d[i] * slopes[i][e.input];
		}
		return shared;
	};
	return { sum: sums.length > 1 ? sums : sums[0], back };
}

// following returns which nodes depend on leaves.
function following(g, leaves) {
	const follows = new Array(g.nodes.length).fill(false);
	leaves.forEach(i => { follows[i] = true; });
	for (const n of g.nodes) if (n.in.some(e => follows[e.from])) follows[n.at] = true;
	return follows;
}

function knows(n) {
	if (n.cu) return false;
	return n.el || n.t || together[n.op] || ["where", "detach", "matmul"].includes(n.op) || alone.has(n.op) && n.in.length === 1;
}

// again recomputes a scalar network with other leaves: forward, then backward
// with the sums in the recording's order.
function again(g, before, changes) {
	const values = before.values.map((v, i) => changes.has(i) ? changes.get(i) : v), slopes = [], others = [];
	const all = data.row !== undefined; // rows
	for (const n of g.nodes) {
		if (n.rest && all) values[n.raw] = (others[n.at] = otherRows(g, before, values, n)).sum;
		else if (!n.leaf) [values[n.raw], slopes[n.raw]] = computed(g, before, values, n);
	}
	const gradients = before.gradients.map(x => has(x) ? 0 : x), contributions = {}, arrived = new Array(values.length).fill(false);
	arrived[g.root] = has(gradients[g.root]);
	if (arrived[g.root]) gradients[g.root] = before.gradients[g.root];
	for (let i = g.nodes.length - 1; i >= 0; i--) {
		if (!arrived[i]) continue;
		const shared = others[i]?.back(gradients[i]);
		for (const e of g.nodes[i].in) {
			if (!e.learns || !shared && !slopes[i]) continue;
			const c = shared ? shared[e.from] : gradients[i] * slopes[i][e.input], slots = g.nodes[e.from].rest ? g.nodes[e.from].uses : [];
			contributions[e.raw] = slots.length > 1 ? slots.map(use => use === e ? c : 0) : c;
			gradients[e.from] = !arrived[e.from] ? contributions[e.raw] : slots.length > 1 ? gradients[e.from].map((d, k) => d + contributions[e.raw][k]) : gradients[e.from] + c;
			arrived[e.from] = true;
		}
	}
	const updates = new Map();
	const plain = before.updates.size > 0 && [...before.updates.keys()].every(i => isPlain(before, i));
	if (plain) for (const i of before.updates.keys()) updates.set(i, values[i] - before.rate * gradients[i]);
	return { values, gradients, contributions, updates, rate: before.rate, rows: before.rows, locals: all ? {} : before.locals, recorded: false };
}

// resultOf returns a node's value for other inputs.
const resultOf = (n, inputs) => evaluate(n.op, decoded(n.c || []), inputs, n.t, n.i);

// computed returns a node's value and slopes. A node that the page cannot
// compute keeps its value.
function computed(g, before, values, n) {
	if (knows(n)) {
		const result = resultOf(n, n.in.map(e => values[e.from]));
		return [result.y, result.slopes];
	}
	const slopes = n.in.map(e => n.f || (localOf(g, before, e) ?? 0));
	return [n.f ? n.f * n.in.reduce((sum, e) => sum + [values[e.from]].flat()[g.nodes[e.from].rest ? g.nodes[e.from].uses.indexOf(e) : 0], 0) : before.values[n.raw], slopes];
}

// localOf returns the chain rule's factor on an edge between single numbers, or
// undefined.
function localOf(g, world, e) {
	const n = g.nodes[e.to];
	if (!n.single || !g.nodes[e.from].single) return undefined;
	if (n.f) return n.f;
	if (knows(n)) {
		const result = resultOf(n, n.in.map(x => world.values[g.nodes[x.from].raw]));
		if (result && result.slopes) return result.slopes[e.input];
	}
	if (e.raw in world.locals) return world.locals[e.raw] === null ? undefined : decoded(world.locals[e.raw]);
	const factor = world.contributions[e.raw] / world.gradients[n.raw];
	return Number.isFinite(factor) ? factor : undefined;
}

// Names.

const longest = 28;

function shorten(name) {
	const runes = [...name];
	return runes.length <= longest ? name : runes.slice(0, 18).join("") + "…" + runes.slice(-9).join("");
}

// featureOf returns the data's name for a value and its scale; undefined if not
// known.
function featureOf(n) {
	if (n.ft) return data.features[n.ft - 1];
	const k = net ? outputsOf(net).findIndex(x => (x.a || x.z).raw === n.raw) : -1, targets = k < 0 ? [] : raw.nodes.filter(t => t.role === "target");
	return targets.length ? data.features?.[targets[k]?.ft - 1] : undefined;
}

// reading returns a value in the data's unit, "3.1 miles", or else its number.
function reading(n, world, digits) {
	const f = featureOf(n), v = world.values[n.raw];
	if (!f || typeof v !== "number" || f.f === undefined && !f.u) return brief(v);
	return `${number(v * (f.f ?? 1) + (f.o ?? 0), digits)} ${f.u || ""}`.trim();
}

// title returns the title of a node: its name, its formula, or its operation
// and number.
const title = n => n.n ? shorten(n.n) : n.d ? n.d : n.many ? shorten(n.op) : `${shorten(n.op)} #${n.id}`;

// compound reports whether a node's title needs brackets in a formula.
const compound = n => !n.n && !!n.d && !n.cu && ["add", "sub", "mul", "div", "neg", "mul scalar", "add scalar", "matmul", "weighted sum"].includes(n.op);

// gradientTitle returns "dz" for z, and "d(hidden.w)" for a name that is not a
// symbol.
function gradientTitle(n) {
	const t = title(n);
	return [...t].length > 4 || /[^\p{L}\p{N}_]/u.test(t) ? `d(${t})` : `d${t}`;
}

function scopePath(s) {
	const names = [];
	for (; s; s = data.scopes[s].p) names.unshift(data.scopes[s].n);
	return names;
}

// fullTitle is title with the node's scopes.
const fullTitle = n => [...scopePath(n.s || 0), title(n)].map(shorten).join(" · ");

const shapeText = n => (n.sh || []).length ? `[${n.sh.join(" ")}]` : "";
