package onnx

import (
	"slices"

	"nabla/onnx/internal/message"
)

// control are operators that run other graphs.
func control() map[string]operator {
	return map[string]operator{
		"If":   {since(1, 11, 13, 16, 19, 21, 23, 24, 25), 1, 1, -1, buildIf},
		"Loop": {since(1, 11, 13, 16, 19, 21, 23, 24, 25), 2, -1, -1, buildLoop},
		"Scan": {since(9, 11, 16, 19, 21, 23, 24, 25), 1, -1, -1, buildScan},
	}
}

func buildIf(n *node) func(*call) {
	then, otherwise := n.graph("then_branch"), n.graph("else_branch")
	for _, p := range []*program{then, otherwise} {
		if len(p.inputs) > 0 || len(p.outputs) < len(n.out) {
			n.wrong("a branch has %d inputs and %d outputs", len(p.inputs), len(p.outputs))
		}
	}
	return func(c *call) {
		c.bool(0)
		branch := otherwise
		if condition := c.ints(0); len(condition) != 1 {
			c.fail("the condition is %s", c.args[0].describe())
		} else if condition[0] != 0 {
			branch = then
		}
		c.inside(func(r *run) { copy(c.outs, branch.run(r, c.frame, nil)) })
	}
}

// buildLoop runs a body until a count or a condition ends it. The body has the
// count, the condition and the carried values as inputs, and the condition, the
// carried values and one slice of each further output as outputs.
func buildLoop(n *node) func(*call) {
	body := n.graph("body")
	carried := len(n.in) - 2
	scanned := len(body.outputs) - 1 - carried
	if len(body.inputs) != carried+2 || scanned < 0 || len(n.out) > carried+scanned {
		n.wrong("the body has %d inputs and %d outputs for %d inputs and %d outputs", len(body.inputs), len(body.outputs), len(n.in), len(n.out))
	}
	return func(c *call) {
		c.inside(func(r *run) { c.loop(r, body, carried, scanned) })
	}
}

func (c *call) loop(r *run, body *program, carried, scanned int) {
	limit := int64(1<<62 - 1)
	if c.has(0) {
		limit = c.oneInt(0)
	}
	going := ofBool(true)
	if c.has(1) {
		going = c.bool(1)
	}
	state := slices.Clone(c.args[2:])
	slicesOf := make([][]datum, scanned)
	for i := int64(0); i < limit && c.isTrue(going); i++ {
		c.count(r)
		outs := body.run(r, c.frame, append([]datum{ofInts(message.Int64, []int64{i}), going}, state...))
		going = outs[0]
		copy(state, outs[1:])
		for k := range slicesOf {
			slicesOf[k] = append(slicesOf[k], outs[1+carried+k])
		}
	}
	for i, d := range state {
		c.set(i, d)
	}
	for k, parts := range slicesOf {
		if c.wants(carried + k) {
			c.set(carried+k, c.stacked(parts, 0, false, body, 1+carried+k))
		}
	}
}

// count counts a turn of a loop as a node: its body may have none.
func (c *call) count(r *run) {
	if r.steps--; r.steps < 0 {
		c.fail("more than %d nodes were run: see ImportOptions.MaxSteps", r.limits.MaxSteps)
	}
}

func (c *call) isTrue(d datum) bool {
	if d.kind != tensor || d.elem != message.Bool || d.size() != 1 {
		c.fail("the condition is %s", d.describe())
	}
	return c.intsOf(d)[0] != 0
}

// stacked joins slices along a new axis. Of none, only the type that the body
// declares is known.
func (c *call) stacked(parts []datum, axis int, backward bool, body *program, output int) datum {
	if len(parts) == 0 {
		return body.empty(output)
	}
	if backward {
		slices.Reverse(parts)
	}
	for i, p := range parts {
		if p.kind != tensor {
			c.fail("a slice is %s", p.describe())
		}
		at := axis
		if at < 0 {
			at += p.rank() + 1
		}
		if at < 0 || at > p.rank() || p.rank() >= maxRank {
			c.axis(axis, p.rank()+1)
		}
		parts[i] = c.reshape(p, slices.Insert(slices.Clone(p.shape()), at, 1))
		if i == 0 {
			axis = at
		}
	}
	return c.concat(axis, parts)
}

