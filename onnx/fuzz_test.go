package onnx

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"nabla/autograd"
	"nabla/onnx/internal/message"
)

// Limits under which a file that asks for too much fails early.
var small = ImportOptions{MaxElements: 1 << 14, MaxSteps: 2000}

// Whatever bytes a file has, Import returns an error or a network, and the
// network runs or panics with a typed error.
func FuzzImport(f *testing.F) {
	files, err := filepath.Glob("testdata/*.onnx")
	if err != nil || len(files) == 0 {
		f.Fatal("no files", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, m := range seeds() {
		f.Add(m.Marshal())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var m *Model
		var err error
		bounded(t, func() { m, err = ImportWith(bytesReader(b), small) })
		if err != nil {
			return
		}
		bounded(t, func() { exercise(m) })
	})
}

// allowed is the memory that a run under the small limits may take.
const allowed = 64 << 20

// bounded calls f and reports an error if it takes more memory than is allowed.
func bounded(t *testing.T, f func()) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > allowed {
		t.Errorf("%d bytes were allocated", n)
	}
}

// exercise runs a network forward and, if it can, backward. A panic that is no
// typed error passes through.
func exercise(m *Model) {
	for _, options := range []autograd.Options{{}, {Precision: autograd.Float32, Eval: true}} {
		g := autograd.NewGraph(options)
		_ = autograd.Try(func() {
			out := m.run(g, m.someInputs(g))
			for _, d := range out {
				if d.kind == tensor && d.host == nil && d.param == nil && d.size() == 1 && isFloat(d.elem) {
					d.value.Backward()
				}
			}
		})
	}
}

// someInputs makes up inputs that fit what the file says.
func (m *Model) someInputs(g *autograd.Graph) []datum {
	inputs := make([]datum, len(m.inputs))
	for i, in := range m.inputs {
		shape := []int{}
		for _, d := range in.Shape {
			if d < 0 {
				d = 2
			}
			shape = append(shape, min(d, 8))
		}
		n := product(shape)
		switch {
		case n < 0 || n > 1<<12 || len(shape) > 8:
			inputs[i] = ofFloats(message.Float, []float64{1})
		case in.Optional && i%2 == 0:
			inputs[i] = datum{kind: absent}
		case in.elem == 0 || isFloat(in.elem):
			values := make([]float64, n)
			for j := range values {
				values[j] = float64(j%5) - 1.5
			}
			inputs[i] = ofFloats(message.Float, values, shape...)
			inputs[i] = ofValue(message.Float, g.Variable(newTensor(values, shape)))
		case in.elem == message.String:
			inputs[i] = ofStrings(make([]string, n), shape...)
		default:
			values := make([]int64, n)
			for j := range values {
				values[j] = wrap(in.elem, int64(j%3))
			}
			inputs[i] = ofInts(in.elem, values, shape...)
		}
	}
	return inputs
}
