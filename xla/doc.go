// Package xla runs recorded steps on other hardware: it writes a recording,
// with its gradients and the optimizer's update, as a program in StableHLO and
// gives that to a PJRT plugin, the form in which XLA comes for processors, GPUs
// and TPUs. It is a module of its own, which needs cgo.
//
//	client, err := xla.Open(plugin)
//	if err != nil {
//		return err
//	}
//	defer client.Close()
//	trainer, err := client.Train(xla.Training{
//		Loss: func(g *autograd.Graph, in xla.Inputs) autograd.Value {
//			logits := model.Forward(in.Value(0))
//			return losses.CategoricalCrossEntropyLabelsWith(logits, in.Ints(1), losses.Options{Logits: true})
//		},
//		Optimizer: optim.NewAdam(0.05),
//	})
//	if err != nil {
//		return err
//	}
//	defer trainer.Close()
//	for range 100 {
//		if _, err := trainer.Step(xla.Numbers(features), xla.Indices(labels, 3)); err != nil {
//			return err
//		}
//	}
//	return trainer.Read() // the model has what the devices have learned
//
// # What there is
//
// A [Client] is a plugin with its devices. [Compile] makes a [Function] of any
// step; a [Trainer] keeps Params, running statistics and what the optimizer
// remembers on the devices from step to step, in memory that each step reuses.
// With several devices each has a part of the batch, and gradients are averaged
// among them.
//
// # What changes from call to call
//
// Inputs are numbers or integers: labels, ids of words. The numbers of Params
// and whether they are frozen, the learning rate and all random numbers may
// change too. Dropout draws what package autograd would draw from the same
// seed, so that losses can be compared. What the step computes in Go from any
// of these is not frozen silently: a step is recorded several times, with other
// numbers each time, and what comes out differently, and follows none of the
// above, is an [*UnsupportedError] that names the operation and its line.
//
// # What is not seen
//
// Two things stay as they were when the step was recorded, which is at the
// first call with inputs of new shapes. One is whatever the program changes
// between calls: a factor that grows from epoch to epoch, a layer's dropout
// rate, a count. Make it an input of one number:
//
//	input := xla.Numbers(autograd.Full(factor)).Whole()
//
// The other is what depends on numbers that no recording had, such as a branch
// for a loss above 1e6.
//
// # Shapes
//
// Programs have fixed shapes. Inputs of new shapes are compiled anew, and the
// program is kept for the next time. [Trainer.Stats] says what that has cost.
//
// # Numbers
//
// Sums are added up in another order than by package autograd, and functions
// have other approximations: README.md states the bounds that tests hold. The
// same program gives the same bits on one device of one plugin; nothing is
// promised about others.
//
// # Goroutines
//
// A Client, Function or Trainer may be used from many goroutines. A Function or
// Trainer serves one call at a time.
package xla
