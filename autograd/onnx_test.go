package autograd_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"nabla/autograd"
	"nabla/internal/onnxtest"
	"nabla/onnx"
)

// onnxRefuses are the operations that onnx does not write, with the reasons.
// This list is to be short. Those of package matrix are listed in
// onnx/internal/export.
var onnxRefuses = map[string]string{
	"custom":   "a function of the user's in Go",
	"constant": "one that was made of what ArgMax returned, which is no Value, or that dropout drew",
}

// TestONNXWritesEveryOperation exports every row of the table, with its
// gradients: each operation is written, unless it is listed.
func TestONNXWritesEveryOperation(t *testing.T) {
	refusals := map[string]bool{}
	eachRow(t, func(t *testing.T, r opRow) {
		for _, precision := range []autograd.Precision{autograd.Float32, autograd.Float64} {
			for name, e := range rowExports(r, r.rowShapes(), precision) {
				err := e.Write(io.Discard)
				var refused *onnx.RefusedError
				switch {
				case err == nil:
				case !errors.As(err, &refused):
					t.Errorf("%v, %s: %v", precision, name, err)
				default:
					for _, op := range refused.Ops {
						refusals[op.Op] = true
						if onnxRefuses[op.Op] == "" {
							t.Errorf("%v, %s: %s: %s", precision, name, op.Op, op.Reason)
						}
					}
				}
			}
		}
	})
	for op := range onnxRefuses {
		if !refusals[op] {
			t.Errorf("%s is listed, and was not refused", op)
		}
	}
}

// rowExports returns the networks of a row: its function, and its gradients.
func rowExports(r opRow, shapes [][]int, precision autograd.Precision) map[string]onnx.Export {
	g := newGraph(autograd.Options{Precision: precision})
	in := r.draw(shapes)
	round32(in)
	xs := variables(g, in)
	y := r.f(xs...)
	e := onnx.Export{Outputs: []autograd.Value{y}}
	for i, x := range xs {
		e.Inputs = append(e.Inputs, onnx.Input{Name: fmt.Sprint("x", i), Value: x})
	}
	gradient := e
	seed := g.Variable(weightsFor(y.Shape()).tensor())
	gradient.Inputs = append(slices.Clone(e.Inputs), onnx.Input{Name: "gy", Value: seed})
	gradient.Outputs = autograd.VJP(y, seed, xs...)
	return map[string]onnx.Export{"value": e, "gradients": gradient}
}

// onnxruntime computes the same, in both precisions.
func TestPythonONNXRows(t *testing.T) {
	runner := onnxtest.Start(t)
	cases := map[string]int{}
	greatest := map[string]float64{}
	eachRow(t, func(t *testing.T, r opRow) {
		for _, shapes := range r.allShapes() {
			empty := slices.ContainsFunc(shapes, func(s []int) bool { return volume(s) == 0 })
			for precision, tolerance := range map[autograd.Precision]float64{autograd.Float32: 1e-5, autograd.Float64: 1e-12} {
				if empty && precision == autograd.Float32 {
					continue // nothing is computed: one precision will do
				}
				for name, e := range rowExports(r, shapes, precision) {
					runner.Greatest = 0
					err := runner.Check(e, tolerance)
					var refused *onnx.RefusedError
					if errors.As(err, &refused) {
						continue // TestONNXWritesEveryOperation says which may be
					}
					if err != nil {
						t.Errorf("%v, %s, %v: %v", shapes, name, precision, err)
						continue
					}
					key := fmt.Sprintf("%s in %v", name, precision)
					cases[key]++
					greatest[key] = max(greatest[key], runner.Greatest)
				}
			}
		}
	})
	for key, n := range cases {
		t.Logf("%s: %d cases, greatest error %.1e", key, n, greatest[key])
	}
}

// Special values are onnxruntime's too: NaN, infinities, kinks and ties.
func TestPythonONNXSpecialValues(t *testing.T) {
	runner := onnxtest.Start(t)
	runner.Floor = 1
	eachRow(t, func(t *testing.T, r opRow) {
		var points [][]float64
		for _, s := range r.special {
			points = append(points, s[:1])
		}
		for _, s := range r.pairs {
			points = append(points, s[:2])
		}
		for _, at := range points {
			for precision, tolerance := range map[autograd.Precision]float64{autograd.Float32: 1e-5, autograd.Float64: 1e-12} {
				g := newGraph(autograd.Options{Precision: precision})
				e := onnx.Export{}
				var in []autograd.Value
				for i, v := range at {
					in = append(in, g.Variable(autograd.NewTensor([]float64{v})))
					e.Inputs = append(e.Inputs, onnx.Input{Name: fmt.Sprint("x", i), Value: in[i]})
				}
				e.Outputs = []autograd.Value{r.f(in...)}
				if err := runner.Check(e, tolerance); err != nil {
					t.Errorf("%v at %v: %v", precision, at, err)
				}
			}
		}
	})
}

// Where a row can be written with a batch of any length, along the first axis
// of its first input or of all, onnxruntime computes the same as Nabla for
// another length.
func TestPythonONNXBatches(t *testing.T) {
	runner := onnxtest.Start(t)
	written, refusals := map[string]bool{}, 0
	eachRow(t, func(t *testing.T, r opRow) {
		if r.plant != nil {
			return // at places of these shapes alone
		}
		for i := range 4 {
			shapes, all, precision, tolerance := r.rowShapes(), i%2 == 1, autograd.Float64, 1e-12
			if i > 1 {
				precision, tolerance = autograd.Float32, 1e-5
			}
			build := func(batch int) (onnx.Export, bool) {
				changed := slices.Clone(shapes)
				for i, s := range shapes {
					if i == 0 || all {
						if len(s) == 0 || i > 0 && s[0] != shapes[0][0] {
							return onnx.Export{}, false
						}
						changed[i] = append([]int{batch}, s[1:]...)
					}
				}
				var e onnx.Export
				if autograd.Try(func() { e = rowExports(r, changed, precision)["value"] }) != nil {
					return e, false
				}
				e.Batch = "batch"
				for i := range e.Inputs {
					e.Inputs[i].Fixed = i > 0 && !all
				}
				return e, true
			}
			recorded, ok := build(shapes0(shapes))
			if !ok || shapes0(shapes) < 2 {
				continue
			}
			if err := recorded.Save(runner.Path()); err != nil {
				refusals++
				continue
			}
			for _, batch := range []int{2, 3, 5} {
				e, ok := build(batch)
				if !ok {
					continue
				}
				if err := runner.Run(e, tolerance); err != nil {
					t.Errorf("all inputs %v, %v, a batch of %d: %v", all, precision, batch, err)
				}
				written[r.op] = true
			}
		}
	})
	t.Logf("%d operations with a batch, %d rows refused", len(written), refusals)
}

func shapes0(shapes [][]int) int {
	if len(shapes) == 0 || len(shapes[0]) == 0 {
		return 0
	}
	return shapes[0][0]
}
