package page

import (
	"bytes"
	"cmp"
	"compress/flate"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strconv"

	"nabla/internal/operations"

	"nabla/autograd"
	"nabla/internal/recording"
)

// pageFiles are the parts of the page: markup, style and program, in the order
// in which they are assembled.
//
//go:embed page.html page.css *.js
var pageFiles embed.FS

var pageScripts = []string{"numbers.js", "operations.js", "graph.js", "steps.js", "why.js", "shared.js", "layout.js", "drawing.js", "charts.js", "app.js"}

// Options are the settings of a page. The zero Options show all of the
// recording.
type Options struct {
	Title    string                // heading of the page; a general one if empty
	Select   []recording.Selection // which part of the recording is shown, and how; applied in order
	MaxNodes int                   // most values of a page; above it Write returns a *TooManyNodesError; 3000 if zero, no limit if negative
	Digits   int                   // significant digits of numbers, 1 to 17; 4 if zero
	Elements int                   // tensors with at most this many elements show each one, larger ones their range; 6 if zero

	LearningRate float64 // of the update that Write shows; none if zero. A Film shows the optimizer's
	Fit          *Fit    // the picture of the predictions beside the network; none if nil

	Inputs  Columns // the data's columns behind the inputs; if zero, the network's own names and numbers are shown
	Targets Columns // likewise for the targets, and so the predictions

	inputs, targets []feature // Inputs and Targets, checked
}

// maxPageNodes is the default of Options.MaxNodes: a browser lays out that many
// in a second or two.
const maxPageNodes = 3000

// checked returns the options with their defaults filled in. It panics with an
// *[autograd.ArgumentError] if one is invalid.
func (o Options) checked() Options {
	if o.MaxNodes == 0 {
		o.MaxNodes = maxPageNodes
	}
	if o.Fit != nil {
		o.Fit.check()
	}
	const op = "page: Options"
	if !finite(o.LearningRate) || o.LearningRate < 0 {
		panic(autograd.NewArgumentError(op, "the LearningRate %v is negative or not finite", o.LearningRate))
	}
	o.inputs, o.targets = o.Inputs.checked(op, "Inputs"), o.Targets.checked(op, "Targets")
	o.Digits, o.Elements = recording.DigitsOf(op, o.Digits), recording.ElementsShown(op, o.Elements)
	return o
}

// A plan is the part of the page's data that does not change from epoch to
// epoch.
type plan struct {
	Title  string      `json:"title,omitempty"`
	Digits int         `json:"digits"`
	Single bool        `json:"single,omitempty"` // precision
	Rate   float64     `json:"rate,omitempty"`   // of the update that Write shows
	Root   int         `json:"root"`
	Row    *int        `json:"row,omitempty"` // the drawn row of the batch, if its rows differ only in the nodes' Rows
	Scopes []planScope `json:"scopes"`
	Nodes  []planNode  `json:"nodes"`

	Features []feature `json:"features,omitempty"` // the columns of the inputs and targets
}

type planScope struct {
	Parent int    `json:"p"`
	Name   string `json:"n"`
}

type planNode struct {
	ID          int        `json:"id"`
	Name        string     `json:"n,omitempty"`
	Computed    string     `json:"d,omitempty"` // the formula that serves as name if it has none
	Op          string     `json:"op"`
	Kind        string     `json:"k,omitempty"` // omitted for an operation with inputs, and for a leaf whose op says it
	Role        string     `json:"role,omitempty"`
	Scope       int        `json:"s,omitempty"`
	Constants   []number64 `json:"c,omitempty"`
	Shape       []int      `json:"sh,omitempty"`
	Inputs      []int      `json:"in,omitempty"`
	Terms       [][]int    `json:"t,omitempty"` // of a weighted sum: the inputs that are multiplied and then added up
	Frozen      bool       `json:"fz,omitempty"`
	Custom      bool       `json:"cu,omitempty"`
	Learns      bool       `json:"l,omitempty"`
	Rest        bool       `json:"rest,omitempty"` // it stands for the other rows of a batch
	Several     bool       `json:"many,omitempty"` // it stands for several values
	Elementwise bool       `json:"el,omitempty"`   // the page can compute it for single numbers
	Place       int        `json:"i,omitempty"`    // for an element of a softmax, its index in the row
	Own         bool       `json:"own,omitempty"`  // a leaf that belongs only to this row of a batch
	Rows        []number64 `json:"r,omitempty"`    // for a leaf that differs between rows of a batch, its number in each
	Feature     int        `json:"ft,omitempty"`   // the index of its column in the features, from 1
	Factor      number64   `json:"f,omitempty"`    // the factor with which it adds up rows
}

