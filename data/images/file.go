package images

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"

	"nabla/autograd"
	"nabla/internal/file"
)

// ReadOptions are what [ReadFile] leaves at its defaults.
type ReadOptions struct {
	Channels  int // 1: grey, 3: colours, 4: colours and opacity; 0: 1 for a grey file, else 3
	MaxPixels int // an image of more is refused before memory is taken; 0: 1<<25, 33 million
}

const maxPixels = 1 << 25

// ReadFile reads a PNG or JPEG file as a tensor [channels, height, width] in
// Float32.
//
// It returns an error that names the file if that is truncated, corrupt, of
// another format or too large, and the *fs.PathError of os.Open if it cannot be
// opened.
func ReadFile(path string) (autograd.Tensor, error) { return ReadFileWith(path, ReadOptions{}) }

// ReadFileWith is [ReadFile] with other options.
func ReadFileWith(path string, options ReadOptions) (autograd.Tensor, error) {
	f, err := os.Open(path)
	if err != nil {
		return autograd.Tensor{}, err
	}
	defer f.Close()
	t, err := Decode(f, options)
	if err != nil {
		return autograd.Tensor{}, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// Decode reads a PNG or JPEG image, as [ReadFileWith] does, from r.
func Decode(r io.Reader, options ReadOptions) (autograd.Tensor, error) {
	switch options.Channels {
	case 0, 1, 3, 4:
	default:
		misuse("Decode", "%d channels, want 1, 3, 4, or 0 for those of the file", options.Channels)
	}
	if options.MaxPixels < 0 {
		misuse("Decode", "MaxPixels is %d", options.MaxPixels)
	}
	if options.MaxPixels == 0 {
		options.MaxPixels = maxPixels
	}
	img, err := decode(r, options.MaxPixels)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return autograd.Tensor{}, fmt.Errorf("images: %w", err)
	}
	channels := options.Channels
	if channels == 0 {
		channels = 3
		if m := img.ColorModel(); m == color.GrayModel || m == color.Gray16Model {
			channels = 1
		}
	}
	return FromImage(img, channels), nil
}

// decode looks at the size before it decodes the rest.
func decode(r io.Reader, limit int) (image.Image, error) {
	buffered := bufio.NewReader(r)
	start, err := buffered.Peek(4)
	if err != nil {
		return nil, err
	}
	var config func(io.Reader) (image.Config, error)
	var whole func(io.Reader) (image.Image, error)
	switch {
	case string(start) == "\x89PNG":
		config, whole = png.DecodeConfig, png.Decode
	case string(start[:2]) == "\xFF\xD8":
		config, whole = jpeg.DecodeConfig, jpeg.Decode
	default:
		return nil, fmt.Errorf("neither PNG nor JPEG, it begins with %q", start)
	}
	var head bytes.Buffer
	size, err := config(io.TeeReader(buffered, &head))
	if err != nil {
		return nil, err
	}
	if size.Height > 0 && size.Width > limit/size.Height {
		return nil, fmt.Errorf("%d×%d pixels, the limit is %d", size.Width, size.Height, limit)
	}
	return whole(io.MultiReader(&head, buffered))
}

// jpegQuality is high: edges of drawings stay clean.
const jpegQuality = 92

// WriteFile writes an image into a file, completely or not at all, in the
// format that the path ends with: .png, .jpg or .jpeg.
//
//	err := images.WriteFile("digit.png", images.ToImage(digit))
//
// It returns an error for another ending, and for an image without pixels.
func WriteFile(path string, img image.Image) error {
	var content bytes.Buffer
	var err error
	switch ending := strings.ToLower(filepath.Ext(path)); ending {
	case ".png":
		err = png.Encode(&content, img)
	case ".jpg", ".jpeg":
		if img.Bounds().Empty() {
			err = errors.New("an image without pixels")
			break
		}
		err = jpeg.Encode(&content, img, &jpeg.Options{Quality: jpegQuality})
	default:
		err = fmt.Errorf("the ending %q is none of .png, .jpg and .jpeg", ending)
	}
	if err != nil {
		return fmt.Errorf("images: %s: %w", path, err)
	}
	return file.Replace(path, content.Bytes())
}
