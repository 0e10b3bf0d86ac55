// Package palette holds the colours of pictures: those of Okabe and Ito (2008),
// which people with any kind of colour vision tell apart.
package palette

import (
	"image/color"
	"math"
)

// The colours.
var (
	Black      = color.RGBA{0, 0, 0, 255}
	Orange     = color.RGBA{230, 159, 0, 255}
	Sky        = color.RGBA{86, 180, 233, 255}
	Green      = color.RGBA{0, 158, 115, 255}
	Yellow     = color.RGBA{240, 228, 66, 255}
	Blue       = color.RGBA{0, 114, 178, 255}
	Vermillion = color.RGBA{213, 94, 0, 255}
	Purple     = color.RGBA{204, 121, 167, 255}
	White      = color.RGBA{255, 255, 255, 255}
)

// Mix returns the colour that lies the given part of the way from a to b, from
// 0 to 1. A part beyond counts as the end, and NaN as 0.
func Mix(a, b color.RGBA, part float64) color.RGBA {
	part = math.Min(1, math.Max(0, part))
	if math.IsNaN(part) {
		part = 0
	}
	mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a) + part*(float64(b)-float64(a)))) }
	return color.RGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), mix(a.A, b.A)}
}
