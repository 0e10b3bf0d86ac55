package pprof_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/internal/pprof"
)

// What is written is what "go tool pprof" reads. Its package is not imported
// here: users of the library would download it.
func TestWrite(t *testing.T) {
	written := pprof.Profile{
		Kinds:   []pprof.Kind{{Name: "calls", Unit: "count"}, {Name: "time", Unit: "nanoseconds"}},
		Default: "time",
		Samples: []pprof.Sample{
			{Stack: []string{"backward", "max pool", "dense1"}, Values: []int64{0, 1 << 40}},
			{Stack: []string{"forward", "max pool", "dense1"}, Values: []int64{3, 77}},
			{Stack: []string{"forward", "time"}, Values: []int64{1, 0}},
			{Stack: []string{"forward"}, Values: []int64{1, -1}},
		},
	}
	path := filepath.Join(t.TempDir(), "profile.pb.gz")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(written.Write(file), file.Close()); err != nil {
		t.Fatal(err)
	}
	var faults bytes.Buffer
	command := exec.Command("go", "tool", "pprof", "-raw", path)
	command.Stderr = &faults
	raw, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &faults)
	}
	var got []string
	for line := range strings.Lines(string(raw)) {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	want := []string{
		"PeriodType:",
		"Period: 0",
		"Samples:",
		"calls/count time/nanoseconds[dflt]",
		"0 1099511627776: 1 2 3",
		"3 77: 4 2 3",
		"1 0: 4 5",
		"1 -1: 4",
		"Locations",
		"1: 0x0 M=1 backward :0:0 s=0()",
		"2: 0x0 M=1 max pool :0:0 s=0()",
		"3: 0x0 M=1 dense1 :0:0 s=0()",
		"4: 0x0 M=1 forward :0:0 s=0()",
		"5: 0x0 M=1 time :0:0 s=0()",
		"Mappings",
		"1: 0x0/0x0/0x0 [FN]", // all functions have names
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("broken") }

func TestWriteFails(t *testing.T) {
	if err := (pprof.Profile{}).Write(broken{}); err == nil {
		t.Error("no error")
	}
}
