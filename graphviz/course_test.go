package graphviz

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"strings"
	"testing"

	"nabla/autograd"
	"nabla/internal/operations"
	"nabla/internal/recording"
	"nabla/internal/recording/recordingtest"
	"nabla/losses"
)

// lessonOf returns the lesson that the view Course draws.
func lessonOf(t *testing.T, root autograd.Value, pick ...recording.Selection) *lesson {
	t.Helper()
	m, _, err := modelOf(root, root.Backward(), Options{View: Course, Select: pick}.checked())
	if err != nil {
		t.Fatal(err)
	}
	return newLesson(newCanvas(m, Options{View: Course}.checked()))
}

func ofLogits(x, y autograd.Value) autograd.Value {
	return losses.BinaryCrossEntropyWith(x, y, losses.Options{Logits: true})
}

// Each loss is written as it was recorded. Its derivative, computed here from
// the text, is what the prediction receives.
func TestLossFormulas(t *testing.T) {
	const p, y = 0.3, 0.8
	sigma := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	for name, c := range map[string]struct {
		f          func(a, y autograd.Value) autograd.Value
		loss       string
		derivative string
		slope      float64
	}{
		"half square":            {func(a, y autograd.Value) autograd.Value { return a.Sub(y).Square().MulScalar(0.5) }, "½(a − y)²", "a − y", p - y},
		"scaled":                 {func(a, y autograd.Value) autograd.Value { return a.Sub(y).MulScalar(3).Square().MulScalar(0.5) }, "½(3·(a − y))²", "", 0},
		"square":                 {func(a, y autograd.Value) autograd.Value { return a.Sub(y).Square() }, "(a − y)²", "2(a − y)", 2 * (p - y)},
		"three":                  {func(a, y autograd.Value) autograd.Value { return a.Sub(y).Square().MulScalar(3) }, "3·(a − y)²", "6·(a − y)", 6 * (p - y)},
		"target first":           {func(a, y autograd.Value) autograd.Value { return y.Sub(a).Square().MulScalar(0.5) }, "½(y − a)²", "a − y", p - y},
		"target first, absolute": {func(a, y autograd.Value) autograd.Value { return y.Sub(a).Abs() }, "|y − a|", "sign(a − y)", -1},
		"target first, Huber":    {func(a, y autograd.Value) autograd.Value { return losses.Huber(y, a, 0.25) }, "huber(y − a, δ = 0.25)", "a − y cut off at ±0.25", -0.25},
		"power":                  {func(a, y autograd.Value) autograd.Value { return a.Sub(y).PowScalar(2) }, "(a − y)²", "2(a − y)", 2 * (p - y)},
		"product":                {func(a, y autograd.Value) autograd.Value { d := a.Sub(y); return d.Mul(d) }, "(a − y)²", "2(a − y)", 2 * (p - y)},
		"halved":                 {func(a, y autograd.Value) autograd.Value { return a.Sub(y).Square().Div(a.Graph().Scalar(2)) }, "½(a − y)²", "a − y", p - y},
		"times":                  {func(a, y autograd.Value) autograd.Value { return a.Graph().Scalar(0.5).Mul(a.Sub(y).Square()) }, "½(a − y)²", "a − y", p - y},
		"cube":                   {func(a, y autograd.Value) autograd.Value { return a.Sub(y).PowScalar(3) }, "(a − y)^3", "", 0},
		"plus":                   {func(a, y autograd.Value) autograd.Value { return a.Sub(y).Square().AddScalar(3) }, "(a − y)² + 3", "", 0},
		"cut off":                {func(a, y autograd.Value) autograd.Value { return a.Sub(y).Clamp(-1, 2).Square() }, "clamp(a − y, −1, 2)²", "", 0},
		"not Huber":              {func(a, y autograd.Value) autograd.Value { d := a.Sub(y); return d.Clamp(-1, 1).Mul(d.Sub(y)) }, "clamp(a − y, −1, 1)·((a − y) − y)", "", 0},
		"MSE":                    {losses.MSE, "(a − y)²", "2(a − y)", 2 * (p - y)},
		"MAE":                    {losses.MAE, "|a − y|", "sign(a − y)", -1},
		"Huber": {func(a, y autograd.Value) autograd.Value { return losses.Huber(a, y, 0.25) },
			"huber(a − y, δ = 0.25)", "a − y cut off at ±0.25", -0.25},
		"binary": {losses.BinaryCrossEntropy, "−(y·ln a + (1 − y)·ln(1 − a))", "(a − y)/(a(1 − a))", (p - y) / (p * (1 - p))},
		"logits": {ofLogits, "(ln(1 + e^a) − y·a)", "σ(a) − y", sigma(p) - y},
		"custom": {func(a, y autograd.Value) autograd.Value { return a.Sub(y).Tanh().Exp() }, "exp(tanh(a − y))", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			g := autograd.NewGraph(autograd.Options{Trace: true})
			a := g.Variable(autograd.Scalar(p / 2)).MulScalar(2).Named("a")
			l := lessonOf(t, c.f(a, g.Scalar(y).Named("y")))
			f := l.lossFormula()
			if f.loss != c.loss || f.derivative != c.derivative || f.rows != 0 {
				t.Errorf("got %q, %q of %d rows, want %q, %q", f.loss, f.derivative, f.rows, c.loss, c.derivative)
			}
			for i := range l.Nodes {
				if sum, leads := l.fromLoss(i); leads && c.derivative != "" && math.Abs(sum-c.slope) > 1e-12 {
					t.Errorf("%s receives %v, want %v", l.Nodes[i].Title(), sum, c.slope)
				}
			}
		})
	}
}

