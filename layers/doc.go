// Package layers holds the parts that networks are built of: weighted sums,
// convolutions, activations, and layers one behind the other. Package neurons
// builds a network neuron by neuron, to see what a layer does.
//
//	rng := rand.New(rand.NewPCG(1, 0))
//	model := layers.NewSequential(
//		layers.NewDense(rng, 2, 3),
//		layers.ReLU(),
//		layers.NewDense(rng, 3, 1),
//	)
//	fmt.Print(layers.Summary(model, 24, 2)) // 24 rows of 2 features
//
//	g := autograd.NewGraph(autograd.Options{})
//	features := g.Constant(autograd.Ones(24, 2))
//	prediction := model.Forward(features)
//	fmt.Println("prediction", prediction.Shape())
//
// # A layer
//
// [Layer] is two methods, so a network of your own is a plain struct with
// layers in it. Shapes are [batch, features]: each row is a sample. A layer
// holds its Params and settings, but nothing of a recording: graphs on many
// goroutines may use it at once, as long as nothing writes its Params.
//
// [NewDense] and [NewSequential] return types of their own, which offer more
// than a Layer; a [Dense] you may also fill yourself. That is what New says.
// What is only a Layer has a plain name: [ReLU], [Dropout], [Func].
//
// # Images
//
// Images are [batch, channels, height, width], sequences [batch, channels,
// length], and volumes have a depth before the height; [NewConv2D],
// [MaxPool2D] and their kin take one of these each. Weights have PyTorch's
// layout, except that a Dense layer's are [in, out].
//
//	lenet := layers.NewSequential(
//		layers.NewConv2DWith(rng, 1, 6, 5, layers.ConvOptions{Same: true}),
//		layers.ReLU(),
//		layers.MaxPool2D(2), // 14 × 14
//		layers.NewConv2D(rng, 6, 16, 5),
//		layers.ReLU(),
//		layers.MaxPool2D(2), // 5 × 5
//		layers.Flatten(),
//		layers.NewDense(rng, 16*5*5, 10),
//	)
//	fmt.Print(layers.Summary(lenet, 32, 1, 28, 28))
//
// # Normalization
//
// [NewBatchNorm], [NewLayerNorm], [NewGroupNorm], [NewInstanceNorm] and
// [NewRMSNorm] have PyTorch's formulas and names. A batch norm uses the batch
// in training and its running statistics in evaluation, as the graph's options
// say. What a training step observes of them is part of the gradients: the
// optimizer's Step applies it. They are among the layer's Params, so that they
// are stored with it, but have no gradient.
//
// # Sequences
//
// Sequences are [batch, steps, features]. [NewLSTM], [NewGRU] and [NewRNN] go
// through them from a state, a value that is given and returned; the zero state
// is zeros:
//
//	lstm := layers.NewLSTM(rng, 8, 16)
//	ys, last := lstm.Run(xs, layers.LSTMState{})
//
// Their RunWith takes the lengths of padded sequences, their Step goes one
// step, for loops of your own, and [Last] takes the last output. To learn from
// a long sequence piece by piece, [LSTMState.Keep] carries the state over the
// graph's Reset.
//
// # Words and attention
//
// Words are ids, [autograd.Ints] of any shape, so what looks their numbers up
// is no Layer: ids [batch, steps] give [batch, steps, width]. The gradient, and
// an optimizer's step, touch the rows of the table that were used, unless the
// options ask for the Whole. [NewSinePositions] and [NewLearnedPositions] add
// what tells the steps apart. In a [TransformerEncoderBlock] each step then
// looks at the others, at those up to its own with Causal, and not at padding
// behind the Lengths:
//
//	words, places := layers.NewEmbedding(rng, 100, 8), layers.NewSinePositions(20, 8)
//	block := layers.NewTransformerEncoderBlock(rng, 8, 2, 16)
//	seen := places.Forward(words.Lookup(g, ids))
//	read := block.Run(seen, layers.AttendOptions{Lengths: lengths})
//
// A [TransformerDecoderBlock] looks at a memory besides, and
// [MultiHeadAttention] is the attention alone. Next goes one step, with the
// keys and values of those before in a [Cache]. Params have PyTorch's names,
// and matrices are [in, out].
//
// # Graphs
//
// A graph is the features of its nodes, [nodes, features], and its edges, ids
// [2, edges]: sources in the first row, targets in the second. [NewGraphConv]
// mixes a node's features with its neighbors' evenly, [NewGraphAttention] in
// shares that it learns:
//
//	conv := layers.NewGraphConv(rng, 3, 4)
//	mixed := conv.Run(nodes, edges)
//
// # Initial weights
//
// [NewDense] and [NewConv2D] draw them by [GlorotUniform], where PyTorch draws
// from ±1/√fanIn; [NewDenseWith] and [NewConv2DWith] take another
// [Initializer]: He for ReLU, LeCun for SELU, or a function of your own. All
// randomness comes from the rng that is passed in: the same seed gives the
// same network.
//
// # Precision
//
// Params are in float64 unless the options say otherwise. [Convert] changes all
// of a model to the precision of the graphs that it is for, which then read the
// Params in place.
//
// # Names
//
// The Params of a model have different names, which come from its structure
// and do not change: files, groups of Params and drawings tell them apart by
// these. [NewSequential] names its layers by kind and place, dense1, relu1,
// dense2, and their Params after them: dense1.weight. [Name] names the Params
// of a struct of your own by its fields:
//
//	model := &autoencoder{Encoder: layers.NewDense(rng, 8, 2)}
//	model.Decoder.Hidden = layers.NewDense(rng, 2, 4)
//	model.Decoder.Output = layers.NewDense(rng, 4, 8)
//	layers.Name(model)
//
// gives encoder.weight, decoder.hidden.weight, and so on. [Summary], and
// train.Run before it trains, refuse a model that has two Params of one name.
//
// A layer records in a scope of its name, which drawings show as a box around
// it, with the weighted sum named z and the activation a.
//
// # Mistakes
//
// An input of the wrong width panics with an *[autograd.ShapeError] that names
// the layer and the line of the call; settings that make no sense with an
// *[autograd.ArgumentError].
package layers
