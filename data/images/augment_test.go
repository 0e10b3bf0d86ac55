package images_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/data/images"
)

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// numbered returns images that count from 1.
func numbered(precision autograd.Precision, shape ...int) autograd.Tensor {
	t := autograd.Zeros(shape...)
	for i := range t.Raw64() {
		t.Raw64()[i] = float64(i + 1)
	}
	return t.In(precision)
}

func TestFlips(t *testing.T) {
	for _, precision := range []autograd.Precision{autograd.Float32, autograd.Float64} {
		x := numbered(precision, 2, 2, 3)
		images.NewAugmenter(images.Flip(1)).Apply(seeded(1), x)
		if diff := cmp.Diff([]float64{3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10}, x.Float64s()); diff != "" {
			t.Errorf("flip (-want +got):\n%s", diff)
		}
		x = numbered(precision, 2, 2, 3)
		images.NewAugmenter(images.FlipVertical(1), images.Flip(0)).Apply(seeded(1), x)
		if diff := cmp.Diff([]float64{4, 5, 6, 1, 2, 3, 10, 11, 12, 7, 8, 9}, x.Float64s()); diff != "" {
			t.Errorf("vertical flip (-want +got):\n%s", diff)
		}
	}
}

// Each shift is one of those that a loop over indices makes, and all of them
// come up about as often.
func TestShift(t *testing.T) {
	counts := map[[2]int]int{}
	rng := seeded(2)
	augmenter := images.NewAugmenter(images.Shift(1, 2))
	const n = 3000
	for range n {
		x := numbered(autograd.Float64, 2, 3, 5)
		augmenter.Apply(rng, x)
		by, ok := shiftOf(x)
		if !ok {
			t.Fatalf("not a shift: %v", x)
		}
		counts[by]++
	}
	for by, count := range counts {
		if count < n/15*2/3 || count > n/15*3/2 {
			t.Errorf("shift by %v: %d of %d times", by, count, n)
		}
	}
	if len(counts) != 15 {
		t.Errorf("%d of 15 shifts: %v", len(counts), counts)
	}
}

func shiftOf(x autograd.Tensor) ([2]int, bool) {
	for dy := -1; dy <= 1; dy++ {
		for dx := -2; dx <= 2; dx++ {
			want := autograd.Zeros(2, 3, 5)
			for i := range 30 {
				row, column := i/5%3+dy, i%5+dx
				if row >= 0 && row < 3 && column >= 0 && column < 5 {
					want.Raw64()[i] = float64(i/15*15 + row*5 + column + 1)
				}
			}
			if want.Equal(x) {
				return [2]int{dy, dx}, true
			}
		}
	}
	return [2]int{}, false
}

// Every crop is a window of the padded image, and each window comes up.
func TestCrop(t *testing.T) {
	src := numbered(autograd.Float32, 1, 3, 4)
	dst := autograd.Zeros(1, 2, 2).In(autograd.Float32)
	padded := func(row, column int) float32 {
		if row < 1 || row > 3 || column < 1 || column > 4 {
			return 0
		}
		return float32((row-1)*4 + column)
	}
	rng := seeded(3)
	augmenter := images.NewAugmenter(images.Crop(2, 2, 1))
	seen := map[[2]int]bool{}
	for range 400 {
		augmenter.ApplyTo(rng, dst, src)
		found := false
		for row := range 4 {
			for column := range 5 {
				want := []float32{padded(row, column), padded(row, column+1), padded(row+1, column), padded(row+1, column+1)}
				if cmp.Equal(want, dst.Raw32()) {
					found, seen[[2]int{row, column}] = true, true
				}
			}
		}
		if !found {
			t.Fatalf("no window: %v", dst)
		}
	}
	if len(seen) != 20 {
		t.Errorf("%d of 20 windows", len(seen))
	}
	if !src.Equal(numbered(autograd.Float32, 1, 3, 4)) {
		t.Error("ApplyTo has changed what it reads")
	}
}

// The angles are spread evenly over both sides, and a small turn of a bright
// square leaves its middle bright and its sum about as it was.
func TestRotate(t *testing.T) {
	rng := seeded(4)
	augmenter := images.NewAugmenter(images.Rotate(15))
	left, turned := 0, 0
	for range 200 {
		x := autograd.Zeros(1, 15, 15)
		for i := range 3 {
			x.Raw64()[(2+i)*15+7] = 1 // a bar above the middle
		}
		augmenter.Apply(rng, x)
		sum, lean := 0.0, 0.0
		for i, v := range x.Raw64() {
			sum += v
			lean += v * float64(i%15-7)
		}
		if math.Abs(sum-3) > 0.5 {
			t.Errorf("the sum of 3 became %v", sum)
		}
		if math.Abs(lean) > 0.01 {
			turned++
		}
		if lean < 0 {
			left++
		}
	}
	if left < 70 || left > 130 || turned < 180 {
		t.Errorf("of 200, %d turned to the left, %d turned", left, turned)
	}
}

func TestNoise(t *testing.T) {
	x := autograd.Full(0.5, 1, 100, 100)
	x.Raw64()[0], x.Raw64()[1], x.Raw64()[2] = math.NaN(), 5, -5
	images.NewAugmenter(images.Noise(0.1)).Apply(seeded(5), x)
	if v := x.Raw64(); !math.IsNaN(v[0]) || v[1] != 1 || v[2] != 0 {
		t.Errorf("NaN, 5 and −5 became %v", v[:3])
	}
	sum, squares := 0.0, 0.0
	for _, v := range x.Raw64()[3:] {
		sum += v - 0.5
		squares += (v - 0.5) * (v - 0.5)
	}
	if mean, deviation := sum/1e4, math.Sqrt(squares/1e4); math.Abs(mean) > 0.004 || math.Abs(deviation-0.1) > 0.004 {
		t.Errorf("mean %v, deviation %v of the noise", mean, deviation)
	}
}

