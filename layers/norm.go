package layers

import (
	"fmt"
	"slices"

	"nabla/autograd"
)

// A BatchNorm layer normalizes each channel of [batch, channels] or [batch,
// channels, …] by the mean and the variance that it has over everything else
// in the batch, and then multiplies by a weight and adds a bias. There is one
// such layer for features, sequences, images and volumes.
//
// In a graph in training mode it also observes running statistics, which an
// optimizer's Step moves by Momentum towards those of the batch, the variance
// with n − 1 as its denominator. A graph in evaluation mode normalizes by the
// running statistics. So the layer itself is never written to by Forward, and
// graphs on many goroutines may use it.
type BatchNorm struct {
	Weight *autograd.Param // [channels]; nil for none
	Bias   *autograd.Param // [channels]; nil for none

	// The running statistics, [channels]. If both are nil, the layer uses the
	// batch's in evaluation too.
	RunningMean *autograd.Param
	RunningVar  *autograd.Param

	Momentum float64 // how far the running statistics move with each step, from 0 to 1
	Epsilon  float64 // added to the variance; finite and at least 0
	label
}

// BatchNormOptions are what [NewBatchNorm] leaves at its defaults. The zero
// BatchNormOptions are these defaults.
type BatchNormOptions struct {
	Momentum     float64            // 0: 0.1. As PyTorch's; other libraries call 1 − 0.1 the momentum
	Epsilon      float64            // 0: 1e-5
	NoAffine     bool               // leave weight and bias out
	NoStatistics bool               // leave the running statistics out
	Name         string             // of the scope and, with ".weight" and so on, of the Params
	Precision    autograd.Precision // of the Params
}

// NewBatchNorm returns a batch norm of that many channels. Weights and running
// variances are 1, biases and running means 0. It panics with an
// *[autograd.ArgumentError] if the number is not positive.
func NewBatchNorm(channels int) *BatchNorm { return NewBatchNormWith(channels, BatchNormOptions{}) }

// NewBatchNormWith is [NewBatchNorm] with options. It also panics with an
// *[autograd.ArgumentError] if they make no sense.
func NewBatchNormWith(channels int, options BatchNormOptions) *BatchNorm {
	const op = "layers: BatchNorm"
	checkNormShape(op, []int{channels})
	b := &BatchNorm{Momentum: options.Momentum, Epsilon: epsilonOf(op, options.Epsilon), label: userLabel(options.Name)}
	if b.Momentum == 0 {
		b.Momentum = 0.1
	}
	b.Weight, b.Bias = newAffine(options.NoAffine, options.Precision, channels)
	if !options.NoStatistics {
		b.RunningMean = autograd.NewStatistic("", autograd.Zeros(channels).In(options.Precision))
		b.RunningVar = autograd.NewStatistic("", autograd.Ones(channels).In(options.Precision))
	}
	b.place(newNaming(), "")
	b.check()
	return b
}

// Name returns the layer's name, which is "batchnorm" until it has one.
func (b *BatchNorm) Name() string { return b.or("batchnorm") }

func (b *BatchNorm) op() string { return fmt.Sprintf("layers: BatchNorm %q", b.Name()) }

func (b *BatchNorm) place(n *naming, path string) {
	placeAll(n, path+b.Name(), b.Weight, b.Bias)
	if b.RunningMean != nil {
		n.name(b.RunningMean, path+b.Name()+".running_mean")
	}
	if b.RunningVar != nil {
		n.name(b.RunningVar, path+b.Name()+".running_var")
	}
}

// Params returns the weights and biases and then the running mean and variance,
// as far as there are any.
func (b *BatchNorm) Params() []*autograd.Param {
	return present(b.Weight, b.Bias, b.RunningMean, b.RunningVar)
}

// check panics unless the settings make sense.
func (b *BatchNorm) check() {
	if !(b.Momentum >= 0 && b.Momentum <= 1) {
		panic(autograd.NewArgumentError(b.op(), "a Momentum of %v, want 0 to 1", b.Momentum))
	}
	if (b.RunningMean == nil) != (b.RunningVar == nil) {
		panic(autograd.NewArgumentError(b.op(), "there must be both running statistics or none"))
	}
	for _, p := range [...]*autograd.Param{b.RunningMean, b.RunningVar} {
		if p != nil && !p.IsStatistic() {
			panic(autograd.NewArgumentError(b.op(), "%s must be made by NewStatistic", p.Name()))
		}
	}
}

