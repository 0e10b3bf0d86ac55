package losses_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/losses"
)

func TestBalancedWeights(t *testing.T) {
	labels := autograd.NewInts([]int{0, 0, 2, 2, -1, 0, 1, 255}) // 3, 1 and 2 of 6
	got := losses.BalancedWeights(labels, 4, -1, 255).Float64s()
	if diff := cmp.Diff([]float64{6. / 12, 6. / 4, 6. / 8, 0}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if counted := losses.CountWeights(3, 1, 2, 0); !counted.Equal(autograd.NewTensor(got)) {
		t.Errorf("of counts %v, want %v", counted, got)
	}
	for want, f := range map[string]func(){
		"class 1 has -1 labels":          func() { losses.CountWeights(1, -1) },
		"there are no labels":            func() { losses.CountWeights(0, 0) },
		"0 classes":                      func() { losses.BalancedWeights(labels, 0) },
		"label":                          func() { losses.BalancedWeights(labels, 2, -1, 255) },
		"there are no labels that count": func() { losses.BalancedWeights(labels, 3, -1, 255, 0, 1, 2) },
	} {
		if err := autograd.Try(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// With the weights, a class that is rare pulls as hard as the others: the best
// scores that see nothing are equal.
func ExampleBalancedWeights() {
	labels := autograd.NewInts([]int{0, 0, 0, 0, 0, 1, 1, 2})
	weights := losses.BalancedWeights(labels, 3)
	g := autograd.NewGraph(autograd.Options{})
	scores := g.Variable(autograd.Zeros(3))
	loss := losses.CategoricalCrossEntropyLabelsWith(scores.Expand(8, 3), labels,
		losses.Options{Logits: true, ClassWeights: g.Constant(weights), Reduction: losses.WeightedMean})
	for _, d := range loss.Backward().Of(scores).Float64s() {
		fmt.Printf("%.3f ", max(d, -d))
	}
	// Output: 0.000 0.000 0.000
}
