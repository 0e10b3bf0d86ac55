package browser

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"nabla/autograd"
	"nabla/explain"
	"nabla/graphviz"
	"nabla/layers"
	"nabla/losses"
	"nabla/neurons"
	"nabla/page"
)

// A record records a network of scalars from its leaves' numbers.
type record func(leaf func(name string, v float64) value, fixed func(name string, v float64) value) value

// activations are networks of two neurons, one for each activation function.
func networks() map[string]record {
	all := map[string]record{
		"reused": func(leaf, _ func(string, float64) value) value {
			x, y := leaf("x", 1.3), leaf("y", -0.4)
			z := x.Mul(x).Add(x.Mul(y)).Add(y)
			return z.Mul(z).Sub(x.Div(y))
		},
		"where": func(leaf, fixed func(string, float64) value) value {
			x, y := leaf("x", 0.7), leaf("y", -0.2)
			return autograd.Where(fixed("c", 1), x.Square(), y.Exp()).Add(x.Detach().Mul(y))
		},
		"alone": func(leaf, fixed func(string, float64) value) value {
			x := leaf("x", 0.7)
			return x.Sum().Mul(fixed("c", 2)).Mean().Reshape(1).Reshape().Max().Add(x.Prod())
		},
		"cross entropy": func(leaf, fixed func(string, float64) value) value {
			p := leaf("w", 0.3).Mul(fixed("x", 2)).Add(leaf("b", -0.1)).Sigmoid()
			return p.BinaryCrossEntropy(fixed("t", 1))
		},
	}
	for _, op := range slices.Sorted(maps.Keys(operations)) {
		if inputsOf(op) == 1 {
			all["through "+op] = func(leaf, fixed func(string, float64) value) value {
				z := leaf("w", 0.3).Mul(fixed("x", 2)).Add(leaf("b", 0.1))
				a := operations[op]([]value{z})
				return a.Mul(leaf("v", -0.8)).Add(z).Sub(fixed("t", 0.25)).Square()
			}
		}
	}
	return all
}

// recordWith records a network, with the leaf of that name changed, if there is
// one.
func recordWith(f record, changed string, to float64) (root value, gradients autograd.Gradients) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	at := func(name string, v float64) autograd.Tensor {
		if name == changed {
			v = to
		}
		return autograd.Scalar(v)
	}
	root = f(
		func(name string, v float64) value { return g.Variable(at(name, v)).Named(name) },
		func(name string, v float64) value { return g.Constant(at(name, v)).Named(name) })
	return root, root.Backward()
}

// If a leaf is changed, the page computes what Go records.
func TestWhatIfIsGos(t *testing.T) {
	all := networks()
	p := open(t, pageOf(t, neuron(), autograd.Gradients{}, page.Options{}))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		root, gradients := recordWith(all[name], "", 0)
		p.show(pageOf(t, root, gradients, page.Options{LearningRate: 0.1}))
		p.is("incalculable(raw, world, raw.nodes.filter(n => n.leaf).map(n => n.raw)) === undefined", "true")
		for n := range root.Ancestors() {
			if n.Kind == autograd.KindOperation {
				continue
			}
			for _, v := range []float64{n.Value.Item() + 0.37, -1.25, 0} {
				changed, gradients := recordWith(all[name], n.Value.Name(), v)
				compareWhatIf(t, p, fmt.Sprintf("%s with %s = %v", name, n.Value.Name(), v), n.ID, v, changed, gradients)
			}
		}
		p.quiet()
	}
}

func compareWhatIf(t *testing.T, p *tab, what string, id int, v float64, root value, gradients autograd.Gradients) {
	t.Helper()
	got := p.numbers(fmt.Sprintf(`(state.changes.clear(), state.changes.set(raw.nodes.find(n => n.id === %d).raw, %v), recompute(), [...world.values, ...world.gradients.map(x => typeof x === "number" ? x : NaN)])`, id, v))
	numbers := numbersOf(root, gradients)
	want := append(numbers.values, numbers.gradients...)
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	for i := range got {
		if !near(got[i], want[i]) {
			t.Errorf("%s: number %d of %d is %v, Go says %v", what, i, len(want), got[i], want[i])
		}
	}
}

