/* test_cost.c - what a step costs: tiles counted by hand and by going through all pairs, waves
 * by hand; and fits, which must find the numbers that made their samples. */
/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "sim/profile.h"

static unsigned long seed = 1;

static long draw(long n)                /* 0 .. n-1 */
{
    seed = seed * 6364136223846793005ul + 1442695040888963407ul;
    return (long)(seed >> 33) % n;
}

static double normal(void)
{
    double sum = 0;
    for (int i = 0; i < 12; i++)
        sum += (double)draw(1 << 20) / (1 << 20);
    return sum - 6;
}

static void assert_near(double x, double y, double part)
{
    if (!(fabs(x - y) <= part * fabs(y)))
        fail_msg("%g is not %g", x, y);
}

/* A second a tile, on 132 slots. */
static const struct sp_kernel_fit plain = {
    .op = SP_ATTN,
    .dtype = SP_BF16,
    .dim = 128,
    .tile_rows = 128,
    .tile_keys = 128,
    .tile = 1,
    .masked = 1,
    .alone = 1,
    .high_rows = 1e9,
    .high_keys = 1e9,
};

static double one(const struct sp_kernel_fit *k, int heads, long rows, long keys)
{
    struct sp_work w = sp_square_work(SP_ATTN, SP_BF16, 128, heads, 1, rows, keys, false);
    return sp_kernel_seconds(k, &w, 132, 1);
}

/* 8 row tiles a head: 16 heads are 128 items, 17 are 136. */
static void test_waves(void **state)
{
    (void)state;
    struct sp_kernel_fit k = plain;
    assert_near(one(&k, 1, 1024, 128), 1, 1e-12);
    assert_near(one(&k, 8, 1024, 128), 1, 1e-12);       /* 64 items: 48 % of the slots */
    assert_near(one(&k, 16, 1024, 128), 1, 1e-12);
    assert_near(one(&k, 17, 1024, 128), 2, 1e-12);
    assert_near(one(&k, 33, 1024, 128), 2, 1e-12);      /* 264 */
    assert_near(one(&k, 34, 1024, 128), 3, 1e-12);
    assert_near(one(&k, 8, 1024, 1000), 8, 1e-12);      /* 7.8 key tiles */
    assert_near(one(&k, 8, 897, 128), 1, 1e-12);
    k.launch = 5;
    k.prologue = 0.5;
    k.row = 0.001;
    assert_near(one(&k, 17, 1024, 256), 5 + 17.408 + 2 * 2.5, 1e-12);
    k.row = 0;
    k.alone = 0.8;
    assert_near(one(&k, 16, 1024, 128), 5 + 1.5 / 0.8, 1e-12);
    assert_near(one(&k, 17, 1024, 128), 5 + 3, 1e-12);
    assert_near(one(&k, 34, 1024, 128), 5 + 3 + 1.5 / 0.8, 1e-12);
    k.split = 0.7;
    assert_near(one(&k, 8, 1024, 1280), 5 + 64 * 10.5 / 132 / 0.7, 1e-12);
    assert_near(one(&k, 16, 1024, 1280), 5 + 10.5 / 0.8, 1e-12);
    k.host = 1000;
    assert_near(one(&k, 16, 1024, 1280), 1000, 1e-6);
}

/* ---- tiles ------------------------------------------------------------------------- */

static void assert_tiles(const struct sp_kernel_fit *k, struct sp_work w, double items,
                         double full, double diagonal)
{
    struct sp_tiles t = sp_count_tiles(k, &w);
    if (t.items != items || t.full != full || t.diagonal != diagonal)
        fail_msg("%g items, %g full, %g diagonal; not %g, %g, %g", t.items, t.full, t.diagonal,
                 items, full, diagonal);
}

static struct sp_work placed(enum sp_op op, const struct sp_run *q, int nq,
                             const struct sp_run *k, int nk)
{
    struct sp_work w = { .op = op, .dtype = SP_BF16, .dim = 128, .heads = 1, .kv_heads = 1,
                         .batch = 1, .causal = true, .q = { q, nq }, .k = { k, nk } };
    for (int i = 0; i < nq; i++)
        w.rows += (double)q[i].count;
    for (int i = 0; i < nk; i++)
        w.keys += (double)k[i].count;
    w.pairs = sp_pairs(w.q, w.k, true);
    return w;
}

