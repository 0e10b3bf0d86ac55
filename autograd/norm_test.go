package autograd_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"nabla/autograd"
)

// torchNorms are the normalizations of testdata/norm.json.
var torchNorms = map[string]torchFunction{
	"batch_norm": func(c torchCase, in []autograd.Value) autograd.Value {
		y, _, _ := in[0].BatchNorm(argument(in, 1), argument(in, 2), c.epsilon())
		return y
	},
	"normalize": func(c torchCase, in []autograd.Value) autograd.Value {
		return in[0].Normalize(in[1], in[2], in[3], in[4], c.epsilon())
	},
	"layer_norm": func(c torchCase, in []autograd.Value) autograd.Value {
		return in[0].LayerNorm(c.Ints[0][0], argument(in, 1), argument(in, 2), c.epsilon())
	},
	"rms_norm": func(c torchCase, in []autograd.Value) autograd.Value {
		return in[0].RMSNorm(c.Ints[0][0], argument(in, 1), c.epsilon())
	},
	"group_norm": func(c torchCase, in []autograd.Value) autograd.Value {
		return in[0].GroupNorm(c.Ints[0][0], argument(in, 1), argument(in, 2), c.epsilon())
	},
	"instance_norm": func(c torchCase, in []autograd.Value) autograd.Value {
		return in[0].InstanceNorm(in[1], in[2], c.epsilon())
	},
}

func (c torchCase) epsilon() float64 { return float64(c.Floats[0]) }

// TestNormTorchVectors compares normalizations with PyTorch: values, gradients
// and second derivatives.
func TestNormTorchVectors(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "norm.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []torchCase }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) < 30 {
		t.Fatalf("only %d cases were read", len(file.Cases))
	}
	for i, c := range file.Cases {
		t.Run(fmt.Sprintf("%02d_%s", i, c.Op), func(t *testing.T) { c.checkAs(t, torchNorms) })
	}
}

// A normLayout is a normalization of x by scale and shift, and the shapes that
// it takes.
type normLayout struct {
	name          string
	shape, affine []int
	f             func(x, scale, shift autograd.Value, epsilon float64) autograd.Value
}

var normLayouts = []normLayout{
	{"batch norm of features", []int{6, 3}, []int{3}, batchNorm},
	{"batch norm of short runs", []int{3, 3, 5}, []int{3}, batchNorm},
	{"batch norm of long runs", []int{2, 3, 5, 7}, []int{3}, batchNorm},
	{"layer norm", []int{4, 21}, []int{21}, func(x, scale, shift autograd.Value, epsilon float64) autograd.Value {
		return x.LayerNorm(1, scale, shift, epsilon)
	}},
	{"group norm", []int{2, 6, 7}, []int{6}, func(x, scale, shift autograd.Value, epsilon float64) autograd.Value {
		return x.GroupNorm(3, scale, shift, epsilon)
	}},
	{"group norm of features", []int{2, 30}, []int{30}, func(x, scale, shift autograd.Value, epsilon float64) autograd.Value {
		return x.GroupNorm(3, scale, shift, epsilon)
	}},
	{"instance norm", []int{2, 3, 4, 5}, []int{3}, autograd.Value.InstanceNorm},
}

func batchNorm(x, scale, shift autograd.Value, epsilon float64) autograd.Value {
	y, _, _ := x.BatchNorm(scale, shift, epsilon)
	return y
}

// longLayouts are normalizations of many numbers, whose sums are rounded.
var longLayouts = []normLayout{
	{"batch norm of many features", []int{1501, 3}, []int{3}, batchNorm},
	{"batch norm of very long runs", []int{4, 3, 40, 41}, []int{3}, batchNorm},
	{"layer norm of long rows", []int{2, 1501}, []int{1501}, normLayouts[3].f},
	{"group norm of long groups", []int{2, 6, 501}, []int{6}, normLayouts[4].f},
}

