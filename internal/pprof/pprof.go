// Package pprof writes profiles that "go tool pprof" opens: the format is
// profile.proto of github.com/google/pprof, of which it needs only a part.
package pprof

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
)

// A Profile is what was measured: for each of several stacks, a number of each
// kind.
type Profile struct {
	Kinds   []Kind
	Samples []Sample
	Default string // the name of the kind that is shown first
}

// A Kind is what is measured: "time" in "nanoseconds".
type Kind struct{ Name, Unit string }

// A Sample is what was measured in one place.
type Sample struct {
	Stack  []string // names, the innermost first
	Values []int64  // one for each Kind
}

// The numbers of the fields in profile.proto.
const (
	profileSampleType  = 1
	profileSample      = 2
	profileMapping     = 3
	profileLocation    = 4
	profileFunction    = 5
	profileStrings     = 6
	profileDefaultType = 14

	typeName, typeUnit            = 1, 2
	sampleLocation, sampleValue   = 1, 2
	mappingID, mappingHasFunction = 1, 7
	locationID, locationMapping   = 1, 2
	locationLine, lineFunction    = 4, 1
	functionID, functionName      = 1, 2
)

// Write writes a profile. The error is w's.
func (p Profile) Write(w io.Writer) error {
	out := gzip.NewWriter(w)
	if _, err := out.Write(p.encode()); err != nil {
		return err
	}
	return out.Close()
}

// encode returns the profile as a message. Every name is a function with one
// location, both of which have the number of its first use.
func (p Profile) encode() []byte {
	var all, functions message
	texts := newTable()
	for _, k := range p.Kinds {
		var m message
		m.number(typeName, texts.of(k.Name))
		m.number(typeUnit, texts.of(k.Unit))
		all.bytes(profileSampleType, m.Bytes())
	}
	places := newTable()
	for _, s := range p.Samples {
		var m, locations, values message
		for _, name := range s.Stack {
			known := len(places.all)
			id := places.of(name)
			locations.varint(id)
			if len(places.all) > known {
				functions.place(id, texts.of(name))
			}
		}
		for _, v := range s.Values {
			values.varint(uint64(v))
		}
		m.bytes(sampleLocation, locations.Bytes())
		m.bytes(sampleValue, values.Bytes())
		all.bytes(profileSample, m.Bytes())
	}
	var mapping message
	mapping.number(mappingID, 1)
	mapping.number(mappingHasFunction, 1) // names are complete
	all.bytes(profileMapping, mapping.Bytes())
	all.Write(functions.Bytes())
	all.number(profileDefaultType, texts.of(p.Default))
	for _, text := range texts.all {
		all.bytes(profileStrings, []byte(text))
	}
	return all.Bytes()
}

// A table numbers texts from 1 in the order of their first use; 0 is "".
type table struct {
	all     []string
	numbers map[string]uint64
}

func newTable() *table { return &table{[]string{""}, map[string]uint64{"": 0}} }

func (t *table) of(text string) uint64 {
	n, ok := t.numbers[text]
	if !ok {
		n = uint64(len(t.all))
		t.all, t.numbers[text] = append(t.all, text), n
	}
	return n
}

// A message is one of protocol buffers.
type message struct{ bytes.Buffer }

// place adds the location and the function of a name.
func (m *message) place(id, name uint64) {
	var line, location, function message
	line.number(lineFunction, id)
	location.number(locationID, id)
	location.number(locationMapping, 1)
	location.bytes(locationLine, line.Bytes())
	m.bytes(profileLocation, location.Bytes())
	function.number(functionID, id)
	function.number(functionName, name)
	m.bytes(profileFunction, function.Bytes())
}

func (m *message) varint(v uint64) { m.Write(binary.AppendUvarint(nil, v)) }

// number adds a field that is a number.
func (m *message) number(field int, v uint64) {
	m.varint(uint64(field) << 3)
	m.varint(v)
}

// bytes adds a field that is a text or a message.
func (m *message) bytes(field int, content []byte) {
	m.varint(uint64(field)<<3 | 2)
	m.varint(uint64(len(content)))
	m.Write(content)
}
