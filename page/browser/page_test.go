package browser

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/graphviz"
	"nabla/optim"
	"nabla/page"
)

// equalBits compares numbers to the last bit; all NaN are equal.
var equalBits = cmp.Comparer(func(x, y float64) bool {
	return math.Float64bits(x) == math.Float64bits(y) || math.IsNaN(x) && math.IsNaN(y)
})

// Every number of every epoch is Go's.
func TestNumbersAreGos(t *testing.T) {
	page, epochs := film(t)
	if limit := 150_000; len(page) > limit {
		t.Errorf("the page of the 2-3-1 network has %d bytes, more than %d", len(page), limit)
	}
	t.Logf("%d bytes for %d epochs", len(page), len(epochs))
	p := open(t, page)
	p.is("data.frames.length", strconv.Itoa(len(epochs)))
	for k, e := range epochs {
		if k > 0 {
			p.key("]")
		}
		p.is(`document.getElementById("epoch").textContent`, strconv.Itoa(e.number))
		for _, c := range []struct {
			what, expression string
			want             []float64
		}{
			{"values", "world.values", e.values},
			{"gradients", "world.gradients.map(x => typeof x === 'number' ? x : NaN)", e.gradients},
			{"updates", "[...world.updates.values()]", e.updates},
		} {
			if diff := cmp.Diff(c.want, p.numbers(c.expression), equalBits); diff != "" {
				t.Errorf("epoch %d, %s (-want +got):\n%s", e.number, c.what, diff)
			}
		}
		// The contributions of the edges add up to the gradient, in the page's
		// order.
		p.is(`raw.nodes.filter(n => { const parts = n.uses.filter(e => e.raw in world.contributions).reverse().map(e => world.contributions[e.raw]);
			return parts.length && Math.abs(parts.reduce((a, b) => a + b, 0) - world.gradients[n.raw]) > 1e-12 * Math.max(...parts.map(Math.abs)); }).length`, "0")
	}
	p.quiet()
}

