/* test_sim.c - the clock, against times that follow by hand. */
/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "cases.h"
#include "sim/rounds.h"
#include "stage.h"
#include "util/memory.h"

static const struct sp_sim_options streams = { .streams = true };

static void is_about(double got, double want)
{
    if (!(fabs(got - want) <= 1e-9 * want))
        fail_msg("%.12g s instead of %.12g", got, want);
}

static double time_of(const struct sp_plan *p, const struct sp_profile *f, struct stage g,
                      struct sp_sim_options o)
{
    struct sp_scene *s = stage_new(p, f, g);
    double t = stage_time(s, SP_FORWARD, o);
    sp_scene_free(s);
    return t;
}

/* One message of 32 MiB each step: 2 planes x 4096 rows x 8 heads x 256 x 2 bytes. */
static struct sp_plan *big_ring(int ranks)
{
    struct sp_problem pb;
    char text[120];
    snprintf(text, sizeof text, "ranks=%d rows=4096 heads=8:8 dim=256 dtype=bf16 mask=full "
             "layout=contiguous pass=fwd", ranks);
    assert_null(case_problem("ring", text, &pb));
    struct sp_plan *p = case_plan("ring", text);
    assert_int_equal(sp_count_bytes(&(struct sp_count){ .bytes = {
        sp_rank_count(p, 0, SP_FORWARD).bytes[SP_COMM] } }), (size_t)(ranks - 1) << 25);
    return p;
}

static const double bytes = 1 << 25;

/* ---- rings --------------------------------------------------------------------------------- */

static void test_ring_of_two(void **state)
{
    struct sp_profile f = stage_profile();
    struct sp_plan *p = big_ring(2);
    double comm = bytes / 450e9 + 1e-6;
    (void)state;
    is_about(time_of(p, &f, (struct stage){ .attn = 1e-3 }, streams), 2e-3);
    is_about(time_of(p, &f, (struct stage){ .attn = 1e-6 }, streams), comm + 1e-6);
    is_about(time_of(p, &f, (struct stage){ .attn = 1e-3, .merge = 1e-4, .copy = 1e-5 }, streams),
             2e-3 + 1e-4 + 3e-5 - 1e-5 * (p->pb.dtype == SP_F32));
    sp_plan_free(p);
}

static void test_modes_of_two(void **state)
{
    struct sp_profile f = stage_profile();
    struct sp_plan *p = big_ring(2);
    struct stage g = { .attn = 1e-3 };
    double comm = bytes / 450e9 + 1e-6;
    (void)state;
    is_about(time_of(p, &f, g, (struct sp_sim_options){ SP_SIM_SERIALISED, .streams = true }),
             2e-3 + comm);
    is_about(time_of(p, &f, g, (struct sp_sim_options){ SP_SIM_COMPUTE, .streams = true }), 2e-3);
    is_about(time_of(p, &f, g, (struct sp_sim_options){ SP_SIM_COMM, .streams = true }), comm);
    sp_plan_free(p);
}

/* What other simulators say of the same rings (docs/METHOD.md). */
static void test_known_rings(void **state)
{
    static const struct { int ranks; double attn, seconds; } known[] = {
        { 8, 0.2e-3, 1.600e-3 }, { 64, 0.2e-3, 42.794e-3 }, { 64, 1e-3, 64e-3 },
        { 256, 0.2e-3, 172.603e-3 },
    };
    struct sp_profile f = stage_profile();
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct sp_plan *p = big_ring(known[i].ranks);
        struct stage g = { .attn = known[i].attn, .nodes_per_leaf = 4 };
        double t = time_of(p, &f, g, streams);
        if (fabs(t - known[i].seconds) > 0.5e-6)
            fail_msg("ring of %d: %.12g s instead of %.12g", known[i].ranks, t,
                     known[i].seconds);
        sp_plan_free(p);
    }
}

static void test_straggler(void **state)
{
    struct sp_profile f = stage_profile();
    struct sp_plan *p = big_ring(8);
    struct sp_scene *s = stage_new(p, &f, (struct stage){ .attn = 0.2e-3 });
    (void)state;
    s->speed[3] = 0.5;
    is_about(stage_time(s, SP_FORWARD, streams), 8 * 0.4e-3);
    sp_scene_free(s);
    sp_plan_free(p);
}

