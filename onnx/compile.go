package onnx

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"nabla/onnx/internal/message"
)

// newestOpset is the version of ONNX's operators that the table was written
// for. A later one may have changed what an operator does.
const newestOpset = 28

// Limits of what is compiled, beside those of package message.
const (
	maxNodes = 1 << 18 // with those of functions, at each of their calls
	maxCalls = 32      // of functions, one inside the other
)

// A program is a graph of the file, or the body of a function, made ready to
// run: names have become places in a frame.
type program struct {
	inputs  []port
	outputs []place
	names   []string // of the outputs
	types   []*message.Type
	nodes   []*node
	initial []initial
	slots   int
	parent  *program // in whose frame a subgraph's outer names are
	defined map[string]int
}

// A place is where a name is found: a slot in the frame that many programs
// further out. The place of an input that is left out has the slot −1.
type place struct{ out, slot int }

// initial is a constant or Param that a program begins with.
type initial struct {
	slot  int
	datum datum
}

// A port is an input of a graph.
type port struct {
	name       string
	slot       int
	typ        *message.Type
	hasDefault bool // an initializer stands in for it
}

// A node is an operator's call.
type node struct {
	op, domain string
	version    int64 // in which the operator got its present meaning
	opset      int64
	label      string // in messages
	scope      []string
	in         []place
	out        []int // −1: left out
	run        func(c *call)

	source
}

// A source is what a node is compiled from.
type source struct {
	message  *message.Node
	compiler *compiler
	program  *program
	used     map[string]bool
	bound    map[string]*message.Attribute // of the function whose body it is in
}

// A compiler makes programs of the graphs of one file.
type compiler struct {
	model       *message.Model
	limit       int // of the elements that a tensor may have
	opsets      map[string]int64
	outside     *external
	functions   map[functionName]*message.Function
	calls       []functionName // that are being compiled, one inside the other
	nodes       int
	depth       int
	unsupported []Unsupported
	decoded     map[*message.Tensor]datum // each once, however often a function is called
	uses        map[*array]use
	later       map[*array]*message.Tensor // initializers that are not decoded yet
}

type functionName struct{ domain, name, overload string }

// A use says how operators read an initializer.
type use uint8

const (
	usedAsNumbers   use = 1 << iota
	usedAsSetting       // read as numbers beside the graph
	usedAsState         // of a recurrent network
	usedAsStatistic     // running mean or variance
)

func newCompiler(m *message.Model, outside *external, limit int) (*compiler, error) {
	c := &compiler{model: m, limit: limit, outside: outside, functions: map[functionName]*message.Function{}, decoded: map[*message.Tensor]datum{}, uses: map[*array]use{}, later: map[*array]*message.Tensor{}}
	var err error
	if c.opsets, err = opsetsOf(m.Opsets); err != nil {
		return nil, err
	}
	for _, f := range m.Functions {
		name := functionName{canonical(f.Domain), f.Name, f.Overload}
		if c.functions[name] != nil {
			return nil, fmt.Errorf("function %s.%s is defined twice", f.Domain, f.Name)
		}
		c.functions[name] = f
	}
	return c, nil
}

// canonical returns a domain, of which that of ONNX itself has two names.
func canonical(domain string) string {
	if domain == "ai.onnx" {
		return ""
	}
	return domain
}

func opsetsOf(list []message.Opset) (map[string]int64, error) {
	opsets := map[string]int64{}
	for _, o := range list {
		domain := canonical(o.Domain)
		if v, ok := opsets[domain]; ok && v != o.Version {
			return nil, fmt.Errorf("the operators of domain %q are imported in versions %d and %d", o.Domain, v, o.Version)
		}
		opsets[domain] = o.Version
	}
	return opsets, nil
}

// graph compiles a graph, inside of a program or on its own.
func (c *compiler) graph(g *message.Graph, parent *program, bound map[string]*message.Attribute) (*program, error) {
	if g == nil {
		return nil, errors.New("there is no graph")
	}
	if c.depth++; c.depth > message.MaxDepth {
		return nil, fmt.Errorf("graphs inside graphs, more than %d deep", message.MaxDepth)
	}
	defer func() { c.depth-- }()
	p := &program{parent: parent, defined: map[string]int{}}
	if err := c.initializers(p, g); err != nil {
		return nil, err
	}
	if err := p.addInputs(g.Inputs); err != nil {
		return nil, err
	}
	if err := c.body(p, g.Nodes, bound); err != nil {
		return nil, err
	}
	for _, o := range g.Outputs {
		p.names = append(p.names, o.Name)
		p.types = append(p.types, o.Type)
	}
	return p, p.finish()
}

