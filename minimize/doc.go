// Package minimize makes of a loss and its Params a problem for
// gonum.org/v1/gonum/optimize: BFGS, L-BFGS, conjugate gradients and Newton's
// method, with line searches. They look at all data in every step, and reach
// many digits where a loss is smooth and its Params are few.
//
//	result, err := minimize.Run(model.Params(), func(g *autograd.Graph) autograd.Value {
//		return losses.MSE(model.Forward(g.Constant(inputs)), g.Constant(targets))
//	}, nil, &optimize.LBFGS{})
//
// The gradient is that of Backward. Newton's method gets the matrix of second
// derivatives, one row for each number, so it is for some hundred numbers.
//
// Package autograd/matrix converts between tensors and gonum's matrices.
package minimize
