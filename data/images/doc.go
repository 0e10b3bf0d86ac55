// Package images turns images into tensors and back, changes them at random for
// training, and draws what a network learned.
//
//	photo, err := images.ReadFile(path) // [channels, height, width]
//	if err != nil {
//		return err
//	}
//	flipped := photo.Clone()
//	images.NewAugmenter(images.Flip(1)).Apply(rng, flipped)
//	both := images.Batch([]autograd.Tensor{photo, flipped}) // [2, channels, height, width]
//	sheet := images.SheetWith(both, images.SheetOptions{Zoom: 4, Labels: []string{"leaf", "flipped"}})
//	if err := images.WriteFile(filepath.Join(dir, "leaves.png"), sheet); err != nil {
//		return err
//	}
//
// # Tensors
//
// An image is a tensor [channels, height, width], a batch of images a tensor
// [n, channels, height, width], from 0, black, to 1, white. There is one
// channel for grey, there are three for red, green and blue, and four with
// opacity, where the colours are not multiplied by it. Files give Float32; all
// functions take both precisions. Files are PNG and JPEG.
//
// # Opacity
//
// In one channel or three, what is not opaque lies over black, as in Go's
// premultiplied colours. Four channels keep the opacity.
//
// # Augmentation
//
// An [Augmenter] changes images in place, step by step: [Shift], [Flip],
// [FlipVertical], [Crop], [Rotate], [Noise]. All chance comes from the
// *rand.Rand given to it. A mask goes through the same motions as its image.
//
// # Pictures
//
// [Sheet] lays images beside each other. A [Scale] shows values beyond 0 to 1,
// such as those of filters. A [Picture] is an image enlarged, to draw boxes,
// masks and text over.
//
// # NaN
//
// A NaN is drawn in magenta, so that it is seen; reading files never makes one.
// A motion carries it to the pixels that it takes part in, and noise leaves it
// NaN. Training on it ends, before any parameter changes, with a
// *train.StepError that wraps an *[autograd.NonFiniteError] for the inputs,
// with the element's index; [autograd.Tensor.IsFinite] looks before.
//
// # Errors
//
// What is wrong with a file is returned as an error that names the file. Images
// of two sizes in a batch, and tensors that are no images, panic with an
// *[autograd.ShapeError], other mistakes with an *[autograd.ArgumentError];
// both name the line of the call.
package images