static void test_places_alike(void **state)
{
    struct sp_profile f = stage_profile();
    struct sp_plan *p = big_ring(32);
    struct stage g = { .attn = 0.2e-3, .nodes_per_leaf = 2, .oversubscribed = 2 };
    double t = time_of(p, &f, g, streams);
    (void)state;
    g.shift = 16;
    is_about(time_of(p, &f, g, streams), t);
    sp_plan_free(p);
}

static void test_more_bandwidth_is_faster(void **state)
{
    struct sp_profile f = stage_profile();
    struct sp_plan *p = big_ring(16);
    double before = INFINITY;
    (void)state;
    for (double net = 5e9; net < 500e9; net *= 1.5) {
        double t = time_of(p, &f, (struct stage){ .attn = 0.2e-3, .net = net }, streams);
        assert_true(t <= before);
        before = t;
    }
    is_about(before, 16 * 0.2e-3);
    sp_plan_free(p);
}

static void test_shared_nics_halve(void **state)
{
    struct sp_profile f = stage_profile();
    struct sp_plan *p = case_plan("ulysses", "ranks=16 rows=256 heads=16:16 dim=128 dtype=bf16");
    struct sp_sim_options comm = { SP_SIM_COMM, .streams = true };
    struct stage alone = { .net = 1e9 }, shared = { .net = 1e9, .ranks_per_nic = 2 };
    double wait = 4 * 5e-6, t = time_of(p, &f, alone, comm);
    (void)state;
    is_about(t - wait, 4 * 8 * (256 * 128 * 2) / 1e9);
    is_about(time_of(p, &f, shared, comm) - wait, 2 * (t - wait));
    sp_plan_free(p);
}

/* ---- all-to-all ----------------------------------------------------------------------------- */

static void test_ulysses(void **state)
{
    enum { P = 4 };
    struct sp_profile f = stage_profile();
    struct sp_plan *p = case_plan("ulysses", "ranks=4 rows=1024 heads=8:4 dim=128 dtype=bf16");
    double q = 1024 * 2 * 128 * 2, kv = q / 2;  /* to each of the others */
    double sent = (P - 1) * (2 * q + 2 * kv) / 450e9 + 4 * 1e-6;
    double back = (P - 1) * (3 * q + 2 * kv - q) / 450e9 + 4 * 1e-6;
    (void)state;
    struct stage g = { .attn = 1e-3 };
    struct sp_scene *s = stage_new(p, &f, g);
    is_about(stage_time(s, SP_FORWARD, streams), sent + 1e-3);
    is_about(stage_time(s, SP_BACKWARD, streams), back + 1e-3);
    sp_scene_free(s);
    sp_plan_free(p);
}

/* 64 MiB of each rank to all, four times: what other simulators say of one. */
static void test_known_all_to_alls(void **state)
{
    static const struct { int ranks; double over, seconds; } known[] = {
        { 8, 1, 131.489e-6 }, { 64, 1, 1179.405e-6 }, { 64, 2, 1347.177e-6 },
        { 128, 2, 2018.266e-6 },
    };
    struct sp_profile f = stage_profile();
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char text[120];
        int n = known[i].ranks;
        snprintf(text, sizeof text, "ranks=%d rows=%d heads=%d:%d dim=256 dtype=bf16 pass=fwd", n,
                 (1 << 17) / n, n, n);
        struct sp_plan *p = case_plan("ulysses", text);
        struct stage g = { .nodes_per_leaf = 4, .oversubscribed = known[i].over };
        double t = time_of(p, &f, g, (struct sp_sim_options){ SP_SIM_COMM, .streams = true }) / 4;
        if (fabs(t - known[i].seconds) > 0.5e-9)
            fail_msg("all-to-all of %d, %g:1: %.9g s instead of %.9g", n, known[i].over, t,
                     known[i].seconds);
        sp_plan_free(p);
    }
}

