// Layout: columns along the computation, ordered so that arrows are short and
// frames do not overlap. Go's package internal/layout does the same for
// drawings; a test compares the two.

const gaps = { column: 44, row: 12, frame: 12, heading: 22, bend: 10, label: 3, wider: 30 };

// layout places boxes. Its input is items {w, h, scope, order}, links {from,
// to} between items, the scopes' parents and the widths of their headings, and
// whether to keep the order within columns. A circle is an item with a radius r
// whose center is `mid` below its top; the text below it belongs to the item. A
// link with a `slot` {w, h} has a label of that size. layout sets x, y (top
// left) and rank of each item, `points` of each link and the center `at` of its
// label, and returns frames {scope, x, y, w, h} and the size of the drawing.
// Columns move apart until each label has a place; a label that finds none even
// then has no `at`.
function layout(items, links, parents, headings, keepOrder, column = gaps.column) {
	const plan = { items: items.slice(), keepOrder };
	const root = blocksOf(plan, parents);
	lift(root, links, plan);
	rank(root);
	settle(root, 0);
	bend(plan, links);
	const all = [...plan.items, ...plan.blocks];
	let best = null;
	for (let sweep = 0; sweep < (items.length > 800 ? 5 : 16); sweep++) {
		place(plan, root, sweep);
		const cost = stretch(plan);
		if (!best || cost < best.cost) best = { cost, at: all.map(i => [i.y, i.h]) };
	}
	all.forEach((x, k) => { [x.y, x.h] = best.at[k]; });
	for (let gap = column; ; gap += gaps.wider) {
		const width = columns(plan, gap);
		for (const l of links) route(l);
		spread(links);
		const placed = frame(plan, root, width);
		if (placeLabels(items, links, placed.frames, headings) || gap >= column + 5 * gaps.wider) return placed;
	}
}

// middle returns the distance below an item's top at which arrows meet it;
// leftOf and rightOf return the x.
const middle = i => i.mid ?? i.h / 2;
const leftOf = i => i.r ? i.x + i.w / 2 - i.r : i.x;
const rightOf = i => i.r ? i.x + i.w / 2 + i.r : i.x + i.w;

// blocksOf returns the tree of scopes with their items.
function blocksOf(plan, parents) {
	const blocks = new Map(), get = s => {
		if (!blocks.has(s)) {
			const b = { scope: s, children: [], members: [], parent: null, depth: 0, order: Infinity };
			blocks.set(s, b);
			if (s) { b.parent = get(parents[s]); b.depth = b.parent.depth + 1; b.parent.children.push(b); }
		}
		return blocks.get(s);
	};
	get(0);
	for (const item of plan.items) {
		item.parent = get(item.scope);
		item.parent.children.push(item);
		Object.assign(item, { depth: item.parent.depth + 1, members: [item], y: 0, near: [], bend: false });
		for (let b = item.parent; b; b = b.parent) { b.members.push(item); b.order = Math.min(b.order, item.order); }
	}
	plan.blocks = [...blocks.values()];
	for (const b of plan.blocks) { b.children.sort((x, y) => x.order - y.order); b.inside = new Set(b.members); }
	return get(0);
}

// lift finds for each link the two children of a common block that it
// connects.
function lift(root, links, plan) {
	for (const c of [...plan.items, ...plan.blocks]) { c.next = []; c.before = []; }
	for (const l of links) {
		let a = l.from, b = l.to;
		while (a.parent !== b.parent) if (a.depth >= b.depth) a = a.parent; else b = b.parent;
		l.ends = [a, b];
		l.ahead = a !== b && (a.order < b.order || !a.children && !l.from.inputs);
		if (l.ahead) { a.next.push(b); b.before.push(a); }
	}
}

