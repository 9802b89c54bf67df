/* test_kernels.c - every kernel set that runs here against the reference, which is fp64
 * inside: error = max |difference| / max |reference|, a tensor at a time. */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trial.h"

static void expect(const char *set, const char *what, const struct sp_view *x,
                   const struct sp_view *ref, double tolerance)
{
    const double e = view_error(x, ref);
    if (getenv("VERBOSE"))
        print_message("%-10s %-6s dim %3d %s: %.1e\n", set, what, x->dim,
                      sp_dtype_names[x->dtype], e);
    if (!(e <= tolerance))
        fail_msg("%s %s: error %g is above %g", set, what, e, tolerance);
}

/* Sets in turn; the reference and those that this processor lacks are left out. */
static const struct sp_kernels *next_set(int *i)
{
    for (const char *why; sp_kernel_sets[*i]; ) {
        const char *name = sp_kernel_sets[(*i)++]->name;
        const struct sp_kernels *set = sp_kernels_find(name, &why);
        if (set && strcmp(name, "reference") != 0)
            return set;
    }
    return NULL;
}

/* Forward and backward, with nothing of use in the outputs and the scratch before. Each
 * set reads its own lse; delta is the reference's for all. */
static void compute(const struct sp_kernels *set, struct sp_tensors *t)
{
    const struct sp_view *out[] = { &t->o, &t->lse, &t->dq, &t->dk, &t->dv };
    for (size_t i = 0; i < sizeof out / sizeof *out; i++)
        view_spoil(out[i]);
    const size_t bytes = set->scratch(t);
    void *scratch = NULL;
    assert_int_equal(posix_memalign(&scratch, 64, bytes ? bytes : 1), 0);
    memset(scratch, 0xff, bytes);

    set->attn(t, scratch);
    if (set == sp_kernel_sets[0])
        set->delta(t->delta, t->o, t->dout);
    set->grad(t, scratch);
    free(scratch);
}

static void check_trial(const struct shape *s, double tight)
{
    struct trial x;
    trial_new(&x, s);
    compute(sp_kernel_sets[0], &x.ref);

    int i = 0;
    for (const struct sp_kernels *set; (set = next_set(&i)); ) {
        struct sp_tensors t = x.t;
        compute(set, &t);
        const double loose = 1e-2, least = s->in == SP_BF16 ? loose : tight;
        expect(set->name, "lse", &t.lse, &x.ref.lse, 1e-6);
        expect(set->name, "o", &t.o, &x.ref.o, s->o == SP_BF16 ? loose : least);
        expect(set->name, "dq", &t.dq, &x.ref.dq, s->dq == SP_BF16 ? loose : least);
        expect(set->name, "dk", &t.dk, &x.ref.dk, s->dkv == SP_BF16 ? loose : least);
        expect(set->name, "dv", &t.dv, &x.ref.dv, s->dkv == SP_BF16 ? loose : least);
    }
    trial_free(&x);
}

/* Every mask with every dim, dealing the other properties round. */
static void test_shapes(void **state)
{
    (void)state;
    static const int dims[] = { 4, 20, 64, 96, 128, 256 };
    static const int rows[] = { 2, 7, 100, 193, 250 }, keys[] = { 65, 3, 130, 391 };
    static const int groups[] = { 1, 4, 8 };
    int n = 0;
    for (int mask = 0; mask < NMASKS; mask++)
        for (size_t d = 0; d < sizeof dims / sizeof *dims; d++, n++)
            for (int in = SP_F32; in <= SP_BF16; in++) {
                const int kv_heads = n % 2 + 1;
                check_trial(&(struct shape){
                    .rows = rows[n % 5],
                    .keys = keys[n % 4],
                    .batch = n % 3 == 0 ? 2 : 1,
                    .heads = kv_heads * (dims[d] < 100 ? groups[n % 3] : n % 2 + 1),
                    .kv_heads = kv_heads,
                    .dim = dims[d],
                    .in = in,
                    .o = n / 2 % 2 ? SP_BF16 : SP_F32,
                    .dq = n / 3 % 2 ? SP_BF16 : SP_F32,
                    .dkv = n / 4 % 2 ? SP_BF16 : SP_F32,
                    .mask = mask,
                    .size = 1,
                }, 1e-5);
            }
}

