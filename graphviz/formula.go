package graphviz

import (
	"fmt"
	"strings"

	"nabla/internal/operations"

	"nabla/internal/recording"
)

// A lossFormula is a picture's text about its loss.
type lossFormula struct {
	loss       string // "½(a − y)²"
	derivative string // by the prediction: "a − y"; "" if not known
	rows       int    // number of rows of which the loss is the mean; 0 if it is not a mean
	added      []int  // nodes added to it, such as a penalty on the weights
}

// lossFormula recognises the loss: that of one number, with sums, means and
// factors around it.
func (l *lesson) lossFormula() lossFormula {
	s := setting{factor: 1, rows: 1}
	for i, known := l.Root, l.isComplete(l.Root); known && l.loss[i]; i, known = l.enter(i, &s) {
		if c, known := l.core(i); known {
			f := s.formula(c)
			for _, a := range f.added {
				f.loss += " + " + l.letter(a)
			}
			return f
		}
	}
	return lossFormula{loss: l.expression(l.Root, mostNested)}
}

// A setting is what surrounds the loss of one number.
type setting struct {
	factor float64
	weight string // the names of factors that differ from row to row: "r·"
	added  []int  // nodes added to the whole
	rows   int    // number of rows of which the mean is taken
	summed bool
}

// enter returns the inner node of the loss at node i, and adds to the setting
// what node i does to it.
func (l *lesson) enter(i int, s *setting) (inner int, known bool) {
	n := &l.Nodes[i]
	inner = l.Edges[n.In[0]].From
	switch {
	case n.Op == operations.MulScalar:
		s.factor *= n.Constants[0]
	case n.Op == operations.Neg:
		s.factor = -s.factor
	case n.Source.Op == operations.Mean:
		s.rows *= elementCount(n)
	case n.Op == operations.SumOfRows, n.Source.Op == operations.Sum:
		s.summed = s.summed || elementCount(n) > 1
	case n.Op == operations.Add && s.isPlain():
		penalty := l.Edges[n.In[1]].From
		if !l.loss[inner] {
			inner, penalty = penalty, inner
		}
		if l.loss[penalty] || len(l.Nodes[penalty].Uses) > 1 {
			return recording.Nowhere, false
		}
		s.added = append(s.added, penalty)
	case n.Op == operations.Mul, n.Op == operations.Div:
		of, by := l.factorOf(n)
		if by == recording.Nowhere {
			return recording.Nowhere, false
		}
		s.multiply(l, n.Op, by)
		inner = of
	default:
		return recording.Nowhere, false
	}
	return inner, l.isComplete(inner)
}

// isComplete reports whether a node is a built-in operation with all its
// inputs.
func (l *lesson) isComplete(i int) bool {
	n := &l.Nodes[i]
	return !n.Custom && len(n.In) > 0 && len(n.In) >= len(n.Source.Inputs)
}

// isPlain reports whether only additions surround the loss.
func (s *setting) isPlain() bool {
	return s.factor == 1 && s.weight == "" && s.rows == 1 && !s.summed
}

// multiply adds a constant factor or divisor to the setting.
func (s *setting) multiply(l *lesson, op string, by int) {
	switch n := &l.Nodes[by]; {
	case n.Source.Value.Size() > 1: // it differs from row to row
		s.weight += l.letter(by) + "·"
	case op == operations.Div:
		s.factor /= n.Value.Few[0]
	default:
		s.factor *= n.Value.Few[0]
	}
}

// formula writes the loss of one number with its setting.
func (s *setting) formula(c core) lossFormula {
	over := ""
	if s.rows > 1 {
		over = "n"
	}
	f := lossFormula{loss: s.weight + recording.Times(s.factor*c.factor, c.formula), added: s.added}
	if d := c.derivative(s.factor, over); d != "" {
		f.derivative = s.weight + d
	}
	switch {
	case s.rows > 1:
		f.loss, f.rows = "Σ "+f.loss+"/n", s.rows
	case s.summed:
		f.loss = "Σ " + f.loss
	}
	return f
}

