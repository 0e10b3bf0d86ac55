package train

import (
	"errors"
	"math"

	"nabla/autograd"
	"nabla/internal/kernel"
)

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// nonFinite returns the first Param whose gradient holds a NaN or infinity, nil
// if all are finite.
func nonFinite(grads autograd.Gradients) *autograd.Param {
	for p, g := range grads.Stored() {
		if !allFinite(g) {
			return p
		}
	}
	return nil
}

func allFinite(t autograd.Tensor) bool {
	var ok bool
	if t.Precision() == autograd.Float32 {
		_, ok = kernel.IsFinite(t.Raw32())
	} else {
		_, ok = kernel.IsFinite(t.Raw64())
	}
	return ok
}

// checkStepped returns an error if a Param that the gradients reached, or a
// statistic that was observed, holds a NaN or infinity, in the graph's
// precision.
func (c *cycle) checkStepped(grads autograd.Gradients) error {
	c.stepped.Reset()
	for p := range grads.Stored() {
		if !allFinite(c.stepped.Param(p).View()) {
			return &divergence{"parameter " + p.Name() + " is not finite after the step"}
		}
	}
	for p := range grads.Observations() {
		if !allFinite(c.stepped.Param(p).View()) {
			return &divergence{"statistic " + p.Name() + " is not finite after the step"}
		}
	}
	return nil
}

// A divergence is an error about what a step has made infinite or NaN.
type divergence struct{ text string }

func (e *divergence) Error() string { return e.text }

// diverged reports whether an error is about a NaN or infinity.
func diverged(err error) bool {
	var place *autograd.NonFiniteError
	var after *divergence
	return errors.As(err, &place) || errors.As(err, &after)
}

// nonFinite says where the data hold a NaN or infinity, nil if nowhere. A graph
// with CheckFinite lets infinite constants pass, such as a mask; in data they
// are a fault.
func (d Data) nonFinite() error {
	for _, part := range []struct {
		name string
		t    autograd.Tensor
	}{{"inputs", d.Inputs}, {"targets", d.Targets}} {
		if !isGiven(part.t) {
			continue
		}
		for i, v := range part.t.Float64s() {
			if !isFinite(v) {
				return &autograd.NonFiniteError{
					Op: "Constant", Name: part.name, Value: v, Index: i, Shapes: [][]int{part.t.Shape()},
					Location: autograd.NewArgumentError("train", "").Location,
				}
			}
		}
	}
	return nil
}

// origin computes a batch again, in a graph that stops at the first NaN or
// infinity, and returns the error that names the place. It draws the same
// random numbers as the first run. A model with randomness of its own may be
// finite this time: then the error is the symptom.
func (c *objective) origin(options autograd.Options, random autograd.RandomState, batch Data, symptom string) error {
	options.CheckFinite = true
	g := autograd.NewGraph(options)
	g.SetRandomState(random)
	err := autograd.Try(func() {
		loss := c.loss(c.predict(g, batch), batch)
		if !options.NoGrad {
			loss.Backward()
		}
	})
	if place := batch.nonFinite(); place != nil && (err == nil || isConstant(err)) {
		return place
	}
	if err == nil {
		return &divergence{symptom + "; a second run of the batch did not show where from"}
	}
	return err
}

// isConstant reports whether the error is a NaN in a constant. Those of the
// data have no name in the graph.
func isConstant(err error) bool {
	var place *autograd.NonFiniteError
	return errors.As(err, &place) && place.Op == "Constant"
}
