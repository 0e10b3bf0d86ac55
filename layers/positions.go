package layers

import (
	"fmt"
	"math"
	"math/rand/v2"

	"nabla/autograd"
)

// Attention does not know the order of steps. Sine and learned positions add to
// each step of [batch, steps, width] what tells its place; rotary ones are an
// option of the attention layers.

// SinePositions add sines and cosines of wavelengths from 2π to 10,000·2π
// (Vaswani et al., 2017):
//
//	y[t, 2i] = x[t, 2i] + sin(t/10,000^(2i/width))
//	y[t, 2i+1] = x[t, 2i+1] + cos(t/10,000^(2i/width))
//
// They have no Params.
type SinePositions struct {
	table *autograd.Param // [steps, width], of no gradient
	label
}

// NewSinePositions returns positions for sequences of up to that many steps. It
// panics with an *[autograd.ArgumentError] if a number is not positive.
func NewSinePositions(steps, width int) *SinePositions {
	checkPositions("layers: SinePositions", steps, width)
	values := make([]float64, steps*width)
	for t := range steps {
		for i := range width {
			angle := float64(t) / math.Pow(10_000, float64(i/2*2)/float64(width))
			values[t*width+i] = math.Sin(angle)
			if i%2 == 1 {
				values[t*width+i] = math.Cos(angle)
			}
		}
	}
	return &SinePositions{table: autograd.NewStatistic("sine positions", autograd.NewTensor(values, steps, width))}
}

func checkPositions(op string, steps, width int) {
	if steps < 1 || width < 1 {
		panic(autograd.NewArgumentError(op, "%d steps of width %d: both must be positive", steps, width))
	}
}

// Name returns the layer's name, which is "sinepositions" until it has one.
func (p *SinePositions) Name() string { return p.or("sinepositions") }

func (p *SinePositions) op() string { return fmt.Sprintf("layers: SinePositions %q", p.Name()) }

func (p *SinePositions) place(*naming, string) {}

// Params returns nil.
func (p *SinePositions) Params() []*autograd.Param { return nil }

// Forward adds positions from 0 on. It panics with an *[autograd.ShapeError] if
// x is not [batch, steps, width], or has more steps than there are positions.
func (p *SinePositions) Forward(x autograd.Value) autograd.Value { return p.From(x, 0) }

// From is Forward for steps that begin at position first, such as those that
// follow a [Cache]'s.
func (p *SinePositions) From(x autograd.Value, first int) autograd.Value {
	g := enter(x, p.Name())
	defer leave(g, p)
	checkSteps(x, first, p.table.Dim(0), p.table.Dim(1))
	return x.Add(g.Param(p.table).Narrow(0, first, x.Dim(1)))
}

// checkSteps panics unless there are positions for all steps of x. The layer's
// name is up to leave.
func checkSteps(x autograd.Value, first, steps, width int) {
	if x.Rank() != 3 || x.Dim(2) != width {
		panic(autograd.NewShapeError("layers", fmt.Sprintf("the input is not [batch, steps, %d]", width), x.Shape()))
	}
	if first < 0 {
		panic(autograd.NewArgumentError("layers", "a first position of %d", first))
	}
	if first+x.Dim(1) > steps {
		reason := fmt.Sprintf("%d steps from position %d on are more than the %d positions", x.Dim(1), first, steps)
		panic(autograd.NewShapeError("layers", reason, x.Shape(), []int{steps, width}))
	}
}

// LearnedPositions add to each step a row of weights that are learned.
type LearnedPositions struct {
	Weight *autograd.Param // [steps, width]
	label
}

// LearnedPositionsOptions are what [NewLearnedPositions] leaves at its
// defaults, which are those of the zero LearnedPositionsOptions.
type LearnedPositionsOptions struct {
	Weights   Initializer        // nil: normal with a standard deviation of 0.02, as GPT-2's
	Name      string             // of the scope and, with ".weight", of the Param
	Precision autograd.Precision // of the Param
}

// NewLearnedPositions returns positions for sequences of up to that many steps,
// drawn from the normal distribution with standard deviation 0.02. It panics
// with an *[autograd.ArgumentError] if a number is not positive or the rng is
// nil.
func NewLearnedPositions(rng *rand.Rand, steps, width int) *LearnedPositions {
	return NewLearnedPositionsWith(rng, steps, width, LearnedPositionsOptions{})
}

// NewLearnedPositionsWith is [NewLearnedPositions] with options.
func NewLearnedPositionsWith(rng *rand.Rand, steps, width int, options LearnedPositionsOptions) *LearnedPositions {
	const op = "layers: LearnedPositions"
	checkPositions(op, steps, width)
	if options.Weights == nil {
		options.Weights = func(rng *rand.Rand, _, _ int, shape ...int) autograd.Tensor {
			return normal("NewLearnedPositions", rng, 0.02, shape)
		}
	}
	p := &LearnedPositions{label: userLabel(options.Name)}
	p.Weight = newWeight(op, options.Weights, rng, options.Precision, steps, width, steps, width)
	p.place(newNaming(), "")
	return p
}

// Name returns the layer's name, which is "learnedpositions" until it has one.
func (p *LearnedPositions) Name() string { return p.or("learnedpositions") }

func (p *LearnedPositions) op() string { return fmt.Sprintf("layers: LearnedPositions %q", p.Name()) }

func (p *LearnedPositions) place(n *naming, path string) { placeAll(n, path+p.Name(), p.Weight, nil) }

// Params returns the weights.
func (p *LearnedPositions) Params() []*autograd.Param { return present(p.Weight) }

// Forward adds the rows from 0 on. It panics as [SinePositions.Forward] does.
func (p *LearnedPositions) Forward(x autograd.Value) autograd.Value { return p.From(x, 0) }

// From is Forward for steps that begin at position first, such as those that
// follow a [Cache]'s.
func (p *LearnedPositions) From(x autograd.Value, first int) autograd.Value {
	g := enter(x, p.Name())
	defer leave(g, p)
	if p.Weight == nil || p.Weight.Rank() != 2 {
		panic(autograd.NewArgumentError(p.op(), "the Weight is not [steps, width]"))
	}
	checkSteps(x, first, p.Weight.Dim(0), p.Weight.Dim(1))
	return x.Add(g.Param(p.Weight).Narrow(0, first, x.Dim(1)))
}
