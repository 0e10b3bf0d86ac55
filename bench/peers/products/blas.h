// Calls of BLAS's products by their addresses. BLAS stores columns, so b·a is
// computed of what are rows here.

typedef void (*sgemm)(const char *, const char *, const int *, const int *, const int *, const float *, const float *,
		      const int *, const float *, const int *, const float *, float *, const int *);
typedef void (*dgemm)(const char *, const char *, const int *, const int *, const int *, const double *, const double *,
		      const int *, const double *, const int *, const double *, double *, const int *);

static inline void gemm32(void *f, int n, const float *a, const float *b, float *c) {
	const float one = 1, zero = 0;
	((sgemm)f)("N", "N", &n, &n, &n, &one, b, &n, a, &n, &zero, c, &n);
}

static inline void gemm64(void *f, int n, const double *a, const double *b, double *c) {
	const double one = 1, zero = 0;
	((dgemm)f)("N", "N", &n, &n, &n, &one, b, &n, a, &n, &zero, c, &n);
}
