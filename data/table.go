package data

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// Table is text in named columns, as read by [ReadCSV]. It never changes, so
// any number of goroutines may use it; its methods return copies. The zero
// Table has no columns and no rows.
type Table struct {
	file       string
	headerLine int
	names      []string
	index      map[string]int // index of each name in names
	cells      [][]string     // one slice for each column
	lines      []int          // the line on which each row starts
}

// Columns returns the names of the columns in the file's order.
func (t *Table) Columns() []string { return slices.Clone(t.names) }

// Rows returns the number of rows, without the header.
func (t *Table) Rows() int { return len(t.lines) }

// Strings returns the column's cells as they are in the file.
//
// It returns a *[CSVError] if there is no such column.
func (t *Table) Strings(column string) ([]string, error) {
	i, err := t.find(column)
	if err != nil {
		return nil, err
	}
	return slices.Clone(t.cells[i]), nil
}

// Numbers returns the column's cells as numbers. They are decimal with a point,
// such as 34, -0.5 or 1e-3; white space around them is dropped.
//
// It returns a *[CSVError] if there is no such column, or if a cell is empty,
// not a number, out of the range of float64, or a NaN or infinity in any
// spelling; the error has the line and the cell's text.
func (t *Table) Numbers(column string) ([]float64, error) {
	i, err := t.find(column)
	if err != nil {
		return nil, err
	}
	numbers := make([]float64, t.Rows())
	if err := t.parse(numbers, 0, 1, i); err != nil {
		return nil, err
	}
	return numbers, nil
}

// Matrix returns the columns as numbers, in the order of the arguments: a
// matrix [rows, columns]. Errors are those of [Table.Numbers]. It panics with
// an *[autograd.ArgumentError] if there are no arguments.
func (t *Table) Matrix(columns ...string) (Matrix, error) {
	if len(columns) == 0 {
		misuse("Table.Matrix", "no columns named")
	}
	m := NewMatrix(t.Rows(), len(columns))
	for j, column := range columns {
		i, err := t.find(column)
		if err != nil {
			return Matrix{}, err
		}
		if err := t.parse(m.Values, j, m.Cols, i); err != nil {
			return Matrix{}, err
		}
	}
	return m, nil
}

// Where returns the rows whose cell in the column is one of the values, in the
// table's order. Use it to split a table by a column that names the part of
// each row:
//
//	train, err := table.Where("split", "train")
//
// It returns a *[CSVError] if there is no such column, or if no row has one of
// the values, which is probably a spelling mistake. It panics with an
// *[autograd.ArgumentError] if there are no values.
func (t *Table) Where(column string, values ...string) (*Table, error) {
	if len(values) == 0 {
		misuse("Table.Where", "no values named for column %q", column)
	}
	i, err := t.find(column)
	if err != nil {
		return nil, err
	}
	cells := t.cells[i]
	for _, value := range values {
		if !slices.Contains(cells, value) {
			return nil, t.fault(0, column, "no row has the value "+strconv.Quote(value), nil)
		}
	}
	var rows []int
	for row, text := range cells {
		if slices.Contains(values, text) {
			rows = append(rows, row)
		}
	}
	return t.Take(rows), nil
}

// Take returns the numbered rows, from 0, in the order given; a row may be
// taken more than once. Errors in their cells still name the lines of the file.
// A row number out of range panics with an *[autograd.ArgumentError].
func (t *Table) Take(rows []int) *Table {
	checkRows("Table.Take", rows, t.Rows())
	taken := *t
	taken.lines = pick(t.lines, rows)
	taken.cells = make([][]string, len(t.cells))
	for i, column := range t.cells {
		taken.cells[i] = pick(column, rows)
	}
	return &taken
}

// Shuffle returns the rows in random order. A nil rng keeps the order.
func (t *Table) Shuffle(rng *rand.Rand) *Table { return t.Take(order(rng, t.Rows())) }

// Split returns the rows in parts of the given fractions, cut as the function
// [Split] cuts them:
//
//	parts := table.Split(rng, 0.7, 0.15, 0.15) // training, validation, test
func (t *Table) Split(rng *rand.Rand, fractions ...float64) []*Table {
	var parts []*Table
	for _, rows := range Split(rng, t.Rows(), fractions...) {
		parts = append(parts, t.Take(rows))
	}
	return parts
}

// find returns the column's index.
func (t *Table) find(column string) (int, error) {
	i, ok := t.index[column]
	if !ok {
		return 0, t.fault(t.headerLine, column, "no such column, the columns are "+quoteList(t.names), nil)
	}
	return i, nil
}

// parse writes the numbers of column i to dst, starting at first, stride
// apart.
func (t *Table) parse(dst []float64, first, stride, i int) error {
	for row, text := range t.cells[i] {
		number, reason, err := parseNumber(text)
		if reason != "" {
			return t.fault(t.lines[row], t.names[i], reason, err)
		}
		dst[first+row*stride] = number
	}
	return nil
}

// parseNumber returns the number, or the reason why text is not a number, with
// the underlying error if there is one.
func parseNumber(text string) (number float64, reason string, cause error) {
	trimmed := strings.TrimSpace(text)
	if trimmed == "" {
		return 0, "the cell is empty, want a number", nil
	}
	number, err := strconv.ParseFloat(trimmed, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, strconv.Quote(text) + " is beyond the range of float64", err
	case err != nil:
		return 0, strconv.Quote(text) + " is not a number", err
	case strings.ContainsAny(trimmed, "_xX"): // Go's own 1_000 and 0x1p3
		return 0, strconv.Quote(text) + " is not a decimal number", nil
	case math.IsNaN(number) || math.IsInf(number, 0):
		return 0, strconv.Quote(text) + " is not a finite number", nil
	}
	return number, "", nil
}

func (t *Table) fault(line int, column, reason string, cause error) error {
	return &CSVError{File: t.file, Line: line, Column: column, Reason: reason, Err: cause}
}

// checkRows panics unless every row number is in [0, n).
func checkRows(op string, rows []int, n int) {
	for i, row := range rows {
		if row < 0 || row >= n {
			misuse(op, "row %d (rows[%d]) is out of range, there are %d rows", row, i, n)
		}
	}
}

// pick returns the elements of s at the given indices.
func pick[T any](s []T, places []int) []T {
	picked := make([]T, len(places))
	for i, place := range places {
		picked[i] = s[place]
	}
	return picked
}
