package matrix

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack"
	"gonum.org/v1/gonum/lapack/gonum"

	"nabla/autograd"
	"nabla/internal/kernel"
)

// LAPACK's routines work in float64 and in place; numbers of float32 are
// widened and the results rounded once. gonum's skip products with 0, so that
// a NaN may get lost: matrices with NaN or infinities are not given to them.

var routines gonum.Implementation

// numbers returns a copy of a tensor's numbers in float64.
func numbers(t autograd.Tensor, work *autograd.Workspace) []float64 {
	x := work.Floats(t.Size())
	if t.Precision() == autograd.Float32 {
		kernel.Convert64(x, t.Raw32())
	} else {
		copy(x, t.Raw64())
	}
	return x
}

// result returns room for a tensor's numbers in float64; give them to set.
func result(t autograd.Tensor, work *autograd.Workspace) []float64 {
	if t.Precision() == autograd.Float32 {
		return work.Floats(t.Size())
	}
	return t.Raw64()
}

// set makes what result returned the tensor's numbers.
func set(t autograd.Tensor, x []float64) {
	if t.Precision() == autograd.Float32 {
		kernel.Convert32(t.Raw32(), x)
	}
}

// finite reports whether all numbers are.
func finite(x []float64) bool {
	_, ok := kernel.IsFinite(x)
	return ok
}

func choleskyInto(dst autograd.Tensor, in []autograd.Tensor, work *autograd.Workspace) {
	n := dst.Dim(-1)
	x, y := numbers(in[0], work), result(dst, work)
	for at := 0; at < len(y); at += n * n {
		a, l := x[at:at+n*n], y[at:at+n*n]
		clear(l)
		for i := range n {
			for j := range i + 1 {
				l[i*n+j] = a[i*n+j]/2 + a[j*n+i]/2
			}
		}
		if finite(a) && routines.Dpotrf(blas.Lower, n, l, n) {
			continue
		}
		for i := range n {
			kernel.Fill(l[i*n:i*n+i+1], math.NaN())
		}
	}
	set(dst, y)
}

func solveInto(dst autograd.Tensor, in []autograd.Tensor, work *autograd.Workspace) {
	n, columns := dst.Dim(-2), dst.Dim(-1)
	a, b, pivots := numbers(in[0], work), numbers(in[1], work), work.Ints(n)
	y := result(dst, work)
	for i := 0; i < len(y); i += n * columns {
		x := y[i : i+n*columns]
		copy(x, b[i:])
		if !finite(a[:n*n]) || !routines.Dgetrf(n, n, a[:n*n], n, pivots) {
			kernel.Fill(x, math.NaN())
		} else {
			spoil(x, columns)
			routines.Dgetrs(blas.NoTrans, n, columns, a[:n*n], n, pivots, x, columns)
		}
		a = a[n*n:]
	}
	set(dst, y)
}

// spoil makes the columns NaN that have a number which is not finite.
func spoil(x []float64, columns int) {
	if finite(x) {
		return
	}
	for i, v := range x {
		if v-v != 0 {
			for j := i % columns; j < len(x); j += columns {
				x[j] = math.NaN()
			}
		}
	}
}

// solveTriangularInto solves L·x = b, or Lᵀ·x = b.
func solveTriangularInto(transposed bool) computation {
	trans := blas.NoTrans
	if transposed {
		trans = blas.Trans
	}
	return func(dst autograd.Tensor, in []autograd.Tensor, work *autograd.Workspace) {
		n, columns := dst.Dim(-2), dst.Dim(-1)
		l, b, y := numbers(in[0], work), numbers(in[1], work), result(dst, work)
		for i := 0; i < len(y); i += n * columns {
			x := y[i : i+n*columns]
			copy(x, b[i:])
			if finite(l[:n*n]) {
				spoil(x, columns)
				blas64.Implementation().Dtrsm(blas.Left, blas.Lower, trans, blas.NonUnit, n, columns, 1, l, n, x, columns)
			} else {
				kernel.Fill(x, math.NaN())
			}
			l = l[n*n:]
		}
		set(dst, y)
	}
}

func inverseInto(dst autograd.Tensor, in []autograd.Tensor, work *autograd.Workspace) {
	n := dst.Dim(-1)
	x, y, pivots, room := numbers(in[0], work), result(dst, work), work.Ints(n), work.Floats(panel*n)
	for i := 0; i < len(y); i += n * n {
		copy(y[i:i+n*n], x[i:])
		if !invert(y[i:i+n*n], n, pivots, room) {
			kernel.Fill(y[i:i+n*n], math.NaN())
		}
	}
	set(dst, y)
}

// panel is the width of the blocks in which LAPACK inverts.
const panel = 64

// invert replaces an n×n matrix by its inverse, if it has one.
func invert(a []float64, n int, pivots []int, room []float64) bool {
	return finite(a) && routines.Dgetrf(n, n, a, n, pivots) && routines.Dgetri(n, a, n, pivots, room, panel*n)
}

// A product is mantissa·2^exponent: determinants may leave the range on the
// way.
type product struct {
	mantissa float64
	exponent int
}

func (p product) times(v float64) product {
	m, e := math.Frexp(p.mantissa * v)
	return product{m, p.exponent + e}
}

func (p product) value() float64 { return math.Ldexp(p.mantissa, p.exponent) }

// factors replaces an n×n matrix by its LU factors and returns the sign of
// their permutation; NaN if the matrix has a number that is not finite.
func factors(a []float64, n int, pivots []int) (sign float64) {
	if !finite(a) {
		return math.NaN()
	}
	routines.Dgetrf(n, n, a, max(n, 1), pivots)
	sign = 1
	for i, p := range pivots {
		if p != i {
			sign = -sign
		}
	}
	return sign
}

