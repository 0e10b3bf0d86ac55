package autograd

import (
	"slices"
	"unsafe"

	"nabla/internal/kernel"
)

// Options returns what the operation was told besides its inputs, so that it
// can be recorded again elsewhere: by an exporter, or on other inputs. It is
// one of these, with axes counted from the front and defaults filled in; Values
// in it are inputs of the node.
//
//	conv, conv weights                      ConvOptions
//	conv transpose                          ConvTransposeOptions
//	unfold, fold                            UnfoldOptions
//	max pool, avg pool, avg pool gradient   PoolOptions or AdaptiveOptions
//	max pool gradient, max pool gather      ChosenOptions
//	upsample, upsample gradient             UpsampleOptions, with Size
//	batch norm, layer norm, group norm, instance norm, rms norm, normalize,
//	batch mean, batch variance, normalization gradient, scale gradient,
//	shift gradient                          NormOptions
//	lstm, gru, rnn                          RecurrentCall
//	attention                               AttentionCall
//	rotary                                  RotaryOptions
//	ctc                                     CTCCall
//	embedding                               EmbeddingCall
//	index select, index add                 IndexOptions
//	gather, scatter add                     GatherOptions
//	segment sum, segment max, segment softmax   SegmentOptions
//	sort, top k                             SortOptions
//	matmul                                  MatMulOptions
//	sum, mean, prod, max, min, var, std, norm, logsumexp, center   ReduceOptions
//	softmax, log softmax and their gradients, concat, cumsum, cumprod,
//	cummax, cummin, logcumsumexp, its gradient and tangent   AxisOptions
//	permute                                 PermuteOptions
//	slice                                   SliceOptions
//	pad                                     PadOptions
//	diagonal, on diagonal, triu, tril       DiagonalOptions
//	a constant made by OneHot               OneHotOptions
//	a constant that dropout multiplies by   DropoutMask
//	a custom operation                      Operation
//
// Any other operation has nil. Its inputs, its shape (of reshape and expand)
// and its Constants say all: of an elementwise one the factor, the exponent,
// the slope, the bounds or the order that the method took, in that order; of
// the gradient of one those of the operation. The first input of a "… gradient"
// is the incoming gradient, which is followed by the operation's inputs; that
// of a softmax has its result instead. A "kink" is its first input. A "lerp"
// has the ends and the weight, "where" the mask and the branches.
func (n Node) Options() any {
	x := n.Value.node("Options")
	if x.op == &opCustom || x.op == &opCustomMask {
		return *x.extra.custom
	}
	return n.options(x)
}

func (n Node) options(x *node) any {
	switch x.op {
	case &opSoftmax, &opLogSoftmax, &opSoftmaxGrad, &opLogSoftmaxGrad, &opConcat, &opCumSum, &opCumProd,
		&opLogCumSumExp, &opLogCumSumExpBack, &opLogCumSumExpAlong:
		return AxisOptions{Axis: int(x.a), Reverse: x.b == 1}
	case &opCumMax, &opCumMin:
		return AxisOptions{Axis: x.extra.told[0]}
	case &opSort, &opTopK:
		return SortOptions{Axis: x.extra.told[0], K: x.extra.told[1], Descending: x.extra.told[2] == 1}
	case &opSum, &opMean, &opProd, &opMax, &opMin, &opVar, &opStd, &opNorm, &opLogSumExp, &opCenter:
		return reduceOptions(x)
	case &opMatMul:
		return MatMulOptions{x.a == 1, x.b == 1}
	case &opPermute:
		return PermuteOptions{slices.Clone(x.ints())}
	case &opSlice:
		starts, steps := x.places()
		return SliceOptions{starts, steps}
	case &opPad:
		starts, steps := x.places()
		return PadOptions{x.a, starts, steps}
	case &opDiagonal, &opOnDiagonal, &opTriu, &opTril:
		return DiagonalOptions{int(x.a)}
	case &opIndexSelect, &opIndexAdd:
		return IndexOptions{int(x.a), slices.Clone(x.ints())}
	case &opGather, &opScatterAdd:
		return n.gatherOptions(x)
	case &opSegmentSum, &opSegmentMax, &opSegmentSoftmax:
		return segmentOptions(x)
	case &opConstant:
		return constantOptions(x)
	}
	return n.optionsOfLayers(x)
}

