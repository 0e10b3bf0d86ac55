package layers

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"nabla/autograd"
)

// A Layer is a part of a network: what it does to its input, and the
// parameters that training changes, always in the same order. A layer holds
// nothing of a recording, so that many graphs may use it at once.
type Layer interface {
	Forward(x autograd.Value) autograd.Value
	Params() []*autograd.Param
}

// A placed layer is one of this package, or a part of a network that has more
// inputs than a Layer: it has a name, which what is around it gives when the
// user did not, and opens a scope of that name.
type placed interface {
	Params() []*autograd.Param
	named() *label
	Name() string
	// place names the layer's Params after it, behind the path of the scopes
	// around it.
	place(n *naming, path string)
}

var _ = []placed{(*Dense)(nil), (*Sequential)(nil), (*Residual)(nil), (*Conv)(nil), (*ConvTranspose)(nil), (*function)(nil), (*spatial)(nil), (*prelu)(nil),
	(*Embedding)(nil), (*GraphConv)(nil), (*GraphAttention)(nil), (*BatchNorm)(nil), (*LayerNorm)(nil), (*GroupNorm)(nil), (*InstanceNorm)(nil), (*RMSNorm)(nil),
	(*MultiHeadAttention)(nil), (*TransformerEncoderBlock)(nil), (*TransformerDecoderBlock)(nil), (*SinePositions)(nil), (*LearnedPositions)(nil)}

// asPlaced returns a layer of this package. A struct of the user's in which one
// is embedded has its methods, but is not one: it may hold other layers too.
func asPlaced(l any) (placed, bool) {
	p, ok := l.(placed)
	if !ok {
		return nil, false
	}
	t := reflect.TypeOf(l)
	return p, t.Kind() == reflect.Pointer && t.Elem().PkgPath() == reflect.TypeFor[Dense]().PkgPath()
}

// A label is a layer's name. The zero label is none yet.
type label struct {
	name  string // "dense1", "decoder.hidden"; "" until somebody gives one
	given string // "hidden": what the user called it, "" for nothing
}

func (l *label) named() *label { return l }

// rename gives the layer the name of the fields in which it stands. What the
// user called it stands in place of the last.
func (l *label) rename(fields string) {
	l.name = fields
	if l.given != "" {
		l.name = fields[:strings.LastIndex(fields, ".")+1] + l.given
	}
}

// or returns the name, or the layer's kind until it has one.
func (l *label) or(kind string) string {
	if l.name == "" {
		return kind
	}
	return l.name
}

func userLabel(name string) label { return label{name, name} }

// choose gives the layer, the nth of its kind, a name that is not taken: the
// one it has, with a number if needed.
func (l *label) choose(kind string, nth int, taken map[string]bool) {
	if l.name == "" || l.given == "" && taken[l.name] {
		l.name = free(kind, nth, taken)
	} else if taken[l.name] {
		l.name = free(l.name, 2, taken)
	}
	taken[l.name] = true
}

// free returns the first of base1, base2, …, from number n on, that is not
// taken.
func free(base string, n int, taken map[string]bool) string {
	for taken[fmt.Sprint(base, n)] {
		n++
	}
	return fmt.Sprint(base, n)
}

// kindOf returns what a layer without a name is called: its type's name.
func kindOf(l Layer) string {
	if isNil(l) {
		return "nil"
	}
	if f, ok := l.(interface{ ofKind() string }); ok {
		return f.ofKind()
	}
	t := reflect.TypeOf(l)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Name() == "" {
		return "layer"
	}
	return strings.ToLower(t.Name())
}

// isNil reports whether there is no layer, or a nil pointer to one.
func isNil(l Layer) bool {
	if l == nil {
		return true
	}
	v := reflect.ValueOf(l)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

// enter opens a scope in x's graph, which the caller leaves.
func enter(x autograd.Value, name string) *autograd.Graph {
	x.Rank() // panics when x is of no graph, or of one that was Reset
	g := x.Graph()
	g.Enter(name)
	asInput(x)
	return g
}

// leave closes the scope of a layer. A mistake that the layer's operation found
// gets the layer's name, by which the user knows it.
//
//	g := enter(x, l.Name())
//	defer leave(g, l)
func leave(g *autograd.Graph, l interface{ op() string }) {
	g.Leave()
	switch fault := recover().(type) {
	case nil:
	case *autograd.ShapeError:
		fault.Op = l.op()
		panic(fault)
	case *autograd.ArgumentError:
		fault.Op = l.op()
		panic(fault)
	case *autograd.IndexError:
		fault.Op = l.op()
		panic(fault)
	default:
		panic(fault)
	}
}

// asInput marks a constant that a layer is given as an input of the network,
// for drawings.
func asInput(x autograd.Value) {
	if !x.Graph().Options().Trace {
		return
	}
	if n := x.Node(); n.Kind == autograd.KindConstant && n.Role == autograd.RoleNone {
		x.As(autograd.RoleInput)
	}
}

// Convert converts all Params of a model, a [Layer] or what else has some, to a
// precision, that of the graphs it is for. Call it where the model is made,
// before an optimizer's first step.
//
//	layers.Convert(model, autograd.Float32)
func Convert(model interface{ Params() []*autograd.Param }, precision autograd.Precision) {
	for _, p := range model.Params() {
		p.Convert(precision)
	}
}

// placeAll names the weight and bias of a layer of that name, as far as there
// are any.
func placeAll(n *naming, name string, weight, bias *autograd.Param) {
	if weight != nil {
		n.name(weight, name+".weight")
	}
	if bias != nil {
		n.name(bias, name+".bias")
	}
}

// present returns the Params that are not nil.
func present(params ...*autograd.Param) []*autograd.Param {
	return slices.DeleteFunc(params, func(p *autograd.Param) bool { return p == nil })
}

// recorded returns the Value of a Param, the zero Value of none.
func recorded(g *autograd.Graph, p *autograd.Param) autograd.Value {
	if p == nil {
		return autograd.Value{}
	}
	return g.Param(p)
}

// unique returns the Params in order, each once. It overwrites the slice.
func unique(params []*autograd.Param) []*autograd.Param {
	seen := make(map[*autograd.Param]bool, len(params))
	return slices.DeleteFunc(params, func(p *autograd.Param) bool {
		again := seen[p]
		seen[p] = true
		return again
	})
}
