// Package onnxtest compares exported networks with onnxruntime, for the tests
// of other packages. It runs one interpreter for all cases.
//
//	go test ./onnx ./autograd -run Python -args -python venv/bin/python
package onnxtest

import (
	"bufio"
	_ "embed"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"nabla/autograd"
	"nabla/layers"
	"nabla/onnx"
)

var python = flag.String("python", "", "compare exported networks with onnxruntime, by this `interpreter`")

//go:embed serve.py
var program string

// A Runner is a running interpreter.
type Runner struct {
	path     string
	in       io.Writer
	out      *bufio.Scanner
	Greatest float64 // the greatest error so far, relative to the size of an output
	Floor    float64 // the least size that an error is relative to
}

// Start starts an interpreter with onnx and onnxruntime. Without -python the
// test is skipped.
func Start(t *testing.T) *Runner {
	t.Helper()
	if *python == "" {
		t.Skip("needs onnx and onnxruntime: run it with -args -python and an interpreter that has them")
	}
	return New(t)
}

// New is Start, but without -python the checks write the networks and run
// nothing.
func New(t *testing.T) *Runner {
	t.Helper()
	if *python == "" {
		return &Runner{path: filepath.Join(t.TempDir(), "model.onnx")}
	}
	command := exec.Command(*python, "-c", program)
	command.Stderr = t.Output()
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		command.Wait()
	})
	r := &Runner{path: filepath.Join(t.TempDir(), "model.onnx"), in: in, out: bufio.NewScanner(out)}
	r.out.Buffer(nil, 1<<30)
	return r
}

type array struct {
	Name  string `json:"name"`
	Type  string `json:"type,omitempty"`
	Shape []int  `json:"shape"`
	Data  string `json:"data"`
}

type answer struct {
	Error   string  `json:"error"`
	Outputs []array `json:"outputs"`
}

// Path returns the file in which models are written.
func (r *Runner) Path() string { return r.path }

// Check writes the network and runs it on the inputs as they were recorded. It
// returns an error unless the outputs are the recorded ones but for tolerance
// times the greatest of an output's numbers, or if the network is refused.
func (r *Runner) Check(e onnx.Export, tolerance float64) error {
	if err := e.Save(r.path); err != nil {
		return err
	}
	return r.Run(e, tolerance)
}

// CheckBatch writes the network that build records for a batch of one size, and
// runs it on the inputs of another one.
func (r *Runner) CheckBatch(build func(batch int) onnx.Export, tolerance float64) error {
	if err := build(2).Save(r.path); err != nil {
		return err
	}
	for _, batch := range []int{2, 5, 1} {
		if err := r.Run(build(batch), tolerance); err != nil {
			return fmt.Errorf("a batch of %d: %w", batch, err)
		}
	}
	return nil
}

// CheckLayer writes a layer for inputs of the given shape, without the batch,
// and compares it for batches of several sizes, of random inputs. Statistics,
// such as the means that batch normalization keeps, are drawn anew first.
func (r *Runner) CheckLayer(layer layers.Layer, shape ...int) error {
	rng := rand.New(rand.NewPCG(1, 2))
	tolerance := 1e-5
	for _, p := range layer.Params() {
		if p.IsStatistic() {
			p.Set(autograd.Uniform(rng, 0.5, 1.5, p.Shape()...))
		}
		if p.Precision() == autograd.Float64 {
			tolerance = 1e-12
		}
	}
	return r.CheckBatch(func(batch int) onnx.Export {
		e, err := onnx.Layer(layer, append([]int{-1}, shape...)...)
		if err != nil {
			panic(err)
		}
		g := autograd.NewGraph(e.Outputs[0].Graph().Options())
		x := g.Constant(autograd.Normal(rng, 0, 1, append([]int{batch}, shape...)...))
		e.Inputs[0].Value, e.Outputs[0] = x, layer.Forward(x).Named("output")
		return e
	}, tolerance)
}

// Run runs the file that was written last on the inputs of a recording, and
// compares the outputs with those of the recording.
func (r *Runner) Run(e onnx.Export, tolerance float64) error {
	if r.in == nil {
		return nil
	}
	got, err := r.ask(e)
	if err != nil {
		return err
	}
	if len(got) != len(e.Outputs) {
		return fmt.Errorf("%d outputs instead of %d", len(got), len(e.Outputs))
	}
	for i, y := range e.Outputs {
		if err := r.compare(y, got[i], tolerance); err != nil {
			return fmt.Errorf("output %d, %s: %w", i, got[i].Name, err)
		}
	}
	return nil
}

func (r *Runner) compare(y autograd.Value, got array, tolerance float64) error {
	want, numbers := y.Tensor().Float64s(), floats(got.Data)
	if !slices.Equal(y.Shape(), got.Shape) {
		return fmt.Errorf("shape %v instead of %v", got.Shape, y.Shape())
	}
	size := r.Floor
	for _, v := range want {
		if a := math.Abs(v); a > size && !math.IsInf(v, 0) {
			size = a
		}
	}
	for i, v := range want {
		if v == numbers[i] || v != v && numbers[i] != numbers[i] {
			continue
		}
		wrong := math.Abs(v-numbers[i]) / size
		if !(wrong <= tolerance) {
			return fmt.Errorf("element %d is %v instead of %v, as %v", i, numbers[i], v, wrong)
		}
		r.Greatest = max(r.Greatest, wrong)
	}
	return nil
}

func floats(data string) []float64 {
	b, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		panic(err)
	}
	v := make([]float64, len(b)/8)
	for i := range v {
		v[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
	}
	return v
}

// ask runs the model.
func (r *Runner) ask(e onnx.Export) ([]array, error) {
	request := struct {
		Path   string  `json:"path"`
		Inputs []array `json:"inputs"`
	}{Path: r.path, Inputs: []array{}}
	for i, in := range e.Inputs {
		request.Inputs = append(request.Inputs, inputOf(i, in))
	}
	line, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	if _, err := r.in.Write(append(line, '\n')); err != nil {
		return nil, err
	}
	if !r.out.Scan() {
		return nil, errors.Join(errors.New("the interpreter ended"), r.out.Err())
	}
	var a answer
	if err := json.Unmarshal(r.out.Bytes(), &a); err != nil {
		return nil, err
	}
	if a.Error != "" {
		return nil, errors.New(a.Error)
	}
	return a.Outputs, nil
}

func inputOf(i int, in onnx.Input) array {
	a := array{Name: in.Name, Type: "<i8"}
	var b []byte
	if in.Value.IsZero() {
		a.Shape = in.Ints.Shape()
		for _, v := range in.Ints.Values() {
			b = binary.LittleEndian.AppendUint64(b, uint64(v))
		}
		a.Data = base64.StdEncoding.EncodeToString(b)
		return a
	}
	if a.Name == "" {
		a.Name = in.Value.Name()
	}
	a.Shape, a.Type = in.Value.Shape(), "<f8"
	single := in.Value.Graph().Options().Precision == autograd.Float32
	for _, v := range in.Value.Tensor().Float64s() {
		if single {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(v)))
		} else {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
	}
	if single {
		a.Type = "<f4"
	}
	a.Data = base64.StdEncoding.EncodeToString(b)
	return a
}
