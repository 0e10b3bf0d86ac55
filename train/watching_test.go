package train_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/metrics"
	"nabla/optim"
	"nabla/train"
)

// watched is a training of 3 epochs of 4 batches, 1 s each by the clock.
func watched(clock *clock, callbacks ...train.Callback) train.Config {
	tick := train.OnStep(func(*train.Training, train.Step) error {
		clock.t = clock.t.Add(time.Second)
		return nil
	})
	return train.Config{
		Model: newLinear(2, 1), Loss: mse, Optimizer: optim.NewSGD(0.1), Epochs: 3, BatchSize: 10, Validation: plane(2, 10),
		Metrics: []train.Metric{{Name: "R²", Func: metrics.R2}}, Callbacks: append([]train.Callback{tick}, callbacks...),
	}
}

type clock struct{ t time.Time }

func newClock() *clock { return &clock{time.Unix(1_800_000_000, 0)} }

func (c *clock) now() time.Time { return c.t }

// On anything but a terminal there is a line for an epoch, if the last one is
// long enough ago, and one at the end.
func TestProgressInALog(t *testing.T) {
	var log strings.Builder
	clock := newClock()
	p := train.NewProgress(&log)
	p.SetClock(clock.now)
	p.Every = 5 * time.Second // epochs end after 4, 8 and 12 seconds
	run(t, watched(clock, p), plane(1, 40))
	lines := strings.Split(log.String(), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "epoch 2/3  66%  10.00 rows/s  loss 0.") ||
		!strings.Contains(lines[0], "  validation 0.") || !strings.Contains(lines[0], "  R² 0.") || !strings.HasSuffix(lines[0], "  4s left") {
		t.Errorf("wrote\n%q", log.String())
	}
	if !strings.HasPrefix(lines[1], "epoch 3/3  100%  10.00 rows/s") || !strings.HasSuffix(lines[1], "  in 12s") {
		t.Errorf("wrote\n%q", log.String())
	}
	if strings.ContainsAny(log.String(), "\r\x1b") {
		t.Error("wrote control characters")
	}
}

// A thousand epochs in no time are two lines at most.
func TestProgressIsNoFlood(t *testing.T) {
	var log strings.Builder
	c := watched(newClock(), train.NewProgress(&log))
	c.Epochs, c.Callbacks = 1000, c.Callbacks[1:]
	run(t, c, plane(1, 40))
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Errorf("%d lines", n)
	}
	quiet := train.NewProgress(&log)
	quiet.Quiet = true
	log.Reset()
	c.Callbacks = []train.Callback{quiet}
	run(t, c, plane(1, 40))
	if log.Len() > 0 {
		t.Errorf("a quiet one wrote %q", log.String())
	}
}

// On a terminal the line is drawn in its place, no wider than that.
func TestProgressOnATerminal(t *testing.T) {
	for _, quiet := range []bool{false, true} {
		var screen strings.Builder
		clock := newClock()
		p := train.NewProgress(&screen)
		p.SetClock(clock.now)
		p.Terminal, p.Every, p.Redraw, p.Width, p.Quiet = true, 5*time.Second, 2*time.Second, 30, quiet
		run(t, watched(clock, p), plane(1, 40))
		draws := strings.Split(screen.String(), "\r\x1b[K")[1:]
		for _, d := range draws {
			if n := len([]rune(strings.TrimSuffix(d, "\n"))); n > 30 {
				t.Errorf("%d characters: %q", n, d)
			}
		}
		stays := strings.Count(screen.String(), "\n")
		last := draws[len(draws)-1]
		switch {
		case quiet && (stays != 0 || last != "" || len(draws) != 9): // 6 drawings, removed after each epoch
			t.Errorf("drew %q", draws)
		case !quiet && (stays != 2 || !strings.HasPrefix(last, "epoch 3/3  100%") || len(draws) < 6):
			t.Errorf("drew %q", draws)
		}
		if !strings.HasPrefix(draws[0], "epoch 1/3  16%  10.00 rows/s  ") {
			t.Errorf("drew %q first", draws[0])
		}
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if train.NewProgress(file).Terminal {
		t.Error("a file counts as a terminal")
	}
}

func TestCSVWriter(t *testing.T) {
	var out, want strings.Builder
	history := run(t, watched(newClock(), train.NewCSVWriter(&out)), plane(1, 40))
	if err := history.WriteCSV(&want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), out.String()); diff != "" {
		t.Errorf("(-History.WriteCSV +CSVWriter)\n%s", diff)
	}
}

