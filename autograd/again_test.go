package autograd

import (
	"fmt"
	"slices"

	"nabla/internal/kernel"
)

// Again records the operation of a node of another graph on other inputs. It
// uses what Node tells about it, its shape, and at, which returns what has been
// recorded for another node: nothing else, so that what an exporter cannot know
// fails the comparison of TestNodesTellAll. The kernels' derivatives have no
// methods: they are found by the operation's name.
func Again(n Node, in []Value, at func(id int) Value) Value {
	dims := n.Value.Shape()
	if op := unaryNamed[n.Op]; op != nil {
		return in[0].unary(op, nil, n.constant(0), n.constant(1))
	}
	if op := binaryNamed[n.Op]; op != nil {
		return in[0].binary(op, nil, in[1])
	}
	if op := slopeNamed[n.Op]; op != nil {
		return slope(op, nil, in[0], in[1], n.constant(0), n.constant(1))
	}
	if f := ternaryNamed[n.Op]; f != nil {
		return ternary(&operation{name: n.Op}, f, nil, in[0], in[1], in[2])
	}
	switch o := n.Options().(type) {
	case Operation:
		if o.Into != nil {
			return CustomInto(&o, dims, in...)
		}
		return Custom(o, in...)
	case AxisOptions:
		return againAlong(n.Op, o, in)
	case ReduceOptions:
		return againReduced(n.Op, o, in[0], dims)
	case NormOptions:
		return againNormalized(n, o, in)
	case MatMulOptions:
		return in[0].matmul(in[1], o.TransposeX, o.TransposeY)
	case PermuteOptions:
		return in[0].Permute(o.Order...)
	case SliceOptions:
		return in[0].take(in[0].g.shape(dims), append(o.Starts, o.Steps...))
	case PadOptions:
		return in[0].place(o.Fill, in[0].g.shape(dims), append(o.Starts, o.Steps...))
	case DiagonalOptions:
		switch n.Op {
		case "diagonal":
			return in[0].Diagonal(o.K)
		case "on diagonal":
			return in[0].onDiagonal(in[0].g.shape(dims), o.K)
		case "triu":
			return in[0].Triu(o.K)
		}
		return in[0].Tril(o.K)
	case IndexOptions:
		if n.Op == "index select" {
			return in[0].IndexSelect(o.Axis, NewInts(o.Index))
		}
		return in[0].sumAt(&opIndexAdd, o.Axis, o.Index, dims[o.Axis])
	case GatherOptions:
		return againMoved(n, o, in[0], at)
	case SegmentOptions:
		return againSegmented(n, o, in[0])
	case SortOptions:
		if n.Op == "top k" {
			return in[0].TopK(o.Axis, o.K)
		}
		return in[0].Sort(o.Axis, o.Descending)
	}
	return againLayer(n, in, at)
}

