package metrics_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/metrics"
)

// threeClasses has the counts (rows actual)
//
//	3 1 0
//	1 2 1
//	0 0 2
func threeClasses() *metrics.ConfusionMatrix {
	actual := labels(0, 0, 0, 0, 1, 1, 1, 1, 2, 2)
	predicted := labels(0, 0, 1, 0, 0, 1, 2, 1, 2, 2)
	return metrics.NewConfusionMatrix(predicted, actual, "gold", "silver", "bronze")
}

func TestNewConfusionMatrix(t *testing.T) {
	want := &metrics.ConfusionMatrix{
		Classes: []string{"gold", "silver", "bronze"},
		Counts:  [][]int{{3, 1, 0}, {1, 2, 1}, {0, 0, 2}},
	}
	if diff := cmp.Diff(want, threeClasses()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestConfusionMatrixKeepsItsNames(t *testing.T) {
	names := []string{"cold", "hot"}
	m := metrics.NewConfusionMatrix(labels(0), labels(1), names...)
	names[0] = "changed"
	if diff := cmp.Diff([]string{"cold", "hot"}, m.Classes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestScores(t *testing.T) {
	m := threeClasses()
	// gold: TP 3, FP 1, FN 1; silver: TP 2, FP 1, FN 2; bronze: TP 2, FP 1, FN
	// 0.
	tests := []struct {
		name      string
		got, want metrics.Scores
	}{
		{"gold", m.Class(0), metrics.Scores{Precision: 3. / 4, Recall: 3. / 4, F1: 3. / 4, Support: 4}},
		{"silver", m.Class(1), metrics.Scores{Precision: 2. / 3, Recall: 1. / 2, F1: 4. / 7, Support: 4}},
		{"bronze", m.Class(2), metrics.Scores{Precision: 2. / 3, Recall: 1, F1: 4. / 5, Support: 2}},
		{"macro", m.Macro(), metrics.Scores{Precision: 25. / 36, Recall: 3. / 4, F1: 99. / 140, Support: 10}},
		{"weighted", m.Weighted(), metrics.Scores{Precision: 7. / 10, Recall: 7. / 10, F1: 241. / 350, Support: 10}},
		{"micro", m.Micro(), metrics.Scores{Precision: 7. / 10, Recall: 7. / 10, F1: 7. / 10, Support: 10}},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, test.got, approximately); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
	if got := m.Accuracy(); got != 0.7 {
		t.Errorf("Accuracy = %v, want 0.7", got)
	}
	if got := m.Total(); got != 10 {
		t.Errorf("Total = %v, want 10", got)
	}
}

func TestScoresOfMissingClasses(t *testing.T) {
	// Three rows of class 0, one of them predicted as class 1; class 2 occurs
	// once and is predicted as 0; class 3 is in neither.
	m := metrics.NewConfusionMatrix(labels(0, 0, 1, 0), labels(0, 0, 0, 2), "a", "b", "c", "d")
	undefined := metrics.Scores{Precision: nan, Recall: nan, F1: nan}
	empty := metrics.NewConfusionMatrix(labels(), labels(), "a", "b")
	tests := []struct {
		name      string
		got, want metrics.Scores
	}{
		{"usual", m.Class(0), metrics.Scores{Precision: 2. / 3, Recall: 2. / 3, F1: 2. / 3, Support: 3}},
		{"never occurs", m.Class(1), metrics.Scores{}},
		{"never predicted", m.Class(2), metrics.Scores{Support: 1}},
		{"neither", m.Class(3), undefined},
		{"macro leaves out neither", m.Macro(), metrics.Scores{Precision: 2. / 9, Recall: 2. / 9, F1: 2. / 9, Support: 4}},
		{"weighted by support", m.Weighted(), metrics.Scores{Precision: 1. / 2, Recall: 1. / 2, F1: 1. / 2, Support: 4}},
		{"empty class", empty.Class(1), undefined},
		{"empty macro", empty.Macro(), undefined},
		{"empty weighted", empty.Weighted(), undefined},
		{"empty micro", empty.Micro(), undefined},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, test.got, approximately); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}
