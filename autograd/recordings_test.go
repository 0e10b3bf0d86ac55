package autograd_test

import (
	"encoding/gob"
	"flag"
	"fmt"
	"os"
	"testing"

	"nabla/autograd"
)

var recordings = flag.String("recordings", "", "write what the rows of the table record to this file, for tests in other modules")

// A recordedRow is what a row of the table records, with its gradients: for
// tests of what runs recordings elsewhere.
type recordedRow struct {
	Name   string // of the row, with the shapes
	Single bool   // in float32
	More   bool   // at other shapes than the row's first
	Nodes  []recordedNode
	Inputs []int // the nodes of the row's inputs
	Wanted []int // the nodes of its value and of its gradients
}

type recordedNode struct {
	Op        string
	Leaf      bool
	Inputs    []int
	Shape     []int
	Constants []float64
	Ints      []int
	Told      recordedChoice
	Chooser   int
	Numbers   []float64 // of the leaves and of what is wanted
}

// A recordedChoice is what an operation that chooses elements was told.
type recordedChoice struct {
	Axis, K    int
	Descending bool
	Segments   []int
}

// TestWriteRecordings writes every row at every shape and in both precisions.
func TestWriteRecordings(t *testing.T) {
	if *recordings == "" {
		t.Skip("no -recordings: where to write them")
	}
	file, err := os.Create(*recordings)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	to := gob.NewEncoder(file)
	for _, r := range opRows {
		for _, precision := range precisions {
			for i, shapes := range r.allShapes() {
				in := r.draw(shapes)
				round32(in)
				made := recordRow(r, fmt.Sprint(shapes), in, precision)
				made.More = i > 0
				write(t, to, made)
			}
			if in := r.specialInputs(); in != nil {
				write(t, to, recordRow(r, "at special points", in, precision))
			}
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, to *gob.Encoder, r recordedRow) {
	t.Helper()
	if err := to.Encode(r); err != nil {
		t.Fatal(err)
	}
}

// specialInputs returns the points for which the row has special values.
func (r opRow) specialInputs() []grid {
	var in []grid
	for _, s := range r.special {
		in = grow(in, s[:1])
	}
	for _, s := range r.pairs {
		in = grow(in, s[:2])
	}
	return in
}

// grow appends a number to each vector.
func grow(in []grid, x []float64) []grid {
	if in == nil {
		in = make([]grid, len(x))
	}
	for i, v := range x {
		in[i].data = append(in[i].data, v)
		in[i].shape = []int{len(in[i].data)}
	}
	return in
}

// recordRow records a row and its gradients under a cotangent.
func recordRow(r opRow, note string, in []grid, precision autograd.Precision) recordedRow {
	g := newGraph(autograd.Options{Precision: precision})
	xs := variables(g, in)
	y := r.f(xs...)
	made := recordedRow{Name: r.name() + " " + note, Single: precision == autograd.Float32}
	wanted := append([]autograd.Value{y}, autograd.VJP(y, g.Constant(weightsFor(y.Shape()).tensor()), xs...)...)
	for n := range g.Nodes() {
		made.Nodes = append(made.Nodes, recordedNodeOf(n))
	}
	for _, x := range xs {
		made.Inputs = append(made.Inputs, x.Node().ID)
	}
	for _, v := range wanted {
		id := v.Node().ID
		made.Wanted = append(made.Wanted, id)
		made.Nodes[id].Numbers = v.Tensor().Float64s()
	}
	return made
}

func recordedNodeOf(n autograd.Node) recordedNode {
	made := recordedNode{
		Op: n.Op, Leaf: n.Kind != autograd.KindOperation, Inputs: n.Inputs, Shape: n.Value.Shape(),
		Constants: n.Constants, Ints: n.Ints, Chooser: -1,
	}
	if n.Custom {
		made.Op = "custom operation"
	}
	if made.Leaf {
		made.Numbers = n.Value.Tensor().Float64s()
	}
	switch o := n.Options().(type) {
	case autograd.SortOptions:
		made.Told = recordedChoice{Axis: o.Axis, K: o.K, Descending: o.Descending}
	case autograd.AxisOptions:
		made.Told.Axis = o.Axis
	case autograd.SegmentOptions:
		made.Told = recordedChoice{K: o.Count, Segments: o.Segments}
	case autograd.GatherOptions:
		made.Chooser = o.Chosen
	case autograd.ChosenOptions:
		made.Chooser = o.By
	}
	return made
}
