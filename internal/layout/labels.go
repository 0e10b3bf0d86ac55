package layout

import (
	"math"
	"slices"
)

// A rect is a rectangle.
type rect struct{ left, top, right, bottom float64 }

func (a rect) meets(b rect) bool {
	return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
}

// around returns the rectangle of a link's label centered at a point, with a
// margin at its sides.
func (l *Link) around(at Point) rect {
	return rect{at.X - l.W/2 - labelMargin, at.Y - l.H/2, at.X + l.W/2 + labelMargin, at.Y + l.H/2}
}

// placeLabels finds a place for each label once items and links are placed: on
// its link, clear of boxes, headings and other labels, and of other links where
// possible. It reports whether all have a place. Labels that found none are
// placed first in the next round.
func (p *Plan) placeLabels(frames []Frame) bool {
	var order, failed []*Link
	var curves []curve
	for _, l := range p.Links {
		curves = append(curves, l.curves()...)
		if l.Labeled = false; l.W > 0 {
			order = append(order, l)
		}
	}
	solid := p.obstacles(frames)
	const rounds = 4
	for round := 0; round < rounds && (round == 0 || len(failed) > 0); round++ {
		order = append(slices.Clone(failed), slices.DeleteFunc(order, func(l *Link) bool { return slices.Contains(failed, l) })...)
		taken := slices.Clone(solid)
		failed = nil
		for _, l := range order {
			if l.At, l.Labeled = l.spot(taken, curves); l.Labeled {
				taken = append(taken, l.around(l.At))
			} else {
				failed = append(failed, l)
			}
		}
	}
	return len(failed) == 0
}

// obstacles returns what labels must not cover: headings, boxes, and circles
// with the text below them.
func (p *Plan) obstacles(frames []Frame) []rect {
	var all []rect
	for _, f := range frames {
		if p.Vertical {
			all = append(all, rect{f.X, f.Y, f.X + Heading, f.Y + min(f.H, p.Scopes[f.Scope].Heading)})
			continue
		}
		all = append(all, rect{f.X, f.Y, f.X + min(f.W, p.Scopes[f.Scope].Heading), f.Y + Heading})
	}
	for _, i := range p.Items {
		if i.R == 0 {
			all = append(all, rect{i.X, i.Y, i.X + i.W, i.Y + i.H})
			continue
		}
		under := i.Y + i.Middle() + i.R
		all = append(all, rect{i.Left(), under - 2*i.R, i.Right(), under})
		if i.Y+i.H > under {
			all = append(all, rect{i.X, under, i.X + i.W, i.Y + i.H})
		}
	}
	return all
}

// A curve is a piece of a link between two columns, with points on it and the
// rectangle around it.
type curve struct {
	link     *Link
	from, to Point
	on       [15]Point
	box      rect
}

func (l *Link) curves() []curve {
	var all []curve
	for k := 0; k+1 < len(l.Points); k += 2 {
		c := curve{link: l, from: l.Points[k], to: l.Points[k+1]}
		for i := range c.on {
			c.on[i] = Between(c.from, c.to, float64(i+1)/16)
		}
		c.box = rect{min(c.from.X, c.to.X), min(c.from.Y, c.to.Y), max(c.from.X, c.to.X), max(c.from.Y, c.to.Y)}
		all = append(all, c)
	}
	return all
}

// spot returns the best center of a link's label, and whether there is one.
func (l *Link) spot(taken []rect, curves []curve) (best Point, found bool) {
	var blocks []rect
	var others []*curve
	least, prefer := math.Inf(1), 0.5
	if l.Prefer != 0 {
		prefer = l.Prefer
	}
	for k, c := range slices.Backward(l.curves()) {
		far := float64(len(l.Points)/2 - 1 - k) // pieces from the end
		reach := rect{c.box.left - l.W, c.box.top - l.H, c.box.right + l.W, c.box.bottom + l.H}
		blocks, others = blocks[:0], others[:0]
		for _, r := range taken {
			if r.meets(reach) {
				blocks = append(blocks, r)
			}
		}
		for i := range curves {
			if o := &curves[i]; o.link != l && o.box.meets(rect{reach.left, reach.top - 1, reach.right, reach.bottom + 1}) {
				others = append(others, o)
			}
		}
		for i := 2; i <= 30; i++ {
			t := float64(i) / 32
			on := Between(c.from, c.to, t)
			for up := -2; up <= 2; up++ {
				at := Point{on.X, on.Y + float64(up)*l.H/5}
				box := l.around(at)
				cost := far + math.Abs(t-prefer) + math.Abs(float64(up))/8
				if cost >= least || slices.ContainsFunc(blocks, box.meets) {
					continue
				}
				if cost += crossed(box, others); cost < least {
					least, best, found = cost, at, true
				}
			}
		}
	}
	return best, found
}

// crossed returns the cost of a label's lying on other links.
func crossed(box rect, others []*curve) float64 {
	cost := 0.0
	for _, o := range others {
		if !o.box.meets(rect{box.left, box.top - 1, box.right, box.bottom + 1}) {
			continue
		}
		for _, p := range o.on {
			if p.X > box.left && p.X < box.right && p.Y > box.top && p.Y < box.bottom {
				cost += 0.2
			}
		}
	}
	return cost
}

// Between returns a point of the curve between two points of a link, for t from
// 0 to 1: a cubic Bézier curve with horizontal handles.
func Between(a, b Point, t float64) Point {
	reach, u := max(16, math.Abs(b.X-a.X)/2), 1-t
	mid, near := 3*u*u*t, 3*u*t*t
	return Point{
		u*u*u*a.X + mid*(a.X+reach) + near*(b.X-reach) + t*t*t*b.X,
		(u*u*u+mid)*a.Y + (near+t*t*t)*b.Y,
	}
}
