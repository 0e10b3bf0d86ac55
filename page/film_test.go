package page_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/data"
	"nabla/graphviz"
	"nabla/internal/recording/recordingtest"
	"nabla/page"
)

// A pageData is the part of a page's data that tests check.
type pageData struct {
	Features []struct {
		N, U string
		F    *float64
		O    float64
	}
	Title   string
	Root    int
	Row     *int
	Updated []int
	Nodes   []struct {
		N, Op, K string
		Ft       int
		In       []int
		T        [][]int
		R        []any
		Own      bool
		F        float64
	}
	Frames []struct {
		Epoch   int
		V, G    []any
		E       map[string]any
		R       map[string][]any
		U       any
		Rate    float64
		Trouble []struct {
			N int
			T string
		}
		Fit *struct {
			Curve     []float64
			Cells     []byte
			Low, High float64
		}
	}
	Curve struct {
		Epochs []int
		Losses []any
	}
	Fit *struct {
		X         [][]float64
		Y         []float64
		Low, High []float64
		Points    int
	}
}

var dataElement = regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`)

// dataOf returns the data of a page.
func dataOf(t testing.TB, page []byte) (d pageData) {
	t.Helper()
	found := dataElement.FindAllSubmatch(page, -1)
	if len(found) != 1 {
		t.Fatalf("%d elements with data", len(found))
	}
	if err := json.Unmarshal(found[0][1], &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func pageOf(t testing.TB, root autograd.Value, grads autograd.Gradients, o page.Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := page.Write(&b, root, grads, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// descent records gradient descent on (w·x − y)².
func descent(film *page.Film, epochs int, change func(epoch int, g *autograd.Graph, loss autograd.Value) autograd.Value) {
	w := autograd.NewParam("w", autograd.Scalar(0.5))
	g := autograd.NewGraph(autograd.Options{Trace: true})
	for epoch := range epochs {
		g.Reset()
		loss := g.Param(w).Named("w").Mul(g.Scalar(3).Named("x")).Sub(g.Scalar(2)).Square()
		if change != nil {
			loss = change(epoch, g, loss)
		}
		gradients := loss.Backward()
		film.Record(epoch, loss, gradients)
		w.Set(autograd.Scalar(w.Tensor().Item() - 0.01*gradients.OfParam(w).Item()))
		film.Adjusted(0.01)
	}
}

func filmPage(t testing.TB, film *page.Film) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := film.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The numbers are those of w = ½: 2·(3w − 2)·3 = −3.
func TestFilmKeepsEpochs(t *testing.T) {
	film := page.NewFilm(page.Options{Title: "a film"})
	film.Keep = page.Every(2)
	descent(film, 5, nil)
	d := dataOf(t, filmPage(t, film))
	var epochs []int
	for _, f := range d.Frames {
		epochs = append(epochs, f.Epoch)
	}
	if diff := cmp.Diff([]int{0, 2, 4}, epochs); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	if d.Title != "a film" || len(d.Curve.Losses) != 5 || len(d.Curve.Epochs) != 1 {
		t.Errorf("title %q, %d losses of the epochs %v", d.Title, len(d.Curve.Losses), d.Curve.Epochs)
	}
	first := d.Frames[0]
	// "=" stands for what the page computes: 0.5·3 − 2 squared, and the
	// gradients from that of the loss
	if diff := cmp.Diff([]any{0.5, 3., "=", 2., "=", "="}, first.V); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]any{"=", nil, "=", nil, "=", 1.}, first.G); diff != "" {
		t.Errorf("gradients (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(any("="), first.U); diff != "" || first.Rate != 0.01 || d.Updated[0] != 0 {
		t.Errorf("updates of %v at rate %v (-want +got):\n%s", d.Updated, first.Rate, diff)
	}
}

// An update that is not a plain step is recorded as it is.
func TestFilmKeepsOtherUpdates(t *testing.T) {
	w := autograd.NewParam("w", autograd.Scalar(0.5))
	g := autograd.NewGraph(autograd.Options{Trace: true})
	loss := g.Param(w).Square()
	film := page.NewFilm(page.Options{})
	film.Record(7, loss, loss.Backward())
	w.Set(autograd.Scalar(0.125))
	film.Adjusted(0.1)
	film.Adjusted(0.2) // ignored: it was called already
	d := dataOf(t, filmPage(t, film))
	if diff := cmp.Diff(any([]any{0.125}), d.Frames[0].U); diff != "" || d.Frames[0].Rate != 0.1 || d.Frames[0].Epoch != 7 {
		t.Errorf("epoch %d, rate %v (-want +got):\n%s", d.Frames[0].Epoch, d.Frames[0].Rate, diff)
	}
}

// A film does not use the graph later: what it recorded outlives a Reset.
func TestFilmCopies(t *testing.T) {
	film := page.NewFilm(page.Options{})
	root := recordingtest.Network()
	film.Record(0, root, root.Backward())
	before := filmPage(t, film)
	root.Graph().Reset()
	root.Graph().Scalar(7)
	if diff := cmp.Diff(string(before), string(filmPage(t, film))); diff != "" {
		t.Error(diff)
	}
}

func TestFilmErrors(t *testing.T) {
	changes := map[string]func(epoch int, g *autograd.Graph, loss autograd.Value) autograd.Value{
		"one more value": func(epoch int, _ *autograd.Graph, loss autograd.Value) autograd.Value {
			if epoch == 2 {
				return loss.MulScalar(2)
			}
			return loss
		},
		"another operation": func(epoch int, _ *autograd.Graph, loss autograd.Value) autograd.Value {
			if epoch == 2 {
				return loss.Tanh()
			}
			return loss.Sigmoid()
		},
		"another constant": func(epoch int, _ *autograd.Graph, loss autograd.Value) autograd.Value {
			return loss.MulScalar(float64(1 + epoch/2))
		},
		"another name": func(epoch int, _ *autograd.Graph, loss autograd.Value) autograd.Value {
			return loss.MulScalar(2).Named(string(rune('a' + epoch/2)))
		},
		"another scope": func(epoch int, g *autograd.Graph, loss autograd.Value) autograd.Value {
			g.Enter(string(rune('a' + epoch/2)))
			defer g.Leave()
			return loss.MulScalar(2)
		},
		"another input": func(epoch int, g *autograd.Graph, loss autograd.Value) autograd.Value {
			return loss.Add(g.At(epoch / 2 % 2 * 2))
		},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			film := page.NewFilm(page.Options{})
			descent(film, 4, change)
			path := filepath.Join(t.TempDir(), "film.html")
			for _, err := range []error{film.Write(&bytes.Buffer{}), film.WriteFile(path)} {
				var structure *page.StructureError
				if !errors.As(err, &structure) || structure.Epoch != 2 {
					t.Errorf("got %v", err)
				}
			}
			if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("a file was left: %v", err)
			}
		})
	}
	t.Run("nothing recorded", func(t *testing.T) {
		if err := page.NewFilm(page.Options{}).Write(&bytes.Buffer{}); err == nil {
			t.Error("no error")
		}
	})
	t.Run("too many nodes", func(t *testing.T) {
		film := page.NewFilm(page.Options{MaxNodes: 3})
		descent(film, 1, nil)
		var tooMany *graphviz.TooManyNodesError
		if err := film.Write(&bytes.Buffer{}); !errors.As(err, &tooMany) || tooMany.Max != 3 {
			t.Errorf("got %v", err)
		}
	})
	t.Run("writer", func(t *testing.T) {
		film, want := page.NewFilm(page.Options{}), errors.New("disk full")
		descent(film, 1, nil)
		if err := film.Write(failingWriter{want}); !errors.Is(err, want) {
			t.Errorf("got %v", err)
		}
	})
}

func TestFilmMistakesPanic(t *testing.T) {
	predict := func([]float64) float64 { return 0 }
	fit := func(f page.Fit) func() {
		return func() { page.NewFilm(page.Options{Fit: &f}) }
	}
	vector := func() {
		g := autograd.NewGraph(autograd.Options{Trace: true})
		x := g.Variable(autograd.NewTensor([]float64{1, 2}))
		page.NewFilm(page.Options{}).Record(0, x, x.Sum().Backward())
	}
	for name, c := range map[string]struct {
		f    func()
		want any
	}{
		"every 0":          {func() { page.Every(0) }, new(*autograd.ArgumentError)},
		"negative rate":    {func() { page.NewFilm(page.Options{LearningRate: -1}) }, new(*autograd.ArgumentError)},
		"rate NaN":         {func() { page.NewFilm(page.Options{LearningRate: math.NaN()}) }, new(*autograd.ArgumentError)},
		"digits":           {func() { page.NewFilm(page.Options{Digits: 99}) }, new(*autograd.ArgumentError)},
		"adjusted first":   {func() { page.NewFilm(page.Options{}).Adjusted(1) }, new(*autograd.ArgumentError)},
		"a vector":         {vector, new(*autograd.ShapeError)},
		"no prediction":    {fit(page.Fit{Features: [][]float64{{1}}, Targets: []float64{1}}), new(*autograd.ArgumentError)},
		"no data":          {fit(page.Fit{Predict: predict}), new(*autograd.ArgumentError)},
		"too few targets":  {fit(page.Fit{Predict: predict, Features: [][]float64{{1}, {2}}, Targets: []float64{1}}), new(*autograd.ArgumentError)},
		"three features":   {fit(page.Fit{Predict: predict, Features: [][]float64{{1, 2, 3}}, Targets: []float64{1}}), new(*autograd.ArgumentError)},
		"ragged features":  {fit(page.Fit{Predict: predict, Features: [][]float64{{1, 2}, {3}}, Targets: []float64{1, 2}}), new(*autograd.ArgumentError)},
		"infinite feature": {fit(page.Fit{Predict: predict, Features: [][]float64{{math.Inf(1)}}, Targets: []float64{1}}), new(*autograd.ArgumentError)},
		"a name too many":  {fit(page.Fit{Predict: predict, Features: [][]float64{{1}}, Targets: []float64{1}, Names: []string{"a", "b"}}), new(*autograd.ArgumentError)},
	} {
		if err := autograd.Try(c.f); err == nil || !errors.As(err, c.want) {
			t.Errorf("%s: got %v, want %T", name, err, c.want)
		}
	}
}

// The curve for one feature and the picture for two match the function.
func TestFit(t *testing.T) {
	record := func(f page.Fit) pageData {
		root := recordingtest.Neuron()
		return dataOf(t, pageOf(t, root, root.Backward(), page.Options{Fit: &f}))
	}
	d := record(page.Fit{Features: [][]float64{{-1}, {3}}, Targets: []float64{0, 1}, Predict: func(x []float64) float64 { return 2*x[0] + 1 }})
	curve := d.Frames[0].Fit.Curve
	low, high := d.Fit.Low[0], d.Fit.High[0]
	if !(low < -1 && high > 3) {
		t.Errorf("drawn from %v to %v", low, high)
	}
	for i, y := range curve {
		x := low + (high-low)*float64(i)/float64(len(curve)-1)
		if math.Abs(y-(2*x+1)) > 1e-3 {
			t.Errorf("at %v the curve is %v", x, y)
		}
	}
	d = record(page.Fit{Features: [][]float64{{0, 0}, {1, 2}}, Targets: []float64{0, 1}, Predict: func(x []float64) float64 {
		if x[0] > d.Fit.High[0] {
			return math.NaN()
		}
		return x[0] - 10*x[1]
	}})
	shot, n := d.Frames[0].Fit, d.Fit.Points
	if len(shot.Cells) != n*n {
		t.Fatalf("%d cells for %d × %d", len(shot.Cells), n, n)
	}
	for j := range n {
		for i := range n {
			x := d.Fit.Low[0] + (d.Fit.High[0]-d.Fit.Low[0])*float64(i)/float64(n-1)
			y := d.Fit.Low[1] + (d.Fit.High[1]-d.Fit.Low[1])*float64(j)/float64(n-1)
			got := shot.Low + (shot.High-shot.Low)*float64(shot.Cells[j*n+i])/254
			if math.Abs(got-(x-10*y)) > (shot.High-shot.Low)/500 {
				t.Errorf("at %v, %v the picture is %v, want %v", x, y, got, x-10*y)
			}
		}
	}
	d = record(page.Fit{Features: [][]float64{{0, 0}}, Targets: []float64{0}, Predict: func(x []float64) float64 { return math.Log(x[0]) }})
	if cells := d.Frames[0].Fit.Cells; cells[0] != 255 || cells[len(cells)-1] == 255 {
		t.Errorf("a NaN is %d, a number %d", cells[0], cells[len(cells)-1])
	}
}

func TestWriteFileOfAPage(t *testing.T) {
	root := recordingtest.Neuron()
	grads, o := root.Backward(), page.Options{LearningRate: 0.1}
	path := filepath.Join(t.TempDir(), "neuron.html")
	if err := page.WriteFile(path, root, grads, o); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, pageOf(t, root, grads, o)) {
		t.Errorf("%d bytes, error %v", len(got), err)
	}
	onlyFile(t, filepath.Dir(path))
}

func TestPageIsDeterministic(t *testing.T) {
	var first []byte
	for range 5 {
		film := page.NewFilm(page.Options{})
		descent(film, 5, func(_ int, g *autograd.Graph, loss autograd.Value) autograd.Value {
			return loss.Add(g.Constant(autograd.Full(2, 3, 4)).Sum())
		})
		got := filmPage(t, film)
		if first == nil {
			first = got
		}
		if !bytes.Equal(first, got) {
			t.Fatal(cmp.Diff(string(first), string(got)))
		}
	}
}

// No name can end an element or run a script.
func FuzzPageNames(f *testing.F) {
	for _, name := range append(recordingtest.Names, "</script>", "<!--<script>", "</ScRiPt ><script>alert(1)</script>", "</title>") {
		f.Add(name)
	}
	root := recordingtest.Neuron()
	plain := structureOf(pageOf(f, root, autograd.Gradients{}, page.Options{Title: "x"}))
	f.Fuzz(func(t *testing.T, name string) {
		g := autograd.NewGraph(autograd.Options{})
		g.Enter(name)
		root := g.Variable(autograd.Scalar(1)).Named(name).Exp()
		g.Leave()
		page := pageOf(t, root, autograd.Gradients{}, page.Options{Title: name})
		if diff := cmp.Diff(plain, structureOf(page)); diff != "" {
			t.Errorf("the page's elements (-want +got):\n%s", diff)
		}
		if got := dataOf(t, page).Nodes[0].N; name != "" && (got == "" || strings.ContainsAny(got, "\n\r\t\x00")) {
			t.Errorf("the name is %q", got)
		}
	})
}

// structureOf returns the tags of a page.
func structureOf(page []byte) []string {
	return regexp.MustCompile(`(?i)</?(?:script|style|title|meta|head|body|html|!--)[ >]`).FindAllString(string(page), -1)
}

// The policy has the hashes of the page's script and style.
func TestPagePolicy(t *testing.T) {
	page := string(pageOf(t, recordingtest.Neuron(), autograd.Gradients{}, page.Options{}))
	policy := regexp.MustCompile(`http-equiv="Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page)
	if policy == nil {
		t.Fatal("no policy")
	}
	for _, part := range []string{"default-src 'none'", "script-src 'sha256-", "style-src 'sha256-"} {
		if !strings.Contains(policy[1], part) {
			t.Errorf("the policy lacks %s: %s", part, policy[1])
		}
	}
	if strings.Contains(policy[1], "unsafe") {
		t.Errorf("the policy is %s", policy[1])
	}
	if strings.Index(page, "Content-Security-Policy") > strings.Index(page, "<style") {
		t.Error("the policy stands behind what it is for")
	}
}

