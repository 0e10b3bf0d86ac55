package xla

import (
	"fmt"
	"slices"
)

var matrices = map[string]lowering{
	"matmul":           matmul,
	"cholesky":         cholesky,
	"solve":            func(c *call) value { return eliminate(c.in[0], c.in[1]).solution },
	"solve triangular": func(c *call) value { return solveTriangular(c, "NO_TRANSPOSE") },
	"solve transposed": func(c *call) value { return solveTriangular(c, "TRANSPOSE") },
	"inverse":          func(c *call) value { return eliminate(c.in[0], identity(c.in[0])).solution },
	"det":              func(c *call) value { return eliminate(c.in[0], value{}).det() },
	"det sign":         func(c *call) value { return eliminate(c.in[0], value{}).sign() },
	"log det":          func(c *call) value { return eliminate(c.in[0], value{}).logDet() },
	"cofactor":         cofactors,
}

func matmul(c *call) value {
	x, y := c.in[0], c.in[1]
	rank := len(c.shape)
	alongX, alongY := 1, 0
	if c.a() != 0 {
		alongX = 0
	}
	if c.b() != 0 {
		alongY = 1
	}
	if rank == 2 {
		return x.dot(y, nil, nil, []int{alongX}, []int{alongY})
	}
	lead := rank - 2
	batch := make([]int, lead)
	for i := range batch {
		batch[i] = i
	}
	x = x.expand(append(slices.Clone(c.shape[:lead]), x.shape[len(x.shape)-2:]...))
	y = y.expand(append(slices.Clone(c.shape[:lead]), y.shape[len(y.shape)-2:]...))
	return x.dot(y, batch, batch, []int{lead + alongX}, []int{lead + alongY})
}

// transposed exchanges the last two axes.
func (x value) transposed() value {
	order := make([]int, len(x.shape))
	for i := range order {
		order[i] = i
	}
	n := len(order)
	order[n-1], order[n-2] = n-2, n-1
	return x.permute(order...)
}

func cholesky(c *call) value {
	x, rank := c.in[0], len(c.shape)
	if x.size() == 0 {
		return x
	}
	x = x.add(x.transposed()).times(0.5)
	l := x.p.op(x.kind, x.shape, fmt.Sprintf("stablehlo.cholesky %s, lower = true : %s", x.name, x.typ()))
	row, column := c.p.iota(c.shape, rank-2), c.p.iota(c.shape, rank-1)
	return column.compare("LE", row).pick(l, l.like(0))
}

func solveTriangular(c *call, transposed string) value {
	l, b := c.in[0], c.in[1]
	if b.size() == 0 {
		return b
	}
	return b.p.op(b.kind, b.shape, fmt.Sprintf(
		`"stablehlo.triangular_solve"(%s, %s) <{left_side = true, lower = true, transpose_a = #stablehlo<transpose %s>, unit_diagonal = false}> : (%s, %s) -> %s`,
		l.name, b.name, transposed, l.typ(), b.typ(), b.typ()))
}

// identity returns unit matrices in the shape of x.
func identity(x value) value {
	rank := len(x.shape)
	row, column := x.p.iota(x.shape, rank-2), x.p.iota(x.shape, rank-1)
	return column.compare("EQ", row).pick(x.like(1), x.like(0))
}

// An elimination is what Gauss and Jordan's elimination with the greatest pivot
// of each column finds for matrices: [batch], except the solution.
type elimination struct {
	pivots   []value // along the diagonal
	swaps    value   // 1 or −1, as rows were exchanged
	solution value
	shape    []int // of a number for each matrix
}

// eliminate solves a·x = b, or only factors a if there is no b.
func eliminate(a, b value) elimination {
	rank := len(a.shape)
	lead, n := a.shape[:rank-2], a.shape[rank-1]
	batch := sizeOf(lead)
	e := elimination{shape: slices.Clone(lead), swaps: a.p.number(1, []int{batch})}
	a = a.reshape(batch, n, n)
	shape := b.shape
	solves := b.p != nil
	if solves {
		b = b.reshape(batch, n, shape[rank-1])
	}
	for k := range n {
		e.pivot(&a, &b, k, solves)
	}
	if solves {
		e.solution = b.reshape(shape...)
	}
	return e
}

