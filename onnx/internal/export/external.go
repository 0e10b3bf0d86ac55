package export

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"nabla/internal/file"
	"nabla/onnx/internal/message"
)

// MaxSize is the size that one file may have: that of a protocol buffer.
const MaxSize = math.MaxInt32

// Tensors of fewer bytes than moved stay in the model's file.
const moved = 1024

// alignment is where tensors begin in a file of numbers, so that readers can
// map it.
const alignment = 4096

// Save writes the model to path. If it has more than most bytes, the numbers go
// to a second file beside it, whose name has a part of their hash: a model that
// was there before keeps its own numbers until the new one is complete. Then
// they are removed.
func Save(path string, m *message.Model, most int) error {
	if m.Size() <= most {
		if err := file.Write(path, m.Write); err != nil {
			return err
		}
		return removeData(path, "")
	}
	hash := sha256.New()
	if _, err := writeData(hash, m, nil); err != nil {
		return err
	}
	name := filepath.Base(path) + "." + hex.EncodeToString(hash.Sum(nil)[:8]) + ".data"
	var outside *message.Model
	err := file.Write(filepath.Join(filepath.Dir(path), name), func(w io.Writer) (err error) {
		outside, err = writeData(w, m, &name)
		return err
	})
	if err != nil {
		return err
	}
	if err := file.Write(path, outside.Write); err != nil {
		return err
	}
	return removeData(path, name)
}

// writeData writes the numbers of the large tensors, and returns a model that
// refers to them in a file of that name.
func writeData(to io.Writer, m *message.Model, name *string) (*message.Model, error) {
	outside, graph := *m, *m.Graph
	outside.Graph, graph.Initializers = &graph, nil
	w, at := bufio.NewWriterSize(to, 1<<20), 0
	for _, t := range m.Graph.Initializers {
		if len(t.Raw) < moved {
			graph.Initializers = append(graph.Initializers, t)
			continue
		}
		gap := -at & (alignment - 1)
		if _, err := w.Write(make([]byte, gap)); err != nil {
			return nil, err
		}
		if _, err := w.Write(t.Raw); err != nil {
			return nil, err
		}
		if name != nil {
			moved := *t
			moved.Raw, moved.Outside = nil, true
			moved.External = []message.Entry{
				{Key: "location", Value: *name}, {Key: "offset", Value: strconv.Itoa(at + gap)}, {Key: "length", Value: strconv.Itoa(len(t.Raw))},
			}
			graph.Initializers = append(graph.Initializers, &moved)
		}
		at += gap + len(t.Raw)
	}
	return &outside, w.Flush()
}

// removeData removes the numbers of earlier models at path, but for those of
// that name.
func removeData(path, keep string) error {
	folder, base := filepath.Split(path)
	if folder == "" {
		folder = "."
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	pattern := regexp.MustCompile(fmt.Sprintf(`^%s\.[0-9a-f]{16}\.data$`, regexp.QuoteMeta(base)))
	for _, e := range entries {
		if pattern.MatchString(e.Name()) && e.Name() != keep {
			if err := os.Remove(filepath.Join(folder, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
