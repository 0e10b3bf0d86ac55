package xla

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/go-xla/pjrt"

	"nabla/autograd"
	"nabla/optim"
)

func wantText(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

// What is no plugin is an error, and nothing is written to the standard error.
func TestNoPlugin(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.so")
	if err := os.WriteFile(text, []byte("no library"), 0o644); err != nil {
		t.Fatal(err)
	}
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	wants := map[string]string{
		"": "no plugin is named", filepath.Join(dir, "missing.so"): "no such file", dir: "is no file",
	}
	if runtime.GOOS == "linux" {
		wants[text], wants[own] = "no shared library", "it"
	}
	for path, want := range wants {
		_, err := Open(path)
		wantText(t, err, want)
	}
	for _, library := range []string{"/lib/x86_64-linux-gnu/libc.so.6", "/lib/aarch64-linux-gnu/libc.so.6"} {
		if _, err := os.Stat(library); err == nil {
			_, err := Open(library)
			wantText(t, err, "has no function GetPjrtApi")
		}
	}
}

func TestFailingPrograms(t *testing.T) {
	c := testClient(t)
	for _, text := range []string{"", "no program", "module { func.func public @main() -> tensor<f64> { return %1 : tensor<f64> } }"} {
		if _, err := c.compile(text, 1); err == nil {
			t.Errorf("%q is a program", text)
		}
	}
	p := newProgram(autograd.Float64)
	x := p.input("f64", []int{2})
	e, err := c.compile(p.finish([]value{x.add(x)}, 1), 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.run(nil, nil); err == nil {
		t.Error("a program runs without its argument")
	}
	b, err := c.putTensor(autograd.Ones(3), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Destroy()
	if _, err := e.run([]*pjrt.Buffer{b}, nil); err == nil {
		t.Error("a program runs with an argument of another shape")
	}
	if _, err := c.compile(p.finish([]value{x}, 99), 99); err == nil {
		t.Error("a program is compiled for 99 devices")
	}
}

// double gives twice its input.
func double(c *Client) *Function {
	return Compile(c, func(_ *autograd.Graph, in Inputs) []autograd.Value {
		return []autograd.Value{in.Value(0).MulScalar(2)}
	}, autograd.Options{})
}

func TestClosed(t *testing.T) {
	c, err := Open(testClient(t).path)
	if err != nil {
		t.Fatal(err)
	}
	before := pjrt.BuffersAlive()
	f := double(c)
	if _, err := f.Call(someNumbers); err != nil {
		t.Fatal(err)
	}
	s := hotelPrices(autograd.Float64)
	trainer, err := c.Train(Training{Loss: s.loss, Optimizer: s.optimizer})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := trainer.Step(s.batch(0)...); err != nil {
		t.Fatal(err)
	}
	other := double(c)
	if err := errors.Join(other.Close(), other.Close()); err != nil {
		t.Error(err)
	}
	_, err = other.Call(someNumbers)
	wantText(t, err, "the function is closed")
	if err := trainer.Close(); err != nil {
		t.Error(err)
	}
	_, err = trainer.Step(s.batch(0)...)
	wantText(t, err, "the trainer is closed")
	wantText(t, trainer.Read(), "the trainer is closed")
	if after := pjrt.BuffersAlive(); after != before {
		t.Errorf("%d buffers are left", after-before)
	}
	if err := errors.Join(c.Close(), c.Close()); err != nil {
		t.Error(err)
	}
	_, err = f.Call(someNumbers)
	wantText(t, err, "the client is closed")
	_, err = f.Call(Numbers(autograd.Ones(1)))
	wantText(t, err, "the client is closed")
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	_, err = c.Train(Training{Loss: s.loss, Optimizer: s.optimizer})
	wantText(t, err, "the client is closed")
}

// A step's results take the memory of what they replace: the program says so,
// and no step leaves a buffer.
func TestStepsReuseMemory(t *testing.T) {
	c := testClient(t)
	s := hotelPrices(autograd.Float64)
	trainer, err := c.Train(Training{Loss: s.loss, Optimizer: s.optimizer})
	if err != nil {
		t.Fatal(err)
	}
	defer trainer.Close()
	if _, err := trainer.Step(s.batch(0)...); err != nil {
		t.Fatal(err)
	}
	numbers := 0
	for _, p := range s.params {
		numbers += p.Size()
	}
	for _, variants := range trainer.programs {
		got := variants[0].loaded.OnDeviceMemoryUsageStats.Aliases
		if got < int64(3*8*numbers) { // with Adam's two means
			t.Errorf("%d bytes are used again, want those of 3 × %d numbers", got, numbers)
		}
	}
	before := pjrt.BuffersAlive()
	for step := range 5 {
		if _, err := trainer.Step(s.batch(step)...); err != nil {
			t.Fatal(err)
		}
	}
	if after := pjrt.BuffersAlive(); after != before {
		t.Errorf("%d buffers became %d", before, after)
	}
}

// A function has programs for several shapes, the Params' numbers of each call,
// and serves many goroutines.
func TestFunction(t *testing.T) {
	c := testClient(t)
	w := autograd.NewParam("w", autograd.NewTensor([]float64{1, 2, 3}))
	f := Compile(c, func(g *autograd.Graph, in Inputs) []autograd.Value {
		x := in.Value(0).Mul(g.Param(w))
		return []autograd.Value{x.Sum(), x}
	}, autograd.Options{Eval: true})
	defer f.Close()
	var all sync.WaitGroup
	for rows := 1; rows <= 2; rows++ {
		for range 4 {
			all.Go(func() {
				y, err := f.Call(Numbers(autograd.Ones(rows, 3)))
				if err != nil || y[0].Item() != float64(6*rows) || y[1].Dim(0) != rows {
					t.Error(y, err)
				}
			})
		}
	}
	all.Wait()
	if s := f.Stats(); s.Programs != 2 || s.Compiling <= 0 {
		t.Errorf("%+v", s)
	}
	w.Set(autograd.NewTensor([]float64{0, 0, 5}))
	if y, err := f.Call(Numbers(autograd.Ones(1, 3))); err != nil || y[0].Item() != 5 {
		t.Error(y, err)
	}
}

func TestInputMistakes(t *testing.T) {
	c := testClient(t)
	f := Compile(c, func(g *autograd.Graph, in Inputs) []autograd.Value {
		return []autograd.Value{in.Value(0).Pick(in.Ints(1))}
	}, autograd.Options{})
	_, err := f.Call(someNumbers, Indices(autograd.NewInts([]int{0, 3}), 3))
	wantText(t, err, "input 1: index 3 at place 1 is not in [0, 3)")
	_, err = f.Call(someNumbers, Indices(autograd.NewInts([]int{0, 2}), 0))
	wantText(t, err, "input 1 is empty")
	_, err = f.Call(someNumbers, Indices(autograd.NewInts([]int{0, 2}), -1))
	wantText(t, err, "indices below -1")
	_, err = f.Call(someLabels, someNumbers)
	wantText(t, err, "input 0 of 2 is not one of numbers")
	_, err = f.Call(someNumbers, Indices(autograd.NewInts([]int{0, 2}), 4)) // more than there are
	wantText(t, err, "label 3 is out of range for 3")
	none := Compile(c, func(*autograd.Graph, Inputs) []autograd.Value { return nil }, autograd.Options{})
	_, err = none.Call()
	wantText(t, err, "gives no Value")
	own := Compile(c, func(_ *autograd.Graph, in Inputs) []autograd.Value {
		twice := autograd.Operation{Name: "exp", Forward: func(in []autograd.Tensor) autograd.Tensor { return in[0].Clone() }}
		return []autograd.Value{autograd.Custom(twice, in.Value(0))}
	}, autograd.Options{})
	_, err = own.Call(someNumbers)
	wantText(t, err, "client_test.go:")
}

func TestTrainingMistakes(t *testing.T) {
	c := testClient(t)
	loss := func(g *autograd.Graph, in Inputs) autograd.Value { return in.Value(0).Sum() }
	for want, training := range map[string]Training{
		"needs a Loss":       {Optimizer: optim.NewSGD(1)},
		"has no rule":        {Loss: loss, Optimizer: optim.NewLion(1)},
		"LearningRate is -1": {Loss: loss, Optimizer: optim.NewSGD(-1)},
		"99 devices":         {Loss: loss, Optimizer: optim.NewSGD(1), Devices: 99},
		"ClipNorm is -1":     {Loss: loss, Optimizer: optim.NewSGD(1), ClipNorm: -1},
	} {
		_, err := c.Train(training)
		wantText(t, err, want)
	}
	s := hotelPrices(autograd.Float64)
	trainer, err := c.Train(Training{Loss: s.loss, Optimizer: s.optimizer, Devices: min(2, c.Devices())})
	if err != nil {
		t.Fatal(err)
	}
	defer trainer.Close()
	if c.Devices() > 1 {
		_, err = trainer.Step(Numbers(autograd.Ones(3, 2)), Indices(autograd.NewInts([]int{0, 1, 2}), 3))
		wantText(t, err, "cannot be cut for 2 devices")
	}
	if _, err := trainer.Step(s.batch(0)...); err != nil {
		t.Fatal(err)
	}
	s.params[0].Set(autograd.Zeros(s.params[0].Shape()...))
	_, err = trainer.Step(s.batch(0)...)
	wantText(t, err, "has been written since")
	wantText(t, trainer.Read(), "has been written since")
	wide, err := c.Train(Training{Loss: func(_ *autograd.Graph, in Inputs) autograd.Value { return in.Value(0) }, Optimizer: optim.NewSGD(1)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = wide.Step(someNumbers)
	wantText(t, err, "the loss has shape [2 3]")
}
