// The picture: what is drawn of a graph, and its look at each step.

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

// fit cuts off the end of a text that is wider than its space.
function fit(text, room, font) {
	if (textWidth(text, font) <= room) return text;
	while (text.length > 1 && textWidth(text + "…", font) > room) text = text.slice(0, -1).trimEnd();
	return text + "…";
}

// numberIn writes a number with as many digits as its space allows: cutting it
// off would make another number.
function numberIn(v, room, font, digits = data.digits) {
	for (; digits > 0; digits--) if (textWidth(number(v, digits), font) <= room) return number(v, digits);
	return Number.isFinite(v) ? v.toExponential(0).replace("+", "").replaceAll("-", "−") : number(v);
}

// briefIn is brief for a limited space.
const briefIn = (x, room, font) => typeof x === "number" ? numberIn(x, room, font) : fit(brief(x), room, font);

// widest is a number of the largest width.
const widest = (digits = data.digits) => number(-8.888888888888888e-10, digits);

const fonts = { title: "600 13px", value: "600 13px", row: "13px", small: "11px", label: "650 12px" };

// slotOf returns the space for an arrow's label with a number of rows.
const slotOf = (rows, ...texts) => ({ w: Math.max(...texts.map(t => textWidth(t, fonts.label))), h: rows * 14 });

// kindOf returns the kind of a node for readers, as a CSS class.
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
	const folded = new Map(), copies = new Map(); // by use, the box of a shared weight there
	for (const n of g.nodes) {
		const scope = foldOf(n.s || 0, foldedScopes);
		if (scope) {
			if (!folded.has(scope)) {
				const name = shorten(data.scopes[scope].n);
				const item = { kind: "folded", scope: data.scopes[scope].p, fold: scope, nodes: [], order: n.at, w: Math.max(172, textWidth(name, fonts.title) + 34), h: 66, title: name };
				folded.set(scope, item);
				items.push(item);
			}
			folded.get(scope).nodes.push(n);
			itemOf[n.at] = folded.get(scope);
		}
		const all = isShared(g, n) ? copiesOf(g, n, foldedScopes) : scope ? [] : [boxItem(n, g)];
		items.push(...all);
		if (all.length) itemOf[n.at] ??= all[0];
		for (const item of all) for (const e of item.uses || []) copies.set(e.raw, item);
	}
	if (copies.size) items.sort((a, b) => a.order - b.order).forEach((item, k) => { item.order = k; });
	for (const item of items) item.inputs = item.nodes.some(n => n.in.length > 0);
	const known = new Map();
	for (const e of g.edges) {
		const from = copies.get(e.raw) || itemOf[e.from], to = itemOf[e.to];
		if (from === to) continue;
		const key = `${from.order} ${to.order}`, twin = known.get(key);
		if (twin && (from.fold || to.fold)) { twin.edges.push(e); continue; }
		const link = { from, to, edges: [e] };
		known.set(key, link);
		links.push(link);
	}
	const labels = g.nodes.length <= 80, slot = slotOf(2, `= ${widest(3)}`);
	if (labels) for (const l of links) if (l.edges.some(e => e.learns)) l.slot = slot;
	return { items, links, itemOf, copies, frames: true, labels };
}

function foldOf(scope, foldedScopes) {
	let outermost = 0;
	for (let s = scope; s; s = data.scopes[s].p) if (foldedScopes.has(s)) outermost = s;
	return outermost;
}

function boxItem(n, g, name = title(n)) {
	const caption = opCaption(n), shape = n.single && !(n.sh || []).length ? "" : shapeText(n);
	const side = n.leaf ? shape : `${caption} ${shape}`.trim(), slim = n.leaf && n.single, most = textWidth(widest(), fonts.value);
	const head = textWidth(name, fonts.title) + (slim ? 12 + most : side ? 14 + textWidth(side, fonts.small) : 0) + 22;
	const under = slim && n.l ? 2 * textWidth(`→ ${widest()}`, fonts.small) + 26 : 0;
	return {
		kind: "box", node: n, nodes: [n], scope: n.s || 0, order: n.at, title: name, caption: side, slim,
		w: Math.max(n.single ? most + 36 : 170, Math.min(head, 340), under), h: slim ? (n.l ? 44 : 30) : n.l || n.at === g.root ? 64 : 46,
	};
}

