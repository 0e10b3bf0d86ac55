package layers_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/layers"
)

// A transformerCase is a layer and how PyTorch's case of that name uses it.
type transformerCase struct {
	name   string
	params []*autograd.Param
	run    func(in []autograd.Value) autograd.Value
}

func transformerCases() []transformerCase {
	rng := seeded(1)
	memory, own := autograd.NewInts([]int{3, 5}), autograd.NewInts([]int{2, 4})
	attend := func(name string, a *layers.MultiHeadAttention, o layers.AttendOptions) transformerCase {
		return transformerCase{name, a.Params(), func(in []autograd.Value) autograd.Value {
			in = append(in, in[len(in)-1], in[len(in)-1])
			return a.Attend(in[0], in[1], in[2], o)
		}}
	}
	all := []transformerCase{
		attend("self attention", layers.NewMultiHeadAttention(rng, 6, 2), layers.AttendOptions{}),
		attend("without bias", layers.NewMultiHeadAttentionWith(rng, 6, 2, layers.MultiHeadAttentionOptions{NoBias: true}), layers.AttendOptions{}),
		attend("causal", layers.NewMultiHeadAttention(rng, 6, 2), layers.AttendOptions{Causal: true}),
		attend("to a memory with padding", layers.NewMultiHeadAttention(rng, 6, 2), layers.AttendOptions{Lengths: memory}),
		attend("keys and values apart", layers.NewMultiHeadAttention(rng, 6, 2), layers.AttendOptions{}),
	}
	for _, norm := range []string{"first", "last"} {
		for _, activation := range []string{"relu", "gelu"} {
			o := layers.TransformerOptions{NormLast: norm == "last"}
			if activation == "gelu" {
				o.Activation = layers.GELU()
			}
			e, d := layers.NewTransformerEncoderBlockWith(rng, 6, 2, 8, o), layers.NewTransformerDecoderBlockWith(rng, 6, 2, 8, o)
			all = append(all,
				transformerCase{"encoder, norm " + norm + ", " + activation, e.Params(), func(in []autograd.Value) autograd.Value {
					return e.Run(in[0], layers.AttendOptions{Lengths: own})
				}},
				transformerCase{"decoder, norm " + norm + ", " + activation, d.Params(), func(in []autograd.Value) autograd.Value {
					return d.Run(in[0], in[1], layers.AttendOptions{}, layers.AttendOptions{Lengths: memory})
				}})
		}
	}
	return all
}

// transposed turns PyTorch's [out, in] into [in, out], and leaves vectors.
func transposed(t autograd.Tensor) autograd.Tensor {
	if t.Rank() < 2 {
		return t
	}
	g := autograd.NewGraph(autograd.Options{NoGrad: true})
	return g.Constant(t).Transpose(0, 1).Tensor()
}

func TestTransformersAgainstPyTorch(t *testing.T) {
	text, err := os.ReadFile("testdata/transformer.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Cases []struct {
			Name      string
			Inputs    [][]int
			Names     []string
			Output    tensorJSON
			Gradients []tensorJSON
		}
	}
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	all := transformerCases()
	if len(vectors.Cases) != len(all) {
		t.Fatalf("%d cases for %d layers", len(vectors.Cases), len(all))
	}
	for i, c := range vectors.Cases {
		row := all[i]
		var names []string
		for j, p := range row.params {
			names = append(names, p.Name()[strings.Index(p.Name(), ".")+1:])
			shape := p.Shape()
			slices.Reverse(shape)
			p.Set(transposed(wave(j+1, shape...)))
		}
		if diff := cmp.Diff(c.Name, row.name) + cmp.Diff(c.Names, names); diff != "" {
			t.Fatal(diff)
		}
		g := autograd.NewGraph(autograd.Options{})
		var in []autograd.Value
		for j, shape := range c.Inputs {
			in = append(in, g.Variable(wave(-j, shape...)))
		}
		y := row.run(slices.Clone(in))
		if diff := diffTensor(y.Tensor(), c.Output.Shape, c.Output.Data); diff != "" {
			t.Errorf("%s: %s", c.Name, diff)
			continue
		}
		grads := y.BackwardFrom(wave(100, y.Shape()...))
		var got []autograd.Tensor
		for _, x := range in {
			got = append(got, grads.Of(x))
		}
		for _, p := range row.params {
			got = append(got, transposed(grads.OfParam(p)))
		}
		for j, want := range c.Gradients {
			if diff := diffTensor(got[j], want.Shape, want.Data); diff != "" {
				t.Errorf("%s, gradient %d: %s", c.Name, j, diff)
			}
		}
	}
}

