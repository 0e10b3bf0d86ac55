package layers

import "nabla/autograd"

// An Activation is a layer that makes the output of each neuron from its
// weighted sum z.
type Activation interface {
	Layer

	// Activate is Forward without a scope and a name for the result.
	Activate(z autograd.Value) autograd.Value

	// Joint reports whether all neurons of a layer decide each one's output
	// together, as they do in a softmax.
	Joint() bool
}

// An activation is an Activation without Params.
type activation struct {
	function
	joint bool
}

func newActivation(kind string, f func(autograd.Value) autograd.Value) *activation {
	return &activation{function: function{f: f, kind: kind, result: "a"}}
}

func newJoint(kind string, f func(autograd.Value) autograd.Value) *activation {
	a := newActivation(kind, f)
	a.joint = true
	return a
}

func (a *activation) Activate(z autograd.Value) autograd.Value { return a.f(z) }
func (a *activation) Joint() bool                              { return a.joint }

// Linear returns the activation a = z, which records nothing.
func Linear() Layer { return newActivation("linear", autograd.Value.Linear) }

// ReLU returns the activation max(z, 0).
func ReLU() Layer { return newActivation("relu", autograd.Value.ReLU) }

// ReLU6 returns the activation min(max(z, 0), 6).
func ReLU6() Layer { return newActivation("relu6", autograd.Value.ReLU6) }

// LeakyReLU returns the activation z for z > 0, else alpha·z.
func LeakyReLU(alpha float64) Layer {
	return newActivation("leakyrelu", func(x autograd.Value) autograd.Value { return x.LeakyReLU(alpha) })
}

// ELU returns the activation z for z > 0, else alpha·(e^z − 1).
func ELU(alpha float64) Layer {
	return newActivation("elu", func(x autograd.Value) autograd.Value { return x.ELU(alpha) })
}

// SELU returns the activation λz for z > 0, else λα(e^z − 1), with λ = 1.0507
// and α = 1.6733. Initialize its weights by [LeCunNormal].
func SELU() Layer { return newActivation("selu", autograd.Value.SELU) }

// CELU returns the activation z for z > 0, else alpha·(e^(z/alpha) − 1).
func CELU(alpha float64) Layer {
	return newActivation("celu", func(x autograd.Value) autograd.Value { return x.CELU(alpha) })
}

// GELU returns the activation z·Φ(z), with the normal distribution's Φ.
func GELU() Layer { return newActivation("gelu", autograd.Value.GELU) }

// GELUTanh returns the usual approximation of GELU by tanh.
func GELUTanh() Layer { return newActivation("gelutanh", autograd.Value.GELUTanh) }

// SiLU returns the activation z·σ(z), also called swish.
func SiLU() Layer { return newActivation("silu", autograd.Value.SiLU) }

// Mish returns the activation z·tanh(ln(1 + e^z)).
func Mish() Layer { return newActivation("mish", autograd.Value.Mish) }

// Softplus returns the activation ln(1 + e^(beta·z))/beta; the usual beta is 1.
func Softplus(beta float64) Layer {
	return newActivation("softplus", func(x autograd.Value) autograd.Value { return x.Softplus(beta) })
}

// Softsign returns the activation z/(1 + |z|).
func Softsign() Layer { return newActivation("softsign", autograd.Value.Softsign) }

// Sigmoid returns the activation σ(z) = 1/(1 + e^−z).
func Sigmoid() Layer { return newActivation("sigmoid", autograd.Value.Sigmoid) }

// LogSigmoid returns the activation ln σ(z).
func LogSigmoid() Layer { return newActivation("logsigmoid", autograd.Value.LogSigmoid) }

// HardSigmoid returns the activation min(max(z+3, 0), 6)/6.
func HardSigmoid() Layer { return newActivation("hardsigmoid", autograd.Value.HardSigmoid) }

// HardSwish returns the activation z·HardSigmoid(z).
func HardSwish() Layer { return newActivation("hardswish", autograd.Value.HardSwish) }

// HardShrink returns the activation z for |z| > lambda, else 0.
func HardShrink(lambda float64) Layer {
	return newActivation("hardshrink", func(x autograd.Value) autograd.Value { return x.HardShrink(lambda) })
}

// HardTanh returns the activation min(max(z, −1), 1).
func HardTanh() Layer { return newActivation("hardtanh", autograd.Value.HardTanh) }

// Tanh returns the hyperbolic tangent as an activation.
func Tanh() Layer { return newActivation("tanh", autograd.Value.Tanh) }

// Softmax returns the activation e^z / Σ e^z along the last axis: the
// probabilities of classes.
func Softmax() Layer {
	return newJoint("softmax", func(x autograd.Value) autograd.Value { return x.Softmax(-1) })
}

// LogSoftmax returns the activation ln(e^z / Σ e^z) along the last axis.
func LogSoftmax() Layer {
	return newJoint("logsoftmax", func(x autograd.Value) autograd.Value { return x.LogSoftmax(-1) })
}

// PReLU returns the activation z for z > 0, else slope·z. The slope, one for
// all elements, is learned: a scalar Param that starts at 0.25.
func PReLU() Layer {
	p := &prelu{slope: autograd.NewParam("", autograd.Scalar(preluStart))}
	p.place(newNaming(), "")
	return p
}

// preluStart is the slope with which PReLU starts (He et al., 2015).
const preluStart = 0.25

type prelu struct {
	slope *autograd.Param
	label
}

func (p *prelu) Name() string                 { return p.or("prelu") }
func (p *prelu) place(n *naming, path string) { n.name(p.slope, path+p.Name()+".slope") }
func (p *prelu) Params() []*autograd.Param    { return []*autograd.Param{p.slope} }

func (p *prelu) Forward(x autograd.Value) autograd.Value {
	g := enter(x, p.Name())
	defer g.Leave()
	return x.PReLU(g.Param(p.slope)).Named("a")
}

func (p *prelu) Activate(z autograd.Value) autograd.Value { return z.PReLU(z.Graph().Param(p.slope)) }
func (p *prelu) Joint() bool                              { return false }
