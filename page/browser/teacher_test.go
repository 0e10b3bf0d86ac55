package browser

import (
	"math"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/graphviz"
	"nabla/page"
)

// The pages of the hotels' networks stay small enough to be mailed.
func TestSizeOfHotels(t *testing.T) {
	for name, page := range hotels(t) {
		limit := 150_000
		if strings.HasSuffix(name, "-large") {
			limit = 250_000
		}
		if len(page) > limit {
			t.Errorf("%s has %d bytes, more than %d", name, len(page), limit)
		}
	}
}

// What makes probabilities of the last sums belongs to Predict, and its neurons
// show them under the data's names.
func TestSoftmaxPredicts(t *testing.T) {
	p := open(t, hotels(t)["multiclass"])
	p.is(`[...new Set(steps.filter(s => s.node && s.node.op === "softmax" && !s.edge).map(s => s.phase))].join()`, "predict")
	p.eval(`setStep(steps.findIndex(s => s.phase === "measure"))`)
	shown := evaluate[[]string](p, `outputsOf(net).map(x => picture.items.find(i => i.neuron === x).texts[0].textContent)`)
	want := evaluate[[]string](p, `["bronze", "silver", "gold"].map((name, k) => name + " " + number(100 * world.values[raw.nodes.filter(n => n.op === "softmax")[k].raw], 3) + " %")`)
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	sum := 0.0
	for _, v := range p.numbers(`raw.nodes.filter(n => n.op === "softmax").map(n => world.values[n.raw])`) {
		sum += v
	}
	if math.Abs(sum-1) > 1e-12 {
		t.Errorf("the probabilities add up to %v", sum)
	}
	p.is(`wantedText(raw.nodes.filter(n => n.role === "target"), world)`, "wanted: silver")
	p.is(`[...document.querySelectorAll("#fit-key li")].slice(0, 3).map(l => l.textContent).join()`, "bronze,silver,gold")
	p.show(hotels(t)["binary"])
	p.is(`steps.find(s => s.node?.op === "sigmoid").phase`, "predict")
	p.quiet()
}

// A loss from logits has no sigmoid in it; the neuron shows the probability all
// the same. That of 0.13 is 1/(1 + e^−0.13) = 0.53246.
func TestProbabilityOfLogits(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	w, x := g.Variable(autograd.Scalar(0.26)).Named("w"), g.Scalar(0.5).Named("x")
	z := w.Mul(x).Named("z")
	loss := z.BinaryCrossEntropyLogits(g.Scalar(1).Named("y").As(autograd.RoleTarget)).Named("loss")
	p := open(t, pageOf(t, loss, loss.Backward(), page.Options{}))
	p.key(end)
	p.is(`picture.items.find(i => i.output).texts[0].textContent`, "probability 53.2 %")
	p.quiet()
}

// Formulas are written out with their numbers: those of e^0.5 = 1.649, e^−1 =
// 0.3679 and e^2 = 7.389, of which the sum is 9.406.
func TestFormulasAreWrittenOut(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	var z []autograd.Value
	for i, v := range []float64{0.5, -1, 2} {
		w := g.Variable(autograd.Scalar(v)).Named([]string{"w1", "w2", "w3"}[i])
		z = append(z, w.Mul(g.Scalar(1).Named([]string{"x1", "x2", "x3"}[i])).Named([]string{"z1", "z2", "z3"}[i]).Reshape(1))
	}
	y := g.Constant(autograd.NewTensor([]float64{0, 0, 1})).Named("y")
	loss := autograd.Concat(0, z...).Softmax(0).Named("a").CrossEntropy(y).Sum().Named("loss")
	p := open(t, pageOf(t, loss, loss.Backward(), page.Options{Select: []graphviz.Selection{graphviz.Sample(0)}}))
	said := p.eval(`steps.map((s, k) => narrate(sums, raw, world, steps, k).lines.map(plainText).join("; ")).join("\n")`)
	for _, want := range []string{
		"a1 = softmax(z1, z2, z3) = e^z1 / (e^z1 + e^z2 + e^z3); a1 = e^0.5 / (e^0.5 + e^(−1) + e^2) = 1.649 / (1.649 + 0.3679 + 7.389) = 0.1753",
		"= −y3 × ln a3; ", "= −1 × ln 0.7856 = 0.2413",
		"= a3 × (1 − a3) = 0.7856 × (1 − 0.7856) = 0.1684", "= −a3 × a1 = −0.7856 × 0.1753 = −0.1377",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not said", want)
		}
	}
	if t.Failed() {
		t.Log(said)
	}
	p.quiet()
}

