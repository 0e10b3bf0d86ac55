// Package svg turns the DOT text that package graphviz writes into an SVG
// without Graphviz: the same boxes, frames and arrows, placed by package
// layout. It reads only the part of the language that graphviz uses.
//
// The same drawing gives the same bytes.
package svg
