package command

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestResultIsALineForProgramsOrPeople(t *testing.T) {
	for _, results := range []bool{false, true} {
		var out strings.Builder
		c := New("digits", 3).To(&out)
		c.Results = results
		c.Print("for people: %d", 7)
		c.Result("network=%s accuracy=%.3f", "lenet", 0.5)
		want := "for people: 7\nnetwork=lenet accuracy=0.500 seed=1 seconds=0\n"
		if results {
			want = "result network=lenet accuracy=0.500 seed=1 seconds=0\n"
		}
		if out.String() != want {
			t.Errorf("printed %q, want %q", out.String(), want)
		}
	}
}

// A file is no terminal: a log must not fill with progress.
func TestProgressIsQuietInAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	c := New("digits", 3)
	c.stderr = file
	p := c.Progress("epoch 1", 10)
	p.Add(5, 1)
	p.End()
	if text, _ := os.ReadFile(path); len(text) > 0 {
		t.Errorf("progress wrote %q", text)
	}
}

func TestProgressSaysRateLossAndTimeLeft(t *testing.T) {
	path := filepath.Join(t.TempDir(), "terminal")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	c := New("digits", 3)
	p := c.Progress("epoch 1", 10)
	p.terminal = file
	p.Add(5, 0.25)
	p.Add(1, 0.5) // too soon to be drawn
	p.End()
	text, _ := os.ReadFile(path)
	if !regexp.MustCompile(`^\r\x1b\[Kepoch 1   50 %  \d+/s  loss 0.2500  0s left\r\x1b\[K$`).Match(text) {
		t.Errorf("progress wrote %q", text)
	}
}

func TestWriteMakesTheFolder(t *testing.T) {
	var out strings.Builder
	c := New("digits", 3).To(&out)
	c.Out = filepath.Join(t.TempDir(), "a", "b")
	save := func(path string) error { return os.WriteFile(path, []byte("x"), 0o644) }
	if err := c.Write("x.txt", save); err != nil {
		t.Fatal(err)
	}
	if want := "wrote " + filepath.Join(c.Out, "x.txt") + "\n"; out.String() != want {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
	fail := errors.New("full")
	if err := c.Write("y.txt", func(string) error { return fail }); err != fail {
		t.Errorf("Write returned %v", err)
	}
	c.Out = ""
	if err := c.Write("z.txt", func(string) error { return fail }); err != nil {
		t.Errorf("without a folder Write returned %v", err)
	}
}

func TestFirst(t *testing.T) {
	c := New("digits", 1)
	if c.First(10) != 10 {
		t.Error("all rows are not the default")
	}
	if c.Rows = 4; c.First(10) != 4 || c.First(3) != 3 {
		t.Error("Rows is not a limit")
	}
}
