// Package layout places boxes in columns along a computation, ordered so that
// arrows are short and frames do not overlap, and finds a free place for the
// label of every arrow.
//
// It is the same algorithm as the page's layout.js, which repeats the layout in
// the browser when the reader folds a layer; a test of the page compares the
// two to the last digit.
package layout

import (
	"cmp"
	"math"
	"slices"
)

// Distances in the drawing.
const (
	rowGap      = 12.0
	framePad    = 12.0
	bendHeight  = 10.0
	bendGap     = 2.0
	labelMargin = 3.0
	wider       = 30.0 // by how much columns move apart if a label found no place
	mostWider   = 5
	nest        = 9.0 // between a frame and its content, across the columns

	// Heading is the height of a frame's heading.
	Heading = 22.0
)

// An Item is a box or a circle to be placed.
type Item struct {
	W, H   float64
	R, Mid float64 // of a circle: its radius, and the distance of its center from the top; the text below it belongs to the item
	Scope  int
	Order  int  // along the computation
	Inputs bool // a link leads to it

	X, Y float64 // its top left corner, set by Place
	Rank int     // its column, set by Place

	cell *cell
}

// Middle returns the distance below an item's top at which arrows meet it.
func (i *Item) Middle() float64 {
	if i.Mid != 0 {
		return i.Mid
	}
	return i.H / 2
}

// Left returns the x at which arrows enter an item.
func (i *Item) Left() float64 {
	if i.R != 0 {
		return i.X + i.W/2 - i.R
	}
	return i.X
}

// Right returns the x at which arrows leave an item.
func (i *Item) Right() float64 {
	if i.R != 0 {
		return i.X + i.W/2 + i.R
	}
	return i.X + i.W
}

// A Point is a place in the drawing.
type Point struct{ X, Y float64 }

// A Link is an arrow between two items.
type Link struct {
	From, To     *Item
	W, H         float64 // the size of its label; 0 if it has none
	FromAt, ToAt float64 // the distances of its ends below the tops of the items; in the middle if 0
	Prefer       float64 // the preferred place of the label along it, from 0 to 1; 0.5 if 0

	Points  []Point // its route
	At      Point   // the center of the label
	Labeled bool    // the label found a place

	ends  [2]*cell
	ahead bool
	bends []*cell
}

// A Scope is a frame around items; scope 0 is the drawing.
type Scope struct {
	Parent  int
	Heading float64 // the width of its heading
}

// A Frame is a scope as placed.
type Frame struct {
	Scope, Depth int
	X, Y, W, H   float64
}

// A Plan is the input of a layout.
type Plan struct {
	Items     []*Item
	Links     []*Link
	Scopes    []Scope // parents come first
	KeepOrder bool    // within columns
	Vertical  bool    // x and y will be exchanged: frames have their headings before their first column
	Column    float64 // the smallest gap between columns
}

// A Result is the size of the drawing and its frames, outer ones first.
type Result struct {
	Frames        []Frame
	Width, Height float64
}

// A cell is an item, a block of items in one scope, or a bend: the piece of a
// long link in one of the columns that it passes.
type cell struct {
	item     *Item // nil for blocks and bends
	scope    int
	children []*cell
	members  []*cell // the items and bends in it, including itself
	inside   map[*cell]bool
	parent   *cell
	depth    int
	order    float64
	block    bool
	bend     bool

	next, before            []*cell
	rank, span, first, last int
	set                     bool // first and last are set
	near                    []neighbor

	x, y, w, h, mid  float64
	absolute, middle float64
	middleSet        bool
	wish             float64
	start, end       float64 // the extent of its column
}

// A neighbor is the cell at the other end of a piece of a link.
type neighbor struct {
	cell  *cell
	ahead bool
}

// anchor returns the distance below a cell's top at which arrows meet it.
func (c *cell) anchor() float64 {
	if c.mid != 0 {
		return c.mid
	}
	return c.h / 2
}

// A planner holds the state of a layout.
type planner struct {
	Plan
	cells  []*cell // items and bends
	blocks []*cell
	root   *cell
}

// Place lays out a plan: it sets X, Y and Rank of the items, and Points, At and
// Labeled of the links. Columns move apart until each label has a place.
func Place(plan Plan) Result {
	p := &planner{Plan: plan}
	p.tree()
	p.lift()
	p.root.ranked()
	p.root.settle(0)
	p.bend()
	p.sweep()
	if plan.Vertical { // the headings are in the gaps
		deepest := 0
		for _, b := range p.blocks {
			deepest = max(deepest, b.depth)
		}
		plan.Column += float64(deepest) * Heading
	}
	return plan.widen(func(gap float64) Result { return p.frames(p.columns(gap)) })
}

