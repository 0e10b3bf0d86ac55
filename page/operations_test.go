package page

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/dop251/goja"

	"nabla/autograd"
	"nabla/internal/operations"
)

// The page recomputes a network when a number is changed. There each
// elementwise operation of the table has autograd's values and slopes, so a new
// one needs a row in operations.js.
func TestPageComputesWhatAutogradDoes(t *testing.T) {
	evaluate := scriptOf(t)
	recorded := elementwiseNodes()
	for _, o := range operations.All() {
		if o.Class != operations.Elementwise {
			continue
		}
		nodes := recorded[o.Name]
		if len(nodes) == 0 {
			t.Errorf("%s: no method of autograd.Value records it", o.Name)
		}
		for _, n := range nodes {
			compareOperation(t, n, evaluate)
		}
	}
}

// An evaluation returns the page's value of an operation and its slopes; known
// is false if the page has no row for it.
type evaluation func(op string, constants, in []float64) (y float64, slopes []float64, known bool)

// scriptOf returns the page's function evaluate, run in an interpreter.
func scriptOf(t *testing.T) evaluation {
	t.Helper()
	vm := goja.New()
	if _, err := vm.RunScript("operations.js", "\"use strict\";\n"+pagePart("operations.js")); err != nil {
		t.Fatal(err)
	}
	run, ok := goja.AssertFunction(vm.Get("evaluate"))
	if !ok {
		t.Fatal("operations.js has no function evaluate")
	}
	return func(op string, constants, in []float64) (y float64, slopes []float64, known bool) {
		result, err := run(goja.Undefined(), vm.ToValue(op), vm.ToValue(constants), vm.ToValue(in))
		if err != nil {
			t.Fatalf("%s of %v: %v", op, in, err)
		}
		if goja.IsNull(result) {
			return 0, nil, false
		}
		object := result.ToObject(vm)
		if of := object.Get("slopes"); !goja.IsNull(of) {
			for i := range in {
				slopes = append(slopes, of.ToObject(vm).Get(fmt.Sprint(i)).ToFloat())
			}
		}
		return object.Get("y").ToFloat(), slopes, true
	}
}

// elementwiseNodes records, on single numbers and with several constants, every
// operation of a method of Value whose arguments are all Values or numbers.
func elementwiseNodes() map[string][]autograd.Node {
	all := map[string][]autograd.Node{}
	number, value := reflect.TypeFor[float64](), reflect.TypeFor[autograd.Value]()
	g := autograd.NewGraph(autograd.Options{})
	for method := range value.Methods() {
		for _, constants := range [][]float64{{0.7, 1.9}, {-1.3, 2}, {3, 4}, {2, 2}, {1, 3}, {0, 1}, {-2, 6}} {
			args := []reflect.Value{reflect.ValueOf(g.Variable(autograd.Scalar(0.5)))}
			for i := 1; i < method.Type.NumIn(); i++ {
				switch of := method.Type.In(i); {
				case of == value:
					args = append(args, reflect.ValueOf(g.Variable(autograd.Scalar(0.25))))
				case of == number && i <= len(constants):
					args = append(args, reflect.ValueOf(constants[i-1]))
				case of.Kind() == reflect.Int && constants[0] >= 0:
					args = append(args, reflect.ValueOf(int(constants[0])))
				}
			}
			if len(args) != method.Type.NumIn() || method.Type.IsVariadic() || method.Type.NumOut() != 1 || method.Type.Out(0) != value {
				continue
			}
			var y autograd.Value
			if autograd.Try(func() { y = method.Func.Call(args)[0].Interface().(autograd.Value) }) != nil || y == (autograd.Value{}) {
				continue
			}
			n := y.Node()
			same := func(m autograd.Node) bool { return slices.Equal(m.Constants, n.Constants) }
			if operations.Of(n.Op).Class == operations.Elementwise && !slices.ContainsFunc(all[n.Op], same) {
				all[n.Op] = append(all[n.Op], n)
			}
		}
	}
	return all
}

// specials are the places where operations have kinks, poles, changes of
// formula and limits.
var specials = []float64{
	0, math.Copysign(0, -1), 1, -1, 2, 3, -3, 6, 0.5, -0.5, 0.7, -1.3, 2.5, -2.5, 1e-12, -1e-12, 20, -20, 40, -40, 1000, -1000,
	1e300, 1e-300, math.Inf(1), math.Inf(-1), math.NaN(), 0.999999, 1.4999, 1.5001, 1.000001, -1.5, 12.25, 709,
}

func compareOperation(t *testing.T, n autograd.Node, evaluate evaluation) {
	t.Helper()
	wrong := 0
	for _, in := range pointsFor(len(n.Inputs)) {
		want, partials, ok := n.Evaluate(in...)
		y, slopes, known := evaluate(n.Op, n.Constants, in)
		switch {
		case !ok:
			t.Fatalf("%s cannot be evaluated", n.Op)
		case !known:
			t.Errorf("%s has no row in page/operations.js", n.Op)
			return
		case len(slopes) != len(partials):
			t.Errorf("%s: %d slopes, autograd has %d", n.Op, len(slopes), len(partials))
			return
		}
		if !slices.EqualFunc(append(slopes, y), append(partials, want), near) {
			if wrong++; wrong < 4 {
				t.Errorf("%s %v of %v: %v and slopes %v, autograd %v and %v", n.Op, n.Constants, in, y, slopes, want, partials)
			}
		}
	}
	if wrong >= 4 {
		t.Errorf("%s %v: %d points differ", n.Op, n.Constants, wrong)
	}
}

// pointsFor returns the points at which an operation with one or two inputs is
// compared.
func pointsFor(inputs int) (points [][]float64) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, x := range specials {
		if inputs == 1 {
			points = append(points, []float64{x})
			continue
		}
		for _, y := range specials {
			points = append(points, []float64{x, y})
		}
	}
	for range 100 {
		points = append(points, []float64{6 * rng.NormFloat64(), 2 * rng.NormFloat64()}[:inputs], []float64{rng.Float64(), rng.Float64()}[:inputs])
	}
	return points
}

// near reports whether numbers agree within 1e-12 of their size, or of 1 if
// they are smaller.
func near(got, want float64) bool {
	if math.IsNaN(want) || math.IsInf(want, 0) {
		return math.IsNaN(got) && math.IsNaN(want) || got == want
	}
	return math.Abs(got-want) <= 1e-12*math.Max(1, math.Abs(want))
}