// Equal numbers have exactly their mean, and no variance, whatever their size:
// the result is the shift, to the last bit. Dividing 0 by a deviation of 0
// gives NaN.
func TestNormOfEqualNumbers(t *testing.T) {
	for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		for _, row := range append(slices.Clone(normLayouts), longLayouts...) {
			for _, v := range []float64{1e8, 1e8 + 1, 16777215, -1e8 / 3, 1e-30, -1e-30 / 3, 0, 1e30, 0.1} {
				g := autograd.NewGraph(autograd.Options{Precision: precision})
				x := g.Variable(autograd.Full(v, row.shape...))
				scale, shift := g.Variable(autograd.Full(3, row.affine...)), g.Variable(autograd.Full(-0.7, row.affine...))
				y := row.f(x, scale, shift, 1e-5)
				want := g.Scalar(-0.7).Item()
				for i, got := range y.Tensor().Float64s() {
					if got != want {
						t.Fatalf("%s of %v in %v: element %d is %v, want %v", row.name, v, precision, i, got, want)
					}
				}
				grads := y.Mul(g.Constant(autograd.Arange(0, float64(y.Size()), 1).Reshape(row.shape...))).Sum().Backward()
				for _, of := range []autograd.Value{x, scale, shift} {
					if !grads.Of(of).IsFinite() {
						t.Errorf("%s of %v in %v: a gradient is not finite", row.name, v, precision)
					}
				}
				for _, gs := range grads.Of(scale).Float64s() {
					if gs != 0 {
						t.Errorf("%s of %v in %v: the scale has gradient %v, want 0", row.name, v, precision, gs)
					}
				}
				for i, got := range row.f(x, scale, shift, 0).Tensor().Float64s() {
					if !math.IsNaN(got) {
						t.Fatalf("%s of %v in %v without epsilon: element %d is %v, want NaN", row.name, v, precision, i, got)
					}
				}
			}
		}
	}
}

// A mean that is large beside the deviation costs no digits that the numbers
// have: 1e8 and the next float32 numbers are 8 apart.
func TestNormOfNumbersFarFromZero(t *testing.T) {
	for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		for _, row := range normLayouts {
			rng := rand.New(rand.NewPCG(1, 2))
			far, near := autograd.Zeros(row.shape...), autograd.Zeros(row.shape...)
			for i := range far.Raw64() {
				v := float64(rng.IntN(100))
				far.Raw64()[i], near.Raw64()[i] = 1e8+8*v, v
			}
			one, zero := autograd.Ones(row.affine...), autograd.Zeros(row.affine...)
			compute := func(x autograd.Tensor, p autograd.Precision) []float64 {
				g := autograd.NewGraph(autograd.Options{Precision: p})
				return row.f(g.Constant(x), g.Constant(one), g.Constant(zero), 0).Tensor().Float64s()
			}
			got, want := compute(far, precision), compute(near, autograd.Float64)
			for i := range want {
				if math.Abs(got[i]-want[i]) > 1e-6 || precision == autograd.Float64 && math.Abs(got[i]-want[i]) > 1e-13 {
					t.Errorf("%s in %v: element %d is %v, want %v", row.name, precision, i, got[i], want[i])
				}
			}
		}
	}
}

// NaN stays in its group.
func TestNormOfNaN(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Variable(autograd.NewTensor([]float64{1, nan, 3, 4, 2, 6, 7, 9}, 4, 2))
	y := batchNorm(x, none, none, 1e-5)
	for i, v := range y.Tensor().Float64s() {
		if math.IsNaN(v) != (i%2 == 1) {
			t.Errorf("element %d of a batch norm is %v", i, v)
		}
	}
	for i, v := range x.LayerNorm(1, none, none, 1e-5).Tensor().Float64s() {
		if math.IsNaN(v) != (i < 2) {
			t.Errorf("element %d of a layer norm is %v", i, v)
		}
	}
}

