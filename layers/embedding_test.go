package layers_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/layers"
	"nabla/optim"
)

// countingTable has the rows [0 1], [2 3], [4 5], …
func countingTable(words int, padding ...int) *layers.Embedding {
	e := layers.NewEmbeddingWith(nil, words, 2, layers.EmbeddingOptions{Weights: layers.ZeroWeights, Padding: padding})
	e.Weight.Set(autograd.Arange(0, float64(2*words), 1).Reshape(words, 2))
	return e
}

func TestEmbeddingByHand(t *testing.T) {
	e := countingTable(4, 0)
	ids := autograd.NewInts([]int{3, 0, 1, 3}, 2, 2)
	g := autograd.NewGraph(autograd.Options{})
	y := e.Lookup(g, ids)
	if diff := diffTensor(y.Tensor(), []int{2, 2, 2}, []float64{6, 7, 0, 1, 2, 3, 6, 7}); diff != "" {
		t.Error(diff)
	}
	seed := autograd.NewTensor([]float64{1, 2, 3, 4, 5, 6, 7, 8}, 2, 2, 2)
	// Row 3 was read twice, row 0 is padding, row 2 was not read.
	want := []float64{0, 0, 5, 6, 0, 0, 8, 10}
	if diff := diffTensor(y.BackwardFrom(seed).OfParam(e.Weight), []int{4, 2}, want); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"embedding: embedding"}, recording(g)); diff != "" {
		t.Error(diff)
	}
}

func TestEmbeddingStart(t *testing.T) {
	// The same stream as the tensor's, but for the padding.
	for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		e := layers.NewEmbeddingWith(seeded(3), 5, 4, layers.EmbeddingOptions{Padding: []int{1}, Precision: precision})
		want := autograd.Normal(seeded(3), 0, 1, 5, 4).In(precision).Float64s()
		clear(want[4:8])
		if diff := diffTensor(e.Weight.Tensor(), []int{5, 4}, want); diff != "" {
			t.Error(diff)
		}
	}
	if words, width := layers.NewEmbedding(seeded(3), 5, 4).Size(); words != 5 || width != 4 {
		t.Errorf("size %d, %d", words, width)
	}
}

// A model of one's own names and converts its embeddings as it does Layers.
func TestEmbeddingInAModel(t *testing.T) {
	type tagger struct {
		Words, Tags *layers.Embedding
		Head        *layers.Dense
	}
	m := &tagger{countingTable(3), countingTable(2), layers.NewDense(seeded(1), 2, 2)}
	layers.Name(m)
	var names []string
	for _, p := range layers.ParamsOf(m) {
		names = append(names, p.Name())
	}
	if diff := cmp.Diff([]string{"words.weight", "tags.weight", "head.weight", "head.bias"}, names); diff != "" {
		t.Error(diff)
	}
	layers.Convert(m.Words, autograd.Float32)
	if m.Words.Weight.Precision() != autograd.Float32 {
		t.Error("not converted")
	}
	g := autograd.NewGraph(autograd.Options{})
	m.Words.Lookup(g, autograd.NewInts([]int{1}))
	if diff := cmp.Diff([]string{"words: embedding"}, recording(g)); diff != "" {
		t.Error(diff)
	}
}

func TestEmbeddingMisuse(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	ids := autograd.NewInts([]int{1, 2, 3, 73}, 2, 2)
	e := layers.NewEmbeddingWith(seeded(1), 50, 2, layers.EmbeddingOptions{Name: "words"})
	mustFault[*autograd.IndexError](t, func() { e.Lookup(g, ids) }, `layers: Embedding "words": id 73 at [1, 1] is outside a vocabulary of 50`)
	mustFault[*autograd.IndexError](t, func() {
		layers.NewEmbeddingWith(seeded(1), 50, 2, layers.EmbeddingOptions{Padding: []int{50}})
	}, "layers: Embedding: padding 50 is outside a vocabulary of 50")
	mustFault[*autograd.ArgumentError](t, func() { layers.NewEmbedding(seeded(1), 0, 2) }, "layers: Embedding: 0 words")
	mustFault[*autograd.ArgumentError](t, func() { layers.NewEmbedding(nil, 2, 2) }, "the rng is nil")
	mustFault[*autograd.ArgumentError](t, func() { (&layers.Embedding{}).Lookup(g, ids) }, "there is no Weight")
	vector := &layers.Embedding{Weight: autograd.NewParam("w", autograd.Ones(3))}
	mustFault[*autograd.ShapeError](t, func() { vector.Lookup(g, ids) }, "not a table [words, width]", "[3]")
}

// With Whole, a row that is not looked up goes on by what Adam remembers: after
// one gradient of 1 and k more steps of 0, the step is rate·m/√v with
// m = 0.1·0.9^k / (1 − 0.9^(k+1)) and v = 0.001·0.999^k / (1 − 0.999^(k+1)).
// Without, it stands still.
func TestWholeTableGoesOn(t *testing.T) {
	const rate, steps = 0.1, 12
	for _, whole := range []bool{true, false} {
		e := layers.NewEmbeddingWith(rand.New(rand.NewPCG(1, 0)), 3, 1, layers.EmbeddingOptions{Weights: layers.ZeroWeights, Whole: whole})
		optimizer, g := optim.NewAdam(rate), autograd.NewGraph(autograd.Options{})
		want := 0.0
		for k := range steps {
			g.Reset()
			id := 1
			if k > 0 {
				id = 2
			}
			grads := e.Lookup(g, autograd.NewInts([]int{id}, 1)).Sum().Backward()
			if _, _, byRows := grads.Rows(e.Weight); byRows == whole {
				t.Fatalf("whole %v: by rows %v", whole, byRows)
			}
			optimizer.Step(grads)
			if at := float64(k); k == 0 || whole {
				m := 0.1 * math.Pow(0.9, at) / (1 - math.Pow(0.9, at+1))
				v := 0.001 * math.Pow(0.999, at) / (1 - math.Pow(0.999, at+1))
				want -= rate * m / math.Sqrt(v)
			}
		}
		if got := e.Weight.Tensor().At(1, 0); math.Abs(got-want) > 1e-6 {
			t.Errorf("whole %v: the row went to %v, want %v", whole, got, want)
		}
	}
}
