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

// Settings are what a loss leaves open. The zero Settings are the plain mean,
// from probabilities.
type Settings struct {
	Reduction Reduction

	// Weights has one number for each loss, in exactly the losses' shape: that
	// of the prediction, for the categorical losses without its last axis.
	// The zero Value is no weights.
	Weights autograd.Value

	// ClassWeights, of the categorical losses only, has one number for each
	// class, a vector. The loss of a row becomes −Σ v·t·log p, and its weight
	// in WeightedMean Σ v·t, for a label the weight of that class. The zero
	// Value is no class weights.
	ClassWeights autograd.Value

	// Logits, of the cross entropies only, says that the prediction is what
	// stands before the sigmoid or softmax.
	Logits bool
}

// none is no weights.
var none autograd.Value

func given(v autograd.Value) bool { return v.Graph() != nil }

// begin checks the reduction and opens the scope of a loss, which the caller
// leaves. The target may be none.
func (s Settings) begin(op string, prediction, target autograd.Value) *autograd.Graph {
	if s.Reduction > None {
		panic(autograd.NewArgumentError("losses: "+op, "there is no reduction %d", s.Reduction))
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
func (s Settings) noClasses(op string) {
	if given(s.ClassWeights) {
		panic(autograd.NewArgumentError("losses: "+op, "ClassWeights is a setting of the categorical cross entropies alone"))
	}
}

// reduce returns what becomes of the single losses. The class weights, if any,
// are already in them; rows are then the weights that they gave each.
func (s Settings) reduce(op string, losses, rows autograd.Value) autograd.Value {
	weights := rows
	if given(s.Weights) {
		mustMatch(op, "losses and weights differ in shape", losses, s.Weights)
		losses = losses.Mul(s.Weights)
		weights = s.Weights
		if given(rows) {
			weights = rows.Mul(s.Weights)
		}
	}
	switch {
	case s.Reduction == WeightedMean && given(weights):
		losses = losses.Sum().Div(weights.Sum())
	case s.Reduction == Sum:
		losses = losses.Sum()
	case s.Reduction != None:
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
