// The picture: what is drawn of a graph, and how it looks at each step.

const svgSpace = "http://www.w3.org/2000/svg";

// svg makes an element with attributes and children.
function svg(name, attributes = {}, ...children) {
	const e = document.createElementNS(svgSpace, name);
	for (const [k, v] of Object.entries(attributes)) if (v !== undefined && v !== null) e.setAttribute(k, v);
	e.append(...children);
	return e;
}

const pen = document.createElement("canvas").getContext("2d");

function textWidth(text, font) {
	pen.font = `${font} system-ui, sans-serif`;
	return pen.measureText(text).width;
}

// kindOf is what a node is to a reader, as a class.
function kindOf(n) {
	if (n.at === undefined) return "op";
	if (n.role === "target") return "target";
	if (n.k === "param" || n.k === "variable") return n.k + (n.fz ? " frozen" : "");
	return n.k === "constant" ? n.role || "constant" : "op";
}

const kindWords = { param: "parameter", variable: "variable", constant: "constant", input: "input", target: "target", op: "computed" };

// sceneOfOperations draws each value as a box, and folded scopes as one.
function sceneOfOperations(g, foldedScopes) {
	const items = [], links = [], itemOf = [];
	const folded = new Map();
	for (const n of g.nodes) {
		const scope = foldOf(n.s || 0, foldedScopes);
		if (scope) {
			if (!folded.has(scope)) {
				const name = shorten(data.scopes[scope].n);
				const item = { kind: "folded", scope: data.scopes[scope].p, fold: scope, nodes: [], order: n.at, w: Math.max(172, textWidth(name, "600 14px") + 30), h: 66, title: name };
				folded.set(scope, item);
				items.push(item);
			}
			folded.get(scope).nodes.push(n);
			itemOf[n.at] = folded.get(scope);
		} else {
			itemOf[n.at] = boxItem(n, g);
			items.push(itemOf[n.at]);
		}
	}
	for (const item of items) item.inputs = item.nodes.some(n => n.in.length > 0);
	const known = new Map();
	for (const e of g.edges) {
		const from = itemOf[e.from], to = itemOf[e.to];
		if (from === to) continue;
		const key = `${from.order} ${to.order}`, twin = known.get(key);
		if (twin && (from.fold || to.fold)) { twin.edges.push(e); continue; }
		const link = { from, to, edges: [e] };
		known.set(key, link);
		links.push(link);
	}
	return { items, links, itemOf, frames: true, labels: g.nodes.length <= 80 };
}

function foldOf(scope, foldedScopes) {
	let outermost = 0;
	for (let s = scope; s; s = data.scopes[s].p) if (foldedScopes.has(s)) outermost = s;
	return outermost;
}

function boxItem(n, g) {
	const name = title(n), caption = opCaption(n), shape = n.single && !(n.sh || []).length ? "" : shapeText(n);
	const width = textWidth(name, "600 13px") + textWidth(n.leaf ? "" : caption, "11px") + textWidth(shape, "11px") + 34;
	return {
		kind: "box", node: n, nodes: [n], scope: n.s || 0, order: n.at, title: name, caption: n.leaf ? shape : `${caption} ${shape}`.trim(),
		w: Math.max(n.single ? n.leaf ? textWidth(name, "600 13px") + 96 : 104 : 150, Math.min(width, 320)), h: n.leaf && n.single ? (n.l ? 44 : 30) : n.l || n.at === g.root ? 64 : 46, slim: n.leaf && n.single,
	};
}

function opCaption(n) {
	if (n.leaf) return "";
	if (n.op === "weighted sum") return "Σ w·x";
	const c = decoded(n.c || []).map(v => number(v)).join(" ");
	return n.n ? `${shorten(n.op)} ${c}`.trim() : c;
}

