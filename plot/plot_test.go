package plot_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	gonum "gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"

	"nabla/autograd"
	"nabla/metrics"
	"nabla/optim"
	"nabla/plot"
	"nabla/train"
)

// The same plot gives the same bytes, and so does one of the same data.
func TestSameBytes(t *testing.T) {
	first, second := shared(), gallery()
	for name := range first {
		for _, format := range formats() {
			once, other := encode(t, first[name], format), encode(t, second[name], format)
			if !bytes.Equal(once, other) {
				t.Errorf("%s.%s differs from one time to the next", name, format)
			}
			for _, date := range regexp.MustCompile(`D:\d{14}`).FindAll(once, -1) {
				if string(date) != "D:20000101000000" {
					t.Errorf("%s.%s says when it was written: %s", name, format, date)
				}
			}
		}
	}
}

// formats are all, but under the race detector only the quickest: there are no
// goroutines.
func formats() []string {
	if raceDetector {
		return []string{"svg"}
	}
	return []string{"png", "svg", "pdf"}
}

func encode(t *testing.T, p *gonum.Plot, format string) []byte {
	t.Helper()
	content, err := plot.Encode(p, format, 600, 400)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// A lettering is a text and the box that it takes, in points.
type lettering struct {
	text string
	vg.Rectangle
}

// letterings returns all texts of a plot, as they are drawn.
func letterings(p *gonum.Plot, width, height int) []lettering {
	var c recorder.Canvas
	plot.DrawOn(draw.NewCanvas(&c, plot.Inches(width), plot.Inches(height)), p)
	var all []lettering
	turned := []float64{0}
	for _, action := range c.Actions {
		switch a := action.(type) {
		case *recorder.Push:
			turned = append(turned, turned[len(turned)-1])
		case *recorder.Pop:
			turned = turned[:len(turned)-1]
		case *recorder.Rotate:
			turned[len(turned)-1] += a.Angle
		case *recorder.FillString:
			style := p.X.Tick.Label
			style.Font = a.Font
			style.Rotation = 0
			text := strings.TrimSpace(a.String)
			sin, cos := math.Sincos(turned[len(turned)-1])
			at := func(x, y vg.Length) vg.Point {
				return vg.Point{X: x*vg.Length(cos) - y*vg.Length(sin), Y: x*vg.Length(sin) + y*vg.Length(cos)}
			}
			a0, a1 := at(a.Point.X, a.Point.Y), at(a.Point.X+style.Width(text), a.Point.Y+style.Font.Size*0.7)
			all = append(all, lettering{text, vg.Rectangle{
				Min: vg.Point{X: min(a0.X, a1.X), Y: min(a0.Y, a1.Y)}, Max: vg.Point{X: max(a0.X, a1.X), Y: max(a0.Y, a1.Y)},
			}})
		}
	}
	return all
}

// At 600 pixels no text is cut off, small, or written over another one.
func TestLegible(t *testing.T) {
	width, height := plot.Inches(600), plot.Inches(400)
	for name, p := range shared() {
		texts := letterings(p, 600, 400)
		for i, a := range texts {
			if a.Min.X < 0 || a.Min.Y < 0 || a.Max.X > width || a.Max.Y > height {
				t.Errorf("%s: %q is cut: %v", name, a.text, a.Rectangle)
			}
			if size := min(a.Size().X, a.Size().Y); len(a.text) > 1 && size < 6 {
				t.Errorf("%s: %q is %.1f points high", name, a.text, size)
			}
			for _, b := range texts[:i] {
				if a.Min.X < b.Max.X && b.Min.X < a.Max.X && a.Min.Y < b.Max.Y && b.Min.Y < a.Max.Y {
					t.Errorf("%s: %q is written over %q", name, a.text, b.text)
				}
			}
		}
		if len(texts) == 0 && name != "sheet" {
			t.Errorf("%s has no text", name)
		}
	}
}

func TestTicks(t *testing.T) {
	texts := func(all []gonum.Tick) string {
		var labels []string
		for _, tick := range all {
			labels = append(labels, tick.Label)
		}
		return strings.Join(labels, " ")
	}
	for _, c := range []struct {
		of     func(lo, hi float64) []gonum.Tick
		lo, hi float64
		want   string
	}{
		{plot.NumberTicks, 0, 1, "0 0.2 0.4 0.6 0.8 1.0"},
		{plot.NumberTicks, -1, 1, "-1.0 -0.5 0 0.5 1.0"},
		{plot.NumberTicks, 0.031, 0.87, "0.2 0.4 0.6 0.8"},
		{plot.NumberTicks, 57, 385, "100 200 300"},
		{plot.NumberTicks, 0, 4e7, "0 1e7 2e7 3e7 4e7"},
		{plot.NumberTicks, 0, 3.2e-5, "0 1e-5 2e-5 3e-5"},
		{plot.NumberTicks, 999.5, 1000.5, "999.6 999.8 1000.0 1000.2 1000.4"},
		{plot.WholeTicks, 1, 3, "1 2 3"},
		{plot.WholeTicks, 1, 800, "200 400 600 800"},
		{plot.PowerTicks, 0.003, 8, "0.005 0.01 0.02 0.05 0.1 0.2 0.5 1 2 5"},
		{plot.PowerTicks, 0.00003, 8, "1e-4 0.001 0.01 0.1 1"},
		{plot.PowerTicks, 0.04, 0.87, "0.05 0.1 0.2 0.5"},
		{plot.PowerTicks, 2, 3, "2.0 2.2 2.4 2.6 2.8 3.0"},
		{plot.PowerTicks, 1e-12, 1e2, "1e-12 1e-9 1e-6 0.001 1"},
	} {
		got := strings.Join(strings.Fields(texts(c.of(c.lo, c.hi))), " ")
		if got != c.want {
			t.Errorf("from %v to %v: %q, want %q", c.lo, c.hi, got, c.want)
		}
	}
	for _, width := range []float64{0, math.Inf(1), math.NaN(), 1e-300, 1e308} {
		if n := len(plot.NumberTicks(1, 1+width)); n > 12 {
			t.Errorf("%d ticks over %v", n, width)
		}
	}
	for width := 2.0; width < 1e4; width += 2 { // numbers of which there are only the even ones
		const odd = 1<<53 + 2
		if n := len(plot.NumberTicks(odd, odd+width)); n < 2 || n > 12 {
			t.Errorf("%d ticks from %d over %v", n, odd, width)
		}
	}
}

// The line between classes of a circle lies on the circle.
func TestContour(t *testing.T) {
	ends := plot.Contour([2]float64{-2, -2}, [2]float64{2, 2}, func(x, y float64) float64 { return math.Hypot(x, y) - 1.3 })
	if len(ends) < 200 {
		t.Fatalf("%d ends", len(ends))
	}
	length := 0.0
	for i := 0; i < len(ends); i += 2 {
		a, b := ends[i], ends[i+1]
		if r := math.Hypot(a[0], a[1]); math.Abs(r-1.3) > 1e-3 {
			t.Errorf("an end at distance %v", r)
		}
		length += math.Hypot(a[0]-b[0], a[1]-b[1])
	}
	if want := 2 * math.Pi * 1.3; math.Abs(length-want) > 0.01*want {
		t.Errorf("the line is %v long, want %v", length, want)
	}
}

// The ground has the colours of what the network says, and points those of
// their classes, in the right places.
func TestBoundaryColours(t *testing.T) {
	points := autograd.NewTensor([]float64{0, 0, 4, 0, 0, 4, 4, 4}, 4, 2)
	classes := autograd.NewInts([]int{0, 1, 0, 1})
	left := func(x autograd.Tensor) autograd.Tensor { // class 1 right of 2
		out := make([]float64, x.Dim(0))
		for i := range out {
			out[i] = 1 / (1 + math.Exp(-8*(x.At(i, 0)-2)))
		}
		return autograd.NewTensor(out, x.Dim(0), 1)
	}
	picture := decode(t, plot.Boundary(points, classes, left, "a", "b"))
	if c := at(picture, 0.2, 0.5); !(c.B > c.R+30) {
		t.Errorf("the left is not blue: %v", c)
	}
	if c := at(picture, 0.85, 0.5); !(c.R > c.B+30) {
		t.Errorf("the right is not orange: %v", c)
	}
	upper := func(x autograd.Tensor) autograd.Tensor { // class 2 above 2, else by the left and right
		out := make([]float64, 3*x.Dim(0))
		for i := range x.Dim(0) {
			out[3*i], out[3*i+1], out[3*i+2] = 2-x.At(i, 0), x.At(i, 0)-2, 10*(x.At(i, 1)-2)
		}
		return autograd.NewTensor(out, x.Dim(0), 3)
	}
	picture = decode(t, plot.Boundary(points, classes, upper, "a", "b", "c"))
	if c := at(picture, 0.5, 0.2); !(c.G > c.R+30 && c.G > c.B) {
		t.Errorf("above it is not green: %v", c)
	}
	if c := at(picture, 0.3, 0.7); !(c.B > c.R+30) {
		t.Errorf("left below it is not blue: %v", c)
	}
}

// The ground of a map is blue where the prediction is low and orange where it
// is high, and purple where there is none; a curve goes where predict says.
func TestFitColours(t *testing.T) {
	corners := autograd.NewTensor([]float64{0, 0, 10, 10}, 2, 2)
	first := func(x autograd.Tensor) autograd.Tensor {
		out := make([]float64, x.Dim(0))
		for i := range out {
			if out[i] = x.At(i, 0); x.At(i, 1) > 8 {
				out[i] = math.NaN()
			}
		}
		return autograd.NewTensor(out)
	}
	picture := decode(t, plot.Fit(corners, autograd.NewTensor([]float64{0, 10}), first))
	if c := at(picture, 0.25, 0.6); !(c.B > c.R+50) {
		t.Errorf("a low prediction is not blue: %v", c)
	}
	if c := at(picture, 0.9, 0.6); !(c.R > c.B+50) {
		t.Errorf("a high prediction is not orange: %v", c)
	}
	if c := at(picture, 0.5, 0.13); !(c.R > c.G+50 && c.B > c.G+30) {
		t.Errorf("NaN is not purple: %v", c)
	}

	line := autograd.NewTensor([]float64{0, 10}, 2, 1)
	picture = decode(t, plot.Fit(line, autograd.NewTensor([]float64{0, 10}), func(x autograd.Tensor) autograd.Tensor {
		return autograd.Full(5, x.Dim(0), 1)
	}))
	orange := 0
	for y := range 400 {
		if c := at(picture, 0.4, float64(y)/400); c.R > 180 && c.B < 60 {
			if orange++; y < 170 || y > 230 {
				t.Errorf("the curve at half the height is at %d of 400", y)
			}
		}
	}
	if orange == 0 {
		t.Error("there is no curve")
	}
}

// Images stand in the order of reading, as bright as their numbers; cells of a
// confusion matrix have actual classes from above.
func TestCells(t *testing.T) {
	dark, bright := color.RGBA{0, 0, 0, 255}, color.RGBA{255, 255, 255, 255}
	picture := decode(t, plot.Sheet(autograd.NewTensor([]float64{0, 1, 1, 0, 0, 1}, 6, 1, 1, 1)))
	for i, want := range []color.RGBA{dark, bright, bright, dark, dark, bright} {
		if c := at(picture, 0.2+0.3*float64(i%3), 0.25+0.5*float64(i/3)); c != want {
			t.Errorf("image %d is %v", i, c)
		}
	}
	counts := metrics.NewConfusionMatrix(autograd.NewInts([]int{1, 1, 1, 0}), autograd.NewInts([]int{0, 0, 1, 1}), "a", "b") // all a taken for b
	picture = decode(t, plot.Confusion(counts))
	for _, c := range []struct{ x, y, share float64 }{{0.2, 0.15, 0}, {0.9, 0.15, 1}, {0.2, 0.7, 0.5}, {0.9, 0.7, 0.5}} {
		got := at(picture, c.x, c.y)
		if want := 255 * (1 - c.share); math.Abs(float64(got.R)-want) > 1 {
			t.Errorf("the cell at %v, %v is %v, of a share of %v", c.x, c.y, got, c.share)
		}
	}
}

func decode(t *testing.T, p *gonum.Plot) image.Image {
	t.Helper()
	picture, err := png.Decode(bytes.NewReader(encode(t, p, "png")))
	if err != nil {
		t.Fatal(err)
	}
	if size := picture.Bounds().Size(); size != image.Pt(600, 400) {
		t.Fatalf("the picture is %v", size)
	}
	return picture
}

// at returns the colour at parts of the width and height, from the left above.
func at(picture image.Image, x, y float64) color.RGBA {
	return color.RGBAModel.Convert(picture.At(int(600*x), int(400*y))).(color.RGBA)
}

func history(losses, validation []float64) train.History {
	var h train.History
	for i, loss := range losses {
		e := train.Epoch{Number: i + 1, Train: train.Report{Loss: loss}}
		if validation != nil {
			e.Validation = &train.Report{Loss: validation[i]}
		}
		h = append(h, e)
	}
	return h
}

func TestBestEpoch(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		history train.History
		want    string
	}{
		{history([]float64{3, 2, 1}, []float64{3, 2, 2.5}), "best: 2 in epoch 2"},
		{history([]float64{3, 1, 1}, nil), "best: 1 in epoch 2"},
		{history([]float64{nan, 5}, nil), "best: 5 in epoch 2"},
	} {
		if svg := string(encode(t, plot.Loss(c.history), "svg")); !strings.Contains(svg, ">"+c.want+"<") {
			t.Errorf("no %q", c.want)
		}
	}
}