func againLayer(n Node, in []Value, at func(id int) Value) Value {
	dims, options := n.Value.Shape(), n.Options()
	same := func(v Value) Value { // the input of the new graph for one of the old
		if v.IsZero() {
			return v
		}
		return in[slices.Index(n.Inputs, int(v.id))]
	}
	switch o := options.(type) {
	case ConvOptions:
		if o.Bias = same(o.Bias); n.Op == "conv" && (negative(o.Padding) || slices.Contains(dims, 0)) {
			return in[0].conv(againGeometry(o, in[0].Shape(), in[1].Shape(), dims), in[1], o.Bias)
		}
		if n.Op == "conv" {
			return in[0].Conv(in[1], o)
		}
		return in[0].convWeights(againGeometry(o, in[0].Shape(), dims, in[1].Shape()), in[1])
	case ConvTransposeOptions:
		if o.Bias = same(o.Bias); slices.Contains(in[0].Shape()[2:], 0) || slices.Contains(dims, 0) {
			same := ConvOptions{Stride: o.Stride, Padding: o.Padding, Dilation: o.Dilation, Groups: o.Groups}
			return in[0].convTranspose(againGeometry(same, dims, in[1].Shape(), in[0].Shape()), in[1], o.Bias)
		}
		return in[0].ConvTranspose(in[1], o)
	case UnfoldOptions:
		if n.Op == "unfold" {
			return in[0].Unfold(o)
		}
		return in[0].Fold(o, dims[2:]...)
	case PoolOptions:
		switch n.Op {
		case "max pool":
			return in[0].MaxPool(o)
		case "avg pool":
			return in[0].AvgPool(o)
		}
		s := in[0].g.shape(dims)
		return in[0].avgPoolGradient(s, in[0].g.Full(0, dims...).pool(&opAvgPool, o))
	case AdaptiveOptions:
		switch n.Op {
		case "max pool":
			return in[0].AdaptiveMaxPool(o.Sizes...)
		case "avg pool":
			return in[0].AdaptiveAvgPool(o.Sizes...)
		}
		sizes := in[0].Shape()[2:]
		return in[0].avgPoolGradient(in[0].g.shape(dims), in[0].g.Full(0, dims...).adaptive("AdaptiveAvgPool", sizes))
	case ChosenOptions:
		op := &opMaxPoolGradient
		if n.Op == "max pool gather" {
			op = &opMaxPoolGather
		}
		chosen := at(o.By).node("again").extra.chosen
		return in[0].byChosen(op, nil, in[0].g.shape(dims), chosen, o.By)
	case UpsampleOptions:
		if n.Op == "upsample" {
			return in[0].Upsample(o)
		}
		forward := in[0].g.Full(0, dims...).Upsample(o)
		return in[0].upsampleGradient(in[0].g.shape(dims), forward.node("again").ints())
	case RecurrentCall:
		return againRecurrent(n.Op, o, same)
	case AttentionCall:
		a := newAttention(same(o.Q), same(o.K), same(o.V), AttentionOptions{
			Mask: same(o.Mask), Bias: same(o.Bias), Lengths: o.Lengths, Causal: o.Causal, Offset: o.Offset, Scale: o.Scale,
			Heads: o.Heads, KVHeads: o.KVHeads,
		})
		a.Rate, a.Key = o.Dropout, o.Key
		y := a.record()
		pick(a.g, attend[float64], attend[float32])(&a, y)
		return a.g.done()
	case RotaryOptions:
		return in[0].Rotary(o)
	case CTCCall:
		return in[0].CTC(o.Labels, o.CTCOptions)
	case EmbeddingCall:
		return in[0].EmbeddingWith(o.IDs, o.EmbeddingOptions)
	}
	switch n.Op {
	case "reshape":
		return in[0].Reshape(dims...)
	case "expand":
		return in[0].Expand(dims...)
	case "detach":
		return in[0].Detach()
	case "kink":
		return in[0].Detach()
	case "where":
		return Where(in[0], in[1], in[2])
	case "lerp":
		return in[0].Lerp(in[1], in[2])
	}
	panic(fmt.Sprintf("no way to record %q again from %#v", n.Op, options))
}

func (n Node) constant(i int) float64 {
	if i < len(n.Constants) {
		return n.Constants[i]
	}
	return 0
}

func againAlong(op string, o AxisOptions, in []Value) Value {
	switch op {
	case "softmax":
		return in[0].Softmax(o.Axis)
	case "log softmax":
		return in[0].LogSoftmax(o.Axis)
	case "softmax gradient":
		return softmaxGrad(in[0], in[1], o.Axis)
	case "log softmax gradient":
		return logSoftmaxGrad(in[0], in[1], o.Axis)
	case "concat":
		return Concat(o.Axis, in...)
	case "cumsum":
		return in[0].cumSum(o.Axis, o.Reverse)
	case "cumprod":
		return in[0].cumProd(o.Axis, o.Reverse)
	case "cummax":
		return in[0].CumMax(o.Axis)
	case "cummin":
		return in[0].CumMin(o.Axis)
	case "logcumsumexp":
		return in[0].LogCumSumExp(o.Axis)
	case "logcumsumexp gradient":
		return logCumSumExpBack(in[0], in[1], in[2], o.Axis)
	}
	return logCumSumExpAlong(in[0], in[1], in[2], o.Axis)
}

