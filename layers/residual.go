package layers

import (
	"fmt"

	"nabla/autograd"
)

// A Residual adds to its input what its layers make of it: y = f(x) + x, so
// that gradients also go past the layers (He et al., 2016). Where the layers
// change the shape, a shortcut changes x's, often a convolution with kernel 1:
// y = f(x) + shortcut(x).
type Residual struct {
	body     Sequential  // without a name
	shortcut *Sequential // without a name, of one layer; nil for x itself
	label
}

// ResidualOptions are what [NewResidual] leaves at its defaults, which are
// those of the zero ResidualOptions.
type ResidualOptions struct {
	Shortcut Layer // what x passes on the way past the layers; nil: nothing
}

// NewResidual returns a Residual of those layers, one behind the other. They
// get names as in a [Sequential], behind the Residual's own:
// residual1.conv1.weight. It panics as [NewSequential] does.
func NewResidual(layers ...Layer) *Residual {
	return NewResidualWith(ResidualOptions{}, layers...)
}

// NewResidualWith is [NewResidual] with a shortcut, which is
// called shortcut, unless it has a name: residual1.shortcut.weight.
func NewResidualWith(options ResidualOptions, layers ...Layer) *Residual {
	r := &Residual{body: *NewSequential(layers...)}
	if options.Shortcut != nil {
		r.shortcut = r.newShortcut(options.Shortcut)
	}
	r.place(newNaming(), "")
	return r
}

// newShortcut calls a layer shortcut, unless it has a name of the user's or is
// one of the others too.
func (r *Residual) newShortcut(l Layer) *Sequential {
	if isNil(l) {
		panic(autograd.NewArgumentError("layers: NewResidual", "the Shortcut is nil"))
	}
	s := NewSequential(l)
	if at := r.body.first(l); at >= 0 && at < len(r.body.layers) {
		return s
	}
	own := &label{}
	if p, ok := asPlaced(l); ok {
		own = p.named()
	}
	if own.given == "" {
		own.name = "shortcut"
	}
	taken := map[string]bool{}
	for _, name := range r.body.names {
		taken[name] = true
	}
	own.choose("shortcut", 2, taken)
	s.names[0] = own.name
	return s
}

// Name returns the name, which is "residual" until it has one.
func (r *Residual) Name() string { return r.or("residual") }

// Named gives r a name, as [Sequential.Named] does, and returns r.
func (r *Residual) Named(name string) *Residual {
	r.label = userLabel(name)
	r.place(newNaming(), "")
	return r
}

// op is what errors call the layer.
func (r *Residual) op() string { return fmt.Sprintf("layers: Residual %q", r.Name()) }

func (r *Residual) place(n *naming, path string) {
	path += r.Name() + "."
	r.body.place(n, path)
	if r.shortcut != nil {
		r.shortcut.place(n, path)
	}
}

// Params returns the Params of all layers, then those of the shortcut, each
// once.
func (r *Residual) Params() []*autograd.Param {
	all := r.body.Params()
	if r.shortcut != nil {
		all = append(all, r.shortcut.Params()...)
	}
	return unique(all)
}

// Forward returns the sum. It panics with an *[autograd.ShapeError] if the
// layers make another shape of x than the shortcut.
func (r *Residual) Forward(x autograd.Value) autograd.Value {
	g := enter(x, r.Name())
	defer g.Leave()
	return r.sum(r.body.Forward(x), r.past(x))
}

// past returns what is added to the layers' result.
func (r *Residual) past(x autograd.Value) autograd.Value {
	if r.shortcut == nil {
		return x
	}
	return r.shortcut.Forward(x)
}

func (r *Residual) sum(y, past autograd.Value) autograd.Value {
	if !sameShape(y, past) {
		reason := "the layers change the shape of the input, which needs a Shortcut"
		if r.shortcut != nil {
			reason = "the layers and the shortcut make different shapes of the input"
		}
		panic(autograd.NewShapeError(r.op(), reason, y.Shape(), past.Shape()))
	}
	return y.Add(past)
}

func sameShape(x, y autograd.Value) bool {
	if x.Rank() != y.Rank() {
		return false
	}
	for axis := range x.Rank() {
		if x.Dim(axis) != y.Dim(axis) {
			return false
		}
	}
	return true
}
