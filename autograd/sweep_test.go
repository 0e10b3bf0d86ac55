package autograd_test

import (
	"bufio"
	"fmt"
	"go/ast"
	"math"
	"math/big"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"nabla/autograd"
)

// A sweepRow is an elementwise operation with its constants, and the points
// at which testdata/sweep.py has computed its derivatives.
type sweepRow struct {
	op        string
	constants []float64
	points    []sweepPoint
}

// A sweepPoint is the arguments, the derivative by each, and the second
// derivatives: fxx, or fxx, fxy and fyy.
type sweepPoint struct {
	at            []float64
	first, second []*big.Float
}

// sweptMethod returns the method of Value that an operation is named after, as
// "gelu tanh" is after GELUTanh.
func sweptMethod(op string) (method reflect.Method, found bool) {
	for m := range reflect.TypeFor[autograd.Value]().Methods() {
		if strings.EqualFold(m.Name, plain(op)) {
			return m, true
		}
	}
	return method, false
}

// function is the operation of its inputs, with the row's constants for the
// arguments that are numbers.
func (r sweepRow) function(t *testing.T) func(in []autograd.Value) autograd.Value {
	t.Helper()
	method, found := sweptMethod(r.op)
	if !found {
		t.Fatalf("no method of Value is called %q", r.op)
	}
	return func(in []autograd.Value) autograd.Value {
		args := make([]reflect.Value, method.Type.NumIn())
		for i, inputs, constants := 0, in, r.constants; i < len(args); i++ {
			if of := method.Type.In(i); of == reflect.TypeFor[autograd.Value]() {
				args[i], inputs = reflect.ValueOf(inputs[0]), inputs[1:]
			} else {
				args[i], constants = reflect.ValueOf(constants[0]).Convert(of), constants[1:]
			}
		}
		return method.Func.Call(args)[0].Interface().(autograd.Value)
	}
}

func (r sweepRow) name() string {
	name := r.op
	for _, c := range r.constants {
		name += fmt.Sprint(" ", c)
	}
	return name
}

