package data_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"nabla/autograd"
	"nabla/data"
)

// wantMisuse checks that f panics with an autograd.ArgumentError that has the
// given words and the line of a test.
func wantMisuse(t *testing.T, words string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		caught := recover()
		fault, ok := caught.(*autograd.ArgumentError)
		if !ok {
			t.Errorf("panic %v of type %T, want a *autograd.ArgumentError with %q", caught, caught, words)
			return
		}
		if !strings.Contains(fault.Error(), words) {
			t.Errorf("panic %q, want %q in it", fault, words)
		}
		if !regexp.MustCompile(`, at [a-z]+_test\.go:\d+$`).MatchString(fault.Error()) {
			t.Errorf("panic %q, want the line of this test", fault)
		}
	}()
	f()
}

func TestMisuse(t *testing.T) {
	table := read(t, "a,b\n1,2\n3,4\n")
	m := data.FromRows([]float64{1, 2}, []float64{3, 4})
	broken := data.Matrix{Rows: 2, Cols: 2, Values: make([]float64, 3)}
	standard, extremes := data.FitStandard(m), data.FitMinMax(m)
	batches := data.Batches(nil, 3, 1)
	tests := []struct {
		want string
		f    func()
	}{
		{"data: Table.Matrix: no columns named", func() { _, _ = table.Matrix() }},
		{`data: Table.Where: no values named for column "a"`, func() { _, _ = table.Where("a") }},
		{"data: Table.Take: row 2 (rows[1]) is out of range, there are 2 rows", func() { table.Take([]int{0, 2}) }},
		{"data: Table.Take: row -1 (rows[0])", func() { table.Take([]int{-1}) }},
		{"data: NewMatrix: size [-1 2] is negative", func() { data.NewMatrix(-1, 2) }},
		{"overflows int", func() { data.NewMatrix(1<<40, 1<<40) }},
		{"data: FromRows: row 1 has 1 numbers, row 0 has 2", func() { data.FromRows([]float64{1, 2}, []float64{3}) }},
		{"data: FromColumns: column 1 has 1 numbers, column 0 has 2", func() { data.FromColumns([]float64{1, 2}, []float64{3}) }},
		{"data: Beside: matrix 1 has 3 rows, matrix 0 has 2", func() { data.Beside(m, data.NewMatrix(3, 1)) }},
		{"data: Beside: a matrix [2 2] of 3 values", func() { data.Beside(broken) }},
		{"data: Matrix.At: element (0, 2) is out of range of [2 2]", func() { m.At(0, 2) }},
		{"data: Matrix.At: element (2, 0)", func() { m.At(2, 0) }},
		{"data: Matrix.At: a matrix [2 2] of 3 values", func() { broken.At(0, 0) }},
		{"data: Matrix.Row: row 2 is out of range", func() { m.Row(2) }},
		{"data: Matrix.Column: column -1 is out of range", func() { m.Column(-1) }},
		{"data: Matrix.Take: row 5 (rows[0])", func() { m.Take([]int{5}) }},
		{"data: Matrix.TakeInto: dst is the matrix itself", func() { m.TakeInto(m, []int{1, 0}) }},
		{"data: FitStandard: no rows in a matrix [0 2]", func() { data.FitStandard(data.NewMatrix(0, 2)) }},
		{"data: FitStandard: a matrix [2 2] of 3 values", func() { data.FitStandard(broken) }},
		{"data: FitMinMax: no rows", func() { data.FitMinMax(data.NewMatrix(0, 2)) }},
		{"data: Standard.Transform: a matrix [2 1], but the scaler was fitted on 2 columns", func() { standard.Transform(data.NewMatrix(2, 1)) }},
		{"data: Standard.Inverse: a matrix [2 3]", func() { standard.Inverse(data.NewMatrix(2, 3)) }},
		{"data: MinMax.Transform: a matrix [2 1]", func() { extremes.Transform(data.NewMatrix(2, 1)) }},
		{"data: MinMax.Inverse: a matrix [2 3]", func() { extremes.Inverse(data.NewMatrix(2, 3)) }},
		{"data: Standard.Transform: 1 means and 0 standard deviations", func() { data.Standard{Mean: []float64{1}}.Transform(m) }},
		{"data: MinMax.Inverse: 1 least and 0 greatest numbers", func() { data.MinMax{Min: []float64{1}}.Inverse(m) }},
		{"data: NewLabels: no classes", func() { data.NewLabels() }},
		{`data: NewLabels: class "a" is given twice, as 0 and 2`, func() { data.NewLabels("a", "b", "a") }},
		{"data: FitLabels: no labels", func() { data.FitLabels(nil) }},
		{"data: Labels.Decode: number 2 (numbers[1]) is no class, there are 2", func() { data.NewLabels("a", "b").Decode([]int{0, 2}) }},
		{"data: OneHot: number -1 (numbers[0]) is no class, there are 2", func() { data.OneHot([]int{-1}, 2) }},
		{"data: OneHot: 0 classes, want at least 1", func() { data.OneHot(nil, 0) }},
		{"data: Split: the fractions [] add up to 0, want 1", func() { data.Split(nil, 10) }},
		{"data: Split: the fractions [0.5 0.4] add up to 0.9, want 1", func() { data.Split(nil, 10, 0.5, 0.4) }},
		{"data: Split: the fractions [0.9 0.5 0.5]", func() { data.Split(nil, 10, 0.9, 0.5, 0.5) }},
		{"data: Split: fraction -0.5 of [1.5 -0.5] is not positive", func() { data.Split(nil, 10, 1.5, -0.5) }},
		{"data: Split: fraction NaN", func() { data.Split(nil, 10, nan, 0.5) }},
		{"data: Split: the fractions [+Inf]", func() { data.Split(nil, 10, inf) }},
		{"data: Split: 3 rows are too few for the fractions [0.9 0.1], part 1 would be empty", func() { data.Split(nil, 3, 0.9, 0.1) }},
		{"data: Split: 0 rows are too few", func() { table.Take(nil).Split(nil, 0.5, 0.5) }},
		{"data: Split: -1 rows are too few", func() { data.Split(nil, -1, 1) }},
		{"data: KFold: k is 1 for 10 rows", func() { data.KFold(nil, 10, 1) }},
		{"data: KFold: k is 4 for 3 rows", func() { data.KFold(nil, 3, 4) }},
		{"data: StratifiedKFold: k is 1, and", func() { data.StratifiedKFold(nil, []int{0, 0, 1, 1}, 1) }},
		{"data: StratifiedKFold: k is 3, and no class has more than 2 rows", func() { data.StratifiedKFold(nil, []int{0, 0, 1, 1}, 3) }},
		{"data: StratifiedKFold: k is 2, and no class has more than 0 rows", func() { data.StratifiedKFold(nil, nil, 2) }},
		{"data: BatchesWith: size -1, want", func() { data.BatchesWith(nil, 10, -1, data.BatchOptions{}) }},
		{"data: Batches: size 0, want at least 1", func() { data.Batches(nil, 10, 0) }},
		{"data: Batches: -1 rows", func() { data.Batches(nil, -1, 1) }},
		{"data: Batches: a loop within a loop over the same batches", func() {
			for range batches {
				for range batches {
				}
			}
		}},
	}
	for _, test := range tests {
		t.Run(test.want, func(t *testing.T) { wantMisuse(t, test.want, test.f) })
	}
}

func TestLongListsEnd(t *testing.T) {
	var names []string
	for i := range 25 {
		names = append(names, fmt.Sprint("c", i))
	}
	_, err := read(t, strings.Join(names, ",")+"\n").Strings("x")
	if !strings.HasSuffix(err.Error(), `"c19" and 5 more`) {
		t.Errorf("%v", err)
	}
}

// Try hands the mistakes of this package to the caller, as it does those of
// autograd.
func TestTry(t *testing.T) {
	err := autograd.Try(func() { data.Batches(nil, 10, 0) })
	var fault *autograd.ArgumentError
	if !errors.As(err, &fault) || fault.Op != "data: Batches" {
		t.Errorf("error %v of type %T, want a *autograd.ArgumentError of data: Batches", err, err)
	}
}
