package export

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"runtime/debug"
	"slices"
	"strings"

	"nabla/autograd"
	"nabla/onnx/internal/message"
)

// version returns the version of the module, as far as the build knows it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		if m.Path == "nabla" {
			return m.Version
		}
	}
	return ""
}

// unique returns the name, with a number if it is taken.
func (e *exporter) unique(name string) string {
	free := name
	for e.named[free] > 0 {
		e.named[name]++ // the number after the one given last
		free = fmt.Sprint(name, "_", e.named[name])
	}
	e.named[free] = 1
	return free
}

// op adds an operator with one result, and returns the result's name.
func (e *exporter) op(op string, in []string, attributes ...*message.Attribute) string {
	return e.ops(op, 1, in, attributes...)[0]
}

// ops adds an operator with several results.
func (e *exporter) ops(op string, results int, in []string, attributes ...*message.Attribute) []string {
	n := &message.Node{Op: op, Name: e.unique(e.prefix + "/" + op), Inputs: in, Attributes: attributes}
	for i := range results {
		name := n.Name
		if results > 1 {
			name = fmt.Sprint(n.Name, ":", i)
		}
		n.Outputs = append(n.Outputs, name)
	}
	e.nodes = append(e.nodes, n)
	return n.Outputs
}

func (e *exporter) elem() message.Elem {
	if e.single {
		return message.Float
	}
	return message.Double
}

func (e *exporter) cast(name string, to message.Elem) string {
	return e.op("Cast", []string{name}, intAttribute("to", int(to)))
}

func intAttribute(name string, v int) *message.Attribute {
	return &message.Attribute{Name: name, Kind: message.KindInt, Int: int64(v)}
}

func intsAttribute(name string, v ...int) *message.Attribute {
	return &message.Attribute{Name: name, Kind: message.KindInts, Ints: int64s(v)}
}

func floatAttribute(name string, v float64) *message.Attribute {
	return &message.Attribute{Name: name, Kind: message.KindFloat, Float: float32(v)}
}

func stringAttribute(name, v string) *message.Attribute {
	return &message.Attribute{Name: name, Kind: message.KindString, String: []byte(v)}
}

func stringsAttribute(name string, v ...string) *message.Attribute {
	a := &message.Attribute{Name: name, Kind: message.KindStrings}
	for _, s := range v {
		a.Strings = append(a.Strings, []byte(s))
	}
	return a
}

func flag(name string, set bool) *message.Attribute {
	v := 0
	if set {
		v = 1
	}
	return intAttribute(name, v)
}

func int64s(v []int) []int64 {
	all := make([]int64, len(v))
	for i, n := range v {
		all[i] = int64(n)
	}
	return all
}

func dimsOf(shape []int) []message.Dim {
	dims := make([]message.Dim, len(shape))
	for i, n := range shape {
		dims[i] = message.Dim{Value: int64(n), Known: true}
	}
	return dims
}

func tensorType(elem message.Elem, dims []message.Dim) *message.Type {
	return &message.Type{Tensor: &message.TensorType{Elem: elem, Shape: &message.Shape{Dims: dims}}}
}

// initializer adds a tensor of numbers and returns its name.
func (e *exporter) initializer(name string, t autograd.Tensor) string {
	name = e.unique(name)
	e.initial = append(e.initial, &message.Tensor{Name: name, Dims: int64s(t.Shape()), Elem: e.elem(), Raw: e.raw(t)})
	return name
}

// raw returns the numbers in the model's precision.
func (e *exporter) raw(t autograd.Tensor) []byte {
	switch same := (t.Precision() == autograd.Float32) == e.single; {
	case same && e.single:
		return bytesOf(t.Raw32())
	case same:
		return bytesOf(t.Raw64())
	case !e.single:
		return bytesOf(t.Float64s())
	}
	single := make([]float32, t.Size())
	for i, v := range t.Raw64() {
		single[i] = float32(v)
	}
	return bytesOf(single)
}

// bytesOf returns numbers as a file has them, and no bytes of none.
func bytesOf[T float32 | float64](numbers []T) []byte {
	b, err := binary.Append([]byte{}, binary.LittleEndian, numbers)
	if err != nil {
		panic(err) // they have a fixed size
	}
	return b
}

// constant returns an initializer with one number, one for all that are equal.
func (e *exporter) constant(t autograd.Tensor) string {
	v := t.Item()
	return e.once(fmt.Sprintf("%v%v%x", e.elem(), t.Shape(), math.Float64bits(v)), func() string {
		return e.initializer(fmt.Sprintf("constant_%v", v), t)
	})
}

// scalar returns a scalar.
func (e *exporter) scalar(v float64) string { return e.constant(autograd.Scalar(v)) }

// initialized is initializer for numbers without a name.
func (e *exporter) initialized(t autograd.Tensor) string {
	key := fmt.Sprintf("%v%v%x", e.elem(), t.Shape(), sha256.Sum256(e.raw(t)))
	return e.once(key, func() string { return e.initializer("constant", t) })
}

// once returns the name made for a key.
func (e *exporter) once(key string, name func() string) string {
	if e.known[key] == "" {
		e.known[key] = name()
	}
	return e.known[key]
}

// integers returns an initializer of integers in that shape.
func (e *exporter) integers(v []int, shape ...int) string {
	return e.once(fmt.Sprint("ints", shape, v), func() string {
		b := make([]byte, 0, 8*len(v))
		for _, n := range v {
			b = binary.LittleEndian.AppendUint64(b, uint64(n))
		}
		name := e.unique("indices")
		if len(v) <= 8 {
			name = e.unique("ints" + strings.ReplaceAll(strings.Trim(fmt.Sprint(v), "[]"), " ", "_"))
		}
		e.initial = append(e.initial, &message.Tensor{Name: name, Dims: int64s(shape), Elem: message.Int64, Raw: b})
		return name
	})
}

// ints64 returns a vector of integers.
func (e *exporter) ints64(v ...int) string { return e.integers(v, len(v)) }

func (e *exporter) intScalar(v int) string { return e.integers([]int{v}) }

// produced reports whether a node makes the tensor.
func (e *exporter) produced(name string) bool {
	return slices.ContainsFunc(e.nodes, func(n *message.Node) bool { return slices.Contains(n.Outputs, name) })
}

// uses reports whether a node reads the tensor.
func (e *exporter) uses(name string) bool {
	return slices.ContainsFunc(e.nodes, func(n *message.Node) bool { return slices.Contains(n.Inputs, name) })
}

func (e *exporter) rename(names map[string]string) {
	for _, n := range e.nodes {
		for _, list := range [][]string{n.Inputs, n.Outputs} {
			for i, name := range list {
				if names[name] != "" {
					list[i] = names[name]
				}
			}
		}
	}
}

// reached returns the nodes and initializers that the outputs need.
func (e *exporter) reached(outputs []*message.ValueInfo) (nodes []*message.Node, initial []*message.Tensor) {
	needed := map[string]bool{}
	for _, o := range outputs {
		needed[o.Name] = true
	}
	for _, n := range slices.Backward(e.nodes) {
		if slices.ContainsFunc(n.Outputs, func(name string) bool { return needed[name] }) {
			nodes = append(nodes, n)
			for _, in := range n.Inputs {
				needed[in] = true
			}
		}
	}
	slices.Reverse(nodes)
	for _, t := range e.initial {
		if needed[t.Name] {
			initial = append(initial, t)
		}
	}
	return nodes, initial
}
