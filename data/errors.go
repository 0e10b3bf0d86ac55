package data

import (
	"fmt"
	"strconv"
	"strings"

	"nabla/autograd"
)

// CSVError reports what is wrong with a table's file and where.
type CSVError struct {
	File   string // the file's name; empty when it was read from an unnamed reader
	Line   int    // from 1: of a cell, the line on which its row starts; 0 if no line is at fault
	Column string // the column's name; empty if no single column is at fault
	Reason string // what is wrong, with the text at fault in quotes
	Err    error  // the cause, if any: an error of the reader, of encoding/csv or of strconv
}

// Error returns file, line, column and reason, such as
//
//	hotels.csv:12: column "rating": "good" is not a number
func (e *CSVError) Error() string {
	var b strings.Builder
	if e.File == "" {
		b.WriteString("csv")
	} else {
		b.WriteString(e.File)
	}
	if e.Line > 0 {
		b.WriteString(":" + strconv.Itoa(e.Line))
	}
	if e.Column != "" {
		b.WriteString(": column " + strconv.Quote(e.Column))
	}
	b.WriteString(": " + e.Reason)
	return b.String()
}

// Unwrap returns the cause, or nil.
func (e *CSVError) Unwrap() error { return e.Err }

// LabelError reports a label that an encoder does not know.
type LabelError struct {
	Row     int      // the label's place in the slice, from 0
	Label   string   // the unknown label
	Classes []string // the labels that the encoder knows
}

// Error names the label, its row and the known classes.
func (e *LabelError) Error() string {
	return fmt.Sprintf("data: row %d: unknown label %q, the classes are %s", e.Row, e.Label, quoteList(e.Classes))
}

// misuse panics with an *[autograd.ArgumentError] for op, with the line of the
// user's call.
func misuse(op, format string, args ...any) {
	panic(autograd.NewArgumentError("data: "+op, format, args...))
}

// quoteList returns the names quoted and separated by commas; a long list is
// cut and ends with the number of names left out.
func quoteList(names []string) string {
	const most = 20
	if len(names) == 0 {
		return "none"
	}
	var b strings.Builder
	for i, name := range names {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(names)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote(name))
	}
	return b.String()
}