static void test_tiles_by_hand(void **state)
{
    (void)state;
    struct sp_kernel_fit k = plain;
    struct sp_work w = sp_square_work(SP_ATTN, SP_BF16, 128, 1, 1, 512, 512, true);
    assert_tiles(&k, w, 4, 6, 4);
    struct sp_tiles t = sp_count_tiles(&k, &w);
    assert_true(t.longest == 4 && t.shortest == 1 && t.sum == 10);
    w = sp_square_work(SP_ATTN, SP_BF16, 128, 1, 1, 256, 512, true);
    assert_tiles(&k, w, 2, 2 + 3, 2);

    /* Zigzag, two ranks, chunks of 256: 0 and 3 of rank 0, 1 and 2 (one run) of rank 1. */
    static const struct sp_run outer[] = { { 0, 1, 256 }, { 768, 1, 256 } };
    static const struct sp_run inner[] = { { 256, 1, 512 } };
    assert_tiles(&k, placed(SP_ATTN, outer, 2, outer, 2), 4, 0 + 1 + 2 + 3, 4);
    assert_tiles(&k, placed(SP_ATTN, outer, 2, inner, 1), 4, 8, 0);
    assert_tiles(&k, placed(SP_ATTN, inner, 1, outer, 2), 4, 8, 0);
    assert_tiles(&k, placed(SP_ATTN, inner, 1, inner, 1), 4, 6, 4);

    /* Striped: queries at 0, 2, 4 ... and keys at 1, 3, 5 ... */
    static const struct sp_run even[] = { { 0, 2, 512 } }, odd[] = { { 1, 2, 512 } };
    assert_tiles(&k, placed(SP_ATTN, even, 1, odd, 1), 4, 6, 4);
    assert_tiles(&k, placed(SP_ATTN, odd, 1, even, 1), 4, 6, 4);

    /* Gradients: items are key tiles, met by row tiles of half their size. */
    k.op = SP_GRAD;
    k.tile_rows = 64;
    assert_tiles(&k, placed(SP_GRAD, inner, 1, inner, 1), 4, 6 + 4 + 2 + 0, 8);
    assert_tiles(&k, placed(SP_GRAD, outer, 2, inner, 1), 4, 16, 0);
    t = sp_count_tiles(&k, &(struct sp_work){ .op = SP_GRAD, .rows = 512, .keys = 512,
                                              .causal = true, .offset = 0 });
    assert_true(t.longest == 8 && t.shortest == 2);
}

/* Rising lists: up to 4 runs. */
static int some_runs(struct sp_run *run)
{
    int n = 1 + (int)draw(4);
    long at = draw(200);
    for (int i = 0; i < n; i++) {
        run[i] = (struct sp_run){ at, 1 + draw(3), 1 + draw(150) };
        at = run[i].start + run[i].stride * run[i].count + draw(100);
    }
    return n;
}

static int places_of(const struct sp_run *run, int n, long *place)
{
    int count = 0;
    for (int i = 0; i < n; i++)
        for (long j = 0; j < run[i].count; j++)
            place[count++] = run[i].start + run[i].stride * j;
    return count;
}

static int smaller(int a, int b) { return a < b ? a : b; }

static void test_tiles_by_pairs(void **state)
{
    (void)state;
    for (int trial = 0; trial < 3000; trial++) {
        struct sp_run q[4], k[4];
        long qplace[600], kplace[600];
        int nq = some_runs(q), nk = some_runs(k);
        int rows = places_of(q, nq, qplace), keys = places_of(k, nk, kplace);
        struct sp_kernel_fit f = plain;
        f.op = trial % 2 ? SP_GRAD : SP_ATTN;
        f.tile_rows = 1 + (int)draw(40);
        f.tile_keys = 1 + (int)draw(40);
        double full = 0, diagonal = 0;
        for (int i = 0; i < rows; i += f.tile_rows)
            for (int j = 0; j < keys; j += f.tile_keys) {
                int lasti = smaller(i + f.tile_rows, rows) - 1;
                int lastj = smaller(j + f.tile_keys, keys) - 1;
                bool all = kplace[lastj] <= qplace[i], any = kplace[j] <= qplace[lasti];
                full += all;
                diagonal += any && !all;
            }
        double items = f.op == SP_GRAD ? ceil((double)keys / f.tile_keys)
                                       : ceil((double)rows / f.tile_rows);
        assert_tiles(&f, placed(f.op, q, nq, k, nk), items, full, diagonal);
    }
}

