package export

import (
	"math"
	"slices"

	"nabla/autograd"
	"nabla/onnx/internal/message"
)

// movingWriters move elements.
var movingWriters = map[string]writer{
	"reshape":  reshape,
	"expand":   expand,
	"permute":  permute,
	"slice":    slice,
	"pad":      pad,
	"concat":   concat,
	"triu":     triangle(true),
	"tril":     triangle(false),
	"matmul":   matmul,
	"diagonal": diagonal, "on diagonal": onDiagonal,
	"det": det,
}

func reshape(s *site) string {
	x := s.in[0]
	from := x.value.Shape()
	to, ok := s.reshaped(x.batch, from, s.shape)
	if !ok {
		s.refuse("a reshape from %v to %v, after which the batch is along no axis", from, s.shape)
	}
	s.batch = to
	if slices.Equal(from, s.shape) {
		return x.name
	}
	return s.exporter.reshape(x.name, s.shape, to)
}

// expand uses that Expand broadcasts both ways: along the batch, the target is
// 1.
func expand(s *site) string {
	x := s.in[0]
	to := slices.Clone(s.shape)
	if !x.batch.none() {
		axis := x.batch.axis + len(s.shape) - len(x.value.Shape())
		s.batch = batchAxis{axis, x.batch.before}
		to[axis] = 1
	}
	if product(s.shape) == 0 { // which onnxruntime's Expand does not reach
		return s.filled(0, s.shape, s.batch)
	}
	return s.op("Expand", []string{x.name, s.ints64(to...)})
}

func permute(s *site) string {
	order := s.options.(autograd.PermuteOptions).Order
	x := s.in[0]
	if !x.batch.none() {
		s.batch = batchAxis{slices.Index(order, x.batch.axis), x.batch.before}
	}
	return s.transposed(x.name, order)
}

func (e *exporter) transposed(name string, order []int) string {
	for i, axis := range order {
		if i != axis {
			return e.op("Transpose", []string{name}, intsAttribute("perm", order...))
		}
	}
	return name
}

// slice takes only the axes of which not all is taken.
func slice(s *site) string {
	o, x := s.options.(autograd.SliceOptions), s.in[0]
	if x.parts != nil {
		return s.part(o)
	}
	from := x.value.Shape()
	var starts, stops, axes, steps []int
	for axis, n := range from {
		start, step, count := o.Starts[axis], o.Steps[axis], s.shape[axis]
		if start == 0 && step == 1 && count == n {
			continue
		}
		if axis == x.batch.axis {
			s.refuse("takes a part of the batch, or changes its order")
		}
		stop := start + step*count
		if stop < 0 {
			stop = -n - 1 // before the first
		}
		starts, stops, axes, steps = append(starts, start), append(stops, stop), append(axes, axis), append(steps, step)
	}
	s.batch = x.batch
	if len(axes) == 0 {
		return x.name
	}
	return s.op("Slice", []string{x.name, s.ints64(starts...), s.ints64(stops...), s.ints64(axes...), s.ints64(steps...)})
}

// pad surrounds x. Where its elements do not lie side by side, zeros are put
// behind each along an axis of its own, and the rest is cut off.
func pad(s *site) string {
	o, x := s.options.(autograd.PadOptions), s.in[0]
	name, shape := x.name, slices.Clone(x.value.Shape())
	before, after := make([]int, len(shape)), make([]int, len(shape))
	changes := false
	for axis, n := range shape {
		start, step := o.Starts[axis], o.Steps[axis]
		if step < 0 {
			name = s.flipped(name, axis, n)
			start, step = start+(n-1)*step, -step
		}
		if step > 1 && n > 0 {
			name, n = s.spaced(name, shape, x.batch, axis, step, o.Fill)
			shape[axis] = n
		}
		before[axis], after[axis] = start, s.shape[axis]-start-n
		if n == 0 {
			before[axis], after[axis] = s.shape[axis], 0
		}
		if axis == x.batch.axis && (o.Steps[axis] != 1 || before[axis]+after[axis] > 0) {
			s.refuse("pads the batch, or changes its order")
		}
		changes = changes || before[axis]+after[axis] > 0
	}
	s.batch = x.batch
	if !changes {
		return name
	}
	return s.padded(name, append(before, after...), o.Fill)
}

func (e *exporter) padded(name string, pads []int, fill float64) string {
	return e.op("Pad", []string{name, e.ints64(pads...), e.scalar(fill)})
}

