package gradcheck

import "math"

// A difference approaches a derivative by steps that get narrower. From each
// it takes the slopes to both sides; the limits of left and right slope are
// extrapolated each on its own, which holds at a kink too, and that of their
// mean, the central difference, once more: its error has even powers of the
// step only, so that it settles sooner where the function is smooth.
type difference struct {
	left, right, central table
	steps                int     // that were used
	terms                float64 // the largest sum of magnitudes met
	noise                float64 // the least rounding error of a slope
}

func newDifference() *difference {
	return &difference{left: newTable(1), right: newTable(1), central: newTable(2), noise: math.Inf(1)}
}

// add takes in the slopes over the step a to the right and b to the left.
// Noise is the rounding error of either.
func (d *difference) add(a, b, right, left, noise float64) {
	d.steps++
	d.noise = min(d.noise, noise)
	d.right.add(a, right, noise)
	d.left.add(b, left, noise)
	d.central.add(math.Sqrt(a*b), (b*right+a*left)/(a+b), noise)
}

// slope returns the derivative, or at a kink the mean of the two: the estimate
// with the smaller error.
func (d *difference) slope() limit {
	sides := limit{
		value: d.left.best.value + (d.right.best.value-d.left.best.value)/2,
		err:   (d.left.best.err + d.right.best.err) / 2,
		step:  d.right.best.step,
	}
	if sides.err < d.central.best.err {
		return sides
	}
	return d.central.best
}

// gap returns by how much the right slope exceeds the left one.
func (d *difference) gap() limit {
	return limit{
		value: d.right.best.value - d.left.best.value,
		err:   d.left.best.err + d.right.best.err,
		step:  d.right.best.step,
	}
}

// between reports whether v lies between the slopes to both sides, give or
// take their errors and the tolerance. A kink within the steps, but not at the
// point, spoils the slope to its own side only: the other one is the
// derivative at the point.
func (d *difference) between(v, tolerance float64) bool {
	left, right := d.left.best, d.right.best
	if left.value > right.value {
		left, right = right, left
	}
	return left.value-certain*left.err-tolerance <= v && v <= right.value+certain*right.err+tolerance
}

// contradicts reports whether a slope of d differs from that of e by more than
// the error of d.
func (d *difference) contradicts(e *difference) bool {
	return d.left.best.contradicts(e.left.best) || d.right.best.contradicts(e.right.best) || d.slope().contradicts(e.slope())
}

// A limit is an extrapolated number, its estimated error, and the narrowest
// step that went into it.
type limit struct {
	value, err, step float64
}

func (l limit) contradicts(m limit) bool {
	return math.Abs(l.value-m.value) > certain*l.err
}

// A table extrapolates numbers to step 0 as Richardson and Ridders do. Column
// j of a row holds the value at 0 of the polynomial in step^power through the
// last j+1 numbers. Only the last row is kept.
type table struct {
	power float64
	steps []float64
	row   []float64
	best  limit
}

// columns is where a row ends: more would add up the numbers' noise.
const columns = 7

func newTable(power float64) table {
	return table{power: power, best: limit{value: math.NaN(), err: math.Inf(1)}}
}

// add appends a row that begins with the number v.
func (t *table) add(step, v, noise float64) {
	if t.row == nil {
		t.best.value, t.best.step = v, step
	}
	row := []float64{v}
	for j, above := range t.row[:min(len(t.row), columns-1)] {
		ratio := math.Pow(t.steps[len(t.steps)-1-j]/step, t.power)
		next := row[j] + (row[j]-above)/(ratio-1)
		row = append(row, next)
		err := max(math.Abs(next-row[j]), math.Abs(next-above)) + noise
		if err <= t.best.err {
			t.best = limit{next, err, step}
		}
	}
	t.row, t.steps = row, append(t.steps, step)
}
