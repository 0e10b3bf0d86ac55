package autograd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"unsafe"

	"nabla/internal/kernel"
)

// A Tensor holds numbers with a shape and a precision, outside any graph: data,
// parameters, results. As with a slice, a copy of a Tensor shares its numbers;
// use [Tensor.Clone] for numbers of its own. The last axis varies fastest. The
// zero Tensor is not valid.
type Tensor struct {
	shape *shape
	data  unsafe.Pointer
	lease *Graph // the graph whose memory holds shape and numbers; nil if the tensor owns them
	kind
}

// A kind combines two fields of a Tensor, because the compiler keeps only
// structs of at most four fields in registers.
type kind struct {
	gen       uint32 // the recording; the lease ends at its Reset
	precision Precision
}

// NewTensor returns a tensor with a copy of the values and the given shape.
// Without a shape it is a vector. It panics with a [*ShapeError] if their
// number does not fit the shape.
func NewTensor(values []float64, shape ...int) Tensor {
	if shape == nil {
		shape = []int{len(values)}
	}
	checkFits("NewTensor", len(values), shape)
	t := zerosOf(Float64, shape)
	copy(t.f64(), values)
	return t
}

// NewTensor32 is NewTensor in Float32.
func NewTensor32(values []float32, shape ...int) Tensor {
	if shape == nil {
		shape = []int{len(values)}
	}
	checkFits("NewTensor", len(values), shape)
	t := zerosOf(Float32, shape)
	copy(t.f32(), values)
	return t
}

// ViewTensor is [NewTensor] without a copy: the tensor is the values
// themselves, and sees what becomes of them later.
func ViewTensor(values []float64, shape ...int) Tensor {
	if shape == nil {
		shape = []int{len(values)}
	}
	checkFits("ViewTensor", len(values), shape)
	return viewOf(unsafe.Pointer(unsafe.SliceData(values)), Float64, shape, len(values))
}

// ViewTensor32 is ViewTensor in Float32.
func ViewTensor32(values []float32, shape ...int) Tensor {
	if shape == nil {
		shape = []int{len(values)}
	}
	checkFits("ViewTensor32", len(values), shape)
	return viewOf(unsafe.Pointer(unsafe.SliceData(values)), Float32, shape, len(values))
}

func viewOf(p unsafe.Pointer, precision Precision, shape []int, size int) Tensor {
	return Tensor{shape: ownShape(shape, size), data: p, kind: kind{precision: precision}}
}

func checkFits(op string, values int, shape []int) {
	switch size, fault := sizeOf(shape); {
	case fault != "":
		panic(NewShapeError(op, fault, shape))
	case size != values:
		panic(NewShapeError(op, fmt.Sprintf("%d values do not fit the shape", values), shape))
	}
}

// Scalar returns a tensor of rank 0.
func Scalar(v float64) Tensor { return Tensor{shape: scalarShape, data: unsafe.Pointer(&v)} }

// Zeros returns a tensor of zeros.
func Zeros(shape ...int) Tensor { return zerosOf(Float64, shape) }

// Ones returns a tensor of ones.
func Ones(shape ...int) Tensor { return Full(1, shape...) }

// Full returns a tensor in which every element is v.
func Full(v float64, shape ...int) Tensor {
	t := zerosOf(Float64, shape)
	kernel.Fill(t.f64(), v)
	return t
}

// Arange returns the vector start, start+step, … up to but not including stop.
// It panics with an [*ArgumentError] if step is 0 or leads away from stop.
func Arange(start, stop, step float64) Tensor {
	if n := (stop - start) / step; step == 0 || !(n >= 0) || math.IsInf(n, 0) {
		panic(NewArgumentError("Arange", "a step of %v does not lead from %v to %v", step, start, stop))
	}
	var values []float64
	for i := 0; ; i++ {
		v := start + float64(i)*step
		if step > 0 && !(v < stop) || step < 0 && !(v > stop) {
			return NewTensor(values, len(values))
		}
		values = append(values, v)
	}
}

