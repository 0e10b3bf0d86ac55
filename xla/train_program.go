package xla

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"nabla/autograd"
)

// A trainingProgram is the program of a step with inputs of some shapes.
type trainingProgram struct {
	*executable
	tape     *tape
	learned  []*kept  // as far as the optimizer changes them, in order
	observed []*kept  // statistics that it moves
	fixed    []*kept  // Params that it only reads
	kinds    []string // of the optimizer's arrays for each learned Param
	per      int      // numbers of the optimizer for each learned Param and step
	numbers  func(rate, decay float64, steps int, fresh bool) []float64
	frozen   map[*autograd.Param]bool // as it was when the step was recorded
}

// fits reports whether the Params are frozen or not as when the step was
// recorded.
func (p *trainingProgram) fits() bool {
	for param, frozen := range p.frozen {
		if param.Frozen != frozen {
			return false
		}
	}
	return true
}

// program returns the program for inputs of such shapes and an optimizer of
// such settings.
func (t *trainer) program(settings string, inputs []Input, groups []group) (*trainingProgram, error) {
	name := settings + key(inputs)
	for _, p := range t.programs[name] {
		if p.fits() {
			return p, nil
		}
	}
	start := time.Now()
	parts := make([]Input, len(inputs))
	for i, in := range inputs {
		parts[i] = in.part(0, t.devices)
	}
	p, text, err := t.write(parts, inputs, groups)
	if err != nil {
		return nil, err
	}
	t.stats.Recording += time.Since(start)
	start = time.Now()
	if p.executable, err = t.client.compile(text, t.devices); err != nil {
		return nil, err
	}
	t.stats.Compiling += time.Since(start)
	t.stats.Programs++
	t.programs[name] = append(t.programs[name], p)
	return p, nil
}

// A recordedLoss is what a step records, besides what a program gives.
type recordedLoss struct {
	learned  []tapeParam
	observed []observation
	byRows   map[*autograd.Param]bool
	frozen   map[*autograd.Param]bool
}

type observation struct {
	param    *autograd.Param
	id       int
	momentum float64
}

// recorder records loss and gradients. It keeps what the first recording found.
func (t *trainer) recorder(found *recordedLoss) recorder {
	first := true
	return func(g *autograd.Graph, in Inputs) ([]autograd.Value, error) {
		loss := t.training.Loss(g, in)
		if loss.IsZero() || loss.Size() != 1 {
			return nil, notScalar(loss)
		}
		var learned []tapeParam
		var params []autograd.Value
		for n := range loss.Ancestors() {
			if n.Kind == autograd.KindParam && n.NeedsGrad {
				learned, params = append(learned, tapeParam{n.Param, n.ID}), append(params, n.Value)
			}
		}
		if first {
			*found = recordedLoss{learned: learned, byRows: map[*autograd.Param]bool{}, frozen: map[*autograd.Param]bool{}}
			found.passed(g, loss.Backward())
			first = false
		}
		grads := autograd.Grad(loss, params...)
		return append([]autograd.Value{loss}, grads...), nil
	}
}

// passed keeps what only a backward pass tells.
func (found *recordedLoss) passed(g *autograd.Graph, grads autograd.Gradients) {
	for _, p := range found.learned {
		_, _, byRows := grads.Rows(p.param)
		found.byRows[p.param] = byRows
	}
	for n := range g.Nodes() {
		if n.Kind == autograd.KindParam {
			found.frozen[n.Param] = n.Param.Frozen
		}
	}
	for p, o := range grads.Observations() {
		if found.frozen[p] = p.Frozen; p.Frozen {
			continue
		}
		found.observed = append(found.observed, observation{p, nodeWith(g, o.Value), o.Momentum})
	}
}

// nodeWith returns the node whose numbers a tensor shows.
func nodeWith(g *autograd.Graph, t autograd.Tensor) int {
	for n := range g.Nodes() {
		if n.Value.Size() == t.Size() && sharesNumbers(n.Value.View(), t) {
			return n.ID
		}
	}
	panic("xla: internal error: an observation of no node")
}

func sharesNumbers(a, b autograd.Tensor) bool {
	if a.Size() == 0 {
		return slices.Equal(a.Shape(), b.Shape())
	}
	if a.Precision() == autograd.Float32 {
		return &a.Raw32()[0] == &b.Raw32()[0]
	}
	return &a.Raw64()[0] == &b.Raw64()[0]
}

// write writes the program of a step. Its arguments are the inputs, the fixed
// Params, the learned ones, the optimizer's arrays, the statistics, the
// optimizer's numbers and what is drawn; its results the loss, the learned
// Params, the arrays and the statistics.
func (t *trainer) write(parts, inputs []Input, groups []group) (*trainingProgram, string, error) {
	var found recordedLoss
	tape, err := newTape(t.recorder(&found), parts, autograd.Options{Precision: t.training.Precision, Seed: t.training.Seed})
	if err != nil {
		return nil, "", err
	}
	if err := t.wholeDraws(tape, inputs); err != nil {
		return nil, "", err
	}
	rule, err := ruleOf(t.training.Optimizer)
	if err != nil {
		return nil, "", err
	}
	made := &trainingProgram{tape: tape, kinds: rule.kinds, numbers: rule.numbers, per: len(rule.numbers(1, 0, 1, false)), frozen: found.frozen}
	w := &trainingWriter{trainer: t, made: made, found: &found, rule: rule, p: newProgram(t.training.Precision)}
	w.l = tape.lowered(w.p, parts)
	if err := w.arguments(groups); err != nil {
		return nil, "", err
	}
	results, err := w.results()
	if err != nil {
		return nil, "", err
	}
	tape.recorded = nil // its numbers are not needed any more
	return made, w.p.finish(results, t.devices), nil
}

