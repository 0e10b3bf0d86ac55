package kernel

import "golang.org/x/sys/cpu"

// ConvSets are the convolutions by each set of kernels that the processor has.
func ConvSets[T Float]() map[string]ConvSet[T] {
	sets := map[string]ConvSet[T]{"portable": convSet[T](nil)}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		sets["AVX2"] = convSet(ofPrecision[*convKernels[T]](&convAVX2x32, &convAVX2x64))
	}
	if hasAVX512 {
		sets["AVX-512"] = convSet(ofPrecision[*convKernels[T]](&convAVX512x32, &convAVX512x64))
	}
	return sets
}