func (e *exporter) flipped(name string, axis, n int) string {
	return e.op("Slice", []string{name, e.ints64(n - 1), e.ints64(-n - 1), e.ints64(axis), e.ints64(-1)})
}

// spaced puts step − 1 numbers between the elements along an axis.
func (s *site) spaced(name string, shape []int, b batchAxis, axis, step int, fill float64) (string, int) {
	if axis == b.axis {
		s.refuse("puts something between the samples of the batch")
	}
	wide := slices.Insert(slices.Clone(shape), axis+1, 1)
	moved := b
	if b.axis > axis {
		moved.axis++
	}
	name = s.reshapeOf(name, wide, moved)
	pads := make([]int, 2*len(wide))
	pads[len(wide)+axis+1] = step - 1
	name = s.padded(name, pads, fill)
	long := slices.Clone(shape)
	long[axis] *= step
	name = s.reshapeOf(name, long, b)
	n := (shape[axis]-1)*step + 1
	return s.cut(name, axis, 0, n), n
}

func (s *site) reshapeOf(name string, shape []int, b batchAxis) string {
	return s.exporter.reshape(name, shape, b)
}

func concat(s *site) string {
	axis := s.options.(autograd.AxisOptions).Axis
	for _, r := range s.in {
		if !r.batch.none() {
			s.batch = r.batch
		}
	}
	if s.batch.axis == axis {
		s.refuse("joins batches one behind the other")
	}
	for i, r := range s.in {
		switch {
		case s.batch.none() || r.batch == s.batch:
		case !r.batch.none():
			s.refuse("the batch lies along different axes of its inputs")
		default:
			one := s.same(r, s.batch.axis)
			s.in[i].name = s.expanded(one.name, r.value.Shape(), s.batch)
		}
	}
	return s.op("Concat", s.names(), intAttribute("axis", axis))
}

func triangle(upper bool) writer {
	return func(s *site) string {
		rank := len(s.shape)
		s.keeps(rank-1, rank-2)
		k := s.options.(autograd.DiagonalOptions).K
		return s.op("Trilu", []string{s.in[0].name, s.intScalar(k)}, flag("upper", upper))
	}
}

// matmul multiplies matrices, or their transposes.
func matmul(s *site) string {
	o := s.options.(autograd.MatMulOptions)
	x, y := s.in[0], s.in[1]
	x, y = s.turned(x, o.TransposeX), s.turned(y, o.TransposeY)
	xRank, yRank, rank := len(s.in[0].value.Shape()), len(s.in[1].value.Shape()), len(s.shape)
	if x.batch.axis == xRank-1 && xRank > 0 || !y.batch.none() && y.batch.axis == yRank-2 {
		s.refuse("sums over the batch")
	}
	for _, r := range []struct {
		ref
		rank int
	}{{x, xRank}, {y, yRank}} {
		if r.batch.none() {
			continue
		}
		at := batchAxis{r.batch.axis + rank - r.rank, r.batch.before}
		if !s.batch.none() && s.batch != at {
			s.refuse("multiplies each sample of the batch with each other")
		}
		s.batch = at
	}
	if axis := s.batch.axis; !s.batch.none() && axis < rank-2 {
		if at := axis - rank + xRank; x.batch.none() && at >= 0 {
			x = s.same(x, at)
		}
		if at := axis - rank + yRank; y.batch.none() && at >= 0 {
			y = s.same(y, at)
		}
	}
	return s.op("MatMul", []string{x.name, y.name})
}

// turned returns the transpose of the last two axes, if that is wanted.
func (s *site) turned(r ref, turn bool) ref {
	if !turn {
		return r
	}
	rank := len(r.value.Shape())
	order := make([]int, rank)
	for i := range order {
		order[i] = i
	}
	order[rank-1], order[rank-2] = rank-2, rank-1
	r.name = s.transposed(r.name, order)
	if r.batch.axis >= rank-2 {
		r.batch.axis = 2*rank - 3 - r.batch.axis
	}
	return r
}

func det(s *site) string {
	rank := len(s.in[0].value.Shape())
	s.keeps(rank-1, rank-2)
	return s.op("Det", s.names())
}

