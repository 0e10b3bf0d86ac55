package recordingtest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"nabla/autograd"
	"nabla/data/hotels"
	"nabla/layers"
	"nabla/losses"
)

// Neuron records one neuron with the course's letters.
func Neuron() autograd.Value {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	i := g.Scalar(3.6).Named("i")
	w := g.Variable(autograd.Scalar(0.5)).Named("w")
	b := g.Variable(autograd.Scalar(-1)).Named("b")
	z := w.Mul(i).Add(b).Named("z")
	a := z.Tanh().Named("a")
	return a.Sub(g.Scalar(1).Named("y")).Square().Named("loss")
}

// Network records a 2-3-1 network on four data points, in tensors and scopes.
func Network() autograd.Value {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Constant(autograd.FromNested([][]float64{{0, 0}, {0, 1}, {1, 0}, {1, 1}})).Named("features")
	y := g.Constant(autograd.FromNested([][]float64{{0}, {1}, {1}, {0}})).Named("targets")
	g.Enter("model")
	a := dense(g, "hidden", x, [][]float64{{0.5, -0.3, 0.8}, {0.2, 0.9, -0.4}}, []float64{0.1, 0, -0.1}, autograd.Value.Tanh)
	p := dense(g, "output", a, [][]float64{{0.7}, {-0.6}, {0.4}}, []float64{0.05}, autograd.Value.Sigmoid)
	g.Leave()
	return p.Sub(y).Square().Mean().Named("loss")
}

func dense(g *autograd.Graph, name string, x autograd.Value, w [][]float64, b []float64, f func(autograd.Value) autograd.Value) autograd.Value {
	g.Enter(name)
	defer g.Leave()
	weights := g.Param(autograd.NewParam(name+".W", autograd.FromNested(w)))
	bias := g.Param(autograd.NewParam(name+".b", autograd.NewTensor(b)))
	return f(x.MatMul(weights).Add(bias).Named("z")).Named("a")
}

// ScalarNetwork records a 2-2-1 network of scalars, on one data point.
func ScalarNetwork() autograd.Value {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	variable := func(name string, v float64) autograd.Value { return g.Variable(autograd.Scalar(v)).Named(name) }
	x1, x2 := g.Scalar(1.5).Named("x1"), g.Scalar(-0.5).Named("x2")
	g.Enter("neuron 1")
	a1 := variable("w11", 0.5).Mul(x1).Add(variable("w12", -0.2).Mul(x2)).Add(variable("b1", 0.1)).Named("z1").ReLU().Named("a1")
	g.Leave()
	g.Enter("neuron 2")
	a2 := variable("w21", -0.4).Mul(x1).Add(variable("w22", 0.7).Mul(x2)).Add(variable("b2", 0)).Named("z2").ReLU().Named("a2")
	g.Leave()
	g.Enter("output")
	a3 := variable("v1", 0.8).Mul(a1).Add(variable("v2", -0.3).Mul(a2)).Add(variable("b3", 0.2)).Named("z3").Sigmoid().Named("a3")
	g.Leave()
	return a3.Sub(g.Scalar(1).Named("y")).Square().MulScalar(0.5).Named("loss")
}

// Reused records x·x + x: x is used three times, twice by the same operation.
func Reused() autograd.Value {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Variable(autograd.Scalar(3)).Named("x")
	return x.Mul(x).Add(x).Named("y")
}

// Unnamed records operations without names, with a frozen bias and with a
// variable that is only compared.
func Unnamed() autograd.Value {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Variable(autograd.NewTensor([]float64{1, 2, 3}))
	frozen := autograd.NewParam("bias", autograd.Scalar(0.5))
	frozen.Frozen = true
	mask := g.Variable(autograd.Scalar(2)).Named("gate").GreaterScalar(0)
	y := x.Clamp(-1, 2).Mul(mask).MulScalar(2).Add(g.Param(frozen))
	return y.Sum()
}

// Broken records a division by zero.
func Broken() autograd.Value {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Variable(autograd.NewTensor([]float64{-1, 0, 4})).Named("x")
	many := g.Constant(autograd.NewTensor([]float64{1, 2, math.NaN(), 4, 5, math.Inf(1), 7, math.NaN()})).Named("many")
	return x.Log().Named("log x").Sum().Add(many.Sum()).Named("loss")
}

