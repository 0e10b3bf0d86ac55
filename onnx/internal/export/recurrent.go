package export

import (
	"slices"

	"nabla/autograd"
	"nabla/onnx/internal/message"
)

// recurrent writes a recurrent operator, whose gates are those of Nabla in that
// order. Its results are the parts of the matrix that the node is: slices take
// them.
func recurrent(op string, gates []int) writer {
	return func(s *site) string {
		o := s.options.(autograd.RecurrentCall)
		if !s.single || product(s.in[0].value.Shape()) == 0 {
			return s.unrolled()
		}
		s.sampledAll()
		x, dims := s.in[0], s.in[0].value.Shape()
		batch, steps, hidden := dims[0], dims[1], s.shape[1]
		state := []int{batch, hidden}
		in := []string{
			s.transposed(x.name, []int{1, 0, 2}),
			s.gates(s.operand(o.Weights.Input), gates, hidden, true), s.gates(s.operand(o.Weights.Hidden), gates, hidden, true),
			s.biases(o.Weights, gates, hidden), s.lengths(o), s.initialState(o.H, state),
		}
		results := 2
		direction := "forward"
		if o.Reverse {
			direction = "reverse"
		}
		attributes := []*message.Attribute{intAttribute("hidden_size", hidden), stringAttribute("direction", direction)}
		switch op {
		case "LSTM":
			results = 3
			in = append(in, s.initialState(o.C, state))
		case "GRU":
			attributes = append(attributes, intAttribute("linear_before_reset", 1))
		case "RNN":
			if o.ReLU {
				attributes = append(attributes, stringsAttribute("activations", "Relu"))
			}
		}
		for in[len(in)-1] == "" {
			in = in[:len(in)-1]
		}
		y := s.ops(op, results, in, attributes...)
		outputs := s.op("Squeeze", []string{y[0], s.ints64(1)})
		outputs = s.reshapeOf(s.transposed(outputs, []int{1, 0, 2}), []int{batch * steps, hidden}, s.batch)
		s.parts = []string{outputs}
		for _, last := range y[1:] {
			s.parts = append(s.parts, s.op("Squeeze", []string{last, s.ints64(0)}))
		}
		return s.op("Concat", s.parts, intAttribute("axis", 0))
	}
}

// sampledAll sets the batch of a recurrent operation: that of its sequences and
// states. Sequences that are the same for each sample are repeated.
func (s *site) sampledAll() {
	for _, r := range s.in {
		switch {
		case r.batch.none():
		case r.batch.axis > 0 || !s.batch.none() && s.batch != r.batch:
			s.refuse("the batch is not the first axis")
		default:
			s.batch = r.batch
		}
	}
	if x := s.in[0]; x.batch.none() && !s.batch.none() {
		s.in[0].name, s.in[0].batch = s.expanded(s.same(x, 0).name, x.value.Shape(), s.batch), s.batch
	}
}

// operand returns the input that a Value of the options is.
func (s *site) operand(v autograd.Value) ref {
	return s.in[slices.Index(s.Inputs, v.Node().ID)]
}

// gates returns weights with one direction in front, transposed, with the gates
// in the operator's order.
func (s *site) gates(r ref, order []int, hidden int, matrix bool) string {
	if !r.batch.none() {
		s.refuse("weights that differ for the samples of the batch")
	}
	name := r.name
	if matrix {
		name = s.transposed(name, []int{1, 0})
	}
	if len(order) > 1 {
		var rows []int
		for _, gate := range order {
			for i := range hidden {
				rows = append(rows, gate*hidden+i)
			}
		}
		name = s.op("Gather", []string{name, s.ints64(rows...)}, intAttribute("axis", 0))
	}
	return s.op("Unsqueeze", []string{name, s.ints64(0)})
}

// biases returns both biases one behind the other, "" if there are none.
func (s *site) biases(w autograd.RecurrentWeights, order []int, hidden int) string {
	if w.InputBias.IsZero() && w.HiddenBias.IsZero() {
		return ""
	}
	parts := []string{s.initializedFull(0, []int{1, len(order) * hidden}), s.initializedFull(0, []int{1, len(order) * hidden})}
	for i, bias := range []autograd.Value{w.InputBias, w.HiddenBias} {
		if !bias.IsZero() {
			parts[i] = s.gates(s.operand(bias), order, hidden, false)
		}
	}
	return s.op("Concat", parts, intAttribute("axis", 1))
}

// lengths returns those of the sequences, "" if all are whole.
func (s *site) lengths(o autograd.RecurrentCall) string {
	if o.Lengths.Shape() == nil || o.Lengths.Rank() == 0 {
		return ""
	}
	lengths := o.Lengths.Values()
	if s.given != nil {
		name, _ := s.shaped(*s.given, o.Lengths.Shape())
		return s.cast(name, message.Int32)
	}
	if !s.batch.none() {
		if slices.Min(lengths) != slices.Max(lengths) {
			s.refuse("the lengths differ for the samples of the batch: name them as an input")
		}
		if lengths[0] == s.in[0].value.Dim(1) {
			return ""
		}
		return s.cast(s.expanded(s.ints64(lengths[0]), []int{len(lengths)}, s.batch), message.Int32)
	}
	return s.cast(s.ints64(lengths...), message.Int32)
}

