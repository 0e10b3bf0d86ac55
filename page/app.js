// The page: its state and the reader's actions.

const data = JSON.parse(document.getElementById("data").textContent);
const $ = id => document.getElementById(id);
const raw = recorded(), sums = fused(raw), net = neurons(sums);
const state = { epoch: 0, step: 0, selected: null, view: net ? "neurons" : "operations", folded: new Set(), changes: new Map(), playing: 0, unit: "operation", query: "", hovered: null };
let world, asRecorded, steps, stretches, times, picture, camera = { x: 0, y: 0, k: 1, own: false };

// el makes an HTML element.
function el(name, attributes = {}, ...children) {
	const e = document.createElement(name);
	for (const [k, v] of Object.entries(attributes)) if (k.startsWith("on")) e.addEventListener(k.slice(2), v); else e.setAttribute(k, v);
	e.append(...children);
	return e;
}

// graphNow is the graph that is drawn.
const graphNow = () => state.view === "all" ? raw : sums;
// nodeNow returns the drawn node that holds a recorded one.
const nodeNow = (i, g = graphNow()) => g.nodes[g.of[i]];

// An epoch's numbers, as recorded or with changed leaves.

function loadEpoch() {
	asRecorded = worldOf(data.frames[state.epoch], raw);
	world = state.changes.size ? again(raw, asRecorded, state.changes) : asRecorded;
	steps = stepsOf(sums, world, net);
	stretches = stretchesOf(steps, sums);
	times = timesOf(steps, raw, sums);
	const first = steps.findIndex(s => s.phase === "feedback");
	times.first = first < 0 ? steps.length - 1 : first;
	state.step = Math.min(state.step, steps.length - 1);
	for (const b of document.querySelectorAll("[data-phase]")) b.disabled = !steps.some(s => s.phase === b.dataset.phase);
	for (const b of document.querySelectorAll("[data-phase]")) b.title = b.disabled ? { feedback: "No backward pass was recorded", adjust: "No update was recorded" }[b.dataset.phase] || "Nothing is computed here" : `Key ${phases.indexOf(b.dataset.phase) + 1}`;
}

// Drawing.

function drawPicture() {
	const g = graphNow();
	const scene = state.view === "neurons" ? sceneOfNeurons(sums, net) : sceneOfOperations(g, state.folded);
	picture = Picture($("graph"), scene, g, i => select(i), fold);
	for (const [id, view] of [["view-neurons", "neurons"], ["view-operations", "operations"], ["view-all", "all"]]) $(id).setAttribute("aria-pressed", state.view === view);
	showLegend();
	fitCamera();
}

// showLegend shows the parts of the legend that occur in the picture.
function showLegend() {
	const broken = [...world.values, ...world.gradients].some(x => has(x) && isBroken(x)), seen = { neurons: state.view === "neurons", operations: state.view !== "neurons", trouble: broken };
	for (const li of document.querySelectorAll(".legend [data-in]")) li.hidden = !seen[li.dataset.in];
}

// On a narrow screen the picture has a readable size and is scrolled; elsewhere
// it is fitted to the screen, and can be dragged and enlarged.
const narrow = matchMedia("(max-width: 820px)");

function fitCamera() {
	const box = $("canvas").getBoundingClientRect(), { width, height } = picture.size, room = 24;
	camera.own = false;
	const whole = Math.min((box.width - 2 * room) / width, (box.height - 2 * room) / height);
	camera.k = Math.min(1.5, Math.max(whole, box.width < 600 ? 0.72 : 0.5)); // what is smaller cannot be read
	camera.x = width * camera.k < box.width - room ? (box.width - width * camera.k) / 2 : room;
	camera.y = height * camera.k < box.height - room ? (box.height - height * camera.k) / 2 : room;
	moveCamera();
}

function moveCamera() {
	const { width, height } = picture.size, style = $("graph").style;
	if (narrow.matches) { Object.assign(camera, { x: Math.max(16, ($("canvas").clientWidth - width * camera.k) / 2), y: 16 }); }
	style.width = narrow.matches ? `${Math.max($("canvas").clientWidth, width * camera.k + 32)}px` : "";
	style.height = narrow.matches ? `${height * camera.k + 32}px` : "";
	picture.world.setAttribute("transform", `translate(${fix(camera.x)} ${fix(camera.y)}) scale(${camera.k.toFixed(3)})`);
}

