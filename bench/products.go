package main

import (
	"fmt"
	"math/rand/v2"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/mat"

	"nabla/internal/kernel"
)

// A form is the sizes of a matrix product, m×k by k×n. A transposed operand is
// stored the other way round.
type form struct {
	m, k, n        int
	transA, transB bool
}

// products are W4: square products, and the three of a layer of 784 inputs and
// 128 outputs with 64 rows (forward, gradient of the weights, gradient of the
// input).
func products() []workload {
	var list []workload
	for _, n := range []int{64, 128, 256, 384, 512, 768, 1024, 2048} {
		list = append(list, product(fmt.Sprintf("W4-%d", n), form{m: n, k: n, n: n}))
	}
	for _, f := range []form{
		{m: 64, k: 784, n: 128},
		{m: 784, k: 64, n: 128, transA: true},
		{m: 64, k: 128, n: 784, transB: true},
	} {
		list = append(list, product(fmt.Sprintf("W4-%dx%dx%d", f.m, f.k, f.n), f))
	}
	return list
}

func product(name string, f form) workload {
	return workload{
		name:  name,
		flops: 2 * float64(f.m*f.k*f.n),
		form:  f,
		nabla: inPrecision(newMatrices[float32](f), newMatrices[float64](f)),
		peers: []peer{withOpenBLAS, withTorch, {"gonum", inPrecision(newGonum32(f), newGonum64(f))}},
	}
}

// matrices are two operands and their product, by Nabla's kernel.
type matrices[T number] struct {
	form
	a, b, c []T
}

// newMatrices returns operands drawn from a normal distribution.
func newMatrices[T number](f form) func() *matrices[T] {
	return func() *matrices[T] {
		rng := rand.New(rand.NewPCG(5, 0))
		return &matrices[T]{f, normal[T](rng, f.m*f.k), normal[T](rng, f.k*f.n), make([]T, f.m*f.n)}
	}
}

func normal[T number](rng *rand.Rand, n int) []T {
	values := make([]T, n)
	for i := range values {
		values[i] = T(rng.NormFloat64())
	}
	return values
}

func (m *matrices[T]) step() {
	kernel.MatMul(m.c, m.a, m.b, m.m, m.n, m.k, m.transA, m.transB)
}

// stored returns the rows and columns of the operands as they lie in memory.
func (f form) stored() (aRows, aColumns, bRows, bColumns int) {
	aRows, aColumns, bRows, bColumns = f.m, f.k, f.k, f.n
	if f.transA {
		aRows, aColumns = aColumns, aRows
	}
	if f.transB {
		bRows, bColumns = bColumns, bRows
	}
	return aRows, aColumns, bRows, bColumns
}

// gonum64 is a product by gonum's mat, in plain Go and its own assembly.
type gonum64 struct {
	a, b mat.Matrix
	c    *mat.Dense
}

func newGonum64(f form) func() *gonum64 {
	return func() *gonum64 {
		m := newMatrices[float64](f)()
		ar, ac, br, bc := f.stored()
		g := &gonum64{mat.NewDense(ar, ac, m.a), mat.NewDense(br, bc, m.b), mat.NewDense(f.m, f.n, m.c)}
		if f.transA {
			g.a = g.a.T()
		}
		if f.transB {
			g.b = g.b.T()
		}
		return g
	}
}

func (g *gonum64) step() { g.c.Mul(g.a, g.b) }

// gonum32 is a product by gonum's blas32: mat has float64 only.
type gonum32 struct {
	a, b, c        blas32.General
	transA, transB blas.Transpose
}

func newGonum32(f form) func() *gonum32 {
	return func() *gonum32 {
		m := newMatrices[float32](f)()
		ar, ac, br, bc := f.stored()
		g := &gonum32{
			a:      blas32.General{Rows: ar, Cols: ac, Stride: ac, Data: m.a},
			b:      blas32.General{Rows: br, Cols: bc, Stride: bc, Data: m.b},
			c:      blas32.General{Rows: f.m, Cols: f.n, Stride: f.n, Data: m.c},
			transA: blas.NoTrans,
			transB: blas.NoTrans,
		}
		if f.transA {
			g.transA = blas.Trans
		}
		if f.transB {
			g.transB = blas.Trans
		}
		return g
	}
}

func (g *gonum32) step() { blas32.Gemm(g.transA, g.transB, 1, g.a, g.b, 0, g.c) }