// initialState returns the state before the first step with one direction in
// front, "" for zeros.
func (s *site) initialState(v autograd.Value, shape []int) string {
	if v.IsZero() {
		return ""
	}
	r := s.operand(v)
	if r.batch.none() && !s.batch.none() {
		r = s.same(r, 0)
		r.name = s.expanded(r.name, shape, s.batch)
	}
	return s.op("Unsqueeze", []string{r.name, s.ints64(0)})
}

// part returns the part of a recurrent operation that a slice takes.
func (s *site) part(o autograd.SliceOptions) string {
	parts, from := s.in[0].parts, s.in[0].value.Shape()
	call := s.Value.Graph().At(s.Inputs[0]).Node().Options().(autograd.RecurrentCall)
	batch, rows := call.X.Dim(0), from[0]
	outputs := rows - (len(parts)-1)*batch
	at := -1
	switch start, count := o.Starts[0], s.shape[0]; {
	case start == 0 && count == outputs:
		at = 0
	case count == batch && start >= outputs && (start-outputs)%batch == 0:
		at = 1 + (start-outputs)/batch
	}
	if at < 0 || s.shape[1] != from[1] || o.Steps[0] != 1 || o.Steps[1] != 1 {
		s.refuse("takes a part of a recurrent operation that is neither its outputs nor a state")
	}
	s.batch = s.in[0].batch
	return parts[at]
}

// unrolled writes a recurrent operation out. Its parts stay apart, since a
// batch is the first axis of each.
func (s *site) unrolled() string {
	for _, r := range s.writeOutAll(unrolled) {
		s.batch, s.parts = r.batch, append(s.parts, r.name)
	}
	return s.op("Concat", s.parts, intAttribute("axis", 0))
}

// unrolled returns what a recurrent operation computes step by step: its
// outputs, [batch·steps, hidden], and the last states.
func unrolled(c call) []autograd.Value {
	o := c.Options().(autograd.RecurrentCall)
	x := c.of(o.X)
	batch, steps, hidden := x.Dim(0), x.Dim(1), c.shape[1]
	cell := cellOf{c, o, hidden}
	zeros := c.g.Full(0, batch, hidden)
	h, state := c.of(o.H), c.of(o.C)
	if h.IsZero() {
		h = zeros
	}
	if state.IsZero() {
		state = zeros
	}
	var mask autograd.Value
	if padded := o.Lengths.Shape() != nil && o.Lengths.Rank() > 0; padded {
		mask = c.longer(o.Lengths, steps)
	}
	ys := make([]autograd.Value, steps)
	for i := range ys {
		step := i
		if o.Reverse {
			step = steps - 1 - i
		}
		nextH, nextC := cell.next(x.Select(1, step), h, state)
		ys[step] = nextH
		if !mask.IsZero() {
			here := mask.Narrow(1, step, 1)
			ys[step], nextH, nextC = autograd.Where(here, nextH, zeros), autograd.Where(here, nextH, h), autograd.Where(here, nextC, state)
		}
		h, state = nextH, nextC
	}
	rows := []autograd.Value{autograd.Stack(1, ys...).Reshape(batch*steps, hidden), h, state}
	return rows[:c.shape[0]/max(batch, 1)-steps+1]
}

type cellOf struct {
	c      call
	o      autograd.RecurrentCall
	hidden int
}

// next is one step of the cell.
func (r cellOf) next(x, h, state autograd.Value) (nextH, nextC autograd.Value) {
	w := r.o.Weights
	p, q := r.sum(x, w.Input, w.InputBias), r.sum(h, w.Hidden, w.HiddenBias)
	gate := func(z autograd.Value, i int) autograd.Value { return z.Narrow(1, i*r.hidden, r.hidden) }
	switch r.c.Op {
	case "lstm":
		z := p.Add(q)
		state = gate(z, 1).Sigmoid().Mul(state).Add(gate(z, 0).Sigmoid().Mul(gate(z, 2).Tanh()))
		return gate(z, 3).Sigmoid().Mul(state.Tanh()), state
	case "gru":
		reset, update := gate(p, 0).Add(gate(q, 0)).Sigmoid(), gate(p, 1).Add(gate(q, 1)).Sigmoid()
		candidate := gate(p, 2).Add(reset.Mul(gate(q, 2))).Tanh()
		return candidate.Add(update.Mul(h.Sub(candidate))), state
	}
	if r.o.ReLU {
		return p.Add(q).ReLU(), state
	}
	return p.Add(q).Tanh(), state
}

func (r cellOf) sum(x, weights, bias autograd.Value) autograd.Value {
	y := x.MatMul(r.c.of(weights))
	if bias.IsZero() {
		return y
	}
	return y.Add(r.c.of(bias))
}
