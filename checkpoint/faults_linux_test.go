package checkpoint_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"nabla/checkpoint"
)

// small names the file that the test's own program tries to save where files
// must be small: a limit counts for a whole process.
const small = "NABLA_TEST_SAVE_SMALL"

func TestMain(m *testing.M) {
	path := os.Getenv(small)
	if path == "" {
		os.Exit(m.Run())
	}
	signal.Ignore(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 500, Max: 500}); err != nil {
		panic(err)
	}
	fmt.Println(checkpoint.Save(path, network(2)))
}

// If the file cannot be written to its end, because the disk is full for
// example, the error says so, the old file stands, and nothing is left over.
func TestSaveWithoutRoom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := checkpoint.Save(path, network(1)); err != nil {
		t.Fatal(err)
	}
	before := content(t, path)
	program := exec.Command(os.Args[0])
	program.Env = append(os.Environ(), small+"="+path)
	text, err := program.CombinedOutput()
	if err != nil || !strings.Contains(string(text), "was not written") || !strings.Contains(string(text), syscall.EFBIG.Error()) {
		t.Fatalf("%v: %s", err, text)
	}
	if string(before) != string(content(t, path)) {
		t.Error("the old file was changed")
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("files are left over: %v", entries)
	}
}

// A folder that is none, or not there, or a full device, is an error.
func TestSaveNowhere(t *testing.T) {
	notFolder := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(notFolder, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{
		filepath.Join(notFolder, "model"): syscall.ENOTDIR,
		"/no/such/folder/model":           os.ErrNotExist,
		"/proc/model":                     nil, // which one depends on the user
	} {
		err := checkpoint.Save(path, network(1))
		if err == nil || !errors.Is(err, want) && want != nil {
			t.Errorf("%s: got %v, want %v", path, err, want)
		}
	}
}
