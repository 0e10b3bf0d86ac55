package xla

import (
	"encoding/gob"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/go-xla/pjrt"

	"nabla/autograd"
	"nabla/internal/operations"
)

var (
	rowName  = flag.String("row", "", "only the rows whose names contain this")
	allRows  = flag.Bool("all", false, "the rows at all shapes, in float32 too: three times as many programs")
	rowsFile = flag.String("rows", "", "a file of rows that package autograd's tests have written; otherwise they write one")
)

// A recordedRow is what a row of package autograd's table of operations
// records, with its gradients: its tests write them.
type recordedRow struct {
	Name   string
	Single bool
	More   bool // at other shapes than the row's first
	Nodes  []node
	Inputs []int
	Wanted []int
}

// readRows returns all rows of the table. It asks package autograd's tests for
// them, once.
var readRows = sync.OnceValues(func() ([]recordedRow, error) {
	path := *rowsFile
	if path == "" {
		dir, err := os.MkdirTemp("", "rows")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		path = filepath.Join(dir, "rows")
		ask := exec.Command("go", "test", "-count=1", "-run", "^TestWriteRecordings$", "./autograd", "-args", "-recordings", path)
		ask.Dir = ".."
		if out, err := ask.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%w: %s", err, out)
		}
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	from := gob.NewDecoder(file)
	var all []recordedRow
	for {
		var r recordedRow
		switch err := from.Decode(&r); {
		case err == io.EOF:
			return all, nil
		case err != nil:
			return nil, err
		case r.isChosen():
			all = append(all, r)
		}
	}
})

func rowsOf(t *testing.T) []recordedRow {
	t.Helper()
	all, err := readRows()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// isChosen reports whether the test takes a row. In float32 its first shapes
// do; and elementwise operations have several that make programs of one kind.
func (r recordedRow) isChosen() bool {
	_, shapes, _ := strings.Cut(r.Name, " [[")
	alike := strings.HasPrefix(shapes, "1]") || strings.HasPrefix(shapes, "1 1]") || shapes == "0]]" || strings.HasPrefix(shapes, "0] [0]") ||
		strings.HasPrefix(shapes, "5 7]") || r.Single && r.More
	return strings.Contains(r.Name, *rowName) && (*allRows || !alike)
}

func (r recordedRow) precision() autograd.Precision {
	if r.Single {
		return autograd.Float32
	}
	return autograd.Float64
}

func (r recordedRow) at(id int) node { return r.Nodes[id] }

// A batch of rows is one program: compiling many small ones takes longer.
type batchOfRows struct {
	rows      []recordedRow
	program   *program
	results   []value
	arguments []autograd.Tensor
}

// add writes a row. It returns an *UnsupportedError for one that has no
// lowering, and then adds nothing.
func (b *batchOfRows) add(r recordedRow) error {
	l := newLowered(b.program, r.at)
	before, count := b.arguments, len(b.program.inputs)
	for _, id := range r.Inputs {
		n := r.Nodes[id]
		l.known[id] = b.program.input(b.program.float, n.Shape)
		b.arguments = append(b.arguments, autograd.NewTensor(n.Numbers, n.Shape...).In(r.precision()))
	}
	results, err := l.results(r.Wanted...)
	if err != nil {
		b.arguments, b.program.inputs = before, b.program.inputs[:count]
		return err
	}
	b.rows, b.results = append(b.rows, r), append(b.results, results...)
	return nil
}

// run returns the results of each row.
func (b *batchOfRows) run(c *Client) (all [][][]float64, err error) {
	e, err := c.compile(b.program.finish(b.results, 1), 1)
	if err != nil {
		return nil, err
	}
	defer e.close()
	var arguments []*pjrt.Buffer
	defer func() { destroy(arguments) }()
	for _, x := range b.arguments {
		buffer, err := c.putTensor(x, 0)
		if err != nil {
			return nil, err
		}
		arguments = append(arguments, buffer)
	}
	buffers, err := e.run(arguments, nil)
	if err != nil {
		return nil, err
	}
	defer destroy(buffers)
	for _, r := range b.rows {
		var of [][]float64
		for _, id := range r.Wanted {
			x := autograd.Zeros(r.Nodes[id].Shape...).In(r.precision())
			if err := read(buffers[0], x); err != nil {
				return nil, err
			}
			_ = buffers[0].Destroy()
			buffers, of = buffers[1:], append(of, x.Float64s())
		}
		all = append(all, of)
	}
	return all, nil
}

// The bounds that README.md states, relative to numbers above 1.
var rowBounds = map[autograd.Precision]float64{autograd.Float64: 5e-14, autograd.Float32: 1e-5}

// TestRows compares value and gradients of every row of the table with the
// library's own, in both precisions, at the special points too.
func TestRows(t *testing.T) {
	c := testClient(t)
	const size = 50
	var batches []*batchOfRows
	last := map[autograd.Precision]*batchOfRows{}
	for _, r := range rowsOf(t) {
		p := r.precision()
		if last[p] == nil || len(last[p].rows) == size {
			last[p] = &batchOfRows{program: newProgram(p)}
			batches = append(batches, last[p])
		}
		var refusal *UnsupportedError
		switch err := last[p].add(r); {
		case errors.As(err, &refusal):
			if refused[refusal.Op] == "" && refusal.Op != ownOperation {
				t.Errorf("%s: %v", r.Name, err)
			}
		case err != nil:
			t.Fatal(err)
		}
	}
	worst := worstOf{}
	work := make(chan *batchOfRows)
	var all sync.WaitGroup
	for range 2 { // compiling takes one core
		all.Go(func() {
			for b := range work {
				b.check(t, c, &worst)
			}
		})
	}
	for _, b := range batches {
		work <- b
	}
	close(work)
	all.Wait()
	worst.log(t)
}

func (b *batchOfRows) check(t *testing.T, c *Client, worst *worstOf) {
	got, err := b.run(c)
	if err != nil {
		t.Errorf("%s to %s: %v", b.rows[0].Name, b.rows[len(b.rows)-1].Name, err)
		return
	}
	for i, r := range b.rows {
		for k, id := range r.Wanted {
			d := distance(got[i][k], r.Nodes[id].Numbers)
			worst.note(r, k, d)
			if d > rowBounds[r.precision()] {
				t.Errorf("%s, %v: result %d is off by %.2g", r.Name, r.precision(), k, d)
				if *rowName != "" {
					t.Logf("got %v, want %v", got[i][k], r.Nodes[id].Numbers)
				}
			}
		}
	}
}

// worstOf are the greatest distances, by precision and row.
type worstOf struct {
	mu  sync.Mutex
	all map[autograd.Precision]map[string]float64
}

func (w *worstOf) note(r recordedRow, result int, d float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = map[autograd.Precision]map[string]float64{autograd.Float64: {}, autograd.Float32: {}}
	}
	name, _, _ := strings.Cut(r.Name, " [[")
	if result > 0 {
		name += ", gradient"
	}
	w.all[r.precision()][name] = max(w.all[r.precision()][name], d)
}

