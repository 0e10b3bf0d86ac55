package autograd

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"nabla/internal/pprof"
)

// A Profile says what a graph with [Options].Profile has spent time and memory
// on since it was made, over all its recordings.
//
//	fmt.Println(g.Profile())
//
// Times are measured on the wall, while the operation's kernels may use several
// cores; asking for the time takes some 50 ns itself, which a graph of single
// numbers feels. What optimizers and the user's own code do between operations
// is not in it.
type Profile struct {
	Recordings int          // that ended with Reset, and the one under way if it has nodes
	Rows       []ProfileRow // in the order in which they were first recorded
}

// A ProfileRow is about all operations of one kind in one scope.
type ProfileRow struct {
	Scope string // the path of scopes, joined by "/", "" outside
	Op    string // as in [Node]: "matmul"; of a leaf its Kind
	Calls int    // how many were recorded

	// Forward is the time in which the results were computed, including making
	// room for them. An operation between single numbers has no beginning of
	// its own: it counts from the end of the one before, but at most for a
	// microsecond.
	Forward time.Duration

	// Backward is the time in which Backward handed the gradients of results on
	// to inputs. Single numbers in a row share it equally. Operations that Grad
	// records count like any other, as Forward.
	Backward time.Duration

	Bytes int64 // of the results in the recordings; those of views and Params are not counted
}

// Total returns the time forward and backward.
func (r ProfileRow) Total() time.Duration { return r.Forward + r.Backward }

// Profile returns what the graph has spent time and memory on. It panics with a
// [*GraphError] if the graph does not have the option Profile.
func (g *Graph) Profile() Profile {
	if g.profile == nil {
		panic(&GraphError{"Profile", "the graph was made without Options.Profile", callSite()})
	}
	p := Profile{Recordings: g.profile.recordings, Rows: slices.Clone(g.profile.rows)}
	if g.count > 0 {
		p.Recordings++
	}
	return p
}

// Operations returns a row for each kind of operation, in whatever scope,
// sorted by time, the longest first.
func (p Profile) Operations() []ProfileRow {
	return p.by(func(r ProfileRow) ProfileRow { return ProfileRow{Op: r.Op} })
}

// Scopes returns a row for each scope, with all its operations but those of
// scopes inside it, sorted by time, the longest first.
func (p Profile) Scopes() []ProfileRow {
	return p.by(func(r ProfileRow) ProfileRow { return ProfileRow{Scope: r.Scope} })
}

// by adds up the rows that have one key.
func (p Profile) by(key func(ProfileRow) ProfileRow) []ProfileRow {
	var sums []ProfileRow
	places := map[ProfileRow]int{}
	for _, r := range p.Rows {
		k := key(r)
		i, ok := places[k]
		if !ok {
			i = len(sums)
			places[k], sums = i, append(sums, k)
		}
		s := &sums[i]
		s.Calls, s.Bytes = s.Calls+r.Calls, s.Bytes+r.Bytes
		s.Forward, s.Backward = s.Forward+r.Forward, s.Backward+r.Backward
	}
	slices.SortStableFunc(sums, func(a, b ProfileRow) int { return cmp.Compare(b.Total(), a.Total()) })
	return sums
}

// String returns [Profile.Operations] as a table of text, and below it
// [Profile.Scopes] if there are any. It ends without a newline.
//
//	operation  calls  forward  backward  share    bytes
//	matmul       200  1.20 ms   2.31 ms   71 %  1.2 MB
//	…
func (p Profile) String() string {
	var text strings.Builder
	writeRows(&text, "operation", p.Operations(), func(r ProfileRow) string { return r.Op })
	if scopes := p.Scopes(); len(scopes) > 1 {
		text.WriteString("\n")
		writeRows(&text, "scope", scopes, func(r ProfileRow) string { return cmp.Or(r.Scope, "(outside)") })
	}
	return strings.TrimSuffix(text.String(), "\n")
}

// writeRows writes a table with a line for each row and one for their sum.
func writeRows(w *strings.Builder, heading string, rows []ProfileRow, name func(ProfileRow) string) {
	var sum ProfileRow
	for _, r := range rows {
		sum.Calls, sum.Bytes = sum.Calls+r.Calls, sum.Bytes+r.Bytes
		sum.Forward, sum.Backward = sum.Forward+r.Forward, sum.Backward+r.Backward
	}
	width := len("total")
	for _, r := range rows {
		width = max(width, len([]rune(name(r))))
	}
	width = max(width, len(heading))
	var lines strings.Builder
	table := tabwriter.NewWriter(&lines, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "%-*s\tcalls\tforward\tbackward\tshare\tbytes\t\n", width, heading)
	line := func(name string, r ProfileRow) {
		share := 0.0
		if sum.Total() > 0 {
			share = 100 * float64(r.Total()) / float64(sum.Total())
		}
		fmt.Fprintf(table, "%-*s\t%d\t%s\t%s\t%.0f %%\t%s\t\n", width, name, r.Calls, timeText(r.Forward), timeText(r.Backward), share, bytesText(r.Bytes))
	}
	for _, r := range rows {
		line(name(r), r)
	}
	line("total", sum)
	table.Flush() // a strings.Builder does not fail
	for text := range strings.Lines(lines.String()) {
		w.WriteString(strings.TrimPrefix(text, "  ")) // before the first column
	}
}

