package xla

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"nabla/autograd"
)

// A program is a function in StableHLO under construction, as text.
type program struct {
	text    strings.Builder
	float   string // the type of the numbers: "f64" or "f32"
	count   int    // of values so far
	inputs  []value
	aliased map[int]int // inputs whose memory a result may take
	known   map[string]value
}

// A value is a result of the program.
type value struct {
	p     *program
	name  string
	kind  string // of the elements: "f64", "f32", "i64", "i1", …
	shape []int
}

func newProgram(precision autograd.Precision) *program {
	p := &program{float: "f64", aliased: map[int]int{}, known: map[string]value{}}
	if precision == autograd.Float32 {
		p.float = "f32"
	}
	return p
}

// input adds an argument of the function.
func (p *program) input(kind string, shape []int) value {
	v := value{p, fmt.Sprintf("%%a%d", len(p.inputs)), kind, slices.Clone(shape)}
	p.inputs = append(p.inputs, v)
	return v
}

// finish returns the text of the module, for as many devices.
func (p *program) finish(results []value, devices int) string {
	var all strings.Builder
	fmt.Fprintf(&all, "module @step attributes {mhlo.num_partitions = 1 : i32, mhlo.num_replicas = %d : i32} {\n", devices)
	arguments := make([]string, len(p.inputs))
	for i, v := range p.inputs {
		arguments[i] = v.name + ": " + v.typ()
		if to, ok := p.aliased[i]; ok {
			arguments[i] += fmt.Sprintf(" {tf.aliasing_output = %d : i32}", to)
		}
	}
	names, types := make([]string, len(results)), make([]string, len(results))
	for i, v := range results {
		names[i], types[i] = v.name, v.typ()
	}
	fmt.Fprintf(&all, "func.func public @main(%s) -> (%s) {\n", strings.Join(arguments, ", "), strings.Join(types, ", "))
	all.WriteString(p.text.String())
	fmt.Fprintf(&all, "return %s : %s\n}\n}\n", strings.Join(names, ", "), strings.Join(types, ", "))
	return all.String()
}

// typ returns the value's type: "tensor<2x3xf64>".
func (v value) typ() string { return typeOf(v.kind, v.shape) }

func typeOf(kind string, shape []int) string {
	text := "tensor<"
	for _, n := range shape {
		text += strconv.Itoa(n) + "x"
	}
	return text + kind + ">"
}

// size returns the number of elements.
func (v value) size() int { return sizeOf(v.shape) }

