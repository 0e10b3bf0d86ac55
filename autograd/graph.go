package autograd

import (
	"math/rand/v2"
	"unsafe"

	"nabla/internal/kernel"
)

// The life of a recording
//
// A first reading of the package is six files: graph, value, rule, backward,
// grad and gradients. They do this:
//
//	z := w.Mul(x)             // record
//	grads := z.Backward()     // the chain rule, from z to the beginning
//	dw := grads.Of(w)         // what it found
//	dz := Grad(z, w)[0]       // the same, recorded: to be differentiated again
//	g.Reset()                 // forget, and keep the memory
//
// Record: an operation checks its operands, adds a node (record, start), lets a
// kernel compute the node's numbers, and returns its handle (done). A node's
// inputs come before it, so that the order of the nodes is that of the work.
//
// Backward: walks the nodes from the last to the first. When it reaches one,
// the node's gradient is complete; step hands it on, times the local
// derivative, to each input, where such contributions add up. The derivative
// is a kernel's, or the operation's rule: the rule records operations too, into
// scratch nodes behind the recording, which are taken back at once. A buffer
// that a step has used up returns to the pool.
//
// Of: the gradients of leaves, and with Trace all, are kept in a pass.
//
// Grad: runs the same rules, but what they record stays.
//
// Reset: count goes back to 0 and all memory to its start; a new number gen
// makes all handles of the old recording stale.

// Options are the settings of a graph. The zero Options record in float64,
// in training mode, with gradients.
type Options struct {
	Precision   Precision
	Trace       bool   // keep every gradient, each contribution to it, and each node's source line
	CheckFinite bool   // panic with a *NonFiniteError at the first NaN or infinity, forward or backward
	NoGrad      bool   // record no rules: Backward panics. Implies Eval
	Eval        bool   // evaluation mode: Dropout passes its input through
	Profile     bool   // measure time and memory by operation: see [Graph.Profile]
	Seed        uint64 // of the random stream, which runs on over Reset
}

// A Graph is the recording of one forward computation: a list of nodes in the
// order in which they were computed. It owns the memory of all that it
// records. Reset forgets the recording and keeps the memory.
//
// A Graph serves one goroutine at a time. Graphs on different goroutines never
// disturb each other.
type Graph struct {
	options Options
	single  bool   // Float32
	watch   bool   // Trace, CheckFinite or Profile: each node is looked at once it is computed
	wanted  flags  // needsGrad while what is recorded can have a gradient, else 0
	count   int32  // nodes recorded
	gen     uint32 // the recording's number; its Values carry it
	current uint32 // what new Values carry: gen, or the number of the backward pass under way
	clock   uint32 // numbers given out so far
	chunks  []*[chunkSize]node

	memory memory
	shapes arena[shape]
	ints   arena[int]
	extras arena[extra]
	ids    arena[int32]

	leaves   []int32 // the nodes of variables and parameters
	observed []observation
	found    []foundInts
	params   paramTable
	scopes   scopeTable
	random   rand.PCG // the random stream
	work     Workspace

	reverse reverse // the backward pass under way
	passes  []*pass // results of this recording's backward passes, then spare ones
	results int     // how many of passes belong to this recording

	profile *profile // nil without Options.Profile
}

// A foundInts is Ints that were computed from a node: see [Node.TookOf].
type foundInts struct {
	givenInts
	from int32
}

// Nodes are stored in chunks, so that a node never moves.
const (
	chunkBits = 8
	chunkSize = 1 << chunkBits
)

// A node is one recorded value and how it was computed.
type node struct {
	op    *operation
	rule  func(*Rule)
	shape *shape
	data  unsafe.Pointer // the numbers; &one when there is one
	coefficients
	one   float64        // storage of a single number, in the graph's precision
	grad  unsafe.Pointer // in a backward pass: the gradient so far, nil when there is none; &gone when there is one number
	gone  float64        // storage of a single number's gradient
	in    [2]int32       // the first two inputs; a leaf's place in leaves and a parameter's among the slots
	extra *extra         // what few nodes have
	scope int32
	flags flags
	nin   uint16 // number of inputs; tooMany when extra has the list
}

// coefficients are the numbers that an operation was given besides its inputs.
type coefficients struct{ a, b float64 }

// An extra is what few nodes have.
type extra struct {
	name     string
	in       []int32   // all inputs, when there are more than two
	segments []int     // of a segment max
	ints     []int     // axes, permutations, indices, … as the operation defines
	chosen   []int32   // of a max pooling: the places of the greatest elements in their channels; of an embedding with padding: those of the other ids
	kept     []float64 // of a normalization: the statistics, for its rule
	custom   *Operation
	line     Location
	role     Role
	whole    bool         // an embedding whose table gets a gradient of its whole size
	told     [3]int       // what Options needs besides ints, where those hold what was found
	given    [3]givenInts // the Ints that the call had
}

// A givenInts is the memory of Ints that an operation was given, as it keeps a
// copy: see [Node.Took].
type givenInts struct {
	at *int
	n  int
}

type flags uint8

const (
	needsGrad flags = 1 << iota // leads back to a variable or parameter
	scalarOp                    // unary or binary between scalars, with a derivative in scalar form
	isView                      // shares its first input's numbers
	borrowed                    // owns a buffer of the pool
	isLeaf                      // variable or parameter
	inPlace                     // shows the numbers of a Param, itself or as a view
	converted                   // a Param of another precision than the graph's
	usedWhole                   // a Param, of which an operation takes more than some rows
)

