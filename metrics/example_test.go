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