func planOf(m *recording.Model) *plan {
	p := &plan{Root: m.Root, Single: m.Nodes[0].Source.Value.Graph().Options().Precision == autograd.Float32}
	for _, s := range m.Scopes {
		p.Scopes = append(p.Scopes, planScope{s.Parent, recording.Visible(s.Name)})
	}
	for i := range m.Nodes {
		p.Nodes = append(p.Nodes, planNodeOf(m, &m.Nodes[i]))
	}
	if m.Sampled != nil && m.Sampled.Count > 1 {
		p.addBatch(m, m.Sampled.ReadBatch())
	}
	return p
}

// addBatch adds the data for computing the other rows of a batch.
func (p *plan) addBatch(m *recording.Model, b *recording.Batch) {
	if b.Alike {
		p.Row = &b.Row
	}
	for i := range m.Nodes {
		n, q := &m.Nodes[i], &p.Nodes[i]
		leaf := n.Place()
		q.Factor, q.Own = number64(m.Meeting(n)), b.Own[leaf]
		if b.Alike && b.Rows[leaf] != nil {
			q.Own = false
			for _, v := range b.Rows[leaf] {
				q.Rows = append(q.Rows, number64(v))
			}
		}
	}
}

// rowsBeside returns the rows of q's batch that differ from those of p.
func (p *plan) rowsBeside(q *plan) map[int][]number64 {
	rows := map[int][]number64{}
	for i := range q.Nodes {
		if all := q.Nodes[i].Rows; !slices.EqualFunc(p.Nodes[i].Rows, all, func(a, b number64) bool { return sameBits(float64(a), float64(b)) }) {
			rows[i] = all
		}
	}
	return rows
}

func planNodeOf(m *recording.Model, n *recording.Node) planNode {
	q := planNode{
		ID: n.ID, Op: recording.Visible(n.Op), Kind: n.Kind.String(), Scope: m.HomeOf(n), Shape: n.Value.Shape,
		Frozen: n.Frozen, Custom: n.Custom, Learns: n.Learns, Rest: n.IsRest(), Several: n.Several(), Elementwise: recomputable(n),
	}
	if len(n.In) > 0 && n.Kind == autograd.KindOperation || len(n.In) == 0 && n.Op == q.Kind {
		q.Kind = ""
	}
	if n.Name != "" {
		q.Name = recording.Visible(n.Name)
	}
	if n.Computed != "" {
		q.Computed = recording.Visible(n.Computed)
	}
	if n.Role != autograd.RoleNone {
		q.Role = n.Role.String()
	}
	for _, c := range n.Constants {
		q.Constants = append(q.Constants, number64(c))
	}
	if q.Elementwise && len(q.Constants) == 0 {
		for _, c := range n.Source.Constants { // an order or bounds, needed to compute it
			q.Constants = append(q.Constants, number64(c))
		}
	}
	for _, e := range n.In {
		q.Inputs = append(q.Inputs, m.Edges[e].From)
	}
	if isShare(n) && n.Element >= 0 {
		axis := 0
		if c := n.Source.Constants; len(c) > 0 {
			axis = int(c[0])
		}
		b := recording.RunOf(n.Source.Value.Shape(), axis, 1)
		q.Place = n.Element / b.Inner % b.N
	}
	for _, t := range n.Terms {
		q.Terms = append(q.Terms, t)
	}
	return q
}

