package explain

import (
	"slices"

	"nabla/internal/operations"

	"nabla/autograd"
	"nabla/internal/recording"
)

// zeroCauses holds the reasons why elements of gradients are exactly zero.
type zeroCauses struct {
	*explainer
	causes []Cause         // the first is none
	places map[zeroKey]int // into causes
	why    [][]int         // by node and element, into causes; nil if no element is zero
}

type zeroKey struct {
	kind CauseKind
	at   autograd.Value
	with int // the edge, if one operation can be several causes
}

// addZeros groups the elements of node i whose gradient is zero by their
// causes, in the order of their first element.
func (x *explainer) addZeros(e *Explanation, i int) {
	if e.signs[1] == 0 {
		return
	}
	if x.zeros == nil {
		x.zeros = &zeroCauses{explainer: x, causes: []Cause{{}}, places: map[zeroKey]int{}, why: make([][]int, len(x.Nodes))}
		for k := x.Root; k >= 0; k-- {
			x.zeros.look(k)
		}
	}
	group := map[int]int{} // by cause, into Zeros
	for k, cause := range x.zeros.why[i] {
		if cause == 0 || e.Element != recording.Whole && k != e.Element {
			continue
		}
		at, known := group[cause]
		if !known {
			at = len(e.Zeros)
			group[cause] = at
			e.Zeros = append(e.Zeros, ZeroGroup{Cause: x.zeros.causes[cause]})
		}
		e.Zeros[at].Count++
	}
}

// cause returns the index of a cause, which it adds if it is new.
func (z *zeroCauses) cause(key zeroKey, make func() Cause) int {
	at, known := z.places[key]
	if !known {
		at = len(z.causes)
		z.places[key] = at
		z.causes = append(z.causes, make())
	}
	return at
}

// look finds the causes at one node. Those of the later nodes are already
// known.
func (z *zeroCauses) look(i int) {
	n := &z.Nodes[i]
	if n.State != recording.Reached || !slices.Contains(n.Gradient.Few, 0) {
		return
	}
	why := make([]int, n.Gradient.Size)
	for _, use := range slices.Backward(n.Uses) {
		e := &z.Edges[use]
		if !e.Received {
			continue
		}
		reasons := z.reasons(e)
		for k, g := range n.Gradient.Few {
			switch {
			case g != 0:
			case e.Contribution.Few[k] != 0:
				why[k] = z.cancels(i)
			case why[k] == 0:
				why[k] = reasons(k)
			}
		}
	}
	for k, g := range n.Gradient.Few {
		if g == 0 && why[k] == 0 {
			why[k] = z.cause(zeroKey{CauseSeed, n.Source.Value, recording.Nowhere}, func() Cause { return z.noTerms(i) })
		}
	}
	z.why[i] = why
}

// noTerms returns the cause of a zero without contributions: the root's, or
// that of a value used only in empty tensors.
func (z *zeroCauses) noTerms(i int) Cause {
	at := z.Nodes[i].Source.Value
	if i == z.Root {
		return Cause{CauseSeed, at, "the backward pass started with 0"}
	}
	return Cause{CauseNotReached, at, "what was made of it has no elements"}
}

func (z *zeroCauses) cancels(i int) int {
	n := &z.Nodes[i]
	return z.cause(zeroKey{CauseCancellation, n.Source.Value, recording.Nowhere}, func() Cause {
		return Cause{CauseCancellation, n.Source.Value, "what the uses of " + n.Mention() + " hand back cancels"}
	})
}

// blocks returns the cause "the edge's own factor is zero".
func (z *zeroCauses) blocks(e *recording.Edge) int {
	to := &z.Nodes[e.To]
	return z.cause(zeroKey{CauseFlat, to.Source.Value, e.Input}, func() Cause { return z.smallFactor(e, 0) })
}

