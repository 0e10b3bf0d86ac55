package data_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/data"
)

func TestMatrix(t *testing.T) {
	rows := data.FromRows([]float64{1, 2, 3}, []float64{4, 5, 6})
	columns := data.FromColumns([]float64{1, 4}, []float64{2, 5}, []float64{3, 6})
	want := data.Matrix{Rows: 2, Cols: 3, Values: []float64{1, 2, 3, 4, 5, 6}}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("FromRows (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, columns); diff != "" {
		t.Errorf("FromColumns (-want +got):\n%s", diff)
	}
	if got := rows.At(1, 0); got != 4 {
		t.Errorf("At(1, 0) = %v, want 4", got)
	}
	if diff := cmp.Diff([]float64{3, 6}, rows.Column(2)); diff != "" {
		t.Errorf("Column(2) (-want +got):\n%s", diff)
	}
	row := rows.Row(0)
	row[1] = 20
	_ = append(row, 30) // must not overwrite row 1
	if diff := cmp.Diff([]float64{1, 20, 3, 4, 5, 6}, rows.Values); diff != "" {
		t.Errorf("after writing to Row(0) (-want +got):\n%s", diff)
	}
	for name, m := range map[string]data.Matrix{
		"FromRows": data.FromRows(), "FromColumns": data.FromColumns(), "Beside": data.Beside(), "NewMatrix": data.NewMatrix(0, 0),
	} {
		if m.Rows != 0 || m.Cols != 0 || len(m.Values) != 0 {
			t.Errorf("%s of nothing is %+v", name, m)
		}
	}
}

func TestBeside(t *testing.T) {
	a := data.FromRows([]float64{1}, []float64{2})
	b := data.FromRows([]float64{3, 4}, []float64{5, 6})
	got := data.Beside(a, data.NewMatrix(2, 0), b)
	want := data.FromRows([]float64{1, 3, 4}, []float64{2, 5, 6})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMatrixTake(t *testing.T) {
	m := data.FromRows([]float64{1, 2}, []float64{3, 4}, []float64{5, 6})
	got := m.Take([]int{2, 0, 2})
	want := data.FromRows([]float64{5, 6}, []float64{1, 2}, []float64{5, 6})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Take (-want +got):\n%s", diff)
	}
	got.Values[0] = 50
	if m.Values[4] != 5 {
		t.Error("Take shares memory with the matrix")
	}
	if none := m.Take(nil); none.Rows != 0 || none.Cols != 2 || len(none.Values) != 0 {
		t.Errorf("Take(nil) = %+v, want [0 2]", none)
	}
}

func TestMatrixTakeInto(t *testing.T) {
	m := data.FromRows([]float64{1, 2}, []float64{3, 4}, []float64{5, 6})
	batch := m.TakeInto(data.Matrix{}, []int{0, 1})
	first := &batch.Values[0]
	batch = m.TakeInto(batch, []int{2})
	if diff := cmp.Diff(data.FromRows([]float64{5, 6}), batch); diff != "" {
		t.Errorf("a short batch (-want +got):\n%s", diff)
	}
	batch = m.TakeInto(batch, []int{1, 2})
	if diff := cmp.Diff(data.FromRows([]float64{3, 4}, []float64{5, 6}), batch); diff != "" {
		t.Errorf("a full batch after it (-want +got):\n%s", diff)
	}
	if first != &batch.Values[0] {
		t.Error("the memory was not used again")
	}
}