// A network that layers made, through the page's own field.
func TestWhatIfByHand(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	net := neurons.Of(layers.NewSequential(layers.NewDense(rng, 2, 3), layers.GELU(), layers.NewDense(rng, 3, 1), layers.Tanh()))
	record := func() (value, autograd.Gradients) {
		g := autograd.NewGraph(autograd.Options{Trace: true})
		a := net.Forward([]value{g.Scalar(0.4).Named("x1"), g.Scalar(-0.9).Named("x2")})[0]
		loss := a.Sub(g.Scalar(1).Named("y").As(autograd.RoleTarget)).Square().Named("loss")
		return loss, loss.Backward()
	}
	root, gradients := record()
	before := numbersOf(root, gradients)
	p := open(t, pageOf(t, root, gradients, page.Options{LearningRate: 0.1}))
	w := net.Layers[0].Neurons[1].Weights[0]
	p.eval(`select(raw.nodes.find(n => n.n === "w1" && scopePath(n.s).join() === "layer1,neuron2").raw)`)
	p.eval(`((e, v) => { e.value = v; e.dispatchEvent(new Event("change")); })(document.getElementById("try"), "0.75")`)
	w.Set(autograd.Scalar(0.75))
	changed, gradients := record()
	want := numbersOf(changed, gradients)
	for i, v := range p.numbers("world.values") {
		if !near(v, want.values[i]) {
			t.Errorf("value %d is %v, Go says %v", i, v, want.values[i])
		}
	}
	for i, v := range p.numbers("world.gradients.map(x => typeof x === 'number' ? x : NaN)") {
		if !near(v, want.gradients[i]) {
			t.Errorf("gradient %d is %v, Go says %v", i, v, want.gradients[i])
		}
	}
	for i, v := range p.numbers("[...world.updates].map(([n, v]) => v - (world.values[n] - 0.1 * world.gradients[n]))") {
		if v != 0 {
			t.Errorf("update %d is off by %v", i, v)
		}
	}
	if text := p.eval(`document.getElementById("banner").textContent`); !strings.HasPrefix(text, fmt.Sprintf("What if w1 = 0.75: loss %.4g → %.4g", before.values[len(before.values)-1], changed.Item())) {
		t.Errorf("the banner says %q", text)
	}
	p.shot("whatif")
	p.click("#undo")
	if diff := cmp.Diff(before.values, p.numbers("world.values"), equalBits); diff != "" {
		t.Errorf("undone (-want +got):\n%s", diff)
	}
	p.is(`document.getElementById("banner").hidden`, "true")
	p.do(chromedp.Evaluate[chromedp.Void](`select(0)`))
	p.quiet()
}

// A batched network is recorded from its parameters, inputs and targets.
type batched struct {
	layers func(rng *rand.Rand) layers.Layer
	width  int // of the targets
	loss   func(model layers.Layer, prediction, y, shared value) value
}

func batchedNetworks() map[string]batched {
	dense := func(activation func() layers.Layer, out int, last ...layers.Layer) func(rng *rand.Rand) layers.Layer {
		return func(rng *rand.Rand) layers.Layer {
			all := []layers.Layer{layers.NewDense(rng, 2, 3), activation(), layers.NewDense(rng, 3, out)}
			return layers.NewSequential(append(all, last...)...)
		}
	}
	mse := func(_ layers.Layer, a, y, _ value) value { return losses.MSE(a, y).Named("loss") }
	return map[string]batched{
		"regression": {dense(layers.ReLU, 1), 1, mse},
		"classes of two": {dense(layers.Tanh, 1, layers.Sigmoid()), 1, func(_ layers.Layer, a, y, _ value) value {
			return losses.BinaryCrossEntropy(a, y).Named("loss")
		}},
		"several classes": {dense(layers.ReLU, 3, layers.Softmax()), 3, func(_ layers.Layer, a, y, _ value) value {
			return losses.CategoricalCrossEntropy(a, y).Named("loss")
		}},
		"logits": {dense(layers.GELU, 3), 3, func(_ layers.Layer, a, y, _ value) value {
			return a.LogSoftmax(-1).Mul(y).Sum().MulScalar(-0.1).Named("loss")
		}},
		"sum over classes": {dense(layers.Tanh, 3), 3, func(_ layers.Layer, a, y, _ value) value {
			return a.LogSumExp(1).Add(a.Sub(y).Square().Sum(1)).Mean().Named("loss")
		}},
		"means of columns": {dense(layers.Tanh, 2), 2, func(_ layers.Layer, a, y, _ value) value {
			return a.Sub(y).Square().Mean(0).Sqrt().Sum().Named("loss")
		}},
		"penalty and root": {dense(layers.Tanh, 1), 1, func(model layers.Layer, a, y, _ value) value {
			w := a.Graph().Param(model.Params()[0])
			return a.Sub(y).Square().Mean().Sqrt().Add(w.Square().Sum().MulScalar(0.01)).Named("loss")
		}},
		"dropout": {dense(func() layers.Layer { return layers.NewSequential(layers.Tanh(), layers.Dropout(0.5)) }, 1), 1, mse},
		"shared factor": {dense(layers.Tanh, 2), 2, func(_ layers.Layer, a, y, shared value) value {
			return a.Mul(shared).Sub(y).Square().Mean().Named("loss")
		}},
	}
}