func againReduced(op string, o ReduceOptions, x Value, dims []int) Value {
	if op == "center" {
		if len(o.Axes) == 0 {
			return x.center(0, 0)
		}
		return x.center(o.Axes[0], len(o.Axes))
	}
	if x.Rank() == 0 {
		o.Axes = nil
	}
	k := x.KeepDims()
	y := map[string]func() Value{
		"sum":       func() Value { return k.Sum(o.Axes...) },
		"mean":      func() Value { return k.Mean(o.Axes...) },
		"prod":      func() Value { return k.Prod(o.Axes...) },
		"max":       func() Value { return k.Max(o.Axes...) },
		"min":       func() Value { return k.Min(o.Axes...) },
		"norm":      func() Value { return k.Norm(o.P, o.Axes...) },
		"logsumexp": func() Value { return k.LogSumExp(o.Axes...) },
		"var": func() Value {
			if o.Correction == 0 {
				return k.PopulationVar(o.Axes...)
			}
			return k.Var(o.Axes...)
		},
		"std": func() Value {
			if o.Correction == 0 {
				return k.PopulationStd(o.Axes...)
			}
			return k.Std(o.Axes...)
		},
	}[op]()
	return y.Reshape(dims...)
}

// againNormalized sees the input as the options do, which gives the same bits.
func againNormalized(n Node, o NormOptions, in []Value) Value {
	l := grouping{
		n: o.Samples, groups: o.Groups, channels: o.Channels, inner: o.Inner, byChannel: o.ByChannel, plain: o.NoMean,
		scale: !o.Scale.IsZero(), shift: !o.Shift.IsZero(),
	}
	same := func(v Value) Value {
		if v.IsZero() {
			return v
		}
		return in[slices.Index(n.Inputs, int(v.id))]
	}
	scale, shift := same(o.Scale), same(o.Shift)
	switch n.Op {
	case "normalize":
		return in[0].Normalize(same(o.Mean), same(o.Variance), scale, shift, o.Epsilon)
	case "batch mean":
		_, mean, _ := in[0].BatchNorm(Value{}, Value{}, 1)
		return mean
	case "batch variance":
		_, _, variance := in[0].BatchNorm(Value{}, Value{}, 1)
		return variance
	case "normalization gradient", "scale gradient":
		plain := l
		plain.scale, plain.shift = false, false
		kept := in[1].hatted(plain, o.Epsilon)
		r := Rule{g: in[0].g, n: in[0].g.at(kept.id), gy: in[0]}
		if n.Op == "normalization gradient" {
			return r.project(in[0], in[1], scale)
		}
		to := normGradients{from: r.n, gy: in[0].node("again"), x: in[1].node("again")}
		to.gScale = r.g.record(&opScaleGradient, nil, r.g.shape(n.Value.Shape()), in[0], in[1])
		pick(r.g, normGradientNodes[float64], normGradientNodes[float32])(r.g, to)
		return r.g.done()
	case "shift gradient":
		to := normGradients{gy: in[0].node("again"), x: in[0].node("again")}
		to.from = in[0].g.at(in[0].hatted(l, 1).id)
		to.gShift = in[0].g.record(&opShiftGradient, nil, in[0].g.shape(n.Value.Shape()), in[0])
		pick(in[0].g, normGradientNodes[float64], normGradientNodes[float32])(in[0].g, to)
		return in[0].g.done()
	}
	op := map[string]*operation{
		"batch norm": &opBatchNorm, "layer norm": &opLayerNorm, "group norm": &opGroupNorm, "instance norm": &opInstanceNorm, "rms norm": &opRMSNorm,
	}[n.Op]
	return in[0].normalized(op, l, scale, shift, o.Epsilon, nil)
}

func (x Value) hatted(l grouping, epsilon float64) Value {
	return x.normalized(&opGroupNorm, l, Value{}, Value{}, epsilon, nil)
}

