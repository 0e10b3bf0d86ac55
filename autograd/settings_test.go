package autograd_test

import (
	"testing"

	"nabla/autograd"
)

// Nodes say how a convolution or pooling was called, as far as that is unusual.
func TestSettingsOfNodes(t *testing.T) {
	g := newGraph(autograd.Options{})
	x, line := g.Full(1, 1, 4, 9, 9), g.Full(1, 1, 4, 9)
	w := func(shape ...int) autograd.Value { return g.Full(1, shape...) }
	two := []int{2}
	for want, y := range map[string]autograd.Value{
		"3×3":                         x.Conv(w(4, 4, 3, 3), autograd.ConvOptions{}),
		"5":                           line.Conv(w(4, 4, 5), autograd.ConvOptions{Stride: []int{1}}),
		"3×3 stride 2 padding 1":      x.Conv(w(4, 4, 3, 3), autograd.ConvOptions{Stride: two, Padding: [][2]int{{1, 1}}}),
		"1×3 stride 1×2 padding 0×1":  x.Conv(w(4, 4, 1, 3), autograd.ConvOptions{Stride: []int{1, 2}, Padding: [][2]int{{0, 0}, {1, 1}}}),
		"4×4 padding 1+2":             x.Conv(w(4, 4, 4, 4), autograd.ConvOptions{Same: true}),
		"3×3 dilation 2 groups 4":     x.Conv(w(4, 1, 3, 3), autograd.ConvOptions{Dilation: two, Groups: 4}),
		"2×2 stride 2":                x.ConvTranspose(w(4, 4, 2, 2), autograd.ConvTransposeOptions{Stride: two}),
		"2×2":                         x.MaxPool(autograd.PoolOptions{Kernel: two}),
		"3":                           line.AvgPool(autograd.PoolOptions{Kernel: []int{3}}),
		"3×3 stride 2 padding 1×0":    x.AvgPool(autograd.PoolOptions{Kernel: []int{3}, Stride: two, Padding: [][2]int{{1, 1}, {0, 0}}}),
		"2×2 stride 3×2 dilation 2×1": x.MaxPool(autograd.PoolOptions{Kernel: two, Stride: []int{3, 2}, Dilation: []int{2, 1}}),
		"adaptive":                    x.AdaptiveAvgPool(2),
		"nearest":                     x.Upsample(autograd.UpsampleOptions{Scale: two}),
		"bilinear":                    x.Upsample(autograd.UpsampleOptions{Scale: two, Bilinear: true}),
		"":                            x.ReLU(),
	} {
		if got := y.Node().Settings; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
