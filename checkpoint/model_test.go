package checkpoint_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nabla/autograd"
	"nabla/checkpoint"
	"nabla/layers"
)

// seeded returns random numbers, the same each time.
func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// network has Params of both precisions, statistics, a scalar and an odd
// number of float32s, behind which float64s must not lie.
func network(seed uint64) checkpoint.Params {
	rng := seeded(seed)
	model := layers.NewSequential(layers.NewDense(rng, 3, 5), layers.NewBatchNorm(5), layers.NewDenseWith(rng, 5, 3, layers.DenseOptions{Precision: autograd.Float32, NoBias: true}))
	params := append(model.Params(),
		autograd.NewParam("scalar", autograd.Normal(rng, 0, 1)),
		autograd.NewParam("odd", autograd.Normal(rng, 0, 1, 3).In(autograd.Float32)),
		autograd.NewParam("empty", autograd.Zeros(0, 2)),
		autograd.NewParam(`"quoted" \ é 漢`, autograd.Normal(rng, 0, 1, 2, 1, 2)))
	for _, p := range params {
		if p.IsStatistic() {
			p.Set(autograd.Normal(rng, 0, 1, p.Shape()...))
		}
	}
	return params
}

func bitsOf(params []*autograd.Param) map[string][]uint64 {
	all := map[string][]uint64{}
	for _, p := range params {
		var bits []uint64
		for _, v := range p.Tensor().Float64s() {
			bits = append(bits, math.Float64bits(v))
		}
		all[p.Name()] = bits
	}
	return all
}

// What was saved is loaded bit by bit, NaN and −0 too.
func TestSaveLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.safetensors")
	from, to := network(1), network(2)
	copy(from[0].Writable().Raw64(), []float64{math.NaN(), math.Copysign(0, -1), math.Inf(1), 5e-324})
	if err := checkpoint.Save(path, from); err != nil {
		t.Fatal(err)
	}
	versions := to[0].Version()
	if err := checkpoint.Load(path, to); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(bitsOf(from), bitsOf(to)); diff != "" {
		t.Errorf("(-saved +loaded)\n%s", diff)
	}
	if to[0].Version() == versions {
		t.Error("loading does not count as a write")
	}
	for _, info := range opened(t, path).Tensors() {
		if strings.HasPrefix(info.Type, "F") == false {
			t.Errorf("%s is %s", info.Name, info.Type)
		}
	}
	other := filepath.Join(t.TempDir(), "again.safetensors")
	if err := checkpoint.Save(other, to); err != nil {
		t.Fatal(err)
	}
	if string(content(t, path)) != string(content(t, other)) {
		t.Error("the same model gives other bytes")
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("files are left over: %v", entries)
	}
}

func content(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Numbers of the other precision are rounded or widened.
func TestLoadConverts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	wide := autograd.NewParam("a", autograd.NewTensor([]float64{0.1, 1e300, -3}, 3))
	narrow := autograd.NewParam("a", autograd.NewTensor32([]float32{0, 0, 0}, 3))
	if err := errors.Join(checkpoint.Save(path, checkpoint.Params{wide}), checkpoint.Load(path, checkpoint.Params{narrow})); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float64{float64(float32(0.1)), math.Inf(1), -3}, narrow.Tensor().Float64s()); diff != "" {
		t.Error(diff)
	}
	if err := errors.Join(checkpoint.Save(path, checkpoint.Params{narrow}), checkpoint.Load(path, checkpoint.Params{wide})); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float64{float64(float32(0.1)), math.Inf(1), -3}, wide.Tensor().Float64s()); diff != "" {
		t.Error(diff)
	}
}

// coder is a model as users write them; renamed has one field of another name.
type coder struct{ Encoder, Decoder *layers.Dense }

func (c *coder) Params() []*autograd.Param { return layers.ParamsOf(c) }

type renamed struct{ Encoder, Output *layers.Dense }

func (r *renamed) Params() []*autograd.Param { return layers.ParamsOf(r) }

func newCoder() *coder {
	c := &coder{layers.NewDense(seeded(1), 2, 3), layers.NewDense(seeded(2), 3, 2)}
	layers.Name(c)
	return c
}

