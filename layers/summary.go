package layers

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"nabla/autograd"
	"nabla/internal/operations"
)

// Summary returns a table of a model's layers for an input of that shape (the
// batch included): the name of each, the shape of its output, how many numbers
// its Params hold, and how many products its matrix products and convolutions
// sum up. Shared Params count in the first layer that has them. The last lines
// are the totals; how much of it is frozen, if anything is; and how many
// numbers running statistics hold, such as those of a BatchNorm, which count
// nowhere else.
//
//	fmt.Print(layers.Summary(model, 24, 2))
//
// A layer of your own is a row for each scope in which it records, which layers
// open, and then one with the rest: its other Params and products. A scope's
// output is that of the last operation in it.
//
// It panics with an *[autograd.NameError] if two Params have one name, and as
// Forward does if the input does not fit.
func Summary(model Layer, inputShape ...int) string {
	if !isNil(model) {
		autograd.CheckNames("layers: Summary", model.Params()...)
	}
	s := &summary{
		g:       autograd.NewGraph(autograd.Options{NoGrad: true}),
		counted: map[*autograd.Param]bool{},
	}
	x := s.g.Constant(autograd.Zeros(inputShape...))
	if _, ok := asPlaced(model); ok || isNil(model) {
		s.add("", nameFor(model), model, x)
	} else {
		s.layer("", kindOf(model), "", model, x)
	}
	return s.text()
}

type summary struct {
	g       *autograd.Graph
	rows    []summaryRow
	counted map[*autograd.Param]bool

	total, frozen, statistics int
}

type summaryRow struct {
	layer                string
	output               string
	parameters, products int
}

func nameFor(l Layer) string {
	if p, ok := asPlaced(l); ok && !isNil(l) {
		return p.Name()
	}
	return kindOf(l)
}

// add adds the rows of a layer, behind the path of the scopes around it, and
// returns the layer's output.
func (s *summary) add(path, name string, l Layer, x autograd.Value) autograd.Value {
	switch l := l.(type) {
	case *Sequential:
		if l.name != "" {
			path += l.name + "/"
		}
		return s.chain(path, l, x)
	case *Residual:
		return s.residual(path+l.Name(), l, x)
	}
	if p, ok := asPlaced(l); ok {
		return s.layer(path, path+name, p.Name(), l, x)
	}
	s.g.Enter(name)
	defer s.g.Leave()
	return s.layer(path, path+name, name, l, x)
}

func (s *summary) chain(path string, c *Sequential, x autograd.Value) autograd.Value {
	for i, l := range c.layers {
		x = s.add(path, c.names[i], l, x)
	}
	return x
}

func (s *summary) residual(name string, r *Residual, x autograd.Value) autograd.Value {
	y, past := s.chain(name+"/", &r.body, x), x
	if r.shortcut != nil {
		past = s.chain(name+"/", r.shortcut, x)
	}
	y = r.sum(y, past)
	s.rows = append(s.rows, summaryRow{name, fmt.Sprint(y.Shape()), 0, 0})
	return y
}

// layer records a layer and adds a row for each scope in which it did, behind
// a path, and at last one called name for its own scope.
func (s *summary) layer(path, name, own string, l Layer, x autograd.Value) autograd.Value {
	first := s.mark()
	y := l.Forward(x)
	parts := &scopeRows{}
	for id, end := first, s.mark(); id < end; id++ {
		s.node(parts, s.g.At(id).Node())
	}
	last := parts.row(own)
	last.output = fmt.Sprint(y.Shape())
	for _, p := range l.Params() {
		last.parameters += s.count(p)
	}
	for _, row := range parts.rows {
		row.layer = path + row.layer
	}
	last.layer = name
	for _, row := range parts.rows {
		s.rows = append(s.rows, *row)
	}
	return y
}

// mark returns the number of nodes that have been recorded.
func (s *summary) mark() int { return s.g.Scalar(0).Node().ID + 1 }

