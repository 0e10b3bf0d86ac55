package kernel_test

import (
	"math/rand/v2"
	"testing"

	"nabla/internal/kernel"
)

// Nothing is accessed outside of operands that lie at the edge of the
// accessible memory.
func TestConvFences(t *testing.T) {
	t.Run("float32", convFences[float32])
	t.Run("float64", convFences[float64])
}

func convFences[T kernel.Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(30, 31))
	forms := convForms()
	for range 50 {
		forms = append(forms, drawConvolution(rng))
	}
	for i, form := range forms {
		c := newConvolution[T](rng, form)
		end := i%3 > 0
		size := 8 * max(1, len(c.x), len(c.y), len(c.w))
		c.x, c.y, c.w = atEdge(newFenced(t, size), c.x, end), atEdge(newFenced(t, size), c.y, end), atEdge(newFenced(t, size), c.w, end)
		dst := newFenced(t, size)
		for _, set := range kernel.ConvSets[T]() {
			set.Conv(atEdge(dst, c.y, end), c.x, c.w, nil, form)
			set.Transpose(atEdge(dst, c.x, end), c.y, c.w, nil, form)
			set.Weights(atEdge(dst, c.w, end), c.x, c.y, form)
		}
	}
}
