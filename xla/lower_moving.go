package xla

import (
	"fmt"
	"slices"
	"strings"
)

var moving = map[string]lowering{
	"reshape":     func(c *call) value { return c.in[0].reshape(c.shape...) },
	"expand":      func(c *call) value { return c.in[0].expand(c.shape) },
	"permute":     func(c *call) value { return c.in[0].permute(c.ints...) },
	"slice":       slice,
	"pad":         func(c *call) value { return c.in[0].placed(c.a(), c.shape, c.ints) },
	"concat":      func(c *call) value { return concat(int(c.a()), c.in...) },
	"diagonal":    diagonal,
	"on diagonal": onDiagonal,
	"triu":        func(c *call) value { return triangle(c, "GE") },
	"tril":        func(c *call) value { return triangle(c, "LE") },
	"detach":      func(c *call) value { return c.in[0] },
	"unfold":      unfold,
	"fold":        fold,
}

// slice takes elements from a start on at steps, which may be negative: the
// integers are the starts and then the steps along all axes.
func slice(c *call) value {
	x, rank := c.in[0], len(c.shape)
	start, stop, step := make([]int, rank), make([]int, rank), make([]int, rank)
	var back []int
	for i, n := range c.shape {
		start[i], step[i] = c.ints[i], c.ints[rank+i]
		if n == 0 {
			start[i], step[i] = 0, 1
			continue
		}
		if step[i] < 0 {
			back = append(back, i)
			start[i], step[i] = x.shape[i]-1-start[i], -step[i]
		}
		stop[i] = start[i] + (n-1)*step[i] + 1
	}
	return x.flip(back...).cut(start, stop, step)
}

// placed puts the elements of x into a larger tensor of copies of v, as slice
// would take them from there.
func (x value) placed(v float64, shape, places []int) value {
	rank := len(shape)
	before, after, between := make([]int, rank), make([]int, rank), make([]int, rank)
	var back []int
	for i, n := range x.shape {
		if n == 0 {
			return x.p.number(v, shape)
		}
		start, step := places[i], places[rank+i]
		if step < 0 {
			back = append(back, i)
			start, step = start+(n-1)*step, -step
		}
		before[i], between[i], after[i] = start, step-1, shape[i]-(start+(n-1)*step+1)
	}
	return x.flip(back...).pad(x.p.number(v, nil), before, after, between)
}

// diagonal returns every (columns + 1)-th element of the matrices' rows in a
// row.
func diagonal(c *call) value {
	x := c.in[0]
	rank := len(x.shape)
	flat, start, columns := diagonalOf(x.shape, int(c.a()))
	n := c.shape[rank-2]
	if n == 0 {
		return x.p.number(0, c.shape)
	}
	from, to, step := make([]int, rank-1), slices.Clone(flat), ones(rank-1)
	from[rank-2], to[rank-2], step[rank-2] = start, start+(n-1)*(columns+1)+1, columns+1
	return x.reshape(flat...).cut(from, to, step)
}

// diagonalOf returns the shape of matrices whose rows lie in a row, where their
// diagonal begins there, and the number of columns.
func diagonalOf(shape []int, k int) (flat []int, start, columns int) {
	rank := len(shape)
	columns = shape[rank-1]
	flat = append(slices.Clone(shape[:rank-2]), shape[rank-2]*columns)
	return flat, max(0, -k)*columns + max(0, k), columns
}

func onDiagonal(c *call) value {
	x := c.in[0]
	flat, start, columns := diagonalOf(c.shape, int(c.a()))
	places := append(make([]int, len(flat)), ones(len(flat))...)
	places[len(flat)-1], places[2*len(flat)-1] = start, columns+1
	return x.placed(0, flat, places).reshape(c.shape...)
}

// triangle keeps the elements whose column minus row compares with a number.
func triangle(c *call, direction string) value {
	x, rank := c.in[0], len(c.shape)
	row, column := c.p.iota(c.shape, rank-2), c.p.iota(c.shape, rank-1)
	return column.sub(row).is(direction, c.a()).pick(x, x.like(0))
}

// take returns the slices of x along the first axis at an index.
func (x value) take(index value) value { return x.takeAlong(0, index) }

// takeAlong returns the slices of x along an axis at an index of one axis.
func (x value) takeAlong(axis int, index value) value {
	n := index.shape[0]
	shape := slices.Clone(x.shape)
	shape[axis] = n
	if sizeOf(shape) == 0 || x.size() == 0 {
		return x.p.zero(x.kind, shape)
	}
	sizes := slices.Clone(x.shape)
	sizes[axis] = 1
	return x.p.op(x.kind, shape, fmt.Sprintf(
		`"stablehlo.gather"(%s, %s) <{dimension_numbers = #stablehlo.gather<offset_dims = %s, collapsed_slice_dims = [%d], start_index_map = [%d], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64%s>}> : (%s, %s) -> %s`,
		x.name, index.name, list(others(len(x.shape), axis)), axis, axis, array(sizes), x.typ(), index.typ(), typeOf(x.kind, shape)))
}

