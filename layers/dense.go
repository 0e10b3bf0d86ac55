package layers

import (
	"fmt"
	"math/rand/v2"

	"nabla/autograd"
)

// A Dense layer connects each input with each output: z = x·W + b. [NewDense]
// makes one, or a literal with Params of your own. Its weights are [in, out],
// where those of PyTorch's Linear are [out, in].
type Dense struct {
	Weight *autograd.Param // [in, out]
	Bias   *autograd.Param // [out]; nil for none
	label
}

// DenseOptions are what [NewDense] leaves at its defaults, which are those of
// the zero DenseOptions.
type DenseOptions struct {
	Weights   Initializer        // nil: GlorotUniform
	Name      string             // of the scope and, with ".weight" and ".bias", of the Params
	NoBias    bool               // leave b out
	Precision autograd.Precision // of the Params
}

// NewDense returns a layer with that many inputs and outputs. Its weights are
// drawn by [GlorotUniform], its biases are 0. It panics with an
// *[autograd.ArgumentError] if a number is not positive or the rng is nil.
func NewDense(rng *rand.Rand, in, out int) *Dense {
	return NewDenseWith(rng, in, out, DenseOptions{})
}

// NewDenseWith is [NewDense] with other initial weights, a name, no bias, or
// another precision. It also panics with an *[autograd.ShapeError] if the
// Initializer does not return the shape [in, out].
func NewDenseWith(rng *rand.Rand, in, out int, options DenseOptions) *Dense {
	if in < 1 || out < 1 {
		panic(autograd.NewArgumentError("layers: Dense", "%d inputs and %d outputs: both must be positive", in, out))
	}
	d := &Dense{label: userLabel(options.Name)}
	d.Weight = newWeight("layers: Dense", options.Weights, rng, options.Precision, in, out, in, out)
	if !options.NoBias {
		d.Bias = autograd.NewParam("", autograd.Zeros(out).In(options.Precision))
	}
	d.place(newNaming(), "")
	return d
}

// Name returns the layer's name, which is "dense" until it has one.
func (d *Dense) Name() string { return d.or("dense") }

func (d *Dense) place(n *naming, path string) {
	d.check()
	placeAll(n, path+d.Name(), d.Weight, d.Bias)
}

// Size returns the numbers of inputs and outputs. It panics with an
// *[autograd.ArgumentError] without a Weight, and with an
// *[autograd.ShapeError] if the shapes of Weight and Bias are not [in, out] and
// [out].
func (d *Dense) Size() (inputs, outputs int) {
	d.check()
	return d.Weight.Dim(0), d.Weight.Dim(1)
}

// check panics unless the Params fit the layer: they may have been set by hand.
func (d *Dense) check() {
	if d == nil || d.Weight == nil {
		panic(autograd.NewArgumentError("layers: Dense", "there is no Weight"))
	}
	if d.Weight.Rank() != 2 {
		panic(autograd.NewShapeError(d.op(), "the weights are not a matrix [in, out]", d.Weight.Shape()))
	}
	if b := d.Bias; b != nil && (b.Rank() != 1 || b.Dim(0) != d.Weight.Dim(1)) {
		panic(autograd.NewShapeError(d.op(), "there is not one bias for each output", b.Shape(), d.Weight.Shape()))
	}
}

// op is what errors call the layer.
func (d *Dense) op() string { return fmt.Sprintf("layers: Dense %q", d.Name()) }

// Params returns the weights and, if there are any, the biases.
func (d *Dense) Params() []*autograd.Param { return present(d.Weight, d.Bias) }

// Forward returns the weighted sums z = x·W + b of shape [batch, out] for x of
// shape [batch, in]. A vector [in] gives [out]; further leading axes stay as
// they are. It panics with an *[autograd.ShapeError] if the length of x's last
// axis is not the number of inputs, or if the shapes of Weight and Bias are not
// [in, out] and [out], and with an *[autograd.ArgumentError] without a Weight.
func (d *Dense) Forward(x autograd.Value) autograd.Value {
	d.check()
	if in := d.Weight.Dim(0); x.Rank() == 0 || x.Dim(-1) != in {
		reason := fmt.Sprintf("the input's last axis must have %d elements", in)
		panic(autograd.NewShapeError(d.op(), reason, x.Shape(), d.Weight.Shape()))
	}
	g := enter(x, d.Name())
	defer g.Leave()
	z := x.MatMul(g.Param(d.Weight))
	if d.Bias != nil {
		z = z.Add(g.Param(d.Bias))
	}
	return z.Named("z")
}
