package autograd_test

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"nabla/autograd"
)

// opOf returns the operation that an error names.
func opOf(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	return reflect.ValueOf(err).Elem().FieldByName("Op").String()
}

// Each method of Value, called on the zero Value, panics with an error that
// names this method, not one that it is made of.
func TestMethodsOfValueNameThemselves(t *testing.T) {
	harmless := []string{"Linear", "Graph", "Name", "String", "IsZero", "Ancestors"}
	v := reflect.ValueOf(autograd.Value{})
	for i := range v.NumMethod() {
		method, f := v.Type().Method(i).Name, v.Method(i)
		if slices.Contains(harmless, method) {
			continue
		}
		arguments := make([]reflect.Value, f.Type().NumIn())
		for k := range arguments {
			arguments[k] = reflect.New(f.Type().In(k)).Elem()
			switch f.Type().In(k).Kind() {
			case reflect.Float64:
				arguments[k].SetFloat(0.5)
			case reflect.Int:
				arguments[k].SetInt(1)
			}
		}
		call := f.Call
		if f.Type().IsVariadic() {
			call = f.CallSlice
		}
		err := autograd.Try(func() { call(arguments) })
		if err == nil || opOf(t, err) != method {
			t.Errorf("%s says %v", method, err)
		}
	}
}

