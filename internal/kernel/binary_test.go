package kernel_test

import (
	"math"
	"testing"

	"nabla/internal/kernel"
)

var binaries = []struct {
	name string
	f    *kernel.Binary
}{
	{"Add", &kernel.Add}, {"Sub", &kernel.Sub}, {"Mul", &kernel.Mul}, {"Div", &kernel.Div}, {"Pow", &kernel.Pow},
	{"Atan2", &kernel.Atan2}, {"Hypot", &kernel.Hypot}, {"Maximum", &kernel.Maximum}, {"Minimum", &kernel.Minimum},
	{"Equal", &kernel.Equal}, {"NotEqual", &kernel.NotEqual}, {"Less", &kernel.Less}, {"LessEqual", &kernel.LessEqual},
	{"Greater", &kernel.Greater}, {"GreaterEqual", &kernel.GreaterEqual}, {"BCE", &kernel.BCE}, {"BCELogits", &kernel.BCELogits},
	{"CrossEntropy", &kernel.CrossEntropy}, {"LogAddExp", &kernel.LogAddExp}, {"PReLU", &kernel.PReLU},
	{"Fmod", &kernel.Fmod}, {"Remainder", &kernel.Remainder},
}

// Each loop, vector or scalar on either side and in both precisions, agrees
// with the scalar form.
func TestBinaryLoops(t *testing.T) {
	for _, row := range binaries {
		tolerance, _ := tolerances(row.name)
		checkLoops(t, row.name, row.f.F, &row.f.A64, tolerance)
		checkLoops(t, row.name, row.f.F, &row.f.A32, 1.2e-7)
	}
}

func checkLoops[T kernel.Float](t *testing.T, name string, f func(x, y float64) float64, loops *kernel.BinaryLoops[T], tolerance float64) {
	t.Helper()
	n := len(special)
	x, y, vv, vs, sv := make([]T, n), make([]T, n), make([]T, n), make([]T, n), make([]T, n)
	for i, v := range special {
		x[i] = T(v)
	}
	for _, s := range special {
		kernel.Fill(y, T(s))
		loops.VV(vv, x, y)
		loops.VS(vs, x, T(s))
		loops.SV(sv, T(s), x)
		for i, v := range special {
			want, reversed := float64(T(f(v, s))), float64(T(f(s, v)))
			if !near(float64(vv[i]), want, tolerance) || !near(float64(vs[i]), want, tolerance) || !near(float64(sv[i]), reversed, tolerance) {
				t.Errorf("%s(%v, %v), %T: VV %v and VS %v, want %v; SV %v, want %v", name, v, s, vv[i], vv[i], vs[i], want, sv[i], reversed)
			}
		}
	}
}

func TestBinaryDerivativesAgainstDifferences(t *testing.T) {
	const h = 1e-6
	for _, row := range binaries {
		if row.f.D == nil {
			continue
		}
		for _, x := range []float64{0.05, 0.3, 0.7, 0.95} {
			for _, y := range []float64{0.11, 0.4, 0.9, 1.7} { // x/y is never whole
				gx, gy := row.f.D(3, x, y, row.f.F(x, y))
				dx := 3 * (row.f.F(x+h, y) - row.f.F(x-h, y)) / (2 * h)
				dy := 3 * (row.f.F(x, y+h) - row.f.F(x, y-h)) / (2 * h)
				if math.Abs(gx-dx) > 1e-7*(1+math.Abs(dx)) || math.Abs(gy-dy) > 1e-7*(1+math.Abs(dy)) {
					t.Errorf("%s(%v, %v): gradients %v, %v, difference quotients %v, %v", row.name, x, y, gx, gy, dx, dy)
				}
			}
		}
	}
}

