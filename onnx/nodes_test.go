package onnx

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"nabla/autograd"
	"nabla/onnx/internal/message"
)

var (
	python      = flag.String("python", "", "make the ONNX project's node tests, and run other programs, with this `interpreter`")
	nodes       = flag.String("nodes", "", "run the ONNX project's tests in this `folder`")
	tries       = flag.Int("tries", 20000, "run so many operators at random")
	times       = flag.Int("times", 5, "change each of these tests so many times")
	outcomeFile = flag.String("outcomes", "", "write the outcome of each of these tests to this `file`")
)

// The tolerances of the ONNX project's own runner, but that the last is one of
// the greatest number if that is more than 1: outputs of sums that should be 0
// have rounding errors.
const (
	relative  = 1e-3
	ofBFloat  = 1.0 / 64
	tolerance = 1e-7
)

// random are tests whose outputs depend on random numbers, which the ONNX
// project's own runner leaves out too.
var random = []string{"test_bernoulli", "test_training_dropout"}

// isRandom reports whether a test's outputs depend on random numbers.
func isRandom(name string) bool {
	if strings.Contains(name, "zero_ratio") || strings.Contains(name, "_dropout") && !strings.Contains(name, "training") {
		return false
	}
	return slices.ContainsFunc(random, func(p string) bool { return strings.HasPrefix(name, p) })
}

// The ONNX project's tests of single operators run, as far as their operators
// are known, and give the outputs that they should.
//
//	go test ./onnx -run NodeTests -args -python PATH
//	go test ./onnx -run NodeTests -args -nodes FOLDER
func TestNodeTests(t *testing.T) {
	folder := *nodes
	if folder == "" && *python != "" {
		folder = t.TempDir()
		if out, err := exec.Command(*python, "testdata/nodes.py", folder).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	if folder == "" {
		t.Skip("with -args -python PATH, or -nodes FOLDER")
	}
	runFolder(t, folder)
}

// Networks of which onnx's own package has the outputs compute these: layers of
// PyTorch, converted long ago, and combinations of operators.
func TestConvertedNetworks(t *testing.T) {
	if *python == "" {
		t.Skip("with -args -python PATH")
	}
	out, err := exec.Command(*python, "-c", "import onnx, os; print(os.path.dirname(onnx.__file__))").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"pytorch-converted", "pytorch-operator", "simple"} {
		t.Run(kind, func(t *testing.T) {
			runFolder(t, filepath.Join(strings.TrimSpace(string(out)), "backend", "test", "data", kind))
		})
	}
}

// AlexNet, DenseNet, Inception, ResNet-50, ShuffleNet, SqueezeNet, VGG-19 and
// ZFNet compute what onnxruntime does.
func TestImageNetworks(t *testing.T) {
	if *python == "" {
		t.Skip("with -args -python PATH")
	}
	folder := t.TempDir()
	if out, err := exec.Command(*python, "testdata/run.py", folder).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	runFolder(t, folder)
}

