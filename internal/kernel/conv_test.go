package kernel_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"nabla/internal/kernel"
)

// convolution is a call of each of the three kernels.
type convolution[T kernel.Float] struct {
	kernel.Convolution
	x, w, y          []T // images, weights, maps
	perMap, perImage []T // biases
}

func newConvolution[T kernel.Float](rng *rand.Rand, c kernel.Convolution) convolution[T] {
	images, maps, taps := 1, 1, 1
	for _, a := range c.Axes {
		images, maps, taps = images*a.Image, maps*a.Map, taps*a.Kernel
	}
	return convolution[T]{
		Convolution: c,
		x:           unaligned[T](rng, c.Batch*c.In*images), w: unaligned[T](rng, c.Out*c.In/c.Groups*taps), y: unaligned[T](rng, c.Batch*c.Out*maps),
		perMap: unaligned[T](rng, c.Out), perImage: unaligned[T](rng, c.In),
	}
}

func (c convolution[T]) String() string { return fmt.Sprintf("%T %+v", c.x, c.Convolution) }

// A sum is computed in float64, with the sum of the magnitudes of its terms.
type sum struct {
	v, magnitude float64
	terms        int
}

func (s *sum) add(v float64) { s.v, s.magnitude, s.terms = s.v+v, s.magnitude+math.Abs(v), s.terms+1 }

// twins compute all three as they are defined: one product after the other, of
// all that meet.
func (c convolution[T]) twins() (y, x, w []sum) {
	y, x, w = make([]sum, len(c.y)), make([]sum, len(c.x)), make([]sum, len(c.w))
	for i := range y {
		y[i].add(float64(c.perMap[i*c.Out*c.Batch/len(y)%c.Out]))
	}
	for i := range x {
		x[i].add(float64(c.perImage[i*c.In*c.Batch/len(x)%c.In]))
	}
	inGroup, outGroup := c.In/c.Groups, c.Out/c.Groups
	d, h, v := c.Axes[0], c.Axes[1], c.Axes[2]
	eachIndex([]int{c.Batch, c.Out, inGroup, d.Map, h.Map, v.Map, d.Kernel, h.Kernel, v.Kernel}, func(at []int) {
		n, o, i := at[0], at[1], at[2]
		from := [3]int{}
		for axis, a := range c.Axes {
			from[axis] = at[3+axis]*a.Stride - a.Before + at[6+axis]*a.Dilation
			if from[axis] < 0 || from[axis] >= a.Image {
				return
			}
		}
		channel := o/outGroup*inGroup + i
		image := (((n*c.In+channel)*d.Image+from[0])*h.Image+from[1])*v.Image + from[2]
		place := (((n*c.Out+o)*d.Map+at[3])*h.Map+at[4])*v.Map + at[5]
		weight := (((o*inGroup+i)*d.Kernel+at[6])*h.Kernel+at[7])*v.Kernel + at[8]
		y[place].add(float64(c.x[image]) * float64(c.w[weight]))
		x[image].add(float64(c.y[place]) * float64(c.w[weight]))
		w[weight].add(float64(c.y[place]) * float64(c.x[image]))
	})
	return y, x, w
}

// eachIndex calls f for every index of a shape, in order.
func eachIndex(shape []int, f func(at []int)) {
	if slices.Contains(shape, 0) {
		return
	}
	at := make([]int, len(shape))
	for {
		f(at)
		axis := len(shape) - 1
		for ; axis >= 0; axis-- {
			if at[axis]++; at[axis] < shape[axis] {
				break
			}
			at[axis] = 0
		}
		if axis < 0 {
			return
		}
	}
}

// guarded calls f with memory for n numbers, and fails if f writes outside or
// leaves a number out.
func (c convolution[T]) guarded(t testing.TB, what string, n int, f func(dst []T)) []T {
	t.Helper()
	memory := make([]T, n+2*margin)
	for i := range memory {
		memory[i] = T(math.NaN())
	}
	f(memory[margin : margin+n])
	for i := range margin {
		if memory[i] == memory[i] || memory[margin+n+i] == memory[margin+n+i] {
			t.Fatalf("%v: %s wrote outside of dst", c, what)
		}
	}
	return memory[margin : margin+n]
}

func (c convolution[T]) check(t testing.TB, what string, got []T, want []sum) {
	t.Helper()
	for i, s := range want {
		if v := float64(got[i]); !(math.Abs(v-s.v) <= roundOff[T](s.terms)*s.magnitude) {
			t.Fatalf("%s: %v: element %d is %v, want %v", what, c, i, v, s.v)
		}
	}
}

