package metrics_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/metrics"
)

func TestBoxIoU(t *testing.T) {
	a := tensor([]float64{0, 0, 2, 2, 1, 1, 1, 3}, 2, 4)
	b := tensor([]float64{0, 0, 2, 2, 1, 1, 3, 3, 2, 0, 4, 2, nan, 0, 1, 1, 0.5, 0.5, 1.5, 1.5}, 5, 4)
	want := []float64{1, 1. / 7, 0, nan, 0.25, 0, 0, 0, nan, 0}
	got := metrics.BoxIoU(a, b)
	if diff := cmp.Diff([]int{2, 5}, got.Shape()) + cmp.Diff(want, got.Float64s(), approximately); diff != "" {
		t.Error(diff)
	}
	if got := metrics.BoxIoU(autograd.Zeros(0, 4), b).Shape(); !slices.Equal(got, []int{0, 5}) {
		t.Errorf("shape %v", got)
	}
}

func TestNonMaximumSuppression(t *testing.T) {
	// Boxes in a line, each half over the next: the middle one goes, and what
	// only it would have removed stays.
	boxes := tensor([]float64{0, 0, 10, 1, 5, 0, 15, 1, 10, 0, 20, 1, 0, 0, 10, 1}, 4, 4)
	scores := tensor([]float64{0.9, 0.8, 0.7, 0.9})
	for _, c := range []struct {
		threshold float64
		want      []int
	}{{0.3, []int{0, 2}}, {1. / 3, []int{0, 1, 2}}, {1, []int{0, 3, 1, 2}}, {0, []int{0, 2}}} {
		if diff := cmp.Diff(c.want, metrics.NonMaximumSuppression(boxes, scores, c.threshold)); diff != "" {
			t.Errorf("%v: %s", c.threshold, diff)
		}
	}
	if got := metrics.NonMaximumSuppression(autograd.Zeros(0, 4), autograd.Zeros(0), 0.5); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

func TestSuppress(t *testing.T) {
	d := metrics.Detections{
		Boxes:  tensor([]float64{0, 0, 2, 2, 0, 0, 2, 2, 0, 0, 2, 2, 0, 0, 2, 2}, 4, 4),
		Scores: tensor([]float64{0.5, 0.9, 0.6, 0.7}), Classes: labels(1, 1, 2, 1), Images: labels(7, 7, 7, 8),
	}
	got := d.Suppress(0.5)
	if diff := cmp.Diff([]float64{0.9, 0.7, 0.6}, got.Scores.Float64s()) + cmp.Diff([]int{1, 1, 2}, got.Classes.Values()) +
		cmp.Diff([]int{7, 8, 7}, got.Images.Values()) + cmp.Diff([]int{3, 4}, got.Boxes.Shape()); diff != "" {
		t.Error(diff)
	}
}

// found builds detections of one row each: image, class, score, box.
func found(rows ...[7]float64) metrics.Detections {
	var boxes, scores []float64
	var classes, images []int
	for _, r := range rows {
		images, classes, scores = append(images, int(r[0])), append(classes, int(r[1])), append(scores, r[2])
		boxes = append(boxes, r[3:]...)
	}
	return metrics.Detections{
		Boxes: tensor(boxes, len(rows), 4), Scores: tensor(scores, len(rows)), Classes: labels(classes...), Images: labels(images...),
	}
}

// Worked by hand: class 0 has boxes A and B in image 0, and C in image 1.
func TestAveragePrecisionsByHand(t *testing.T) {
	actual := found([7]float64{0, 0, 0, 0, 0, 10, 10}, [7]float64{0, 0, 0, 20, 0, 30, 10}, [7]float64{1, 0, 0, 0, 0, 10, 10}, [7]float64{1, 2, 0, 0, 0, 4, 4})
	predicted := found(
		[7]float64{0, 0, 0.9, 0, 0, 10, 10},   // finds A
		[7]float64{0, 0, 0.8, 1, 0, 10, 10},   // finds A again: wrong
		[7]float64{1, 0, 0.7, 20, 20, 30, 30}, // finds nothing
		[7]float64{1, 0, 0.6, 0, 0, 10, 5},    // finds C, with an IoU of exactly ½
		[7]float64{0, 1, 0.5, 0, 0, 10, 10},   // a class that does not occur
	)
	// Precisions 1/1 and 2/4 at the recalls 1/3 and 2/3; B is not found.
	want := []float64{1./3 + 1./3*0.5, nan, 0}
	if diff := cmp.Diff(want, metrics.AveragePrecisions(predicted, actual, 0.5), approximately); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff((1./3+1./6)/2, metrics.MeanAveragePrecision(predicted, actual, 0.5), approximately); diff != "" {
		t.Error(diff)
	}
	// From 0.55 on only A is found.
	if diff := cmp.Diff(((1./3+1./6)/2+9*(1./3)/2)/10, metrics.MeanAveragePrecision(predicted, actual, metrics.COCOThresholds()...), approximately); diff != "" {
		t.Error(diff)
	}
	// The envelope: right, wrong, right, right gives 1, then 3/4 twice.
	steps := found([7]float64{0, 0, 0.9, 0, 0, 10, 10}, [7]float64{0, 0, 0.8, 50, 0, 60, 10}, [7]float64{0, 0, 0.7, 20, 0, 30, 10}, [7]float64{1, 0, 0.6, 0, 0, 10, 10})
	if diff := cmp.Diff((1+0.75+0.75)/3, metrics.AveragePrecisions(steps, actual, 0.5)[0], approximately); diff != "" {
		t.Error(diff)
	}
}

func TestDetectionEdges(t *testing.T) {
	none := metrics.Detections{Boxes: autograd.Zeros(0, 4), Scores: autograd.Zeros(0), Classes: labels(), Images: labels()}
	box := found([7]float64{3, 0, 0.5, 0, 0, 1, 1})
	truth := metrics.Detections{Boxes: box.Boxes, Classes: box.Classes, Images: box.Images} // without scores
	bad := found([7]float64{3, 0, nan, 0, 0, 1, 1})
	flat := found([7]float64{3, 0, 0.9, 1, 1, 0, 0}, [7]float64{3, 0, 0.5, 0, 0, 1, 1})
	got := []float64{
		metrics.MeanAveragePrecision(none, none, 0.5), metrics.MeanAveragePrecision(box, none, 0.5), metrics.MeanAveragePrecision(none, truth, 0.5),
		metrics.MeanAveragePrecision(box, truth, 0.5, 0.75), metrics.MeanAveragePrecision(bad, truth, 0.5), metrics.AveragePrecisions(bad, truth, 0.5)[0],
		metrics.MeanAveragePrecision(flat, truth, 0.5),
	}
	if diff := cmp.Diff([]float64{nan, nan, 0, 1, nan, nan, 0.5}, got, approximately); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]float64{0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95}, metrics.COCOThresholds()); diff != "" {
		t.Error(diff)
	}
	if got := none.Suppress(0.5); got.Boxes.Dim(0) != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

