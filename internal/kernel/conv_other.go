//go:build !amd64

package kernel

// convKernels would be the assembly functions of convolutions; this processor
// has none.
type convKernels[T Float] struct{ vector, height int }

func convKernelsOf[T Float]() *convKernels[T] { return nil }

func (t *tapsTiles[T]) fastTiles(to, source, width, count, nextTo, nextSource int) {}

func (t *planesTiles[T]) fastCompute() {}

func (p *weightsPiece[T]) transposeRows(dst, src []T, channel, n int) {}
