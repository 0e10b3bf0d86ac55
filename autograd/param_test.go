package autograd_test

import (
	"errors"
	"math"
	"testing"

	"nabla/autograd"
)

// A Param with other numbers for a while has its own back afterwards, and what
// was recorded with them is as valid as before.
func TestParamWith(t *testing.T) {
	for _, p := range []*autograd.Param{
		autograd.NewParam("p", vector(1, 2)), autograd.NewParam("p", autograd.NewTensor32([]float32{1, 2})),
	} {
		g := autograd.NewGraph(autograd.Options{})
		loss := g.Param(p).Square().Sum()
		inside := autograd.NewGraph(autograd.Options{})
		var trial autograd.Value
		p.Substitute(vector(3, 4), func() {
			wantNumbers(t, "meanwhile", p.Tensor().Float64s(), []float64{3, 4}, 0)
			trial = inside.Param(p).Square().Sum()
			wantNumbers(t, "gradient meanwhile", trial.Backward().OfParam(p).Float64s(), []float64{6, 8}, 0)
			mustBeStale(t, "the recording, meanwhile", func() { loss.Backward() })
		})
		wantNumbers(t, "afterwards", p.Tensor().Float64s(), []float64{1, 2}, 0)
		wantNumbers(t, "gradient afterwards", loss.Backward().OfParam(p).Float64s(), []float64{2, 4}, 0)
		mustBeStale(t, "the trial, afterwards", func() { trial.Backward() })
		p.Substitute(vector(3, 4), func() { mustBeStale(t, "the trial, in another", func() { trial.Backward() }) })
		if p.Version() != 0 {
			t.Errorf("version %d", p.Version())
		}
		p.Set(vector(5, 6))
		mustBeStale(t, "the recording after a write", func() { loss.Backward() })
		mustBeStale(t, "the trial after a write", func() { trial.Backward() })
	}
}

func mustBeStale(t *testing.T, what string, f func()) {
	t.Helper()
	if stale := new(autograd.StaleError); !errors.As(autograd.Try(f), &stale) {
		t.Errorf("%s is not stale", what)
	}
}

// The numbers come back bit by bit and after a panic too.
func TestParamWithPutsBack(t *testing.T) {
	own := vector(math.Copysign(0, -1), math.Float64frombits(0x7ff8000000000123))
	p := autograd.NewParam("p", own)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is lost")
			}
		}()
		p.Substitute(vector(1, 2), func() { panic("inside") })
	}()
	for i, v := range p.Tensor().Float64s() {
		if math.Float64bits(v) != math.Float64bits(own.Float64s()[i]) {
			t.Errorf("element %d is %v", i, v)
		}
	}
	called := false
	if shape := new(autograd.ShapeError); !errors.As(autograd.Try(func() { p.Substitute(autograd.Scalar(1), func() { called = true }) }), &shape) || called {
		t.Error("another shape is accepted")
	}
	if p.Version() != 0 {
		t.Errorf("version %d", p.Version())
	}
}

func TestRootOfGradients(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Variable(autograd.Scalar(2))
	first := x.Square()
	grads := first.Backward()
	second := first.Exp().Backward()
	if grads.Root() != first || second.Root().Node().Op != "exp" {
		t.Errorf("got %v and %v", grads.Root(), second.Root())
	}
	var sum autograd.Gradients
	gradient := new(autograd.GradientError)
	if !errors.As(autograd.Try(func() { sum.Root() }), &gradient) {
		t.Error("empty Gradients have a root")
	}
	sum.Add(grads)
	if !errors.As(autograd.Try(func() { sum.Root() }), &gradient) {
		t.Error("a sum has a root")
	}
	g.Reset()
	if stale := new(autograd.StaleError); !errors.As(autograd.Try(func() { grads.Root() }), &stale) {
		t.Error("a root after Reset")
	}
}

// An operation that refuses a parameter changed since records nothing: no node
// without numbers is left behind.
func TestStaleParamRecordsNothing(t *testing.T) {
	p := autograd.NewParam("p", vector(1, 2))
	g := autograd.NewGraph(autograd.Options{})
	w, other := g.Param(p), g.Constant(vector(3, 4))
	p.Set(vector(5, 6))
	nodes := g.Stats().Nodes
	for what, f := range map[string]func(){
		"a function": func() { w.Tanh() }, "a sum": func() { other.Add(w) }, "a product": func() { w.MatMul(other) },
		"a view": func() { w.Reshape(2, 1) }, "a list": func() { autograd.Concat(0, other, other, w) },
	} {
		mustBeStale(t, what, f)
		if got := g.Stats().Nodes; got != nodes {
			t.Errorf("%s left %d nodes", what, got-nodes)
		}
	}
}

// A recording made before a write can be read while the parameter is as it was,
// and no longer.
func TestParamAsAt(t *testing.T) {
	p := autograd.NewParam("p", vector(1, 2))
	g := autograd.NewGraph(autograd.Options{})
	loss := g.Param(p).Square().Sum()
	gradients := loss.Backward()
	version, before := p.Version(), p.Tensor()
	p.Set(vector(5, 6))
	for range 2 {
		p.AsAt(version, before, func() {
			if got := gradients.OfParam(p).Float64s(); got[0] != 2 || got[1] != 4 {
				t.Errorf("gradient %v", got)
			}
			for n := range loss.Ancestors() {
				if n.Kind == autograd.KindParam {
					if got := n.Value.View().Float64s(); got[0] != 1 || got[1] != 2 {
						t.Errorf("value %v", got)
					}
				}
			}
		})
		if got := p.Tensor().Float64s(); got[0] != 5 || got[1] != 6 || p.Version() != version+1 {
			t.Errorf("afterwards %v of version %d", got, p.Version())
		}
	}
	mustBeStale(t, "afterwards", func() { loss.Backward() })
}

// A converted Param has rounded numbers, gradients of the new precision, and
// makes recordings stale that show its old numbers.
func TestParamConvert(t *testing.T) {
	p := autograd.NewParam("p", vector(0.1, 2))
	g := autograd.NewGraph(autograd.Options{})
	loss := g.Param(p).Square().Sum()
	p.Convert(autograd.Float64)
	if wantNumbers(t, "gradient", loss.Backward().OfParam(p).Float64s(), []float64{0.2, 4}, 0); p.Version() != 0 {
		t.Error("a conversion to the Param's own precision is a write")
	}
	p.Convert(autograd.Float32)
	if p.Precision() != autograd.Float32 || p.Name() != "p" {
		t.Errorf("%v, named %q", p.Precision(), p.Name())
	}
	wantNumbers(t, "rounded", p.Tensor().Float64s(), []float64{float64(float32(0.1)), 2}, 0)
	mustBeStale(t, "the recording", func() { loss.Backward() })
	g.Reset()
	if of := g.Param(p).Square().Sum().Backward().OfParam(p); of.Precision() != autograd.Float32 {
		t.Errorf("its gradient is %v", of.Precision())
	}
	if err := autograd.Try(func() { p.Convert(9) }); err == nil {
		t.Error("a precision that does not exist was taken")
	}
}