// sceneOfNeurons draws neurons as circles in columns with their weights as arrows; layers of tensors as boxes.
function sceneOfNeurons(g, net) {
	const column = {};
	for (const x of net.groups) if (x.kind === "neuron") { const key = scopePath(x.z.s || 0).slice(0, -1).join("/"); column[key] = (column[key] || 0) + 1; }
	const small = Math.max(...Object.values(column)) > 7;
	const items = net.groups.map(group => {
		const last = g.nodes[group.members.at(-1)], matrix = group.z && !group.z.single;
		const item = { kind: group.kind, neuron: group, node: group.kind === "loss" ? group.loss : group.a || group.z || last, nodes: group.members.map(m => g.nodes[m]), scope: 0, order: Math.min(...group.members) };
		if (group.kind === "neuron" && !matrix) Object.assign(item, small ? { w: 82, h: 92, round: true, small } : { w: 96, h: 144, round: true });
		else if (group.kind === "input" && last.single) Object.assign(item, { w: Math.max(84, textWidth(title(last), "600 13px") + 34), h: last.l ? 68 : 56, pill: true });
		else Object.assign(item, { w: matrix ? 196 : 150, h: group.kind === "loss" ? 96 : 78 });
		item.title = title(item.node);
		if (!item.round && !item.pill) item.w = Math.max(item.w, textWidth(item.title, "600 13px") + 40);
		return item;
	});
	net.groups.forEach((group, k) => { if (group.kind === "loss") items[k].order = 1e9; });
	const links = [], plain = new Map(); // without a weight, one link for all edges between two groups
	for (const e of net.edges) {
		const key = `${e.from} ${e.to}`;
		if (!e.weight && plain.has(key)) { plain.get(key).edges.push(e.edge); continue; }
		const link = { from: items[e.from], to: items[e.to], edges: [e.edge], weight: e.weight, weightEdge: e.weightEdge };
		if (!e.weight) plain.set(key, link);
		links.push(link);
	}
	const itemOf = [];
	for (const item of items) item.inputs = item.nodes.some(n => n.in.length > 0);
	items.forEach(item => item.nodes.forEach(n => { itemOf[n.at] = item; }));
	for (const group of net.groups) if (group.z) group.z.in.forEach(e => { itemOf[e.from] ??= items[group.at]; });
	return { items, links, itemOf, neurons: true, labels: links.length <= 40, small };
}

// Picture draws a scene and keeps what it has to change from step to step.
function Picture(root, scene, g, onSelect, onFold) {
	const gap = scene.neurons ? (innerWidth < 600 ? 104 : scene.labels ? 150 : 170) : scene.labels ? 76 : gaps.column;
	const size = layout(scene.items, scene.links, data.scopes.map(s => s.p), scene.neurons, gap);
	spread(scene.items, scene.links, scene.neurons);
	const world = svg("g", { class: "world" });
	root.replaceChildren(arrowHeads(), world);
	const frames = svg("g", { "aria-hidden": "true" }), arrows = svg("g"), boxes = svg("g"), labels = svg("g", { class: "labels", "aria-hidden": "true" }), strong = labels.cloneNode();
	if (scene.frames) for (const f of size.frames) frames.append(frameOf(f, onFold));
	const taken = [];
	for (const l of scene.links) {
		l.path = svg("path", { class: "link", d: pathText(l.points), "marker-end": "url(#tip)" });
		l.path.classList.toggle("dull", !l.edges.some(e => e.learns) && !l.weight);
		const choose = e => { if (l.weight) { e.classList.add("weight"); e.addEventListener("click", () => onSelect(l.weight.raw)); } };
		choose(l.path);
		arrows.append(l.path);
		if (scene.labels) {
			const [x, y] = labelPlace(l, taken, scene.neurons);
			l.label = svg("text", { class: "edge", x: fix(x), y: fix(y - 4) });
			l.second = svg("text", { class: "edge gradient", x: fix(x), y: fix(y + 10) });
			choose(l.label); choose(l.second);
			labels.append(l.label, l.second);
		}
	}
	for (const item of scene.items) boxes.append(draw(item, onSelect, onFold, g));
	world.append(frames, arrows, labels, boxes, strong);
	return { ...scene, size, world, labelGroups: [labels, strong] };
}

