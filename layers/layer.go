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

// A placed layer is one of this package: it has a name, which the Sequential
// around it gives when the user did not, and opens a scope of that name.
type placed interface {
	Layer
	named() *label
	// place names the layer's Params after it, behind the path of the layers
	// around it.
	place(path string)
}

var _ = []placed{(*Dense)(nil), (*Sequential)(nil), (*function)(nil), (*prelu)(nil)}

// A label is a layer's name.
type label struct {
	kind  string // "dense"
	name  string // "dense1", "hidden"; "" until somebody gives one
	fixed bool   // given by the user
}

func (l *label) named() *label { return l }

// Name returns the layer's name, which is its kind until it has one.
func (l *label) Name() string {
	if l.name == "" {
		return l.kind
	}
	return l.name
}

func userLabel(kind, name string) label { return label{kind, name, name != ""} }

// choose gives the layer a name that is not taken: the one it has, with a
// number where it needs one.
func (l *label) choose(taken map[string]bool, nth int) {
	if l.name == "" || !l.fixed && taken[l.name] {
		l.name = free(l.kind, nth, taken)
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

// kindOf returns what a layer is called when it has no name of its own: a
// user's layer after its type.
func kindOf(l Layer) string {
	if p, ok := l.(placed); ok {
		return p.named().kind
	}
	if l == nil {
		return "nil"
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

// enter opens a scope in x's graph, which the caller leaves.
func enter(x autograd.Value, name string) *autograd.Graph {
	x.Rank() // panics when x is of no graph, or of one that was Reset
	g := x.Graph()
	g.Enter(name)
	return g
}

// appendNew appends the Params that are not there yet.
func appendNew(all, params []*autograd.Param) []*autograd.Param {
	for _, p := range params {
		if !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	return all
}