// timeText writes a time with three digits.
func timeText(d time.Duration) string {
	for _, unit := range []struct {
		of   time.Duration
		name string
	}{{time.Second, "s"}, {time.Millisecond, "ms"}, {time.Microsecond, "µs"}} {
		if d >= unit.of {
			return scaled(float64(d)/float64(unit.of), unit.name)
		}
	}
	return fmt.Sprintf("%d ns", d)
}

// bytesText writes a number of bytes with three digits.
func bytesText(n int64) string {
	for _, unit := range []struct {
		of   float64
		name string
	}{{1e12, "TB"}, {1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}} {
		if float64(n) >= unit.of {
			return scaled(float64(n)/unit.of, unit.name)
		}
	}
	return fmt.Sprintf("%d B", n)
}

func scaled(v float64, unit string) string {
	decimals := 2
	switch {
	case v >= 100:
		decimals = 0
	case v >= 10:
		decimals = 1
	}
	return fmt.Sprintf("%.*f %s", decimals, v, unit)
}

// WritePprof writes the profile in the format of "go tool pprof", which shows
// it as a flame graph and as a graph of boxes:
//
//	go tool pprof -http=: profile.pb.gz
//
// Its stacks are the scopes, the outermost first, then the operation, then
// forward or backward. It has time, calls and bytes. The error is w's.
func (p Profile) WritePprof(w io.Writer) error {
	file := pprof.Profile{
		Kinds:   []pprof.Kind{{Name: "calls", Unit: "count"}, {Name: "memory", Unit: "bytes"}, {Name: "time", Unit: "nanoseconds"}},
		Default: "time",
	}
	for _, r := range p.Rows {
		stack := []string{r.Op}
		scopes := strings.Split(r.Scope, "/")
		for i := len(scopes); i > 0 && r.Scope != ""; i-- {
			stack = append(stack, strings.Join(scopes[:i], "/"))
		}
		add := func(phase string, values ...int64) {
			file.Samples = append(file.Samples, pprof.Sample{Stack: append([]string{phase}, stack...), Values: values})
		}
		add("forward", int64(r.Calls), r.Bytes, int64(r.Forward))
		if r.Backward > 0 {
			add("backward", 0, 0, int64(r.Backward))
		}
	}
	return file.Write(w)
}

// A profile is being measured.
type profile struct {
	recordings int
	rows       []ProfileRow
	places     map[profileKey]int
	clock      func() time.Duration
	begun      time.Duration // when the operation under way began; 0 if none did
	last       time.Duration // when the one before ended
}

type profileKey struct{ scope, op string }

func newProfile() *profile {
	base := time.Now()
	return &profile{places: map[profileKey]int{}, clock: func() time.Duration { return time.Since(base) }}
}

// now returns the time since the profile was made, at least 1.
func (p *profile) now() time.Duration { return max(1, p.clock()) }

// begin notes when an operation begins. That of a Custom one has begun with the
// user's function.
func (p *profile) begin(op *operation) {
	if op != &opCustom && op != &opCustomMask || p.begun == 0 {
		p.beginNow()
	}
}

func (p *profile) beginNow() { p.begun = p.now() }

// recorded counts a recording that ends with so many nodes.
func (p *profile) recorded(nodes int32) {
	if nodes > 0 {
		p.recordings++
	}
	p.begun, p.last = 0, p.now()
}

// row returns the row of a node.
func (p *profile) row(g *Graph, n *node) *ProfileRow {
	key := profileKey{g.scopes.paths[n.scope], n.op.name}
	if n.extra != nil && n.extra.custom != nil {
		key.op = n.extra.custom.Name
	}
	i, ok := p.places[key]
	if !ok {
		i = len(p.rows)
		p.places[key], p.rows = i, append(p.rows, ProfileRow{Scope: key.scope, Op: key.op})
	}
	return &p.rows[i]
}

// mostUnbegun is how much time an operation counts whose beginning was not
// noted.
const mostUnbegun = time.Microsecond

// end counts the node added last, which has just been computed.
func (p *profile) end(g *Graph, n *node) {
	now, spent := p.now(), time.Duration(0)
	switch {
	case p.begun > 0:
		spent = now - p.begun
	default:
		spent = min(mostUnbegun, now-p.last)
	}
	row := p.row(g, n)
	row.Calls++
	row.Forward += spent
	if n.flags&(isView|inPlace) == 0 {
		row.Bytes += int64(n.shape.size) * g.numberSize()
	}
	p.begun, p.last = 0, p.now()
}

// numberSize is what a number of the graph takes, in bytes.
func (g *Graph) numberSize() int64 {
	if g.single {
		return 4
	}
	return 8
}

// walk is the loop of [Graph.backward], with the time of each step.
func (p *profile) walk(g *Graph, y int32) {
	for id := y; id >= 0; id-- {
		n := g.at(id)
		if n.grad == nil {
			continue
		}
		before := p.now()
		first := g.step(id, n)
		each := (p.now() - before) / time.Duration(id-first+1)
		for ; id > first; id-- {
			p.row(g, g.at(id)).Backward += each
		}
		p.row(g, g.at(first)).Backward += each
	}
	p.begun, p.last = 0, p.now() // what rules recorded has begun and never ended
}
