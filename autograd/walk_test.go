package autograd_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
)

// describe puts what a Node knows in one line.
func describe(n autograd.Node) string {
	param := ""
	if n.Param != nil {
		param = n.Param.Name()
	}
	return fmt.Sprintf("%d %s %v %v name=%q scope=%q%q param=%q needs=%v constants=%v ints=%v shape=%v",
		n.ID, n.Op, n.Kind, n.Inputs, n.Value.Name(), n.Scope, n.Scopes, param, n.NeedsGrad, n.Constants, n.Ints, n.Value.Shape())
}

func TestNodes(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	w, frozen := autograd.NewParam("w", autograd.Ones(3, 2)), autograd.NewParam("f", vector(1, 2))
	frozen.Frozen = true
	record := func() {
		x := g.Constant(autograd.Ones(4, 3)).Named("x")
		g.Enter("encoder")
		g.Enter("dense 1")
		h := x.MatMul(g.Param(w)).Add(g.Param(frozen))
		g.Leave()
		h = h.LeakyReLU(0.1).Named("a")
		g.Leave()
		v := g.Variable(autograd.Scalar(2))
		h.Mul(v).Clamp(0, 5).Permute(1, 0).Sum(1).GreaterScalar(0.5).Detach()
		autograd.Concat(0, v.Reshape(1), v.Reshape(1), v.Reshape(1))
		autograd.Custom(double, v)
	}
	want := []string{
		`0 constant constant [] name="x" scope=""[] param="" needs=false constants=[] ints=[] shape=[4 3]`,
		`1 param param [] name="w" scope="encoder/dense 1"["encoder" "dense 1"] param="w" needs=true constants=[] ints=[] shape=[3 2]`,
		`2 matmul operation [0 1] name="" scope="encoder/dense 1"["encoder" "dense 1"] param="" needs=true constants=[] ints=[] shape=[4 2]`,
		`3 param param [] name="f" scope="encoder/dense 1"["encoder" "dense 1"] param="f" needs=false constants=[] ints=[] shape=[2]`,
		`4 add operation [2 3] name="" scope="encoder/dense 1"["encoder" "dense 1"] param="" needs=true constants=[] ints=[] shape=[4 2]`,
		`5 leaky relu operation [4] name="a" scope="encoder"["encoder"] param="" needs=true constants=[0.1] ints=[] shape=[4 2]`,
		`6 variable variable [] name="" scope=""[] param="" needs=true constants=[] ints=[] shape=[]`,
		`7 mul operation [5 6] name="" scope=""[] param="" needs=true constants=[] ints=[] shape=[4 2]`,
		`8 clamp operation [7] name="" scope=""[] param="" needs=true constants=[0 5] ints=[] shape=[4 2]`,
		`9 permute operation [8] name="" scope=""[] param="" needs=true constants=[] ints=[1 0] shape=[2 4]`,
		`10 sum operation [9] name="" scope=""[] param="" needs=true constants=[] ints=[1 1 1] shape=[2]`,
		`11 greater scalar operation [10] name="" scope=""[] param="" needs=false constants=[0.5] ints=[] shape=[2]`,
		`12 detach operation [11] name="" scope=""[] param="" needs=false constants=[] ints=[] shape=[2]`,
		`13 reshape operation [6] name="" scope=""[] param="" needs=true constants=[] ints=[] shape=[1]`,
		`14 reshape operation [6] name="" scope=""[] param="" needs=true constants=[] ints=[] shape=[1]`,
		`15 reshape operation [6] name="" scope=""[] param="" needs=true constants=[] ints=[] shape=[1]`,
		`16 concat operation [13 14 15] name="" scope=""[] param="" needs=true constants=[] ints=[] shape=[3]`,
		`17 double operation [6] name="" scope=""[] param="" needs=true constants=[] ints=[] shape=[]`,
	}
	// The same again after recordings of another kind: nothing is left behind.
	for range 3 {
		record()
		var got []string
		for n := range g.Nodes() {
			got = append(got, describe(n))
			if same := g.At(n.ID); same != n.Value {
				t.Errorf("At(%d) is another Value", n.ID)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
		g.Reset()
		for range 30 {
			g.Enter("other")
			g.Scalar(3).MulScalar(7).Clamp(1, 2).Named("junk").LeakyReLU(9)
		}
		g.Reset()
	}
}

func TestAncestors(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x, aside := g.Variable(vector(1, 2)), g.Variable(vector(3, 4))
	a := x.Exp()
	b := aside.Exp()
	y := a.Mul(x).Sum()
	b.Sum()
	ids := func(v autograd.Value) (ids []int) {
		for n := range v.Ancestors() {
			ids = append(ids, n.ID)
		}
		return ids
	}
	if diff := cmp.Diff([]int{0, 2, 4, 5}, ids(y)); diff != "" {
		t.Errorf("of y (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{1}, ids(aside)); diff != "" {
		t.Errorf("of a leaf (-want +got):\n%s", diff)
	}
	for range y.Ancestors() {
		break
	}
	for range g.Nodes() {
		break
	}
	count := 0
	for range g.Nodes() {
		if count++; count == 2 {
			g.Reset()
		}
	}
	if count != 2 {
		t.Errorf("Nodes went on for %d nodes over a Reset", count)
	}
}

func TestScopes(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	scope := func() string { return g.Scalar(0).Node().Scope }
	for range 2 {
		var got []string
		got = append(got, scope())
		g.Enter("a")
		got = append(got, scope())
		g.Enter("b/c")
		got = append(got, scope())
		n := g.Scalar(1).Node()
		if diff := cmp.Diff([]string{"a", "b/c"}, n.Scopes); diff != "" {
			t.Errorf("Scopes (-want +got):\n%s", diff)
		}
		g.Leave()
		got = append(got, scope())
		g.Leave()
		g.Enter("b/c")
		got = append(got, scope())
		g.Enter("a")
		got = append(got, scope())
		if diff := cmp.Diff([]string{"", "a", "a/b/c", "a", "b/c", "b/c/a"}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		g.Reset() // closes what is open
	}
	if got := scope(); got != "" {
		t.Errorf("scope %q is open after Reset", got)
	}
}

func TestNamed(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Scalar(1)
	if x.Name() != "" || x.Named("first").Named("x") != x || x.Name() != "x" {
		t.Errorf("name %q", x.Name())
	}
	p := autograd.NewParam("w", vector(1))
	if v := g.Param(p); v.Name() != "w" || v.Named("mine").Name() != "mine" || p.Name() != "w" {
		t.Errorf("a Param's Value is named %q, the Param %q", v.Name(), p.Name())
	}
}

func TestFormat(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	stale := g.Scalar(1)
	view := stale.View()
	g.Reset()
	constant := func(v any) autograd.Value { return g.Constant(autograd.FromNested(v)) }
	p := autograd.NewParam("w", vector(1, 2))
	changed := g.Param(p)
	reshaped := changed.Reshape(2, 1)
	p.Set(vector(3, 4))
	for _, row := range []struct {
		what any
		want string
	}{
		{g.Scalar(0.1), "constant 0.1"},
		{g.Scalar(3).MulScalar(1. / 3).Named("z"), "z = mul scalar 1"},
		{g.Scalar(nan), "constant NaN"},
		{g.Scalar(-inf), "constant -Inf"},
		{g.Scalar(1234567.89), "constant 1.23457e+06"},
		{constant([]float64{1, 2.5}), "constant [2] [1 2.5]"},
		{constant([][]float64{{1, 2}, {3, 4}}), "constant [2 2]\n[[1 2]\n [3 4]]"},
		{constant([][][]float64{{{1, 2}}, {{3, 4}}}), "constant [2 1 2]\n[[[1 2]]\n [[3 4]]]"},
		{constant([][][]int{{{1}, {2}}, {{3}, {4}}}), "constant [2 2 1]\n[[[1]\n  [2]]\n [[3]\n  [4]]]"},
		{g.Constant(autograd.Arange(0, 9, 1)), "constant [9] [0 1 2 3 4 5 6 7 8]"},
		{g.Constant(autograd.Arange(0, 10, 1)), "constant [10] [0 1 2 3 … 6 7 8 9]"},
		{g.Constant(autograd.Arange(0, 1e5, 1)), "constant [100000] [0 1 2 3 … 99996 99997 99998 99999]"},
		{g.Constant(autograd.Arange(0, 20, 1)).Reshape(10, 2), "reshape [10 2]\n[[0 1]\n [2 3]\n [4 5]\n [6 7]\n …\n [12 13]\n [14 15]\n [16 17]\n [18 19]]"},
		{g.Full(0, 0), "constant [0] []"},
		{g.Full(0, 0, 3), "constant [0 3]\n[]"},
		{g.Full(0, 2, 0), "constant [2 0]\n[[]\n []]"},
		{autograd.Custom(double, g.Scalar(1)), "double 1"},
		{changed, "w = param (changed since the recording)"},
		{reshaped, "reshape (changed since the recording)"},
		{stale, "Value(of a recording that was Reset)"},
		{autograd.Value{}, "Value(none)"},
		{view, "Tensor(of a recording that was Reset)"},
		{autograd.Tensor{}, "Tensor(none)"},
		{autograd.Scalar(2), "2"},
		{autograd.Zeros(2), "[2] [0 0]"},
		{autograd.NewTensor32([]float32{0.1}), "[1] [0.1]"},
		{autograd.Float32, "float32"},
		{autograd.KindVariable, "variable"},
		{autograd.Location{File: "/home/x/train.go", Line: 31}, "train.go:31"},
	} {
		if diff := cmp.Diff(row.want, fmt.Sprintf("%v", row.what)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if text := g.Full(1, 100, 100, 100).String(); len(text) > 5000 || strings.Count(text, "…") == 0 {
		t.Errorf("a million numbers print as %d bytes", len(text))
	}
}

// The number of constants is a fact of the operation: zeros are constants too.
func TestConstants(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Variable(vector(1, 2))
	for _, row := range []struct {
		y    autograd.Value
		want []float64
	}{
		{x.Clamp(-1, 0), []float64{-1, 0}},
		{x.Clamp(0, 0), []float64{0, 0}},
		{x.AddScalar(0), []float64{0}},
		{x.MulScalar(3), []float64{3}},
		{x.Tanh(), nil},
	} {
		if got := row.y.Node(); !slices.Equal(got.Constants, row.want) {
			t.Errorf("%s: %v, want %v", got.Op, got.Constants, row.want)
		}
	}
}
