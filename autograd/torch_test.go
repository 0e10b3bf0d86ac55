package autograd_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
)

// A torchCase is one operation as PyTorch computes it; the fields are
// explained in testdata/torch/README.md.
type torchCase struct {
	Op, Note      string
	Equation      string
	Inputs        []torchTensor
	Ints          [][]int
	Floats        []torchNumber
	Output        torchTensor
	Cotangent     *torchTensor
	Grads         []*torchTensor
	SecondWeights []*torchTensor `json:"second_weights"`
	Second        []*torchTensor
	Tolerance     float64
}

type torchTensor struct {
	Shape []int
	Data  []torchNumber
}

// A torchNumber is a number or one of the strings NaN, Inf and -Inf.
type torchNumber float64

func (n *torchNumber) UnmarshalJSON(text []byte) error {
	switch string(text) {
	case `"NaN"`:
		*n = torchNumber(math.NaN())
	case `"Inf"`:
		*n = torchNumber(math.Inf(1))
	case `"-Inf"`:
		*n = torchNumber(math.Inf(-1))
	default:
		return json.Unmarshal(text, (*float64)(n))
	}
	return nil
}

func (t torchTensor) grid() grid {
	x := zeros(t.Shape)
	for i, v := range t.Data {
		x.data[i] = float64(v)
	}
	return x
}

func readTorchCases(t *testing.T) []torchCase {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "testdata", "torch", "ops.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []torchCase }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	return file.Cases
}

// torchTolerance fits every case but those with a tolerance of their own.
const torchTolerance = 1e-12

// torchNoise is the absolute difference that operations may show beyond it.
// The second derivative of std over two elements is 0, of which both sides
// compute rounding errors.
var torchNoise = map[string]float64{"std": 1e-15}

// TestTorchVectors compares every operation with PyTorch: the value, the
// gradient by Backward and by VJP, and the second derivative.
func TestTorchVectors(t *testing.T) {
	cases := readTorchCases(t)
	if len(cases) < 500 {
		t.Fatalf("only %d cases were read", len(cases))
	}
	for i, c := range cases {
		t.Run(fmt.Sprintf("%03d_%s", i, c.Op), func(t *testing.T) { c.check(t) })
	}
}

func (c torchCase) check(t *testing.T) { c.checkAs(t, torchOperations) }

// checkAs compares a case with the operation of its name.
func (c torchCase) checkAs(t *testing.T, operations map[string]torchFunction) {
	f, known := operations[c.Op]
	if !known {
		t.Fatalf("no operation stands for %q", c.Op)
	}
	c.checkWith(t, f)
}

// checkWith compares what f computes with the case.
func (c torchCase) checkWith(t *testing.T, f torchFunction) {
	g := autograd.NewGraph(autograd.Options{})
	xs := make([]autograd.Value, len(c.Inputs))
	for i, x := range c.Inputs {
		xs[i] = g.Variable(x.grid().tensor())
	}
	y := f(c, xs)
	c.compare(t, "value", &c.Output, y.Tensor())
	if c.Cotangent == nil {
		return
	}
	seed := c.Cotangent.grid().tensor()
	backward, gradients := y.BackwardFrom(seed), autograd.VJP(y, g.Constant(seed), xs...)
	for i, want := range c.Grads {
		if want == nil {
			continue
		}
		c.compare(t, fmt.Sprintf("gradient %d by Backward", i), want, backward.Of(xs[i]))
		c.compare(t, fmt.Sprintf("gradient %d by VJP", i), want, gradients[i].Tensor())
	}
	c.checkSecond(t, g, xs, gradients)
}

