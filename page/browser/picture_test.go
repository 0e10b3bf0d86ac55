package browser

import (
	"bytes"
	"flag"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

var update = flag.Bool("update", false, "make the README's picture of the page anew")

// picture is the README's picture of the page.
const picture = "../../docs/page.png"

// The README begins with the page of the hotels' 2-3-1 network, at the end of
// an epoch's feedback. The picture is small enough for a README.
//
//	go -C page/browser test -run TestPicture . -args -update
//
// It differs from browser to browser, so that only its size is checked.
func TestPicture(t *testing.T) {
	if *update {
		takePicture(t)
	}
	content, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	if len(content) > 200_000 {
		t.Errorf("%s has %d bytes, at most 200,000 are expected", picture, len(content))
	}
	image, err := png.DecodeConfig(bytes.NewReader(content))
	if err != nil || image.Width != 1280 || image.Height != 800 {
		t.Errorf("%s has %d × %d pixels, error %v", picture, image.Width, image.Height, err)
	}
}

func takePicture(t *testing.T) {
	dir := t.TempDir()
	train := exec.Command("go", "run", "./examples/hotels", "-task", "nonlinear", "-out", dir)
	train.Dir = "../.."
	if out, err := train.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	content, err := os.ReadFile(filepath.Join(dir, "nonlinear.html"))
	if err != nil {
		t.Fatal(err)
	}
	p := open(t, content)
	p.eval(`((e, v) => { e.value = v; e.dispatchEvent(new Event("input")); })(document.getElementById("epoch-slider"), 80)`)
	p.click("[data-phase=adjust]")
	for range 8 { // to a weight of the first layer
		p.click("#back")
	}
	p.quiet()
	shot, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(picture, shot, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}
