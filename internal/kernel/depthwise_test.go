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

// depthwiseForms are geometries of channels on their own that reach every way
// to compute them: strides that rows are taken apart by, rows shorter than a
// vector and longer than several, padding, dilation, one to three axes.
func depthwiseForms() []kernel.Convolution {
	point := kernel.PointAxis
	axis := func(image, kernelLength, stride, before, after, dilation int) kernel.ConvolutionAxis {
		places := (image+before+after-dilation*(kernelLength-1)-1)/stride + 1
		return kernel.ConvolutionAxis{Image: image, Map: places, Kernel: kernelLength, Stride: stride, Before: before, Dilation: dilation}
	}
	form := func(batch, channels, each int, axes ...kernel.ConvolutionAxis) kernel.Convolution {
		c := kernel.Convolution{Batch: batch, In: channels, Out: channels * each, Groups: channels, Axes: [3]kernel.ConvolutionAxis{point, point, point}}
		copy(c.Axes[3-len(axes):], axes)
		return c
	}
	forms := []kernel.Convolution{
		form(2, 3, 1, axis(1, 1, 1, 0, 0, 1), axis(1, 1, 1, 0, 0, 1)),
		form(2, 3, 2, axis(5, 3, 1, 1, 1, 1)),
		form(1, 2, 1, axis(80, 3, 2, 1, 0, 1)),
		form(1, 2, 2, axis(3, 2, 1, 1, 0, 1), axis(4, 3, 2, 1, 1, 1), axis(37, 3, 2, 1, 1, 1)),
		form(1, 2, 1, axis(4, 3, 2, 1, 1, 1), axis(3, 2, 3, 0, 1, 1), axis(19, 2, 3, 2, 1, 2)),
		form(3, 1, 6, axis(28, 5, 1, 2, 2, 1), axis(28, 5, 1, 2, 2, 1)),
		form(0, 2, 1, axis(5, 3, 1, 1, 1, 1), axis(5, 3, 1, 1, 1, 1)),
		form(1, 1, 1, axis(3, 2, 1<<20, 0, 0, 1), axis(5, 2, 1<<20, 1, 0, 1)),
		form(1, 2, 1, axis(0, 3, 1, 2, 2, 1), axis(4, 3, 1, 1, 1, 1)),
		form(70, 9, 1, axis(32, 3, 1, 1, 1, 1), axis(33, 3, 1, 1, 1, 1)),
	}
	for _, n := range []int{1, 2, 4, 7, 8, 9, 15, 16, 17, 28, 31, 32, 33, 64, 67} {
		for _, stride := range []int{1, 2, 3} {
			forms = append(forms, form(1, 2, 1, axis(5, 3, stride, 1, 1, 1), axis(n, 3, stride, 1, 1, 1)))
			forms = append(forms, form(1, 1, 2, axis(6, 5, stride, 2, 1, 1), axis(n, 2, stride, 0, 2, 3)))
			if n >= 7 {
				forms = append(forms, form(2, 1, 1, axis(3, 1, stride, 0, 0, 1), axis(n, 7, stride, 0, 0, 1)))
			}
		}
	}
	return forms
}

// eachProduct calls f with the places of each product of an image's element,
// a map's element and a weight.
func eachProduct(c kernel.Convolution, f func(image, place, weight int)) {
	a, each := c.Axes, c.Out/c.In
	var at, k [3]int
	for place := range c.Batch * c.Out * a[0].Map * a[1].Map * a[2].Map {
		rest := place
		for i := 2; i >= 0; i-- {
			at[i], rest = rest%a[i].Map, rest/a[i].Map
		}
		n, o := rest/c.Out, rest%c.Out
	taps:
		for tap := range a[0].Kernel * a[1].Kernel * a[2].Kernel {
			rest := tap
			for i := 2; i >= 0; i-- {
				k[i], rest = rest%a[i].Kernel, rest/a[i].Kernel
			}
			image := n*c.In + o/each
			for i := range 3 {
				q := at[i]*a[i].Stride - a[i].Before + k[i]*a[i].Dilation
				if q < 0 || q >= a[i].Image {
					continue taps
				}
				image = image*a[i].Image + q
			}
			f(image, place, o*a[0].Kernel*a[1].Kernel*a[2].Kernel+tap)
		}
	}
}

func TestDepthwise(t *testing.T) {
	t.Run("float32", func(t *testing.T) { checkDepthwise[float32](t, 2e-6) })
	t.Run("float64", func(t *testing.T) { checkDepthwise[float64](t, 1e-14) })
}

func checkDepthwise[T kernel.Float](t *testing.T, tolerance float64) {
	rng := rand.New(rand.NewPCG(30, 31))
	for _, c := range depthwiseForms() {
		d := newDepthwiseCase[T](rng, c)
		want := d.products()
		for i, got := range d.compute() {
			for j, v := range got {
				if w := want[i][j]; !(math.Abs(float64(v)-w.sum) <= tolerance*math.Max(w.magnitude, 1)) {
					t.Fatalf("%+v: element %d of the %s is %v, want %v", c, j, [...]string{"maps", "images", "weights"}[i], v, w.sum)
				}
			}
		}
	}
}

