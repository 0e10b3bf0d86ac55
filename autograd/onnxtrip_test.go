package autograd_test

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"nabla/autograd"
	"nabla/onnx"
)

// A row, written and read again, computes the same, and its gradients are those
// of the row.
func TestONNXRoundTrip(t *testing.T) {
	cases, greatest := 0, 0.
	eachRow(t, func(t *testing.T, r opRow) {
		for i, shapes := range slices.Concat(r.allShapes(), r.allShapes()) {
			precision, tolerance, floor := autograd.Float64, 1e-12, 0.
			if i >= len(r.allShapes()) { // what the file computes in doubles, the graph does not
				precision, tolerance, floor = autograd.Float32, 1e-5, 1
			}
			for name, e := range rowExports(r, shapes, precision) {
				var w bytes.Buffer
				if e.Write(&w) != nil {
					continue // TestONNXWritesEveryOperation says which may be
				}
				m, err := onnx.Import(&w)
				if err != nil {
					t.Errorf("%v, %s: %v", shapes, name, err)
					continue
				}
				g := newGraph(autograd.Options{Precision: precision})
				in := map[string]onnx.Data{}
				for _, p := range m.Inputs() {
					for _, x := range e.Inputs {
						if x.Name == p.Name {
							in[p.Name] = onnx.Data{Value: g.Variable(x.Value.Tensor())}
						}
					}
				}
				var out map[string]onnx.Data
				if err := autograd.Try(func() { out = m.Run(g, in) }); err != nil {
					t.Errorf("%v, %s: %v", shapes, name, err)
					continue
				}
				for i, p := range m.Outputs() {
					cases++
					want, got := e.Outputs[i].Tensor(), out[p.Name].Value.Tensor()
					if !slices.Equal(want.Shape(), got.Shape()) {
						t.Errorf("%v, %s: shape %v instead of %v", shapes, name, got.Shape(), want.Shape())
						continue
					}
					wrong := apart(want.Float64s(), got.Float64s(), floor)
					if !(wrong < tolerance) {
						t.Errorf("%v, %s: output %d is %v instead of %v", shapes, name, i, got, want)
					} else {
						greatest = max(greatest, wrong)
					}
				}
			}
		}
	})
	t.Logf("%d outputs, greatest error %.1e", cases, greatest)
}

// apart returns the greatest difference, relative to the greatest number, which
// counts as floor if it is smaller.
func apart(want, got []float64, floor float64) (most float64) {
	size := floor
	for _, v := range want {
		if !math.IsInf(v, 0) && v == v {
			size = max(size, math.Abs(v))
		}
	}
	for i, v := range want {
		if v != got[i] && (v == v || got[i] == got[i]) {
			most = max(most, math.Abs(v-got[i])/size)
			if v != v || got[i] != got[i] {
				return math.Inf(1)
			}
		}
	}
	return most
}
