package message

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

func (m *Model) field(f field) error {
	switch f.number {
	case modelIRVersion:
		return f.int("ir_version", &m.IRVersion)
	case modelProducerName:
		return f.string("producer_name", &m.ProducerName)
	case modelProducerVersion:
		return f.string("producer_version", &m.ProducerVersion)
	case modelDomain:
		return f.string("domain", &m.Domain)
	case modelVersion:
		return f.int("model_version", &m.ModelVersion)
	case modelDoc:
		return f.string("doc_string", &m.Doc)
	case modelGraph:
		return one(f, "graph", &m.Graph)
	case modelOpsets:
		return eachValue(f, "opset_import", &m.Opsets)
	case modelMetadata:
		return eachValue(f, "metadata_props", &m.Metadata)
	case modelFunctions:
		return each(f, "function", &m.Functions)
	}
	return nil
}

func (o *Opset) field(f field) error {
	switch f.number {
	case opsetDomain:
		return f.string("domain", &o.Domain)
	case opsetVersion:
		return f.int("version", &o.Version)
	}
	return nil
}

func (s *Entry) field(f field) error {
	switch f.number {
	case entryKey:
		return f.string("key", &s.Key)
	case entryValue:
		return f.string("value", &s.Value)
	}
	return nil
}

func (g *Graph) field(f field) error {
	switch f.number {
	case graphNodes:
		return each(f, "node", &g.Nodes)
	case graphName:
		return f.string("name", &g.Name)
	case graphInitializers:
		return each(f, "initializer", &g.Initializers)
	case graphDoc:
		return f.string("doc_string", &g.Doc)
	case graphInputs:
		return each(f, "input", &g.Inputs)
	case graphOutputs:
		return each(f, "output", &g.Outputs)
	case graphValues:
		return each(f, "value_info", &g.Values)
	case graphSparseInitializers:
		return each(f, "sparse_initializer", &g.SparseInitializers)
	case graphMetadata:
		return eachValue(f, "metadata_props", &g.Metadata)
	}
	return nil
}

func (n *Node) field(f field) error {
	switch f.number {
	case nodeInputs:
		return f.strings("input", &n.Inputs)
	case nodeOutputs:
		return f.strings("output", &n.Outputs)
	case nodeName:
		return f.string("name", &n.Name)
	case nodeOp:
		return f.string("op_type", &n.Op)
	case nodeAttributes:
		return each(f, "attribute", &n.Attributes)
	case nodeDoc:
		return f.string("doc_string", &n.Doc)
	case nodeDomain:
		return f.string("domain", &n.Domain)
	case nodeOverload:
		return f.string("overload", &n.Overload)
	case nodeMetadata:
		return eachValue(f, "metadata_props", &n.Metadata)
	}
	return nil
}

func (n *Function) field(f field) error {
	switch f.number {
	case functionName:
		return f.string("name", &n.Name)
	case functionInputs:
		return f.strings("input", &n.Inputs)
	case functionOutputs:
		return f.strings("output", &n.Outputs)
	case functionAttributes:
		return f.strings("attribute", &n.Attributes)
	case functionNodes:
		return each(f, "node", &n.Nodes)
	case functionDoc:
		return f.string("doc_string", &n.Doc)
	case functionOpsets:
		return eachValue(f, "opset_import", &n.Opsets)
	case functionDomain:
		return f.string("domain", &n.Domain)
	case functionDefaults:
		return each(f, "attribute_proto", &n.AttributeDefaults)
	case functionValues:
		return each(f, "value_info", &n.Values)
	case functionOverload:
		return f.string("overload", &n.Overload)
	case functionMetadata:
		return eachValue(f, "metadata_props", &n.Metadata)
	}
	return nil
}

func (a *Attribute) field(f field) error {
	switch f.number {
	case attributeName:
		return f.string("name", &a.Name)
	case attributeRef:
		return f.string("ref_attr_name", &a.Ref)
	case attributeDoc:
		return f.string("doc_string", &a.Doc)
	case attributeKind:
		var kind int64
		err := f.int("type", &kind)
		a.Kind = Kind(kind)
		return err
	}
	kind, err := a.value(f)
	if a.Kind == KindUndefined {
		a.Kind = kind
	}
	return err
}

