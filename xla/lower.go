package xla

import (
	"fmt"
	"slices"

	"nabla/autograd"
)

// A call is an operation of a recording, to be written as a part of a program.
type call struct {
	p     *program
	op    string
	in    []value
	shape []int     // of the result
	k     []float64 // the constants
	ints  []int     // the integers, if they do not depend on inputs
	index *index    // the integers, if they do
	told  told      // of an operation that chooses elements
	draw  value     // the key of random numbers, and the place of the first, if it draws some
	by    *call     // the operation that has chosen what this one moves, nil if there is none

}

// An index is integers that depend on an input of the program: each is a + b
// times one of them.
type index struct {
	input value // the integers of the input
	of    []int // which of them each depends on
	a, b  []int
}

// constant returns constant i, 0 if there are fewer.
func (c *call) constant(i int) float64 {
	if i < len(c.k) {
		return c.k[i]
	}
	return 0
}

func (c *call) a() float64 { return c.constant(0) }
func (c *call) b() float64 { return c.constant(1) }

// places returns the operation's integers as a part of the program.
func (c *call) places() value {
	if c.index != nil {
		return c.index.value(c.p)
	}
	return c.p.ints(c.ints, []int{len(c.ints)})
}

// value computes the integers from those of the input.
func (x *index) value(p *program) value {
	n := []int{len(x.of)}
	v := x.input.reshape(x.input.size()).convert("i64")
	straight := len(x.of) == v.size()
	for i, of := range x.of {
		straight = straight && of == i
	}
	if !straight {
		v = v.take(p.ints(x.of, n))
	}
	return v.mul(p.ints(x.b, n)).add(p.ints(x.a, n))
}

// A lowering writes an operation as a part of a program.
type lowering func(c *call) value

// lowerings are all operations that have one, by their names.
var lowerings = map[string]lowering{}

// readsIndex are the operations whose integers may depend on an input.
var readsIndex = []string{"index select", "index add", "embedding", "gather", "scatter add", "segment sum", "segment softmax"}

func register(all map[string]lowering) {
	for name, f := range all {
		if lowerings[name] != nil {
			panic("xla: two lowerings of " + name)
		}
		lowerings[name] = f
	}
}

func init() {
	for _, family := range []map[string]lowering{
		arithmetic, transcendental, activations, comparisons, crossEntropies, slopes, moving, indexing, reductions, matrices, images, norms, sequences,
	} {
		register(family)
	}
}

// An UnsupportedError says that an operation of a step cannot be compiled.
type UnsupportedError struct {
	Op       string            // the operation
	Reason   string            // why
	Location autograd.Location // where the user called it, if that is known
}

func (e *UnsupportedError) Error() string {
	text := fmt.Sprintf("xla: %s: %s", e.Op, e.Reason)
	if e.Location.Line > 0 {
		text += fmt.Sprintf(", at %s", e.Location)
	}
	return text
}

// lower writes an operation. It returns an *UnsupportedError if there is no
// lowering of it, or none with its settings.
func (c *call) lower() (v value, err error) {
	f := lowerings[c.op]
	switch {
	case f == nil && refused[c.op] != "":
		return v, &UnsupportedError{Op: c.op, Reason: refused[c.op]}
	case f == nil:
		return v, &UnsupportedError{Op: c.op, Reason: "it has no lowering"}
	case c.index != nil && !slices.Contains(readsIndex, c.op):
		return v, &UnsupportedError{Op: c.op, Reason: "its integers depend on an input, and become a part of the program"}
	}
	defer func() {
		switch e := recover().(type) {
		case nil:
		case *UnsupportedError:
			err = e
		default:
			panic(e)
		}
	}()
	v = f(c)
	if !slices.Equal(v.shape, c.shape) || v.kind != c.p.float {
		panic(fmt.Sprintf("xla: internal error: %s gives %s for shape %v", c.op, v.typ(), c.shape))
	}
	return v, nil
}

// refuse ends the lowering of an operation with settings that have none.
func (c *call) refuse(reason string, args ...any) {
	panic(&UnsupportedError{Op: c.op, Reason: fmt.Sprintf(reason, args...)})
}

// ownOperation is what a node of a user's own operation is called here.
const ownOperation = "custom operation"

// refused are the operations without a lowering, and why.
var refused = map[string]string{
	"ctc": "its sums over paths run over data of the labels, step by step, and have no short form in StableHLO: compute it outside",
}

// chosenPlaces returns the places of elements: those that another operation has
// chosen, or the operation's own integers.
func (c *call) chosenPlaces() value {
	if c.by != nil {
		return choices[c.by.op](c.by)
	}
	return c.places()
}
