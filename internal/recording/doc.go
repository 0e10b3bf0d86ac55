// Package recording holds a recording as data for drawings, explanations and
// the page.
//
// New reads a recording into a Model, whose Nodes are the values and whose
// Edges are their uses, each with the numbers of both passes. A Selection makes
// another Model from it: one data point of a batch, folded layers, or a part of
// the graph. The Model names its nodes and writes their numbers, formulas and
// local derivatives; packages graphviz, explain and page decide what to show,
// and where.
//
// # Invariants
//
// The Nodes are in the order of the recording, so that inputs come first. Edges
// are sorted by the node that they lead to, then by input. A Model does not
// change the recording. Its numbers are copies, except Edge.Terms of a large
// tensor, which is valid as long as the recording.
package recording