// constantOptions tells constants that the package made from others.
func constantOptions(x *node) any {
	switch e := x.extra; {
	case e == nil:
	case e.told[0] > 0:
		return OneHotOptions{e.told[0] - 1}
	case e.told[1] > 0:
		return DropoutMask{}
	}
	return nil
}

// optionsOfLayers is options for what layers are made of.
func (n Node) optionsOfLayers(x *node) any {
	switch x.op {
	case &opConv, &opConvWeights:
		return n.convOptions(x)
	case &opConvTranspose:
		return n.convTransposeOptions(x)
	case &opUnfold, &opFold:
		return n.unfoldOptions(x)
	case &opMaxPool, &opAvgPool, &opAvgPoolGradient:
		return poolOptions(x)
	case &opMaxPoolGradient, &opMaxPoolGather:
		return ChosenOptions{x.extra.told[0]}
	case &opUpsample, &opUpsampleGradient:
		r, axes := resampling(x.ints()), x.shape.rank()-2
		return UpsampleOptions{Size: slices.Clone(r.Out[3-axes:]), Bilinear: r.Linear, AlignCorners: r.Corners}
	case &opBatchNorm, &opLayerNorm, &opGroupNorm, &opInstanceNorm, &opRMSNorm, &opNormalize,
		&opBatchMean, &opBatchVariance, &opNormGradient, &opScaleGradient, &opShiftGradient:
		return n.normOptions(x)
	case &opLSTM, &opGRU, &opRNN:
		return n.recurrentCall(x)
	case &opAttention:
		return n.attentionCall(x)
	case &opRotary:
		i := x.ints()
		return RotaryOptions{Heads: i[0], Turned: i[1], First: i[2], Base: x.a, Back: x.b == 1}
	case &opCTC:
		return ctcCall(x)
	case &opEmbedding:
		return n.embeddingCall(x)
	}
	return nil
}

// places returns the starts and steps of a slice or padding.
func (n *node) places() (starts, steps []int) {
	places, rank := slices.Clone(n.ints()), n.shape.rank()
	return places[:rank], places[rank:]
}

// AxisOptions are what an operation along an axis was told.
type AxisOptions struct {
	Axis    int
	Reverse bool // of a cumsum or cumprod: from the end, as in a gradient
}

// ReduceOptions are what a reduction was told. Its result has the node's shape,
// in which axes of length 1 may be left in the places of those reduced.
type ReduceOptions struct {
	Axes       []int   // all that it reduces, ascending and adjacent
	Correction int     // of var and std: subtracted from the number of elements
	P          float64 // of a norm
}

// MatMulOptions are what a matrix product was told: matrices of the last two
// axes may be meant as their transposes, as in gradients.
type MatMulOptions struct{ TransposeX, TransposeY bool }

// PermuteOptions are what [Value.Permute] was told.
type PermuteOptions struct{ Order []int }

// SliceOptions say which elements a slice took along each axis: as many as the
// node's shape has, from Starts on, in Steps that may be negative.
type SliceOptions struct{ Starts, Steps []int }

// PadOptions say where the elements of x stand in the node's shape: from Starts
// on, in Steps that may be negative. All others are Fill.
type PadOptions struct {
	Fill   float64
	Starts []int
	Steps  []int
}

// DiagonalOptions say which diagonal is meant.
type DiagonalOptions struct{ K int }

// SortOptions are what [Value.Sort] and [Value.TopK] were told.
type SortOptions struct {
	Axis       int
	K          int // how many of the sorted elements
	Descending bool
}

// IndexOptions are what [Value.IndexSelect] and [Value.IndexAdd] were told. An
// "index add" adds its input to zeros of the node's shape.
type IndexOptions struct {
	Axis  int
	Index []int
}

// GatherOptions are what [Value.Gather] and [Value.ScatterAdd] were told. A
// "scatter add" adds its input to zeros of the node's shape.
type GatherOptions struct {
	Axis  int  // −1: the indices are row-major places in the whole tensor
	Index Ints // in the shape of the elements that are moved

	// Chosen is the ID of the sort, top k, cummax, cummin or segment max that
	// found the places in its input; −1 if they were given. They would be
	// others for another input.
	Chosen int
}