function arrowHeads() {
	const head = (id) => svg("marker", { id, viewBox: "0 0 8 8", refX: 7.5, refY: 4, markerWidth: 7, markerHeight: 7, markerUnits: "userSpaceOnUse", orient: "auto-start-reverse" }, svg("path", { d: "M0 0.8 8 4 0 7.2z", class: id }));
	return svg("defs", {}, head("tip"), head("hot"));
}

// labelPlace is where a link's label stands: on the link, where no other label is.
function labelPlace(l, taken, always) {
	const from = l.points.at(-2), to = l.points.at(-1);
	const clash = ([x, y]) => taken.reduce((sum, [u, v]) => sum + Math.max(0, 54 - Math.abs(u - x)) * Math.max(0, 28 - Math.abs(v - y)), 0);
	const places = [0.5, 0.4, 0.6, 0.3, 0.7, 0.22, 0.78].map(t => curvePoint(from, to, t));
	const best = places.reduce((a, b) => clash(b) < clash(a) ? b : a);
	l.crowded = !always && clash(best) > 300;
	if (!l.crowded) taken.push(best);
	return best;
}

// curvePoint is a point of the curve between two of a link's points.
function curvePoint([x0, y0], [x1, y1], t) {
	const reach = Math.max(16, Math.abs(x1 - x0) / 2), u = 1 - t;
	const mid = 3 * u * u * t, near = 3 * u * t * t;
	return [u ** 3 * x0 + mid * (x0 + reach) + near * (x1 - reach) + t ** 3 * x1, (u ** 3 + mid) * y0 + (near + t ** 3) * y1];
}

function frameOf(f, onFold) {
	const name = shorten(data.scopes[f.scope].n);
	const head = svg("g", { class: "fold", "data-scope": f.scope }, svg("rect", { x: f.x + 4, y: f.y + 4, width: textWidth(name, "12px") + 26, height: 17, rx: 4 }), svg("text", { x: f.x + 10, y: f.y + 16 }, `− ${name}`));
	head.addEventListener("click", () => onFold(f.scope, true));
	return svg("g", { class: "frame" }, svg("rect", { x: f.x, y: f.y, width: f.w, height: f.h, rx: 10, class: f.depth % 2 ? "odd" : "even" }), head);
}

