package message

import (
	"bytes"
	"flag"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/encoding/protowire"
)

var python = flag.String("python", "", "read and write messages with the onnx package, by this `interpreter`")

// filled returns a model in which every field of every message is set, to
// values that differ. What is of one kind only (an attribute, a type) is there
// once in each.
func filled() *Model {
	f := filler{}
	m := new(Model)
	f.fill(reflect.ValueOf(m).Elem(), 0)
	return m
}

type filler struct{ count int }

func (f *filler) fill(v reflect.Value, depth int) {
	f.count++
	switch v.Kind() {
	case reflect.String:
		v.SetString(strings.Repeat("x", f.count%7) + string(rune('a'+f.count%26)))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64:
		v.SetInt(int64(1 - f.count%5*1000 + f.count))
	case reflect.Uint64:
		v.SetUint(1<<63 + uint64(f.count))
	case reflect.Uint8:
		v.SetUint(uint64(f.count % 256))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(f.count) / 8)
	case reflect.Pointer:
		if depth < 12 {
			v.Set(reflect.New(v.Type().Elem()))
			f.fill(v.Elem(), depth+1)
		}
	case reflect.Slice:
		f.slice(v, depth)
	case reflect.Struct:
		f.structure(v, depth)
	}
}

func (f *filler) slice(v reflect.Value, depth int) {
	n := 3
	switch {
	case v.Type() == reflect.TypeFor[[]*Attribute]():
		n = int(KindTypes)
	case v.Type().Elem().Kind() == reflect.Pointer:
		n = 1
	}
	if depth >= 11 {
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), n, n))
	for i := range n {
		f.fill(v.Index(i), depth+1)
		if a, ok := v.Index(i).Interface().(*Attribute); ok && a != nil {
			only(a, Kind(i+1))
		}
	}
}

func (f *filler) structure(v reflect.Value, depth int) {
	for i := range v.NumField() {
		f.fill(v.Field(i), depth+1)
	}
	switch m := v.Addr().Interface().(type) {
	case *Type:
		only := []Type{{Tensor: m.Tensor}, {Sequence: m.Sequence}, {Optional: m.Optional}, {SparseTensor: m.SparseTensor}}[f.count%4]
		*m = only
	case *Dim:
		if f.count%2 == 0 {
			*m = Dim{Known: true, Value: m.Value}
		} else {
			*m = Dim{Name: m.Name, Denotation: m.Denotation}
		}
	case *Tensor:
		m.Elem, m.Segment = Float, false
	}
}

// only keeps what an attribute of that kind has.
func only(a *Attribute, kind Kind) {
	name := [...]string{
		"", "Float", "Int", "String", "Tensor", "Graph", "Floats", "Ints", "Strings", "Tensors", "Graphs", "SparseTensor",
		"SparseTensors", "Type", "Types",
	}[kind]
	v := reflect.ValueOf(a).Elem()
	for i := range v.NumField() {
		switch v.Type().Field(i).Name {
		case "Name", "Doc", name:
		default:
			v.Field(i).SetZero()
		}
	}
	a.Kind = kind
	if value := v.FieldByName(name); value.Kind() == reflect.Pointer && value.IsNil() {
		a.Kind = KindInt // too deep
	}
}

func TestRoundTrip(t *testing.T) {
	m := filled()
	written := m.Marshal()
	read, err := Unmarshal(written)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m, read, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-written +read)\n%s", diff)
	}
	if again := read.Marshal(); !bytes.Equal(written, again) {
		t.Errorf("written again there are %d bytes instead of %d", len(again), len(written))
	}
	if m.Size() != len(written) {
		t.Errorf("Size is %d instead of %d", m.Size(), len(written))
	}
}

// Large numbers are not copied, and what is around them is in order.
func TestLargeNumbers(t *testing.T) {
	raw := bytes.Repeat([]byte{1, 2, 3, 4}, 5000)
	m := &Model{Graph: &Graph{
		Name:         "g",
		Initializers: []*Tensor{{Name: "a", Raw: raw, Doc: "doc"}, {Name: "b", Raw: raw[:8]}, {Name: "c", Raw: raw}},
		Doc:          "end",
	}}
	var w bytes.Buffer
	if err := m.Write(&w); err != nil {
		t.Fatal(err)
	}
	read, err := Unmarshal(w.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m, read, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-written +read)\n%s", diff)
	}
}

