package autograd_test

import (
	"errors"
	"math"
	"testing"

	"nabla/autograd"
)

// Derivatives up to the fourth against closed forms, for scalars and tensors.
func TestHigherDerivatives(t *testing.T) {
	type value = autograd.Value
	const at = 0.7
	e, s, c, l := math.Exp(at), math.Sin(at), math.Cos(at), math.Log(at)
	th := math.Tanh(at)
	sech2 := 1 - th*th
	sg := 1 / (1 + math.Exp(-at))
	gauss := 2 / math.SqrtPi * math.Exp(-at*at)
	for _, row := range []struct {
		name string
		f    func(x value) value
		want [5]float64 // the value and four derivatives
	}{
		{"x⁵", func(x value) value { return x.PowScalar(5) }, [5]float64{math.Pow(at, 5), 5 * math.Pow(at, 4), 20 * at * at * at, 60 * at * at, 120 * at}},
		{"x·x·x", func(x value) value { return x.Mul(x).Mul(x) }, [5]float64{at * at * at, 3 * at * at, 6 * at, 6, 0}},
		{"exp", value.Exp, [5]float64{e, e, e, e, e}},
		{"sin", value.Sin, [5]float64{s, c, -s, -c, s}},
		{"cos", value.Cos, [5]float64{c, -s, -c, s, c}},
		{"log", value.Log, [5]float64{l, 1 / at, -1 / (at * at), 2 / (at * at * at), -6 / math.Pow(at, 4)}},
		{"1/x", value.Reciprocal, [5]float64{1 / at, -1 / (at * at), 2 / math.Pow(at, 3), -6 / math.Pow(at, 4), 24 / math.Pow(at, 5)}},
		{"sqrt", value.Sqrt, [5]float64{math.Sqrt(at), 0.5 * math.Pow(at, -0.5), -0.25 * math.Pow(at, -1.5), 0.375 * math.Pow(at, -2.5), -0.9375 * math.Pow(at, -3.5)}},
		{"tanh", value.Tanh, [5]float64{th, sech2, -2 * th * sech2, sech2 * (6*th*th - 2), sech2 * th * (16 - 24*th*th)}},
		{"sigmoid", value.Sigmoid, [5]float64{sg, sg * (1 - sg), sg * (1 - sg) * (1 - 2*sg), sg * (1 - sg) * (1 - 6*sg + 6*sg*sg), sg * (1 - sg) * (1 - 2*sg) * (1 - 12*sg + 12*sg*sg)}},
		{"erf", value.Erf, [5]float64{math.Erf(at), gauss, -2 * at * gauss, (4*at*at - 2) * gauss, (12*at - 8*at*at*at) * gauss}},
		{"x^x", func(x value) value { return x.Pow(x) }, xToTheX(at)},
		{"e^(sin x)", func(x value) value { return x.Sin().Exp() }, [5]float64{math.Exp(s), math.Exp(s) * c, math.Exp(s) * (c*c - s), math.Exp(s) * (c*c*c - 3*s*c - c), math.Exp(s) * (math.Pow(c, 4) - 6*s*c*c - 4*c*c + 3*s*s + s)}},
	} {
		for _, shape := range [][]int{nil, {3}} {
			g := autograd.NewGraph(autograd.Options{})
			x := g.Variable(autograd.Full(at, shape...))
			y := row.f(x)
			for order, want := range row.want {
				if order > 0 {
					below := y
					y = autograd.Grad(below.Sum(), x)[0]
					byBackward := below.Sum().Backward().Of(x)
					wantNumbers(t, row.name+" by Backward", byBackward.Float64s(), y.Tensor().Float64s(), 1e-12)
				}
				wantNumbers(t, row.name, y.Tensor().Float64s(), repeated(want, x.Size()), 1e-11)
			}
		}
	}
}

