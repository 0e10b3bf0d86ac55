package decode_test

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/decode"
)

func ExampleSample() {
	rng := rand.New(rand.NewPCG(1, 0))
	logits := autograd.NewTensor([]float64{1, 3, 2, -1})
	next := decode.Sample(rng, logits, decode.Options{Temperature: 0.8, TopK: 40}).Item()
	fmt.Println(next >= 0 && next < 4, decode.Greedy(logits).Item())
	// Output: true 1
}

// A network whose state is a number for each text, which each token changes.
func ExampleBeam() {
	states := []float64{0}
	pick := func(states []float64, parents []int) (picked []float64) {
		for _, row := range parents {
			picked = append(picked, states[row])
		}
		return picked
	}
	advance := func(states []float64, tokens []int) autograd.Tensor {
		var logits []float64
		for i, token := range tokens {
			states[i] += float64(token)
			logits = append(logits, -9, -9, states[i], 3, 2)
		}
		g := autograd.NewGraph(autograd.Options{NoGrad: true})
		return g.Constant(autograd.NewTensor(logits, len(tokens), 5)).LogSoftmax(-1).Tensor()
	}
	step := func(tokens, parents []int) autograd.Tensor {
		states = pick(states, parents)
		return advance(states, tokens) // [len(tokens), vocabulary]
	}
	found := decode.Beam(step, decode.BeamOptions{Width: 4, Start: 1, End: 2, MaxLength: 30})
	fmt.Println(found[0].Tokens, found[0].Ended)
	// Output: [3] true
}

// model is a network whose next token depends on the whole text so far: its
// log-probabilities come from a hash of it. It keeps the texts as its state, as
// a cache or an LSTM would, and picks them by the parents.
type model struct {
	vocabulary int
	grain      float64 // of the logits: a coarse one makes ties
	texts      [][]int
	calls      int
}

func newModel(vocabulary int, grain float64, n int) *model {
	m := &model{vocabulary: vocabulary, grain: grain}
	for i := range n {
		m.texts = append(m.texts, []int{1000 + i})
	}
	return m
}

func (m *model) logProbs(text []int) []float64 {
	h := fnv.New64a()
	fmt.Fprint(h, text, m.vocabulary, m.grain)
	rng := rand.New(rand.NewPCG(h.Sum64(), 1))
	logits, sum := make([]float64, m.vocabulary), 0.0
	for i := range logits {
		logits[i] = math.Round(3*rng.NormFloat64()/m.grain) * m.grain
		sum += math.Exp(logits[i])
	}
	for i := range logits {
		logits[i] -= math.Log(sum)
	}
	return logits
}

func (m *model) step(tokens, parents []int) autograd.Tensor {
	m.calls++
	var next [][]int
	var rows []float64
	for i, row := range parents {
		text := append(slices.Clone(m.texts[row]), tokens[i])
		next = append(next, text)
		rows = append(rows, m.logProbs(text)...)
	}
	m.texts = next
	return autograd.NewTensor(rows, len(tokens), m.vocabulary)
}

const start, end = 0, 1

// all returns every text of at most so many tokens, the best first: those that
// ended, and those at the maximal length.
func (m *model) all(first []int, length int, score func(logProb float64, n int) float64) (found []decode.Hypothesis) {
	var visit func(text, tokens []int, logProb float64)
	visit = func(text, tokens []int, logProb float64) {
		n := len(tokens)
		if n == length {
			found = append(found, decode.Hypothesis{Tokens: slices.Clone(tokens), LogProb: logProb, Score: score(logProb, n)})
			return
		}
		for token, v := range m.logProbs(text) {
			if token == end {
				found = append(found, decode.Hypothesis{Tokens: slices.Clone(tokens), LogProb: logProb + v, Score: score(logProb+v, n+1), Ended: true})
			} else {
				visit(append(slices.Clone(text), token), append(tokens, token), logProb+v)
			}
		}
	}
	visit(append(slices.Clone(first), start), nil, 0)
	slices.SortStableFunc(found, func(a, b decode.Hypothesis) int { return cmp.Compare(b.Score, a.Score) })
	return found
}

func penalty(alpha float64) func(float64, int) float64 {
	return func(logProb float64, n int) float64 { return logProb / math.Pow(float64(5+n)/6, alpha) }
}