// By layer there are few steps, each of which shows all that the layer did.
func TestStepByLayer(t *testing.T) {
	p := open(t, hotels(t)["multiclass-large"])
	all := evaluate[int](p, "steps.length")
	p.do(chromedp.SetValue(chromedp.ID("unit"), "layer"))
	p.eval(`document.getElementById("unit").dispatchEvent(new Event("change"))`)
	if layers := evaluate[int](p, "stretches.length"); layers*10 > all || layers < 10 {
		t.Errorf("%d steps by layer, %d by operation", layers, all)
	}
	p.eval("document.activeElement.blur()")
	p.key(right)
	p.is(`[...document.querySelectorAll(".node.hot .title")].map(t => t.textContent).join()`, "a1,a2,a3,a4,a5")
	p.is(`document.getElementById("heading").textContent`, "Predict · dense1")
	if text := p.eval(`document.getElementById("lines").textContent`); strings.Count(text, "z") < 6 || !strings.Contains(text, "z5 = ") {
		t.Errorf("said %q", text)
	}
	p.key(right)
	p.key(left)
	p.is(`document.getElementById("count").textContent.startsWith("layer step 2 of ")`, "true")
	p.key(end)
	p.is("state.step", p.eval("steps.length - 1"))
	// by operation again, from where it is
	p.key("l")
	p.key("l")
	p.is("state.unit", "operation")
	p.is("state.step", p.eval("steps.length - 1"))
	p.quiet()
}

// Play goes through the epochs: step by step, each from its beginning, or epoch
// by epoch.
func TestPlayThroughEpochs(t *testing.T) {
	page, epochs := film(t)
	p := open(t, page)
	p.do(chromedp.SetValue(chromedp.ID("speed"), "20"))
	p.eval("setStep(steps.length - 2)")
	p.click("#play")
	p.wait("state.epoch === 1 && state.step >= 1")
	p.click("#play")
	p.is("state.playing", "0")
	p.click("#play-epochs")
	p.wait("state.epoch >= 3")
	p.is("state.unit", "epoch")
	p.is("state.step", p.eval("steps.length - 1"))
	p.wait("!state.playing")
	p.is("data.frames[state.epoch].epoch", "800")
	if text := p.eval(`document.getElementById("lines").textContent`); !strings.Contains(text, "in epoch 750") || !strings.Contains(text, "Predicted: a1 = ") {
		t.Errorf("said %q", text)
	}
	if last := epochs[len(epochs)-1].number; last != 800 {
		t.Errorf("the last epoch is %d", last)
	}
	p.quiet()
}

// The slider's thumb is under the curve's dot.
func TestSliderUnderCurve(t *testing.T) {
	page, _ := film(t)
	p := open(t, page)
	for k := range evaluate[int](p, "data.frames.length") {
		at := p.numbers(`(setEpoch(` + string(rune('0'+k/10)) + string(rune('0'+k%10)) + `), (() => {
			const dot = document.querySelector(".dot.now").getBoundingClientRect(), s = document.getElementById("epoch-slider"), r = s.getBoundingClientRect();
			return [dot.x + dot.width / 2, r.x + 8 + (s.value - s.min) / (s.max - s.min) * (r.width - 16), dot.bottom, r.top];
		})())`)
		if math.Abs(at[0]-at[1]) > 2 || at[3] < at[2] {
			t.Errorf("epoch %d: the dot is at %v, %v, the thumb at %v, %v", k, at[0], at[2], at[1], at[3])
		}
	}
	p.quiet()
}

