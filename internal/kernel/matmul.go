package kernel

// MatMul is the matrix product dst = op(a)·op(b). dst is m × n, op(a) m × k and
// op(b) k × n. a is stored m × k, or k × m with transA; b is stored k × n, or n
// × k with transB. dst may not overlap a or b.
//
// Products follow IEEE 754 (0·NaN is NaN), and k = 0 gives zeros. Each element
// is a sum over k in an order that depends on the sizes alone, and not on the
// number of processors that share the work.
func MatMul[T Float](dst, a, b []T, m, n, k int, transA, transB bool) {
	dst, a, b = dst[:m*n], a[:m*k], b[:k*n]
	if m == 0 || n == 0 {
		return
	}
	if k == 0 {
		clear(dst)
		return
	}
	if !fastMatMul(dst, a, b, m, n, k, transA, transB) {
		portableMatMul(dst, a, b, m, n, k, transA, transB)
	}
}

// portableMatMul is MatMul for every processor; m, n and k are positive.
func portableMatMul[T Float](dst, a, b []T, m, n, k int, transA, transB bool) {
	clear(dst)
	p := product[T]{dst: dst, a: a, b: b, n: n, k: k, rowStep: k, stepInRow: 1}
	if transA {
		p.rowStep, p.stepInRow = 1, m
	}
	if transB || n == 1 { // a single column is stored as its transpose is
		if transA {
			var gathered [2][dotLength]T
			p.dots(m, &gathered)
		} else {
			p.dots(m, nil)
		}
		return
	}
	for j := 0; j < n; j += blockCols {
		for q := 0; q < k; q += blockInner {
			p.addRows(m, j, min(j+blockCols, n), q, min(q+blockInner, k))
		}
	}
}

// The size of a block of b, which stays in the second-level cache, and the
// length of the pieces of rows that dots keeps in the first.
const (
	blockCols  = 256
	blockInner = 128
	dotLength  = 256
)

// product is a matrix product in progress. Element (i, q) of op(a) is
// a[i·rowStep + q·stepInRow].
type product[T Float] struct {
	dst, a, b          []T
	n, k               int
	rowStep, stepInRow int
}

// addRows adds the products of one block of b, stored k × n, to the columns j0
// ≤ j < j1 of dst: to two rows of dst at a time, multiples of four rows of b.
func (p *product[T]) addRows(m, j0, j1, q0, q1 int) {
	i := 0
	for ; i+2 <= m; i += 2 {
		d0, d1 := p.dst[i*p.n+j0:i*p.n+j1], p.dst[(i+1)*p.n+j0:(i+1)*p.n+j1]
		at := i*p.rowStep + q0*p.stepInRow
		q := q0
		for ; q+4 <= q1; q += 4 {
			c0, c1 := p.four(at), p.four(at+p.rowStep)
			addFourToTwo(d0, d1, p.row(q, j0, j1), p.row(q+1, j0, j1), p.row(q+2, j0, j1), p.row(q+3, j0, j1), &c0, &c1)
			at += 4 * p.stepInRow
		}
		for ; q < q1; q++ {
			row := p.row(q, j0, j1)
			axpy(d0, p.a[at], row)
			axpy(d1, p.a[at+p.rowStep], row)
			at += p.stepInRow
		}
	}
	if i < m {
		p.addLastRow(i, j0, j1, q0, q1)
	}
}

func (p *product[T]) addLastRow(i, j0, j1, q0, q1 int) {
	d := p.dst[i*p.n+j0 : i*p.n+j1]
	at := i*p.rowStep + q0*p.stepInRow
	q := q0
	for ; q+4 <= q1; q += 4 {
		c := p.four(at)
		addFour(d, p.row(q, j0, j1), p.row(q+1, j0, j1), p.row(q+2, j0, j1), p.row(q+3, j0, j1), &c)
		at += 4 * p.stepInRow
	}
	for ; q < q1; q++ {
		axpy(d, p.a[at], p.row(q, j0, j1))
		at += p.stepInRow
	}
}

// row returns a piece of a row of b.
func (p *product[T]) row(q, j0, j1 int) []T { return p.b[q*p.n+j0 : q*p.n+j1] }

// four returns four consecutive elements of a row of op(a).
func (p *product[T]) four(at int) [4]T {
	s := p.stepInRow
	return [4]T{p.a[at], p.a[at+s], p.a[at+2*s], p.a[at+3*s]}
}

