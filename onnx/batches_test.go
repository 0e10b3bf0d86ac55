package onnx_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"testing"

	"nabla/autograd"
	"nabla/layers"
	"nabla/onnx"
)

// A sampled network is recorded for batches of any length: record draws the
// inputs from the rng.
type sampled struct {
	name   string
	record func(g *autograd.Graph, rng *rand.Rand, batch int) onnx.Export
}

func drawn(g *autograd.Graph, rng *rand.Rand, dims ...int) autograd.Value {
	return g.Constant(autograd.Normal(rng, 0, 1, dims...))
}

func drawnInts(rng *rand.Rand, least, most int, dims ...int) autograd.Ints {
	n := 1
	for _, d := range dims {
		n *= d
	}
	values := make([]int, n)
	for i := range values {
		values[i] = least + rng.IntN(most-least+1)
	}
	return autograd.NewInts(values, dims...)
}

// of makes an Export of what f computes from x, [batch, dims...].
func of(dims []int, f func(x autograd.Value, batch int) autograd.Value) func(*autograd.Graph, *rand.Rand, int) onnx.Export {
	return func(g *autograd.Graph, rng *rand.Rand, batch int) onnx.Export {
		x := drawn(g, rng, append([]int{batch}, dims...)...)
		return onnx.Export{Inputs: []onnx.Input{{Name: "x", Value: x}}, Outputs: []autograd.Value{f(x, batch)}}
	}
}

// weightsOf returns those of a cell that reads 3 and keeps 4 numbers.
func weightsOf(g *autograd.Graph, gates int) autograd.RecurrentWeights {
	rng := rand.New(rand.NewPCG(1, 2))
	draw := func(name string, dims ...int) autograd.Value {
		return g.Param(autograd.NewParam(name, autograd.Normal(rng, 0, 1, dims...)))
	}
	return autograd.RecurrentWeights{Input: draw("input", 3, gates*4), Hidden: draw("hidden", 4, gates*4), InputBias: draw("bias", gates*4)}
}

var sampledNetworks = []sampled{
	{"lengths of an LSTM in another shape", func(g *autograd.Graph, rng *rand.Rand, batch int) onnx.Export {
		x, lengths := drawn(g, rng, batch, 5, 3), drawnInts(rng, 1, 5, batch, 1)
		y, _, _ := autograd.LSTM(x, autograd.Value{}, autograd.Value{}, weightsOf(g, 4), autograd.RecurrentOptions{Lengths: lengths.Reshape(batch)})
		return onnx.Export{Inputs: []onnx.Input{{Name: "x", Value: x}, {Name: "lengths", Ints: lengths}}, Outputs: []autograd.Value{y}}
	}},
	{"lengths of an attention in another shape", func(g *autograd.Graph, rng *rand.Rand, batch int) onnx.Export {
		x, lengths := drawn(g, rng, batch, 2, 5, 3), drawnInts(rng, 1, 5, batch, 1)
		y := autograd.Attention(x, x, x, autograd.AttentionOptions{Lengths: lengths.Reshape(batch), Causal: true})
		return onnx.Export{Inputs: []onnx.Input{{Name: "x", Value: x}, {Name: "lengths", Ints: lengths}}, Outputs: []autograd.Value{y}}
	}},
	{"one hot of labels in another shape", func(g *autograd.Graph, rng *rand.Rand, batch int) onnx.Export {
		labels := drawnInts(rng, 0, 4, batch, 6)
		y := g.OneHot(labels.Reshape(6*batch), 5).Reshape(batch, 30)
		return onnx.Export{Inputs: []onnx.Input{{Name: "labels", Ints: labels}}, Outputs: []autograd.Value{y}}
	}},
	{"LSTM from a state, of the same sequence", func(g *autograd.Graph, rng *rand.Rand, batch int) onnx.Export {
		h := drawn(g, rng, batch, 4)
		start := g.Param(autograd.NewParam("start", autograd.Normal(rand.New(rand.NewPCG(3, 3)), 0, 1, 1, 5, 3)))
		y, last, cell := autograd.LSTM(start.Expand(batch, 5, 3), h, autograd.Value{}, weightsOf(g, 4), autograd.RecurrentOptions{})
		return onnx.Export{Inputs: []onnx.Input{{Name: "h", Value: h}}, Outputs: []autograd.Value{y, last, cell}}
	}},
	{"GRU of two sequences of each sample", func(g *autograd.Graph, rng *rand.Rand, batch int) onnx.Export {
		x := drawn(g, rng, batch, 2, 5, 3)
		y, last := autograd.GRU(x.Transpose(0, 1).Reshape(2*batch, 5, 3), autograd.Value{}, weightsOf(g, 3), autograd.RecurrentOptions{Reverse: true})
		return onnx.Export{Inputs: []onnx.Input{{Name: "x", Value: x}}, Outputs: []autograd.Value{y.Reshape(2, batch, 5, 4), last.Reshape(2, batch, 4)}}
	}},
	{"a token in front", of([]int{3, 8}, func(x autograd.Value, batch int) autograd.Value {
		token := x.Graph().Param(autograd.NewParam("token", autograd.Full(0.5, 1, 1, 8)))
		return autograd.Concat(1, token.Expand(batch, 1, 8), x)
	})},
	{"a group of convolutions", of([]int{2, 7, 8}, func(x autograd.Value, batch int) autograd.Value {
		return x.Conv(x.Graph().Full(0.1, 4, 2, 4, 4), autograd.ConvOptions{Stride: []int{2}, Same: true})
	})},
	{"running extremes", of([]int{5}, func(x autograd.Value, batch int) autograd.Value { return x.CumMax(1) })},
	{"encoder", of([]int{6, 12}, func(x autograd.Value, batch int) autograd.Value {
		return layers.NewTransformerEncoderBlock(rand.New(rand.NewPCG(1, 1)), 12, 3, 20).Run(x, layers.AttendOptions{Causal: true})
	})},
}

