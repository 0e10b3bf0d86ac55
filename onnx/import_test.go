package onnx_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"nabla/autograd"
	"nabla/graphviz"
	"nabla/layers"
	"nabla/onnx"
	"nabla/page"
)

// numbers are a tensor as testdata/networks.py writes it.
type numbers struct {
	Shape []int
	Data  []float64
}

func (n numbers) tensor() autograd.Tensor {
	if len(n.Shape) == 0 {
		return autograd.Scalar(n.Data[0])
	}
	return autograd.NewTensor(n.Data, n.Shape...)
}

func (n numbers) ints() autograd.Ints {
	values := make([]int, len(n.Data))
	for i, v := range n.Data {
		values[i] = int(v)
	}
	return autograd.NewInts(values, n.Shape...)
}

// A network is one in PyTorch or scikit-learn: files of it, and what it
// computes.
type network struct {
	Files           []string
	Inputs, Outputs []numbers
	Seed            numbers
	Gradients       map[string]numbers
	InputGradients  []*numbers `json:"input_gradients"`

	Training   numbers // the first output in training mode
	Statistics map[string]numbers
}

func readNetworks(t *testing.T) map[string]network {
	text, err := os.ReadFile("testdata/networks.json")
	if err != nil {
		t.Fatal(err)
	}
	var networks map[string]network
	if err := json.Unmarshal(text, &networks); err != nil {
		t.Fatal(err)
	}
	return networks
}

// feed returns a network's inputs by name, of the types that it wants.
func (n network) feed(g *autograd.Graph, m *onnx.Model) map[string]onnx.Data {
	feed := map[string]onnx.Data{}
	for i, in := range m.Inputs() {
		if in.Type == "int64" {
			feed[in.Name] = onnx.Data{Ints: n.Inputs[i].ints()}
		} else {
			feed[in.Name] = onnx.Data{Value: g.Variable(n.Inputs[i].tensor())}
		}
	}
	return feed
}

// Networks that PyTorch's two exporters and skl2onnx write compute what they
// compute there, to 1e-5 in float32 and float64.
func TestNetworksOfOthers(t *testing.T) {
	count := 0
	for name, n := range readNetworks(t) {
		for _, file := range n.Files {
			for _, precision := range []autograd.Precision{autograd.Float32, autograd.Float64} {
				t.Run(name+"/"+file+"/"+precision.String(), func(t *testing.T) {
					m, err := onnx.ImportFile(filepath.Join("testdata", file))
					if err != nil {
						t.Fatal(err)
					}
					g := autograd.NewGraph(autograd.Options{Precision: precision, Eval: true})
					out := m.Run(g, n.feed(g, m))
					for i, port := range m.Outputs()[:len(n.Outputs)] {
						compare(t, out[port.Name], n.Outputs[i])
					}
				})
				count++
			}
		}
	}
	if count != 36 {
		t.Errorf("%d files", count)
	}
}

func compare(t *testing.T, got onnx.Data, want numbers) {
	t.Helper()
	if got.Value.IsZero() {
		if !slices.Equal(got.Ints.Values(), want.ints().Values()) {
			t.Errorf("got %v, want %v", got.Ints.Values(), want.Data)
		}
		return
	}
	if !got.Value.Tensor().EqualWithin(want.tensor(), 1e-5) {
		t.Errorf("got %v, want %v", got.Value.Tensor(), want.tensor())
	}
}

// Gradients of an output with a random cotangent are those of PyTorch: of the
// inputs, and of all Params that kept their names. Exporters rename what they
// transpose or join.
func TestGradientsOfOthers(t *testing.T) {
	for name, n := range readNetworks(t) {
		for _, file := range n.Files {
			if n.Gradients == nil {
				continue
			}
			t.Run(name+"/"+file, func(t *testing.T) {
				m, err := onnx.ImportFile(filepath.Join("testdata", file))
				if err != nil {
					t.Fatal(err)
				}
				g := autograd.NewGraph(autograd.Options{Precision: autograd.Float32, Eval: true})
				feed := n.feed(g, m)
				out := m.Run(g, feed)
				grads := out[m.Outputs()[0].Name].Value.BackwardFrom(n.Seed.tensor().In(autograd.Float32))
				checked := 0
				for _, p := range m.Params() {
					want, ok := n.Gradients[p.Name()]
					if p.IsStatistic() || !ok {
						continue
					}
					checked++
					if got := grads.OfParam(p); !got.EqualWithin(want.tensor(), 2e-5) {
						t.Errorf("%s: got %v, want %v", p.Name(), got, want.tensor())
					}
				}
				for i, want := range n.InputGradients {
					x := feed[m.Inputs()[i].Name].Value
					if want != nil && !grads.Of(x).EqualWithin(want.tensor(), 2e-5) {
						t.Errorf("input %d: got %v, want %v", i, grads.Of(x), want.tensor())
					}
				}
				t.Logf("%d of %d gradients have their names", checked, len(n.Gradients))
				if whole := []string{"mlp", "lenet", "resnet"}; slices.Contains(whole, name) && strings.Contains(file, "script") && checked != len(n.Gradients) {
					t.Errorf("%d of %d gradients were compared", checked, len(n.Gradients))
				}
			})
		}
	}
}

