package browser

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"nabla/autograd"
	"nabla/page"
)

type value = autograd.Value

// operations are some that autograd knows of single numbers. All of them are
// compared by the tests of package page, in an interpreter; these show that a
// browser's numbers are the same. Acosh is not among them: the tests' numbers
// lie outside its domain.
var operations = map[string]func(in []value) value{
	"relu": func(in []value) value { return in[0].ReLU() }, "relu6": func(in []value) value { return in[0].ReLU6() },
	"leaky relu": func(in []value) value { return in[0].LeakyReLU(0.1) }, "prelu": func(in []value) value { return in[0].PReLU(in[1]) },
	"elu": func(in []value) value { return in[0].ELU(0.7) }, "selu": func(in []value) value { return in[0].SELU() },
	"celu": func(in []value) value { return in[0].CELU(1.3) }, "gelu": func(in []value) value { return in[0].GELU() },
	"gelu tanh": func(in []value) value { return in[0].GELUTanh() }, "silu": func(in []value) value { return in[0].SiLU() },
	"mish": func(in []value) value { return in[0].Mish() }, "softplus": func(in []value) value { return in[0].Softplus(1.3) },
	"softsign": func(in []value) value { return in[0].Softsign() }, "sigmoid": func(in []value) value { return in[0].Sigmoid() },
	"log sigmoid": func(in []value) value { return in[0].LogSigmoid() }, "hard sigmoid": func(in []value) value { return in[0].HardSigmoid() },
	"hard swish": func(in []value) value { return in[0].HardSwish() }, "hard tanh": func(in []value) value { return in[0].HardTanh() },
	"add": func(in []value) value { return in[0].Add(in[1]) }, "sub": func(in []value) value { return in[0].Sub(in[1]) },
	"mul": func(in []value) value { return in[0].Mul(in[1]) }, "div": func(in []value) value { return in[0].Div(in[1]) },
	"pow": func(in []value) value { return in[0].Pow(in[1]) }, "atan2": func(in []value) value { return in[0].Atan2(in[1]) },
	"hypot": func(in []value) value { return in[0].Hypot(in[1]) }, "neg": func(in []value) value { return in[0].Neg() },
	"mul scalar": func(in []value) value { return in[0].MulScalar(-1.7) }, "add scalar": func(in []value) value { return in[0].AddScalar(0.3) },
	"pow scalar": func(in []value) value { return in[0].PowScalar(3) }, "square": func(in []value) value { return in[0].Square() },
	"sqrt": func(in []value) value { return in[0].Sqrt() }, "rsqrt": func(in []value) value { return in[0].Rsqrt() },
	"reciprocal": func(in []value) value { return in[0].Reciprocal() }, "abs": func(in []value) value { return in[0].Abs() },
	"sign": func(in []value) value { return in[0].Sign() }, "floor": func(in []value) value { return in[0].Floor() },
	"ceil": func(in []value) value { return in[0].Ceil() }, "round": func(in []value) value { return in[0].Round() },
	"maximum": func(in []value) value { return in[0].Maximum(in[1]) }, "minimum": func(in []value) value { return in[0].Minimum(in[1]) },
	"clamp": func(in []value) value { return in[0].Clamp(-0.5, 2) }, "equal": func(in []value) value { return in[0].Equal(in[1]) },
	"not equal": func(in []value) value { return in[0].NotEqual(in[1]) }, "less": func(in []value) value { return in[0].Less(in[1]) },
	"less equal": func(in []value) value { return in[0].LessEqual(in[1]) }, "greater": func(in []value) value { return in[0].Greater(in[1]) },
	"greater equal": func(in []value) value { return in[0].GreaterEqual(in[1]) }, "equal scalar": func(in []value) value { return in[0].EqualScalar(1) },
	"not equal scalar": func(in []value) value { return in[0].NotEqualScalar(1) }, "less scalar": func(in []value) value { return in[0].LessScalar(1) },
	"less equal scalar": func(in []value) value { return in[0].LessEqualScalar(1) }, "greater scalar": func(in []value) value { return in[0].GreaterScalar(1) },
	"greater equal scalar": func(in []value) value { return in[0].GreaterEqualScalar(1) },
	"binary cross entropy": func(in []value) value { return in[0].BinaryCrossEntropy(in[1]) }, "cross entropy": func(in []value) value { return in[0].CrossEntropy(in[1]) },
	"binary cross entropy logits": func(in []value) value { return in[0].BinaryCrossEntropyLogits(in[1]) },
	"exp":                         func(in []value) value { return in[0].Exp() }, "expm1": func(in []value) value { return in[0].Expm1() },
	"log": func(in []value) value { return in[0].Log() }, "log1p": func(in []value) value { return in[0].Log1p() },
	"log2": func(in []value) value { return in[0].Log2() }, "log10": func(in []value) value { return in[0].Log10() },
	"sin": func(in []value) value { return in[0].Sin() }, "cos": func(in []value) value { return in[0].Cos() }, "tan": func(in []value) value { return in[0].Tan() },
	"asin": func(in []value) value { return in[0].Asin() }, "acos": func(in []value) value { return in[0].Acos() }, "atan": func(in []value) value { return in[0].Atan() },
	"sinh": func(in []value) value { return in[0].Sinh() }, "cosh": func(in []value) value { return in[0].Cosh() }, "tanh": func(in []value) value { return in[0].Tanh() },
	"erf": func(in []value) value { return in[0].Erf() }, "erfc": func(in []value) value { return in[0].Erfc() },
	"lgamma": func(in []value) value { return in[0].Lgamma() }, "digamma": func(in []value) value { return in[0].Digamma() },
	"polygamma": func(in []value) value { return in[0].Polygamma(2) },
	"asinh":     func(in []value) value { return in[0].Asinh() }, "atanh": func(in []value) value { return in[0].Atanh() },
	"trunc": func(in []value) value { return in[0].Trunc() }, "hard shrink": func(in []value) value { return in[0].HardShrink(0.5) },
	"logaddexp": func(in []value) value { return in[0].LogAddExp(in[1]) },
}

