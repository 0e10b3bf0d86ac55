package metrics_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/metrics"
)

func lines(s ...string) string { return strings.Join(s, "\n") }

func TestPrint(t *testing.T) {
	many := labels(make([]int, 1200)...)
	tests := []struct {
		name      string
		got, want string
	}{
		{"matrix", threeClasses().String(), lines(
			`actual \ predicted  gold  silver  bronze`,
			`gold                   3       1       0`,
			`silver                 1       2       1`,
			`bronze                 0       0       2`)},
		{"report", threeClasses().Report(), lines(
			`class          precision  recall     F1  rows`,
			`gold               0.750   0.750  0.750     4`,
			`silver             0.667   0.500  0.571     4`,
			`bronze             0.667   1.000  0.800     2`,
			`accuracy                          0.700    10`,
			`macro mean         0.694   0.750  0.707    10`,
			`weighted mean      0.700   0.700  0.689    10`)},
		{"counts wider than names, letters of two bytes", metrics.NewConfusionMatrix(many, many, "é", "z").String(), lines(
			`actual \ predicted     é  z`,
			`é                   1200  0`,
			`z                      0  0`)},
		{"a class without rows", metrics.NewConfusionMatrix(labels(0), labels(0), "a", "b").Report(), lines(
			`class          precision  recall     F1  rows`,
			`a                  1.000   1.000  1.000     1`,
			`b                    NaN     NaN    NaN     0`,
			`accuracy                          1.000     1`,
			`macro mean         1.000   1.000  1.000     1`,
			`weighted mean      1.000   1.000  1.000     1`)},
		{"no classes", metrics.NewConfusionMatrix(labels(), labels()).String(), `actual \ predicted`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, test.got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
