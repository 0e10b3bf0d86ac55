// Package goldens lays out every golden drawing with a pinned Graphviz compiled
// to WebAssembly, so that the check needs no installed program. It is a module
// of its own, so that users of the library do not download it.
//
//	go -C graphviz/goldens test ./...
package goldens
