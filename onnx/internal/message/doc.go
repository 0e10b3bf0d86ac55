// Package message holds the messages of an ONNX file, as far as networks need
// them, and reads and writes their protocol-buffer encoding.
//
// The structs are written by hand on protowire instead of being generated: a
// second generated copy of onnx.proto in one program panics when it starts,
// since the protobuf registry is global, and the registry with its reflection
// adds 2.9 MB to a program against 0.25 MB here. Fields and their numbers are
// those of onnx.proto of release 1.23.
//
// Not read, and lost when a file is written again: training information, device
// configurations and quantization annotations.
package message