// widen places the items with wider and wider gaps between columns until each
// label has a place.
func (p *Plan) widen(place func(gap float64) Result) Result {
	for gap := p.Column; ; gap += wider {
		result := place(gap)
		for _, l := range p.Links {
			l.route()
		}
		spread(p.Links)
		if p.placeLabels(result.Frames) || gap >= p.Column+mostWider*wider {
			return result
		}
	}
}

// tree builds the tree of scopes with their items.
func (p *planner) tree() {
	known := map[int]*cell{}
	var get func(int) *cell
	get = func(scope int) *cell {
		if b := known[scope]; b != nil {
			return b
		}
		b := &cell{scope: scope, block: true, order: math.Inf(1)}
		known[scope] = b
		p.blocks = append(p.blocks, b)
		if scope != 0 {
			b.parent = get(p.Scopes[scope].Parent)
			b.depth = b.parent.depth + 1
			b.parent.children = append(b.parent.children, b)
		}
		return b
	}
	p.root = get(0)
	for _, i := range p.Items {
		c := &cell{item: i, parent: get(i.Scope), order: float64(i.Order), w: i.W, h: i.H, mid: i.Mid}
		i.cell = c
		p.add(c)
		for b := c.parent; b != nil; b = b.parent {
			b.order = min(b.order, c.order)
		}
	}
	for _, b := range p.blocks {
		slices.SortStableFunc(b.children, func(x, y *cell) int { return cmp.Compare(x.order, y.order) })
	}
}

// add puts an item or a bend into its parent and all blocks around that.
func (p *planner) add(c *cell) {
	c.depth = c.parent.depth + 1
	c.members = []*cell{c}
	c.parent.children = append(c.parent.children, c)
	p.cells = append(p.cells, c)
	for b := c.parent; b != nil; b = b.parent {
		if b.inside == nil {
			b.inside = map[*cell]bool{}
		}
		b.members = append(b.members, c)
		b.inside[c] = true
	}
}

// lift finds for each link the two children of a common block that it
// connects.
func (p *planner) lift() {
	for _, l := range p.Links {
		a, b := l.From.cell, l.To.cell
		for a.parent != b.parent {
			if a.depth >= b.depth {
				a = a.parent
			} else {
				b = b.parent
			}
		}
		l.ends = [2]*cell{a, b}
		l.ahead = a != b && (a.order < b.order || !a.block && !l.From.Inputs)
		if l.ahead {
			a.next, b.before = append(a.next, b), append(b.before, a)
		}
	}
}

// ranked sets the columns within a block, from 0: each child comes after all
// that it depends on; one that depends on nothing comes just before its first
// use.
func (c *cell) ranked() {
	given := func(c *cell) int { return min(1, len(c.before)) }
	sorted := slices.Clone(c.children)
	slices.SortStableFunc(sorted, func(a, b *cell) int { return cmp.Or(given(a)-given(b), cmp.Compare(a.order, b.order)) })
	for _, child := range sorted {
		child.rank, child.span = 0, 1
		if child.block {
			child.ranked()
		}
		child.rank = 0
	}
	for _, child := range sorted {
		for _, n := range child.next {
			n.rank = max(n.rank, child.rank+child.span)
		}
	}
	first := math.MaxInt
	for _, child := range sorted {
		if len(child.before) == 0 && len(child.next) > 0 {
			least := math.MaxInt
			for _, n := range child.next {
				least = min(least, n.rank)
			}
			child.rank = least - child.span
		}
	}
	for _, child := range sorted {
		first = min(first, child.rank)
	}
	c.span = 0
	for _, child := range sorted {
		child.rank -= first
		c.span = max(c.span, child.rank+child.span)
	}
}

// settle turns the ranks within blocks into columns of the drawing.
func (c *cell) settle(from int) {
	for _, child := range c.children {
		child.rank += from
		child.first, child.last, child.set = child.rank, child.rank+child.span-1, true
		if child.block {
			child.settle(child.rank)
		}
	}
	if !c.set {
		c.first, c.last, c.set = from, from+c.span-1, true
	}
}