// The Params of a layer count as one vector, and an update of 0 is a gap.
func TestNorms(t *testing.T) {
	looks := []train.Look{
		{Step: 1, Params: []train.ParamLook{{Name: "a.weight", Weight: 3, Update: 3}, {Name: "a.bias", Weight: 4, Update: 4}, {Name: "b", Weight: 1, Update: 0.5}}},
		{Step: 2, Params: []train.ParamLook{{Name: "a.weight", Weight: 6, Update: 0}, {Name: "a.bias", Weight: 8, Update: 0}, {Name: "b", Weight: 1, Update: 0.5}}},
	}
	p := plot.Norms(looks, plot.WeightNorm)
	if p.X.Min != 1 || p.X.Max != 2 || p.Y.Min != 1 || p.Y.Max != 10 {
		t.Errorf("weights: x from %v to %v, y from %v to %v", p.X.Min, p.X.Max, p.Y.Min, p.Y.Max)
	}
	if _, isLog := p.Y.Scale.(gonum.LogScale); !isLog {
		t.Error("the axis is not logarithmic")
	}
	p = plot.Norms(looks, plot.UpdateShare)
	if p.Y.Min != 0.5 || p.Y.Max != 1 {
		t.Errorf("updates: y from %v to %v", p.Y.Min, p.Y.Max)
	}
	var texts []string
	for _, text := range letterings(p, 600, 400) {
		texts = append(texts, text.text)
	}
	for _, want := range []string{"a", "b", "update ÷ weights"} {
		if !slices.Contains(texts, want) {
			t.Errorf("no %q among %q", want, texts)
		}
	}
	p = plot.DeadUnits([]train.Look{{Step: 1, Units: []train.UnitLook{{Name: "relu1", Dead: 1, Units: 4}}}, {Step: 9}})
	if svg := string(encode(t, p, "svg")); !strings.Contains(svg, ">relu1<") {
		t.Error("no relu1")
	}
	many := train.Look{Step: 1}
	for i := range 30 {
		many.Params = append(many.Params, train.ParamLook{Name: fmt.Sprintf("layer%d.weight", i), Weight: 1})
	}
	if svg := string(encode(t, plot.Norms([]train.Look{many}, plot.WeightNorm), "svg")); !strings.Contains(svg, ">layer0 to layer29<") {
		t.Error("many layers have no scale")
	}
}

