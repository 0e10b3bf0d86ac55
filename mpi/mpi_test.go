package mpi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nabla/autograd"
	"nabla/checkpoint"
	"nabla/data/mnist"
	"nabla/layers"
	"nabla/losses"
	"nabla/metrics"
	"nabla/mpi"
	"nabla/optim"
	"nabla/train"
)

// The tests start their own program under mpirun. What it does there is one of
// these, as the environment says.
var programs = map[string]func() error{
	"everything": everything, "differs": differs, "dies": dies, "hangs": hangs, "fast": fast,
	"exchanges": exchanges, "lengths": lengths, "loop": loop, "overlaps": overlaps, "alone": alone, "lifetime": lifetime,
}

const (
	programName = "NABLA_MPI_PROGRAM"
	folderName  = "NABLA_MPI_FOLDER"
	outName     = "NABLA_MPI_OUT" // the folder that each process says something in
)

// say writes a line to a file of this process: what several print at once,
// mpirun may mix.
func say(format string, args ...any) {
	path := filepath.Join(os.Getenv(outName), strconv.Itoa(os.Getpid()))
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err == nil {
		_, err = fmt.Fprintf(f, format+"\n", args...)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		panic(err)
	}
}

func TestMain(m *testing.M) {
	name := os.Getenv(programName)
	if name == "" {
		os.Exit(m.Run())
	}
	if err := programs[name](); err != nil {
		say("error: %v", err)
		os.Exit(1)
	}
}

// launcher returns the mpirun of the MPI library that the tests are built with.
func launcher(t *testing.T) []string {
	t.Helper()
	for _, name := range launchers {
		if path, err := exec.LookPath(name); err == nil {
			return append([]string{path}, launcherFlags...)
		}
	}
	t.Skipf("there is no mpirun: none of %v", launchers)
	return nil
}

// run runs a program on so many processes, and returns what they say, sorted.
func run(t *testing.T, ranks int, program string, env ...string) ([]string, error) {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return speak(t, append(launcher(t), "-np", strconv.Itoa(ranks), executable), append(env, programName+"="+program)...)
}

// speak runs a command whose processes say something.
func speak(t *testing.T, command []string, env ...string) ([]string, error) {
	t.Helper()
	out := t.TempDir()
	_, err := start(t, command, append(env, outName+"="+out)...)
	var lines []string
	for _, text := range filesOf(t, out) {
		lines = append(lines, strings.Split(strings.TrimSpace(text), "\n")...)
	}
	slices.Sort(lines)
	return lines, err
}

// start runs a command, which must end within some time, and returns the lines
// that it prints.
func start(t *testing.T, command []string, env ...string) ([]string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	var out, complaint bytes.Buffer
	c.Stdout, c.Stderr, c.Env = &out, &complaint, append(os.Environ(), env...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	c.WaitDelay = 5 * time.Second
	err := c.Run()
	if ctx.Err() != nil {
		t.Fatalf("%v hangs; it printed\n%s%s", command, &out, &complaint)
	}
	if bytes.Contains(complaint.Bytes(), []byte("DATA RACE")) {
		t.Fatalf("%s", &complaint)
	}
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, &complaint)
	}
	return strings.Split(strings.TrimSpace(out.String()), "\n"), err
}

// config is a training with Dropout, running statistics, an average of the
// weights, early stopping and, in a folder, files. Its 67 rows do not divide:
// the last batch has fewer parts than there are processes.
func config(folder string) (train.Config, train.Data) {
	rng := rand.New(rand.NewPCG(11, 0))
	model := layers.NewSequential(
		layers.NewDense(rng, 2, 16), layers.NewBatchNorm(16), layers.ReLU(), layers.Dropout(0.3), layers.NewDense(rng, 16, 1),
	)
	c := train.Config{
		Model: model, Loss: losses.MSE, Optimizer: optim.NewAdamW(0.02), Epochs: 12, BatchSize: 30, Parts: 8, Bucket: 100,
		Loader: &train.LoaderOptions{Seed: 4}, Graph: autograd.Options{Seed: 9},
		Metrics: []train.Metric{{Name: "R²", Func: metrics.R2}}, Validation: samples(2, 23),
		OnGradients: func(grads autograd.Gradients) { optim.ClipNorm(grads, 0.5) },
		Callbacks:   []train.Callback{&train.EMA{Decay: 0.9}, &train.EarlyStopping{Patience: 2, MinDelta: 0.01, Restore: true}},
	}
	if folder != "" {
		c.Resume = folder
		c.Callbacks = append(c.Callbacks, &train.Checkpoint{Folder: folder, Every: 3, KeepBest: true})
	}
	return c, samples(1, 67)
}