// pivot makes column k that of a unit matrix.
func (e *elimination) pivot(a, b *value, k int, solves bool) {
	p, batch, n := a.p, a.shape[0], a.shape[1]
	each := []int{batch, n}
	row := p.iota(each, 1)
	column := a.narrow(2, k, 1).reshape(batch, n)
	size := row.is("GE", float64(k)).pick(column.abs(), column.like(-1))
	greatest := size.compare("EQ", size.reduce("maximum", -inf, 1).kept(each, 1))
	first := greatest.pick(row, row.like(float64(n))).reduce("minimum", float64(n), 1)
	first = first.min(first.like(float64(n - 1))) // of NaN no number is the greatest
	swapped := first.is("NE", float64(k))
	e.swaps = swapped.pick(e.swaps.neg(), e.swaps)
	chosen := row.compare("EQ", first.kept(each, 1))
	*a = exchange(*a, chosen, k)
	line := a.narrow(1, k, 1)
	pivot := line.narrow(2, k, 1)
	e.pivots = append(e.pivots, pivot.reshape(batch))
	factors := a.narrow(2, k, 1).div(pivot.expand([]int{batch, n, 1})) // of each row
	mine := p.iota([]int{batch, n, 1}, 1).is("EQ", float64(k))
	if solves {
		*b = exchange(*b, chosen, k)
		*b = combine(*b, factors, pivot, mine, k)
		*a = combine(*a, factors, pivot, mine, k)
		return
	}
	*a = combine(*a, factors, pivot, mine, k)
}

// exchange exchanges row k of the matrices with the chosen one.
func exchange(a, chosen value, k int) value {
	line := a.narrow(1, k, 1).expand(a.shape)
	at := chosen.spread(a.shape, []int{0, 1})
	picked := at.pick(a, a.like(0)).sum(1).kept(a.shape, 1)
	here := a.p.iota(a.shape, 1).is("EQ", float64(k))
	return here.pick(picked, at.pick(line, a))
}

// combine divides row k by the pivot and takes it off the others, as often as
// the factors say.
func combine(a, factors, pivot, mine value, k int) value {
	line := a.narrow(1, k, 1).expand(a.shape)
	rest := a.sub(factors.expand(a.shape).mul(line))
	return mine.expand(a.shape).pick(line.div(pivot.expand(a.shape)), rest)
}

func (e elimination) det() value {
	y := e.swaps
	for _, p := range e.pivots {
		y = y.mul(p)
	}
	return y.reshape(e.shape...)
}

func (e elimination) sign() value {
	y := e.swaps
	for _, p := range e.pivots {
		y = y.mul(p.sign())
	}
	return y.reshape(e.shape...)
}

func (e elimination) logDet() value {
	y := e.swaps.like(0)
	for _, p := range e.pivots {
		y = y.add(p.abs().log())
	}
	return y.reshape(e.shape...)
}

// cofactors returns the determinants of the minors, with their signs: of
// singular matrices too.
func cofactors(c *call) value {
	x, rank := c.in[0], len(c.shape)
	n := x.shape[rank-1]
	if x.size() == 0 {
		return x
	}
	batch := x.size() / (n * n)
	var places []int
	signs := make([]float64, n*n)
	for i := range n {
		for j := range n {
			signs[i*n+j] = float64(1 - 2*((i+j)%2))
			for k := range n * n {
				if k/n != i && k%n != j {
					places = append(places, k)
				}
			}
		}
	}
	minors := x.reshape(batch, n*n).takeAlong(1, c.p.ints(places, []int{len(places)}))
	dets := eliminate(minors.reshape(batch, n*n, n-1, n-1), value{}).det()
	return dets.mul(c.p.numbers(signs, []int{n * n}).expand([]int{batch, n * n})).reshape(c.shape...)
}