func scores(found []decode.Hypothesis) (all []float64) {
	for _, h := range found {
		all = append(all, h.Score)
	}
	return all
}

// A beam that is wide enough finds what looking at all texts finds.
func TestBeamAgainstAllTexts(t *testing.T) {
	for _, alpha := range []float64{0, 0.6, 2} {
		for length := 1; length <= 5; length++ {
			for vocabulary := 2; vocabulary <= 4; vocabulary++ {
				m := newModel(vocabulary, 1e-9, 1)
				want := m.all([]int{1000}, length, penalty(alpha))
				for _, best := range []int{1, 7, 10000} {
					m := newModel(vocabulary, 1e-9, 1)
					got := decode.Beam(m.step, decode.BeamOptions{
						Width: 4096, Start: start, End: end, MaxLength: length, LengthPenalty: alpha, Best: best,
					})
					some := want[:min(best, len(want))]
					if len(got) != len(some) {
						t.Fatalf("α %v, length %d, %d tokens: %d texts, want %d", alpha, length, vocabulary, len(got), len(some))
					}
					for i := range got {
						if math.Abs(got[i].Score-some[i].Score) > 1e-12 || !slices.Equal(got[i].Tokens, some[i].Tokens) || got[i].Ended != some[i].Ended || math.Abs(got[i].LogProb-some[i].LogProb) > 1e-12 {
							t.Errorf("α %v, length %d, %d tokens, text %d: %v, want %v", alpha, length, vocabulary, i, got[i], some[i])
						}
					}
				}
			}
		}
	}
}

// slowBeam is the search of the comment, which looks at all continuations, goes
// on to the maximal length, and only then says what was best.
func slowBeam(m *model, first []int, o decode.BeamOptions) []decode.Hypothesis {
	type text struct {
		whole, tokens []int
		logProb       float64
	}
	live := []text{{append(slices.Clone(first), start), nil, 0}}
	var found []decode.Hypothesis
	score := penalty(o.LengthPenalty)
	for n := 1; n <= o.MaxLength; n++ {
		var all []text
		for _, l := range live {
			for token, v := range m.logProbs(l.whole) {
				all = append(all, text{append(slices.Clone(l.whole), token), append(slices.Clone(l.tokens), token), l.logProb + v})
			}
		}
		slices.SortStableFunc(all, func(a, b text) int { return cmp.Compare(b.logProb, a.logProb) })
		live = nil
		for rank, c := range all {
			if last := c.tokens[n-1]; last != end && len(live) < o.Width {
				live = append(live, c)
			} else if last == end && rank < o.Width {
				found = append(found, decode.Hypothesis{Tokens: c.tokens[:n-1], LogProb: c.logProb, Score: score(c.logProb, n), Ended: true})
			}
		}
	}
	for _, l := range live {
		found = append(found, decode.Hypothesis{Tokens: l.tokens, LogProb: l.logProb, Score: score(l.logProb, o.MaxLength)})
	}
	slices.SortStableFunc(found, func(a, b decode.Hypothesis) int { return cmp.Compare(b.Score, a.Score) })
	return found[:min(len(found), o.Best)]
}

// Narrow beams find what their slow twin does, one text at a time or many at
// once, also where many scores are equal.
func TestBeamAgainstTwin(t *testing.T) {
	const n = 5
	for _, grain := range []float64{1e-9, 2} {
		for _, alpha := range []float64{0, 0.6, 1.5} {
			for width := 1; width <= 6; width++ {
				o := decode.BeamOptions{Width: width, Start: start, End: end, MaxLength: 7, LengthPenalty: alpha, Best: 1 + width/2}
				together := newModel(9, grain, n)
				batch := decode.BeamBatch(n, together.step, o)
				for i := range n {
					first := []int{1000 + i}
					want := slowBeam(together, first, o)
					alone := newModel(9, grain, 1)
					alone.texts[0] = first
					for name, got := range map[string][]decode.Hypothesis{"batch": batch[i], "alone": decode.Beam(alone.step, o)} {
						if grain == 1e-9 && fmt.Sprintf("%.9v", got) != fmt.Sprintf("%.9v", want) || fmt.Sprintf("%.9v", scores(got)) != fmt.Sprintf("%.9v", scores(want)) {
							t.Errorf("grain %v, α %v, width %d, text %d, %s:\n%v, want\n%v", grain, alpha, width, i, name, got, want)
						}
					}
				}
			}
		}
	}
}

