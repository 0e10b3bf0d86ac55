package kernel

import (
	"os"

	"golang.org/x/sys/cpu"
)

// The sets of kernels in assembly that are in use. Each set is chosen once, at the start of the program, so that all results of a program are
// computed alike: the best one that the processor has, or, by NABLA_KERNEL in the environment of the program,
//
//	portable	none: loops in Go
//	avx2		no AVX-512
//
// useAVX512 implies useAVX2: what AVX-512 has no kernel for is computed by AVX2.
var (
	useAVX2   = cpu.X86.HasAVX2 && cpu.X86.HasFMA && os.Getenv("NABLA_KERNEL") != "portable"
	useAVX512 = useAVX2 && hasAVX512 && os.Getenv("NABLA_KERNEL") != "avx2"

	hasAVX512 = cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL && cpu.X86.HasBMI2
)