// determinant returns that of an n×n matrix, which it overwrites.
func determinant(a []float64, n int, pivots []int) product {
	p := product{factors(a, n, pivots), 0}
	for i := range n {
		p = p.times(a[i*n+i])
	}
	return p
}

// each computes one number from each matrix, which f may overwrite.
func each(dst autograd.Tensor, a autograd.Tensor, work *autograd.Workspace, f func(a []float64, n int, pivots []int) float64) {
	n := a.Dim(-1)
	x, y, pivots := numbers(a, work), result(dst, work), work.Ints(n)
	for i := range y {
		y[i] = f(x[i*n*n:(i+1)*n*n], n, pivots)
	}
	set(dst, y)
}

func detInto(dst autograd.Tensor, in []autograd.Tensor, work *autograd.Workspace) {
	each(dst, in[0], work, func(a []float64, n int, pivots []int) float64 { return determinant(a, n, pivots).value() })
}

func detSignInto(dst autograd.Tensor, in []autograd.Tensor, work *autograd.Workspace) {
	each(dst, in[0], work, func(a []float64, n int, pivots []int) float64 {
		sign := factors(a, n, pivots)
		for i := range n {
			switch v := a[i*n+i]; {
			case v < 0:
				sign = -sign
			case v == 0:
				return 0
			}
		}
		return sign
	})
}

func logDetInto(dst autograd.Tensor, in []autograd.Tensor, work *autograd.Workspace) {
	each(dst, in[0], work, func(a []float64, n int, pivots []int) float64 {
		if sign := factors(a, n, pivots); sign != sign {
			return sign
		}
		sum := 0.0
		for i := range n {
			sum += math.Log(math.Abs(a[i*n+i]))
		}
		return sum
	})
}

func cofactorInto(dst autograd.Tensor, in []autograd.Tensor, work *autograd.Workspace) {
	n := dst.Dim(-1)
	x, y := numbers(in[0], work), result(dst, work)
	room := svd{work.Floats(n * n), work.Floats(n * n), work.Floats(n), work.Floats(panel * max(n, 1)), work.Ints(n)}
	for i := 0; i < len(y); i += n * n {
		if a := x[i : i+n*n]; finite(a) {
			room.cofactors(y[i:i+n*n], a, n)
		} else {
			kernel.Fill(y[i:i+n*n], math.NaN())
		}
	}
	set(dst, y)
}

// An svd is room for the singular value decomposition of a matrix, or for its
// inverse.
type svd struct {
	u, vt, values, work []float64
	pivots              []int
}

// cofactors computes the cofactors of an n×n matrix a, which it overwrites. If
// a is far from singular they are det a·a⁻ᵀ. Otherwise, for a = U·S·Vᵀ, they
// are det U·det V · U·P·Vᵀ, where P has the products of the other singular
// values. That takes many times as long, but divides by no singular value.
func (d svd) cofactors(dst, a []float64, n int) {
	if d.byInverse(dst, a, n) {
		return
	}
	ok := routines.Dgesvd(lapack.SVDAll, lapack.SVDAll, n, n, a, n, d.values, d.u, n, d.vt, n, d.work, len(d.work))
	if !ok {
		kernel.Fill(dst, math.NaN())
		return
	}
	clear(dst)
	scale := math.MinInt
	for k := range n {
		if p := d.others(k); p.mantissa != 0 {
			scale = max(scale, p.exponent)
		}
	}
	for k := range n {
		p := d.others(k)
		share := math.Ldexp(p.mantissa, p.exponent-scale)
		for i := range n {
			for j := range n {
				dst[i*n+j] += d.u[i*n+k] * share * d.vt[k*n+j]
			}
		}
	}
	for i, v := range dst {
		dst[i] = math.Ldexp(v, scale)
	}
	if (determinant(d.u, n, d.pivots).mantissa < 0) != (determinant(d.vt, n, d.pivots).mantissa < 0) {
		for i, v := range dst {
			dst[i] = -v
		}
	}
}

// others returns the product of the singular values but for one.
func (d svd) others(k int) product {
	p := product{1, 0}
	for i, s := range d.values {
		if i != k {
			p = p.times(s)
		}
	}
	return p
}

// byInverse computes the cofactors if a is far from singular.
func (d svd) byInverse(dst, a []float64, n int) bool {
	copy(dst, a)
	det := product{factors(dst, n, d.pivots), 0}
	for i := range n {
		det = det.times(dst[i*n+i])
	}
	if !(pivotRatio(dst, n) > 1e-4) || !routines.Dgetri(n, dst, n, d.pivots, d.work, len(d.work)) {
		return false
	}
	for i := range n {
		for j := range i + 1 {
			dst[i*n+j], dst[j*n+i] = det.times(dst[j*n+i]).value(), det.times(dst[i*n+j]).value()
		}
	}
	return true
}

// pivotRatio returns the ratio of the smallest to the greatest pivot of LU
// factors: near 0 if the matrix is nearly singular.
func pivotRatio(lu []float64, n int) float64 {
	least, most := math.Inf(1), 0.0
	for i := range n {
		v := math.Abs(lu[i*n+i])
		least, most = min(least, v), max(most, v)
	}
	return least / most
}

// isRegular reports whether no matrix is singular or nearly so, as its pivots
// tell.
func isRegular(t autograd.Tensor) bool {
	n := t.Dim(-1)
	x, pivots := t.Float64s(), make([]int, n)
	for ; len(x) > 0; x = x[n*n:] {
		sign := factors(x[:n*n], n, pivots)
		if sign == sign && !(pivotRatio(x, n) > 1e-8) { // 0/0 for zeros
			return false
		}
	}
	return true
}
