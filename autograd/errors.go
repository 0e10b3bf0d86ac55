package autograd

import (
	"fmt"
	"path"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// A Location is a place in the user's source.
type Location struct {
	File string // the full path
	Line int
}

// String returns the file's name and the line, such as "train.go:31", or
// "unknown" where there is none.
func (l Location) String() string {
	if l.Line == 0 {
		return "unknown"
	}
	return fmt.Sprintf("%s:%d", path.Base(l.File), l.Line)
}

// library is the import path of the module, with a slash behind it, and
// packages are the first folders of those that are not the user's: a module
// may have a path that begins alike.
var (
	library  = path.Dir(reflect.TypeFor[Graph]().PkgPath()) + "/"
	packages = []string{"autograd", "layers", "losses", "optim", "data", "metrics", "train", "graphviz", "internal"}
)

// callSite returns the first frame outside the library's own packages. Tests
// and examples count as the user's.
func callSite() Location {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		frame, more := frames.Next()
		if isUsers(frame) {
			return Location{frame.File, frame.Line}
		}
		if !more {
			return Location{}
		}
	}
}

func isUsers(f runtime.Frame) bool {
	pkg, inside := strings.CutPrefix(f.Function, library)
	switch {
	case strings.HasSuffix(f.File, "_test.go"):
		return true
	case inside:
		first, _, _ := strings.Cut(pkg, "/")
		first, _, _ = strings.Cut(first, ".")
		return !slices.Contains(packages, first)
	}
	return !strings.HasPrefix(f.Function, "runtime.") && f.File != ""
}

// A fault is one of this package's typed errors: a mistake in the program's
// text, which Try turns into an error.
type fault interface {
	error
	fault()
}

// Try runs f and returns, as an error, the mistake for which an operation
// panicked: a *ShapeError, *PrecisionError, *GraphError, *StaleError,
// *IndexError, *GradientError, *ArgumentError or *NonFiniteError. Any other
// panic passes through. The graph in use can be Reset and used again.
func Try(f func()) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case fault:
			err = r
		default:
			panic(r)
		}
	}()
	f()
	return nil
}

// qualified puts this package in front of an operation that does not name its
// own.
func qualified(op string) string {
	if strings.Contains(op, ": ") {
		return op
	}
	return "autograd: " + op
}

// A ShapeError says that operands do not fit an operation or each other.
type ShapeError struct {
	Op     string  // the operation, as it is called
	Reason string  // what is wrong
	Shapes [][]int // of the operands, in order
	Location
	between string
}

func (e *ShapeError) Error() string {
	return fmt.Sprintf("%s: %s: %s, at %v", qualified(e.Op), e.Reason, joinShapes(e.Shapes, e.between), e.Location)
}

func joinShapes(shapes [][]int, between string) string {
	if between == "" {
		between = ", "
	}
	texts := make([]string, len(shapes))
	for i, s := range shapes {
		texts[i] = fmt.Sprint(s)
	}
	return strings.Join(texts, between)
}

// A PrecisionError says that Tensors of two precisions met outside a graph.
type PrecisionError struct {
	Op        string
	Got, Want Precision
	Location
}

func (e *PrecisionError) Error() string {
	return fmt.Sprintf("autograd: %s: a %v tensor where %v is needed, at %v", e.Op, e.Got, e.Want, e.Location)
}

// A GraphError says that a Value of one graph was used in another, or that a
// Value of no graph was used.
type GraphError struct {
	Op     string
	Reason string
	Location
}

func (e *GraphError) Error() string {
	return fmt.Sprintf("autograd: %s: %s, at %v", e.Op, e.Reason, e.Location)
}

// A StaleError says that something was used after its time: a Value, a
// Tensor or Gradients after the graph's Reset, or a recording whose Param has
// been changed since.
type StaleError struct {
	Op     string
	What   string // what is stale
	Reason string // why
	Location
}

func (e *StaleError) Error() string {
	return fmt.Sprintf("autograd: %s: %s %s, at %v", e.Op, e.What, e.Reason, e.Location)
}

// An IndexError says that an index, axis or label is out of its range.
type IndexError struct {
	Op    string
	What  string // "axis", "index", "label", …
	Index int
	Limit int // valid are 0 to Limit−1, for an axis −Limit to Limit−1
	Location
}

