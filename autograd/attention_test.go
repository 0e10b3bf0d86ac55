package autograd_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"nabla/autograd"
)

// wave is what testdata/attention.py fills tensors with.
func wave(j int, shape ...int) autograd.Tensor {
	t := autograd.Zeros(shape...)
	for i, all := 0, t.Raw64(); i < len(all); i++ {
		all[i] = math.Sin(float64(i+1) + 0.37*float64(j))
	}
	return t
}

// visibleKeys is the mask of testdata/attention.py, with values for what is
// visible and what is not.
func visibleKeys(visible, hidden float64) autograd.Tensor {
	mask := autograd.Full(hidden, 3, 6)
	for i := range 3 {
		for j := range 6 {
			if (3*i+5*j)%4 != 0 && i != 1 {
				mask.Raw64()[i*6+j] = visible
			}
		}
	}
	return mask
}

func TestAttentionTorchVectors(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "attention.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			Name      string
			Shapes    [][]int
			Output    attentionTensor
			Gradients []attentionTensor
		}
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) != 8 {
		t.Fatalf("%d cases were read", len(file.Cases))
	}
	for _, c := range file.Cases {
		g := autograd.NewGraph(autograd.Options{CheckFinite: true})
		var in []autograd.Value
		for j, shape := range c.Shapes {
			in = append(in, g.Variable(wave(j, shape...)))
		}
		var o autograd.AttentionOptions
		switch c.Name {
		case "scale":
			o.Scale = 0.3
		case "mask":
			o.Mask = g.Constant(visibleKeys(1, 0))
		case "additive mask":
			o.Bias = g.Constant(visibleKeys(0, math.Inf(-1)))
		case "bias":
			o.Bias = in[3]
		case "causal", "grouped heads, causal":
			o.Causal = true
		}
		y := autograd.Attention(in[0], in[1], in[2], o)
		wantNear(t, c.Name, y.Tensor().Float64s(), c.Output.Data, 1e-12)
		seed := wave(100, y.Shape()...)
		grads := y.BackwardFrom(seed)
		again := autograd.VJP(y, g.Constant(seed), in...)
		for j, want := range c.Gradients {
			wantNear(t, c.Name+", gradient", grads.Of(in[j]).Float64s(), want.Data, 1e-12)
			wantNear(t, c.Name+", gradient written out", again[j].Tensor().Float64s(), want.Data, 1e-12)
		}
	}
}

type attentionTensor struct {
	Shape []int
	Data  []float64
}

func wantNear(t *testing.T, what string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	for i, v := range got {
		if !(math.Abs(v-want[i]) <= tolerance*max(1, math.Abs(want[i]))) {
			t.Fatalf("%s: element %d is %v, want %v", what, i, v, want[i])
		}
	}
}

// A query that sees no key gives 0 and passes no gradient, and no NaN appears
// on the way, also of a derivative of second order. An infinity in what is
// hidden does no harm.
func TestAttentionThatSeesNothing(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{CheckFinite: true})
	x := g.Variable(weightsFor([]int{2, 3, 12}).tensor())
	bias := g.Constant(autograd.NewTensor([]float64{0, math.Inf(-1), 0, math.Inf(-1), math.Inf(-1), math.Inf(-1), 1, 1, 1}, 3, 3))
	mask := g.Constant(autograd.NewTensor([]float64{1, 0, 1, 0, 0, 0, 1, 1, 1}, 3, 3))
	for _, o := range []autograd.AttentionOptions{{Heads: 2, Mask: mask}, {Heads: 2, Bias: bias}} {
		y := autograd.Attention(x, none, none, o)
		gx := y.Square().Sum().Backward().Of(x)
		written := autograd.Grad(y.Square().Sum(), x)[0]
		second := autograd.Grad(written.Square().Sum(), x)[0]
		for i := range 4 {
			if v := y.Tensor().At(0, 1, i); v != 0 {
				t.Errorf("element %d is %v", i, v)
			}
			if a, b, c := gx.At(1, 1, i), written.Tensor().At(1, 1, i), second.Tensor().At(1, 1, i); a != 0 || b != 0 || c != 0 {
				t.Errorf("the gradients of element %d of the query are %v, %v and %v", i, a, b, c)
			}
		}
		wantNear(t, "written out", written.Tensor().Float64s(), gx.Float64s(), 1e-12)
	}
}