// factorOf returns the part of the loss in a product or quotient, and the
// constant that it is multiplied or divided by; nowhere if there is none.
func (l *lesson) factorOf(n *recording.Node) (of, by int) {
	first, second := l.Edges[n.In[0]], l.Edges[n.In[1]]
	switch {
	case first.Learns && !second.Learns && (n.Op == operations.Mul || l.Nodes[second.From].Source.Value.Size() == 1):
		return first.From, second.From
	case second.Learns && !first.Learns && n.Op == operations.Mul:
		return second.From, first.From
	}
	return recording.Nowhere, recording.Nowhere
}

// mostNested is the depth to which the formula of an unknown loss is written
// out.
const mostNested = 3

// expression returns the formula of a node in terms of drawn nodes.
func (l *lesson) expression(i, depth int) string {
	return l.Written(i, func(from int, operand bool) string { return l.operand(from, depth, operand) })
}

// operand returns the text of an input in a formula; operand says whether it is
// an operand of an operator.
func (l *lesson) operand(i, depth int, operand bool) string {
	n := &l.Nodes[i]
	switch {
	case !l.loss[i]:
		return l.letter(i)
	case n.IsRest():
		return n.Name
	case depth == 0:
		return "…"
	}
	text := l.expression(i, depth-1)
	if operand && n.IsOperator() && n.Op != operations.Square {
		return "(" + text + ")"
	}
	return text
}

// elementCount returns the number of elements in a mean.
func elementCount(n *recording.Node) int {
	return n.Source.Value.Graph().At(n.Source.Inputs[0]).Size() / max(1, n.Source.Value.Size())
}

// letter returns the name of a prediction or target, without its number if
// there are several.
func (l *lesson) letter(i int) string {
	title, several := l.Nodes[i].Title(), 0
	for k := range l.Nodes {
		if _, leads := l.fromLoss(k); leads {
			several++
		}
	}
	if several < 2 || l.Nodes[i].Name == "" {
		return title
	}
	if short := strings.TrimRight(title, "[0123456789,]"); short != "" {
		return short
	}
	return title
}

// A core is the loss of one number.
type core struct {
	factor   float64
	formula  string // times the factor
	slope    float64
	gradient string // the derivative of the loss by the prediction, times the slope; "" if not known
	below    string // the divisor of the gradient
}

// derivative writes the derivative, with the factors of the setting.
func (c core) derivative(factor float64, over string) string {
	text := recording.Times(factor*c.slope, c.gradient)
	switch {
	case c.gradient == "":
		return ""
	case c.below != "" && over != "":
		return text + "/(" + c.below + "·" + over + ")"
	case strings.Contains(c.below, " "):
		return text + "/(" + c.below + ")"
	case c.below+over != "":
		return text + "/" + c.below + over
	case text == c.gradient && strings.HasPrefix(text, "("):
		return strings.TrimSuffix(strings.TrimPrefix(text, "("), ")")
	}
	return text
}

// core recognises the loss of one number.
func (l *lesson) core(i int) (core, bool) {
	n := &l.Nodes[i]
	input := func(k int) int { return l.Edges[n.In[k]].From }
	of := func(format string, names ...any) string { return fmt.Sprintf(format, names...) }
	switch n.Op {
	case operations.Square:
		return l.squareCore(input(0))
	case operations.PowScalar:
		if n.Constants[0] == 2 {
			return l.squareCore(input(0))
		}
	case operations.Abs:
		error, slope, known := l.difference(input(0))
		return core{1, "|" + error + "|", 1, around("sign(", slope), ""}, known
	case operations.BinaryCrossEntropy:
		p, y := l.letter(input(0)), l.letter(input(1))
		return core{-1, of("(%s·ln %s + (1 − %s)·ln(1 − %s))", y, p, y, p), 1, of("(%s − %s)", p, y), of("%s(1 − %s)", p, p)}, true
	case operations.BinaryCrossEntropyLogits:
		z, y := l.letter(input(0)), l.letter(input(1))
		return core{1, of("(ln(1 + e^%s) − %s·%s)", z, y, z), 1, of("(σ(%s) − %s)", z, y), ""}, true
	case operations.CrossEntropy:
		p, y := l.letter(input(0)), l.letter(input(1))
		return core{-1, of("%s·ln %s", y, p), -1, y, p}, true
	case operations.LogSoftmax: // of the label
		z := l.letter(input(0))
		return core{1, of("ln(softmax(%s) of the label)", z), -1, of("(softmax(%s) − 1 at the label)", z), ""}, true
	case operations.Mul:
		return l.productCore(input(0), input(1))
	}
	return core{}, false
}

