package autograd

// An Operation is a user-defined operation, for [Custom].
type Operation struct {
	// Name is shown in drawings and messages.
	Name string

	// Forward computes the result. The inputs are views in the graph's
	// precision, which must not be written to or kept.
	Forward func(in []Tensor) Tensor

	// Rule adds the gradient of each input to the Rule. An input that it adds
	// nothing to has gradient zero. Nil means that there is no rule: a backward
	// pass that needs it panics with a *GradientError.
	Rule func(*Rule)

	// Mask says that the result is piecewise constant, like that of a
	// comparison: no gradient passes, and no Rule is needed.
	Mask bool
}

var (
	opCustom     = operation{name: "custom", method: "Custom"}
	opCustomMask = operation{name: "custom", method: "Custom", mask: true}
)

// Custom records a user-defined operation. Check its rule with gradcheck.Check
// and gradcheck.CheckSecond.
//
// When the rule runs, it panics with a [*ShapeError] if a gradient has neither
// the input's shape nor, where the input was broadcast, the output's.
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