// The arithmetic of the course's neuron, step by step. The numbers are worked
// out by hand: z1 = 0.75 − 0.72 + 0.1, a1 = 1/(1+e^−0.13), and so on.
func TestStepsInWords(t *testing.T) {
	root := neuron()
	p := open(t, pageOf(t, root, root.Backward(), page.Options{LearningRate: 0.1}))
	want := []string{
		"predict: Given: x1 = 1.5, x2 = 3.6; Learned: w1 = 0.5, w2 = −0.2, b = 0.1; Press ▶ Play, or → for one step.",
		"predict: z1 = w1 × x1 + w2 × x2 + b; z1 = 0.5 × 1.5 + (−0.2) × 3.6 + 0.1 = 0.13",
		"predict: a1 = sigmoid(z1) = 1 / (1 + e^(−z1)); a1 = 1 / (1 + e^(−0.13)) = 0.5325",
		"measure: a1 − y = 0.5325 − 1 = −0.4675",
		"measure: (a1 − y)² = (−0.4675)² = 0.2186",
		"measure: loss = 0.5 × (a1 − y)²; loss = 0.5 × 0.2186 = 0.1093",
		"feedback: dloss = 1; How much does the loss change when the loss changes? By as much: the chain rule starts with 1.",
		"feedback: d((a1 − y)²) = dloss × 0.5; 1 × 0.5 = 0.5",
		"feedback: d(a1 − y) = d((a1 − y)²) × 2·(a1 − y); 0.5 × (−0.9351) = −0.4675",
		"feedback: da1 = d(a1 − y) × 1; (−0.4675) × 1 = −0.4675",
		"feedback: dz1 = da1 × sigmoid′(z1); (−0.4675) × 0.2489 = −0.1164; sigmoid′(z1) = a1 × (1 − a1) = 0.5325 × (1 − 0.5325) = 0.2489",
		"feedback: dw1 = dz1 × x1; (−0.1164) × 1.5 = −0.1746",
		"feedback: dw2 = dz1 × x2; (−0.1164) × 3.6 = −0.419",
		"feedback: db = dz1 × 1; (−0.1164) × 1 = −0.1164",
		"adjust: w1 − α × dw1, learning rate α = 0.1; 0.5 − 0.1 × (−0.1746) = 0.5175",
		"adjust: w2 − α × dw2, learning rate α = 0.1; −0.2 − 0.1 × (−0.419) = −0.1581",
		"adjust: b − α × db, learning rate α = 0.1; 0.1 − 0.1 × (−0.1164) = 0.1116",
	}
	var got []string
	for {
		got = append(got, p.eval(`document.querySelector("[data-phase][aria-pressed=true]").dataset.phase + ": " + [...document.querySelectorAll("#lines p")].map(l => l.textContent).join("; ")`))
		if p.eval(`document.getElementById("next").disabled`) == "true" || len(got) > 50 {
			break
		}
		p.key(right)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	p.quiet()
}

// A value that is used several times collects its gradient.
func TestGrowingSum(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	x := g.Variable(autograd.Scalar(3)).Named("x")
	root := x.Mul(x).Add(x).Named("y")
	p := open(t, pageOf(t, root, root.Backward(), page.Options{}))
	p.key("3")
	var sums []string
	for range 6 {
		p.key(right)
		if line := p.eval(`document.querySelectorAll("#lines p")[2]?.textContent ?? ""`); line != "" {
			sums = append(sums, line+" | "+p.eval(`document.querySelector(".node[data-raw='0'] .low:last-of-type").textContent`))
		}
		if p.eval(`document.getElementById("next").disabled`) == "true" {
			break
		}
	}
	want := []string{"dx so far = 1 (1 of 3) | Σ 1", "dx so far = 1 + 3 = 4 (2 of 3) | Σ 4", "dx so far = 1 + 3 + 3 = 7 (3 of 3) | Σ 7"}
	if diff := cmp.Diff(want, sums); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Numbers appear when their step comes, and stay.
func TestNothingIsShownBeforeItsStep(t *testing.T) {
	root := neuron()
	p := open(t, pageOf(t, root, root.Backward(), page.Options{LearningRate: 0.1}))
	p.click("#view-operations")
	texts := func(kind string) string {
		return p.eval(`[...document.querySelectorAll(".node .` + kind + `")].filter(t => !["", "·"].includes(t.textContent)).length`)
	}
	// values known: 2 inputs, target and 3 learned; then one more with each
	// step
	for step, want := range []string{"6 0", "7 0", "8 0", "9 0", "10 0", "11 0", "11 1", "11 2", "11 3", "11 4", "11 5", "11 6", "11 7", "11 8", "11 8"} {
		p.is("state.step", strconv.Itoa(step))
		if got := texts("value") + " " + texts("gradient"); got != want {
			t.Errorf("step %d: %s values and gradients, want %s", step, got, want)
		}
		p.key(right)
	}
	p.key(end)
	p.is(`[...document.querySelectorAll(".node[data-raw='2'] .value, .node[data-raw='2'] .change")].map(e => e.textContent).join(" ")`, "0.5 → 0.5175")
	p.key(home)
	p.is("state.step", "0")
	p.shot("neuron")
}

// Playing goes on by itself to the end; pausing stops it.
func TestPlayAndPause(t *testing.T) {
	root := neuron()
	p := open(t, pageOf(t, root, root.Backward(), page.Options{}))
	p.do(chromedp.SetValue(chromedp.ID("speed"), "20"))
	p.click("#play")
	p.wait("state.step >= 2")
	p.click("#play")
	at := p.eval("state.step")
	p.is("state.playing", "0")
	p.is(`document.getElementById("play").textContent`, "▶ Play")
	p.is("state.step", at)
	p.eval("document.activeElement.blur()")
	p.key(" ")
	p.wait("state.step === steps.length - 1 && !state.playing")
}

// The slider, the buttons and the phases lead to the same steps; the address
// keeps them.
func TestJumpsAndAddress(t *testing.T) {
	filmed, _ := film(t)
	p := open(t, filmed)
	for i, phase := range []string{"predict", "measure", "feedback", "adjust"} {
		p.click("[data-phase=" + phase + "]")
		p.is("steps[state.step].phase", phase)
		p.is("steps.findIndex(s => s.phase === '"+phase+"') === state.step", "true")
		p.eval("document.activeElement.blur()")
		p.key(strconv.Itoa(4 - i))
		p.is("steps[state.step].phase", []string{"adjust", "feedback", "measure", "predict"}[i])
	}
	p.eval(`((e, v) => { e.value = v; e.dispatchEvent(new Event("input")); })(document.getElementById("slider"), 12)`)
	p.is("state.step", "12")
	p.click("#back")
	p.is("state.step", "11")
	p.click("#next")
	p.eval(`((e, v) => { e.value = v; e.dispatchEvent(new Event("input")); })(document.getElementById("epoch-slider"), 160)`) // the nearest epoch is shown
	p.is(`document.getElementById("epoch").textContent`, "150")
	p.eval("select(9)")
	p.click("#view-operations")
	p.wait(`location.hash.includes("select=9") && location.hash.includes("view=operations")`)
	address := p.eval("location.href")
	p.do(chromedp.Navigate("about:blank"))
	p.do(chromedp.Navigate(address))
	p.wait(`document.documentElement.dataset.ready === "yes"`)
	p.is("[state.epoch, state.step, state.selected, state.view].join()", "3,12,9,operations")
	p.is(`document.querySelector(".node.selected").dataset.raw`, "9")
	p.eval(`location.hash = "#epoch=99&step=x&select=-1&view=none&fold=1e9"`) // an invalid address
	p.wait("state.epoch === 0 && state.step === 0 && state.selected === null")
	p.quiet()
}

// The three views show the same selection.
func TestViewsAreLinked(t *testing.T) {
	filmed, _ := film(t)
	p := open(t, filmed)
	p.is(`document.querySelectorAll(".node.neuron").length`, "4")
	p.is(`document.querySelectorAll(".node.input").length`, "2")
	p.is(`document.querySelectorAll(".node.loss").length`, "1")
	p.is(`picture.links.filter(l => l.weight).length`, "9")
	p.click(".node.neuron")
	chosen := p.eval("state.selected")
	p.is(`document.querySelectorAll(".node.selected").length`, "1")
	p.key("v")
	p.is("state.view", "operations")
	p.is(`document.querySelector(".node.selected").dataset.raw`, chosen)
	p.key("v")
	p.is("state.view", "all")
	p.is(`document.querySelectorAll(".node").length`, p.eval("data.nodes.length"))
	p.is(`document.querySelector(".node.selected").dataset.raw`, chosen)
	p.key("v")
	p.is("state.view", "neurons")
	p.is("state.selected", chosen)
	for range 100 {
		p.key(right)
	}
	p.shot("film")
	p.quiet()
}

// Scopes fold into one box and unfold; the layout follows.
func TestFold(t *testing.T) {
	filmed, _ := film(t)
	p := open(t, filmed)
	p.click("#view-operations")
	all := p.eval(`document.querySelectorAll(".node").length`)
	width := evaluate[float64](p, "picture.size.width")
	p.is(`document.querySelectorAll(".frame").length`, "6") // two layers, four neurons
	p.shot("operations")
	p.click(`.fold[data-scope="1"]`)
	p.is(`document.querySelectorAll(".node.folded").length`, "1")
	p.is(`document.querySelector(".node.folded .title").textContent`, "+ layer1")
	p.is(`document.querySelectorAll(".frame").length`, "2")
	if folded := evaluate[float64](p, "picture.size.width"); folded >= width {
		t.Errorf("folded it is %v wide, unfolded %v", folded, width)
	}
	p.is(`picture.links.every(l => l.points.flat().every(Number.isFinite))`, "true")
	p.shot("folded")
	p.click(".node.folded")
	p.is(`document.querySelectorAll(".node").length`, all)
	p.eval("select(4)") // a weight of layer1.neuron1: f folds its own scope, and unfolds it
	p.key("f")
	p.is(`document.querySelectorAll(".node.folded").length`, "1")
	p.is(`document.querySelector(".node.folded").classList.contains("selected")`, "true")
	p.key("f")
	p.is(`document.querySelectorAll(".node.folded").length`, "0")
	p.quiet()
}

// No box overlaps another or leaves its frame.
func TestLayout(t *testing.T) {
	filmed, _ := film(t)
	for name, text := range map[string][]byte{"film": filmed, "tensors": pageOf(t, tensors(), autograd.Gradients{}, page.Options{}), "large": pageOf(t, large(), autograd.Gradients{}, page.Options{})} {
		p := open(t, text)
		for _, view := range []string{"neurons", "operations", "all"} {
			p.eval("setView('" + view + "')")
			p.is(`(() => { let found = 0; const all = picture.items;
				for (const a of all) for (const b of all) if (a.order < b.order && a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h - 0.01 && b.y < a.y + a.h - 0.01) found++;
				return found; })()`, "0")
			p.is(`(() => { const up = s => { const r = []; for (; s; s = data.scopes[s].p) r.push(s); return r; };
				return picture.size.frames.filter(f => picture.frames && picture.items.some(i => { const inside = up(i.scope).includes(f.scope), over = i.x < f.x + f.w && f.x < i.x + i.w && i.y < f.y + f.h && f.y < i.y + i.h; return inside !== over; })).length; })()`, "0")
			// and what a frame is called is not covered
			p.is(`picture.frames ? picture.size.frames.filter(f => picture.items.some(i => i.scope === f.scope && i.y < f.y + 20)).length : 0`, "0")
			if t.Failed() {
				t.Fatalf("%s, %s", name, view)
			}
		}
	}
}

func TestSearch(t *testing.T) {
	filmed, _ := film(t)
	p := open(t, filmed)
	for query, want := range map[string]string{
		"z1": "2", "tanh": "3", "layer2": p.eval("raw.nodes.filter(n => scopePath(n.s).includes('layer2')).length"), "param": "13", "target": "1", "nan": "0", "no such thing": "0", "grad:none": "3", "": "",
	} {
		p.eval("document.getElementById('search').value = ''")
		p.do(chromedp.SendKeys(chromedp.ID("search"), query))
		p.eval(`document.getElementById("search").dispatchEvent(new Event("input"))`)
		p.is(`document.getElementById("found").textContent`, want)
	}
	p.eval("document.getElementById('search').value = ''")
	p.do(chromedp.SendKeys(chromedp.ID("search"), "tanh"+enter))
	p.is("raw.nodes[state.selected].op", "tanh")
	first := p.eval("state.selected")
	p.key(enter)
	p.is(`raw.nodes[state.selected].op === "tanh" && state.selected !== `+first, "true")
	p.key(escape)
	p.is(`document.getElementById("search").value`, "")
	p.quiet()
}

// A box under the mouse shows its inputs and uses.
func TestHover(t *testing.T) {
	root := neuron()
	p := open(t, pageOf(t, root, root.Backward(), page.Options{LearningRate: 0.1}))
	p.click("#view-operations")
	at := evaluate[[]float64](p, `(() => { const box = document.querySelector(".node[data-raw='" + raw.nodes.find(n => n.n === "z1").raw + "']").getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; })()`)
	p.is(`document.getElementById("hover").hidden`, "true")
	p.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, at[0], at[1]))
	p.wait(`!document.getElementById("hover").hidden`)
	want := "z1\nz1 = w1 × x1 + w2 × x2 + b\nvalue 0.13\ngradient −0.1164\nfrom w1, x1, w2, x2, b\nused by a1"
	p.is(`document.getElementById("hover").textContent`, want)
	p.is(`document.querySelectorAll(".link.over").length`, "6")
	p.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, 3, 300))
	p.wait(`document.getElementById("hover").hidden`)
	p.quiet()
}

