package data

import (
	"math"
	"slices"

	"nabla/internal/kernel"
)

// Standard scales each column to mean 0 and standard deviation 1, using the
// statistics of the rows on which it was fitted. Its fields can be saved and
// restored.
type Standard struct {
	Mean []float64 // of each column
	Std  []float64 // population standard deviation of each column; 0 if the column is constant
}

// FitStandard returns the mean and the population standard deviation
// (denominator n) of each column of x.
//
//	std = √(Σ (xᵢ − mean)² / n)
//
// Intermediate squares neither overflow nor underflow, so that numbers near
// 1e200 and near 1e-200 are scaled correctly. Special cases are:
//
//   - a constant column, and so any column of a single row, has its exact value
//     as mean and 0 as deviation
//   - a column with a NaN or an infinity has a mean that is not finite; other
//     columns are not affected
//
// It panics with an *[autograd.ArgumentError] if x has no rows.
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

// Transform returns (x − mean) / std of each element. A constant column is only
// centred, not divided: the fitted rows become 0. It panics with an
// *[autograd.ArgumentError] if x has a different number of columns.
func (s Standard) Transform(x Matrix) Matrix {
	return s.affine("Standard.Transform").apply(x)
}

// Inverse undoes Transform: it returns x·std + mean of each element, or x +
// mean in a constant column. It panics with an *[autograd.ArgumentError] if x
// has a different number of columns.
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

// MinMax scales each column to the range from 0 to 1, using the smallest and
// largest number among the rows on which it was fitted. Other rows may leave
// that range. Its fields can be saved and restored.
type MinMax struct {
	Min, Max []float64 // of each column
}

// FitMinMax returns the smallest and the largest number of each column of x, or
// NaN if the column contains one. It panics with an *[autograd.ArgumentError]
// if x has no rows.
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

// Transform returns (x − min) / (max − min) of each element. A constant column
// is only shifted, not divided: the fitted rows become 0. It panics with an
// *[autograd.ArgumentError] if x has a different number of columns.
func (m MinMax) Transform(x Matrix) Matrix {
	return m.affine("MinMax.Transform").apply(x)
}

// Inverse undoes Transform: it returns x·(max − min) + min of each element, or
// x + min in a constant column. It panics with an *[autograd.ArgumentError] if
// x has a different number of columns.
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

// affine is the transformation that the scalers share: (x·unit − offset) /
// factor for each column; a column with factor 0 is not divided.
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

// unitOf returns the power of two by which a column's numbers are multiplied so
// that no difference of two overflows: 1 unless they are near the end of the
// range.
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
