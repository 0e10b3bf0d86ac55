package explain

import (
	"fmt"
	"math"
	"slices"

	"nabla/internal/operations"

	"nabla/autograd"
	"nabla/internal/recording"
)

// A CauseKind says why a gradient is zero, tiny, not finite or missing.
type CauseKind uint8

const (
	CauseNone           CauseKind = iota // nothing special
	CauseGateClosed                      // a relu, clamp, maximum or where passes no gradient
	CauseSaturated                       // a sigmoid or tanh is nearly flat there
	CauseZeroInput                       // it is multiplied by an input that is zero or tiny
	CauseFlat                            // an operation's slope is zero or tiny there, such as that of a square at 0
	CauseCancellation                    // contributions cancel
	CauseAttenuation                     // many factors, none of them tiny
	CauseUnderflow                       // the product is below the smallest number
	CauseSeed                            // the backward pass started with it
	CauseNotReached                      // the loss does not depend on it
	CauseDetached                        // an operation on the way stops gradients
	CauseFrozen                          // a frozen parameter, or a statistic
	CauseConstant                        // it depends on nothing that is learned
	CauseLogOfZero                       // log of 0
	CauseDivisionByZero                  // a division by 0
	CauseDomain                          // an operation is not defined there, such as the square root of a negative number
	CauseSlope                           // an operation has an infinite slope there, such as the square root at 0
	CauseOverflow                        // a number exceeds the largest
	CauseGiven                           // a leaf or seed that is not finite
	CauseUnknown                         // a custom operation, or the graph has no Trace
)

