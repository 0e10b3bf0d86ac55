package mpi

// SetLargest makes MPI be given so many bytes or numbers at once.
func SetLargest(n int) { largest = n }
