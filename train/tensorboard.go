package train

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"nabla/autograd"
)

// A TensorBoard writes an event file that TensorBoard shows while the training
// goes on and afterwards. It is a [Callback]; what fails to be written ends the
// training.
//
//	config.Callbacks = append(config.Callbacks, &train.TensorBoard{Folder: "runs/first"})
//
//	tensorboard --logdir runs
//
// Over the steps it shows "step/loss" and "step/rate", and at the step where
// each epoch ends "train/loss", "validation/loss" and the metrics, in the same
// way. Each training writes a file of its own into the folder; those of one
// that was stopped and resumed show as one curve; if it was killed, the steps
// after the checkpoint are in both.
type TensorBoard struct {
	Folder string // is made if it does not exist
	Steps  int    // writes the steps whose number it divides; 0: all

	// Histograms writes "weights/…" and "gradients/…" by the names of the
	// parameters, at the steps whose number it divides: of the weights after
	// the step, and of a table the gradients of the rows looked up. Unlike all
	// else, such steps copy the numbers. 0: none.
	Histograms int

	file    *os.File
	out     *bufio.Writer
	now     func() time.Time
	flushed time.Time
	summary []byte // scratch
	event   []byte
	frame   []byte
}

// OnBegin creates the file.
func (b *TensorBoard) OnBegin(*Training) error {
	if b.now == nil {
		b.now = time.Now
	}
	if err := os.MkdirAll(b.Folder, 0o755); err != nil {
		return err
	}
	begun := b.now()
	var err error
	for i := 0; ; i++ { // two trainings may begin in one second
		name := fmt.Sprintf("events.out.tfevents.%010d.nabla.%d", begun.Unix(), i)
		b.file, err = os.OpenFile(filepath.Join(b.Folder, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if !os.IsExist(err) {
			break
		}
	}
	if err != nil {
		return err
	}
	b.out, b.flushed = bufio.NewWriter(b.file), begun
	b.event = b.open(0)
	b.event = protowire.AppendString(protowire.AppendTag(b.event, eventVersion, protowire.BytesType), "brain.Event:2")
	if err := b.record(b.event); err != nil {
		return err
	}
	return b.out.Flush()
}

// OnStep writes the step.
func (b *TensorBoard) OnStep(t *Training, s Step) error {
	b.summary = b.summary[:0]
	if s.Number%max(1, b.Steps) == 0 {
		b.scalar("step/loss", s.Loss)
		if rate := t.LearningRate(); isFinite(rate) {
			b.scalar("step/rate", rate)
		}
	}
	if b.Histograms > 0 && s.Number%b.Histograms == 0 {
		for p, gradient := range s.Gradients.Stored() {
			b.histogram("weights/"+p.Name(), p.Tensor())
			b.histogram("gradients/"+p.Name(), gradient)
		}
	}
	if len(b.summary) == 0 {
		return nil
	}
	return b.write(s.Number)
}

// OnEpoch writes what the epoch was like.
func (b *TensorBoard) OnEpoch(t *Training, e Epoch) error {
	b.summary = b.summary[:0]
	b.report("train/", &e.Train)
	if e.Validation != nil {
		b.report("validation/", e.Validation)
	}
	return b.write(t.Steps())
}

// OnEnd closes the file.
func (b *TensorBoard) OnEnd(*Training, error) error {
	err := b.out.Flush()
	if closed := b.file.Close(); err == nil {
		err = closed
	}
	return err
}

func (b *TensorBoard) report(prefix string, r *Report) {
	b.scalar(prefix+"loss", r.Loss)
	for _, m := range r.Metrics {
		b.scalar(prefix+m.Name, m.Value)
	}
}

// The fields of the messages Event, Summary and Summary.Value in TensorFlow's
// event.proto and summary.proto.
const (
	eventTime    = 1 // double: seconds since 1970
	eventStep    = 2 // int64
	eventVersion = 3 // string
	eventSummary = 5 // Summary
	summaryValue = 1 // Value, repeated
	valueTag     = 1 // string
	valueSimple  = 2 // float
	valueHisto   = 5 // HistogramProto

	// Of HistogramProto: the first five are doubles, the others packed ones.
	histoMin, histoMax, histoNum, histoSum, histoSquares = 1, 2, 3, 4, 5
	histoLimits, histoCounts                             = 6, 7
)

// scalar adds a number to the summary.
func (b *TensorBoard) scalar(tag string, v float64) {
	size := protowire.SizeTag(valueTag) + protowire.SizeBytes(len(tag)) + protowire.SizeTag(valueSimple) + protowire.SizeFixed32()
	b.summary = protowire.AppendTag(b.summary, summaryValue, protowire.BytesType)
	b.summary = protowire.AppendVarint(b.summary, uint64(size))
	b.summary = protowire.AppendString(protowire.AppendTag(b.summary, valueTag, protowire.BytesType), tag)
	b.summary = protowire.AppendFixed32(protowire.AppendTag(b.summary, valueSimple, protowire.Fixed32Type), math.Float32bits(float32(v)))
}

// histogram adds one of a tensor's finite numbers to the summary, if it has
// some.
func (b *TensorBoard) histogram(tag string, t autograd.Tensor) {
	const bars = 30
	bins := histogram(t, bars)
	n, sum, squares := 0.0, 0.0, 0.0
	for _, v := range t.Float64s() {
		if isFinite(v) {
			n, sum, squares = n+1, sum+v, squares+v*v
		}
	}
	if n == 0 {
		return
	}
	double := func(b []byte, v float64) []byte { return protowire.AppendFixed64(b, math.Float64bits(v)) }
	var histo, limits, counts []byte
	for field, v := range []float64{histoMin: bins.Low, histoMax: bins.High, histoNum: n, histoSum: sum, histoSquares: squares} {
		if field > 0 {
			histo = double(protowire.AppendTag(histo, protowire.Number(field), protowire.Fixed64Type), v)
		}
	}
	for i, count := range bins.Counts {
		limits = double(limits, bins.Low+(bins.High-bins.Low)*float64(i+1)/bars)
		counts = double(counts, float64(count))
	}
	histo = protowire.AppendBytes(protowire.AppendTag(histo, histoLimits, protowire.BytesType), limits)
	histo = protowire.AppendBytes(protowire.AppendTag(histo, histoCounts, protowire.BytesType), counts)
	value := protowire.AppendString(protowire.AppendTag(nil, valueTag, protowire.BytesType), tag)
	value = protowire.AppendBytes(protowire.AppendTag(value, valueHisto, protowire.BytesType), histo)
	b.summary = protowire.AppendBytes(protowire.AppendTag(b.summary, summaryValue, protowire.BytesType), value)
}

// open begins an event of now.
func (b *TensorBoard) open(step int) []byte {
	seconds := float64(b.now().UnixNano()) / 1e9
	e := protowire.AppendFixed64(protowire.AppendTag(b.event[:0], eventTime, protowire.Fixed64Type), math.Float64bits(seconds))
	return protowire.AppendVarint(protowire.AppendTag(e, eventStep, protowire.VarintType), uint64(step))
}

// write writes the summary as an event, and hands it to the file every other
// second.
func (b *TensorBoard) write(step int) error {
	b.event = b.open(step)
	b.event = protowire.AppendBytes(protowire.AppendTag(b.event, eventSummary, protowire.BytesType), b.summary)
	if err := b.record(b.event); err != nil {
		return err
	}
	if now := b.now(); now.Sub(b.flushed) >= 2*time.Second {
		b.flushed = now
		return b.out.Flush()
	}
	return nil
}

// record writes bytes as TensorFlow's TFRecord: their number and its checksum,
// the bytes and theirs.
func (b *TensorBoard) record(data []byte) error {
	b.frame = binary.LittleEndian.AppendUint64(b.frame[:0], uint64(len(data)))
	b.frame = binary.LittleEndian.AppendUint32(b.frame, masked(b.frame))
	b.out.Write(b.frame) // the last Write returns what fails
	b.out.Write(data)
	b.frame = binary.LittleEndian.AppendUint32(b.frame[:0], masked(data))
	_, err := b.out.Write(b.frame)
	return err
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// masked returns the checksum of a TFRecord, which is turned and shifted so
// that checksums of what holds checksums stay useful.
func masked(data []byte) uint32 {
	sum := crc32.Checksum(data, castagnoli)
	return (sum>>15 | sum<<17) + 0xa282ead8
}