// The page can show a recording after other Selections too.
func TestPageOfSelections(t *testing.T) {
	g := recordingtest.Network()
	var hidden autograd.Value
	for n := range g.Ancestors() {
		if n.Value.Name() == "z" {
			hidden = n.Value
			break
		}
	}
	for name, s := range map[string]graphviz.Selection{
		"depth": graphviz.Depth(1), "fold": graphviz.Fold(), "focus": graphviz.Focus(hidden, 1, 1), "sums": graphviz.WeightedSums(), "sample": graphviz.Sample(2),
		"collapse": graphviz.Collapse(func(n autograd.Node) string { return n.Scope }),
	} {
		d := dataOf(t, pageOf(t, g, g.Backward(), page.Options{Select: []graphviz.Selection{s}}))
		if len(d.Nodes) < 3 || len(d.Frames) != 1 || len(d.Frames[0].V) != len(d.Nodes) || len(d.Frames[0].G) != len(d.Nodes) {
			t.Errorf("%s: %d values, %d frames", name, len(d.Nodes), len(d.Frames))
		}
	}
}

// Numbers have all their digits; those that JSON lacks are strings.
func TestPageNumbers(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	vector := g.Constant(autograd.NewTensor([]float64{math.NaN(), math.Inf(1), math.Inf(-1), 0.1, 5e-324, math.MaxFloat64}))
	many := g.Variable(autograd.Full(0.25, 3, 5))
	root := vector.Sum().Add(many.Sum()).Add(g.Scalar(1.0 / 3))
	d := dataOf(t, pageOf(t, root, root.Backward(), page.Options{}))
	values := d.Frames[0].V
	if diff := cmp.Diff([]any{"NaN", "Infinity", "-Infinity", 0.1, 5e-324, math.MaxFloat64}, values[0]); diff != "" {
		t.Errorf("a small tensor (-want +got):\n%s", diff)
	}
	summary := map[string]any{"min": 0.25, "mean": 0.25, "max": 0.25, "norm": math.Sqrt(15. / 16), "finite": 15.}
	if diff := cmp.Diff(summary, values[1], cmp.Comparer(func(x, y float64) bool { return math.Abs(x-y) < 1e-12 })); diff != "" {
		t.Errorf("a large tensor (-want +got):\n%s", diff)
	}
	if values[5] != 1.0/3 {
		t.Errorf("a third is %v", values[5])
	}
	if last := values[len(values)-1]; last != "NaN" {
		t.Errorf("the sum is %v", last)
	}
}

