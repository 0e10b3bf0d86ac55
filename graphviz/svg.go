package graphviz

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"nabla/autograd"
	"nabla/internal/recording"
	"nabla/internal/svg"
)

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

// SVG draws as Write does, as a picture in the format SVG. Where the program
// dot of Graphviz is installed it lays the picture out, and is killed when ctx
// is done; the bytes then depend on its version. Elsewhere the library draws
// the same boxes, frames and arrows itself, in a layout of its own, and the
// same recording gives the same bytes.
//
// Besides the errors and panics of Write there are a *LayoutError with
// Graphviz's own message when it fails, and ctx's error when that was the
// reason: errors.Is and errors.As tell them apart.
func SVG(ctx context.Context, w io.Writer, root autograd.Value, grads autograd.Gradients, o Options) error {
	return write(w, pictures(ctx), root, grads, o)
}

// pictures returns the format of pictures.
func pictures(ctx context.Context) format {
	return func(m *recording.Model, o Options) ([]byte, error) { return layOut(ctx, dotText(m, o)) }
}

// layOut makes a picture, by dot where it is installed.
func layOut(ctx context.Context, text []byte) ([]byte, error) {
	path, err := exec.LookPath("dot")
	if err != nil {
		return svg.Draw(string(text))
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
