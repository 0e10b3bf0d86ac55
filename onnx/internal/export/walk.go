package export

import (
	"fmt"
	"hash/maphash"
	"regexp"
	"slices"
	"strings"

	"nabla/autograd"
	"nabla/onnx/internal/message"
)

// walk writes all that the roots were computed from.
func (e *exporter) walk(roots []autograd.Value, refs map[int]ref) {
	needed := map[int]bool{}
	g := roots[0].Graph()
	last := 0
	for _, y := range roots {
		needed[y.Node().ID] = true
		last = max(last, y.Node().ID)
	}
	for id := last; id >= 0; id-- {
		if _, done := refs[id]; !needed[id] || done {
			continue
		}
		n := g.At(id).Node()
		for _, input := range n.Inputs {
			needed[input] = true
		}
		if by := chosenBy(n); by >= 0 {
			needed[by] = true
		}
		if from, ok := n.TookOf(); ok {
			needed[from] = true
		}
	}
	for id := 0; id <= last; id++ {
		if _, done := refs[id]; needed[id] && !done {
			refs[id] = e.write(g.At(id).Node(), refs)
		}
	}
}

// chosenBy returns the node whose choice a node uses, −1 if there is none.
func chosenBy(n autograd.Node) int {
	switch o := n.Options().(type) {
	case autograd.ChosenOptions:
		return o.By
	case autograd.GatherOptions:
		return o.Chosen
	}
	return -1
}

// write writes one node.
func (e *exporter) write(n autograd.Node, refs map[int]ref) (r ref) {
	s := &site{Node: n, exporter: e, shape: n.Value.Shape(), options: n.Options(), refs: refs, fixed: true, batch: noBatch}
	for _, id := range n.Inputs {
		in := refs[id]
		if in.failed {
			return ref{failed: true}
		}
		s.in = append(s.in, in)
		s.fixed = s.fixed && in.fixed
	}
	if e.depth == 0 {
		e.prefix = strings.ReplaceAll(n.Op, " ", "_")
		if n.Scope != "" {
			e.prefix = n.Scope + "/" + e.prefix
		}
	}
	defer func() {
		switch p := recover().(type) {
		case nil:
		case refusal:
			if e.depth > 0 {
				panic(p) // the operation that is written out says it
			}
			e.problems = append(e.problems, Problem{n.Op, n.ID, string(p), n.Location})
			r = ref{failed: true}
		default:
			panic(p)
		}
	}()
	return s.write()
}

// A refusal ends the writing of a node: it is the reason.
type refusal string

// A site is a node that is being written.
type site struct {
	autograd.Node
	*exporter
	in      []ref
	shape   []int
	options any
	refs    map[int]ref
	fixed   bool
	batch   batchAxis // of the result, as far as it is known
	truth   string
	parts   []string
	given   *givenInts // the input that its indices are
}

func (s *site) refuse(format string, args ...any) { panic(refusal(fmt.Sprintf(format, args...))) }

func (s *site) write() ref {
	if from, ok := s.TookOf(); ok && !s.refs[from].fixed {
		s.refuse("takes Ints that were computed from a Value in Go, and would be others for other inputs")
	}
	if s.Kind != autograd.KindOperation {
		return s.leaf()
	}
	for _, given := range s.ints {
		if s.Took(given.ints) {
			if !readsInts[s.Op] || s.given != nil {
				s.refuse("takes the Ints %q in a way in which they cannot be an input", given.ref.name)
			}
			s.given, s.fixed = &given, false
		}
	}
	s.checkInts()
	name := s.empty()
	if name == "" {
		name = s.writer()
	}
	if s.fixed {
		s.settle(name, s.Value.View(), -1)
	}
	return ref{name: name, value: s.Value, batch: s.batch, fixed: s.fixed, truth: s.truth, parts: s.parts}
}