// A failingWriter fails with a given error.
type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func onlyFile(t *testing.T, dir string) {
	t.Helper()
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left over: %v, error %v", entries, err)
	}
}

// Without Trace the page would say that no backward pass was recorded: the
// first Record returns an error that says what is missing, and so does Write.
func TestFilmNeedsTrace(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	loss := g.Variable(autograd.Scalar(3)).Square()
	gradients := loss.Backward()
	film := page.NewFilm(page.Options{})
	film.Keep = func(epoch int) bool { return epoch == 5 }
	again := film.Record(2, loss, gradients)
	for _, err := range []error{again, film.Record(3, loss, gradients), film.Write(&bytes.Buffer{}), page.Write(&bytes.Buffer{}, loss, gradients, page.Options{})} {
		var trace *page.TraceError
		if !errors.As(err, &trace) || !strings.Contains(err.Error(), "Trace") {
			t.Errorf("got %v", err)
		}
	}
	if err := page.Write(&bytes.Buffer{}, loss, autograd.Gradients{}, page.Options{}); err != nil {
		t.Errorf("without gradients: %v", err)
	}
}

// An error names the function that was called.
func TestWriteNamesItself(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Variable(autograd.NewTensor([]float64{1, 2}))
	err := autograd.Try(func() { page.Write(&bytes.Buffer{}, x, autograd.Gradients{}, page.Options{}) })
	if err == nil || !strings.Contains(err.Error(), "page: Write") {
		t.Errorf("got %v", err)
	}
}