function zoom(factor, x, y) {
	const box = $("graph").getBoundingClientRect();
	x ??= box.width / 2; y ??= box.height / 2;
	const k = Math.min(4, Math.max(0.05, camera.k * factor));
	camera.own = true;
	camera.x = x - (x - camera.x) * k / camera.k;
	camera.y = y - (y - camera.y) * k / camera.k;
	camera.k = k;
	moveCamera();
}

// follow moves the picture just enough to make an item visible.
function follow(item) {
	if (!item) return;
	const box = $("canvas").getBoundingClientRect(), room = 16;
	const needed = (from, size, whole) => from < room ? room - from : from + size > whole - room ? Math.max(room - from, whole - room - from - size) : 0;
	const x = camera.x + item.x * camera.k, y = camera.y + item.y * camera.k, w = item.w * camera.k, h = item.h * camera.k;
	if (narrow.matches) { $("canvas").scrollLeft -= needed(x - $("canvas").scrollLeft, w, box.width); return; }
	if (x < 0 || x + w > box.width) camera.x += needed(x, w, box.width);
	if (y < 0 || y + h > box.height) camera.y += needed(y, h, box.height);
	moveCamera();
}

const itemOf = i => { const n = nodeNow(i); return n && picture.itemOf[n.at]; };

// stretchNow returns the index of the layer's stretch of steps that contains
// the current step.
const stretchNow = () => stretches.findIndex(s => state.step <= s.to);

// told returns the narration of the current step, layer or epoch.
function told() {
	if (state.unit === "epoch") return narrateEpoch(sums, world, state.epoch);
	const now = stretches[stretchNow()];
	return state.unit === "layer" && now.to > now.from ? narrateStretch(sums, world, steps, now.from, state.step) : narrate(sums, raw, world, steps, state.step);
}

function show() {
	const step = steps[state.step], now = stretchNow(), said = told(), at = position();
	paint(picture, graphNow(), world, times, state.step, { operation: [step], layer: steps.slice(stretches[now].from, state.step + 1), epoch: [] }[state.unit], state.selected);
	$("heading").textContent = said.head + (said.node ? ` · ${scopePath(said.node.s || 0).map(shorten).join(" · ")}` : "").replace(/ · $/, "");
	$("lines").replaceChildren(...said.lines.map(formula));
	$("lines").classList.toggle("long", said.lines.some(l => plainText(l).length > 180));
	$("live").textContent = `${said.head}. ${said.lines.map(plainText).join(". ")}`;
	$("count").textContent = at.text;
	$("slider").max = at.of - 1;
	$("slider").value = at.at;
	$("slider").setAttribute("aria-valuetext", `${step.phase}, ${at.text}`);
	for (const b of document.querySelectorAll("[data-phase]")) b.setAttribute("aria-pressed", b.dataset.phase === step.phase);
	$("back").disabled = $("first").disabled = at.at === 0;
	$("next").disabled = $("last").disabled = at.at === at.of - 1;
	$("unit").value = state.unit;
	$("play").textContent = state.playing ? "❚❚ Pause" : "▶ Play";
	$("play").setAttribute("aria-label", state.playing ? "Pause" : "Play");
	$("play-epochs").textContent = state.playing && state.unit === "epoch" ? "❚❚" : "▶";
	const sums = sumsOf(graphNow(), world, times, state.step);
	$("shared").hidden = !sums.length;
	$("sums").replaceChildren(...sums.map(formula));
	showHover();
	remember();
}

// position returns where the reader is, in the current unit of steps.
function position() {
	const [at, of] = { operation: [state.step, steps.length], layer: [stretchNow(), stretches.length], epoch: [state.epoch, data.frames.length] }[state.unit];
	return { at, of, text: state.unit === "epoch" ? `epoch ${data.frames[at].epoch}, ${at + 1} of ${of}` : `${state.unit === "layer" ? "layer step" : "step"} ${at + 1} of ${of}` };
}

