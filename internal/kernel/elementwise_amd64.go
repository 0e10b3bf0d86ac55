package kernel

import "math"

// vectorBinaries are the functions of two arguments that have vector loops.
var vectorBinaries = []binaryVectors{
	{
		&Add,
		BinaryLoops[float64]{
			VV: vectorVector(addVV64AVX2), VS: vectorScalar(addVS64AVX2), SV: swapped(vectorScalar(addVS64AVX2)),
		},
		BinaryLoops[float32]{
			VV: vectorVector(addVV32AVX2), VS: vectorScalar(addVS32AVX2), SV: swapped(vectorScalar(addVS32AVX2)),
		},
	},
	{
		&Sub,
		BinaryLoops[float64]{
			VV: vectorVector(subVV64AVX2), VS: vectorScalar(subVS64AVX2), SV: scalarVector(subSV64AVX2),
		},
		BinaryLoops[float32]{
			VV: vectorVector(subVV32AVX2), VS: vectorScalar(subVS32AVX2), SV: scalarVector(subSV32AVX2),
		},
	},
	{
		&Mul,
		BinaryLoops[float64]{
			VV: vectorVector(mulVV64AVX2), VS: vectorScalar(mulVS64AVX2), SV: swapped(vectorScalar(mulVS64AVX2)),
		},
		BinaryLoops[float32]{
			VV: vectorVector(mulVV32AVX2), VS: vectorScalar(mulVS32AVX2), SV: swapped(vectorScalar(mulVS32AVX2)),
		},
	},
	{
		&Div,
		BinaryLoops[float64]{
			VV: vectorVector(divVV64AVX2), VS: vectorScalar(divVS64AVX2), SV: scalarVector(divSV64AVX2),
		},
		BinaryLoops[float32]{
			VV: vectorVector(divVV32AVX2), VS: vectorScalar(divVS32AVX2), SV: scalarVector(divSV32AVX2),
		},
	},
	{
		&Maximum,
		BinaryLoops[float64]{
			VV: vectorVector(maximumVV64AVX2), VS: vectorScalar(maximumVS64AVX2), SV: swapped(vectorScalar(maximumVS64AVX2)),
		},
		BinaryLoops[float32]{
			VV: vectorVector(maximumVV32AVX2), VS: vectorScalar(maximumVS32AVX2), SV: swapped(vectorScalar(maximumVS32AVX2)),
		},
	},
	{
		&Minimum,
		BinaryLoops[float64]{
			VV: vectorVector(minimumVV64AVX2), VS: vectorScalar(minimumVS64AVX2), SV: swapped(vectorScalar(minimumVS64AVX2)),
		},
		BinaryLoops[float32]{
			VV: vectorVector(minimumVV32AVX2), VS: vectorScalar(minimumVS32AVX2), SV: swapped(vectorScalar(minimumVS32AVX2)),
		},
	},
	{
		&Equal,
		BinaryLoops[float64]{
			VV: vectorVector(equalVV64AVX2), VS: vectorScalar(equalVS64AVX2), SV: swapped(vectorScalar(equalVS64AVX2)),
		},
		BinaryLoops[float32]{
			VV: vectorVector(equalVV32AVX2), VS: vectorScalar(equalVS32AVX2), SV: swapped(vectorScalar(equalVS32AVX2)),
		},
	},
	{
		&NotEqual,
		BinaryLoops[float64]{
			VV: vectorVector(notEqualVV64AVX2), VS: vectorScalar(notEqualVS64AVX2), SV: swapped(vectorScalar(notEqualVS64AVX2)),
		},
		BinaryLoops[float32]{
			VV: vectorVector(notEqualVV32AVX2), VS: vectorScalar(notEqualVS32AVX2), SV: swapped(vectorScalar(notEqualVS32AVX2)),
		},
	},
	{
		&Less,
		BinaryLoops[float64]{
			VV: vectorVector(lessVV64AVX2), VS: vectorScalar(lessVS64AVX2), SV: swapped(vectorScalar(greaterVS64AVX2)),
		},
		BinaryLoops[float32]{
			VV: vectorVector(lessVV32AVX2), VS: vectorScalar(lessVS32AVX2), SV: swapped(vectorScalar(greaterVS32AVX2)),
		},
	},
	{
		&LessEqual,
		BinaryLoops[float64]{
			VV: vectorVector(lessEqualVV64AVX2), VS: vectorScalar(lessEqualVS64AVX2), SV: swapped(vectorScalar(greaterEqualVS64AVX2)),
		},
		BinaryLoops[float32]{
			VV: vectorVector(lessEqualVV32AVX2), VS: vectorScalar(lessEqualVS32AVX2), SV: swapped(vectorScalar(greaterEqualVS32AVX2)),
		},
	},
	{
		&Greater,
		BinaryLoops[float64]{
			VV: vectorVector(greaterVV64AVX2), VS: vectorScalar(greaterVS64AVX2), SV: swapped(vectorScalar(lessVS64AVX2)),
		},
		BinaryLoops[float32]{
			VV: vectorVector(greaterVV32AVX2), VS: vectorScalar(greaterVS32AVX2), SV: swapped(vectorScalar(lessVS32AVX2)),
		},
	},
	{
		&GreaterEqual,
		BinaryLoops[float64]{
			VV: vectorVector(greaterEqualVV64AVX2), VS: vectorScalar(greaterEqualVS64AVX2), SV: swapped(vectorScalar(lessEqualVS64AVX2)),
		},
		BinaryLoops[float32]{
			VV: vectorVector(greaterEqualVV32AVX2), VS: vectorScalar(greaterEqualVS32AVX2), SV: swapped(vectorScalar(lessEqualVS32AVX2)),
		},
	},
	{
		&PReLU,
		BinaryLoops[float64]{
			VV: vectorVector(preluVV64AVX2), VS: vectorScalar(preluVS64AVX2), SV: scalarVector(preluSV64AVX2),
		},
		BinaryLoops[float32]{
			VV: vectorVector(preluVV32AVX2), VS: vectorScalar(preluVS32AVX2), SV: scalarVector(preluSV32AVX2),
		},
	},
	{
		&Pow,
		BinaryLoops[float64]{
			VV: vectorVector(powVV64AVX2), VS: vectorScalar(powVS64AVX2), SV: scalarVector(powSV64AVX2),
		},
		BinaryLoops[float32]{
			VV: vectorVector(powVV32AVX2), VS: vectorScalar(powVS32AVX2), SV: scalarVector(powSV32AVX2),
		},
	},
	{
		&BCE,
		BinaryLoops[float64]{
			VV: vectorVector(bceVV64AVX2), VS: vectorScalar(bceVS64AVX2), SV: scalarVector(bceSV64AVX2),
		},
		BinaryLoops[float32]{
			VV: vectorVector(bceVV32AVX2), VS: vectorScalar(bceVS32AVX2), SV: scalarVector(bceSV32AVX2),
		},
	},
	{
		&CrossEntropy,
		BinaryLoops[float64]{
			VV: vectorVector(crossEntropyVV64AVX2), VS: vectorScalar(crossEntropyVS64AVX2), SV: scalarVector(crossEntropySV64AVX2),
		},
		BinaryLoops[float32]{
			VV: vectorVector(crossEntropyVV32AVX2), VS: vectorScalar(crossEntropyVS32AVX2), SV: scalarVector(crossEntropySV32AVX2),
		},
	}, {
		&BCELogits,
		BinaryLoops[float64]{
			VV: vectorVector(bceLogitsVV64AVX2), VS: vectorScalar(bceLogitsVS64AVX2), SV: scalarVector(bceLogitsSV64AVX2),
		},
		BinaryLoops[float32]{
			VV: vectorVector(bceLogitsVV32AVX2), VS: vectorScalar(bceLogitsVS32AVX2), SV: scalarVector(bceLogitsSV32AVX2),
		},
	},
}

