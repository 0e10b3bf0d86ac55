// Package metrics measures predictions in numbers that people read: errors of a
// regression; accuracy, confusion matrix, precision, recall, F1 and the areas
// under the curves of a classification; overlaps of a segmentation; average
// precision of a detector; and [BLEU] of a translation. It works on Tensors and
// labels and needs no graph.
//
//	probabilities := autograd.NewTensor([]float64{0.9, 0.4, 0.2, 0.7, 0.6, 0.1})
//	targets := autograd.NewTensor([]float64{1, 1, 0, 1, 0, 0})
//	fmt.Printf("accuracy %.3f\n", metrics.Accuracy(probabilities, targets))
//	fmt.Printf("ROC AUC  %.3f\n", metrics.ROCAUC(probabilities, targets))
//
//	predicted, actual := metrics.Classes(probabilities), metrics.Classes(targets)
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
// both: losses.MSE and [MSE] agree.
//
// # Arguments
//
// Predictions come first and targets second, both of one shape, with the rows
// along the first axis: what train.Predict returns and what train.Data holds.
// The targets of a classifier with two classes are the numbers 0 and 1. With
// more classes, targets are one-hot and predictions are probabilities or
// logits, along the last axis; [Classes] turns both into labels, which count
// from 0. The functions of a prediction and a target, such as [MSE], are what
// train.Config.Metrics takes.
//
// # Rankings
//
// ROC and PrecisionRecall return the points of these curves, for every
// threshold, and ROCAUC and AveragePrecision the areas below them. Package plot
// draws them.
//
// # Pixels and boxes
//
// [IoU] and [Dice] compare two masks. An [Overlap] compares the labels of
// pixels, over any number of batches:
//
//	overlap := metrics.NewOverlap(3)
//	overlap.Add(scores.ArgMax(1), mask, 255) // [batch, classes, height, width], [batch, height, width]
//	fmt.Printf("%.3f, without the background %.3f\n", overlap.MeanIoU(), overlap.MeanIoU(0))
//
// [Detections] are boxes with their images, classes and scores, which
// [MeanAveragePrecision] compares with those that are there, and of which
// [Detections.Suppress] removes what was found twice. [BoxIoU] and
// [NonMaximumSuppression] work on plain boxes.
//
// # Texts
//
// [BLEU] compares translations, as rows of words or ids, with references.
// [Perplexity] and [Bits] say how well a network predicts the next token.
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
// Shapes that differ and invalid targets panic with autograd's typed errors,
// which autograd.Try catches and which name the line of the call.
package metrics
