package export

import (
	"slices"

	"nabla/autograd"
	"nabla/onnx/internal/message"
)

// A batchAxis says along which axis the batch lies. The axis may be longer than
// the batch, by factors before and behind it in row-major order: its length is
// before · batch · behind. What is computed of a sample must not depend on
// others, so that each operation either keeps the axis or is refused.
type batchAxis struct{ axis, before int }

var noBatch = batchAxis{axis: -1}

func (b batchAxis) none() bool { return b.axis < 0 }

func product(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// reshaped returns where the batch is after a reshape, and false if it is not
// along one axis any more. As a batch of the recording is longer than 1, there
// is one place at most.
func (e *exporter) reshaped(b batchAxis, from, to []int) (batchAxis, bool) {
	if b.none() {
		return b, true
	}
	before := product(from[:b.axis]) * b.before
	behind := from[b.axis] / (b.before * e.batch) * product(from[b.axis+1:])
	for i, n := range to {
		p, q := product(to[:i]), product(to[i+1:])
		if p > 0 && q > 0 && before%p == 0 && behind%q == 0 && before/p*e.batch*(behind/q) == n {
			return batchAxis{i, before / p}, true
		}
	}
	if product(from) == 0 && b.axis < len(to) && to[b.axis] == from[b.axis] {
		return b, true
	}
	return b, false
}

// align makes the operands of an elementwise operation fit, and sets the batch
// axis of the result. A constant that repeats the same for each sample of the
// recording is cut to one of them, which broadcasts.
func (s *site) align() {
	rank := len(s.shape)
	for i, r := range s.in {
		if r.batch.none() {
			continue
		}
		at := batchAxis{r.batch.axis + rank - len(s.in[i].value.Shape()), r.batch.before}
		if !s.batch.none() && s.batch != at {
			s.refuse("the batch lies along different axes of its inputs")
		}
		s.batch = at
	}
	if s.batch.none() {
		return
	}
	for i, r := range s.in {
		if axis := s.batch.axis - rank + len(r.value.Shape()); r.batch.none() && axis >= 0 {
			s.in[i] = s.same(r, axis)
		}
	}
}

// same returns one of the equal parts of a constant along an axis.
func (s *site) same(r ref, axis int) ref {
	if r.value.Shape()[axis] == 1 {
		return r
	}
	if !r.fixed {
		s.refuse("it joins the batch with an axis that stays as long as it was recorded, %v", r.value.Shape())
	}
	one := r.value.View()
	if !repeats(one, axis) {
		s.refuse("a constant of shape %v differs for the samples of the batch, so that it fits this batch alone", one.Shape())
	}
	r.name = s.cut(r.name, axis, 0, 1)
	s.settle(r.name, one, axis)
	r.truth = ""
	return r
}

// repeats reports whether all parts of a tensor along an axis are equal.
func repeats(t autograd.Tensor, axis int) bool {
	dims, numbers := t.Shape(), t.Float64s()
	inner, n := product(dims[axis+1:]), dims[axis]
	for i, v := range numbers {
		first := numbers[i/(n*inner)*n*inner+i%inner]
		if v != first && (v == v || first == first) {
			return false
		}
	}
	return true
}

// cut takes a range along an axis.
func (e *exporter) cut(name string, axis, start, stop int) string {
	return e.op("Slice", []string{name, e.ints64(start), e.ints64(stop), e.ints64(axis)})
}

// keeps sets the batch axis of the result to that of the input with that rank,
// counted from the front, and refuses an operation along it.
func (s *site) keeps(axes ...int) {
	for _, r := range s.in {
		if r.batch.none() {
			continue
		}
		if slices.Contains(axes, r.batch.axis) {
			s.refuse("it works along the batch axis, so that a sample depends on the others of its batch")
		}
		s.batch = r.batch
	}
}

// target returns a shape as a tensor of integers, in which the batch axis has
// the length of the model's input.
func (e *exporter) target(shape []int, b batchAxis) string {
	if b.none() {
		return e.ints64(shape...)
	}
	length := e.size
	if length == "" {
		length = e.op("Shape", []string{e.first}, intAttribute("start", 0), intAttribute("end", 1))
		e.size = length
	}
	if times := shape[b.axis] / e.batch; times != 1 {
		length = e.op("Mul", []string{length, e.ints64(times)})
	}
	if len(shape) == 1 {
		return length
	}
	var parts []string
	if b.axis > 0 {
		parts = append(parts, e.ints64(shape[:b.axis]...))
	}
	parts = append(parts, length)
	if b.axis < len(shape)-1 {
		parts = append(parts, e.ints64(shape[b.axis+1:]...))
	}
	return e.op("Concat", parts, intAttribute("axis", 0))
}

// reshape adds a reshape.
func (e *exporter) reshape(name string, shape []int, b batchAxis) string {
	zero := slices.Contains(shape, 0)
	switch {
	case !b.none() && zero:
		return e.op("Reshape", []string{name, e.target(shape, b)}, flag("allowzero", true))
	case zero:
		return e.op("Reshape", []string{name, e.ints64(shape...)}, flag("allowzero", true))
	}
	to := slices.Clone(shape)
	if !b.none() {
		to[b.axis] = -1
	}
	return e.op("Reshape", []string{name, e.ints64(to...)})
}

// expanded repeats a tensor, which broadcasts, to a shape.
func (e *exporter) expanded(name string, shape []int, b batchAxis) string {
	return e.op("Expand", []string{name, e.target(shape, b)})
}

// filled returns a tensor of equal numbers.
func (e *exporter) filled(v float64, shape []int, b batchAxis) string {
	value := &message.Tensor{Dims: []int64{1}, Elem: e.elem(), Raw: e.raw(autograd.NewTensor([]float64{v}))}
	return e.op("ConstantOfShape", []string{e.target(shape, b)}, &message.Attribute{Name: "value", Kind: message.KindTensor, Tensor: value})
}

// spread returns a tensor of indices that broadcasts to a shape.
func (e *exporter) spread(indices string, shape []int, b batchAxis) string {
	return e.expanded(indices, shape, b)
}

// isTrue returns a mask as booleans.
func (s *site) isTrue(r ref) string {
	if r.truth != "" {
		return r.truth
	}
	return s.cast(r.name, message.Bool)
}
