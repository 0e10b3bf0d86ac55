package xla

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"

	"nabla/autograd"
)

// A recording has numbers in it that a program would freeze: the places of a
// lookup, the numbers of a dropout mask, a factor that the step has computed in
// Go. So a step is recorded several times, with other inputs, Parameters and
// random numbers each time. What stays the same becomes a part of the program.
// Of what changes, the integers that follow an input of integers are computed
// from it, one-hot constants too, and dropout masks become inputs. All else is
// an error.

// A recorded is one recording of a step.
type recorded struct {
	graph  *autograd.Graph
	inputs Inputs
	wanted []autograd.Value
}

// A tape is a step as a program can be made of it.
type tape struct {
	*recorded
	precision autograd.Precision
	params    []tapeParam
	indices   map[int]foundIndex // of nodes whose integers follow an input
	oneHots   map[int]oneHot
	dropped   map[int]int // the attentions whose weights constants drop
	draws     []draw
}

type tapeParam struct {
	param *autograd.Param
	id    int
}

// A foundIndex says how integers follow those of an input: a + b times one of
// them.
type foundIndex struct {
	input int
	of    []int
	a, b  []int
}

type oneHot struct{ input, axis int }

// A draw is what a step draws at random: the mask that a dropout multiplies by,
// or the key of the random numbers of an attention.
type draw struct {
	id    int
	key   bool
	shape []int // of the mask, or of the attention's weights
	whole []int // the same for the whole batch, if devices share it; nil: shape
	rate  float64
}

// A recorder records a step and returns the Values that a program is to give.
type recorder func(g *autograd.Graph, in Inputs) ([]autograd.Value, error)

// record records a step.
func record(f recorder, inputs []Input, o autograd.Options) (r *recorded, err error) {
	r = &recorded{graph: autograd.NewGraph(o)}
	failed := autograd.Try(func() {
		r.inputs = inputsOf(r.graph, inputs)
		r.wanted, err = f(r.graph, r.inputs)
	})
	if err = errors.Join(failed, err); err != nil {
		return nil, err
	}
	for i, v := range r.wanted {
		if v.IsZero() || v.Graph() != r.graph {
			return nil, fmt.Errorf("xla: result %d of the step is not a Value of its graph", i)
		}
	}
	return r, nil
}

// newTape records a step and finds out what it depends on.
func newTape(f recorder, inputs []Input, o autograd.Options) (*tape, error) {
	o.Trace = true // for the lines
	first, err := record(f, inputs, o)
	if err != nil {
		return nil, err
	}
	t := &tape{recorded: first, precision: o.Precision, indices: map[int]foundIndex{}, oneHots: map[int]oneHot{}, dropped: map[int]int{}}
	for n := range first.graph.Nodes() {
		if n.Kind == autograd.KindParam {
			if n.NeedsGrad && n.Param.Precision() != o.Precision {
				return nil, fmt.Errorf("xla: parameter %s is %v, the step %v: convert it", n.Param.Name(), n.Param.Precision(), o.Precision)
			}
			t.params = append(t.params, tapeParam{n.Param, n.ID})
		}
	}
	all := []*sample{sampleOf(first, inputs)}
	rng := rand.New(rand.NewPCG(o.Seed, 0x786c61))
	for i, changed := range changedInputs(inputs, rng) {
		o.Trace, o.Seed = false, rng.Uint64()
		substitute(t.params, rng, i, func() {
			var again *recorded
			if again, err = record(f, changed, o); err == nil {
				all = append(all, sampleOf(again, changed))
			}
		})
		if err != nil {
			return nil, fmt.Errorf("xla: the step fails when it is recorded with other numbers: %w", err)
		}
	}
	return t, t.compare(all)
}

// changedInputs returns the inputs of the further recordings: as many as it
// takes to tell the integers of short inputs apart.
func changedInputs(inputs []Input, rng *rand.Rand) (all [][]Input) {
	least := probes
	if slices.ContainsFunc(inputs, Input.isInts) {
		least++
	}
	for probe := 0; probe < least || probe < mostProbes && !toldApart(inputs, all); probe++ {
		changed := make([]Input, len(inputs))
		for k, in := range inputs {
			changed[k] = in.changed(rng, k, probe)
		}
		all = append(all, changed)
	}
	return all
}