// Keys behind a sample's length are never read.
func TestAttentionReadsNoPadding(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	k := weightsFor([]int{1, 1, 5, 2})
	for i := 6; i < 10; i++ {
		k.data[i] = math.NaN()
	}
	q, padded := g.Variable(weightsFor([]int{1, 1, 3, 2}).tensor()), g.Variable(k.tensor())
	y := autograd.Attention(q, padded, padded, autograd.AttentionOptions{Lengths: autograd.NewInts([]int{3})})
	short := g.Variable(autograd.NewTensor(k.data[:6], 1, 1, 3, 2))
	want := autograd.Attention(q, short, short, autograd.AttentionOptions{})
	wantBits(t, "result", y.Tensor().Float64s(), want.Tensor().Float64s())
	got := y.Square().Sum().Backward().Of(padded).Float64s()
	wantNear(t, "gradient", got, append(want.Square().Sum().Backward().Of(short).Float64s(), 0, 0, 0, 0), 1e-15)
}

// A bias that all keys share changes nothing, so that its gradient is 0 but for
// rounding.
func TestAttentionOfABiasThatKeysShare(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x, bias := g.Variable(weightsFor([]int{2, 3, 12}).tensor()), g.Variable(weightsFor([]int{3, 1}).tensor())
	y := autograd.Attention(x, none, none, autograd.AttentionOptions{Heads: 2, Bias: bias})
	plain := autograd.Attention(x, none, none, autograd.AttentionOptions{Heads: 2})
	wantNear(t, "result", y.Tensor().Float64s(), plain.Tensor().Float64s(), 1e-14)
	wantNear(t, "gradient", y.Square().Sum().Backward().Of(bias).Float64s(), []float64{0, 0, 0}, 1e-14)
}

// Dropout keeps each weight with its probability, divided by it; its gradient
// is that of the same draw, and the draw is the graph's random state's.
func TestAttentionDropout(t *testing.T) {
	const steps, seen, rate = 40, 1000, 0.3
	g := autograd.NewGraph(autograd.Options{Seed: 3})
	o := autograd.AttentionOptions{Dropout: rate}
	q, k, v := g.Constant(autograd.Zeros(2, 2, steps, 3)), g.Constant(autograd.Zeros(2, 2, seen, 3)), g.Constant(autograd.Ones(2, 2, seen, 1))
	y := autograd.Attention(q, k, v, o).Tensor().Float64s() // shares of the weights that were kept, ÷ (1 − rate)
	mean, deviation := 0.0, 0.0
	for _, share := range y {
		mean += share / float64(len(y))
		deviation += (share - 1) * (share - 1) / float64(len(y))
	}
	one := rate / (1 - rate) / seen // the variance of a share
	if math.Abs(mean-1) > 5*math.Sqrt(one/float64(len(y))) || math.Abs(deviation/one-1) > 0.5 {
		t.Errorf("shares of mean %v and variance %v, want 1 and %v", mean, deviation, one)
	}
	if again := autograd.Attention(q, k, v, o).Tensor().Float64s(); slices.Equal(again, y) {
		t.Error("a second call draws the same")
	}
	if e := autograd.NewGraph(autograd.Options{Eval: true}); autograd.Attention(e.Constant(autograd.Zeros(1, 1, 1, 1)), e.Constant(autograd.Zeros(1, 1, 9, 1)), e.Constant(autograd.Ones(1, 1, 9, 1)), o).Item() != 1 {
		t.Error("weights are dropped in evaluation")
	}
}

func TestGradientOfAttentionDropout(t *testing.T) {
	x, seed := weightsFor([]int{2, 5, 24}), weightsFor([]int{2, 5, 12})
	g := autograd.NewGraph(autograd.Options{Seed: 4})
	state := g.RandomState()
	loss := func() (autograd.Value, autograd.Value) {
		g.Reset()
		g.SetRandomState(state)
		in := g.Variable(x.tensor())
		y := autograd.Attention(in, none, none, autograd.AttentionOptions{Heads: 4, KVHeads: 2, Causal: true, Dropout: 0.4})
		return in, y.Mul(g.Constant(seed.tensor())).Sum()
	}
	in, y := loss()
	got := y.Backward().Of(in).Float64s()
	wantNear(t, "written out", autograd.Grad(y, in)[0].Tensor().Float64s(), got, 1e-12)
	for i := range x.data {
		const h = 1e-5
		was := x.data[i]
		x.data[i] = was + h
		_, above := loss()
		more := above.Item()
		x.data[i] = was - h
		_, below := loss()
		slope := (more - below.Item()) / (2 * h)
		x.data[i] = was
		if math.Abs(slope-got[i]) > 1e-8 {
			t.Fatalf("gradient %d is %v, want %v", i, got[i], slope)
		}
	}
}

