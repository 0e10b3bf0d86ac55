package optim_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nabla/autograd"
	"nabla/optim"
)

// clipped returns the gradients of two Params after f; their gradients are the
// given numbers.
func clipped(precision autograd.Precision, a, b []float64, f func(autograd.Gradients)) [][]float64 {
	values := []numbers{{[]int{len(a)}, a}, {[]int{len(b)}, b}}
	params := paramsOf(precision, numbers{[]int{len(a)}, make([]float64, len(a))}, numbers{[]int{len(b)}, make([]float64, len(b))})
	grads := gradientsOf(autograd.NewGraph(autograd.Options{Precision: precision}), params, values)
	f(grads)
	return [][]float64{grads.OfParam(params[0]).Float64s(), grads.OfParam(params[1]).Float64s()}
}

func TestClipValue(t *testing.T) {
	inf := math.Inf(1)
	for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		got := clipped(precision, []float64{-3, -2, 0, 1.5, 2}, []float64{inf, -inf, math.NaN(), 4}, func(grads autograd.Gradients) {
			optim.ClipValue(grads, 2)
		})
		want := [][]float64{{-2, -2, 0, 1.5, 2}, {2, -2, math.NaN(), 2}}
		if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("%v: (-want +got)\n%s", precision, diff)
		}
	}
}

func TestClipNorm(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	tests := []struct {
		name         string
		a, b         []float64
		limit        float64
		norm         float64
		wantA, wantB []float64
	}{
		{"above", []float64{3, 0}, []float64{4}, 1, 5, []float64{0.6, 0}, []float64{0.8}},
		{"at the limit", []float64{3, 0}, []float64{4}, 5, 5, []float64{3, 0}, []float64{4}},
		{"below", []float64{3, 0}, []float64{4}, 50, 5, []float64{3, 0}, []float64{4}},
		{"no limit", []float64{3, 0}, []float64{4}, inf, 5, []float64{3, 0}, []float64{4}},
		{"limit 0", []float64{3, 0}, []float64{-4}, 0, 5, []float64{0, 0}, []float64{math.Copysign(0, -1)}},
		{"all 0", []float64{0}, []float64{0}, 0, 0, []float64{0}, []float64{0}},
		{"NaN", []float64{3, nan}, []float64{4}, 1, nan, []float64{3, nan}, []float64{4}},
		{"infinite", []float64{3, 0}, []float64{-inf}, 1, inf, []float64{3, 0}, []float64{-inf}},
		{"no overflow", []float64{3e200}, []float64{4e200}, 5, 5e200, []float64{3}, []float64{4}},
		{"no underflow", []float64{3e-200}, []float64{4e-200}, 5e-210, 5e-200, []float64{3e-210}, []float64{4e-210}},
	}
	for _, test := range tests {
		norm := 0.0
		got := clipped(autograd.Float64, test.a, test.b, func(grads autograd.Gradients) { norm = optim.ClipNorm(grads, test.limit) })
		near := cmp.Options{cmpopts.EquateNaNs(), cmpopts.EquateApprox(1e-15, 0)}
		if diff := cmp.Diff(test.norm, norm, near); diff != "" {
			t.Errorf("%s: norm (-want +got)\n%s", test.name, diff)
		}
		if diff := cmp.Diff([][]float64{test.wantA, test.wantB}, got, near); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", test.name, diff)
		}
	}
}

func TestClipNormFloat32(t *testing.T) {
	norm := 0.0
	got := clipped(autograd.Float32, []float64{3, 0}, []float64{4}, func(grads autograd.Gradients) { norm = optim.ClipNorm(grads, 1) })
	if diff := cmp.Diff([][]float64{{0.6, 0}, {0.8}}, got, cmpopts.EquateApprox(1e-7, 0)); diff != "" || norm != 5 {
		t.Errorf("norm %v, (-want +got)\n%s", norm, diff)
	}
}

// Variables are no optimizer's: they neither count nor change.
func TestClipLeavesVariables(t *testing.T) {
	g, p := autograd.NewGraph(autograd.Options{}), autograd.NewParam("p", autograd.Scalar(1))
	x := g.Variable(autograd.Scalar(1))
	grads := g.Param(p).MulScalar(2).Add(x.MulScalar(100)).Backward()
	if norm := optim.ClipNorm(grads, 1); norm != 2 {
		t.Errorf("the norm is %v, want 2", norm)
	}
	optim.ClipValue(grads, 0.5)
	if dx, dp := grads.Of(x).Item(), grads.OfParam(p).Item(); dx != 100 || dp != 0.5 {
		t.Errorf("dx = %v, dp = %v, want 100 and 0.5", dx, dp)
	}
}