// xToTheX returns x^x and its derivatives, by the product rule from
// y′ = y·u with u = ln x + 1.
func xToTheX(x float64) [5]float64 {
	y, u, u1, u2, u3 := math.Pow(x, x), math.Log(x)+1, 1/x, -1/(x*x), 2/(x*x*x)
	y1 := y * u
	y2 := y1*u + y*u1
	y3 := y2*u + 2*y1*u1 + y*u2
	y4 := y3*u + 3*y2*u1 + 3*y1*u2 + y*u3
	return [5]float64{y, y1, y2, y3, y4}
}

// f(x, y) = [x²y, 5x + sin y, x] has a Jacobian in closed form.
func TestJacobian(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	v := g.Variable(vector(2, 0.5))
	x, y := v.Narrow(0, 0, 1), v.Narrow(0, 1, 1)
	f := autograd.Concat(0, x.Square().Mul(y), x.MulScalar(5).Add(y.Sin()), x)
	j := autograd.Jacobian(f, v)[0]
	want := []float64{2, 4, 5, math.Cos(0.5), 1, 0}
	wantShape(t, "Jacobian", j.Shape(), 3, 2)
	wantNumbers(t, "Jacobian", j.Tensor().Float64s(), want, 1e-15)
	wantNumbers(t, "JVP", autograd.JVP(f, []autograd.Value{v}, []autograd.Value{g.Constant(vector(3, -1))}).Tensor().Float64s(),
		[]float64{6 - 4, 15 - math.Cos(0.5), 3}, 1e-15)
	wantNumbers(t, "VJP", autograd.VJP(f, g.Constant(vector(1, 10, 100)), v)[0].Tensor().Float64s(),
		[]float64{2 + 50 + 100, 4 + 10*math.Cos(0.5)}, 1e-15)
}

func TestJacobianShapes(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	scalar, matrix, nothing := g.Variable(autograd.Scalar(2)), g.Variable(autograd.NewTensor([]float64{1, 2, 3, 4, 5, 6}, 2, 3)), g.Variable(autograd.Zeros(0, 2))
	row := matrix.Narrow(0, 0, 1)
	for _, row := range []struct {
		name   string
		y, x   autograd.Value
		shape  []int
		values []float64
	}{
		{"scalar by scalar", scalar.Square(), scalar, nil, []float64{4}},
		{"matrix by scalar", matrix.Mul(scalar), scalar, []int{2, 3}, []float64{1, 2, 3, 4, 5, 6}},
		{"scalar by matrix", matrix.Square().Sum(), matrix, []int{2, 3}, []float64{2, 4, 6, 8, 10, 12}},
		{"transposed", row.T(), row, []int{3, 1, 1, 3}, []float64{1, 0, 0, 0, 1, 0, 0, 0, 1}},
		{"itself", scalar, scalar, nil, []float64{1}},
		{"nothing by scalar", nothing.Mul(scalar), scalar, []int{0, 2}, nil},
		{"scalar by nothing", scalar.Add(nothing.Sum()), nothing, []int{0, 2}, nil},
		{"not connected", scalar.Exp(), matrix, []int{2, 3}, make([]float64, 6)},
	} {
		j := autograd.Jacobian(row.y, row.x)[0]
		wantShape(t, row.name, j.Shape(), row.shape...)
		wantNumbers(t, row.name, j.Tensor().Float64s(), row.values, 1e-15)
	}
}

