package page

import (
	"encoding/base64"
	"math"
	"slices"
	"strconv"

	"nabla/autograd"
	"nabla/internal/recording"
)

// A Fit is a picture of a network's predictions over the feature space, beside
// the graph: the fitted curve over one feature, or a map over two features with
// the decision boundary.
type Fit struct {
	Predict  func(x []float64) float64 // the network's prediction for one data point; called by Record, on a grid
	Features [][]float64               // of the data points to show: one or two each
	Targets  []float64                 // one for each data point
	Names    []string                  // of the features; none if empty
	Classes  []string                  // the names of the Targets 0, 1, 2, …; nil if they are not classes
	Target   string                    // a description of the Targets with their unit: "price in $"; may be empty
}

// check panics unless f can be drawn.
func (f *Fit) check() {
	const op = "page: Fit"
	if f.Predict == nil {
		panic(autograd.NewArgumentError(op, "Predict is nil"))
	}
	if len(f.Features) == 0 || len(f.Features) != len(f.Targets) {
		panic(autograd.NewArgumentError(op, "%d Features and %d Targets: there is one of each for a data point", len(f.Features), len(f.Targets)))
	}
	width := len(f.Features[0])
	for i, x := range f.Features {
		if len(x) != width || width < 1 || width > 2 {
			panic(autograd.NewArgumentError(op, "data point %d has %d features; each needs the same one or two", i, len(x)))
		}
		if !finite(append(slices.Clone(x), f.Targets[i])...) {
			panic(autograd.NewArgumentError(op, "data point %d is not finite: %v, %v", i, x, f.Targets[i]))
		}
	}
	for i, y := range f.Targets {
		if len(f.Classes) > 0 && (y != math.Trunc(y) || y < 0 || int(y) >= len(f.Classes)) {
			panic(autograd.NewArgumentError(op, "target %d is %v, which is none of %d Classes", i, y, len(f.Classes)))
		}
	}
	if len(f.Names) != 0 && len(f.Names) != width {
		panic(autograd.NewArgumentError(op, "%d Names for %d features", len(f.Names), width))
	}
}

// A fitData is what a Fit shows in each epoch.
type fitData struct {
	Features [][]float64 `json:"x"`
	Targets  []float64   `json:"y"`
	Names    []string    `json:"names,omitempty"`
	Classes  []string    `json:"classes,omitempty"`
	Target   string      `json:"target,omitempty"`
	Low      []float64   `json:"low"`
	High     []float64   `json:"high"`
	Points   int         `json:"points"` // of the grid along each axis
}

func (f *Fit) data() *fitData {
	d := &fitData{Features: f.Features, Targets: f.Targets, Points: gridPoints}
	d.Low, d.High = f.bounds()
	if f.Target != "" {
		d.Target = recording.Visible(f.Target)
	}
	for _, name := range f.Classes {
		d.Classes = append(d.Classes, recording.Visible(name))
	}
	for _, name := range f.Names {
		d.Names = append(d.Names, recording.Visible(name))
	}
	return d
}

// A fitShot is a network's predictions on a grid over the features: a curve for
// one feature; for two a picture in 255 steps from Low to High, row by row,
// with 255 for numbers that are not finite.
type fitShot struct {
	Curve []number64 `json:"curve,omitempty"`
	Cells string     `json:"cells,omitempty"` // base64
	Low   number64   `json:"low"`
	High  number64   `json:"high"`
}

const (
	curvePoints = 61
	gridPoints  = 21 // along each axis
)

// bounds returns the part of the feature space to draw: the range of the data
// points and a margin.
func (f *Fit) bounds() (low, high []float64) {
	low, high = slices.Clone(f.Features[0]), slices.Clone(f.Features[0])
	for _, x := range f.Features {
		for i, v := range x {
			low[i], high[i] = min(low[i], v), max(high[i], v)
		}
	}
	for i := range low {
		margin := 0.08 * (high[i] - low[i])
		if margin == 0 {
			margin = 1
		}
		low[i], high[i] = low[i]-margin, high[i]+margin
	}
	return low, high
}

// shoot computes the network's predictions.
func (f *Fit) shoot() *fitShot {
	low, high := f.bounds()
	at := func(axis, i, n int) float64 { return low[axis] + (high[axis]-low[axis])*float64(i)/float64(n-1) }
	var all []float64
	if len(low) == 1 {
		for i := range curvePoints {
			all = append(all, f.Predict([]float64{at(0, i, curvePoints)}))
		}
	} else {
		for j := range gridPoints {
			for i := range gridPoints {
				all = append(all, f.Predict([]float64{at(0, i, gridPoints), at(1, j, gridPoints)}))
			}
		}
	}
	n := recording.NewNumbers(autograd.NewTensor(all), 0)
	shot := &fitShot{Low: number64(n.Min), High: number64(n.Max)}
	if len(low) == 1 {
		for _, v := range all {
			shot.Curve = append(shot.Curve, number64(rounded(v)))
		}
		return shot
	}
	cells := make([]byte, len(all))
	for i, v := range all {
		cells[i] = level(v, n.Min, n.Max)
	}
	shot.Cells = base64.StdEncoding.EncodeToString(cells)
	return shot
}

// rounded returns v with the digits that a curve needs.
func rounded(v float64) float64 {
	if !finite(v) {
		return v
	}
	short, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 5, 64), 64)
	return short
}

func level(v, low, high float64) byte {
	const steps, broken = 254, 255
	switch {
	case !finite(v):
		return broken
	case high == low:
		return steps / 2
	}
	return byte(math.Round(steps * ((v/2 - low/2) / (high/2 - low/2))))
}

func finite(all ...float64) bool {
	return !slices.ContainsFunc(all, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
}