// goTo goes to a step, the end of a layer or an epoch, depending on the current
// unit of steps.
function goTo(k) {
	if (state.unit === "epoch") setEpoch(k);
	else setStep(state.unit === "layer" ? stretches[Math.min(stretches.length - 1, Math.max(0, k))].to : k);
}

// advance goes forward or back by one; within a layer it first goes to the
// layer's end.
function advance(by) {
	const at = position().at;
	goTo(state.unit === "layer" && by > 0 && state.step < stretches[at].to ? at : at + by);
}

function setUnit(unit) {
	state.unit = unit;
	if (unit === "layer") goTo(stretchNow()); else show();
}

// formula returns a line of the narration with clickable names.
function formula(line) {
	const p = el("p");
	for (const part of line) p.append(typeof part === "string" ? part : el("button", { type: "button", class: `link ${part.kind === "value" && /[\d]/.test(part.text) && part.text !== title(raw.nodes[part.ref]) ? "value" : part.kind === "value" ? "" : part.kind}`, onclick: () => select(part.ref) }, part.text));
	return p;
}

function showEpoch() {
	const frame = data.frames[state.epoch], loss = world.values[data.root]; // none where a Selection left the root out
	$("epochs").hidden = data.frames.length < 2 && data.curve.losses.length < 2;
	$("epoch").textContent = frame.epoch;
	$("loss").textContent = loss === undefined ? "" : `loss ${brief(loss)}`;
	$("epoch-slider").setAttribute("aria-valuetext", `epoch ${frame.epoch}, loss ${brief(loss)}`);
	if (!$("epochs").hidden) lossCurve($("curve"), state.epoch, setEpoch);
	const epochs = curveEpochs();
	Object.assign($("epoch-slider"), { min: epochs[0], max: epochs.at(-1), value: frame.epoch });
	showFit();
	showLegend();
	const troubles = (state.changes.size ? [] : frame.trouble) || [];
	$("trouble").hidden = !troubles.length;
	$("troubles").replaceChildren(...troubles.slice(0, 50).map(t => el("li", {}, el("button", { type: "button", onclick: () => select(t.n) }, `⚠ ${title(raw.nodes[t.n])}: ${t.t}`))), ...(troubles.length > 50 ? [el("li", {}, `and ${troubles.length - 50} more`)] : []));
}

let refit, fitShown;

// showFit shows the fit of the epoch, recomputed if weights were changed.
function showFit() {
	const shot = data.frames[state.epoch].fit;
	$("fit").hidden = !shot;
	if (!shot) return;
	if (state.changes.size && refit === undefined) refit = follower(raw);
	fitShown = state.changes.size && refit ? refit(world) : shownOf(shot);
	$("fit").firstChild.textContent = `What the network predicts${state.changes.size && !refit ? ", as recorded" : ""}`;
	fitPicture($("fit-canvas"), fitShown);
	fitKey($("fit-key"));
}

// The Why panel.

function showWhy() {
	const body = $("why-body");
	if (state.selected === null) {
		$("why-title").textContent = "Select a value";
		body.replaceChildren(el("p", { class: "note" }, "Click a value or a weight, or press ↓, to see why its gradient is what it is, and what if it were another."));
		return;
	}
	const n = raw.nodes[state.selected], view = sums.nodes[sums.of[n.raw]].raw === n.raw ? sums : raw, node = nodeNow(n.raw, view);
	$("why-title").textContent = fullTitle(n);
	const rows = [["is", `${n.leaf ? kindWords[kindOf(n).split(" ")[0]] : node.op}${n.fz ? ", frozen" : ""} ${shapeText(n)}`], ["value", brief(world.values[n.raw])]];
	const d = world.gradients[n.raw];
	if (has(d)) rows.push([gradientTitle(n), brief(d)]);
	if (has(d) && typeof d !== "number") rows.push(["norm", number(norm(d))]);
	if (world.updates.has(n.raw)) rows.push(["new value", brief(world.updates.get(n.raw))]);
	const list = el("dl");
	for (const [k, v] of rows) list.append(el("dt", {}, k), el("dd", { class: k === "value" ? "value" : k === "new value" ? "change" : k === gradientTitle(n) ? "gradient" : "" }, v));
	body.replaceChildren(list, ...uses(view, node), ...whyGradient(view, node), ...whatIf(n));
}

