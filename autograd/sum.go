package autograd

import (
	"math"
	"slices"

	"nabla/internal/weakmap"
)

// A sum adds up the gradients of parameters from several backward passes. It
// outlives their graphs, and must not keep alive a model that is no longer used
// elsewhere: between Clear and the next Add it holds its parameters by weak
// pointers.
type sum struct {
	terms    []*term // in the order of their first addition
	known    weakmap.Map[Param, *term]
	weight   float64 // of all that was added
	observed []summedObservation
	averaged float64 // what Average has divided by, 0 for nothing
}

// Add adds the gradients of the parameters that other reached, matched by
// Param, into memory that gr owns: other's graph may be Reset afterwards. It
// serves micro-batches and workers; use [Gradients.AddWeighted] if they differ
// in size. Variables belong to one recording and are left out.
//
//	var sum autograd.Gradients
//	for _, part := range parts {
//		sum.Add(part)
//	}
//
// It panics with a [*GradientError] if gr came from Backward.
func (gr *Gradients) Add(other Gradients) { gr.add("Gradients.Add", other, 1) }

// AddWeighted adds the gradients of other times a weight. If each part's loss
// is a mean over its rows, weighting the parts by their numbers of rows gives
// the mean over all rows:
//
//	var sum autograd.Gradients
//	for i, part := range parts {
//		sum.AddWeighted(part, float64(rows[i]))
//	}
//	sum.Average()
//
// A weight of 0 adds nothing. It panics as Add does, and with an
// [*ArgumentError] if the weight is negative or not finite.
func (gr *Gradients) AddWeighted(other Gradients, weight float64) {
	checkWeight("Gradients.AddWeighted", weight)
	gr.add("Gradients.AddWeighted", other, weight)
}

func (gr *Gradients) add(op string, other Gradients, weight float64) {
	s := gr.ownSum(op)
	if weight == 0 {
		return
	}
	for param, t := range other.Stored() {
		ids, _, byRows := other.Rows(param)
		s.term(op, param, t.precision).add(t, ids.values, byRows, weight)
	}
	s.observe(other, weight)
	s.weight += weight * other.Weight()
}

// AddParam adds weight times a gradient of one parameter that comes from
// elsewhere, such as another process: t of the parameter's shape or, with ids,
// as [Gradients.Rows] returns them, rows of it. Together with
// [Gradients.AddObserved] and [Gradients.AddWeight] it makes a sum what Add
// would make it.
//
// It panics as AddWeighted does, with a [*ShapeError] if t does not fit, and
// with an [*ArgumentError] if ids are out of range or do not ascend.
func (gr *Gradients) AddParam(p *Param, ids Ints, t Tensor, weight float64) {
	const op = "Gradients.AddParam"
	checkWeight(op, weight)
	s := gr.ownSum(op)
	t.check(op)
	byRows := ids.Rank() > 0
	p.checkGradient(op, ids, t)
	s.term(op, p, t.precision).add(t, ids.values, byRows, weight)
}

// checkGradient panics unless t can be a gradient of p: the whole or, if there
// are ids, its rows.
func (p *Param) checkGradient(op string, ids Ints, t Tensor) {
	want := p.value.Shape()
	if ids.Rank() > 0 {
		for i, id := range ids.values {
			if len(want) == 0 || id < 0 || id >= want[0] || i > 0 && id <= ids.values[i-1] {
				panic(NewArgumentError(op, "the ids %v, want ascending rows of %v", ids.values, want))
			}
		}
		if len(want) > 0 {
			want[0] = len(ids.values)
		}
	}
	if !slices.Equal(want, t.dims()) {
		panic(NewShapeError(op, "a gradient of another shape than that of parameter "+p.name, want, t.dims()))
	}
}

// AddWeight makes a sum count for more, as if something of that weight had been
// added. It panics as [Gradients.AddWeighted] does.
func (gr *Gradients) AddWeight(weight float64) {
	checkWeight("Gradients.AddWeight", weight)
	gr.ownSum("Gradients.AddWeight").weight += weight
}

func checkWeight(op string, weight float64) {
	if !(weight >= 0) || math.IsInf(weight, 1) {
		panic(NewArgumentError(op, "a weight of %v", weight))
	}
}