static void test_rounds(void **state)
{
    static const int node[] = { 0, 0, 0, 0, 0, 0, 0, 0, 3, 3, 3, 3, 3, 3, 3, 3 };
    static const int distance[] = { 0, 1, 3, 6, 2, 7, 5, 4 };
    struct sp_rounds *x = sp_rounds_new(node, 16, 4);
    (void)state;
    for (int i = 0; i < 16; i++)
        for (int r = 0; r < 16; r++) {
            int to = (r + 8 * (i / 8)) % 16 / 8 * 8 + (r % 8 + distance[i % 8]) % 8;
            assert_int_equal(sp_round(x, r, to), i);
        }
    sp_rounds_free(x);
    x = sp_rounds_new(node, 12, 4);             /* 8 and 4: as one node of 12 */
    assert_int_equal(sp_round(x, 0, 3), 2);
    assert_int_equal(sp_round(x, 11, 2), 2);
    assert_int_equal(sp_round(x, 4, 0), 11);
    sp_rounds_free(x);
}

/* Where a message can't fill a link, few at once take longer than all at once. */
static void test_few_at_once(void **state)
{
    struct sp_profile f = stage_profile();
    struct sp_plan *p = case_plan("ulysses", "ranks=8 rows=256 heads=8:8 dim=128 dtype=bf16 "
                                  "pass=fwd");
    struct sp_path_fit *path = &f.path[SP_PATH_NVLINK];
    double one = 256 * 128 * 2 / 10e9;
    (void)state;
    *path = (struct sp_path_fit){ .known = true, .rate = 10e9, .latency = 3e-6 };
    is_about(time_of(p, &f, (struct stage){ 0 }, streams), 4 * (one + 3e-6));
    path->concurrent = 1;
    is_about(time_of(p, &f, (struct stage){ 0 }, streams), 4 * (7 * one + 3e-6 + 6 * 1e-6));
    path->each = 2e-6;
    is_about(time_of(p, &f, (struct stage){ 0 }, streams), 4 * (7 * one + 3e-6 + 6 * 2e-6));
    path->concurrent = 4;
    is_about(time_of(p, &f, (struct stage){ 0 }, streams),
             4 * fmax(2 * one + 3e-6 + 6e-6, 2 * one + 3e-6 + 4e-6 + 2e-6));
    path->concurrent = 0;
    is_about(time_of(p, &f, (struct stage){ 0 }, streams), 4 * (one + 3e-6 + 6 * 2e-6));
    sp_plan_free(p);
}

/* Small messages get less of a link, whoever else is on it. */
static void test_efficiency(void **state)
{
    double size[] = { 1 << 20, 1 << 24 }, part[] = { 0.25, 0.75 };
    struct sp_profile f = stage_profile();
    struct sp_plan *p = big_ring(2);
    (void)state;
    f.path[SP_PATH_NVLINK] = (struct sp_path_fit){ .known = true, .rate = 200e9, .latency = 9e-6,
                                                   .efficiency = { 2, size, part } };
    is_about(time_of(p, &f, (struct stage){ 0 }, streams), bytes / 150e9 + 9e-6);
    size[1] = 1 << 30;                          /* 2^25 is half way from 2^20 to 2^30 */
    is_about(time_of(p, &f, (struct stage){ 0 }, streams), bytes / 100e9 + 9e-6);
    f.path[SP_PATH_NVLINK].rate = 0;
    f.path[SP_PATH_NVLINK].efficiency.n = 0;
    is_about(time_of(p, &f, (struct stage){ 0 }, streams), bytes / 450e9 + 9e-6);
    sp_plan_free(p);
}

/* ---- what computing and messages do to each other ---------------------------------------- */

static void test_interference(void **state)
{
    struct sp_profile f = stage_profile();
    struct sp_plan *p = big_ring(2);
    struct stage g = { .attn = 1e-3 };
    double comm = 0.5e-3;
    (void)state;
    f.path[SP_PATH_NVLINK] = (struct sp_path_fit){ .known = true, .rate = bytes / (comm - 1e-6) };
    is_about(time_of(p, &f, g, streams), 2e-3);
    f.interference.compute = 0.25;
    is_about(time_of(p, &f, g, streams), 2e-3 + 0.2 * comm);
    f.interference.comm = 1;                    /* runs till 1 us + 2 x 499 us, 1/5 of it lost */
    is_about(time_of(p, &f, g, streams), 2e-3 + 0.2 * 999e-6);
    f.interference = (struct sp_interference){ .compute = 0 };
    struct sp_scene *s = stage_new(p, &f, g);
    s->squeezed = calloc((size_t)p->nsteps, sizeof *s->squeezed);
    for (int i = 0; i < p->nsteps; i++)
        s->squeezed[i] = 0.5f;
    is_about(stage_time(s, SP_FORWARD, streams), 2e-3 + 0.5 * comm);
    sp_scene_free(s);
    sp_plan_free(p);
}

