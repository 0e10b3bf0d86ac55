package browser

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/page"
)

// unrolled records a block of which each step takes the output of the one
// before, with the given weights, over three steps.
func unrolled(wx, wh, b float64) (loss value, gradients autograd.Gradients) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	param := func(name string, v float64) value { return g.Param(autograd.NewParam(name, autograd.Scalar(v))) }
	weights := []value{param("w_x", wx), param("w_h", wh), param("b", b)}
	h := g.Scalar(0).Named("h0")
	for t, x := range []float64{1, -2, 0.5} {
		g.Enter(fmt.Sprint("step ", t+1))
		z := weights[0].Mul(g.Scalar(x).Named(fmt.Sprint("x", t+1))).Add(weights[1].Mul(h)).Add(weights[2]).Named(fmt.Sprint("z", t+1))
		h = z.Tanh().Named(fmt.Sprint("h", t+1))
		g.Leave()
	}
	loss = h.Sub(g.Scalar(1).Named("y").As(autograd.RoleTarget)).Square().MulScalar(0.5).Named("loss")
	return loss, loss.Backward()
}

// partsOf returns what each step adds to the gradient of a weight, as Go
// recorded it, last step first.
func partsOf(loss value, gradients autograd.Gradients, name string) (parts []float64, sum float64) {
	for n := range loss.Ancestors() {
		if n.Value.Name() != name {
			continue
		}
		for _, c := range gradients.Contributions(n.Value) {
			parts = append(parts, c.Gradient.Item())
		}
		sum = gradients.Of(n.Value).Item()
	}
	return parts, sum
}

// The forward pass goes block by block, the backward pass from the last block
// to the first, and a shared weight is adjusted once.
func TestStepsOfALoop(t *testing.T) {
	loss, gradients := unrolled(0.5, -0.75, 0.25)
	p := open(t, pageOf(t, loss, gradients, page.Options{LearningRate: 0.1}))
	p.is(`steps.filter(s => s.phase === "predict" && s.node).map(s => s.node.n).join()`, "z1,h1,z2,h2,z3,h3")
	p.is(`steps.filter(s => s.edge && s.node.n === "w_h").map(s => sums.nodes[s.edge.to].n).join()`, "z3,z2,z1")
	p.is(`steps.filter(s => s.phase === "adjust").map(s => s.node.n).join()`, "w_x,w_h,b")
	p.eval(`(setStep(steps.findIndex(s => s.phase === "adjust" && s.node.n === "w_h")), "")`)
	p.is(`document.querySelector("#lines").textContent.includes("One number for all its places: z1, z2, z3")`, "true")
	p.is(`document.getElementById("heading").textContent`, "Adjust against the gradient") // it belongs to no step
	p.quiet()
}

// In every view a shared weight is drawn at each of its places, where it says
// what the place adds once that has arrived, and not before.
func TestSharedWeightsInThePicture(t *testing.T) {
	loss, gradients := unrolled(0.5, -0.75, 0.25)
	parts, sum := partsOf(loss, gradients, "w_h")
	p := open(t, pageOf(t, loss, gradients, page.Options{LearningRate: 0.1}))
	const arrivals = `steps.map((s, k) => s.edge && s.node.n === "w_h" ? k : -1).filter(k => k >= 0)`
	for at := range parts {
		p.eval(fmt.Sprintf(`(setView("neurons"), setStep(%s[%d]), "")`, arrivals, at))
		// The links of the weight, last step first.
		shown := p.eval(`picture.links.filter(l => l.weight?.n === "w_h").reverse().map(l => l.lines[0].textContent + "|" + l.lines[1].textContent).join()`)
		p.eval(`(setView("operations"), "")`)
		boxes := p.eval(`picture.items.filter(i => i.node?.n === "w_h").reverse().map(i => i.title + "|" + i.gradient.textContent + "|" + i.next.textContent).join()`)
		var links, copies []string
		soFar := 0.0
		for _, v := range parts[:at+1] {
			soFar += v
		}
		for k, v := range parts {
			adds := ""
			if k <= at {
				adds = "adds " + p.eval(fmt.Sprintf("number(%v, 3)", v))
			}
			links = append(links, "w_h −0.75|"+adds)
			if k <= at {
				adds = "adds " + p.eval(fmt.Sprintf("number(%v)", v))
			}
			copies = append(copies, fmt.Sprintf("w_h ×3|%s|Σ %s", adds, p.eval(fmt.Sprintf("number(%v)", soFar))))
		}
		if want := strings.Join(links, ","); shown != want {
			t.Errorf("after %d parts the neurons show %q, want %q", at+1, shown, want)
		}
		if want := strings.Join(copies, ","); boxes != want {
			t.Errorf("after %d parts the boxes show %q, want %q", at+1, boxes, want)
		}
	}
	p.is(`document.getElementById("shared").hidden`, "false")
	want := fmt.Sprintf("dw_h = %s (z3) + %s (z2) + %s (z1) = %s", p.eval(fmt.Sprintf("number(%v)", parts[0])), p.eval(fmt.Sprintf("inside(%v)", parts[1])), p.eval(fmt.Sprintf("inside(%v)", parts[2])), p.eval(fmt.Sprintf("number(%v)", sum)))
	p.is(`[...document.querySelectorAll("#sums p")].map(x => x.textContent).find(x => x.startsWith("dw_h"))`, want)
	p.quiet()
}

