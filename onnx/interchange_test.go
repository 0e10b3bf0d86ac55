package onnx_test

import (
	"encoding/json"
	"flag"
	"math"
	"os/exec"
	"path/filepath"
	"testing"

	"nabla/autograd"
	"nabla/losses"
	"nabla/onnx"
	"nabla/optim"
)

var torch = flag.String("torch", "", "let PyTorch export a network, by this `interpreter`")

var between = autograd.NewTensor([]float64{-1, 2, 0.5, 0.25, 3, -1.5, 0, 1}, 4, 2)

// A network comes from PyTorch, is trained on, and goes to onnxruntime. It
// needs PyTorch, onnxscript and onnxruntime:
//
//	go test ./onnx -run Interchange -args -torch venv/bin/python
func TestInterchange(t *testing.T) {
	if *torch == "" {
		t.Skip("with -args -torch PATH")
	}
	path := filepath.Join(t.TempDir(), "net.onnx")
	want := interchange(t, "export", path)
	model, err := onnx.ImportFile(path)
	if err != nil {
		t.Fatal(err)
	}
	checkClose(t, predictions(model), want)
	if err := improve(path, between, autograd.Zeros(4, 1), optim.NewSGD(0.1)); err != nil {
		t.Fatal(err)
	}

	before := predictions(model)
	g := autograd.NewGraph(autograd.Options{Precision: autograd.Float32})
	loss := losses.MSE(model.Forward(g.Constant(between)), g.Constant(autograd.Zeros(4, 1)))
	optim.NewSGD(0.1).Step(loss.Backward())
	after := predictions(model)
	if math.Abs(after[0]-before[0]) < 1e-3 {
		t.Error("a step of training has changed nothing")
	}
	if err := export(path, model); err != nil {
		t.Fatal(err)
	}
	checkClose(t, interchange(t, "run", path), after)
}

func improve(path string, inputs, targets autograd.Tensor, optimizer optim.Optimizer) error {
	model, err := onnx.ImportFile(path)
	if err != nil {
		return err
	}
	g := autograd.NewGraph(autograd.Options{Precision: autograd.Float32})
	loss := losses.MSE(model.Forward(g.Constant(inputs)), g.Constant(targets))
	optimizer.Step(loss.Backward())
	return nil
}

func export(path string, model *onnx.Model) error {
	err := onnx.Save(path, model, -1, 2) // −1: a batch of any length
	return err
}

func predictions(model *onnx.Model) []float64 {
	g := autograd.NewGraph(autograd.Options{Precision: autograd.Float32, NoGrad: true})
	return model.Forward(g.Constant(between)).Tensor().Float64s()
}

func interchange(t *testing.T, args ...string) (outputs []float64) {
	t.Helper()
	program := exec.Command(*torch, append([]string{"testdata/interchange.py"}, args...)...)
	program.Stderr = t.Output()
	text, err := program.Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &outputs); err != nil {
		t.Fatal(err)
	}
	return outputs
}

func checkClose(t *testing.T, got, want []float64) {
	t.Helper()
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= 1e-6*(1+math.Abs(want[i]))) {
			t.Errorf("output %d is %v, want %v", i, got[i], want[i])
		}
	}
}
