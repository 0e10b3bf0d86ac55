// Command products compares square products with those of libraries that have
// BLAS's names, in one process and without Python:
//
//	go -C bench/peers/products run . \
//		-libraries libopenblas.so.0,venv/lib/python3.11/site-packages/torch/lib/libtorch_cpu.so
//
// Nabla and the libraries alternate, on a core that no other thread of the
// process runs on: beside calls of C, Go's runtime wakes a thread of its own
// 5,000 times a second, and each time the core changes over. Time is the
// processor time of the thread. A ratio is a library's time divided by that of
// Nabla, in pairs that follow each other while the core has the same clock, and
// then the median of these: above 1, Nabla is faster. The libraries use one
// thread.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"nabla/internal/kernel"
)

func main() {
	names := flag.String("libraries", "libopenblas.so.0", "`names` or paths, separated by commas")
	sizes := flag.String("sizes", "256,384,512,768,1024,1536,2048", "rows and columns of the matrices")
	bits := flag.String("bits", "32,64", "precisions")
	core := flag.Int("core", 1, "the core to measure on")
	var p protocol
	flag.IntVar(&p.pairs, "pairs", 31, "to keep of each library")
	flag.Float64Var(&p.seconds, "seconds", 1.5e-3, "of a run, or as long as a product takes")
	flag.Parse()
	log.SetFlags(0)
	if err := run(*names, *sizes, *bits, *core, p); err != nil {
		log.Fatal(err)
	}
}

func run(names, sizes, bits string, core int, p protocol) error {
	libraries, err := open(strings.Split(names, ","))
	if err != nil {
		return err
	}
	runtime.GOMAXPROCS(1) // or Nabla's workers would help
	runtime.LockOSThread()
	if err := separate(core); err != nil {
		return err
	}
	debug.SetGCPercent(-1) // the operands are a few hundred MB at most
	header(libraries)
	for _, precision := range strings.Split(bits, ",") {
		measure := compare[float64]
		if precision == "32" {
			measure = compare[float32]
		} else if precision != "64" {
			return fmt.Errorf("%s bits: 32 or 64", precision)
		}
		for _, size := range strings.Split(sizes, ",") {
			n, err := strconv.Atoi(size)
			if err != nil || n < 1 {
				return fmt.Errorf("a size of %q", size)
			}
			if err := measure(n, libraries, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// open loads the libraries, which use one thread from then on.
func open(names []string) ([]*library, error) {
	for _, variable := range []string{"OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"} {
		if err := os.Setenv(variable, "1"); err != nil {
			return nil, err
		}
	}
	var all []*library
	for _, name := range names {
		l, err := load(name)
		if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, nil
}

func header(libraries []*library) {
	fmt.Print("| workload | bits | GFLOP/s |")
	for _, l := range libraries {
		fmt.Printf(" %s | pairs |", filepath.Base(l.name))
	}
	fmt.Print("\n| --- | ---: | ---: |", strings.Repeat(" ---: | ---: |", len(libraries)), "\n")
}

// compare measures products of one size and prints a row of the table.
func compare[T float32 | float64](n int, libraries []*library, p protocol) error {
	rng := rand.New(rand.NewPCG(5, 0))
	a, b, c := normal[T](rng, n*n), normal[T](rng, n*n), make([]T, n*n)
	contestants := []func(){func() { kernel.MatMul(c, a, b, n, n, n, false, false) }}
	contestants[0]()
	want := slices.Clone(c)
	for _, l := range libraries {
		contestants = append(contestants, func() { multiply(l, c, a, b, n) })
		clear(c)
		multiply(l, c, a, b, n)
		if d := farthest(c, want); d > 1e-5 {
			return fmt.Errorf("%s, size %d: elements differ by up to %g of the largest", l.name, n, d)
		}
	}
	seconds, ratios := p.measure(contestants)
	if len(seconds) == 0 {
		return errors.New("the core's clock was never steady")
	}
	fmt.Printf("| W4-%d | %d | %.1f |", n, bitsOf[T](), 2e-9*float64(n)*float64(n)*float64(n)/median(seconds))
	for _, r := range ratios {
		fmt.Printf(" %.3f | %d |", median(r), len(r))
	}
	fmt.Println()
	return nil
}

func bitsOf[T float32 | float64]() int {
	if _, ok := any(T(0)).(float32); ok {
		return 32
	}
	return 64
}

func normal[T float32 | float64](rng *rand.Rand, n int) []T {
	values := make([]T, n)
	for i := range values {
		values[i] = T(rng.NormFloat64())
	}
	return values
}

// farthest returns the greatest difference of elements, relative to the
// greatest element.
func farthest[T float32 | float64](x, y []T) float64 {
	var difference, greatest float64
	for i := range x {
		difference = max(difference, math.Abs(float64(x[i]-y[i])))
		greatest = max(greatest, math.Abs(float64(y[i])))
	}
	return difference / greatest
}

// median returns NaN of no numbers.
func median(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	x = slices.Sorted(slices.Values(x))
	return (x[len(x)/2] + x[(len(x)-1)/2]) / 2
}