function uses(g, n) {
	const links = (head, all) => all.length ? [el("h3", {}, head), el("p", {}, ...all.slice(0, 12).flatMap((m, k) => [...(k ? [", "] : []), link(m)]), all.length > 12 ? ` and ${all.length - 12} more` : "")] : [];
	const unique = all => [...new Set(all)];
	return [...links("computed from", unique(n.in.map(e => g.nodes[e.from]))), ...links("used by", unique(n.uses.map(e => g.nodes[e.to])))];
}

const link = (n, text = title(n), cls = "") => el("button", { type: "button", class: `link ${cls}`, onclick: () => select(n.raw), title: fullTitle(n) }, text);

function whyGradient(g, n) {
	const why = explain(g, raw, world, n), out = [];
	if (why.terms.length) {
		out.push(el("h3", {}, `why ${gradientTitle(n)}`));
		const list = el("ol", { id: "terms" });
		for (const t of why.terms.slice(0, 20)) {
			const arithmetic = t.factor === undefined || typeof t.upstream !== "number" ? (typeof t.part === "number" ? number(t.part) : `norm ${number(norm(t.part))}`) : `${inside(t.upstream)} × ${inside(t.factor)} = ${number(t.part)}`;
			list.append(el("li", {}, link(t.to, gradientTitle(t.to), "gradient"), " × ", ...factorOf(g, t.edge).map(p => typeof p === "string" ? p : link(raw.nodes[p.ref], p.text)), ` = ${arithmetic}`));
		}
		if (why.terms.length > 20) list.append(el("li", {}, `and ${why.terms.length - 20} more`));
		if (why.terms.length > 1) list.append(el("li", { class: "sum" }, `sum = ${brief(world.gradients[n.raw])}`));
		out.push(list);
	}
	if (why.ways.length) {
		out.push(el("h3", {}, "largest ways to the loss"));
		out.push(el("ol", {}, ...why.ways.map(p => el("li", {}, el("span", { class: "share" }, `${number(Math.round(p.share * 100))} %`), ...p.nodes.slice(1).flatMap((m, k) => [...(k ? [" → "] : []), link(m)]), ` = ${number(p.product)}`))));
	}
	return [...out, ...why.sentences.map(s => el("p", {}, s))];
}

// What if a weight or an input were another number?

function whatIf(n) {
	if (n.k === "operation" || data.root < 0) return [];
	const blocked = incalculable(raw, asRecorded, [n.raw, ...state.changes.keys()]);
	if (blocked) return [el("h3", {}, "what if"), el("p", { class: "note" }, `The page cannot compute what follows from another ${title(n)}: ${title(blocked)} ${whyBlocked(blocked)}.`)];
	const value = world.values[n.raw], recordedValue = asRecorded.values[n.raw], reach = Math.max(2, 2 * Math.abs(recordedValue) || 0);
	const change = v => { if (Number.isFinite(v)) { state.changes.set(n.raw, v); recompute(); } };
	const field = el("input", { type: "number", step: "any", value, id: "try", "aria-label": `What if ${title(n)} were`, onchange: e => change(e.target.valueAsNumber) });
	const slide = el("input", { type: "range", min: recordedValue - reach, max: recordedValue + reach, step: reach / 100, value, id: "try-slider", "aria-label": `What if ${title(n)} were`, oninput: e => { field.value = e.target.value; change(e.target.valueAsNumber); } });
	return [el("h3", {}, `what if ${title(n)} were`), el("div", { class: "try" }, field, slide)];
}

function whyBlocked(n) {
	if (n.rest) return n.n.endsWith("rows") ? "are not drawn, and change too" : "is not drawn, and changes too";
	return !n.single ? `is a tensor ${shapeText(n)}` : `is the operation ${n.op}, which it does not know`;
}