// rank sets the columns within a block, from 0: each child comes after all that
// it depends on; one that depends on nothing comes just before its first use.
function rank(block) {
	const sorted = block.children.slice().sort((a, b) => (b.before.length ? 0 : 1) - (a.before.length ? 0 : 1) || a.order - b.order);
	for (const c of sorted) { if (c.children) rank(c); else c.span = 1; c.rank = 0; }
	for (const c of sorted) for (const n of c.next) n.rank = Math.max(n.rank, c.rank + c.span);
	for (const c of sorted) if (!c.before.length && c.next.length) c.rank = Math.min(...c.next.map(n => n.rank)) - c.span;
	const first = Math.min(...sorted.map(c => c.rank));
	for (const c of sorted) c.rank -= first;
	block.span = Math.max(...sorted.map(c => c.rank + c.span));
}

// settle turns the ranks within blocks into columns of the drawing.
function settle(block, from) {
	for (const c of block.children) {
		c.rank += from;
		c.first = c.rank;
		c.last = c.rank + c.span - 1;
		if (c.children) settle(c, c.rank);
	}
	block.first ??= from;
	block.last ??= from + block.span - 1;
}

// bend cuts long links into pieces of one column each, so that they avoid the
// items between their ends.
function bend(plan, links) {
	let left = plan.items.length > 800 ? 1500 : 4000;
	for (const l of links) {
		l.bends = [];
		const span = l.to.rank - l.from.rank - 1;
		if (l.ahead && span > 0 && span <= 40 && left > 0) {
			left -= span;
			for (let r = l.from.rank + 1; r < l.to.rank; r++) l.bends.push(bendAt(l, r, l.slot && r === l.to.rank - 1 ? l.slot.h : gaps.bend));
			plan.items.push(...l.bends);
		}
		const chain = [l.from, ...l.bends, l.to];
		for (let k = 1; k < chain.length; k++) {
			chain[k - 1].near.push({ item: chain[k], ahead: true });
			chain[k].near.push({ item: chain[k - 1], ahead: false });
		}
	}
}

// bendAt adds a piece of a link in column r with height h: in the block of one
// of its ends if that extends so far, otherwise between the blocks.
function bendAt(l, r, h) {
	const [a, b] = l.ends, [end, top] = r <= a.last ? [l.from, a] : r >= b.first ? [l.to, b] : [null, a];
	let parent = end ? end.parent : a.parent;
	while (end && parent !== top.parent && (r < parent.first || r > parent.last)) parent = parent.parent;
	const item = { w: 0, h, order: l.from.order, rank: r, first: r, last: r, near: [], bend: true, y: 0, parent };
	item.members = [item];
	parent.children.push(item);
	for (let p = parent; p; p = p.parent) { p.members.push(item); p.inside.add(item); }
	return item;
}

// place sets the heights of a block's items, inner blocks first, and returns
// the block's height.
function place(plan, block, sweep) {
	for (const c of block.children) if (c.children) place(plan, c, sweep);
	for (const c of block.children) c.wish = wish(c, sweep);
	if (!plan.keepOrder && sweep) block.children.sort((a, b) => a.wish - b.wish || a.order - b.order);
	const down = pack(block.children, 1), up = pack(block.children.slice().reverse(), -1).reverse();
	const tops = block.children.map((c, k) => (down[k] + up[k]) / 2);
	const top = Math.min(...tops), pad = block.scope ? gaps.heading : 0;
	block.children.forEach((c, k) => shift(c, tops[k] - top + pad - c.y));
	block.y = 0;
	block.h = Math.max(...block.children.map(c => c.y + c.h)) + (block.scope ? gaps.frame : 0);
}

function shift(c, by) {
	if (!by) return;
	c.y += by;
	if (c.children) c.children.forEach(child => shift(child, by));
}

// wish returns where the middle of an item or block would be if its arrows were
// horizontal.
function wish(c, sweep) {
	let sum = 0, count = 0;
	if (!sweep) return 0;
	for (const m of c.members) for (const n of m.near) {
		if (c.inside && c.inside.has(n.item)) continue;
		if (sweep > 2 || n.ahead === (sweep % 2 === 1)) { sum += n.item.absolute - m.absolute; count++; }
	}
	return (c.middle ?? 0) + (count ? sum / count : 0);
}

