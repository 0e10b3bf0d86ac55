package layers

import (
	"slices"

	"nabla/autograd"
)

// A Sequential is a chain of layers: the output of each is the input of the
// next. It is a Layer itself and may be part of another Sequential.
type Sequential struct {
	layers []Layer
	names  []string // the layers' names when s was made
	scoped []bool   // whether a layer opens its scope itself
	label
}

// NewSequential returns a chain of those layers.
//
// A layer without a name gets one, its kind and a number: dense1, relu1,
// dense2. A name that you gave stays, with a number added if another layer has
// it already. The names are those of the scopes and begin those of the Params:
// dense1.weight. Inside another Sequential scopes nest and names join:
// block/dense1, block.dense1.weight. In a layer of your own type the fields
// follow, as [Name] says: block1.hidden.weight.
//
// The same layer may occur several times: it shares its Params, and its name.
// NewSequential panics with an *[autograd.ArgumentError] if a layer is nil or a
// nil pointer.
func NewSequential(layers ...Layer) *Sequential {
	s := &Sequential{layers: slices.Clone(layers), names: make([]string, len(layers)), scoped: make([]bool, len(layers))}
	taken, counts := map[string]bool{}, map[string]int{}
	for i, l := range s.layers {
		if isNil(l) {
			panic(autograd.NewArgumentError("layers: NewSequential", "layer %d is nil", i))
		}
		_, s.scoped[i] = asPlaced(l)
		kind := kindOf(l)
		if at := s.first(l); at < i {
			s.names[i] = s.names[at]
			continue
		}
		counts[kind]++
		s.names[i] = nameOf(l, kind, counts[kind], taken)
	}
	s.place(newNaming(), "")
	return s
}

// nameOf chooses the name of a layer, the nth of its kind.
func nameOf(l Layer, kind string, nth int, taken map[string]bool) string {
	own := &label{}
	if p, ok := asPlaced(l); ok {
		own = p.named()
	}
	own.choose(kind, nth, taken)
	return own.name
}

// first returns the index of a layer's first occurrence. Layers of the user's
// own types count as different: they may not be comparable.
func (s *Sequential) first(l Layer) int {
	p, ok := asPlaced(l)
	if !ok {
		return len(s.layers)
	}
	return slices.IndexFunc(s.layers, func(other Layer) bool {
		q, ok := asPlaced(other)
		return ok && p.named() == q.named()
	})
}

// Name returns the name, which is "sequential" until it has one.
func (s *Sequential) Name() string { return s.or("sequential") }

// Named gives s a name, which Forward opens a scope of and the Params' names
// begin with, and returns s.
//
//	encoder := layers.NewSequential(…).Named("encoder")
func (s *Sequential) Named(name string) *Sequential {
	s.label = userLabel(name)
	s.place(newNaming(), "")
	return s
}

func (s *Sequential) place(n *naming, path string) {
	if s.name != "" {
		path += s.name + "."
	}
	for i, l := range s.layers {
		if p, ok := asPlaced(l); ok {
			n.place(p, path)
		} else {
			n.walk(l, position{path: path + s.names[i] + "."})
		}
	}
}

// Layers returns the layers in order.
func (s *Sequential) Layers() []Layer { return slices.Clone(s.layers) }

// Params returns the Params of all layers, in order, each once.
func (s *Sequential) Params() []*autograd.Param {
	var all []*autograd.Param
	for _, l := range s.layers {
		all = append(all, l.Params()...)
	}
	return unique(all)
}

// Forward passes x through all layers.
func (s *Sequential) Forward(x autograd.Value) autograd.Value {
	if s.name != "" {
		g := enter(x, s.name)
		defer g.Leave()
	}
	for i := range s.layers {
		x = s.step(i, x)
	}
	return x
}

// step passes x through layer i. A layer of the user's own type opens no scope,
// so step does.
func (s *Sequential) step(i int, x autograd.Value) autograd.Value {
	if s.scoped[i] {
		return s.layers[i].Forward(x)
	}
	g := enter(x, s.names[i])
	defer g.Leave()
	return s.layers[i].Forward(x)
}