function recompute() {
	loadEpoch();
	const before = asRecorded.values[data.root], after = world.values[data.root];
	$("banner").hidden = !state.changes.size;
	const changed = [...state.changes].map(([i, v]) => `${title(raw.nodes[i])} = ${number(v)}`).join(", ");
	$("banner").replaceChildren(`What if ${changed}: loss ${brief(before)} → ${brief(after)}${data.single ? " (in double precision)" : ""}`, el("button", { type: "button", id: "undo", onclick: () => { state.changes.clear(); recompute(); showWhy(); } }, "Undo"));
	if (state.changes.size) $("live").textContent = $("banner").firstChild.textContent;
	show();
	showEpoch();
	const active = document.activeElement?.id;
	if (active !== "try" && active !== "try-slider") showWhy();
}

// The reader's actions.

function setStep(k) {
	const before = state.step;
	state.step = Math.min(steps.length - 1, Math.max(0, k));
	const s = steps[state.step];
	if (s.node && before !== state.step) follow(s.edge && picture.copies?.get(s.edge.raw) || itemOf(s.node.raw));
	show();
}

function setEpoch(k) {
	state.epoch = Math.min(data.frames.length - 1, Math.max(0, k));
	loadEpoch();
	show();
	showEpoch();
	showWhy();
	if (state.changes.size) recompute();
}

// slideToEpoch goes to the kept epoch nearest to the slider's, but always to a
// different one than the current.
function slideToEpoch(wanted) {
	const now = data.frames[state.epoch].epoch, far = f => Math.abs(f.epoch - wanted);
	const nearest = data.frames.reduce((best, f, k) => far(f) < far(data.frames[best]) ? k : best, 0);
	setEpoch(nearest === state.epoch ? state.epoch + Math.sign(wanted - now) : nearest);
}

function setView(view) {
	if (view === "neurons" && !net) return;
	state.view = view;
	drawPicture();
	show();
	showFound();
	if (state.selected !== null) follow(itemOf(state.selected));
}

function select(i) {
	state.selected = i;
	show();
	showWhy();
	if (i !== null) {
		follow(itemOf(i));
		$("live").textContent = itemOf(i)?.group.getAttribute("aria-label") || "";
		if (!narrow.matches) $("why").scrollIntoView({ block: "nearest" });
	}
}

// selectNext goes through the values in the order of the computation.
function selectNext(by) {
	const g = graphNow(), all = g.nodes.filter(n => picture.itemOf[n.at]);
	const at = state.selected === null ? (by > 0 ? -1 : all.length) : all.findIndex(n => n === nodeNow(state.selected));
	const next = all[Math.min(all.length - 1, Math.max(0, at + by))];
	if (next) { select(next.raw); if (document.activeElement?.closest("#stage")) itemOf(next.raw).group.focus({ preventScroll: true }); }
}

function fold(scope, close) {
	if (close) state.folded.add(scope); else for (const s of [...state.folded]) if (s === scope) state.folded.delete(s);
	if (state.view === "neurons") state.view = "operations";
	const { x, y, k } = camera;
	drawPicture();
	show();
	showFound();
	$("live").textContent = `${data.scopes[scope].n} ${close ? "folded" : "unfolded"}`;
	if (picture.size.width * k > $("graph").getBoundingClientRect().width) { Object.assign(camera, { x, y, k }); moveCamera(); }
}

// foldSelected folds or unfolds the layer of the selected value.
function foldSelected() {
	if (state.selected === null) return;
	const scope = raw.nodes[state.selected].s || 0, closed = foldOf(scope, state.folded);
	if (closed) fold(closed, false);
	else if (scope) fold(scope, true);
}

// togglePlay plays to the end of the last epoch, restarting if the end is
// reached, or stops.
function togglePlay() {
	if (state.playing) { stop(); return; }
	const end = () => position().at === position().of - 1, lastEpoch = () => state.epoch === data.frames.length - 1;
	const beginAt = epoch => { state.step = state.unit === "epoch" ? state.step : 0; setEpoch(epoch); };
	if (end() && lastEpoch()) beginAt(0);
	const tick = () => {
		if (end() && lastEpoch()) { stop(); return; }
		state.playing = setTimeout(tick, 1400 / Number($("speed").value));
		if (end()) beginAt(state.epoch + 1); else advance(1);
	};
	state.playing = setTimeout(tick, 300 / Number($("speed").value));
	show();
}

