package autograd_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
)

// AllContributions is Contributions of every Value, in one walk.
func TestAllContributions(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Variable(autograd.NewTensor([]float64{1, -2}))
	w := g.Variable(autograd.Scalar(3))
	loss := x.Mul(w).Add(x.Mul(x)).Sum().Mul(w)
	grads := loss.Backward()
	type term struct {
		to, input int
		gradient  []float64
	}
	describe := func(c autograd.Contribution) term {
		return term{c.To.Node().ID, c.Input, c.Gradient.Float64s()}
	}
	got, want := map[int][]term{}, map[int][]term{}
	for x, c := range grads.AllContributions() {
		got[x.Node().ID] = append(got[x.Node().ID], describe(c))
	}
	for n := range g.Nodes() {
		for _, c := range grads.Contributions(n.Value) {
			want[n.ID] = append(want[n.ID], describe(c))
		}
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(term{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for range grads.AllContributions() {
		break // a walk may be left
	}
}

func TestAllContributionsNeedsTrace(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	grads := g.Variable(autograd.Scalar(1)).Exp().Backward()
	var want *autograd.GradientError
	if err := autograd.Try(func() { grads.AllContributions() }); !errors.As(err, &want) {
		t.Errorf("got %v", err)
	}
}
