package graphviz_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"nabla/autograd"
	"nabla/graphviz"
	"nabla/internal/recording/recordingtest"
)

func TestSVG(t *testing.T) {
	if _, err := exec.LookPath("dot"); err != nil {
		t.Skip("there is no Graphviz here")
	}
	var b bytes.Buffer
	if err := graphviz.SVG(t.Context(), &b, recordingtest.Neuron(), autograd.Gradients{}, graphviz.Options{Title: "One neuron"}); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"<svg", "</svg>", "One neuron", "tanh"} {
		if !strings.Contains(b.String(), text) {
			t.Errorf("the picture lacks %q", text)
		}
	}
}

// installed makes a shell script the program dot; besides it, PATH has only the
// tools of the shell.
func installed(t *testing.T, script string) {
	t.Helper()
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no shell here")
	}
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Skip("there is no sleep here")
	}
	dir := t.TempDir()
	text := "#!" + shell + "\n" + strings.ReplaceAll(script, "sleep", sleep) + "\n"
	if err := os.WriteFile(filepath.Join(dir, "dot"), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
}

// Without Graphviz the library draws every view itself, with any names:
// well-formed and deterministic.
func TestWithoutGraphviz(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, name := range []string{"w", "", "\x00", `"`, `\`, `\"`, `\N\n`, "<b>", "&amp;", "&#0;", "]]>", "-->", "\xff\xfe", "\u202e", "🧠👩‍🔬", strings.Repeat("x", 300)} {
		g := autograd.NewGraph(autograd.Options{Trace: true})
		g.Enter(name)
		loss := g.Variable(autograd.Scalar(2)).Named(name).Mul(g.Scalar(3)).Add(g.Variable(autograd.Scalar(1))).Named(name).Tanh().Named("loss")
		g.Leave()
		for view := graphviz.Forward; view <= graphviz.Neurons; view++ {
			for _, direction := range []graphviz.Direction{graphviz.LeftToRight, graphviz.TopToBottom} {
				o := graphviz.Options{View: view, Direction: direction, Title: name, Legend: true}
				var first, second bytes.Buffer
				grads := loss.Backward()
				if err := errors.Join(graphviz.SVG(t.Context(), &first, loss, grads, o), graphviz.SVG(t.Context(), &second, loss, grads, o)); err != nil {
					t.Fatalf("%q, %v: %v", name, view, err)
				}
				if !bytes.Equal(first.Bytes(), second.Bytes()) {
					t.Errorf("%q, %v: two pictures", name, view)
				}
				if err := xml.Unmarshal(first.Bytes(), new(struct{})); err != nil || !strings.Contains(first.String(), "</svg>") {
					t.Errorf("%q, %v: %v", name, view, err)
				}
			}
		}
	}
}

func TestGraphvizFails(t *testing.T) {
	installed(t, `read line; echo "Error: <stdin>: too difficult" >&2; exit 3`)
	err := graphviz.SVG(t.Context(), &bytes.Buffer{}, recordingtest.Neuron(), autograd.Gradients{}, graphviz.Options{})
	var layout *graphviz.LayoutError
	var exit *exec.ExitError
	if !errors.As(err, &layout) || layout.Message != "Error: <stdin>: too difficult" || !errors.As(err, &exit) || exit.ExitCode() != 3 {
		t.Errorf("got %v", err)
	}
	installed(t, "exit 1")
	if err := graphviz.SVG(t.Context(), &bytes.Buffer{}, recordingtest.Neuron(), autograd.Gradients{}, graphviz.Options{}); err == nil || !strings.Contains(err.Error(), "exit status 1") {
		t.Errorf("without a message: %v", err)
	}
}

// The program is killed when its context ends, and children that keep its
// output open are not waited for; otherwise the test would last for hours.
func TestSVGIsCanceled(t *testing.T) {
	installed(t, "sleep 7200 & echo $! >child; wait")
	t.Chdir(t.TempDir())
	t.Cleanup(func() { end(t, "child") })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := graphviz.SVG(ctx, &bytes.Buffer{}, recordingtest.Neuron(), autograd.Gradients{}, graphviz.Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	done, stop := context.WithCancel(t.Context())
	stop()
	if err := graphviz.SVG(done, &bytes.Buffer{}, recordingtest.Neuron(), autograd.Gradients{}, graphviz.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// end kills the process whose id is in a file.
func end(t *testing.T, path string) {
	text, err := os.ReadFile(path)
	if err != nil {
		return // it was not started
	}
	id, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Error(err)
		return
	}
	if p, err := os.FindProcess(id); err == nil {
		p.Kill()
	}
}

// The end of a file's name chooses the format.
func TestWriteFileFormats(t *testing.T) {
	installed(t, `while read -r line; do :; done; echo "<svg>drawn</svg>"`)
	dir := t.TempDir()
	for name, begins := range map[string]string{"a.dot": "digraph", "a.gv": "digraph", "a.mmd": "---\nconfig", "a.svg": "<svg>drawn"} {
		path := filepath.Join(dir, name)
		if err := graphviz.WriteFile(path, recordingtest.Neuron(), autograd.Gradients{}, graphviz.Options{}); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || !strings.HasPrefix(string(got), begins) {
			t.Errorf("%s: %.40q, error %v", name, got, err)
		}
	}
	for _, name := range []string{"a.png", "a", "a.DOT", ".", "dot"} {
		var argument *autograd.ArgumentError
		err := autograd.Try(func() {
			graphviz.WriteFile(filepath.Join(dir, name), recordingtest.Neuron(), autograd.Gradients{}, graphviz.Options{})
		})
		if !errors.As(err, &argument) || !strings.Contains(err.Error(), ".mmd") {
			t.Errorf("%q: %v", name, err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 4 {
		t.Errorf("%v, error %v", entries, err)
	}
}