// The description of what is under the mouse follows the epoch.
func TestHoverFollows(t *testing.T) {
	page, _ := film(t)
	p := open(t, page)
	p.key(end)
	at := evaluate[[]float64](p, `(() => { const box = document.querySelector(".node.neuron").getBoundingClientRect(); return [box.x + box.width / 2, box.y + 30]; })()`)
	p.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, at[0], at[1]))
	p.wait(`!document.getElementById("hover").hidden`)
	before := p.eval(`document.getElementById("hover").textContent`)
	p.key("]")
	p.is(`document.getElementById("hover").textContent`, p.eval("hoverText(nodeNow(state.hovered), graphNow())"))
	if p.eval(`document.getElementById("hover").textContent`) == before {
		t.Errorf("still %q", before)
	}
	p.quiet()
}

// The origin of a NaN looks different from what it spoiled.
func TestOriginOfNaN(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Variable(autograd.Scalar(-1)).Named("x")
	y := x.Log().Named("log x")
	root := y.MulScalar(2).Named("twice").Add(x).Named("loss")
	p := open(t, pageOf(t, root, root.Backward(), page.Options{}))
	p.eval(`setView("operations")`)
	p.key("2")
	p.is(`[...document.querySelectorAll(".node.origin")].map(n => n.querySelector(".title").textContent).join()`, "log x")
	p.is(`[...document.querySelectorAll(".node.broken:not(.origin)")].map(n => n.querySelector(".title").textContent).sort().join()`, "loss,twice")
	p.is(`(f => f(".origin .body") !== f(".broken:not(.origin) .body"))(s => getComputedStyle(document.querySelector(s)).fill)`, "true")
	p.shot("origin")
	p.quiet()
}

// A change too small for the digits that are shown is written as a difference.
func TestSmallChange(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	w := g.Variable(autograd.Scalar(0.5)).Named("w")
	root := w.Mul(g.Scalar(3).Named("x")).Named("z").Square().Named("loss") // dw = 2·1.5·3 = 9
	p := open(t, pageOf(t, root, root.Backward(), page.Options{LearningRate: 1e-6}))
	p.key("4")
	p.is(`document.querySelectorAll("#lines p")[1].textContent`, "0.5 − 1e−6 × 9 = 0.5 (Δ −9e−6)")
	p.is(`picture.links.find(l => l.weight).lines.at(-1).textContent`, "Δ −9e−6")
	p.eval(`setView("operations")`)
	p.is(`document.querySelector(".node[data-raw='0'] .change").textContent`, "Δ −9e−6")
	p.quiet()
}

// Inputs and targets have the names, units and numbers of the data: the first
// hotel is 0.2 miles away, is rated 3.5 and costs 157 $.
func TestColumnsOfTheData(t *testing.T) {
	p := open(t, hotels(t)["nonlinear"])
	p.is(`picture.items.filter(i => i.pill).map(i => [...i.group.querySelectorAll("text")].map(t => t.textContent).filter(t => t).join(" ")).join("; ")`,
		"distance 0.2 miles x1 = −1.075; rating 3.5 x2 = −0.1383")
	p.key(end)
	p.is(`picture.items.find(i => i.kind === "loss").under.textContent`, "y = 0.6617 (157 $)")
	p.key("]")
	want := p.eval(`"price " + number(world.values[raw.nodes.find(n => n.n === "z").raw] * data.features[2].f + data.features[2].o) + " $"`)
	p.is(`picture.items.find(i => i.output).texts[0].textContent`, want)
	p.is(`document.getElementById("fit-key").textContent.includes("price in $")`, "true")
	p.quiet()
}