func (e *IndexError) Error() string {
	limit := strconv.Itoa(e.Limit)
	if e.What == "axis" {
		limit = "rank " + limit
	}
	return fmt.Sprintf("%s: %s %d is out of range for %s, at %v", qualified(e.Op), e.What, e.Index, limit, e.Location)
}

// A GradientError says that a gradient was asked for that does not exist: of
// a tensor without a seed, in a graph without gradients, of a mask, or of a
// Value whose gradient was not kept.
type GradientError struct {
	Op     string
	Reason string
	Location
}

func (e *GradientError) Error() string {
	return fmt.Sprintf("autograd: %s: %s, at %v", e.Op, e.Reason, e.Location)
}

// An ArgumentError says that another argument makes no sense: a negative
// rate, a probability above 1, an equation that cannot be read.
type ArgumentError struct {
	Op     string
	Reason string
	Location
}

func (e *ArgumentError) Error() string {
	return fmt.Sprintf("%s: %s, at %v", e.Op, e.Reason, e.Location)
}

// NewArgumentError returns the error with which an operation of Nabla's other
// packages panics. The location is that of the user's call. Op begins with
// the package: "optim: SGD".
func NewArgumentError(op, format string, args ...any) *ArgumentError {
	return &ArgumentError{op, fmt.Sprintf(format, args...), callSite()}
}

// NewShapeError returns the error with which an operation of Nabla's other
// packages panics when shapes do not fit. The location is that of the user's
// call. Op begins with the package: "layers: Dense".
func NewShapeError(op, reason string, shapes ...[]int) *ShapeError {
	return &ShapeError{Op: op, Reason: reason, Shapes: copyShapes(shapes), Location: callSite()}
}

// NewIndexError returns the error with which an operation of Nabla's other
// packages panics when an index or label is out of range. Op begins with the
// package.
func NewIndexError(op, what string, index, limit int) *IndexError {
	return &IndexError{op, what, index, limit, callSite()}
}

// A NonFiniteError says where the first NaN or infinity appeared in a graph
// with CheckFinite.
type NonFiniteError struct {
	Op       string // the operation that produced it
	Name     string // of the value, if it has one
	Scope    string // the layer it stands in
	Backward bool   // whether it appeared in a gradient that the operation handed to Input
	Input    int    // which input, counted from 0, when Backward
	Value    float64
	Index    int     // the first such element
	Shapes   [][]int // of the inputs, then of the output
	Location         // of the operation's call
}

func (e *NonFiniteError) Error() string {
	where := "in its value"
	if e.Backward {
		where = fmt.Sprintf("in the gradient for its input %d", e.Input)
	}
	what := e.Op
	if e.Name != "" {
		what += fmt.Sprintf(" %q", e.Name)
	}
	if e.Scope != "" {
		what += " in " + e.Scope
	}
	last := len(e.Shapes) - 1
	shapes := fmt.Sprint(e.Shapes[last])
	if last > 0 {
		shapes = joinShapes(e.Shapes[:last], ", ") + " → " + shapes
	}
	return fmt.Sprintf("autograd: %s: %v %s at element %d: %s, at %v", what, e.Value, where, e.Index, shapes, e.Location)
}

func (*ShapeError) fault()     {}
func (*PrecisionError) fault() {}
func (*GraphError) fault()     {}
func (*StaleError) fault()     {}
func (*IndexError) fault()     {}
func (*GradientError) fault()  {}
func (*ArgumentError) fault()  {}
func (*NonFiniteError) fault() {}

// copyShapes copies: an error outlives the graph's memory.
func copyShapes(shapes [][]int) [][]int {
	all := make([][]int, len(shapes))
	for i, s := range shapes {
		all[i] = append([]int{}, s...)
	}
	return all
}

func (g *Graph) shapeError(op *operation, reason, between string, shapes ...[]int) *ShapeError {
	return &ShapeError{op.method, reason, copyShapes(shapes), callSite(), between}
}

func (g *Graph) indexError(op *operation, what string, index, limit int) *IndexError {
	return &IndexError{op.method, what, index, limit, callSite()}
}

func argumentError(op *operation, format string, args ...any) *ArgumentError {
	return NewArgumentError("autograd: "+op.method, format, args...)
}
