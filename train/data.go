package train

import (
	"nabla/autograd"
)

// Data are samples: row i of the inputs belongs to row i of the targets. Their
// first axis counts the rows. The zero Data mean no data.
type Data struct {
	Inputs  autograd.Tensor // [rows, …]
	Targets autograd.Tensor // [rows, …], or
	Labels  autograd.Ints   // [rows, …], in place of Targets: class labels, which count from 0
}

// Rows returns the number of rows.
func (d Data) Rows() int {
	if d.Inputs.Rank() == 0 {
		return 0
	}
	return d.Inputs.Dim(0)
}

func (d Data) isZero() bool {
	return !isGiven(d.Inputs) && !isGiven(d.Targets) && d.Labels.Size() == 0
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
		panic(autograd.NewShapeError(op, "the inputs and the targets differ in rows", d.Inputs.Shape(), targets))
	}
}

func (d Data) checkInputs(op string) {
	if !isGiven(d.Inputs) {
		panic(autograd.NewArgumentError(op, "the data have no Inputs"))
	}
	if d.Rows() == 0 {
		panic(autograd.NewShapeError(op, "the data have no rows", d.Inputs.Shape()))
	}
}

// in returns the data in the precision of a graph, so that no step has to
// convert them.
func (d Data) in(precision autograd.Precision) Data {
	return Data{in(d.Inputs, precision), in(d.Targets, precision), d.Labels}
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
	batch.Inputs = tensorLike(d.Inputs, rows)
	if isGiven(d.Targets) {
		batch.Targets = tensorLike(d.Targets, rows)
		return batch
	}
	if shape := d.Labels.Shape(); len(shape) > 0 {
		size := d.Labels.Size() / shape[0] * rows
		shape[0] = rows
		batch.Labels = autograd.NewInts(make([]int, size), shape...)
	}
	return batch
}

func tensorLike(t autograd.Tensor, rows int) autograd.Tensor {
	shape := t.Shape()
	shape[0] = rows
	return in(autograd.Zeros(shape...), t.Precision())
}

// gather fills d with those rows of the whole, in that order.
func (d Data) gather(whole Data, rows []int) {
	gatherTensor(d.Inputs, whole.Inputs, rows)
	if isGiven(d.Targets) {
		gatherTensor(d.Targets, whole.Targets, rows)
		return
	}
	gatherRows(d.Labels.Values(), whole.Labels.Values(), rows)
}

func gatherTensor(dst, src autograd.Tensor, rows []int) {
	if src.Precision() == autograd.Float32 {
		gatherRows(dst.Raw32(), src.Raw32(), rows)
	} else {
		gatherRows(dst.Raw64(), src.Raw64(), rows)
	}
}

func gatherRows[T any](dst, src []T, rows []int) {
	width := len(dst) / len(rows)
	for i, row := range rows {
		copy(dst[i*width:(i+1)*width], src[row*width:(row+1)*width])
	}
}
