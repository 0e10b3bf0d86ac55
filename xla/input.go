package xla

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"nabla/autograd"
)

// An Input is what a step is computed from and what changes from call to call:
// numbers, or integers that index something.
type Input struct {
	tensor autograd.Tensor
	ints   autograd.Ints
	below  int // what the integers are below; 0 for numbers
	whole  bool
}

// Numbers returns an input of numbers, which a step has as a constant Value.
func Numbers(t autograd.Tensor) Input { return Input{tensor: t} }

// Indices returns an input of integers in [0, below): labels of so many
// classes, ids of so many words. A step has them as Ints. Each call checks
// them, since a device would not complain of an index out of range.
func Indices(i autograd.Ints, below int) Input { return Input{ints: i, below: below} }

// Whole returns the input as one that every device has all of. Others are cut
// along their first axis if there are several devices.
func (in Input) Whole() Input {
	in.whole = true
	return in
}

// isInts reports whether the input is one of integers.
func (in Input) isInts() bool { return in.below > 0 }

func (in Input) shape() []int {
	if in.isInts() {
		return in.ints.Shape()
	}
	return in.tensor.Shape()
}

// check returns an error if the input cannot be used.
func (in Input) check(i int) error {
	switch {
	case in.below < 0 || in.below > math.MaxInt32:
		return fmt.Errorf("xla: input %d: indices below %d", i, in.below)
	case !in.isInts() && in.tensor.IsZero():
		return fmt.Errorf("xla: input %d is empty: make one by Numbers or Indices, which want a positive limit", i)
	case !in.isInts():
		return nil
	case in.ints.Values() == nil:
		return fmt.Errorf("xla: input %d has no integers", i)
	}
	for at, v := range in.ints.Values() {
		if v < 0 || v >= in.below {
			return fmt.Errorf("xla: input %d: index %d at place %d is not in [0, %d)", i, v, at, in.below)
		}
	}
	return nil
}

// part returns what a device has of the input.
func (in Input) part(device, devices int) Input {
	if devices == 1 || in.whole {
		return in
	}
	rows := in.shape()[0] / devices
	at := make([]int, rows)
	for i := range at {
		at[i] = device*rows + i
	}
	if in.isInts() {
		in.ints = in.ints.Take(at...)
	} else {
		in.tensor = in.tensor.Take(at...)
	}
	return in
}

// checkParts returns an error unless the inputs can be cut for all devices.
func checkParts(inputs []Input, devices int) error {
	for i, in := range inputs {
		if devices == 1 || in.whole {
			continue
		}
		if shape := in.shape(); len(shape) == 0 || shape[0]%devices != 0 {
			return fmt.Errorf("xla: input %d of shape %v cannot be cut for %d devices: see Input.Whole", i, shape, devices)
		}
	}
	return nil
}

// key tells programs apart: each is for inputs of some shapes.
func key(inputs []Input) string {
	var text strings.Builder
	for _, in := range inputs {
		fmt.Fprintf(&text, "%v %d %t;", in.shape(), in.below, in.whole)
	}
	return text.String()
}

// Inputs are a step's inputs while it is recorded.
type Inputs struct {
	values []autograd.Value
	ints   []autograd.Ints
}

// Len returns the number of inputs.
func (in Inputs) Len() int { return len(in.values) }

// Value returns input i, which must be one of numbers. It panics with an
// *[autograd.ArgumentError] if it is not.
func (in Inputs) Value(i int) autograd.Value {
	if i < 0 || i >= len(in.values) || in.values[i].IsZero() {
		panic(autograd.NewArgumentError("xla: Inputs.Value", "input %d of %d is not one of numbers", i, len(in.values)))
	}
	return in.values[i]
}

// Ints returns input i, which must be one of integers. It panics with an
// *[autograd.ArgumentError] if it is not.
func (in Inputs) Ints(i int) autograd.Ints {
	if i < 0 || i >= len(in.ints) || in.ints[i].Values() == nil {
		panic(autograd.NewArgumentError("xla: Inputs.Ints", "input %d of %d is not one of integers", i, len(in.ints)))
	}
	return in.ints[i]
}

// inputsOf records the inputs of numbers as the first constants of a graph.
func inputsOf(g *autograd.Graph, inputs []Input) Inputs {
	made := Inputs{make([]autograd.Value, len(inputs)), make([]autograd.Ints, len(inputs))}
	for i, in := range inputs {
		if in.isInts() {
			made.ints[i] = autograd.NewInts(in.ints.Values(), in.ints.Shape()...)
		} else {
			made.values[i] = g.Constant(in.tensor).As(autograd.RoleInput)
		}
	}
	return made
}

// sameFloats compares bits.
func sameFloats(x, y []float64) bool {
	return slices.EqualFunc(x, y, func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) })
}