// isShare reports whether a node is an element of a softmax, which the page can
// compute for single numbers.
func isShare(n *recording.Node) bool {
	return n.Operation().Class == operations.Normalizing
}

// recomputable reports whether a node's operation is a built-in elementwise
// one.
func recomputable(n *recording.Node) bool {
	if n.Custom || n.Kind != autograd.KindOperation || n.Op != n.Source.Op {
		return false
	}
	in := make([]float64, len(n.Source.Inputs))
	_, _, ok := n.Source.Evaluate(in...)
	return ok && len(n.In) == len(in)
}

// differs says how two plans differ; "" if they do not.
func (p *plan) differs(q *plan) string {
	if len(p.Nodes) != len(q.Nodes) {
		return fmt.Sprintf("%d values instead of %d", len(q.Nodes), len(p.Nodes))
	}
	for i := range p.Nodes {
		a, b := &p.Nodes[i], &q.Nodes[i]
		same := a.Name == b.Name && a.Op == b.Op && a.Kind == b.Kind && a.Frozen == b.Frozen && slices.Equal(a.Inputs, b.Inputs) &&
			slices.Equal(a.Shape, b.Shape) && slices.Equal(a.Constants, b.Constants) && p.path(a.Scope) == q.path(b.Scope)
		if !same {
			return fmt.Sprintf("%s %s instead of %s %s", b.Op, b.Name, a.Op, a.Name)
		}
	}
	return ""
}

// path returns the names of a scope and the scopes around it.
func (p *plan) path(scope int) string {
	path := ""
	for ; scope != 0; scope = p.Scopes[scope].Parent {
		path = strconv.Quote(p.Scopes[scope].Name) + path
	}
	return path
}

// A frame is the numbers of an epoch, by node and by edge. A number that the
// page computes to the same bits, as it does most, is replaced by "=".
type frame struct {
	Epoch         int                `json:"epoch"`
	Values        []any              `json:"v"`
	Gradients     []any              `json:"g"`           // null if there cannot be one, {"why": …} if there is none
	Contributions map[int]any        `json:"e,omitempty"` // by edge; omitted if the page computes it
	Rows          map[int][]number64 `json:"r,omitempty"` // of a batch, by node, if they differ from those of the first epoch
	Unused        []int              `json:"x,omitempty"` // edges that could have passed a gradient and did not
	Locals        map[int]any        `json:"f,omitempty"` // by edge, if the page cannot compute it; null if it is not known
	Updates       updates            `json:"u,omitempty"` // of the document's Updated, in order
	Rate          number64           `json:"rate,omitempty"`
	Fit           *fitShot           `json:"fit,omitempty"`
	Troubles      []frameTrouble     `json:"trouble,omitempty"`
}

// updates are the new values; "=" stands for all if the page computes each.
type updates []any

func (u updates) MarshalJSON() ([]byte, error) {
	if slices.ContainsFunc(u, func(v any) bool { return v != computed }) {
		return json.Marshal([]any(u))
	}
	return json.Marshal(computed)
}

type frameTrouble struct {
	Node int    `json:"n"`
	Text string `json:"t"`
	kind uint8
}

// A lossCurve is the loss of every recorded epoch, with the digits that a curve
// needs.
type lossCurve struct {
	Epochs []int      `json:"epochs"` // only the first one if they are consecutive
	Losses []number64 `json:"losses"`
}

func (l *lossCurve) add(epoch int, loss float64) {
	l.Epochs, l.Losses = append(l.Epochs, epoch), append(l.Losses, number64(rounded(loss)))
}

// short returns the curve without epoch numbers that are implied.
func (l lossCurve) short() lossCurve {
	for i, epoch := range l.Epochs {
		if epoch != l.Epochs[0]+i {
			return l
		}
	}
	return lossCurve{l.Epochs[:1], l.Losses}
}

