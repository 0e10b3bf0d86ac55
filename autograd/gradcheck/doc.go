// Package gradcheck compares gradients with finite differences. It finds wrong
// derivative rules, in functions, in layers with their Params and in operations
// of one's own, and says where they are wrong.
//
//	rng := rand.New(rand.NewPCG(1, 0))
//	w := autograd.NewParam("w", autograd.Normal(rng, 0, 1, 3, 2))
//	b := autograd.NewParam("b", autograd.Zeros(2))
//	neuron := func(g *autograd.Graph, in []autograd.Value) autograd.Value {
//		return in[0].MatMul(g.Param(w)).Add(g.Param(b)).Tanh()
//	}
//	x := []autograd.Tensor{autograd.Normal(rng, 0, 1, 4, 3)}
//	fmt.Println("first order:", gradcheck.Check(neuron, x, w, b))
//	fmt.Println("second order:", gradcheck.CheckSecond(neuron, x, w, b))
//
// # What is compared
//
// The function's result, of any shape, is multiplied by random weights w and
// summed: the gradient of a plain sum would hide a transposed Jacobian, since
// all its columns add up to the same. Then every element of every input and
// Param is moved on its own, and the change of w·f(x) is compared with what
// Backward and what Grad give. The two share their rules, but Backward has
// faster forms of some, so both are checked. [Checker.CheckSecond] does the
// same with the gradient, as Grad records it, in the place of f.
//
// # How differences become exact
//
// A difference over one step is wrong by the function's curvature if the step
// is wide, and by rounding if it is narrow. So there are several steps, each
// half as wide as the one before, and the differences are extrapolated to step
// 0 (Richardson), with an error estimate from neighbouring extrapolations
// (Ridders): usually four steps give ten digits. The slopes to the left and
// right are extrapolated too.
//
// # What the verdicts mean
//
// [Wrong] is a wrong rule. [Kink] says that the slopes to both sides differ at
// the point, or so near to it that the steps cannot tell: nothing is known
// about the rule, and the point should be moved. A gradient outside of the two
// slopes is Wrong all the same. [Unsettled] says that the differences have no
// limit, as next to a jump, and [NonFinite] that there is no number to compare
// with.
//
// # Float32
//
// Differences of float32 numbers are noise. With Precision Float32 the
// gradients come from a Float32 graph and the differences from a Float64 graph,
// at the same point, and the tolerance is that of float32.
//
// # Randomness
//
// All of it comes from the Checker's Seed. Every evaluation has a graph of its
// own with that seed, so that Dropout draws the same mask each time and can be
// checked. A function with randomness of its own is reported by a
// [*NondeterministicError].
package gradcheck
