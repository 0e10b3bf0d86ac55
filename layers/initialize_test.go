package layers_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"

	"nabla/autograd"
	"nabla/layers"
)

// The weights have mean 0 and the documented variance, and the uniform ones
// fill their bounds. 60,000 draws leave a variance within 3 % of its own.
func TestInitializerStatistics(t *testing.T) {
	const in, out = 200, 300
	shape := []int{out, 8, 5, 5} // of a convolution with 25 inputs for each of 8 channels
	for _, row := range []struct {
		name     string
		f        layers.Initializer
		variance float64
		bound    float64
	}{
		{"GlorotUniform", layers.GlorotUniform, 2. / (in + out), math.Sqrt(6. / (in + out))},
		{"GlorotNormal", layers.GlorotNormal, 2. / (in + out), math.Inf(1)},
		{"HeUniform", layers.HeUniform, 2. / in, math.Sqrt(6. / in)},
		{"HeNormal", layers.HeNormal, 2. / in, math.Inf(1)},
		{"LeCunUniform", layers.LeCunUniform, 1. / in, math.Sqrt(3. / in)},
		{"LeCunNormal", layers.LeCunNormal, 1. / in, math.Inf(1)},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := row.f(seeded(1), in, out, shape...)
			if diff := cmp.Diff(shape, w.Shape()); diff != "" {
				t.Fatal(diff)
			}
			mean, variance := stat.MeanVariance(w.Float64s(), nil)
			if ratio := variance / row.variance; math.Abs(ratio-1) > 0.03 {
				t.Errorf("variance %v, want %v", variance, row.variance)
			}
			if math.Abs(mean) > 5*math.Sqrt(row.variance/(in*out)) {
				t.Errorf("mean %v, want 0", mean)
			}
			checkRange(t, w.Float64s(), row.bound, math.Sqrt(row.variance))
		})
	}
}

// checkRange checks that uniform draws fill ±bound, and that normal ones go
// beyond three standard deviations: they are not truncated.
func checkRange(t *testing.T, w []float64, bound, deviation float64) {
	t.Helper()
	lo, hi := floats.Min(w), floats.Max(w)
	if math.IsInf(bound, 1) {
		if lo > -3*deviation || hi < 3*deviation {
			t.Errorf("draws from %v to %v look truncated at a deviation of %v", lo, hi, deviation)
		}
		return
	}
	if lo < -bound || hi > bound || lo > -0.999*bound || hi < 0.999*bound {
		t.Errorf("draws from %v to %v do not fill ±%v", lo, hi, bound)
	}
}

func TestInitializersAreDeterministic(t *testing.T) {
	for name, f := range map[string]layers.Initializer{"uniform": layers.GlorotUniform, "normal": layers.HeNormal} {
		first, again, other := f(seeded(1), 3, 4, 2, 6).Float64s(), f(seeded(1), 3, 4, 2, 6).Float64s(), f(seeded(2), 3, 4, 2, 6).Float64s()
		if diff := cmp.Diff(first, again); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if cmp.Equal(first, other) {
			t.Errorf("%s: two seeds gave the same weights", name)
		}
	}
}

// The precision changes nothing but the rounding of the same draws.
func TestInitializerInFloat32(t *testing.T) {
	double := layers.NewDense(seeded(1), 3, 4).Weight.Tensor()
	single := layers.NewDenseWith(seeded(1), 3, 4, layers.DenseOptions{Precision: autograd.Float32}).Weight.Tensor()
	if diff := cmp.Diff(double.In(autograd.Float32).Raw32(), single.Raw32()); diff != "" {
		t.Error(diff)
	}
}

func TestConstantInitializers(t *testing.T) {
	if diff := diffTensor(layers.ZeroWeights(nil, 9, 9, 2, 1), []int{2, 1}, []float64{0, 0}); diff != "" {
		t.Error(diff)
	}
	if diff := diffTensor(layers.Constant(0.5)(nil, 9, 9, 1, 2), []int{1, 2}, []float64{0.5, 0.5}); diff != "" {
		t.Error(diff)
	}
}

func TestInitializersWithoutRand(t *testing.T) {
	for _, f := range []layers.Initializer{
		layers.GlorotUniform, layers.GlorotNormal, layers.HeUniform, layers.HeNormal, layers.LeCunUniform, layers.LeCunNormal,
	} {
		mustFault[*autograd.ArgumentError](t, func() { f(nil, 2, 3, 2, 3) }, "rng is nil")
	}
}
