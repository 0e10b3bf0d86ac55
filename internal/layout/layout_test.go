package layout

import (
	"math/rand/v2"
	"testing"
)

func items(n int) []*Item {
	all := make([]*Item, n)
	for k := range all {
		all[k] = &Item{W: 100, H: 40, Order: k, Inputs: k > 0}
	}
	return all
}

// A chain is horizontal, with one column gap between items and the label in the
// middle of the gap.
func TestChain(t *testing.T) {
	i := items(3)
	links := []*Link{{From: i[0], To: i[1], W: 30, H: 12}, {From: i[1], To: i[2]}}
	r := Place(Plan{Items: i, Links: links, Scopes: make([]Scope, 1), Column: 44})
	if r.Width != 3*100+2*44 || r.Height != 40 {
		t.Errorf("%v × %v", r.Width, r.Height)
	}
	for k, item := range i {
		if item.X != float64(144*k) || item.Y != 0 || item.Rank != k {
			t.Errorf("item %d: %+v", k, *item)
		}
	}
	if at := links[0].At; !links[0].Labeled || at != (Point{122, 20}) {
		t.Errorf("the label is at %v", at)
	}
}

// A link across a column passes beside the column's item.
func TestLongLink(t *testing.T) {
	i := items(3)
	long := &Link{From: i[0], To: i[2]}
	Place(Plan{Items: i, Links: []*Link{{From: i[0], To: i[1]}, {From: i[1], To: i[2]}, long}, Scopes: make([]Scope, 1), Column: 44})
	if len(long.Points) != 4 {
		t.Fatalf("its points are %v", long.Points)
	}
	for _, p := range long.Points[1:3] {
		if p.Y > i[1].Y && p.Y < i[1].Y+i[1].H {
			t.Errorf("%v lies in the box at %v, %v", p, i[1].X, i[1].Y)
		}
	}
}

// Columns move apart for a label that is wider than their gap; a label with no
// room at all is left out.
func TestLabelsMakeRoom(t *testing.T) {
	for _, c := range []struct {
		wide    float64
		labeled bool
	}{{40, true}, {100, true}, {5000, false}} {
		i := items(2)
		l := &Link{From: i[0], To: i[1], W: c.wide, H: 12}
		r := Place(Plan{Items: i, Links: []*Link{l}, Scopes: make([]Scope, 1), Column: 44})
		if l.Labeled != c.labeled || c.labeled && r.Width < 200+c.wide {
			t.Errorf("of a label of %v the drawing is %v wide, it is placed: %v", c.wide, r.Width, l.Labeled)
		}
	}
}

// random returns a network of boxes of various sizes in nested scopes.
func random(seed uint64) Plan {
	rng := rand.New(rand.NewPCG(seed, 0))
	p := Plan{Scopes: []Scope{{}, {Heading: 60}, {Parent: 1, Heading: 60}, {Heading: 60}}, Column: 44, Vertical: seed%2 == 1, KeepOrder: seed%3 == 0}
	for k := range 3 + rng.IntN(30) {
		i := &Item{W: 20 + 100*rng.Float64(), H: 20 + 60*rng.Float64(), Scope: min(3, k/6), Order: k}
		if rng.IntN(5) == 0 {
			i.R, i.Mid = 10, 15
			i.H = 40
		}
		for range rng.IntN(3) {
			if k > 0 {
				l := &Link{From: p.Items[rng.IntN(k)], To: i}
				if rng.IntN(2) == 0 {
					l.W, l.H = 30, 12
				}
				p.Links = append(p.Links, l)
				i.Inputs = true
			}
		}
		p.Items = append(p.Items, i)
	}
	return p
}

// No two boxes or labels overlap, labels do not cover boxes, frames contain
// their own items and nothing else, and the layout is deterministic.
func TestRandom(t *testing.T) {
	for seed := range uint64(200) {
		p, again := random(seed), random(seed)
		r := Place(p)
		Place(again)
		var solid []rect
		for k, i := range p.Items {
			if a := again.Items[k]; a.X != i.X || a.Y != i.Y {
				t.Errorf("seed %d: item %d is at %v, %v and again at %v, %v", seed, k, i.X, i.Y, a.X, a.Y)
			}
			solid = append(solid, rect{i.X, i.Y, i.X + i.W, i.Y + i.H})
		}
		const close = 1e-9
		for k, a := range solid {
			for _, b := range solid[k+1:] {
				if b.top += close; b.meets(a) && a.bottom-b.top > close {
					t.Errorf("seed %d: %v and %v overlap", seed, a, b)
				}
			}
		}
		solid = (&p).obstacles(r.Frames)
		for k, l := range p.Links {
			if !l.Labeled {
				continue
			}
			box := l.around(l.At)
			for _, b := range solid {
				if b.meets(box) {
					t.Errorf("seed %d: the label of link %d, %v, lies on %v", seed, k, box, b)
				}
			}
			solid = append(solid, box)
		}
		for _, f := range r.Frames {
			for _, i := range p.Items {
				in := false
				for s := i.Scope; s != 0; s = p.Scopes[s].Parent {
					in = in || s == f.Scope
				}
				over := i.X < f.X+f.W && f.X < i.X+i.W && i.Y < f.Y+f.H-close && f.Y < i.Y+i.H-close
				if in != over {
					t.Errorf("seed %d: an item of scope %d lies in the frame of %d: %v", seed, i.Scope, f.Scope, over)
				}
			}
		}
	}
}

// Given columns are kept and centered on both sides of the line.
func TestPlaceColumns(t *testing.T) {
	i := items(5)
	r := PlaceColumns(Plan{Scopes: make([]Scope, 1), Column: 50}, []Column{{Above: i[:2], Below: i[2:3]}, {Above: i[3:4], Below: i[4:]}}, 10)
	want := []Point{{0, 0}, {0, 50}, {0, 100}, {150, 25}, {150, 100}}
	for k, item := range i {
		if (Point{item.X, item.Y}) != want[k] {
			t.Errorf("item %d is at %v, %v, want %v", k, item.X, item.Y, want[k])
		}
	}
	if r.Width != 250 || r.Height != 140 {
		t.Errorf("%v × %v", r.Width, r.Height)
	}
}