// ChosenOptions say whose choice is meant: the ID of a max pool, which found
// the places in its input. They would be others for another input.
type ChosenOptions struct{ By int }

// SegmentOptions are what an operation on segments was told. If some segments
// have no rows, a "segment max" leaves them out, and is a vector of what is
// left.
type SegmentOptions struct {
	Segments []int
	Count    int
}

// OneHotOptions are what [Graph.OneHotAlong] was told, of labels all of which
// have a class.
type OneHotOptions struct{ Axis int }

// A DropoutMask is what [Value.Dropout] drew: another recording would draw
// others.
type DropoutMask struct{}

// AdaptiveOptions are what an adaptive pooling was told, if its windows are not
// all of one length.
type AdaptiveOptions struct{ Sizes []int }

// NormOptions say how a normalization, one of its statistics or its gradients
// sees its input: as [Samples, Channels, Inner]. What is normalized together is
// a channel of all samples (ByChannel), or the channels of each of the Groups
// of a sample, with all that is behind them. Zero Values were left out.
type NormOptions struct {
	Epsilon                          float64
	ByChannel                        bool
	NoMean                           bool // of an rms norm
	Samples, Groups, Channels, Inner int
	Scale, Shift                     Value
	Mean, Variance                   Value // of "normalize"
}

// A RecurrentCall is what [LSTM], [GRU] or [RNN] was told. Zero Values were
// left out. The node is a matrix, whose rows are the outputs, [batch·steps,
// hidden], then the last states, [batch, hidden], and of an LSTM the last
// cells.
type RecurrentCall struct {
	X, H, C Value
	Weights RecurrentWeights
	RecurrentOptions
}

// An AttentionCall is what [Attention] was told. Zero Values were left out.
type AttentionCall struct {
	Q, K, V Value
	AttentionOptions
	Key    uint64 // of the random numbers by which weights were dropped, if Dropout > 0
	Cached bool   // the keys and values are those of [KeyValues], which are no inputs
}

// A CTCCall is what [Value.CTC] was told.
type CTCCall struct {
	Labels Ints
	CTCOptions
}

// An EmbeddingCall is what [Value.EmbeddingWith] was told. Padding holds those
// of its ids that occur.
type EmbeddingCall struct {
	IDs Ints
	EmbeddingOptions
}

// Took reports whether x, or other Ints with the same memory, were given to the
// operation, which as a node keeps a copy: an exporter may make an input of
// them. Of constants, those that [Graph.OneHot] and the like made took Ints.
func (n Node) Took(x Ints) bool {
	e := n.Value.node("Took").extra
	return e != nil && len(x.values) > 0 && slices.Contains(e.given[:], x.given())
}

// TookInts reports whether the operation was given Ints, or is the gradient of
// one that was.
func (n Node) TookInts() bool {
	e := n.Value.node("TookInts").extra
	return e != nil && slices.ContainsFunc(e.given[:], func(g givenInts) bool { return g.n > 0 })
}

// tookAs notes that x took the Ints of the rule's operation, and returns it.
func (x Value) tookAs(r *Rule) Value {
	x.g.extraOf(x.g.at(x.id)).given = r.n.extra.given
	return x
}

// TookOf returns the ID of a node from which Ints that the operation was given
// were computed, by ArgMax, ArgSort or the like, and false if there is none:
// for another input of the network they would be others.
func (n Node) TookOf() (id int, ok bool) {
	e := n.Value.node("TookOf").extra
	if e == nil {
		return 0, false
	}
	for _, f := range n.Value.g.found {
		if slices.Contains(e.given[:], f.givenInts) {
			return int(f.from), true
		}
	}
	return 0, false
}

// finds notes that Ints were computed from x, and returns them.
func (x Value) finds(index Ints) Ints {
	if len(index.values) > 0 && !x.g.reverse.active {
		x.g.found = append(x.g.found, foundInts{index.given(), x.id})
	}
	return index
}

// take notes which Ints an operation was given.
func (e *extra) take(given ...Ints) {
	for i, x := range given {
		e.given[i] = x.given()
	}
}

