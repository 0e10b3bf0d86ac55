// Package optim changes parameters by their gradients, so that the loss gets
// smaller. An optimizer is a struct with its settings; its Step takes what
// Backward returned.
//
//	g := autograd.NewGraph(autograd.Options{})
//	w, b := autograd.NewParam("w", autograd.Scalar(0)), autograd.NewParam("b", autograd.Scalar(0))
//	optimizer := optim.NewSGD(0.05)
//	for range 400 {
//		g.Reset()
//		loss := g.Scalar(0)
//		for _, x := range []float64{-1, 0, 1, 2} { // a line through 2x + 1
//			prediction := g.Param(w).Mul(g.Scalar(x)).Add(g.Param(b))
//			loss = loss.Add(prediction.Sub(g.Scalar(2*x + 1)).Square())
//		}
//		optimizer.Step(loss.Backward())
//	}
//	fmt.Printf("w = %.4f, b = %.4f\n", w.Item(), b.Item())
//
// # Settings
//
// The constructors ([NewSGD], [NewAdam], [NewAdamW], [NewRMSProp]) fill
// exported fields with the usual settings. From there a zero means zero. Every
// field may be changed between steps: a rate that falls from epoch to epoch is
// an assignment in the loop. Settings that make no sense (a negative rate, a
// beta of 1, an epsilon of 0, Nesterov without momentum) panic at the next
// Step.
//
// # What a step changes
//
// [Optimizer.Step] updates the Params that the loss reached, in the order of
// their first use. Other Params keep their value, and what the optimizer
// remembers of them: no decay, no momentum, no step is counted. So do Frozen
// ones, which have no gradient. Several optimizers may each take gradients of
// their own; one optimizer serves one goroutine at a time.
//
// What an optimizer remembers (velocities, running means) has the Param's
// precision and belongs to the *Param. It is made at the Param's first step,
// and goes when nobody else holds the Param any more: one optimizer may train
// many models. Steps after the first allocate nothing.
//
// # Clipping
//
// [ClipValue] and [ClipNorm] change Gradients in place, between Backward and
// Step:
//
//	grads := loss.Backward()
//	optim.ClipNorm(grads, 1)
//	optimizer.Step(grads)
//
// # Not a number
//
// A step does not look for NaN: one in a gradient passes into the parameter.
// Package train does, and so does a graph with CheckFinite.
package optim