// readSweep reads testdata/sweep.txt, whose format sweep.py describes.
func readSweep(t *testing.T) []*sweepRow {
	t.Helper()
	file, err := os.Open("testdata/sweep.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var rows []*sweepRow
	heads := map[string]*sweepRow{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		head, numbers, _ := strings.Cut(lines.Text(), ": ")
		row := heads[head]
		if row == nil {
			names := strings.Split(head, ", ")
			row = &sweepRow{op: names[0]}
			for _, c := range names[1:] {
				row.constants = append(row.constants, sweptNumber(t, c))
			}
			heads[head] = row
			rows = append(rows, row)
		}
		row.points = append(row.points, readPoint(t, strings.Fields(numbers)))
	}
	return rows
}

func readPoint(t *testing.T, fields []string) (p sweepPoint) {
	t.Helper()
	inputs := 1
	if len(fields) == 7 {
		inputs = 2
	}
	for i, field := range fields {
		switch d, _, err := big.ParseFloat(field, 10, 100, big.ToNearestEven); {
		case i < inputs:
			p.at = append(p.at, sweptNumber(t, field))
		case err != nil:
			t.Fatal(err)
		case i < 2*inputs:
			p.first = append(p.first, d)
		default:
			p.second = append(p.second, d)
		}
	}
	return p
}

func sweptNumber(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// A sweepRange is what the numbers of a precision can be.
type sweepRange struct {
	precision         autograd.Precision
	largest, smallest float64
	seeds, targets    []float64 // incoming gradients, and gradients that they are chosen to lead to
}

var sweepRanges = []sweepRange{
	{autograd.Float64, math.MaxFloat64, math.SmallestNonzeroFloat64,
		[]float64{1, -1, 1e-300, 1e-200, 1e-150, 1e-100, 1e-30, 1e-8, 1e8, 1e30, 1e100, 1e150, 1e200, 1e300}, []float64{1, 1e-290, 1e290}},
	{autograd.Float32, math.MaxFloat32, math.SmallestNonzeroFloat32,
		[]float64{1, -1, 1e-36, 1e-30, 1e-20, 1e-10, 1e-5, 1e5, 1e10, 1e20, 1e30, 1e36}, []float64{1, 1e-36, 1e36}},
}

// round is a number in the precision.
func (p sweepRange) round(v *big.Float) float64 {
	if p.precision == autograd.Float32 {
		y, _ := v.Float32()
		return float64(y)
	}
	y, _ := v.Float64()
	return y
}

func (p sweepRange) holds(v float64) bool {
	return p.precision == autograd.Float64 || float64(float32(v)) == v
}

// A sweepCase is a point with an incoming gradient.
type sweepCase struct {
	sweepPoint
	seed float64
}

// cases returns every point of the precision with every incoming gradient.
func (p sweepRange) cases(r *sweepRow) []sweepCase {
	var all []sweepCase
	for _, point := range r.points {
		if slices.ContainsFunc(point.at, func(v float64) bool { return !p.holds(v) }) {
			continue
		}
		seeds := slices.Clone(p.seeds)
		for _, d := range point.first {
			for _, target := range p.targets {
				if d.Sign() == 0 || d.IsInf() {
					continue
				}
				seed := p.round(new(big.Float).Quo(big.NewFloat(target), d))
				if math.Abs(seed) < p.largest/16 && math.Abs(seed) > p.smallest*0x1p60 {
					seeds = append(seeds, seed)
				}
			}
		}
		for _, seed := range seeds {
			all = append(all, sweepCase{point, p.round(big.NewFloat(seed))})
		}
	}
	return all
}

// TestSweep compares the gradients of every elementwise operation, by
// Backward and by Grad, of tensors and of single numbers, with the true ones,
// over magnitudes of arguments and of incoming gradients: they are to be right
// wherever the true gradient can be held, and to overflow or vanish only where
// it does.
func TestSweep(t *testing.T) {
	for _, row := range readSweep(t) {
		t.Run(strings.ReplaceAll(row.name(), " ", "_"), func(t *testing.T) {
			for _, p := range sweepRanges {
				s := &sweep{t: t, row: row, record: row.function(t), sweepRange: p, bad: map[string]int{}}
				s.first(p.cases(row))
				s.second()
				s.report()
			}
		})
	}
}

type sweep struct {
	t      *testing.T
	row    *sweepRow
	record func(in []autograd.Value) autograd.Value
	sweepRange
	bad map[string]int
}

func (s *sweep) report() {
	for way, n := range s.bad {
		if n > 3 {
			s.t.Errorf("%s in %v: %d wrong", way, s.precision, n)
		}
	}
}

func (s *sweep) first(cases []sweepCase) {
	g := autograd.NewGraph(autograd.Options{Precision: s.precision})
	in, seeds := make([][]float64, len(cases[0].at)), make([]float64, len(cases))
	for i, c := range cases {
		for k, v := range c.at {
			in[k] = append(in[k], v)
		}
		seeds[i] = c.seed
	}
	xs := make([]autograd.Value, len(in))
	for k := range in {
		xs[k] = g.Variable(vector(in[k]...))
	}
	y := s.record(xs)
	values := y.Tensor().Float64s()
	grads := y.BackwardFrom(vector(seeds...))
	recorded := autograd.VJP(y, g.Constant(vector(seeds...)), xs...)
	for k, x := range xs {
		backward, grad := grads.Of(x).Float64s(), recorded[k].Tensor().Float64s()
		for i, c := range cases {
			s.compare("Backward", c, k, backward[i], values[i])
			s.compare("Grad", c, k, grad[i], values[i])
		}
	}
	for _, c := range cases {
		g.Reset()
		for k, v := range c.at {
			xs[k] = g.Variable(autograd.Scalar(v))
		}
		y := s.record(xs)
		grads := y.BackwardFrom(autograd.Scalar(c.seed))
		recorded := autograd.VJP(y, g.Scalar(c.seed), xs...)
		for k, x := range xs {
			s.compare("scalar Backward", c, k, grads.Of(x).Item(), y.Item())
			s.compare("scalar Grad", c, k, recorded[k].Item(), y.Item())
		}
	}
}

func (s *sweep) compare(way string, c sweepCase, input int, got, value float64) {
	if math.IsInf(value, 0) {
		return // the gradient of what has overflowed follows the value
	}
	want := s.round(new(big.Float).Mul(c.first[input], big.NewFloat(c.seed)))
	s.check(way, c, input, got, want, 4*s.smallest+math.Abs(c.seed)*s.lost(input))
}

// second compares the derivatives of Grad's gradients.
func (s *sweep) second() {
	for _, point := range s.row.points {
		if slices.ContainsFunc(point.at, func(v float64) bool { return !s.holds(v) }) {
			continue
		}
		g := autograd.NewGraph(autograd.Options{Precision: s.precision})
		xs := make([]autograd.Value, len(point.at))
		for k, v := range point.at {
			xs[k] = g.Variable(autograd.Scalar(v))
		}
		y := s.record(xs)
		if math.IsInf(y.Item(), 0) {
			continue
		}
		which := 0
		for k, gx := range autograd.Grad(y, xs...) {
			for l, second := range autograd.Grad(gx, xs...)[k:] {
				s.check(fmt.Sprintf("Grad of Grad by %d", l), sweepCase{point, 1}, k, second.Item(), s.round(point.second[which]), s.lostAgain())
				which++
			}
		}
	}
}

// decaying are the operations whose derivative decays like an exponential. It
// vanishes where that leaves the range of float64, also under a large incoming
// gradient.
var decaying = []string{
	"exp", "expm1", "elu", "selu", "celu", "gelu", "gelu tanh", "silu", "mish", "softplus", "sigmoid", "log sigmoid", "logaddexp", "tanh", "erf", "erfc",
	"binary cross entropy logits",
}

// lost is how much of the derivative may be, where it is made of a value that
// has less than all its digits.
func (s *sweep) lost(input int) float64 {
	switch {
	case s.row.op == "exp", s.row.op == "binary cross entropy logits":
		return 4 * s.smallest
	case s.row.op == "pow" && input == 1: // times ln x
		return 4000 * s.smallest
	case slices.Contains(decaying, s.row.op):
		return 0x1p-1022
	}
	return 0
}

// lostAgain is the same of the second derivative, which has further factors.
func (s *sweep) lostAgain() float64 {
	if s.row.op == "pow" {
		return 1e6 * s.smallest // times ln² x
	}
	return 1000 * s.smallest
}

// sweepTolerances are relative, in float64, where the usual ones do not do:
// powers are that good, the gamma functions lose digits where they are
// reflected, and activations where their derivative passes through 0.
var sweepTolerances = map[string]float64{
	"pow": 1e-13, "pow scalar": 1e-13, "digamma": 1e-13, "polygamma": 1e-10,
	"gelu": 1e-13, "gelu tanh": 1e-13, "silu": 1e-13, "mish": 1e-13,
}

func (s *sweep) check(way string, c sweepCase, input int, got, want, lost float64) {
	tolerance := max(1e-14, sweepTolerances[s.row.op])
	if s.precision == autograd.Float32 {
		tolerance = 1e-6
	}
	if strings.HasPrefix(way, "Grad of Grad") {
		tolerance *= 20
	}
	if got == want || math.Abs(got-want) <= tolerance*math.Abs(want)+lost {
		return
	}
	if s.bad[way]++; s.bad[way] <= 3 {
		s.t.Errorf("%s in %v: derivative %d at %v with the incoming gradient %g is %g, want %g (off %.2g)", way, s.precision, input, c.at, c.seed, got, want, got/want-1)
	}
}

// TestSweepHasEveryElementwiseOperation reads the package's source: every
// operation with a scalar form, but masks, has lines in sweep.txt.
func TestSweepHasEveryElementwiseOperation(t *testing.T) {
	rows := readSweep(t)
	for _, file := range packageSource(t) {
		for _, op := range elementwise(file) {
			if !slices.ContainsFunc(rows, func(r *sweepRow) bool { return r.op == op }) {
				t.Errorf("%s is not swept: add it to testdata/sweep.py", op)
			}
		}
	}
}

// elementwise returns the names of the operations that a file declares with a
// function of single numbers and a gradient.
func elementwise(file *ast.File) []string {
	var names []string
	ast.Inspect(file, func(n ast.Node) bool {
		literal, ok := n.(*ast.CompositeLit)
		if !ok || !isNamed(literal.Type, "operation") {
			return true
		}
		isFunction, isMask := false, false
		for _, element := range literal.Elts {
			if pair, ok := element.(*ast.KeyValueExpr); ok {
				isFunction = isFunction || isNamed(pair.Key, "unary") || isNamed(pair.Key, "binary")
				isMask = isMask || isNamed(pair.Key, "mask")
			}
		}
		if isFunction && !isMask {
			names = append(names, nameOf(literal))
		}
		return true
	})
	return names
}