// empty writes what has no elements, or is computed from nothing: then it is as
// it was recorded. It returns "" for all else.
func (s *site) empty() string {
	nothing := true
	for _, r := range s.in {
		if !r.batch.none() {
			return ""
		}
		nothing = nothing && (r.fixed || product(r.value.Shape()) == 0)
	}
	switch {
	case s.Custom:
		return ""
	case product(s.shape) == 0:
		return s.filled(0, s.shape, noBatch)
	case nothing && !s.fixed && s.given == nil:
		return s.initializer("constant", s.Value.View())
	}
	return ""
}

// checkInts refuses Ints that are no input, beside others that are: they may
// have been computed from those in Go.
func (s *site) checkInts() {
	if s.depth == 0 && len(s.ints) > 0 && s.given == nil && s.TookInts() && !s.network.FixInts {
		s.refuse("takes Ints that are no input: name them, or set FixInts if they are constants")
	}
}

// writer writes the node by its row of the tables.
func (s *site) writer() string {
	if s.Custom {
		s.refuse("a custom operation")
	}
	if w := writers[s.Op]; w != nil {
		if name := w(s); name != "" {
			return name
		}
	}
	if w := writtenOut[s.Op]; w != nil {
		return s.writeOut(w)
	}
	if reason := refused[s.Op]; reason != "" {
		s.refuse("%s", reason)
	}
	s.refuse("no operator of ONNX does this")
	return ""
}

// running are the names of statistics that readers know as such. Others would
// become something that is trained, if they were not called constants.
var running = regexp.MustCompile(`\.running_(mean|var)$`)

// leaf adds an initializer.
func (s *site) leaf() ref {
	for _, given := range s.ints {
		if s.Took(given.ints) {
			return s.leafOf(given)
		}
	}
	s.checkInts()
	if _, drawn := s.options.(autograd.DropoutMask); drawn {
		s.refuse("a mask that dropout drew: record the network in a graph with Eval")
	}
	r := ref{value: s.Value, batch: noBatch, fixed: true}
	view := s.Value.View()
	if view.Size() == 1 && s.Kind == autograd.KindConstant {
		r.name = s.constant(view)
		return r
	}
	name := s.Value.Name()
	switch {
	case name == "" && s.depth > 0: // what many operations may need, such as a mask
		r.name = s.initialized(view)
		s.settle(r.name, view, -1)
		return r
	case name == "":
		name = fmt.Sprint(s.Op, "_", s.ID)
	case s.Kind == autograd.KindConstant || s.Kind == autograd.KindParam && s.Param.IsStatistic() && !running.MatchString(name):
		name = "constant_" + name
	}
	if s.Kind == autograd.KindParam && s.draft {
		r.name = s.unique(name)
		s.initial = append(s.initial, &message.Tensor{Name: r.name, Dims: int64s(s.shape), Elem: s.elem()})
		s.settled[r.name] = func(maphash.Seed) string { return name }
		return r
	}
	r.name = s.initializer(name, view)
	s.settle(r.name, view, -1)
	return r
}

// leafOf writes a constant that was made from Ints which are an input.
func (s *site) leafOf(given givenInts) ref {
	o, ok := s.options.(autograd.OneHotOptions)
	if !ok {
		s.refuse("a constant that was computed from the Ints %q, which are an input", given.ref.name)
	}
	labels, b := s.shaped(given, slices.Delete(slices.Clone(s.shape), o.Axis, o.Axis+1))
	if s.batch = b; b.axis >= o.Axis {
		s.batch.axis++
	}
	s.fixed = false
	depth, values := s.intScalar(s.shape[o.Axis]), s.initialized(autograd.NewTensor([]float64{0, 1}))
	if !s.single {
		zeroOne := s.exporter.op("OneHot", []string{labels, depth, s.ints64(0, 1)}, intAttribute("axis", o.Axis))
		return ref{name: s.cast(zeroOne, message.Double), value: s.Value, batch: s.batch}
	}
	return ref{name: s.op("OneHot", []string{labels, depth, values}, intAttribute("axis", o.Axis)), value: s.Value, batch: s.batch}
}