// A mask goes where its image goes: the class of a pixel is still its number.
func TestMasked(t *testing.T) {
	augmenter := images.NewAugmenter(images.Flip(0.5), images.FlipVertical(0.5), images.Shift(1, 1), images.Crop(4, 5, 2))
	x := numbered(autograd.Float32, 3, 1, 4, 5)
	classes := make([]int, 60)
	for i := range classes {
		classes[i] = i + 1
	}
	masks := autograd.NewInts(classes, 3, 4, 5)
	augmenter.ApplyMasked(seeded(6), x, masks)
	moved := false
	for i, v := range x.Raw32() {
		if int(v) != masks.Values()[i] {
			t.Fatalf("pixel %d is %v, its class %d", i, v, masks.Values()[i])
		}
		moved = moved || int(v) != i+1
	}
	if !moved {
		t.Error("nothing moved")
	}
	// A rotation mixes numbers, but no classes.
	x, masks = numbered(autograd.Float32, 1, 9, 9), autograd.NewInts(make([]int, 81), 9, 9)
	for i := range 81 {
		masks.Values()[i] = i%9/5*7 + 2
	}
	images.NewAugmenter(images.Rotate(30), images.Noise(0.2)).ApplyMasked(seeded(7), x, masks)
	for i, class := range masks.Values() {
		if class != 0 && class != 2 && class != 9 {
			t.Errorf("pixel %d has class %d", i, class)
		}
	}
}

var all = []images.Augmentation{
	images.Shift(2, 2), images.Flip(0.5), images.FlipVertical(0.5), images.Crop(12, 10, 3), images.Rotate(15), images.Noise(0.05),
}

// The same seed gives the same bits, and a batch those of its images one by
// one, in however many goroutines.
func TestSameSeedSameBits(t *testing.T) {
	augmenter := images.NewAugmenter(all...)
	want := autograd.Uniform(seeded(8), 0, 1, 4, 2, 12, 10)
	start := want.Clone()
	augmenter.Apply(seeded(9), want)
	if want.Equal(start) {
		t.Error("nothing changed")
	}
	rng, list := seeded(9), []autograd.Tensor{}
	for i := range 4 {
		one := images.At(start, i)
		augmenter.Apply(rng, one)
		list = append(list, one)
	}
	if !images.Batch(list).Equal(want) {
		t.Error("one by one the images differ from those of the batch")
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			x := start.Clone()
			augmenter.Apply(seeded(9), x)
			if !x.Equal(want) {
				t.Error("goroutines differ")
			}
		})
	}
	group.Wait()
}

func TestAugmentAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	augmenter := images.NewAugmenter(all...)
	x := autograd.Uniform(seeded(8), 0, 1, 4, 2, 12, 10)
	rng := seeded(1)
	if n := testing.AllocsPerRun(20, func() { augmenter.Apply(rng, x) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAugmentRefuses(t *testing.T) {
	x := autograd.Zeros(2, 1, 4, 4)
	apply := func(steps ...images.Augmentation) func() {
		return func() { images.NewAugmenter(steps...).Apply(seeded(1), x) }
	}
	none := images.NewAugmenter()
	for _, test := range []struct {
		f    func()
		text string
		want any
	}{
		{func() { images.Shift(-1, 0) }, "Shift", new(*autograd.ArgumentError)},
		{func() { images.Flip(1.5) }, "Flip", new(*autograd.ArgumentError)},
		{func() { images.FlipVertical(math.NaN()) }, "FlipVertical", new(*autograd.ArgumentError)},
		{func() { images.Crop(0, 4, 0) }, "Crop", new(*autograd.ArgumentError)},
		{func() { images.Rotate(math.Inf(1)) }, "Rotate", new(*autograd.ArgumentError)},
		{func() { images.Noise(-1) }, "Noise", new(*autograd.ArgumentError)},
		{func() { images.NewAugmenter(images.Augmentation{}) }, "step 0", new(*autograd.ArgumentError)},
		{func() { none.Apply(nil, x) }, "rng is nil", new(*autograd.ArgumentError)},
		{func() { none.Apply(seeded(1), autograd.Zeros(4, 4)) }, "[4 4]", new(*autograd.ShapeError)},
		{apply(images.Crop(3, 3, 0)), "[3 3], [4 4]", new(*autograd.ShapeError)},
		{apply(images.Crop(7, 4, 1)), "[7 4], [6 6]", new(*autograd.ShapeError)},
		{func() { none.ApplyTo(seeded(1), autograd.Zeros(1, 1, 4, 4), x) }, "[1 1 4 4], [2 1 4 4]", new(*autograd.ShapeError)},
		{func() { none.ApplyTo(seeded(1), x.In(autograd.Float32), x) }, "float32", new(*autograd.ArgumentError)},
		{func() { none.ApplyMasked(seeded(1), x, autograd.NewInts(make([]int, 16), 4, 4)) }, "[4 4], [2 1 4 4]", new(*autograd.ShapeError)},
	} {
		err := autograd.Try(test.f)
		if err == nil || !errors.As(err, test.want) || !strings.Contains(err.Error(), test.text) || !strings.Contains(err.Error(), "augment_test.go:") {
			t.Errorf("%v, want %T with %q", err, test.want, test.text)
		}
	}
}

// An empty batch stays one.
func TestAugmentEmptyBatch(t *testing.T) {
	images.NewAugmenter(all...).Apply(seeded(1), autograd.Zeros(0, 1, 12, 10))
}