// On a phone everything can be scrolled to: nothing is wider than the screen
// but the picture, which scrolls by itself, and nothing lies on anything else.
func TestPhoneShowsAll(t *testing.T) {
	for _, name := range []string{"linear", "nonlinear", "multiclass", "multiclass-large"} {
		p := open(t, hotels(t)[name])
		p.do(chromedp.EmulateViewport(390, 844))
		p.do(chromedp.Navigate(p.url))
		p.wait(`document.documentElement.dataset.ready === "yes"`)
		p.eval(geometry)
		for _, view := range []string{"neurons", "operations"} {
			p.eval(`setView("` + view + `")`)
			for _, step := range []string{"0", "steps.length >> 1", "steps.length - 1"} {
				p.eval("setStep(" + step + ")")
				for _, fault := range evaluate[[]string](p, phone) {
					t.Errorf("%s, %s, step %s: %s", name, view, step, fault)
				}
			}
		}
		p.shot("phone-" + name)
		p.quiet()
	}
}

// phone returns what is wrong with the page on a narrow screen.
const phone = `(() => {
	const faults = [], rect = e => e.getBoundingClientRect(), canvas = document.getElementById("canvas"), graph = document.getElementById("graph");
	if (document.documentElement.scrollWidth > innerWidth) faults.push("the page is " + document.documentElement.scrollWidth + " wide");
	const parts = [...document.querySelectorAll("header > *, #canvas, .legend, .zoom, #story .phases > *, #narration, .controls > *, #panel > section:not([hidden]) > *")].filter(e => rect(e).width > 0 && rect(e).height > 0);
	parts.forEach((a, i) => {
		const r = rect(a);
		if (r.left < -0.5 || r.right > innerWidth + 0.5) faults.push((a.id || a.className) + " is cut off");
		for (const b of parts.slice(i + 1)) {
			const s = rect(b);
			if (!a.contains(b) && r.left < s.right - 1 && s.left < r.right - 1 && r.top < s.bottom - 1 && s.top < r.bottom - 1) faults.push((a.id || a.className) + " lies over " + (b.id || b.className || b.textContent));
		}
		if (a !== canvas && a.scrollWidth > a.clientWidth + 1 && a.clientWidth > 0 && getComputedStyle(a).overflowX !== "visible") faults.push((a.id || a.className) + " hides a part");
	});
	const g = rect(graph), k = camera.k;
	if (canvas.scrollHeight > canvas.clientHeight + 1) faults.push("the picture is cut off below");
	for (const i of picture.items) if (camera.x + i.x * k < 0 || camera.y + i.y * k < 0 || camera.x + (i.x + i.w) * k > g.width || camera.y + (i.y + i.h) * k > g.height) faults.push(i.title + " cannot be scrolled to");
	if (canvas.scrollWidth < Math.floor(g.width)) faults.push("the picture cannot be scrolled");
	return [...faults, ...faultsNow()].slice(0, 8);
})()`

// A picture that is completely visible does not jump when the step is at its
// edge.
func TestStepsDoNotJump(t *testing.T) {
	p := open(t, hotels(t)["nonlinear-large"])
	p.do(chromedp.EmulateViewport(1440, 900))
	p.eval("fitCamera()")
	before := p.eval("[camera.x, camera.y, camera.k].join()")
	p.eval("steps.forEach((s, k) => setStep(k))")
	p.is("[camera.x, camera.y, camera.k].join()", before)
	// enlarged, it follows the step
	p.eval("(zoom(4, 0, 0), setStep(0), setStep(steps.findIndex(s => s.phase === 'adjust')))")
	p.is(`(i => { const x = camera.x + i.x * camera.k; return x >= 0 && x < document.getElementById("canvas").clientWidth; })(itemOf(steps[state.step].node.raw))`, "true")
	p.quiet()
}
