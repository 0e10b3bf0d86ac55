package autograd_test

import (
	"math"
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

// A bias that all keys share changes nothing, so that its gradient is 0 but for
// rounding.
func TestAttentionOfABiasThatKeysShare(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x, bias := g.Variable(weightsFor([]int{2, 3, 12}).tensor()), g.Variable(weightsFor([]int{3, 1}).tensor())
	y := autograd.Attention(x, none, none, autograd.AttentionOptions{Heads: 2, Bias: bias})
	plain := autograd.Attention(x, none, none, autograd.AttentionOptions{Heads: 2})
	for i, v := range y.Sub(plain).Tensor().Float64s() {
		if math.Abs(v) > 1e-14 {
			t.Errorf("element %d differs by %v", i, v)
		}
	}
	for i, v := range y.Square().Sum().Backward().Of(bias).Float64s() {
		if math.Abs(v) > 1e-14 {
			t.Errorf("gradient %d is %v", i, v)
		}
	}
}
