package losses_test

import (
	"strings"
	"testing"

	"nabla/autograd"
	"nabla/losses"
)

// Mistakes that used to be told of an operation inside, or only as a NaN.
func TestMistakesAreToldOfTheLoss(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{CheckFinite: true})
	logits, target := g.Variable(autograd.FromNested([][]float64{{0.5, -2}, {3, 1}})), g.Constant(autograd.Eye(2))
	for _, row := range []struct {
		want string
		f    func()
	}{
		{"losses: CategoricalCrossEntropyLabels: labels[1] = 2 is out of range for 2", func() {
			losses.CategoricalCrossEntropyLabelsWith(logits, autograd.NewInts([]int{0, 2}), losses.Options{Logits: true})
		}},
		{"losses: CategoricalCrossEntropyLabels: the labels are not one for each row: [2 2], [3]", func() {
			losses.CategoricalCrossEntropyLabels(logits, autograd.NewInts([]int{0, 1, 1}))
		}},
		{"losses: CategoricalCrossEntropyLabels: element 1 of the prediction is -2, which is no probability", func() {
			losses.CategoricalCrossEntropyLabels(logits, autograd.NewInts([]int{0, 1}))
		}},
		{"losses: CategoricalCrossEntropy: element 1 of the prediction is -2, which is no probability: with Options{Logits: true}", func() {
			losses.CategoricalCrossEntropy(logits, target)
		}},
		{"losses: BinaryCrossEntropy: element 0 of the prediction is 3, which is no probability", func() {
			losses.BinaryCrossEntropy(logits.Select(0, 1), target.Select(0, 1))
		}},
	} {
		if err := autograd.Try(row.f); err == nil || !strings.HasPrefix(err.Error(), row.want) {
			t.Errorf("%v, want %s", err, row.want)
		}
	}
	if err := autograd.Try(func() { losses.BinaryCrossEntropy(logits.Sigmoid(), target) }); err != nil {
		t.Error(err)
	}
}
