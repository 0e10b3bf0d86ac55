package browser

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"nabla/autograd"
	"nabla/graphviz"
	"nabla/layers"
	"nabla/losses"
	"nabla/optim"
	"nabla/page"
)

// fitted films a network on a batch whose features are scaled for it, and of
// which the fit is drawn in the features' own units. With answer it says
// something else of the prediction. The page is the last epoch's, with an
// element of the first parameter changed where change is true.
func fitted(t *testing.T, features int, answer func(prediction float64) float64, change bool) []byte {
	t.Helper()
	rng := rand.New(rand.NewPCG(8, 1))
	model := layers.NewSequential(layers.NewDense(rng, features, 3), layers.Tanh(), layers.NewDense(rng, 3, 1))
	var raw [][]float64
	var scaled, y []float64
	scale := func(v float64) float64 { return (v - 40) / 12 }
	for range 16 {
		x := make([]float64, features)
		for k := range x {
			x[k] = 30 + 25*rng.Float64()
			scaled = append(scaled, scale(x[k]))
		}
		raw, y = append(raw, x), append(y, rng.Float64())
	}
	f := page.NewFilm(page.Options{
		Select: []graphviz.Selection{graphviz.Sample(2), graphviz.WeightedSums()},
		Fit: &page.Fit{Features: raw, Targets: y, Predict: func(x []float64) float64 {
			row := make([]float64, len(x))
			for k := range x {
				row[k] = scale(x[k])
			}
			g := autograd.NewGraph(autograd.Options{NoGrad: true})
			return answer(model.Forward(g.Constant(autograd.NewTensor(row, 1, len(row)))).Item())
		}},
	})
	optimizer := optim.NewSGD(0.1)
	for epoch := range 3 {
		if change && epoch == 2 {
			p := model.Params()[0]
			data := slices.Clone(p.Tensor().Float64s())
			data[1] = 2.5
			p.Set(autograd.NewTensor(data, p.Tensor().Shape()...))
		}
		g := autograd.NewGraph(autograd.Options{Trace: true})
		loss := losses.MSE(model.Forward(g.Constant(autograd.NewTensor(scaled, 16, features)).Named("x")), g.Constant(autograd.NewTensor(y, 16, 1)).Named("y")).Named("loss")
		gradients := loss.Backward()
		f.Record(epoch, loss, gradients)
		optimizer.Step(gradients)
	}
	var page bytes.Buffer
	if err := f.Write(&page); err != nil {
		t.Fatal(err)
	}
	return page.Bytes()
}

// The fitted curve and the map over two features follow a changed weight, as
// Go draws them.
func TestFitFollows(t *testing.T) {
	inUnits := func(y float64) float64 { return 300 - 70*y }
	p := open(t, fitted(t, 1, inUnits, false))
	for _, features := range []int{1, 2} {
		p.show(fitted(t, features, inUnits, false))
		p.eval(fmt.Sprintf(`(setEpoch(2), state.changes.set(raw.nodes.find(n => n.n === %q).raw, 2.5), recompute())`, "w[0,1]"))
		got := p.numbers("fitShown")
		p.is(`document.querySelector("#fit h2").textContent`, "What the network predicts")
		p.show(fitted(t, features, inUnits, true))
		p.eval("setEpoch(2)")
		want := p.numbers("fitShown")
		p.eval("setEpoch(0)")
		before := p.numbers("fitShown")
		low, high := slices.Min(want), slices.Max(want)
		moved := 0.0
		for i := range want {
			if math.Abs(got[i]-want[i]) > (high-low)/200 {
				t.Errorf("%d features, point %d: %v, Go says %v", features, i, got[i], want[i])
			}
			moved = math.Max(moved, math.Abs(before[i]-want[i]))
		}
		if moved < (high-low)/10 {
			t.Errorf("%d features: the fit moved by %v only", features, moved)
		}
		p.quiet()
	}
}