// vectorUnaries are the functions of one argument that have vector loops.
var vectorUnaries = []unaryVectors{
	{&Square, Unary{
		F64: unary(square64AVX2, sharedMemory), F32: unary(square32AVX2, sharedMemory),
		D64: gradient(squareGrad64AVX2, sharedMemory), D32: gradient(squareGrad32AVX2, sharedMemory),
	}},
	{&Sqrt, Unary{
		F64: unary(sqrt64AVX2, sharedMemory), F32: unary(sqrt32AVX2, sharedMemory),
		D64: gradient(sqrtGrad64AVX2, sharedMemory), D32: gradient(sqrtGrad32AVX2, sharedMemory),
	}},
	{&Rsqrt, Unary{
		F64: unary(rsqrt64AVX2, sharedWork), F32: unary(rsqrt32AVX2, sharedWork),
		D64: gradient(rsqrtGrad64AVX2, sharedWork), D32: gradient(rsqrtGrad32AVX2, sharedWork),
	}},
	{&Reciprocal, Unary{
		F64: unary(reciprocal64AVX2, sharedMemory), F32: unary(reciprocal32AVX2, sharedMemory),
		D64: gradient(reciprocalGrad64AVX2, sharedMemory), D32: gradient(reciprocalGrad32AVX2, sharedMemory),
	}},
	{&Abs, Unary{
		F64: unary(abs64AVX2, sharedMemory), F32: unary(abs32AVX2, sharedMemory),
		D64: gradient(absGrad64AVX2, sharedMemory), D32: gradient(absGrad32AVX2, sharedMemory),
	}},
	{&Sign, Unary{
		F64: unary(sign64AVX2, sharedMemory), F32: unary(sign32AVX2, sharedMemory),
		D64: gradient(flatGrad64AVX2, sharedMemory), D32: gradient(flatGrad32AVX2, sharedMemory),
	}},
	{&Floor, Unary{
		F64: unary(floor64AVX2, sharedMemory), F32: unary(floor32AVX2, sharedMemory),
		D64: gradient(flatGrad64AVX2, sharedMemory), D32: gradient(flatGrad32AVX2, sharedMemory),
	}},
	{&Ceil, Unary{
		F64: unary(ceil64AVX2, sharedMemory), F32: unary(ceil32AVX2, sharedMemory),
		D64: gradient(flatGrad64AVX2, sharedMemory), D32: gradient(flatGrad32AVX2, sharedMemory),
	}},
	{&Round, Unary{
		F64: unary(round64AVX2, sharedMemory), F32: unary(round32AVX2, sharedMemory),
		D64: gradient(flatGrad64AVX2, sharedMemory), D32: gradient(flatGrad32AVX2, sharedMemory),
	}},
	{&ReLU, Unary{
		F64: unary(relu64AVX2, sharedMemory), F32: unary(relu32AVX2, sharedMemory),
		D64: gradient(reluGrad64AVX2, sharedMemory), D32: gradient(reluGrad32AVX2, sharedMemory),
	}},
	{&LeakyReLU, Unary{
		F64: unary(leakyReLU64AVX2, sharedMemory), F32: unary(leakyReLU32AVX2, sharedMemory),
		D64: gradient(leakyReLUGrad64AVX2, sharedMemory), D32: gradient(leakyReLUGrad32AVX2, sharedMemory),
	}},
	{&Clamp, Unary{
		F64: unary(clamp64AVX2, sharedMemory), F32: unary(clamp32AVX2, sharedMemory),
		D64: gradient(clampGrad64AVX2, sharedMemory), D32: gradient(clampGrad32AVX2, sharedMemory),
	}},
	{&HardSigmoid, Unary{
		F64: unary(hardSigmoid64AVX2, sharedMemory), F32: unary(hardSigmoid32AVX2, sharedMemory),
		D64: gradient(hardSigmoidGrad64AVX2, sharedMemory), D32: gradient(hardSigmoidGrad32AVX2, sharedMemory),
	}},
	{&HardSwish, Unary{
		F64: unary(hardSwish64AVX2, sharedMemory), F32: unary(hardSwish32AVX2, sharedMemory),
		D64: gradient(hardSwishGrad64AVX2, sharedMemory), D32: gradient(hardSwishGrad32AVX2, sharedMemory),
	}},
	{&Softsign, Unary{
		F64: unary(softsign64AVX2, sharedWork), F32: unary(softsign32AVX2, sharedWork),
		D64: gradient(softsignGrad64AVX2, sharedWork), D32: gradient(softsignGrad32AVX2, sharedWork),
	}},
	{&Exp, Unary{
		F64: unary(exp64AVX2, sharedWork), F32: unary(exp32AVX2, sharedWork),
	}},
	{&Expm1, Unary{
		F64: unary(expm164AVX2, sharedWork), F32: unary(expm132AVX2, sharedWork),
		D64: gradient(expm1Grad64AVX2, sharedWork), D32: gradient(expm1Grad32AVX2, sharedWork),
	}},
	{&Log, Unary{
		F64: unary(log64AVX2, sharedWork), F32: unary(log32AVX2, sharedWork),
		D64: gradient(logGrad64AVX2, sharedWork), D32: gradient(logGrad32AVX2, sharedWork),
	}},
	{&Log1p, Unary{
		F64: unary(log1p64AVX2, sharedWork), F32: unary(log1p32AVX2, sharedWork),
		D64: gradient(log1pGrad64AVX2, sharedWork), D32: gradient(log1pGrad32AVX2, sharedWork),
	}},
	{&Tanh, Unary{
		F64: unary(tanh64AVX2, sharedWork), F32: unary(tanh32AVX2, sharedWork),
		D64: gradient(tanhGrad64AVX2, sharedWork), D32: gradient(tanhGrad32AVX2, sharedWork),
	}},
	{&Sigmoid, Unary{
		F64: unary(sigmoid64AVX2, sharedWork), F32: unary(sigmoid32AVX2, sharedWork),
		D64: gradient(sigmoidGrad64AVX2, sharedWork), D32: gradient(sigmoidGrad32AVX2, sharedWork),
	}},
	{&Softplus, Unary{
		F64: unary(softplus64AVX2, sharedWork), F32: unary(softplus32AVX2, sharedWork),
		D64: gradient(softplusGrad64AVX2, sharedWork), D32: gradient(softplusGrad32AVX2, sharedWork),
	}},
	{&LogSigmoid, Unary{
		F64: unary(logSigmoid64AVX2, sharedWork), F32: unary(logSigmoid32AVX2, sharedWork),
		D64: gradient(logSigmoidGrad64AVX2, sharedWork), D32: gradient(logSigmoidGrad32AVX2, sharedWork),
	}},
	{&SiLU, Unary{
		F64: unary(silu64AVX2, sharedWork), F32: unary(silu32AVX2, sharedWork),
		D64: gradient(siluGrad64AVX2, sharedWork), D32: gradient(siluGrad32AVX2, sharedWork),
	}},
	{&GELUTanh, Unary{
		F64: unary(geluTanh64AVX2, sharedWork), F32: unary(geluTanh32AVX2, sharedWork),
		D64: gradient(geluTanhGrad64AVX2, sharedWork), D32: gradient(geluTanhGrad32AVX2, sharedWork),
	}},
	{&ELU, Unary{
		F64: unary(elu64AVX2, sharedWork), F32: unary(elu32AVX2, sharedWork),
		D64: gradient(eluGrad64AVX2, sharedWork), D32: gradient(eluGrad32AVX2, sharedWork),
	}},
	{&GELU, Unary{
		F64: unary(gelu64AVX2, sharedWork), F32: unary(gelu32AVX2, sharedWork),
		D64: gradient(geluGrad64AVX2, sharedWork), D32: gradient(geluGrad32AVX2, sharedWork),
	}},
	{&Erf, Unary{
		F64: unary(erf64AVX2, sharedWork), F32: unary(erf32AVX2, sharedWork),
		D64: gradient(erfGrad64AVX2, sharedWork), D32: gradient(erfGrad32AVX2, sharedWork),
	}},
	{&Erfc, Unary{
		F64: unary(erfc64AVX2, sharedWork), F32: unary(erfc32AVX2, sharedWork),
		D64: gradient(erfcGrad64AVX2, sharedWork), D32: gradient(erfcGrad32AVX2, sharedWork),
	}},
	{&Sinh, Unary{
		F64: unary(sinh64AVX2, sharedWork), F32: unary(sinh32AVX2, sharedWork),
		D64: gradient(sinhGrad64AVX2, sharedWork), D32: gradient(sinhGrad32AVX2, sharedWork),
	}},
	{&Cosh, Unary{
		F64: unary(cosh64AVX2, sharedWork), F32: unary(cosh32AVX2, sharedWork),
		D64: gradient(coshGrad64AVX2, sharedWork), D32: gradient(coshGrad32AVX2, sharedWork),
	}},
	{&Atan, Unary{
		F64: unary(atan64AVX2, sharedWork), F32: unary(atan32AVX2, sharedWork),
		D64: gradient(atanGrad64AVX2, sharedWork), D32: gradient(atanGrad32AVX2, sharedWork),
	}},
	{&Asin, Unary{
		F64: unary(asin64AVX2, sharedWork), F32: unary(asin32AVX2, sharedWork),
		D64: gradient(asinGrad64AVX2, sharedWork), D32: gradient(asinGrad32AVX2, sharedWork),
	}},
	{&Acos, Unary{
		F64: unary(acos64AVX2, sharedWork), F32: unary(acos32AVX2, sharedWork),
		D64: gradient(acosGrad64AVX2, sharedWork), D32: gradient(acosGrad32AVX2, sharedWork),
	}},
	{&Mish, Unary{
		F64: unary(mish64AVX2, sharedWork), F32: unary(mish32AVX2, sharedWork),
		D64: gradient(mishGrad64AVX2, sharedWork), D32: gradient(mishGrad32AVX2, sharedWork),
	}},
	{&CELU, Unary{
		F64: unary(celu64AVX2, sharedWork), F32: unary(celu32AVX2, sharedWork),
		D64: gradient(celuGrad64AVX2, sharedWork), D32: gradient(celuGrad32AVX2, sharedWork),
	}},
	{&Tan, Unary{
		F64: unary(circular(4, tan64AVX2, math.Tan), sharedWork), F32: unary(circular(4, tan32AVX2, math.Tan), sharedWork),
		D64: gradient(tanGrad64AVX2, sharedMemory), D32: gradient(tanGrad32AVX2, sharedMemory),
	}},
	{&Sin, Unary{
		F64: unary(circular(4, sin64AVX2, math.Sin), sharedWork), F32: unary(circular(4, sin32AVX2, math.Sin), sharedWork),
		D64: gradient(circularGradient(4, sinGrad64AVX2, sinGradOne), sharedWork), D32: gradient(circularGradient(4, sinGrad32AVX2, sinGradOne), sharedWork),
	}},
	{&Cos, Unary{
		F64: unary(circular(4, cos64AVX2, math.Cos), sharedWork), F32: unary(circular(4, cos32AVX2, math.Cos), sharedWork),
		D64: gradient(circularGradient(4, cosGrad64AVX2, cosGradOne), sharedWork), D32: gradient(circularGradient(4, cosGrad32AVX2, cosGradOne), sharedWork),
	}},
	{&Neg, Unary{
		F64: unary(neg64AVX2, sharedMemory), F32: unary(neg32AVX2, sharedMemory),
		D64: ofIncoming(unary(neg64AVX2, sharedMemory)), D32: ofIncoming(unary(neg32AVX2, sharedMemory)),
	}},
	{&Scale, Unary{
		F64: unary(scale64AVX2, sharedMemory), F32: unary(scale32AVX2, sharedMemory),
		D64: ofIncoming(unary(scale64AVX2, sharedMemory)), D32: ofIncoming(unary(scale32AVX2, sharedMemory)),
	}},
	{&AddScalar, Unary{F64: unary(addScalar64AVX2, sharedMemory), F32: unary(addScalar32AVX2, sharedMemory)}},
	{&Exp, Unary{
		D64: byResult(vectorVector(mulVV64AVX2)), D32: byResult(vectorVector(mulVV32AVX2)),
	}},
	{&SELU, Unary{
		F64: withBounds(unary(selu64AVX2, sharedWork), seluAlpha, seluScale), F32: withBounds(unary(selu32AVX2, sharedWork), seluAlpha, seluScale),
		D64: gradientWith(gradient(seluGrad64AVX2, sharedWork), seluAlpha, seluScale),
		D32: gradientWith(gradient(seluGrad32AVX2, sharedWork), seluAlpha, seluScale),
	}},
	{&ReLU6, Unary{
		F64: withBounds(unary(clamp64AVX2, sharedMemory), 0, 6), F32: withBounds(unary(clamp32AVX2, sharedMemory), 0, 6),
		D64: gradientWith(gradient(betweenGrad64AVX2, sharedMemory), 0, 6), D32: gradientWith(gradient(betweenGrad32AVX2, sharedMemory), 0, 6),
	}},
	{&HardTanh, Unary{
		F64: unary(clamp64AVX2, sharedMemory), F32: unary(clamp32AVX2, sharedMemory),
		D64: betweenBounds(gradient(betweenGrad64AVX2, sharedMemory)), D32: betweenBounds(gradient(betweenGrad32AVX2, sharedMemory)),
	}},
	{&PowScalar, Unary{
		F64: productOr(unary(square64AVX2, sharedMemory), unary(cube64AVX2, sharedMemory), unary(powScalar64AVX2, sharedWork)),
		F32: productOr(unary(square32AVX2, sharedMemory), unary(cube32AVX2, sharedMemory), unary(powScalar32AVX2, sharedWork)),
		D64: productGradOr(gradient(squareGrad64AVX2, sharedMemory), gradient(cubeGrad64AVX2, sharedMemory), gradient(powScalarGrad64AVX2, sharedWork)),
		D32: productGradOr(gradient(squareGrad32AVX2, sharedMemory), gradient(cubeGrad32AVX2, sharedMemory), gradient(powScalarGrad32AVX2, sharedWork)),
	}},
	{&Log2, Unary{F64: unary(log264AVX2, sharedWork), F32: unary(log232AVX2, sharedWork)}},
	{&Log10, Unary{F64: unary(log1064AVX2, sharedWork), F32: unary(log1032AVX2, sharedWork)}},
	{&EqualS, Unary{F64: against(vectorScalar(equalVS64AVX2)), F32: against(vectorScalar(equalVS32AVX2))}},
	{&NotEqualS, Unary{F64: against(vectorScalar(notEqualVS64AVX2)), F32: against(vectorScalar(notEqualVS32AVX2))}},
	{&LessS, Unary{F64: against(vectorScalar(lessVS64AVX2)), F32: against(vectorScalar(lessVS32AVX2))}},
	{&LessEqualS, Unary{F64: against(vectorScalar(lessEqualVS64AVX2)), F32: against(vectorScalar(lessEqualVS32AVX2))}},
	{&GreaterS, Unary{F64: against(vectorScalar(greaterVS64AVX2)), F32: against(vectorScalar(greaterVS32AVX2))}},
	{&GreaterEqualS, Unary{F64: against(vectorScalar(greaterEqualVS64AVX2)), F32: against(vectorScalar(greaterEqualVS32AVX2))}},
}