// zero returns zeros of a kind.
func (p *program) zero(kind string, shape []int) value {
	if kind == "i64" {
		return p.int(0, shape)
	}
	return p.number(0, shape)
}

// others returns the axes but one.
func others(rank, axis int) []int {
	rest := []int{}
	for i := range rank {
		if i != axis {
			rest = append(rest, i)
		}
	}
	return rest
}

// array writes the elements of an array attribute: ": 1, 2".
func array(x []int) string {
	if len(x) == 0 {
		return ""
	}
	return ": " + strings.Trim(list(x), "[]")
}

// combineAlong combines slices of x along an axis, by an operation, with those
// that a tensor of a start number and a given length has at an index.
func (x value) combineAlong(op string, start float64, axis int, index value, length int) value {
	shape := slices.Clone(x.shape)
	shape[axis] = length
	to := x.p.zero(x.kind, shape)
	if start != 0 {
		to = to.like(start)
	}
	if x.size() == 0 || to.size() == 0 {
		return to
	}
	one := typeOf(x.kind, nil)
	return x.p.op(x.kind, shape, fmt.Sprintf(
		`"stablehlo.scatter"(%s, %s, %s) <{scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = %s, inserted_window_dims = [%d], scatter_dims_to_operand_dims = [%d], index_vector_dim = 1>, indices_are_sorted = false, unique_indices = false}> ({
^bb0(%%old: %s, %%new: %s):
%%both = stablehlo.%s %%old, %%new : %s
stablehlo.return %%both : %s
}) : (%s, %s, %s) -> %s`,
		to.name, index.name, x.name, list(others(len(x.shape), axis)), axis, axis, one, one, op, one, one, to.typ(), index.typ(), x.typ(), to.typ()))
}

// addAlong adds up slices of x along an axis at an index.
func (x value) addAlong(axis int, index value, length int) value {
	return x.combineAlong("add", 0, axis, index, length)
}

var indexing = map[string]lowering{
	"index select": func(c *call) value { return c.in[0].takeAlong(int(c.a()), c.places()) },
	"embedding": func(c *call) value {
		return c.in[0].take(c.places()).reshape(c.shape...)
	},
	"gather": func(c *call) value { return c.in[0].at(c.chosenPlaces(), c.shape) },
	"scatter add": func(c *call) value {
		x := c.in[0]
		return x.reshape(x.size()).addAlong(0, c.chosenPlaces(), sizeOf(c.shape)).reshape(c.shape...)
	},
	"index add": func(c *call) value {
		axis := int(c.a())
		return c.in[0].addAlong(axis, c.places(), c.shape[axis])
	},
	"segment sum": func(c *call) value { return c.in[0].addAlong(0, c.places(), c.shape[0]) },
	"segment softmax": func(c *call) value {
		x, segments, n := c.in[0], c.places(), int(c.a())
		most := x.combineAlong("maximum", -inf, 0, segments, n)
		most = most.isFinite().pick(most, most.like(0))
		e := x.sub(most.take(segments)).exp()
		return e.div(e.addAlong(0, segments, n).take(segments))
	},
}

// at returns the elements of x at places counted through all of them.
func (x value) at(places value, shape []int) value {
	return x.reshape(x.size()).take(places).reshape(shape...)
}

// unfold lays the windows of an image out in columns: element k of all windows
// is a slice of the padded image.
func unfold(c *call) value {
	x := c.in[0]
	g := geometryOf(c.ints, len(x.shape)-2)
	padded := x.pad(c.p.number(0, nil), g.padBefore(), g.padAfter(), make([]int, len(x.shape)))
	places := 1
	for _, a := range g.axes {
		places *= a.maps
	}
	var taps []value
	for _, at := range g.taps() {
		from, to, step := []int{0, 0}, []int{x.shape[0], x.shape[1]}, []int{1, 1}
		for i, a := range g.axes {
			first := at[i] * a.dilation
			from, step = append(from, first), append(step, a.stride)
			to = append(to, first+(a.maps-1)*a.stride+1)
		}
		taps = append(taps, padded.cut(from, to, step).reshape(x.shape[0], x.shape[1], 1, places))
	}
	return concat(2, taps...).reshape(c.shape...)
}

// fold adds up windows where they came from.
func fold(c *call) value {
	x := c.in[0]
	g := geometryOf(c.ints, len(c.shape)-2)
	taps := g.taps()
	all := x.reshape(c.shape[0], c.shape[1], len(taps), x.shape[2])
	maps := []int{c.shape[0], c.shape[1]}
	for _, a := range g.axes {
		maps = append(maps, a.maps)
	}
	sum := c.p.number(0, c.shape)
	for k, at := range taps {
		part := all.narrow(2, k, 1).reshape(maps...)
		before, after, between := []int{0, 0}, []int{0, 0}, []int{0, 0}
		for i, a := range g.axes {
			first := at[i]*a.dilation - a.before
			before, between = append(before, first), append(between, a.stride-1)
			after = append(after, a.image-first-(a.maps-1)*a.stride-1)
		}
		sum = sum.add(part.pad(c.p.number(0, nil), before, after, between))
	}
	return sum
}
