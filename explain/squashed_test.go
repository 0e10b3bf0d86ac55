package explain_test

import (
	"strings"
	"testing"

	"nabla/autograd"
	"nabla/explain"
	"nabla/losses"
)

// Probabilities passed as logits give a loss that looks plausible.
func TestSquashedTwice(t *testing.T) {
	labels := autograd.NewInts([]int{0, 2})
	logits := losses.Options{Logits: true}
	for _, row := range []struct {
		name string
		loss func(x, target autograd.Value) autograd.Value
		want bool
	}{
		{"softmax", func(x, _ autograd.Value) autograd.Value {
			return losses.CategoricalCrossEntropyLabelsWith(x.Softmax(-1), labels, logits)
		}, true},
		{"softmax against rows", func(x, target autograd.Value) autograd.Value {
			return losses.CategoricalCrossEntropyWith(x.Softmax(-1), target, logits)
		}, true},
		{"log-softmax", func(x, _ autograd.Value) autograd.Value {
			return losses.CategoricalCrossEntropyLabelsWith(x.LogSoftmax(-1), labels, logits)
		}, true},
		{"sigmoid", func(x, target autograd.Value) autograd.Value {
			return losses.BinaryCrossEntropyWith(x.Sigmoid(), target, logits)
		}, true},
		{"logits", func(x, _ autograd.Value) autograd.Value {
			return losses.CategoricalCrossEntropyLabelsWith(x, labels, logits)
		}, false},
		{"probabilities", func(x, _ autograd.Value) autograd.Value {
			return losses.CategoricalCrossEntropyLabels(x.Softmax(-1), labels)
		}, false},
		{"probabilities of yes", func(x, target autograd.Value) autograd.Value {
			return losses.BinaryCrossEntropy(x.Sigmoid(), target)
		}, false},
	} {
		g := autograd.NewGraph(autograd.Options{Trace: true})
		x := g.Variable(autograd.FromNested([][]float64{{1, -0.5, 0.2}, {0.3, 0.1, -0.4}})).Named("x")
		loss := row.loss(x, g.Constant(autograd.FromNested([][]float64{{1, 0, 0}, {0, 0, 1}})))
		told := false
		for _, trouble := range explain.Diagnose(loss, loss.Backward()) {
			told = told || trouble.Kind == explain.TroubleSquashedTwice && strings.Contains(trouble.Words, "squashed")
		}
		if told != row.want {
			t.Errorf("%s: told %v, want %v", row.name, told, row.want)
		}
	}
}