function stop() {
	clearTimeout(state.playing);
	state.playing = 0;
	show();
}

// playEpochs shows the epochs one after the other, each with all its numbers.
function playEpochs() {
	const on = state.playing && state.unit === "epoch";
	if (state.playing) stop();
	if (on) return;
	state.step = steps.length - 1;
	setUnit("epoch");
	togglePlay();
}

const toPhase = phase => { const k = steps.findIndex(s => s.phase === phase); if (k >= 0) setStep(k); };

// Search.

// matches reports whether a node matches a search: by name, scope, operation,
// kind, "grad:0", "nan" or "inf".
function matches(n, query) {
	const d = world.gradients[n.raw], v = world.values[n.raw], q = query.toLowerCase();
	if (q === "nan") return hasNaN(v) || has(d) && hasNaN(d);
	if (q === "inf") return isBroken(v) || has(d) && isBroken(d);
	if (q.startsWith("grad:")) {
		const wanted = q.slice(5).replace("−", "-");
		if (wanted === "none") return !has(d);
		if (!has(d)) return false;
		if (wanted === "nan") return hasNaN(d);
		if (Number(wanted) === 0) return isZero(d);
		return typeof d === "number" && (wanted.startsWith("<") ? d < Number(wanted.slice(1)) : wanted.startsWith(">") ? d > Number(wanted.slice(1)) : number(d) === number(Number(wanted)));
	}
	return [n.n || "", title(n), n.op, n.k, n.role || "", scopePath(n.s || 0).join("/")].some(t => t.toLowerCase().includes(q));
}

function found() {
	const q = state.query.trim();
	return q ? raw.nodes.filter(n => matches(n, q)) : [];
}

function showFound() {
	const all = found(), hit = new Set(all.map(n => n.raw)), on = state.query.trim() !== "";
	for (const item of picture.items) item.group.classList.toggle("missed", on && !item.nodes.some(n => n.inside.some(i => hit.has(i)) || hit.has(n.raw)) && !(item.neuron?.z?.in || []).some(e => hit.has(graphNow().nodes[e.from].raw)));
	$("found").textContent = on ? String(all.length) : "";
	$("found").setAttribute("aria-label", on ? `${all.length} found` : "");
}

function nextFound() {
	const all = found();
	if (!all.length) return;
	const at = all.findIndex(n => n.raw === state.selected), next = all[(at + 1) % all.length];
	if (state.view !== "neurons" || itemOf(next.raw)) { const closed = foldOf(next.s || 0, state.folded); if (closed && state.view !== "neurons") fold(closed, false); }
	else setView("operations");
	select(next.raw);
}

// Light and dark.

function setTheme(theme) {
	document.documentElement.dataset.theme = theme;
	if (picture) showFit();
}

const dark = matchMedia("(prefers-color-scheme: dark)");
let chosenTheme = null;
try { chosenTheme = localStorage.getItem("theme"); } catch { /* a browser may keep nothing for files */ }

function toggleTheme() {
	chosenTheme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
	try { localStorage.setItem("theme", chosenTheme); } catch { /* as above */ }
	setTheme(chosenTheme);
}

// The address records where the reader is.

// It is written at most ten times a second, since browsers refuse more.
let remembering = 0, remembered = 0;

function remember() {
	clearTimeout(remembering);
	const wait = remembered + 100 - performance.now();
	if (wait > 0) { remembering = setTimeout(remember, wait); return; }
	remembered = performance.now();
	const parts = { epoch: state.epoch, step: state.step, view: state.view };
	if (state.unit !== "operation") parts.by = state.unit;
	if (state.selected !== null) parts.select = state.selected;
	if (state.folded.size) parts.fold = [...state.folded].join(".");
	const hash = "#" + new URLSearchParams(parts);
	if (location.hash !== hash) history.replaceState(null, "", hash);
}

