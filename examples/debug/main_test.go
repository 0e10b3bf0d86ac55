package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The output itself compares the gradients of the repaired networks with
// central differences.
const want = `with CheckFinite
  autograd: Log in cost: -Inf in its value at element 1: [4 1] → [4 1], at main.go:LINE

the network as it was written
  not finite, in cost, main.go:LINE
    ln(1−p): first infinity: log of 0, at element [1 0]; spoils 4 values and 12 gradients
  dead relu, in relu1, main.go:LINE
    relu1/a: 2 of 3 units are dead: closed for all 4 rows
  saturated, in sigmoid1, main.go:LINE
    sigmoid1/a: saturated: 4 of 4 elements are outside 0.01 to 0.99, where the slope is below 0.01

d(dense1.weight) [2 3] = norm NaN, where dense1.weight [2 3] = norm 1.226
what its use hands back:
  xᵀ × d(features·dense1.weight) = norm NaN, through features·dense1.weight, with d(features·dense1.weight) = norm NaN
all of the 2 ways to cost:
  dense1.weight → features·dense1.weight → dense1/z → relu1/a → a·dense2.weight → dense2/z → sigmoid1/a → −a → 1−p → ln(1−p) → (−y + 1)·ln(1−p) → y·ln p + (−y + 1)·ln(1−p) → mean #21 → cost
  dense1.weight → features·dense1.weight → dense1/z → relu1/a → a·dense2.weight → dense2/z → sigmoid1/a → ln p → y·ln p → y·ln p + (−y + 1)·ln(1−p) → mean #21 → cost
4 of 6 are exactly zero, gate closed: relu1/a is closed
cause, log of 0: ln(1−p): log of 0, at element [1 0]
the gradient is not finite, so a step would spoil dense1.weight

d(dense1.weight)[0 1] = 0, where dense1.weight[0 1] = 0.05
what its use hands back:
  xᵀ × d(features·dense1.weight) = 0, through features·dense1.weight
all of the 2 ways to cost:
  dense1.weight → features·dense1.weight → dense1/z → relu1/a → a·dense2.weight → dense2/z → sigmoid1/a → −a → 1−p → ln(1−p) → (−y + 1)·ln(1−p) → y·ln p + (−y + 1)·ln(1−p) → mean #21 → cost
  dense1.weight → features·dense1.weight → dense1/z → relu1/a → a·dense2.weight → dense2/z → sigmoid1/a → ln p → y·ln p → y·ln p + (−y + 1)·ln(1−p) → mean #21 → cost
exactly zero, gate closed: relu1/a is closed
zero gradient, so dense1.weight[0 1] stays as it is

the network with scaled features
  dead relu, in relu1, main.go:LINE
    relu1/a: 1 of 3 units is dead: closed for all 4 rows

d(dense1.weight) [2 3] = norm 0.02249, where dense1.weight [2 3] = norm 1.226
what its use hands back:
  xᵀ × d(features·dense1.weight) = norm 0.02249, through features·dense1.weight, with d(features·dense1.weight) = norm 0.2024
all of the 2 ways to cost:
  about 55.2 %: dense1.weight → features·dense1.weight → dense1/z → relu1/a → a·dense2.weight → dense2/z → sigmoid1/a → −a → 1−p → ln(1−p) → (−y + 1)·ln(1−p) → y·ln p + (−y + 1)·ln(1−p) → mean #21 → cost
  about 44.8 %: dense1.weight → features·dense1.weight → dense1/z → relu1/a → a·dense2.weight → dense2/z → sigmoid1/a → ln p → y·ln p → y·ln p + (−y + 1)·ln(1−p) → mean #21 → cost
2 of 6 are exactly zero, gate closed: relu1/a is closed
central difference over ±7.423e−6: 0.02249, which agrees
of dense1.weight, 2 will be increased (negative gradient), 2 decreased (positive gradient), 2 left as they are

d(dense1.weight)[0 1] = 0, where dense1.weight[0 1] = 0.05
what its use hands back:
  xᵀ × d(features·dense1.weight) = 0, through features·dense1.weight
all of the 2 ways to cost:
  dense1.weight → features·dense1.weight → dense1/z → relu1/a → a·dense2.weight → dense2/z → sigmoid1/a → −a → 1−p → ln(1−p) → (−y + 1)·ln(1−p) → y·ln p + (−y + 1)·ln(1−p) → mean #21 → cost
  dense1.weight → features·dense1.weight → dense1/z → relu1/a → a·dense2.weight → dense2/z → sigmoid1/a → ln p → y·ln p → y·ln p + (−y + 1)·ln(1−p) → mean #21 → cost
exactly zero, gate closed: relu1/a is closed
central difference over ±6.055e−6: 0, which agrees
zero gradient, so dense1.weight[0 1] stays as it is

the network with scaled features and a small bias
  Diagnose finds nothing wrong

d(dense1.weight) [2 3] = norm 0.06351, where dense1.weight [2 3] = norm 1.226
what its use hands back:
  xᵀ × d(features·dense1.weight) = norm 0.06351, through features·dense1.weight, with d(features·dense1.weight) = norm 0.2158
all of the 2 ways to cost:
  about 57.2 %: dense1.weight → features·dense1.weight → dense1/z → relu1/a → a·dense2.weight → dense2/z → sigmoid1/a → −a → 1−p → ln(1−p) → (−y + 1)·ln(1−p) → y·ln p + (−y + 1)·ln(1−p) → mean #21 → cost
  about 42.8 %: dense1.weight → features·dense1.weight → dense1/z → relu1/a → a·dense2.weight → dense2/z → sigmoid1/a → ln p → y·ln p → y·ln p + (−y + 1)·ln(1−p) → mean #21 → cost
central difference over ±7.423e−6: 0.06351, which agrees
of dense1.weight, 2 will be increased (negative gradient), 4 decreased (positive gradient), 0 left as they are

d(dense1.weight)[0 1] = 0.02185, where dense1.weight[0 1] = 0.05
what its use hands back:
  xᵀ × d(features·dense1.weight) = 0.02185, through features·dense1.weight
all of the 2 ways to cost:
  about 57.2 %: dense1.weight → features·dense1.weight → dense1/z → relu1/a → a·dense2.weight → dense2/z → sigmoid1/a → −a → 1−p → ln(1−p) → (−y + 1)·ln(1−p) → y·ln p + (−y + 1)·ln(1−p) → mean #21 → cost
  about 42.8 %: dense1.weight → features·dense1.weight → dense1/z → relu1/a → a·dense2.weight → dense2/z → sigmoid1/a → ln p → y·ln p → y·ln p + (−y + 1)·ln(1−p) → mean #21 → cost
central difference over ±6.055e−6: 0.02185, which agrees
positive gradient, so dense1.weight[0 1] will be decreased
`

