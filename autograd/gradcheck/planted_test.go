package gradcheck_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/autograd/gradcheck"
)

// custom returns an operation on each element with a rule of its own, for
// both precisions.
func custom(name string, rule func(*autograd.Rule), f func(float64) float64) gradcheck.Function {
	op := autograd.Operation{Name: name, Rule: rule, Forward: func(in []autograd.Tensor) autograd.Tensor {
		v := in[0].Float64s()
		for i := range v {
			v[i] = f(v[i])
		}
		return autograd.NewTensor(v, in[0].Shape()...)
	}}
	return func(_ graph, in values) autograd.Value { return autograd.Custom(op, in[0]) }
}

// product is x·y, element by element, with a rule of its own.
func product(rule func(*autograd.Rule)) gradcheck.Function {
	op := autograd.Operation{Name: "product", Rule: rule, Forward: func(in []autograd.Tensor) autograd.Tensor {
		rows, columns := in[0].Dim(0), in[0].Dim(1)
		y := autograd.Zeros(rows, columns)
		for i := range rows {
			for j := range columns {
				other := 0.0
				if in[1].Rank() == 2 {
					other = in[1].At(i, j)
				} else {
					other = in[1].At(j)
				}
				y.Raw64()[i*columns+j] = in[0].At(i, j) * other
			}
		}
		return y
	}}
	return func(_ graph, in values) autograd.Value { return autograd.Custom(op, in...) }
}

// apply is the matrix product A·x with a rule of its own.
func apply(a [][]float64, rule func(r *autograd.Rule, a autograd.Value)) gradcheck.Function {
	m := autograd.FromNested(a)
	op := autograd.Operation{
		Name: "apply",
		Forward: func(in []autograd.Tensor) autograd.Tensor {
			y := autograd.Zeros(len(a))
			for i, row := range a {
				for j, v := range row {
					y.Raw64()[i] += v * in[0].At(j)
				}
			}
			return y
		},
		Rule: func(r *autograd.Rule) { rule(r, r.Graph().Constant(m)) },
	}
	return func(_ graph, in values) autograd.Value { return autograd.Custom(op, in...) }
}

// squareRule is the right rule of square.
func squareRule(r *autograd.Rule) { r.Add(0, r.Grad().Mul(r.In(0)).MulScalar(2)) }

func square(v float64) float64 { return v * v }

