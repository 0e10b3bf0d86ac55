package operations

import "math"

// The names, for what is asked of one operation alone.
const (
	Constant = "constant"
	Variable = "variable"
	Param    = "param"

	Add        = "add"
	Sub        = "sub"
	Mul        = "mul"
	Div        = "div"
	Pow        = "pow"
	Atan2      = "atan2"
	Hypot      = "hypot"
	Neg        = "neg"
	Scale      = "scale"
	AddScalar  = "add scalar"
	PowScalar  = "pow scalar"
	Square     = "square"
	Sqrt       = "sqrt"
	Rsqrt      = "rsqrt"
	Reciprocal = "reciprocal"
	Abs        = "abs"
	Sign       = "sign"
	Floor      = "floor"
	Ceil       = "ceil"
	Round      = "round"

	Exp       = "exp"
	Expm1     = "expm1"
	Log       = "log"
	Log1p     = "log1p"
	Log2      = "log2"
	Log10     = "log10"
	Sin       = "sin"
	Cos       = "cos"
	Tan       = "tan"
	Asin      = "asin"
	Acos      = "acos"
	Atan      = "atan"
	Sinh      = "sinh"
	Cosh      = "cosh"
	Tanh      = "tanh"
	Asinh     = "asinh"
	Acosh     = "acosh"
	Atanh     = "atanh"
	Erf       = "erf"
	Erfc      = "erfc"
	Lgamma    = "lgamma"
	Digamma   = "digamma"
	Polygamma = "polygamma"

	ReLU               = "relu"
	ReLU6              = "relu6"
	LeakyReLU          = "leaky relu"
	PReLU              = "prelu"
	ELU                = "elu"
	SELU               = "selu"
	CELU               = "celu"
	GELU               = "gelu"
	GELUTanh           = "gelu tanh"
	SiLU               = "silu"
	Mish               = "mish"
	Softplus           = "softplus"
	Softsign           = "softsign"
	Sigmoid            = "sigmoid"
	LogSigmoid         = "log sigmoid"
	HardSigmoid        = "hard sigmoid"
	HardSwish          = "hard swish"
	HardTanh           = "hard tanh"
	Softmax            = "softmax"
	LogSoftmax         = "log softmax"
	SoftmaxGradient    = "softmax gradient"
	LogSoftmaxGradient = "log softmax gradient"

	DivGradient                = "div gradient"
	PowGradient                = "pow gradient"
	HypotGradient              = "hypot gradient"
	Atan2Gradient              = "atan2 gradient"
	BinaryCrossEntropyGradient = "binary cross entropy gradient"

	Maximum            = "maximum"
	Minimum            = "minimum"
	Clamp              = "clamp"
	Where              = "where"
	Kink               = "kink"
	Equal              = "equal"
	NotEqual           = "not equal"
	Less               = "less"
	LessEqual          = "less equal"
	Greater            = "greater"
	GreaterEqual       = "greater equal"
	EqualScalar        = "equal scalar"
	NotEqualScalar     = "not equal scalar"
	LessScalar         = "less scalar"
	LessEqualScalar    = "less equal scalar"
	GreaterScalar      = "greater scalar"
	GreaterEqualScalar = "greater equal scalar"

	BinaryCrossEntropy       = "binary cross entropy"
	BinaryCrossEntropyLogits = "binary cross entropy logits"
	CrossEntropy             = "cross entropy"

	Sum       = "sum"
	Mean      = "mean"
	Prod      = "prod"
	Max       = "max"
	Min       = "min"
	Var       = "var"
	Std       = "std"
	Norm      = "norm"
	LogSumExp = "logsumexp"
	Center    = "center"
	CumSum    = "cumsum"
	CumProd   = "cumprod"

	MatMul     = "matmul"
	Diagonal   = "diagonal"
	OnDiagonal = "on diagonal"
	Triu       = "triu"
	Tril       = "tril"

	Reshape     = "reshape"
	Expand      = "expand"
	Permute     = "permute"
	Slice       = "slice"
	Pad         = "pad"
	Concat      = "concat"
	IndexSelect = "index select"
	IndexAdd    = "index add"
	Gather      = "gather"
	ScatterAdd  = "scatter add"
	Detach      = "detach"

	Gradient = "gradient"
	Custom   = "custom"
	ArgMax   = "argmax"
	ArgMin   = "argmin"
	OneHot   = "one hot"

	WeightedSum = "weighted sum"
	SumOfRows   = "Σ"
	MeanOfRows  = "Σ/n"
)

