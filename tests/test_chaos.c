/* test_chaos.c - every strategy in random legal orders, against the definition. */
/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "cases.h"
#include "definition.h"
#include "disorder.h"

enum { SEEDS = 4, TIMES = 2 };

static int run_case(const struct case_walk *w, const struct sp_kernels *k, int seeds, double *worst)
{
    struct sp_plan *p = sp_strategy_plan(w->strategy, &w->pb);
    int runs = 0;
    for (int seed = 0; seed < seeds; seed++)
        for (int streams = 0; streams < 2; streams++) {
            struct off off = disorder_run(p, (struct disorder){
                .kernels = k, .seed = (unsigned long)(1000 * seed + streams),
                .streams = streams, .times = TIMES });
            if (off.why || !(off.by <= disorder_tolerance(&w->pb)))
                fail_msg("%s, seed %d, %s: %s is off by %g %s", w->name, seed,
                         streams ? "streams" : "polled", sp_kind_names[off.in], off.by,
                         off.why ? off.why : "");
            double *most = &worst[w->pb.dtype];
            *most = off.by > *most ? off.by : *most;
            runs += TIMES;
        }
    sp_plan_free(p);
    return runs;
}

static void test_any_order_is_right(void **state)
{
    struct case_walk w = { .set = cases_to_run };
    double worst[2] = { 0, 0 };
    int cases = 0, runs = 0;
    (void)state;
    while (case_next_plan(&w)) {
        runs += run_case(&w, NULL, SEEDS, worst);
        cases++;
    }
    print_message("%d cases, %d runs forward and backward; off by at most %.1e in fp32, %.1e "
                  "in bf16\n", cases, runs, worst[SP_F32], worst[SP_BF16]);
    assert_true(runs > 10000);
    definition_forget();
}

/* The same with the kernels that are measured, in the head dims that models have. */
static void test_cpu_kernels(void **state)
{
    static const struct case_set table[] = {
        { "ring",      { "ranks 4", "rows 24", "heads 4:2", "dim 64 96",
                         "layout contiguous zigzag striped", "mask causal full", "bwd rev home",
                         "dtype fp32 bf16" } },
        { "ulysses",   { "ranks 4", "rows 30", "heads 8:8 8:2", "dim 64 128", "chunks 2",
                         "dtype fp32 bf16", "batch 2" } },
        { "hybrid",    { "ranks 6", "rows 10", "heads 6:2", "dim 4 64", "pu 2 3", "bwd rev home",
                         "dtype fp32 bf16" } },
        { "allgather", { "ranks 3", "rows 22", "heads 4:4 4:1", "dim 128", "stride 1 2",
                         "dtype fp32 bf16" } },
        { NULL, { NULL } }
    };
    const char *why;
    const struct sp_kernels *k = sp_kernels_find("cpu", &why);
    struct case_walk w = { .set = table };
    double worst[2] = { 0, 0 };
    int runs = 0;
    (void)state;
    assert_non_null(k);
    while (case_next_plan(&w))
        runs += run_case(&w, k, 1, worst);
    print_message("%d runs with kernels %s; off by at most %.1e in fp32, %.1e in bf16\n", runs,
                  k->name, worst[SP_F32], worst[SP_BF16]);
    definition_forget();
}

/* The order within a pass is kept when it is run again by itself. */
static void test_backward_again(void **state)
{
    static const char *const strategies[] = { "ring", "hybrid", "allgather" };
    static const char *const settings[] = {
        "ranks=4 heads=2:1 layout=zigzag", "ranks=8 heads=4:2 pu=2 bwd=home",
        "ranks=3 heads=4:4 stride=1 buffers=1" };
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct sp_plan *p = case_plan(strategies[i], settings[i]);
        for (int seed = 0; seed < 20; seed++) {
            struct off off = disorder_run(p, (struct disorder){
                .seed = (unsigned long)seed, .streams = seed % 2, .times = 1, .backwards = 1 });
            if (off.why || !(off.by <= disorder_tolerance(&p->pb)))
                fail_msg("%s %s, seed %d: %s is off by %g after a second backward pass",
                         strategies[i], settings[i], seed, sp_kind_names[off.in], off.by);
        }
        sp_plan_free(p);
    }
    definition_forget();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_order_is_right),
        cmocka_unit_test(test_cpu_kernels),
        cmocka_unit_test(test_backward_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
