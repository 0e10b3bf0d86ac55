package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// results runs the command and returns its result lines, by task.
func results(t *testing.T, w io.Writer, s settings) map[string]map[string]string {
	t.Helper()
	var text strings.Builder
	if err := run(context.Background(), io.MultiWriter(&text, w), s); err != nil {
		t.Fatal(err)
	}
	all := map[string]map[string]string{}
	for _, line := range strings.Split(text.String(), "\n") {
		if fields, ok := strings.CutPrefix(line, "result "); ok {
			result := map[string]string{}
			for _, field := range strings.Fields(fields) {
				name, value, _ := strings.Cut(field, "=")
				result[name] = value
			}
			all[result["task"]] = result
		}
	}
	return all
}

// output runs the command and returns the lines that it prints.
func output(t *testing.T, s settings) []string {
	t.Helper()
	var text strings.Builder
	results(t, &text, s)
	return strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
}

func number(t *testing.T, result map[string]string, name string) float64 {
	t.Helper()
	var v float64
	if _, err := fmt.Sscan(result[name], &v); err != nil {
		t.Fatalf("%s of %v: %v", name, result, err)
	}
	return v
}

// reaches reports whether results are at least as good as the course's
// figures.
func reaches(t *testing.T, all map[string]map[string]string) bool {
	t.Helper()
	of := func(task, name string) float64 { return number(t, all[task], name) }
	return of("nonlinear", "train_mse") <= 50.8 &&
		of("nonlinear-large", "train_mse") < of("nonlinear", "train_mse") &&
		of("binary", "train_accuracy") >= rounded(22./24) && of("binary", "test_accuracy") >= 7./8 &&
		of("binary-large", "train_accuracy") == 1 &&
		of("multiclass", "train_accuracy") >= rounded(23./24) && of("multiclass", "test_accuracy") >= 6./8 &&
		of("multiclass-large", "train_accuracy") == 1
}

// rounded is a number as the result lines print it.
func rounded(v float64) float64 { return math.Round(v*1e6) / 1e6 }

func TestDefaultSeedReachesTheCoursesFigures(t *testing.T) {
	all := results(t, io.Discard, settings{task: "all", seed: defaultSeed})
	if len(all) != len(networks) {
		t.Fatalf("%d result lines for %d networks", len(all), len(networks))
	}
	if !reaches(t, all) {
		t.Errorf("a figure is missed: %v", all)
	}
	line := map[string]string{"task": "linear", "network": "1-1", "epochs": "100", "train_mse": "16.3655", "test_mse": "144.466"}
	if diff := cmp.Diff(line, all["linear"]); diff != "" {
		t.Errorf("linear (-want +got):\n%s", diff)
	}
	// The best plane through the prices: what a network without activations
	// comes to.
	if mse := number(t, all["nonlinear-linear"], "train_mse"); math.Abs(mse-923.787) > 0.01 {
		t.Errorf("nonlinear-linear: train MSE %v", mse)
	}
}

// The last lines are the networks' results, in order, and nothing else is.
func TestEndsWithALineForEachNetwork(t *testing.T) {
	want := []string{
		"result task=linear network=1-1 epochs=100 train_mse= test_mse=",
		"result task=nonlinear-linear network=2-3-1 epochs=800 train_mse= test_mse=",
		"result task=nonlinear network=2-3-1 epochs=800 train_mse= test_mse=",
		"result task=nonlinear-large network=2-5-10-1 epochs=800 train_mse= test_mse=",
		"result task=binary network=2-3-1 epochs=800 train_accuracy= test_accuracy=",
		"result task=binary-large network=2-5-10-1 epochs=800 train_accuracy= test_accuracy=",
		"result task=multiclass network=2-3-3 epochs=800 train_accuracy= test_accuracy=",
		"result task=multiclass-large network=2-5-10-3 epochs=800 train_accuracy= test_accuracy=",
	}
	lines := output(t, settings{task: "all", seed: defaultSeed})
	measured := regexp.MustCompile(`((?:train|test)_[a-z]+=)\d+(?:\.\d+)?\b`)
	var got []string
	for _, line := range lines[len(lines)-len(want):] {
		got = append(got, measured.ReplaceAllString(line, "$1"))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the last lines (-want +got):\n%s", diff)
	}
	for _, line := range lines[:len(lines)-len(want)] {
		if strings.HasPrefix(line, "result") {
			t.Errorf("a result before the end: %s", line)
		}
	}
}