// A step is recorded so often again, and once more if there are integers.
// Inputs of more integers than short are told apart by how they lie.
const probes, mostProbes, short = 3, 16, 64

// toldApart reports whether no two integers of short inputs change in the same
// way.
func toldApart(inputs []Input, changed [][]Input) bool {
	known := map[string]bool{}
	for i, in := range inputs {
		if !in.isInts() || in.ints.Size() > short || in.below < 2 {
			continue
		}
		for k := range in.ints.Size() {
			values := []int{in.ints.Values()[k]}
			for _, c := range changed {
				values = append(values, c[i].ints.Values()[k])
			}
			text, _ := changes(values)
			if known[text] {
				return false
			}
			known[text] = true
		}
	}
	return true
}

// changed returns input i with other numbers: exchanged and moved a little, or
// with zeros among them, or with all kinds of numbers.
func (in Input) changed(rng *rand.Rand, i, probe int) Input {
	if in.isInts() {
		in.ints = in.changedInts(rng, i, probe)
	} else {
		in.tensor = changedTensor(in.tensor, rng, probe)
	}
	return in
}

// changedInts returns other integers of input i. In the second and third
// recording each one is the least that there may be, and the greatest: an
// operation that has no room for one of them says so then, as a device would
// not.
func (in Input) changedInts(rng *rand.Rand, i, probe int) autograd.Ints {
	values := slices.Clone(in.ints.Values())
	ends := rand.New(rand.NewPCG(uint64(i), 0x656e6473)) // of both recordings
	for i := range values {
		switch low := ends.IntN(2) == 0; {
		case probe == 0 && in.below > 1: // another one, for certain
			values[i] = (values[i] + 1 + rng.IntN(in.below-1)) % in.below
		case probe == 1 && low, probe == 2 && !low:
			values[i] = 0
		case probe == 1, probe == 2:
			values[i] = in.below - 1
		default:
			values[i] = rng.IntN(in.below)
		}
	}
	return autograd.NewInts(values, in.ints.Shape()...)
}

func changedTensor(t autograd.Tensor, rng *rand.Rand, probe int) autograd.Tensor {
	x := t.Float64s()
	made := make([]float64, len(x))
	for i, from := range rng.Perm(len(x)) {
		made[i] = x[from]*(1+0.1*rng.Float64()) + 0.01*rng.Float64()
		switch {
		case probe == 1 && rng.IntN(2) == 0:
			made[i] = 0
		case probe > 1:
			made[i] = [...]float64{made[i], -made[i], 0, math.Inf(-1), 1, made[i] * 100}[rng.IntN(6)]
		}
	}
	return autograd.NewTensor(made, t.Shape()...).In(t.Precision())
}

// substitute calls f while the Parameters have other numbers.
func substitute(params []tapeParam, rng *rand.Rand, probe int, f func()) {
	if len(params) == 0 {
		f()
		return
	}
	p := params[0].param
	p.Substitute(changedTensor(p.Tensor(), rng, min(probe, 1)), func() { substitute(params[1:], rng, probe, f) })
}

// A sample is what comparing a recording takes.
type sample struct {
	seed   uint64
	nodes  []sampleNode
	inputs []Input
	wanted []int
}

type sampleNode struct {
	node
	param   *autograd.Param
	mask    bool // of a dropout
	chooses bool
	kept    []float64 // what the weights of an attention are multiplied by, if it drops some
	onehot  int       // the axis of a one-hot constant, −1 of any other node
	took    []bool
}

func sampleOf(r *recorded, inputs []Input) *sample {
	s := &sample{seed: r.graph.Options().Seed, inputs: inputs}
	known := map[int]bool{} // inputs are not compared
	for _, v := range r.inputs.values {
		if !v.IsZero() {
			known[v.Node().ID] = true
		}
	}
	for n := range r.graph.Nodes() {
		made := sampleNode{param: n.Param, onehot: -1}
		if known[n.ID] || n.Kind == autograd.KindParam {
			made.node = node{Op: n.Op, Leaf: true, Shape: n.Value.Shape(), Chooser: -1}
		} else {
			made.node = nodeOf(r.graph, n.ID)
		}
		_, made.chooses = choices[n.Op]
		made.kept = keptOf(n)
		switch o := n.Options().(type) {
		case autograd.DropoutMask:
			made.mask = true
		case autograd.OneHotOptions:
			made.onehot = o.Axis
		}
		for i := range r.inputs.ints {
			made.took = append(made.took, inputs[i].isInts() && n.Took(r.inputs.ints[i]))
		}
		s.nodes = append(s.nodes, made)
	}
	for _, v := range r.wanted {
		s.wanted = append(s.wanted, v.Node().ID)
	}
	return s
}