function recall() {
	const p = new URLSearchParams(location.hash.slice(1));
	const whole = (key, most) => { const v = p.has(key) ? Number(p.get(key)) : NaN; return Number.isInteger(v) && v >= 0 && v <= most ? v : null; };
	state.epoch = whole("epoch", data.frames.length - 1) ?? 0;
	state.step = whole("step", 1e9) ?? 0;
	state.unit = ["layer", "epoch"].includes(p.get("by")) ? p.get("by") : "operation";
	state.selected = whole("select", raw.nodes.length - 1);
	state.folded = new Set((p.get("fold") || "").split(".").map(Number).filter(s => s > 0 && s < data.scopes.length));
	if (["neurons", "operations", "all"].includes(p.get("view")) && (net || p.get("view") !== "neurons")) state.view = p.get("view");
}

// Hovering.

const hover = el("div", { id: "hover", hidden: "", role: "tooltip" });

function hoverText(n, g) {
	const of = all => [...new Set(all.map(title))].slice(0, 8).join(", ") || "nothing";
	const d = world.gradients[n.raw], lines = [fullTitle(n), n.leaf ? kindWords[kindOf(n).split(" ")[0]] : plainText([ref(n), " = ", ...written(g, n, symbol)])];
	lines.push(`value ${brief(world.values[n.raw])}`);
	if (has(d)) lines.push(`gradient ${brief(d)}`);
	if (!n.leaf) lines.push(`from ${of(n.in.map(e => g.nodes[e.from]))}`);
	lines.push(n.uses.length ? `used by ${of(n.uses.map(e => g.nodes[e.to]))}` : "the end");
	return lines.join("\n");
}

function onHover(event) {
	const group = event.target.closest?.(".node[data-raw]");
	state.hovered = group ? Number(group.dataset.raw) : null;
	for (const l of picture.links) l.path.classList.toggle("over", !!group && (l.from.group === group || l.to.group === group));
	picture.loosen(picture.links.find(l => l.path === event.target && !l.lines));
	showHover();
	if (!group) return;
	const w = hover.offsetWidth, h = hover.offsetHeight;
	hover.style.left = `${Math.min(event.clientX + 16, innerWidth - w - 8)}px`;
	hover.style.top = `${event.clientY + 18 + h > innerHeight ? event.clientY - h - 12 : event.clientY + 18}px`;
}

// showHover describes what is under the mouse, with its current numbers.
function showHover() {
	const n = state.hovered === null ? null : nodeNow(state.hovered);
	hover.hidden = !n;
	if (n) hover.textContent = hoverText(n, graphNow());
}

// Keys.

const keys = {
	ArrowRight: () => advance(1), ArrowLeft: () => advance(-1), Home: () => goTo(0), End: () => goTo(position().of - 1),
	ArrowDown: () => selectNext(1), ArrowUp: () => selectNext(-1), " ": togglePlay, "[": () => setEpoch(state.epoch - 1), "]": () => setEpoch(state.epoch + 1),
	1: () => toPhase("predict"), 2: () => toPhase("measure"), 3: () => toPhase("feedback"), 4: () => toPhase("adjust"),
	l: () => { const all = [...$("unit").options].filter(o => !o.disabled).map(o => o.value); setUnit(all[(all.indexOf(state.unit) + 1) % all.length]); }, p: playEpochs,
	f: foldSelected, v: () => { const all = net ? ["neurons", "operations", "all"] : ["operations", "all"]; setView(all[(all.indexOf(state.view) + 1) % all.length]); },
	t: toggleTheme, "?": () => $("help-dialog").showModal(), Escape: () => select(null),
	"+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), 0: fitCamera,
};

function onKey(event) {
	if (event.ctrlKey || event.metaKey || event.altKey || $("help-dialog").open) return;
	const field = event.target.closest("input, select"), onButton = event.target.closest("button");
	if (field) {
		if (event.key === "Escape") { if (field.id === "search") { field.value = state.query = ""; showFound(); } field.blur(); }
		return;
	}
	if (onButton && (event.key === " " || event.key === "Enter")) return;
	if (event.key === "Enter" && event.target.closest(".node")) { event.target.closest(".node").dispatchEvent(new MouseEvent("click", { bubbles: true })); return; }
	const action = keys[event.key];
	if (!action) return;
	event.preventDefault();
	action();
}

