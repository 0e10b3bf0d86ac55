package export

import (
	"fmt"
	"math"
	"slices"

	"nabla/autograd"
	"nabla/onnx/internal/message"
)

// layerWriters are operators that do what layers do. onnxruntime has most of
// them for float32 only: in float64 they are written out.
var layerWriters = map[string]writer{
	"conv":              conv,
	"conv transpose":    convTranspose,
	"max pool":          maxPool,
	"avg pool":          avgPool,
	"upsample":          resize,
	"layer norm":        layerNorm,
	"instance norm":     instanceNorm,
	"normalize":         batchNorm,
	"lstm":              recurrent("LSTM", []int{0, 3, 1, 2}),
	"gru":               recurrent("GRU", []int{1, 0, 2}),
	"rnn":               recurrent("RNN", []int{0}),
	"max pool gradient": maxPoolGradient, "max pool gather": maxPoolGather,
}

// layerOutlines are the same in other operations.
var layerOutlines = map[string]outline{
	"batch norm": normalized, "layer norm": normalized, "group norm": normalized, "instance norm": normalized, "rms norm": normalized,
	"normalize":              normalizedBy,
	"batch mean":             func(c call) autograd.Value { return c.in[0].Mean(c.besidesChannels()...) },
	"batch variance":         func(c call) autograd.Value { return c.in[0].Var(c.besidesChannels()...) },
	"normalization gradient": normGradient,
	"scale gradient":         func(c call) autograd.Value { return c.channelSums(c.in[0].Mul(c.hat(c.in[1]))) },
	"shift gradient":         func(c call) autograd.Value { return c.channelSums(c.in[0]) },
	"attention":              attention,
	"rotary":                 rotary,
}

// pads returns the padding of each axis as ONNX has it: all befores, then all
// afters.
func pads(padding [][2]int) []int {
	all := make([]int, 2*len(padding))
	for i, p := range padding {
		all[i], all[len(padding)+i] = p[0], p[1]
	}
	return all
}

func conv(s *site) string {
	o, x := s.options.(autograd.ConvOptions), s.in[0]
	if !s.single || product(s.shape) == 0 {
		return ""
	}
	s.sampled(x)
	name := x.name
	for i, p := range o.Padding {
		if p[1] < 0 { // of a gradient: what no window meets
			name = s.cut(name, 2+i, 0, x.value.Dim(2+i)+p[1])
			o.Padding[i][1] = 0
		}
	}
	return s.op("Conv", append([]string{name}, s.names()[1:]...), intsAttribute("dilations", o.Dilation...), intAttribute("group", o.Groups),
		intsAttribute("kernel_shape", s.in[1].value.Shape()[2:]...), intsAttribute("pads", pads(o.Padding)...), intsAttribute("strides", o.Stride...))
}

// sampled sets the batch of an operation that takes samples of x one by one.
func (s *site) sampled(x ref) {
	if x.batch.axis > 0 {
		s.refuse("the batch is not the first axis")
	}
	for _, r := range s.in {
		if !r.batch.none() && r.name != x.name {
			s.refuse("an input beside the samples has a batch")
		}
	}
	s.batch = x.batch
}

func convTranspose(s *site) string {
	o := s.options.(autograd.ConvTransposeOptions)
	if !s.single || product(s.shape) == 0 {
		return ""
	}
	for i, more := range o.OutputPadding {
		if more >= max(o.Stride[i], o.Dilation[i]) {
			return ""
		}
	}
	s.sampled(s.in[0])
	return s.op("ConvTranspose", s.names(), intsAttribute("dilations", o.Dilation...), intAttribute("group", o.Groups),
		intsAttribute("kernel_shape", s.in[1].value.Shape()[2:]...), intsAttribute("output_padding", o.OutputPadding...),
		intsAttribute("pads", pads(o.Padding)...), intsAttribute("strides", o.Stride...))
}