// What is exported with a batch of 4 computes the same of others.
func TestBatchesOfOtherLengths(t *testing.T) {
	for _, n := range sampledNetworks {
		for _, precision := range []autograd.Precision{autograd.Float32, autograd.Float64} {
			if err := n.check(precision); err != nil {
				t.Errorf("%s, %v: %v", n.name, precision, err)
			}
		}
	}
}

func (n sampled) check(precision autograd.Precision) error {
	g := autograd.NewGraph(autograd.Options{Precision: precision, NoGrad: true})
	e := n.record(g, rand.New(rand.NewPCG(4, 1)), 4)
	e.Batch = "batch"
	var file bytes.Buffer
	if err := e.Write(&file); err != nil {
		return err
	}
	m, err := onnx.Import(&file)
	if err != nil {
		return err
	}
	for _, batch := range []int{1, 3, 4, 7} {
		g.Reset()
		e := n.record(g, rand.New(rand.NewPCG(uint64(batch), 1)), batch)
		feed := map[string]onnx.Data{}
		for _, in := range e.Inputs {
			feed[in.Name] = onnx.Data{Value: in.Value, Ints: in.Ints}
		}
		var got map[string]onnx.Data
		if err := autograd.Try(func() { got = m.Run(g, feed) }); err != nil {
			return fmt.Errorf("a batch of %d: %w", batch, err)
		}
		for i, y := range e.Outputs {
			if err := near(got[m.Outputs()[i].Name].Value.Tensor(), y.Tensor()); err != nil {
				return fmt.Errorf("a batch of %d: output %d: %w", batch, i, err)
			}
		}
	}
	return nil
}

func near(got, want autograd.Tensor) error {
	if fmt.Sprint(got.Shape()) != fmt.Sprint(want.Shape()) {
		return fmt.Errorf("the shape is %v, want %v", got.Shape(), want.Shape())
	}
	a, b := got.Float64s(), want.Float64s()
	for i := range a {
		if !(math.Abs(a[i]-b[i]) <= 1e-5*max(1, math.Abs(b[i]))) {
			return fmt.Errorf("element %d is %v, want %v", i, a[i], b[i])
		}
	}
	return nil
}

