package minimize

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"

	"nabla/autograd"
)

// An Objective is a loss as a function of the numbers x of its Params, one
// Param after the other, each row by row. Statistics and Params that are frozen
// when it is made are not part of x.
type Objective struct {
	params []*autograd.Param
	loss   func(g *autograd.Graph) autograd.Value
	graph  *autograd.Graph
	random autograd.RandomState

	mu       sync.Mutex // gonum may evaluate in several goroutines
	at       []float64  // the x of the recording; nil if there is none
	recorded autograd.Value
	failed   error
	panicked any
}

// Options are what [New] leaves at its defaults.
type Options struct {
	// Graph are the options of the graph that the loss is recorded in. Each
	// recording draws the same random numbers, so that Dropout keeps its masks
	// and the loss is a function of x.
	Graph autograd.Options
}

// New returns the objective of a loss of one element, in float64. The loss must
// follow from the Params alone, and use only the graph it is given. New panics
// with an *[autograd.ArgumentError] if there is nothing to train or no loss.
func New(params []*autograd.Param, loss func(g *autograd.Graph) autograd.Value) *Objective {
	return newObjective("minimize: New", params, loss, Options{})
}

// NewWith is [New] with other options.
func NewWith(params []*autograd.Param, loss func(g *autograd.Graph) autograd.Value, options Options) *Objective {
	return newObjective("minimize: NewWith", params, loss, options)
}

func newObjective(op string, params []*autograd.Param, loss func(g *autograd.Graph) autograd.Value, options Options) *Objective {
	if loss == nil {
		panic(autograd.NewArgumentError(op, "there is no loss"))
	}
	autograd.CheckNames(op, params...)
	trained := slices.DeleteFunc(slices.Clone(params), func(p *autograd.Param) bool { return p.Frozen || p.IsStatistic() })
	o := &Objective{params: trained, loss: loss, graph: autograd.NewGraph(options.Graph)}
	o.random = o.graph.RandomState()
	if o.Size() == 0 {
		panic(autograd.NewArgumentError(op, "there is nothing to train in %d Params", len(params)))
	}
	return o
}

// Size returns how many numbers x has.
func (o *Objective) Size() int {
	size := 0
	for _, p := range o.params {
		size += p.Size()
	}
	return size
}

// X returns a copy of the Params' numbers.
func (o *Objective) X() []float64 {
	var x []float64
	for _, p := range o.params {
		x = append(x, p.Tensor().Float64s()...)
	}
	return x
}

// Set writes x into the Params; those in float32 round it. It panics with an
// *[autograd.ArgumentError] if x has not [Objective.Size] numbers.
func (o *Objective) Set(x []float64) {
	if len(x) != o.Size() {
		panic(autograd.NewArgumentError("minimize: Objective.Set", "%d numbers, the Params have %d", len(x), o.Size()))
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.set(x)
}

func (o *Objective) set(x []float64) {
	o.at = nil // the recording was made with other numbers
	for _, p := range o.params {
		var own []float64
		own, x = x[:p.Size()], x[p.Size():]
		p.Set(autograd.NewTensor(own, p.Shape()...))
	}
}

// Problem returns the problem of finding the least loss. Each evaluation writes
// its x into the Params, so that afterwards they are at the last that was
// tried: see [Objective.Set].
//
// A loss that is NaN counts as +Inf, so that most line searches turn back
// there. One that computes with the infinity may try numbers that are NaN next,
// again and again. These, and what panics in the loss, end the search: Status
// then returns the error, see [Objective.Err], and Minimize with it.
func (o *Objective) Problem() optimize.Problem {
	return optimize.Problem{Func: o.value, Grad: o.gradient, Hess: o.hessian, Status: o.status}
}

// Err returns why the loss could not be computed: autograd's typed error, or
// one that quotes what else was panicked with, or says that the numbers to be
// tried were NaN. It is nil if nothing failed.
func (o *Objective) Err() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.failed
}

func (o *Objective) status() (optimize.Status, error) {
	if err := o.Err(); err != nil {
		return optimize.Failure, err
	}
	return optimize.NotTerminated, nil
}

// value returns the loss at x.
func (o *Objective) value(x []float64) float64 {
	y := math.Inf(1)
	o.evaluate(x, func() {
		o.record(x)
		if v := o.recorded.Item(); !math.IsNaN(v) {
			y = v
		}
	})
	return y
}

// gradient writes the gradient at x.
func (o *Objective) gradient(dst, x []float64) {
	o.evaluate(x, func() {
		o.record(x)
		grads := o.recorded.Backward()
		for _, p := range o.params {
			copy(dst[:p.Size()], grads.OfParam(p).Float64s())
			dst = dst[p.Size():]
		}
	})
}

// hessian writes the second derivatives at x.
func (o *Objective) hessian(dst *mat.SymDense, x []float64) {
	o.evaluate(x, func() {
		o.at = nil
		o.record(x)
		values := make([]autograd.Value, len(o.params))
		for i, p := range o.params {
			values[i] = o.graph.Param(p)
		}
		row := 0
		for _, gradient := range autograd.Grad(o.recorded, values...) {
			column := 0
			for _, block := range autograd.Jacobian(gradient, values...) {
				fill(dst, row, column, gradient.Size(), block)
				column += block.Size() / gradient.Size()
			}
			row += gradient.Size()
		}
		o.at = nil // a long recording, not to be kept
	})
}

// fill writes a block of rows and columns into the upper triangle.
func fill(dst *mat.SymDense, row, column, rows int, block autograd.Value) {
	numbers := block.Tensor().Float64s()
	columns := len(numbers) / rows
	for i := range rows {
		for j := range columns {
			if row+i <= column+j {
				dst.SetSym(row+i, column+j, numbers[i*columns+j])
			}
		}
	}
}

// record makes the recording at x unless it is there: gonum asks for the
// gradient where it has just asked for the loss.
func (o *Objective) record(x []float64) {
	if o.at != nil && slices.Equal(o.at, x) {
		return
	}
	o.set(x)
	o.graph.Reset()
	o.graph.SetRandomState(o.random)
	o.recorded = o.loss(o.graph)
	o.at = append([]float64(nil), x...)
}

// evaluate calls f, which computes something at x, and notes what it panics
// with: gonum evaluates in goroutines of its own, where nobody could recover.
func (o *Objective) evaluate(x []float64, f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	defer func() {
		if v := recover(); v != nil {
			o.panicked, o.failed = v, fmt.Errorf("minimize: the loss panicked: %v", v)
		}
	}()
	if o.failed == nil && slices.ContainsFunc(x, math.IsNaN) {
		o.failed = errors.New("minimize: the method has no number left to try, only NaN")
	}
	if o.failed != nil {
		return
	}
	if err := autograd.Try(f); err != nil {
		o.failed = err
	}
}
