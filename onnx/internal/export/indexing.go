package export

import (
	"slices"

	"nabla/autograd"
	"nabla/onnx/internal/message"
)

// indexWriters look elements up, or add them, at indices.
var indexWriters = map[string]writer{
	"embedding":    embedding,
	"index select": indexSelect,
	"index add":    func(s *site) string { o := s.options.(autograd.IndexOptions); return s.addedRows(o.Axis, o.Index) },
	"segment sum":  func(s *site) string { return s.addedRows(0, s.options.(autograd.SegmentOptions).Segments) },
	"gather":       gather,
	"scatter add":  scatterAdd,
}

// indices returns the indices as a tensor: the input of the model that they
// are, or integers. Of an input with a batch, the axis is returned too.
func (s *site) indices(values []int, shape ...int) (string, batchAxis) {
	if s.given == nil {
		return s.integers(values, shape...), noBatch
	}
	return s.shaped(*s.given, shape)
}

// shaped returns Ints that are an input in the shape in which the operation had
// them: Ints of one memory may have several.
func (s *site) shaped(given givenInts, shape []int) (string, batchAxis) {
	from, b := given.ints.Shape(), given.ref.batch
	if product(from) != product(shape) {
		s.refuse("takes a part of the Ints %q", given.ref.name)
	}
	if slices.Equal(from, shape) {
		return given.ref.name, b
	}
	to, ok := s.reshaped(b, from, shape)
	if !ok {
		s.refuse("takes the Ints %q in a shape in which the batch is along no axis", given.ref.name)
	}
	return s.reshapeOf(given.ref.name, shape, to), to
}

func embedding(s *site) string {
	o := s.options.(autograd.EmbeddingCall)
	s.keeps(0)
	shape := o.IDs.Shape()
	ids, b := s.indices(o.IDs.Values(), shape...)
	s.rows(b, 0, len(shape))
	return s.op("Gather", []string{s.in[0].name, ids}, intAttribute("axis", 0))
}

// rows sets the batch axis of what is looked up along an axis, in place of
// which stand the axes of the indices.
func (s *site) rows(b batchAxis, axis, rank int) {
	switch {
	case !b.none() && !s.batch.none():
		s.refuse("looks up the indices of each sample in each of the batch")
	case !b.none():
		s.batch = batchAxis{axis + b.axis, b.before}
	case s.batch.axis > axis:
		s.batch.axis += rank - 1
	}
}

func indexSelect(s *site) string {
	o := s.options.(autograd.IndexOptions)
	s.keeps(o.Axis)
	ids, b := s.indices(o.Index, len(o.Index))
	s.rows(b, o.Axis, 1)
	return s.op("Gather", []string{s.in[0].name, ids}, intAttribute("axis", o.Axis))
}

// addedRows adds slices to zeros at the indices along an axis.
func (s *site) addedRows(axis int, index []int) string {
	s.keeps(axis)
	x := s.in[0]
	at := make([]int, len(s.shape))
	for i := range at {
		at[i] = 1
	}
	at[axis] = len(index)
	ids, b := s.indices(index, at...)
	if !b.none() {
		s.refuse("adds samples of the batch up")
	}
	ids = s.spread(ids, x.value.Shape(), x.batch)
	return s.scattered(x.name, ids, axis)
}

// scattered adds elements to zeros of the node's shape.
func (s *site) scattered(name, ids string, axis int) string {
	zeros := s.filled(0, s.shape, s.batch)
	return s.op("ScatterElements", []string{zeros, ids, name}, intAttribute("axis", axis), stringAttribute("reduction", "add"))
}