func TestPlantedBugsAreCaught(t *testing.T) {
	matrix := [][]float64{{1, 2, 3}, {-4, 5, 0.5}, {0.25, -2, 1}}
	tests := []struct {
		name string
		in   []autograd.Tensor
		f    gradcheck.Function
	}{
		{"sign", tensors(normal(1, 2, 3)), custom("square", func(r *autograd.Rule) {
			r.Add(0, r.Grad().Mul(r.In(0)).MulScalar(-2))
		}, square)},
		{"a thousandth too much", tensors(normal(1, 2, 3)), custom("square", func(r *autograd.Rule) {
			r.Add(0, r.Grad().Mul(r.In(0)).MulScalar(2*(1+1e-3)))
		}, square)},
		{"a millionth too much", tensors(normal(1, 2, 3)), custom("square", func(r *autograd.Rule) {
			r.Add(0, r.Grad().Mul(r.In(0)).MulScalar(2*(1+1e-6)))
		}, square)},
		{"the incoming gradient forgotten", tensors(normal(1, 2, 3)), custom("square", func(r *autograd.Rule) {
			r.Add(0, r.In(0).MulScalar(2))
		}, square)},
		{"input i for input j", tensors(normal(1, 2, 3), normal(2, 2, 3)), product(func(r *autograd.Rule) {
			r.Add(0, r.Grad().Mul(r.In(0)))
			r.Add(1, r.Grad().Mul(r.In(1)))
		})},
		{"one input forgotten", tensors(normal(1, 2, 3), normal(2, 2, 3)), product(func(r *autograd.Rule) {
			r.Add(0, r.Grad().Mul(r.In(1)))
		})},
		{"broadcast spread in place of summed", tensors(normal(1, 2, 3), normal(2, 3)), product(func(r *autograd.Rule) {
			r.Add(0, r.Grad().Mul(r.In(1)))
			r.Add(1, r.Grad().Mul(r.In(0)).Slice(0, 0, 1, 1).Reshape(3))
		})},
		{"broadcast averaged in place of summed", tensors(normal(1, 2, 3), normal(2, 3)), product(func(r *autograd.Rule) {
			r.Add(0, r.Grad().Mul(r.In(1)))
			r.Add(1, r.Grad().Mul(r.In(0)).Mean(0))
		})},
		{"transposed Jacobian", tensors(normal(1, 3)), apply(matrix, func(r *autograd.Rule, a autograd.Value) {
			r.Add(0, a.MatMul(r.Grad()))
		})},
		{"zero", tensors(normal(1, 2, 3)), custom("square", func(r *autograd.Rule) {
			r.Add(0, r.Grad().MulScalar(0))
		}, square)},
		{"NaN", tensors(normal(1, 2, 3)), custom("square", func(r *autograd.Rule) {
			r.Add(0, r.Grad().MulScalar(math.NaN()))
		}, square)},
		{"wrong outside the slopes of a kink", tensors(vector(0)), custom("abs", func(r *autograd.Rule) {
			r.Add(0, r.Grad().MulScalar(3))
		}, math.Abs)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := gradcheck.Check(test.f, test.in)
			var e *gradcheck.Error
			if !errors.As(err, &e) {
				t.Fatalf("%v", err)
			}
			if v := e.Entries[0].Verdict; v != gradcheck.Wrong && v != gradcheck.NonFinite {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestTransposedJacobianHiddenBySum shows why the cotangent is
// random: Σf(x) has the same gradient under the right and the transposed
// Jacobian where the matrix has equal row and column sums.
func TestTransposedJacobianHiddenBySum(t *testing.T) {
	circulant := [][]float64{{1, 2, 3}, {3, 1, 2}, {2, 3, 1}}
	transposed := apply(circulant, func(r *autograd.Rule, a autograd.Value) { r.Add(0, a.MatMul(r.Grad())) })
	summed := func(g graph, in values) autograd.Value { return transposed(g, in).Sum() }
	if err := gradcheck.Check(summed, tensors(normal(1, 3))); err != nil {
		t.Errorf("the sum should hide it: %v", err)
	}
	if err := gradcheck.Check(transposed, tensors(normal(1, 3))); err == nil {
		t.Error("the random cotangent should find it")
	}
}

// TestMissingReduction: a rule that leaves the broadcast axes unsummed is
// either caught by its shape or summed by Rule.Add, so right.
func TestMissingReduction(t *testing.T) {
	in := tensors(normal(1, 2, 3), normal(2, 3))
	unsummed := product(func(r *autograd.Rule) {
		r.Add(0, r.Grad().Mul(r.In(1)))
		r.Add(1, r.Grad().Mul(r.In(0)))
	})
	if err := gradcheck.Check(unsummed, in); err != nil {
		t.Errorf("Rule.Add sums a gradient of the result's shape: %v", err)
	}
	misshapen := product(func(r *autograd.Rule) {
		r.Add(0, r.Grad().Mul(r.In(1)))
		r.Add(1, r.Grad().Mul(r.In(0)).Sum(1))
	})
	var shape *autograd.ShapeError
	if err := gradcheck.Check(misshapen, in); !errors.As(err, &shape) || shape.Op != "product" {
		t.Errorf("%v", err)
	} else if !strings.Contains(err.Error(), "Backward") {
		t.Errorf("the error does not say when: %v", err)
	}
}

// TestWrongSecondDerivative: the rule gives the right number by the wrong
// means, so that only its derivative is wrong.
func TestWrongSecondDerivative(t *testing.T) {
	detached := custom("square", func(r *autograd.Rule) { r.Add(0, r.Grad().Mul(r.In(0).Detach()).MulScalar(2)) }, square)
	in := tensors(normal(1, 2, 3))
	if err := gradcheck.Check(detached, in); err != nil {
		t.Errorf("first order: %v", err)
	}
	err := gradcheck.CheckSecond(detached, in)
	var e *gradcheck.Error
	if !errors.As(err, &e) || e.Order != 2 || e.Failed != 6 || e.Entries[0].Verdict != gradcheck.Wrong {
		t.Errorf("second order: %v", err)
	}
	right := custom("square", squareRule, square)
	if err := gradcheck.CheckSecond(right, in); err != nil {
		t.Errorf("the right one: %v", err)
	}
}

// TestWrongMixedDerivative: the second derivatives are right within each
// input and wrong between two.
func TestWrongMixedDerivative(t *testing.T) {
	in := tensors(normal(1, 2, 3), normal(2, 2, 3))
	mixed := product(func(r *autograd.Rule) {
		r.Add(0, r.Grad().Mul(r.In(1).Detach()))
		r.Add(1, r.Grad().Mul(r.In(0).Detach()))
	})
	if err := gradcheck.Check(mixed, in); err != nil {
		t.Errorf("first order: %v", err)
	}
	if err := gradcheck.CheckSecond(mixed, in); err == nil {
		t.Error("second order: passed")
	}
}

func TestWrongParam(t *testing.T) {
	w, b := autograd.NewParam("w", normal(1, 3)), autograd.NewParam("b", normal(2, 3))
	halved := custom("halved", func(r *autograd.Rule) { r.Add(0, r.Grad().MulScalar(0.5)) }, func(v float64) float64 { return v })
	f := func(g graph, in values) autograd.Value {
		return in[0].Mul(halved(g, values{g.Param(w)})).Add(g.Param(b))
	}
	err := gradcheck.Check(f, tensors(normal(3, 3)), b, w, b) // a Param given twice is checked once
	var e *gradcheck.Error
	if !errors.As(err, &e) || e.Failed != 3 || e.Checked != 9 {
		t.Fatalf("%v", err)
	}
	for _, entry := range e.Entries {
		if entry.Param != w || entry.Input != -1 || entry.Name != `param "w"` {
			t.Errorf("the wrong Param: %v", entry)
		}
		if ratio := entry.Analytic / entry.Numeric; math.Abs(ratio-0.5) > 1e-9 {
			t.Errorf("half the gradient is %v, the difference %v", entry.Analytic, entry.Numeric)
		}
	}
}

func TestPlantedInFloat32(t *testing.T) {
	c := gradcheck.Checker{Precision: autograd.Float32}
	off := custom("square", func(r *autograd.Rule) { r.Add(0, r.Grad().Mul(r.In(0)).MulScalar(2.01)) }, square)
	if err := c.Check(off, tensors(normal(1, 4))); err == nil {
		t.Error("a hundredth too much passed")
	}
	if err := c.Check(custom("square", squareRule, square), tensors(normal(1, 4))); err != nil {
		t.Error(err)
	}
}

// TestErrorText: the lines that a user reads.
func TestErrorText(t *testing.T) {
	double := custom("double", func(r *autograd.Rule) { r.Add(0, r.Grad().MulScalar(4)) }, func(v float64) float64 { return 2 * v })
	err := gradcheck.Checker{Worst: 1}.Check(double, tensors(normal(1, 2, 2)))
	text := err.Error()
	head, line, _ := strings.Cut(text, "\n")
	if diff := cmp.Diff("gradcheck: 4 of 4 gradients did not pass; the worst:", head); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, part := range []string{"input 0 [", "wrong: Backward and Grad", "difference", "step", "apart by"} {
		if !strings.Contains(line, part) {
			t.Errorf("%q is not in %q", part, line)
		}
	}
	if strings.Count(text, "\n") != 1 {
		t.Errorf("more than the worst entry:\n%s", text)
	}
}

// TestWorstFirst: the entries stand in order of how far they missed, wrong
// ones before kinks.
func TestWorstFirst(t *testing.T) {
	planted := func(_ graph, in values) autograd.Value {
		op := autograd.Operation{
			Name:    "planted",
			Forward: func(in []autograd.Tensor) autograd.Tensor { return in[0].Clone() },
			Rule: func(r *autograd.Rule) {
				r.Add(0, r.Grad().Mul(r.Graph().Constant(vector(1, 1.1, 3, 1))))
			},
		}
		return autograd.Custom(op, in[0]).Add(in[0].ReLU())
	}
	var e *gradcheck.Error
	if !errors.As(gradcheck.Check(planted, tensors(vector(0, 1, 1, 1))), &e) {
		t.Fatal("passed")
	}
	if diff := cmp.Diff([][]int{{2}, {1}, {0}}, indices(e)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
