package kernel

func (l *vectors[T]) normalizing() normalizing[T] {
	return normalizing[T]{
		sumOfRun: l.pairwise, deviations: l.deviationsOfRun, products: l.productsOfRun, normalize: l.normalizeRun, normalizeGrad: l.normalizeGradOfRun,
		normalizeRow: l.normalizeWholeRow, productsOfRow: l.productsOfWholeRow, normalizeRowGrad: l.normalizeGradOfRow, affineSums: l.affineSumsOfColumns,
		deviationsOfColumns: l.deviationsDown, productsOfColumns: l.productsDown,
		normalizeColumns: l.normalizeAcross, normalizeColumnsGrad: l.normalizeGradAcross,
	}
}

// deviationsOfRun and productsOfRun add up blocks, so that the rounding errors
// of a long run stay small.
func (l *vectors[T]) deviationsOfRun(x []T, from float64) (sum, squares float64) {
	for len(x) > 0 {
		n := min(block, len(x))
		d, dd := l.deviations(&x[0], n, from)
		sum, squares, x = sum+d, squares+dd, x[n:]
	}
	return sum, squares
}

func (l *vectors[T]) productsOfRun(gy, x []T, mean float64) (sum, products float64) {
	for len(x) > 0 {
		n := min(block, len(x))
		g, p := l.products(&gy[:n][0], &x[0], n, mean)
		sum, products, gy, x = sum+g, products+p, gy[n:], x[n:]
	}
	return sum, products
}

func (l *vectors[T]) normalizeRun(y, x []T, s line[T]) {
	if n := len(x); n > 0 {
		y = y[:n]
		l.normalize(&y[0], &x[0], n, s.center, s.factor, s.rest)
	}
}

func (l *vectors[T]) normalizeGradOfRun(gx, gy, x []T, b bend[T]) {
	if n := len(x); n > 0 {
		gx, gy = gx[:n], gy[:n]
		l.normalizeGrad(&gx[0], &gy[0], &x[0], n, b.center, b.factor, b.slope, b.curve, b.level)
	}
}

// normalizeWholeRow leaves a shift without a scale to the portable loop.
func (l *vectors[T]) normalizeWholeRow(y, x, scale, shift []T, s line[T]) {
	n := len(x)
	switch {
	case n == 0:
	case scale == nil:
		normalizeRow(y, x, scale, shift, s)
	case shift == nil:
		y, scale = y[:n], scale[:n]
		l.normalizeScaled(&y[0], &x[0], &scale[0], n, s.center, s.factor, s.rest)
	default:
		y, scale, shift = y[:n], scale[:n], shift[:n]
		l.normalizeRow(&y[0], &x[0], &scale[0], &shift[0], n, s.center, s.factor, s.rest)
	}
}

func (l *vectors[T]) productsOfWholeRow(gy, x, scale []T, mean float64) (sum, products float64) {
	for len(x) > 0 {
		n := min(block, len(x))
		g, p := l.productsOfRow(&gy[:n][0], &x[0], &scale[:n][0], n, mean)
		sum, products, gy, x, scale = sum+g, products+p, gy[n:], x[n:], scale[n:]
	}
	return sum, products
}

func (l *vectors[T]) normalizeGradOfRow(gx, gy, x, scale []T, b bend[T]) {
	if n := len(x); n > 0 {
		gx, gy, scale = gx[:n], gy[:n], scale[:n]
		l.normalizeRowGrad(&gx[0], &gy[0], &x[0], &scale[0], n, b.center, b.factor, b.slope, b.curve, b.level)
	}
}

// The functions of columns have at least one row and one column.

func (l *vectors[T]) affineSumsOfColumns(sum, products []float64, gy, x []T, s Statistics, rows, stride, step int) {
	l.affineSums(&sum[0], &products[0], &gy[0], &x[0], &s.Mean[0], &s.Factor[0], &s.Rest[0], rows, stride, len(sum), step)
}

func (l *vectors[T]) deviationsDown(sum, squares []float64, x []T, from []float64, rows, stride int) {
	l.deviationsOfColumns(&sum[0], &squares[0], &x[0], &from[0], rows, stride, len(sum))
}

func (l *vectors[T]) productsDown(sum, products []float64, gy, x []T, mean []float64, rows, stride int) {
	l.productsOfColumns(&sum[0], &products[0], &gy[0], &x[0], &mean[0], rows, stride, len(sum))
}

func (l *vectors[T]) normalizeAcross(y, x, center, factor, rest []T) {
	n := len(x)
	y, center, factor, rest = y[:n], center[:n], factor[:n], rest[:n]
	l.normalizeColumns(&y[0], &x[0], &center[0], &factor[0], &rest[0], n)
}

func (l *vectors[T]) normalizeGradAcross(gx, gy, x, center, factor, slope, curve, level []T) {
	n := len(x)
	gx, gy, center, factor = gx[:n], gy[:n], center[:n], factor[:n]
	slope, curve, level = slope[:n], curve[:n], level[:n]
	l.normalizeColumnsGrad(&gx[0], &gy[0], &x[0], &center[0], &factor[0], &slope[0], &curve[0], &level[0], n)
}
