package checkpoint

import (
	"bytes"
	"encoding/binary"
	"os"
	"slices"
	"strings"
	"testing"

	"nabla/autograd"
)

// No bytes make a reader panic, or take memory that the file does not bear out.
// What it accepts has as many numbers as its shapes say, and those of Params
// can be written and read again.
func FuzzRead(f *testing.F) {
	for _, path := range []string{"testdata/types.safetensors", "testdata/torch.safetensors"} {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, seed := range []struct{ header, numbers string }{
		{`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, "12345678"},
		{`{"__metadata__":{"a":"b"},"a":{"dtype":"BF16","shape":[],"data_offsets":[0,2]}}  `, "\x80\x3f"},
		{`{"\ud83d\ude42":{"dtype":"U8","shape":[0,1],"data_offsets":[0,0]}}`, ""},
		{`{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},"b":{"dtype":"I64","shape":[1],"data_offsets":[2,10]}}`, "1234567890"},
	} {
		text := binary.LittleEndian.AppendUint64(nil, uint64(len(seed.header)))
		f.Add(append(append(text, seed.header...), seed.numbers...))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := newFile("x", bytes.NewReader(text), int64(len(text)))
		if err != nil {
			return
		}
		var kept Params
		bytes := 0
		for _, info := range file.Tensors() {
			bytes += int(info.end - info.begin)
			if whole, err := file.Ints(info.Name); err == nil && !slices.Equal(whole.Shape(), info.Shape) {
				t.Errorf("%q has the shape %v", info.Name, whole.Shape())
			}
			x, err := file.Tensor(info.Name)
			if err == nil && !slices.Equal(x.Shape(), info.Shape) {
				t.Errorf("%q has the shape %v", info.Name, x.Shape())
			}
			if err == nil && !strings.HasPrefix(info.Name, reserved) {
				kept = append(kept, autograd.NewParam(info.Name, x))
			}
		}
		if length := int(binary.LittleEndian.Uint64(text)); 8+length+bytes != len(text) {
			t.Errorf("%d bytes of numbers behind a header of %d, in all %d", bytes, length, len(text))
		}
		again, err := Marshal(kept)
		if err != nil {
			t.Fatal(err)
		}
		if err := Unmarshal(again, kept); err != nil {
			t.Error(err)
		}
	})
}
