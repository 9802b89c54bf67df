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

static int run_case(const struct case_walk *w, double *worst)
{
    struct sp_plan *p = sp_strategy_plan(w->strategy, &w->pb);
    int runs = 0;
    for (int seed = 0; seed < SEEDS; seed++)
        for (int streams = 0; streams < 2; streams++) {
            struct off off = disorder_run(p, (struct disorder){
                .seed = (unsigned long)(1000 * seed + streams), .streams = streams,
                .times = TIMES });
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
        runs += run_case(&w, worst);
        cases++;
    }
    print_message("%d cases, %d runs forward and backward; off by at most %.1e in fp32, %.1e "
                  "in bf16\n", cases, runs, worst[SP_F32], worst[SP_BF16]);
    assert_true(runs > 10000);
    definition_forget();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_order_is_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