// Attention large enough to be shared gives the same bits on any number of
// cores, dropout and the gradient of a bias that samples share included.
func TestAttentionOnAnyNumberOfCores(t *testing.T) {
	for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		var want []float64
		for _, cores := range []int{1, 3} {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
			g := autograd.NewGraph(autograd.Options{Precision: precision, Seed: 5})
			x, bias := g.Variable(wave(1, 3, 150, 8*16)), g.Variable(wave(2, 4, 150, 150))
			y := autograd.Attention(x, none, none, autograd.AttentionOptions{Heads: 4, KVHeads: 2, Dropout: 0.2, Bias: bias})
			grads := y.Square().Sum().Backward()
			got := slices.Concat(y.Tensor().Float64s(), grads.Of(x).Float64s(), grads.Of(bias).Float64s())
			if want == nil {
				want = got
			}
			wantBits(t, "attention", got, want)
		}
	}
}

// Twice the steps take twice the memory, and 4,096 of them far less than their
// weights, which would be 134 MB, forward and backward.
func TestAttentionTakesLinearMemory(t *testing.T) {
	peak := func(steps int) float64 {
		g := autograd.NewGraph(autograd.Options{})
		x := g.Variable(wave(1, 1, steps, 3*8))
		autograd.Attention(x, none, none, autograd.AttentionOptions{Heads: 1, Causal: true}).BackwardFrom(wave(2, 1, steps, 8))
		return float64(g.Stats().BytesPeak)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	most := peak(4096)
	runtime.ReadMemStats(&after)
	if ratio := most / peak(2048); ratio > 2.1 {
		t.Errorf("twice the steps take %v times the memory", ratio)
	}
	if more := (after.TotalAlloc - before.TotalAlloc) >> 20; more > 32 {
		t.Errorf("4,096 steps allocate %d MiB", more)
	}
}

// What is kept of earlier steps gives what the whole sequence gives.
func TestKeyValues(t *testing.T) {
	for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		g := autograd.NewGraph(autograd.Options{NoGrad: true, Precision: precision})
		x := g.Constant(wave(1, 2, 9, 8*3))
		o := autograd.AttentionOptions{Heads: 4, KVHeads: 2}
		whole := o
		whole.Causal = true
		want := autograd.Attention(x, none, none, whole)
		kept := autograd.NewKeyValues(9)
		at := 0
		for _, n := range []int{4, 1, 1, 3} {
			got := kept.Next(x.Narrow(1, at, n), none, none, o)
			wantNear(t, "steps", got.Tensor().Float64s(), want.Narrow(1, at, n).Tensor().Float64s(), map[bool]float64{false: 1e-12, true: 1e-5}[g.Options().Precision == autograd.Float32])
			at += n
		}
		if kept.Len() != 9 {
			t.Errorf("%d steps are kept", kept.Len())
		}
	}
}

func TestKeyValuesMisused(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{NoGrad: true})
	o := autograd.AttentionOptions{Heads: 2}
	step := func(batch, steps int) autograd.Value { return g.Constant(wave(1, batch, steps, 12)) }
	kept := autograd.NewKeyValues(3)
	kept.Next(step(2, 2), none, none, o)
	single := autograd.NewGraph(autograd.Options{NoGrad: true, Precision: autograd.Float32})
	for what, f := range map[string]func(){
		"*autograd.ArgumentError: 2 steps and 2 more: there is room for 3": func() { kept.Next(step(2, 2), none, none, o) },
		"*autograd.ShapeError: other batch, kv heads or widths":            func() { kept.Next(step(1, 1), none, none, o) },
		"*autograd.ArgumentError: a graph in float32, where the steps kept": func() {
			kept.Next(single.Constant(wave(1, 2, 1, 12)), none, none, o)
		},
		"*autograd.ArgumentError: lengths, or an offset": func() {
			kept.Next(step(2, 1), none, none, autograd.AttentionOptions{Heads: 2, Lengths: autograd.NewInts([]int{1, 1})})
		},
		"*autograd.GradientError: there are no gradients through a cache": func() {
			kept.Next(autograd.NewGraph(autograd.Options{}).Variable(wave(1, 2, 1, 12)), none, none, o)
		},
		"*autograd.IndexError: row 2 is out of range for 2": func() { kept.Take(0, 2) },
		"*autograd.ArgumentError: 5 steps of 2":             func() { kept.Cut(5) },
		"*autograd.ArgumentError: there are no steps": func() {
			autograd.NewKeyValues(3).Attend(step(2, 1), o)
		},
		"*autograd.ArgumentError: room for 0 steps": func() { autograd.NewKeyValues(0) },
	} {
		wantFault(t, what, f)
	}
	if kept.Len() != 2 {
		t.Errorf("mistakes left %d steps", kept.Len())
	}
}

