/* test_counts.c - bytes, messages, FLOPs and memory equal the closed forms of the systems
 * that the strategies are taken from (docs/METHOD.md derives them). */
/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "cases.h"

enum { LANES_ALL = -1, FWD = SP_FORWARD, BWD = SP_BACKWARD };

static long sent(const struct sp_count *c, int lane)
{
    return lane == LANES_ALL ? (long)sp_count_bytes(c) : (long)c->bytes[lane];
}

static long messages(const struct sp_count *c, int lane)
{
    return lane == LANES_ALL ? sp_count_messages(c) : c->messages[lane];
}

/* All ranks alike: they send this much, in so many messages (-1: not asked), per pass. */
static void assert_sent(const char *strategy, const char *settings, int lane, const long *bytes,
                        const long *msgs)
{
    struct sp_plan *p = case_plan(strategy, settings);
    assert_null(sp_check(p));
    struct sp_count *c = sp_plan_counts(p);
    for (int r = 0; r < p->pb.ranks; r++)
        for (int pass = 0; pass < SP_NPASSES; pass++) {
            const struct sp_count *x = &c[r * SP_NPASSES + pass];
            if (sent(x, lane) != bytes[pass] || (msgs && messages(x, lane) != msgs[pass]))
                fail_msg("%s %s: rank %d, pass %d sends %ld bytes in %ld messages, not %ld",
                         strategy, settings, r, pass, sent(x, lane), messages(x, lane),
                         bytes[pass]);
        }
    free(c);
    sp_plan_free(p);
}

/* S=1024 D=64 bf16 P=4: bytes of a rank at 8/8, 8/4 and 8/2 heads, and its messages. */
static const struct vector {
    const char *strategy, *settings;
    int lane;
    long bytes[3][SP_NPASSES], messages[SP_NPASSES];
} vectors[] = {
    { "ring", "bwd=rev", LANES_ALL,
      { { 1572864, 3145728 }, { 786432, 1572864 }, { 393216, 786432 } }, { 3, 4 } },
    { "ring", "bwd=home fused=0", LANES_ALL,
      { { 1572864, 5767168 }, { 786432, 2883584 }, { 393216, 1441792 } }, { 6, 14 } },
    { "ring", "bwd=home fused=1", LANES_ALL,
      { { 1572864, 5767168 }, { 786432, 2883584 }, { 393216, 1441792 } }, { 3, 7 } },
    { "ring", "bwd=rev layout=striped buffers=4", LANES_ALL,
      { { 1572864, 3145728 }, { 786432, 1572864 }, { 393216, 786432 } }, { 3, 4 } },
    { "ring", "bwd=rev layout=contiguous chunks=2", LANES_ALL,
      { { 1572864, 3145728 }, { 786432, 1572864 }, { 393216, 786432 } }, { 6, 8 } },
    { "allgather", "", LANES_ALL,
      { { 1572864, 3145728 }, { 786432, 1572864 }, { 393216, 786432 } }, { 6, 12 } },
    { "allgather", "stride=1", LANES_ALL,
      { { 1572864, 3145728 }, { 786432, 1572864 }, { 393216, 786432 } }, { -1, -1 } },
    { "ulysses", "", LANES_ALL,
      { { 786432, 786432 }, { 589824, 589824 }, { 589824, 589824 } }, { 12, 12 } },
    { "hybrid", "pu=2", SP_COMM,
      { { 524288, 524288 }, { 393216, 393216 }, { 327680, 327680 } }, { 4, 4 } },
    { "hybrid", "pu=2 place=ring", SP_COMM,
      { { 524288, 524288 }, { 393216, 393216 }, { 327680, 327680 } }, { 4, 4 } },
    { "hybrid", "pu=2 bwd=rev", SP_COMM2,
      { { 524288, 1048576 }, { 262144, 524288 }, { 131072, 262144 } }, { 1, 2 } },
    { "hybrid", "pu=2 bwd=home", SP_COMM2,
      { { 524288, 2621440 }, { 262144, 1310720 }, { 131072, 655360 } }, { 1, 3 } },
    { "hybrid", "pu=2 bwd=home fused=0", SP_COMM2,
      { { 524288, 2621440 }, { 262144, 1310720 }, { 131072, 655360 } }, { 2, 6 } },
};

static void test_vectors(void **state)
{
    static const char *const heads[] = { "8:8", "8:4", "8:2" };
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        for (int h = 0; h < 3; h++) {
            const struct vector *v = &vectors[i];
            char settings[160];
            snprintf(settings, sizeof settings, "ranks=4 seq=1024 dim=64 dtype=bf16 heads=%s %s",
                     heads[h], v->settings);
            assert_sent(v->strategy, settings, v->lane, v->bytes[h],
                        v->messages[0] < 0 ? NULL : v->messages);
        }
}