// windowPads returns the padding with which the last window of each axis is the
// last that fits, so that no rounding mode is needed.
func (s *site) windowPads(o autograd.PoolOptions, dilation []int) [][2]int {
	all := make([][2]int, len(o.Kernel))
	for i := range all {
		reach := (s.shape[2+i]-1)*o.Stride[i] + (o.Kernel[i]-1)*dilation[i] + 1
		all[i] = [2]int{o.Padding[i][0], max(0, reach-o.Padding[i][0]-s.in[0].value.Dim(2+i))}
	}
	return all
}

func maxPool(s *site) string {
	o, ok := s.options.(autograd.PoolOptions)
	if !ok || product(s.shape) == 0 {
		return ""
	}
	padding := s.windowPads(o, o.Dilation)
	for i, p := range padding {
		if max(p[0], p[1]) >= o.Kernel[i] {
			return ""
		}
	}
	s.sampled(s.in[0])
	return s.op("MaxPool", s.names(), intsAttribute("dilations", o.Dilation...), intsAttribute("kernel_shape", o.Kernel...),
		intsAttribute("pads", pads(padding)...), intsAttribute("strides", o.Stride...))
}

func avgPool(s *site) string {
	o, ok := s.options.(autograd.PoolOptions)
	if !ok || !s.single || o.Ceil || product(s.shape) == 0 {
		return ""
	}
	for i, p := range o.Padding {
		if max(p[0], p[1]) >= o.Kernel[i] {
			return ""
		}
	}
	s.sampled(s.in[0])
	return s.op("AveragePool", s.names(), flag("count_include_pad", !o.ExcludePadding), intsAttribute("kernel_shape", o.Kernel...),
		intsAttribute("pads", pads(o.Padding)...), intsAttribute("strides", o.Stride...))
}

// resize is Resize for images of two axes, whose lengths are multiples if it
// takes the nearest.
func resize(s *site) string {
	o, x := s.options.(autograd.UpsampleOptions), s.in[0]
	if !s.single || len(s.shape) != 4 || product(s.shape) == 0 {
		return ""
	}
	scales := []float64{1, 1}
	for i, n := range o.Size {
		if !o.Bilinear && n%x.value.Dim(2+i) != 0 {
			return ""
		}
		scales = append(scales, float64(n)/float64(x.value.Dim(2+i)))
	}
	s.sampled(x)
	mode, place := "nearest", "asymmetric"
	switch {
	case o.AlignCorners:
		mode, place = "linear", "align_corners"
	case o.Bilinear:
		mode, place = "linear", "half_pixel"
	}
	attributes := []*message.Attribute{stringAttribute("mode", mode), stringAttribute("coordinate_transformation_mode", place)}
	if !o.Bilinear {
		return s.op("Resize", []string{x.name, "", s.floats32(scales)}, append(attributes, stringAttribute("nearest_mode", "floor"))...)
	}
	return s.op("Resize", []string{x.name, "", "", s.target(s.shape, s.batch)}, attributes...)
}

// floats32 is a vector of float32, as some operators want it.
func (e *exporter) floats32(v []float64) string { return e.initialized(autograd.NewTensor(v)) }

// affine returns the names of the scale and shift of a normalization, which are
// ones and zeros if there are none.
func (s *site) affine(o autograd.NormOptions, shape ...int) (scale, shift string) {
	scale, shift = s.initializedFull(1, shape), s.initializedFull(0, shape)
	for i, r := range s.in {
		switch s.Inputs[i] {
		case idOf(o.Scale):
			scale = s.reshapeIf(r, shape)
		case idOf(o.Shift):
			shift = s.reshapeIf(r, shape)
		}
	}
	return scale, shift
}

func (s *site) initializedFull(v float64, shape []int) string {
	return s.once(fmt.Sprint("full", s.elem(), v, shape), func() string {
		return s.initializer(fmt.Sprintf("all_%v", v), autograd.Full(v, shape...))
	})
}