// Forward normalizes x. It panics with an *[autograd.ShapeError] if x has other
// channels than the Params, or in training fewer than two numbers for each, and
// with an *[autograd.ArgumentError] if a setting makes no sense.
func (b *BatchNorm) Forward(x autograd.Value) autograd.Value {
	g := enter(x, b.Name())
	defer leave(g, b)
	b.check()
	checkNormChannels(x, b.Weight, b.Bias, b.RunningMean, b.RunningVar)
	weight, bias := recorded(g, b.Weight), recorded(g, b.Bias)
	if !g.Training() && b.RunningMean != nil {
		return x.Normalize(g.Param(b.RunningMean), g.Param(b.RunningVar), weight, bias, b.Epsilon)
	}
	y, mean, variance := x.BatchNorm(weight, bias, b.Epsilon)
	if g.Training() && b.RunningMean != nil {
		g.Observe(b.RunningMean, mean, b.Momentum)
		g.Observe(b.RunningVar, variance, b.Momentum)
	}
	return y
}

// NormOptions are what [NewLayerNorm], [NewGroupNorm], [NewInstanceNorm] and
// [NewRMSNorm] leave at their defaults. The zero NormOptions are these
// defaults.
type NormOptions struct {
	Epsilon   float64            // 0: 1e-5, and for RMSNorm the precision's: 2⁻⁵², or 2⁻²³ for float32
	NoAffine  bool               // leave weight and bias out
	Name      string             // of the scope and, with ".weight" and ".bias", of the Params
	Precision autograd.Precision // of the Params
}

// A LayerNorm layer normalizes the numbers of each sample along the last axes,
// those of the weight's shape, by their own mean and variance, and then
// multiplies by weights and adds biases.
type LayerNorm struct {
	Weight *autograd.Param // of the shape that is normalized; nil for none
	Bias   *autograd.Param // the same

	Axes    int     // how many of the last axes are normalized
	Epsilon float64 // added to the variance; finite and at least 0
	label
}

// NewLayerNorm returns a layer norm over the last axes of its inputs, whose
// lengths are those of shape. Weights are 1 and biases 0. It panics with an
// *[autograd.ArgumentError] if there is no length or one is not positive.
func NewLayerNorm(shape ...int) *LayerNorm { return NewLayerNormWith(shape, NormOptions{}) }

// NewLayerNormWith is [NewLayerNorm] with options.
func NewLayerNormWith(shape []int, options NormOptions) *LayerNorm {
	const op = "layers: LayerNorm"
	checkNormShape(op, shape)
	l := &LayerNorm{Axes: len(shape), Epsilon: epsilonOf(op, options.Epsilon), label: userLabel(options.Name)}
	l.Weight, l.Bias = newAffine(options.NoAffine, options.Precision, shape...)
	l.place(newNaming(), "")
	return l
}

// Name returns the layer's name, which is "layernorm" until it has one.
func (l *LayerNorm) Name() string { return l.or("layernorm") }

func (l *LayerNorm) op() string { return fmt.Sprintf("layers: LayerNorm %q", l.Name()) }

func (l *LayerNorm) place(n *naming, path string) { placeAll(n, path+l.Name(), l.Weight, l.Bias) }

// Params returns the weights and biases, as far as there are any.
func (l *LayerNorm) Params() []*autograd.Param { return present(l.Weight, l.Bias) }

// Forward normalizes x. It panics with an *[autograd.ShapeError] if the last
// axes of x have other lengths than the Params, and with an
// *[autograd.ArgumentError] if x does not have that many.
func (l *LayerNorm) Forward(x autograd.Value) autograd.Value {
	g := enter(x, l.Name())
	defer leave(g, l)
	return x.LayerNorm(l.Axes, recorded(g, l.Weight), recorded(g, l.Bias), l.Epsilon)
}

