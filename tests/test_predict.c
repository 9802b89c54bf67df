/* test_predict.c - forecasts for small clusters: their times, and what they say of them. */
/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "sim/predict.h"
#include "topofile.h"

/* Four boxes of one rank, 1 Gb/s each way, 4 us from box to box. */
static const char boxes[] = "machine box ranks=1 memory=10GB/s nic_rate=1Gb/s\n"
                            "nodes b[1-4] machine=box\n"
                            "fabric eth rate=1Gb/s nic=1us switch=2us\n";

static const double net = 125e6;        /* bytes/s */

/* A pair of a row and a key takes `tile` seconds, a byte of the others nothing. */
static struct sp_kernel_fit kernel(enum sp_op op, double tile)
{
    return (struct sp_kernel_fit){ .op = op, .dtype = SP_F32, .dim = 4, .tile_rows = 1,
                                   .tile_keys = 1, .tile = tile, .masked = 1, .alone = 1,
                                   .high_rows = 1e9, .high_keys = 1e9 };
}

struct bench { struct sp_profile f; struct sp_kernel_fit kernel[2]; };

static void bench_new(struct bench *b, double tile)
{
    *b = (struct bench){ .f = { .name = "by hand", .slots = 1, .nkernels = 2 } };
    b->kernel[0] = kernel(SP_ATTN, tile);
    b->kernel[1] = kernel(SP_GRAD, 2 * tile);
    b->f.kernel = b->kernel;
    for (int i = 0; i < SP_NLINK_KINDS; i++)
        b->f.link[i] = 1;
    for (int i = 0; i < SP_NPATH_CLASSES; i++)
        b->f.path[i].known = true;
    for (int i = 0; i < SP_NOPS; i++)
        b->f.stream[i] = (struct sp_stream_fit){ .rate = 1e30, .known = true };
}

static void is_about(double got, double want)
{
    if (!(fabs(got - want) <= 1e-6 * want))
        fail_msg("%.12g instead of %.12g", got, want);
}

static void says(const struct sp_forecast_pass *f, const char *what)
{
    if (!strstr(f->why, what))
        fail_msg("'%s' does not say '%s'", f->why, what);
}

static struct sp_forecast predict(const struct sp_plan *p, const struct sp_topo *t, double tile,
                                  struct sp_forecast_options o)
{
    struct bench b;
    bench_new(&b, tile);
    struct sp_forecast f = sp_predict(p, t, &b.f, &o);
    if (f.why)
        fail_msg("%s", f.why);
    return f;
}

/* ---- where ranks are ------------------------------------------------------------------------- */

static void test_places(void **state)
{
    struct sp_topo *t = topofile_must("machine box ranks=4 memory=10GB/s nic_rate=1Gb/s\n"
                                      "nodes b[1-2] machine=box\nfabric eth rate=1Gb/s\n", NULL);
    struct sp_placement at;
    (void)state;
    assert_null(sp_place(t, 3, 2, 0, &at));
    for (int i = 0; i < 6; i++)
        assert_int_equal(at.endpoint[i], i);
    free(at.endpoint);
    assert_null(sp_place(t, 4, 1, 2, &at));
    assert_int_equal(at.endpoint[2], 4);
    free(at.endpoint);
    static const int shared[] = { 0, 1, 4, 5, 2, 3, 6, 7 };     /* two groups, on both nodes each */
    assert_null(sp_place(t, 4, 2, 2, &at));
    assert_memory_equal(at.endpoint, shared, sizeof shared);
    free(at.endpoint);
    assert_int_equal(sp_place_room(t, 2, 1), 4);
    assert_int_equal(sp_place_room(t, 3, 3), 2);
    assert_int_equal(sp_place_room(t, 3, 2), 2);
    assert_string_equal(sp_place(t, 3, 3, 2, &at), "3 groups of --sp 3: there is room for 2, with "
                        "2 of a group on each node");
    assert_string_equal(sp_place(t, 16, 1, 0, &at),
                        "--sp 16 needs 16 endpoints, the cluster has 8");
    assert_string_equal(sp_place(t, 4, 3, 0, &at),
                        "3 groups of --sp 4: there is room for 2");
    assert_string_equal(sp_place(t, 8, 1, 3, &at),
                        "--sp 8 needs 8 endpoints, the cluster has 6 with 3 on each node");
    assert_string_equal(sp_place(t, 8, 1, 5, &at), "5 ranks on each node: b1 has only 4 endpoints");
    sp_topo_free(t);
}

/* ---- what bounds the time ------------------------------------------------------------------- */

/* Four ranks, 1024 rows of 8 heads, dim 4, fp32: messages of K and V are 256 KiB. */
static const char ring4[] = "ranks=4 rows=1024 heads=8:8 dim=4 mask=full layout=contiguous";

