package text

import (
	"fmt"

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

// misuse panics with an *[autograd.ArgumentError] for op, with the line of the
// user's call.
func misuse(op, format string, args ...any) {
	panic(autograd.NewArgumentError("text: "+op, "%s", fmt.Sprintf(format, args...)))
}
