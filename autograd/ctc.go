package autograd

import (
	"fmt"
	"math"

	"nabla/internal/kernel"
)

var opCTC = operation{name: "ctc", method: "CTC"}

// CTCOptions are the settings of [Value.CTC].
type CTCOptions struct {
	Blank        int  // the class that stands for no label
	Lengths      Ints // [batch]: how many steps of each sample there are, at least 1; the zero Ints: all
	LabelLengths Ints // [batch]: how many labels each sample has; the zero Ints: all
	ZeroInfinity bool // makes an infinite loss 0, and its gradient
}

// CTC returns −ln p of each sample's labels, [batch], in a connectionist
// temporal classification (Graves et al., 2006). x are the logarithms of the
// probabilities of classes, [batch, steps, classes], and p is the probability
// that the classes of all steps give the labels, [batch, longest], once equal
// neighbours have become one and then blanks were left out.
//
//	y = −ln Σ Π exp x[step][class] over all such sequences of classes
//
//	gx = −gy·γ with γ the probability of a class at a step, given the labels
//
// It is +Inf if no sequence gives the labels, as when there are too few steps,
// and the gradient is NaN then; with ZeroInfinity both are 0. What is behind
// the end of a sample or of its labels is not read, and has the gradient 0.
//
// Of PyTorch's ctc_loss, which takes [steps, batch, classes], the gradient by x
// has e^x − γ in place of −γ: the same once it is led through a log softmax.
//
// It panics with a [*ShapeError] if the operands are not shaped as said or have
// no steps, with an [*IndexError] for a blank or a label that is not in [0,
// classes), and with an [*ArgumentError] for a length out of range or a blank
// among the labels.
func (x Value) CTC(labels Ints, options CTCOptions) Value {
	c := x.ctc(labels, options)
	g := x.g
	dims := g.ints.take(1)
	dims[0] = c.Batch
	n := g.record(&opCTC, ctcRule, g.newShape(opCTC.method, dims), x)
	ints := append(g.ints.take(6 + len(c.Labels) + 2*c.Batch)[:0], c.Batch, c.Steps, c.Classes, c.Longest, c.Blank, bit(c.ZeroInfinity))
	e := g.extraOf(n)
	e.ints = append(append(append(ints, c.Labels...), c.Lengths...), c.LabelLengths...)
	e.take(labels, options.Lengths, options.LabelLengths)
	if n.flags&needsGrad != 0 {
		n.extra.kept = g.numbersToKeep(c.Kept())
		pick(g, ctcNode[float64], ctcNode[float32])(n, g.at(x.id), c)
		return g.done()
	}
	borrowed := g.memory.borrow(c.Kept())
	n.extra.kept = slice[float64](borrowed, c.Kept())
	pick(g, ctcNode[float64], ctcNode[float32])(n, g.at(x.id), c)
	n.extra.kept = nil
	g.memory.giveBack(borrowed, c.Kept())
	return g.done()
}

// ctc returns the geometry, and panics if something does not fit.
func (x Value) ctc(labels Ints, o CTCOptions) kernel.CTC {
	const op = "CTC"
	labels.check(op)
	dims := x.node(op).shape.dims
	if len(dims) != 3 || dims[1] == 0 || dims[2] == 0 {
		panic(shapeError(op, "want [batch, steps, classes] with at least one step and class", "", dims))
	}
	if len(labels.shape) != 2 || labels.shape[0] != dims[0] {
		panic(shapeError(op, "want labels [batch, longest]", " for ", labels.shape, dims))
	}
	c := kernel.CTC{Batch: dims[0], Steps: dims[1], Classes: dims[2], Longest: labels.shape[1], Blank: o.Blank, ZeroInfinity: o.ZeroInfinity}
	if o.Blank < 0 || o.Blank >= c.Classes {
		panic(NewIndexError(op, "blank", o.Blank, c.Classes))
	}
	c.Labels, c.Lengths = labels.values, x.g.lengths(op, o.Lengths, c.Batch, c.Steps)
	c.LabelLengths = x.g.labelLengths(op, o.LabelLengths, &c)
	for sample, length := range c.LabelLengths {
		for i, label := range labels.values[sample*c.Longest : sample*c.Longest+length] {
			if label < 0 || label >= c.Classes {
				panic(NewIndexError(op, fmt.Sprintf("labels[%d][%d] =", sample, i), label, c.Classes))
			}
			if label == c.Blank {
				panic(NewArgumentError(op, "labels[%d][%d] is %d, the blank", sample, i, label))
			}
		}
	}
	return c
}

// labelLengths returns the lengths of labels, all of them if none are given.
func (g *Graph) labelLengths(op string, given Ints, c *kernel.CTC) []int {
	if given.shape == nil {
		all := g.ints.take(c.Batch)
		for i := range all {
			all[i] = c.Longest
		}
		return all
	}
	if len(given.shape) != 1 || given.shape[0] != c.Batch {
		panic(shapeError(op, fmt.Sprintf("want a length for the labels of each of %d samples", c.Batch), "", given.shape))
	}
	for i, n := range given.values {
		if n < 0 || n > c.Longest {
			panic(NewArgumentError(op, "sample %d of the batch has %d labels, want 0 to %d", i, n, c.Longest))
		}
	}
	return given.values
}

