// Command bench measures Nabla side by side with its alternatives (peers): it
// alternates between Nabla and each peer, and reports the median of the ratios
// of adjacent runs, which a noisy machine disturbs less than either time.
//
//	go run ./bench                                        # all
//	go run ./bench -workload W2,W3 -peer torch -threads 1 # some
//
// README.md lists the workloads and the peers, with results.
package main