func (c *compiler) initializers(p *program, g *message.Graph) error {
	for _, t := range g.Initializers {
		d, err := c.initializer(t, p.parent == nil)
		if err != nil {
			return err
		}
		if isVast(d.shape(), c.limit) {
			return fmt.Errorf("tensor %q has the shape %v: see ImportOptions.MaxElements", t.Name, d.shape())
		}
		slot, err := p.define(t.Name)
		if err != nil {
			return err
		}
		p.initial = append(p.initial, initial{slot, d})
	}
	for _, t := range g.SparseInitializers {
		name := ""
		if t.Values != nil {
			name = t.Values.Name
		}
		if _, err := p.define(name); err != nil {
			return err
		}
		c.unsupported = append(c.unsupported, Unsupported{Op: "sparse_initializer", Opset: c.opsets[""], Node: name, Reason: "sparse tensors"})
	}
	return nil
}

// initializer returns an initializer. The numbers of those of the main graph
// are decoded once it is known what they are, so that they are held once.
func (c *compiler) initializer(t *message.Tensor, main bool) (datum, error) {
	if !main || !isFloat(t.Elem) {
		return c.decode(t)
	}
	shape, err := dimensions(t.Dims)
	if err != nil {
		return datum{}, fmt.Errorf("tensor %q: %w", t.Name, err)
	}
	d := datum{elem: t.Elem, host: &array{shape: shape}}
	c.later[d.host] = t
	return d, nil
}

// decode returns a tensor of the file. One of a type that is not supported is
// noted, and is empty.
func (c *compiler) decode(t *message.Tensor) (datum, error) {
	if d, ok := c.decoded[t]; ok {
		return d, nil
	}
	if !isFloat(t.Elem) && !isInteger(t.Elem) && t.Elem != message.Bool && t.Elem != message.String {
		if t.Elem == message.ElemUndefined {
			return datum{}, fmt.Errorf("tensor %q has no type of elements", t.Name)
		}
		c.unsupported = append(c.unsupported, Unsupported{Op: "tensor", Opset: c.opsets[""], Node: t.Name, Reason: elemName(t.Elem)})
		return ofInts(t.Elem, nil, 0), nil
	}
	d, err := decodeTensor(t, c.outside)
	if err == nil {
		c.decoded[t] = d
	}
	return d, err
}

// addInputs defines the inputs. One that an initializer defines already has it
// as its default.
func (p *program) addInputs(infos []*message.ValueInfo) error {
	seen := map[string]bool{}
	for _, info := range infos {
		if seen[info.Name] {
			return fmt.Errorf("two inputs are called %q", info.Name)
		}
		seen[info.Name] = true
		slot, ok := p.defined[info.Name]
		if !ok {
			var err error
			if slot, err = p.define(info.Name); err != nil {
				return err
			}
		}
		p.inputs = append(p.inputs, port{info.Name, slot, info.Type, ok})
	}
	return nil
}

// define gives a name a slot. Each name is defined once.
func (p *program) define(name string) (int, error) {
	if name == "" {
		return 0, errors.New("something has no name")
	}
	if _, ok := p.defined[name]; ok {
		return 0, fmt.Errorf("%q is defined twice", name)
	}
	p.defined[name] = p.slots
	p.slots++
	return p.slots - 1, nil
}

// find returns the place of a name.
func (p *program) find(name string) (place, bool) {
	for out := 0; p != nil; out++ {
		if slot, ok := p.defined[name]; ok {
			return place{out, slot}, true
		}
		p = p.parent
	}
	return place{}, false
}

// finish finds the outputs.
func (p *program) finish() error {
	for _, name := range p.names {
		at, ok := p.find(name)
		if !ok {
			return fmt.Errorf("output %q is not computed", name)
		}
		p.outputs = append(p.outputs, at)
	}
	return nil
}

