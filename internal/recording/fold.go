package recording

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"nabla/autograd"
)

// Fold is [graphviz.Fold].
func Fold() Selection {
	return Selection{func(m *Model) (*Model, error) { return m.fold(), nil }}
}

// A folder finds repetitions in a model.
type folder struct {
	*Model
	children   [][]int // scopes, by parent, in the order of the recording
	all        [][]int // nodes in a scope or one inside it
	signatures []int   // of scopes; equal if they compute the same

	assigned []int
	blocks   []block
}

func (m *Model) fold() *Model {
	noted := *m
	noted.Scopes = slices.Clone(m.Scopes)
	f := &folder{Model: &noted, assigned: make([]int, len(m.Nodes))}
	for i := range f.assigned {
		f.assigned[i] = -1
	}
	f.gather()
	f.sign()
	f.siblings(0)
	f.adopt()
	return noted.collapse(f.assigned, f.blocks)
}

// adopt moves constants into the only block that uses them.
func (f *folder) adopt() {
	for i := range f.Nodes {
		n := &f.Nodes[i]
		if n.Kind != autograd.KindConstant || f.assigned[i] >= 0 || len(n.Uses) == 0 {
			continue
		}
		user := func(use int) int { return f.assigned[f.Edges[use].To] }
		first := user(n.Uses[0])
		if !slices.ContainsFunc(n.Uses, func(use int) bool { return user(use) != first }) {
			f.assigned[i] = first
		}
	}
}

// gather notes the contents of each scope.
func (f *folder) gather() {
	f.children, f.all = make([][]int, len(f.Scopes)), make([][]int, len(f.Scopes))
	for i := range f.Nodes {
		for s := f.Nodes[i].Scope; s != 0; s = f.Scopes[s].Parent {
			if f.all[s] == nil {
				f.children[f.Scopes[s].Parent] = append(f.children[f.Scopes[s].Parent], s)
			}
			f.all[s] = append(f.all[s], i)
		}
	}
}

// sign numbers the scopes so that those that compute the same have the same
// number.
func (f *folder) sign() {
	f.signatures = make([]int, len(f.Scopes))
	known := map[string]int{}
	for s := 1; s < len(f.Scopes); s++ {
		text := f.signature(f.all[s])
		if _, ok := known[text]; !ok {
			known[text] = len(known)
		}
		f.signatures[s] = known[text]
	}
}

