package kernel

import (
	"os"

	"golang.org/x/sys/cpu"
)

// What the processor has.
var (
	hasAVX2   = cpu.X86.HasAVX2 && cpu.X86.HasFMA
	hasAVX512 = hasAVX2 && cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL
)

// The sets of assembly kernels in use: the best that the processor has, or what NABLA_KERNEL in the environment of the program says:
//
//	portable	none, loops in Go instead
//	avx2		AVX2 without AVX-512
//
// They are chosen once, so that all results of a program are computed alike. useAVX512 implies useAVX2, whose kernels compute what
// AVX-512 has none for.
var (
	useAVX2   = hasAVX2 && os.Getenv("NABLA_KERNEL") != "portable"
	useAVX512 = hasAVX512 && useAVX2 && os.Getenv("NABLA_KERNEL") != "avx2"
)