/* More rows, keys or heads never take less time. */
static void test_monotone(void **state)
{
    (void)state;
    for (int trial = 0; trial < 40; trial++) {
        struct sp_kernel_fit k = plain;
        k.op = trial % 2 ? SP_GRAD : SP_ATTN;
        k.prologue = (double)draw(10);
        k.masked = 1 + (double)draw(10) / 10;
        k.tail = (double)draw(10) / 10;
        k.alone = 0.5 + (double)draw(6) / 10;
        bool causal = draw(2);
        int heads = 1 + (int)draw(40);
        double before = 0;
        for (long rows = 64; rows < 20000; rows += 64) {
            struct sp_work w = sp_square_work(k.op, SP_BF16, 128, heads, 1, rows,
                                              causal ? rows : 4096, causal);
            double now = sp_kernel_seconds(&k, &w, 132, 1);
            if (now < before * (1 - 1e-9))
                fail_msg("%ld rows, %d heads, causal %d: %g after %g", rows, heads, causal, now,
                         before);
            before = now;
        }
    }
}

/* ---- steps of plans ---------------------------------------------------------------- */

static void test_steps(void **state)
{
    (void)state;
    struct sp_plan *p = case_plan("ring", "layout=zigzag ranks=4");
    struct sp_kernel_fit kernel[2] = { plain, plain };
    kernel[1].op = SP_GRAD;
    kernel[0].dim = kernel[1].dim = p->pb.dim;
    kernel[0].dtype = kernel[1].dtype = p->pb.dtype;
    struct sp_profile f = { .slots = 132, .kernel = kernel, .nkernels = 2,
                            .stream = { [SP_COPY] = { 1, 1e9, true, NULL } } };
    bool seen[SP_NOPS] = { false };
    for (int i = 0; i < p->nsteps; i++) {
        struct sp_work w = sp_step_work(p, i);
        assert_int_equal(w.op, p->step[i].op);
        assert_true(sp_work_flops(&w) == sp_step_flops(p, i));
        bool inside = true;
        double seconds = sp_work_seconds(&f, &w, &inside);
        bool attends = w.op == SP_ATTN || w.op == SP_GRAD;
        if (w.op == SP_SEND || w.op == SP_RECV)
            assert_true(seconds == 0);
        else
            assert_true(attends ? seconds >= 1 : seconds == 1 + w.bytes / 1e9);
        assert_true(inside == (attends || w.op == SP_COPY || seconds == 0));
        if (w.op == SP_MERGE)       /* o and lse: both read, one written */
            assert_true(w.bytes == 3 * ((double)sp_block_bytes(p, sp_step_blocks(p, i)[0]) +
                                        (double)sp_block_bytes(p, sp_step_blocks(p, i)[1])));
        seen[w.op] = true;
    }
    for (int op = 0; op < SP_NOPS; op++)
        if (!seen[op] && op != SP_COPY)
            fail_msg("no %s", sp_ops[op].name);
    sp_plan_free(p);
}

static void test_stretched(void **state)
{
    (void)state;
    struct sp_kernel_fit k = plain;
    struct sp_profile f = { .slots = 132, .kernel = &k, .nkernels = 1 };
    struct sp_work w = sp_square_work(SP_ATTN, SP_BF16, 128, 8, 1, 1024, 1024, false);
    bool inside = true;
    assert_near(sp_work_seconds(&f, &w, &inside), 8, 1e-12);
    assert_true(inside);
    assert_near(sp_work_seconds_on(&f, &w, 32, &inside), 16, 1e-12);
    k.host = 1000;                                      /* of the benchmark, not of the device */
    assert_near(sp_work_seconds(&f, &w, &inside), 8, 1e-12);
    w.dim = 64;
    assert_near(sp_work_seconds(&f, &w, &inside), 4, 1e-12);
    assert_false(inside);
    w.dim = 128;
    w.dtype = SP_F32;
    assert_true(isnan(sp_work_seconds(&f, &w, NULL)));
    w.dtype = SP_BF16;
    w.op = SP_GRAD;
    assert_true(isnan(sp_work_seconds(&f, &w, NULL)));
    w.op = SP_MERGE;
    assert_true(isnan(sp_work_seconds(&f, &w, NULL)));
    w = sp_square_work(SP_ATTN, SP_BF16, 128, 8, 1, 1024, 1024, false);
    k.high_keys = 1000;
    inside = true;
    sp_work_seconds(&f, &w, &inside);
    assert_false(inside);
}

