package recording

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/data/hotels"
	"nabla/internal/recording/recordingtest"
	"nabla/neurons"
)

func brainOf(t *testing.T, root autograd.Value, pick ...Selection) *Brain {
	t.Helper()
	m, err := New(root, root.Backward(), defaultElements).SelectAll(pick)
	if err != nil {
		t.Fatal(err)
	}
	if m, err = m.InNeurons(); err != nil {
		t.Fatal(err)
	}
	return m.Neurons()
}

// columns returns how many circles each column has.
func (b *Brain) columns() (counts []int) {
	for i := range b.Circles {
		layer := b.Circles[i].Layer
		for len(counts) <= layer {
			counts = append(counts, 0)
		}
		counts[layer]++
	}
	return counts
}

// However a network is recorded, its neurons, weights and biases are those of
// its layers.
func TestNeuronsOfALayersNetwork(t *testing.T) {
	const row = 5
	for _, task := range recordingtest.HotelTasks {
		loss, network := task.Record()
		g := autograd.NewGraph(autograd.Options{Trace: true})
		var x []autograd.Value
		for _, v := range task.Features(hotels.Load()[row : row+1]).Float64s() {
			x = append(x, g.Scalar(v))
		}
		a := neurons.Of(network).Forward(x)
		all := a[0].Square() // all elements of a softmax depend on each other
		for _, other := range a[1:] {
			all = all.Add(other.Square())
		}
		recordings := map[string]*Brain{"tensors": brainOf(t, loss), "sample": brainOf(t, loss, Sample(row)), "scalars": brainOf(t, all)}
		for name, b := range recordings {
			if diff := cmp.Diff(task.Sizes, b.columns()); diff != "" {
				t.Errorf("%s, %s: columns (-want +got):\n%s", task.Name, name, diff)
				continue
			}
			params := network.Params()
			for layer := 1; layer < len(task.Sizes); layer++ {
				weights, biases := params[2*layer-2].Tensor(), params[2*layer-1].Tensor()
				for _, s := range b.Synapses {
					if from, to := b.Circles[s.From], b.Circles[s.To]; to.Layer == layer {
						i, j := b.place(s.From), b.place(s.To)
						if from.Layer != layer-1 || s.Weight != weights.At(i, j) || !to.Biased || to.Bias != biases.At(j) {
							t.Errorf("%s, %s: from %s to %s: weight %v, bias %v", task.Name, name, from.Name, to.Name, s.Weight, to.Bias)
						}
					}
				}
			}
		}
	}
}

// place returns the index of a circle in its column.
func (b *Brain) place(circle int) int {
	place := 0
	for i := range circle {
		if b.Circles[i].Layer == b.Circles[circle].Layer {
			place++
		}
	}
	return place
}

// The circles of tensors show means over the rows, those of a data point show
// its numbers. The weights' gradients are the recorded ones, and those of all
// data points add up to them.
func TestNeuronsNumbers(t *testing.T) {
	for _, task := range recordingtest.HotelTasks {
		loss, network := task.Record()
		grads := loss.Backward()
		all := brainOf(t, loss)
		means, sums := make([]float64, len(all.Circles)), map[[2]int]float64{}
		for row := range 24 {
			one := brainOf(t, loss, Sample(row))
			seen := map[int]int{}
			for i := range one.Circles { // the same columns in another order of circles
				at := all.at(one.Circles[i].Layer, seen[one.Circles[i].Layer])
				seen[one.Circles[i].Layer]++
				means[at] += one.Circles[i].Value / 24
			}
			for _, s := range one.Synapses {
				from := all.at(one.Circles[s.From].Layer, one.place(s.From))
				sums[[2]int{from, all.at(one.Circles[s.To].Layer, one.place(s.To))}] += s.Slope
			}
		}
		for i := range all.Circles {
			if math.Abs(means[i]-all.Circles[i].Value) > 1e-12*math.Max(1, math.Abs(means[i])) {
				t.Errorf("%s: %s shows %v, the mean is %v", task.Name, all.Circles[i].Name, all.Circles[i].Value, means[i])
			}
		}
		for _, s := range all.Synapses {
			weight := network.Params()[2*all.Circles[s.To].Layer-2]
			want := grads.OfParam(weight).At(all.place(s.From), all.place(s.To))
			sum := sums[[2]int{s.From, s.To}]
			if s.Slope != want || math.Abs(sum-want) > 1e-10*math.Max(1, math.Abs(want)) {
				t.Errorf("%s: dw is %v and the sum of the data points' %v, want %v", task.Name, s.Slope, sum, want)
			}
		}
	}
}

// at returns a circle by its column and its index there.
func (b *Brain) at(layer, place int) int {
	return slices.IndexFunc(b.Circles, func(c Circle) bool { return c.Layer == layer }) + b.offset(layer, place)
}

// offset returns how many circles stand between the first of a column and
// another one of it.
func (b *Brain) offset(layer, place int) int {
	first, count := -1, 0
	for i := range b.Circles {
		if b.Circles[i].Layer != layer {
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

// Weights stored as [out, in] and multiplied as their transpose.
func TestNeuronsOfTransposedWeights(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	w := g.Variable(autograd.FromNested([][]float64{{1, 2}, {3, 4}, {5, 6}}))
	b := brainOf(t, g.Constant(autograd.FromNested([][]float64{{10, 1}})).MatMul(w.T()).Sum())
	if diff := cmp.Diff([]int{2, 3}, b.columns()); diff != "" {
		t.Fatalf("columns (-want +got):\n%s", diff)
	}
	for _, s := range b.Synapses {
		i, j := b.place(s.From), b.place(s.To)
		if want, slope := w.Tensor().At(j, i), []float64{10, 1}[i]; s.Weight != want || s.Slope != slope {
			t.Errorf("from %d to %d: %v and %v, want %v and %v", i, j, s.Weight, s.Slope, want, slope)
		}
	}
}

func TestNeuronsErrors(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	x := g.Variable(autograd.Scalar(2))
	many := g.Constant(autograd.Ones(1, 50)).MatMul(g.Variable(autograd.Ones(50, 50)))
	for name, root := range map[string]autograd.Value{"no neurons": x.Exp().Log(), "too many": many.Sum()} {
		_, err := New(root, autograd.Gradients{}, defaultElements).InNeurons()
		if got := new(ViewError); !errors.As(err, &got) || got.View != "Neurons" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
