package kernel

import "math"

// wideUnaries are the functions whose vectors of 512 bits are faster than those of 256: what the processor limits and not memory.
var wideUnaries = []unaryVectors{
	{&Exp, Unary{
		F64: unary(exp64AVX512, sharedWork), F32: unary(exp32AVX512, sharedWork),
	}},
	{&Expm1, Unary{
		F64: unary(expm164AVX512, sharedWork), F32: unary(expm132AVX512, sharedWork),
		D64: gradient(expm1Grad64AVX512, sharedWork), D32: gradient(expm1Grad32AVX512, sharedWork),
	}},
	{&Log, Unary{
		F64: unary(log64AVX512, sharedWork), F32: unary(log32AVX512, sharedWork),
	}},
	{&Log1p, Unary{
		F64: unary(log1p64AVX512, sharedWork), F32: unary(log1p32AVX512, sharedWork),
	}},
	{&Tanh, Unary{
		F64: unary(tanh64AVX512, sharedWork), F32: unary(tanh32AVX512, sharedWork),
		D64: gradient(tanhGrad64AVX512, sharedWork), D32: gradient(tanhGrad32AVX512, sharedWork),
	}},
	{&Sigmoid, Unary{
		F64: unary(sigmoid64AVX512, sharedWork), F32: unary(sigmoid32AVX512, sharedWork),
		D64: gradient(sigmoidGrad64AVX512, sharedWork), D32: gradient(sigmoidGrad32AVX512, sharedWork),
	}},
	{&Softplus, Unary{
		F64: unary(softplus64AVX512, sharedWork), F32: unary(softplus32AVX512, sharedWork),
		D64: gradient(softplusGrad64AVX512, sharedWork), D32: gradient(softplusGrad32AVX512, sharedWork),
	}},
	{&LogSigmoid, Unary{
		F64: unary(logSigmoid64AVX512, sharedWork), F32: unary(logSigmoid32AVX512, sharedWork),
		D64: gradient(logSigmoidGrad64AVX512, sharedWork), D32: gradient(logSigmoidGrad32AVX512, sharedWork),
	}},
	{&SiLU, Unary{
		F64: unary(silu64AVX512, sharedWork), F32: unary(silu32AVX512, sharedWork),
		D64: gradient(siluGrad64AVX512, sharedWork), D32: gradient(siluGrad32AVX512, sharedWork),
	}},
	{&GELUTanh, Unary{
		F64: unary(geluTanh64AVX512, sharedWork), F32: unary(geluTanh32AVX512, sharedWork),
		D64: gradient(geluTanhGrad64AVX512, sharedWork), D32: gradient(geluTanhGrad32AVX512, sharedWork),
	}},
	{&ELU, Unary{
		F64: unary(elu64AVX512, sharedWork), F32: unary(elu32AVX512, sharedWork),
		D64: gradient(eluGrad64AVX512, sharedWork), D32: gradient(eluGrad32AVX512, sharedWork),
	}},
	{&GELU, Unary{
		F64: unary(gelu64AVX512, sharedWork), F32: unary(gelu32AVX512, sharedWork),
		D64: gradient(geluGrad64AVX512, sharedWork), D32: gradient(geluGrad32AVX512, sharedWork),
	}},
	{&Erf, Unary{
		F64: unary(erf64AVX512, sharedWork), F32: unary(erf32AVX512, sharedWork),
		D64: gradient(erfGrad64AVX512, sharedWork), D32: gradient(erfGrad32AVX512, sharedWork),
	}},
	{&Erfc, Unary{
		F64: unary(erfc64AVX512, sharedWork), F32: unary(erfc32AVX512, sharedWork),
		D64: gradient(erfcGrad64AVX512, sharedWork), D32: gradient(erfcGrad32AVX512, sharedWork),
	}},
	{&Sinh, Unary{
		F64: unary(sinh64AVX512, sharedWork), F32: unary(sinh32AVX512, sharedWork),
		D64: gradient(sinhGrad64AVX512, sharedWork), D32: gradient(sinhGrad32AVX512, sharedWork),
	}},
	{&Cosh, Unary{
		F64: unary(cosh64AVX512, sharedWork), F32: unary(cosh32AVX512, sharedWork),
		D64: gradient(coshGrad64AVX512, sharedWork), D32: gradient(coshGrad32AVX512, sharedWork),
	}},
	{&Atan, Unary{
		F64: unary(atan64AVX512, sharedWork), F32: unary(atan32AVX512, sharedWork),
		D64: gradient(atanGrad64AVX512, sharedWork), D32: gradient(atanGrad32AVX512, sharedWork),
	}},
	{&Asin, Unary{
		F64: unary(asin64AVX512, sharedWork), F32: unary(asin32AVX512, sharedWork),
		D64: gradient(asinGrad64AVX512, sharedWork), D32: gradient(asinGrad32AVX512, sharedWork),
	}},
	{&Acos, Unary{
		F64: unary(acos64AVX512, sharedWork), F32: unary(acos32AVX512, sharedWork),
		D64: gradient(acosGrad64AVX512, sharedWork), D32: gradient(acosGrad32AVX512, sharedWork),
	}},
	{&Mish, Unary{
		F64: unary(mish64AVX512, sharedWork), F32: unary(mish32AVX512, sharedWork),
		D64: gradient(mishGrad64AVX512, sharedWork), D32: gradient(mishGrad32AVX512, sharedWork),
	}},
	{&CELU, Unary{
		F64: unary(celu64AVX512, sharedWork), F32: unary(celu32AVX512, sharedWork),
		D64: gradient(celuGrad64AVX512, sharedWork), D32: gradient(celuGrad32AVX512, sharedWork),
	}},
	{&Tan, Unary{
		F64: unary(circular(8, tan64AVX512, math.Tan), sharedWork), F32: unary(circular(8, tan32AVX512, math.Tan), sharedWork),
		D64: gradient(tanGrad64AVX512, sharedMemory), D32: gradient(tanGrad32AVX512, sharedMemory),
	}},
	{&Sin, Unary{
		F64: unary(circular(8, sin64AVX512, math.Sin), sharedWork), F32: unary(circular(8, sin32AVX512, math.Sin), sharedWork),
		D64: gradient(circularGradient(8, sinGrad64AVX512, sinGradOne), sharedWork), D32: gradient(circularGradient(8, sinGrad32AVX512, sinGradOne), sharedWork),
	}},
	{&Cos, Unary{
		F64: unary(circular(8, cos64AVX512, math.Cos), sharedWork), F32: unary(circular(8, cos32AVX512, math.Cos), sharedWork),
		D64: gradient(circularGradient(8, cosGrad64AVX512, cosGradOne), sharedWork), D32: gradient(circularGradient(8, cosGrad32AVX512, cosGradOne), sharedWork),
	}},
	{&SELU, Unary{
		F64: withBounds(unary(selu64AVX512, sharedWork), seluAlpha, seluScale), F32: withBounds(unary(selu32AVX512, sharedWork), seluAlpha, seluScale),
		D64: gradientWith(gradient(seluGrad64AVX512, sharedWork), seluAlpha, seluScale),
		D32: gradientWith(gradient(seluGrad32AVX512, sharedWork), seluAlpha, seluScale),
	}},
	{&PowScalar, Unary{
		F64: productOr(unary(square64AVX2, sharedMemory), unary(cube64AVX2, sharedMemory), unary(powScalar64AVX512, sharedWork)),
		F32: productOr(unary(square32AVX2, sharedMemory), unary(cube32AVX2, sharedMemory), unary(powScalar32AVX512, sharedWork)),
		D64: productGradOr(gradient(squareGrad64AVX2, sharedMemory), gradient(cubeGrad64AVX2, sharedMemory), gradient(powScalarGrad64AVX512, sharedWork)),
		D32: productGradOr(gradient(squareGrad32AVX2, sharedMemory), gradient(cubeGrad32AVX2, sharedMemory), gradient(powScalarGrad32AVX512, sharedWork)),
	}},
	{&Log2, Unary{F64: unary(log264AVX512, sharedWork), F32: unary(log232AVX512, sharedWork)}},
	{&Log10, Unary{F64: unary(log1064AVX512, sharedWork), F32: unary(log1032AVX512, sharedWork)}},
}