// The page of a network in trouble says where it began.
func TestBrokenNetwork(t *testing.T) {
	root := broken()
	p := open(t, pageOf(t, root, root.Backward(), page.Options{}))
	p.click("#view-operations")
	p.is(`document.getElementById("trouble").hidden`, "false")
	if text := p.eval(`document.getElementById("troubles").textContent`); !strings.Contains(text, "log x") || !strings.Contains(text, "closed") {
		t.Errorf("the troubles are %q", text)
	}
	p.key("/")
	p.do(chromedp.SendKeys(chromedp.ID("search"), "nan"))
	p.is(`document.getElementById("search").value`, "nan")
	p.is(`[...document.querySelectorAll(".node:not(.missed)")].map(n => n.querySelector(".title").textContent).sort().join()`, "log x,loss")
	p.key(enter)
	p.is("title(raw.nodes[state.selected])", "log x")
	p.key(escape)
	p.do(chromedp.SendKeys(chromedp.ID("search"), "grad:0"))
	p.is(`found().map(title).join()`, "w,w·x")
	p.key(escape)
	p.key(end)
	p.is(`document.querySelectorAll(".node.broken").length`, "2")
	p.click("#troubles button")
	p.is("title(raw.nodes[state.selected])", "log x")
	p.shot("broken")
	p.quiet()
}