func TestNormMistakes(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	ones := func(shape ...int) autograd.Value { return g.Constant(autograd.Ones(shape...)) }
	isShape := func(err error) bool { var e *autograd.ShapeError; return errors.As(err, &e) }
	isArgument := func(err error) bool { var e *autograd.ArgumentError; return errors.As(err, &e) }
	for name, row := range map[string]struct {
		f    func()
		want func(error) bool
	}{
		"one value per channel":     {func() { ones(1, 3).BatchNorm(none, none, 1e-5) }, isShape},
		"one pixel per channel":     {func() { ones(1, 3, 1, 1).BatchNorm(none, none, 1e-5) }, isShape},
		"an empty batch":            {func() { ones(0, 3, 4).BatchNorm(none, none, 1e-5) }, isShape},
		"a vector":                  {func() { ones(3).BatchNorm(none, none, 1e-5) }, isShape},
		"another scale":             {func() { ones(2, 3).BatchNorm(ones(2), none, 1e-5) }, isShape},
		"another shift":             {func() { ones(2, 3).BatchNorm(none, ones(1, 3), 1e-5) }, isShape},
		"a negative epsilon":        {func() { ones(2, 3).BatchNorm(none, none, -1e-5) }, isArgument},
		"NaN for epsilon":           {func() { ones(2, 3).LayerNorm(1, none, none, nan) }, isArgument},
		"no axes":                   {func() { ones(2, 3).LayerNorm(0, none, none, 1e-5) }, isArgument},
		"too many axes":             {func() { ones(2, 3).LayerNorm(3, none, none, 1e-5) }, isArgument},
		"a scale of another row":    {func() { ones(2, 3).LayerNorm(2, ones(3, 2), none, 1e-5) }, isShape},
		"a scale without its axes":  {func() { ones(2, 3).RMSNorm(2, ones(6), 1e-5) }, isShape},
		"no groups":                 {func() { ones(2, 3).GroupNorm(0, none, none, 1e-5) }, isArgument},
		"groups that do not divide": {func() { ones(2, 3).GroupNorm(2, none, none, 1e-5) }, isShape},
		"instances of one number":   {func() { ones(2, 3, 1).InstanceNorm(none, none, 1e-5) }, isShape},
		"another mean":              {func() { ones(2, 3).Normalize(ones(2), ones(3), none, none, 1e-5) }, isShape},
		"another variance":          {func() { ones(2, 3).Normalize(ones(3), ones(2), none, none, 1e-5) }, isShape},
		"no mean":                   {func() { ones(2, 3).Normalize(none, ones(3), none, none, 1e-5) }, func(err error) bool { var e *autograd.GraphError; return errors.As(err, &e) }},
	} {
		if err := autograd.Try(row.f); !row.want(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Normalizations allocate nothing once they have run.
func TestNormsAllocateNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		for _, row := range normLayouts {
			g := autograd.NewGraph(autograd.Options{Precision: precision})
			x, scale, shift := autograd.NewParam("x", autograd.Arange(0, float64(volume(row.shape)), 1).Reshape(row.shape...)), autograd.NewParam("scale", autograd.Ones(row.affine...)), autograd.NewParam("shift", autograd.Ones(row.affine...))
			step := func() {
				g.Reset()
				y := row.f(g.Param(x), g.Param(scale), g.Param(shift), 1e-5)
				y.Square().Mean().Backward()
			}
			for range 4 {
				step()
			}
			if n := testing.AllocsPerRun(20, step); n > 0 {
				t.Errorf("%s in %v: %v allocations in a step", row.name, precision, n)
			}
		}
	}
}

// The bits do not depend on the number of processors.
func TestNormsOnAnyNumberOfCores(t *testing.T) {
	for _, row := range []normLayout{
		{"batch norm", []int{8, 20, 17, 17}, []int{20}, batchNorm},
		{"batch norm of features", []int{300, 200}, []int{200}, batchNorm},
		{"layer norm", []int{300, 200}, []int{200}, normLayouts[3].f},
		{"group norm", []int{8, 15, 19, 19}, []int{15}, normLayouts[4].f},
	} {
		var want [][]float64
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
		for _, cores := range []int{1, 2, 4} {
			runtime.GOMAXPROCS(cores)
			rng := rand.New(rand.NewPCG(1, 2))
			g := autograd.NewGraph(autograd.Options{Precision: autograd.Float32})
			x := g.Variable(autograd.Normal(rng, 0, 1, row.shape...))
			scale, shift := g.Variable(autograd.Normal(rng, 0, 1, row.affine...)), g.Variable(autograd.Normal(rng, 0, 1, row.affine...))
			y := row.f(x, scale, shift, 1e-5)
			grads := y.BackwardFrom(autograd.Normal(rng, 0, 1, row.shape...))
			got := [][]float64{y.Tensor().Float64s(), grads.Of(x).Float64s(), grads.Of(scale).Float64s(), grads.Of(shift).Float64s()}
			if want == nil {
				want = got
			}
			for i := range want {
				wantBits(t, fmt.Sprintf("%s on %d cores, result %d", row.name, cores, i), got[i], want[i])
			}
		}
	}
}

// Squares that leave the range of the numbers do not spoil what does not:
// numbers in another unit give the same, and their gradient in its inverse.
func TestNormOfHugeAndTinyNumbers(t *testing.T) {
	for _, row := range []struct {
		precision autograd.Precision
		unit      float64
	}{{autograd.Float64, 0x1p700}, {autograd.Float64, 0x1p-700}, {autograd.Float64, 0x1p-530}, {autograd.Float32, 0x1p120}, {autograd.Float32, 0x1p-100}} {
		tolerance := 1e-13
		if row.precision == autograd.Float32 {
			tolerance = 1e-5
		}
		layouts := append(slices.Clone(normLayouts), normLayout{"rms norm", []int{4, 21}, []int{21}, func(x, scale, _ autograd.Value, epsilon float64) autograd.Value {
			return x.RMSNorm(1, scale, epsilon)
		}})
		for _, layout := range layouts {
			compute := func(unit float64, p autograd.Precision) (y, gx []float64) {
				rng := rand.New(rand.NewPCG(1, 2))
				g := autograd.NewGraph(autograd.Options{Precision: p})
				numbers := autograd.Normal(rng, 1, 1, layout.shape...)
				for i := range numbers.Raw64() {
					numbers.Raw64()[i] *= unit
				}
				x := g.Variable(numbers)
				scale := g.Variable(autograd.Normal(rng, 0, 1, layout.affine...))
				z := layout.f(x, scale, none, 0)
				gradient := z.BackwardFrom(autograd.Normal(rng, 0, 1, layout.shape...)).Of(x).Float64s()
				for i := range gradient {
					gradient[i] *= unit
				}
				return z.Tensor().Float64s(), gradient
			}
			y, gx := compute(row.unit, row.precision)
			wantY, wantGx := compute(1, autograd.Float64)
			for i := range y {
				if !(math.Abs(y[i]-wantY[i]) <= tolerance*10) || !(math.Abs(gx[i]-wantGx[i]) <= tolerance*10) {
					t.Errorf("%s in units of %v, %v: element %d is %v with gradient %v, want %v and %v", layout.name, row.unit, row.precision, i, y[i], gx[i], wantY[i], wantGx[i])
					break
				}
			}
		}
	}
	// With an epsilon, tiny numbers are as good as equal.
	g := autograd.NewGraph(autograd.Options{})
	y, _, variance := g.Constant(vector(1e-200, 3e-200).Reshape(2, 1)).BatchNorm(none, none, 1e-4)
	wantNumbers(t, "tiny numbers", y.Tensor().Float64s(), []float64{-1e-198, 1e-198}, 1e-14)
	wantNumbers(t, "their variance", variance.Tensor().Float64s(), []float64{0}, 0)
}