// wholeDraws finds out what is drawn for the batch: it is larger for the whole
// batch than for a device's part.
func (t *trainer) wholeDraws(tp *tape, inputs []Input) error {
	if t.devices == 1 || len(tp.draws) == 0 {
		return nil
	}
	whole, err := record(t.recorder(new(recordedLoss)), inputs, autograd.Options{Precision: t.training.Precision})
	if err != nil {
		return err
	}
	for i := range tp.draws {
		d := &tp.draws[i]
		if d.id >= whole.graph.Stats().Nodes {
			return fmt.Errorf("xla: the step records other operations for a part of the batch")
		}
		n := whole.graph.At(d.id).Node()
		if d.whole = n.Value.Shape(); d.key {
			d.whole = weightsShape(n.Ints)
		}
		cut := slices.Clone(d.whole)
		if len(cut) > 0 && cut[0] != d.shape[0] {
			cut[0] /= t.devices
		}
		if !slices.Equal(cut, d.shape) {
			return fmt.Errorf("xla: a dropout mask of shape %v cannot be cut for %d devices", d.whole, t.devices)
		}
	}
	return nil
}

// A trainingWriter writes the program of a step.
type trainingWriter struct {
	*trainer
	made  *trainingProgram
	found *recordedLoss
	rule  rule
	p     *program
	l     *lowered

	learned []value   // before the step
	arrays  [][]value // by Param and kind
	moved   []value   // statistics
	numbers value     // of the optimizer: [learned, per]
}

// arguments adds all arguments behind the inputs.
func (w *trainingWriter) arguments(groups []group) error {
	var learned []tapeParam
	for _, p := range w.found.learned {
		if g := groupOf(groups, p.param); g == nil || !g.frozen {
			learned = append(learned, p)
		}
	}
	if err := w.distinct(learned); err != nil {
		return err
	}
	if err := w.claim(learned); err != nil {
		return err
	}
	for _, p := range w.made.tape.params {
		if slices.Contains(learned, p) {
			continue
		}
		k, err := w.keep(p.param)
		if err != nil {
			return err
		}
		w.made.fixed = append(w.made.fixed, k)
		w.l.known[p.id] = w.argument(p.param)
	}
	for _, p := range learned {
		k, err := w.keep(p.param)
		if err != nil {
			return err
		}
		if err := w.remember(k, w.rule.kinds); err != nil {
			return err
		}
		w.made.learned = append(w.made.learned, k)
		v := w.argument(p.param)
		w.l.known[p.id] = v
		w.learned = append(w.learned, v)
	}
	for _, p := range learned {
		var arrays []value
		for range w.rule.kinds {
			arrays = append(arrays, w.argument(p.param))
		}
		w.arrays = append(w.arrays, arrays)
	}
	return w.lastArguments()
}

// distinct returns an error if two Params have one name: what an optimizer
// remembers goes by names.
func (w *trainingWriter) distinct(learned []tapeParam) error {
	named := map[string]*autograd.Param{}
	for _, p := range learned {
		name := p.param.Name()
		if other := named[name]; other != nil && other != p.param && w.counts() {
			return fmt.Errorf("xla: two parameters are called %q, and what the optimizer remembers goes by names", name)
		}
		named[name] = p.param
	}
	return nil
}

func (w *trainingWriter) argument(p *autograd.Param) value { return w.p.input(w.p.float, p.Shape()) }

// lastArguments adds the statistics, the optimizer's numbers and what is drawn.
func (w *trainingWriter) lastArguments() error {
	known := map[*autograd.Param]bool{}
	for _, o := range w.found.observed {
		if known[o.param] {
			continue
		}
		known[o.param] = true
		k, err := w.keep(o.param)
		if err != nil {
			return err
		}
		w.made.observed = append(w.made.observed, k)
		w.moved = append(w.moved, w.argument(o.param))
	}
	w.numbers = w.p.input(w.p.float, []int{len(w.learned), w.made.per})
	w.made.tape.drawnInputs(w.l)
	return nil
}

