// Command bench measures Nabla side by side with what a user would pick
// instead, in one run: it takes turns between Nabla and each peer, and reports
// the median of the ratios of neighbouring runs, which a noisy machine disturbs
// less than either time.
//
//	go run ./bench                                        # all
//	go run ./bench -workload W2,W3 -peer torch -threads 1 # some
//
// README.md lists the workloads and the peers, with results.
package main