// whyNone has the words for a missing gradient.
var whyNone = map[recording.GradientState]string{recording.Pending: "no backward yet", recording.NotKept: "not kept without Trace", recording.NotReached: "not reached"}

func frameOf(m *recording.Model) frame {
	f := frame{Contributions: map[int]any{}, Locals: map[int]any{}}
	for i := range m.Nodes {
		n := &m.Nodes[i]
		f.Values = append(f.Values, valueOf(m, n))
		f.Gradients = append(f.Gradients, gradientOf(m, n))
		for _, t := range n.Troubles {
			f.Troubles = append(f.Troubles, frameTrouble{i, t.Text, t.Kind})
		}
	}
	slices.SortStableFunc(f.Troubles, func(a, b frameTrouble) int { return cmp.Compare(a.kind, b.kind) })
	for i := range m.Edges {
		f.add(m, i)
	}
	return f
}

// computed stands for a number that the page computes: a value from its inputs,
// a gradient as the sum of its contributions, latest use first.
const computed = "="

// valueOf returns a node's value, or computed if the page can compute it.
func valueOf(m *recording.Model, n *recording.Node) any {
	if y, _, known := exactly(m, n); known && sameBits(y, n.Value.Few[0]) {
		return computed
	}
	return encoded(n.Value)
}

// exactly computes a single number and its derivatives as the page does; known
// is false unless both get the same bits.
func exactly(m *recording.Model, n *recording.Node) (y float64, slopes []float64, known bool) {
	if factor := m.Meeting(n); factor != 0 {
		return math.NaN(), slices.Repeat([]float64{factor}, len(n.In)), true
	}
	sum := n.Is(operations.Sum) && len(n.In) > 1
	if n.Value.Size != 1 || n.Terms == nil && !sum && (!n.Operation().Exact || !recomputable(n)) {
		return 0, nil, false
	}
	in := make([]float64, len(n.In))
	for i, e := range n.In {
		from := &m.Nodes[m.Edges[e].From]
		if from.Value.Size != 1 {
			return 0, nil, false
		}
		in[i] = from.Value.Few[0]
	}
	switch {
	case sum:
		for _, x := range in {
			y = float64(y + x)
		}
		return y, slices.Repeat([]float64{1}, len(in)), true
	case n.Terms != nil:
		y, slopes = addUp(n.Terms, in)
		return y, slopes, true
	}
	y, slopes, _ = n.Source.Evaluate(in...)
	return y, slopes, slopes != nil
}

// addUp returns a weighted sum and its derivatives, rounding after each step
// like the page.
func addUp(terms []recording.Term, in []float64) (y float64, slopes []float64) {
	slopes = make([]float64, len(in))
	for k, term := range terms {
		product := 1.0
		for _, i := range term {
			product = float64(product * in[i])
		}
		if k == 0 {
			y = product
		} else {
			y = float64(y + product)
		}
		for a, i := range term {
			others := 1.0
			for b, j := range term {
				if a != b {
					others = float64(others * in[j])
				}
			}
			slopes[i] = float64(slopes[i] + others)
		}
	}
	return y, slopes
}

// gradientOf returns a node's gradient, why there is none, or computed if the
// page adds it up.
func gradientOf(m *recording.Model, n *recording.Node) any {
	switch n.State {
	case recording.None:
		return nil
	case recording.Reached:
	default:
		return map[string]string{"why": whyNone[n.State]}
	}
	if m.Traced && addsUp(m, n) {
		return computed
	}
	return encoded(n.Gradient)
}

