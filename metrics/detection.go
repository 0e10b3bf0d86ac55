package metrics

import (
	"fmt"
	"math"
	"slices"

	"nabla/autograd"
)

// Detections are boxes in images: those that a detector found, with scores, or
// those that are there, without.
type Detections struct {
	Boxes   autograd.Tensor // [n, 4]: left, top, right, bottom
	Scores  autograd.Tensor // [n], higher is surer; the zero Tensor for what is there
	Classes autograd.Ints   // [n], from 0
	Images  autograd.Ints   // [n], any numbers
}

// MeanAveragePrecision returns how well a detector finds boxes and their
// classes, from 0 to 1: the mean over the classes of [AveragePrecisions], and
// over the thresholds. VOC has one threshold, 0.5; COCO averages over
// [COCOThresholds]. Classes that do not occur are left out, also if they are
// predicted.
//
// It panics as [AveragePrecisions] does, and with an *[autograd.ArgumentError]
// without a threshold.
//
// Special cases are:
//
//	MeanAveragePrecision where there is no box = NaN
//	MeanAveragePrecision with a NaN among the predictions = NaN
func MeanAveragePrecision(predicted, actual Detections, thresholds ...float64) float64 {
	const op = "metrics: MeanAveragePrecision"
	if len(thresholds) == 0 {
		panic(autograd.NewArgumentError(op, "no threshold of the intersection over union is given: 0.5, or COCOThresholds()..."))
	}
	d := newDetector(op, predicted, actual)
	sum := 0.0
	for _, threshold := range thresholds {
		mustBeShare(op, threshold)
		if d.hasNaN {
			return math.NaN()
		}
		sum += meanExcept(d.averagePrecisions(threshold), nil)
	}
	return sum / float64(len(thresholds))
}

// COCOThresholds returns 0.5, 0.55, …, 0.95: averaged over them, boxes count
// more the better they fit.
func COCOThresholds() []float64 {
	thresholds := make([]float64, 10)
	for i := range thresholds {
		thresholds[i] = float64(50+5*i) / 100
	}
	return thresholds
}

// AveragePrecisions returns the average precision of each class, up to the
// highest one that occurs: the area under precision as a function of recall,
// when the predictions of the class are accepted from the highest score down.
//
// A prediction is right if a box of its class and image, to which none with a
// higher score belongs, overlaps with it with an intersection over union of at
// least the threshold; of several it takes the one with the greatest. Of equal
// scores the first counts as higher. Where recall stays the same or grows, the
// precision is the best at that recall or above, at every recall, as in VOC
// since 2010; COCO reads the same curve at 101 recalls.
//
//	AP = Σ (rₖ − rₖ₋₁) · max_{j≥k} pⱼ
//
// It panics with an *[autograd.ShapeError] if the numbers of boxes, scores,
// classes and images differ, with an *[autograd.IndexError] for a negative
// class, and with an *[autograd.ArgumentError] if the threshold is not in [0,
// 1], or one of the actual boxes is NaN or has no area: it could not be found.
//
// Special cases are:
//
//	a class that does not occur has NaN
//	a class that occurs and is never predicted has 0
//	with a NaN among the predictions, all have NaN
//	a predicted box without area is wrong
func AveragePrecisions(predicted, actual Detections, threshold float64) []float64 {
	const op = "metrics: AveragePrecisions"
	mustBeShare(op, threshold)
	d := newDetector(op, predicted, actual)
	if !d.hasNaN {
		return d.averagePrecisions(threshold)
	}
	nans := make([]float64, d.classes)
	for i := range nans {
		nans[i] = math.NaN()
	}
	return nans
}

// Suppress returns what is left of detections by [NonMaximumSuppression] within
// each image and class, in descending order of the scores. It panics as that
// does, and as [AveragePrecisions] for arguments that do not fit.
func (d Detections) Suppress(threshold float64) Detections {
	const op = "metrics: Detections.Suppress"
	boxes := d.check(op, "")
	scores := scoresOf(op, d.Scores, len(boxes))
	mustBeShare(op, threshold)
	mustNotBeNaN(op, boxes, scores)
	groups := map[place][]int{}
	for _, i := range byScore(scores) {
		p := place{d.Images.Values()[i], d.Classes.Values()[i]}
		groups[p] = append(groups[p], i)
	}
	var kept []int
	for _, order := range groups {
		kept = append(kept, suppress(boxes, scores, order, threshold)...)
	}
	rank := make([]int, len(boxes))
	for k, i := range byScore(scores) {
		rank[i] = k
	}
	slices.SortFunc(kept, func(i, j int) int { return rank[i] - rank[j] })
	return Detections{d.Boxes.Take(kept...), d.Scores.Take(kept...), d.Classes.Take(kept...), d.Images.Take(kept...)}
}

