#include "world.h"
#include <string.h>
#include <time.h>

static MPI_Comm world = MPI_COMM_NULL;

int nabla_used(int *used) { return MPI_Initialized(used); }

int nabla_init(int *rank, int *size, int *level) {
	int code = MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, level);
	if (code == MPI_SUCCESS) code = MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
	if (code == MPI_SUCCESS) code = MPI_Comm_dup(MPI_COMM_WORLD, &world);
	if (code == MPI_SUCCESS) code = MPI_Comm_set_errhandler(world, MPI_ERRORS_RETURN);
	if (code == MPI_SUCCESS) code = MPI_Comm_rank(world, rank);
	if (code == MPI_SUCCESS) code = MPI_Comm_size(world, size);
	*level = *level >= MPI_THREAD_SERIALIZED;
	return code;
}

int nabla_finalize(void) {
	int code = MPI_Comm_free(&world);
	int last = MPI_Finalize();
	return code != MPI_SUCCESS ? code : last;
}

void nabla_library(char *text, int size) {
	char all[MPI_MAX_LIBRARY_VERSION_STRING];
	int length = 0;
	if (MPI_Get_library_version(all, &length) != MPI_SUCCESS) length = 0;
	if (length >= size) length = size - 1;
	memcpy(text, all, length);
	text[length] = 0;
}

void nabla_text(int code, char *text, int size) {
	char all[MPI_MAX_ERROR_STRING];
	int length = 0;
	if (MPI_Error_string(code, all, &length) != MPI_SUCCESS) length = 0;
	if (length >= size) length = size - 1;
	memcpy(text, all, length);
	text[length] = 0;
}

int nabla_send(void *from, int bytes, int rank, MPI_Request *request) {
	return MPI_Isend(from, bytes, MPI_BYTE, rank, 0, world, request);
}

int nabla_receive(void *to, int bytes, int rank, MPI_Request *request) {
	return MPI_Irecv(to, bytes, MPI_BYTE, rank, 0, world, request);
}

int nabla_sum(void *numbers, int count, int width, MPI_Request *request) {
	MPI_Datatype type = width == 4 ? MPI_FLOAT : MPI_DOUBLE;
	return MPI_Iallreduce(MPI_IN_PLACE, numbers, count, type, MPI_SUM, world, request);
}

int nabla_test(int count, MPI_Request *requests, MPI_Status *statuses, const int *expected, int *done, int *wrong) {
	*wrong = -1;
	int code = MPI_Testall(count, requests, done, statuses);
	if (code == MPI_ERR_IN_STATUS) {
		for (int i = 0; i < count; i++) {
			int own = statuses[i].MPI_ERROR;
			if (own != MPI_SUCCESS && own != MPI_ERR_PENDING) return own;
		}
	}
	if (code != MPI_SUCCESS || !*done || expected == NULL) return code;
	for (int i = 0; i < count; i++) {
		int got = 0;
		if (expected[i] < 0) continue;
		code = MPI_Get_count(&statuses[i], MPI_BYTE, &got);
		if (code != MPI_SUCCESS) return code;
		if (got != expected[i]) {
			*wrong = i;
			return code;
		}
	}
	return code;
}

void nabla_pause(void) {
	struct timespec some = {0, 20000};
	nanosleep(&some, NULL);
}