// Wrong arguments: the error names what was called.
func TestErrorsNameWhatWasCalled(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x, s, far := g.Variable(autograd.Ones(2, 3)), g.Scalar(1), g.Full(1, 5, 7)
	rng := rand.New(rand.NewPCG(1, 0))
	labels := autograd.NewInts([]int{9, 9})
	p := autograd.NewParam("p", autograd.Ones(2))
	for _, row := range []struct {
		op string
		f  func()
	}{
		{"NewTensor", func() { autograd.NewTensor([]float64{1}, 2) }},
		{"NewTensor32", func() { autograd.NewTensor32([]float32{1}, 2) }},
		{"NewInts", func() { autograd.NewInts([]int{1}, 2) }},
		{"Zeros", func() { autograd.Zeros(-1) }},
		{"Ones", func() { autograd.Ones(-1) }},
		{"Full", func() { autograd.Full(1, -1) }},
		{"Eye", func() { autograd.Eye(-1) }},
		{"Arange", func() { autograd.Arange(0, 1, 0) }},
		{"Uniform", func() { autograd.Uniform(rng, 0, 1, -1) }},
		{"Normal", func() { autograd.Normal(nil, 0, 1, 1) }},
		{"Normal", func() { autograd.Normal(rng, 0, 1, -1) }},
		{"FromNested", func() { autograd.FromNested([][]float64{{1}, {}}) }},
		{"Reshape", func() { autograd.Ones(2).Reshape(3) }},
		{"At", func() { autograd.Ones(2).At(2) }},
		{"Item", func() { autograd.Ones(2).Item() }},
		{"Dim", func() { autograd.Ones(2).Dim(1) }},
		{"Full", func() { g.Full(1, -1) }},
		{"OneHot", func() { g.OneHot(labels, 3) }},
		{"OneHot", func() { g.OneHot(labels, -1) }},
		{"OneHotAlong", func() { g.OneHotAlong(0, labels, 3) }},
		{"Constant", func() { g.Constant(autograd.Tensor{}) }},
		{"Param", func() { g.Param(nil) }},
		{"Param.Set", func() { p.Set(autograd.Ones(3)) }},
		{"Add", func() { x.Add(far) }},
		{"IsNaN", func() { autograd.Value{}.IsNaN() }},
		{"Clamp", func() { x.Clamp(1, 0) }},
		{"Where", func() { autograd.Where(x, x, far) }},
		{"Dropout", func() { x.Dropout(2) }},
		{"Softmax", func() { x.Softmax(2) }},
		{"LogSoftmax", func() { x.LogSoftmax(2) }},
		{"Polygamma", func() { x.Polygamma(-1) }},
		{"MatMul", func() { x.MatMul(far) }},
		{"Dot", func() { x.Dot(far) }},
		{"Outer", func() { x.Outer(far) }},
		{"Diagonal", func() { s.Diagonal(0) }},
		{"Triu", func() { s.Triu(0) }},
		{"Tril", func() { s.Tril(0) }},
		{"Einsum", func() { autograd.Einsum("ij,jk->ik", x, far) }},
		{"Sum", func() { x.Sum(2) }},
		{"Mean", func() { x.Mean(2) }},
		{"Prod", func() { x.Prod(2) }},
		{"Max", func() { x.Max(2) }},
		{"Min", func() { x.Min(0, 0) }},
		{"Var", func() { x.Var(2) }},
		{"Std", func() { x.Std(2) }},
		{"Norm", func() { x.Norm(0) }},
		{"LogSumExp", func() { x.LogSumExp(2) }},
		{"ArgMax", func() { x.ArgMax(2) }},
		{"ArgMin", func() { x.ArgMin(2) }},
		{"CumSum", func() { x.CumSum(2) }},
		{"CumProd", func() { x.CumProd(2) }},
		{"Reshape", func() { x.Reshape(7) }},
		{"Flatten", func() { x.Flatten(1, 0) }},
		{"Squeeze", func() { x.Squeeze(0) }},
		{"Unsqueeze", func() { x.Unsqueeze(4) }},
		{"Expand", func() { x.Expand(4, 4) }},
		{"Permute", func() { x.Permute(0) }},
		{"Transpose", func() { x.Transpose(0, 2) }},
		{"T", func() { s.T() }},
		{"Slice", func() { x.Slice(0, 5, 6, 1) }},
		{"Narrow", func() { x.Narrow(0, 5, 1) }},
		{"Flip", func() { x.Flip(2) }},
		{"Pad", func() { x.Pad(0) }},
		{"Concat", func() { autograd.Concat(0, x, far) }},
		{"Stack", func() { autograd.Stack(0, x, far) }},
		{"Roll", func() { x.Roll(2, 1) }},
		{"Tile", func() { x.Tile(1) }},
		{"Repeat", func() { x.Repeat(2, 1) }},
		{"IndexSelect", func() { x.IndexSelect(0, labels) }},
		{"Embedding", func() { x.Embedding(labels) }},
		{"EmbeddingWith", func() { x.EmbeddingWith(labels, autograd.EmbeddingOptions{}) }},
		{"IndexAdd", func() { x.IndexAdd(0, labels, x) }},
		{"SegmentSum", func() { x.SegmentSum(labels, 1) }},
		{"SegmentMean", func() { x.SegmentMean(labels, 1) }},
		{"SegmentMax", func() { x.SegmentMax(labels, 1) }},
		{"SegmentSoftmax", func() { x.SegmentSoftmax(labels, 1) }},
		{"Gather", func() { x.Gather(0, labels) }},
		{"ScatterAdd", func() { x.ScatterAdd(0, labels, x) }},
		{"Pick", func() { x.Pick(labels) }},
		{"PickAlong", func() { x.PickAlong(1, labels) }},
		{"BinaryCrossEntropy", func() { x.BinaryCrossEntropy(far) }},
		{"CrossEntropy", func() { x.CrossEntropy(far) }},
		{"Backward", func() { x.Backward() }},
		{"BackwardFrom", func() { x.BackwardFrom(autograd.Ones(7)) }},
		{"Grad", func() { autograd.Grad(x, x) }},
		{"VJP", func() { autograd.VJP(x, far, x) }},
		{"JVP", func() { autograd.JVP(x, []autograd.Value{x}, []autograd.Value{far}) }},
		{"HVP", func() { autograd.HVP(x, []autograd.Value{x}, []autograd.Value{x}) }},
		{"HVP", func() { autograd.HVP(x.Sum(), []autograd.Value{x}, []autograd.Value{far}) }},
		{"Hessian", func() { autograd.Hessian(x, x) }},
		{"Jacobian", func() { autograd.Jacobian(autograd.Value{}, x) }},
		{"Gradients.Of", func() { autograd.Gradients{}.Of(x) }},
	} {
		t.Run(row.op, func(t *testing.T) {
			if got := opOf(t, autograd.Try(row.f)); got != row.op {
				t.Errorf("the error says %s", got)
			}
		})
	}
	// What a rule of one's own calls is not what Backward's caller called.
	op := autograd.Operation{
		Name:    "bent",
		Forward: func(in []autograd.Tensor) autograd.Tensor { return in[0] },
		Rule:    func(r *autograd.Rule) { r.Add(0, r.Grad().Narrow(5, 0, 1)) },
	}
	var fault *autograd.IndexError
	if err := autograd.Try(func() { autograd.Custom(op, x).Sum().Backward() }); !errors.As(err, &fault) || fault.Op != "Narrow" {
		t.Errorf("in a rule: %v", err)
	}
}
