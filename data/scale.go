package data

import (
	"math"
	"slices"

	"nabla/internal/kernel"
)

// Standard scales each column to mean 0 and standard deviation 1, by the statistics of the rows on which it was fitted.
// Its fields may be saved and filled in again.
type Standard struct {
	Mean []float64 // of each column
	Std  []float64 // population standard deviation of each column; 0 for a constant one
}

// FitStandard returns the mean and the population standard deviation (denominator n) of each column of x.
//
//	std = √(Σ (xᵢ − mean)² / n)
//
// No square on the way overflows or vanishes: numbers near 1e200 and near 1e-200 have their deviations. Special cases are:
//
//   - a constant column, and so any column of a single row, has exactly its value as mean and 0 as deviation
//   - a column with NaN or an infinity has a mean that is not finite; the other columns are not affected
//
// A matrix without rows panics with an *[autograd.ArgumentError].
func FitStandard(x Matrix) Standard {
	x.check("FitStandard")
	if x.Rows == 0 {
		misuse("FitStandard", "no rows in a matrix [0 %d]", x.Cols)
	}
	s := Standard{Mean: make([]float64, x.Cols), Std: make([]float64, x.Cols)}
	kernel.Mean(s.Mean, x.Values, 1, x.Rows, x.Cols)
	kernel.Std(s.Std, x.Values, 1, x.Rows, x.Cols, 0)
	for j, std := range s.Std {
		if std == 0 {
			s.Mean[j] = x.Values[j] // the computed mean may differ in its last digit
		}
	}
	return s
}

// Transform returns (x − mean) / std of each element. A constant column is only centred, not divided: on the rows of
// the fit it becomes 0. A matrix of another number of columns panics with an *[autograd.ArgumentError].
func (s Standard) Transform(x Matrix) Matrix {
	return s.affine("Standard.Transform").apply(x)
}

// Inverse takes Transform back: x·std + mean of each element, or x + mean in a constant column. A matrix of another
// number of columns panics with an *[autograd.ArgumentError].
func (s Standard) Inverse(x Matrix) Matrix {
	return s.affine("Standard.Inverse").revert(x)
}

func (s Standard) affine(op string) affine {
	if len(s.Mean) != len(s.Std) {
		misuse(op, "%d means and %d standard deviations", len(s.Mean), len(s.Std))
	}
	a := newAffine(op, len(s.Mean))
	for j, mean := range s.Mean {
		unit := unitOf(mean, s.Std[j])
		a.set(j, mean*unit, s.Std[j]*unit, unit)
	}
	return a
}

// MinMax scales each column to the range from 0 to 1, by the extremes of the rows on which it was fitted. Rows that
// the fit did not see may leave that range. Its fields may be saved and filled in again.
type MinMax struct {
	Min, Max []float64 // of each column
}

// FitMinMax returns the least and the greatest number of each column of x; NaN where the column has one. A matrix
// without rows panics with an *[autograd.ArgumentError].
func FitMinMax(x Matrix) MinMax {
	x.check("FitMinMax")
	if x.Rows == 0 {
		misuse("FitMinMax", "no rows in a matrix [0 %d]", x.Cols)
	}
	m := MinMax{Min: make([]float64, x.Cols), Max: make([]float64, x.Cols)}
	for j := range x.Cols {
		column := x.Column(j)
		m.Min[j], m.Max[j] = slices.Min(column), slices.Max(column)
	}
	return m
}

// Transform returns (x − min) / (max − min) of each element. A constant column is only moved, not divided: on the rows
// of the fit it becomes 0. A matrix of another number of columns panics with an *[autograd.ArgumentError].
func (m MinMax) Transform(x Matrix) Matrix {
	return m.affine("MinMax.Transform").apply(x)
}

// Inverse takes Transform back: x·(max − min) + min of each element, or x + min in a constant column. A matrix of
// another number of columns panics with an *[autograd.ArgumentError].
func (m MinMax) Inverse(x Matrix) Matrix {
	return m.affine("MinMax.Inverse").revert(x)
}

func (m MinMax) affine(op string) affine {
	if len(m.Min) != len(m.Max) {
		misuse(op, "%d least and %d greatest numbers", len(m.Min), len(m.Max))
	}
	a := newAffine(op, len(m.Min))
	for j, least := range m.Min {
		unit := unitOf(least, m.Max[j])
		a.set(j, least*unit, m.Max[j]*unit-least*unit, unit)
	}
	return a
}

// affine is what the scalers share: (x·unit − offset) / factor for each column, where a factor of 0 does not divide.
type affine struct {
	op                     string
	offsets, factors, unit []float64
}

func newAffine(op string, columns int) affine {
	return affine{op, make([]float64, columns), make([]float64, columns), make([]float64, columns)}
}

func (a affine) set(column int, offset, factor, unit float64) {
	if factor == 0 {
		factor = unit
	}
	a.offsets[column], a.factors[column], a.unit[column] = offset, factor, unit
}

// unitOf returns by what a column's numbers are multiplied so that no difference of two overflows: a power of two, 1
// unless they are near the end of the range.
func unitOf(x, y float64) float64 {
	if max(math.Abs(x), math.Abs(y)) > math.MaxFloat64/4 {
		return 0.25
	}
	return 1
}

func (a affine) apply(x Matrix) Matrix {
	y := a.sameSize(x)
	for i, v := range x.Values {
		j := i % x.Cols
		y.Values[i] = (v*a.unit[j] - a.offsets[j]) / a.factors[j]
	}
	return y
}

func (a affine) revert(x Matrix) Matrix {
	y := a.sameSize(x)
	for i, v := range x.Values {
		j := i % x.Cols
		y.Values[i] = (v*a.factors[j] + a.offsets[j]) / a.unit[j]
	}
	return y
}

func (a affine) sameSize(x Matrix) Matrix {
	x.check(a.op)
	if x.Cols != len(a.offsets) {
		misuse(a.op, "a matrix [%d %d], but the scaler was fitted on %d columns", x.Rows, x.Cols, len(a.offsets))
	}
	return NewMatrix(x.Rows, x.Cols)
}
