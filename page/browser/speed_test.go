package browser

import (
	"flag"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"

	"nabla/autograd"
	"nabla/layers"
	"nabla/neurons"
	"nabla/page"
)

var speed = flag.Bool("speed", false, "log how long a network of 1,700 values takes to show, to redraw and to step through")

// TestSpeed logs medians over seven runs, in milliseconds until the picture is
// painted; run it with -v -args -speed.
func TestSpeed(t *testing.T) {
	if !*speed {
		t.Skip("without -speed")
	}
	rng := rand.New(rand.NewPCG(1, 2))
	net := neurons.Of(layers.NewSequential(layers.NewDense(rng, 8, 20), layers.Tanh(), layers.NewDense(rng, 20, 18), layers.Tanh(), layers.NewDense(rng, 18, 2)))
	g := autograd.NewGraph(autograd.Options{Trace: true})
	var x []autograd.Value
	for range 8 {
		x = append(x, g.Scalar(rng.Float64()))
	}
	a := net.Forward(x)
	root := a[0].Add(a[1]).Square().Named("loss")
	p := open(t, pageOf(t, root, root.Backward(), page.Options{LearningRate: 0.1}))
	t.Logf("%s values", p.eval("raw.nodes.length"))
	t.Logf("first view: %.0f", median(func() float64 {
		p.do(chromedp.Navigate(p.url))
		p.wait(`document.documentElement.dataset.ready === "yes" && performance.getEntriesByType("navigation")[0].loadEventEnd > 0`)
		return evaluate[float64](p, `performance.getEntriesByType("navigation")[0].loadEventEnd`)
	}))
	for _, view := range []string{"operations", "all", "neurons"} {
		t.Logf("to %s: %.0f", view, median(func() float64 { return p.painted(`setView("` + view + `")`) }))
		for _, phase := range []string{"predict", "feedback", "adjust"} {
			p.eval(`toPhase("` + phase + `")`)
			t.Logf("  a step of %s: %.0f", phase, median(func() float64 { return p.painted("setStep(state.step + 1)") }))
		}
		t.Logf("  another weight: %.0f", median(func() float64 { return p.painted("state.changes.set(20, Math.random()); recompute()") }))
		p.eval("(state.changes.clear(), recompute())")
	}
	p.quiet()
}

// painted returns the milliseconds until a statement's changes have been
// painted.
func (p *tab) painted(statement string) float64 {
	p.t.Helper()
	took, err := chromedp.Run(p.ctx, chromedp.Evaluate[float64](`new Promise(done => {
		const from = performance.now();
		`+statement+`;
		requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - from)));
	})`, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatal(err)
	}
	return took
}

func median(f func() float64) float64 {
	var all []float64
	for range 7 {
		all = append(all, f())
	}
	slices.Sort(all)
	return all[len(all)/2]
}
