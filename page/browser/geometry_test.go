package browser

import (
	"encoding/json"
	"flag"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"nabla/autograd"
	"nabla/internal/layout"
	"nabla/page"
)

var everyStep = flag.Bool("every", false, "look at the geometry of every step of every epoch, not only of the first")

// trained are the pages of examples/hotels, once they are made.
var trained map[string][]byte

// hotels trains the networks of examples/hotels and returns their pages, by
// file.
func hotels(t *testing.T) map[string][]byte {
	t.Helper()
	if trained != nil {
		return trained
	}
	dir := t.TempDir()
	train := exec.Command("go", "run", "./examples/hotels", "-out", dir)
	train.Dir = "../.."
	if out, err := train.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.html"))
	if err != nil {
		t.Fatal(err)
	}
	pages := map[string][]byte{}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".html")
		if name == "index" {
			continue
		}
		page, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		pages[name] = page
	}
	if len(pages) < 8 {
		t.Fatalf("%d pages, 8 networks are expected", len(pages))
	}
	trained = pages
	return pages
}

// geometry defines what the tests below look at. What is drawn twice as two
// texts side by side may touch, by a pixel of rounding.
const geometry = `(() => {
	window.faultsNow = () => {
		const faults = [], boxes = [], rect = e => e.getBoundingClientRect();
		const name = e => (e.closest(".node")?.querySelector(".title")?.textContent || "") + "'" + e.textContent + "'";
		for (const t of document.querySelectorAll("#graph text")) if (t.textContent.trim()) boxes.push([rect(t), t]);
		boxes.sort((a, b) => a[0].left - b[0].left);
		boxes.forEach(([a, t], i) => {
			for (let j = i + 1; j < boxes.length && boxes[j][0].left < a.right - 1; j++) {
				const b = boxes[j][0];
				if (b.top < a.bottom - 1.5 * camera.k && a.top < b.bottom - 1.5 * camera.k) faults.push(name(t) + " lies over " + name(boxes[j][1]));
			}
		});
		for (const item of picture.items) {
			const { x, y, w, h } = item, k = camera.k, at = rect(document.getElementById("graph"));
			const box = { left: at.left + camera.x + x * k, top: at.top + camera.y + y * k };
			for (const t of item.group.querySelectorAll("text")) {
				if (!t.textContent.trim()) continue;
				if (/[0-9.]…$/.test(t.textContent)) faults.push(name(t) + " is a number without its end");
				const r = rect(t);
				if (r.left < box.left - 1 || r.right > box.left + w * k + 1 || r.top < box.top - 1 || r.bottom > box.top + h * k + 3 * k) faults.push(name(t) + " leaves its box");
			}
		}
		const stage = rect(document.getElementById("graph")), whole = camera.x >= 0 && camera.y >= 0 && camera.x + picture.size.width * camera.k <= stage.width && camera.y + picture.size.height * camera.k <= stage.height;
		if (whole) for (const [r, t] of boxes) if (r.left < stage.left || r.right > stage.right || r.top < stage.top || r.bottom > stage.bottom) faults.push(name(t) + " leaves the canvas");
		return faults;
	};
	window.faultsOf = (view, every) => {
		setView(view);
		const faults = [];
		const look = k => { setStep(k); fitCamera(); for (const f of faultsNow()) faults.push(view + ", epoch " + data.frames[state.epoch].epoch + ", step " + k + " (" + steps[k].phase + "): " + f); };
		for (let e = 0; e < data.frames.length && faults.length < 12; e++) {
			setEpoch(e);
			const all = every || e === 0;
			steps.forEach((s, k) => { if (faults.length < 12 && (all || s.phase !== steps[k + 1]?.phase)) look(k); });
		}
		return faults;
	};
})()`

// In every view no text overlaps another or leaves its box or the canvas: in
// each step of the first epoch, and at the end of each phase of the others,
// when the page shows most; with -every, in each step of each epoch.
func TestNothingOverprints(t *testing.T) {
	for name, page := range hotels(t) {
		t.Run(name, func(t *testing.T) {
			p := open(t, page, chromedp.EmulateViewport(1440, 900))
			p.do(chromedp.EmulateViewport(1440, 900))
			p.eval(geometry)
			for _, view := range evaluate[[]string](p, `["neurons", "operations", "all"].filter(v => !document.getElementById("view-" + v).hidden)`) {
				for _, fault := range evaluate[[]string](p, `faultsOf("`+view+`", `+map[bool]string{true: "true", false: "false"}[*everyStep]+`)`) {
					t.Error(fault)
				}
				p.shot(name + "-" + view)
			}
			p.quiet()
		})
	}
}