// fixedInts are a node's integers but for the key that an attention has drawn,
// which is an input of the program.
func (n sampleNode) fixedInts() []int {
	if n.kept == nil {
		return n.Ints
	}
	return slices.Concat(n.Ints[:attentionKey], n.Ints[attentionKey+1:])
}

// attentionKey is the place of the key among an attention's integers.
const attentionKey = 12

// compare finds out what changes from recording to recording, and how.
func (t *tape) compare(all []*sample) error {
	first := all[0]
	for _, s := range all[1:] {
		if len(s.nodes) != len(first.nodes) || !slices.Equal(s.wanted, first.wanted) {
			return t.different(first, s)
		}
	}
	for id := range first.nodes {
		if err := t.compareNode(id, all); err != nil {
			return err
		}
	}
	return t.compareDraws(all)
}

// compareDraws makes sure that what a step drew is what the random stream
// gives for it: a mask that is not, such as one from another stream, or from
// this one behind numbers that the step drew for something else, would be
// another one on the device.
func (t *tape) compareDraws(all []*sample) error {
	for _, s := range all {
		for i, d := range newRandom(t.precision, s.seed).draw(t.draws) {
			n := s.nodes[d.id]
			if d.key && d.bits != uint64(n.Ints[attentionKey]) || !d.key && !sameFloats(d.mask.Float64s(), n.Numbers) {
				return t.unsupported(t.draws[i].id, "it is not what dropout draws next from the graph's random stream")
			}
		}
	}
	return nil
}

// different says where two recordings part.
func (t *tape) different(a, b *sample) error {
	for id := range min(len(a.nodes), len(b.nodes)) {
		if a.nodes[id].Op != b.nodes[id].Op || !slices.Equal(a.nodes[id].Shape, b.nodes[id].Shape) {
			return t.unsupported(id, "which operations the step records, or their shapes, depends on its numbers")
		}
	}
	return t.unsupported(min(len(a.nodes), len(b.nodes))-1, "how many operations the step records depends on its numbers")
}

func (t *tape) unsupported(id int, reason string, args ...any) error {
	n := t.graph.At(id).Node()
	return &UnsupportedError{Op: n.Op, Reason: fmt.Sprintf(reason, args...), Location: n.Location}
}

func (t *tape) compareNode(id int, all []*sample) error {
	first := all[0].nodes[id]
	varies, constants := false, false
	for _, s := range all[1:] {
		n := s.nodes[id]
		if n.Op != first.Op || !slices.Equal(n.Shape, first.Shape) || !slices.Equal(n.Inputs, first.Inputs) ||
			n.param != first.param || n.Chooser != first.Chooser {
			return t.unsupported(id, "which operations the step records, or their shapes, depends on its numbers")
		}
		if !sameFloats(n.Constants, first.Constants) || !slices.Equal(n.Told.Segments, first.Told.Segments) {
			return t.unsupported(id, "one of its settings depends on the step's inputs, Params or random numbers, and would be frozen")
		}
		varies = varies || !slices.Equal(n.fixedInts(), first.fixedInts())
		constants = constants || !sameFloats(n.Numbers, first.Numbers)
	}
	if first.kept != nil {
		t.draws = append(t.draws, draw{id: id, key: true, shape: weightsShape(first.Ints)})
	}
	switch {
	case constants, first.mask:
		return t.changingConstant(id, all)
	case varies && first.chooses, first.Chooser >= 0: // the program makes the choice
		return nil
	case varies:
		return t.changingInts(id, all)
	}
	return nil
}

