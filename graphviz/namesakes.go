package graphviz

import (
	"fmt"
	"strings"

	"nabla/autograd"
)

// namesakes tells layers of one name apart, such as several Dense layers that
// nobody gave a name: to the recording they are one scope. Each gets a scope of
// its own, "dense", "dense (2)", …. A layer begins with a parameter whose name
// begins with the scope's and that the layer before it has already; a layer
// that is applied again is known by its parameters.
type namesakes struct {
	*model
	recorded map[int]int // by scope, the one that it was recorded as
	current  map[int]int // by recorded scope, that of the layer at work
	count    map[int]int // of layers, by recorded scope
	has      map[paramOfLayer]bool
}

type paramOfLayer struct {
	scope int
	name  string
}

func newNamesakes(m *model) *namesakes {
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
	name := l.scopes[recorded].name
	if n.Kind == autograd.KindParam && strings.HasPrefix(n.Name(), name+".") {
		if l.has[paramOfLayer{layer, n.Name()}] {
			l.count[recorded]++
			layer = len(l.scopes)
			l.recorded[layer] = recorded
			l.scopes = append(l.scopes, scope{parent: l.scopes[recorded].parent, name: fmt.Sprintf("%s (%d)", name, l.count[recorded])})
		}
		l.has[paramOfLayer{layer, n.Name()}] = true
	}
	for _, id := range n.Inputs {
		if from := &l.nodes[index[id]]; from.kind == autograd.KindParam && l.recorded[from.scope] == recorded {
			layer = from.scope
		}
	}
	l.current[recorded] = layer
	return layer
}
