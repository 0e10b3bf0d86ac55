package autograd_test

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
)

func TestTensorsEqual(t *testing.T) {
	a := autograd.NewTensor([]float64{1, math.NaN(), math.Inf(1), -0.5}, 2, 2)
	for name, c := range map[string]struct {
		u             autograd.Tensor
		equal, within bool // within 0.01
	}{
		"copy":      {a.Clone(), true, true},
		"near":      {autograd.NewTensor([]float64{1.005, math.NaN(), math.Inf(1), -0.5}, 2, 2), false, true},
		"far":       {autograd.NewTensor([]float64{1.02, math.NaN(), math.Inf(1), -0.5}, 2, 2), false, false},
		"no NaN":    {autograd.NewTensor([]float64{1, 0, math.Inf(1), -0.5}, 2, 2), false, false},
		"other end": {autograd.NewTensor([]float64{1, math.NaN(), math.Inf(-1), -0.5}, 2, 2), false, false},
		"shape":     {a.Reshape(4), false, false},
		"precision": {a.In(autograd.Float32), false, true},
		"zero":      {autograd.Tensor{}, false, false},
	} {
		if a.Equal(c.u) != c.equal || c.u.Equal(a) != c.equal {
			t.Errorf("%s: equal %v, want %v", name, !c.equal, c.equal)
		}
		if a.EqualWithin(c.u, 0.01) != c.within || c.u.EqualWithin(a, 0.01) != c.within {
			t.Errorf("%s: equal within 0.01 %v, want %v", name, !c.within, c.within)
		}
		if (cmp.Diff(a, c.u) == "") != c.equal {
			t.Errorf("%s: cmp.Diff finds %q", name, cmp.Diff(a, c.u))
		}
	}
	if !(autograd.Tensor{}).Equal(autograd.Tensor{}) {
		t.Error("zero Tensors differ")
	}
}

func TestIsZero(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Variable(autograd.Scalar(2))
	var sum autograd.Gradients
	if !(autograd.Tensor{}).IsZero() || !(autograd.Value{}).IsZero() || !sum.IsZero() {
		t.Error("a zero Tensor, Value or Gradients is not")
	}
	sum.Add(x.Backward())
	if autograd.Zeros(0).IsZero() || x.IsZero() || x.Backward().IsZero() || sum.IsZero() {
		t.Error("a Tensor, Value or Gradients in use is zero")
	}
}

func TestTensorMethods(t *testing.T) {
	for _, p := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		a := autograd.NewTensor([]float64{1, 5, 3, 4, 2, 6}, 2, 3).In(p)
		if diff := cmp.Diff([]int{1, 2}, a.ArgMax(-1).Values()); diff != "" {
			t.Errorf("ArgMax (-want +got):\n%s", diff)
		}
		if want := autograd.NewTensor([]float64{1, 4, 5, 2, 3, 6}, 3, 2).In(p); !a.T().Equal(want) {
			t.Errorf("T is %v, want %v", a.T(), want)
		}
		for v, want := range map[float64]bool{1: true, math.Inf(-1): false, math.NaN(): false} {
			if got := autograd.Full(v, 3).In(p).IsFinite(); got != want {
				t.Errorf("IsFinite of %v is %v", v, got)
			}
		}
	}
}

