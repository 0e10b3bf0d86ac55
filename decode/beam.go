package decode

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"nabla/autograd"
)

// A Step runs a network for one step of several texts. Text i goes on from row
// parents[i] of the step before, and tokens[i] is its last token. It returns
// the logarithms of the probabilities of the next token, [len(tokens),
// vocabulary]. In the first step parents are the numbers of the texts to be
// written, and tokens are all Start.
//
// The slices are valid during the call.
type Step func(tokens, parents []int) autograd.Tensor

// BeamOptions are those of [Beam].
type BeamOptions struct {
	Width     int // how many beginnings of a text are kept, at least 1
	Start     int // the token that stands before each text
	End       int // the token that ends one
	MaxLength int // how many tokens a text may have, the End included; at least 1

	// LengthPenalty is the α of the score by which texts of different lengths
	// are compared,
	//
	//	ln p / ((5 + n) / 6)^α
	//
	// with n the number of tokens, End included: the larger α, the longer the
	// texts. With 0, the probability alone counts.
	LengthPenalty float64

	Best int // how many texts are wanted at most; 0: 1
}

// A Hypothesis is a text that a search has found.
type Hypothesis struct {
	Tokens  []int   // without Start and End
	LogProb float64 // ln p, of the End too if there is one
	Score   float64 // LogProb with the length penalty
	Ended   bool    // with End; false at the maximal length
}

// Beam searches the texts of the best scores, and returns them, the best first.
// In each step it keeps the Width most probable beginnings that have not ended.
// A text ends where End is among the Width most probable continuations. The
// search goes on until no beginning can lead to a better text than those found;
// texts that have reached the maximal length count as they are.
//
// There are fewer texts than wanted, or none, if the network gives all others
// the probability 0, ln p of −Inf.
//
// It panics with an *[autograd.ArgumentError] for options that make no sense or
// a log-probability that is none, such as NaN or a number above 0, and with an
// *[autograd.ShapeError] if step does not return a row for each text.
func Beam(step Step, options BeamOptions) []Hypothesis {
	return search("decode: Beam", 1, step, options)[0]
}

// BeamBatch is [Beam] for n texts at once. The texts are those that n searches,
// one after the other, would find, if step computes each row by itself.
func BeamBatch(n int, step Step, options BeamOptions) [][]Hypothesis {
	const op = "decode: BeamBatch"
	if n < 0 {
		panic(autograd.NewArgumentError(op, "%d texts", n))
	}
	return search(op, n, step, options)
}

func (o *BeamOptions) check(op string) {
	switch {
	case o.Width < 1:
		panic(autograd.NewArgumentError(op, "Width is %d, want at least 1", o.Width))
	case o.MaxLength < 1:
		panic(autograd.NewArgumentError(op, "MaxLength is %d, want at least 1", o.MaxLength))
	case o.Start < 0 || o.End < 0:
		panic(autograd.NewArgumentError(op, "Start is %d and End %d, want ids", o.Start, o.End))
	case !(o.LengthPenalty >= 0) || math.IsInf(o.LengthPenalty, 1):
		panic(autograd.NewArgumentError(op, "LengthPenalty is %v, want a number from 0 on", o.LengthPenalty))
	case o.Best < 0:
		panic(autograd.NewArgumentError(op, "Best is %d", o.Best))
	}
}

// score compares texts of n tokens.
func (o *BeamOptions) score(logProb float64, n int) float64 {
	if o.LengthPenalty == 0 {
		return logProb
	}
	return logProb / math.Pow(float64(5+n)/6, o.LengthPenalty)
}

// A beginning of a text.
type beginning struct {
	tokens  []int
	logProb float64
	row     int // of the last step
}

// last returns the last token.
func (b *beginning) last(start int) int {
	if n := len(b.tokens); n > 0 {
		return b.tokens[n-1]
	}
	return start
}

// A beam is the search of one text.
type beam struct {
	live  []beginning // the most probable first
	found []Hypothesis
}