// bend cuts long links into pieces of one column each, so that they avoid the
// items between their ends.
func (p *planner) bend() {
	left := 4000
	if len(p.Items) > 800 {
		left = 1500
	}
	for _, l := range p.Links {
		l.bends = nil
		from, to := l.From.cell, l.To.cell
		if span := to.rank - from.rank - 1; l.ahead && span > 0 && span <= 40 && left > 0 {
			left -= span
			for r := from.rank + 1; r < to.rank; r++ {
				h := bendHeight
				if l.W > 0 && r == to.rank-1 {
					h = l.H
				}
				l.bends = append(l.bends, p.bendAt(l, r, h))
			}
		}
		chain := append(append([]*cell{from}, l.bends...), to)
		for k := 1; k < len(chain); k++ {
			chain[k-1].near = append(chain[k-1].near, neighbor{chain[k], true})
			chain[k].near = append(chain[k].near, neighbor{chain[k-1], false})
		}
	}
}

// bendAt adds a piece of a link in column r with height h: in the block of one
// of its ends if that extends so far, otherwise between the blocks.
func (p *planner) bendAt(l *Link, r int, h float64) *cell {
	a, b := l.ends[0], l.ends[1]
	var end *cell
	top := a
	switch {
	case r <= a.last:
		end = l.From.cell
	case r >= b.first:
		end, top = l.To.cell, b
	}
	parent := a.parent
	if end != nil {
		parent = end.parent
		for parent != top.parent && (r < parent.first || r > parent.last) {
			parent = parent.parent
		}
	}
	c := &cell{bend: true, parent: parent, order: float64(l.From.Order), h: h, rank: r, first: r, last: r}
	p.add(c)
	return c
}

// sweep tries different heights and keeps the best.
func (p *planner) sweep() {
	rounds := 16
	if len(p.Items) > 800 {
		rounds = 5
	}
	all := append(slices.Clone(p.cells), p.blocks...)
	best, at := math.Inf(1), make([][2]float64, len(all))
	for round := range rounds {
		p.place(p.root, round)
		if cost := p.stretch(); cost < best || round == 0 {
			best = cost
			for k, c := range all {
				at[k] = [2]float64{c.y, c.h}
			}
		}
	}
	for k, c := range all {
		c.y, c.h = at[k][0], at[k][1]
	}
	for _, i := range p.Items {
		i.Y, i.Rank = i.cell.y, i.cell.rank
	}
}

// place sets the heights of a block's items, inner blocks first.
func (p *planner) place(block *cell, round int) {
	for _, c := range block.children {
		if c.block {
			p.place(c, round)
		}
	}
	for _, c := range block.children {
		c.wish = c.wished(round)
	}
	if !p.KeepOrder && round > 0 {
		slices.SortStableFunc(block.children, func(a, b *cell) int {
			return cmp.Or(cmp.Compare(a.wish, b.wish), cmp.Compare(a.order, b.order))
		})
	}
	reversed := slices.Clone(block.children)
	slices.Reverse(reversed)
	down, up := pack(block.children, 1), pack(reversed, -1)
	slices.Reverse(up)
	top := math.Inf(1)
	for k := range down {
		down[k] = (down[k] + up[k]) / 2
		top = min(top, down[k])
	}
	pad := 0.0
	switch {
	case block.scope != 0 && p.Vertical:
		pad = framePad
	case block.scope != 0:
		pad = Heading
	}
	block.y, block.h = 0, math.Inf(-1)
	for k, c := range block.children {
		c.shift(down[k] - top + pad - c.y)
		block.h = max(block.h, c.y+c.h)
	}
	if block.scope != 0 {
		block.h += framePad
	}
}

func (c *cell) shift(by float64) {
	if by == 0 {
		return
	}
	c.y += by
	for _, child := range c.children {
		child.shift(by)
	}
}

// wished returns where the middle of an item or block would be if its arrows
// were horizontal.
func (c *cell) wished(round int) float64 {
	if round == 0 {
		return 0
	}
	sum, count := 0.0, 0.0
	for _, m := range c.members {
		for _, n := range m.near {
			if c.inside[n.cell] {
				continue
			}
			if round > 2 || n.ahead == (round%2 == 1) {
				sum += n.cell.absolute - m.absolute
				count++
			}
		}
	}
	wish := 0.0
	if c.middleSet {
		wish = c.middle
	}
	if count > 0 {
		wish += sum / count
	}
	return wish
}

// pack places children one below the other (above, for direction −1), each as
// close to its wish as the previous ones allow, and returns their tops.
func pack(children []*cell, direction float64) []float64 {
	edge := map[int]float64{}
	tops := make([]float64, len(children))
	for k, c := range children {
		from := math.Inf(-1)
		for r := c.first; r <= c.last; r++ {
			if e, taken := edge[r]; taken {
				from = max(from, e)
			}
		}
		start := 0.0
		if direction > 0 {
			start = max(from, c.wish-c.anchor())
		} else {
			start = max(from, c.anchor()-c.h-c.wish)
		}
		gap := rowGap
		if c.bend {
			gap = bendGap
		}
		for r := c.first; r <= c.last; r++ {
			edge[r] = start + c.h + gap
		}
		if tops[k] = start; direction < 0 {
			tops[k] = -(start + c.h)
		}
	}
	return tops
}