// What is printed about one network, number by number left out: the exact ones
// differ between processors in their last digits.
func TestReport(t *testing.T) {
	matrix := func(names ...string) []string {
		all := []string{`actual \ predicted ` + strings.Join(names, " ")}
		for _, name := range names {
			all = append(all, name+strings.Repeat(" #", len(names)))
		}
		all = append(all, "class precision recall F1 rows")
		for _, name := range names {
			all = append(all, name+" # # # #")
		}
		return append(all, "accuracy # #", "macro mean # # # #", "weighted mean # # # #")
	}
	classifier := func(measures string, names ...string) []string {
		return slices.Concat([]string{"train " + measures}, matrix(names...), []string{"test " + measures}, matrix(names...))
	}
	prices := "MSE # MAE # R² #"
	tests := []struct {
		task    string
		heading string
		summary []string
		epochs  []int // with a progress line
		report  []string
	}{
		{"linear", "== linear: 1-1, 100 epochs",
			[]string{"dense1 [8 1] 2", "total 2"},
			[]int{1, 12, 24, 36, 48, 60, 72, 84, 96}, []string{"train " + prices, "test " + prices}},
		{"nonlinear", "== nonlinear: 2-3-1, 800 epochs",
			[]string{"dense1 [24 3] 9", "relu1 [24 3] 0", "dense2 [24 1] 4", "total 13"},
			[]int{1, 100, 200, 300, 400, 500, 600, 700, 800}, []string{"train " + prices, "test " + prices}},
		{"binary", "== binary: 2-3-1, 800 epochs",
			[]string{"dense1 [24 3] 9", "relu1 [24 3] 0", "dense2 [24 1] 4", "sigmoid1 [24 1] 0", "total 13"},
			[]int{1, 100, 200, 300, 400, 500, 600, 700, 800}, classifier("accuracy # ROC AUC #", "not hot", "hot")},
		{"multiclass", "== multiclass: 2-3-3, 800 epochs",
			[]string{"dense1 [24 3] 9", "relu1 [24 3] 0", "dense2 [24 3] 12", "softmax1 [24 3] 0", "total 21"},
			[]int{1, 100, 200, 300, 400, 500, 600, 700, 800}, classifier("accuracy # macro F1 #", "bronze", "silver", "gold")},
	}
	for _, test := range tests {
		t.Run(test.task, func(t *testing.T) {
			want := append([]string{test.heading, "layer output parameters"}, test.summary...)
			for _, epoch := range test.epochs {
				want = append(want, fmt.Sprintf("epoch %d cost #", epoch))
			}
			want = append(want, test.report...)
			if diff := cmp.Diff(want, paragraph(output(t, settings{task: test.task, seed: defaultSeed}), test.heading)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

var (
	decimal = regexp.MustCompile(`-?\d+\.\d+`)
	whole   = regexp.MustCompile(` \d+\b`)
	// counts begins the lines in which whole numbers, too, are measured.
	counts = regexp.MustCompile(`^(accuracy|macro mean|weighted mean|bronze|silver|gold|not hot|hot) `)
)

// paragraph returns the lines from the heading to the next empty line, columns
// one space apart. What is measured is a # there.
func paragraph(lines []string, heading string) []string {
	start := slices.Index(lines, heading)
	if start < 0 {
		return nil
	}
	var some []string
	for _, line := range lines[start:] {
		if line == "" {
			break
		}
		line = strings.Join(strings.Fields(line), " ")
		line = decimal.ReplaceAllString(line, "#")
		if counts.MatchString(line) {
			line = whole.ReplaceAllString(line, " #")
		}
		some = append(some, line)
	}
	return some
}

func TestDefaultSeedIsTheFirst(t *testing.T) {
	for seed := uint64(1); seed < defaultSeed; seed++ {
		if reaches(t, results(t, io.Discard, settings{task: "all", seed: seed})) {
			t.Errorf("seed %d reaches every figure, too", seed)
		}
	}
}

// One lucky seed proves nothing: the whole is guarded by a hundred.
func TestHundredSeeds(t *testing.T) {
	if raceEnabled {
		t.Skip("takes long with the race detector")
	}
	const seeds = 100
	var mse, training, test []float64
	good, all := 0, 0
	for seed := uint64(1); seed <= seeds; seed++ {
		r := results(t, io.Discard, settings{task: "all", seed: seed})
		mse = append(mse, number(t, r["nonlinear"], "train_mse"))
		training = append(training, number(t, r["binary"], "train_accuracy"))
		test = append(test, number(t, r["binary"], "test_accuracy"))
		if mse[seed-1] <= 50.8 {
			good++
		}
		if reaches(t, r) {
			all++
		}
	}
	t.Logf("median MSE %.2f, %d of %d at most 50.8; binary medians %.4f and %.4f; every figure: %d", median(mse), good, seeds, median(training), median(test), all)
	if m := median(mse); m < 40 || m > 60 {
		t.Errorf("the median train MSE is %.2f, want 40 to 60", m)
	}
	if good < 40 {
		t.Errorf("%d runs have a train MSE of at most 50.8, want 40", good)
	}
	if median(training) < rounded(22./24) || median(test) < 7./8 {
		t.Errorf("the binary medians are %v and %v, want 22/24 and 7/8", median(training), median(test))
	}
}

// median returns the lower median.
func median(v []float64) float64 { return slices.Sorted(slices.Values(v))[(len(v)-1)/2] }

// TestWritesFiles expects pictures where Graphviz is installed.
func TestWritesFiles(t *testing.T) {
	extensions := []string{".dot"}
	if _, err := exec.LookPath("dot"); err == nil {
		extensions = append(extensions, ".svg")
	}
	writesFiles(t, extensions...)
}

func TestWritesNoPicturesWithoutGraphviz(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	writesFiles(t, ".dot")
}

func writesFiles(t *testing.T, extensions ...string) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	var text strings.Builder
	results(t, &text, settings{task: "binary", seed: 1, out: dir})
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, e := range entries {
		got = append(got, e.Name())
		if !strings.Contains(text.String(), "\nwrote "+filepath.Join(dir, e.Name())+"\n") {
			t.Errorf("%s is written but not reported", e.Name())
		}
	}
	for _, task := range []string{"binary", "binary-large"} {
		want = append(want, task+".history.csv", task+".html")
		for _, drawing := range []string{"forward", "backward", "combined", "layers", "course"} {
			for _, extension := range extensions {
				want = append(want, task+"."+drawing+extension)
			}
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	history, err := os.ReadFile(filepath.Join(dir, "binary.history.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(history), "\n"); lines != 801 {
		t.Errorf("the history has %d lines, want a header and 800 epochs", lines)
	}
}

// The pages of the smallest networks with hidden neurons are small enough to be
// mailed, with all their epochs.
func TestPageIsSmall(t *testing.T) {
	dir := t.TempDir()
	results(t, io.Discard, settings{task: "nonlinear", seed: defaultSeed, out: dir})
	results(t, io.Discard, settings{task: "binary", seed: defaultSeed, out: dir})
	for _, task := range []string{"nonlinear-linear", "nonlinear", "binary"} {
		info, err := os.Stat(filepath.Join(dir, task+".html"))
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > 150_000 {
			t.Errorf("the page of %s, a 2-3-1 network, has %d bytes", task, info.Size())
		}
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := run(ctx, io.Discard, settings{task: "all", seed: 1}); err == nil {
		t.Error("a cancelled context ends without an error")
	}
}

func TestParse(t *testing.T) {
	s, err := parse([]string{"-task", "binary", "-seed", "7", "-out", "x"}, io.Discard)
	if err != nil || s != (settings{"binary", 7, "x"}) {
		t.Errorf("got %v, %v", s, err)
	}
	for _, args := range [][]string{{"-task", "none"}, {"-seed", "x"}, {"more"}} {
		if _, err := parse(args, io.Discard); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
}