// pack places children one below the other (above, for direction −1), each as
// close to its wish as the previous ones allow, and returns their tops.
function pack(children, direction) {
	const edge = [];
	return children.map(c => {
		let from = -Infinity;
		for (let r = c.first; r <= c.last; r++) from = Math.max(from, edge[r] ?? -Infinity);
		const start = direction > 0 ? Math.max(from, c.wish - middle(c)) : Math.max(from, middle(c) - c.h - c.wish);
		const gap = c.bend ? 2 : gaps.row;
		for (let r = c.first; r <= c.last; r++) edge[r] = start + c.h + gap;
		return direction > 0 ? start : -(start + c.h);
	});
}

// stretch notes the current positions and returns the total vertical distance
// of the arrows.
function stretch(plan) {
	for (const i of plan.items) i.absolute = i.y + middle(i);
	for (const b of plan.blocks) b.middle = b.y + b.h / 2;
	let cost = 0;
	for (const i of plan.items) {
		i.middle = i.absolute;
		for (const n of i.near) if (n.ahead) cost += (n.item.absolute - i.absolute) ** 2;
	}
	return cost;
}

// columns sets x from the widest item of each column and returns the total
// width.
function columns(plan, gap) {
	const widths = [];
	for (const i of plan.items) widths[i.rank] = Math.max(widths[i.rank] || 0, i.w);
	let x = 0;
	const starts = [...widths].map(w => { const start = x; x += (w || 0) + gap; return start; });
	for (const i of plan.items) {
		i.x = starts[i.rank] + (widths[i.rank] - i.w) / 2;
		i.columnStart = starts[i.rank];
		i.columnEnd = starts[i.rank] + widths[i.rank];
	}
	return x - gap;
}

// route sets the points of a link: out of the right side of one item,
// horizontally through the columns between, into the left side of the other.
function route(l) {
	const points = [[rightOf(l.from), l.from.y + middle(l.from)]];
	for (const b of l.bends) points.push([b.columnStart, b.y + b.h / 2], [b.columnEnd, b.y + b.h / 2]);
	points.push([leftOf(l.to), l.to.y + middle(l.to)]);
	l.points = points;
}

// spread moves apart the ends of links that meet at an item, in the order of
// their other ends.
function spread(links) {
	const ends = new Map();
	for (const l of links) {
		if (!ends.has(l.to)) ends.set(l.to, []);
		ends.get(l.to).push(l);
	}
	for (const [to, all] of ends) {
		all.sort((a, b) => a.points.at(-2)[1] - b.points.at(-2)[1]);
		const room = Math.min((to.r ? 2 * to.r : to.h) * 0.6, (all.length - 1) * 12);
		all.forEach((l, k) => {
			const off = all.length > 1 ? (k / (all.length - 1) - 0.5) * room : 0;
			const end = l.points.at(-1);
			end[1] += off;
			if (to.r) end[0] += to.r - Math.sqrt(to.r ** 2 - off * off);
		});
	}
}

// placeLabels finds a place for each label: on its link, clear of boxes,
// headings and other labels, and of other links where possible. It reports
// whether all have a place. Labels that found none are placed first in the next
// round.
function placeLabels(items, links, frames, headings) {
	let order = links.filter(l => l.slot), failed = [];
	const solid = obstacles(items, frames, headings), curves = links.flatMap(curvesOf);
	for (let round = 0; round < 4 && (!round || failed.length); round++) {
		order = [...failed, ...order.filter(l => !failed.includes(l))];
		const taken = solid.slice();
		failed = order.filter(l => {
			l.at = spotOf(l, taken, curves);
			if (l.at) taken.push(around(l.at, l.slot));
			return !l.at;
		});
	}
	return !failed.length;
}

