package losses_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nabla/autograd"
	"nabla/autograd/gradcheck"
	"nabla/losses"
)

// A ctcCase is a row of testdata/ctc.json.
type ctcCase struct {
	Note, Reduction      string
	Shape                []int
	X, Value, Seed, Grad []float64
	Longest, Blank       int
	Labels, Lengths      []int
	LabelLengths         []int `json:"label_lengths"`
	ZeroInfinity         bool  `json:"zero_infinity"`
}

func intsIf(values []int) autograd.Ints {
	if values == nil {
		return autograd.Ints{}
	}
	return autograd.NewInts(values)
}

func (c *ctcCase) options() losses.CTCOptions {
	o := losses.CTCOptions{
		Blank: c.Blank, Lengths: intsIf(c.Lengths), LabelLengths: intsIf(c.LabelLengths), ZeroInfinity: c.ZeroInfinity,
		PerLabel: c.Reduction == "mean",
	}
	o.Logits = true
	o.Reduction = map[string]losses.Reduction{"none": losses.None, "sum": losses.Sum}[c.Reduction]
	return o
}

// Value and gradient by logits are PyTorch's, for all reductions.
func TestCTCAgainstPyTorch(t *testing.T) {
	var file struct{ Cases []ctcCase }
	text, err := os.ReadFile("testdata/ctc.json")
	if err == nil {
		err = json.Unmarshal(text, &file)
	}
	if err != nil || len(file.Cases) != 32 {
		t.Fatal(len(file.Cases), err)
	}
	for _, c := range file.Cases {
		for _, precision := range []autograd.Precision{autograd.Float64, autograd.Float32} {
			g := autograd.NewGraph(autograd.Options{Precision: precision})
			x := g.Variable(autograd.NewTensor(c.X, c.Shape...))
			y := losses.CTCWith(x, autograd.NewInts(c.Labels, c.Shape[0], c.Longest), c.options())
			grads := y.BackwardFrom(autograd.NewTensor(c.Seed, y.Shape()...).In(precision))
			tolerance := 1e-12
			if precision == autograd.Float32 {
				tolerance = 2e-5
			}
			near := cmpopts.EquateApprox(tolerance, tolerance)
			if diff := cmp.Diff(c.Value, y.Tensor().Float64s(), near) + cmp.Diff(c.Grad, grads.Of(x).Float64s(), near); diff != "" {
				t.Errorf("%s, %s, %v:\n%s", c.Note, c.Reduction, precision, diff)
			}
		}
	}
}

// The gradient by logits and its derivative are those of differences.
func TestCTCGradients(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	o := losses.CTCOptions{Lengths: autograd.NewInts([]int{4, 3}), LabelLengths: autograd.NewInts([]int{2, 1}), PerLabel: true}
	o.Logits = true
	f := func(_ *autograd.Graph, in []autograd.Value) autograd.Value {
		return losses.CTCWith(in[0], autograd.NewInts([]int{1, 1, 2, 0}, 2, 2), o)
	}
	x := []autograd.Tensor{autograd.Normal(rng, 0, 1, 2, 4, 3)}
	if err := gradcheck.Check(f, x); err != nil {
		t.Error(err)
	}
	if err := gradcheck.CheckSecond(f, x); err != nil {
		t.Error(err)
	}
}

// What is behind the end of a sample or of its labels makes no difference.
func TestCTCReadsNoPadding(t *testing.T) {
	run := func(padding float64, label int) (autograd.Tensor, autograd.Tensor) {
		g := autograd.NewGraph(autograd.Options{CheckFinite: !math.IsNaN(padding)})
		values := autograd.Normal(rand.New(rand.NewPCG(1, 0)), 0, 1, 2, 4, 3)
		for i := 3 * 3; i < 4*3; i++ { // the last step of the first sample
			values.Raw64()[i] = padding
		}
		x := g.Variable(values)
		o := losses.CTCOptions{Lengths: autograd.NewInts([]int{3, 4}), LabelLengths: autograd.NewInts([]int{1, 2})}
		o.Reduction = losses.Sum
		y := losses.CTCWith(x, autograd.NewInts([]int{1, label, 2, 1}, 2, 2), o)
		return y.Tensor(), y.Backward().Of(x)
	}
	value, gradient := run(0, 0)
	for _, label := range []int{-1, 0, 2, 99} {
		v, g := run(math.NaN(), label)
		if !v.Equal(value) || !g.Equal(gradient) {
			t.Errorf("label %d: %v, %v", label, v, g)
		}
	}
	for _, v := range gradient.Float64s()[9:12] {
		if v != 0 {
			t.Errorf("the padding has the gradient %v", v)
		}
	}
}