static void test_between_dims(void **state)
{
    (void)state;
    struct sp_kernel_fit k[2] = { plain, plain };
    k[0].dim = 64;
    k[0].tile = 0.6;
    struct sp_profile f = { .slots = 132, .kernel = k, .nkernels = 2 };
    static const struct { int dim; double seconds; } want[] = {
        { 32, 3.2 }, { 64, 4.8 }, { 96, 6.4 }, { 128, 8 }, { 256, 14.4 }
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        struct sp_work w = sp_square_work(SP_ATTN, SP_BF16, want[i].dim, 8, 1, 1024, 1024,
                                          false);
        bool inside = true;
        assert_near(sp_work_seconds(&f, &w, &inside), want[i].seconds, 1e-12);
        assert_true(inside == (want[i].dim == 64 || want[i].dim == 128));
    }
    k[0].tile = 0.4;        /* a line that would go below proportion */
    struct sp_work w = sp_square_work(SP_ATTN, SP_BF16, 32, 8, 1, 1024, 1024, false);
    assert_near(sp_work_seconds(&f, &w, NULL), 1.6, 1e-12);
}

/* ---- fits -------------------------------------------------------------------------- */

enum { MANY = 400 };

static int some_samples(const struct sp_kernel_fit *k, int slots, double noise,
                        struct sp_sample *s)
{
    int n = 0;
    for (int i = 0; n < MANY; i++) {
        long rows = 128L << draw(9), keys = 128L << draw(9);
        bool causal = draw(2);
        if (causal && rows > keys)
            continue;
        s[n].work = sp_square_work(k->op, k->dtype, k->dim, 1 << draw(6), 1, rows, keys,
                                   causal);
        s[n].seconds = sp_kernel_seconds(k, &s[n].work, slots, 1) * exp(noise * normal());
        n++;
    }
    return n;
}

static void assert_found(const struct sp_kernel_fit *truth, int slots)
{
    static struct sp_sample s[MANY], fresh[MANY];
    int n = some_samples(truth, slots, 0.01, s), count;
    struct sp_kernel_fit k = { .op = truth->op, .dtype = truth->dtype, .dim = truth->dim,
                               .tile_rows = truth->tile_rows, .tile_keys = truth->tile_keys };
    assert_null(sp_fit_kernel(&k, slots, s, n));
    assert_near(k.tile, truth->tile, 0.01);
    assert_near(k.launch, truth->launch, 0.01);
    double rows = slots == 1 ? k.tile_rows : 0;     /* on one slot the two are the same */
    assert_near(k.prologue + rows * k.row, truth->prologue + rows * truth->row, 0.05);
    assert_near(k.masked, truth->masked, 0.05);
    assert_true(fabs(k.residual - 0.0067) < 0.002);     /* median of |normal| x 0.01 */
    n = some_samples(truth, slots, 0, fresh);
    double *error = sp_fit_errors(&k, slots, fresh, n, &count);
    assert_int_equal(count, n);
    assert_true(error[n / 2] < 0.005);
    assert_true(error[n - 1] < 0.03);
    free(error);
    sp_curve_free(&k.correction);
}

static void test_fit(void **state)
{
    (void)state;
    struct sp_kernel_fit gpu = plain;
    gpu.launch = 9e-6;
    gpu.prologue = 2e-6;
    gpu.tile = 1.7e-6;
    gpu.masked = 1.4;
    gpu.alone = 0.9;
    gpu.tail = 0.4;
    gpu.row = 1e-11;
    assert_found(&gpu, 132);
    gpu.op = SP_GRAD;
    assert_found(&gpu, 108);
    struct sp_kernel_fit cpu = gpu;
    cpu.op = SP_ATTN;
    cpu.dtype = SP_F32;
    cpu.launch = 4e-5;
    cpu.prologue = 2e-5;
    cpu.tile = 6e-5;
    cpu.alone = 1;
    cpu.row = 1e-9;
    assert_found(&cpu, 1);
}

