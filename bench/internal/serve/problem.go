package serve

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
)

// A Problem is the numbers of W2 or W3, with matrices stored row by row. Biases
// start at zero.
type Problem struct {
	Widths   []int // of the features and of each layer
	Rows     int
	Rate     float64
	Features []float64 // Rows × Widths[0]

	// Targets are those of the mean squared error, Rows × the last width; or,
	// if there are Classes, one-hot rows of them for the cross entropy.
	Targets []float64
	Classes []int
	Weights [][]float64 // of each layer, inputs × units
}

// NewProblem returns W2, and W3 of any size: W3-784-128-10-b64 has three widths
// and 64 rows.
func NewProblem(workload string) (*Problem, error) {
	rng := rand.New(rand.NewPCG(5, 0))
	if workload == "W2" {
		p := newProblem(rng, []int{2, 3, 1}, 24, 0.01)
		p.Targets = normals(rng, p.Rows)
		return p, nil
	}
	widths, rows, err := parse(workload)
	if err != nil {
		return nil, err
	}
	p := newProblem(rng, widths, rows, 0.001)
	columns := widths[len(widths)-1]
	p.Targets = make([]float64, rows*columns)
	for r := range rows {
		class := rng.IntN(columns)
		p.Classes = append(p.Classes, class)
		p.Targets[r*columns+class] = 1
	}
	return p, nil
}

func parse(workload string) (widths []int, rows int, err error) {
	parts := strings.Split(workload, "-")
	last := len(parts) - 1
	batch, ok := strings.CutPrefix(parts[last], "b")
	if parts[0] != "W3" || last < 3 || !ok {
		return nil, 0, fmt.Errorf("no workload %q", workload)
	}
	for _, part := range append(parts[1:last:last], batch) {
		n, err := strconv.Atoi(part)
		if err != nil || n < 1 {
			return nil, 0, fmt.Errorf("workload %q: %q is not a number of anything", workload, part)
		}
		widths = append(widths, n)
	}
	return widths[:last-1], widths[last-1], nil
}

func newProblem(rng *rand.Rand, widths []int, rows int, rate float64) *Problem {
	p := &Problem{Widths: widths, Rows: rows, Rate: rate, Features: normals(rng, rows*widths[0])}
	for i, units := range widths[1:] {
		w := normals(rng, widths[i]*units)
		for j := range w {
			w[j] /= math.Sqrt(float64(widths[i]))
		}
		p.Weights = append(p.Weights, w)
	}
	return p
}

func normals(rng *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	return x
}

// In converts numbers to the precision of the slice.
func In[T float32 | float64](x []float64) []T {
	y := make([]T, len(x))
	for i, v := range x {
		y[i] = T(v)
	}
	return y
}
