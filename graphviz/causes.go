package graphviz

import (
	"fmt"
	"math"
	"slices"

	"nabla/autograd"
)

// A CauseKind says why a gradient is zero, tiny, not finite or missing.
type CauseKind uint8

const (
	CauseNone           CauseKind = iota // nothing is special
	CauseGateClosed                      // a relu, clamp, maximum or where lets nothing pass
	CauseSaturated                       // a sigmoid or tanh is where it is all but flat
	CauseZeroInput                       // it is multiplied by an input that is zero or tiny
	CauseFlat                            // an operation's slope is zero or tiny there, as that of a square at 0
	CauseCancellation                    // what is handed back cancels
	CauseAttenuation                     // many factors, none of them tiny
	CauseUnderflow                       // the product is below the smallest number
	CauseSeed                            // the backward pass started with it
	CauseNotReached                      // the loss does not depend on it
	CauseDetached                        // an operation that stops gradients is in the way
	CauseFrozen                          // a frozen parameter
	CauseConstant                        // it depends on nothing that is learned
	CauseLogOfZero                       // log of 0
	CauseDivisionByZero                  // a division by 0
	CauseDomain                          // an operation is not defined there, as the square root of a negative number
	CauseSlope                           // an operation has an infinite slope there, as the square root at 0
	CauseOverflow                        // a number is beyond the largest
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

// What Explain calls tiny.
const (
	tinyGradient = 1e-4 // of the norm of the root's gradient
	cancelled    = 1e-3 // of the sum of the norms of what was handed back
	tinyFactor   = 1e-2 // of the gradient's norm, in one step
)

// cause returns what makes the gradient of node i zero, tiny, not finite or
// missing.
func (x *explainer) cause(e *Explanation, i int) Cause {
	n := &x.nodes[i]
	switch {
	case !n.learns:
		return constantCause(n)
	case n.state != reached:
		return x.whyUnreached(i, x.stops()[i])
	case math.IsNaN(e.Gradient) || math.IsInf(e.Gradient, 0):
		if from := x.spoiled.gradient[i]; from != unbroken {
			return x.originCause(&x.spoiled.origins[from])
		}
		return Cause{CauseOverflow, n.source.Value, "the norm overflows"}
	case e.Size > 0 && e.signs[1] == e.Size:
		return largest(e.Zeros)
	}
	return x.tiny(e, i)
}

// constantCause says why a node is not learned through.
func constantCause(n *node) Cause {
	at := n.source.Value
	switch {
	case n.frozen:
		return Cause{CauseFrozen, at, n.mention() + " is frozen"}
	case n.kind == autograd.KindConstant:
		return Cause{CauseConstant, at, "a constant has no gradient"}
	case slices.ContainsFunc(n.source.Inputs, func(id int) bool { return at.Graph().At(id).Node().NeedsGrad }):
		return Cause{CauseDetached, at, n.called() + " stops the gradient"}
	}
	return Cause{CauseConstant, at, "it depends on nothing that is learned"}
}

func (x *explainer) originCause(o *origin) Cause {
	c := o.cause
	c.Words = x.nodes[o.node].mention() + ": " + c.Words
	return c
}

func largest(groups []ZeroGroup) Cause {
	most := slices.MaxFunc(groups, func(a, b ZeroGroup) int { return a.Count - b.Count })
	return most.Cause
}

// tiny returns what makes a gradient much smaller than the root's, if it is.
func (x *explainer) tiny(e *Explanation, i int) Cause {
	sum := 0.0
	for _, t := range e.Terms {
		sum += math.Abs(t.Contribution)
	}
	switch size := math.Abs(e.Gradient); {
	case size < cancelled*sum:
		return x.cancellation(i, size, sum)
	case size >= tinyGradient*x.nodes[x.root].gradient.norm || e.Size == 0:
		return Cause{}
	}
	w := x.weakest(i, e.Element)
	switch {
	case w.factor >= tinyFactor:
		average := math.Pow(math.Abs(e.Gradient)/x.nodes[x.root].gradient.norm, 1/float64(w.steps))
		return Cause{CauseAttenuation, x.nodes[i].source.Value, fmt.Sprintf("%d steps with factors of %s on average", w.steps, number(average, defaultDigits))}
	case w.edge == nowhere:
		return x.cancellation(w.node, w.factor, 1)
	}
	return x.smallFactor(&x.edges[w.edge], w.factor)
}

func (x *explainer) cancellation(i int, size, sum float64) Cause {
	n := &x.nodes[i]
	return Cause{CauseCancellation, n.source.Value, fmt.Sprintf("what the uses of %s hand back cancels, to %s of the sum of its sizes", n.mention(), number(size/sum, defaultDigits))}
}

// A weakest step is where a way loses most of the gradient: in an edge, or in
// the sum at a node.
type weakest struct {
	node, edge int
	factor     float64
	steps      int
}

// weakest follows the largest contributions from node i to the root.
func (x *explainer) weakest(i, element int) weakest {
	w := weakest{node: i, edge: nowhere, factor: math.Inf(1)}
	for i != x.root {
		next, most, sum := nowhere, -1.0, 0.0
		for _, use := range slices.Backward(x.nodes[i].uses) {
			e := &x.edges[use]
			if !e.received {
				continue
			}
			size := math.Abs(pick(&e.contribution, element))
			if sum += size; size > most {
				next, most = use, size
			}
		}
		if next == nowhere {
			return w
		}
		if kept := math.Abs(pick(&x.nodes[i].gradient, element)) / sum; kept < cancelled && kept < w.factor {
			w.node, w.edge, w.factor = i, nowhere, kept
		}
		to := x.edges[next].to
		if factor := most / x.nodes[to].gradient.norm; !averages(&x.nodes[to]) && factor < w.factor {
			w.node, w.edge, w.factor = i, next, factor
		}
		w.steps++
		i, element = to, whole
	}
	return w
}

// averages reports whether a node spreads its gradient over many elements,
// which makes the gradient of each small without being a fault.
func averages(n *node) bool { return !n.custom && n.op == "mean" }

// smallFactor names the step in which a gradient became tiny or zero.
func (x *explainer) smallFactor(e *edge, factor float64) Cause {
	to := &x.nodes[e.to]
	at, size := to.source.Value, number(factor, defaultDigits)
	switch kind := x.gate(to); {
	case kind == CauseGateClosed:
		return Cause{kind, at, to.called() + " " + gates[to.op] + x.input(e)}
	case kind == CauseSaturated && factor != 0:
		return Cause{kind, at, fmt.Sprintf("%s is saturated: its slope is %s", to.called(), size)}
	case kind == CauseSaturated:
		return Cause{kind, at, to.called() + " is saturated" + x.input(e)}
	}
	if factor != 0 && x.cancelsInside(e) {
		return Cause{CauseCancellation, at, "what the elements of " + to.called() + " hand back cancels, as it does at a minimum of the loss"}
	}
	if other := x.otherFactor(e); other != nil {
		return Cause{CauseZeroInput, at, to.called() + " multiplies it by " + sizeOf(other, factor)}
	}
	switch {
	case !to.custom && to.op == "scale":
		return Cause{CauseZeroInput, at, fmt.Sprintf("%s multiplies it by %s", to.called(), number(to.constants[0], defaultDigits))}
	case e.localKnown && to.value.size == 1:
		return Cause{CauseFlat, at, fmt.Sprintf("%s has the slope %s at %s", to.called(), number(e.local.few[0], defaultDigits), number(x.nodes[e.from].value.few[0], defaultDigits))}
	case to.custom:
		return Cause{CauseUnknown, at, fmt.Sprintf("the rule of %s hands back %s of the gradient", to.called(), size)}
	}
	return Cause{CauseFlat, at, fmt.Sprintf("%s has the slope %s there", to.called(), size)}
}

// gates are the operations that let the gradient of some elements not pass, and
// how one says so.
var gates = map[string]string{
	"relu": "is closed", "relu6": "is closed", "clamp": "is beyond its bounds", "maximum": "takes its other input", "minimum": "takes its other input",
	"where": "takes its other branch", "max": "takes other elements", "min": "takes other elements",
	"slice": "leaves it out", "gather": "leaves it out", "index select": "leaves it out",
}

// gate returns what it is called when an activation or choice lets nothing
// pass, CauseNone for other operations.
func (x *explainer) gate(n *node) CauseKind {
	if n.custom {
		return CauseNone
	}
	switch n.op {
	case "sigmoid", "tanh", "hard sigmoid", "hard tanh", "softsign", "erf", "softmax", "log sigmoid":
		return CauseSaturated
	}
	if gates[n.op] != "" {
		return CauseGateClosed
	}
	return CauseNone
}

// input says which number a one-element activation had.
func (x *explainer) input(e *edge) string {
	from := &x.nodes[e.from]
	if from.value.size != 1 {
		return ""
	}
	return fmt.Sprintf(": its input is %s", number(from.value.few[0], defaultDigits))
}

// cancelsInside reports whether what an edge hands back is so small because
// the elements of the result, of which it is a sum, cancel.
func (x *explainer) cancelsInside(e *edge) bool {
	from, to := &x.nodes[e.from], &x.nodes[e.to]
	switch {
	case e.localKnown:
		all, kept := 0.0, 0.0
		for j, factor := range e.local.few {
			all += math.Abs(factor * to.gradient.few[j])
		}
		for _, v := range e.contribution.few {
			kept += math.Abs(v)
		}
		return from.value.size < to.value.size && kept < tinyFactor*all
	case !to.custom && to.op == "matmul":
		other := x.otherFactor(e)
		return other != nil && other.value.norm >= tinyFactor*math.Sqrt(float64(other.value.size))
	}
	return !to.custom && to.op == "expand"
}

// otherFactor returns what a product multiplies an input by; nil where there is
// no product or it is a square.
func (x *explainer) otherFactor(e *edge) *node {
	to := &x.nodes[e.to]
	if to.custom || to.terms == nil && to.op != "mul" && to.op != "matmul" {
		return nil
	}
	terms := to.terms
	if terms == nil {
		terms = []term{{0, 1}}
	}
	for _, t := range terms {
		if len(t) != 2 || !slices.Contains(t, e.input) {
			continue
		}
		if other := x.edges[to.in[t[0]+t[1]-e.input]].from; other != e.from {
			return &x.nodes[other]
		}
	}
	return nil
}

// sizeOf says what a product multiplies by that made the gradient tiny or zero.
func sizeOf(n *node, factor float64) string {
	switch {
	case n.value.size == 1:
		return n.mention() + ", which is " + number(n.value.few[0], defaultDigits)
	case factor == 0:
		return "zeros of " + n.mention()
	}
	return n.mention() + ", whose norm is " + number(n.value.norm, defaultDigits)
}
