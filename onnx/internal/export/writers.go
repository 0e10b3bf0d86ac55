package export

import (
	"nabla/autograd"
	"nabla/onnx/internal/message"
)

// A writer adds the operators for a node and returns the name of the result. It
// returns "" if there is no operator for this case: then the node is written
// out.
type writer = func(s *site) string

// A writtenOut records a node's operation on other inputs, in operations that
// have writers.
type outline = func(c call) autograd.Value

// A call is a node that is written out.
type call struct {
	autograd.Node
	g     *autograd.Graph
	in    []autograd.Value
	shape []int
	site  *site
	refs  map[int]ref
}

// of returns the input that a Value of the node's options stands for.
func (c call) of(v autograd.Value) autograd.Value {
	if v.IsZero() {
		return v
	}
	id := v.Node().ID
	for i, input := range c.Inputs {
		if input == id {
			return c.in[i]
		}
	}
	panic("export: an option that is no input of the node")
}

// constant returns a constant of the operation.
func (c call) constant(i int) float64 { return constantOf(c.Node, i) }

func constantOf(n autograd.Node, i int) float64 {
	if i < len(n.Constants) {
		return n.Constants[i]
	}
	return 0
}

// writeOut writes what an outline records.
func (s *site) writeOut(w outline) string {
	r := s.writeOutAll(func(c call) []autograd.Value { return []autograd.Value{w(c)} })[0]
	s.batch, s.truth, s.parts = r.batch, r.truth, r.parts
	return r.name
}

// writeOutAll is writeOut of several results.
func (s *site) writeOutAll(w func(c call) []autograd.Value) (results []ref) {
	wide := s.single && inDouble[s.Op]
	if wide {
		s.single = false
		defer func() { s.single = true }()
	}
	precision := autograd.Float64
	if s.single {
		precision = autograd.Float32
	}
	refs := map[int]ref{}
	c := call{Node: s.Node, shape: s.shape, site: s, refs: refs, g: autograd.NewGraph(autograd.Options{Precision: precision, NoGrad: true})}
	for _, r := range s.in {
		v := c.g.Constant(r.value.View())
		if wide {
			r.name = s.cast(r.name, message.Double)
		}
		refs[v.Node().ID] = r
		c.in = append(c.in, v)
	}
	ys := w(c)
	s.depth++
	defer func() { s.depth-- }()
	s.walk(ys, refs)
	for _, y := range ys {
		r := refs[y.Node().ID]
		if wide {
			r = ref{name: s.cast(r.name, message.Float), batch: r.batch}
		}
		results = append(results, r)
	}
	return results
}

// inDouble are written out in doubles even in a model of float32, as their
// terms cancel.
var inDouble = map[string]bool{"lgamma": true, "digamma": true, "polygamma": true, "erfc": true, "erfinv": true}

// longer returns a mask of the places that each length reaches, [batch, n]. If
// the lengths are an input of the model, it is computed from them.
func (c call) longer(lengths autograd.Ints, n int) autograd.Value {
	mask := make([]float64, lengths.Size()*n)
	for i := range mask {
		if i%n < lengths.Values()[i/n] {
			mask[i] = 1
		}
	}
	v := c.g.Constant(autograd.NewTensor(mask, lengths.Size(), n))
	s := c.site
	if s.given == nil {
		return v
	}
	places := make([]int, n)
	for i := range places {
		places[i] = i
	}
	ends, b := s.shaped(*s.given, []int{lengths.Size(), 1})
	truth := s.op("Less", []string{s.integers(places, 1, n), ends})
	c.refs[v.Node().ID] = ref{name: s.cast(truth, s.elem()), value: v, batch: b, truth: truth}
	return v
}

// refused are the operations that cannot be written, with the reasons.
var refused = map[string]string{
	"cholesky":         "ONNX has no operator for the Cholesky decomposition",
	"solve":            "ONNX has no operator that solves linear equations",
	"solve triangular": "ONNX has no operator that solves linear equations",
	"solve transposed": "ONNX has no operator that solves linear equations",
	"inverse":          "ONNX has no operator that inverts matrices",
	"cofactor":         "ONNX has no operator that inverts matrices",
	"log det":          "ONNX has no operator for the logarithm of a determinant",
	"det sign":         "ONNX has no operator for the sign of a determinant",
}

// readsInts are the operations whose indices may be an input of the model.
var readsInts = map[string]bool{
	"embedding": true, "index select": true, "index add": true, "gather": true, "scatter add": true, "segment sum": true,
	"lstm": true, "gru": true, "rnn": true, "attention": true,
}

var (
	writers    = map[string]writer{}
	writtenOut = map[string]outline{}
)

// register adds rows to the tables. Writers write out, so that the tables
// cannot be variables with values.
func register[T any](table map[string]T, rows map[string]T) {
	for op, row := range rows {
		if _, twice := table[op]; twice {
			panic("export: two rows for " + op)
		}
		table[op] = row
	}
}

func init() {
	register(writers, elementwiseWriters)
	register(writers, comparisonWriters)
	register(writers, movingWriters)
	register(writers, reductionWriters)
	register(writers, indexWriters)
	register(writers, layerWriters)
	register(writtenOut, elementwiseOutlines)
	register(writtenOut, gradientOutlines)
	register(writtenOut, runningOutlines)
	register(writtenOut, layerOutlines)
	register(writtenOut, imageOutlines)
}