/* One query, one key, neither. A lone key has no gradient but what rounding leaves. */
static void test_single(void **state)
{
    (void)state;
    for (int rows = 0; rows <= 40; rows += rows ? 39 : 1)
        for (int keys = 0; keys <= 80; keys += keys ? 79 : 1)
            for (int in = SP_F32; in <= SP_BF16; in++)
                check_trial(&(struct shape){
                    .rows = rows,
                    .keys = keys,
                    .batch = 1,
                    .heads = 2,
                    .kv_heads = 2,
                    .dim = 64,
                    .in = in,
                    .size = 1,
                }, 1e-4);
}

/* More than one block in both directions, for the threads too. */
static void test_blocks(void **state)
{
    (void)state;
    const int threads = omp_get_max_threads();
    for (int mask = 0; mask < NMASKS; mask++)
        for (int in = SP_F32; in <= SP_BF16; in++) {
            omp_set_num_threads(1 + mask % 3);
            check_trial(&(struct shape){
                .rows = 450,
                .keys = 1100,
                .batch = 1,
                .heads = 1,
                .kv_heads = 1,
                .dim = 64,
                .in = in,
                .mask = mask,
                .size = 1,
            }, 1e-5);
        }
    omp_set_num_threads(threads);
}

/* Scores of +-200. Their rounding in fp32, of 1e-5, is the relative error of exp. */
static void test_extreme(void **state)
{
    (void)state;
    for (int in = SP_F32; in <= SP_BF16; in++)
        for (int mask = FULL; mask <= CONTIGUOUS; mask++)
            check_trial(&(struct shape){
                .rows = 70,
                .keys = 200,
                .batch = 1,
                .heads = 2,
                .kv_heads = 1,
                .dim = 64,
                .in = in,
                .mask = mask,
                .size = 70,
            }, 1e-4);
}

/* The same bits again, whoever is faster. */
static void test_repeats(void **state)
{
    (void)state;
    const int threads = omp_get_max_threads();
    const struct shape s = {
        .rows = 300, .keys = 500, .batch = 1, .heads = 2, .kv_heads = 1, .dim = 64,
        .mask = CONTIGUOUS, .size = 1,
    };
    struct trial x;
    trial_new(&x, &s);
    omp_set_num_threads(3);
    int i = 0;
    for (const struct sp_kernels *set; (set = next_set(&i)); ) {
        compute(set, &x.t);
        const struct sp_view once = view_copy(&x.t.dq, SP_F32);
        compute(set, &x.t);
        assert_memory_equal(once.data, x.t.dq.data, (size_t)view_elements(&once) * 4);
        free(once.data);
    }
    omp_set_num_threads(threads);
    trial_free(&x);
}

/* What an op of one line does to x, by the set and by the reference. */
static void check_lines(enum sp_dtype dx, enum sp_dtype dy, int rows, int heads, int dim)
{
    const struct sp_kernels *reference = sp_kernel_sets[0];
    const struct sp_view y = view_new(dy, rows, 2, heads, dim, 1);
    const struct sp_view start = view_new(dx, rows, 2, heads, dim, 1);
    const struct sp_view delta = view_new(SP_F32, rows, 2, heads, 1, 1);
    const double tolerance = dx == SP_BF16 ? 1e-2 : 1e-6;
    int i = 0;
    for (const struct sp_kernels *set; (set = next_set(&i)); ) {
        struct sp_view x = view_copy(&start, dx), ref = view_copy(&start, dx);
        set->add(x, y);
        reference->add(ref, y);
        expect(set->name, "add", &x, &ref, tolerance);
        set->copy(x, y);
        reference->copy(ref, y);
        expect(set->name, "copy", &x, &ref, 0);
        struct sp_view sum = view_copy(&delta, SP_F32);
        struct sp_view sum_ref = view_copy(&delta, SP_F32);
        set->delta(sum, start, y);
        reference->delta(sum_ref, start, y);
        expect(set->name, "delta", &sum, &sum_ref, 1e-5);
        free(x.data);
        free(ref.data);
        free(sum.data);
        free(sum_ref.data);
    }
    free(y.data);
    free(start.data);
    free(delta.data);
}