func ctcNode[T kernel.Float](n, x *node, c kernel.CTC) {
	kernel.CTCLoss(numbers[T](n), numbers[T](x), &c, n.extra.kept)
}

// ctcOf returns the geometry that a node keeps.
func ctcOf(n *node) kernel.CTC {
	i := n.ints()
	c := kernel.CTC{Batch: i[0], Steps: i[1], Classes: i[2], Longest: i[3], Blank: i[4], ZeroInfinity: i[5] == 1}
	i = i[6:]
	labels := c.Batch * c.Longest
	c.Labels, c.Lengths, c.LabelLengths = i[:labels], i[labels:labels+c.Batch], i[labels+c.Batch:]
	return c
}

// ctcRule computes the gradient in one go. Where it is recorded, the loss is
// written out in other operations, and their rules do the rest.
func ctcRule(r *Rule) {
	g, c := r.g, ctcOf(r.n)
	if g.reverse.recording {
		x := r.In(0).reshaped(g.at(r.n.in[0]).shape)
		y := g.writtenCTC(x, &c, r.n.extra.given)
		r.Add(0, g.differentiate(opCTC.method, y, r.possible(y, &c), []Value{x})[0])
		return
	}
	to := g.record(&opGradient, nil, g.at(r.n.in[0]).shape)
	gx := g.done()
	pick(g, ctcGradient[float64], ctcGradient[float32])(r, to, c)
	r.Add(0, gx)
}

func ctcGradient[T kernel.Float](r *Rule, to *node, c kernel.CTC) {
	work := r.g.memory.borrow(c.Work())
	kernel.CTCLossGrad(numbers[T](to), numbers[T](r.Grad().node(opCTC.method)), numbers[T](r.g.at(r.n.in[0])), &c, r.n.extra.kept, slice[float64](work, c.Work()))
	r.g.memory.giveBack(work, c.Work())
}

// possible returns the incoming gradient, where the loss y, as it is written
// out, is infinite NaN, or 0 with ZeroInfinity.
func (r *Rule) possible(y Value, c *kernel.CTC) Value {
	instead := math.NaN()
	if c.ZeroInfinity {
		instead = 0
	}
	return Where(y.GreaterScalar(-never/2), r.g.Scalar(instead), r.Grad())
}

// never is the logarithm of a probability of 0, in sums whose gradients must
// not be NaN.
const never = -1e30

// writtenCTC writes the loss out, step by step.
func (g *Graph) writtenCTC(x Value, c *kernel.CTC, given [3]givenInts) Value {
	states := c.States()
	classes := make([]int, c.Batch*c.Steps*states)
	start, skips := g.Full(never, c.Batch, states), g.Full(0, c.Batch, states)
	last, blankOnly := make([]int, 2*c.Batch), g.Full(0, c.Batch, 1)
	for i := range c.Batch {
		labels := c.Labels[i*c.Longest : i*c.Longest+c.LabelLengths[i]]
		for state := range states {
			class := c.Blank
			if state%2 == 1 && state/2 < len(labels) {
				class = labels[state/2]
			}
			for step := range c.Steps {
				classes[(i*c.Steps+step)*states+state] = class
			}
			if state < 2 {
				g.setNumber(g.at(start.id).data, i*states+state, 0)
			}
			if state%2 == 0 || state < 3 || state/2 >= len(labels) || labels[state/2] == labels[state/2-1] {
				g.setNumber(g.at(skips.id).data, i*states+state, never)
			}
		}
		last[2*i], last[2*i+1] = 2*len(labels), max(0, 2*len(labels)-1)
		if len(labels) == 0 {
			g.setNumber(g.at(blankOnly.id).data, i, never)
		}
	}
	for _, v := range [...]Value{start, skips, blankOnly} {
		g.extraOf(g.at(v.id)).given = given
	}
	at := x.Gather(2, ViewInts(classes, c.Batch, c.Steps, states)).Clamp(never, math.Inf(1))
	paths := start.Add(at.Select(1, 0))
	for step := 1; step < c.Steps; step++ {
		sum := paths.LogAddExp(paths.later(1)).LogAddExp(paths.later(2).Add(skips))
		paths = Where(g.reach(c.Lengths, step, given), sum.Add(at.Select(1, step)), paths)
	}
	ends := paths.Gather(1, ViewInts(last, c.Batch, 2))
	return ends.Narrow(1, 0, 1).LogAddExp(ends.Narrow(1, 1, 1).Add(blankOnly)).Reshape(c.Batch).Neg()
}

// later returns paths that have gone on by some states.
func (x Value) later(states int) Value {
	dims := x.node(opCTC.method).shape.dims
	n := min(states, dims[1])
	return Concat(1, x.g.Full(never, dims[0], n), x.Narrow(1, 0, dims[1]-n))
}
