package minimize

import (
	"math"

	"gonum.org/v1/gonum/optimize"

	"nabla/autograd"
)

// Run looks for the numbers of the Params at which the loss is least, from
// those that they have, and leaves them at the best that it found. The settings
// and the method are gonum's; nil stands for its defaults, L-BFGS among them. A
// loss with random numbers draws the same ones in each evaluation.
//
// The result and the error are gonum's. An error may stand beside a good
// result: when no step lowers the loss any more, its digits may be used up. If
// the loss makes autograd panic, the error is the typed one; the Params are
// then at the best found so far, or where they were. Other panics of the loss
// go on in the goroutine of the caller.
func Run(params []*autograd.Param, loss func(g *autograd.Graph) autograd.Value, settings *optimize.Settings, method optimize.Method) (*optimize.Result, error) {
	o := newObjective("minimize: Run", params, loss, Options{})
	start := o.X()
	result, err := optimize.Minimize(o.Problem(), start, settings, method)
	if result != nil && math.IsInf(result.F, 1) {
		copy(result.X, start) // gonum has found nothing, and says zeros
	}
	if result != nil {
		start = result.X
	}
	o.Set(start)
	switch {
	case o.panicked != nil:
		panic(o.panicked)
	case o.failed != nil:
		return result, o.failed
	}
	return result, err
}
