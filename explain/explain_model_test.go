package explain

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/internal/recording"
)

// selected returns the model of a recording after selections, with all its
// numbers.
func selected(t *testing.T, root autograd.Value, selections ...recording.Selection) *recording.Model {
	t.Helper()
	m, err := recording.New(root, root.Backward(), math.MaxInt).WithTroubles(Note).SelectAll(selections)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// One data point drawn in single numbers shows the batch's troubles: a unit is
// dead only if it is closed for all rows, not just for this one.
func TestTroublesOfASample(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Constant(autograd.FromNested([][]float64{{1, 2}, {2, -1}})).Named("x")
	w := g.Param(autograd.NewParam("W", autograd.FromNested([][]float64{{0.5, -1, -0.2}, {0.2, -0.6, 0.9}})))
	root := x.MatMul(w).ReLU().Named("a").Sum().Named("loss")
	for row := range 2 { // z = [0.9 −2.2 1.6] and [0.8 −1.4 −1.3]
		var got []string
		m := selected(t, root, recording.Sample(row))
		for i := range m.Nodes {
			for _, trouble := range m.Nodes[i].Troubles {
				got = append(got, trouble.Text)
			}
		}
		if diff := cmp.Diff([]string{"dead: all 2 elements are closed"}, got); diff != "" {
			t.Errorf("row %d (-want +got):\n%s", row, diff)
		}
	}
}

// A weighted sum drawn as one node is explained and checked like its products
// and sums.
func TestExplainWeightedSums(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	scalar := func(name string, v float64) autograd.Value { return g.Variable(autograd.Scalar(v)).Named(name) }
	x1, x2 := g.Scalar(1.5).Named("x1"), g.Scalar(0).Named("x2")
	z := scalar("w1", 0.5).Mul(x1).Add(scalar("w2", -0.2).Mul(x2)).Add(scalar("b", 0.1)).Named("z")
	root := z.Tanh().Named("a").Square().Named("loss")
	x := explainerOf(selected(t, root, recording.WeightedSums()))
	slope := 2 * math.Tanh(0.85) * (1 - math.Pow(math.Tanh(0.85), 2))
	got, want := map[string]string{}, map[string]string{
		"w1": "none", "w2": "zero input weighted sum z multiplies it by x2, which is 0", "b": "none",
	}
	for i := range x.Nodes {
		n := &x.Nodes[i]
		if want[n.Name] == "" {
			continue
		}
		e := x.explain(i, recording.Whole, Options{}.checked("test"))
		got[n.Name] = strings.TrimSpace(e.Cause.Kind.String() + " " + e.Cause.Words)
		factor := map[string]float64{"w1": 1.5, "w2": 0, "b": 1}[n.Name]
		if math.Abs(e.Gradient-slope*factor) > 1e-12 || e.Check == nil || !e.Check.Agrees || len(e.Ways) != 1 || len(e.Ways[0].Locals) != 3 {
			t.Errorf("%s", e)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