// empty returns no slices of a type that an output of a body is declared to
// have.
func (p *program) empty(output int) datum {
	elem, shape := message.Float, []int{0}
	if output < len(p.types) && p.types[output] != nil && p.types[output].Tensor != nil {
		t := p.types[output].Tensor
		elem = t.Elem
		if t.Shape != nil {
			for _, d := range t.Shape.Dims {
				shape = append(shape, int(min(max(d.Value, 0), 1<<31)))
			}
		}
	}
	if len(shape) > maxRank {
		shape = shape[:1]
	}
	switch {
	case isFloat(elem):
		return ofFloats(elem, []float64{}, shape...)
	case elem == message.String:
		return ofStrings([]string{}, shape...)
	}
	return ofInts(elem, []int64{}, shape...)
}

// buildScan runs a body over slices of its inputs. The body has the carried
// values and a slice of each scanned input as inputs, and the carried values
// and a slice of each further output as outputs.
func buildScan(n *node) func(*call) {
	body := n.graph("body")
	scanned := n.int("num_scan_inputs", 0)
	carried := len(n.in) - scanned
	results := len(body.outputs) - carried
	if scanned < 1 || carried < 0 || results < 0 || len(body.inputs) != len(n.in) || len(n.out) > len(body.outputs) {
		n.wrong("the body has %d inputs and %d outputs for %d inputs, of which %d are scanned, and %d outputs", len(body.inputs), len(body.outputs), len(n.in), scanned, len(n.out))
	}
	s := scan{
		body: body, carried: carried, axes: or(n.ints("scan_input_axes"), scanned, 0), backward: or(n.ints("scan_input_directions"), scanned, 0),
		outAxes: or(n.ints("scan_output_axes"), results, 0), outBackward: or(n.ints("scan_output_directions"), results, 0),
	}
	if len(s.axes) != scanned || len(s.backward) != scanned || len(s.outAxes) != results || len(s.outBackward) != results {
		n.wrong("Scan has axes or directions of another number")
	}
	return func(c *call) { c.inside(func(r *run) { c.scan(r, s) }) }
}

type scan struct {
	body                                 *program
	carried                              int
	axes, backward, outAxes, outBackward []int
}

func (c *call) scan(r *run, s scan) {
	steps := -1
	axes := make([]int, len(s.axes))
	for k := range axes {
		x := c.tensor(s.carried + k)
		axes[k] = c.axis(s.axes[k], x.rank())
		if n := x.shape()[axes[k]]; steps >= 0 && n != steps {
			c.failShapes("the scanned inputs differ in length", x.shape())
		} else {
			steps = n
		}
	}
	state := slices.Clone(c.args[:s.carried])
	parts := make([][]datum, len(s.outAxes))
	for i := range steps {
		c.count(r)
		in := slices.Clone(state)
		for k, axis := range axes {
			at := i
			if s.backward[k] != 0 {
				at = steps - 1 - i
			}
			x := c.args[s.carried+k]
			in = append(in, c.reshape(c.narrow(x, axis, at, 1, 1), without(x.shape(), []int{axis})))
		}
		outs := s.body.run(r, c.frame, in)
		copy(state, outs[:s.carried])
		for k := range parts {
			parts[k] = append(parts[k], outs[s.carried+k])
		}
	}
	for i, d := range state {
		c.set(i, d)
	}
	for k := range parts {
		if c.wants(s.carried + k) {
			c.set(s.carried+k, c.stacked(parts[k], s.outAxes[k], s.outBackward[k] != 0, s.body, s.carried+k))
		}
	}
}
