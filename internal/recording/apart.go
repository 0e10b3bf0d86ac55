package recording

import (
	"math"

	"nabla/internal/operations"

	"nabla/autograd"
)

// An apart says how each element of a value was computed from elements of its
// inputs.
type apart struct {
	// parts yields the elements that element out was computed from.
	parts func(out int, yield func(part))
	// factor is the derivative of element out by one of its parts; nil if no
	// gradient passes.
	factor func(out int, p part) float64
	// copies says that each element is an input's element, or a number of its
	// own.
	copies bool
	// sums says that an element is the sum of its parts times a common factor,
	// so that the sum can be split in two.
	sums bool
	// pairs says that the parts come in pairs that are multiplied and added up.
	pairs bool
}

// A part is an element of an input.
type part struct{ input, element int }

// operands are the numbers that an operation worked on.
type operands struct {
	n      autograd.Node
	out    []float64
	in     [][]float64
	shapes [][]int // of the inputs
}

func (o *operands) at(p part) float64 { return o.in[p.input][p.element] }

// constant returns a constant of the operation, 0 if it is not recorded.
func (o *operands) constant(i int) int {
	if i < len(o.n.Constants) {
		return int(o.n.Constants[i])
	}
	return 0
}

// takeApart returns how an operation is taken apart, and false if that is not
// known.
func takeApart(o *operands) (apart, bool) {
	if o.n.Custom {
		return oneNumber(o)
	}
	if _, _, ok := o.n.Evaluate(make([]float64, len(o.in))...); ok {
		return elementwise(o), true
	}
	switch o.n.Op {
	case operations.Where:
		return choice(o), true
	case operations.MatMul:
		return matrixProduct(o), true
	case operations.Sum, operations.Mean, operations.Max, operations.Min, operations.LogSumExp:
		return reduction(o), true
	case operations.Norm:
		return reduction(o), o.constant(0) == 2
	case operations.Softmax, operations.LogSoftmax:
		return normalized(o), true
	case operations.Reshape, operations.Detach:
		a := copies(func(out int) (part, bool) { return part{0, out}, true })
		if o.n.Op == operations.Detach {
			a.copies, a.factor = false, nil
		}
		return a, true
	case operations.Expand:
		at := broadcast(o.shapes[0], o.n.Value.Shape())
		return copies(func(out int) (part, bool) { return part{0, at[out]}, true }), true
	case operations.Permute:
		return permutation(o), true
	case operations.Slice:
		at := taken(o.shapes[0], o.n.Value.Shape(), o.n.Ints)
		return copies(func(out int) (part, bool) { return part{0, at[out]}, true }), true
	case operations.Pad:
		return padding(o), true
	case operations.Concat:
		return concatenation(o), true
	case operations.Gather:
		return copies(func(out int) (part, bool) { return part{0, o.n.Ints[out]}, true }), true
	case operations.IndexSelect, operations.Embedding:
		return selection(o), true
	}
	return oneNumber(o)
}

// oneNumber handles any operation on single numbers whose derivative is not
// known in advance.
func oneNumber(o *operands) (apart, bool) {
	for _, in := range o.in {
		if len(in) != 1 {
			return apart{}, false
		}
	}
	every := func(_ int, yield func(part)) {
		for i := range o.in {
			yield(part{i, 0})
		}
	}
	unknown := func(int, part) float64 { return math.NaN() }
	return apart{parts: every, factor: unknown}, len(o.out) == 1
}

// copies handles an operation that only moves elements; from reports false for
// a number that does not come from an input.
func copies(from func(out int) (part, bool)) apart {
	return apart{
		parts: func(out int, yield func(part)) {
			if p, ok := from(out); ok {
				yield(p)
			}
		},
		factor: func(int, part) float64 { return 1 },
		copies: true,
	}
}

func elementwise(o *operands) apart {
	at := make([][]int, len(o.in))
	for i, shape := range o.shapes {
		at[i] = broadcast(shape, o.n.Value.Shape())
	}
	numbers := make([]float64, len(o.in))
	partials := func(out int) []float64 {
		for i := range numbers {
			numbers[i] = o.in[i][at[i][out]]
		}
		_, partials, _ := o.n.Evaluate(numbers...)
		return partials
	}
	a := apart{parts: func(out int, yield func(part)) {
		for i := range at {
			yield(part{i, at[i][out]})
		}
	}}
	if _, known, _ := o.n.Evaluate(numbers...); known != nil {
		a.factor = func(out int, p part) float64 { return partials(out)[p.input] }
	}
	return a
}

