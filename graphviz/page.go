package graphviz

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

	"nabla/autograd"
)

// pageFiles are the parts of the page: its frame, its look, and its program,
// in the order in which they are put together.
//
//go:embed page/page.html page/page.css page/*.js
var pageFiles embed.FS

var pageScripts = []string{"numbers.js", "operations.js", "graph.js", "steps.js", "why.js", "layout.js", "drawing.js", "charts.js", "app.js"}

// maxPageNodes is the page's default for Options.MaxNodes: what a browser lays
// out within a second or two.
const maxPageNodes = 3000

// forPage returns the options of a page with their defaults filled in.
func (o Options) forPage() Options {
	o.View = Forward // the page has its own
	if o.MaxNodes == 0 {
		o.MaxNodes = maxPageNodes
	}
	if o.Fit != nil {
		o.Fit.check()
	}
	if !finite(o.LearningRate) || o.LearningRate < 0 {
		panic(autograd.NewArgumentError("graphviz: Options", "the LearningRate %v is negative or not finite", o.LearningRate))
	}
	return o.checked()
}

// A plan is what does not change from epoch to epoch, as the page reads it.
type plan struct {
	Title  string      `json:"title,omitempty"`
	Digits int         `json:"digits"`
	Single bool        `json:"single,omitempty"` // precision
	Rate   float64     `json:"rate,omitempty"`   // of an update that nobody made
	Root   int         `json:"root"`
	Row    *int        `json:"row,omitempty"` // of the batch, where the nodes' Rows are all that tells its rows apart
	Scopes []planScope `json:"scopes"`
	Nodes  []planNode  `json:"nodes"`
}

type planScope struct {
	Parent int    `json:"p"`
	Name   string `json:"n"`
}

type planNode struct {
	ID          int        `json:"id"`
	Name        string     `json:"n,omitempty"`
	Op          string     `json:"op"`
	Kind        string     `json:"k,omitempty"` // left out of an operation on something, and of a leaf whose op says it
	Role        string     `json:"role,omitempty"`
	Scope       int        `json:"s,omitempty"`
	Constants   []number64 `json:"c,omitempty"`
	Shape       []int      `json:"sh,omitempty"`
	Inputs      []int      `json:"in,omitempty"`
	Terms       [][]int    `json:"t,omitempty"` // of a weighted sum: the inputs that are multiplied, and then added up
	Frozen      bool       `json:"fz,omitempty"`
	Custom      bool       `json:"cu,omitempty"`
	Learns      bool       `json:"l,omitempty"`
	Rest        bool       `json:"rest,omitempty"` // it stands for the other rows of a batch
	Several     bool       `json:"many,omitempty"` // it stands for several values
	Elementwise bool       `json:"el,omitempty"`   // the page can compute it for single numbers
	Place       int        `json:"i,omitempty"`    // in its row, of an element of a softmax
	Own         bool       `json:"own,omitempty"`  // a leaf of this row of a batch alone
	Rows        []number64 `json:"r,omitempty"`    // in each row of a batch, of a leaf that differs from row to row
	Factor      number64   `json:"f,omitempty"`    // with which rows are added up in it
}

func planOf(m *model) *plan {
	p := &plan{Root: m.root, Single: m.nodes[0].source.Graph().Options().Precision == autograd.Float32}
	for _, s := range m.scopes {
		p.Scopes = append(p.Scopes, planScope{s.parent, visible(s.name)})
	}
	for i := range m.nodes {
		p.Nodes = append(p.Nodes, m.planNode(&m.nodes[i]))
	}
	if m.sampled != nil && m.sampled.count > 1 {
		p.addBatch(m, m.sampled.readBatch())
	}
	return p
}

// addBatch adds what the page needs to compute the other rows of a batch.
func (p *plan) addBatch(m *model, b *batch) {
	if b.alike {
		p.Row = &b.row
	}
	for i := range m.nodes {
		n, q := &m.nodes[i], &p.Nodes[i]
		leaf := element{n.id, n.element}
		q.Factor, q.Own = number64(m.meeting(n)), b.own[leaf]
		if b.alike && b.rows[leaf] != nil {
			q.Own = false
			for _, v := range b.rows[leaf] {
				q.Rows = append(q.Rows, number64(v))
			}
		}
	}
}

// rowsBeside returns the rows of a batch where they are not those of p.
func (p *plan) rowsBeside(q *plan) map[int][]number64 {
	rows := map[int][]number64{}
	for i := range q.Nodes {
		if all := q.Nodes[i].Rows; !slices.EqualFunc(p.Nodes[i].Rows, all, func(a, b number64) bool { return sameBits(float64(a), float64(b)) }) {
			rows[i] = all
		}
	}
	return rows
}

