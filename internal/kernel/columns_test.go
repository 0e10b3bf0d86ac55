package kernel_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"nabla/internal/kernel"
)

// A column's results are the same bits beside any other columns, for each width
// that the loops treat separately, and beside infinities.
func TestColumnsStandAlone(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const rows, columns = 7, 53
	x, gy := make([]float64, rows*columns), make([]float64, rows*columns)
	for i := range x {
		x[i], gy[i] = 5*rng.NormFloat64(), rng.NormFloat64()
	}
	x[3*columns+20] = math.Inf(1)
	checkColumns(t, x, gy, rows, columns)
	x32, gy32 := make([]float32, len(x)), make([]float32, len(gy))
	kernel.Convert32(x32, x)
	kernel.Convert32(gy32, gy)
	checkColumns(t, x32, gy32, rows, columns)
}

func checkColumns[T kernel.Float](t *testing.T, x, gy []T, rows, columns int) {
	t.Helper()
	for what, f := range map[string]func(dst, x, gy []T, inner int){
		"softmax":              func(dst, x, _ []T, inner int) { kernel.Softmax(dst, x, 1, rows, inner) },
		"log-softmax":          func(dst, x, _ []T, inner int) { kernel.LogSoftmax(dst, x, 1, rows, inner) },
		"logsumexp":            func(dst, x, _ []T, inner int) { kernel.LogSumExp(dst, x, 1, rows, inner) },
		"softmax gradient":     func(dst, x, gy []T, inner int) { kernel.SoftmaxGrad(dst, gy, x, 1, rows, inner) },
		"log-softmax gradient": func(dst, x, gy []T, inner int) { kernel.LogSoftmaxGrad(dst, gy, x, 1, rows, inner) },
	} {
		all := make([]T, len(x))
		f(all, x, gy, columns)
		for first := range columns - 1 {
			width := columns - first
			got := make([]T, rows*width)
			f(got, part(x, rows, columns, first), part(gy, rows, columns, first), width)
			want := part(all, rows, columns, first)
			if what == "logsumexp" {
				got, want = got[:width], all[first:columns]
			}
			if !slices.EqualFunc(got, want, func(a, b T) bool { return a == b || (a != a && b != b) }) {
				t.Errorf("%s of the last %d columns, %T, is not that beside the others", what, width, x[0])
				break
			}
		}
	}
}

// part is the matrix without its first columns.
func part[T kernel.Float](x []T, rows, columns, first int) []T {
	var y []T
	for k := range rows {
		y = append(y, x[k*columns+first:(k+1)*columns]...)
	}
	return y
}

// An infinite gradient reaches the other elements of its column as an infinity,
// as it does along rows, and no other column.
func TestInfiniteGradientsOfColumns(t *testing.T) {
	t.Run("float64", infiniteGradients[float64])
	t.Run("float32", infiniteGradients[float32])
}

func infiniteGradients[T kernel.Float](t *testing.T) {
	const rows = 5
	for inner := 1; inner < 20; inner++ {
		for _, sign := range []int{1, -1} {
			gy, y, dst := make([]T, rows*inner), make([]T, rows*inner), make([]T, rows*inner)
			at := 2*inner + inner/2
			gy[at] = T(math.Inf(sign))
			check := func(what string) {
				t.Helper()
				for i, v := range dst {
					isRight := v == 0
					switch {
					case i == at:
						isRight = v != v // Inf − Inf
					case i%inner == at%inner:
						isRight = v == T(math.Inf(-sign))
					}
					if !isRight {
						t.Fatalf("%s of %d columns, %T: element %d is %v for gy[%d] = %v", what, inner, v, i, v, at, gy[at])
					}
				}
			}
			kernel.Fill(y, 0.2)
			kernel.SoftmaxGrad(dst, gy, y, 1, rows, inner)
			check("softmax gradient")
			kernel.Fill(y, T(math.Log(0.2)))
			kernel.LogSoftmaxGrad(dst, gy, y, 1, rows, inner)
			check("log-softmax gradient")
		}
	}
}