func samples(seed uint64, rows int) train.Data {
	rng := rand.New(rand.NewPCG(seed, 3))
	x, y := autograd.Normal(rng, 0, 1, rows, 2), autograd.Zeros(rows, 1)
	for i := range rows {
		y.Raw64()[i] = x.At(i, 0)*x.At(i, 1) + 0.1*rng.NormFloat64()
	}
	return train.Data{Inputs: x, Targets: y}
}

// report says how a training ended: the checksum of what it has learned, and
// all losses, exactly.
func report(rank int, c train.Config, h train.History) {
	say("rank %d: %s", rank, summary(c, h))
}

func summary(c train.Config, h train.History) string {
	text := "hash " + train.Hash(c.Model.(*layers.Sequential).Params()...)
	for _, e := range h {
		text += fmt.Sprintf(" %x %x %x", e.Train.Loss, e.Validation.Loss, e.Validation.Metric("R²"))
	}
	return text
}

// begin returns the world of a program.
func begin() (*mpi.World, error) { return mpi.Init(mpi.Options{Timeout: time.Minute}) }

func everything() error {
	world, err := begin()
	if err != nil {
		return err
	}
	c, data := config(os.Getenv(folderName))
	c.Group = world
	h, err := train.Run(context.Background(), c, data)
	if err != nil {
		return err
	}
	report(world.Rank(), c, h)
	return world.Close()
}

// One process with Workers, and 1, 2, 3, 4 and 8 processes, give the same bits:
// of Params and statistics, of losses and metrics, and of the files.
func TestSameBitsForAnyNumberOfProcesses(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "workers")
	c, data := config(folder)
	c.Workers = 2
	h, err := train.Run(t.Context(), c, data)
	if err != nil {
		t.Fatal(err)
	}
	if len(h) == c.Epochs {
		t.Fatal("it does not stop early: the test shows nothing about that")
	}
	want := summary(c, h)
	files := filesOf(t, folder)
	for _, ranks := range []int{1, 2, 3, 4, 8} {
		folder := filepath.Join(t.TempDir(), "files")
		lines, err := run(t, ranks, "everything", folderName+"="+folder)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for rank := range ranks {
			all = append(all, fmt.Sprintf("rank %d: %s", rank, want))
		}
		if diff := cmp.Diff(all, lines); diff != "" {
			t.Errorf("%d processes (-workers +processes)\n%s", ranks, diff)
		}
		if diff := cmp.Diff(files, filesOf(t, folder)); diff != "" {
			t.Errorf("%d processes: the files differ (-workers +processes)\n%.1000s", ranks, diff)
		}
	}
}

// filesOf returns the contents of a folder's files.
func filesOf(t *testing.T, folder string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = string(text)
	}
	return files
}

// differs changes a number of one process behind the training's back.
func differs() error {
	world, err := begin()
	if err != nil {
		return err
	}
	c, data := config(os.Getenv(folderName))
	c.Group = world
	c.Callbacks = []train.Callback{c.Callbacks[2], train.OnStep(func(tr *train.Training, s train.Step) error {
		if world.Rank() == 1 && s.Number == 5 {
			tr.Params()[0].Writable().Raw64()[0] += 1e-12
		}
		return nil
	})}
	_, err = train.Run(context.Background(), c, data)
	say("rank %d: %v", world.Rank(), err)
	return world.Close() // all know of the error, and end in order
}