// A changed says which number of a batched network is changed.
type changed struct {
	node    string // the leaf's name on the page
	of      int    // 0, 1, … of the parameters; inputs or targets
	element int
	to      float64
}

const (
	inputs  = -1
	targets = -2
	factors = -3 // that all rows share
	drawn   = 5  // the row that is drawn
	rows    = 12
)

func (b batched) record(c *changed, learns bool) (value, autograd.Gradients) {
	rng := rand.New(rand.NewPCG(21, 4))
	model := b.layers(rng)
	random := func(width int) autograd.Tensor {
		data := make([]float64, rows*width)
		for i := range data {
			data[i] = rng.Float64()*2 - 0.8
		}
		return autograd.NewTensor(data, rows, width)
	}
	x, y, shared := random(2), random(b.width), autograd.NewTensor([]float64{0.5, 2})
	with := func(t autograd.Tensor) autograd.Tensor {
		data := slices.Clone(t.Float64s())
		data[c.element] = c.to
		return autograd.NewTensor(data, t.Shape()...)
	}
	switch {
	case c == nil:
	case c.of == inputs:
		x = with(x)
	case c.of == targets:
		y = with(y)
	case c.of == factors:
		shared = with(shared)
	default:
		p := model.Params()[c.of]
		p.Set(with(p.Tensor()))
	}
	g := autograd.NewGraph(autograd.Options{Trace: true, Seed: 9, NoGrad: !learns})
	loss := b.loss(model, model.Forward(g.Constant(x).Named("x").As(autograd.RoleInput)), g.Constant(y).Named("y").As(autograd.RoleTarget), g.Constant(shared).Named("factor"))
	if !learns {
		return loss, autograd.Gradients{}
	}
	return loss, loss.Backward()
}

// Of a batch of which one data point is drawn, a weight can be changed as well
// as an input: the page computes the other rows too.
func TestWhatIfOfASample(t *testing.T) {
	all := batchedNetworks()
	numbers := `[...world.values, ...world.gradients.map(x => has(x) ? x : NaN), ...raw.edges.map(e => world.contributions[e.raw] ?? NaN)].flat()`
	p := open(t, pageOf(t, neuron(), autograd.Gradients{}, page.Options{}))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		b := all[name]
		for _, learns := range []bool{true, false} {
			page := func(c *changed) []byte {
				root, gradients := b.record(c, learns)
				return pageOf(t, root, gradients, page.Options{Select: []graphviz.Selection{graphviz.Sample(drawn), graphviz.WeightedSums()}})
			}
			before := page(nil)
			for k, c := range []changed{
				{"w[1,2]", 0, 5, 0.9}, {"w[0,0]", 0, 0, -1.5}, {"b2", 1, 1, 0.35}, {"w[1,0]", 2, 1 * b.width, 1.25},
				{"x1", inputs, 2 * drawn, -0.65}, {"y1", targets, drawn * b.width, 0.3}, {"factor[1]", factors, 1, -0.7},
			} {
				if !learns && k%2 == 1 || c.of == factors && name != "shared factor" {
					continue
				}
				p.show(before)
				old := p.numbers(numbers)
				if c.node == "y1" && b.width == 1 {
					c.node = "y"
				}
				first := c.of < 2
				p.eval(fmt.Sprintf(`select(raw.nodes.%s(n => n.leaf && n.n === %q).raw)`, map[bool]string{true: "find", false: "findLast"}[first], c.node))
				if text := p.eval(`document.getElementById("why-body").textContent`); strings.Contains(text, "cannot compute") {
					t.Errorf("%s with another %s: %s", name, c.node, text)
					continue
				}
				p.eval(fmt.Sprintf(`((e, v) => { e.value = v; e.dispatchEvent(new Event("change")); })(document.getElementById("try"), "%v")`, c.to))
				got := p.numbers(numbers)
				p.show(page(&c))
				want := p.numbers(numbers)
				if len(got) != len(want) {
					t.Fatalf("%s: %d numbers, want %d", name, len(got), len(want))
				}
				moved := 0
				for i := range got {
					if !near(got[i], want[i]) {
						t.Errorf("%s (learns %v) with %s = %v: number %d of %d is %v, Go says %v", name, learns, c.node, c.to, i, len(got), got[i], want[i])
					}
					if want[i] != old[i] && !math.IsNaN(want[i]) {
						moved++
					}
				}
				if moved < 3 {
					t.Errorf("%s with %s = %v: %d numbers changed", name, c.node, c.to, moved)
				}
			}
		}
		p.quiet()
	}
}

