package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"nabla/autograd"
	"nabla/data/text"
	"nabla/data/verses"
	"nabla/examples/internal/command"
	"nabla/layers"
)

func prepared(t *testing.T, w io.Writer, network string) settings {
	s := settings{Command: command.New("write", 1).To(w), network: network, prompt: "And", temperature: 1}
	s.Out = filepath.Join(t.TempDir(), "pages")
	return s
}

// A guess among all 70 characters or so costs about 6.2 bits, one by their
// frequencies 4.2. 200 verses are enough for most of the latter.
func TestLearns(t *testing.T) {
	for _, network := range []string{"lstm", "gpt"} {
		var out strings.Builder
		s := prepared(t, &out, network)
		s.Results = true
		if err := run(t.Context(), s, verses.Load()[:220]); err != nil {
			t.Fatal(err)
		}
		m := regexp.MustCompile(`^result network=` + network + ` rows=198 epochs=1 test_bits=(\d\.\d{3}) seed=1 seconds=\d+\n$`).FindStringSubmatch(out.String())
		if m == nil {
			t.Fatalf("printed %q", out.String())
		}
		var bits float64
		fmt.Sscan(m[1], &bits)
		if bits < 2 || bits > 5.5 {
			t.Errorf("%s: %v bits, want 2 to 5.5", network, bits)
		}
		page, err := os.ReadFile(filepath.Join(s.Out, "surprise.html"))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(page), "bits a character"); n != 20 {
			t.Errorf("%s: %d verses on the page, want 20", network, n)
		}
	}
}

// What is read character by character scores as what is read at once, and the
// mean surprise is that of the scores.
func TestReaderAgreesWithScores(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	for _, name := range []string{"lstm", "gpt"} {
		net, _, err := newNetwork(name, rng, 30)
		if err != nil {
			t.Fatal(err)
		}
		layers.Convert(net.(interface{ Params() []*autograd.Param }), autograd.Float64)
		ids := []int{text.Start, 7, 8, 9, 7}
		g := autograd.NewGraph(autograd.Options{NoGrad: true, Eval: true})
		all := net.scores(g, autograd.NewInts(ids, 1, len(ids))).Tensor()
		read := net.reader()
		for step, id := range ids {
			scores := read(id)
			for c := range 30 {
				if got, want := scores.At(c), all.At(0, step, c); math.Abs(got-want) > 1e-5 {
					t.Fatalf("%s, step %d: character %d scores %v alone, %v in the row", name, step, c, got, want)
				}
			}
		}
	}
}

// What comes later does not change a score, and neither do other rows.
func TestScoresDoNotLookAhead(t *testing.T) {
	if got := fmt.Sprint(before(autograd.NewInts([]int{5, 6, 7, 8, 9, 10}, 2, 3), 2).Values()); got != "[0 0 5 0 0 8]" {
		t.Errorf("two steps before are %s", got)
	}
	for _, name := range []string{"lstm", "gpt"} {
		net, _, err := newNetwork(name, rand.New(rand.NewPCG(3, 0)), 30)
		if err != nil {
			t.Fatal(err)
		}
		scores := func(ids ...int) autograd.Tensor {
			return net.scores(reading(), autograd.NewInts(ids, 2, 6)).Tensor()
		}
		a := scores(1, 7, 8, 9, 10, 11, 1, 12, 13, 14, 15, 16)
		b := scores(1, 7, 8, 9, 20, 21, 1, 12, 23, 14, 15, 16)
		for row, same := range []int{4, 2} {
			for step := range 6 {
				d := 0.0
				for c := range 30 {
					d = max(d, math.Abs(a.At(row, step, c)-b.At(row, step, c)))
				}
				if step < same && d > 1e-5 || step >= same && d < 1e-5 {
					t.Errorf("%s, row %d: the scores of step %d differ by %v", name, row, step, d)
				}
			}
		}
	}
}

// Labels follow what is read by one character.
func TestPairs(t *testing.T) {
	characters, err := text.NewCharacters([]string{"ab", "b"})
	if err != nil {
		t.Fatal(err)
	}
	data, err := pairs(characters, []string{"ab", "b"})
	if err != nil {
		t.Fatal(err)
	}
	a, b := 4, 5
	if got, want := fmt.Sprint(data.Ids[0].Values(), data.Labels.Values()), fmt.Sprint(
		[]int{text.Start, a, b, text.Start, b, text.Padding}, []int{a, b, text.End, b, text.End, ignored},
	); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestBadNetworkAndCancelled(t *testing.T) {
	if err := run(t.Context(), prepared(t, io.Discard, "rnn"), verses.Load()[:20]); err == nil || !strings.Contains(err.Error(), `"rnn"`) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx, prepared(t, io.Discard, "lstm"), verses.Load()[:20]); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