// A process whose numbers differ is found at the next checkpoint, which is then
// not written, by all of them.
func TestDifferentNumbersAreFound(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "files")
	lines, err := run(t, 3, "differs", folderName+"="+folder)
	if err != nil {
		t.Fatal(err)
	}
	const text = "train: member 1 of the group: other numbers in Params, statistics or optimizer than member 0: something beside the steps has changed them"
	if diff := cmp.Diff([]string{"rank 0: " + text, "rank 1: " + text, "rank 2: " + text}, lines); diff != "" {
		t.Error(diff)
	}
	if _, ok := filesOf(t, folder)["step-000000000003.safetensors"]; !ok || len(filesOf(t, folder)) != 2 {
		t.Errorf("the files: %d", len(filesOf(t, folder)))
	}
}

// dies kills a process in its tenth step, while the others wait for it, unless
// the files of an earlier run are there.
func dies() error {
	world, err := begin()
	if err != nil {
		return err
	}
	folder := os.Getenv(folderName)
	_, missing := os.Stat(folder)
	c, data := config(folder)
	c.Group = world
	forward := c.Model
	steps := 0
	c.Forward = func(g *autograd.Graph, batch train.Data) autograd.Value {
		if g.Training() {
			if steps++; missing != nil && world.Rank() == 2 && steps == 10 {
				syscall.Kill(os.Getpid(), syscall.SIGKILL)
			}
		}
		return forward.Forward(g.Constant(batch.Inputs))
	}
	h, err := train.Run(context.Background(), c, data)
	if err != nil {
		return err
	}
	report(world.Rank(), c, h)
	return world.Close()
}

