package decode

import (
	"math"
	"math/rand/v2"
	"slices"

	"nabla/autograd"
)

// Options say from which tokens [Sample] draws. The zero Options are the
// softmax of the logits as they are.
type Options struct {
	// Temperature divides the logits: below 1 the probable tokens become more
	// probable, above 1 less. 0 means 1; the limit at 0 is [Greedy].
	Temperature float64

	// TopK keeps the K tokens of the largest logits. 0 keeps all.
	TopK int

	// TopP keeps the fewest tokens of the largest logits whose probabilities,
	// among those that TopK keeps, add up to at least P. 0 and 1 keep all.
	TopP float64
}

// check panics for options that make no sense.
func (o Options) check(op string) {
	switch {
	case !(o.Temperature >= 0) || math.IsInf(o.Temperature, 1):
		panic(autograd.NewArgumentError(op, "Temperature is %v, want a number from 0 on", o.Temperature))
	case o.TopK < 0:
		panic(autograd.NewArgumentError(op, "TopK is %d", o.TopK))
	case !(o.TopP >= 0 && o.TopP <= 1):
		panic(autograd.NewArgumentError(op, "TopP is %v, want a number from 0 to 1", o.TopP))
	}
}

// Sample draws an id from each row of logits [rows, vocabulary], or of any
// other shape whose last axis is the vocabulary: the result has the axes before
// it, and from [vocabulary] alone is a scalar, see [autograd.Ints.Item]. A
// logit of −Inf is never drawn. Each row takes one number from rng.
//
// It panics with an *[autograd.ArgumentError] if options make no sense, rng is
// nil, or a row has a NaN, +Inf, or nothing but −Inf, and with an
// *[autograd.ShapeError] if there is no vocabulary.
func Sample(rng *rand.Rand, logits autograd.Tensor, options Options) autograd.Ints {
	const op = "decode: Sample"
	checkSample(op, rng, options)
	return each(op, logits, func(row int, numbers []float64) int {
		return draw(op, row, rng, numbers, options)
	})
}

// SampleSlice is [Sample] of one row.
func SampleSlice(rng *rand.Rand, logits []float64, options Options) int {
	const op = "decode: SampleSlice"
	checkSample(op, rng, options)
	if len(logits) == 0 {
		panic(autograd.NewShapeError(op, "there is no vocabulary", []int{0}))
	}
	return draw(op, 0, rng, logits, options)
}

func checkSample(op string, rng *rand.Rand, options Options) {
	options.check(op)
	if rng == nil {
		panic(autograd.NewArgumentError(op, "rng is nil"))
	}
}

// Greedy returns the id of the largest logit of each row, the lowest of equal
// ones. It takes and returns the shapes that [Sample] does, and panics as that
// does.
func Greedy(logits autograd.Tensor) autograd.Ints {
	const op = "decode: Greedy"
	return each(op, logits, func(row int, numbers []float64) int {
		return largest(op, row, numbers)
	})
}

// each calls choose with each row.
func each(op string, logits autograd.Tensor, choose func(row int, numbers []float64) int) autograd.Ints {
	if logits.Rank() == 0 || logits.Dim(-1) == 0 {
		panic(autograd.NewShapeError(op, "there is no vocabulary", logits.Shape()))
	}
	shape, width, numbers := logits.Shape(), logits.Dim(-1), logits.Float64s()
	ids := make([]int, len(numbers)/width)
	for row := range ids { // without an iterator, so that a panic finds the user's line
		ids[row] = choose(row, numbers[row*width:(row+1)*width])
	}
	return autograd.NewInts(ids, shape[:len(shape)-1]...)
}

// largest returns the id of the largest logit. It panics for a row from which
// nothing can be chosen.
func largest(op string, row int, logits []float64) int {
	best := 0
	for id, v := range logits {
		if math.IsNaN(v) || math.IsInf(v, 1) {
			panic(autograd.NewArgumentError(op, "row %d: the logit of id %d is %v", row, id, v))
		}
		if v > logits[best] {
			best = id
		}
	}
	if math.IsInf(logits[best], -1) {
		panic(autograd.NewArgumentError(op, "row %d: all logits are -Inf", row))
	}
	return best
}

// draw returns an id of one row.
func draw(op string, row int, rng *rand.Rand, logits []float64, options Options) int {
	best := logits[largest(op, row, logits)]
	temperature := options.Temperature
	if temperature == 0 {
		temperature = 1
	}
	ids := options.candidates(len(logits), logits)
	weights := make([]float64, len(ids))
	sum := 0.0
	for i, id := range ids {
		weights[i] = math.Exp((logits[id] - best) / temperature)
		sum += weights[i]
	}
	if options.TopP > 0 && options.TopP < 1 {
		kept, enough := 0.0, options.TopP*sum
		for i, w := range weights {
			if kept += w; kept >= enough {
				ids, weights, sum = ids[:i+1], weights[:i+1], kept
				break
			}
		}
	}
	left := rng.Float64() * sum
	drawn := 0
	for i, w := range weights {
		if w == 0 {
			continue
		}
		drawn = ids[i] // of the last, if rounding leaves something
		if left -= w; left < 0 {
			break
		}
	}
	return drawn
}

// candidates returns the ids to draw from: all, or those of the largest logits,
// the largest first.
func (o Options) candidates(n int, logits []float64) []int {
	k := n
	if o.TopK > 0 {
		k = min(k, o.TopK)
	}
	if k < n || o.TopP > 0 && o.TopP < 1 {
		return top(logits, k)
	}
	ids := make([]int, n)
	for id := range ids {
		ids[id] = id
	}
	return ids
}

// top returns the ids of the k largest numbers, the largest first, and of equal
// ones the lowest id first.
func top(numbers []float64, k int) []int {
	less := func(a, b int) int {
		switch {
		case numbers[a] > numbers[b]:
			return -1
		case numbers[a] < numbers[b]:
			return 1
		}
		return a - b
	}
	k = min(k, len(numbers))
	if k > 64 {
		ids := make([]int, len(numbers))
		for id := range ids {
			ids[id] = id
		}
		slices.SortFunc(ids, less)
		return ids[:k]
	}
	ids := make([]int, 0, k+1) // few: each new one goes where it belongs
	for id := range numbers {
		if k > 0 && (len(ids) < k || less(id, ids[k-1]) < 0) {
			at, _ := slices.BinarySearchFunc(ids, id, less)
			ids = slices.Insert(ids, at, id)
			ids = ids[:min(k, len(ids))]
		}
	}
	return ids
}
