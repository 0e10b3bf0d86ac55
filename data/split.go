package data

import (
	"iter"
	"math"
	"math/rand/v2"
	"slices"
)

// Split divides the row numbers 0 … n−1 at random into parts of the given
// fractions, which must add up to 1. Every row is in exactly one part. The
// cuts are at n times the running sum of the fractions, rounded to the nearest
// row.
//
//	parts := data.Split(rng, n, 0.7, 0.15, 0.15) // training, validation, test
//
// A nil rng keeps the order: the first part has the first rows, as a time
// series needs. It panics with an *[autograd.ArgumentError] if a fraction is
// not positive, if they do not add up to 1 (within 1e-9), or if there are too
// few rows to give each part at least one.
func Split(rng *rand.Rand, n int, fractions ...float64) [][]int {
	ends := splitEnds(n, fractions)
	rows := order(rng, n)
	parts := make([][]int, len(fractions))
	start := 0
	for i, end := range ends {
		parts[i] = rows[start:end:end]
		start = end
	}
	return parts
}

// splitEnds returns where each part ends.
func splitEnds(n int, fractions []float64) []int {
	sums := make([]float64, len(fractions)) // running sums
	sum := 0.0
	for i, fraction := range fractions {
		if !(fraction > 0) { // also true for NaN
			misuse("Split", "fraction %v of %v is not positive", fraction, fractions)
		}
		sum += fraction
		sums[i] = sum
	}
	if !(math.Abs(sum-1) <= 1e-9) {
		misuse("Split", "the fractions %v add up to %v, want 1", fractions, sum)
	}
	sums[len(sums)-1] = 1
	ends := make([]int, len(fractions))
	start := 0
	for i, sum := range sums {
		ends[i] = int(math.Round(float64(n) * sum))
		if ends[i] <= start {
			misuse("Split", "%d rows are too few for the fractions %v, part %d would be empty", n, fractions, i)
		}
		start = ends[i]
	}
	return ends
}

// Fold is one of the k ways in which [KFold] divides the rows.
type Fold struct {
	Train      []int // the rows of all other folds
	Validation []int // the rows of this fold
}

// KFold divides the row numbers 0 … n−1 at random into k folds, each of which
// is used once for validation. The sizes of the folds differ by at most one;
// the larger ones come first.
//
//	for _, fold := range data.KFold(rng, x.Rows, 5) {
//		train, validation := x.Take(fold.Train), x.Take(fold.Validation)
//		…
//	}
//
// A nil rng keeps the order: the folds are runs of adjacent rows. It panics
// with an *[autograd.ArgumentError] if k is below 2 or above n.
func KFold(rng *rand.Rand, n, k int) []Fold {
	if k < 2 || k > n {
		misuse("KFold", "k is %d for %d rows, want 2 to the number of rows", k, n)
	}
	rows := order(rng, n)
	folds := make([]Fold, k)
	start := 0
	for i := range folds {
		end := start + n/k
		if i < n%k {
			end++
		}
		train := make([]int, 0, n-(end-start))
		folds[i].Train = append(append(train, rows[:start]...), rows[end:]...)
		folds[i].Validation = rows[start:end:end]
		start = end
	}
	return folds
}

// StratifiedKFold is [KFold] for rows with a class each, in which every fold
// has about the same share of each class: the numbers of a class's rows in two
// folds differ by at most one, and so do the sizes of two folds. Classes are
// any numbers, such as those of [Labels.Encode].
//
// A nil rng keeps the order: a class's first rows are in the first fold, and
// the rows of a fold ascend. It panics with an *[autograd.ArgumentError] if k
// is below 2, or above the number of rows of every class.
func StratifiedKFold(rng *rand.Rand, classes []int, k int) []Fold {
	numbers, counts := rankClasses(classes)
	if k < 2 || k > slices.Max(append(counts, 0)) {
		misuse("StratifiedKFold", "k is %d, and no class has more than %d rows", k, slices.Max(append(counts, 0)))
	}
	left := deal(counts, k)
	folds := make([]Fold, k)
	for _, row := range order(rng, len(classes)) {
		class, own := numbers[row], 0
		for left[own][class] == 0 {
			own++
		}
		left[own][class]--
		for i := range folds {
			if i == own {
				folds[i].Validation = append(folds[i].Validation, row)
			} else {
				folds[i].Train = append(folds[i].Train, row)
			}
		}
	}
	return folds
}