// If a process is killed, mpirun ends all of them with an error. The files that
// were there by then are whole, and the same command goes on from the newest to
// the end that it would have come to.
func TestProcessThatDies(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "files")
	lines, err := run(t, 4, "dies", folderName+"="+folder)
	if err == nil || strings.Contains(strings.Join(lines, "\n"), "hash") {
		t.Fatalf("the training went on: %v", lines)
	}
	files := filesOf(t, folder)
	if len(files) < 2 {
		t.Fatalf("%d files", len(files))
	}
	for name := range files {
		c, _ := config("")
		k := checkpoint.Training{Model: c.Model.(*layers.Sequential), Optimizer: c.Optimizer}
		if strings.HasPrefix(name, ".") {
			continue // was being written
		}
		if err := k.Load(filepath.Join(folder, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	through, err := run(t, 1, "everything", folderName+"="+filepath.Join(t.TempDir(), "through"))
	if err != nil {
		t.Fatal(err)
	}
	resumed, err := run(t, 4, "dies", folderName+"="+folder)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(through[0], resumed[0]); diff != "" {
		t.Errorf("(-through +resumed)\n%s", diff)
	}
}

// hangs stops a process in its tenth step.
func hangs() error {
	world, err := mpi.Init(mpi.Options{Timeout: 2 * time.Second})
	if err != nil {
		return err
	}
	c, data := config(os.Getenv(folderName))
	c.Group = world
	c.Callbacks = []train.Callback{c.Callbacks[2], train.OnStep(func(_ *train.Training, s train.Step) error {
		if world.Rank() == 2 && s.Number == 10 {
			syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		}
		return nil
	})}
	_, err = train.Run(context.Background(), c, data)
	var late *mpi.TimeoutError
	if errors.As(err, &late) {
		err := os.WriteFile(filepath.Join(os.Getenv(folderName), fmt.Sprint("late", world.Rank())), []byte(err.Error()), 0o666)
		if err != nil {
			return err
		}
		time.Sleep(2 * time.Second) // the first to end makes mpirun kill the others, which are to come here too
	}
	if closing := world.Close(); closing != nil { // which must not wait
		return closing
	}
	return err
}

// A process that does not answer, which mpirun does not notice, is an error of
// the others after the timeout. What was kept by then stays.
func TestProcessThatHangs(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "files")
	if lines, err := run(t, 4, "hangs", folderName+"="+folder); err == nil {
		t.Fatalf("the training went on: %v", lines)
	}
	files := filesOf(t, folder)
	for _, rank := range []int{0, 1, 3} {
		if text := files[fmt.Sprint("late", rank)]; !strings.Contains(text, "mpi: Exchange: not all ranks came within 2s") {
			t.Errorf("rank %d: %q", rank, text)
		}
	}
	if _, ok := files["step-000000000009.safetensors"]; !ok {
		t.Error("the last checkpoint is not there")
	}
}

func fast() error {
	world, err := begin()
	if err != nil {
		return err
	}
	mpi.SetLargest(2)
	wide, narrow := []float64{1, 0.5, float64(world.Rank())}, []float32{float32(world.Rank()), 2}
	group := world.Fast()
	if err := errors.Join(group.(train.Adder).Add64(wide), group.(train.Adder).Add32(narrow), group.(train.Adder).Add32(nil)); err != nil {
		return err
	}
	say("rank %d %v %v", world.Rank(), wide, narrow)
	mpi.SetLargest(1 << 30)
	c, data := config("")
	c.Group, c.Callbacks, c.Epochs = group, nil, 4
	h, err := train.Run(context.Background(), c, data)
	if err != nil {
		return err
	}
	say("rank %d: loss %.6f", world.Rank(), h[3].Validation.Loss)
	return world.Close()
}

// MPI's own sums train as well, but for rounding.
func TestFast(t *testing.T) {
	c, data := config("")
	c.Workers, c.Callbacks, c.Epochs = 1, nil, 4
	h, err := train.Run(t.Context(), c, data)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := run(t, 3, "fast")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for rank := range 3 {
		want = append(want, fmt.Sprintf("rank %d [3 1.5 3] [3 6]", rank), fmt.Sprintf("rank %d: loss %.6f", rank, h[3].Validation.Loss))
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
}

// exchanges sends from each to each what only they send, in many sizes.
func exchanges() error {
	world, err := begin()
	if err != nil {
		return err
	}
	if n, err := strconv.Atoi(os.Getenv(folderName)); err == nil {
		mpi.SetLargest(n)
	}
	size := func(from, to, round int) int { return []int{0, 1, 7 + from, 5000 * to, 3<<20 + from - to}[round] }
	for round := range 5 {
		var send, receive [][]byte
		for other := range world.Size() {
			text := bytes.Repeat([]byte{byte(1 + 16*world.Rank() + other)}, size(world.Rank(), other, round))
			send, receive = append(send, text), append(receive, make([]byte, size(other, world.Rank(), round)))
		}
		if err := world.Exchange(send, receive); err != nil {
			return err
		}
		for other, text := range receive {
			if n := bytes.Count(text, []byte{byte(1 + 16*other + world.Rank())}); n != len(text) {
				return fmt.Errorf("round %d: %d of %d bytes from %d", round, n, len(text), other)
			}
		}
	}
	say("rank %d of %d %s", world.Rank(), world.Size(), world.Library())
	return world.Close()
}

func TestExchange(t *testing.T) {
	for _, ranks := range []int{1, 2, 5} {
		lines, err := run(t, ranks, "exchanges", folderName+"="+[]string{"", "", "100000", "", "", ""}[ranks]) // 2 ranks in pieces
		if err != nil || len(lines) < ranks {
			t.Fatalf("%v: %v", err, lines)
		}
		for rank := range ranks {
			if want := fmt.Sprintf("rank %d of %d %s", rank, ranks, library); !strings.Contains(strings.Join(lines, "\n"), want) {
				t.Errorf("%v, want %s", lines, want)
			}
		}
	}
}

// lengths sends more than is wanted, or less. All ranks have such a neighbour.
func lengths() error {
	world, err := begin()
	if err != nil {
		return err
	}
	want := 10
	if os.Getenv(folderName) == "less" {
		want = 30
	}
	var send, receive [][]byte
	for other := range world.Size() {
		n := 20
		if other == world.Rank() {
			n = want
		}
		send, receive = append(send, make([]byte, n)), append(receive, make([]byte, want))
	}
	err = world.Exchange(send, receive)
	var fault *mpi.Error
	if !errors.As(err, &fault) || fault.Op != "Exchange" {
		return fmt.Errorf("no error: %v", err)
	}
	if again := world.Exchange(receive, receive); again != err {
		return fmt.Errorf("the second time: %v", again)
	}
	if err := world.Close(); err != nil {
		return err
	}
	say("found")
	time.Sleep(time.Second) // mpirun kills the other when this one ends, which is to find it too
	return nil
}

func TestLengthsThatDiffer(t *testing.T) {
	for _, how := range []string{"more", "less"} {
		lines, _ := run(t, 2, "lengths", folderName+"="+how) // without a Finalize mpirun complains
		if diff := cmp.Diff([]string{"found", "found"}, lines); diff != "" {
			t.Errorf("%s: %s", how, diff)
		}
	}
}

// A counting World counts its exchanges.
type counting struct {
	train.Group
	done chan struct{}
}

func (c counting) Exchange(send, receive [][]byte) error {
	err := c.Group.Exchange(send, receive)
	c.done <- struct{}{}
	return err
}

// overlaps is a training whose backward pass waits, between the layers, until
// the gradients of the last layer have been added up over all ranks.
func overlaps() error {
	world, err := begin()
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(1, 0))
	first, last := layers.NewDense(rng, 2, 8), layers.NewDense(rng, 8, 1)
	group := counting{world, make(chan struct{}, 100)}
	waited := 0
	c := train.Config{
		Params: layers.NewSequential(first, last).Params(), Loss: losses.MSE, Optimizer: optim.NewSGD(0.1),
		Epochs: 3, Parts: world.Size(), Bucket: 1, Group: group,
		Forward: func(g *autograd.Graph, batch train.Data) autograd.Value {
			x := first.Forward(g.Constant(batch.Inputs))
			for len(group.done) > 0 {
				<-group.done // those before this step
			}
			wait := autograd.Operation{
				Name:    "wait",
				Forward: func(in []autograd.Tensor) autograd.Tensor { return in[0] },
				Rule: func(r *autograd.Rule) {
					<-group.done // to each member its piece
					<-group.done // and the sum to all
					waited++
					r.Add(0, r.Grad())
				},
			}
			return last.Forward(autograd.Custom(wait, x))
		},
	}
	if _, err := train.Run(context.Background(), c, samples(1, 32)); err != nil {
		return err
	}
	say("rank %d waited %d times", world.Rank(), waited)
	return world.Close()
}

// Gradients go while the backward pass still runs, also on one processor.
func TestOverlap(t *testing.T) {
	for _, processors := range []string{"1", "2"} {
		lines, err := run(t, 2, "overlaps", "GOMAXPROCS="+processors)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"rank 0 waited 3 times", "rank 1 waited 3 times"}, lines); diff != "" {
			t.Error(diff)
		}
	}
}

