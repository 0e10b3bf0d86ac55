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
// converts the first to the second and reports cells that are not numbers;
// [Matrix.Tensor] goes on to a tensor for a graph, and [FromTensor] goes back.
// Rows are selected by number: [Split], [KFold], [StratifiedKFold] and
// [Batches] return row numbers, and the Take methods of Table and Matrix return
// those rows. To keep features and targets together, take the same rows from
// both.
//
// # Scaling and encoding
//
// [FitStandard], [FitMinMax] and [FitLabels] look at the training rows and
// remember their statistics; the results transform any rows and transform them
// back. Use what was fitted on the training rows for the test rows too: fitting
// again on the test rows would show the network different numbers for the same
// sample.
//
// # Chance
//
// Every random function takes a *rand.Rand and uses no other source: the same
// seed gives the same rows in the same order on every machine. A nil
// *rand.Rand means no shuffling: the rows stay in order.
//
// # Errors
//
// What is wrong with a file, including a missing column, is returned as a
// *[CSVError]; a label that did not occur in the training rows is returned as a
// *[LabelError]. A mistake in the program, such as batches of size 0, a row
// number out of range or a matrix whose width differs from the scaler's, panics
// with an *[autograd.ArgumentError] that names the function, the values and
// the line of the call.
package data
