package plot

import (
	"fmt"
	"image/color"
	"math"
	"strconv"

	gonum "gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"nabla/autograd"
	"nabla/internal/palette"
	"nabla/metrics"
)

// Confusion draws a confusion matrix: a row for each actual class, a column for
// each predicted one, and in each cell how many rows were counted. A cell is
// the darker, the larger its share of its row.
func Confusion(m *metrics.ConfusionMatrix) *gonum.Plot {
	shares, counts := make([][]float64, len(m.Counts)), make([][]string, len(m.Counts))
	for i, row := range m.Counts {
		total := 0
		for _, n := range row {
			total += n
		}
		for _, n := range row {
			shares[i] = append(shares[i], float64(n)/math.Max(1, float64(total)))
			counts[i] = append(counts[i], strconv.Itoa(n))
		}
	}
	p := grid(shares, counts, m.Classes, m.Classes, blues)
	p.X.Label.Text, p.Y.Label.Text = "predicted", "actual"
	return p
}

// blues is a scale from white to blue.
func blues(part float64) color.RGBA { return palette.Mix(palette.White, palette.Blue, part) }

// ROC draws the receiver operating characteristic of a classifier, with the
// area below it. Of two classes, prediction and target are [n] or [n, 1], and
// targets 0 or 1; of more they are [n, classes], and each class has a curve of
// its own against the others, with a name. The dashed line is chance.
//
// It panics as [metrics.ROC] does, and with an *[autograd.ShapeError] unless
// there is a name for each of several classes.
func ROC(prediction, target autograd.Tensor, names ...string) *gonum.Plot {
	p := unitSquare("false positive rate", "true positive rate")
	p.Add(straight{plotter.XY{}, plotter.XY{X: 1, Y: 1}})
	addCurves(p, "plot: ROC", prediction, target, names, func(p *gonum.Plot, i int, prediction, target autograd.Tensor) string {
		c := metrics.ROC(prediction, target)
		Series{X: c.X, Y: c.Y}.add(p, "plot: ROC", lineOf(i))
		return fmt.Sprintf("area %.3f", metrics.ROCAUC(prediction, target))
	})
	return p
}

// PrecisionRecall draws the precision of a classifier over its recall, with its
// average precision, for what [ROC] takes. Precision is constant between two
// recalls, as in the sum that [metrics.AveragePrecision] is.
//
// It panics as [ROC] does.
func PrecisionRecall(prediction, target autograd.Tensor, names ...string) *gonum.Plot {
	p := unitSquare("recall", "precision")
	addCurves(p, "plot: PrecisionRecall", prediction, target, names, func(p *gonum.Plot, i int, prediction, target autograd.Tensor) string {
		c := metrics.PrecisionRecall(prediction, target)
		var s Series
		for k := 1; k < len(c.X); k++ {
			if c.X[k] == c.X[k-1] {
				continue // the precision falls until the recall rises
			}
			s.X, s.Y = append(s.X, c.X[k-1], c.X[k]), append(s.Y, c.Y[k], c.Y[k])
		}
		s.add(p, "plot: PrecisionRecall", lineOf(i))
		return fmt.Sprintf("average %.3f", metrics.AveragePrecision(prediction, target))
	})
	return p
}

// unitSquare returns a plot whose axes run from 0 to 1.
func unitSquare(x, y string) *gonum.Plot {
	p := New()
	p.X.Label.Text, p.Y.Label.Text = x, y
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1
	p.Add(gridLines{})
	return p
}

// addCurves adds a curve for each class, and a key with what add says of it.
func addCurves(p *gonum.Plot, op string, prediction, target autograd.Tensor, names []string, add func(p *gonum.Plot, i int, prediction, target autograd.Tensor) string) {
	if prediction.Rank() != 2 || prediction.Dim(1) == 1 {
		addKey(p, lineEntry(add(p, 0, prediction, target), lineOf(0)))
		return
	}
	rows, classes := prediction.Dim(0), prediction.Dim(1)
	if target.Rank() != 2 || target.Dim(0) != rows || target.Dim(1) != classes {
		panic(autograd.NewShapeError(op, "prediction and target differ in shape", prediction.Shape(), target.Shape()))
	}
	if len(names) != classes {
		panic(autograd.NewShapeError(op, "there is not one name for each class", prediction.Shape(), []int{len(names)}))
	}
	column := func(t autograd.Tensor, class int) autograd.Tensor {
		all := make([]float64, rows)
		for row := range all {
			all[row] = t.At(row, class)
		}
		return autograd.NewTensor(all, rows)
	}
	var entries []entry
	for class, name := range names {
		says := add(p, class, column(prediction, class), column(target, class))
		entries = append(entries, lineEntry(name+": "+says, lineOf(class)))
	}
	addKey(p, entries...)
}