/* Messages that come to a full device begin with the last wave of its tiles. */
static void test_queue(void **state)
{
    struct sp_profile f = stage_profile();
    struct sp_plan *p = big_ring(2);
    struct sp_scene *s = stage_new(p, &f, (struct stage){ .attn = 1e-3 });
    double comm = bytes / 450e9 + 1e-6;
    (void)state;
    s->full = calloc((size_t)p->nsteps, sizeof *s->full);
    is_about(stage_time(s, SP_FORWARD, streams), 2e-3);
    for (int i = 0; i < p->nsteps; i++)
        s->full[i] = 0.875f;
    is_about(stage_time(s, SP_FORWARD, streams), 1e-3 + fmax(1e-3, 0.875e-3 + comm));
    for (int i = 0; i < p->nsteps; i++)
        s->full[i] = 1;
    is_about(stage_time(s, SP_FORWARD, streams), 2e-3 + comm);
    is_about(stage_time(s, SP_FORWARD, (struct sp_sim_options){ 0 }), 2e-3);   /* no streams */
    sp_scene_free(s);
    sp_plan_free(p);
}

/* When the first message is seen to have arrived. */
static double noticed(struct sp_scene *s, struct sp_sim_options o)
{
    const struct sp_plan *p = s->plan;
    struct sp_span *span = sp_alloc((size_t)p->nsteps * sizeof *span);
    o.span = span;
    struct sp_sim *x = sp_sim_new(s, &o);
    struct sp_loop *l = sp_loop_new(p, SP_ALL_RANKS);
    assert_null(sp_loop_run(l, SP_FORWARD, sp_sim_executor(x), span));
    int i = 0;
    while (p->step[i].op != SP_RECV)
        i++;
    double end = span[i].end;
    free(span);
    sp_loop_free(l);
    sp_sim_free(x);
    return end;
}

static void test_processors_and_polling(void **state)
{
    static const struct sp_sim_options host = { 0 };
    struct sp_profile f = stage_profile();
    struct sp_plan *p = big_ring(2);
    struct stage g = { .attn = 1e-3 };
    struct sp_scene *s = stage_new(p, &f, g);
    double comm = bytes / 450e9 + 1e-6;
    (void)state;
    is_about(stage_time(s, SP_FORWARD, host), 2e-3);
    s->processors[0] = 1;
    is_about(stage_time(s, SP_FORWARD, host), 4e-3);
    sp_scene_free(s);
    f.poll = 1e-3;
    s = stage_new(p, &f, (struct stage){ .attn = 1e-2 });
    is_about(noticed(s, host), comm + 1e-3);
    is_about(noticed(s, streams), comm);
    sp_scene_free(s);
    s = stage_new(p, &f, (struct stage){ .attn = comm + 1e-6 });     /* then it has time to look */
    is_about(noticed(s, host), comm + 1e-6);
    is_about(stage_time(s, SP_FORWARD, host), 2 * (comm + 1e-6));
    sp_scene_free(s);
    sp_plan_free(p);
}

/* A copy on another lane: beside the attention on a stream, before it on the one worker. */
static void test_one_worker(void **state)
{
    struct sp_profile f = stage_profile();
    struct sp_plan *p = case_plan("local", "ranks=1 rows=64 heads=8:8 pass=fwd");
    struct sp_block q = sp_step_blocks(p, 0)[2];
    struct sp_buf shape = { .name = "aside", .kind = { SP_Q }, .rows = q.rows, .heads = q.heads };
    sp_copy(p, SP_COMM, sp_whole(p, sp_buf_new(p, 0, &shape)), q);
    assert_string_equal(p->why, "");
    struct sp_scene *s = stage_new(p, &f, (struct stage){ .attn = 1e-3, .copy = 3e-4 });
    struct sp_span span[2];
    struct sp_sim *x = sp_sim_new(s, &(struct sp_sim_options){ .span = span });
    struct sp_loop *l = sp_loop_new(p, SP_ALL_RANKS);
    (void)state;
    is_about(stage_time(s, SP_FORWARD, streams), 1e-3);
    assert_null(sp_loop_run(l, SP_FORWARD, sp_sim_executor(x), span));
    is_about(span[1].end, 3e-4);
    is_about(span[0].start, 3e-4);
    is_about(span[0].end, 1.3e-3);
    sp_loop_free(l);
    sp_sim_free(x);
    sp_scene_free(s);
    sp_plan_free(p);
}