// body compiles nodes.
func (c *compiler) body(p *program, nodes []*message.Node, bound map[string]*message.Attribute) error {
	for _, m := range inOrder(nodes) {
		if c.nodes++; c.nodes > maxNodes {
			return fmt.Errorf("more than %d nodes, with those of functions at each call", maxNodes)
		}
		n := &node{op: m.Op, domain: canonical(m.Domain), label: labelOf(m), scope: scopeOf(m), source: source{m, c, p, map[string]bool{}, bound}}
		n.opset = c.opsets[n.domain]
		if err := n.connect(); err != nil {
			return fmt.Errorf("node %q: %w", n.label, err)
		}
		if err := n.compile(); err != nil {
			return fmt.Errorf("node %q: %w", n.label, err)
		}
		n.source = source{} // which would keep the whole file in memory
		p.nodes = append(p.nodes, n)
	}
	return nil
}

// labelOf returns what messages call a node.
func labelOf(m *message.Node) string {
	if m.Name != "" {
		return m.Name
	}
	for _, o := range m.Outputs {
		if o != "" {
			return o
		}
	}
	return ""
}

// connect finds the inputs and defines the outputs.
func (n *node) connect() error {
	for _, name := range n.message.Inputs {
		at := place{slot: -1}
		if name != "" {
			var ok bool
			if at, ok = n.program.find(name); !ok {
				return fmt.Errorf("input %q is not computed before it is used: it is missing, or the graph has a cycle", name)
			}
		}
		n.in = append(n.in, at)
	}
	for _, name := range n.message.Outputs {
		slot := -1
		if name != "" {
			var err error
			if slot, err = n.program.define(name); err != nil {
				return err
			}
		}
		n.out = append(n.out, slot)
	}
	return nil
}

// compile finds the node's operator, or function, and reads its attributes.
func (n *node) compile() error {
	c := n.compiler
	if f := c.functions[functionName{n.domain, n.op, n.message.Overload}]; f != nil {
		return n.function(f)
	}
	op, ok := operatorOf(n.domain, n.op)
	if !ok {
		n.unsupported("")
		return nil
	}
	if n.opset == 0 {
		return fmt.Errorf("the file does not import the operators of domain %q", n.message.Domain)
	}
	if n.version = op.version(n.opset); n.version == 0 {
		n.unsupported(fmt.Sprintf("it is known from opset %d to %d", op.versions[0], newestOpset))
		return nil
	}
	if err := n.count(op); err != nil {
		return err
	}
	run, err := n.build(op)
	if err != nil {
		return err
	}
	n.run = run
	n.noteUses()
	return nil
}

// count returns an error unless there are as many inputs and outputs as the
// operator has.
func (n *node) count(op operator) error {
	if have := len(n.in); have < op.least || op.most >= 0 && have > op.most {
		return fmt.Errorf("%s has %d inputs, which is not from %d to %d", n.op, have, op.least, op.most)
	}
	for i, at := range n.in[:op.least] {
		if at.slot < 0 {
			return fmt.Errorf("%s needs its input %d", n.op, i)
		}
	}
	if have := len(n.out); have == 0 || op.outputs >= 0 && have > op.outputs {
		return fmt.Errorf("%s has %d outputs, which is not from 1 to %d", n.op, have, op.outputs)
	}
	return nil
}

// An attributeError is the panic by which a wrong attribute ends a builder.
type attributeError struct{ error }

// build reads the attributes, all of which the operator has to know.
func (n *node) build(op operator) (run func(*call), err error) {
	defer func() {
		if fault, ok := recover().(attributeError); ok {
			err = fault.error
		}
	}()
	run = op.build(n)
	for _, a := range n.message.Attributes {
		if !n.used[a.Name] {
			n.unsupported(fmt.Sprintf("attribute %q", a.Name))
		}
	}
	return run, nil
}

// unsupported notes that something about the node has no counterpart.
func (n *node) unsupported(reason string) {
	n.compiler.unsupported = append(n.compiler.unsupported, Unsupported{n.op, n.domain, n.opset, n.label, reason})
}

// noteUses notes that the inputs that no builder has called settings are read
// as numbers.
func (n *node) noteUses() {
	for i := range n.in {
		if d := n.initializer(i); d != nil && n.compiler.uses[d]&(usedAsSetting|usedAsState|usedAsStatistic) == 0 {
			n.compiler.uses[d] |= usedAsNumbers
		}
	}
}