// wideBinaries are those of two arguments.
var wideBinaries = []binaryVectors{
	{
		&Pow,
		BinaryLoops[float64]{
			VV: vectorVector(powVV64AVX512), VS: vectorScalar(powVS64AVX512), SV: scalarVector(powSV64AVX512),
		},
		BinaryLoops[float32]{
			VV: vectorVector(powVV32AVX512), VS: vectorScalar(powVS32AVX512), SV: scalarVector(powSV32AVX512),
		},
	},
	{
		&BCE,
		BinaryLoops[float64]{
			VV: vectorVector(bceVV64AVX512), VS: vectorScalar(bceVS64AVX512), SV: scalarVector(bceSV64AVX512),
		},
		BinaryLoops[float32]{
			VV: vectorVector(bceVV32AVX512), VS: vectorScalar(bceVS32AVX512), SV: scalarVector(bceSV32AVX512),
		},
	},
	{
		&CrossEntropy,
		BinaryLoops[float64]{
			VV: vectorVector(crossEntropyVV64AVX512), VS: vectorScalar(crossEntropyVS64AVX512), SV: scalarVector(crossEntropySV64AVX512),
		},
		BinaryLoops[float32]{
			VV: vectorVector(crossEntropyVV32AVX512), VS: vectorScalar(crossEntropyVS32AVX512), SV: scalarVector(crossEntropySV32AVX512),
		},
	}, {
		&BCELogits,
		BinaryLoops[float64]{
			VV: vectorVector(bceLogitsVV64AVX512), VS: vectorScalar(bceLogitsVS64AVX512), SV: scalarVector(bceLogitsSV64AVX512),
		},
		BinaryLoops[float32]{
			VV: vectorVector(bceLogitsVV32AVX512), VS: vectorScalar(bceLogitsVS32AVX512), SV: scalarVector(bceLogitsSV32AVX512),
		},
	},
}