func (s *site) reshapeIf(r ref, shape []int) string {
	if slices.Equal(r.value.Shape(), shape) {
		return r.name
	}
	return s.reshapeOf(r.name, shape, noBatch)
}

// idOf returns a Value's node, −1 of the zero Value.
func idOf(v autograd.Value) int {
	if v.IsZero() {
		return -1
	}
	return v.Node().ID
}

// layerNorm normalizes the last axes, as many as make up the channels.
func layerNorm(s *site) string {
	o := s.options.(autograd.NormOptions)
	if !s.single || product(s.shape) == 0 {
		return ""
	}
	axis := len(s.shape)
	for n := 1; n < o.Channels || axis == len(s.shape); {
		axis--
		n *= s.shape[axis]
	}
	s.batch = s.in[0].batch
	if s.batch.axis >= axis {
		s.refuse("normalizes over the batch")
	}
	scale, shift := s.affine(o, s.shape[axis:]...)
	return s.op("LayerNormalization", []string{s.in[0].name, scale, shift}, intAttribute("axis", axis-len(s.shape)), floatAttribute("epsilon", o.Epsilon))
}

func instanceNorm(s *site) string {
	o := s.options.(autograd.NormOptions)
	if !s.single || product(s.shape) == 0 {
		return ""
	}
	s.sampled(s.in[0])
	scale, shift := s.affine(o, o.Channels)
	return s.op("InstanceNormalization", []string{s.in[0].name, scale, shift}, floatAttribute("epsilon", o.Epsilon))
}

// batchNorm normalizes by running statistics.
func batchNorm(s *site) string {
	o := s.options.(autograd.NormOptions)
	if !s.single || product(s.shape) == 0 {
		return ""
	}
	s.sampled(s.in[0])
	scale, shift := s.affine(o, o.Channels)
	return s.op("BatchNormalization", []string{s.in[0].name, scale, shift, s.in[1].name, s.in[2].name}, floatAttribute("epsilon", o.Epsilon))
}

func (c call) norm() autograd.NormOptions { return c.Options().(autograd.NormOptions) }

// besidesChannels are all axes but the second.
func (c call) besidesChannels() []int {
	axes := []int{0}
	for axis := 2; axis < c.in[0].Rank(); axis++ {
		axes = append(axes, axis)
	}
	return axes
}

// grouped returns x in a shape in which groups have axes of their own, and
// those axes. A batch keeps its axis, the first.
func (c call) grouped(x autograd.Value) (y autograd.Value, axes []int) {
	o := c.norm()
	switch {
	case o.ByChannel:
		return x.Reshape(o.Samples, o.Channels, o.Inner), []int{0, 2}
	case o.Samples == 1 && o.Inner == 1 && o.Groups == 1 && x.Size() == o.Channels:
		return x.Reshape(1, o.Channels), []int{1}
	case o.Inner == 1 && o.Groups == 1:
		return x.Reshape(o.Samples, o.Channels), []int{1}
	}
	return x.Reshape(o.Samples, o.Groups, o.Channels/o.Groups*o.Inner), []int{2}
}

// hat returns the normalized x, in x's shape.
func (c call) hat(x autograd.Value) autograd.Value {
	y, axes := c.grouped(x)
	d, factor := c.spread(y, axes)
	return d.Mul(factor).Reshape(x.Shape()...)
}

// spread returns x less its means, and one over its deviations.
func (c call) spread(y autograd.Value, axes []int) (d, factor autograd.Value) {
	o := c.norm()
	if d = y; !o.NoMean {
		d = y.Sub(y.KeepDims().Mean(axes...))
	}
	return d, d.Square().KeepDims().Mean(axes...).AddScalar(o.Epsilon).Sqrt().Reciprocal()
}

func normalized(c call) autograd.Value {
	o, x := c.norm(), c.in[0]
	y := c.hat(x)
	return c.shifted(c.scaled(y, c.of(o.Scale)), c.of(o.Shift))
}