// node counts a node in the row of its scope.
func (s *summary) node(parts *scopeRows, n autograd.Node) {
	switch n.Kind {
	case autograd.KindParam:
		parts.row(n.Scope).parameters += s.count(n.Param)
	case autograd.KindOperation:
		row := parts.row(n.Scope)
		row.output = fmt.Sprint(n.Value.Shape())
		row.products += s.products(n)
	}
}

// products returns how many products the operation sums up.
func (s *summary) products(n autograd.Node) int {
	switch n.Op {
	case operations.MatMul:
		return n.Value.Size() * s.g.At(n.Inputs[0]).Dim(-1)
	case operations.Conv: // each output sums products with the weights of its channel
		return n.Value.Size() * s.perChannel(n.Inputs[1])
	case operations.ConvTranspose: // each input is multiplied by the weights of its channel
		return s.g.At(n.Inputs[0]).Size() * s.perChannel(n.Inputs[1])
	case operations.LSTM, operations.GRU, operations.RNN: // both matrices in each step
		x := s.g.At(n.Inputs[0])
		return x.Dim(0) * x.Dim(1) * (s.g.At(n.Inputs[1]).Size() + s.g.At(n.Inputs[2]).Size())
	}
	return 0
}

// perChannel returns how many weights there are for each index of their first
// axis.
func (s *summary) perChannel(weights int) int {
	w := s.g.At(weights)
	return w.Size() / max(1, w.Dim(0))
}

// count returns the size of a Param that is no statistic and has not been
// counted before, or 0.
func (s *summary) count(p *autograd.Param) int {
	if s.counted[p] {
		return 0
	}
	s.counted[p] = true
	if p.IsStatistic() {
		s.statistics += p.Size()
		return 0
	}
	s.total += p.Size()
	if p.Frozen {
		s.frozen += p.Size()
	}
	return p.Size()
}

// scopeRows are the rows of scopes, in the order in which they are left.
type scopeRows struct{ rows []*summaryRow }

// row returns the row of a scope, as the last one. It is a new one if another
// scope was entered since the recording was in this one.
func (r *scopeRows) row(scope string) *summaryRow {
	at := len(r.rows) - 1
	for at >= 0 && r.rows[at].layer != scope && isInside(r.rows[at].layer, scope) {
		at--
	}
	if at < 0 || r.rows[at].layer != scope {
		row := &summaryRow{layer: scope}
		r.rows = append(r.rows, row)
		return row
	}
	row := r.rows[at]
	r.rows = append(slices.Delete(r.rows, at, at+1), row)
	return row
}

func isInside(scope, outer string) bool {
	return outer == "" || strings.HasPrefix(scope, outer+"/")
}

// text lays the rows out in columns.
func (s *summary) text() string {
	lines := [][4]string{{"layer", "output", "parameters", "multiply-adds"}}
	products := 0
	for _, r := range s.rows {
		lines = append(lines, [4]string{r.layer, r.output, grouped(r.parameters), grouped(r.products)})
		products += r.products
	}
	lines = append(lines, [4]string{"total", "", grouped(s.total), grouped(products)})
	if s.frozen > 0 {
		lines = append(lines, [4]string{"frozen", "", grouped(s.frozen)})
	}
	if s.statistics > 0 {
		lines = append(lines, [4]string{"statistics", "", grouped(s.statistics)})
	}
	var width [4]int
	for _, line := range lines {
		for i, text := range line {
			width[i] = max(width[i], utf8.RuneCountInString(text))
		}
	}
	var b strings.Builder
	for _, line := range lines {
		text := fmt.Sprintf("%-*s  %-*s  %*s  %*s", width[0], line[0], width[1], line[1], width[2], line[2], width[3], line[3])
		b.WriteString(strings.TrimRight(text, " ") + "\n")
	}
	return b.String()
}

// grouped returns a number with commas between thousands.
func grouped(n int) string {
	digits := strconv.Itoa(n)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}
