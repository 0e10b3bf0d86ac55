package explain

import (
	"math"

	"nabla/autograd"
	"nabla/internal/recording"
)

// A Difference compares a gradient with a central difference,
//
//	(L(v + h) − L(v − h)) / 2h
//
// which does not use the chain rule. For a whole Param with several elements it
// is taken along the direction of the gradient, where the derivative is the
// gradient's norm; if the gradient is zero, all elements are changed equally.
//
// The two agree if they differ by at most 1e−5 (1e−3 in float32) of the largest
// of them and the one-sided slopes, plus the rounding of the losses,
// 16·ε·|L|/h. At a minimum the one-sided slopes set the size of the rounding
// error.
type Difference struct {
	Gradient     float64 // the derivative by backpropagation
	Numeric      float64 // the central difference
	Step         float64 // h
	Below, Above float64 // the root's value at v − h and v + h
	Agrees       bool
	Kink         bool // they do not agree and the one-sided slopes differ: there is a kink or jump within h
}

// difference returns the check of an explanation, or nil.
func (x *explainer) difference(e *Explanation, i int, o Options) *Difference {
	n := &x.Nodes[i]
	if o.Loss != nil {
		return x.throughLoss(e, n, o)
	}
	if !e.Known || n.Value.Size != 1 || !recording.IsFinite(e.Gradient) {
		return nil
	}
	order, ok := x.scalarsAfter(i)
	if !ok {
		return nil
	}
	v := n.Value.Few[0]
	h := stepFor(o.Step, v, epsilon64)
	loss := func(at float64) float64 { return x.recompute(i, at, order) }
	return differenceOf(loss(v-h), loss(v), loss(v+h), h, x.Nodes[x.Root].Gradient.Few[0], e.Gradient, epsilon64, x.tolerance())
}

const (
	epsilon64 = 0x1p-52
	epsilon32 = 0x1p-23
)

func (x *explainer) tolerance() float64 {
	if x.Nodes[x.Root].Source.Value.Graph().Options().Precision == autograd.Float32 {
		return 1e-3
	}
	return 1e-5
}

// stepFor returns the step of a central difference at v.
func stepFor(given, v, epsilon float64) float64 {
	if given > 0 {
		return given
	}
	return math.Cbrt(epsilon) * max(1, math.Abs(v))
}

// differenceOf compares a gradient with the difference of three losses; it
// returns nil if one is not finite.
func differenceOf(below, at, above, h, seed, gradient, epsilon, tolerance float64) *Difference {
	if !recording.IsFinite(below) || !recording.IsFinite(at) || !recording.IsFinite(above) {
		return nil
	}
	d := &Difference{Gradient: gradient, Step: h, Below: below, Above: above, Numeric: seed * (above - below) / (2 * h)}
	rounding := 16 * epsilon * math.Abs(seed) * max(math.Abs(below), math.Abs(above)) / h
	left, right := seed*(at-below)/h, seed*(above-at)/h
	largest := max(math.Abs(d.Numeric), math.Abs(gradient), math.Abs(left), math.Abs(right))
	d.Agrees = math.Abs(d.Numeric-gradient) <= tolerance*largest+rounding
	d.Kink = !d.Agrees && math.Abs(left-right) > 0.1*max(math.Abs(left), math.Abs(right))
	return d
}

// scalarsAfter returns the nodes that depend on node i through operations that
// pass gradients, in order; ok is false unless all of them work on single
// numbers.
func (x *explainer) scalarsAfter(i int) (order []int, ok bool) {
	depends := make([]bool, len(x.Nodes))
	depends[i] = true
	for k := i + 1; k <= x.Root; k++ {
		n := &x.Nodes[k]
		for _, in := range n.In {
			e := &x.Edges[in]
			depends[k] = depends[k] || e.Learns && depends[e.From]
		}
		if !depends[k] {
			continue
		}
		if n.Value.Size != 1 || n.Terms == nil && !x.Elementwise(n) {
			return nil, false
		}
		order = append(order, k)
	}
	return order, true
}