// Equal continuations are ordered by the beginning's rank, then the id.
func TestBeamTies(t *testing.T) {
	even := func(tokens, parents []int) autograd.Tensor {
		return autograd.Full(-math.Log(4), len(tokens), 4)
	}
	o := decode.BeamOptions{Width: 3, Start: 3, End: 2, MaxLength: 2, Best: 9}
	var got []string
	for _, h := range decode.Beam(even, o) {
		got = append(got, fmt.Sprint(h.Tokens, h.Ended))
	}
	// Of the first step: 0, 1, End, 3. The second goes on from 0 alone, whose
	// continuations are as good as those of 1 and 3.
	want := []string{"[] true", "[0] true", "[0 0] false", "[0 1] false", "[0 3] false"}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// The search ends when nothing better can come, and not before.
func TestBeamStopsInTime(t *testing.T) {
	calls := 0
	step := func(tokens, parents []int) autograd.Tensor {
		calls++
		row := []float64{math.Log(0.1), math.Log(0.9)} // ends at once, almost surely
		return autograd.NewTensor(slices.Repeat(row, len(tokens)), len(tokens), 2)
	}
	found := decode.Beam(step, decode.BeamOptions{Width: 2, Start: start, End: end, MaxLength: 50})
	if calls != 1 || len(found) != 1 || len(found[0].Tokens) != 0 || !found[0].Ended {
		t.Errorf("%d steps: %v", calls, found)
	}
	calls = 0
	decode.Beam(step, decode.BeamOptions{Width: 2, Start: start, End: end, MaxLength: 50, Best: 3})
	if calls != 3 {
		t.Errorf("%d steps for 3 texts", calls)
	}
}

// What has the probability 0 is never found.
func TestBeamOfImpossible(t *testing.T) {
	never := func(tokens, parents []int) autograd.Tensor { return autograd.Full(math.Inf(-1), len(tokens), 3) }
	if found := decode.Beam(never, decode.BeamOptions{Width: 2, Start: start, End: end, MaxLength: 5}); len(found) != 0 {
		t.Errorf("found %v", found)
	}
	only := func(tokens, parents []int) autograd.Tensor {
		row := []float64{math.Inf(-1), math.Inf(-1), 0}
		if tokens[0] == 2 {
			row = []float64{math.Inf(-1), 0, math.Inf(-1)}
		}
		return autograd.NewTensor(slices.Repeat(row, len(tokens)), len(tokens), 3)
	}
	found := decode.Beam(only, decode.BeamOptions{Width: 4, Start: start, End: end, MaxLength: 5, Best: 4})
	if len(found) != 1 || !slices.Equal(found[0].Tokens, []int{2}) || found[0].LogProb != 0 || !found[0].Ended {
		t.Errorf("found %v", found)
	}
	if got := decode.BeamBatch(0, never, decode.BeamOptions{Width: 1, MaxLength: 1}); len(got) != 0 {
		t.Errorf("of no texts: %v", got)
	}
}

// softmax returns the probabilities that options make of logits, in the plain
// way of their comment.
func softmax(logits []float64, o decode.Options) []float64 {
	temperature := cmp.Or(o.Temperature, 1)
	p := make([]float64, len(logits))
	order := make([]int, len(logits))
	for i, v := range logits {
		p[i], order[i] = math.Exp(v/temperature), i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[b], p[a]) })
	normalize := func() {
		sum := 0.0
		for _, v := range p {
			sum += v
		}
		for i := range p {
			p[i] /= sum
		}
	}
	if o.TopK > 0 {
		for _, i := range order[min(o.TopK, len(order)):] {
			p[i] = 0
		}
	}
	normalize()
	if o.TopP > 0 && o.TopP < 1 {
		sum := 0.0
		for _, i := range order {
			if sum >= o.TopP {
				p[i] = 0
			}
			sum += p[i]
		}
		normalize()
	}
	return p
}