/* dK, dV travel on a lane of their own, so that they don't hold up the keys. */
static void test_lanes(void **state)
{
    static const long kv[] = { 1572864, 1572864 }, grads[] = { 0, 4194304 };
    static const long moves[] = { 3, 3 }, homing[] = { 0, 4 };
    const char *settings = "ranks=4 seq=1024 dim=64 dtype=bf16 bwd=home";
    (void)state;
    assert_sent("ring", settings, SP_COMM, kv, moves);
    assert_sent("ring", settings, SP_COMM2, grads, homing);
}

/* S=128K, bf16, D=128: MiB of a rank, forward and backward. */
static void test_table(void **state)
{
    static const struct { const char *strategy, *settings; long mib[SP_NPASSES]; } rows[] = {
        { "ring",    "heads=32:8 ranks=8 bwd=rev",   { 448, 896 } },
        { "ring",    "heads=32:8 ranks=8 bwd=home",  { 448, 1472 } },
        { "ulysses", "heads=32:8 ranks=8",           { 280, 280 } },
        { "hybrid",  "heads=32:8 ranks=8 pu=4",      { 304, 368 } },
        { "ring",    "heads=64:8 ranks=8 bwd=rev",   { 448, 896 } },
        { "ring",    "heads=64:8 ranks=8 bwd=home",  { 448, 1472 } },
        { "ulysses", "heads=64:8 ranks=8",           { 504, 504 } },
        { "hybrid",  "heads=64:8 ranks=8 pu=4",      { 496, 560 } },
        { "ring",    "heads=64:8 ranks=16 bwd=rev",  { 480, 960 } },
        { "ring",    "heads=64:8 ranks=16 bwd=home", { 480, 1504 } },
        { "ulysses", "heads=64:8 ranks=16",          { 300, 300 } },
        { "hybrid",  "heads=64:8 ranks=16 pu=8",     { 284, 316 } },
        { "ring",    "heads=64:8 ranks=64 bwd=rev",  { 504, 1008 } },
        { "ring",    "heads=64:8 ranks=64 bwd=home", { 504, 1528 } },
        { "ulysses", "heads=64:8 ranks=64",          { 126, 126 } },
        { "hybrid",  "heads=64:8 ranks=64 pu=8",     { 119, 175 } },
        { "ring",    "heads=40:40 ranks=32 bwd=rev", { 2480, 4960 } },
        { "ring",    "heads=40:40 ranks=32 bwd=home", { 2480, 7600 } },
        { "hybrid",  "heads=40:40 ranks=32 pu=8",    { 380, 620 } },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char settings[160];
        snprintf(settings, sizeof settings, "seq=131072 dim=128 dtype=bf16 %s", rows[i].settings);
        long bytes[] = { rows[i].mib[FWD] << 20, rows[i].mib[BWD] << 20 };
        assert_sent(rows[i].strategy, settings, LANES_ALL, bytes, NULL);
    }
    struct sp_problem pb;
    assert_string_equal(case_problem("ulysses", "seq=131072 heads=40:40 ranks=32", &pb),
                        "sp 32 must divide heads 40; nearest: 20, 40");
}

/* The ring of two ranks, where TransformerEngine too sends keys and gradients apart. */
static void test_two_ranks(void **state)
{
    static const long bytes[] = { 1 << 20, 2 << 20 }, fused[] = { 1, 2 }, apart[] = { 2, 4 };
    (void)state;
    assert_sent("ring", "ranks=2 seq=1024 dim=64 dtype=bf16", LANES_ALL, bytes, fused);
    assert_sent("ring", "ranks=2 seq=1024 dim=64 dtype=bf16 fused=0", LANES_ALL, bytes, apart);
}

/* ---- work -------------------------------------------------------------------------------- */

