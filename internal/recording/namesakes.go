package recording

import (
	"fmt"
	"strings"

	"nabla/autograd"
)

// namesakes distinguishes layers of the same name, such as several Dense layers
// without a name, which the recording puts into one scope. Each gets a scope of
// its own: "dense", "dense (2)", …. A new layer begins with a parameter whose
// name begins with the scope's and that the layer before it already has; a
// layer that is applied again is recognised by its parameters.
type namesakes struct {
	*Model
	recorded map[int]int // by scope, the scope that it was recorded in
	current  map[int]int // by recorded scope, the scope of the current layer
	count    map[int]int // of layers, by recorded scope
	has      map[paramOfLayer]bool
}

type paramOfLayer struct {
	scope int
	name  string
}

func newNamesakes(m *Model) *namesakes {
	return &namesakes{m, map[int]int{}, map[int]int{}, map[int]int{}, map[paramOfLayer]bool{}}
}

// scopeOf returns the scope of a node that was recorded in one.
func (l *namesakes) scopeOf(n autograd.Node, recorded int, index map[int]int) int {
	if recorded == 0 {
		return 0
	}
	layer, known := l.current[recorded]
	if !known {
		layer = recorded
		l.recorded[layer], l.count[recorded] = recorded, 1
	}
	name := l.Scopes[recorded].Name
	if n.Kind == autograd.KindParam && strings.HasPrefix(n.Value.Name(), name+".") {
		if l.has[paramOfLayer{layer, n.Value.Name()}] {
			l.count[recorded]++
			layer = len(l.Scopes)
			l.recorded[layer] = recorded
			l.Scopes = append(l.Scopes, scope{Parent: l.Scopes[recorded].Parent, Name: fmt.Sprintf("%s (%d)", name, l.count[recorded])})
		}
		l.has[paramOfLayer{layer, n.Value.Name()}] = true
	}
	for _, id := range n.Inputs {
		if from := &l.Nodes[index[id]]; from.Kind == autograd.KindParam && l.recorded[from.Scope] == recorded {
			layer = from.Scope
		}
	}
	l.current[recorded] = layer
	return layer
}
