package layers_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/layers"
)

func TestDropout(t *testing.T) {
	const n, rate = 10000, 0.3
	g := autograd.NewGraph(autograd.Options{Seed: 1})
	dropped, sum := 0, 0.0
	for _, v := range layers.Dropout(rate).Forward(g.Full(1, n)).Tensor().Float64s() {
		switch v {
		case 0:
			dropped++
		case 1 / (1 - rate):
			sum += v
		default:
			t.Fatalf("an element became %v", v)
		}
	}
	if share := float64(dropped) / n; math.Abs(share-rate) > 0.02 || math.Abs(sum/n-1) > 0.03 {
		t.Errorf("dropped %v, mean %v; want %v and 1", share, sum/n, rate)
	}
}

func TestDropoutInEvaluation(t *testing.T) {
	x := autograd.NewTensor([]float64{1, 2, 3})
	if diff := diffTensor(forward(layers.Dropout(0.9), x), []int{3}, []float64{1, 2, 3}); diff != "" {
		t.Error(diff)
	}
}

func TestDropoutMisuse(t *testing.T) {
	for _, rate := range []float64{-0.1, 1, math.NaN()} {
		mustFault[*autograd.ArgumentError](t, func() { layers.Dropout(rate) }, "layers: Dropout: ", "not in [0, 1)")
		mustFault[*autograd.ArgumentError](t, func() { layers.Dropout3D(rate) }, "layers: Dropout3D: ", "not in [0, 1)")
	}
}

// Channels are dropped whole, and each layer takes one rank alone.
func TestDropoutOfChannels(t *testing.T) {
	all := []layers.Layer{layers.Dropout1D(0.5), layers.Dropout2D(0.5), layers.Dropout3D(0.5)}
	want := []string{"[batch, channels, length]", "[batch, channels, height, width]", "[batch, channels, depth, height, width]"}
	for axes := 1; axes <= 3; axes++ {
		for i, l := range all {
			g := autograd.NewGraph(autograd.Options{Seed: 1})
			x := g.Full(3, append([]int{8, 16}, slices.Repeat([]int{2}, axes)...)...)
			if i != axes-1 {
				mustFault[*autograd.ShapeError](t, func() { l.Forward(x) }, fmt.Sprintf(`layers: Dropout%dD "dropout"`, i+1), want[i], fmt.Sprint(x.Shape()))
				continue
			}
			kept := 0
			for places := range slices.Chunk(l.Forward(x).Tensor().Float64s(), 1<<axes) {
				if slices.Min(places) != slices.Max(places) || places[0] != 0 && places[0] != 6 {
					t.Fatalf("a channel became %v", places)
				}
				kept += int(places[0] / 6)
			}
			if kept < 40 || kept > 88 {
				t.Errorf("%d of 128 channels were kept at a rate of ½", kept)
			}
		}
	}
}

func TestFlatten(t *testing.T) {
	for _, row := range []struct{ from, to []int }{
		{[]int{2, 3}, []int{2, 3}},
		{[]int{2, 3, 4}, []int{2, 12}},
		{[]int{2, 3, 4, 5}, []int{2, 60}},
		{[]int{0, 3, 4}, []int{0, 12}},
		{[]int{2, 0, 4}, []int{2, 0}},
	} {
		got := forward(layers.Flatten(), autograd.Ones(row.from...))
		if diff := cmp.Diff(row.to, got.Shape()); diff != "" {
			t.Errorf("of %v: %s", row.from, diff)
		}
	}
	for _, shape := range [][]int{{}, {3}} {
		mustFault[*autograd.ShapeError](t, func() { forward(layers.Flatten(), autograd.Ones(shape...)) }, "layers: Flatten")
	}
}

func TestFuncMisuse(t *testing.T) {
	mustFault[*autograd.ArgumentError](t, func() { layers.Func("nothing", nil) }, `"nothing"`)
}

func TestGLU(t *testing.T) {
	x := autograd.NewTensor([]float64{1, 2, 0, 1000, 3, 4, -1000, 0}, 2, 4)
	if diff := diffTensor(forward(layers.GLU(-1), x), []int{2, 2}, []float64{0.5, 2, 0, 2}); diff != "" {
		t.Error(diff)
	}
	mustFault[*autograd.ShapeError](t, func() { forward(layers.GLU(1), autograd.Ones(2, 3)) }, "GLU")
}
