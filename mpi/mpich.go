//go:build mpich

package mpi

// #cgo pkg-config: mpich
import "C"

// built is the MPI library that the program was built with.
const built = "MPICH"