// A graph in training mode normalizes by the batch, and moves the running
// statistics of the file as PyTorch does.
func TestBatchNormTrains(t *testing.T) {
	n := readNetworks(t)["resnet"]
	for _, file := range n.Files {
		m, err := onnx.ImportFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		g := autograd.NewGraph(autograd.Options{})
		y := m.Forward(g.Constant(n.Inputs[0].tensor()))
		compare(t, onnx.Data{Value: y}, n.Training)
		y.BackwardFrom(n.Seed.tensor()).UpdateStatistics()
		moved := 0
		for _, p := range m.Params() {
			if !p.IsStatistic() {
				continue
			}
			moved++
			if want := n.Statistics[p.Name()].tensor(); !p.Tensor().EqualWithin(want, 1e-5) {
				t.Errorf("%s: %s is %v, want %v", file, p.Name(), p.Tensor(), want)
			}
		}
		if moved != len(n.Statistics) || moved != 6 {
			t.Errorf("%s: %d of %d statistics", file, moved, len(n.Statistics))
		}
	}
}

// Nodes are recorded in the scopes that their names tell: PyTorch's modules.
func TestScopes(t *testing.T) {
	for file, want := range map[string][]string{
		"resnet-script.onnx": {"1/conv1", "1/down/down.0", "4"},
		"resnet-dynamo.onnx": {"1/conv1", "1/down/0", "4"},
	} {
		m, err := onnx.ImportFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		g := autograd.NewGraph(autograd.Options{Eval: true})
		g.Enter("mine")
		y := m.Forward(g.Full(1, 1, 2, 8, 8))
		g.Leave()
		scopes := map[string]bool{}
		for n := range y.Ancestors() {
			scopes[n.Scope] = true
		}
		for _, s := range want {
			if !scopes["mine/"+s] {
				t.Errorf("%s: no scope %q among %v", file, s, scopes)
			}
		}
		if n := g.Scalar(1).Node(); n.Scope != "" {
			t.Errorf("%s: the scope %q is open", file, n.Scope)
		}
	}
}

// A Model is a Layer, and may be a part of another network.
func TestIsLayer(t *testing.T) {
	m, err := onnx.ImportFile("testdata/mlp-dynamo.onnx")
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	model := layers.NewSequential(layers.NewDense(rng, 4, 3), m, layers.NewDense(rng, 2, 1))
	if got := len(model.Params()); got != 10 {
		t.Errorf("%d Params", got)
	}
	g := autograd.NewGraph(autograd.Options{})
	if y := model.Forward(g.Full(1, 5, 4)); !slices.Equal(y.Shape(), []int{5, 1}) {
		t.Errorf("got %v", y.Shape())
	}
}

// What operators read as settings, and constants of the program that was
// exported, are no Params; Train decides otherwise.
func TestParams(t *testing.T) {
	names := func(m *onnx.Model) (list []string) {
		for _, p := range m.Params() {
			list = append(list, p.Name())
		}
		return list
	}
	scale := floats("val_3", []float32{2}, 1)
	nodes := []*messageNode{node("Clip", "x lo hi", "a"), node("Mul", "a val_3", "b"), node("Mul", "b gain", "y")}
	m := file(nodes, floats("lo", []float32{-1}), floats("hi", []float32{1}), scale, floats("gain", []float32{3}), ints("shape", []int64{1}, 1), floats("unused", []float32{1}, 1))
	network, err := importModel(m)
	if err != nil {
		t.Fatal(err)
	}
	if got := names(network); !slices.Equal(got, []string{"gain"}) {
		t.Errorf("Params are %v", got)
	}
	network, err = onnx.ImportWith(bytes.NewReader(m.Marshal()), onnx.ImportOptions{Train: func(name string, shape []int) bool { return name == "val_3" && len(shape) == 1 }})
	if err != nil {
		t.Fatal(err)
	}
	if got := names(network); !slices.Equal(got, []string{"val_3"}) {
		t.Errorf("Params are %v", got)
	}
	g := autograd.NewGraph(autograd.Options{})
	x := g.Variable(autograd.NewTensor([]float64{0.5, 4}))
	grads := network.Forward(x).Sum().Backward()
	if got := grads.OfParam(network.Params()[0]).Item(); got != 4.5 {
		t.Errorf("the gradient is %v", got)
	}
	if got := grads.Of(x).Float64s(); !slices.Equal(got, []float64{6, 0}) {
		t.Errorf("the gradient is %v", got)
	}
}

// The same file gives the same bits, in any number of graphs at once.
func TestSameBits(t *testing.T) {
	m, err := onnx.ImportFile("testdata/transformer-script.onnx")
	if err != nil {
		t.Fatal(err)
	}
	x := autograd.Uniform(rand.New(rand.NewPCG(1, 1)), -1, 1, 2, 5, 8)
	results := make([]autograd.Tensor, 8)
	var group sync.WaitGroup
	for i := range results {
		group.Go(func() {
			g := autograd.NewGraph(autograd.Options{Precision: autograd.Float32})
			for range 3 {
				g.Reset()
				results[i] = m.Forward(g.Constant(x)).Tensor()
			}
		})
	}
	group.Wait()
	for _, r := range results[1:] {
		if !r.Equal(results[0]) {
			t.Fatal("the bits differ")
		}
	}
}

// An imported network is drawn and explained like one of layers.
func TestDrawn(t *testing.T) {
	m, err := onnx.ImportFile("testdata/resnet-script.onnx")
	if err != nil {
		t.Fatal(err)
	}
	g := autograd.NewGraph(autograd.Options{Trace: true})
	loss := m.Forward(g.Full(1, 2, 2, 8, 8).Mul(g.Scalar(0.5))).Square().Mean()
	grads := loss.Backward()
	var dot, html bytes.Buffer
	if err := graphviz.Write(&dot, loss, grads, graphviz.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := page.Write(&html, loss, grads, page.Options{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"bn1", "1.conv1.weight", "down.0"} {
		if !strings.Contains(dot.String(), want) {
			t.Errorf("the drawing lacks %q", want)
		}
	}
	if !strings.Contains(html.String(), "1.conv1.weight") {
		t.Error("the page lacks 1.conv1.weight")
	}
}