// Everything can be done with the keyboard, and is announced.
func TestKeyboardOnly(t *testing.T) {
	filmed, _ := film(t)
	p := open(t, filmed)
	live := `document.getElementById("live").textContent`
	seen := map[string]bool{}
	for range 30 {
		p.key(tabulator)
		seen[p.eval("document.activeElement.id || document.activeElement.dataset.phase")] = true
	}
	for _, id := range []string{"view-neurons", "view-operations", "search", "theme", "help", "graph", "predict", "adjust", "play", "next", "slider", "speed", "epoch-slider"} {
		if !seen[id] {
			t.Errorf("the tabulator does not reach %s", id)
		}
	}
	p.eval("document.getElementById('graph').focus()")
	p.key(right)
	if text := p.eval(live); !strings.HasPrefix(text, "Predict: a weighted sum. z1 = w1 × x1 + w2 × x2 + b. z1 = ") {
		t.Errorf("said %q", text)
	}
	p.key(right)
	p.key(left)
	p.is("state.step", "1")
	p.key(down)
	p.is("title(raw.nodes[state.selected])", "x1")
	p.is(`document.activeElement.dataset.raw`, "0")
	if text := p.eval(live); !strings.HasPrefix(text, "x1, input, value ") {
		t.Errorf("said %q", text)
	}
	p.key(down)
	p.key(up)
	p.is("title(raw.nodes[state.selected])", "x1")
	p.key(escape)
	p.is("state.selected", "null")
	p.key("?")
	p.is(`document.getElementById("help-dialog").open`, "true")
	p.key(escape)
	p.wait(`!document.getElementById("help-dialog").open`)
	p.key(end)
	p.is("state.step", p.eval("steps.length - 1"))
	p.key("[")
	p.is("state.epoch", "0")
	p.key("]")
	p.is("state.epoch", "1")
	// what is drawn has a name that is read out
	p.is(`[...document.querySelectorAll(".node")].every(n => n.getAttribute("role") === "button" && n.getAttribute("aria-label").length > 3)`, "true")
	p.is(`[...document.querySelectorAll("button, input, select, svg[role], canvas")].every(e => (e.getAttribute("aria-label") || e.textContent || e.closest("label")?.textContent || "").trim() !== "")`, "true")
	p.quiet()
}

