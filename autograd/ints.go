package autograd

import "slices"

// Ints are integers with a shape: indices and class labels. They belong to no
// graph and have no gradient.
type Ints struct {
	shape  []int
	values []int
}

// NewInts returns Ints with a copy of the values and the given shape. Without a
// shape they are a vector. It panics with a [*ShapeError] if their number does
// not fit the shape.
func NewInts(values []int, shape ...int) Ints {
	if shape == nil {
		shape = []int{len(values)}
	}
	checkFits("NewInts", len(values), shape)
	return Ints{slices.Clone(shape), append(make([]int, 0, len(values)), values...)}
}

// ViewInts is [NewInts] without a copy: the Ints are the values themselves, and
// see what becomes of them later.
func ViewInts(values []int, shape ...int) Ints {
	if shape == nil {
		shape = []int{len(values)}
	}
	checkFits("ViewInts", len(values), shape)
	return Ints{slices.Clone(shape), values}
}

// check panics if x is the zero Ints.
func (x Ints) check(op string) {
	if x.shape == nil {
		panic(NewArgumentError(op, "the Ints are empty: make some with NewInts"))
	}
}

// within panics for the first of the Ints that is not in [0, n), with its
// place.
func (x Ints) within(op, what string, n int) {
	for i, v := range x.values {
		if v < 0 || v >= n {
			e := NewIndexError(op, what, v, n)
			e.Place = x.place(i)
			panic(e)
		}
	}
}

// place returns the indices of element i.
func (x Ints) place(i int) []int {
	at := make([]int, len(x.shape))
	for axis := len(at) - 1; axis >= 0; axis-- {
		at[axis] = i % x.shape[axis]
		i /= x.shape[axis]
	}
	return at
}

// Shape returns a copy of the dimensions.
func (x Ints) Shape() []int { return append([]int{}, x.shape...) }

// Rank returns the number of axes.
func (x Ints) Rank() int { return len(x.shape) }

// Dim returns the length of an axis, counted from the end when negative. It
// panics with an [*IndexError] if there is no such axis.
func (x Ints) Dim(axis int) int {
	rank := len(x.shape)
	if axis < -rank || axis >= rank {
		panic(NewIndexError("Dim", "axis", axis, rank))
	}
	if axis < 0 {
		axis += rank
	}
	return x.shape[axis]
}

// Size returns the number of elements.
func (x Ints) Size() int { return len(x.values) }

// Values returns the integers themselves, in row-major order.
func (x Ints) Values() []int { return x.values }

// Item returns the only integer of one-element Ints.
func (x Ints) Item() int {
	if len(x.values) != 1 {
		panic(NewShapeError("Item", "not one element", x.shape))
	}
	return x.values[0]
}

// Reshape returns the same integers in another shape, without a copy. It panics
// with a [*ShapeError] if their number does not fit the shape.
func (x Ints) Reshape(shape ...int) Ints {
	x.check("Reshape")
	checkFits("Reshape", len(x.values), shape)
	return Ints{append([]int{}, shape...), x.values}
}

// Take returns the entries along the first axis at the given rows, in that
// order: the labels of a batch, for example. It panics with an [*IndexError] if
// a row is out of range, and with a [*ShapeError] for a scalar.
func (x Ints) Take(rows ...int) Ints {
	x.check("Take")
	if len(x.shape) == 0 {
		panic(NewShapeError("Take", "a scalar has no rows", x.shape))
	}
	shape := slices.Clone(x.shape)
	shape[0] = len(rows)
	size, _ := sizeOf(x.shape[1:])
	values := make([]int, 0, len(rows)*size)
	for _, row := range rows {
		if row < 0 || row >= x.shape[0] {
			panic(NewIndexError("Take", "row", row, x.shape[0]))
		}
		values = append(values, x.values[row*size:(row+1)*size]...)
	}
	return Ints{shape, values}
}
