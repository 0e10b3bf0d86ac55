// Package svg draws what package graphviz writes in the DOT language as an SVG,
// without Graphviz: the same boxes, frames and arrows, placed by package layout.
// It reads the part of the language that is written there, no more.
//
// The same drawing gives the same bytes.
package svg