// ofIncoming is the derivative that is the function itself, of the incoming gradient.
func ofIncoming[T Float](f func(dst, x []T, a, b float64)) func(dst, gy, x, y []T, a, b float64) {
	return func(dst, gy, _, _ []T, a, b float64) { f(dst, gy, a, b) }
}

// byResult is the derivative gy·y.
func byResult[T Float](mul func(dst, x, y []T)) func(dst, gy, x, y []T, a, b float64) {
	return func(dst, gy, _, y []T, _, _ float64) { mul(dst, gy, y) }
}

// against is the comparison with a constant.
func against[T Float](f func(dst, x []T, s T)) func(dst, x []T, a, b float64) {
	return func(dst, x []T, a, _ float64) { f(dst, x, T(a)) }
}

// withBounds gives a function its constants.
func withBounds[T Float](f func(dst, x []T, a, b float64), a, b float64) func(dst, x []T, _, _ float64) {
	return func(dst, x []T, _, _ float64) { f(dst, x, a, b) }
}

// gradientWith gives a derivative its constants.
func gradientWith[T Float](f func(dst, gy, x, y []T, a, b float64), a, b float64) func(dst, gy, x, y []T, _, _ float64) {
	return func(dst, gy, x, _ []T, _, _ float64) { f(dst, gy, x, nil, a, b) }
}

