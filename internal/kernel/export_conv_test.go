package kernel

// A ConvSet is the convolutions by one set of kernels.
type ConvSet[T Float] struct {
	Conv, Transpose func(dst, x, w, bias []T, c Convolution)
	Weights         func(dst, x, y []T, c Convolution)
}

func convSet[T Float](set *convKernels[T]) ConvSet[T] {
	return ConvSet[T]{
		func(dst, x, w, bias []T, c Convolution) { correlate(set, dst, x, w, bias, &c, false) },
		func(dst, y, w, bias []T, c Convolution) { correlate(set, dst, y, w, bias, &c, true) },
		func(dst, x, y []T, c Convolution) { weightsBy(set, dst, x, y, &c) },
	}
}