// writer is a small GPT, whose cache is compared with the whole sequence.
type writer struct {
	positions interface {
		From(x autograd.Value, first int) autograd.Value
	}
	blocks []*layers.TransformerEncoderBlock
}

func newWriter(o layers.TransformerOptions) *writer {
	rng := seeded(2)
	w := &writer{positions: layers.NewLearnedPositionsWith(rng, 12, 8, layers.LearnedPositionsOptions{Precision: o.Precision})}
	for range 2 {
		w.blocks = append(w.blocks, layers.NewTransformerEncoderBlockWith(rng, 8, 4, 16, o))
	}
	return w
}

func (w *writer) whole(x autograd.Value) autograd.Value {
	x = w.positions.From(x, 0)
	for _, b := range w.blocks {
		x = b.Run(x, layers.AttendOptions{Causal: true})
	}
	return x
}

func (w *writer) next(x autograd.Value, cache *layers.Cache) autograd.Value {
	x = w.positions.From(x, cache.Len())
	for _, b := range w.blocks {
		x = b.Next(x, cache)
	}
	return x
}

// Steps with a cache, one or several at a time, give what the whole sequence
// does, over Resets too.
func TestCacheGivesTheWholeSequence(t *testing.T) {
	for name, o := range map[string]layers.TransformerOptions{
		"plain": {}, "norm last": {NormLast: true}, "grouped": {KVHeads: 2}, "rotary": {Rotary: true}, "rotary and grouped": {Rotary: true, KVHeads: 1},
		"float32": {Precision: autograd.Float32},
	} {
		w := newWriter(o)
		g := autograd.NewGraph(autograd.Options{NoGrad: true, Precision: o.Precision})
		x := autograd.Normal(seeded(3), 0, 1, 3, 9, 8).In(o.Precision)
		want := w.whole(g.Constant(x)).Tensor()
		tolerance := 1e-12
		if o.Precision == autograd.Float32 {
			tolerance = 1e-5
		}
		for _, cuts := range [][]int{{1, 1, 1, 1, 1, 1, 1, 1, 1}, {9}, {4, 1, 3, 1}} {
			cache, at := layers.NewCache(9), 0
			for _, n := range cuts {
				g.Reset()
				got := w.next(g.Constant(x).Narrow(1, at, n), cache).Tensor()
				part := g.Constant(want).Narrow(1, at, n).Tensor()
				for i, v := range got.Float64s() {
					if d := math.Abs(v - part.Float64s()[i]); !(d <= tolerance) {
						t.Fatalf("%s, %v: element %d of the steps from %d on is off by %v", name, cuts, i, at, d)
					}
				}
				at += n
			}
			if cache.Len() != 9 {
				t.Errorf("the cache has %d steps", cache.Len())
			}
		}
	}
}

// A beam search goes on with some of the batch's sequences.
func TestCacheTakesRows(t *testing.T) {
	w := newWriter(layers.TransformerOptions{})
	g := autograd.NewGraph(autograd.Options{NoGrad: true})
	x := g.Constant(autograd.Normal(seeded(4), 0, 1, 3, 5, 8))
	rows := autograd.NewInts([]int{2, 0, 2, 1})
	want := w.whole(x.IndexSelect(0, rows)).Narrow(1, 3, 2)
	cache := layers.NewCache(5)
	w.next(x.Narrow(1, 0, 3), cache)
	cache.Take(2, 0, 2, 1)
	got := w.next(x.IndexSelect(0, rows).Narrow(1, 3, 2), cache)
	for i, v := range got.Tensor().Float64s() {
		if d := math.Abs(v - want.Tensor().Float64s()[i]); d > 1e-12 {
			t.Fatalf("element %d is off by %v", i, d)
		}
	}
	cache.Cut(3)
	again := w.next(x.IndexSelect(0, rows).Narrow(1, 3, 2), cache)
	same(t, "after a cut", got, again)
}

