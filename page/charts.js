// Charts beside the graph: the loss over the epochs, and the network's
// predictions over its features.

// curveEpochs returns the epochs whose loss is known.
const curveEpochs = () => data.curve.losses.map((_, k) => data.curve.epochs[k] ?? data.curve.epochs[0] + k);

// lossCurve draws the loss of every recorded epoch, with dots at those that the
// page shows.
function lossCurve(root, current, onEpoch) {
	const w = 300, h = 96, left = 58, bottom = 16;
	const losses = decoded(data.curve.losses), epochs = curveEpochs();
	const points = losses.map((loss, k) => [epochs[k], loss]).filter(p => Number.isFinite(p[1]));
	root.replaceChildren();
	root.setAttribute("viewBox", `0 0 ${w} ${h}`);
	if (!points.length) return;
	const span = k => { const all = points.map(p => p[k]), low = Math.min(...all), high = Math.max(...all); return [low, high > low ? high - low : 1]; };
	const [x0, dx] = span(0), [y0, dy] = span(1);
	const at = ([x, y]) => [left + (x - x0) / dx * (w - left - 10), 8 + (1 - (y - y0) / dy) * (h - bottom - 14)];
	const label = (x, y, text, anchor) => svg("text", { x, y, class: "axis", "text-anchor": anchor }, text);
	root.append(svg("line", { x1: left, x2: w - 10, y1: h - bottom, y2: h - bottom, class: "axis" }),
		label(left - 9, 14, number(y0 + dy, 3), "end"), label(left - 9, h - bottom - 2, number(y0, 3), "end"),
		label(left, h - 3, String(x0), "start"), label(w - 10, h - 3, String(x0 + dx), "end"), label((left + w) / 2, h - 3, "epoch", "middle"));
	root.append(svg("polyline", { class: "curve", points: thin(points).map(p => at(p).map(fix).join(",")).join(" ") }));
	data.frames.forEach((f, k) => {
		const value = losses[epochs.indexOf(f.epoch)];
		if (!Number.isFinite(value)) return;
		const [x, y] = at([f.epoch, value]);
		const dot = svg("circle", { cx: fix(x), cy: fix(y), r: k === current ? 5 : 2.5, class: k === current ? "dot now" : "dot" });
		dot.addEventListener("click", () => onEpoch(k));
		root.append(dot);
	});
	root.setAttribute("aria-label", `The loss from epoch ${x0} to ${x0 + dx}: from ${number(points[0][1])} to ${number(points.at(-1)[1])}.`);
}

// thin keeps as many points as can be distinguished, including the first and
// the last.
function thin(points, most = 400) {
	if (points.length <= most) return points;
	return Array.from({ length: most }, (_, k) => points[Math.round(k * (points.length - 1) / (most - 1))]);
}

// shownOf returns what an epoch's fit shows, as numbers.
function shownOf(shot) {
	if (shot.curve) return decoded(shot.curve);
	const low = decoded(shot.low), high = decoded(shot.high);
	return Array.from(atob(shot.cells), ch => ch.charCodeAt(0) === 255 ? NaN : low + (high - low) * ch.charCodeAt(0) / 254);
}

// lineThrough returns y as a linear function of x, or null if it is not one.
function lineThrough(x, y, error) {
	const a = x.indexOf(Math.min(...x)), b = x.indexOf(Math.max(...x)), line = v => y[a] + (y[b] - y[a]) / (x[b] - x[a]) * (v - x[a]);
	return x.length === y.length && x.every((v, i) => Math.abs(line(v) - y[i]) <= error) ? line : null;
}