func TestJSONWriter(t *testing.T) {
	var out strings.Builder
	w := train.NewJSONWriter(&out)
	w.Steps = 6
	c := watched(newClock(), w)
	c.Metrics = append(c.Metrics, train.Metric{Name: "a \"b\"\n\\", Func: func(p, t autograd.Tensor) float64 { return math.NaN() }})
	history := run(t, c, plane(1, 40))
	type report struct {
		Loss       float64
		Metrics    map[string]*float64
		Validation *report
		Step       int
		Epoch      int
		Rate       float64
	}
	var lines []report
	for decoder := json.NewDecoder(strings.NewReader(out.String())); ; {
		var r report
		if err := decoder.Decode(&r); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, out.String())
		}
		lines = append(lines, r)
	}
	if len(lines) != 5 || strings.Count(out.String(), "\n") != 5 {
		t.Fatalf("wrote\n%s", out.String())
	}
	if s := lines[1]; s.Step != 6 || s.Epoch != 2 || s.Rate != 0.1 || !(s.Loss > 0) {
		t.Errorf("step 6 is %+v", s)
	}
	for i, at := range []int{0, 2, 4} {
		e, got := history[i], lines[at]
		if got.Epoch != e.Number || got.Loss != e.Train.Loss || *got.Metrics["R²"] != e.Train.Metric("R²") || got.Metrics["a \"b\"\n\\"] != nil ||
			got.Validation.Loss != e.Validation.Loss || *got.Validation.Metrics["R²"] != e.Validation.Metric("R²") {
			t.Errorf("epoch %d is %+v", i+1, got)
		}
	}
}

