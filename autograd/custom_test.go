package autograd_test

import (
	"strings"
	"testing"

	"nabla/autograd"
)

// An Into function that panics leaves no node, and what it was lent goes back.
func TestPanicInIntoRecordsNothing(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Variable(vector(1, 2, 3))
	broken := &autograd.Operation{
		Name: "broken",
		Into: func(_ autograd.Tensor, _ []autograd.Tensor, work *autograd.Workspace) {
			work.Floats(100)
			work.Ints(100)
			panic(autograd.NewArgumentError("broken", "on purpose"))
		},
	}
	nodes := g.Stats().Nodes
	if err := autograd.Try(func() { autograd.CustomInto(broken, []int{3}, x) }); err == nil || !strings.Contains(err.Error(), "on purpose") {
		t.Errorf("got the error %v", err)
	}
	if got := g.Stats().Nodes; got != nodes {
		t.Errorf("%d nodes were recorded", got-nodes)
	}
	live := g.Stats().BytesLive
	for range 3 {
		_ = autograd.Try(func() { autograd.CustomInto(broken, nil, x) })
	}
	if got := g.Stats().BytesLive; got != live {
		t.Errorf("%d bytes are still lent", got-live)
	}
	y := autograd.CustomInto(cubeInto, []int{3}, x)
	wantNumbers(t, "gradient afterwards", y.Sum().Backward().Of(x).Float64s(), []float64{3, 12, 27}, 0)
}

func TestWrongCustomInto(t *testing.T) {
	g, other := autograd.NewGraph(autograd.Options{}), autograd.NewGraph(autograd.Options{})
	wantError[*autograd.ShapeError](t, "autograd: CustomInto: negative dimension: [-1], at %v", func() { autograd.CustomInto(cubeInto, []int{-1}, g.Full(1, 2)) })
	wantError[*autograd.GraphError](t, "autograd: CustomInto: operands belong to different graphs, at %v", func() { autograd.CustomInto(cubeInto, []int{2}, g.Full(1, 2), other.Full(1, 2)) })
	wantError[*autograd.GraphError](t, "autograd: CustomInto: a zero Value, which belongs to no graph, at %v", func() { autograd.CustomInto(cubeInto, []int{2}, autograd.Value{}) })
	y := autograd.CustomInto(&autograd.Operation{Name: "flat", Into: cubeInto.Into}, []int{2}, g.Variable(vector(1, 2)))
	wantError[*autograd.GradientError](t, "autograd: flat: the operation has no Rule, at %v", func() { y.Sum().Backward() })
}
