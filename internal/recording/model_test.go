package recording

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
)

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		v      float64
		digits int
		want   string
	}{
		{0, 4, "0"}, {math.Copysign(0, -1), 4, "0"}, {1, 4, "1"}, {-2.17, 4, "−2.17"}, {3.6, 4, "3.6"},
		{3.5999999999999996, 4, "3.6"}, {0.13, 1, "0.1"}, {800, 4, "800"}, {800, 1, "800"}, {123456.7, 4, "123457"},
		{999999.6, 4, "1e6"}, {999999.4, 6, "999999"}, {1234567, 4, "1.235e6"}, {9.9996, 4, "10"}, {0.99996, 4, "1"},
		{0.00012346, 4, "0.0001235"}, {0.000012346, 4, "1.235e−5"}, {-1.5e-300, 4, "−1.5e−300"}, {1e100, 4, "1e100"}, {5e-324, 4, "4.941e−324"},
		{math.NaN(), 4, "NaN"}, {math.Inf(1), 4, "+Inf"}, {math.Inf(-1), 4, "−Inf"}, {math.MaxFloat64, 17, "1.7976931348623157e308"},
		{0.1, 17, "0.10000000000000001"},
	} {
		if got := Number(c.v, c.digits); got != c.want {
			t.Errorf("number(%v, %d) = %q, want %q", c.v, c.digits, got, c.want)
		}
	}
}

// A written number can be read back, to half a unit of the last digit.
func FuzzNumber(f *testing.F) {
	for _, v := range []float64{0, 1, -2.17, 1e6, 1e-5, 99999.5, 5e-324, math.MaxFloat64, math.NaN(), math.Inf(-1)} {
		f.Add(v, uint8(4))
	}
	f.Fuzz(func(t *testing.T, v float64, digits uint8) {
		n := int(digits)%maxDigits + 1
		got, err := strconv.ParseFloat(strings.ReplaceAll(Number(v, n), "−", "-"), 64)
		switch {
		case math.IsInf(got, 0) && math.Abs(v) > math.MaxFloat64/2: // rounded up beyond the largest float64
		case err != nil:
			t.Error(err)
		case math.IsNaN(v) != math.IsNaN(got), math.Abs(got-v) > math.Pow(10, float64(1-n))*math.Abs(v):
			t.Errorf("%v with %d digits is %v", v, n, got)
		case (v == 0) != (got == 0):
			t.Errorf("%v looks like zero or is not shown as such", v)
		}
	})
}

func TestVisible(t *testing.T) {
	for name, want := range map[string]string{
		"z": "z", "": `""`, "  ": `"  "`, "a\nb\tc": "a↵b⇥c", "\x00": "⟨U+0000⟩", "\r\x7f\u0085": "⟨U+000D⟩⟨U+007F⟩⟨U+0085⟩",
		"\xff": "\ufffd", "\u202ex": "⟨U+202E⟩x", "👩‍🔬": "👩‍🔬", "a\u00a0b": "a b", "<&>\\\"": "<&>\\\"", "\uffff": "⟨U+FFFF⟩",
	} {
		if got := Visible(name); got != want {
			t.Errorf("visible(%q) = %q, want %q", name, got, want)
		}
	}
	long := Shown(strings.Repeat("ä", 50) + "end")
	if utf8.RuneCountInString(long) != longestName || !strings.HasSuffix(long, "äend") || !strings.Contains(long, "…") {
		t.Errorf("got %q", long)
	}
}

func TestGradientTitle(t *testing.T) {
	for name, want := range map[string]string{
		"z": "dz", "w11": "dw11", "loss": "dloss", "β": "dβ", "hidden.W": "d(hidden.W)", "a−y": "d(a−y)", "weights": "d(weights)", "": "d(mul #3)",
	} {
		n := Node{Name: name, Op: "mul", ID: 3}
		if got := n.GradientTitle(); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestNewNumbers(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		elements []float64
		want     Numbers
	}{
		{[]float64{3, -4}, Numbers{Size: 2, Min: -4, Mean: -0.5, Max: 3, Norm: 5, Finite: 2}},
		{[]float64{0, 0}, Numbers{Size: 2, Finite: 2, zeros: 2}},
		{[]float64{}, Numbers{Min: nan, Mean: nan, Max: nan}},
		{[]float64{nan, 1}, Numbers{Size: 2, Min: 1, Mean: 1, Max: 1, Norm: nan, Finite: 1, Nans: 1}},
		{[]float64{-inf, inf}, Numbers{Size: 2, Min: nan, Mean: nan, Max: nan, Norm: inf, Infs: 2}},
		{[]float64{1e308, 1e308, 1e308}, Numbers{Size: 3, Min: 1e308, Mean: 1e308, Max: 1e308, Norm: math.Sqrt(3) * 1e308, Finite: 3}},
	} {
		got := NewNumbers(autograd.NewTensor(c.elements), 0)
		c.want.Shape = []int{len(c.elements)}
		approximate := cmp.Comparer(func(a, b float64) bool {
			return a == b || math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) < 1e-15*math.Abs(a)
		})
		got.Few = nil
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(Numbers{}), approximate); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.elements, diff)
		}
	}
	single := NewNumbers(autograd.NewTensor32([]float32{0.5, 2, 3}), 3)
	if diff := cmp.Diff([]float64{0.5, 2, 3}, single.Few); diff != "" {
		t.Errorf("float32 (-want +got):\n%s", diff)
	}
}

