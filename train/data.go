package train

import (
	"fmt"

	"nabla/autograd"
)

// Data are samples: row i of the inputs belongs to row i of the targets. Their
// first axis counts the rows. The zero Data mean no data.
type Data struct {
	Inputs  autograd.Tensor // [rows, …]
	Ids     []autograd.Ints // each [rows, …]: inputs that are ids, beside Inputs or in place of them
	Targets autograd.Tensor // [rows, …], or
	Labels  autograd.Ints   // [rows, …], in place of Targets: class labels, which count from 0
}

// Rows returns the number of rows.
func (d Data) Rows() int {
	switch {
	case d.Inputs.Rank() > 0:
		return d.Inputs.Dim(0)
	case !isGiven(d.Inputs) && len(d.Ids) > 0 && d.Ids[0].Rank() > 0:
		return d.Ids[0].Dim(0)
	}
	return 0
}

// inputShape returns the shape of the inputs, or else that of the first ids.
func (d Data) inputShape() []int {
	if !isGiven(d.Inputs) && len(d.Ids) > 0 {
		return d.Ids[0].Shape()
	}
	return d.Inputs.Shape()
}

func (d Data) isZero() bool {
	return !isGiven(d.Inputs) && len(d.Ids) == 0 && !isGiven(d.Targets) && d.Labels.Size() == 0
}

// isGiven reports whether a tensor is not the zero Tensor, which has neither
// elements nor axes.
func isGiven(t autograd.Tensor) bool { return t.Rank() > 0 || t.Size() > 0 }

// check panics unless there are rows, and as many inputs as targets or labels.
func (d Data) check(op string) {
	d.checkInputs(op)
	hasLabels := len(d.Labels.Shape()) > 0
	if isGiven(d.Targets) == hasLabels {
		panic(autograd.NewArgumentError(op, "the data need either Targets or Labels"))
	}
	targets := d.Targets.Shape()
	if hasLabels {
		targets = d.Labels.Shape()
	}
	if len(targets) == 0 || targets[0] != d.Rows() {
		panic(autograd.NewShapeError(op, "the inputs and the targets differ in rows", d.inputShape(), targets))
	}
}

func (d Data) checkInputs(op string) {
	if !isGiven(d.Inputs) && len(d.Ids) == 0 {
		panic(autograd.NewArgumentError(op, "the data have no Inputs"))
	}
	if d.Rows() == 0 {
		panic(autograd.NewShapeError(op, "the data have no rows", d.inputShape()))
	}
	for i, ids := range d.Ids {
		if shape := ids.Shape(); len(shape) == 0 || shape[0] != d.Rows() {
			panic(autograd.NewShapeError(op, fmt.Sprintf("the inputs and Ids[%d] differ in rows", i), d.inputShape(), shape))
		}
	}
}

// in returns the data in the precision of a graph, so that no step has to
// convert them.
func (d Data) in(precision autograd.Precision) Data {
	d.Inputs, d.Targets = in(d.Inputs, precision), in(d.Targets, precision)
	return d
}

func in(t autograd.Tensor, precision autograd.Precision) autograd.Tensor {
	if !isGiven(t) || t.Precision() == precision {
		return t
	}
	return t.In(precision)
}

// like returns Data with that many rows, all 0, to be filled by gather.
func (d Data) like(rows int) Data {
	var batch Data
	if isGiven(d.Inputs) {
		batch.Inputs = tensorLike(d.Inputs, rows)
	}
	for _, ids := range d.Ids {
		batch.Ids = append(batch.Ids, intsLike(ids, rows))
	}
	if isGiven(d.Targets) {
		batch.Targets = tensorLike(d.Targets, rows)
	}
	if len(d.Labels.Shape()) > 0 {
		batch.Labels = intsLike(d.Labels, rows)
	}
	return batch
}

func tensorLike(t autograd.Tensor, rows int) autograd.Tensor {
	shape := t.Shape()
	shape[0] = rows
	return in(autograd.Zeros(shape...), t.Precision())
}

func intsLike(x autograd.Ints, rows int) autograd.Ints {
	shape := x.Shape()
	size := x.Size() / shape[0] * rows
	shape[0] = rows
	return autograd.ViewInts(make([]int, size), shape...)
}

// gather fills d with those rows of the whole, in that order. Ids and Labels of
// d that are shorter take the beginning of each row. Of Inputs and Targets only
// the rows from one place to below another are needed.
func (d Data) gather(whole Data, rows []int, from, to int) {
	count := whole.Rows()
	gatherTensor(d.Inputs, whole.Inputs, rows, count, from, to)
	for i, ids := range d.Ids {
		gatherRows(ids.Values(), whole.Ids[i].Values(), rows, count)
	}
	gatherTensor(d.Targets, whole.Targets, rows, count, from, to)
	gatherRows(d.Labels.Values(), whole.Labels.Values(), rows, count)
}

func gatherTensor(dst, src autograd.Tensor, rows []int, count, from, to int) {
	if !isGiven(src) || from == to {
		return
	}
	width := src.Size() / count
	if src.Precision() == autograd.Float32 {
		gatherRows(dst.Raw32()[from*width:to*width], src.Raw32(), rows[from:to], count)
	} else {
		gatherRows(dst.Raw64()[from*width:to*width], src.Raw64(), rows[from:to], count)
	}
}

// gatherRows copies rows of src, which has that many, to dst.
func gatherRows[T any](dst, src []T, rows []int, count int) {
	width, whole := len(dst)/len(rows), len(src)/count
	for i, row := range rows {
		copy(dst[i*width:(i+1)*width], src[row*whole:(row+1)*whole])
	}
}