// A model of more than 2 GB is an error before anything is written. Its numbers
// are not touched, so that they take no memory.
func TestTooLarge(t *testing.T) {
	if strconv.IntSize == 32 {
		t.Skip("there are no slices of 2 GB")
	}
	m := &Model{Graph: &Graph{Initializers: []*Tensor{{Raw: make([]byte, math.MaxInt32)}}}}
	var w bytes.Buffer
	if err := m.Write(&w); err == nil || !strings.Contains(err.Error(), "at most 2 GB") || w.Len() > 0 {
		t.Errorf("%d bytes were written, and the error is %v", w.Len(), err)
	}
	if m.Size() <= math.MaxInt32 {
		t.Errorf("the size is %d", m.Size())
	}
}

// Repeated numbers may be packed or not, whatever the schema says.
func TestPacking(t *testing.T) {
	var b []byte
	b = protowire.AppendVarint(protowire.AppendTag(b, tensorDims, protowire.VarintType), 2)
	b = protowire.AppendBytes(protowire.AppendTag(b, tensorDims, protowire.BytesType), []byte{3, 4})
	b = protowire.AppendFixed32(protowire.AppendTag(b, tensorFloats, protowire.Fixed32Type), 0x3f800000)
	got, err := UnmarshalTensor(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&Tensor{Dims: []int64{2, 3, 4}, Floats: []float32{1}}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// An attribute of an old file has no type.
func TestAttributeWithoutType(t *testing.T) {
	inner := protowire.AppendString(protowire.AppendTag(nil, attributeName, protowire.BytesType), "axis")
	inner = protowire.AppendVarint(protowire.AppendTag(inner, attributeInt, protowire.VarintType), 1)
	node := protowire.AppendBytes(protowire.AppendTag(nil, nodeAttributes, protowire.BytesType), inner)
	graph := protowire.AppendBytes(protowire.AppendTag(nil, graphNodes, protowire.BytesType), node)
	m, err := Unmarshal(protowire.AppendBytes(protowire.AppendTag(nil, modelGraph, protowire.BytesType), graph))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&Attribute{Name: "axis", Kind: KindInt, Int: 1}, m.Graph.Nodes[0].Attribute("axis")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestErrors(t *testing.T) {
	deep := []byte{}
	for range MaxDepth {
		deep = protowire.AppendBytes(protowire.AppendTag(nil, attributeGraph, protowire.BytesType), deep)
		deep = protowire.AppendBytes(protowire.AppendTag(nil, nodeAttributes, protowire.BytesType), deep)
		deep = protowire.AppendBytes(protowire.AppendTag(nil, graphNodes, protowire.BytesType), deep)
	}
	deep = protowire.AppendBytes(protowire.AppendTag(nil, modelGraph, protowire.BytesType), deep)
	nodes := bytes.Repeat([]byte{graphNodes<<3 | 2, 0}, MaxMessages)
	many := protowire.AppendBytes(protowire.AppendTag(nil, modelGraph, protowire.BytesType), nodes)
	for _, c := range []struct {
		name, want string
		b          []byte
	}{
		{"deep", "messages inside messages, more than 64 deep", deep},
		{"many", "more than 2097152 messages", many},
		{"not at all", "cannot parse", []byte("\xffhello")},
		{"cut", "unexpected EOF", filled().Marshal()[:1000]},
		{"another wire type", "graph has wire type 0 instead of 2", []byte{modelGraph << 3, 1}},
		{"longer than the file", "unexpected EOF", []byte{modelGraph<<3 | 2, 0xff, 0xff, 0xff, 0xff, 0x7f}},
	} {
		if _, err := Unmarshal(c.b); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: the error is %v", c.name, err)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	f.Add(filled().Marshal())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Unmarshal(b)
		if err != nil {
			return
		}
		written := m.Marshal()
		again, err := Unmarshal(written)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(written, again.Marshal()) {
			t.Error("what was written is not read as the same")
		}
	})
}

// The onnx package reads every field that Nabla writes, and what it writes
// again reads as the first.
//
//	go test ./onnx/internal/message -run Python -args -python venv/bin/python
func TestPythonReadsAndWrites(t *testing.T) {
	if *python == "" {
		t.Skip("needs onnx: run it with -args -python and an interpreter that has it")
	}
	m := filled()
	from, to := filepath.Join(t.TempDir(), "nabla.onnx"), filepath.Join(t.TempDir(), "copy.onnx")
	if err := os.WriteFile(from, m.Marshal(), 0o644); err != nil {
		t.Fatal(err)
	}
	program := exec.Command(*python, "testdata/again.py", from, to)
	program.Stderr = t.Output()
	if _, err := program.Output(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	read, err := Unmarshal(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m, read, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-nabla +onnx)\n%s", diff)
	}
}
