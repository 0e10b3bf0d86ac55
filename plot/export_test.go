package plot

var (
	DrawOn      = drawOn
	NumberTicks = ticks{}.Ticks
	WholeTicks  = ticks{whole: true}.Ticks
	PowerTicks  = powers{}.Ticks
	Inches      = inches
)

// Contour returns the ends of the lines where a function is 0, over points.
func Contour(low, high [2]float64, level func(x, y float64) float64) (ends [][2]float64) {
	f := &field{low: low, high: high}
	at := f.points().Float64s()
	for _, xy := range f.contour(func(i int) float64 { return level(at[2*i], at[2*i+1]) }).ends {
		ends = append(ends, [2]float64{xy.X, xy.Y})
	}
	return ends
}

var Count = count
