package mnist

import (
	"fmt"

	"nabla/autograd"
)

// A FileError says what is wrong with a file and where.
type FileError struct {
	File   string
	Offset int64  // the byte of the content, unpacked if it is packed, from 0; −1 if no single byte is at fault
	Reason string // what is wrong
	Err    error  // the cause, if any
}

// Error returns file, place and reason, such as
//
//	train-labels-idx1-ubyte: byte 8: the content ends, 60000 more bytes are announced
func (e *FileError) Error() string {
	place := ""
	if e.Offset >= 0 {
		place = fmt.Sprintf("byte %d: ", e.Offset)
	}
	return e.File + ": " + place + e.Reason
}

// Unwrap returns the cause, or nil.
func (e *FileError) Unwrap() error { return e.Err }

// misuse panics with an *[autograd.ArgumentError] for op, with the line of the
// user's call.
func misuse(op, format string, args ...any) {
	panic(autograd.NewArgumentError("mnist: "+op, format, args...))
}