func (c convolution[T]) checkSets(t testing.TB) {
	t.Helper()
	y, x, w := c.twins()
	results := map[string][3][]T{}
	for name, set := range kernel.ConvSets[T]() {
		got := [3][]T{
			c.guarded(t, name, len(y), func(dst []T) { set.Conv(dst, c.x, c.w, c.perMap, c.Convolution) }),
			c.guarded(t, name, len(x), func(dst []T) { set.Transpose(dst, c.y, c.w, c.perImage, c.Convolution) }),
			c.guarded(t, name, len(w), func(dst []T) { set.Weights(dst, c.x, c.y, c.Convolution) }),
		}
		c.check(t, name+", maps", got[0], y)
		c.check(t, name+", images", got[1], x)
		c.check(t, name+", weights", got[2], w)
		results[name] = got
	}
	narrow, wide := results["AVX2"], results["AVX-512"]
	for i := range narrow {
		if wide[i] != nil && !slices.Equal(narrow[i], wide[i]) {
			t.Fatalf("%v: kernel %d gives other bits by AVX2 than by AVX-512", c, i)
		}
	}
}

// convAxis returns the geometry of one axis, or of none that fits.
func convAxis(image, k, stride, before, after, dilation int) (kernel.ConvolutionAxis, bool) {
	room := image + before + after - dilation*(k-1) - 1
	return kernel.ConvolutionAxis{Image: image, Map: room/stride + 1, Kernel: k, Stride: stride, Before: before, Dilation: dilation}, room >= 0
}

// convForms reach every way to compute a convolution: tiles and their edges,
// rows of places and joined rows, blocks of channels, bands and stripes,
// images in place, phases of strides, depth, groups, chunks of a batch.
func convForms() []kernel.Convolution {
	var all []kernel.Convolution
	add := func(batch, in, out, groups int, settings ...[6]int) {
		c := kernel.Convolution{Batch: batch, In: in, Out: out, Groups: groups, Axes: [3]kernel.ConvolutionAxis{kernel.PointAxis, kernel.PointAxis, kernel.PointAxis}}
		for i, s := range settings {
			a, fits := convAxis(s[0], s[1], s[2], s[3], s[4], s[5])
			if !fits {
				panic("a form that does not fit")
			}
			c.Axes[3-len(settings)+i] = a
		}
		all = append(all, c)
	}
	square := func(n, k, stride, pad int) [2][6]int {
		a := [6]int{n, k, stride, pad, pad, 1}
		return [2][6]int{a, a}
	}
	for _, s := range []struct {
		batch, in, out, groups, n, k, stride, pad int
	}{
		{2, 1, 6, 1, 28, 5, 1, 2}, {2, 6, 16, 1, 14, 5, 1, 0}, {1, 16, 16, 1, 32, 3, 1, 1}, {1, 40, 33, 1, 11, 3, 1, 1},
		{3, 16, 32, 1, 17, 3, 2, 1}, {2, 5, 7, 1, 33, 4, 3, 2}, {1, 300, 9, 1, 6, 3, 1, 1}, {2, 20, 19, 1, 9, 1, 1, 0},
		{2, 8, 12, 4, 13, 3, 1, 1}, {3, 6, 6, 6, 10, 3, 2, 1}, {1, 3, 5, 1, 32, 8, 8, 0}, {1, 2, 3, 1, 9, 2, 5, 0}, {11, 3, 4, 1, 4, 3, 1, 1}, {1, 700, 5, 1, 5, 1, 1, 0}, {1, 300, 9, 1, 16, 3, 1, 1},
	} {
		both := square(s.n, s.k, s.stride, s.pad)
		add(s.batch, s.in, s.out, s.groups, both[:]...)
	}
	add(2, 3, 5, 1, [6]int{3000, 7, 1, 3, 3, 1})
	add(1, 20, 3, 1, [6]int{5000, 5, 2, 0, 9, 3})
	add(1, 4, 30, 2, [6]int{90, 3, 1, 2, 0, 2}, [6]int{70, 2, 1, 0, 5, 1})
	add(2, 3, 4, 1, [6]int{5, 3, 2, 1, 1, 1}, [6]int{6, 2, 1, 0, 1, 2}, [6]int{9, 3, 2, 1, 0, 1})
	add(1, 2, 3, 1, [6]int{7, 3, 1, 1, 1, 1}, [6]int{20, 3, 1, 1, 1, 1}, [6]int{33, 3, 1, 1, 1, 1})
	add(1, 2, 3, 1, [6]int{2, 2, 1, 7, 9, 1}, [6]int{3, 1, 1, 4, 4, 1})
	return all
}