// ½xᵀAx has the Hessian ½(A + Aᵀ).
func TestHessian(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	a := g.Constant(autograd.FromNested([][]float64{{2, 1, 0}, {3, 5, -1}, {4, 0, 7}}))
	x := g.Variable(vector(1, 2, 3))
	y := x.MatMul(a).MatMul(x).MulScalar(0.5)
	symmetric := []float64{2, 2, 2, 2, 5, -0.5, 2, -0.5, 7}
	h := autograd.Hessian(y, x)
	wantShape(t, "Hessian", h.Shape(), 3, 3)
	wantNumbers(t, "Hessian", h.Tensor().Float64s(), symmetric, 1e-15)
	wantNumbers(t, "HVP", autograd.HVP(y, []autograd.Value{x}, []autograd.Value{g.Constant(vector(1, 0, -1))})[0].Tensor().Float64s(), []float64{0, 2.5, -5}, 1e-15)

	// log-sum-exp: diag(p) − p·pᵀ.
	p := x.Softmax(0).Tensor().Float64s()
	want := make([]float64, 9)
	for i := range 3 {
		for j := range 3 {
			want[3*i+j] = -p[i] * p[j]
		}
		want[4*i] += p[i]
	}
	wantNumbers(t, "Hessian of logsumexp", autograd.Hessian(x.LogSumExp(), x).Tensor().Float64s(), want, 1e-14)
	wantNumbers(t, "Jacobian of softmax", autograd.Jacobian(x.Softmax(0), x)[0].Tensor().Float64s(), want, 1e-14)
	wantNumbers(t, "no dependence", autograd.Hessian(g.Scalar(1), x).Tensor().Float64s(), make([]float64, 9), 0)
	wantNumbers(t, "a linear function", autograd.Hessian(x.Sum(), x).Tensor().Float64s(), make([]float64, 9), 0)
}

// JVP is computed from a linear function of a seed of zeros: an infinite
// second derivative or a branch must not make it NaN.
func TestJVPAtEdges(t *testing.T) {
	type value = autograd.Value
	for name, row := range map[string]struct {
		f    func(x value) value
		want float64
	}{
		"relu":    {value.ReLU, 0},
		"abs":     {value.Abs, 0},
		"maximum": {func(x value) value { return x.Maximum(x.Graph().Scalar(0)) }, 1.5},
		"norm":    {func(x value) value { return x.Norm(2) }, 0},
		"square":  {value.Square, 0},
		"exp":     {value.Exp, 3},
	} {
		g := autograd.NewGraph(autograd.Options{})
		x := g.Variable(vector(0, 0))
		got := autograd.JVP(row.f(x), []value{x}, []value{g.Full(3, 2)})
		wantNumbers(t, name, got.Tensor().Float64s(), repeated(row.want, got.Size()), 0)
	}
}

// f(w, b) = Σ (w·b)² for a vector w and a number b, whose derivatives by both
// together are in closed form: with s = Σ w², f = b²s.
func TestDerivativesBySeveralInputs(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	w, b := g.Variable(vector(1, -2)), g.Variable(autograd.Scalar(3))
	vw, vb := g.Constant(vector(0.5, 4)), g.Scalar(-1)
	xs, vs := []autograd.Value{w, b}, []autograd.Value{vw, vb}
	y := w.Mul(b)
	f := y.Square().Sum()

	// ẏ = b·vw + w·vb
	wantNumbers(t, "JVP", autograd.JVP(y, xs, vs).Tensor().Float64s(), []float64{1.5 - 1, 12 + 2}, 1e-15)
	wantNumbers(t, "JVP of no inputs", autograd.JVP(y, nil, nil).Tensor().Float64s(), []float64{0, 0}, 0)

	// by w: 2b²·vw + 4bw·vb, by b: 4b·(w·vw) + 2s·vb
	h := autograd.HVP(f, xs, vs)
	wantNumbers(t, "HVP by w", h[0].Tensor().Float64s(), []float64{9 - 12, 72 + 24}, 1e-14)
	wantNumbers(t, "HVP by b", h[1].Tensor().Float64s(), []float64{12*(0.5-8) - 10}, 1e-14)

	j := autograd.Jacobian(y, xs...)
	wantShape(t, "Jacobian by w", j[0].Shape(), 2, 2)
	wantNumbers(t, "Jacobian by w", j[0].Tensor().Float64s(), []float64{3, 0, 0, 3}, 1e-15)
	wantShape(t, "Jacobian by b", j[1].Shape(), 2)
	wantNumbers(t, "Jacobian by b", j[1].Tensor().Float64s(), []float64{1, -2}, 1e-15)

	var fault *autograd.ArgumentError
	for name, call := range map[string]func(){
		"JVP": func() { autograd.JVP(y, xs, vs[:1]) },
		"HVP": func() { autograd.HVP(f, xs, vs[:1]) },
	} {
		if err := autograd.Try(call); !errors.As(err, &fault) || fault.Op != name {
			t.Errorf("%s with a vector too few: %v", name, err)
		}
	}
}

