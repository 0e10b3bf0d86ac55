package graphviz

import (
	"bytes"
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
)

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
	Title     string    // above the drawing; none if empty
	Direction Direction // LeftToRight if empty
	Digits    int       // significant digits of numbers, 1 to 17; 4 if zero
	Elements  int       // tensors of at most so many elements show each one, larger ones their range; 6 if zero
}

const (
	defaultDigits   = 4
	defaultElements = 6
	maxDigits       = 17
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
	switch {
	case o.View > Backward:
		panic(autograd.NewArgumentError("graphviz: Options", "there is no View %d", o.View))
	case o.Direction != LeftToRight && o.Direction != TopToBottom:
		panic(autograd.NewArgumentError("graphviz: Options", "the Direction %q is neither %q nor %q", o.Direction, LeftToRight, TopToBottom))
	case o.Digits < 0 || o.Digits > maxDigits:
		panic(autograd.NewArgumentError("graphviz: Options", "%d Digits are not 1 to %d", o.Digits, maxDigits))
	case o.Elements < 0:
		panic(autograd.NewArgumentError("graphviz: Options", "Elements is negative: %d", o.Elements))
	}
	return o
}

// Write draws root and all that it was computed from, in the DOT language,
// which Graphviz lays out. The same recording gives the same bytes.
//
// The error is that of w. It panics as root's methods do when the graph has
// been Reset or a parameter has been changed since, with an
// *autograd.GraphError when the gradients are another graph's, and with an
// *autograd.ArgumentError when an option makes no sense.
func Write(w io.Writer, root autograd.Value, o Options) error {
	if _, err := w.Write(render(root, o)); err != nil {
		return fmt.Errorf("graphviz: %w", err)
	}
	return nil
}

// WriteBackward is Write for the backward graph: an arrow leads from each
// value to those that it was computed from, and says what it hands on. Between
// scalars that is the local factor and the product, "× 3.6 = −2.17": the
// gradient so far times the derivative of one value by the other. For tensors
// it is the norm of what is handed on. The graph needs the option Trace for
// this; without it the arrows say nothing and only variables and parameters
// have gradients.
func WriteBackward(w io.Writer, root autograd.Value, o Options) error {
	o.View = Backward
	return Write(w, root, o)
}

// WriteFile is Write to a file. The drawing is written beside it and renamed
// once complete, so that a file of that name is replaced as a whole or, on an
// error, left as it was.
func WriteFile(path string, root autograd.Value, o Options) error {
	if err := replace(path, render(root, o)); err != nil {
		return fmt.Errorf("graphviz: %w", err)
	}
	return nil
}

// render returns the drawing as text.
func render(root autograd.Value, o Options) []byte {
	o = o.checked()
	var text bytes.Buffer
	newCanvas(newModel(root, o), o).draw().Write(&text)
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
