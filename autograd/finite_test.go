package autograd_test

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nabla/autograd"
)

// A nonFinite is what a *NonFiniteError says, with its line as text.
type nonFinite struct {
	Op, Name, Scope string
	Backward        bool
	Input           int
	Value           float64
	Index           int
	Shapes          [][]int
	At              string
}

func wantNonFinite(t *testing.T, err error, want nonFinite, text string) {
	t.Helper()
	var e *autograd.NonFiniteError
	if !errors.As(err, &e) {
		t.Fatalf("got the error %T %v", err, err)
	}
	at := fmt.Sprintf("%s:%d", filepath.Base(e.File), e.Line)
	got := nonFinite{e.Op, e.Name, e.Scope, e.Backward, e.Input, e.Value, e.Index, e.Shapes, at}
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff("autograd: "+text+", at "+want.At, err.Error()); diff != "" {
		t.Errorf("message (-want +got):\n%s", diff)
	}
}

func TestCheckFiniteForward(t *testing.T) {
	for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		g := autograd.NewGraph(autograd.Options{CheckFinite: true, Precision: precision})
		bystander := newBystander(g)
		var at string
		err := autograd.Try(func() {
			g.Enter("encoder")
			defer g.Leave()
			g.Enter("dense 1")
			defer g.Leave()
			x := g.Constant(vector(1, 0, -1))
			func() { at = here(); x.Log() }()
		})
		wantNonFinite(t, err, nonFinite{"Log", "", "encoder/dense 1", false, 0, -inf, 1, [][]int{{3}, {3}}, at},
			"Log in encoder/dense 1: -Inf in its value at element 1: [3] → [3]")
		err = autograd.Try(func() { at = here(); g.Full(1, 2, 3).Div(g.Full(0, 3)) })
		wantNonFinite(t, err, nonFinite{"Div", "", "", false, 0, inf, 0, [][]int{{2, 3}, {3}, {2, 3}}, at},
			"Div: +Inf in its value at element 0: [2 3], [3] → [2 3]")
		err = autograd.Try(func() { at = here(); g.Constant(vector(1, 2, nan)) })
		wantNonFinite(t, err, nonFinite{"Constant", "", "", false, 0, nan, 2, [][]int{{3}}, at},
			"Constant: NaN in its value at element 2: [3]")
		err = autograd.Try(func() { at = here(); g.Scalar(-1).Sqrt() })
		wantNonFinite(t, err, nonFinite{"Sqrt", "", "", false, 0, nan, 0, [][]int{{}, {}}, at},
			"Sqrt: NaN in its value at element 0: [] → []")
		err = autograd.Try(func() { at = here(); autograd.Concat(0, g.Full(1, 2), g.Full(1, 1), g.Full(2, 1)).MulScalar(inf) })
		wantNonFinite(t, err, nonFinite{"MulScalar", "", "", false, 0, inf, 0, [][]int{{4}, {4}}, at},
			"MulScalar: +Inf in its value at element 0: [4] → [4]")
		bystander.check(t)
	}
}

// A Param with a NaN is refused each time it is asked for.
func TestCheckFiniteParam(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{CheckFinite: true})
	bystander := newBystander(g)
	p := autograd.NewParam("w", vector(1, nan))
	for range 2 {
		var at string
		err := autograd.Try(func() { at = here(); g.Param(p) })
		wantNonFinite(t, err, nonFinite{"Param", "w", "", false, 0, nan, 1, [][]int{{2}}, at},
			`Param "w": NaN in its value at element 1: [2]`)
	}
	p.Set(vector(1, 2))
	wantNumbers(t, "the Param, mended", g.Param(p).Square().Sum().Backward().OfParam(p).Float64s(), []float64{2, 4}, 0)
	bystander.check(t)
}

// The infinite gradient of a root at 0 is found where it arises, with the
// line of the operation.
func TestCheckFiniteBackward(t *testing.T) {
	for _, size := range []int{1, 3} {
		for _, trace := range []bool{false, true} {
			g := autograd.NewGraph(autograd.Options{CheckFinite: true, Trace: trace})
			bystander := newBystander(g)
			x := g.Variable(autograd.Zeros(size))
			g.Enter("head")
			y, at := x.Sqrt().Named("root"), here()
			g.Leave()
			loss := y.Add(x).Sum()
			err := autograd.Try(func() { loss.Backward() })
			wantNonFinite(t, err, nonFinite{"Sqrt", "root", "head", true, 0, inf, 0, [][]int{{size}, {size}}, at},
				fmt.Sprintf(`Sqrt "root" in head: +Inf in the gradient for its input 0 at element 0: [%d] → [%d]`, size, size))
			bystander.check(t)
		}
	}
	g := autograd.NewGraph(autograd.Options{CheckFinite: true})
	bystander := newBystander(g)
	x, zero := g.Constant(vector(0, 2)), g.Variable(vector(0, 1))
	z, at := g.Scalar(1).Mul(x).Add(zero).Pow(g.Scalar(0.5)), here()
	err := autograd.Try(func() { z.Sum().Backward() })
	wantNonFinite(t, err, nonFinite{"Pow", "", "", true, 0, inf, 0, [][]int{{2}, {}, {2}}, at},
		"Pow: +Inf in the gradient for its input 0 at element 0: [2], [] → [2]")
	bystander.check(t)

	// A user's operation is called by its own name.
	g = autograd.NewGraph(autograd.Options{CheckFinite: true})
	bad := autograd.Operation{
		Name:    "bad",
		Forward: func(in []autograd.Tensor) autograd.Tensor { return in[0].Clone() },
		Rule:    func(r *autograd.Rule) { r.Add(1, r.Grad().Div(r.Graph().Scalar(0))) },
	}
	v := g.Variable(vector(1, 2))
	w, at := autograd.Custom(bad, v, v), here()
	err = autograd.Try(func() { w.Sum().Backward() })
	wantNonFinite(t, err, nonFinite{"bad", "", "", true, 1, inf, 0, [][]int{{2}, {2}, {2}}, at},
		"bad: +Inf in the gradient for its input 1 at element 0: [2], [2] → [2]")
}