// Eye returns the n×n identity matrix.
func Eye(n int) Tensor {
	t := Zeros(n, n)
	for i := range n {
		t.f64()[i*n+i] = 1
	}
	return t
}

// Uniform returns random numbers, each in [lo, hi) with equal probability.
func Uniform(rng *rand.Rand, lo, hi float64, shape ...int) Tensor {
	checkRNG("Uniform", rng)
	t := Zeros(shape...)
	for i := range t.f64() {
		t.f64()[i] = lo + (hi-lo)*rng.Float64()
	}
	return t
}

// Normal returns random numbers from the normal distribution.
func Normal(rng *rand.Rand, mean, deviation float64, shape ...int) Tensor {
	checkRNG("Normal", rng)
	t := Zeros(shape...)
	for i := range t.f64() {
		t.f64()[i] = mean + deviation*rng.NormFloat64()
	}
	return t
}

func checkRNG(op string, rng *rand.Rand) {
	if rng == nil {
		panic(NewArgumentError(""+op, "the rng is nil"))
	}
}

// FromNested returns a tensor of nested slices or arrays of numbers, such as
// [][]float64. It panics with a [*ShapeError] if rows differ in length.
func FromNested(nested any) Tensor {
	var shape []int
	for v := reflect.ValueOf(nested); isList(v); v = v.Index(0) {
		shape = append(shape, v.Len())
		if v.Len() == 0 {
			break
		}
	}
	t := zerosOf(Float64, shape)
	if rest := fillNested(t.f64(), reflect.ValueOf(nested), shape, shape); len(rest) > 0 {
		panic(NewShapeError("FromNested", "the lists differ in length", shape))
	}
	return t
}

func isList(v reflect.Value) bool { return v.Kind() == reflect.Slice || v.Kind() == reflect.Array }

// fillNested writes the numbers of v, which must have the given shape, and
// returns the rest of dst.
func fillNested(dst []float64, v reflect.Value, shape, whole []int) []float64 {
	if len(shape) == 0 {
		if !v.IsValid() || isList(v) || !v.CanConvert(reflect.TypeFor[float64]()) {
			panic(NewArgumentError("FromNested", "not nested lists of numbers of one depth"))
		}
		dst[0] = v.Convert(reflect.TypeFor[float64]()).Float()
		return dst[1:]
	}
	if !isList(v) || v.Len() != shape[0] {
		panic(NewShapeError("FromNested", "the lists differ in length", whole))
	}
	for i := range v.Len() {
		dst = fillNested(dst, v.Index(i), shape[1:], whole)
	}
	return dst
}

func zerosOf(p Precision, dims []int) Tensor {
	size, fault := sizeOf(dims)
	if fault != "" {
		panic(NewShapeError("Zeros", fault, dims))
	}
	t := Tensor{shape: ownShape(dims, size), kind: kind{precision: p}}
	if p == Float32 {
		t.data = unsafe.Pointer(unsafe.SliceData(make([]float32, size)))
	} else {
		t.data = unsafe.Pointer(unsafe.SliceData(make([]float64, size)))
	}
	return t
}

// ownShape returns a shape with a copy of the dimensions.
func ownShape(dims []int, size int) *shape {
	if len(dims) == 0 {
		return scalarShape
	}
	return &shape{dims: slices.Clone(dims), size: size}
}

// tensor returns a view of a graph's memory.
func (g *Graph) tensor(p unsafe.Pointer, s *shape) Tensor {
	return Tensor{shape: s, data: p, lease: g, kind: kind{g.gen, g.options.Precision}}
}

// f64 returns the numbers of a Float64 tensor, nil for another precision.
func (t *Tensor) f64() []float64 {
	if t.precision != Float64 || t.shape == nil {
		return nil
	}
	return slice[float64](t.data, t.shape.size)
}

