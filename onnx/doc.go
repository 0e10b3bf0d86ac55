// Package onnx writes networks as files of the Open Neural Network Exchange
// format, which onnxruntime and others run.
//
//	err := onnx.Save(path, model, -1, 1, 28, 28) // −1: a batch of any length
//
// writes a layer, for a batch of any length. A network of several inputs, of
// token ids, or of functions of its own is recorded first; see [Export].
//
// # Files
//
// A recording is written, and not the layers: what a network does between them
// is in the file too. Operations become the operators of ONNX that do the same,
// or several simpler ones. Files have IR version 9 and opset 20. Params are
// initializers of their names, with the gates of recurrent networks in ONNX's
// order by operators in the file. Numbers are those of onnxruntime but for
// rounding: of every operation's result to 1e-5 of the greatest in float32, and
// to 1e-12 in float64. In float64, onnxruntime has no kernels for convolutions,
// recurrent networks and some functions, which are therefore written out in
// simpler operators: such files are large and slow, for comparisons.
//
// What cannot be written is an error that names every operation: custom
// operations, the decompositions of package matrix, attention to a KeyValues,
// and what takes Ints that ArgMax and the like computed in the recording. Where
// NaN decides between elements, as in a maximum, onnxruntime may decide
// otherwise; the polygamma function of numbers that are not positive is NaN in
// the file.
//
// # Why no generated code
//
// The messages of a file are structs written by hand, with their encoding on
// google.golang.org/protobuf/encoding/protowire, in onnx/internal/message. A
// package generated from onnx.proto would add 2.9 MB to a program instead of
// 0.25 MB, and two such packages in one program, of different modules, panic
// when it starts, as the registry of messages is global.
package onnx