// Time runs from left to right: the boxes of a step stand between those of its
// neighbours, the weights among them.
func TestLoopRunsLeftToRight(t *testing.T) {
	loss, gradients := unrolled(0.5, -0.75, 0.25)
	p := open(t, pageOf(t, loss, gradients, page.Options{}))
	p.eval(`(setView("operations"), "")`)
	for step := range 3 {
		p.is(fmt.Sprintf(`picture.items.filter(i => data.scopes[i.scope].n === "step %d").map(i => i.node.n).sort().join()`, step+1), fmt.Sprintf("b,h%d,w_h,w_x,x%[1]d,z%[1]d", step+1))
	}
	p.is(`[1, 2].every(t => { const of = k => picture.items.filter(i => data.scopes[i.scope].n === "step " + k); return Math.max(...of(t).map(i => i.x + i.w)) < Math.min(...of(t + 1).map(i => i.x)); })`, "true")
	p.eval(`(setView("neurons"), "")`)
	p.is(`["h1", "h2", "h3"].map(n => picture.items.find(i => i.title === n).x).every((x, k, all) => !k || all[k - 1] < x)`, "true")
	p.eval(`(setView("operations"), fold(data.scopes.findIndex(s => s.n === "step 2"), true), "")`) // the weights inside go with it
	p.is(`picture.items.filter(i => i.node?.n === "w_h").length`, "2")
	p.quiet()
}

// Changing a shared weight changes all its uses: the page computes what Go
// records with the other number everywhere.
func TestWhatIfOfASharedWeight(t *testing.T) {
	loss, gradients := unrolled(0.5, -0.75, 0.25)
	p := open(t, pageOf(t, loss, gradients, page.Options{LearningRate: 0.1}))
	for name, changed := range map[string]func(v float64) (value, autograd.Gradients){
		"w_x": func(v float64) (value, autograd.Gradients) { return unrolled(v, -0.75, 0.25) },
		"w_h": func(v float64) (value, autograd.Gradients) { return unrolled(0.5, v, 0.25) },
		"b":   func(v float64) (value, autograd.Gradients) { return unrolled(0.5, -0.75, v) },
	} {
		for _, v := range []float64{1.5, -0.25} {
			root, gradients := changed(v)
			id := 0
			for n := range root.Ancestors() {
				if n.Value.Name() == name {
					id = n.ID
				}
			}
			compareWhatIf(t, p, fmt.Sprintf("%s = %v", name, v), id, v, root, gradients)
			want, _ := partsOf(root, gradients, name)
			got := p.numbers(fmt.Sprintf(`raw.nodes.find(n => n.n === %q).uses.slice().reverse().map(e => world.contributions[e.raw])`, name))
			if !slices.EqualFunc(got, want, near) {
				t.Errorf("%s = %v: the parts (-want +got)\n%s", name, v, cmp.Diff(want, got))
			}
		}
	}
	p.quiet()
}
