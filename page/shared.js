// Shared weights: one number that several places use, as in a loop that is
// unrolled. It is drawn at each place, and its gradient is the sum of what they
// hand back.

// placesOf returns the nodes that use a learned value, each once, without those
// that stand for the other rows of a batch.
const placesOf = (g, n) => isLearned(n) ? [...new Set(n.uses.map(e => g.nodes[e.to]))].filter(p => !p.rest) : [];

const isShared = (g, n) => placesOf(g, n).length > 1;

// partAt returns what some uses have handed back by a step, undefined before.
function partAt(uses, world, times, k) {
	const parts = uses.filter(e => e.raw in world.contributions && times.part[e.raw] <= k).map(e => world.contributions[e.raw]);
	return !parts.length ? undefined : parts.every(p => typeof p === "number") ? parts.reduce((a, b) => a + b) : parts.at(-1);
}

// copiesOf returns an item for each place of a shared weight outside folded
// scopes, which stands beside the node that uses it there.
function copiesOf(g, n, foldedScopes) {
	return placesOf(g, n).filter(p => !foldOf(p.s || 0, foldedScopes)).map((place, k, all) => {
		const item = boxItem(n, g, `${title(n)} ×${placesOf(g, n).length}`);
		return Object.assign(item, { place, uses: n.uses.filter(e => e.to === place.at), scope: place.s || 0, order: place.at - 1 + (n.at + 1) / (g.nodes.length + 1) });
	});
}

// sumsOf writes the gradient of each shared weight as the sum of what has
// arrived by a step, in that order.
function sumsOf(g, world, times, k) {
	const most = 8, all = g.nodes.filter(n => isShared(g, n)), lines = [];
	for (const n of all.slice(0, most)) {
		lines.push([ref(n), ` ×${placesOf(g, n).length} = ${brief(world.values[n.raw])}`]);
		const uses = n.uses.filter(e => e.raw in world.contributions).sort((a, b) => times.part[a.raw] - times.part[b.raw]), here = uses.filter(e => times.part[e.raw] <= k);
		if (!here.length) continue;
		const parts = here.map(e => world.contributions[e.raw]), single = parts.every(p => typeof p === "number"), few = here.slice(-6);
		const terms = few.map((e, i) => [single ? (i ? inside : number)(world.contributions[e.raw]) : `norm ${number(norm(world.contributions[e.raw]), 3)}`, " (", ref(g.nodes[e.to]), ")"]);
		const sum = here.length < uses.length ? [` (${here.length} of ${uses.length})`] : single ? [" = ", ref(n, number(parts.reduce((a, b) => a + b)), "gradient")] : [`, together norm ${number(norm(world.gradients[n.raw]), 3)}`];
		lines.push([ref(n, gradientTitle(n), "gradient"), " = ", ...(few.length < here.length ? ["… + "] : []), ...joined(terms, single ? " + " : ", "), ...sum]);
	}
	if (all.length > most) lines.push([`and ${all.length - most} more`]);
	return lines;
}
