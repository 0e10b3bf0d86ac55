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

// A LayoutError says that Graphviz could not lay out a drawing.
type LayoutError struct {
	Message string // from Graphviz; may be empty
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

// SVG draws like [Write], but as an SVG picture. If Graphviz is installed, its
// program dot lays out the picture, and is killed when ctx is done; the bytes
// then depend on its version. Otherwise the library draws the same boxes,
// frames and arrows with its own layout, and the same recording gives the same
// bytes.
//
// Besides the errors and panics of [Write], it returns a *[LayoutError] with
// Graphviz's message if dot fails, which wraps ctx's error if that was the
// reason.
func SVG(ctx context.Context, w io.Writer, root autograd.Value, grads autograd.Gradients, o Options) error {
	return write(w, pictures(ctx), root, grads, o)
}

// pictures returns the format of pictures.
func pictures(ctx context.Context) format {
	return func(m *recording.Model, o Options) ([]byte, error) { return layOut(ctx, dotText(m, o)) }
}

// layOut makes a picture, with dot if it is installed.
func layOut(ctx context.Context, text []byte) ([]byte, error) {
	path, err := exec.LookPath("dot")
	if err != nil {
		return svg.Draw(string(text))
	}
	const grace = time.Second // for a child of dot that keeps its output open
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
