package explain_test

import (
	"fmt"
	"strings"
	"testing"

	"nabla/autograd"
	"nabla/explain"
)

// Tiny weights of a convolution are named as the cause of a small gradient, as
// those of a matrix product are.
func TestExplainSmallWeightsOfAConvolution(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	w := autograd.NewParam("w", autograd.Full(1e-9, 2, 1, 3, 3))
	x := g.Variable(autograd.Ones(1, 1, 5, 5)).Named("x")
	grads := x.Conv(g.Param(w), autograd.ConvOptions{}).Named("y").Sum().Backward()
	e := explain.Gradient(x, grads)
	if want := "conv y multiplies it by w, whose norm is 4.243e−9"; e.Cause.Words != want {
		t.Errorf("cause %q, want %q", e.Cause.Words, want)
	}
	if want := "dy (convolved back with the weights) = norm"; !strings.Contains(e.String(), want) {
		t.Errorf("%q does not contain %q", e, want)
	}
}

// A gradient that vanishes through convolutions is diagnosed layer by layer.
func TestDiagnoseVanishingThroughConvolutions(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Variable(autograd.Ones(1, 1, 5, 5)).Named("x")
	for i := range 10 {
		w := autograd.NewParam(fmt.Sprint("w", i), autograd.Full(1e-3, 1, 1, 3, 3))
		x = x.Conv(g.Param(w), autograd.ConvOptions{Same: true})
	}
	loss := x.Sum()
	found := explain.Diagnose(loss, loss.Backward())
	if len(found) != 1 || !strings.Contains(fmt.Sprint(found[0]), "the gradient vanishes on its way back") {
		t.Errorf("found %v, want one vanishing gradient", found)
	}
}