func TestQuotient(t *testing.T) {
	for _, c := range []struct {
		contribution, upstream float64
		precision              autograd.Precision
		want                   float64
		known                  bool
	}{
		{-2.16, -0.6, autograd.Float64, 3.6, true},
		{0, 0.5, autograd.Float64, 0, true},
		{0, 0, autograd.Float64, 0, false},
		{0, 1e-200, autograd.Float64, 0, false}, // the product may have underflowed
		{5e-324, 1e-300, autograd.Float64, 0, false},
		{1e-40, 1e-30, autograd.Float32, 0, false},
		{1e-40, 1e-30, autograd.Float64, 1e-10, true},
		{1e300, 1e-300, autograd.Float64, 0, false},
		{math.NaN(), 1, autograd.Float64, 0, false},
		{math.Inf(1), 1, autograd.Float64, 0, false},
	} {
		got, known := quotient(c.contribution, c.upstream, c.precision)
		if known != c.known || known && math.Abs(got-c.want) > 1e-15*math.Abs(c.want) {
			t.Errorf("%v / %v in %v: %v, %v", c.contribution, c.upstream, c.precision, got, known)
		}
	}
}

// A local factor is the contribution for a gradient of 1.
func TestLocalFactors(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x, y := g.Variable(autograd.Scalar(3)), g.Variable(autograd.Scalar(-0.25))
	for _, root := range []autograd.Value{x.Add(y), x.Sub(y), x.Mul(y), x.Mul(x), x.Neg(), x.MulScalar(-7), x.MulScalar(0), x.AddScalar(2)} {
		m := New(root, root.Backward(), 0)
		for i := range m.Edges {
			e := &m.Edges[i]
			if !e.LocalKnown || e.Local.Few[0] != e.Contribution.Few[0] {
				t.Errorf("%s, input %d: %v, %v, want %v", root.Node().Op, e.Input, e.Local.Few, e.LocalKnown, e.Contribution.Few[0])
			}
		}
	}
}

// Each gradient is the sum of the contributions to it.
func TestContributionsAddUp(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Variable(autograd.FromNested([][]float64{{0.3, -1.2}, {0.7, 2.1}}))
	w := g.Variable(autograd.FromNested([][]float64{{0.5, 0.4}, {-0.6, 0.2}}))
	h := x.MatMul(w).Add(x).Mul(w).Tanh()
	root := autograd.Concat(0, h, x.Exp(), h.Mul(h)).Mean()
	m := New(root, root.Backward(), 100)
	for i := range m.Nodes[:m.Root] {
		n := &m.Nodes[i]
		sum, largest := make([]float64, n.Gradient.Size), 0.0
		for _, use := range n.Uses {
			for k, v := range m.Edges[use].Contribution.Few {
				sum[k] += v
				largest = max(largest, math.Abs(v))
			}
		}
		for k, v := range sum {
			if math.Abs(v-n.Gradient.Few[k]) > 1e-12*largest {
				t.Errorf("%s #%d: the terms add up to %v, the gradient is %v", n.Op, n.ID, v, n.Gradient.Few[k])
			}
		}
	}
}

// After a pass from another root, nodes that it did not reach say so.
func TestGradientsOfAnotherRoot(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Variable(autograd.Scalar(2))
	first := x.Square()
	root := first.Add(x.Exp())
	m := New(root, first.Backward(), 0)
	var got []GradientState
	for _, n := range m.Nodes {
		got = append(got, n.State)
	}
	want := []GradientState{Reached, Reached, NotReached, NotReached}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	New(first, root.Backward(), 0) // has contributions of nodes that are not drawn
}