// Of a network of single numbers, whose inputs are the features, the boundary
// follows too.
func TestFitOfNeuronsFollows(t *testing.T) {
	page, _ := film(t)
	p := open(t, page)
	p.eval("setEpoch(5)")
	before := p.numbers("fitShown")
	w := p.eval(`raw.nodes.find(n => n.n === "w1").raw`)
	// After a change to the same number the fit stays, up to the 254 steps in
	// which it is recorded.
	p.eval(fmt.Sprintf(`(state.changes.set(%s, world.values[%s]), recompute())`, w, w))
	p.is(`document.querySelector("#fit h2").textContent`, "What the network predicts")
	for i, v := range p.numbers("fitShown") {
		if math.Abs(v-before[i]) > 0.5/254 {
			t.Errorf("point %d: %v, recorded %v", i, v, before[i])
		}
	}
	p.eval(fmt.Sprintf(`(state.changes.set(%s, 3), recompute())`, w))
	moved := 0.0
	for i, v := range p.numbers("fitShown") {
		moved = math.Max(moved, math.Abs(v-before[i]))
	}
	if moved < 0.05 {
		t.Errorf("the fit moved by %v only", moved)
	}
	p.quiet()
}

// A fit that the page cannot recompute stays, and the page says so.
func TestFitThatStays(t *testing.T) {
	p := open(t, fitted(t, 2, math.Round, false))
	before := p.eval("shownOf(data.frames[0].fit)")
	p.is(`document.querySelector("#fit h2").textContent`, "What the network predicts")
	p.eval(`(state.changes.set(raw.nodes.find(n => n.n === "w[0,1]").raw, 2.5), recompute())`)
	p.is("fitShown", before)
	p.is(`document.querySelector("#fit h2").textContent`, "What the network predicts, as recorded")
	p.quiet()
}