// check panics unless there are as many classes and images as boxes, which it
// returns. What is "predicted ", "actual " or empty.
func (d Detections) check(op, what string) [][4]float64 {
	boxes := boxesOf(op, d.Boxes)
	for _, ints := range []struct {
		name   string
		values autograd.Ints
	}{{"classes", d.Classes}, {"images", d.Images}} {
		if shape := ints.values.Shape(); len(shape) != 1 || shape[0] != len(boxes) {
			panic(autograd.NewShapeError(op, fmt.Sprintf("the %s%s are not one for each box", what, ints.name), shape, []int{len(boxes)}))
		}
	}
	for i, class := range d.Classes.Values() {
		if class < 0 {
			panic(autograd.NewIndexError(op, fmt.Sprintf("%sclasses[%d] =", what, i), class, math.MaxInt))
		}
	}
	return boxes
}

// A place is where boxes may belong together.
type place struct{ image, class int }

// A detector is what a detector found, to be compared with what is there.
type detector struct {
	classes     int // the highest class that occurs, and 1
	boxes       [][4]float64
	at          []place // by prediction
	order       []int   // of the predictions
	actual      map[place][][4]float64
	actualCount []int // by class
	hasNaN      bool
}

func newDetector(op string, predicted, actual Detections) *detector {
	d := &detector{boxes: predicted.check(op, "predicted "), actual: map[place][][4]float64{}}
	scores := scoresOf(op, predicted.Scores, len(d.boxes))
	for i, box := range actual.check(op, "actual ") {
		if !(area(box) > 0) {
			panic(autograd.NewArgumentError(op, "actual box %d, %v, has no area", i, box))
		}
		p := place{actual.Images.Values()[i], actual.Classes.Values()[i]}
		d.actual[p] = append(d.actual[p], box)
		d.classes = max(d.classes, p.class+1)
	}
	d.actualCount = make([]int, d.classes)
	for p, boxes := range d.actual {
		d.actualCount[p.class] += len(boxes)
	}
	d.hasNaN = anyNaN(scores)
	for i, box := range d.boxes {
		d.hasNaN = d.hasNaN || anyNaN(box[:])
		d.at = append(d.at, place{predicted.Images.Values()[i], predicted.Classes.Values()[i]})
	}
	d.order = byScore(scores)
	return d
}

// averagePrecisions returns the average precision of each class.
func (d *detector) averagePrecisions(threshold float64) []float64 {
	taken := make(map[place][]bool, len(d.actual))
	for p, boxes := range d.actual {
		taken[p] = make([]bool, len(boxes))
	}
	right := make([][]bool, d.classes) // by class, in the order of the scores
	for _, i := range d.order {
		if p := d.at[i]; p.class < d.classes {
			right[p.class] = append(right[p.class], take(d.boxes[i], d.actual[p], taken[p], threshold))
		}
	}
	scores := make([]float64, d.classes)
	for class := range scores {
		scores[class] = interpolated(right[class], d.actualCount[class])
	}
	return scores
}

// take marks the box that a prediction finds, and reports whether there is one.
func take(box [4]float64, actual [][4]float64, taken []bool, threshold float64) bool {
	best, most := -1, 0.0
	for k, candidate := range actual {
		if overlap := boxIoU(box, candidate); !taken[k] && overlap >= threshold && overlap > most {
			best, most = k, overlap
		}
	}
	if best >= 0 {
		taken[best] = true
	}
	return best >= 0
}

// interpolated returns the area under the best precisions at each recall or
// above, of predictions in descending order that are right or not, where so
// many could be found. Recall grows where a prediction is right.
func interpolated(right []bool, actual int) float64 {
	hits := 0
	for _, r := range right {
		if r {
			hits++
		}
	}
	sum, best := 0.0, 0.0
	for k, r := range slices.Backward(right) {
		if r {
			best = max(best, float64(hits)/float64(k+1))
			sum += best
			hits--
		}
	}
	return sum / float64(actual)
}