// given returns the memory of x, that of no Ints if there are none in it.
func (x Ints) given() givenInts {
	if len(x.values) == 0 {
		return givenInts{}
	}
	return givenInts{unsafe.SliceData(x.values), len(x.values)}
}

// inputs returns the node's inputs as Values.
func (n Node) inputs() []Value {
	in := make([]Value, len(n.Inputs))
	for i, id := range n.Inputs {
		in[i] = Value{n.Value.g, int32(id), n.Value.gen}
	}
	return in
}

func reduceOptions(x *node) any {
	o := ReduceOptions{Axes: make([]int, x.ints()[1]), P: x.a}
	for i := range o.Axes {
		o.Axes[i] = x.ints()[0] + i
	}
	if x.op == &opVar || x.op == &opStd {
		o.Correction = x.ints()[2]
	}
	return o
}

func (n Node) normOptions(x *node) any {
	l, in := groupingOf(x), n.inputs()
	o := NormOptions{
		Epsilon: x.a, ByChannel: l.byChannel, NoMean: l.plain,
		Samples: l.n, Groups: l.groups, Channels: l.channels, Inner: l.inner,
	}
	switch x.op {
	case &opBatchMean, &opBatchVariance, &opScaleGradient, &opShiftGradient:
		return o
	case &opNormGradient:
		in = in[2:]
	case &opNormalize:
		o.Mean, o.Variance, in = in[1], in[2], in[3:]
	default:
		in = in[1:]
	}
	if l.scale {
		o.Scale, in = in[0], in[1:]
	}
	if l.shift {
		o.Shift = in[0]
	}
	return o
}

// convOptions returns the padding after the end as far as windows reach it. In
// gradients it may be negative: then they leave out elements at the end, as
// many as a window's stride or more.
func (n Node) convOptions(x *node) any {
	c, axes := geometryOf(x.ints()), x.shape.rank()-2
	o := ConvOptions{Groups: c.Groups}
	for _, a := range c.Axes[3-axes:] {
		o.Stride, o.Dilation = append(o.Stride, a.Stride), append(o.Dilation, a.Dilation)
		o.Padding = append(o.Padding, [2]int{a.Before, reached(a)})
	}
	if in := n.inputs(); len(in) > 2 {
		o.Bias = in[2]
	}
	return o
}

// reached returns the padding after the end that windows reach.
func reached(a kernel.ConvolutionAxis) int {
	after := (a.Map-1)*a.Stride + a.Dilation*(a.Kernel-1) + 1 - a.Before - a.Image
	if after < 0 && after > -a.Stride {
		return 0
	}
	return after
}

func (n Node) convTransposeOptions(x *node) any {
	c, axes := geometryOf(x.ints()), x.shape.rank()-2
	o := ConvTransposeOptions{Groups: c.Groups}
	for _, a := range c.Axes[3-axes:] {
		after := (a.Map-1)*a.Stride + a.Dilation*(a.Kernel-1) + 1 - a.Before - a.Image
		o.Stride, o.Dilation = append(o.Stride, a.Stride), append(o.Dilation, a.Dilation)
		o.Padding = append(o.Padding, [2]int{a.Before, max(after, 0)})
		o.OutputPadding = append(o.OutputPadding, max(-after, 0))
	}
	if in := n.inputs(); len(in) > 2 {
		o.Bias = in[2]
	}
	return o
}

func (n Node) unfoldOptions(x *node) any {
	c, image := geometryOf(x.ints()), x
	if x.op == &opUnfold {
		image = n.Value.g.at(int32(n.Inputs[0]))
	}
	o := UnfoldOptions{}
	for _, a := range c.Axes[5-image.shape.rank():] {
		o.Kernel, o.Stride, o.Dilation = append(o.Kernel, a.Kernel), append(o.Stride, a.Stride), append(o.Dilation, a.Dilation)
		o.Padding = append(o.Padding, [2]int{a.Before, reached(a)})
	}
	return o
}