// At first the page says what to press, and the other rows of a batch
// contribute after the drawn row.
func TestFirstSight(t *testing.T) {
	root := tensors()
	p := open(t, pageOf(t, root, root.Backward(), page.Options{LearningRate: 0.1, Select: []graphviz.Selection{graphviz.Sample(1)}}))
	if text := p.eval(`document.getElementById("lines").textContent`); !strings.Contains(text, "Press ▶ Play, or → for one step.") {
		t.Errorf("the first step says %q", text)
	}
	p.is(`steps.filter(s => s.edge).map(s => +!!sums.nodes[s.edge.to].rest).join("").replace(/0+1+/, "in order")`, "in order")
	p.is(`steps.filter(s => s.edge && sums.nodes[s.edge.to].rest).length`, "13")
	told := func(k string) string {
		return p.eval(`narrate(sums, raw, world, steps, ` + k + `).lines.map(plainText).join("; ")`)
	}
	rest := p.numbers("[world.values[raw.nodes.find(n => n.rest).raw], raw.nodes[data.root].in.length && world.values[raw.nodes[data.root].in[0].from], world.values[data.root]]")
	if got, want := told(`steps.findIndex(s => s.node?.rest)`), fmt.Sprintf("the other 3 rows = what all of them compute as this one does; the other 3 rows  = %.4g", rest[0]); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := told(`steps.findIndex(s => s.node?.f)`), fmt.Sprintf("= (%.4g + %.4g) / 4 = %.4g", rest[1], rest[0], rest[2]); !strings.Contains(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := told(`steps.findIndex(s => s.edge && sums.nodes[s.edge.to].f)`), "dloss × 1/4; 1 × 0.25 = 0.25"; !strings.HasSuffix(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	p.quiet()
}

// A weight is selected by its arrow, and is highlighted when it receives from
// the other rows and when it is adjusted; so is the neuron of a bias.
func TestWeightsAreSeen(t *testing.T) {
	root := tensors()
	p := open(t, pageOf(t, root, root.Backward(), page.Options{LearningRate: 0.1, Select: []graphviz.Selection{graphviz.Sample(1)}}))
	p.eval(`picture.links.find(l => l.weight?.n === "w[1,2]").lines[0].setAttribute("id", "arrow")`)
	p.do(chromedp.Click(chromedp.CSS("#arrow")))
	p.is("raw.nodes[state.selected].n", "w[1,2]")
	p.is(`document.getElementById("try") !== null`, "true")
	at := func(phase, name string) string {
		return p.eval(fmt.Sprintf(`(setStep(steps.findLastIndex(s => s.phase === %q && s.node?.n === %q)),
			[...document.querySelectorAll(".link.hot, .link.turned, .node.hot")].map(e => e.classList.contains("turned") ? "turned" : e.classList.contains("link") ? "hot" : e.querySelector(".title").textContent).join())`, phase, name))
	}
	for _, c := range []struct{ phase, name, want string }{
		{"feedback", "w[1,2]", "hot"}, {"adjust", "w[1,2]", "turned"}, {"feedback", "b2", "a2"}, {"adjust", "b2", "a2"},
	} {
		if got := at(c.phase, c.name); got != c.want {
			t.Errorf("%s of %s: %q lights up, want %q", c.phase, c.name, got, c.want)
		}
	}
	p.eval(`setStep(steps.length - 1)`)
	p.is(`picture.items.filter(i => i.second).every(i => / · d /.test(i.second.textContent))`, "true")
	p.quiet()
}

// A picture that the reader moved stays when the text below takes more space.
func TestPictureStays(t *testing.T) {
	p := open(t, pageOf(t, neuron(), autograd.Gradients{}, page.Options{}))
	const watch = `new Promise(done => { document.getElementById("narration").style.minHeight = "%s"; requestAnimationFrame(() => requestAnimationFrame(() => done(String(camera.k)))); })`
	resized := func(height string) string {
		k, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](fmt.Sprintf(watch, height), chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	fit := p.eval("camera.k")
	if got := resized("420px"); got == fit {
		t.Errorf("the picture is not fitted to its new room: %s", got)
	}
	p.click("#zoom-in")
	before := p.eval("camera.k")
	if got := resized("118px"); got != before {
		t.Errorf("enlarged to %s, it is %s", before, got)
	}
	p.click("#zoom-fit")
	p.is("camera.k", fit)
	p.quiet()
}

// On a phone numbers can be read, and nothing is wider than the screen.
func TestPhone(t *testing.T) {
	root := tensors()
	p := open(t, pageOf(t, root, root.Backward(), page.Options{Select: []graphviz.Selection{graphviz.Sample(1)}}))
	p.do(chromedp.EmulateViewport(390, 800))
	p.do(chromedp.Navigate(p.url))
	p.wait(`document.documentElement.dataset.ready === "yes"`)
	if k := p.numbers("[camera.k]")[0]; 13*k < 9 {
		t.Errorf("text is %.1f pixels high", 13*k)
	}
	p.is("document.documentElement.scrollWidth <= innerWidth", "true")
	p.is(`(({ top, bottom }) => top >= 0 && bottom <= innerHeight)(document.getElementById("play").getBoundingClientRect())`, "true")
	p.quiet()
}

// Before a backward pass the page does not say that nothing will be learned,
// and an update that is not finite is still w − α·dw.
func TestNotYetBackward(t *testing.T) {
	p := open(t, pageOf(t, neuron(), autograd.Gradients{}, page.Options{}))
	p.eval(`select(raw.nodes.find(n => n.n === "w1").raw)`)
	if text := p.eval(`document.getElementById("why-body").textContent`); !strings.Contains(text, "no backward yet") || strings.Contains(text, "no step will change") {
		t.Errorf("the panel says %q", text)
	}
	g := autograd.NewGraph(autograd.Options{Trace: true})
	w := g.Variable(autograd.Scalar(0)).Named("w")
	root := w.Sqrt().Named("loss")
	p.show(pageOf(t, root, root.Backward(), page.Options{LearningRate: 0.1}))
	if text := p.eval(`narrate(sums, raw, world, steps, steps.length - 1).lines.map(plainText).join("; ")`); text != "w − α × dw, learning rate α = 0.1; 0 − 0.1 × +Inf = −Inf" {
		t.Errorf("the update is %q", text)
	}
	p.quiet()
}

// The numbers of a step's edge are not hidden behind a box.
func TestStrongLabelsAreSeen(t *testing.T) {
	root := tensors()
	p := open(t, pageOf(t, root, root.Backward(), page.Options{Select: []graphviz.Selection{graphviz.Sample(1)}}))
	p.eval(`setView("operations")`)
	hidden := p.eval(`steps.map((s, k) => k).filter(k => steps[k].edge).filter(k => {
		setStep(k);
		const strong = [...document.querySelectorAll("text.edge.strong")].filter(t => t.textContent);
		return !strong.length || strong.some(t => !(t.compareDocumentPosition(picture.items.at(-1).group) & Node.DOCUMENT_POSITION_PRECEDING));
	}).join()`)
	if hidden != "" {
		t.Errorf("in the steps %s", hidden)
	}
	p.eval(`setStep(0)`)
	p.is(`document.querySelectorAll("text.edge.strong").length`, "0")
	p.quiet()
}