// signature describes what the operations among some nodes compute, without
// names and numbers. The scope of a parameter does not matter: it is the one
// that used it first.
func (f *folder) signature(nodes []int) string {
	var b strings.Builder
	place := map[int]int{}
	for _, i := range nodes {
		n := &f.Nodes[i]
		if n.Kind != autograd.KindOperation {
			continue
		}
		place[i] = len(place)
		fmt.Fprintf(&b, "%q %v %v %v", n.Op, n.Custom, n.Constants, n.Value.Shape)
		for _, e := range n.In {
			from := f.Edges[e].From
			at, inside := place[from]
			switch {
			case inside:
				fmt.Fprintf(&b, " %d", at)
			case f.Nodes[from].Kind == autograd.KindParam:
				fmt.Fprintf(&b, " param %v", f.Nodes[from].Value.Shape)
			default:
				fmt.Fprintf(&b, " %v", f.Nodes[from].Value.Shape)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// siblings folds the child scopes of a scope.
func (f *folder) siblings(parent int) {
	scopes := f.children[parent]
	for at := 0; at < len(scopes); {
		period, times := f.repeats(scopes[at:])
		first, rest := scopes[at:at+period], scopes[at+period:at+period*times]
		if times > 1 {
			f.foldBlocks(parent, first, rest, times)
		}
		for _, s := range first {
			if !f.calls(s) {
				f.siblings(s)
			}
		}
		at += period * times
	}
}

// repeats returns the length of the block that repeats at the beginning of
// scopes, and how often: the block whose repetitions cover most, and of such
// blocks the shortest.
func (f *folder) repeats(scopes []int) (period, times int) {
	period, times = 1, 1
	for p := 1; 2*p <= len(scopes); p++ {
		n := p
		for n < len(scopes) && f.signatures[scopes[n]] == f.signatures[scopes[n-p]] {
			n++
		}
		if t := n / p; t > 1 && t*p > period*times {
			period, times = p, t
		}
	}
	return period, times
}

// foldBlocks makes one box of all blocks except the first.
func (f *folder) foldBlocks(parent int, first, rest []int, times int) {
	last := rest[len(rest)-1]
	name := fmt.Sprintf("+%d more: %s … %s", times-1, f.Scopes[rest[0]].Name, f.Scopes[last].Name)
	if len(rest) == 1 {
		name = fmt.Sprintf("+1 more: %s", f.Scopes[last].Name)
	}
	if f.share(first, rest) {
		f.Scopes[first[0]].Note = fmt.Sprintf("×%d, the same parameters", times)
	}
	for _, s := range rest {
		f.put(f.all[s])
	}
	f.blocks = append(f.blocks, block{name, parent})
}

// put assigns nodes to a new block.
func (f *folder) put(nodes []int) {
	for _, i := range nodes {
		f.assigned[i] = len(f.blocks)
	}
}

// share reports whether all blocks use the same parameters.
func (f *folder) share(first, rest []int) bool {
	period := len(first)
	want := f.parametersOf(first)
	for at := 0; at < len(rest); at += period {
		if !slices.Equal(want, f.parametersOf(rest[at:at+period])) {
			return false
		}
	}
	return len(want) > 0
}

// parametersOf returns the parameters that some scopes use, in order of use.
func (f *folder) parametersOf(scopes []int) []int {
	var nodes []int
	for _, s := range scopes {
		nodes = append(nodes, f.all[s]...)
	}
	return f.parametersUsed(nodes)
}

func (f *folder) parametersUsed(nodes []int) []int {
	var used []int
	for _, i := range nodes {
		for _, e := range f.Nodes[i].In {
			if from := f.Edges[e].From; f.Nodes[from].Learned() && !slices.Contains(used, from) {
				used = append(used, from)
			}
		}
	}
	return used
}

// calls folds a scope that computed the same several times with the same
// parameters, as a layer that is applied repeatedly does. It reports whether it
// folded.
func (f *folder) calls(s int) bool {
	var computed []int
	for _, i := range f.all[s] {
		if f.Nodes[i].Kind == autograd.KindOperation {
			computed = append(computed, i)
		}
	}
	length := f.period(computed)
	times := len(computed) / max(length, 1)
	if times < 2 {
		return false
	}
	f.Scopes[s].Note = fmt.Sprintf("×%d, the same parameters", times)
	f.put(computed[length:])
	f.blocks = append(f.blocks, block{"+" + strconv.Itoa(times-1) + " more", s})
	return true
}

// period returns the length of the shortest part with parameters that makes up
// the operations when it is repeated with the same parameters.
func (f *folder) period(computed []int) int {
	signatures := make([]string, len(computed))
	for k, i := range computed {
		signatures[k] = f.signature([]int{i})
	}
	for length := 1; 2*length <= len(computed); length++ {
		if len(computed)%length == 0 && slices.Equal(signatures[length:], signatures[:len(computed)-length]) && f.partsAgree(computed, length) {
			return length
		}
	}
	return len(computed)
}

// partsAgree reports whether all parts of that length compute the same with the
// same parameters, at least one.
func (f *folder) partsAgree(computed []int, length int) bool {
	first := computed[:length]
	used, signature := f.parametersUsed(first), f.signature(first)
	for part := range slices.Chunk(computed[length:], length) {
		if f.signature(part) != signature || !slices.Equal(f.parametersUsed(part), used) {
			return false
		}
	}
	return len(used) > 0
}