static void test_lines(void **state)
{
    (void)state;
    for (int n = 0; n < 4; n++) {
        check_lines(n & 1, n >> 1, 5, 3, 4);
        check_lines(n & 1, n >> 1, 1, 1, 1);
        check_lines(n & 1, n >> 1, 130, 4, 64);
    }
}

/* lse of every size, and -inf on one side, the other and both; an empty side's o is NaN,
 * which must not be looked at. */
static void check_merge(enum sp_dtype dx, enum sp_dtype dy)
{
    enum { ROWS = 40 };
    const struct sp_view o = view_new(dx, ROWS, 2, 3, 20, 1);
    const struct sp_view lse = view_new(SP_F32, ROWS, 2, 3, 1, 60);
    const struct sp_view part = view_new(dy, ROWS, 2, 3, 20, 1);
    const struct sp_view part_lse = view_new(SP_F32, ROWS, 2, 3, 1, 60);
    for (int row = 0; row < 3; row++)
        for (int h = 0; h < 3; h++) {
            if (row != 1)
                sp_view_set(&lse, row * lse.row_stride + h, -INFINITY);
            if (row != 0)
                sp_view_set(&part_lse, row * part_lse.row_stride + h, -INFINITY);
            if (row == 0)
                sp_view_set(&o, h * 20, NAN);
            if (row == 1)
                sp_view_set(&part, part.row_stride + h * 20, NAN);
        }

    struct sp_view ref = view_copy(&o, SP_F32), ref_lse = view_copy(&lse, SP_F32);
    sp_kernel_sets[0]->merge(ref, ref_lse, part, part_lse);
    int i = 0;
    for (const struct sp_kernels *set; (set = next_set(&i)); ) {
        struct sp_view x = view_copy(&o, dx), x_lse = view_copy(&lse, SP_F32);
        set->merge(x, x_lse, part, part_lse);
        expect(set->name, "merge", &x, &ref, dx == SP_BF16 ? 1e-2 : 1e-5);
        expect(set->name, "lse", &x_lse, &ref_lse, 1e-6);
        free(x.data);
        free(x_lse.data);
    }
    free(o.data);
    free(lse.data);
    free(part.data);
    free(part_lse.data);
    free(ref.data);
    free(ref_lse.data);
}

static void test_merge(void **state)
{
    (void)state;
    for (int n = 0; n < 4; n++)
        check_merge(n & 1, n >> 1);
}

static void test_bf16(void **state)
{
    (void)state;
    assert_int_equal(sp_bf16_round(1), 0x3f80);
    assert_int_equal(sp_bf16_round(1 + 1.0f / 256), 0x3f80);        /* ties to even */
    assert_int_equal(sp_bf16_round(1 + 3.0f / 256), 0x3f82);
    assert_int_equal(sp_bf16_round(INFINITY), 0x7f80);
    assert_true(isnan(sp_bf16_widen(sp_bf16_round(NAN))));
    for (unsigned x = 0; x < 0x7f80; x += 7)
        assert_int_equal(sp_bf16_round(sp_bf16_widen((unsigned short)x)), x);
}

/* A set that isn't found comes with a reason, one that is without. */
static void test_find(void **state)
{
    (void)state;
    static const char *const names[] = {
        "cpu", "reference", "portable", "avx2", "avx512", "avx512bf16", "none", "",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *why = NULL;
        const struct sp_kernels *set = sp_kernels_find(names[i], &why);
        assert_true(!set == !!why);
        assert_true(set || strstr(why, "cpu"));
        if (set && i > 0)
            assert_string_equal(set->name, names[i]);
        assert_true(set || i >= 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bf16),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_single),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_extreme),
        cmocka_unit_test(test_repeats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