// The memory of a decoder is kept too.
func TestCacheOfADecoder(t *testing.T) {
	rng := seeded(5)
	d := layers.NewTransformerDecoderBlock(rng, 8, 2, 16)
	g := autograd.NewGraph(autograd.Options{NoGrad: true})
	x, memory := autograd.Normal(rng, 0, 1, 2, 4, 8), autograd.Normal(rng, 0, 1, 2, 3, 8)
	cross := layers.AttendOptions{Lengths: autograd.NewInts([]int{2, 3})}
	want := d.Run(g.Constant(x), g.Constant(memory), layers.AttendOptions{}, cross).Tensor()
	cache := layers.NewCache(4)
	for i := range 4 {
		g.Reset()
		got := d.Next(g.Constant(x).Narrow(1, i, 1), g.Constant(memory), cache, cross).Tensor()
		for j, v := range got.Float64s() {
			if d := math.Abs(v - want.At(j/8, i, j%8)); d > 1e-12 {
				t.Fatalf("step %d, element %d is off by %v", i, j, d)
			}
		}
	}
}

// The map of a layer has the weights of what it computes.
func TestWeightsOfAttention(t *testing.T) {
	rng := seeded(6)
	a := layers.NewMultiHeadAttentionWith(rng, 8, 4, layers.MultiHeadAttentionOptions{KVHeads: 2, Rotary: true})
	g := autograd.NewGraph(autograd.Options{})
	x := g.Constant(autograd.Normal(rng, 0, 1, 2, 5, 8))
	p := a.Weights(x, x, layers.AttendOptions{Causal: true, Lengths: autograd.NewInts([]int{3, 5})}).Tensor()
	if diff := cmp.Diff([]int{2, 4, 5, 5}, p.Shape()); diff != "" {
		t.Fatal(diff)
	}
	for b, length := range []int{3, 5} {
		for h := range 4 {
			for i := range 5 {
				sum := 0.0
				for j := range 5 {
					v := p.At(b, h, i, j)
					sum += v
					if (j > i || j >= length) != (v == 0) {
						t.Errorf("step %d of sample %d looks at %d with %v", i, b, j, v)
					}
				}
				if math.Abs(sum-1) > 1e-12 {
					t.Errorf("the weights of step %d are %v in all", i, sum)
				}
			}
		}
	}
	block := layers.NewTransformerDecoderBlock(rng, 8, 2, 16)
	memory := g.Constant(autograd.Normal(rng, 0, 1, 2, 3, 8))
	if got := block.Weights(x, memory, layers.AttendOptions{}, layers.AttendOptions{}).Shape(); !slices.Equal(got, []int{2, 2, 5, 3}) {
		t.Errorf("a map of shape %v", got)
	}
	encoder := layers.NewTransformerEncoderBlock(rng, 8, 2, 16)
	if got := encoder.Weights(x, layers.AttendOptions{}).Shape(); !slices.Equal(got, []int{2, 2, 5, 5}) {
		t.Errorf("a map of shape %v", got)
	}
}

// Only distances count for rotary positions.
func TestRotaryPositionsAreRelative(t *testing.T) {
	rng := seeded(7)
	a := layers.NewMultiHeadAttentionWith(rng, 8, 2, layers.MultiHeadAttentionOptions{Rotary: true})
	g := autograd.NewGraph(autograd.Options{})
	x, memory := g.Constant(autograd.Normal(rng, 0, 1, 2, 5, 8)), g.Constant(autograd.Normal(rng, 0, 1, 2, 4, 8))
	look := func(first int) []float64 {
		a.Rotary = &autograd.RotaryOptions{First: first}
		return slices.Concat(a.Forward(x).Tensor().Float64s(), a.Attend(x, memory, memory, layers.AttendOptions{}).Tensor().Float64s())
	}
	want := look(0)
	for i, v := range look(7) {
		if math.Abs(v-want[i]) > 1e-12 {
			t.Fatalf("element %d is %v at 7 and %v at 0", i, v, want[i])
		}
	}
	a.Rotary = nil
	if slices.Equal(a.Forward(x).Tensor().Float64s(), want[:80]) {
		t.Error("positions change nothing")
	}
}

