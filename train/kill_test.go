package train_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/checkpoint"
	"nabla/layers"
	"nabla/optim"
	"nabla/train"
)

var kills = flag.Int("kills", 0, "how often to kill a training program; 0: for five seconds")

// killedFolder names the folder that the test's own program keeps a training
// in, when it is started as the program that is killed.
const killedFolder = "NABLA_TEST_KILLED_FOLDER"

// killed is a training with all that a step can read: Dropout, running
// statistics, an augmenting Loader, a schedule that remembers, a best epoch.
func killed() recipe {
	return recipe{"killed", autograd.Float64, func() optim.Optimizer { return optim.NewNAdam(0.001) }, func(c *train.Config) {
		c.Epochs, c.RNG = 60, nil
		c.Schedule = &optim.Plateau{LearningRate: 0.01, Factor: 0.9, Patience: 1}
		c.Loader = &train.LoaderOptions{Seed: 3, Workers: 2, Prepare: func(rng *rand.Rand, batch train.Data) {
			for i := range batch.Inputs.Raw64() {
				batch.Inputs.Raw64()[i] += 0.01 * rng.NormFloat64()
			}
		}}
	}}
}

// TestKilledProgram is the program that TestKill kills.
func TestKilledProgram(t *testing.T) {
	folder := os.Getenv(killedFolder)
	if folder == "" {
		t.Skip("it is started by TestKill")
	}
	keepKilled(t, folder)
}

func keepKilled(t *testing.T, folder string) {
	t.Helper()
	c := killed().config()
	c.Resume = folder
	c.Callbacks = []train.Callback{
		&train.EarlyStopping{Patience: 1000, Restore: true},
		&train.Checkpoint{Folder: folder, Every: 1, Keep: 2, KeepBest: true},
	}
	if _, err := train.Run(context.Background(), c, plane(1, rowsToResume)); err != nil {
		t.Fatal(err)
	}
}

// A program that is killed again and again, at any moment, leaves a whole file
// each time, which is no older than the one before, goes on from it, and ends
// with the bytes of a training that was never stopped.
//
//	go test ./train -run Kill -args -kills 100
func TestKill(t *testing.T) {
	if runtime.GOOS == "js" {
		t.Skip("no program can be started here")
	}
	through := filepath.Join(t.TempDir(), "through")
	keepKilled(t, through)
	want := newest(t, through)
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	folder := filepath.Join(t.TempDir(), "killed")
	deadline := time.Now().Add(5 * time.Second)
	done, halves, ends, last := 0, 0, 0, ""
	for *kills == 0 && time.Now().Before(deadline) || done < *kills {
		program := exec.Command(os.Args[0], "-test.run=^TestKilledProgram$")
		program.Env = append(os.Environ(), killedFolder+"="+folder)
		if err := program.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(time.Duration(50+rng.IntN(250))*time.Millisecond, func() { program.Process.Kill() })
		err := program.Wait()
		kill.Stop()
		if err == nil { // it came to the end
			ends++
			if diff := cmp.Diff(string(content(t, want)), string(content(t, newest(t, folder)))); diff != "" {
				t.Fatalf("after %d kills the end is another one", done)
			}
			folder, last = filepath.Join(t.TempDir(), fmt.Sprint("killed", ends)), ""
			continue
		}
		if program.ProcessState.Exited() {
			t.Fatalf("after %d kills: the program failed: %v", done, err)
		}
		done++
		left, _ := filepath.Glob(filepath.Join(folder, ".*"))
		halves += len(left)
		path := newest(t, folder)
		if path < last {
			t.Fatalf("%s comes after %s", path, last)
		}
		if last = path; path == "" {
			continue // killed before the first
		}
		c := killed().config()
		k := checkpoint.Training{Model: c.Model.(*layers.Sequential), Optimizer: c.Optimizer}
		if err := k.Load(path); err != nil {
			t.Fatalf("after %d kills: %v", done, err)
		}
	}
	keepKilled(t, folder)
	if diff := cmp.Diff(string(content(t, want)), string(content(t, newest(t, folder)))); diff != "" {
		t.Errorf("after %d kills the end is another one", done)
	}
	t.Logf("killed %d times, %d of them within a file, through to the end %d times", done, halves, ends+1)
}

// newest returns the path of the newest file, "" if there is none.
func newest(t *testing.T, folder string) string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "step-*.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		return ""
	}
	return paths[len(paths)-1]
}

func content(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