// slowAP is the definition: it accepts the best k predictions for every k,
// matches each set anew, and integrates the envelope over a list of recalls.
func slowAP(predicted, actual [][7]float64, class, threshold float64) float64 {
	var mine, truth [][7]float64
	for _, p := range predicted {
		if p[1] == class {
			mine = append(mine, p)
		}
	}
	for _, a := range actual {
		if a[1] == class {
			truth = append(truth, a)
		}
	}
	slices.SortStableFunc(mine, func(a, b [7]float64) int { return int(math.Copysign(1, b[2]-a[2])) })
	var precisions, recalls []float64
	for k := 1; k <= len(mine); k++ {
		used, hits := map[int]bool{}, 0
		for _, p := range mine[:k] {
			best, most := -1, -1.0
			for j, a := range truth {
				width := math.Min(p[5], a[5]) - math.Max(p[3], a[3])
				height := math.Min(p[6], a[6]) - math.Max(p[4], a[4])
				common := math.Max(width, 0) * math.Max(height, 0)
				iou := common / ((p[5]-p[3])*(p[6]-p[4]) + (a[5]-a[3])*(a[6]-a[4]) - common)
				if a[0] == p[0] && !used[j] && iou >= threshold && iou > most {
					best, most = j, iou
				}
			}
			if best >= 0 {
				used[best] = true
				hits++
			}
		}
		precisions, recalls = append(precisions, float64(hits)/float64(k)), append(recalls, float64(hits)/float64(len(truth)))
	}
	sum := 0.0
	for r := 1; r <= len(truth); r++ { // every recall that can be reached
		best := 0.0
		for k, recall := range recalls {
			if recall >= float64(r)/float64(len(truth))-1e-12 {
				best = math.Max(best, precisions[k])
			}
		}
		sum += best / float64(len(truth))
	}
	return sum
}

func TestAveragePrecisionsAgainstSlowTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 30 {
		var predicted, actual [][7]float64
		for range 12 {
			x, y := float64(rng.IntN(30)), float64(rng.IntN(30))
			row := [7]float64{float64(rng.IntN(2)), float64(rng.IntN(2)), 0, x, y, x + 5 + float64(rng.IntN(9)), y + 5 + float64(rng.IntN(9))}
			actual = append(actual, row)
			for range rng.IntN(3) { // near it, or anywhere, sometimes with the same score
				near := row
				near[2] = float64(rng.IntN(40))
				near[3+rng.IntN(4)] += float64(rng.IntN(5)) - 2
				if rng.IntN(4) == 0 {
					near[1] = float64(rng.IntN(2))
				}
				predicted = append(predicted, near)
			}
		}
		for _, threshold := range []float64{0.3, 0.5, 0.75} {
			want := []float64{slowAP(predicted, actual, 0, threshold), slowAP(predicted, actual, 1, threshold)}
			got := metrics.AveragePrecisions(found(predicted...), found(actual...), threshold)
			if diff := cmp.Diff(want[:len(got)], got, cmp.Comparer(func(x, y float64) bool { return math.Abs(x-y) < 1e-12 })); diff != "" {
				t.Errorf("threshold %v: %s", threshold, diff)
			}
		}
	}
}
