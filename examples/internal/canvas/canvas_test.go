package canvas_test

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/examples/internal/canvas"
)

// blots are images with a rectangle of ink each, as wide and high as drawn, and
// a faint rim that does not count.
func blots(rng *rand.Rand, n int) (autograd.Tensor, autograd.Ints) {
	pixels, classes := make([]float32, n*28*28), make([]int, n)
	for i := range n {
		classes[i] = rng.IntN(10)
		width, height := 5+rng.IntN(16), 8+rng.IntN(16)
		for y := range height + 2 {
			for x := range width + 2 {
				v := float32(0.9)
				if x == 0 || y == 0 || x > width || y > height {
					v = 0.1
				}
				pixels[i*28*28+(y+1)*28+x+2] = v
			}
		}
	}
	return autograd.NewTensor32(pixels, n, 1, 28, 28), autograd.NewInts(classes, n)
}

func TestDraw(t *testing.T) {
	digits, classes := blots(rand.New(rand.NewPCG(1, 0)), 30)
	set := canvas.Draw(rand.New(rand.NewPCG(2, 0)), digits, classes, 200)
	counts := map[int]int{}
	for i, all := range set.Digits {
		counts[len(all)]++
		inside := make([]int, canvas.Size*canvas.Size)
		for _, d := range all {
			for y := d.Y0; y < d.Y1; y++ {
				for x := d.X0; x < d.X1; x++ {
					if inside[y*canvas.Size+x] != 0 {
						t.Fatalf("canvas %d: boxes overlap at (%d, %d): %v", i, x, y, all)
					}
					inside[y*canvas.Size+x] = 1 + d.Class
				}
			}
		}
		// The rectangles have ink everywhere, so mask, box and image say the
		// same.
		for at, class := range inside {
			y, x := at/canvas.Size, at%canvas.Size
			want := 0.0
			if class > 0 {
				want = float64(float32(0.9))
			}
			if got := set.Images.At(i, 0, y, x); got != want {
				t.Fatalf("canvas %d: pixel (%d, %d) is %v, want %v", i, x, y, got, want)
			}
			if got := set.Masks.Values()[i*len(inside)+at]; got != class {
				t.Fatalf("canvas %d: mask at (%d, %d) is %d, want %d", i, x, y, got, class)
			}
		}
	}
	for n := 1; n <= canvas.MostDigits; n++ {
		if counts[n] < 20 {
			t.Errorf("%d of 200 canvases have %d digits", counts[n], n)
		}
	}
	if counts[0] > 0 {
		t.Errorf("%d canvases are empty", counts[0])
	}
}

func TestDrawIsRepeatable(t *testing.T) {
	digits, classes := blots(rand.New(rand.NewPCG(1, 0)), 5)
	draw := func(seed uint64) canvas.Set {
		return canvas.Draw(rand.New(rand.NewPCG(seed, 0)), digits, classes, 3)
	}
	a, b, other := draw(1), draw(1), draw(2)
	if !a.Images.Equal(b.Images) || !cmp.Equal(a.Masks.Values(), b.Masks.Values()) || !cmp.Equal(a.Digits, b.Digits) {
		t.Error("the same seed gave other canvases")
	}
	if a.Images.Equal(other.Images) {
		t.Error("another seed gave the same canvases")
	}
}

func TestDrawRefusesWhatIsNoDigits(t *testing.T) {
	digits, classes := blots(rand.New(rand.NewPCG(1, 0)), 5)
	err := autograd.Try(func() {
		canvas.Draw(rand.New(rand.NewPCG(1, 0)), digits, autograd.NewInts(classes.Values()[:4], 4), 3)
	})
	if err == nil {
		t.Error("Draw took four classes for five digits")
	}
}
