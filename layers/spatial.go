package layers

import (
	"fmt"

	"nabla/autograd"
)

// A spatial layer is a function of images or the like: [batch, channels, …].
type spatial struct {
	function
	creator string // the function that made it: "MaxPool2D"
	axes    int    // after batch and channels; 0 for any number
}

func newSpatial(kind, creator string, axes int, f func(autograd.Value) autograd.Value) Layer {
	return &spatial{function{f: f, kind: kind}, creator, axes}
}

// op is what errors call the layer.
func (l *spatial) op() string { return fmt.Sprintf("layers: %s %q", l.creator, l.Name()) }

func (l *spatial) Forward(x autograd.Value) autograd.Value {
	g := enter(x, l.Name())
	defer leave(g, l)
	checkSpatial(x, l.axes)
	return l.f(x)
}

// checkSpatial panics unless x is [batch, channels, …] with that many axes
// after them, or at least one for 0.
func checkSpatial(x autograd.Value, axes int) {
	if x.Rank() == axes+2 || axes == 0 && x.Rank() > 2 {
		return
	}
	shape := [...]string{"at least one more axis", "length", "height, width", "depth, height, width"}[axes]
	panic(autograd.NewShapeError("layers", "the input must be [batch, channels, "+shape+"]", x.Shape()))
}