func sizeOf(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// op adds an operation of one result. Equal operations are added once.
func (p *program) op(kind string, shape []int, text string) value {
	shape = slices.Clone(shape)
	key := text + typeOf(kind, shape)
	if v, ok := p.known[key]; ok {
		return v
	}
	v := value{p, p.name(), kind, shape}
	fmt.Fprintf(&p.text, "%s = %s\n", v.name, text)
	p.known[key] = v
	return v
}

func (p *program) name() string {
	p.count++
	return "%" + strconv.Itoa(p.count)
}

// Constants.

// number returns a tensor of one number.
func (p *program) number(x float64, shape []int) value {
	return p.op(p.float, shape, fmt.Sprintf("stablehlo.constant dense<%s> : %s", p.literal(x), typeOf(p.float, shape)))
}

// literal writes a number to the bit.
func (p *program) literal(x float64) string {
	if p.float == "f32" {
		return fmt.Sprintf("0x%08X", math.Float32bits(float32(x)))
	}
	return fmt.Sprintf("0x%016X", math.Float64bits(x))
}

// numbers returns a tensor of given numbers.
func (p *program) numbers(x []float64, shape []int) value {
	if len(x) == 0 {
		return p.number(0, shape)
	}
	if !slices.ContainsFunc(x, func(v float64) bool { return math.Float64bits(v) != math.Float64bits(x[0]) }) {
		return p.number(x[0], shape)
	}
	var text strings.Builder
	text.WriteString("\"0x")
	for _, v := range x {
		if p.float == "f32" {
			writeBytes(&text, uint64(math.Float32bits(float32(v))), 4)
		} else {
			writeBytes(&text, math.Float64bits(v), 8)
		}
	}
	text.WriteString("\"")
	return p.op(p.float, shape, fmt.Sprintf("stablehlo.constant dense<%s> : %s", text.String(), typeOf(p.float, shape)))
}

// ints returns a tensor of given integers, which are to be places of elements.
func (p *program) ints(x []int, shape []int) value {
	if len(x) == 0 {
		return p.int(0, shape)
	}
	if !slices.ContainsFunc(x, func(v int) bool { return v != x[0] }) {
		return p.int(x[0], shape)
	}
	var text strings.Builder
	text.WriteString("\"0x")
	for _, v := range x {
		writeBytes(&text, uint64(v), 8)
	}
	text.WriteString("\"")
	return p.op("i64", shape, fmt.Sprintf("stablehlo.constant dense<%s> : %s", text.String(), typeOf("i64", shape)))
}

// int returns a tensor of one integer.
func (p *program) int(x int, shape []int) value {
	return p.op("i64", shape, fmt.Sprintf("stablehlo.constant dense<%d> : %s", x, typeOf("i64", shape)))
}

// writeBytes writes the low bytes of x, the lowest first.
func writeBytes(text *strings.Builder, x uint64, bytes int) {
	const digits = "0123456789ABCDEF"
	for range bytes {
		text.WriteByte(digits[x>>4&15])
		text.WriteByte(digits[x&15])
		x >>= 8
	}
}

// like returns a tensor of one number in the shape of x.
func (x value) like(v float64) value {
	if x.kind == "i64" {
		return x.p.int(int(v), x.shape)
	}
	return x.p.number(v, x.shape)
}

// Functions of single elements.

func (x value) unary(op string) value {
	return x.p.op(x.kind, x.shape, fmt.Sprintf("%s %s : %s", op, x.name, x.typ()))
}

// chlo calls a function that is written in others when it is compiled.
func (x value) chlo(op string) value {
	return x.p.op(x.kind, x.shape, fmt.Sprintf("chlo.%s %s : %s -> %s", op, x.name, x.typ(), x.typ()))
}

func (x value) binary(op string, y value) value {
	if !slices.Equal(x.shape, y.shape) || x.kind != y.kind {
		panic(fmt.Sprintf("xla: internal error: %s of %s and %s", op, x.typ(), y.typ()))
	}
	return x.p.op(x.kind, x.shape, fmt.Sprintf("stablehlo.%s %s, %s : %s", op, x.name, y.name, x.typ()))
}

func (x value) add(y value) value { return x.binary("add", y) }
func (x value) sub(y value) value { return x.binary("subtract", y) }
func (x value) mul(y value) value { return x.binary("multiply", y) }
func (x value) div(y value) value { return x.binary("divide", y) }
func (x value) max(y value) value { return x.binary("maximum", y) }
func (x value) min(y value) value { return x.binary("minimum", y) }
func (x value) and(y value) value { return x.binary("and", y) }
func (x value) or(y value) value  { return x.binary("or", y) }

// pow is the power of elements.
func (x value) pow(y value) value { return x.binary("power", y) }

// plus, times and over take a number as their second operand.
func (x value) plus(v float64) value  { return x.add(x.like(v)) }
func (x value) times(v float64) value { return x.mul(x.like(v)) }
func (x value) over(v float64) value  { return x.div(x.like(v)) }

func (x value) neg() value   { return x.unary("stablehlo.negate") }
func (x value) not() value   { return x.unary("stablehlo.not") }
func (x value) exp() value   { return x.unary("stablehlo.exponential") }
func (x value) expm1() value { return x.unary("stablehlo.exponential_minus_one") }
func (x value) log() value   { return x.unary("stablehlo.log") }
func (x value) log1p() value { return x.unary("stablehlo.log_plus_one") }
func (x value) sqrt() value  { return x.unary("stablehlo.sqrt") }
func (x value) rsqrt() value { return x.like(1).div(x.sqrt()) }
func (x value) abs() value   { return x.unary("stablehlo.abs") }
func (x value) sign() value  { return x.unary("stablehlo.sign") }
func (x value) tanh() value  { return x.unary("stablehlo.tanh") }
func (x value) sin() value   { return x.unary("stablehlo.sine") }
func (x value) cos() value   { return x.unary("stablehlo.cosine") }
func (x value) floor() value { return x.unary("stablehlo.floor") }
func (x value) square() value {
	return x.mul(x)
}

// compare returns 1-bit truth: direction is LT, LE, EQ, NE, GE or GT.
func (x value) compare(direction string, y value) value {
	kind := "FLOAT"
	switch x.kind {
	case "i64":
		kind = "SIGNED"
	case "ui64":
		kind = "UNSIGNED"
	}
	if !slices.Equal(x.shape, y.shape) {
		panic(fmt.Sprintf("xla: internal error: compare %s and %s", x.typ(), y.typ()))
	}
	return x.p.op("i1", x.shape, fmt.Sprintf("stablehlo.compare %s, %s, %s, %s : (%s, %s) -> %s", direction, x.name, y.name, kind, x.typ(), y.typ(), typeOf("i1", x.shape)))
}

// is compares with a number.
func (x value) is(direction string, v float64) value { return x.compare(direction, x.like(v)) }

func (x value) isNaN() value { return x.compare("NE", x) }

// pick returns x where the truth c is 1, else y.
func (c value) pick(x, y value) value {
	return x.p.op(x.kind, x.shape, fmt.Sprintf("stablehlo.select %s, %s, %s : %s, %s", c.name, x.name, y.name, c.typ(), x.typ()))
}

// convert changes the kind of the elements.
func (x value) convert(kind string) value {
	if x.kind == kind {
		return x
	}
	return x.p.op(kind, x.shape, fmt.Sprintf("stablehlo.convert %s : (%s) -> %s", x.name, x.typ(), typeOf(kind, x.shape)))
}

// asNumbers makes 0 and 1 of truth.
func (x value) asNumbers() value { return x.convert(x.p.float) }

// Moving and reshaping.

func (x value) reshape(shape ...int) value {
	if slices.Equal(x.shape, shape) {
		return x
	}
	if sizeOf(shape) != x.size() {
		panic(fmt.Sprintf("xla: internal error: reshape %s to %v", x.typ(), shape))
	}
	return x.p.op(x.kind, shape, fmt.Sprintf("stablehlo.reshape %s : (%s) -> %s", x.name, x.typ(), typeOf(x.kind, shape)))
}

// spread puts the axes of x at the given axes of a larger shape, and repeats it
// along the others.
func (x value) spread(shape []int, axes []int) value {
	if slices.Equal(x.shape, shape) {
		return x
	}
	return x.p.op(x.kind, shape, fmt.Sprintf("stablehlo.broadcast_in_dim %s, dims = %s : (%s) -> %s", x.name, list(axes), x.typ(), typeOf(x.kind, shape)))
}

// expand broadcasts as the library does: shapes are aligned at the last axis.
func (x value) expand(shape []int) value {
	lead := len(shape) - len(x.shape)
	axes := make([]int, len(x.shape))
	for i := range axes {
		axes[i] = lead + i
	}
	return x.spread(shape, axes)
}

func (x value) permute(order ...int) value {
	shape := make([]int, len(order))
	same := true
	for i, axis := range order {
		shape[i] = x.shape[axis]
		same = same && i == axis
	}
	if same {
		return x
	}
	return x.p.op(x.kind, shape, fmt.Sprintf("stablehlo.transpose %s, dims = %s : (%s) -> %s", x.name, list(order), x.typ(), typeOf(x.kind, shape)))
}

// flip reverses axes.
func (x value) flip(axes ...int) value {
	if len(axes) == 0 {
		return x
	}
	return x.p.op(x.kind, x.shape, fmt.Sprintf("stablehlo.reverse %s, dims = %s : %s", x.name, list(axes), x.typ()))
}

// cut takes the elements from start to stop, every step-th, along each axis.
func (x value) cut(start, stop, step []int) value {
	shape, ranges := make([]int, len(start)), make([]string, len(start))
	for i := range start {
		shape[i] = (stop[i] - start[i] + step[i] - 1) / step[i]
		ranges[i] = fmt.Sprintf("%d:%d:%d", start[i], stop[i], step[i])
	}
	if slices.Equal(shape, x.shape) {
		return x
	}
	return x.p.op(x.kind, shape, fmt.Sprintf("stablehlo.slice %s [%s] : (%s) -> %s", x.name, strings.Join(ranges, ", "), x.typ(), typeOf(x.kind, shape)))
}

// narrow takes some elements in a row along an axis.
func (x value) narrow(axis, start, length int) value {
	from, to, step := make([]int, len(x.shape)), slices.Clone(x.shape), ones(len(x.shape))
	from[axis], to[axis] = start, start+length
	return x.cut(from, to, step)
}

func ones(n int) []int { return slices.Repeat([]int{1}, n) }

// pad surrounds x by copies of v and puts some between its elements. Negative
// padding takes elements away.
func (x value) pad(v value, before, after, between []int) value {
	shape := make([]int, len(x.shape))
	same := true
	for i, n := range x.shape {
		shape[i] = before[i] + max(0, n+(n-1)*between[i]) + after[i]
		same = same && before[i] == 0 && after[i] == 0 && (between[i] == 0 || n < 2)
	}
	if same {
		return x
	}
	return x.p.op(x.kind, shape, fmt.Sprintf("stablehlo.pad %s, %s, low = %s, high = %s, interior = %s : (%s, %s) -> %s",
		x.name, v.name, list(before), list(after), list(between), x.typ(), v.typ(), typeOf(x.kind, shape)))
}

// concat joins values along an axis.
func concat(axis int, xs ...value) value {
	if len(xs) == 1 {
		return xs[0]
	}
	x := xs[0]
	shape := slices.Clone(x.shape)
	shape[axis] = 0
	names, types := make([]string, len(xs)), make([]string, len(xs))
	for i, v := range xs {
		shape[axis] += v.shape[axis]
		names[i], types[i] = v.name, v.typ()
	}
	return x.p.op(x.kind, shape, fmt.Sprintf("stablehlo.concatenate %s, dim = %d : (%s) -> %s",
		strings.Join(names, ", "), axis, strings.Join(types, ", "), typeOf(x.kind, shape)))
}

// iota counts up along an axis.
func (p *program) iota(shape []int, axis int) value {
	return p.op("i64", shape, fmt.Sprintf("stablehlo.iota dim = %d : %s", axis, typeOf("i64", shape)))
}

// list writes numbers: "[1, 2]".
func list(x []int) string {
	texts := make([]string, len(x))
	for i, v := range x {
		texts[i] = strconv.Itoa(v)
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// Along axes.

// reduce combines the elements along axes by an operation, which starts from a
// number.
func (x value) reduce(op string, start float64, axes ...int) value {
	if len(axes) == 0 {
		return x
	}
	init := x.p.number(start, nil)
	switch x.kind {
	case "i64":
		init = x.p.int(int(start), nil)
	case "i1":
		init = x.p.op("i1", nil, fmt.Sprintf("stablehlo.constant dense<%t> : tensor<i1>", start != 0))
	}
	shape := without(x.shape, axes)
	return x.p.op(x.kind, shape, fmt.Sprintf("stablehlo.reduce(%s init: %s) applies stablehlo.%s across dimensions = %s : (%s, %s) -> %s",
		x.name, init.name, op, list(axes), x.typ(), init.typ(), typeOf(x.kind, shape)))
}

// without returns a shape without some axes.
func without(shape []int, axes []int) []int {
	rest := []int{}
	for i, n := range shape {
		if !slices.Contains(axes, i) {
			rest = append(rest, n)
		}
	}
	return rest
}

// sum adds up along axes.
func (x value) sum(axes ...int) value { return x.reduce("add", 0, axes...) }

// kept puts back axes along which x was reduced, with the length n had.
func (x value) kept(shape []int, axes ...int) value {
	var rest []int
	for i := range shape {
		if !slices.Contains(axes, i) {
			rest = append(rest, i)
		}
	}
	return x.spread(shape, rest)
}

// mean averages along axes and keeps the shape.
func (x value) mean(axes ...int) value {
	n := 1
	for _, axis := range axes {
		n *= x.shape[axis]
	}
	return x.sum(axes...).over(float64(n)).kept(x.shape, axes...)
}

// Products.

// dot contracts axes of x with axes of y and runs over others together. The
// result has the batch axes, the rest of x and the rest of y.
func (x value) dot(y value, batchX, batchY, alongX, alongY []int) value {
	var shape []int
	for _, axis := range batchX {
		shape = append(shape, x.shape[axis])
	}
	shape = append(shape, without(x.shape, append(slices.Clone(batchX), alongX...))...)
	shape = append(shape, without(y.shape, append(slices.Clone(batchY), alongY...))...)
	batch := ""
	if len(batchX) > 0 {
		batch = fmt.Sprintf("batching_dims = %s x %s, ", list(batchX), list(batchY))
	}
	return x.p.op(x.kind, shape, fmt.Sprintf("stablehlo.dot_general %s, %s, %scontracting_dims = %s x %s, precision = [HIGHEST, HIGHEST] : (%s, %s) -> %s",
		x.name, y.name, batch, list(alongX), list(alongY), x.typ(), y.typ(), typeOf(x.kind, shape)))
}