// rankClasses numbers the classes from 0 in the order in which they first
// occur. It returns each row's number, and how many rows each class has.
func rankClasses(classes []int) (numbers, counts []int) {
	rank := map[int]int{}
	numbers = make([]int, len(classes))
	for row, class := range classes {
		number, ok := rank[class]
		if !ok {
			number = len(counts)
			rank[class] = number
			counts = append(counts, 0)
		}
		numbers[row] = number
		counts[number]++
	}
	return numbers, counts
}

// deal hands out the rows, sorted by class, to the folds in turn. It returns
// how many of each class each fold gets.
func deal(counts []int, k int) [][]int {
	hands := make([][]int, k)
	for i := range hands {
		hands[i] = make([]int, len(counts))
	}
	next := 0
	for class, count := range counts {
		for range count {
			hands[next%k][class]++
			next++
		}
	}
	return hands
}

// Batches returns the mini-batches of one epoch: the row numbers 0 … n−1 in
// random order, size of them at a time. If size does not divide n, the last
// batch is shorter, so that every row is used once. A size of n or more gives
// the full batch, a size of 1 gives single rows (stochastic), and n = 0 gives
// no batch.
//
// Each range over the result is one epoch and draws a new order, so call
// Batches once and range over it every epoch:
//
//	batches := data.Batches(rng, x.Rows, 32)
//	for range epochs {
//		for rows := range batches {
//			batch = x.TakeInto(batch, rows)
//			…
//		}
//	}
//
// A nil rng keeps the order 0 … n−1, for evaluation and for the full batch.
//
// All epochs share the memory of the row numbers: a batch is valid until the
// next epoch begins and must not be written to. No memory is allocated per
// batch. Only one loop at a time may range over the result.
//
// It panics with an *[autograd.ArgumentError] if size is below 1, if n is
// negative, or if a loop over the batches starts inside another one.
func Batches(rng *rand.Rand, n, size int) iter.Seq[[]int] {
	return batches("Batches", rng, n, size, BatchOptions{})
}

// BatchOptions are what [Batches] leaves at its defaults.
type BatchOptions struct {
	DropLast bool // leaves out the last batch of an epoch if it is shorter
}

// BatchesWith is [Batches] with other options. With DropLast, every batch has
// size rows, and the few rows that are left over sit out the epoch: others in
// each, if rng shuffles them. If size is above n, there is no batch then.
func BatchesWith(rng *rand.Rand, n, size int, options BatchOptions) iter.Seq[[]int] {
	return batches("BatchesWith", rng, n, size, options)
}

func batches(op string, rng *rand.Rand, n, size int, options BatchOptions) iter.Seq[[]int] {
	if size < 1 {
		misuse(op, "size %d, want at least 1", size)
	}
	if n < 0 {
		misuse(op, "%d rows", n)
	}
	rows := order(nil, n)
	running := false
	return func(yield func([]int) bool) {
		if running {
			misuse(op, "a loop within a loop over the same batches")
		}
		running = true
		defer func() { running = false }()
		shuffle(rng, rows)
		for start := 0; start < n; {
			end := start + min(size, n-start)
			if end-start < size && options.DropLast || !yield(rows[start:end:end]) {
				return
			}
			start = end
		}
	}
}

// order returns the numbers 0 … n−1, shuffled unless rng is nil.
func order(rng *rand.Rand, n int) []int {
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	shuffle(rng, rows)
	return rows
}

func shuffle(rng *rand.Rand, rows []int) {
	if rng != nil {
		rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	}
}