// inChannels returns numbers of channels in a shape that broadcasts against x.
func (c call) inChannels(v, x autograd.Value) autograd.Value {
	o := c.norm()
	if o.Inner == 1 && o.Groups == 1 && !o.ByChannel { // of rows
		return v
	}
	dims := []int{1, o.Channels}
	for range x.Rank() - 2 {
		dims = append(dims, 1)
	}
	return v.Reshape(dims...)
}

func (c call) scaled(x, scale autograd.Value) autograd.Value {
	if scale.IsZero() {
		return x
	}
	return x.Mul(c.inChannels(scale, x))
}

func (c call) shifted(x, shift autograd.Value) autograd.Value {
	if shift.IsZero() {
		return x
	}
	return x.Add(c.inChannels(shift, x))
}

func normalizedBy(c call) autograd.Value {
	o, x := c.norm(), c.in[0]
	mean, factor := c.inChannels(c.of(o.Mean), x), c.of(o.Variance).AddScalar(o.Epsilon).Sqrt().Reciprocal()
	return c.shifted(c.scaled(x.Sub(mean).Mul(c.inChannels(factor, x)), c.of(o.Scale)), c.of(o.Shift))
}

// normGradient is factor·(u − mean u − x̂·mean(u·x̂)) with u = gy·scale.
func normGradient(c call) autograd.Value {
	o, gy, x := c.norm(), c.in[0], c.in[1]
	u := gy
	if !o.Scale.IsZero() {
		dims := []int{o.Samples, o.Channels, o.Inner}
		u = gy.Reshape(dims...).Mul(c.of(o.Scale).Reshape(1, o.Channels, 1)).Reshape(gy.Shape()...)
	}
	rows, axes := c.grouped(x)
	d, factor := c.spread(rows, axes)
	hat := d.Mul(factor)
	v, _ := c.grouped(u)
	y := v.Sub(hat.Mul(v.Mul(hat).KeepDims().Mean(axes...)))
	if !o.NoMean {
		y = y.Sub(v.KeepDims().Mean(axes...))
	}
	return y.Mul(factor).Reshape(x.Shape()...)
}

func (c call) channelSums(x autograd.Value) autograd.Value {
	o := c.norm()
	return x.Reshape(o.Samples, o.Channels, o.Inner).Sum(0, 2).Reshape(c.shape...)
}

// rotary turns pairs of elements by angles that are constants.
func rotary(c call) autograd.Value {
	o, x := c.Options().(autograd.RotaryOptions), c.in[0]
	dims := x.Shape()
	rank := len(dims)
	steps, width := dims[rank-2], dims[rank-1]/o.Heads
	half := width / 2
	cos, sin := make([]float64, steps*half), make([]float64, steps*half)
	for step := range steps {
		for i := range half {
			angle := float64(o.First+step) * math.Pow(o.Base, -2*float64(i)/float64(width))
			if o.Back {
				angle = -angle
			}
			sin[step*half+i], cos[step*half+i] = math.Sincos(angle)
		}
	}
	turned := o.Turned * width
	y := x.Narrow(rank-1, 0, turned).Reshape(append(slices.Clone(dims[:rank-1]), o.Turned, 2, half)...)
	a, b := y.Select(rank, 0), y.Select(rank, 1)
	table := func(v []float64) autograd.Value { return c.g.Constant(autograd.NewTensor(v, steps, 1, half)) }
	u, v := a.Mul(table(cos)).Sub(b.Mul(table(sin))), b.Mul(table(cos)).Add(a.Mul(table(sin)))
	y = autograd.Stack(rank, u, v).Reshape(append(slices.Clone(dims[:rank-1]), turned)...)
	if turned == dims[rank-1] {
		return y
	}
	return autograd.Concat(rank-1, y, x.Narrow(rank-1, turned, dims[rank-1]-turned))
}