// Where rows use other numbers of what is learned, a page knows this row alone:
// what is the row's own can be changed, and nothing that the others use.
func TestWhatIfOfRowsThatDiffer(t *testing.T) {
	record := func(target float64) []byte {
		g := autograd.NewGraph(autograd.Options{Trace: true})
		table := g.Param(autograd.NewParam("table", autograd.FromNested([][]float64{{1, 2}, {3, 4}, {5, 6}})))
		y := g.Constant(autograd.FromNested([][]float64{{target, 1}, {8, 1}})).Named("y").As(autograd.RoleTarget)
		factor := g.Constant(autograd.Scalar(0.5)).Named("factor")
		loss := table.IndexSelect(0, autograd.NewInts([]int{2, 0})).Mul(factor).Sub(y).Square().Mean().Named("loss")
		return pageOf(t, loss, loss.Backward(), page.Options{Select: []graphviz.Selection{graphviz.Sample(0)}})
	}
	numbers := `[...world.values, ...world.gradients.map(x => typeof x === "number" ? x : NaN)]`
	p := open(t, record(7))
	for _, name := range []string{"factor", "table[2,0]"} {
		p.eval(fmt.Sprintf(`select(raw.nodes.find(n => n.n === %q).raw)`, name))
		blocked := strings.Contains(p.eval(`document.getElementById("why-body").textContent`), "the other row is not drawn, and changes too")
		if blocked != (name == "factor") {
			t.Errorf("another %s: it is said that the other row changes: %v", name, blocked)
		}
	}
	p.eval(`(state.changes.set(raw.nodes.find(n => n.n === "y1").raw, -2), recompute())`)
	got := p.numbers(numbers)
	p.show(record(-2))
	for i, want := range p.numbers(numbers) {
		if !near(got[i], want) {
			t.Errorf("number %d is %v, Go says %v", i, got[i], want)
		}
	}
	p.quiet()
}

// The page does not know what a custom operation computes, whatever its name.
func TestCustomOperation(t *testing.T) {
	for _, name := range []string{"mul", "tanh", "Σ", "own"} {
		g := autograd.NewGraph(autograd.Options{Trace: true})
		triple := autograd.Operation{
			Name:    name,
			Forward: func(in []autograd.Tensor) autograd.Tensor { return autograd.Scalar(3 * in[0].Item()) },
			Rule:    func(r *autograd.Rule) { r.Add(0, r.Grad().MulScalar(3)) },
		}
		x := g.Variable(autograd.Scalar(2)).Named("x")
		root := autograd.Custom(triple, x).MulScalar(5)
		p := open(t, pageOf(t, root, root.Backward(), page.Options{}))
		p.is("world.values.join()", "2,6,30")
		p.is("world.gradients.join()", "15,5,1")
		p.is("localOf(raw, world, raw.edges[0])", "3")
		p.eval("select(0)")
		if text := p.eval(`document.getElementById("why-body").textContent`); !strings.Contains(text, "is the operation "+name+", which it does not know") {
			t.Errorf("the panel says %q", text)
		}
		p.quiet()
	}
}

