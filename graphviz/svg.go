package graphviz

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"nabla/autograd"
	"nabla/internal/recording"
)

// ErrNoGraphviz says that there is no program dot on the path, which lays out
// drawings. It belongs to Graphviz.
var ErrNoGraphviz = errors.New("the program dot of Graphviz is not installed, or not on the PATH; " +
	"install it: apt install graphviz (Debian, Ubuntu), dnf install graphviz (Fedora), brew install graphviz (macOS), " +
	"winget install graphviz (Windows); or see https://graphviz.org/download")

// A LayoutError says that Graphviz could not lay a drawing out.
type LayoutError struct {
	Message string // Graphviz's own, may be empty
	Err     error  // how the program ended
}

func (e *LayoutError) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("dot: %v", e.Err)
	}
	return fmt.Sprintf("dot: %v: %s", e.Err, e.Message)
}

// Unwrap returns how the program ended.
func (e *LayoutError) Unwrap() error { return e.Err }

// SVG draws as Write does, and has the program dot of Graphviz, which must be
// installed, make a picture of it in the format SVG. When ctx is done the
// program is killed.
//
// Besides the errors and panics of Write there are ErrNoGraphviz where the
// program is not found, a *LayoutError with Graphviz's own message when it
// fails, and ctx's error when that was the reason: errors.Is and errors.As
// tell them apart. The bytes depend on the version of Graphviz.
func SVG(ctx context.Context, w io.Writer, root autograd.Value, grads autograd.Gradients, o Options) error {
	return write(w, svg(ctx), root, grads, o)
}

// svg returns the format of pictures that dot makes.
func svg(ctx context.Context) format {
	return func(m *recording.Model, o Options) ([]byte, error) { return layOut(ctx, dotText(m, o)) }
}

// layOut has dot make a picture.
func layOut(ctx context.Context, text []byte) ([]byte, error) {
	path, err := exec.LookPath("dot")
	if err != nil {
		return nil, ErrNoGraphviz
	}
	const grace = time.Second // for a program that dot started and that holds its output
	var picture, message bytes.Buffer
	c := exec.CommandContext(ctx, path, "-Tsvg")
	c.Stdin, c.Stdout, c.Stderr, c.WaitDelay = bytes.NewReader(text), &picture, &message, grace
	switch err := c.Run(); {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, &LayoutError{strings.TrimSpace(message.String()), err}
	}
	return picture.Bytes(), nil
}