const (
	power   = "to the power of"
	closed  = "is closed"
	leftOut = "leaves it out"
)

var table = []Operation{
	// What is given.
	{Name: Constant, Class: Leaf},
	{Name: Variable, Class: Leaf},
	{Name: Param, Class: Leaf},

	// Arithmetic.
	{Name: Add, Class: Elementwise, Inputs: 2, Written: "a + b", Sign: "+", Commutes: true, Exact: true},
	{Name: Sub, Class: Elementwise, Inputs: 2, Written: "a − b", Sign: "−", Exact: true},
	{Name: Mul, Class: Elementwise, Inputs: 2, Written: "a·b", Sign: "×", Commutes: true, Exact: true},
	{Name: Div, Class: Elementwise, Inputs: 2, Written: "a / b", Tight: true, Sign: "/", Exact: true},
	{Name: Pow, Class: Elementwise, Inputs: 2, Sign: power},
	{Name: Atan2, Class: Elementwise, Inputs: 2},
	{Name: Hypot, Class: Elementwise, Inputs: 2, Commutes: true},
	{Name: Neg, Class: Elementwise, Inputs: 1, Written: "−a", Exact: true},
	{Name: Scale, Class: Elementwise, Inputs: 1, Constants: 1, Written: "c·a", Exact: true},
	{Name: AddScalar, Class: Elementwise, Inputs: 1, Constants: 1, Written: "a + c", Exact: true},
	{Name: PowScalar, Class: Elementwise, Inputs: 1, Constants: 1, Written: "a^c", Tight: true, Sign: power},
	{Name: Square, Class: Elementwise, Inputs: 1, Written: "a²", Tight: true, Exact: true},
	{Name: Sqrt, Class: Elementwise, Inputs: 1, Written: "√a", Tight: true, Domain: rootDomain},
	{Name: Rsqrt, Class: Elementwise, Inputs: 1, Domain: rootDomain},
	{Name: Reciprocal, Class: Elementwise, Inputs: 1, Domain: rootDomain},
	{Name: Abs, Class: Elementwise, Inputs: 1},
	{Name: Sign, Class: Elementwise, Inputs: 1},
	{Name: Floor, Class: Elementwise, Inputs: 1},
	{Name: Ceil, Class: Elementwise, Inputs: 1},
	{Name: Round, Class: Elementwise, Inputs: 1},

	// Exponentials, logarithms, angles and their kin.
	{Name: Exp, Class: Elementwise, Inputs: 1},
	{Name: Expm1, Class: Elementwise, Inputs: 1},
	{Name: Log, Class: Elementwise, Inputs: 1, Domain: logDomain},
	{Name: Log1p, Class: Elementwise, Inputs: 1, Domain: log1pDomain},
	{Name: Log2, Class: Elementwise, Inputs: 1, Domain: logDomain},
	{Name: Log10, Class: Elementwise, Inputs: 1, Domain: logDomain},
	{Name: Sin, Class: Elementwise, Inputs: 1},
	{Name: Cos, Class: Elementwise, Inputs: 1},
	{Name: Tan, Class: Elementwise, Inputs: 1},
	{Name: Asin, Class: Elementwise, Inputs: 1, Domain: arcDomain},
	{Name: Acos, Class: Elementwise, Inputs: 1, Domain: arcDomain},
	{Name: Atan, Class: Elementwise, Inputs: 1},
	{Name: Sinh, Class: Elementwise, Inputs: 1},
	{Name: Cosh, Class: Elementwise, Inputs: 1},
	{Name: Tanh, Class: Elementwise, Inputs: 1, Saturates: true, Flat: &Flat{func(a float64) bool { return math.Abs(a) > 0.99 }, "beyond ±0.99", "below 0.02"}},
	{Name: Asinh, Class: Elementwise, Inputs: 1},
	{Name: Acosh, Class: Elementwise, Inputs: 1, Domain: acoshDomain},
	{Name: Atanh, Class: Elementwise, Inputs: 1, Domain: atanhDomain},
	{Name: Erf, Class: Elementwise, Inputs: 1, Saturates: true},
	{Name: Erfc, Class: Elementwise, Inputs: 1},
	{Name: Lgamma, Class: Elementwise, Inputs: 1, Domain: poleDomain},
	{Name: Digamma, Class: Elementwise, Inputs: 1, Domain: poleDomain},
	{Name: Polygamma, Class: Elementwise, Inputs: 1, Constants: 1, Domain: poleDomain},

	// Activations.
	{Name: ReLU, Class: Elementwise, Inputs: 1, Exact: true, Gate: closed},
	{Name: ReLU6, Class: Elementwise, Inputs: 1, Gate: closed},
	{Name: LeakyReLU, Class: Elementwise, Inputs: 1, Constants: 1},
	{Name: PReLU, Class: Elementwise, Inputs: 2},
	{Name: ELU, Class: Elementwise, Inputs: 1, Constants: 1},
	{Name: SELU, Class: Elementwise, Inputs: 1},
	{Name: CELU, Class: Elementwise, Inputs: 1, Constants: 1},
	{Name: GELU, Class: Elementwise, Inputs: 1},
	{Name: GELUTanh, Class: Elementwise, Inputs: 1},
	{Name: SiLU, Class: Elementwise, Inputs: 1},
	{Name: Mish, Class: Elementwise, Inputs: 1},
	{Name: Softplus, Class: Elementwise, Inputs: 1},
	{Name: Softsign, Class: Elementwise, Inputs: 1, Saturates: true},
	{Name: Sigmoid, Class: Elementwise, Inputs: 1, Saturates: true, Flat: &Flat{func(a float64) bool { return a < 0.01 || a > 0.99 }, "outside 0.01 to 0.99", "below 0.01"}},
	{Name: LogSigmoid, Class: Elementwise, Inputs: 1, Saturates: true},
	{Name: HardSigmoid, Class: Elementwise, Inputs: 1, Saturates: true, Flat: &Flat{func(a float64) bool { return a == 0 || a == 1 }, "at 0 or 1", "0"}},
	{Name: HardSwish, Class: Elementwise, Inputs: 1},
	{Name: HardTanh, Class: Elementwise, Inputs: 1, Saturates: true, Flat: &Flat{func(a float64) bool { return math.Abs(a) == 1 }, "at ±1", "0"}},
	{Name: Softmax, Class: Normalizing, Saturates: true, Backward: says("y·(g − Σ g·y)")},
	{Name: LogSoftmax, Class: Normalizing, Backward: says("g − softmax(x)·Σ g")},
	{Name: SoftmaxGradient, Class: Running, Backward: each("y·(g − Σ g·y)", "derivative by the probabilities")},
	{Name: LogSoftmaxGradient, Class: Running, Backward: each("g − Σ g·exp y", "−g·exp(y)·Σ x")},

	// Derivatives of functions of two elements, times an incoming gradient x.
	{Name: DivGradient, Class: Derivative, Backward: each("× −y ÷ z²", "× −g ÷ z²", "× 2g·y ÷ z³")},
	{Name: PowGradient, Class: Derivative, Backward: each("× z·y^(z−1)", "× g·z(z−1)·y^(z−2)", "× g·y^(z−1)·(1 + z·ln y)")},
	{Name: HypotGradient, Class: Derivative, Backward: each("× y ÷ h", "× g·z² ÷ h³", "× −g·y·z ÷ h³")},
	{Name: Atan2Gradient, Class: Derivative, Backward: each("× z ÷ h²", "× −2g·y·z ÷ h⁴", "× g·(y² − z²) ÷ h⁴")},
	{Name: BinaryCrossEntropyGradient, Class: Derivative, Backward: each("× (p − y) ÷ p(1−p)", "derivative by the probability", "× −g ÷ p(1−p)")},

	// Choices and comparisons.
	{Name: Maximum, Class: Elementwise, Inputs: 2, Commutes: true, Gate: "takes its other input"},
	{Name: Minimum, Class: Elementwise, Inputs: 2, Commutes: true, Gate: "takes its other input"},
	{Name: Clamp, Class: Elementwise, Inputs: 1, Constants: 2, Gate: "is beyond its bounds"},
	{Name: Where, Class: Choice, Gate: "takes its other branch", Backward: each("", "where it was chosen", "where it was chosen")},
	{Name: Kink, Class: Choice, Backward: each("", "0, NaN at the kink")},
	{Name: Equal, Class: Elementwise, Inputs: 2, Commutes: true},
	{Name: NotEqual, Class: Elementwise, Inputs: 2, Commutes: true},
	{Name: Less, Class: Elementwise, Inputs: 2},
	{Name: LessEqual, Class: Elementwise, Inputs: 2},
	{Name: Greater, Class: Elementwise, Inputs: 2},
	{Name: GreaterEqual, Class: Elementwise, Inputs: 2},
	{Name: EqualScalar, Class: Elementwise, Inputs: 1, Constants: 1},
	{Name: NotEqualScalar, Class: Elementwise, Inputs: 1, Constants: 1},
	{Name: LessScalar, Class: Elementwise, Inputs: 1, Constants: 1},
	{Name: LessEqualScalar, Class: Elementwise, Inputs: 1, Constants: 1},
	{Name: GreaterScalar, Class: Elementwise, Inputs: 1, Constants: 1},
	{Name: GreaterEqualScalar, Class: Elementwise, Inputs: 1, Constants: 1},

	// Losses of single numbers.
	{Name: BinaryCrossEntropy, Class: Elementwise, Inputs: 2, Domain: probabilityDomain, Compares: true, Probabilities: true},
	{Name: BinaryCrossEntropyLogits, Class: Elementwise, Inputs: 2, Compares: true},
	{Name: CrossEntropy, Class: Elementwise, Inputs: 2, Domain: probabilityDomain, Compares: true, Probabilities: true},

	// Along axes.
	{Name: Sum, Class: Reduction, Backward: says("copied")},
	{Name: Mean, Class: Reduction, Domain: fewDomain, Backward: meanBackward},
	{Name: Prod, Class: Reduction, Backward: says("× y ÷ x")},
	{Name: Max, Class: Reduction, Gate: "takes other elements", Backward: says("to the greatest")},
	{Name: Min, Class: Reduction, Gate: "takes other elements", Backward: says("to the least")},
	{Name: Var, Class: Reduction, Domain: fewDomain, Backward: varBackward},
	{Name: Std, Class: Reduction, Domain: fewDomain, Backward: stdBackward},
	{Name: Norm, Class: Reduction, Backward: normBackward},
	{Name: LogSumExp, Class: Reduction, Backward: says("× exp(x − y)")},
	{Name: Center, Class: Running, Backward: says("g − mean g")},
	{Name: CumSum, Class: Running, Backward: running("summed up from the end", "summed up from the start")},
	{Name: CumProd, Class: Running, Backward: running("g·y summed up from the end, ÷ x", "g·y summed up from the start, ÷ x")},

	// Matrices.
	{Name: MatMul, Class: Product, Written: "a·b", Backward: matmulBackward},
	{Name: Diagonal, Class: Moving, Backward: says("onto the diagonal")},
	{Name: OnDiagonal, Class: Moving, Backward: says("the diagonal")},
	{Name: Triu, Class: Moving, Backward: says("the upper triangle")},
	{Name: Tril, Class: Moving, Backward: says("the lower triangle")},

	// Other places and shapes.
	{Name: Reshape, Class: Moving, Backward: says("reshaped back")},
	{Name: Expand, Class: Moving, Backward: says("summed over the copies")},
	{Name: Permute, Class: Moving, Backward: says("axes permuted back")},
	{Name: Slice, Class: Moving, Backward: says("put in its place"), Gate: leftOut},
	{Name: Pad, Class: Moving, Backward: says("without the padding")},
	{Name: Concat, Class: Moving, Backward: says("its part")},
	{Name: IndexSelect, Class: Moving, Backward: says("added at its indices"), Gate: leftOut},
	{Name: IndexAdd, Class: Moving, Backward: says("taken at its indices")},
	{Name: Gather, Class: Moving, Backward: says("added at its places"), Gate: leftOut},
	{Name: ScatterAdd, Class: Moving, Backward: says("taken at its places")},
	{Name: Detach, Class: Moving},

	// What no recording shows, or no Value comes of.
	{Name: Gradient, Class: Scratch},
	{Name: Custom, Class: Scratch},
	{Name: ArgMax, Class: Scratch},
	{Name: ArgMin, Class: Scratch},
	{Name: OneHot, Class: Scratch},

	// What drawings make of several values.
	{Name: WeightedSum, Class: Picture, Commutes: true},
	{Name: SumOfRows, Class: Picture, Commutes: true},
	{Name: MeanOfRows, Class: Picture, Commutes: true},
}
