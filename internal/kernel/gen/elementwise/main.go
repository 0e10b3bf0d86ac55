// Command elementwise writes the AVX2 kernels of elementwise functions, reductions and optimizer updates, and their Go
// declarations, into the package kernel two folders up. Run it in the folder above: go run ./elementwise.
package main

import (
	"flag"
	"log"
	"os"
	"path/filepath"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
)

// families are the files written, by name without _amd64.s.
var families = []struct {
	name  string
	write func(f *file)
}{
	{"arithmetic", arithmetic},
	{"comparison", comparison},
	{"activations", activations},
	{"transcendental", transcendental},
	{"special", special},
	{"reduce", reductions},
	{"optim", optimizers},
}

func main() {
	dir := flag.String("dir", "..", "folder of the package kernel")
	flag.Parse()
	for _, family := range families {
		if err := write(*dir, family.name, family.write); err != nil {
			log.Fatalf("%s: %v", family.name, err)
		}
	}
}

func write(dir, name string, emit func(f *file)) error {
	f := &file{Context: build.NewContext(), name: name, places: map[constant]int{}}
	emit(f)
	f.writeConstants()
	ir, err := f.Result()
	if err != nil {
		build.LogError(log.Default(), err, 10)
		return err
	}
	if err := pass.Compile.Execute(ir); err != nil {
		return err
	}
	config := printer.Config{Argv: []string{"go", "run", "./elementwise"}, Name: "avo", Pkg: "kernel"}
	code, err := printer.NewGoAsm(config).Print(ir)
	if err != nil {
		return err
	}
	stubs, err := printer.NewStubs(config).Print(ir)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, name+"_amd64.s"), code, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name+"_stubs_amd64.go"), stubs, 0o644)
}