// What would be wrong for another batch is refused.
func TestRefusesWhatFitsOneBatch(t *testing.T) {
	for name, record := range map[string]func(*autograd.Graph, *rand.Rand, int) onnx.Export{
		"gather from some samples": of([]int{3}, func(x autograd.Value, batch int) autograd.Value {
			return x.Gather(1, autograd.NewInts([]int{1, 2}, 1, 2))
		}),
		"scatter to more samples": of([]int{3}, func(x autograd.Value, batch int) autograd.Value {
			return x.Graph().Full(0, batch+1, 3).ScatterAdd(1, autograd.NewInts(make([]int, 3*batch), batch, 3), x)
		}),
	} {
		g := autograd.NewGraph(autograd.Options{NoGrad: true})
		e := record(g, rand.New(rand.NewPCG(1, 1)), 4)
		e.Batch = "batch"
		if err := e.Write(io.Discard); !errors.As(err, new(*onnx.RefusedError)) {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}

// A layer that computes something of the length of the batch is another for
// each, which one recording does not show.
func TestLayerIsOneForAllBatches(t *testing.T) {
	length := func(x autograd.Value) int { return x.Dim(0) }
	for name, f := range map[string]func(x autograd.Value) autograd.Value{
		"a number": func(x autograd.Value) autograd.Value { return x.MulScalar(1 / float64(length(x))) },
		"a shape":  func(x autograd.Value) autograd.Value { return x.Unsqueeze(1).Repeat(1, length(x)).Sum(1) },
		"a setting": func(x autograd.Value) autograd.Value {
			return x.Unsqueeze(1).Pad(1, [2]int{}, [2]int{0, length(x)}, [2]int{}).Sum(1)
		},
		"a loop": func(x autograd.Value) autograd.Value {
			for range length(x) {
				x = x.Tanh()
			}
			return x
		},
	} {
		if _, err := onnx.Layer(layers.Func("f", f), -1, 3); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := onnx.Layer(layers.Func("f", f), 2, 3); err != nil {
			t.Errorf("%s, of a batch of 2: %v", name, err)
		}
	}
	token := autograd.NewParam("token", autograd.Full(0.5, 1, 3))
	for name, f := range map[string]func(x autograd.Value) autograd.Value{
		"a Param for each sample":    func(x autograd.Value) autograd.Value { return x.Graph().Param(token).Expand(x.Dim(0), 3).Tanh().Mul(x) },
		"a constant for each sample": func(x autograd.Value) autograd.Value { return autograd.Concat(1, x, x.Graph().Full(2, x.Dim(0), 2)) },
		"a mean that is the same":    func(x autograd.Value) autograd.Value { return x.Sub(x.Graph().Full(2, x.Dim(0)).Mean()) },
		"indices for each sample": func(x autograd.Value) autograd.Value {
			return x.Gather(1, autograd.NewInts(make([]int, 2*x.Dim(0)), x.Dim(0), 2))
		},
	} {
		if _, err := onnx.Layer(layers.Func("f", f), -1, 3); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is a constant with a name stays one in a model that is read again, and
// does not become a Param.
func TestNamedConstantsStayConstant(t *testing.T) {
	var file bytes.Buffer
	e, err := onnx.Layer(layers.NewSinePositions(9, 8), -1, 5, 8)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Write(&file); err != nil {
		t.Fatal(err)
	}
	m, err := onnx.Import(&file)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range m.Params() {
		t.Errorf("a Param %q", p.Name())
	}
}

// Attentions of one length share the mask in the file.
func TestMasksAreWrittenOnce(t *testing.T) {
	const steps, blocks = 64, 4
	g := autograd.NewGraph(autograd.Options{Precision: autograd.Float32, NoGrad: true})
	x := g.Constant(autograd.Ones(2, 1, steps, 1))
	y := x
	for range blocks {
		y = autograd.Attention(y, y, y, autograd.AttentionOptions{Causal: true})
	}
	var file bytes.Buffer
	if err := (onnx.Export{Inputs: []onnx.Input{{Value: x}}, Outputs: []autograd.Value{y}, Batch: "batch"}).Write(&file); err != nil {
		t.Fatal(err)
	}
	if mask := 4 * steps * steps; file.Len() > 2*mask {
		t.Errorf("%d bytes, for a mask of %d", file.Len(), mask)
	}
}
