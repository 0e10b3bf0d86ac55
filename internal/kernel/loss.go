package kernel

import "math"

// BCE is the binary cross entropy of a probability x against a label y: z =
// −(y·ln x + (1−y)·ln(1−x)), with both logarithms at least −100.
//
//	∂z/∂x = (x − y) / max(x·(1−x), 1e−12)
//	∂z/∂y = ln(1−x) − ln x, of the bounded logarithms
//
// Special cases are: x = 0 or 1 against the wrong label is 100, with gradient
// ∓1e12; against the right one 0.
var BCE = ofXY(
	func(x, y float64) float64 {
		hit, miss := boundedLogs(x)
		return -(y*hit + (1-y)*miss)
	},
	func(gy, x, y, _ float64) (float64, float64) {
		hit, miss := boundedLogs(x)
		return bceSlopeOne(gy, x, y), gy * (miss - hit)
	},
)

// leastSpread is the smallest divisor in the gradient of a cross entropy.
const leastSpread = 1e-12

// boundedLogs returns ln p and ln(1−p), each at least −100.
func boundedLogs(p float64) (hit, miss float64) {
	return max(math.Log(p), -100), max(math.Log1p(-p), -100)
}

// BCELogits is the binary cross entropy of the probability sigmoid x against a
// label y: z = max(x, 0) − x·y + ln(1 + e^(−|x|)).
//
//	∂z/∂x = sigmoid x − y, ∂z/∂y = −x
//
// Neither value nor gradient cancels: at x = 40, y = 1 both are ±4.2e−18.
var BCELogits = ofXY(
	func(x, y float64) float64 {
		rest := math.Log1p(math.Exp(-math.Abs(x)))
		if x > 0 {
			return x*(1-y) + rest
		}
		return rest - x*y
	},
	func(gy, x, y, _ float64) (float64, float64) {
		if x > 0 {
			return gy * ((1 - y) - sigmoid(-x)), -gy * x
		}
		return gy * (sigmoid(x) - y), -gy * x
	},
)

// CrossEntropy is the term of one class in the categorical cross entropy, for
// its probability x and its part y in the target: z = −y·ln x, with a logarithm
// of at least −100.
//
//	∂z/∂x = −y / max(x, 1e−12)
//	∂z/∂y = −ln x, of the bounded logarithm
//
// Special cases are: x = 0 is 100·y, with gradient −1e12·y.
var CrossEntropy = ofXY(
	func(x, y float64) float64 { return -(y * max(math.Log(x), -100)) },
	func(gy, x, y, _ float64) (float64, float64) {
		return -(gy * (y / max(x, leastSpread))), -(gy * max(math.Log(x), -100))
	},
)