func addFourToTwo[T Float](d0, d1, b0, b1, b2, b3 []T, c0, c1 *[4]T) {
	n := len(d0)
	d1, b0, b1, b2, b3 = d1[:n], b0[:n], b1[:n], b2[:n], b3[:n]
	c00, c01, c02, c03 := c0[0], c0[1], c0[2], c0[3]
	c10, c11, c12, c13 := c1[0], c1[1], c1[2], c1[3]
	for j := range d0 {
		v0, v1, v2, v3 := b0[j], b1[j], b2[j], b3[j]
		d0[j] += (c00*v0 + c01*v1) + (c02*v2 + c03*v3)
		d1[j] += (c10*v0 + c11*v1) + (c12*v2 + c13*v3)
	}
}

func addFour[T Float](d, b0, b1, b2, b3 []T, c *[4]T) {
	n := len(d)
	b0, b1, b2, b3 = b0[:n], b1[:n], b2[:n], b3[:n]
	c0, c1, c2, c3 := c[0], c[1], c[2], c[3]
	for j := range d {
		d[j] += (c0*b0[j] + c1*b1[j]) + (c2*b2[j] + c3*b3[j])
	}
}

// dots adds the product for b stored n × k: each element is a dot product of a
// row of op(a) and a row of b. The rows of a transposed a are scattered, so
// they are gathered first, one piece at a time; otherwise gathered may be nil.
func (p *product[T]) dots(m int, gathered *[2][dotLength]T) {
	for q := 0; q < p.k; q += dotLength {
		length := min(dotLength, p.k-q)
		i := 0
		for ; i+2 <= m; i += 2 {
			p.dotTwo(i, q, p.piece(i, q, length, gathered, 0), p.piece(i+1, q, length, gathered, 1))
		}
		if i < m {
			p.dotOne(i, q, p.piece(i, q, length, gathered, 0))
		}
	}
}

// piece returns elements of row i of op(a) from q on: in place if they are
// contiguous, else gathered.
func (p *product[T]) piece(i, q, length int, gathered *[2][dotLength]T, which int) []T {
	at := i*p.rowStep + q*p.stepInRow
	if gathered == nil {
		return p.a[at : at+length]
	}
	to := gathered[which][:length]
	for j := range to {
		to[j] = p.a[at]
		at += p.stepInRow
	}
	return to
}

// dotTwo adds to rows i and i+1 of dst, four columns at a time.
func (p *product[T]) dotTwo(i, q int, a0, a1 []T) {
	d0, d1 := p.dst[i*p.n:(i+1)*p.n], p.dst[(i+1)*p.n:(i+2)*p.n]
	length := len(a0)
	j := 0
	for ; j+4 <= p.n; j += 4 {
		at := j*p.k + q
		s0, s1 := dotTwoByFour(a0, a1, p.b[at:at+length], p.b[at+p.k:at+p.k+length], p.b[at+2*p.k:at+2*p.k+length], p.b[at+3*p.k:at+3*p.k+length])
		for l := range 4 {
			d0[j+l] += s0[l]
			d1[j+l] += s1[l]
		}
	}
	for ; j < p.n; j++ {
		row := p.b[j*p.k+q : j*p.k+q+length]
		d0[j] += dot(a0, row)
		d1[j] += dot(a1, row)
	}
}

func (p *product[T]) dotOne(i, q int, a []T) {
	for j := range p.n {
		p.dst[i*p.n+j] += dot(a, p.b[j*p.k+q:j*p.k+q+len(a)])
	}
}

func dotTwoByFour[T Float](a0, a1, b0, b1, b2, b3 []T) (s0, s1 [4]T) {
	n := len(a0)
	a1, b0, b1, b2, b3 = a1[:n], b0[:n], b1[:n], b2[:n], b3[:n]
	var s00, s01, s02, s03, s10, s11, s12, s13 T
	for q, u := range a0 {
		v := a1[q]
		w := b0[q]
		s00 += u * w
		s10 += v * w
		w = b1[q]
		s01 += u * w
		s11 += v * w
		w = b2[q]
		s02 += u * w
		s12 += v * w
		w = b3[q]
		s03 += u * w
		s13 += v * w
	}
	return [4]T{s00, s01, s02, s03}, [4]T{s10, s11, s12, s13}
}

// dot is a dot product with four sums, which the processor adds up in parallel.
func dot[T Float](x, y []T) T {
	var s0, s1, s2, s3 T
	y = y[:len(x)]
	for len(x) >= 4 && len(y) >= 4 {
		s0 += x[0] * y[0]
		s1 += x[1] * y[1]
		s2 += x[2] * y[2]
		s3 += x[3] * y[3]
		x, y = x[4:], y[4:]
	}
	for i, v := range x {
		s0 += v * y[i]
	}
	return (s0 + s1) + (s2 + s3)
}