// Any Value may be an x: an intermediate one, a constant, a frozen Param, y
// itself, the same twice.
func TestGradOfAnyValue(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	p := autograd.NewParam("p", vector(1, 2))
	p.Frozen = true
	c, v, w := g.Constant(vector(3, 4)), g.Variable(vector(5, 6)), g.Param(p)
	h := c.Mul(v)
	y := h.Square().Mul(w).Sum()
	grads := autograd.Grad(y, h, c, v, w, y, c, g.Constant(vector(1)))
	for i, want := range [][]float64{{30, 96}, {150, 576}, {90, 384}, {225, 576}, {1}, {150, 576}, {0}} {
		wantNumbers(t, "gradient", grads[i].Tensor().Float64s(), want, 1e-15)
	}
	// d²y/(dc dh) by differentiating dy/dh.
	mixed := autograd.Grad(grads[0].Sum(), c)[0]
	wantNumbers(t, "mixed derivative", mixed.Tensor().Float64s(), []float64{2 * 1 * 5, 2 * 2 * 6}, 1e-15)
	// With respect to c alone the pass ends at h, with respect to h before c.
	wantNumbers(t, "constant alone", autograd.Grad(y, c)[0].Tensor().Float64s(), []float64{150, 576}, 1e-15)
	later := y.Exp()
	wantNumbers(t, "of what comes later", autograd.Grad(y, later)[0].Tensor().Float64s(), []float64{0}, 0)
}

func TestDetach(t *testing.T) {
	for _, size := range []int{1, 3} {
		g := autograd.NewGraph(autograd.Options{})
		x := g.Variable(autograd.Full(3, size))
		d := x.Square().Detach()
		y := d.Mul(x).Sum()
		wantNumbers(t, "value", d.Tensor().Float64s(), repeated(9, size), 0)
		wantNumbers(t, "Backward", y.Backward().Of(x).Float64s(), repeated(9, size), 0)
		grads := autograd.Grad(y, x, d)
		wantNumbers(t, "Grad", grads[0].Tensor().Float64s(), repeated(9, size), 0)
		wantNumbers(t, "with respect to what is detached", grads[1].Tensor().Float64s(), repeated(3, size), 0)
		wantNumbers(t, "a gradient, detached", autograd.Grad(autograd.Grad(x.Square().Sum(), x)[0].Detach().Mul(x).Sum(), x)[0].Tensor().Float64s(), repeated(6, size), 0)
	}
}

// Gradients stop at masks, and do not make 0·Inf of them.
func TestMasksStopGradients(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Variable(vector(0, 4))
	y := x.GreaterScalar(1).Mul(x.Square()).Add(x.Sqrt().Sign()).Sum()
	wantNumbers(t, "Backward", y.Backward().Of(x).Float64s(), []float64{0, 8}, 0)
	wantNumbers(t, "Grad", autograd.Grad(y, x)[0].Tensor().Float64s(), []float64{0, 8}, 0)
	alone := x.Sign().Sum()
	grads := alone.Backward()
	wantNumbers(t, "a mask alone", grads.Of(x).Float64s(), []float64{0, 0}, 0)
	if grads.Reached(x) {
		t.Error("a path through a mask reaches x")
	}
	// A mask that is itself computed from x picks branches only.
	pick := autograd.Where(x, x.MulScalar(2), x.MulScalar(3)).Sum()
	wantNumbers(t, "x as its own mask", pick.Backward().Of(x).Float64s(), []float64{3, 2}, 0)
	wantNumbers(t, "x as its own mask, Grad", autograd.Grad(pick, x)[0].Tensor().Float64s(), []float64{3, 2}, 0)
}

