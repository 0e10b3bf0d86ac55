package layers

import (
	"fmt"

	"nabla/autograd"
)

// A spatial layer is a function of images or the like: [batch, channels, …].
type spatial struct {
	function
	creator string // the function that made it: "MaxPool2D"
	axes    int    // after batch and channels; 0 for what the function takes
}

func newSpatial(kind, creator string, axes int, f func(autograd.Value) autograd.Value) Layer {
	return &spatial{function{f: f, kind: kind}, creator, axes}
}

// op is what errors call the layer.
func (l *spatial) op() string { return fmt.Sprintf("layers: %s %q", l.creator, l.Name()) }

func (l *spatial) Forward(x autograd.Value) autograd.Value {
	g := enter(x, l.Name())
	defer leave(g, l)
	if l.axes > 0 {
		checkSpatial(x, l.axes)
	}
	return l.f(x)
}

// checkSpatial panics unless x is [batch, channels, …] with that many axes
// after them.
func checkSpatial(x autograd.Value, axes int) {
	if x.Rank() == axes+2 {
		return
	}
	shape := [...]string{"length", "height, width", "depth, height, width"}[axes-1]
	panic(autograd.NewShapeError("layers", "the input must be [batch, channels, "+shape+"]", x.Shape()))
}
