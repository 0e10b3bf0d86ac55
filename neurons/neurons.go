package neurons

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"

	"nabla/autograd"
	"nabla/layers"
)

// A Neuron is a weighted sum of its inputs and an activation, on scalar Values:
// z = w₁x₁ + w₂x₂ + … + b, a = f(z). Each weight is a scalar Param of its own,
// so that a drawing shows every step of the chain rule. Make one with [New], or
// with a literal that has your own Params.
type Neuron struct {
	Weights    []*autograd.Param // one for each input
	Bias       *autograd.Param   // nil for none
	Activation layers.Layer      // nil for none: a = z

	scope   string   // "" stands for "neuron"
	z, a    string   // the names of its weighted sum and activation; "" for "z" and "a"
	weights []string // w1, w2, …: the names of its weights, as many as have been needed
}

// New returns a neuron with that many inputs, weights drawn by
// [layers.GlorotUniform] and bias 0. The activation is one of package layers,
// such as layers.Tanh(), or nil for none. It panics with an
// *[autograd.ArgumentError] if there are no inputs or rng is nil.
func New(rng *rand.Rand, inputs int, activation layers.Layer) *Neuron {
	n := neuronsOf(layers.NewDense(rng, inputs, 1))[0]
	n.Activation = activation
	n.name("neuron.", "neuron", "")
	return n
}

// neuronsOf returns the neurons of a Dense layer, one for each output, without
// names.
func neuronsOf(d *layers.Dense) []*Neuron {
	inputs, outputs := d.Size()
	weights := d.Weight.Tensor()
	names := make([]string, inputs)
	for i := range names {
		names[i] = weightName(i)
	}
	neurons := make([]*Neuron, outputs)
	for j := range neurons {
		n := &Neuron{Weights: make([]*autograd.Param, inputs), weights: names}
		for i := range n.Weights {
			n.Weights[i] = scalarParam(weights.At(i, j), d.Weight.Precision())
		}
		neurons[j] = n
	}
	if d.Bias != nil {
		biases := d.Bias.Tensor()
		for j, n := range neurons {
			n.Bias = scalarParam(biases.At(j), d.Bias.Precision())
		}
	}
	return neurons
}

func weightName(i int) string { return fmt.Sprint("w", i+1) }

func scalarParam(v float64, p autograd.Precision) *autograd.Param {
	return autograd.NewParam("", autograd.Scalar(v).In(p))
}

// name gives the neuron a scope, numbers the names of its values, and puts the
// path before the names of its Params.
func (n *Neuron) name(path, scope, number string) {
	n.scope, n.z, n.a = scope, "z"+number, "a"+number
	for i, w := range n.Weights {
		w.SetName(path + n.weightName(i))
	}
	if n.Bias != nil {
		n.Bias.SetName(path + "b")
	}
}

// weightName returns the name of a weight; for a Neuron made as a literal the
// name is made when it is first needed.
func (n *Neuron) weightName(i int) string {
	if i < len(n.weights) {
		return n.weights[i]
	}
	return weightName(i)
}

// Params returns the weights, the bias and the activation's Params.
func (n *Neuron) Params() []*autograd.Param {
	n.mustExist()
	all := slices.Clone(n.Weights)
	if n.Bias != nil {
		all = append(all, n.Bias)
	}
	if n.Activation != nil {
		all = append(all, n.Activation.Params()...)
	}
	return all
}

// Forward returns the neuron's activation for scalar inputs, one for each
// weight. It panics with an *[autograd.ArgumentError] if the number of inputs
// differs from that of the weights or is 0, or if a weight is nil; and with an
// *[autograd.ShapeError] if an input, a weight or the bias is not a scalar.
func (n *Neuron) Forward(x []autograd.Value) autograd.Value {
	n.check(len(x))
	g := enter(x[0], cmp.Or(n.scope, "neuron"))
	defer g.Leave()
	z := n.weightedSum(g, x).Named(cmp.Or(n.z, "z"))
	if n.Activation == nil {
		return z
	}
	a := activate(n.Activation, z)
	if a == z {
		return z
	}
	return a.Named(cmp.Or(n.a, "a"))
}