// follower returns a function that computes a fit for other weights, or null.
// It needs inputs that are linear functions of the features, which it checks on
// all rows of the batch, and a fit that is a linear function of the last value
// that depends on inputs alone, which it checks on the last epochs.
function follower(g) {
	const { low, high, x, points } = data.fit, first = worldOf(data.frames[0], g);
	const inputs = g.nodes.filter(n => n.role === "input" && n.single), ids = inputs.map(n => n.raw);
	const maps = data.row === undefined ? low.length === ids.length && low.map((_, k) => p => p[k])
		: ids.map(i => low.map((_, k) => { const line = lineThrough(x.map(p => p[k]), first.rows[i] || [], 1e-9); return line && (p => line(p[k])); }).find(f => f));
	const follows = following(g, ids), others = following(g, g.nodes.filter(n => n.role === "target" || first.rows[n.raw] && !ids.includes(n.raw)).map(n => n.raw));
	const inner = g.nodes.filter(n => !n.leaf && follows[n.at] && !others[n.at]), last = inner.at(-1);
	if (!last || !maps || !maps.every(f => f) || !inner.every(knows)) return null;
	const n = low.length > 1 ? points : data.frames[0].fit.curve.length, at = (axis, i) => low[axis] + (high[axis] - low[axis]) * i / (n - 1);
	const grid = Array.from({ length: n ** low.length }, (_, i) => [at(0, i % n), at(1, Math.floor(i / n))]);
	const predict = world => grid.map(p => {
		const v = world.values.slice();
		ids.forEach((i, k) => { v[i] = maps[k](p); });
		for (const m of inner) v[m.raw] = resultOf(m, m.in.map(e => v[e.from])).y;
		return v[last.raw];
	});
	const near = shot => shot.curve ? 1e-4 * Math.max(...shownOf(shot).map(Math.abs)) : (shot.high - shot.low) / 500;
	for (const f of data.frames.slice(-2)) {
		const answer = lineThrough(predict(worldOf(f, g)), shownOf(f.fit), near(f.fit));
		if (answer) return world => predict(world).map(answer);
	}
	return null;
}

// fitPicture draws the data points over the fitted curve for one feature, or
// over the predictions for two features with the boundary between two classes.
function fitPicture(canvas, shown) {
	const box = canvas.getBoundingClientRect(), scale = window.devicePixelRatio || 1, w = box.width || 300, h = box.height || 190;
	canvas.width = Math.round(w * scale);
	canvas.height = Math.round(h * scale);
	const c = canvas.getContext("2d"), style = getComputedStyle(document.documentElement), color = name => style.getPropertyValue(name).trim();
	c.scale(scale, scale);
	const area = { x: 44, y: 6, w: w - 52, h: h - 32 };
	const flat = data.fit.low.length === 1;
	const targets = data.fit.y, classes = classCount();
	let low = [...data.fit.low], high = [...data.fit.high];
	if (flat) {
		const all = [...targets, ...shown].filter(Number.isFinite);
		low.push(Math.min(...all)); high.push(Math.max(...all));
		const margin = 0.06 * (high[1] - low[1]) || 1;
		low[1] -= margin; high[1] += margin;
	}
	const X = v => area.x + (v - low[0]) / (high[0] - low[0]) * area.w, Y = v => area.y + area.h - (v - low[1]) / (high[1] - low[1]) * area.h;
	c.font = "11px system-ui, sans-serif";
	const least = Math.min(...targets), range = Math.max(...targets) - least || 1;
	if (!flat) cells(c, shown, area, classes, color, classes ? [0, classes - 1] : [least, least + range]);
	c.strokeStyle = color("--line");
	c.lineWidth = 1;
	c.strokeRect(area.x, area.y, area.w, area.h);
	if (flat) {
		c.strokeStyle = color("--change");
		c.lineWidth = 2;
		c.beginPath();
		shown.forEach((y, i, all) => { if (Number.isFinite(y)) c.lineTo(X(low[0] + (high[0] - low[0]) * i / (all.length - 1)), Y(y)); });
		c.stroke();
	}
	data.fit.x.forEach((x, i) => dataPoint(c, X(x[0]), Y(flat ? targets[i] : x[1]), flat ? -1 : (targets[i] - least) / range, classes ? targets[i] : 0, color));
	c.fillStyle = color("--gray");
	c.textBaseline = "top";
	c.textAlign = "left"; c.fillText(number(low[0], 3), area.x, area.y + area.h + 4);
	c.textAlign = "right"; c.fillText(number(high[0], 3), area.x + area.w, area.y + area.h + 4);
	c.fillText(number(high[1], 3), area.x - 4, area.y); c.fillText(number(low[1], 3), area.x - 4, area.y + area.h - 11);
	c.textAlign = "center"; c.fillText((data.fit.names || [])[0] || "feature 1", area.x + area.w / 2, area.y + area.h + 4);
	if (!flat) { c.save(); c.translate(area.x - 40, area.y + area.h / 2); c.rotate(-Math.PI / 2); c.fillText((data.fit.names || [])[1] || "feature 2", 0, 0); c.restore(); }
}

