package xla

import (
	"math/rand/v2"
	"testing"

	"nabla/autograd"
	"nabla/autograd/matrix"
)

// A further function is one that the rows of package autograd do not have, or
// whose second derivatives record operations that no first one does.
type further struct {
	name  string
	shape []int
	f     func(x autograd.Value) autograd.Value
	once  bool // its second derivative is recorded in another way for other numbers
}

// definite makes symmetric positive definite matrices of any.
func definite(x autograd.Value) autograd.Value {
	return x.MatMul(x.T()).Add(x.Graph().Constant(autograd.Eye(x.Dim(-1))))
}

// regular makes matrices that are far from singular, and whose rows have to be
// exchanged.
func regular(x autograd.Value) autograd.Value {
	return x.Add(x.Graph().Constant(autograd.Eye(x.Dim(-1))).Flip(0).MulScalar(3))
}

var furthers = []further{
	{name: "cholesky", shape: []int{2, 3, 3}, f: func(x autograd.Value) autograd.Value { return matrix.Cholesky(definite(x)) }},
	{name: "solve", shape: []int{2, 3, 3}, f: func(x autograd.Value) autograd.Value { return matrix.Solve(regular(x), x.Slice(-1, 0, 2, 1)) }},
	{name: "inverse", shape: []int{2, 4, 4}, f: func(x autograd.Value) autograd.Value { return matrix.Inverse(regular(x)) }},
	{name: "det", shape: []int{2, 4, 4}, f: func(x autograd.Value) autograd.Value { return matrix.Det(regular(x)) }, once: true},
	{name: "det of singular", shape: []int{3, 1}, f: func(x autograd.Value) autograd.Value { return matrix.Det(x.MatMul(x.T())) }, once: true},
	{name: "log det", shape: []int{2, 3, 3}, f: func(x autograd.Value) autograd.Value {
		sign, log := matrix.LogDet(regular(x))
		return sign.Mul(log)
	}},
	{name: "max pool", shape: []int{1, 2, 5, 6}, f: func(x autograd.Value) autograd.Value {
		return x.Square().MaxPool(autograd.PoolOptions{Kernel: []int{2}, Padding: [][2]int{{1, 1}}})
	}},
	{name: "adaptive max pool", shape: []int{1, 2, 5, 7}, f: func(x autograd.Value) autograd.Value { return x.Square().AdaptiveMaxPool(2, 3) }},
	{name: "avg pool", shape: []int{1, 2, 5, 6}, f: func(x autograd.Value) autograd.Value {
		return x.Square().AvgPool(autograd.PoolOptions{Kernel: []int{3}, Stride: []int{2}, Padding: [][2]int{{1, 0}}, ExcludePadding: true})
	}},
	{name: "logcumsumexp", shape: []int{2, 5}, f: func(x autograd.Value) autograd.Value { return x.LogCumSumExp(1) }},
	{name: "softmax", shape: []int{2, 5}, f: func(x autograd.Value) autograd.Value { return x.Softmax(1).Square() }},
	{name: "log softmax", shape: []int{2, 5}, f: func(x autograd.Value) autograd.Value { return x.LogSoftmax(1).Square() }},
	{name: "layer norm", shape: []int{2, 6}, f: func(x autograd.Value) autograd.Value {
		return x.LayerNorm(1, autograd.Value{}, autograd.Value{}, 1e-5).Square()
	}},
	{name: "batch norm", shape: []int{3, 2, 4}, f: func(x autograd.Value) autograd.Value {
		y, mean, variance := x.BatchNorm(autograd.Value{}, autograd.Value{}, 1e-5)
		return y.Square().Mul(mean.Add(variance).Reshape(1, 2, 1))
	}},
	{name: "conv", shape: []int{2, 2, 5}, f: func(x autograd.Value) autograd.Value {
		return x.Square().Conv(x.Narrow(2, 0, 3), autograd.ConvOptions{Same: true, Stride: []int{2}})
	}},
	{name: "upsample", shape: []int{1, 1, 3, 4}, f: func(x autograd.Value) autograd.Value {
		return x.Square().Upsample(autograd.UpsampleOptions{Scale: []int{2}, Bilinear: true})
	}},
	{name: "std", shape: []int{3, 4}, f: func(x autograd.Value) autograd.Value { return x.Std(1) }},
	{name: "norm", shape: []int{3, 4}, f: func(x autograd.Value) autograd.Value { return x.Norm(3, 1) }},
	{name: "sort", shape: []int{3, 4}, f: func(x autograd.Value) autograd.Value { return x.Square().Sort(0, true).Square() }},
	{name: "gelu", shape: []int{3, 4}, f: autograd.Value.GELU},
	{name: "rotary", shape: []int{1, 3, 4}, f: func(x autograd.Value) autograd.Value {
		return x.Square().Rotary(autograd.RotaryOptions{Heads: 2, Turned: 1})
	}},
}

// TestFurther compares values, gradients and second derivatives, all functions
// in one program. In float32 it does so with those that the rows do not have.
func TestFurther(t *testing.T) {
	c := testClient(t)
	for p, furthers := range map[autograd.Precision][]further{autograd.Float64: furthers, autograd.Float32: furthers[:6]} {
		rng := rand.New(rand.NewPCG(1, 0))
		var in []Input
		for _, f := range furthers {
			in = append(in, Numbers(autograd.Uniform(rng, 0.2, 1, f.shape...).In(p)))
		}
		step := func(g *autograd.Graph, in Inputs) []autograd.Value {
			var all []autograd.Value
			for i, f := range furthers {
				x := in.Value(i)
				y := f.f(x)
				gx := autograd.VJP(y, g.Constant(autograd.Uniform(rand.New(rand.NewPCG(2, 0)), 0.5, 1.5, y.Shape()...)), x)[0]
				ggx := gx
				if !f.once {
					ggx = autograd.Grad(gx.Square().Sum(), x)[0]
				}
				all = append(all, y, gx, ggx)
			}
			return all
		}
		function := Compile(c, step, autograd.Options{Precision: p})
		got, err := function.Call(in...)
		if err != nil {
			t.Fatal(err)
		}
		g := autograd.NewGraph(autograd.Options{Precision: p})
		bound := map[autograd.Precision]float64{autograd.Float64: 2e-12, autograd.Float32: 2e-4}[p]
		for i, want := range step(g, inputsOf(g, in)) {
			if d := distance(got[i].Float64s(), want.Tensor().Float64s()); d > bound {
				t.Errorf("%s, %v: derivative %d is off by %.2g", furthers[i/3].name, p, i%3, d)
			}
		}
		function.Close()
	}
}