// check panics unless the neuron takes that many inputs and has valid Params:
// they may have been set by hand.
func (n *Neuron) check(inputs int) {
	const op = "neurons: Neuron"
	n.mustExist()
	if inputs != len(n.Weights) || inputs == 0 {
		panic(autograd.NewArgumentError(op, "%d inputs for %d weights", inputs, len(n.Weights)))
	}
	for i, w := range n.Weights {
		if w == nil {
			panic(autograd.NewArgumentError(op, "weight %d is nil", i))
		}
		if w.Rank() != 0 {
			panic(autograd.NewShapeError(op, fmt.Sprintf("weight %d is no scalar", i), w.Shape()))
		}
	}
	if n.Bias != nil && n.Bias.Rank() != 0 {
		panic(autograd.NewShapeError(op, "the bias is no scalar", n.Bias.Shape()))
	}
}

func (n *Neuron) mustExist() {
	if n == nil {
		panic(autograd.NewArgumentError("neurons: Neuron", "the neuron is nil"))
	}
}

func (n *Neuron) weightedSum(g *autograd.Graph, x []autograd.Value) autograd.Value {
	var z autograd.Value
	for i, w := range n.Weights {
		if x[i].Rank() != 0 {
			panic(autograd.NewShapeError("neurons: Neuron", fmt.Sprintf("input %d is no scalar", i), x[i].Shape()))
		}
		asInput(x[i])
		product := g.Param(w).Named(n.weightName(i)).Mul(x[i])
		if i == 0 {
			z = product
		} else {
			z = z.Add(product)
		}
	}
	if n.Bias == nil {
		return z
	}
	return z.Add(g.Param(n.Bias).Named("b"))
}

// activate applies an activation in the current scope.
func activate(l layers.Layer, z autograd.Value) autograd.Value {
	if f, ok := l.(layers.Activation); ok {
		return f.Activate(z)
	}
	return l.Forward(z)
}

// A Layer is a column of neurons with the same inputs.
type Layer struct {
	Neurons []*Neuron

	// Joint is an activation of all neurons together, Softmax or LogSoftmax,
	// applied after their own; nil for none.
	Joint layers.Layer

	scope string // "" stands for "layer"
}

// Params returns the Params of all neurons, in order, each once.
func (l *Layer) Params() []*autograd.Param {
	l.mustExist()
	var all []*autograd.Param
	for _, n := range l.Neurons {
		all = append(all, n.Params()...)
	}
	return unique(all)
}

func (l *Layer) mustExist() {
	if l == nil {
		panic(autograd.NewArgumentError("neurons: Layer", "the layer is nil"))
	}
}

// Forward returns each neuron's activation for the same scalar inputs. It
// panics as [Neuron.Forward] does; with an *[autograd.ArgumentError] if there
// are no neurons; and with an *[autograd.ShapeError] if Joint does not return
// one number for each.
func (l *Layer) Forward(x []autograd.Value) []autograd.Value {
	l.mustExist()
	if len(x) == 0 || len(l.Neurons) == 0 {
		panic(autograd.NewArgumentError("neurons: Layer", "%d inputs for %d neurons", len(x), len(l.Neurons)))
	}
	g := enter(x[0], cmp.Or(l.scope, "layer"))
	defer g.Leave()
	a := make([]autograd.Value, len(l.Neurons))
	for i, n := range l.Neurons {
		a[i] = n.Forward(x)
	}
	if l.Joint == nil {
		return a
	}
	joint := activate(l.Joint, autograd.Stack(0, a...))
	if joint.Rank() != 1 || joint.Dim(0) != len(a) {
		panic(autograd.NewShapeError("neurons: Layer", "the Joint does not return one number for each neuron", joint.Shape()))
	}
	for i, n := range l.Neurons {
		a[i] = joint.Slice(0, i, i+1, 1).Reshape().Named(cmp.Or(n.a, "a"))
	}
	return a
}

// A Network is layers of neurons on scalar Values. It computes what a
// Sequential of Dense layers and activations computes for one sample, neuron by
// neuron.
type Network struct {
	Layers []*Layer
}