// A gradient penalty: Backward through what Grad recorded, with a shared Param.
func TestGradientPenalty(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	p := autograd.NewParam("w", autograd.Scalar(2))
	x := g.Constant(autograd.Scalar(3))
	// y = w·tanh(w·x), ∂y/∂x = w²·sech²(wx) =: s, loss = s²
	y := g.Param(p).Mul(g.Param(p).Mul(x).Tanh())
	s := autograd.Grad(y, x)[0]
	th := math.Tanh(6)
	sech2 := 1 / math.Cosh(6) / math.Cosh(6)
	wantNumbers(t, "∂y/∂x", []float64{s.Item()}, []float64{4 * sech2}, 1e-12)
	ds := 2*2*sech2 + 4*(-2*th*sech2)*3
	wantNumbers(t, "∂loss/∂w", []float64{s.Square().Backward().OfParam(p).Item()}, []float64{2 * 4 * sech2 * ds}, 1e-12)
	wantNumbers(t, "y's own", []float64{y.Backward().OfParam(p).Item()}, []float64{th + 2*3*sech2}, 1e-12)
}

// A rule of the user's own is differentiated again.
func TestCustomSecondOrder(t *testing.T) {
	cube := autograd.Operation{
		Name: "cube",
		Forward: func(in []autograd.Tensor) autograd.Tensor {
			y := in[0].Clone()
			for i, x := range in[0].Raw64() {
				y.Raw64()[i] = x * x * x
			}
			return y
		},
		Rule: func(r *autograd.Rule) { r.Add(0, r.Grad().Mul(r.In(0).Square()).MulScalar(3)) },
	}
	g := autograd.NewGraph(autograd.Options{})
	x := g.Variable(vector(1, -2))
	first := autograd.Grad(autograd.Custom(cube, x).Sum(), x)[0]
	wantNumbers(t, "first", first.Tensor().Float64s(), []float64{3, 12}, 1e-15)
	wantNumbers(t, "second", first.Sum().Backward().Of(x).Float64s(), []float64{6, -12}, 1e-15)
}

// An operation of the user's own may broadcast, and hand over several
// gradients for one input.
func TestCustomBroadcast(t *testing.T) {
	add := autograd.Operation{
		Name: "add rows",
		Forward: func(in []autograd.Tensor) autograd.Tensor {
			y := in[0].Clone()
			for i := range y.Raw64() {
				y.Raw64()[i] += in[1].Raw64()[i%in[1].Size()]
			}
			return y
		},
		Rule: func(r *autograd.Rule) {
			if r.Needs(0) {
				r.Add(0, r.Grad())
			}
			r.Add(1, r.Grad().MulScalar(0.25))
			r.Add(1, r.Grad().MulScalar(0.75))
		},
	}
	g := autograd.NewGraph(autograd.Options{})
	x, b := g.Variable(autograd.Ones(4, 2)), g.Variable(vector(1, 2))
	y := autograd.Custom(add, x, b).Mul(g.Constant(autograd.Arange(0, 8, 1).Reshape(4, 2))).Sum()
	wantNumbers(t, "gb", y.Backward().Of(b).Float64s(), []float64{12, 16}, 1e-15)
	wantNumbers(t, "gx", y.Backward().Of(x).Float64s(), []float64{0, 1, 2, 3, 4, 5, 6, 7}, 1e-15)
	wantNumbers(t, "gb by Grad", autograd.Grad(y, b)[0].Tensor().Float64s(), []float64{12, 16}, 1e-15)
}
