package kernel

// normalizing are the loops of normalizations. Sums are in float64, and the
// results in the precision of the numbers.
type normalizing[T Float] struct {
	// Over a run of adjacent numbers of one group and channel.
	sumOfRun      func(x []T) float64
	deviations    func(x []T, from float64) (sum, squares float64)
	products      func(gy, x []T, mean float64) (sum, products float64)
	normalize     func(y, x []T, l line[T])
	normalizeGrad func(gx, gy, x []T, b bend[T])

	// Over a row of one group, in which each number is a channel.
	normalizeRow     func(y, x, scale, shift []T, l line[T])
	productsOfRow    func(gy, x, scale []T, mean float64) (sum, products float64)
	normalizeRowGrad func(gx, gy, x, scale []T, b bend[T])
	affineSums       func(sum, products []float64, gy, x []T, s Statistics, rows, stride, step int)

	// Over columns, each of one group and channel.
	deviationsOfColumns  func(sum, squares []float64, x []T, from []float64, rows, stride int)
	productsOfColumns    func(sum, products []float64, gy, x []T, mean []float64, rows, stride int)
	normalizeColumns     func(y, x, center, factor, rest []T)
	normalizeColumnsGrad func(gx, gy, x, center, factor, slope, curve, level []T)
}

func portableNormalizing[T Float]() normalizing[T] {
	return normalizing[T]{
		sumOfRun: sumOfRun[T], deviations: deviations[T], products: products[T], normalize: normalize[T], normalizeGrad: normalizeGrad[T],
		normalizeRow: normalizeRow[T], productsOfRow: productsOfRow[T], normalizeRowGrad: normalizeRowGrad[T], affineSums: affineSums[T],
		deviationsOfColumns: deviationsOfColumns[T], productsOfColumns: productsOfColumns[T],
		normalizeColumns: normalizeColumns[T], normalizeColumnsGrad: normalizeColumnsGrad[T],
	}
}

func sumOfRun[T Float](x []T) float64 { return sumRow(x, 0, same) }

// deviations adds up x − from and its square.
func deviations[T Float](x []T, from float64) (sum, squares float64) {
	for len(x) > 0 {
		n, s, ss := min(leaf, len(x)), 0.0, 0.0
		for _, v := range x[:n] {
			d := float64(v) - from
			s += d
			ss += d * d
		}
		sum, squares, x = sum+s, squares+ss, x[n:]
	}
	return sum, squares
}

// products adds up gy and gy·(x − mean).
func products[T Float](gy, x []T, mean float64) (sum, products float64) {
	for len(x) > 0 {
		n, s, p := min(leaf, len(x)), 0.0, 0.0
		for i, v := range x[:n] {
			g := float64(gy[i])
			s += g
			p += g * (float64(v) - mean)
		}
		sum, products, x, gy = sum+s, products+p, x[n:], gy[n:]
	}
	return sum, products
}

// normalize computes a line.
func normalize[T Float](y, x []T, l line[T]) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] = (v-l.center)*l.factor + l.rest
	}
}

// normalizeGrad computes a bend.
func normalizeGrad[T Float](gx, gy, x []T, b bend[T]) {
	gx, gy = gx[:len(x)], gy[:len(x)]
	for i, v := range x {
		gx[i] = b.slope*gy[i] + (b.curve*((v-b.center)*b.factor) + b.level)
	}
}

// normalizeRow is y = ((x − center)·factor + rest)·scale + shift; scale or
// shift may be nil.
func normalizeRow[T Float](y, x, scale, shift []T, l line[T]) {
	normalize(y, x, l)
	for i, v := range scale {
		y[i] *= v
	}
	for i, v := range shift {
		y[i] += v
	}
}

// productsOfRow adds up u = scale·gy and u·(x − mean).
func productsOfRow[T Float](gy, x, scale []T, mean float64) (sum, sums float64) {
	for len(x) > 0 {
		n, s, p := min(leaf, len(x)), 0.0, 0.0
		for i, v := range x[:n] {
			u := float64(gy[i]) * float64(scale[i])
			s += u
			p += u * (float64(v) - mean)
		}
		sum, sums, x, gy, scale = sum+s, sums+p, x[n:], gy[n:], scale[n:]
	}
	return sum, sums
}

// normalizeRowGrad is [normalizeGrad] of scale·gy.
func normalizeRowGrad[T Float](gx, gy, x, scale []T, b bend[T]) {
	gx, gy, scale = gx[:len(x)], gy[:len(x)], scale[:len(x)]
	for i, v := range x {
		gx[i] = b.slope*(scale[i]*gy[i]) + (b.curve*((v-b.center)*b.factor) + b.level)
	}
}

// affineSums adds up gy and gy·x̂ down each column. The
// statistics are those of the rows, and step apart.
func affineSums[T Float](sum, products []float64, gy, x []T, s Statistics, rows, stride, step int) {
	clear(sum)
	clear(products)
	for k := range rows {
		m, f, rest := s.Mean[k*step], s.Factor[k*step], s.Rest[k*step]
		from := x[k*stride : k*stride+len(sum)]
		for i, g := range gy[k*stride : k*stride+len(sum)] {
			sum[i] += float64(g)
			products[i] += float64(g) * ((float64(from[i])-m)*f + rest)
		}
	}
}

// deviationsOfColumns adds up x − from and its square down each column.
func deviationsOfColumns[T Float](sum, squares []float64, x []T, from []float64, rows, stride int) {
	clear(sum)
	clear(squares)
	for k := range rows {
		for i, v := range x[k*stride : k*stride+len(sum)] {
			d := float64(v) - from[i]
			sum[i] += d
			squares[i] += d * d
		}
	}
}

// productsOfColumns adds up gy and gy·(x − mean) down each column.
func productsOfColumns[T Float](sum, products []float64, gy, x []T, mean []float64, rows, stride int) {
	clear(sum)
	clear(products)
	for k := range rows {
		from := x[k*stride : k*stride+len(sum)]
		for i, g := range gy[k*stride : k*stride+len(sum)] {
			sum[i] += float64(g)
			products[i] += float64(g) * (float64(from[i]) - mean[i])
		}
	}
}

// normalizeColumns is [normalize] with numbers for each column.
func normalizeColumns[T Float](y, x, center, factor, rest []T) {
	y, center, factor, rest = y[:len(x)], center[:len(x)], factor[:len(x)], rest[:len(x)]
	for i, v := range x {
		y[i] = (v-center[i])*factor[i] + rest[i]
	}
}

// normalizeColumnsGrad is [normalizeGrad] with numbers for each column.
func normalizeColumnsGrad[T Float](gx, gy, x, center, factor, slope, curve, level []T) {
	gx, gy, center, factor = gx[:len(x)], gy[:len(x)], center[:len(x)], factor[:len(x)]
	slope, curve, level = slope[:len(x)], curve[:len(x)], level[:len(x)]
	for i, v := range x {
		gx[i] = slope[i]*gy[i] + (curve[i]*((v-center[i])*factor[i]) + level[i])
	}
}
