package palette_test

import (
	"image/color"
	"math"
	"testing"

	"nabla/internal/palette"
)

func TestMix(t *testing.T) {
	for part, want := range map[float64]color.RGBA{
		0: palette.White, 1: palette.Blue, 0.5: {128, 185, 217, 255},
		-3: palette.White, 7: palette.Blue, math.Inf(1): palette.Blue,
	} {
		if got := palette.Mix(palette.White, palette.Blue, part); got != want {
			t.Errorf("%v: %v, want %v", part, got, want)
		}
	}
	if got := palette.Mix(palette.White, palette.Blue, math.NaN()); got != palette.White {
		t.Errorf("NaN: %v", got)
	}
}
