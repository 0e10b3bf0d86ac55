package browser

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

var everyStep = flag.Bool("every", false, "look at the geometry of every step of every epoch, not only of the first and the last")

// hotels trains the networks of examples/hotels and returns their pages, by
// file.
func hotels(t *testing.T) map[string][]byte {
	t.Helper()
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
			const all = every || e === 0 || e === data.frames.length - 1;
			steps.forEach((s, k) => { if (faults.length < 12 && (all || s.phase !== steps[k + 1]?.phase)) look(k); });
		}
		return faults;
	};
})()`

// In every view no text lies over another, none leaves its box or the canvas,
// in each step of the first and the last epoch, and at the end of each phase of
// all others.
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