// gather takes elements along an axis. Places in the whole tensor are looked up
// in it laid out flat.
func gather(s *site) string {
	o, x := s.options.(autograd.GatherOptions), s.in[0]
	switch {
	case o.Chosen >= 0:
		return s.gatherChosen(o)
	case o.Axis < 0:
		s.checkPlaces()
		flat := s.reshapeOf(x.name, []int{product(x.value.Shape())}, noBatch)
		ids := s.integers(o.Index.Values(), s.shape...)
		return s.op("Gather", []string{flat, ids}, intAttribute("axis", 0))
	}
	s.keeps(o.Axis)
	s.checkWhole(x)
	ids := s.along(o, s.shape)
	return s.op("GatherElements", []string{s.fitting(x, s.shape, o.Axis), ids}, intAttribute("axis", o.Axis))
}

// checkPlaces refuses places in a whole tensor that another batch, or other
// Ints, would change.
func (s *site) checkPlaces() {
	switch {
	case !s.in[0].batch.none():
		s.refuse("places in the whole tensor fit this batch alone")
	case s.given != nil:
		s.refuse("places in the whole tensor, made of the Ints %q, fit these alone", s.given.ref.name)
	}
}

// checkWhole refuses an operation that reads or fills a part of the batch.
func (s *site) checkWhole(x ref) {
	if b := x.batch; !b.none() && x.value.Shape()[b.axis] != s.shape[b.axis] {
		s.refuse("takes a part of the batch, or makes it longer")
	}
}

// along returns the indices of a gather or scatter in a shape, of which the
// batch has the axis of the input.
func (s *site) along(o autograd.GatherOptions, shape []int) string {
	ids, b := s.indices(o.Index.Values(), shape...)
	switch {
	case b == s.batch:
		return ids
	case s.batch.none():
		s.refuse("looks up the samples of the batch in a tensor that has none")
	case !b.none():
		s.refuse("the batch lies along different axes of its inputs")
	}
	one := autograd.NewTensor(floats(o.Index.Values()), shape...)
	if !repeats(one, s.batch.axis) {
		s.refuse("the indices differ for the samples of the batch, so that they fit this batch alone")
	}
	ids = s.cut(ids, s.batch.axis, 0, 1)
	s.settle(ids, one, s.batch.axis)
	return s.expanded(ids, shape, s.batch)
}

func floats(v []int) []float64 {
	f := make([]float64, len(v))
	for i, n := range v {
		f[i] = float64(n)
	}
	return f
}

// fitting cuts the axes of x that are longer than those of the indices.
func (s *site) fitting(x ref, shape []int, axis int) string {
	name := x.name
	for i, n := range x.value.Shape() {
		if i != axis && n > shape[i] {
			name = s.cut(name, i, 0, shape[i])
		}
	}
	return name
}

func scatterAdd(s *site) string {
	o, x := s.options.(autograd.GatherOptions), s.in[0]
	switch {
	case o.Chosen >= 0:
		return s.scatterChosen(o)
	case o.Axis < 0:
		s.checkPlaces()
		n := product(x.value.Shape())
		flat, ids := s.reshapeOf(x.name, []int{n}, noBatch), s.ints64(o.Index.Values()...)
		zeros := s.filled(0, []int{product(s.shape)}, noBatch)
		sum := s.op("ScatterElements", []string{zeros, ids, flat}, intAttribute("axis", 0), stringAttribute("reduction", "add"))
		return s.reshapeOf(sum, s.shape, noBatch)
	}
	s.keeps(o.Axis)
	s.checkWhole(x)
	return s.scattered(x.name, s.along(o, x.value.Shape()), o.Axis)
}

// chosenIndices returns the indices that another node found in its input, and
// the axis along which.
func (s *site) chosenIndices(o autograd.GatherOptions) (string, int) {
	by := s.Value.Graph().At(o.Chosen)
	switch how := by.Node().Options().(type) {
	case autograd.SortOptions:
		return s.found[by], how.Axis
	case autograd.AxisOptions:
		return s.runningIndices(by, how.Axis), how.Axis
	}
	s.refuse("takes what a %s chose", by.Node().Op)
	return "", 0
}