// value reads the fields that hold the value, and returns which one it was.
func (a *Attribute) value(f field) (Kind, error) {
	switch f.number {
	case attributeFloat:
		err := f.is("f", protowire.Fixed32Type)
		a.Float = math.Float32frombits(uint32(f.varint))
		return KindFloat, err
	case attributeInt:
		return KindInt, f.int("i", &a.Int)
	case attributeString:
		return KindString, f.raw("s", &a.String)
	case attributeTensor:
		return KindTensor, one(f, "t", &a.Tensor)
	case attributeGraph:
		return KindGraph, one(f, "g", &a.Graph)
	case attributeSparseTensor:
		return KindSparseTensor, one(f, "sparse_tensor", &a.SparseTensor)
	case attributeType:
		return KindType, one(f, "tp", &a.Type)
	case attributeFloats:
		return KindFloats, f.floats("floats", &a.Floats)
	case attributeInts:
		return KindInts, f.ints("ints", &a.Ints)
	case attributeStrings:
		return KindStrings, f.many("strings", &a.Strings)
	case attributeTensors:
		return KindTensors, each(f, "tensors", &a.Tensors)
	case attributeGraphs:
		return KindGraphs, each(f, "graphs", &a.Graphs)
	case attributeSparseTensors:
		return KindSparseTensors, each(f, "sparse_tensors", &a.SparseTensors)
	case attributeTypes:
		return KindTypes, each(f, "type_protos", &a.Types)
	}
	return KindUndefined, nil
}

func (t *Tensor) field(f field) error {
	switch f.number {
	case tensorDims:
		return f.ints("dims", &t.Dims)
	case tensorElem:
		return f.elem("data_type", &t.Elem)
	case tensorName:
		return f.string("name", &t.Name)
	case tensorDoc:
		return f.string("doc_string", &t.Doc)
	case tensorSegment:
		t.Segment = true
	case tensorExternal:
		return eachValue(f, "external_data", &t.External)
	case tensorLocation:
		var location int64
		err := f.int("data_location", &location)
		t.Outside = location == 1
		return err
	case tensorMetadata:
		return eachValue(f, "metadata_props", &t.Metadata)
	}
	return t.numbers(f)
}

func (t *Tensor) numbers(f field) error {
	switch f.number {
	case tensorRaw:
		return f.raw("raw_data", &t.Raw)
	case tensorFloats:
		return f.floats("float_data", &t.Floats)
	case tensorInt32s:
		return numbers(f, "int32_data", &t.Int32s, protowire.VarintType, func(u uint64) int32 { return int32(u) })
	case tensorStrings:
		return f.many("string_data", &t.Strings)
	case tensorInt64s:
		return f.ints("int64_data", &t.Int64s)
	case tensorDoubles:
		return numbers(f, "double_data", &t.Doubles, protowire.Fixed64Type, math.Float64frombits)
	case tensorUint64s:
		return numbers(f, "uint64_data", &t.Uint64s, protowire.VarintType, func(u uint64) uint64 { return u })
	}
	return nil
}

func (s *SparseTensor) field(f field) error {
	switch f.number {
	case sparseValues:
		return one(f, "values", &s.Values)
	case sparseIndices:
		return one(f, "indices", &s.Indices)
	case sparseDims:
		return f.ints("dims", &s.Dims)
	}
	return nil
}

func (v *ValueInfo) field(f field) error {
	switch f.number {
	case infoName:
		return f.string("name", &v.Name)
	case infoType:
		return one(f, "type", &v.Type)
	case infoDoc:
		return f.string("doc_string", &v.Doc)
	case infoMetadata:
		return eachValue(f, "metadata_props", &v.Metadata)
	}
	return nil
}

func (t *Type) field(f field) error {
	switch f.number {
	case typeTensor:
		return one(f, "tensor_type", &t.Tensor)
	case typeSequence:
		return elementOf(f, "sequence_type", &t.Sequence)
	case typeOptional:
		return elementOf(f, "optional_type", &t.Optional)
	case typeSparseTensor:
		return one(f, "sparse_tensor_type", &t.SparseTensor)
	case typeMap:
		t.Map = true
	case typeOpaque:
		t.Opaque = true
	case typeDenotation:
		return f.string("denotation", &t.Denotation)
	}
	return nil
}

// elementOf reads the type of a sequence's or an optional's elements.
func elementOf(f field, name string, v **Type) error {
	if *v == nil {
		*v = new(Type)
	}
	return f.message(name, func(f field) error {
		if f.number != elementType {
			return nil
		}
		return f.message("elem_type", (*v).field)
	})
}

func (t *TensorType) field(f field) error {
	switch f.number {
	case tensorTypeElem:
		return f.elem("elem_type", &t.Elem)
	case tensorTypeShape:
		return one(f, "shape", &t.Shape)
	}
	return nil
}

func (s *Shape) field(f field) error {
	if f.number == shapeDims {
		return eachValue(f, "dim", &s.Dims)
	}
	return nil
}

func (d *Dim) field(f field) error {
	switch f.number {
	case dimValue:
		d.Known = true
		return f.int("dim_value", &d.Value)
	case dimName:
		return f.string("dim_param", &d.Name)
	case dimDenotation:
		return f.string("denotation", &d.Denotation)
	}
	return nil
}