func (m *model) planNode(n *node) planNode {
	q := planNode{
		ID: n.id, Op: visible(n.op), Kind: n.kind.String(), Scope: n.scope, Shape: n.value.shape,
		Frozen: n.frozen, Custom: n.custom, Learns: n.learns, Rest: n.isRest(), Several: n.several(), Elementwise: recomputable(n),
	}
	if len(n.in) > 0 && n.kind == autograd.KindOperation || len(n.in) == 0 && n.op == q.Kind {
		q.Kind = ""
	}
	if n.name != "" {
		q.Name = visible(n.name)
	}
	if n.role != autograd.RoleNone {
		q.Role = n.role.String()
	}
	for _, c := range n.constants {
		q.Constants = append(q.Constants, number64(c))
	}
	if q.Elementwise && len(q.Constants) == 0 {
		for _, c := range n.source.Constants { // an order, bounds: what computing it needs
			q.Constants = append(q.Constants, number64(c))
		}
	}
	for _, e := range n.in {
		q.Inputs = append(q.Inputs, m.edges[e].from)
	}
	if (n.op == "softmax" || n.op == "log softmax") && !n.custom && n.element >= 0 {
		b := runOf(n.source.Shape(), int(n.source.Constants[0]), 1)
		q.Place = n.element / b.inner % b.n
	}
	for _, t := range n.terms {
		q.Terms = append(q.Terms, t)
	}
	return q
}

// recomputable reports whether a node's operation is one of autograd's that are
// functions of single elements.
func recomputable(n *node) bool {
	if n.custom || n.kind != autograd.KindOperation || n.op != n.source.Op {
		return false
	}
	in := make([]float64, len(n.source.Inputs))
	_, _, ok := n.source.Evaluate(in...)
	return ok && len(n.in) == len(in)
}

// differs says how two plans differ, "" if they do not.
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

// path returns the names of a scope and those that it lies in.
func (p *plan) path(scope int) string {
	path := ""
	for ; scope != 0; scope = p.Scopes[scope].Parent {
		path = strconv.Quote(p.Scopes[scope].Name) + path
	}
	return path
}

// A frame is an epoch: its numbers, by node and by edge. A number that the page computes to the same bits is left out, with
// "=" in its place: most of a network's are.
type frame struct {
	Epoch         int                `json:"epoch"`
	Values        []any              `json:"v"`
	Gradients     []any              `json:"g"`           // null where none can be, {"why": …} where there is none
	Contributions map[int]any        `json:"e,omitempty"` // by edge; left out where it is the whole gradient
	Rows          map[int][]number64 `json:"r,omitempty"` // of a batch, by node, where they are not those of the first epoch
	Unused        []int              `json:"x,omitempty"` // edges that a gradient could have passed and did not
	Locals        map[int]any        `json:"f,omitempty"` // by edge, where the page cannot find it; null where it is not known
	Updates       updates            `json:"u,omitempty"` // of the document's Updated, in order
	Rate          number64           `json:"rate,omitempty"`
	Fit           *fitShot           `json:"fit,omitempty"`
	Troubles      []frameTrouble     `json:"trouble,omitempty"`
}

// updates are the new values, "=" for all of them where the page computes each.
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
	kind TroubleKind
}

// A lossCurve is the loss of every recorded epoch, with the digits that a curve needs.
type lossCurve struct {
	Epochs []int      `json:"epochs"` // just the first one where they follow each other
	Losses []number64 `json:"losses"`
}

func (l *lossCurve) add(epoch int, loss float64) {
	l.Epochs, l.Losses = append(l.Epochs, epoch), append(l.Losses, number64(rounded(loss)))
}

// short returns the curve without the epochs that can be told.
func (l lossCurve) short() lossCurve {
	for i, epoch := range l.Epochs {
		if epoch != l.Epochs[0]+i {
			return l
		}
	}
	return lossCurve{l.Epochs[:1], l.Losses}
}

// whyNone are the words for a gradient that is not there.
var whyNone = map[gradientState]string{pending: "no backward yet", notKept: "not kept without Trace", notReached: "not reached"}

func frameOf(m *model) frame {
	f := frame{Contributions: map[int]any{}, Locals: map[int]any{}}
	for i := range m.nodes {
		n := &m.nodes[i]
		f.Values = append(f.Values, m.valueOf(n))
		f.Gradients = append(f.Gradients, m.gradientOf(n))
		for _, t := range n.troubles {
			f.Troubles = append(f.Troubles, frameTrouble{i, t.text, t.kind})
		}
	}
	slices.SortStableFunc(f.Troubles, func(a, b frameTrouble) int { return cmp.Compare(a.kind, b.kind) })
	for i := range m.edges {
		m.addToFrame(&f, i)
	}
	return f
}

// computed stands for a number that the page computes.
const computed = "="

// exact are the operations that have the same bits in any language.
var exact = map[string]bool{"add": true, "sub": true, "mul": true, "div": true, "neg": true, "square": true, "scale": true, "add scalar": true}

// valueOf returns a node's value, or that the page can compute it.
func (m *model) valueOf(n *node) any {
	if n.value.size == 1 && exact[n.op] && recomputable(n) {
		in := make([]float64, len(n.in))
		for i, e := range n.in {
			from := &m.nodes[m.edges[e].from]
			if from.value.size != 1 {
				return encoded(n.value)
			}
			in[i] = from.value.few[0]
		}
		if y, _, _ := n.source.Evaluate(in...); sameBits(y, n.value.few[0]) {
			return computed
		}
	}
	return encoded(n.value)
}