static void test_fit_refuses(void **state)
{
    (void)state;
    struct sp_kernel_fit k = { .op = SP_ATTN, .dtype = SP_BF16, .dim = 128, .tile_rows = 128,
                               .tile_keys = 128 };
    struct sp_sample s[8];
    for (int i = 0; i < 8; i++)
        s[i] = (struct sp_sample){ sp_square_work(SP_ATTN, SP_BF16, i < 3 ? 128 : 64, 1, 1,
                                                  1024, 1024, false), 1e-3 };
    assert_string_equal(sp_fit_kernel(&k, 132, s, 8),
                        "3 samples of attn, bf16, head dim 128: at least 4 are needed");
    k.dim = 64;
    s[5].seconds = NAN;
    assert_non_null(strstr(sp_fit_kernel(&k, 132, s, 8), "makes no sense"));
    s[5].seconds = -1;
    assert_non_null(strstr(sp_fit_kernel(&k, 132, s, 8), "makes no sense"));
    struct sp_path_fit f = { 0 };
    struct sp_transfer t[3] = { { 1024, 1e-5 }, { 2048, 1e-5 }, { 4096, 0 } };
    assert_string_equal(sp_fit_path(&f, t, 2), "2 messages: at least 3 are needed");
    assert_non_null(strstr(sp_fit_path(&f, t, 3), "makes no sense"));
}

static void test_fit_path(void **state)
{
    (void)state;
    struct sp_path_fit truth = { .latency = 12e-6, .rate = 45e9 }, f = { 0 };
    struct sp_transfer t[200];
    for (int i = 0; i < 200; i++) {
        double bytes = 1024 * exp2((double)i / 10);
        t[199 - i] = (struct sp_transfer){
            bytes, sp_path_seconds(&truth, bytes) * exp(0.01 * normal())
        };
    }
    assert_null(sp_fit_path(&f, t, 200));
    assert_near(f.latency, 12e-6, 0.01);
    assert_near(f.rate, 45e9, 0.01);
    assert_true(f.residual < 0.01);
    for (double bytes = 1024; bytes < 1e9; bytes *= 1.7)
        assert_near(sp_path_seconds(&f, bytes), sp_path_seconds(&truth, bytes), 0.015);
    sp_curve_free(&f.efficiency);

    /* What latency doesn't explain is efficiency, and is not counted twice. */
    sp_curve_add(&truth.efficiency, 1e6, 0.5);
    sp_curve_add(&truth.efficiency, 1e8, 1);
    for (int i = 0; i < 200; i++)
        t[i].seconds = sp_path_seconds(&truth, t[i].bytes);
    f = (struct sp_path_fit){ 0 };
    assert_null(sp_fit_path(&f, t, 200));
    assert_near(f.rate, 45e9, 0.03);
    for (double bytes = 1024; bytes < 1e9; bytes *= 1.7)
        assert_near(sp_path_seconds(&f, bytes), sp_path_seconds(&truth, bytes), 0.25);
    assert_true(f.residual < 0.05);
    sp_curve_free(&f.efficiency);

    f = (struct sp_path_fit){ .rate = 45e9 };       /* given: it stays */
    assert_null(sp_fit_path(&f, t, 200));
    assert_true(f.rate == 45e9 && f.efficiency.n == 0);
    sp_curve_free(&truth.efficiency);
}

static void test_curve(void **state)
{
    (void)state;
    struct sp_curve c = { 0 };
    bool inside = true;
    assert_true(sp_curve_at(&c, 5, &inside) == 1 && inside);
    sp_curve_add(&c, 10, 1);
    sp_curve_add(&c, 100, 2);
    sp_curve_add(&c, 1000, 3);
    sp_curve_add(&c, 10000, 3);
    assert_near(sp_curve_at(&c, sqrt(1000), &inside), 1.5, 1e-12);
    assert_near(sp_curve_at(&c, 1000, &inside), 3, 1e-12);
    assert_true(inside);
    assert_true(sp_curve_at(&c, 1, &inside) == 1 && !inside);
    assert_true(sp_curve_at(&c, 1e9, NULL) == 3);
    sp_curve_thin(&c, 0.001);
    assert_int_equal(c.n, 3);
    assert_true(c.x[1] == 1000 && c.y[1] == 3);
    sp_curve_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waves),
        cmocka_unit_test(test_tiles_by_hand),
        cmocka_unit_test(test_tiles_by_pairs),
        cmocka_unit_test(test_monotone),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_stretched),
        cmocka_unit_test(test_between_dims),
        cmocka_unit_test(test_fit),
        cmocka_unit_test(test_fit_refuses),
        cmocka_unit_test(test_fit_path),
        cmocka_unit_test(test_curve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
