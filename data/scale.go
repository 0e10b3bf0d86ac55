package data

import (
	"slices"

	"gonum.org/v1/gonum/stat"
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
// Special cases are:
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
	for j := range x.Cols {
		column := x.Column(j)
		if slices.Min(column) == slices.Max(column) {
			// The computed mean may differ from the value in its last digit, and the deviation would then be
			// rounding noise instead of 0.
			s.Mean[j] = column[0]
			continue
		}
		s.Mean[j], s.Std[j] = stat.PopMeanStdDev(column, nil)
	}
	return s
}

// Transform returns (x − mean) / std of each element. A constant column is only centred, not divided: on the rows of
// the fit it becomes 0. A matrix of another number of columns panics with an *[autograd.ArgumentError].
func (s Standard) Transform(x Matrix) Matrix {
	return affineOf("Standard.Transform", s.Mean, s.Std).apply(x)
}

// Inverse takes Transform back: x·std + mean of each element, or x + mean in a constant column. A matrix of another
// number of columns panics with an *[autograd.ArgumentError].
func (s Standard) Inverse(x Matrix) Matrix {
	return affineOf("Standard.Inverse", s.Mean, s.Std).revert(x)
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
	return affineOf("MinMax.Transform", m.Min, m.ranges("MinMax.Transform")).apply(x)
}

// Inverse takes Transform back: x·(max − min) + min of each element, or x + min in a constant column. A matrix of
// another number of columns panics with an *[autograd.ArgumentError].
func (m MinMax) Inverse(x Matrix) Matrix {
	return affineOf("MinMax.Inverse", m.Min, m.ranges("MinMax.Inverse")).revert(x)
}

func (m MinMax) ranges(op string) []float64 {
	if len(m.Min) != len(m.Max) {
		misuse(op, "%d least and %d greatest numbers", len(m.Min), len(m.Max))
	}
	ranges := make([]float64, len(m.Min))
	for j := range ranges {
		ranges[j] = m.Max[j] - m.Min[j]
	}
	return ranges
}

// affine is what the scalers share: (x − offset) / factor for each column, where a factor of 0 does not divide.
type affine struct {
	op      string
	offsets []float64
	factors []float64
}

func affineOf(op string, offsets, spreads []float64) affine {
	if len(offsets) != len(spreads) {
		misuse(op, "%d offsets and %d spreads", len(offsets), len(spreads))
	}
	factors := slices.Clone(spreads)
	for j, spread := range spreads {
		if spread == 0 {
			factors[j] = 1
		}
	}
	return affine{op: op, offsets: offsets, factors: factors}
}

func (a affine) apply(x Matrix) Matrix {
	y := a.sameSize(x)
	for i, v := range x.Values {
		j := i % x.Cols
		y.Values[i] = (v - a.offsets[j]) / a.factors[j]
	}
	return y
}

func (a affine) revert(x Matrix) Matrix {
	y := a.sameSize(x)
	for i, v := range x.Values {
		j := i % x.Cols
		y.Values[i] = v*a.factors[j] + a.offsets[j]
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