// vanishes returns the cause "a product of nonzero numbers underflowed to
// zero".
func (z *zeroCauses) vanishes(e *recording.Edge) int {
	to := &z.Nodes[e.To]
	return z.cause(zeroKey{CauseUnderflow, to.Source.Value, e.Input}, func() Cause {
		return Cause{CauseUnderflow, to.Source.Value, "the product with the slope of " + to.Called() + " is below the smallest number"}
	})
}

// reasons returns a function that says why an element of an edge's contribution
// is zero.
func (z *zeroCauses) reasons(e *recording.Edge) func(k int) int {
	to := &z.Nodes[e.To]
	switch {
	case e.LocalKnown && e.Local.Size == to.Value.Size:
		return z.elementwise(e)
	case to.Gradient.Zero():
		return func(int) int { return z.why[e.To][0] }
	case to.Custom:
	case to.Op == operations.Reshape:
		return func(k int) int { return z.why[e.To][k] }
	case to.Op == operations.MatMul && z.Nodes[e.From].Value.Size > 0 && len(to.Value.Shape) == 2 && len(z.Nodes[e.From].Value.Shape) == 2:
		return z.product(e)
	case z.gate(to) != CauseNone:
	default:
		if only := z.onlyCause(e.To); only != 0 {
			return func(int) int { return only }
		}
	}
	return func(int) int { return z.blocks(e) }
}

// elementwise handles operations that multiply each element of the gradient by
// a slope; if the input was broadcast, the products add up.
func (z *zeroCauses) elementwise(e *recording.Edge) func(k int) int {
	from, to := &z.Nodes[e.From], &z.Nodes[e.To]
	reason := make([]int, from.Value.Size)
	sums := make([]bool, from.Value.Size) // products that are not zero
	for j, upstream := range to.Gradient.Few {
		k := recording.PlaceIn(from.Value.Shape, to.Value.Shape, j)
		factor := e.Local.Few[j]
		switch {
		case upstream == 0 && reason[k] == 0:
			reason[k] = z.why[e.To][j]
		case upstream != 0 && factor == 0 && reason[k] == 0:
			reason[k] = z.blocks(e)
		case upstream != 0 && factor != 0:
			sums[k] = true
		}
	}
	return func(k int) int {
		switch {
		case !sums[k]:
			return reason[k]
		case from.Value.Size == to.Value.Size:
			return z.vanishes(e)
		}
		return z.cancels(e.From)
	}
}

// product handles matrix products: an element of a matrix's gradient is the dot
// product of a row or column of the upstream gradient with one of the other
// matrix.
func (z *zeroCauses) product(e *recording.Edge) func(k int) int {
	from, to := &z.Nodes[e.From], &z.Nodes[e.To]
	other := &z.Nodes[z.Edges[to.In[1-e.Input]].From]
	rows, across := to.Value.Shape[0], to.Value.Shape[1]
	inner := from.Value.Shape[1-e.Input]
	return func(k int) int {
		r, c := k/from.Value.Shape[1], k%from.Value.Shape[1]
		length := across // gx[r,m] = Σ over c of gy[r,c]·w[m,c]
		pair := func(s int) (upstream, factor int) { return r*across + s, c*across + s }
		if e.Input == 1 { // gw[m,c] = Σ over r of x[r,m]·gy[r,c]
			length = rows
			pair = func(s int) (upstream, factor int) { return s*across + c, s*inner + r }
		}
		reason := 0
		for s := range length {
			u, f := pair(s)
			upstream, factor := to.Gradient.Few[u], other.Value.Few[f]
			switch {
			case upstream != 0 && factor != 0:
				return z.cancels(e.From)
			case upstream == 0 && reason == 0:
				reason = z.why[e.To][u]
			}
		}
		if reason == 0 {
			reason = z.blocks(e)
		}
		return reason
	}
}

// onlyCause returns the cause shared by all zeros of a node's gradient, 0 if
// there are several or none.
func (z *zeroCauses) onlyCause(i int) int {
	only := 0
	for _, cause := range z.why[i] {
		switch {
		case cause == 0 || cause == only:
		case only != 0:
			return 0
		default:
			only = cause
		}
	}
	return only
}
