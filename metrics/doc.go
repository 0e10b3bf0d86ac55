// Package metrics measures predictions in the numbers that people read: errors
// of a regression, accuracy, confusion matrix, precision, recall, F1 and the
// area under the ROC curve of a classification. It works on plain slices and
// needs no graph.
//
//	probabilities := []float64{0.9, 0.4, 0.2, 0.7, 0.6, 0.1}
//	targets := []float64{1, 1, 0, 1, 0, 0}
//	fmt.Printf("accuracy %.3f\n", metrics.BinaryAccuracy(probabilities, targets))
//	fmt.Printf("ROC AUC  %.3f\n", metrics.ROCAUC(probabilities, targets))
//
//	predicted := metrics.Threshold(probabilities, 0.5)
//	actual := metrics.Threshold(targets, 0.5)
//	matrix := metrics.NewConfusionMatrix(predicted, actual, "cold", "hot")
//	hot := matrix.Class(1)
//	fmt.Printf("hot: precision %.3f, recall %.3f\n", hot.Precision, hot.Recall)
//	fmt.Println(matrix)
//	fmt.Println(matrix.Report())
//
// # Cost and metric
//
// A cost is what training minimises: it is differentiable and belongs to
// package losses. A metric is what people read, and needs no gradient. MSE is
// both, and the two agree.
//
// # Arguments
//
// Predictions come first and targets second, element i of one belonging to
// element i of the other. Class labels are integers that count from 0; the
// targets of a classifier with two classes are the numbers 0 and 1.
//
// # Edges
//
// A metric that has no value is NaN, never a number that looks like one:
// every metric of nothing, [R2] against targets that are all equal, [ROCAUC]
// where one class is missing. A NaN among predictions, targets or thresholds
// makes the metric NaN.
//
// # Mistakes
//
// Slices of different lengths and targets that are no classes panic with
// autograd's typed errors, which autograd.Try catches and which name the line
// of the call: "metrics: MSE: 3 predictions for 4 targets, at train.go:12".
package metrics
