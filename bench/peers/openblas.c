// Measures matrix products of OpenBLAS, which it opens at run time.
//
// Each line of input asks for a measurement, in eight numbers: bits of the
// precision, threads, steps, m, k, n, and 1 for each operand that is stored
// transposed. The answer is a line of JSON with the seconds that the steps took.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROW_MAJOR = 101, NO_TRANS = 111, TRANS = 112 };

static void (*sgemm)(int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *, int);
static void (*dgemm)(int, int, int, int, int, int, double, const double *, int, const double *, int, double, double *, int);
static void (*set_num_threads)(int);
static char *(*get_config)(void);
static int (*get_parallel)(void);

static int load(void) {
	void *library = dlopen("libopenblas.so.0", RTLD_NOW);
	if (!library) {
		fprintf(stderr, "%s\n", dlerror());
		return 0;
	}
	*(void **)&sgemm = dlsym(library, "cblas_sgemm");
	*(void **)&dgemm = dlsym(library, "cblas_dgemm");
	*(void **)&set_num_threads = dlsym(library, "openblas_set_num_threads");
	*(void **)&get_config = dlsym(library, "openblas_get_config");
	*(void **)&get_parallel = dlsym(library, "openblas_get_parallel");
	if (!sgemm || !dgemm || !set_num_threads || !get_config || !get_parallel) {
		fprintf(stderr, "libopenblas.so.0 lacks a function\n");
		return 0;
	}
	return 1;
}

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + 1e-9 * t.tv_nsec;
}

static double uniform(void) { return rand() / (RAND_MAX + 1.0) - 0.5; }

// measure32 and measure64 return the seconds that the steps take.
#define MEASURE(name, number, gemm)                                                                            \
	static double name(int steps, int m, int k, int n, int trans_a, int trans_b) {                         \
		number *a = malloc(sizeof *a * m * k), *b = malloc(sizeof *b * k * n), *c = malloc(sizeof *c * m * n); \
		for (int i = 0; i < m * k; i++) a[i] = uniform();                                              \
		for (int i = 0; i < k * n; i++) b[i] = uniform();                                              \
		int op_a = trans_a ? TRANS : NO_TRANS, op_b = trans_b ? TRANS : NO_TRANS;                      \
		gemm(ROW_MAJOR, op_a, op_b, m, n, k, 1, a, trans_a ? m : k, b, trans_b ? k : n, 0, c, n);      \
		double start = now();                                                                          \
		for (int i = 0; i < steps; i++)                                                                \
			gemm(ROW_MAJOR, op_a, op_b, m, n, k, 1, a, trans_a ? m : k, b, trans_b ? k : n, 0, c, n); \
		double took = now() - start;                                                                   \
		free(a), free(b), free(c);                                                                     \
		return took;                                                                                   \
	}

MEASURE(measure32, float, sgemm)
MEASURE(measure64, double, dgemm)

int main(void) {
	static const char *const parallel[] = {"serial", "pthread", "openmp"};
	if (!load()) return 1;
	printf("{\"version\": \"%s (%s)\"}\n", get_config(), parallel[get_parallel()]);
	fflush(stdout);
	int bits, threads, steps, m, k, n, trans_a, trans_b;
	while (scanf("%d %d %d %d %d %d %d %d", &bits, &threads, &steps, &m, &k, &n, &trans_a, &trans_b) == 8) {
		set_num_threads(threads);
		double took = (bits == 32 ? measure32 : measure64)(steps, m, k, n, trans_a, trans_b);
		printf("{\"seconds\": %.9f}\n", took);
		fflush(stdout);
	}
	return 0;
}