// Draws have the frequencies of the probabilities, by the χ² test: the sum is
// below its 0.999 quantile, and never one of a token that is left out.
func TestSampleFrequencies(t *testing.T) {
	const draws = 20000
	quantiles := map[int]float64{0: 0, 1: 10.828, 2: 13.816, 3: 16.266, 4: 18.467, 5: 20.515, 6: 22.458, 7: 24.322}
	logits := []float64{0.5, -1, 2, 2, math.Inf(-1), 0, 1.5, -3, 0.5}
	for i, o := range []decode.Options{
		{}, {Temperature: 0.5}, {Temperature: 3}, {TopK: 1}, {TopK: 3}, {TopK: 100}, {TopP: 0.3}, {TopP: 0.9}, {TopP: 1},
		{TopP: 1e-9}, {Temperature: 2, TopK: 6, TopP: 0.8}, {TopK: 2, TopP: 0.5},
	} {
		rng := rand.New(rand.NewPCG(uint64(i), 7))
		p := softmax(logits, o)
		rows := autograd.NewTensor(slices.Repeat(logits, draws), draws, len(logits))
		counts := make([]int, len(logits))
		for _, id := range decode.Sample(rng, rows, o).Values() {
			counts[id]++
		}
		sum, freedom := 0.0, -1
		for id, n := range counts {
			want := p[id] * draws
			if want == 0 {
				if n > 0 {
					t.Errorf("%+v: id %d was drawn %d times", o, id, n)
				}
				continue
			}
			sum += (float64(n) - want) * (float64(n) - want) / want
			freedom++
		}
		if sum > quantiles[freedom] {
			t.Errorf("%+v: χ² is %v with %d degrees of freedom: %v", o, sum, freedom, counts)
		}
	}
}

// One seed gives one text, of a tensor of either precision or of a slice, and
// each row takes one number from rng.
func TestSampleSeeds(t *testing.T) {
	logits := make([]float64, 200*7)
	rng := rand.New(rand.NewPCG(3, 0))
	for i := range logits {
		logits[i] = float64(float32(rng.NormFloat64()))
	}
	o := decode.Options{TopK: 100, TopP: 0.95}
	rows := autograd.NewTensor(logits, 7, 200)
	want := decode.Sample(rand.New(rand.NewPCG(5, 0)), rows, o).Values()
	single := decode.Sample(rand.New(rand.NewPCG(5, 0)), rows.In(autograd.Float32).Reshape(7, 1, 200), o)
	if diff := gocmp.Diff(want, single.Values()) + gocmp.Diff([]int{7, 1}, single.Shape()); diff != "" {
		t.Errorf("float32: %s", diff)
	}
	one := rand.New(rand.NewPCG(5, 0))
	for i, id := range want {
		if got := decode.SampleSlice(one, logits[200*i:200*(i+1)], o); got != id {
			t.Errorf("row %d: %d, want %d", i, got, id)
		}
	}
	other := rand.New(rand.NewPCG(5, 0))
	for range 7 {
		other.Float64()
	}
	if one.Uint64() != other.Uint64() {
		t.Error("not one number for each row")
	}
}

func TestGreedy(t *testing.T) {
	x := autograd.NewTensor([]float64{1, 3, 3, math.Inf(-1), -2, -1}, 2, 3)
	if diff := gocmp.Diff([]int{1, 2}, decode.Greedy(x).Values()); diff != "" {
		t.Error(diff)
	}
	// The limit of Sample at the temperature 0.
	rng := rand.New(rand.NewPCG(1, 0))
	if got := decode.Sample(rng, x.Take(1), decode.Options{Temperature: 1e-3}).Item(); got != 2 {
		t.Errorf("at a low temperature: %d", got)
	}
	if got := decode.Sample(rng, autograd.NewTensor([]float64{1e308, -1e308}), decode.Options{Temperature: 1e-300}).Item(); got != 0 {
		t.Errorf("of huge logits: %d", got)
	}
}