// runFolder runs all tests in a folder, each in one of its own.
func runFolder(t *testing.T, folder string) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	outcomes := map[string]int{}
	report := new(strings.Builder)
	for _, e := range entries {
		outcome, why := runNodeTest(filepath.Join(folder, e.Name()), e.Name())
		outcomes[outcome]++
		fmt.Fprintf(report, "%s\t%s\t%s\n", outcome, e.Name(), strings.ReplaceAll(why, "\n", " "))
		if outcome == "failed" {
			t.Errorf("%s: %s", e.Name(), why)
		}
	}
	for _, outcome := range []string{"passed", "failed", "unsupported", "random"} {
		t.Logf("%s: %d", outcome, outcomes[outcome])
	}
	if outcomes["passed"] == 0 {
		t.Error("no test passed")
	}
	if *outcomeFile != "" {
		if err := os.WriteFile(*outcomeFile, []byte(report.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// runNodeTest runs one test and returns passed, failed, unsupported or random.
func runNodeTest(folder, name string) (outcome, why string) {
	m, err := ImportFile(filepath.Join(folder, "model.onnx"))
	var unsupported *UnsupportedError
	switch {
	case errors.As(err, &unsupported):
		return "unsupported", err.Error()
	case err != nil:
		return "failed", err.Error()
	case isRandom(name):
		return "random", ""
	}
	sets, err := filepath.Glob(filepath.Join(folder, "test_data_set_*"))
	if err != nil || len(sets) == 0 {
		return "failed", "no data"
	}
	for _, set := range sets {
		if err := m.checkSet(set, strings.Contains(name, "train")); err != nil {
			return "failed", err.Error()
		}
	}
	return "passed", ""
}

// checkSet runs the network on the inputs of a folder and compares the outputs.
func (m *Model) checkSet(folder string, training bool) error {
	inputs, double, err := m.readData(folder, "input", len(m.inputs), m.program.inputTypes())
	if err != nil {
		return err
	}
	want, alsoDouble, err := m.readData(folder, "output", len(m.outputs), m.program.types)
	if err != nil {
		return err
	}
	precision := autograd.Float32
	if double || alsoDouble {
		precision = autograd.Float64
	}
	g := autograd.NewGraph(autograd.Options{Precision: precision, Eval: !training})
	var got []datum
	if err := autograd.Try(func() { got = m.run(g, inputs) }); err != nil {
		return err
	}
	for i := range want {
		if err := same(g, got[i], want[i]); err != nil {
			return fmt.Errorf("output %d: %w", i, err)
		}
	}
	return nil
}

func (p *program) inputTypes() []*message.Type {
	types := make([]*message.Type, len(p.inputs))
	for i, in := range p.inputs {
		types[i] = in.typ
	}
	return types
}

// readData reads inputs or outputs, and says whether one is in double
// precision.
func (m *Model) readData(folder, kind string, n int, types []*message.Type) (data []datum, double bool, err error) {
	for i := range n {
		b, err := os.ReadFile(filepath.Join(folder, fmt.Sprintf("%s_%d.pb", kind, i)))
		if errors.Is(err, os.ErrNotExist) && kind == "input" && m.inputs[i].Optional {
			data = append(data, datum{kind: absent})
			continue
		}
		if err != nil {
			return nil, false, err
		}
		d, err := readDatum(b, types[i])
		if err != nil {
			return nil, false, err
		}
		data = append(data, d)
		double = double || d.elem == message.Double
	}
	return data, double, nil
}

// readDatum reads a TensorProto, a SequenceProto or an OptionalProto.
func readDatum(b []byte, typ *message.Type) (datum, error) {
	switch {
	case typ != nil && typ.Sequence != nil:
		list, err := readList(b, typ.Sequence)
		return ofSequence(list), err
	case typ != nil && typ.Optional != nil:
		list, err := readList(b, typ.Optional)
		return datum{kind: optional, list: list}, err
	}
	t, err := message.UnmarshalTensor(b)
	if err != nil {
		return datum{}, err
	}
	return decodeTensor(t, nil)
}

// readList reads the tensors or sequences in a SequenceProto or OptionalProto.
func readList(b []byte, typ *message.Type) ([]datum, error) {
	var list []datum
	for len(b) > 0 {
		number, wire, n := protowire.ConsumeTag(b)
		if n < 0 {
			return nil, protowire.ParseError(n)
		}
		b = b[n:]
		value, m := protowire.ConsumeBytes(b)
		if wire != protowire.BytesType {
			m = protowire.ConsumeFieldValue(number, wire, b)
		}
		if m < 0 {
			return nil, protowire.ParseError(m)
		}
		b = b[m:]
		if number == 3 || number == 5 {
			d, err := readDatum(value, typ)
			if err != nil {
				return nil, err
			}
			list = append(list, d)
		}
	}
	return list, nil
}

// same compares an output with what it should be.
func same(g *autograd.Graph, got, want datum) error {
	if got.kind != want.kind {
		return fmt.Errorf("%s instead of %s", got.describe(), want.describe())
	}
	if got.kind != tensor {
		if len(got.list) != len(want.list) {
			return fmt.Errorf("%d elements instead of %d", len(got.list), len(want.list))
		}
		for i := range got.list {
			if err := same(g, got.list[i], want.list[i]); err != nil {
				return fmt.Errorf("element %d: %w", i, err)
			}
		}
		return nil
	}
	if got.elem != want.elem || !slices.Equal(got.shape(), want.shape()) {
		return fmt.Errorf("%s instead of %s", got.describe(), want.describe())
	}
	c := &call{frame: &frame{run: &run{graph: g}}}
	switch {
	case want.elem == message.String:
		if !slices.Equal(got.host.strings, want.host.strings) {
			return fmt.Errorf("%q instead of %q", got.host.strings, want.host.strings)
		}
	case isFloat(want.elem):
		// A graph computes in its own precision, and a file of the output would
		// round.
		numbers := c.floatsOf(got)
		if f, ok := formatOf(want.elem); ok && want.elem != float8E8M0 {
			numbers = converted(numbers, func(v float64) float64 { return f.round(v, false) })
		}
		if want.elem == message.BFloat16 {
			return near(numbers, want.host.floats, ofBFloat)
		}
		return near(numbers, want.host.floats, relative)
	default:
		if values := c.intsOf(got); !slices.Equal(values, want.host.ints) {
			return fmt.Errorf("%v instead of %v", values, want.host.ints)
		}
	}
	return nil
}

func near(got, want []float64, relative float64) error {
	greatest := 1.0
	for _, w := range want {
		if a := math.Abs(w); !math.IsInf(a, 0) {
			greatest = max(greatest, a)
		}
	}
	for i, w := range want {
		switch v := got[i]; {
		case math.IsNaN(v) && math.IsNaN(w), v == w:
		case math.Abs(v-w) <= tolerance*greatest+relative*math.Abs(w):
		default:
			return fmt.Errorf("element %d of %d: %v instead of %v", i, len(want), v, w)
		}
	}
	return nil
}