func poolOptions(x *node) any {
	var o PoolOptions
	var adaptive AdaptiveOptions
	even, axes := true, x.shape.rank()-2
	for i := 3 - axes; i < 3; i++ {
		head := x.ints()[i*poolHead:]
		adaptive.Sizes = append(adaptive.Sizes, head[1])
		even = even && head[4] > 0
		o.Dilation, o.Kernel = append(o.Dilation, head[2]), append(o.Kernel, head[3])
		o.Stride, o.Padding = append(o.Stride, head[4]), append(o.Padding, [2]int{head[5], head[6]})
		o.Ceil, o.ExcludePadding = head[7]&1 != 0, head[7]&2 != 0
	}
	if !even {
		return adaptive
	}
	if x.op != &opMaxPool {
		o.Dilation = nil
	}
	return o
}

func (n Node) recurrentCall(x *node) any {
	r, in := recurrenceOf(x), n.inputs()
	at := r.optional()
	optional := func(i int) Value {
		if at[i] < 0 {
			return Value{}
		}
		return in[at[i]]
	}
	c := RecurrentCall{
		X: in[0], H: optional(0), C: optional(1),
		Weights:          RecurrentWeights{Input: in[1], Hidden: in[2], InputBias: optional(2), HiddenBias: optional(3)},
		RecurrentOptions: RecurrentOptions{Reverse: r.Reverse, ReLU: r.Cell == kernel.CellReLU},
	}
	if slices.ContainsFunc(r.Lengths, func(length int) bool { return length != r.Steps }) || x.extra.given[0].n > 0 {
		c.Lengths = NewInts(r.Lengths)
	}
	return c
}

func (n Node) attentionCall(x *node) any {
	i, in := x.ints(), n.inputs()
	c := AttentionCall{Key: uint64(i[12]), Cached: x.extra.told[0] == 1}
	c.Causal, c.Offset, c.Scale, c.Dropout = i[9] == 1, i[7], x.a, x.b
	if i[10] == 1 {
		c.Heads, c.KVHeads = i[1], i[2]
	}
	if len(i) > attentionInts {
		c.Lengths = NewInts(i[attentionInts:])
	}
	if i[11]&2 != 0 {
		c.Bias, in = in[len(in)-1], in[:len(in)-1]
	}
	if i[11]&1 != 0 {
		c.Mask, in = in[len(in)-1], in[:len(in)-1]
	}
	for source, to := range [...]*Value{&c.Q, &c.K, &c.V} {
		if source < len(in) {
			*to = in[source]
		}
	}
	return c
}

func ctcCall(x *node) any {
	c := ctcOf(x)
	return CTCCall{NewInts(c.Labels, c.Batch, c.Longest), CTCOptions{
		Blank: c.Blank, Lengths: NewInts(c.Lengths), LabelLengths: NewInts(c.LabelLengths), ZeroInfinity: c.ZeroInfinity,
	}}
}

func (n Node) embeddingCall(x *node) any {
	table := n.inputs()[0].node("Options").shape
	ids := NewInts(x.ints(), x.shape.dims[:x.shape.rank()-table.rank()+1]...)
	c := EmbeddingCall{IDs: ids, EmbeddingOptions: EmbeddingOptions{Whole: x.extra.whole}}
	learning := x.extra.chosen
	if learning == nil {
		return c
	}
	for i, id := range x.ints() {
		if len(learning) > 0 && int(learning[0]) == i {
			learning = learning[1:]
		} else if !slices.Contains(c.Padding, id) {
			c.Padding = append(c.Padding, id)
		}
	}
	return c
}

func (n Node) gatherOptions(x *node) any {
	few, many := x.shape, n.inputs()[0].node("Options").shape
	if x.op == &opScatterAdd {
		few, many = many, few
	}
	o := GatherOptions{Axis: x.extra.told[0] - 1, Chosen: x.extra.told[1] - 1}
	index := slices.Clone(x.ints())
	if o.Axis >= 0 {
		s := spanOf(many, o.Axis)
		for i, place := range index {
			index[i] = place / s.inner % s.n
		}
	}
	o.Index = ViewInts(index, few.dims...)
	return o
}

func segmentOptions(x *node) any {
	switch x.op {
	case &opSegmentMax:
		return SegmentOptions{slices.Clone(x.extra.segments), x.extra.told[0]}
	case &opSegmentSoftmax:
		return SegmentOptions{slices.Clone(x.ints()), int(x.a)}
	}
	return SegmentOptions{slices.Clone(x.ints()), x.shape.dims[0]}
}
