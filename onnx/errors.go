package onnx

import (
	"fmt"
	"strings"
)

// An UnsupportedError names everything in a file that Import has no
// counterpart of.
type UnsupportedError struct{ Ops []Unsupported }

// An Unsupported is one node of a network whose operator, or a setting of it,
// Import does not know.
type Unsupported struct {
	Op     string // "TfIdfVectorizer"
	Domain string // "" for ONNX's own
	Opset  int64  // of the domain, as the file imports it; 0 if it does not
	Node   string // its name or, without one, that of its first output; of a tensor its name; "" for the file as a whole
	Reason string // "" if the operator as a whole is not known
}

func (u Unsupported) String() string {
	op := u.Op
	if u.Domain != "" {
		op = u.Domain + "." + op
	}
	text := fmt.Sprintf("%s (opset %d)", op, u.Opset)
	if u.Node != "" {
		text += fmt.Sprintf(" of node %q", u.Node)
	}
	if u.Reason != "" {
		text += ": " + u.Reason
	}
	return text
}

func (e *UnsupportedError) Error() string {
	lines := make([]string, len(e.Ops))
	for i, op := range e.Ops {
		lines[i] = op.String()
	}
	if len(lines) == 1 {
		return "onnx: not supported: " + lines[0]
	}
	return "onnx: not supported:\n\t" + strings.Join(lines, "\n\t")
}
