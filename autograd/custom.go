package autograd

// An Operation is one of the user's own, for Custom.
type Operation struct {
	// Name stands in drawings and messages.
	Name string

	// Forward computes the result. The inputs are views in the graph's
	// precision, which must not be written to or kept.
	Forward func(in []Tensor) Tensor

	// Rule hands the gradient of each input to the Rule; an input that it does
	// not add to has a gradient of zero. Nil means that there is no rule: a
	// backward pass that gets there panics with a *GradientError.
	Rule func(*Rule)

	// Mask says that the result is piecewise constant, as that of a comparison:
	// no gradient passes, and a Rule is not needed.
	Mask bool
}

var (
	opCustom     = operation{name: "custom", method: "Custom"}
	opCustomMask = operation{name: "custom", method: "Custom", mask: true}
)

// Custom records an operation of the user's own. Check its rule with
// gradcheck.Check and gradcheck.CheckSecond.
//
// It panics with a *ShapeError, when the rule runs, if a gradient has neither
// its input's shape nor the output's with the input broadcast to it.
func Custom(op Operation, in ...Value) Value {
	if len(in) == 0 || op.Forward == nil {
		panic(NewArgumentError("Custom", "%q needs an input and a Forward function", op.Name))
	}
	g, kind, rule := in[0].g, &opCustom, op.Rule
	switch {
	case op.Mask:
		kind, rule = &opCustomMask, nil
	case rule == nil:
		rule = noRule
	}
	views := make([]Tensor, len(in))
	for i, x := range in {
		in[0].operand(kind.method, x)
		views[i] = x.view(kind.method)
	}
	y := op.Forward(views)
	y.check(kind.method)
	n := g.record(kind, rule, g.shapeOf(y), in...)
	g.fill(n.data, y)
	g.extraOf(n).custom = &op
	return g.done()
}

// noRule stands in for the rule of an operation that has none.
func noRule(r *Rule) {
	panic(&GradientError{r.opName(), "the operation has no Rule", r.location()})
}
