/* kernels.c - how near each kernel set comes to what the processor can do.
 *
 *     kernels [SET|all [SEQ [HEADS [ROUNDS]]]]
 *
 * Rates count the useful operations: forward 4 x (pairs of query and key that the mask
 * allows) x dim x heads, backward 2.5 times that. "of limit" divides by a loop of the
 * set's own multiply-adds on registers (of bf16 pairs where the set has them), timed
 * between the kernels in every round. Medians. With OMP_NUM_THREADS=1 time is that of the
 * thread, which others on the machine don't disturb; else it is by the wall. */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels/kernels.h"

/* In kernels/cpu/tile.c; null where the set was not built. */
typedef double limit_fn(bool pairs, long steps);
__attribute__((weak)) limit_fn sp_tile_limit_portable, sp_tile_limit_avx2,
    sp_tile_limit_avx512, sp_tile_limit_avx512bf16;

static const struct { const char *set; limit_fn *run; } limits[] = {
    { "portable", sp_tile_limit_portable },
    { "avx2", sp_tile_limit_avx2 },
    { "avx512", sp_tile_limit_avx512 },
    { "avx512bf16", sp_tile_limit_avx512bf16 },
    { NULL, NULL }
};

enum { MAX_ROUNDS = 99, LIMIT_STEPS = 1 << 20 };

struct sample { double limit, forward, backward; };     /* operations a second */

static double now(void)
{
    const clockid_t id = omp_get_max_threads() == 1 ? CLOCK_THREAD_CPUTIME_ID
                                                    : CLOCK_MONOTONIC;
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of a column of samples, `which` doubles into each. */
static double median(const struct sample *s, int n, size_t which)
{
    double x[MAX_ROUNDS];
    for (int i = 0; i < n; i++)
        x[i] = ((const double *)&s[i])[which];
    qsort(x, (size_t)n, sizeof *x, by_size);
    return x[n / 2];
}

static struct sp_view view_new(enum sp_dtype dtype, long seq, int heads, int dim)
{
    const struct sp_view v = {
        .data = calloc((size_t)(seq * heads * dim), sp_dtype_bytes(dtype)),
        .dtype = dtype,
        .rows = (int)seq,
        .batch = 1,
        .heads = heads,
        .dim = dim,
        .row_stride = (long)heads * dim,
        .batch_stride = (long)heads * dim,
    };
    if (!v.data)
        abort();
    unsigned x = 1;
    for (long i = 0; i < seq * heads * dim; i++) {
        x = x * 1664525u + 1013904223u;
        sp_view_set(&v, i, (double)x / 2147483648.0 - 1);
    }
    return v;
}

static struct sp_tensors tensors_new(enum sp_dtype dtype, long seq, int heads, int dim)
{
    return (struct sp_tensors){
        .q = view_new(dtype, seq, heads, dim),
        .k = view_new(dtype, seq, heads, dim),
        .v = view_new(dtype, seq, heads, dim),
        .o = view_new(dtype, seq, heads, dim),
        .lse = view_new(SP_F32, seq, heads, 1),
        .dout = view_new(dtype, seq, heads, dim),
        .delta = view_new(SP_F32, seq, heads, 1),
        .dq = view_new(dtype, seq, heads, dim),
        .dk = view_new(dtype, seq, heads, dim),
        .dv = view_new(dtype, seq, heads, dim),
        .scale = 1 / sqrtf((float)dim),
    };
}

static void tensors_free(struct sp_tensors *t)
{
    void *data[] = { t->q.data, t->k.data, t->v.data, t->o.data, t->lse.data,
                     t->dout.data, t->delta.data, t->dq.data, t->dk.data, t->dv.data };
    for (size_t i = 0; i < sizeof data / sizeof *data; i++)
        free(data[i]);
}

static double limit_rate(limit_fn *run, bool pairs)
{
    double flop = 0;
    const double t = now();
    #pragma omp parallel reduction(+ : flop)
    flop += run(pairs, LIMIT_STEPS);
    return flop / (now() - t);
}

static struct sample measure(const struct sp_kernels *set, limit_fn *limit,
                             const struct sp_tensors *t, void *scratch)
{
    const double seq = t->q.rows, all = seq * seq;
    const double pairs = t->causal ? (all + seq) / 2 : all;
    const double flop = 4 * pairs * t->q.dim * t->q.heads;
    struct sample s;
    s.limit = limit_rate(limit, t->q.dtype == SP_BF16);
    double at = now();
    set->attn(t, scratch);
    s.forward = flop / (now() - at);
    set->delta(t->delta, t->o, t->dout);
    at = now();
    set->grad(t, scratch);
    s.backward = 2.5 * flop / (now() - at);
    return s;
}

static void bench(const struct sp_kernels *set, limit_fn *limit, struct sp_tensors *t,
                  int rounds)
{
    struct sample s[MAX_ROUNDS];
    void *scratch = aligned_alloc(64, (set->scratch(t) / 64 + 1) * 64);
    if (!scratch)
        abort();
    measure(set, limit, t, scratch);
    for (int i = 0; i < rounds; i++)
        s[i] = measure(set, limit, t, scratch);
    const double most = median(s, rounds, 0);
    const double forward = median(s, rounds, 1), backward = median(s, rounds, 2);
    printf("%-10s  %s  %3d  %-6s  %6.1f  %7.1f  %5.1f %%  %8.1f  %5.1f %%\n", set->name,
           sp_dtype_names[t->q.dtype], t->q.dim, t->causal ? "causal" : "full",
           most * 1e-9, forward * 1e-9, 100 * forward / most, backward * 1e-9,
           100 * backward / most);
    fflush(stdout);
    free(scratch);
}

static void bench_set(const struct sp_kernels *set, limit_fn *limit, long seq, int heads,
                      int rounds)
{
    for (int dtype = SP_F32; dtype <= SP_BF16; dtype++)
        for (int dim = 64; dim <= 128; dim *= 2) {
            struct sp_tensors t = tensors_new(dtype, seq, heads, dim);
            const struct sp_run all = { 0, 1, seq };
            t.qpos = t.kpos = (struct sp_where){ &all, 1 };
            bench(set, limit, &t, rounds);
            t.causal = true;
            bench(set, limit, &t, rounds);
            tensors_free(&t);
        }
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "all";
    const long seq = argc > 2 ? atol(argv[2]) : 2048;
    const int heads = argc > 3 ? atoi(argv[3]) : 8;
    const int rounds = argc > 4 ? atoi(argv[4]) : 5;
    if (seq < 1 || heads < 1 || rounds < 1 || rounds > MAX_ROUNDS) {
        fprintf(stderr, "usage: kernels [SET|all [SEQ [HEADS [ROUNDS]]]]\n");
        return 2;
    }

    printf("seq %ld, heads %d, %d rounds, threads %d; GFLOP/s\n", seq, heads, rounds,
           omp_get_max_threads());
    puts("set         type  dim  mask     limit  forward  of limit  backward  of limit");
    for (int i = 0; limits[i].set; i++) {
        const char *why;
        const struct sp_kernels *set = sp_kernels_find(limits[i].set, &why);
        if (!set || !limits[i].run || (strcmp(name, "all") && strcmp(name, set->name)))
            continue;
        bench_set(set, limits[i].run, seq, heads, rounds);
    }
    return 0;
}