static void test_network_bound(void **state)
{
    struct sp_topo *t = topofile_must(boxes, NULL);
    struct sp_plan *p = case_plan("ring", ring4);
    double tile = 1e-12, one = 1024. * 1024 * 8 * tile, comm = (1 << 18) / net + 4e-6;
    struct sp_forecast f = predict(p, t, tile, (struct sp_forecast_options){ .decompose = true });
    const struct sp_forecast_pass *a = &f.pass[SP_FORWARD];
    (void)state;
    is_about(a->time[SP_SIM_OVERLAPPED], 3 * comm + one);
    is_about(a->time[SP_SIM_SERIALISED], 3 * comm + 4 * one);
    is_about(a->time[SP_SIM_COMPUTE], 4 * one);
    is_about(a->time[SP_SIM_COMM], 3 * comm);
    is_about(a->exposed, 3 * (comm - one));
    is_about(a->bytes[SP_LINK_NET], 2 * 4 * 3 * (1 << 18));
    is_about(f.memory, (double)sp_rank_bytes(p, 0));
    says(a, "longer than computing hides: b1/");
    says(a, "carries 100 % of its 0.1 GB/s");
    assert_int_equal(t->link[a->bottleneck].kind, SP_LINK_NET);
    assert_true(a->busy > 0.99 && a->busy <= 1);
    assert_true(f.inside);
    sp_plan_free(p);
    sp_topo_free(t);
}

static void test_hidden_and_alone(void **state)
{
    struct sp_topo *t = topofile_must(boxes, NULL);
    struct sp_plan *p = case_plan("ring", ring4);
    struct sp_forecast f = predict(p, t, 1e-9, (struct sp_forecast_options){ 0 });
    (void)state;
    is_about(f.pass[SP_FORWARD].time[SP_SIM_OVERLAPPED], 4 * 1024. * 1024 * 8 * 1e-9);
    assert_true(isnan(f.pass[SP_FORWARD].time[SP_SIM_COMM]));
    assert_int_equal(f.pass[SP_FORWARD].bottleneck, -1);
    says(&f.pass[SP_FORWARD], "kernels: communication is hidden but for 0.0 %");
    says(&f.pass[SP_BACKWARD], "kernels: communication is hidden but for");
    sp_plan_free(p);
    p = case_plan("local", "ranks=1 rows=64 heads=8:8");
    f = predict(p, t, 1e-9, (struct sp_forecast_options){ 0 });
    says(&f.pass[SP_FORWARD], "kernels: nothing is sent");
    sp_plan_free(p);
    sp_topo_free(t);
}

static void test_latency_bound(void **state)
{
    struct sp_topo *t = topofile_must(boxes, NULL);
    struct sp_plan *p = case_plan("ring", "ranks=4 rows=2 heads=1:1 mask=full");
    struct sp_forecast f = predict(p, t, 1e-12, (struct sp_forecast_options){ 0 });
    (void)state;
    says(&f.pass[SP_FORWARD], "latency: 3 groups of messages x 4 us, one after another");
    sp_plan_free(p);
    sp_topo_free(t);
}

/* One rank after another is unlucky, and those after it wait for its keys. */
static void test_waiting(void **state)
{
    struct sp_topo *t = topofile_must("machine box ranks=16 memory=10GB/s nic_rate=1Gb/s\n"
                                      "nodes b machine=box\n", NULL);
    struct sp_plan *p = case_plan("ring", "ranks=16 rows=64 heads=8:8 dim=4 mask=full");
    struct sp_forecast f = predict(p, t, 1e-6, (struct sp_forecast_options){ .jitter = 1 });
    (void)state;
    says(&f.pass[SP_FORWARD], "waiting: ranks compute unequally and wait for each other");
    sp_plan_free(p);
    sp_topo_free(t);
}

static void test_slowed(void **state)
{
    struct sp_topo *t = topofile_must(boxes, NULL);
    struct sp_plan *p = case_plan("ring", ring4);
    struct bench b;
    double one = 1024. * 1024 * 8 * 0.5e-9, comm = (1 << 18) / net + 4e-6;
    (void)state;
    bench_new(&b, 0.5e-9);
    b.f.interference.compute = 0.5;             /* a third is lost while messages fly */
    struct sp_forecast f = sp_predict(p, t, &b.f, &(struct sp_forecast_options){ 0 });
    is_about(f.pass[SP_FORWARD].time[SP_SIM_OVERLAPPED], 4 * one + comm);
    says(&f.pass[SP_FORWARD], "kernels: communication is hidden but slows them: they take 2.1 ms "
         "longer, 13 %");
    sp_plan_free(p);
    sp_topo_free(t);
}

/* What a pass takes beside its steps is nothing that computing could hide messages behind. */
static void test_beside_steps(void **state)
{
    struct sp_topo *t = topofile_must(boxes, NULL);
    struct sp_plan *p = case_plan("ring", ring4);
    struct bench b;
    (void)state;
    bench_new(&b, 1e-12);
    b.f.pass = 10;
    struct sp_forecast f = sp_predict(p, t, &b.f, &(struct sp_forecast_options){ 0 });
    says(&f.pass[SP_FORWARD], "carries 100 % of its 0.1 GB/s");
    is_about(f.pass[SP_FORWARD].time[SP_SIM_COMM], 10 + 3 * ((1 << 18) / net + 4e-6));
    sp_plan_free(p);
    sp_topo_free(t);
}

