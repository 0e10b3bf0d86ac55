package autograd

import (
	"math"
	"slices"

	"nabla/internal/kernel"
)

var (
	opBCE          = operation{name: "binary cross entropy", method: "BinaryCrossEntropy", binary: &kernel.BCE}
	opBCELogits    = operation{name: "binary cross entropy logits", method: "BinaryCrossEntropyLogits", binary: &kernel.BCELogits}
	opCrossEntropy = operation{name: "cross entropy", method: "CrossEntropy", binary: &kernel.CrossEntropy}
)

// smallest is the lower bound of the divisor in the gradient of a cross
// entropy.
const smallest = 1e-12

// BinaryCrossEntropy returns −(y·ln p + (1−y)·ln(1−p)), element by element, of
// probabilities p and targets y in [0, 1], broadcasting. Both logarithms are
// bounded below by −100.
//
//	∂/∂p = (p − y) / max(p(1−p), 1e−12), ∂/∂y = ln(1−p) − ln p
//
// Special cases are: 100 with gradient ∓1e12 where p is 0 and the target 1 or
// the other way round; NaN for p outside [0, 1].
//
// It panics with a [*ShapeError] if the shapes do not broadcast.
func (p Value) BinaryCrossEntropy(y Value) Value { return p.binary(&opBCE, bceRule, y) }

func bceRule(r *Rule) {
	gy, p, y := r.Grad(), r.In(0), r.In(1)
	if r.Needs(0) {
		r.Add(0, bceSlope(gy, p, y))
	}
	if r.Needs(1) {
		// The bounded logarithms are the entropies for the targets 1 and 0.
		hit, miss := p.BinaryCrossEntropy(r.g.Scalar(1)), p.BinaryCrossEntropy(r.g.Scalar(0))
		r.Add(1, gy.Mul(hit.Sub(miss)))
	}
}

var opBCESlope = operation{name: "binary cross entropy gradient", method: "BinaryCrossEntropy"}

// bceSlope returns gy·(p − y)/max(p(1−p), 1e−12).
func bceSlope(gy, p, y Value) Value {
	return ternary(&opBCESlope, &kernel.BCESlope, bceSlopeRule, gy, p, y)
}

// The derivative by p is y/p² + (1−y)/(1−p)², a sum of positive terms. It is
// 1e12 where the divisor is limited.
func bceSlopeRule(r *Rule) {
	v, gy, p, y := r.Grad(), r.In(0), r.In(1), r.In(2)
	if r.Needs(0) {
		r.Add(0, bceSlope(v, p, y))
	}
	if !r.Needs(1) && !r.Needs(2) {
		return
	}
	v = v.Mul(gy)
	rest := p.Neg().AddScalar(1)
	spread := p.Mul(rest)
	if r.Needs(1) {
		least := spread.LessScalar(smallest)
		half := v.g.Scalar(0.5)
		hit, miss := Where(least, half, p), Where(least, half, rest)
		sum := y.Div(hit.Square()).Add(y.Neg().AddScalar(1).Div(miss.Square()))
		r.Add(1, v.Mul(Where(least, v.g.Scalar(1/smallest), sum)))
	}
	if r.Needs(2) {
		r.Add(2, v.Div(spread.Clamp(smallest, math.Inf(1))).Neg())
	}
}

// BinaryCrossEntropyLogits returns [Value.BinaryCrossEntropy] of the
// probabilities σ(x), element by element, broadcasting. It does not round the
// probabilities, since it computes ln(1 + eˣ) − x·y.
//
//	∂/∂x = σ(x) − y, ∂/∂y = −x
//
// Neither the value nor the gradient overflows or cancels: at x = ±1000 they
// are 0 and 0, or 1000 and ±1.
//
// It panics with a [*ShapeError] if the shapes do not broadcast.
func (x Value) BinaryCrossEntropyLogits(y Value) Value {
	return x.binary(&opBCELogits, bceLogitsRule, y)
}

func bceLogitsRule(r *Rule) {
	gy, x, y := r.Grad(), r.In(0), r.In(1)
	if r.Needs(0) {
		// σ(x) − y from σ(−|x|), which has all its digits.
		positive := x.GreaterScalar(0)
		rest := Where(positive, x.Neg(), x).Sigmoid()
		r.Add(0, gy.Mul(Where(positive, y.Neg().AddScalar(1).Sub(rest), rest.Sub(y))))
	}
	if r.Needs(1) {
		r.Add(1, gy.Mul(x).Neg())
	}
}