// The last epoch is shown with its initial weights, even if Keep leaves it out
// and the optimizer has changed them since.
func TestFilmShowsTheLastEpoch(t *testing.T) {
	var before []float64
	film := page.NewFilm(page.Options{})
	film.Keep = page.Every(3)
	w := autograd.NewParam("w", autograd.Scalar(0.5))
	g := autograd.NewGraph(autograd.Options{Trace: true})
	for epoch := range 6 {
		g.Reset()
		before = append(before, w.Item())
		loss := g.Param(w).Mul(g.Scalar(3)).Sub(g.Scalar(2)).Square()
		gradients := loss.Backward()
		if err := film.Record(epoch, loss, gradients); err != nil {
			t.Fatal(err)
		}
		w.Set(autograd.Scalar(0.25 * float64(epoch))) // not a plain step
		film.Adjusted(0.01)
	}
	for range 2 { // writing changes nothing
		d := dataOf(t, filmPage(t, film))
		var epochs []int
		for _, f := range d.Frames {
			epochs = append(epochs, f.Epoch)
		}
		if diff := cmp.Diff([]int{0, 3, 5}, epochs); diff != "" {
			t.Fatalf("shown (-want +got):\n%s", diff)
		}
		if got := d.Frames[2].V[0]; got != before[5] {
			t.Errorf("w is %v, was %v", got, before[5])
		}
		if diff := cmp.Diff(any([]any{1.25}), d.Frames[2].U); diff != "" {
			t.Errorf("new w (-want +got):\n%s", diff)
		}
	}
	if w.Item() != 1.25 {
		t.Errorf("writing changed w to %v", w.Item())
	}
	g.Reset() // from here on the last epoch is not available
	if d := dataOf(t, filmPage(t, film)); len(d.Frames) != 2 {
		t.Errorf("%d epochs after a Reset", len(d.Frames))
	}
}

