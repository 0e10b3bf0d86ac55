// Package explain says why a gradient has its value and what is wrong with a
// recording.
//
// [Gradient] explains a gradient: the chain rule's sum, the paths to the loss
// that contribute most, why it is zero, tiny, NaN or missing, and how it
// compares with a central difference. [Diagnose] lists what is wrong with a
// recording: where the first NaN or infinity arose and what it spoiled, dead
// relus, saturated activations, vanishing and exploding gradients, and what the
// loss does not reach.
//
//	fmt.Print(explain.Gradient(w, loss.Backward()))
//	for _, trouble := range explain.Diagnose(loss, loss.Backward()) {
//		fmt.Println(trouble)
//	}
package explain