// f32 returns the numbers of a Float32 tensor, nil for another precision.
func (t *Tensor) f32() []float32 {
	if t.precision != Float32 || t.shape == nil {
		return nil
	}
	return slice[float32](t.data, t.shape.size)
}

// dims returns the dimensions themselves.
func (t *Tensor) dims() []int {
	if t.shape == nil {
		return nil
	}
	return t.shape.dims
}

// usable reports whether the tensor is neither the zero Tensor nor a view that
// a Reset has made invalid. It takes a pointer because a Tensor is large to
// copy.
func (t *Tensor) usable() bool { return t.shape != nil && (t.lease == nil || t.gen == t.lease.gen) }

// live panics if the tensor is a view that a Reset has made invalid.
func (t *Tensor) live(op string) {
	if t.lease != nil && t.gen != t.lease.gen {
		t.refuse(op)
	}
}

// check panics if the tensor is not usable.
func (t *Tensor) check(op string) {
	if !t.usable() {
		t.refuse(op)
	}
}

// refuse panics for a tensor that is not usable.
func (t *Tensor) refuse(op string) {
	if t.shape == nil {
		panic(NewArgumentError(op, "the Tensor is empty: make one with NewTensor or Zeros"))
	}
	panic(&StaleError{called(op), "Tensor", "is a view of a recording that was Reset", callSite()})
}

// Shape returns a copy of the dimensions, empty for a scalar.
func (t Tensor) Shape() []int {
	t.live("Shape")
	return append([]int{}, t.dims()...)
}

// Rank returns the number of dimensions, 0 for a scalar.
func (t Tensor) Rank() int { return len(t.dims()) }

// Dim returns the length of an axis, counted from the end when negative.
func (t Tensor) Dim(axis int) int {
	t.live("Dim")
	if axis < -len(t.dims()) || axis >= len(t.dims()) {
		panic(NewIndexError("Dim", "axis", axis, len(t.dims())))
	}
	if axis < 0 {
		axis += len(t.dims())
	}
	return t.dims()[axis]
}

// Size returns the number of elements, 1 for a scalar.
func (t Tensor) Size() int {
	t.live("Shape")
	if t.shape == nil {
		return 0
	}
	return t.shape.size
}

// Precision returns the tensor's precision.
func (t Tensor) Precision() Precision { return t.precision }

// Item returns the number of a one-element tensor.
func (t Tensor) Item() float64 {
	t.check("Item")
	if t.shape.size != 1 {
		panic(NewShapeError("Item", "not one element", t.dims()))
	}
	return t.element(0)
}

func (t Tensor) element(i int) float64 {
	if t.precision == Float32 {
		return float64(t.f32()[i])
	}
	return t.f64()[i]
}

// At returns one element by its index along each axis, counted from the end
// when negative.
func (t Tensor) At(index ...int) float64 {
	t.check("Tensor")
	if len(index) != len(t.dims()) {
		panic(NewShapeError("At", "as many indices as axes are needed", t.dims(), index))
	}
	place := 0
	for axis, i := range index {
		if i < -t.dims()[axis] || i >= t.dims()[axis] {
			panic(NewIndexError("At", "index", i, t.dims()[axis]))
		}
		if i < 0 {
			i += t.dims()[axis]
		}
		place = place*t.dims()[axis] + i
	}
	return t.element(place)
}

// Float64s returns a copy of the numbers, in row-major order.
func (t Tensor) Float64s() []float64 {
	t.check("Tensor")
	values := make([]float64, t.Size())
	if t.precision == Float32 {
		kernel.Convert64(values, t.f32())
	} else {
		copy(values, t.f64())
	}
	return values
}

// Raw64 returns the numbers of a Float64 tensor without a copy. It panics with
// a *PrecisionError for another precision.
func (t Tensor) Raw64() []float64 {
	if t.precision != Float64 || !t.usable() {
		t.wrongPrecision("Raw64", Float64)
	}
	return slice[float64](t.data, t.shape.size)
}