// addsUp reports whether the contributions to a gradient, added up in the
// page's order, are equal to it to the last bit.
func addsUp(m *recording.Model, n *recording.Node) bool {
	sum, count := 0.0, 0
	var only *recording.Edge
	for _, use := range slices.Backward(n.Uses) {
		e := &m.Edges[use]
		if !e.Received || !e.Learns {
			continue
		}
		if count++; count == 1 {
			if only = e; e.Contribution.Size == 1 {
				sum = e.Contribution.Few[0]
			}
			continue
		}
		if e.Contribution.Size != 1 || only.Contribution.Size != 1 {
			return false
		}
		sum = float64(sum + e.Contribution.Few[0])
	}
	if count == 1 {
		return sameNumbers(only.Contribution, n.Gradient)
	}
	return count > 1 && n.Gradient.Size == 1 && sameBits(sum, n.Gradient.Few[0])
}

func sameBits(x, y float64) bool { return math.Float64bits(x) == math.Float64bits(y) && !math.IsNaN(x) }

// add adds an edge's contribution, unless the page computes it as the gradient
// of the result times the derivative.
func (f *frame) add(m *recording.Model, i int) {
	e := &m.Edges[i]
	to := &m.Nodes[e.To]
	switch {
	case !e.Learns || !m.Traced:
		return
	case !e.Received:
		f.Unused = append(f.Unused, i)
		return
	}
	if _, slopes, known := exactly(m, to); !known || to.State != recording.Reached || e.Contribution.Size != 1 || !sameBits(e.Contribution.Few[0], to.Gradient.Few[0]*slopes[e.Input]) {
		f.Contributions[i] = encoded(e.Contribution)
	}
	if e.Contribution.Size == 1 && to.Value.Size == 1 && to.State == recording.Reached && !recomputable(to) && to.Terms == nil && !isShare(to) {
		f.addLocal(m, i, to.Gradient.Few[0])
	}
}

// addLocal adds an edge's factor unless the page can compute it as the
// contribution divided by the upstream gradient.
func (f *frame) addLocal(m *recording.Model, i int, upstream float64) {
	e := &m.Edges[i]
	switch quotient := e.Contribution.Few[0] / upstream; {
	case e.LocalKnown && e.Local.Size == 1 && sameBits(e.Local.Few[0], quotient):
	case e.LocalKnown && e.Local.Size == 1:
		f.Locals[i] = encoded(e.Local)
	case finite(quotient):
		f.Locals[i] = nil
	}
}

func sameNumbers(a, b recording.Numbers) bool {
	if a.Few != nil && b.Few != nil {
		return slices.EqualFunc(a.Few, b.Few, sameBits)
	}
	return a.Few == nil && b.Few == nil && a.Size == b.Size && !a.Broken() && !b.Broken() && a.Zero() == b.Zero() && a.Min == b.Min && a.Max == b.Max && a.Mean == b.Mean && a.Norm == b.Norm
}

// A number64 is a number in JSON with all its digits; a NaN or infinity is a
// string.
type number64 float64

func (n number64) MarshalJSON() ([]byte, error) {
	switch v := float64(n); {
	case math.IsNaN(v):
		return []byte(`"NaN"`), nil
	case math.IsInf(v, 0):
		return fmt.Appendf(nil, `"%sInfinity"`, map[bool]string{true: "-"}[v < 0]), nil
	default:
		return strconv.AppendFloat(nil, v, 'g', -1, 64), nil
	}
}

// A summary is a tensor too large to show each element.
type summary struct {
	Min    number64 `json:"min"`
	Mean   number64 `json:"mean"`
	Max    number64 `json:"max"`
	Norm   number64 `json:"norm"`
	Zero   bool     `json:"zero,omitempty"`
	NaNs   int      `json:"nans,omitempty"`
	Infs   int      `json:"infs,omitempty"`
	Finite int      `json:"finite"`
}

// encoded returns numbers as the page reads them: one number, a list of a few,
// a summary, or nil.
func encoded(n recording.Numbers) any {
	switch {
	case n.Size == 0 && n.Shape == nil: // a box that stands for several values
		return nil
	case n.Size == 1:
		return number64(n.Few[0])
	case n.Few != nil || n.Size == 0:
		list := make([]number64, len(n.Few))
		for i, v := range n.Few {
			list[i] = number64(v)
		}
		return list
	}
	return summary{number64(n.Min), number64(n.Mean), number64(n.Max), number64(n.Norm), n.Zero(), n.Nans, n.Infs, n.Finite}
}

