package kernel

// Follow moves running numbers towards observed ones, which are still to be
// divided by a weight: p = (1 − momentum)·p + momentum·x/weight.
func Follow[T, S Float](p []T, x []S, weight, momentum float64) {
	x = x[:len(p)]
	for i, v := range p {
		p[i] = T((1-momentum)*float64(v) + momentum*(float64(x[i])/weight))
	}
}

// AddWeighted is dst += weight·x.
func AddWeighted[S Float](dst []float64, x []S, weight float64) {
	dst = dst[:len(x)]
	for i, v := range x {
		dst[i] += weight * float64(v)
	}
}
