package main

import (
	"math"
	"math/rand/v2"

	"nabla/autograd"
	"nabla/examples/internal/canvas"
	"nabla/layers"
	"nabla/losses"
	"nabla/metrics"
)

// The network looks at a canvas in 8 × 8 cells. For each cell it says, in one
// shot: is the centre of a digit here; where exactly, and how large is its box;
// which digit is it. These are the channels of its output.
const (
	cells    = 8
	cell     = canvas.Size / cells // pixels
	typical  = 16                  // pixels of a box, to measure sizes by
	classes  = 10
	boxAt    = 1
	classAt  = 5
	channels = classAt + classes
)

func newNetwork(rng *rand.Rand) *layers.Sequential {
	var all []layers.Layer
	block := func(in, out int) {
		all = append(all,
			layers.NewConv2DWith(rng, in, out, 3, layers.ConvOptions{Same: true, NoBias: true}),
			layers.NewBatchNorm(out), layers.ReLU())
	}
	for _, width := range [][2]int{{1, 16}, {16, 32}, {32, 64}} {
		block(width[0], width[1])
		all = append(all, layers.MaxPool2D(2))
	}
	block(64, 64)
	block(64, 64)
	model := layers.NewSequential(append(all, layers.NewConv2D(rng, 64, channels, 1))...)
	layers.Convert(model, autograd.Float32)
	return model
}

// targets returns what the network should say of each canvas. A cell with a
// digit has 1, the offset of the centre in cells, the logarithms of the size in
// typical sizes, and the class one-hot; the other cells have zeros.
func targets(set canvas.Set) autograd.Tensor {
	all := make([]float32, len(set.Digits)*channels*cells*cells)
	for i, digits := range set.Digits {
		for _, d := range digits {
			x, y := float64(d.X0+d.X1)/2/cell, float64(d.Y0+d.Y1)/2/cell
			column, row := min(int(x), cells-1), min(int(y), cells-1)
			at := func(channel int) *float32 { return &all[((i*channels+channel)*cells+row)*cells+column] }
			*at(0), *at(classAt + d.Class) = 1, 1
			for k, v := range []float64{x - float64(column), y - float64(row), size(d.X1 - d.X0), size(d.Y1 - d.Y0)} {
				*at(boxAt + k) = float32(v)
			}
		}
	}
	return autograd.NewTensor32(all, len(set.Digits), channels, cells, cells)
}

func size(pixels int) float64 { return math.Log(float64(pixels) / typical) }

// loss is the sum, by canvas, of three: is there a digit, in each cell; and
// where there is one, the box (Huber) and the class (cross entropy).
func loss(output, target autograd.Value) autograd.Value {
	part := func(x autograd.Value, at, n int) autograd.Value { return x.Narrow(1, at, n) }
	perCanvas := 1 / float64(output.Dim(0))
	there := part(target, 0, 1)
	object := losses.BinaryCrossEntropyWith(part(output, 0, 1), there, losses.Options{Logits: true, Reduction: losses.Sum})
	box := losses.HuberWith(part(output, boxAt, 4).Mul(there), part(target, boxAt, 4), 0.2, losses.Options{Reduction: losses.Sum})
	class := part(output, classAt, classes).LogSoftmax(1).Mul(part(target, classAt, classes)).Sum().Neg()
	return object.Add(box.MulScalar(5)).Add(class).MulScalar(perCanvas)
}

// decode returns what the network found on canvases, by its output: for each
// cell that may have a digit the likeliest class, and of boxes that overlap the
// surest.
func decode(output autograd.Tensor) metrics.Detections {
	const least = 0.01 // of a score
	var all canvas.Boxes
	for i := range output.Dim(0) {
		for row := range cells {
			for column := range cells {
				at := func(channel int) float64 { return output.At(i, channel, row, column) }
				class, sum := 0, 0.0
				for k := range classes {
					sum += math.Exp(at(classAt + k))
					if at(classAt+k) > at(classAt+class) {
						class = k
					}
				}
				score := math.Exp(at(classAt+class)) / sum / (1 + math.Exp(-at(0)))
				if score < least {
					continue
				}
				x, y := (float64(column)+at(boxAt))*cell, (float64(row)+at(boxAt+1))*cell
				width, height := typical*math.Exp(at(boxAt+2)), typical*math.Exp(at(boxAt+3))
				all.Add(i, class, score, x-width/2, y-height/2, x+width/2, y+height/2)
			}
		}
	}
	return all.Detections().Suppress(0.5)
}