func TestIntsReshapeAndTake(t *testing.T) {
	x := autograd.NewInts([]int{1, 2, 3, 4, 5, 6})
	y := x.Reshape(3, 2)
	if diff := cmp.Diff([]int{3, 2}, y.Shape()); diff != "" {
		t.Errorf("Reshape (-want +got):\n%s", diff)
	}
	z := y.Take(2, 0, 2)
	if diff := cmp.Diff([]int{5, 6, 1, 2, 5, 6}, z.Values()); diff != "" {
		t.Errorf("Take (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{3, 2}, z.Shape()); diff != "" {
		t.Errorf("Take's shape (-want +got):\n%s", diff)
	}
	wantError[*autograd.IndexError](t, "autograd: Take: row 3 is out of range for 3, at %v", func() { y.Take(3) })
	wantError[*autograd.ShapeError](t, "autograd: Reshape: 6 values do not fit the shape: [4], at %v", func() { x.Reshape(4) })
}

// An infinity that the user made is meant, as is what it makes infinite; what
// becomes NaN of it, or infinite of finite numbers, is a fault.
func TestMeantInfinities(t *testing.T) {
	inf := math.Inf(-1)
	g := autograd.NewGraph(autograd.Options{CheckFinite: true})
	x := g.Variable(autograd.NewTensor([]float64{1, 2, 3}))
	mask := g.Constant(autograd.NewTensor([]float64{0, inf, 0}))
	y := x.Add(mask).Softmax(0)
	e := math.Exp(2.0)
	wantNumbers(t, "masked softmax", y.Tensor().Float64s(), []float64{1 / (1 + e), 0, e / (1 + e)}, 1e-15)
	y.Mul(x).Sum().Backward()
	g.Scalar(inf)
	g.Full(inf, 2, 2)
	autograd.Where(x.GreaterScalar(1), x, g.Scalar(inf)).Softmax(0)
	wantError[*autograd.NonFiniteError](t, "autograd: Sub: NaN in its value at element 1: [3], [3] → [3], at %v", func() { mask.Sub(mask) })
	wantError[*autograd.NonFiniteError](t, "autograd: Constant: NaN in its value at element 0: [], at %v", func() { g.Scalar(math.NaN()) })
	wantError[*autograd.NonFiniteError](t, "autograd: Exp: +Inf in its value at element 0: [3] → [3], at %v", func() { x.MulScalar(1000).Exp() })
	wantError[*autograd.NonFiniteError](t, "autograd: Variable: -Inf in its value at element 0: [1], at %v", func() { g.Variable(vector(inf)) })
}

// Grad blames the operation whose derivative it is, as Backward does, and not
// one of the rule's.
func TestGradNamesTheOperation(t *testing.T) {
	for _, size := range []int{1, 2} {
		g := autograd.NewGraph(autograd.Options{CheckFinite: true})
		x := g.Variable(autograd.Zeros(size))
		y := x.Sqrt().Sum()
		var texts []string
		for _, f := range []func(){func() { y.Backward() }, func() { autograd.Grad(y, x) }} {
			err := autograd.Try(f)
			if err == nil {
				t.Fatal("√0 has a finite gradient")
			}
			texts = append(texts, err.Error())
		}
		if diff := cmp.Diff(texts[0], texts[1]); diff != "" {
			t.Errorf("Backward and Grad (-want +got):\n%s", diff)
		}
	}
}

// Scopes of a new name in every recording are forgotten.
func TestScopesStayBounded(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	record := func(n int) {
		for i := range n {
			g.Reset()
			g.Enter("scope " + string(rune('a'+i%26)) + autograd.Scalar(float64(i)).String())
			g.Scalar(1)
			g.Leave()
		}
	}
	record(5000)
	before := heldBytes()
	record(100_000)
	if grown := heldBytes() - before; grown > 1<<20 {
		t.Errorf("100000 names leave %d kB", grown>>10)
	}
	g.Reset()
	g.Enter("outer")
	g.Enter("inner")
	if got := g.Scalar(1).Node().Scope; got != "outer/inner" {
		t.Errorf("the scope is %q", got)
	}
}

func TestTensorTake(t *testing.T) {
	for _, x := range []autograd.Tensor{
		autograd.NewTensor([]float64{1, 2, 3, 4, 5, 6}, 3, 2), autograd.NewTensor32([]float32{1, 2, 3, 4, 5, 6}, 3, 2),
	} {
		y := x.Take(2, 0, 2)
		if want := autograd.NewTensor([]float64{5, 6, 1, 2, 5, 6}, 3, 2).In(x.Precision()); !y.Equal(want) {
			t.Errorf("%v: Take gave %v", x.Precision(), y)
		}
		if y = x.Take(); !slices.Equal(y.Shape(), []int{0, 2}) {
			t.Errorf("%v: no rows have the shape %v", x.Precision(), y.Shape())
		}
		wantError[*autograd.IndexError](t, "autograd: Take: row 3 is out of range for 3, at %v", func() { x.Take(3) })
		wantError[*autograd.IndexError](t, "autograd: Take: row -1 is out of range for 3, at %v", func() { x.Take(-1) })
	}
	if x := autograd.Zeros(2, 0).Take(1, 1, 0); !slices.Equal(x.Shape(), []int{3, 0}) {
		t.Errorf("rows of nothing have the shape %v", x.Shape())
	}
	wantError[*autograd.ShapeError](t, "autograd: Take: a scalar has no rows: [], at %v", func() { autograd.Scalar(1).Take(0) })
}
