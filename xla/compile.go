package xla

import (
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/gomlx/go-xla/pjrt"

	"nabla/autograd"
)

// A Function is a step that a client runs: see [Compile].
type Function struct {
	*function
}

type function struct {
	client  *Client
	step    recorder
	options autograd.Options

	mu       sync.Mutex
	programs map[string]*functionProgram
	params   map[*autograd.Param]*held
	random   *random
	stats    Stats
	closed   bool
}

// A held is a Param's numbers on the device.
type held struct {
	version uint64
	buffer  *pjrt.Buffer
}

type functionProgram struct {
	*executable
	tape    *tape
	results [][]int
}

// Stats say what compiling has cost.
type Stats struct {
	Programs  int           // compiled so far: one for each list of the inputs' shapes
	Recording time.Duration // of recording the step for them, and writing the programs
	Compiling time.Duration // of the plugin's work
}

// Compile makes a function of a step: a recording of its Values, which gives
// some of them. The function gives their numbers for other inputs. It has the
// numbers of the Params as they are at each call; what it changes of them is
// nothing.
//
//	predict := xla.Compile(client, func(g *autograd.Graph, in xla.Inputs) []autograd.Value {
//		return []autograd.Value{model.Forward(in.Value(0))}
//	}, autograd.Options{Eval: true})
//
// Of the options, Precision, Eval, NoGrad and Seed count. In training mode
// Dropout draws as the library does: from the Seed on, and on from call to
// call.
//
// Nothing is compiled before the first call, and again for each new list of the
// inputs' shapes: programs have fixed ones. The step is recorded several times
// then, with other numbers in the inputs and Params, to find what depends on
// them: so it must do nothing but record, and nothing else may read or write
// the Params meanwhile.
func Compile(c *Client, step func(g *autograd.Graph, in Inputs) []autograd.Value, o autograd.Options) *Function {
	f := &function{
		client:   c,
		step:     func(g *autograd.Graph, in Inputs) ([]autograd.Value, error) { return step(g, in), nil },
		options:  autograd.Options{Precision: o.Precision, Eval: o.Eval, NoGrad: o.NoGrad, Seed: o.Seed},
		programs: map[string]*functionProgram{},
		params:   map[*autograd.Param]*held{},
		random:   newRandom(o.Precision, o.Seed),
	}
	made := &Function{f}
	runtime.AddCleanup(made, func(f *function) { _ = f.close() }, f)
	return made
}

// Call returns the step's results for the inputs. It may be called from many
// goroutines, and serves one after the other.
//
// It returns an error if an input has an index out of range, if the step cannot
// be recorded or compiled (an [*UnsupportedError] names the operation), or if
// the plugin fails.
func (f *Function) Call(inputs ...Input) ([]autograd.Tensor, error) {
	defer runtime.KeepAlive(f)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, errors.New("xla: the function is closed")
	}
	if err := f.client.enter(); err != nil {
		return nil, err
	}
	defer f.client.leave()
	for i, in := range inputs {
		if err := in.check(i); err != nil {
			return nil, err
		}
	}
	p, err := f.program(inputs)
	if err != nil {
		return nil, err
	}
	return f.run(p, inputs)
}

// Stats returns what compiling has cost so far.
func (f *Function) Stats() Stats {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stats
}

// Close frees what the function holds on the device.
func (f *Function) Close() error { return f.close() }

func (f *function) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil
	}
	f.closed = true
	if f.client.enter() != nil {
		return nil // the client has freed all
	}
	defer f.client.leave()
	var all error
	for _, p := range f.programs {
		all = errors.Join(all, p.close())
	}
	for _, h := range f.params {
		all = errors.Join(all, h.buffer.Destroy())
	}
	return all
}

// program returns the program for inputs of such shapes.
func (f *function) program(inputs []Input) (*functionProgram, error) {
	if p := f.programs[key(inputs)]; p != nil {
		return p, nil
	}
	start := time.Now()
	t, err := newTape(f.step, inputs, f.options)
	if err != nil {
		return nil, err
	}
	p := newProgram(f.options.Precision)
	l := t.lowered(p, inputs)
	ids := make([]int, len(t.wanted))
	made := &functionProgram{tape: t}
	for i, v := range t.wanted {
		ids[i] = v.Node().ID
		made.results = append(made.results, v.Shape())
	}
	for _, param := range t.params {
		l.known[param.id] = p.input(p.float, param.param.Shape())
	}
	t.drawnInputs(l)
	results, err := l.results(ids...)
	if err != nil {
		return nil, err
	}
	if len(results) == 0 {
		return nil, errors.New("xla: the step gives no Value")
	}
	text := p.finish(results, 1)
	f.stats.Recording += time.Since(start)
	start = time.Now()
	if made.executable, err = f.client.compile(text, 1); err != nil {
		return nil, err
	}
	f.stats.Compiling += time.Since(start)
	f.stats.Programs++
	t.recorded = nil // its numbers are not needed any more
	f.programs[key(inputs)] = made
	return made, nil
}

