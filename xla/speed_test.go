package xla

import (
	"bytes"
	"encoding/json"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"nabla/autograd"
	"nabla/layers"
	"nabla/losses"
	"nabla/optim"
)

var (
	speed  = flag.Bool("speed", false, "measure the times of README.md")
	python = flag.String("python", "", "a Python with JAX, to be measured beside")
)

// speeds are the networks that are measured, in float32. testdata/speed.py has
// them in JAX.
var speeds = []studyMaker{denseForSpeed, leNetForSpeed, lstmForSpeed, transformerForSpeed}

func randomLabels(rng *rand.Rand, n, classes int) autograd.Ints {
	labels := make([]int, n)
	for i := range labels {
		labels[i] = rng.IntN(classes)
	}
	return autograd.NewInts(labels)
}

// classifier is the study of a network that tells ten classes apart.
func classifier(name string, p autograd.Precision, model layers.Layer, x autograd.Tensor, o optim.Optimizer) study {
	labels := randomLabels(rand.New(rand.NewPCG(1, 1)), x.Dim(0), 10)
	in := []Input{Numbers(x.In(p)), Indices(labels, 10)}
	return study{
		name: name, params: paramsIn(p, model), optimizer: o, batch: func(int) []Input { return in },
		loss: func(g *autograd.Graph, in Inputs) autograd.Value {
			return losses.CategoricalCrossEntropyLabelsWith(model.Forward(in.Value(0)), in.Ints(1), losses.Options{Logits: true})
		},
	}
}

func denseForSpeed(p autograd.Precision) study {
	rng := rand.New(rand.NewPCG(1, 0))
	model := layers.NewSequential(layers.NewDense(rng, 784, 512), layers.ReLU(), layers.NewDense(rng, 512, 512), layers.ReLU(), layers.NewDense(rng, 512, 10))
	return classifier("dense 784-512-512-10, 128 rows, SGD", p, model, autograd.Uniform(rng, -1, 1, 128, 784), optim.NewSGD(0.01))
}

func leNetForSpeed(p autograd.Precision) study {
	rng := rand.New(rand.NewPCG(2, 0))
	model := layers.NewSequential(
		layers.NewConv2DWith(rng, 1, 6, 5, layers.ConvOptions{Same: true}), layers.ReLU(), layers.MaxPool2D(2),
		layers.NewConv2D(rng, 6, 16, 5), layers.ReLU(), layers.MaxPool2D(2),
		layers.Flatten(), layers.NewDense(rng, 400, 120), layers.ReLU(), layers.NewDense(rng, 120, 84), layers.ReLU(), layers.NewDense(rng, 84, 10),
	)
	return classifier("LeNet, 32 images, Adam", p, model, autograd.Uniform(rng, -1, 1, 32, 1, 28, 28), optim.NewAdam(0.001))
}

func lstmForSpeed(p autograd.Precision) study {
	rng := rand.New(rand.NewPCG(3, 0))
	model := layers.NewSequential(layers.NewLSTM(rng, 64, 128), layers.Last(), layers.NewDense(rng, 128, 10))
	return classifier("LSTM 64-128, 32 × 16 steps, Adam", p, model, autograd.Uniform(rng, -1, 1, 32, 16, 64), optim.NewAdam(0.001))
}

func transformerForSpeed(p autograd.Precision) study {
	rng := rand.New(rand.NewPCG(4, 0))
	block := layers.NewTransformerEncoderBlockWith(rng, 128, 4, 512, layers.TransformerOptions{Precision: p})
	model := layers.NewSequential(block, layers.Last(), layers.NewDense(rng, 128, 10))
	return classifier("transformer block, 8 × 64 × 128, AdamW", p, model, autograd.Uniform(rng, -1, 1, 8, 64, 128), optim.NewAdamW(0.001))
}

// A timed is what a network's steps take.
type timed struct {
	Name                string
	Own, Plugin, JAX    float64 // ms a step: the least of several rounds
	Compile, CompileJAX float64 // s
	Recording           float64 // s
}

// least returns the least time of a step, in ms, over rounds of about 50 ms.
func least(step func()) float64 {
	step()
	start := time.Now()
	step()
	steps := max(1, int(50*time.Millisecond/max(time.Since(start), time.Microsecond)))
	best := math.Inf(1)
	for range 15 {
		start := time.Now()
		for range steps {
			step()
		}
		best = min(best, time.Since(start).Seconds()*1e3/float64(steps))
	}
	return best
}

// TestSpeed measures a step of training by the library's kernels, by the
// plugin, with all copies of inputs and the loss, and by jax.jit, in turn.
func TestSpeed(t *testing.T) {
	if !*speed {
		t.Skip("no -speed")
	}
	c := testClient(t)
	const p = autograd.Float32
	var all []timed
	for _, maker := range speeds {
		own, other := maker(p), maker(p)
		one := timed{Name: own.name}
		g := autograd.NewGraph(autograd.Options{Precision: p})
		in := own.batch(0)
		trainer, err := c.Train(Training{Loss: other.loss, Optimizer: other.optimizer, Precision: p})
		if err != nil {
			t.Fatal(err)
		}
		step := func() {
			if _, err := trainer.Step(in...); err != nil {
				t.Fatal(err)
			}
		}
		one.Plugin = least(step)
		one.Own = least(func() {
			g.Reset()
			loss := own.loss(g, inputsOf(g, in))
			own.optimizer.Step(loss.Backward())
			loss.Item()
		})
		one.Plugin = min(one.Plugin, least(step))
		one.Compile, one.Recording = trainer.Stats().Compiling.Seconds(), trainer.Stats().Recording.Seconds()
		trainer.Close()
		all = append(all, one)
	}
	jaxTimes(t, all)
	t.Log("| network, float32 | Nabla ms | plugin ms | jax.jit ms | recording s | compiling s | JAX compiling s |")
	for _, one := range all {
		t.Logf("| %s | %.2f | %.2f | %.2f | %.2f | %.1f | %.1f |", one.Name, one.Own, one.Plugin, one.JAX, one.Recording, one.Compile, one.CompileJAX)
	}
}

// jaxTimes adds the times of JAX, if there is a Python with it.
func jaxTimes(t *testing.T, all []timed) {
	if *python == "" {
		return
	}
	run := exec.Command(*python, "testdata/speed.py")
	run.Env = append(slices.Clone(os.Environ()), "JAX_PLATFORMS=cpu")
	var errors bytes.Buffer
	run.Stderr = &errors
	out, err := run.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, errors.String())
	}
	var times map[string]struct{ Step, Compile float64 }
	if err := json.Unmarshal(out, &times); err != nil {
		t.Fatal(err)
	}
	for i := range all {
		name, _, _ := strings.Cut(all[i].Name, " ")
		one, ok := times[strings.Trim(name, ",")]
		if !ok {
			t.Fatalf("JAX has no %s", name)
		}
		all[i].JAX, all[i].CompileJAX = one.Step, one.Compile
	}
}