func search(op string, n int, step Step, options BeamOptions) [][]Hypothesis {
	options.check(op)
	if step == nil {
		panic(autograd.NewArgumentError(op, "step is nil"))
	}
	options.Best = max(1, options.Best)
	beams := make([]beam, n)
	for i := range beams {
		beams[i].live = []beginning{{row: i}}
	}
	var tokens, parents []int
	for length := 1; length <= options.MaxLength; length++ {
		tokens, parents = tokens[:0], parents[:0]
		for i := range beams {
			for _, b := range beams[i].live {
				tokens, parents = append(tokens, b.last(options.Start)), append(parents, b.row)
			}
		}
		if len(tokens) == 0 {
			break
		}
		rows := logProbs(op, step(tokens, parents), len(tokens), options.End)
		at := 0
		for i := range beams {
			count := len(beams[i].live)
			beams[i].advance(rows[at:at+count], at, length, &options)
			at += count
		}
	}
	all := make([][]Hypothesis, n)
	for i := range beams {
		all[i] = beams[i].found
	}
	return all
}

// logProbs returns the rows of what a step returned.
func logProbs(op string, t autograd.Tensor, count, end int) [][]float64 {
	if t.Rank() != 2 || t.Dim(0) != count || t.Dim(1) <= end {
		panic(autograd.NewShapeError(op, fmt.Sprintf("the step must return a row for each of %d texts, and a column for the End %d", count, end), t.Shape()))
	}
	rows := slices.Collect(slices.Chunk(t.Float64s(), t.Dim(1)))
	for i, row := range rows {
		for id, v := range row {
			if !(v <= rounding) {
				panic(autograd.NewArgumentError(op, "row %d: the log-probability of id %d is %v", i, id, v))
			}
		}
	}
	return rows
}

// rounding is how far a logarithm of 1 may be above 0.
const rounding = 1e-3

// A continuation of a beginning by one token.
type continuation struct {
	from, token int
	logProb     float64
}

// advance makes the step of one beam. Its rows begin at a number among all.
func (b *beam) advance(rows [][]float64, first, length int, o *BeamOptions) {
	next := make([]beginning, 0, o.Width)
	for rank, c := range b.continuations(rows, o.Width) {
		tokens := b.live[c.from].tokens
		switch {
		case c.token == o.End:
			if rank < o.Width {
				b.find(Hypothesis{slices.Clone(tokens), c.logProb, o.score(c.logProb, length), true}, o.Best)
			}
		case len(next) < o.Width:
			next = append(next, beginning{append(slices.Clip(tokens), c.token), c.logProb, first + c.from})
		}
	}
	b.live = next
	if length == o.MaxLength {
		for _, last := range next {
			b.find(Hypothesis{last.tokens, last.logProb, o.score(last.logProb, length), false}, o.Best)
		}
	}
	if b.isDone(o) {
		b.live = nil
	}
}

// continuations returns the most probable ones, the best first: enough of them
// for width to go on, and for all that may end.
func (b *beam) continuations(rows [][]float64, width int) []continuation {
	var all []continuation
	for from, row := range rows {
		for _, token := range top(row, width+1) {
			if logProb := b.live[from].logProb + row[token]; !math.IsInf(logProb, -1) {
				all = append(all, continuation{from, token, logProb})
			}
		}
	}
	slices.SortStableFunc(all, func(x, y continuation) int { return cmp.Compare(y.logProb, x.logProb) })
	return all
}

// find adds a text to the best.
func (b *beam) find(h Hypothesis, best int) {
	at := 0
	for at < len(b.found) && b.found[at].Score >= h.Score {
		at++
	}
	b.found = slices.Insert(b.found, at, h)
	b.found = b.found[:min(best, len(b.found))]
}

// isDone reports whether no beginning can lead to a better text than those that
// are found: more tokens lower its probability, and the penalty is the most
// lenient at the maximal length.
func (b *beam) isDone(o *BeamOptions) bool {
	return len(b.live) == 0 || len(b.found) == o.Best && b.found[o.Best-1].Score >= o.score(b.live[0].logProb, o.MaxLength)
}
