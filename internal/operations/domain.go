package operations

import "math"

// The functions below return words, to follow the name of an operation, that
// say why x is outside its domain; %s stands for x. They return no words if x
// is inside and the result y overflows.

func logDomain(x, _ float64) (Fault, string) {
	if x == 0 {
		return LogOfZero, " of 0"
	}
	return Outside, " of %s, a negative number"
}

func log1pDomain(x, _ float64) (Fault, string) {
	if x == -1 {
		return LogOfZero, " of −1: log of 0"
	}
	return Outside, " of %s: log of a negative number"
}

// rootDomain leaves the overflow of a reciprocal to the general case.
func rootDomain(x, y float64) (Fault, string) {
	switch {
	case x == 0:
		return DivisionByZero, " of 0: 1 / 0"
	case math.IsNaN(y):
		return Outside, " of %s, a negative number"
	}
	return Overflow, ""
}

func arcDomain(_, _ float64) (Fault, string) { return Outside, " of %s, outside −1 to 1" }

func acoshDomain(_, _ float64) (Fault, string) { return Outside, " of %s, less than 1" }

func atanhDomain(x, _ float64) (Fault, string) {
	if math.Abs(x) == 1 {
		return LogOfZero, " of %s: log of 0"
	}
	return Outside, " of %s, outside −1 to 1"
}

func logitDomain(x, _ float64) (Fault, string) {
	if x == 0 || x == 1 {
		return LogOfZero, " of %s: log of 0"
	}
	return Outside, " of %s, no probability"
}

func moduloDomain(_, _ float64) (Fault, string) { return DivisionByZero, " by 0" }

func definiteDomain(_, _ float64) (Fault, string) {
	return Outside, " of a matrix that is not positive definite"
}

func singularDomain(_, y float64) (Fault, string) {
	if math.IsNaN(y) {
		return DivisionByZero, " with a singular matrix"
	}
	return Overflow, ""
}

func logDetDomain(_, y float64) (Fault, string) {
	if math.IsInf(y, -1) {
		return LogOfZero, " of a singular matrix: log of 0"
	}
	return Overflow, ""
}

// poleDomain is for a function with poles at 0, −1, −2, …; elsewhere it
// overflows.
func poleDomain(x, _ float64) (Fault, string) {
	if x <= 0 && x == math.Trunc(x) {
		return Outside, " of %s, where it has a pole"
	}
	return Overflow, ""
}

func probabilityDomain(x, _ float64) (Fault, string) {
	if x < 0 || x > 1 {
		return Outside, " of %s, no probability"
	}
	return Overflow, ""
}

// fewDomain is for an operation that returns NaN for too few elements; an
// overflow gives an infinity.
func fewDomain(_, y float64) (Fault, string) {
	if math.IsNaN(y) {
		return Outside, " of too few elements"
	}
	return Overflow, ""
}
