//go:build !amd64

package kernel

// useAVX2 is false where there are no assembly kernels.
const useAVX2 = false

// Set returns the name of what is in use: there are loops in Go alone.
func Set() string { return "portable" }