// depthwiseCase is a geometry with operands.
type depthwiseCase[T kernel.Float] struct {
	c                  kernel.Convolution
	x, y, w            []T
	mapBias, imageBias []T
}

func newDepthwiseCase[T kernel.Float](rng *rand.Rand, c kernel.Convolution) depthwiseCase[T] {
	images, maps, taps := c.Batch*c.In, c.Batch*c.Out, c.Out
	for _, a := range c.Axes {
		images, maps, taps = images*a.Image, maps*a.Map, taps*a.Kernel
	}
	return depthwiseCase[T]{c, normals[T](rng, images), normals[T](rng, maps), normals[T](rng, taps), normals[T](rng, c.Out), normals[T](rng, c.In)}
}

func normals[T kernel.Float](rng *rand.Rand, n int) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = T(rng.NormFloat64())
	}
	return x
}

// compute returns the maps, images and weights that the kernels compute.
func (d depthwiseCase[T]) compute() [][]T {
	maps, images, weights := slices.Clone(d.y), slices.Clone(d.x), slices.Clone(d.w)
	kernel.Conv(maps, d.x, d.w, d.mapBias, d.c)
	kernel.ConvTranspose(images, d.y, d.w, d.imageBias, d.c)
	kernel.ConvWeights(weights, d.x, d.y, d.c)
	return [][]T{maps, images, weights}
}

// A sumOfProducts is a sum and that of the terms' magnitudes.
type sumOfProducts struct{ sum, magnitude float64 }

func (s *sumOfProducts) add(v float64) {
	s.sum += v
	s.magnitude += math.Abs(v)
}

// products returns what they should be.
func (d depthwiseCase[T]) products() [][]sumOfProducts {
	maps, images, weights := make([]sumOfProducts, len(d.y)), make([]sumOfProducts, len(d.x)), make([]sumOfProducts, len(d.w))
	for i := range maps {
		maps[i].add(float64(d.mapBias[i/(len(maps)/d.c.Batch/d.c.Out)%d.c.Out]))
	}
	for i := range images {
		images[i].add(float64(d.imageBias[i/(len(images)/d.c.Batch/d.c.In)%d.c.In]))
	}
	eachProduct(d.c, func(image, place, weight int) {
		x, y, w := float64(d.x[image]), float64(d.y[place]), float64(d.w[weight])
		maps[place].add(x * w)
		images[image].add(y * w)
		weights[weight].add(x * y)
	})
	return [][]sumOfProducts{maps, images, weights}
}

// The workers share channels; the bits do not depend on how many there are.
func TestDepthwiseOnAnyNumberOfCores(t *testing.T) {
	forms := depthwiseForms()
	d := newDepthwiseCase[float32](rand.New(rand.NewPCG(32, 33)), forms[9])
	compute := func(cores int) [][]float32 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
		return d.compute()
	}
	want := compute(1)
	for _, cores := range []int{2, 3} {
		for i, got := range compute(cores) {
			if !slices.Equal(want[i], got) {
				t.Errorf("result %d differs on %d cores", i, cores)
			}
		}
	}
}

func TestDepthwiseAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	d := newDepthwiseCase[float32](rand.New(rand.NewPCG(34, 35)), depthwiseForms()[5])
	maps, images, weights := slices.Clone(d.y), slices.Clone(d.x), slices.Clone(d.w)
	step := func() {
		kernel.Conv(maps, d.x, d.w, nil, d.c)
		kernel.ConvTranspose(images, d.y, d.w, nil, d.c)
		kernel.ConvWeights(weights, d.x, d.y, d.c)
	}
	step()
	if n := testing.AllocsPerRun(20, step); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// A NaN in an image reaches the maps' elements whose windows it is in, and the
// weights that meet it there, and no others.
func TestDepthwiseNaN(t *testing.T) {
	for _, c := range depthwiseForms() {
		d := newDepthwiseCase[float64](rand.New(rand.NewPCG(36, 37)), c)
		if len(d.x) < 3 || len(d.x) > 4000 {
			continue
		}
		d.x[len(d.x)/2], d.x[len(d.x)-1] = math.NaN(), math.Inf(1)
		want, got := d.products(), d.compute()
		for i, name := range []string{"maps", "", "weights"} {
			for j, v := range got[i] {
				if isWrong := math.IsNaN(want[i][j].sum) != math.IsNaN(v) || math.IsInf(want[i][j].sum, 0) != math.IsInf(v, 0); name != "" && isWrong {
					t.Fatalf("%s: element %d of the %s is %v, want %v", fmt.Sprint(c), j, name, v, want[i][j].sum)
				}
			}
		}
	}
}
