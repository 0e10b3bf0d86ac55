package graphviz

import (
	"nabla/autograd"
	"nabla/internal/recording"
)

// A Selection chooses what is drawn of a recording, takes tensors apart, or
// joins values. Options.Select of this package and of package page list the
// Selections to apply, in order. The zero Selection changes nothing.
type Selection = recording.Selection

// Sample takes the tensors of a recording apart and draws one data point of its
// batch, row i from 0, in single numbers: each neuron's weighted sum, its
// activation, the loss. It must be the first in Options.Select.
//
// The rows are those along the first axis of the values marked as inputs and
// targets. Layers and losses mark them in a graph with Trace; otherwise use
// [autograd.Value.As]. If nothing is marked, constants with two or more axes
// are taken to be inputs. A recording without a batch has one data point.
//
// Where the rows are added up or averaged, a node Σ/n adds this row and one
// node for all other rows. The parameters lead to both, so that a parameter's
// gradient is the sum of what this row and the others contribute. Values,
// gradients and contributions are those of the recording. Numbers that only
// other rows use are left out, and so are operations that only move numbers.
//
// Writing returns a *[SampleError] if there is no such row or an operation
// cannot be taken apart.
func Sample(i int) Selection { return recording.Sample(i) }

// WeightedSums draws the products and sums of single numbers that make up a
// neuron's weighted sum as one node: z = w1·x1 + w2·x2 + b, with an arrow from
// each input. The factor on the arrow is what the input is multiplied by: x for
// the weight, w for the input, 1 for the bias.
//
// Products and sums without a name that are used once are merged into the sum
// that uses them, if it is in the same scope. Values with a name or with two
// uses stay. A single product of a parameter or variable is a weighted sum of
// one term. The contributions are those of the recording.
func WeightedSums() Selection { return recording.WeightedSums() }

// Depth draws each scope at that depth as one box: 1 for the outermost scopes,
// 2 for those in them. Values outside these scopes are drawn as before. The box
// says how many values it holds; what it receives and passes on in the backward
// pass does not change.
//
// It panics with an *[autograd.ArgumentError] if depth is not positive.
func Depth(depth int) Selection { return recording.Depth(depth) }

// Collapse draws all values for which name returns the same text as one box
// with that name, and values for which it returns "" as before. It leaves boxes
// of several values as they are.
//
//	graphviz.Collapse(func(n autograd.Node) string { return n.Scope })
//
// It panics with an *[autograd.ArgumentError] if name is nil.
func Collapse(name func(autograd.Node) string) Selection { return recording.Collapse(name) }

// Fold draws repeated blocks once. Consecutive scopes that compute the same,
// whatever their names, are repeated blocks, and so are groups of scopes that
// repeat together, such as a dense layer and its activation. The first block
// stays. The others become one box that says how many there are, "+11 more", if
// each has its own parameters; if all share them, the frame of the first says
// "×12". The scope of a layer that is applied several times is treated in the
// same way.
func Fold() Selection { return recording.Fold() }

// Focus draws a value with what it was computed from, up steps back, and what
// was computed from it, down steps forward. Small boxes say how much was left
// out, so that contributions in the backward pass still add up.
//
// It panics with an *[autograd.ArgumentError] if a number of steps is negative;
// Write does if the value is not in the drawing.
func Focus(value autograd.Value, up, down int) Selection { return recording.Focus(value, up, down) }

// Path draws two values and everything between them: what was computed from one
// and led to the other. Small boxes say how much was left out.
//
// Write panics with an *[autograd.ArgumentError] if a value is not in the
// drawing, or if to was not computed from from.
func Path(from, to autograd.Value) Selection { return recording.Path(from, to) }

// The errors of a recording that cannot be drawn as requested.
type (
	// A SampleError says why a recording cannot be drawn as one data point.
	SampleError = recording.SampleError

	// A ViewError says why a recording does not fit a view, and what to do.
	ViewError = recording.ViewError

	// A TooManyNodesError says that a drawing would have more boxes than
	// Options.MaxNodes allows.
	TooManyNodesError = recording.TooManyNodesError
)
