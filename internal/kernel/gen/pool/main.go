// Command pool writes the processor instructions that the worker pool and the
// choice of block sizes need.
package main

import (
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func main() {
	build.TEXT("spin", build.NOSPLIT, "func(rounds int)")
	build.Doc("spin executes PAUSE the given number of times, at least once: it leaves the",
		"core's resources to whatever else runs on it.")
	rounds := build.Load(build.Param("rounds"), build.GP64())
	build.Label("again")
	build.PAUSE()
	build.DECQ(rounds)
	build.JNZ(operand.LabelRef("again"))
	build.RET()
	cpuid()
	build.Generate()
}

func cpuid() {
	build.TEXT("cpuid", build.NOSPLIT, "func(leaf, index uint32) (a, b, c, d uint32)")
	build.Doc("cpuid asks the processor what it is.")
	build.Load(build.Param("leaf"), reg.EAX)
	build.Load(build.Param("index"), reg.ECX)
	build.CPUID()
	build.Store(reg.EAX, build.Return("a"))
	build.Store(reg.EBX, build.Return("b"))
	build.Store(reg.ECX, build.Return("c"))
	build.Store(reg.EDX, build.Return("d"))
	build.RET()
}