// An operation is what all nodes of one kind have in common. Its rule is
// passed where it is recorded: rules call operations, so that a variable that
// held both would refer to itself.
type operation struct {
	name   string // as drawn: "matmul"
	method string // as called: "MatMul"
	unary  *kernel.Unary
	binary *kernel.Binary
	mask   bool       // piecewise constant: there is no gradient
	slope  *operation // gy·f′(x) as an operation of its own: see Rule.slope
}

// NewGraph returns an empty graph.
func NewGraph(options Options) *Graph {
	options.Precision.check("NewGraph")
	g := &Graph{options: options, single: options.Precision == Float32}
	g.options.Eval = options.Eval || options.NoGrad
	g.watch = options.Trace || options.CheckFinite || options.Profile
	if options.Profile {
		g.profile = newProfile()
	}
	if !options.NoGrad {
		g.wanted = needsGrad
	}
	g.random.Seed(options.Seed, 0x6e61626c61)
	g.scopes.reset()
	g.clock, g.gen, g.current = 1, 1, 1
	return g
}

// Options returns the graph's settings.
func (g *Graph) Options() Options { return g.options }

// Training reports whether the graph is in training mode.
func (g *Graph) Training() bool { return !g.options.Eval }

// Reset forgets the recording and keeps the memory. Everything that the graph
// has handed out (Values, views of their numbers, Gradients) is of no use
// afterwards: using it panics with a [*StaleError]. Only String, which must not
// panic, says so instead.
func (g *Graph) Reset() {
	if g.reverse.active {
		panic(&GraphError{"Reset", "a derivative rule may not reset its graph", callSite()})
	}
	g.clock++
	g.gen, g.current = g.clock, g.clock
	if g.profile != nil {
		g.profile.recorded(g.count)
	}
	g.count = 0
	g.memory.reset()
	g.shapes.reset()
	g.ints.reset()
	g.extras.reset()
	g.ids.reset()
	g.leaves = g.leaves[:0]
	g.observed = g.observed[:0]
	clear(g.found)
	g.found = g.found[:0]
	g.params.reset()
	g.scopes.reset()
	g.results = 0
}

func (g *Graph) at(id int32) *node {
	return &g.chunks[id>>chunkBits][id&(chunkSize-1)]
}

// handle returns the Value of the node recorded last.
func (g *Graph) handle() Value { return Value{g, g.count - 1, g.current} }

// record adds a node of up to two inputs and makes room for its numbers, which
// the caller computes before it calls done.
func (g *Graph) record(op *operation, rule func(*Rule), s *shape, in ...Value) *node {
	n := g.open(op, rule, s, in)
	g.allocate(n)
	return n
}

// view adds a node that shares its input's numbers.
func (g *Graph) view(op *operation, rule func(*Rule), s *shape, x Value) *node {
	n := g.open(op, rule, s, []Value{x})
	from := g.at(x.id)
	if s.size == 1 {
		g.put(n, g.first(from.data))
		return n
	}
	n.data = from.data
	n.flags |= isView | from.flags&inPlace
	return n
}

// start adds a node without inputs, whose numbers are up to the caller. Its
// gradient is nil, as that of every node outside a backward pass. It is short
// enough to be inlined, which graphs of single numbers feel.
func (g *Graph) start(op *operation, rule func(*Rule), s *shape) *node {
	if int(g.count)>>chunkBits == len(g.chunks) {
		g.chunks = append(g.chunks, new([chunkSize]node))
	}
	n := g.at(g.count)
	g.count++
	n.op, n.rule, n.shape = op, rule, s
	n.extra = nil
	n.coefficients = coefficients{}
	n.nin, n.flags, n.scope = 0, 0, g.scopes.current
	return n
}

// open adds a node without numbers.
func (g *Graph) open(op *operation, rule func(*Rule), s *shape, in []Value) *node {
	if g.profile != nil {
		g.profile.begin(op)
	}
	var wants flags
	for _, x := range in {
		from := g.at(x.id)
		if from.flags&inPlace != 0 {
			g.unchanged(op.method, from) // may panic: then nothing is recorded
			if op != &opEmbedding && !g.reverse.active {
				from.flags |= usedWhole
			}
		}
		wants |= from.flags
	}
	n := g.start(op, rule, s)
	n.nin = uint16(min(len(in), tooMany))
	for i, x := range in[:min(len(in), len(n.in))] {
		n.in[i] = x.id
	}
	if len(in) > len(n.in) {
		e := g.extraOf(n)
		e.in = g.ids.take(len(in))
		for i, x := range in {
			e.in[i] = x.id
		}
	}
	n.flags = g.inherited(op, wants)
	return n
}

// inherited returns the flags that a node takes over from its inputs.
func (g *Graph) inherited(op *operation, of flags) flags {
	if op.mask {
		return 0
	}
	return of & g.wanted
}

// tooMany is the number of inputs of a node whose extra lists them.
const tooMany = 3

// done ends the recording of the node added last, once its numbers are
// computed.
func (g *Graph) done() Value {
	if g.watch {
		g.look()
	}
	return g.handle()
}

// extraOf returns the extra of a node, and adds one if there is none.
func (g *Graph) extraOf(n *node) *extra {
	if n.extra == nil {
		n.extra = &g.extras.take(1)[0]
		*n.extra = extra{}
	}
	return n.extra
}

// inputs returns the ids of a node's inputs.
func (n *node) inputs() []int32 {
	if n.nin == tooMany {
		return n.extra.in
	}
	return n.in[:n.nin]
}

func (n *node) ints() []int {
	if n.extra == nil {
		return nil
	}
	return n.extra.ints
}

func (n *node) f64() []float64 { return numbers[float64](n) }
func (n *node) f32() []float32 { return numbers[float32](n) }

// numbers returns a node's numbers, which must be of that precision.
func numbers[T kernel.Float](n *node) []T { return slice[T](n.data, n.shape.size) }