// loop is the loop of the package's comment.
func loop() error {
	world, err := begin()
	if err != nil {
		return err
	}
	model, optimizer := layers.NewDense(rand.New(rand.NewPCG(1, 0)), 2, 1), optim.NewSGD(0.1)
	data := samples(1, 12)
	rows := 12 / world.Size()
	first := world.Rank() * rows
	g, sum := autograd.NewGraph(autograd.Options{}), autograd.Gradients{}
	allReduce := train.NewAllReduce(world, model.Params()...)
	step := func() error {
		g.Reset()
		x, y := g.Constant(data.Inputs).Narrow(0, first, rows), g.Constant(data.Targets).Narrow(0, first, rows)
		loss := losses.MSE(model.Forward(x), y)
		sum.Clear()
		sum.AddWeighted(loss.Backward(), float64(rows))
		if err := allReduce(&sum); err != nil {
			return err
		}
		sum.Average()
		optimizer.Step(sum)
		return nil
	}
	for range 20 {
		if err := step(); err != nil {
			return err
		}
	}
	say("%.9f", model.Params()[0].Tensor().Float64s())
	return world.Close()
}

// A loop with AllReduce learns what one process learns from all rows.
func TestLoop(t *testing.T) {
	want, err := run(t, 1, "loop")
	if err != nil {
		t.Fatal(err)
	}
	for _, ranks := range []int{2, 4} {
		lines, err := run(t, ranks, "loop")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(slices.Repeat(want, ranks), lines); diff != "" {
			t.Errorf("%d ranks: %s", ranks, diff)
		}
	}
}

