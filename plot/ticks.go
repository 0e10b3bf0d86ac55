package plot

import (
	"math"
	"strconv"

	gonum "gonum.org/v1/plot"
)

// ticks are round numbers, about five of them, with as many digits as tell them
// apart.
type ticks struct{ whole bool }

func (t ticks) Ticks(lo, hi float64) []gonum.Tick {
	step := roundStep(hi - lo)
	if t.whole {
		step = math.Max(1, math.Round(step))
	}
	most := math.Max(math.Abs(lo), math.Abs(hi))
	spacing := most - math.Nextafter(most, 0) // of the numbers there are
	if !(step > 4*spacing) || math.IsInf(step, 0) {
		return []gonum.Tick{{Value: lo, Label: short(lo)}, {Value: hi, Label: short(hi)}}
	}
	var all []gonum.Tick
	for k := math.Ceil(lo/step - 1e-9); k <= hi/step+1e-9; k++ {
		all = append(all, gonum.Tick{Value: k * step, Label: label(k*step, step, most)})
	}
	return all
}

// roundStep returns 1, 2 or 5 times a power of ten, of which about five fit
// into the range.
func roundStep(width float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(width/4)))
	for _, factor := range []float64{1, 2, 5} {
		if width/(factor*power) <= 6 {
			return factor * power
		}
	}
	return 10 * power
}

// label writes a multiple of step. Very large and very small numbers have an
// exponent.
func label(v, step, most float64) string {
	if v == 0 || math.Abs(v) < step/2 {
		return "0"
	}
	decimals := max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	if most >= 1e6 || most < 1e-3 {
		digits := max(0, int(math.Floor(math.Log10(math.Abs(v))+1e-9))-int(math.Floor(math.Log10(step)+1e-9)))
		return exponent(strconv.FormatFloat(v, 'e', digits, 64))
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

// exponent writes 1e+06 as 1e6, and 1e-06 as 1e-6.
func exponent(text string) string {
	for i := range text {
		if text[i] == 'e' {
			n, _ := strconv.Atoi(text[i+1:])
			return text[:i] + "e" + strconv.Itoa(n)
		}
	}
	return text
}

// short writes a number with four digits.
func short(v float64) string { return exponent(strconv.FormatFloat(v, 'g', 4, 64)) }

// powers are ticks of a logarithmic axis: powers of ten, with twice and five
// times these if there is room, or round numbers where the axis is short.
type powers struct{}

func (powers) Ticks(lo, hi float64) []gonum.Tick {
	if !(lo > 0) || !(hi > lo) {
		return ticks{}.Ticks(lo, hi)
	}
	from, to := math.Ceil(math.Log10(lo)-1e-9), math.Floor(math.Log10(hi)+1e-9)
	if hi/lo < 5 {
		return ticks{}.Ticks(lo, hi)
	}
	every := math.Max(1, math.Ceil((to-from+1)/7))
	var all []gonum.Tick
	for e := from - 1; e <= to; e++ {
		for _, factor := range []float64{1, 2, 5} {
			v := factor * math.Pow(10, e)
			tick := gonum.Tick{Value: v}
			switch {
			case v < lo*(1-1e-9) || v > hi*(1+1e-9):
				continue
			case factor == 1 && math.Mod(e-from, every) == 0, to-from <= 2:
				tick.Label = powerLabel(v)
			case every > 1:
				continue
			}
			all = append(all, tick)
		}
	}
	return all
}

// powerLabel writes numbers from a thousandth to a hundred thousand as people
// do, and others with an exponent.
func powerLabel(v float64) string {
	if v >= 1e-3*(1-1e-9) && v < 1e6 {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	return exponent(strconv.FormatFloat(v, 'e', 0, 64))
}

// LogY makes the vertical axis logarithmic: for losses and norms that fall over
// several powers of ten. It takes effect if the plot shows nothing at or below
// 0, and otherwise changes nothing.
func LogY(p *gonum.Plot) {
	if p.Y.Min > 0 && p.Y.Max > p.Y.Min {
		p.Y.Scale, p.Y.Tick.Marker = gonum.LogScale{}, powers{}
	}
}