func TestClipOfSumAndNothing(t *testing.T) {
	g, p := autograd.NewGraph(autograd.Options{}), autograd.NewParam("p", autograd.Scalar(1))
	var sum autograd.Gradients
	if norm := optim.ClipNorm(sum, 1); norm != 0 {
		t.Errorf("the norm of nothing is %v", norm)
	}
	sum.Add(slope(g, p, 8).Backward())
	if norm := optim.ClipNorm(sum, 2); norm != 8 || sum.OfParam(p).Item() != 2 {
		t.Errorf("norm %v, clipped to %v, want 8 and 2", norm, sum.OfParam(p).Item())
	}
}

func TestClipMisuse(t *testing.T) {
	var none autograd.Gradients
	for _, limit := range []float64{-1, math.NaN()} {
		err := autograd.Try(func() { optim.ClipNorm(none, limit) })
		if err == nil {
			t.Fatalf("ClipNorm took the limit %v", limit)
		}
		checkText(t, err, "optim: ClipNorm: the limit is ")
		err = autograd.Try(func() { optim.ClipValue(none, limit) })
		if err == nil {
			t.Fatalf("ClipValue took the limit %v", limit)
		}
		checkText(t, err, "optim: ClipValue: the limit is ")
	}
}

// Norms of any p, against PyTorch's, which divides by the norm + 1e-6, and by
// hand.
func TestClipPNorm(t *testing.T) {
	v := readNewer(t)
	for _, c := range v.Clips {
		p, ok := c.P.(float64)
		if !ok {
			p = math.Inf(1)
		}
		for precision, tolerance := range map[autograd.Precision]float64{autograd.Float64: 1e-12, autograd.Float32: 1e-6} {
			params := paramsOf(precision, v.Params...)
			grads := gradientsOf(autograd.NewGraph(autograd.Options{Precision: precision}), params, v.Gradients[0])
			if norm := optim.ClipPNorm(grads, p, 0.7); !isClose(norm, c.Norm, tolerance) {
				t.Errorf("p = %v: norm %v, want %v", p, norm, c.Norm)
			}
			for i, p := range params {
				compareNumbers(t, grads.OfParam(p).Float64s(), c.Clipped[i].Data, 2e-6)
			}
		}
	}
	inf, nan := math.Inf(1), math.NaN()
	for _, test := range []struct {
		name           string
		a, b           []float64
		p, limit, norm float64
		wantA, wantB   []float64
	}{
		{"1", []float64{3, 0}, []float64{-4}, 1, 3.5, 7, []float64{1.5, 0}, []float64{-2}},
		{"greatest", []float64{3, 0}, []float64{-4}, inf, 2, 4, []float64{1.5, 0}, []float64{-2}},
		{"below", []float64{3, 0}, []float64{-4}, inf, 4, 4, []float64{3, 0}, []float64{-4}},
		{"2", []float64{3, 0}, []float64{-4}, 2, 1, 5, []float64{0.6, 0}, []float64{-0.8}},
		{"NaN", []float64{3, nan}, []float64{4}, 3, 1, nan, []float64{3, nan}, []float64{4}},
		{"NaN, greatest", []float64{nan}, []float64{inf}, inf, 1, nan, []float64{nan}, []float64{inf}},
		{"infinite", []float64{3, 0}, []float64{-inf}, 1, 1, inf, []float64{3, 0}, []float64{-inf}},
		{"no overflow", []float64{1e200}, []float64{1e200}, 4, 1, 1.189207115002721e200, []float64{0.8408964152537145}, []float64{0.8408964152537145}},
		{"all 0", []float64{0}, []float64{0}, 3, 0, 0, []float64{0}, []float64{0}},
	} {
		norm := 0.0
		got := clipped(autograd.Float64, test.a, test.b, func(grads autograd.Gradients) { norm = optim.ClipPNorm(grads, test.p, test.limit) })
		near := cmp.Options{cmpopts.EquateNaNs(), cmpopts.EquateApprox(1e-14, 0)}
		if diff := cmp.Diff(test.norm, norm, near) + cmp.Diff([][]float64{test.wantA, test.wantB}, got, near); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", test.name, diff)
		}
	}
	var none autograd.Gradients
	for _, p := range []float64{0, -1, nan} {
		err := autograd.Try(func() { optim.ClipPNorm(none, p, 1) })
		if err == nil {
			t.Fatalf("took p = %v", p)
		}
		checkText(t, err, "optim: ClipPNorm: p is ")
	}
	if err := autograd.Try(func() { optim.ClipPNorm(none, 1, -1) }); err == nil {
		t.Error("took a limit of -1")
	}
}