// A sample with too few steps has an infinite loss, which a graph with
// CheckFinite refuses, and a gradient of NaN; with ZeroInfinity both are 0, and
// the others are as they would be alone. So with second derivatives.
func TestCTCOfTooFewSteps(t *testing.T) {
	values := autograd.Normal(rand.New(rand.NewPCG(1, 0)), 0, 1, 2, 2, 3)
	labels := autograd.NewInts([]int{1, 1, 1, 2}, 2, 2)
	for _, zero := range []bool{false, true} {
		g := autograd.NewGraph(autograd.Options{})
		x := g.Variable(values)
		o := losses.CTCOptions{ZeroInfinity: zero}
		o.Logits, o.Reduction = true, losses.None
		y := losses.CTCWith(x, labels, o)
		seed := autograd.NewTensor([]float64{1, 1})
		gx := autograd.VJP(y, g.Constant(seed), x)[0]
		gxx := gx.Square().Sum().Backward().Of(x)
		first, second := y.Tensor().At(0), y.Tensor().At(1)
		if zero != (first == 0) || zero == math.IsInf(first, 1) || !(second > 0) || math.IsInf(second, 0) {
			t.Errorf("ZeroInfinity %v: losses %v", zero, y.Tensor())
		}
		for name, gradient := range map[string][]float64{"recorded": gx.Tensor().Float64s(), "backward": y.BackwardFrom(seed).Of(x).Float64s(), "second": gxx.Float64s()} {
			for i, v := range gradient {
				switch impossible := i < 6; {
				case impossible && zero && v != 0, impossible && !zero && !math.IsNaN(v) && name != "second", !impossible && (v == 0 || math.IsNaN(v)) && (zero || name != "second"):
					t.Errorf("ZeroInfinity %v, %s gradient: element %d is %v", zero, name, i, v)
				}
			}
		}
	}
	g := autograd.NewGraph(autograd.Options{CheckFinite: true})
	var place *autograd.NonFiniteError
	if err := autograd.Try(func() { losses.CTC(g.Variable(values), labels) }); !errors.As(err, &place) || place.Op != "CTC" {
		t.Errorf("got %v", err)
	}
}