// For a data point of a batch the mean is over all rows.
func TestLossFormulasOfABatch(t *testing.T) {
	labels := autograd.NewInts([]int{2, 0, 1, 2})
	oneHot := func(g *autograd.Graph) autograd.Value { return g.OneHot(labels, 3).As(autograd.RoleTarget) }
	for name, c := range map[string]struct {
		f                func(h autograd.Value) autograd.Value
		loss, derivative string
		rows             int
	}{
		"MSE":          {func(h autograd.Value) autograd.Value { return losses.MSE(h, oneHot(h.Graph())) }, "Σ (a − y)²/n", "2(a − y)/n", 12},
		"half":         {func(h autograd.Value) autograd.Value { return losses.MSE(h, oneHot(h.Graph())).MulScalar(0.5) }, "Σ ½(a − y)²/n", "(a − y)/n", 12},
		"sum":          {func(h autograd.Value) autograd.Value { return h.Sub(oneHot(h.Graph())).Square().Sum().MulScalar(0.5) }, "Σ ½(a − y)²", "a − y", 0},
		"nested":       {func(h autograd.Value) autograd.Value { return h.Sub(oneHot(h.Graph())).Square().Mean(1).Mean() }, "Σ (a − y)²/n", "2(a − y)/n", 12},
		"mean of sums": {func(h autograd.Value) autograd.Value { return h.Sub(oneHot(h.Graph())).Square().Sum(1).Mean() }, "Σ (a − y)²/n", "2(a − y)/n", 4},
		"weighted": {func(h autograd.Value) autograd.Value {
			weights := h.Graph().Constant(autograd.Full(3, 4, 3)).Named("r")
			return losses.MSEWith(h, oneHot(h.Graph()), losses.Options{Weights: weights})
		}, "Σ r·(a − y)²/n", "r·2(a − y)/n", 12},
		"categorical": {func(h autograd.Value) autograd.Value { return losses.CategoricalCrossEntropy(h, oneHot(h.Graph())) }, "Σ −y·ln a/n", "−y/(a·n)", 4},
		"logits": {func(h autograd.Value) autograd.Value {
			return losses.CategoricalCrossEntropyWith(h, oneHot(h.Graph()), losses.Options{Logits: true})
		},
			"Σ −y·ln softmax(a)/n", "(softmax(a) − y)/n", 4},
		"labels": {func(h autograd.Value) autograd.Value {
			return losses.CategoricalCrossEntropyLabelsWith(h, labels, losses.Options{Logits: true})
		},
			"Σ −ln(softmax(a) of the label)/n", "(softmax(a) − 1 at the label)/n", 4},
	} {
		t.Run(name, func(t *testing.T) {
			f := lessonOf(t, c.f(recordingtest.HiddenLayer()), recording.Sample(1)).lossFormula()
			if f.loss != c.loss || f.derivative != c.derivative || f.rows != c.rows {
				t.Errorf("got %q, %q of %d rows, want %q, %q", f.loss, f.derivative, f.rows, c.loss, c.derivative)
			}
		})
	}
}