// stretch notes the current positions and returns the total vertical distance
// of the arrows.
func (p *planner) stretch() float64 {
	for _, c := range p.cells {
		c.absolute = c.y + c.anchor()
	}
	for _, b := range p.blocks {
		b.middle, b.middleSet = b.y+b.h/2, true
	}
	cost := 0.0
	for _, c := range p.cells {
		c.middle, c.middleSet = c.absolute, true
		for _, n := range c.near {
			if n.ahead {
				d := n.cell.absolute - c.absolute
				cost += d * d
			}
		}
	}
	return cost
}

// columns sets x from the widest item of each column and returns the total
// width.
func (p *planner) columns(gap float64) float64 {
	var widths []float64
	for _, c := range p.cells {
		for len(widths) <= c.rank {
			widths = append(widths, 0)
		}
		widths[c.rank] = max(widths[c.rank], c.w)
	}
	starts, x := make([]float64, len(widths)), 0.0
	for r, w := range widths {
		starts[r] = x
		x += w + gap
	}
	for _, c := range p.cells {
		c.start, c.end = starts[c.rank], starts[c.rank]+widths[c.rank]
		if c.x = c.start + (widths[c.rank]-c.w)/2; c.item != nil {
			c.item.X = c.x
		}
	}
	return x - gap
}

// route sets the points of a link: out of the right side of one item,
// horizontally through the columns between, into the left side of the other.
func (l *Link) route() {
	from, to := l.From.Middle(), l.To.Middle()
	if l.FromAt != 0 {
		from = l.FromAt
	}
	if l.ToAt != 0 {
		to = l.ToAt
	}
	l.Points = append(l.Points[:0], Point{l.From.Right(), l.From.Y + from})
	for _, b := range l.bends {
		l.Points = append(l.Points, Point{b.start, b.y + b.h/2}, Point{b.end, b.y + b.h/2})
	}
	l.Points = append(l.Points, Point{l.To.Left(), l.To.Y + to})
}

// spread moves apart the ends of links that meet at an item, in the order of
// their other ends.
func spread(links []*Link) {
	ends := map[*Item][]*Link{}
	var order []*Item
	for _, l := range links {
		if l.ToAt != 0 {
			continue
		}
		if ends[l.To] == nil {
			order = append(order, l.To)
		}
		ends[l.To] = append(ends[l.To], l)
	}
	for _, to := range order {
		all := ends[to]
		slices.SortStableFunc(all, func(a, b *Link) int {
			return cmp.Compare(a.Points[len(a.Points)-2].Y, b.Points[len(b.Points)-2].Y)
		})
		height := to.H
		if to.R != 0 {
			height = 2 * to.R
		}
		room := min(height*0.6, float64(len(all)-1)*12)
		for k, l := range all {
			off := 0.0
			if len(all) > 1 {
				off = (float64(k)/float64(len(all)-1) - 0.5) * room
			}
			end := &l.Points[len(l.Points)-1]
			end.Y += off
			if to.R != 0 {
				end.X += to.R - math.Sqrt(to.R*to.R-off*off)
			}
		}
	}
}

// frames returns the frames of scopes and the size of the drawing.
func (p *planner) frames(width float64) Result {
	r := Result{Width: width, Height: p.root.h}
	var visit func(*cell, int) (before, after float64)
	visit = func(block *cell, depth int) (before, after float64) {
		left, right := math.Inf(1), math.Inf(-1)
		for _, m := range block.members {
			if !m.bend {
				left, right = min(left, m.x), max(right, m.x+m.w)
			}
		}
		for _, c := range block.children {
			if c.block {
				b, a := visit(c, depth+1)
				before, after = max(before, b), max(after, a)
			}
		}
		before, after = before+nest, after+nest
		if p.Vertical {
			before += Heading - nest
		}
		if block.scope != 0 {
			r.Frames = append(r.Frames, Frame{block.scope, depth, left - before, block.y, right - left + before + after, block.h})
		}
		return before, after
	}
	visit(p.root, 0)
	slices.SortStableFunc(r.Frames, func(a, b Frame) int { return a.Depth - b.Depth })
	return r
}