function draw(item, onSelect, onFold, g) {
	const { x, y, w, h, node } = item, cx = x + w / 2;
	const kinds = { box: () => kindOf(node), neuron: () => "neuron", input: () => "input", loss: () => "loss", op: () => "op", folded: () => "folded" };
	const group = svg("g", { class: `node ${kinds[item.kind]()}`, tabindex: -1, role: "button" });
	const body = item.round ? svg("circle", { cx, cy: y + h / 2, r: w / 2, class: "body" }) : svg("rect", { x, y, width: w, height: h, rx: item.pill ? h / 2 : node?.leaf ? 3 : 9, class: "body" });
	group.append(body);
	if (node && node.at === g.root && !item.round) group.append(svg("rect", { x: x + 3, y: y + 3, width: w - 6, height: h - 6, rx: 7, class: "second" }));
	const line = (cls, dx, dy, anchor) => { const t = svg("text", { class: cls, x: fix(x + dx), y: fix(y + dy), "text-anchor": anchor }); group.append(t); return t; };
	if (item.kind === "folded") {
		line("title", 12, 22).textContent = `+ ${item.title}`;
		line("caption", 12, 39).textContent = `${item.nodes.length} values, ${item.nodes.filter(n => n.k === "param").length} parameters`;
		item.gradient = line("gradient", 12, 56);
		group.addEventListener("click", () => onFold(item.fold, false));
	} else if (item.round || item.pill) {
		line("title", w / 2, h / 2 - (item.round ? 15 : 5), "middle").textContent = item.title;
		item.value = line("value", w / 2, h / 2 + (item.round ? 5 : 14), "middle");
		item.gradient = line("gradient middle", w / 2, h / 2 + (item.round ? 23 : 30), "middle");
		if (item.kind === "neuron" && !item.small) {
			item.under = line("caption", w / 2, h / 2 + w / 2 + 14, "middle");
			item.second = line("caption", w / 2, h / 2 + w / 2 + 28, "middle");
		}
	} else if (item.slim) {
		line("title", 10, 19).textContent = item.title;
		item.value = line("value", w - 9, 19, "end");
		item.gradient = line("gradient", w - 9, 36, "end");
	} else {
		line("title", 11, 20).textContent = item.title;
		if (item.caption) line("caption", w - 10, 20, "end").textContent = item.caption;
		item.value = line("value", 11, item.h > 50 ? 38 : 37);
		item.gradient = line("gradient", 11, 55);
		if (item.h > 70) item.under = line("caption", 11, 72);
		if (item.kind === "loss") item.more = line("caption", 11, 87);
	}
	if (!item.round && item.gradient && item.h >= 44) { item.bar = svg("rect", { class: "bar", x: x + 1, y: y + h - 4, height: 3, width: 0, rx: 1.5 }); group.append(item.bar); }
	item.group = group;
	if (node) {
		group.dataset.raw = node.raw;
		group.addEventListener("click", () => onSelect(node.raw));
	} else {
		group.dataset.scope = item.fold;
	}
	return group;
}

// setText and setAttribute change what differs: writing to a page costs, even the same again.
function setText(element, text) {
	if (element.textContent !== text) element.textContent = text;
}