// The reductions of which the same holds.
var (
	wideReducers32 = reducers32.with(reducers[float32]{
		shiftedExp: shiftedExp32AVX512, sumExp: sumExp32AVX512, ratio: ratio32AVX512,
		logSoftmax: logSoftmax32AVX512, softmaxGrad: softmaxGrad32AVX512, logSoftmaxGrad: logSoftmaxGrad32AVX512,
		columns: &wideColumns32,
	})
	wideReducers64 = reducers64.with(reducers[float64]{
		shiftedExp: shiftedExp64AVX512, sumExp: sumExp64AVX512, ratio: ratio64AVX512,
		logSoftmax: logSoftmax64AVX512, softmaxGrad: softmaxGrad64AVX512, logSoftmaxGrad: logSoftmaxGrad64AVX512,
		columns: &wideColumns64,
	})
)

// with is r with the loops that wide has.
func (r reducers[T]) with(wide reducers[T]) reducers[T] {
	r.shiftedExp, r.sumExp, r.ratio = wide.shiftedExp, wide.sumExp, wide.ratio
	r.logSoftmax, r.softmaxGrad, r.logSoftmaxGrad = wide.logSoftmax, wide.softmaxGrad, wide.logSoftmaxGrad
	r.columns = wide.columns
	return r
}

// swapWide exchanges the loops of 512 bits for those of 256 in use, and back.
func swapWide() {
	for i := range wideUnaries {
		wideUnaries[i].swap()
	}
	for i := range wideBinaries {
		wideBinaries[i].swap()
	}
	reducers32, wideReducers32 = wideReducers32, reducers32
	reducers64, wideReducers64 = wideReducers64, reducers64
}
