package browser

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"nabla/autograd"
	"nabla/page"
)

var shots = flag.String("shots", "", "the folder to save pictures of the pages in; none if empty")

// browser is the context of the browser in which all tests open their tabs.
var browser context.Context

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	path, err := findBrowser()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, err := os.MkdirTemp("", "browser")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(dir), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1280, 800),
		chromedp.Flag("force-prefers-reduced-motion", true), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("allow-file-access-from-files", false),
	)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	defer stop()
	var cancel context.CancelFunc
	browser, cancel = chromedp.NewContext(allocator)
	defer cancel()
	if err := chromedp.Do(browser, chromedp.Navigate("about:blank")); err != nil {
		fmt.Fprintf(os.Stderr, "%s does not start: %v\n", path, err)
		return 1
	}
	return m.Run()
}

func findBrowser() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("there is no chromium, which these tests drive: apt-get install chromium")
}

// A tab is a page in the browser, with its messages and requests.
type tab struct {
	t   *testing.T
	ctx context.Context
	url string

	mu       sync.Mutex
	messages []string
	requests []string
}

// open writes a page to a file and opens it.
func open(t *testing.T, page []byte, setup ...chromedp.Action[chromedp.Void]) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	ctx, stop := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(stop)
	p := &tab{t: t, ctx: ctx}
	if err := chromedp.Listen(ctx, p.hear); err != nil {
		t.Fatal(err)
	}
	for _, action := range setup {
		p.do(action)
	}
	p.do(chromedp.EmulateViewport(1280, 800))
	p.show(page)
	return p
}

// show opens another page in the tab.
func (p *tab) show(page []byte) {
	p.t.Helper()
	path := filepath.Join(p.t.TempDir(), "page.html")
	if err := os.WriteFile(path, page, 0o644); err != nil {
		p.t.Fatal(err)
	}
	p.mu.Lock()
	p.url = (&url.URL{Scheme: "file", Path: path}).String()
	p.requests = nil
	p.mu.Unlock()
	p.do(chromedp.Navigate(p.url))
	p.wait(`document.documentElement.dataset.ready === "yes"`)
}

func (p *tab) hear(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		p.requests = append(p.requests, e.Request.URL)
	case *runtime.EventConsoleAPICalled:
		p.messages = append(p.messages, fmt.Sprint("console: ", e.Type, " ", len(e.Args)))
	case *runtime.EventExceptionThrown:
		p.messages = append(p.messages, "exception: "+e.ExceptionDetails.Text)
		if x := e.ExceptionDetails.Exception; x != nil {
			p.messages = append(p.messages, x.Description)
		}
	case *log.EventEntryAdded:
		p.messages = append(p.messages, "log: "+e.Entry.Text)
	}
}

// quiet fails if the page logged anything or requested anything but itself.
func (p *tab) quiet() {
	p.t.Helper()
	p.eval("1") // earlier messages have arrived by now
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.messages {
		p.t.Error(m)
	}
	for _, r := range p.requests {
		if !strings.HasPrefix(r, p.url) && !strings.HasPrefix(r, "data:") && r != "about:blank" {
			p.t.Errorf("the page asked for %s", r)
		}
	}
}

func (p *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// eval returns an expression's value as text.
func (p *tab) eval(expression string) string {
	p.t.Helper()
	return evaluate[string](p, "String("+expression+")")
}

func evaluate[T any](p *tab, expression string) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// numbers returns a list of numbers to the last bit.
func (p *tab) numbers(expression string) []float64 {
	p.t.Helper()
	texts := evaluate[[]string](p, "("+expression+").map(v => Object.is(v, -0) ? '-0' : String(v))")
	list := make([]float64, len(texts))
	for i, text := range texts {
		v, err := strconv.ParseFloat(strings.Replace(text, "Infinity", "Inf", 1), 64)
		if err != nil {
			p.t.Fatalf("%s: %v", expression, err)
		}
		list[i] = v
	}
	return list
}

// wait waits until an expression is true.
func (p *tab) wait(expression string) {
	p.t.Helper()
	for {
		_, err := chromedp.Run(p.ctx, chromedp.Poll[bool]("!!("+expression+")", chromedp.WithPollingTimeout(20*time.Second)))
		switch {
		case err == nil:
			return
		case !strings.Contains(err.Error(), "Cannot find context"): // the page has just been left
			p.mu.Lock()
			defer p.mu.Unlock()
			p.t.Fatalf("waiting for %s: %v\n%s", expression, err, strings.Join(p.messages, "\n"))
		}
	}
}

// is fails unless an expression has the given value.
func (p *tab) is(expression, want string) {
	p.t.Helper()
	if got := p.eval(expression); got != want {
		p.t.Errorf("%s is %q, want %q", expression, got, want)
	}
}

func (p *tab) key(keys string, options ...chromedp.KeyOption) {
	p.t.Helper()
	p.do(chromedp.KeyEvent(keys, options...))
}

func (p *tab) click(selector string) {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS(selector)))
}

// shot saves a picture of the page if the flag asks for it.
func (p *tab) shot(name string) {
	p.t.Helper()
	if *shots == "" {
		return
	}
	picture, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(*shots, name+".png"), picture, 0o644)
	}
	if err != nil {
		p.t.Error(err)
	}
}

// media emulates a medium, such as print, and a preferred colour scheme.
func media(medium, scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Media: medium, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}

// pageOf returns the page of one recording.
func pageOf(t *testing.T, root autograd.Value, grads autograd.Gradients, o page.Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := page.Write(&b, root, grads, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The keys by their names.
var (
	right, left, up, down = kb.ArrowRight, kb.ArrowLeft, kb.ArrowUp, kb.ArrowDown
	home, end, escape     = kb.Home, kb.End, kb.Escape
	enter, tabulator      = kb.Enter, kb.Tab
)