// All that differs is listed in one error, a field that was renamed too, and
// nothing is changed.
func TestMismatch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "coder.safetensors")
	if err := checkpoint.Save(path, newCoder()); err != nil {
		t.Fatal(err)
	}
	other := &renamed{layers.NewDense(seeded(3), 4, 3), layers.NewDense(seeded(4), 3, 2)}
	layers.Name(other)
	before := bitsOf(other.Params())
	err := checkpoint.Load(path, other)
	var mismatch *checkpoint.MismatchError
	if !errors.As(err, &mismatch) {
		t.Fatalf("got %v", err)
	}
	want := &checkpoint.MismatchError{
		Path:    path,
		Missing: []string{"output.bias", "output.weight"},
		Surplus: []string{"decoder.bias", "decoder.weight"},
		Shapes:  []checkpoint.ShapeMismatch{{Name: "encoder.weight", File: []int{2, 3}, Model: []int{4, 3}}},
	}
	if diff := cmp.Diff(want, mismatch); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, part := range []string{path, "output.bias, output.weight", "decoder.bias, decoder.weight", "encoder.weight: [2 3] in the file, [4 3] in the model"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q lacks %q", err, part)
		}
	}
	if diff := cmp.Diff(before, bitsOf(other.Params())); diff != "" {
		t.Errorf("the model was changed: %s", diff)
	}
}

// Names are mapped by a table and a function, matrices transposed by rule, and
// with Partial what is in common is loaded.
func TestLoadWith(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	from := checkpoint.Params{
		autograd.NewParam("old.a", autograd.NewTensor([]float64{1, 2, 3, 4, 5, 6}, 2, 3)),
		autograd.NewParam("old.b", autograd.NewTensor([]float64{1, 2, 3, 4}, 2, 2)),
		autograd.NewParam("c", autograd.NewTensor([]float64{7, 8, 9, 10}, 2, 2)),
		autograd.NewParam("rest", autograd.Scalar(1)),
	}
	if err := checkpoint.Save(path, from); err != nil {
		t.Fatal(err)
	}
	model := func() checkpoint.Params {
		return checkpoint.Params{
			autograd.NewParam("new.a", autograd.Zeros(3, 2)), autograd.NewParam("new.b", autograd.Zeros(2, 2)),
			autograd.NewParam("d", autograd.Zeros(2, 2)),
		}
	}
	options := checkpoint.Options{
		Names:     map[string]string{"d": "c"},
		Rename:    strings.NewReplacer("new.", "old.").Replace,
		Transpose: checkpoint.OutIn("d"),
		Ignore:    []string{"re*"},
	}
	got := model()
	if err := checkpoint.LoadWith(path, got, options); err != nil {
		t.Fatal(err)
	}
	want := [][]float64{{1, 4, 2, 5, 3, 6}, {1, 3, 2, 4}, {7, 8, 9, 10}}
	for i, p := range got {
		if diff := cmp.Diff(want[i], p.Tensor().Float64s()); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", p.Name(), diff)
		}
	}
	only := options
	only.Transpose = checkpoint.Transposed("new.*")
	if err := checkpoint.LoadWith(path, model(), only); err != nil {
		t.Error(err)
	}

	partial := checkpoint.Options{Names: map[string]string{"d": "c"}, Partial: true}
	got = model()
	if err := checkpoint.LoadWith(path, got, partial); err != nil {
		t.Fatal(err)
	}
	if got[0].Tensor().Norm() != 0 || got[2].Tensor().At(0, 1) != 8 {
		t.Error("not the part in common")
	}
	var mismatch *checkpoint.MismatchError
	partial.Names = nil
	if err := checkpoint.LoadWith(path, model(), partial); !errors.As(err, &mismatch) || len(mismatch.Missing) != 3 {
		t.Errorf("nothing in common: %v", err)
	}
	partial.Rename, partial.Names = options.Rename, options.Names
	if err := checkpoint.LoadWith(path, model(), partial); !errors.As(err, &mismatch) || len(mismatch.Shapes) != 1 {
		t.Errorf("another shape: %v", err)
	}
}

// Options and models that make no sense are mistakes in the program.
func TestMisuse(t *testing.T) {
	two := checkpoint.Params{autograd.NewParam("a", autograd.Zeros(2, 2)), autograd.NewParam("a", autograd.Zeros(2, 2))}
	for name, f := range map[string]func(){
		"no model":           func() { checkpoint.Save("x", nil) },
		"two of one name":    func() { checkpoint.Save("x", two) },
		"metadata's name":    func() { checkpoint.Save("x", checkpoint.Params{autograd.NewParam("__metadata__", autograd.Scalar(1))}) },
		"reserved name":      func() { checkpoint.Save("x", checkpoint.Params{autograd.NewParam("nabla/x", autograd.Scalar(1))}) },
		"not UTF-8":          func() { checkpoint.Save("x", checkpoint.Params{autograd.NewParam("\xff", autograd.Scalar(1))}) },
		"no such name":       func() { checkpoint.LoadWith("x", two[:1], checkpoint.Options{Names: map[string]string{"b": "c"}}) },
		"no such matrix":     func() { checkpoint.LoadWith("x", two[:1], checkpoint.Options{Transpose: checkpoint.OutIn("b")}) },
		"no pattern":         func() { checkpoint.LoadWith("x", two[:1], checkpoint.Options{Ignore: []string{"[a"}}) },
		"no pattern of ours": func() { checkpoint.LoadWith("x", two[:1], checkpoint.Options{Transpose: checkpoint.Transposed("[a")}) },
	} {
		if err := autograd.Try(f); err == nil {
			t.Errorf("%s: no panic", name)
		}
	}
}