// A document is all data of the page.
type document struct {
	*plan
	Updated []int     `json:"updated,omitempty"` // the nodes of the frames' Updates
	Frames  []frame   `json:"frames"`
	Curve   lossCurve `json:"curve"`
	Fit     *fitData  `json:"fit,omitempty"`
}

// pageText returns the page of a film.
func pageText(f *Film) ([]byte, error) {
	p := *f.plan
	p.Digits, p.Rate = f.options.Digits, f.options.LearningRate
	if f.options.Title != "" {
		p.Title = recording.Visible(f.options.Title)
	}
	doc := document{plan: &p, Frames: f.frames, Curve: f.losses.short()}
	for _, u := range f.params {
		doc.Updated = append(doc.Updated, u.node)
	}
	if f.options.Fit != nil {
		doc.Fit = f.options.Fit.data()
	}
	data, err := json.Marshal(doc) // writes < > & U+2028 and U+2029 as \u…, so that nothing ends the script element
	if err != nil {
		return nil, err
	}
	return assemble(p.Title, data)
}

// starter is the script that unpacks the page's program and runs it. Packing
// makes the program two thirds smaller.
const starter = `"use strict";
(async()=>{
const byId=id=>document.getElementById(id);
if(!window.DecompressionStream){byId("heading").textContent="This page needs a browser of 2023 or later.";return}
const packed=Uint8Array.from(atob(byId("program").textContent),c=>c.charCodeAt(0));
const program=document.createElement("script");
program.textContent=await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"))).text();
document.body.append(program);
})();`

// assemble puts the page's parts together. The page's policy allows only this
// starter, this program and this style, by their hashes: no request leaves the
// page.
func assemble(title string, data []byte) ([]byte, error) {
	program := "\"use strict\";\n"
	for _, name := range pageScripts {
		program += compact(pagePart(name))
	}
	packed, err := pack(program)
	if err != nil {
		return nil, err
	}
	style := compactStyle(pagePart("page.css"))
	page, err := template.New("page").Parse(pagePart("page.html"))
	if err != nil {
		return nil, err
	}
	if title == "" {
		title = "Backpropagation"
	}
	policy := fmt.Sprintf("default-src 'none'; script-src '%s' '%s'; style-src '%s'; img-src data:; base-uri 'none'; form-action 'none'", hashOf(starter), hashOf(program), hashOf(style))
	var text bytes.Buffer
	err = page.Execute(&text, map[string]any{
		"Title":  title,
		"Policy": template.HTML(`<meta http-equiv="Content-Security-Policy" content="` + policy + `">`),
		"Style":  template.HTML("<style>" + style + "</style>"),
		"Data":   template.HTML(`<script type="application/json" id="data">` + string(data) + "</script>"),
		"Script": template.HTML(`<script type="text/plain" id="program">` + packed + "</script>\n<script>" + starter + "</script>"),
	})
	return text.Bytes(), err
}

// pack compresses a text and encodes it in base64, for the starter to unpack.
func pack(text string) (string, error) {
	var b bytes.Buffer
	letters := base64.NewEncoder(base64.StdEncoding, &b)
	w, err := flate.NewWriter(letters, flate.BestCompression)
	if err != nil {
		return "", err
	}
	if _, err := io.WriteString(w, text); err != nil {
		return "", err
	}
	if err := errors.Join(w.Close(), letters.Close()); err != nil {
		return "", err
	}
	return b.String(), nil
}

// pagePart returns a file of the page.
func pagePart(name string) string {
	part, err := pageFiles.ReadFile(name)
	if err != nil {
		panic(err) // cannot happen: it is embedded
	}
	return string(part)
}

// hashOf returns the hash of a source in the form of a
// Content-Security-Policy.
func hashOf(source string) string {
	sum := sha256.Sum256([]byte(source))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
