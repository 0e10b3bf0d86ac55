package layers

import "nabla/autograd"

// A function is a layer without Params.
type function struct {
	f      func(autograd.Value) autograd.Value
	kind   string // "relu"
	result string // the name of its result, "" for none
	label
}

func (l *function) Name() string              { return l.or(l.kind) }
func (l *function) ofKind() string            { return l.kind }
func (l *function) place(*naming, string)     {}
func (l *function) Params() []*autograd.Param { return nil }

func (l *function) Forward(x autograd.Value) autograd.Value {
	g := enter(x, l.Name())
	defer g.Leave()
	y := l.f(x)
	if l.result == "" || y == x {
		return y
	}
	return y.Named(l.result)
}

// Func makes a layer without Params of a function: a step between layers that
// this package does not have. The name is that of its scope.
//
//	layers.Func("double", func(x autograd.Value) autograd.Value { return x.MulScalar(2) })
func Func(name string, f func(autograd.Value) autograd.Value) Layer {
	if f == nil {
		panic(autograd.NewArgumentError("layers: Func", "the function of %q is nil", name))
	}
	return &function{f: f, kind: "func", label: userLabel(name)}
}

// Dropout returns a layer that, in training, replaces each element by 0 with
// probability rate and divides the others by 1 − rate, as Value.Dropout does;
// in a graph with Options.Eval it passes its input through. It panics with an
// *[autograd.ArgumentError] if rate is not in [0, 1).
func Dropout(rate float64) Layer {
	checkRate("Dropout", rate)
	return &function{
		f:    func(x autograd.Value) autograd.Value { return x.Dropout(rate) },
		kind: "dropout",
	}
}

// Dropout2D is [Dropout] of whole channels of [batch, channels, height, width],
// as Value.DropoutChannels does it. An input of another rank panics with an
// *[autograd.ShapeError].
func Dropout2D(rate float64) Layer { return dropoutChannels("Dropout2D", 2, rate) }

// Dropout1D is [Dropout2D] for [batch, channels, length].
func Dropout1D(rate float64) Layer { return dropoutChannels("Dropout1D", 1, rate) }

// Dropout3D is [Dropout2D] for [batch, channels, depth, height, width].
func Dropout3D(rate float64) Layer { return dropoutChannels("Dropout3D", 3, rate) }

func dropoutChannels(name string, axes int, rate float64) Layer {
	checkRate(name, rate)
	return newSpatial("dropout", name, axes, func(x autograd.Value) autograd.Value { return x.DropoutChannels(rate) })
}

func checkRate(name string, rate float64) {
	if !(rate >= 0 && rate < 1) {
		panic(autograd.NewArgumentError("layers: "+name, "a rate of %v is not in [0, 1)", rate))
	}
}

// GLU returns a layer that gates the first half of an axis by the second, as
// Value.GLU does, so that half of the axis is left.
func GLU(axis int) Layer {
	return &function{f: func(x autograd.Value) autograd.Value { return x.GLU(axis) }, kind: "glu"}
}

// Flatten returns a layer that joins all axes after the batch's: [batch, 3, 4]
// becomes [batch, 12]. It panics with an *[autograd.ShapeError] if there are
// fewer than two axes.
func Flatten() Layer { return &function{f: flatten, kind: "flatten"} }

func flatten(x autograd.Value) autograd.Value {
	switch x.Rank() {
	case 0, 1:
		panic(autograd.NewShapeError("layers: Flatten", "the input has no axis after the batch's", x.Shape()))
	case 2:
		return x
	}
	return x.Flatten(1, -1)
}
