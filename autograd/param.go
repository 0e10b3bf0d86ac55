package autograd

import "nabla/internal/kernel"

// A Param is a named tensor that training changes. It outlives every graph.
// Many graphs may read it at once, but none while it is written.
type Param struct {
	// Frozen stops its gradient, and with it the optimizer's updates, in
	// recordings that first use it afterwards. It also stops a statistic.
	Frozen bool

	name      string
	value     Tensor
	statistic bool
	version   uint64
	trials    uint64 // calls of Substitute so far
}

// NewParam returns a parameter that starts as a copy of the tensor.
func NewParam(name string, t Tensor) *Param {
	t.check(opParam.method)
	return &Param{name: name, value: t.Clone()}
}

// Name returns the parameter's name.
func (p *Param) Name() string { return p.name }

// SetName renames the parameter.
func (p *Param) SetName(name string) { p.name = name }

// Shape returns a copy of the dimensions.
func (p *Param) Shape() []int { return p.value.Shape() }

// Rank returns the number of dimensions, 0 for a scalar.
func (p *Param) Rank() int { return p.value.Rank() }

// Dim returns the length of an axis, counted from the end when negative.
func (p *Param) Dim(axis int) int { return p.value.Dim(axis) }

// Size returns the number of elements.
func (p *Param) Size() int { return p.value.Size() }

// Precision returns the parameter's precision.
func (p *Param) Precision() Precision { return p.value.precision }

// Convert rounds the numbers to another precision, or widens them. A graph
// reads Params of its own precision in place, and has to convert others in
// every recording. Recordings that used the parameter before can no longer give
// gradients, and an optimizer that has made a step with it refuses it: convert
// before training.
func (p *Param) Convert(precision Precision) {
	precision.check("Param.Convert")
	if precision == p.value.precision {
		return
	}
	p.value = p.value.In(precision)
	p.version++
}

// Tensor returns a copy of the numbers.
func (p *Param) Tensor() Tensor { return p.value.Clone() }

// Item returns the number of a one-element parameter.
func (p *Param) Item() float64 { return p.value.Item() }

// Version returns the number of writes so far.
func (p *Param) Version() uint64 { return p.version }

// Writable returns the numbers themselves, to be written to. It counts as a
// write: recordings that used the parameter before can no longer give
// gradients. Call it again before each write.
func (p *Param) Writable() Tensor {
	p.version++
	return p.value
}

// Substitute calls f while the numbers of t, a tensor of the same shape, stand
// in for the parameter's own, and then puts those back bit by bit. Recordings
// that used the parameter before stay valid; those that f makes do not. It
// serves finite differences. Nothing else may read the parameter meanwhile. It
// panics with a [*ShapeError] if t has another shape.
func (p *Param) Substitute(t Tensor, f func()) {
	p.trials++
	p.as("Param.Substitute", trial|p.trials, t, f)
}

// AsAt calls f while the parameter is as it was at an earlier [Param.Version],
// with the numbers t that it had then. Meanwhile recordings of that version can
// be read, and no others. Its own numbers are put back as Substitute does. It
// panics with a [*ShapeError] if t has another shape.
func (p *Param) AsAt(version uint64, t Tensor, f func()) {
	p.as("Param.AsAt", version, t, f)
}

// as calls f while the parameter has the given version and numbers.
func (p *Param) as(op string, version uint64, t Tensor, f func()) {
	own, now := p.value.Clone(), p.version
	defer func() {
		p.value.copyFrom(own)
		p.version = now
	}()
	p.overwrite(op, t)
	p.version = version
	f()
}

// trial marks the versions that Substitute gives, which no write has.
const trial = 1 << 63

// Set copies a tensor of the same shape into the parameter, in the parameter's
// precision.
func (p *Param) Set(t Tensor) {
	p.overwrite("Param.Set", t)
	p.version++
}

// overwrite copies a tensor into the parameter.
func (p *Param) overwrite(op string, t Tensor) {
	t.check(op)
	if !p.value.sameShape(t) {
		panic(NewShapeError(op, "another shape than the parameter's", p.value.dims(), t.dims()))
	}
	p.value.copyFrom(t)
}

// copyFrom copies the numbers of a tensor of the same size.
func (t Tensor) copyFrom(from Tensor) {
	switch {
	case t.precision == from.precision:
		copy(t.f64(), from.f64())
		copy(t.f32(), from.f32())
	case t.precision == Float32:
		kernel.Convert32(t.f32(), from.f64())
	default:
		kernel.Convert64(t.f64(), from.f32())
	}
}
