package kernel

import (
	"os"

	"golang.org/x/sys/cpu"
)

// Which sets of assembly kernels are in use. They are chosen once, when the
// program starts, so that it computes all its results alike: the best sets that
// the processor has, unless the environment variable NABLA_KERNEL is
//
//	portable	none: loops in Go
//	avx2		no AVX-512
//
// useAVX512 implies useAVX2, which computes what AVX-512 has no kernel for.
var (
	useAVX2   = cpu.X86.HasAVX2 && cpu.X86.HasFMA && os.Getenv("NABLA_KERNEL") != "portable"
	useAVX512 = useAVX2 && hasAVX512 && os.Getenv("NABLA_KERNEL") != "avx2"

	hasAVX512 = cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL && cpu.X86.HasBMI2
)

// Set returns the name of what is in use, as NABLA_KERNEL has it: "portable",
// "avx2" or "avx512". Results are the same, bit by bit, within a set.
func Set() string {
	switch {
	case useAVX512:
		return "avx512"
	case useAVX2:
		return "avx2"
	}
	return "portable"
}