// onKeyUp starts a search when the key is released: when it is pressed, it
// would be typed into the field.
function onKeyUp(event) {
	if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.target.closest("input, select") && !$("help-dialog").open) $("search").focus();
}

function listen() {
	const click = (id, f) => $(id).addEventListener("click", f);
	click("first", () => goTo(0)); click("back", () => advance(-1)); click("next", () => advance(1)); click("last", () => goTo(position().of - 1));
	click("play-epochs", playEpochs);
	click("play", togglePlay); click("theme", toggleTheme); click("help", () => $("help-dialog").showModal());
	click("view-neurons", () => setView("neurons")); click("view-operations", () => setView("operations")); click("view-all", () => setView("all"));
	click("zoom-in", () => zoom(1.25)); click("zoom-out", () => zoom(0.8)); click("zoom-fit", fitCamera);
	for (const b of document.querySelectorAll("[data-phase]")) b.addEventListener("click", () => toPhase(b.dataset.phase));
	$("slider").addEventListener("input", e => goTo(e.target.valueAsNumber));
	$("epoch-slider").addEventListener("input", e => slideToEpoch(e.target.valueAsNumber));
	$("unit").addEventListener("change", e => setUnit(e.target.value));
	$("search").addEventListener("input", e => { state.query = e.target.value; showFound(); });
	$("find").addEventListener("submit", e => { e.preventDefault(); nextFound(); });
	document.addEventListener("keydown", onKey);
	document.addEventListener("keyup", onKeyUp);
	window.addEventListener("hashchange", () => { recall(); loadEpoch(); drawPicture(); show(); showEpoch(); showWhy(); });
	dark.addEventListener("change", () => { if (!chosenTheme) setTheme(dark.matches ? "dark" : "light"); });
	window.addEventListener("beforeprint", () => { setTheme("light"); fitCamera(); });
	window.addEventListener("afterprint", () => { setTheme(chosenTheme || (dark.matches ? "dark" : "light")); fitCamera(); });
	new ResizeObserver(() => { if (picture && !camera.own) fitCamera(); }).observe($("stage"));
	drag($("graph"));
}

function drag(graph) {
	let from = null;
	graph.addEventListener("pointerdown", e => { if (!narrow.matches && !e.target.closest(".node, .fold, .weight")) { from = [e.clientX - camera.x, e.clientY - camera.y]; graph.setPointerCapture(e.pointerId); graph.classList.add("grabbed"); } });
	graph.addEventListener("pointermove", e => { if (from) { camera.own = true; camera.x = e.clientX - from[0]; camera.y = e.clientY - from[1]; moveCamera(); } else onHover(e); });
	for (const end of ["pointerup", "pointercancel"]) graph.addEventListener(end, () => { from = null; graph.classList.remove("grabbed"); });
	graph.addEventListener("pointerleave", () => { state.hovered = null; showHover(); });
	graph.addEventListener("wheel", e => {
		if (narrow.matches) return;
		e.preventDefault();
		const box = graph.getBoundingClientRect();
		if (e.shiftKey) { camera.x -= e.deltaY; moveCamera(); } else zoom(Math.exp(-e.deltaY / 400), e.clientX - box.left, e.clientY - box.top);
	}, { passive: false });
}

document.body.append(hover);
setTheme(chosenTheme || (dark.matches ? "dark" : "light"));
$("view-neurons").hidden = !net;
if (net && net.groups.some(x => x.z && !x.z.single)) $("view-neurons").textContent = "Layers";
$("view-all").hidden = raw.nodes.length === sums.nodes.length;
$("view-operations").parentElement.hidden = !net && $("view-all").hidden;
$("help-dialog").returnValue = "";
$("unit").options[2].disabled = data.frames.length < 2;
recall();
loadEpoch();
drawPicture();
show();
showEpoch();
showWhy();
listen();
document.documentElement.dataset.ready = "yes";