// checkSecond differentiates Σᵢ sum(rᵢ·gradientᵢ).
func (c torchCase) checkSecond(t *testing.T, g *autograd.Graph, xs, gradients []autograd.Value) {
	if c.Second == nil {
		return
	}
	sum := g.Scalar(0)
	for i, r := range c.SecondWeights {
		if r != nil {
			sum = sum.Add(gradients[i].Mul(g.Constant(r.grid().tensor())).Sum())
		}
	}
	backward, second := sum.Backward(), autograd.Grad(sum, xs...)
	for i, want := range c.Second {
		if want == nil {
			continue
		}
		want = c.withoutKinks(want)
		c.compare(t, fmt.Sprintf("second derivative %d by Backward", i), want, backward.Of(xs[i]))
		c.compare(t, fmt.Sprintf("second derivative %d by Grad", i), want, second[i].Tensor())
	}
}

// withoutKinks puts NaN where PyTorch has 0 and there is no second derivative:
// at the kinks whose gradient lies between those of both sides.
func (c torchCase) withoutKinks(second *torchTensor) *torchTensor {
	if c.Op != "abs" && c.Op != "maximum" && c.Op != "minimum" {
		return second
	}
	x, shape := c.Inputs[0].grid(), c.Output.Shape
	y := zeros(x.shape)
	if c.Op != "abs" {
		y = c.Inputs[1].grid()
	}
	kinks := build(shape, func(at []int) float64 {
		if x.at(below(x.shape, at)...) == y.at(below(y.shape, at)...) {
			return nan
		}
		return 0
	}).collected(second.Shape)
	changed := torchTensor{second.Shape, slices.Clone(second.Data)}
	for i, v := range kinks.data {
		changed.Data[i] += torchNumber(v)
	}
	return &changed
}

func (c torchCase) compare(t *testing.T, what string, want *torchTensor, got autograd.Tensor) {
	t.Helper()
	tolerance := torchTolerance
	if c.Tolerance > 0 {
		tolerance = c.Tolerance
	}
	if diff := cmp.Diff(want.grid(), gridOf(got), withinOr(tolerance, torchNoise[c.Op])); diff != "" {
		t.Errorf("%s %v %v: %s (-PyTorch +Nabla):\n%s", c.Note, c.Ints, c.Floats, what, diff)
	}
}

// A torchFunction is an operation with the case's attributes.
type torchFunction = func(c torchCase, in []autograd.Value) autograd.Value

