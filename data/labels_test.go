package data_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/data"
)

func TestLabels(t *testing.T) {
	tests := []struct {
		name    string
		encoder *data.Labels
		classes []string
	}{
		{"sorted", data.FitLabels([]string{"silver", "gold", "silver", "bronze"}), []string{"bronze", "gold", "silver"}},
		{"in another order of rows", data.FitLabels([]string{"gold", "bronze", "silver"}), []string{"bronze", "gold", "silver"}},
		{"given", data.NewLabels("silver", "bronze", "gold"), []string{"silver", "bronze", "gold"}},
		{"by bytes", data.FitLabels([]string{"9", "10", "a", "B", ""}), []string{"", "10", "9", "B", "a"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.classes, test.encoder.Classes()); diff != "" {
				t.Fatalf("classes (-want +got):\n%s", diff)
			}
			numbers, err := test.encoder.Encode(test.classes)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(identity(len(test.classes)), numbers); diff != "" {
				t.Errorf("numbers (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.classes, test.encoder.Decode(numbers)); diff != "" {
				t.Errorf("and back (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLabelsOneHot(t *testing.T) {
	encoder := data.NewLabels("bronze", "silver", "gold")
	got, err := encoder.OneHot([]string{"gold", "bronze", "gold"})
	if err != nil {
		t.Fatal(err)
	}
	want := data.FromRows([]float64{0, 0, 1}, []float64{1, 0, 0}, []float64{0, 0, 1})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if none, err := encoder.OneHot(nil); err != nil || none.Rows != 0 || none.Cols != 3 {
		t.Errorf("of no labels: %+v, %v, want [0 3]", none, err)
	}
}

func TestUnknownLabel(t *testing.T) {
	encoder := data.NewLabels("bronze", "silver")
	labels := []string{"silver", "Bronze"}
	want := &data.LabelError{Row: 1, Label: "Bronze", Classes: []string{"bronze", "silver"}}
	_, encodeErr := encoder.Encode(labels)
	_, oneHotErr := encoder.OneHot(labels)
	for _, err := range []error{encodeErr, oneHotErr} {
		var got *data.LabelError
		if !errors.As(err, &got) {
			t.Fatalf("error %v of type %T, want a *data.LabelError", err, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