// squareCore recognises the square of a difference.
func (l *lesson) squareCore(d int) (core, bool) {
	error, slope, known := l.difference(d)
	return core{1, "(" + error + ")²", 2, around("(", slope), ""}, known
}

// around puts a text in brackets, unless it is empty.
func around(open, text string) string {
	if text == "" {
		return ""
	}
	return open + text + ")"
}

// difference returns the difference of a prediction and its target as recorded,
// and as prediction minus target, which the derivatives use: "y − a" and "a −
// y". The latter is "" if it is not known which of the two is the prediction.
func (l *lesson) difference(i int) (error, slope string, known bool) {
	d := &l.Nodes[i]
	if d.Op != operations.Sub || d.Custom || !l.loss[i] {
		return "", "", false
	}
	first, second := l.Edges[d.In[0]], l.Edges[d.In[1]]
	x, y := l.operand(first.From, 0, true), l.operand(second.From, 0, true)
	error = x + " − " + y
	switch {
	case first.Learns && second.Learns:
		return error, "", true
	case second.Learns:
		return error, y + " − " + x, true
	}
	return error, error, true
}

// productCore recognises the losses recorded as a product: the square of a
// difference, the cross entropy from logits, and Huber's.
func (l *lesson) productCore(first, second int) (core, bool) {
	a := &l.Nodes[first]
	switch {
	case first == second:
		return l.squareCore(first)
	case a.Custom || len(a.In) == 0:
	case a.Op == operations.LogSoftmax:
		z, y := l.letter(l.Edges[a.In[0]].From), l.letter(second)
		return core{1, fmt.Sprintf("%s·ln softmax(%s)", y, z), -1, fmt.Sprintf("(softmax(%s) − %s)", z, y), ""}, true
	case a.Op == operations.Clamp:
		return l.huberCore(first, second)
	}
	return core{}, false
}

// huberCore recognises c·(d − ½c), with c = d clamped to ±δ.
func (l *lesson) huberCore(clamp, rest int) (core, bool) {
	c, r := &l.Nodes[clamp], &l.Nodes[rest]
	if r.Op != operations.Sub || r.Custom || c.Constants[0] != -c.Constants[1] {
		return core{}, false
	}
	d, half := l.Edges[c.In[0]].From, &l.Nodes[l.Edges[r.In[1]].From]
	if l.Edges[r.In[0]].From != d || half.Op != operations.MulScalar || half.Constants[0] != 0.5 || l.Edges[half.In[0]].From != clamp {
		return core{}, false
	}
	error, slope, known := l.difference(d)
	delta := recording.Number(c.Constants[1], 4)
	if slope != "" {
		slope = fmt.Sprintf("(%s cut off at ±%s)", slope, delta)
	}
	return core{1, fmt.Sprintf("huber(%s, δ = %s)", error, delta), 1, slope, ""}, known
}

// explanation says which loss it is, and what dw is because of it.
func (l *lesson) explanation() []string {
	f, name := l.lossFormula(), l.Nodes[l.Root].Title()
	first := name + " = " + f.loss
	if f.rows > 0 {
		first += fmt.Sprintf(", n = %d", f.rows)
	}
	if f.derivative == "" {
		return []string{first, "dw = input × dz and db = dz"}
	}
	first += "; its derivative is " + f.derivative
	if f.added != nil {
		return []string{first, "dw = input × dz and db = dz, where dz = da × the slope of the activation, and what is added to the loss adds to them."}
	}
	switch {
	case strings.HasPrefix(strings.TrimPrefix(f.loss, "Σ "), "½(") && f.rows == 0:
		return []string{first, "The ½ makes that the error itself: dw = input × error, times the slope of each activation on the way."}
	case strings.HasPrefix(f.loss, "Σ ½("):
		return []string{first, "The ½ makes that the error itself, over n: dw = input × error / n, times the slope of each activation on the way."}
	case strings.Contains(f.loss, "²"):
		return []string{first, "dw = input × error holds for ½(a − y)². Here the error comes with the factor above, and so does dw = input × dz."}
	}
	return []string{first, "dw = input × dz and db = dz, where dz = da × the slope of the activation."}
}