// inputsOf is how many inputs an operation has.
func inputsOf(op string) int {
	switch op {
	case "add", "sub", "mul", "div", "pow", "atan2", "hypot", "prelu", "logaddexp", "maximum", "minimum", "equal", "not equal", "less", "less equal", "greater",
		"greater equal", "binary cross entropy", "binary cross entropy logits", "cross entropy":
		return 2
	}
	return 1
}

// The page's operations give Go's values and slopes.
func TestOperationsAreGos(t *testing.T) {
	p := open(t, pageOf(t, neuron(), autograd.Gradients{}, page.Options{}))
	rng := rand.New(rand.NewPCG(5, 6))
	inf := math.Inf(1)
	special := []float64{0, math.Copysign(0, -1), 1, -1, 2, 3, -3, 6, 0.5, -0.5, 2.5, -2.5, 1e-12, -1e-12, 20, -20, 40, -40, 1000, -1000, 1e300, 1e-300, inf, -inf, math.NaN(), 0.999999, 1.4999, 1.5001, 1.000001, -1.5, 12.25, 709.5}
	for _, op := range slices.Sorted(maps.Keys(operations)) {
		var points [][]float64
		for _, v := range special {
			if inputsOf(op) == 1 {
				points = append(points, []float64{v})
				continue
			}
			for _, w := range special {
				points = append(points, []float64{v, w})
			}
		}
		for range 400 {
			points = append(points, []float64{6 * rng.NormFloat64(), 2 * rng.NormFloat64()}[:inputsOf(op)], []float64{rng.Float64(), rng.Float64()}[:inputsOf(op)])
		}
		compareOperation(t, p, op, points)
	}
}

func compareOperation(t *testing.T, p *tab, op string, points [][]float64) {
	g := autograd.NewGraph(autograd.Options{})
	var in []value
	for range inputsOf(op) {
		in = append(in, g.Variable(autograd.Scalar(0.5)))
	}
	node := operations[op](in).Node()
	if node.Op != op {
		t.Fatalf("the row %q records %q", op, node.Op)
	}
	constants, err := json.Marshal(append([]float64{}, node.Constants...))
	if err != nil {
		t.Fatal(err)
	}
	got := p.numbers(fmt.Sprintf(`%s.flatMap(x => { const r = evaluate(%q, %s, x); return [r.y, ...(r.slopes || x.map(() => 7777))]; })`, literal(points), op, constants))
	bad := 0
	for k, point := range points {
		y, slopes, ok := node.Evaluate(point...)
		if !ok {
			t.Fatalf("%s cannot be evaluated", op)
		}
		if slopes == nil {
			slopes = []float64{7777, 7777}[:len(point)]
		}
		want := append([]float64{y}, slopes...)
		for i, v := range got[k*len(want) : (k+1)*len(want)] {
			if !near(v, want[i]) {
				if bad++; bad < 6 {
					t.Errorf("%s of %v: number %d is %v, Go says %v", op, point, i, v, want[i])
				}
			}
		}
	}
	if bad > 6 {
		t.Errorf("%s: %d numbers differ", op, bad)
	}
}

// near reports whether numbers agree within 1e-12 of their size, or of 1 where
// they are smaller.
func near(got, want float64) bool {
	if math.IsNaN(want) || math.IsInf(want, 0) {
		return math.IsNaN(got) && math.IsNaN(want) || got == want
	}
	return math.Abs(got-want) <= 1e-12*math.Max(1, math.Abs(want))
}

// literal writes numbers as JavaScript.
func literal(points [][]float64) string {
	var b strings.Builder
	b.WriteString("[")
	for _, point := range points {
		b.WriteString("[")
		for _, v := range point {
			text := fmt.Sprintf("%v,", v)
			text = strings.NewReplacer("+Inf", "Infinity", "-Inf", "-Infinity").Replace(text)
			if v == 0 && math.Signbit(v) {
				text = "-0,"
			}
			b.WriteString(text)
		}
		b.WriteString("],")
	}
	return b.String() + "]"
}
