package kernel

// HasVectors reports whether the assembly kernels are in use.
func HasVectors() bool { return useAVX2 }