func choice(o *operands) apart {
	at := make([][]int, len(o.in))
	for i, shape := range o.shapes {
		at[i] = broadcast(shape, o.n.Value.Shape())
	}
	return apart{
		parts: func(out int, yield func(part)) {
			for i := range at {
				yield(part{i, at[i][out]})
			}
		},
		factor: func(out int, p part) float64 {
			const first, second = 1, 2
			open := o.in[0][at[0][out]] != 0
			if open && p.input == first || !open && p.input == second {
				return 1
			}
			return 0
		},
	}
}

// matrixProduct handles products of matrices in the last two axes, either of
// which may be transposed.
func matrixProduct(o *operands) apart {
	shape := o.n.Value.Shape()
	rank := len(shape)
	m, n := shape[rank-2], shape[rank-1]
	left, right := o.shapes[0], o.shapes[1]
	k := left[len(left)-1]
	rowStep, innerStep := k, 1
	if o.constant(0) == 1 {
		k = left[len(left)-2]
		rowStep, innerStep = 1, m
	}
	downStep, acrossStep := n, 1
	if o.constant(1) == 1 {
		downStep, acrossStep = 1, k
	}
	xs := broadcast(left[:len(left)-2], shape[:rank-2])
	ys := broadcast(right[:len(right)-2], shape[:rank-2])
	pair := func(out, i int) (x, y part) {
		batch, row, column := out/(m*n), out/n%m, out%n
		return part{0, xs[batch]*m*k + row*rowStep + i*innerStep}, part{1, ys[batch]*k*n + i*downStep + column*acrossStep}
	}
	inner := func(p part) int { // the inverse of pair
		at, step, length := p.element%(m*k), innerStep, m
		if p.input == 1 {
			at, step, length = p.element%(k*n), downStep, n
		}
		if step == 1 {
			return at % k
		}
		return at / length
	}
	return apart{
		parts: func(out int, yield func(part)) {
			for i := range k {
				x, y := pair(out, i)
				yield(x)
				yield(y)
			}
		},
		factor: func(out int, p part) float64 {
			x, y := pair(out, inner(p))
			if p.input == 0 {
				return o.at(y)
			}
			return o.at(x)
		},
		pairs: true,
	}
}

// A run is the layout of the elements that a reduction combines: N of them,
// Inner elements apart.
type run struct{ N, Inner int }

func RunOf(shape []int, first, count int) run {
	b := run{1, 1}
	for axis, length := range shape {
		switch {
		case axis >= first+count:
			b.Inner *= length
		case axis >= first:
			b.N *= length
		}
	}
	return b
}

// element returns the i-th element of the run that result out came from.
func (b run) element(out, i int) int { return (out/b.Inner*b.N+i)*b.Inner + out%b.Inner }

func reduction(o *operands) apart {
	b := RunOf(o.shapes[0], o.n.Ints[0], o.n.Ints[1])
	a := apart{parts: func(out int, yield func(part)) {
		for i := range b.N {
			yield(part{0, b.element(out, i)})
		}
	}}
	switch o.n.Op {
	case operations.Sum:
		a.sums = true
		a.factor = func(int, part) float64 { return 1 }
	case operations.Mean:
		a.sums = true
		a.factor = func(int, part) float64 { return 1 / float64(b.N) }
	case operations.Max, operations.Min:
		a.factor = func(out int, p part) float64 { return extreme(o, b, out, p) }
	case operations.LogSumExp:
		a.factor = func(out int, p part) float64 {
			if math.IsInf(o.out[out], -1) {
				return 0
			}
			return math.Exp(o.at(p) - o.out[out])
		}
	case operations.Norm: // the Euclidean one
		a.factor = func(out int, p part) float64 {
			if o.out[out] == 0 {
				return 0
			}
			return o.at(p) / o.out[out]
		}
	}
	return a
}