// What has no numbers, or none that are finite, is drawn all the same.
func TestNothingToDraw(t *testing.T) {
	nan := math.NaN()
	none := autograd.Zeros(0)
	for name, p := range map[string]*gonum.Plot{
		"no epochs":         plot.Loss(nil),
		"one epoch":         plot.Loss(history([]float64{1}, nil)),
		"only NaN":          plot.Loss(history([]float64{nan, nan}, []float64{nan, nan})),
		"no lines":          plot.Lines(),
		"no points":         plot.Scatter(none, none),
		"equal points":      plot.Scatter(autograd.Ones(3), autograd.Ones(3)),
		"points of NaN":     plot.Scatter(autograd.NewTensor([]float64{nan}), autograd.Ones(1)),
		"no samples":        plot.Histograms(),
		"an empty sample":   plot.Histograms(plot.Sample{Name: "a", Values: none}),
		"a sample of NaN":   plot.Histograms(plot.Sample{Name: "a", Values: autograd.NewTensor([]float64{nan, math.Inf(1)})}),
		"no classes":        plot.Confusion(metrics.NewConfusionMatrix(autograd.NewInts(nil, 0), autograd.NewInts(nil, 0))),
		"an empty matrix":   plot.Confusion(metrics.NewConfusionMatrix(autograd.NewInts(nil, 0), autograd.NewInts(nil, 0), "a", "b")),
		"scores of NaN":     plot.ROC(autograd.NewTensor([]float64{nan}), autograd.Ones(1)),
		"one class only":    plot.ROC(autograd.Ones(2), autograd.Ones(2)),
		"weights of 0":      plot.Attention(autograd.Zeros(1, 2), []string{"a"}, []string{"b", ""}),
		"no weights":        plot.Attention(autograd.Zeros(0, 0), nil, nil),
		"no looks":          plot.Norms(nil, plot.WeightNorm),
		"no units":          plot.DeadUnits(nil),
		"one step":          plot.Schedule(optim.Constant(0.1), 1),
		"a logarithm of 0":  logY(plot.Lines(plot.Series{Y: []float64{0, 1}})),
		"a logarithm alone": logY(plot.Lines(plot.Series{Y: []float64{3}})),
	} {
		for _, format := range formats() {
			if _, err := plot.Encode(p, format, 600, 400); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func logY(p *gonum.Plot) *gonum.Plot {
	plot.LogY(p)
	return p
}

func TestMistakes(t *testing.T) {
	var shape *autograd.ShapeError
	var argument *autograd.ArgumentError
	var index *autograd.IndexError
	one := func(x autograd.Tensor) autograd.Tensor { return autograd.Zeros(1, 1) }
	for name, c := range map[string]struct {
		f    func()
		want any
	}{
		"lengths":          {func() { plot.Scatter(autograd.Ones(2), autograd.Ones(3)) }, &shape},
		"series":           {func() { plot.Lines(plot.Series{X: []float64{1}, Y: []float64{1, 2}}) }, &shape},
		"three features":   {func() { plot.Fit(autograd.Ones(2, 3), autograd.Ones(2), one) }, &shape},
		"targets":          {func() { plot.Fit(autograd.Ones(2, 1), autograd.Ones(3), one) }, &shape},
		"predictions":      {func() { plot.Fit(autograd.Ones(2, 1), autograd.Ones(2), one) }, &shape},
		"no rows":          {func() { plot.Fit(autograd.Zeros(0, 1), autograd.Zeros(0), one) }, &argument},
		"class":            {func() { plot.ScatterClasses(autograd.Ones(1, 2), autograd.NewInts([]int{1}), "a") }, &index},
		"one column":       {func() { plot.ScatterClasses(autograd.Ones(1, 1), autograd.NewInts([]int{0}), "a") }, &shape},
		"a class short":    {func() { plot.ScatterClasses(autograd.Ones(2, 2), autograd.NewInts([]int{0}), "a") }, &shape},
		"boundary":         {func() { plot.Boundary(autograd.Ones(1, 2), autograd.NewInts([]int{0}), one, "a", "b") }, &shape},
		"boundary of none": {func() { plot.Boundary(autograd.Zeros(0, 2), autograd.NewInts(nil, 0), one, "a", "b") }, &argument},
		"names":            {func() { plot.Attention(autograd.Ones(1, 2), []string{"a"}, nil) }, &shape},
		"sheet":            {func() { plot.Sheet(autograd.Ones(2, 2)) }, &shape},
		"labels":           {func() { plot.Sheet(autograd.Ones(2, 1, 2, 2), "a") }, &shape},
		"curve names":      {func() { plot.ROC(autograd.Ones(2, 3), autograd.Ones(2, 3), "a") }, &shape},
		"curve shapes":     {func() { plot.ROC(autograd.Ones(2, 3), autograd.Ones(2), "a", "b", "c") }, &shape},
		"steps":            {func() { plot.Schedule(optim.Constant(0.1), 0) }, &argument},
		"norm":             {func() { plot.Norms(nil, 9) }, &argument},
		"histogram":        {func() { plot.WeightsOver([]train.Look{{Params: []train.ParamLook{{Name: "w"}}}}, "w") }, &argument},
		"size":             {func() { plot.Encode(plot.New(), "png", 0, 3) }, &argument},
		"metric":           {func() { plot.Metric(history([]float64{1}, nil), "none") }, &argument},
	} {
		if err := autograd.Try(c.f); !errors.As(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSave(t *testing.T) {
	folder := t.TempDir()
	p := plot.Lines(plot.Series{Y: []float64{1, 2}})
	for extension, begins := range map[string]string{".png": "\x89PNG", ".SVG": "<?xml", ".pdf": "%PDF"} {
		path := filepath.Join(folder, "p"+extension)
		if err := plot.Save(p, path); err != nil {
			t.Error(err)
		}
		if content, _ := os.ReadFile(path); !strings.HasPrefix(string(content), begins) {
			t.Errorf("%s begins with %q", path, content[:min(9, len(content))])
		}
	}
	if err := plot.Save(p, filepath.Join(folder, "p.gif")); err == nil {
		t.Error("a format that there is not was written")
	}
	if err := plot.Save(p, filepath.Join(folder, "p.png", "p.png")); err == nil {
		t.Error("a file was written into a file")
	}
	if files, _ := os.ReadDir(folder); len(files) != 3 {
		t.Errorf("%d files", len(files))
	}
}

// The ground of a map fills its axes in an SVG too, where a picture would keep
// its proportions.
func TestGroundInSVG(t *testing.T) {
	svg := string(encode(t, shared()["fit2"], "svg"))
	if strings.Count(svg, "<image ") != 1 || !strings.Contains(svg, `<image preserveAspectRatio="none" `) {
		t.Error("the picture keeps its proportions")
	}
	if fonts := strings.Count(svg, "font-family:"); fonts == 0 || fonts != strings.Count(svg, "font-family:Liberation Sans,Arial,") {
		t.Error("there is no other font where one is missing")
	}
}

// Numbers that are all the same have a place among bars, however large.
func TestHistogramsOfOneNumber(t *testing.T) {
	for _, v := range []float64{0, 1, 1e16, -1e100, math.MaxFloat64} {
		plot.Histograms(plot.Sample{Name: "bias", Values: autograd.Full(v, 3)})
	}
}

// Bars hold each number once, at both ends too.
func TestCount(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	values := []float64{-1, 1, 0, math.NaN(), math.Inf(1), 1}
	for range 1000 {
		values = append(values, 2*rng.Float64()-1)
	}
	bins := plot.Count(values, -1, 1)
	want := make([]float64, len(bins))
	for _, v := range values {
		for k := range want {
			lo, hi := -1+2*float64(k)/float64(len(bins)), -1+2*float64(k+1)/float64(len(bins))
			if v >= lo-1e-12 && (v < hi-1e-12 || k == len(bins)-1 && v == 1) {
				want[k]++
				break
			}
		}
	}
	if diff := cmp.Diff(want, bins, cmpopts.EquateApprox(0, 0)); diff != "" {
		t.Error(diff)
	}
}

func TestSpark(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		values []float64
		want   string
	}{
		{nil, ""},
		{[]float64{5}, "▁"},
		{[]float64{0, 1, 2, 3, 4, 5, 6, 7}, "▁▂▃▄▅▆▇█"},
		{[]float64{7, nan, inf, 0}, "█××▁"},
		{[]float64{-1.7e308, 0, 1.7e308}, "▁▅█"},
	} {
		if got := plot.SparkLine(c.values); got != c.want {
			t.Errorf("%v: %q, want %q", c.values, got, c.want)
		}
	}
	many := make([]float64, 1000)
	for i := range many {
		many[i] = float64(1000 - i)
	}
	line := plot.SparkLine(many)
	if n := len([]rune(line)); n != 60 || !strings.HasPrefix(line, "█████▇") || !strings.HasSuffix(line, "▁") {
		t.Errorf("%d columns: %s", n, line)
	}
	if got := plot.Spark(nil); got != "no epochs" {
		t.Error(got)
	}
}

func ExampleSpark() {
	var history train.History
	for n := 1; n <= 12; n++ {
		loss := 1 / float64(n)
		history = append(history, train.Epoch{Number: n, Train: train.Report{Loss: loss}})
	}
	fmt.Println(plot.Spark(history))
	// Output: loss 1 █▄▃▂▂▂▁▁▁▁▁▁ 0.08333
}
