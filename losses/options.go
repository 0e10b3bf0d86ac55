package losses

import (
	"math"
	"slices"

	"nabla/autograd"
)

// A Reduction says what becomes of the single losses.
type Reduction uint8

const (
	// Mean is Σ w·l / n, with n the number of losses: weights of 2 count
	// twice, but do not change what the sum is divided by. Losses of ignored
	// labels are not among the n.
	Mean Reduction = iota
	// WeightedMean is Σ w·l / Σ w: all weights equal gives the plain mean.
	// Without weights it is Mean.
	WeightedMean
	// Sum is Σ w·l.
	Sum
	// None is w·l, one number for each loss: Backward of it needs a seed.
	None
)

func (r Reduction) String() string {
	names := [...]string{"mean", "weighted mean", "sum", "none"}
	if int(r) < len(names) {
		return names[r]
	}
	return "unknown"
}

// Options are what a loss leaves open. The zero Options are the plain mean,
// from probabilities. An option that a loss does not know panics with an
// *[autograd.ArgumentError].
type Options struct {
	Reduction Reduction

	// Weights has one number for each loss, in exactly the losses' shape: the
	// prediction's, for losses of several classes without the axis of the
	// classes. The zero Value means no weights.
	Weights autograd.Value

	// ClassWeights, for losses of several classes, is a vector v with one
	// number for each class. In a cross entropy the loss of a row becomes
	// −Σ v·t·log p, and its weight in WeightedMean Σ v·t: for a label, the
	// weight of its class, as PyTorch's mean over labels has it. The zero Value
	// means no class weights.
	ClassWeights autograd.Value

	// ClassAxis, for losses of several classes, is the axis of the prediction
	// along which they lie, counted from the end when negative: 1 for the
	// scores [batch, classes, height, width] of an image's pixels, whose labels
	// are [batch, height, width]. 0 means the last axis; if it is really the
	// first, say so by −rank.
	ClassAxis int

	// IgnoreIndex, for losses against labels, lists labels that do not count,
	// in or out of the range of the classes: 255 for the border of an object.
	// Their losses are 0 and not among the n of the mean. If all are ignored,
	// the mean is NaN, as that of nothing, and its gradient 0.
	IgnoreIndex []int

	// LabelSmoothing, for the categorical cross entropies, is the part ε in
	// [0, 1] of each target that is spread evenly over the classes: t becomes
	// (1−ε)·t + ε/classes. Class weights multiply both parts.
	LabelSmoothing float64

	// PosWeight, for the binary cross entropy, multiplies −t·ln p: above 1 it
	// raises recall, below 1 precision. It is a scalar, or a vector with one
	// number for each element of the class axis. The zero Value means 1.
	PosWeight autograd.Value

	// Logits says that the prediction is what the network computes before the
	// sigmoid or softmax, or for PoissonNLL before the exponential. Without it
	// a graph with CheckFinite panics for a prediction that is no probability;
	// for probabilities given as logits see [explain.Diagnose].
	Logits bool

	// LogTarget, for the KL divergence, says that the targets are logarithms of
	// probabilities.
	LogTarget bool

	// Swap, for the triplet loss, takes the negative's nearer distance.
	Swap bool

	// Full, for the negative log likelihoods, adds the terms that do not depend
	// on the prediction.
	Full bool
}

// An option is a field of Options that not every loss knows.
type option uint16

const (
	classWeights option = 1 << iota
	classAxis
	ignoreIndex
	labelSmoothing
	posWeight
	logits
	logTarget
	swap
	full
)

// check panics for an option that the loss does not know, or whose value makes
// no sense.
func (o *Options) check(op string, knows option) {
	for _, field := range [...]struct {
		option
		name  string
		given bool
	}{
		{classWeights, "ClassWeights", given(o.ClassWeights)},
		{classAxis, "ClassAxis", o.ClassAxis != 0},
		{ignoreIndex, "IgnoreIndex", o.IgnoreIndex != nil},
		{labelSmoothing, "LabelSmoothing", o.LabelSmoothing != 0},
		{posWeight, "PosWeight", given(o.PosWeight)},
		{logits, "Logits", o.Logits},
		{logTarget, "LogTarget", o.LogTarget},
		{swap, "Swap", o.Swap},
		{full, "Full", o.Full},
	} {
		if field.given && knows&field.option == 0 {
			panic(autograd.NewArgumentError("losses: "+op, "%s is no option of this loss", field.name))
		}
	}
	if !(o.LabelSmoothing >= 0 && o.LabelSmoothing <= 1) {
		panic(autograd.NewArgumentError("losses: "+op, "LabelSmoothing is %v, want a number from 0 to 1", o.LabelSmoothing))
	}
	if o.Reduction > None {
		panic(autograd.NewArgumentError("losses: "+op, "there is no reduction %d", o.Reduction))
	}
}

// none is no weights.
var none autograd.Value

func given(v autograd.Value) bool { return v.Graph() != nil }

