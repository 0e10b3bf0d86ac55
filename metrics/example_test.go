package metrics_test

import (
	"fmt"

	"nabla/autograd"
	"nabla/metrics"
)

func Example() {
	probabilities := autograd.NewTensor([]float64{0.9, 0.4, 0.2, 0.7, 0.6, 0.1})
	targets := autograd.NewTensor([]float64{1, 1, 0, 1, 0, 0})
	fmt.Printf("accuracy %.3f\n", metrics.Accuracy(probabilities, targets))
	fmt.Printf("ROC AUC  %.3f\n", metrics.ROCAUC(probabilities, targets))

	predicted, actual := metrics.Classes(probabilities), metrics.Classes(targets)
	matrix := metrics.NewConfusionMatrix(predicted, actual, "cold", "hot")
	hot := matrix.Class(1)
	fmt.Printf("hot: precision %.3f, recall %.3f\n", hot.Precision, hot.Recall)
	fmt.Println(matrix)
	fmt.Println(matrix.Report())
	// Output:
	// accuracy 0.667
	// ROC AUC  0.889
	// hot: precision 0.667, recall 0.667
	// actual \ predicted  cold  hot
	// cold                   2    1
	// hot                    1    2
	// class          precision  recall     F1  rows
	// cold               0.667   0.667  0.667     3
	// hot                0.667   0.667  0.667     3
	// accuracy                          0.667     6
	// macro mean         0.667   0.667  0.667     6
	// weighted mean      0.667   0.667  0.667     6
}

func ExampleR2() {
	targets := autograd.NewTensor([]float64{100, 120, 140, 160})
	predictions := autograd.NewTensor([]float64{110, 120, 140, 150})
	fmt.Println("MSE", metrics.MSE(predictions, targets))
	fmt.Println("MAE", metrics.MAE(predictions, targets))
	fmt.Println("R² ", metrics.R2(predictions, targets))
	// Output:
	// MSE 50
	// MAE 5
	// R²  0.9
}

func ExampleConfusionMatrix() {
	actual := autograd.NewInts([]int{0, 0, 1, 1, 1, 2})
	predicted := autograd.NewInts([]int{0, 1, 1, 1, 2, 2})
	fmt.Println(metrics.NewConfusionMatrix(predicted, actual, "gold", "silver", "bronze"))
	// Output:
	// actual \ predicted  gold  silver  bronze
	// gold                   1       1       0
	// silver                 0       2       1
	// bronze                 0       0       1
}

// A border of label 255 does not count.
func ExampleOverlap() {
	scores := autograd.NewTensor([]float64{
		5, 1, 1, 1, // class 0, for 2×2 pixels
		1, 5, 5, 5, // class 1
		2, 2, 2, 2, // class 2
	}, 1, 3, 2, 2)
	mask := autograd.NewInts([]int{0, 1, 0, 255}, 1, 2, 2)
	overlap := metrics.NewOverlap(3)
	overlap.Add(scores.ArgMax(1), mask, 255) // [batch, classes, height, width], [batch, height, width]
	fmt.Printf("%.3f, without the background %.3f\n", overlap.MeanIoU(), overlap.MeanIoU(0))
	// Output: 0.500, without the background 0.500
}

// Two boxes in two images. One is found twice, and something else is taken for
// the other.
func ExampleMeanAveragePrecision() {
	actual := metrics.Detections{
		Boxes:   autograd.FromNested([][]float64{{0, 0, 10, 10}, {5, 5, 9, 9}}),
		Classes: autograd.NewInts([]int{3, 3}), Images: autograd.NewInts([]int{0, 1}),
	}
	predicted := metrics.Detections{
		Boxes:   autograd.FromNested([][]float64{{0, 0, 10, 9}, {1, 0, 10, 10}, {20, 0, 30, 9}}),
		Scores:  autograd.NewTensor([]float64{0.9, 0.8, 0.7}),
		Classes: autograd.NewInts([]int{3, 3, 3}), Images: autograd.NewInts([]int{0, 0, 1}),
	}
	predicted = predicted.Suppress(0.5)
	fmt.Println(predicted.Scores.Float64s())
	fmt.Println(metrics.MeanAveragePrecision(predicted, actual, 0.5))
	fmt.Printf("%.2f\n", metrics.MeanAveragePrecision(predicted, actual, metrics.COCOThresholds()...))
	// Output:
	// [0.9 0.7]
	// 0.5
	// 0.45
}
