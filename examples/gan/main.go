// Command gan invents: points of eight normal distributions on a ring, and
// handwritten digits. In each of the two, one network learns to tell what is
// real from what another makes of noise, and that one to deceive it.
//
//	go run ./examples/gan [-task all|ring|digits] [-data DIR] [-seed N] [-epochs N] [-rows N] [-out DIR] [-results]
//
// It writes gan/ring.png, the points invented as the training goes on, and
// gan/digits.NN.png, a contact sheet after each epoch (or into -out).
package main

import (
	"context"
	"flag"
	"fmt"

	"nabla/examples/internal/command"
)

func main() {
	c := command.New("gan", 6)
	task := flag.String("task", "all", "what to invent: all, ring or digits")
	c.Main(func(ctx context.Context) error { return run(ctx, c, *task) })
}

func run(ctx context.Context, c *command.Command, task string) error {
	if task != "all" && task != "ring" && task != "digits" {
		return fmt.Errorf("there is no task %q", task)
	}
	if task != "digits" {
		if err := playRing(ctx, c); err != nil {
			return err
		}
	}
	if task == "ring" {
		return nil
	}
	return playDigits(ctx, c)
}