/* When a rank begins its second attention. */
static double second_start(const struct sp_scene *s, int rank, bool streams)
{
    struct sp_span *span = calloc((size_t)s->plan->nsteps, sizeof *span);
    struct sp_sim *x = sp_sim_new(s, &(struct sp_sim_options){ .streams = streams, .span = span });
    struct sp_loop *l = sp_loop_new(s->plan, SP_ALL_RANKS);
    assert_null(sp_loop_run(l, SP_FORWARD, sp_sim_executor(x), span));
    double start = 0;
    for (int i = 0, seen = 0; i < s->plan->nsteps && seen < 2; i++)
        if (s->plan->step[i].rank == rank && s->plan->step[i].op == SP_ATTN && ++seen == 2)
            start = span[i].start;
    sp_loop_free(l);
    sp_sim_free(x);
    free(span);
    return start;
}

/* Rank 7 receives from its node and sends to the next: one kernel, but two MPI messages. */
static void test_group_is_one_kernel(void **state)
{
    struct sp_profile f = stage_profile();
    struct sp_plan *p = big_ring(16);
    struct sp_scene *s = stage_new(p, &f, (struct stage){ .attn = 1e-6 });
    (void)state;
    is_about(second_start(s, 7, true), bytes / 50e9 + 5e-6);
    is_about(second_start(s, 7, false), bytes / 450e9 + 1e-6);
    sp_scene_free(s);
    sp_plan_free(p);
}

/* ---- the rest ------------------------------------------------------------------------------ */

static void test_bytes_are_kept(void **state)
{
    static const char *const name[] = { "ring", "ulysses", "allgather" };
    struct sp_profile f = stage_profile();
    (void)state;
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        struct sp_plan *p = case_plan(name[i], "ranks=16 rows=32 heads=16:16 dim=64 pass=fwd");
        struct sp_scene *s = stage_new(p, &f, (struct stage){ .attn = 1e-6 });
        struct sp_sim *x = sp_sim_new(s, &streams);
        struct sp_loop *l = sp_loop_new(p, SP_ALL_RANKS);
        assert_null(sp_loop_run(l, SP_FORWARD, sp_sim_executor(x), NULL));
        for (int r = 0; r < 16; r++) {
            struct sp_count c = sp_rank_count(p, r, SP_FORWARD);
            double crossed = sp_sim_crossed(x, 4 * r) + sp_sim_crossed(x, 4 * r + 2);
            is_about(crossed, (double)sp_count_bytes(&c));
        }
        sp_loop_free(l);
        sp_sim_free(x);
        sp_scene_free(s);
        sp_plan_free(p);
    }
}

static void test_luck(void **state)
{
    struct sp_profile f = stage_profile();
    struct sp_plan *p = big_ring(8);
    struct stage g = { .attn = 0.2e-3 };
    struct sp_sim_options o = { .streams = true, .jitter = 0.1, .seed = 7 };
    double t = time_of(p, &f, g, o);
    (void)state;
    assert_true(t == time_of(p, &f, g, o));
    assert_true(t > 1.6e-3 && t < 3.2e-3);
    o.seed = 8;
    assert_true(t != time_of(p, &f, g, o));
    sp_plan_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ring_of_two),
        cmocka_unit_test(test_modes_of_two),
        cmocka_unit_test(test_known_rings),
        cmocka_unit_test(test_straggler),
        cmocka_unit_test(test_places_alike),
        cmocka_unit_test(test_more_bandwidth_is_faster),
        cmocka_unit_test(test_shared_nics_halve),
        cmocka_unit_test(test_ulysses),
        cmocka_unit_test(test_known_all_to_alls),
        cmocka_unit_test(test_rounds),
        cmocka_unit_test(test_few_at_once),
        cmocka_unit_test(test_efficiency),
        cmocka_unit_test(test_interference),
        cmocka_unit_test(test_queue),
        cmocka_unit_test(test_one_worker),
        cmocka_unit_test(test_group_is_one_kernel),
        cmocka_unit_test(test_processors_and_polling),
        cmocka_unit_test(test_bytes_are_kept),
        cmocka_unit_test(test_luck),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