// dataPoint draws a point in the shape of its class and the colour of its part
// of the scale; below 0 without colour.
function dataPoint(c, x, y, part, shape, color) {
	const corners = [[], [[0, -5], [5, 4], [-5, 4]], [[-4, -4], [4, -4], [4, 4], [-4, 4]], [[0, -6], [5, 0], [0, 6], [-5, 0]]][shape % 4] || [];
	c.lineWidth = 1.5;
	c.strokeStyle = color("--paper");
	c.fillStyle = part < 0 ? color("--ink") : mix(color("--cold"), color("--warm"), part);
	c.beginPath();
	if (corners.length && part >= 0) corners.forEach(([u, v]) => c.lineTo(x + u, y + v)); else c.arc(x, y, part < 0 ? 2.6 : 4, 0, 7);
	c.closePath();
	c.fill();
	c.stroke();
}

// classCount returns the number of classes among the targets, 0 if they are not
// classes.
function classCount() {
	const { y, classes } = data.fit;
	return classes ? classes.length : y.every(t => t === 0 || t === 1) ? 2 : 0;
}

// fitKey explains the points and the colours.
function fitKey(list) {
	const classes = classCount(), style = getComputedStyle(document.documentElement), color = name => style.getPropertyValue(name).trim(), flat = data.fit.low.length === 1;
	const unit = data.fit.target ? ` ${data.fit.target}` : "", low = Math.min(...data.fit.y), high = Math.max(...data.fit.y);
	if (flat) { list.replaceChildren(el("li", {}, `● data${unit && ":" + unit}`), el("li", {}, "— network")); return; }
	if (!classes) { list.replaceChildren(el("li", {}, number(low, 3), el("i", { class: "ramp" }), number(high, 3) + unit), el("li", {}, "points: data, ground: network")); return; }
	list.replaceChildren(...Array.from({ length: classes }, (_, k) => {
		const name = (data.fit.classes || [])[k] ?? `target ${k}`, point = el("canvas", { width: 28, height: 28, "aria-label": name }), c = point.getContext("2d");
		c.scale(2, 2);
		dataPoint(c, 7, 7, k / Math.max(1, classes - 1), k, color);
		return el("li", {}, point, name);
	}), el("li", {}, classes === 2 ? "line: the network says ½" : "ground: what the network says"));
}

// cells paints the grid of predictions in the colours of the targets and, for
// two classes, the line where the prediction is ½.
function cells(c, shown, area, classes, color, [from, to]) {
	const n = data.fit.points;
	const dx = area.w / (n - 1), dy = area.h / (n - 1);
	const cold = color("--cold"), warm = color("--warm"), paper = color("--paper");
	c.save();
	c.beginPath(); c.rect(area.x, area.y, area.w, area.h); c.clip();
	for (let j = 0; j < n; j++) for (let i = 0; i < n; i++) {
		const y = shown[j * n + i];
		c.fillStyle = !Number.isFinite(y) ? color("--trouble") : mix(paper, mix(cold, warm, to > from ? (y - from) / (to - from) : 0.5), 0.42);
		c.fillRect(area.x + (i - 0.5) * dx, area.y + area.h - (j + 0.5) * dy, dx + 0.6, dy + 0.6);
	}
	if (classes === 2) boundary(c, n, k => shown[k] - 0.5, (i, j) => [area.x + i * dx, area.y + area.h - j * dy], color);
	c.restore();
}

function boundary(c, n, level, place, color) {
	c.strokeStyle = color("--ink");
	c.lineWidth = 1.8;
	c.beginPath();
	for (let j = 0; j + 1 < n; j++) for (let i = 0; i + 1 < n; i++) {
		const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]], crossings = [];
		for (let k = 0; k < 4; k++) {
			const a = corners[k], b = corners[(k + 1) % 4], va = level(a[1] * n + a[0]), vb = level(b[1] * n + b[0]);
			if (va < 0 === vb < 0) continue;
			const t = va / (va - vb);
			crossings.push(place(a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t));
		}
		for (let k = 0; k + 1 < crossings.length; k += 2) { c.moveTo(...crossings[k]); c.lineTo(...crossings[k + 1]); }
	}
	c.stroke();
}

// mix returns a colour between two, each #rrggbb.
function mix(a, b, part) {
	const t = Math.min(1, Math.max(0, part)), of = (s, k) => parseInt(s.slice(k, k + 2), 16);
	return "#" + [1, 3, 5].map(k => Math.round(of(a, k) * (1 - t) + of(b, k) * t).toString(16).padStart(2, "0")).join("");
}
