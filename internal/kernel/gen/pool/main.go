// Command pool writes the processor instruction that the worker pool needs.
package main

import (
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
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
	build.Generate()
}