// obstacles returns the rectangles [left, top, right, bottom] that labels must
// not cover.
function obstacles(items, frames, headings) {
	const all = frames.map(f => [f.x, f.y, f.x + Math.min(f.w, headings[f.scope]), f.y + gaps.heading]);
	for (const i of items) {
		if (!i.r) { all.push([i.x, i.y, i.x + i.w, i.y + i.h]); continue; }
		const under = i.y + middle(i) + i.r;
		all.push([leftOf(i), under - 2 * i.r, rightOf(i), under]);
		if (i.y + i.h > under) all.push([i.x, under, i.x + i.w, i.y + i.h]);
	}
	return all;
}

const around = ([x, y], { w, h }) => [x - w / 2 - gaps.label, y - h / 2, x + w / 2 + gaps.label, y + h / 2];
const meet = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];

// curvesOf returns the pieces of a link between columns, each with points on it
// and the rectangle around it.
function curvesOf(l) {
	const curves = [];
	for (let k = 0; k < l.points.length; k += 2) {
		const from = l.points[k], to = l.points[k + 1], on = [];
		for (let i = 1; i < 16; i++) on.push(curvePoint(from, to, i / 16));
		curves.push({ link: l, from, to, on, box: [Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.max(from[0], to[0]), Math.max(from[1], to[1])] });
	}
	return curves;
}

// spotOf returns the best center of a link's label, or undefined.
function spotOf(l, taken, curves) {
	let best, least = Infinity;
	const own = curves.filter(c => c.link === l).reverse();
	own.forEach((c, k) => {
		for (let i = 2; i <= 30; i++) for (let up = -2; up <= 2; up++) {
			const [x, y] = curvePoint(c.from, c.to, i / 32), at = [x, y + up * l.slot.h / 5], box = around(at, l.slot);
			let cost = k + Math.abs(i / 32 - 0.5) + Math.abs(up) / 8;
			if (cost >= least || taken.some(b => meet(b, box))) continue;
			for (const o of curves) if (o.link !== l && meet(o.box, [box[0], box[1] - 1, box[2], box[3] + 1])) for (const [u, v] of o.on) if (u > box[0] && u < box[2] && v > box[1] && v < box[3]) cost += 0.2;
			if (cost < least) { least = cost; best = at; }
		}
	});
	return best;
}

// curvePoint returns a point of the curve between two points of a link.
function curvePoint([x0, y0], [x1, y1], t) {
	const reach = Math.max(16, Math.abs(x1 - x0) / 2), u = 1 - t;
	const mid = 3 * u * u * t, near = 3 * u * t * t;
	return [u * u * u * x0 + mid * (x0 + reach) + near * (x1 - reach) + t * t * t * x1, (u * u * u + mid) * y0 + (near + t * t * t) * y1];
}

// pathText returns a link as an SVG path.
function pathText(points) {
	let text = `M${fix(points[0][0])} ${fix(points[0][1])}`;
	for (let k = 1; k < points.length; k++) {
		const [x0, y0] = points[k - 1], [x1, y1] = points[k], reach = Math.max(16, Math.abs(x1 - x0) / 2);
		text += Math.abs(y1 - y0) < 0.5 && x1 >= x0 ? `L${fix(x1)} ${fix(y1)}` : `C${fix(x0 + reach)} ${fix(y0)} ${fix(x1 - reach)} ${fix(y1)} ${fix(x1)} ${fix(y1)}`;
	}
	return text;
}

const fix = v => Math.round(v * 10) / 10;

// frame returns the frames of scopes and the size of the drawing.
function frame(plan, root, width) {
	const frames = [];
	const visit = (block, depth) => {
		let left = Infinity, right = -Infinity;
		for (const m of block.members) if (!m.bend) { left = Math.min(left, m.x); right = Math.max(right, m.x + m.w); }
		let inner = 0;
		for (const c of block.children) if (c.children) inner = Math.max(inner, visit(c, depth + 1));
		const pad = inner + 9;
		if (block.scope) frames.push({ scope: block.scope, depth, x: left - pad, y: block.y, w: right - left + 2 * pad, h: block.h });
		return pad;
	};
	visit(root, 0);
	frames.sort((a, b) => a.depth - b.depth);
	return { frames, width, height: root.h };
}