/* ---- the rest ------------------------------------------------------------------------------ */

static void test_groups_alike(void **state)
{
    struct sp_topo *t = topofile_must("machine box ranks=2 memory=10GB/s nic_rate=1Gb/s\n"
                                      "nodes b[1-4] machine=box\n"
                                      "fabric eth rate=1Gb/s nic=5us\n", NULL);
    struct sp_plan *p = case_plan("ulysses", "ranks=4 rows=256 heads=8:8 dim=4 mask=full");
    struct sp_forecast_options o = { .groups = 2, .decompose = true };
    struct sp_forecast a = predict(p, t, 1e-10, o);
    (void)state;
    o.explicit_run = true;
    struct sp_forecast b = predict(p, t, 1e-10, o);
    assert_int_equal(b.ranks, 8);
    assert_int_equal(a.represented, 8);
    assert_true(a.ranks < 8);
    for (int pass = 0; pass < SP_NPASSES; pass++)
        for (int mode = 0; mode < 4; mode++)
            is_about(a.pass[pass].time[mode], b.pass[pass].time[mode]);
    is_about(a.pass[0].bytes[SP_LINK_NET], b.pass[0].bytes[SP_LINK_NET]);
    sp_plan_free(p);
    sp_topo_free(t);
}

static void test_spans(void **state)
{
    struct sp_topo *t = topofile_must(boxes, NULL);
    struct sp_plan *p = case_plan("ring", ring4);
    struct sp_span *span = calloc((size_t)p->nsteps, sizeof *span);
    struct sp_forecast_options o = { .span = span };
    struct sp_forecast f = predict(p, t, 1e-10, o);
    double end[SP_NPASSES] = { 0, 0 };
    (void)state;
    for (int i = 0; i < p->nsteps; i++) {
        enum sp_pass pass = sp_step_pass(p, i);
        assert_true(span[i].start >= 0 && span[i].end >= span[i].start);
        if (p->step[i].op == SP_ATTN)
            is_about(span[i].end - span[i].start, 1024. * 1024 * 8 * 1e-10);
        end[pass] = fmax(end[pass], span[i].end);
    }
    for (int pass = 0; pass < SP_NPASSES; pass++)
        is_about(end[pass], f.pass[pass].time[SP_SIM_OVERLAPPED]);
    free(span);
    sp_plan_free(p);
    sp_topo_free(t);
}

/* Ends that are made one where they are many hardly change what comes out. */
static void test_coarse_is_close(void **state)
{
    struct sp_topo *t = topofile_must("machine box ranks=8 memory=10GB/s nic_rate=10Gb/s\n"
                                      "nodes b[1-12] machine=box\n"
                                      "fabric eth rate=10Gb/s nic=5us nodes_per_leaf=8 spines=1 "
                                      "oversub=2\n", NULL);
    struct sp_plan *p = case_plan("ulysses", "ranks=96 rows=512 heads=96:96 dim=4 pass=fwd");
    struct sp_forecast_options o = { .eps = -1, .jitter = 0.3 };
    struct sp_forecast exact = predict(p, t, 1e-13, o);
    (void)state;
    o.eps = 0;
    struct sp_forecast coarse = predict(p, t, 1e-13, o);
    double a = exact.pass[0].time[0], b = coarse.pass[0].time[0];
    if (a == b || !(fabs(a - b) < 1e-3 * a))
        fail_msg("%.12g and %.12g s", a, b);
    assert_true(exact.pass[0].time[SP_SIM_COMPUTE] == coarse.pass[0].time[SP_SIM_COMPUTE]);
    sp_plan_free(p);
    sp_topo_free(t);
}

static void test_unknown_kernel(void **state)
{
    struct sp_topo *t = topofile_must(boxes, NULL);
    struct sp_plan *p = case_plan("ring", ring4);
    struct bench b;
    (void)state;
    bench_new(&b, 1e-9);
    b.f.path[SP_PATH_NET].known = false;
    struct sp_forecast f = sp_predict(p, t, &b.f, &(struct sp_forecast_options){ 0 });
    assert_true(!f.why && !f.inside);
    b.f.nkernels = 1;
    f = sp_predict(p, t, &b.f, &(struct sp_forecast_options){ 0 });
    assert_string_equal(f.why, "profile by hand knows no kernel for grad in fp32; --profile "
                        "FILE or --dtype would say another");
    f = sp_predict(p, t, &b.f, &(struct sp_forecast_options){ .groups = 2 });
    assert_string_equal(f.why, "2 groups of --sp 4: there is room for 1");
    sp_plan_free(p);
    sp_topo_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_network_bound),
        cmocka_unit_test(test_hidden_and_alone),
        cmocka_unit_test(test_latency_bound),
        cmocka_unit_test(test_waiting),
        cmocka_unit_test(test_slowed),
        cmocka_unit_test(test_beside_steps),
        cmocka_unit_test(test_groups_alike),
        cmocka_unit_test(test_spans),
        cmocka_unit_test(test_coarse_is_close),
        cmocka_unit_test(test_unknown_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
