package graphviz

import "nabla/autograd"

// A CauseKind says why a gradient is zero, tiny, NaN or missing.
type CauseKind uint8

const (
	CauseNone           CauseKind = iota // nothing is special
	CauseGateClosed                      // a relu, clamp, maximum or where lets nothing pass
	CauseSaturated                       // a sigmoid or tanh is where it is all but flat
	CauseZeroInput                       // it is multiplied by an input that is zero or tiny
	CauseFlat                            // an operation's slope is zero or tiny there, as that of a square at 0
	CauseCancellation                    // what the uses hand back cancels
	CauseAttenuation                     // many factors, of which none is tiny
	CauseUnderflow                       // the product is below the smallest number
	CauseSeed                            // the backward pass started with it
	CauseNotReached                      // the loss does not depend on it
	CauseDetached                        // an operation that stops gradients is in the way
	CauseFrozen                          // a frozen parameter
	CauseConstant                        // it depends on nothing that is learned
	CauseLogOfZero                       // log of 0
	CauseDivisionByZero                  // a division by 0
	CauseDomain                          // an operation is not defined there, as the square root of a negative number
	CauseSlope                           // an operation has an infinite slope there, as the square root at 0
	CauseOverflow                        // a number is beyond the largest
	CauseGiven                           // a leaf or seed holds it
	CauseUnknown                         // a custom operation, or the graph has no Trace
)

// A Cause is why a gradient is what it is.
type Cause struct {
	Kind  CauseKind
	Value autograd.Value // where
	Words string
}
