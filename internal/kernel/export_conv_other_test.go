//go:build !amd64

package kernel

// ConvSets are the convolutions by each set of kernels that the processor has.
func ConvSets[T Float]() map[string]ConvSet[T] {
	return map[string]ConvSet[T]{"portable": convSet[T](nil)}
}
