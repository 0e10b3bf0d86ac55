package main

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/bench/internal/serve"
	"nabla/layers"
	"nabla/losses"
	"nabla/optim"
)

var peers = flag.Bool("peers", false, "build the peers in Go, and compare what they learn")

func TestBuildAndStart(t *testing.T) {
	module := writeModule(t, `package main

import "os"

func main() { os.Stdout.WriteString("{\"version\": \"Peer 2.0\"}\n") }
`)
	p, err := buildAndStart(module)
	if err != nil {
		t.Fatal(err)
	}
	if p.version != "Peer 2.0" {
		t.Errorf("version %q", p.version)
	}
	if err := p.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func TestBuildFails(t *testing.T) {
	module := writeModule(t, "package main\n\nfunc main() { missing() }\n")
	if _, err := buildAndStart(module); err == nil || !strings.HasSuffix(err.Error(), "undefined: missing") {
		t.Errorf("a program that is wrong gave %v", err)
	}
	if _, err := buildAndStart(module, "GOOS=templeos"); err == nil || !strings.Contains(err.Error(), "templeos") {
		t.Errorf("in another environment: %v", err)
	}
	if _, err := buildAndStart(filepath.Join(module, "absent")); err == nil {
		t.Error("a module that is not there was built")
	}
	if _, err := startGo("absent"); err == nil {
		t.Error("a peer that is not there was started")
	}
}

func writeModule(t *testing.T, source string) (folder string) {
	t.Helper()
	folder = t.TempDir()
	for name, text := range map[string]string{"go.mod": "module peer\n\ngo 1.26\n", "main.go": source} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// From the same start, the peers in Go learn what Nabla learns, so they compute
// the same. The layers are wide enough that each row has a neuron that is
// alive: after dead ones z is 0, where the peers' relu has the derivative 1.
// Building the modules takes more than a minute, so this test runs only on
// request:
//
//	go test ./bench -args -peers
func TestGoPeersLearnTheSame(t *testing.T) {
	if !*peers {
		t.Skip("builds the peers' modules: run it with -args -peers")
	}
	ps := newPrograms(debianPython, t.Output())
	defer ps.stop()
	for _, p := range inGo {
		t.Run(p.name, func(t *testing.T) {
			name, _, _ := strings.Cut(p.name, "-")
			folder := filepath.Join("peers", name)
			read(t, folder)
			program := ps.find(p.name)
			if program == nil {
				t.Fatal("it was not started")
			}
			for _, workload := range []string{"W2", "W3-16-15-14-3-b7"} {
				compareLosses(t, program, workload, setting{autograd.Float32, 1}, nearSingle)
				compareLosses(t, program, workload, setting{autograd.Float64, 2}, near)
			}
		})
	}
}

// read reads a peer's files so that go test notices when they change: it reruns
// a test if a file that the test has read has changed.
func read(t *testing.T, folder string) {
	t.Helper()
	for _, name := range []string{"go.mod", "main.go"} {
		if _, err := os.ReadFile(filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
}

func compareLosses(t *testing.T, program *program, workload string, s setting, near cmp.Option) {
	t.Helper()
	problem, err := serve.NewProblem(workload)
	if err != nil {
		t.Fatal(err)
	}
	step := fromProblem(problem, s.precision)
	for _, steps := range []int{1, 1, 50} {
		var want float64
		for range steps {
			want = step()
		}
		got, err := program.send(request{Workload: workload, Precision: s.bits(), Threads: s.threads, Steps: steps})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got.Loss, near); diff != "" {
			t.Errorf("loss of %s in %v (-Nabla +peer):\n%s", workload, s, diff)
		}
	}
}

// fromProblem returns a step of the problem in Nabla, which returns the loss.
func fromProblem(problem *serve.Problem, p autograd.Precision) func() float64 {
	var stack []layers.Layer
	for i, values := range problem.Weights {
		if i > 0 {
			stack = append(stack, layers.ReLU())
		}
		start := func(_ *rand.Rand, _, _ int, shape ...int) autograd.Tensor {
			return autograd.NewTensor(values, shape...)
		}
		options := layers.DenseOptions{Weights: start, Precision: p}
		stack = append(stack, layers.NewDenseWith(nil, problem.Widths[i], problem.Widths[i+1], options))
	}
	g := autograd.NewGraph(autograd.Options{Precision: p})
	model, optimizer := layers.NewSequential(stack...), optim.NewSGD(problem.Rate)
	features := autograd.NewTensor(problem.Features, problem.Rows, problem.Widths[0])
	targets := autograd.NewTensor(problem.Targets, problem.Rows, len(problem.Targets)/problem.Rows)
	return func() float64 {
		g.Reset()
		y := model.Forward(g.Constant(features))
		var loss autograd.Value
		if problem.Classes == nil {
			loss = losses.MSE(y, g.Constant(targets))
		} else {
			loss = losses.CategoricalCrossEntropyLabelsWith(y, autograd.NewInts(problem.Classes), losses.Options{Logits: true})
		}
		value := loss.Item()
		optimizer.Step(loss.Backward())
		return value
	}
}
