package kernel

import (
	"os"

	"golang.org/x/sys/cpu"
)

// useAVX2 chooses the assembly kernels. NABLA_KERNEL=portable in the environment of the program switches them off; it is read once, so
// that all products of a program are computed alike.
var useAVX2 = cpu.X86.HasAVX2 && cpu.X86.HasFMA && os.Getenv("NABLA_KERNEL") != "portable"