func TestPositions(t *testing.T) {
	sine, learned := layers.NewSinePositions(6, 4), layers.NewLearnedPositions(seeded(8), 6, 4)
	g := autograd.NewGraph(autograd.Options{})
	zero := g.Constant(autograd.Zeros(2, 3, 4))
	for i, v := range sine.From(zero, 2).Tensor().Float64s() {
		step, c := float64(2+i/4%3), i%4
		want := math.Sin(step / []float64{1, 1, 100, 100}[c])
		if c%2 == 1 {
			want = math.Cos(step / []float64{1, 1, 100, 100}[c])
		}
		if math.Abs(v-want) > 1e-15 {
			t.Errorf("element %d is %v, want %v", i, v, want)
		}
	}
	y := learned.From(zero, 2)
	if y.Tensor().At(1, 2, 3) != learned.Weight.Tensor().At(4, 3) {
		t.Error("another row than the position's")
	}
	if got := y.Sum().Backward().OfParam(learned.Weight); got.At(1, 0) != 0 || got.At(2, 0) != 2 {
		t.Errorf("gradients %v", got)
	}
	if sine.Params() != nil || !slices.Equal(sine.Forward(zero).Shape(), []int{2, 3, 4}) {
		t.Error("sine positions")
	}
	half := autograd.NewGraph(autograd.Options{Precision: autograd.Float32, NoGrad: true})
	if v := sine.From(half.Constant(autograd.Zeros(1, 1, 4)), 5).Tensor().At(0, 0, 0); math.Abs(v-math.Sin(5)) > 1e-6 {
		t.Errorf("in float32 %v", v)
	}
}

func TestTransformerMistakes(t *testing.T) {
	rng := seeded(9)
	g, w := autograd.NewGraph(autograd.Options{}), newWriter(layers.TransformerOptions{})
	a := layers.NewMultiHeadAttentionWith(rng, 6, 2, layers.MultiHeadAttentionOptions{Name: "look"})
	x := g.Constant(autograd.Zeros(2, 4, 6))
	attend := func(o layers.AttendOptions) func() { return func() { a.Attend(x, x, x, o) } }
	mustFault[*autograd.ArgumentError](t, func() { layers.NewMultiHeadAttention(rng, 6, 4) }, "layers: MultiHeadAttention: 4 heads do not divide the width 6")
	mustFault[*autograd.ArgumentError](t, func() {
		layers.NewMultiHeadAttentionWith(rng, 6, 2, layers.MultiHeadAttentionOptions{Rotary: true})
	}, "rotary positions need heads of an even width, not 3")
	mustFault[*autograd.ArgumentError](t, func() {
		layers.NewMultiHeadAttentionWith(rng, 8, 4, layers.MultiHeadAttentionOptions{KVHeads: 3})
	}, "3 kv heads do not divide the 4 heads")
	mustFault[*autograd.ArgumentError](t, func() { layers.NewMultiHeadAttention(nil, 6, 2) }, "the rng is nil")
	mustFault[*autograd.ShapeError](t, attend(layers.AttendOptions{Mask: g.Constant(autograd.Ones(4, 3))}),
		`layers: MultiHeadAttention "look": the mask does not broadcast to the scores`, "[4 3] to [2 2 4 4]")
	mustFault[*autograd.ArgumentError](t, attend(layers.AttendOptions{Lengths: autograd.NewInts([]int{4, 0})}), `layers: MultiHeadAttention "look": length 0 of sample 1 is not from 1 to 4`)
	mustFault[*autograd.ShapeError](t, func() { a.Forward(g.Constant(autograd.Zeros(2, 4, 5))) }, `"look": the query is not [batch, steps, 6]`)
	mustFault[*autograd.ShapeError](t, func() { a.Attend(x, g.Constant(autograd.Zeros(2, 4, 5)), x, layers.AttendOptions{}) }, `"look": the key is not [batch, steps, 6]`)
	mustFault[*autograd.ShapeError](t, func() { layers.NewSinePositions(3, 6).Forward(x) }, `layers: SinePositions "sinepositions": 4 steps from position 0 on are more than the 3 positions`)
	mustFault[*autograd.ShapeError](t, func() { layers.NewLearnedPositions(rng, 9, 6).From(x, 6) }, `layers: LearnedPositions "learnedpositions": 4 steps from position 6 on`)
	mustFault[*autograd.ShapeError](t, func() { layers.NewSinePositions(9, 4).Forward(x) }, "the input is not [batch, steps, 4]")
	mustFault[*autograd.ArgumentError](t, func() { layers.NewSinePositions(0, 4) }, "0 steps of width 4")
	mustFault[*autograd.ArgumentError](t, func() { layers.NewCache(0) }, "layers: NewCache: room for 0 steps")
	plain := autograd.NewGraph(autograd.Options{NoGrad: true})
	cache := layers.NewCache(2)
	w.next(plain.Constant(autograd.Zeros(1, 2, 8)), cache)
	mustFault[*autograd.ArgumentError](t, func() { w.next(plain.Constant(autograd.Zeros(1, 1, 8)), cache) }, `layers: MultiHeadAttention "self_attn": 2 steps and 1 more: there is room for 2`)
	mustFault[*autograd.GradientError](t, func() { w.next(g.Constant(autograd.Zeros(1, 1, 8)), layers.NewCache(2)) }, "there are no gradients through a cache")
	mustFault[*autograd.ArgumentError](t, func() { a.Next(plain.Constant(autograd.Zeros(2, 1, 6)), nil) }, "there is no Cache")
}