// Of returns a model as neurons: a Dense layer, or a Sequential of Dense layers
// with at most one activation after each. The weights and biases are copies;
// Params of activations are shared. For one sample the network computes what
// the model does, up to the rounding of sums taken in another order.
//
// The layers have the scopes "layer1", "layer2", …, and the neurons in each
// "neuron1", "neuron2", …. Neuron j has the weights w1, w2, …, the bias b, the
// weighted sum zj and the activation aj. A Param's name is, for example,
// "layer1.neuron2.w1".
//
// It panics with an *[autograd.ArgumentError] if the model has other layers.
func Of(model layers.Layer) *Network {
	network := &Network{}
	for rest := flat(model); len(rest) > 0; {
		dense, ok := rest[0].(*layers.Dense)
		if !ok {
			panic(autograd.NewArgumentError("neurons: Of", "%s is neither a Dense layer nor the activation of one", called(rest[0])))
		}
		var activation layers.Layer
		rest = rest[1:]
		if len(rest) > 0 && isActivation(rest[0]) {
			activation, rest = rest[0], rest[1:]
		}
		network.Layers = append(network.Layers, layerOf(dense, activation, len(network.Layers)+1))
	}
	if len(network.Layers) == 0 {
		panic(autograd.NewArgumentError("neurons: Of", "the model has no layers"))
	}
	return network
}

// flat returns the layers of a model, with each Sequential replaced by its
// layers.
func flat(model layers.Layer) []layers.Layer {
	s, ok := model.(*layers.Sequential)
	if !ok || s == nil {
		return []layers.Layer{model}
	}
	var all []layers.Layer
	for _, l := range s.Layers() {
		all = append(all, flat(l)...)
	}
	return all
}

func isActivation(l layers.Layer) bool {
	_, ok := l.(layers.Activation)
	return ok
}

// isJoint reports whether an activation looks at all neurons together.
func isJoint(l layers.Layer) bool {
	a, ok := l.(layers.Activation)
	return ok && a.Joint()
}

// called returns the name of a layer, or its type if it has none.
func called(l layers.Layer) string {
	if v := reflect.ValueOf(l); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return "nil"
	}
	if named, ok := l.(interface{ Name() string }); ok {
		return named.Name()
	}
	return fmt.Sprintf("%T", l)
}

func layerOf(d *layers.Dense, activation layers.Layer, number int) *Layer {
	l := &Layer{scope: fmt.Sprint("layer", number)}
	if isJoint(activation) {
		l.Joint, activation = activation, nil
	}
	l.Neurons = neuronsOf(d)
	for j, n := range l.Neurons {
		n.Activation = activation
		scope := fmt.Sprint("neuron", j+1)
		n.name(l.scope+"."+scope+".", scope, fmt.Sprint(j+1))
	}
	return l
}

// Params returns the Params of all layers, in order, each once.
func (n *Network) Params() []*autograd.Param {
	var all []*autograd.Param
	for _, l := range n.Layers {
		all = append(all, l.Params()...)
	}
	return unique(all)
}

// Forward passes scalar inputs, the features of one sample, through all layers
// and returns the activations of the last. It panics as [Layer.Forward] does.
func (n *Network) Forward(x []autograd.Value) []autograd.Value {
	for _, l := range n.Layers {
		x = l.Forward(x)
	}
	return x
}

// enter opens a scope in x's graph; the caller must leave it.
func enter(x autograd.Value, name string) *autograd.Graph {
	x.Rank() // panics if x has no graph, or one that was Reset
	g := x.Graph()
	g.Enter(name)
	return g
}

// asInput marks a constant as an input of the network, for drawings.
func asInput(x autograd.Value) {
	if n := x.Node(); x.Graph().Options().Trace && n.Kind == autograd.KindConstant && n.Role == autograd.RoleNone {
		x.As(autograd.RoleInput)
	}
}

// unique returns the Params, each once.
func unique(params []*autograd.Param) []*autograd.Param {
	seen := make(map[*autograd.Param]bool, len(params))
	return slices.DeleteFunc(params, func(p *autograd.Param) bool {
		again := seen[p]
		seen[p] = true
		return again
	})
}