// initializer returns the initializer that an input is, or nil.
func (n *node) initializer(i int) *array {
	if i >= len(n.in) || n.in[i].slot < 0 {
		return nil
	}
	p := n.program
	for range n.in[i].out {
		p = p.parent
	}
	// Initializers have the first slots.
	if slot := n.in[i].slot; slot < len(p.initial) && p.initial[slot].slot == slot {
		return p.initial[slot].datum.host
	}
	return nil
}

// reads says how the operator reads some inputs, beside their numbers being
// used in the graph.
func (n *node) reads(as use, inputs ...int) {
	for _, i := range inputs {
		if d := n.initializer(i); d != nil {
			n.compiler.uses[d] |= as
		}
	}
}

// function compiles a call of one of the file's functions: its body, with the
// attributes of this call.
func (n *node) function(f *message.Function) error {
	c := n.compiler
	name := functionName{n.domain, n.op, n.message.Overload}
	if slices.Contains(c.calls, name) {
		return fmt.Errorf("function %s.%s calls itself", f.Domain, f.Name)
	}
	if len(c.calls) >= maxCalls {
		return fmt.Errorf("functions call functions, more than %d deep", maxCalls)
	}
	if len(n.in) > len(f.Inputs) || len(n.out) > len(f.Outputs) {
		return fmt.Errorf("function %s.%s has %d inputs and %d outputs, not %d and %d", f.Domain, f.Name, len(f.Inputs), len(f.Outputs), len(n.in), len(n.out))
	}
	bound, err := n.bind(f)
	if err != nil {
		return err
	}
	opsets, err := opsetsOf(f.Opsets)
	if err != nil {
		return err
	}
	outer := c.opsets
	c.opsets, c.calls = opsets, append(c.calls, name)
	defer func() { c.opsets, c.calls = outer, c.calls[:len(c.calls)-1] }()
	p := &program{defined: map[string]int{}, names: f.Outputs}
	if err := p.addParameters(f.Inputs); err != nil {
		return err
	}
	if err := c.body(p, f.Nodes, bound); err != nil {
		return err
	}
	if err := p.finish(); err != nil {
		return err
	}
	n.run = func(call *call) { call.function(p) }
	n.noteUses()
	return nil
}

func (p *program) addParameters(names []string) error {
	for _, name := range names {
		slot, err := p.define(name)
		if err != nil {
			return err
		}
		p.inputs = append(p.inputs, port{name: name, slot: slot})
	}
	return nil
}

// bind returns the attributes that the body of a function refers to.
func (n *node) bind(f *message.Function) (map[string]*message.Attribute, error) {
	bound := map[string]*message.Attribute{}
	for _, a := range f.AttributeDefaults {
		bound[a.Name] = a
	}
	for _, a := range n.message.Attributes {
		if !slices.Contains(f.Attributes, a.Name) && bound[a.Name] == nil {
			return nil, fmt.Errorf("function %s.%s has no attribute %q", f.Domain, f.Name, a.Name)
		}
		if value := n.resolve(a); value != nil {
			bound[a.Name] = value
		}
	}
	return bound, nil
}

// scopeOf returns the scopes that a node belongs to, as exporters note them:
// PyTorch in the node's name, /encoder/linear/Gemm, or in its metadata.
func scopeOf(m *message.Node) []string {
	for _, e := range m.Metadata {
		if e.Key == "pkg.torch.onnx.name_scopes" {
			return torchScopes(e.Value)
		}
	}
	parts := strings.FieldsFunc(m.Name, func(r rune) bool { return r == '/' })
	if len(parts) < 2 || len(parts) > maxScopes {
		return nil
	}
	return parts[:len(parts)-1]
}

// maxScopes bounds how deep the scopes of a node are.
const maxScopes = 16

// torchScopes reads a list in Python, "[”, 'encoder', 'linear', 'addmm']": the
// modules that a call is in, then the call.
func torchScopes(list string) []string {
	var parts []string
	for _, part := range strings.Split(strings.Trim(list, "[]"), ",") {
		if part = strings.Trim(part, " '\""); part != "" {
			parts = append(parts, part)
		}
	}
	if len(parts) < 2 || len(parts) > maxScopes {
		return nil
	}
	// A module's name holds those around it: layers.0, then layers.0.linear1.
	parts = parts[:len(parts)-1]
	for i := len(parts) - 1; i > 0; i-- {
		parts[i] = strings.TrimPrefix(parts[i], parts[i-1]+".")
	}
	return parts
}
