/* test_scale.c - 512 ranks and a million tokens: built, proved and counted within 1 GB. */
/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <sys/resource.h>

#include "cases.h"
#include "util/clock.h"

static long peak_kib(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_maxrss;
}

static void test_ring_of_512(void **state)
{
    enum { P = 512 };
    (void)state;
    double start = sp_now();
    struct sp_plan *p = case_plan("ring", "ranks=512 seq=1048576 heads=32:8 dim=128 dtype=bf16");
    double built = sp_now();
    const char *why = sp_check(p);
    double proved = sp_now();
    if (why)
        fail_msg("%s", why);
    struct sp_count *c = sp_plan_counts(p);
    double counted = sp_now();
    size_t kv = (size_t)2 * (1048576 / P) * 8 * 128 * 2;
    double flops[SP_NPASSES] = { 0 }, n = 1048576;
    for (int r = 0; r < P; r++)
        for (int pass = 0; pass < SP_NPASSES; pass++) {
            const struct sp_count *x = &c[r * SP_NPASSES + pass];
            assert_int_equal(sp_count_bytes(x), (P - 1) * kv * (pass == SP_FORWARD ? 1 : 2));
            assert_int_equal(sp_count_messages(x), pass == SP_FORWARD ? P - 1 : P);
            flops[pass] += x->flops;
        }
    assert_true(flops[SP_FORWARD] == 4 * (n * (n + 1) / 2) * 32 * 128);
    assert_true(flops[SP_BACKWARD] == 2.5 * flops[SP_FORWARD]);
    print_message("%d steps: built in %.1f s, proved in %.1f s, counted in %.1f s; %ld MiB\n",
                  p->nsteps, built - start, proved - built, counted - proved, peak_kib() >> 10);
#ifndef __SANITIZE_ADDRESS__
    assert_true(peak_kib() < 1000000);
#endif
    free(c);
    sp_plan_free(p);
}

/* As many ranks again, of which each talks to 63 others, and rings across them. */
static void test_hybrid_of_512(void **state)
{
    (void)state;
    struct sp_plan *p = case_plan("hybrid", "ranks=512 seq=1048576 heads=64:8 dim=128 dtype=bf16 "
                                  "pu=8 place=ring bwd=home");
    const char *why = sp_check(p);
    if (why)
        fail_msg("%s", why);
    sp_plan_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ring_of_512),
        cmocka_unit_test(test_hybrid_of_512),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