// ownSum returns the sum that gr holds, and makes gr a sum if it is zero.
func (gr *Gradients) ownSum(op string) *sum {
	if gr.pass != nil {
		panic(&GradientError{called(op), "the receiver must be a sum of its own: var sum autograd.Gradients", callSite()})
	}
	if gr.sum == nil {
		gr.sum = &sum{}
	}
	return gr.sum
}

// Weight returns how much the Gradients count for: a sum as much as all that
// was added to it, which is nothing for the zero Gradients; after Average and
// for what Backward returned, 1.
func (gr Gradients) Weight() float64 {
	switch {
	case gr.sum != nil:
		return gr.sum.weight
	case gr.pass != nil:
		return 1
	}
	return 0
}

// Average divides a sum by the total weight of all that was added; Add counts
// with weight 1. The result is the weighted mean, which itself has weight 1. It
// panics with a [*GradientError] if gr came from Backward or nothing was added.
func (gr *Gradients) Average() {
	s := gr.ownSum("Gradients.Average")
	if s.weight == 0 {
		panic(&GradientError{"Gradients.Average", "nothing was added", callSite()})
	}
	for _, t := range s.terms {
		t.gradient(false).divide(s.weight)
	}
	s.averaged, s.weight = s.divided()*s.weight, 1
}

// term returns the term of a parameter, to add gradients of that precision to.
func (s *sum) term(op string, param *Param, p Precision) *term {
	found, ok := s.known.Get(param)
	if !ok {
		found = &term{precision: p}
		s.known.Set(param, found)
	}
	if found.precision != p {
		panic(&PrecisionError{called(op), p, found.precision, callSite()})
	}
	if found.param == nil {
		found.param = param
		s.terms = append(s.terms, found)
	}
	return found
}

// of returns the term of a parameter, or nil if nothing was added.
func (s *sum) of(p *Param) *term {
	if t, ok := s.known.Get(p); ok && t.param != nil {
		return t
	}
	return nil
}

// Clear empties a sum. It keeps the memory for the next sum as long as the
// parameters are in use. It panics with a [*GradientError] if gr came from
// Backward.
func (gr *Gradients) Clear() {
	if gr.pass != nil {
		panic(&GradientError{"Gradients.Clear", "only a sum can be cleared: Backward returns new Gradients each time", callSite()})
	}
	if gr.sum == nil {
		return
	}
	for _, t := range gr.sum.terms {
		t.clear()
	}
	clear(gr.sum.terms)
	gr.sum.terms, gr.sum.weight = gr.sum.terms[:0], 0
	gr.sum.forgetObservations()
}

// each calls f with every gradient as it is stored, without copies: the leaves
// of a pass in the order of recording, or the parameters of a sum.
func (gr Gradients) each(op string, f func(Tensor)) {
	switch {
	case gr.sum != nil:
		for _, t := range gr.sum.terms {
			f(t.gradient(false))
		}
	case gr.pass != nil:
		p := gr.check(op)
		for i := range p.leaves {
			if s := &p.leaves[i]; s.data != nil {
				f(p.gradient(s, int32(i), false))
			}
		}
	}
}

// Scale multiplies every gradient by a number, in place: 1/n for the mean
// over n workers.
func (gr Gradients) Scale(factor float64) {
	gr.each("Gradients.Scale", func(t Tensor) { t.scale(factor) })
}

// Norm returns the Euclidean norm of all gradients, including those of
// variables, taken as one vector. It is NaN if any number is NaN. Intermediate
// results neither overflow nor underflow.
func (gr Gradients) Norm() float64 {
	norm := 0.0
	gr.each("Gradients.Norm", func(t Tensor) { norm = JoinNorms(norm, t.Norm()) })
	return norm
}

// JoinNorms returns the norm √(a²+b²) of two vectors joined into one, from
// their norms a and b. It is NaN if either is NaN.
func JoinNorms(a, b float64) float64 {
	if math.IsNaN(a) || math.IsNaN(b) {
		return math.NaN() // math.Hypot would return Inf for Inf and NaN
	}
	return math.Hypot(a, b)
}
