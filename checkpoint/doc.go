// Package checkpoint keeps networks in files, and trainings that go on from
// where they stopped as if they had never stopped.
//
//	if err := checkpoint.Save("prices.safetensors", model); err != nil {
//		return err
//	}
//	restored := layers.NewSequential(layers.NewDense(rng, 2, 3), layers.ReLU(), layers.NewDense(rng, 3, 1))
//	if err := checkpoint.Load("prices.safetensors", restored); err != nil {
//		return err
//	}
//
// # Files
//
// Files have the safetensors format, which other frameworks read and write: a
// header in JSON and the numbers, without programs or types in them. All that
// a header says is checked against the file before memory is taken for it, so
// a file from a stranger does no harm. [Open] reads any tensor of a file.
//
// A file is written beside the old one, synced and renamed: it is there whole,
// or the old one still is.
//
// # Names
//
// Tensors are found by the names of the Params, and of the running statistics,
// which follow from the model's structure: layers.NewSequential names layers by
// their place, and layers.Name a struct's by its fields. If file and model
// differ in a name or a shape, as they do when a field was renamed, [Load]
// returns a [*MismatchError] that lists all differences, and changes nothing.
//
// # Other frameworks
//
// [LoadWith] maps names, and transposes matrices: those of PyTorch are [out,
// in], where Nabla's layers have [in, out]. float16 and bfloat16 are widened.
//
//	err := checkpoint.LoadWith("bert.safetensors", model, checkpoint.Options{
//		Names:     map[string]string{"head.weight": "classifier.weight", "head.bias": "classifier.bias"},
//		Rename:    strings.NewReplacer("hidden.", "encoder.layer.").Replace,
//		Transpose: checkpoint.OutIn("embedding.weight"),
//		Ignore:    []string{"*.num_batches_tracked"},
//	})
//
// # Trainings
//
// A [Training] is a model with all that a training reads beside it: what the
// optimizer remembers, the place in the random stream, and where the training
// is. One that was stopped after any step, with an interrupt or a power cut,
// goes on with the same bits as one that was not, for one build and one set of
// kernels. Package train keeps and resumes trainings by itself.
//
// A file says which format of Nabla's it has. One that a later Nabla wrote is
// refused with an error that says so; older ones are read.
package checkpoint
