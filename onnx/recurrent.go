package onnx

import (
	"math"
	"slices"
	"strings"

	"nabla/autograd"
)

// recurrent are networks that run through sequences.
func recurrent() map[string]operator {
	return map[string]operator{
		"GRU":  {since(1, 3, 7, 14, 22), 3, 6, 2, buildGRU},
		"LSTM": {since(1, 7, 14, 22), 3, 8, 3, buildLSTM},
		"RNN":  {since(1, 7, 14, 22), 3, 6, 2, buildRNN},
	}
}

// An activation is a function that a gate or state goes through.
type activation struct {
	name        string
	alpha, beta float64
}

func (a activation) of(x value) value {
	switch a.name {
	case "sigmoid":
		return x.Sigmoid()
	case "tanh":
		return x.Tanh()
	case "relu":
		return x.ReLU()
	case "affine":
		return x.MulScalar(a.alpha).AddScalar(a.beta)
	case "leakyrelu":
		return x.LeakyReLU(a.alpha)
	case "thresholdedrelu":
		return autograd.Where(x.GreaterScalar(a.alpha), x, x.Graph().Scalar(0))
	case "scaledtanh":
		return x.MulScalar(a.beta).Tanh().MulScalar(a.alpha)
	case "hardsigmoid":
		return hardSigmoid(x, a.alpha, a.beta)
	case "elu":
		return x.ELU(a.alpha)
	case "softsign":
		return x.Softsign()
	}
	return x.Softplus(1)
}

// defaults of α and β; functions without them have none.
var activationDefaults = map[string][]float64{
	"sigmoid": nil, "tanh": nil, "relu": nil, "softsign": nil, "softplus": nil, "affine": {1, 0}, "leakyrelu": {0.01},
	"thresholdedrelu": {1}, "scaledtanh": {1, 1}, "hardsigmoid": {0.2, 0.5}, "elu": {1},
}

// A cellKind is what RNN, GRU and LSTM differ in.
type cellKind struct {
	gates  int
	usual  []string // activations
	states int
}

// recurrence are the settings of one node.
type recurrence struct {
	cellKind
	hidden     int
	directions []bool // whether each runs backward
	functions  [][]activation
	clip       float64
	layout     bool // batch first
	resetAfter bool // GRU: the reset gate multiplies the product with the state
	coupled    bool // LSTM: the forget gate is one minus the input gate
}

func (n *node) recurrence(kind cellKind) recurrence {
	n.ignore("output_sequence")
	r := recurrence{cellKind: kind, hidden: n.int("hidden_size", 0), clip: n.float("clip", 0), layout: n.bool("layout", false)}
	switch n.oneOf("direction", "forward", "forward", "reverse", "bidirectional") {
	case "forward":
		r.directions = []bool{false}
	case "reverse":
		r.directions = []bool{true}
	case "bidirectional":
		r.directions = []bool{false, true}
	}
	names, alphas, betas := n.strings("activations"), n.floats("activation_alpha"), n.floats("activation_beta")
	if names == nil {
		names = slices.Repeat(kind.usual, len(r.directions))
	}
	if len(names) != len(kind.usual)*len(r.directions) {
		n.wrong("%s has %d activations", n.op, len(names))
	}
	for d := range r.directions {
		var functions []activation
		for i := range kind.usual {
			functions = append(functions, n.activation(names[d*len(kind.usual)+i], &alphas, &betas))
		}
		r.functions = append(r.functions, functions)
	}
	n.reads(usedAsState, 5, 6)
	return r
}

// activation returns a function, with the next of the αs and βs if it has some.
func (n *node) activation(name string, alphas, betas *[]float64) activation {
	a := activation{name: strings.ToLower(name)}
	defaults, ok := activationDefaults[a.name]
	if !ok {
		n.unsupported("activation " + name)
	}
	take := func(list *[]float64, i int) float64 {
		if i >= len(defaults) {
			return 0
		}
		if len(*list) == 0 {
			return float64(float32(defaults[i]))
		}
		v := (*list)[0]
		*list = (*list)[1:]
		return v
	}
	a.alpha = take(alphas, 0)
	a.beta = take(betas, 1)
	return a
}

// isUsual reports whether a direction computes what the graph's own operations
// do.
func (r recurrence) isUsual(direction int) bool {
	if r.clip != 0 || r.coupled {
		return false
	}
	for i, f := range r.functions[direction] {
		if f.name != strings.ToLower(r.usual[i]) && !(r.gates == 1 && f.name == "relu") {
			return false
		}
	}
	return r.gates != 3 || r.resetAfter
}

func buildRNN(n *node) func(*call) {
	r := n.recurrence(cellKind{1, []string{"Tanh"}, 1})
	return func(c *call) { c.recur(r, rnnStep, nil) }
}

func buildGRU(n *node) func(*call) {
	r := n.recurrence(cellKind{3, []string{"Sigmoid", "Tanh"}, 1})
	r.resetAfter = n.bool("linear_before_reset", false)
	// The gates are update, reset, candidate; the graph's reset, update,
	// candidate.
	return func(c *call) { c.recur(r, gruStep, []int{1, 0, 2}) }
}

