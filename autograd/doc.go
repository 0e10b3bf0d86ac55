// Package autograd records a forward computation on scalars and tensors and
// differentiates it by the chain rule, from the result back to its beginning.
// Layers, losses, optimizers and drawings stand on top of it.
//
//	g := autograd.NewGraph(autograd.Options{})
//	x := g.Scalar(3)
//	w, b := g.Variable(autograd.Scalar(0.5)), g.Variable(autograd.Scalar(-1))
//	z := w.Mul(x).Add(b)                // weighted sum
//	a := z.Tanh()                       // activation
//	loss := a.Sub(g.Scalar(1)).Square() // ½ of its derivative is a − 1
//	grads := loss.Backward()
//	fmt.Printf("a = %.4f, loss = %.4f\n", a.Item(), loss.Item())
//	fmt.Printf("dw = %.4f, db = %.4f\n", grads.Of(w).Item(), grads.Of(b).Item())
//
// # Nouns
//
// A [Graph] is the recording of one forward computation. It owns the memory of
// all that it records, and all settings. A [Value] is a scalar or tensor in a
// graph; operations are its methods and return new Values. A [Tensor] is
// numbers with a shape, outside any graph; a [Param] is a named tensor that
// training changes; [Gradients] are what a backward pass returns.
//
// Nothing accumulates: each Backward returns Gradients of its own. There is no
// global state.
//
// # Life of a recording
//
// Reset forgets the recording and keeps the memory, so that a training step
// after the first allocates nothing. What a graph hands out is valid until
// then; a later use panics with a [*StaleError]. Value.Tensor copies.
//
//	for range 100 {
//		g.Reset()
//		loss := g.Param(w).AddScalar(-2).Square() // least at w = 2
//		grads := loss.Backward()
//		w.Set(autograd.Scalar(w.Item() - 0.1*grads.OfParam(w).Item()))
//	}
//
// # Shapes
//
// Tensors have any rank; a scalar has rank 0. Operands broadcast as in NumPy:
// shapes are aligned at the last axis, and an axis of length 1 is repeated.
// Axes count from the end when negative. Dimensions may be 0.
//
// # Derivatives
//
// Backward computes first derivatives fast. [Grad] returns them as Values of
// the graph, to any order; [VJP], [JVP], [HVP], [Jacobian] and [Hessian] build
// on it. [Custom] and [CustomInto] add an operation from outside, and package
// gradcheck tests its rule. Package matrix has linear algebra.
//
// # Running statistics
//
// A recording writes nothing outside itself. What it finds for a statistic that
// outlives it, such as the mean that a batch norm uses in evaluation, it
// observes: [Graph.Observe]. Backward returns the observations beside the
// gradients, sums of Gradients average them, and an optimizer's Step applies
// them once. A statistic is a Param made by [NewStatistic]; it has no gradient.
//
// # What is slow
//
// A graph with Options.Profile measures time and memory by operation and by
// scope. [Graph.Profile] returns what it has found: a table of text, rows, and
// a file for go tool pprof.
//
//	g := autograd.NewGraph(autograd.Options{Profile: true})
//
// # Mistakes
//
// A mistake in the program's text (a shape that does not fit, a Value of
// another graph, an index out of range) panics with a typed error that names
// the operation, the shapes and the caller's file and line. [Try] turns such a
// panic into an error.
//
// # Invariants
//
// The same program with the same seed gives the same bits, on any number of
// cores. A Value's numbers do not change until Reset. No two gradients share
// memory.
package autograd
