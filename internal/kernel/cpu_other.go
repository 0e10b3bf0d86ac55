//go:build !amd64

package kernel

// useAVX2 is false where there are no assembly kernels.
const useAVX2 = false
