//go:build !unix

package train_test

import "time"

// processorTime is not known here: a benchmark then has no "more-cpu-%".
func processorTime() time.Duration { return 0 }