// diagonal gathers the diagonal from the rows of matrices laid out flat.
func diagonal(s *site) string {
	x := s.in[0]
	from := x.value.Shape()
	rank := len(from)
	s.keeps(rank-1, rank-2)
	rows, columns, k := from[rank-2], from[rank-1], s.options.(autograd.DiagonalOptions).K
	flat := append(slices.Clone(from[:rank-2]), rows*columns)
	places := make([]int, s.shape[rank-2])
	for i := range places {
		places[i] = (i+max(0, -k))*columns + i + max(0, k)
	}
	name := s.reshapeOf(x.name, flat, x.batch)
	return s.op("Gather", []string{name, s.ints64(places...)}, intAttribute("axis", rank-2))
}

// onDiagonal puts rows on the diagonal of a square, and zeros around that.
func onDiagonal(s *site) string {
	x := s.in[0]
	from, rank, k := x.value.Shape(), len(s.shape), s.options.(autograd.DiagonalOptions).K
	s.keeps(rank - 2)
	n := from[rank-2]
	square := append(slices.Clone(from), 1)
	name := s.reshapeOf(x.name, square, x.batch)
	eye := s.cast(s.initialized(autograd.Eye(n)), message.Bool)
	name = s.op("Where", []string{eye, name, s.scalar(0)})
	pads := make([]int, 2*rank)
	pads[rank-2], pads[rank-1] = max(0, -k), max(0, k)
	pads[2*rank-2], pads[2*rank-1] = s.shape[rank-2]-n-max(0, -k), s.shape[rank-1]-n-max(0, k)
	return s.padded(name, pads, 0)
}

// reductionWriters are those along axes.
var reductionWriters = map[string]writer{
	"sum": reduction("ReduceSum"), "mean": reduction("ReduceMean"), "prod": reduction("ReduceProd"), "max": reduction("ReduceMax"),
	"min": reduction("ReduceMin"), "logsumexp": reduction("ReduceLogSumExp"),
	"norm":        norm,
	"softmax":     along("Softmax"),
	"log softmax": along("LogSoftmax"),
	"cumsum":      cumSum,
	"sort":        sorted,
	"top k":       sorted,
}

func reduction(op string) writer {
	return func(s *site) string { return s.reduced(op, s.in[0].name) }
}

// reduced reduces a tensor of the input's shape and gives the result the node's
// shape.
func (s *site) reduced(op, name string) string {
	axes := s.options.(autograd.ReduceOptions).Axes
	from := s.in[0].value.Shape()
	s.keeps(axes...)
	s.batch = s.without(s.in[0].batch, axes, from)
	if len(from) == 0 {
		return name
	}
	keep := len(s.shape) == len(from)
	name = s.op(op, []string{name, s.ints64(axes...)}, flag("keepdims", keep))
	if left := len(from) - len(axes); !keep && left != len(s.shape) {
		return s.reshapeOf(name, s.shape, s.batch)
	}
	return name
}

// without returns the batch axis in the node's shape, from which axes are gone.
func (s *site) without(b batchAxis, axes, from []int) batchAxis {
	if b.none() || len(s.shape) == len(from) {
		return b
	}
	for _, axis := range axes {
		if axis < s.in[0].batch.axis {
			b.axis--
		}
	}
	return b
}

func norm(s *site) string {
	switch p := s.options.(autograd.ReduceOptions).P; {
	case p == 1:
		return s.reduced("ReduceL1", s.in[0].name)
	case p == 2:
		return s.reduced("ReduceL2", s.in[0].name)
	case math.IsInf(p, 1):
		return s.reduced("ReduceMax", s.op("Abs", []string{s.in[0].name}))
	}
	return ""
}

// along is an operator along an axis.
func along(op string) writer {
	return func(s *site) string {
		axis := s.options.(autograd.AxisOptions).Axis
		s.keeps(axis)
		return s.op(op, s.names(), intAttribute("axis", axis))
	}
}

func cumSum(s *site) string {
	o := s.options.(autograd.AxisOptions)
	s.keeps(o.Axis)
	return s.op("CumSum", []string{s.in[0].name, s.intScalar(o.Axis)}, flag("reverse", o.Reverse))
}

func sorted(s *site) string {
	o := s.options.(autograd.SortOptions)
	s.keeps(o.Axis)
	results := s.ops("TopK", 2, []string{s.in[0].name, s.ints64(o.K)}, intAttribute("axis", o.Axis), flag("largest", o.Descending), flag("sorted", true))
	s.found[s.Value] = results[1]
	return results[0]
}
