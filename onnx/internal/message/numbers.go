package message

// The numbers of the fields in onnx.proto.
const (
	modelIRVersion       = 1
	modelProducerName    = 2
	modelProducerVersion = 3
	modelDomain          = 4
	modelVersion         = 5
	modelDoc             = 6
	modelGraph           = 7
	modelOpsets          = 8
	modelMetadata        = 14
	modelFunctions       = 25

	opsetDomain  = 1
	opsetVersion = 2

	entryKey   = 1
	entryValue = 2

	graphNodes              = 1
	graphName               = 2
	graphInitializers       = 5
	graphDoc                = 10
	graphInputs             = 11
	graphOutputs            = 12
	graphValues             = 13
	graphSparseInitializers = 15
	graphMetadata           = 16

	nodeInputs     = 1
	nodeOutputs    = 2
	nodeName       = 3
	nodeOp         = 4
	nodeAttributes = 5
	nodeDoc        = 6
	nodeDomain     = 7
	nodeOverload   = 8
	nodeMetadata   = 9

	functionName       = 1
	functionInputs     = 4
	functionOutputs    = 5
	functionAttributes = 6
	functionNodes      = 7
	functionDoc        = 8
	functionOpsets     = 9
	functionDomain     = 10
	functionDefaults   = 11
	functionValues     = 12
	functionOverload   = 13
	functionMetadata   = 14

	attributeName          = 1
	attributeFloat         = 2
	attributeInt           = 3
	attributeString        = 4
	attributeTensor        = 5
	attributeGraph         = 6
	attributeFloats        = 7
	attributeInts          = 8
	attributeStrings       = 9
	attributeTensors       = 10
	attributeGraphs        = 11
	attributeDoc           = 13
	attributeType          = 14
	attributeTypes         = 15
	attributeKind          = 20
	attributeRef           = 21
	attributeSparseTensor  = 22
	attributeSparseTensors = 23

	tensorDims     = 1
	tensorElem     = 2
	tensorSegment  = 3
	tensorFloats   = 4
	tensorInt32s   = 5
	tensorStrings  = 6
	tensorInt64s   = 7
	tensorName     = 8
	tensorRaw      = 9
	tensorDoubles  = 10
	tensorUint64s  = 11
	tensorDoc      = 12
	tensorExternal = 13
	tensorLocation = 14
	tensorMetadata = 16

	sparseValues  = 1
	sparseIndices = 2
	sparseDims    = 3

	infoName     = 1
	infoType     = 2
	infoDoc      = 3
	infoMetadata = 4

	typeTensor       = 1
	typeSequence     = 4
	typeMap          = 5
	typeDenotation   = 6
	typeOpaque       = 7
	typeSparseTensor = 8
	typeOptional     = 9

	tensorTypeElem  = 1
	tensorTypeShape = 2

	elementType = 1 // of a sequence and of an optional

	shapeDims = 1

	dimValue      = 1
	dimName       = 2
	dimDenotation = 3
)