// An RMSNorm layer divides the numbers of each sample along the last axes by
// the root of the mean of their squares, and then multiplies by weights.
type RMSNorm struct {
	Weight *autograd.Param // of the shape that is normalized; nil for none

	Axes    int     // how many of the last axes are normalized
	Epsilon float64 // added to the mean of the squares; finite and at least 0
	label
}

// NewRMSNorm returns a norm over the last axes of its inputs, whose lengths are
// those of shape. Weights are 1. It panics as [NewLayerNorm] does.
func NewRMSNorm(shape ...int) *RMSNorm { return NewRMSNormWith(shape, NormOptions{}) }

// NewRMSNormWith is [NewRMSNorm] with options.
func NewRMSNormWith(shape []int, options NormOptions) *RMSNorm {
	const op = "layers: RMSNorm"
	checkNormShape(op, shape)
	l := &RMSNorm{Axes: len(shape), Epsilon: epsilonOf(op, options.Epsilon), label: userLabel(options.Name)}
	switch {
	case options.Epsilon != 0:
	case options.Precision == autograd.Float32:
		l.Epsilon = 0x1p-23
	default:
		l.Epsilon = 0x1p-52
	}
	l.Weight, _ = newAffine(options.NoAffine, options.Precision, shape...)
	l.place(newNaming(), "")
	return l
}

// Name returns the layer's name, which is "rmsnorm" until it has one.
func (l *RMSNorm) Name() string { return l.or("rmsnorm") }

func (l *RMSNorm) op() string { return fmt.Sprintf("layers: RMSNorm %q", l.Name()) }

func (l *RMSNorm) place(n *naming, path string) { placeAll(n, path+l.Name(), l.Weight, nil) }

// Params returns the weights, if there are any.
func (l *RMSNorm) Params() []*autograd.Param { return present(l.Weight) }

// Forward normalizes x. It panics as [LayerNorm.Forward] does.
func (l *RMSNorm) Forward(x autograd.Value) autograd.Value {
	g := enter(x, l.Name())
	defer leave(g, l)
	return x.RMSNorm(l.Axes, recorded(g, l.Weight), l.Epsilon)
}

// A GroupNorm layer normalizes the channels of each sample, [channels] or
// [channels, …], in groups of adjacent channels: each group by its own mean and
// variance. Then it multiplies each channel by a weight and adds a bias.
type GroupNorm struct {
	Weight *autograd.Param // [channels]; nil for none
	Bias   *autograd.Param // [channels]; nil for none

	Groups  int     // divides the channels
	Epsilon float64 // added to the variance; finite and at least 0
	label
}

// NewGroupNorm returns a group norm of that many channels in that many groups.
// Weights are 1 and biases 0. It panics with an *[autograd.ArgumentError] if a
// number is not positive or the groups do not divide the channels.
func NewGroupNorm(groups, channels int) *GroupNorm {
	return NewGroupNormWith(groups, channels, NormOptions{})
}

// NewGroupNormWith is [NewGroupNorm] with options.
func NewGroupNormWith(groups, channels int, options NormOptions) *GroupNorm {
	const op = "layers: GroupNorm"
	checkNormShape(op, []int{groups, channels})
	if channels%groups != 0 {
		panic(autograd.NewArgumentError(op, "%d groups do not divide %d channels", groups, channels))
	}
	l := &GroupNorm{Groups: groups, Epsilon: epsilonOf(op, options.Epsilon), label: userLabel(options.Name)}
	l.Weight, l.Bias = newAffine(options.NoAffine, options.Precision, channels)
	l.place(newNaming(), "")
	return l
}

// Name returns the layer's name, which is "groupnorm" until it has one.
func (l *GroupNorm) Name() string { return l.or("groupnorm") }

func (l *GroupNorm) op() string { return fmt.Sprintf("layers: GroupNorm %q", l.Name()) }

func (l *GroupNorm) place(n *naming, path string) { placeAll(n, path+l.Name(), l.Weight, l.Bias) }

// Params returns the weights and biases, as far as there are any.
func (l *GroupNorm) Params() []*autograd.Param { return present(l.Weight, l.Bias) }