// Columns give the page names, units and scales of the inputs and targets.
func TestColumns(t *testing.T) {
	x := data.FromRows([]float64{1, 10}, []float64{3, 30}, []float64{5, 20})
	scaler := data.FitStandard(x)
	g := autograd.NewGraph(autograd.Options{Trace: true})
	in := g.Constant(scaler.Transform(x).Tensor()).Named("x").As(autograd.RoleInput)
	w := g.Variable(autograd.NewTensor([]float64{1, 2}, 2, 1)).Named("w")
	y := g.Constant(autograd.NewTensor([]float64{0, 1, 2}, 3, 1)).Named("y").As(autograd.RoleTarget)
	loss := in.MatMul(w).Sub(y).Square().Mean()
	d := dataOf(t, pageOf(t, loss, loss.Backward(), page.Options{
		Select: []graphviz.Selection{graphviz.Sample(1)},
		Inputs: page.Columns{Names: []string{"distance", "rating"}, Units: []string{"miles", ""}, Scaler: scaler}, Targets: page.Columns{Names: []string{"price"}, Units: []string{"$"}},
	}))
	got := map[string]float64{}
	for i, n := range d.Nodes {
		if n.Ft > 0 {
			f, v := d.Features[n.Ft-1], d.Frames[0].V[i].(float64)
			if f.F != nil {
				v = *f.F*v + f.O
			}
			got[n.N+" "+f.N+" "+f.U] = math.Round(v*1e9) / 1e9
		}
	}
	if diff := cmp.Diff(map[string]float64{"x1 distance miles": 3, "x2 rating ": 30, "y price $": 1}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, c := range map[string]page.Columns{
		"a unit too few": {Names: []string{"a", "b"}, Units: []string{"m"}},
		"two names":      {Names: []string{"a"}, Scaler: scaler},
		"not straight":   {Names: []string{"a", "b"}, Scaler: squares{}},
	} {
		var wrong *autograd.ArgumentError
		if err := autograd.Try(func() { page.NewFilm(page.Options{Inputs: c}) }); !errors.As(err, &wrong) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// squares is a scaler that is not linear.
type squares struct{}

func (squares) Inverse(x data.Matrix) data.Matrix {
	y := data.NewMatrix(x.Rows, x.Cols)
	for i, v := range x.Values {
		y.Values[i] = v * v
	}
	return y
}