// What cannot be written ends the training, except for progress.
func TestWritersThatFail(t *testing.T) {
	for name, c := range map[string]train.Callback{"CSV": train.NewCSVWriter(broken{}), "JSON": train.NewJSONWriter(broken{})} {
		if _, err := train.Run(t.Context(), watched(newClock(), c), plane(1, 40)); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s: %v", name, err)
		}
	}
	run(t, watched(newClock(), train.NewProgress(broken{})), plane(1, 40))
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := train.Run(t.Context(), watched(newClock(), &train.TensorBoard{Folder: file}), plane(1, 40)); err == nil {
		t.Error("a file was taken as a folder")
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// board writes the event file of a training whose losses are known, and
// returns its bytes.
func board(t *testing.T, folder string) []byte {
	t.Helper()
	clock := newClock()
	b := &train.TensorBoard{Folder: folder, Histograms: 3}
	b.SetClock(clock.now)
	w := autograd.NewParam("w", autograd.Full(8, 1))
	run(t, train.Config{ // the loss is w, the gradient 1: 8, 7.5, 7, …
		Forward: func(g *autograd.Graph, batch train.Data) autograd.Value {
			return g.Constant(batch.Inputs).Mul(g.Param(w))
		},
		Loss:      func(p, t autograd.Value) autograd.Value { return p.Mean() },
		Optimizer: optim.NewSGD(0.5), Epochs: 3, BatchSize: 1,
		Validation: train.Data{Inputs: autograd.Ones(1, 1), Targets: autograd.Ones(1, 1)},
		Metrics:    []train.Metric{{Name: "gap", Func: func(p, t autograd.Tensor) float64 { return p.At(0, 0) - 1 }}},
		Callbacks: []train.Callback{train.OnStep(func(*train.Training, train.Step) error {
			clock.t = clock.t.Add(1500 * time.Millisecond)
			return nil
		}), b},
	}, train.Data{Inputs: autograd.Ones(2, 1), Targets: autograd.Ones(2, 1)})
	files, err := filepath.Glob(filepath.Join(folder, "events.out.tfevents.*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("files %v, error %v", files, err)
	}
	events, err := os.ReadFile(files[len(files)-1])
	if err != nil {
		t.Fatal(err)
	}
	return events
}

var (
	update = flag.Bool("update", false, "write the golden event file anew")
	python = flag.String("python", "", "read the event file with TensorBoard, by this `interpreter`")
)

const golden = "testdata/tensorboard/events.out.tfevents.golden"

// The bytes are those of the golden file, which TensorBoard has read, and each
// record has the checksums of the format, computed bit by bit here.
func TestTensorBoard(t *testing.T) {
	folder := t.TempDir()
	events := board(t, folder)
	if *update {
		if err := os.WriteFile(golden, events, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, events) {
		t.Errorf("%d bytes differ from the %d of %s", len(events), len(want), golden)
	}
	records := 0
	for rest := events; len(rest) > 0; records++ {
		size := binary.LittleEndian.Uint64(rest)
		data := rest[12 : 12+size]
		if binary.LittleEndian.Uint32(rest[8:]) != slowMasked(rest[:8]) || binary.LittleEndian.Uint32(rest[12+size:]) != slowMasked(data) {
			t.Fatalf("record %d has another checksum", records)
		}
		rest = rest[16+size:]
	}
	if records != 1+6+3 {
		t.Errorf("%d records", records)
	}
	if again := board(t, folder); !bytes.Equal(again, events) {
		t.Error("a second training in the folder wrote over the first")
	}
	if files, _ := os.ReadDir(folder); len(files) != 2 {
		t.Errorf("%d files of two trainings", len(files))
	}
}

// slowMasked is the masked CRC-32C, bit by bit.
func slowMasked(data []byte) uint32 {
	sum := ^uint32(0)
	for _, b := range data {
		sum ^= uint32(b)
		for range 8 {
			sum = sum>>1 ^ 0x82f63b78*(sum&1)
		}
	}
	sum = ^sum
	if sum != crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)) {
		panic("the slow twin is wrong")
	}
	return (sum>>15 | sum<<17) + 0xa282ead8
}

// TensorBoard's own package from PyPI reads what is written. Its interpreter
// must be named:
//
//	go test ./train -run Python -args -python venv/bin/python
func TestPythonReadsTensorBoard(t *testing.T) {
	if *python == "" {
		t.Skip("needs TensorBoard: run it with -args -python and an interpreter that has it")
	}
	folder := t.TempDir()
	board(t, folder)
	text, err := exec.Command(*python, "testdata/tensorboard/read.py", folder).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	var want strings.Builder
	for _, tag := range []string{"step/loss", "step/rate", "train/gap", "train/loss", "validation/gap", "validation/loss"} {
		fmt.Fprint(&want, tag)
		for step := 1; step <= 6; step++ {
			loss := 8 - 0.5*float64(step-1)
			switch {
			case tag == "step/loss":
			case tag == "step/rate":
				loss = 0.5
			case step%2 == 1:
				continue
			case tag == "train/loss":
				loss += 0.25
			case tag == "validation/loss":
				loss -= 0.5
			default:
				loss -= 1.5
			}
			fmt.Fprintf(&want, " %d:%.2f@%.1f", step, loss, 1.5*float64(step))
		}
		fmt.Fprintln(&want)
	}
	// The weight after the steps 3 and 6, and its gradient.
	fmt.Fprintln(&want, "gradients/w 3: 1 in 1.00 to 1.00, sum 1.00, squares 1.00, counts 1 6: 1 in 1.00 to 1.00, sum 1.00, squares 1.00, counts 1")
	fmt.Fprintln(&want, "weights/w 3: 1 in 6.50 to 6.50, sum 6.50, squares 42.25, counts 1 6: 1 in 5.00 to 5.00, sum 5.00, squares 25.00, counts 1")
	if diff := cmp.Diff(want.String(), string(text)); diff != "" {
		t.Errorf("(-written +read)\n%s", diff)
	}
}

// All callbacks together take no memory in steps, and one that does is noticed.
//
// By TensorBoard's clock each training begins in a second of its own: names of
// files that are taken are tried one by one, which allocates, and the more the
// more trainings were before.
func TestCallbacksAllocateNothingPerStep(t *testing.T) {
	if runtime.GOOS == "js" {
		t.Skip("writing to a file allocates here: os calls JavaScript")
	}
	clock := newClock()
	allocations := func(rows int, more ...train.Callback) float64 {
		p := train.NewProgress(io.Discard)
		p.Terminal, p.Redraw = true, 0
		j := train.NewJSONWriter(io.Discard)
		j.Steps = 1
		board := &train.TensorBoard{Folder: t.TempDir()}
		board.SetClock(func() time.Time { clock.t = clock.t.Add(time.Second); return clock.t })
		c := train.Config{
			Model: normalized(), Loss: mse, Optimizer: optim.NewAdam(0.01), BatchSize: 8, Schedule: optim.Cosine(0.01, 1000),
			Callbacks: append(more, p, j, train.NewCSVWriter(io.Discard), board, &train.EMA{Decay: 0.9}),
		}
		data := plane(1, rows)
		of := func(epochs int) float64 {
			c.Epochs = epochs
			return testing.AllocsPerRun(2, func() { run(t, c, data) })
		}
		return (of(12) - of(2)) / 10
	}
	// With the race detector, the fmt that names a file allocates at random:
	// some per training, so less than 1 in the difference.
	if few, many := allocations(80), allocations(400); many > few+4 {
		t.Errorf("%v allocations in an epoch of 10 batches, %v in one of 50", few, many)
	}
	var last *train.Step
	once := train.OnStep(func(_ *train.Training, s train.Step) error { last = &s; return nil })
	if few, many := allocations(80, once), allocations(400, once); many < few+36 || last == nil {
		t.Errorf("with one allocation in a step, %v in an epoch of 10 batches, %v in one of 50", few, many)
	}
}