var torchOperations = map[string]torchFunction{
	"add": torchTwo(autograd.Value.Add), "sub": torchTwo(autograd.Value.Sub), "mul": torchTwo(autograd.Value.Mul),
	"div": torchTwo(autograd.Value.Div), "pow_tensor": torchTwo(autograd.Value.Pow), "atan2": torchTwo(autograd.Value.Atan2),
	"hypot": torchTwo(autograd.Value.Hypot), "maximum": torchTwo(autograd.Value.Maximum), "minimum": torchTwo(autograd.Value.Minimum),

	"neg": torchOne(autograd.Value.Neg), "square": torchOne(autograd.Value.Square), "sqrt": torchOne(autograd.Value.Sqrt),
	"rsqrt": torchOne(autograd.Value.Rsqrt), "reciprocal": torchOne(autograd.Value.Reciprocal), "abs": torchOne(autograd.Value.Abs),
	"exp": torchOne(autograd.Value.Exp), "expm1": torchOne(autograd.Value.Expm1), "log": torchOne(autograd.Value.Log),
	"log1p": torchOne(autograd.Value.Log1p), "log2": torchOne(autograd.Value.Log2), "log10": torchOne(autograd.Value.Log10),
	"sin": torchOne(autograd.Value.Sin), "cos": torchOne(autograd.Value.Cos), "tan": torchOne(autograd.Value.Tan),
	"asin": torchOne(autograd.Value.Asin), "acos": torchOne(autograd.Value.Acos), "atan": torchOne(autograd.Value.Atan),
	"sinh": torchOne(autograd.Value.Sinh), "cosh": torchOne(autograd.Value.Cosh), "tanh": torchOne(autograd.Value.Tanh),
	"erf": torchOne(autograd.Value.Erf), "lgamma": torchOne(autograd.Value.Lgamma), "digamma": torchOne(autograd.Value.Digamma),
	"floor": torchOne(autograd.Value.Floor), "ceil": torchOne(autograd.Value.Ceil), "round": torchOne(autograd.Value.Round),
	"sign": torchOne(autograd.Value.Sign),

	"relu": torchOne(autograd.Value.ReLU), "relu6": torchOne(autograd.Value.ReLU6), "hard_tanh": torchOne(autograd.Value.HardTanh),
	"hard_sigmoid": torchOne(autograd.Value.HardSigmoid), "hard_swish": torchOne(autograd.Value.HardSwish),
	"selu": torchOne(autograd.Value.SELU), "gelu": torchOne(autograd.Value.GELU), "gelu_tanh": torchOne(autograd.Value.GELUTanh),
	"silu": torchOne(autograd.Value.SiLU), "mish": torchOne(autograd.Value.Mish), "softplus": torchOne(func(x autograd.Value) autograd.Value { return x.Softplus(1) }),
	"softsign": torchOne(autograd.Value.Softsign), "sigmoid": torchOne(autograd.Value.Sigmoid),
	"log_sigmoid": torchOne(autograd.Value.LogSigmoid), "prelu": torchTwo(autograd.Value.PReLU),

	"pow": torchWith(autograd.Value.PowScalar), "mul_scalar": torchWith(autograd.Value.MulScalar), "add_scalar": torchWith(autograd.Value.AddScalar),
	"leaky_relu": torchWith(autograd.Value.LeakyReLU), "elu": torchWith(autograd.Value.ELU), "celu": torchWith(autograd.Value.CELU),
	"clamp": func(c torchCase, in []autograd.Value) autograd.Value {
		return in[0].Clamp(float64(c.Floats[0]), float64(c.Floats[1]))
	},
	"where": func(_ torchCase, in []autograd.Value) autograd.Value { return autograd.Where(in[0], in[1], in[2]) },

	"softmax": torchAxis(autograd.Value.Softmax), "log_softmax": torchAxis(autograd.Value.LogSoftmax),
	"cumsum": torchAxis(autograd.Value.CumSum), "cumprod": torchAxis(autograd.Value.CumProd),
	"sum": torchReduce(reducer.Sum), "mean": torchReduce(reducer.Mean), "prod": torchReduce(reducer.Prod),
	"max": torchReduce(reducer.Max), "min": torchReduce(reducer.Min), "logsumexp": torchReduce(reducer.LogSumExp),
	"var": torchSpread(reducer.Var, reducer.PopulationVar), "std": torchSpread(reducer.Std, reducer.PopulationStd),
	"norm": func(c torchCase, in []autograd.Value) autograd.Value {
		return torchReducer(c, in[0]).Norm(float64(c.Floats[0]), c.Ints[0]...)
	},

	"matmul": torchTwo(autograd.Value.MatMul), "dot": torchTwo(autograd.Value.Dot), "outer": torchTwo(autograd.Value.Outer),
	"einsum":   func(c torchCase, in []autograd.Value) autograd.Value { return autograd.Einsum(c.Equation, in...) },
	"diagonal": torchAxis(autograd.Value.Diagonal), "triu": torchAxis(autograd.Value.Triu), "tril": torchAxis(autograd.Value.Tril),

	"permute": torchList(autograd.Value.Permute), "reshape": torchList(autograd.Value.Reshape), "expand": torchList(autograd.Value.Expand),
	"squeeze": torchList(autograd.Value.Squeeze), "flip": torchList(autograd.Value.Flip), "tile": torchList(autograd.Value.Tile),
	"transpose": func(c torchCase, in []autograd.Value) autograd.Value {
		return in[0].Transpose(c.Ints[0][0], c.Ints[0][1])
	},
	"flatten": func(c torchCase, in []autograd.Value) autograd.Value {
		return in[0].Flatten(c.Ints[0][0], c.Ints[0][1])
	},
	"unsqueeze": torchAxis(func(x autograd.Value, axis int) autograd.Value { return x.Unsqueeze(axis) }),
	"slice":     torchSlice,
	"roll": func(c torchCase, in []autograd.Value) autograd.Value {
		y := in[0]
		for i, shift := range c.Ints[0] {
			y = y.Roll(c.Ints[1][i], shift)
		}
		return y
	},
	"pad": func(c torchCase, in []autograd.Value) autograd.Value {
		var pairs [][2]int
		for _, p := range c.Ints {
			pairs = append(pairs, [2]int(p))
		}
		return in[0].Pad(float64(c.Floats[0]), pairs...)
	},
	"repeat_interleave": func(c torchCase, in []autograd.Value) autograd.Value { return in[0].Repeat(c.Ints[0][0], c.Ints[1][0]) },
	"concat":            func(c torchCase, in []autograd.Value) autograd.Value { return autograd.Concat(c.Ints[0][0], in...) },
	"stack":             func(c torchCase, in []autograd.Value) autograd.Value { return autograd.Stack(c.Ints[0][0], in...) },
	"split": func(c torchCase, in []autograd.Value) autograd.Value {
		return in[0].Split(c.Ints[0][0], c.Ints[1]...)[c.Ints[2][0]]
	},

	"gather": func(c torchCase, in []autograd.Value) autograd.Value {
		return in[0].Gather(c.Ints[0][0], autograd.NewInts(c.Ints[2], c.Ints[1]...))
	},
	"scatter_add": func(c torchCase, in []autograd.Value) autograd.Value {
		return in[0].ScatterAdd(c.Ints[0][0], autograd.NewInts(c.Ints[2], c.Ints[1]...), in[1])
	},
	"index_select": func(c torchCase, in []autograd.Value) autograd.Value {
		return in[0].IndexSelect(c.Ints[0][0], autograd.NewInts(c.Ints[1]))
	},
}