function opCaption(n) {
	if (n.leaf) return "";
	if (n.op === "weighted sum") return "Σ w·x";
	const c = decoded(n.c || []).map(v => number(v)).join(" ");
	return n.n ? `${shorten(n.op)} ${c}`.trim() : c;
}

// sceneOfNeurons draws neurons as circles in columns with their weights as
// arrows; layers of tensors as boxes.
function sceneOfNeurons(g, net) {
	const column = {};
	for (const x of net.groups) if (x.kind === "neuron") { const key = scopePath(x.z.s || 0).slice(0, -1).join("/"); column[key] = (column[key] || 0) + 1; }
	const small = Math.max(...Object.values(column)) > 7;
	const under = textWidth(`b88 ${widest()} · ${g.nodes.some(n => isShared(g, n)) ? "adds" : "d"} ${widest(3)}`, fonts.small), outputs = outputsOf(net);
	const items = net.groups.map(group => {
		const last = g.nodes[group.members.at(-1)], matrix = group.z && !group.z.single;
		const item = { kind: group.kind, neuron: group, node: group.kind === "loss" ? group.loss : group.a || group.z || last, nodes: group.members.map(m => g.nodes[m]), scope: 0, order: Math.min(...group.members) };
		if (group.kind === "neuron" && !matrix) Object.assign(item, captioned(group, outputs.includes(group), small ? 41 : 48, small, under));
		else if (group.kind === "input" && last.single) Object.assign(item, { w: Math.max(104, textWidth(title(last), fonts.title) + 34, textWidth(featureOf(last)?.n || "", fonts.title) + 34), h: last.l || featureOf(last) ? 68 : 56, pill: true, feature: featureOf(last) });
		else Object.assign(item, { w: matrix ? 196 : 150, h: group.kind === "loss" ? 96 : 78 });
		item.title = title(item.node);
		if (!item.round && !item.pill) item.w = Math.max(item.w, textWidth(item.title, fonts.title) + 40);
		return item;
	});
	net.groups.forEach((group, k) => { if (group.kind === "loss") items[k].order = 1e9; });
	const links = [], plain = new Map(); // without a weight, one link for all edges between two groups
	for (const e of net.edges) {
		const key = `${e.from} ${e.to}`;
		if (!e.weight && plain.has(key)) { plain.get(key).edges.push(e.edge); continue; }
		const link = { from: items[e.from], to: items[e.to], edges: [e.edge], weight: e.weight, weightEdge: e.weightEdge, shared: !!e.weight && isShared(g, e.weight) };
		if (!e.weight) plain.set(key, link);
		links.push(link);
	}
	const itemOf = [];
	for (const item of items) item.inputs = item.nodes.some(n => n.in.length > 0);
	items.forEach(item => item.nodes.forEach(n => { itemOf[n.at] = item; }));
	for (const group of net.groups) if (group.z) group.z.in.forEach(e => { itemOf[e.from] ??= items[group.at]; });
	const labels = links.length <= 40;
	if (labels) for (const l of links) if (l.weight) l.slot = l.weight.single ? slotOf(3, `→ ${widest(3)}`, ...(l.shared ? [`${title(l.weight)} ${widest(3)}`, `adds ${widest(3)}`] : [])) : slotOf(3, `→ ${widest(3)}`, tensorTitle(l.weight));
	return { items, links, itemOf, neurons: true, labels, small };
}

// captioned returns a neuron's circle with the lines below it: its output in
// the data's terms, its sum and bias.
function captioned({ z, a, biases, logits }, output, r, small, under) {
	const lines = [...(output && (featureOf(a || z) || logits || probability(z, a, logits, 0.5) !== undefined) ? ["output"] : []), ...(small ? [] : [...(a ? ["sum", "slope"] : []), ...(biases.length ? ["bias", "next"] : [])])];
	return { w: lines.length ? Math.max(2 * r, under) : 2 * r, h: 2 * r + 14 * lines.length + (lines.length ? 4 : 0), r, mid: r, round: true, small, output, lines };
}

// probability returns the probability that an output neuron gives, undefined if
// it gives something else.
function probability(z, a, logits, value) {
	if (a && (isOp(a, "softmax") || isOp(a, "sigmoid"))) return value;
	return a && isOp(a, "log softmax") ? Math.exp(value) : !a && logits ? sigmoid(value) : undefined;
}