// With Trace each node knows its line, also where library functions are built
// of others.
func TestTraceLines(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	var want []string
	x, at := g.Variable(vector(1, 2)), here()
	want = append(want, at)
	_, at = x.Exp().Neg(), here()
	want = append(want, at, at)
	_, at = autograd.Stack(0, x, x), here() // two reshapes and a concat
	want = append(want, at, at, at)
	_, at = g.Param(autograd.NewParam("w", vector(1))), here()
	want = append(want, at)
	var got []string
	for node := range g.Nodes() {
		got = append(got, node.Location.String())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	plain := autograd.NewGraph(autograd.Options{})
	if at := plain.Scalar(1).Exp().Node().Location; at != (autograd.Location{}) || at.String() != "unknown" {
		t.Errorf("without Trace: %v", at)
	}
}

// The contributions to a gradient add up to it, in the order of their sums,
// and name the uses.
func TestContributions(t *testing.T) {
	for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		g := autograd.NewGraph(autograd.Options{Trace: true, Precision: precision})
		x := g.Variable(vector(0.5, -1, 2))
		a := x.Exp()
		b := x.Mul(x)
		h := a.Add(b).Mul(a).MatMul(x.Detach())
		loss := h.Tanh().Add(x.Sum().Square())
		grads := loss.Backward()
		for node := range loss.Ancestors() {
			if !grads.Reached(node.Value) {
				continue
			}
			gradient := grads.Of(node.Value)
			sum := make([]float64, gradient.Size())
			contributions := grads.Contributions(node.Value)
			for _, c := range contributions {
				wantShape(t, "contribution", c.Gradient.Shape(), gradient.Shape()...)
				for i, v := range c.Gradient.Float64s() {
					sum[i] += v
					if precision == autograd.Float32 {
						sum[i] = float64(float32(sum[i]))
					}
				}
				if inputs := c.To.Node().Inputs; inputs[c.Input] != node.ID {
					t.Errorf("a contribution to node %d names input %d of node %d", node.ID, c.Input, c.To.Node().ID)
				}
			}
			if node.ID != loss.Node().ID {
				wantBits(t, fmt.Sprintf("sum for node %d %s", node.ID, node.Op), sum, gradient.Float64s())
			} else if len(contributions) != 0 {
				t.Error("the loss has contributions")
			}
		}
		uses := []string{}
		for _, c := range grads.Contributions(x) {
			uses = append(uses, fmt.Sprintf("%s %d", c.To.Node().Op, c.Input))
		}
		if diff := cmp.Diff([]string{"sum 0", "mul 0", "mul 1", "exp 0"}, uses); diff != "" {
			t.Errorf("uses of x (-want +got):\n%s", diff)
		}
		wantNumbers(t, "of the first use", grads.Contributions(x)[0].Gradient.Float64s(), repeated(2*x.Sum().Item(), 3), 1e-6)
	}
}

// With Trace every Value's gradient is kept and is right: the course's neuron.
func TestTraceKeepsEveryGradient(t *testing.T) {
	for _, size := range []int{1, 5} {
		g := autograd.NewGraph(autograd.Options{Trace: true})
		x, w, b := g.Constant(autograd.Full(3, size)), g.Variable(autograd.Full(0.5, size)), g.Variable(autograd.Full(-1, size))
		z := w.Mul(x).Add(b)
		a := z.Tanh()
		loss := a.AddScalar(-1).Square().Sum()
		grads := loss.Backward()
		da := 2 * (math.Tanh(0.5) - 1)
		dz := da / math.Cosh(0.5) / math.Cosh(0.5)
		wantNumbers(t, "loss", []float64{grads.Of(loss).Item()}, []float64{1}, 0)
		wantNumbers(t, "da", grads.Of(a).Float64s(), repeated(da, size), 1e-14)
		wantNumbers(t, "dz", grads.Of(z).Float64s(), repeated(dz, size), 1e-14)
		wantNumbers(t, "dw", grads.Of(w).Float64s(), repeated(3*dz, size), 1e-14)
		wantNumbers(t, "db", grads.Of(b).Float64s(), repeated(dz, size), 1e-14)
	}
}