func buildLSTM(n *node) func(*call) {
	r := n.recurrence(cellKind{4, []string{"Sigmoid", "Tanh", "Tanh"}, 2})
	r.coupled = n.bool("input_forget", false)
	// The gates are input, output, forget, cell; the graph's input, forget,
	// cell, output.
	return func(c *call) { c.recur(r, lstmStep, []int{0, 2, 3, 1}) }
}

// A cell has the weights of one direction: [gates·hidden, …], as the file has
// them.
type cell struct {
	recurrence
	functions     []activation
	w, r          value
	wb, rb        value // zero Values: none
	peepholes     []value
	inputW, hideR value // transposed, for the steps
}

// recur runs all directions.
func (c *call) recur(r recurrence, step func(cell, value, []value) []value, order []int) {
	x := c.value(0)
	if x.Rank() != 3 {
		c.failShapes("x is not [steps, batch, in]", x.Shape())
	}
	if !r.layout {
		x = x.Permute(1, 0, 2)
	}
	batch, steps := x.Dim(0), x.Dim(1)
	c.checkWeights(r, x)
	lengths := c.lengths(batch, steps)
	var outputs []value
	last := make([][]value, r.states)
	for d, reverse := range r.directions {
		y, states := c.direction(r, d, reverse, x, lengths, step, order)
		outputs = append(outputs, y)
		for i, s := range states {
			last[i] = append(last[i], s)
		}
	}
	// [directions, batch, steps, hidden]
	y := autograd.Stack(0, outputs...)
	if r.layout {
		y = y.Permute(1, 2, 0, 3)
	} else {
		y = y.Permute(2, 0, 1, 3)
	}
	c.setLike(0, y)
	for i := range last {
		state := autograd.Stack(0, last[i]...)
		if r.layout {
			state = state.Permute(1, 0, 2)
		}
		c.setLike(i+1, state)
	}
}

// checkWeights panics unless all inputs have the shapes that they should.
func (c *call) checkWeights(r recurrence, x value) {
	directions, rows := len(r.directions), r.gates*r.hidden
	if r.hidden < 1 || rows > math.MaxInt32 || x.Dim(1) < 1 {
		c.failShapes("there are no steps, or no hidden units", x.Shape(), []int{r.hidden})
	}
	want := func(i int, shape ...int) {
		if c.has(i) && !slices.Equal(c.tensor(i).shape(), shape) {
			c.failShapes("an input does not have the shape that it should", c.args[i].shape(), shape)
		}
	}
	state := []int{directions, x.Dim(0), r.hidden}
	if r.layout {
		state[0], state[1] = state[1], state[0]
	}
	want(1, directions, rows, x.Dim(2))
	want(2, directions, rows, r.hidden)
	want(3, directions, 2*rows)
	want(4, x.Dim(0))
	want(5, state...)
	want(6, state...)
	want(7, directions, 3*r.hidden)
	c.room([]int{x.Dim(0), x.Dim(1), directions, rows})
}

// lengths returns how many steps each sequence has, nil if all have all.
func (c *call) lengths(batch, steps int) []int {
	if !c.has(4) {
		return nil
	}
	lengths := c.list(4)
	full := true
	for _, n := range lengths {
		if n < 0 || n > steps {
			panic(autograd.NewIndexError(c.title(), "length", n, steps+1))
		}
		full = full && n == steps
	}
	if full {
		return nil
	}
	return lengths
}

// direction runs one direction; y is [batch, steps, hidden].
func (c *call) direction(r recurrence, d int, reverse bool, x value, lengths []int, step func(cell, value, []value) []value, order []int) (y value, states []value) {
	for i := range r.states {
		states = append(states, c.state(5+i, r, d))
	}
	k := cell{recurrence: r, functions: r.functions[d], w: c.value(1).Select(0, d), r: c.value(2).Select(0, d)}
	if c.has(3) {
		b := c.value(3).Select(0, d).Split(0, r.gates*r.hidden, r.gates*r.hidden)
		k.wb, k.rb = b[0], b[1]
	}
	if c.has(7) {
		k.peepholes = c.value(7).Select(0, d).SplitEqual(0, 3)
	}
	if r.isUsual(d) && k.peepholes == nil && !slices.Contains(lengths, 0) {
		return k.usual(order, x, states, reverse, lengths)
	}
	return c.unrolled(k, step, x, states, reverse, lengths)
}

// state returns a first state, [batch, hidden], zeros if there is none.
func (c *call) state(i int, r recurrence, d int) value {
	if c.has(i) {
		if r.layout {
			return c.value(i).Select(1, d)
		}
		return c.value(i).Select(0, d)
	}
	batch := c.args[0].shape()[1]
	if r.layout {
		batch = c.args[0].shape()[0]
	}
	return c.graph().Full(0, batch, r.hidden)
}

