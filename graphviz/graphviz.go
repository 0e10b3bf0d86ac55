package graphviz

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path/filepath"

	"nabla/autograd"
	"nabla/explain"
	"nabla/internal/file"
	"nabla/internal/recording"
)

// A View says what is drawn of a recording.
type View uint8

const (
	Forward  View = iota // from inputs and parameters to the root, along the computation
	Backward             // from the root to the parameters, along the chain rule
	Combined             // both in one: the arrows of the backward pass beside those of the computation
	Layers               // one box for each layer
	Course               // the course's picture of a neuron or a small network of single numbers: the forward row above the backward row
	Neurons              // neurons as circles in columns, with weights or their gradients as lines
)

// views are the drawers of the views.
var views = [...]func(*canvas){
	Forward:  (*canvas).drawForward,
	Backward: (*canvas).drawBackward,
	Combined: (*canvas).drawCombined,
	Layers:   (*canvas).drawLayers,
	Course:   (*canvas).drawCourse,
	Neurons:  (*canvas).drawNeurons,
}

func (v View) String() string {
	names := [...]string{"Forward", "Backward", "Combined", "Layers", "Course", "Neurons"}
	if int(v) < len(names) {
		return names[v]
	}
	return "unknown"
}

// A Direction is the direction of a drawing's arrows.
type Direction string

const (
	LeftToRight Direction = "LR"
	TopToBottom Direction = "TB"
)

// Options are the settings of a drawing. The zero Options draw the forward
// graph from left to right, without gradients.
type Options struct {
	View       View
	Select     []recording.Selection // which part of the recording is drawn, and how; applied in order
	MaxNodes   int                   // most boxes; above it Write returns a *TooManyNodesError; 1000 if zero, no limit if negative
	MaxWeights int                   // most weights drawn one by one; above it each layer is a box; 30 if zero, no limit if negative
	Legend     bool                  // add a frame that explains colours and borders
	Title      string                // above the drawing; none if empty
	Direction  Direction             // LeftToRight if empty
	Digits     int                   // significant digits of numbers, 1 to 17; 4 if zero
	Elements   int                   // tensors with at most this many elements show each one, larger ones their range; 6 if zero

	// WeightGradients makes the view Neurons draw the gradients of the weights
	// instead of the weights.
	WeightGradients bool
}

const defaultMaxNodes = 1000

// checked returns the options with their defaults filled in. It panics with an
// *[autograd.ArgumentError] if one is invalid.
func (o Options) checked() Options {
	if o.Direction == "" {
		o.Direction = LeftToRight
	}
	if o.MaxNodes == 0 {
		o.MaxNodes = defaultMaxNodes
	}
	if o.MaxWeights == 0 {
		o.MaxWeights = defaultMaxWeights
	}
	switch {
	case int(o.View) >= len(views):
		panic(autograd.NewArgumentError("graphviz: Options", "there is no View %d", uint8(o.View)))
	case o.Direction != LeftToRight && o.Direction != TopToBottom:
		panic(autograd.NewArgumentError("graphviz: Options", "the Direction %q is neither %q nor %q", o.Direction, LeftToRight, TopToBottom))
	}
	o.Digits, o.Elements = recording.DigitsOf("graphviz: Options", o.Digits), recording.ElementsShown("graphviz: Options", o.Elements)
	return o
}

// A format turns a model into the text of a drawing.
type format func(m *recording.Model, o Options) ([]byte, error)

// formatOf returns the format of a file by the end of its name. It panics with
// an *[autograd.ArgumentError] if there is none.
func formatOf(path string) format {
	switch extension := filepath.Ext(path); extension {
	case ".dot", ".gv":
		return dotFormat
	case ".mmd":
		return mermaid
	case ".svg":
		return pictures(context.Background())
	default:
		panic(autograd.NewArgumentError("graphviz: WriteFile", "%q ends in %q, which is none of %s", path, extension, extensions))
	}
}

// extensions are those of the formats.
const extensions = ".dot, .gv, .mmd and .svg"

// Write draws root and everything that it was computed from, or what
// Options.Select chooses of it, in the DOT language of Graphviz. grads is the
// result of a backward pass of the same recording, or zero Gradients if there
// was none yet. The same recording gives the same bytes.
//
// It returns the error of w, a *[TooManyNodesError] if the drawing would be too
// large, or the error of a Selection. It panics as root's methods do if the
// graph has been Reset or a parameter has been changed since, with an
// *[autograd.GraphError] if the gradients belong to another graph, and with an
// *[autograd.ArgumentError] if an option is invalid.
func Write(w io.Writer, root autograd.Value, grads autograd.Gradients, o Options) error {
	return write(w, dotFormat, root, grads, o)
}

// write draws in a format.
func write(w io.Writer, f format, root autograd.Value, grads autograd.Gradients, o Options) error {
	text, err := render(f, root, grads, o)
	if err != nil {
		return fmt.Errorf("graphviz: %w", err)
	}
	if _, err := w.Write(text); err != nil {
		return fmt.Errorf("graphviz: %w", err)
	}
	return nil
}

// WriteFile draws into a file, in a format chosen by the end of its name: DOT
// for .dot and .gv, Mermaid for .mmd, and a picture for .svg. (Package page
// writes pages.) The drawing is written to a temporary file and renamed when
// complete, so that an existing file is replaced as a whole or, on an error,
// left as it was.
//
// Errors and panics are those of [Write] and, for .svg, of [SVG]; it panics
// with an *[autograd.ArgumentError] if the name ends otherwise.
func WriteFile(path string, root autograd.Value, grads autograd.Gradients, o Options) error {
	text, err := render(formatOf(path), root, grads, o)
	if err == nil {
		err = file.Replace(path, text)
	}
	if err != nil {
		return fmt.Errorf("graphviz: %w", err)
	}
	return nil
}

// render returns the drawing as text.
func render(f format, root autograd.Value, grads autograd.Gradients, o Options) ([]byte, error) {
	o = o.checked()
	m, o, err := modelOf(root, grads, o)
	if err != nil {
		return nil, err
	}
	return f(m, o)
}

// modelOf returns the model of root's recording that the options choose, and
// the options after folding.
func modelOf(root autograd.Value, grads autograd.Gradients, o Options) (*recording.Model, Options, error) {
	m, err := recording.New(root, grads, o.Elements).WithTroubles(explain.Note).SelectAll(o.Select)
	if prepare := preparations[o.View]; err == nil && prepare != nil {
		m, err = prepare(m)
	}
	if err == nil {
		m, o = folded(m, o)
		err = m.AtMost(o.MaxNodes)
	}
	if err == nil && o.View == Course {
		err = readable(m)
	}
	return m, o, err
}

// preparations convert a model for views that do not draw its values as they
// are.
var preparations = map[View]func(*recording.Model) (*recording.Model, error){
	Layers:  func(m *recording.Model) (*recording.Model, error) { return m.Layers(), nil },
	Course:  func(m *recording.Model) (*recording.Model, error) { return m.InSingleNumbers("Course") },
	Neurons: (*recording.Model).InNeurons,
}

// dotFormat is the DOT language.
func dotFormat(m *recording.Model, o Options) ([]byte, error) { return dotText(m, o), nil }

func dotText(m *recording.Model, o Options) []byte {
	var text bytes.Buffer
	newCanvas(m, o).draw().Write(&text)
	return text.Bytes()
}
