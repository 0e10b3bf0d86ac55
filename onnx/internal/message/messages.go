package message

// A Model is a ModelProto: the whole of a file.
type Model struct {
	IRVersion       int64
	Opsets          []Opset
	ProducerName    string
	ProducerVersion string
	Domain          string
	ModelVersion    int64
	Doc             string
	Graph           *Graph
	Metadata        []Entry
	Functions       []*Function
}

// An Opset is an OperatorSetIdProto. The domain of ONNX itself is "".
type Opset struct {
	Domain  string
	Version int64
}

// An Entry is a StringStringEntryProto.
type Entry struct{ Key, Value string }

// A Graph is a GraphProto.
type Graph struct {
	Nodes              []*Node
	Name               string
	Initializers       []*Tensor
	SparseInitializers []*SparseTensor
	Doc                string
	Inputs             []*ValueInfo
	Outputs            []*ValueInfo
	Values             []*ValueInfo // value_info: types of what is in between
	Metadata           []Entry
}

// A Node is a NodeProto. An input that is left out has the name "".
type Node struct {
	Inputs     []string
	Outputs    []string
	Name       string
	Op         string
	Domain     string
	Overload   string
	Attributes []*Attribute
	Doc        string
	Metadata   []Entry
}

// Attribute returns the attribute of that name, or nil.
func (n *Node) Attribute(name string) *Attribute {
	for _, a := range n.Attributes {
		if a.Name == name {
			return a
		}
	}
	return nil
}

// A Function is a FunctionProto: an operator made of others.
type Function struct {
	Name              string
	Inputs            []string
	Outputs           []string
	Attributes        []string     // those without a default
	AttributeDefaults []*Attribute //
	Nodes             []*Node
	Doc               string
	Opsets            []Opset
	Domain            string
	Overload          string
	Values            []*ValueInfo
	Metadata          []Entry
}

// A Kind says which field of an Attribute is in use.
type Kind int32

const (
	KindUndefined Kind = iota
	KindFloat
	KindInt
	KindString
	KindTensor
	KindGraph
	KindFloats
	KindInts
	KindStrings
	KindTensors
	KindGraphs
	KindSparseTensor
	KindSparseTensors
	KindType
	KindTypes
)

// An Attribute is an AttributeProto. Old files have no kind: it is then the one
// of the field that was read.
type Attribute struct {
	Name          string
	Ref           string // inside a function: the attribute of the function
	Doc           string
	Kind          Kind
	Float         float32
	Int           int64
	String        []byte
	Tensor        *Tensor
	Graph         *Graph
	SparseTensor  *SparseTensor
	Type          *Type
	Floats        []float32
	Ints          []int64
	Strings       [][]byte
	Tensors       []*Tensor
	Graphs        []*Graph
	SparseTensors []*SparseTensor
	Types         []*Type
}

// An Elem is a TensorProto.DataType: what a tensor's elements are.
type Elem int32

const (
	ElemUndefined Elem = iota
	Float
	Uint8
	Int8
	Uint16
	Int16
	Int32
	Int64
	String
	Bool
	Float16
	Double
	Uint32
	Uint64
	Complex64
	Complex128
	BFloat16
)

func (e Elem) String() string {
	names := [...]string{
		"undefined", "float", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool", "float16",
		"double", "uint32", "uint64", "complex64", "complex128", "bfloat16",
	}
	if e < 0 || int(e) >= len(names) {
		return "elements of another type"
	}
	return names[e]
}

// A Tensor is a TensorProto. Its numbers are in Raw, little-endian, or in one
// of the typed slices, or, if External is not empty, in another file.
type Tensor struct {
	Name     string
	Doc      string
	Dims     []int64
	Elem     Elem
	Raw      []byte // after Unmarshal: a part of what was read, not a copy
	Floats   []float32
	Int32s   []int32 // also of 8- and 16-bit integers, Bool, and bits of Float16
	Strings  [][]byte
	Int64s   []int64
	Doubles  []float64
	Uint64s  []uint64 // also of Uint32
	External []Entry  // location, offset, length, checksum
	Outside  bool     // data_location is EXTERNAL
	Segment  bool     // is one part of a larger tensor, which nobody writes
	Metadata []Entry
}

// A SparseTensor is a SparseTensorProto.
type SparseTensor struct {
	Values  *Tensor
	Indices *Tensor
	Dims    []int64
}

// A ValueInfo is a ValueInfoProto: a name and its type.
type ValueInfo struct {
	Name     string
	Type     *Type
	Doc      string
	Metadata []Entry
}

// A Type is a TypeProto: of a tensor, or of one of the others.
type Type struct {
	Tensor       *TensorType
	Sequence     *Type // of the elements
	Optional     *Type // of the element
	SparseTensor *TensorType
	Map          bool // a map: its types are not kept
	Opaque       bool
	Denotation   string
}

// A TensorType is a TypeProto.Tensor. Shape is nil if not even the rank is
// known.
type TensorType struct {
	Elem  Elem
	Shape *Shape
}

// A Shape is a TensorShapeProto.
type Shape struct{ Dims []Dim }

// A Dim is one dimension: a number if Known, otherwise a name, or "" if nothing
// is known.
type Dim struct {
	Value      int64
	Known      bool
	Name       string
	Denotation string
}