// Nothing is allocated once memory is warm, in training and by a cache.
func TestTransformersAllocateNothing(t *testing.T) {
	rng := seeded(10)
	block := layers.NewTransformerDecoderBlockWith(rng, 8, 2, 16, layers.TransformerOptions{Dropout: 0.1, Rotary: true})
	positions := layers.NewSinePositions(9, 8)
	g := autograd.NewGraph(autograd.Options{})
	x, memory := autograd.Normal(rng, 0, 1, 2, 5, 8), autograd.Normal(rng, 0, 1, 2, 4, 8)
	cross := layers.AttendOptions{Lengths: autograd.NewInts([]int{2, 4})}
	train := func() {
		g.Reset()
		block.Run(positions.Forward(g.Variable(x)), g.Variable(memory), layers.AttendOptions{}, cross).Square().Sum().Backward()
	}
	writing, cache := autograd.NewGraph(autograd.Options{NoGrad: true}), layers.NewCache(5)
	write := func() {
		writing.Reset()
		if cache.Len() == 5 {
			cache.Cut(0)
		}
		block.Next(positions.From(writing.Constant(x).Narrow(1, 0, 1), cache.Len()), writing.Constant(memory), cache, cross)
	}
	for what, step := range map[string]func(){"training": train, "writing": write} {
		step()
		step()
		if got := testing.AllocsPerRun(5, step); got != 0 {
			t.Errorf("%s allocates %v times a step", what, got)
		}
	}
}

func Example_attention() {
	rng, g := rand.New(rand.NewPCG(1, 0)), autograd.NewGraph(autograd.Options{})
	ids, lengths := autograd.NewInts([]int{7, 8, 9, 7, 0, 0}, 2, 3), autograd.NewInts([]int{3, 1})

	words, places := layers.NewEmbedding(rng, 100, 8), layers.NewSinePositions(20, 8)
	block := layers.NewTransformerEncoderBlock(rng, 8, 2, 16)
	seen := places.Forward(words.Lookup(g, ids))
	read := block.Run(seen, layers.AttendOptions{Lengths: lengths})
	fmt.Println(seen.Shape(), read.Shape())
	// Output: [2 3 8] [2 3 8]
}