// What SaveWith writes is the file that LoadWith has read with the same
// options, in names and layout: here one of PyTorch's.
func TestSaveWith(t *testing.T) {
	const path = "testdata/torch.safetensors"
	options := checkpoint.Options{
		Transpose: checkpoint.OutIn("words.weight"), Ignore: []string{"*.num_batches_tracked", "test.*"},
		Names:  map[string]string{"first.weight": "fc1.weight", "first.bias": "fc1.bias"},
		Rename: func(name string) string { return strings.Replace(name, "second.", "fc2.", 1) },
	}
	n := newNet()
	for _, p := range n.FC2.Params() {
		p.SetName(strings.Replace(p.Name(), "fc2.", "second.", 1))
	}
	for _, p := range n.FC1.Params() {
		p.SetName(strings.Replace(p.Name(), "fc1.", "first.", 1))
	}
	n.LSTM.Params()[0].Convert(autograd.Float32)
	n.FC1.Params()[0].Convert(autograd.Float32)
	to := filepath.Join(t.TempDir(), "back.safetensors")
	if err := errors.Join(checkpoint.LoadWith(path, n, options), checkpoint.SaveWith(to, n, options)); err != nil {
		t.Fatal(err)
	}
	want, got := opened(t, path), opened(t, to)
	for _, info := range got.Tensors() {
		was, err := want.Tensor(info.Name)
		if err != nil {
			t.Fatal(err)
		}
		is, err := got.Tensor(info.Name)
		if diff := cmp.Diff(was.Shape(), is.Shape()); err != nil || diff != "" {
			t.Errorf("%s %v (-read +written)\n%s", info.Name, err, diff)
		}
		if diff := cmp.Diff(was.Float64s(), is.Float64s()); diff != "" {
			t.Errorf("%s (-read +written)\n%s", info.Name, diff)
		}
	}
	if read, written := len(want.Tensors()), len(got.Tensors()); written != read-2 {
		t.Errorf("%d of %d tensors, want all but two", written, read)
	}
	if err := checkpoint.LoadWith(to, newNet(), checkpoint.Options{Transpose: options.Transpose}); err != nil {
		t.Error(err)
	}
	for name, options := range map[string]checkpoint.Options{
		"two of one name": {Rename: func(string) string { return "same" }},
		"reserved name":   {Rename: func(name string) string { return "nabla/" + name }},
		"no such name":    {Names: map[string]string{"x": "y"}},
	} {
		if err := autograd.Try(func() { checkpoint.SaveWith(to, newNet(), options) }); err == nil {
			t.Errorf("%s: no panic", name)
		}
	}
}

// net is the network of testdata/vectors.py.
type net struct {
	Words *layers.Embedding
	LSTM  *layers.LSTM
	Norm  *layers.BatchNorm
	FC1   *layers.Dense
	FC2   *layers.Dense
}

func (n *net) Params() []*autograd.Param { return layers.ParamsOf(n) }

func newNet() *net {
	rng := seeded(1)
	n := &net{layers.NewEmbedding(rng, 4, 4), layers.NewLSTM(rng, 4, 3), layers.NewBatchNorm(3), layers.NewDense(rng, 3, 3), layers.NewDense(rng, 3, 2)}
	layers.Name(n)
	return n
}

// A network that PyTorch has trained computes here what it computed there.
func TestTorchNetwork(t *testing.T) {
	const path = "testdata/torch.safetensors"
	n := newNet()
	err := checkpoint.LoadWith(path, n, checkpoint.Options{
		Transpose: checkpoint.OutIn("words.weight"),
		Ignore:    []string{"*.num_batches_tracked", "test.*"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want, err := opened(t, path).Tensor("test.output")
	if err != nil {
		t.Fatal(err)
	}
	g := autograd.NewGraph(autograd.Options{Eval: true})
	ids := autograd.NewInts([]int{0, 1, 2, 3, 2, 1, 1, 1, 0, 2, 0, 3}, 4, 3)
	y := n.LSTM.Forward(n.Words.Lookup(g, ids)).Select(1, 2)
	got := n.FC2.Forward(n.FC1.Forward(n.Norm.Forward(y)).Tanh()).Tensor()
	if diff := cmp.Diff(want.Float64s(), got.Float64s(), cmpopts.EquateApprox(0, 1e-6)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	var mismatch *checkpoint.MismatchError
	if err := checkpoint.Load(path, newNet()); !errors.As(err, &mismatch) || len(mismatch.Surplus) != 2 || len(mismatch.Shapes) != 3 {
		t.Errorf("without options: %v", err)
	}
}