// log tells the worst of them.
func (w *worstOf) log(t *testing.T) {
	for p, all := range w.all {
		names := slices.SortedFunc(maps.Keys(all), func(a, b string) int {
			if all[a] > all[b] {
				return -1
			}
			return 1
		})
		for _, name := range names[:min(12, len(names))] {
			t.Logf("%v: %.2g %s", p, all[name], name)
		}
	}
}

// Every operation of the table has a lowering or is refused by name, and
// nothing else is.
func TestEveryOperationHasALowering(t *testing.T) {
	known := map[string]bool{}
	for _, o := range operations.All() {
		known[o.Name] = true
		switch o.Class {
		case operations.Leaf, operations.Scratch, operations.Picture:
			continue
		}
		if lowerings[o.Name] == nil && refused[o.Name] == "" {
			t.Errorf("%q has no lowering, and no reason why", o.Name)
		}
		if lowerings[o.Name] != nil && refused[o.Name] != "" {
			t.Errorf("%q is refused and has a lowering", o.Name)
		}
	}
	for name := range refused {
		if !known[name] {
			t.Errorf("%q is refused, and no operation", name)
		}
	}
	for name := range lowerings {
		of, isGradient := strings.CutSuffix(name, " gradient")
		if !known[name] && !(isGradient && known[of]) {
			t.Errorf("a lowering of %q, which is no operation", name)
		}
	}
	if len(lowerings) < 150 {
		t.Errorf("only %d lowerings", len(lowerings))
	}
}

// Every operation that the gradients of the table record has a lowering: the
// derivatives of elementwise functions are no rows of their own.
func TestEveryRecordedOperationHasALowering(t *testing.T) {
	missing := map[string]string{}
	for _, r := range rowsOf(t) {
		for _, n := range r.Nodes {
			if !n.Leaf && lowerings[n.Op] == nil && refused[n.Op] == "" && n.Op != ownOperation {
				missing[n.Op] = r.Name
			}
		}
	}
	for op, row := range missing {
		t.Errorf("%s, in the row %s, has no lowering", op, row)
	}
}
