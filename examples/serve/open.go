package main

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"

	"nabla/checkpoint"
	"nabla/data"
)

// open returns the network of a file. If there is no such file, it trains one
// and writes it; without a name it only trains one.
func open(ctx context.Context, file string) (*network, error) {
	if file == "" {
		return learn(ctx)
	}
	n := newNetwork(rand.New(rand.NewPCG(0, 0)), blank(2), blank(1))
	err := checkpoint.Load(file, n)
	if !errors.Is(err, fs.ErrNotExist) {
		return n, err
	}
	if n, err = learn(ctx); err != nil {
		return nil, err
	}
	return n, checkpoint.Save(file, n)
}

// blank returns room for what a file has.
func blank(columns int) data.Standard {
	return data.Standard{Mean: make([]float64, columns), Std: make([]float64, columns)}
}