func (k CauseKind) String() string {
	names := [...]string{
		"none", "gate closed", "saturated", "zero input", "flat", "cancellation", "attenuation", "underflow", "seed", "not reached", "detached",
		"frozen", "constant", "log of 0", "division by 0", "outside the domain", "infinite slope", "overflow", "given", "unknown",
	}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// A Cause is why a number is what it is.
type Cause struct {
	Kind  CauseKind
	Value autograd.Value // where
	Words string
}

// What Gradient calls tiny.
const (
	tinyGradient = 1e-4 // of the norm of the root's gradient
	canceled     = 1e-3 // of the sum of the norms of the contributions
	tinyFactor   = 1e-2 // of the gradient's norm, in one step
)

// cause returns why the gradient of node i is zero, tiny, not finite or
// missing.
func (x *explainer) cause(e *Explanation, i int) Cause {
	n := &x.Nodes[i]
	switch {
	case !n.Learns:
		return constantCause(n)
	case n.State != recording.Reached:
		return whyUnreached(x.Model, i, stops(x.Model)[i])
	case math.IsNaN(e.Gradient) || math.IsInf(e.Gradient, 0):
		if from := x.spoiled.gradient[i]; from != unbroken {
			return x.originCause(&x.spoiled.origins[from])
		}
		return Cause{CauseOverflow, n.Source.Value, "the norm overflows"}
	case e.Size > 0 && e.signs[1] == e.Size:
		return largest(e.Zeros)
	}
	return x.tiny(e, i)
}

// constantCause says why nothing is learned through a node.
func constantCause(n *recording.Node) Cause {
	at := n.Source.Value
	switch {
	case n.Frozen:
		if n.Source.Param.IsStatistic() {
			return Cause{CauseFrozen, at, n.Mention() + " is a statistic"}
		}
		return Cause{CauseFrozen, at, n.Mention() + " is frozen"}
	case n.Kind == autograd.KindConstant:
		return Cause{CauseConstant, at, "a constant has no gradient"}
	case slices.ContainsFunc(n.Source.Inputs, func(id int) bool { return at.Graph().At(id).Node().NeedsGrad }):
		return Cause{CauseDetached, at, n.Called() + " stops the gradient"}
	}
	return Cause{CauseConstant, at, "it depends on nothing that is learned"}
}

func (x *explainer) originCause(o *origin) Cause {
	c := o.cause
	c.Words = x.Nodes[o.node].Mention() + ": " + c.Words
	return c
}

func largest(groups []ZeroGroup) Cause {
	most := slices.MaxFunc(groups, func(a, b ZeroGroup) int { return a.Count - b.Count })
	return most.Cause
}

// tiny returns why a gradient is much smaller than the root's, if it is.
func (x *explainer) tiny(e *Explanation, i int) Cause {
	sum := 0.0
	for _, t := range e.Terms {
		sum += math.Abs(t.Contribution)
	}
	switch size := math.Abs(e.Gradient); {
	case size < canceled*sum:
		return x.cancellation(i, size, sum)
	case size >= tinyGradient*x.Nodes[x.Root].Gradient.Norm || e.Size == 0:
		return Cause{}
	}
	w := x.weakest(i, e.Element)
	switch {
	case w.factor >= tinyFactor:
		average := math.Pow(math.Abs(e.Gradient)/x.Nodes[x.Root].Gradient.Norm, 1/float64(w.steps))
		return Cause{CauseAttenuation, x.Nodes[i].Source.Value, fmt.Sprintf("%d steps with factors of %s on average", w.steps, recording.Number(average, recording.DefaultDigits))}
	case w.edge == recording.Nowhere:
		return x.cancellation(w.node, w.factor, 1)
	}
	return x.smallFactor(&x.Edges[w.edge], w.factor)
}

func (x *explainer) cancellation(i int, size, sum float64) Cause {
	n := &x.Nodes[i]
	return Cause{CauseCancellation, n.Source.Value, fmt.Sprintf("what the uses of %s hand back cancels, to %s of the sum of its sizes", n.Mention(), recording.Number(size/sum, recording.DefaultDigits))}
}

// A weakest step is where a way loses most of the gradient: at an edge, or in
// the sum at a node.
type weakest struct {
	node, edge int
	factor     float64
	steps      int
}

// weakest follows the largest contributions from node i to the root.
func (x *explainer) weakest(i, element int) weakest {
	w := weakest{node: i, edge: recording.Nowhere, factor: math.Inf(1)}
	for i != x.Root {
		next, most, sum := recording.Nowhere, -1.0, 0.0
		for _, use := range slices.Backward(x.Nodes[i].Uses) {
			e := &x.Edges[use]
			if !e.Received {
				continue
			}
			size := math.Abs(pick(&e.Contribution, element))
			if sum += size; size > most {
				next, most = use, size
			}
		}
		if next == recording.Nowhere {
			return w
		}
		if kept := math.Abs(pick(&x.Nodes[i].Gradient, element)) / sum; kept < canceled && kept < w.factor {
			w.node, w.edge, w.factor = i, recording.Nowhere, kept
		}
		to := x.Edges[next].To
		if factor := most / x.Nodes[to].Gradient.Norm; !averages(&x.Nodes[to]) && factor < w.factor {
			w.node, w.edge, w.factor = i, next, factor
		}
		w.steps++
		i, element = to, recording.Whole
	}
	return w
}

// averages reports whether a node spreads its gradient over many elements: then
// each gets a small one, which is no fault.
func averages(n *recording.Node) bool { return n.Is(operations.Mean) }

// smallFactor names the step in which a gradient became tiny or zero.
func (x *explainer) smallFactor(e *recording.Edge, factor float64) Cause {
	to := &x.Nodes[e.To]
	at, size := to.Source.Value, recording.Number(factor, recording.DefaultDigits)
	switch kind := x.gate(to); {
	case kind == CauseGateClosed:
		return Cause{kind, at, to.Called() + " " + to.Operation().Gate + x.input(e)}
	case kind == CauseSaturated && factor != 0:
		return Cause{kind, at, fmt.Sprintf("%s is saturated: its slope is %s", to.Called(), size)}
	case kind == CauseSaturated:
		return Cause{kind, at, to.Called() + " is saturated" + x.input(e)}
	}
	if factor != 0 && x.cancelsInside(e) {
		return Cause{CauseCancellation, at, "what the elements of " + to.Called() + " hand back cancels, as it does at a minimum of the loss"}
	}
	if other := x.otherFactor(e); other != nil {
		return Cause{CauseZeroInput, at, to.Called() + " multiplies it by " + sizeOf(other, factor)}
	}
	switch {
	case to.Is(operations.MulScalar):
		return Cause{CauseZeroInput, at, fmt.Sprintf("%s multiplies it by %s", to.Called(), recording.Number(to.Constants[0], recording.DefaultDigits))}
	case e.LocalKnown && to.Value.Size == 1:
		return Cause{CauseFlat, at, fmt.Sprintf("%s has the slope %s at %s", to.Called(), recording.Number(e.Local.Few[0], recording.DefaultDigits), recording.Number(x.Nodes[e.From].Value.Few[0], recording.DefaultDigits))}
	case to.Custom:
		return Cause{CauseUnknown, at, fmt.Sprintf("the rule of %s hands back %s of the gradient", to.Called(), size)}
	}
	return Cause{CauseFlat, at, fmt.Sprintf("%s has the slope %s there", to.Called(), size)}
}

// gate returns the kind of cause when an activation or choice passes no
// gradient, CauseNone for other operations.
func (x *explainer) gate(n *recording.Node) CauseKind {
	switch o := n.Operation(); {
	case o.Saturates:
		return CauseSaturated
	case o.Gate != "":
		return CauseGateClosed
	}
	return CauseNone
}

// input says what the input of a one-element activation was.
func (x *explainer) input(e *recording.Edge) string {
	from := &x.Nodes[e.From]
	if from.Value.Size != 1 {
		return ""
	}
	return fmt.Sprintf(": its input is %s", recording.Number(from.Value.Few[0], recording.DefaultDigits))
}

// cancelsInside reports whether an edge's contribution is small because it is a
// sum over elements of the result that cancel.
func (x *explainer) cancelsInside(e *recording.Edge) bool {
	from, to := &x.Nodes[e.From], &x.Nodes[e.To]
	switch {
	case e.LocalKnown:
		all, kept := 0.0, 0.0
		for j, factor := range e.Local.Few {
			all += math.Abs(factor * to.Gradient.Few[j])
		}
		for _, v := range e.Contribution.Few {
			kept += math.Abs(v)
		}
		return from.Value.Size < to.Value.Size && kept < tinyFactor*all
	case isProduct(to):
		other := x.otherFactor(e)
		return other != nil && other.Value.Norm >= tinyFactor*math.Sqrt(float64(other.Value.Size))
	}
	return to.Is(operations.Expand)
}

// otherFactor returns the other factor of a product; nil if the operation is no
// product, or a square.
func (x *explainer) otherFactor(e *recording.Edge) *recording.Node {
	to := &x.Nodes[e.To]
	if to.Custom || to.Terms == nil && to.Op != operations.Mul && !isProduct(to) {
		return nil
	}
	terms := to.Terms
	if terms == nil {
		terms = []recording.Term{{0, 1}}
	}
	for _, t := range terms {
		if len(t) != 2 || !slices.Contains(t, e.Input) {
			continue
		}
		if other := x.Edges[to.In[t[0]+t[1]-e.Input]].From; other != e.From {
			return &x.Nodes[other]
		}
	}
	return nil
}

// sizeOf describes the factor of a product that made the gradient tiny or
// zero.
func sizeOf(n *recording.Node, factor float64) string {
	switch {
	case n.Value.Size == 1:
		return n.Mention() + ", which is " + recording.Number(n.Value.Few[0], recording.DefaultDigits)
	case factor == 0:
		return "zeros of " + n.Mention()
	}
	return n.Mention() + ", whose norm is " + recording.Number(n.Value.Norm, recording.DefaultDigits)
}