// usual runs the graph's own operation, whose gates have another order.
func (k cell) usual(order []int, x value, states []value, reverse bool, lengths []int) (value, []value) {
	w := autograd.RecurrentWeights{Input: reordered(k.w, k.gates, order).T(), Hidden: reordered(k.r, k.gates, order).T()}
	if !k.wb.IsZero() {
		w.InputBias, w.HiddenBias = reordered(k.wb, k.gates, order), reordered(k.rb, k.gates, order)
	}
	o := autograd.RecurrentOptions{Reverse: reverse}
	if lengths != nil {
		o.Lengths = autograd.NewInts(lengths)
	}
	switch k.gates {
	case 4:
		y, h, c := autograd.LSTM(x, states[0], states[1], w, o)
		return y, []value{h, c}
	case 3:
		y, h := autograd.GRU(x, states[0], w, o)
		return y, []value{h}
	}
	o.ReLU = k.functions[0].name == "relu"
	y, h := autograd.RNN(x, states[0], w, o)
	return y, []value{h}
}

// reordered returns the gates' rows in another order.
func reordered(x value, gates int, order []int) value {
	if order == nil {
		return x
	}
	parts := x.SplitEqual(0, gates)
	to := make([]value, gates)
	for i, from := range order {
		to[i] = parts[from]
	}
	return autograd.Concat(0, to...)
}

// unrolled runs step by step, for what the graph has no operation for.
func (c *call) unrolled(k cell, step func(cell, value, []value) []value, x value, states []value, reverse bool, lengths []int) (value, []value) {
	g, steps := c.graph(), x.Dim(1)
	k.inputW, k.hideR = k.w.T(), k.r.T()
	outputs := make([]value, steps)
	for i := range steps {
		if c.frame.run.steps--; c.frame.run.steps < 0 {
			c.fail("there are more steps than ImportOptions.MaxSteps allows")
		}
		at := i
		if reverse {
			at = steps - 1 - i
		}
		next := step(k, x.Select(1, at), states)
		outputs[at] = next[0]
		if lengths != nil {
			mask := g.Constant(within(lengths, at))
			outputs[at] = autograd.Where(mask, next[0], g.Scalar(0))
			for j := range next {
				next[j] = autograd.Where(mask, next[j], states[j])
			}
		}
		states = next
	}
	return autograd.Stack(1, outputs...), states
}

// within returns 1 for the sequences that have a step, [batch, 1].
func within(lengths []int, step int) autograd.Tensor {
	values := make([]float64, len(lengths))
	for i, n := range lengths {
		values[i] = float64(truth(step < n))
	}
	return autograd.NewTensor(values, len(values), 1)
}

// clipped limits what goes into an activation.
func (k cell) clipped(x value) value {
	if k.clip > 0 {
		return x.Clamp(-k.clip, k.clip)
	}
	return x
}

// linear returns x·wᵀ + b.
func linear(x, w, b value) value {
	y := x.MatMul(w)
	if !b.IsZero() {
		y = y.Add(b)
	}
	return y
}

func rnnStep(k cell, x value, s []value) []value {
	z := linear(x, k.inputW, k.wb).Add(linear(s[0], k.hideR, k.rb))
	return []value{k.functions[0].of(k.clipped(z))}
}

// gruStep is one step of gated recurrent units, whose reset gate multiplies the
// state or, with resetAfter, its product.
func gruStep(k cell, x value, s []value) []value {
	h := s[0]
	in := linear(x, k.inputW, k.wb).SplitEqual(1, 3)
	f, g := k.functions[0], k.functions[1]
	rows, biases := k.r.SplitEqual(0, 3), make([]value, 3)
	if !k.rb.IsZero() {
		biases = k.rb.SplitEqual(0, 3)
	}
	z := f.of(k.clipped(in[0].Add(linear(h, rows[0].T(), biases[0]))))
	r := f.of(k.clipped(in[1].Add(linear(h, rows[1].T(), biases[1]))))
	var product value
	if k.resetAfter {
		product = r.Mul(linear(h, rows[2].T(), biases[2]))
	} else {
		product = linear(r.Mul(h), rows[2].T(), biases[2])
	}
	n := g.of(k.clipped(in[2].Add(product)))
	return []value{n.Lerp(h, z)}
}

// lstmStep is one step of a long short-term memory, whose gates may see the
// memory through peepholes, by weights for input, output and forget gate.
func lstmStep(k cell, x value, s []value) []value {
	h, c := s[0], s[1]
	z := linear(x, k.inputW, k.wb).Add(linear(h, k.hideR, k.rb)).SplitEqual(1, 4)
	f, g, o := k.functions[0], k.functions[1], k.functions[2]
	if k.peepholes != nil {
		z[0], z[2] = z[0].Add(k.peepholes[0].Mul(c)), z[2].Add(k.peepholes[2].Mul(c))
	}
	input := f.of(k.clipped(z[0]))
	forget := input.Neg().AddScalar(1)
	if !k.coupled {
		forget = f.of(k.clipped(z[2]))
	}
	c = forget.Mul(c).Add(input.Mul(g.of(k.clipped(z[3]))))
	if k.peepholes != nil {
		z[1] = z[1].Add(k.peepholes[1].Mul(c))
	}
	return []value{f.of(k.clipped(z[1])).Mul(o.of(c)), c}
}