// changingConstant makes an input of a dropout mask, and a comparison of a
// one-hot constant.
func (t *tape) changingConstant(id int, all []*sample) error {
	first := all[0].nodes[id]
	if first.onehot >= 0 {
		if input := slices.Index(first.took, true); input >= 0 {
			t.oneHots[id] = oneHot{input, first.onehot}
			return nil
		}
	}
	if attention, ok := droppedBy(id, all); ok {
		t.dropped[id] = attention
		return nil
	}
	if !first.mask {
		return t.unsupported(id, "the numbers of a constant of shape %v depend on the step's inputs, Params or random numbers, and would be frozen: make it an input", first.Shape)
	}
	if sizeOf(first.Shape) == 0 {
		t.draws = append(t.draws, draw{id: id, shape: first.Shape})
		return nil
	}
	for _, s := range all {
		for _, kept := range s.nodes[id].Numbers {
			if kept != 0 {
				t.draws = append(t.draws, draw{id: id, shape: first.Shape, rate: rateOf(kept, t.precision)})
				return nil
			}
		}
	}
	return t.unsupported(id, "a dropout of shape %v keeps nothing in %d recordings, which does not tell its rate: another Seed may", first.Shape, len(all))
}

// rateOf returns the rate of a dropout that multiplies by kept what it keeps:
// the shortest number that gives it.
func rateOf(kept float64, precision autograd.Precision) float64 {
	near := 1 - 1/kept
	for digits := 1; digits < 17; digits++ {
		rate, _ := strconv.ParseFloat(strconv.FormatFloat(near, 'g', digits, 64), 64)
		factor := 1 / (1 - rate)
		if precision == autograd.Float32 {
			factor = float64(float32(factor))
		}
		if factor == kept {
			return rate
		}
	}
	return near
}

// changingInts finds the input that a node's integers follow: one that it was
// given, if it was given one as it is.
func (t *tape) changingInts(id int, all []*sample) error {
	if !slices.Contains(readsIndex, all[0].nodes[id].Op) {
		return t.unsupported(id, "its integers depend on the step's inputs or random numbers, and would be frozen")
	}
	took := all[0].nodes[id].took
	for input, in := range all[0].inputs {
		if !in.isInts() || slices.Contains(took, true) && !took[input] {
			continue
		}
		if found, ok := follow(id, input, all); ok {
			t.indices[id] = found
			return nil
		}
	}
	return t.unsupported(id, "its integers depend on the step's inputs or random numbers in a way that is not known, and would be frozen")
}

// follow tries to write a node's integers as a + b times integers of an input:
// those at the same places, or at others.
func follow(id, input int, all []*sample) (f foundIndex, ok bool) {
	count, size := len(all[0].nodes[id].Ints), all[0].inputs[input].ints.Size()
	f = foundIndex{input: input, of: make([]int, count), a: make([]int, count), b: make([]int, count)}
	given := func(k int) []int {
		return each(all, func(s *sample) int { return s.inputs[input].ints.Values()[k] })
	}
	places := map[string][]int{} // of the input's integers, by how they change
	for k := range size {
		steps, _ := changes(given(k))
		places[steps] = append(places[steps], k)
	}
	last := -1
	for j := range count {
		here := each(all, func(s *sample) int { return s.nodes[id].Ints[j] })
		steps, unit := changes(here)
		if unit == 0 {
			f.a[j] = here[0]
			continue
		}
		switch like := places[steps]; {
		case count == size && slices.Contains(like, j):
			last = j
		case slices.Contains(like, last+1):
			last++
		case len(like) == 1:
			last = like[0]
		default:
			return f, false
		}
		from := given(last)
		_, fromUnit := changes(from)
		if unit%fromUnit != 0 {
			return f, false
		}
		f.of[j], f.b[j] = last, unit/fromUnit
		f.a[j] = here[0] - f.b[j]*from[0]
	}
	return f, true
}

func each(all []*sample, of func(s *sample) int) []int {
	values := make([]int, len(all))
	for i, s := range all {
		values[i] = of(s)
	}
	return values
}

// changes returns how an integer changes from recording to recording, in units
// that are the same for all that follow it.
func changes(values []int) (text string, unit int) {
	for _, v := range values {
		unit = gcd(unit, v-values[0])
	}
	first := slices.IndexFunc(values, func(v int) bool { return v != values[0] })
	if first < 0 {
		return "", 0
	}
	if values[first] < values[0] {
		unit = -unit
	}
	for _, v := range values[1:] {
		text += strconv.Itoa((v-values[0])/unit) + " "
	}
	return text, unit
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return max(a, -a)
}