// results writes loss, gradients and update.
func (w *trainingWriter) results() ([]value, error) {
	wanted := []int{w.made.tape.wanted[0].Node().ID}
	for i, p := range w.found.learned {
		if slices.ContainsFunc(w.made.learned, func(k *kept) bool { return k.param == p.param }) {
			wanted = append(wanted, w.made.tape.wanted[1+i].Node().ID)
		}
	}
	for _, o := range w.found.observed {
		wanted = append(wanted, o.id)
	}
	all, err := w.l.results(wanted...)
	if err != nil {
		return nil, err
	}
	for i, v := range all {
		all[i] = w.averaged(v)
	}
	count := len(w.learned)
	loss, grads, observed := all[0].reshape(), all[1:1+count], all[1+count:]
	if w.training.ClipNorm > 0 {
		grads = clipped(grads, w.training.ClipNorm)
	}
	results := []value{loss}
	var arrays []value
	for i, g := range grads {
		now, kept := w.update(i, g)
		results, arrays = append(results, now), append(arrays, kept...)
	}
	results = append(append(results, arrays...), w.follow(observed)...)
	w.alias(len(results) - 1)
	return results, nil
}

// averaged is the mean of what all devices have.
func (w *trainingWriter) averaged(v value) value {
	if w.devices == 1 {
		return v
	}
	return v.overDevices(w.devices).over(float64(w.devices))
}

// overDevices adds up what all devices have.
func (x value) overDevices(devices int) value {
	group := make([]string, devices)
	for i := range group {
		group[i] = fmt.Sprint(i)
	}
	one := typeOf(x.kind, nil)
	return x.p.op(x.kind, x.shape, fmt.Sprintf(`"stablehlo.all_reduce"(%s) <{replica_groups = dense<[[%s]]> : tensor<1x%dxi64>}> ({
^bb0(%%old: %s, %%new: %s):
%%both = stablehlo.add %%old, %%new : %s
stablehlo.return %%both : %s
}) : (%s) -> %s`, x.name, strings.Join(group, ", "), devices, one, one, one, one, x.typ(), x.typ()))
}

// clipped scales gradients down to a norm of all of them together.
func clipped(grads []value, limit float64) []value {
	if len(grads) == 0 {
		return nil
	}
	var most, squares value
	for _, g := range grads {
		greatest := g.abs().reduce("maximum", 0, axesOf(g)...)
		if most.p == nil {
			most = greatest
		} else {
			most = most.max(greatest)
		}
	}
	scale := most.is("EQ", 0).or(most.is("EQ", inf)).pick(most.like(1), most)
	for _, g := range grads {
		share := g.div(scale.expand(g.shape))
		squares = plus(squares, share.mul(share).sum(axesOf(g)...))
	}
	norm := scale.mul(squares.sqrt())
	over := norm.is("GT", limit).and(norm.is("NE", inf))
	factor := over.pick(norm.like(limit).div(norm), norm.like(1))
	all := make([]value, len(grads))
	for i, g := range grads {
		all[i] = g.mul(factor.expand(g.shape))
	}
	return all
}

func axesOf(x value) []int {
	axes := make([]int, len(x.shape))
	for i := range axes {
		axes[i] = i
	}
	return axes
}

// update writes the optimizer's step with learned Param i.
func (w *trainingWriter) update(i int, g value) (value, []value) {
	param, x := w.made.learned[i].param, w.learned[i]
	var numbers []value
	for k := range w.made.per {
		one := w.numbers.cut([]int{i, k}, []int{i + 1, k + 1}, []int{1, 1}).reshape()
		numbers = append(numbers, one.expand(x.shape))
	}
	byRows := w.found.byRows[param]
	now, kept := w.rule.update(x, g, w.arrays[i], numbers, byRows)
	if !byRows {
		return now, kept
	}
	touched := w.touched(param, x.shape)
	now = touched.pick(now, x)
	for k := range kept {
		kept[k] = touched.pick(kept[k], w.arrays[i][k])
	}
	return now, kept
}

// touched says which rows of a table have been looked up: an optimizer leaves
// the others.
func (w *trainingWriter) touched(param *autograd.Param, shape []int) value {
	count := w.p.number(0, shape[:1])
	for _, id := range slices.Sorted(maps.Keys(w.l.calls)) {
		c := w.l.calls[id]
		if c.op != "embedding" || w.l.known[w.l.at(id).Inputs[0]].name != w.learnedValue(param).name {
			continue
		}
		places := c.places()
		count = count.add(w.p.number(1, places.shape).addAlong(0, places, shape[0]))
	}
	if w.devices > 1 {
		count = count.overDevices(w.devices)
	}
	return count.is("GT", 0).spread(shape, []int{0})
}

func (w *trainingWriter) learnedValue(param *autograd.Param) value {
	for i, k := range w.made.learned {
		if k.param == param {
			return w.learned[i]
		}
	}
	return value{}
}

// follow moves the statistics towards what was observed, in order.
func (w *trainingWriter) follow(observed []value) []value {
	now := slices.Clone(w.moved)
	for i, o := range w.found.observed {
		k := slices.IndexFunc(w.made.observed, func(k *kept) bool { return k.param == o.param })
		now[k] = now[k].times(1 - o.momentum).add(observed[i].times(o.momentum))
	}
	return now
}

// alias lets the results behind the loss take the memory of the arguments that
// they replace.
func (w *trainingWriter) alias(count int) {
	first := len(w.made.tape.inputs.values) + len(w.made.fixed)
	for i := range count {
		w.p.aliased[first+i] = 1 + i
	}
}