// placed is a picture of the page: the input of its layout and the result.
type placed struct {
	Gap       float64
	KeepOrder bool
	Scopes    []struct {
		Parent  int
		Heading float64
	}
	Items []struct {
		W, H, R, Mid, X, Y float64
		Scope, Order, Rank int
		Inputs             bool
	}
	Links []struct {
		From, To int
		W, H     float64
		Points   [][2]float64
		At       []float64
	}
	Frames        []layout.Frame
	Width, Height float64
}

const placedNow = `JSON.stringify({
	gap: picture.gap, keepOrder: !!picture.neurons, width: picture.size.width, height: picture.size.height,
	scopes: data.scopes.map(s => ({ parent: s.p || 0, heading: headingWidth(shorten(s.n)) })),
	items: picture.items.map(i => ({ w: i.w, h: i.h, r: i.r || 0, mid: i.mid || 0, x: i.x, y: i.y, scope: i.scope || 0, order: i.order, rank: i.rank, inputs: i.inputs })),
	links: picture.links.map(l => ({ from: picture.items.indexOf(l.from), to: picture.items.indexOf(l.to), w: l.slot?.w || 0, h: l.slot?.h || 0, points: l.points, at: l.at || null })),
	frames: picture.size.frames,
})`

// The page's layout and Go's are the same.
func TestLayoutIsGos(t *testing.T) {
	p := open(t, pageOf(t, neuron(), autograd.Gradients{}, page.Options{}))
	for name, text := range hotels(t) {
		p.show(text)
		for _, view := range evaluate[[]string](p, `["neurons", "operations", "all"].filter(v => !document.getElementById("view-" + v).hidden)`) {
			p.eval(`setView("` + view + `")`)
			var want placed
			if err := json.Unmarshal([]byte(p.eval(placedNow)), &want); err != nil {
				t.Fatal(err)
			}
			want.compare(t, name+", "+view)
		}
	}
}

// compare repeats the layout of a picture in Go.
func (want *placed) compare(t *testing.T, name string) {
	t.Helper()
	plan := layout.Plan{KeepOrder: want.KeepOrder, Column: want.Gap}
	for _, s := range want.Scopes {
		plan.Scopes = append(plan.Scopes, layout.Scope{Parent: s.Parent, Heading: s.Heading})
	}
	for _, i := range want.Items {
		plan.Items = append(plan.Items, &layout.Item{W: i.W, H: i.H, R: i.R, Mid: i.Mid, Scope: i.Scope, Order: i.Order, Inputs: i.Inputs})
	}
	for _, l := range want.Links {
		plan.Links = append(plan.Links, &layout.Link{From: plan.Items[l.From], To: plan.Items[l.To], W: l.W, H: l.H})
	}
	got := layout.Place(plan)
	differs := func(a, b float64) bool { return math.Abs(a-b) > 1e-6 }
	if differs(got.Width, want.Width) || differs(got.Height, want.Height) || len(got.Frames) != len(want.Frames) {
		t.Errorf("%s: %v × %v with %d frames, the page has %v × %v with %d", name, got.Width, got.Height, len(got.Frames), want.Width, want.Height, len(want.Frames))
		return
	}
	for k, i := range plan.Items {
		if w := want.Items[k]; differs(i.X, w.X) || differs(i.Y, w.Y) || i.Rank != w.Rank {
			t.Errorf("%s: item %d is at %v, %v, the page has %v, %v", name, k, i.X, i.Y, w.X, w.Y)
		}
	}
	for k, f := range got.Frames {
		if w := want.Frames[k]; f.Scope != w.Scope || differs(f.X, w.X) || differs(f.Y, w.Y) || differs(f.W, w.W) || differs(f.H, w.H) {
			t.Errorf("%s: frame %d is %v, the page has %v", name, k, f, w)
		}
	}
	for k, l := range plan.Links {
		w := want.Links[k]
		for at, point := range l.Points {
			if differs(point.X, w.Points[at][0]) || differs(point.Y, w.Points[at][1]) {
				t.Errorf("%s: link %d passes %v, the page has %v", name, k, point, w.Points[at])
			}
		}
		if l.Labeled != (w.At != nil) || l.Labeled && (differs(l.At.X, w.At[0]) || differs(l.At.Y, w.At[1])) {
			t.Errorf("%s: label %d is at %v, the page has %v", name, k, l.At, w.At)
		}
	}
}