// alone is the program of the package's comment, as it is without mpirun too.
func alone() error {
	ctx := context.Background()
	config, data := config("")
	model := config.Model.(*layers.Sequential)
	world, err := mpi.Init(mpi.Options{Timeout: time.Minute})
	if err != nil {
		return err
	}
	config.Group, config.Parts = world, 8
	if _, err := train.Run(ctx, config, data); err != nil {
		return err
	}
	if world.Rank() == 0 {
		fmt.Println(train.Hash(model.Params()...))
	}
	return world.Close()
}

// A program that mpirun has not started is a world of one.
func TestWithoutLauncher(t *testing.T) {
	launcher(t)
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	single, err := start(t, []string{executable}, programName+"=alone", outName+"="+t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	several, err := start(t, append(launcher(t), "-np", "4", executable), programName+"=alone", outName+"="+t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(single, several); diff != "" || len(single[0]) != 16 {
		t.Errorf("%v and %v", single, several)
	}
}

// lifetime closes a World twice, and initializes a second one.
func lifetime() error {
	world, err := begin()
	if err != nil {
		return err
	}
	if err := errors.Join(world.Close(), world.Close()); err != nil {
		return err
	}
	say("%v", world.Exchange(make([][]byte, 2), make([][]byte, 2)))
	_, err = begin()
	say("%v", err)
	return nil
}

func TestLifetime(t *testing.T) {
	lines, err := run(t, 2, "lifetime")
	if err != nil {
		t.Fatal(err)
	}
	const closed, again = "mpi: Exchange: the World is closed", "mpi: Init: MPI has been initialized in this process before"
	if diff := cmp.Diff([]string{closed, closed, again, again}, lines); diff != "" {
		t.Error(diff)
	}
}

// The mpirun of another library starts processes that are each alone: that is
// an error.
func TestWrongLauncher(t *testing.T) {
	path, err := exec.LookPath(wrongLauncher[0])
	if err != nil {
		t.Skipf("there is no %s", wrongLauncher[0])
	}
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	lines, err := speak(t, append(append([]string{path}, wrongLauncher[1:]...), "-np", "2", executable), programName+"=everything")
	if err == nil || !strings.Contains(strings.Join(lines, "\n"), "mpirun has started 2 processes") {
		t.Errorf("%v: %v", err, lines)
	}
}

// The example prints the same checksum for 1, 2 and 4 processes, and for a
// training that 2 began and 4 went on with.
func TestExample(t *testing.T) {
	mpirun := launcher(t)
	data := t.TempDir()
	if err := mnist.Write(data, mnist.Set{Train: stripes(300), Test: stripes(50)}); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "mnist")
	build := exec.Command("go", "build", "-tags", buildTags, "-o", program, "./examples/mnist")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	hash := regexp.MustCompile(`^ranks (\d) .* hash ([0-9a-f]{16})$`)
	teach := func(ranks int, flags ...string) string {
		command := append(slices.Clone(mpirun), "-np", strconv.Itoa(ranks), program, "-data", data, "-network", "lenet", "-batch", "64")
		lines, err := start(t, append(command, flags...))
		if err != nil {
			t.Fatal(err)
		}
		m := hash.FindStringSubmatch(lines[len(lines)-1])
		if m == nil || m[1] != strconv.Itoa(ranks) {
			t.Fatalf("%d ranks print %q", ranks, lines)
		}
		return m[2]
	}
	keep := filepath.Join(t.TempDir(), "keep")
	want := teach(1)
	got := []string{teach(2), teach(4)}
	teach(2, "-keep", keep, "-epochs", "1")
	got = append(got, teach(4, "-keep", keep))
	if diff := cmp.Diff([]string{want, want, want}, got); diff != "" {
		t.Error(diff)
	}
}

// stripes are pictures whose class is the row that is bright.
func stripes(n int) mnist.Part {
	p := mnist.Part{Images: autograd.Zeros(n, 1, 28, 28).In(autograd.Float32), Labels: autograd.NewInts(make([]int, n))}
	for i := range n {
		p.Labels.Values()[i] = i * 7 % 10
		for column := range 28 {
			p.Images.Raw32()[(i*28+2*(i*7%10))*28+column] = 1
		}
	}
	return p
}