// recompute returns what the root's number would be if that of node i were v.
func (x *explainer) recompute(i int, v float64, order []int) float64 {
	changed := map[int]float64{i: v}
	for _, k := range order {
		n := &x.Nodes[k]
		in := make([]float64, len(n.In))
		for at, edge := range n.In {
			e := &x.Edges[edge]
			number, known := changed[e.From]
			if !known {
				number = x.Nodes[e.From].Value.Few[0]
			}
			in[at] = number
		}
		changed[k] = evaluate(n, in)
	}
	return changed[x.Root]
}

// evaluate returns the number of a scalar node for other inputs.
func evaluate(n *recording.Node, in []float64) float64 {
	if n.Terms == nil {
		y, _, _ := n.Source.Evaluate(in...)
		return y
	}
	sum := 0.0
	for _, t := range n.Terms {
		product := 1.0
		for _, input := range t {
			product *= in[input]
		}
		sum += product
	}
	return sum
}

// throughLoss returns the check of a Param with Options.Loss.
func (x *explainer) throughLoss(e *Explanation, n *recording.Node, o Options) *Difference {
	const op = "explain: Gradient"
	p := n.Source.Param
	switch {
	case p == nil:
		panic(autograd.NewArgumentError(op, "a Loss checks a Param, and %s is none", n.Called()))
	case x.Nodes[x.Root].Value.Size != 1:
		panic(autograd.NewArgumentError(op, "a Loss checks the gradient of one number, and the backward pass started from a Value of shape %v", x.Nodes[x.Root].Value.Shape))
	case !e.Known || e.Size == 0 || !recording.IsFinite(e.Gradient):
		return nil
	}
	epsilon, tolerance := epsilon64, x.tolerance()
	if p.Precision() == autograd.Float32 || tolerance > 1e-5 {
		epsilon, tolerance = epsilon32, 1e-3
	}
	direction := directionOf(n.Gradient.Few, e.Element)
	h := stepFor(o.Step, e.Number, epsilon)
	options := n.Source.Value.Graph().Options()
	options.Trace, options.CheckFinite = false, false
	loss := func(step float64) (loss float64) {
		p.Substitute(moved(p, direction, step), func() {
			v := o.Loss(autograd.NewGraph(options))
			if v.Size() != 1 {
				panic(autograd.NewArgumentError(op, "the Loss returned a Value of shape %v", v.Shape()))
			}
			loss = v.Item()
		})
		return loss
	}
	gradient := e.Gradient
	if e.Element == recording.Whole {
		gradient = along(direction, n.Gradient.Few)
	}
	return differenceOf(loss(-h), loss(0), loss(h), h, x.Nodes[x.Root].Gradient.Few[0], gradient, epsilon, tolerance)
}

func along(a, b []float64) float64 {
	sum := 0.0
	for k, v := range a {
		sum += v * b[k]
	}
	return sum
}

// directionOf returns the unit vector of an element, or that of the gradient;
// equal elements if the gradient is zero.
func directionOf(gradient []float64, element int) []float64 {
	direction := make([]float64, len(gradient))
	if element != recording.Whole {
		direction[element] = 1
		return direction
	}
	norm := recording.NewNumbers(autograd.NewTensor(gradient), 0).Norm
	for k, g := range gradient {
		if direction[k] = g / norm; norm == 0 || !recording.IsFinite(norm) {
			direction[k] = 1 / math.Sqrt(float64(len(gradient)))
		}
	}
	return direction
}

// moved returns a Param's numbers after a step in a direction.
func moved(p *autograd.Param, direction []float64, step float64) autograd.Tensor {
	numbers := p.Tensor().Float64s()
	for k, d := range direction {
		numbers[k] += step * d
	}
	return autograd.NewTensor(numbers, p.Shape()...)
}
