package onnx

import (
	"fmt"
	"math"

	"nabla/onnx/internal/message"
)

// resolve returns an attribute, or the one of the function's call that it
// refers to; nil if the call has none.
func (n *node) resolve(a *message.Attribute) *message.Attribute {
	if a.Ref == "" {
		return a
	}
	return n.bound[a.Ref]
}

// attribute returns the attribute of that name and kind, or nil.
func (n *node) attribute(name string, kind message.Kind) *message.Attribute {
	a := n.message.Attribute(name)
	n.used[name] = true
	if a == nil {
		return nil
	}
	if a = n.resolve(a); a == nil {
		return nil
	}
	if a.Kind != kind {
		n.wrong("attribute %q of %s has kind %d instead of %d", name, n.op, a.Kind, kind)
	}
	return a
}

// wrong ends the builder with an error.
func (n *node) wrong(format string, args ...any) {
	panic(attributeError{fmt.Errorf(format, args...)})
}

// ignore accepts attributes that have no effect.
func (n *node) ignore(names ...string) {
	for _, name := range names {
		n.used[name] = true
	}
}

func (n *node) hasAttribute(name string) bool {
	n.used[name] = true
	a := n.message.Attribute(name)
	return a != nil && n.resolve(a) != nil
}

func (n *node) int(name string, otherwise int) int {
	a := n.attribute(name, message.KindInt)
	if a == nil {
		return otherwise
	}
	if a.Int > math.MaxInt32 || a.Int < math.MinInt32 {
		n.wrong("attribute %q of %s is %d", name, n.op, a.Int)
	}
	return int(a.Int)
}

func (n *node) bool(name string, otherwise bool) bool {
	return n.int(name, int(truth(otherwise))) != 0
}

func (n *node) float(name string, otherwise float64) float64 {
	a := n.attribute(name, message.KindFloat)
	if a == nil {
		return otherwise
	}
	return float64(a.Float)
}

func (n *node) string(name, otherwise string) string {
	a := n.attribute(name, message.KindString)
	if a == nil {
		return otherwise
	}
	return string(a.String)
}

// ints returns a list, nil if there is none.
func (n *node) ints(name string) []int {
	a := n.attribute(name, message.KindInts)
	if a == nil {
		return nil
	}
	list := make([]int, len(a.Ints))
	for i, v := range a.Ints {
		if int64(int(v)) != v {
			n.wrong("attribute %q of %s has %d", name, n.op, v)
		}
		list[i] = int(v)
	}
	return list
}

func (n *node) floats(name string) []float64 {
	a := n.attribute(name, message.KindFloats)
	if a == nil {
		return nil
	}
	return converted(a.Floats, func(v float32) float64 { return float64(v) })
}

func (n *node) strings(name string) []string {
	a := n.attribute(name, message.KindStrings)
	if a == nil {
		return nil
	}
	return converted(a.Strings, func(s []byte) string { return string(s) })
}

// tensor returns an attribute's tensor, nil if there is none.
func (n *node) tensor(name string) *datum {
	a := n.attribute(name, message.KindTensor)
	if a == nil {
		return nil
	}
	if a.Tensor == nil {
		n.wrong("attribute %q of %s has no tensor", name, n.op)
	}
	d, err := n.compiler.decode(a.Tensor)
	if err != nil {
		n.wrong("attribute %q of %s: %v", name, n.op, err)
	}
	return &d
}

// graph compiles an attribute's graph.
func (n *node) graph(name string) *program {
	a := n.attribute(name, message.KindGraph)
	if a == nil {
		n.wrong("%s has no attribute %q", n.op, name)
	}
	p, err := n.compiler.graph(a.Graph, n.program, n.bound)
	if err != nil {
		n.wrong("%s: %v", name, err)
	}
	return p
}

// oneOf returns a string attribute, one of the options; others are noted as
// unsupported.
func (n *node) oneOf(name, otherwise string, options ...string) string {
	v := n.string(name, otherwise)
	for _, o := range options {
		if v == o {
			return v
		}
	}
	n.unsupported(fmt.Sprintf("%s %q", name, v))
	return otherwise
}
