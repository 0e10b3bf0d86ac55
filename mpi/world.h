// What Go calls of MPI. The constants of MPI are macros whose form differs
// between libraries, so that they are used here and not in Go.

#include <mpi.h>
#include <stddef.h>

// nabla_init initializes MPI, makes a communicator of the library's own, and
// lets its functions return errors.
int nabla_init(int *rank, int *size, int *level);

// nabla_finalize ends MPI, in the thread that has initialized it.
int nabla_finalize(void);

// nabla_used says whether MPI has been initialized in this process before.
int nabla_used(int *used);

// nabla_library copies the name and version of the MPI library.
void nabla_library(char *text, int size);

// nabla_text copies what an error code means.
void nabla_text(int code, char *text, int size);

// nabla_send and nabla_receive begin to pass bytes to and from a rank.
int nabla_send(void *from, int bytes, int rank, MPI_Request *request);
int nabla_receive(void *to, int bytes, int rank, MPI_Request *request);

// nabla_sum begins to replace numbers by their sums over all ranks.
int nabla_sum(void *numbers, int count, int width, MPI_Request *request);

// nabla_test reports whether all requests are done. Then, if expected is given,
// wrong is the number of the first request that has received another number of
// bytes than expected, or -1; an expected number below 0 is of none.
int nabla_test(int count, MPI_Request *requests, MPI_Status *statuses, const int *expected, int *done, int *wrong);

// nabla_pause leaves the processor to others for some microseconds.
void nabla_pause(void);
