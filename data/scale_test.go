package data_test

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/data"
)

var inf, nan = math.Inf(1), math.NaN()

// closeTo compares numbers to 1e-12, relative where they are above 1; NaN
// equals NaN.
var closeTo = cmp.Comparer(func(x, y float64) bool {
	return x == y || math.IsNaN(x) && math.IsNaN(y) || math.Abs(x-y) <= 1e-12*max(1, math.Abs(x), math.Abs(y))
})

func TestFitStandard(t *testing.T) {
	tests := []struct {
		name      string
		column    []float64
		mean, std float64
	}{
		{"1 to 4", []float64{1, 2, 3, 4}, 2.5, math.Sqrt(1.25)},
		{"population, not sample", []float64{0, 2}, 1, 1},
		{"far from zero", []float64{1e9 + 1, 1e9 + 2, 1e9 + 3}, 1e9 + 2, math.Sqrt(2. / 3)},
		{"constant", []float64{5, 5, 5}, 5, 0},
		{"one row", []float64{7}, 7, 0},
		{"negative", []float64{-3, 3}, 0, 3},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := data.FitStandard(data.FromColumns(test.column))
			want := data.Standard{Mean: []float64{test.mean}, Std: []float64{test.std}}
			if diff := cmp.Diff(want, got, closeTo); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// The sum of three 0.1 is not exactly 0.3: a deviation computed from it is
// rounding noise, and dividing by that turns noise into large numbers.
func TestFitStandardConstantIsExact(t *testing.T) {
	x := data.FromColumns([]float64{0.1, 0.1, 0.1}, []float64{1, 2, 3})
	s := data.FitStandard(x)
	if s.Mean[0] != 0.1 || s.Std[0] != 0 {
		t.Errorf("mean %v, deviation %v, want 0.1 and 0", s.Mean[0], s.Std[0])
	}
	y := s.Transform(x)
	if diff := cmp.Diff([]float64{0, 0, 0}, y.Column(0)); diff != "" {
		t.Errorf("transformed (-want +got):\n%s", diff)
	}
	other := s.Transform(data.FromRows([]float64{2.1, 2}))
	if diff := cmp.Diff([]float64{2, 0}, other.Values, closeTo); diff != "" {
		t.Errorf("another row (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(x, s.Inverse(y), closeTo); diff != "" {
		t.Errorf("and back (-want +got):\n%s", diff)
	}
}

func TestFitStandardNotFinite(t *testing.T) {
	s := data.FitStandard(data.FromColumns([]float64{nan, 1}, []float64{1, 3}, []float64{inf, 1}))
	for j, finite := range []bool{false, true, false} {
		if got := !math.IsNaN(s.Mean[j]) && !math.IsInf(s.Mean[j], 0); got != finite {
			t.Errorf("the mean of column %d is %v", j, s.Mean[j])
		}
	}
	if s.Mean[1] != 2 || s.Std[1] != 1 {
		t.Errorf("the finite column has mean %v, deviation %v, want 2 and 1", s.Mean[1], s.Std[1])
	}
}

// A matrix of random numbers against the sums written out.
func TestStandardAgainstPlainLoops(t *testing.T) {
	x := randomMatrix(57, 4)
	train, test := x.Take(data.Split(nil, 57, 0.6, 0.4)[0]), x.Take(data.Split(nil, 57, 0.6, 0.4)[1])
	got := data.FitStandard(train).Transform(test)
	for j := range x.Cols {
		mean, variance := 0.0, 0.0
		for i := range train.Rows {
			mean += train.At(i, j) / float64(train.Rows)
		}
		for i := range train.Rows {
			variance += (train.At(i, j) - mean) * (train.At(i, j) - mean) / float64(train.Rows)
		}
		for i := range test.Rows {
			want := (test.At(i, j) - mean) / math.Sqrt(variance)
			if math.Abs(got.At(i, j)-want) > 1e-12 {
				t.Errorf("(%d, %d): %v, want %v", i, j, got.At(i, j), want)
			}
		}
	}
}

func TestFitMinMax(t *testing.T) {
	x := data.FromColumns([]float64{2, 6, 3}, []float64{7, 7, 7}, []float64{-1, 0, nan})
	m := data.FitMinMax(x)
	want := data.MinMax{Min: []float64{2, 7, nan}, Max: []float64{6, 7, nan}}
	if diff := cmp.Diff(want, m, closeTo); diff != "" {
		t.Errorf("fit (-want +got):\n%s", diff)
	}
	got := m.Transform(data.FromRows([]float64{2, 7, 0}, []float64{6, 7, 0}, []float64{3, 9, 0}, []float64{8, 7, 0}))
	scaled := data.FromRows([]float64{0, 0, nan}, []float64{1, 0, nan}, []float64{0.25, 2, nan}, []float64{1.5, 0, nan})
	if diff := cmp.Diff(scaled, got, closeTo); diff != "" {
		t.Errorf("transformed (-want +got):\n%s", diff)
	}
}

type scaler interface {
	Transform(data.Matrix) data.Matrix
	Inverse(data.Matrix) data.Matrix
}

func TestScalersInverse(t *testing.T) {
	train, other := randomMatrix(20, 3), randomMatrix(5, 3)
	for name, s := range map[string]scaler{"Standard": data.FitStandard(train), "MinMax": data.FitMinMax(train)} {
		for _, x := range []data.Matrix{train, other, data.NewMatrix(0, 3)} {
			before := slices.Clone(x.Values)
			y := s.Transform(x)
			if diff := cmp.Diff(before, s.Inverse(y).Values, closeTo); diff != "" {
				t.Errorf("%s there and back (-want +got):\n%s", name, diff)
			}
			if diff := cmp.Diff(before, x.Values); diff != "" {
				t.Errorf("%s changed its argument (-want +got):\n%s", name, diff)
			}
		}
	}
}

func randomMatrix(rows, cols int) data.Matrix {
	rng := newRand()
	m := data.NewMatrix(rows, cols)
	for i := range m.Values {
		m.Values[i] = 100 + 30*rng.NormFloat64()
	}
	return m
}

func identity(n int) []int {
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	return rows
}

// The squares, sums or differences of these numbers leave the range of float64;
// their scaled values do not.
func TestScaleNearTheEndsOfTheRange(t *testing.T) {
	for _, unit := range []float64{1e-170, 1e-300, 1e160, 1e200, 4e307} {
		x := data.FromColumns([]float64{unit, 2 * unit, 4 * unit})
		s := data.FitStandard(x)
		y := s.Transform(x)
		// (1, 2, 4) less 7/3, divided by √(14/9)
		if diff := cmp.Diff([]float64{-1.0690449676496976, -0.2672612419124244, 1.3363062095621219}, y.Values, closeTo); diff != "" {
			t.Errorf("%v·[1 2 4] (-want +got):\n%s", unit, diff)
		}
		for i, v := range s.Inverse(y).Values {
			if math.Abs(v/x.Values[i]-1) > 1e-14 {
				t.Errorf("%v comes back as %v", x.Values[i], v)
			}
		}
	}
	for _, row := range []struct{ x, want []float64 }{
		{[]float64{-1.7e308, 0, 1.7e308}, []float64{0, 0.5, 1}},
		{[]float64{-1.7e308, 0, 0.85e308}, []float64{0, 2. / 3, 1}},
		{[]float64{0, 1.7e308, 1.7e308}, []float64{0, 1, 1}},
		{[]float64{1.7e308, 1.7e308, 1.7e308}, []float64{0, 0, 0}},
		{[]float64{1e-310, 2e-310, 3e-310}, []float64{0, 0.5, 1}},
	} {
		x := data.FromColumns(row.x)
		m := data.FitMinMax(x)
		y := m.Transform(x)
		if diff := cmp.Diff(row.want, y.Values, closeTo); diff != "" {
			t.Errorf("%v (-want +got):\n%s", row.x, diff)
		}
		for i, v := range m.Inverse(y).Values {
			if v != x.Values[i] && math.Abs(v-x.Values[i]) > 1e-14*math.Abs(x.Values[i]) {
				t.Errorf("%v comes back as %v", x.Values[i], v)
			}
		}
	}
}