// CrossEntropy returns −y·ln p, element by element, of predicted probabilities
// p and target probabilities y, broadcasting. Summed over the classes it is the
// categorical cross entropy. The logarithm is bounded below by −100.
//
//	∂/∂p = −y / max(p, 1e−12), ∂/∂y = −ln p
//
// Special cases are: 100·y with gradient −1e12·y where p is 0; NaN for p < 0.
//
// It panics with a [*ShapeError] if the shapes do not broadcast.
func (p Value) CrossEntropy(y Value) Value { return p.binary(&opCrossEntropy, crossEntropyRule, y) }

func crossEntropyRule(r *Rule) {
	gy, p, y := r.Grad(), r.In(0), r.In(1)
	if r.Needs(0) {
		r.Add(0, gy.Mul(y.Div(p.Clamp(smallest, math.Inf(1)))).Neg())
	}
	if r.Needs(1) {
		r.Add(1, gy.Mul(p.CrossEntropy(r.g.Scalar(1))))
	}
}

// Pick returns, for each label, the element of x at that index of the last
// axis: y[i] = x[i][labels[i]]. The labels and the result have x's shape
// without the last axis.
//
//	gx = gy at the elements' places, else 0
//
// It panics with a [*ShapeError] if the labels have another shape, and with an
// [*IndexError] if a label is not in [0, n).
func (x Value) Pick(labels Ints) Value {
	labels.check("Pick")
	s := x.node("Pick").shape
	if last := s.rank() - 1; last < 0 || !slices.Equal(s.dims[:last], labels.shape) {
		panic(shapeError("Pick", "the labels do not have the shape without the last axis", " by ", s.dims, labels.shape))
	}
	return x.pick("Pick", spanOf(s, s.rank()-1), labels, nil)
}

// PickAlong is [Value.Pick] along any axis: of scores [batch, classes, height,
// width] and labels [batch, height, width] along axis 1, it returns the score
// of each pixel's label. A vector of one number for each class is looked up by
// labels of any shape, along axis 0: the weight of each pixel's class.
//
// Where a label is one of those to ignore, which need not be in [0, n), the
// result is 0 and no gradient passes, even if x is NaN there.
//
//	gx = gy at the elements' places, else 0
//
// It panics with a [*ShapeError] if x is no vector and the labels do not have
// its shape without the axis, and with an [*IndexError] if the axis is out of
// range or a label that counts is not in [0, n).
func (x Value) PickAlong(axis int, labels Ints, ignore ...int) Value {
	labels.check("PickAlong")
	s := x.node("PickAlong").shape
	axis = x.g.axis("PickAlong", axis, s.rank())
	if s.rank() == 1 {
		return x.pick("PickAlong", span{outer: len(labels.values), n: s.dims[0]}, labels, ignore)
	}
	if !slices.Equal(s.dims[:axis], labels.shape[:min(axis, len(labels.shape))]) ||
		!slices.Equal(s.dims[axis+1:], labels.shape[min(axis, len(labels.shape)):]) {
		panic(shapeError("PickAlong", "the labels do not have the shape without the axis of classes", " by ", s.dims, labels.shape))
	}
	return x.pick("PickAlong", spanOf(s, axis), labels, ignore)
}

// pick returns the elements at labels along the middle axis of a span, in the
// labels' shape. A span with an inner length of 0 is a vector, which stands for
// all rows.
func (x Value) pick(op string, s span, labels Ints, ignore []int) Value {
	g := x.g
	places, counted := g.ints.take(len(labels.values))[:0], g.ints.take(len(labels.values))[:0]
	for i, label := range labels.values {
		if slices.Contains(ignore, label) {
			continue
		}
		if label < 0 || label >= s.n {
			panic(NewIndexError(op, "label", label, s.n))
		}
		counted = append(counted, i)
		if s.inner > 0 {
			label = (i/s.inner*s.n+label)*s.inner + i%s.inner
		}
		places = append(places, label)
	}
	shape := g.shape(labels.shape)
	if len(places) == shape.size {
		return x.picked(shape, places, labels)
	}
	vector := g.ints.take(1)
	vector[0] = len(places)
	y := x.picked(g.shape(vector), places, labels).scatter(shape, counted, chosenAt{})
	g.at(y.id).extra.take(labels)
	return y
}

func (x Value) picked(s *shape, places []int, labels Ints) Value {
	y := x.gather(s, places, chosenAt{})
	x.g.at(y.id).extra.take(labels)
	return y
}
