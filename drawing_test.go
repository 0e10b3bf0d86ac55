package nabla_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/data/hotels"
	"nabla/graphviz"
	"nabla/losses"
)

var update = flag.Bool("update", false, "write the golden drawings anew")

// The drawings of the hotels' network are the same to the byte.
func TestGoldenDrawings(t *testing.T) {
	// Not standardised: a mean that is 0 up to rounding would differ between
	// sets of kernels.
	rows := hotels.Load()[:4]
	x, y := rows.Features().Tensor(), rows.Prices().Tensor()
	model := network(4, 2, 3, 1)
	g := autograd.NewGraph(autograd.Options{Trace: true})
	loss := losses.MSE(model.Forward(g.Constant(x).Named("features")), g.Constant(y).Named("targets"))
	gradients := loss.Backward()
	for name, view := range map[string]graphviz.View{"forward": graphviz.Forward, "backward": graphviz.Backward} {
		t.Run(name, func(t *testing.T) {
			options := graphviz.Options{View: view, Title: "hotels"}
			var first, second bytes.Buffer
			for _, b := range []*bytes.Buffer{&first, &second} {
				if err := graphviz.Write(b, loss, gradients, options); err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(first.Bytes(), second.Bytes()) {
				t.Error("two drawings of one recording differ")
			}
			golden(t, filepath.Join("testdata", "hotels."+name+".dot"), first.String())
		})
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got); go test -update writes it anew:\n%s", path, diff)
	}
}