function setAttribute(element, name, value) {
	if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

// paint shows a picture at a step: what is known by then, what is new, and what is selected.
function paint(picture, g, world, times, k, step, selected) {
	const largest = Math.max(...world.gradients.map(x => has(x) && Number.isFinite(norm(x)) ? norm(x) : 0), 0);
	const hotNode = step?.node?.raw;
	for (const item of picture.items) {
		paintItem(item, g, world, times, k, largest);
		const raws = item.nodes.map(n => n.raw);
		item.group.classList.toggle("hot", raws.includes(hotNode) || (item.neuron?.biases || []).some(b => g.nodes[b].raw === hotNode) || item.nodes.some(n => n.inside.includes(hotNode)));
		item.group.classList.toggle("selected", selected !== null && item.nodes.some(n => n.raw === selected || n.inside.includes(selected)));
		item.group.classList.toggle("broken", item.nodes.some(n => isBroken(world.values[n.raw]) && times.value[n.raw] <= k || has(world.gradients[n.raw]) && isBroken(world.gradients[n.raw]) && times.gradient[n.raw] <= k));
	}
	for (const l of picture.links) paintLink(l, g, world, times, k, step, selected, picture);
}

// gradientAt is a gradient as far as it has arrived by a step, undefined before.
function gradientAt(g, n, world, times, k) {
	if (times.gradient[n.raw] > k || !has(world.gradients[n.raw])) return undefined;
	const parts = n.uses.filter(e => e.raw in world.contributions);
	if (parts.length < 2 || parts.every(e => times.part[e.raw] <= k)) return world.gradients[n.raw];
	const here = parts.filter(e => times.part[e.raw] <= k).reverse().map(e => world.contributions[e.raw]);
	return here.every(p => typeof p === "number") ? here.reduce((a, b) => a + b, 0) : here.at(-1);
}

function paintItem(item, g, world, times, k, largest) {
	const n = item.node;
	if (item.kind === "folded") return paintFolded(item, world, times, k);
	const shown = times.value[n.raw] <= k, d = gradientAt(g, n, world, times, k), next = times.update[n.raw] <= k;
	const value = world.values[n.raw], key = [shown, next, d === undefined ? "" : typeof d === "object" ? brief(d) : d, world.gradients[n.raw]?.why && k >= times.first].join();
	if (item.kind === "box" && item.key === key && item.world === world) return;
	Object.assign(item, { key, world });
	setText(item.value, !shown ? "·" : next ? `${item.slim ? "" : brief(value)} → ${brief(world.updates.get(n.raw))}` : fit(brief(value), item, 20));
	item.value.classList.toggle("unknown", !shown);
	item.value.classList.toggle("change", next);
	setText(item.gradient, d === undefined ? whyEmpty(world, n, k, times) : gradientText(item, n, d));
	item.gradient.classList.toggle("zero", d !== undefined && isZero(d));
	item.gradient.classList.toggle("unknown", d === undefined);
	if (item.bar) {
		const part = d === undefined || !largest ? 0 : Math.min(1, norm(d) / largest) || 0;
		setAttribute(item.bar, "width", fix(part * (item.w - 2)));
	}
	if (item.kind === "neuron" && item.under) paintNeuron(item, g, world, times, k);
	if (item.kind === "loss") {
		const targets = item.nodes.filter(t => t.leaf && t.k === "constant");
		setText(item.under, targets.length ? `${targets.slice(0, 3).map(t => `${title(t)} = ${fit(brief(world.values[t.raw]), item, 60)}`).join(", ")}${targets.length > 3 ? " …" : ""}` : "");
		setText(item.more, `${item.nodes.filter(t => !t.leaf).length} operations`);
	}
	setAttribute(item.group, "aria-label", `${fullTitle(n)}, ${n.leaf ? kindWords[kindOf(n).split(" ")[0]] : n.op}${shown ? `, value ${brief(value)}` : ""}${d !== undefined ? `, gradient ${brief(d)}` : ""}${next ? `, new value ${brief(world.updates.get(n.raw))}` : ""}`);
}

// gradientText is a gradient as its box shows it: with its name where there is room.
function gradientText(item, n, d) {
	if (typeof d === "object" && !(Array.isArray(d) && d.length <= 3)) d = `‖${number(norm(d), 3)}‖`;
	else d = item.round && typeof d === "number" ? number(d, 3) : brief(d);
	const named = `${gradientTitle(n)} ${d}`;
	return item.kind === "box" || item.small || item.round && named.length > 11 ? `d ${fit(d, item, 34)}` : fit(named, item, 22);
}

// fit leaves the end of a text out that is too long for its box.
function fit(text, item, used) {
	const most = Math.floor((item.w - used) / 7.6);
	return item.round || item.pill || text.length <= most ? text : text.slice(0, Math.max(3, most - 1)) + "…";
}

function whyEmpty(world, n, k, times) {
	const x = world.gradients[n.raw];
	return x && x.why && k >= times.first ? x.why : "";
}

function paintNeuron(item, g, world, times, k) {
	const { z, a, biases } = item.neuron, parts = [], bias = [];
	if (a && times.value[z.raw] <= k) parts.push(`${title(z)} = ${z.single ? number(world.values[z.raw]) : shapeText(z)}`);
	if (a) parts.push(shorten(a.op));
	for (const b of biases.slice(0, 1)) {
		const raw = g.nodes[b].raw, next = times.update[raw] <= k, d = gradientAt(g, g.nodes[b], world, times, k);
		if (z.single) bias.push(`${title(g.nodes[b])} ${next ? `→ ${brief(world.updates.get(raw))}` : brief(world.values[raw])}${typeof d === "number" ? ` · d ${number(d, 3)}` : ""}`);
	}
	setText(item.under, parts.join("  ·  "));
	if (item.second) setText(item.second, bias.join(""));
	item.second?.classList.toggle("change", biases.some(b => times.update[g.nodes[b].raw] <= k));
}

function paintFolded(item, world, times, k) {
	const known = item.nodes.filter(n => isLearned(n) && has(world.gradients[n.raw]) && times.gradient[n.raw] <= k);
	setText(item.gradient, known.length ? `‖d‖ ${number(Math.hypot(...known.map(n => norm(world.gradients[n.raw]))), 3)}` : "");
	setAttribute(item.group, "aria-label", `${item.title}, folded, ${item.nodes.length} values`);
}

function paintLink(l, g, world, times, k, step, selected, picture) {
	const received = e => e && e.raw in world.contributions && times.part[e.raw] <= k;
	const turned = step?.phase === "adjust" && l.weight?.raw === step.node?.raw && !!l.weight;
	const hot = step?.edge && (l.edges.some(e => e.raw === step.edge.raw) || l.weightEdge?.raw === step.edge.raw || l.weight?.raw === step.node.raw && g.nodes[step.edge.to].rest);
	const inward = step && !step.edge && step.node && step.phase !== "adjust" && l.edges.some(e => g.nodes[e.to].raw === step.node.raw);
	const near = selected !== null && l.edges.some(e => g.nodes[e.from].raw === selected || g.nodes[e.to].raw === selected || l.weight?.raw === selected);
	const passed = l.edges.some(received) || received(l.weightEdge), key = [!!hot, !!inward, near, passed, k >= times.first].join();
	if (!l.weight && l.key === key && l.world === world) return;
	Object.assign(l, { key, world });
	l.path.classList.toggle("hot", !!hot);
	l.path.classList.toggle("in", !!inward);
	l.path.classList.toggle("turned", turned);
	l.path.classList.toggle("near", near);
	l.path.classList.toggle("passed", !!passed);
	setAttribute(l.path, "marker-start", hot ? "url(#hot)" : "none");
	setAttribute(l.path, "marker-end", hot ? "none" : "url(#tip)");
	if (l.weight) paintWeight(l, g, world, times, k);
	else if (l.label) {
		const e = l.edges[0], c = world.contributions[e.raw], factor = hot || near || picture.links.length < 40 ? localOf(g, world, e) : undefined;
		const text = !received(e) || l.edges.length > 1 ? "" : typeof c !== "number" ? `norm ${number(norm(c), 3)}` : factor === undefined ? `= ${number(c, 3)}` : `× ${number(factor, 3)} = ${number(c, 3)}`;
		const [first, second] = picture.neurons || l.crowded && !hot && !near ? ["", ""] : text.startsWith("×") ? text.split(/ (?==)/) : [text, ""];
		setText(l.label, first);
		setText(l.second, second);
		l.label.classList.add("gradient");
		for (const t of [l.label, l.second]) {
			t.classList.toggle("strong", !!hot || near);
			const group = picture.labelGroups[hot || near ? 1 : 0]; // before the boxes
			if (t.parentNode !== group) group.append(t);
		}
	}
}

// paintWeight shows a weight as its arrow: sign by colour and dashes, size by width.
function paintWeight(l, g, world, times, k) {
	const w = world.values[l.weight.raw], d = gradientAt(g, l.weight, world, times, k), next = times.update[l.weight.raw] <= k;
	const shown = next ? world.updates.get(l.weight.raw) : w;
	if (typeof shown === "number") {
		l.path.classList.toggle("negative", shown < 0);
		l.path.classList.toggle("positive", shown >= 0);
		setAttribute(l.path, "stroke-width", fix(1 + 2.2 * Math.min(1.6, Math.sqrt(Math.abs(shown) || 0))));
	}
	if (!l.label) return;
	setText(l.label, typeof w !== "number" ? `${title(l.weight)} ${shapeText(l.weight)}` : next ? `${number(w, 3)} → ${number(shown, 3)}` : number(w, 3));
	l.label.classList.toggle("change", next);
	setText(l.second, d === undefined ? "" : `d ${typeof d === "number" ? number(d, 3) : `‖${number(norm(d), 3)}‖`}`);
	l.second.classList.toggle("zero", d !== undefined && isZero(d));
}
