package metrics

import (
	"math"

	"nabla/autograd"
)

// bleuOrder is the longest sequence of tokens that BLEU compares.
const bleuOrder = 4

// A Smoothing says what becomes of a precision of 0 in [BLEU].
type Smoothing uint8

const (
	// SmoothExp halves: the first precision of 0 becomes that of half a hit,
	// the second of a quarter, and so on. If there is not even one token in
	// common, BLEU is 0.
	SmoothExp Smoothing = iota
	// SmoothNone leaves it: BLEU is 0.
	SmoothNone
)

// BLEUOptions are what [BLEU] leaves at its defaults.
type BLEUOptions struct {
	Smoothing Smoothing
}

// A BLEUScore is BLEU with what it is made of.
type BLEUScore struct {
	Score           float64
	Precisions      [bleuOrder]float64 // in percent, of sequences of 1 to 4 tokens, smoothed
	Brevity         float64            // the penalty, from 0 to 1, for candidates that are too short
	CandidateTokens int
	ReferenceTokens int // of the reference nearest in length to each candidate
}

// BLEU returns how much candidates, such as a network's translations, have in
// common with references, from 0 to 100 (Papineni et al., 2002), over the whole
// corpus. Row i of the references belongs to candidate i; tokens are words or
// ids.
//
//	brevity · exp(Σ ln precision[n] / 4) for n from 1 to 4
//
// with precision[n] the share of all sequences of n tokens in the candidates
// that occur in their references, each at most as often as there, and brevity
// exp(1 − r/c) if the candidates have fewer tokens, c, than the references, r.
// It is what sacrebleu computes of tokens, with tokenize none and its default
// smoothing: figures compare only where the tokens are made in the same way.
//
// It is NaN of no candidates, and 0 if candidates have fewer than 4 tokens
// each. It panics with an *[autograd.ShapeError] if there are not as many
// references as candidates.
func BLEU[T comparable](candidates, references [][]T) float64 {
	all := make([][][]T, len(references))
	for i := range references {
		all[i] = references[i : i+1]
	}
	return bleu("BLEU", candidates, all, BLEUOptions{}).Score
}

// BLEUWith is [BLEU] with other options and any number of references for each
// candidate: a sequence counts as often as in the reference that has it most.
// It panics with an *[autograd.ArgumentError] too, if a candidate has no
// reference or there is no such smoothing.
func BLEUWith[T comparable](candidates [][]T, references [][][]T, options BLEUOptions) BLEUScore {
	return bleu("BLEUWith", candidates, references, options)
}

func bleu[T comparable](op string, candidates [][]T, references [][][]T, options BLEUOptions) BLEUScore {
	op = "metrics: " + op
	if len(candidates) != len(references) {
		panic(autograd.NewShapeError(op, "there are not as many references as candidates", []int{len(candidates)}, []int{len(references)}))
	}
	if options.Smoothing > SmoothNone {
		panic(autograd.NewArgumentError(op, "there is no smoothing %d", options.Smoothing))
	}
	var score BLEUScore
	var hits, totals [bleuOrder]int
	for i, candidate := range candidates {
		if len(references[i]) == 0 {
			panic(autograd.NewArgumentError(op, "candidate %d has no reference", i))
		}
		score.CandidateTokens += len(candidate)
		score.ReferenceTokens += nearest(len(candidate), references[i])
		addHits(&hits, &totals, candidate, references[i])
	}
	score.combine(hits, totals, options.Smoothing, len(candidates))
	return score
}

// nearest returns the length of the reference that is nearest to n, the shorter
// of two that are.
func nearest[T any](n int, references [][]T) int {
	best := len(references[0])
	for _, r := range references[1:] {
		d, least := max(n-len(r), len(r)-n), max(n-best, best-n)
		if d < least || d == least && len(r) < best {
			best = len(r)
		}
	}
	return best
}

// A gram is a sequence of up to 4 tokens.
type gram[T comparable] struct {
	n      int
	tokens [bleuOrder]T
}

func grams[T comparable](tokens []T) map[gram[T]]int {
	counts := map[gram[T]]int{}
	for n := 1; n <= bleuOrder; n++ {
		for i := 0; i+n <= len(tokens); i++ {
			g := gram[T]{n: n}
			copy(g.tokens[:], tokens[i:i+n])
			counts[g]++
		}
	}
	return counts
}

// addHits counts the sequences of a candidate, and those that occur in a
// reference.
func addHits[T comparable](hits, totals *[bleuOrder]int, candidate []T, references [][]T) {
	for n := 1; n <= bleuOrder; n++ {
		totals[n-1] += max(0, len(candidate)-n+1)
	}
	most := map[gram[T]]int{}
	for _, r := range references {
		for g, count := range grams(r) {
			most[g] = max(most[g], count)
		}
	}
	for g, count := range grams(candidate) {
		hits[g.n-1] += min(count, most[g])
	}
}

// combine computes the score of counts.
func (s *BLEUScore) combine(hits, totals [bleuOrder]int, smoothing Smoothing, candidates int) {
	s.Brevity = 1
	if c, r := float64(s.CandidateTokens), float64(s.ReferenceTokens); c < r {
		s.Brevity = math.Exp(1 - r/c) // of no tokens 0
	}
	if candidates == 0 {
		s.Score = math.NaN()
		return
	}
	if hits[0] == 0 {
		return
	}
	sum, part := 0.0, 1.0
	for n := range bleuOrder {
		if totals[n] == 0 {
			return
		}
		share := float64(hits[n]) / float64(totals[n])
		if hits[n] == 0 && smoothing == SmoothExp {
			part /= 2
			share = part / float64(totals[n])
		}
		s.Precisions[n] = 100 * share
		sum += math.Log(s.Precisions[n])
	}
	s.Score = s.Brevity * math.Exp(sum/bleuOrder)
}