// The panel's causes and closing sentences are those of explain.Gradient.
func TestWhyIsExplain(t *testing.T) {
	all := networks()
	all["saturated"] = func(leaf, fixed func(string, float64) value) value {
		return leaf("w", 30).Mul(fixed("x", 1)).Add(leaf("b", 2)).Named("z").Sigmoid().Named("a").Sub(fixed("t", 0)).Square()
	}
	all["closed"] = func(leaf, fixed func(string, float64) value) value {
		return leaf("w", -3).Mul(fixed("x", 1)).Named("z").ReLU().Named("a").Add(leaf("b", 1)).Square()
	}
	all["zero input"] = func(leaf, fixed func(string, float64) value) value {
		return leaf("w", -3).Mul(fixed("x", 0)).Add(leaf("b", 1)).Square()
	}
	all["cancels"] = func(leaf, _ func(string, float64) value) value {
		x := leaf("x", 2)
		return x.MulScalar(3).Sub(x.MulScalar(3)).Add(leaf("y", 1))
	}
	all["tiny factor"] = func(leaf, _ func(string, float64) value) value { return leaf("x", 2).MulScalar(1e-6).Add(leaf("y", 1)) }
	all["attenuated"] = func(leaf, _ func(string, float64) value) value {
		x := leaf("x", 2)
		for range 20 {
			x = x.MulScalar(0.5)
		}
		return x
	}
	all["flat"] = func(leaf, _ func(string, float64) value) value { return leaf("x", 0).Square().Add(leaf("y", 1)) }
	all["frozen"] = func(leaf, _ func(string, float64) value) value {
		x := leaf("x", 2)
		frozen := autograd.NewParam("w", autograd.Scalar(3))
		frozen.Frozen = true
		return x.Graph().Param(frozen).Mul(x)
	}
	causes := map[explain.CauseKind]bool{}
	p := open(t, pageOf(t, neuron(), autograd.Gradients{}, page.Options{}))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		root, gradients := recordWith(all[name], "", 0)
		p.show(pageOf(t, root, gradients, page.Options{}))
		said := evaluate[map[int]whySaid](p, `Object.fromEntries(raw.nodes.filter(n => has(world.gradients[n.raw])).map(n => { const why = explain(raw, raw, world, n);
			return [n.id, { Cause: why.cause, Closing: why.closing, Parts: why.terms.map(t => String(t.part)), Ways: why.ways.map(w => String(w.product)) }]; }))`)
		for n := range root.Ancestors() {
			if n.NeedsGrad && gradients.Reached(n.Value) {
				want := explain.Gradient(n.Value, gradients)
				causes[want.Cause.Kind] = true
				if diff := cmp.Diff(whySaidBy(want), said[n.ID], similar, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("%s, node %d (-Explain +page):\n%s", name, n.ID, diff)
				}
			}
		}
	}
	for _, kind := range []explain.CauseKind{explain.CauseGateClosed, explain.CauseSaturated, explain.CauseZeroInput, explain.CauseCancellation, explain.CauseAttenuation, explain.CauseFlat} {
		if !causes[kind] {
			t.Errorf("no network shows the cause %v", kind)
		}
	}
}

// A whySaid is the panel's text about a gradient.
type whySaid struct {
	Cause, Closing string
	Parts, Ways    []string
}

func whySaidBy(e explain.Explanation) whySaid {
	w := whySaid{Cause: e.Cause.Words, Closing: e.Closing}
	for _, term := range e.Terms {
		w.Parts = append(w.Parts, fmt.Sprint(term.Contribution))
	}
	for _, way := range e.Ways {
		if len(way.Values) > 1 && way.Contribution != 0 {
			w.Ways = append(w.Ways, fmt.Sprint(way.Contribution))
		}
	}
	return w
}

// similar compares words exactly, and numbers in them as near does.
var similar = cmp.Comparer(func(a, b string) bool {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return a == b || errX == nil && errY == nil && near(x, y)
})

// Terms lead to the loss, click by click.
func TestTermsLeadToTheLoss(t *testing.T) {
	root := neuron()
	p := open(t, pageOf(t, root, root.Backward(), page.Options{LearningRate: 0.1}))
	p.eval(`select(raw.nodes.find(n => n.n === "w1").raw)`)
	var way []string
	for range 10 {
		way = append(way, p.eval("title(raw.nodes[state.selected])"))
		if p.eval(`document.querySelector("#terms button") !== null`) == "false" {
			break
		}
		p.click("#terms button")
	}
	if diff := cmp.Diff([]string{"w1", "z1", "a1", "a1 − y", "(a1 − y)²", "loss"}, way); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
