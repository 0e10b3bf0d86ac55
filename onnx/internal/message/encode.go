package message

import (
	"fmt"
	"io"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Write writes m. Raw numbers of tensors go to w as they are, without a copy.
// It returns an error if the whole is larger than the 2 GB that a protocol
// buffer may have, before it writes anything, or if w does.
func (m *Model) Write(w io.Writer) error {
	var e encoder
	m.encode(&e)
	if e.size > math.MaxInt32 {
		return fmt.Errorf("onnx: the model has %d bytes, and a file at most 2 GB", e.size)
	}
	e.cut()
	for _, piece := range e.pieces {
		if _, err := w.Write(piece); err != nil {
			return err
		}
	}
	return nil
}

// Size returns the bytes that Write writes.
func (m *Model) Size() int {
	var e encoder
	m.encode(&e)
	return e.size
}

// Marshal returns what Write writes.
func (m *Model) Marshal() []byte {
	var e encoder
	m.encode(&e)
	e.cut()
	b := make([]byte, 0, e.size)
	for _, piece := range e.pieces {
		b = append(b, piece...)
	}
	return b
}

// An encoder collects a message: small fields in buffer, and pieces that are
// full or refer to numbers of the caller.
type encoder struct {
	pieces [][]byte
	buffer []byte
	size   int // of all pieces and the buffer
}

// referred is the size from which raw numbers are not copied.
const referred = 4096

func (e *encoder) cut() {
	if len(e.buffer) > 0 {
		e.pieces = append(e.pieces, e.buffer)
		e.buffer = nil
	}
}

// add appends to the buffer what f appends.
func (e *encoder) add(f func(b []byte) []byte) {
	before := len(e.buffer)
	e.buffer = f(e.buffer)
	e.size += len(e.buffer) - before
}

func (e *encoder) bytes(number protowire.Number, v []byte) {
	e.add(func(b []byte) []byte {
		return protowire.AppendVarint(protowire.AppendTag(b, number, protowire.BytesType), uint64(len(v)))
	})
	if len(v) < referred {
		e.add(func(b []byte) []byte { return append(b, v...) })
		return
	}
	e.cut()
	e.pieces = append(e.pieces, v)
	e.size += len(v)
}

// string writes a string, unless it is empty.
func (e *encoder) string(number protowire.Number, v string) {
	if v != "" {
		e.always(number, v)
	}
}

func (e *encoder) always(number protowire.Number, v string) {
	e.add(func(b []byte) []byte {
		return protowire.AppendString(protowire.AppendTag(b, number, protowire.BytesType), v)
	})
}

func (e *encoder) strings(number protowire.Number, v []string) {
	for _, s := range v {
		e.always(number, s)
	}
}

func (e *encoder) many(number protowire.Number, v [][]byte) {
	for _, s := range v {
		e.bytes(number, s)
	}
}

func (e *encoder) int(number protowire.Number, v int64) {
	e.add(func(b []byte) []byte {
		return protowire.AppendVarint(protowire.AppendTag(b, number, protowire.VarintType), uint64(v))
	})
}

// some writes an integer, unless it is 0.
func (e *encoder) some(number protowire.Number, v int64) {
	if v != 0 {
		e.int(number, v)
	}
}

func (e *encoder) ints(number protowire.Number, v []int64) {
	for _, i := range v {
		e.int(number, i)
	}
}

func (e *encoder) float(number protowire.Number, v float32) {
	e.add(func(b []byte) []byte {
		return protowire.AppendFixed32(protowire.AppendTag(b, number, protowire.Fixed32Type), math.Float32bits(v))
	})
}

// packed writes a repeated field in its packed form, unless it is empty.
func packed[T any](e *encoder, number protowire.Number, v []T, f func(b []byte, v T) []byte) {
	if len(v) == 0 {
		return
	}
	var b []byte
	for _, one := range v {
		b = f(b, one)
	}
	e.bytes(number, b)
}

// encodable is a message.
type encodable interface{ encode(e *encoder) }

func (e *encoder) message(number protowire.Number, m encodable) {
	var inner encoder
	m.encode(&inner)
	e.add(func(b []byte) []byte {
		return protowire.AppendVarint(protowire.AppendTag(b, number, protowire.BytesType), uint64(inner.size))
	})
	if len(inner.pieces) == 0 {
		e.add(func(b []byte) []byte { return append(b, inner.buffer...) })
		return
	}
	e.cut()
	inner.cut()
	e.pieces = append(e.pieces, inner.pieces...)
	e.size += inner.size
}

func encodeAll[T encodable](e *encoder, number protowire.Number, messages []T) {
	for _, m := range messages {
		e.message(number, m)
	}
}

func (m *Model) encode(e *encoder) {
	e.int(modelIRVersion, m.IRVersion)
	e.string(modelProducerName, m.ProducerName)
	e.string(modelProducerVersion, m.ProducerVersion)
	e.string(modelDomain, m.Domain)
	e.some(modelVersion, m.ModelVersion)
	e.string(modelDoc, m.Doc)
	if m.Graph != nil {
		e.message(modelGraph, m.Graph)
	}
	encodeAll(e, modelOpsets, m.Opsets)
	encodeAll(e, modelMetadata, m.Metadata)
	encodeAll(e, modelFunctions, m.Functions)
}

func (o Opset) encode(e *encoder) {
	e.always(opsetDomain, o.Domain)
	e.int(opsetVersion, o.Version)
}

func (s Entry) encode(e *encoder) {
	e.always(entryKey, s.Key)
	e.always(entryValue, s.Value)
}

func (g *Graph) encode(e *encoder) {
	encodeAll(e, graphNodes, g.Nodes)
	e.string(graphName, g.Name)
	encodeAll(e, graphInitializers, g.Initializers)
	e.string(graphDoc, g.Doc)
	encodeAll(e, graphInputs, g.Inputs)
	encodeAll(e, graphOutputs, g.Outputs)
	encodeAll(e, graphValues, g.Values)
	encodeAll(e, graphSparseInitializers, g.SparseInitializers)
	encodeAll(e, graphMetadata, g.Metadata)
}

func (n *Node) encode(e *encoder) {
	e.strings(nodeInputs, n.Inputs)
	e.strings(nodeOutputs, n.Outputs)
	e.string(nodeName, n.Name)
	e.string(nodeOp, n.Op)
	encodeAll(e, nodeAttributes, n.Attributes)
	e.string(nodeDoc, n.Doc)
	e.string(nodeDomain, n.Domain)
	e.string(nodeOverload, n.Overload)
	encodeAll(e, nodeMetadata, n.Metadata)
}

func (f *Function) encode(e *encoder) {
	e.string(functionName, f.Name)
	e.strings(functionInputs, f.Inputs)
	e.strings(functionOutputs, f.Outputs)
	e.strings(functionAttributes, f.Attributes)
	encodeAll(e, functionNodes, f.Nodes)
	e.string(functionDoc, f.Doc)
	encodeAll(e, functionOpsets, f.Opsets)
	e.string(functionDomain, f.Domain)
	encodeAll(e, functionDefaults, f.AttributeDefaults)
	encodeAll(e, functionValues, f.Values)
	e.string(functionOverload, f.Overload)
	encodeAll(e, functionMetadata, f.Metadata)
}

func (a *Attribute) encode(e *encoder) {
	e.string(attributeName, a.Name)
	e.string(attributeRef, a.Ref)
	e.string(attributeDoc, a.Doc)
	e.int(attributeKind, int64(a.Kind))
	if a.Ref != "" {
		return
	}
	a.encodeValue(e)
}

func (a *Attribute) encodeValue(e *encoder) {
	switch a.Kind {
	case KindFloat:
		e.float(attributeFloat, a.Float)
	case KindInt:
		e.int(attributeInt, a.Int)
	case KindString:
		e.bytes(attributeString, a.String)
	case KindTensor:
		e.message(attributeTensor, a.Tensor)
	case KindGraph:
		e.message(attributeGraph, a.Graph)
	case KindSparseTensor:
		e.message(attributeSparseTensor, a.SparseTensor)
	case KindType:
		e.message(attributeType, a.Type)
	case KindFloats:
		for _, v := range a.Floats {
			e.float(attributeFloats, v)
		}
	case KindInts:
		e.ints(attributeInts, a.Ints)
	case KindStrings:
		e.many(attributeStrings, a.Strings)
	case KindTensors:
		encodeAll(e, attributeTensors, a.Tensors)
	case KindGraphs:
		encodeAll(e, attributeGraphs, a.Graphs)
	case KindSparseTensors:
		encodeAll(e, attributeSparseTensors, a.SparseTensors)
	case KindTypes:
		encodeAll(e, attributeTypes, a.Types)
	}
}

func (t *Tensor) encode(e *encoder) {
	e.ints(tensorDims, t.Dims)
	e.int(tensorElem, int64(t.Elem))
	packed(e, tensorFloats, t.Floats, func(b []byte, v float32) []byte { return protowire.AppendFixed32(b, math.Float32bits(v)) })
	packed(e, tensorInt32s, t.Int32s, func(b []byte, v int32) []byte { return protowire.AppendVarint(b, uint64(v)) })
	e.many(tensorStrings, t.Strings)
	packed(e, tensorInt64s, t.Int64s, func(b []byte, v int64) []byte { return protowire.AppendVarint(b, uint64(v)) })
	e.string(tensorName, t.Name)
	if t.Raw != nil {
		e.bytes(tensorRaw, t.Raw)
	}
	packed(e, tensorDoubles, t.Doubles, func(b []byte, v float64) []byte { return protowire.AppendFixed64(b, math.Float64bits(v)) })
	packed(e, tensorUint64s, t.Uint64s, protowire.AppendVarint)
	e.string(tensorDoc, t.Doc)
	encodeAll(e, tensorExternal, t.External)
	if t.Outside {
		e.int(tensorLocation, 1)
	}
	encodeAll(e, tensorMetadata, t.Metadata)
}

func (s *SparseTensor) encode(e *encoder) {
	if s.Values != nil {
		e.message(sparseValues, s.Values)
	}
	if s.Indices != nil {
		e.message(sparseIndices, s.Indices)
	}
	e.ints(sparseDims, s.Dims)
}

func (v *ValueInfo) encode(e *encoder) {
	e.string(infoName, v.Name)
	if v.Type != nil {
		e.message(infoType, v.Type)
	}
	e.string(infoDoc, v.Doc)
	encodeAll(e, infoMetadata, v.Metadata)
}

// An element is the message of a sequence or an optional.
type element struct{ t *Type }

func (s element) encode(e *encoder) { e.message(elementType, s.t) }

func (t *Type) encode(e *encoder) {
	switch {
	case t.Tensor != nil:
		e.message(typeTensor, t.Tensor)
	case t.Sequence != nil:
		e.message(typeSequence, element{t.Sequence})
	case t.Optional != nil:
		e.message(typeOptional, element{t.Optional})
	case t.SparseTensor != nil:
		e.message(typeSparseTensor, t.SparseTensor)
	}
	e.string(typeDenotation, t.Denotation)
}

func (t *TensorType) encode(e *encoder) {
	e.int(tensorTypeElem, int64(t.Elem))
	if t.Shape != nil {
		e.message(tensorTypeShape, t.Shape)
	}
}

func (s *Shape) encode(e *encoder) { encodeAll(e, shapeDims, s.Dims) }

func (d Dim) encode(e *encoder) {
	if d.Known {
		e.int(dimValue, d.Value)
	} else {
		e.string(dimName, d.Name)
	}
	e.string(dimDenotation, d.Denotation)
}
