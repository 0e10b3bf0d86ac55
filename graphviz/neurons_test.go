package graphviz

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/data/hotels"
	"nabla/layers"
)

func brainOf(t *testing.T, root autograd.Value, pick ...Selection) *brain {
	t.Helper()
	m, err := modelOf(root, Options{Gradients: root.Backward(), Select: pick}.checked())
	if err != nil {
		t.Fatal(err)
	}
	if m, err = m.forNeurons(); err != nil {
		t.Fatal(err)
	}
	return m.neurons()
}

// columns returns how many circles each column has.
func (b *brain) columns() (counts []int) {
	for i := range b.circles {
		layer := b.circles[i].layer
		for len(counts) <= layer {
			counts = append(counts, 0)
		}
		counts[layer]++
	}
	return counts
}

// Whichever way a network is recorded, its neurons, weights and biases are
// those of its layers.
func TestNeuronsOfALayersNetwork(t *testing.T) {
	const row = 5
	for _, task := range hotelTasks {
		loss, network := task.record()
		g := autograd.NewGraph(autograd.Options{Trace: true})
		var x []autograd.Value
		for _, v := range task.features(hotels.Load()[row : row+1]).Float64s() {
			x = append(x, g.Scalar(v))
		}
		a := layers.NeuronsOf(network).Forward(x)
		all := a[0].Square() // of a softmax each is in all of them
		for _, other := range a[1:] {
			all = all.Add(other.Square())
		}
		recordings := map[string]*brain{"tensors": brainOf(t, loss), "sample": brainOf(t, loss, Sample(row)), "scalars": brainOf(t, all)}
		for name, b := range recordings {
			if diff := cmp.Diff(task.sizes, b.columns()); diff != "" {
				t.Errorf("%s, %s: columns (-want +got):\n%s", task.name, name, diff)
				continue
			}
			params := network.Params()
			for layer := 1; layer < len(task.sizes); layer++ {
				weights, biases := params[2*layer-2].Tensor(), params[2*layer-1].Tensor()
				for _, s := range b.synapses {
					if from, to := b.circles[s.from], b.circles[s.to]; to.layer == layer {
						i, j := b.place(s.from), b.place(s.to)
						if from.layer != layer-1 || s.weight != weights.At(i, j) || !to.biased || to.bias != biases.At(j) {
							t.Errorf("%s, %s: from %s to %s: weight %v, bias %v", task.name, name, from.name, to.name, s.weight, to.bias)
						}
					}
				}
			}
		}
	}
}

// place returns the place of a circle in its column.
func (b *brain) place(circle int) int {
	place := 0
	for i := range circle {
		if b.circles[i].layer == b.circles[circle].layer {
			place++
		}
	}
	return place
}

// The circles of tensors show means over the rows, those of a data point its
// numbers; the weights' gradients are the recorded ones, and those of a data
// point add up to them.
func TestNeuronsNumbers(t *testing.T) {
	for _, task := range hotelTasks {
		loss, network := task.record()
		grads := loss.Backward()
		all := brainOf(t, loss)
		means, sums := make([]float64, len(all.circles)), map[[2]int]float64{}
		for row := range 24 {
			one := brainOf(t, loss, Sample(row))
			seen := map[int]int{}
			for i := range one.circles { // the same columns in another order of circles
				at := all.at(one.circles[i].layer, seen[one.circles[i].layer])
				seen[one.circles[i].layer]++
				means[at] += one.circles[i].value / 24
			}
			for _, s := range one.synapses {
				from := all.at(one.circles[s.from].layer, one.place(s.from))
				sums[[2]int{from, all.at(one.circles[s.to].layer, one.place(s.to))}] += s.slope
			}
		}
		for i := range all.circles {
			if math.Abs(means[i]-all.circles[i].value) > 1e-12*math.Max(1, math.Abs(means[i])) {
				t.Errorf("%s: %s shows %v, the mean is %v", task.name, all.circles[i].name, all.circles[i].value, means[i])
			}
		}
		for _, s := range all.synapses {
			weight := network.Params()[2*all.circles[s.to].layer-2]
			want := grads.OfParam(weight).At(all.place(s.from), all.place(s.to))
			sum := sums[[2]int{s.from, s.to}]
			if s.slope != want || math.Abs(sum-want) > 1e-10*math.Max(1, math.Abs(want)) {
				t.Errorf("%s: dw is %v and the sum of the data points' %v, want %v", task.name, s.slope, sum, want)
			}
		}
	}
}

// at returns a circle by its column and its place there.
func (b *brain) at(layer, place int) int {
	return slices.IndexFunc(b.circles, func(c circle) bool { return c.layer == layer }) + b.offset(layer, place)
}

// offset returns how many circles stand between the first of a column and
// another one of it.
func (b *brain) offset(layer, place int) int {
	first, count := -1, 0
	for i := range b.circles {
		if b.circles[i].layer != layer {
			continue
		}
		if first < 0 {
			first = i
		}
		if count == place {
			return i - first
		}
		count++
	}
	return 0
}

// Weights that are learned as [out, in] and multiplied as their transpose.
func TestNeuronsOfTransposedWeights(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	w := g.Variable(autograd.FromNested([][]float64{{1, 2}, {3, 4}, {5, 6}}))
	b := brainOf(t, g.Constant(autograd.FromNested([][]float64{{10, 1}})).MatMul(w.T()).Sum())
	if diff := cmp.Diff([]int{2, 3}, b.columns()); diff != "" {
		t.Fatalf("columns (-want +got):\n%s", diff)
	}
	for _, s := range b.synapses {
		i, j := b.place(s.from), b.place(s.to)
		if want, slope := w.Tensor().At(j, i), []float64{10, 1}[i]; s.weight != want || s.slope != slope {
			t.Errorf("from %d to %d: %v and %v, want %v and %v", i, j, s.weight, s.slope, want, slope)
		}
	}
}

func TestNeuronsErrors(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Variable(autograd.Scalar(2))
	many := g.Constant(autograd.Ones(1, 50)).MatMul(g.Variable(autograd.Ones(50, 50)))
	for name, root := range map[string]autograd.Value{"no neurons": x.Exp().Log(), "too many": many.Sum()} {
		err := Write(&bytes.Buffer{}, root, Options{View: Neurons})
		if got := new(ViewError); !errors.As(err, &got) || got.View != "Neurons" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
