package layers

import (
	"reflect"
	"strconv"
	"strings"
	"unicode"

	"nabla/autograd"
)

// Name names the Params of a model, a pointer to a struct of your own, by where
// they stand in it: the fields on the way to each, joined by dots.
//
//	type autoencoder struct {
//		Encoder *layers.Dense
//		Decoder struct{ Hidden, Output *layers.Dense }
//	}
//
// gives encoder.weight, encoder.bias, decoder.hidden.weight, and so on. Call it
// where the model is made.
//
// Name walks exported fields in their order, through pointers, interfaces and
// structs. An embedded struct's fields count as those of the struct around it,
// an element of a slice or array is named by its index (heads.0.weight), and a
// [Sequential] names its layers as [NewSequential] says. A name that you gave a
// layer stands in place of its field's. A layer or Param that is reached again
// keeps its first name. Layers open scopes of these names too: encoder,
// decoder.hidden.
//
// Params that are reached through no exported field keep the names they have.
// Name panics with an *[autograd.NameError] if two Params of the model have one
// name in the end, and with an *[autograd.ArgumentError] if the model is nil.
func Name(model any) {
	if model == nil {
		panic(autograd.NewArgumentError("layers: Name", "there is no model"))
	}
	n := newNaming()
	n.walk(model, position{})
	autograd.CheckNames("layers: Name", paramsOf(model, true)...)
}

// ParamsOf returns the Params of a model, a pointer to a struct of your own:
// those that its exported fields lead to, in the order in which [Name] walks
// them, each once. With it the second method of a [Layer] is one line:
//
//	func (m *autoencoder) Params() []*autograd.Param { return layers.ParamsOf(m) }
//
// What a field's own method Params returns counts in place of its fields.
func ParamsOf(model any) []*autograd.Param { return paramsOf(model, false) }

// paramsOf is ParamsOf, with what the model's own method Params returns too if
// that is wanted: ParamsOf may be called by it. It always is of a layer of this
// package.
func paramsOf(model any, own bool) []*autograd.Param {
	c := &collection{}
	w := &walker{visitor: c, seen: map[seen]bool{}}
	if _, ok := asPlaced(model); ok || own {
		c.layer(model, position{})
	}
	w.root(reflect.ValueOf(model))
	return unique(c.all)
}

// A position is where something stands in a model.
type position struct {
	path string // of the scopes around it, "block1.", and
	name string // of the fields since then, "encoder.hidden"
}

// in returns the position of a part of what stands at p.
func (p position) in(part string) position {
	if p.name != "" {
		part = p.name + "." + part
	}
	return position{p.path, part}
}

// A visitor is told of what stands in a model.
type visitor interface {
	param(p *autograd.Param, at position)
	// layer reports whether the layer need not be walked.
	layer(l any, at position) bool
}

// A naming gives names. What it has seen keeps its name.
type naming struct {
	walker
	params map[*autograd.Param]bool
	labels map[*label]bool
}

func newNaming() *naming {
	n := &naming{params: map[*autograd.Param]bool{}, labels: map[*label]bool{}}
	n.walker = walker{visitor: n, seen: map[seen]bool{}}
	return n
}

// name names a Param, unless it has been seen.
func (n *naming) name(p *autograd.Param, name string) {
	if n.params[p] {
		return
	}
	n.params[p] = true
	p.SetName(name)
}

func (n *naming) param(p *autograd.Param, at position) { n.name(p, at.path+at.name) }

func (n *naming) layer(l any, at position) bool {
	p, ok := asPlaced(l)
	if !ok {
		return false
	}
	if label := p.named(); !n.labels[label] && at.name != "" {
		label.rename(at.name)
	}
	n.place(p, at.path)
	return true
}

// place names the Params of a layer that has its name, behind the path of the
// scopes around it.
func (n *naming) place(l placed, path string) {
	if n.labels[l.named()] {
		return
	}
	n.labels[l.named()] = true
	l.place(n, path)
}

