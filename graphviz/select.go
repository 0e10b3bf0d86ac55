package graphviz

import (
	"nabla/autograd"
	"nabla/internal/recording"
)

// A Selection chooses what is drawn of a recording, or takes it apart or
// together. Options.Select has those of a drawing, and page.Options.Select
// those of a page, which are applied in order.
// The zero Selection changes nothing.
type Selection = recording.Selection

// Sample takes the tensors of a recording apart and draws one data point of
// its batch, row i from 0, in single numbers: each neuron's weighted sum, its
// activation, the loss. It stands first in Options.Select.
//
// Rows are told by what the recording marks as inputs and targets, whose first
// axis is the batch; the layers and losses do that in a graph with Trace, else
// Value.As does. Where nothing is marked, constants with two axes or more are
// taken for inputs. A recording without a batch has one data point.
//
// Where the rows are added up, or their mean is taken, stands a node Σ/n: of
// this row and of one node for all other rows. The parameters lead to both, so
// that each one's gradient is the sum of what this row and the others add to
// it. Values, gradients and contributions are those of the recording. Numbers
// that only other rows use are left out, and so are operations that only move
// numbers.
//
// Writing fails with a *SampleError where there is no such row or an operation
// cannot be taken apart.
func Sample(i int) Selection { return recording.Sample(i) }

// WeightedSums draws the products and sums of single numbers that make up a
// neuron's weighted sum as one node: z = w1·x1 + w2·x2 + b, with an arrow from
// each input. The factor on it is what the input is multiplied with: x for the
// weight, w for the input, 1 for the bias.
//
// Products and sums without a name that are used once go into the sum that
// uses them, in the same scope. What has a name stays, and so does a value that
// is used twice. A lone product of a parameter or variable is a weighted sum of
// one term. The contributions are those of the recording.
func WeightedSums() Selection { return recording.WeightedSums() }

// Depth draws each scope at that depth as one box: 1 for the outermost scopes,
// 2 for those in them. What lies above is drawn as before. The box says how
// many values it holds; what it receives and hands on in the backward pass
// stays what it was.
//
// It panics with an *autograd.ArgumentError when depth is not positive.
func Depth(depth int) Selection { return recording.Depth(depth) }

// Collapse draws all values for which the function returns the same name as
// one box of that name, and those for which it returns "" as before. It leaves
// boxes of several values as they are.
//
//	graphviz.Collapse(func(n autograd.Node) string { return n.Scope })
//
// It panics with an *autograd.ArgumentError when the function is nil.
func Collapse(name func(autograd.Node) string) Selection { return recording.Collapse(name) }

// Fold draws repeated blocks once. Scopes side by side that compute the same,
// whatever their names, are blocks, and so are several scopes that repeat
// together, such as a dense layer and its activation. The first stays; the
// others become one box that says how many they are: "+11 more" where each has
// parameters of its own, and where all share theirs "×12" at the frame of the
// first. So does the scope of a layer that is applied many times over.
func Fold() Selection { return recording.Fold() }

// Focus draws a value with what it was computed from, that many steps up, and
// what was computed from it, that many steps down. What is left out is a small
// box that says how much it was, so that what a value receives in the backward
// pass still adds up.
//
// It panics with an *autograd.ArgumentError when a number of steps is negative;
// Write does when the value is not in the drawing.
func Focus(value autograd.Value, up, down int) Selection { return recording.Focus(value, up, down) }

// Path draws what lies between two values: all that was computed from one and
// led to the other, and both. What is left out is a small box that says how
// much it was.
//
// Write panics with an *autograd.ArgumentError when a value is not in the
// drawing, or to was not computed from from.
func Path(from, to autograd.Value) Selection { return recording.Path(from, to) }

// The errors of a recording that cannot be drawn as it was asked for.
type (
	// A SampleError says why a recording cannot be drawn as one data point.
	SampleError = recording.SampleError

	// A ViewError says why a recording does not fit a view, and what to do.
	ViewError = recording.ViewError

	// A TooManyNodesError says that a drawing would have more boxes than
	// Options.MaxNodes allows.
	TooManyNodesError = recording.TooManyNodesError
)