// contrast is the WCAG contrast of two colours of the page.
const contrast = `(a, b) => { const style = getComputedStyle(document.documentElement), light = name => { const s = style.getPropertyValue(name).trim();
	return [0.2126, 0.7152, 0.0722].reduce((sum, part, k) => { const c = parseInt(s.slice(1 + 2 * k, 3 + 2 * k), 16) / 255; return sum + part * (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4); }, 0); };
	const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); }`

func TestLightAndDark(t *testing.T) {
	filmed, _ := film(t)
	p := open(t, filmed, media("", "dark"))
	p.is("document.documentElement.dataset.theme", "dark")
	p.shot("dark")
	check := func() {
		for _, pair := range [][2]string{
			{"--ink", "--paper"}, {"--ink", "--ground"}, {"--value", "--op"}, {"--gradient", "--op"}, {"--change", "--op"}, {"--gray", "--paper"},
			{"--ink", "--param"}, {"--value", "--param"}, {"--gradient", "--param"}, {"--gradient", "--target"}, {"--value", "--hot"}, {"--gradient", "--hot"}, {"--gradient", "--ground"}, {"--trouble", "--broken"},
		} {
			if c := evaluate[float64](p, fmt.Sprintf("(%s)(%q, %q)", contrast, pair[0], pair[1])); c < 4.5 {
				t.Errorf("%s: the contrast of %s on %s is %.2f", p.eval("document.documentElement.dataset.theme"), pair[0], pair[1], c)
			}
		}
	}
	check()
	p.do(media("", "light"))
	p.wait(`document.documentElement.dataset.theme === "light"`)
	check()
	p.click("#theme")
	p.is("document.documentElement.dataset.theme", "dark")
	p.eval("localStorage.clear()")
	p.quiet()
}