// The caption says when dw is input × error, and when it is not.
func TestCourseSaysWhatDwIs(t *testing.T) {
	for name, want := range map[string]string{"half": "The ½ makes that the error itself: dw = input × error", "whole": "dw = input × error holds for ½(a − y)². Here"} {
		g := autograd.NewGraph(autograd.Options{Trace: true})
		loss := g.Variable(autograd.Scalar(2)).Mul(g.Scalar(3)).Named("a").Sub(g.Scalar(1).Named("y")).Square()
		if name == "half" {
			loss = loss.MulScalar(0.5)
		}
		var b bytes.Buffer
		if err := Write(&b, loss, loss.Backward(), Options{View: Course}); err != nil || !strings.Contains(b.String(), want) {
			t.Errorf("%s: %v, %q is missing", name, err, want)
		}
	}
}

// In the layout each gradient is in the column of its value, and the backward
// row is below the forward row.
func TestCourseColumns(t *testing.T) {
	program, err := exec.LookPath("dot")
	if err != nil {
		t.Skip("Graphviz is not installed")
	}
	for _, task := range recordingtest.HotelTasks {
		loss, _ := task.Record()
		var b, out bytes.Buffer
		if err := Write(&b, loss, loss.Backward(), Options{View: Course, Select: []recording.Selection{recording.Sample(2)}}); err != nil {
			t.Fatal(err)
		}
		c := exec.Command(program, "-Tjson")
		c.Stdin, c.Stdout = &b, &out
		if err := c.Run(); err != nil {
			t.Fatal(err)
		}
		var picture struct{ Objects []struct{ ID, Pos string } }
		if err := json.Unmarshal(out.Bytes(), &picture); err != nil {
			t.Fatal(err)
		}
		var x, y = map[string]float64{}, map[string]float64{}
		lowest, highest := map[float64]float64{}, map[float64]float64{}
		for _, o := range picture.Objects {
			if o.ID == "" {
				continue
			}
			var left, up float64
			if _, err := fmt.Sscanf(o.Pos, "%f,%f", &left, &up); err != nil {
				t.Fatal(err)
			}
			x[o.ID], y[o.ID] = left, up
			if low, known := lowest[left]; o.ID[0] == 'f' && (!known || up < low) {
				lowest[left] = up
			}
			if high, known := highest[left]; o.ID[0] == 'b' && (!known || up > high) {
				highest[left] = up
			}
		}
		for id := range x {
			if above := "f" + id[1:]; id[0] == 'b' && x[id] != x[above] {
				t.Errorf("%s: %s stands at %v, its value at %v", task.Name, id, x[id], x[above])
			}
		}
		for left, high := range highest {
			if high >= lowest[left] {
				t.Errorf("%s: in the column at %v the rows overlap", task.Name, left)
			}
		}
		l := lessonOf(t, loss, recording.Sample(2))
		for column := range l.last + 1 {
			above := math.Inf(1)
			for _, s := range l.inColumn(column) {
				if id := "f" + l.keyOf(s); y[id] >= above {
					t.Errorf("%s: %s stands too high", task.Name, l.Nodes[s.node].Title())
				} else {
					above = y[id]
				}
			}
		}
		if len(highest) < 3 {
			t.Errorf("%s: %d columns", task.Name, len(highest))
		}
	}
}

// A constant is a target only if something learned is compared with it.
func TestTargets(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	w := g.Variable(autograd.Scalar(2)).Named("w")
	data, mean, one, y := g.Scalar(3).Named("data"), g.Scalar(1).Named("mean"), g.Scalar(1), g.Scalar(7).Named("y")
	a := w.Mul(data.Sub(mean)).Sigmoid()
	center := g.Scalar(0.5).Named("centre") // a later parameter follows
	h := one.Sub(a).Mul(a).Sub(center).Mul(g.Variable(autograd.Scalar(3)))
	penalty := w.Square().MulScalar(0.1)
	m := recording.New(y.Sub(h).Square().Add(penalty), autograd.Gradients{}, 0)
	for i, target := range m.Targets() {
		if n := &m.Nodes[i]; target != (n.Name == "y") {
			t.Errorf("%s: a target is %v", n.Title(), target)
		}
	}
	marked := recording.New(h.Sub(g.Scalar(1)).Sub(g.Scalar(2).Named("t").As(autograd.RoleTarget)).Square(), autograd.Gradients{}, 0)
	for i, target := range marked.Targets() {
		if n := &marked.Nodes[i]; target != (n.Name == "t") {
			t.Errorf("%s: a target is %v, where t is marked", n.Title(), target)
		}
	}
}

