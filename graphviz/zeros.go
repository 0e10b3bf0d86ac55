package graphviz

import (
	"slices"

	"nabla/autograd"
)

// zeroCauses are why elements of gradients are exactly zero.
type zeroCauses struct {
	*explainer
	causes []Cause         // the first is none
	places map[zeroKey]int // into causes
	why    [][]int         // by node and element, into causes; nil where no element is zero
}

type zeroKey struct {
	kind CauseKind
	at   autograd.Value
	with int // the edge, where one operation may be several causes
}

// addZeros groups the elements of node i whose gradient is zero by their
// causes, in the order of their first element.
func (x *explainer) addZeros(e *Explanation, i int) {
	if e.signs[1] == 0 {
		return
	}
	if x.zeros == nil {
		x.zeros = &zeroCauses{explainer: x, causes: []Cause{{}}, places: map[zeroKey]int{}, why: make([][]int, len(x.nodes))}
		for k := x.root; k >= 0; k-- {
			x.zeros.look(k)
		}
	}
	group := map[int]int{} // by cause, into Zeros
	for k, cause := range x.zeros.why[i] {
		if cause == 0 || e.Element != whole && k != e.Element {
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

// cause returns the place of a cause, which it adds where it is new.
func (z *zeroCauses) cause(key zeroKey, make func() Cause) int {
	at, known := z.places[key]
	if !known {
		at = len(z.causes)
		z.places[key] = at
		z.causes = append(z.causes, make())
	}
	return at
}

// look finds the causes at one node. Those of the nodes behind it are known.
func (z *zeroCauses) look(i int) {
	n := &z.nodes[i]
	if n.state != reached || !slices.Contains(n.gradient.few, 0) {
		return
	}
	why := make([]int, n.gradient.size)
	for _, use := range slices.Backward(n.uses) {
		e := &z.edges[use]
		if !e.received {
			continue
		}
		reasons := z.reasons(e)
		for k, g := range n.gradient.few {
			switch {
			case g != 0:
			case e.contribution.few[k] != 0:
				why[k] = z.cancels(i)
			case why[k] == 0:
				why[k] = reasons(k)
			}
		}
	}
	for k, g := range n.gradient.few {
		if g == 0 && why[k] == 0 {
			why[k] = z.cause(zeroKey{CauseSeed, n.source.Value, nowhere}, func() Cause { return z.noTerms(i) })
		}
	}
	z.why[i] = why
}

// noTerms is the cause of a zero that is no sum: the root's, or that of a value
// of which only empty tensors were made.
func (z *zeroCauses) noTerms(i int) Cause {
	at := z.nodes[i].source.Value
	if i == z.root {
		return Cause{CauseSeed, at, "the backward pass started with 0"}
	}
	return Cause{CauseNotReached, at, "what was made of it has no elements"}
}

func (z *zeroCauses) cancels(i int) int {
	n := &z.nodes[i]
	return z.cause(zeroKey{CauseCancellation, n.source.Value, nowhere}, func() Cause {
		return Cause{CauseCancellation, n.source.Value, "what the uses of " + n.mention() + " hand back cancels"}
	})
}

// blocks is the cause that an edge's own factor is zero.
func (z *zeroCauses) blocks(e *edge) int {
	to := &z.nodes[e.to]
	return z.cause(zeroKey{CauseFlat, to.source.Value, e.input}, func() Cause { return z.smallFactor(e, 0) })
}

// vanishes is the cause that a product of numbers that are not zero is.
func (z *zeroCauses) vanishes(e *edge) int {
	to := &z.nodes[e.to]
	return z.cause(zeroKey{CauseUnderflow, to.source.Value, e.input}, func() Cause {
		return Cause{CauseUnderflow, to.source.Value, "the product with the slope of " + to.called() + " is below the smallest number"}
	})
}

// reasons returns the function that says why an element of what an edge handed
// back is zero.
func (z *zeroCauses) reasons(e *edge) func(k int) int {
	to := &z.nodes[e.to]
	switch {
	case e.localKnown && e.local.size == to.value.size:
		return z.elementwise(e)
	case to.gradient.zero():
		return func(int) int { return z.why[e.to][0] }
	case to.custom:
	case to.op == "reshape":
		return func(k int) int { return z.why[e.to][k] }
	case to.op == "matmul" && z.nodes[e.from].value.size > 0 && len(to.value.shape) == 2 && len(z.nodes[e.from].value.shape) == 2:
		return z.product(e)
	case z.gate(to) != CauseNone:
	default:
		if only := z.onlyCause(e.to); only != 0 {
			return func(int) int { return only }
		}
	}
	return func(int) int { return z.blocks(e) }
}

// elementwise: each element of the result multiplies its gradient by a slope,
// and where the input was broadcast the products add up.
func (z *zeroCauses) elementwise(e *edge) func(k int) int {
	from, to := &z.nodes[e.from], &z.nodes[e.to]
	reason := make([]int, from.value.size)
	sums := make([]bool, from.value.size) // products that are not zero
	for j, upstream := range to.gradient.few {
		k := placeIn(from.value.shape, to.value.shape, j)
		factor := e.local.few[j]
		switch {
		case upstream == 0 && reason[k] == 0:
			reason[k] = z.why[e.to][j]
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
		case from.value.size == to.value.size:
			return z.vanishes(e)
		}
		return z.cancels(e.from)
	}
}

// product: an element of a matrix's gradient is a sum of products of a row or
// column of the upstream gradient and one of the other matrix.
func (z *zeroCauses) product(e *edge) func(k int) int {
	from, to := &z.nodes[e.from], &z.nodes[e.to]
	other := &z.nodes[z.edges[to.in[1-e.input]].from]
	rows, across := to.value.shape[0], to.value.shape[1]
	inner := from.value.shape[1-e.input]
	return func(k int) int {
		r, c := k/from.value.shape[1], k%from.value.shape[1]
		length := across // gx[r,m] = Σ over c of gy[r,c]·w[m,c]
		pair := func(s int) (upstream, factor int) { return r*across + s, c*across + s }
		if e.input == 1 { // gw[m,c] = Σ over r of x[r,m]·gy[r,c]
			length = rows
			pair = func(s int) (upstream, factor int) { return s*across + c, s*inner + r }
		}
		reason := 0
		for s := range length {
			u, f := pair(s)
			upstream, factor := to.gradient.few[u], other.value.few[f]
			switch {
			case upstream != 0 && factor != 0:
				return z.cancels(e.from)
			case upstream == 0 && reason == 0:
				reason = z.why[e.to][u]
			}
		}
		if reason == 0 {
			reason = z.blocks(e)
		}
		return reason
	}
}

// onlyCause returns the cause of all zeros of a node's gradient, 0 where there
// are several or none.
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