// extreme divides the gradient equally among equal elements.
func extreme(o *operands, b run, out int, p part) float64 {
	if o.at(p) != o.out[out] {
		return 0
	}
	equal := 0
	for i := range b.N {
		if o.in[0][b.element(out, i)] == o.out[out] {
			equal++
		}
	}
	return 1 / float64(equal)
}

// normalized handles softmax and log-softmax: each element depends on its whole
// row.
func normalized(o *operands) apart {
	b := RunOf(o.shapes[0], o.constant(0), 1)
	start := func(out int) int { return out/(b.N*b.Inner)*(b.N*b.Inner) + out%b.Inner }
	a := apart{parts: func(out int, yield func(part)) {
		for i := range b.N {
			yield(part{0, start(out) + i*b.Inner})
		}
	}}
	same := func(out int, p part) float64 {
		if out == p.element {
			return 1
		}
		return 0
	}
	if o.n.Op == operations.Softmax {
		a.factor = func(out int, p part) float64 { return o.out[out] * (same(out, p) - o.out[p.element]) }
	} else {
		a.factor = func(out int, p part) float64 { return same(out, p) - math.Exp(o.out[p.element]) }
	}
	return a
}

func permutation(o *operands) apart {
	strides, shape := stridesOf(o.shapes[0]), o.n.Value.Shape()
	picked := make([]int, len(shape))
	for i, axis := range o.n.Ints {
		picked[i] = strides[axis]
	}
	at := walk(shape, 0, picked)
	return copies(func(out int) (part, bool) { return part{0, at[out]}, true })
}

// taken returns where the elements of a block come from: places holds the
// starts along each axis, then the steps.
func taken(from, shape, places []int) []int {
	strides, offset := stridesOf(from), 0
	for axis, stride := range strides {
		offset += places[axis] * stride
		strides[axis] *= places[len(from)+axis]
	}
	return walk(shape, offset, strides)
}

func padding(o *operands) apart {
	from := map[int]int{}
	for i, place := range taken(o.n.Value.Shape(), o.shapes[0], o.n.Ints) {
		from[place] = i
	}
	return copies(func(out int) (part, bool) {
		i, inside := from[out]
		return part{0, i}, inside
	})
}

func concatenation(o *operands) apart {
	axis, shape := o.constant(0), o.n.Value.Shape()
	strides, offset := stridesOf(shape), 0
	from := make([]part, len(o.out))
	for input, s := range o.shapes {
		for i, place := range walk(s, offset, strides) {
			from[place] = part{input, i}
		}
		offset += s[axis] * strides[axis]
	}
	return copies(func(out int) (part, bool) { return from[out], true })
}

func selection(o *operands) apart {
	axis := o.constant(0)
	length := o.shapes[0][axis]
	inner := RunOf(o.shapes[0], axis, 1).Inner
	count := len(o.n.Ints)
	return copies(func(out int) (part, bool) {
		outer, chosen := out/inner/count, o.n.Ints[out/inner%count]
		return part{0, (outer*length+chosen)*inner + out%inner}, true
	})
}

// stridesOf returns the distance between consecutive elements along each axis.
func stridesOf(shape []int) []int {
	strides, step := make([]int, len(shape)), 1
	for axis := len(shape) - 1; axis >= 0; axis-- {
		strides[axis] = step
		step *= shape[axis]
	}
	return strides
}

// walk returns the offsets of a block's elements, in row-major order.
func walk(shape []int, offset int, strides []int) []int {
	places := []int{offset}
	for axis, length := range shape {
		longer := make([]int, 0, len(places)*length)
		for _, place := range places {
			for i := range length {
				longer = append(longer, place+i*strides[axis])
			}
		}
		places = longer
	}
	return places
}

// broadcast returns, for each element of an array of shape wide, the element of
// one of shape narrow that is broadcast to it.
func broadcast(narrow, wide []int) []int {
	strides, lead := make([]int, len(wide)), len(wide)-len(narrow)
	for axis, stride := range stridesOf(narrow) {
		if narrow[axis] != 1 {
			strides[lead+axis] = stride
		}
	}
	return walk(wide, 0, strides)
}
