package kernel

// PReLU is x for x > 0, else y·x. Its gradients are 1 and 0 for x > 0, NaN
// where x is, else y and x.
var PReLU = ofXY(
	func(x, y float64) float64 {
		if x > 0 {
			return x
		}
		return y * x
	},
	func(gy, x, y, _ float64) (gx, gyy float64) {
		switch {
		case x > 0:
			return gy, 0
		case x != x:
			return x, x
		}
		return gy * y, gy * x
	})