func againMoved(n Node, o GatherOptions, x Value, at func(id int) Value) Value {
	g, s := x.g, x.g.shape(n.Value.Shape())
	switch {
	case o.Chosen >= 0:
		o.Index = NewInts(at(o.Chosen).node("again").ints())
	case o.Axis >= 0 && n.Op == "gather":
		return x.Gather(o.Axis, o.Index)
	case o.Axis >= 0:
		return x.scatter(s, g.places("again", s, o.Axis, o.Index), chosenAt{})
	}
	if n.Op == "gather" {
		return x.gather(s, o.Index.values, chosenAt{})
	}
	return x.scatter(s, o.Index.values, chosenAt{})
}

func againSegmented(n Node, o SegmentOptions, x Value) Value {
	segments := NewInts(o.Segments)
	switch n.Op {
	case "segment sum":
		return x.SegmentSum(segments, o.Count)
	case "segment softmax":
		return x.SegmentSoftmax(segments, o.Count)
	}
	y := x.SegmentMax(segments, o.Count)
	if y.node("again").op == &opScatterAdd { // of what the segments without rows were added to
		return Value{x.g, y.g.at(y.id).in[0], x.gen}
	}
	return y
}

func againRecurrent(op string, o RecurrentCall, same func(Value) Value) Value {
	w := RecurrentWeights{
		Input: same(o.Weights.Input), Hidden: same(o.Weights.Hidden),
		InputBias: same(o.Weights.InputBias), HiddenBias: same(o.Weights.HiddenBias),
	}
	x, h := same(o.X), same(o.H)
	var y Value
	switch op {
	case "lstm":
		y, _, _ = LSTM(x, h, same(o.C), w, o.RecurrentOptions)
	case "gru":
		y, _ = GRU(x, h, w, o.RecurrentOptions)
	default:
		y, _ = RNN(x, h, w, o.RecurrentOptions)
	}
	for y.node("again").op != &opLSTM && y.node("again").op != &opGRU && y.node("again").op != &opRNN {
		y = Value{y.g, y.g.at(y.id).in[0], y.gen}
	}
	return y
}

func negative(padding [][2]int) bool {
	return slices.ContainsFunc(padding, func(p [2]int) bool { return p[1] < 0 })
}

// againGeometry returns the geometry of a convolution of images with weights to
// maps, from their shapes.
func againGeometry(o ConvOptions, image, weights, maps []int) kernel.Convolution {
	c := kernel.Convolution{
		Batch: image[0], In: image[1], Out: weights[0], Groups: o.Groups,
		Axes: [3]kernel.ConvolutionAxis{kernel.PointAxis, kernel.PointAxis, kernel.PointAxis},
	}
	for i := range o.Stride {
		c.Axes[3-len(o.Stride)+i] = kernel.ConvolutionAxis{
			Image: image[2+i], Map: maps[2+i], Kernel: weights[2+i], Stride: o.Stride[i], Before: o.Padding[i][0], Dilation: o.Dilation[i],
		}
	}
	return c
}

var (
	unaryNamed   = map[string]*operation{}
	binaryNamed  = map[string]*operation{}
	slopeNamed   = map[string]*operation{}
	ternaryNamed = map[string]*kernel.Ternary{
		"div gradient": &kernel.DivSlope, "pow gradient": &kernel.PowSlope, "atan2 gradient": &kernel.Atan2Slope,
		"hypot gradient": &kernel.HypotSlope, "fmod gradient": &kernel.FmodSlope, "remainder gradient": &kernel.RemainderSlope,
		"logaddexp gradient": &kernel.LogAddExpSlope, "binary cross entropy gradient": &kernel.BCESlope,
	}
)

// NameOperations makes the elementwise operations of a recording known to Again
// by their names.
func NameOperations(g *Graph) {
	for id := range g.count {
		switch op := g.at(id).op; {
		case op.unary != nil:
			unaryNamed[op.name] = op
			if op.slope != nil {
				slopeNamed[op.slope.name] = op
			}
		case op.binary != nil:
			binaryNamed[op.name] = op
		}
	}
}