// OddNames records a value for each name that could break a drawing.
func OddNames() autograd.Value {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	sum := g.Scalar(1)
	for _, name := range []string{
		`<b>&amp;"|{}\`, `\N\G\L\E\n\\`, "line\nbreak\r\ttab", "emoji 🧠👩‍🔬", "", " ", "NUL\x00 \x7f\u0085", "bad \xff\xfe", "]]>--><!--",
		"\u202eright to left", "\ufeff\uffff\U000e0001", "ελληνικά 日本語", "a name that is far too long to be drawn in a box as a whole",
	} {
		g.Enter(name)
		sum = sum.Add(g.Variable(autograd.Scalar(1)).Named(name))
		g.Leave()
	}
	return sum
}

// Half records the course's neuron, with the cost ½(a − y)².
func Half() autograd.Value {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	i := g.Scalar(1.5).Named("i")
	w := g.Variable(autograd.Scalar(0.8)).Named("w")
	b := g.Variable(autograd.Scalar(0.1)).Named("b")
	a := w.Mul(i).Add(b).Named("z").ReLU().Named("a")
	return a.Sub(g.Scalar(3).Named("y")).Square().MulScalar(0.5).Named("loss")
}

// OddNeuron records a neuron whose weights have names that could break a
// drawing.
func OddNeuron() autograd.Value {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	var z autograd.Value
	for i, name := range Names {
		if i%4 > 0 {
			continue
		}
		g.Enter(name)
		product := g.Variable(autograd.Scalar(float64(i) - 5)).Named(name).Mul(g.Scalar(1).Named("x" + name))
		g.Leave()
		if i == 0 {
			z = product.Named(name)
		} else {
			z = z.Add(product).Named(Names[i-1])
		}
	}
	return z.Tanh().Named(`\N{|}"<&>`).Sub(g.Scalar(2).Named("\x00<b>")).Square().Named("loss\n")
}

// HotelNetwork records the course's 2-3-1 network on its 24 rows of hotels. Not
// standardised: a mean that is 0 up to rounding would differ between sets of
// kernels.
func HotelNetwork() autograd.Value {
	rng := rand.New(rand.NewPCG(4, 0))
	model := layers.NewSequential(layers.NewDense(rng, 2, 3), layers.ReLU(), layers.NewDense(rng, 3, 1))
	g := autograd.NewGraph(autograd.Options{Trace: true})
	rows := hotels.Load().Train()
	x, y := rows.Features().Tensor(), rows.Prices().Tensor()
	return losses.MSE(model.Forward(g.Constant(x).Named("features")), g.Constant(y).Named("targets"))
}

// cell records one step of a recurrent network, in a scope.
func cell(g *autograd.Graph, scope string, h, x autograd.Value, w, u *autograd.Param) autograd.Value {
	g.Enter(scope)
	defer g.Leave()
	return h.MatMul(g.Param(w)).Add(x.MatMul(g.Param(u))).Tanh().Named("h")
}

// steps records a recurrent network over 12 steps.
func steps(scope func(step int) string) autograd.Value {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	w := autograd.NewParam("W", autograd.FromNested([][]float64{{0.5, -0.25}, {0.125, 0.75}}))
	u := autograd.NewParam("U", autograd.FromNested([][]float64{{1, -1}}))
	h := g.Constant(autograd.Zeros(1, 2)).Named("h0")
	for step := range 12 {
		x := g.Constant(autograd.FromNested([][]float64{{float64(step%3) - 1}})).Named(fmt.Sprint("x", step+1))
		h = cell(g, scope(step), h, x, w, u)
	}
	return h.Square().Sum().Named("loss")
}

// Shared records 12 scopes with the same parameters.
func Shared() autograd.Value {
	return steps(func(step int) string { return fmt.Sprint("step ", step+1) })
}

// Calls records one scope entered 12 times.
func Calls() autograd.Value { return steps(func(int) string { return "cell" }) }

// Unrolled records the same block three times, each on the output of the one
// before it: h = tanh(w_x·x + w_h·h' + b), y = w_y·h. A scope is given by its
// step, from 1.
func Unrolled(scope func(step int) string) autograd.Value {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	param := func(name string, v float64) autograd.Value {
		return g.Param(autograd.NewParam(name, autograd.Scalar(v)))
	}
	wx, wh, b, wy := param("w_x", 0.5), param("w_h", -0.75), param("b", 0.25), param("w_y", 2)
	h := g.Scalar(0).Named("h0")
	for t, x := range []float64{1, -2, 0.5} {
		g.Enter(scope(t + 1))
		z := wx.Mul(g.Scalar(x).Named(fmt.Sprint("x", t+1)).As(autograd.RoleInput)).Add(wh.Mul(h)).Add(b).Named(fmt.Sprint("z", t+1))
		h = z.Tanh().Named(fmt.Sprint("h", t+1))
		g.Leave()
	}
	y := wy.Mul(h).Named("y")
	return y.Sub(g.Scalar(1).Named("target").As(autograd.RoleTarget)).Square().MulScalar(0.5).Named("loss")
}

// Recurrent is Unrolled with scopes step 1, step 2 and step 3.
func Recurrent() autograd.Value {
	return Unrolled(func(step int) string { return fmt.Sprint("step ", step) })
}

// DeepNetwork records 12 dense layers of the same shape, each with an
// activation.
func DeepNetwork() autograd.Value {
	rng := rand.New(rand.NewPCG(1, 2))
	var all []layers.Layer
	for range 12 {
		all = append(all, layers.NewDense(rng, 4, 4), layers.Tanh())
	}
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Constant(autograd.FromNested([][]float64{{1, -1, 0.5, 2}, {0.25, 3, -2, 1}})).Named("x")
	return layers.NewSequential(all...).Forward(x).Square().Mean().Named("loss")
}

// Named returns the value of that name.
func Named(root autograd.Value, name string) autograd.Value {
	for n := range root.Ancestors() {
		if n.Value.Name() == name {
			return n.Value
		}
	}
	panic("no value " + name)
}

// HiddenOrOutput names the part of ScalarNetwork that a value belongs to.
func HiddenOrOutput(n autograd.Node) string {
	switch {
	case strings.HasPrefix(n.Scope, "neuron"):
		return "hidden"
	case n.Scope == "output":
		return "output"
	}
	return ""
}

// Chain records x + c + c + … with n nodes in all, each hundred of them in a
// scope.
func Chain(n int) autograd.Value {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Variable(autograd.Scalar(0.5))
	g.Enter("0")
	for len := 1; len < n-1; len += 2 {
		if len%200 == 1 {
			g.Leave()
			g.Enter(fmt.Sprint(len))
		}
		x = x.Add(g.Scalar(1))
	}
	g.Leave()
	return x.Sin()
}

// Names could break a drawing.
var Names = []string{
	"", " ", "\t\n", "\x00", `"`, `\`, `\"`, `\N\G\L\E\T\H\l\r\n`, `a\`, "<", ">", "<b>", "</TABLE>", "&", "&amp;", "&#0;", "&lt;script&gt;", "'", "{|}", "]]>", "<!--", "-->",
	"\xff\xfe", "\xed\xa0\x80", "\ufeff", "\uffff", "\U0010ffff", "\u202e", "\u0085", "\u2028", "🧠👩‍🔬", "ä", "a\u0308", strings.Repeat("x", 1000), strings.Repeat("&", 40), strings.Repeat(`\`, 41), "%d%s%!",
}

// HiddenLayer records the activations of three neurons for four data points.
func HiddenLayer() autograd.Value {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Constant(autograd.FromNested([][]float64{{0.5, -1}, {2, 0.3}, {-0.7, 1.1}, {0.1, 0.9}})).As(autograd.RoleInput)
	w := g.Variable(autograd.FromNested([][]float64{{0.5, -0.3, 0.8}, {0.2, 0.9, -0.4}})).Named("W")
	b := g.Variable(autograd.NewTensor([]float64{0.1, 0.2, -0.1})).Named("b")
	return x.MatMul(w).Add(b).Named("z").Tanh().Named("a")
}
