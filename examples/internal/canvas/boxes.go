package canvas

import (
	"nabla/autograd"
	"nabla/metrics"
)

// Boxes gathers detections one by one.
type Boxes struct {
	boxes, scores   []float64
	classes, images []int
}

// Add adds a box on an image: left, top, right, bottom.
func (b *Boxes) Add(image, class int, score float64, left, top, right, bottom float64) {
	b.boxes, b.scores = append(b.boxes, left, top, right, bottom), append(b.scores, score)
	b.classes, b.images = append(b.classes, class), append(b.images, image)
}

// Detections returns all of them.
func (b *Boxes) Detections() metrics.Detections {
	n := len(b.scores)
	return metrics.Detections{
		Boxes: autograd.NewTensor(b.boxes, n, 4), Scores: autograd.NewTensor(b.scores, n),
		Classes: autograd.NewInts(b.classes, n), Images: autograd.NewInts(b.images, n),
	}
}

// Detections returns the boxes of the digits that are on the canvases.
func (s Set) Detections() metrics.Detections {
	var all Boxes
	for i, digits := range s.Digits {
		for _, d := range digits {
			all.Add(i, d.Class, 1, float64(d.X0), float64(d.Y0), float64(d.X1), float64(d.Y1))
		}
	}
	return all.Detections()
}