// lowered begins a program with the inputs as its first arguments.
func (t *tape) lowered(p *program, inputs []Input) *lowered {
	l := newLowered(p, func(id int) node { return nodeOf(t.graph, id) })
	ints := make([]value, len(inputs))
	for i, in := range inputs {
		if in.isInts() {
			ints[i] = p.input("i32", in.shape())
		} else {
			l.known[t.inputs.values[i].Node().ID] = p.input(p.float, in.shape())
		}
	}
	for id, f := range t.indices {
		l.indices[id] = &index{input: ints[f.input], of: f.of, a: f.a, b: f.b}
	}
	for id, attention := range t.dropped {
		l.dropped[id] = attention
	}
	for _, id := range slices.Sorted(maps.Keys(t.oneHots)) { // the same text each time
		o := t.oneHots[id]
		l.known[id] = oneHotOf(ints[o.input], o.axis, nodeOf(t.graph, id).Shape)
	}
	return l
}

// oneHotOf is 1 where the place along an axis is the label.
func oneHotOf(labels value, axis int, shape []int) value {
	classes := labels.p.iota(shape, axis)
	at := labels.convert("i64").reshape(without(shape, []int{axis})...).kept(shape, axis)
	return classes.compare("EQ", at).asNumbers()
}

// drawnInputs adds what is drawn at random to the arguments.
func (t *tape) drawnInputs(l *lowered) {
	for _, d := range t.draws {
		if d.key {
			l.keys[d.id] = l.p.input("ui64", []int{2})
		} else {
			l.known[d.id] = l.p.input(l.p.float, d.shape)
		}
	}
}

// run gives the program its arguments and reads what it returns.
func (f *function) run(p *functionProgram, inputs []Input) ([]autograd.Tensor, error) {
	var temporary, arguments []*pjrt.Buffer
	defer func() { destroy(temporary) }()
	for _, in := range inputs {
		b, err := f.client.putInput(in, f.options.Precision, 0)
		if err != nil {
			return nil, err
		}
		temporary, arguments = append(temporary, b), append(arguments, b)
	}
	for _, param := range p.tape.params {
		b, err := f.hold(param.param)
		if err != nil {
			return nil, err
		}
		arguments = append(arguments, b)
	}
	for _, d := range f.random.draw(p.tape.draws) {
		b, err := f.client.putDrawn(d, 0, 1)
		if err != nil {
			return nil, err
		}
		temporary, arguments = append(temporary, b), append(arguments, b)
	}
	results, err := p.executable.run(arguments, nil)
	if err != nil {
		return nil, err
	}
	defer destroy(results)
	all := make([]autograd.Tensor, len(results))
	for i, b := range results {
		all[i] = autograd.Zeros(p.results[i]...).In(f.options.Precision)
		if err := read(b, all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// hold returns a Param's numbers on the device, as they are now.
func (f *function) hold(p *autograd.Param) (*pjrt.Buffer, error) {
	h := f.params[p]
	if h != nil && h.version == p.Version() {
		return h.buffer, nil
	}
	b, err := f.client.putTensor(p.Tensor().In(f.options.Precision), 0)
	if err != nil {
		return nil, err
	}
	if h != nil {
		destroy([]*pjrt.Buffer{h.buffer})
	}
	f.params[p] = &held{p.Version(), b}
	return b, nil
}

// putInput copies an input to a device, in the precision of the step.
func (c *client) putInput(in Input, precision autograd.Precision, device int) (*pjrt.Buffer, error) {
	if in.isInts() {
		return c.putInts(in.ints.Values(), in.ints.Shape(), device)
	}
	return c.putTensor(in.tensor.In(precision), device)
}

// notScalar says that a loss is not one number.
func notScalar(v autograd.Value) error {
	return fmt.Errorf("xla: the loss has shape %v, want one number", v.Shape())
}