// begin checks the options, of which the loss knows some, and opens the scope
// of a loss, which the caller leaves. The target may be none.
func (o *Options) begin(op string, knows option, prediction, target autograd.Value) *autograd.Graph {
	o.check(op, knows)
	g := prediction.Graph()
	g.Enter("loss")
	if g.Options().Trace && given(target) {
		asTarget(target)
	}
	return g
}

// asTarget marks a constant that predictions are compared with, for drawings.
func asTarget(x autograd.Value) {
	if n := x.Node(); n.Kind == autograd.KindConstant && n.Role == autograd.RoleNone {
		x.As(autograd.RoleTarget)
	}
}

// axis returns the axis of the classes, counted from the front. It panics if
// there is none, or the class weights are not one for each class.
func (o *Options) axis(op string, prediction autograd.Value) int {
	rank := prediction.Rank()
	if rank == 0 {
		panic(autograd.NewShapeError("losses: "+op, "a scalar has no axis of classes", prediction.Shape()))
	}
	axis := o.ClassAxis
	switch {
	case axis == 0:
		axis = rank - 1
	case axis < -rank || axis >= rank:
		panic(autograd.NewIndexError("losses: "+op, "ClassAxis", axis, rank))
	case axis < 0:
		axis += rank
	}
	if v := o.ClassWeights; given(v) && (v.Rank() != 1 || v.Dim(0) != prediction.Dim(axis)) {
		panic(autograd.NewShapeError("losses: "+op, "prediction and class weights differ in classes", prediction.Shape(), v.Shape()))
	}
	return axis
}

// along returns a vector with one number for each class in a shape that
// broadcasts along the axis of the classes.
func along(v autograd.Value, axis, rank int) autograd.Value {
	for range rank - 1 - axis {
		v = v.Unsqueeze(-1)
	}
	return v
}

// ignores reports whether a label does not count.
func (o *Options) ignores(label int) bool { return slices.Contains(o.IgnoreIndex, label) }

// checkProbabilities panics, in a graph with CheckFinite, for what is no
// probability: else all that is said of it is that the loss is NaN. What
// rounding may add to 1 passes.
func (o *Options) checkProbabilities(op string, prediction autograd.Value) {
	if o.Logits || !prediction.Graph().Options().CheckFinite {
		return
	}
	for i, p := range prediction.Tensor().Float64s() {
		if p < 0 || p > 1.001 {
			panic(autograd.NewArgumentError("losses: "+op, "element %d of the prediction is %.4g, which is no probability: with Options{Logits: true} the loss takes what stands before a sigmoid or softmax", i, p))
		}
	}
}

// reduce returns what becomes of the single losses. The class weights, if any,
// are already in them; rows are then the weights that they gave each.
func (o *Options) reduce(op string, losses, rows autograd.Value) autograd.Value {
	return o.reduceCounted(op, losses, rows, none)
}

// reduceCounted is reduce of losses some of which do not count: counts, if
// given, are 1 for those that do and 0 for the others, which are 0 themselves.
func (o *Options) reduceCounted(op string, losses, rows, counts autograd.Value) autograd.Value {
	weights := rows
	if !given(rows) {
		weights = counts
	}
	if given(o.Weights) {
		mustMatch(op, "losses and weights differ in shape", losses, o.Weights)
		losses = losses.Mul(o.Weights)
		if given(weights) {
			weights = weights.Mul(o.Weights)
		} else {
			weights = o.Weights
		}
	}
	switch {
	case o.Reduction == WeightedMean && given(weights):
		losses = losses.Sum().Div(weights.Sum())
	case o.Reduction == Sum:
		losses = losses.Sum()
	case o.Reduction != None && given(counts):
		losses = losses.Sum().Div(counts.Sum())
	case o.Reduction != None:
		losses = losses.Mean()
	}
	return losses.Named("loss")
}

// mustBeGiven panics for the zero Value.
func mustBeGiven(op, what string, v autograd.Value) {
	if !given(v) {
		panic(autograd.NewArgumentError("losses: "+op, "the %s is the zero Value, of no graph", what))
	}
}

// mustFit panics unless there are a prediction and a target of one shape.
func mustFit(op string, prediction, target autograd.Value) {
	mustBeGiven(op, "prediction", prediction)
	mustBeGiven(op, "target", target)
	mustMatch(op, "prediction and target differ in shape", prediction, target)
}

// mustMatch panics when two Values differ in shape: broadcasting [24] against
// [24, 1] would compare each row with each other one.
func mustMatch(op, reason string, x, y autograd.Value) {
	same := x.Rank() == y.Rank()
	for axis := 0; same && axis < x.Rank(); axis++ {
		same = x.Dim(axis) == y.Dim(axis)
	}
	if !same {
		panic(autograd.NewShapeError("losses: "+op, reason, x.Shape(), y.Shape()))
	}
}

// mustBeFrom0 panics unless a number that the loss takes is finite and not
// negative.
func mustBeFrom0(op, what string, v float64) {
	if !(v >= 0) || math.IsInf(v, 1) {
		panic(autograd.NewArgumentError("losses: "+op, "a %s of %v, want a finite number from 0 on", what, v))
	}
}
