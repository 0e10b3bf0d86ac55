// Package data brings numbers from files into the shape that training needs. It
// reads tables, splits them into parts, scales and encodes their columns, and
// hands out mini-batches.
//
//	table, err := data.ReadFile("testdata/flats.csv")
//	if err != nil {
//		return err
//	}
//	parts := table.Split(rand.New(rand.NewPCG(1, 0)), 0.75, 0.25) // training rows, test rows
//	x, err := parts[0].Matrix("area_m2", "rooms")
//	if err != nil {
//		return err
//	}
//	scaler := data.FitStandard(x) // the training rows' statistics, for all parts
//	features := scaler.Transform(x)
//	for rows := range data.Batches(nil, features.Rows, 4) {
//		fmt.Println(len(rows), "rows, the first is row", rows[0])
//	}
//
// # Two kinds of data
//
// A [Table] holds text in named columns, as a file gave it. A [Matrix] holds
// numbers: one row for each sample, one column for each feature. [Table.Matrix]
// goes from the first to the second and is the place where a cell that is not a
// number is found; [Matrix.Tensor] goes on to what a graph takes, and
// [FromTensor] comes back. Tables and matrices are picked apart by row numbers:
// [Split], [KFold] and [Batches] return row numbers, and Take of a Table or a
// Matrix returns those rows. So features and targets stay together: take the
// same rows from both.
//
// # Scaling and encoding
//
// [FitStandard], [FitMinMax] and [FitLabels] look at the training rows and
// remember what they saw; their results apply it to any rows and take it back.
// What was fitted on the training rows must be used for the test rows too:
// fitting again on the test rows would show the network other numbers for the
// same sample.
//
// # Chance
//
// Whatever is random takes a *rand.Rand and draws from nothing else: the same
// seed gives the same rows in the same order on every machine. A nil *rand.Rand
// means no shuffling: the rows stay in order.
//
// # Errors
//
// A file can be wrong for reasons outside the program, also by lacking a column
// that the program asks for: that is a [*CSVError], returned. So is a label
// that was not among the training rows: a [*LabelError]. A mistake of the
// program's text, such as batches of size 0, a row number out of range or a
// matrix of another width than the scaler's, panics with an
// [*autograd.ArgumentError] that names the function, the values and the line of
// the call.
package data