// gradientOf returns a node's gradient, why there is none, or that it is the one of the only value that used it.
func (m *model) gradientOf(n *node) any {
	switch n.state {
	case none:
		return nil
	case reached:
	default:
		return map[string]string{"why": whyNone[n.state]}
	}
	if len(n.uses) == 1 {
		if to := &m.nodes[m.edges[n.uses[0]].to]; to.state == reached && sameNumbers(to.gradient, n.gradient) {
			return computed
		}
	}
	return encoded(n.gradient)
}

func sameBits(x, y float64) bool { return math.Float64bits(x) == math.Float64bits(y) && !math.IsNaN(x) }

// addToFrame adds what passed an edge.
func (m *model) addToFrame(f *frame, i int) {
	e := &m.edges[i]
	switch from := &m.nodes[e.from]; {
	case !e.learns || !m.traced:
		return
	case !e.received:
		f.Unused = append(f.Unused, i)
		return
	case m.receives(from) > 1 || !sameNumbers(e.contribution, from.gradient):
		f.Contributions[i] = encoded(e.contribution)
	}
	if to := &m.nodes[e.to]; e.contribution.size == 1 && to.value.size == 1 && to.state == reached && !recomputable(to) && to.terms == nil {
		m.addLocal(f, i, to.gradient.few[0])
	}
}

// addLocal adds an edge's factor unless the page finds it: it takes the
// contribution divided by the upstream gradient where that is finite.
func (m *model) addLocal(f *frame, i int, upstream float64) {
	e := &m.edges[i]
	switch quotient := e.contribution.few[0] / upstream; {
	case e.localKnown && e.local.size == 1 && sameBits(e.local.few[0], quotient):
	case e.localKnown && e.local.size == 1:
		f.Locals[i] = encoded(e.local)
	case finite(quotient):
		f.Locals[i] = nil
	}
}

// receives returns how many contributions a node's gradient is the sum of.
func (m *model) receives(n *node) int {
	count := 0
	for _, use := range n.uses {
		if m.edges[use].received {
			count++
		}
	}
	return count
}

func sameNumbers(a, b numbers) bool {
	if a.few != nil && b.few != nil {
		return slices.EqualFunc(a.few, b.few, sameBits)
	}
	return a.few == nil && b.few == nil && a.size == b.size && !a.broken() && !b.broken() && a.zero() == b.zero() && a.min == b.min && a.max == b.max && a.mean == b.mean && a.norm == b.norm
}

// A number64 is a number in JSON with all its digits; where JSON has none it is
// a string.
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

// A summary is a tensor that is too large to show each element.
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
// a summary, or nothing.
func encoded(n numbers) any {
	switch {
	case n.size == 0 && n.shape == nil: // of a box that stands for several values
		return nil
	case n.size == 1:
		return number64(n.few[0])
	case n.few != nil || n.size == 0:
		list := make([]number64, len(n.few))
		for i, v := range n.few {
			list[i] = number64(v)
		}
		return list
	}
	return summary{number64(n.min), number64(n.mean), number64(n.max), number64(n.norm), n.zero(), n.nans, n.infs, n.finite}
}

// A document is all that the page is given.
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
		p.Title = visible(f.options.Title)
	}
	doc := document{plan: &p, Frames: f.frames, Curve: f.losses.short()}
	for _, u := range f.params {
		doc.Updated = append(doc.Updated, u.node)
	}
	if f.options.Fit != nil {
		doc.Fit = f.options.Fit.data()
	}
	data, err := json.Marshal(doc) // it writes < > & U+2028 and U+2029 as \u…, so that nothing ends the script element
	if err != nil {
		return nil, err
	}
	return assemble(p.Title, data)
}

// starter is the script that unpacks the page's program and runs it. The
// program is two thirds smaller packed.
const starter = `"use strict";
(async()=>{
const byId=id=>document.getElementById(id);
if(!window.DecompressionStream){byId("heading").textContent="This page needs a browser of 2023 or later.";return}
const packed=Uint8Array.from(atob(byId("program").textContent),c=>c.charCodeAt(0));
const program=document.createElement("script");
program.textContent=await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"))).text();
document.body.append(program);
})();`

// assemble puts the page's parts together. Its policy lets exactly this starter,
// this program and this style in, by their hashes, and nothing else: no request
// leaves it.
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

// pack returns a text deflated and in letters, as the starter unpacks it.
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

// pagePart returns a file that is part of the page.
func pagePart(name string) string {
	part, err := pageFiles.ReadFile("page/" + name)
	if err != nil {
		panic(err) // it is compiled in
	}
	return string(part)
}

// hashOf returns a source as a Content-Security-Policy names it.
func hashOf(source string) string {
	sum := sha256.Sum256([]byte(source))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
