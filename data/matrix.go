package data

import (
	"math"
	"slices"
)

// Matrix is a table of numbers: a row for each sample, a column for each
// feature. Element (i, j) is Values[i*Cols+j], and len(Values) is Rows*Cols;
// functions that are given a Matrix of another length panic with an
// *[autograd.ArgumentError]. Copies of a Matrix share their Values. The zero
// Matrix has no rows and no columns.
type Matrix struct {
	Rows, Cols int
	Values     []float64 // row by row
}

// NewMatrix returns a matrix [rows, cols] of zeros. It panics with an
// *[autograd.ArgumentError] if a size is negative or their product overflows
// int.
func NewMatrix(rows, cols int) Matrix {
	if rows < 0 || cols < 0 {
		misuse("NewMatrix", "size [%d %d] is negative", rows, cols)
	}
	if cols > 0 && rows > math.MaxInt/cols {
		misuse("NewMatrix", "size [%d %d] overflows int", rows, cols)
	}
	return Matrix{Rows: rows, Cols: cols, Values: make([]float64, rows*cols)}
}

// FromRows returns a matrix of the given rows, copied. Rows of different
// lengths panic with an *[autograd.ArgumentError].
func FromRows(rows ...[]float64) Matrix {
	if len(rows) == 0 {
		return Matrix{}
	}
	m := Matrix{Rows: len(rows), Cols: len(rows[0]), Values: make([]float64, 0, len(rows)*len(rows[0]))}
	for i, row := range rows {
		if len(row) != m.Cols {
			misuse("FromRows", "row %d has %d numbers, row 0 has %d", i, len(row), m.Cols)
		}
		m.Values = append(m.Values, row...)
	}
	return m
}

// FromColumns returns a matrix of the given columns, copied; a single one makes
// a matrix [len, 1]. Columns of different lengths panic with an
// *[autograd.ArgumentError].
func FromColumns(columns ...[]float64) Matrix {
	if len(columns) == 0 {
		return Matrix{}
	}
	m := NewMatrix(len(columns[0]), len(columns))
	for j, column := range columns {
		if len(column) != m.Rows {
			misuse("FromColumns", "column %d has %d numbers, column 0 has %d", j, len(column), m.Rows)
		}
		for i, v := range column {
			m.Values[i*m.Cols+j] = v
		}
	}
	return m
}

// Beside returns the matrices side by side, so that one-hot columns can stand
// next to numbers:
//
//	features := data.Beside(numbers, categories)
//
// It panics with an *[autograd.ArgumentError] if the numbers of rows differ.
func Beside(matrices ...Matrix) Matrix {
	if len(matrices) == 0 {
		return Matrix{}
	}
	rows, cols := matrices[0].Rows, 0
	for i, m := range matrices {
		m.check("Beside")
		if m.Rows != rows {
			misuse("Beside", "matrix %d has %d rows, matrix 0 has %d", i, m.Rows, rows)
		}
		cols += m.Cols
	}
	joined := Matrix{Rows: rows, Cols: cols, Values: make([]float64, 0, rows*cols)}
	for i := range rows {
		for _, m := range matrices {
			joined.Values = append(joined.Values, m.Values[i*m.Cols:(i+1)*m.Cols]...)
		}
	}
	return joined
}

// At returns element (i, j). An index out of range panics with an
// *[autograd.ArgumentError].
func (m Matrix) At(i, j int) float64 {
	m.check("Matrix.At")
	if i < 0 || i >= m.Rows || j < 0 || j >= m.Cols {
		misuse("Matrix.At", "element (%d, %d) is out of range of [%d %d]", i, j, m.Rows, m.Cols)
	}
	return m.Values[i*m.Cols+j]
}

// Row returns row i, a view: writing to it writes to the matrix. A row out of
// range panics with an *[autograd.ArgumentError].
func (m Matrix) Row(i int) []float64 {
	m.check("Matrix.Row")
	if i < 0 || i >= m.Rows {
		misuse("Matrix.Row", "row %d is out of range of [%d %d]", i, m.Rows, m.Cols)
	}
	return m.Values[i*m.Cols : (i+1)*m.Cols : (i+1)*m.Cols]
}

// Column returns a copy of column j. A column out of range panics with an
// *[autograd.ArgumentError].
func (m Matrix) Column(j int) []float64 {
	m.check("Matrix.Column")
	if j < 0 || j >= m.Cols {
		misuse("Matrix.Column", "column %d is out of range of [%d %d]", j, m.Rows, m.Cols)
	}
	column := make([]float64, m.Rows)
	for i := range column {
		column[i] = m.Values[i*m.Cols+j]
	}
	return column
}

// Take returns the numbered rows, from 0, in the order given, copied: a matrix
// [len(rows), Cols]. A row may be taken more than once. A row number out of
// range panics with an *[autograd.ArgumentError].
func (m Matrix) Take(rows []int) Matrix { return m.TakeInto(Matrix{}, rows) }

// TakeInto is like [Matrix.Take] but reuses the memory of dst, which is
// overwritten and grows if it is too small. A loop over batches that passes
// each result to the next call allocates nothing after its first full batch:
//
//	batch = x.TakeInto(batch, rows)
//
// dst must not share its Values with m; if both begin at the same address, it
// panics with an *[autograd.ArgumentError].
func (m Matrix) TakeInto(dst Matrix, rows []int) Matrix {
	m.check("Matrix.Take")
	checkRows("Matrix.Take", rows, m.Rows)
	if len(m.Values) > 0 && cap(dst.Values) > 0 && &dst.Values[:1][0] == &m.Values[0] {
		misuse("Matrix.TakeInto", "dst is the matrix itself, its rows would be overwritten while they are read")
	}
	values := slices.Grow(dst.Values[:0], len(rows)*m.Cols)
	for _, row := range rows {
		values = append(values, m.Values[row*m.Cols:(row+1)*m.Cols]...)
	}
	return Matrix{Rows: len(rows), Cols: m.Cols, Values: values}
}

// check panics unless there are Rows*Cols values.
func (m Matrix) check(op string) {
	if m.Rows < 0 || m.Cols < 0 || len(m.Values) != m.Rows*m.Cols {
		misuse(op, "a matrix [%d %d] of %d values", m.Rows, m.Cols, len(m.Values))
	}
}