// Attention draws the weights [queries, keys] with which tokens attend to
// others, from white for 0 to blue for the largest, with a name for each row
// and column. Any other matrix of numbers from 0 up may be drawn with it. It
// panics with an *[autograd.ShapeError] unless there are as many names.
func Attention(weights autograd.Tensor, queries, keys []string) *gonum.Plot {
	if weights.Rank() != 2 || weights.Dim(0) != len(queries) || weights.Dim(1) != len(keys) {
		panic(autograd.NewShapeError("plot: Attention", "the weights and the names differ", weights.Shape(), []int{len(queries), len(keys)}))
	}
	numbers := weights.Float64s()
	most := 0.0
	for _, v := range numbers {
		if isFinite(v) {
			most = math.Max(most, v)
		}
	}
	rows := make([][]float64, len(queries))
	for i := range rows {
		for _, v := range numbers[i*len(keys) : (i+1)*len(keys)] {
			rows[i] = append(rows[i], v/most) // NaN is white
		}
	}
	p := grid(rows, nil, queries, keys, blues)
	addKey(p, scaleEntry("0 to "+short(most), blues))
	return p
}

// grid draws a matrix as cells, the first row above, with texts in them if
// there are any.
func grid(parts [][]float64, texts [][]string, rows, columns []string, scale func(part float64) color.RGBA) *gonum.Plot {
	p := New()
	p.X.Min, p.X.Max = -0.5, math.Max(1, float64(len(columns)))-0.5
	p.Y.Min, p.Y.Max = -0.5, math.Max(1, float64(len(rows)))-0.5
	p.X.Padding, p.Y.Padding = 0, 0
	p.X.Tick.Color, p.Y.Tick.Color = color.White, color.White // they only keep names and cells apart
	style := p.X.Tick.Label
	style.Font.Size = letterFor(len(columns), len(rows))
	style.XAlign, style.YAlign = draw.XCenter, draw.YCenter
	p.Add(&cells{parts, texts, scale, style})
	p.Y.Tick.Label.Font.Size = letterFor(len(rows), 0)
	p.Y.Tick.Marker = names(reversed(rows))
	p.X.Tick.Label.Font.Size = letterFor(len(columns), 0)
	p.X.Tick.Marker = names(columns)
	if !fit(columns, p.X.Tick.Label) {
		apart := make(names, len(columns)) // a turned label would touch the axis
		for i, name := range columns {
			apart[i] = name + "  "
		}
		p.X.Tick.Marker = apart
		p.X.Tick.Label.Rotation = math.Pi / 2
		p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = draw.XRight, draw.YCenter
	}
	return p
}

// letterFor returns the size of letters in cells, of which there are so many
// beside and above each other.
func letterFor(columns, rows int) vg.Length {
	return vg.Length(math.Max(5, math.Min(10.5, math.Min(200/float64(max(1, rows)), 330/float64(max(1, columns))))))
}

// fit reports whether names of columns stand side by side.
func fit(columns []string, style draw.TextStyle) bool {
	for _, name := range columns {
		if style.Width(name) > keyWidth/vg.Length(len(columns))-4 {
			return false
		}
	}
	return true
}

func reversed(all []string) []string {
	turned := make([]string, len(all))
	for i, s := range all {
		turned[len(all)-1-i] = s
	}
	return turned
}

// names are ticks at 0, 1, 2, …
type names []string

func (n names) Ticks(_, _ float64) []gonum.Tick {
	all := make([]gonum.Tick, len(n))
	for i, name := range n {
		if name == "" {
			name = " " // an empty label would make it a minor tick
		}
		all[i] = gonum.Tick{Value: float64(i), Label: name}
	}
	return all
}

// cells are coloured boxes, the first row above.
type cells struct {
	parts [][]float64
	texts [][]string
	scale func(part float64) color.RGBA
	style draw.TextStyle
}

func (g *cells) Plot(c draw.Canvas, p *gonum.Plot) {
	x, y := transforms(&c, p)
	for i, row := range g.parts {
		level := float64(len(g.parts) - 1 - i)
		for j, part := range row {
			box := vg.Rectangle{
				Min: vg.Point{X: x(float64(j) - 0.5), Y: y(level - 0.5)},
				Max: vg.Point{X: x(float64(j) + 0.5), Y: y(level + 0.5)},
			}
			c.SetColor(g.scale(part))
			c.Fill(box.Path())
			c.SetLineStyle(draw.LineStyle{Color: faint, Width: vg.Points(0.5)})
			c.Stroke(box.Path())
			if g.texts == nil {
				continue
			}
			style := g.style
			style.Color = ink
			if part > 0.55 {
				style.Color = color.White
			}
			c.FillText(style, vg.Point{X: (box.Min.X + box.Max.X) / 2, Y: (box.Min.Y + box.Max.Y) / 2}, g.texts[i][j])
		}
	}
}