// drawConvolution returns a small random geometry.
func drawConvolution(rng *rand.Rand) kernel.Convolution {
	groups := 1 + rng.IntN(2)*rng.IntN(3)
	c := kernel.Convolution{Batch: rng.IntN(4), In: groups * rng.IntN(5), Out: groups * (1 + rng.IntN(7)), Groups: groups}
	for i := range c.Axes {
		c.Axes[i] = kernel.PointAxis
		if axes := 1 + rng.IntN(3); i < 3-axes {
			continue
		}
		for fits := false; !fits; {
			c.Axes[i], fits = convAxis(1+rng.IntN(14), 1+rng.IntN(4), 1+rng.IntN(4), rng.IntN(4), rng.IntN(4), 1+rng.IntN(3))
		}
	}
	return c
}

func TestConvTwins(t *testing.T) {
	t.Run("float32", convTwins[float32])
	t.Run("float64", convTwins[float64])
}

func convTwins[T kernel.Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 22))
	forms := convForms()
	for range 150 {
		forms = append(forms, drawConvolution(rng))
	}
	for _, c := range forms {
		if raceDetector && products(c) > 1<<18 {
			continue // the twins would take too long
		}
		newConvolution[T](rng, c).checkSets(t)
	}
}

func products(c kernel.Convolution) int {
	n := c.Batch * c.Out * c.In / c.Groups
	for _, a := range c.Axes {
		n *= a.Map * a.Kernel
	}
	return n
}

// FuzzConv draws geometries.
func FuzzConv(f *testing.F) {
	for seed := range uint64(4) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		rng := rand.New(rand.NewPCG(seed, 23))
		c := drawConvolution(rng)
		newConvolution[float32](rng, c).checkSets(t)
		newConvolution[float64](rng, c).checkSets(t)
	})
}

// The bits are the same for any number of workers, and while other goroutines
// convolve too.
func TestConvBitsOnAnyWorkers(t *testing.T) {
	rng := rand.New(rand.NewPCG(24, 25))
	for _, form := range convForms() {
		if form.In*form.Out*form.Axes[1].Map*form.Axes[2].Map < 20000 {
			continue
		}
		form.Batch *= 3
		c := newConvolution[float32](rng, form)
		var want [3][]float32
		for _, cores := range []int{1, 2, 4} {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
			got := [3][]float32{make([]float32, len(c.y)), make([]float32, len(c.x)), make([]float32, len(c.w))}
			kernel.Conv(got[0], c.x, c.w, c.perMap, c.Convolution)
			kernel.ConvTranspose(got[1], c.y, c.w, c.perImage, c.Convolution)
			kernel.ConvWeights(got[2], c.x, c.y, c.Convolution)
			if cores == 1 {
				want = got
			}
			for i := range got {
				if !slices.Equal(got[i], want[i]) {
					t.Errorf("%v: other bits on %d cores", c, cores)
				}
			}
		}
	}
}

// A NaN of the image reaches the maps whose windows contain it and no others,
// and the gradient of the weights that meet it; one of a map likewise.
func TestConvSpreadsNaN(t *testing.T) {
	rng := rand.New(rand.NewPCG(26, 27))
	for _, form := range convForms() {
		if form.Batch*form.In*form.Out*form.Axes[2].Image > 20000 {
			continue
		}
		c := newConvolution[float64](rng, form)
		c.x[rng.IntN(len(c.x))] = math.NaN()
		y, _, w := c.twins()
		c.y[rng.IntN(len(c.y))] = math.Inf(1)
		_, x, _ := c.twins()
		for name, set := range kernel.ConvSets[float64]() {
			gotY, gotX, gotW := make([]float64, len(y)), make([]float64, len(x)), make([]float64, len(w))
			set.Conv(gotY, c.x, c.w, c.perMap, form)
			set.Transpose(gotX, c.y, c.w, c.perImage, form)
			set.Weights(gotW, c.x, newConvolution[float64](rng, form).y, form)
			checkFinite(t, name+", maps", c, gotY, y)
			checkFinite(t, name+", images", c, gotX, x)
			checkFinite(t, name+", weights", c, gotW, w)
		}
	}
}

func checkFinite(t *testing.T, what string, c fmt.Stringer, got []float64, want []sum) {
	t.Helper()
	for i, s := range want {
		if v := got[i]; (v-v == 0) != (s.v-s.v == 0) {
			t.Fatalf("%s: %v: element %d is %v, want %v", what, c, i, v, s.v)
		}
	}
}

func TestConvAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	rng := rand.New(rand.NewPCG(28, 29))
	for _, form := range convForms()[:8] {
		c := newConvolution[float32](rng, form)
		y, x, w := make([]float32, len(c.y)), make([]float32, len(c.x)), make([]float32, len(c.w))
		if n := testing.AllocsPerRun(3, func() {
			kernel.Conv(y, c.x, c.w, c.perMap, c.Convolution)
			kernel.ConvTranspose(x, c.y, c.w, c.perImage, c.Convolution)
			kernel.ConvWeights(w, c.x, c.y, c.Convolution)
		}); n > 0 {
			t.Errorf("%v: %v allocations", c, n)
		}
	}
}