// Labels of probability 0, and sure ones, at the ends of what there is.
func TestCTCEdges(t *testing.T) {
	inf := math.Inf(1)
	for _, test := range []struct {
		name   string
		x      []float64 // of two classes
		labels []int
		want   float64
	}{
		{"sure", []float64{-inf, 0, 0, -inf}, []int{1}, 0},
		{"impossible", []float64{0, -inf, 0, -inf}, []int{1}, inf},
		{"sure blanks", []float64{0, -inf, 0, -inf}, []int{}, 0},
		{"one step", []float64{-2, -3}, []int{1}, 3},
		{"huge", []float64{-1e5, -2e5, -1e5, -2e5}, []int{1}, 3e5 - math.Log(2)},
	} {
		g := autograd.NewGraph(autograd.Options{})
		x := g.Constant(autograd.NewTensor(test.x, 1, len(test.x)/2, 2))
		if got := losses.CTC(x, autograd.NewInts(test.labels, 1, len(test.labels))).Item(); got != test.want && !(math.Abs(got-test.want) <= 1e-9) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
	g := autograd.NewGraph(autograd.Options{})
	if got := losses.CTC(g.Full(0, 0, 2, 3), autograd.NewInts(nil, 0, 2)); !math.IsNaN(got.Item()) {
		t.Errorf("the mean of no samples is %v", got.Item())
	}
}

// Any number of cores computes the same bits, and nothing is allocated once
// warm.
func TestCTCSteadyState(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	values := autograd.Normal(rand.New(rand.NewPCG(1, 0)), 0, 1, 32, 40, 20)
	labels := make([]int, 32*10)
	for i := range labels {
		labels[i] = 1 + i%19
	}
	y := autograd.NewInts(labels, 32, 10)
	step := func() (float64, autograd.Tensor) {
		g.Reset()
		x := g.Variable(values)
		o := losses.CTCOptions{}
		o.Logits = true
		loss := losses.CTCWith(x, y, o)
		return loss.Item(), loss.Backward().Of(x)
	}
	value, gradient := step()
	gradient = gradient.Clone()
	if n := testing.AllocsPerRun(10, func() { step() }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	v, again := step()
	if v != value || !again.Equal(gradient) {
		t.Error("other bits")
	}
}

func TestCTCMisuse(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Full(-1, 2, 4, 3)
	fine := autograd.NewInts([]int{1, 2, 2, 1}, 2, 2)
	with := func(edit func(o *losses.CTCOptions)) func() {
		return func() {
			var o losses.CTCOptions
			edit(&o)
			losses.CTCWith(x, fine, o)
		}
	}
	for _, test := range []struct {
		f    func()
		want string
	}{
		{func() { losses.CTC(autograd.Value{}, fine) }, "losses: CTC: the prediction is the zero Value"},
		{func() { losses.CTC(x, autograd.Ints{}) }, "autograd: CTC: the Ints are empty"},
		{func() { losses.CTC(g.Full(0, 2, 4), fine) }, "autograd: CTC: want [batch, steps, classes] with at least one step and class: [2 4]"},
		{func() { losses.CTC(g.Full(0, 2, 0, 3), fine) }, "autograd: CTC: want [batch, steps, classes]"},
		{func() { losses.CTC(x, autograd.NewInts([]int{1, 2})) }, "autograd: CTC: want labels [batch, longest]: [2] for [2 4 3]"},
		{func() { losses.CTC(x, autograd.NewInts([]int{1, 2, 1}, 3, 1)) }, "autograd: CTC: want labels [batch, longest]: [3 1] for [2 4 3]"},
		{func() { losses.CTC(x, autograd.NewInts([]int{1, 3}, 2, 1)) }, "autograd: CTC: labels[1][0] = 3 is out of range for 3"},
		{func() { losses.CTC(x, autograd.NewInts([]int{1, -1}, 2, 1)) }, "autograd: CTC: labels[1][0] = -1 is out of range for 3"},
		{func() { losses.CTC(x, autograd.NewInts([]int{1, 2, 2, 0}, 2, 2)) }, "autograd: CTC: labels[1][1] is 0, the blank"},
		{with(func(o *losses.CTCOptions) { o.Blank = 3 }), "autograd: CTC: blank 3 is out of range for 3"},
		{with(func(o *losses.CTCOptions) { o.Blank = 1 }), "autograd: CTC: labels[0][0] is 1, the blank"},
		{with(func(o *losses.CTCOptions) { o.Lengths = autograd.NewInts([]int{4, 0}) }), "autograd: CTC: sequence 1 of the batch has length 0, want 1 to 4"},
		{with(func(o *losses.CTCOptions) { o.Lengths = autograd.NewInts([]int{5, 1}) }), "autograd: CTC: sequence 0 of the batch has length 5"},
		{with(func(o *losses.CTCOptions) { o.Lengths = autograd.NewInts([]int{4}) }), "autograd: CTC: want a length for each of 2 sequences: [1]"},
		{with(func(o *losses.CTCOptions) { o.LabelLengths = autograd.NewInts([]int{1, 3}) }), "autograd: CTC: sample 1 of the batch has 3 labels, want 0 to 2"},
		{with(func(o *losses.CTCOptions) { o.LabelLengths = autograd.NewInts([]int{1}) }), "autograd: CTC: want a length for the labels of each of 2 samples: [1]"},
		{with(func(o *losses.CTCOptions) { o.IgnoreIndex = []int{0} }), "losses: CTC: IgnoreIndex is no option of this loss"},
		{with(func(o *losses.CTCOptions) { o.Weights = g.Full(1, 3) }), "losses: CTC: losses and weights differ in shape: [2], [3]"},
	} {
		err := autograd.Try(test.f)
		if err == nil || !strings.HasPrefix(err.Error(), test.want) || !strings.Contains(err.Error(), "ctc_test.go:") {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
}

// Speech in small: the labels 1, 2 in 4 steps. Where they are is not said.
func ExampleCTC() {
	g := autograd.NewGraph(autograd.Options{})
	logits := g.Constant(autograd.NewTensor([]float64{
		2, 1, 0,
		0, 3, 0,
		2, 0, 1,
		0, 0, 3,
	}, 1, 4, 3))
	options := losses.CTCOptions{}
	options.Logits = true
	loss := losses.CTCWith(logits, autograd.NewInts([]int{1, 2}, 1, 2), options)
	fmt.Printf("%.2f\n", loss.Item())
	// Output: 0.25
}
