package graphviz

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"nabla/autograd"
)

// A View says what is drawn of a recording.
type View uint8

const (
	Forward  View = iota // from inputs and parameters to the root, along the computation
	Backward             // from the root to the parameters, along the chain rule
	Combined             // both in one: the arrows of the backward pass beside those of the computation
	Layers               // one box for each layer
	Course               // of one neuron or a small network of single numbers: the forward row, and under it the backward row
	Neurons              // neurons as circles in columns, with their weights or the gradients of these as edges
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

// A Direction is where the arrows of a drawing lead.
type Direction string

const (
	LeftToRight Direction = "LR"
	TopToBottom Direction = "TB"
)

// Options are the settings of a drawing. The zero Options draw the forward
// graph from left to right, without gradients.
type Options struct {
	Gradients autograd.Gradients // what a backward pass of the same recording returned; the zero Gradients if there was none yet
	View      View
	Select    []Selection // what part of the recording is drawn, and how; applied in order
	MaxNodes  int         // most boxes of a drawing, above which Write returns a *TooManyNodesError: 1000 if zero (3000 for the page), no limit if negative
	Legend    bool        // with a frame that says what colours and borders mean
	Title     string      // above the drawing; none if empty
	Direction Direction   // LeftToRight if empty
	Digits    int         // significant digits of numbers, 1 to 17; 4 if zero
	Elements  int         // tensors of at most so many elements show each one, larger ones their range; 6 if zero

	// WeightGradients makes the view Neurons draw the gradients of the weights
	// instead of the weights.
	WeightGradients bool

	// Of the page alone.
	LearningRate float64 // of the update that WriteHTML shows; none if zero. A Film shows the optimizer's
	Fit          *Fit    // what the network makes of its features, drawn beside it; nothing if nil
}

const (
	defaultDigits   = 4
	defaultElements = 6
	maxDigits       = 17
	defaultMaxNodes = 1000
)

// checked returns the options with their defaults filled in. It panics with an
// *autograd.ArgumentError where one makes no sense.
func (o Options) checked() Options {
	if o.Direction == "" {
		o.Direction = LeftToRight
	}
	if o.Digits == 0 {
		o.Digits = defaultDigits
	}
	if o.Elements == 0 {
		o.Elements = defaultElements
	}
	if o.MaxNodes == 0 {
		o.MaxNodes = defaultMaxNodes
	}
	switch {
	case int(o.View) >= len(views):
		panic(autograd.NewArgumentError("graphviz: Options", "there is no View %d", uint8(o.View)))
	case o.Direction != LeftToRight && o.Direction != TopToBottom:
		panic(autograd.NewArgumentError("graphviz: Options", "the Direction %q is neither %q nor %q", o.Direction, LeftToRight, TopToBottom))
	case o.Digits < 0 || o.Digits > maxDigits:
		panic(autograd.NewArgumentError("graphviz: Options", "%d Digits are not 1 to %d", o.Digits, maxDigits))
	case o.Elements < 0:
		panic(autograd.NewArgumentError("graphviz: Options", "Elements is negative: %d", o.Elements))
	}
	return o
}

// A format turns what is drawn into text.
type format func(m *model, o Options) ([]byte, error)

// formatOf returns the format of a file, by the end of its name. It panics
// with an *autograd.ArgumentError when there is none.
func formatOf(path string) format {
	switch extension := filepath.Ext(path); extension {
	case ".dot", ".gv":
		return dotFormat
	case ".mmd":
		return mermaid
	case ".svg":
		return svg(context.Background())
	default:
		panic(autograd.NewArgumentError("graphviz: WriteFile", "%q ends in %q, which is none of %s", path, extension, extensions))
	}
}

// extensions are those of the formats.
const extensions = ".dot, .gv, .mmd, .svg and .html"

// Write draws root and all that it was computed from, or what Options.Select
// leaves of it, in the DOT language, which Graphviz lays out. The same
// recording gives the same bytes.
//
// The error is that of w, a *TooManyNodesError when the drawing would be too
// large, or that of a Selection. It panics as root's methods do when the graph
// has been Reset or a parameter has been changed since, with an
// *autograd.GraphError when the gradients are another graph's, and with an
// *autograd.ArgumentError when an option makes no sense.
func Write(w io.Writer, root autograd.Value, o Options) error {
	return write(w, dotFormat, root, o)
}

// write draws in a format.
func write(w io.Writer, f format, root autograd.Value, o Options) error {
	text, err := render(f, root, o)
	if err != nil {
		return fmt.Errorf("graphviz: %w", err)
	}
	if _, err := w.Write(text); err != nil {
		return fmt.Errorf("graphviz: %w", err)
	}
	return nil
}

// WriteFile draws into a file, in the format that the end of its name says:
// the DOT language for .dot and .gv, Mermaid for .mmd, a picture for .svg,
// which takes an installed Graphviz, and the page of WriteHTML for .html. The
// drawing is written beside it and renamed once complete, so that a file of
// that name is replaced as a whole or, on an error, left as it was.
//
// Errors and panics are those of Write and, for .svg, of SVG; it panics with an
// *autograd.ArgumentError for another end of the name.
func WriteFile(path string, root autograd.Value, o Options) error {
	if filepath.Ext(path) == ".html" {
		return filmOf(root, o).WriteFile(path)
	}
	text, err := render(formatOf(path), root, o)
	if err == nil {
		err = replace(path, text)
	}
	if err != nil {
		return fmt.Errorf("graphviz: %w", err)
	}
	return nil
}

// render returns the drawing as text.
func render(f format, root autograd.Value, o Options) ([]byte, error) {
	o = o.checked()
	m, err := modelOf(root, o)
	if err != nil {
		return nil, err
	}
	return f(m, o)
}

// dotFormat is the DOT language.
func dotFormat(m *model, o Options) ([]byte, error) { return dotText(m, o), nil }

func dotText(m *model, o Options) []byte {
	var text bytes.Buffer
	newCanvas(m, o).draw().Write(&text)
	return text.Bytes()
}

// replace gives the file at path that content, all or nothing. A symbolic link
// stays one.
func replace(path string, content []byte) (err error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := fill(f, content, modeOf(path)); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// fill writes and closes a file.
func fill(f *os.File, content []byte, mode os.FileMode) error {
	if _, err := f.Write(content); err != nil {
		return err
	}
	if err := f.Chmod(mode); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}

// modeOf returns the permissions of a file to be replaced.
func modeOf(path string) os.FileMode {
	if info, err := os.Stat(path); err == nil {
		return info.Mode().Perm()
	}
	return 0o644
}