static void test_work_of_layouts(void **state)
{
    static const struct { const char *strategy, *settings; double pairs[4]; } rows[] = {
        { "ring",      "layout=contiguous", { 10, 26, 42, 58 } },
        { "ring",      "layout=zigzag",     { 34, 34, 34, 34 } },
        { "ring",      "layout=striped",    { 28, 32, 36, 40 } },
        { "allgather", "layout=contiguous", { 10, 26, 42, 58 } },
        { "allgather", "layout=zigzag",     { 34, 34, 34, 34 } },
        { "allgather", "layout=striped stride=1", { 28, 32, 36, 40 } },
        { "ulysses",   "layout=contiguous", { 34, 34, 34, 34 } },
        { "ulysses",   "layout=striped chunks=2", { 34, 34, 34, 34 } },
        { "hybrid",    "layout=zigzag pu=2", { 34, 34, 34, 34 } },
        { "ring",      "mask=full",         { 64, 64, 64, 64 } },
        { "ulysses",   "mask=full",         { 64, 64, 64, 64 } },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char settings[160];
        snprintf(settings, sizeof settings, "ranks=4 seq=16 heads=8:4 batch=3 %s",
                 rows[i].settings);
        struct sp_plan *p = case_plan(rows[i].strategy, settings);
        for (int r = 0; r < 4; r++) {
            double unit = 8.0 * 4 * 3;      /* heads x dim x batch */
            struct sp_count fwd = sp_rank_count(p, r, SP_FORWARD),
                            bwd = sp_rank_count(p, r, SP_BACKWARD);
            assert_true(fwd.flops == 4 * rows[i].pairs[r] * unit);
            assert_true(bwd.flops == 10 * rows[i].pairs[r] * unit);
        }
        sp_plan_free(p);
    }
}

/* Whatever the strategy: the same total, forward and 2.5 times that backward; and both ways
 * of counting agree. */
static void test_total_work(void **state)
{
    struct case_walk w = { .set = cases_to_run };
    (void)state;
    while (case_next_plan(&w)) {
        struct sp_plan *p = sp_strategy_plan(w.strategy, &w.pb);
        struct sp_count *c = sp_plan_counts(p);
        double s = (double)w.pb.seq, total[SP_NPASSES] = { 0 };
        double pairs = w.pb.causal ? s * (s + 1) / 2 : s * s;
        for (int r = 0; r < w.pb.ranks; r++)
            for (int pass = 0; pass < SP_NPASSES; pass++) {
                struct sp_count one = sp_rank_count(p, r, (enum sp_pass)pass);
                const struct sp_count *same = &c[r * SP_NPASSES + pass];
                assert_memory_equal(one.bytes, same->bytes, sizeof one.bytes);
                assert_memory_equal(one.messages, same->messages, sizeof one.messages);
                assert_true(one.flops == same->flops);
                total[pass] += one.flops;
            }
        double right = 4 * pairs * w.pb.heads * w.pb.dim * w.pb.batch;
        if (total[FWD] != right || total[BWD] != 2.5 * right)
            fail_msg("%s: %.0f and %.0f FLOP, not %.0f and %.0f", w.name, total[FWD], total[BWD],
                     right, 2.5 * right);
        free(c);
        sp_plan_free(p);
    }
}

/* ---- memory ------------------------------------------------------------------------------- */

static void assert_memory(const char *strategy, const char *settings, size_t bytes)
{
    struct sp_plan *p = case_plan(strategy, settings);
    for (int r = 0; r < p->pb.ranks; r++)
        assert_int_equal(sp_rank_bytes(p, r), bytes);
    sp_plan_free(p);
}

static void test_memory(void **state)
{
    /* of a rank with 256 tokens, 8 query and 2 KV heads, dim 64, bf16 */
    size_t q = 256 * 8 * 64 * 2, kv = 2 * 256 * 2 * 64 * 2, l = 256 * 8 * 4;
    (void)state;
    const char *shape = "seq=256 heads=8:2 dim=64 dtype=bf16 pass=fwd";
    assert_memory("local", shape, 2 * q + kv + l);                      /* q o, k v, lse */
    assert_memory("local", "seq=256 heads=8:2 dim=64 dtype=bf16",
                  4 * q + 2 * kv + 2 * l);                  /* also do dq, dk dv, delta */
    assert_memory("local", "seq=3 heads=1:1 dim=4 pass=fwd", 5 * 64);   /* 48, 48, ... and 12 */
    /* q k v o lse; the sum and a part of o in fp32, a part's lse; own keys, two received */
    size_t forward = q + kv + q + l + 2 * q + 2 * q + l + kv + 2 * kv;
    assert_memory("ring", "ranks=4 seq=1024 heads=8:2 dim=64 dtype=bf16 pass=fwd", forward);
    assert_memory("ring", "ranks=4 seq=1024 heads=8:2 dim=64 dtype=bf16 pass=fwd buffers=3",
                  forward + kv);
    /* do dq dk dv delta; dq's sum and part, dk dv's part, in fp32; two of [k v dk dv] */
    size_t backward = 2 * q + kv + l + 2 * q + 2 * q + 2 * kv + 2 * 2 * kv;
    assert_memory("ring", "ranks=4 seq=1024 heads=8:2 dim=64 dtype=bf16", forward + backward);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_lanes),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_two_ranks),
        cmocka_unit_test(test_work_of_layouts),
        cmocka_unit_test(test_total_work),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