var line = regexp.MustCompile(`main\.go:(\d+)`)

func TestPrints(t *testing.T) {
	var text strings.Builder
	if err := run(&text, ""); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, line.ReplaceAllString(text.String(), "main.go:LINE")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The printed line numbers are those of the mistakes.
func TestLines(t *testing.T) {
	var text strings.Builder
	if err := run(&text, ""); err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(source), "\n")
	for i, part := range []string{".Log()", ".Log()", "model.Forward(", "model.Forward(", "model.Forward("} {
		number, err := strconv.Atoi(line.FindAllStringSubmatch(text.String(), -1)[i][1])
		if err != nil || !strings.Contains(lines[number-1], part) {
			t.Errorf("line %d is %q, want %q in it", number, lines[number-1], part)
		}
	}
}

func TestDraws(t *testing.T) {
	dir := t.TempDir()
	if err := run(&strings.Builder{}, dir); err != nil {
		t.Fatal(err)
	}
	for _, v := range versions {
		dot, err := os.ReadFile(filepath.Join(dir, v.name+".dot"))
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{"digraph", v.title, "relu"} {
			if !strings.Contains(string(dot), text) {
				t.Errorf("%s lacks %q", v.name, text)
			}
		}
		if broken := strings.Contains(string(dot), "NaN"); broken != (v.name == "nan") {
			t.Errorf("%s: there is a NaN: %v", v.name, broken)
		}
	}
}

func TestUnwritableFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run(&strings.Builder{}, file); err == nil {
		t.Error("no error")
	}
}