// betweenBounds makes an infinite upper bound one that nothing reaches.
func betweenBounds[T Float](f func(dst, gy, x, y []T, a, b float64)) func(dst, gy, x, y []T, a, b float64) {
	return func(dst, gy, x, _ []T, a, b float64) {
		if math.IsInf(b, 0) {
			b = math.NaN()
		}
		f(dst, gy, x, nil, a, b)
	}
}

// productOr computes the powers 2 and 3 as products, and the others with f.
func productOr[T Float](square, cube, f func(dst, x []T, a, b float64)) func(dst, x []T, a, b float64) {
	return func(dst, x []T, a, b float64) {
		switch a {
		case 2:
			square(dst, x, 0, 0)
		case 3:
			cube(dst, x, 0, 0)
		default:
			f(dst, x, a, b)
		}
	}
}

// productGradOr does the same for the derivatives, those of the powers 0 and 1 included, which do not depend on x.
func productGradOr[T Float](square, cube, f func(dst, gy, x, y []T, a, b float64)) func(dst, gy, x, y []T, a, b float64) {
	return func(dst, gy, x, _ []T, a, b float64) {
		switch a {
		case 0:
			clear(dst[:len(gy)])
		case 1:
			copy(dst[:len(gy)], gy)
		case 2:
			square(dst, gy, x, nil, 0, 0)
		case 3:
			cube(dst, gy, x, nil, 0, 0)
		default:
			f(dst, gy, x, nil, a, b)
		}
	}
}

