package autograd_test

import (
	"math"
	"slices"
	"testing"

	"nabla/autograd"
)

func dropped(g *autograd.Graph, n int, rate float64) []float64 {
	return g.Full(1, n).Dropout(rate).Tensor().Float64s()
}

func TestDropoutStream(t *testing.T) {
	for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
		draw := func(seed uint64) (first, second, third []float64) {
			g := autograd.NewGraph(autograd.Options{Seed: seed, Precision: precision})
			first, second = dropped(g, 50, 0.5), dropped(g, 50, 0.5)
			g.Reset()
			return first, second, dropped(g, 50, 0.5)
		}
		a, b, c := draw(1)
		a2, b2, c2 := draw(1)
		wantBits(t, "the same seed", slices.Concat(a2, b2, c2), slices.Concat(a, b, c))
		if slices.Equal(a, b) || slices.Equal(a, c) || slices.Equal(b, c) {
			t.Error("the stream repeats itself, or starts again at Reset")
		}
		if other, _, _ := draw(2); slices.Equal(a, other) {
			t.Error("another seed gives the same mask")
		}
		if zero, _, _ := draw(0); slices.Equal(a, zero) {
			t.Error("seed 0 gives the mask of seed 1")
		}
	}
}

func TestDropoutOffInEvaluation(t *testing.T) {
	for _, options := range []autograd.Options{{Eval: true}, {NoGrad: true}} {
		g := autograd.NewGraph(options)
		x := g.Variable(vector(1, 2))
		if y := x.Dropout(0.9); y != x {
			t.Errorf("%+v: Dropout is active", options)
		}
	}
	g := autograd.NewGraph(autograd.Options{})
	if x := g.Scalar(1); x.Dropout(0) != x || !g.Training() {
		t.Error("a rate of 0 changes the Value")
	}
}

// What is kept is scaled so that the expected value stays; the gradient is 0
// exactly where the value was dropped.
func TestDropoutExpectedValue(t *testing.T) {
	const n = 200_000
	for _, rate := range []float64{0.1, 0.5, 0.9} {
		g := autograd.NewGraph(autograd.Options{Seed: 3})
		x := g.Variable(autograd.Full(2, n))
		y := x.Dropout(rate)
		deviation := 2 * math.Sqrt(rate/(1-rate)/n)
		if mean := y.Mean().Item(); math.Abs(mean-2) > 5*deviation {
			t.Errorf("rate %v: mean %v, want 2 ± %v", rate, mean, deviation)
		}
		gx := y.Sum().Backward().Of(x).Raw64()
		for i, v := range y.View().Raw64() {
			if kept := 1 / (1 - rate); v == 0 && gx[i] != 0 || v != 0 && (v != 2*kept || gx[i] != kept) {
				t.Fatalf("rate %v: value %v with gradient %v", rate, v, gx[i])
			}
		}
	}
}

// A mask is a constant of the recording: passes and derivatives of any order
// see the same one.
func TestDropoutMaskStays(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Seed: 4})
	x := g.Variable(autograd.Ones(40))
	y := x.Square().Dropout(0.5).Sum()
	first := y.Backward().Of(x).Float64s()
	wantBits(t, "a second pass", y.Backward().Of(x).Float64s(), first)
	wantBits(t, "Grad", autograd.Grad(y, x)[0].Tensor().Float64s(), first)
	wantBits(t, "second derivative at 1", autograd.HVP(y, []autograd.Value{x}, []autograd.Value{g.Full(1, 40)})[0].Tensor().Float64s(), first)
}

// A channel is dropped whole or kept whole, each by a draw of its own, and the
// draws are those that Dropout makes of one element for each channel.
func TestDropoutOfChannels(t *testing.T) {
	const batch, channels, places = 40, 25, 12
	single := dropped(autograd.NewGraph(autograd.Options{Seed: 5}), batch*channels, 0.3)
	for _, shape := range [][]int{{batch, channels, places}, {batch, channels, 3, 4}, {batch, channels, 3, 2, 2}} {
		g := autograd.NewGraph(autograd.Options{Seed: 5})
		y := g.Full(1, shape...).DropoutChannels(0.3).Tensor().Float64s()
		for i, v := range y {
			if v != single[i/places] {
				t.Fatalf("shape %v: element %d is %v, want %v", shape, i, v, single[i/places])
			}
		}
	}
	g := autograd.NewGraph(autograd.Options{Eval: true})
	if x := g.Full(1, 2, 3, 4); x.DropoutChannels(0.9) != x {
		t.Error("it is active in evaluation")
	}
}

// Streams of a seed and a purpose are the same each time, and have nothing to
// do with those of neighbouring numbers: their bits agree half of the time.
func TestNewRandomState(t *testing.T) {
	draw := func(seed uint64, of ...uint64) []float64 {
		g := autograd.NewGraph(autograd.Options{})
		g.SetRandomState(autograd.NewRandomState(seed, of...))
		return g.Constant(autograd.Ones(4000)).Dropout(0.5).Tensor().Float64s()
	}
	purposes := [][]uint64{{}, {0}, {1}, {2}, {0, 0}, {0, 1}, {1, 0}, {1, 1}, {1, 0, 0}, {1 << 63}}
	seeds := []uint64{0, 1, 2, 1 << 40}
	var streams [][]float64
	for _, seed := range seeds {
		for _, of := range purposes {
			stream := draw(seed, of...)
			if !slices.Equal(stream, draw(seed, of...)) {
				t.Errorf("seed %d, %v: the second stream differs", seed, of)
			}
			streams = append(streams, stream)
		}
	}
	for i, a := range streams {
		for j, b := range streams[:i] {
			same := 0
			for k := range a {
				if a[k] == b[k] {
					same++
				}
			}
			if math.Abs(float64(same)-2000) > 200 { // six deviations of a fair coin
				t.Errorf("streams %d and %d agree in %d of 4000 places", i, j, same)
			}
		}
	}
}
