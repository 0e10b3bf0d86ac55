package export_test

import (
	"testing"

	"nabla/autograd"
	"nabla/internal/onnxtest"
	"nabla/onnx"
)

// What the Ints of an operation are is up to who runs the model: exported with
// some, it computes the same as Nabla with others.
func TestPythonIntsAreInputs(t *testing.T) {
	runner, rng := onnxtest.Start(t), random()
	draw := func(n, below int, shape ...int) autograd.Ints {
		values := make([]int, n)
		for i := range values {
			values[i] = rng.IntN(below)
		}
		return autograd.NewInts(values, shape...)
	}
	for _, c := range []struct {
		name  string
		batch string
		make  func() autograd.Ints
		f     func(x autograd.Value, ids autograd.Ints) autograd.Value
	}{
		{"embedding", "", func() autograd.Ints { return draw(6, 4, 2, 3) }, autograd.Value.Embedding},
		{"embedding of a batch", "batch", func() autograd.Ints { return draw(6, 4, 2, 3) }, autograd.Value.Embedding},
		{"embedding and its gradient", "", func() autograd.Ints { return draw(6, 4, 2, 3) }, func(x autograd.Value, ids autograd.Ints) autograd.Value {
			return autograd.Grad(x.Embedding(ids).Square().Sum(), x)[0]
		}},
		{"index select", "", func() autograd.Ints { return draw(6, 5, 2, 3) }, func(x autograd.Value, ids autograd.Ints) autograd.Value {
			return x.IndexSelect(1, ids)
		}},
		{"index select by a batch", "batch", func() autograd.Ints { return draw(6, 5, 2, 3) }, func(x autograd.Value, ids autograd.Ints) autograd.Value {
			return x.IndexSelect(1, ids)
		}},
		{"index add", "", func() autograd.Ints { return draw(4, 3, 4) }, func(x autograd.Value, ids autograd.Ints) autograd.Value {
			return x.Graph().Full(1, 3, 5).IndexAdd(0, ids, x)
		}},
		{"gather", "", func() autograd.Ints { return draw(12, 5, 4, 3) }, func(x autograd.Value, ids autograd.Ints) autograd.Value {
			return x.Gather(1, ids)
		}},
		{"gather and its gradient", "", func() autograd.Ints { return draw(12, 5, 4, 3) }, func(x autograd.Value, ids autograd.Ints) autograd.Value {
			return autograd.Grad(x.Gather(1, ids).Square().Sum(), x)[0]
		}},
		{"scatter add", "", func() autograd.Ints { return draw(20, 7, 4, 5) }, func(x autograd.Value, ids autograd.Ints) autograd.Value {
			return x.Graph().Full(1, 4, 7).ScatterAdd(1, ids, x)
		}},
		{"segment sum", "", func() autograd.Ints { return draw(4, 3, 4) }, func(x autograd.Value, ids autograd.Ints) autograd.Value {
			return x.SegmentSum(ids, 3)
		}},
		{"one hot", "", func() autograd.Ints { return draw(8, 5, 4, 2) }, func(x autograd.Value, ids autograd.Ints) autograd.Value {
			return x.Unsqueeze(1).Add(x.Graph().OneHot(ids, 5))
		}},
		{"one hot along an axis of a batch", "batch", func() autograd.Ints { return draw(8, 5, 4, 2) }, func(x autograd.Value, ids autograd.Ints) autograd.Value {
			return x.Graph().OneHotAlong(1, ids, 5).MulScalar(3)
		}},
	} {
		for _, precision := range []autograd.Precision{autograd.Float32, autograd.Float64} {
			record := func() onnx.Export {
				g, ids := autograd.NewGraph(autograd.Options{Precision: precision}), c.make()
				x := g.Variable(autograd.Normal(rng, 0, 1, 4, 5))
				e := onnx.Export{Inputs: []onnx.Input{{Name: "ids", Ints: ids}}, Outputs: []autograd.Value{c.f(x, ids)}, Batch: c.batch}
				e.Inputs = append(e.Inputs, onnx.Input{Name: "x", Value: x, Fixed: true})
				return e
			}
			if err := runner.Check(record(), 1e-5); err != nil {
				t.Errorf("%s, %v: %v", c.name, precision, err)
				continue
			}
			if err := runner.Run(record(), 1e-5); err != nil {
				t.Errorf("%s, %v, other Ints: %v", c.name, precision, err)
			}
		}
	}
}