const tensorTitle = n => `${title(n)} ${shapeText(n)}`;

// Picture draws a scene and keeps the elements that change from step to step.
function Picture(root, scene, g, onSelect, onFold) {
	const gap = scene.neurons ? (innerWidth < 600 ? 80 : scene.small ? 150 : 100) : scene.labels ? 76 : gaps.column;
	const size = layout(scene.items, scene.links, data.scopes.map(s => s.p), data.scopes.map(s => headingWidth(shorten(s.n))), scene.neurons, gap);
	const world = svg("g", { class: "world" });
	root.replaceChildren(arrowHeads(), world);
	const frames = svg("g", { "aria-hidden": "true" }), arrows = svg("g"), boxes = svg("g"), labels = svg("g", { class: "labels", "aria-hidden": "true" });
	if (scene.frames) for (const f of size.frames) frames.append(frameOf(f, onFold));
	for (const l of scene.links) {
		l.path = svg("path", { class: "link", d: pathText(l.points), "marker-end": "url(#tip)" });
		l.path.classList.toggle("dull", !l.edges.some(e => e.learns) && !l.weight);
		const choose = e => { if (l.weight) { e.classList.add("weight"); e.addEventListener("click", () => onSelect(l.weight.raw)); } };
		choose(l.path);
		arrows.append(l.path);
		if (!l.at) continue;
		l.lines = linesAt(l);
		l.lines.forEach(choose);
		labels.append(...l.lines);
	}
	for (const item of scene.items) boxes.append(draw(item, onSelect, onFold, g));
	world.append(frames, arrows, boxes, labels);
	return { ...scene, size, gap, world, labelGroup: labels };
}

// linesAt are the lines of a link's label, around its middle.
function linesAt(l) {
	const [x, y] = l.at, rows = Math.round(l.slot.h / 14);
	return Array.from({ length: rows }, (_, k) => svg("text", { class: "edge", x: fix(x), y: fix(y - l.slot.h / 2 + 11 + 14 * k) }));
}

// A link without a place for its label shows one only while it belongs to the
// step or is under the pointer, one at a time, since more would overlap. The
// label is placed clear of the boxes and of the other labels.
function loosen(picture, l) {
	if (picture.loose?.link === l) return picture.loose;
	picture.loose?.lines.forEach(t => t.remove());
	picture.loose = null;
	if (!l || l.lines) return null;
	const slot = l.slot || slotOf(l.weight ? 3 : 2, `→ ${widest(3)}`), taken = obstacles(picture.items, picture.frames ? picture.size.frames : [], data.scopes.map(s => headingWidth(shorten(s.n))));
	for (const o of picture.links) if (o.at && o.lines) taken.push(around(o.at, o.slot));
	const label = { ...l, slot }, at = spotOf(label, taken, curvesOf(label));
	if (!at) return null;
	picture.loose = { link: l, lines: linesAt({ at, slot }) };
	picture.labelGroup.append(...picture.loose.lines);
	return picture.loose;
}

function arrowHeads() {
	const head = (id) => svg("marker", { id, viewBox: "0 0 8 8", refX: 7.5, refY: 4, markerWidth: 7, markerHeight: 7, markerUnits: "userSpaceOnUse", orient: "auto-start-reverse" }, svg("path", { d: "M0 0.8 8 4 0 7.2z", class: id }));
	return svg("defs", {}, head("tip"), head("hot"));
}

const headingWidth = name => textWidth(`− ${name}`, "12px") + 16;

function frameOf(f, onFold) {
	const name = fit(shorten(data.scopes[f.scope].n), f.w - 30, "12px");
	const head = svg("g", { class: "fold", "data-scope": f.scope }, svg("rect", { x: f.x + 4, y: f.y + 4, width: headingWidth(name) - 4, height: 17, rx: 4 }), svg("text", { x: f.x + 10, y: f.y + 16 }, `− ${name}`));
	head.addEventListener("click", () => onFold(f.scope, true));
	return svg("g", { class: "frame" }, svg("rect", { x: f.x, y: f.y, width: f.w, height: f.h, rx: 10, class: f.depth % 2 ? "odd" : "even" }), head);
}