// Nothing leaves the page: a policy that the browser enforces lets only the
// page's own script and style in.
func TestNoRequestAndStrictPolicy(t *testing.T) {
	filmed, _ := film(t)
	for _, word := range []string{"http://", "https://", "@import", "eval(", "innerHTML"} {
		if text := strings.ReplaceAll(string(filmed), "http://www.w3.org/2000/svg", ""); strings.Contains(text, word) {
			t.Errorf("the page contains %q", word)
		}
	}
	p := open(t, filmed)
	for range 60 {
		p.key(right)
	}
	p.quiet()
	p.is(`document.querySelector("meta[http-equiv=Content-Security-Policy]").content.includes("default-src 'none'")`, "true")
	p.is(`document.querySelector("meta[http-equiv=Content-Security-Policy]").content.includes("unsafe")`, "false")
	p.eval(`document.body.append(Object.assign(document.createElement("script"), { textContent: "window.intruder = 1" }))`)
	p.is("window.intruder", "undefined")
	p.eval(`(window.failed = "", fetch("data:text/plain,x").catch(() => { window.failed = "yes"; }), "")`)
	p.wait(`window.failed === "yes"`)
}

func TestPrint(t *testing.T) {
	filmed, _ := film(t)
	p := open(t, filmed)
	p.key(end)
	p.do(media("print", "light"))
	p.is(`getComputedStyle(document.querySelector(".controls")).display`, "none")
	p.is(`getComputedStyle(document.getElementById("stage")).display`, "flex")
	p.shot("print")
	p.do(media("", "light"))
	p.eval(`(document.documentElement.dataset.theme = "dark", window.dispatchEvent(new Event("beforeprint")))`)
	p.is("document.documentElement.dataset.theme", "light")
	p.eval(`window.dispatchEvent(new Event("afterprint"))`)
	p.quiet()
}

// On a narrow screen the page is one column that is not wider than the screen.
func TestNarrow(t *testing.T) {
	filmed, _ := film(t)
	p := open(t, filmed)
	p.do(chromedp.EmulateViewport(390, 844))
	p.wait("innerWidth === 390")
	p.is("document.documentElement.scrollWidth <= 390", "true")
	p.shot("narrow")
}

// A network of 1,500 values is laid out and can be used. How long that takes is
// logged and not tested, since machines differ.
func TestLargeNetwork(t *testing.T) {
	root := large()
	p := open(t, pageOf(t, root, root.Backward(), page.Options{}))
	if n := evaluate[int](p, "data.nodes.length"); n < 1500 {
		t.Errorf("%d values", n)
	}
	t.Logf("%s values, ready after %s ms", p.eval("data.nodes.length"), p.eval("Math.round(performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd)"))
	for _, view := range []string{"operations", "all", "neurons"} {
		t.Logf("%s: drawn in %s ms, a step takes %s ms", view, p.eval(`(() => { const t = performance.now(); setView("`+view+`"); return Math.round(performance.now() - t); })()`),
			p.eval(`(() => { const t = performance.now(); for (let k = 0; k < 10; k++) setStep(state.step + 7); return Math.round((performance.now() - t) / 10); })()`))
	}
	p.shot("large")
	p.key("3")
	p.key(right)
	p.is("steps[state.step].phase", "feedback")
	p.quiet()
}

// A page without gradients steps through the forward pass, and names that could
// break a page are shown as they are.
func TestNamesAndForwardOnly(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{})
	sum := g.Scalar(1)
	names := []string{`<b>&amp;"|{}\`, "</script><script>window.intruder = 1</script>", "<!-- <script>", "line\nbreak", "emoji 🧠👩‍🔬", "\u2028 \u202e", "${1}`", "", "x"}
	for _, name := range names {
		g.Enter(name)
		sum = sum.Add(g.Variable(autograd.Scalar(1)).Named(name))
		g.Leave()
	}
	p := open(t, pageOf(t, sum, autograd.Gradients{}, page.Options{Title: "</title><script>window.intruder = 2</script>"}))
	p.is("window.intruder", "undefined")
	p.is("document.title", "</title><script>window.intruder = 2</script>")
	p.is(`raw.nodes.some(n => n.n === "</script><script>window.intruder = 1</script>")`, "true")
	p.is(`document.querySelector("[data-phase=feedback]").disabled`, "true")
	p.is(`document.querySelector("[data-phase=adjust]").disabled`, "true")
	for range 12 {
		p.key(right)
	}
	p.eval("select(1)")
	if text := p.eval(`document.getElementById("why-body").textContent`); !strings.Contains(text, "no backward yet") {
		t.Errorf("the panel says %q", text)
	}
	p.quiet()
}

