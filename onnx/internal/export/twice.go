package export

import (
	"fmt"
	"hash/maphash"
	"math"
	"slices"
	"strings"

	"nabla/autograd"
	"nabla/onnx/internal/message"
)

// Differs returns how the model of a network differs from that of the same with
// a longer batch, "" if it does not. Then it is one of all batches.
func (w Network) Differs(longer Network) (how string, err error) {
	p, err := w.written(true)
	if err != nil {
		return "", err
	}
	q, err := longer.written(true)
	if err != nil {
		return "", err
	}
	seed := maphash.MakeSeed()
	a, b := p.described(seed), q.described(seed)
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("a constant or setting is another in %q", p.graph.Nodes[a[i].at].Name), nil
		}
	}
	if len(a) != len(b) {
		return fmt.Sprintf("there are %d and %d operators", len(a), len(b)), nil
	}
	return "", nil
}

// A description is all about an operator.
type description struct {
	at   int
	text string
}

// described describes the operators that the outputs need, but for those whose
// results are known: of these, the numbers count.
func (e *exporter) described(seed maphash.Seed) []description {
	constants := map[string]*message.Tensor{}
	for _, t := range e.graph.Initializers {
		constants[t.Name] = t
	}
	needed := map[string]bool{}
	for _, o := range e.graph.Outputs {
		needed[o.Name] = true
	}
	var all []description
	for at := len(e.graph.Nodes) - 1; at >= 0; at-- {
		n := e.graph.Nodes[at]
		if !slices.ContainsFunc(n.Outputs, func(out string) bool { return needed[out] }) {
			continue
		}
		var inputs []string
		for _, in := range n.Inputs {
			switch known := e.settled[in]; {
			case known != nil:
				in = known(seed)
			case constants[in] != nil:
				t := constants[in]
				in = fmt.Sprint(t.Elem, t.Dims, maphash.Bytes(seed, t.Raw))
			default:
				needed[in] = true
			}
			inputs = append(inputs, in)
		}
		all = append(all, description{at, fmt.Sprintln(n.Op, n.Name, inputs, attributesOf(n))})
	}
	return all
}

func attributesOf(n *message.Node) string {
	var b strings.Builder
	for _, a := range n.Attributes {
		fmt.Fprint(&b, a.Name, a.Int, a.Ints, a.Float, a.Floats, a.String, a.Strings)
		if a.Tensor != nil {
			fmt.Fprint(&b, a.Tensor.Raw)
		}
	}
	return b.String()
}

// settle notes the numbers of a tensor that does not depend on inputs, or those
// of one of its equal parts along an axis.
func (e *exporter) settle(name string, t autograd.Tensor, axis int) {
	e.settled[name] = func(seed maphash.Seed) string {
		dims, numbers := t.Shape(), t.Float64s()
		inner, n := 1, 1
		if axis >= 0 {
			inner, n = product(dims[axis+1:]), dims[axis]
			dims[axis] = 1
		}
		var h maphash.Hash
		h.SetSeed(seed)
		for i, x := range numbers {
			if i/inner%n == 0 {
				maphash.WriteComparable(&h, math.Float64bits(x))
			}
		}
		return fmt.Sprint(dims, h.Sum64())
	}
}