function draw(item, onSelect, onFold, g) {
	const { x, y, w, h, node } = item, cx = x + w / 2, cy = middle(item);
	const kinds = { box: () => kindOf(node), neuron: () => "neuron", input: () => "input", loss: () => "loss", op: () => "op", folded: () => "folded" };
	const group = svg("g", { class: `node ${kinds[item.kind]()}`, tabindex: -1, role: "button" });
	const body = item.round ? svg("circle", { cx, cy: y + cy, r: item.r, class: "body" }) : svg("rect", { x, y, width: w, height: h, rx: item.pill ? h / 2 : node?.leaf ? 3 : 9, class: "body" });
	group.append(body);
	if (node && node.at === g.root && !item.round) group.append(svg("rect", { x: x + 3, y: y + 3, width: w - 6, height: h - 6, rx: 7, class: "second" }));
	const line = (cls, dx, dy, anchor) => { const t = svg("text", { class: cls, x: fix(x + dx), y: fix(y + dy), "text-anchor": anchor }); group.append(t); return t; };
	if (item.kind === "folded") {
		line("title", 12, 22).textContent = `+ ${item.title}`;
		line("caption", 12, 39).textContent = `${item.nodes.length} values, ${item.nodes.filter(n => n.k === "param").length} parameters`;
		item.gradient = line("gradient", 12, 56);
		group.addEventListener("click", () => onFold(item.fold, false));
	} else if (item.round || item.pill) {
		const up = item.feature ? 6 : 0;
		line("title", w / 2, cy - (item.round ? 15 : 5) - up, "middle").textContent = fit(item.feature?.n || item.title, item.round ? 1.6 * item.r : w - 14, fonts.title);
		item.value = line("value", w / 2, cy + (item.round ? 5 : 14) - up, "middle");
		item.gradient = line("gradient middle", w / 2, cy + (item.round ? 22 : 29), "middle");
		if (item.feature && !node.l) item.scaled = line("caption", w / 2, cy + 23, "middle");
		if (item.lines) item.texts = item.lines.map((name, k) => line("caption", w / 2, cy + item.r + 13 + 14 * k, "middle"));
	} else if (item.slim) {
		line("title", 10, 19).textContent = fit(item.title, w - 32 - textWidth(widest(), fonts.value), fonts.title);
		item.value = line("value", w - 9, 19, "end");
		item.gradient = line("gradient low", 10, 36);
		item.next = line("change low", w - 9, 36, "end");
	} else {
		const head = line("title", 11, 20);
		head.textContent = fit(item.title, w - 21, fonts.title);
		if (item.caption) line("caption", w - 10, 20, "end").textContent = fit(item.caption, w - 33 - textWidth(head.textContent, fonts.title), fonts.small);
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

// setText and setAttribute write only what has changed: writing to a page is
// slow, even if nothing changes.
function setText(element, text) {
	if (element.textContent !== text) element.textContent = text;
}

function setAttribute(element, name, value) {
	if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

// paint shows a picture at a step: what is known by then, what the current
// steps are about, and what is selected.
function paint(picture, g, world, times, k, now, selected) {
	const largest = Math.max(...world.gradients.map(x => has(x) && Number.isFinite(norm(x)) ? norm(x) : 0), 0);
	const hot = new Set(now.map(s => s.node?.raw)), origins = originsOf(raw, world);
	for (const item of picture.items) {
		paintItem(item, g, world, times, k, largest);
		const raws = item.nodes.map(n => n.raw);
		const here = !item.uses || now.some(s => s.node?.raw === item.node.raw && (!s.edge || item.uses.some(e => e.raw === s.edge.raw)));
		item.group.classList.toggle("hot", here && raws.some(i => hot.has(i)) || (item.neuron?.biases || []).some(b => hot.has(g.nodes[b].raw)) || here && item.nodes.some(n => n.inside.some(i => hot.has(i))));
		item.group.classList.toggle("selected", selected !== null && item.nodes.some(n => n.raw === selected || n.inside.includes(selected)));
		item.group.classList.toggle("origin", item.nodes.some(n => n.inside.some(i => origins.values.has(i) && times.value[i] <= k || origins.gradients.has(i) && times.gradient[i] <= k)));
		item.group.classList.toggle("broken", item.nodes.some(n => isBroken(world.values[n.raw]) && times.value[n.raw] <= k || has(world.gradients[n.raw]) && isBroken(world.gradients[n.raw]) && times.gradient[n.raw] <= k));
	}
	for (const l of picture.links) paintLink(l, g, world, times, k, now, selected);
	picture.loosen = over => {
		const loose = loosen(picture, over || picture.links.find(l => l.hot && !l.lines));
		if (loose) writeLabel(loose.link, loose.lines, g, world, times, k, true);
	};
	picture.loosen();
}

// gradientAt returns the part of a gradient that has arrived by a step,
// undefined before.
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
	const shown = times.value[n.raw] <= k, d = item.uses ? partAt(item.uses, world, times, k) : gradientAt(g, n, world, times, k), next = times.update[n.raw] <= k;
	const all = item.uses && gradientAt(g, n, world, times, k); // what all places of a shared weight have added
	const value = world.values[n.raw], key = [shown, next, all, d === undefined ? "" : typeof d === "object" ? brief(d) : d, world.gradients[n.raw]?.why && k >= times.first].join();
	if (item.kind === "box" && item.key === key && item.world === world) return;
	Object.assign(item, { key, world });
	const changed = next ? world.updates.get(n.raw) : undefined, room = item.round ? 1.9 * item.r : item.w - 20;
	if (item.scaled) {
		setText(item.value, fit(reading(n, world), item.w - 14, fonts.value));
		setText(item.scaled, fit(`${item.title} = ${brief(value)}`, item.w - 14, fonts.small));
	} else if (item.next || !next) setText(item.value, shown ? briefIn(value, item.slim ? textWidth(widest(), fonts.value) : room, fonts.value) : "·");
	else setText(item.value, `${briefIn(value, (room - 22) / 2, fonts.value)} ${moved(value, changed, x => briefIn(x, (room - 22) / 2, fonts.value))}`);
	if (item.next) setText(item.next, next ? moved(value, changed, x => briefIn(x, (item.w - 60) / 2, fonts.small)) : typeof all === "number" ? `Σ ${numberIn(all, (item.w - 60) / 2, fonts.small)}` : "");
	if (item.uses && item.next) { item.next.classList.toggle("gradient", !next); item.next.classList.toggle("change", next); }
	item.value.classList.toggle("unknown", !shown);
	item.value.classList.toggle("change", next && !item.next);
	const z = item.small && item.neuron.a ? item.neuron.z : n, dz = item.uses ? d : gradientAt(g, z, world, times, k); // where there is room for one, that of the sum
	setText(item.gradient, d === undefined ? whyEmpty(world, n, k, times) : dz === undefined ? gradientText(item, n, d) : gradientText(item, z, dz));
	item.gradient.classList.toggle("zero", d !== undefined && isZero(d));
	item.gradient.classList.toggle("unknown", d === undefined);
	if (item.bar) {
		const part = d === undefined || !largest ? 0 : Math.min(1, norm(d) / largest) || 0;
		setAttribute(item.bar, "width", fix(part * (item.w - 2)));
	}
	if (item.kind === "neuron" && (item.lines || item.under)) paintNeuron(item, g, world, times, k);
	if (item.kind === "loss") {
		const targets = item.nodes.filter(t => t.leaf && t.k === "constant");
		setText(item.under, wantedText(targets, world));
		setText(item.under, fit(item.under.textContent, item.w - 20, fonts.small));
		setText(item.more, `${item.nodes.filter(t => !t.leaf).length} operations`);
	}
	setAttribute(item.group, "aria-label", `${fullTitle(n)}, ${n.leaf ? kindWords[kindOf(n).split(" ")[0]] : n.op}${shown ? `, value ${brief(value)}` : ""}${d !== undefined ? `, gradient ${brief(d)}` : ""}${next ? `, new value ${brief(world.updates.get(n.raw))}` : ""}`);
}

// wantedText returns what the loss shows of the targets: for classes, the
// correct one.
function wantedText(targets, world) {
	const classes = targets.length > 1 && targets.every(t => featureOf(t)), ones = targets.filter(t => world.values[t.raw] === 1);
	if (classes && ones.length === 1 && targets.every(t => t === ones[0] || world.values[t.raw] === 0)) return `wanted: ${featureOf(ones[0]).n}`;
	return targets.slice(0, 3).map(t => targetText(t, world)).join(", ") + (targets.length > 3 ? " …" : "");
}

// targetText returns a target as the loss shows it.
function targetText(t, world) {
	const f = featureOf(t), text = `${f && f.f === undefined && !f.u ? f.n : title(t)} = ${brief(world.values[t.raw])}`;
	return !f || f.f === undefined && !f.u ? text : f.f === undefined ? `${title(t)} = ${reading(t, world)}` : `${text} (${reading(t, world)})`;
}

// gradientText returns a gradient as its box shows it: with its name if there
// is space.
function gradientText(item, n, d) {
	const font = item.slim ? fonts.small : item.round || item.pill ? "12px" : fonts.row, room = item.slim ? (item.w - 26) / 2 : item.round ? 1.6 * item.r : item.w - 20;
	const short = item.uses ? "adds" : item.small && item.neuron.a ? n === item.neuron.z ? "dz" : "da" : "d";
	if (typeof d === "object" && !(Array.isArray(d) && d.length <= 3)) d = `‖${number(norm(d), 3)}‖`;
	else d = typeof d === "number" ? numberIn(d, room - textWidth(`${short} `, font), font, item.round ? 3 : data.digits) : brief(d);
	const named = `${gradientTitle(n)} ${d}`;
	return item.kind !== "box" && textWidth(named, font) <= room ? named : fit(`${short} ${d}`, room, font);
}

function whyEmpty(world, n, k, times) {
	const x = world.gradients[n.raw];
	return x && x.why && k >= times.first ? x.why : "";
}

function paintNeuron(item, g, world, times, k) {
	const { z, a, biases, logits } = item.neuron, n = a || z, b = biases.length ? g.nodes[biases[0]] : null, next = b && times.update[b.raw] <= k;
	const summed = times.value[z.raw] <= k, dz = gradientAt(g, z, world, times, k), shared = !!b && isShared(g, b), db = b && (shared ? partAt(b.uses.filter(e => e.to === z.at), world, times, k) : gradientAt(g, b, world, times, k));
	if (!item.lines) { // of a whole layer
		setText(item.under, fit([...(a && summed ? [`${title(z)} ${shapeText(z)}`] : []), ...(a ? [shorten(a.op)] : []), ...(a && dz !== undefined ? [`dz ${typeof dz === "number" ? number(dz, 3) : `‖${number(norm(dz), 3)}‖`}`] : [])].join("  ·  "), item.w - 20, fonts.small));
		return;
	}
	const say = {
		output: () => times.value[n.raw] <= k ? outputText(n, world, probability(z, a, logits, world.values[n.raw])) : featureOf(n)?.n || "",
		sum: () => `${summed ? `${title(z)} = ${number(world.values[z.raw])}  ·  ` : ""}${shorten(a.op)}`,
		slope: () => typeof dz === "number" ? `${gradientTitle(z)} = ${number(dz)}` : "",
		bias: () => `${fit(title(b), 40, fonts.small)} ${brief(world.values[b.raw])}${typeof db === "number" ? ` · ${shared ? "adds" : "d"} ${number(db, 3)}` : ""}`,
		next: () => next ? moved(world.values[b.raw], world.updates.get(b.raw)) : "",
	};
	item.lines.forEach((name, i) => {
		setText(item.texts[i], fit(say[name](), item.w, fonts.small));
		item.texts[i].classList.toggle("change", name === "next");
		item.texts[i].classList.toggle("gradient", name === "slope");
	});
}

// outputText returns the meaning of a neuron's output: the data's name for it,
// a probability, or a number with its unit.
function outputText(n, world, p) {
	const f = featureOf(n), name = f ? f.n : "probability";
	return p !== undefined ? `${name} ${number(100 * p, 3)} %` : f ? `${name} ${reading(n, world)}` : "";
}

function paintFolded(item, world, times, k) {
	const known = item.nodes.filter(n => isLearned(n) && has(world.gradients[n.raw]) && times.gradient[n.raw] <= k);
	setText(item.gradient, known.length ? `‖d‖ ${number(Math.hypot(...known.map(n => norm(world.gradients[n.raw]))), 3)}` : "");
	setAttribute(item.group, "aria-label", `${item.title}, folded, ${item.nodes.length} values`);
}

function paintLink(l, g, world, times, k, now, selected) {
	const received = e => e && e.raw in world.contributions && times.part[e.raw] <= k;
	const about = s => s.edge && (l.edges.some(e => e.raw === s.edge.raw) || l.weightEdge?.raw === s.edge.raw || l.weight?.raw === s.node.raw && g.nodes[s.edge.to].rest);
	const turned = !!l.weight && now.some(s => s.phase === "adjust" && l.weight.raw === s.node?.raw), hot = now.some(about);
	const inward = now.some(s => !s.edge && s.node && s.phase !== "adjust" && l.edges.some(e => g.nodes[e.to].raw === s.node.raw));
	const near = selected !== null && l.edges.some(e => g.nodes[e.from].raw === selected || g.nodes[e.to].raw === selected || l.weight?.raw === selected);
	const passed = l.edges.some(received) || received(l.weightEdge), key = [!!hot, !!inward, near, passed, k >= times.first].join();
	l.hot = !!hot;
	if (!l.weight && l.key === key && l.world === world) return;
	Object.assign(l, { key, world });
	l.path.classList.toggle("hot", !!hot);
	l.path.classList.toggle("in", !!inward);
	l.path.classList.toggle("turned", turned);
	l.path.classList.toggle("near", near);
	l.path.classList.toggle("passed", !!passed);
	setAttribute(l.path, "marker-start", hot ? "url(#hot)" : "none");
	setAttribute(l.path, "marker-end", hot ? "none" : "url(#tip)");
	if (l.weight) paintWeight(l, world, times, k);
	if (l.lines) writeLabel(l, l.lines, g, world, times, k, hot || near);
}

// writeLabel writes what passes along a link, or its weight.
function writeLabel(l, lines, g, world, times, k, strong) {
	const write = l.weight ? writeWeight : writePart;
	write(l, lines, g, world, times, k);
	for (const t of lines) t.classList.toggle("strong", !!strong);
}

// writePart writes what a link passes back: the factor and the contribution.
function writePart(l, [first, second], g, world, times, k) {
	const e = l.edges[0], c = world.contributions[e.raw], factor = localOf(g, world, e);
	const arrived = l.edges.length === 1 && e.raw in world.contributions && times.part[e.raw] <= k;
	const scalar = arrived && typeof c === "number";
	setText(first, !arrived ? "" : !scalar ? `norm ${number(norm(c), 3)}` : factor === undefined ? `= ${number(c, 3)}` : `× ${number(factor, 3)}`);
	setText(second, scalar && factor !== undefined ? `= ${number(c, 3)}` : "");
	for (const t of [first, second]) t.classList.add("gradient");
}

// paintWeight shows a weight as its arrow: sign by colour and dashes, size by
// width.
function paintWeight(l, world, times, k) {
	const shown = times.update[l.weight.raw] <= k ? world.updates.get(l.weight.raw) : world.values[l.weight.raw];
	if (typeof shown !== "number") return;
	l.path.classList.toggle("negative", shown < 0);
	l.path.classList.toggle("positive", shown >= 0);
	setAttribute(l.path, "stroke-width", fix(1 + 2.2 * Math.min(1.6, Math.sqrt(Math.abs(shown) || 0))));
}

// writeWeight writes a weight, its gradient and its new value.
function writeWeight(l, [first, second, third], g, world, times, k) {
	const n = l.weight, w = world.values[n.raw], d = l.shared ? partAt([l.weightEdge], world, times, k) : gradientAt(g, n, world, times, k), next = times.update[n.raw] <= k ? world.updates.get(n.raw) : undefined;
	const of = x => typeof x === "number" ? number(x, 3) : `‖${number(norm(x), 3)}‖`;
	setText(first, typeof w === "number" ? (l.shared ? `${title(n)} ` : "") + number(w, 3) : tensorTitle(n));
	setText(second, d === undefined ? "" : `${l.shared ? "adds" : "d"} ${of(d)}`);
	setText(third, next === undefined ? "" : moved(w, next, of));
	second.classList.add("gradient");
	third.classList.add("change");
	second.classList.toggle("zero", d !== undefined && isZero(d));
}