// wrongPrecision panics because the tensor does not have the wanted precision.
func (t *Tensor) wrongPrecision(op string, p Precision) {
	t.check("Tensor")
	panic(&PrecisionError{called(op), t.precision, p, callSite()})
}

// Raw32 returns the numbers of a Float32 tensor without a copy. It panics with
// a *PrecisionError for another precision.
func (t Tensor) Raw32() []float32 {
	if t.precision != Float32 || !t.usable() {
		t.wrongPrecision("Raw32", Float32)
	}
	return slice[float32](t.data, t.shape.size)
}

// Clone returns a copy that has its own numbers.
func (t Tensor) Clone() Tensor {
	t.check("Tensor")
	return t.In(t.precision)
}

// In returns a copy in the given precision.
func (t Tensor) In(p Precision) Tensor {
	t.check("Tensor")
	p.check("In")
	c := zerosOf(p, t.dims())
	switch {
	case p == t.precision:
		copy(c.f64(), t.f64())
		copy(c.f32(), t.f32())
	case p == Float32:
		kernel.Convert32(c.f32(), t.f64())
	default:
		kernel.Convert64(c.f64(), t.f32())
	}
	return c
}

// Reshape returns the same numbers in another shape, without a copy.
func (t Tensor) Reshape(shape ...int) Tensor {
	t.check("Tensor")
	checkFits("Reshape", t.Size(), shape)
	t.shape = ownShape(shape, t.Size())
	return t
}

// Take returns a copy of the entries along the first axis at the given rows, in
// that order: the samples of a batch, for example. It panics with an
// [*IndexError] if a row is out of range, and with a [*ShapeError] for a
// scalar.
func (t Tensor) Take(rows ...int) Tensor {
	t.check("Take")
	if t.Rank() == 0 {
		panic(NewShapeError("Take", "a scalar has no rows", t.dims()))
	}
	dims := t.Shape()
	dims[0] = len(rows)
	size, _ := sizeOf(dims[1:])
	for _, row := range rows {
		if row < 0 || row >= t.dims()[0] {
			panic(NewIndexError("Take", "row", row, t.dims()[0]))
		}
	}
	taken := zerosOf(t.precision, dims)
	if t.precision == Float32 {
		kernel.Gather(taken.f32(), t.f32(), rows, 1, len(rows), t.dims()[0], size)
	} else {
		kernel.Gather(taken.f64(), t.f64(), rows, 1, len(rows), t.dims()[0], size)
	}
	return taken
}

func (t Tensor) sameShape(u Tensor) bool { return slices.Equal(t.dims(), u.dims()) }

func (t Tensor) clear() {
	clear(t.f64())
	clear(t.f32())
}

// accumulate adds weight·u.
func (t Tensor) accumulate(u Tensor, weight float64) {
	if weight == 1 {
		kernel.Accumulate(t.f64(), u.f64())
		kernel.Accumulate(t.f32(), u.f32())
		return
	}
	addWeighted(t.f64(), u.f64(), weight)
	addWeighted(t.f32(), u.f32(), float32(weight))
}

func addWeighted[T kernel.Float](dst, x []T, weight T) {
	for i, v := range x {
		dst[i] += T(weight * v) // rounded twice on every processor
	}
}

func (t Tensor) divide(a float64) {
	kernel.Div.A64.VS(t.f64(), t.f64(), a)
	kernel.Div.A32.VS(t.f32(), t.f32(), float32(a))
}

func (t Tensor) scale(a float64) {
	kernel.Scale.F64(t.f64(), t.f64(), a, 0)
	kernel.Scale.F32(t.f32(), t.f32(), a, 0)
}

// Norm returns the Euclidean norm of all numbers as one vector, computed in
// float64 for either precision. Intermediate results neither overflow nor
// underflow.
func (t Tensor) Norm() float64 {
	t.check("Tensor")
	if t.precision == Float32 {
		return kernel.NormOf(t.f32(), 2)
	}
	return kernel.NormOf(t.f64(), 2)
}
