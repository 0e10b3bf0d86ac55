package page_test

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/graphviz"
	"nabla/page"
)

// The page has the numbers of all rows for every leaf that differs between
// rows, and not for what the rows share.
func TestPageOfABatch(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true, Seed: 3})
	x := g.Constant(autograd.FromNested([][]float64{{1, 2}, {3, 4}, {5, 6}})).Named("x").As(autograd.RoleInput)
	w := g.Param(autograd.NewParam("w", autograd.FromNested([][]float64{{0.5}, {-0.25}})))
	factor := g.Constant(autograd.Scalar(2)).Named("factor")
	y := g.Constant(autograd.FromNested([][]float64{{7}, {8}, {9}})).Named("y").As(autograd.RoleTarget)
	mask := g.Constant(autograd.FromNested([][]float64{{1}, {0}, {2}})).Named("mask")
	loss := x.MatMul(w).Mul(factor).Mul(mask).Sub(y).Square().Mean().Named("loss")
	d := dataOf(t, pageOf(t, loss, loss.Backward(), page.Options{Select: []graphviz.Selection{graphviz.Sample(1)}}))
	if d.Row == nil || *d.Row != 1 {
		t.Errorf("the row is %v", d.Row)
	}
	got, factors := map[string][]any{}, map[string]float64{}
	for _, n := range d.Nodes {
		if n.R != nil {
			got[n.N] = n.R
		}
		if n.F != 0 {
			factors[n.N] = n.F
		}
		if n.Own {
			t.Errorf("%s is said to be of this row, beside its numbers", n.N)
		}
	}
	want := map[string][]any{"x1": {1.0, 3.0, 5.0}, "x2": {2.0, 4.0, 6.0}, "y": {7.0, 8.0, 9.0}}
	for name, rows := range got {
		if _, known := want[name]; !known { // the mask's name contains its index
			want[name] = []any{1.0, 0.0, 2.0}
			if len(got) != 4 {
				t.Errorf("%s: %v", name, rows)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) != 4 {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]float64{"loss": 1. / 3}, factors); diff != "" {
		t.Errorf("factors (-want +got):\n%s", diff)
	}
}

// Rows that use different elements of a parameter are not computed alike.
func TestPageOfRowsThatDiffer(t *testing.T) {
	g := autograd.NewGraph(autograd.Options{Trace: true})
	table := g.Param(autograd.NewParam("table", autograd.FromNested([][]float64{{1, 2}, {3, 4}, {5, 6}})))
	y := g.Constant(autograd.FromNested([][]float64{{7, 1}, {8, 1}})).Named("y").As(autograd.RoleTarget)
	loss := table.IndexSelect(0, autograd.NewInts([]int{2, 0})).Sub(y).Square().Mean().Named("loss")
	d := dataOf(t, pageOf(t, loss, loss.Backward(), page.Options{Select: []graphviz.Selection{graphviz.Sample(0)}}))
	if d.Row != nil {
		t.Errorf("the row is %v", *d.Row)
	}
	for _, n := range d.Nodes {
		if n.R != nil || n.Own != (n.N == "y1" || n.N == "y2") {
			t.Errorf("%s: own %v, rows %v", n.N, n.Own, n.R)
		}
	}
}

// A film of mini-batches has the rows of each epoch.
func TestFilmOfMiniBatches(t *testing.T) {
	film := page.NewFilm(page.Options{Select: []graphviz.Selection{graphviz.Sample(0)}})
	w := autograd.NewParam("w", autograd.Scalar(0.5))
	g := autograd.NewGraph(autograd.Options{Trace: true})
	for epoch, batch := range [][]float64{{1, 2}, {3, 4}, {1, 2}} {
		g.Reset()
		x := g.Constant(autograd.NewTensor(batch, 2, 1)).Named("x").As(autograd.RoleInput)
		loss := x.Mul(g.Param(w)).Square().Mean()
		film.Record(epoch, loss, loss.Backward())
	}
	d := dataOf(t, filmPage(t, film))
	if diff := cmp.Diff([]any{1.0, 2.0}, d.Nodes[0].R); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for k, want := range []map[string][]any{nil, {"0": {3.0, 4.0}}, nil} {
		if diff := cmp.Diff(want, d.Frames[k].R); diff != "" {
			t.Errorf("epoch %s (-want +got):\n%s", strconv.Itoa(k), diff)
		}
	}
}

// A batch with more numbers than a page should hold comes without them.
func TestPageOfALargeBatch(t *testing.T) {
	for rows, want := range map[int]bool{100: true, 6000: false} {
		g := autograd.NewGraph(autograd.Options{Trace: true})
		x := g.Constant(autograd.Zeros(rows, 2)).Named("x").As(autograd.RoleInput)
		w := g.Param(autograd.NewParam("w", autograd.FromNested([][]float64{{0.5}, {-0.25}})))
		loss := x.MatMul(w).Square().Mean()
		d := dataOf(t, pageOf(t, loss, loss.Backward(), page.Options{Select: []graphviz.Selection{graphviz.Sample(0)}}))
		if d.Row != nil != want {
			t.Errorf("%d rows: they are there: %v", rows, d.Row != nil)
		}
	}
}

// A NaN that comes from another row is attributed to that row.
func TestBrokenRow(t *testing.T) {
	for _, c := range []struct {
		row  int
		want string
	}{
		{0, "the other 2 rows: first infinity: it came about in row 1, which Sample(1) draws"},
		{1, "log #3: first infinity: log of 0"},
	} {
		g := autograd.NewGraph(autograd.Options{Trace: true})
		x := g.Constant(autograd.NewTensor([]float64{1, 0, 3}, 3, 1)).Named("x").As(autograd.RoleInput)
		w := g.Param(autograd.NewParam("w", autograd.Scalar(2)))
		loss := x.Mul(w).Log().Mean().Named("loss")
		d := dataOf(t, pageOf(t, loss, loss.Backward(), page.Options{Select: []graphviz.Selection{graphviz.Sample(c.row)}}))
		if len(d.Frames[0].Trouble) == 0 {
			t.Errorf("row %d: no trouble", c.row)
			continue
		}
		first := d.Frames[0].Trouble[0]
		name := d.Nodes[first.N].N
		if name == "" {
			name = d.Nodes[first.N].Op + " #3"
		}
		if diff := cmp.Diff(c.want, name+": "+first.T); diff != "" {
			t.Errorf("row %d (-want +got):\n%s", c.row, diff)
		}
	}
}