// runningIndices returns, for each element of a cummax or cummin, the index of
// the last element so far that was as great or small: the greatest of the
// indices where the input is the result.
func (s *site) runningIndices(by autograd.Value, axis int) string {
	x, y := s.refs[by.Node().Inputs[0]], s.refs[by.Node().ID]
	dims := by.Shape()
	shape := make([]int, len(dims))
	for i := range shape {
		shape[i] = 1
	}
	shape[axis] = dims[axis]
	count := make([]float64, dims[axis])
	for i := range count {
		count[i] = float64(i)
	}
	here := s.op("Equal", []string{x.name, y.name})
	name := s.op("Where", []string{here, s.initialized(autograd.NewTensor(count, shape...)), s.scalar(0)})
	for d := 1; d < dims[axis]; d *= 2 {
		pads := make([]int, 2*len(dims))
		pads[axis] = d
		name = s.op("Max", []string{name, s.cut(s.padded(name, pads, 0), axis, 0, dims[axis])})
	}
	return s.cast(name, message.Int64)
}

// segmentIndices returns, for each segment that has rows and each column, the
// first row in which the greatest of the segment stands.
func (s *site) segmentIndices(by autograd.Value, o autograd.SegmentOptions) (ids string, shape []int) {
	x, y := s.refs[by.Node().Inputs[0]], s.refs[by.Node().ID]
	s.keepsNone(x, y)
	shape = x.value.Shape()
	rows, place := shape[0], make([]int, o.Count)
	lists := make([][]int, o.Count)
	for row, segment := range o.Segments {
		lists[segment] = append(lists[segment], row)
	}
	filled := 0
	for segment, list := range lists {
		place[segment] = filled
		if len(list) > 0 {
			filled++
		}
	}
	own := make([]int, rows)
	numbers := make([]int, rows)
	for row, segment := range o.Segments {
		own[row], numbers[row] = place[segment], row
	}
	shape[0] = filled
	greatest := s.op("Gather", []string{s.reshapeOf(y.name, shape, noBatch), s.ints64(own...)}, intAttribute("axis", 0))
	column := slices.Repeat([]int{1}, len(shape))
	column[0] = rows
	where := s.op("Where", []string{s.op("Equal", []string{x.name, greatest}), s.integers(numbers, column...), s.intScalar(rows)})
	var firsts []string
	for _, list := range lists {
		if len(list) > 0 {
			part := s.op("Gather", []string{where, s.ints64(list...)}, intAttribute("axis", 0))
			firsts = append(firsts, s.op("ReduceMin", []string{part, s.ints64(0)}, flag("keepdims", true)))
		}
	}
	return s.op("Concat", firsts, intAttribute("axis", 0)), shape
}

// keepsNone refuses inputs with a batch.
func (s *site) keepsNone(all ...ref) {
	for _, r := range append(all, s.in...) {
		if !r.batch.none() {
			s.refuse("the rows of segments are no batch")
		}
	}
}

// chosen returns the indices that another node found in its input, their axis,
// and the shape in which the elements stand there.
func (s *site) chosen(o autograd.GatherOptions, shape []int) (ids string, axis int, stand []int) {
	by := s.Value.Graph().At(o.Chosen)
	if segments, ok := by.Node().Options().(autograd.SegmentOptions); ok {
		ids, stand = s.segmentIndices(by, segments)
		return ids, 0, stand
	}
	ids, axis = s.chosenIndices(o)
	s.keeps(axis)
	return ids, axis, shape
}

func (s *site) gatherChosen(o autograd.GatherOptions) string {
	ids, axis, stand := s.chosen(o, s.shape)
	y := s.op("GatherElements", []string{s.in[0].name, ids}, intAttribute("axis", axis))
	if slices.Equal(stand, s.shape) {
		return y
	}
	return s.reshapeOf(y, s.shape, noBatch)
}

func (s *site) scatterChosen(o autograd.GatherOptions) string {
	x := s.in[0]
	ids, axis, stand := s.chosen(o, x.value.Shape())
	name := x.name
	if !slices.Equal(stand, x.value.Shape()) {
		name = s.reshapeOf(name, stand, noBatch)
	}
	return s.scattered(name, ids, axis)
}
