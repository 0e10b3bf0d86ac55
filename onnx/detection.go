package onnx

import (
	"math"
	"slices"

	"nabla/autograd"
	"nabla/onnx/internal/message"
)

// detection are operators that look for objects in images.
func detection() map[string]operator {
	return map[string]operator{
		"NonMaxSuppression": {since(10, 11), 2, 5, 1, buildNonMaxSuppression},
		"RoiAlign":          {since(10, 16, 22), 3, 3, 1, buildRoiAlign},
	}
}

// A box has corners, the lesser coordinates first.
type box struct{ y1, x1, y2, x2 float64 }

func boxOf(b []float64, centered bool) box {
	if centered {
		return box{b[1] - b[3]/2, b[0] - b[2]/2, b[1] + b[3]/2, b[0] + b[2]/2}
	}
	return box{min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3])}
}

func (b box) area() float64 { return (b.y2 - b.y1) * (b.x2 - b.x1) }

// overlap returns the share that two boxes have in common.
func (b box) overlap(o box) float64 {
	common := box{max(b.y1, o.y1), max(b.x1, o.x1), min(b.y2, o.y2), min(b.x2, o.x2)}
	if common.y2 <= common.y1 || common.x2 <= common.x1 {
		return 0
	}
	return common.area() / (b.area() + o.area() - common.area())
}

// buildNonMaxSuppression keeps the boxes of the best scores that do not overlap
// with better ones, for each class.
func buildNonMaxSuppression(n *node) func(*call) {
	centered := n.bool("center_point_box", false)
	return func(c *call) {
		boxes, scores := c.tensor(0).shape(), c.tensor(1).shape()
		if len(boxes) != 3 || len(scores) != 3 || boxes[0] != scores[0] || boxes[1] != scores[2] || boxes[2] != 4 {
			c.failShapes("the boxes and scores do not fit each other", boxes, scores)
		}
		most, overlap, least := 0, 0.0, math.Inf(-1)
		if c.has(2) {
			most = c.integer(2)
		}
		if c.has(3) {
			overlap = c.number(3)
		}
		if c.has(4) {
			least = c.number(4)
		}
		found := []int64{}
		corners, of := c.floats(0), c.floats(1)
		for batch := range scores[0] {
			for class := range scores[1] {
				row := of[(batch*scores[1]+class)*scores[2]:][:scores[2]]
				own := corners[batch*boxes[1]*4:][:boxes[1]*4]
				for _, i := range c.bestBoxes(own, row, centered, most, overlap, least) {
					found = append(found, int64(batch), int64(class), int64(i))
				}
			}
		}
		c.set(0, ofInts(message.Int64, found, len(found)/3, 3))
	}
}

func (c *call) bestBoxes(corners, scores []float64, centered bool, most int, overlap, least float64) []int {
	order := []int{}
	for i, s := range scores {
		if s > least {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int { return int(truth(scores[i] < scores[j]) - truth(scores[i] > scores[j])) })
	var kept []int
	for _, i := range order {
		if len(kept) >= most {
			break
		}
		b := boxOf(corners[4*i:], centered)
		if !slices.ContainsFunc(kept, func(j int) bool { return boxOf(corners[4*j:], centered).overlap(b) > overlap }) {
			kept = append(kept, i)
		}
	}
	return kept
}

// aligning are the settings of RoiAlign.
type aligning struct {
	greatest      bool // in place of the mean
	shift         float64
	whole         bool // regions are at least one pixel wide
	height, width int
	samples       int
	scale         float64
}

// buildRoiAlign cuts regions out of images, each into as many parts, which are
// means of samples between the pixels.
func buildRoiAlign(n *node) func(*call) {
	a := aligning{
		greatest: n.oneOf("mode", "avg", "avg", "max") == "max", height: n.int("output_height", 1), width: n.int("output_width", 1),
		samples: n.int("sampling_ratio", 0), scale: n.float("spatial_scale", 1), whole: true,
	}
	if n.version >= 16 && n.oneOf("coordinate_transformation_mode", "half_pixel", "half_pixel", "output_half_pixel") == "half_pixel" {
		a.shift, a.whole = 0.5, false
	}
	if a.height < 1 || a.width < 1 || a.samples < 0 {
		n.wrong("RoiAlign makes %d×%d parts of %d samples", a.height, a.width, a.samples)
	}
	return func(c *call) {
		x, regions, batches := c.value(0), c.tensor(1).shape(), c.list(2)
		if x.Rank() != 4 || x.Size() == 0 || len(regions) != 2 || regions[1] != 4 || regions[0] != len(batches) {
			c.failShapes("the regions do not fit x", x.Shape(), regions)
		}
		c.room([]int{regions[0], x.Dim(1), a.height, a.width})
		if regions[0] == 0 {
			c.setLike(0, c.graph().Full(0, 0, x.Dim(1), a.height, a.width))
			return
		}
		corners := c.floats(1)
		parts := make([]value, regions[0])
		for i, b := range batches {
			if b < 0 || b >= x.Dim(0) {
				panic(autograd.NewIndexError(c.title(), "batch index", b, x.Dim(0)))
			}
			parts[i] = c.align(a, x.Select(0, b), corners[4*i:4*i+4])
		}
		c.setLike(0, autograd.Stack(0, parts...))
	}
}

// align returns the parts of one region, [channels, height, width].
func (c *call) align(a aligning, x value, corners []float64) value {
	x1, y1 := corners[0]*a.scale-a.shift, corners[1]*a.scale-a.shift
	width, height := corners[2]*a.scale-a.shift-x1, corners[3]*a.scale-a.shift-y1
	if a.whole {
		width, height = max(width, 1), max(height, 1)
	}
	across, down := a.count(width, a.width), a.count(height, a.height)
	c.room([]int{x.Dim(0), a.height, a.width, across, down})
	above, below := c.pixels(y1, height/float64(a.height*down), a.height*down, x.Dim(1))
	left, right := c.pixels(x1, width/float64(a.width*across), a.width*across, x.Dim(2))
	// [channels, height·down, width·across] by weights of rows and columns.
	samples := func(rows, columns value) value {
		return rows.MatMul(x).MatMul(columns.T()).Reshape(x.Dim(0), a.height, down, a.width, across)
	}
	if !a.greatest {
		return samples(above.Add(below), left.Add(right)).Mean(2, 4)
	}
	// The greatest is that of the neighbours, each times its weight.
	y := samples(above, left).Maximum(samples(above, right))
	return y.Maximum(samples(below, left)).Maximum(samples(below, right)).Max(2, 4)
}

// count returns how many samples a part has along an axis.
func (a aligning) count(length float64, parts int) int {
	if a.samples > 0 {
		return a.samples
	}
	return int(max(1, min(math.Ceil(length/float64(parts)), math.MaxInt32)))
}

// pixels returns the weights of n pixels in samples by steps, [samples, n]: of
// the ones before the samples, and of the ones behind.
func (c *call) pixels(start, step float64, samples, n int) (before, behind value) {
	c.room([]int{samples, n})
	weights := [2][]float64{make([]float64, samples*n), make([]float64, samples*n)}
	for i := range samples {
		at := start + (float64(i)+0.5)*step
		if !(at >= -1 && at <= float64(n)) {
			continue
		}
		at = min(max(at, 0), float64(n-1))
		first := int(at)
		weights[0][i*n+first] = 1 - (at - float64(first))
		weights[1][i*n+min(first+1, n-1)] = at - float64(first)
	}
	g := c.graph()
	return g.Constant(autograd.NewTensor(weights[0], samples, n)), g.Constant(autograd.NewTensor(weights[1], samples, n))
}