// A collection gathers Params.
type collection struct{ all []*autograd.Param }

func (c *collection) param(p *autograd.Param, _ position) { c.all = append(c.all, p) }

func (c *collection) layer(l any, _ position) bool {
	p, ok := l.(interface{ Params() []*autograd.Param })
	if ok {
		c.all = append(c.all, p.Params()...)
	}
	return ok
}

// A walker goes through a model's exported fields.
type walker struct {
	visitor visitor
	seen    map[seen]bool // a model may lead back to itself
}

type seen struct {
	pointer uintptr
	kind    reflect.Type
}

var paramType = reflect.TypeFor[*autograd.Param]()

// walk goes through what stands at a position.
func (w *walker) walk(model any, at position) { w.value(reflect.ValueOf(model), at) }

// root goes through a model without a look at its own methods.
func (w *walker) root(v reflect.Value) {
	for v.Kind() == reflect.Pointer && !v.IsNil() && v.Type() != paramType {
		v = v.Elem()
	}
	w.parts(v, position{})
}

func (w *walker) value(v reflect.Value, at position) {
	switch v.Kind() {
	case reflect.Interface:
		if !v.IsNil() {
			w.value(v.Elem(), at)
		}
	case reflect.Pointer:
		w.pointer(v, at)
	default:
		if v.CanAddr() {
			w.pointer(v.Addr(), at)
		} else if !w.visit(v, at) {
			w.parts(v, at)
		}
	}
}

func (w *walker) pointer(v reflect.Value, at position) {
	if v.IsNil() || w.visit(v, at) {
		return
	}
	here := seen{v.Pointer(), v.Type()}
	if w.seen[here] {
		return
	}
	w.seen[here] = true
	if v.Elem().Kind() == reflect.Pointer {
		w.pointer(v.Elem(), at)
		return
	}
	w.parts(v.Elem(), at)
}

// visit tells the visitor of a Param or layer, and reports whether its parts
// need not be walked.
func (w *walker) visit(v reflect.Value, at position) bool {
	if !v.CanInterface() {
		return false
	}
	if v.Type() == paramType {
		w.visitor.param(v.Interface().(*autograd.Param), at)
		return true
	}
	return w.visitor.layer(v.Interface(), at)
}

// parts goes through the fields of a struct, or the elements of a slice.
func (w *walker) parts(v reflect.Value, at position) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			w.field(v.Type().Field(i), v.Field(i), at)
		}
	case reflect.Slice, reflect.Array:
		if !mayLeadOn(v.Type().Elem()) {
			return
		}
		for i := range v.Len() {
			w.value(v.Index(i), at.in(strconv.Itoa(i)))
		}
	}
}

// mayLeadOn reports whether elements of that type can lead to Params: a million
// numbers need not be looked at one by one.
func mayLeadOn(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Interface, reflect.Pointer, reflect.Struct:
		return true
	case reflect.Slice, reflect.Array:
		return t.NumMethod() > 0 || mayLeadOn(t.Elem())
	}
	return t.NumMethod() > 0
}

// field goes through a field. That of an embedded struct adds nothing to the
// name.
func (w *walker) field(f reflect.StructField, v reflect.Value, at position) {
	if f.Anonymous && f.Type != paramType {
		w.value(v, at)
	} else if f.IsExported() {
		w.value(v, at.in(lower(f.Name)))
	}
}

// lower returns a field's name as it stands in names of Params: W1 becomes w1,
// OutputHead outputHead, MLPHead mlpHead.
func lower(field string) string {
	letters := []rune(field)
	end := 0
	for end < len(letters) && unicode.IsUpper(letters[end]) {
		end++
	}
	if end > 1 && end < len(letters) && unicode.IsLower(letters[end]) {
		end-- // the last capital begins a word
	}
	return strings.ToLower(string(letters[:end])) + string(letters[end:])
}