func torchOne(f func(x autograd.Value) autograd.Value) torchFunction {
	return func(_ torchCase, in []autograd.Value) autograd.Value { return f(in[0]) }
}

func torchTwo(f func(x, y autograd.Value) autograd.Value) torchFunction {
	return func(_ torchCase, in []autograd.Value) autograd.Value { return f(in[0], in[1]) }
}

func torchWith(f func(x autograd.Value, a float64) autograd.Value) torchFunction {
	return func(c torchCase, in []autograd.Value) autograd.Value { return f(in[0], float64(c.Floats[0])) }
}

func torchAxis(f func(x autograd.Value, axis int) autograd.Value) torchFunction {
	return func(c torchCase, in []autograd.Value) autograd.Value { return f(in[0], c.Ints[0][0]) }
}

func torchList(f func(x autograd.Value, list ...int) autograd.Value) torchFunction {
	return func(c torchCase, in []autograd.Value) autograd.Value { return f(in[0], c.Ints[0]...) }
}

func torchReduce(f func(x reducer, axes ...int) autograd.Value) torchFunction {
	return func(c torchCase, in []autograd.Value) autograd.Value { return f(torchReducer(c, in[0]), c.Ints[0]...) }
}

// torchSpread is the reduction with the denominator that the case asks for.
func torchSpread(sample, population func(x reducer, axes ...int) autograd.Value) torchFunction {
	return func(c torchCase, in []autograd.Value) autograd.Value {
		f := sample
		if c.Ints[2][0] == 0 {
			f = population
		}
		return f(torchReducer(c, in[0]), c.Ints[0]...)
	}
}

// torchReducer returns x, or its reductions that keep the axes.
func torchReducer(c torchCase, x autograd.Value) reducer {
	if c.Ints[1][0] == 1 {
		return x.KeepDims()
	}
	return x
}

// torchSlice reads a stop of −1 under a negative step as before index 0.
func torchSlice(c torchCase, in []autograd.Value) autograd.Value {
	axis, start, stop, step := c.Ints[0][0], c.Ints[1][0], c.Ints[1][1], c.Ints[1][2]
	if step < 0 && stop == -1 {
		stop = autograd.End
	}
	return in[0].Slice(axis, start, stop, step)
}
