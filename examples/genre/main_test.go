package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"nabla/autograd"
	"nabla/autograd/gradcheck"
	"nabla/data/text"
	"nabla/data/verses"
	"nabla/examples/internal/command"
	"nabla/layers"
	"nabla/train"
)

func prepared(t *testing.T, w io.Writer, epochs int) *command.Command {
	c := command.New("genre", epochs).To(w)
	c.Out = filepath.Join(t.TempDir(), "pages")
	return c
}

// some are every 60th verse and those nine behind it, so that each group is
// there, with test rows among them.
func some() (rows verses.Rows) {
	for i, v := range verses.Load() {
		if i%600 < 30 {
			rows = append(rows, v)
		}
	}
	return rows
}

// The largest group has less than half of the test rows.
func TestLearns(t *testing.T) {
	for _, network := range []string{"gru", "transformer"} {
		var out strings.Builder
		c := prepared(t, &out, 6)
		c.Results = true
		if err := run(t.Context(), c, network, some()); err != nil {
			t.Fatal(err)
		}
		m := regexp.MustCompile(`^result network=` + network + ` rows=\d+ epochs=6 test_accuracy=(0\.\d{4}) test_macro_f1=(0\.\d{4}) seed=1 seconds=\d+\n$`).FindStringSubmatch(out.String())
		if m == nil {
			t.Fatalf("printed %q", out.String())
		}
		var accuracy float64
		fmt.Sscan(m[1], &accuracy)
		if accuracy < 0.5 {
			t.Errorf("%s: accuracy %v, want 0.5 at least", network, accuracy)
		}
		page, err := os.ReadFile(filepath.Join(c.Out, "words.html"))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(page), "<h2>"); n != 40 {
			t.Errorf("%s: %d verses on the page, want 40", network, n)
		}
	}
}

// doubled returns a network in float64 with weights other than 0.
func doubled(t *testing.T, network string, seed uint64) *reader {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 0))
	r, _, err := newReader(network, rng, 20, 30)
	if err != nil {
		t.Fatal(err)
	}
	layers.Convert(r, autograd.Float64)
	for _, table := range []*layers.Embedding{r.Wide.Words, r.Wide.Pairs} {
		weights := table.Weight.Writable().Raw64()
		for i := 6; i < len(weights); i++ { // the first row is padding
			weights[i] = rng.NormFloat64() / 10
		}
	}
	return r
}

// Padding changes nothing, and neither does a word that was left out.
func TestPaddingDoesNotCount(t *testing.T) {
	for _, network := range []string{"gru", "transformer"} {
		r := doubled(t, network, 1)
		scores := func(ids ...int) autograd.Tensor {
			g, row := autograd.NewGraph(autograd.Options{NoGrad: true}), autograd.NewInts(ids, 1, len(ids))
			return r.scores(g, train.Data{Ids: []autograd.Ints{row, row}}).Tensor()
		}
		if short, long := scores(7, 8, 9), scores(7, 8, 9, 0, 0, 0); !short.EqualWithin(long, 1e-12) {
			t.Errorf("%s: %v, with padding %v", network, short, long)
		}
	}
}

// A word's share is the derivative of the chosen score along the word's
// numbers.
func TestShares(t *testing.T) {
	r := doubled(t, "gru", 2)
	words, pairs := autograd.NewInts([]int{7, 8, 9}, 1, 3), autograd.NewInts([]int{3, 4, 29}, 1, 3)
	group, shares := r.shares(autograd.NewInts([]int{7, 8, 9, text.Padding}), autograd.NewInts([]int{3, 4, 29, text.Padding}))
	if len(shares) != 3 {
		t.Fatalf("%d shares of three words", len(shares))
	}
	factors := autograd.Ones(1, 3, 1)
	score := func(g *autograd.Graph, in []autograd.Value) autograd.Value {
		x, wide := r.Words.Lookup(g, words), r.wide(g, words, pairs)
		return r.read(x.Mul(in[0]), wide.Mul(in[0]), words).Select(1, group).Sum()
	}
	if err := gradcheck.Check(func(g *autograd.Graph, in []autograd.Value) autograd.Value {
		g.SetRandomState(autograd.NewGraph(autograd.Options{}).RandomState())
		return score(g, in)
	}, []autograd.Tensor{factors}); err != nil {
		t.Error(err)
	}
	g := autograd.NewGraph(autograd.Options{Eval: true})
	x := g.Variable(factors)
	want := score(g, []autograd.Value{x}).Backward().Of(x).Float64s()
	most := max(want[0], -want[0], want[1], -want[1], want[2], -want[2])
	for i := range want {
		if d := shares[i] - want[i]/most; d > 1e-5 || d < -1e-5 {
			t.Errorf("word %d has the share %v, want %v", i, shares[i], want[i]/most)
		}
	}
}

// A pair is a word with the one before; those that no training verse has are
// none, and a word that is left out takes its pairs along.
func TestPairs(t *testing.T) {
	v, err := newVocabulary(verses.Rows{{English: "a b a b"}, {English: "b"}})
	if err != nil {
		t.Fatal(err)
	}
	data, err := v.data(verses.Rows{{English: "a b b"}, {English: "b"}})
	if err != nil {
		t.Fatal(err)
	}
	// start a, a b, b a, start b; b b is not known.
	if got := fmt.Sprint(data.Ids[1].Values()); got != "[1 2 0 4 0 0]" {
		t.Errorf("the pairs are %s", got)
	}
	rng, left := rand.New(rand.NewPCG(1, 0)), 0
	for range 1000 {
		words, pairs := autograd.NewInts([]int{5, 6, 7}, 1, 3), autograd.NewInts([]int{1, 2, 3}, 1, 3)
		forget(rng, train.Data{Ids: []autograd.Ints{words, pairs}})
		w, p := words.Values(), pairs.Values()
		if w[0] != 5 || p[0] != 1 || (w[1] == 0) != (p[1] == 0) || (w[1] == 0 || w[2] == 0) != (p[2] == 0) {
			t.Fatalf("words %v with pairs %v", w, p)
		}
		if w[2] == 0 {
			left++
		}
	}
	if left < 150 || left > 250 {
		t.Errorf("left out %d of 1000, want 200 or so", left)
	}
}

func TestBadNetworkAndCancelled(t *testing.T) {
	if err := run(t.Context(), prepared(t, io.Discard, 1), "cnn", some()); err == nil || !strings.Contains(err.Error(), `"cnn"`) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx, prepared(t, io.Discard, 1), "gru", some()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
