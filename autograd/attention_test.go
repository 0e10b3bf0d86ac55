package autograd_test

import (
	"testing"

	"nabla/autograd"
)

// A query that sees no key gives 0 and passes no gradient, and no NaN appears
// on the way.
func TestAttentionThatSeesNothing(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{CheckFinite: true})
	x := g.Variable(weightsFor([]int{2, 3, 12}).tensor())
	mask := g.Constant(autograd.NewTensor([]float64{1, 0, 1, 0, 0, 0, 1, 1, 1}, 3, 3))
	y := autograd.Attention(x, none, none, autograd.AttentionOptions{Heads: 2, Mask: mask})
	for i, v := range y.Narrow(1, 1, 1).Tensor().Float64s() {
		if v != 0 {
			t.Errorf("element %d is %v", i, v)
		}
	}
	if gq := y.Sum().Backward().Of(x); gq.At(0, 1, 0) != 0 {
		t.Errorf("the gradient of the query is %v", gq.At(0, 1, 0))
	}
}
