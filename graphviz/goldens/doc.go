// Package goldens lays every golden drawing out with a pinned Graphviz that is
// compiled to WebAssembly, so that the check needs no installed program. It is
// a module of its own: no user of the library downloads it.
//
//	go -C graphviz/goldens test ./...
package goldens