func TestCourseErrors(t *testing.T) {
	loss, _ := recordingtest.HotelTasks[1].Record()
	g := autograd.NewGraph(autograd.Options{Trace: true})
	sum := g.Scalar(1)
	for range 80 {
		sum = sum.Add(g.Variable(autograd.Scalar(1))).Exp()
	}
	for name, c := range map[string]struct {
		root   autograd.Value
		advice string
	}{"tensors": {loss, "Sample(i)"}, "large": {sum, "Neurons"}} {
		err := Write(&bytes.Buffer{}, c.root, autograd.Gradients{}, Options{View: Course})
		var got *recording.ViewError
		if !errors.As(err, &got) || got.View != "Course" || !strings.Contains(got.Reason, c.advice) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Guards the box of a weight with a penalty: the penalty's part was shown as
// this row's.
func TestPenaltyStandsBesideTheRows(t *testing.T) {
	const rate = 0.01
	w, x, y := []float64{0.5, -2}, [][]float64{{1, 2}, {3, -1}, {0.5, 4}}, []float64{1, 0, -1}
	for name, penalty := range map[string]float64{"none": 0, "L2": rate} {
		g := autograd.NewGraph(autograd.Options{Trace: true})
		weights := g.Variable(autograd.NewTensor(w, 2, 1)).Named("w")
		z := g.Constant(autograd.FromNested(x)).As(autograd.RoleInput).MatMul(weights).Named("z")
		loss := losses.MSE(z, g.Constant(autograd.NewTensor(y, 3, 1)))
		if penalty > 0 {
			loss = loss.Add(weights.Square().Sum().MulScalar(penalty))
		}
		l := lessonOf(t, loss, recording.Sample(1))
		found := 0
		for i := range l.Nodes {
			n := &l.Nodes[i]
			if n.Kind != autograd.KindVariable {
				continue
			}
			k := n.Element
			found++
			got := l.partsOf(n)
			row := 2 * (x[1][0]*w[0] + x[1][1]*w[1] - y[1]) / 3 * x[1][k]
			if want := (parts{row, 2 * penalty * w[k], penalty > 0, operations.MeanOfRows}); math.Abs(got.row-want.row) > 1e-12 || math.Abs(got.rowless-want.rowless) > 1e-12 || got.beside != want.beside || got.meeting != want.meeting {
				t.Errorf("%s: the parts of w%d are %+v, want %+v", name, k, got, want)
			}
			if text := l.lower(l.spotsOf(i)[0]).String(); strings.Contains(text, "beside the rows") != (penalty > 0) {
				t.Errorf("%s: %s", name, text)
			}
		}
		if found != len(w) {
			t.Errorf("%s: %d weights are drawn", name, found)
		}
	}
}

// A term added to a loss has the derivative 1, not that of the prediction.
func TestLossFormulaWithPenalty(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	w := g.Variable(autograd.Scalar(0.5)).Named("w")
	a, y := w.Mul(g.Scalar(3)).Named("a"), g.Scalar(1).Named("y")
	penalty := w.Square().MulScalar(0.01).Named("p")
	for _, loss := range []autograd.Value{a.Sub(y).Square().Add(penalty), penalty.Add(a.Sub(y).Square())} {
		f := lessonOf(t, loss).lossFormula()
		if f.loss != "(a − y)² + p" || f.derivative != "2(a − y)" {
			t.Errorf("got %q, %q", f.loss, f.derivative)
		}
	}
	loss := a.Sub(y).Square().Add(penalty)
	var picture bytes.Buffer
	if err := Write(&picture, loss, loss.Backward(), Options{View: Course}); err != nil {
		t.Fatal(err)
	}
	for _, arrow := range []string{`label="2(a − y) = 1"`, `label="× 1 = 1"`} {
		if !strings.Contains(picture.String(), arrow) {
			t.Errorf("no %s in\n%s", arrow, &picture)
		}
	}
	both := a.Sub(y).Square().Add(a)
	if f := lessonOf(t, both).lossFormula(); f.derivative != "" {
		t.Errorf("the derivative by what is added and compared is not %q", f.derivative)
	}
}
