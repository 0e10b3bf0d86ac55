package text

import (
	"fmt"
	"slices"

	"nabla/autograd"
)

// Pad returns rows of ids as one, [rows, steps], with the ends of short rows
// filled with [Padding], and the lengths [rows] of the rows. There are as many
// steps as the longest row has.
//
// It panics with an *[autograd.ArgumentError] if there are no rows, or if one
// is empty.
func Pad(rows [][]int) (ids, lengths autograd.Ints) {
	return pad("Pad", rows, PadOptions{})
}

// PadOptions are what [Pad] leaves at its defaults.
type PadOptions struct {
	Padding int // fills the ends of rows, in place of 0: a label that does not count, for example
	Steps   int // the length to fill up to; 0: that of the longest row
}

// PadWith is [Pad] with other options. A row longer than Steps panics with an
// *[autograd.ArgumentError] too.
func PadWith(rows [][]int, options PadOptions) (ids, lengths autograd.Ints) {
	return pad("PadWith", rows, options)
}

func pad(op string, rows [][]int, options PadOptions) (ids, lengths autograd.Ints) {
	if len(rows) == 0 {
		misuse(op, "there are no rows")
	}
	if options.Steps < 0 {
		misuse(op, "Steps is %d", options.Steps)
	}
	steps := options.Steps
	sizes := make([]int, len(rows))
	for i, row := range rows {
		sizes[i] = len(row)
		switch {
		case len(row) == 0:
			misuse(op, "row %d is empty", i)
		case options.Steps > 0 && len(row) > options.Steps:
			misuse(op, "row %d has %d ids, more than %d steps", i, len(row), options.Steps)
		}
		steps = max(steps, len(row))
	}
	values := make([]int, len(rows)*steps)
	for i, row := range rows {
		end := copy(values[i*steps:(i+1)*steps], row)
		for k := i*steps + end; k < (i+1)*steps; k++ {
			values[k] = options.Padding
		}
	}
	return autograd.ViewInts(values, len(rows), steps), autograd.ViewInts(sizes)
}

// Lengths returns the lengths [rows] of padded rows [rows, steps]: the place
// behind the last id that is not [Padding]. They are those of [Pad], also of a
// batch that was cut since. A row that is all padding has the length 0.
//
// It panics with an *[autograd.ShapeError] unless there are two axes.
func Lengths(ids autograd.Ints) autograd.Ints {
	if len(ids.Shape()) != 2 {
		panic(autograd.NewShapeError("text: Lengths", "rows of ids are [rows, steps]", ids.Shape()))
	}
	rows, steps := ids.Dim(0), ids.Dim(1)
	lengths := make([]int, rows)
	for i, id := range ids.Values() {
		if id != Padding {
			lengths[i/steps] = i%steps + 1
		}
	}
	return autograd.ViewInts(lengths, rows)
}

// Following returns, for a network that learns to write rows, what it reads and
// what comes next at each step: the row behind a [Start], and the row with an
// [End] behind it. Both have one id more than the row.
func Following(rows [][]int) (read, next [][]int) {
	read, next = make([][]int, len(rows)), make([][]int, len(rows))
	for i, row := range rows {
		read[i] = slices.Concat([]int{Start}, row)
		next[i] = slices.Concat(row, []int{End})
	}
	return read, next
}

// misuse panics with an *[autograd.ArgumentError] for op, with the line of the
// user's call.
func misuse(op, format string, args ...any) {
	panic(autograd.NewArgumentError("text: "+op, "%s", fmt.Sprintf(format, args...)))
}
