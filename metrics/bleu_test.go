package metrics_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nabla/autograd"
	"nabla/metrics"
)

func ExampleBLEU() {
	candidates := [][]string{strings.Fields("there is a cat on the mat")}
	references := [][]string{strings.Fields("there is a cat upon the mat")}
	fmt.Printf("%.1f\n", metrics.BLEU(candidates, references))
	// Output: 48.9
}

// The figures of sacrebleu, by words and by ids.
func TestBLEUAgainstSacrebleu(t *testing.T) {
	type score struct {
		Score           float64
		Precisions      [4]float64
		Brevity         float64
		CandidateTokens int `json:"candidate_tokens"`
		ReferenceTokens int `json:"reference_tokens"`
	}
	var file struct {
		Cases []struct {
			Note       string
			Candidates [][]string
			References [][][]string
			Exp, None  score
		}
	}
	content, err := os.ReadFile("testdata/bleu.json")
	if err == nil {
		err = json.Unmarshal(content, &file)
	}
	if err != nil || len(file.Cases) != 16 {
		t.Fatal(len(file.Cases), err)
	}
	numbers := map[string]int{}
	ids := func(words []string) (row []int) {
		for _, w := range words {
			if _, ok := numbers[w]; !ok {
				numbers[w] = len(numbers)
			}
			row = append(row, numbers[w])
		}
		return row
	}
	for _, c := range file.Cases {
		var candidates, firsts [][]int
		var references [][][]int
		single := true
		for i, words := range c.Candidates {
			candidates, references = append(candidates, ids(words)), append(references, nil)
			for _, r := range c.References[i] {
				references[i] = append(references[i], ids(r))
			}
			firsts = append(firsts, references[i][0])
			single = single && len(references[i]) == 1
		}
		for smoothing, s := range []score{c.Exp, c.None} {
			o := metrics.BLEUOptions{Smoothing: metrics.Smoothing(smoothing)}
			want := metrics.BLEUScore(s)
			near := cmpopts.EquateApprox(1e-12, 0)
			if diff := cmp.Diff(want, metrics.BLEUWith(c.Candidates, c.References, o), near) + cmp.Diff(want, metrics.BLEUWith(candidates, references, o), near); diff != "" {
				t.Errorf("%s, smoothing %d (-sacrebleu +got)\n%s", c.Note, smoothing, diff)
			}
		}
		if got := metrics.BLEU(candidates, firsts); single && math.Abs(got-c.Exp.Score) > 1e-10 {
			t.Errorf("%s: BLEU is %v, want %v", c.Note, got, c.Exp.Score)
		}
	}
}

// Candidates and their references in another order give the same.
func TestBLEUOfAnotherOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	var a, b [][]int
	for range 20 {
		row := make([]int, 5+rng.IntN(5))
		for i := range row {
			row[i] = rng.IntN(3)
		}
		a, b = append(a, row), append(b, append([]int{rng.IntN(3)}, row[:4]...))
	}
	want := metrics.BLEU(a, b)
	rng.Shuffle(len(a), func(i, j int) { a[i], a[j], b[i], b[j] = a[j], a[i], b[j], b[i] })
	if got := metrics.BLEU(a, b); got != want || !(got > 0 && got < 100) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestBLEUEdges(t *testing.T) {
	if got := metrics.BLEU[int](nil, nil); !math.IsNaN(got) {
		t.Errorf("of no candidates: %v", got)
	}
	if got := metrics.BLEU([][]int{{}}, [][]int{{}}); got != 0 {
		t.Errorf("of empty candidates: %v", got)
	}
	for want, f := range map[string]func(){
		"metrics: BLEU: there are not as many references as candidates: [1], [2]": func() { metrics.BLEU([][]int{{1}}, [][]int{{1}, {2}}) },
		"metrics: BLEUWith: candidate 1 has no reference": func() {
			metrics.BLEUWith([][]int{{1}, {2}}, [][][]int{{{1}}, {}}, metrics.BLEUOptions{})
		},
		"metrics: BLEUWith: there is no smoothing 2": func() { metrics.BLEUWith[int](nil, nil, metrics.BLEUOptions{Smoothing: 2}) },
	} {
		err := autograd.Try(f)
		if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "bleu_test.go:") {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// A network that finds 8 tokens equally probable.
func TestPerplexity(t *testing.T) {
	nats := math.Log(8)
	if p, b := metrics.Perplexity(nats), metrics.Bits(nats); math.Abs(p-8) > 1e-14*8 || math.Abs(b-3) > 1e-14 {
		t.Errorf("perplexity %v, %v bits", p, b)
	}
}
