package checkpoint_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nabla/checkpoint"
)

// describe prints a file as testdata/vectors.py does.
func describe(t *testing.T, path string) string {
	t.Helper()
	f := opened(t, path)
	var b strings.Builder
	metadata := f.Metadata()
	for _, key := range sortedKeys(metadata) {
		fmt.Fprintln(&b, quoted(t, []string{key, metadata[key]}))
	}
	infos := f.Tensors()
	slices.SortFunc(infos, func(x, y checkpoint.Info) int { return strings.Compare(x.Name, y.Name) })
	for _, info := range infos {
		shape := strings.ReplaceAll(fmt.Sprint(info.Shape), " ", ", ")
		fmt.Fprintln(&b, strings.Join(append([]string{quoted(t, info.Name), info.Type, shape}, numbers(t, f, info)...), " "))
	}
	return b.String()
}

func sortedKeys(m map[string]string) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func quoted(t *testing.T, v any) string {
	t.Helper()
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// numbers prints the numbers of a tensor, none if they cannot be read.
func numbers(t *testing.T, f *checkpoint.File, info checkpoint.Info) []string {
	t.Helper()
	var all []string
	if whole, err := f.Ints(info.Name); err == nil {
		for _, v := range whole.Values() {
			all = append(all, fmt.Sprint(v))
		}
		return all
	}
	x, err := f.Tensor(info.Name)
	var format *checkpoint.FormatError
	switch {
	case errors.As(err, &format):
		return nil
	case err != nil:
		t.Fatal(err)
	}
	if !slices.Equal(x.Shape(), info.Shape) {
		t.Errorf("%s has the shape %v", info.Name, x.Shape())
	}
	for _, v := range x.Float64s() {
		all = append(all, fmt.Sprintf("%016x", math.Float64bits(v)))
	}
	return all
}

func opened(t *testing.T, path string) *checkpoint.File {
	t.Helper()
	f, err := checkpoint.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// Every type that safetensors' own package writes is read as it reads it
// itself. Types that have no place here, such as float8, are named and skipped,
// and so is a number that is no int.
func TestTypes(t *testing.T) {
	want, err := os.ReadFile("testdata/types.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(want), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, `"uint64 too large"`) {
			lines[i] = strings.TrimSuffix(line, " 9223372036854775808")
		}
	}
	if diff := cmp.Diff(strings.Join(lines, "\n"), describe(t, "testdata/types.safetensors")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// All halves and bfloat16s are what their bits say, by the closed form.
func TestHalves(t *testing.T) {
	var text []byte
	for i := range 1 << 16 {
		text = append(text, byte(i), byte(i>>8))
	}
	closed := func(bits, exponentBits, fractionBits int) float64 {
		sign := 1 - 2*float64(bits>>15)
		exponent, fraction := bits>>fractionBits&(1<<exponentBits-1), bits&(1<<fractionBits-1)
		bias, part := 1<<(exponentBits-1)-1, float64(fraction)/float64(int(1)<<fractionBits)
		switch {
		case exponent == 1<<exponentBits-1 && fraction > 0:
			return math.NaN()
		case exponent == 1<<exponentBits-1:
			return math.Inf(int(sign))
		case exponent == 0:
			return math.Copysign(math.Ldexp(part, 1-bias), sign)
		}
		return sign * math.Ldexp(1+part, exponent-bias)
	}
	for name, bits := range map[string][2]int{"F16": {5, 10}, "BF16": {8, 7}} {
		path := written(t, fmt.Sprintf(`{"x":{"dtype":%q,"shape":[65536],"data_offsets":[0,131072]}}`, name), text)
		x, err := opened(t, path).Tensor("x")
		if err != nil {
			t.Fatal(err)
		}
		for i, got := range x.Raw32() {
			want := closed(i, bits[0], bits[1])
			if float64(got) != want && !(math.IsNaN(float64(got)) && math.IsNaN(want)) || math.Signbit(float64(got)) != (i>>15 == 1) {
				t.Fatalf("%s %04x is %v, want %v", name, i, got, want)
			}
		}
	}
}

// written writes a header and numbers into a file.
func written(t *testing.T, header string, numbers []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := os.WriteFile(path, assembled(header, numbers), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func assembled(header string, numbers []byte) []byte {
	text := []byte{0, 0, 0, 0, 0, 0, 0, 0}
	for i := range text {
		text[i] = byte(uint64(len(header)) >> (8 * i))
	}
	return append(append(text, header...), numbers...)
}

// Each rule of the format is checked: a file that breaks one is refused, with a
// reason.
func TestFormatRules(t *testing.T) {
	one := func(fields string) string { return `{"a":{` + fields + `}}` }
	for _, test := range []struct {
		name, header string
		numbers      int
		want         string // of the error; none: the file is right
	}{
		{"one tensor", one(`"dtype":"F32","shape":[2],"data_offsets":[0,8]`), 8, ""},
		{"no tensors", `{}`, 0, ""},
		{"only metadata", `{"__metadata__":{"a":"b"}}`, 0, ""},
		{"empty metadata", `{"__metadata__":{}}`, 0, ""},
		{"spaces behind", `{}      `, 0, ""},
		{"scalar", one(`"dtype":"F64","shape":[],"data_offsets":[0,8]`), 8, ""},
		{"empty tensor", one(`"dtype":"F64","shape":[3,0],"data_offsets":[0,0]`), 0, ""},
		{"four bits", one(`"dtype":"F4","shape":[4],"data_offsets":[0,2]`), 2, ""},
		{"any order", `{"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 2, ""},
		{"empty between", `{"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},"e":{"dtype":"U8","shape":[0],"data_offsets":[1,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 2, ""},
		{"surrogate pair", `{"\ud83d\ude42":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1, ""},
		{"escaped backslash before u", `{"\\ud83d":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1, ""},

		{"axes", one(`"dtype":"U8","shape":[` + strings.Repeat("1,", 64) + `1],"data_offsets":[0,1]`), 1, "more than 64"},
		{"space before", ` {}`, 0, "begin with a brace"},
		{"nothing", ``, 0, "begin with a brace"},
		{"list", `[]`, 0, "begin with a brace"},
		{"not closed", `{`, 0, "cut short"},
		{"no JSON", `{a}`, 0, "invalid character"},
		{"text behind", `{}x`, 0, "text behind"},
		{"two objects", `{}{}`, 0, "text behind"},
		{"a comma too many", `{"__metadata__":{},}`, 0, "invalid character"},
		{"not UTF-8", "{\"\xff\":{}}", 0, "not UTF-8"},
		{"lone high surrogate", `{"\ud83d":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1, "surrogate"},
		{"lone low surrogate", `{"\ude42":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1, "surrogate"},
		{"high high", `{"\ud83d\ud83d\ude42":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1, "surrogate"},
		{"one name twice", `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2, `"a" stands there twice`},
		{"one name twice, escaped", `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\u0061":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2, `"a" stands there twice`},
		{"one field twice", one(`"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]`), 1, `"dtype" stands there twice`},
		{"metadata twice", `{"__metadata__":{},"__metadata__":{}}`, 0, "twice"},
		{"one key of metadata twice", `{"__metadata__":{"a":"1","a":"2"}}`, 0, "twice"},
		{"metadata of numbers", `{"__metadata__":{"a":1}}`, 0, "place of a text"},
		{"metadata null", `{"__metadata__":null}`, 0, "in the place of {"},
		{"tensor null", `{"a":null}`, 0, "in the place of {"},
		{"tensor list", `{"a":[]}`, 0, "in the place of {"},
		{"upper case", one(`"DTYPE":"U8","shape":[1],"data_offsets":[0,1]`), 1, `a field "DTYPE"`},
		{"another field", one(`"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1`), 1, `a field "x"`},
		{"no dtype", one(`"shape":[1],"data_offsets":[0,1]`), 1, "no dtype"},
		{"no shape", one(`"dtype":"U8","data_offsets":[0,1]`), 1, "no shape"},
		{"no offsets", one(`"dtype":"U8","shape":[1]`), 1, "data_offsets"},
		{"unknown dtype", one(`"dtype":"f32","shape":[1],"data_offsets":[0,4]`), 4, "unknown dtype"},
		{"dtype number", one(`"dtype":1,"shape":[1],"data_offsets":[0,4]`), 4, "place of a text"},
		{"shape null", one(`"dtype":"U8","shape":null,"data_offsets":[0,1]`), 1, "in the place of ["},
		{"shape of null", one(`"dtype":"U8","shape":[null],"data_offsets":[0,1]`), 1, "whole number"},
		{"shape of texts", one(`"dtype":"U8","shape":["1"],"data_offsets":[0,1]`), 1, "whole number"},
		{"negative shape", one(`"dtype":"U8","shape":[-1],"data_offsets":[0,1]`), 1, "whole number"},
		{"minus zero", one(`"dtype":"U8","shape":[-0],"data_offsets":[0,0]`), 0, "whole number"},
		{"fraction", one(`"dtype":"U8","shape":[1.0],"data_offsets":[0,1]`), 1, "whole number"},
		{"exponent", one(`"dtype":"U8","shape":[1e0],"data_offsets":[0,1]`), 1, "whole number"},
		{"leading zero", one(`"dtype":"U8","shape":[01],"data_offsets":[0,1]`), 1, "invalid character"},
		{"shape in shape", one(`"dtype":"U8","shape":[[1]],"data_offsets":[0,1]`), 1, "whole number"},
		{"a length beyond int", one(`"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,1]`), 1, "whole number"},
		{"too many elements", one(`"dtype":"U8","shape":[4611686018427387904,4611686018427387904],"data_offsets":[0,1]`), 1, "too many elements"},
		{"too many elements before 0", one(`"dtype":"U8","shape":[4611686018427387904,8,0],"data_offsets":[0,0]`), 0, "too many elements"},
		{"too many bytes", one(`"dtype":"F64","shape":[4611686018427387904],"data_offsets":[0,1]`), 1, "not a number of bytes"},
		{"half a byte", one(`"dtype":"F4","shape":[3],"data_offsets":[0,2]`), 2, "not a number of bytes"},
		{"three offsets", one(`"dtype":"U8","shape":[1],"data_offsets":[0,1,2]`), 2, "data_offsets"},
		{"offsets backwards", one(`"dtype":"U8","shape":[1],"data_offsets":[1,0]`), 1, "data_offsets"},
		{"too few bytes", one(`"dtype":"F32","shape":[2],"data_offsets":[0,4]`), 4, "takes 8"},
		{"too many offsets", one(`"dtype":"F32","shape":[2],"data_offsets":[0,12]`), 12, "takes 8"},
		{"hole at the start", one(`"dtype":"U8","shape":[1],"data_offsets":[1,2]`), 2, "begins at 1"},
		{"hole", `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}`, 3, "begins at 2"},
		{"overlap", `{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`, 3, "begins at 1"},
		{"bytes behind", one(`"dtype":"U8","shape":[1],"data_offsets":[0,1]`), 2, "2 bytes of numbers"},
		{"cut", one(`"dtype":"F32","shape":[2],"data_offsets":[0,8]`), 7, "cut short"},
		{"deep", `{"a":` + strings.Repeat("[", 100000), 0, "in the place of {"},
	} {
		_, err := checkpoint.Open(written(t, test.header, make([]byte, test.numbers)))
		var format *checkpoint.FormatError
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.want != "" && (!errors.As(err, &format) || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: got %v, want %q", test.name, err, test.want)
		}
	}
}

// The length of the header is checked before any of it is read.
func TestHeaderLength(t *testing.T) {
	for _, test := range []struct {
		text []byte
		want string
	}{
		{nil, "it has 0 bytes"},
		{[]byte{1, 0, 0, 0, 0, 0, 0}, "it has 7 bytes"},
		{[]byte{3, 0, 0, 0, 0, 0, 0, 0, '{', '}'}, "cut short"},
		{[]byte{0, 0, 0, 0, 0, 0, 0, 0x80}, "the format allows"},
		{[]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, '{', '}'}, "the format allows"},
		{[]byte{0x01, 0xe1, 0xf5, 0x05, 0, 0, 0, 0}, "the format allows"}, // 100,000,001
		{[]byte{0x00, 0xe1, 0xf5, 0x05, 0, 0, 0, 0}, "cut short"},
	} {
		path := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(path, test.text, 0o600); err != nil {
			t.Fatal(err)
		}
		allocated := testing.AllocsPerRun(1, func() {
			if _, err := checkpoint.Open(path); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%x: got %v, want %q", test.text, err, test.want)
			}
		})
		if allocated > 100 {
			t.Errorf("%x: %v allocations", test.text, allocated)
		}
	}
	if _, err := checkpoint.Open(t.TempDir()); err == nil {
		t.Error("a folder was opened")
	}
	if _, err := checkpoint.Open("/no/such/file"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// What is asked for must be there, in a type that fits.
func TestWrongType(t *testing.T) {
	f := opened(t, "testdata/types.safetensors")
	_, tensor := f.Tensor("int8")
	_, ints := f.Ints("F32")
	_, float8 := f.Tensor("float8")
	_, large := f.Ints("uint64 too large")
	_, none := f.Tensor("nothing")
	for i, err := range []error{tensor, ints, float8, large, none} {
		var format *checkpoint.FormatError
		if !errors.As(err, &format) {
			t.Errorf("%d: got %v", i, err)
		}
	}
}
