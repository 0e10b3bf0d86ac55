package xla

import (
	"flag"
	"math"
	"os"
	"testing"
)

var pluginPath = flag.String("plugin", os.Getenv("NABLA_PJRT_PLUGIN"), "the path of a PJRT plugin; its default is NABLA_PJRT_PLUGIN")

// testClient opens the plugin that the tests are given. Without one they say so
// and are skipped.
func testClient(t testing.TB) *Client {
	t.Helper()
	if *pluginPath == "" {
		t.Skip("no PJRT plugin: name one by -args -plugin PATH or NABLA_PJRT_PLUGIN; see README.md")
	}
	c, err := Open(*pluginPath)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// distance is the greatest difference, relative to numbers above 1; +Inf if one
// is NaN or infinite and the other is not.
func distance(got, want []float64) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	worst := 0.0
	for i, w := range want {
		g := got[i]
		if g == w || g != g && w != w {
			continue
		}
		d := math.Abs(g-w) / math.Max(1, math.Abs(w))
		if d != d {
			return math.Inf(1)
		}
		worst = max(worst, d)
	}
	return worst
}
