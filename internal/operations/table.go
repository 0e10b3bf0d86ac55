package operations

import "math"

// The names of the operations that code asks for. Other names occur only in
// their rows.
const (
	Add       = "add"
	Sub       = "sub"
	Mul       = "mul"
	Div       = "div"
	Pow       = "pow"
	Neg       = "neg"
	MulScalar = "mul scalar"
	PowScalar = "pow scalar"
	Square    = "square"
	Abs       = "abs"

	ReLU       = "relu"
	ReLU6      = "relu6"
	Sigmoid    = "sigmoid"
	Softmax    = "softmax"
	LogSoftmax = "log softmax"

	Clamp = "clamp"
	Where = "where"

	BinaryCrossEntropy       = "binary cross entropy"
	BinaryCrossEntropyLogits = "binary cross entropy logits"
	CrossEntropy             = "cross entropy"

	Sum       = "sum"
	Mean      = "mean"
	Max       = "max"
	Min       = "min"
	Norm      = "norm"
	LogSumExp = "logsumexp"

	MatMul = "matmul"

	Conv          = "conv"
	ConvTranspose = "conv transpose"

	LSTM = "lstm"
	GRU  = "gru"
	RNN  = "rnn"

	Reshape     = "reshape"
	Expand      = "expand"
	Permute     = "permute"
	Slice       = "slice"
	Pad         = "pad"
	Concat      = "concat"
	IndexSelect = "index select"
	Embedding   = "embedding"
	Gather      = "gather"
	Detach      = "detach"

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
	// Leaves.
	{Name: "constant", Class: Leaf},
	{Name: "variable", Class: Leaf},
	{Name: "param", Class: Leaf},

	// Arithmetic.
	{Name: Add, Class: Elementwise, Inputs: 2, Written: "a + b", Sign: "+", Commutes: true, Exact: true},
	{Name: Sub, Class: Elementwise, Inputs: 2, Written: "a − b", Sign: "−", Exact: true},
	{Name: Mul, Class: Elementwise, Inputs: 2, Written: "a·b", Sign: "×", Commutes: true, Exact: true},
	{Name: Div, Class: Elementwise, Inputs: 2, Written: "a / b", Tight: true, Sign: "/", Exact: true},
	{Name: Pow, Class: Elementwise, Inputs: 2, Sign: power},
	{Name: "atan2", Class: Elementwise, Inputs: 2},
	{Name: "hypot", Class: Elementwise, Inputs: 2, Commutes: true},
	{Name: "fmod", Class: Elementwise, Inputs: 2, Domain: moduloDomain},
	{Name: "remainder", Class: Elementwise, Inputs: 2, Domain: moduloDomain},
	{Name: Neg, Class: Elementwise, Inputs: 1, Written: "−a", Exact: true},
	{Name: MulScalar, Class: Elementwise, Inputs: 1, Constants: 1, Written: "c·a", Exact: true},
	{Name: "add scalar", Class: Elementwise, Inputs: 1, Constants: 1, Written: "a + c", Exact: true},
	{Name: PowScalar, Class: Elementwise, Inputs: 1, Constants: 1, Written: "a^c", Tight: true, Sign: power},
	{Name: Square, Class: Elementwise, Inputs: 1, Written: "a²", Tight: true, Exact: true},
	{Name: "sqrt", Class: Elementwise, Inputs: 1, Written: "√a", Tight: true, Domain: rootDomain},
	{Name: "rsqrt", Class: Elementwise, Inputs: 1, Domain: rootDomain},
	{Name: "reciprocal", Class: Elementwise, Inputs: 1, Domain: rootDomain},
	{Name: "cbrt", Class: Elementwise, Inputs: 1},
	{Name: Abs, Class: Elementwise, Inputs: 1},
	{Name: "sign", Class: Elementwise, Inputs: 1},
	{Name: "floor", Class: Elementwise, Inputs: 1},
	{Name: "trunc", Class: Elementwise, Inputs: 1},
	{Name: "ceil", Class: Elementwise, Inputs: 1},
	{Name: "round", Class: Elementwise, Inputs: 1},

	// Exponentials, logarithms, trigonometric and related functions.
	{Name: "exp", Class: Elementwise, Inputs: 1},
	{Name: "expm1", Class: Elementwise, Inputs: 1},
	{Name: "log", Class: Elementwise, Inputs: 1, Domain: logDomain},
	{Name: "log1p", Class: Elementwise, Inputs: 1, Domain: log1pDomain},
	{Name: "log2", Class: Elementwise, Inputs: 1, Domain: logDomain},
	{Name: "log10", Class: Elementwise, Inputs: 1, Domain: logDomain},
	{Name: "logaddexp", Class: Elementwise, Inputs: 2, Commutes: true},
	{Name: "sin", Class: Elementwise, Inputs: 1},
	{Name: "cos", Class: Elementwise, Inputs: 1},
	{Name: "tan", Class: Elementwise, Inputs: 1},
	{Name: "asin", Class: Elementwise, Inputs: 1, Domain: arcDomain},
	{Name: "acos", Class: Elementwise, Inputs: 1, Domain: arcDomain},
	{Name: "atan", Class: Elementwise, Inputs: 1},
	{Name: "sinh", Class: Elementwise, Inputs: 1},
	{Name: "cosh", Class: Elementwise, Inputs: 1},
	{Name: "tanh", Class: Elementwise, Inputs: 1, Saturates: true, Flat: &Flat{func(a float64) bool { return math.Abs(a) > 0.99 }, "beyond ±0.99", "below 0.02"}},
	{Name: "asinh", Class: Elementwise, Inputs: 1},
	{Name: "acosh", Class: Elementwise, Inputs: 1, Domain: acoshDomain},
	{Name: "atanh", Class: Elementwise, Inputs: 1, Domain: atanhDomain},
	{Name: "erf", Class: Elementwise, Inputs: 1, Saturates: true},
	{Name: "erfc", Class: Elementwise, Inputs: 1},
	{Name: "erfinv", Class: Elementwise, Inputs: 1, Domain: arcDomain},
	{Name: "logit", Class: Elementwise, Inputs: 1, Domain: logitDomain},
	{Name: "sinc", Class: Elementwise, Inputs: 1},
	{Name: "lgamma", Class: Elementwise, Inputs: 1, Domain: poleDomain},
	{Name: "digamma", Class: Elementwise, Inputs: 1, Domain: poleDomain},
	{Name: "polygamma", Class: Elementwise, Inputs: 1, Constants: 1, Domain: poleDomain},

	// Activations.
	{Name: ReLU, Class: Elementwise, Inputs: 1, Exact: true, Gate: closed},
	{Name: ReLU6, Class: Elementwise, Inputs: 1, Gate: closed},
	{Name: "leaky relu", Class: Elementwise, Inputs: 1, Constants: 1},
	{Name: "prelu", Class: Elementwise, Inputs: 2},
	{Name: "elu", Class: Elementwise, Inputs: 1, Constants: 1},
	{Name: "selu", Class: Elementwise, Inputs: 1},
	{Name: "celu", Class: Elementwise, Inputs: 1, Constants: 1},
	{Name: "gelu", Class: Elementwise, Inputs: 1},
	{Name: "gelu tanh", Class: Elementwise, Inputs: 1},
	{Name: "silu", Class: Elementwise, Inputs: 1},
	{Name: "mish", Class: Elementwise, Inputs: 1},
	{Name: "softplus", Class: Elementwise, Inputs: 1, Constants: 1},
	{Name: "softsign", Class: Elementwise, Inputs: 1, Saturates: true},
	{Name: Sigmoid, Class: Elementwise, Inputs: 1, Saturates: true, Flat: &Flat{func(a float64) bool { return a < 0.01 || a > 0.99 }, "outside 0.01 to 0.99", "below 0.01"}},
	{Name: "log sigmoid", Class: Elementwise, Inputs: 1, Saturates: true},
	{Name: "hard sigmoid", Class: Elementwise, Inputs: 1, Saturates: true, Flat: &Flat{func(a float64) bool { return a == 0 || a == 1 }, "at 0 or 1", "0"}},
	{Name: "hard swish", Class: Elementwise, Inputs: 1},
	{Name: "hard shrink", Class: Elementwise, Inputs: 1, Constants: 1, Gate: closed},
	{Name: "hard tanh", Class: Elementwise, Inputs: 1, Saturates: true, Flat: &Flat{func(a float64) bool { return math.Abs(a) == 1 }, "at ±1", "0"}},
	{Name: Softmax, Class: Normalizing, Saturates: true, Backward: says("y·(g − Σ g·y)")},
	{Name: LogSoftmax, Class: Normalizing, Backward: says("g − softmax(x)·Σ g")},
	{Name: "softmax gradient", Class: Running, Backward: each("y·(g − Σ g·y)", "derivative by the probabilities")},
	{Name: "log softmax gradient", Class: Running, Backward: each("g − Σ g·exp y", "−g·exp(y)·Σ x")},

	// Normalizations.
	{Name: "batch norm", Class: Running, Constants: 1, Backward: affine("scale·(g − mean g − x̂·mean g·x̂) ÷ σ")},
	{Name: "batch mean", Class: Reduction, Backward: says("÷ n")},
	{Name: "batch variance", Class: Reduction, Backward: says("× 2(x − mean) ÷ (n − 1)")},
	{Name: "normalize", Class: Running, Constants: 1, Backward: affine("× scale ÷ σ", "−Σ g·scale ÷ σ", "−Σ g·scale·x̂ ÷ 2σ²")},
	{Name: "layer norm", Class: Running, Constants: 1, Backward: affine("(u − mean u − x̂·mean u·x̂) ÷ σ, u = g·scale")},
	{Name: "group norm", Class: Running, Constants: 1, Backward: affine("(u − mean u − x̂·mean u·x̂) ÷ σ, u = g·scale")},
	{Name: "instance norm", Class: Running, Constants: 1, Backward: affine("(u − mean u − x̂·mean u·x̂) ÷ σ, u = g·scale")},
	{Name: "rms norm", Class: Running, Constants: 1, Backward: affine("(u − x̂·mean u·x̂) ÷ rms, u = g·scale")},
	{Name: "normalization gradient", Class: Running, Backward: each("projected again", "derivative by x", "Σ g·y")},
	{Name: "scale gradient", Class: Reduction, Backward: each("× x̂", "derivative by x")},
	{Name: "shift gradient", Class: Reduction, Backward: says("copied")},

	// Attention.
	{Name: "attention", Class: Product, Backward: attentionBackward},
	{Name: "rotary", Class: Running, Backward: says("turned back")},

	// Derivatives of functions of two elements, times an incoming gradient x.
	{Name: "div gradient", Class: Derivative, Backward: each("× −y ÷ z²", "× −g ÷ z²", "× 2g·y ÷ z³")},
	{Name: "pow gradient", Class: Derivative, Backward: each("× z·y^(z−1)", "× g·z(z−1)·y^(z−2)", "× g·y^(z−1)·(1 + z·ln y)")},
	{Name: "logaddexp gradient", Class: Derivative, Backward: each("× σ(y − z)", "× g·σ′(y − z)", "× −g·σ′(y − z)")},
	{Name: "hypot gradient", Class: Derivative, Backward: each("× y ÷ h", "× g·z² ÷ h³", "× −g·y·z ÷ h³")},
	{Name: "atan2 gradient", Class: Derivative, Backward: each("× z ÷ h²", "× −2g·y·z ÷ h⁴", "× g·(y² − z²) ÷ h⁴")},
	{Name: "fmod gradient", Class: Derivative, Backward: each("× −trunc(y ÷ z)", "0", "0")},
	{Name: "remainder gradient", Class: Derivative, Backward: each("× −floor(y ÷ z)", "0", "0")},
	{Name: "binary cross entropy gradient", Class: Derivative, Backward: each("× (p − y) ÷ p(1−p)", "derivative by the probability", "× −g ÷ p(1−p)")},

	// Choices and comparisons.
	{Name: "maximum", Class: Elementwise, Inputs: 2, Commutes: true, Gate: "takes its other input"},
	{Name: "minimum", Class: Elementwise, Inputs: 2, Commutes: true, Gate: "takes its other input"},
	{Name: Clamp, Class: Elementwise, Inputs: 1, Constants: 2, Gate: "is beyond its bounds"},
	{Name: Where, Class: Choice, Gate: "takes its other branch", Backward: each("", "where it was chosen", "where it was chosen")},
	{Name: "lerp", Class: Choice, Backward: each("× (1 − weight)", "× weight", "× (end − x)")},
	{Name: "kink", Class: Choice, Backward: each("", "0, NaN at the kink")},
	{Name: "equal", Class: Elementwise, Inputs: 2, Commutes: true},
	{Name: "not equal", Class: Elementwise, Inputs: 2, Commutes: true},
	{Name: "less", Class: Elementwise, Inputs: 2},
	{Name: "less equal", Class: Elementwise, Inputs: 2},
	{Name: "greater", Class: Elementwise, Inputs: 2},
	{Name: "greater equal", Class: Elementwise, Inputs: 2},
	{Name: "equal scalar", Class: Elementwise, Inputs: 1, Constants: 1},
	{Name: "not equal scalar", Class: Elementwise, Inputs: 1, Constants: 1},
	{Name: "less scalar", Class: Elementwise, Inputs: 1, Constants: 1},
	{Name: "less equal scalar", Class: Elementwise, Inputs: 1, Constants: 1},
	{Name: "greater scalar", Class: Elementwise, Inputs: 1, Constants: 1},
	{Name: "greater equal scalar", Class: Elementwise, Inputs: 1, Constants: 1},

	// Losses of single numbers.
	{Name: BinaryCrossEntropy, Class: Elementwise, Inputs: 2, Domain: probabilityDomain, Compares: true, Probabilities: true},
	{Name: BinaryCrossEntropyLogits, Class: Elementwise, Inputs: 2, Compares: true},
	{Name: CrossEntropy, Class: Elementwise, Inputs: 2, Domain: probabilityDomain, Compares: true, Probabilities: true},

	// Losses of sequences.
	{Name: "ctc", Class: Reduction, Backward: says("× −the probability of each class at each step, given the labels")},

	// Along axes.
	{Name: Sum, Class: Reduction, Backward: says("copied")},
	{Name: Mean, Class: Reduction, Domain: fewDomain, Backward: meanBackward},
	{Name: "prod", Class: Reduction, Backward: says("× y ÷ x")},
	{Name: Max, Class: Reduction, Gate: "takes other elements", Backward: says("to the greatest")},
	{Name: Min, Class: Reduction, Gate: "takes other elements", Backward: says("to the least")},
	{Name: "var", Class: Reduction, Domain: fewDomain, Backward: varBackward},
	{Name: "std", Class: Reduction, Domain: fewDomain, Backward: stdBackward},
	{Name: Norm, Class: Reduction, Backward: normBackward},
	{Name: LogSumExp, Class: Reduction, Backward: says("× exp(x − y)")},
	{Name: "center", Class: Running, Backward: says("g − mean g")},
	{Name: "cumsum", Class: Running, Backward: running("summed up from the end", "summed up from the start")},
	{Name: "cummax", Class: Running, Gate: "takes other elements", Backward: says("to the greatest so far")},
	{Name: "cummin", Class: Running, Gate: "takes other elements", Backward: says("to the least so far")},
	{Name: "logcumsumexp", Class: Running, Backward: says("× exp(x − y), summed up from the end")},
	{Name: "logcumsumexp gradient", Class: Running, Backward: each("g × exp(y − z) summed up from the start", "× y", "× −x × exp(y − z) summed up from the start")},
	{Name: "logcumsumexp tangent", Class: Running, Backward: each("g × exp(y − z) summed up from the end", "× x × exp(y − z) summed up from the end", "× −y")},
	{Name: "cumprod", Class: Running, Backward: running("g·y summed up from the end, ÷ x", "g·y summed up from the start, ÷ x")},

	// Matrices.
	{Name: MatMul, Class: Product, Written: "a·b", Backward: matmulBackward},
	{Name: "diagonal", Class: Moving, Backward: says("onto the diagonal")},
	{Name: "on diagonal", Class: Moving, Backward: says("the diagonal")},
	{Name: "triu", Class: Moving, Backward: says("the upper triangle")},
	{Name: "tril", Class: Moving, Backward: says("the lower triangle")},

	// Convolutions.
	{Name: Conv, Class: Product, Backward: each("convolved back with the weights", "times the image under each weight, summed up", "summed over batch and places")},
	{Name: ConvTranspose, Class: Product, Backward: each("convolved with the weights", "times the element that each weight spreads, summed up", "summed over batch and places")},
	{Name: "conv weights", Class: Product, Backward: each("the maps convolved back with it", "the images convolved with it")},
	{Name: "unfold", Class: Moving, Backward: says("added at the windows")},
	{Name: "fold", Class: Moving, Backward: says("taken at the windows")},

	// Recurrent networks.
	{Name: LSTM, Class: Product, Backward: recurrentBackward},
	{Name: GRU, Class: Product, Backward: recurrentBackward},
	{Name: RNN, Class: Product, Backward: recurrentBackward},

	// Windows of images.
	{Name: "max pool", Class: Reduction, Gate: "takes other elements", Backward: says("to the greatest of each window")},
	{Name: "max pool gradient", Class: Moving, Backward: says("taken where the greatest were")},
	{Name: "max pool gather", Class: Moving, Backward: says("to the greatest of each window"), Gate: leftOut},
	{Name: "avg pool", Class: Reduction, Backward: says("÷ n, over each window")},
	{Name: "avg pool gradient", Class: Running, Backward: says("the mean of each window")},
	{Name: "upsample", Class: Running, Backward: says("summed by its weights")},
	{Name: "upsample gradient", Class: Running, Backward: says("upsampled")},

	// Linear algebra, of package autograd/matrix.
	{Name: "cholesky", Class: Product, Domain: definiteDomain, Backward: says("L⁻ᵀ × Φ(Lᵀ × g) × L⁻¹, made symmetric")},
	{Name: "solve", Class: Product, Domain: singularDomain, Backward: each("−(x⁻ᵀ × g) × yᵀ", "x⁻ᵀ × g")},
	{Name: "solve triangular", Class: Product, Domain: singularDomain, Backward: each("lower triangle of −(L⁻ᵀ × g) × yᵀ", "L⁻ᵀ × g")},
	{Name: "solve transposed", Class: Product, Domain: singularDomain, Backward: each("lower triangle of −y × (L⁻¹ × g)ᵀ", "L⁻¹ × g")},
	{Name: "inverse", Class: Product, Domain: singularDomain, Backward: says("−yᵀ × g × yᵀ")},
	{Name: "det", Class: Product, Backward: says("× the cofactors")},
	{Name: "cofactor", Class: Product, Backward: says("through the determinants of the minors")},
	{Name: "log det", Class: Product, Domain: logDetDomain, Backward: says("× x⁻ᵀ")},
	{Name: "det sign", Class: Product},

	// Moving and reshaping.
	{Name: Reshape, Class: Moving, Backward: says("reshaped back")},
	{Name: Expand, Class: Moving, Backward: says("summed over the copies")},
	{Name: Permute, Class: Moving, Backward: says("axes permuted back")},
	{Name: Slice, Class: Moving, Backward: says("put in its place"), Gate: leftOut},
	{Name: Pad, Class: Moving, Backward: says("without the padding")},
	{Name: Concat, Class: Moving, Backward: says("its part")},
	{Name: IndexSelect, Class: Moving, Backward: says("added at its indices"), Gate: leftOut},
	{Name: Embedding, Class: Moving, Backward: says("added at its rows"), Gate: leftOut},
	{Name: "index add", Class: Moving, Backward: says("taken at its indices")},
	{Name: "segment sum", Class: Moving, Backward: says("taken at its segment")},
	{Name: "segment max", Class: Reduction, Gate: "takes other elements", Backward: says("to the greatest of each segment")},
	{Name: "segment softmax", Class: Running, Backward: says("y·(g − Σ g·y), in each segment")},
	{Name: Gather, Class: Moving, Backward: says("added at its places"), Gate: leftOut},
	{Name: "scatter add", Class: Moving, Backward: says("taken at its places")},
	{Name: "sort", Class: Moving, Backward: says("put back in its places")},
	{Name: "top k", Class: Moving, Backward: says("put back in its places"), Gate: leftOut},
	{Name: Detach, Class: Moving},

	// Operations that no recording shows, or that make no Value.
	{Name: "gradient", Class: Scratch},
	{Name: "custom", Class: Scratch},
	{Name: "argmax", Class: Scratch},
	{Name: "argmin", Class: Scratch},
	{Name: "one hot", Class: Scratch},

	// Boxes that drawings make of several values.
	{Name: WeightedSum, Class: Picture, Commutes: true},
	{Name: SumOfRows, Class: Picture, Commutes: true},
	{Name: MeanOfRows, Class: Picture, Commutes: true},
}
