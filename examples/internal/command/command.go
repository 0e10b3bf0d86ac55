// Package command is what the example programs that train on images and text
// have in common: their flags, what they print, and where they write.
package command

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"image"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"nabla/data/images"
	"nabla/data/mnist"
	"nabla/examples/internal/shade"
)

// A Command is a program under way.
type Command struct {
	Data    string // the folder of the data files; "" to fetch them
	Out     string // the folder for pictures; "" for none
	Seed    uint64
	Epochs  int
	Rows    int // samples to train on; 0 for all
	Results bool
	Keep    string // the folder that a training is kept in, to go on if it is stopped; "" for none

	Embedded bool    // the data are part of the program: there is no flag -data
	Warmup   float64 // the part of a training in which the learning rate rises

	name   string
	start  time.Time
	stdout io.Writer
	stderr *os.File
}

// New returns the command of that name with its defaults: seed 1, all rows, and
// pictures into a folder of the command's name.
func New(name string, epochs int) *Command {
	return &Command{Out: name, Seed: 1, Epochs: epochs, name: name, start: time.Now(), stdout: os.Stdout, stderr: os.Stderr}
}

// Flags declares the flags that set the fields.
func (c *Command) Flags(flags *flag.FlagSet) {
	if !c.Embedded {
		flags.StringVar(&c.Data, "data", c.Data, "the `folder` of the data files; fetched as a Go module if empty")
	}
	flags.StringVar(&c.Out, "out", c.Out, "the `folder` to write pictures into; none if empty")
	flags.Uint64Var(&c.Seed, "seed", c.Seed, "the seed of weights, batches and everything else that is drawn")
	flags.IntVar(&c.Epochs, "epochs", c.Epochs, "passes over the training rows")
	flags.IntVar(&c.Rows, "rows", c.Rows, "samples to train on; all if 0")
	flags.BoolVar(&c.Results, "results", c.Results, "print only lines that programs can read")
}

// KeepFlag declares the flag that sets Keep, for programs whose training says
// what its Params are.
func (c *Command) KeepFlag(flags *flag.FlagSet) {
	flags.StringVar(&c.Keep, "keep", c.Keep, "the `folder` to keep the training in: the same command goes on where it was stopped")
}

// Main reads the command line, runs the program until it ends or is
// interrupted, and exits with the status that says how. The program may declare
// flags of its own beside those of [Command.Flags].
func (c *Command) Main(run func(ctx context.Context) error) {
	c.Flags(flag.CommandLine)
	flag.Parse()
	if flag.NArg() > 0 || c.Epochs < 1 || c.Rows < 0 {
		fmt.Fprintf(os.Stderr, "%s: -epochs is at least 1, -rows is not negative, and there are no arguments\n", c.name)
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", c.name, err)
		os.Exit(1)
	}
}

// To makes the command print to w, and show no progress. It returns the
// command.
func (c *Command) To(w io.Writer) *Command {
	c.stdout, c.stderr = w, nil
	return c
}

// Print prints a line for people.
func (c *Command) Print(format string, args ...any) {
	if !c.Results {
		fmt.Fprintf(c.stdout, format+"\n", args...)
	}
}

// Result prints a line of results, with the seconds that passed since the
// command began. The format has the form "network=%s test_accuracy=%.4f".
func (c *Command) Result(format string, args ...any) {
	word := ""
	if c.Results {
		word = "result "
	}
	seconds := time.Since(c.start).Seconds()
	fmt.Fprintf(c.stdout, word+format+" seed=%d seconds=%.0f\n", append(args, c.Seed, seconds)...)
}

// Write writes a file into the folder Out with write, which is given its path,
// and says so. Without a folder it does nothing.
func (c *Command) Write(file string, write func(path string) error) error {
	if c.Out == "" {
		return nil
	}
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return err
	}
	path := filepath.Join(c.Out, file)
	if err := write(path); err != nil {
		return err
	}
	c.Print("wrote %s", path)
	return nil
}

// WriteImage writes a picture as PNG into the folder Out.
func (c *Command) WriteImage(file string, picture image.Image) error {
	return c.Write(file, func(path string) error { return images.WriteFile(path, picture) })
}

// WritePage writes a page of shaded words into the folder Out.
func (c *Command) WritePage(file string, page shade.Page) error {
	return c.Write(file, func(path string) error {
		var text bytes.Buffer
		if err := page.Write(&text); err != nil {
			return err
		}
		return os.WriteFile(path, text.Bytes(), 0o644)
	})
}

// Digits reads the data in the folder Data, or MNIST.
func (c *Command) Digits(ctx context.Context) (mnist.Set, error) {
	folder, err := mnist.Find(ctx, c.Data)
	if err != nil {
		return mnist.Set{}, err
	}
	return mnist.Read(folder)
}

// First returns how many of that many samples to train on.
func (c *Command) First(rows int) int {
	if c.Rows == 0 {
		return rows
	}
	return min(rows, c.Rows)
}
