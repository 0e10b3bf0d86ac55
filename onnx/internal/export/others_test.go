package export_test

import (
	"path/filepath"
	"slices"
	"testing"

	"nabla/autograd"
	"nabla/internal/onnxtest"
	"nabla/onnx"
)

// Networks that PyTorch and scikit-learn wrote are read, recorded and written
// again, for a batch of any length: onnxruntime computes the same as Nabla.
func TestPythonNetworksOfOthersAgain(t *testing.T) {
	runner := onnxtest.Start(t)
	paths, err := filepath.Glob("../../testdata/*.onnx")
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	for _, path := range paths {
		m, err := onnx.ImportFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(m.Inputs(), func(p onnx.Port) bool { return p.Type == "int64" }) {
			continue // a Model copies its Ints, so that they are not known again
		}
		if err := runner.CheckBatch(func(batch int) onnx.Export { return recorded(m, batch) }, 1e-5); err != nil {
			t.Errorf("%s: %v", filepath.Base(path), err)
		}
	}
}

// recorded runs a network on random inputs, with 4 in the place of lengths that
// are not fixed.
func recorded(m *onnx.Model, batch int) onnx.Export {
	g := autograd.NewGraph(autograd.Options{Precision: autograd.Float32, NoGrad: true})
	e, in := onnx.Export{Batch: "batch"}, map[string]onnx.Data{}
	for _, p := range m.Inputs() {
		shape := slices.Clone(p.Shape)
		for i, n := range shape {
			if n < 0 {
				shape[i] = 4
			}
		}
		shape[0] = batch
		x := g.Constant(autograd.Normal(random(), 0, 1, shape...))
		in[p.Name] = onnx.Data{Value: x}
		e.Inputs = append(e.Inputs, onnx.Input{Name: p.Name, Value: x})
	}
	out := m.Run(g, in)
	for _, p := range m.Outputs() {
		if y := out[p.Name].Value; !y.IsZero() {
			e.Outputs = append(e.Outputs, y)
		}
	}
	return e
}
