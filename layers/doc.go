// Package layers holds the parts that networks are built of: weighted sums,
// activations, and layers one behind the other. Package neurons builds a
// network neuron by neuron, to see what a layer does.
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
// # Initial weights
//
// [NewDense] draws them by [GlorotUniform]; [NewDenseWith] takes another
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