func TestBinaryEdges(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	const unstated = 12345.0
	for _, row := range []struct {
		name            string
		x, y, z, gx, gy float64
	}{
		{"Maximum", 2, 2, 2, 0.5, 0.5}, {"Maximum", 2, 3, 3, 0, 1}, {"Maximum", nan, inf, nan, nan, nan}, {"Maximum", 1, nan, nan, nan, nan},
		{"Minimum", 2, 2, 2, 0.5, 0.5}, {"Minimum", 2, 3, 2, 1, 0}, {"Minimum", -inf, nan, nan, nan, nan},
		{"Hypot", 0, 0, 0, 0, 0}, {"Hypot", inf, nan, inf, unstated, unstated}, {"Hypot", 3e200, 4e200, 5e200, 0.6, 0.8}, {"Hypot", 3e-200, 4e-200, 5e-200, 0.6, 0.8},
		{"Atan2", 0, 0, 0, 0, 0}, {"Atan2", 1, inf, 0, 0, 0}, {"Atan2", inf, nan, nan, nan, nan}, {"Atan2", 1e-200, 1e-200, math.Pi / 4, 5e199, -5e199},
		{"Pow", 0, 0, 1, 0, 0}, {"Pow", 0, 2, 0, 0, 0}, {"Pow", 0, 1, 0, 1, 0}, {"Pow", -2, 2, 4, -4, nan}, {"Pow", -2, 0.5, nan, nan, nan},
		{"Pow", nan, 0, 1, 0, nan}, {"Pow", 1, nan, 1, nan, 0}, {"Pow", 0, 0.5, 0, inf, 0}, {"Pow", 0, -1, inf, -inf, -inf},
		{"Div", 1, 0, inf, inf, -inf}, {"Div", 0, 0, nan, inf, nan}, {"Mul", 0, inf, nan, inf, 0},
		{"BCE", 0, 1, 100, -1e12, 100}, {"BCE", 1, 0, 100, 1e12, -100}, {"BCE", 0, 0, 0, 0, 100}, {"BCE", 1, 1, 0, 0, -100},
		{"BCE", 0.5, 1, math.Ln2, -2, 0}, {"BCE", nan, 1, nan, nan, nan},
		{"BCELogits", 1000, 1, 0, 0, -1000}, {"BCELogits", 1000, 0, 1000, 1, -1000}, {"BCELogits", -1000, 1, 1000, -1, 1000},
		{"BCELogits", -1000, 0, 0, 0, 1000}, {"BCELogits", 0, 1, math.Ln2, -0.5, 0},
		{"BCELogits", 40, 1, 4.248354255291589e-18, -4.248354255291589e-18, -40}, {"BCELogits", -40, 0, 4.248354255291589e-18, 4.248354255291589e-18, 40},
		{"CrossEntropy", 0, 1, 100, -1e12, 100}, {"CrossEntropy", 0, 0, 0, 0, 100}, {"CrossEntropy", 1, 1, 0, -1, 0},
		{"CrossEntropy", 0.5, 2, 2 * math.Ln2, -4, math.Ln2}, {"CrossEntropy", nan, 0, nan, nan, nan}, {"CrossEntropy", -1, 1, nan, -1e12, nan},
		{"LogAddExp", 1000, 1000, 1000.6931471805599, 0.5, 0.5}, {"LogAddExp", -inf, -inf, -inf, 0, 0}, {"LogAddExp", inf, inf, inf, 0.5, 0.5},
		{"LogAddExp", -inf, 2, 2, 0, 1}, {"LogAddExp", inf, 2, inf, 1, 0}, {"LogAddExp", nan, inf, nan, nan, nan},
		{"LogAddExp", 0, -40, 4.248354255291589e-18, 1, 4.248354255291589e-18},
		{"Fmod", 5, 3, 2, 1, -1}, {"Fmod", -5, 3, -2, 1, 1}, {"Fmod", 5, -3, 2, 1, 1}, {"Fmod", -5, -3, -2, 1, -1}, {"Fmod", -6, 3, 0, 1, 2},
		{"Fmod", 5, 0, nan, 1, -inf}, {"Fmod", 0, 0, nan, 1, nan}, {"Fmod", inf, 3, nan, 1, -inf}, {"Fmod", 5, inf, 5, 1, 0}, {"Fmod", -5, inf, -5, 1, 0},
		{"Fmod", 1, 0.1, 0.09999999999999995, 1, -9}, {"Fmod", nan, 1, nan, 1, nan},
		{"Remainder", 5, 3, 2, 1, -1}, {"Remainder", -5, 3, 1, 1, 2}, {"Remainder", 5, -3, -1, 1, 2}, {"Remainder", -5, -3, -2, 1, -1}, {"Remainder", -6, 3, 0, 1, 2},
		{"Remainder", 5, 0, nan, 1, -inf}, {"Remainder", inf, 3, nan, 1, -inf}, {"Remainder", 5, inf, 5, 1, 0}, {"Remainder", -5, inf, inf, 1, 1}, {"Remainder", 5, -inf, -inf, 1, 1},
		{"Equal", nan, nan, 0, unstated, unstated}, {"NotEqual", nan, nan, 1, unstated, unstated}, {"Less", nan, 1, 0, unstated, unstated}, {"GreaterEqual", 1, nan, 0, unstated, unstated},
	} {
		for _, b := range binaries {
			if b.name != row.name {
				continue
			}
			z := b.f.F(row.x, row.y)
			if !near(z, row.z, 1e-15) {
				t.Errorf("%s(%v, %v) = %v, want %v", row.name, row.x, row.y, z, row.z)
			}
			if row.gx == unstated {
				continue
			}
			if gx, gy := b.f.D(1, row.x, row.y, z); !near(gx, row.gx, 1e-15) || !near(gy, row.gy, 1e-15) {
				t.Errorf("%s(%v, %v): gradients %v, %v, want %v, %v", row.name, row.x, row.y, gx, gy, row.gx, row.gy)
			}
		}
	}
}
