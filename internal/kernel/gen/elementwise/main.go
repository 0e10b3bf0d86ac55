// Command elementwise writes the AVX2 and AVX-512 kernels of elementwise
// functions, reductions and optimizer updates, their Go declarations, and the
// tables that register them, into the package kernel two folders up. Run it in
// the folder above: go run ./elementwise.
//
// To give a function of the package kernel a vector form, describe it here
// once, in the file of its family: l.unary or l.binary with the name of its
// variable, and l.gradient for its derivative.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
	"github.com/mmcloughlin/avo/reg"
)

// families are the files to write, named without _amd64.s.
var families = []struct {
	name   string
	vector int // bits
	write  func(f *file)
}{
	{"arithmetic", 256, arithmetic},
	{"comparison", 256, comparison},
	{"activations", 256, activations},
	{"transcendental", 256, transcendental},
	{"special", 256, special},
	{"power", 256, power},
	{"reduce", 256, reductions},
	{"inverse", 256, inverse},
	{"columns", 256, columns},
	{"optim", 256, optimizers},
	{"slopes", 256, slopes},
	{"normalize", 256, normalizations},
	{"recurrent", 256, recurrences},
	{"transcendental512", 512, transcendental},
	{"special512", 512, special},
	{"power512", 512, power},
	{"reduce512", 512, wideReductions},
	{"inverse512", 512, inverse},
	{"columns512", 512, columns},
	{"slopes512", 512, slopes},
	{"recurrent512", 512, recurrences},
}

func main() {
	dir := flag.String("dir", "..", "folder of the package kernel")
	flag.Parse()
	t := newTables()
	for _, family := range families {
		if err := write(t, *dir, family.name, family.vector, family.write); err != nil {
			log.Fatalf("%s: %v", family.name, err)
		}
	}
	if err := t.write(*dir); err != nil {
		log.Fatal(err)
	}
}

func write(t *tables, dir, name string, vector int, emit func(f *file)) error {
	f := &file{Context: build.NewContext(), tables: t, name: name, vector: vector, places: map[constant]int{}}
	emit(f)
	f.writeConstants()
	f.writePieces()
	ir, err := f.Result()
	if err != nil {
		build.LogError(log.Default(), err, 10)
		return err
	}
	if err := pass.Compile.Execute(ir); err != nil {
		return err
	}
	if err := f.checkRegisters(ir); err != nil {
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

// checkRegisters fails if a kernel on 256 bits needs a register that only
// AVX-512 has: avo assigns those too, and the kernel would not run on other
// processors.
func (f *file) checkRegisters(ir *ir.File) error {
	if f.vector == 512 {
		return nil
	}
	for _, fn := range ir.Functions() {
		for _, i := range fn.Instructions() {
			for _, r := range i.Registers() {
				if v, ok := r.(reg.VecPhysical); ok && v.PhysicalIndex() > 15 {
					return fmt.Errorf("%s needs more than 16 registers", fn.Name)
				}
			}
		}
	}
	return nil
}
