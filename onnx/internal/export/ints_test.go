package export_test

import (
	"errors"
	"io"
	"strings"
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

// What may be seen depends on the mask that is given when the model runs, also
// where the weights of attention are asked for, or its gradient.
func TestPythonMasksAreInputs(t *testing.T) {
	runner, rng := onnxtest.Start(t), random()
	record := func() onnx.Export {
		g := autograd.NewGraph(autograd.Options{})
		draw := func(shape ...int) autograd.Value { return g.Variable(autograd.Normal(rng, 0, 1, shape...)) }
		q, k, mask := draw(2, 2, 3, 4), draw(2, 2, 5, 4), make([]float64, 2*5)
		for i := range mask {
			mask[i] = float64(rng.IntN(2))
		}
		options := autograd.AttentionOptions{Mask: g.Constant(autograd.NewTensor(mask, 2, 1, 1, 5)), Causal: true, Offset: 2}
		y := autograd.Attention(q, k, k, options)
		return onnx.Export{
			Inputs:  []onnx.Input{{Name: "q", Value: q}, {Name: "k", Value: k}, {Name: "mask", Value: options.Mask}},
			Outputs: append(autograd.Grad(y.Square().Sum(), q, k), y, autograd.AttentionWeights(q, k, k, options)),
		}
	}
	if err := runner.Check(record(), 1e-12); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if err := runner.Run(record(), 1e-12); err != nil {
			t.Error(err)
		}
	}
}

// Where Ints that are an input made something that cannot follow them, the
// model would be wrong for others.
func TestRefusesWhatDoesNotFollowInts(t *testing.T) {
	for name, f := range map[string]func(x autograd.Value, ids autograd.Ints) autograd.Value{
		"weights of attention": func(x autograd.Value, ids autograd.Ints) autograd.Value {
			y := x.Reshape(2, 1, 2, 5)
			return autograd.AttentionWeights(y, y, y, autograd.AttentionOptions{Lengths: ids})
		},
		"picked":       func(x autograd.Value, ids autograd.Ints) autograd.Value { return x.Narrow(0, 0, 2).Pick(ids) },
		"segment mean": func(x autograd.Value, ids autograd.Ints) autograd.Value { return x.Narrow(0, 0, 2).SegmentMean(ids, 3) },
		"segment max":  func(x autograd.Value, ids autograd.Ints) autograd.Value { return x.Narrow(0, 0, 2).SegmentMax(ids, 3) },
		"one hot with some ignored": func(x autograd.Value, ids autograd.Ints) autograd.Value {
			return x.Narrow(0, 0, 2).Add(x.Graph().OneHotAlong(1, ids, 5, 1))
		},
		"the gradient of an LSTM": func(x autograd.Value, ids autograd.Ints) autograd.Value {
			w := autograd.RecurrentWeights{Input: x.Narrow(0, 0, 1).Reshape(5, 1).Expand(5, 4), Hidden: x.Graph().Full(0.1, 1, 4)}
			y, _, _ := autograd.LSTM(x.Reshape(2, 2, 5), autograd.Value{}, autograd.Value{}, w, autograd.RecurrentOptions{Lengths: ids})
			return autograd.Grad(y.Square().Sum(), x)[0]
		},
		"an id and what it chose": func(x autograd.Value, ids autograd.Ints) autograd.Value {
			return x.Embedding(ids).Add(x.Embedding(x.ArgMax(0).Take(0, 1)))
		},
	} {
		g, ids := autograd.NewGraph(autograd.Options{}), autograd.NewInts([]int{1, 2})
		x := g.Variable(autograd.Normal(random(), 0, 1, 4, 5))
		e := onnx.Export{Inputs: []onnx.Input{{Name: "ids", Ints: ids}, {Name: "x", Value: x}}, Outputs: []autograd.Value{f(x, ids)}}
		var refused *onnx.RefusedError
		if err := e.Write(io.Discard); !errors.As(err, &refused) {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
	g := autograd.NewGraph(autograd.Options{})
	x := g.Variable(autograd.Ones(2, 3))
	e := onnx.Export{Inputs: []onnx.Input{{Name: "x", Value: x}}, Outputs: []autograd.Value{x.Dropout(0.5)}}
	if err := e.Write(io.Discard); err == nil || !strings.Contains(err.Error(), "dropout") {
		t.Errorf("dropout: the error is %v", err)
	}
}