var (
	vectors32 = vectorPrimitives(&reducers32, &updates32, primitives[float32]{
		accumulate: accumulateVectors(vectorVector(addVV32AVX2)),
		axpy:       axpyVectors(axpy32AVX2),
		fill:       fillVectors(fill32AVX2),
		where:      whereVectors(where32AVX2),
	})
	vectors64 = vectorPrimitives(&reducers64, &updates64, primitives[float64]{
		accumulate: accumulateVectors(vectorVector(addVV64AVX2)),
		axpy:       axpyVectors(axpy64AVX2),
		fill:       fillVectors(fill64AVX2),
		where:      whereVectors(where64AVX2),
	})
)

// vectorPrimitives completes p by the reductions and updates.
func vectorPrimitives[T Float](r *reducers[T], u *updates[T], p primitives[T]) primitives[T] {
	p.sum, p.max, p.min, p.logSumExp, p.norm, p.variance = r.sumAxis, r.maxAxis, r.minAxis, r.logSumExpAxis, r.norm, r.varAxis
	p.softmax, p.logSoftmax, p.softmaxGrad, p.logSoftmaxGrad = r.softmaxAxis, r.logSoftmaxAxis, r.softmaxGradAxis, r.logSoftmaxGradAxis
	p.sgd, p.adam, p.rmsProp = u.sgdStep, u.adamStep, u.rmsPropStep
	return p
}