// Forward normalizes x. It panics with an *[autograd.ShapeError] if x has other
// channels than the Params, or such as the groups do not divide.
func (l *GroupNorm) Forward(x autograd.Value) autograd.Value {
	g := enter(x, l.Name())
	defer leave(g, l)
	checkNormChannels(x, l.Weight, l.Bias)
	return x.GroupNorm(l.Groups, recorded(g, l.Weight), recorded(g, l.Bias), l.Epsilon)
}

// An InstanceNorm layer normalizes each channel of each sample, [channels, …],
// by its own mean and variance, and then multiplies it by a weight and adds a
// bias. It has no running statistics.
type InstanceNorm struct {
	Weight *autograd.Param // [channels]; nil for none
	Bias   *autograd.Param // [channels]; nil for none

	Epsilon float64 // added to the variance; finite and at least 0
	label
}

// NewInstanceNorm returns an instance norm of that many channels. Weights are 1
// and biases 0; PyTorch's layer has none unless it is told so. It panics with
// an *[autograd.ArgumentError] if the number is not positive.
func NewInstanceNorm(channels int) *InstanceNorm { return NewInstanceNormWith(channels, NormOptions{}) }

// NewInstanceNormWith is [NewInstanceNorm] with options.
func NewInstanceNormWith(channels int, options NormOptions) *InstanceNorm {
	const op = "layers: InstanceNorm"
	checkNormShape(op, []int{channels})
	l := &InstanceNorm{Epsilon: epsilonOf(op, options.Epsilon), label: userLabel(options.Name)}
	l.Weight, l.Bias = newAffine(options.NoAffine, options.Precision, channels)
	l.place(newNaming(), "")
	return l
}

// Name returns the layer's name, which is "instancenorm" until it has one.
func (l *InstanceNorm) Name() string { return l.or("instancenorm") }

func (l *InstanceNorm) op() string { return fmt.Sprintf("layers: InstanceNorm %q", l.Name()) }

func (l *InstanceNorm) place(n *naming, path string) { placeAll(n, path+l.Name(), l.Weight, l.Bias) }

// Params returns the weights and biases, as far as there are any.
func (l *InstanceNorm) Params() []*autograd.Param { return present(l.Weight, l.Bias) }

// Forward normalizes x. It panics with an *[autograd.ShapeError] if x has other
// channels than the Params, or one number in each only.
func (l *InstanceNorm) Forward(x autograd.Value) autograd.Value {
	g := enter(x, l.Name())
	defer leave(g, l)
	checkNormChannels(x, l.Weight, l.Bias)
	return x.InstanceNorm(recorded(g, l.Weight), recorded(g, l.Bias), l.Epsilon)
}

// checkNormShape panics unless there are numbers and all are positive.
func checkNormShape(op string, shape []int) {
	if len(shape) == 0 || slices.Min(shape) < 1 {
		panic(autograd.NewArgumentError(op, "%v, want positive numbers", shape))
	}
}

// epsilonOf returns the epsilon that an option stands for.
func epsilonOf(op string, epsilon float64) float64 {
	switch {
	case epsilon == 0:
		return 1e-5
	case !(epsilon > 0):
		panic(autograd.NewArgumentError(op, "an Epsilon of %v, want a positive number", epsilon))
	}
	return epsilon
}

// newAffine returns weights of 1 and biases of 0, or nil.
func newAffine(none bool, p autograd.Precision, shape ...int) (weight, bias *autograd.Param) {
	if none {
		return nil, nil
	}
	return autograd.NewParam("", autograd.Ones(shape...).In(p)), autograd.NewParam("", autograd.Zeros(shape...).In(p))
}

// checkNormChannels panics unless x has as many channels as each Param has
// numbers.
func checkNormChannels(x autograd.Value, params ...*autograd.Param) {
	if x.Rank() < 2 {
		panic(autograd.NewShapeError("layers", "the input must be [batch, channels, …]", x.Shape()))
	}
	for _, p := range params {
		if p != nil && (p.Rank() != 1 || p.Dim(0) != x.Dim(1)) {
			panic(autograd.NewShapeError("layers", "the input has other channels along axis 1 than "+p.Name(), x.Shape(), p.Shape()))
		}
	}
}
