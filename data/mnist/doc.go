// Package mnist reads data sets in the format of MNIST: the handwritten digits
// themselves, and others that come as the same four files, such as
// Fashion-MNIST.
//
//	dir, err := mnist.Find(ctx, "") // "": the Go module that holds the digits
//	if err != nil {
//		return err
//	}
//	digits, err := mnist.Read(dir)
//	if err != nil {
//		return err
//	}
//	training := train.Data{Inputs: digits.Train.Images, Labels: digits.Train.Labels}
//
// # Files
//
// A set has four files, images and labels to train on and to test with, named
// as where they were first published, with or without .gz:
//
//   - train-images-idx3-ubyte and train-labels-idx1-ubyte
//   - t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte
//
// Some mirrors write train-images.idx3-ubyte; that is read too. Whether a file
// is packed by gzip is seen from its content, not from its name. Images may
// have any size, the same in all of a set.
//
// # Where they come from
//
// [Find] fetches the 70,000 digits, 11.6 MB, as the Go module [Module], by
// the go command, into its cache; no program that imports this package depends
// on that module. Fashion-MNIST is Debian's package dataset-fashion-mnist,
// which puts the files into [FashionDir].
//
// # Errors
//
// A file is not believed: what its header announces is compared with the length
// of its content, unpacked, before memory is taken. A file that is truncated,
// corrupt, too long or of another kind gives a *[FileError] that says which
// file, at which byte, and what is wrong.
package mnist
