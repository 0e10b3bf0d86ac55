package losses

import "nabla/autograd"

// A Reduction says what becomes of the single losses.
type Reduction uint8

const (
	// Mean is Σ w·l / n, with n the number of losses: weights of 2 count
	// twice, but do not change what the sum is divided by.
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
// from probabilities.
type Options struct {
	Reduction Reduction

	// Weights has one number for each loss, in exactly the losses' shape: the
	// prediction's, for the categorical losses without its last axis. The zero
	// Value means no weights.
	Weights autograd.Value

	// ClassWeights, for the categorical losses only, is a vector v with one
	// number for each class. The loss of a row becomes −Σ v·t·log p, and its
	// weight in WeightedMean Σ v·t: for a label, the weight of its class. The
	// zero Value means no class weights.
	ClassWeights autograd.Value

	// Logits, for the cross entropies only, says that the prediction is what
	// the network computes before the sigmoid or softmax. Without it a graph
	// with CheckFinite panics for a prediction that is no probability; for
	// probabilities given as logits see [explain.Diagnose].
	Logits bool
}

// none is no weights.
var none autograd.Value

func given(v autograd.Value) bool { return v.Graph() != nil }

// begin checks the reduction and opens the scope of a loss, which the caller
// leaves. The target may be none.
func (o Options) begin(op string, prediction, target autograd.Value) *autograd.Graph {
	if o.Reduction > None {
		panic(autograd.NewArgumentError("losses: "+op, "there is no reduction %d", o.Reduction))
	}
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

// noClasses panics for a loss that knows no classes.
func (o Options) noClasses(op string) {
	if given(o.ClassWeights) {
		panic(autograd.NewArgumentError("losses: "+op, "ClassWeights is an option of the categorical cross entropies alone"))
	}
}

// checkProbabilities panics, in a graph with CheckFinite, for what is no
// probability: else all that is said of it is that the loss is NaN. What
// rounding may add to 1 passes.
func (o Options) checkProbabilities(op string, prediction autograd.Value) {
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
func (o Options) reduce(op string, losses, rows autograd.Value) autograd.Value {
	weights := rows
	if given(o.Weights) {
		mustMatch(op, "losses and weights differ in shape", losses, o.Weights)
		losses = losses.Mul(o.Weights)
		weights = o.Weights
		if given(rows) {
			weights = rows.Mul(o.Weights)
		}
	}
	switch {
	case o.Reduction == WeightedMean && given(weights):
		losses = losses.Sum().Div(weights.Sum())
	case o.Reduction == Sum:
		losses = losses.Sum()
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