// Tensors are shown by shape and size, and what cannot be computed again says
// so.
func TestTensors(t *testing.T) {
	root := tensors()
	p := open(t, pageOf(t, root, root.Backward(), page.Options{}))
	p.is(`document.getElementById("view-neurons").textContent`, "Layers")
	p.key("3")
	var said []string
	for range 12 {
		p.key(right)
		said = append(said, p.eval(`document.querySelector("#lines p").textContent`))
	}
	for _, want := range []string{"d(dense2.weight) = aᵀ · dz", "da = dz · dense2.weightᵀ", "d(dense2.bias) = dz × 1, summed to [1]", "dz = da × tanh′(z)", "d(dense1.weight) = featuresᵀ · dz"} {
		if !slices.Contains(said, want) {
			t.Errorf("the chain rule lacks %q: %q", want, said)
		}
	}
	p.shot("tensors")
	p.eval(`select(raw.nodes.find(n => n.k === "param").raw)`)
	if text := p.eval(`document.getElementById("why-body").textContent`); !strings.Contains(text, "cannot compute what follows from another ") {
		t.Errorf("the panel says %q", text)
	}
	for range 30 {
		p.key(right)
	}
	p.quiet()
}

// One data point of a batch, taken apart.
func TestSample(t *testing.T) {
	root := tensors()
	gradients := root.Backward()
	p := open(t, pageOf(t, root, gradients, page.Options{Select: []graphviz.Selection{graphviz.Sample(1)}}))
	p.is(`document.querySelectorAll(".node.neuron").length`, "4")
	p.is("raw.nodes.every(n => n.single || n.op)", "true")
	for range 80 {
		p.key(right)
	}
	p.shot("sample")
	p.quiet()
}

// The page can step through a recording after Selections that leave out, fold
// and join.
func TestSelections(t *testing.T) {
	root := tensors()
	var z autograd.Value
	for n := range root.Ancestors() {
		if n.Value.Name() == "z" {
			z = n.Value
			break
		}
	}
	gradients := root.Backward()
	p := open(t, pageOf(t, root, autograd.Gradients{}, page.Options{}))
	for name, s := range map[string]graphviz.Selection{
		"depth": graphviz.Depth(1), "focus": graphviz.Focus(z, 1, 1), "path": graphviz.Path(z, root), "sums": graphviz.WeightedSums(), "fold": graphviz.Fold(),
	} {
		p.show(pageOf(t, root, gradients, page.Options{LearningRate: 1, Select: []graphviz.Selection{s}}))
		for _, view := range []string{"operations", "all", "neurons"} {
			p.eval("setView('" + view + "')")
			for range evaluate[int](p, "setStep(0) || steps.length") {
				if text := p.eval(`document.getElementById("lines").textContent`); strings.Contains(text, "undefined") || strings.Contains(text, "[object") {
					t.Errorf("%s: %q", name, text)
				}
				p.eval("setStep(state.step + 1)")
			}
			p.eval("(raw.nodes.forEach(n => select(n.raw)), select(null))")
		}
		p.shot("selection-" + name)
	}
	p.quiet()
}

// With a graph in single precision the page shows the graph's numbers,
// recognises a plain step, and says that what it computes itself is in double
// precision.
func TestSinglePrecision(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true, Precision: autograd.Float32})
	w := autograd.NewParam("w", autograd.Scalar(0.3).In(autograd.Float32))
	root := g.Param(w).Mul(g.Scalar(0.7).Named("x")).Tanh().Square().Named("loss")
	gradients := root.Backward()
	want := numbersOf(root, gradients)
	film := page.NewFilm(page.Options{})
	film.Record(0, root, gradients)
	optimizer := optim.NewSGD(0.1)
	optimizer.Step(gradients)
	film.Adjusted(optimizer.LearningRate)
	var page bytes.Buffer
	if err := film.Write(&page); err != nil {
		t.Fatal(err)
	}
	p := open(t, page.Bytes())
	if diff := cmp.Diff(want.values, p.numbers("world.values"), equalBits); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	p.key("4")
	p.is(`document.getElementById("lines").textContent.startsWith("w − α × dw")`, "true")
	p.eval("(state.changes.set(0, 1), recompute())")
	p.is(`document.getElementById("banner").textContent.includes("in double precision")`, "true")
	p.quiet()
}
