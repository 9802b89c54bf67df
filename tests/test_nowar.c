/* test_nowar.c - the tests of order bite: built without src/plan/war.c, so that no write waits
 * for those who still read, plans are refused as races and give wrong results. */
/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "cases.h"
#include "definition.h"
#include "disorder.h"
#include "plan/order.h"

enum { SEEDS = 40 };

void sp_order_after_readers(struct sp_plan *p, const struct sp_box *x)
{
    (void)p;
    (void)x;
}

static const struct {
    const char *strategy, *settings;
    bool reuses;                    /* buffers: only those that do can be overtaken */
} cases[] = {
    { "ring",      "ranks=4 heads=2:1 bwd=rev",               true },
    { "ring",      "ranks=4 heads=2:2 bwd=home fused=0",      true },
    { "ring",      "ranks=4 heads=2:1 layout=striped",        true },
    { "ring",      "ranks=6 heads=2:2 mask=full buffers=3 pass=fwd", true },
    { "hybrid",    "ranks=8 heads=4:2 pu=2 bwd=rev",          true },
    { "hybrid",    "ranks=8 heads=4:4 pu=2 place=ring bwd=home", true },
    { "allgather", "ranks=3 heads=4:4 stride=1 buffers=1",    true },
    { "allgather", "ranks=4 heads=4:4 stride=1 buffers=2",    true },
    { "ulysses",   "ranks=4 heads=8:8 chunks=2",              false },
};

static int wrong_runs(const struct sp_plan *p, bool streams)
{
    int wrong = 0;
    for (int seed = 0; seed < SEEDS; seed++) {
        struct off off = disorder_run(p, (struct disorder){
            .seed = (unsigned long)seed, .streams = streams, .times = 1 });
        assert_null(off.why);
        wrong += !(off.by <= disorder_tolerance(&p->pb));
    }
    return wrong;
}

static void test_without_write_after_read(void **state)
{
    int runs = 0, wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sp_plan *p = case_plan(cases[i].strategy, cases[i].settings);
        const char *why = sp_check(p);
        int polled = wrong_runs(p, false), streams = wrong_runs(p, true);
        print_message("%s %s: %d polled and %d streams of %d wrong; %s\n", cases[i].strategy,
                      cases[i].settings, polled, streams, SEEDS, why ? why : "accepted");
        runs += 2 * SEEDS;
        wrong += polled + streams;
        assert_int_equal(polled + streams > 0, cases[i].reuses);
        assert_int_equal(why && strstr(why, "race"), cases[i].reuses);
        sp_plan_free(p);
    }
    print_message("%d of %d runs wrong\n", wrong, runs);
    definition_forget();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_write_after_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
