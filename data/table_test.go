package data_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/data"
)

const flats = "area,kind,note\n34,studio,\n 52 ,flat,\n-6.1e1,flat,NaN\n78,house,x\n"

func newRand() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

func TestNumbers(t *testing.T) {
	got, err := read(t, flats).Numbers("area")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float64{34, 52, -61, 78}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNumbersErrors(t *testing.T) {
	tests := []struct{ cell, want string }{
		{`""`, `csv:3: column "b": the cell is empty, want a number`},
		{"  ", `csv:3: column "b": the cell is empty, want a number`},
		{"abc", `csv:3: column "b": "abc" is not a number`},
		{`"3,5"`, `csv:3: column "b": "3,5" is not a number`},
		{"1_000", `csv:3: column "b": "1_000" is not a decimal number`},
		{"0x1p3", `csv:3: column "b": "0x1p3" is not a decimal number`},
		{"1 000", `csv:3: column "b": "1 000" is not a number`},
		{"1e999", `csv:3: column "b": "1e999" is beyond the range of float64`},
		{"NaN", `csv:3: column "b": "NaN" is not a finite number`},
		{"-inf", `csv:3: column "b": "-inf" is not a finite number`},
		{"Infinity", `csv:3: column "b": "Infinity" is not a finite number`},
	}
	for _, test := range tests {
		t.Run(test.cell, func(t *testing.T) {
			table := read(t, "a,b\n1,2\n3,"+test.cell+"\n")
			_, err := table.Numbers("b")
			wantCSVError(t, err, test.want)
			_, err = table.Matrix("a", "b")
			wantCSVError(t, err, test.want)
			if _, err := table.Strings("b"); err != nil {
				t.Errorf("as text: %v", err)
			}
			if _, err := table.Numbers("a"); err != nil {
				t.Errorf("the other column: %v", err)
			}
		})
	}
}

func TestTableMatrix(t *testing.T) {
	table := read(t, "a,b,c\n1,2,x\n3,4,y\n5,6,z\n")
	got, err := table.Matrix("b", "a", "b")
	if err != nil {
		t.Fatal(err)
	}
	want := data.FromRows([]float64{2, 1, 2}, []float64{4, 3, 4}, []float64{6, 5, 6})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	empty, err := read(t, "a,b\n").Matrix("b", "a")
	if err != nil || empty.Rows != 0 || empty.Cols != 2 {
		t.Errorf("of no rows: %+v, %v, want [0 2]", empty, err)
	}
}

func TestUnknownColumn(t *testing.T) {
	table := read(t, "\n"+flats)
	want := `csv:2: column "aera": no such column, the columns are "area", "kind", "note"`
	_, err := table.Numbers("aera")
	wantCSVError(t, err, want)
	_, err = table.Strings("aera")
	wantCSVError(t, err, want)
	_, err = table.Matrix("area", "aera")
	wantCSVError(t, err, want)
	_, err = table.Where("aera", "34")
	wantCSVError(t, err, want)
	_, err = new(data.Table).Strings("a")
	wantCSVError(t, err, `csv: column "a": no such column, the columns are none`)
}

func TestWhere(t *testing.T) {
	table := read(t, flats)
	tests := []struct {
		values []string
		want   []string
	}{
		{[]string{"flat"}, []string{" 52 ", "-6.1e1"}},
		{[]string{"house", "studio"}, []string{"34", "78"}},
		{[]string{"house", "house"}, []string{"78"}},
	}
	for _, test := range tests {
		part, err := table.Where("kind", test.values...)
		if err != nil {
			t.Fatal(err)
		}
		got, err := part.Strings("area")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("kind %v (-want +got):\n%s", test.values, diff)
		}
	}
	_, err := table.Where("kind", "flat", "Flat")
	wantCSVError(t, err, `csv: column "kind": no row has the value "Flat"`)
}

// A row taken from a table keeps its line number, so that errors name the right
// place in the file.
func TestTakeKeepsLines(t *testing.T) {
	part := read(t, "a\n1\n\"2\n2\"\nx\n").Take([]int{0, 2, 0})
	got, err := part.Strings("a")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"1", "x", "1"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_, err = part.Numbers("a")
	wantCSVError(t, err, `csv:5: column "a": "x" is not a number`)
}

func TestTableIsNotChanged(t *testing.T) {
	table := read(t, flats)
	names, columns := contents(t, table)
	table.Columns()[0] = "changed"
	cells, err := table.Strings("kind")
	if err != nil {
		t.Fatal(err)
	}
	cells[0] = "changed"
	table.Shuffle(newRand())
	table.Split(newRand(), 0.5, 0.5)
	namesAfter, columnsAfter := contents(t, table)
	if diff := cmp.Diff(names, namesAfter); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(columns, columnsAfter); diff != "" {
		t.Errorf("cells (-want +got):\n%s", diff)
	}
}

func TestTableShuffleAndSplit(t *testing.T) {
	text := "n\n"
	for range 30 {
		text += string(rune('A'+len(text)%7)) + "\n"
	}
	table := read(t, text)
	all, err := table.Strings("n")
	if err != nil {
		t.Fatal(err)
	}
	shuffled, err := table.Shuffle(newRand()).Strings("n")
	if err != nil {
		t.Fatal(err)
	}
	if slices.Equal(all, shuffled) {
		t.Error("Shuffle kept the order")
	}
	var joined []string
	for i, part := range table.Split(nil, 0.5, 0.3, 0.2) {
		cells, err := part.Strings("n")
		if err != nil {
			t.Fatal(err)
		}
		if want := []int{15, 9, 6}[i]; len(cells) != want {
			t.Errorf("part %d has %d rows, want %d", i, len(cells), want)
		}
		joined = append(joined, cells...)
	}
	if diff := cmp.Diff(all, joined); diff != "" {
		t.Errorf("the parts in order (-want +got):\n%s", diff)
	}
	slices.Sort(all)
	slices.Sort(shuffled)
	if diff := cmp.Diff(all, shuffled); diff != "" {
		t.Errorf("shuffled rows, sorted (-want +got):\n%s", diff)
	}
}