func accumulateVectors[T Float](add func(dst, x, y []T)) func(dst, x []T) {
	return func(dst, x []T) { add(dst, x, dst) }
}

func axpyVectors[T Float](k func(dst, x *T, a T, n int)) func(dst []T, a T, x []T) {
	return func(dst []T, a T, x []T) {
		if n := len(x); n > 0 {
			dst = dst[:n]
			k(&dst[0], &x[0], a, n)
		}
	}
}

func fillVectors[T Float](k func(dst *T, v T, n int)) func(dst []T, v T) {
	return func(dst []T, v T) {
		if n := len(dst); n > 0 {
			k(&dst[0], v, n)
		}
	}
}

func whereVectors[T Float](k func(dst, c, x, y *T, n int)) func(dst, c, x, y []T) {
	return func(dst, c, x, y []T) {
		if n := len(c); n > 0 {
			dst, x, y = dst[:n], x[:n], y[:n]
			k(&dst[0], &c[0], &x[0], &y[0], n)
		}
	}
}

var vectorConversions = struct {
	narrow func(dst []float32, src []float64)
	widen  func(dst []float64, src []float32)
}{convertVectors(convert32AVX2), convertVectors(convert64AVX2)}

func convertVectors[T, S Float](k func(dst *T, src *S, n int)) func(dst []T, src []S) {
	return func(dst []T, src []S) {
		if n := len(src); n > 0 {
			dst = dst[:n]
			k(&dst[0], &src[0], n)
		}
	}
}
