package autograd_test

import (
	"errors"
	"math"
	"testing"

	"nabla/autograd"
)

// The local factor times the upstream gradient is what Backward hands on,
// element by element.
func TestLocalTimesUpstreamIsContribution(t *testing.T) {
	for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		g := autograd.NewGraph(autograd.Options{Trace: true, Precision: precision})
		x := g.Variable(autograd.FromNested([][]float64{{0.5, -1.25, 2}, {3, 0.25, -0.75}}))
		row := g.Variable(autograd.NewTensor([]float64{1.5, -2, 0.125}))
		col := g.Variable(autograd.FromNested([][]float64{{0.5}, {4}}))
		s := g.Variable(autograd.Scalar(3))
		y := x.Mul(row).Sub(col).Div(s).Tanh().Mul(s).Clamp(-1, 1.5)
		grads := y.BackwardFrom(autograd.FromNested([][]float64{{1, -2, 0.5}, {0.25, 3, -1}}).In(precision))
		checked := 0
		for n := range y.Ancestors() {
			if n.Kind != autograd.KindOperation {
				continue
			}
			upstream := grads.Of(n.Value)
			for input, id := range n.Inputs {
				factors, ok := n.Local(input)
				if !ok {
					t.Fatalf("%s: no local factors", n.Op)
				}
				want := reduceTo(factors, upstream, g.At(id).Shape())
				for _, c := range grads.Contributions(g.At(id)) {
					if c.To.Node().ID != n.ID || c.Input != input {
						continue
					}
					for i, got := range c.Gradient.Float64s() {
						if math.Abs(got-want[i]) > 1e-6*(1+math.Abs(want[i])) {
							t.Errorf("%v %s input %d element %d: %v, want %v", precision, n.Op, input, i, got, want[i])
						}
						checked++
					}
				}
			}
		}
		if checked < 20 {
			t.Errorf("only %d elements were compared", checked)
		}
	}
}

// reduceTo sums factor × upstream over the axes along which an operand of that
// shape was broadcast, of arrays of two axes, one row per two elements.
func reduceTo(factors, upstream autograd.Tensor, shape []int) []float64 {
	f, u := factors.Float64s(), upstream.Float64s()
	rows, cols := factors.Dim(0), factors.Dim(1)
	for len(shape) < 2 {
		shape = append([]int{1}, shape...)
	}
	sums := make([]float64, shape[0]*shape[1])
	for i := range rows {
		for j := range cols {
			sums[i%shape[0]*shape[1]+j%shape[1]] += f[i*cols+j] * u[i*cols+j]
		}
	}
	return sums
}

func TestEvaluate(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x, y := g.Variable(autograd.Scalar(2)), g.Variable(autograd.Scalar(3))
	quotient := x.Div(y).Node()
	v, d, ok := quotient.Evaluate(10, 4)
	if !ok || v != 2.5 || d[0] != 0.25 || d[1] != -10.0/16 {
		t.Errorf("10/4: %v %v %v", v, d, ok)
	}
	if v, d, ok = x.PowScalar(3).Node().Evaluate(-2); !ok || v != -8 || d[0] != 12 {
		t.Errorf("(−2)³: %v %v %v", v, d, ok)
	}
	if v, d, ok = x.Less(y).Node().Evaluate(5, 4); !ok || v != 0 || d != nil {
		t.Errorf("5 < 4: %v %v %v", v, d, ok)
	}
	for _, n := range []autograd.Node{x.Node(), x.Sum().Node()} {
		if _, _, ok := n.Evaluate(1); ok {
			t.Errorf("%s can be evaluated", n.Op)
		}
		if len(n.Inputs) > 0 {
			if _, ok := n.Local(0); ok {
				t.Errorf("%s has local factors", n.Op)
			}
		}
	}
	if _, ok := x.Less(y).Node().Local(0); ok {
		t.Error("a comparison has local factors")
	}
	var index *autograd.IndexError
	if err := autograd.Try(func() { quotient.Local(2) }); !errors.As(err, &index) {
		t.Errorf("input 2 of a quotient: %v", err)
	}
	var argument *autograd.ArgumentError
	if err := autograd.Try(func() { quotient.Evaluate(1) }); !errors.As(err, &argument) {
		t.Errorf("a quotient of one number: %v", err)
	}
}

func TestRoles(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Scalar(1).As(autograd.RoleInput)
	if got := x.Node().Role; got != autograd.RoleInput {
		t.Errorf("role %v", got)
	}
	if got := x.Named("x").Node(); got.Role != autograd.RoleInput || got.Value.Name() != "x" {
		t.Errorf("a name changed the role: %v %q", got.Role, got.Value.Name())
	}
	g.Reset()
	if got := g.Scalar(1).Node().Role; got != autograd.RoleNone {
		t.Errorf("after Reset: role %v", got)
	}
}