// attention is softmax(scale·q·kᵀ + bias)·v, with hidden keys at −∞. Where a
// query sees none, the result is 0.
func attention(c call) autograd.Value {
	o := c.Options().(autograd.AttentionCall)
	switch {
	case o.Cached:
		panic(refusal("its keys and values are kept in KeyValues, outside of the recording"))
	case o.Dropout > 0:
		panic(refusal("dropout: record the network in a graph with Eval"))
	}
	q, k, v := c.heads(o)
	kvHeads, heads, steps, seen := k.Dim(1), q.Dim(1), q.Dim(2), k.Dim(2)
	group := heads / kvHeads
	batch := q.Dim(0)
	scores := q.MulScalar(o.Scale).Reshape(batch, kvHeads, group*steps, q.Dim(3)).MatMul(k.T()).Reshape(batch, heads, steps, seen)
	if !o.Bias.IsZero() {
		scores = scores.Add(c.of(o.Bias))
	}
	weights := c.softmax(scores, o, batch, steps, seen)
	y := weights.Reshape(batch, kvHeads, group*steps, seen).MatMul(v).Reshape(batch, heads, steps, v.Dim(3))
	if o.Heads > 0 {
		return y.Permute(0, 2, 1, 3).Reshape(c.shape...)
	}
	return y
}

// heads returns queries, keys and values in four axes.
func (c call) heads(o autograd.AttentionCall) (q, k, v autograd.Value) {
	q, k, v = c.of(o.Q), c.of(o.K), c.of(o.V)
	if o.Heads == 0 {
		return q, k, v
	}
	split := func(x autograd.Value, first, count, width int) autograd.Value {
		part := x.Narrow(2, first*width, count*width)
		return part.Reshape(x.Dim(0), x.Dim(1), count, width).Permute(0, 2, 1, 3)
	}
	switch {
	case k.IsZero():
		width := q.Dim(2) / (o.Heads + 2*o.KVHeads)
		return split(q, 0, o.Heads, width), split(q, o.Heads, o.KVHeads, width), split(q, o.Heads+o.KVHeads, o.KVHeads, width)
	case v.IsZero():
		width := k.Dim(2) / (2 * o.KVHeads)
		return split(q, 0, o.Heads, width), split(k, 0, o.KVHeads, width), split(k, o.KVHeads, o.KVHeads, width)
	}
	return split(q, 0, o.Heads, q.Dim(2)/o.Heads), split(k, 0, o.KVHeads, k.Dim(2)/o.KVHeads), split(v, 0, o.KVHeads, v.Dim(2)/o.KVHeads)
}

// softmax returns the weights of the keys that each query sees.
func (c call) softmax(scores autograd.Value, o autograd.AttentionCall, batch, steps, seen int) autograd.Value {
	var visible autograd.Value
	hide := func(mask autograd.Value) {
		if visible.IsZero() {
			visible = mask
		} else {
			visible = visible.Mul(mask)
		}
	}
	if !o.Mask.IsZero() {
		hide(c.of(o.Mask).NotEqualScalar(0))
	}
	if !o.Bias.IsZero() {
		hide(c.of(o.Bias).NotEqualScalar(math.Inf(-1)))
	}
	if o.Causal {
		mask := make([]float64, steps*seen)
		for i := range mask {
			if i%seen <= i/seen+o.Offset {
				mask[i] = 1
			}
		}
		hide(c.g.Constant(autograd.NewTensor(mask, steps, seen)))
	}
	if o.Lengths.Shape() != nil && o.Lengths.Rank() > 0 {
		hide(c.longer(o.Lengths, seen).Reshape(batch, 1, 1, seen))
	}
	if visible.IsZero() {
		return scores.Softmax(-1)
	}
	hidden := autograd.Where(visible, scores, c.g.Scalar(math.Inf(-1)))
	most := hidden.KeepDims().Max(-1).Clamp(-math.MaxFloat32, math.Inf(1))
	e := hidden.Sub(most).Exp()
	return e.Div(e.KeepDims().Sum(-1).Clamp(1e-30, math.Inf(1)))
}