func TestAttentionMisused(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	of := func(shape ...int) autograd.Value { return g.Constant(wave(1, shape...)) }
	q, k := of(2, 4, 3, 5), of(2, 4, 6, 5)
	attend := func(q, k, v autograd.Value, o autograd.AttentionOptions) func() {
		return func() { autograd.Attention(q, k, v, o) }
	}
	for what, f := range map[string]func(){
		"*autograd.ShapeError: the mask does not broadcast to the scores, [batch, heads, steps, seen]: [3 5] to [2 4 3 6]": attend(q, k, k, autograd.AttentionOptions{Mask: of(3, 5)}),
		"*autograd.ShapeError: the bias does not broadcast":                                                                attend(q, k, k, autograd.AttentionOptions{Bias: of(5, 3, 6)}),
		"*autograd.ShapeError: the batches, or the widths of queries and keys, differ":                                     attend(q, of(2, 4, 6, 4), k, autograd.AttentionOptions{}),
		"*autograd.ShapeError: there are not as many keys as values: [2 4 6 5] and [2 4 5 5]":                              attend(q, k, of(2, 4, 5, 5), autograd.AttentionOptions{}),
		"*autograd.ArgumentError: 4 heads are not a multiple of 3 kv heads":                                                attend(q, of(2, 3, 6, 5), of(2, 3, 6, 5), autograd.AttentionOptions{}),
		"*autograd.ShapeError: queries with four axes need keys and values":                                                attend(q, none, none, autograd.AttentionOptions{}),
		"*autograd.ShapeError: there are values but no keys":                                                               attend(q, none, k, autograd.AttentionOptions{}),
		"*autograd.ArgumentError: 0 Heads for operands of three axes":                                                      attend(of(2, 3, 12), none, none, autograd.AttentionOptions{}),
		"*autograd.ShapeError: the heads of queries, keys and values, 15, do not divide":                                   attend(of(2, 3, 12), none, none, autograd.AttentionOptions{Heads: 5}),
		"*autograd.ShapeError: the queries are not [batch, heads, steps, width]":                                           attend(of(3, 12), none, none, autograd.AttentionOptions{Heads: 1}),
		"*autograd.ArgumentError: length 0 of sample 1 is not from 1 to 6":                                                 attend(q, k, k, autograd.AttentionOptions{Lengths: autograd.NewInts([]int{6, 0})}),
		"*autograd.ArgumentError: length 7 of sample 0 is not from 1 to 6":                                                 attend(q, k, k, autograd.AttentionOptions{Lengths: autograd.NewInts([]int{7, 1})}),
		"*autograd.ShapeError: there is not one length for each sample":                                                    attend(q, k, k, autograd.AttentionOptions{Lengths: autograd.NewInts([]int{7})}),
		"*autograd.ArgumentError: a rate of 1":                                                                             attend(q, k, k, autograd.AttentionOptions{Dropout: 1}),
		"*autograd.ArgumentError: a scale of NaN":                                                                          attend(q, k, k, autograd.AttentionOptions{Scale: math.NaN()}),
		"*autograd.ArgumentError: an offset of 2 without Causal":                                                           attend(q, k, k, autograd.AttentionOptions{Offset: 2}),
		"*autograd.ArgumentError: an offset of -2":                                                                         attend(q, k, k, autograd.AttentionOptions{Causal: true, Offset: -2}),
		"*autograd.ShapeError: 2 heads do not divide the last axis into even widths":                                       func() { of(2, 3, 6).Rotary(autograd.RotaryOptions{Heads: 2}) },
		"*autograd.ArgumentError: 3 of 2 heads":                                                                            func() { of(2, 3, 8).Rotary(autograd.RotaryOptions{Heads: 2, Turned: 3}) },
		"*autograd.ArgumentError: a base of 1":                                                                             func() { of(2, 3, 8).Rotary(autograd.RotaryOptions{Base: 1}) },
		"*autograd.ArgumentError: a first position of -1":                                                                  func() { of(2, 3, 8).Rotary(autograd.RotaryOptions{First: -1}) },
	} {
		wantFault(t, what, f)
	}
}

// wantFault checks that f panics with an error of that type and text, which
// names a line of this file.
func wantFault(t *testing.T, want string, f func()) {
	t.Helper()
	kind, text, _ := strings.Cut(want, ": ")
	err := autograd.Try(f)
	if err == nil || fmt.Sprintf("%T", err) != kind || !strings.Contains(err.Error(), text) || !strings.Contains(err.Error(), "attention_test.go:") {
		t.Errorf("%T: %v, want %s", err, err, want)
	}
}
