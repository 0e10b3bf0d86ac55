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
// The constructors, such as [NewSGD] and [NewAdamW], fill exported fields with
// the usual settings, PyTorch's. From there a zero means zero. Every field may
// be changed between steps: a rate that falls from epoch to epoch is an
// assignment in the loop. Settings that make no sense (a negative rate, a
// beta of 1, an epsilon of 0, Nesterov without momentum) panic at the next
// Step.
//
// # Which one
//
// [SGD] with momentum and [AdamW] serve for most; [Adam], [NAdam], [RAdam] and
// [Adamax] are near to it, and [RMSProp] came before. [Adagrad] is for sparse
// features, [Adadelta] has no rate to choose, [Lion] remembers half as much as
// AdamW, [LAMB] is for large batches, and [Rprop] for gradients of all rows.
//
// # Schedules
//
// A [Schedule] says which rate each step has: [Constant], [Step], [Milestones],
// [Exponential], [Polynomial], [Cosine] with or without restarts, [OneCycle],
// and a [Plateau], which waits for a loss to stand still. [WarmUp] stands in
// front of any. [nabla/train.Config] has a Schedule; a loop of one's own
// assigns the rate:
//
//	schedule := optim.WarmUp(2, optim.Cosine(0.8, 4))
//	for n := range 6 {
//		optimizer.LearningRate = schedule.At(n)
//		fmt.Printf("%.2f ", optimizer.LearningRate)
//	}
//
// # Groups
//
// Every optimizer has Groups, which treat the Params of some names in a way of
// their own: with another rate or decay, or frozen. The first [Group] whose
// pattern matches counts; one that no Param is in panics at the first step.
//
//	optimizer := optim.NewAdamW(0.001)
//	optimizer.Groups = []optim.Group{
//		{Params: "*.bias", WeightDecay: optim.Fixed(0)},
//		{Params: "encoder.*", LearningRate: optim.Times(0.1)},
//	}
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
// # Tables
//
// Of a table of which a batch looks up some rows, see
// [autograd.Gradients.Rows], a step changes these rows and what is remembered
// of them. All other rows stand still: no decay, no momentum, no mean that
// fades. So do PyTorch's SparseAdam, and its SGD and Adagrad with sparse
// gradients; its SGD with momentum does not. Steps are counted for the table as
// a whole, so that the corrections of Adam's means are the same for all rows.
// SparseAdam's ε is not corrected, where Adam's is.
//
// Momentum begins at 0 for each row: a dampened first gradient is dampened too.
// The norms that [LAMB] compares are those of the rows.
//
// An optimizer of your own may ask [autograd.Gradients.Rows] for each Param;
// [autograd.Gradients.All] has the gradient of the whole table, at the price of
// a pass over it.
//
// # Stopping and going on
//
// [StateOf] returns what an optimizer remembers, by the names of the Params,
// and [SetState] makes another one go on from it with the same bits. Package
// checkpoint keeps it in files.
//
// # Clipping
//
// [ClipValue], [ClipNorm] and [ClipPNorm] change Gradients in place, between
// Backward and Step:
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
