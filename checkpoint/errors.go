package checkpoint

import (
	"fmt"
	"strings"
)

// A FormatError says that a file is not what it should be: not a safetensors
// file, cut short, or made by something else than what reads it.
type FormatError struct {
	Path   string // of the file
	Reason string
	Later  bool // a later Nabla wrote it, in a format that this one does not know
}

func (e *FormatError) Error() string { return fmt.Sprintf("checkpoint: %s: %s", e.Path, e.Reason) }

// A MismatchError says all that a file and a model differ in: nothing of the
// model has been changed. Names are sorted.
type MismatchError struct {
	Path    string
	Missing []string // Params of the model that are not in the file
	Surplus []string // tensors of the file that are not in the model
	Shapes  []ShapeMismatch
}

// A ShapeMismatch is a Param whose tensor in the file has another shape.
type ShapeMismatch struct {
	Name        string // of the Param
	File, Model []int  // the shape in the file, once transposed if it is to be, and in the model
}

func (e *MismatchError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "checkpoint: %s does not fit the model:", e.Path)
	if len(e.Missing) > 0 {
		fmt.Fprintf(&b, "\n\tmissing in the file: %s", strings.Join(e.Missing, ", "))
	}
	if len(e.Surplus) > 0 {
		fmt.Fprintf(&b, "\n\tnot in the model: %s", strings.Join(e.Surplus, ", "))
	}
	for _, s := range e.Shapes {
		fmt.Fprintf(&b, "\n\t%s: %v in the file, %v in the model", s.Name, s.File, s.Model)
	}
	return b.String()
}

func (e *MismatchError) isNone() bool { return len(e.Missing)+len(e.Surplus)+len(e.Shapes) == 0 }
