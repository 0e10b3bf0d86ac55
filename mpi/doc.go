// Package mpi trains a model on several processes, of one machine or of many,
// that mpirun starts: data-parallel training by MPI.
//
//	world, err := mpi.Init(mpi.Options{Timeout: time.Minute})
//	if err != nil {
//		return err
//	}
//	config.Group, config.Parts = world, 8
//	if _, err := train.Run(ctx, config, data); err != nil {
//		return err
//	}
//	if world.Rank() == 0 {
//		fmt.Println(train.Hash(model.Params()...))
//	}
//	return world.Close()
//
// Every process runs the same program with the same configuration and data, and
// computes its share of every batch. What is learned is the same, bit by bit,
// for any number of processes, and as in one process with train.Config.Workers:
// [nabla/train.Config] says under Group how, and what is checked. A program
// that is started without mpirun trains alone.
//
//	go build ./teach && mpirun -np 4 ./teach
//
// # A loop of your own
//
// An AllReduce adds up Gradients over all processes. It is the same function
// for goroutines, see train.NewGroup, and for tests:
//
//	allReduce := train.NewAllReduce(world, model.Params()...)
//	sum.Clear()
//	sum.AddWeighted(loss.Backward(), float64(rows))
//	if err := allReduce(&sum); err != nil {
//		return err
//	}
//	sum.Average()
//	optimizer.Step(sum)
//
// # Building
//
// The package needs cgo, a C compiler, pkg-config and an MPI library with its
// headers: Open MPI, or with the build tag mpich MPICH.
//
//	go build ./teach               # Open MPI: Debian's libopenmpi-dev and openmpi-bin
//	go build -tags mpich ./teach   # MPICH: Debian's libmpich-dev and mpich
//
// MPI must allow calls from one thread after the other (MPI_THREAD_SERIALIZED),
// as both do. Where both are installed, mpirun.openmpi and mpirun.mpich are the
// two mpiruns; [Init] finds out if the other one was taken.
//
// A cluster's own MPI may have another name in pkg-config; then set
// PKG_CONFIG_PATH to a folder with an ompi.pc or mpich.pc that names it.
//
// # Processors
//
// Each process uses all cores unless GOMAXPROCS says otherwise. With several
// processes on a machine, give each cores of its own, by GOMAXPROCS=1 in the
// environment and mpirun's flag --bind-to core, say.
//
// # When something fails
//
// The library returns errors, and neither logs nor exits. A process whose
// training fails tells the others, and all of them get an error at the same
// step. A process that dies tells nobody: mpirun notices, and by default kills
// all others, which can therefore return no error either. The last checkpoint
// stands, since files are written beside and renamed; the same command goes on
// from there. Where mpirun does not notice, as when a machine stops answering,
// Options.Timeout makes an error of it. After an error let the program end with
// a status other than 0, and do not recover from a panic: the others would wait
// for this process until their Timeout.
//
// # Sums
//
// Gradients are sent in buckets while the backward pass goes on. Each process
// adds up a piece of each bucket, in the fixed order of train.Config.Parts, and
// sends it to all: as many bytes as a ring takes. [World.Fast] lets MPI add up
// instead, in whatever order it likes. README.md says what a step costs.
package mpi