func TestMisuse(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	x := autograd.NewTensor([]float64{1, 2})
	bad := func(v float64) autograd.Tensor { return autograd.NewTensor([]float64{0, 0, 0, v}, 2, 2) }
	sample := func(o decode.Options) func() { return func() { decode.Sample(rng, x, o) } }
	beam := func(edit func(o *decode.BeamOptions), t autograd.Tensor) func() {
		return func() {
			o := decode.BeamOptions{Width: 2, Start: 0, End: 1, MaxLength: 3}
			edit(&o)
			decode.Beam(func(tokens, parents []int) autograd.Tensor { return t }, o)
		}
	}
	fine := func(*decode.BeamOptions) {}
	nan, inf := math.NaN(), math.Inf(1)
	for _, test := range []struct {
		f    func()
		want string
	}{
		{sample(decode.Options{Temperature: -1}), "decode: Sample: Temperature is -1"},
		{sample(decode.Options{Temperature: nan}), "decode: Sample: Temperature is NaN"},
		{sample(decode.Options{Temperature: inf}), "decode: Sample: Temperature is +Inf"},
		{sample(decode.Options{TopK: -1}), "decode: Sample: TopK is -1"},
		{sample(decode.Options{TopP: 1.5}), "decode: Sample: TopP is 1.5"},
		{sample(decode.Options{TopP: -0.1}), "decode: Sample: TopP is -0.1"},
		{sample(decode.Options{TopP: nan}), "decode: Sample: TopP is NaN"},
		{func() { decode.Sample(nil, x, decode.Options{}) }, "decode: Sample: rng is nil"},
		{func() { decode.Sample(rng, bad(nan), decode.Options{}) }, "decode: Sample: row 1: the logit of id 1 is NaN"},
		{func() { decode.Greedy(bad(inf)) }, "decode: Greedy: row 1: the logit of id 1 is +Inf"},
		{func() { decode.SampleSlice(rng, []float64{-inf, -inf}, decode.Options{}) }, "decode: SampleSlice: row 0: all logits are -Inf"},
		{func() { decode.SampleSlice(rng, nil, decode.Options{}) }, "decode: SampleSlice: there is no vocabulary"},
		{func() { decode.Sample(rng, autograd.Zeros(3, 0), decode.Options{}) }, "decode: Sample: there is no vocabulary: [3 0]"},
		{func() { decode.Greedy(autograd.Scalar(1)) }, "decode: Greedy: there is no vocabulary: []"},
		{beam(func(o *decode.BeamOptions) { o.Width = 0 }, x), "decode: Beam: Width is 0"},
		{beam(func(o *decode.BeamOptions) { o.MaxLength = 0 }, x), "decode: Beam: MaxLength is 0"},
		{beam(func(o *decode.BeamOptions) { o.End = -1 }, x), "decode: Beam: Start is 0 and End -1"},
		{beam(func(o *decode.BeamOptions) { o.LengthPenalty = -1 }, x), "decode: Beam: LengthPenalty is -1"},
		{beam(func(o *decode.BeamOptions) { o.LengthPenalty = nan }, x), "decode: Beam: LengthPenalty is NaN"},
		{beam(func(o *decode.BeamOptions) { o.Best = -1 }, x), "decode: Beam: Best is -1"},
		{beam(fine, x), "decode: Beam: the step must return a row for each of 1 texts, and a column for the End 1: [2]"},
		{beam(fine, autograd.Zeros(2, 2)), "decode: Beam: the step must return a row for each of 1 texts, and a column for the End 1: [2 2]"},
		{beam(fine, autograd.Zeros(1, 1)), "decode: Beam: the step must return a row"},
		{beam(fine, autograd.NewTensor([]float64{0, nan}, 1, 2)), "decode: Beam: row 0: the log-probability of id 1 is NaN"},
		{beam(fine, autograd.NewTensor([]float64{0, 0.5}, 1, 2)), "decode: Beam: row 0: the log-probability of id 1 is 0.5"},
		{func() { decode.Beam(nil, decode.BeamOptions{Width: 1, MaxLength: 1}) }, "decode: Beam: step is nil"},
		{func() { decode.BeamBatch(-1, nil, decode.BeamOptions{}) }, "decode: BeamBatch: -1 texts"},
	} {
		err := autograd.Try(test.f)
		if err == nil || !strings.HasPrefix(err.Error(), test.want) || !strings.Contains(err.Error(), "decode_test.go:") {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
}
