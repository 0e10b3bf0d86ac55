package kernel_test

import (
	"math"
	"testing"

	"nabla/internal/kernel"
)

// gradients are those of one parameter in five steps. Below, the rules are
// written out for one number.
var gradients = []float64{0.5, -1.25, 0.75, 2, -0.125}

func TestSGDAgainstFormula(t *testing.T) {
	for _, row := range []struct {
		momentum, decay float64
		nesterov        bool
	}{{0, 0, false}, {0, 0.1, false}, {0.9, 0, false}, {0.9, 0.1, false}, {0.9, 0.1, true}} {
		w, velocity := []float64{2}, []float64{99} // what velocity holds before the first step doesn't count
		w32, velocity32 := []float32{2}, []float32{99}
		if row.momentum == 0 {
			velocity, velocity32 = nil, nil
		}
		want, v := 2.0, 0.0
		for step, g := range gradients {
			d := g + row.decay*want
			v = row.momentum*v + d
			if row.nesterov {
				want -= 0.25 * (d + row.momentum*v)
			} else {
				want -= 0.25 * v
			}
			kernel.SGD(w, []float64{g}, velocity, 0.25, row.momentum, row.decay, row.nesterov, step == 0)
			kernel.SGD(w32, []float32{float32(g)}, velocity32, 0.25, row.momentum, row.decay, row.nesterov, step == 0)
			if !near(w[0], want, 1e-14) || !near(float64(w32[0]), want, 1e-5) {
				t.Fatalf("%+v, step %d: %v and %v, want %v", row, step, w[0], w32[0], want)
			}
		}
	}
}

func TestAdamAgainstFormula(t *testing.T) {
	const rate, b1, b2, eps = 0.1, 0.9, 0.999, 1e-8
	for _, row := range []struct {
		decay     float64
		decoupled bool
	}{{0, false}, {0.1, false}, {0.1, true}} {
		w, m, v, w32, m32, v32 := []float64{2}, []float64{0}, []float64{0}, []float32{2}, []float32{0}, []float32{0}
		want, mean, square := 2.0, 0.0, 0.0
		for i, g := range gradients {
			step := float64(i + 1)
			d := g
			if row.decoupled {
				want -= rate * row.decay * want
			} else {
				d += row.decay * want
			}
			mean, square = b1*mean+(1-b1)*d, b2*square+(1-b2)*d*d
			want -= rate * (mean / (1 - math.Pow(b1, step))) / (math.Sqrt(square/(1-math.Pow(b2, step))) + eps)
			kernel.Adam(w, []float64{g}, m, v, rate, b1, b2, eps, row.decay, row.decoupled, i+1)
			kernel.Adam(w32, []float32{float32(g)}, m32, v32, rate, b1, b2, eps, row.decay, row.decoupled, i+1)
			if !near(w[0], want, 1e-13) || !near(float64(w32[0]), want, 1e-5) {
				t.Fatalf("%+v, step %v: %v and %v, want %v", row, step, w[0], w32[0], want)
			}
		}
	}
}

func TestRMSPropAgainstFormula(t *testing.T) {
	const rate, alpha, eps = 0.1, 0.9, 1e-8
	for _, row := range []struct {
		momentum, decay float64
		centered        bool
	}{{0, 0, false}, {0, 0.1, true}, {0.5, 0, false}, {0.5, 0.1, true}} {
		w, v, w32, v32 := []float64{2}, []float64{0}, []float32{2}, []float32{0}
		var mean, velocity []float64
		var mean32, velocity32 []float32
		if row.centered {
			mean, mean32 = []float64{0}, []float32{0}
		}
		if row.momentum > 0 {
			velocity, velocity32 = []float64{0}, []float32{0}
		}
		want, square, average, buffer := 2.0, 0.0, 0.0, 0.0
		for step, g := range gradients {
			d := g + row.decay*want
			square, average = alpha*square+(1-alpha)*d*d, alpha*average+(1-alpha)*d
			spread := square
			if row.centered {
				spread -= average * average
			}
			buffer = row.momentum*buffer + d/(math.Sqrt(spread)+eps)
			want -= rate * buffer
			kernel.RMSProp(w, []float64{g}, v, mean, velocity, rate, alpha, eps, row.momentum, row.decay)
			kernel.RMSProp(w32, []float32{float32(g)}, v32, mean32, velocity32, rate, alpha, eps, row.momentum, row.decay)
			if !near(w[0], want, 1e-13) || !near(float64(w32[0]), want, 1e-4) {
				t.Fatalf("%+v, step %d: %v and %v, want %v", row, step, w[0], w32[0], want)
			}
		}
	}
}

// Gradients that never change have no variance, and the rounding error of mean²
// must not make its root NaN.
func TestRMSPropCenteredConstantGradient(t *testing.T) {
	w, v, mean := []float32{0}, []float32{0}, []float32{0}
	for range 1000 {
		kernel.RMSProp(w, []float32{0.1}, v, mean, nil, 1e-3, 0.9, 1e-3, 0, 0)
	}
	if w[0] != w[0] || w[0] >= 0 {
		t.Errorf("w = %v", w[0])
	}
}
